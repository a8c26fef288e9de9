package observe

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the figures of one program, in a registry of their own. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	inFlight prometheus.Gauge
	panics   prometheus.Counter
}

// NewMetrics makes the metrics of a program of the version given.
func NewMetrics(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sitthi_http_request_seconds", Help: "Time to answer a request, by route, method and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method", "status"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "sitthi_http_requests_in_flight", Help: "Requests being answered.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sitthi_panics_total", Help: "Requests whose handler panicked.",
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "sitthi_build_info", Help: "Always 1; the version is a label.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.inFlight, m.panics, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers with all figures in the format of Prometheus; log hears of those that could not be read.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	})
}

func (m *Metrics) observe(verb, route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, method(verb), strconv.Itoa(status)).Observe(took.Seconds())
}

// Counter adds a count that only goes up; call the answer for each event. It panics when the name is taken.
func (m *Metrics) Counter(name, help string) (count func()) {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	m.registry.MustRegister(c)
	return c.Inc
}

// Gauge adds a figure that read tells whenever the metrics are asked for. While read fails the figure is left out,
// so that an alarm on its absence goes off instead of a stale or invented figure being shown. It panics when the
// name is taken.
func (m *Metrics) Gauge(name, help string, read func(context.Context) (float64, error)) {
	m.registry.MustRegister(&gauge{desc: prometheus.NewDesc(name, help, nil, nil), read: read})
}

// readWithin is how long one figure may take to read.
const readWithin = 2 * time.Second

type gauge struct {
	desc *prometheus.Desc
	read func(context.Context) (float64, error)
}

// Describe implements prometheus.Collector.
func (g *gauge) Describe(ch chan<- *prometheus.Desc) { ch <- g.desc }

// Collect implements prometheus.Collector.
func (g *gauge) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readWithin)
	defer cancel()
	v, err := g.read(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(g.desc, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, v)
}

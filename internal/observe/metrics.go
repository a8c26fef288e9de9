package observe

import (
	"context"
	"fmt"
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

// Total adds a count that is kept elsewhere and only goes up while the program runs. It panics when the name is taken.
func (m *Metrics) Total(name, help string, read func() uint64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
		func() float64 { return float64(read()) }))
}

// Figure names a gauge.
type Figure struct{ Name, Help string }

// Gauges adds figures that read tells together, in this order, once whenever the metrics are asked for. While read
// fails they are left out, so that an alarm on their absence goes off instead of a stale or invented figure being
// shown. It panics when a name is taken.
func (m *Metrics) Gauges(read func(context.Context) ([]float64, error), figures ...Figure) {
	g := &gauges{read: read}
	for _, f := range figures {
		g.descs = append(g.descs, prometheus.NewDesc(f.Name, f.Help, nil, nil))
	}
	m.registry.MustRegister(g)
}

// readWithin is how long one reading may take.
const readWithin = 2 * time.Second

type gauges struct {
	descs []*prometheus.Desc
	read  func(context.Context) ([]float64, error)
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range g.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readWithin)
	defer cancel()
	values, err := g.read(ctx)
	if err == nil && len(values) != len(g.descs) {
		err = fmt.Errorf("%d figures were read of %d", len(values), len(g.descs))
	}
	for i, d := range g.descs {
		if err != nil {
			ch <- prometheus.NewInvalidMetric(d, err)
			continue
		}
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, values[i])
	}
}

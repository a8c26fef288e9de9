package observe

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

type requestKey struct{}

// NewRequestID makes the name of one request: 16 letters and digits that a person can read out on the telephone.
// None is taken from outside, since whoever names a request could make two look like one.
func NewRequestID() string { return rand.Text()[:16] }

// WithRequest notes the id of the request that a context belongs to.
func WithRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestOf answers the id of the request that the context belongs to, or "".
func RequestOf(ctx context.Context) string {
	id, ok := ctx.Value(requestKey{}).(string)
	if !ok {
		return ""
	}
	return id
}

// Recorder is a http.ResponseWriter that remembers what was answered.
type Recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (r *Recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *Recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the writer beneath.
func (r *Recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Started reports whether an answer has begun, so that no other can be given.
func (r *Recorder) Started() bool { return r.status != 0 }

// Watch gives each request an id, a line in the log and its place in the metrics, and answers for a panic.
type Watch struct {
	Log     *slog.Logger
	Metrics *Metrics
	// Quiet says which requests are no news, such as those of a health check; they are logged at level debug.
	Quiet func(pattern string) bool
	// Panicked answers a request whose handler panicked before it had answered.
	Panicked func(w http.ResponseWriter, r *http.Request)
}

// Handler watches next. The request that next gets is the one whose Pattern a http.ServeMux within sets: so next
// must hand on the very request it was given.
func (o Watch) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		r = r.WithContext(WithRequest(r.Context(), NewRequestID()))
		rec := &Recorder{ResponseWriter: w}
		o.Metrics.inFlight.Inc()
		defer o.Metrics.inFlight.Dec()
		defer func() {
			if fault := recover(); fault != nil {
				o.panicked(rec, r, fault)
			}
			o.tell(rec, r, time.Since(began))
		}()
		next.ServeHTTP(rec, r)
	})
}

func (o Watch) panicked(rec *Recorder, r *http.Request, fault any) {
	if fault == http.ErrAbortHandler {
		panic(fault) // the handler gave the connection up on purpose
	}
	o.Metrics.panics.Inc()
	o.Log.ErrorContext(r.Context(), "panic", "fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
	if rec.Started() {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	o.Panicked(rec, r)
}

func (o Watch) tell(rec *Recorder, r *http.Request, took time.Duration) {
	status := rec.status
	if status == 0 {
		status = http.StatusOK // what net/http sends when a handler says nothing
	}
	o.Metrics.observe(r.Method, r.Pattern, status, took)
	level := slog.LevelInfo
	if o.Quiet(r.Pattern) {
		level = slog.LevelDebug
	}
	// The pattern, not the address: what people type into an address, and above all into a query, is theirs.
	o.Log.LogAttrs(r.Context(), level, "request",
		slog.String("method", method(r.Method)), slog.String("pattern", r.Pattern), slog.Int("status", status),
		slog.Int64("bytes", rec.bytes), slog.Duration("took", took))
}

// method keeps what strangers invent out of logs and metrics.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

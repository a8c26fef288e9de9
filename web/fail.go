package web

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sitthi/internal/observe"
	"sitthi/internal/problem"
	"sitthi/web/views"
)

// failure is what an error page says: the status, and the key under which its title, text and advice stand.
type failure struct {
	status int
	key    string
}

// failures are the pages for each kind of problem, as house.md lists them.
var failures = map[problem.Kind]failure{
	problem.Invalid:  {http.StatusUnprocessableEntity, "problem.invalid"},
	problem.Denied:   {http.StatusForbidden, "problem.denied"},
	problem.NotFound: {http.StatusNotFound, "problem.notfound"},
	problem.Conflict: {http.StatusConflict, "problem.conflict"},
	problem.Locked:   {http.StatusLocked, "problem.locked"},
	problem.Busy:     {http.StatusServiceUnavailable, "problem.busy"},
}

// The pages for what is no problem.Problem.
var (
	failureFault    = failure{http.StatusInternalServerError, "problem.fault"}
	failureForm     = failure{http.StatusBadRequest, "problem.form"}
	failureFormType = failure{http.StatusUnsupportedMediaType, "problem.form"}
	failureSlow     = failure{http.StatusRequestTimeout, "problem.slow"}
	failureTooBig   = failure{http.StatusRequestEntityTooLarge, "problem.too_big"}
	failureMethod   = failure{http.StatusMethodNotAllowed, "problem.method"}
	failureTooMany  = failure{http.StatusTooManyRequests, "problem.too_many"}
)

// titleSuffix and nextSuffix end the keys of a page's title and of the line that says what to do.
const (
	titleSuffix = "_title"
	nextSuffix  = "_next"
)

// way is where the advice of a problem sends the reader.
type way struct{ label, path string }

// ways are the problems whose page leads there by a button.
var ways = map[string]way{"signin.problem.no_reset": {"reset.again", "/officer/passreset"}}

// fail is the one place that answers errors: a problem in the reader's words with the status of its kind, a visitor
// with the way to sign in, anything else with a reference to the log and nothing of its text.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, v *Visit, err error) {
	if errors.Is(err, errAnswered) {
		return
	}
	var visitor signInFirst
	if errors.As(err, &visitor) {
		if err := s.askSignIn(w, r, v); err != nil {
			s.fail(w, r, v, err)
		}
		return
	}
	if rec, ok := w.(*observe.Recorder); ok && rec.Started() {
		// Too late for another answer: the reader has gone, or gets what there is.
		s.Log.InfoContext(r.Context(), "answer broke off", "why", err)
		return
	}
	s.tellFailure(w, r, v, err)
}

func (s *Server) tellFailure(w http.ResponseWriter, r *http.Request, v *Visit, err error) {
	var told *problem.Problem
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &told):
		s.tellProblem(w, r, v, told, err)
	case errors.As(err, &tooBig):
		s.failPage(w, r, v, failureTooBig, views.FailParams{})
	case errors.Is(err, errForm):
		s.failPage(w, r, v, failureForm, views.FailParams{})
	case errors.Is(err, errFormType):
		s.failPage(w, r, v, failureFormType, views.FailParams{})
	case errors.Is(err, errFormSlow):
		s.failPage(w, r, v, failureSlow, views.FailParams{})
	case errors.Is(err, errMethod):
		s.failPage(w, r, v, failureMethod, views.FailParams{})
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		s.Log.InfoContext(r.Context(), "reader went away")
		w.WriteHeader(statusGone) // nobody reads it but the metrics
	case errors.Is(err, context.DeadlineExceeded):
		s.Log.ErrorContext(r.Context(), "request took too long", "why", err)
		w.Header().Set("Retry-After", "10")
		s.failPage(w, r, v, failures[problem.Busy], views.FailParams{})
	default:
		s.Log.ErrorContext(r.Context(), "request failed", "pattern", r.Pattern, "why", err)
		s.failPage(w, r, v, failureFault, views.FailParams{Reference: v.Request})
	}
}

// statusGone is the status that proxies log when a client did not wait for the answer.
const statusGone = 499

func (s *Server) tellProblem(w http.ResponseWriter, r *http.Request, v *Visit, p *problem.Problem, err error) {
	f, ok := failures[p.Kind]
	if !ok {
		f = failureFault
	}
	params := views.FailParams{}
	if p.Kind == problem.Busy {
		if p.TooMany {
			f = failureTooMany
		} else {
			s.Log.WarnContext(r.Context(), "busy", "why", err)
		}
		params.Wait = v.T("problem.wait", "n", retryAfter(w, p))
	}
	if s.catalog.Has(p.Key) {
		params.Text = v.text(p.Key, p.Args)
	} else {
		s.Log.ErrorContext(r.Context(), "text missing", "key", p.Key)
	}
	if s.catalog.Has(p.Key + nextSuffix) {
		params.Next = v.T(p.Key + nextSuffix)
	}
	if to, ok := ways[p.Key]; ok {
		params.Way = &views.ButtonLinkParams{Label: v.T(to.label), Href: to.path, Kind: views.Primary}
	}
	for _, field := range p.Fields {
		params.Lines = append(params.Lines, v.text(field.Key, field.Args))
	}
	s.failPage(w, r, v, f, params)
}

// retryAfter tells scripts and proxies when to ask again; the answer is the number of seconds.
func retryAfter(w http.ResponseWriter, p *problem.Problem) int {
	seconds := max(1, int(math.Ceil(p.RetryAfter.Seconds())))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return seconds
}

// failPage answers with the page of a failure; what params leave open is said in general words.
func (s *Server) failPage(w http.ResponseWriter, r *http.Request, v *Visit, f failure, params views.FailParams) {
	p := v.Page(f.key + titleSuffix)
	p.Narrow = true
	if params.Text == "" {
		params.Text = v.T(f.key)
	}
	if params.Next == "" {
		params.Next = v.T(f.key + nextSuffix)
	}
	params.Box = v.Fragment == "lookup"
	if v.Fragment == "grid" {
		v.Fragment = "" // a grid has no place for an error: the script goes to the page itself
	}
	r = r.WithContext(context.WithoutCancel(r.Context())) // the time that ran out is no reason not to say so
	if err := s.show(w, r, v, f.status, p, views.Fail(p, params)); err != nil {
		if rec, ok := w.(*observe.Recorder); ok && rec.Started() {
			s.Log.InfoContext(r.Context(), "answer broke off", "why", err)
			return
		}
		s.Log.ErrorContext(r.Context(), "error page failed", "why", err)
		s.plain(w, http.StatusInternalServerError, "500 "+v.Request)
	}
}

// errMethod says that the address exists, but not for this method.
var errMethod = errors.New("method not allowed")

// unrouted answers what no route does: 405 when another method would have had one, else 404.
func (s *Server) unrouted(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := s.visit(r)
		err := s.identify(w, r, v)
		if allowed := methodsOf(mux, r); err == nil && len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			err = errMethod
		}
		if err == nil {
			err = problem.New(problem.NotFound, "problem.notfound")
		}
		s.fail(w, r, v, err)
	}
}

// methodsOf answers the methods for which an address has a route.
func methodsOf(mux *http.ServeMux, r *http.Request) []string {
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(other); pattern != "" && pattern != "/" {
			allowed = append(allowed, m)
		}
	}
	return slices.Clip(allowed)
}

// panicked answers a request whose handler panicked.
func (s *Server) panicked(w http.ResponseWriter, r *http.Request) {
	v := s.visit(r)
	s.failPage(w, r, v, failureFault, views.FailParams{Reference: v.Request})
}

// Package authzen is the door for other programs: they ask who may do what, as the OpenID AuthZEN Authorization API 1.0
// says.
package authzen

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"sitthi/grant"
	"sitthi/internal/clock"
	"sitthi/internal/observe"
	"sitthi/internal/problem"
	"sitthi/person"
	"sitthi/program"
)

// Options are what the door needs. All are required unless said otherwise.
type Options struct {
	Log       *slog.Logger
	Metrics   *observe.Metrics
	Clock     clock.Clock
	Book      *grant.Book
	People    *person.Finder
	Programs  *program.Desk
	Decisions *program.Log
	// PublicURL is the address that programs reach the door at; it is told in the metadata.
	PublicURL *url.URL
	// Timeout is how long one request may work; 30 seconds when zero.
	Timeout time.Duration
}

// Door is the door for other programs. It is safe for concurrent use.
type Door struct {
	Options
	sentences map[reason]string
	metadata  []byte
	handler   http.Handler
}

// bodyLimit is the size in bytes of the biggest request that is read: twice what 500 evaluations without defaults take.
const bodyLimit = 1 << 20

// The paths of the door. The specification proposes them (§10.1), and the metadata tells them.
const (
	root            = "/access/v1/"
	evaluationPath  = root + "evaluation"
	evaluationsPath = root + "evaluations"
	subjectPath     = root + "search/subject"
	resourcePath    = root + "search/resource"
	actionPath      = root + "search/action"
	openAPIPath     = root + "openapi.json"
	metadataPath    = "/.well-known/authzen-configuration"
)

// openAPI describes the door for people who write programs, and for their tools.
//
//go:embed openapi.json
var openAPI []byte

// New makes a door. It fails when texts within the program are not whole.
func New(o Options) (*Door, error) {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	d := &Door{Options: o}
	var err error
	if d.sentences, err = sentences(); err != nil {
		return nil, err
	}
	if d.metadata, err = metadata(o.PublicURL); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for pattern, handler := range d.routes() {
		mux.Handle(pattern, handler)
	}
	watch := observe.Watch{Log: o.Log, Metrics: o.Metrics, Quiet: quiet, Panicked: d.panicked}
	d.handler = watch.Handler(d.frame(mux))
	return d, nil
}

// routes are all that the door answers.
func (d *Door) routes() map[string]http.Handler {
	return map[string]http.Handler{
		"POST " + evaluationPath:  d.ask(d.evaluation),
		"POST " + evaluationsPath: d.ask(d.evaluations),
		"POST " + subjectPath:     d.ask(d.subjects),
		"POST " + resourcePath:    d.ask(d.resources),
		"POST " + actionPath:      d.ask(d.actions),
		"GET " + metadataPath:     d.tell(d.metadata),
		"GET " + openAPIPath:      d.tell(openAPI),
	}
}

// Serves reports whether requests for a path are for this door.
func Serves(path string) bool { return strings.HasPrefix(path, root) || path == metadataPath }

// Handler answers all requests of the door.
func (d *Door) Handler() http.Handler { return d.handler }

// quiet leaves out of the log what is noted better elsewhere: answers are in the decision log, and refuse logs what
// was not answered.
func quiet(string) bool { return true }

// Headers whose values never change, so that no request makes them anew.
var (
	jsonType = []string{"application/json"}
	textType = []string{"text/plain; charset=utf-8"}
	noStore  = []string{"no-store"}
	noSniff  = []string{"nosniff"}
	noFrame  = []string{"default-src 'none'; frame-ancestors 'none'"}
	strict   = []string{"max-age=63072000"}
)

// requestID is the header by which programs name their requests (§10.1.3), as net/http writes it.
const requestID = "X-Request-Id"

// frame sets what every answer carries. A request without an id gets ours, to ask about it.
func (d *Door) frame(next http.Handler) http.Handler {
	encrypted := d.PublicURL.Scheme == "https"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		if id := r.Header[requestID]; len(id) > 0 && id[0] != "" {
			h[requestID] = id[:1]
		} else {
			h[requestID] = []string{observe.RequestOf(r.Context())}
		}
		h["Cache-Control"], h["X-Content-Type-Options"], h["Content-Security-Policy"] = noStore, noSniff, noFrame
		if encrypted {
			h["Strict-Transport-Security"] = strict
		}
		next.ServeHTTP(w, r)
	})
}

// asker is a program that has shown its token, with the name of its request.
type asker struct {
	*program.Caller
	request string
}

// answerer adds the answer to a body to out.
type answerer func(ctx context.Context, by asker, body, out []byte) ([]byte, error)

// exchange holds what one request and its answer take; most fit in what another has left.
type exchange struct{ body, out []byte }

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// kept is the size in bytes of the biggest buffer that is worth keeping.
const kept = 256 << 10

// ask lets programs in that show their token, and answers them.
func (d *Door) ask(answer answerer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), d.Timeout)
		defer cancel()
		by, err := d.admit(r)
		if err != nil {
			d.refuse(w, r, by, err)
			return
		}
		x := exchanges.Get().(*exchange)
		defer func() {
			if cap(x.body) <= kept && cap(x.out) <= kept {
				exchanges.Put(x)
			}
		}()
		if x.body, err = read(w, r, x.body[:0]); err == nil {
			x.out, err = answer(ctx, by, x.body, x.out[:0])
		}
		if err != nil {
			d.refuse(w, r, by, err)
			return
		}
		d.send(w, x.out)
	})
}

// admit answers which program asks, or why nobody is answered now.
func (d *Door) admit(r *http.Request) (asker, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return asker{}, errNoToken
	}
	if !d.Programs.Loaded() || !d.Book.Loaded() {
		return asker{}, problem.New(problem.Busy, "problem.busy") // rather than answer from what may have been ended
	}
	caller, ok := d.Programs.Authenticate(strings.TrimSpace(token))
	if !ok {
		return asker{}, errToken
	}
	return asker{caller, requestName(r)}, nil
}

// What keeps a request from being looked at.
var (
	errNoToken = errors.New("a token is needed: Authorization: Bearer …")
	errToken   = errors.New("the token is unknown, ended or revoked")
	errType    = errors.New("the Content-Type must be application/json")
	errSlow    = errors.New("the request did not arrive in time")
	errBroken  = errors.New("the request can not be read to its end")
)

// read takes in the body of a request behind what buffer holds.
func read(w http.ResponseWriter, r *http.Request, buffer []byte) ([]byte, error) {
	if kind := r.Header.Get("Content-Type"); kind != jsonType[0] {
		if kind, _, err := mime.ParseMediaType(kind); err != nil || kind != jsonType[0] {
			return buffer, errType
		}
	}
	body := http.MaxBytesReader(w, r.Body, bodyLimit)
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := body.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		var big *http.MaxBytesError
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return buffer, nil
		case errors.As(err, &big):
			return buffer, err
		case errors.Is(err, os.ErrDeadlineExceeded):
			return buffer, errSlow
		default:
			return buffer, errBroken
		}
	}
}

// requestName is the name under which a request stands in the decision log: the program's own, unless that is too
// long to keep or could tell a citizen ID; then ours.
func requestName(r *http.Request) string {
	name := r.Header.Get(requestID)
	if name == "" || len(name) > 100 || mayBePersonal(name) {
		return observe.RequestOf(r.Context())
	}
	return name
}

// tell answers with what is open to all and changes only with the program or its settings.
func (d *Door) tell(text []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		d.send(w, text)
	})
}

func (d *Door) send(w http.ResponseWriter, body []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	if _, err := w.Write(body); err != nil {
		panic(http.ErrAbortHandler) // the asker has gone; let the connection go too
	}
}

// statusGone is the status that proxies log when a client did not wait for the answer.
const statusGone = 499

// refuse is the one place that answers errors (§10.1.2): a status and a sentence for the programmer. What is no fault
// of the request is logged, and nothing of its text is told.
func (d *Door) refuse(w http.ResponseWriter, r *http.Request, by asker, err error) {
	status, text := http.StatusInternalServerError, ""
	var bad malformed
	var big *http.MaxBytesError
	switch {
	case errors.Is(err, errNoToken):
		status, text = http.StatusUnauthorized, err.Error()
		w.Header().Set("WWW-Authenticate", `Bearer realm="sitthi"`)
	case errors.Is(err, errToken):
		status, text = http.StatusUnauthorized, err.Error()
		w.Header().Set("WWW-Authenticate", `Bearer realm="sitthi", error="invalid_token"`)
	case errors.As(err, &bad), errors.Is(err, errBroken):
		status, text = http.StatusBadRequest, err.Error()
	case errors.As(err, &big):
		status, text = http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is bigger than %d bytes", bodyLimit)
	case errors.Is(err, errType):
		status, text = http.StatusUnsupportedMediaType, err.Error()
	case errors.Is(err, errSlow):
		status, text = http.StatusRequestTimeout, err.Error()
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		status = statusGone // nobody reads it but the metrics
	case errors.Is(err, problem.Busy), errors.Is(err, context.DeadlineExceeded):
		status, text = http.StatusServiceUnavailable, "no answer can be given now: ask again in a moment"
		w.Header().Set("Retry-After", "1")
	default:
		text = "internal error; tell whoever runs this service the reference " + observe.RequestOf(r.Context())
	}
	level := slog.LevelInfo
	attrs := []slog.Attr{slog.String("pattern", r.Pattern), slog.Int("status", status)}
	if by.Caller != nil {
		attrs = append(attrs, slog.String("program", by.ID))
	}
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
		attrs = append(attrs, slog.Any("error", err))
	}
	d.Log.LogAttrs(r.Context(), level, "program not answered", attrs...)
	w.Header()["Content-Type"] = textType
	w.WriteHeader(status)
	if _, err := fmt.Fprintln(w, text); err != nil {
		panic(http.ErrAbortHandler) // as in send
	}
}

func (d *Door) panicked(w http.ResponseWriter, r *http.Request) {
	d.refuse(w, r, asker{}, errors.New("panic"))
}

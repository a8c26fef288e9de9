// Package web is the door for people: the pages and forms of Sitthi in Thai and English.
package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/delivery"
	"sitthi/dossier"
	"sitthi/draft"
	"sitthi/grant"
	"sitthi/helpdesk"
	"sitthi/internal/clock"
	"sitthi/internal/locale"
	"sitthi/internal/observe"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/legacy"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/portal"
	"sitthi/program"
	"sitthi/signin"
)

//go:embed locales
var locales embed.FS

// Options are what the door needs. All are required unless said otherwise.
type Options struct {
	Log     *slog.Logger
	Metrics *observe.Metrics
	Clock   clock.Clock
	Ring    *seal.Ring

	Agencies agency.Desk
	Officers *officer.Desk
	SignIn   *signin.Desk
	Book     *grant.Book
	Portal   portal.Desk
	Outbox   *notify.Outbox
	Delivery delivery.Desk
	Prover   *audit.Prover

	Programs  *program.Desk
	Decisions *program.Log
	Legacy    *legacy.Desk
	Help      *helpdesk.Desk
	Drafts    *draft.Desk
	Dossiers  dossier.Desk

	// Ready tells why the program can not serve yet, or nil.
	Ready func(context.Context) error
	// PublicURL is the address people reach the pages at. Cookies are Secure unless it is http on another machine.
	PublicURL *url.URL
	// Proxies may say on whose behalf they ask (X-Forwarded-For, -Proto, -Host); nobody else is believed.
	Proxies []netip.Prefix
	// LineSecret is the channel secret that webhooks of LINE are signed with; "" takes none in.
	LineSecret string
	// Example is what the examples for programs ask with and about, and people of the demonstration sign in with, where
	// everyone may know it; optional.
	Example Example
	// RequireFactor opens nothing to those whose duty, or password, needs a second factor before they have set one up.
	RequireFactor bool
	// Demo shows the demo band and /demo/outbox.
	Demo bool
	// FormLimit is the size in bytes of the biggest form that is read; 64 KiB when zero.
	FormLimit int64
	// Timeout is how long one request may work; 30 seconds when zero.
	Timeout time.Duration
}

// Example is a token that works, the citizen ID of an officer whom it may ask about, and the key of the app with which people
// of the demonstration give their second factor.
type Example struct{ Token, Officer, Key string }

// Server is the door for people. It is safe for concurrent use.
type Server struct {
	Options
	catalog *locale.Catalog
	static  *static
	secure  bool // cookies only travel encrypted, or within this machine
	mux     *http.ServeMux
	handler http.Handler
}

// New makes a door. It fails when texts or files within the program are not whole.
func New(o Options) (*Server, error) {
	if o.FormLimit == 0 {
		o.FormLimit = 64 << 10
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	s := &Server{Options: o, secure: o.PublicURL.Scheme == "https" || local(o.PublicURL.Hostname())}
	var err error
	if s.catalog, err = Texts(); err != nil {
		return nil, err
	}
	s.catalog.Missing = func(lang locale.Lang, key, arg string) {
		s.Log.Error("text missing", "language", string(lang), "key", key, "argument", arg)
	}
	if s.static, err = newStatic(); err != nil {
		return nil, err
	}
	if s.handler, err = s.assemble(s.Routes()); err != nil {
		return nil, err
	}
	return s, nil
}

// assemble puts the routes, the files and the probes behind what every request goes through.
func (s *Server) assemble(routes []Route) (http.Handler, error) {
	mux := http.NewServeMux()
	s.mux = mux
	for _, route := range routes {
		if err := s.add(mux, route); err != nil {
			return nil, err
		}
	}
	mux.Handle("GET "+staticPath, s.static)
	mux.HandleFunc("GET "+healthPath, s.health)
	mux.HandleFunc("GET "+readyPath, s.limited(s.ready))
	mux.HandleFunc("/", s.limited(s.unrouted(mux)))

	guard := http.NewCrossOriginProtection()
	if err := guard.AddTrustedOrigin(s.PublicURL.Scheme + "://" + s.PublicURL.Host); err != nil {
		return nil, fmt.Errorf("public URL: %w", err)
	}
	guard.SetDenyHandler(http.HandlerFunc(s.foreign))
	watch := observe.Watch{Log: s.Log, Metrics: s.Metrics, Quiet: quiet, Panicked: s.panicked}
	return watch.Handler(s.frame(guard.Handler(mux))), nil
}

// Texts loads the words of the pages in both languages.
func Texts() (*locale.Catalog, error) {
	catalog, err := locale.Load(locales, "locales")
	if err != nil {
		return nil, fmt.Errorf("load texts: %w", err)
	}
	return catalog, nil
}

// Handler answers all requests of the door.
func (s *Server) Handler() http.Handler { return s.handler }

// Access says who may use a route. The acts behind a route check the right again, in their transaction.
type Access string

// The kinds of access.
const (
	Open                   Access = "open"                     // everyone
	SignedIn               Access = "signed-in"                // everyone who has signed in
	HeadOnly               Access = "head"                     // head of a unit (อสจ., ผู้อำนวยการกอง)
	AdministratorOnly      Access = "administrator"            // central administrator (ผู้ดูแลระบบส่วนกลาง)
	AuditorOrAdministrator Access = "auditor-or-administrator" // auditor (ผู้ตรวจสอบ) or central administrator
	AgentOnly              Access = "agent"                    // help-desk agent (เจ้าหน้าที่ช่วยเหลือ)
	AgentOrAdministrator   Access = "agent-or-administrator"   // help-desk agent or central administrator
	DemoOnly               Access = "demo"                     // everyone, and only with --demo; absent otherwise
)

// handler answers one request. It returns an error instead of answering: what is a problem.Problem is told in the
// reader's words, any other error becomes a page with a reference.
type handler func(w http.ResponseWriter, r *http.Request, v *Visit) error

// Route is one address of the door, who may use it, and what answers.
type Route struct {
	Pattern string // of http.ServeMux: method, space, path
	Access  Access
	// StepUp asks for the password again before a POST, unless that was done within five minutes. What was typed
	// into the form is kept meanwhile. Not for forms with a field for a password.
	StepUp bool
	// FormLimit is the size in bytes of the biggest form, where it takes more than the usual one.
	FormLimit int64
	// FormAt is the page with the form, where no page has the address that the form is sent to.
	FormAt string
	// Upload says that the form brings a file, which the handler reads as it arrives, within uploadTime.
	Upload bool
	Handle handler
}

// add makes a route reachable.
func (s *Server) add(mux *http.ServeMux, route Route) error {
	switch route.Access {
	case DemoOnly:
		if !s.Demo {
			return nil
		}
	case Open, SignedIn, HeadOnly, AdministratorOnly, AuditorOrAdministrator, AgentOnly, AgentOrAdministrator:
	default:
		return fmt.Errorf("route %s: access %q is not known", route.Pattern, route.Access)
	}
	mux.Handle(route.Pattern, s.enter(route))
	return nil
}

// enter finds out who asks, lets him through or tells why not, and answers for what the handler returns.
func (s *Server) enter(route Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := s.Timeout
		if route.Upload {
			limit = max(limit, uploadTime)
		}
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		v := s.visit(r)
		r = r.WithContext(withOrigin(ctx, v))
		v.formAt = pathFor(route.FormAt, r)
		err := s.read(w, r, route)
		if err == nil {
			err = s.identify(w, r, v)
		}
		if err == nil {
			err = admit(route, v)
			if errors.Is(err, problem.Denied) {
				err = s.Book.TurnAway(ctx, v.Session.Person, route.Pattern, err)
			}
		}
		if err == nil {
			err = s.termsFirst(w, r, v, route)
		}
		if err == nil {
			err = s.factorFirst(w, r, v, route)
		}
		if err == nil {
			err = s.findKept(r, v)
		}
		if err == nil && route.StepUp && r.Method == http.MethodPost {
			err = s.stepUp(w, r, v)
		}
		if err == nil {
			err = route.Handle(w, r, v)
		}
		if err != nil {
			s.fail(w, r, v, err)
		}
	})
}

// limited bounds how long what is no route may work; enter does so for routes.
func (s *Server) limited(f http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), s.Timeout)
		defer cancel()
		f(w, r.WithContext(ctx))
	}
}

// errAnswered says that a step before the handler has given the answer.
var errAnswered = errors.New("answered")

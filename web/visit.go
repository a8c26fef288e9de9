package web

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/observe"
	"sitthi/internal/problem"
	"sitthi/signin"
	"sitthi/web/views"
)

// Visit is one request as the pages see it: who asks, in which language, and when.
type Visit struct {
	Lang locale.Lang
	// Session is nil for a visitor who has not signed in.
	Session *signin.Session
	// Posts are the authority the person holds now; the zero value for a visitor. They show and hide; the acts
	// check again in their transaction.
	Posts grant.Posts
	// Request is the id of the request, which logs, audit entries and error pages carry.
	Request string
	// Address the request comes from, proxies not counted.
	Address netip.Addr
	// Now is the moment of the request.
	Now time.Time
	// Fragment is what part of the page is wanted: "" for the whole, "grid", "dialog", or "lookup" for who is behind
	// a citizen ID.
	Fragment string

	server      *Server
	path        string             // of the page that a change of language comes back to
	notice      *views.Notice      // what came of the act before, told on this page
	faults      []views.FieldError // what is wrong with the form before, told on the page with the form
	typed       url.Values         // what was typed into it
	sessionOver bool               // the browser brought a session that has ended
	formAt      string             // the page with the form, as the route names it
	kept        *keptForm          // what the page shall be filled with
}

func (s *Server) visit(r *http.Request) *Visit {
	return &Visit{
		Lang: s.language(r), Request: observe.RequestOf(r.Context()), Address: clientOf(r), Now: s.Clock.Now(),
		Fragment: fragmentOf(r), server: s, path: pathOf(r),
	}
}

// fragmentOf reads which part of a page the scripts ask for.
func fragmentOf(r *http.Request) string {
	switch f := r.Header.Get("X-Fragment"); f {
	case "grid", "dialog", "lookup":
		return f
	}
	return ""
}

// pathOf is the address of the page that the reader is on: what a form was sent from is where he can come back to.
func pathOf(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return localPath(r.URL.RequestURI(), "/")
	}
	from, err := url.Parse(r.Referer())
	if err != nil || from.Host != r.Host {
		return "/"
	}
	return localPath(from.RequestURI(), "/")
}

// localPath answers path when it leads to a page of this site, and otherwise the other one. Browsers read a
// backslash as a slash and skip control characters, so neither may be in it.
func localPath(path, otherwise string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || len(path) > 2000 ||
		strings.ContainsFunc(path, func(c rune) bool { return c == '\\' || c < ' ' || c == 0x7f }) {
		return otherwise
	}
	if u, err := url.Parse(path); err != nil || u.Host != "" || u.Scheme != "" {
		return otherwise
	}
	return path
}

// withOrigin notes where a request comes from, for the audit log.
func withOrigin(ctx context.Context, v *Visit) context.Context {
	return audit.WithOrigin(ctx, audit.Origin{Request: v.Request, Address: v.Address.String()})
}

// T returns the text of a key in the reader's language; args are pairs of name and value.
func (v *Visit) T(key string, args ...any) string {
	return v.text(key, problem.Args(args...))
}

// Page starts a page whose title is the text of a key: language, reader, notice and address are filled in, and the
// handler adds the rest.
func (v *Visit) Page(titleKey string, args ...any) views.Page {
	s := v.server
	p := views.Page{
		Lang: v.Lang, Catalog: s.catalog, Title: v.T(titleKey, args...), Path: v.path, Demo: s.Demo,
		Notice: v.notice, AssetVersion: s.static.version,
	}
	if v.Session != nil {
		p.Who = &views.Viewer{
			Name: v.Session.Account.Name(), Head: v.head(), Administrator: v.Posts.Administrator, Auditor: v.Posts.Auditor, Agent: v.Posts.Agent,
		}
	}
	return p
}

func (v *Visit) head() bool { return len(v.Posts.Heads) > 0 }

// Notice makes the news of an act for show or see; args are pairs of name and value.
func (v *Visit) Notice(kind views.NoticeKind, key string, args ...any) *views.Notice {
	return &views.Notice{Kind: kind, Text: v.T(key, args...)}
}

// Problems turns an error that the person can mend into the lines of a form that is shown again. It answers false
// for any other error, which the handler returns.
func (v *Visit) Problems(err error) ([]views.FieldError, bool) {
	var p *problem.Problem
	if !errors.As(err, &p) || p.Kind != problem.Invalid {
		return nil, false
	}
	if len(p.Fields) == 0 {
		return []views.FieldError{{Text: v.text(p.Key, p.Args)}}, true
	}
	list := make([]views.FieldError, len(p.Fields))
	for i, f := range p.Fields {
		list[i] = views.FieldError{Field: f.Name, Text: v.text(f.Key, f.Args)}
	}
	return list, true
}

// Tell is what a problem says in the reader's words: of its first field, if it has any. It is "" for any other error.
func (v *Visit) Tell(err error) string {
	var p *problem.Problem
	switch {
	case !errors.As(err, &p):
		return ""
	case len(p.Fields) > 0:
		return v.text(p.Fields[0].Key, p.Fields[0].Args)
	}
	return v.text(p.Key, p.Args)
}

func (v *Visit) text(key string, args map[string]any) string {
	return v.server.catalog.Text(v.Lang, key, locale.Args(args))
}

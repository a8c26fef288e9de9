package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"sitthi/internal/problem"
	"sitthi/thaid"
	"sitthi/web/views"
)

// ThaIDCallback is the page to which ThaID sends people back, as it is registered there.
const ThaIDCallback = "/officer/thaid/callback"

// thaidRoutes are the sign-in by ThaID, where it is set up.
func (s *Server) thaidRoutes() []Route {
	return []Route{
		{Pattern: "POST /officer/thaid", Access: Open, Handle: s.askThaID},
		{Pattern: "GET " + ThaIDCallback, Access: Open, Handle: s.signInThaID},
		{Pattern: "GET /officer/thaid/unknown", Access: Open, Handle: s.unknownThaID},
	}
}

// askThaID leads the browser to ThaID. The answer is a page that leads on by itself: browsers hold a redirect of a form
// against form-action, which names this site alone, and where ThaID redirects to from there is not known (decision 0029).
func (s *Server) askThaID(w http.ResponseWriter, r *http.Request, v *Visit) error {
	next := nextPage(r.PostForm.Get("next"))
	address, err := s.SignIn.AskThaID(r.Context(), s.browser(w, r), next)
	if err != nil {
		return s.thaidFailed(w, r, v, next, err)
	}
	p := v.Page("officer.thaid_go")
	p.Narrow = true
	w.Header().Set("Refresh", "0; url="+address)
	return s.show(w, r, v, http.StatusOK, p, views.ThaIDGo(p, address))
}

// signInThaID takes the answer of ThaID. It is the one GET that does something: ThaID can come back in no other way. What it
// does was asked for by a form of this browser, and it does it once (decision 0029).
func (s *Server) signInThaID(w http.ResponseWriter, r *http.Request, v *Visit) error {
	q := r.URL.Query()
	answer := thaid.Answer{State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error"), Issuer: q.Get("iss")}
	opened, next, err := s.SignIn.SignInThaID(r.Context(), answer, s.comes(r, v))
	if errors.Is(err, problem.Locked) {
		return s.lockedOut(w, r, v, opened)
	}
	if err != nil {
		return s.thaidFailed(w, r, v, next, err)
	}
	return s.opened(w, r, v, opened, next)
}

// otherWays are the problems whose advice is to sign in in another way, which is none for who is signed in.
var otherWays = []string{
	"signin.problem.thaid_away", "signin.problem.thaid_refused", "signin.problem.thaid_unproved", "signin.problem.thaid_over", "signin.problem.thaid_browser",
}

// thaidFailed leads back to the sign-in, which tells what happened and holds the way in by password; who is signed in
// comes back to where he was. The answer of ThaID stands in no address any more.
func (s *Server) thaidFailed(w http.ResponseWriter, r *http.Request, v *Visit, next string, err error) error {
	var p *problem.Problem
	if !errors.As(err, &p) {
		return err
	}
	switch p.Key {
	case "signin.problem.thaid_none":
		return err
	case "signin.problem.thaid_nobody":
		return s.see(w, r, v, "/officer/thaid/unknown", nil)
	}
	text, advice := v.Tell(err), p.Key+nextSuffix
	if v.Session != nil && slices.Contains(otherWays, p.Key) {
		advice = "officer.thaid_stays"
	}
	if s.catalog.Has(advice) {
		text += " " + v.T(advice)
	}
	if v.Session != nil {
		return s.see(w, r, v, nextPage(next), &views.Notice{Kind: views.NoticeError, Text: text})
	}
	path := "/officer/login?" + url.Values{"next": {nextPage(next)}}.Encode()
	return s.see(w, r, v, path, &views.Notice{Kind: views.NoticeWarn, Text: text})
}

// unknownThaID tells who has proved himself, and has no account, how to come by one.
func (s *Server) unknownThaID(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if !s.SignIn.ThaID() {
		return problem.New(problem.NotFound, "signin.problem.thaid_none")
	}
	p := v.Page("officer.thaid_unknown")
	p.Narrow = true
	return s.show(w, r, v, http.StatusOK, p, views.ThaIDUnknown(p))
}

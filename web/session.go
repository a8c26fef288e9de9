package web

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/signin"
	"sitthi/web/views"
)

// The cookies of the door. None can be read by scripts.
const (
	sessionCookie  = "session"  // token of the session
	deviceCookie   = "device"   // token of a browser that someone has signed in from
	browserCookie  = "browser"  // binds a flow such as a registration to its browser
	languageCookie = "language" // th or en
	noticeCookie   = "notice"   // what came of the last act, sealed
	whoseCookie    = "whose"    // who was signed in last, sealed
)

// lasting is how long a cookie lives that outlives the window.
const lasting = 400 * 24 * time.Hour // the most that Chromium keeps

// cookieName puts the prefix before a name that makes browsers refuse it from other hosts and over plain HTTP.
func (s *Server) cookieName(name string) string {
	if s.secure {
		return "__Host-sitthi-" + name
	}
	return "sitthi-" + name
}

// cookie reads a cookie; "" when there is none.
func (s *Server) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(s.cookieName(name))
	if err != nil { // the only error is that there is none
		return ""
	}
	return c.Value
}

// setCookie gives the browser a cookie that lives as long as said, or, when that is 0, until the browser is closed.
func (s *Server) setCookie(w http.ResponseWriter, name, value string, lives time.Duration) {
	s.writeCookie(w, name, value, int(lives.Seconds()))
}

// dropCookie takes a cookie away.
func (s *Server) dropCookie(w http.ResponseWriter, name string) { s.writeCookie(w, name, "", -1) }

func (s *Server) writeCookie(w http.ResponseWriter, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: maxAge,
		Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// browser answers the secret that binds flows to this browser, and gives it one when it has none.
func (s *Server) browser(w http.ResponseWriter, r *http.Request) string {
	token := s.cookie(r, browserCookie)
	if token == "" {
		token = seal.Token()
		s.setCookie(w, browserCookie, token, 0)
		r.AddCookie(&http.Cookie{Name: s.cookieName(browserCookie), Value: token}) // who asks again in this request gets the same
	}
	return token
}

// identify finds out who has signed in, and what news the browser brings along for the page.
func (s *Server) identify(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if err := s.findSession(w, r, v); err != nil {
		return err
	}
	if v.Fragment == "" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		s.takeNotice(r, v)
	}
	return nil
}

// findSession finds the session that the browser brings. One that is over is forgotten, and the person is told so
// when she is asked to sign in.
func (s *Server) findSession(w http.ResponseWriter, r *http.Request, v *Visit) error {
	token := s.cookie(r, sessionCookie)
	if token == "" {
		return nil
	}
	session, err := s.SignIn.Session(r.Context(), token)
	switch {
	case err == nil:
		v.Session = &session
		v.Posts = s.Book.Posts(session.Person)
		s.rememberWhose(w, r, session.Person)
		if s.cookie(r, languageCookie) == "" {
			v.Lang = session.Account.Language
		}
		return nil
	case errors.Is(err, problem.NotFound), errors.Is(err, problem.Denied), errors.Is(err, problem.Locked):
		s.dropCookie(w, sessionCookie)
		v.sessionOver = true
		return nil
	}
	return fmt.Errorf("find session: %w", err)
}

// signInFirst is the answer to a visitor on a page that is not open to him.
type signInFirst struct{}

func (signInFirst) Error() string { return "not signed in" }

// admit decides whether the visit may use the route. Who may not is told why, and what he can do.
func admit(route Route, v *Visit) error {
	switch {
	case route.Access == Open || route.Access == DemoOnly:
		return nil
	case v.Session == nil:
		return signInFirst{}
	case route.Access == HeadOnly && !v.head():
		return problem.New(problem.Denied, "problem.only_head")
	case route.Access == AdministratorOnly && !v.Posts.Administrator:
		return problem.New(problem.Denied, "problem.only_administrator")
	case route.Access == AuditorOrAdministrator && !v.Posts.Administrator && !v.Posts.Auditor:
		return problem.New(problem.Denied, "problem.only_auditor")
	case route.Access == AgentOnly && !v.Posts.Agent, route.Access == AgentOrAdministrator && !v.Posts.Agent && !v.Posts.Administrator:
		return problem.New(problem.Denied, "problem.only_agent")
	}
	return nil
}

// askSignIn leads a visitor to the sign-in and from there back to where he was going, and a form that he sent with him.
func (s *Server) askSignIn(w http.ResponseWriter, r *http.Request, v *Visit) error {
	next, err := s.keepForm(r, v)
	if err != nil {
		return err
	}
	var notice *views.Notice
	switch {
	case next != "":
		notice = v.Notice(views.NoticeInfo, "web.session_over_kept")
	case v.sessionOver:
		notice = v.Notice(views.NoticeInfo, "web.session_over")
	}
	return s.see(w, r, v, "/officer/login?"+url.Values{"next": {cmp.Or(next, v.path)}}.Encode(), notice)
}

// The fields that carry the proof when it is asked for again before an act: the password or, for who has a second
// factor, that.
const (
	stepUpField     = "stepup_password"
	stepUpCode      = "stepup_code"
	stepUpPasskey   = "stepup_passkey"
	stepUpChallenge = "stepup_passkey_challenge"
	// stepUpBack is the page that asking came in between, for who thinks better of it after a wrong proof, too.
	stepUpBack = "stepup_back"
)

// stepUp asks for the password again, or the second factor of who has one, unless the person has proved herself within
// five minutes. The page that asks holds the whole form that was sent, so nothing typed is lost; it is sent again to the
// same address together with the proof, which is taken out before the act sees the form. On success the session has a
// new token.
func (s *Server) stepUp(w http.ResponseWriter, r *http.Request, v *Visit) error {
	given, answered := url.Values{}, false
	for _, name := range []string{stepUpField, stepUpCode, stepUpPasskey, stepUpChallenge, stepUpBack} {
		if typed, ok := r.PostForm[name]; ok {
			given[name], answered = typed, true
		}
		r.PostForm.Del(name)
		r.Form.Del(name)
	}
	if v.Session.SteppedUp(v.Now) && !answered { // a proof sent twice is answered twice, each time with a new token
		return s.SignIn.Touch(r.Context(), *v.Session)
	}
	if !answered {
		return s.askStepUp(w, r, v, v.path, nil)
	}
	token, err := s.proveAgain(r, *v.Session, given)
	switch {
	case err == nil:
	case errors.Is(err, problem.Invalid), errors.Is(err, problem.Denied):
		field := stepUpField
		if v.Session.Factor {
			field = stepUpCode
		}
		return s.askStepUp(w, r, v, localPath(given.Get(stepUpBack), v.path), []views.FieldError{{Field: field, Text: v.Tell(err)}})
	case errors.Is(err, problem.NotFound):
		return signInFirst{}
	default:
		return err
	}
	s.setCookie(w, sessionCookie, token, 0)
	session, err := s.SignIn.Session(r.Context(), token)
	if err != nil {
		return fmt.Errorf("find session: %w", err)
	}
	v.Session = &session
	return nil
}

// proveAgain takes the proof that was given.
func (s *Server) proveAgain(r *http.Request, session signin.Session, given url.Values) (token string, err error) {
	if !session.Factor {
		return s.SignIn.StepUp(r.Context(), session, given.Get(stepUpField))
	}
	if answer, ok := signed(given, stepUpPasskey, stepUpChallenge); ok {
		return s.SignIn.StepUpPasskey(r.Context(), session, s.cookie(r, browserCookie), answer)
	}
	return s.SignIn.StepUpCode(r.Context(), session, given.Get(stepUpCode))
}

func (s *Server) askStepUp(w http.ResponseWriter, r *http.Request, v *Visit, back string, faults []views.FieldError) error {
	form := views.StepUpForm{Action: r.URL.RequestURI(), PasswordField: stepUpField, Back: back, BackField: stepUpBack}
	title := "web.stepup"
	if v.Session.Factor {
		factors, err := s.SignIn.Factors(r.Context(), v.Session.Person)
		if err != nil {
			return err
		}
		form.CodeField, form.Ask = stepUpCode, s.factorsAsked(factors, "stepup", "")
		title = "web.stepup_factor"
	}
	p := v.Page(title)
	p.Path, p.Narrow, p.Problems = back, true, faults
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		for _, value := range r.PostForm[name] {
			form.Fields = append(form.Fields, views.HiddenField{Name: name, Value: value})
		}
	}
	if err := s.show(w, r, v, http.StatusUnprocessableEntity, p, views.StepUp(p, form)); err != nil {
		return err
	}
	return errAnswered
}

// noticeLives is how long a notice waits for the page that tells it.
const noticeLives = time.Minute

// sealedNotice is what is told on the next page: a notice, or what is wrong with a form and what was typed into it.
type sealedNotice struct {
	views.Notice
	Faults []views.FieldError
	Typed  url.Values
	Until  time.Time
}

// noticePlace binds a sealed notice to who may read it: the session or, of a visitor, the browser.
func (v *Visit) noticePlace(browser string) string {
	if v.Session != nil {
		return "web.notice/session/" + v.Session.ID
	}
	return "web.notice/browser/" + browser
}

// leaveNotice gives the browser a notice to bring to the next page. It is sealed: notices name persons, and nobody
// can make the site say what he likes, nor read what it said to another.
func (s *Server) leaveNotice(w http.ResponseWriter, r *http.Request, v *Visit, n sealedNotice) error {
	n.Until = v.Now.Add(noticeLives)
	plain, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("leave notice: %w", err)
	}
	browser := ""
	if v.Session == nil {
		browser = s.browser(w, r)
	}
	sealed := s.Ring.Seal(v.noticePlace(browser), plain)
	s.setCookie(w, noticeCookie, base64.RawURLEncoding.EncodeToString(sealed), noticeLives)
	return nil
}

// takeNotice reads the notice that the browser brought. One that is another's, or is too old, is no notice.
func (s *Server) takeNotice(r *http.Request, v *Visit) {
	sealed, err := base64.RawURLEncoding.DecodeString(s.cookie(r, noticeCookie))
	if err != nil || len(sealed) == 0 {
		return
	}
	plain, err := s.Ring.Open(v.noticePlace(s.cookie(r, browserCookie)), sealed)
	if err != nil {
		return
	}
	var n sealedNotice
	if err := json.Unmarshal(plain, &n); err != nil || v.Now.After(n.Until) {
		return
	}
	if v.faults, v.typed = n.Faults, n.Typed; n.Text != "" {
		v.notice = &n.Notice
	}
}

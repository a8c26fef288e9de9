package web

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"rsc.io/qr"

	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/signin"
	"sitthi/web/views"
)

// securityPath is where an officer sees to his second factor and to the devices that he is signed in on.
const securityPath = "/officer/security"

// securityRoutes are the pages of the second factor (การยืนยันตัวตนขั้นที่สอง): how it is set up, and asked for at sign-in.
func (s *Server) securityRoutes() []Route {
	return []Route{
		{Pattern: "GET " + securityPath, Access: SignedIn, Handle: s.security},
		{Pattern: "POST " + securityPath + "/app", Access: SignedIn, StepUp: true, Handle: s.beginApp},
		{Pattern: "GET " + securityPath + "/app", Access: SignedIn, Handle: s.app},
		{Pattern: "GET " + securityPath + "/app/picture.png", Access: SignedIn, Handle: s.appPicture},
		{Pattern: "POST " + securityPath + "/app/confirm", Access: SignedIn, StepUp: true, Handle: s.confirmApp},
		{Pattern: "GET " + securityPath + "/app/remove", Access: SignedIn, Handle: s.removeAppForm},
		{Pattern: "POST " + securityPath + "/app/remove", Access: SignedIn, StepUp: true, Handle: s.removeApp},
		{Pattern: "POST " + securityPath + "/sessions/others", Access: SignedIn, Handle: s.endOthers},
		{Pattern: "POST " + securityPath + "/devices/forget", Access: SignedIn, Handle: s.forgetDevice},
		{Pattern: "POST " + securityPath + "/codes", Access: SignedIn, StepUp: true, Handle: s.newRecovery},
		{Pattern: "GET /officer/login/factor/{flow}", Access: Open, Handle: s.factorForm},
		{Pattern: "POST /officer/login/factor/{flow}", Access: Open, Handle: s.signInFactor},
	}
}

// factorFirst leads who needs a second factor and has none to where it is set up, before anything opens that is not open
// to everyone (trust.md 1 and 4).
func (s *Server) factorFirst(w http.ResponseWriter, r *http.Request, v *Visit, route Route) error {
	if v.Session == nil || route.Access == Open || route.Access == DemoOnly ||
		strings.HasPrefix(r.URL.Path, securityPath) || strings.HasSuffix(route.Pattern, acceptPath) || !s.guided(v) {
		return nil
	}
	if err := s.see(w, r, v, securityPath, nil); err != nil {
		return err
	}
	return errAnswered
}

// needsFactor reports whether a second factor is compulsory for the person: she gives rights, approves, helps or
// administers, or came with a short password.
func (s *Server) needsFactor(v *Visit) bool {
	return s.RequireFactor && (v.Session.ShortPassword || v.head() || v.Posts.Administrator || v.Posts.Agent ||
		len(s.Book.Where(v.Session.Person, grant.DoApprove)) > 0)
}

// guided reports whether the person has to set up a second factor before anything else opens to her. Who came by ThaID has
// given one.
func (s *Server) guided(v *Visit) bool {
	return !v.Session.Factor && !v.Session.ThaID && s.needsFactor(v)
}

// security shows the second factors of an officer, and where he is signed in; or, when he has none and needs one, the ways
// to get one and nothing else.
func (s *Server) security(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if s.guided(v) {
		p := v.Page("security.first_title")
		p.Subtitle = v.T("security.first_lead")
		p.Narrow = true
		return s.show(w, r, v, http.StatusOK, p, views.FirstFactor(p, v.Session.ShortPassword, s.SignIn.Passkeys()))
	}
	factors, err := s.SignIn.Factors(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	sessions, err := s.SignIn.List(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	devices, err := s.SignIn.Devices(r.Context(), v.Session.Person, s.cookie(r, deviceCookie))
	if err != nil {
		return err
	}
	identity, err := s.Officers.Identity(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	page := views.SecurityPage{Factors: factors, Passkeys: s.SignIn.Passkeys(), Linked: s.SignIn.ThaID() && identity.Proved()}
	for _, o := range sessions {
		page.Sessions = append(page.Sessions, v.sessionRow(o))
	}
	for _, d := range devices {
		page.Devices = append(page.Devices, views.DeviceRow{
			ID: d.ID, Browser: v.browserName(d.Agent), Known: thai.Moment(d.KnownAt), Seen: thai.Moment(d.SeenAt), Here: d.Here,
		})
	}
	p := v.Page("security.title")
	p.Subtitle = v.T("security.lead")
	p.Narrow = true
	return s.show(w, r, v, http.StatusOK, p, views.Security(p, page))
}

func (s *Server) beginApp(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if err := s.SignIn.BeginApp(r.Context(), *v.Session); err != nil {
		return err
	}
	return s.see(w, r, v, securityPath+"/app", nil)
}

// app leads through the setting up of an app, with the picture to be scanned.
func (s *Server) app(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showApp(w, r, v, http.StatusOK, nil)
}

func (s *Server) showApp(w http.ResponseWriter, r *http.Request, v *Visit, status int, faults []views.FieldError) error {
	app, err := s.SignIn.BegunApp(r.Context(), *v.Session)
	if errors.Is(err, problem.NotFound) { // set up already, or left alone for too long
		return s.see(w, r, v, securityPath, nil)
	}
	if err != nil {
		return err
	}
	p := v.Page("security.app_title")
	p.Narrow, p.Problems = true, faults
	p.Crumbs = securityCrumbs(v)
	return s.show(w, r, v, status, p, views.AppSetUp(p, spaced(app.Secret), s.guided(v)))
}

func securityCrumbs(v *Visit) []views.Crumb {
	return []views.Crumb{{Label: v.T("security.title"), Href: securityPath}}
}

// spaced puts a blank after every four characters, as people type them.
func spaced(secret string) string {
	var groups []string
	for len(secret) > 4 {
		groups, secret = append(groups, secret[:4]), secret[4:]
	}
	return strings.Join(append(groups, secret), " ")
}

// appPicture is the key as the picture that the app scans.
func (s *Server) appPicture(w http.ResponseWriter, r *http.Request, v *Visit) error {
	app, err := s.SignIn.BegunApp(r.Context(), *v.Session)
	if err != nil {
		return err
	}
	code, err := qr.Encode(app.URL, qr.M)
	if err != nil {
		return fmt.Errorf("draw key of app: %w", err)
	}
	picture := code.PNG()
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Content-Length", strconv.Itoa(len(picture)))
	_, err = bytes.NewReader(picture).WriteTo(w)
	if err != nil {
		return fmt.Errorf("send key of app: %w", err)
	}
	return nil
}

// confirmApp takes the first code. The recovery codes stand in the answer itself: they are shown this once.
func (s *Server) confirmApp(w http.ResponseWriter, r *http.Request, v *Visit) error {
	recovery, err := s.SignIn.ConfirmApp(r.Context(), *v.Session, r.PostForm.Get(signin.FieldCode))
	if errors.Is(err, problem.NotFound) {
		return s.see(w, r, v, securityPath, nil)
	}
	if status, faults, ok := v.mend(w, err); ok {
		return s.showApp(w, r, v, status, faults)
	}
	if err != nil {
		return err
	}
	return s.factorAdded(w, r, v, recovery, "security.app_added")
}

// factorAdded tells that a second factor is there: with the recovery codes, when they are new.
func (s *Server) factorAdded(w http.ResponseWriter, r *http.Request, v *Visit, recovery []string, key string) error {
	if len(recovery) == 0 {
		return s.see(w, r, v, securityPath, v.Notice(views.NoticeOK, key))
	}
	return s.showRecovery(w, r, v, recovery, v.Notice(views.NoticeOK, key))
}

func (s *Server) showRecovery(w http.ResponseWriter, r *http.Request, v *Visit, codes []string, done *views.Notice) error {
	p := v.Page("security.codes_title")
	p.Narrow, p.Notice = true, done
	p.Crumbs, p.Path = securityCrumbs(v), securityPath
	page := views.RecoveryPage{Codes: codes, Name: v.Session.Account.Name(), Made: thai.Moment(v.Now), Guided: s.guided(v), Next: securityPath}
	if page.Guided {
		page.Next = afterSignIn
	}
	return s.show(w, r, v, http.StatusOK, p, views.Recovery(p, page))
}

func (s *Server) removeAppForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	factors, err := s.SignIn.Factors(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	if factors.App.IsZero() {
		return s.see(w, r, v, securityPath, nil)
	}
	return s.showRemove(w, r, v, "security.app_remove_title", views.FactorRemovePage{
		Action: securityPath + "/app/remove", What: v.T("security.app"), Last: len(factors.Passkeys) == 0,
	})
}

// showRemove asks whether a second factor shall go, or tells why the last one can not.
func (s *Server) showRemove(w http.ResponseWriter, r *http.Request, v *Visit, title string, page views.FactorRemovePage) error {
	p := v.Page(title)
	p.Narrow = true
	p.Crumbs = securityCrumbs(v)
	page.Back, page.Needed = securityPath, page.Last && s.needsFactor(v)
	return s.show(w, r, v, http.StatusOK, p, views.FactorRemove(p, page))
}

func (s *Server) removeApp(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if err := s.SignIn.RemoveApp(r.Context(), *v.Session, s.needsFactor(v)); err != nil && !errors.Is(err, problem.NotFound) {
		return err
	}
	return s.see(w, r, v, securityPath, v.Notice(views.NoticeOK, "security.removed"))
}

func (s *Server) newRecovery(w http.ResponseWriter, r *http.Request, v *Visit) error {
	codes, err := s.SignIn.NewRecovery(r.Context(), *v.Session)
	if errors.Is(err, problem.NotFound) {
		return s.see(w, r, v, securityPath, nil)
	}
	if err != nil {
		return err
	}
	return s.showRecovery(w, r, v, codes, v.Notice(views.NoticeOK, "security.codes_made"))
}

// endOthers ends all sessions of the officer but this one.
func (s *Server) endOthers(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if err := s.SignIn.EndOthers(r.Context(), *v.Session); err != nil {
		return err
	}
	return s.see(w, r, v, securityPath+"#sessions", v.Notice(views.NoticeOK, "security.others_ended"))
}

// forgetDevice forgets a browser: it counts as new when the officer signs in from it again.
func (s *Server) forgetDevice(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if err := s.SignIn.ForgetDevice(r.Context(), *v.Session, r.PostForm.Get("device")); err != nil {
		return err
	}
	return s.see(w, r, v, securityPath+"#devices", v.Notice(views.NoticeOK, "security.device_forgotten"))
}

func factorPath(flow, next string) string {
	return "/officer/login/factor/" + flow + "?" + url.Values{"next": {next}}.Encode()
}

// factorForm asks for the second factor of somebody whose password was right.
func (s *Server) factorForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	page := views.FactorPage{Next: nextPage(r.URL.Query().Get("next"))}
	return s.showFactor(w, r, v, http.StatusOK, page, nil)
}

func (s *Server) showFactor(w http.ResponseWriter, r *http.Request, v *Visit, status int, page views.FactorPage, faults []views.FieldError) error {
	factors, err := s.SignIn.FactorsAsked(r.Context(), r.PathValue("flow"), s.cookie(r, browserCookie))
	if err != nil {
		return err
	}
	page.Flow = r.PathValue("flow")
	page.Ask = s.factorsAsked(factors, "factor", page.Flow)
	p := v.Page("security.factor_title")
	p.Subtitle = v.T("security.factor_lead")
	p.Narrow, p.Problems = true, faults
	return s.show(w, r, v, status, p, views.Factor(p, page))
}

// factorsAsked are the ways in which a second factor can be given, for a purpose.
func (s *Server) factorsAsked(f signin.Factors, purpose, of string) views.FactorsAsked {
	return views.FactorsAsked{App: !f.App.IsZero(), Passkey: len(f.Passkeys) > 0 && s.SignIn.Passkeys(), Purpose: purpose, Of: of}
}

// signInFactor takes the second factor and opens the session.
func (s *Server) signInFactor(w http.ResponseWriter, r *http.Request, v *Visit) error {
	page := views.FactorPage{Next: nextPage(r.PostForm.Get("next"))}
	opened, err := s.goOn(r, v)
	if errors.Is(err, problem.Locked) {
		return s.lockedOut(w, r, v, opened)
	}
	if err != nil {
		status, faults, ok := v.mend(w, err)
		if !ok {
			return err
		}
		for i := range faults {
			faults[i].Field = signin.FieldCode
		}
		return s.showFactor(w, r, v, status, page, faults)
	}
	return s.opened(w, r, v, opened, page.Next)
}

func (s *Server) goOn(r *http.Request, v *Visit) (signin.Opened, error) {
	if answer, ok := signed(r.PostForm, passkeyField, challengeField); ok {
		return s.SignIn.SignInFactor(r.Context(), r.PathValue("flow"), answer, s.comes(r, v))
	}
	return s.SignIn.SignInCode(r.Context(), r.PathValue("flow"), r.PostForm.Get(signin.FieldCode), s.comes(r, v))
}

// comes is what a browser brings along to a sign-in.
func (s *Server) comes(r *http.Request, v *Visit) signin.In {
	return signin.In{
		Session: s.cookie(r, sessionCookie), Device: s.cookie(r, deviceCookie), Browser: s.cookie(r, browserCookie),
		Address: v.Address.String(), Agent: r.UserAgent(),
	}
}

// opened gives the browser its session and leads on.
func (s *Server) opened(w http.ResponseWriter, r *http.Request, v *Visit, opened signin.Opened, next string) error {
	s.setCookie(w, sessionCookie, opened.Token, 0)
	s.setCookie(w, deviceCookie, opened.DeviceToken, signin.DeviceLife)
	return s.see(w, r, v, next, nil)
}

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
		{Pattern: "POST " + securityPath + "/codes", Access: SignedIn, StepUp: true, Handle: s.newRecovery},
		{Pattern: "GET /officer/login/factor/{flow}", Access: Open, Handle: s.factorForm},
		{Pattern: "POST /officer/login/factor/{flow}", Access: Open, Handle: s.signInFactor},
	}
}

// security shows the second factors of an officer, and where he is signed in.
func (s *Server) security(w http.ResponseWriter, r *http.Request, v *Visit) error {
	factors, err := s.SignIn.Factors(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	p := v.Page("security.title")
	p.Subtitle = v.T("security.lead")
	p.Narrow = true
	return s.show(w, r, v, http.StatusOK, p, views.Security(p, views.SecurityPage{Factors: factors}))
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
	return s.show(w, r, v, status, p, views.AppSetUp(p, spaced(app.Secret)))
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
	v.Session.Factor = true
	if len(recovery) == 0 {
		return s.see(w, r, v, securityPath, v.Notice(views.NoticeOK, key))
	}
	return s.showRecovery(w, r, v, recovery, v.Notice(views.NoticeOK, key))
}

func (s *Server) showRecovery(w http.ResponseWriter, r *http.Request, v *Visit, codes []string, done *views.Notice) error {
	p := v.Page("security.codes_title")
	p.Narrow, p.Notice = true, done
	p.Crumbs, p.Path = securityCrumbs(v), securityPath
	page := views.RecoveryPage{Codes: codes, Name: v.Session.Account.Name(), Made: thai.Moment(v.Now)}
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
	p := v.Page("security.app_remove_title")
	p.Narrow = true
	p.Crumbs = securityCrumbs(v)
	return s.show(w, r, v, http.StatusOK, p, views.FactorRemove(p, views.FactorRemovePage{
		Action: securityPath + "/app/remove", What: v.T("security.app"), Last: len(factors.Passkeys) == 0, Back: securityPath,
	}))
}

func (s *Server) removeApp(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if err := s.SignIn.RemoveApp(r.Context(), *v.Session); err != nil && !errors.Is(err, problem.NotFound) {
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
	page.Flow, page.Ask = r.PathValue("flow"), factorsAsked(factors)
	p := v.Page("security.factor_title")
	p.Subtitle = v.T("security.factor_lead")
	p.Narrow, p.Problems = true, faults
	return s.show(w, r, v, status, p, views.Factor(p, page))
}

// factorsAsked are the ways in which a second factor can be given.
func factorsAsked(f signin.Factors) views.FactorsAsked {
	return views.FactorsAsked{App: !f.App.IsZero(), Passkey: len(f.Passkeys) > 0}
}

// signInFactor takes the second factor and opens the session.
func (s *Server) signInFactor(w http.ResponseWriter, r *http.Request, v *Visit) error {
	page := views.FactorPage{Next: nextPage(r.PostForm.Get("next"))}
	opened, err := s.SignIn.SignInCode(r.Context(), r.PathValue("flow"), r.PostForm.Get(signin.FieldCode), s.comes(r, v))
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

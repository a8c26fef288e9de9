package web

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"sitthi/agency"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/signin"
	"sitthi/web/views"
)

// officerRoutes are the pages on which officers register, sign in and out, and see to their own account.
func (s *Server) officerRoutes() []Route {
	return []Route{
		{Pattern: "GET /officer/register", Access: Open, Handle: s.registerForm},
		{Pattern: "POST /officer/register", Access: Open, Handle: s.register},
		{Pattern: "GET /officer/register/{flow}", Access: Open, Handle: s.registration},
		{Pattern: "POST /officer/register/{flow}", Access: Open, Handle: s.proveContact},
		{Pattern: "POST /officer/register/{flow}/resend", Access: Open, Handle: s.resendCode},
		{Pattern: "GET /officer/terms", Access: Open, Handle: s.terms},
		{Pattern: "GET /officer/login", Access: Open, Handle: s.signInForm},
		{Pattern: "POST /officer/login", Access: Open, Handle: s.signIn},
		{Pattern: "POST /officer/logout", Access: Open, Handle: s.signOut},
		{Pattern: "GET /officer/profile", Access: SignedIn, Handle: s.profile},
		{Pattern: "POST /officer/profile/language", Access: SignedIn, Handle: s.setLanguage},
		{Pattern: "POST /officer/profile/sessions/end", Access: SignedIn, Handle: s.endSessions},
		{Pattern: "POST /officer/profile/sessions/{session}/end", Access: SignedIn, Handle: s.endSession},
	}
}

// registerForm is the empty form, or that of a registration under way, to be mended.
func (s *Server) registerForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	var form officer.Form
	if flow := r.URL.Query().Get("flow"); flow != "" {
		var err error
		if form, err = s.Officers.Typed(r.Context(), flow, s.cookie(r, browserCookie)); err != nil {
			return err
		}
	}
	return s.showRegister(w, r, v, http.StatusOK, form, nil)
}

func (s *Server) showRegister(w http.ResponseWriter, r *http.Request, v *Visit, status int, form officer.Form, faults []views.FieldError) error {
	offices, err := s.offices(r, v)
	if err != nil {
		return err
	}
	p := v.Page("officer.register")
	p.Narrow, p.Problems = true, faults
	page := views.RegisterPage{Form: form, Offices: offices, Terms: s.Officers.TermsVersion(), AskSure: form.Sure || p.Problem(officer.FieldSure) != ""}
	return s.show(w, r, v, status, p, views.Register(p, page))
}

// offices are the units that an officer can name as his own, as a list to choose from.
func (s *Server) offices(r *http.Request, v *Visit) ([]views.Option, error) {
	units, err := s.Officers.Offices(r.Context())
	options := make([]views.Option, len(units))
	for i, u := range units {
		options[i] = views.Option{Value: u.Code, Label: u.Name.In(v.Lang), Group: v.T(officesOf(u.Kind))}
	}
	return options, err
}

// officesOf answers the heading under which units of a kind stand in the list of offices.
func officesOf(kind string) (key string) {
	switch kind {
	case agency.Province:
		return "officer.offices_province"
	case agency.External:
		return "officer.offices_external"
	}
	return "officer.offices_central"
}

// register takes the form. Its answer is the same whether the citizen ID has an account or not (trust.md 7).
func (s *Server) register(w http.ResponseWriter, r *http.Request, v *Visit) error {
	form := officer.Form{
		CitizenID:     r.PostForm.Get(officer.FieldCitizenID),
		Phone:         r.PostForm.Get(officer.FieldPhone),
		GivenName:     r.PostForm.Get(officer.FieldGivenName),
		FamilyName:    r.PostForm.Get(officer.FieldFamilyName),
		Position:      r.PostForm.Get(officer.FieldPosition),
		Unit:          r.PostForm.Get(officer.FieldUnit),
		Email:         r.PostForm.Get(officer.FieldEmail),
		LineID:        r.PostForm.Get(officer.FieldLineID),
		Password:      r.PostForm.Get(officer.FieldPassword),
		PasswordAgain: r.PostForm.Get(officer.FieldPasswordAgain),
		Terms:         r.PostForm.Get(officer.FieldTerms),
		Sure:          r.PostForm.Get(officer.FieldSure) != "",
		Language:      v.Lang,
	}
	flow, err := s.Officers.Start(r.Context(), form, s.browser(w, r))
	if err == nil {
		return s.see(w, r, v, "/officer/register/"+flow.ID, nil)
	}
	status, faults, ok := v.mend(w, err)
	if !ok {
		return err
	}
	if form.Password != "" && !faultIn(faults, officer.FieldPassword) {
		// Passwords alone are not sent back, and the person is told.
		faults = append(faults, views.FieldError{Field: officer.FieldPassword, Text: v.T("officer.password_once_more")})
	}
	return s.showRegister(w, r, v, status, form, faults)
}

func faultIn(faults []views.FieldError, field string) bool {
	for _, f := range faults {
		if f.Field == field {
			return true
		}
	}
	return false
}

// mend turns an error into the faults of a form that is shown again with what was typed, and the status it is shown
// with: what the person can mend, a refusal, or that she has to wait. It answers false for any other error.
func (v *Visit) mend(w http.ResponseWriter, err error) (status int, faults []views.FieldError, ok bool) {
	if faults, ok := v.Problems(err); ok {
		return http.StatusUnprocessableEntity, faults, true
	}
	var p *problem.Problem
	if !errors.As(err, &p) {
		return 0, nil, false
	}
	switch p.Kind {
	case problem.Denied:
		status = http.StatusUnprocessableEntity
	case problem.Busy:
		status = http.StatusServiceUnavailable
		if p.TooMany {
			status = http.StatusTooManyRequests
		}
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(p.RetryAfter.Seconds())))))
	default:
		return 0, nil, false
	}
	return status, []views.FieldError{{Text: v.Tell(err)}}, true
}

// registration shows where a registration stands.
func (s *Server) registration(w http.ResponseWriter, r *http.Request, v *Visit) error {
	flow, err := s.Officers.Flow(r.Context(), r.PathValue("flow"), s.cookie(r, browserCookie))
	if err != nil {
		return err
	}
	return s.showRegistration(w, r, v, http.StatusOK, views.CodePage{Flow: flow}, nil)
}

func (s *Server) showRegistration(w http.ResponseWriter, r *http.Request, v *Visit, status int, page views.CodePage, faults []views.FieldError) error {
	p := v.Page("officer.title_" + string(page.Flow.Step))
	p.Narrow, p.Problems = true, faults
	if page.Flow.Finished() {
		return s.show(w, r, v, status, p, views.RegisterEnd(p, page.Flow.Step))
	}
	return s.show(w, r, v, status, p, views.Code(p, page))
}

// proveContact takes the code that was sent to a contact.
func (s *Server) proveContact(w http.ResponseWriter, r *http.Request, v *Visit) error {
	code := r.PostForm.Get(officer.FieldCode)
	flow, err := s.Officers.Prove(r.Context(), r.PathValue("flow"), s.cookie(r, browserCookie),
		officer.Step(r.PostForm.Get("step")), code)
	return s.tookStep(w, r, v, views.CodePage{Flow: flow, Code: code}, nil, err)
}

// resendCode sends another code for the step at hand.
func (s *Server) resendCode(w http.ResponseWriter, r *http.Request, v *Visit) error {
	flow, err := s.Officers.Resend(r.Context(), r.PathValue("flow"), s.cookie(r, browserCookie))
	return s.tookStep(w, r, v, views.CodePage{Flow: flow}, v.Notice(views.NoticeOK, "officer.code_sent_again"), err)
}

// tookStep leads on to where the registration stands now, or shows the step again with what is wrong.
func (s *Server) tookStep(w http.ResponseWriter, r *http.Request, v *Visit, page views.CodePage, done *views.Notice, err error) error {
	id := r.PathValue("flow")
	if err == nil {
		return s.see(w, r, v, "/officer/register/"+id, done)
	}
	status, faults, ok := v.mend(w, err)
	if !ok {
		return err
	}
	flow, lost := s.Officers.Flow(r.Context(), id, s.cookie(r, browserCookie))
	if lost != nil {
		return lost
	}
	if page.Flow.Step != "" && page.Flow.Step != officer.Step(r.PostForm.Get("step")) {
		page.Code = "" // it was right, and the next step has begun
	}
	page.Flow = flow
	return s.showRegistration(w, r, v, status, page, faults)
}

// terms shows the terms that a new officer accepts.
func (s *Server) terms(w http.ResponseWriter, r *http.Request, v *Visit) error {
	sections, err := s.Officers.Terms(v.Lang)
	if err != nil {
		return err
	}
	p := v.Page("officer.terms")
	p.Subtitle = v.T("officer.terms_version", "version", s.Officers.TermsVersion())
	p.Narrow = true
	return s.show(w, r, v, http.StatusOK, p, views.Terms(p, sections))
}

// afterSignIn is where a sign-in leads that was not asked for by another page.
const afterSignIn = "/my/rights"

// signInForm asks who it is; who is signed in already goes on.
func (s *Server) signInForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	next := nextPage(r.URL.Query().Get("next"))
	if v.Session != nil {
		return s.see(w, r, v, next, nil)
	}
	return s.showSignIn(w, r, v, http.StatusOK, views.SignInPage{Next: next}, nil)
}

func (s *Server) showSignIn(w http.ResponseWriter, r *http.Request, v *Visit, status int, page views.SignInPage, faults []views.FieldError) error {
	page.Passkeys = s.SignIn.Passkeys()
	page.ThaID = s.SignIn.ThaID()
	p := v.Page("officer.sign_in")
	p.Subtitle = v.T("officer.sign_in_lead")
	p.Narrow, p.Problems = true, faults
	return s.show(w, r, v, status, p, views.SignIn(p, page))
}

// nextPage is where a sign-in leads: a page of this site, and not the sign-in again.
func nextPage(next string) string {
	next = localPath(next, afterSignIn)
	if strings.HasPrefix(next, "/officer/log") {
		return afterSignIn
	}
	return next
}

// signIn lets an officer in. All failures have one answer, but for that of a disabled account after its password.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request, v *Visit) error {
	page := views.SignInPage{CitizenID: r.PostForm.Get("citizen_id"), Next: nextPage(r.PostForm.Get("next"))}
	in := s.comes(r, v)
	in.CitizenID, in.Password, in.Browser = page.CitizenID, r.PostForm.Get("password"), s.browser(w, r)
	opened, err := s.SignIn.SignIn(r.Context(), in)
	if errors.Is(err, problem.Locked) {
		return s.lockedOut(w, r, v, opened)
	}
	if err != nil {
		status, faults, ok := v.mend(w, err)
		if !ok {
			return err
		}
		return s.showSignIn(w, r, v, status, page, faults)
	}
	if opened.Flow != "" {
		return s.see(w, r, v, factorPath(opened.Flow, page.Next), nil)
	}
	return s.opened(w, r, v, opened, page.Next)
}

// signOut ends the session; who has none any more is signed out already.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if v.Session != nil {
		if err := s.SignIn.SignOut(r.Context(), *v.Session); err != nil && !errors.Is(err, problem.NotFound) {
			return err
		}
	}
	s.dropCookie(w, sessionCookie)
	s.dropCookie(w, whoseCookie)
	v.Session = nil
	return s.see(w, r, v, "/officer/login", v.Notice(views.NoticeOK, "officer.signed_out"))
}

// profile shows an officer his own data.
func (s *Server) profile(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showProfile(w, r, v, http.StatusOK, nil, nil)
}

// showProfile shows the profile, with the choice of channels as it is kept or, when that had faults, as it was sent.
func (s *Server) showProfile(w http.ResponseWriter, r *http.Request, v *Visit, status int, sent []notify.Channel, faults []views.FieldError) error {
	profile, err := s.Officers.Profile(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	identity, err := s.Officers.Identity(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	p := v.Page("officer.profile")
	p.Narrow, p.Problems = true, faults
	page := views.ProfilePage{
		Profile: profile, Factor: v.Session.Factor, Identity: identity, ThaID: s.SignIn.ThaID(), Notices: v.noticeOptions(profile.Account),
	}
	ways := profile.Account.Ways()
	if len(faults) > 0 {
		ways = sent
	}
	for _, c := range ways {
		page.Ways = append(page.Ways, string(c))
	}
	return s.show(w, r, v, status, p, views.Profile(p, page))
}

// sessionRow is a session as the list shows it.
func (v *Visit) sessionRow(o signin.Session) views.SessionRow {
	return views.SessionRow{
		ID: o.ID, Browser: v.browserName(o.Agent), Address: o.Address, Opened: thai.Moment(o.CreatedAt),
		Seen: thai.Moment(o.SeenAt), Here: o.ID == v.Session.ID,
	}
}

// browserName says in words which browser and which kind of machine a session is in. Browsers name each other in
// their own names, so the order counts.
func (v *Visit) browserName(agent string) string {
	first := func(pairs ...string) string {
		for i := 0; i < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	browser := first("Edg", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "FxiOS/", "Firefox", "Line/", "LINE",
		"CriOS/", "Chrome", "Chrome/", "Chrome", "Safari/", "Safari")
	machine := first("Windows", "Windows", "Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Mac OS", "macOS",
		"CrOS", "ChromeOS", "Linux", "Linux")
	switch {
	case browser == "":
		return v.T("officer.browser_unknown")
	case machine == "":
		return browser
	}
	return v.T("officer.browser_on", "browser", browser, "machine", machine)
}

// setLanguage keeps the language of the officer's messages, and shows the pages in it.
func (s *Server) setLanguage(w http.ResponseWriter, r *http.Request, v *Visit) error {
	lang := locale.Parse(r.PostForm.Get("lang"))
	if err := s.Officers.SetLanguage(r.Context(), v.Session.Person, lang); err != nil {
		return err
	}
	s.setCookie(w, languageCookie, string(lang), lasting)
	v.Lang = lang
	return s.see(w, r, v, "/officer/profile", v.Notice(views.NoticeOK, "officer.language_saved"))
}

// endSession ends one of the officer's sessions in another browser.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request, v *Visit) error {
	err := s.SignIn.End(r.Context(), v.Session.Person, r.PathValue("session"))
	if err != nil {
		return err
	}
	return s.see(w, r, v, securityPath+"#sessions", v.Notice(views.NoticeOK, "officer.session_ended"))
}

// endSessions ends all sessions of the officer, this one too.
func (s *Server) endSessions(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if err := s.SignIn.EndEverywhere(r.Context(), v.Session.Person); err != nil {
		return err
	}
	s.dropCookie(w, sessionCookie)
	v.Session = nil
	return s.see(w, r, v, "/officer/login", v.Notice(views.NoticeOK, "officer.sessions_ended"))
}

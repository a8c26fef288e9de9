package web

import (
	"net/http"
	"net/url"

	"sitthi/notify"
	"sitthi/signin"
	"sitthi/web/views"
)

// activationPath is the way back in of officers whose accounts locked for want of a sign-in.
const activationPath = "/officer/activate/"

// activationRoutes are the way of a locked officer back in (กรณีขอ "Active User", section 3 of the manual). It begins with a
// right password at the sign-in; nobody else comes to these pages.
func (s *Server) activationRoutes() []Route {
	return []Route{
		{Pattern: "GET " + activationPath + "{flow}", Access: Open, Handle: s.activation},
		{Pattern: "POST " + activationPath + "{flow}/send", Access: Open, Handle: s.sendActivation},
		{Pattern: "POST " + activationPath + "{flow}/code", Access: Open, Handle: s.proveActivation},
	}
}

// lockedOut leads who has proved who he is, and is locked, to his way back in.
func (s *Server) lockedOut(w http.ResponseWriter, r *http.Request, v *Visit, opened signin.Opened) error {
	return s.see(w, r, v, activationPath+opened.Activation, nil)
}

// activation shows where a way back in stands.
func (s *Server) activation(w http.ResponseWriter, r *http.Request, v *Visit) error {
	a, err := s.SignIn.Activation(r.Context(), r.PathValue("flow"), s.cookie(r, browserCookie))
	if err != nil {
		return err
	}
	page := views.ActivationPage{
		Activation: a, Again: r.URL.Query().Has("again"), Chosen: v.typed.Get(signin.FieldChannel), Code: v.typed.Get(signin.FieldCode),
	}
	title := "activation.title"
	switch page.Step() {
	case signin.ActivationAsked, signin.ActivationConfirmed, signin.ActivationRefused:
		title = "activation.title_" + string(page.Step())
	}
	p := v.Page(title)
	if title == "activation.title" {
		p.Subtitle = v.T("activation.lead", "n", s.SignIn.LockDays())
	}
	p.Narrow, p.Problems = true, v.faults
	return s.show(w, r, v, http.StatusOK, p, views.ActivationStep(p, page))
}

// sendActivation sends a code to a contact on file, the first time or again.
func (s *Server) sendActivation(w http.ResponseWriter, r *http.Request, v *Visit) error {
	chosen := r.PostForm.Get(signin.FieldChannel)
	_, err := s.SignIn.SendActivation(r.Context(), r.PathValue("flow"), s.cookie(r, browserCookie), notify.Channel(chosen))
	var done *views.Notice
	if r.PostForm.Has("resend") {
		done = v.Notice(views.NoticeOK, "activation.sent_again")
	}
	return s.activationOn(w, r, v, url.Values{signin.FieldChannel: {chosen}}, done, err)
}

// proveActivation takes the code; with the right one the officer's chief is asked.
func (s *Server) proveActivation(w http.ResponseWriter, r *http.Request, v *Visit) error {
	code := r.PostForm.Get(signin.FieldCode)
	_, err := s.SignIn.ProveActivation(r.Context(), r.PathValue("flow"), s.cookie(r, browserCookie), code)
	return s.activationOn(w, r, v, url.Values{signin.FieldCode: {code}}, nil, err)
}

// activationOn leads on to where the way back in stands now, or back to the step with what is wrong and what was typed.
func (s *Server) activationOn(w http.ResponseWriter, r *http.Request, v *Visit, typed url.Values, done *views.Notice, err error) error {
	path := activationPath + r.PathValue("flow")
	if err == nil {
		return s.see(w, r, v, path, done)
	}
	_, faults, ok := v.mend(w, err)
	if !ok {
		return err
	}
	if typed.Has(signin.FieldChannel) && !r.PostForm.Has("resend") {
		path += "?again"
	}
	return s.seeAgain(w, r, v, path, faults, typed)
}

package web

import (
	"net/http"
	"net/url"

	"sitthi/notify"
	"sitthi/signin"
	"sitthi/web/views"
)

// resetRoutes are the way to a new password for who forgot his (กรณีลืมรหัสผ่าน, section 2.1 of the manual). What is
// answered before the right code is the same whether or not a citizen ID has an account (trust.md, P5).
func (s *Server) resetRoutes() []Route {
	return []Route{
		{Pattern: "GET /officer/passreset", Access: Open, Handle: s.resetForm},
		{Pattern: "POST /officer/passreset", Access: Open, Handle: s.startReset},
		{Pattern: "GET /officer/passreset/{flow}", Access: Open, Handle: s.resetStep},
		{Pattern: "POST /officer/passreset/{flow}/send", Access: Open, Handle: s.sendReset},
		{Pattern: "POST /officer/passreset/{flow}/code", Access: Open, Handle: s.proveReset},
		{Pattern: "POST /officer/passreset/{flow}/factor", Access: Open, Handle: s.proveResetFactor},
		{Pattern: "POST /officer/passreset/{flow}/password", Access: Open, Handle: s.finishReset},
	}
}

func (s *Server) resetForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	p := v.Page("reset.title")
	p.Subtitle = v.T("reset.lead")
	p.Narrow, p.Problems = true, v.faults
	return s.show(w, r, v, http.StatusOK, p, views.ResetStart(p, v.typed.Get("citizen_id")))
}

func (s *Server) startReset(w http.ResponseWriter, r *http.Request, v *Visit) error {
	typed := r.PostForm.Get("citizen_id")
	reset, err := s.SignIn.StartReset(r.Context(), typed, s.browser(w, r), v.Lang)
	if err == nil {
		return s.see(w, r, v, "/officer/passreset/"+reset.ID, nil)
	}
	_, faults, ok := v.mend(w, err)
	if !ok {
		return err
	}
	return s.seeAgain(w, r, v, "/officer/passreset", faults, url.Values{"citizen_id": {typed}})
}

// resetStep shows where a reset stands.
func (s *Server) resetStep(w http.ResponseWriter, r *http.Request, v *Visit) error {
	reset, err := s.SignIn.Reset(r.Context(), r.PathValue("flow"), s.cookie(r, browserCookie))
	if err != nil {
		return err
	}
	page := views.ResetPage{Reset: reset, Again: r.URL.Query().Has("again"), Channel: v.typed.Get(signin.FieldChannel), Code: v.typed.Get(signin.FieldCode)}
	if page.Step() == signin.ResetFactor {
		factors, err := s.SignIn.FactorsOfReset(r.Context(), page.Reset.ID, s.cookie(r, browserCookie))
		if err != nil {
			return err
		}
		page.Ask = s.factorsAsked(factors, "reset", page.Reset.ID)
		for i := range v.faults { // of the one field there
			v.faults[i].Field = signin.FieldCode
		}
	}
	p := v.Page("reset.title_" + string(page.Step()))
	p.Narrow, p.Problems = true, v.faults
	return s.show(w, r, v, http.StatusOK, p, views.Reset(p, page))
}

// sendReset sends a code by the contact chosen, the first time or again.
func (s *Server) sendReset(w http.ResponseWriter, r *http.Request, v *Visit) error {
	chosen := r.PostForm.Get(signin.FieldChannel)
	_, err := s.SignIn.SendReset(r.Context(), r.PathValue("flow"), s.cookie(r, browserCookie), notify.Channel(chosen))
	var done *views.Notice
	if r.PostForm.Has("resend") {
		done = v.Notice(views.NoticeOK, "reset.sent_again")
	}
	return s.resetOn(w, r, v, url.Values{signin.FieldChannel: {chosen}}, done, err)
}

// proveReset takes the code.
func (s *Server) proveReset(w http.ResponseWriter, r *http.Request, v *Visit) error {
	code := r.PostForm.Get(signin.FieldCode)
	_, err := s.SignIn.ProveReset(r.Context(), r.PathValue("flow"), s.cookie(r, browserCookie), code)
	return s.resetOn(w, r, v, url.Values{signin.FieldCode: {code}}, nil, err)
}

// proveResetFactor takes the second factor of who has one.
func (s *Server) proveResetFactor(w http.ResponseWriter, r *http.Request, v *Visit) error {
	flow, browser := r.PathValue("flow"), s.cookie(r, browserCookie)
	var err error
	if answer, ok := signed(r.PostForm, passkeyField, challengeField); ok {
		_, err = s.SignIn.ProveResetPasskey(r.Context(), flow, browser, answer)
	} else {
		_, err = s.SignIn.ProveResetCode(r.Context(), flow, browser, r.PostForm.Get(signin.FieldCode))
	}
	return s.resetOn(w, r, v, nil, nil, err)
}

// finishReset sets the new password.
func (s *Server) finishReset(w http.ResponseWriter, r *http.Request, v *Visit) error {
	_, err := s.SignIn.FinishReset(r.Context(), r.PathValue("flow"), s.cookie(r, browserCookie),
		r.PostForm.Get(signin.FieldPassword), r.PostForm.Get(signin.FieldPasswordAgain))
	if err == nil {
		s.dropCookie(w, sessionCookie) // it ended with all the others
		v.Session = nil
	}
	return s.resetOn(w, r, v, nil, nil, err)
}

// resetOn leads on to where the reset stands now, or back to the step with what is wrong and what was typed.
func (s *Server) resetOn(w http.ResponseWriter, r *http.Request, v *Visit, typed url.Values, done *views.Notice, err error) error {
	path := "/officer/passreset/" + r.PathValue("flow")
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

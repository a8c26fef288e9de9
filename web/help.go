package web

import (
	"errors"
	"io"
	"net/http"

	"sitthi/helpdesk"
	"sitthi/internal/problem"
	"sitthi/notify"
	"sitthi/web/views"
)

const helpPath = "/officer/help"

// helpRoutes are where people ask for help who can not get in (sections 2.2 and 3 of the manual), and see how it stands.
// Nothing of what they see depends on whether there is an account (trust.md, P5).
func (s *Server) helpRoutes() []Route {
	return []Route{
		{Pattern: "GET " + helpPath, Access: Open, Handle: s.helpForm},
		{Pattern: "POST " + helpPath, Access: Open, Handle: s.sendHelp},
		{Pattern: "GET " + helpPath + "/status", Access: Open, Handle: s.helpStatusForm},
		{Pattern: "POST " + helpPath + "/status", Access: Open, Handle: s.findHelp},
		{Pattern: "GET " + helpPath + "/{ticket}", Access: Open, Handle: s.helpRequest},
		{Pattern: "POST " + helpPath + "/{ticket}/send", Access: Open, Handle: s.sendHelpCode},
		{Pattern: "POST " + helpPath + "/{ticket}/code", Access: Open, Handle: s.proveHelp},
	}
}

// helpForm shows the form; with the token of a link from LINE it completes what was written there.
func (s *Server) helpForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	f := helpdesk.Form{Kind: r.URL.Query().Get("kind"), Token: r.URL.Query().Get("t")}
	if f.Token != "" {
		pending, err := s.Help.Pending(r.Context(), f.Token)
		if err != nil {
			return err
		}
		f.Kind = string(pending.Kind)
	}
	return s.showHelpForm(w, r, v, http.StatusOK, f, nil)
}

func (s *Server) showHelpForm(w http.ResponseWriter, r *http.Request, v *Visit, status int, f helpdesk.Form, faults []views.FieldError) error {
	offices, err := s.offices(r, v)
	if err != nil {
		return err
	}
	p := v.Page("helpdesk.title")
	p.Subtitle = v.T("helpdesk.lead")
	p.Path, p.Narrow, p.Problems = helpPath, true, faults
	return s.show(w, r, v, status, p, views.HelpForm(p, f, offices))
}

func (s *Server) sendHelp(w http.ResponseWriter, r *http.Request, v *Visit) error {
	form := r.PostForm
	f := helpdesk.Form{
		Kind: form.Get(helpdesk.FieldKind), CitizenID: form.Get(helpdesk.FieldCitizenID), Name: form.Get(helpdesk.FieldName),
		Position: form.Get(helpdesk.FieldPosition), Unit: form.Get(helpdesk.FieldUnit), Phone: form.Get(helpdesk.FieldPhone),
		Email: form.Get(helpdesk.FieldEmail), Token: form.Get("t"), Lang: v.Lang,
	}
	request, err := s.Help.Send(r.Context(), f, s.browser(w, r))
	if err == nil {
		return s.see(w, r, v, helpPath+"/"+request.ID, v.Notice(views.NoticeOK, "helpdesk.sent", "receipt", request.Receipt))
	}
	if errors.Is(err, problem.NotFound) {
		return err
	}
	status, faults, ok := v.mend(w, err)
	if !ok {
		return err
	}
	return s.showHelpForm(w, r, v, status, f, faults)
}

func (s *Server) helpStatusForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showHelpStatus(w, r, v, http.StatusOK, "", "", nil)
}

func (s *Server) showHelpStatus(w http.ResponseWriter, r *http.Request, v *Visit, status int, receipt, contact string, faults []views.FieldError) error {
	p := v.Page("helpdesk.status_title")
	p.Subtitle = v.T("helpdesk.status_lead")
	p.Narrow, p.Problems = true, faults
	return s.show(w, r, v, status, p, views.HelpStatus(p, receipt, contact))
}

func (s *Server) findHelp(w http.ResponseWriter, r *http.Request, v *Visit) error {
	receipt, contact := r.PostForm.Get(helpdesk.FieldReceipt), r.PostForm.Get(helpdesk.FieldContact)
	request, err := s.Help.Find(r.Context(), receipt, contact, s.browser(w, r))
	if err == nil {
		return s.see(w, r, v, helpPath+"/"+request.ID, nil)
	}
	status, faults, ok := v.mend(w, err)
	if !ok {
		return err
	}
	return s.showHelpStatus(w, r, v, status, receipt, contact, faults)
}

func (s *Server) helpRequest(w http.ResponseWriter, r *http.Request, v *Visit) error {
	request, err := s.Help.Request(r.Context(), r.PathValue("ticket"), s.cookie(r, browserCookie))
	if err != nil {
		return err
	}
	return s.showHelpRequest(w, r, v, http.StatusOK, request, "", nil)
}

func (s *Server) showHelpRequest(w http.ResponseWriter, r *http.Request, v *Visit, status int, request helpdesk.Request, code string, faults []views.FieldError) error {
	p := v.Page("helpdesk.request_title", "receipt", request.Receipt)
	p.Path = helpPath + "/" + request.ID // also where a form of the page was refused
	p.Narrow, p.Problems = true, faults
	return s.show(w, r, v, status, p, views.HelpRequest(p, request, v.moment(request.CreatedAt), code))
}

// helpOn leads on to how a request stands, or shows it with what is wrong.
func (s *Server) helpOn(w http.ResponseWriter, r *http.Request, v *Visit, code string, err error) error {
	id := r.PathValue("ticket")
	if err == nil {
		return s.see(w, r, v, helpPath+"/"+id, nil)
	}
	status, faults, ok := v.mend(w, err)
	if !ok {
		return err
	}
	request, lost := s.Help.Request(r.Context(), id, s.cookie(r, browserCookie))
	if lost != nil {
		return lost
	}
	return s.showHelpRequest(w, r, v, status, request, code, faults)
}

func (s *Server) sendHelpCode(w http.ResponseWriter, r *http.Request, v *Visit) error {
	_, err := s.Help.SendCode(r.Context(), r.PathValue("ticket"), s.cookie(r, browserCookie), notify.Channel(r.PostForm.Get(helpdesk.FieldChannel)))
	return s.helpOn(w, r, v, "", err)
}

func (s *Server) proveHelp(w http.ResponseWriter, r *http.Request, v *Visit) error {
	code := r.PostForm.Get(helpdesk.FieldCode)
	_, err := s.Help.Prove(r.Context(), r.PathValue("ticket"), s.cookie(r, browserCookie), code)
	return s.helpOn(w, r, v, code, err)
}

// lineRoutes take in what LINE delivers, where that is set up.
func (s *Server) lineRoutes() []Route {
	return []Route{{Pattern: "POST /line/webhook", Access: Open, Upload: true, Handle: s.lineWebhook}}
}

// lineWebhook takes a webhook in whose signature is right. It answers in bare words, for no person reads them.
func (s *Server) lineWebhook(w http.ResponseWriter, r *http.Request, _ *Visit) error {
	if s.LineSecret == "" {
		return problem.New(problem.NotFound, "problem.notfound")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, helpdesk.LineBody))
	if err != nil {
		s.plain(w, http.StatusRequestEntityTooLarge, "too big, or cut short")
		return nil
	}
	if !helpdesk.LineSigned(s.LineSecret, body, r.Header.Get("X-Line-Signature")) {
		s.plain(w, http.StatusUnauthorized, "wrong signature")
		return nil
	}
	events, err := helpdesk.ReadLine(body)
	if err != nil {
		s.plain(w, http.StatusBadRequest, "not a webhook")
		return nil
	}
	if err := s.Help.TakeLine(r.Context(), events); err != nil {
		return err
	}
	s.plain(w, http.StatusOK, "ok")
	return nil
}

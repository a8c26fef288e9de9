package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/person"
	"sitthi/web/views"
)

// currentHeads lists who heads a unit or is appointed to, for choosing from.
func (s *Server) currentHeads(r *http.Request, v *Visit) ([]grant.Held, error) {
	all, err := s.Book.Appointments(r.Context(), v.Session.Person, grant.AppointmentFilter{Post: grant.Head})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all.List, func(h grant.Held) bool { return h.ConfirmedAt.IsZero() || !live(h.Appointment, v.Now) }), nil
}

func (s *Server) headRightForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showHeadRight(w, r, v, http.StatusOK, url.Values{"appointment": {r.URL.Query().Get("appointment")}, "form": {newForm()}}, nil)
}

func (s *Server) showHeadRight(w http.ResponseWriter, r *http.Request, v *Visit, status int, typed url.Values, problems []views.FieldError) error {
	heads, err := s.currentHeads(r, v)
	if err != nil {
		return err
	}
	p := v.Page("appoint.right_title")
	p.Crumbs = appointCrumbs(v, toAppointments(v))
	p.Narrow, p.Problems = true, problems
	f := views.HeadRightForm{
		Back: appointmentsPath, Form: typed.Get("form"), Appointment: typed.Get("appointment"), Level: typed.Get("level"), From: typed.Get("from"),
		LastDay: typed.Get("last_day"), Order: typed.Get("order_number"), Note: typed.Get("note"), Ticked: typed.Get("other_office") != "",
	}
	f.AskOther = f.Ticked || p.Problem("other_office") != ""
	for _, h := range heads {
		label := h.Name
		if h.Kind == grant.Acting {
			label = v.T("appoint.acting_name", "who", h.Name)
		}
		f.Heads = append(f.Heads, views.Option{Value: h.ID, Label: label, Group: h.UnitName.In(v.Lang)})
	}
	for _, row := range grant.Levels {
		f.Levels = append(f.Levels, views.Option{Value: row.Code, Label: levelName(v, row.Level)})
	}
	return s.show(w, r, v, status, p, views.HeadRight(p, f))
}

// readHeadRight reads the form of a right for a head; the head is chosen by his appointment, which names the unit too.
func (s *Server) readHeadRight(r *http.Request, v *Visit) (grant.Order, error) {
	heads, err := s.currentHeads(r, v)
	if err != nil {
		return grant.Order{}, err
	}
	form := r.PostForm
	o := grant.Order{Form: form.Get("form"), OtherOffice: form.Get("other_office") != ""}
	var check problem.Check
	if i := slices.IndexFunc(heads, func(h grant.Held) bool { return h.ID == form.Get("appointment") }); i >= 0 {
		o.Unit, o.Person = heads[i].Unit, heads[i].Person
	} else {
		check.Fail("appointment", "appoint.head_missing")
	}
	if row, ok := grant.LevelOf(form.Get("level")); ok {
		o.Level = row.Level
	} else {
		check.Fail("level", "appoint.level_missing")
	}
	o.From = readDate(&check, "from", form.Get("from"))
	o.LastDay = readDate(&check, "last_day", form.Get("last_day"))
	o.OrderNumber = readLine(&check, "order_number", form.Get("order_number"), 100)
	o.Note = readLine(&check, "note", form.Get("note"), 500)
	return o, check.Err()
}

func (s *Server) proposeHeadRight(w http.ResponseWriter, r *http.Request, v *Visit) error {
	o, err := s.readHeadRight(r, v)
	var g grant.Grant
	if err == nil {
		g, err = s.Book.Give(r.Context(), v.Session.Person, o)
	}
	if lines, ok := v.Problems(err); ok {
		for i := range lines {
			if lines[i].Field == "unit" || lines[i].Field == "citizen" { // both are chosen with the head
				lines[i].Field = "appointment"
			}
		}
		return s.showHeadRight(w, r, v, http.StatusUnprocessableEntity, r.PostForm, lines)
	}
	if isConflict(err) || errors.Is(err, problem.Denied) { // there is one already; he is you, or head no longer
		status := http.StatusConflict
		if !isConflict(err) {
			status = http.StatusForbidden
		}
		return s.showHeadRight(w, r, v, status, r.PostForm, []views.FieldError{{Field: "appointment", Text: v.Tell(err)}})
	}
	if err != nil {
		return err
	}
	names, err := s.Book.Names(r.Context(), v.Session.Person, []person.ID{g.Person})
	if err != nil {
		return err
	}
	return s.see(w, r, v, appointmentsPath, v.Notice(views.NoticeOK, "appoint.right_proposed", "who", names[g.Person], "level", g.Level.Row().Name))
}

func (s *Server) seeHeadRight(w http.ResponseWriter, r *http.Request, v *Visit) error {
	g, err := s.sight(r, v)
	if err != nil {
		return err
	}
	return s.showHeadRightOf(w, r, v, http.StatusOK, g, nil)
}

// headRightSummary says what a right proposed for a head is.
func headRightSummary(v *Visit, g grant.Sight) []views.SummaryRow {
	rows := summaryOf(v, g)
	if g.OrderNumber != "" {
		rows = append(rows, views.SummaryRow{Term: v.T("appoint.order"), Value: g.OrderNumber})
	}
	if g.Note != "" {
		rows = append(rows, views.SummaryRow{Term: v.T("appoint.note"), Value: g.Note})
	}
	return append(rows, views.SummaryRow{Term: v.T("appoint.by"), Value: g.Names[g.GivenBy]})
}

// showHeadRightOf shows a right proposed for a head, to confirm or decline.
func (s *Server) showHeadRightOf(w http.ResponseWriter, r *http.Request, v *Visit, status int, g grant.Sight, problems []views.FieldError) error {
	p := v.Page("appoint.right_one_title")
	p.Subtitle = v.T("appoint.about", "who", g.Name, "unit", g.UnitName)
	p.Crumbs = appointCrumbs(v, toAppointments(v))
	p.Narrow, p.Problems = true, problems
	body := views.ProposalPage{Summary: headRightSummary(v, g)}
	body.Summary = append(body.Summary, views.SummaryRow{Term: v.T("appoint.state"), Body: views.Badge(stateKinds[g.State], v.T("rights.state_"+string(g.State)))})
	switch {
	case g.State != grant.StateSecond:
		body.Links = []views.ButtonLinkParams{{Label: v.T("rights.see_right"), Href: "/ko1/grants/" + g.ID}}
	case g.GivenBy == v.Session.Person:
		body.Note, body.Text = views.BoxParams{Kind: views.NoticeInfo, Title: v.T("appoint.own_waits")}, v.T("appoint.own_waits_text")
		body.Links = []views.ButtonLinkParams{{Label: v.T("appoint.withdraw"), Href: headRightOf(g.ID) + "/decline", Kind: views.QuietRed, Dialog: true}}
	case g.Person == v.Session.Person:
		body.Note, body.Text = views.BoxParams{Kind: views.NoticeInfo, Title: v.T("appoint.about_you")}, v.T("appoint.denied_self_next")
	default:
		body.Note, body.Text = views.BoxParams{Kind: views.NoticeInfo, Title: v.T("appoint.compare", "who", g.Names[g.GivenBy])}, v.T("appoint.compare_text")
		body.Confirm, body.Label = headRightOf(g.ID)+"/second", v.T("appoint.confirm_right")
		body.Links = []views.ButtonLinkParams{{Label: v.T("appoint.decline"), Href: headRightOf(g.ID) + "/decline", Kind: views.QuietRed, Dialog: true}}
	}
	return s.show(w, r, v, status, p, views.Proposal(p, body))
}

func (s *Server) secondHeadRight(w http.ResponseWriter, r *http.Request, v *Visit) error {
	_, acted := s.Book.Second(r.Context(), v.Session.Person, r.PathValue("grant"), true, "")
	if acted != nil && !isConflict(acted) {
		return acted
	}
	g, err := s.sight(r, v)
	if err != nil {
		return err
	}
	if acted != nil {
		return s.showHeadRightOf(w, r, v, http.StatusConflict, g, []views.FieldError{{Text: v.Tell(acted)}})
	}
	return s.see(w, r, v, appointmentsPath, v.Notice(views.NoticeOK, "appoint.right_confirmed", "who", g.Name, "level", g.Level.Row().Name, "unit", g.UnitName))
}

func (s *Server) declineRightForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	g, err := s.sight(r, v)
	if err != nil {
		return err
	}
	if g.State != grant.StateSecond {
		return s.showHeadRightOf(w, r, v, http.StatusConflict, g, []views.FieldError{{Text: v.T("grant.already_decided")}})
	}
	return s.showDeclineRight(w, r, v, http.StatusOK, g, nil)
}

func (s *Server) showDeclineRight(w http.ResponseWriter, r *http.Request, v *Visit, status int, g grant.Sight, problems []views.FieldError) error {
	title, f := "appoint.decline_title", views.DeclineForm{
		Action: headRightOf(g.ID) + "/decline", Back: appointmentsPath, Summary: headRightSummary(v, g), Reason: r.PostForm.Get("reason"), Required: true,
		Label: v.T("appoint.decline"), Note: views.BoxParams{Title: v.T("appoint.decline_right_note", "who", g.Name)},
	}
	if g.GivenBy == v.Session.Person {
		title, f.Label, f.Note.Title = "appoint.withdraw_title", v.T("appoint.withdraw"), v.T("appoint.withdraw_note")
	}
	p := v.Page(title)
	p.Subtitle = v.T("appoint.about", "who", g.Name, "unit", g.UnitName)
	p.Crumbs = appointCrumbs(v, toAppointments(v))
	p.Narrow, p.Problems = true, problems
	return s.show(w, r, v, status, p, views.Decline(p, f))
}

func (s *Server) declineHeadRight(w http.ResponseWriter, r *http.Request, v *Visit) error {
	var check problem.Check
	reason := readLine(&check, "reason", r.PostForm.Get("reason"), 500)
	acted := check.Err()
	if acted == nil {
		_, acted = s.Book.Second(r.Context(), v.Session.Person, r.PathValue("grant"), false, reason)
	}
	lines, invalid := v.Problems(acted)
	if acted != nil && !invalid && !isConflict(acted) {
		return acted
	}
	g, err := s.sight(r, v)
	switch {
	case err != nil:
		return err
	case invalid:
		return s.showDeclineRight(w, r, v, http.StatusUnprocessableEntity, g, lines)
	case acted != nil:
		return s.showHeadRightOf(w, r, v, http.StatusConflict, g, []views.FieldError{{Text: v.Tell(acted)}})
	}
	key := "appoint.now_refused"
	if g.GivenBy == v.Session.Person {
		key = "appoint.now_withdrawn"
	}
	return s.see(w, r, v, appointmentsPath, v.Notice(views.NoticeOK, key, "who", g.Name))
}

package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/person"
	"sitthi/web/views"
)

// deputies shows a head who heads his units, and what he has proposed.
func (s *Server) deputies(w http.ResponseWriter, r *http.Request, v *Visit) error {
	ended := r.URL.Query().Get("state") == "all"
	all, err := s.Book.Appointments(r.Context(), v.Session.Person, grant.AppointmentFilter{Post: grant.Head, All: ended})
	if err != nil {
		return err
	}
	units, err := s.unitsOfHead(r, v)
	if err != nil {
		return err
	}
	p := v.Page("appoint.deputies_title")
	names := make([]string, len(units))
	for i, u := range units {
		names[i] = headName(v, u)
	}
	p.Subtitle = v.T("appoint.for_head", "who", strings.Join(names, ", "))
	p.Crumbs = rightsCrumbs(v, toRights(v))
	body := views.DeputiesPage{
		Add:   views.ButtonLinkParams{Label: v.T("appoint.deputy_title"), Href: deputiesPath + "/new", Icon: views.IconPlus, Kind: views.Primary, Dialog: true},
		Title: v.T("appoint.heads_here"), Empty: views.EmptyParams{Title: v.T("appoint.none")},
		Other: views.ButtonLinkParams{Label: v.T("appoint.show_ended"), Href: deputiesPath + "?state=all", Icon: views.IconHistory},
	}
	if ended {
		body.Other = views.ButtonLinkParams{Label: v.T("appoint.hide_ended"), Href: deputiesPath, Icon: views.IconHistory}
	}
	for _, h := range all.List {
		if !slices.Contains(all.Heads, h.Unit) {
			continue // an administrator who is head as well sees the others elsewhere
		}
		row := appointmentRow(v, h, units)
		row.New = h.ID == r.URL.Query().Get("saved")
		if h.Own && standing(h.Appointment, v.Now) == standsProposed {
			row.Withdraw = deputiesPath + "/" + url.PathEscape(h.ID) + "/withdraw"
		}
		body.Rows = append(body.Rows, row)
	}
	return s.show(w, r, v, http.StatusOK, p, views.Deputies(p, body))
}

// unitsOfHead lists the units that the reader heads.
func (s *Server) unitsOfHead(r *http.Request, v *Visit) ([]agency.Unit, error) {
	choices, err := s.Book.Choices(r.Context(), v.Session.Person)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(choices.Units, func(u agency.Unit) bool { return !choices.Scope.Manages(u.Code) }), nil
}

func (s *Server) deputyForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showDeputy(w, r, v, http.StatusOK, url.Values{}, nil, nil)
}

func (s *Server) showDeputy(w http.ResponseWriter, r *http.Request, v *Visit, status int, typed url.Values, found *views.FoundPerson, problems []views.FieldError) error {
	units, err := s.unitsOfHead(r, v)
	if err != nil {
		return err
	}
	p := v.Page("appoint.deputy_title")
	p.Subtitle = v.T("appoint.deputy_subtitle")
	p.Crumbs = rightsCrumbs(v, toRights(v), views.Crumb{Label: v.T("appoint.deputies_title"), Href: deputiesPath})
	p.Narrow, p.Problems = true, problems
	f := typedAppointment(typed, deputiesPath)
	f.Found = found
	for _, u := range units {
		f.Units = append(f.Units, views.Option{Value: u.Code, Label: u.Short.In(v.Lang)})
		people, err := s.Book.People(r.Context(), v.Session.Person, u.Code)
		if err != nil {
			return err
		}
		group := ""
		if len(units) > 1 {
			group = u.Short.In(v.Lang)
		}
		for _, one := range people {
			f.People = append(f.People, views.Option{Value: string(one.Person), Label: one.Name + " – " + one.Position, Group: group})
		}
	}
	return s.show(w, r, v, status, p, views.AppointmentNew(p, f))
}

func (s *Server) proposeDeputy(w http.ResponseWriter, r *http.Request, v *Visit) error {
	o, err := readAppointment(r, true)
	var a grant.Appointment
	found, err := attempt(!o.Citizen.IsZero(), err, func() (*views.FoundPerson, error) { return s.appointee(r, v, o) }, func() (err error) {
		a, err = s.Book.Propose(r.Context(), v.Session.Person, o)
		return err
	})
	if lines := askedTooMuch(w, v, err); lines != nil {
		return s.showDeputy(w, r, v, http.StatusTooManyRequests, r.PostForm, nil, lines)
	}
	if status, lines := refused(v, err); lines != nil {
		return s.showDeputy(w, r, v, status, r.PostForm, found, lines)
	}
	if err != nil {
		return err
	}
	notice, err := s.proposed(r, v, a)
	if err != nil {
		return err
	}
	return s.see(w, r, v, deputiesPath+"?"+url.Values{"saved": {a.ID}}.Encode(), notice)
}

func (s *Server) lookUpDeputy(w http.ResponseWriter, r *http.Request, v *Visit) error {
	o, err := readAppointment(r, true)
	return s.answerLookUp(w, r, v, o, func(found *views.FoundPerson) error {
		return s.showDeputy(w, r, v, http.StatusOK, r.PostForm, found, onlyField(v, err, "citizen"))
	})
}

func (s *Server) withdrawDeputy(w http.ResponseWriter, r *http.Request, v *Visit) error {
	a, err := s.Book.DeclineAppointment(r.Context(), v.Session.Person, r.PathValue("appointment"), "")
	if err != nil {
		return err
	}
	names, err := s.Book.Names(r.Context(), v.Session.Person, []person.ID{a.Person})
	if err != nil {
		return err
	}
	return s.see(w, r, v, deputiesPath, v.Notice(views.NoticeOK, "appoint.now_withdrawn", "who", names[a.Person]))
}

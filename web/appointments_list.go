package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/thai"
	"sitthi/person"
	"sitthi/web/views"
)

// appointmentGrid is what the address of the list says, understood: unknown and empty values are gone.
type appointmentGrid struct {
	query      url.Values
	page, size int
}

func readAppointmentGrid(r *http.Request) appointmentGrid {
	asked, g := r.URL.Query(), appointmentGrid{query: url.Values{}, page: 1, size: grant.Sizes[0]}
	keep := func(name string, known ...string) {
		value := strings.TrimSpace(asked.Get(name))
		if value != "" && len(value) <= 200 && (len(known) == 0 || slices.Contains(known, value)) {
			g.query.Set(name, value)
		}
	}
	for _, name := range []string{views.ParamSearch, "name", "unit", "order", "day"} {
		keep(name)
	}
	keep("post", string(grant.Head), string(grant.Administrator), string(grant.Auditor), string(grant.Agent))
	keep("state", append([]string{"all"}, standings...)...)
	keep(views.ParamSort, "name", "-name", "unit", "-unit", "until", "-until")
	if size, err := strconv.Atoi(asked.Get(views.ParamSize)); err == nil && slices.Contains(grant.Sizes, size) && size != grant.Sizes[0] {
		g.size = size
		g.query.Set(views.ParamSize, strconv.Itoa(size))
	}
	if page, err := strconv.Atoi(asked.Get(views.ParamPage)); err == nil && page > 1 {
		g.page = page
	}
	return g
}

// closed tells whether the list is asked for appointments that are over.
func (g appointmentGrid) closed() bool {
	return slices.Index(standings, g.query.Get("state")) >= slices.Index(standings, standsExpired) || g.query.Get("state") == "all"
}

// shows tells whether an appointment passes the filters, with the words that its row shows.
func (g appointmentGrid) shows(h grant.Held, row views.AppointmentRow, now time.Time, lang locale.Lang) bool {
	has := func(name string, words ...string) bool {
		want := thai.Fold(g.query.Get(name))
		return want == "" || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(thai.Fold(w), want) })
	}
	is := func(name, value string) bool { return g.query.Get(name) == "" || g.query.Get(name) == value }
	state, days := standing(h.Appointment, now), []string{row.From, row.Until, thai.DateOf(h.From).Numeric(string(lang))}
	if !h.Until.IsZero() {
		days = append(days, thai.LastDay(h.Until).Numeric(string(lang)))
	}
	return is("unit", h.Unit) && is("post", string(h.Post)) &&
		(g.query.Get("state") == "all" || is("state", state) || g.query.Get("state") == standsHolds && state == standsSoon) &&
		has("name", row.Name) && has("order", row.Order, row.By) &&
		has("day", days...) &&
		has(views.ParamSearch, row.Name, row.Post, row.Kind, h.UnitName.TH, h.UnitName.EN, row.Order, row.By)
}

// sort orders the appointments as asked; without a wish by unit, in each unit first what holds.
func (g appointmentGrid) sort(list []grant.Held, v *Visit, units []agency.Unit) {
	by := g.query.Get(views.ParamSort)
	key, down := strings.TrimPrefix(by, "-"), strings.HasPrefix(by, "-")
	slices.SortStableFunc(list, func(a, b grant.Held) int {
		order := 0
		switch key {
		case "name":
			order = strings.Compare(thai.SortKey(a.Name), thai.SortKey(b.Name))
		case "unit":
			order = strings.Compare(thai.SortKey(a.UnitName.In(v.Lang)), thai.SortKey(b.UnitName.In(v.Lang)))
		case "until":
			order = ends(a).Compare(ends(b))
		default:
			order = cmp.Or(cmp.Compare(placeIn(units, a.Unit), placeIn(units, b.Unit)), rank(a, v.Now)-rank(b, v.Now))
		}
		if down {
			return -order
		}
		return order
	})
}

// rank puts what holds first, then what waits or will hold, then what is over.
func rank(h grant.Held, now time.Time) int {
	switch {
	case h.Holds:
		return 0
	case live(h.Appointment, now):
		return 1
	}
	return 2
}

// ends is when an appointment ends, for sorting: those without an end come last.
func ends(h grant.Held) time.Time {
	if h.Until.IsZero() {
		return h.From.AddDate(1000, 0, 0)
	}
	return h.Until
}

// appointmentsPage shows what waits for the reader, then who holds which post.
func (s *Server) appointmentsPage(w http.ResponseWriter, r *http.Request, v *Visit) error {
	asked := readAppointmentGrid(r)
	all, err := s.Book.Appointments(r.Context(), v.Session.Person, grant.AppointmentFilter{All: asked.closed()})
	if err != nil {
		return err
	}
	choices, err := s.Book.Choices(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	units, err := s.Agencies.Units(r.Context())
	if err != nil {
		return err
	}
	body := views.AppointmentsPage{WaitingTitle: v.T("appoint.waiting_all")}
	if v.Posts.Administrator {
		body.WaitingTitle, body.WaitingText = v.T("appoint.waiting"), v.T("appoint.waiting_text")
	}
	rows := map[string]views.AppointmentRow{} // by appointment
	var list []grant.Held
	for _, h := range all.List {
		row := appointmentActs(v, appointmentRow(v, h, units), h, r.URL.Query().Get("saved"))
		rows[h.ID] = row
		if asked.shows(h, row, v.Now, v.Lang) {
			list = append(list, h)
		}
	}
	asked.sort(list, v, units)
	pages := max(1, (len(list)+asked.size-1)/asked.size)
	page := min(asked.page, pages)
	for _, h := range list[(page-1)*asked.size : min(page*asked.size, len(list))] {
		row := rows[h.ID]
		row.Hit = asked.query.Get(views.ParamSearch)
		body.Rows = append(body.Rows, row)
	}
	body.Grid = gridOfAppointments(v, asked, units)
	body.Grid.Page, body.Grid.Pages, body.Grid.Total = page, pages, len(list)
	p := v.Page("appoint.title")
	if v.Fragment == "grid" {
		return s.show(w, r, v, http.StatusOK, p, views.AppointmentsGrid(p, body))
	}
	for _, h := range all.List {
		if standing(h.Appointment, v.Now) != standsProposed {
			continue
		}
		row := rows[h.ID]
		if h.Own {
			body.Own = append(body.Own, row)
		} else {
			body.Waiting = append(body.Waiting, row)
		}
	}
	if err := s.addSeconds(r, v, &body, all.Seconds); err != nil {
		return err
	}
	addHeadless(v, &body, choices.Units, all.List)
	p.Subtitle = v.T("appoint.subtitle")
	p.Crumbs = appointCrumbs(v)
	if v.Posts.Administrator {
		body.Acts = []views.ButtonLinkParams{
			{Label: v.T("appoint.new_title"), Href: appointmentsPath + "/new", Icon: views.IconPlus, Kind: views.Primary, Dialog: true},
			{Label: v.T("appoint.right_title"), Href: headRightPath, Icon: views.IconKey, Dialog: true},
		}
	}
	return s.show(w, r, v, http.StatusOK, p, views.Appointments(p, body))
}

// appointmentActs adds to the row of an appointment what the reader may do about it.
func appointmentActs(v *Visit, row views.AppointmentRow, h grant.Held, saved string) views.AppointmentRow {
	row.See, row.New = appointmentPath(h.ID), h.ID == saved
	state := standing(h.Appointment, v.Now)
	row.Dialog = state == standsProposed
	switch {
	case !v.Posts.Administrator:
	case state == standsProposed && h.Own:
		row.Act = &views.ButtonLinkParams{Label: v.T("appoint.withdraw"), Note: h.Name, Href: row.See + "/decline", Kind: views.QuietRed, Dialog: true}
	case state == standsProposed:
		row.Act = &views.ButtonLinkParams{Label: v.T("appoint.review"), Note: h.Name, Href: row.See, Kind: views.Quiet, Dialog: true}
	case live(h.Appointment, v.Now):
		row.Act = &views.ButtonLinkParams{Label: v.T("appoint.end"), Note: h.Name, Href: row.See + "/end", Kind: views.QuietRed, Dialog: true}
	}
	if state == standsProposed && h.Own {
		row.State = v.T("appoint.state_own")
	}
	return row
}

// addSeconds adds the rights proposed for heads, which wait for a second administrator as appointments do.
func (s *Server) addSeconds(r *http.Request, v *Visit, body *views.AppointmentsPage, rights []grant.Row) error {
	ids := make([]person.ID, len(rights))
	for i, g := range rights {
		ids[i] = g.GivenBy
	}
	names, err := s.Book.Names(r.Context(), v.Session.Person, ids)
	if err != nil {
		return err
	}
	for _, g := range rights {
		row := views.AppointmentRow{
			Name: g.Name, See: "/ko1/grants/" + url.PathEscape(g.ID), Post: v.T("appoint.right_of_level", "level", levelName(v, g.Level)),
			Unit: placeOf(v, g), Order: g.OrderNumber, From: shortDate(v, thai.DateOf(g.From)), Until: untilWords(v, g.Grant), By: v.T("appoint.by_whom", "who", names[g.GivenBy]),
			State: v.T("appoint.state_proposed"), StateKind: views.BadgeWaiting,
		}
		if g.GivenBy == v.Session.Person {
			row.State, row.See, row.Dialog = v.T("appoint.state_own"), headRightOf(g.ID)+"/second", true
			row.Act = &views.ButtonLinkParams{Label: v.T("appoint.withdraw"), Note: g.Name, Href: headRightOf(g.ID) + "/decline", Kind: views.QuietRed, Dialog: true}
			body.Own = append(body.Own, row)
			continue
		}
		if v.Posts.Administrator {
			row.See, row.Dialog = headRightOf(g.ID)+"/second", true
			row.Act = &views.ButtonLinkParams{Label: v.T("appoint.review"), Note: g.Name, Href: row.See, Kind: views.Quiet, Dialog: true}
		}
		body.Waiting = append(body.Waiting, row)
	}
	return nil
}

// addHeadless names the units in which nobody can give rights.
func addHeadless(v *Visit, body *views.AppointmentsPage, units []agency.Unit, list []grant.Held) {
	for _, u := range units {
		if slices.ContainsFunc(list, func(h grant.Held) bool { return h.Unit == u.Code && h.Post == grant.Head && h.Holds }) {
			continue
		}
		link := views.UnitLink{Name: u.Short.In(v.Lang)}
		if v.Posts.Administrator {
			link.Href = appointmentsPath + "/new?" + url.Values{"unit": {u.Code}}.Encode()
		}
		body.Headless = append(body.Headless, link)
	}
	body.Count = v.T("appoint.headless", "n", len(body.Headless))
}

func gridOfAppointments(v *Visit, asked appointmentGrid, units []agency.Unit) views.Grid {
	g := views.Grid{
		Path: appointmentsPath, Query: asked.query, Size: asked.size, Sizes: grant.Sizes, Caption: v.T("appoint.list"), SearchLabel: v.T("appoint.search"),
		Nothing: views.EmptyParams{Title: v.T("appoint.none"), Text: v.T("appoint.none_text")},
	}
	var states []views.Option
	for _, state := range standings {
		states = append(states, views.Option{Value: state, Label: v.T("appoint.state_" + state)})
	}
	states = append(states, views.Option{Value: "all", Label: v.T("appoint.state_all")})
	g.Columns = []views.Column{
		{Key: "name", Label: v.T("appoint.person"), Filter: views.Filter{Name: "name"}},
		{Label: v.T("appoint.what"), Filter: views.Filter{Name: "post", Options: postOptions(v)}},
		{Key: "unit", Label: v.T("appoint.unit"), Filter: views.Filter{Name: "unit", Options: unitOptions(v, units)}},
		{Label: v.T("appoint.order"), Filter: views.Filter{Name: "order"}},
		{Key: "until", Label: v.T("appoint.period"), Filter: views.Filter{Name: "day", Hint: v.T("appoint.day")}},
		{Label: v.T("appoint.state"), Filter: views.Filter{Name: "state", Options: states}},
		{},
	}
	return g
}

// unitOptions are units to choose from, those of a kind under one heading.
func unitOptions(v *Visit, units []agency.Unit) []views.Option {
	var list []views.Option
	for _, kind := range agency.Kinds {
		for _, u := range units {
			if u.Kind == kind && u.Active {
				list = append(list, views.Option{Value: u.Code, Label: u.Short.In(v.Lang), Group: v.T("agency.kind_" + kind)})
			}
		}
	}
	return list
}

package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/person"
	"sitthi/web/views"
)

// appointmentsRoutes are the pages of appointments (การแต่งตั้ง): who heads which unit, who keeps and who audits the
// system, each proposed by one and confirmed by another; and of the rights of heads, which come about the same way.
func (s *Server) appointmentsRoutes() []Route {
	return []Route{
		{Pattern: "GET /admin/appointments", Access: AuditorOrAdministrator, Handle: s.appointmentsPage},
		{Pattern: "GET /admin/appointments/new", Access: AdministratorOnly, Handle: s.appointForm},
		{Pattern: "POST /admin/appointments/new", Access: AdministratorOnly, StepUp: true, Handle: s.propose},
		{Pattern: "POST /admin/appointments/person", Access: AdministratorOnly, Handle: s.lookUpAppointee},
		{Pattern: "GET /admin/appointments/{appointment}", Access: AuditorOrAdministrator, Handle: s.seeAppointment},
		{Pattern: "POST /admin/appointments/{appointment}/confirm", Access: AdministratorOnly, StepUp: true, Handle: s.confirmAppointment},
		{Pattern: "GET /admin/appointments/{appointment}/decline", Access: AdministratorOnly, Handle: s.declineForm},
		{Pattern: "POST /admin/appointments/{appointment}/decline", Access: AdministratorOnly, StepUp: true, Handle: s.declineAppointment},
		{Pattern: "GET /admin/appointments/{appointment}/end", Access: AdministratorOnly, Handle: s.endAppointmentForm},
		{Pattern: "POST /admin/appointments/{appointment}/end", Access: AdministratorOnly, StepUp: true, Handle: s.endAppointment},
		{Pattern: "GET /admin/head-rights/new", Access: AdministratorOnly, Handle: s.headRightForm},
		{Pattern: "POST /admin/head-rights/new", Access: AdministratorOnly, StepUp: true, Handle: s.proposeHeadRight},
		{Pattern: "GET /admin/grants/{grant}/second", Access: AdministratorOnly, Handle: s.seeHeadRight},
		{Pattern: "POST /admin/grants/{grant}/second", Access: AdministratorOnly, StepUp: true, Handle: s.secondHeadRight},
		{Pattern: "GET /admin/grants/{grant}/decline", Access: AdministratorOnly, Handle: s.declineRightForm},
		{Pattern: "POST /admin/grants/{grant}/decline", Access: AdministratorOnly, StepUp: true, Handle: s.declineHeadRight},
		{Pattern: "GET /ko1/deputies", Access: HeadOnly, Handle: s.deputies},
		{Pattern: "GET /ko1/deputies/new", Access: HeadOnly, Handle: s.deputyForm},
		{Pattern: "POST /ko1/deputies/new", Access: HeadOnly, StepUp: true, Handle: s.proposeDeputy},
		{Pattern: "POST /ko1/deputies/person", Access: HeadOnly, Handle: s.lookUpDeputy},
		{Pattern: "POST /ko1/deputies/{appointment}/withdraw", Access: HeadOnly, StepUp: true, Handle: s.withdrawDeputy},
	}
}

const (
	appointmentsPath = "/admin/appointments"
	deputiesPath     = "/ko1/deputies"
	headRightPath    = "/admin/head-rights/new"
)

func appointmentPath(id string) string { return appointmentsPath + "/" + url.PathEscape(id) }

func headRightOf(id string) string { return "/admin/grants/" + url.PathEscape(id) }

// appointCrumbs lead from the page of administrators to the appointments; auditors have no page of administrators.
func appointCrumbs(v *Visit, more ...views.Crumb) []views.Crumb {
	var crumbs []views.Crumb
	if v.Posts.Administrator {
		crumbs = v.adminCrumbs()
	}
	return append(crumbs, more...)
}

func toAppointments(v *Visit) views.Crumb {
	return views.Crumb{Label: v.T("appoint.title"), Href: appointmentsPath}
}

// The standings of an appointment, for its badge and the filter of the list, in the order of its life.
const (
	standsProposed  = "proposed"
	standsFuture    = "future"
	standsHolds     = "holds"
	standsSoon      = "soon"
	standsExpired   = "expired"
	standsEnded     = "ended"
	standsRefused   = "refused"
	standsWithdrawn = "withdrawn"
)

var standings = []string{standsProposed, standsFuture, standsHolds, standsSoon, standsExpired, standsEnded, standsRefused, standsWithdrawn}

var standingKinds = map[string]views.BadgeKind{
	standsProposed: views.BadgeWaiting, standsFuture: views.BadgeWaiting, standsHolds: views.BadgeOK, standsSoon: views.BadgeWarn,
	standsExpired: views.BadgeOff, standsEnded: views.BadgeOff, standsRefused: views.BadgeDanger, standsWithdrawn: views.BadgeOff,
}

// standing is how it stands with an appointment at a moment.
func standing(a grant.Appointment, now time.Time) string {
	switch {
	case !a.ClosedAt.IsZero():
		return a.Closing
	case !a.Until.IsZero() && !now.Before(a.Until):
		return standsExpired
	case a.ConfirmedAt.IsZero():
		return standsProposed
	case now.Before(a.From):
		return standsFuture
	case !a.Until.IsZero() && a.Until.Before(now.AddDate(0, 0, grant.SoonDays)):
		return standsSoon
	}
	return standsHolds
}

// live tells whether an appointment holds, will hold, or waits to.
func live(a grant.Appointment, now time.Time) bool {
	return slices.Contains(standings[:slices.Index(standings, standsExpired)], standing(a, now))
}

// beginWords is the first day of an appointment; one that was proposed without a day begins when it is confirmed.
func beginWords(v *Visit, a grant.Appointment) string {
	if a.ConfirmedAt.IsZero() && !a.From.After(a.ProposedAt) {
		return v.T("appoint.from_confirmation")
	}
	return shortDate(v, thai.DateOf(a.From))
}

func endWords(v *Visit, a grant.Appointment) string {
	if a.Until.IsZero() {
		return v.T("appoint.no_end")
	}
	return shortDate(v, thai.LastDay(a.Until))
}

// doer is how a page calls who did something to an appointment.
func doer(v *Visit, by string, names map[person.ID]string) string {
	switch by {
	case audit.Terminal:
		return v.T("appoint.by_terminal")
	case audit.System:
		return v.T("appoint.by_system")
	}
	return names[person.ID(by)]
}

// appointmentRow is one appointment in a table. What the reader may do about it is added by the page.
func appointmentRow(v *Visit, h grant.Held, units []agency.Unit) views.AppointmentRow {
	state := standing(h.Appointment, v.Now)
	row := views.AppointmentRow{
		Name: h.Name, Post: postName(v, h.Post, grant.Regular), Unit: h.UnitName.In(v.Lang),
		Order: h.OrderNumber, From: beginWords(v, h.Appointment), Until: endWords(v, h.Appointment),
		State: v.T("appoint.state_" + state), StateKind: standingKinds[state],
	}
	if i := placeIn(units, h.Unit); i >= 0 {
		row.Unit = units[i].Short.In(v.Lang)
	}
	if h.Post == grant.Head {
		row.Kind, row.Acting = v.T("appoint.kind_"+string(h.Kind)), h.Kind == grant.Acting
	}
	proposer := h.ProposedBy
	if proposer == "" {
		proposer = doer(v, h.Appointment.ProposedBy, nil)
	}
	row.By = v.T("appoint.by_whom", "who", proposer)
	return row
}

// placeIn is where a unit stands in a list of units; -1 when it does not.
func placeIn(units []agency.Unit, code string) int {
	return slices.IndexFunc(units, func(u agency.Unit) bool { return u.Code == code })
}

// postName is a post as a cell or a list shows it; within a sentence it is grant.PostName.
func postName(v *Visit, post grant.Post, kind grant.AppointmentKind) string {
	if post == grant.Head && kind == grant.Acting {
		return v.T("appoint.post_acting")
	}
	return v.T("appoint.post_" + string(post))
}

// postOptions are the posts of a form or filter to choose from.
func postOptions(v *Visit) []views.Option {
	var list []views.Option
	for _, post := range []grant.Post{grant.Head, grant.Administrator, grant.Auditor, grant.Agent} {
		list = append(list, views.Option{Value: string(post), Label: postName(v, post, grant.Regular)})
	}
	return list
}

// appointmentOf reads the appointment of an address for who looks at it.
func (s *Server) appointmentOf(r *http.Request, v *Visit) (grant.AppointmentSight, error) {
	return s.Book.Appointment(r.Context(), v.Session.Person, r.PathValue("appointment"))
}

// appointmentSummary says what an appointment is.
func appointmentSummary(v *Visit, h grant.Held) []views.SummaryRow {
	rows := []views.SummaryRow{
		{Term: v.T("appoint.name"), Value: h.Name}, {Term: v.T("appoint.citizen"), Value: h.Citizen.Mask()},
		{Term: v.T("appoint.what"), Value: postName(v, h.Post, h.Kind)}, {Term: v.T("appoint.unit"), Value: h.UnitName.In(v.Lang)},
		{Term: v.T("appoint.period"), Value: v.T("appoint.from_to", "from", beginWords(v, h.Appointment), "until", endWords(v, h.Appointment))},
	}
	if h.OrderNumber != "" {
		rows = append(rows, views.SummaryRow{Term: v.T("appoint.order"), Value: h.OrderNumber})
	}
	return rows
}

// pageOfAppointment starts a page about one appointment.
func (v *Visit) pageOfAppointment(title string, h grant.Held) views.Page {
	p := v.Page(title)
	p.Subtitle = v.T("appoint.about", "who", h.Name, "unit", h.UnitName)
	p.Crumbs = appointCrumbs(v, toAppointments(v))
	p.Narrow = true
	return p
}

func (s *Server) seeAppointment(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showAppointment(w, r, v, http.StatusOK, nil)
}

// showAppointment shows all of one appointment as it is now, with what the reader may do about it.
func (s *Server) showAppointment(w http.ResponseWriter, r *http.Request, v *Visit, status int, problems []views.FieldError) error {
	h, err := s.appointmentOf(r, v)
	if err != nil {
		return err
	}
	p := v.pageOfAppointment("appoint.one_title", h.Held)
	p.Problems = problems
	state, path := standing(h.Appointment, v.Now), appointmentPath(h.ID)
	body := views.ProposalPage{Summary: appointmentSummary(v, h.Held)}
	body.Summary[1].Action, body.Summary[1].Href, body.Summary[1].Dialog = v.T("appoint.unmask"), "/people/"+url.PathEscape(string(h.Person))+"/unmask", true
	add := func(term, value string) {
		if value != "" {
			body.Summary = append(body.Summary, views.SummaryRow{Term: v.T(term), Value: value})
		}
	}
	add("appoint.note", h.Note)
	add("appoint.position", h.Position)
	add("appoint.home", h.Home.In(v.Lang))
	email, phone := thai.Email(h.Email), thai.Mobile(h.Phone)
	if v.Posts.Administrator { // who confirms compares them with what he knows
		add("appoint.phone", phone.National())
		add("appoint.email", string(email))
	} else {
		add("appoint.phone", phone.Mask())
		add("appoint.email", email.Mask())
	}
	body.Summary = append(body.Summary, views.SummaryRow{Term: v.T("appoint.state"), Body: views.Badge(standingKinds[state], v.T("appoint.state_"+state))})
	switch {
	case !v.Posts.Administrator:
	case state == standsProposed && h.Own:
		body.Note, body.Text = views.BoxParams{Kind: views.NoticeInfo, Title: v.T("appoint.own_waits")}, v.T("appoint.own_waits_text")
		body.Links = []views.ButtonLinkParams{{Label: v.T("appoint.withdraw"), Href: path + "/decline", Kind: views.QuietRed, Dialog: true}}
	case state == standsProposed && h.Person == v.Session.Person:
		body.Note, body.Text = views.BoxParams{Kind: views.NoticeInfo, Title: v.T("appoint.about_you")}, v.T("appoint.denied_self_next")
		body.Links = []views.ButtonLinkParams{{Label: v.T("appoint.decline"), Href: path + "/decline", Kind: views.QuietRed, Dialog: true}}
	case state == standsProposed:
		body.Note, body.Text = views.BoxParams{Kind: views.NoticeInfo, Title: v.T("appoint.compare", "who", h.ProposedBy)}, v.T("appoint.compare_text")
		if h.Post == grant.Head && h.Home != h.UnitName {
			body.Note, body.Text = views.BoxParams{Kind: views.NoticeWarn, Title: v.T("appoint.other_office", "unit", h.Home)}, v.T("appoint.compare_text")
		}
		body.Confirm, body.Label = path+"/confirm", v.T("appoint.confirm")
		body.Links = []views.ButtonLinkParams{{Label: v.T("appoint.decline"), Href: path + "/decline", Kind: views.QuietRed, Dialog: true}}
	case live(h.Appointment, v.Now):
		if h.Post == grant.Head && h.Holds {
			body.Links = append(body.Links, views.ButtonLinkParams{Label: v.T("appoint.right_title"), Href: headRightPath + "?" + url.Values{"appointment": {h.ID}}.Encode(), Icon: views.IconKey, Dialog: true})
		}
		body.Links = append(body.Links, views.ButtonLinkParams{Label: v.T("appoint.end_title"), Href: path + "/end", Kind: views.QuietRed, Dialog: true})
	}
	if body.Events, err = s.eventsOfAppointment(r, v, h.Held); err != nil {
		return err
	}
	return s.show(w, r, v, status, p, views.Proposal(p, body))
}

// eventsOfAppointment tells what was done about an appointment, the newest first.
func (s *Server) eventsOfAppointment(r *http.Request, v *Visit, h grant.Held) ([]views.Event, error) {
	a := h.Appointment
	names, err := s.Book.Names(r.Context(), v.Session.Person, []person.ID{person.ID(a.ProposedBy), person.ID(a.ConfirmedBy), person.ID(a.ClosedBy)})
	if err != nil {
		return nil, err
	}
	var list []views.Event
	add := func(at time.Time, key, by, text string, kind views.BadgeKind) {
		if !at.IsZero() {
			list = append(list, views.Event{When: moment(v, at), Machine: at.Format(time.RFC3339), Title: v.T(key), By: doer(v, by, names), Text: text, Kind: kind})
		}
	}
	add(a.ClosedAt, "appoint.was_"+a.Closing, a.ClosedBy, a.CloseReason, standingKinds[a.Closing])
	add(a.ConfirmedAt, "appoint.was_confirmed", a.ConfirmedBy, "", views.BadgeOK)
	add(a.ProposedAt, "appoint.was_proposed", a.ProposedBy, "", views.BadgeWaiting)
	return list, nil
}

// readAppointment reads the form of a proposal.
func readAppointment(r *http.Request, deputy bool) (grant.AppointmentOrder, error) {
	form := r.PostForm
	o := grant.AppointmentOrder{
		Unit: form.Get("unit"), Post: grant.Post(form.Get("post")), Kind: grant.AppointmentKind(form.Get("kind")), Person: person.ID(form.Get("person")),
	}
	if deputy {
		o.Post, o.Kind = grant.Head, grant.Acting
	}
	var check problem.Check
	switch {
	case o.Post == "":
		check.Fail("post", "appoint.post_missing")
	case o.Post == grant.Head && o.Unit == "":
		check.Fail("unit", "appoint.unit_missing")
	}
	if strings.TrimSpace(form.Get("citizen")) != "" {
		o.Citizen, o.Person = readCitizen(&check, "citizen", form.Get("citizen")), "" // what was typed counts
	} else if o.Person == "" {
		check.Fail("citizen", "grant.citizen_missing")
	}
	if o.OrderNumber = readLine(&check, "order_number", form.Get("order_number"), 100); strings.TrimSpace(form.Get("order_number")) == "" {
		check.Fail("order_number", "appoint.order_missing")
	}
	o.Note = readLine(&check, "note", form.Get("note"), 500)
	o.From = readDate(&check, "from", form.Get("from"))
	o.LastDay = readDate(&check, "last_day", form.Get("last_day"))
	if o.Post == grant.Head && o.Kind == grant.Acting && strings.TrimSpace(form.Get("last_day")) == "" {
		check.Fail("last_day", "appoint.acting_needs_end")
	}
	return o, check.Err()
}

// typedAppointment is the form of a proposal with what was typed.
func typedAppointment(typed url.Values, path string) views.AppointmentForm {
	return views.AppointmentForm{
		Action: path + "/new", LookUp: path + "/person", Back: path, Unit: typed.Get("unit"), Post: typed.Get("post"), Kind: typed.Get("kind"),
		Citizen: typed.Get("citizen"), Person: typed.Get("person"), Order: typed.Get("order_number"), Note: typed.Get("note"),
		From: typed.Get("from"), LastDay: typed.Get("last_day"),
	}
}

func (s *Server) appointForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	typed := url.Values{"post": {string(grant.Head)}, "kind": {string(grant.Regular)}, "unit": {r.URL.Query().Get("unit")}}
	return s.showAppoint(w, r, v, http.StatusOK, typed, nil, nil)
}

func (s *Server) showAppoint(w http.ResponseWriter, r *http.Request, v *Visit, status int, typed url.Values, found *views.FoundPerson, problems []views.FieldError) error {
	units, err := s.Agencies.Units(r.Context())
	if err != nil {
		return err
	}
	p := v.Page("appoint.new_title")
	p.Subtitle = v.T("appoint.new_subtitle")
	p.Crumbs = appointCrumbs(v, toAppointments(v))
	p.Narrow, p.Problems = true, problems
	f := typedAppointment(typed, appointmentsPath)
	f.Posts, f.Found, f.Units = postOptions(v), found, unitOptions(v, units)
	for _, kind := range []grant.AppointmentKind{grant.Regular, grant.Acting} {
		f.Kinds = append(f.Kinds, views.Option{Value: string(kind), Label: v.T("appoint.kind_" + string(kind))})
	}
	return s.show(w, r, v, status, p, views.AppointmentNew(p, f))
}

// unitOf is the unit in which who proposes looks a person up; the department carries the central posts.
func unitOf(o grant.AppointmentOrder) string {
	if o.Post.Central() {
		return ""
	}
	return o.Unit
}

func (s *Server) propose(w http.ResponseWriter, r *http.Request, v *Visit) error {
	o, err := readAppointment(r, false)
	var a grant.Appointment
	found, err := attempt(!o.Citizen.IsZero(), err, func() (*views.FoundPerson, error) { return s.appointee(r, v, o) }, func() (err error) {
		a, err = s.Book.Propose(r.Context(), v.Session.Person, o)
		return err
	})
	if lines := askedTooMuch(w, v, err); lines != nil {
		return s.showAppoint(w, r, v, http.StatusTooManyRequests, r.PostForm, nil, lines)
	}
	if status, lines := refused(v, err); lines != nil {
		return s.showAppoint(w, r, v, status, r.PostForm, found, lines)
	}
	if err != nil {
		return err
	}
	notice, err := s.proposed(r, v, a)
	if err != nil {
		return err
	}
	return s.see(w, r, v, appointmentsPath+"?"+url.Values{"saved": {a.ID}}.Encode(), notice)
}

// refused turns an error that belongs into the form of a proposal into its lines: what can be mended, that somebody
// was first, and that nobody proposes himself.
func refused(v *Visit, err error) (status int, lines []views.FieldError) {
	if lines, ok := v.Problems(err); ok {
		return http.StatusUnprocessableEntity, lines
	}
	var p *problem.Problem
	switch {
	case !errors.As(err, &p):
		return 0, nil
	case p.Kind == problem.Conflict:
		return http.StatusConflict, []views.FieldError{{Field: "citizen", Text: v.Tell(err)}}
	case p.Key == "appoint.denied_self":
		return http.StatusForbidden, []views.FieldError{{Field: "citizen", Text: v.Tell(err)}}
	}
	return 0, nil
}

// proposed is the news that a proposal waits for its confirmation.
func (s *Server) proposed(r *http.Request, v *Visit, a grant.Appointment) (*views.Notice, error) {
	names, err := s.Book.Names(r.Context(), v.Session.Person, []person.ID{a.Person})
	if err != nil {
		return nil, err
	}
	return v.Notice(views.NoticeOK, "appoint.proposed", "who", names[a.Person], "post", grant.PostName(a.Post, a.Kind)), nil
}

// appointee gathers who a proposal is about, as foundFor does for a right.
func (s *Server) appointee(r *http.Request, v *Visit, o grant.AppointmentOrder) (*views.FoundPerson, error) {
	if unitOf(o) == "" && !v.Posts.Administrator { // only administrators look beyond their units
		return nil, nil
	}
	found, err := s.whoIs(r, v, grant.Order{Unit: unitOf(o), Citizen: o.Citizen, Person: o.Person})
	if errors.Is(err, problem.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return appointeeOf(v, found, o), nil
}

// appointeeOf is how a form shows whom a citizen ID would appoint.
func appointeeOf(v *Visit, f grant.Found, o grant.AppointmentOrder) *views.FoundPerson {
	switch {
	case f.Self:
		return &views.FoundPerson{Kind: views.NoticeError, Title: v.T("rights.found_self"), Text: v.T("appoint.denied_self_next")}
	case !f.Registered:
		return &views.FoundPerson{Kind: views.NoticeError, Title: v.T("rights.found_nobody"), Text: v.T("appoint.not_registered")}
	}
	out := &views.FoundPerson{Kind: views.NoticeInfo, Title: v.T("rights.found"), Rows: []views.SummaryRow{
		{Term: v.T("appoint.name"), Value: f.Name}, {Term: v.T("appoint.position"), Value: f.Position}, {Term: v.T("appoint.home"), Value: f.Home.In(v.Lang)},
		{Term: v.T("appoint.phone"), Value: f.Phone}, {Term: v.T("appoint.email"), Value: f.Email},
	}}
	switch {
	case f.Disabled:
		out.Kind, out.Text = views.NoticeError, v.T("grant.account_disabled")
	case f.HeadHere && o.Post == grant.Head:
		out.Kind, out.Text = views.NoticeWarn, v.T("appoint.exists")
	case o.Post == grant.Head && o.Unit != "" && f.HomeUnit != o.Unit:
		out.Kind, out.Text = views.NoticeWarn, v.T("appoint.other_office", "unit", f.Home)
	}
	return out
}

// answerLookUp says who is behind the citizen ID of a form: a piece of page to the script, and to a browser without
// scripts the whole form again.
func (s *Server) answerLookUp(w http.ResponseWriter, r *http.Request, v *Visit, o grant.AppointmentOrder, form func(*views.FoundPerson) error) error {
	var piece *views.FoundPerson
	switch found, err := s.whoIs(r, v, grant.Order{Unit: unitOf(o), Citizen: o.Citizen, Person: o.Person}); {
	case err == nil:
		piece = appointeeOf(v, found, o)
	case o.Citizen.IsZero() && o.Person == "": // no whole ID yet
	case v.Tell(err) != "":
		piece = &views.FoundPerson{Kind: views.NoticeWarn, Title: v.Tell(err)}
	default:
		return fmt.Errorf("look appointee up: %w", err)
	}
	if v.Fragment == "lookup" {
		return s.piece(w, r, v, piece)
	}
	return form(piece)
}

func (s *Server) lookUpAppointee(w http.ResponseWriter, r *http.Request, v *Visit) error {
	o, err := readAppointment(r, false)
	return s.answerLookUp(w, r, v, o, func(found *views.FoundPerson) error {
		return s.showAppoint(w, r, v, http.StatusOK, r.PostForm, found, onlyField(v, err, "citizen"))
	})
}

// onlyField are the lines about one field, when the rest of a form is still being filled in.
func onlyField(v *Visit, err error, field string) []views.FieldError {
	lines, _ := v.Problems(err)
	return slices.DeleteFunc(lines, func(e views.FieldError) bool { return e.Field != field })
}

func (s *Server) confirmAppointment(w http.ResponseWriter, r *http.Request, v *Visit) error {
	a, err := s.Book.ConfirmAppointment(r.Context(), v.Session.Person, r.PathValue("appointment"))
	if isConflict(err) { // what stands now is shown, with the reason why this came to nothing
		return s.showAppointment(w, r, v, http.StatusConflict, []views.FieldError{{Text: v.Tell(err)}})
	}
	if err != nil {
		return err
	}
	h, err := s.appointmentOf(r, v)
	if err != nil {
		return err
	}
	key := "appoint.confirmed"
	if a.From.After(a.ConfirmedAt) {
		key = "appoint.confirmed_future"
	}
	notice := v.Notice(views.NoticeOK, key, "who", h.Name, "post", grant.PostName(a.Post, a.Kind), "unit", h.UnitName, "from", beginWords(v, a))
	return s.see(w, r, v, appointmentsPath+"?"+url.Values{"saved": {a.ID}}.Encode(), notice)
}

func (s *Server) declineForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	h, err := s.appointmentOf(r, v)
	if err != nil {
		return err
	}
	if !h.ConfirmedAt.IsZero() || !h.ClosedAt.IsZero() {
		return s.showAppointment(w, r, v, http.StatusConflict, []views.FieldError{{Text: v.T("grant.already_decided")}})
	}
	return s.showDecline(w, r, v, http.StatusOK, h, "", nil)
}

func (s *Server) showDecline(w http.ResponseWriter, r *http.Request, v *Visit, status int, h grant.AppointmentSight, reason string, problems []views.FieldError) error {
	title, f := "appoint.decline_title", views.DeclineForm{
		Action: appointmentPath(h.ID) + "/decline", Back: appointmentsPath, Summary: appointmentSummary(v, h.Held), Reason: reason, Required: true,
		Label: v.T("appoint.decline"), Note: views.BoxParams{Title: v.T("appoint.decline_note", "who", h.ProposedBy)},
	}
	if h.Own {
		title, f.Required, f.Label, f.Note = "appoint.withdraw_title", false, v.T("appoint.withdraw"), views.BoxParams{Title: v.T("appoint.withdraw_note")}
	}
	p := v.pageOfAppointment(title, h.Held)
	p.Problems = problems
	return s.show(w, r, v, status, p, views.Decline(p, f))
}

func (s *Server) declineAppointment(w http.ResponseWriter, r *http.Request, v *Visit) error {
	var check problem.Check
	reason := readLine(&check, "reason", r.PostForm.Get("reason"), 500)
	err := check.Err()
	if err == nil {
		_, err = s.Book.DeclineAppointment(r.Context(), v.Session.Person, r.PathValue("appointment"), reason)
	}
	lines, invalid := v.Problems(err)
	if isConflict(err) {
		return s.showAppointment(w, r, v, http.StatusConflict, []views.FieldError{{Text: v.Tell(err)}})
	}
	if err != nil && !invalid {
		return err
	}
	h, err := s.appointmentOf(r, v)
	if err != nil {
		return err
	}
	if invalid {
		return s.showDecline(w, r, v, http.StatusUnprocessableEntity, h, r.PostForm.Get("reason"), lines)
	}
	return s.see(w, r, v, appointmentsPath, v.Notice(views.NoticeOK, "appoint.now_"+h.Closing, "who", h.Name))
}

func (s *Server) endAppointmentForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	h, err := s.appointmentOf(r, v)
	if err != nil {
		return err
	}
	if !h.ClosedAt.IsZero() {
		return s.showAppointment(w, r, v, http.StatusConflict, []views.FieldError{{Text: v.T("appoint.already_ended")}})
	}
	return s.showEndAppointment(w, r, v, http.StatusOK, h, url.Values{}, nil)
}

func (s *Server) showEndAppointment(w http.ResponseWriter, r *http.Request, v *Visit, status int, h grant.AppointmentSight, typed url.Values, problems []views.FieldError) error {
	p := v.pageOfAppointment("appoint.end_title", h.Held)
	p.Problems = problems
	f := views.EndForm{
		Action: appointmentPath(h.ID) + "/end", Back: appointmentsPath, Summary: appointmentSummary(v, h.Held), Reason: typed.Get("reason"), LeavesNone: h.LeavesNone,
		LeavesTicked: typed.Get("leaves_none") != "", LeavesLabel: v.T("appoint.leaves_label", "unit", h.UnitName), EffectKind: views.NoticeInfo,
	}
	post := grant.PostName(h.Post, grant.Regular)
	switch {
	case !h.Holds:
		f.Effect = v.T("appoint.effect_future")
	case h.LeavesNone:
		f.EffectKind, f.Effect = views.NoticeWarn, v.T("appoint.effect_none", "unit", h.UnitName)
	default:
		f.Effect = v.T("appoint.effect_left", "unit", h.UnitName, "post", post, "n", h.Left)
	}
	// Somebody may have gone since the count: then the act asks, and so does the form.
	f.LeavesNone = f.LeavesNone || p.Problem("leaves_none") != ""
	return s.show(w, r, v, status, p, views.EndAppointment(p, f))
}

func (s *Server) endAppointment(w http.ResponseWriter, r *http.Request, v *Visit) error {
	var check problem.Check
	reason := readLine(&check, "reason", r.PostForm.Get("reason"), 500)
	err := check.Err()
	if err == nil {
		_, err = s.Book.EndAppointment(r.Context(), v.Session.Person, r.PathValue("appointment"), grant.Ending{Reason: reason, LeavesNone: r.PostForm.Get("leaves_none") != ""})
	}
	lines, invalid := v.Problems(err)
	conflict := isConflict(err)
	if err != nil && !invalid && !conflict {
		return err
	}
	h, seen := s.appointmentOf(r, v)
	switch {
	case seen != nil:
		return seen
	case invalid:
		return s.showEndAppointment(w, r, v, http.StatusUnprocessableEntity, h, r.PostForm, lines)
	case conflict && h.ClosedAt.IsZero():
		return s.showEndAppointment(w, r, v, http.StatusConflict, h, r.PostForm, []views.FieldError{{Text: v.Tell(err)}})
	case conflict:
		return s.showAppointment(w, r, v, http.StatusConflict, []views.FieldError{{Text: v.Tell(err)}})
	}
	return s.see(w, r, v, appointmentsPath, v.Notice(views.NoticeOK, "appoint.now_ended", "who", h.Name, "post", grant.PostName(h.Post, h.Kind), "unit", h.UnitName))
}

package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/web/views"
)

// peoplePath is where heads and the centre see who signs in and who is locked, and let locked officers in again.
const peoplePath = "/ko1/people"

func (s *Server) peopleRoutes() []Route {
	return []Route{
		{Pattern: "GET " + peoplePath, Access: SignedIn, Handle: s.people},
		{Pattern: "POST " + peoplePath + "/find", Access: SignedIn, Handle: s.findPeople},
		{Pattern: "POST " + peoplePath + "/{request}/confirm", Access: SignedIn, StepUp: true, Handle: s.confirmActivation},
		{Pattern: "GET " + peoplePath + "/{request}/refuse", Access: SignedIn, Handle: s.refuseForm},
		{Pattern: "POST " + peoplePath + "/{request}/refuse", Access: SignedIn, StepUp: true, Handle: s.refuseActivation},
	}
}

// people shows a head the sign-ins of his officers, and the centre everyone's, who is locked or will be first; above them
// who asks to be let in again.
func (s *Server) people(w http.ResponseWriter, r *http.Request, v *Visit) error {
	filter, query := readPeople(r.URL.Query())
	if search := untelling(filter.Search); search != filter.Search {
		query.Set(views.ParamSearch, search)
		http.Redirect(w, r, peoplePath+"?"+query.Encode(), http.StatusSeeOther)
		return nil
	}
	return s.showPeople(w, r, v, http.StatusOK, filter, query, nil)
}

// findPeople takes the filters as a form and leads to the address that says the same without a citizen ID.
func (s *Server) findPeople(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if !v.head() && !v.Posts.Administrator {
		return problem.New(problem.Denied, "activation.denied_reader")
	}
	filter, query := readPeople(r.PostForm)
	query.Del(views.ParamPage) // of another search
	if filter.Size == grant.Sizes[0] {
		query.Del(views.ParamSize) // it goes without saying
	}
	if filter.Search != "" {
		query.Set(views.ParamSearch, untelling(filter.Search))
	}
	http.Redirect(w, r, peoplePath+"?"+query.Encode(), http.StatusSeeOther)
	return nil
}

// readPeople reads the state of the grid from its address; what is unknown or empty is left out.
func readPeople(given url.Values) (grant.AttendanceFilter, url.Values) {
	q := url.Values{}
	get := func(name string, known func(value string) bool) string {
		value := strings.TrimSpace(given.Get(name))
		if value == "" || len(value) > 200 || !known(value) {
			return ""
		}
		q.Set(name, value)
		return value
	}
	anything := func(string) bool { return true }
	f := grant.AttendanceFilter{
		Search: get(views.ParamSearch, anything), Unit: get("unit", anything),
		State: get("state", func(state string) bool { return slices.Contains(grant.AttendanceStates, state) }), Size: grant.Sizes[0],
	}
	f.Sort, f.Desc = strings.CutPrefix(get(views.ParamSort, func(sort string) bool { return grant.SortableAttendance(strings.TrimPrefix(sort, "-")) }), "-")
	get(views.ParamSize, func(text string) bool {
		size, err := strconv.Atoi(text)
		if err != nil || !slices.Contains(grant.Sizes, size) {
			return false
		}
		f.Size = size
		return true
	})
	get(views.ParamPage, func(text string) bool {
		page, err := strconv.Atoi(text)
		if err != nil || page < 1 {
			return false
		}
		f.Page = page
		return true
	})
	return f, q
}

func (s *Server) showPeople(w http.ResponseWriter, r *http.Request, v *Visit, status int, f grant.AttendanceFilter, query url.Values, faults []views.FieldError) error {
	list, err := s.Book.Attendances(r.Context(), v.Session.Person, f)
	if err != nil {
		return err
	}
	page := views.PeoplePage{Title: v.T("people.list"), Grid: gridOfPeople(v, list, f, query)}
	if list.All {
		page.Title = v.T("people.list_all")
	}
	for _, a := range list.List {
		row := personRow(v, a)
		row.Hit = f.Search
		page.Rows = append(page.Rows, row)
	}
	p := v.Page("people.title")
	if v.Fragment == "grid" {
		return s.show(w, r, v, status, p, views.PeopleGrid(p, page))
	}
	for _, q := range list.Requests {
		row := views.PersonRequest{PersonRow: personRow(v, q.Attendance)}
		row.Note = v.T("people.asked", "when", thai.Moment(q.AskedAt))
		if q.Own {
			row.Confirm = peoplePath + "/" + url.PathEscape(q.ID) + "/confirm"
			row.Refuse = peoplePath + "/" + url.PathEscape(q.ID) + "/refuse"
		}
		page.Requests = append(page.Requests, row)
	}
	page.Figures = []views.Figure{
		{Label: v.T("people.state_locked"), Value: v.T("rights.persons", "n", list.Locked), Href: peoplePath + "?state=" + grant.AttendanceLocked, Bad: list.Locked > 0},
		{Label: soonWords(v), Value: v.T("rights.persons", "n", list.Soon), Href: peoplePath + "?state=" + grant.AttendanceSoon, Bad: list.Soon > 0},
		{Label: v.T("people.everyone"), Value: v.T("rights.persons", "n", list.Everyone), Href: peoplePath},
	}
	p.Subtitle = v.T("people.lead", "n", list.Days)
	p.Path, p.Problems = peoplePath, faults
	p.Crumbs = rightsCrumbs(v)
	return s.show(w, r, v, status, p, views.People(p, page))
}

func soonWords(v *Visit) string {
	return v.T("people.soon", "n", int(grant.LocksSoon/(24*time.Hour)))
}

func gridOfPeople(v *Visit, list grant.Attendances, f grant.AttendanceFilter, query url.Values) views.Grid {
	return views.Grid{
		Path: peoplePath, Find: peoplePath + "/find", Query: query, Page: list.Number, Pages: list.Pages, Size: f.Size, Sizes: grant.Sizes,
		Total: list.Total, Capped: list.More, Caption: v.T("people.title"), SearchLabel: v.T("people.search"),
		Nothing: views.EmptyParams{Title: v.T("people.none"), Text: v.T("people.none_text")},
		Columns: []views.Column{
			{Key: "name", Label: v.T("people.name")},
			{Key: "unit", Label: v.T("people.unit"), Filter: views.Filter{Name: "unit", Options: unitOptions(v, list.Units)}},
			{Label: v.T("people.last")},
			{Key: "locks", Label: v.T("people.state"), Filter: views.Filter{Name: "state", Options: []views.Option{
				{Value: grant.AttendanceLocked, Label: v.T("people.state_locked")}, {Value: grant.AttendanceSoon, Label: soonWords(v)}}}},
		},
	}
}

// askingAgain leads the reader to the requests that wait for his word; nil when none do.
func (s *Server) askingAgain(r *http.Request, v *Visit) (*views.ButtonLinkParams, error) {
	n, err := s.Book.Asking(r.Context(), v.Session.Person)
	if err != nil || n == 0 {
		return nil, err
	}
	return &views.ButtonLinkParams{Label: v.T("people.asking_see", "n", n), Href: peoplePath}, nil
}

func personRow(v *Visit, a grant.Attendance) views.PersonRow {
	row := views.PersonRow{
		Name: a.Name, Href: rightsPath + "?" + url.Values{"person": {string(a.Person)}, "state": {"all"}}.Encode(),
		Position: a.Position, Unit: a.UnitName.In(v.Lang),
		Last: v.T("people.never"), Locks: v.T("people.locks_on", "when", thai.Moment(a.LocksAt)), State: v.T("people.state_ok"), Kind: views.BadgeOK,
	}
	if !a.LastSignIn.IsZero() {
		row.Last = thai.Moment(a.LastSignIn).InLanguage(string(v.Lang))
	}
	if !a.Reopened.IsZero() {
		row.Note = v.T("people.reopened", "when", thai.Moment(a.Reopened))
	}
	switch {
	case a.Locked:
		row.Locks, row.State, row.Kind = v.T("people.locked_on", "when", thai.Moment(a.LocksAt)), v.T("people.state_locked"), views.BadgeDanger
	case a.Soon:
		row.State, row.Kind = v.T("people.state_soon", "n", daysLeft(v.Now, a.LocksAt)), views.BadgeWarn
	}
	return row
}

// daysLeft is how many days are left until a moment, one begun counting as one.
func daysLeft(now, until time.Time) int {
	const day = 24 * time.Hour
	return int((until.Sub(now) + day - 1) / day)
}

// confirmActivation opens the account of a locked officer again.
func (s *Server) confirmActivation(w http.ResponseWriter, r *http.Request, v *Visit) error {
	who, err := s.Book.Activate(r.Context(), v.Session.Person, r.PathValue("request"), grant.Decision{Confirmed: true})
	return s.decided(w, r, v, who, "people.confirmed", err)
}

// decided leads back to the list with what came of a decision. A request that somebody else has decided meanwhile is told
// on the list, too.
func (s *Server) decided(w http.ResponseWriter, r *http.Request, v *Visit, who, key string, err error) error {
	if isConflict(err) {
		return s.showPeople(w, r, v, http.StatusConflict, grant.AttendanceFilter{Size: grant.Sizes[0]}, nil, []views.FieldError{{Text: v.Tell(err)}})
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, peoplePath, v.Notice(views.NoticeOK, key, "name", who))
}

// refuseForm asks why a locked officer is not let in.
func (s *Server) refuseForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showRefuse(w, r, v, http.StatusOK, "", nil)
}

func (s *Server) showRefuse(w http.ResponseWriter, r *http.Request, v *Visit, status int, reason string, faults []views.FieldError) error {
	q, err := s.Book.Activation(r.Context(), v.Session.Person, r.PathValue("request"))
	if err != nil {
		return err
	}
	p := v.Page("people.refuse_title")
	p.Narrow, p.Problems = true, faults
	p.Crumbs = []views.Crumb{{Label: v.T("people.title"), Href: peoplePath}}
	row := personRow(v, q.Attendance)
	return s.show(w, r, v, status, p, views.Refuse(p, views.RefusePage{
		Action: peoplePath + "/" + url.PathEscape(q.ID) + "/refuse", Back: peoplePath, Reason: reason,
		Summary: []views.SummaryRow{
			{Term: v.T("people.name"), Value: row.Name}, {Term: v.T("people.position"), Value: row.Position},
			{Term: v.T("people.unit"), Value: row.Unit}, {Term: v.T("people.last"), Value: row.Last},
		},
	}))
}

func (s *Server) refuseActivation(w http.ResponseWriter, r *http.Request, v *Visit) error {
	reason := r.PostForm.Get("reason")
	who, err := s.Book.Activate(r.Context(), v.Session.Person, r.PathValue("request"), grant.Decision{Reason: reason})
	if lines, ok := v.Problems(err); ok {
		return s.showRefuse(w, r, v, http.StatusUnprocessableEntity, reason, lines)
	}
	return s.decided(w, r, v, who, "people.refused", err)
}

package web

import (
	"net/http"
	"net/url"
	"time"

	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/person"
	"sitthi/web/views"
)

// peoplePath is where heads and the centre see who signs in and who is locked, and let locked officers in again.
const peoplePath = "/ko1/people"

func (s *Server) peopleRoutes() []Route {
	return []Route{
		{Pattern: "GET " + peoplePath, Access: SignedIn, Handle: s.people},
		{Pattern: "POST " + peoplePath + "/{request}/confirm", Access: SignedIn, StepUp: true, Handle: s.confirmActivation},
		{Pattern: "GET " + peoplePath + "/{request}/refuse", Access: SignedIn, Handle: s.refuseForm},
		{Pattern: "POST " + peoplePath + "/{request}/refuse", Access: SignedIn, StepUp: true, Handle: s.refuseActivation},
	}
}

// people shows a head the sign-ins of his officers, and the centre who is locked or will be; above them who asks to be let
// in again.
func (s *Server) people(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showPeople(w, r, v, http.StatusOK, nil)
}

func (s *Server) showPeople(w http.ResponseWriter, r *http.Request, v *Visit, status int, faults []views.FieldError) error {
	list, err := s.Book.Attendances(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	soon := int(grant.LocksSoon / (24 * time.Hour))
	page := views.PeoplePage{
		Title: v.T("people.list"), Empty: views.EmptyParams{Title: v.T("people.none"), Text: v.T("people.none_text")},
	}
	if list.All {
		page.Title = v.T("people.list_all", "n", soon)
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
	locked, locking := 0, 0
	for _, a := range list.List {
		page.Rows = append(page.Rows, personRow(v, a))
		if a.Locked {
			locked++
		}
		if a.Soon {
			locking++
		}
	}
	page.Count = v.T("people.count", "n", len(list.List), "locked", locked, "soon", locking, "days", soon)
	if list.More {
		page.Count = v.T("people.more", "n", grant.MostAttendances)
	}
	p := v.Page("people.title")
	p.Subtitle = v.T("people.lead", "n", list.Days)
	p.Path, p.Problems = peoplePath, faults
	p.Crumbs = rightsCrumbs(v)
	return s.show(w, r, v, status, p, views.People(p, page))
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
		return s.showPeople(w, r, v, http.StatusConflict, []views.FieldError{{Text: v.Tell(err)}})
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
	q, err := s.requestOf(r, v.Session.Person)
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

// requestOf finds a request that waits for the reader's word.
func (s *Server) requestOf(r *http.Request, by person.ID) (grant.ActivationRequest, error) {
	list, err := s.Book.Attendances(r.Context(), by)
	if err != nil {
		return grant.ActivationRequest{}, err
	}
	for _, q := range list.Requests {
		if q.ID == r.PathValue("request") && q.Own {
			return q, nil
		}
	}
	return grant.ActivationRequest{}, problem.New(problem.NotFound, "activation.not_found")
}

func (s *Server) refuseActivation(w http.ResponseWriter, r *http.Request, v *Visit) error {
	reason := r.PostForm.Get("reason")
	who, err := s.Book.Activate(r.Context(), v.Session.Person, r.PathValue("request"), grant.Decision{Reason: reason})
	if lines, ok := v.Problems(err); ok {
		return s.showRefuse(w, r, v, http.StatusUnprocessableEntity, reason, lines)
	}
	return s.decided(w, r, v, who, "people.refused", err)
}

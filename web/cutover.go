package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/person"
	"sitthi/portal"
	"sitthi/web/views"
)

const cutoverPath = "/admin/cutover"

// cutoverRoutes are the pages on which a central administrator says from when on new cases of กอ.1 belong to which
// program, and where programs read it.
func (s *Server) cutoverRoutes() []Route {
	return []Route{
		{Pattern: "GET /ko1/cutover.json", Access: Open, Handle: s.cutoverData},
		{Pattern: "GET " + cutoverPath, Access: AdministratorOnly, Handle: s.cutovers},
		{Pattern: "GET " + cutoverPath + "/new", Access: AdministratorOnly, Handle: s.newCutover},
		{Pattern: "POST " + cutoverPath + "/new", Access: AdministratorOnly, StepUp: true, Handle: s.setCutover},
		{Pattern: "GET " + cutoverPath + "/{cutover}/withdraw", Access: AdministratorOnly, Handle: s.withdrawForm},
		{Pattern: "POST " + cutoverPath + "/{cutover}/withdraw", Access: AdministratorOnly, StepUp: true, Handle: s.withdrawCutover},
	}
}

// cutoverData tells programs who owns new cases. docs/operations.md describes it; fields are only ever added.
func (s *Server) cutoverData(w http.ResponseWriter, r *http.Request, _ *Visit) error {
	type change struct {
		Owner portal.Side `json:"owner"`
		From  string      `json:"from"`
		Note  struct {
			TH string `json:"th"`
			EN string `json:"en"`
		} `json:"note"`
		Announcement string `json:"announcement"`
	}
	told := func(c portal.Cutover) change {
		t := change{Owner: c.Owner, From: c.From.In(thai.Bangkok).Format(time.RFC3339), Announcement: c.Link}
		t.Note.TH, t.Note.EN = c.Note.TH, c.Note.EN
		return t
	}
	o, err := s.Portal.Ownership(r.Context(), portal.KO1)
	if err != nil {
		return err
	}
	answer := struct {
		System string      `json:"system"`
		At     string      `json:"at"`
		Owner  portal.Side `json:"owner"`
		Since  *change     `json:"since"` // null before the first
		Coming []change    `json:"coming"`
	}{System: o.System, At: o.At.In(thai.Bangkok).Format(time.RFC3339), Owner: o.Owner, Coming: []change{}}
	if o.Since.ID != "" {
		since := told(o.Since)
		answer.Since = &since
	}
	for _, c := range o.Coming {
		answer.Coming = append(answer.Coming, told(c))
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("write cut-over: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(append(body, '\n'))
	return err
}

// cutoverShown is how long after its moment a cut-over is still announced.
const cutoverShown = 30 * 24 * time.Hour

// cutoverNotices announce the cut-overs of กอ.1 that are to come, and the one that is just past.
func (s *Server) cutoverNotices(r *http.Request, v *Visit) ([]views.Announcement, error) {
	o, err := s.Portal.Ownership(r.Context(), portal.KO1)
	if err != nil {
		return nil, err
	}
	list := o.Coming
	if o.Since.ID != "" && o.At.Sub(o.Since.From) < cutoverShown {
		list = append([]portal.Cutover{o.Since}, list...)
	}
	notices := make([]views.Announcement, len(list))
	for i, c := range list {
		key := "cutover." + string(c.StateAt(o.At)) + "_" + string(c.Owner)
		notices[i] = views.Announcement{Title: v.T(key), Period: v.T("cutover.from_moment", "from", thai.Moment(c.From)), Link: c.Link, Lines: []string{v.T(key + "_text")}}
		if note := c.Note.In(v.Lang); note != "" {
			notices[i].Lines = append(notices[i].Lines, strings.Split(note, "\n")...)
		}
	}
	return notices, nil
}

func (s *Server) cutovers(w http.ResponseWriter, r *http.Request, v *Visit) error {
	o, err := s.Portal.Ownership(r.Context(), portal.KO1)
	if err != nil {
		return err
	}
	list, err := s.Portal.Cutovers(r.Context(), portal.KO1)
	if err != nil {
		return err
	}
	ids := make([]person.ID, len(list))
	for i, c := range list {
		ids[i] = person.ID(c.CreatedBy)
	}
	names, err := s.Book.Names(r.Context(), v.Session.Person, ids)
	if err != nil {
		return err
	}
	page := views.CutoversPage{Owner: v.T("cutover.side_" + string(o.Owner)), Since: v.T("cutover.never")}
	if o.Since.ID != "" {
		page.Since = thai.Moment(o.Since.From).InLanguage(string(v.Lang))
	}
	kinds := map[portal.State]views.BadgeKind{portal.Coming: views.BadgeWaiting, portal.Current: views.BadgeOff, portal.Closed: views.BadgeDanger}
	for _, c := range list {
		state := c.StateAt(o.At)
		row := views.CutoverRow{
			From: thai.Moment(c.From).InLanguage(string(v.Lang)), Owner: v.T("cutover.side_" + string(c.Owner)),
			Note: c.Note.In(v.Lang), Link: c.Link, By: logName(v, c.CreatedBy, names),
			State: v.T("cutover.state_" + string(state)), Kind: kinds[state],
		}
		if c.ID == o.Since.ID {
			row.State, row.Kind = v.T("cutover.state_holds"), views.BadgeOK
		}
		if len(o.Coming) > 0 && c.ID == o.Coming[len(o.Coming)-1].ID {
			row.Withdraw = cutoverPath + "/" + c.ID + "/withdraw"
		}
		page.Rows = append(page.Rows, row)
	}
	p := v.Page("cutover.title")
	p.Subtitle, p.Crumbs = v.T("cutover.text"), v.adminCrumbs()
	return s.show(w, r, v, http.StatusOK, p, views.Cutovers(p, page))
}

// newCutover shows the form with the other side chosen, at a midnight.
func (s *Server) newCutover(w http.ResponseWriter, r *http.Request, v *Visit) error {
	o, err := s.Portal.Ownership(r.Context(), portal.KO1)
	if err != nil {
		return err
	}
	last := o.Owner
	if n := len(o.Coming); n > 0 {
		last = o.Coming[n-1].Owner
	}
	return s.showCutover(w, r, v, http.StatusOK, views.CutoverForm{Owner: string(last.Other()), Hour: "00:00"}, nil)
}

func (s *Server) showCutover(w http.ResponseWriter, r *http.Request, v *Visit, status int, f views.CutoverForm, faults []views.FieldError) error {
	f.Action = cutoverPath + "/new"
	for _, side := range []portal.Side{portal.New, portal.Old} {
		f.Owners = append(f.Owners, views.Option{Value: string(side), Label: v.T("cutover.side_" + string(side))})
	}
	p := v.Page("cutover.set")
	p.Crumbs, p.Narrow, p.Problems = v.adminCrumbs("cutover.title", cutoverPath), true, faults
	return s.show(w, r, v, status, p, views.CutoverEdit(p, f))
}

func (s *Server) setCutover(w http.ResponseWriter, r *http.Request, v *Visit) error {
	get := r.PostForm.Get
	f := views.CutoverForm{
		Owner: get("owner"), Day: get("day"), Hour: get("hour"), NoteTH: get("note_th"), NoteEN: get("note_en"), Link: get("link"),
	}
	var c problem.Check
	n := portal.CutoverDraft{
		Owner: portal.Side(f.Owner), From: readMoment(&c, f.Day, f.Hour), Note: locale.Name{TH: f.NoteTH, EN: f.NoteEN}, Link: f.Link,
	}
	err := c.Err()
	if err == nil {
		_, err = s.Portal.SetCutover(r.Context(), v.by(), portal.KO1, n)
	}
	if faults, ok := v.Problems(err); ok {
		for i := range faults {
			if faults[i].Field == "from" { // the moment is typed in two fields
				faults[i].Field = "day"
			}
		}
		return s.showCutover(w, r, v, http.StatusUnprocessableEntity, f, faults)
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, cutoverPath, v.Notice(views.NoticeOK, "cutover.saved", "from", thai.Moment(n.From)))
}

// readMoment reads the fields day and hour; both are needed.
func readMoment(c *problem.Check, day, hour string) time.Time {
	date := readDay(c, "day", day)
	if date.IsZero() && !c.Failed("day") {
		c.Fail("day", "portal.problem.cutover_from_empty")
	}
	after, err := thai.ParseHour(hour)
	if err != nil {
		c.Fail("hour", "portal.problem.hour")
	}
	if c.Failed() {
		return time.Time{}
	}
	return date.StartOfDay().Add(after)
}

func (s *Server) withdrawForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	c, err := s.Portal.Cutover(r.Context(), r.PathValue("cutover"))
	if err == nil && !c.ClosedAt.IsZero() {
		err = problem.New(problem.Conflict, "portal.problem.cutover_withdrawn")
	}
	if err != nil {
		return err
	}
	return s.showWithdraw(w, r, v, http.StatusOK, c, nil)
}

func (s *Server) showWithdraw(w http.ResponseWriter, r *http.Request, v *Visit, status int, c portal.Cutover, faults []views.FieldError) error {
	p := v.Page("cutover.withdraw")
	p.Crumbs, p.Narrow, p.Problems = v.adminCrumbs("cutover.title", cutoverPath), true, faults
	return s.show(w, r, v, status, p, views.CutoverWithdraw(p, views.WithdrawForm{
		Action: cutoverPath + "/" + c.ID + "/withdraw", Version: strconv.FormatInt(c.Version, 10),
		From: thai.Moment(c.From).InLanguage(string(v.Lang)), Owner: v.T("cutover.side_" + string(c.Owner)),
	}))
}

func (s *Server) withdrawCutover(w http.ResponseWriter, r *http.Request, v *Visit) error {
	id := r.PathValue("cutover")
	switch err := s.Portal.WithdrawCutover(r.Context(), v.by(), id, formVersion(r)); {
	case errors.Is(err, problem.Conflict):
		c, findErr := s.Portal.Cutover(r.Context(), id)
		if findErr != nil {
			return findErr
		}
		return s.showWithdraw(w, r, v, http.StatusConflict, c, []views.FieldError{{Text: v.Tell(err)}})
	case err != nil:
		return err
	}
	return s.see(w, r, v, cutoverPath, v.Notice(views.NoticeOK, "cutover.withdrawn"))
}

package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/person"
	"sitthi/web/views"
)

const (
	whyPath  = "/why"
	asOfPath = rightsPath + "/as-of"
)

// whyRoutes are the pages that tell why somebody may do something or may not, and who could do what on a day.
func (s *Server) whyRoutes() []Route {
	return []Route{
		{Pattern: "GET " + whyPath, Access: SignedIn, Handle: s.why},
		{Pattern: "POST " + whyPath, Access: SignedIn, Handle: s.askWhy},
		{Pattern: "GET " + asOfPath, Access: SignedIn, Handle: s.asOf},
		{Pattern: "GET " + asOfPath + "/export.xlsx", Access: SignedIn, Handle: s.exportAsOf},
	}
}

// whyOf is the address of the page that explains what a person may do in a place now.
func whyOf(who person.ID, do grant.Action, at grant.Place) string {
	return whyPath + "?" + url.Values{"person": {string(who)}, "action": {doCode(do)}, "place": {placeCode(at)}}.Encode()
}

// administer is the action of a head in addresses; levels have a code of their own.
const administer = "administer"

// The actions that can be asked about, in their order.
func doCode(do grant.Action) string {
	if do == grant.Administer {
		return administer
	}
	return grant.Level(do).Row().Code
}

func doOf(code string) (grant.Action, bool) {
	if code == administer {
		return grant.Administer, true
	}
	row, ok := grant.LevelOf(code)
	return row.Level.Do(), ok
}

// A place in an address and a form is TH-12, or IWM/G1 for a group.
func placeCode(at grant.Place) string {
	if at.Team == "" {
		return at.Unit
	}
	return at.Unit + "/" + at.Team
}

func placeOfCode(code string) grant.Place {
	unit, team, _ := strings.Cut(code, "/")
	return grant.Place{Unit: unit, Team: team}
}

// asks reports whether a reader may ask about others.
func asks(v *Visit) bool { return v.head() || readsAll(v) }

// why shows the form and, once it is filled in, the answer.
func (s *Server) why(w http.ResponseWriter, r *http.Request, v *Visit) error {
	given := r.URL.Query()
	who := person.ID(given.Get("person"))
	if who == "" && !asks(v) {
		who = v.Session.Person
	}
	if who == "" || given.Get("action") == "" || given.Get("place") == "" {
		return s.showWhy(w, r, v, http.StatusOK, given, who, nil, nil)
	}
	q, err := readQuestion(v, given)
	if lines, ok := v.Problems(err); ok {
		return s.showWhy(w, r, v, http.StatusUnprocessableEntity, given, who, nil, lines)
	}
	q.Who = who
	e, err := s.Book.Why(r.Context(), v.Session.Person, q)
	if err != nil {
		return err
	}
	return s.showWhy(w, r, v, http.StatusOK, given, who, &e, nil)
}

// askWhy turns a citizen ID into a person, so that the ID itself stands in no address.
func (s *Server) askWhy(w http.ResponseWriter, r *http.Request, v *Visit) error {
	form := r.PostForm
	var check problem.Check
	q, err := readQuestion(v, form)
	if err := check.Merge(err); err != nil {
		return err
	}
	who := person.ID(form.Get("person"))
	switch {
	case !asks(v):
		who = v.Session.Person
	case strings.TrimSpace(form.Get("citizen")) != "":
		citizen := readCitizen(&check, "citizen", form.Get("citizen"))
		if check.Failed() {
			break
		}
		who, err = s.Book.Sought(r.Context(), v.Session.Person, q.At.Unit, citizen)
		if errors.Is(err, problem.NotFound) {
			check.Fail("citizen", "problem.person_unknown")
			err = nil
		}
		if lines := askedTooMuch(w, v, err); lines != nil {
			return s.showWhy(w, r, v, http.StatusTooManyRequests, form, "", nil, lines)
		}
		if err != nil {
			return err
		}
	case who == "":
		check.Fail("citizen", "grant.citizen_missing")
	}
	if lines, ok := v.Problems(check.Err()); ok {
		return s.showWhy(w, r, v, http.StatusUnprocessableEntity, form, "", nil, lines)
	}
	query := url.Values{"person": {string(who)}, "action": {form.Get("action")}, "place": {form.Get("place")}}
	for _, name := range []string{"day", "time"} {
		if typed := strings.TrimSpace(form.Get(name)); typed != "" {
			query.Set(name, typed)
		}
	}
	return s.see(w, r, v, whyPath+"?"+query.Encode(), nil)
}

// readQuestion reads what is asked, but for whom it is about.
func readQuestion(v *Visit, form url.Values) (grant.Question, error) {
	var check problem.Check
	do, ok := doOf(form.Get("action"))
	if !ok {
		check.Fail("action", "why.action_missing")
	}
	at := placeOfCode(form.Get("place"))
	if at.Unit == "" {
		check.Fail("place", "why.place_missing")
	}
	moment := readAskedMoment(&check, v.Now, form.Get("day"), form.Get("time"))
	return grant.Question{Do: do, At: at, Moment: moment}, check.Err()
}

// readAskedMoment reads a day and a time of the clock. Without a day it is now, which is zero, or, with a time, today at
// that time; a day without a time is its end, and the present day now.
func readAskedMoment(check *problem.Check, now time.Time, dayTyped, timeTyped string) time.Time {
	day := readDate(check, "day", dayTyped)
	after, err := thai.ParseHour(timeTyped)
	switch {
	case errors.Is(err, thai.ErrEmpty) && (day.IsZero() || day == thai.DateOf(now)):
		return time.Time{}
	case errors.Is(err, thai.ErrEmpty):
		return day.EndExclusive().Add(-time.Microsecond).UTC()
	case err != nil:
		check.Fail("time", "why.time_wrong")
		return time.Time{}
	case day.IsZero():
		day = thai.DateOf(now)
	}
	return day.StartOfDay().Add(after).UTC()
}

func (s *Server) showWhy(w http.ResponseWriter, r *http.Request, v *Visit, status int, typed url.Values, who person.ID, e *grant.Explanation, problems []views.FieldError) error {
	p := v.Page("why.title")
	p.Subtitle = v.T("why.subtitle")
	p.Crumbs = rightsCrumbs(v)
	if asks(v) {
		p.Crumbs = rightsCrumbs(v, toRights(v))
	}
	p.Narrow, p.Problems = true, problems
	body := views.WhyPage{
		Action: whyPath, Asks: asks(v), Person: string(who), Citizen: typed.Get("citizen"), Chosen: typed.Get("person"),
		Do: typed.Get("action"), Place: typed.Get("place"), Day: typed.Get("day"), Time: typed.Get("time"),
	}
	switch {
	case who == v.Session.Person:
		body.Name = v.T("why.yourself", "who", v.Session.Account.Name())
	case e != nil:
		body.Name = logName(v, string(who), e.Names)
	}
	if body.Name != "" && asks(v) {
		body.Others = whyPath
	}
	for _, row := range grant.Levels {
		body.Actions = append(body.Actions, views.Option{Value: row.Code, Label: levelName(v, row.Level)})
	}
	body.Actions = append(body.Actions, views.Option{Value: administer, Label: v.T("why.do_administer")})
	choices, err := s.askable(r, v, who)
	if err != nil {
		return err
	}
	body.Places = placeOptions(v, choices)
	for _, code := range choices.Scope.Heads {
		if body.Name != "" {
			break
		}
		people, err := s.Book.People(r.Context(), v.Session.Person, code)
		if err != nil {
			return err
		}
		for _, one := range people {
			body.People = append(body.People, views.Option{Value: string(one.Person), Label: one.Name + " – " + one.Position})
		}
	}
	if body.Place == "" && len(choices.Units) == 1 {
		body.Place = choices.Units[0].Code
	}
	if e != nil {
		body.Answer = s.answerOf(v, *e)
	}
	return s.show(w, r, v, status, p, views.Why(p, body))
}

// askable are the places that a reader may ask about: his own units, for who sees every unit all of them, and about
// himself everyone all.
func (s *Server) askable(r *http.Request, v *Visit, who person.ID) (grant.Choices, error) {
	if who == v.Session.Person || !asks(v) {
		return s.Book.Places(r.Context())
	}
	return s.Book.Choices(r.Context(), v.Session.Person)
}

// placeOptions lists units, each with its groups behind it.
func placeOptions(v *Visit, c grant.Choices) []views.Option {
	var list []views.Option
	for _, u := range c.Units {
		group := ""
		if len(c.Teams[u.Code]) > 0 {
			group = u.Short.In(v.Lang)
		}
		list = append(list, views.Option{Value: u.Code, Label: u.Short.In(v.Lang), Group: group})
		for _, t := range c.Teams[u.Code] {
			list = append(list, views.Option{Value: u.Code + "/" + t.Code, Label: t.Name.In(v.Lang), Group: group})
		}
	}
	return list
}

// readsAll reports whether the reader sees every unit, and the log.
func readsAll(v *Visit) bool { return v.Posts.Administrator || v.Posts.Auditor }

package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/person"
	"sitthi/program"
	"sitthi/web/views"
)

const decisionsPath = "/log/decisions"

func (s *Server) decisionRoutes() []Route {
	return []Route{
		{Pattern: "GET " + decisionsPath, Access: AuditorOrAdministrator, Handle: s.readDecisions},
		{Pattern: "POST " + decisionsPath, Access: AuditorOrAdministrator, Handle: s.findInDecisions},
	}
}

// The filters of the log of answers, as they stand in its address.
const (
	decisionProgram = "program"
	decisionPerson  = "person" // id
	decisionUnit    = "unit"
	decisionOutcome = "outcome"
	decisionFrom    = "from"
	decisionTo      = "to"
	decisionBefore  = "before" // where the page begins; not a filter
)

var decisionFilters = []string{decisionProgram, decisionPerson, decisionUnit, decisionOutcome, decisionFrom, decisionTo}

// decisionTerms are the words for the filters.
var decisionTerms = map[string]string{
	decisionProgram: "decision.program", decisionPerson: "decision.person", decisionUnit: "decision.unit",
	decisionOutcome: "decision.outcome", decisionFrom: "decision.from", decisionTo: "decision.to_day",
}

// readDecisions shows what programs were answered to auditors and central administrators.
func (s *Server) readDecisions(w http.ResponseWriter, r *http.Request, v *Visit) error {
	page := views.DecisionsPage{Filters: filtersOf(r.URL.Query(), decisionFilters)}
	return s.showDecisions(w, r, v, page, r.URL.Query().Get(decisionBefore), nil)
}

// findInDecisions turns a citizen ID into a person, so that the ID itself stands in no address.
func (s *Server) findInDecisions(w http.ResponseWriter, r *http.Request, v *Visit) error {
	page := views.DecisionsPage{Filters: filtersOf(r.PostForm, decisionFilters), CitizenID: r.PostForm.Get("citizen_id")}
	citizen, err := thai.ParseCitizenID(page.CitizenID)
	if err != nil {
		return s.showDecisions(w, r, v, page, "", []views.FieldError{{Field: "citizen_id", Text: v.T("log.citizen_id_wrong")}})
	}
	who, err := s.Book.PersonOf(r.Context(), v.Session.Person, citizen)
	if errors.Is(err, problem.NotFound) {
		return s.showDecisions(w, r, v, page, "", []views.FieldError{{Field: "citizen_id", Text: v.T("log.citizen_id_unknown")}})
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, addressOf(decisionsPath, page.Filters, decisionPerson, string(who)), nil)
}

func (s *Server) showDecisions(w http.ResponseWriter, r *http.Request, v *Visit, page views.DecisionsPage, before string, faults []views.FieldError) error {
	programs, err := s.Programs.List(r.Context(), v.by())
	if err != nil {
		return err
	}
	units, err := s.Agencies.Units(r.Context())
	if err != nil {
		return err
	}
	q := program.Query{
		Program: page.Filters.Get(decisionProgram), Person: person.ID(page.Filters.Get(decisionPerson)), Unit: page.Filters.Get(decisionUnit),
		Outcome: program.Outcome(page.Filters.Get(decisionOutcome)), Before: before,
	}
	day := func(field string, bound func(thai.Date) time.Time) (at time.Time) {
		typed, err := logDate(page.Filters.Get(field))
		switch {
		case err != nil:
			faults = append(faults, views.FieldError{Field: field, Text: v.T("log.date_wrong")})
		case !typed.IsZero():
			at = bound(typed)
		}
		return at
	}
	q.From, q.To = day(decisionFrom, thai.Date.StartOfDay), day(decisionTo, thai.Date.EndExclusive)
	status := http.StatusOK
	var list []program.Answer
	var next string
	if len(faults) > 0 {
		status = http.StatusUnprocessableEntity
	} else if list, next, err = s.Decisions.Answers(r.Context(), v.Session.Person, q); err != nil {
		return err
	}

	unitNames := make(map[string]string, len(units))
	for _, u := range units {
		unitNames[u.Code] = u.Short.In(v.Lang)
	}
	if page.Answers, err = s.decisionRows(r, v, list, unitNames, page.Filters); err != nil {
		return err
	}
	page.Path, page.Units = decisionsPath, logUnits(v, units)
	for _, one := range programs {
		page.Programs = append(page.Programs, views.Option{Value: one.ID, Label: one.Name})
	}
	page.Outcomes = []views.Option{
		{Value: string(program.Allowed), Label: v.T("decision.allowed")}, {Value: string(program.Refused), Label: v.T("decision.refused")},
	}
	if page.Set, err = s.decisionsSet(r, v, page, unitNames); err != nil {
		return err
	}
	if next != "" {
		page.Older = addressOf(decisionsPath, page.Filters, decisionBefore, next)
	}
	if before != "" {
		page.Newest = addressOf(decisionsPath, page.Filters)
	}
	p := v.Page("decision.title")
	p.Subtitle, p.Problems = v.T("decision.subtitle"), faults
	p.Crumbs = []views.Crumb{{Label: v.T("log.title"), Href: logPath}}
	if v.Posts.Administrator {
		p.Crumbs = v.adminCrumbs("program.title", programsPath)
	}
	return s.show(w, r, v, status, p, views.Decisions(p, page))
}

// decisionsSet says in words which filters are set, each with a link to the log without it.
func (s *Server) decisionsSet(r *http.Request, v *Visit, page views.DecisionsPage, units map[string]string) (set []views.SummaryRow, err error) {
	names, err := s.Book.Names(r.Context(), v.Session.Person, []person.ID{person.ID(page.Filters.Get(decisionPerson))})
	if err != nil {
		return nil, err
	}
	for _, name := range decisionFilters {
		value := page.Filters.Get(name)
		if value == "" {
			continue
		}
		words := value
		switch name {
		case decisionProgram:
			if i := slices.IndexFunc(page.Programs, func(o views.Option) bool { return o.Value == value }); i >= 0 {
				words = page.Programs[i].Label
			}
		case decisionPerson:
			words = logName(v, value, names)
		case decisionUnit:
			words = cmp.Or(units[value], value)
		case decisionOutcome:
			words = s.textOr(v, "decision."+value, value)
		}
		set = append(set, views.SummaryRow{
			Term: v.T(decisionTerms[name]), Value: words, Action: v.T("parts.clear"), Href: addressOf(decisionsPath, page.Filters, name, ""),
		})
	}
	return set, nil
}

// decisionRows puts answers into the reader's words. Persons and programs are links to what else the log holds of them,
// which keep the filters; without filters, on the page of one program, the program is left out.
func (s *Server) decisionRows(r *http.Request, v *Visit, list []program.Answer, units map[string]string, filters url.Values) ([]views.DecisionRow, error) {
	ids := make([]person.ID, len(list))
	for i, a := range list {
		ids[i] = a.Subject
	}
	names, err := s.Book.Names(r.Context(), v.Session.Person, ids)
	if err != nil {
		return nil, err
	}
	rows := make([]views.DecisionRow, len(list))
	for i, a := range list {
		row := views.DecisionRow{
			When: v.moment(a.At), Machine: a.At.Format(time.RFC3339Nano), Allowed: a.Allowed, Request: a.Request, Unit: cmp.Or(units[a.Unit], a.Unit),
			Team: a.Team, Action: s.textOr(v, "program.action."+a.Action, a.Action), Why: s.textOr(v, "decision.reason."+a.Reason, a.Reason),
			Grant: a.GrantNumber,
		}
		if filters != nil {
			row.Program = views.LogPerson{Name: cmp.Or(a.ProgramName, a.Program), Href: addressOf(decisionsPath, filters, decisionProgram, a.Program)}
		}
		if a.Subject != "" {
			row.Person = views.LogPerson{Name: logName(v, string(a.Subject), names), Href: addressOf(decisionsPath, filters, decisionPerson, string(a.Subject))}
		}
		if !a.Moment.IsZero() {
			row.Moment = v.moment(a.Moment)
		}
		rows[i] = row
	}
	return rows, nil
}

// filtersOf keeps the filters that are set, and nothing else.
func filtersOf(q url.Values, names []string) url.Values {
	filters := url.Values{}
	for _, name := range names {
		if value := strings.TrimSpace(q.Get(name)); value != "" {
			filters.Set(name, value)
		}
	}
	return filters
}

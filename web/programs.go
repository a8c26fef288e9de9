package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"sitthi/agency"
	"sitthi/internal/thai"
	"sitthi/person"
	"sitthi/program"
	"sitthi/web/views"
)

const programsPath = "/admin/programs"

// programRoutes are the pages on which central administrators keep the programs that ask who may do what.
func (s *Server) programRoutes() []Route {
	return []Route{
		{Pattern: "GET " + programsPath, Access: AdministratorOnly, Handle: s.programs},
		{Pattern: "GET " + programsPath + "/new", Access: AdministratorOnly, Handle: s.newProgram},
		{Pattern: "POST " + programsPath + "/new", Access: AdministratorOnly, StepUp: true, Handle: s.addProgram},
		{Pattern: "GET " + programsPath + "/{program}", Access: AdministratorOnly, Handle: s.program},
		{Pattern: "GET " + programsPath + "/{program}/revoke", Access: AdministratorOnly, Handle: s.programEnd},
		{Pattern: "POST " + programsPath + "/{program}/revoke", Access: AdministratorOnly, StepUp: true, Handle: s.revokeProgram},
	}
}

func programPath(id string) string { return programsPath + "/" + url.PathEscape(id) }

// programs lists the programs, the newest first.
func (s *Server) programs(w http.ResponseWriter, r *http.Request, v *Visit) error {
	list, err := s.Programs.List(r.Context(), v.by())
	if err != nil {
		return err
	}
	units, err := s.unitNames(r, v)
	if err != nil {
		return err
	}
	p := v.Page("program.title")
	p.Subtitle, p.Crumbs = v.T("program.subtitle"), v.adminCrumbs()
	rows := make([]views.ProgramRow, len(list))
	for i, one := range list {
		rows[i] = views.ProgramRow{
			Name: one.Name, Href: programPath(one.ID), Units: v.programUnits(one.Scope, units, 3), Actions: v.programActions(one.Scope),
			Created: v.moment(one.CreatedAt), Used: v.momentOr(one.UsedAt, "program.never"), Ends: v.programEnds(one),
			State: v.T("program.state." + string(one.StateAt(v.Now))), Kind: programKinds[one.StateAt(v.Now)],
		}
	}
	return s.show(w, r, v, http.StatusOK, p, views.Programs(p, rows))
}

var programKinds = map[program.State]views.BadgeKind{
	program.Live: views.BadgeOK, program.Ended: views.BadgeOff, program.Revoked: views.BadgeDanger,
}

// unitNames are the short names of all units, by code.
func (s *Server) unitNames(r *http.Request, v *Visit) (map[string]string, error) {
	units, err := s.Agencies.Units(r.Context())
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(units))
	for _, u := range units {
		names[u.Code] = u.Short.In(v.Lang)
	}
	return names, nil
}

// programUnits says which units a program may ask about; of many, only so many are named.
func (v *Visit) programUnits(scope program.Scope, names map[string]string, most int) string {
	if scope.AllUnits {
		return v.T("program.all_units")
	}
	shown := min(len(scope.Units), most)
	list := make([]string, shown)
	for i, code := range scope.Units[:shown] {
		list[i] = cmp.Or(names[code], code)
	}
	text := strings.Join(list, ", ")
	if more := len(scope.Units) - shown; more > 0 {
		text += " " + v.T("program.more_units", "n", more)
	}
	return text
}

func (v *Visit) programActions(scope program.Scope) string {
	if scope.AllActions {
		return v.T("program.all_actions")
	}
	var list []string
	for _, a := range program.Actions { // in the order in which they are offered
		if slices.Contains(scope.Actions, a.Code) {
			list = append(list, v.T("program.action."+a.Code))
		}
	}
	return strings.Join(list, ", ")
}

func (v *Visit) moment(at time.Time) string { return thai.Moment(at).InLanguage(string(v.Lang)) }

func (v *Visit) momentOr(at time.Time, key string) string {
	if at.IsZero() {
		return v.T(key)
	}
	return v.moment(at)
}

func (v *Visit) programEnds(p program.Program) string {
	if p.Until.IsZero() {
		return v.T("program.no_end")
	}
	return p.LastDay().InLanguage(string(v.Lang))
}

func (s *Server) newProgram(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showNewProgram(w, r, v, http.StatusOK, views.ProgramForm{}, nil)
}

func (s *Server) showNewProgram(w http.ResponseWriter, r *http.Request, v *Visit, status int, f views.ProgramForm, faults []views.FieldError) error {
	units, err := s.Agencies.Units(r.Context())
	if err != nil {
		return err
	}
	for _, u := range units {
		if !u.Active {
			continue
		}
		group := v.T("agency.kind_" + u.Kind)
		if u.Kind == agency.Province {
			group = v.T("agency.region_" + u.Region)
		}
		f.UnitOptions = append(f.UnitOptions, views.Option{Value: u.Code, Label: u.Short.In(v.Lang), Group: group})
	}
	// The groups stand together, in the order of the first unit of each.
	var order []string
	for _, o := range f.UnitOptions {
		if !slices.Contains(order, o.Group) {
			order = append(order, o.Group)
		}
	}
	slices.SortStableFunc(f.UnitOptions, func(a, b views.Option) int {
		return cmp.Compare(slices.Index(order, a.Group), slices.Index(order, b.Group))
	})
	for _, a := range program.Actions {
		f.ActionOptions = append(f.ActionOptions, views.Option{Value: a.Code, Label: v.T("program.action." + a.Code)})
	}
	p := v.Page("program.add")
	p.Subtitle, p.Crumbs, p.Narrow, p.Problems = v.T("program.add_text"), v.adminCrumbs("program.title", programsPath), true, faults
	return s.show(w, r, v, status, p, views.ProgramNew(p, f))
}

func (s *Server) addProgram(w http.ResponseWriter, r *http.Request, v *Visit) error {
	get := r.PostForm.Get
	f := views.ProgramForm{Name: get("name"), Which: get("which"), Units: r.PostForm["units"], Actions: r.PostForm["actions"], Until: get("until")}
	o := program.Order{Name: f.Name, Scope: program.Scope{AllUnits: f.Which == "all", Units: f.Units, Actions: f.Actions}}
	var faults []views.FieldError
	if f.Until != "" {
		var err error
		if o.LastDay, err = thai.ParseDate(f.Until); err != nil {
			faults = append(faults, views.FieldError{Field: "until", Text: v.T("log.date_wrong")})
		}
	}
	if len(faults) > 0 {
		return s.showNewProgram(w, r, v, http.StatusUnprocessableEntity, f, faults)
	}
	made, token, err := s.Programs.Create(r.Context(), v.by(), o)
	if lines, ok := v.Problems(err); ok {
		return s.showNewProgram(w, r, v, http.StatusUnprocessableEntity, f, lines)
	}
	if err != nil {
		return err
	}
	notice := v.Notice(views.NoticeOK, "program.added", "name", made.Name)
	notice.Secret = token
	return s.see(w, r, v, programPath(made.ID), notice)
}

// answersShown is how many of a program's last answers its page shows.
const answersShown = 20

// program is the page of one program: what it may ask, and what it was answered.
func (s *Server) program(w http.ResponseWriter, r *http.Request, v *Visit) error {
	one, err := s.Programs.Find(r.Context(), v.by(), r.PathValue("program"))
	if err != nil {
		return err
	}
	units, err := s.unitNames(r, v)
	if err != nil {
		return err
	}
	names, err := s.Book.Names(r.Context(), v.Session.Person, []person.ID{person.ID(one.CreatedBy), person.ID(one.RevokedBy)})
	if err != nil {
		return err
	}
	count, err := s.Decisions.Counts(r.Context(), v.Session.Person, one.ID, v.Now.Add(-24*time.Hour))
	if err != nil {
		return err
	}
	list, _, err := s.Decisions.Answers(r.Context(), v.Session.Person, program.Query{Program: one.ID, Limit: answersShown})
	if err != nil {
		return err
	}
	state := one.StateAt(v.Now)
	page := views.ProgramPage{
		Revoke: state != program.Revoked, Path: programPath(one.ID), All: decisionsPath + "?" + url.Values{decisionProgram: {one.ID}}.Encode(),
		Allowed: count.Allowed, Refused: count.Refused,
		Rows: []views.SummaryRow{
			{Term: v.T("program.state"), Body: views.Badge(programKinds[state], v.T("program.state."+string(state)))},
			{Term: v.T("program.units"), Value: v.programUnits(one.Scope, units, len(one.Scope.Units))},
			{Term: v.T("program.actions"), Value: v.programActions(one.Scope)},
			{Term: v.T("program.used"), Value: v.momentOr(one.UsedAt, "program.never")},
			{Term: v.T("program.until"), Value: v.programEnds(one)},
			{Term: v.T("program.created"), Value: v.moment(one.CreatedAt) + " · " + logName(v, one.CreatedBy, names)},
			{Term: v.T("program.id"), Value: one.ID},
		},
	}
	if state == program.Revoked {
		page.Rows = append(page.Rows,
			views.SummaryRow{Term: v.T("program.revoked"), Value: v.moment(one.RevokedAt) + " · " + logName(v, one.RevokedBy, names)},
			views.SummaryRow{Term: v.T("program.reason"), Value: one.RevokeReason})
	}
	if page.Answers, err = s.decisionRows(r, v, list, units, nil); err != nil {
		return err
	}
	p := v.Page("program.one", "name", one.Name)
	p.Crumbs = v.adminCrumbs("program.title", programsPath)
	return s.show(w, r, v, http.StatusOK, p, views.Program(p, page))
}

func (s *Server) programEnd(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showProgramEnd(w, r, v, http.StatusOK, nil)
}

func (s *Server) showProgramEnd(w http.ResponseWriter, r *http.Request, v *Visit, status int, faults []views.FieldError) error {
	one, err := s.Programs.Find(r.Context(), v.by(), r.PathValue("program"))
	if err != nil {
		return err
	}
	p := v.Page("program.revoke_title", "name", one.Name)
	p.Crumbs, p.Narrow, p.Problems = v.adminCrumbs("program.title", programsPath, "program.this", programPath(one.ID)), true, faults
	form := views.RevokeForm{Path: programPath(one.ID), Reason: r.PostForm.Get("reason"), Used: v.momentOr(one.UsedAt, "program.never")}
	return s.show(w, r, v, status, p, views.ProgramRevoke(p, form))
}

func (s *Server) revokeProgram(w http.ResponseWriter, r *http.Request, v *Visit) error {
	id := r.PathValue("program")
	err := s.Programs.Revoke(r.Context(), v.by(), id, r.PostForm.Get("reason"))
	if lines, ok := v.Problems(err); ok {
		return s.showProgramEnd(w, r, v, http.StatusUnprocessableEntity, lines)
	}
	if isConflict(err) { // it is what was wanted, and the page says who did it
		return s.see(w, r, v, programPath(id), v.Notice(views.NoticeInfo, "program.problem.revoked"))
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, programPath(id), v.Notice(views.NoticeOK, "program.revoked_now"))
}

package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/thai"
	"sitthi/person"
	"sitthi/web/views"
)

// rightsRoutes are the pages of the manual's section 4: the grids of rights, giving, ending and changing them.
func (s *Server) rightsRoutes() []Route {
	return []Route{
		{Pattern: "GET /ko1/rights", Access: SignedIn, Handle: s.rightsOverview},
		{Pattern: "GET /ko1/rights/{level}", Access: SignedIn, Handle: s.rightsGrid},
		{Pattern: "POST /ko1/rights/{level}/find", Access: SignedIn, Handle: s.findInGrid},
		{Pattern: "GET /ko1/rights/{level}/export.xlsx", Access: SignedIn, Handle: s.exportXLSX},
		{Pattern: "GET /ko1/rights/{level}/export.csv", Access: SignedIn, Handle: s.exportCSV},
		{Pattern: "GET /ko1/rights/{level}/new", Access: HeadOnly, Handle: s.giveForm},
		{Pattern: "POST /ko1/rights/{level}/person", Access: HeadOnly, Handle: s.lookUp},
		{Pattern: "POST /ko1/rights/{level}", Access: HeadOnly, StepUp: true, FormAt: "/ko1/rights/{level}/new", Handle: s.giveRight},
		{Pattern: "GET /ko1/rights/waiting", Access: HeadOnly, Handle: s.waiting},
		{Pattern: "POST /ko1/rights/waiting", Access: HeadOnly, StepUp: true, FormLimit: biggestList, Handle: s.confirmChosen},
		{Pattern: "POST /ko1/rights/waiting/{unit}/{person}", Access: HeadOnly, StepUp: true, Handle: s.decideIdentity},
		{Pattern: "GET /ko1/grants/{grant}", Access: SignedIn, Handle: s.seeRight},
		{Pattern: "GET /ko1/grants/{grant}/end", Access: HeadOnly, Handle: s.endForm},
		{Pattern: "POST /ko1/grants/{grant}/end", Access: HeadOnly, StepUp: true, Handle: s.endRight},
		{Pattern: "GET /ko1/grants/{grant}/change", Access: HeadOnly, Handle: s.changeForm},
		{Pattern: "POST /ko1/grants/{grant}/change", Access: HeadOnly, StepUp: true, Handle: s.changeRight},
		{Pattern: "POST /ko1/grants/{grant}/again", Access: HeadOnly, StepUp: true, Handle: s.giveAgain},
	}
}

const rightsPath = "/ko1/rights"

// allLevels is the level of the overview, which shows every one.
var allLevels = grant.LevelRow{Code: "all", Name: locale.Name{TH: "ทุกระดับ", EN: "All levels"}}

// levelOf reads the level of an address; one that does not exist is an absent page.
func levelOf(r *http.Request) (grant.LevelRow, error) {
	code := r.PathValue("level")
	if code == allLevels.Code {
		return allLevels, nil
	}
	row, ok := grant.LevelOf(code)
	if !ok {
		return row, problem.New(problem.NotFound, "problem.notfound")
	}
	return row, nil
}

// onlyHeads tells who is no head, and reads no log either, why the page is not for him and what to do.
func onlyHeads(v *Visit) error {
	if v.head() || v.Posts.Administrator || v.Posts.Auditor {
		return nil
	}
	return problem.New(problem.Denied, "problem.only_head")
}

// rightsCrumbs lead from the menu over the entrance to the rights.
func rightsCrumbs(v *Visit, more ...views.Crumb) []views.Crumb {
	return append([]views.Crumb{{Label: v.T("rights.crumb_menu"), Href: "/intranet"}, {Label: v.T("rights.crumb_ko1"), Href: "/ko1"}}, more...)
}

func toRights(v *Visit) views.Crumb {
	return views.Crumb{Label: v.T("rights.title"), Href: rightsPath}
}

// whose says for whom the page is: สำหรับ อสจ.นนทบุรี.
func whose(v *Visit, o grant.Overview) string {
	if len(o.Units) == 0 {
		return v.T("rights.for_centre")
	}
	names := make([]string, len(o.Units))
	for i, u := range o.Units {
		names[i] = headName(v, u.Unit)
	}
	return v.T("rights.for_head", "who", strings.Join(names, ", "))
}

// headName is how the head of a unit is called: อสจ.นนทบุรี, ผู้อำนวยการกองบริหาร…, หัวหน้ากลุ่ม….
func headName(v *Visit, u agency.Unit) string {
	switch u.Kind {
	case agency.Province:
		return v.T("rights.chief", "unit", u.Short)
	case agency.Division:
		return v.T("rights.director", "unit", u.Name)
	}
	return v.T("rights.head_of", "unit", u.Name)
}

func (s *Server) rightsOverview(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.rightsPage(w, r, v, allLevels, rightsPath)
}

func (s *Server) rightsGrid(w http.ResponseWriter, r *http.Request, v *Visit) error {
	level, err := levelOf(r)
	if err != nil {
		return err
	}
	if level.Code == allLevels.Code {
		return problem.New(problem.NotFound, "problem.notfound")
	}
	return s.rightsPage(w, r, v, level, rightsPath+"/"+level.Code)
}

func (s *Server) rightsPage(w http.ResponseWriter, r *http.Request, v *Visit, level grant.LevelRow, path string) error {
	if err := onlyHeads(v); err != nil {
		return err
	}
	filter, query := readFilter(r.URL.Query(), level)
	moved, err := s.withoutID(r, v, path, query)
	if err != nil {
		return err
	}
	if moved != "" {
		http.Redirect(w, r, moved, http.StatusSeeOther)
		return nil
	}
	sheet, err := s.Book.Sheet(r.Context(), v.Session.Person, filter)
	if err != nil {
		return err
	}
	page, choices, overview := sheet.Page, sheet.Choices, sheet.Overview
	body := views.RightsPage{TabsLabel: v.T("rights.tabs")}
	body.Grid = gridOf(v, level, path, query, filter, page, choices)
	body.Ends = len(page.Scope.Heads) > 0
	for _, row := range page.Rows {
		body.Rows = append(body.Rows, rowOf(v, row, page.Scope, filter, r.URL.Query().Get("saved")))
	}
	p := v.Page("rights.title")
	if v.Fragment == "grid" {
		return s.show(w, r, v, http.StatusOK, p, views.RightsGrid(p, body))
	}
	p.Subtitle = whose(v, overview)
	p.Crumbs = rightsCrumbs(v)
	body.Tabs = tabsOf(v, overview, choices, level.Code)
	if level.Code == allLevels.Code {
		body.Units = figuresOf(v, overview)
		body.Links = []views.ButtonLinkParams{
			{Label: v.T("why.title"), Href: whyPath, Icon: views.IconInfo},
			{Label: v.T("asof.link"), Href: asOfPath, Icon: views.IconHistory},
		}
		if len(body.Units) == 1 { // all that can be done about the one unit stands in one place
			body.Units[0].Links, body.Links = append(body.Units[0].Links, body.Links...), nil
		}
		if overview.Waiting > 0 {
			body.Waiting = &views.ButtonLinkParams{Label: v.T("rights.waiting_see", "n", overview.Waiting), Href: rightsPath + "/waiting"}
		}
		pleas, err := s.Help.Waiting(r.Context(), v.Session.Person)
		if err != nil {
			return err
		}
		if pleas > 0 {
			body.Pleas = &views.ButtonLinkParams{Label: v.T("helpdesk.pleas_see", "n", pleas), Href: pleasPath}
		}
	}
	if level.Code == allLevels.Code {
		if body.Asking, err = s.askingAgain(r, v); err != nil {
			return err
		}
	}
	return s.show(w, r, v, http.StatusOK, p, views.Rights(p, body))
}

// withoutID keeps whole citizen IDs out of addresses: a grid that is asked for one is asked for the person instead.
// The answer is the address to go to, or "".
func (s *Server) withoutID(r *http.Request, v *Visit, path string, query url.Values) (string, error) {
	for _, name := range []string{"citizen", views.ParamSearch} {
		digits, err := thai.Digits13(query.Get(name))
		if err != nil {
			continue // no ID, or only a part of one
		}
		query.Del(name)
		query.Set("person", "none")
		citizen, err := thai.ParseCitizenID(digits)
		if err == nil {
			who, ok, err := s.Book.Whose(r.Context(), v.Session.Person, citizen)
			if err != nil {
				return "", err
			}
			if ok {
				query.Set("person", string(who))
			}
		}
		return path + "?" + query.Encode(), nil
	}
	return "", nil
}

// readFilter reads the state of a grid from its address; what is unknown or empty is left out.
func readFilter(given url.Values, level grant.LevelRow) (grant.Filter, url.Values) {
	q := url.Values{}
	get := func(name string) string {
		value := strings.TrimSpace(given.Get(name))
		if value != "" && len(value) <= 200 {
			q.Set(name, value)
			return value
		}
		return ""
	}
	f := grant.Filter{
		Level: level.Level, Unit: get("unit"), Team: get("team"), Number: get("number"), Citizen: get("citizen"), Search: get(views.ParamSearch),
		Person: person.ID(get("person")), From: get("from"), Until: get("until"), State: get("state"),
	}
	if f.Person != "" && given.Has("citizen") {
		// The form sends the person found before together with the field that shows his ID. What else stands in the
		// field takes his place; a whole ID is asked for next.
		switch _, err := thai.Digits13(f.Citizen); {
		case masked(f.Citizen):
			f.Citizen = ""
			q.Del("citizen")
		case err == nil:
			f.Citizen = ""
		default:
			f.Person = ""
			q.Del("person")
		}
	}
	if level.Level == 0 {
		if row, ok := grant.LevelOf(get("level")); ok {
			f.Level = row.Level
		}
	}
	if sort, down := strings.CutPrefix(get(views.ParamSort), "-"); grant.Sortable(sort) {
		f.Sort, f.Desc = sort, down
	} else {
		q.Del(views.ParamSort)
	}
	f.Size = grant.Sizes[0]
	if size, err := strconv.Atoi(get(views.ParamSize)); err == nil && slices.Contains(grant.Sizes, size) {
		f.Size = size
	} else {
		q.Del(views.ParamSize)
	}
	if page, err := strconv.Atoi(get(views.ParamPage)); err == nil && page > 0 {
		f.Page = page
	} else {
		q.Del(views.ParamPage)
	}
	return f, q
}

// masked tells whether a text is a citizen ID as the grid shows it to who may not see it whole.
func masked(text string) bool { return len(text) == 17 && strings.Contains(text, "-XXXXX-XX-") }

func tabsOf(v *Visit, o grant.Overview, c grant.Choices, current string) []views.Tab {
	tabs := []views.Tab{{Label: v.T("rights.tab_overview"), Href: rightsPath, Current: current == allLevels.Code}}
	reviews := slices.ContainsFunc(c.Units, func(u agency.Unit) bool { return u.UsesReview })
	for _, row := range grant.Levels {
		if row.Level == grant.Review && !reviews && current != row.Code {
			continue
		}
		tab := views.Tab{Label: heading(row.Name.In(v.Lang)), Href: rightsPath + "/" + row.Code, Current: current == row.Code}
		if o.Live != nil {
			n := o.Live[row.Level]
			tab.Count = &n
		}
		tabs = append(tabs, tab)
	}
	if len(o.Scope.Heads) > 0 {
		tabs = append(tabs, views.Tab{Label: v.T("rights.tab_waiting"), Href: rightsPath + "/waiting", Count: &o.Waiting, Current: current == "waiting"})
	}
	return tabs
}

func figuresOf(v *Visit, o grant.Overview) []views.UnitFigures {
	var list []views.UnitFigures
	for _, u := range o.Units {
		one := views.UnitFigures{Name: u.Unit.Name.In(v.Lang)}
		for _, row := range u.ByLevels {
			one.Figures = append(one.Figures, views.Figure{
				Label: v.T("rights.figure_level", "level", row.Name), Value: v.T("rights.persons", "n", u.Holders[row.Level]), Bad: slices.Contains(u.Lacks(), row),
				Href: rightsOfUnit("/"+row.Code, u.Unit, ""),
			})
		}
		one.Figures = append(one.Figures, views.Figure{
			Label: v.T("rights.figure_soon", "n", grant.SoonDays), Value: v.T("rights.rights", "n", u.EndSoon), Bad: u.EndSoon > 0,
			Href: rightsOfUnit("", u.Unit, grant.StateSoon),
		}, views.Figure{
			Label: v.T("rights.state_waiting"), Value: v.T("rights.persons", "n", u.Waiting), Bad: u.Waiting > 0,
			Href: rightsPath + "/waiting",
		})
		one.Links = []views.ButtonLinkParams{
			{Label: v.T("rights.history_of_unit"), Href: historyPath(u.Unit.Code), Icon: views.IconHistory},
			{Label: v.T("rights.deputies"), Href: "/ko1/deputies", Icon: views.IconPerson},
		}
		list = append(list, one)
	}
	return list
}

func gridOf(v *Visit, level grant.LevelRow, path string, query url.Values, f grant.Filter, page grant.Page, c grant.Choices) views.Grid {
	g := views.Grid{
		Path: path, Query: query, Page: page.Number, Pages: page.Pages, Size: f.Size, Sizes: grant.Sizes, Total: page.Total, Capped: page.More,
		Caption: v.T("rights.caption", "level", level.Name), SearchLabel: v.T("rights.search"),
		Find: rightsPath + "/" + level.Code + "/find", ExportXLSX: rightsPath + "/" + level.Code + "/export.xlsx", ExportCSV: rightsPath + "/" + level.Code + "/export.csv",
		Nothing: views.EmptyParams{Title: v.T("rights.none", "level", level.Name), Text: v.T("rights.none_text")},
	}
	var units, teams, levels, states []views.Option
	for _, u := range c.Units {
		units = append(units, views.Option{Value: u.Code, Label: u.Short.In(v.Lang)})
		for _, t := range c.Teams[u.Code] {
			if f.Unit == "" || f.Unit == u.Code {
				teams = append(teams, views.Option{Value: t.Code, Label: t.Name.In(v.Lang), Group: teamGroup(v, c, u)})
			}
		}
	}
	for _, row := range grant.Levels {
		if level.Level == 0 || level.Level == row.Level {
			levels = append(levels, views.Option{Value: row.Code, Label: levelName(v, row.Level)})
		}
	}
	for _, state := range grant.States {
		states = append(states, views.Option{Value: string(state), Label: v.T("rights.state_" + string(state))})
	}
	states = append(states, views.Option{Value: "all", Label: v.T("rights.state_all")})
	if len(teams) == 0 {
		teams = []views.Option{{Value: "-", Label: v.T("rights.no_team")}}
	}
	g.Columns = []views.Column{
		{Key: "number", Label: v.T("rights.number"), Class: "num", Filter: views.Filter{Name: "number", InputMode: "numeric"}},
		{Key: "unit", Label: v.T("rights.unit"), Filter: views.Filter{Name: "unit", Options: units}},
		{Key: "team", Label: v.T("rights.team"), Filter: views.Filter{Name: "team", Options: teams}},
		{Key: "level", Label: v.T("rights.level"), Filter: views.Filter{Name: "level", Options: levels}},
		{Key: "name", Label: v.T("rights.citizen"), Filter: views.Filter{Name: "citizen", Kept: "person", Shown: page.Citizen, Hint: v.T("rights.citizen_filter")}},
		{Key: "from", Label: v.T("rights.from"), Filter: views.Filter{Name: "from", Hint: v.T("rights.day")}},
		{Key: "until", Label: v.T("rights.until"), Filter: views.Filter{Name: "until", Hint: v.T("rights.day")}},
		{Label: v.T("rights.state"), Filter: views.Filter{Name: "state", Options: states, All: v.T("rights.state_live")}},
	}
	if len(page.Scope.Heads) > 0 {
		g.Columns = append(g.Columns, views.Column{}) // for Delete
	}
	if len(page.Scope.Heads) > 0 && level.Level != 0 {
		g.Add = &views.ButtonLinkParams{Label: v.T("rights.add"), Icon: views.IconPlus, Kind: views.Primary, Href: rightsPath + "/" + level.Code + "/new", Dialog: true}
		g.AddMany = &views.ButtonLinkParams{Label: v.T("bulk.add"), Icon: views.IconPlus, Href: listPath(level)}
		g.Nothing.Action = g.Add
	}
	return g
}

// teamGroup heads the groups of a unit in a list when there are several units.
func teamGroup(v *Visit, c grant.Choices, u agency.Unit) string {
	if len(c.Teams) < 2 {
		return ""
	}
	return u.Short.In(v.Lang)
}

// levelName is a level as the grid shows it: 1 พิจารณา.
func levelName(v *Visit, l grant.Level) string {
	return strconv.FormatInt(int64(l), 10) + " " + l.Row().Name.In(v.Lang)
}

// heading makes a word the first of a heading: English ones begin with a capital there.
func heading(word string) string {
	first, size := utf8.DecodeRuneInString(word)
	return string(unicode.ToUpper(first)) + word[size:]
}

var stateKinds = map[grant.State]views.BadgeKind{
	grant.StateActive: views.BadgeOK, grant.StateSoon: views.BadgeWarn, grant.StateFuture: views.BadgeWaiting, grant.StateWaiting: views.BadgeWaiting,
	grant.StatePending: views.BadgeWaiting, grant.StateOff: views.BadgeOff, grant.StateLocked: views.BadgeOff,
	grant.StateSecond: views.BadgeWaiting, grant.StateExpired: views.BadgeOff, grant.StateEnded: views.BadgeOff,
}

func rowOf(v *Visit, r grant.Row, s grant.Scope, f grant.Filter, saved string) views.RightRow {
	row := views.RightRow{
		Number: strconv.FormatInt(r.Number, 10), Unit: r.UnitName.In(v.Lang), Level: levelName(v, r.Level),
		Citizen: r.CitizenShown(), Name: r.Name, From: shortDate(v, thai.DateOf(r.From)), Until: untilWords(v, r.Grant),
		State: v.T("rights.state_" + string(r.State)), StateKind: stateKinds[r.State], Hit: f.Search, HitCitizen: f.Citizen,
		See: "/ko1/grants/" + r.ID, Why: whyOf(r.Person, r.Level.Do(), r.Grant.Scope()), Saved: saved != "" && r.ID == saved,
	}
	if r.Team != "" {
		row.Team = r.TeamName.In(v.Lang)
	}
	switch {
	case !r.LeftAt.IsZero():
		row.Flags = append(row.Flags, v.T("rights.left_office", "unit", r.UnitName, "home", r.Home))
	case r.OtherOffice && r.Registered:
		row.Flags = append(row.Flags, v.T("rights.other_office", "unit", r.Home))
	}
	if r.Mutual {
		row.Flags = append(row.Flags, v.T("rights.mutual"))
	}
	if s.Manages(r.Unit) && r.ClosedAt.IsZero() {
		row.End = "/ko1/grants/" + r.ID + "/end"
	}
	return row
}

func shortDate(v *Visit, d thai.Date) string { return d.Short(string(v.Lang)) }

// untilWords is the last day of a grant as the grid shows it.
func untilWords(v *Visit, g grant.Grant) string {
	last, ok := g.LastDay()
	if !ok {
		return v.T("rights.no_end")
	}
	return shortDate(v, last)
}

// untilPhrase says within a sentence how long a grant holds: ถึง 30 ก.ย. 2570, or โดยไม่มีกำหนดสิ้นสุด.
func untilPhrase(v *Visit, g grant.Grant) string {
	last, ok := g.LastDay()
	if !ok {
		return v.T("rights.open_end")
	}
	return v.T("rights.until_day", "day", shortDate(v, last))
}

// readOrder reads the form of "+".
func readOrder(r *http.Request, level grant.LevelRow) (grant.Order, error) {
	form := r.PostForm
	o := grant.Order{
		Level: level.Level, Unit: form.Get("unit"), Team: form.Get("team"), Person: person.ID(form.Get("person")),
		Confirmed: form.Get("confirmed") != "", OtherOffice: form.Get("other_office") != "", Form: form.Get("form"),
	}
	var check problem.Check
	if o.Unit == "" {
		check.Fail("unit", "rights.unit_missing")
	}
	if strings.TrimSpace(form.Get("citizen")) != "" {
		o.Citizen = readCitizen(&check, "citizen", form.Get("citizen"))
		if o.Person != "" {
			o.Person = "" // what was typed counts; the list may still show an earlier choice
		}
	} else if o.Person == "" {
		check.Fail("citizen", "grant.citizen_missing")
	}
	o.From = readDate(&check, "from", form.Get("from"))
	o.LastDay = readDate(&check, "last_day", form.Get("last_day"))
	o.OrderNumber = readLine(&check, "order_number", form.Get("order_number"), 100)
	o.Note = readLine(&check, "note", form.Get("note"), 500)
	return o, check.Err()
}

// readCitizen reads a citizen ID and says what is wrong with it.
func readCitizen(check *problem.Check, field, text string) thai.CitizenID {
	citizen, err := thai.ParseCitizenID(text)
	switch {
	case err == nil:
		return citizen
	case errors.Is(err, thai.ErrEmpty):
		check.Fail(field, "grant.citizen_missing")
	case errors.Is(err, thai.ErrLength):
		check.Fail(field, "rights.citizen_length")
	case errors.Is(err, thai.ErrCheckDigit):
		check.Fail(field, "rights.citizen_check_digit")
	case errors.Is(err, thai.ErrJuristic):
		check.Fail(field, "rights.citizen_juristic")
	default:
		check.Fail(field, "rights.citizen_characters")
	}
	return thai.CitizenID{}
}

// readDate reads a day that may be left empty.
func readDate(check *problem.Check, field, text string) thai.Date {
	day, err := thai.ParseDate(text)
	switch {
	case err == nil, errors.Is(err, thai.ErrEmpty):
	case errors.Is(err, thai.ErrShortYear):
		check.Fail(field, "rights.date_short_year")
	case errors.Is(err, thai.ErrLeapDay):
		check.Fail(field, "rights.date_leap")
	case errors.Is(err, thai.ErrNoDay):
		check.Fail(field, "rights.date_no_day")
	default:
		check.Fail(field, "rights.date_form")
	}
	return day
}

// readLine reads a line of text that may be left empty.
func readLine(check *problem.Check, field, text string, most int) string {
	line, err := thai.CleanLine(text, most)
	if err != nil {
		check.Fail(field, "rights.too_long", "n", most)
	}
	return line
}

func (s *Server) giveForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	level, err := givable(r)
	if err != nil {
		return err
	}
	return s.showGive(w, r, v, http.StatusOK, level, url.Values{"unit": {r.URL.Query().Get("unit")}, "form": {newForm()}}, nil, nil)
}

// givable is the level of a form, which must be a real one.
func givable(r *http.Request) (grant.LevelRow, error) {
	level, err := levelOf(r)
	if err == nil && level.Level == 0 {
		err = problem.New(problem.NotFound, "problem.notfound")
	}
	return level, err
}

// showGive shows the form of "+" with what was typed, and who is behind the ID when that is known.
func (s *Server) showGive(w http.ResponseWriter, r *http.Request, v *Visit, status int, level grant.LevelRow, typed url.Values, found *views.FoundPerson, problems []views.FieldError) error {
	choices, err := s.Book.Choices(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	p := v.Page("rights.give_title")
	p.Subtitle = v.T("rights.give_subtitle", "level", level.Name)
	p.Crumbs = rightsCrumbs(v, toRights(v), views.Crumb{Label: heading(level.Name.In(v.Lang)), Href: rightsPath + "/" + level.Code})
	p.Narrow = true
	f := views.GiveForm{
		Action: rightsPath + "/" + level.Code, LookUp: rightsPath + "/" + level.Code + "/person", Back: rightsPath + "/" + level.Code,
		Form: typed.Get("form"), Unit: typed.Get("unit"), Team: typed.Get("team"), Citizen: typed.Get("citizen"), Person: typed.Get("person"),
		From: typed.Get("from"), LastDay: typed.Get("last_day"), Order: typed.Get("order_number"), Note: typed.Get("note"),
		Found: found, Confirmed: typed.Get("confirmed") != "", Other: typed.Get("other_office") != "",
	}
	f.Units, f.Teams = givablePlaces(v, choices, level)
	for _, unit := range f.Units {
		people, err := s.Book.People(r.Context(), v.Session.Person, unit.Value)
		if err != nil {
			return err
		}
		group := ""
		if len(choices.Scope.Heads) > 1 {
			group = unit.Label
		}
		for _, one := range people {
			f.People = append(f.People, views.Option{Value: string(one.Person), Label: one.Name + " – " + one.Position, Group: group})
		}
	}
	if len(f.Units) == 0 {
		return problem.New(problem.NotFound, "grant.level_not_used")
	}
	if len(f.Units) == 1 {
		f.Unit = f.Units[0].Value
	}
	p.Problems = problems
	return s.show(w, r, v, status, p, views.Give(p, f))
}

// givablePlaces are the units in which the reader may give a right of the level, and their groups.
func givablePlaces(v *Visit, c grant.Choices, level grant.LevelRow) (units, teams []views.Option) {
	for _, u := range c.Units {
		if !c.Scope.Manages(u.Code) || level.Level == grant.Review && !u.UsesReview {
			continue
		}
		units = append(units, views.Option{Value: u.Code, Label: u.Short.In(v.Lang)})
		for _, t := range c.Teams[u.Code] {
			teams = append(teams, views.Option{Value: t.Code, Label: t.Name.In(v.Lang), Group: teamGroup(v, c, u)})
		}
	}
	return units, teams
}

// newForm names a form, so that the same one sent twice is one act.
func newForm() string { return seal.Token() }

func (s *Server) giveRight(w http.ResponseWriter, r *http.Request, v *Visit) error {
	level, err := givable(r)
	if err != nil {
		return err
	}
	order, err := readOrder(r, level)
	var g grant.Grant
	found, err := attempt(!order.Citizen.IsZero(), err, func() (*views.FoundPerson, error) { return s.foundFor(r, v, order) }, func() (err error) {
		g, err = s.Book.Give(r.Context(), v.Session.Person, order)
		return err
	})
	if lines := askedTooMuch(w, v, err); lines != nil {
		return s.showGive(w, r, v, http.StatusTooManyRequests, level, r.PostForm, nil, lines)
	}
	if errors.Is(err, problem.Conflict) { // the form stays open and says why
		return s.showGive(w, r, v, http.StatusConflict, level, r.PostForm, found, []views.FieldError{{Field: "citizen", Text: v.Tell(err)}})
	}
	if lines, ok := v.Problems(err); ok {
		return s.showGive(w, r, v, http.StatusUnprocessableEntity, level, r.PostForm, found, lines)
	}
	if err != nil {
		return err
	}
	return s.sawGift(w, r, v, g)
}

// sawGift leads back to the grid, where the new row stands out and the notice says what it is worth.
func (s *Server) sawGift(w http.ResponseWriter, r *http.Request, v *Visit, g grant.Grant) error {
	sight, err := s.Book.See(r.Context(), v.Session.Person, g.ID)
	if err != nil {
		return err
	}
	key, who := "rights.given", sight.Name
	switch {
	case !sight.Registered:
		key, who = "rights.given_pending", sight.CitizenShown()
	case sight.State == grant.StateFuture:
		key = "rights.given_future"
	}
	notice := v.Notice(views.NoticeOK, key, "who", who, "level", g.Level.Row().Name, "unit", sight.UnitName, "end", untilPhrase(v, g), "from", shortDate(v, thai.DateOf(g.From)), "number", strconv.FormatInt(g.Number, 10))
	notice.Label, notice.Href = v.T("rights.see_right"), "/ko1/grants/"+g.ID
	return s.see(w, r, v, rightsPath+"/"+g.Level.Row().Code+"?sort=-number&saved="+g.ID, notice)
}

// attempt does what a form asks for, unless the form itself is wrong, and answers whom company finds, to show him
// beside what went wrong. Every answer tells something about the person behind a citizen ID: so when the form names
// one, the look at him, recorded and limited as any other, comes before all else.
func attempt(byID bool, form error, company func() (*views.FoundPerson, error), act func() error) (found *views.FoundPerson, err error) {
	if byID {
		if found, err = company(); err != nil {
			return nil, err
		}
	}
	if err = form; err == nil {
		err = act()
	}
	if byID || !errors.Is(err, problem.Invalid) {
		return found, err
	}
	found, failed := company()
	if failed != nil {
		return nil, failed
	}
	return found, err
}

// foundFor gathers who an order is about; nil when it names nobody, or nobody who may be shown.
func (s *Server) foundFor(r *http.Request, v *Visit, o grant.Order) (*views.FoundPerson, error) {
	if o.Unit == "" {
		return nil, nil
	}
	found, err := s.whoIs(r, v, o)
	if errors.Is(err, problem.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return foundOf(v, found, o.Unit), nil
}

// askedTooMuch is the line of a form whose sender has looked up too many citizen IDs; nil for any other error. The
// form says nothing else then.
func askedTooMuch(w http.ResponseWriter, v *Visit, err error) []views.FieldError {
	var p *problem.Problem
	if !errors.As(err, &p) || !p.TooMany {
		return nil
	}
	retryAfter(w, p)
	return []views.FieldError{{Field: "citizen", Text: v.Tell(err)}}
}

// whoIs answers who an order is about; NotFound when it names nobody.
func (s *Server) whoIs(r *http.Request, v *Visit, o grant.Order) (grant.Found, error) {
	if !o.Citizen.IsZero() {
		return s.Book.LookUp(r.Context(), v.Session.Person, o.Unit, o.Citizen)
	}
	if o.Person == "" {
		return grant.Found{}, problem.New(problem.NotFound, "problem.person_unknown")
	}
	return s.Book.Show(r.Context(), v.Session.Person, o.Unit, o.Person)
}

// foundOf is how a form shows who is behind a citizen ID.
func foundOf(v *Visit, f grant.Found, unit string) *views.FoundPerson {
	switch {
	case f.Self:
		return &views.FoundPerson{Kind: views.NoticeError, Title: v.T("rights.found_self"), Text: v.T("grant.denied_self_next")}
	case !f.Registered:
		return &views.FoundPerson{Kind: views.NoticeWarn, Title: v.T("rights.found_nobody"), Text: v.T("rights.found_nobody_text")}
	}
	out := &views.FoundPerson{Kind: views.NoticeInfo, Title: v.T("rights.found"), Rows: []views.SummaryRow{
		{Term: v.T("rights.name"), Value: f.Name}, {Term: v.T("rights.position"), Value: f.Position}, {Term: v.T("rights.home"), Value: f.Home.In(v.Lang)},
		{Term: v.T("rights.phone"), Value: f.Phone}, {Term: v.T("rights.email"), Value: f.Email},
	}}
	if f.ProvedName != "" {
		out.Rows = append(out.Rows, views.SummaryRow{Term: v.T("rights.proved_name"), Value: f.ProvedName})
	}
	switch {
	case f.Disabled:
		out.Kind, out.Text = views.NoticeError, v.T("grant.account_disabled")
		return out
	case f.HeadHere:
		out.Kind, out.Title, out.Text = views.NoticeError, v.T("grant.denied_for_head"), v.T("grant.denied_for_head_next")
		return out
	case f.Identified:
		out.Kind, out.Title = views.NoticeOK, v.T("rights.found_known")
	case f.Proved:
		out.Kind, out.Title = views.NoticeOK, v.T("rights.found_proved")
	default:
		out.ConfirmLabel = v.T("rights.confirm_label")
	}
	if f.HomeUnit != unit {
		out.Kind = views.NoticeWarn
		out.OtherLabel = v.T("rights.other_label", "unit", f.Home)
	}
	return out
}

// lookUp answers the piece of page that shows who is behind the ID just typed, or the person just chosen.
func (s *Server) lookUp(w http.ResponseWriter, r *http.Request, v *Visit) error {
	level, err := givable(r)
	if err != nil {
		return err
	}
	order, err := readOrder(r, level)
	if err != nil && !errors.Is(err, problem.Invalid) { // what is wrong with the rest of the form is not asked yet
		return err
	}
	if order.Unit == "" {
		return s.piece(w, r, v, &views.FoundPerson{Kind: views.NoticeInfo, Title: v.T("rights.unit_missing")})
	}
	if order.Citizen.IsZero() && order.Person == "" {
		return s.piece(w, r, v, nil)
	}
	found, err := s.whoIs(r, v, order)
	if text := v.Tell(err); text != "" {
		return s.piece(w, r, v, &views.FoundPerson{Kind: views.NoticeWarn, Title: text})
	}
	if err != nil {
		return err
	}
	return s.piece(w, r, v, foundOf(v, found, order.Unit))
}

// piece answers with the box of a person alone.
func (s *Server) piece(w http.ResponseWriter, r *http.Request, v *Visit, f *views.FoundPerson) error {
	p := v.Page("rights.give_title")
	v.Fragment = "lookup"
	if f == nil {
		return s.show(w, r, v, http.StatusOK, p, templ.NopComponent)
	}
	return s.show(w, r, v, http.StatusOK, p, views.Found(p, f, false, false))
}

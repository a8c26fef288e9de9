package web

import (
	"errors"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/web/views"
)

// biggestList is the size in bytes of the biggest form with a list: five hundred lines with names, which take nine
// bytes for each Thai letter.
const biggestList = 1 << 20

// bulkRoutes give one right to many persons at once (เพิ่มเจ้าหน้าที่หลายคน). What comes of a list that was sent stands at
// an address of its own, so that the page can be loaded anew, come back to, and read in the other language.
func (s *Server) bulkRoutes() []Route {
	return []Route{
		{Pattern: "GET /ko1/rights/{level}/many", Access: HeadOnly, Handle: s.listForm},
		{Pattern: "POST /ko1/rights/{level}/many", Access: HeadOnly, FormLimit: biggestList, Handle: s.checkList},
		{Pattern: "POST /ko1/rights/{level}/many-save", Access: HeadOnly, StepUp: true, FormLimit: biggestList, FormAt: "/ko1/rights/{level}/many", Handle: s.giveList},
		{Pattern: "GET /ko1/rights/{level}/many/{list}", Access: HeadOnly, Handle: s.seeList},
	}
}

// listPath is where a list for a level is filled in.
func listPath(level grant.LevelRow) string { return rightsPath + "/" + level.Code + "/many" }

func (s *Server) listForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	level, err := givable(r)
	if err != nil {
		return err
	}
	typed := url.Values{"unit": {r.URL.Query().Get("unit")}, "form": {newForm()}}
	return s.showList(w, r, v, level, typed, views.ListForm{}, nil)
}

// keptList is a list as it was sent, with what came of it.
type keptList struct {
	Level  string
	Typed  url.Values
	Result grant.ListResult // without the citizen IDs, which are in the list
	Given  bool             // it was saved; until then it was only checked
	// Refused says why there is no result, where the form alone does not show it, and Wait for how many minutes to wait.
	Refused *problem.Problem
	Wait    int
}

// keep keeps what came of a list and leads to where it is seen.
func (s *Server) keep(w http.ResponseWriter, r *http.Request, v *Visit, level grant.LevelRow, list keptList) error {
	list.Level, list.Typed = level.Code, r.PostForm
	id, err := s.Drafts.Keep(r.Context(), v.Session.Person, list)
	if err != nil {
		return err
	}
	return s.see(w, r, v, listPath(level)+"/"+id, nil)
}

// typedList is a form with a list as it was read.
type typedList struct {
	grant.ListOrder
	lines   []pasted
	heading string
}

// readList reads a form with a list.
func readList(form url.Values, level grant.LevelRow) (typedList, error) {
	var t typedList
	t.Level, t.Unit, t.Team, t.Form, t.Seen = level.Level, form.Get("unit"), form.Get("team"), form.Get("form"), form.Get("seen")
	var check problem.Check
	if t.Unit == "" {
		check.Fail("unit", "rights.unit_missing")
	}
	t.lines, t.heading = readPaste(form.Get("list"))
	if n := len(t.lines); n > grant.LongestList {
		check.Fail("list", "grant.list_too_long", "n", n, "most", grant.LongestList)
	}
	for _, line := range t.lines {
		if line.Fault.Key == "" {
			t.Citizens = append(t.Citizens, line.Citizen)
		}
	}
	if len(t.Citizens) == 0 {
		check.Fail("list", "grant.list_empty")
	}
	t.Known = map[thai.CitizenID]bool{}
	for _, digits := range form["known"] {
		if citizen, err := thai.ParseCitizenID(digits); err == nil { // what is no ID names nobody
			t.Known[citizen] = true
		}
	}
	t.From = readDate(&check, "from", form.Get("from"))
	t.LastDay = readDate(&check, "last_day", form.Get("last_day"))
	t.OrderNumber = readLine(&check, "order_number", form.Get("order_number"), 100)
	t.Note = readLine(&check, "note", form.Get("note"), 500)
	return t, check.Err()
}

// checkList finds out what would become of each person of a list; nothing is saved.
func (s *Server) checkList(w http.ResponseWriter, r *http.Request, v *Visit) error {
	level, err := givable(r)
	if err != nil {
		return err
	}
	list, err := readList(r.PostForm, level)
	if err != nil {
		return s.keep(w, r, v, level, keptList{}) // reading it again says what is wrong
	}
	return s.lookAtList(w, r, v, level, list, nil)
}

// lookAtList makes the dry run of a list, to which a problem led or none.
func (s *Server) lookAtList(w http.ResponseWriter, r *http.Request, v *Visit, level grant.LevelRow, list typedList, refused *problem.Problem) error {
	result, err := s.Book.CheckList(r.Context(), v.Session.Person, list.ListOrder)
	kept := keptList{Result: result, Refused: refused}
	if p := new(problem.Problem); errors.As(err, &p) && (p.Kind == problem.Invalid || p.TooMany) {
		kept.Refused, kept.Wait, err = p, int(math.Ceil(p.RetryAfter.Minutes())), nil
	}
	if err != nil {
		return err
	}
	return s.keep(w, r, v, level, kept)
}

// giveList gives to all of a list who can have it. What is left stands in the form again.
func (s *Server) giveList(w http.ResponseWriter, r *http.Request, v *Visit) error {
	level, err := givable(r)
	if err != nil {
		return err
	}
	list, err := readList(r.PostForm, level)
	if err != nil {
		return s.keep(w, r, v, level, keptList{})
	}
	result, err := s.Book.GiveList(r.Context(), v.Session.Person, list.ListOrder)
	if p := new(problem.Problem); errors.As(err, &p) && (p.Kind == problem.Conflict || p.Kind == problem.Invalid) {
		r.PostForm.Set("form", newForm())
		return s.lookAtList(w, r, v, level, list, p)
	}
	if err != nil {
		return err
	}
	return s.keep(w, r, v, level, keptList{Result: result, Given: true})
}

// seeList shows what came of a list.
func (s *Server) seeList(w http.ResponseWriter, r *http.Request, v *Visit) error {
	level, err := givable(r)
	if err != nil {
		return err
	}
	var kept keptList
	if err := s.Drafts.Find(r.Context(), v.Session.Person, r.PathValue("list"), &kept); err != nil {
		return err
	}
	if kept.Level != level.Code {
		return problem.New(problem.NotFound, "draft.not_found")
	}
	list, wrong := readList(kept.Typed, level)
	if len(kept.Result.Rows) > len(list.Citizens) { // another version of the program kept it
		return problem.New(problem.NotFound, "draft.not_found")
	}
	for i := range kept.Result.Rows {
		kept.Result.Rows[i].Citizen = list.Citizens[i]
	}
	if kept.Given {
		return s.showGiven(w, r, v, level, kept, list)
	}
	return s.showChecked(w, r, v, level, kept, list, wrong)
}

// showChecked shows what would become of each person of a list; wrong is what is wrong with the form itself.
func (s *Server) showChecked(w http.ResponseWriter, r *http.Request, v *Visit, level grant.LevelRow, kept keptList, list typedList, wrong error) error {
	problems, _ := v.Problems(wrong)
	switch p := kept.Refused; {
	case p == nil:
	case p.TooMany:
		problems = []views.FieldError{{Field: "list", Text: v.T("bulk.too_many", "n", kept.Wait)}}
	case p.Kind == problem.Invalid:
		problems, _ = v.Problems(p)
	default:
		problems = []views.FieldError{{Field: "list", Text: v.Tell(p)}}
	}
	f := views.ListForm{Seen: kept.Result.Seen, Heading: list.heading, Give: giveWords(v, kept.Result)}
	f.Groups = listGroups(v, list, kept.Result, kept.Typed.Get("tick") == "own")
	if f.Give != "" {
		f.Summary = listSummary(v, level, list)
	}
	return s.showList(w, r, v, level, kept.Typed, f, problems)
}

// giveWords is what the button says that gives; "" when it would give nothing.
func giveWords(v *Visit, result grant.ListResult) string {
	ready, asked := 0, 0
	for _, row := range result.Rows {
		switch {
		case row.Outcome.Gives():
			ready++
		case row.Outcome == grant.OutcomeConfirm, row.Outcome == grant.OutcomeOther:
			asked++
		}
	}
	switch {
	case asked == 0 && ready == 0:
		return ""
	case asked == 0:
		return v.T("bulk.give", "n", ready)
	case ready == 0:
		return v.T("bulk.give_ticked")
	}
	return v.T("bulk.give_and_ticked", "n", ready)
}

func dayOr(v *Visit, d thai.Date, otherwise string) string {
	if d.IsZero() {
		return v.T(otherwise)
	}
	return shortDate(v, d)
}

// showGiven shows what became of each person of a list, and the form with those who are left.
func (s *Server) showGiven(w http.ResponseWriter, r *http.Request, v *Visit, level grant.LevelRow, kept keptList, list typedList) error {
	rest := restOf(list, kept.Result)
	typed := maps.Clone(kept.Typed)
	typed.Set("form", newForm())
	typed.Set("list", strings.Join(rest, "\n"))
	v.notice = savedNotice(v, level, kept.Result, len(rest))
	f := views.ListForm{Groups: givenGroups(v, list, kept.Result), Again: len(rest) > 0, Done: len(rest) == 0}
	f.Summary = listSummary(v, level, list)
	return s.showList(w, r, v, level, typed, f, nil)
}

// listSummary says what right a list is about; showList says where.
func listSummary(v *Visit, level grant.LevelRow, list typedList) []views.SummaryRow {
	return []views.SummaryRow{
		{Term: v.T("rights.level"), Value: levelName(v, level.Level)},
		{Term: v.T("rights.period"), Value: v.T("rights.from_to", "from", dayOr(v, list.From, "bulk.at_once"), "until", dayOr(v, list.LastDay, "rights.no_end"))},
	}
}

// savedNotice says how many were given the right, and how many lines were not.
func savedNotice(v *Visit, level grant.LevelRow, result grant.ListResult, rest int) *views.Notice {
	given := 0
	for _, row := range result.Rows {
		if row.Grant.ID != "" {
			given++
		}
	}
	switch {
	case given == 0 && rest > 0:
		return v.Notice(views.NoticeWarn, "bulk.saved_none")
	case rest > 0:
		return v.Notice(views.NoticeWarn, "bulk.saved_rest", "level", level.Name, "n", given, "rest", rest)
	}
	return v.Notice(views.NoticeOK, "bulk.saved", "level", level.Name, "n", given)
}

// restOf are the lines of a list to whose persons nothing was given and who do not have the right.
func restOf(list typedList, result grant.ListResult) (rest []string) {
	rows := byCitizen(result)
	for _, line := range list.lines {
		row := rows[line.Citizen]
		done := line.Fault.Key == "" && (row.Outcome.Gives() || row.Outcome == grant.OutcomeHas) || faultGroup(line) == listTwice
		if !done && !slices.Contains(rest, line.Text) {
			rest = append(rest, line.Text)
		}
	}
	return rest
}

func byCitizen(result grant.ListResult) map[thai.CitizenID]grant.ListRow {
	rows := make(map[thai.CitizenID]grant.ListRow, len(result.Rows))
	for _, row := range result.Rows {
		rows[row.Citizen] = row
	}
	return rows
}

// The lines of a list about which no outcome says anything: that can not become a right, and that name somebody again.
const (
	listFaults = "fault"
	listTwice  = "twice"
)

// faultGroup tells under which heading a line stands whose ID can not be taken.
func faultGroup(line pasted) string {
	if line.Fault.Key == "bulk.duplicate" {
		return listTwice
	}
	return listFaults
}

// listOrder is in which order what becomes of a list is told: what the reader has to do first.
var listOrder = []struct {
	code string
	kind views.BadgeKind
}{
	{listFaults, views.BadgeDanger}, {string(grant.OutcomeConfirm), views.BadgeWarn}, {string(grant.OutcomeOther), views.BadgeWarn},
	{string(grant.OutcomeGive), views.BadgeOK}, {string(grant.OutcomeWait), views.BadgeWaiting}, {string(grant.OutcomeHas), views.BadgeOff},
	{listTwice, views.BadgeOff},
}

// groupOf tells under which heading an outcome stands.
func groupOf(outcome grant.Outcome) string {
	switch outcome {
	case grant.OutcomeSelf, grant.OutcomeHead, grant.OutcomeDisabled:
		return listFaults
	}
	return string(outcome)
}

// listGroups sorts the lines of a list by what would become of them. all ticks everyone of the own office.
func listGroups(v *Visit, list typedList, result grant.ListResult, all bool) []views.ListGroup {
	rows := byCitizen(result)
	groups := map[string][]views.ListRow{}
	for i, line := range list.lines {
		row, judged := rows[line.Citizen]
		if line.Fault.Key != "" {
			one := views.ListRow{Line: strconv.Itoa(line.Line), Citizen: shorten(line.Text), Result: v.text(line.Fault.Key, line.Fault.Args)}
			groups[faultGroup(line)] = append(groups[faultGroup(line)], one)
			continue
		}
		if !judged {
			continue
		}
		one := listRowOf(v, line, row, list.Unit)
		one.Key = strconv.Itoa(i)
		switch row.Outcome {
		case grant.OutcomeConfirm:
			one.Tick, one.ID, one.Ticked = v.T("bulk.know"), line.Citizen.Digits(), all || list.Known[line.Citizen]
		case grant.OutcomeOther:
			one.Tick, one.ID, one.Ticked = v.T("bulk.mean", "unit", row.Found.Home), line.Citizen.Digits(), list.Known[line.Citizen]
		}
		code := groupOf(row.Outcome)
		groups[code] = append(groups[code], one)
	}
	return orderGroups(v, groups, "bulk.will_")
}

// givenGroups sorts the lines of a list by what became of them.
func givenGroups(v *Visit, list typedList, result grant.ListResult) []views.ListGroup {
	rows := byCitizen(result)
	groups := map[string][]views.ListRow{}
	for _, line := range list.lines {
		row := rows[line.Citizen]
		if line.Fault.Key != "" {
			if faultGroup(line) == listFaults {
				one := views.ListRow{Line: strconv.Itoa(line.Line), Citizen: shorten(line.Text), Result: v.text(line.Fault.Key, line.Fault.Args)}
				groups[listFaults] = append(groups[listFaults], one)
			}
			continue
		}
		one := listRowOf(v, line, row, list.Unit)
		code := groupOf(row.Outcome)
		if row.Grant.ID != "" {
			code = string(grant.OutcomeWait)
			if row.Found.Registered {
				code = string(grant.OutcomeGive)
			}
			one.Result, one.See = v.T("bulk.number", "number", strconv.FormatInt(row.Grant.Number, 10)), "/ko1/grants/"+row.Grant.ID
		}
		groups[code] = append(groups[code], one)
	}
	return orderGroups(v, groups, "bulk.did_")
}

// orderGroups puts the groups in the order of listOrder, under their headings.
func orderGroups(v *Visit, groups map[string][]views.ListRow, prefix string) (list []views.ListGroup) {
	for _, g := range listOrder {
		if len(groups[g.code]) == 0 {
			continue
		}
		one := views.ListGroup{Kind: g.kind, Title: v.T(prefix + g.code), Rows: groups[g.code]}
		if key := prefix + g.code + "_text"; v.server.catalog.Has(key) {
			one.Text = v.T(key)
		}
		if prefix == "bulk.will_" && g.code == string(grant.OutcomeConfirm) {
			one.TickAll = v.T("bulk.tick_all")
		}
		list = append(list, one)
	}
	return list
}

// listRowOf shows a person of a list as the form for one shows him: whole in the own unit, hinted at elsewhere.
func listRowOf(v *Visit, line pasted, row grant.ListRow, unit string) views.ListRow {
	one := views.ListRow{Line: strconv.Itoa(line.Line), Citizen: line.Citizen.Dashed(), Result: v.T("bulk.is_" + string(row.Outcome))}
	if f := row.Found; f.Registered {
		one.Name, one.Position, one.Office = f.Name, f.Position, f.Home.In(v.Lang)
		one.Contacts = []string{f.Phone, f.Email}
	}
	return one
}

// longestShown is how many characters of a line are shown in which no ID could be read.
const longestShown = 60

func shorten(line string) string {
	if runes := []rune(line); len(runes) > longestShown {
		return string(runes[:longestShown]) + "…"
	}
	return line
}

// showList shows the form with what was typed and what is known of the list.
func (s *Server) showList(w http.ResponseWriter, r *http.Request, v *Visit, level grant.LevelRow, typed url.Values, f views.ListForm, problems []views.FieldError) error {
	choices, err := s.Book.Choices(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	p := v.Page("bulk.title")
	p.Problems = problems
	p.Subtitle = v.T("rights.give_subtitle", "level", level.Name)
	p.Crumbs = rightsCrumbs(v, toRights(v), views.Crumb{Label: heading(level.Name.In(v.Lang)), Href: rightsPath + "/" + level.Code})
	p.Narrow = f.Groups == nil
	f.Check, f.Save, f.Back = listPath(level), listPath(level)+"-save", rightsPath+"/"+level.Code
	f.Form, f.Unit, f.Team, f.List = typed.Get("form"), typed.Get("unit"), typed.Get("team"), typed.Get("list")
	f.From, f.LastDay, f.Order, f.Note = typed.Get("from"), typed.Get("last_day"), typed.Get("order_number"), typed.Get("note")
	if f.Units, f.Teams = givablePlaces(v, choices, level); len(f.Units) == 0 {
		return problem.New(problem.NotFound, "grant.level_not_used")
	}
	if len(f.Units) == 1 {
		f.Unit = f.Units[0].Value
	}
	if f.Summary != nil {
		f.Summary = append([]views.SummaryRow{{Term: v.T("rights.unit"), Value: listPlace(v, f)}}, f.Summary...)
	}
	return s.show(w, r, v, http.StatusOK, p, views.GiveList(p, f))
}

// listPlace says where a list gives a right: in a unit, or in a group of it.
func listPlace(v *Visit, f views.ListForm) string {
	label := func(options []views.Option, value string) string {
		if i := slices.IndexFunc(options, func(o views.Option) bool { return o.Value == value }); i >= 0 {
			return options[i].Label
		}
		return value
	}
	if f.Team == "" {
		return label(f.Units, f.Unit)
	}
	return v.T("bulk.place", "unit", label(f.Units, f.Unit), "team", label(f.Teams, f.Team))
}

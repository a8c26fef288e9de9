package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/legacy"
	"sitthi/person"
	"sitthi/web/views"
)

// storyRoutes are the pages about one right, one person, one unit over time.
func (s *Server) storyRoutes() []Route {
	return []Route{
		{Pattern: "GET /my/rights", Access: SignedIn, Handle: s.myRights},
		{Pattern: "GET /ko1/units/{unit}/history", Access: SignedIn, Handle: s.unitHistory},
		{Pattern: "GET /ko1/units/{unit}/people/{person}", Access: SignedIn, Handle: s.personStory},
		{Pattern: "GET /people/{person}/unmask", Access: AuditorOrAdministrator, Handle: s.unmaskForm},
		{Pattern: "POST /people/{person}/unmask", Access: AuditorOrAdministrator, StepUp: true, Handle: s.unmask},
	}
}

func historyPath(unit string) string { return "/ko1/units/" + url.PathEscape(unit) + "/history" }

func storyPath(unit string, who person.ID) string {
	return "/ko1/units/" + url.PathEscape(unit) + "/people/" + url.PathEscape(string(who))
}

// sight reads the right of an address for who looks at it.
func (s *Server) sight(r *http.Request, v *Visit) (grant.Sight, error) {
	return s.Book.See(r.Context(), v.Session.Person, r.PathValue("grant"))
}

// backTo is the grid a right stands in.
func backTo(g grant.Grant) string { return rightsPath + "/" + g.Level.Row().Code }

// summaryOf says what a right is.
func summaryOf(v *Visit, g grant.Sight) []views.SummaryRow {
	name := g.Name
	if name == "" {
		name = v.T("rights.not_registered")
	}
	rows := []views.SummaryRow{
		{Term: v.T("rights.name"), Value: name}, {Term: v.T("rights.citizen"), Value: g.CitizenShown()},
		{Term: v.T("rights.level"), Value: levelName(v, g.Level)}, {Term: v.T("rights.unit"), Value: placeOf(v, g.Row)},
		{Term: v.T("rights.period"), Value: v.T("rights.from_to", "from", shortDate(v, thai.DateOf(g.From)), "until", untilWords(v, g.Grant))},
	}
	return rows
}

func placeOf(v *Visit, r grant.Row) string {
	if r.Team == "" {
		return r.UnitName.In(v.Lang)
	}
	return r.UnitName.In(v.Lang) + " · " + r.TeamName.In(v.Lang)
}

// originsOf tells where those of some rights come from that an import brought.
func (s *Server) originsOf(r *http.Request, rows ...grant.Row) (map[string]legacy.Origin, error) {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	return s.Legacy.Origins(r.Context(), ids)
}

// originRow says where a right comes from, and leads those who may see the import to its row.
func originRow(v *Visit, from legacy.Origin) views.SummaryRow {
	row := views.SummaryRow{Term: v.T("rights.origin"), Value: v.T("rights.origin_is", "source", from.Source, "row", from.RowID,
		"file", from.File, "line", from.Line, "at", moment(v, from.At))}
	if v.Posts.Administrator || v.Posts.Auditor {
		row.Href, row.Action = importPath(from.Import)+"/lines/"+strconv.FormatInt(from.Line, 10), v.T("rights.origin_see")
	}
	return row
}

// page starts a page about one right.
func (v *Visit) pageOfRight(title string, g grant.Sight) views.Page {
	p := v.Page(title)
	p.Subtitle = v.T("rights.right_of", "number", strconv.FormatInt(g.Number, 10), "unit", g.UnitName)
	p.Crumbs = rightsCrumbs(v, toRights(v), views.Crumb{Label: heading(g.Level.Row().Name.In(v.Lang)), Href: backTo(g.Grant)})
	p.Narrow = true
	return p
}

func (s *Server) seeRight(w http.ResponseWriter, r *http.Request, v *Visit) error {
	g, err := s.sight(r, v)
	if err != nil {
		return err
	}
	return s.showRight(w, r, v, http.StatusOK, g, nil)
}

func (s *Server) showRight(w http.ResponseWriter, r *http.Request, v *Visit, status int, g grant.Sight, problems []views.FieldError) error {
	p := v.pageOfRight("rights.right_title", g)
	p.Problems = problems
	body := views.RightSight{Summary: summaryOf(v, g)}
	add := func(term, value string) {
		if value != "" {
			body.Summary = append(body.Summary, views.SummaryRow{Term: v.T(term), Value: value})
		}
	}
	body.Summary = append(body.Summary, views.SummaryRow{Term: v.T("rights.state"), Body: views.Badge(stateKinds[g.State], v.T("rights.state_"+string(g.State)))})
	add("rights.given_by", g.Names[g.GivenBy])
	origins, err := s.originsOf(r, g.Row)
	if err != nil {
		return err
	}
	from, brought := origins[g.ID]
	if brought {
		body.Summary = append(body.Summary, originRow(v, from))
	}
	add("rights.order", g.OrderNumber)
	add("rights.note", g.Note)
	if g.OtherOffice && g.Registered {
		add("rights.home", g.Home.In(v.Lang))
	}
	if g.Manages {
		path := "/ko1/grants/" + g.ID
		if g.ClosedAt.IsZero() {
			renew := "rights.change"
			if g.State == grant.StateExpired || g.State == grant.StateSoon {
				renew = "rights.renew"
			}
			body.Actions = append(body.Actions,
				views.ButtonLinkParams{Label: v.T(renew), Href: path + "/change", Icon: views.IconRenew, Kind: views.Primary, Dialog: true},
				views.ButtonLinkParams{Label: v.T("rights.delete"), Href: path + "/end", Icon: views.IconDelete, Kind: views.QuietRed, Dialog: true})
			if g.State == grant.StateWaiting {
				body.Actions = append(body.Actions, views.ButtonLinkParams{Label: v.T("rights.tab_waiting"), Href: rightsPath + "/waiting"})
			}
		} else if g.Closing == grant.Revoked {
			body.Again, body.Form = path+"/again", newForm()
		}
	}
	if g.Registered {
		body.Actions = append(body.Actions, views.ButtonLinkParams{Label: v.T("rights.story"), Href: storyPath(g.Unit, g.Person), Icon: views.IconHistory})
	}
	body.Actions = append(body.Actions, views.ButtonLinkParams{Label: v.T("why.short"), Note: v.T("why.title"), Href: whyOf(g.Person, g.Level.Do(), g.Grant.Scope()), Icon: views.IconInfo})
	body.Events = versionsOf(v, g, brought)
	return s.show(w, r, v, status, p, views.RightOf(p, body))
}

// versionsOf tells what a right said over time, the newest first; one that an import brought was given nowhere here.
func versionsOf(v *Visit, g grant.Sight, brought bool) []views.Event {
	var list []views.Event
	if !g.ClosedAt.IsZero() {
		by := g.Names[person.ID(g.ClosedBy)]
		if by == "" {
			by = v.T("rights.by_system")
		}
		list = append(list, views.Event{When: moment(v, g.ClosedAt), Machine: g.ClosedAt.Format(time.RFC3339), Title: v.T("rights.closed_" + string(g.Closing)), Kind: views.BadgeDanger, By: by, Text: g.CloseReason})
	}
	for i := len(g.Versions) - 1; i >= 0; i-- {
		version := g.Versions[i]
		title, kind := "rights.was_changed", views.BadgeWaiting
		if i == 0 {
			title, kind = "rights.was_given", views.BadgeOK
			if brought {
				title = "rights.was_brought"
			}
		}
		at := g.Grant
		at.Until = version.Until
		text := v.T("rights.until_then", "end", untilPhrase(v, at))
		if version.OrderNumber != "" {
			text += " · " + v.T("rights.order_then", "order", version.OrderNumber)
		}
		if version.Note != "" {
			text += " · " + version.Note
		}
		list = append(list, views.Event{When: moment(v, version.At), Machine: version.At.Format(time.RFC3339), Title: v.T(title), Kind: kind, By: g.Names[version.By], Text: text})
	}
	return list
}

func moment(v *Visit, t time.Time) string { return thai.Moment(t).Short(string(v.Lang)) }

func (s *Server) endForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	g, err := s.sight(r, v)
	if err != nil {
		return err
	}
	if !g.Manages {
		return problem.New(problem.NotFound, "grant.not_found")
	}
	return s.showEnd(w, r, v, http.StatusOK, g, url.Values{}, nil)
}

func (s *Server) showEnd(w http.ResponseWriter, r *http.Request, v *Visit, status int, g grant.Sight, typed url.Values, problems []views.FieldError) error {
	p := v.pageOfRight("rights.end_title", g)
	p.Problems = problems
	f := views.EndForm{
		Action: "/ko1/grants/" + g.ID + "/end", Back: backTo(g.Grant), Summary: summaryOf(v, g), Reason: typed.Get("reason"),
		LeavesNone: g.LeavesNone, LeavesTicked: typed.Get("leaves_none") != "", LeavesLabel: v.T("rights.leaves_label", "unit", g.UnitName),
		EffectKind: views.NoticeInfo, Effect: v.T("rights.effect_left", "unit", g.UnitName, "n", g.Left, "level", g.Level.Row().Name),
	}
	if g.Left == 0 {
		f.EffectKind, f.Effect = views.NoticeWarn, v.T("rights.effect_none", "unit", g.UnitName, "level", g.Level.Row().Name)
	}
	return s.show(w, r, v, status, p, views.End(p, f))
}

func (s *Server) endRight(w http.ResponseWriter, r *http.Request, v *Visit) error {
	var check problem.Check
	reason := readLine(&check, "reason", r.PostForm.Get("reason"), 500)
	err := check.Err()
	if err == nil {
		_, err = s.Book.Revoke(r.Context(), v.Session.Person, r.PathValue("grant"), grant.Ending{Reason: reason, LeavesNone: r.PostForm.Get("leaves_none") != ""})
	}
	g, seen := s.sight(r, v)
	lines, invalid := v.Problems(err)
	switch {
	case errors.Is(err, problem.NotFound):
		return err
	case seen != nil:
		return seen
	case invalid:
		return s.showEnd(w, r, v, http.StatusUnprocessableEntity, g, r.PostForm, lines)
	case err != nil:
		return err
	}
	who := g.Name
	if who == "" {
		who = g.CitizenShown()
	}
	notice := v.Notice(views.NoticeOK, "rights.ended", "who", who, "level", g.Level.Row().Name, "unit", g.UnitName)
	notice.Label, notice.Href, notice.Form = v.T("rights.ended_undo"), "/ko1/grants/"+g.ID+"/again", newForm()
	return s.see(w, r, v, backTo(g.Grant), notice)
}

func (s *Server) changeForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	g, err := s.sight(r, v)
	if err != nil {
		return err
	}
	if !g.Manages {
		return problem.New(problem.NotFound, "grant.not_found")
	}
	if !g.ClosedAt.IsZero() {
		return problem.New(problem.Conflict, "grant.already_ended")
	}
	typed := url.Values{"version": {strconv.FormatInt(g.Version, 10)}, "order_number": {g.OrderNumber}, "note": {g.Note}}
	if last, ok := g.LastDay(); ok {
		if g.State == grant.StateExpired || g.State == grant.StateSoon { // most renewals are for another year
			last = last.AddYears(1)
		}
		typed.Set("last_day", last.Numeric(string(v.Lang)))
	}
	return s.showChange(w, r, v, http.StatusOK, g, typed, nil)
}

func (s *Server) showChange(w http.ResponseWriter, r *http.Request, v *Visit, status int, g grant.Sight, typed url.Values, problems []views.FieldError) error {
	p := v.pageOfRight("rights.change_title", g)
	p.Problems = problems
	return s.show(w, r, v, status, p, views.ChangeRight(p, views.ChangeForm{
		Action: "/ko1/grants/" + g.ID + "/change", Back: backTo(g.Grant), Version: typed.Get("version"), Summary: summaryOf(v, g),
		LastDay: typed.Get("last_day"), Order: typed.Get("order_number"), Note: typed.Get("note"), Expired: g.State == grant.StateExpired,
	}))
}

func (s *Server) changeRight(w http.ResponseWriter, r *http.Request, v *Visit) error {
	var check problem.Check
	c := grant.Change{
		LastDay: readDate(&check, "last_day", r.PostForm.Get("last_day")), OrderNumber: readLine(&check, "order_number", r.PostForm.Get("order_number"), 100),
		Note: readLine(&check, "note", r.PostForm.Get("note"), 500),
	}
	version, versionErr := strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
	if versionErr != nil {
		return problem.New(problem.Conflict, "grant.changed_meanwhile")
	}
	var g grant.Grant
	err := check.Err()
	if err == nil {
		g, err = s.Book.Change(r.Context(), v.Session.Person, r.PathValue("grant"), version, c)
	}
	if lines, ok := v.Problems(err); ok || errors.Is(err, problem.Conflict) {
		now, seen := s.sight(r, v)
		if seen != nil {
			return seen
		}
		if ok {
			return s.showChange(w, r, v, http.StatusUnprocessableEntity, now, r.PostForm, lines)
		}
		// Someone was first: what was typed stays, what stands now is shown above it.
		return s.showChange(w, r, v, http.StatusConflict, now, r.PostForm, []views.FieldError{{Text: v.Tell(err)}})
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, backTo(g)+"?sort=-number&saved="+g.ID, v.Notice(views.NoticeOK, "rights.changed", "number", strconv.FormatInt(g.Number, 10), "end", untilPhrase(v, g)))
}

func (s *Server) giveAgain(w http.ResponseWriter, r *http.Request, v *Visit) error {
	g, err := s.Book.Again(r.Context(), v.Session.Person, r.PathValue("grant"), r.PostForm.Get("form"))
	if lines, ok := v.Problems(err); ok {
		now, seen := s.sight(r, v)
		if seen != nil {
			return seen
		}
		return s.showRight(w, r, v, http.StatusUnprocessableEntity, now, lines)
	}
	if err != nil {
		return err
	}
	return s.sawGift(w, r, v, g)
}

func (s *Server) waiting(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showWaiting(w, r, v, http.StatusOK, "", "", nil)
}

// confirmChosen keeps a head's word on everyone he has ticked, in one act. Who could not be confirmed is named.
func (s *Server) confirmChosen(w http.ResponseWriter, r *http.Request, v *Visit) error {
	var chosen []grant.Named
	for _, value := range r.PostForm["chosen"] {
		unit, who, ok := strings.Cut(value, "/")
		if !ok {
			return problem.New(problem.Invalid, "problem.form")
		}
		if one := (grant.Named{Person: person.ID(who), Unit: unit}); !slices.Contains(chosen, one) {
			chosen = append(chosen, one)
		}
	}
	left, err := s.Book.IdentifyMany(r.Context(), v.Session.Person, chosen)
	if lines, ok := v.Problems(err); ok {
		return s.showWaiting(w, r, v, http.StatusUnprocessableEntity, "", "", lines)
	}
	if err != nil {
		return err
	}
	if len(left) == 0 {
		return s.see(w, r, v, rightsPath+"/waiting", v.Notice(views.NoticeOK, "bulk.confirmed", "n", len(chosen)))
	}
	ids := make([]person.ID, 0, len(left))
	for one := range left {
		ids = append(ids, one.Person)
	}
	names, err := s.Book.Names(r.Context(), v.Session.Person, ids)
	if err != nil {
		return err
	}
	var why []string
	for _, one := range chosen {
		if reason := left[one]; reason != nil {
			why = append(why, strings.TrimSpace(names[one.Person]+" – "+v.Tell(reason)))
		}
	}
	notice := v.Notice(views.NoticeWarn, "bulk.confirmed_some", "n", len(chosen)-len(left), "left", strings.Join(why, "; "))
	return s.see(w, r, v, rightsPath+"/waiting", notice)
}

// showWaiting shows who waits; the errors, if any, belong to the form of one of them.
func (s *Server) showWaiting(w http.ResponseWriter, r *http.Request, v *Visit, status int, wrong person.ID, reason string, problems []views.FieldError) error {
	list, err := s.Book.WaitingFor(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	overview, err := s.Book.Overview(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	choices, err := s.Book.Choices(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	p := v.Page("rights.waiting_title")
	p.Subtitle = whose(v, overview)
	p.Crumbs = rightsCrumbs(v, toRights(v))
	p.Problems = problems
	tabs := views.RightsPage{TabsLabel: v.T("rights.tabs"), Tabs: tabsOf(v, overview, choices, "waiting")}
	newcomers, absent, err := s.newcomersOf(r, v, overview.Scope.Heads)
	if err != nil {
		return err
	}
	var people []views.WaitingPerson
	for _, one := range list {
		person := views.WaitingPerson{
			Title: one.Name, ID: "p" + string(one.Person), Action: rightsPath + "/waiting/" + url.PathEscape(one.Unit) + "/" + url.PathEscape(string(one.Person)),
			Rows: []views.SummaryRow{
				{Term: v.T("rights.citizen"), Value: one.Citizen.Dashed()}, {Term: v.T("rights.name"), Value: one.Name}, {Term: v.T("rights.position"), Value: one.Position},
				{Term: v.T("rights.home"), Value: one.Home.In(v.Lang)}, {Term: v.T("rights.phone"), Value: one.Phone}, {Term: v.T("rights.email"), Value: one.Email},
				{Term: v.T("rights.registered_at"), Value: moment(v, one.RegisteredAt)},
			},
		}
		person.Position, person.Office, person.Contacts = one.Position, one.Home.In(v.Lang), []string{one.Phone, one.Email}
		person.Citizen = one.Citizen.Dashed()
		if one.HomeUnit == one.Unit {
			person.Choice = one.Unit + "/" + string(one.Person)
		}
		old := newcomers[grant.Named{Person: one.Person, Unit: one.Unit}]
		person.Marks = textsOf(v, marksOf(one, list, old.Marks))
		if old.Old.Name != "" && old.Old.Name != one.Name {
			person.Old = v.T("bulk.old_name", "name", old.Old.Name)
		}
		if one.HomeUnit != one.Unit {
			person.Other = v.T("rights.other_office", "unit", one.Home)
		}
		for _, g := range one.Grants {
			person.Rights = append(person.Rights, v.T("rights.waiting_right", "number", strconv.FormatInt(g.Number, 10), "level", g.Level.Row().Name, "unit", one.UnitName, "end", untilPhrase(v, g)))
		}
		if one.Person == wrong {
			person.Problem, person.Reason = true, reason
		}
		people = append(people, person)
	}
	return s.show(w, r, v, status, p, views.WaitingList(p, tabs, people, absent, r.URL.Query().Get("all") == "yes"))
}

// marksOf are the keys of what a head should look at before he confirms somebody; brought are those that the old system
// gives reason for.
func marksOf(one grant.Waiting, all []grant.Waiting, brought []string) (marks []string) {
	marks = slices.Clone(brought)
	mark := func(key string, here bool) {
		if here && !slices.Contains(marks, key) {
			marks = append(marks, key)
		}
	}
	levels := map[grant.Level]bool{}
	for _, g := range one.Grants {
		levels[g.Level] = true
	}
	mark(legacy.MarkOtherOffice, one.HomeUnit != one.Unit)
	mark(legacy.MarkLevelTwice, levels[grant.Consider] && levels[grant.Approve])
	for _, other := range all {
		mark(legacy.MarkSameName, other.Person != one.Person && other.Name == one.Name)
		mark(legacy.MarkSameContact, other.Person != one.Person && (other.Phone == one.Phone || other.Email == one.Email))
	}
	return marks
}

// textsOf are the texts of keys.
func textsOf(v *Visit, keys []string) []string {
	texts := make([]string, len(keys))
	for i, key := range keys {
		texts[i] = v.T(key)
	}
	return texts
}

// newcomersOf are the people whose rights in the reader's units were brought from the old system, by unit and person, and
// those of them who have yet to register.
func (s *Server) newcomersOf(r *http.Request, v *Visit, units []string) (known map[grant.Named]legacy.Newcomer, absent []views.WaitingPerson, err error) {
	known = map[grant.Named]legacy.Newcomer{}
	for _, unit := range units {
		list, err := s.Legacy.Newcomers(r.Context(), v.Session.Person, unit)
		if err != nil {
			return nil, nil, err
		}
		for _, n := range list {
			known[grant.Named{Person: n.Person, Unit: unit}] = n
			if n.Registered {
				continue
			}
			one := views.WaitingPerson{Title: n.Old.Name, Citizen: n.Citizen.Dashed(), Position: n.Old.Position, Marks: textsOf(v, n.Marks)}
			one.Contacts = slices.DeleteFunc([]string{n.Old.Phone, n.Old.Email}, func(s string) bool { return s == "" })
			for _, right := range n.Rights {
				one.Rights = append(one.Rights, levelName(v, right.Level))
			}
			absent = append(absent, one)
		}
	}
	return known, absent, nil
}

func (s *Server) decideIdentity(w http.ResponseWriter, r *http.Request, v *Visit) error {
	who, unit, yes := person.ID(r.PathValue("person")), r.PathValue("unit"), r.PostForm.Get("answer") == "yes"
	if answer := r.PostForm.Get("answer"); answer != "yes" && answer != "no" {
		return problem.New(problem.Invalid, "problem.form")
	}
	var check problem.Check
	reason := readLine(&check, "reason", r.PostForm.Get("reason"), 500)
	err := check.Err()
	if err == nil {
		if yes {
			reason = "" // what stands in the folded field belongs to the other answer
		}
		err = s.Book.Identify(r.Context(), v.Session.Person, who, unit, yes, reason)
	}
	if lines, ok := v.Problems(err); ok {
		return s.showWaiting(w, r, v, http.StatusUnprocessableEntity, who, reason, lines)
	}
	if err != nil {
		return err
	}
	names, err := s.Book.Names(r.Context(), v.Session.Person, []person.ID{who})
	if err != nil {
		return err
	}
	key := "rights.person_confirmed"
	if !yes {
		key = "rights.person_refused"
	}
	return s.see(w, r, v, rightsPath+"/waiting", v.Notice(views.NoticeOK, key, "who", names[who]))
}

func (s *Server) myRights(w http.ResponseWriter, r *http.Request, v *Visit) error {
	own, err := s.Book.Mine(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	p := v.Page("rights.mine_title")
	p.Subtitle = v.T("rights.mine_subtitle", "name", v.Session.Account.Name())
	p.Crumbs = rightsCrumbs(v)
	body := views.MyRights{Ask: views.ButtonLinkParams{Label: v.T("why.title"), Href: whyPath, Icon: views.IconInfo}, Empty: views.EmptyParams{Title: v.T("rights.mine_none"), Text: v.T("rights.mine_none_text")}}
	origins, err := s.originsOf(r, own.Rows...)
	if err != nil {
		return err
	}
	for _, row := range own.Rows {
		one := views.MyRight{
			Title: levelName(v, row.Level), Place: placeOf(v, row), GivenBy: own.Givers[row.GivenBy], State: v.T("rights.state_" + string(row.State)), StateKind: stateKinds[row.State],
			Period: v.T("rights.from_to", "from", shortDate(v, thai.DateOf(row.From)), "until", untilWords(v, row.Grant)),
			Why:    whyOf(row.Person, row.Level.Do(), row.Grant.Scope()),
		}
		if from, brought := origins[row.ID]; brought {
			one.Origin = originRow(v, from).Value
		}
		if row.State == grant.StateEnded || row.State == grant.StateExpired {
			body.Past = append(body.Past, one)
		} else {
			body.Now = append(body.Now, one)
		}
	}
	for _, a := range own.Appointments {
		if !a.Holds {
			continue
		}
		until := v.T("rights.no_end")
		if !a.Until.IsZero() {
			until = shortDate(v, thai.LastDay(a.Until))
		}
		why := ""
		if a.Post == grant.Head {
			why = whyOf(a.Person, grant.Administer, grant.Place{Unit: a.Unit})
		}
		body.Posts = append(body.Posts, views.MyRight{
			Why:   why,
			Title: grant.PostName(a.Post, a.Kind).In(v.Lang), Place: a.UnitName.In(v.Lang), GivenBy: a.ProposedBy,
			Period: v.T("rights.from_to", "from", shortDate(v, thai.DateOf(a.From)), "until", until), State: v.T("rights.state_active"), StateKind: views.BadgeOK,
		})
	}
	return s.show(w, r, v, http.StatusOK, p, views.Mine(p, body))
}

func (s *Server) unitHistory(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if err := onlyHeads(v); err != nil {
		return err
	}
	code := r.PathValue("unit")
	h, err := s.Book.History(r.Context(), v.Session.Person, code, r.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	p := v.Page("rights.history_title")
	p.Subtitle = h.Unit.Name.In(v.Lang)
	p.Crumbs = rightsCrumbs(v, toRights(v))
	body := views.StoryPage{Events: s.eventsOf(v, h.Entries, h.Names), Empty: views.EmptyParams{Title: v.T("rights.history_none")}}
	if h.Next != "" {
		body.Older = historyPath(code) + "?before=" + url.QueryEscape(h.Next)
	}
	return s.show(w, r, v, http.StatusOK, p, views.Story(p, body))
}

func (s *Server) personStory(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if err := onlyHeads(v); err != nil {
		return err
	}
	code, who := r.PathValue("unit"), person.ID(r.PathValue("person"))
	story, err := s.Book.StoryOf(r.Context(), v.Session.Person, code, who, r.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	p := v.Page("rights.story_title")
	p.Subtitle = strings.TrimSpace(story.Found.Name + " · " + story.Unit.Short.In(v.Lang))
	p.Crumbs = rightsCrumbs(v, toRights(v))
	body := views.StoryPage{Events: s.eventsOf(v, story.Entries, story.Names), Empty: views.EmptyParams{Title: v.T("rights.history_none")}}
	body.Summary = []views.SummaryRow{{Term: v.T("rights.name"), Value: story.Found.Name}, {Term: v.T("rights.citizen"), Value: story.CitizenShown()},
		{Term: v.T("rights.position"), Value: story.Found.Position}, {Term: v.T("rights.home"), Value: story.Found.Home.In(v.Lang)},
		{Term: v.T("rights.phone"), Value: story.Found.Phone}, {Term: v.T("rights.email"), Value: story.Found.Email}}
	if story.Masked && (v.Posts.Administrator || v.Posts.Auditor) {
		body.Unmask = "/people/" + url.PathEscape(string(who)) + "/unmask"
	}
	origins, err := s.originsOf(r, story.Rows...)
	if err != nil {
		return err
	}
	for _, row := range story.Rows {
		one := rowOf(v, row, grant.Scope{}, grant.Filter{}, "")
		if from, brought := origins[row.ID]; brought {
			one.Origin = originRow(v, from).Value
		}
		body.Rights = append(body.Rights, one)
	}
	if story.Next != "" {
		body.Older = storyPath(code, who) + "?before=" + url.QueryEscape(story.Next)
	}
	return s.show(w, r, v, http.StatusOK, p, views.Story(p, body))
}

func (s *Server) unmaskForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	p := v.Page("rights.unmask_title")
	p.Crumbs, p.Narrow = rightsCrumbs(v), true
	return s.show(w, r, v, http.StatusOK, p, views.UnmaskForm(p, r.URL.Path, localPath(r.Header.Get("Referer"), rightsPath), ""))
}

func (s *Server) unmask(w http.ResponseWriter, r *http.Request, v *Visit) error {
	var check problem.Check
	reason := readLine(&check, "reason", r.PostForm.Get("reason"), 500)
	citizen, err := thai.CitizenID{}, check.Err()
	if err == nil {
		citizen, err = s.Book.Unmask(r.Context(), v.Session.Person, person.ID(r.PathValue("person")), reason)
	}
	p := v.Page("rights.unmask_title")
	p.Crumbs, p.Narrow = rightsCrumbs(v), true
	if lines, ok := v.Problems(err); ok {
		p.Problems = lines
		return s.show(w, r, v, http.StatusUnprocessableEntity, p, views.UnmaskForm(p, r.URL.Path, rightsPath, reason))
	}
	if err != nil {
		return err
	}
	return s.show(w, r, v, http.StatusOK, p, views.Unmasked(p, citizen.Dashed(), rightsPath))
}

// eventsOf tells entries of the log in words, for a head who sees them as what happened in his unit.
func (s *Server) eventsOf(v *Visit, entries []audit.Entry, who map[person.ID]string) []views.Event {
	list := make([]views.Event, 0, len(entries))
	for _, e := range entries {
		l := s.logEntry(v, e, who, nil, nil)
		event := views.Event{When: l.When, Machine: l.Machine, Title: l.Act, Kind: views.BadgeOK, By: l.Actor.Name}
		if l.Subject.Name != "" {
			event.Title += " · " + l.Subject.Name
		}
		var facts []string
		if l.Denied {
			event.Kind = views.BadgeDanger
			facts = append(facts, v.T("log.outcome.denied"), l.Why)
		}
		for _, fact := range l.Facts {
			facts = append(facts, fact.Label+" "+fact.Value)
		}
		event.Text = strings.Join(facts, " · ")
		list = append(list, event)
	}
	return list
}

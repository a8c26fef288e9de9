package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sitthi/agency"
	"sitthi/internal/locale"
	"sitthi/internal/thai"
	"sitthi/web/views"
)

// agencyRoutes are the pages on which central administrators keep units and groups, and the page they start from.
func (s *Server) agencyRoutes() []Route {
	return []Route{
		{Pattern: "GET /admin", Access: AdministratorOnly, Handle: s.admin},
		{Pattern: "GET /admin/units", Access: AdministratorOnly, Handle: s.units},
		{Pattern: "GET /admin/units/new", Access: AdministratorOnly, Handle: s.newUnit},
		{Pattern: "POST /admin/units/new", Access: AdministratorOnly, StepUp: true, Handle: s.addUnit},
		{Pattern: "GET /admin/units/{unit}", Access: AdministratorOnly, Handle: s.unit},
		{Pattern: "GET /admin/units/{unit}/name", Access: AdministratorOnly, Handle: s.unitName},
		{Pattern: "POST /admin/units/{unit}/name", Access: AdministratorOnly, StepUp: true, Handle: s.renameUnit},
		{Pattern: "GET /admin/units/{unit}/mailbox", Access: AdministratorOnly, Handle: s.unitMailbox},
		{Pattern: "POST /admin/units/{unit}/mailbox", Access: AdministratorOnly, StepUp: true, Handle: s.setMailbox},
		{Pattern: "POST /admin/units/{unit}/review", Access: AdministratorOnly, StepUp: true, Handle: s.switchReview},
		{Pattern: "POST /admin/units/{unit}/considers", Access: AdministratorOnly, StepUp: true, Handle: s.switchConsiders},
		{Pattern: "GET /admin/units/{unit}/retire", Access: AdministratorOnly, Handle: s.unitEnd},
		{Pattern: "POST /admin/units/{unit}/retire", Access: AdministratorOnly, StepUp: true, Handle: s.retireUnit},
		{Pattern: "POST /admin/units/{unit}/restore", Access: AdministratorOnly, StepUp: true, Handle: s.restoreUnit},
		{Pattern: "GET /admin/units/{unit}/teams/new", Access: AdministratorOnly, Handle: s.newTeam},
		{Pattern: "POST /admin/units/{unit}/teams/new", Access: AdministratorOnly, StepUp: true, Handle: s.addTeam},
		{Pattern: "GET /admin/units/{unit}/teams/{team}/name", Access: AdministratorOnly, Handle: s.teamName},
		{Pattern: "POST /admin/units/{unit}/teams/{team}/name", Access: AdministratorOnly, StepUp: true, Handle: s.renameTeam},
		{Pattern: "GET /admin/units/{unit}/teams/{team}/retire", Access: AdministratorOnly, Handle: s.teamEnd},
		{Pattern: "POST /admin/units/{unit}/teams/{team}/retire", Access: AdministratorOnly, StepUp: true, Handle: s.retireTeam},
		{Pattern: "POST /admin/units/{unit}/teams/{team}/restore", Access: AdministratorOnly, StepUp: true, Handle: s.restoreTeam},
	}
}

// admin is where central administrators start.
func (s *Server) admin(w http.ResponseWriter, r *http.Request, v *Visit) error {
	p := v.Page("agency.admin")
	p.Subtitle = v.T("agency.admin_text")
	tile := func(key, href string, icon views.IconName) views.Tile {
		return views.Tile{Label: v.T("agency.to_" + key), Note: v.T("agency.to_" + key + "_note"), Href: href, Icon: icon}
	}
	return s.show(w, r, v, http.StatusOK, p, views.Admin(p, []views.Tile{
		tile("units", "/admin/units", views.IconOffice),
		tile("appointments", "/admin/appointments", views.IconPerson),
		tile("systems", "/admin/systems", views.IconFolder),
		tile("announcements", "/admin/announcements", views.IconInfo),
		tile("cutover", cutoverPath, views.IconNext),
		tile("messages", messagesPath, views.IconInfo),
		tile("programs", programsPath, views.IconKey),
		tile("imports", importsPath, views.IconDownload),
		tile("help", casesPath, views.IconPerson),
		tile("log", logPath, views.IconHistory),
		tile("decisions", decisionsPath, views.IconHistory),
	}))
}

// unitSizes are the sizes of a page of units; the first is the usual one.
var unitSizes = []int{50, 100, 200}

// unitGrid is what the address of the list of units says, understood: unknown and empty values are gone.
type unitGrid struct {
	query      url.Values
	search     string // folded
	name, code string // folded
	page, size int
}

func readUnitGrid(r *http.Request) unitGrid {
	asked, g := r.URL.Query(), unitGrid{query: url.Values{}, page: 1, size: unitSizes[0]}
	keep := func(name, value string, known ...string) {
		if value != "" && (len(known) == 0 || slices.Contains(known, value)) {
			g.query.Set(name, value)
		}
	}
	for _, name := range []string{views.ParamSearch, "code", "name"} {
		keep(name, strings.TrimSpace(asked.Get(name)))
	}
	keep("kind", asked.Get("kind"), agency.Kinds[:]...)
	for _, name := range []string{"considers", "review", "active"} {
		keep(name, asked.Get(name), "yes", "no")
	}
	keep(views.ParamSort, asked.Get(views.ParamSort), "code", "-code", "name", "-name", "kind", "-kind")
	g.search, g.code, g.name = thai.Fold(g.query.Get(views.ParamSearch)), thai.Fold(g.query.Get("code")), thai.Fold(g.query.Get("name"))
	if size, err := strconv.Atoi(asked.Get(views.ParamSize)); err == nil && slices.Contains(unitSizes, size) && size != unitSizes[0] {
		g.size = size
		keep(views.ParamSize, strconv.Itoa(size))
	}
	if page, err := strconv.Atoi(asked.Get(views.ParamPage)); err == nil && page > 1 {
		g.page = page
	}
	return g
}

// shows tells whether a unit passes the filters.
func (g unitGrid) shows(u agency.Unit) bool {
	is := func(name string, on bool) bool {
		want := g.query.Get(name)
		return want == "" || (want == "yes") == on
	}
	names := thai.Fold(u.Name.TH + " " + u.Name.EN + " " + u.Short.TH + " " + u.Short.EN)
	code := thai.Fold(u.Code)
	return (g.query.Get("kind") == "" || g.query.Get("kind") == u.Kind) &&
		is("considers", u.Considers) && is("review", u.UsesReview) && is("active", u.Active) &&
		strings.Contains(code, g.code) && strings.Contains(names, g.name) &&
		(strings.Contains(code, g.search) || strings.Contains(names, g.search))
}

// sort orders the units as asked; without a wish they are in the order of all lists of units.
func (g unitGrid) sort(units []agency.Unit, lang locale.Lang) {
	by := g.query.Get(views.ParamSort)
	key, down := strings.TrimPrefix(by, "-"), strings.HasPrefix(by, "-")
	slices.SortStableFunc(units, func(a, b agency.Unit) int {
		order := 0
		switch key {
		case "code":
			order = strings.Compare(a.Code, b.Code)
		case "name":
			order = strings.Compare(thai.SortKey(a.Name.In(lang)), thai.SortKey(b.Name.In(lang)))
		case "kind":
			order = cmp.Compare(slices.Index(agency.Kinds[:], a.Kind), slices.Index(agency.Kinds[:], b.Kind))
		}
		if down {
			return -order
		}
		return order
	})
}

// units is the list of units, with filters, sort and pages in its address.
func (s *Server) units(w http.ResponseWriter, r *http.Request, v *Visit) error {
	units, err := s.Agencies.Units(r.Context())
	if err != nil {
		return err
	}
	asked := readUnitGrid(r)
	units = slices.DeleteFunc(units, func(u agency.Unit) bool { return !asked.shows(u) })
	asked.sort(units, v.Lang)
	pages := max(1, (len(units)+asked.size-1)/asked.size)
	page := min(asked.page, pages)
	shown := units[(page-1)*asked.size : min(page*asked.size, len(units))]

	yesNo := []views.Option{{Value: "yes", Label: v.T("agency.on")}, {Value: "no", Label: v.T("agency.off")}}
	p := v.Page("agency.units")
	p.Subtitle, p.Crumbs = v.T("agency.units_text"), v.adminCrumbs()
	grid := views.Grid{
		Path: "/admin/units", Query: asked.query, Page: page, Pages: pages, Size: asked.size, Sizes: unitSizes,
		Total: len(units), Caption: p.Title, SearchLabel: v.T("agency.search"),
		Add: &views.ButtonLinkParams{Label: v.T("agency.unit_add"), Href: "/admin/units/new", Kind: views.Primary, Icon: views.IconPlus, Dialog: true},
		Columns: []views.Column{
			{Key: "code", Label: v.T("agency.code"), Filter: views.Filter{Name: "code"}},
			{Key: "name", Label: v.T("agency.name"), Filter: views.Filter{Name: "name"}},
			{Key: "kind", Label: v.T("agency.kind"), Filter: views.Filter{Name: "kind", Options: v.kinds()}},
			{Label: v.T("agency.considers"), Filter: views.Filter{Name: "considers", Options: yesNo}},
			{Label: v.T("agency.review"), Filter: views.Filter{Name: "review", Options: yesNo}},
			{Label: v.T("agency.state"), Filter: views.Filter{Name: "active", Options: []views.Option{
				{Value: "yes", Label: v.T("agency.active")}, {Value: "no", Label: v.T("agency.retired")}}}},
		},
	}
	rows := make([]views.UnitRow, len(shown))
	for i, u := range shown {
		rows[i] = views.UnitRow{
			Code: u.Code, Name: u.Name.In(v.Lang), Kind: v.T("agency.kind_" + u.Kind),
			Considers: u.Considers, Review: u.UsesReview, Active: u.Active, Href: unitPath(u.Code),
		}
	}
	return s.show(w, r, v, http.StatusOK, p, views.Units(p, grid, rows))
}

func (v *Visit) kinds() []views.Option {
	var list []views.Option
	for _, kind := range agency.Kinds {
		list = append(list, views.Option{Value: kind, Label: v.T("agency.kind_" + kind)})
	}
	return list
}

func unitPath(code string) string { return "/admin/units/" + url.PathEscape(code) }

func teamPath(t agency.Team) string { return unitPath(t.Unit) + "/teams/" + url.PathEscape(t.Code) }

// by is the person who acts, as the acts want to know it.
func (v *Visit) by() string { return string(v.Session.Person) }

func (s *Server) newUnit(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showNewUnit(w, r, v, http.StatusOK, views.UnitForm{}, nil)
}

func (s *Server) showNewUnit(w http.ResponseWriter, r *http.Request, v *Visit, status int, f views.UnitForm, faults []views.FieldError) error {
	f.Kinds = v.kinds()
	for _, region := range agency.Regions {
		f.Regions = append(f.Regions, views.Option{Value: region, Label: v.T("agency.region_" + region)})
	}
	p := v.Page("agency.unit_add")
	p.Crumbs, p.Narrow, p.Problems = v.adminCrumbs("agency.units", "/admin/units"), true, faults
	return s.show(w, r, v, status, p, views.UnitNew(p, f))
}

func (s *Server) addUnit(w http.ResponseWriter, r *http.Request, v *Visit) error {
	get := r.PostForm.Get
	f := views.UnitForm{
		Code: get("code"), Kind: get("kind"), Region: get("region"), NameTH: get("name_th"), NameEN: get("name_en"),
		ShortTH: get("short_th"), ShortEN: get("short_en"), Considers: get("considers") != "", Review: get("uses_review") != "",
	}
	u, err := s.Agencies.AddUnit(r.Context(), v.by(), agency.NewUnit{
		Code: f.Code, Kind: f.Kind, Region: f.Region, Considers: f.Considers, UsesReview: f.Review,
		Name: locale.Name{TH: f.NameTH, EN: f.NameEN}, Short: locale.Name{TH: f.ShortTH, EN: f.ShortEN},
	})
	if faults, ok := v.Problems(err); ok {
		return s.showNewUnit(w, r, v, http.StatusUnprocessableEntity, f, faults)
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, unitPath(u.Code), v.Notice(views.NoticeOK, "agency.unit_added", "name", u.Name))
}

func (s *Server) unit(w http.ResponseWriter, r *http.Request, v *Visit) error {
	f, err := s.Agencies.Folder(r.Context(), r.PathValue("unit"))
	if err != nil {
		return err
	}
	return s.showUnit(w, r, v, http.StatusOK, f)
}

func (s *Server) showUnit(w http.ResponseWriter, r *http.Request, v *Visit, status int, f agency.Folder) error {
	u := f.Unit
	p := v.Page("agency.unit", "name", u.Name)
	p.Subtitle, p.Crumbs = v.T("agency.kind_"+u.Kind)+" · "+u.Code, v.adminCrumbs("agency.units", "/admin/units")
	page := views.UnitPage{
		Path: unitPath(u.Code), Version: strconv.FormatInt(u.Version, 10), Active: u.Active, Rows: v.unitRows(f),
		MayEnd: u.MayRetire(), HasTeams: u.HasTeams(), Switches: []views.UnitSwitch{v.considersSwitch(u), v.reviewSwitch(u)},
	}
	for _, t := range f.Teams {
		page.Teams = append(page.Teams, views.TeamRow{
			Code: t.Code, Name: t.Name.In(v.Lang), Grants: f.InTeam[t.Code], Active: t.Active,
			Version: strconv.FormatInt(t.Version, 10), Path: teamPath(t),
		})
	}
	return s.show(w, r, v, status, p, views.Unit(p, page))
}

// unitRows say what is known of a unit, line by line.
func (v *Visit) unitRows(f agency.Folder) []views.SummaryRow {
	u := f.Unit
	state := views.Badge(views.BadgeOK, v.T("agency.active"))
	if !u.Active {
		state = views.Badge(views.BadgeOff, v.T("agency.retired"))
	}
	rows := []views.SummaryRow{
		{Term: v.T("agency.state"), Body: state},
		{Term: v.T("agency.name_th"), Value: u.Name.TH},
		{Term: v.T("agency.name_en"), Value: cmp.Or(u.Name.EN, v.T("agency.none"))},
	}
	if u.Short != u.Name {
		rows = append(rows,
			views.SummaryRow{Term: v.T("agency.short_th"), Value: u.Short.TH},
			views.SummaryRow{Term: v.T("agency.short_en"), Value: cmp.Or(u.Short.EN, v.T("agency.none"))})
	}
	if u.Region != "" {
		rows = append(rows, views.SummaryRow{Term: v.T("agency.region"), Value: v.T("agency.region_" + u.Region)})
	}
	return append(rows,
		views.SummaryRow{Term: v.T("agency.mailbox"), Value: cmp.Or(string(u.Mailbox), v.T("agency.none"))},
		views.SummaryRow{Term: v.T("agency.grants"), Value: views.Thousands(f.Grants)},
		views.SummaryRow{Term: v.T("agency.heads"), Value: views.Thousands(f.Heads)})
}

func (v *Visit) considersSwitch(u agency.Unit) views.UnitSwitch {
	sw := views.UnitSwitch{
		Title: v.T("agency.considers_title"), Text: v.T("agency.considers_text"), On: u.Considers, Action: unitPath(u.Code) + "/considers",
	}
	switch {
	case !u.Active:
	case u.Considers:
		sw.Label = v.T("agency.considers_off")
	default:
		sw.Label = v.T("agency.considers_on")
	}
	return sw
}

func (v *Visit) reviewSwitch(u agency.Unit) views.UnitSwitch {
	sw := views.UnitSwitch{
		Title: v.T("agency.review_title"), Text: v.T("agency.review_text"), On: u.UsesReview, Action: unitPath(u.Code) + "/review",
	}
	switch {
	case u.Kind == agency.Province:
		sw.Text = v.T("agency.review_province")
	case !u.Considers:
		sw.Text = v.T("agency.review_needs")
	case !u.Active:
	case u.UsesReview:
		sw.Label = v.T("agency.review_off")
	default:
		sw.Label = v.T("agency.review_on")
	}
	return sw
}

// unitChanged answers an act on a unit that has no form of its own: back on its page with the news, or with the
// reason why it was not done.
func (s *Server) unitChanged(w http.ResponseWriter, r *http.Request, v *Visit, acted error, done string) error {
	code := r.PathValue("unit")
	why := v.Tell(acted)
	if acted != nil && why == "" {
		return acted
	}
	f, err := s.Agencies.Folder(r.Context(), code)
	if err != nil {
		return err
	}
	switch _, invalid := v.Problems(acted); {
	case acted == nil:
		return s.see(w, r, v, unitPath(code), v.Notice(views.NoticeOK, done, "name", f.Unit.Name))
	case invalid, isConflict(acted):
		v.notice = &views.Notice{Kind: views.NoticeError, Text: why}
		return s.showUnit(w, r, v, http.StatusConflict, f)
	}
	return acted
}

func (s *Server) switchReview(w http.ResponseWriter, r *http.Request, v *Visit) error {
	on, done := r.PostForm.Get("on") == "yes", "agency.review_now_off"
	if on {
		done = "agency.review_now_on"
	}
	return s.unitChanged(w, r, v, s.Agencies.SwitchReview(r.Context(), v.by(), r.PathValue("unit"), formVersion(r), on), done)
}

func (s *Server) switchConsiders(w http.ResponseWriter, r *http.Request, v *Visit) error {
	on, done := r.PostForm.Get("on") == "yes", "agency.considers_now_off"
	if on {
		done = "agency.considers_now_on"
	}
	return s.unitChanged(w, r, v, s.Agencies.SwitchConsiders(r.Context(), v.by(), r.PathValue("unit"), formVersion(r), on), done)
}

func (s *Server) restoreUnit(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.unitChanged(w, r, v, s.Agencies.RestoreUnit(r.Context(), v.by(), r.PathValue("unit"), formVersion(r)), "agency.unit_restored")
}

func (s *Server) restoreTeam(w http.ResponseWriter, r *http.Request, v *Visit) error {
	acted := s.Agencies.RestoreTeam(r.Context(), v.by(), r.PathValue("unit"), r.PathValue("team"), formVersion(r))
	return s.unitChanged(w, r, v, acted, "agency.team_restored")
}

// folderAndTeam finds the unit and the group that the address names.
func (s *Server) folderAndTeam(r *http.Request) (agency.Folder, agency.Team, error) {
	f, err := s.Agencies.Folder(r.Context(), r.PathValue("unit"))
	if err != nil {
		return f, agency.Team{}, err
	}
	t, err := f.Team(r.PathValue("team"))
	return f, t, err
}

// showNaming shows the form to name a unit, or a group of it when the title says so.
func (s *Server) showNaming(w http.ResponseWriter, r *http.Request, v *Visit, status int, title string, u agency.Unit, f views.NameForm, faults []views.FieldError) error {
	p := v.Page(title)
	p.Subtitle = u.Name.In(v.Lang)
	p.Crumbs = append(v.adminCrumbs("agency.units", "/admin/units"), views.Crumb{Label: u.Name.In(v.Lang), Href: unitPath(u.Code)})
	p.Narrow, p.Problems = true, faults
	f.Back = unitPath(u.Code)
	return s.show(w, r, v, status, p, views.Naming(p, f))
}

// namesTyped keeps what was typed to name a unit or a group, for the form to show again.
func namesTyped(r *http.Request) views.NameForm {
	get := r.PostForm.Get
	return views.NameForm{
		TH: get("name_th"), EN: get("name_en"), ShortTH: get("short_th"), ShortEN: get("short_en"),
		Code: get("code"), Version: get("version"),
	}
}

func (s *Server) unitName(w http.ResponseWriter, r *http.Request, v *Visit) error {
	f, err := s.Agencies.Folder(r.Context(), r.PathValue("unit"))
	if err != nil {
		return err
	}
	u := f.Unit
	return s.showUnitName(w, r, v, http.StatusOK, u, views.NameForm{
		TH: u.Name.TH, EN: u.Name.EN, ShortTH: u.Short.TH, ShortEN: u.Short.EN, Version: strconv.FormatInt(u.Version, 10),
	}, nil)
}

func (s *Server) showUnitName(w http.ResponseWriter, r *http.Request, v *Visit, status int, u agency.Unit, f views.NameForm, faults []views.FieldError) error {
	f.Action, f.Unit = unitPath(u.Code)+"/name", true
	return s.showNaming(w, r, v, status, "agency.rename_unit", u, f, faults)
}

func (s *Server) renameUnit(w http.ResponseWriter, r *http.Request, v *Visit) error {
	code, typed := r.PathValue("unit"), namesTyped(r)
	acted := s.Agencies.RenameUnit(r.Context(), v.by(), code, formVersion(r),
		locale.Name{TH: typed.TH, EN: typed.EN}, locale.Name{TH: typed.ShortTH, EN: typed.ShortEN})
	faults, invalid := v.Problems(acted)
	if acted != nil && !invalid && !isConflict(acted) {
		return acted
	}
	f, err := s.Agencies.Folder(r.Context(), code)
	if err != nil {
		return err
	}
	switch {
	case invalid:
		return s.showUnitName(w, r, v, http.StatusUnprocessableEntity, f.Unit, typed, faults)
	case acted != nil:
		typed.Now, typed.Version = f.Unit.Name.In(v.Lang), strconv.FormatInt(f.Unit.Version, 10)
		return s.showUnitName(w, r, v, http.StatusConflict, f.Unit, typed, []views.FieldError{{Text: v.Tell(acted)}})
	}
	return s.see(w, r, v, unitPath(code), v.Notice(views.NoticeOK, "agency.renamed", "name", f.Unit.Name))
}

func (s *Server) unitMailbox(w http.ResponseWriter, r *http.Request, v *Visit) error {
	f, err := s.Agencies.Folder(r.Context(), r.PathValue("unit"))
	if err != nil {
		return err
	}
	return s.showMailbox(w, r, v, http.StatusOK, f.Unit, views.MailboxForm{Mailbox: string(f.Unit.Mailbox)}, nil)
}

// showMailbox shows the form for an office's own address, with the one that it has now.
func (s *Server) showMailbox(w http.ResponseWriter, r *http.Request, v *Visit, status int, u agency.Unit, f views.MailboxForm, faults []views.FieldError) error {
	p := v.Page("agency.mailbox_set")
	p.Subtitle = u.Name.In(v.Lang)
	p.Crumbs = append(v.adminCrumbs("agency.units", "/admin/units"), views.Crumb{Label: u.Name.In(v.Lang), Href: unitPath(u.Code)})
	p.Narrow, p.Problems = true, faults
	f.Back, f.Seen = unitPath(u.Code), string(u.Mailbox)
	return s.show(w, r, v, status, p, views.Mailbox(p, f))
}

func (s *Server) setMailbox(w http.ResponseWriter, r *http.Request, v *Visit) error {
	code, typed := r.PathValue("unit"), views.MailboxForm{Mailbox: r.PostForm.Get("mailbox")}
	acted := s.Agencies.SetMailbox(r.Context(), v.by(), code, thai.Email(r.PostForm.Get("seen")), typed.Mailbox)
	faults, invalid := v.Problems(acted)
	if acted != nil && !invalid && !isConflict(acted) {
		return acted
	}
	f, err := s.Agencies.Folder(r.Context(), code)
	if err != nil {
		return err
	}
	switch {
	case invalid:
		return s.showMailbox(w, r, v, http.StatusUnprocessableEntity, f.Unit, typed, faults)
	case acted != nil:
		typed.Now = cmp.Or(string(f.Unit.Mailbox), v.T("agency.none"))
		return s.showMailbox(w, r, v, http.StatusConflict, f.Unit, typed, []views.FieldError{{Text: v.Tell(acted)}})
	}
	return s.see(w, r, v, unitPath(code), v.Notice(views.NoticeOK, "agency.mailbox_saved", "name", f.Unit.Name))
}

func (s *Server) newTeam(w http.ResponseWriter, r *http.Request, v *Visit) error {
	f, err := s.Agencies.Folder(r.Context(), r.PathValue("unit"))
	if err != nil {
		return err
	}
	return s.showNewTeam(w, r, v, http.StatusOK, f.Unit, views.NameForm{}, nil)
}

func (s *Server) showNewTeam(w http.ResponseWriter, r *http.Request, v *Visit, status int, u agency.Unit, f views.NameForm, faults []views.FieldError) error {
	f.Action, f.Version = unitPath(u.Code)+"/teams/new", ""
	return s.showNaming(w, r, v, status, "agency.team_add", u, f, faults)
}

func (s *Server) addTeam(w http.ResponseWriter, r *http.Request, v *Visit) error {
	f, err := s.Agencies.Folder(r.Context(), r.PathValue("unit"))
	if err != nil {
		return err
	}
	typed := namesTyped(r)
	t, err := s.Agencies.AddTeam(r.Context(), v.by(), f.Unit.Code, typed.Code, locale.Name{TH: typed.TH, EN: typed.EN})
	if faults, ok := v.Problems(err); ok {
		return s.showNewTeam(w, r, v, http.StatusUnprocessableEntity, f.Unit, typed, faults)
	}
	if isConflict(err) {
		return s.showNewTeam(w, r, v, http.StatusConflict, f.Unit, typed, []views.FieldError{{Text: v.Tell(err)}})
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, unitPath(f.Unit.Code), v.Notice(views.NoticeOK, "agency.team_added", "name", t.Name, "code", t.Code))
}

func (s *Server) teamName(w http.ResponseWriter, r *http.Request, v *Visit) error {
	f, t, err := s.folderAndTeam(r)
	if err != nil {
		return err
	}
	return s.showTeamName(w, r, v, http.StatusOK, f.Unit, t, views.NameForm{
		TH: t.Name.TH, EN: t.Name.EN, Version: strconv.FormatInt(t.Version, 10),
	}, nil)
}

func (s *Server) showTeamName(w http.ResponseWriter, r *http.Request, v *Visit, status int, u agency.Unit, t agency.Team, f views.NameForm, faults []views.FieldError) error {
	f.Action, f.Version = teamPath(t)+"/name", cmp.Or(f.Version, "0")
	return s.showNaming(w, r, v, status, "agency.rename_team", u, f, faults)
}

func (s *Server) renameTeam(w http.ResponseWriter, r *http.Request, v *Visit) error {
	typed := namesTyped(r)
	acted := s.Agencies.RenameTeam(r.Context(), v.by(), r.PathValue("unit"), r.PathValue("team"), formVersion(r),
		locale.Name{TH: typed.TH, EN: typed.EN})
	faults, invalid := v.Problems(acted)
	if acted != nil && !invalid && !isConflict(acted) {
		return acted
	}
	f, t, err := s.folderAndTeam(r)
	if err != nil {
		return err
	}
	switch {
	case invalid:
		return s.showTeamName(w, r, v, http.StatusUnprocessableEntity, f.Unit, t, typed, faults)
	case acted != nil:
		typed.Now, typed.Version = t.Name.In(v.Lang), strconv.FormatInt(t.Version, 10)
		return s.showTeamName(w, r, v, http.StatusConflict, f.Unit, t, typed, []views.FieldError{{Text: v.Tell(acted)}})
	}
	return s.see(w, r, v, unitPath(f.Unit.Code), v.Notice(views.NoticeOK, "agency.renamed", "name", t.Name))
}

// showRetire asks whether a unit or a group is to be taken out of use, or says why it can not be yet.
func (s *Server) showRetire(w http.ResponseWriter, r *http.Request, v *Visit, status int, u agency.Unit, name locale.Name, f views.RetireForm, faults []views.FieldError) error {
	p := v.Page("agency.retire_title", "name", name)
	p.Crumbs = append(v.adminCrumbs("agency.units", "/admin/units"), views.Crumb{Label: u.Name.In(v.Lang), Href: unitPath(u.Code)})
	p.Narrow, p.Problems = true, faults
	f.Back = unitPath(u.Code)
	return s.show(w, r, v, status, p, views.Retire(p, f))
}

func (s *Server) unitEnd(w http.ResponseWriter, r *http.Request, v *Visit) error {
	f, err := s.Agencies.Folder(r.Context(), r.PathValue("unit"))
	if err != nil {
		return err
	}
	return s.showUnitEnd(w, r, v, http.StatusOK, f, nil)
}

func (s *Server) showUnitEnd(w http.ResponseWriter, r *http.Request, v *Visit, status int, f agency.Folder, faults []views.FieldError) error {
	form := views.RetireForm{
		Action: unitPath(f.Unit.Code) + "/retire", Version: strconv.FormatInt(f.Unit.Version, 10), Text: v.T("agency.retire_unit_text"),
	}
	if f.Grants > 0 {
		form.Blocks = append(form.Blocks, v.T("agency.problem.has_grants", "n", f.Grants))
	}
	if f.Heads > 0 {
		form.Blocks = append(form.Blocks, v.T("agency.problem.has_heads", "n", f.Heads))
	}
	if !f.Unit.MayRetire() {
		form.Blocks = append(form.Blocks, v.T("agency.problem.needed"))
	}
	return s.showRetire(w, r, v, status, f.Unit, f.Unit.Name, form, faults)
}

func (s *Server) retireUnit(w http.ResponseWriter, r *http.Request, v *Visit) error {
	acted := s.Agencies.RetireUnit(r.Context(), v.by(), r.PathValue("unit"), formVersion(r))
	if acted != nil && !isConflict(acted) {
		return acted
	}
	f, err := s.Agencies.Folder(r.Context(), r.PathValue("unit"))
	if err != nil {
		return err
	}
	if acted != nil {
		return s.showUnitEnd(w, r, v, http.StatusConflict, f, []views.FieldError{{Text: v.Tell(acted)}})
	}
	return s.see(w, r, v, unitPath(f.Unit.Code), v.Notice(views.NoticeOK, "agency.unit_retired", "name", f.Unit.Name))
}

func (s *Server) teamEnd(w http.ResponseWriter, r *http.Request, v *Visit) error {
	f, t, err := s.folderAndTeam(r)
	if err != nil {
		return err
	}
	return s.showTeamEnd(w, r, v, http.StatusOK, f, t, nil)
}

func (s *Server) showTeamEnd(w http.ResponseWriter, r *http.Request, v *Visit, status int, f agency.Folder, t agency.Team, faults []views.FieldError) error {
	form := views.RetireForm{
		Action: teamPath(t) + "/retire", Version: strconv.FormatInt(t.Version, 10), Text: v.T("agency.retire_team_text"),
	}
	if n := f.InTeam[t.Code]; n > 0 {
		form.Blocks = append(form.Blocks, v.T("agency.problem.has_grants", "n", n))
	}
	return s.showRetire(w, r, v, status, f.Unit, t.Name, form, faults)
}

func (s *Server) retireTeam(w http.ResponseWriter, r *http.Request, v *Visit) error {
	acted := s.Agencies.RetireTeam(r.Context(), v.by(), r.PathValue("unit"), r.PathValue("team"), formVersion(r))
	if acted != nil && !isConflict(acted) {
		return acted
	}
	f, t, err := s.folderAndTeam(r)
	if err != nil {
		return err
	}
	if acted != nil {
		return s.showTeamEnd(w, r, v, http.StatusConflict, f, t, []views.FieldError{{Text: v.Tell(acted)}})
	}
	return s.see(w, r, v, unitPath(f.Unit.Code), v.Notice(views.NoticeOK, "agency.team_retired", "name", t.Name))
}

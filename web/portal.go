package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/portal"
	"sitthi/web/views"
)

// portalRoutes are the pages that everyone may see before sign-in, as in the manual, and those on which central
// administrators keep what they show.
func (s *Server) portalRoutes() []Route {
	return []Route{
		{Pattern: "GET /{$}", Access: Open, Handle: s.home},
		{Pattern: "GET /intranet", Access: Open, Handle: s.intranet},
		{Pattern: "GET /ko1", Access: Open, Handle: s.entrance},
		{Pattern: "GET /admin/systems", Access: AdministratorOnly, Handle: s.systems},
		{Pattern: "GET /admin/systems/{code}", Access: AdministratorOnly, Handle: s.systemForm},
		{Pattern: "POST /admin/systems/{code}", Access: AdministratorOnly, StepUp: true, Handle: s.setAddress},
		{Pattern: "GET /admin/announcements", Access: AdministratorOnly, Handle: s.announcements},
		{Pattern: "GET /admin/announcements/new", Access: AdministratorOnly, Handle: s.newAnnouncement},
		{Pattern: "POST /admin/announcements/new", Access: AdministratorOnly, StepUp: true, Handle: s.announce},
		{Pattern: "GET /admin/announcements/{id}", Access: AdministratorOnly, Handle: s.announcement},
		{Pattern: "POST /admin/announcements/{id}", Access: AdministratorOnly, StepUp: true, Handle: s.changeAnnouncement},
		{Pattern: "GET /admin/announcements/{id}/close", Access: AdministratorOnly, Handle: s.closeForm},
		{Pattern: "POST /admin/announcements/{id}/close", Access: AdministratorOnly, StepUp: true, Handle: s.closeAnnouncement},
	}
}

// home is the department's public page: what entrepreneurs do first, contacts, announcements, the way in.
func (s *Server) home(w http.ResponseWriter, r *http.Request, v *Visit) error {
	current, past, err := s.Portal.Announcements(r.Context(), portal.Public)
	if err != nil {
		return err
	}
	changes, err := s.cutoverNotices(r, v)
	if err != nil {
		return err
	}
	p := v.Page("portal.home")
	return s.show(w, r, v, http.StatusOK, p, views.Home(p, views.HomePage{Current: append(changes, v.announced(current)...), Past: v.announced(past)}))
}

// firstMenu is the group that is open when none was chosen: ระบบงานอนุญาต, under which the manual lists the systems.
const firstMenu = "permits"

// intranet is the menu of the department's systems.
func (s *Server) intranet(w http.ResponseWriter, r *http.Request, v *Visit) error {
	menus, err := s.Portal.Menus(r.Context())
	if err != nil {
		return err
	}
	current, past, err := s.Portal.Announcements(r.Context(), portal.Officers)
	if err != nil {
		return err
	}
	changes, err := s.cutoverNotices(r, v)
	if err != nil {
		return err
	}
	chosen := r.URL.Query().Get("menu")
	if chosen == "" {
		chosen = firstMenu
	}
	page := views.IntranetPage{Current: append(changes, v.announced(current)...), Past: v.announced(past)}
	for _, m := range menus {
		tab := views.Tab{Label: m.Name.In(v.Lang), Href: "/intranet?menu=" + m.Code, Current: m.Code == chosen}
		if m.Code == portal.Home {
			tab.Href, tab.Current = "/", false
		}
		page.Menus = append(page.Menus, tab)
		if tab.Current {
			page.Open, page.Systems = tab.Label, v.systemTiles(m.Systems)
		}
	}
	if page.Open == "" {
		return problem.New(problem.NotFound, "problem.notfound")
	}
	p := v.Page("portal.intranet_title")
	return s.show(w, r, v, http.StatusOK, p, views.Intranet(p, page))
}

// systemTiles are the systems of one group; one whose address nobody has entered says so.
func (v *Visit) systemTiles(systems []portal.System) []views.Tile {
	tiles := make([]views.Tile, len(systems))
	for i, sys := range systems {
		tiles[i] = views.Tile{
			Label: sys.Name.In(v.Lang), Href: sys.Address, Icon: views.IconFolder,
			Outside: sys.Address != "" && !strings.HasPrefix(sys.Address, "/"),
		}
		if sys.Address == "" {
			tiles[i].Note, tiles[i].Kind = v.T("portal.no_address_note"), views.BadgeOff
		}
	}
	return tiles
}

// entrance is the entrance of the กอ.1 system.
func (s *Server) entrance(w http.ResponseWriter, r *http.Request, v *Visit) error {
	changes, err := s.cutoverNotices(r, v)
	if err != nil {
		return err
	}
	p := v.Page("portal.ko1")
	p.Crumbs = []views.Crumb{{Label: v.T("rights.crumb_menu"), Href: "/intranet"}}
	return s.show(w, r, v, http.StatusOK, p, views.KO1(p, changes))
}

// announced are announcements in the reader's words.
func (v *Visit) announced(list []portal.Announcement) []views.Announcement {
	out := make([]views.Announcement, len(list))
	for i, a := range list {
		out[i] = views.Announcement{
			Title: a.Title.In(v.Lang), Period: v.period(a), Lines: strings.Split(a.Body.In(v.Lang), "\n"),
		}
	}
	return out
}

// period says from when to when an announcement is shown.
func (v *Visit) period(a portal.Announcement) string {
	if last := a.LastDay(); !last.IsZero() {
		return v.T("portal.period_to", "from", a.FirstDay(), "to", last)
	}
	return v.T("portal.period_from", "from", a.FirstDay())
}

// days is the same in short, for a column of a table.
func (v *Visit) days(a portal.Announcement) string {
	lang := string(v.Lang)
	if last := a.LastDay(); !last.IsZero() {
		return a.FirstDay().Short(lang) + " – " + last.Short(lang)
	}
	return v.T("portal.days_from", "from", a.FirstDay().Short(lang))
}

// adminCrumbs lead back to the page of administrators and on to the pages named, as pairs of key and address.
func (v *Visit) adminCrumbs(pairs ...string) []views.Crumb {
	crumbs := []views.Crumb{{Label: v.T("agency.admin"), Href: "/admin"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		crumbs = append(crumbs, views.Crumb{Label: v.T(pairs[i]), Href: pairs[i+1]})
	}
	return crumbs
}

// formVersion reads the version that a form was filled in from. What is no number is a version that never was, so
// that the act answers with a conflict and nothing is overwritten.
func formVersion(r *http.Request) int64 {
	n, err := strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// isConflict tells whether somebody was first, so that the form is shown again with what is there by now.
func isConflict(err error) bool { return errors.Is(err, problem.Conflict) }

func (s *Server) systems(w http.ResponseWriter, r *http.Request, v *Visit) error {
	menus, err := s.Portal.Menus(r.Context())
	if err != nil {
		return err
	}
	var page views.SystemsPage
	for _, m := range menus {
		if len(m.Systems) == 0 {
			continue
		}
		group := views.SystemGroup{Title: m.Name.In(v.Lang)}
		for _, sys := range m.Systems {
			group.Rows = append(group.Rows, views.SystemRow{
				Name: sys.Name.In(v.Lang), Address: sys.Address, Edit: "/admin/systems/" + sys.Code,
			})
		}
		page.Groups = append(page.Groups, group)
	}
	p := v.Page("portal.systems")
	p.Subtitle, p.Crumbs = v.T("portal.systems_text"), v.adminCrumbs()
	return s.show(w, r, v, http.StatusOK, p, views.Systems(p, page))
}

func (s *Server) systemForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	sys, err := s.Portal.System(r.Context(), r.PathValue("code"))
	if err != nil {
		return err
	}
	return s.showSystem(w, r, v, http.StatusOK, sys, views.SystemForm{Address: sys.Address}, nil)
}

func (s *Server) showSystem(w http.ResponseWriter, r *http.Request, v *Visit, status int, sys portal.System, f views.SystemForm, faults []views.FieldError) error {
	p := v.Page("portal.system", "system", sys.Name)
	p.Crumbs, p.Narrow, p.Problems = v.adminCrumbs("portal.systems", "/admin/systems"), true, faults
	f.Action, f.Version = "/admin/systems/"+sys.Code, strconv.FormatInt(sys.Version, 10)
	f.Hint = v.T("portal.address_hint")
	if sys.Code == portal.KO1 {
		f.Hint = v.T("portal.address_hint_ko1")
	}
	return s.show(w, r, v, status, p, views.System(p, f))
}

func (s *Server) setAddress(w http.ResponseWriter, r *http.Request, v *Visit) error {
	code, typed := r.PathValue("code"), r.PostForm.Get("address")
	acted := s.Portal.SetSystemAddress(r.Context(), v.by(), code, formVersion(r), typed)
	faults, invalid := v.Problems(acted)
	if acted != nil && !invalid && !isConflict(acted) {
		return acted
	}
	sys, err := s.Portal.System(r.Context(), code)
	if err != nil {
		return err
	}
	f := views.SystemForm{Address: typed}
	switch {
	case invalid:
		return s.showSystem(w, r, v, http.StatusUnprocessableEntity, sys, f, faults)
	case acted != nil:
		if f.Now = sys.Address; f.Now == "" {
			f.Now = v.T("portal.no_address")
		}
		return s.showSystem(w, r, v, http.StatusConflict, sys, f, []views.FieldError{{Text: v.Tell(acted)}})
	}
	return s.see(w, r, v, "/admin/systems", v.Notice(views.NoticeOK, "portal.system_saved", "system", sys.Name))
}

func (s *Server) announcements(w http.ResponseWriter, r *http.Request, v *Visit) error {
	list, err := s.Portal.All(r.Context())
	if err != nil {
		return err
	}
	kinds := map[portal.State]views.BadgeKind{
		portal.Current: views.BadgeOK, portal.Coming: views.BadgeWaiting, portal.Past: views.BadgeOff, portal.Closed: views.BadgeDanger,
	}
	rows := make([]views.AnnouncementRow, len(list))
	for i, a := range list {
		rows[i] = views.AnnouncementRow{
			Title: a.Title.In(v.Lang), Place: v.T("portal.place_" + string(a.Place)), Period: v.days(a.Announcement),
			State: v.T("portal.state_" + string(a.State)), Kind: kinds[a.State],
		}
		if a.State != portal.Closed {
			rows[i].Edit = "/admin/announcements/" + a.ID
			rows[i].Close = rows[i].Edit + "/close"
		}
	}
	p := v.Page("portal.announcements")
	p.Subtitle, p.Crumbs = v.T("portal.announcements_text"), v.adminCrumbs()
	return s.show(w, r, v, http.StatusOK, p, views.AnnouncementsKept(p, rows))
}

// showAnnouncement shows the form for an announcement; id is "" for a new one.
func (s *Server) showAnnouncement(w http.ResponseWriter, r *http.Request, v *Visit, status int, id string, f views.AnnouncementForm, faults []views.FieldError) error {
	title := "portal.announce"
	f.Action, f.Submit = "/admin/announcements/new", v.T("portal.announce")
	if id != "" {
		title = "portal.change_announcement"
		f.Action, f.Submit = "/admin/announcements/"+id, v.T("portal.save")
	}
	for _, place := range portal.Places {
		f.Places = append(f.Places, views.Option{Value: string(place), Label: v.T("portal.place_" + string(place))})
	}
	p := v.Page(title)
	p.Crumbs, p.Narrow, p.Problems = v.adminCrumbs("portal.announcements", "/admin/announcements"), true, faults
	return s.show(w, r, v, status, p, views.AnnouncementEdit(p, f))
}

func (s *Server) newAnnouncement(w http.ResponseWriter, r *http.Request, v *Visit) error {
	f := views.AnnouncementForm{Place: string(portal.Public), From: thai.DateOf(v.Now).Numeric(string(locale.TH))}
	return s.showAnnouncement(w, r, v, http.StatusOK, "", f, nil)
}

// announcementForm keeps what was typed, for the form to show again.
func announcementForm(r *http.Request) views.AnnouncementForm {
	get := r.PostForm.Get
	return views.AnnouncementForm{
		Version: get("version"), TitleTH: get("title_th"), TitleEN: get("title_en"), BodyTH: get("body_th"), BodyEN: get("body_en"),
		Place: get("place"), From: get("from"), To: get("to"),
	}
}

// draftOf reads the form into a draft. All that is wrong with it is told at once.
func draftOf(f views.AnnouncementForm) (portal.Draft, error) {
	var c problem.Check
	n := portal.Draft{
		Title: locale.Name{TH: f.TitleTH, EN: f.TitleEN}, Body: locale.Name{TH: f.BodyTH, EN: f.BodyEN},
		Place: portal.Place(f.Place), From: readDay(&c, "from", f.From), To: readDay(&c, "to", f.To),
	}
	if err := c.Merge(n.Check()); err != nil {
		return n, err
	}
	return n, c.Err()
}

// readDay reads a day as people write it; nothing typed is the zero Date.
func readDay(c *problem.Check, field, typed string) thai.Date {
	day, err := thai.ParseDate(typed)
	switch {
	case err == nil, errors.Is(err, thai.ErrEmpty):
	case errors.Is(err, thai.ErrNoDay), errors.Is(err, thai.ErrLeapDay):
		c.Fail(field, "portal.problem.no_day")
	default:
		c.Fail(field, "portal.problem.date")
	}
	return day
}

func (s *Server) announce(w http.ResponseWriter, r *http.Request, v *Visit) error {
	f := announcementForm(r)
	n, err := draftOf(f)
	if err == nil {
		_, err = s.Portal.Announce(r.Context(), v.by(), n)
	}
	if faults, ok := v.Problems(err); ok {
		return s.showAnnouncement(w, r, v, http.StatusUnprocessableEntity, "", f, faults)
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, "/admin/announcements", v.Notice(views.NoticeOK, "portal.announced", "title", n.Title))
}

func (s *Server) announcement(w http.ResponseWriter, r *http.Request, v *Visit) error {
	a, err := s.openAnnouncement(r)
	if err != nil {
		return err
	}
	f := views.AnnouncementForm{
		Version: strconv.FormatInt(a.Version, 10), TitleTH: a.Title.TH, TitleEN: a.Title.EN, BodyTH: a.Body.TH, BodyEN: a.Body.EN,
		Place: string(a.Place), From: a.FirstDay().Numeric(string(locale.TH)), To: a.LastDay().Numeric(string(locale.TH)),
	}
	return s.showAnnouncement(w, r, v, http.StatusOK, a.ID, f, nil)
}

// openAnnouncement finds the announcement that the address names, unless it was taken down: then there is nothing left to do.
func (s *Server) openAnnouncement(r *http.Request) (portal.Shelf, error) {
	a, err := s.Portal.Announcement(r.Context(), r.PathValue("id"))
	if err == nil && a.State == portal.Closed {
		err = problem.New(problem.Conflict, "portal.problem.closed")
	}
	return a, err
}

func (s *Server) changeAnnouncement(w http.ResponseWriter, r *http.Request, v *Visit) error {
	id, f := r.PathValue("id"), announcementForm(r)
	n, acted := draftOf(f)
	if acted == nil {
		acted = s.Portal.Change(r.Context(), v.by(), id, formVersion(r), n)
	}
	faults, invalid := v.Problems(acted)
	switch {
	case acted == nil:
		return s.see(w, r, v, "/admin/announcements", v.Notice(views.NoticeOK, "portal.changed", "title", n.Title))
	case invalid:
		return s.showAnnouncement(w, r, v, http.StatusUnprocessableEntity, id, f, faults)
	case !isConflict(acted):
		return acted
	}
	a, err := s.openAnnouncement(r)
	if err != nil {
		return err
	}
	f.Version = strconv.FormatInt(a.Version, 10)
	return s.showAnnouncement(w, r, v, http.StatusConflict, id, f, []views.FieldError{{Text: v.T("portal.problem.changed_now", "title", a.Title, "period", v.period(a.Announcement))}})
}

func (s *Server) closeForm(w http.ResponseWriter, r *http.Request, v *Visit) error {
	a, err := s.openAnnouncement(r)
	if err != nil {
		return err
	}
	return s.showClose(w, r, v, http.StatusOK, a, nil)
}

func (s *Server) showClose(w http.ResponseWriter, r *http.Request, v *Visit, status int, a portal.Shelf, faults []views.FieldError) error {
	p := v.Page("portal.close_announcement")
	p.Crumbs, p.Narrow, p.Problems = v.adminCrumbs("portal.announcements", "/admin/announcements"), true, faults
	return s.show(w, r, v, status, p, views.AnnouncementClose(p, views.CloseForm{
		Action: "/admin/announcements/" + a.ID + "/close", Version: strconv.FormatInt(a.Version, 10),
		Shown: v.announced([]portal.Announcement{a.Announcement})[0],
	}))
}

func (s *Server) closeAnnouncement(w http.ResponseWriter, r *http.Request, v *Visit) error {
	a, err := s.openAnnouncement(r)
	if err != nil {
		return err
	}
	switch err := s.Portal.Close(r.Context(), v.by(), a.ID, formVersion(r)); {
	case isConflict(err):
		return s.showClose(w, r, v, http.StatusConflict, a, []views.FieldError{{Text: v.Tell(err)}})
	case err != nil:
		return err
	}
	return s.see(w, r, v, "/admin/announcements", v.Notice(views.NoticeOK, "portal.closed", "title", a.Title))
}

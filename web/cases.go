package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sitthi/audit"
	"sitthi/helpdesk"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/web/views"
)

const (
	casesPath = "/help/cases"
	pleasPath = "/ko1/help"
)

// casesRoutes are where agents work on requests for help, where administrators second them, and where heads vouch for
// their people. Who may do what is decided in the transaction of each act.
func (s *Server) casesRoutes() []Route {
	return []Route{
		{Pattern: "GET " + casesPath, Access: AgentOrAdministrator, Handle: s.cases},
		{Pattern: "GET " + casesPath + "/{ticket}", Access: AgentOrAdministrator, Handle: s.seeCase},
		{Pattern: "POST " + casesPath + "/{ticket}/{act}", Access: AgentOrAdministrator, Handle: s.workCase},
		{Pattern: "POST " + casesPath + "/{ticket}/account/{act}", Access: AgentOrAdministrator, StepUp: true, Handle: s.actOnAccount},
		{Pattern: "GET /help/figures", Access: AgentOrAdministrator, Handle: s.helpFigures},
		{Pattern: "GET " + pleasPath, Access: HeadOnly, Handle: s.pleas},
		{Pattern: "POST " + pleasPath + "/{plea}/vouch", Access: HeadOnly, StepUp: true, Handle: s.vouch},
		{Pattern: "POST " + pleasPath + "/{plea}/refuse", Access: HeadOnly, Handle: s.refusePlea},
	}
}

// cases is the queue.
func (s *Server) cases(w http.ResponseWriter, r *http.Request, v *Visit) error {
	q := r.URL.Query()
	f := helpdesk.Filter{Mine: q.Get("mine") != ""}
	for _, state := range helpdesk.States {
		if q.Get("state") == string(state) {
			f.State = state
		}
	}
	for _, kind := range helpdesk.Kinds {
		if q.Get("kind") == string(kind) {
			f.Kind = kind
		}
	}
	if days, err := strconv.Atoi(q.Get("older")); err == nil && days > 0 && days < 1000 {
		f.Older = time.Duration(days) * 24 * time.Hour
	}
	list, err := s.Help.Queue(r.Context(), v.Session.Person, f)
	if err != nil {
		return err
	}
	page := views.CasesPage{State: string(f.State), Kind: string(f.Kind), Mine: f.Mine, Older: q.Get("older"),
		Filtered: f != helpdesk.Filter{}}
	for _, t := range list {
		kind := caseBadge(t.State)
		until := v.Now
		if t.State == helpdesk.Closed {
			until = t.ClosedAt
		}
		page.Rows = append(page.Rows, views.CaseRow{
			Receipt: t.Receipt, Href: casesPath + "/" + t.ID, Kind: v.T("log.value.kind." + string(t.Kind)), Line: t.Line, Came: v.moment(t.CreatedAt),
			Age: v.age(until.Sub(t.CreatedAt)), State: v.T("helpdesk.state_" + string(t.State)), Badge: kind, Mine: t.ClaimedBy == v.Session.Person,
			Proved: t.Proved,
		})
	}
	p := v.Page("helpdesk.queue_title")
	p.Subtitle = v.T("helpdesk.queue_lead")
	return s.show(w, r, v, http.StatusOK, p, views.Cases(p, page))
}

func caseBadge(state helpdesk.State) views.BadgeKind {
	switch state {
	case helpdesk.New:
		return views.BadgeWarn
	case helpdesk.Acted:
		return views.BadgeOK
	case helpdesk.Closed:
		return views.BadgeOff
	}
	return views.BadgeWaiting
}

// age tells a time that has passed, in its greatest unit.
func (v *Visit) age(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return v.T("helpdesk.age_days", "n", int(d/(24*time.Hour)))
	case d >= 2*time.Hour:
		return v.T("helpdesk.age_hours", "n", int(d/time.Hour))
	}
	return v.T("helpdesk.age_minutes", "n", int(d/time.Minute))
}

func (s *Server) seeCase(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showCase(w, r, v, http.StatusOK, "", nil)
}

// showCase shows a ticket with its personal data while a look has opened it; citizen is the ID just unmasked.
func (s *Server) showCase(w http.ResponseWriter, r *http.Request, v *Visit, status int, citizen string, faults []views.FieldError) error {
	c, err := s.Help.See(r.Context(), v.Session.Person, r.PathValue("ticket"))
	if err != nil {
		return err
	}
	units, err := s.Agencies.Units(r.Context())
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, u := range units {
		names[u.Code] = u.Name.In(v.Lang)
	}
	p := v.Page("helpdesk.case_title", "receipt", c.Receipt)
	p.Subtitle = v.T("helpdesk.kind_" + string(c.Kind))
	p.Crumbs = []views.Crumb{{Label: v.T("helpdesk.queue_title"), Href: casesPath}}
	p.Path, p.Problems = casesPath+"/"+c.ID, faults
	page := views.CasePage{
		Case: c, Path: casesPath + "/" + c.ID, Mine: c.ClaimedBy == v.Session.Person, Badge: caseBadge(c.State), Unmasked: citizen,
		Came: v.moment(c.CreatedAt), Age: v.age(v.Now.Sub(c.CreatedAt)), Claimed: c.Names[c.ClaimedBy], Unit: names[c.Unit],
		Note: r.PostForm.Get(helpdesk.FieldNote), Reason: r.PostForm.Get(helpdesk.FieldReason),
	}
	for _, a := range helpdesk.Answers {
		_, text, err := notify.Example("help.answer_"+string(a), notify.Email, v.Lang)
		if err != nil {
			return err
		}
		page.Answers = append(page.Answers, views.MessageExample{
			Title: v.T("helpdesk.answer_" + string(a)), Lang: string(v.Lang), Lines: strings.Split(strings.TrimSpace(text), "\n"),
		})
	}
	if c.Proved {
		page.Proved = v.T("helpdesk.proved_"+string(c.ProvedBy), "when", v.moment(c.ProvedAt))
	}
	if a := c.Account; a != nil {
		page.AccountUnit, page.Registered, page.LastSignIn, page.Locks = names[a.Unit], v.moment(a.RegisteredAt), v.moment(a.LastSignIn), v.moment(a.LocksAt)
	}
	for _, a := range c.Acts {
		if a.Open() {
			page.Waits = &a
			if !a.UsableAt.IsZero() {
				page.Usable, page.Ripe = v.moment(a.UsableAt), !v.Now.Before(a.UsableAt)
			}
			page.MaySecond = a.ApprovedAt.IsZero() && a.Requester != v.Session.Person && a.Subject != v.Session.Person &&
				(a.Privileged && v.Posts.Administrator || !a.Privileged && v.Posts.Agent)
		}
	}
	for _, e := range c.Events {
		title := v.T("helpdesk.event_" + e.What)
		switch e.What {
		case "answered":
			title += ": " + v.T("helpdesk.answer_"+e.Word)
		case "closed":
			title += ": " + v.T("helpdesk.closing_"+e.Word)
		}
		by := c.Names[e.By]
		switch e.By {
		case "":
			by = v.T("helpdesk.requester")
		case audit.System:
			by = v.T("log.system")
		}
		page.Story = append(page.Story, views.Event{When: v.moment(e.At), Machine: e.At.Format(time.RFC3339), Title: title, Kind: views.BadgeLevel, Text: e.Text, By: by})
	}
	return s.show(w, r, v, status, p, views.Case(p, page))
}

// workCase does what needs no fresh proof of who the agent is.
func (s *Server) workCase(w http.ResponseWriter, r *http.Request, v *Visit) error {
	ctx, by, id, form := r.Context(), v.Session.Person, r.PathValue("ticket"), r.PostForm
	var err error
	switch r.PathValue("act") {
	case "look":
		err = s.Help.Look(ctx, by, id)
	case "claim":
		err = s.Help.Claim(ctx, by, id)
	case "release":
		err = s.Help.Release(ctx, by, id)
	case "note":
		err = s.Help.Note(ctx, by, id, form.Get(helpdesk.FieldNote))
	case "answer":
		err = s.Help.Answer(ctx, by, id, form.Get(helpdesk.FieldAnswer))
	case "close":
		err = s.Help.Close(ctx, by, id, helpdesk.Closing(form.Get("closing")))
	case "stop":
		err = s.Help.Stop(ctx, by, id, form.Get(helpdesk.FieldReason))
	default:
		err = problem.New(problem.NotFound, "problem.notfound")
	}
	return s.caseOn(w, r, v, "helpdesk.did_"+r.PathValue("act"), err)
}

// actOnAccount does what touches an account or shows a citizen ID.
func (s *Server) actOnAccount(w http.ResponseWriter, r *http.Request, v *Visit) error {
	ctx, by, id := r.Context(), v.Session.Person, r.PathValue("ticket")
	did := "helpdesk.did_" + r.PathValue("act")
	var err error
	switch r.PathValue("act") {
	case "start":
		var waits bool
		if waits, err = s.Help.Start(ctx, by, id); waits {
			did = "helpdesk.did_wait"
		}
	case "approve":
		err = s.Help.Approve(ctx, by, id)
	case "send":
		err = s.Help.SendLink(ctx, by, id)
	case "unmask":
		var citizen thai.CitizenID
		if citizen, err = s.Help.Unmask(ctx, by, id, r.PostForm.Get(helpdesk.FieldReason)); err == nil {
			return s.showCase(w, r, v, http.StatusOK, citizen.Dashed(), nil)
		}
	default:
		err = problem.New(problem.NotFound, "problem.notfound")
	}
	return s.caseOn(w, r, v, did, err)
}

// caseOn leads back to the ticket with what came of an act; somebody was quicker, or something is missing first, is news
// of the same kind.
func (s *Server) caseOn(w http.ResponseWriter, r *http.Request, v *Visit, did string, err error) error {
	path := casesPath + "/" + r.PathValue("ticket")
	if lines, ok := v.Problems(err); ok {
		if r.PathValue("act") == "stop" {
			lines = unnamed(lines)
		}
		return s.showCase(w, r, v, http.StatusUnprocessableEntity, "", lines)
	}
	if isConflict(err) {
		return s.see(w, r, v, path, &views.Notice{Kind: views.NoticeWarn, Text: v.Tell(err)})
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, path, v.Notice(views.NoticeOK, did))
}

// unnamed are faults of a form of which the page has several: no link could say which.
func unnamed(lines []views.FieldError) []views.FieldError {
	for i := range lines {
		lines[i].Field = ""
	}
	return lines
}

func (s *Server) helpFigures(w http.ResponseWriter, r *http.Request, v *Visit) error {
	f, err := s.Help.Figures(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	p := v.Page("helpdesk.figures_title")
	p.Subtitle = v.T("helpdesk.figures_lead")
	p.Crumbs = []views.Crumb{{Label: v.T("helpdesk.queue_title"), Href: casesPath}}
	told := func(d time.Duration) string {
		if d == 0 {
			return "–"
		}
		return v.age(d)
	}
	return s.show(w, r, v, http.StatusOK, p, views.HelpFigures(p, f, told(f.Oldest), told(f.Median), told(f.Slowest)))
}

// pleas are the officers of a head's office for whom he is to vouch.
func (s *Server) pleas(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.showPleas(w, r, v, http.StatusOK, nil)
}

func (s *Server) showPleas(w http.ResponseWriter, r *http.Request, v *Visit, status int, faults []views.FieldError) error {
	list, err := s.Help.Pleas(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	p := v.Page("helpdesk.pleas_title")
	p.Subtitle = v.T("helpdesk.pleas_lead")
	p.Path, p.Crumbs, p.Narrow, p.Problems = pleasPath, rightsCrumbs(v, toRights(v)), true, faults
	rows := make([]views.PleaRow, len(list))
	for i, a := range list {
		rows[i] = views.PleaRow{Plea: a, When: v.moment(a.RequestedAt)}
		if a.ID == r.PathValue("plea") {
			rows[i].Reason = r.PostForm.Get(helpdesk.FieldReason)
		}
		if !a.UsableAt.IsZero() {
			rows[i].Usable = v.moment(a.UsableAt)
		}
	}
	return s.show(w, r, v, status, p, views.Pleas(p, rows))
}

func (s *Server) vouch(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.pleaOn(w, r, v, "helpdesk.did_approve", s.Help.Vouch(r.Context(), v.Session.Person, r.PathValue("plea")))
}

func (s *Server) refusePlea(w http.ResponseWriter, r *http.Request, v *Visit) error {
	return s.pleaOn(w, r, v, "helpdesk.did_stop", s.Help.Refuse(r.Context(), v.Session.Person, r.PathValue("plea"), r.PostForm.Get(helpdesk.FieldReason)))
}

func (s *Server) pleaOn(w http.ResponseWriter, r *http.Request, v *Visit, did string, err error) error {
	if lines, ok := v.Problems(err); ok {
		return s.showPleas(w, r, v, http.StatusUnprocessableEntity, unnamed(lines))
	}
	if errors.Is(err, problem.Conflict) {
		return s.see(w, r, v, pleasPath, &views.Notice{Kind: views.NoticeWarn, Text: v.Tell(err)})
	}
	if err != nil {
		return err
	}
	return s.see(w, r, v, pleasPath, v.Notice(views.NoticeOK, did))
}

package web

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/person"
	"sitthi/web/views"
)

const logPath = "/admin/log"

func (s *Server) logRoutes() []Route {
	return []Route{
		{Pattern: "GET " + logPath, Access: AuditorOrAdministrator, Handle: s.readLog},
		{Pattern: "POST " + logPath, Access: AuditorOrAdministrator, Handle: s.findInLog},
		{Pattern: "GET " + logPath + "/{entry}/proof", Access: AuditorOrAdministrator, Handle: s.entryProof},
	}
}

// The filters of the log, as they stand in its address.
const (
	logUnit    = "unit"
	logActor   = "actor"   // id of the person who acted
	logSubject = "subject" // id of the person it was about
	logAct     = "act"
	logOutcome = "outcome"
	logFrom    = "from"
	logTo      = "to"
	logBefore  = "before" // where the page begins; not a filter
)

var logFilters = []string{logUnit, logActor, logSubject, logAct, logOutcome, logFrom, logTo}

// logActs are the acts that the log can be searched for, as the list offers them. Each has its words under
// "log.act." and its name.
var logActs = []string{
	"officer.change_profile", "officer.change_contact", "officer.accept_terms", "officer.close", "officer.thaid", "officer.export",
	"officer.register", "officer.register_existing", "officer.set_language", "officer.set_notices", "officer.install", "officer.reopen_password",
	"officer.ask_activation", "officer.activate", "officer.refuse_activation",
	"signin.open", "signin.thaid", "signin.locked", "signin.stepup", "signin.close", "signin.end", "signin.end_all", "signin.reset_password", "signin.open_link", "signin.switch_off", "signin.switch_on",
	"signin.password", "signin.app_begin", "signin.app_add", "signin.app_remove", "signin.recovery_new", "signin.reset_factor", "signin.passkey_add", "signin.passkey_remove", "signin.end_others", "signin.forget_device", "signin.forget_factors",
	"grant.give", "grant.give_list", "grant.change", "grant.revoke", "grant.confirm", "grant.confirm_thaid", "grant.confirm_list", "grant.refuse", "grant.second", "grant.decline", "grant.export",
	"appointment.propose", "appointment.confirm", "appointment.decline", "appointment.end", "appointment.install",
	"person.look_up", "person.look_up_list", "person.unmask",
	"agency.unit_add", "agency.unit_rename", "agency.unit_mailbox", "agency.unit_review", "agency.unit_considers", "agency.unit_retire", "agency.unit_restore",
	"agency.team_add", "agency.team_rename", "agency.team_retire", "agency.team_restore",
	"portal.system_address", "portal.announce", "portal.change", "portal.close",
	"portal.cutover_set", "portal.cutover_withdraw",
	"message.send_again",
	"program.create", "program.revoke",
	"legacy.upload", "legacy.cancel", "legacy.expire", "legacy.recheck", "legacy.correct", "legacy.set_aside", "legacy.take_back", "legacy.export", "legacy.sign", "legacy.unsign",
	"legacy.commit", "legacy.bring",
	"keys.rotate", "keys.retire", "keys.reindex", "retention.delete",
	"helpdesk.look", "helpdesk.unmask", "helpdesk.claim", "helpdesk.release", "helpdesk.note", "helpdesk.answer", "helpdesk.start", "helpdesk.second", "helpdesk.send", "helpdesk.stop", "helpdesk.close",
	"door.turn_away", "demo.seed", "demo.refresh",
}

// logFacts are the facts of entries in the order in which they are told; others follow by name.
var logFacts = []string{
	"route", "owner", "moment", "number", "level", "team", "post", "kind", "name", "before", "after", "title", "body", "place",
	"from", "old_until", "until", "to", "old_order_number", "order_number", "old_note", "note", "reason", "closing",
	"as_of", "format", "rows", "given", "confirmed", "state",
	"source", "file", "line", "fields", "new", "same", "changed", "conflict", "quarantined", "aside", "right_new", "right_changed",
	"key_kind", "key_version", "rule", "kept_days",
	"head_new", "head_changed", "officer_new", "officer_changed", "rights_in_file", "rights_in_book", "invited", "size", "hash", "results",
}

// readLog shows the whole log (บันทึกการใช้งาน) to auditors and central administrators.
func (s *Server) readLog(w http.ResponseWriter, r *http.Request, v *Visit) error {
	page := views.LogPage{Filters: filtersOf(r.URL.Query(), logFilters), Role: logSubject}
	return s.showLog(w, r, v, page, r.URL.Query().Get(logBefore), nil)
}

// findInLog turns a citizen ID into a person, so that the ID itself stands in no address.
func (s *Server) findInLog(w http.ResponseWriter, r *http.Request, v *Visit) error {
	page := views.LogPage{Filters: filtersOf(r.PostForm, logFilters), Role: r.PostForm.Get("role"), CitizenID: r.PostForm.Get("citizen_id")}
	if page.Role != logActor {
		page.Role = logSubject
	}
	citizen, err := thai.ParseCitizenID(page.CitizenID)
	if err != nil {
		return s.showLog(w, r, v, page, "", []views.FieldError{{Field: "citizen_id", Text: v.T("log.citizen_id_wrong")}})
	}
	who, err := s.Book.PersonOf(r.Context(), v.Session.Person, citizen)
	if errors.Is(err, problem.NotFound) {
		return s.showLog(w, r, v, page, "", []views.FieldError{{Field: "citizen_id", Text: v.T("log.citizen_id_unknown")}})
	}
	if err != nil {
		return err
	}
	page.Filters.Set(page.Role, string(who))
	return s.see(w, r, v, logPath+"?"+page.Filters.Encode(), nil)
}

func (s *Server) showLog(w http.ResponseWriter, r *http.Request, v *Visit, page views.LogPage, before string, faults []views.FieldError) error {
	units, err := s.Agencies.Units(r.Context())
	if err != nil {
		return err
	}
	q := audit.Query{
		Unit: page.Filters.Get(logUnit), Actor: page.Filters.Get(logActor), Subject: page.Filters.Get(logSubject),
		Act: page.Filters.Get(logAct), Outcome: page.Filters.Get(logOutcome), Before: before,
	}
	wrong := func(field string) {
		faults = append(faults, views.FieldError{Field: field, Text: v.T("log.date_wrong")})
	}
	if from, err := logDate(page.Filters.Get(logFrom)); err != nil {
		wrong(logFrom)
	} else if !from.IsZero() {
		q.From = from.StartOfDay()
	}
	if to, err := logDate(page.Filters.Get(logTo)); err != nil {
		wrong(logTo)
	} else if !to.IsZero() {
		q.To = to.EndExclusive()
	}
	status := http.StatusOK
	var entries []audit.Entry
	var next string
	if len(faults) > 0 {
		status = http.StatusUnprocessableEntity
	} else if entries, next, err = s.Book.Log(r.Context(), v.Session.Person, q); err != nil {
		return err
	}

	ids := []person.ID{person.ID(q.Actor), person.ID(q.Subject)}
	for _, e := range entries {
		ids = append(ids, person.ID(e.Actor), person.ID(e.Subject))
	}
	names, err := s.Book.Names(r.Context(), v.Session.Person, ids)
	if err != nil {
		return err
	}
	unitNames := make(map[string]string, len(units))
	for _, u := range units {
		unitNames[u.Code] = u.Short.In(v.Lang)
	}
	for _, e := range entries {
		page.Entries = append(page.Entries, s.logEntry(v, e, names, unitNames, page.Filters))
	}
	page.Path = logPath
	page.Units, page.Acts = logUnits(v, units), logActOptions(v)
	page.Outcomes = []views.Option{
		{Value: audit.Done, Label: v.T("log.outcome.done")}, {Value: audit.Denied, Label: v.T("log.outcome.denied")},
	}
	page.Set = s.logSet(v, page.Filters, names, unitNames)
	if next != "" {
		page.Older = logAddress(page.Filters, logBefore, next)
	}
	if before != "" {
		page.Newest = logAddress(page.Filters)
	}

	p := v.Page("log.title")
	p.Subtitle = v.T("log.subtitle")
	if v.Posts.Administrator {
		p.Crumbs = []views.Crumb{{Label: v.T("layout.menu_admin"), Href: "/admin"}}
	}
	p.Problems = faults
	return s.show(w, r, v, status, p, views.Log(p, page))
}

// entryProof is the proof that an entry stands in the log, as a file for outsiders (c2sp.org/tlog-proof). What was
// written with the entry is not in it: the auditor may hand it to anyone.
func (s *Server) entryProof(w http.ResponseWriter, r *http.Request, v *Visit) error {
	proof, err := s.Prover.Entry(r.Context(), v.by(), r.PathValue("entry"), "", false)
	if err != nil {
		return err
	}
	attachment(w, "text/plain; charset=utf-8", fmt.Sprintf("entry-%d.tlog-proof", proof.Place))
	_, err = io.WriteString(w, proof.File)
	return err
}

func logDate(typed string) (thai.Date, error) {
	if typed == "" {
		return thai.Date{}, nil
	}
	return thai.ParseDate(typed)
}

// logAddress is the address of the log with these filters, some of them changed.
func logAddress(filters url.Values, changes ...string) string {
	return addressOf(logPath, filters, changes...)
}

// addressOf is the address of a page with these filters, some of them changed.
func addressOf(path string, filters url.Values, changes ...string) string {
	q := maps.Clone(filters)
	if q == nil {
		q = url.Values{}
	}
	for i := 0; i+1 < len(changes); i += 2 {
		q.Del(changes[i])
		if changes[i+1] != "" {
			q.Set(changes[i], changes[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func logUnits(v *Visit, units []agency.Unit) []views.Option {
	options := make([]views.Option, len(units))
	for i, u := range units {
		options[i] = views.Option{Value: u.Code, Label: u.Short.In(v.Lang)}
	}
	return options
}

func logActOptions(v *Visit) []views.Option {
	options := make([]views.Option, len(logActs))
	for i, act := range logActs {
		group, _, _ := strings.Cut(act, ".")
		options[i] = views.Option{Value: act, Label: v.T("log.act." + act), Group: v.T("log.group." + group)}
	}
	return options
}

// logSet says in words which filters are set, each with a link to the log without it.
func (s *Server) logSet(v *Visit, filters url.Values, names map[person.ID]string, units map[string]string) []views.SummaryRow {
	var set []views.SummaryRow
	for _, name := range logFilters {
		value := filters.Get(name)
		if value == "" {
			continue
		}
		words := value
		switch name {
		case logUnit:
			words = cmp.Or(units[value], value)
		case logActor, logSubject:
			words = logName(v, value, names)
		case logAct:
			words = s.logActName(v, value)
		case logOutcome:
			words = s.textOr(v, "log.outcome."+value, value)
		}
		set = append(set, views.SummaryRow{
			Term: v.T("log." + name), Value: words, Action: v.T("parts.clear"), Href: logAddress(filters, name, ""),
		})
	}
	return set
}

// logEntry puts an entry of the log into the reader's words. Persons are links to what else the log holds of them,
// which keep the filters; without filters, for who may not read the whole log, they are no links.
func (s *Server) logEntry(v *Visit, e audit.Entry, names map[person.ID]string, units map[string]string, filters url.Values) views.LogEntry {
	l := views.LogEntry{
		When: thai.Moment(e.At).InLanguage(string(v.Lang)), Machine: e.At.Format(time.RFC3339Nano),
		Act: s.logActName(v, e.Name), Unit: cmp.Or(units[e.Unit], e.Unit), Address: e.Texts["address"],
		Actor: views.LogPerson{Name: logName(v, e.Actor, names)},
	}
	if e.Subject != "" {
		l.Subject.Name = logName(v, e.Subject, names)
	}
	if filters != nil && e.Actor != "" {
		l.Actor.Href = logAddress(filters, logActor, e.Actor)
	}
	if filters != nil && e.Subject != "" {
		l.Subject.Href = logAddress(filters, logSubject, e.Subject)
	}
	if e.Outcome == audit.Denied {
		l.Denied = true
		l.Why = s.logWhy(v, e)
	}
	if e.Place >= 0 {
		l.Place = views.Thousands(int(e.Place))
		if filters != nil {
			l.Proof = logPath + "/" + e.ID + "/proof"
		}
	}
	values := maps.Clone(e.Detail)
	if values == nil {
		values = make(map[string]string, len(e.Texts))
	}
	maps.Copy(values, e.Texts)
	delete(values, "why")
	delete(values, "address")
	told := func(name string) {
		if value, ok := values[name]; ok {
			l.Facts = append(l.Facts, views.LogFact{Label: s.textOr(v, "log.fact."+name, name), Value: s.logValue(v, name, value)})
			delete(values, name)
		}
	}
	for _, name := range logFacts {
		told(name)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		told(name)
	}
	return l
}

// logName is the name of who acted or was acted on.
func logName(v *Visit, id string, names map[person.ID]string) string {
	switch id {
	case "":
		return v.T("log.visitor")
	case audit.Terminal, audit.System:
		return v.T("log." + id)
	}
	return cmp.Or(names[person.ID(id)], v.T("log.unregistered"))
}

// logActName is what was done, in words. A log holds acts of older programs too: one without words keeps its name.
func (s *Server) logActName(v *Visit, act string) string { return s.textOr(v, "log.act."+act, act) }

// logWhy is why an act was refused: what the person was told.
func (s *Server) logWhy(v *Visit, e audit.Entry) string {
	key := e.Detail["why"]
	if !s.catalog.Has(key) {
		return key
	}
	return s.catalog.Text(v.Lang, key, locale.Args{"level": logLevel(e.Detail["level"]).Name})
}

func logLevel(number string) grant.LevelRow {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil { // no level is told as none
		return grant.LevelRow{}
	}
	return grant.Level(n).Row()
}

// logValue puts a fact into words: a word of the program by its text, a level by its name, a day by the calendar.
func (s *Server) logValue(v *Visit, name, value string) string {
	if key := "log.value." + name + "." + value; s.catalog.Has(key) {
		return v.T(key)
	}
	switch name {
	case "purpose": // of a message
		return cmp.Or(notify.Title(value, v.Lang), value)
	case "level":
		return cmp.Or(logLevel(value).Name.In(v.Lang), value)
	case "moment":
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			return thai.Moment(at).InLanguage(string(v.Lang))
		}
	case "from", "to", "until", "old_until", "as_of":
		return logDay(v, name, value)
	}
	return value
}

// logDay writes a day. Ends are kept as the midnight after the last day.
func logDay(v *Visit, name, value string) string {
	day, err := thai.ParseDate(value)
	if at, atErr := time.Parse(time.RFC3339, value); atErr == nil {
		if day, err = thai.DateOf(at), nil; strings.HasSuffix(name, "until") {
			day = thai.LastDay(at)
		}
	}
	if err != nil { // what is no day is shown as it stands in the log
		return value
	}
	return day.InLanguage(string(v.Lang))
}

// textOr is the text of a key, or otherwise where there is none.
func (s *Server) textOr(v *Visit, key, otherwise string) string {
	if s.catalog.Has(key) {
		return v.T(key)
	}
	return otherwise
}

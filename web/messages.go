package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/notify"
	"sitthi/web/views"
)

const (
	messagesPath  = "/ko1/messages"
	templatesPath = messagesPath + "/templates"
)

// messagesRoutes are the pages on which central administrators see how messages fare, and what they say.
func (s *Server) messagesRoutes() []Route {
	return []Route{
		{Pattern: "GET " + messagesPath, Access: AdministratorOnly, Handle: s.messages},
		{Pattern: "POST " + messagesPath + "/{message}/again", Access: AdministratorOnly, StepUp: true, Handle: s.sendAgain},
		{Pattern: "GET " + templatesPath, Access: AdministratorOnly, Handle: s.templates},
		{Pattern: "GET " + templatesPath + "/{purpose}", Access: AdministratorOnly, Handle: s.template},
	}
}

// The filters of the list of messages, as they stand in its address.
const (
	messageState   = "state"
	messageChannel = "channel"
	messagePurpose = "purpose"
	messageDay     = "day"
	messageBefore  = "before" // where the page begins; not a filter
)

var messageFilters = []string{messageState, messageChannel, messagePurpose, messageDay}

// messageStates are the states in the order in which they are offered.
var messageStates = []notify.State{notify.Waiting, notify.Retrying, notify.Sent, notify.Dead}

var messageKinds = map[notify.State]views.BadgeKind{
	notify.Waiting: views.BadgeWaiting, notify.Retrying: views.BadgeWarn, notify.Sent: views.BadgeOK, notify.Dead: views.BadgeDanger,
}

// messageTabs lead from the list to the templates and back.
func (v *Visit) messageTabs(here string) []views.Tab {
	return []views.Tab{
		{Label: v.T("messages.log"), Href: messagesPath, Current: here == messagesPath},
		{Label: v.T("messages.templates"), Href: templatesPath, Current: here == templatesPath},
	}
}

// messages lists the messages of the program and how they fare, newest first.
func (s *Server) messages(w http.ResponseWriter, r *http.Request, v *Visit) error {
	page := views.MessagesPage{Path: messagesPath, Tabs: v.messageTabs(messagesPath), Filters: filtersOf(r.URL.Query(), messageFilters)}
	get, before := page.Filters.Get, r.URL.Query().Get(messageBefore)
	q := notify.Query{
		State: notify.State(get(messageState)), Channel: notify.Channel(get(messageChannel)), Purpose: get(messagePurpose), Before: before,
	}
	p := v.Page("messages.title")
	p.Subtitle, p.Crumbs = v.T("messages.subtitle"), v.adminCrumbs()
	status := http.StatusOK
	day, err := logDate(get(messageDay))
	if err != nil {
		status = http.StatusUnprocessableEntity
		p.Problems = []views.FieldError{{Field: messageDay, Text: v.T("log.date_wrong")}}
	} else {
		if !day.IsZero() {
			q.From, q.To = day.StartOfDay(), day.EndExclusive()
		}
		list, next, err := s.Delivery.List(r.Context(), v.by(), q)
		if err != nil {
			return err
		}
		for _, e := range list {
			page.Messages = append(page.Messages, v.messageRow(e))
		}
		if next != "" {
			page.Older = addressOf(messagesPath, page.Filters, messageBefore, next)
		}
	}
	for _, state := range messageStates {
		page.States = append(page.States, views.Option{Value: string(state), Label: v.T("messages.state." + string(state))})
	}
	for _, c := range notify.Channels() {
		page.Channels = append(page.Channels, views.Option{Value: string(c), Label: v.T("messages.channel." + string(c))})
	}
	for _, t := range v.templateRows() {
		page.Purposes = append(page.Purposes, views.Option{Value: t.Purpose, Label: t.Title, Group: t.Kind})
	}
	page.Set = v.messagesSet(page)
	if before != "" {
		page.Newest = addressOf(messagesPath, page.Filters)
	}
	page.Back = v.path
	return s.show(w, r, v, status, p, views.Messages(p, page))
}

// messageRow puts a message into words.
func (v *Visit) messageRow(e notify.Entry) views.MessageRow {
	state := e.State
	if e.Retrying() {
		state = notify.Retrying
	}
	row := views.MessageRow{
		At: v.moment(e.CreatedAt), Title: cmp.Or(notify.Title(e.Purpose, v.Lang), e.Purpose), Channel: v.T("messages.channel." + string(e.Channel)),
		To: cmp.Or(e.To, "–"), State: v.T("messages.state." + string(state)), Kind: messageKinds[state],
	}
	switch {
	case e.State == notify.Sent:
		row.Facts = append(row.Facts, v.T("messages.sent_at", "when", v.moment(e.SentAt)))
	case state == notify.Retrying:
		row.Facts = append(row.Facts, v.T("messages.tried", "n", e.Attempts), v.T("messages.next", "when", v.moment(e.NextAt)))
	case e.State == notify.Dead && e.Attempts > 0:
		row.Facts = append(row.Facts, v.T("messages.tried", "n", e.Attempts))
	}
	if e.State != notify.Sent && e.LastError != "" {
		row.Error = e.LastError
		if key := "messages.error." + strings.ReplaceAll(e.LastError, " ", "_"); v.server.catalog.Has(key) {
			row.Error = v.T(key)
		}
	}
	switch {
	case e.Hindrance == "":
		row.Again = messagesPath + "/" + e.ID + "/again"
	case e.State == notify.Dead:
		row.Why = v.T("messages.problem." + string(e.Hindrance))
	}
	return row
}

// messagesSet says in words which filters are set, each with a link to the list without it.
func (v *Visit) messagesSet(page views.MessagesPage) (set []views.SummaryRow) {
	options := map[string][]views.Option{messageState: page.States, messageChannel: page.Channels, messagePurpose: page.Purposes}
	for _, name := range messageFilters {
		value := page.Filters.Get(name)
		if value == "" {
			continue
		}
		words := value
		if i := slices.IndexFunc(options[name], func(o views.Option) bool { return o.Value == value }); i >= 0 {
			words = options[name][i].Label
		}
		set = append(set, views.SummaryRow{
			Term: v.T("messages." + name), Value: words, Action: v.T("parts.clear"), Href: addressOf(messagesPath, page.Filters, name, ""),
		})
	}
	return set
}

// sendAgain has a message tried anew, and leads back to where the list was.
func (s *Server) sendAgain(w http.ResponseWriter, r *http.Request, v *Visit) error {
	e, err := s.Delivery.SendAgain(r.Context(), v.by(), r.PathValue("message"))
	if err != nil {
		return err
	}
	back := localPath(r.PostForm.Get("back"), messagesPath)
	return s.see(w, r, v, back, v.Notice(views.NoticeOK, "messages.sent_again", "to", cmp.Or(e.To, "–")))
}

// templateRows are the templates, those of a kind together.
func (v *Visit) templateRows() []views.TemplateRow {
	rows := make([]views.TemplateRow, len(notify.Templates))
	for i, t := range notify.Templates {
		kind := notify.KindOf(t.Purpose)
		var channels []string
		for _, c := range notify.ChannelsOf(t.Purpose) {
			channels = append(channels, v.T("messages.channel."+string(c)))
		}
		rows[i] = views.TemplateRow{
			Purpose: t.Purpose, Title: notify.Title(t.Purpose, v.Lang), Href: templatesPath + "/" + url.PathEscape(t.Purpose),
			Order: string(kind), Kind: v.T("messages.kind." + string(kind)), Note: v.T("messages.kind_note." + string(kind)), Channels: strings.Join(channels, ", "),
		}
	}
	order := []string{string(notify.Security), string(notify.Ordinary), string(notify.Direct)}
	slices.SortStableFunc(rows, func(a, b views.TemplateRow) int {
		return cmp.Compare(slices.Index(order, a.Order), slices.Index(order, b.Order))
	})
	return rows
}

// templates lists what the program can write to people.
func (s *Server) templates(w http.ResponseWriter, r *http.Request, v *Visit) error {
	p := v.Page("messages.templates")
	p.Subtitle, p.Crumbs = v.T("messages.templates_text"), v.adminCrumbs()
	return s.show(w, r, v, http.StatusOK, p, views.Templates(p, v.messageTabs(templatesPath), v.templateRows()))
}

// template shows how messages of one kind look, in both languages and on every channel, with made-up values.
func (s *Server) template(w http.ResponseWriter, r *http.Request, v *Visit) error {
	purpose := r.PathValue("purpose")
	rows := v.templateRows()
	i := slices.IndexFunc(rows, func(t views.TemplateRow) bool { return t.Purpose == purpose })
	if i < 0 {
		return problem.New(problem.NotFound, "problem.notfound")
	}
	page := views.TemplatePage{Row: rows[i]}
	for _, c := range notify.ChannelsOf(purpose) {
		for _, lang := range locale.Langs {
			subject, text, err := notify.Example(purpose, c, lang)
			if err != nil {
				return err
			}
			page.Examples = append(page.Examples, views.MessageExample{
				Title: v.T("messages.channel."+string(c)) + " · " + v.T("messages.lang."+string(lang)), Lang: string(lang),
				Subject: subject, Lines: strings.Split(strings.TrimSpace(text), "\n"),
			})
		}
	}
	p := v.Page("messages.template")
	p.Title, p.Subtitle, p.Crumbs = rows[i].Title, v.T("messages.template_text"), v.adminCrumbs("messages.templates", templatesPath)
	return s.show(w, r, v, http.StatusOK, p, views.Template(p, page))
}

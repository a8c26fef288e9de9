package web

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/person"
	"sitthi/web/views"
)

// Explained is an explanation in words, for a page and for a terminal.
type Explained struct {
	Answer     string // yes, or no and why
	Question   string // who, what, where, when
	Tense      string // how the past and the future are answered; "" for the present
	Conditions []ExplainedCondition
	Others     []string // rights that hold, and are for something else
}

// ExplainedCondition is one condition in words.
type ExplainedCondition struct {
	grant.Condition
	State string // met, not met, not recorded
	Title string
	Text  string
	Deed  string // what was done, and by whom
	When  string // that was; "" when there is no act behind the condition
	Next  string // what to do; "" when it is met, and for the past
}

// Explain puts an explanation into words with the texts of the pages.
func Explain(texts *locale.Catalog, lang locale.Lang, e grant.Explanation) Explained {
	w := whyWords{texts, lang, e}
	x := Explained{Answer: w.t("why.yes"), Question: strings.Join([]string{w.who(string(e.Who)), w.do(e.Do), w.place(), w.moment(e.Moment)}, " · ")}
	if !e.Allowed {
		x.Answer = w.t("why.no", "reason", w.t("why.because_"+string(e.Reason)))
	}
	switch {
	case e.Past():
		x.Tense = w.t("why.past")
	case e.Future():
		x.Tense = w.t("why.future")
	}
	for _, c := range e.Conditions {
		x.Conditions = append(x.Conditions, w.condition(c))
	}
	for _, o := range e.Others {
		other := w.do(o.Do) + " · " + o.UnitName.In(lang)
		if o.At.Team != "" {
			other += " · " + o.TeamName.In(lang)
		}
		x.Others = append(x.Others, other)
	}
	return x
}

// whyWords finds the words for one explanation.
type whyWords struct {
	texts *locale.Catalog
	lang  locale.Lang
	e     grant.Explanation
}

func (w whyWords) t(key string, args ...any) string {
	return w.texts.Text(w.lang, key, locale.Args(problem.Args(args...)))
}

// post is the part of the key that words about a post have of their own.
func (w whyWords) post() string {
	if w.e.Do > grant.DoApprove {
		return "post_"
	}
	return ""
}

// key is the first key that has a text, or else the last.
func (w whyWords) key(keys ...string) string {
	for _, key := range keys {
		if w.texts.Has(key) {
			return key
		}
	}
	return keys[len(keys)-1]
}

func (w whyWords) moment(t time.Time) string { return thai.Moment(t).InLanguage(string(w.lang)) }

// who is the name of somebody involved.
func (w whyWords) who(id string) string {
	switch id {
	case "":
		return w.t("log.unregistered")
	case audit.Terminal, audit.System:
		return w.t("log." + id)
	}
	if name := w.e.Names[person.ID(id)]; name != "" {
		return name
	}
	return w.t("log.unregistered")
}

// do is an action as a list shows it.
func (w whyWords) do(do grant.Action) string {
	switch do {
	case grant.Administer:
		return w.t("why.do_administer")
	case grant.Centre:
		return w.t("why.do_centre")
	case grant.Audit:
		return w.t("why.do_audit")
	case grant.Assist:
		return w.t("why.do_assist")
	}
	return heading(grant.Level(do).Row().Name.In(w.lang))
}

func (w whyWords) place() string {
	then := w.e.Place
	if then.Team.Code == "" {
		return then.Unit.Short.In(w.lang)
	}
	return then.Unit.Short.In(w.lang) + " · " + then.Team.Name.In(w.lang)
}

func (w whyWords) condition(c grant.Condition) ExplainedCondition {
	code, reason := string(c.Code), string(c.Reason)
	x := ExplainedCondition{
		Condition: c, State: w.t("why.met_" + string(c.Met)),
		Title: w.t(w.key("why.title_"+w.post()+code, "why.title_"+code), "action", w.do(w.e.Do)),
	}
	if c.Code == grant.CondPlace && c.Reason != grant.UnknownPlace {
		x.Text = w.placeText()
	} else {
		x.Text = w.t(w.key("why."+w.post()+code+"_"+reason, "why."+code+"_"+reason), "place", w.place(), "from", w.day(c.From), "until", w.lastDay(c.Until))
	}
	if key := w.key("why.next_"+w.post()+reason, "why.next_"+reason); c.Met != grant.Yes && !w.e.Past() && w.texts.Has(key) {
		x.Next = w.t(key)
	}
	if d := c.Deed; !d.At.IsZero() {
		x.When, x.Deed = w.moment(d.At), w.t("why.recorded")
		if d.Act != "" {
			act := d.Act // one that is older or newer than the words keeps its name
			if w.texts.Has("log.act." + d.Act) {
				act = w.t("log.act." + d.Act)
			}
			x.Deed = w.t("why.deed", "act", act, "who", w.who(d.By))
		}
		if d.Order != "" {
			x.Deed += " · " + w.t("rights.order_then", "order", d.Order)
		}
	}
	return x
}

func (w whyWords) day(t time.Time) string { return thai.DateOf(t).Short(string(w.lang)) }

func (w whyWords) lastDay(until time.Time) string {
	if until.IsZero() {
		return w.t("rights.no_end")
	}
	return thai.LastDay(until).Short(string(w.lang))
}

// placeText says how the unit and the group stood.
func (w whyWords) placeText() string {
	u := w.e.Place.Unit
	key := "why.place_serves"
	switch {
	case !u.Active:
		key = "why.place_retired"
	case w.e.At.Team != "" && !w.e.Place.Team.Active:
		key = "why.place_team_retired"
	case w.e.Do > grant.DoApprove:
		key = "why.place_in_use"
	case !u.Considers:
		key = "why.place_no_rights"
	case w.e.Do == grant.DoReview && !u.UsesReview:
		key = "why.place_no_review"
	}
	text := w.t(key, "place", w.place())
	if w.e.Place.Unsure {
		text += " " + w.t("why.place_unsure")
	}
	return text
}

var metKinds = map[grant.Met]views.BadgeKind{grant.Yes: views.BadgeOK, grant.No: views.BadgeDanger, grant.Unknown: views.BadgeWarn}

// answerOf puts an explanation into the reader's words, with links to what he may open.
func (s *Server) answerOf(v *Visit, e grant.Explanation) *views.WhyAnswer {
	x := Explain(s.catalog, v.Lang, e)
	a := &views.WhyAnswer{Allowed: e.Allowed, Title: x.Answer, Question: x.Question, Tense: x.Tense}
	for _, c := range x.Conditions {
		a.Conditions = append(a.Conditions, views.WhyCondition{
			Kind: metKinds[c.Met], State: c.State, Title: c.Title, Text: c.Text, Deed: c.Deed, When: c.When, Time: c.Condition.Deed.At.Format(time.RFC3339),
			Reason: c.Condition.Deed.Reason, Next: c.Next, Links: linksOf(v, e, c),
		})
	}
	for i, label := range x.Others {
		other := views.WhyOther{Label: label}
		if o := e.Others[i]; o.Do <= grant.DoApprove && sees(v, o.At.Unit) {
			other.Href = "/ko1/grants/" + o.Grant.String()
		}
		a.Others = append(a.Others, other)
	}
	return a
}

// linksOf lead from a condition to the right, the appointment, and the entry of the log.
func linksOf(v *Visit, e grant.Explanation, c ExplainedCondition) []views.ButtonLinkParams {
	var links []views.ButtonLinkParams
	d := c.Condition.Deed
	if c.Code == grant.CondRight && d.Grant != (grant.ID{}) && sees(v, e.At.Unit) {
		links = append(links, views.ButtonLinkParams{Label: v.T("why.see_right"), Href: "/ko1/grants/" + d.Grant.String()})
	}
	if c.Code == grant.CondRight && d.Post != (grant.ID{}) && readsAll(v) {
		links = append(links, views.ButtonLinkParams{Label: v.T("why.see_post"), Href: appointmentsPath + "/" + d.Post.String()})
	}
	if d.Act != "" && d.Act != grant.ActSign && readsAll(v) {
		day, about := thai.DateOf(d.At).Numeric(string(v.Lang)), []string{logSubject, string(e.Who)}
		if d.Act == grant.ActBring { // what was brought is recorded by unit, not by person
			about = []string{logUnit, e.At.Unit}
		}
		links = append(links, views.ButtonLinkParams{Label: v.T("why.see_log"), Note: c.Title, Href: logAddress(url.Values{}, append(about, logAct, d.Act, logFrom, day, logTo, day)...)})
	}
	return links
}

// sees reports whether the reader may open the rights of a unit.
func sees(v *Visit, unit string) bool { return readsAll(v) || slices.Contains(v.Posts.Heads, unit) }

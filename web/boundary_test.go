package web

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/portal"
	"sitthi/program"
	"sitthi/signin"
)

// The tests in this file are made from the router: every route stands in the table below with how it is called and
// what each kind of caller gets, so that a route cannot be added without saying who may reach what through it.

// call is one way of calling a route. Words in braces stand for an object of somebody else (see objects).
type call struct {
	line string // method, path and query
	form string // of a POST
	want want
	// unrecorded says that a refusal of this act leaves nothing in the log.
	unrecorded bool
}

// want is the status that each caller gets when the objects named belong to นนทบุรี (TH-12).
type want struct {
	visitor int
	officer int // a registered officer without a right or a post
	chief   int // head of ปทุมธานี (TH-13)
	auditor int
	admin   int // central administrator
}

// entitled marks an act that the caller may do, so that there is nothing to refuse.
const entitled = 0

// The expectations that many calls share; those of a kind differ in what the chief of another province gets.
func everyone(status int) want { return want{status, status, status, status, status} }
func signedIn(status int) want { return want{303, status, status, status, status} }
func heads(chief int) want     { return want{303, 403, chief, 403, 403} }
func readers(chief int) want   { return want{303, 403, chief, 200, 200} }

var (
	overseers = want{303, 403, 403, entitled, entitled}
	centre    = want{303, 403, 403, 403, entitled}
	helpers   = want{303, 403, 403, 403, entitled}
	oneself   = want{visitor: 303} // concerns nobody but the caller
)

var calls = []call{
	// Pages of everyone.
	{"POST /language", "lang=th&back=/people/{person}", everyone(303), false},
	{"GET /demo/outbox", "", want{}, false}, // shows every message, and is only in demonstrations
	{"GET /", "", everyone(200), false},
	{"GET /intranet", "", everyone(200), false},
	{"GET /ko1", "", everyone(200), false},

	// Registration and sign-in. The flow belongs to another browser.
	{"GET /officer/register", "", everyone(200), false},
	{"GET /officer/register?flow={flow}", "", everyone(404), false},
	{"POST /officer/register", "citizen_id={citizen}&unit=TH-12", everyone(422), false},
	{"GET /officer/register/{flow}", "", everyone(404), false},
	{"POST /officer/register/{flow}", "step=email&code=123456", everyone(404), false},
	{"POST /officer/register/{flow}/resend", "", everyone(404), false},
	{"GET /officer/passreset", "", everyone(200), false},
	{"POST /officer/passreset", "citizen_id=", everyone(303), false},
	{"GET /officer/passreset/{reset}", "", everyone(404), false},
	{"POST /officer/passreset/{reset}/send", "channel=email", everyone(404), false},
	{"POST /officer/passreset/{reset}/code", "code=123456", everyone(404), false},
	{"POST /officer/passreset/{reset}/factor", "code=123456", everyone(404), false},
	{"POST /officer/passreset/{reset}/password", "password=x&password_again=x", everyone(404), false},
	{"GET /officer/passreset/link", "", everyone(200), false},
	{"POST /officer/passreset/link", "t={form}", everyone(404), false},
	{"GET /officer/help", "", everyone(200), false},
	{"GET /officer/help?t={form}", "", everyone(404), false},
	{"POST /officer/help", "citizen_id={citizen}", everyone(422), false},
	{"GET /officer/help/status", "", everyone(200), false},
	{"POST /officer/help/status", "receipt=BBBB-BBBB&contact=x@example.com", everyone(422), false},
	{"GET /officer/help/{ticket}", "", everyone(404), false},
	{"POST /officer/help/{ticket}/send", "channel=email", everyone(404), false},
	{"POST /officer/help/{ticket}/code", "code=123456", everyone(404), false},
	{"POST /line/webhook", "", everyone(404), false},
	{"GET /help/cases", "", helpers, false},
	{"GET /help/cases/{ticket}", "", helpers, false},
	{"POST /help/cases/{ticket}/look", "", helpers, false},
	{"POST /help/cases/{ticket}/account/start", "", want{303, 403, 403, 403, 403}, false},
	{"GET /help/figures", "", helpers, false},
	{"GET /ko1/help", "", heads(200), false},
	{"POST /ko1/help/{plea}/vouch", "", heads(403), false},
	{"POST /ko1/help/{plea}/refuse", "reason=x", heads(403), false},
	{"GET /officer/activate/{activation}", "", everyone(404), false},
	{"POST /officer/activate/{activation}/send", "channel=email", everyone(404), false},
	{"POST /officer/activate/{activation}/code", "code=123456", everyone(404), false},
	{"GET /officer/terms", "", everyone(200), false},
	{"GET /officer/login", "", want{200, 303, 303, 303, 303}, false},
	{"POST /officer/login", "citizen_id=", everyone(422), false},
	{"POST /officer/passkey/ask", "for=factor&of={form}", everyone(404), false},
	{"POST /officer/login/passkey", "passkey={}&passkey_challenge={form}", everyone(422), false},
	{"GET /officer/login/factor/{form}", "", everyone(404), false},
	{"POST /officer/login/factor/{form}", "code=123456", everyone(404), false},
	{"POST /officer/thaid", "", everyone(404), false}, // is not set up
	{"GET /officer/thaid/callback?state={form}&code=x", "", everyone(404), false},
	{"POST /officer/logout", "", want{visitor: 303}, false},
	{"GET /officer/thaid/unknown", "", everyone(404), false},
	{"POST /officer/logout", "", want{visitor: 303}, false},

	// One's own account.
	{"GET /officer/profile", "", signedIn(200), false},
	{"POST /officer/profile/language", "lang=th", oneself, false},
	{"GET /officer/terms/accept", "", signedIn(303), false},
	{"POST /officer/terms/accept", "", signedIn(422), false},
	{"GET /officer/profile/data", "", signedIn(200), false},
	{"POST /officer/profile/data", "format=json", signedIn(200), false},
	{"GET /officer/profile/close", "", signedIn(200), false},
	{"POST /officer/profile/close", "", signedIn(422), false},
	{"POST /officer/profile/notices", "", signedIn(422), false},
	{"GET /officer/profile/edit", "", signedIn(200), false},
	{"POST /officer/profile/edit", "version=1", signedIn(422), false},
	{"GET /officer/profile/contact/email", "", signedIn(200), false},
	{"POST /officer/profile/contact/phone", "phone=1", signedIn(422), false},
	{"GET /officer/profile/change/{change}", "", signedIn(404), false}, // another's, in another browser
	{"POST /officer/profile/change/{change}", "code=123456", signedIn(404), true},
	{"POST /officer/profile/change/{change}/resend", "", signedIn(404), true},
	{"POST /officer/profile/sessions/end", "", oneself, false},
	{"POST /officer/profile/sessions/{session}/end", "", signedIn(404), true}, // looks among the caller's own alone
	{"GET /my/rights", "", signedIn(200), false},

	// One's own second factor.
	{"GET /officer/security", "", signedIn(200), false},
	{"POST /officer/security/app", "", oneself, false},
	{"GET /officer/security/app", "", oneself, false},
	{"GET /officer/security/app/picture.png", "", oneself, false},
	{"POST /officer/security/app/confirm", "code=x", oneself, false},
	{"GET /officer/security/app/remove", "", want{303, 303, 200, 303, 200}, false}, // who needs an app has one
	{"POST /officer/security/app/remove", "", oneself, false},
	{"POST /officer/security/sessions/others", "", oneself, false},
	{"POST /officer/security/devices/forget", "device={form}", signedIn(404), true}, // looks among the caller's own alone
	{"POST /officer/security/codes", "", oneself, false},
	{"POST /officer/security/passkeys/begin", "", oneself, false},
	{"GET /officer/security/passkeys/new", "", signedIn(200), false},
	{"POST /officer/security/passkeys", "passkey={}&passkey_challenge={form}", signedIn(422), false},
	{"GET /officer/security/passkeys/{form}/remove", "", signedIn(404), false},
	{"POST /officer/security/passkeys/{form}/remove", "", signedIn(404), true}, // looks among the caller's own alone

	// The grids of rights.
	{"GET /ko1/rights", "", readers(200), false},
	{"GET /ko1/rights?unit={unit}&state=all", "", readers(200), false},
	{"GET /ko1/rights?person={person}&state=all", "", readers(200), false},
	{"GET /ko1/rights?q={digits}&state=all", "", readers(200), false},
	{"GET /ko1/rights?q={citizen}", "", want{303, 403, 303, entitled, entitled}, false},
	{"GET /ko1/rights/consider", "", readers(200), false},
	{"GET /ko1/rights/consider?unit={unit}&state=all&sort=-name", "", readers(200), false},
	{"POST /ko1/rights/all/find", "citizen={digits}&unit={unit}", want{303, 403, 303, entitled, entitled}, true},
	{"GET /ko1/rights/all/export.xlsx?unit={unit}&state=all", "", readers(200), false},
	{"GET /ko1/rights/all/export.csv?unit={unit}&state=all", "", readers(200), false},
	{"GET /ko1/rights/all/export.csv?person={person}&state=all", "", readers(200), false},
	{"GET /ko1/rights/all/export.csv?citizen={digits}&state=all", "", readers(200), false},

	// Giving a right.
	{"GET /ko1/rights/consider/new?unit={unit}", "", heads(200), false},
	{"POST /ko1/rights/consider/person", "unit={unit}&citizen={citizen}", heads(200), false},
	{"POST /ko1/rights/consider/person", "unit={unit}&person={person}", heads(200), false},
	{"POST /ko1/rights/consider/person", "unit=TH-13&person={person}", heads(200), false},
	{"POST /ko1/rights/consider", "unit={unit}&citizen={citizen}&confirmed=yes&other_office=yes&form={form}", heads(403), false},
	{"POST /ko1/rights/approve", "unit={unit}&person={person}&confirmed=yes&other_office=yes&form={form}", heads(403), false},
	{"POST /ko1/rights/approve", "unit=TH-13&person={person}&form={form}", heads(404), true},
	{"POST /ko1/rights/approve", "unit=TH-13&person={person}&last_day=1/1/2500&form={form}", heads(404), true},
	{"POST /ko1/rights/approve", "unit=TH-13&person={person}&confirmed=yes&other_office=yes&form={form}", heads(404), true},
	{"GET /ko1/rights/consider/many?unit={unit}", "", heads(200), false},
	{"POST /ko1/rights/consider/many", "unit={unit}&list={citizen}&form={form}", heads(403), false},
	{"GET /ko1/rights/consider/many/{list}", "", heads(404), false},
	{"POST /ko1/rights/consider/many-save", "unit={unit}&list={citizen}&known={citizen}&form={form}", heads(403), false},
	{"GET /ko1/rights/waiting", "", heads(200), false},
	{"POST /ko1/rights/waiting", "", heads(422), false},
	{"POST /ko1/rights/waiting/TH-13/{waiting}", "answer=yes", heads(404), true},
	{"POST /ko1/rights/waiting/{unit}/{waiting}", "answer=yes", heads(403), false},
	{"POST /ko1/rights/waiting/{unit}/{waiting}", "answer=no&reason=x", heads(403), false},

	// Who signs in, and locked officers who ask to be let in again.
	{"GET /ko1/people", "", want{303, 403, 200, 403, entitled}, false},
	{"GET /ko1/people?q=a&state=locked&unit={unit}&sort=-name&size=20&page=2", "", want{303, 403, 200, 403, entitled}, false},
	{"POST /ko1/people/find", "q={digits}&unit={unit}", want{303, 403, 303, 403, entitled}, true},
	{"POST /ko1/people/{activation}/confirm", "", want{303, 404, 404, 404, entitled}, true},
	{"GET /ko1/people/{activation}/refuse", "", want{303, 403, 404, 403, 404}, false},
	{"POST /ko1/people/{activation}/refuse", "reason=x", want{303, 404, 404, 404, entitled}, true},

	// One right.
	{"GET /ko1/grants/{grant}", "", want{303, 404, 404, 200, 200}, false},
	{"GET /ko1/grants/{grant}/end", "", heads(404), false},
	{"POST /ko1/grants/{grant}/end", "reason=x&leaves_none=yes", heads(404), false},
	{"GET /ko1/grants/{grant}/change", "", heads(404), false},
	{"POST /ko1/grants/{grant}/change", "version=1&last_day=30/9/2570", heads(404), false},
	{"POST /ko1/grants/{grant}/change", "version=1&last_day=1/1/2500", heads(404), false},
	{"POST /ko1/grants/{ended}/again", "form={form}", heads(404), false},

	// A unit and a person over time.
	{"GET /ko1/units/{unit}/history", "", readers(404), false},
	{"GET /ko1/units/{unit}/people/{person}", "", readers(404), false},
	{"GET /ko1/units/TH-13/people/{person}", "", want{303, 403, 404, entitled, entitled}, false},
	{"GET /people/{person}/unmask", "", overseers, false},
	{"POST /people/{person}/unmask", "reason=x", overseers, false},
	{"GET /admin/log?unit={unit}&subject={person}", "", overseers, false},
	{"POST /admin/log", "citizen_id={citizen}&role=subject", overseers, false},
	{"GET /admin/log/{entry}/proof", "", overseers, false},

	// Why, and as of a day.
	{"GET /why", "", signedIn(200), false},
	{"GET /why?person={person}&action=consider&place={unit}", "", want{303, 404, 404, 200, 200}, false},
	{"GET /why?person={person}&action=consider&place={unit}&day=1/10/2569", "", want{303, 404, 404, 200, 200}, false},
	{"GET /why?person={person}&action=consider&place=TH-13", "", want{303, 404, 404, entitled, entitled}, false},
	{"POST /why", "citizen={citizen}&action=consider&place={unit}", want{303, 303, 422, entitled, entitled}, true},
	{"POST /why", "citizen={citizen}&action=consider&place=TH-13", want{303, 303, 422, entitled, entitled}, true},
	{"GET /ko1/rights/as-of?unit={unit}", "", readers(404), false},
	{"GET /ko1/rights/as-of?unit={unit}&day=1/10/2569", "", readers(404), false},
	{"GET /ko1/rights/as-of/export.xlsx?unit={unit}", "", readers(404), false},

	// Appointments, and the rights of heads.
	{"GET /admin/appointments?unit={unit}", "", overseers, false},
	{"GET /admin/appointments/new?unit={unit}", "", centre, false},
	{"POST /admin/appointments/new", "unit={unit}&post=head&kind=regular&person={person}&order_number=1", centre, false},
	{"POST /admin/appointments/person", "unit={unit}&citizen={citizen}", centre, false},
	{"GET /admin/appointments/{appointment}", "", overseers, false},
	{"POST /admin/appointments/{appointment}/confirm", "", centre, false},
	{"GET /admin/appointments/{appointment}/decline", "", centre, false},
	{"POST /admin/appointments/{appointment}/decline", "reason=x", centre, false},
	{"GET /admin/appointments/{appointment}/end", "", centre, false},
	{"POST /admin/appointments/{appointment}/end", "reason=x&leaves_none=yes", centre, false},
	{"GET /admin/head-rights/new", "", centre, false},
	{"POST /admin/head-rights/new", "appointment={appointment}&level=consider&form={form}", centre, false},
	{"GET /admin/grants/{grant}/second", "", centre, false},
	{"POST /admin/grants/{grant}/second", "", centre, false},
	{"GET /admin/grants/{grant}/decline", "", centre, false},
	{"POST /admin/grants/{grant}/decline", "reason=x", centre, false},
	{"GET /ko1/deputies?state=all", "", heads(200), false},
	{"GET /ko1/deputies/new", "", heads(200), false},
	{"POST /ko1/deputies/new", "unit={unit}&citizen={citizen}&order_number=1&last_day=30/9/2570", heads(403), false},
	{"POST /ko1/deputies/new", "unit={unit}&person={person}&order_number=1&last_day=30/9/2570", heads(403), false},
	{"POST /ko1/deputies/new", "unit=TH-13&person={person}&order_number=1", heads(422), true},
	{"POST /ko1/deputies/new", "unit=TH-13&person={person}&order_number=1&last_day=30/9/2570", heads(404), true},
	{"POST /ko1/deputies/person", "unit={unit}&citizen={citizen}", heads(200), false},
	{"POST /ko1/deputies/person", "unit=TH-13&person={person}", heads(200), false},
	{"POST /ko1/deputies/{appointment}/withdraw", "", heads(403), false},

	// All units at a glance.
	{"GET /admin/overview", "", overseers, false},
	{"GET /admin/overview?only=head", "", overseers, false},
	{"GET /admin/overview?only=nothing", "", want{303, 403, 403, 404, 404}, false},

	// Units and groups.
	{"GET /admin", "", centre, false},
	{"GET /admin/units", "", centre, false},
	{"GET /admin/units/new", "", centre, false},
	{"POST /admin/units/new", "code=TH-99", centre, false},
	{"GET /admin/units/{unit}", "", centre, false},
	{"GET /admin/units/{unit}/name", "", centre, false},
	{"POST /admin/units/{unit}/name", "version=1&name_th=x&name_en=x&short_th=x&short_en=x", centre, false},
	{"GET /admin/units/{unit}/mailbox", "", centre, false},
	{"POST /admin/units/{unit}/mailbox", "seen=&mailbox=a@b.go.th", centre, false},
	{"POST /admin/units/{unit}/review", "version=1&on=yes", centre, false},
	{"POST /admin/units/{unit}/considers", "version=1&on=no", centre, false},
	{"GET /admin/units/{unit}/retire", "", centre, false},
	{"POST /admin/units/{unit}/retire", "version=1", centre, false},
	{"POST /admin/units/{unit}/restore", "version=1", centre, false},
	{"GET /admin/units/IWM/teams/new", "", centre, false},
	{"POST /admin/units/IWM/teams/new", "code=G9&name_th=x&name_en=x", centre, false},
	{"GET /admin/units/IWM/teams/{team}/name", "", centre, false},
	{"POST /admin/units/IWM/teams/{team}/name", "version=1&name_th=x&name_en=x", centre, false},
	{"GET /admin/units/IWM/teams/{team}/retire", "", centre, false},
	{"POST /admin/units/IWM/teams/{team}/retire", "version=1", centre, false},
	{"POST /admin/units/IWM/teams/{team}/restore", "version=1", centre, false},

	// Programs that ask who may do what.
	{"GET /programs", "", everyone(200), false},
	{"GET /ko1/messages", "", centre, false},
	{"GET /ko1/messages/templates", "", centre, false},
	{"GET /ko1/messages/templates/grant.given", "", centre, false},
	{"POST /ko1/messages/{form}/again", "", centre, false},
	{"GET /admin/programs", "", centre, false},
	{"GET /admin/programs/new", "", centre, false},
	{"POST /admin/programs/new", "name=x&which=some&units={unit}&actions=approve", centre, false},
	{"GET /admin/programs/{program}", "", centre, false},
	{"GET /admin/programs/{program}/revoke", "", centre, false},
	{"POST /admin/programs/{program}/revoke", "reason=x", centre, false},
	{"GET /log/decisions?program={program}&unit={unit}&person={person}", "", overseers, false},
	{"POST /log/decisions", "citizen_id={citizen}", overseers, false},
	// Imports from the old system.
	{"GET /admin/imports", "", overseers, false},
	{"POST /admin/imports", "source=x", centre, false},
	{"GET /admin/import-template/csv", "", overseers, false},
	{"GET /admin/imports/{form}", "", overseers, false},
	{"POST /admin/imports/{form}/sign", "version=1", centre, false},
	{"GET /admin/imports/{form}/cancel", "", centre, false},
	{"POST /admin/imports/{form}/cancel", "version=1&reason=x", centre, false},
	{"POST /admin/imports/{form}/recheck", "", centre, false},
	{"GET /admin/imports/{form}/lines?unit={unit}", "", overseers, false},
	{"GET /admin/imports/{form}/export/csv", "", overseers, false},
	{"GET /admin/imports/{form}/lines/2", "", overseers, false},
	{"POST /admin/imports/{form}/lines/2", "citizen_id={citizen}", centre, false},
	{"POST /admin/imports/{form}/lines/2/aside", "reason=x", centre, false},
	{"POST /admin/imports/{form}/lines/2/back", "", centre, false},

	// Systems and announcements.
	{"GET /admin/systems", "", centre, false},
	{"GET /admin/systems/{system}", "", centre, false},
	{"POST /admin/systems/{system}", "version=1&address=https://x.example", centre, false},
	{"GET /admin/announcements", "", centre, false},
	{"GET /admin/announcements/new", "", centre, false},
	{"POST /admin/announcements/new", "title_th=x&title_en=x&body_th=x&body_en=x&place=public", centre, false},
	{"GET /admin/announcements/{announcement}", "", centre, false},
	{"POST /admin/announcements/{announcement}", "version=1&title_th=x&title_en=x&body_th=x&body_en=x&place=public", centre, false},
	{"GET /admin/announcements/{announcement}/close", "", centre, false},
	{"POST /admin/announcements/{announcement}/close", "version=1", centre, false},

	// The cut-over.
	{"GET /ko1/cutover.json", "", everyone(200), false},
	{"GET /admin/cutover", "", centre, false},
	{"GET /admin/cutover/new", "", centre, false},
	{"POST /admin/cutover/new", "owner=new&day=1/1/2600&hour=00:00", centre, false},
	{"GET /admin/cutover/{cutover}/withdraw", "", centre, false},
	{"POST /admin/cutover/{cutover}/withdraw", "version=1", centre, false},
}

// objects are values for the words in braces of a call.
type objects map[string]string

// fill puts the objects into a text.
func (o objects) fill(text string) string {
	for name, value := range o {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// hide puts the words of a call back for its objects, so that the answers about different ones can be compared.
func (o objects) hide(c call, text string) string {
	for name, value := range o {
		if c.names(name) {
			text = strings.ReplaceAll(text, value, "{"+name+"}")
		}
	}
	return formField.ReplaceAllString(text, `name="form" value=""`)
}

// formField holds what tells one filled-in form from another.
var formField = regexp.MustCompile(`name="form" value="[^"]*"`)

// names reports whether a call is about an object; with "" about any.
func (c call) names(object string) bool { return strings.Contains(c.line+c.form, "{"+object) }

func (c call) method() string { return strings.Fields(c.line)[0] }

// target is the path with the query.
func (c call) target(o objects) string { return o.fill(strings.Fields(c.line)[1]) }

func (c call) values(t *testing.T, o objects) url.Values {
	t.Helper()
	return must(url.ParseQuery(o.fill(c.form)))(t)
}

// ask makes the call in a browser. What must hold of every answer is looked at here.
func (b *browser) ask(c call, o objects) *answer {
	b.t.Helper()
	var form url.Values
	if c.method() == http.MethodPost {
		form = c.values(b.t, o)
	}
	a := b.do(c.method(), c.target(o), form)
	a.guarded(c.line)
	return a
}

// theirs makes what belongs to นนทบุรี: a right with a note, one that has ended, a person who waits for his chief's
// word, a session, a registration under way.
func theirs(t *testing.T, k *kit) objects {
	t.Helper()
	waiting := k.register(t, unknown, "ปราณี", "มาใหม่", "TH-12")
	order := grant.Order{Unit: "TH-12", Level: grant.Consider, Person: k.who[approves], OrderNumber: theirOrder, Note: theirNote}
	live := k.give(t, chief12, order)
	order.Level, order.Person = grant.Approve, k.who[considers]
	ended := k.give(t, chief12, order)
	must(k.book.Revoke(t.Context(), k.who[chief12], ended.ID, grant.Ending{Reason: theirNote}))(t)
	deputy := must(k.book.Propose(t.Context(), k.who[chief12], grant.AppointmentOrder{
		Unit: "TH-12", Post: grant.Head, Kind: grant.Acting, Person: k.who[approves], OrderNumber: theirOrder, Note: theirNote,
		LastDay: thai.Date{Year: 2027, Month: time.September, Day: 30},
	}))(t)
	k.as(t, chief12)
	page := k.visitor(t).post("/officer/register", newcomer("1990000000051", newMail, newPhone)...).wants(http.StatusSeeOther)
	contact := k.as(t, considers).post("/officer/profile/contact/email", "email", "suda@example.go.th").wants(http.StatusSeeOther)
	reset := k.visitor(t).post("/officer/passreset", "citizen_id", considers).wants(http.StatusSeeOther)
	ticket, plea := k.plea(t)
	activation := k.asks(t, k.register(t, "1990000000078", "มานพ", "ห่างหาย", "TH-12"))
	announced := must(k.portal.All(t.Context()))(t)
	change := must(k.portal.SetCutover(t.Context(), string(k.who[admin1]), portal.KO1, portal.CutoverDraft{
		Owner: portal.New, From: k.Clock.Now().AddDate(1, 0, 0),
	}))(t)
	entries, _, err := k.book.Log(t.Context(), k.who[auditor], audit.Query{Unit: "TH-12", Limit: 1})
	check(t, err)
	asks, _, err := k.programs.Create(t.Context(), string(k.who[admin1]), program.Order{Name: theirNote, Scope: program.Scope{Units: []string{"TH-12"}, AllActions: true}})
	check(t, err)
	return objects{
		"program": asks.ID, "list": must(k.server.Drafts.Keep(t.Context(), k.who[chief12], keptList{Level: "consider", Typed: url.Values{"unit": {"TH-12"}, "list": {considers}}}))(t),
		"unit": "TH-12", "entry": entries[0].ID, "team": "G1", "grant": live.ID, "ended": ended.ID, "person": string(k.who[considers]), "waiting": string(waiting),
		"citizen": considers, "digits": considers[9:], "form": store.NewID(), "system": "haz2009", "announcement": announced[0].ID, "cutover": change.ID,
		"appointment": deputy.ID,
		"session":     must(k.signin.List(t.Context(), k.who[chief12]))(t)[0].ID, "flow": strings.TrimPrefix(page.location, "/officer/register/"),
		"change":     strings.TrimPrefix(contact.location, "/officer/profile/change/"),
		"activation": activation,
		"reset":      strings.TrimPrefix(reset.location, "/officer/passreset/"),
		"ticket":     ticket.ID, "plea": plea.ID,
	}
}

const (
	theirOrder = "นบ 0033/77"
	theirNote  = "เรื่องภายในของนนทบุรี"
)

// absent are objects that do not exist, as long as those that do.
func absent() objects {
	o := objects{"unit": "TH-99", "team": "G7", "citizen": "1990000000043", "digits": "0043", "system": "haz2999"}
	o["change"] = store.NewID()
	for _, name := range []string{"entry", "grant", "ended", "person", "waiting", "form", "announcement", "cutover", "appointment", "program", "list", "session", "flow", "reset", "ticket", "plea", "activation"} {
		o[name] = store.NewID()
	}
	return o
}

// caller is one of the five who try every route.
type caller struct {
	name string
	*browser
	who    person.ID
	status func(want) int
	// blind says that the caller must never see anything of นนทบุรี; the others see it where they are let in.
	blind bool
}

func callers(t *testing.T, k *kit) []caller {
	return []caller{
		{"a visitor", k.visitor(t), "", func(w want) int { return w.visitor }, true},
		{"an officer", k.as(t, without), k.who[without], func(w want) int { return w.officer }, true},
		{"the chief of TH-13", k.as(t, chief13), k.who[chief13], func(w want) int { return w.chief }, true},
		{"the auditor", k.as(t, auditor), k.who[auditor], func(w want) int { return w.auditor }, false},
		{"an administrator", k.as(t, admin1), k.who[admin1], func(w want) int { return w.admin }, false},
	}
}

// TestEveryRouteHasItsCall holds the table to the router.
func TestEveryRouteHasItsCall(t *testing.T) {
	k := newKit(t)
	o, site, missing := absent(), k.site(), routesOf(k)
	for _, c := range calls {
		pattern := routeOf(t, site, c.method(), c.target(o))
		if pattern == "" {
			t.Errorf("%s: there is no such route", c.line)
		}
		delete(missing, pattern)
	}
	for pattern := range missing {
		t.Errorf("%s: the table of calls lacks this route: say what each caller gets from it", pattern)
	}
}

// routesOf are the routes by their pattern, without those that only black-box tests have.
func routesOf(k *kit) map[string]Route {
	routes := map[string]Route{}
	for _, r := range k.server.Routes() {
		if !strings.Contains(r.Pattern, " /testhooks/") {
			routes[r.Pattern] = r
		}
	}
	return routes
}

// site is the router of the door, with nothing behind it.
func (k *kit) site() *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range k.server.Routes() {
		mux.Handle(r.Pattern, http.NotFoundHandler())
	}
	mux.Handle("GET "+staticPath, http.NotFoundHandler())
	return mux
}

// routeOf is the pattern of the route that an address of this site leads to; "" when it leads nowhere.
func routeOf(t *testing.T, site *http.ServeMux, method, target string) string {
	t.Helper()
	_, pattern := site.Handler(must(http.NewRequest(method, "http://localhost"+target, nil))(t))
	return pattern
}

// TestNobodyReachesAcrossUnits is guarantee P6 at the door: whoever calls whatever about somebody else's objects gets
// the answer that absent ones get, sees nothing of them, changes nothing, and is on record for having tried to act.
func TestNobodyReachesAcrossUnits(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		x := &trial{T: t, k: k, site: k.site(), routes: routesOf(k), foreign: theirs(t, k), none: absent()}
		people := callers(t, k)
		x.state = k.state(t)
		for _, c := range calls {
			for _, by := range people {
				if status := by.status(c.want); status != entitled {
					x.try(c, by, status)
				}
			}
		}
	})
}

// trial is the state of the test between two calls.
type trial struct {
	*testing.T
	k       *kit
	site    *http.ServeMux
	routes  map[string]Route
	foreign objects
	none    objects
	state   map[string][sha256.Size]byte
}

// try makes a call about what belongs to others, and once more about what does not exist.
func (x *trial) try(c call, by caller, status int) {
	x.Helper()
	name := fmt.Sprintf("%s to %s (%s)", c.line, by.name, c.form)
	refusals := x.k.refusals(x.T, by.who)
	a := by.ask(c, x.foreign)
	if a.status != status {
		x.Errorf("%s: status %d, want %d\n%s", name, a.status, status, a.text())
	}
	if by.who == "" && status == http.StatusSeeOther && c.want.officer != status && !strings.HasPrefix(a.location, "/officer/login") {
		x.Errorf("%s: a visitor is not asked to sign in but led to %q", name, a.location)
	}
	if x.owes(c, by, status) && x.k.refusals(x.T, by.who) == refusals {
		x.Errorf("%s: the refusal is not on record", name)
	}
	if by.blind || status != http.StatusOK {
		x.tellsNothing(name, c, by, a)
	}
	for table, sum := range x.k.state(x.T) {
		if sum != x.state[table] {
			x.Errorf("%s: changed %s", name, table)
			x.state[table] = sum
		}
	}
}

// tellsNothing compares an answer with the one about objects that do not exist, and looks for what it must not hold.
func (x *trial) tellsNothing(name string, c call, by caller, a *answer) {
	x.Helper()
	for _, secret := range x.k.secrets(x.T, by.who) {
		if strings.Contains(a.read()+a.location, secret) && !strings.Contains(x.foreign.fill(c.line+c.form), secret) {
			x.Errorf("%s: tells %q", name, secret)
		}
	}
	if !c.names("") {
		return
	}
	other := by.ask(c, x.none)
	if other.status != a.status || x.none.hide(c, other.body) != x.foreign.hide(c, a.body) || x.none.hide(c, other.location) != x.foreign.hide(c, a.location) {
		x.Errorf("%s: tells it from one that does not exist:\n%d %s %s\n%d %s %s", name,
			a.status, a.location, a.text(), other.status, other.location, other.text())
	}
}

// owes reports whether a refusal has to be on record: of an act, by who has signed in and whom the route itself lets in.
func (x *trial) owes(c call, by caller, status int) bool {
	x.Helper()
	refused := status == http.StatusForbidden || status == http.StatusNotFound
	if !refused || c.unrecorded || c.method() != http.MethodPost || by.who == "" {
		return false
	}
	route := x.routes[routeOf(x.T, x.site, c.method(), c.target(x.foreign))]
	v := &Visit{Session: &signin.Session{Person: by.who}, Posts: x.k.book.Posts(by.who)}
	return route.Access != Open && admit(route, v) == nil
}

// secrets are what nobody outside นนทบุรี may read: names and contacts of its people, their citizen IDs, whole and
// masked, and what is written about their rights. What is known to one of them of himself is left out for him.
func (k *kit) secrets(t *testing.T, to person.ID) []string {
	t.Helper()
	list := []string{theirOrder, theirNote}
	check(t, k.DB.Read(t.Context(), func(tx *store.Tx) error {
		people, err := officer.ByUnit(t.Context(), tx, "TH-12")
		if err != nil {
			return err
		}
		for _, a := range people {
			if a.Person == to {
				continue
			}
			citizen, err := k.roll.CitizenID(t.Context(), tx, a.Person)
			if err != nil {
				return err
			}
			list = append(list, a.GivenName, citizen.Digits(), citizen.Dashed(), citizen.Mask(), string(a.Email), string(a.Phone), a.Phone.National(), a.Phone.Mask())
		}
		return nil
	}))
	return list
}

// refusals counts the refused acts of a person in the log.
func (k *kit) refusals(t *testing.T, who person.ID) (n int) {
	t.Helper()
	check(t, k.DB.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM audit_entries WHERE outcome = 'denied' AND actor = $1`, who).Scan(&n)
	}))
	return n
}

// traces are the tables in which requests may leave traces although nothing was done.
var traces = regexp.MustCompile(`^(audit_.*|sessions|throttles|leases|sqlite_.*|goose_.*)$`)

// state sums up every table that says something of rights, people or pages: by table, so that a difference has a name.
func (k *kit) state(t *testing.T) map[string][sha256.Size]byte {
	t.Helper()
	tables := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if k.DB.Engine() == store.Postgres {
		tables = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`
	}
	state := map[string][sha256.Size]byte{}
	check(t, k.DB.Read(t.Context(), func(tx *store.Tx) error {
		names, err := store.Rows(func(row store.Row) (s string, err error) { return s, row.Scan(&s) })(tx.Query(t.Context(), tables))
		if err != nil {
			return err
		}
		for _, table := range names {
			if traces.MatchString(table) {
				continue
			}
			lines, err := linesOf(tx.Query(t.Context(), `SELECT * FROM `+table))
			if err != nil {
				return err
			}
			slices.Sort(lines)
			state[table] = sha256.Sum256([]byte(strings.Join(lines, "\n")))
		}
		return nil
	}))
	return state
}

// linesOf are the rows of a query as text.
func linesOf(rows *sql.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	return store.Rows(func(row store.Row) (string, error) {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		err := row.Scan(targets...)
		return fmt.Sprint(values...), err
	})(rows, nil)
}

// guarded fails the test unless an answer is fenced in as all have to be: its headers, its cookies, and no citizen ID in
// an address.
func (a *answer) guarded(what string) {
	a.b.t.Helper()
	for name, value := range map[string]string{
		"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
	} {
		if got := a.header.Get(name); got != value {
			a.b.t.Errorf("%s: %s is %q", what, name, got)
		}
	}
	for _, line := range a.header.Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err != nil || !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			a.b.t.Errorf("%s: cookie %s, %v", what, line, err)
		}
	}
	for _, name := range []string{"Location", "X-Location", "Content-Disposition"} {
		if wholeID.MatchString(a.header.Get(name)) {
			a.b.t.Errorf("%s: %s is %q", what, name, a.header.Get(name))
		}
	}
}

// read is what a person reads in an answer: of a workbook its cells, of anything else the body.
func (a *answer) read() string {
	a.b.t.Helper()
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/vnd.openxmlformats") {
		return a.body
	}
	book := must(excelize.OpenReader(strings.NewReader(a.body)))(a.b.t)
	defer book.Close()
	var cells []string
	for _, sheet := range book.GetSheetList() {
		for _, row := range must(book.GetRows(sheet))(a.b.t) {
			cells = append(cells, row...)
		}
	}
	return strings.Join(cells, "\n")
}

// wholeID finds a citizen ID that is not masked, but no run of digits within a longer name.
var wholeID = regexp.MustCompile(`(^|[^0-9A-Za-z-])([0-9]{13}|[0-9]-[0-9]{4}-[0-9]{5}-[0-9]{2}-[0-9])($|[^0-9A-Za-z-])`)

// TestReadingChangesNothing opens every page as everyone who may: no row of the book is another afterwards.
func TestReadingChangesNothing(t *testing.T) {
	k := newKit(t)
	own := theirs(t, k)
	readers := []*browser{k.as(t, chief12), k.as(t, admin1), k.as(t, auditor), k.as(t, without), k.visitor(t)}
	before := k.state(t)
	for _, c := range calls {
		if c.method() != http.MethodGet {
			continue
		}
		for _, b := range readers {
			for _, part := range []string{"", "dialog", "grid"} {
				b.fragment(part).ask(c, own)
			}
		}
		after := k.state(t)
		for table := range after {
			if after[table] != before[table] {
				t.Errorf("%s changed %s", c.line, table)
			}
		}
		before = after
	}
}

// TestNoOtherSiteCanAct sends every form as a page of another site would make a reader's browser send it.
func TestNoOtherSiteCanAct(t *testing.T) {
	k := newKit(t)
	own := theirs(t, k)
	readers := []*browser{k.as(t, chief12), k.as(t, admin1), k.visitor(t)}
	before := k.state(t)
	for _, c := range calls {
		if c.method() != http.MethodPost {
			continue
		}
		for _, b := range readers {
			for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
				b.header = http.Header{name: {value}}
				b.ask(c, own).wants(http.StatusForbidden, "เว็บไซต์อื่น")
			}
		}
	}
	for table, sum := range k.state(t) {
		if sum != before[table] {
			t.Errorf("another site changed %s", table)
		}
	}
}

// TestLogTellsOfNobody does all that the pages can do, types persons into every place there is, and then looks for
// them in what the program has logged: no name, number, contact, password, code or token may stand there.
func TestLogTellsOfNobody(t *testing.T) {
	k := newKit(t)
	own := theirs(t, k)
	people := []*browser{k.as(t, chief12), k.as(t, chief13), k.as(t, admin1), k.as(t, auditor), k.as(t, without), k.visitor(t)}
	secret := []string{kitPassword, newMail, newPhone, newE164, "ปราณี", "มาใหม่", theirNote, theirOrder}
	for citizen := range k.who {
		secret = append(secret, citizen, k.citizen(t, citizen).Dashed())
	}
	secret = append(secret, k.secrets(t, "")...)

	typed := url.Values{}
	for i, s := range secret {
		typed.Set(fmt.Sprint("x", i), s)
	}
	for _, name := range []string{"q", "citizen", "citizen_id", "search", "person", "level", "before", "next", "number"} {
		typed.Set(name, considers)
	}
	for _, b := range people {
		b.header = http.Header{"User-Agent": {kitPassword + " " + newMail}, "Referer": {k.url + "/x?" + typed.Encode()}, "X-Forwarded-For": {considers}}
		for _, path := range []string{"/" + considers, "/people/" + considers + "/unmask", "/ko1/grants/" + newMail, "/officer/register/" + newPhone, "/ko1/rights/" + url.PathEscape("ปราณี")} {
			b.get(path + "?" + typed.Encode())
			b.do(http.MethodPost, path, typed)
		}
		b.get("/ko1/rights?citizen=%zz" + considers)
		b.do("BREW", "/"+considers, nil)
	}
	for _, c := range calls { // with what the form asks for and more, so that acts come about and fail
		for _, b := range people {
			if strings.Contains(c.line, "/sessions/end") || strings.Contains(c.line, "/logout") {
				continue // the others need their sessions
			}
			form := c.values(t, own)
			for name, list := range typed {
				if !form.Has(name) {
					form[name] = list
				}
			}
			if c.method() == http.MethodGet {
				b.get(c.target(own))
			} else {
				b.do(c.method(), c.target(own), form)
			}
		}
	}
	b := k.visitor(t)
	page := b.post("/officer/register", newcomer("1990000000043", "pranee2@industry.example.go.th", "086-111-3333")...).follow()
	code := k.code(t, "pranee2@industry.example.go.th")
	b.post("/officer/register/"+flowOf(t, page), "step", "email", "code", code)
	b.post("/officer/login", "citizen_id", considers, "password", "wrong "+kitPassword)
	b.post("/officer/login", "citizen_id", considers, "password", kitPassword).wants(http.StatusSeeOther)
	must(k.outbox.Deliver(t.Context()))(t)

	secret = append(secret, code, "pranee2", "086-111-3333", "+66861113333", "ฝนตกที่บางกรวยเมื่อคืน")
	for _, b := range append(people, b) {
		for name, token := range b.cookies {
			if name != k.server.cookieName(languageCookie) {
				secret = append(secret, token)
			}
		}
	}
	told := k.log.String()
	if lines := strings.Count(told, "\n"); lines < 100 {
		t.Fatalf("the log has %d lines", lines)
	}
	for _, s := range secret {
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s)} {
			if at := strings.Index(told, form); at >= 0 {
				t.Errorf("the log has %q: …%s…", s, told[max(0, at-200):min(len(told), at+100)])
				break
			}
		}
	}
}

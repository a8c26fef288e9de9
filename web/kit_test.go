package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/delivery"
	"sitthi/dossier"
	"sitthi/draft"
	"sitthi/grant"
	"sitthi/helpdesk"
	"sitthi/internal/browsertest"
	"sitthi/internal/locale"
	"sitthi/internal/observe"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/legacy"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/portal"
	"sitthi/program"
	"sitthi/proof"
	"sitthi/signin"
)

// The fixed people, as in the demonstration.
const (
	admin1     = "1990000000019"
	admin2     = "1990000000027"
	chief12    = "3990000000104" // นนทบุรี
	chief13    = "3990000000112" // ปทุมธานี
	considers  = "3990000000201" // นนทบุรี, level 1
	approves   = "3990000000210" // นนทบุรี, level 3
	without    = "3990000000228" // นนทบุรี, no right
	considers3 = "3990000000236" // ปทุมธานี, level 1
	director   = "3990000000309" // กองบริหารจัดการกากอุตสาหกรรม
	inTeam     = "3990000000317" // there, level 1 in group G1
	agent1     = "3990000000406"
	agent2     = "3990000000414"
	silent     = "3990000000244" // made by plea: นนทบุรี, no contact that proves him
	auditor    = "8990000001004"
	unknown    = "3990000000503" // not registered: holds a pending right in นนทบุรี
)

// kitPassword is everyone's, and kitKey that of the apps of those who need a second factor.
const (
	kitPassword = "Sitthi-2566-demo"
	kitKey      = "JBSWY3DPEHPK3PXP"
)

// enrolled are those who need a second factor, and have an app.
var enrolled = []string{admin1, admin2, chief12, chief13, approves, director, agent1, agent2}

// kit is a whole door over a fresh database, with people who hold their posts and rights by acts.
type kit struct {
	*storetest.Env
	server   *Server
	book     *grant.Book
	officers *officer.Desk
	clerk    func(terms officer.Edition) *officer.Desk // as officers, with other terms in force
	signin   *signin.Desk
	enters   signin.Options // of signin, for a desk of which ThaID is one way in
	agencies agency.Desk
	portal   portal.Desk
	programs *program.Desk
	answers  *program.Log
	outbox   *notify.Outbox
	roll     *person.Roll
	legacy   *legacy.Desk
	help     *helpdesk.Desk
	ring     *seal.Ring
	who      map[string]person.ID // by citizen ID
	// faults says that the test brings errors about, which otherwise fail it.
	faults bool

	url       string
	localhost string // and the port, for browsers: passkeys are for a name
	log       *lines
}

// newKit makes a kit on SQLite. change may alter the options of the door.
func newKit(t *testing.T, change ...func(*Options)) *kit {
	t.Helper()
	return kitOn(t, storetest.SQLite(t), change...)
}

// eachKit runs a test on both engines.
func eachKit(t *testing.T, test func(t *testing.T, k *kit)) {
	t.Helper()
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) { test(t, kitOn(t, env)) })
}

func kitOn(t *testing.T, env *storetest.Env, change ...func(*Options)) *kit {
	t.Helper()
	ring := must(seal.New())(t)
	served := httptest.NewUnstartedServer(nil)
	k := &kit{Env: env, roll: person.NewRoll(ring), who: map[string]person.ID{}, log: &lines{}}
	k.localhost = fmt.Sprintf("localhost:%d", served.Listener.Addr().(*net.TCPAddr).Port)
	log := observe.NewLogger(k.log, "text", slog.LevelInfo)
	k.outbox = must(notify.NewOutbox(notify.Options{
		DB: env.DB, Ring: ring, Log: log, KeepBodies: true,
		Senders: map[notify.Channel]notify.Sender{notify.Email: notify.Nowhere{}, notify.SMS: notify.Nowhere{}},
	}))(t)
	passwords := must(proof.NewPasswords(ring))(t)
	link := func(path string) string { return "http://localhost" + path }
	k.book = grant.NewBook(grant.Options{DB: env.DB, Clock: env.Clock, Roll: k.roll, Outbox: k.outbox, Link: link, Log: log})
	codes := proof.NewCodes(proof.CodesOptions{Ring: ring, Outbox: k.outbox, Log: log, SMSBudget: 1000})
	k.clerk = func(terms officer.Edition) *officer.Desk {
		return officer.NewDesk(officer.Options{
			DB: env.DB, Roll: k.roll, Ring: ring, Passwords: passwords, Outbox: k.outbox, Codes: codes,
			Registered: k.book.Registered, Relocated: k.book.Relocated, Terms: terms,
			Closed: func(ctx context.Context, tx *store.Tx, was officer.Account) error {
				if err := signin.Closed(ctx, tx, was.Person); err != nil {
					return err
				}
				return k.book.Closed(ctx, tx, was)
			},
		})
	}
	k.officers = k.clerk(officer.Edition{})
	k.enters = signin.Options{DB: env.DB, Roll: k.roll, Ring: ring, Site: must(signin.NewSite(&url.URL{Scheme: "http", Host: k.localhost}))(t), Passwords: passwords, Codes: codes, Outbox: k.outbox, Log: log,
		Link: link, Asked: k.book.Asked, Identified: k.book.Identified}
	k.signin = signin.NewDesk(k.enters)
	administrator := func(ctx context.Context, tx *store.Tx, by string) error {
		return k.book.RequireAdministrator(ctx, tx, person.ID(by))
	}
	prover := must(audit.NewProver(env.DB, ring, func(ctx context.Context, tx *store.Tx, by string) error {
		return k.book.RequireReader(ctx, tx, person.ID(by))
	}))(t)
	k.ring = ring
	k.agencies = agency.Desk{DB: env.DB, Administrator: administrator}
	k.portal = portal.Desk{DB: env.DB, Administrator: administrator}
	k.write(t, func(tx *store.Tx) error {
		if err := agency.Load(t.Context(), tx); err != nil {
			return err
		}
		return portal.Load(t.Context(), tx)
	})
	check(t, k.book.Load(t.Context()))
	k.legacy = legacy.NewDesk(legacy.Options{DB: env.DB, Ring: ring, Roll: k.roll, Book: k.book, Outbox: k.outbox, Link: link, Log: log, Limits: legacy.DefaultLimits})
	k.help = helpdesk.NewDesk(helpdesk.Options{DB: env.DB, Ring: ring, Roll: k.roll, Book: k.book, SignIn: k.signin, Codes: codes, Outbox: k.outbox, Link: link, Log: log})
	programs := program.Options{DB: env.DB, Clock: env.Clock, Book: k.book, Log: log}
	k.programs, k.answers = program.NewDesk(programs), program.NewLog(programs)
	check(t, k.programs.CatchUp(t.Context()))
	k.populate(t, must(passwords.Hash(t.Context(), kitPassword))(t))

	o := Options{
		Log: log, Metrics: observe.NewMetrics("test"), Clock: env.Clock, Ring: ring,
		Agencies: k.agencies, Officers: k.officers, SignIn: k.signin, Book: k.book, Portal: k.portal, Outbox: k.outbox,
		Dossiers: dossier.Desk{DB: env.DB, Roll: k.roll}, Delivery: delivery.Desk{DB: env.DB, Outbox: k.outbox, Administrator: administrator}, Help: k.help,
		Legacy: k.legacy, Drafts: &draft.Desk{DB: env.DB, Ring: ring}, Programs: k.programs, Decisions: k.answers, Prover: prover,
		Ready: func(context.Context) error { return nil }, PublicURL: &url.URL{Scheme: "http", Host: "localhost"}, Demo: true, RequireFactor: true,
	}
	for _, f := range change {
		f(&o)
	}
	k.server = must(New(o))(t)
	k.server.catalog.Missing = func(lang locale.Lang, key, arg string) { t.Errorf("text missing: %s %q %q", lang, key, arg) }
	served.Config.Handler = k.server.Handler()
	served.Start()
	k.url = served.URL
	t.Cleanup(func() {
		served.Close()
		if k.faults {
			return
		}
		for line := range strings.Lines(k.log.String()) {
			if strings.Contains(line, "level=ERROR") {
				t.Errorf("the log has an error: %s", line)
			}
		}
	})
	return k
}

// populate makes the fixed people; posts and rights come about by acts.
func (k *kit) populate(t *testing.T, hash string) {
	t.Helper()
	for _, p := range []struct{ citizen, given, family, position, unit string }{
		{admin1, "สมหญิง", "ระบบดี", "นักวิชาการคอมพิวเตอร์ชำนาญการ", "ICT"},
		{admin2, "ประเสริฐ", "ดูแลงาน", "นักวิชาการคอมพิวเตอร์ชำนาญการพิเศษ", "ICT"},
		{chief12, "วิชัย", "นนทบุรี", "อุตสาหกรรมจังหวัดนนทบุรี", "TH-12"},
		{chief13, "มาลี", "ปทุมธานี", "อุตสาหกรรมจังหวัดปทุมธานี", "TH-13"},
		{considers, "สุดา", "พิจารณา", "นักวิชาการอุตสาหกรรมชำนาญการ", "TH-12"},
		{approves, "อนุชา", "อนุมัติ", "วิศวกรชำนาญการพิเศษ", "TH-12"},
		{without, "ปิติ", "ใจดี", "นักวิชาการอุตสาหกรรมปฏิบัติการ", "TH-12"},
		{considers3, "มานะ", "ขยัน", "นักวิชาการอุตสาหกรรมชำนาญการ", "TH-13"},
		{director, "กิตติ", "กากอุตสาหกรรม", "ผู้อำนวยการกอง", "IWM"},
		{inTeam, "ชูใจ", "กลุ่มหนึ่ง", "วิศวกรปฏิบัติการ", "IWM"},
		{agent1, "ช่วยเหลือ", "หนึ่ง", "นักวิชาการคอมพิวเตอร์ปฏิบัติการ", "ICT"},
		{agent2, "ช่วยเหลือ", "สอง", "นักวิชาการคอมพิวเตอร์ปฏิบัติการ", "ICT"},
		{auditor, "ยุติธรรม", "ตรวจสอบ", "นักวิชาการตรวจสอบภายใน", "IAG"},
	} {
		k.write(t, func(tx *store.Tx) error {
			who, err := k.roll.Mention(t.Context(), tx, k.citizen(t, p.citizen))
			if err != nil {
				return err
			}
			k.who[p.citizen] = who
			return officer.Create(t.Context(), tx, officer.Account{
				Person: who, GivenName: p.given, FamilyName: p.family, Position: p.position, Unit: p.unit,
				Email: thai.Email("p" + p.citizen[9:] + "@diw.example.go.th"), Phone: thai.Mobile("+66812" + p.citizen[7:]),
				TermsVersion: officer.TermsVersion, EmailProvedAt: tx.Now, PhoneProvedAt: tx.Now,
			}, hash)
		})
	}
	for _, citizen := range enrolled {
		k.keep(t, citizen, kitKey)
	}
	check(t, k.book.InstallAdministrator(t.Context(), k.who[admin1]))
	check(t, k.book.InstallAdministrator(t.Context(), k.who[admin2]))
	must(k.agencies.AddTeam(t.Context(), string(k.who[admin1]), "IWM", "G1", locale.Name{TH: "กลุ่มหนึ่ง", EN: "Group one"}))(t)
	must(k.agencies.AddTeam(t.Context(), string(k.who[admin1]), "IWM", "G2", locale.Name{TH: "กลุ่มสอง", EN: "Group two"}))(t)
	for _, a := range []grant.AppointmentOrder{
		{Unit: "TH-12", Post: grant.Head, Person: k.who[chief12]},
		{Unit: "TH-13", Post: grant.Head, Person: k.who[chief13]},
		{Unit: "IWM", Post: grant.Head, Person: k.who[director]},
		{Unit: "DIW", Post: grant.Auditor, Person: k.who[auditor]},
		{Unit: "DIW", Post: grant.Agent, Person: k.who[agent1]},
		{Unit: "DIW", Post: grant.Agent, Person: k.who[agent2]},
	} {
		a.Kind, a.OrderNumber = grant.Regular, "อก 0301/1"
		proposed := must(k.book.Propose(t.Context(), k.who[admin1], a))(t)
		must(k.book.ConfirmAppointment(t.Context(), k.who[admin2], proposed.ID))(t)
	}
	k.give(t, chief12, grant.Order{Unit: "TH-12", Level: grant.Consider, Person: k.who[considers]})
	k.give(t, chief12, grant.Order{Unit: "TH-12", Level: grant.Approve, Person: k.who[approves]})
	k.give(t, chief13, grant.Order{Unit: "TH-13", Level: grant.Consider, Person: k.who[considers3]})
	k.give(t, director, grant.Order{Unit: "IWM", Team: "G1", Level: grant.Consider, Person: k.who[inTeam]})
	k.give(t, chief12, grant.Order{Unit: "TH-12", Level: grant.Consider, Citizen: k.citizen(t, unknown)})
}

// give has a head give a right; identity is confirmed and the form is a new one.
func (k *kit) give(t *testing.T, by string, o grant.Order) grant.Grant {
	t.Helper()
	o.Confirmed, o.Form = true, store.NewID()
	return must(k.book.Give(t.Context(), k.who[by], o))(t)
}

func (k *kit) citizen(t *testing.T, digits string) thai.CitizenID {
	t.Helper()
	return must(thai.ParseCitizenID(digits))(t)
}

func (k *kit) write(t *testing.T, f func(tx *store.Tx) error) {
	t.Helper()
	check(t, k.DB.Write(t.Context(), f))
}

// browser keeps cookies as a browser does, whatever the connection.
type browser struct {
	t       *testing.T
	k       *kit
	cookies map[string]string
	header  http.Header
}

// visitor is a browser in which nobody has signed in.
func (k *kit) visitor(t *testing.T) *browser {
	return &browser{t: t, k: k, cookies: map[string]string{}, header: http.Header{}}
}

// as is a browser in which the person with this citizen ID has just signed in, with the second factor of who has one.
func (k *kit) as(t *testing.T, citizen string) *browser {
	t.Helper()
	b := k.visitor(t)
	in := signin.In{CitizenID: citizen, Password: kitPassword, Browser: seal.Token(), Address: "192.0.2.1", Agent: "test"}
	opened := must(k.signin.SignIn(t.Context(), in))(t)
	if opened.Flow != "" {
		opened = must(k.signin.SignInCode(t.Context(), opened.Flow, k.appCode(t, citizen), in))(t)
	}
	b.cookies[k.server.cookieName(sessionCookie)] = opened.Token
	return b
}

// signIn signs a person in on the pages, with the second factor of who has one, and answers what leads on.
func (b *browser) signIn(citizen, next string) *answer {
	b.t.Helper()
	a := b.post("/officer/login", "citizen_id", citizen, "password", kitPassword, "next", next).wants(http.StatusSeeOther)
	if path, _, _ := strings.Cut(a.location, "?"); strings.HasPrefix(path, "/officer/login/factor/") {
		a = b.post(path, "code", b.k.appCode(b.t, citizen), "next", next).wants(http.StatusSeeOther)
	}
	return a
}

// signIn does the same in a real browser, from the page that asks for it.
func (k *kit) signIn(t *testing.T, b *browsertest.Browser, lang locale.Lang, citizen string) {
	t.Helper()
	say := func(key string) string { return must(Texts())(t).Text(lang, key, nil) }
	b.Fill("[name=citizen_id]", citizen)
	b.Fill("[name=password]", kitPassword)
	b.In("#main").Press(say("officer.sign_in"))
	if slices.Contains(enrolled, citizen) {
		b.See(say("security.factor_lead"))
		b.Fill("[name=code]", k.appCode(t, citizen))
		b.In("#main").Press(say("security.go_on"))
	}
}

// appCode is what the app of a person who is enrolled shows. A code works once: here the one used before is forgotten, so
// that the clock can stand still.
func (k *kit) appCode(t *testing.T, citizen string) string {
	t.Helper()
	k.write(t, func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE factors SET last_step = 0 WHERE person_id = $1`, k.who[citizen])
		return err
	})
	return must(signin.AppCode(kitKey, k.Clock.Now()))(t)
}

// keep leaves a person an app with this key as second factor, or none.
func (k *kit) keep(t *testing.T, citizen, key string) {
	t.Helper()
	k.write(t, func(tx *store.Tx) error {
		_, err := k.signin.Keep(t.Context(), tx, k.who[citizen], key, "test")
		return err
	})
}

// in switches the language.
func (b *browser) in(lang locale.Lang) *browser {
	b.cookies[b.k.server.cookieName(languageCookie)] = string(lang)
	return b
}

// fragment has further requests ask for a part of the page; "" for the whole.
func (b *browser) fragment(name string) *browser {
	b.header.Set("X-Fragment", name)
	return b
}

func (b *browser) get(path string) *answer {
	b.t.Helper()
	return b.do(http.MethodGet, path, nil)
}

// post sends a form, given as name, value, name, value.
func (b *browser) post(path string, pairs ...string) *answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.do(http.MethodPost, path, form)
}

func (b *browser) do(method, path string, form url.Values) *answer {
	b.t.Helper()
	r := must(http.NewRequestWithContext(b.t.Context(), method, b.k.url+path, strings.NewReader(form.Encode())))(b.t)
	r.Host = "localhost"
	for name, list := range b.header {
		r.Header[name] = list
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.send(r)
}

func (b *browser) send(r *http.Request) *answer {
	b.t.Helper()
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	response := must(http.DefaultTransport.RoundTrip(r))(b.t)
	body := must(io.ReadAll(response.Body))(b.t)
	check(b.t, response.Body.Close())
	for _, c := range response.Cookies() {
		b.cookies[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	if response.StatusCode == http.StatusInternalServerError && !b.k.faults {
		b.t.Errorf("%s %s failed:\n%s", r.Method, r.URL.Path, b.k.log)
	}
	for _, input := range regexp.MustCompile(`<input[^>]*type="password"[^>]*>`).FindAllString(string(body), -1) {
		if name := regexp.MustCompile(`name="([^"]*)"`).FindStringSubmatch(input); name == nil || !secret(name[1]) {
			b.t.Errorf("a form that is kept would keep a password: %s", input)
		}
	}
	return &answer{b: b, status: response.StatusCode, header: response.Header, body: string(body), location: response.Header.Get("Location")}
}

// answer is what came back.
type answer struct {
	b        *browser
	status   int
	header   http.Header
	body     string
	location string
}

// follow opens the page that the answer leads to.
func (a *answer) follow() *answer {
	a.b.t.Helper()
	if a.status != http.StatusSeeOther {
		a.b.t.Fatalf("leads nowhere: %d\n%s", a.status, a.text())
	}
	path, _, _ := strings.Cut(a.location, "#")
	return a.b.get(path)
}

// wants fails the test unless the answer has the status and all the words.
func (a *answer) wants(status int, words ...string) *answer {
	a.b.t.Helper()
	if a.status != status {
		a.b.t.Errorf("status %d, want %d\n%s", a.status, status, a.text())
	}
	for _, w := range words {
		if !strings.Contains(a.body, w) {
			a.b.t.Errorf("the page lacks %q\n%s", w, a.text())
		}
	}
	return a
}

// lacks fails the test when the answer has any of the words.
func (a *answer) lacks(words ...string) *answer {
	a.b.t.Helper()
	for _, w := range words {
		if strings.Contains(a.body, w) {
			a.b.t.Errorf("the page has %q\n%s", w, a.text())
		}
	}
	return a
}

var tags = regexp.MustCompile(`\s*<[^>]*>\s*`)

// text is what the main part of the page says, for messages.
func (a *answer) text() string {
	main := a.body
	if _, after, ok := strings.Cut(main, "<main"); ok {
		main, _, _ = strings.Cut("<main"+after, "</main>")
	}
	text := []rune(strings.TrimSpace(tags.ReplaceAllString(main, " ")))
	return string(text[:min(len(text), 500)])
}

// lines is a log that is written and read at the same time.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must(f())(t) is the value of f, or the end of the test.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		check(t, err)
		return v
	}
}

// later moves the clock forward.
func (k *kit) later(d time.Duration) { k.Clock.Advance(d) }

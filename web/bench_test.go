package web

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/helpdesk"
	"sitthi/internal/benchkit"
	"sitthi/internal/observe"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/portal"
	"sitthi/proof"
	"sitthi/signin"
	"sitthi/web/views"
)

// benchHall is the door of a made-up department.
type benchHall struct {
	*storetest.Env
	server *Server
	world  *benchkit.World
	login  *signin.Desk
	posts  int // forms sent
}

func openBenchHall(b *testing.B, size benchkit.Size) *benchHall {
	b.Helper()
	env := storetest.SQLite(b)
	ring, err := seal.New()
	benchOK(b, err)
	log := slog.New(slog.DiscardHandler)
	roll := person.NewRoll(ring)
	outbox, err := notify.NewOutbox(notify.Options{
		DB: env.DB, Ring: ring, Log: log,
		Senders: map[notify.Channel]notify.Sender{notify.Email: notify.Nowhere{}, notify.SMS: notify.Nowhere{}},
	})
	benchOK(b, err)
	passwords, err := proof.NewPasswords(ring)
	benchOK(b, err)
	hash, err := passwords.Hash(b.Context(), kitPassword)
	benchOK(b, err)
	h := &benchHall{Env: env, world: benchkit.Fill(b, env.DB, roll, size, hash)}
	book := grant.NewBook(grant.Options{DB: env.DB, Clock: env.Clock, Roll: roll, Outbox: outbox, Link: func(path string) string { return path }, Log: log})
	benchOK(b, book.Load(b.Context()))
	codes := proof.NewCodes(proof.CodesOptions{Ring: ring, Outbox: outbox, Log: log, SMSBudget: 1000})
	h.login = signin.NewDesk(signin.Options{DB: env.DB, Roll: roll, Ring: ring, Passwords: passwords, Codes: codes, Outbox: outbox, Log: log})
	h.server, err = New(Options{
		Log: log, Metrics: observe.NewMetrics("bench"), Clock: env.Clock, Ring: ring, Book: book, SignIn: h.login, Outbox: outbox,
		Agencies: agency.Desk{DB: env.DB}, Portal: portal.Desk{DB: env.DB},
		Help: helpdesk.NewDesk(helpdesk.Options{DB: env.DB, Ring: ring, Roll: roll, Book: book, SignIn: h.login, Codes: codes, Outbox: outbox, Log: log}),
		Officers: officer.NewDesk(officer.Options{
			DB: env.DB, Roll: roll, Ring: ring, Passwords: passwords, Outbox: outbox, Codes: codes,
		}),
		Ready: func(context.Context) error { return nil }, PublicURL: &url.URL{Scheme: "http", Host: "localhost"},
	})
	benchOK(b, err)
	return h
}

func benchOK(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// benchReader is a browser in which somebody has signed in.
type benchReader struct {
	h     *benchHall
	token string
	body  *bytes.Buffer // of the last answer: a connection has a buffer too
}

func (h *benchHall) as(b *testing.B, who person.ID) benchReader {
	b.Helper()
	n := slices.Index(h.world.Officers, who)
	opened, err := h.login.SignIn(b.Context(), signin.In{
		CitizenID: benchkit.Citizen(b, n).Digits(), Password: kitPassword, Address: "192.0.2.1", Agent: "bench",
	})
	benchOK(b, err)
	return benchReader{h, opened.Token, new(bytes.Buffer)}
}

func (r benchReader) request(b *testing.B, path string) *http.Request {
	request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, path, nil)
	request.Host = "localhost"
	request.AddCookie(&http.Cookie{Name: r.h.server.cookieName(sessionCookie), Value: r.token})
	return request
}

// get opens a page through everything that stands between a connection and its handler.
func (r benchReader) get(b *testing.B, path string) *bytes.Buffer {
	r.body.Reset()
	answer := httptest.NewRecorder()
	answer.Body = r.body
	r.h.server.Handler().ServeHTTP(answer, r.request(b, path))
	if answer.Code != http.StatusOK {
		b.Fatalf("%s: %d\n%s", path, answer.Code, answer.Body)
	}
	return answer.Body
}

// prepared answers the grid page of a level with all that it shows in memory, ready to be drawn.
func (r benchReader) prepared(b *testing.B, path string, level grant.LevelRow) func() *bytes.Buffer {
	b.Helper()
	s := r.h.server
	request := r.request(b, path)
	v := s.visit(request)
	benchOK(b, s.identify(httptest.NewRecorder(), request, v))
	who := v.Session.Person
	filter, query := readFilter(request.URL.Query(), level)
	sheet, err := s.Book.Sheet(b.Context(), who, filter)
	benchOK(b, err)
	page, choices, overview := sheet.Page, sheet.Choices, sheet.Overview
	body := views.RightsPage{TabsLabel: v.T("rights.tabs"), Grid: gridOf(v, level, request.URL.Path, query, filter, page, choices)}
	body.Ends = len(page.Scope.Heads) > 0
	for _, row := range page.Rows {
		body.Rows = append(body.Rows, rowOf(v, row, page.Scope, filter, ""))
	}
	p := v.Page("rights.title")
	p.Subtitle, p.Crumbs = whose(v, overview), rightsCrumbs(v)
	body.Tabs = tabsOf(v, overview, choices, level.Code)
	return func() *bytes.Buffer {
		var out bytes.Buffer
		benchOK(b, views.Layout(p, views.Rights(p, body)).Render(b.Context(), &out))
		return &out
	}
}

// BenchmarkGridPage holds the grid page of a head's unit against drawing the same 50 rows from memory.
func BenchmarkGridPage(b *testing.B) {
	h := openBenchHall(b, benchkit.Department)
	chief := h.as(b, h.world.Heads["TH-12"])
	path := "/ko1/rights/consider"
	level, ok := grant.LevelOf("consider")
	if !ok {
		b.Fatal("no such level")
	}
	draw := chief.prepared(b, path, level)
	if page := chief.get(b, path); !bytes.Equal(page.Bytes(), draw().Bytes()) || bytes.Count(page.Bytes(), []byte("<tr")) < 50 {
		b.Fatalf("the two pages differ:\n%s\n%s", page, draw())
	}
	rounds := benchkit.NewRounds(b, benchkit.CPU)
	for b.Loop() {
		rounds.Time("page", 20, func() { chief.get(b, path) })
		rounds.Time("drawing", 20, func() { draw() })
		moved := func(tx *store.Tx) error { // as by an act anywhere: the figures on the tabs are counted anew
			_, err := tx.Exec(b.Context(), `UPDATE counters SET value = value + 1 WHERE name = 'rights'`)
			return err
		}
		benchOK(b, h.DB.Write(b.Context(), moved))
		rounds.Time("page after an act", 1, func() { chief.get(b, path) })
	}
	benchkit.Report(b, benchkit.AtMost("grid page of a head's unit, CPU", rounds.Median("page"), rounds.Median("drawing"),
		"drawing the same 50 rows from memory", 3))
	benchkit.Report(b, benchkit.Figure{
		Name: "the same page, the first after an act", Ours: benchkit.Round(rounds.Median("page after an act")),
		Ratio: float64(rounds.Median("page after an act")) / float64(rounds.Median("drawing")),
	})
}

// BenchmarkGridSearch reports what filters cost that no index serves.
func BenchmarkGridSearch(b *testing.B) {
	h := openBenchHall(b, benchkit.Department)
	chief, administrator := h.as(b, h.world.Heads["TH-12"]), h.as(b, h.world.Administrator)
	pages := []struct {
		name, path string
		who        benchReader
	}{
		{"the overview of a head, first page", "/ko1/rights", chief},
		{"a part of a citizen ID in a head's unit", "/ko1/rights/consider?citizen=0012", chief},
		{"a part of a name in a head's unit", "/ko1/rights/consider?citizen=" + url.QueryEscape("วัฒนา"), chief},
		{"all units, no filter", "/ko1/rights", administrator},
		{"all units, a part of a name that many have", "/ko1/rights?citizen=" + url.QueryEscape("วัฒนา"), administrator},
		{"all units, a part of a name that nobody has", "/ko1/rights?citizen=" + url.QueryEscape("ไม่มีใครชื่อนี้"), administrator},
		{"all units, search in all columns", "/ko1/rights?q=" + url.QueryEscape("จันทร์สกุล"), administrator},
		{"all units, sorted by name", "/ko1/rights?sort=name", administrator},
		{"all units, all states, last page", "/ko1/rights?state=all&page=200", administrator},
	}
	rounds := benchkit.NewRounds(b, benchkit.Wall)
	for b.Loop() {
		for _, p := range pages {
			rounds.Time(p.name, 1, func() { p.who.get(b, p.path) })
		}
	}
	for _, p := range pages {
		benchkit.Report(b, benchkit.Figure{Name: "grid: " + p.name, Ours: benchkit.Round(rounds.Median(p.name))})
	}
}

// benchStrangers is how many citizen IDs of either kind BenchmarkAnswers tries.
const benchStrangers = 80

// post sends a form as a visitor and expects the status.
func (h *benchHall) post(b *testing.B, path string, want int, form url.Values) (location string) {
	request := httptest.NewRequestWithContext(b.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	request.Host = "localhost"
	h.posts++ // a network of its own for each: what one may send in a day ends before the benchmark
	request.RemoteAddr = fmt.Sprintf("198.51.%d.%d:1024", h.posts>>8&255, h.posts&255)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.AddCookie(&http.Cookie{Name: h.server.cookieName(browserCookie), Value: "bench"})
	answer := httptest.NewRecorder()
	h.server.Handler().ServeHTTP(answer, request)
	if answer.Code != want {
		b.Fatalf("%s: %d\n%s", path, answer.Code, answer.Body)
	}
	return answer.Header().Get("Location")
}

func (h *benchHall) wrongPassword(b *testing.B, citizen string) {
	h.post(b, "/officer/login", http.StatusUnprocessableEntity, url.Values{"citizen_id": {citizen}, "password": {"ไม่ใช่รหัสผ่านนี้แน่นอน"}})
}

const newPassword = "ฝนตกที่บางกรวยเมื่อคืน"

func (h *benchHall) firstForm(b *testing.B, citizen, name, phone string) {
	h.post(b, "/officer/register", http.StatusSeeOther, url.Values{
		officer.FieldCitizenID: {citizen}, officer.FieldPhone: {phone}, officer.FieldGivenName: {"สมชาย"}, officer.FieldFamilyName: {"ใจดี"},
		officer.FieldPosition: {"นักวิชาการ"}, officer.FieldUnit: {"TH-12"}, officer.FieldEmail: {name + "@example.go.th"},
		officer.FieldLineID: {"somchai.j"}, officer.FieldPassword: {newPassword}, officer.FieldPasswordAgain: {newPassword}, officer.FieldTerms: {officer.TermsVersion},
	})
}

// BenchmarkAnswers reports how long the door takes to refuse a wrong password, to take the first form of a registration
// and of a reset, and to send the code of a reset, for citizen IDs that have an account and for such that have none: the two must
// not tell apart (P5).
func BenchmarkAnswers(b *testing.B) {
	h := openBenchHall(b, benchkit.Size{Officers: benchStrangers, Grants: 1})
	door, register := benchkit.NewRounds(b, benchkit.Wall), benchkit.NewRounds(b, benchkit.Wall)
	reset, send := benchkit.NewRounds(b, benchkit.Wall), benchkit.NewRounds(b, benchkit.Wall)
	n := 0
	for b.Loop() {
		for i := range benchStrangers {
			n++
			for kind, citizen := range map[string]int{"known": i, "unknown": benchStrangers + n} {
				h.Clock.Advance(10 * time.Minute) // nobody is slowed down
				id := benchkit.Citizen(b, citizen).Digits()
				door.Time(kind, 1, func() { h.wrongPassword(b, id) })
				register.Time(kind, 1, func() { h.firstForm(b, id, kind+strconv.Itoa(n), fmt.Sprintf("08%08d", 2*n+len(kind)%2)) })
				var flow string
				reset.Time(kind, 1, func() { flow = h.post(b, "/officer/passreset", http.StatusSeeOther, url.Values{"citizen_id": {id}}) })
				send.Time(kind, 1, func() { h.post(b, flow+"/send", http.StatusSeeOther, url.Values{"channel": {"email"}}) })
			}
		}
	}
	for _, f := range []struct {
		name   string
		rounds *benchkit.Rounds
	}{{"refused sign-in", door}, {"first form of a registration", register}, {"first form of a reset", reset}, {"code of a reset", send}} {
		spread := func(kind string) string {
			return fmt.Sprintf("%s / %s / %s", benchkit.Round(f.rounds.Percentile(kind, 10)),
				benchkit.Round(f.rounds.Median(kind)), benchkit.Round(f.rounds.Percentile(kind, 90)))
		}
		benchkit.Report(b, benchkit.Figure{
			Name: f.name + ", known ID, p10/p50/p90", Ours: spread("known"), Peer: spread("unknown") + " unknown ID",
			Ratio: float64(f.rounds.Median("known")) / float64(f.rounds.Median("unknown")),
		})
		distance, chance := f.rounds.Distance("known", "unknown")
		benchkit.Report(b, benchkit.Figure{Name: f.name + ", distance of the two", Ours: fmt.Sprintf("%.2f", distance), Peer: fmt.Sprintf("%.2f by chance", chance)})
	}
}

package authzen

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/observe"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/program"
)

// The fixed people, as in the demonstration.
const (
	admin1    = "1990000000019"
	admin2    = "1990000000027"
	chief12   = "3990000000104" // นนทบุรี
	considers = "3990000000201" // นนทบุรี, level 1
	approves  = "3990000000210" // นนทบุรี, level 3
	without   = "3990000000228" // นนทบุรี, no right
	director  = "3990000000309" // กองบริหารจัดการกากอุตสาหกรรม
	inTeam    = "3990000000317" // there, level 1 in group G1
	inAll     = "3990000000325" // there, level 1 in the whole division
	stranger  = "3990000000503" // nobody has heard of him
)

// kit is a whole door over a fresh database, with people who hold their posts and rights by acts, and two programs:
// one that may ask about everything, and one that may ask who considers in นนทบุรี.
type kit struct {
	*storetest.Env
	door      *Door
	book      *grant.Book
	agencies  agency.Desk
	programs  *program.Desk
	decisions *program.Log
	metrics   *observe.Metrics
	roll      *person.Roll
	who       map[string]person.ID // by citizen ID
	rights    map[string]grant.Grant
	log       *lines

	url              string
	token, narrow    string
	wideID, narrowID string
}

func newKit(t testing.TB) *kit {
	t.Helper()
	return kitOn(t, storetest.SQLite(t))
}

// eachKit runs a test on both engines.
func eachKit(t *testing.T, test func(t *testing.T, k *kit)) {
	t.Helper()
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) { test(t, kitOn(t, env)) })
}

func kitOn(t testing.TB, env *storetest.Env) *kit {
	t.Helper()
	k := emptyKit(t, env)
	k.populate(t)
	return k
}

// emptyKit is a kit with the two administrators and nobody else.
func emptyKit(t testing.TB, env *storetest.Env) *kit {
	t.Helper()
	ring := must(seal.New())(t)
	k := &kit{Env: env, roll: person.NewRoll(ring), who: map[string]person.ID{}, rights: map[string]grant.Grant{}, log: &lines{}, metrics: observe.NewMetrics("test")}
	log := observe.NewLogger(k.log, "text", slog.LevelInfo)
	outbox := must(notify.NewOutbox(notify.Options{
		DB: env.DB, Ring: ring, Log: log,
		Senders: map[notify.Channel]notify.Sender{notify.Email: notify.Nowhere{}, notify.SMS: notify.Nowhere{}},
	}))(t)
	k.book = grant.NewBook(grant.Options{DB: env.DB, Clock: env.Clock, Roll: k.roll, Outbox: outbox, Link: func(path string) string { return path }, Log: log})
	k.agencies = agency.Desk{DB: env.DB, Administrator: func(ctx context.Context, tx *store.Tx, by string) error {
		return k.book.RequireAdministrator(ctx, tx, person.ID(by))
	}}
	k.write(t, func(tx *store.Tx) error { return agency.Load(t.Context(), tx) })
	check(t, k.book.Load(t.Context()))
	for _, citizen := range []string{admin1, admin2} {
		k.register(t, citizen, "ICT")
		check(t, k.book.InstallAdministrator(t.Context(), k.who[citizen]))
	}

	o := program.Options{DB: env.DB, Clock: env.Clock, Book: k.book, Log: log}
	k.programs, k.decisions = program.NewDesk(o), program.NewLog(o)
	check(t, k.programs.CatchUp(t.Context()))
	k.token, k.wideID = k.admit(t, "ระบบ กอ.1", program.Scope{AllUnits: true, AllActions: true})
	k.narrow, k.narrowID = k.admit(t, "ระบบจังหวัดนนทบุรี", program.Scope{Units: []string{"TH-12"}, Actions: []string{"consider"}})
	k.door = must(New(Options{
		Log: log, Metrics: k.metrics, Clock: env.Clock, Book: k.book, People: person.NewFinder(env.DB, k.roll),
		Programs: k.programs, Decisions: k.decisions, PublicURL: &url.URL{Scheme: "https", Host: "sitthi.example.go.th"},
	}))(t)
	served := httptest.NewServer(k.door.Handler())
	k.url = served.URL
	t.Cleanup(served.Close)
	return k
}

// admit lets a program ask, and answers its token and id.
func (k *kit) admit(t testing.TB, name string, scope program.Scope) (token, id string) {
	t.Helper()
	p, token, err := k.programs.Create(t.Context(), audit.Terminal, program.Order{Name: name, Scope: scope})
	check(t, err)
	return token, p.ID
}

// later moves the clock forward, and has the memory compared with the database.
func (k *kit) later(t testing.TB, d time.Duration) {
	t.Helper()
	k.Clock.Advance(d)
	check(t, k.book.CatchUp(t.Context()))
	check(t, k.programs.CatchUp(t.Context()))
}

// populate makes the fixed people; posts and rights come about by acts.
func (k *kit) populate(t testing.TB) {
	t.Helper()
	for citizen, unit := range map[string]string{
		chief12: "TH-12", considers: "TH-12", approves: "TH-12", without: "TH-12", director: "IWM", inTeam: "IWM", inAll: "IWM",
	} {
		k.register(t, citizen, unit)
	}
	for code, name := range map[string]string{"G1": "กลุ่มหนึ่ง", "G2": "กลุ่มสอง"} {
		must(k.agencies.AddTeam(t.Context(), string(k.who[admin1]), "IWM", code, locale.Name{TH: name}))(t)
	}
	for unit, head := range map[string]string{"TH-12": chief12, "IWM": director} {
		proposed := must(k.book.Propose(t.Context(), k.who[admin1], grant.AppointmentOrder{
			Unit: unit, Post: grant.Head, Person: k.who[head], Kind: grant.Regular, OrderNumber: "อก 0301/1",
		}))(t)
		must(k.book.ConfirmAppointment(t.Context(), k.who[admin2], proposed.ID))(t)
	}
	k.give(t, chief12, considers, grant.Order{Unit: "TH-12", Level: grant.Consider})
	k.give(t, chief12, approves, grant.Order{Unit: "TH-12", Level: grant.Approve})
	k.give(t, director, inTeam, grant.Order{Unit: "IWM", Team: "G1", Level: grant.Consider})
	k.give(t, director, inAll, grant.Order{Unit: "IWM", Level: grant.Consider})
}

// register makes the account of a citizen in a unit.
func (k *kit) register(t testing.TB, digits, unit string) {
	t.Helper()
	k.write(t, func(tx *store.Tx) error {
		who, err := k.roll.Mention(t.Context(), tx, citizen(t, digits))
		if err != nil {
			return err
		}
		k.who[digits] = who
		return officer.Create(t.Context(), tx, officer.Account{
			Person: who, GivenName: "สมชาย", FamilyName: "ใจดี", Position: "นักวิชาการอุตสาหกรรม", Unit: unit,
			Email: thai.Email("p" + digits[9:] + "@diw.example.go.th"), Phone: thai.Mobile("+66812" + digits[7:]),
			TermsVersion: officer.TermsVersion, EmailProvedAt: tx.Now, PhoneProvedAt: tx.Now,
		}, "no password")
	})
}

// give has a head give a right; identity is confirmed and the form is a new one.
func (k *kit) give(t testing.TB, by, to string, o grant.Order) grant.Grant {
	t.Helper()
	o.Person, o.Confirmed, o.Form = k.who[to], true, store.NewID()
	g := must(k.book.Give(t.Context(), k.who[by], o))(t)
	k.rights[to] = g
	return g
}

func citizen(t testing.TB, digits string) thai.CitizenID {
	t.Helper()
	return must(thai.ParseCitizenID(digits))(t)
}

func (k *kit) write(t testing.TB, f func(tx *store.Tx) error) {
	t.Helper()
	check(t, k.DB.Write(t.Context(), f))
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   string
	json   map[string]any // the body, when it is an object
}

// post sends a body as the program with the wide token; headers are given as name, value, name, value. A header that
// is given as "" is left out.
func (k *kit) post(t testing.TB, path, body string, headers ...string) reply {
	t.Helper()
	return k.send(t, http.MethodPost, path, body, headers...)
}

func (k *kit) send(t testing.TB, method, path, body string, headers ...string) reply {
	t.Helper()
	r := must(http.NewRequestWithContext(t.Context(), method, k.url+path, strings.NewReader(body)))(t)
	r.Header.Set("Authorization", "Bearer "+k.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	response := must(http.DefaultTransport.RoundTrip(r))(t)
	text := must(io.ReadAll(response.Body))(t)
	check(t, response.Body.Close())
	got := reply{status: response.StatusCode, header: response.Header, body: string(text)}
	if response.Header.Get("Content-Type") == "application/json" {
		check(t, json.Unmarshal(text, &got.json))
	}
	return got
}

// at answers what stands in the body under a path such as "context.reason" or "results.0.id"; nil for nothing.
func (r reply) at(path string) any {
	var here any = r.json
	for name := range strings.SplitSeq(path, ".") {
		switch v := here.(type) {
		case map[string]any:
			here = v[name]
		case []any:
			i := strings.Index("0123456789", name)
			if i < 0 || i >= len(v) {
				return nil
			}
			here = v[i]
		default:
			return nil
		}
	}
	return here
}

// count is how many elements the array under a path has; -1 when there is none.
func (r reply) count(path string) int {
	list, ok := r.at(path).([]any)
	if !ok {
		return -1
	}
	return len(list)
}

// ids lists the ids or names of the results of a search.
func (r reply) ids() (ids []string) {
	list, _ := r.at("results").([]any)
	for _, result := range list {
		entity, _ := result.(map[string]any)
		for _, key := range []string{"id", "name"} {
			if id, ok := entity[key].(string); ok {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// question writes an evaluation; extra is put behind it, such as `,"context":{}`.
func asks(subject, action, kind, resource string, extra ...string) string {
	quoted := func(s string) string {
		text, err := json.Marshal(s)
		if err != nil {
			panic(err)
		}
		return string(text)
	}
	return `{"subject":{"type":"officer","id":` + quoted(subject) + `},"action":{"name":` + quoted(action) +
		`},"resource":{"type":` + quoted(kind) + `,"id":` + quoted(resource) + `}` + strings.Join(extra, "") + `}`
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

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must(f())(t) is the value of f, or the end of the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		check(t, err)
		return v
	}
}

package authzen

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/benchkit"
	"sitthi/internal/observe"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/person"
	"sitthi/program"
)

// benchHall is the door of a made-up department beside a bare twin: an endpoint of net/http that reads the same JSON,
// looks the answer up in one plain map made from the tables, and writes the same JSON. Both are asked over loopback
// connections by the same client.
type benchHall struct {
	world     *benchkit.World
	citizens  map[person.ID]string
	rights    map[benchRight]benchHolding // of the present, spread over groups
	holders   map[benchPlace][]person.ID
	places    []benchPlace
	teams     map[string][]string
	decisions *program.Log

	client     *http.Client
	ours, bare string // addresses
	token      string
}

type benchPlace struct{ action, unit, team string }

type benchRight struct {
	citizen string
	benchPlace
}

type benchHolding struct {
	grant  string
	person person.ID
}

func openBenchHall(b *testing.B) *benchHall {
	b.Helper()
	env := storetest.SQLite(b)
	ring := must(seal.New())(b)
	roll := person.NewRoll(ring)
	h := &benchHall{
		world: benchkit.Fill(b, env.DB, roll, benchkit.Department, "no password"), citizens: map[person.ID]string{},
		rights: map[benchRight]benchHolding{}, holders: map[benchPlace][]person.ID{}, teams: map[string][]string{},
	}
	for n, who := range h.world.Officers {
		h.citizens[who] = benchkit.Citizen(b, n).Digits()
	}
	h.read(b, env.DB)

	log := slog.New(slog.DiscardHandler)
	metrics := observe.NewMetrics("bench")
	book := grant.NewBook(grant.Options{DB: env.DB, Clock: env.Clock, Roll: roll, Log: log})
	check(b, book.Load(b.Context()))
	o := program.Options{DB: env.DB, Clock: env.Clock, Book: book, Log: log}
	programs := program.NewDesk(o)
	h.decisions = program.NewLog(o)
	_, token, err := programs.Create(b.Context(), audit.Terminal, program.Order{Name: "bench", Scope: program.Scope{AllUnits: true, AllActions: true}})
	check(b, err)
	h.token = "Bearer " + token
	door := must(New(Options{
		Log: log, Metrics: metrics, Clock: env.Clock, Book: book, People: person.NewFinder(env.DB, roll), Programs: programs,
		Decisions: h.decisions, PublicURL: &url.URL{Scheme: "http", Host: "localhost"},
	}))(b)

	writing, stop := context.WithCancel(b.Context())
	written := make(chan error, 1)
	go func() { written <- h.decisions.Run(writing) }()
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+evaluationPath, h.bareEvaluation)
	mux.HandleFunc("POST "+evaluationsPath, h.bareEvaluations)
	mux.HandleFunc("POST "+subjectPath, h.bareSubjects)
	ours, bare := httptest.NewServer(door.Handler()), httptest.NewServer(mux)
	h.ours, h.bare = ours.URL, bare.URL
	h.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchClients, DialContext: new(net.Dialer).DialContext}}
	b.Cleanup(func() {
		h.client.CloseIdleConnections()
		ours.Close()
		bare.Close()
		stop()
		check(b, <-written)
	})
	return h
}

// read fills the plain maps from the tables, with a query of its own.
func (h *benchHall) read(b *testing.B, db *store.DB) {
	b.Helper()
	check(b, db.Read(b.Context(), func(tx *store.Tx) error {
		teams, err := tx.Query(b.Context(), `SELECT unit, code FROM teams ORDER BY unit, code`)
		if err != nil {
			return err
		}
		defer teams.Close()
		for teams.Next() {
			var unit, code string
			check(b, teams.Scan(&unit, &code))
			h.teams[unit] = append(h.teams[unit], code)
		}
		check(b, teams.Err())
		rows, err := tx.Query(b.Context(), `SELECT g.id, g.person_id, g.unit, g.team, g.level FROM grants g
			WHERE g.closed_at IS NULL AND g.awaits_second = FALSE AND g.starts_at <= $1 AND (g.ends_at IS NULL OR g.ends_at > $1)
			  AND EXISTS (SELECT 1 FROM confirmations c WHERE c.person_id = g.person_id AND c.unit = g.unit AND c.ended_at IS NULL)`, store.Us(tx.Now))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, unit, team string
			var who person.ID
			var level grant.Level
			check(b, rows.Scan(&id, &who, &unit, &team, &level))
			at := benchPlace{level.Row().Code, unit, team}
			h.put(who, at, id)
			if team == "" {
				for _, team := range h.teams[unit] {
					h.put(who, benchPlace{at.action, unit, team}, id)
				}
			}
		}
		return rows.Err()
	}))
	for at, list := range h.holders {
		slices.Sort(list)
		h.holders[at] = slices.Compact(list)
		h.places = append(h.places, at)
	}
	slices.SortFunc(h.places, func(a, b benchPlace) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

func (h *benchHall) put(who person.ID, at benchPlace, id string) {
	h.rights[benchRight{h.citizens[who], at}] = benchHolding{id, who}
	h.holders[at] = append(h.holders[at], who)
}

// The shapes of the bare twin, as one would write them.
type (
	bareThing struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	}
	bareQuestion struct {
		Subject bareThing `json:"subject"`
		Action  struct {
			Name string `json:"name"`
		} `json:"action"`
		Resource    bareThing      `json:"resource"`
		Evaluations []bareQuestion `json:"evaluations"`
	}
	bareDecision struct {
		Decision bool `json:"decision"`
		Context  struct {
			Reason string `json:"reason"`
			User   struct {
				TH string `json:"th"`
				EN string `json:"en"`
			} `json:"reason_user"`
			Grant  string    `json:"grant,omitempty"`
			Person person.ID `json:"person,omitempty"`
		} `json:"context"`
	}
	bareDecisions struct {
		Evaluations []bareDecision `json:"evaluations"`
	}
	bareFound struct {
		Page struct {
			Next  string `json:"next_token"`
			Count int    `json:"count"`
		} `json:"page"`
		Results []bareThing `json:"results"`
	}
)

func (q *bareQuestion) place() benchPlace {
	unit, team, _ := strings.Cut(q.Resource.ID, "/")
	return benchPlace{q.Action.Name, unit, team}
}

func (h *benchHall) look(q *bareQuestion) (d bareDecision) {
	held, ok := h.rights[benchRight{q.Subject.ID, q.place()}]
	r := reason(grant.NoRight)
	if ok {
		d.Decision, d.Context.Grant, d.Context.Person, r = true, held.grant, held.person, reason(grant.Permitted)
	}
	d.Context.Reason, d.Context.User.TH, d.Context.User.EN = string(r), words[r].TH, words[r].EN
	return d
}

func bareServe[Q, A any](w http.ResponseWriter, r *http.Request, answer func(*Q) A) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	var q Q
	if err := json.Unmarshal(body, &q); err != nil {
		panic(err)
	}
	out, err := json.Marshal(answer(&q))
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(out); err != nil {
		panic(err)
	}
}

func (h *benchHall) bareEvaluation(w http.ResponseWriter, r *http.Request) { bareServe(w, r, h.look) }

func (h *benchHall) bareEvaluations(w http.ResponseWriter, r *http.Request) {
	bareServe(w, r, func(q *bareQuestion) (all bareDecisions) {
		all.Evaluations = make([]bareDecision, len(q.Evaluations))
		for i := range q.Evaluations {
			all.Evaluations[i] = h.look(&q.Evaluations[i])
		}
		return all
	})
}

func (h *benchHall) bareSubjects(w http.ResponseWriter, r *http.Request) {
	bareServe(w, r, func(q *bareQuestion) (f bareFound) {
		list := h.holders[q.place()]
		f.Results = make([]bareThing, len(list))
		for i, who := range list {
			f.Results[i] = bareThing{officerType, string(who)}
		}
		f.Page.Count = len(list)
		return f
	})
}

// benchAsk is a request with the decisions, or for a search the ids, that a right answer holds in this order.
type benchAsk struct {
	path, body string
	decisions  []bool
	found      []person.ID
}

// right reports whether an answer is.
func (a *benchAsk) right(body []byte) bool {
	if a.decisions == nil {
		for _, who := range a.found {
			i := bytes.Index(body, []byte(who))
			if i < 0 {
				return false
			}
			body = body[i:]
		}
		return !bytes.Contains(body[1:], []byte(`"id"`))
	}
	for _, want := range a.decisions {
		const key = `"decision":`
		i := bytes.Index(body, []byte(key))
		if i < 0 || bytes.HasPrefix(body[i+len(key):], []byte("true")) != want {
			return false
		}
		body = body[i+len(key):]
	}
	return !bytes.Contains(body, []byte(`"decision":`))
}

// question makes a question of which about half are answered yes.
func (h *benchHall) question(random *rand.Rand) (subject, action, resource string, want bool) {
	at := h.places[random.IntN(len(h.places))]
	list := h.holders[at]
	who := list[random.IntN(len(list))]
	if random.IntN(2) == 0 {
		who = h.world.Officers[random.IntN(len(h.world.Officers))]
	}
	kind, id := unitType, at.unit
	if at.team != "" {
		kind, id = groupType, at.unit+"/"+at.team
	}
	_, want = h.rights[benchRight{h.citizens[who], at}]
	return fmt.Sprintf(`"subject":{"type":"officer","id":%q}`, h.citizens[who]), fmt.Sprintf(`"action":{"name":%q}`, at.action),
		fmt.Sprintf(`"resource":{"type":%q,"id":%q}`, kind, id), want
}

const (
	benchClients = 8
	benchAsks    = 4_000 // different requests of each kind
	benchBatch   = 50
	benchRounds  = 7 // at least
)

func (h *benchHall) singles() []benchAsk {
	random := rand.New(rand.NewPCG(2566, 11))
	list := make([]benchAsk, benchAsks)
	for i := range list {
		subject, action, resource, want := h.question(random)
		list[i] = benchAsk{path: evaluationPath, body: "{" + subject + "," + action + "," + resource + "}", decisions: []bool{want}}
	}
	return list
}

func (h *benchHall) batches() []benchAsk {
	random := rand.New(rand.NewPCG(2566, 12))
	list := make([]benchAsk, benchAsks/benchBatch)
	for i := range list {
		a := benchAsk{path: evaluationsPath}
		var items []string
		for range benchBatch {
			subject, action, resource, want := h.question(random)
			items, a.decisions = append(items, "{"+subject+","+action+","+resource+"}"), append(a.decisions, want)
		}
		a.body = `{"evaluations":[` + strings.Join(items, ",") + "]}"
		list[i] = a
	}
	return list
}

func (h *benchHall) searches() []benchAsk {
	var list []benchAsk
	for _, at := range h.places {
		kind, id := unitType, at.unit
		if at.team != "" {
			kind, id = groupType, at.unit+"/"+at.team
		}
		list = append(list, benchAsk{path: subjectPath, found: h.holders[at], body: fmt.Sprintf(
			`{"subject":{"type":"officer"},"action":{"name":%q},"resource":{"type":%q,"id":%q}}`, at.action, kind, id)})
	}
	return list
}

// run has all clients ask a share of the list, times over, and answers how long each request took.
func (h *benchHall) run(b *testing.B, base string, list []benchAsk) (each []time.Duration) {
	b.Helper()
	took := make([][]time.Duration, benchClients)
	faults := make(chan error, benchClients)
	var group sync.WaitGroup
	for c := range benchClients {
		group.Go(func() {
			buffer := new(bytes.Buffer)
			for i := c; i < len(list); i += benchClients {
				began := time.Now()
				if err := h.ask(b.Context(), base, &list[i], buffer); err != nil {
					faults <- err
					return
				}
				took[c] = append(took[c], time.Since(began))
			}
		})
	}
	group.Wait()
	select {
	case err := <-faults:
		b.Fatal(err)
	default:
	}
	return slices.Concat(took...)
}

func (h *benchHall) ask(ctx context.Context, base string, a *benchAsk, buffer *bytes.Buffer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+a.path, strings.NewReader(a.body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", h.token)
	r.Header.Set("Content-Type", "application/json")
	response, err := h.client.Do(r)
	if err != nil {
		return err
	}
	buffer.Reset()
	_, err = buffer.ReadFrom(response.Body)
	if closing := response.Body.Close(); err != nil || closing != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if response.StatusCode != http.StatusOK || !a.right(buffer.Bytes()) {
		return fmt.Errorf("wrong answer to %s: %d %s", a.body, response.StatusCode, buffer)
	}
	return nil
}

// settle waits until the decision log is written, so that nobody else is measured with it.
func (h *benchHall) settle() {
	for h.decisions.Waiting() > 0 {
		time.Sleep(20 * time.Millisecond)
	}
}

// BenchmarkHTTP holds the door, with token, decision log and metrics, against its bare twin. Every answer is compared
// with the plain map; one that is wrong ends the benchmark.
func BenchmarkHTTP(b *testing.B) {
	h := openBenchHall(b)
	kinds := []struct {
		name string
		list []benchAsk
		goal float64
	}{
		{"evaluation", h.singles(), 0.6},
		{"batch of 50", h.batches(), 0.5},
		{"subject search", h.searches(), 0.5},
	}
	// Both keep all processors busy, so what a request takes of them decides how many are answered in a second.
	rounds, tails := benchkit.NewRounds(b, benchkit.CPU), benchkit.NewRounds(b, benchkit.Wall)
	measure := func(name, base string, list []benchAsk) {
		h.settle()
		var each []time.Duration
		rounds.Time(name, 1, func() { each = h.run(b, base, list) })
		slices.Sort(each)
		tails.Add(name, each[len(each)*99/100])
	}
	for _, k := range kinds { // connections are open, and persons met
		h.run(b, h.ours, k.list)
		h.run(b, h.bare, k.list)
	}
	round := func() {
		for _, k := range kinds {
			measure("our "+k.name, h.ours, k.list)
			measure("bare "+k.name, h.bare, k.list)
		}
	}
	for b.Loop() {
		round()
	}
	for rounds.Count("our evaluation") < benchRounds { // a round takes about as long as all that is asked for
		round()
	}
	for _, k := range kinds {
		ours, bare := rounds.Median("our "+k.name), rounds.Median("bare "+k.name)
		each := func(took time.Duration) string { return benchkit.Round(took / time.Duration(len(k.list))) }
		ratio := float64(bare) / float64(ours)
		benchkit.Report(b, benchkit.Figure{
			Name: "AuthZEN over HTTP, " + k.name + ", CPU", Ours: each(ours), Peer: each(bare) + " bare net/http, one map, same JSON",
			Ratio: ratio, Goal: fmt.Sprintf("≥ %g of its rate", k.goal), Met: ratio >= k.goal,
		})
	}
	benchkit.Report(b, benchkit.AtMost("AuthZEN over HTTP, evaluation, p99", tails.Median("our evaluation"), tails.Median("bare evaluation"), "bare net/http", 2))
	written, dropped := h.decisions.Written(), h.decisions.Dropped()
	benchkit.Report(b, benchkit.Figure{Name: "the same, answers in the decision log", Ours: fmt.Sprint(written), Peer: fmt.Sprintf("%d dropped", dropped)})
}

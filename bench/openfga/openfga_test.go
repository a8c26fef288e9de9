// Package openfga holds the served program against a server of OpenFGA, each on its own database of the same kind.
package openfga

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	fga "github.com/openfga/api/proto/openfga/v1"
	"google.golang.org/protobuf/types/known/structpb"

	"sitthi/bench/world"
	"sitthi/internal/benchkit"
	"sitthi/internal/storetest"
)

const (
	interrupt = syscall.SIGTERM
	clients   = 8  // that ask at once
	batch     = 50 // questions in one request, the most that OpenFGA takes unless told otherwise
)

// programs is the folder with the built programs, named by `make bench-peers`.
const programs = "SITTHI_TEST_PEERS"

// BenchmarkOpenFGA asks both servers over loopback connections, in turns: one question a request, and fifty.
func BenchmarkOpenFGA(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		file := filepath.Join(b.TempDir(), "openfga.db")
		compare(b, "SQLite", "sqlite:"+filepath.Join(b.TempDir(), "sitthi.db"), "sqlite", "file:"+file, func() { analyse(b, "sqlite", file) })
	})
	b.Run("postgres", func(b *testing.B) {
		uri := storetest.Postgres(b)
		compare(b, "PostgreSQL", storetest.Postgres(b), "postgres", uri, func() { analyse(b, "pgx", uri) })
	})
}

// analyse gives the engine's planner what it has after a while in production.
func analyse(b *testing.B, driver, address string) {
	b.Helper()
	db, err := sql.Open(driver, address)
	world.OK(b, err)
	_, err = db.ExecContext(b.Context(), "ANALYZE")
	world.OK(b, err)
	world.OK(b, db.Close())
}

// contender answers questions from one to the other, exclusive.
type contender struct {
	name    string
	size    int // questions in one request
	asked   int // questions in a round
	ask     asking
	process *os.Process // that answers
}

// asking has questions answered by a request.
type asking func(ctx context.Context, list []world.Question) ([]bool, error)

func compare(b *testing.B, title, database, engine, uri string, analysed func()) {
	folder := os.Getenv(programs)
	if folder == "" {
		b.Fatal("the programs are not built: use make bench-peers")
	}
	w, ours := serveSitthi(b, filepath.Join(folder, "sitthi"), database)
	theirs := servePeer(b, filepath.Join(folder, "openfga"), w, engine, uri, analysed)
	bare := serveBare(b, w)
	ours.open(b)
	bare.open(b)
	theirs.open(b)
	list := w.Questions()
	contenders := []contender{
		{"sitthi", 1, 2048, ours.one, ours.process},
		{"bare", 1, 2048, bare.one, bare.process},
		{"openfga", 1, 512, theirs.check(b, theirs.dated), theirs.process},
		{"openfga undated", 1, 512, theirs.check(b, theirs.undated), theirs.process},
		{"openfga undated http", 1, 512, theirs.checkHTTP, theirs.process},
		{"sitthi batch", batch, 4000, ours.many, ours.process},
		{"bare batch", batch, 4000, bare.many, bare.process},
		{"openfga batch", batch, 1000, theirs.batchCheck(b, theirs.dated), theirs.process},
		{"openfga undated batch", batch, 1000, theirs.batchCheck(b, theirs.undated), theirs.process},
	}
	for _, c := range contenders {
		answers := c.all(b, list)
		w.Check(b, c.name, list, func(i int) bool { return answers[i] })
	}
	rounds, work := benchkit.NewRounds(b, benchkit.Wall), benchkit.NewRounds(b, benchkit.Wall)
	for b.Loop() {
		for _, c := range contenders {
			before, worked := benchkit.Wall(b), spent(b, c.process)
			c.all(b, list[:c.asked])
			requests := time.Duration(c.asked / c.size)
			rounds.Add(c.name, (benchkit.Wall(b)-before)/requests)
			work.Add(c.name, (spent(b, c.process)-worked)/requests)
		}
	}
	report := func(r *benchkit.Rounds, what, mine, peer, how string, times float64) {
		f := benchkit.AtLeast(what+", "+title, r.Median(mine), r.Median(peer), how, times)
		if times == 0 {
			f.Goal = ""
		}
		benchkit.Report(b, f)
	}
	const one, fifty = "one decision over HTTP, 8 clients", "fifty decisions over HTTP, 8 clients"
	report(rounds, one, "sitthi", "openfga", "OpenFGA Check, dates as conditions", 10)
	report(rounds, one, "sitthi", "openfga undated", "OpenFGA Check, without dates", 0)
	report(rounds, one, "sitthi", "openfga undated http", "the same over HTTP", 0)
	report(rounds, one+": the limit", "bare", "openfga", "OpenFGA Check, dates as conditions", 0)
	report(work, "of it CPU of the server's process", "sitthi", "openfga", "OpenFGA", 0)
	report(rounds, fifty, "sitthi batch", "openfga batch", "OpenFGA BatchCheck, dates as conditions", 40)
	report(rounds, fifty, "sitthi batch", "openfga undated batch", "OpenFGA BatchCheck, without dates", 0)
	report(rounds, fifty+": the limit", "bare batch", "openfga batch", "OpenFGA BatchCheck, dates as conditions", 0)
	report(work, "of it CPU of the server's process, batch", "sitthi batch", "openfga batch", "OpenFGA", 0)
}

// spent is the processor time of a process so far, to a hundredth of a second. What a database of its own does for it is not
// in it.
func spent(b *testing.B, p *os.Process) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid))
	world.OK(b, err)
	_, after, _ := strings.Cut(string(text), ") ") // the name of the program stands in brackets
	fields := strings.Fields(after)
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime, proc(5)
		n, err := strconv.ParseInt(field, 10, 64)
		world.OK(b, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// all asks everything, from several clients at once.
func (c contender) all(b *testing.B, list []world.Question) []bool {
	b.Helper()
	answers := make([]bool, len(list))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range clients {
		wait.Go(func() {
			for {
				from := int(next.Add(int64(c.size))) - c.size
				if from >= len(list) {
					return
				}
				part, err := c.ask(b.Context(), list[from:min(from+c.size, len(list))])
				if err != nil {
					b.Error(err)
					return
				}
				copy(answers[from:], part)
			}
		})
	}
	wait.Wait()
	if b.Failed() {
		b.FailNow()
	}
	return answers
}

// lane is one connection to a server, kept open. It does without what http.Client adds for callers in need of more, which
// would cost the machine as much as the answer does.
type lane struct {
	net.Conn
	in *bufio.Reader
}

// lanes are the connections to a server of HTTP that nobody asks through at the moment.
type lanes struct {
	host  string
	token string
	idle  chan lane
}

// open makes the connections. Servers close those on which nothing comes, so it is done last.
func (l *lanes) open(b *testing.B) {
	b.Helper()
	l.idle = make(chan lane, clients)
	for range clients {
		conn, err := net.Dial("tcp", l.host)
		world.OK(b, err)
		b.Cleanup(func() { world.OK(b, conn.Close()) })
		l.idle <- lane{conn, bufio.NewReader(conn)}
	}
}

// post sends JSON and reads the answer.
func (l lanes) post(path string, body []byte, into any) error {
	to := <-l.idle
	defer func() { l.idle <- to }()
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", path, l.host, len(body))
	if l.token != "" {
		request = fmt.Appendf(request, "Authorization: Bearer %s\r\n", l.token)
	}
	if _, err := to.Write(append(append(request, "\r\n"...), body...)); err != nil {
		return err
	}
	answer, err := http.ReadResponse(to.in, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", path, answer.Status, text)
	}
	return json.Unmarshal(text, into)
}

// evaluation is a question as AuthZEN asks it.
func evaluation(body []byte, q world.Question) []byte {
	kind, id := "unit", q.At.Unit
	if q.At.Team != "" {
		kind, id = "group", q.At.Unit+"/"+q.At.Team
	}
	return fmt.Appendf(body, `{"subject":{"type":"officer","id":%q},"action":{"name":%q},"resource":{"type":%q,"id":%q}}`, q.Who, q.Does, kind, id)
}

type decision struct {
	Decision bool `json:"decision"`
}

func (s sitthi) one(_ context.Context, list []world.Question) ([]bool, error) {
	var d decision
	err := s.post("/access/v1/evaluation", evaluation(nil, list[0]), &d)
	return []bool{d.Decision}, err
}

func (s sitthi) many(_ context.Context, list []world.Question) ([]bool, error) {
	body := []byte(`{"evaluations":[`)
	for i, q := range list {
		if i > 0 {
			body = append(body, ',')
		}
		body = evaluation(body, q)
	}
	var answer struct {
		Evaluations []decision `json:"evaluations"`
	}
	if err := s.post("/access/v1/evaluations", append(body, "]}"...), &answer); err != nil {
		return nil, err
	}
	yes := make([]bool, 0, len(list))
	for _, d := range answer.Evaluations {
		yes = append(yes, d.Decision)
	}
	return yes, nil
}

func tuple(q world.Question) *fga.CheckRequestTupleKey {
	return &fga.CheckRequestTupleKey{User: "officer:" + string(q.Who), Relation: q.Does, Object: object(q.At)}
}

func (p peer) check(b *testing.B, d department) asking {
	now := d.now(b)
	return func(ctx context.Context, list []world.Question) ([]bool, error) {
		answer, err := p.Check(ctx, &fga.CheckRequest{StoreId: d.store, AuthorizationModelId: d.model, TupleKey: tuple(list[0]), Context: now})
		return []bool{answer.GetAllowed()}, err
	}
}

// now tells the moment of a question to a model that has dates.
func (d department) now(b *testing.B) *structpb.Struct {
	b.Helper()
	if !d.dates {
		return nil
	}
	return moments(b, "now", time.Now())
}

func (p peer) checkHTTP(_ context.Context, list []world.Question) ([]bool, error) {
	t := tuple(list[0])
	var answer struct {
		Allowed bool `json:"allowed"`
	}
	d := p.undated
	err := p.post("/stores/"+d.store+"/check", fmt.Appendf(nil, `{"authorization_model_id":%q,"tuple_key":{"user":%q,"relation":%q,"object":%q}}`,
		d.model, t.User, t.Relation, t.Object), &answer)
	return []bool{answer.Allowed}, err
}

func (p peer) batchCheck(b *testing.B, d department) asking {
	now := d.now(b)
	return func(ctx context.Context, list []world.Question) ([]bool, error) {
		request := &fga.BatchCheckRequest{StoreId: d.store, AuthorizationModelId: d.model}
		for i, q := range list {
			request.Checks = append(request.Checks, &fga.BatchCheckItem{TupleKey: tuple(q), CorrelationId: strconv.Itoa(i), Context: now})
		}
		answer, err := p.BatchCheck(ctx, request)
		if err != nil {
			return nil, err
		}
		yes := make([]bool, len(list))
		for i := range list {
			one := answer.GetResult()[strconv.Itoa(i)]
			if one.GetError() != nil {
				return nil, fmt.Errorf("check %d of a batch: %s", i, one.GetError().GetMessage())
			}
			yes[i] = one.GetAllowed()
		}
		return yes, nil
	}
}

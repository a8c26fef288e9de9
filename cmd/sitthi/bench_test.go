package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/benchkit"
	"sitthi/internal/clock"
	"sitthi/internal/config"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/notify"
	"sitthi/signin"
)

// benchHouse is the program, but for its door, on a database of its own.
type benchHouse struct {
	*house
	database config.Database
	world    *benchkit.World
}

const benchPassword = "Sitthi-2566-demo"

func openBenchHouse(b *testing.B, address string, size benchkit.Size) *benchHouse {
	b.Helper()
	h := &benchHouse{database: config.Database{URL: address, Keys: filepath.Join(b.TempDir(), "keys.json")}}
	v, err := openNew(b.Context(), &h.database, config.Secrets{}, clock.System{})
	benchOK(b, err)
	benchOK(b, dedicate(b.Context(), v.db, purposeReal))
	senders := map[notify.Channel]notify.Sender{notify.Email: notify.Nowhere{}, notify.SMS: notify.Nowhere{}}
	h.house, err = build(v, &config.Serve{SignInPerMinute: 1_000_000}, config.Secrets{}, senders, clock.System{}, slog.New(slog.DiscardHandler), &url.URL{Scheme: "http", Host: "localhost"})
	benchOK(b, err)
	if size.Officers > 0 {
		hash, err := h.passwords.Hash(b.Context(), benchPassword)
		benchOK(b, err)
		h.world = benchkit.Fill(b, h.db, h.roll, size, hash)
	}
	benchOK(b, h.book.Load(b.Context()))
	return h
}

func (h *benchHouse) close(b *testing.B) {
	b.Helper()
	benchOK(b, h.db.Close())
}

func benchOK(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// ready starts the built program on a database and answers how long it took until /readyz said so, and the processor
// time that the program used from its start to its end, which other programs on the machine disturb least.
func (h *benchHouse) ready(b *testing.B, binary string) (took, cpu time.Duration) {
	b.Helper()
	program := exec.CommandContext(b.Context(), binary, "serve", "--listen", "127.0.0.1:0", "--metrics", "off", "--log-level", "error",
		"--database", h.database.URL, "--keys", h.database.Keys)
	out, err := program.StdoutPipe()
	benchOK(b, err)
	began := benchkit.Wall(b)
	benchOK(b, program.Start())
	address := ""
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		if after, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			address = after
		}
	}
	for took == 0 {
		answer, err := http.Get(address + "/readyz")
		benchOK(b, err)
		if answer.StatusCode == http.StatusOK {
			took = benchkit.Wall(b) - began
		}
		benchOK(b, answer.Body.Close())
	}
	benchOK(b, program.Process.Signal(syscall.SIGTERM))
	benchOK(b, program.Wait())
	return took, program.ProcessState.UserTime() + program.ProcessState.SystemTime()
}

// BenchmarkRestart holds a start on 100,000 grants against one on an empty database: the whole program, from its start
// to the first "ready".
func BenchmarkRestart(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "sitthi")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	rounds, used := benchkit.NewRounds(b, benchkit.Wall), benchkit.NewRounds(b, benchkit.CPU)
	full := openBenchHouse(b, "sqlite:"+filepath.Join(b.TempDir(), "full.db"), benchkit.Department)
	full.close(b)
	empty := openBenchHouse(b, "sqlite:"+filepath.Join(b.TempDir(), "empty.db"), benchkit.Size{})
	empty.close(b)
	for b.Loop() {
		for range 5 {
			for name, h := range map[string]*benchHouse{"full": full, "empty": empty} {
				took, cpu := h.ready(b, binary)
				rounds.Add(name, took)
				used.Add(name, cpu)
			}
		}
	}
	above := rounds.Median("full") - rounds.Median("empty")
	benchkit.Report(b, benchkit.Figure{
		Name: "restart to ready with 100,000 grants", Ours: benchkit.Round(rounds.Median("full")), Peer: benchkit.Round(rounds.Median("empty")) + " empty",
		Ratio: float64(rounds.Median("full")) / float64(rounds.Median("empty")), Goal: "≤ 1s above", Met: above <= time.Second,
	})
	benchkit.Report(b, benchkit.Figure{
		Name: "the same, CPU from start to stop", Ours: benchkit.Round(used.Median("full")), Peer: benchkit.Round(used.Median("empty")) + " empty",
	})
}

// BenchmarkActs reports how many grants sixteen heads can give at once, each act with its rule, its log, its message
// and the memory brought up to date; beside it, how many bare rows sixteen writers can commit in the same way.
func BenchmarkActs(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchActs(b, "sqlite:"+filepath.Join(b.TempDir(), "acts.db")) })
	b.Run("postgres", func(b *testing.B) { benchActs(b, storetest.Postgres(b)) })
}

func benchActs(b *testing.B, address string) {
	const writers, each = 16, 20
	h := openBenchHouse(b, address, benchkit.Size{Officers: 3_000, Grants: 1})
	defer h.close(b)
	together := func(f func(writer, n int) error) func() {
		return func() {
			var all sync.WaitGroup
			for writer := range writers {
				all.Go(func() {
					for n := range each {
						if err := f(writer, n); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
		}
	}
	turn := h.db.InTurn()
	round := 0
	rounds := benchkit.NewRounds(b, benchkit.Wall)
	for b.Loop() {
		first := len(h.world.Units) + round*each // the officers before are the heads
		round++
		if first+each > len(h.world.Officers) {
			b.Fatal("too few officers for so many rounds")
		}
		rounds.Time("give", 1, together(func(writer, n int) error {
			unit := h.world.Units[writer]
			_, err := h.book.Give(b.Context(), h.world.Heads[unit], grant.Order{
				Unit: unit, Level: grant.Consider, Citizen: benchkit.Citizen(b, first+n), Confirmed: true, OtherOffice: true,
			})
			return err
		}))
		rounds.Time("bare", 1, together(func(int, int) error {
			return turn.Write(b.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(b.Context(), `INSERT INTO installation (name, value) VALUES ($1, '')`, store.NewID())
				return err
			})
		}))
	}
	rate := func(what string) string {
		return fmt.Sprintf("%.0f/s", writers*each/rounds.Median(what).Seconds())
	}
	benchkit.Report(b, benchkit.Figure{
		Name: fmt.Sprintf("acts by 16 writers, %s", h.db.Engine()), Ours: rate("give"), Peer: rate("bare") + " commits of one row",
		Ratio: float64(rounds.Median("give")) / float64(rounds.Median("bare")),
	})
}

// BenchmarkSignIns reports 64 sign-ins at the same moment beside 64 bare hashes, as many at once as there are
// processors: time, memory, and how many were told to come again.
func BenchmarkSignIns(b *testing.B) {
	const people = 64
	h := openBenchHouse(b, "sqlite:"+filepath.Join(b.TempDir(), "signin.db"), benchkit.Size{Officers: 4_000, Grants: 1})
	defer h.close(b)
	together := func(f func(n int)) {
		var all sync.WaitGroup
		for n := range people {
			all.Go(func() { f(n) })
		}
		all.Wait()
	}
	rounds := benchkit.NewRounds(b, benchkit.Wall)
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var above uint64
	var away atomic.Int64
	next := 0
	all := func() {
		first := next
		next += people // an account takes five tries a minute from strange browsers
		together(func(n int) {
			for {
				_, err := h.signin.SignIn(b.Context(), signin.In{
					CitizenID: benchkit.Citizen(b, first+n).Digits(), Password: benchPassword, Address: fmt.Sprintf("198.51.100.%d", n), Agent: "bench",
				})
				if !errors.Is(err, problem.Busy) {
					if err != nil {
						b.Error(err)
					}
					return
				}
				away.Add(1)
				time.Sleep(50 * time.Millisecond)
			}
		})
	}
	all() // the first of all prepares its statements
	away.Store(0)
	for b.Loop() {
		for range 15 { // the machine is never still: the ratio in the middle of so many stays the same
			runtime.GC()
			peak := watchHeap()
			rounds.Time("signin", 1, all)
			idle, most := peak()
			above = max(above, most-idle)
			rounds.Time("hash", 1, func() {
				together(func(int) {
					slots <- struct{}{}
					defer func() { <-slots }()
					if _, err := h.passwords.Hash(b.Context(), benchPassword); err != nil {
						b.Error(err)
					}
				})
			})
		}
	}
	rate := func(what string) string {
		return fmt.Sprintf("%.1f/s", people/rounds.Median(what).Seconds())
	}
	share := rounds.Ratio("hash", "signin")
	benchkit.Report(b, benchkit.Figure{
		Name: "64 sign-ins at once", Ours: rate("signin"), Peer: rate("hash") + " bare hashes", Ratio: share, Goal: "≥ 0.9", Met: share >= 0.9,
	})
	benchkit.Report(b, benchkit.Figure{
		Name: "— heap above idle at most, tries sent away in a round", Ours: fmt.Sprintf("%d MB, %d", above/1_000_000, away.Load()/int64(rounds.Count("signin"))),
		Goal: "< 150 MB", Met: above < 150_000_000,
	})
}

// restoreSize is how large the database of BenchmarkRestore is at least.
const restoreSize = 256 << 20

// BenchmarkRestore is the figure of P7: how long a restore takes for each GB of the database, with everything it checks.
// Beside it stands to lay the same bytes open and to write them to the disk safely, which any restore has to.
func BenchmarkRestore(b *testing.B) {
	folder := b.TempDir()
	path := filepath.Join(folder, "sitthi.db")
	h := openBenchHouse(b, "sqlite:"+path, benchkit.Department)
	for { // beside the rights a log of acts as long as it takes
		benchOK(b, h.db.Write(b.Context(), func(tx *store.Tx) error {
			for n := range 5_000 {
				act := audit.Act{Name: "grant.give", Actor: store.NewID(), Subject: store.NewID(), Object: store.NewID(), Unit: "TH-12",
					Detail: map[string]string{"level": "1", "from": "2026-11-23", "number": fmt.Sprint(n)}, Texts: map[string]string{"note": "ตามคำสั่งมอบหมายงาน"}}
				if err := audit.Record(b.Context(), tx, act); err != nil {
					return err
				}
			}
			return nil
		}))
		for placed := 1; placed > 0; {
			var err error
			placed, err = h.sealer.Seal(b.Context())
			benchOK(b, err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() >= restoreSize {
			benchOK(b, err)
			break
		}
	}
	h.close(b)
	identity, err := age.GenerateX25519Identity()
	benchOK(b, err)
	lock, backup, plain := filepath.Join(folder, "identity"), filepath.Join(folder, "backup.age"), filepath.Join(folder, "plain")
	benchOK(b, os.WriteFile(lock, []byte(identity.String()), 0o600))
	at := []string{"--keys", h.database.Keys}
	benchOK(b, run(b.Context(), append([]string{"backup", "--to", backup, "--backup-recipient", identity.Recipient().String(), "--database", "sqlite:" + path}, at...), nil, io.Discard, io.Discard))
	rounds := benchkit.NewRounds(b, benchkit.Wall)
	var size int64
	for b.Loop() {
		restored := filepath.Join(folder, "restored.db")
		rounds.Time("restore", 1, func() {
			benchOK(b, run(b.Context(), append([]string{"restore", "--from", backup, "--backup-identity-file", lock, "--database", "sqlite:" + restored}, at...), nil, io.Discard, io.Discard))
		})
		info, err := os.Stat(restored)
		benchOK(b, err)
		size = info.Size()
		rounds.Time("bare", 1, func() { benchOK(b, decrypt(b.Context(), backup, plain, []age.Identity{identity})) })
		benchOK(b, errors.Join(os.Remove(restored), os.Remove(plain)))
	}
	perGB := func(what string) time.Duration {
		return time.Duration(float64(rounds.Median(what)) * (1 << 30) / float64(size))
	}
	benchkit.Report(b, benchkit.Figure{
		Name: fmt.Sprintf("restore and check a backup, per GB (of %d MiB)", size>>20), Ours: benchkit.Round(perGB("restore")), Peer: benchkit.Round(perGB("bare")) + " to decrypt and write",
		Ratio: float64(rounds.Median("restore")) / float64(rounds.Median("bare")), Goal: "≤ 5m0s", Met: perGB("restore") <= 5*time.Minute,
	})
}

// watchHeap looks at the heap until the function it answers is called, which tells the first and the most it has seen.
func watchHeap() (peak func() (first, most uint64)) {
	ctx, cancel := context.WithCancel(context.Background())
	seen := make(chan uint64)
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	first := sample[0].Value.Uint64()
	go func() {
		most := first
		for ctx.Err() == nil {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			time.Sleep(time.Millisecond)
		}
		seen <- most
	}()
	return func() (uint64, uint64) {
		cancel()
		return first, <-seen
	}
}

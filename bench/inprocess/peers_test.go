// Package inprocess holds Sitthi against libraries that decide, in one process.
package inprocess

import (
	"log/slog"
	"testing"
	"time"

	"github.com/cedar-policy/cedar-go"

	"sitthi/bench/world"
	"sitthi/grant"
	"sitthi/internal/benchkit"
	"sitthi/internal/clock"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/person"
)

// open makes the department and Sitthi's memory of it.
func open(b *testing.B) (*world.World, *grant.Book) {
	b.Helper()
	db, err := store.Open(b.Context(), store.Options{URL: storetest.SQLite(b).URL, Clock: clock.System{}})
	world.OK(b, err)
	b.Cleanup(func() { world.OK(b, db.Close()) })
	ring, err := seal.New()
	world.OK(b, err)
	roll := person.NewRoll(ring)
	w := world.New(b, db, roll)
	book := grant.NewBook(grant.Options{DB: db, Clock: clock.System{}, Roll: roll, Log: slog.New(slog.DiscardHandler)})
	world.OK(b, book.Load(b.Context()))
	return w, book
}

// BenchmarkPeers asks Sitthi, casbin and cedar-go in one process, in turns.
func BenchmarkPeers(b *testing.B) {
	w, book := open(b)
	list := w.Questions()
	enforcer := newCasbin(b, w)
	policies, entities := newCedar(b, w)
	type ours struct {
		world.Question
		do grant.Action
	}
	asked, boxes, requests := make([]ours, len(list)), make([][]any, len(list)), make([]cedar.Request, len(list))
	for i, q := range list {
		row, _ := grant.LevelOf(q.Does)
		asked[i], boxes[i], requests[i] = ours{q, row.Level.Do()}, casbinQuestion(q), cedarQuestion(q)
	}
	contenders := []struct {
		name   string
		passes int // through all questions in a round
		answer func(i int) bool
	}{
		{"sitthi", 20, func(i int) bool { return book.Allows(asked[i].Who, asked[i].do, asked[i].At) }},
		{"casbin", 1, func(i int) bool {
			yes, err := enforcer.Enforcer.Enforce(boxes[i]...)
			world.OK(b, err)
			return yes
		}},
		{"casbin, cached", 10, func(i int) bool {
			yes, err := enforcer.Enforce(boxes[i]...)
			world.OK(b, err)
			return yes
		}},
		{"cedar-go", 1, func(i int) bool {
			decision, _ := cedar.Authorize(policies, entities, requests[i])
			return decision == cedar.Allow
		}},
	}
	for _, c := range contenders {
		w.Check(b, c.name, list, c.answer) // and fills casbin's caches
	}
	rounds := benchkit.NewRounds(b, benchkit.CPU)
	for b.Loop() {
		for _, c := range contenders {
			rounds.Time(c.name, c.passes, func() {
				for i := range list {
					if c.answer(i) {
						sink++
					}
				}
			})
		}
	}
	median := func(name string) time.Duration { return rounds.Median(name) / time.Duration(len(list)) }
	sitthi := median("sitthi")
	benchkit.Report(b, benchkit.AtLeast("decision in process, CPU", sitthi, median("casbin"), "casbin v3, RBAC with domains", 25))
	benchkit.Report(b, benchkit.AtLeast("decision in process, CPU", sitthi, median("cedar-go"), "cedar-go", 10))
	cached := benchkit.AtLeast("decision in process, CPU", sitthi, median("casbin, cached"), "casbin v3, every answer cached", 0)
	cached.Goal = ""
	benchkit.Report(b, cached)
}

// sink keeps answers from being thought away.
var sink int

package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// TestKillLosesNothing is guarantee P1. Chiefs give and end rights in several browsers at once until the program is
// killed (kill -9) at a random moment; after each restart every act that was answered is there, and no act is there
// by half: right, entry of the log, confirmation of the person, message to him and version of the rights.
func TestKillLosesNothing(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		folder, args := demonstration(t)
		killRounds(t, 4, "sqlite:"+folder+"/sitthi.db", args)
	})
	t.Run("postgres", func(t *testing.T) {
		address := storetest.Postgres(t)
		killRounds(t, 3, address, []string{"--database", address, "--keys", t.TempDir() + "/keys.json"})
	})
}

// writer is a chief in a browser of his own, who remembers what he was answered.
type writer struct {
	*caller
	unit   string
	people []string // officers of his unit whom he may give a right to

	given, ended []string // rights, as far as the program said that it was done
	unsure       string   // the right whose end was not answered
	asked        int      // acts sent
}

// strangers counts the citizen IDs that were used, so that each is new.
var strangers atomic.Int64

// act gives or ends one right; false when there is nobody any more to answer.
func (w *writer) act(t *testing.T) bool {
	w.asked++
	if open := len(w.given) - len(w.ended); open > 0 && w.asked%4 == 0 {
		return w.end(t)
	}
	form := []string{"unit", w.unit, "form", fmt.Sprintf("p1-%s-%d", store.NewID(), w.asked), "note", "ทดสอบ"}
	if w.asked%2 == 0 && len(w.people) > 0 {
		form = append(form, "person", w.people[0], "confirmed", "1")
		w.people = w.people[1:]
	} else {
		form = append(form, "citizen", stranger(int(strangers.Add(1))))
	}
	r, err := w.post("/ko1/rights/consider", form...)
	if err != nil {
		return false
	}
	if r.status == http.StatusTooManyRequests { // more citizen IDs than a head may look up: answered as not saved
		return len(w.given) == len(w.ended) || w.end(t)
	}
	if r.status != http.StatusSeeOther || r.grantOf() == "" {
		t.Errorf("give: %d %s\n%s", r.status, r.location, r.body)
		return false
	}
	w.given = append(w.given, r.grantOf())
	return true
}

// end ends the oldest right that was given; false when there is nobody any more to answer.
func (w *writer) end(t *testing.T) bool {
	id := w.given[len(w.ended)]
	r, err := w.post("/ko1/grants/"+id+"/end", "reason", "ย้ายหน่วยงาน", "leaves_none", "1")
	if err != nil {
		w.unsure = id
		return false
	}
	if r.status != http.StatusSeeOther && (r.status != http.StatusConflict || w.unsure != id) {
		t.Errorf("end: %d\n%s", r.status, r.body)
		return false
	}
	w.ended = append(w.ended, id)
	return true
}

func killRounds(t *testing.T, rounds int, address string, args []string) {
	p := serving(t, append([]string{"--demo"}, args...)...)
	var writers []*writer
	for _, chief := range []struct{ citizen, unit string }{
		{"3990000000104", "TH-12"}, {"3990000000104", "TH-12"}, {"3990000000112", "TH-13"}, {"3990000000112", "TH-13"},
	} {
		w := &writer{caller: signedIn(t, p.address, chief.citizen, demoPassword), unit: chief.unit}
		idle := column(t, address, `SELECT a.person_id FROM accounts a WHERE a.unit = $1 AND a.state = 'active'
			AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.person_id = a.person_id)
			AND NOT EXISTS (SELECT 1 FROM appointments p WHERE p.person_id = a.person_id) ORDER BY a.person_id`, chief.unit)
		for i, who := range idle {
			if i%2 == len(writers)%2 {
				w.people = append(w.people, who)
			}
		}
		writers = append(writers, w)
	}
	for round := range rounds {
		var working sync.WaitGroup
		var answered atomic.Int64
		for _, w := range writers {
			w.caller = w.at(p.address)
			working.Go(func() {
				for w.act(t) {
					answered.Add(1)
				}
			})
		}
		until(t, "acts are answered", 30*time.Second, func() bool { return answered.Load() >= 8 || t.Failed() })
		<-time.After(rand.N(500 * time.Millisecond))
		p.kill(t)
		working.Wait()
		p = serving(t, append([]string{"--demo"}, args...)...)
		given, ended := 0, 0
		for _, w := range writers {
			given, ended = given+len(w.given), ended+len(w.ended)
		}
		// Each writer may have had one act under way whose answer was lost.
		compare(t, address, writers, (round+1)*len(writers))
		t.Logf("round %d: %d rights given and %d ended so far, nothing lost", round+1, given, ended)
	}
	until(t, "the log is sealed", 20*time.Second, func() bool { return p.figure(t, "sitthi_audit_unsealed") == 0 })
	whole(t, args...)
	p.kill(t)
	whole(t, args...)
}

// compare holds what the writers were answered against the database. At most so many acts may be there that nobody
// was answered.
func compare(t *testing.T, address string, writers []*writer, unanswered int) {
	t.Helper()
	type right struct {
		id, person     string
		closed, filled bool // filled: its holder has an account
	}
	rights, all := map[string]right{}, map[string]bool{}
	entries := map[string][]string{} // of an act, the ids of the rights or persons
	told := map[string]int{}         // purpose and person
	confirmed := map[string]bool{}
	moves := map[string]int{}
	look(t, address, func(ctx context.Context, tx *store.Tx) error {
		list, err := store.Rows(func(row store.Row) (r right, err error) {
			return r, row.Scan(&r.id, &r.person, &r.closed, &r.filled)
		})(tx.Query(ctx, `SELECT g.id, g.person_id, g.closed_at IS NOT NULL, EXISTS (SELECT 1 FROM accounts a WHERE a.person_id = g.person_id)
			FROM grants g WHERE g.form LIKE 'p1-%'`))
		if err != nil {
			return err
		}
		for _, r := range list {
			rights[r.id] = r
		}
		ids, err := store.Rows(func(row store.Row) (id string, err error) { return id, row.Scan(&id) })(tx.Query(ctx, `SELECT id FROM grants`))
		if err != nil {
			return err
		}
		for _, id := range ids {
			all[id] = true
		}
		pairs := store.Rows(func(row store.Row) (p [2]string, err error) { return p, row.Scan(&p[0], &p[1]) })
		found, err := pairs(tx.Query(ctx, `SELECT act, CASE act WHEN 'grant.confirm' THEN subject ELSE object END FROM audit_entries
			WHERE act IN ('grant.give', 'grant.revoke', 'grant.confirm') AND outcome = 'done'`))
		if err != nil {
			return err
		}
		for _, e := range found {
			entries[e[0]] = append(entries[e[0]], e[1])
		}
		if found, err = pairs(tx.Query(ctx, `SELECT purpose, person_id FROM messages`)); err != nil {
			return err
		}
		for _, m := range found {
			told[m[0]+" "+m[1]]++
		}
		if found, err = pairs(tx.Query(ctx, `SELECT person_id, unit FROM confirmations WHERE ended_at IS NULL`)); err != nil {
			return err
		}
		for _, c := range found {
			confirmed[c[0]] = true
		}
		if found, err = pairs(tx.Query(ctx, `SELECT person_id, '' FROM rights_changes`)); err != nil {
			return err
		}
		for _, m := range found {
			moves[m[0]]++
		}
		var last, counter int64
		if err := tx.QueryRow(ctx, `SELECT (SELECT max(version) FROM rights_changes), (SELECT value FROM counters WHERE name = 'rights')`).Scan(&last, &counter); err != nil {
			return err
		}
		if last != counter {
			t.Errorf("the rights are at version %d and the last change is %d", counter, last)
		}
		return nil
	})
	var given, ended []string
	for _, w := range writers {
		given, ended = append(given, w.given...), append(ended, w.ended...)
	}
	for _, id := range given {
		if _, ok := rights[id]; !ok {
			t.Errorf("lost: right %s was answered as given", id)
		}
	}
	for _, id := range ended {
		if r := rights[id]; !r.closed {
			t.Errorf("lost: right %s was answered as ended", id)
		}
	}
	extra := len(rights) - len(given)
	for _, r := range rights {
		wantMoves := 1
		if n := count(entries["grant.give"], r.id); n != 1 {
			t.Errorf("half: right %s has %d entries that it was given", r.id, n)
		}
		n := count(entries["grant.revoke"], r.id)
		if r.closed != (n == 1) || n > 1 {
			t.Errorf("half: right %s, ended %t, has %d entries that it was ended", r.id, r.closed, n)
		}
		if r.closed {
			wantMoves++
			if !slices.Contains(ended, r.id) {
				extra++
			}
		}
		if moves[r.person] < wantMoves {
			t.Errorf("half: the rights of %s moved %d times and other processes would see %d", r.person, wantMoves, moves[r.person])
		}
		if !r.filled {
			continue
		}
		if count(entries["grant.confirm"], r.person) != 1 || !confirmed[r.person] {
			t.Errorf("half: right %s was given without a confirmation of who its holder is", r.id)
		}
		if told["grant.given "+r.person] != 1 || r.closed != (told["grant.ended "+r.person] == 1) {
			t.Errorf("half: the holder of right %s was not told", r.id)
		}
	}
	for _, id := range entries["grant.give"] {
		if !all[id] {
			t.Errorf("half: the log says that %s was given, and there is no such right", id)
		}
	}
	if extra > unanswered {
		t.Errorf("%d acts are there that nobody was answered; at most %d were under way", extra, unanswered)
	}
}

func count(list []string, what string) (n int) {
	for _, s := range list {
		if s == what {
			n++
		}
	}
	return n
}

// TestConnectionsLost cuts all connections to PostgreSQL again and again while rights are given. Every act is answered
// as done or as not saved (503), the same form sent again is the same act, and the program goes on by itself.
func TestConnectionsLost(t *testing.T) {
	address := storetest.Postgres(t)
	args := []string{"--database", address, "--keys", t.TempDir() + "/keys.json"}
	p := serving(t, append([]string{"--demo"}, args...)...)
	var writers []*writer
	for range 3 {
		writers = append(writers, &writer{caller: signedIn(t, p.address, "3990000000104", demoPassword), unit: "TH-12"})
	}
	cut, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer cut.Close()
	const acts = 8 // of each writer
	var working sync.WaitGroup
	var left, refused atomic.Int64
	left.Store(int64(len(writers)))
	for _, w := range writers {
		working.Go(func() {
			defer left.Add(-1)
			for n := range acts {
				form := []string{"unit", w.unit, "citizen", stranger(int(strangers.Add(1))), "form", fmt.Sprintf("p1-%s-%d", store.NewID(), n)}
				for tries := 0; ; tries++ {
					r, err := w.post("/ko1/rights/consider", form...)
					if err == nil && r.status == http.StatusSeeOther && r.grantOf() != "" {
						w.given = append(w.given, r.grantOf())
						break
					}
					if err == nil && r.status == http.StatusTooManyRequests { // the limit on looks is not what is tried here
						if _, err := cut.ExecContext(t.Context(), "DELETE FROM throttles"); err != nil && t.Context().Err() == nil {
							refused.Add(1) // this connection was cut like the others
						}
						continue
					}
					if err != nil || r.status != http.StatusServiceUnavailable || tries > 200 {
						t.Errorf("give: %d %s %v\n%s", r.status, r.location, err, p.said)
						return
					}
					refused.Add(1)
				}
			}
		})
	}
	cuts := 0
	for left.Load() > 0 {
		var n int
		err := cut.QueryRow(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		cuts += n
		<-time.After(rand.N(120 * time.Millisecond))
	}
	working.Wait()
	until(t, "it is ready", 10*time.Second, func() bool {
		status, _, _ := get(t, http.DefaultClient, p.address+"/readyz")
		return status == http.StatusOK
	})
	compare(t, address, writers, 0)
	until(t, "the log is sealed", 30*time.Second, func() bool { return p.figure(t, "sitthi_audit_unsealed") == 0 })
	whole(t, args...)
	if status := p.stop(t); status != 0 {
		t.Errorf("exit status %d\n%s", status, p.said)
	}
	t.Logf("%d connections were cut, %d acts were refused and tried again", cuts, refused.Load())
}

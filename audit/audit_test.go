package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// list answers all entries that match, newest first, asked for in pages of the limit.
func list(t *testing.T, env *storetest.Env, q audit.Query) []audit.Entry {
	t.Helper()
	var all []audit.Entry
	for {
		var page []audit.Entry
		var next string
		err := env.DB.Read(t.Context(), func(tx *store.Tx) (err error) {
			page, next, err = audit.List(t.Context(), tx, q)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
		if next == "" {
			return all
		}
		if len(page) != q.Limit {
			t.Fatalf("a page of %d entries is followed by another, want %d", len(page), q.Limit)
		}
		q.Before = next
	}
}

func keys(t *testing.T) *seal.Ring {
	t.Helper()
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func newSealer(t *testing.T, env *storetest.Env, ring *seal.Ring) *audit.Sealer {
	t.Helper()
	s, err := audit.NewSealer(env.DB, ring, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sealAll(t *testing.T, s *audit.Sealer, want int) {
	t.Helper()
	if placed, err := s.Seal(t.Context()); err != nil || placed != want {
		t.Fatalf("sealed %d entries, want %d: %v", placed, want, err)
	}
}

// mark is a change to see whether it was kept.
func mark(ctx context.Context, tx *store.Tx) error {
	_, err := tx.Exec(ctx, "INSERT INTO installation (name, value) VALUES ('mark', 'x')")
	return err
}

func marked(t *testing.T, env *storetest.Env) bool {
	t.Helper()
	var n int
	err := env.DB.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT count(*) FROM installation WHERE name = 'mark'").Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n == 1
}

func give() audit.Act {
	return audit.Act{
		Name: "grant.give", Actor: "chief", Unit: "TH-12", Subject: "officer", Object: "grant-1",
		Detail: map[string]string{"level": "1", "team": ""}, Texts: map[string]string{"note": "ช่วยราชการ", "order": ""},
	}
}

func TestActAndEntryAreKeptTogether(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ctx := audit.WithOrigin(t.Context(), audit.Origin{Request: "r-1", Address: "192.0.2.7"})
		act := give()
		act.Object = ""
		err := audit.Do(ctx, env.DB, &act, func(tx *store.Tx) error {
			act.Object = "grant-1"
			return mark(ctx, tx)
		})
		if err != nil {
			t.Fatal(err)
		}
		entries := list(t, env, audit.Query{})
		if !marked(t, env) || len(entries) != 1 {
			t.Fatalf("%d entries; change kept: %v", len(entries), marked(t, env))
		}
		e := entries[0]
		if e.Outcome != audit.Done || !e.At.Equal(storetest.Start) || e.Request != "r-1" || e.Place != -1 ||
			e.Name != "grant.give" || e.Actor != "chief" || e.Unit != "TH-12" || e.Subject != "officer" || e.Object != "grant-1" {
			t.Errorf("recorded %+v", e)
		}
		// What is empty is not recorded.
		if want := map[string]string{"level": "1"}; !maps.Equal(e.Detail, want) {
			t.Errorf("detail is %v, want %v", e.Detail, want)
		}
		if want := map[string]string{"note": "ช่วยราชการ", "address": "192.0.2.7"}; !maps.Equal(e.Texts, want) {
			t.Errorf("texts are %v, want %v", e.Texts, want)
		}
		if len(act.Texts) != 2 {
			t.Errorf("the caller's texts were changed: %v", act.Texts)
		}
	})
}

func TestFailedActLeavesNoEntry(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		for _, failure := range []error{errors.New("find unit"), problem.New(problem.Conflict, "grant.exists")} {
			act := give()
			err := audit.Do(t.Context(), env.DB, &act, func(tx *store.Tx) error {
				return errors.Join(mark(t.Context(), tx), failure)
			})
			if !errors.Is(err, failure) || marked(t, env) || len(list(t, env, audit.Query{})) != 0 {
				t.Errorf("%v: answered %v, kept %v", failure, err, list(t, env, audit.Query{}))
			}
		}
	})
}

func TestRefusalIsRecordedByItself(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		// The one who asked hangs up as soon as he is refused: that saves nobody from the record.
		ctx, hangUp := context.WithCancel(t.Context())
		act := give()
		err := audit.Do(ctx, env.DB, &act, func(tx *store.Tx) error {
			err := mark(ctx, tx)
			hangUp()
			return errors.Join(err, problem.New(problem.Denied, "grant.not_head"))
		})
		if !errors.Is(err, problem.Denied) || marked(t, env) {
			t.Fatalf("answered %v, change kept: %v", err, marked(t, env))
		}
		entries := list(t, env, audit.Query{})
		if len(entries) != 1 {
			t.Fatalf("%d entries, want 1", len(entries))
		}
		e := entries[0]
		if e.Outcome != audit.Denied || e.Detail["why"] != "grant.not_head" || e.Detail["level"] != "1" || e.Texts["note"] == "" {
			t.Errorf("recorded %+v", e)
		}
		if act.Detail["why"] != "" {
			t.Error("the caller's details were changed")
		}
	})
}

func TestVisitorsRefusalIsCounted(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		before := audit.AnonymousRefusals()
		act := audit.Act{Name: "officer.register"}
		err := audit.Do(t.Context(), env.DB, &act, func(*store.Tx) error { return problem.New(problem.Denied, "x") })
		if !errors.Is(err, problem.Denied) || len(list(t, env, audit.Query{})) != 0 {
			t.Fatalf("answered %v and recorded %v", err, list(t, env, audit.Query{}))
		}
		if n := audit.AnonymousRefusals() - before; n != 1 {
			t.Errorf("counted %d refusals, want 1", n)
		}
	})
}

func TestActThatRunsAgainIsRecordedOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		act := give()
		run := 0
		err := audit.Do(t.Context(), env.DB, &act, func(tx *store.Tx) error {
			run++
			if act.Unit != "TH-12" || len(act.Texts) != 2 || len(act.Detail) != 2 {
				t.Errorf("run %d starts with what the last left: %+v", run, act)
			}
			if run < 3 {
				act.Unit, act.Texts["left"], act.Detail["left"] = "TH-13", "x", "x"
				return &pgconn.PgError{Code: "40001"} // lost against another
			}
			return nil
		})
		entries := list(t, env, audit.Query{})
		if err != nil || run != 3 || len(entries) != 1 || entries[0].Unit != "TH-12" || entries[0].Texts["left"] != "" {
			t.Fatalf("%v after %d runs: %+v", err, run, entries)
		}
	})
}

func TestWhateverWasTypedIsRecorded(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring := keys(t)
		const typed = "ก\x00\xff<&>\u2028\"\\\n"
		act := audit.Act{
			Name: "x.y", Actor: "a", Unit: typed, Object: typed,
			Detail: map[string]string{"fact": typed}, Texts: map[string]string{"note": typed},
		}
		err := audit.Do(t.Context(), env.DB, &act, func(*store.Tx) error { return problem.New(problem.Denied, "x") })
		if !errors.Is(err, problem.Denied) {
			t.Fatal(err)
		}
		const want = "ก\uFFFD\uFFFD<&>\u2028\"\\\n"
		entries := list(t, env, audit.Query{Unit: "?"})
		if len(entries) != 1 || entries[0].Texts["object_given"] != want || entries[0].Texts["unit_given"] != want ||
			entries[0].Detail["fact"] != want || entries[0].Texts["note"] != want {
			t.Fatalf("recorded %+v", entries)
		}
		sealAll(t, newSealer(t, env, ring), 1)
		verify(t, env, ring, nil)
	})
}

func TestListFilters(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		// Five entries a minute apart, and a sixth in the same moment as the fifth.
		minute := func(n int) time.Time { return storetest.Start.Add(time.Duration(n) * time.Minute) }
		acts := []audit.Act{
			{Name: "grant.give", Actor: "a", Unit: "TH-12", Subject: "p", Object: "1"},
			{Name: "grant.give", Actor: "b", Unit: "TH-13", Subject: "p", Object: "2"},
			{Name: "grant.revoke", Actor: "a", Unit: "TH-12", Subject: "q", Object: "1"},
			{Name: "grant.revoke", Actor: "denied", Unit: "TH-13", Subject: "q"},
			{Name: "agency.add", Actor: audit.Terminal},
			{Name: "agency.add", Actor: audit.System},
		}
		for i, act := range acts {
			env.Clock.Set(minute(min(i, 4)))
			err := audit.Do(t.Context(), env.DB, &act, func(*store.Tx) error {
				if act.Actor == "denied" {
					return problem.New(problem.Denied, "x")
				}
				return nil
			})
			if err != nil && act.Actor != "denied" {
				t.Fatal(err)
			}
		}
		for _, test := range []struct {
			name string
			q    audit.Query
			want []int // newest first
		}{
			{"all", audit.Query{}, []int{5, 4, 3, 2, 1, 0}},
			{"unit", audit.Query{Unit: "TH-12"}, []int{2, 0}},
			{"subject", audit.Query{Subject: "p"}, []int{1, 0}},
			{"actor", audit.Query{Actor: "a"}, []int{2, 0}},
			{"object", audit.Query{Object: "1"}, []int{2, 0}},
			{"act", audit.Query{Act: "grant.revoke"}, []int{3, 2}},
			{"outcome", audit.Query{Outcome: audit.Denied}, []int{3}},
			{"from", audit.Query{From: minute(2)}, []int{5, 4, 3, 2}},
			{"to, which is not part of it", audit.Query{To: minute(2)}, []int{1, 0}},
			{"several", audit.Query{Unit: "TH-12", Act: "grant.give", From: minute(0), To: minute(1)}, []int{0}},
			{"none", audit.Query{Unit: "TH-14"}, nil},
		} {
			for _, limit := range []int{1, 2, 3, 50} {
				test.q.Limit = limit
				var got []string
				for _, e := range list(t, env, test.q) {
					got = append(got, e.Name+e.Actor+e.Unit+e.Subject)
				}
				var want []string
				for _, i := range test.want {
					want = append(want, acts[i].Name+acts[i].Actor+acts[i].Unit+acts[i].Subject)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s in pages of %d: got %v, want %v", test.name, limit, got, want)
				}
			}
		}
	})
}

func TestListRefusesWhatIsNoCursor(t *testing.T) {
	env := storetest.SQLite(t)
	for _, cursor := range []string{"x", "1", "1.x", ".", "1.0191' OR 1=1", "99999999999999999999.00000000-0000-7000-8000-000000000000"} {
		err := env.DB.Read(t.Context(), func(tx *store.Tx) error {
			_, _, err := audit.List(t.Context(), tx, audit.Query{Before: cursor})
			return err
		})
		if !errors.Is(err, problem.NotFound) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
}

func TestConcurrentWritersAreAllSealed(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		const writers, each = 16, 25
		ring := keys(t)
		env.Clock.Run(storetest.Start)
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan error)
		for range 2 { // as two servers have it
			s := newSealer(t, env, ring)
			go func() { stopped <- s.Run(ctx) }()
		}
		failed := make(chan error)
		for w := range writers {
			go func() {
				var err error
				for i := 0; i < each && err == nil; i++ {
					act := audit.Act{Name: "x.y", Actor: fmt.Sprint("writer-", w), Object: fmt.Sprint(i), Texts: map[string]string{"note": "ก"}}
					err = audit.Do(ctx, env.DB, &act, func(*store.Tx) error { return nil })
				}
				failed <- err
			}()
		}
		for range writers {
			if err := <-failed; err != nil {
				t.Error(err)
			}
		}
		s := newSealer(t, env, ring)
		written := env.Clock.Now()
		for {
			state, err := s.State(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if state.Unsealed == 0 && state.Size == writers*each {
				break
			}
			// A second is the goal; the rest is for a busy machine.
			if late := env.Clock.Now().Sub(written); late > 10*time.Second {
				t.Fatalf("%v after the last act %d entries are unsealed", late, state.Unsealed)
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Logf("all sealed %v after the last act", env.Clock.Now().Sub(written))
		stop()
		for range 2 {
			if err := <-stopped; err != nil {
				t.Error(err)
			}
		}
		report := verify(t, env, ring, nil)
		if report.Size != writers*each || report.Waiting != 0 || report.Texts != writers*each {
			t.Errorf("verified %+v", report)
		}
		// Each writer's acts stand in the tree in the order in which he did them.
		last := make(map[string]int64)
		entries := list(t, env, audit.Query{Limit: 100})
		slices.Reverse(entries)
		for _, e := range entries {
			if before, ok := last[e.Actor]; ok && e.Place <= before {
				t.Errorf("%s: act %s has place %d, the one before %d", e.Actor, e.Object, e.Place, before)
			}
			last[e.Actor] = e.Place
		}
	})
}

func TestOneSealerAtATime(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring := keys(t)
		one, other := newSealer(t, env, ring), newSealer(t, env, ring)
		record(t, env, 2)
		sealAll(t, one, 2)
		record(t, env, 1)
		sealAll(t, other, 0) // one has the lease
		sealAll(t, one, 1)
		sealAll(t, one, 0)
		record(t, env, 1)
		env.Clock.Advance(6 * time.Second) // one has died
		sealAll(t, other, 1)
		record(t, env, 1)
		sealAll(t, one, 0)
		if report := verify(t, env, ring, nil); report.Size != 4 || report.Waiting != 1 {
			t.Errorf("verified %+v", report)
		}
	})
}

func TestMoreThanABatchIsSealed(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring := keys(t)
		// More than a batch of the sealer (256) and a page of Verify (512), in one transaction.
		err := env.DB.Write(t.Context(), func(tx *store.Tx) error {
			for i := range 700 {
				err := audit.Record(t.Context(), tx, audit.Act{Name: "x.y", Actor: audit.System, Object: fmt.Sprint(i), Texts: map[string]string{"n": "1"}})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if report := verify(t, env, ring, nil); report.Waiting != 700 || report.Texts != 700 {
			t.Errorf("verified %+v", report)
		}
		s := newSealer(t, env, ring)
		sealAll(t, s, 256)
		sealAll(t, s, 256)
		sealAll(t, s, 188)
		sealAll(t, s, 0)
		if report := verify(t, env, ring, nil); report.Size != 700 || report.Texts != 700 || report.Checkpoints != 3 {
			t.Errorf("verified %+v", report)
		}
		for i, e := range list(t, env, audit.Query{Limit: 500}) {
			if e.Place != int64(699-i) || e.Object != fmt.Sprint(e.Place) {
				t.Fatalf("entry %s has place %d", e.Object, e.Place)
			}
		}
	})
}

package program

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/person"
)

// run writes the log until stop is called, which waits until all is written.
func (k *kit) run(t testing.TB) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- k.log.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func (k *kit) answers(t testing.TB, q Query) []Answer {
	t.Helper()
	list, _, err := k.log.Answers(t.Context(), k.auditor, q)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestLog(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		p, _ := k.create(t, Order{Name: "ระบบหนึ่ง"})
		stop := k.run(t)
		at := storetest.Start
		const n = 1200 // more than one batch
		for i := range n {
			d := Decision{At: at.Add(time.Duration(i/2) * time.Microsecond), Program: "other", Request: fmt.Sprint("r", i), Subject: k.anyone,
				Action: "approve", Unit: "TH-13", Reason: "no_right"}
			switch {
			case i == 700:
				d.Program, d.Unit, d.Team, d.Allowed, d.Reason, d.Grant = p.ID, "IWM", "G1", true, "permitted", "g"
				d.Moment = at.AddDate(-1, 0, 0)
			case i%3 == 0:
				d.Program, d.Unit, d.Subject = p.ID, "TH-12", ""
			}
			k.log.Note(d)
		}
		stop()
		if w, d, q := k.log.Written(), k.log.Dropped(), k.log.Waiting(); w != n || d != 0 || q != 0 {
			t.Fatalf("written %d, dropped %d, waiting %d", w, d, q)
		}
		one := k.answers(t, Query{Outcome: Allowed})
		want := Answer{ProgramName: "ระบบหนึ่ง", Decision: Decision{At: at.Add(350 * time.Microsecond), Program: p.ID, Request: "r700", Subject: k.anyone,
			Action: "approve", Unit: "IWM", Team: "G1", Allowed: true, Reason: "permitted", Grant: "g", Moment: at.AddDate(-1, 0, 0)}}
		if len(one) != 1 || one[0] != want {
			t.Errorf("got  %+v\nwant %+v", one, want)
		}
		for name, c := range map[string]struct {
			q    Query
			want int
		}{
			"all":     {Query{Limit: 10000}, 500},
			"usual":   {Query{}, 50},
			"program": {Query{Program: p.ID, Limit: 500}, 401},
			"person":  {Query{Person: k.anyone, Program: p.ID}, 1},
			"unit":    {Query{Unit: "TH-12", Limit: 500}, 400},
			"refused": {Query{Outcome: Refused, Unit: "IWM"}, 0},
			"from":    {Query{From: at.Add(598 * time.Microsecond)}, 4},
			"to":      {Query{To: at.Add(2 * time.Microsecond)}, 4},
		} {
			if got := len(k.answers(t, c.q)); got != c.want {
				t.Errorf("%s: %d answers, want %d", name, got, c.want)
			}
		}
		seen, before := map[string]bool{}, ""
		last := at.Add(time.Hour)
		for {
			list, next, err := k.log.Answers(t.Context(), k.admin, Query{Before: before, Limit: 97})
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range list {
				if a.At.After(last) || seen[a.Request] {
					t.Fatalf("%s at %s after %s", a.Request, a.At, last)
				}
				seen[a.Request], last = true, a.At
			}
			if before = next; next == "" {
				break
			}
		}
		if len(seen) != n {
			t.Errorf("%d answers on the pages", len(seen))
		}
		count, err := k.log.Counts(t.Context(), k.auditor, p.ID, at)
		if err != nil || count != (Count{1, 400}) {
			t.Errorf("counts %+v, %v", count, err)
		}

		for _, q := range []Query{{Before: "x"}, {Before: "1"}, {Before: "1.x"}} {
			_, _, err := k.log.Answers(t.Context(), k.auditor, q)
			wants(t, err, problem.NotFound, "problem.notfound")
		}
		_, _, err = k.log.Answers(t.Context(), k.anyone, Query{})
		wants(t, err, problem.Denied, "grant.denied_not_reader")
		_, err = k.log.Counts(t.Context(), k.anyone, p.ID, at)
		wants(t, err, problem.Denied, "grant.denied_not_reader")
	})
}

// What an asker chose freely is in the log without what a database can not hold, and without what may be a person's.
func TestLogOfOddQuestions(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		stop := k.run(t)
		k.log.Note(Decision{At: storetest.Start, Request: "a\x00b\xff" + strings.Repeat("ก", 100), Action: "สอบถาม", Unit: "3990000000210", Team: strings.Repeat("x", 41)})
		k.log.Note(Decision{At: storetest.Start.Add(-time.Second), Action: "approve", Unit: "TH-12", Team: "PERMIT-1"})
		stop()
		list := k.answers(t, Query{})
		if len(list) != 2 || list[0].Action != "?" || list[0].Unit != "?" || list[0].Team != "?" || !strings.HasPrefix(list[0].Request, "abก") || len(list[0].Request) > mostRequest {
			t.Errorf("%+v", list)
		}
		if a := list[1]; a.Action != "approve" || a.Unit != "TH-12" || a.Team != "PERMIT-1" || !a.Moment.IsZero() {
			t.Errorf("%+v", a)
		}
		k.answers(t, Query{Unit: "a\x00\xff"})
	})
}

// Nobody waits for the log: what is too much is dropped and counted, and the rest is written once it can be.
func TestLogNeverWaits(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		var all sync.WaitGroup
		const each = queued/8 + 100
		for range 8 {
			all.Go(func() {
				for range each {
					k.log.Note(Decision{At: storetest.Start})
				}
			})
		}
		all.Wait()
		if d, q := k.log.Dropped(), k.log.Waiting(); d != 800 || q != queued {
			t.Fatalf("dropped %d, waiting %d", d, q)
		}
		stop := k.run(t)
		until(t, func() bool { return k.log.Written() >= batchSize })
		stop()
		// A machine too slow to write all in time counts the rest; nothing is lost without being counted.
		if w, d, q := k.log.Written(), k.log.Dropped(), k.log.Waiting(); w+d != queued+800 || q != 0 {
			t.Errorf("written %d, dropped %d, waiting %d", w, d, q)
		}
	})
}

// A batch that the database refuses is dropped and counted, and the log goes on.
func TestLogGoesOn(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		exec := func(query string) {
			t.Helper()
			err := env.DB.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(t.Context(), query); return err })
			if err != nil {
				t.Fatal(err)
			}
		}
		exec(`ALTER TABLE decisions RENAME TO elsewhere`)
		stop := k.run(t)
		k.log.Note(Decision{At: storetest.Start})
		until(t, func() bool { return k.log.Dropped() == 1 })
		exec(`ALTER TABLE elsewhere RENAME TO decisions`)
		k.log.Note(Decision{At: storetest.Start})
		until(t, func() bool { return k.log.Written() == 1 })
		stop()
	})
}

// While somebody else keeps the database to himself, what is noted waits; a stop gives it a few seconds.
func TestLogWaitsForTheDatabase(t *testing.T) {
	k := open(t, storetest.SQLite(t))
	held, release := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		done <- k.DB.Write(context.WithoutCancel(t.Context()), func(*store.Tx) error {
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	stop := k.run(t)
	for range 10 {
		k.log.Note(Decision{At: storetest.Start})
	}
	go func() {
		time.Sleep(300 * time.Millisecond)
		close(release)
	}()
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if w, d := k.log.Written(), k.log.Dropped(); w != 10 || d != 0 {
		t.Errorf("written %d, dropped %d", w, d)
	}
}

// Acts go on while the log is written as fast as it can be.
func TestActsBesideTheLog(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		k.run(t)
		ctx, cancel := context.WithCancel(t.Context())
		var noting sync.WaitGroup
		noting.Go(func() {
			for ctx.Err() == nil {
				k.log.Note(Decision{At: storetest.Start, Program: "p", Subject: person.ID("x"), Unit: "TH-12", Action: "approve", Reason: "no_right"})
				if k.log.Waiting() == queued {
					time.Sleep(time.Millisecond)
				}
			}
		})
		began := time.Now()
		for range 20 {
			k.create(t, Order{})
		}
		t.Logf("20 acts in %s beside %d decisions written, %d dropped", time.Since(began), k.log.Written(), k.log.Dropped())
		cancel()
		noting.Wait()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("20 acts took %s", took)
		}
	})
}

func TestSweep(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		stop := k.run(t)
		for i := range 2500 {
			k.log.Note(Decision{At: storetest.Start.Add(time.Duration(i) * time.Second)})
		}
		stop()
		n, err := k.log.Sweep(t.Context(), storetest.Start.Add(2100*time.Second))
		if err != nil || n != 2100 {
			t.Fatalf("swept %d, %v", n, err)
		}
		list := k.answers(t, Query{Limit: 500})
		if len(list) != 400 || !list[399].At.Equal(storetest.Start.Add(2100*time.Second)) {
			t.Errorf("%d are left", len(list))
		}
	})
}

// Authenticate, Note and every change at once, for the race detector.
func TestAtOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		k.run(t)
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if err := k.desk.Follow(ctx); err != nil {
				t.Error(err)
			}
		})
		_, token := k.create(t, Order{Scope: Scope{Units: []string{"TH-12"}}})
		for range 4 {
			all.Go(func() {
				for ctx.Err() == nil {
					c, ok := k.desk.Authenticate(token)
					if !ok || !c.May(grant.DoApprove, "TH-12") || c.May(grant.DoApprove, "TH-13") {
						t.Error("not known while others come and go")
						return
					}
					k.log.Note(Decision{At: env.Clock.Now(), Program: c.ID, Unit: "TH-12"})
				}
			})
		}
		for range 10 {
			env.Clock.Advance(time.Minute)
			p, second := k.create(t, Order{})
			if _, ok := k.desk.Authenticate(second); !ok {
				t.Error("not known at once")
			}
			if err := k.desk.Revoke(t.Context(), string(k.admin), p.ID, "x"); err != nil {
				t.Error(err)
			}
			if _, ok := k.desk.Authenticate(second); ok {
				t.Error("known after it was revoked")
			}
			if _, err := k.desk.List(t.Context(), string(k.admin)); err != nil {
				t.Error(err)
			}
		}
		cancel()
		all.Wait()
	})
}

func TestNoteAllocatesNothing(t *testing.T) {
	k := open(t, storetest.SQLite(t))
	d := Decision{At: storetest.Start, Program: "p", Unit: "TH-12"}
	for _, full := range []bool{false, true} {
		if full {
			for range queued {
				k.log.Note(d)
			}
		}
		if n := testing.AllocsPerRun(1000, func() { k.log.Note(d) }); n != 0 {
			t.Errorf("%v allocations, full %v", n, full)
		}
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	k := open(b, storetest.SQLite(b))
	_, token := k.create(b, Order{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, ok := k.desk.Authenticate(token); !ok {
				b.Fatal("not known")
			}
		}
	})
}

// BenchmarkLog tells what one decision in the log costs, from Note to the database, and what the asker waits.
func BenchmarkLog(b *testing.B) {
	b.Run("note", func(b *testing.B) {
		k := open(b, storetest.SQLite(b))
		k.run(b)
		d := Decision{At: storetest.Start, Program: "p", Unit: "TH-12", Subject: "0197c6a4-0000-7000-8000-000000000000", Action: "approve", Reason: "permitted"}
		b.ReportAllocs()
		for b.Loop() {
			k.log.Note(d)
		}
	})
	b.Run("write", func(b *testing.B) {
		k := open(b, storetest.SQLite(b))
		batch := make([]Decision, batchSize)
		n := 0
		for b.Loop() {
			for i := range batch {
				n++
				batch[i] = Decision{At: storetest.Start.Add(time.Duration(n) * time.Microsecond), Program: fmt.Sprint("p", n%7), Unit: fmt.Sprint("TH-", n%77),
					Subject: person.ID(fmt.Sprintf("0197c6a4-0000-7000-8000-%012d", n*7919%10007)), Action: "approve", Reason: "permitted", Request: store.NewID()}
			}
			if !k.log.write(b.Context(), batch) {
				b.Fatal("not written")
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/decision")
	})
}

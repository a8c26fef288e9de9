package proof

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// take runs Take in a transaction of its own, again when it lost against others.
func take(t *testing.T, db *store.DB, key string, r Rate) (wait time.Duration) {
	t.Helper()
	for {
		err := db.Write(t.Context(), func(tx *store.Tx) (err error) {
			wait, err = Take(t.Context(), tx, key, r)
			return err
		})
		if err == nil {
			return wait
		}
		if !errors.Is(err, problem.Busy) {
			t.Error(err)
			return 0
		}
	}
}

func TestTake(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		rate := Rate{Burst: 3, Every: time.Minute}
		for i, step := range []struct{ later, wait time.Duration }{
			{0, 0}, {0, 0}, {0, 0}, // the burst
			{0, time.Minute},
			{59 * time.Second, time.Second}, // a refusal takes nothing
			{time.Second, 0},                // one is free again
			{0, time.Minute},
			{2 * time.Minute, 0}, {0, 0},
			{0, time.Minute},
			{time.Hour, 0}, {0, 0}, {0, 0}, // no more than the burst is saved up
			{0, time.Minute},
		} {
			env.Clock.Advance(step.later)
			if wait := take(t, env.DB, "a", rate); wait != step.wait {
				t.Errorf("step %d: wait %v, want %v", i, wait, step.wait)
			}
		}
		if wait := take(t, env.DB, "b", rate); wait != 0 {
			t.Errorf("another key waits %v", wait)
		}
		once := Rate{Burst: 1, Every: time.Minute}
		if first, second := take(t, env.DB, "c", once), take(t, env.DB, "c", once); first != 0 || second != time.Minute {
			t.Errorf("a burst of one: %v, %v", first, second)
		}
	})
}

func TestTakeUnderConcurrentWriters(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		rate := Rate{Burst: 7, Every: time.Minute}
		var taken atomic.Int64
		var wait sync.WaitGroup
		for range 16 {
			wait.Go(func() {
				for range 4 {
					if take(t, env.DB, "shared", rate) == 0 {
						taken.Add(1)
					}
				}
			})
		}
		wait.Wait()
		if n := taken.Load(); n != int64(rate.Burst) {
			t.Errorf("%d were taken, not %d", n, rate.Burst)
		}
	})
}

func TestTakeRolledBackTookNothing(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		rate := Rate{Burst: 1, Every: time.Minute}
		stop := errors.New("stop")
		err := env.DB.Write(t.Context(), func(tx *store.Tx) error {
			if wait, err := Take(t.Context(), tx, "a", rate); wait != 0 || err != nil {
				t.Errorf("wait %v, %v", wait, err)
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		if wait := take(t, env.DB, "a", rate); wait != 0 {
			t.Errorf("wait %v", wait)
		}
	})
}

func TestNetwork(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.7":            "203.0.113.7",
		"::ffff:203.0.113.7":     "203.0.113.7",
		"2001:db8:1:2:3:4:5:6":   "2001:db8:1:2::/64",
		"2001:db8:1:2::9":        "2001:db8:1:2::/64",
		"fe80::1%eth0":           "fe80::/64",
		"":                       "",
		"no address":             "",
		"203.0.113.7:443":        "",
		"2001:db8:1:3:ffff::1":   "2001:db8:1:3::/64",
		"[2001:db8:1:3:ffff::1]": "",
	} {
		if got := Network(in); got != want {
			t.Errorf("%q = %q, want %q", in, got, want)
		}
	}
}

func TestSweepKeepsWhatMatters(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		rate := Rate{Burst: 2, Every: time.Minute}
		take(t, env.DB, "old", rate)
		d.send(d.order)
		sweep := func(want int64) {
			t.Helper()
			swept, err := Sweep(context.Background(), env.DB)
			if err != nil || swept != want {
				t.Errorf("swept %d, want %d: %v", swept, want, err)
			}
		}
		sweep(0)
		env.Clock.Advance(time.Minute)
		take(t, env.DB, "new", rate)
		sweep(1) // the old limit is as if it had never been
		env.Clock.Advance(kept)
		sweep(2) // the new limit and the code
	})
}

package signin_test

import (
	"errors"
	"testing"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/person"
	"sitthi/signin"
)

func TestSessionEndsWhenIdle(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		for _, c := range []struct {
			idle time.Duration
			live bool
		}{{30*time.Minute - time.Second, true}, {30 * time.Minute, false}, {30*time.Minute + time.Second, false}} {
			env.Clock.Advance(24 * time.Hour)
			opened := o.enter(t, in())
			env.Clock.Advance(c.idle)
			_, err := o.desk.Session(t.Context(), opened.Token)
			if live := err == nil; live != c.live || err != nil && !errors.Is(err, problem.NotFound) {
				t.Errorf("after %s idle: %v", c.idle, err)
			}
		}
	})
}

func TestSessionEndsAfterTwelveHours(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		opened := o.enter(t, in())
		// Seen every 29 minutes, so that it is never idle.
		for at := time.Duration(0); at < 12*time.Hour; at += 29 * time.Minute {
			env.Clock.Set(storetest.Start.Add(at))
			if _, err := o.desk.Session(t.Context(), opened.Token); err != nil {
				t.Fatalf("after %s: %v", at, err)
			}
		}
		env.Clock.Set(storetest.Start.Add(12*time.Hour - time.Second))
		s, err := o.desk.Session(t.Context(), opened.Token)
		if err != nil {
			t.Fatalf("a second before twelve hours: %v", err)
		}
		if _, err := o.desk.StepUp(t.Context(), s, password); err != nil {
			t.Fatal(err)
		}
		env.Clock.Set(storetest.Start.Add(12 * time.Hour))
		if _, err := o.desk.Session(t.Context(), opened.Token); !errors.Is(err, problem.NotFound) {
			t.Errorf("after twelve hours: %v, want NotFound", err)
		}
		if list, err := o.desk.List(t.Context(), o.who); err != nil || len(list) != 0 {
			t.Errorf("listed after twelve hours: %v, %v", list, err)
		}
	})
}

func TestSeenAtMostOnceAMinute(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		opened := o.enter(t, in())
		for _, c := range []struct{ at, seen time.Duration }{
			{0, 0}, {59 * time.Second, 0}, {60 * time.Second, 60 * time.Second}, {119 * time.Second, 60 * time.Second},
			{125 * time.Second, 125 * time.Second},
		} {
			env.Clock.Set(storetest.Start.Add(c.at))
			if _, err := o.desk.Session(t.Context(), opened.Token); err != nil {
				t.Fatal(err)
			}
			var seen time.Time
			err := env.DB.Read(t.Context(), func(tx *store.Tx) error {
				return tx.QueryRow(t.Context(), `SELECT seen_at FROM sessions`).Scan(store.At(&seen))
			})
			if err != nil {
				t.Fatal(err)
			}
			if seen.Sub(storetest.Start) != c.seen {
				t.Errorf("at %s it is kept as seen at %s, want %s", c.at, seen.Sub(storetest.Start), c.seen)
			}
		}
	})
}

func TestSessionOutlivesADatabaseThatCanNotWrite(t *testing.T) {
	env := storetest.SQLite(t)
	o := open(t, env)
	opened := o.enter(t, in())
	env.Clock.Advance(5 * time.Minute)
	o.write(t, func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `CREATE TRIGGER full BEFORE UPDATE ON sessions BEGIN SELECT RAISE(ABORT, 'full'); END`)
		return err
	})
	if _, err := o.desk.Session(t.Context(), opened.Token); err != nil {
		t.Errorf("the session answers %v", err)
	}
}

func TestStepUpSlides(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		opened := o.enter(t, in())
		session := func(at time.Duration) signin.Session {
			t.Helper()
			env.Clock.Set(storetest.Start.Add(at))
			s, err := o.desk.Session(t.Context(), opened.Token)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		steppedUp := func(at time.Duration, want bool) signin.Session {
			t.Helper()
			s := session(at)
			if got := s.SteppedUp(env.DB.Now()); got != want {
				t.Errorf("after %s stepped up is %v, want %v", at, got, want)
			}
			return s
		}
		steppedUp(5*time.Minute-time.Second, true)
		s := steppedUp(4*time.Minute, true)
		if err := o.desk.Touch(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		steppedUp(9*time.Minute-time.Second, true)
		s = steppedUp(9*time.Minute, false)
		if err := o.desk.Touch(t.Context(), s); err != nil { // what has run out is not revived
			t.Fatal(err)
		}
		s = steppedUp(9*time.Minute, false)

		token, err := o.desk.StepUp(t.Context(), s, password)
		if err != nil {
			t.Fatal(err)
		}
		// The token from before goes on for half a minute, for a form that was sent twice.
		former := opened.Token
		again, err := o.desk.Session(t.Context(), former)
		if err != nil || again.ID != s.ID || again.SteppedUp(env.DB.Now()) {
			t.Errorf("the token from before the step-up answers %+v, %v", again, err)
		}
		former = token
		if token, err = o.desk.StepUp(t.Context(), again, password); err != nil { // the form sent twice
			t.Fatal(err)
		}
		opened.Token = token
		if again := steppedUp(9*time.Minute, true); again.ID != s.ID || !again.CreatedAt.Equal(s.CreatedAt) {
			t.Errorf("the session became another: %+v", again)
		}
		env.Clock.Set(storetest.Start.Add(9*time.Minute + 30*time.Second))
		if _, err := o.desk.Session(t.Context(), former); !errors.Is(err, problem.NotFound) {
			t.Errorf("the token from before the step-up answers %v after half a minute, want NotFound", err)
		}
		steppedUp(14*time.Minute-time.Second, true)
		steppedUp(14*time.Minute, false)
	})
}

func TestWrongStepUp(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		opened := o.enter(t, in())
		s := opened.Session
		env.Clock.Advance(10 * time.Minute)
		if _, err := o.desk.StepUp(t.Context(), s, ""); !errors.Is(err, problem.Invalid) {
			t.Errorf("no password answers %v, want Invalid", err)
		}
		for i := range 5 {
			if _, err := o.desk.StepUp(t.Context(), s, "wrong"); key(err) != "signin.problem.wrong_password" {
				t.Errorf("wrong password %d answers %v", i+1, err)
			}
		}
		if _, err := o.desk.StepUp(t.Context(), s, password); !errors.Is(err, problem.Busy) {
			t.Errorf("the sixth try answers %v, want Busy", err)
		}
		if s, err := o.desk.Session(t.Context(), opened.Token); err != nil || s.SteppedUp(env.DB.Now()) {
			t.Errorf("the session afterwards: %+v, %v", s, err)
		}
		env.Clock.Advance(time.Minute)
		if err := o.desk.SignOut(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if _, err := o.desk.StepUp(t.Context(), s, password); !errors.Is(err, problem.NotFound) {
			t.Errorf("a step-up of an ended session answers %v, want NotFound", err)
		}
	})
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		var opened []signin.Opened
		for _, agent := range []string{"Firefox", "Chrome\x00\n", "Safari"} {
			env.Clock.Advance(time.Minute)
			way := in()
			way.Agent = agent
			opened = append(opened, o.enter(t, way))
		}
		list, err := o.desk.List(t.Context(), o.who)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != 3 || list[0].Agent != "Safari" || list[1].Agent != "Chrome" || list[2].Address != address {
			t.Fatalf("listed: %+v", list)
		}
		other := person.ID(store.NewID())
		if err := o.desk.End(t.Context(), other, list[0].ID); !errors.Is(err, problem.NotFound) {
			t.Errorf("another's session ends with %v, want NotFound", err)
		}
		if err := o.desk.End(t.Context(), o.who, list[0].ID); err != nil {
			t.Fatal(err)
		}
		if err := o.desk.End(t.Context(), o.who, list[0].ID); !errors.Is(err, problem.NotFound) {
			t.Errorf("a session ended twice answers %v, want NotFound", err)
		}
		live := func(want ...bool) {
			t.Helper()
			for i, o2 := range opened {
				_, err := o.desk.Session(t.Context(), o2.Token)
				if (err == nil) != want[i] {
					t.Errorf("session %d: %v", i, err)
				}
			}
		}
		live(true, true, false)
		if err := o.desk.SignOut(t.Context(), opened[0].Session); err != nil {
			t.Fatal(err)
		}
		live(false, true, false)
		if err := o.desk.EndEverywhere(t.Context(), o.who); err != nil {
			t.Fatal(err)
		}
		live(false, false, false)
		var names []string
		for _, e := range o.entries(t) {
			if e.Actor != string(o.who) || e.Subject != string(o.who) {
				t.Errorf("%s is recorded for %q about %q", e.Name, e.Actor, e.Subject)
			}
			names = append(names, e.Name)
		}
		want := []string{"signin.end_all", "signin.close", "signin.end", "signin.open", "signin.open", "signin.open"}
		if len(names) != len(want) {
			t.Fatalf("recorded: %v, want %v", names, want)
		}
		for i := range want {
			if names[i] != want[i] {
				t.Fatalf("recorded: %v, want %v", names, want)
			}
		}
	})
}

func TestDisableEndsSessions(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		first, second := o.enter(t, in()), o.enter(t, in())
		o.set(t, `state = 'disabled'`)
		if _, err := o.desk.Session(t.Context(), first.Token); !errors.Is(err, problem.NotFound) {
			t.Errorf("the session of a disabled account answers %v, want NotFound", err)
		}
		o.write(t, func(tx *store.Tx) error { return signin.EndAll(t.Context(), tx, o.who, "disabled") })
		o.set(t, `state = 'active'`)
		if _, err := o.desk.Session(t.Context(), second.Token); !errors.Is(err, problem.NotFound) {
			t.Errorf("a session that was ended answers %v once the account is back, want NotFound", err)
		}
	})
}

func TestSignInReplacesTheSessionOfTheBrowser(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		first := o.enter(t, in())
		again := in()
		again.Session = first.Token
		second := o.enter(t, again)
		if _, err := o.desk.Session(t.Context(), first.Token); !errors.Is(err, problem.NotFound) {
			t.Errorf("the session before answers %v, want NotFound", err)
		}
		if _, err := o.desk.Session(t.Context(), second.Token); err != nil {
			t.Errorf("the new session answers %v", err)
		}
	})
}

func TestTokensAreNotKept(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		opened := o.enter(t, in())
		var session, device string
		err := env.DB.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT s.token_hash, d.token_hash FROM sessions s, devices d`).Scan(&session, &device)
		})
		if err != nil {
			t.Fatal(err)
		}
		if session != seal.TokenHash(opened.Token) || device != seal.TokenHash(opened.DeviceToken) || len(opened.Token) != 43 {
			t.Errorf("kept: %s and %s", session, device)
		}
	})
}

func TestSweep(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		o.enter(t, in())
		const day = 24 * time.Hour
		for _, step := range []struct {
			at   time.Duration
			want int64
		}{{90 * day, 0}, {90*day + time.Second, 1}, {365 * day, 0}, {365*day + time.Second, 1}} {
			env.Clock.Set(storetest.Start.Add(step.at))
			n, err := o.desk.Sweep(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n != step.want {
				t.Errorf("after %s %d rows were swept, want %d", step.at, n, step.want)
			}
		}
	})
}

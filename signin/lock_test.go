package signin_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/signin"
)

const lockBrowser = "the browser's own secret"

// locked is the right way in after 60 days, and the way back in that it begins.
func (o *office) locked(t *testing.T) string {
	t.Helper()
	way := in()
	way.Browser = lockBrowser
	opened, err := o.desk.SignIn(t.Context(), way)
	if !errors.Is(err, problem.Locked) || key(err) != "signin.problem.locked" || opened.Token != "" || opened.Activation == "" {
		t.Fatalf("signed in as %+v, %v", opened, err)
	}
	return opened.Activation
}

// TestLockToTheSecond signs in 60 days less a second after the last sign-in, and 60 days and a second after that.
func TestLockToTheSecond(t *testing.T) {
	here := time.Local
	t.Cleanup(func() { time.Local = here })
	for _, zone := range []string{"UTC", "Asia/Bangkok", "America/New_York"} {
		place, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
			time.Local = place
			o := open(t, env)
			o.enter(t, in())
			o.Clock.Advance(officer.LockAfter - time.Second)
			o.enter(t, in())
			o.Clock.Advance(officer.LockAfter + time.Second)
			o.desk = o.deskOn(o.DB) // as after a restart
			o.locked(t)
		})
	}
}

// TestLockIsToldToTheOwnerAlone compares what is said to who does not know the password before and after the lock.
func TestLockIsToldToTheOwnerAlone(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		before := o.guess(t, in())
		env.Clock.Advance(officer.LockAfter)
		if after := o.guess(t, in()); key(after) != key(before) || !errors.Is(after, problem.Denied) {
			t.Errorf("before the lock %v, after %v", before, after)
		}
		o.set(t, "failures = 99")
		o.locked(t)
		var failures int
		o.read(t, `SELECT failures FROM accounts WHERE person_id = $1`, []any{o.who}, &failures)
		if failures != 0 {
			t.Errorf("a right password counts as failure %d", failures)
		}
		e := o.entries(t)
		if e[0].Name != "signin.locked" || e[0].Outcome != audit.Done || e[0].Actor != string(o.who) {
			t.Errorf("recorded: %+v", e[0])
		}
	})
}

// TestLockedSessions has a session outlive the lock, as none can with the settings there are.
func TestLockedSessions(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		d := signin.Defaults()
		if d.Absolute >= d.LockAfter {
			t.Errorf("a session of %s outlives the lock after %s", d.Absolute, d.LockAfter)
		}
		desk := signin.NewDesk(signin.Options{DB: env.DB, Roll: o.roll, Passwords: o.passwords,
			Settings: signin.Settings{Idle: 2 * officer.LockAfter, Absolute: 2 * officer.LockAfter}})
		token := o.enter(t, in()).Token
		env.Clock.Advance(officer.LockAfter - time.Second)
		if _, err := desk.Session(t.Context(), token); err != nil {
			t.Errorf("a second before the lock: %v", err)
		}
		env.Clock.Advance(time.Second)
		if _, err := desk.Session(t.Context(), token); !errors.Is(err, problem.NotFound) {
			t.Errorf("after the lock: %v", err)
		}
	})
}

// TestActivation goes the way of a locked officer to his request, and tries it out of order.
func TestActivation(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		ctx := t.Context()
		env.Clock.Advance(officer.LockAfter)
		id := o.locked(t)
		step := func(want signin.ActivationStep, a signin.Activation, err error) signin.Activation {
			t.Helper()
			if err != nil || a.Step != want {
				t.Fatalf("%+v, %v, want %s", a, err, want)
			}
			return a
		}
		a, err := o.desk.Activation(ctx, id, lockBrowser)
		step(signin.ActivationChannel, a, err)
		if len(a.Contacts) != 2 || strings.Contains(a.Contacts[notify.Email], "somsak@") {
			t.Errorf("contacts %v", a.Contacts)
		}
		for name, try := range map[string]func() error{
			"seen by another browser": func() error { _, err := o.desk.Activation(ctx, id, "another"); return err },
			"sent from another browser": func() error {
				_, err := o.desk.SendActivation(ctx, id, "another", notify.SMS)
				return err
			},
			"a code before one was sent": func() error { _, err := o.desk.ProveActivation(ctx, id, lockBrowser, "123456"); return err },
			"one that is not there":      func() error { _, err := o.desk.Activation(ctx, store.NewID(), lockBrowser); return err },
		} {
			if err := try(); !errors.Is(err, problem.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := o.desk.SendActivation(ctx, id, lockBrowser, "pigeon"); !errors.Is(err, problem.Invalid) {
			t.Errorf("by pigeon: %v", err)
		}
		a, err = o.desk.SendActivation(ctx, id, lockBrowser, notify.SMS)
		step(signin.ActivationCode, a, err)
		code := o.code(t, "activation.code")
		if _, err := o.desk.ProveActivation(ctx, id, lockBrowser, wrongFor(code)); !errors.Is(err, problem.Invalid) {
			t.Errorf("a wrong code: %v", err)
		}
		if _, err := o.desk.ProveActivation(ctx, id, "another", code); !errors.Is(err, problem.NotFound) {
			t.Errorf("the code in another browser: %v", err)
		}
		a, err = o.desk.ProveActivation(ctx, id, lockBrowser, code)
		step(signin.ActivationAsked, a, err)
		a, err = o.desk.ProveActivation(ctx, id, lockBrowser, code)
		step(signin.ActivationAsked, a, err)
		if len(o.asked) != 1 {
			t.Errorf("asked %d times", len(o.asked))
		}
		if again := o.locked(t); again != id {
			t.Error("who signs in again sees another request")
		}
		o.write(t, func(tx *store.Tx) error { return officer.Reopen(ctx, tx, o.who) })
		a, err = o.desk.Activation(ctx, id, lockBrowser)
		step(signin.ActivationConfirmed, a, err)
		o.enter(t, in())

		t.Run("once more, with what nobody decided left over", func(t *testing.T) {
			env.Clock.Advance(officer.LockAfter)
			id := o.locked(t)
			a, err := o.desk.Activation(ctx, id, lockBrowser)
			step(signin.ActivationChannel, a, err)
			a, err = o.desk.SendActivation(ctx, id, lockBrowser, notify.Email)
			step(signin.ActivationCode, a, err)
			a, err = o.desk.ProveActivation(ctx, id, lockBrowser, o.code(t, "activation.code"))
			step(signin.ActivationAsked, a, err)
		})
	})
}

// TestActivationWithoutContact leads to the help desk who has no contact that recovers.
func TestActivationWithoutContact(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		env.Clock.Advance(officer.LockAfter)
		o.write(t, func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE accounts SET email_since = $1, phone_proved_at = NULL WHERE person_id = $2`, store.Us(tx.Now), o.who)
			return err
		})
		id := o.locked(t)
		if a, err := o.desk.Activation(t.Context(), id, lockBrowser); err != nil || a.Step != signin.ActivationHelp {
			t.Errorf("%+v, %v", a, err)
		}
		if _, err := o.desk.SendActivation(t.Context(), id, lockBrowser, notify.Email); err != nil {
			t.Error(err)
		}
		if n := o.messages(t); n > 0 {
			t.Errorf("%d messages went to a contact that serves nothing", n)
		}
	})
}

// TestRemind reminds on the days 45, 53 and 59, each once, in two programs at once and after a restart.
func TestRemind(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		o.enter(t, in())
		start := env.Clock.Now()
		day := func(n int) time.Time { return start.AddDate(0, 0, n) }
		told := 0
		for _, c := range []struct {
			at   time.Time
			want bool
		}{
			{day(45).Add(-time.Second), false}, {day(45), true}, {day(45).Add(time.Hour), false}, {day(52), false},
			{day(53), true}, {day(58), false}, {day(59), true}, {day(60).Add(-time.Second), false}, {day(60), false}, {day(90), false},
		} {
			env.Clock.Set(c.at)
			var both sync.WaitGroup
			for range 2 {
				desk := o.deskOn(env.DB)
				both.Go(func() {
					if _, err := desk.Remind(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			if c.want {
				told += 2 // by mail and by SMS
			}
			if n := o.messages(t); n != told {
				t.Errorf("on day %s: %d messages, want %d", c.at.Sub(start), n, told)
			}
		}
		o.write(t, func(tx *store.Tx) error { return officer.Reopen(t.Context(), tx, o.who) })
		env.Clock.Advance(56 * 24 * time.Hour) // nobody ran on day 45, nor 53
		if n, err := o.desk.Remind(t.Context()); err != nil || n != 1 {
			t.Errorf("reminded %d, %v", n, err)
		}
	})
}

// wrongFor is a code that is not the one given.
func wrongFor(code string) string {
	if code[0] == '0' {
		return "1" + code[1:]
	}
	return "0" + code[1:]
}

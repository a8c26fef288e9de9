package signin_test

import (
	"errors"
	"testing"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/notify"
	"sitthi/signin"
)

// TestSwitchedOffComesInByNothing: who was switched off while he signed in, or reset his password, gets no further, and no
// passkey opens the door to him.
func TestSwitchedOffComesInByNothing(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		reset := o.prove(t)
		s := o.enter(t, in()).Session
		o.set(t, "state = 'disabled'")
		if _, err := o.desk.FinishReset(t.Context(), reset.ID, here, newPassword, newPassword); key(err) != "signin.problem.disabled" {
			t.Errorf("a new password: %v", err)
		}
		o.set(t, "state = 'active'")
		k, _ := o.addPasskey(t, s)
		secret, _ := o.enrol(t, s)
		o.Clock.Advance(time.Minute)
		flow := o.waits(t)
		o.set(t, "state = 'disabled'")
		if _, err := o.desk.SignInCode(t.Context(), flow, o.shows(t, secret), atHere()); key(err) != "signin.problem.disabled" {
			t.Errorf("the second factor: %v", err)
		}
		if _, err := o.byPasskey(t, k); key(err) != "signin.problem.disabled" {
			t.Errorf("a passkey: %v", err)
		}
	})
}

// TestFactorTriesOfADay: who waits a minute after each wrong code is stopped after thirty, and the owner is not elsewhere.
func TestFactorTriesOfADay(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		s := o.enter(t, in()).Session
		secret, _ := o.enrol(t, s)
		for i := range 30 {
			o.Clock.Advance(time.Minute)
			if _, err := o.desk.StepUpCode(t.Context(), s, o.wrongCode(t, secret)); key(err) != "signin.problem.factor_wrong" {
				t.Fatalf("try %d: %v", i+1, err)
			}
		}
		o.Clock.Advance(time.Minute)
		var p *problem.Problem
		if _, err := o.desk.StepUpCode(t.Context(), s, o.shows(t, secret)); !errors.As(err, &p) || !p.TooMany || p.RetryAfter < 10*time.Minute {
			t.Errorf("the 31st try: %v", err)
		}
		if _, err := o.desk.SignInCode(t.Context(), o.waits(t), o.shows(t, secret), atHere()); err != nil {
			t.Errorf("at another door: %v", err)
		}
	})
}

// TestLinkByMailServesADay: a link that goes by mail ends after 24 hours.
func TestLinkByMailServesADay(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		token := o.link(t, notify.Email)
		env.Clock.Advance(24 * time.Hour)
		if _, err := o.desk.OpenLink(t.Context(), token, here, "th"); !errors.Is(err, problem.NotFound) {
			t.Errorf("after a day: %v", err)
		}
	})
}

// TestResetThrowsOut: a reset ends every session of an account that is in use, and a browser that knew the owner knows him
// no more.
func TestResetThrowsOut(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		sessions := []signin.Opened{o.enter(t, in()), o.enter(t, in())}
		if _, err := o.desk.FinishReset(t.Context(), o.prove(t).ID, here, newPassword, newPassword); err != nil {
			t.Fatal(err)
		}
		for _, opened := range sessions {
			if _, err := o.desk.Session(t.Context(), opened.Token); !errors.Is(err, problem.NotFound) {
				t.Errorf("a session goes on: %v", err)
			}
		}
		if list, err := o.desk.Devices(t.Context(), o.who, ""); err != nil || len(list) != 0 {
			t.Errorf("still known: %+v, %v", list, err)
		}
	})
}

// TestRequestsAreKept: of the ways back in of locked officers those go that came to no request; requests stay on record.
func TestRequestsAreKept(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		o.set(t, "last_signin_at = 7")
		var asked string
		for range 2 {
			opened, err := o.desk.SignIn(t.Context(), atHere())
			if !errors.Is(err, problem.Locked) || opened.Activation == asked {
				t.Fatalf("%+v, %v", opened, err)
			}
			asked = opened.Activation
		}
		if _, err := o.desk.SendActivation(t.Context(), asked, here, notify.Email); err != nil {
			t.Fatal(err)
		}
		if a, err := o.desk.ProveActivation(t.Context(), asked, here, o.code(t, "activation.code")); err != nil || a.Step != signin.ActivationAsked {
			t.Fatalf("%+v, %v", a, err)
		}
		env.Clock.Advance(400 * 24 * time.Hour)
		if _, err := o.desk.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		var left []string
		err := env.DB.Read(t.Context(), func(tx *store.Tx) (err error) {
			left, err = store.Rows(func(r store.Row) (id string, err error) { return id, r.Scan(&id) })(tx.Query(t.Context(), `SELECT id FROM activations`))
			return err
		})
		if err != nil || len(left) != 1 || left[0] != asked {
			t.Errorf("left %v, want %s alone; %v", left, asked, err)
		}
	})
}

// TestCodeToNobodyProvesNothing: should a code come to light that was made for a citizen ID without an account, it leads
// nowhere.
func TestCodeToNobodyProvesNothing(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		r := o.begin(t, stranger, notify.Email)
		o.write(t, func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE messages SET state = 'sent' WHERE state = 'nobody'`)
			return err
		})
		if got, err := o.desk.ProveReset(t.Context(), r.ID, here, o.code(t, "reset.code")); !errors.Is(err, problem.Invalid) {
			t.Errorf("the code to nobody leads to %q: %v", got.Step, err)
		}
		if got, err := o.desk.Reset(t.Context(), r.ID, here); err != nil || got.Step != signin.ResetCode {
			t.Errorf("the reset stands at %q: %v", got.Step, err)
		}
	})
}

// TestCodeOfAMinuteAgo: the code of the step before serves, because clocks differ; the one before that does not.
func TestCodeOfAMinuteAgo(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		s := o.enter(t, in()).Session
		secret, _ := o.enrol(t, s)
		for ago, want := range map[time.Duration]string{time.Minute: "signin.problem.factor_wrong", -time.Minute: "signin.problem.factor_wrong", -30 * time.Second: ""} {
			o.Clock.Advance(10*time.Minute - ago)
			code := o.shows(t, secret)
			o.Clock.Advance(ago)
			if _, err := o.desk.StepUpCode(t.Context(), s, code); key(err) != want {
				t.Errorf("the code of %s ago: %v, want %q", ago, err, want)
			}
		}
	})
}

// TestPasskeyIsOpenedEverywhere: also as a second factor, before an act and on the way to a new password, a passkey serves
// that its owner has opened, not one that was only touched.
func TestPasskeyIsOpenedEverywhere(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		s := o.enter(t, in()).Session
		k, _ := o.addPasskey(t, s)
		flow, reset := o.waits(t), o.begin(t, somsak, notify.Email)
		if _, err := o.desk.ProveReset(t.Context(), reset.ID, here, o.code(t, "reset.code")); err != nil {
			t.Fatal(err)
		}
		k.flags = userPresent
		_, factor := o.desk.SignInFactor(t.Context(), flow, k.use(asks(t)(o.desk.AskFactor(t.Context(), flow, here))), atHere())
		_, act := o.desk.StepUpPasskey(t.Context(), s, here, k.use(asks(t)(o.desk.AskStepUp(t.Context(), s, here))))
		_, password := o.desk.ProveResetPasskey(t.Context(), reset.ID, here, k.use(asks(t)(o.desk.AskReset(t.Context(), reset.ID, here))))
		for what, err := range map[string]error{"second factor": factor, "act": act, "new password": password} {
			if key(err) != "signin.problem.passkey_wrong" {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

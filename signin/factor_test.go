package signin_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"sitthi/internal/problem"
	"sitthi/internal/storetest"
	"sitthi/notify"
	"sitthi/signin"
)

// shows is what an app with the secret shows now.
func (o *office) shows(t *testing.T, secret string) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, o.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// later is the next code that an app shows.
func (o *office) later(t *testing.T, secret string) string {
	t.Helper()
	o.Clock.Advance(30 * time.Second)
	return o.shows(t, secret)
}

// wrongCode is a code that the app shows in no step near by.
func (o *office) wrongCode(t *testing.T, secret string) string {
	t.Helper()
	near := map[string]bool{}
	for i := -3; i <= 3; i++ {
		code, err := totp.GenerateCode(secret, o.Clock.Now().Add(time.Duration(i)*30*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		near[code] = true
	}
	for n := 0; ; n++ {
		if code := fmt.Sprintf("%06d", n); !near[code] {
			return code
		}
	}
}

// enrol sets an app up for somsak.
func (o *office) enrol(t *testing.T, s signin.Session) (secret string, recovery []string) {
	t.Helper()
	if err := o.desk.BeginApp(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	app, err := o.desk.BegunApp(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	recovery, err = o.desk.ConfirmApp(t.Context(), s, o.shows(t, app.Secret))
	if err != nil {
		t.Fatal(err)
	}
	return app.Secret, recovery
}

// atHere is the right way in, from the browser of the flows.
func atHere() signin.In {
	i := in()
	i.Browser = here
	return i
}

// waits signs in up to the second factor.
func (o *office) waits(t *testing.T) (flow string) {
	t.Helper()
	opened := o.enter(t, atHere())
	if opened.Flow == "" || opened.Token != "" || opened.DeviceToken != "" || opened.Session.ID != "" {
		t.Fatalf("a right password gives %+v before the second factor", opened)
	}
	return opened.Flow
}

func (o *office) purposes(t *testing.T) (list []string) {
	t.Helper()
	messages, err := o.outbox.List(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		list = append(list, m.Purpose)
	}
	return list
}

func count(list []string, want string) (n int) {
	for _, one := range list {
		if one == want {
			n++
		}
	}
	return n
}

func TestSetUpOfAnApp(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		s := o.enter(t, in()).Session
		other := o.enter(t, in())
		if s.Factor {
			t.Error("a session has a factor before one is set up")
		}
		if _, err := o.desk.ConfirmApp(t.Context(), s, "123456"); !errors.Is(err, problem.NotFound) {
			t.Errorf("confirmed what was not begun: %v", err)
		}
		if err := o.desk.BeginApp(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		app, err := o.desk.BegunApp(t.Context(), s)
		if err != nil || len(app.Secret) != 32 || !strings.Contains(app.URL, "secret="+app.Secret) || strings.Contains(app.URL, "3990000000228") {
			t.Fatalf("%+v, %v", app, err)
		}
		if err := o.desk.BeginApp(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if again, err := o.desk.BegunApp(t.Context(), s); err != nil || again.Secret != app.Secret {
			t.Error("a picture that was scanned turned wrong")
		}
		for _, typed := range []string{"", "12345", o.wrongCode(t, app.Secret), "7K3M-Q9XA-4TWP"} {
			if _, err := o.desk.ConfirmApp(t.Context(), s, typed); !errors.Is(err, problem.Invalid) {
				t.Errorf("%q: %v", typed, err)
			}
		}
		if o.enter(t, in()).Flow != "" {
			t.Error("a factor is asked for that was not confirmed")
		}
		code := o.shows(t, app.Secret)
		recovery, err := o.desk.ConfirmApp(t.Context(), s, " "+code[:3]+" "+code[3:])
		if err != nil || len(recovery) != signin.RecoveryCodes {
			t.Fatalf("%v, %v", recovery, err)
		}
		if _, err := o.desk.Session(t.Context(), other.Token); !errors.Is(err, problem.NotFound) {
			t.Errorf("another session goes on: %v", err)
		}
		if left, err := o.desk.List(t.Context(), o.who); err != nil || len(left) != 1 || left[0].ID != s.ID || !left[0].Factor {
			t.Errorf("sessions %+v, %v", left, err)
		}
		if got := count(o.purposes(t), "factor.added"); got != 2 {
			t.Errorf("%d messages told of it, want one to each contact", got)
		}
		flow := o.waits(t)
		if _, err := o.desk.SignInCode(t.Context(), flow, code, atHere()); key(err) != "signin.problem.factor_wrong" {
			t.Errorf("the code that set the app up: %v", err)
		}
		f, err := o.desk.Factors(t.Context(), o.who)
		if err != nil || f.App.IsZero() || f.Recovery != signin.RecoveryCodes || !f.Any() {
			t.Errorf("%+v, %v", f, err)
		}
		// An hour is enough, and a key that was shown for longer is none.
		if err := o.desk.BeginApp(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		o.Clock.Advance(time.Hour)
		if _, err := o.desk.BegunApp(t.Context(), s); !errors.Is(err, problem.NotFound) {
			t.Errorf("after an hour: %v", err)
		}
	})
}

func TestSecondFactorAtSignIn(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		secret, recovery := o.enrol(t, o.enter(t, in()).Session)
		o.Clock.Advance(time.Minute)

		flow := o.waits(t)
		code := o.shows(t, secret)
		elsewhere := atHere()
		elsewhere.Browser = "another browser"
		none := atHere()
		none.Browser = ""
		for name, try := range map[string]func() error{
			"another browser": func() error { _, err := o.desk.SignInCode(t.Context(), flow, code, elsewhere); return err },
			"no browser":      func() error { _, err := o.desk.SignInCode(t.Context(), flow, code, none); return err },
			"no flow":         func() error { _, err := o.desk.SignInCode(t.Context(), "", code, atHere()); return err },
			"asked elsewhere": func() error { _, err := o.desk.FactorsAsked(t.Context(), flow, "another browser"); return err },
		} {
			if err := try(); !errors.Is(err, problem.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		o.Clock.Advance(-30 * time.Second)
		early := o.shows(t, secret)
		o.Clock.Advance(time.Minute)
		opened, err := o.desk.SignInCode(t.Context(), flow, code, atHere()) // of the step before
		if err != nil || opened.Token == "" || opened.Session.Person != o.who || !opened.Session.Factor || !opened.Session.SteppedUp(o.Clock.Now()) {
			t.Fatalf("%+v, %v", opened, err)
		}
		if _, err := o.desk.Session(t.Context(), opened.Token); err != nil {
			t.Error(err)
		}
		if _, err := o.desk.SignInCode(t.Context(), flow, o.later(t, secret), atHere()); !errors.Is(err, problem.NotFound) {
			t.Errorf("a sign-in that is done: %v", err)
		}
		next := o.waits(t)
		for name, typed := range map[string]string{"used": code, "of a step before one that was used": early, "wrong": o.wrongCode(t, secret)} {
			if _, err := o.desk.SignInCode(t.Context(), next, typed, atHere()); key(err) != "signin.problem.factor_wrong" {
				t.Errorf("%s: %v", name, err)
			}
		}
		o.Clock.Advance(5 * time.Minute)
		if _, err := o.desk.SignInCode(t.Context(), next, o.shows(t, secret), atHere()); !errors.Is(err, problem.NotFound) {
			t.Errorf("after five minutes: %v", err)
		}
		// A recovery code, as it may be typed.
		next = o.waits(t)
		typed := strings.ToLower(strings.ReplaceAll(recovery[3], "-", " "))
		if _, err := o.desk.SignInCode(t.Context(), next, typed, atHere()); err != nil {
			t.Fatal(err)
		}
		if got := count(o.purposes(t), "factor.recovery"); got != 2 {
			t.Errorf("%d messages told of a recovery code", got)
		}
		if _, err := o.desk.SignInCode(t.Context(), o.waits(t), recovery[3], atHere()); key(err) != "signin.problem.factor_wrong" {
			t.Errorf("a recovery code works twice: %v", err)
		}
		// Signed out everywhere, a sign-in under way is over.
		next = o.waits(t)
		if err := o.desk.EndEverywhere(t.Context(), o.who); err != nil {
			t.Fatal(err)
		}
		if _, err := o.desk.SignInCode(t.Context(), next, o.later(t, secret), atHere()); !errors.Is(err, problem.NotFound) {
			t.Errorf("after all was ended: %v", err)
		}
		o.set(t, "state = 'disabled'")
		if _, err := o.desk.SignIn(t.Context(), atHere()); key(err) != "signin.problem.disabled" {
			t.Errorf("disabled: %v", err)
		}
	})
}

// race runs 32 tries at once: how many were right, and how many were compared.
func race(t *testing.T, try func() error) (right, compared int64) {
	t.Helper()
	var ok, looked atomic.Int64
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			for {
				err := try()
				var p *problem.Problem
				switch {
				case err == nil:
					ok.Add(1)
					looked.Add(1)
				case errors.As(err, &p) && p.Kind == problem.Busy && !p.TooMany:
					continue // lost against the others too often: nothing was counted
				case errors.Is(err, problem.Denied):
					looked.Add(1)
				case !errors.Is(err, problem.Busy) && !errors.Is(err, problem.NotFound):
					t.Error(err)
				}
				return
			}
		})
	}
	wait.Wait()
	return ok.Load(), looked.Load()
}

// TestCodeOfAnAppWorksOnce is guarantee P3 for second factors.
func TestCodeOfAnAppWorksOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		s := o.enter(t, in()).Session
		secret, recovery := o.enrol(t, s)
		o.Clock.Advance(time.Minute)
		flows := make(chan string, 4)
		for range cap(flows) {
			flows <- o.waits(t)
		}
		code := o.shows(t, secret)
		right, compared := race(t, func() error { _, err := o.desk.SignInCode(t.Context(), flowOf(flows), code, atHere()); return err })
		if right != 1 || compared > 10 { // the right one frees the limit once
			t.Errorf("32 right codes in 4 sign-ins: %d sessions, %d compared", right, compared)
		}
		o.Clock.Advance(time.Hour)
		flow := o.waits(t)
		if right, _ := race(t, func() error { _, err := o.desk.SignInCode(t.Context(), flow, recovery[0], atHere()); return err }); right != 1 {
			t.Errorf("a recovery code opened %d sessions", right)
		}
		o.Clock.Advance(time.Hour)
		flow = o.waits(t)
		bad := o.wrongCode(t, secret)
		if right, compared := race(t, func() error { _, err := o.desk.SignInCode(t.Context(), flow, bad, atHere()); return err }); right != 0 || compared != 5 {
			t.Errorf("32 wrong codes: %d sessions, %d compared", right, compared)
		}
		_, err := o.desk.SignInCode(t.Context(), flow, o.shows(t, secret), atHere())
		var p *problem.Problem
		if !errors.As(err, &p) || !p.TooMany || p.RetryAfter != time.Minute {
			t.Errorf("the sixth try: %v", err)
		}
		// Whoever guesses from elsewhere does not hold the owner up in a session of his.
		if _, err := o.desk.StepUpCode(t.Context(), s, o.shows(t, secret)); err != nil {
			t.Errorf("the owner is held up: %v", err)
		}
	})
}

// flowOf takes one of many sign-ins, each once around.
func flowOf(flows chan string) string {
	f := <-flows
	flows <- f
	return f
}

func TestFactorTakesThePlaceOfThePassword(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		opened := o.enter(t, in())
		secret, _ := o.enrol(t, opened.Session)
		o.Clock.Advance(6 * time.Minute)
		if _, err := o.desk.StepUp(t.Context(), opened.Session, password); key(err) != "signin.problem.factor_needed" {
			t.Errorf("the password alone: %v", err)
		}
		if s, err := o.desk.Session(t.Context(), opened.Token); err != nil || s.SteppedUp(o.Clock.Now()) {
			t.Errorf("stepped up by the password: %v", err)
		}
		code := o.shows(t, secret)
		token, err := o.desk.StepUpCode(t.Context(), opened.Session, code)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := o.desk.Session(t.Context(), token); err != nil || !s.SteppedUp(o.Clock.Now()) {
			t.Errorf("not stepped up: %v", err)
		}
		if _, err := o.desk.StepUpCode(t.Context(), opened.Session, code); key(err) != "signin.problem.factor_wrong" {
			t.Errorf("the same code again: %v", err)
		}
		// Another phone takes the place of the first, and the last to go takes the recovery codes along.
		second, more := o.enrol(t, opened.Session)
		if second == secret || more != nil {
			t.Errorf("a new phone has the key of the old one, or brings codes %v", more)
		}
		if _, err := o.desk.StepUpCode(t.Context(), opened.Session, o.later(t, secret)); key(err) != "signin.problem.factor_wrong" {
			t.Errorf("the old phone: %v", err)
		}
		again, err := o.desk.NewRecovery(t.Context(), opened.Session)
		if err != nil || len(again) != signin.RecoveryCodes {
			t.Fatalf("%v, %v", again, err)
		}
		if err := o.desk.RemoveApp(t.Context(), opened.Session, false); err != nil {
			t.Fatal(err)
		}
		f, err := o.desk.Factors(t.Context(), o.who)
		if err != nil || f.Any() || f.Recovery != 0 {
			t.Errorf("left: %+v, %v", f, err)
		}
		if err := o.desk.RemoveApp(t.Context(), opened.Session, false); !errors.Is(err, problem.NotFound) {
			t.Errorf("removed twice: %v", err)
		}
		if _, err := o.desk.NewRecovery(t.Context(), opened.Session); !errors.Is(err, problem.NotFound) {
			t.Errorf("codes in place of nothing: %v", err)
		}
		if got := o.purposes(t); count(got, "factor.added") != 4 || count(got, "factor.codes") != 2 || count(got, "factor.removed") != 2 {
			t.Errorf("told: %v", got)
		}
		if o.enter(t, in()).Flow != "" {
			t.Error("a factor is asked for that is gone")
		}
	})
}

// TestResetAsksForTheFactor is trust.md 10: a recovery never skips the second factor.
func TestResetAsksForTheFactor(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		secret, recovery := o.enrol(t, o.enter(t, in()).Session)
		o.Clock.Advance(time.Minute)
		r := o.begin(t, somsak, notify.Email)
		if _, err := o.desk.ProveResetCode(t.Context(), r.ID, here, o.shows(t, secret)); !errors.Is(err, problem.NotFound) {
			t.Errorf("the factor before the code: %v", err)
		}
		r, err := o.desk.ProveReset(t.Context(), r.ID, here, o.code(t, "reset.code"))
		if err != nil || r.Step != signin.ResetFactor {
			t.Fatalf("the code leads to %q: %v", r.Step, err)
		}
		if _, err := o.desk.FinishReset(t.Context(), r.ID, here, newPassword, newPassword); !errors.Is(err, problem.NotFound) {
			t.Errorf("skipped the factor: %v", err)
		}
		if _, err := o.desk.ProveResetCode(t.Context(), r.ID, "another browser", o.shows(t, secret)); !errors.Is(err, problem.NotFound) {
			t.Errorf("another browser: %v", err)
		}
		if _, err := o.desk.ProveResetCode(t.Context(), r.ID, here, o.wrongCode(t, secret)); key(err) != "signin.problem.factor_wrong" {
			t.Errorf("a wrong code: %v", err)
		}
		if f, err := o.desk.FactorsOfReset(t.Context(), r.ID, here); err != nil || f.App.IsZero() {
			t.Errorf("%+v, %v", f, err)
		}
		if r, err = o.desk.ProveResetCode(t.Context(), r.ID, here, recovery[0]); err != nil || r.Step != signin.ResetPassword {
			t.Fatalf("%q, %v", r.Step, err)
		}
		if r, err = o.desk.FinishReset(t.Context(), r.ID, here, newPassword, newPassword); err != nil || r.Step != signin.ResetDone {
			t.Fatalf("%q, %v", r.Step, err)
		}
		i := atHere()
		i.Password = newPassword
		if opened := o.enter(t, i); opened.Flow == "" {
			t.Error("a new password takes the factor away")
		}
	})
}

func TestShortPasswordIsNoted(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		if o.enter(t, in()).Session.ShortPassword {
			t.Error("a long password counts as short")
		}
		const short = "ฟ้าใส-12345ab" // 13 characters
		hash, err := o.passwords.Hash(t.Context(), short)
		if err != nil {
			t.Fatal(err)
		}
		o.set(t, "password_hash = '"+hash+"'")
		i := in()
		i.Password = short
		opened := o.enter(t, i)
		if s, err := o.desk.Session(t.Context(), opened.Token); err != nil || !s.ShortPassword {
			t.Errorf("a short password counts as long: %v", err)
		}
		// So it does beyond the second factor.
		secret, _ := o.enrol(t, opened.Session)
		i.Browser = here
		opened, err = o.desk.SignInCode(t.Context(), o.enter(t, i).Flow, o.later(t, secret), i)
		if err != nil || !opened.Session.ShortPassword {
			t.Errorf("with the second factor a short password counts as long: %v", err)
		}
	})
}

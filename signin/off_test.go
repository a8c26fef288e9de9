package signin_test

import (
	"errors"
	"testing"
	"time"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
)

// isOff tells whether the password is switched off.
func (o *office) isOff(t *testing.T) (off bool) {
	t.Helper()
	err := o.DB.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT password_off FROM accounts WHERE person_id = $1`, o.who).Scan(&off)
	})
	if err != nil {
		t.Fatal(err)
	}
	return off
}

// TestStrangersSwitchOffForStrangersOnly guesses a hundred times from browsers not known: no such browser gets in any
// more, and the one that knows the owner does, which ends it.
func TestStrangersSwitchOffForStrangersOnly(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		home := in()
		home.Device = o.enter(t, in()).DeviceToken
		o.set(t, `failures = 99`)
		o.guess(t, in())
		if n := o.failures(t); n != 100 || !o.isOff(t) {
			t.Fatalf("%d failures, switched off: %v", n, o.isOff(t))
		}
		for range 3 {
			env.Clock.Advance(time.Hour)
			if _, err := o.desk.SignIn(t.Context(), in()); key(err) != "signin.problem.wrong" {
				t.Errorf("the right password from a browser not known: %v", err)
			}
		}
		if n := o.failures(t); n != 100 {
			t.Errorf("strangers made it %d failures: they use up the owner's own", n)
		}
		stolen := home
		stolen.Device = "made up"
		if _, err := o.desk.SignIn(t.Context(), stolen); key(err) != "signin.problem.wrong" {
			t.Errorf("the right password with a token made up: %v", err)
		}
		o.enter(t, home)
		if n := o.failures(t); n != 0 || o.isOff(t) {
			t.Errorf("after the owner came in: %d failures, switched off: %v", n, o.isOff(t))
		}
		if e := o.entries(t)[1]; e.Name != "signin.switch_on" || e.Actor != string(o.who) || e.Subject != string(o.who) || e.Unit != "TH-12" {
			t.Errorf("recorded: %+v", e)
		}
		env.Clock.Advance(time.Hour)
		o.enter(t, in())
	})
}

// TestKnownBrowserMayFailAHundredTimesMore is the boundary for a browser that was stolen together with its cookies.
func TestKnownBrowserMayFailAHundredTimesMore(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		opened := o.enter(t, in())
		home := in()
		home.Device = opened.DeviceToken
		o.set(t, `failures = 199, password_off = TRUE`)
		env.Clock.Advance(time.Minute)
		o.enter(t, home) // the two hundredth try
		o.set(t, `failures = 198, password_off = TRUE`)
		env.Clock.Advance(time.Minute)
		if _, err := o.desk.StepUp(t.Context(), opened.Session, password); err != nil {
			t.Errorf("within the session: %v", err)
		}
		if n := o.failures(t); n != 0 || o.isOff(t) {
			t.Errorf("after it: %d failures, switched off: %v", n, o.isOff(t))
		}
		o.set(t, `failures = 199, password_off = TRUE`)
		env.Clock.Advance(time.Hour)
		o.guess(t, home)
		if _, err := o.desk.SignIn(t.Context(), home); key(err) != "signin.problem.wrong" {
			t.Errorf("the right password as try 201: %v", err)
		}
		if _, err := o.desk.StepUp(t.Context(), opened.Session, password); key(err) != "signin.problem.wrong_password" {
			t.Errorf("the right password as try 202, within the session: %v", err)
		}
		if n := o.failures(t); n != 200 {
			t.Errorf("%d failures are counted", n)
		}
	})
}

// TestReopen switches a password on again from the terminal, for an owner whom no browser knows.
func TestReopen(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		citizen, err := thai.ParseCitizenID(somsak)
		if err != nil {
			t.Fatal(err)
		}
		opened := o.enter(t, in())
		o.set(t, `failures = 99`)
		for range 5 {
			o.guess(t, in())
			if _, err := o.desk.StepUp(t.Context(), opened.Session, "wrong"); err == nil {
				t.Error("a wrong password was taken")
			}
		}
		if _, err := o.desk.SignIn(t.Context(), in()); !errors.Is(err, problem.Busy) || !o.isOff(t) {
			t.Fatalf("before: %v, switched off: %v", err, o.isOff(t))
		}
		other := in()
		other.CitizenID = stranger
		for range 5 {
			o.guess(t, other)
		}
		if err := o.desk.Reopen(t.Context(), citizen); err != nil {
			t.Fatal(err)
		}
		e := o.entries(t)[0]
		if e.Name != "officer.reopen_password" || e.Actor != audit.Terminal || e.Subject != string(o.who) || e.Unit != "TH-12" || e.Outcome != audit.Done {
			t.Errorf("recorded: %+v", e)
		}
		o.enter(t, in())
		if _, err := o.desk.StepUp(t.Context(), opened.Session, password); err != nil {
			t.Errorf("within the session: %v", err)
		}
		if err := o.guess(t, other); !errors.Is(err, problem.Busy) {
			t.Errorf("another's limit was released, too: %v", err)
		}
		nobody, err := thai.ParseCitizenID(stranger)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.desk.Reopen(t.Context(), nobody); !errors.Is(err, problem.NotFound) {
			t.Errorf("who has no account: %v, want NotFound", err)
		}
	})
}

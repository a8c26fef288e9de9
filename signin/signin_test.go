package signin_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/proof"
	"sitthi/signin"
)

func TestSignIn(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		env.Clock.Advance(time.Hour)
		way := in()
		way.CitizenID = "๓ ๙๙๐๐ ๐๐๐๐๐ ๒๒ ๘"
		opened := o.enter(t, way)
		s, err := o.desk.Session(t.Context(), opened.Token)
		if err != nil {
			t.Fatal(err)
		}
		if s != opened.Session || s.Person != o.who || s.Account.Name() != "สมศักดิ์ ใจดี" || !s.CreatedAt.Equal(env.DB.Now()) ||
			!s.SteppedUp(env.DB.Now()) || s.Address != address || s.Agent != "Firefox" || !s.Account.LastSignIn.Equal(env.DB.Now()) {
			t.Errorf("the session is %+v", s)
		}
		e := o.entries(t)
		if len(e) != 1 || e[0].Name != "signin.open" || e[0].Outcome != audit.Done || e[0].Object != s.ID || e[0].Unit != "TH-12" {
			t.Errorf("recorded: %+v", e)
		}
	})
}

func TestWhatIsNoSignIn(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		for _, c := range []struct {
			citizen, password string
			want              map[string]string
		}{
			{"", "", map[string]string{"citizen_id": "signin.problem.citizen_id_empty", "password": "signin.problem.password_empty"}},
			{"123", password, map[string]string{"citizen_id": "signin.problem.citizen_id_form"}},
			{"0995000000015", password, map[string]string{"citizen_id": "signin.problem.citizen_id_form"}},
		} {
			_, err := o.desk.SignIn(t.Context(), signin.In{CitizenID: c.citizen, Password: c.password, Address: address})
			var p *problem.Problem
			got := map[string]string{}
			if errors.As(err, &p) && p.Kind == problem.Invalid {
				for _, f := range p.Fields {
					got[f.Name] = f.Key
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%q: %v, want faults %v", c.citizen, err, c.want)
			}
		}
	})
}

// TestOneAnswerToAllFailures compares what is told and what is recorded, whatever the cause.
func TestOneAnswerToAllFailures(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		wrongPassword := o.guess(t, in())
		way := in()
		way.CitizenID = stranger
		before := audit.AnonymousRefusals()
		_, unknown := o.desk.SignIn(t.Context(), way)
		if audit.AnonymousRefusals() != before+1 {
			t.Error("the refusal of a stranger was not counted")
		}
		way.CitizenID = "3-9900-00000-22-1" // its check digit is wrong
		_, checkDigit := o.desk.SignIn(t.Context(), way)
		o.set(t, `password_off = TRUE`)
		_, off := o.desk.SignIn(t.Context(), in())
		for i, err := range []error{wrongPassword, unknown, checkDigit, off} {
			if !errors.Is(err, problem.Denied) || key(err) != "signin.problem.wrong" || err.Error() != wrongPassword.Error() {
				t.Errorf("failure %d answers %v", i, err)
			}
		}
		entries := o.entries(t)
		if len(entries) != 2 {
			t.Errorf("%d entries, want those of the known person", len(entries))
		}
		for _, e := range entries {
			if e.Name != "signin.open" || e.Outcome != audit.Denied || e.Actor != string(o.who) || e.Detail["why"] != "signin.problem.wrong" {
				t.Errorf("recorded: %+v", e)
			}
		}
	})
}

func TestDisabledIsToldOnlyAfterARightPassword(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		o.set(t, `state = 'disabled'`)
		if err := o.guess(t, in()); key(err) != "signin.problem.wrong" {
			t.Errorf("a wrong password answers %v", err)
		}
		if _, err := o.desk.SignIn(t.Context(), in()); key(err) != "signin.problem.disabled" || !errors.Is(err, problem.Denied) {
			t.Errorf("the right password answers %v", err)
		}
	})
}

func TestGuessingIsSlowedDown(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		for _, citizen := range []string{somsak, stranger} { // one like the other
			way := in()
			way.CitizenID = citizen
			start := env.DB.Now()
			for i := range 5 {
				way.Address = fmt.Sprintf("198.51.100.%d", i) // a new address helps nothing
				if err := o.guess(t, way); !errors.Is(err, problem.Denied) {
					t.Fatalf("%s: guess %d answers %v", citizen, i+1, err)
				}
			}
			for _, c := range []struct {
				at   time.Duration
				busy bool
			}{{0, true}, {59 * time.Second, true}, {60 * time.Second, false}, {61 * time.Second, true}, {119 * time.Second, true}, {121 * time.Second, false}} {
				env.Clock.Set(start.Add(c.at))
				err := o.guess(t, way)
				if errors.Is(err, problem.Busy) != c.busy {
					t.Errorf("%s: after %s: %v", citizen, c.at, err)
				}
				var p *problem.Problem
				if c.at == 59*time.Second && (!errors.As(err, &p) || p.RetryAfter != time.Second || !p.TooMany) {
					t.Errorf("%s: a second too early: %+v", citizen, p)
				}
			}
			env.Clock.Advance(time.Hour)
		}
	})
}

// TestOwnerIsNotLockedOut lets a stranger use up every try at the account; the owner's own browser gets in.
func TestOwnerIsNotLockedOut(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		home := o.enter(t, in())
		env.Clock.Advance(time.Hour)
		attack := in()
		attack.Address = "198.51.100.1"
		for range 10 {
			attack.Device = "made up"
			o.guess(t, attack)
		}
		if _, err := o.desk.SignIn(t.Context(), in()); !errors.Is(err, problem.Busy) {
			t.Errorf("the owner from a browser not seen before: %v, want Busy", err)
		}
		way := in()
		way.Device = home.DeviceToken
		opened := o.enter(t, way)
		if opened.DeviceToken != home.DeviceToken {
			t.Error("a known browser was given a new name")
		}
		// Its own throttle is as strict: five tries at once, this sign-in counted.
		for i := range 5 {
			err := o.guess(t, way)
			if busy := errors.Is(err, problem.Busy); busy != (i == 4) {
				t.Errorf("guess %d from the known browser: %v", i+1, err)
			}
		}
	})
}

// TestDeviceIsKnownForItsPersonOnly uses the token of one person's browser for another's account.
func TestDeviceIsKnownForItsPersonOnly(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		way := in()
		way.Device = o.enter(t, in()).DeviceToken
		way.CitizenID = stranger
		for i := range 6 {
			err := o.guess(t, way)
			if busy := errors.Is(err, problem.Busy); busy != (i == 5) {
				t.Errorf("guess %d: %v", i+1, err)
			}
		}
		way.Device = "" // the same throttle: the token was no help
		if err := o.guess(t, way); !errors.Is(err, problem.Busy) {
			t.Errorf("without the token: %v, want Busy", err)
		}
	})
}

func TestAddressIsLimited(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		// Sixty persons at once behind one /64, each with a citizen ID of his own that nobody has.
		for i := range 61 {
			way := in()
			way.CitizenID = fmt.Sprintf("49900000%05d", i)
			way.Address = fmt.Sprintf("2001:db8:1:2::%x", i)
			err := o.guess(t, way)
			if busy := errors.Is(err, problem.Busy); busy != (i == 60) {
				t.Fatalf("try %d: %v", i+1, err)
			}
		}
		way := in()
		way.Address = "2001:db8:1:3::1"
		o.enter(t, way)
		env.Clock.Advance(time.Second)
		way.Address = "2001:db8:1:2::1"
		o.enter(t, way)
	})
}

// TestThrottleHoldsUnderConcurrency guesses from many browsers at the same moment.
func TestThrottleHoldsUnderConcurrency(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		var compared atomic.Int64
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				way := in()
				way.Password = "ไม่ใช่รหัสผ่านนี้แน่นอน"
				_, err := o.desk.SignIn(t.Context(), way)
				switch {
				case errors.Is(err, problem.Denied):
					compared.Add(1)
				case !errors.Is(err, problem.Busy):
					t.Errorf("a guess answers %v", err)
				}
			})
		}
		group.Wait()
		if compared.Load() > 5 || compared.Load() == 0 {
			t.Errorf("%d passwords were compared, want at most 5", compared.Load())
		}
	})
}

// TestSentAwayCostsNoTry: who comes while too many wait for a processor has tried nothing, however often he comes.
func TestSentAwayCostsNoTry(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		var full []proof.Turn
		for {
			turn, err := o.passwords.Turn()
			if errors.Is(err, problem.Busy) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			full = append(full, turn)
		}
		for range 120 {
			if _, err := o.desk.SignIn(t.Context(), in()); key(err) != "problem.busy" {
				t.Fatalf("while all turns are taken: %v", err)
			}
		}
		for _, turn := range full {
			turn.Leave()
		}
		o.enter(t, in())
	})
}

func TestHundredFailuresSwitchThePasswordOff(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		home := o.enter(t, in())
		known := in()
		known.Device = home.DeviceToken

		// Ninety-nine are not enough, and a success starts the count anew.
		o.set(t, `failures = 98`)
		env.Clock.Advance(time.Hour)
		o.guess(t, in())
		o.enter(t, known)
		if n := o.failures(t); n != 0 {
			t.Errorf("%d failures are counted after a success", n)
		}

		o.set(t, `failures = 98`)
		env.Clock.Advance(time.Hour)
		o.guess(t, in())
		if list, err := o.outbox.List(t.Context(), 10); err != nil || len(list) != 0 {
			t.Errorf("after 99 failures: %d messages, %v", len(list), err)
		}
		o.guess(t, in())
		list, err := o.outbox.List(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != 2 || list[0].Purpose != "signin.off" || list[1].Purpose != "signin.off" || list[0].Channel == list[1].Channel {
			t.Errorf("after 100 failures: %+v", list)
		}
		env.Clock.Advance(time.Hour)
		if _, err := o.desk.SignIn(t.Context(), in()); key(err) != "signin.problem.wrong" {
			t.Errorf("the right password afterwards: %v", err)
		}
		s, err := o.desk.Session(t.Context(), home.Token)
		if err == nil {
			t.Errorf("an old session is live after two hours: %+v", s)
		}
		off := 0
		for _, e := range o.entries(t) {
			if e.Name == "signin.switch_off" {
				off++
				if e.Actor != audit.System || e.Subject != string(o.who) {
					t.Errorf("recorded: %+v", e)
				}
			}
		}
		if off != 1 {
			t.Errorf("the password was switched off %d times", off)
		}
	})
}

// TestNoGuessBeyondTheHundredth has many tries on their way when the hundredth fails.
func TestNoGuessBeyondTheHundredth(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		o.set(t, `failures = 100`)
		if _, err := o.desk.SignIn(t.Context(), in()); key(err) != "signin.problem.wrong" {
			t.Errorf("the right password as try 101: %v", err)
		}
	})
}

func (o *office) failures(t *testing.T) (n int) {
	t.Helper()
	err := o.DB.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT failures FROM accounts WHERE person_id = $1`, o.who).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRehash signs in with a hash of an older, cheaper kind: it is replaced, and the password stays.
func TestRehash(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		current := o.hash(t)
		o.enter(t, in())
		if o.hash(t) != current {
			t.Error("a hash that was up to date was replaced")
		}
		pepper, err := o.ring.Pepper(1)
		if err != nil {
			t.Fatal(err)
		}
		cheap := cheaper(pepper)
		o.set(t, `password_hash = '`+cheap+`'`)
		o.enter(t, in())
		if now := o.hash(t); now == cheap || now[:len("$argon2id$v=19$m=19456,")] != current[:len("$argon2id$v=19$m=19456,")] {
			t.Errorf("the hash became %s", now)
		}
		o.enter(t, in())
	})
}

// cheaper hashes the password as an older installation may have done.
func cheaper(pepper []byte) string {
	mac := hmac.New(sha256.New, pepper)
	mac.Write([]byte(password)) // it is in NFC
	salt := []byte("salt of the test")
	sum := argon2.IDKey(mac.Sum(nil), salt, 1, 64, 1, 32)
	b64 := base64.RawStdEncoding
	return "$argon2id$v=19$m=64,t=1,p=1$" + b64.EncodeToString(salt) + "$" + b64.EncodeToString(sum)
}

func (o *office) hash(t *testing.T) (hash string) {
	t.Helper()
	err := o.DB.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT password_hash FROM accounts WHERE person_id = $1`, o.who).Scan(&hash)
	})
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// TestCancelledSignIn opens nothing.
func TestCancelledSignIn(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := o.desk.SignIn(ctx, in()); !errors.Is(err, context.Canceled) {
			t.Errorf("the answer is %v", err)
		}
		if list, err := o.desk.List(t.Context(), o.who); err != nil || len(list) != 0 {
			t.Errorf("sessions: %v, %v", list, err)
		}
	})
}

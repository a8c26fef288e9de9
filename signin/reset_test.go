package signin_test

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/notify"
	"sitthi/signin"
)

const (
	here        = "the token of this browser"
	newPassword = "ลำน้ำเจ้าพระยายามเย็น"
)

// code answers the code that was sent last, "" for none.
func (o *office) code(t *testing.T, purpose string) string {
	t.Helper()
	list, err := o.outbox.List(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if m.Purpose == purpose {
			return regexp.MustCompile(`\b\d{6}\b`).FindString(m.Text)
		}
	}
	return ""
}

// begin brings a reset of the citizen ID up to where a code was sent.
func (o *office) begin(t *testing.T, citizen string, channel notify.Channel) signin.Reset {
	t.Helper()
	r, err := o.desk.StartReset(t.Context(), citizen, here, locale.TH)
	if err == nil {
		r, err = o.desk.SendReset(t.Context(), r.ID, here, channel)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// prove brings a reset of somsak up to the new password.
func (o *office) prove(t *testing.T) signin.Reset {
	t.Helper()
	r := o.begin(t, somsak, notify.Email)
	r, err := o.desk.ProveReset(t.Context(), r.ID, here, o.code(t, "reset.code"))
	if err != nil || r.Step != signin.ResetPassword {
		t.Fatalf("the right code leads to %q: %v", r.Step, err)
	}
	return r
}

func TestReset(t *testing.T) {
	for _, channel := range []notify.Channel{notify.Email, notify.SMS} {
		storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
			o := open(t, env)
			known := signin.Opened{}
			if channel == notify.Email {
				known = o.enter(t, in())
			}
			o.set(t, "password_off = TRUE, failures = 100, last_signin_at = 7")
			r := o.begin(t, somsak, channel)
			if r.Step != signin.ResetCode || r.Channel != channel {
				t.Fatalf("after sending: %+v", r)
			}
			if _, err := o.desk.ProveReset(t.Context(), r.ID, here, "๑๒๓"); !errors.Is(err, problem.Invalid) {
				t.Errorf("three digits: %v", err)
			}
			r, err := o.desk.ProveReset(t.Context(), r.ID, here, o.code(t, "reset.code"))
			if err != nil || r.Step != signin.ResetPassword {
				t.Fatalf("the right code leads to %q: %v", r.Step, err)
			}
			for typed, field := range map[[2]string]string{
				{"", ""}: signin.FieldPassword, {"short", "short"}: signin.FieldPassword, {"Somsak-1234", "Somsak-1234"}: signin.FieldPassword,
				{newPassword, "other"}: signin.FieldPasswordAgain,
			} {
				_, err := o.desk.FinishReset(t.Context(), r.ID, here, typed[0], typed[1])
				var p *problem.Problem
				if !errors.As(err, &p) || p.Kind != problem.Invalid || p.Fields[0].Name != field {
					t.Errorf("%q: %v, want a fault of %s", typed, err, field)
				}
			}
			if r, err = o.desk.FinishReset(t.Context(), r.ID, here, newPassword, newPassword); err != nil || r.Step != signin.ResetDone {
				t.Fatalf("setting the password leads to %q: %v", r.Step, err)
			}
			if known.Token != "" {
				if _, err := o.desk.Session(t.Context(), known.Token); !errors.Is(err, problem.NotFound) {
					t.Errorf("a session from before: %v", err)
				}
			}
			var lastSignIn int64
			var off bool
			o.read(t, `SELECT last_signin_at, password_off FROM accounts WHERE person_id = $1`, []any{o.who}, &lastSignIn, &off)
			if lastSignIn != 7 || off {
				t.Errorf("last sign-in %d: a reset is none; password off: %v", lastSignIn, off)
			}
			told := map[notify.Channel]int{}
			list, err := o.outbox.List(t.Context(), 20)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range list {
				if m.Purpose == "signin.reset" {
					told[m.Channel]++
				}
			}
			if told[notify.Email] != 1 || told[notify.SMS] != 1 {
				t.Errorf("told: %v", told)
			}
			if _, err := o.desk.SignIn(t.Context(), in()); key(err) != "signin.problem.wrong" {
				t.Errorf("the old password: %v", err)
			}
			way := in()
			way.Password = newPassword
			if _, err := o.desk.SignIn(t.Context(), way); !errors.Is(err, problem.Locked) {
				t.Errorf("the new password of a locked account: %v", err)
			}
			again, err := o.desk.FinishReset(t.Context(), r.ID, here, "อีกรหัสหนึ่งที่ยาวพอ", "อีกรหัสหนึ่งที่ยาวพอ")
			if err != nil || again.Step != signin.ResetDone {
				t.Errorf("the form once more: %+v, %v", again, err)
			}
			o.set(t, "last_signin_at = registered_at")
			o.enter(t, way)
		})
	}
}

// TestResetTakesNoStepTooMany: a step needs the recorded fact of the one before, in the same browser (trust.md 9).
func TestResetTakesNoStepTooMany(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		ctx := t.Context()
		finish := func(id, browser string) error {
			_, err := o.desk.FinishReset(ctx, id, browser, newPassword, newPassword)
			return err
		}
		begun, err := o.desk.StartReset(ctx, somsak, here, locale.TH)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.desk.ProveReset(ctx, begun.ID, here, "000000"); !errors.Is(err, problem.NotFound) {
			t.Errorf("a code before any was sent: %v", err)
		}
		if err := finish(begun.ID, here); !errors.Is(err, problem.NotFound) {
			t.Errorf("a password before any code: %v", err)
		}
		if _, err := o.desk.SendReset(ctx, begun.ID, here, "line"); !errors.Is(err, problem.Invalid) {
			t.Errorf("an unknown channel: %v", err)
		}
		if _, err := o.desk.SendReset(ctx, begun.ID, here, notify.Email); err != nil {
			t.Fatal(err)
		}
		code := o.code(t, "reset.code")
		if err := finish(begun.ID, here); !errors.Is(err, problem.NotFound) {
			t.Errorf("a password without the mailed code: %v", err)
		}
		for _, browser := range []string{"", "another browser"} {
			if _, err := o.desk.Reset(ctx, begun.ID, browser); !errors.Is(err, problem.NotFound) {
				t.Errorf("seen in %q: %v", browser, err)
			}
			if _, err := o.desk.ProveReset(ctx, begun.ID, browser, code); !errors.Is(err, problem.NotFound) {
				t.Errorf("the code in %q: %v", browser, err)
			}
		}
		other, err := o.desk.StartReset(ctx, somsak, "another browser", locale.TH)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.desk.ProveReset(ctx, other.ID, "another browser", code); err == nil {
			t.Error("the code of one reset served another")
		}
		if _, err := o.desk.ProveReset(ctx, begun.ID, here, code); err != nil {
			t.Fatal(err)
		}
		if err := finish(begun.ID, "another browser"); !errors.Is(err, problem.NotFound) {
			t.Errorf("the password from another browser: %v", err)
		}
		if r, err := o.desk.SendReset(ctx, begun.ID, here, notify.SMS); err != nil || r.Step != signin.ResetPassword {
			t.Errorf("back to the code after it was right: %+v, %v", r, err)
		}
		env.Clock.Advance(15 * time.Minute)
		if err := finish(begun.ID, here); !errors.Is(err, problem.NotFound) {
			t.Errorf("a quarter of an hour later: %v", err)
		}
		o.enter(t, in()) // nothing came of it all
	})
}

// TestResetEndsTheOthers: once the password is set, what was begun for the same person before leads nowhere.
func TestResetEndsTheOthers(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		first := o.prove(t)
		env.Clock.Advance(time.Minute)
		second := o.prove(t)
		if _, err := o.desk.FinishReset(t.Context(), second.ID, here, newPassword, newPassword); err != nil {
			t.Fatal(err)
		}
		if _, err := o.desk.FinishReset(t.Context(), first.ID, here, password, password); !errors.Is(err, problem.NotFound) {
			t.Errorf("the one begun before: %v", err)
		}
	})
}

// TestResetWithoutAContact: who has none on file, or only one changed of late, is sent nothing and gets nowhere; nor does
// one whose account is switched off.
func TestResetWithoutAContact(t *testing.T) {
	for name, c := range map[string]struct {
		set  string
		wait time.Duration
		sent bool
	}{
		"never proved":                {"email_proved_at = NULL", 0, false},
		"proved when he registered":   {"email_proved_at = registered_at", 0, true},
		"changed an hour ago":         {"email_since = registered_at", time.Hour, false},
		"changed short of 72 hours":   {"email_since = registered_at + 1000000", 72 * time.Hour, false},
		"changed 72 hours ago":        {"email_since = registered_at + 1000000", 72*time.Hour + time.Second, true},
		"the other contact changed":   {"phone_since = registered_at", 0, true},
		"the account is switched off": {"state = 'disabled', email_proved_at = registered_at", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
				o := open(t, env)
				o.set(t, c.set)
				o.Clock.Advance(c.wait)
				r := o.begin(t, somsak, notify.Email)
				code := o.code(t, "reset.code")
				if (code != "") != c.sent {
					t.Fatalf("a code was sent: %v, want %v", code != "", c.sent)
				}
				if !c.sent {
					code = "123456"
				}
				_, err := o.desk.ProveReset(t.Context(), r.ID, here, code)
				if (err == nil) != c.sent {
					t.Errorf("the code: %v", err)
				}
			})
		})
	}
}

// TestResetAtOnce: of sixteen at the same moment one sets the password, and the code serves one.
func TestResetAtOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		r := o.prove(t)
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				_, err := o.desk.FinishReset(t.Context(), r.ID, here, newPassword, newPassword)
				if err != nil && !errors.Is(err, problem.Busy) {
					t.Errorf("setting the password: %v", err)
				}
			})
		}
		group.Wait()
		var set int
		o.read(t, `SELECT count(*) FROM audit_entries WHERE act = 'signin.reset_password' AND outcome = 'done'`, nil, &set)
		if set != 1 {
			t.Errorf("the password was set %d times", set)
		}

		env.Clock.Advance(time.Hour)
		r = o.begin(t, somsak, notify.SMS)
		var right atomic.Int64
		for i := range 32 {
			group.Go(func() {
				if _, err := o.desk.ProveReset(t.Context(), r.ID, here, []string{"000000", "999999"}[i%2]); err == nil {
					right.Add(1)
				} else if !errors.Is(err, problem.Invalid) && !errors.Is(err, problem.Busy) {
					t.Errorf("a wrong code: %v", err)
				}
			})
		}
		group.Wait()
		var tries int
		o.read(t, `SELECT max(tries) FROM codes`, nil, &tries)
		if tries > 5 || right.Load() > 0 {
			t.Errorf("%d of 32 wrong codes were compared, %d were right", tries, right.Load())
		}
	})
}

// TestResetIsSlowedDown: one network does not begin without end.
func TestResetIsSlowedDown(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		for i := range 61 {
			_, err := o.desk.StartReset(t.Context(), stranger, here, locale.TH)
			if busy := errors.Is(err, problem.Busy); busy != (i == 60) {
				t.Fatalf("the %d. time: %v", i+1, err)
			}
		}
		env.Clock.Advance(48 * time.Hour)
		swept, err := o.desk.Sweep(t.Context())
		if err != nil || swept < 60 {
			t.Errorf("swept %d, %v", swept, err)
		}
	})
}

// TestResetKeepsNoID: neither the citizen ID nor a code stands in the tables as it is.
func TestResetKeepsNoID(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		o.begin(t, somsak, notify.Email)
		var row string
		o.read(t, `SELECT id || browser || subject || reference FROM resets`, nil, &row)
		for _, secret := range []string{strings.ReplaceAll(somsak, "-", ""), here, o.code(t, "reset.code")} {
			if strings.Contains(row, secret) {
				t.Errorf("%q is kept", secret)
			}
		}
	})
}

// read reads one row.
func (o *office) read(t *testing.T, query string, args []any, into ...any) {
	t.Helper()
	err := o.DB.Read(t.Context(), func(tx *store.Tx) error { return tx.QueryRow(t.Context(), query, args...).Scan(into...) })
	if err != nil {
		t.Fatal(err)
	}
}

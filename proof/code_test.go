package proof

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/notify"
)

// desk is what a test of codes works with.
type desk struct {
	t      *testing.T
	env    *storetest.Env
	codes  *Codes
	outbox *notify.Outbox
	log    *bytes.Buffer
	order  CodeOrder // a usual one
}

func newDesk(t *testing.T, env *storetest.Env) *desk {
	t.Helper()
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, env: env, log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(d.log, nil))
	d.outbox, err = notify.NewOutbox(notify.Options{
		DB: env.DB, Ring: ring, Log: log, KeepBodies: true,
		Senders: map[notify.Channel]notify.Sender{notify.Email: notify.Nowhere{}, notify.SMS: notify.Nowhere{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.codes = NewCodes(CodesOptions{Ring: ring, Outbox: d.outbox, Log: log, SMSBudget: 100})
	d.order = CodeOrder{Flow: "f1", Browser: "b1", Purpose: "register", Account: "a1", Channel: notify.Email, To: "somchai@example.go.th", Lang: locale.TH}
	return d
}

// trySend sends a code and answers it as the message tells it.
func (d *desk) trySend(o CodeOrder) (code, reference string, err error) {
	d.t.Helper()
	err = d.env.DB.Write(d.t.Context(), func(tx *store.Tx) (err error) {
		reference, err = d.codes.Send(d.t.Context(), tx, o)
		return err
	})
	if err != nil {
		return "", "", err
	}
	list, err := d.outbox.List(d.t.Context(), 1)
	if err != nil || len(list) != 1 || list[0].To != o.To {
		d.t.Fatalf("the message: %+v, %v", list, err)
	}
	code = regexp.MustCompile(`[0-9]{6}`).FindString(list[0].Text)
	if !strings.Contains(list[0].Text, reference) || code == "" || strings.Contains(list[0].Text, "://") {
		d.t.Fatalf("the message lacks code or reference, or has a link: %s", list[0].Text)
	}
	return code, reference, nil
}

func (d *desk) send(o CodeOrder) (code string) {
	d.t.Helper()
	code, _, err := d.trySend(o)
	if err != nil {
		d.t.Fatal(err)
	}
	return code
}

// try tries a code in a transaction of its own.
func (d *desk) try(x CodeTry) (ok bool, err error) {
	err = d.env.DB.Write(d.t.Context(), func(tx *store.Tx) (err error) {
		ok, err = d.codes.Try(d.t.Context(), tx, x)
		return err
	})
	return ok && err == nil, err
}

// tryOf is the try that fits the order.
func tryOf(o CodeOrder, code string) CodeTry {
	return CodeTry{Flow: o.Flow, Browser: o.Browser, Purpose: o.Purpose, Channel: o.Channel, To: o.To, Code: code}
}

// wrong is a code that is not the one given.
func wrong(code string) string {
	if code[0] == '9' {
		return "0" + code[1:]
	}
	return string(code[0]+1) + code[1:]
}

func (d *desk) wantKey(err error, kind problem.Kind, key string) *problem.Problem {
	d.t.Helper()
	var p *problem.Problem
	if !errors.As(err, &p) || p.Kind != kind || p.Key != key && (len(p.Fields) != 1 || p.Fields[0].Name != "code" || p.Fields[0].Key != key) {
		d.t.Fatalf("got %v, want %s %s", err, kind, key)
	}
	return p
}

func TestCodeWorksOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		code := d.send(d.order)
		if ok, err := d.try(tryOf(d.order, wrong(code))); ok || err != nil {
			t.Fatalf("wrong code: %v %v", ok, err)
		}
		if ok, err := d.try(tryOf(d.order, code)); !ok || err != nil {
			t.Fatalf("right code: %v %v", ok, err)
		}
		_, err := d.try(tryOf(d.order, code))
		d.wantKey(err, problem.Invalid, "proof.code.void")
		d.wantKey(WrongCode(), problem.Invalid, "proof.code.wrong")
	})
}

func TestCodeIsKeptHashedOnly(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		code := d.send(d.order)
		var hash, contact string
		err := env.DB.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), "SELECT hash, contact FROM codes").Scan(&hash, &contact)
		})
		if err != nil || len(hash) != 64 || strings.Contains(hash, code) || strings.Contains(contact, "somchai") {
			t.Errorf("kept %s %s, %v", hash, contact, err)
		}
		if d.codes.hash("c1", code) == d.codes.hash("c2", code) {
			t.Error("a code has the same hash wherever it stands")
		}
	})
}

func TestCodeIsBound(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		code := d.send(d.order)
		for name, change := range map[string]func(*CodeTry){
			"flow":    func(x *CodeTry) { x.Flow = "f2" },
			"browser": func(x *CodeTry) { x.Browser = "b2" },
			"purpose": func(x *CodeTry) { x.Purpose = "recover" },
			"channel": func(x *CodeTry) { x.Channel = notify.SMS },
			"contact": func(x *CodeTry) { x.To = "other@example.go.th" },
		} {
			x := tryOf(d.order, code)
			change(&x)
			if ok, err := d.try(x); ok || !errors.Is(err, problem.Invalid) {
				t.Errorf("another %s: %v %v", name, ok, err)
			}
		}
		// None of these cost the owner a try.
		for range triesPerCode - 1 {
			if ok, err := d.try(tryOf(d.order, wrong(code))); ok || err != nil {
				t.Fatalf("%v %v", ok, err)
			}
		}
		if ok, err := d.try(tryOf(d.order, code)); !ok || err != nil {
			t.Errorf("the owner: %v %v", ok, err)
		}
	})
}

func TestCodeExpires(t *testing.T) {
	for channel, life := range map[notify.Channel]time.Duration{notify.Email: 10 * time.Minute, notify.SMS: 5 * time.Minute} {
		for _, tt := range []struct {
			after time.Duration
			ok    bool
		}{{life - time.Second, true}, {life, false}, {life + time.Second, false}} {
			t.Run(fmt.Sprint(channel, " after ", tt.after), func(t *testing.T) {
				storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
					d := newDesk(t, env)
					d.order.Channel = channel
					code := d.send(d.order)
					env.Clock.Advance(tt.after)
					ok, err := d.try(tryOf(d.order, code))
					if ok != tt.ok || tt.ok && err != nil || !tt.ok && !errors.Is(err, problem.Invalid) {
						t.Errorf("%v %v", ok, err)
					}
				})
			})
		}
	}
}

func TestNewCodeVoidsTheOld(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		old := d.send(d.order)
		env.Clock.Advance(time.Minute)
		next := d.send(d.order)
		for old == next { // one time in a million
			env.Clock.Advance(15 * time.Minute)
			old, next = next, d.send(d.order)
		}
		if ok, err := d.try(tryOf(d.order, old)); ok || err != nil {
			t.Errorf("the old one: %v %v", ok, err)
		}
		if ok, err := d.try(tryOf(d.order, next)); !ok || err != nil {
			t.Errorf("the new one: %v %v", ok, err)
		}
	})
}

func TestTriesPerCode(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		code := d.send(d.order)
		for range 5 {
			if ok, err := d.try(tryOf(d.order, wrong(code))); ok || err != nil {
				t.Fatalf("%v %v", ok, err)
			}
		}
		ok, err := d.try(tryOf(d.order, code))
		d.wantKey(err, problem.Invalid, "proof.code.void")
		if ok {
			t.Error("a sixth try was compared")
		}
	})
}

func TestTriesPerAccountAndDay(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		// Another flow, browser, channel and contact, but the same account.
		orders := []CodeOrder{d.order, d.order, d.order}
		orders[1].Flow, orders[1].Browser, orders[1].Channel, orders[1].To = "f2", "b2", notify.SMS, "+66812345678"
		orders[2].Flow, orders[2].To = "f3", "third@example.go.th"
		for _, o := range orders[:2] {
			code := d.send(o)
			for range triesPerCode {
				if ok, err := d.try(tryOf(o, wrong(code))); ok || err != nil {
					t.Fatalf("%v %v", ok, err)
				}
			}
			env.Clock.Advance(time.Hour)
		}
		code := d.send(orders[2])
		_, err := d.try(tryOf(orders[2], code))
		if p := d.wantKey(err, problem.Busy, "proof.code.day"); p.RetryAfter != 22*time.Hour || !p.TooMany || p.Args["n"] != 22 {
			t.Errorf("told %+v", p)
		}

		other := d.order
		other.Flow, other.Account, other.To = "f4", "a2", "fourth@example.go.th"
		if ok, err := d.try(tryOf(other, d.send(other))); !ok || err != nil {
			t.Errorf("another account: %v %v", ok, err)
		}

		env.Clock.Advance(22*time.Hour + time.Second)
		if ok, err := d.try(tryOf(orders[2], d.send(orders[2]))); !ok || err != nil {
			t.Errorf("the next day: %v %v", ok, err)
		}
	})
}

func TestSendWait(t *testing.T) {
	now := storetest.Start
	ago := func(d ...time.Duration) (sent []time.Time) {
		for _, d := range d {
			sent = append(sent, now.Add(-d))
		}
		return sent
	}
	const s, m, h = time.Second, time.Minute, time.Hour
	for _, tt := range []struct {
		name string
		sent []time.Time
		wait time.Duration
	}{
		{"first", nil, 0},
		{"at once", ago(0), 60 * s},
		{"a second early", ago(59 * s), s},
		{"after a minute", ago(60 * s), 0},
		{"third in a quarter", ago(m, 5*m), 0},
		{"fourth in a quarter", ago(m, 5*m, 14*m), m},
		{"fourth after a quarter", ago(m, 5*m, 15*m), 0},
		{"eleventh of a day", ago(h, 2*h, 3*h, 4*h, 5*h, 6*h, 7*h, 8*h, 9*h, 23*h), h},
		{"eleventh after a day", ago(h, 2*h, 3*h, 4*h, 5*h, 6*h, 7*h, 8*h, 9*h, 24*h), 0},
		{"all at once", ago(30*s, 5*m, 14*m, 15*m, h, 6*h, 7*h, 8*h, 9*h, 10*h), 14 * h},
	} {
		if wait := sendWait(tt.sent, now, perContact); max(wait, 0) != tt.wait {
			t.Errorf("%s: wait %v, want %v", tt.name, wait, tt.wait)
		}
	}
}

func TestSendingsPerContact(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		d.send(d.order)
		other := d.order
		other.Flow, other.Browser, other.Account = "f2", "b2", "a2" // the contact alone counts
		_, _, err := d.trySend(other)
		if p := d.wantKey(err, problem.Busy, "proof.code.wait"); p.RetryAfter != time.Minute || p.Args["n"] != 1 || !p.TooMany {
			t.Errorf("told %+v", p)
		}
		for range 2 {
			env.Clock.Advance(time.Minute)
			d.send(other)
		}
		env.Clock.Advance(time.Minute)
		_, _, err = d.trySend(other)
		if p := d.wantKey(err, problem.Busy, "proof.code.wait"); p.RetryAfter != 12*time.Minute {
			t.Errorf("told %+v", p)
		}
		for range 7 {
			env.Clock.Advance(12 * time.Minute)
			d.send(other)
		}
		env.Clock.Advance(12 * time.Minute)
		_, _, err = d.trySend(other)
		d.wantKey(err, problem.Busy, "proof.code.wait_hours")
		other.To = "third@example.go.th"
		d.send(other)
	})
}

// TestHiddenContact: who may not learn of a contact is told of no limit on it, only of that on what he named himself.
func TestHiddenContact(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		code := d.send(d.order)
		hidden := d.order
		hidden.Flow, hidden.Browser, hidden.Account, hidden.Person, hidden.Hidden = "f2", "b2", "a2", "p2", true
		var reference string
		err := env.DB.Write(t.Context(), func(tx *store.Tx) (err error) {
			reference, err = d.codes.Send(t.Context(), tx, hidden)
			return err
		})
		if err != nil || len(reference) != 4 {
			t.Errorf("the reference is %q, %v", reference, err)
		}
		if list, err := d.outbox.List(t.Context(), 9); err != nil || len(list) != 1 || !strings.Contains(list[0].Text, code) {
			t.Errorf("messages to a contact that was sent one just now: %+v, %v", list, err)
		}
		if ok, err := d.try(tryOf(hidden, code)); ok || err != nil {
			t.Errorf("the code of another way is taken: %v, %v", ok, err)
		}
		_, _, err = d.trySend(hidden)
		d.wantKey(err, problem.Busy, "proof.code.wait")
		env.Clock.Advance(time.Minute)
		d.send(hidden)
	})
}

func TestSMSBudget(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		d.codes.SMSBudget = 5
		d.order.Channel = notify.SMS
		sms := func(i int) error {
			d.order.To, d.order.Flow = fmt.Sprintf("+6681234567%d", i), fmt.Sprint("f", i)
			_, _, err := d.trySend(d.order)
			return err
		}
		for i := range 5 {
			if i == 3 && d.log.Len() > 0 {
				t.Errorf("alarm after %d of 5: %s", i, d.log)
			}
			if err := sms(i); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.Contains(d.log.String(), "level=WARN") {
			t.Errorf("no warning at four fifths: %s", d.log)
		}
		env.Clock.Advance(time.Minute)
		d.wantKey(sms(5), problem.Busy, "proof.code.budget")
		if !strings.Contains(d.log.String(), "level=ERROR") || strings.Contains(d.log.String(), "+6681") {
			t.Errorf("no alarm, or one with a number: %s", d.log)
		}
		d.order.Channel, d.order.To = notify.Email, "somchai@example.go.th"
		d.send(d.order) // mail goes on
		env.Clock.Advance(day)
		d.order.Channel = notify.SMS
		if err := sms(6); err != nil {
			t.Errorf("the next day: %v", err)
		}
		err := env.DB.Read(t.Context(), func(tx *store.Tx) error {
			n, err := d.codes.SentSMS(t.Context(), tx)
			if n != 1 {
				t.Errorf("%d counted", n)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// race runs 32 tries at once and counts those that were right and those that were wrong, so compared.
func (d *desk) race(x CodeTry) (right, compared int64) {
	var ok, wrong atomic.Int64
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			for {
				good, err := d.try(x)
				switch {
				case good:
					ok.Add(1)
				case err == nil:
					wrong.Add(1)
				case errors.Is(err, problem.Busy):
					continue // lost against the others ten times: nothing was counted
				case !errors.Is(err, problem.Invalid):
					d.t.Error(err)
				}
				return
			}
		})
	}
	wait.Wait()
	return ok.Load(), ok.Load() + wrong.Load()
}

func TestConcurrentRightTries(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		code := d.send(d.order)
		if right, _ := d.race(tryOf(d.order, code)); right != 1 {
			t.Errorf("the code worked %d times", right)
		}
	})
}

func TestConcurrentWrongTries(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		code := d.send(d.order)
		if right, compared := d.race(tryOf(d.order, wrong(code))); right != 0 || compared != 5 {
			t.Errorf("%d right, %d compared", right, compared)
		}
	})
}

func TestCodesAreUniform(t *testing.T) {
	const n = 100_000
	var digits [CodeDigits][10]int
	for range n {
		code, err := newCode()
		if err != nil || len(code) != CodeDigits {
			t.Fatal(code, err)
		}
		for place, digit := range code {
			digits[place][digit-'0']++
		}
	}
	for place := range digits {
		// Chi-squared with 9 degrees of freedom: above 40 one time in 100,000.
		var chi float64
		for _, seen := range digits[place] {
			chi += float64(seen-n/10) * float64(seen-n/10) / (n / 10)
		}
		if chi > 40 {
			t.Errorf("place %d: %v", place, digits[place])
		}
	}
}

func TestReference(t *testing.T) {
	for range 100 {
		if r := newReference(); !regexp.MustCompile(`^[BCDFGHJKMNPRTVWX]{4}$`).MatchString(r) {
			t.Fatal(r)
		}
	}
}

// TestSendingsPerNetwork asks for codes to a new contact each time, from one network and from another.
func TestSendingsPerNetwork(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		d.codes.PerHour, d.codes.PerDay = 3, 7
		n := 0
		ask := func(channel notify.Channel, from string) error {
			t.Helper()
			n++
			o := d.order
			o.Flow, o.Channel, o.Network = fmt.Sprint("f", n), channel, Network(from)
			o.To = fmt.Sprintf("p%d@example.go.th", n)
			if channel == notify.SMS {
				o.To = fmt.Sprintf("+6681234%04d", n)
			}
			_, _, err := d.trySend(o)
			return err
		}
		const here, beside, elsewhere = "2001:db8:1:2::1", "2001:db8:1:2::ffff", "2001:db8:1:3::1"
		for range 2 { // six
			for i, c := range []notify.Channel{notify.Email, notify.SMS, notify.Email} {
				if err := ask(c, here); err != nil {
					t.Fatalf("code %d of the hour: %v", i+1, err)
				}
			}
			for _, c := range []notify.Channel{notify.Email, notify.SMS} { // both count together
				p := d.wantKey(ask(c, beside), problem.Busy, "proof.code.network")
				if !p.TooMany || p.RetryAfter != time.Hour || p.Args["n"] != 60 {
					t.Errorf("told %+v", p)
				}
			}
			env.Clock.Advance(time.Hour - time.Second)
			d.wantKey(ask(notify.Email, here), problem.Busy, "proof.code.network")
			env.Clock.Advance(time.Second)
		}
		if err := ask(notify.Email, here); err != nil {
			t.Fatalf("the seventh of the day: %v", err)
		}
		p := d.wantKey(ask(notify.Email, here), problem.Busy, "proof.code.network_hours")
		if p.RetryAfter != 22*time.Hour || p.Args["n"] != 22 {
			t.Errorf("told %+v", p)
		}
		if err := ask(notify.Email, elsewhere); err != nil {
			t.Errorf("another network: %v", err)
		}
		env.Clock.Advance(22*time.Hour - time.Second)
		if err := ask(notify.Email, here); !errors.Is(err, problem.Busy) {
			t.Errorf("a second before the day is over: %v", err)
		}
		env.Clock.Advance(time.Second)
		if err := ask(notify.Email, here); err != nil {
			t.Errorf("the next day: %v", err)
		}
	})
}

func TestNetworkLimitsHaveDefaults(t *testing.T) {
	if c := NewCodes(CodesOptions{}); c.PerHour != 60 || c.PerDay != 200 {
		t.Errorf("%d an hour, %d a day", c.PerHour, c.PerDay)
	}
	if c := NewCodes(CodesOptions{PerHour: 5, PerDay: 6}); c.PerHour != 5 || c.PerDay != 6 {
		t.Errorf("set to %d an hour, %d a day", c.PerHour, c.PerDay)
	}
}

// TestCodeOfAnotherFormCostsNoTry types what can not be a code, again and again: the right one still works.
func TestCodeOfAnotherFormCostsNoTry(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		code := d.send(d.order)
		for range 3 {
			for _, typed := range []string{"", "1", code[:5], code + "0", "12345x", "12 345", "๑๒๓๔๕๖"} {
				_, err := d.try(tryOf(d.order, typed))
				d.wantKey(err, problem.Invalid, "proof.code.form")
			}
		}
		if ok, err := d.try(tryOf(d.order, code)); !ok || err != nil {
			t.Errorf("the right code: %t, %v", ok, err)
		}
	})
}

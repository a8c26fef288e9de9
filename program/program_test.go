package program

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// kit is a desk and a log with an administrator, an auditor and an officer without a post.
type kit struct {
	*storetest.Env
	book                   *grant.Book
	desk                   *Desk
	log                    *Log
	admin, auditor, anyone person.ID
}

func open(t testing.TB, env *storetest.Env) *kit {
	t.Helper()
	ctx := t.Context()
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	k := &kit{Env: env}
	roll := person.NewRoll(ring)
	k.book = grant.NewBook(grant.Options{DB: env.DB, Clock: env.Clock, Roll: roll, Log: quiet})
	people := []*person.ID{&k.admin, &k.auditor, &k.anyone}
	err = env.DB.Write(ctx, func(tx *store.Tx) error {
		if err := agency.Load(ctx, tx); err != nil {
			return err
		}
		for i, citizen := range []string{"199000000001", "199000000002", "199000000003"} {
			id, err := thai.ParseCitizenID(checked(citizen))
			if err != nil {
				return err
			}
			who, err := roll.Mention(ctx, tx, id)
			if err != nil {
				return err
			}
			*people[i] = who
			a := officer.Account{Person: who, GivenName: "ก", FamilyName: "ข", Position: "นักวิชาการ", Unit: "ICT",
				Email: thai.Email("a@example.go.th"), Phone: thai.Mobile("+66810000000"), TermsVersion: officer.TermsVersion}
			if err := officer.Create(ctx, tx, a, "-"); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO appointments (id, person_id, unit, post, kind, order_number, starts_at, proposed_by, proposed_at, confirmed_by, confirmed_at)
			VALUES ($1, $2, 'DIW', 'auditor', 'regular', '1', $3, 'terminal', $3, 'terminal', $3)`, store.NewID(), k.auditor, store.Us(tx.Now))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.book.Load(ctx); err != nil {
		t.Fatal(err)
	}
	if err := k.book.InstallAdministrator(ctx, k.admin); err != nil {
		t.Fatal(err)
	}
	o := Options{DB: env.DB, Clock: env.Clock, Book: k.book, Log: quiet}
	k.desk, k.log = NewDesk(o), NewLog(o)
	k.catchUp(t, k.desk)
	return k
}

// checked adds the check digit to twelve digits.
func checked(digits string) string {
	for _, last := range "0123456789" {
		if id := digits + string(last); thai.ValidCheckDigit(id) {
			return id
		}
	}
	panic("no check digit fits")
}

func (k *kit) catchUp(t testing.TB, d *Desk) {
	t.Helper()
	if err := d.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// create lets a program ask about all that the order says nothing else of.
func (k *kit) create(t testing.TB, o Order) (Program, string) {
	t.Helper()
	if o.Name == "" {
		o.Name = "ระบบทดสอบ"
	}
	o.Scope.AllUnits = o.Scope.Units == nil
	o.Scope.AllActions = o.Scope.Actions == nil
	p, token, err := k.desk.Create(t.Context(), string(k.admin), o)
	if err != nil {
		t.Fatal(err)
	}
	return p, token
}

// wants fails unless the error is a problem of the kind with the key, or for Invalid with a field of the key.
func wants(t *testing.T, err error, kind problem.Kind, key string) {
	t.Helper()
	var p *problem.Problem
	if !errors.As(err, &p) || p.Kind != kind {
		t.Fatalf("%v, want %s %s", err, kind, key)
	}
	keys := []string{p.Key}
	for _, f := range p.Fields {
		keys = append(keys, f.Key)
	}
	for _, got := range keys {
		if got == key {
			return
		}
	}
	t.Errorf("%v, want %s", err, key)
}

func TestCreateAndRevoke(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		other := NewDesk(k.desk.Options) // another process
		k.catchUp(t, other)

		p, token := k.create(t, Order{Name: " ระบบ  ใบอนุญาต ", Scope: Scope{Units: []string{"TH-12", "IWM", "TH-12"}, Actions: []string{"approve"}},
			LastDay: thai.DateOf(storetest.Start).AddDays(1)})
		c, ok := k.desk.Authenticate(token)
		if !ok || c.ID != p.ID || c.Name != "ระบบ ใบอนุญาต" {
			t.Fatalf("authenticate: %v %v", c, ok)
		}
		for _, ask := range []struct {
			do   grant.Action
			unit string
			want bool
		}{
			{grant.DoApprove, "TH-12", true}, {grant.DoApprove, "IWM", true}, {grant.DoApprove, "TH-13", false}, {grant.DoApprove, "", false},
			{grant.DoConsider, "TH-12", false}, {grant.Administer, "TH-12", false}, {grant.Centre, "TH-12", false}, {200, "TH-12", false},
		} {
			if got := c.May(ask.do, ask.unit); got != ask.want {
				t.Errorf("may %d in %q: %v", ask.do, ask.unit, got)
			}
		}
		if _, ok := other.Authenticate(token); ok {
			t.Error("the other process knows the token before it looked")
		}
		k.catchUp(t, other)
		if _, ok := other.Authenticate(token); !ok {
			t.Error("the other process does not know the token")
		}
		for _, wrong := range []string{"", "sitthi_", token + "x", token[:len(token)-1], p.ID, seal.TokenHash(token), string(make([]byte, 1000))} {
			if _, ok := k.desk.Authenticate(wrong); ok {
				t.Errorf("%q is a token", wrong)
			}
		}

		env.Clock.Set(p.Until.Add(-time.Microsecond))
		if _, ok := k.desk.Authenticate(token); !ok {
			t.Error("ended before its last day is over")
		}
		env.Clock.Set(p.Until)
		if _, ok := k.desk.Authenticate(token); ok {
			t.Error("goes on after its last day")
		}
		if got := p.StateAt(env.Clock.Now()); got != Ended {
			t.Errorf("state %s", got)
		}

		q, second := k.create(t, Order{})
		if err := k.desk.Revoke(t.Context(), string(k.admin), q.ID, " เลิกใช้ "); err != nil {
			t.Fatal(err)
		}
		if _, ok := k.desk.Authenticate(second); ok {
			t.Error("revoked and still known in this process")
		}
		k.catchUp(t, other)
		if _, ok := other.Authenticate(second); ok {
			t.Error("revoked and still known in the other")
		}
		wants(t, k.desk.Revoke(t.Context(), string(k.admin), q.ID, "อีกครั้ง"), problem.Conflict, "program.problem.revoked")
		list, err := k.desk.List(t.Context(), string(k.admin))
		if err != nil || len(list) != 2 || list[0].ID != q.ID || list[0].RevokeReason != "เลิกใช้" || list[0].StateAt(env.Clock.Now()) != Revoked {
			t.Errorf("list: %v %v", list, err)
		}
		if got := list[1].Scope; got.AllUnits || got.AllActions || len(got.Units) != 2 || got.Units[0] != "IWM" {
			t.Errorf("scope: %v", got)
		}
		var hash string
		err = env.DB.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT token_hash FROM programs WHERE id = $1`, p.ID).Scan(&hash)
		})
		if err != nil || hash != seal.TokenHash(token) {
			t.Errorf("kept: %q %v", hash, err)
		}
	})
}

func TestWhoKeepsPrograms(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		o := Order{Name: "x", Scope: Scope{AllUnits: true, AllActions: true}}
		p, _, err := k.desk.Create(ctx, audit.Terminal, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range []person.ID{k.auditor, k.anyone, "nobody"} {
			by := string(who)
			_, _, err := k.desk.Create(ctx, by, o)
			wants(t, err, problem.Denied, "appoint.denied_not_administrator")
			wants(t, k.desk.Revoke(ctx, by, p.ID, "x"), problem.Denied, "appoint.denied_not_administrator")
			if who == k.auditor {
				continue
			}
			_, err = k.desk.List(ctx, by)
			wants(t, err, problem.Denied, "grant.denied_not_reader")
			_, err = k.desk.Find(ctx, by, p.ID)
			wants(t, err, problem.Denied, "grant.denied_not_reader")
		}
		if list, err := k.desk.List(ctx, string(k.auditor)); err != nil || len(list) != 1 {
			t.Errorf("the auditor reads %v, %v", list, err)
		}
		_, err = k.desk.Find(ctx, string(k.admin), "nothing")
		wants(t, err, problem.NotFound, "program.problem.unknown")
		wants(t, k.desk.Revoke(ctx, audit.Terminal, p.ID, " "), problem.Invalid, "program.problem.reason")
		if err := k.desk.Revoke(ctx, audit.Terminal, p.ID, "x"); err != nil {
			t.Fatal(err)
		}
		entries := k.acts(t, p.ID)
		if len(entries) != 5 || entries[0].Name != "program.revoke" || entries[0].Actor != audit.Terminal || entries[4].Name != "program.create" || entries[4].Detail["units"] != "*" {
			t.Errorf("recorded: %v", entries)
		}
	})
}

// acts lists what the log holds of a program, newest first.
func (k *kit) acts(t *testing.T, id string) (entries []audit.Entry) {
	t.Helper()
	err := k.DB.Read(t.Context(), func(tx *store.Tx) (err error) {
		entries, _, err = audit.List(t.Context(), tx, audit.Query{Object: id})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestOrders(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		today := thai.DateOf(storetest.Start)
		long := make([]rune, MostName+1)
		for i := range long {
			long[i] = 'ก'
		}
		for name, c := range map[string]struct {
			order Order
			want  string
		}{
			"no name":        {Order{Scope: Scope{AllUnits: true, AllActions: true}}, "program.problem.name"},
			"long name":      {Order{Name: string(long), Scope: Scope{AllUnits: true, AllActions: true}}, "program.problem.long"},
			"citizen ID":     {Order{Name: "3990000000104", Scope: Scope{AllUnits: true, AllActions: true}}, "problem.holds_citizen"},
			"no units":       {Order{Name: "x", Scope: Scope{AllActions: true}}, "program.problem.units"},
			"no actions":     {Order{Name: "x", Scope: Scope{AllUnits: true}}, "program.problem.actions"},
			"unknown unit":   {Order{Name: "x", Scope: Scope{Units: []string{"TH-12", "TH-00"}, AllActions: true}}, "program.problem.unit"},
			"everything":     {Order{Name: "x", Scope: Scope{Units: []string{"*"}, AllActions: true}}, "program.problem.unit"},
			"unknown action": {Order{Name: "x", Scope: Scope{AllUnits: true, Actions: []string{"*"}}}, "program.problem.action"},
			"past":           {Order{Name: "x", Scope: Scope{AllUnits: true, AllActions: true}, LastDay: today.AddDays(-1)}, "program.problem.past"},
		} {
			_, _, err := k.desk.Create(t.Context(), string(k.admin), c.order)
			t.Run(name, func(t *testing.T) { wants(t, err, problem.Invalid, c.want) })
		}
		if _, _, err := k.desk.Create(t.Context(), string(k.admin), Order{Name: "x", Scope: Scope{AllUnits: true, AllActions: true}, LastDay: today}); err != nil {
			t.Errorf("today as the last day: %v", err)
		}
	})
}

func TestLastUse(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		p, token := k.create(t, Order{})
		used := func() time.Time {
			t.Helper()
			k.desk.look(t.Context())
			p, err := k.desk.Find(t.Context(), audit.Terminal, p.ID)
			if err != nil {
				t.Fatal(err)
			}
			return p.UsedAt
		}
		if at := used(); !at.IsZero() {
			t.Errorf("used at %s before it asked", at)
		}
		for _, step := range []struct{ after, want time.Duration }{{0, 0}, {59 * time.Second, 0}, {time.Second, time.Minute}, {time.Hour, 61 * time.Minute}} {
			env.Clock.Advance(step.after)
			k.desk.Authenticate(token)
			if got := used().Sub(storetest.Start); got != step.want {
				t.Errorf("noted %s after the start, want %s", got, step.want)
			}
		}
		// What another token does keeps it.
		k.create(t, Order{})
		env.Clock.Advance(time.Hour)
		k.desk.Authenticate(token)
		if got := used().Sub(storetest.Start); got != 121*time.Minute {
			t.Errorf("noted %s", got)
		}
	})
}

func TestFollow(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		other := NewDesk(k.desk.Options)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- other.Follow(ctx) }()
		p, token := k.create(t, Order{})
		until(t, func() bool { _, ok := other.Authenticate(token); return ok && other.Loaded() })
		if err := k.desk.Revoke(t.Context(), audit.Terminal, p.ID, "x"); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool { _, ok := other.Authenticate(token); return !ok })
		_, last := k.create(t, Order{Name: "last"})
		until(t, func() bool { _, ok := other.Authenticate(last); return ok })
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		list, err := k.desk.List(t.Context(), audit.Terminal)
		if err != nil || list[0].UsedAt.IsZero() {
			t.Errorf("the last use was not noted at the end: %v %v", list, err)
		}
		env.Clock.Advance(staleAfter)
		if other.Loaded() {
			t.Error("calls itself up to date without having looked")
		}
	})
}

// until waits up to five seconds for something to come true.
func until(t *testing.T, so func() bool) {
	t.Helper()
	for range 500 {
		if so() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it did not come true within five seconds")
}

func TestInstall(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		install := func() {
			t.Helper()
			err := env.DB.Write(t.Context(), func(tx *store.Tx) error { return k.desk.Install(t.Context(), tx, "สาธิต", "everyone-knows") })
			if err != nil {
				t.Fatal(err)
			}
		}
		install()
		install()
		c, ok := k.desk.Authenticate("everyone-knows")
		if !ok || !c.May(grant.Administer, "TH-12") {
			t.Fatal("not installed")
		}
		if err := k.desk.Revoke(t.Context(), audit.Terminal, c.ID, "x"); err != nil {
			t.Fatal(err)
		}
		install()
		if _, ok := k.desk.Authenticate("everyone-knows"); !ok {
			t.Error("not back after it was revoked")
		}
		list, err := k.desk.List(t.Context(), audit.Terminal)
		if err != nil || len(list) != 2 {
			t.Errorf("%v %v", list, err)
		}
	})
}

func TestAuthenticateAllocatesNothing(t *testing.T) {
	k := open(t, storetest.SQLite(t))
	_, token := k.create(t, Order{Scope: Scope{Units: []string{"TH-12"}}})
	n := testing.AllocsPerRun(1000, func() {
		c, ok := k.desk.Authenticate(token)
		if !ok || !c.May(grant.DoApprove, "TH-12") {
			t.Fatal("not known")
		}
		if _, ok := k.desk.Authenticate("unknown"); ok {
			t.Fatal("known")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

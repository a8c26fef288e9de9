package signin_test

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"testing"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/proof"
	"sitthi/signin"
)

const (
	// The citizen IDs of these tests are synthetic (digits 2–3 are 99).
	somsak   = "3-9900-00000-22-8"
	stranger = "3-9900-00000-50-3" // has no account
	password = "ฝนตกที่บางกรวยเมื่อคืน"
	address  = "203.0.113.7"
)

// office is a desk with one officer, somsak.
type office struct {
	*storetest.Env
	desk      *signin.Desk
	outbox    *notify.Outbox
	ring      *seal.Ring
	roll      *person.Roll
	passwords *proof.Passwords
	site      *signin.Site
	who       person.ID
	asked     []person.ID // to be let in again
}

// nobody takes no message: the tests read the outbox.
type nobody struct{}

func (nobody) Send(context.Context, notify.Parcel) error { return notify.ErrRefused }

func open(t *testing.T, env *storetest.Env) *office {
	t.Helper()
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	o := &office{Env: env, ring: ring, roll: person.NewRoll(ring)}
	if o.passwords, err = proof.NewPasswords(ring); err != nil {
		t.Fatal(err)
	}
	if o.site, err = signin.NewSite(&url.URL{Scheme: "http", Host: "localhost:8080"}); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	o.outbox, err = notify.NewOutbox(notify.Options{
		DB: env.DB, Ring: ring, Log: log,
		Senders: map[notify.Channel]notify.Sender{notify.Email: nobody{}, notify.SMS: nobody{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.desk = o.deskOn(env.DB)
	hash, err := o.passwords.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	citizen, err := thai.ParseCitizenID(somsak)
	if err != nil {
		t.Fatal(err)
	}
	o.write(t, func(tx *store.Tx) error {
		if err := agency.Load(t.Context(), tx); err != nil {
			return err
		}
		var err error
		if o.who, err = o.roll.Mention(t.Context(), tx, citizen); err != nil {
			return err
		}
		return officer.Create(t.Context(), tx, officer.Account{
			Person: o.who, GivenName: "สมศักดิ์", FamilyName: "ใจดี", Position: "นักวิชาการ", Unit: "TH-12",
			Email: "somsak@example.go.th", Phone: "+66812345678",
			EmailProvedAt: tx.Now, PhoneProvedAt: tx.Now,
		}, hash)
	})
	return o
}

// deskOn makes a desk over a database, with the office's keys.
func (o *office) deskOn(db *store.DB) *signin.Desk {
	log := slog.New(slog.DiscardHandler)
	return signin.NewDesk(signin.Options{
		DB: db, Roll: o.roll, Ring: o.ring, Site: o.site, Passwords: o.passwords, Outbox: o.outbox, Log: log,
		Link: func(path string) string { return "https://sitthi.example.go.th" + path },
		Asked: func(_ context.Context, _ *store.Tx, a officer.Account) error {
			o.asked = append(o.asked, a.Person)
			return nil
		},
		Codes: proof.NewCodes(proof.CodesOptions{Ring: o.ring, Outbox: o.outbox, Log: log, SMSBudget: 1000}),
	})
}

func (o *office) write(t *testing.T, f func(*store.Tx) error) {
	t.Helper()
	if err := o.DB.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// set changes the account's row by hand.
func (o *office) set(t *testing.T, assignment string) {
	t.Helper()
	o.write(t, func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE accounts SET `+assignment+` WHERE person_id = $1`, o.who)
		return err
	})
}

// in is the right way in, from a browser not seen before.
func in() signin.In {
	return signin.In{CitizenID: somsak, Password: password, Address: address, Agent: "Firefox"}
}

// enter signs in.
func (o *office) enter(t *testing.T, in signin.In) signin.Opened {
	t.Helper()
	opened, err := o.desk.SignIn(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// guess tries a wrong password and answers what came of it.
func (o *office) guess(t *testing.T, in signin.In) error {
	t.Helper()
	in.Password = "ไม่ใช่รหัสผ่านนี้แน่นอน"
	_, err := o.desk.SignIn(t.Context(), in)
	if err == nil {
		t.Fatal("a wrong password opened a session")
	}
	return err
}

// key answers the message key of a problem.
func key(err error) string {
	var p *problem.Problem
	if errors.As(err, &p) {
		return p.Key
	}
	return ""
}

// entries answers what was recorded, newest first.
func (o *office) entries(t *testing.T) []audit.Entry {
	t.Helper()
	var entries []audit.Entry
	err := o.DB.Read(t.Context(), func(tx *store.Tx) (err error) {
		entries, _, err = audit.List(t.Context(), tx, audit.Query{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

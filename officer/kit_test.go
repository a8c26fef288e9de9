package officer_test

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/proof"
)

const (
	// The citizen IDs of these tests are synthetic (digits 2–3 are 99).
	somsak  = "3-9900-00000-22-8"
	malee   = "3-9900-00000-50-3"
	address = "203.0.113.7"
	browser = "browser of the officer"
)

// office is a desk with what it stands on.
type office struct {
	*storetest.Env
	desk       *officer.Desk
	roll       *person.Roll
	outbox     *notify.Outbox
	registered *atomic.Int64 // how often the hook was called, transactions run again included
	hook       error         // what the hook answers
}

// nobody takes no message: the tests read the outbox.
type nobody struct{}

func (nobody) Send(context.Context, notify.Parcel) error { return notify.ErrRefused }

func open(t *testing.T, env *storetest.Env, o officer.Options) *office {
	t.Helper()
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	if o.Ring != nil {
		ring = o.Ring
	}
	passwords, err := proof.NewPasswords(ring)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	outbox, err := notify.NewOutbox(notify.Options{
		DB: env.DB, Ring: ring, Log: log,
		Senders: map[notify.Channel]notify.Sender{notify.Email: nobody{}, notify.SMS: nobody{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := env.DB.Write(t.Context(), func(tx *store.Tx) error { return agency.Load(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
	off := &office{Env: env, roll: person.NewRoll(ring), outbox: outbox, registered: new(atomic.Int64)}
	o.DB, o.Roll, o.Ring, o.Passwords, o.Outbox = env.DB, off.roll, ring, passwords, outbox
	o.Codes = proof.NewCodes(proof.CodesOptions{Ring: ring, Outbox: outbox, Log: log, SMSBudget: 1000})
	o.Registered = func(context.Context, *store.Tx, person.ID) error {
		off.registered.Add(1)
		return off.hook
	}
	off.desk = officer.NewDesk(o)
	return off
}

// form is a form without a fault; the phone and the e-mail address are those of the name given.
func form(citizen, name string) officer.Form {
	return officer.Form{
		CitizenID: citizen, Phone: phones[name], GivenName: "สมศักดิ์", FamilyName: "ใจดี",
		Position: "นักวิชาการอุตสาหกรรมปฏิบัติการ", Unit: "TH-12", Email: name + "@industry.example.go.th",
		LineID: "somsak.j", Password: "ฝนตกที่บางกรวยเมื่อคืน", PasswordAgain: "ฝนตกที่บางกรวยเมื่อคืน",
		Terms: officer.TermsVersion, Language: locale.TH,
	}
}

var phones = map[string]string{"somsak": "081-234-5678", "malee": "089-876-5432", "other": "086-111-2222"}

// ctx is the context of a request from an address.
func ctx(t *testing.T, from string) context.Context {
	return audit.WithOrigin(t.Context(), audit.Origin{Request: "test", Address: from})
}

var codeText = regexp.MustCompile(`\b\d{6}\b`)

// code answers the code that was sent last to a contact.
func (o *office) code(t *testing.T, to string) string {
	t.Helper()
	for _, m := range o.messages(t) {
		if m.To == to && m.Purpose == "register.code" {
			return codeText.FindString(m.Text)
		}
	}
	t.Fatalf("no code was sent to %s", to)
	return ""
}

// messages answers all messages, newest first.
func (o *office) messages(t *testing.T) []notify.Delivery {
	t.Helper()
	list, err := o.outbox.List(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// told answers which purposes went to a contact, newest first, codes left out.
func (o *office) told(t *testing.T, to string) string {
	t.Helper()
	var purposes []string
	for _, m := range o.messages(t) {
		if m.To == to && m.Purpose != "register.code" {
			purposes = append(purposes, m.Purpose)
		}
	}
	return strings.Join(purposes, " ")
}

// start submits a form without a fault.
func (o *office) start(t *testing.T, f officer.Form) officer.Flow {
	t.Helper()
	flow, err := o.desk.Start(ctx(t, address), f, browser)
	if err != nil {
		t.Fatal(err)
	}
	return flow
}

// prove gives the right code for the step at hand.
func (o *office) prove(t *testing.T, flow officer.Flow) officer.Flow {
	t.Helper()
	to := flow.Contact
	if flow.Step == officer.ProvePhone {
		mobile, err := thai.ParseMobile(to)
		if err != nil {
			t.Fatal(err)
		}
		to = string(mobile)
	}
	next, err := o.desk.Prove(ctx(t, address), flow.ID, browser, flow.Step, o.code(t, to))
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// register takes a form through all steps.
func (o *office) register(t *testing.T, f officer.Form) officer.Flow {
	t.Helper()
	flow := o.start(t, f)
	for !flow.Finished() {
		flow = o.prove(t, flow)
	}
	return flow
}

// account answers the account of a citizen ID.
func (o *office) account(t *testing.T, citizen string) (officer.Account, error) {
	t.Helper()
	id, err := thai.ParseCitizenID(citizen)
	if err != nil {
		t.Fatal(err)
	}
	var a officer.Account
	err = o.DB.Read(t.Context(), func(tx *store.Tx) error {
		who, known, err := o.roll.Find(t.Context(), tx, id)
		if err != nil {
			return err
		}
		if !known {
			return problem.New(problem.NotFound, "officer.problem.unknown")
		}
		a, err = officer.Find(t.Context(), tx, who)
		return err
	})
	return a, err
}

// acts answers the names of the acts recorded, newest first.
func (o *office) acts(t *testing.T) string {
	t.Helper()
	var names []string
	err := o.DB.Read(t.Context(), func(tx *store.Tx) error {
		entries, _, err := audit.List(t.Context(), tx, audit.Query{})
		for _, e := range entries {
			names = append(names, e.Name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

// faults answers the fields of an Invalid problem with their keys.
func faults(err error) map[string]string {
	m := map[string]string{}
	var p *problem.Problem
	if errors.As(err, &p) {
		for _, f := range p.Fields {
			m[f.Name] = f.Key
		}
	}
	return m
}

package helpdesk_test

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/grant"
	"sitthi/helpdesk"
	"sitthi/internal/locale"
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

// The people of the tests.
const (
	admin1   = "1990000000019"
	admin2   = "1990000000027"
	chief    = "3990000000104" // head of TH-12
	chief13  = "3990000000112"
	agent1   = "3990000000406"
	agent2   = "3990000000414"
	somying  = "3990000000201" // officer of TH-12 with contacts on file
	silent   = "3990000000244" // officer of TH-12 whose contacts no code has proved
	approver = "3990000000210" // officer of TH-12 with level 3
	stranger = "3990000000503" // has no account
)

const here = "the token of this browser"

type office struct {
	*storetest.Env
	desk   *helpdesk.Desk
	signin *signin.Desk
	book   *grant.Book
	roll   *person.Roll
	outbox *notify.Outbox
	who    map[string]person.ID
}

// nobody takes no message: the tests read the outbox.
type nobody struct{}

func (nobody) Send(context.Context, notify.Parcel) error { return notify.ErrRefused }

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		check(t, err)
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func each(t *testing.T, test func(t *testing.T, o *office)) {
	t.Helper()
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) { test(t, open(t, env)) })
}

func open(t *testing.T, env *storetest.Env) *office {
	t.Helper()
	ring := must(seal.New())(t)
	log := slog.New(slog.DiscardHandler)
	o := &office{Env: env, roll: person.NewRoll(ring), who: map[string]person.ID{}}
	o.outbox = must(notify.NewOutbox(notify.Options{DB: env.DB, Ring: ring, Log: log, KeepBodies: true,
		Senders: map[notify.Channel]notify.Sender{notify.Email: nobody{}, notify.SMS: nobody{}, notify.LINE: nobody{}}}))(t)
	passwords := must(proof.NewPasswords(ring))(t)
	codes := proof.NewCodes(proof.CodesOptions{Ring: ring, Outbox: o.outbox, Log: log, SMSBudget: 1000})
	link := func(path string) string { return "https://sitthi.example.go.th" + path }
	o.book = grant.NewBook(grant.Options{DB: env.DB, Clock: env.Clock, Roll: o.roll, Outbox: o.outbox, Link: link, Log: log})
	o.signin = signin.NewDesk(signin.Options{DB: env.DB, Roll: o.roll, Passwords: passwords, Codes: codes, Outbox: o.outbox, Log: log})
	o.desk = helpdesk.NewDesk(helpdesk.Options{DB: env.DB, Ring: ring, Roll: o.roll, Book: o.book, SignIn: o.signin, Codes: codes, Outbox: o.outbox,
		Link: link, Log: log})
	check(t, env.DB.Write(t.Context(), func(tx *store.Tx) error { return agency.Load(t.Context(), tx) }))
	check(t, o.book.Load(t.Context()))
	for citizen, unit := range map[string]string{admin1: "ICT", admin2: "ICT", chief: "TH-12", chief13: "TH-13", agent1: "ICT", agent2: "ICT",
		somying: "TH-12", silent: "TH-12", approver: "TH-12"} {
		id := must(thai.ParseCitizenID(citizen))(t)
		check(t, env.DB.Write(t.Context(), func(tx *store.Tx) error {
			who, err := o.roll.Mention(t.Context(), tx, id)
			o.who[citizen] = who
			a := officer.Account{Person: who, GivenName: "คน" + citizen[10:], FamilyName: "ทดสอบ", Position: "นักวิชาการ", Unit: unit,
				Email: thai.Email("p" + citizen[9:] + "@diw.example.go.th"), Phone: thai.Mobile("+66812" + citizen[7:]), TermsVersion: officer.TermsVersion}
			if citizen != silent {
				a.EmailProvedAt, a.PhoneProvedAt = tx.Now, tx.Now
			}
			if err != nil {
				return err
			}
			return officer.Create(t.Context(), tx, a, "a hash that no password has")
		}))
	}
	check(t, o.book.InstallAdministrator(t.Context(), o.who[admin1]))
	check(t, o.book.InstallAdministrator(t.Context(), o.who[admin2]))
	for _, a := range []grant.AppointmentOrder{
		{Unit: "TH-12", Post: grant.Head, Person: o.who[chief]}, {Unit: "TH-13", Post: grant.Head, Person: o.who[chief13]},
		{Post: grant.Agent, Person: o.who[agent1]}, {Post: grant.Agent, Person: o.who[agent2]},
	} {
		a.Kind, a.OrderNumber = grant.Regular, "อก 0301/1"
		proposed := must(o.book.Propose(t.Context(), o.who[admin1], a))(t)
		must(o.book.ConfirmAppointment(t.Context(), o.who[admin2], proposed.ID))(t)
	}
	must(o.book.Give(t.Context(), o.who[chief], grant.Order{Unit: "TH-12", Level: grant.Approve, Person: o.who[approver], Confirmed: true, Form: store.NewID()}))(t)
	env.Clock.Advance(100 * time.Hour) // all contacts are on file for 72 hours
	return o
}

// from is the context of a request from an address.
func from(t *testing.T) context.Context {
	return audit.WithOrigin(t.Context(), audit.Origin{Request: "test", Address: "192.0.2.7"})
}

func form(citizen string, kind helpdesk.Kind) helpdesk.Form {
	return helpdesk.Form{Kind: string(kind), CitizenID: citizen, Name: "สมชาย คนใหม่", Position: "นักวิชาการ", Unit: "TH-12",
		Email: "new" + citizen[9:] + "@mail.example.com", Lang: locale.TH}
}

// send sends a request in.
func (o *office) send(t *testing.T, citizen string, kind helpdesk.Kind) helpdesk.Request {
	t.Helper()
	return must(o.desk.Send(from(t), form(citizen, kind), here))(t)
}

// claimed sends a request in, which the first agent takes.
func (o *office) claimed(t *testing.T, citizen string, kind helpdesk.Kind) helpdesk.Request {
	t.Helper()
	r := o.send(t, citizen, kind)
	check(t, o.desk.Claim(t.Context(), o.who[agent1], r.ID))
	return r
}

// prove proves by a code to the contact on file.
func (o *office) prove(t *testing.T, r helpdesk.Request, channel notify.Channel) {
	t.Helper()
	must(o.desk.SendCode(from(t), r.ID, here, channel))(t)
	code := regexp.MustCompile(`\b\d{6}\b`).FindString(o.message(t, "help.code").Text)
	if got := must(o.desk.Prove(from(t), r.ID, here, code))(t); !got.Proved {
		t.Fatal("the right code proves nothing")
	}
}

// messages are those of a purpose, the newest first.
func (o *office) messages(t *testing.T, purpose string) []notify.Delivery {
	t.Helper()
	list := must(o.outbox.List(t.Context(), 500))(t)
	return slices.DeleteFunc(list, func(m notify.Delivery) bool { return m.Purpose != purpose })
}

func (o *office) message(t *testing.T, purpose string) notify.Delivery {
	t.Helper()
	list := o.messages(t, purpose)
	if len(list) == 0 {
		t.Fatalf("no message %s", purpose)
	}
	return list[0]
}

// follow sets a new password by the link that was sent last.
func (o *office) follow(t *testing.T) {
	t.Helper()
	text := o.message(t, "help.link").Text
	_, token, _ := strings.Cut(text, "/officer/passreset/link?t=")
	token, _, _ = strings.Cut(token, "\n")
	token, _, _ = strings.Cut(token, " ")
	r := must(o.signin.OpenLink(from(t), token, here, locale.TH))(t)
	r = must(o.signin.FinishReset(from(t), r.ID, here, "ลำน้ำเจ้าพระยายามเย็น", "ลำน้ำเจ้าพระยายามเย็น"))(t)
	if r.Step != signin.ResetDone {
		t.Fatalf("the link leads to %q", r.Step)
	}
}

func (o *office) read(t *testing.T, query string, args []any, into ...any) {
	t.Helper()
	check(t, o.DB.Read(t.Context(), func(tx *store.Tx) error { return tx.QueryRow(t.Context(), query, args...).Scan(into...) }))
}

func (o *office) exec(t *testing.T, query string, args ...any) error {
	t.Helper()
	return o.DB.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), query, args...)
		return err
	})
}

package legacy

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
)

// kit is a desk with three central administrators, and the book it writes to.
type kit struct {
	*storetest.Env
	desk   *Desk
	book   *grant.Book
	ring   *seal.Ring
	roll   *person.Roll
	outbox *notify.Outbox
	admins [3]person.ID

	citizens int
}

func link(path string) string { return "https://sitthi.example.go.th" + path }

func open(t testing.TB, env *storetest.Env) *kit {
	t.Helper()
	ctx := t.Context()
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	k := &kit{Env: env, ring: ring, roll: person.NewRoll(ring)}
	log := slog.New(slog.DiscardHandler)
	k.outbox, err = notify.NewOutbox(notify.Options{
		DB: env.DB, Ring: ring, Log: log, KeepBodies: true,
		Senders: map[notify.Channel]notify.Sender{notify.Email: notify.Nowhere{}, notify.SMS: notify.Nowhere{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	k.book = grant.NewBook(grant.Options{DB: env.DB, Clock: env.Clock, Roll: k.roll, Outbox: k.outbox, Link: link, Log: log})
	k.write(t, func(tx *store.Tx) error { return agency.Load(ctx, tx) })
	if err := k.book.Load(ctx); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		k.admins[i] = k.officer(t, "ICT")
		if err := k.book.InstallAdministrator(ctx, k.admins[i]); err != nil {
			t.Fatal(err)
		}
	}
	k.admins[2] = k.officer(t, "ICT")
	k.appoint(t, grant.AppointmentOrder{Post: grant.Administrator, Person: k.admins[2]})
	desk := agency.Desk{DB: env.DB, Administrator: func(ctx context.Context, tx *store.Tx, by string) error {
		return k.book.RequireAdministrator(ctx, tx, person.ID(by))
	}}
	for code, name := range map[string]string{"HAZ": "กลุ่มของเสียอันตราย", "NON": "กลุ่มของเสียไม่อันตราย"} {
		if _, err := desk.AddTeam(ctx, string(k.admins[0]), "IWM", code, locale.Name{TH: name}); err != nil {
			t.Fatal(err)
		}
	}
	k.desk = k.newDesk(env.DB)
	return k
}

// newDesk opens one more desk on a database, as a second process would.
func (k *kit) newDesk(db *store.DB) *Desk {
	return NewDesk(Options{DB: db, Ring: k.ring, Roll: k.roll, Book: k.book, Outbox: k.outbox, Link: link,
		Log: slog.New(slog.DiscardHandler), Limits: DefaultLimits})
}

func (k *kit) write(t testing.TB, f func(tx *store.Tx) error) {
	t.Helper()
	if err := k.DB.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func (k *kit) read(t testing.TB, f func(tx *store.Tx) error) {
	t.Helper()
	if err := k.DB.Read(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// citizen hands out a synthetic citizen ID (digits 2–3 are 99) that nobody has yet.
func (k *kit) citizen(t testing.TB) thai.CitizenID {
	t.Helper()
	k.citizens++
	return citizen(t, k.citizens)
}

func citizen(t testing.TB, n int) thai.CitizenID {
	t.Helper()
	id, err := thai.ParseCitizenID(digits(n))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// digits are the digits of the nth synthetic citizen ID.
func digits(n int) string {
	for last := range 10 {
		if d := fmt.Sprintf("199%09d%d", n, last); thai.ValidCheckDigit(d) {
			return d
		}
	}
	panic("no check digit fits")
}

func (k *kit) register(t testing.TB, id thai.CitizenID, unit string) person.ID {
	t.Helper()
	var who person.ID
	k.write(t, func(tx *store.Tx) (err error) {
		if who, err = k.roll.Mention(t.Context(), tx, id); err != nil {
			return err
		}
		a := officer.Account{Person: who, Unit: unit, GivenName: "สมชาย", FamilyName: "ใจดี" + id.Digits()[7:12], Position: "นักวิชาการอุตสาหกรรม",
			Email: thai.Email(id.Digits()[3:12] + "@industry.example.go.th"), Phone: "+66812345678", EmailProvedAt: tx.Now, PhoneProvedAt: tx.Now}
		if err := officer.Create(t.Context(), tx, a, "no password"); err != nil {
			return err
		}
		return k.book.Registered(t.Context(), tx, who)
	})
	return who
}

func (k *kit) officer(t testing.TB, unit string) person.ID {
	t.Helper()
	return k.register(t, k.citizen(t), unit)
}

func (k *kit) appoint(t testing.TB, o grant.AppointmentOrder) grant.Appointment {
	t.Helper()
	o.OrderNumber = "อก 0101/1"
	if o.Kind == "" {
		o.Kind = grant.Regular
	}
	a, err := k.book.Propose(t.Context(), k.admins[0], o)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = k.book.ConfirmAppointment(t.Context(), k.admins[1], a.ID); err != nil {
		t.Fatal(err)
	}
	return a
}

// head registers and appoints somebody new as head of a unit.
func (k *kit) head(t testing.TB, unit string) person.ID {
	t.Helper()
	who := k.officer(t, unit)
	k.appoint(t, grant.AppointmentOrder{Post: grant.Head, Unit: unit, Person: who})
	return who
}

// work does all that is due.
func (k *kit) work(t testing.TB) {
	t.Helper()
	for {
		worked, err := k.desk.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !worked {
			return
		}
	}
}

// upload takes a file in and does its dry run.
func (k *kit) upload(t testing.TB, name, text string) Sight {
	t.Helper()
	i, err := k.desk.Upload(t.Context(), k.admins[0], Upload{Source: "ระบบเดิม", Name: name}, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	k.work(t)
	return k.sight(t, i.ID)
}

// csv is a file of rights with the headers of the old grid.
func csvOf(rows ...string) string {
	return "ลำดับ,กอง/จังหวัด,กลุ่ม,ระดับ,เลขบัตรประชาชน,ตั้งแต่วันที่,ถึงวันที่\n" + strings.Join(rows, "\n") + "\n"
}

func (k *kit) sight(t testing.TB, id string) Sight {
	t.Helper()
	s, err := k.desk.Import(t.Context(), k.admins[1], id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sign signs and writes.
func (k *kit) sign(t testing.TB, s Sight) Sight {
	t.Helper()
	if _, err := k.desk.Sign(t.Context(), k.admins[1], s.ID, s.Version); err != nil {
		t.Fatal(err)
	}
	k.work(t)
	return k.sight(t, s.ID)
}

// results are the results of rows by line, with reasons.
func (k *kit) results(t testing.TB, id string) map[int64]string {
	t.Helper()
	list, _, err := k.desk.Lines(t.Context(), k.admins[0], id, LineFilter{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	m := map[int64]string{}
	for _, l := range list {
		m[l.Line] = strings.TrimSpace(string(l.Result) + " " + strings.TrimPrefix(l.Reason.Key, "legacy.reason."))
	}
	return m
}

// count runs a query for one number.
func (k *kit) count(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	k.read(t, func(tx *store.Tx) error { return tx.QueryRow(t.Context(), query, args...).Scan(&n) })
	return n
}

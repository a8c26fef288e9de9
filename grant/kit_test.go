package grant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

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
)

// kit is a book of rights with the people and offices the tests need. Everything in it came about by acts of the
// book itself. Many tests share one kit: each takes people, and where it counts who is left a province, of its own.
type kit struct {
	*storetest.Env
	book   *Book
	ring   *seal.Ring
	roll   *person.Roll
	outbox *notify.Outbox
	desk   agency.Desk

	admins  [3]person.ID // the third so that there is one to end
	auditor person.ID
	chief12 person.ID // head of TH-12
	chief13 person.ID // head of TH-13
	iwm     person.ID // director of IWM, a division with the groups G1 and G2

	citizens  int      // how many citizen IDs were handed out
	provinces []string // those without a head
}

// link makes addresses as the server does.
func link(path string) string { return "https://sitthi.example.go.th" + path }

// newBook opens one more book on a database, as a second process would.
func (k *kit) newBook(db *store.DB) *Book {
	return NewBook(Options{DB: db, Clock: k.Clock, Roll: k.roll, Outbox: k.outbox, Link: link, Log: slog.New(slog.DiscardHandler)})
}

// open makes the kit on a fresh database.
func open(t testing.TB, env *storetest.Env) *kit {
	t.Helper()
	ctx := t.Context()
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	k := &kit{Env: env, ring: ring, roll: person.NewRoll(ring)}
	k.outbox, err = notify.NewOutbox(notify.Options{
		DB: env.DB, Ring: ring, Log: slog.New(slog.DiscardHandler), KeepBodies: true,
		Senders: map[notify.Channel]notify.Sender{notify.Email: notify.Nowhere{}, notify.SMS: notify.Nowhere{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	k.book = k.newBook(env.DB)
	k.desk = agency.Desk{DB: env.DB, Administrator: func(ctx context.Context, tx *store.Tx, by string) error {
		return k.book.RequireAdministrator(ctx, tx, person.ID(by))
	}}
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
	k.appoint(t, AppointmentOrder{Post: Administrator, Person: k.admins[2]})
	k.auditor = k.officer(t, "IAG")
	k.appoint(t, AppointmentOrder{Post: Auditor, Person: k.auditor})
	for _, code := range []string{"G1", "G2"} {
		name := locale.Name{TH: "กลุ่ม " + code, EN: "Group " + code}
		if _, err := k.desk.AddTeam(ctx, string(k.admins[0]), "IWM", code, name); err != nil {
			t.Fatal(err)
		}
	}
	units, err := k.desk.Units(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range units {
		if u.Kind == agency.Province {
			k.provinces = append(k.provinces, u.Code)
		}
	}
	slices.Sort(k.provinces)
	k.provinces = slices.DeleteFunc(k.provinces, func(code string) bool { return code == "TH-12" || code == "TH-13" })
	k.chief12, k.chief13, k.iwm = k.head(t, "TH-12"), k.head(t, "TH-13"), k.head(t, "IWM")
	return k
}

// citizen hands out a synthetic citizen ID (digits 2–3 are 99) that nobody has yet.
func (k *kit) citizen(t testing.TB) thai.CitizenID {
	t.Helper()
	k.citizens++
	return citizen(t, k.citizens)
}

func citizen(t testing.TB, n int) thai.CitizenID {
	t.Helper()
	for last := range 10 {
		digits := fmt.Sprintf("199%09d%d", n, last)
		if thai.ValidCheckDigit(digits) {
			id, err := thai.ParseCitizenID(digits)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
	}
	t.Fatalf("no check digit for %d", n)
	return thai.CitizenID{}
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

// register makes the account of a citizen in a unit and tells the book, as a registration does.
func (k *kit) register(t testing.TB, id thai.CitizenID, a officer.Account) person.ID {
	t.Helper()
	var who person.ID
	k.write(t, func(tx *store.Tx) (err error) {
		if who, err = k.roll.Mention(t.Context(), tx, id); err != nil {
			return err
		}
		a.Person = who
		if a.GivenName == "" {
			a.GivenName, a.FamilyName = "สมชาย", "ใจดี"+id.Digits()[7:12]
		}
		a.Position = "นักวิชาการอุตสาหกรรม"
		a.Email, a.Phone = thai.Email(id.Digits()[3:12]+"@industry.example.go.th"), "+66812345678"
		a.EmailProvedAt, a.PhoneProvedAt = tx.Now, tx.Now
		if err := officer.Create(t.Context(), tx, a, "no password"); err != nil {
			return err
		}
		return k.book.Registered(t.Context(), tx, who)
	})
	return who
}

// officer registers somebody new in a unit.
func (k *kit) officer(t testing.TB, unit string) person.ID {
	t.Helper()
	return k.register(t, k.citizen(t), officer.Account{Unit: unit})
}

// switchOff switches an account off, as nobody can by an act yet, and lets the books know.
func (k *kit) switchOff(t testing.TB, who person.ID) {
	t.Helper()
	k.write(t, func(tx *store.Tx) error {
		if _, err := tx.Exec(t.Context(), `UPDATE accounts SET state = 'disabled' WHERE person_id = $1`, who); err != nil {
			return err
		}
		return k.book.Moved(t.Context(), tx, who)
	})
}

// asleep has a person not sign in for so long.
func (k *kit) asleep(t testing.TB, who person.ID, since time.Duration) {
	t.Helper()
	k.write(t, func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE accounts SET last_signin_at = $1 WHERE person_id = $2`, store.Us(tx.Now.Add(-since)), who)
		return err
	})
	if err := k.book.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// awake has everybody sign in now.
func (k *kit) awake(t testing.TB) {
	t.Helper()
	k.write(t, func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE accounts SET last_signin_at = $1`, store.Us(tx.Now))
		return err
	})
	if err := k.book.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// appoint proposes and confirms an appointment by two administrators. A head is a regular one unless said otherwise.
func (k *kit) appoint(t testing.TB, o AppointmentOrder) Appointment {
	t.Helper()
	if o.Kind == "" {
		o.Kind = Regular
	}
	o.OrderNumber = "อก 0101/1 ลว. 1 ต.ค. 2569"
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
	k.appoint(t, AppointmentOrder{Post: Head, Unit: unit, Person: who})
	return who
}

// province answers a province without any rights, and its new chief.
func (k *kit) province(t testing.TB) (unit string, chief person.ID) {
	t.Helper()
	if len(k.provinces) == 0 {
		t.Fatal("no province is left")
	}
	unit, k.provinces = k.provinces[0], k.provinces[1:]
	return unit, k.head(t, unit)
}

// to is an order for an officer, with all the words a head may be asked for.
func to(who person.ID, unit string, level Level) Order {
	return Order{Unit: unit, Level: level, Person: who, Confirmed: true, OtherOffice: true}
}

// byID names the person of an order by citizen ID: only people near a unit can be chosen there by name.
func (k *kit) byID(t testing.TB, o Order) Order {
	t.Helper()
	if !o.Citizen.IsZero() {
		return o
	}
	err := k.DB.Read(t.Context(), func(tx *store.Tx) (err error) {
		o.Citizen, err = k.book.roll.CitizenID(t.Context(), tx, o.Person)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Person = ""
	return o
}

func (k *kit) give(t testing.TB, by person.ID, o Order) Grant {
	t.Helper()
	g, err := k.book.Give(t.Context(), by, k.byID(t, o))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (k *kit) revoke(t testing.TB, by person.ID, g Grant) Grant {
	t.Helper()
	g, err := k.book.Revoke(t.Context(), by, g.ID, Ending{Reason: "ย้าย", LeavesNone: true})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// require asks the database.
func (k *kit) require(t testing.TB, who person.ID, level Level, at Place) bool {
	t.Helper()
	err := k.DB.Write(t.Context(), func(tx *store.Tx) error { return k.book.Require(t.Context(), tx, who, level, at) })
	if err != nil && !errors.Is(err, problem.Denied) {
		t.Fatal(err)
	}
	return err == nil
}

// may asks memory and database, which have to agree.
func (k *kit) may(t testing.TB, who person.ID, level Level, unit string, team ...string) bool {
	t.Helper()
	at := Place{Unit: unit, Team: strings.Join(team, "")}
	memory, database := k.book.Allows(who, level.Do(), at), k.require(t, who, level, at)
	if memory != database {
		t.Fatalf("memory says %v, the database says %v", memory, database)
	}
	return memory
}

// see answers a grant as an administrator finds it in the grid.
func (k *kit) see(t testing.TB, id string) Sight {
	t.Helper()
	s, err := k.book.See(t.Context(), k.admins[0], id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// told lists the purposes of the messages to a person, oldest first.
func (k *kit) told(t testing.TB, who person.ID) string {
	t.Helper()
	var list []string
	k.read(t, func(tx *store.Tx) (err error) {
		list, err = store.Rows(func(row store.Row) (s string, err error) { return s, row.Scan(&s) })(tx.Query(t.Context(),
			`SELECT purpose FROM messages WHERE person_id = $1 ORDER BY created_at, id`, who))
		return err
	})
	return strings.Join(list, " ")
}

// message answers the newest message to a person.
func (k *kit) message(t testing.TB, who person.ID) string {
	t.Helper()
	list, err := k.outbox.List(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(d notify.Delivery) bool { return d.Person == string(who) })
	if i < 0 {
		t.Fatal("no message")
	}
	return list[i].Text
}

// recorded answers the newest entry of the log that matches.
func (k *kit) recorded(t testing.TB, q audit.Query) audit.Entry {
	t.Helper()
	q.Limit = 1
	var list []audit.Entry
	k.read(t, func(tx *store.Tx) (err error) {
		list, _, err = audit.List(t.Context(), tx, q)
		return err
	})
	if len(list) == 0 {
		t.Fatalf("the log holds nothing like %+v", q)
	}
	return list[0]
}

// refused checks a failure, and for Denied that it stands in the log.
func (k *kit) refused(t testing.TB, err, kind error, key string, by person.ID) {
	t.Helper()
	checkProblem(t, err, kind, key)
	if kind == problem.Denied {
		if e := k.recorded(t, audit.Query{Actor: string(by), Outcome: audit.Denied}); e.Detail["why"] != key {
			t.Fatalf("the log says %v, want %s", e.Detail, key)
		}
	}
}

// at moves the clock for the rest of a test.
func (k *kit) at(t testing.TB, moment time.Time) {
	t.Helper()
	was := k.Clock.Now()
	k.Clock.Set(moment)
	t.Cleanup(func() { k.Clock.Set(was) })
}

// today is the day on which the clock of every test starts.
var today = thai.DateOf(storetest.Start)

// count answers the one number of a query.
func (k *kit) count(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	k.read(t, func(tx *store.Tx) error { return tx.QueryRow(t.Context(), query, args...).Scan(&n) })
	return n
}

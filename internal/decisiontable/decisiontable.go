// Package decisiontable reads the table of decisions (grant/testdata/decisions.csv) and plays its acts, so that every door is held to the same answers.
package decisiontable

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/clock"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// Table is a table of decisions.
type Table struct {
	People    map[string]Person // by their names in the table
	Acts      []Act             // in the order in which they were done
	Now       time.Time         // when the questions are asked
	Questions []Question
}

// Person is somebody of the table.
type Person struct {
	Citizen    thai.CitizenID
	Unit       string // office he registers in
	Given, Own string // given and family name
}

// Act is something that is done.
type Act struct {
	Line   int
	Moment time.Time
	What   string // give, revoke …
	Do     grant.Action
	Person string // name in the table
	At     grant.Place
	From   thai.Date
	Until  thai.Date
	By     string // name in the table, admin1, admin2, or admins for both
	Note   string
}

// Question is a question with the answer it has to get.
type Question struct {
	Line   int
	Person string // name in the table
	Action string // consider, review, approve or administer
	Do     grant.Action
	At     grant.Place
	Moment time.Time
	Want   bool
	Reason grant.Reason
	Note   string
}

// String tells a question in the words of the table.
func (q Question) String() string {
	return fmt.Sprintf("line %d: may %s %s in %s %s at %s", q.Line, q.Person, q.Action, q.At.Unit, q.At.Team, q.Moment.In(thai.Bangkok).Format(time.DateTime))
}

// Load reads the table from a file; one that can not be read fails the test.
func Load(t testing.TB, path string) Table {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	table, err := parse(string(text))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return table
}

// The columns of the table.
const (
	kind = iota
	moment
	who
	action
	place
	from
	until
	by
	want
	reason
	note
	columns
)

func parse(text string) (Table, error) {
	table := Table{People: map[string]Person{}}
	r := csv.NewReader(strings.NewReader(text))
	r.Comment, r.FieldsPerRecord = '#', columns
	for n := 0; ; n++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return table, nil
		}
		if err != nil {
			return Table{}, err
		}
		if n == 0 {
			continue // the head
		}
		line, _ := r.FieldPos(0)
		if err := table.add(line, row); err != nil {
			return Table{}, fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func (table *Table) add(line int, row []string) (err error) {
	unit, team, _ := strings.Cut(row[place], "/")
	at := grant.Place{Unit: unit, Team: team}
	if row[kind] == "person" {
		p := Person{Unit: unit}
		p.Given, p.Own, _ = strings.Cut(row[note], " ")
		p.Citizen, err = thai.ParseCitizenID(row[by])
		table.People[row[who]] = p
		return err
	}
	when, err := momentOf(row[moment])
	if err != nil {
		return err
	}
	switch row[kind] {
	case "now":
		table.Now = when
		return nil
	case "group":
		table.Acts = append(table.Acts, Act{Line: line, Moment: when, What: "group", At: at, By: row[by], Note: row[note]})
		return nil
	}
	if _, known := table.People[row[who]]; !known {
		return fmt.Errorf("%q is nobody of the table", row[who])
	}
	switch row[kind] {
	case "act":
		a := Act{Line: line, Moment: when, Person: row[who], At: at, By: row[by], Note: row[note]}
		var what string
		a.What, what, _ = strings.Cut(row[action], " ")
		if what != "" {
			if a.Do, err = actionOf(what); err != nil {
				return err
			}
		}
		if a.From, err = dayOf(row[from]); err != nil {
			return err
		}
		a.Until, err = dayOf(row[until])
		table.Acts = append(table.Acts, a)
		return err
	case "ask":
		q := Question{Line: line, Person: row[who], Action: row[action], At: at, Moment: when, Want: row[want] == "yes", Reason: grant.Reason(row[reason]), Note: row[note]}
		if q.Want != (q.Reason == grant.Permitted) || !q.Want && row[want] != "no" {
			return fmt.Errorf("%s for %s", row[want], row[reason])
		}
		q.Do, err = actionOf(row[action])
		table.Questions = append(table.Questions, q)
		return err
	}
	return fmt.Errorf("%q is no kind of line", row[kind])
}

// administer is what a head does, in the words of the table.
const administer = "administer"

func actionOf(code string) (grant.Action, error) {
	if row, ok := grant.LevelOf(code); ok {
		return row.Level.Do(), nil
	}
	if code == administer {
		return grant.Administer, nil
	}
	return 0, fmt.Errorf("%q is no action", code)
}

func dayOf(text string) (thai.Date, error) {
	if text == "" {
		return thai.Date{}, nil
	}
	return thai.ParseDate(text)
}

func momentOf(text string) (time.Time, error) {
	day, hour, _ := strings.Cut(text, " ")
	date, err := thai.ParseDate(day)
	if err != nil {
		return time.Time{}, err
	}
	seconds := 0
	if strings.Count(hour, ":") == 2 {
		if seconds, err = strconv.Atoi(hour[len("10:00:"):]); err != nil {
			return time.Time{}, err
		}
		hour = hour[:len("10:00")]
	}
	after, err := thai.ParseHour(hour)
	return date.StartOfDay().Add(after + time.Duration(seconds)*time.Second).UTC(), err
}

// World is where a table is played: an installation with the reference data and two central administrators.
type World struct {
	DB       *store.DB
	Clock    *clock.Manual
	Roll     *person.Roll
	Book     *grant.Book
	Agencies agency.Desk
	Admins   [2]person.ID
}

// Play carries out the acts of the table, leaves the clock at its Now, and answers the persons by their names; one whom
// nobody ever named is "". An act that fails, fails the test.
func (table Table) Play(t testing.TB, w World) map[string]person.ID {
	t.Helper()
	g := &game{World: w, table: table, people: map[string]person.ID{"admin1": w.Admins[0], "admin2": w.Admins[1]}, rights: map[key]grant.Grant{}, posts: map[key]grant.Appointment{}}
	for _, a := range table.Acts {
		w.Clock.Set(a.Moment)
		if err := g.do(t.Context(), a); err != nil {
			t.Fatalf("line %d: %s: %v", a.Line, a.What, err)
		}
	}
	w.Clock.Set(table.Now)
	if err := w.Book.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	return g.people
}

// game is a table while it is played.
type game struct {
	World
	table  Table
	people map[string]person.ID
	rights map[key]grant.Grant // the last one of each kind
	posts  map[key]grant.Appointment
}

type key struct {
	person string
	do     grant.Action
	at     grant.Place
}

func (g *game) do(ctx context.Context, a Act) error {
	k, who, by := key{a.Person, a.Do, a.At}, g.people[a.Person], g.people[a.By]
	for _, actor := range []person.ID{by, g.Admins[0], g.Admins[1]} { // who acts has signed in
		if err := g.signIn(ctx, actor); err != nil {
			return err
		}
	}
	switch a.What {
	case "register":
		return g.register(ctx, a)
	case "group":
		_, err := g.Agencies.AddTeam(ctx, string(g.Admins[0]), a.At.Unit, a.At.Team, locale.Name{TH: a.Note, EN: "Group " + a.At.Team})
		return err
	case "appoint", "propose":
		o := grant.AppointmentOrder{Post: grant.Head, Kind: grant.Regular, Unit: a.At.Unit, Person: who, OrderNumber: "อก 0101/1", From: a.From, LastDay: a.Until}
		if !a.Until.IsZero() {
			o.Kind = grant.Acting
		}
		post, err := g.Book.Propose(ctx, g.Admins[0], o)
		if err == nil && a.What == "appoint" {
			post, err = g.Book.ConfirmAppointment(ctx, g.Admins[1], post.ID)
		}
		g.posts[k] = post
		return err
	case "confirm-post":
		_, err := g.Book.ConfirmAppointment(ctx, by, g.posts[k].ID)
		return err
	case "end-post":
		_, err := g.Book.EndAppointment(ctx, by, g.posts[k].ID, grant.Ending{Reason: "ครบวาระ", LeavesNone: true})
		return err
	case "give":
		right, err := g.Book.Give(ctx, by, grant.Order{
			Unit: a.At.Unit, Team: a.At.Team, Level: grant.Level(a.Do), Citizen: g.table.People[a.Person].Citizen, From: a.From, LastDay: a.Until,
			OrderNumber: fmt.Sprintf("คำสั่งที่ %d/2569", a.Line), Confirmed: true, OtherOffice: true,
		})
		g.people[a.Person], g.rights[k] = right.Person, right
		return err
	case "second":
		_, err := g.Book.Second(ctx, by, g.rights[k].ID, true, "")
		return err
	case "change":
		right, err := g.Book.Change(ctx, by, g.rights[k].ID, g.rights[k].Version, grant.Change{LastDay: a.Until})
		g.rights[k] = right
		return err
	case "revoke":
		_, err := g.Book.Revoke(ctx, by, g.rights[k].ID, grant.Ending{Reason: "ย้าย", LeavesNone: true})
		return err
	case "identify", "refuse":
		return g.Book.Identify(ctx, by, who, a.At.Unit, a.What == "identify", a.Note)
	case "thaid":
		return g.prove(ctx, who)
	case "off":
		return g.turn(ctx, who, officer.Disabled)
	case "on":
		return g.turn(ctx, who, officer.Active)
	case "sign-in":
		return g.signIn(ctx, who)
	case "reopen":
		return g.DB.Write(ctx, func(tx *store.Tx) error { return officer.Reopen(ctx, tx, who) })
	}
	return fmt.Errorf("%q is no act", a.What)
}

// prove does what a first sign-in by ThaID does.
func (g *game) prove(ctx context.Context, who person.ID) error {
	return g.DB.InTurn().Write(ctx, func(tx *store.Tx) error {
		account, err := officer.Find(ctx, tx, who)
		if err != nil {
			return err
		}
		if _, err := officer.NoteIdentity(ctx, tx, who, account.GivenName, account.FamilyName); err != nil {
			return err
		}
		return g.Book.Identified(ctx, tx, account)
	})
}

// register makes an account as a registration does.
func (g *game) register(ctx context.Context, a Act) error {
	p := g.table.People[a.Person]
	return g.DB.Write(ctx, func(tx *store.Tx) error {
		who, err := g.Roll.Mention(ctx, tx, p.Citizen)
		if err != nil {
			return err
		}
		g.people[a.Person] = who
		if err := officer.Create(ctx, tx, officer.Account{
			Person: who, GivenName: p.Given, FamilyName: p.Own, Position: "นักวิชาการอุตสาหกรรม", Unit: p.Unit,
			Email: thai.Email(a.Person + "@industry.example.go.th"), Phone: "+66812345678", EmailProvedAt: tx.Now, PhoneProvedAt: tx.Now,
		}, "no password"); err != nil {
			return err
		}
		return g.Book.Registered(ctx, tx, who)
	})
}

// signIn notes a sign-in.
func (g *game) signIn(ctx context.Context, who person.ID) error {
	return g.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE accounts SET last_signin_at = $1 WHERE person_id = $2`, store.Us(tx.Now), who)
		return err
	})
}

// turn switches an account off or on; no act of the program does so yet.
func (g *game) turn(ctx context.Context, who person.ID, state officer.State) error {
	return g.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE accounts SET state = $1 WHERE person_id = $2`, state, who); err != nil {
			return err
		}
		return g.Book.Moved(ctx, tx, who)
	})
}

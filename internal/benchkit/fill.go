// Package benchkit fills databases for benchmarks, and sets what they measure beside a peer or a bare limit.
package benchkit

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"sitthi/agency"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// Size is how much Fill brings in.
type Size struct {
	Officers int
	Grants   int
}

// Department is the whole department as the goals of the book of rights name it.
var Department = Size{Officers: 10_000, Grants: 100_000}

// teams is how many groups (กลุ่ม) each division has.
const teams = 5

// World is what Fill made.
type World struct {
	Units         []string             // that consider permits (กอ.1)
	Heads         map[string]person.ID // by unit
	Administrator person.ID
	Officers      []person.ID // the heads and the administrator among them
}

// officerOf is one made-up officer; the number of citizen says which.
type officerOf struct {
	id   person.ID
	unit string
}

// Citizen is the citizen ID of the n-th officer of a World, from 0: synthetic (digits 2–3 are 99), with a check digit.
func Citizen(t testing.TB, n int) thai.CitizenID {
	t.Helper()
	for check := range 10 {
		digits := fmt.Sprintf("199%09d%d", n+1_000, check)
		if thai.ValidCheckDigit(digits) {
			id, err := thai.ParseCitizenID(digits)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
	}
	t.Fatal("no check digit fits")
	return thai.CitizenID{}
}

// Fill brings the reference data, officers, heads of all units and grants into a migrated database without any. Every
// state of a grant occurs: of ten grants seven are live, of which some begin later, end soon, or wait for the person
// to be confirmed; three are over. Divisions have groups, and about every third of their grants is for one of them.
// The same Size always makes the same World but for its ids. All accounts have the password behind hash.
func Fill(t testing.TB, db *store.DB, roll *person.Roll, size Size, hash string) *World {
	t.Helper()
	w := &World{Heads: map[string]person.ID{}}
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		f := filler{Size: size, t: t, db: db, tx: tx, World: w, roll: roll, hash: hash, random: rand.New(rand.NewPCG(2566, 1))}
		return f.fill(t.Context())
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

type filler struct {
	*World
	Size
	t        testing.TB
	db       *store.DB
	tx       *store.Tx
	roll     *person.Roll
	hash     string
	random   *rand.Rand
	officers []officerOf
	division map[string]bool
}

func (f *filler) fill(ctx context.Context) error {
	if err := agency.Load(ctx, f.tx); err != nil {
		return err
	}
	units, err := agency.Units(ctx, f.tx)
	if err != nil {
		return err
	}
	f.division = map[string]bool{}
	var groups [][]any
	for _, u := range units {
		if !u.Considers {
			continue
		}
		f.Units = append(f.Units, u.Code)
		if f.division[u.Code] = u.HasTeams(); u.HasTeams() {
			for n := range teams {
				name := locale.Name{TH: fmt.Sprintf("กลุ่มที่ %d", n+1), EN: fmt.Sprintf("Group %d", n+1)}
				groups = append(groups, []any{u.Code, team(n), name.TH, name.EN, thai.SortKey(name.TH), store.Us(f.tx.Now)})
			}
		}
	}
	if err := insert(ctx, f.tx, "teams", "unit, code, name_th, name_en, sort_key, updated_at", groups); err != nil {
		return err
	}
	if err := f.register(ctx); err != nil {
		return err
	}
	if err := f.appoint(ctx); err != nil {
		return err
	}
	if err := f.give(ctx); err != nil {
		return err
	}
	return f.analyze(ctx)
}

// analyze gives the planner what it has after a while: on SQLite from the end of the program (store.DB.Close), which
// looks at part of the rows only and takes no samples as a plain ANALYZE does; on PostgreSQL from autovacuum.
func (f *filler) analyze(ctx context.Context) error {
	statement := "ANALYZE"
	if f.db.Engine() == store.SQLite {
		statement = "PRAGMA optimize(0x1fffe)" // the default, and all tables instead of those that this connection has asked
	}
	if _, err := f.tx.Exec(ctx, statement); err != nil {
		return fmt.Errorf("analyze: %w", err)
	}
	return nil
}

func team(n int) string { return "G" + strconv.Itoa(n+1) }

// Names are put together from these, so that a part of one finds some people and not all.
var (
	givenNames  = strings.Fields("สมชาย สมหญิง สมศักดิ์ วิชัย มาลี สุดา อนุชา ปิติ มานะ กิตติ ชูใจ ประเสริฐ วีระ นภา จันทร์เพ็ญ ธนากร ศิริพร พรทิพย์ อรุณ รัตนา บุญมี ไพศาล ดวงใจ ณัฐพล กนกวรรณ")
	familyStart = strings.Fields("ทอง ศรี วงศ์ บุญ แก้ว จันทร์ สุข พงษ์ รัตน์ อินทร์ พรหม เพชร ชัย มณี เกียรติ ธรรม สิงห์ ดำรง ปัญญา ประดิษฐ์")
	familyEnd   = strings.Fields("สวัสดิ์ ประเสริฐ เจริญ วัฒนา ไพบูลย์ มงคล ชนะ กุล ศักดิ์ สกุล พันธ์ รักษา งาม ดี ใส สุวรรณ")
)

// register makes the officers: spread evenly over the units, the first of each its head, the last the administrator.
func (f *filler) register(ctx context.Context) error {
	for n := range f.Size.Officers {
		unit := f.Units[n%len(f.Units)]
		if n == f.Size.Officers-1 {
			unit = "ICT"
		}
		who, err := f.roll.Mention(ctx, f.tx, Citizen(f.t, n))
		if err != nil {
			return err
		}
		given, start, end := givenNames[n%len(givenNames)], f.random.IntN(len(familyStart)), f.random.IntN(len(familyEnd))
		err = officer.Create(ctx, f.tx, officer.Account{
			Person: who, GivenName: given, FamilyName: familyStart[start] + familyEnd[end], Position: "นักวิชาการอุตสาหกรรมชำนาญการ",
			Unit: unit, Email: thai.Email(fmt.Sprintf("p%d@diw.example.go.th", n)), Phone: thai.Mobile(fmt.Sprintf("+668%08d", n)),
			TermsVersion: officer.TermsVersion, EmailProvedAt: f.tx.Now, PhoneProvedAt: f.tx.Now,
		}, f.hash)
		if err != nil {
			return err
		}
		f.officers = append(f.officers, officerOf{who, unit})
		f.World.Officers = append(f.World.Officers, who)
	}
	for n, unit := range f.Units {
		f.Heads[unit] = f.officers[n].id
	}
	f.Administrator = f.officers[f.Size.Officers-1].id
	// Not all at this moment: who signed in within the last minute is looked at again by everything that follows.
	if _, err := f.tx.Exec(ctx, `UPDATE accounts SET last_signin_at = $1`, store.Us(f.tx.Now.Add(-time.Hour))); err != nil {
		return fmt.Errorf("let sign-ins be an hour ago: %w", err)
	}
	return nil
}

// appoint makes each head the head, and the administrator one.
func (f *filler) appoint(ctx context.Context) error {
	var rows [][]any
	at := store.Us(f.tx.Now.AddDate(-1, 0, 0))
	row := func(who person.ID, unit, post string) {
		rows = append(rows, []any{store.NewID(), who, unit, post, "regular", "อก 0301/1", at, "terminal", at, "terminal", at})
	}
	for _, unit := range f.Units {
		row(f.Heads[unit], unit, "head")
	}
	row(f.Administrator, agency.DIW, "administrator")
	return insert(ctx, f.tx, "appointments",
		"id, person_id, unit, post, kind, order_number, starts_at, proposed_by, proposed_at, confirmed_by, confirmed_at", rows)
}

// give makes the grants, and confirms who holds them but for one in twenty.
func (f *filler) give(ctx context.Context) error {
	type scope struct {
		who        person.ID
		unit, team string
		level      int
	}
	type known struct {
		who  person.ID
		unit string
	}
	live, met := map[scope]bool{}, map[known]bool{}
	var grants, confirmations [][]any
	now := f.tx.Now
	day := func(days int) time.Time { return thai.DateOf(now).AddDays(days).StartOfDay() }
	for len(grants) < f.Grants {
		o := f.officers[f.random.IntN(len(f.officers))]
		s := scope{who: o.id, unit: o.unit, level: f.random.IntN(3) + 1}
		other := o.unit == "ICT" || f.random.IntN(2) == 0
		if other {
			s.unit = f.Units[f.random.IntN(len(f.Units))]
		}
		if f.division[s.unit] && f.random.IntN(3) == 0 {
			s.team = team(f.random.IntN(teams))
		}
		given := day(-f.random.IntN(400) - 20)
		from, until, closed, closing := given, time.Time{}, time.Time{}, ""
		switch kind := f.random.IntN(20); {
		case kind < 6: // over
			until, closing = given.AddDate(0, 0, 10), "expired"
			closed = until
			if kind < 3 {
				closing = "revoked"
			}
		case kind == 6: // to come
			from, until = day(30), day(395)
		case kind == 7: // ends soon
			until = day(f.random.IntN(25) + 3)
		case kind < 14: // with an end
			until = day(f.random.IntN(600) + 60)
		}
		if closing == "" {
			if live[s] {
				continue
			}
			live[s] = true
		}
		if k := (known{s.who, s.unit}); !met[k] {
			met[k] = true
			if f.random.IntN(20) != 0 {
				confirmations = append(confirmations, []any{store.NewID(), s.who, s.unit, "confirmed", f.Heads[s.unit], store.Us(given)})
			}
		}
		number, id := len(grants)+1, store.NewID()
		order := ""
		if number%3 == 0 {
			order = fmt.Sprintf("%d/2569", number%480+1)
		}
		grants = append(grants, []any{
			id, number, s.unit, s.team, s.level, s.who, store.Us(from), store.Us(until), order, other && s.unit != o.unit,
			f.Heads[s.unit], store.Us(given), "bench-" + strconv.Itoa(number), store.Us(closed), closing,
		})
	}
	for _, t := range []struct {
		table, columns string
		rows           [][]any
	}{
		{"confirmations", "id, person_id, unit, outcome, decided_by, decided_at", confirmations},
		{"grants", `id, number, unit, team, level, person_id, starts_at, ends_at, order_number, other_office,
			given_by, given_at, form, closed_at, closing`, grants},
	} {
		if err := insert(ctx, f.tx, t.table, t.columns, t.rows); err != nil {
			return err
		}
	}
	if _, err := f.tx.Exec(ctx, `INSERT INTO grant_versions (grant_id, version, starts_at, ends_at, order_number, note, recorded_by, recorded_at)
		SELECT id, 1, starts_at, ends_at, order_number, note, given_by, given_at FROM grants`); err != nil {
		return fmt.Errorf("keep versions of grants: %w", err)
	}
	if _, err := f.tx.Exec(ctx, `UPDATE counters SET value = $1 WHERE name = 'grant'`, len(grants)); err != nil {
		return fmt.Errorf("count grants: %w", err)
	}
	return nil
}

// insert adds rows to a table, some with one statement.
func insert(ctx context.Context, tx *store.Tx, table, columns string, rows [][]any) error {
	const most = 20 // more rows make SQLite slower: the time to prepare a statement grows with the square of its values
	for len(rows) > 0 {
		batch := rows[:min(most, len(rows))]
		rows = rows[len(batch):]
		var text strings.Builder
		text.WriteString("INSERT INTO " + table + " (" + columns + ") VALUES ")
		var args []any
		for i, row := range batch {
			if i > 0 {
				text.WriteString(", ")
			}
			for j, value := range row {
				text.WriteString([...]string{"(", ", "}[min(j, 1)])
				args = append(args, value)
				text.WriteString("$" + strconv.Itoa(len(args)))
			}
			text.WriteString(")")
		}
		if _, err := tx.Exec(ctx, text.String(), args...); err != nil {
			return fmt.Errorf("add to %s: %w", table, err)
		}
	}
	return nil
}

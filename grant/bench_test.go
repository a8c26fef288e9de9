package grant

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sitthi/internal/clock"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/person"
)

// The sizes of the goals: officers of the whole country, ten rights each.
const (
	manyOfficers = 10_000
	manyGrants   = 100_000
)

// crowd fills the book with officers and their grants, as far as one can tell in the proportions of the country: most
// rights in the own unit, some elsewhere, one in eight with dates, those of IWM partly in its groups. It answers the
// officers. Everything is written in bulk, past the acts.
func (k *kit) crowd(t testing.TB, officers, grants int) []person.ID {
	t.Helper()
	ctx := t.Context()
	units := append([]string{"IWM", "TH-12", "TH-13"}, k.provinces...)
	people := make([]person.ID, officers)
	now := k.Clock.Now()
	k.write(t, func(tx *store.Tx) error {
		persons, accounts := bulk{tx: tx, into: "persons (id, citizen_sealed, citizen_index, created_at)"}, bulk{tx: tx, into: `accounts
			(person_id, given_name, family_name, name_fold, name_sort, position, unit, email, phone, line_id, password_hash, terms_version, terms_at, registered_at, last_signin_at)`}
		for i := range people {
			people[i] = person.ID(store.NewID())
			id := citizen(t, 1_000_000+i)
			given, family := fmt.Sprintf("สมชาย%d", i%701), fmt.Sprintf("ใจดี%d", i%997)
			name, unit := given+" "+family, units[i%len(units)]
			if err := persons.add(ctx, people[i], k.ring.Seal("person.citizen/"+string(people[i]), []byte(id.Digits())), k.roll.Index(id), now.UnixMicro()); err != nil {
				return err
			}
			if err := accounts.add(ctx, people[i], given, family, thai.Fold(name), thai.SortKey(name), "นักวิชาการ", unit, "a@example.go.th", "", "", "", "", now.UnixMicro(), now.UnixMicro(), now.UnixMicro()); err != nil {
				return err
			}
		}
		if err := persons.end(ctx); err != nil {
			return err
		}
		return accounts.end(ctx)
	})
	first := k.count(t, `SELECT value FROM counters WHERE name = 'grant'`)
	k.write(t, func(tx *store.Tx) error {
		rows := bulk{tx: tx, into: "grants (id, number, unit, team, level, person_id, starts_at, ends_at, order_number, given_by, given_at, form)"}
		known := bulk{tx: tx, into: "confirmations (id, person_id, unit, outcome, decided_by, decided_at)"}
		for n := range grants {
			i, nth := n%officers, n/officers
			unit, team, level := units[(i+(nth/3)*7)%len(units)], "", Levels[nth%3].Level // three rights in each unit
			if unit == "IWM" && i%2 == 0 {
				team = []string{"G1", "G2"}[i/2%2]
			}
			from, until := now.AddDate(0, -1-n%24, 0), any(nil)
			if n%8 == 0 {
				until = now.AddDate(0, 0, n%700-100).UnixMicro()
			}
			if n%50 == 1 {
				from = now.AddDate(0, 1, 0)
			}
			id := store.NewID()
			if err := rows.add(ctx, id, first+n+1, unit, team, level, people[i], from.UnixMicro(), until, fmt.Sprintf("อก 03%02d/%d", n%100, n), k.admins[0], from.UnixMicro(), id); err != nil {
				return err
			}
			if nth%3 == 0 && n%20 != 7 { // one in twenty waits for the word of a head
				if err := known.add(ctx, store.NewID(), people[i], unit, "confirmed", k.admins[0], now.UnixMicro()); err != nil {
					return err
				}
			}
		}
		if err := known.end(ctx); err != nil {
			return err
		}
		if err := rows.end(ctx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO grant_versions (grant_id, version, starts_at, ends_at, order_number, note, recorded_by, recorded_at)
			SELECT g.id, 1, g.starts_at, g.ends_at, g.order_number, g.note, g.given_by, g.given_at FROM grants g WHERE g.number > $1`, first); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE counters SET value = value + $1 WHERE name = 'grant'`, grants)
		return err
	})
	k.write(t, func(tx *store.Tx) error { // what SQLite does when the program stops, PostgreSQL by itself
		_, err := tx.Exec(ctx, `ANALYZE`)
		return err
	})
	return people
}

// bulk inserts many rows with few statements.
type bulk struct {
	tx   *store.Tx
	into string
	rows []string
	args []any
}

func (b *bulk) add(ctx context.Context, values ...any) error {
	marks := make([]string, len(values))
	for i := range values {
		marks[i] = "$" + strconv.Itoa(len(b.args)+i+1)
	}
	b.rows, b.args = append(b.rows, "("+strings.Join(marks, ", ")+")"), append(b.args, values...)
	if len(b.rows) < 20 { // with more the named parameters take SQLite longer than the rows
		return nil
	}
	return b.end(ctx)
}

func (b *bulk) end(ctx context.Context) error {
	if len(b.rows) == 0 {
		return nil
	}
	_, err := b.tx.Exec(ctx, `INSERT INTO `+b.into+` VALUES `+strings.Join(b.rows, ", "), b.args...)
	b.rows, b.args = nil, nil
	return err
}

// question is one that pages and programs ask.
type question struct {
	who person.ID
	do  Action
	at  Place
}

// questions draws from people who have the right, those who have another, and those who have none.
func questions(people []person.ID, units []string) []question {
	r := rand.New(rand.NewPCG(1, 2569))
	list := make([]question, 4096)
	for i := range list {
		n := r.IntN(len(people))
		q := question{who: people[n], do: Levels[r.IntN(len(Levels))].Level.Do(), at: Place{Unit: units[n%len(units)]}}
		switch r.IntN(4) {
		case 0:
			q.at.Unit = units[r.IntN(len(units))]
		case 1:
			q.at = Place{"IWM", []string{"G1", "G2"}[r.IntN(2)]}
		}
		list[i] = q
	}
	return list
}

// synthetic builds a snapshot of the goals' size without a database.
func synthetic() (s *snapshot, entries []entry, people []person.ID, units []string) {
	units = []string{"IWM"}
	for i := range 80 {
		units = append(units, fmt.Sprintf("TH-%d", 11+i))
	}
	people = make([]person.ID, manyOfficers)
	for i := range people {
		people[i] = person.ID(store.NewID())
	}
	now := storetest.Start
	for n := range manyGrants {
		i, nth := n%manyOfficers, n/manyOfficers
		// The strings are made anew, as a database driver makes them.
		e := entry{id: ID(uuid.New()), person: person.ID(strings.Clone(string(people[i]))), unit: units[(i+(nth/3)*7)%len(units)], action: Levels[nth%3].Level.Do(), from: now.AddDate(0, -1, 0)}
		if e.unit == "IWM" && i%2 == 0 {
			e.team = []string{"G1", "G2"}[i/2%2]
		}
		if n%8 == 0 {
			e.until = now.AddDate(0, 0, n%700-100)
		}
		entries = append(entries, e)
	}
	s = newSnapshot()
	s.meet(placesOf(units))
	s.put(nil, entries, storetest.Start)
	return s, entries, people, units
}

// placesOf are the units, of which IWM has groups.
func placesOf(units []string) []Place {
	list := []Place{}
	for _, unit := range units {
		list = append(list, Place{unit, ""})
	}
	return append(list, Place{"IWM", "G1"}, Place{"IWM", "G2"})
}

// packed is the bare limit that Allows is held against: a packed slice per subject, found by the same key.
type packed struct {
	subjects map[person.ID][]packedRight
	units    map[string]uint16
	teams    map[string]uint16
}

type packedRight struct {
	from, until int64
	unit, team  uint16
	action      Action
}

func pack(entries []entry) *packed {
	p := &packed{subjects: map[person.ID][]packedRight{}, units: map[string]uint16{}, teams: map[string]uint16{"": 0}}
	number := func(m map[string]uint16, name string) uint16 {
		if _, ok := m[name]; !ok {
			m[name] = uint16(len(m) + 1)
		}
		return m[name]
	}
	for _, e := range entries {
		until := int64(1<<63 - 1)
		if !e.until.IsZero() {
			until = e.until.UnixMicro()
		}
		p.subjects[e.person] = append(p.subjects[e.person], packedRight{e.from.UnixMicro(), until, number(p.units, e.unit), number(p.teams, e.team), e.action})
	}
	return p
}

// allows is told unit and group by number, which Allows has to find out, and the moment, which Allows asks the clock for.
func (p *packed) allows(who person.ID, do Action, unit, team uint16, now int64) bool {
	for _, r := range p.subjects[who] {
		if r.action == do && r.unit == unit && (r.team == p.teams[""] || r.team == team) && r.from <= now && now < r.until {
			return true
		}
	}
	return false
}

var sink int

// BenchmarkAllows is the decision in process; its goal is at most three times BenchmarkPackedSlice, without allocating.
func BenchmarkAllows(b *testing.B) {
	s, _, people, units := synthetic()
	book := &Book{now: s, clock: clock.System{}}
	list := questions(people, units)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q := &list[i%len(list)]
		if book.Allows(q.who, q.do, q.at) {
			sink++
		}
	}
}

// BenchmarkWho lists the first page of those who may approve in a unit.
func BenchmarkWho(b *testing.B) {
	s, _, _, units := synthetic()
	book := &Book{now: s, clock: clock.NewManual(storetest.Start)}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		sink += len(book.Who(DoApprove, Place{Unit: units[i%len(units)]}, "", 51))
	}
}

// BenchmarkAllowsParallel asks from all cores at once: readers never wait for each other.
func BenchmarkAllowsParallel(b *testing.B) {
	s, _, people, units := synthetic()
	book := &Book{now: s, clock: clock.System{}}
	list := questions(people, units)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		allowed := 0
		for i := 0; pb.Next(); i++ {
			q := &list[i%len(list)]
			if book.Allows(q.who, q.do, q.at) {
				allowed++
			}
		}
		_ = allowed
	})
}

// BenchmarkPackedSlice is the bare limit with the same keys and questions.
func BenchmarkPackedSlice(b *testing.B) {
	_, entries, people, units := synthetic()
	p := pack(entries)
	list := questions(people, units)
	type asked struct {
		who        person.ID
		do         Action
		unit, team uint16
	}
	bare := make([]asked, len(list))
	for i, q := range list {
		bare[i] = asked{q.who, q.do, p.units[q.at.Unit], p.teams[q.at.Team]}
	}
	now := storetest.Start.UnixMicro()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q := &bare[i%len(bare)]
		if p.allows(q.who, q.do, q.unit, q.team, now) {
			sink++
		}
	}
}

func TestAllowsDoesNotAllocate(t *testing.T) {
	s, entries, people, units := synthetic()
	book := &Book{now: s, clock: clock.NewManual(storetest.Start)}
	bare := pack(entries)
	allowed := 0
	for _, q := range questions(people, units) {
		yes := book.Allows(q.who, q.do, q.at)
		if yes != bare.allows(q.who, q.do, bare.units[q.at.Unit], bare.teams[q.at.Team], storetest.Start.UnixMicro()) && q.at.Team == "" {
			t.Fatalf("%v: Allows says %v, the bare limit the other", q, yes)
		}
		if yes {
			allowed++
		}
		if n := testing.AllocsPerRun(1, func() { book.Allows(q.who, q.do, q.at); book.Answer(q.who, q.do, q.at) }); n != 0 {
			t.Fatalf("%v: %v allocations", q, n)
		}
	}
	if allowed < 500 || allowed > 3500 {
		t.Errorf("%d of 4096 questions are answered yes: they measure one case only", allowed)
	}
}

// bytesPerGrant is what the memory of 100,000 grants takes for each, all told: rights, keys and maps of 10,000 officers.
func bytesPerGrant() float64 {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC() // the second frees what the first only marked to be finalised
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	_, entries, _, units := synthetic()
	before := heap()
	s := newSnapshot()
	s.meet(placesOf(units))
	s.put(nil, entries, storetest.Start)
	full := heap() // the entries are still there
	runtime.KeepAlive(entries)
	runtime.KeepAlive(s)
	return float64(full-before) / manyGrants
}

// mostBytes is the goal for bytesPerGrant.
const mostBytes = 64

func TestMemoryPerGrant(t *testing.T) {
	each := bytesPerGrant()
	t.Logf("%.1f bytes a grant", each)
	if each > mostBytes {
		t.Errorf("%.1f bytes a grant, the goal is %d", each, mostBytes)
	}
}

// BenchmarkLoad reads 100,000 grants into memory, as a start does; on SQLite.
func BenchmarkLoad(b *testing.B) {
	k := open(b, storetest.SQLite(b))
	k.crowd(b, manyOfficers, manyGrants)
	for b.Loop() {
		if err := k.newBook(k.DB).Load(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGrid asks for pages of the grid among 100,000 grants, on SQLite.
func BenchmarkGrid(b *testing.B) {
	k := open(b, storetest.SQLite(b))
	k.crowd(b, manyOfficers, manyGrants)
	for _, c := range []struct {
		name string
		by   person.ID
		f    Filter
	}{
		{"head", k.chief12, Filter{Level: Consider}},
		{"head by name", k.chief12, Filter{Level: Consider, Sort: "name"}},
		{"head part of name", k.chief12, Filter{Level: Consider, Citizen: "ใจดี12"}},
		{"head part of ID", k.chief12, Filter{Level: Consider, Citizen: "0012"}},
		{"head search", k.chief12, Filter{Level: Consider, Search: "ดี12"}},
		{"all units", k.admins[0], Filter{}},
		{"all units last page", k.admins[0], Filter{Page: 1 << 40}},
		{"all units by name", k.admins[0], Filter{Sort: "name"}},
		{"all units whole ID", k.admins[0], Filter{Citizen: citizen(b, 1_000_123).Digits()}},
		{"all units part of name", k.admins[0], Filter{Citizen: "ใจดี12"}},
		{"all units part of name, nobody", k.admins[0], Filter{Citizen: "ไม่มีใคร"}},
		{"all units search", k.admins[0], Filter{Search: "ดี12"}},
		{"all units search, nothing", k.admins[0], Filter{Search: "ไม่มีใคร"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				page, err := k.book.Grid(b.Context(), c.by, c.f)
				if err != nil {
					b.Fatal(err)
				}
				sink += len(page.Rows)
			}
		})
	}
}

// BenchmarkRequire reads a right again inside a transaction, among 100,000 grants, on SQLite.
func BenchmarkRequire(b *testing.B) {
	k := open(b, storetest.SQLite(b))
	people := k.crowd(b, manyOfficers, manyGrants)
	list := questions(people, append([]string{"IWM", "TH-12", "TH-13"}, k.provinces...))
	err := k.DB.Read(b.Context(), func(tx *store.Tx) error {
		for i := 0; b.Loop(); i++ {
			q := list[i%len(list)]
			if err := k.book.Require(b.Context(), tx, q.who, Level(q.do), q.at); err != nil && !isDenied(err) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func isDenied(err error) bool { return key(err) == string(problem.Denied)+" grant.denied_level" }

// BenchmarkGive is a whole act: rule, grant, log, message, memory; on SQLite, one after the other.
func BenchmarkGive(b *testing.B) {
	k := open(b, storetest.SQLite(b))
	k.crowd(b, manyOfficers, manyGrants)
	start := time.Now()
	n := 0
	for b.Loop() {
		k.give(b, k.chief12, Order{Unit: "TH-12", Level: Consider, Citizen: k.citizen(b)})
		n++
	}
	b.ReportMetric(float64(n)/time.Since(start).Seconds(), "acts/s")
}

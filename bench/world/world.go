// Package world is the made-up department as everyone is given it who is held against Sitthi, and what it is asked about.
package world

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sitthi/grant"
	"sitthi/internal/benchkit"
	"sitthi/internal/store"
	"sitthi/person"
)

// Right is one right that holds.
type Right struct {
	Who  person.ID
	At   grant.Place
	Does string // code of the level
}

// Dated is a right that is open, with the dates on which it begins and ends: it holds, will hold, or has held.
type Dated struct {
	Right
	From, Until time.Time // Until is exclusive; zero when it has no end
}

// Question asks whether somebody may do this here now.
type Question = Right

// World is the department: 10,000 officers with 100,000 grants, of which some 56,000 hold now. It is read from the database
// by a query of its own: neither Sitthi nor a peer says what is right.
type World struct {
	Rights []Right // that hold now
	Open   []Dated // of confirmed people
	Units  []string
	Groups map[string][]string // by unit

	holding map[Right]bool
}

// New fills a migrated database without any people, and reads what holds now by the database's clock.
func New(b *testing.B, db *store.DB, roll *person.Roll) *World {
	b.Helper()
	w := &World{Groups: map[string][]string{}, holding: map[Right]bool{}}
	w.Units = benchkit.Fill(b, db, roll, benchkit.Department, "no password").Units
	OK(b, db.Read(b.Context(), func(tx *store.Tx) error { return w.read(b, tx) }))
	return w
}

func (w *World) read(b *testing.B, tx *store.Tx) error {
	places, err := store.Rows(func(row store.Row) (at grant.Place, err error) { return at, row.Scan(&at.Unit, &at.Team) })(
		tx.Query(b.Context(), `SELECT unit, code FROM teams ORDER BY unit, code`))
	if err != nil {
		return err
	}
	for _, at := range places {
		w.Groups[at.Unit] = append(w.Groups[at.Unit], at.Team)
	}
	w.Open, err = store.Rows(func(row store.Row) (d Dated, err error) {
		var level grant.Level
		err = row.Scan(&d.Who, &d.At.Unit, &d.At.Team, &level, store.At(&d.From), store.At(&d.Until))
		d.Does = level.Row().Code
		return d, err
	})(tx.Query(b.Context(), `SELECT g.person_id, g.unit, g.team, g.level, g.starts_at, g.ends_at FROM grants g
		JOIN confirmations c ON c.person_id = g.person_id AND c.unit = g.unit AND c.ended_at IS NULL AND c.outcome = 'confirmed'
		WHERE g.closed_at IS NULL ORDER BY g.number`))
	for _, d := range w.Open {
		if !d.From.After(tx.Now) && (d.Until.IsZero() || d.Until.After(tx.Now)) {
			w.Rights = append(w.Rights, d.Right)
			w.holding[d.Right] = true
		}
	}
	return err
}

// Allowed answers a question from the list of rights.
func (w *World) Allowed(q Question) bool {
	whole := q
	whole.At.Team = ""
	return w.holding[q] || w.holding[whole]
}

// Questions draws who has the right, who has another in the place, and who has none; a third of what falls on a division
// is about one of its groups.
func (w *World) Questions() []Question {
	r := rand.New(rand.NewPCG(2569, 1))
	list := make([]Question, 4096)
	for i := range list {
		q := w.Rights[r.IntN(len(w.Rights))]
		if groups := w.Groups[q.At.Unit]; q.At.Team == "" && len(groups) > 0 && r.IntN(3) == 0 {
			q.At.Team = groups[r.IntN(len(groups))]
		}
		switch r.IntN(4) {
		case 0:
			q.At = grant.Place{Unit: w.Units[r.IntN(len(w.Units))]}
		case 1:
			q.Does = grant.Levels[r.IntN(len(grant.Levels))].Code
		}
		// As a request brings them, and not scattered among the rows that were read.
		q.Who, q.At.Unit, q.At.Team = person.ID(strings.Clone(string(q.Who))), strings.Clone(q.At.Unit), strings.Clone(q.At.Team)
		list[i] = q
	}
	return list
}

// Check holds a contender's answers against the list of rights, all of them.
func (w *World) Check(b *testing.B, contender string, list []Question, answer func(i int) bool) {
	b.Helper()
	wrong, allowed := 0, 0
	for i, q := range list {
		if answer(i) != w.Allowed(q) {
			wrong++
		}
		if w.Allowed(q) {
			allowed++
		}
	}
	if wrong > 0 {
		b.Fatalf("%s answers %d of %d questions wrong", contender, wrong, len(list))
	}
	if allowed < len(list)/4 || allowed > len(list)*3/4 {
		b.Fatalf("%d of %d questions are answered yes: they measure one case only", allowed, len(list))
	}
}

// OK ends a benchmark that can not go on.
func OK(b testing.TB, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

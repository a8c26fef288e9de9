package grant

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"sitthi/agency"
	"sitthi/internal/store"
	"sitthi/officer"
	"sitthi/person"
)

// Overview is what the first page of the rights shows of each of a reader's units.
type Overview struct {
	Scope   Scope
	Units   []UnitOverview
	Live    map[Level]int // rows that the grid of each level shows; nil for who sees every unit
	Waiting int           // registered persons who wait for a head's word
}

// UnitOverview counts the rights of one unit that hold now.
type UnitOverview struct {
	Unit     agency.Unit
	Holders  map[Level]int
	EndSoon  int
	Waiting  int        // registered persons who wait for a head's word
	ByLevels []LevelRow // the levels the unit uses
}

// LevelsOf lists the levels a unit uses.
func LevelsOf(u agency.Unit) []LevelRow {
	var rows []LevelRow
	for _, row := range Levels {
		if row.Level != Review || u.UsesReview {
			rows = append(rows, row)
		}
	}
	return rows
}

// Lacks lists the levels that nobody in the unit holds, though it uses them.
func (u UnitOverview) Lacks() []LevelRow {
	if !u.Unit.Considers {
		return nil
	}
	return slices.DeleteFunc(LevelsOf(u.Unit), func(row LevelRow) bool { return u.Holders[row.Level] > 0 })
}

// Overview counts the rights in each unit of a head. It fails with Denied for who is no head and reads no log.
func (b *Book) Overview(ctx context.Context, by person.ID) (Overview, error) {
	var o Overview
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		s, err := b.scope(ctx, tx, by)
		if err != nil {
			return err
		}
		o, err = b.overview(ctx, tx, s)
		return err
	})
	return o, err
}

func (b *Book) overview(ctx context.Context, tx *store.Tx, s Scope) (Overview, error) {
	o := Overview{Scope: s}
	if len(s.Heads) == 0 {
		return o, nil
	}
	version, err := versionOfFigures(ctx, tx)
	if err != nil {
		return o, err
	}
	o.Live = map[Level]int{}
	var waiting []person.ID
	for _, code := range s.Heads {
		u := UnitOverview{}
		if u.Unit, err = agency.Find(ctx, tx, code); err != nil {
			return o, err
		}
		u.ByLevels = LevelsOf(u.Unit)
		f, err := b.figures(ctx, tx, code, version)
		if err != nil {
			return o, err
		}
		u.Holders, u.EndSoon, u.Waiting = f.holders, f.endSoon, len(f.waiting)
		for level, n := range f.live {
			o.Live[level] += n
		}
		waiting = append(waiting, f.waiting...)
		o.Units = append(o.Units, u)
	}
	slices.Sort(waiting)
	o.Waiting = len(slices.Compact(waiting)) // who waits in two of his units is one person
	return o, nil
}

// rows answers how many rows the grid of a head's units has at a level without any filter, since the overview has
// counted them; ok is false when it has not.
func (o Overview) rows(f Filter) (n int, ok bool) {
	level := f.Level
	f.Level, f.Sort, f.Desc, f.Page, f.Size = 0, "", false, 0, 0
	if o.Scope.All || o.Live == nil || f != (Filter{}) {
		return 0, false
	}
	for of, live := range o.Live {
		if level == 0 || level == of {
			n += live
		}
	}
	return n, true
}

// figures are what the open grants of a unit come to. Every page of a head shows some of them, so they are kept; they
// hold until a right moves or an account is opened again, or a moment comes at which a right begins, ends, or begins to end
// soon, or an account locks. They are never changed.
type figures struct {
	version     figuresVersion
	from, until time.Time

	live    map[Level]int // grants
	holders map[Level]int // persons
	endSoon int
	waiting []person.ID // registered persons who wait for the word on who they are, each once
}

// figuresVersion moves with what figures are counted from.
type figuresVersion struct {
	rights   int64
	reopened time.Time // when an account was opened again last
}

func versionOfFigures(ctx context.Context, tx *store.Tx) (v figuresVersion, err error) {
	if err := tx.QueryRow(ctx, `SELECT value, (SELECT max(at) FROM reopenings) FROM counters WHERE name = 'rights'`).
		Scan(&v.rights, store.At(&v.reopened)); err != nil {
		return v, fmt.Errorf("read version of figures: %w", err)
	}
	return v, nil
}

// counted are the figures of units that were asked for. It is safe for concurrent use.
type counted struct {
	mu    sync.Mutex
	units map[string]figures
}

func (c *counted) find(unit string, version figuresVersion, now time.Time) (figures, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.units[unit]
	return f, ok && f.version == version && !now.Before(f.from) && now.Before(f.until)
}

func (c *counted) keep(unit string, f figures) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.units == nil {
		c.units = map[string]figures{}
	}
	c.units[unit] = f
}

// forget drops all figures: another database may count its versions anew.
func (c *counted) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.units = nil
}

// figures answers the figures of a unit at the transaction's moment and the version of what it sees.
func (b *Book) figures(ctx context.Context, tx *store.Tx, unit string, version figuresVersion) (figures, error) {
	if f, ok := b.counted.find(unit, version, tx.Now); ok {
		return f, nil
	}
	type open struct {
		Grant
		account   officer.State // "" for none
		signedIn  time.Time
		confirmed bool
	}
	list, err := store.Rows(func(row store.Row) (o open, err error) {
		return o, row.Scan(&o.Level, &o.Person, store.At(&o.From), store.At(&o.Until), &o.AwaitsSecond, store.Null((*string)(&o.account)), store.At(&o.signedIn), &o.confirmed)
	})(tx.Query(ctx, `SELECT g.level, g.person_id, g.starts_at, g.ends_at, g.awaits_second, a.state, a.last_signin_at, c.person_id IS NOT NULL
		FROM grants g
		LEFT JOIN accounts a ON a.person_id = g.person_id
		LEFT JOIN confirmations c ON c.person_id = g.person_id AND c.unit = g.unit AND c.ended_at IS NULL
		WHERE g.system = 'ko1' AND g.unit = $1 AND g.closed_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > $2)`,
		unit, store.Us(tx.Now)))
	if err != nil {
		return figures{}, fmt.Errorf("count grants of unit: %w", err)
	}
	f := figures{version: version, from: tx.Now, until: tx.Now.AddDate(0, 0, 1), live: map[Level]int{}, holders: map[Level]int{}}
	holders := map[Level]map[person.ID]bool{}
	for _, row := range Levels {
		holders[row.Level] = map[person.ID]bool{}
	}
	for _, g := range list {
		f.live[g.Level]++
		locks := officer.LocksAt(g.signedIn, b.lockAfter)
		switch g.StateAt(tx.Now, standing(g.account, !tx.Now.Before(locks), g.confirmed)) {
		case StateWaiting:
			f.waiting = append(f.waiting, g.Person)
		case StateSoon:
			f.endSoon++
			fallthrough
		case StateActive:
			holders[g.Level][g.Person] = true
		}
		soon := g.Until.AddDate(0, 0, -SoonDays).Add(1) // from the moment after on it ends soon
		for _, turn := range []time.Time{g.From, soon, g.Until, locks} {
			if turn.After(tx.Now) && turn.Before(f.until) {
				f.until = turn
			}
		}
	}
	slices.Sort(f.waiting)
	f.waiting = slices.Compact(f.waiting)
	for level, persons := range holders {
		f.holders[level] = len(persons)
	}
	b.counted.keep(unit, f)
	return f, nil
}

package grant

import (
	"context"
	"fmt"

	"sitthi/agency"
	"sitthi/internal/store"
	"sitthi/person"
)

// UnitPicture tells of one unit what the centre looks after.
type UnitPicture struct {
	UnitOverview
	Heads int // persons who are head of it now
}

// Picture counts the rights in every unit that is in use and considers permits, in the order of lists: by the same
// rules as Overview, which counts for a head. It fails with Denied for who is neither central administrator nor
// auditor.
func (b *Book) Picture(ctx context.Context, by person.ID) ([]UnitPicture, error) {
	// Who holds what now stands in memory, so it is counted there: to join 100,000 grants with accounts and
	// confirmations takes SQLite a third of a second.
	if err := b.CatchUp(ctx); err != nil {
		return nil, err
	}
	var list []UnitPicture
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		if err := b.RequireReader(ctx, tx, by); err != nil {
			return err
		}
		units, err := agency.Units(ctx, tx)
		if err != nil {
			return err
		}
		waiting, err := waitingEverywhere(ctx, tx)
		if err != nil {
			return err
		}
		now, soon := tx.Now.UnixMicro(), tx.Now.AddDate(0, 0, SoonDays).UnixMicro()
		list = nil
		for _, u := range units {
			if !u.Active || !u.Considers {
				continue
			}
			c := b.now.coverage(u.Code, now, soon)
			one := UnitOverview{Unit: u, ByLevels: LevelsOf(u), Holders: map[Level]int{}, EndSoon: c.endSoon, Waiting: waiting[u.Code]}
			for _, row := range Levels {
				one.Holders[row.Level] = c.holders[row.Level]
			}
			list = append(list, UnitPicture{one, c.heads})
		}
		return nil
	})
	return list, err
}

// coverage is what the rights in memory come to in one unit.
type coverage struct {
	heads   int              // persons
	holders [Approve + 1]int // persons, by level
	endSoon int              // grants
}

// coverage counts what holds in a unit at a moment, and what of it ends before another.
func (s *snapshot) coverage(unit string, now, soon int64) (c coverage) {
	known := s.places.Load()
	here := known.units[unit]
	for _, h := range known.holders[here] {
		if h.locked(now) {
			continue // his rights stay, without effect
		}
		head, holds := false, [len(c.holders)]bool{} // who has a right in two groups, or heads a unit twice, is one person
		for r := range h.rights() {
			switch {
			case r.unit != here || !r.holds(now):
			case r.action == Administer:
				head = true
			case r.action <= DoApprove:
				holds[r.action] = true
				if r.until < soon {
					c.endSoon++
				}
			}
		}
		if head {
			c.heads++
		}
		for level, yes := range holds {
			if yes {
				c.holders[level]++
			}
		}
	}
	return c
}

// everyoneWaiting are the persons who have an account and an open right in a unit, and no word of a head there. Both
// sides of the EXCEPT come out of an index in its order, so that SQLite only walks them side by side.
const everyoneWaiting = `
	SELECT w.unit, count(*)
	FROM (SELECT person_id, unit FROM grants
		WHERE system = 'ko1' AND closed_at IS NULL AND awaits_second = FALSE AND (ends_at IS NULL OR ends_at > $1)
		EXCEPT SELECT person_id, unit FROM confirmations WHERE ended_at IS NULL) AS w
	JOIN accounts a ON a.person_id = w.person_id AND a.state = 'active'
	GROUP BY w.unit`

// waitingEverywhere counts, by unit, the registered persons who wait for the word of a head.
func waitingEverywhere(ctx context.Context, tx *store.Tx) (map[string]int, error) {
	type waits struct {
		unit string
		n    int
	}
	list, err := store.Rows(func(row store.Row) (w waits, err error) { return w, row.Scan(&w.unit, &w.n) })(tx.Query(ctx, everyoneWaiting, store.Us(tx.Now)))
	if err != nil {
		return nil, fmt.Errorf("count waiting persons: %w", err)
	}
	units := make(map[string]int, len(list))
	for _, w := range list {
		units[w.unit] = w.n
	}
	return units, nil
}

package agency

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
)

// Then is a unit, and one of its groups when one is asked for, as they were at a moment; names are those of today.
type Then struct {
	Unit Unit
	Team Team // empty when none is asked for
	// Exists says that the unit, and the group asked for, had been added. What came with the program counts as having
	// been there always.
	Exists bool
	// Unsure says that the unit came with the program and was brought up to date with it after the moment: whether
	// rights could be given there, and level 2 was used, was not recorded for then.
	Unsure bool
	// Acts are what was done to either in that respect until the moment, the newest first.
	Acts []audit.Entry
}

// pastQuery finds the acts that say what a unit and its groups were: the index over these acts alone keeps it from
// reading all that was ever recorded of the unit.
const pastQuery = `SELECT at, act FROM audit_entries WHERE unit = $1 AND act IN
	('agency.unit_add', 'agency.unit_review', 'agency.unit_considers', 'agency.unit_retire', 'agency.unit_restore',
	 'agency.team_add', 'agency.team_retire', 'agency.team_restore')
	AND outcome = 'done' ORDER BY at DESC, id DESC`

// FindAt answers a unit, and one of its groups unless team is "", as they were at a moment: the acts since are taken
// back, by what the log holds of them. It is problem.NotFound when there is no such unit or group today, for none is
// ever removed.
func FindAt(ctx context.Context, tx *store.Tx, unit, team string, moment time.Time) (Then, error) {
	t := Then{Exists: true}
	var err error
	if t.Unit, err = selectUnit(ctx, tx, unit); err != nil {
		return Then{}, err
	}
	if team != "" {
		if t.Team, err = selectTeam(ctx, tx, unit, team); err != nil {
			return Then{}, err
		}
	}
	type done struct {
		at  time.Time
		act string
	}
	acts, err := store.Rows(func(row store.Row) (d done, err error) { return d, row.Scan(store.At(&d.at), &d.act) })(tx.Query(ctx, pastQuery, unit))
	if err != nil {
		return Then{}, fmt.Errorf("find acts on unit: %w", err)
	}
	for _, d := range acts {
		entries, _, err := audit.List(ctx, tx, audit.Query{Unit: unit, Act: d.act, Outcome: audit.Done, From: d.at, To: d.at.Add(time.Microsecond)})
		if err != nil {
			return Then{}, err
		}
		for _, e := range entries {
			if e.Object != unit && e.Object != team {
				continue
			}
			if d.at.After(moment) {
				t.undo(e)
			} else {
				t.Acts = append(t.Acts, e)
			}
		}
	}
	if t.Unit.Version == 1 && moment.Before(tx.Now) {
		var updated time.Time
		if err := tx.QueryRow(ctx, `SELECT updated_at FROM units WHERE code = $1`, unit).Scan(store.At(&updated)); err != nil {
			return Then{}, fmt.Errorf("find unit: %w", err)
		}
		t.Unsure = updated.After(moment)
	}
	return t, nil
}

// undo takes one act back. What is switched was the other way before: a switch to what it is already changes nothing
// that is asked here.
func (t *Then) undo(e audit.Entry) {
	switch e.Name {
	case "agency.unit_add", "agency.team_add":
		t.Exists = false
	case "agency.unit_retire":
		t.Unit.Active = true
	case "agency.unit_restore":
		t.Unit.Active = false
	case "agency.unit_review":
		t.Unit.UsesReview = e.Detail["uses_review"] != yes(true)
	case "agency.unit_considers":
		t.Unit.Considers = e.Detail["considers"] != yes(true)
	case "agency.team_retire":
		t.Team.Active = true
	case "agency.team_restore":
		t.Team.Active = false
	}
}

// ExistsAt reports whether there was such a unit, and such a group in it unless team is "", at a moment.
func ExistsAt(ctx context.Context, tx *store.Tx, unit, team string, moment time.Time) (bool, error) {
	t, err := FindAt(ctx, tx, unit, team, moment)
	if errors.Is(err, problem.NotFound) {
		return false, nil
	}
	return t.Exists, err
}

// TeamsAt lists the groups of a unit that had been added at a moment, retired ones too, in the order of their sort keys.
func TeamsAt(ctx context.Context, tx *store.Tx, unit string, moment time.Time) ([]Team, error) {
	teams, err := selectTeams(ctx, tx, unit)
	if err != nil {
		return nil, err
	}
	var list []Team
	for _, t := range teams {
		then, err := FindAt(ctx, tx, unit, t.Code, moment)
		if err != nil {
			return nil, err
		}
		if then.Exists {
			list = append(list, then.Team)
		}
	}
	return list, nil
}

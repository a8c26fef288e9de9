package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/person"
)

// Roster is the list of rights of a unit as of a day (บัญชีสิทธิ์ ณ วันที่ …): who could do what.
type Roster struct {
	Unit   agency.Unit
	Day    thai.Date
	Moment time.Time // the very moment: the end of the day or, of the present day, now
	Asked  time.Time
	Heads  []RosterRow // who could give and end rights
	Rights []RosterRow // by level, group, and number
}

// RosterRow is one right or post that held.
type RosterRow struct {
	ID       ID
	Number   int64 // ลำดับ; 0 for a post
	Person   person.ID
	Do       Action
	Team     string
	TeamName locale.Name
	Kind     AppointmentKind // of a post
	Name     string
	Position string
	Citizen  thai.CitizenID
	Masked   bool // the reader may not see the ID whole
	From     time.Time
	Until    time.Time // exclusive; zero when there is no end
	Order    string
	GivenBy  string // name; of a post, who proposed it
}

// CitizenShown is the citizen ID as the reader may see it.
func (r RosterRow) CitizenShown() string { return shown(r.Citizen, r.Masked) }

// LastDay is the last day on which the row holds, and whether there is one.
func (r RosterRow) LastDay() (thai.Date, bool) { return Grant{Until: r.Until}.LastDay() }

// momentOf is the moment for which a list of a day is made: its end, and of the present day now.
func momentOf(day thai.Date, now time.Time) time.Time {
	if day == thai.DateOf(now) {
		return now
	}
	return day.EndExclusive().Add(-time.Microsecond).UTC()
}

// AsOf lists who could do what in a unit on a day: of the past as it was recorded then, of a day to come as things stand
// now. Names and positions are those of today. Its head may read it, and administrators and auditors; for all others the
// unit is absent.
func (b *Book) AsOf(ctx context.Context, by person.ID, unit string, day thai.Date) (list Roster, err error) {
	err = b.db.Read(ctx, func(tx *store.Tx) error {
		s, err := b.scope(ctx, tx, by)
		if err != nil {
			return err
		}
		if !s.sees(unit) {
			return problem.New(problem.NotFound, "grant.unit_not_found")
		}
		list, err = b.asOf(ctx, tx, s, unit, day)
		return err
	})
	if err != nil {
		return Roster{}, err
	}
	return list, nil
}

func (b *Book) asOf(ctx context.Context, tx *store.Tx, s Scope, unit string, day thai.Date) (Roster, error) {
	list := Roster{Day: day, Moment: momentOf(day, tx.Now), Asked: tx.Now}
	recorded := recordedAt(list.Moment, tx.Now)
	then, err := agency.FindAt(ctx, tx, unit, "", recorded)
	if err != nil {
		return Roster{}, err
	}
	list.Unit = then.Unit
	claims, err := b.claimsWhere(ctx, tx, recorded, `g.unit = $2`, `p.unit = $2 AND p.post = 'head'`, unit)
	if err != nil {
		return Roster{}, err
	}
	claims = slices.DeleteFunc(claims, func(c claim) bool { return !c.allows(list.Moment) })
	slices.SortFunc(claims, compareClaims)
	teams, err := agency.Teams(ctx, tx, unit)
	if err != nil {
		return Roster{}, err
	}
	teamNames := map[string]locale.Name{}
	for _, t := range teams {
		teamNames[t.Code] = t.Name
	}
	people, err := b.peopleOf(ctx, tx, claims)
	if err != nil {
		return Roster{}, err
	}
	for _, c := range claims {
		who := people[c.Person]
		row := RosterRow{
			ID: c.ID, Number: c.Number, Person: c.Person, Do: c.Do, Team: c.Place.Team, TeamName: teamNames[c.Place.Team], Kind: c.Kind,
			Name: who.name, Position: who.position, Citizen: who.citizen, Masked: !s.Manages(unit),
			From: c.From, Until: c.Until, Order: c.Order, GivenBy: people[person.ID(c.GivenBy)].name,
		}
		if c.Do == Administer {
			list.Heads = append(list.Heads, row)
		} else {
			list.Rights = append(list.Rights, row)
		}
	}
	return list, nil
}

// listed is a person as a list shows him.
type listed struct {
	name, position string
	citizen        thai.CitizenID
}

// peopleOf reads the people of claims, and those who gave them.
func (b *Book) peopleOf(ctx context.Context, tx *store.Tx, claims []claim) (map[person.ID]listed, error) {
	people := map[person.ID]listed{}
	ids := []person.ID{}
	for _, c := range claims {
		ids = append(ids, c.Person, person.ID(c.GivenBy))
	}
	slices.Sort(ids)
	// In parts: an engine binds only so many values.
	for part := range slices.Chunk(slices.Compact(ids), 500) {
		w := &where{}
		in(w, "a.person_id", part)
		type row struct {
			id person.ID
			listed
		}
		list, err := store.Rows(func(scan store.Row) (r row, err error) {
			var given, family string
			var sealed []byte
			if err := scan.Scan(&r.id, &given, &family, &r.position, &sealed); err != nil {
				return row{}, err
			}
			r.name = strings.TrimSpace(given + " " + family)
			r.citizen, err = b.roll.Open(r.id, sealed)
			return r, err
		})(tx.Query(ctx, `SELECT a.person_id, a.given_name, a.family_name, a.position, p.citizen_sealed
			FROM accounts a JOIN persons p ON p.id = a.person_id WHERE `+w.String(), w.args...))
		if err != nil {
			return nil, fmt.Errorf("find people: %w", err)
		}
		for _, r := range list {
			people[r.id] = r.listed
		}
	}
	return people, nil
}

// ExportAsOf answers the list of AsOf for a file in a format ("xlsx"). That it went out is recorded before it does,
// and so is a refusal.
func (b *Book) ExportAsOf(ctx context.Context, by person.ID, unit string, day thai.Date, format string) (Roster, error) {
	list, read := b.AsOf(ctx, by, unit, day)
	if read != nil && !errors.Is(read, problem.Denied) {
		return Roster{}, read
	}
	act := &audit.Act{Name: "grant.export", Actor: string(by), Unit: unit, Detail: map[string]string{
		"format": format, "rows": strconv.Itoa(len(list.Heads) + len(list.Rights)), "as_of": list.Day.String(),
	}}
	if err := audit.Do(ctx, b.db, act, func(*store.Tx) error { return read }); err != nil {
		return Roster{}, err
	}
	return list, nil
}

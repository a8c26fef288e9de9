package agency

import (
	"context"
	"slices"
	"strconv"

	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
)

// Desk is where central administrators keep the units and groups. Every act answers problem.Denied to anyone else,
// problem.NotFound for an unknown unit or group, problem.Conflict when it has changed since the version that the
// caller saw, and is recorded.
type Desk struct {
	DB *store.DB
	// Administrator answers problem.Denied unless the person holds the central administrator's post at tx.Now.
	Administrator func(ctx context.Context, tx *store.Tx, by string) error
}

// Units lists every unit, retired ones too, in the order of their sort keys.
func (d Desk) Units(ctx context.Context) ([]Unit, error) {
	var units []Unit
	err := d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		units, err = selectUnits(ctx, tx)
		return err
	})
	return units, err
}

// Folder is a unit with its groups, and how many people would be touched if it were retired.
type Folder struct {
	Unit   Unit
	Teams  []Team
	Grants int            // rights that hold or will hold
	Heads  int            // appointments that hold, will hold or are proposed
	InTeam map[string]int // of the rights, those in each group
}

// Team returns one of the unit's groups; problem.NotFound when there is none of the code.
func (f Folder) Team(code string) (Team, error) {
	i := slices.IndexFunc(f.Teams, func(t Team) bool { return t.Code == code })
	if i < 0 {
		return Team{}, problem.New(problem.NotFound, "agency.problem.team")
	}
	return f.Teams[i], nil
}

// Folder returns a unit with what belongs to it; problem.NotFound when there is none.
func (d Desk) Folder(ctx context.Context, code string) (Folder, error) {
	f := Folder{InTeam: make(map[string]int)}
	err := d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if f.Unit, err = selectUnit(ctx, tx, code); err != nil {
			return err
		}
		if f.Teams, err = selectTeams(ctx, tx, code); err != nil {
			return err
		}
		if f.Grants, err = countGrants(ctx, tx, code, "", 0); err != nil {
			return err
		}
		for _, t := range f.Teams {
			if f.InTeam[t.Code], err = countGrants(ctx, tx, code, t.Code, 0); err != nil {
				return err
			}
		}
		f.Heads, err = countAppointments(ctx, tx, code)
		return err
	})
	return f, err
}

// NewUnit is what is typed to add a unit.
type NewUnit struct {
	Code, Kind            string
	Name, Short           locale.Name // Short may be left empty: the name stands in
	Region                string      // of a province
	Considers, UsesReview bool
}

// act runs f as an administrator's act, recorded under the name given.
func (d Desk) act(ctx context.Context, by string, act *audit.Act, f func(tx *store.Tx) error) error {
	act.Actor = by
	return audit.Do(ctx, d.DB, act, func(tx *store.Tx) error {
		if err := d.Administrator(ctx, tx, by); err != nil {
			return err
		}
		return f(tx)
	})
}

// AddUnit adds a unit. What was typed wrong is problem.Invalid in the fields kind, code, region, name_th, name_en,
// short_th, short_en and uses_review; a code or name in use is so too.
func (d Desk) AddUnit(ctx context.Context, by string, n NewUnit) (Unit, error) {
	n, err := checkUnit(n)
	if err != nil {
		return Unit{}, err
	}
	u := Unit{
		Code: n.Code, Kind: n.Kind, Name: n.Name, Short: n.Short, SortKey: sortKey(n.Kind, n.Short), Region: n.Region,
		UsesReview: n.UsesReview, Considers: n.Considers, Active: true, Version: 1,
	}
	act := &audit.Act{Name: "agency.unit_add", Unit: u.Code, Object: u.Code,
		Detail: map[string]string{"kind": u.Kind, "considers": yes(u.Considers), "uses_review": yes(u.UsesReview)},
		Texts:  map[string]string{"name": u.Name.TH}}
	err = d.act(ctx, by, act, func(tx *store.Tx) error {
		if err := freeUnitName(ctx, tx, u); err != nil {
			return err
		}
		return insertUnit(ctx, tx, u)
	})
	if err != nil {
		return Unit{}, err
	}
	return u, nil
}

// RenameUnit gives a unit another name; the fields are those of AddUnit.
func (d Desk) RenameUnit(ctx context.Context, by, code string, version int64, name, short locale.Name) error {
	var c problem.Check
	name = checkName(&c, "name", name)
	short = checkShort(&c, short, name)
	if err := c.Err(); err != nil {
		return err
	}
	return d.changeUnit(ctx, by, "agency.unit_rename", code, version, func(tx *store.Tx, u *Unit, act *audit.Act) error {
		act.Texts = map[string]string{"before": u.Name.TH, "after": name.TH}
		u.Name, u.Short, u.SortKey = name, short, sortKey(u.Kind, short)
		return freeUnitName(ctx, tx, *u)
	})
}

// SetMailbox keeps the office's own address, or none. seen is the one that the caller saw: problem.Conflict when it is
// another by now. What is no address is problem.Invalid, field "mailbox".
func (d Desk) SetMailbox(ctx context.Context, by, code string, seen thai.Email, typed string) error {
	mailbox, err := checkMailbox(typed)
	if err != nil {
		return err
	}
	act := &audit.Act{Name: "agency.unit_mailbox", Unit: code, Object: code, Texts: map[string]string{"before": string(seen), "after": string(mailbox)}}
	return d.act(ctx, by, act, func(tx *store.Tx) error {
		if _, err := selectUnit(ctx, tx, code); err != nil {
			return err
		}
		same, err := updateMailbox(ctx, tx, code, seen, mailbox)
		if err != nil {
			return err
		}
		if !same {
			return problem.New(problem.Conflict, "agency.problem.changed")
		}
		return nil
	})
}

// SwitchReview says whether a unit uses level 2 (กลั่นกรอง). It can be switched on in units at the centre that
// consider กอ.1, and off only when nobody holds level 2 there; problem.Conflict otherwise.
func (d Desk) SwitchReview(ctx context.Context, by, code string, version int64, on bool) error {
	return d.changeUnit(ctx, by, "agency.unit_review", code, version, func(tx *store.Tx, u *Unit, act *audit.Act) error {
		act.Detail = map[string]string{"uses_review": yes(on)}
		if on && !mayReview(u.Kind, u.Considers) {
			return problem.New(problem.Conflict, "agency.problem.review_here")
		}
		if !on {
			if err := freeOfReviewers(ctx, tx, u.Code); err != nil {
				return err
			}
		}
		u.UsesReview = on
		return nil
	})
}

// SwitchConsiders says whether rights of กอ.1 can be given in a unit. Level 2 goes off with it. It can be switched
// off only when nobody holds a right there; problem.Conflict otherwise.
func (d Desk) SwitchConsiders(ctx context.Context, by, code string, version int64, on bool) error {
	return d.changeUnit(ctx, by, "agency.unit_considers", code, version, func(tx *store.Tx, u *Unit, act *audit.Act) error {
		act.Detail = map[string]string{"considers": yes(on)}
		if !on {
			if err := freeOfGrants(ctx, tx, u.Code, ""); err != nil {
				return err
			}
			u.UsesReview = false
		}
		u.Considers = on
		return nil
	})
}

// RetireUnit takes a unit out of use; it stays in the history. problem.Conflict while somebody holds a right or an
// appointment there, and for the department itself and the division that acts for Bangkok.
func (d Desk) RetireUnit(ctx context.Context, by, code string, version int64) error {
	return d.changeUnit(ctx, by, "agency.unit_retire", code, version, func(tx *store.Tx, u *Unit, _ *audit.Act) error {
		if !u.MayRetire() {
			return problem.New(problem.Conflict, "agency.problem.needed")
		}
		if err := freeOfGrants(ctx, tx, u.Code, ""); err != nil {
			return err
		}
		if err := freeOfHeads(ctx, tx, u.Code); err != nil {
			return err
		}
		u.Active = false
		return nil
	})
}

// RestoreUnit takes a retired unit into use again.
func (d Desk) RestoreUnit(ctx context.Context, by, code string, version int64) error {
	return d.changeUnit(ctx, by, "agency.unit_restore", code, version, func(tx *store.Tx, u *Unit, _ *audit.Act) error {
		u.Active = true
		return freeUnitName(ctx, tx, *u)
	})
}

// changeUnit runs an act that changes one unit: f changes the copy it is given.
func (d Desk) changeUnit(ctx context.Context, by, name, code string, version int64, f func(*store.Tx, *Unit, *audit.Act) error) error {
	act := &audit.Act{Name: name, Unit: code, Object: code}
	return d.act(ctx, by, act, func(tx *store.Tx) error {
		u, err := selectUnit(ctx, tx, code)
		if err != nil {
			return err
		}
		if u.Version != version {
			return problem.New(problem.Conflict, "agency.problem.changed")
		}
		if err := f(tx, &u, act); err != nil {
			return err
		}
		return updateUnit(ctx, tx, u)
	})
}

// AddTeam adds a group to a division. Without a code it is given one: G1, G2 … What was typed wrong is
// problem.Invalid in the fields code, name_th and name_en; problem.Conflict in a unit that can not have groups.
func (d Desk) AddTeam(ctx context.Context, by, unit, code string, name locale.Name) (Team, error) {
	var c problem.Check
	code = checkTeamCode(&c, code)
	name = checkName(&c, "name", name)
	if err := c.Err(); err != nil {
		return Team{}, err
	}
	var t Team
	act := &audit.Act{Name: "agency.team_add", Unit: unit, Texts: map[string]string{"name": name.TH}}
	err := d.act(ctx, by, act, func(tx *store.Tx) error {
		u, err := selectUnit(ctx, tx, unit)
		if err != nil {
			return err
		}
		if !u.HasTeams() || !u.Active {
			return problem.New(problem.Conflict, "agency.problem.no_teams")
		}
		teams, err := selectTeams(ctx, tx, unit)
		if err != nil {
			return err
		}
		t = Team{Unit: unit, Code: code, Name: name, SortKey: thai.SortKey(name.TH), Active: true, Version: 1}
		if t.Code == "" {
			t.Code = nextTeamCode(teams)
		}
		if err := freeTeamName(teams, t); err != nil {
			return err
		}
		act.Object = t.Code
		return insertTeam(ctx, tx, t)
	})
	if err != nil {
		return Team{}, err
	}
	return t, nil
}

// RenameTeam gives a group another name; the fields are those of AddTeam.
func (d Desk) RenameTeam(ctx context.Context, by, unit, code string, version int64, name locale.Name) error {
	var c problem.Check
	name = checkName(&c, "name", name)
	if err := c.Err(); err != nil {
		return err
	}
	return d.changeTeam(ctx, by, "agency.team_rename", unit, code, version, func(tx *store.Tx, t *Team, act *audit.Act) error {
		act.Texts = map[string]string{"before": t.Name.TH, "after": name.TH}
		t.Name, t.SortKey = name, thai.SortKey(name.TH)
		return freeTeamNameIn(ctx, tx, *t)
	})
}

// RetireTeam takes a group out of use; it stays in the history. problem.Conflict while somebody holds a right there.
func (d Desk) RetireTeam(ctx context.Context, by, unit, code string, version int64) error {
	return d.changeTeam(ctx, by, "agency.team_retire", unit, code, version, func(tx *store.Tx, t *Team, _ *audit.Act) error {
		t.Active = false
		return freeOfGrants(ctx, tx, t.Unit, t.Code)
	})
}

// RestoreTeam takes a retired group into use again.
func (d Desk) RestoreTeam(ctx context.Context, by, unit, code string, version int64) error {
	return d.changeTeam(ctx, by, "agency.team_restore", unit, code, version, func(tx *store.Tx, t *Team, _ *audit.Act) error {
		t.Active = true
		return freeTeamNameIn(ctx, tx, *t)
	})
}

// changeTeam runs an act that changes one group: f changes the copy it is given.
func (d Desk) changeTeam(ctx context.Context, by, name, unit, code string, version int64, f func(*store.Tx, *Team, *audit.Act) error) error {
	act := &audit.Act{Name: name, Unit: unit, Object: code}
	return d.act(ctx, by, act, func(tx *store.Tx) error {
		t, err := selectTeam(ctx, tx, unit, code)
		if err != nil {
			return err
		}
		if t.Version != version {
			return problem.New(problem.Conflict, "agency.problem.changed")
		}
		if err := f(tx, &t, act); err != nil {
			return err
		}
		return updateTeam(ctx, tx, t)
	})
}

// freeUnitName refuses a name that another unit in use has.
func freeUnitName(ctx context.Context, tx *store.Tx, u Unit) error {
	units, err := selectUnits(ctx, tx)
	if err != nil {
		return err
	}
	var c problem.Check
	for _, other := range units {
		if other.Code != u.Code && other.Active && other.Name.TH == u.Name.TH {
			c.Fail("name_th", "agency.problem.name_taken", "code", other.Code)
		}
	}
	return c.Err()
}

// freeTeamName refuses a name that another group in use has, among the groups of its unit.
func freeTeamName(teams []Team, t Team) error {
	var c problem.Check
	for _, other := range teams {
		if other.Code != t.Code && other.Active && other.Name.TH == t.Name.TH {
			c.Fail("name_th", "agency.problem.name_taken", "code", other.Code)
		}
	}
	return c.Err()
}

func freeTeamNameIn(ctx context.Context, tx *store.Tx, t Team) error {
	teams, err := selectTeams(ctx, tx, t.Unit)
	if err != nil {
		return err
	}
	return freeTeamName(teams, t)
}

// freeOfGrants refuses while somebody holds a right in the unit, or in its group when one is named: a right given
// for later counts, one whose end has passed does not.
func freeOfGrants(ctx context.Context, tx *store.Tx, unit, team string) error {
	n, err := countGrants(ctx, tx, unit, team, 0)
	if err != nil {
		return err
	}
	if n > 0 {
		return problem.New(problem.Conflict, "agency.problem.has_grants", "n", n)
	}
	return nil
}

// freeOfReviewers refuses while somebody holds level 2 in the unit.
func freeOfReviewers(ctx context.Context, tx *store.Tx, unit string) error {
	n, err := countGrants(ctx, tx, unit, "", reviewLevel)
	if err != nil {
		return err
	}
	if n > 0 {
		return problem.New(problem.Conflict, "agency.problem.has_reviewers", "n", n)
	}
	return nil
}

// freeOfHeads refuses while somebody is appointed to the unit, or proposed.
func freeOfHeads(ctx context.Context, tx *store.Tx, unit string) error {
	n, err := countAppointments(ctx, tx, unit)
	if err != nil {
		return err
	}
	if n > 0 {
		return problem.New(problem.Conflict, "agency.problem.has_heads", "n", n)
	}
	return nil
}

func yes(b bool) string { return strconv.FormatBool(b) }

package grant

import (
	"context"
	"database/sql"
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
	"sitthi/officer"
	"sitthi/person"
	"sitthi/proof"
)

// Found is what a head is shown of the person behind a citizen ID before he saves.
type Found struct {
	Person     person.ID // "" when LookUp finds nobody registered: whom other units named is not told
	Registered bool
	Masked     bool // registered in another office, or shown to no head: name, contacts and ID are only hinted at
	Name       string
	Position   string
	Home       locale.Name
	HomeUnit   string
	Email      string
	Phone      string
	Identified bool   // confirmed in the unit before
	Proved     bool   // by ThaID
	ProvedName string // by which ThaID knows him where that is another than he gave; "" while he is masked
	HeadHere   bool   // is head of the unit himself, or appointed to become so
	Self       bool   // is the one who asks
	Disabled   bool
}

// lookups is how often one person may look up who is behind a citizen ID, wherever he does: enough for an afternoon's typing, too few to
// try numbers.
var lookups = proof.Rate{Burst: 30, Every: 10 * time.Second}

// LookUp tells a head who is behind a citizen ID. Each look is recorded, and limited per head: past the limit it
// fails with Busy. Only a head of the unit or a central administrator may look.
func (b *Book) LookUp(ctx context.Context, by person.ID, unit string, citizen thai.CitizenID) (Found, error) {
	var found Found
	act := &audit.Act{Name: "person.look_up", Actor: string(by), Unit: unit}
	err := audit.Do(ctx, b.db, act, func(tx *store.Tx) error {
		found = Found{}
		_, head, err := b.post(ctx, tx, by, Head, unit)
		if err != nil {
			return err
		}
		if !head {
			if err := b.RequireAdministrator(ctx, tx, by); errors.Is(err, problem.Denied) {
				return problem.New(problem.Denied, "grant.denied_not_head")
			} else if err != nil {
				return err
			}
		}
		if err := takeLook(ctx, tx, by); err != nil {
			return err
		}
		who, known, err := b.roll.Find(ctx, tx, citizen)
		if err != nil || !known {
			return err
		}
		act.Subject = string(who)
		if found, err = b.found(ctx, tx, by, unit, who, head); err == nil && !found.Registered {
			found = Found{}
		}
		return err
	})
	if err != nil {
		return Found{}, err
	}
	return found, nil
}

// takeLook takes one of the looks at who is behind a citizen ID that a person has; past the limit it fails with Busy.
func takeLook(ctx context.Context, tx *store.Tx, by person.ID) error {
	return takeLooks(ctx, tx, "lookup/"+string(by), lookups, 1)
}

// takeLooks takes looks at persons from a limit; past it it fails with Busy.
func takeLooks(ctx context.Context, tx *store.Tx, key string, limit proof.Rate, looks int) error {
	wait, err := proof.TakeMany(ctx, tx, key, limit, looks)
	if err == nil && wait > 0 {
		err = &problem.Problem{Kind: problem.Busy, Key: "grant.too_many_lookups", RetryAfter: wait, TooMany: true}
	}
	return err
}

// found gathers what may be shown of a person to who gives rights in a unit.
func (b *Book) found(ctx context.Context, tx *store.Tx, by person.ID, unit string, who person.ID, head bool) (Found, error) {
	f := Found{Person: who, Self: who == by, Masked: !head}
	account, err := officer.Find(ctx, tx, who)
	if errors.Is(err, problem.NotFound) {
		return f, nil
	}
	if err != nil {
		return Found{}, err
	}
	home, err := agency.Find(ctx, tx, account.Unit)
	if err != nil {
		return Found{}, err
	}
	f.Registered, f.Disabled = true, !account.Enabled()
	f.Home, f.HomeUnit, f.Position = home.Name, home.Code, account.Position
	f.Masked = !head || account.Unit != unit
	if f.Masked {
		f.Name = account.GivenName + " " + hint(account.FamilyName)
		f.Email, f.Phone = account.Email.Mask(), account.Phone.Mask()
	} else {
		f.Name, f.Email, f.Phone = account.Name(), string(account.Email), account.Phone.National()
	}
	if f.Identified, err = identified(ctx, tx, who, unit); err != nil {
		return Found{}, err
	}
	identity, err := officer.IdentityOf(ctx, tx, who)
	if err != nil {
		return Found{}, err
	}
	if f.Proved = identity.Proved(); !f.Masked && identity.Differs(account) {
		f.ProvedName = identity.Name()
	}
	f.HeadHere, err = headOrToBe(ctx, tx, who, unit)
	return f, err
}

// hint shows how a name begins, never all of it: enough to recognise someone, too little to learn who he is. A Thai
// vowel or tone mark stays with its letter.
func hint(name string) string {
	var starts []int // of each letter with its marks
	for i, r := range name {
		if mark := r >= 'ั' && r <= 'ฺ' && r != 'า' && r != 'ำ' || r >= '็' && r <= '๎'; !mark {
			starts = append(starts, i)
		}
	}
	shown := min(2, len(starts)-1)
	if shown < 1 {
		return "•••"
	}
	return name[:starts[shown]] + "•••"
}

// Show gathers what a head is shown of a person he chose by name, or whose grant he looks at. Unlike LookUp it needs
// the person's id, so nobody can try numbers with it. People who are not near the unit are absent for its head,
// as all are for anyone but a head of the unit or a central administrator.
func (b *Book) Show(ctx context.Context, by person.ID, unit string, who person.ID) (Found, error) {
	var found Found
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		_, head, err := b.post(ctx, tx, by, Head, unit)
		if err != nil {
			return err
		}
		known := false
		if head {
			known, err = near(ctx, tx, unit, who)
		} else {
			_, known, err = b.post(ctx, tx, by, Administrator, centreUnit)
		}
		if err != nil {
			return err
		}
		if !known {
			return problem.New(problem.NotFound, "problem.person_unknown")
		}
		found, err = b.found(ctx, tx, by, unit, who, head)
		return err
	})
	if err != nil {
		return Found{}, err
	}
	return found, nil
}

// near reports whether a head of the unit may choose the person by name: one of his office, or who holds, or was to
// hold, a right in it.
func near(ctx context.Context, tx *store.Tx, unit string, who person.ID) (bool, error) {
	var n int
	if err := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM accounts WHERE unit = $1 AND person_id = $2)
		+ (SELECT count(*) FROM grants WHERE unit = $1 AND person_id = $2)`, unit, who).Scan(&n); err != nil {
		return false, fmt.Errorf("find person near unit: %w", err)
	}
	return n > 0, nil
}

// Colleague is an officer of a unit, for choosing by name.
type Colleague struct {
	Person   person.ID
	Name     string
	Position string
}

// People lists the active officers registered in a unit, for its head to choose from, in the order of Thai names.
func (b *Book) People(ctx context.Context, by person.ID, unit string) ([]Colleague, error) {
	var list []Colleague
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		if _, head, err := b.post(ctx, tx, by, Head, unit); err != nil || !head {
			return deniedUnless(err, "grant.denied_not_head")
		}
		accounts, err := officer.ByUnit(ctx, tx, unit)
		if err != nil {
			return err
		}
		list = list[:0]
		for _, a := range accounts {
			if a.Enabled() && a.Person != by {
				list = append(list, Colleague{a.Person, a.Name(), a.Position})
			}
		}
		return nil
	})
	return list, err
}

// deniedUnless answers the error, or Denied when there is none.
func deniedUnless(err error, key string) error {
	if err != nil {
		return err
	}
	return problem.New(problem.Denied, key)
}

// Waiting is a registered person whom a head has yet to confirm, with the rights that wait for it. To compare, the
// head sees whole what the person entered: he named this ID himself.
type Waiting struct {
	Person       person.ID
	Citizen      thai.CitizenID
	Name         string
	Position     string
	Email        string
	Phone        string
	Home         locale.Name // the office the person is registered in
	HomeUnit     string
	RegisteredAt time.Time
	Unit         string // that is to confirm him
	UnitName     locale.Name
	Grants       []Grant
}

// mostWaiting is how many rights WaitingFor reads; who follows comes up when some before him are decided.
const mostWaiting = 200

// WaitingFor lists the registered persons who wait for the word of a head, in all his units, oldest first.
func (b *Book) WaitingFor(ctx context.Context, by person.ID) ([]Waiting, error) {
	var list []Waiting
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		list = nil
		heads, err := b.headOf(ctx, tx, by)
		if err != nil {
			return err
		}
		if len(heads) == 0 {
			return problem.New(problem.Denied, "grant.denied_not_head")
		}
		w := &where{}
		in(w, "g.unit", heads)
		b.addState(w, string(StateWaiting), tx.Now)
		rights, err := store.Rows(b.scanWaiting)(tx.Query(ctx, `SELECT `+grantColumns+`, u.short_th, u.short_en, p.citizen_sealed,
				a.given_name, a.family_name, a.position, a.email, a.phone, a.registered_at, h.code, h.name_th, h.name_en
			FROM grants g
			JOIN units u ON u.code = g.unit
			JOIN persons p ON p.id = g.person_id
			JOIN accounts a ON a.person_id = g.person_id
			JOIN units h ON h.code = a.unit
			LEFT JOIN confirmations c ON c.person_id = g.person_id AND c.unit = g.unit AND c.ended_at IS NULL
			WHERE `+w.String()+` ORDER BY a.registered_at, g.unit, g.person_id, g.number LIMIT `+strconv.Itoa(mostWaiting), w.args...))
		if err != nil {
			return fmt.Errorf("list waiting persons: %w", err)
		}
		for _, one := range rights {
			if n := len(list); n > 0 && list[n-1].Person == one.Person && list[n-1].Unit == one.Unit {
				list[n-1].Grants = append(list[n-1].Grants, one.Grants...)
				continue
			}
			list = append(list, one)
		}
		if len(rights) == mostWaiting && len(list) > 1 { // the last one may have further rights
			list = list[:len(list)-1]
		}
		return nil
	})
	return list, err
}

// scanWaiting reads one right that waits, with its person.
func (b *Book) scanWaiting(row store.Row) (one Waiting, err error) {
	var g Grant
	var sealed []byte
	var given, family, phone string
	if err := row.Scan(append(g.targets(), &one.UnitName.TH, &one.UnitName.EN, &sealed, &given, &family, &one.Position, &one.Email, &phone,
		store.At(&one.RegisteredAt), &one.HomeUnit, &one.Home.TH, &one.Home.EN)...); err != nil {
		return Waiting{}, err
	}
	one.Person, one.Unit, one.Grants = g.Person, g.Unit, []Grant{g}
	one.Name, one.Phone = strings.TrimSpace(given+" "+family), thai.Mobile(phone).National()
	one.Citizen, err = b.roll.Open(g.Person, sealed)
	return one, err
}

// Sight is one grant as its head looks at it before an act: the row of the grid, what an end would leave, and how it
// came to be what it is.
type Sight struct {
	Row
	Left       int  // persons who hold the level in the unit, were this grant ended
	LeavesNone bool // an end needs the word that this is meant
	Versions   []Version
	Manages    bool
	Names      map[person.ID]string // of everyone mentioned
}

// Version is what a grant said from a moment on.
type Version struct {
	Version     int64
	Until       time.Time
	OrderNumber string
	Note        string
	By          person.ID
	At          time.Time
}

// See answers one grant to who may see it; to everyone else it is absent.
func (b *Book) See(ctx context.Context, by person.ID, id string) (Sight, error) {
	var sight Sight
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		s, err := b.scope(ctx, tx, by)
		if errors.Is(err, problem.Denied) {
			return problem.New(problem.NotFound, "grant.not_found")
		}
		if err != nil {
			return err
		}
		w := &where{}
		w.add("g.id = ?", id)
		if !s.All {
			in(w, "g.unit", s.Heads)
		}
		sight.Row, err = b.scanRow(s, tx.Now)(tx.QueryRow(ctx, `SELECT `+gridColumns+gridTables+` WHERE `+w.String(), w.args...))
		if errors.Is(err, sql.ErrNoRows) {
			return problem.New(problem.NotFound, "grant.not_found")
		}
		if err != nil {
			return fmt.Errorf("find grant: %w", err)
		}
		sight.Manages = s.Manages(sight.Unit)
		var now int
		if now, sight.Left, err = b.countHeld(ctx, tx, sight.Unit, sight.Level, sight.ID); err != nil {
			return err
		}
		sight.LeavesNone = leavesNone(sight.Level, now, sight.Left)
		sight.Versions, err = store.Rows(func(row store.Row) (v Version, err error) {
			return v, row.Scan(&v.Version, store.At(&v.Until), &v.OrderNumber, &v.Note, &v.By, store.At(&v.At))
		})(tx.Query(ctx, `SELECT version, ends_at, order_number, note, recorded_by, recorded_at FROM grant_versions WHERE grant_id = $1 ORDER BY version`, id))
		if err != nil {
			return fmt.Errorf("list versions of grant: %w", err)
		}
		ids := []person.ID{sight.GivenBy, sight.Person, person.ID(sight.ClosedBy)}
		for _, v := range sight.Versions {
			ids = append(ids, v.By)
		}
		sight.Names, err = names(ctx, tx, ids)
		return err
	})
	return sight, err
}

// Own is what a person may do, could, or will (สิทธิ์ของฉัน), for himself.
type Own struct {
	Rows         []Row // newest first
	Appointments []Held
	Givers       map[person.ID]string // names of those who gave the rights
}

// Mine answers every right and post that a person has, will have or had.
func (b *Book) Mine(ctx context.Context, who person.ID) (Own, error) {
	var own Own
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		w := &where{}
		w.add("g.system = ?", KO1)
		w.add("g.person_id = ?", who)
		var err error
		if own.Rows, err = b.rows(ctx, tx, Scope{}, w, Filter{Sort: "number", Desc: true}, 500, 0); err != nil {
			return err
		}
		ids := []person.ID{}
		for _, r := range own.Rows {
			ids = append(ids, r.GivenBy)
		}
		if own.Givers, err = names(ctx, tx, ids); err != nil {
			return err
		}
		w = &where{}
		w.add("p.person_id = ?", who)
		own.Appointments, err = b.held(ctx, tx, w)
		return err
	})
	if err != nil {
		return Own{}, err
	}
	return own, nil
}

// Story is all that was done about a person in a unit: his grants there, and the acts, newest first.
type Story struct {
	Found   Found
	Citizen thai.CitizenID
	Masked  bool // the reader may not see the ID whole
	Rows    []Row
	History
}

// CitizenShown is the citizen ID as the reader may see it.
func (s Story) CitizenShown() string { return shown(s.Citizen, s.Masked) }

// History is what was done in a unit.
type History struct {
	Unit    agency.Unit
	Entries []audit.Entry        // newest first
	Next    string               // where the older entries begin; "" when there are none
	Names   map[person.ID]string // of those involved
}

// StoryOf tells the head of a unit the whole story of a person in it; of others it is absent.
func (b *Book) StoryOf(ctx context.Context, by person.ID, unit string, who person.ID, before string) (Story, error) {
	var st Story
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		s, err := b.scope(ctx, tx, by)
		if err != nil {
			return err
		}
		if !s.sees(unit) {
			return problem.New(problem.NotFound, "problem.person_unknown")
		}
		if st.Unit, err = agency.Find(ctx, tx, unit); err != nil {
			return err
		}
		w := &where{}
		w.add("g.system = ?", KO1)
		w.add("g.unit = ?", unit)
		w.add("g.person_id = ?", who)
		if st.Rows, err = b.rows(ctx, tx, s, w, Filter{Desc: true}, 500, 0); err != nil {
			return err
		}
		if st.Found, err = b.found(ctx, tx, by, unit, who, s.Manages(unit)); err != nil {
			return err
		}
		if len(st.Rows) == 0 && st.Found.HomeUnit != unit {
			return problem.New(problem.NotFound, "problem.person_unknown")
		}
		if st.Citizen, err = b.roll.CitizenID(ctx, tx, who); err != nil {
			return err
		}
		st.Masked = !s.Manages(unit)
		st.Entries, st.Next, st.Names, err = b.entries(ctx, tx, s, audit.Query{Unit: unit, Subject: string(who), Before: before})
		return err
	})
	if err != nil {
		return Story{}, err
	}
	return st, nil
}

// History lists what was done in a unit, newest first, for its head or who reads the whole log.
func (b *Book) History(ctx context.Context, by person.ID, unit, before string) (History, error) {
	var h History
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		s, err := b.scope(ctx, tx, by)
		if err != nil {
			return err
		}
		if !s.sees(unit) {
			return problem.New(problem.NotFound, "grant.unit_not_found")
		}
		if h.Unit, err = agency.Find(ctx, tx, unit); err != nil {
			return err
		}
		h.Entries, h.Next, h.Names, err = b.entries(ctx, tx, s, audit.Query{Unit: unit, Before: before})
		return err
	})
	if err != nil {
		return History{}, err
	}
	return h, nil
}

// pageOfLog is how many entries of the log a page shows.
const pageOfLog = 50

// entries lists what was done in a unit, but for who signed in when, with the names of those involved. A head learns
// no more from the history than from his other pages: of people who neither belong to the unit, nor hold or held a
// right in it, nor acted in it, he sees how the name begins.
func (b *Book) entries(ctx context.Context, tx *store.Tx, s Scope, q audit.Query) ([]audit.Entry, string, map[person.ID]string, error) {
	q.Limit, q.Without = pageOfLog, "signin."
	entries, next, err := audit.List(ctx, tx, q)
	if err != nil {
		return nil, "", nil, err
	}
	ids, subjects := []person.ID{}, []person.ID{}
	for _, e := range entries {
		ids = append(ids, person.ID(e.Actor), person.ID(e.Subject))
		subjects = append(subjects, person.ID(e.Subject))
	}
	who, err := names(ctx, tx, ids)
	if err != nil || s.All || len(subjects) == 0 {
		return entries, next, who, err
	}
	w := &where{}
	in(w, "a.person_id", slices.Compact(slices.Sorted(slices.Values(subjects))))
	w.add("a.unit <> ?", q.Unit)
	w.add("NOT EXISTS (SELECT 1 FROM grants g WHERE g.person_id = a.person_id AND g.unit = ?)", q.Unit)
	w.add("NOT EXISTS (SELECT 1 FROM appointments p WHERE p.person_id = a.person_id AND p.unit = ?)", q.Unit)
	type stranger struct {
		id            person.ID
		given, family string
	}
	strangers, err := store.Rows(func(row store.Row) (x stranger, err error) { return x, row.Scan(&x.id, &x.given, &x.family) })(tx.Query(ctx,
		`SELECT a.person_id, a.given_name, a.family_name FROM accounts a WHERE `+w.String(), w.args...))
	if err != nil {
		return nil, "", nil, fmt.Errorf("find strangers to unit: %w", err)
	}
	for _, x := range strangers {
		who[x.id] = x.given + " " + hint(x.family)
	}
	return entries, next, who, nil
}

// Log lists entries of the whole log for central administrators and auditors, newest first.
func (b *Book) Log(ctx context.Context, by person.ID, q audit.Query) (entries []audit.Entry, next string, err error) {
	err = b.db.Read(ctx, func(tx *store.Tx) error {
		if err := b.RequireReader(ctx, tx, by); err != nil {
			return err
		}
		entries, next, err = audit.List(ctx, tx, q)
		return err
	})
	return entries, next, err
}

// Names answers the names of registered persons by id: to who reads every unit of all, to a head of those who belong to
// one of his units, or have or had a right or an appointment there. Everyone else is left out, as is who has no account.
// It fails with Denied for who is neither.
func (b *Book) Names(ctx context.Context, by person.ID, ids []person.ID) (who map[person.ID]string, err error) {
	err = b.db.Read(ctx, func(tx *store.Tx) error {
		s, err := b.scope(ctx, tx, by)
		if err != nil {
			return err
		}
		near := &where{}
		if !s.All {
			for _, unit := range s.Heads {
				near.add(`a.unit = ? OR EXISTS (SELECT 1 FROM grants g WHERE g.person_id = a.person_id AND g.unit = ?)
					OR EXISTS (SELECT 1 FROM appointments p WHERE p.person_id = a.person_id AND p.unit = ?)`, unit, unit, unit)
			}
		}
		who, err = namesAmong(ctx, tx, near, ids)
		return err
	})
	return who, err
}

// names answers the names of registered persons by id, for lists whose rows the reader may see.
func names(ctx context.Context, tx *store.Tx, ids []person.ID) (map[person.ID]string, error) {
	return namesAmong(ctx, tx, &where{}, ids)
}

// namesAmong answers the names of those persons for whom one of some conditions holds; without any, of all.
func namesAmong(ctx context.Context, tx *store.Tx, either *where, ids []person.ID) (map[person.ID]string, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	who := make(map[person.ID]string, len(ids))
	if len(ids) == 0 {
		return who, nil
	}
	w := &where{}
	if len(either.parts) > 0 {
		w.either(either)
	}
	in(w, "a.person_id", ids)
	type named struct {
		id            person.ID
		given, family string
	}
	list, err := store.Rows(func(row store.Row) (n named, err error) { return n, row.Scan(&n.id, &n.given, &n.family) })(tx.Query(ctx,
		`SELECT a.person_id, a.given_name, a.family_name FROM accounts a WHERE `+w.String(), w.args...))
	if err != nil {
		return nil, fmt.Errorf("find names: %w", err)
	}
	for _, n := range list {
		who[n.id] = strings.TrimSpace(n.given + " " + n.family)
	}
	return who, nil
}

// PersonOf answers the person behind a whole citizen ID to who reads the log, so that a filter needs no ID in its
// address. It is recorded, and limited as LookUp is.
func (b *Book) PersonOf(ctx context.Context, by person.ID, citizen thai.CitizenID) (who person.ID, err error) {
	var known bool
	act := &audit.Act{Name: "person.look_up", Actor: string(by)}
	err = audit.Do(ctx, b.db, act, func(tx *store.Tx) error {
		if err := b.RequireReader(ctx, tx, by); err != nil {
			return err
		}
		if err := takeLook(ctx, tx, by); err != nil {
			return err
		}
		var err error
		who, known, err = b.roll.Find(ctx, tx, citizen)
		act.Subject = string(who)
		return err
	})
	if err == nil && !known { // only now: a number tried in vain is recorded as well
		err = problem.New(problem.NotFound, "problem.person_unknown")
	}
	return who, err
}

// Unmask shows a central administrator or auditor a citizen ID whole; the look and its reason are recorded.
func (b *Book) Unmask(ctx context.Context, by person.ID, who person.ID, reason string) (citizen thai.CitizenID, err error) {
	act := &audit.Act{Name: "person.unmask", Actor: string(by), Subject: string(who), Texts: map[string]string{"reason": reason}}
	err = audit.Do(ctx, b.db, act, func(tx *store.Tx) error {
		if err := b.RequireReader(ctx, tx, by); err != nil {
			return err
		}
		var check problem.Check
		if checkReason(&check, reason); check.Failed() {
			return check.Err()
		}
		var err error
		citizen, err = b.roll.CitizenID(ctx, tx, who)
		return err
	})
	return citizen, err
}

// Choices are the units, with their groups, in which a head may give rights, or those all may be given in for a
// central administrator.
type Choices struct {
	Scope Scope
	Units []agency.Unit
	Teams map[string][]agency.Team // by unit, those in use
}

// Choices answers what a form or a filter can choose from.
func (b *Book) Choices(ctx context.Context, by person.ID) (c Choices, err error) {
	err = b.db.Read(ctx, func(tx *store.Tx) error {
		s, err := b.scope(ctx, tx, by)
		if err != nil {
			return err
		}
		c, err = b.choices(ctx, tx, s)
		return err
	})
	return c, err
}

// Places answers every unit in which rights are given, with its groups, for who asks about himself.
func (b *Book) Places(ctx context.Context) (c Choices, err error) {
	err = b.db.Read(ctx, func(tx *store.Tx) error {
		c, err = b.choices(ctx, tx, Scope{All: true})
		c.Scope = Scope{}
		return err
	})
	return c, err
}

func (b *Book) choices(ctx context.Context, tx *store.Tx, s Scope) (Choices, error) {
	c := Choices{Scope: s, Teams: map[string][]agency.Team{}}
	if s.All {
		units, err := agency.Units(ctx, tx)
		if err != nil {
			return Choices{}, err
		}
		c.Units = slices.DeleteFunc(units, func(u agency.Unit) bool { return !u.Active || !u.Considers })
	} else {
		for _, code := range s.Heads {
			u, err := agency.Find(ctx, tx, code)
			if err != nil {
				return Choices{}, err
			}
			c.Units = append(c.Units, u)
		}
	}
	for _, u := range c.Units {
		if !u.HasTeams() {
			continue
		}
		teams, err := agency.Teams(ctx, tx, u.Code)
		if err != nil {
			return Choices{}, err
		}
		c.Teams[u.Code] = slices.DeleteFunc(teams, func(t agency.Team) bool { return !t.Active })
	}
	return c, nil
}

// Held is an appointment with the names a page shows.
type Held struct {
	Appointment
	UnitName   locale.Name
	Name       string
	Position   string
	Home       locale.Name
	Citizen    thai.CitizenID // shown masked
	Email      string
	Phone      string
	ProposedBy string // name
	Own        bool   // proposed by who looks
	Holds      bool
}

func (b *Book) held(ctx context.Context, tx *store.Tx, w *where) ([]Held, error) {
	list, err := store.Rows(func(row store.Row) (h Held, err error) {
		var given, family string
		var sealed []byte
		err = row.Scan(append(h.Appointment.targets(), &h.UnitName.TH, &h.UnitName.EN, store.Null(&given), store.Null(&family), store.Null(&h.Position),
			store.Null(&h.Home.TH), store.Null(&h.Home.EN), store.Null(&h.Email), store.Null(&h.Phone), &sealed)...)
		if err != nil {
			return Held{}, err
		}
		h.Name = strings.TrimSpace(given + " " + family)
		h.Holds = h.Appointment.Holds(tx.Now)
		h.Citizen, err = b.roll.Open(h.Person, sealed)
		return h, err
	})(tx.Query(ctx, `SELECT `+appointmentColumns+`, u.name_th, u.name_en, a.given_name, a.family_name, a.position, h.name_th, h.name_en, a.email, a.phone, q.citizen_sealed
		FROM appointments p
		JOIN units u ON u.code = p.unit
		JOIN persons q ON q.id = p.person_id
		LEFT JOIN accounts a ON a.person_id = p.person_id
		LEFT JOIN units h ON h.code = a.unit
		WHERE `+w.String()+` ORDER BY p.closed_at IS NOT NULL, p.confirmed_at IS NOT NULL, u.sort_key, p.starts_at DESC, p.id`, w.args...))
	if err != nil {
		return nil, fmt.Errorf("list appointments: %w", err)
	}
	ids := []person.ID{}
	for _, h := range list {
		ids = append(ids, person.ID(h.Appointment.ProposedBy))
	}
	who, err := names(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].ProposedBy = who[person.ID(list[i].Appointment.ProposedBy)]
	}
	return list, nil
}

// Appointments is what a page of appointments shows.
type Appointments struct {
	Administrator bool
	Heads         []string // units whose head looks
	List          []Held
	Seconds       []Row // rights for heads that wait for a second administrator
}

// AppointmentFilter says which appointments are asked for.
type AppointmentFilter struct {
	Unit string
	Post Post
	All  bool // the closed ones too
}

// Appointments lists appointments: all of them to administrators and auditors, those of his own units to a head.
func (b *Book) Appointments(ctx context.Context, by person.ID, f AppointmentFilter) (Appointments, error) {
	var out Appointments
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		s, err := b.scope(ctx, tx, by)
		if err != nil {
			return err
		}
		if _, out.Administrator, err = b.post(ctx, tx, by, Administrator, centreUnit); err != nil {
			return err
		}
		out.Heads = s.Heads
		w := s.appointments()
		if f.Unit != "" {
			w.add("p.unit = ?", f.Unit)
		}
		if f.Post != "" {
			w.add("p.post = ?", f.Post)
		}
		if !f.All {
			w.add("p.closed_at IS NULL AND (p.ends_at IS NULL OR p.ends_at > ?)", store.Us(tx.Now))
		}
		if out.List, err = b.held(ctx, tx, w); err != nil {
			return err
		}
		for i := range out.List {
			out.List[i].Own = out.List[i].Appointment.ProposedBy == string(by)
		}
		if !s.All {
			return nil
		}
		w = &where{}
		b.addState(w, string(StateSecond), tx.Now)
		out.Seconds, err = b.rows(ctx, tx, Scope{All: true}, w, Filter{}, 500, 0)
		return err
	})
	return out, err
}

// AppointmentSight is one appointment as who may read it looks at it before an act.
type AppointmentSight struct {
	Held
	Left       int  // others who hold the same post in the unit now
	LeavesNone bool // an end needs the word that this is meant
}

// Appointment answers one appointment to who may see it, as Appointments lists them; to everyone else it is absent.
func (b *Book) Appointment(ctx context.Context, by person.ID, id string) (AppointmentSight, error) {
	var sight AppointmentSight
	absent := problem.New(problem.NotFound, "appoint.not_found")
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		s, err := b.scope(ctx, tx, by)
		if errors.Is(err, problem.Denied) {
			return absent
		}
		if err != nil {
			return err
		}
		w := s.appointments()
		w.add("p.id = ?", id)
		list, err := b.held(ctx, tx, w)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return absent
		}
		sight.Held = list[0]
		sight.Own = sight.Appointment.ProposedBy == string(by)
		if sight.Left, err = b.countHolders(ctx, tx, sight.Unit, sight.Post, sight.Person); err != nil {
			return err
		}
		sight.LeavesNone = sight.Post == Head && sight.Holds && sight.Left == 0
		return nil
	})
	if err != nil {
		return AppointmentSight{}, err
	}
	return sight, nil
}

// appointments narrows to the appointments that the reader may see.
func (s Scope) appointments() *where {
	w := &where{}
	if !s.All {
		in(w, "p.unit", s.Heads)
		w.add("p.post = 'head'")
	}
	return w
}

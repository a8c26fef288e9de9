package legacy

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/person"
)

// Newcomer is a person with brought rights in a unit, as its head sees him on the first day: what the old system says
// beside what he registered himself.
type Newcomer struct {
	Person  person.ID
	Citizen thai.CitizenID
	Old     Profile // as the old system has him; fields may be ""
	Mine    Profile // as he registered; empty before
	Home    locale.Name
	// Registered says that he has an account, Confirmed that a head of the unit has confirmed him.
	Registered, Confirmed bool
	Rights                []Brought
	Marks                 []string // message keys of what the head should look at
}

// Profile is what is known of a person.
type Profile struct {
	Name, Position, Email, Phone string
}

// Brought is one open right that was brought in.
type Brought struct {
	Grant       string // id
	Team        string
	Level       grant.Level
	From, Until time.Time // Until is exclusive; zero when there is no end
	Second      bool      // waits for a second administrator
}

// The marks: what a head should look at before he confirms.
const (
	MarkNotRegistered = "legacy.mark.not_registered"
	MarkOtherName     = "legacy.mark.other_name"   // registered under another name than the old system has
	MarkOtherOffice   = "legacy.mark.other_office" // registered in another office
	MarkSameName      = "legacy.mark.same_name"    // two people of one name
	MarkSameContact   = "legacy.mark.same_contact" // two people with one address or telephone number
	MarkLevelTwice    = "legacy.mark.level_twice"  // may consider and approve
)

// mostNewcomers is how many rights Newcomers reads.
const mostNewcomers = 2000

// Newcomers lists the people with open brought rights in a unit for its head, those who wait for his word first; for
// anyone else the unit is absent.
func (d *Desk) Newcomers(ctx context.Context, by person.ID, unit string) (list []Newcomer, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		list = nil
		if err := d.Book.RequireHead(ctx, tx, by, unit); err != nil {
			return err
		}
		old, err := d.factsOf(ctx, tx, unit)
		if err != nil {
			return err
		}
		rows, err := store.Rows(d.scanNewcomer(unit, old))(tx.Query(ctx, `SELECT p.id, p.citizen_index, p.citizen_sealed, g.id, g.team, g.level, g.starts_at, g.ends_at,
				g.awaits_second, a.given_name, a.family_name, a.position, a.email, a.phone, a.unit, h.name_th, h.name_en, c.person_id
			FROM grants g
			JOIN legacy_origins o ON o.object_id = g.id AND o.kind = 'right'
			JOIN persons p ON p.id = g.person_id
			LEFT JOIN accounts a ON a.person_id = g.person_id
			LEFT JOIN units h ON h.code = a.unit
			LEFT JOIN confirmations c ON c.person_id = g.person_id AND c.unit = g.unit AND c.ended_at IS NULL
			WHERE g.unit = $1 AND g.closed_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > $2)
			ORDER BY c.person_id IS NOT NULL, a.person_id IS NULL, a.name_sort, p.id, g.number LIMIT `+strconv.Itoa(mostNewcomers), unit, store.Us(tx.Now)))
		if err != nil {
			return fmt.Errorf("list newcomers: %w", err)
		}
		for _, n := range rows {
			if last := len(list) - 1; last >= 0 && list[last].Person == n.Person {
				list[last].Rights = append(list[last].Rights, n.Rights...)
				continue
			}
			list = append(list, n)
		}
		mark(list)
		return nil
	})
	return list, err
}

func (d *Desk) scanNewcomer(unit string, old map[string]facts) func(store.Row) (Newcomer, error) {
	return func(row store.Row) (n Newcomer, err error) {
		var b Brought
		var index, given, family, phone, home, confirmed string
		var sealed []byte
		if err := row.Scan(&n.Person, &index, &sealed, &b.Grant, &b.Team, &b.Level, store.At(&b.From), store.At(&b.Until), &b.Second,
			store.Null(&given), store.Null(&family), store.Null(&n.Mine.Position), store.Null(&n.Mine.Email), store.Null(&phone), store.Null(&home),
			store.Null(&n.Home.TH), store.Null(&n.Home.EN), store.Null(&confirmed)); err != nil {
			return Newcomer{}, err
		}
		n.Registered, n.Confirmed, n.Rights = home != "", confirmed != "", []Brought{b}
		if n.Registered {
			n.Mine.Name, n.Mine.Phone = strings.TrimSpace(given+" "+family), thai.Mobile(phone).National()
			if home != unit {
				n.Marks = append(n.Marks, MarkOtherOffice)
			}
		}
		f := old[index]
		n.Old = Profile{Name: f.Name, Position: f.Position, Email: string(f.Email)}
		if f.Phone != "" {
			n.Old.Phone = f.Phone.National()
		}
		n.Citizen, err = d.Roll.Open(n.Person, sealed)
		return n, err
	}
}

// factsOf reads what written imports say about the people with rights in a unit, by their index; an officer's row
// before others, and of several the latest.
func (d *Desk) factsOf(ctx context.Context, tx *store.Tx, unit string) (map[string]facts, error) {
	type sealed struct {
		id, index string
		line      int64
		facts     []byte
	}
	rows, err := store.Rows(func(row store.Row) (s sealed, err error) { return s, row.Scan(&s.id, &s.index, &s.line, &s.facts) })(tx.Query(ctx,
		`SELECT r.import_id, r.citizen_index, r.line, r.facts_sealed FROM legacy_rows r
		JOIN legacy_imports i ON i.id = r.import_id AND i.committed_at IS NOT NULL
		WHERE r.facts_sealed IS NOT NULL AND r.result <> 'quarantined' AND r.citizen_index IN (
			SELECT p.citizen_index FROM grants g JOIN persons p ON p.id = g.person_id WHERE g.unit = $1 AND g.closed_at IS NULL)
		ORDER BY CASE r.kind WHEN 'officer' THEN 1 ELSE 0 END, i.committed_at, r.line`, unit))
	if err != nil {
		return nil, fmt.Errorf("find facts: %w", err)
	}
	known := make(map[string]facts, len(rows))
	for _, s := range rows {
		if known[s.index], err = d.openFacts(s.id, s.line, s.facts); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// mark notes what a head should look at.
func mark(list []Newcomer) {
	names, contacts := map[string]int{}, map[string]int{}
	for _, n := range list {
		names[nameKey(n.name())]++
		for _, key := range n.contacts() {
			contacts[key]++
		}
	}
	for i := range list {
		n := &list[i]
		if !n.Registered {
			n.Marks = append(n.Marks, MarkNotRegistered)
		} else if n.Old.Name != "" && nameKey(n.Old.Name) != nameKey(n.Mine.Name) {
			n.Marks = append(n.Marks, MarkOtherName)
		}
		if names[nameKey(n.name())] > 1 && nameKey(n.name()) != "" {
			n.Marks = append(n.Marks, MarkSameName)
		}
		for _, key := range n.contacts() {
			if contacts[key] > 1 {
				n.Marks = append(n.Marks, MarkSameContact)
				break
			}
		}
		var levels [4]bool
		for _, b := range n.Rights {
			levels[b.Level&3] = true
		}
		if levels[grant.Consider] && levels[grant.Approve] {
			n.Marks = append(n.Marks, MarkLevelTwice)
		}
	}
}

// name is what a person is called: as he registered, or as the old system has it.
func (n Newcomer) name() string {
	if n.Registered {
		return n.Mine.Name
	}
	return n.Old.Name
}

// contacts are the addresses and numbers of a person, each once.
func (n Newcomer) contacts() (keys []string) {
	seen := map[string]bool{"": true}
	for _, key := range []string{n.Old.Email, n.Mine.Email, n.Old.Phone, n.Mine.Phone} {
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	return keys
}

// titles stand before names in some systems and not in others.
var titles = []string{"นางสาว", "น.ส.", "นาง", "นาย", "ดร.", "ว่าที่ร้อยตรี", "ว่าที่ ร.ต.", "mr.", "mrs.", "miss", "ms.", "mr", "mrs", "ms"}

// nameKey is a name without its title and blanks, to compare.
func nameKey(name string) string {
	folded := thai.Fold(name)
	for _, title := range titles {
		if rest, ok := strings.CutPrefix(folded, title); ok && (title[0] > 'z' || strings.HasPrefix(rest, " ") || strings.HasSuffix(title, ".")) {
			folded = rest
			break
		}
	}
	return strings.ReplaceAll(folded, " ", "")
}

// Origin says where a right or an appointment comes from.
type Origin struct {
	Source string
	RowID  string
	Import string // id
	File   string // what that import's file was called
	Line   int64
	At     time.Time // when it was brought, or brought again with other contents
}

// Origins answers where rights and appointments come from, by their ids; those that were not brought in are left out. It
// is for lists whose rows the caller may see already.
func (d *Desk) Origins(ctx context.Context, objects []string) (map[string]Origin, error) {
	known := make(map[string]Origin, len(objects))
	if len(objects) == 0 {
		return known, nil
	}
	args := make([]any, len(objects))
	for i, id := range objects {
		args[i] = id
	}
	err := d.DB.Read(ctx, func(tx *store.Tx) error {
		clear(known)
		type origin struct {
			object string
			Origin
		}
		list, err := store.Rows(func(row store.Row) (o origin, err error) {
			return o, row.Scan(&o.object, &o.Source, &o.RowID, &o.Import, &o.File, &o.Line, store.At(&o.At))
		})(tx.Query(ctx, `SELECT o.object_id, o.source, o.row_id, o.import_id, i.file_name, o.line, o.at FROM legacy_origins o
			JOIN legacy_imports i ON i.id = o.import_id WHERE o.kind <> 'officer' AND o.object_id IN `+tuples(1, len(args)), args...))
		if err != nil {
			return fmt.Errorf("find origins: %w", err)
		}
		for _, o := range list {
			known[o.object] = o.Origin
		}
		return nil
	})
	return known, err
}

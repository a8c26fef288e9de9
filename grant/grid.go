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
	"sitthi/officer"
	"sitthi/person"
)

// Filter says which rows of the grid are asked for, in the words of its form. The zero Filter is all live grants of
// the reader's units in the order of their numbers.
type Filter struct {
	Level   Level     // 0: every level
	Unit    string    // "": every unit of the reader
	Team    string    // "": every group
	Number  string    // ลำดับ, or its first digits
	Citizen string    // citizen ID or a part of it, or a part of the name
	Search  string    // part of any column
	Person  person.ID // one person alone, for whom a whole citizen ID was given
	From    string    // a date: grants that begin on that day or later
	Until   string    // a date: grants that end on that day or before
	State   string    // a State, "all" for all; anything else for live
	Sort    string    // a column of Sorts
	Desc    bool
	Page    int // from 1
	Size    int // rows a page, one of Sizes
}

// Sizes are the page sizes to choose from; the first is the default.
var Sizes = []int{50, 20, 100, 500}

// CountUpTo is how far the rows of a filter are counted; beyond, the grid says "10,000+".
const CountUpTo = 10_000

// sorts maps the columns that can be sorted by to SQL; what a reader sends is only ever looked up here.
var sorts = map[string]string{
	"number": "g.number", "unit": "u.sort_key", "team": "t.sort_key", "level": "g.level", "name": "a.name_sort",
	"from": "g.starts_at", "until": "g.ends_at",
}

// Sortable reports whether the grid can be sorted by a column.
func Sortable(column string) bool { _, ok := sorts[column]; return ok }

// Row is one line of the grid.
type Row struct {
	Grant
	UnitName   locale.Name // short: นนทบุรี
	TeamName   locale.Name
	Citizen    thai.CitizenID
	Masked     bool   // the reader may not see the ID whole
	Name       string // "" when not registered
	Position   string
	Home       locale.Name // the office the person is registered in
	Registered bool
	Standing   Standing // of the person in the unit
	State      State
}

// CitizenShown is the citizen ID as the reader may see it.
func (r Row) CitizenShown() string { return shown(r.Citizen, r.Masked) }

func shown(citizen thai.CitizenID, masked bool) string {
	if masked {
		return citizen.Mask()
	}
	return citizen.Dashed()
}

// Page is one page of the grid with what its frame shows.
type Page struct {
	Rows   []Row
	Total  int  // of all pages, up to CountUpTo
	More   bool // there are more than CountUpTo
	Number int  // of this page, from 1
	Pages  int
	Scope  Scope
	// Citizen is the ID of the person of the filter as the reader may see it; "" when he sees no right of his.
	Citizen string
}

// Scope is whose rights a reader sees.
type Scope struct {
	Heads []string // the units he is head of: there he sees IDs whole and may give and end
	All   bool     // central administrator or auditor: sees every unit, IDs masked
}

// scope answers whose rights a person may see. It fails with Denied for who may see none.
func (b *Book) scope(ctx context.Context, tx *store.Tx, by person.ID) (Scope, error) {
	list, err := store.Rows(scanAppointment)(tx.Query(ctx, `SELECT `+appointmentColumns+`
		FROM appointments p JOIN accounts a ON a.person_id = p.person_id AND a.state = 'active' AND a.last_signin_at > $2
		WHERE p.person_id = $1 AND p.closed_at IS NULL ORDER BY p.unit`, by, b.lockedUpTo(tx)))
	if err != nil {
		return Scope{}, fmt.Errorf("find appointments: %w", err)
	}
	var s Scope
	for _, a := range list {
		switch {
		case !a.Holds(tx.Now):
		case a.Post == Head:
			s.Heads = append(s.Heads, a.Unit)
		case a.Unit == centreUnit && (a.Post == Administrator || a.Post == Auditor):
			s.All = true
		}
	}
	if !s.All && len(s.Heads) == 0 {
		return Scope{}, problem.New(problem.Denied, "grant.denied_not_reader")
	}
	return s, nil
}

// sees reports whether the reader may see a unit's rights.
func (s Scope) sees(unit string) bool { return s.All || slices.Contains(s.Heads, unit) }

// Manages reports whether the reader is head of the unit.
func (s Scope) Manages(unit string) bool { return slices.Contains(s.Heads, unit) }

// The tables are joined from the grants, so that the conditions on the unit decide where the engine begins. Most
// grants are for no group and of people of the same unit: then nothing is looked up for t and h.
const gridTables = `
	FROM grants g
	JOIN units u ON u.code = g.unit
	JOIN persons p ON p.id = g.person_id
	LEFT JOIN teams t ON g.team <> '' AND t.unit = g.unit AND t.code = g.team
	LEFT JOIN accounts a ON a.person_id = g.person_id
	LEFT JOIN units h ON a.unit <> g.unit AND h.code = a.unit
	LEFT JOIN confirmations c ON c.person_id = g.person_id AND c.unit = g.unit AND c.ended_at IS NULL`

const gridColumns = grantColumns + `, u.short_th, u.short_en, t.name_th, t.name_en, p.citizen_sealed,
	a.given_name, a.family_name, a.position, CASE WHEN a.unit = g.unit THEN u.short_th ELSE h.short_th END,
	CASE WHEN a.unit = g.unit THEN u.short_en ELSE h.short_en END, a.state, a.last_signin_at, c.person_id IS NOT NULL`

// gridQuery turns a filter into the condition of its query.
func (b *Book) gridQuery(ctx context.Context, tx *store.Tx, s Scope, f Filter) (*where, error) {
	w := &where{}
	w.add("g.system = ?", KO1)
	if !s.All {
		in(w, "g.unit", s.Heads)
	}
	if f.Unit != "" {
		w.add("g.unit = ?", f.Unit)
	}
	if f.Team != "" {
		w.add("g.team = ?", f.Team)
	}
	if f.Level != 0 {
		w.add("g.level = ?", f.Level)
	}
	if f.Person != "" {
		w.add("g.person_id = ?", f.Person)
	}
	if n := onlyDigits(f.Number); n != "" {
		w.add("CAST(g.number AS TEXT) LIKE ?", n+"%")
	} else if strings.TrimSpace(f.Number) != "" {
		w.add("1 = 0")
	}
	if day, err := thai.ParseDate(f.From); err == nil {
		w.add("g.starts_at >= ?", store.Us(day.StartOfDay()))
	}
	if day, err := thai.ParseDate(f.Until); err == nil {
		w.add("g.ends_at <= ?", store.Us(day.EndExclusive()))
	}
	b.addState(w, f.State, tx.Now)
	if part := thai.Fold(f.Citizen); part != "" {
		persons, err := b.withDigits(ctx, tx, s, part)
		if err != nil {
			return nil, err
		}
		// Digits are an ID and no name; to look for both would keep the engine from going straight to the person.
		if onlyDigits(part) != "" {
			in(w, "g.person_id", persons)
		} else {
			named(w, s, f, part)
		}
	}
	if part := thai.Fold(f.Search); len(onlyDigits(part)) == 13 {
		persons, err := b.withDigits(ctx, tx, s, part)
		if err != nil {
			return nil, err
		}
		in(w, "g.person_id", persons)
	} else if part != "" {
		or := &where{args: w.args}
		named(or, s, f, part)
		or.add(orderFold+" LIKE ? ESCAPE '!'", contains(part))
		if err := addPlaces(ctx, tx, or, part); err != nil {
			return nil, err
		}
		if n := onlyDigits(part); n != "" {
			or.add("CAST(g.number AS TEXT) = ?", n)
		}
		persons, err := b.withDigits(ctx, tx, s, part)
		if err != nil {
			return nil, err
		}
		if persons != nil {
			in(or, "g.person_id", persons)
		}
		for _, level := range Levels {
			if strings.Contains(thai.Fold(level.Name.TH+" "+level.Name.EN), part) {
				or.add("g.level = ?", level.Level)
			}
		}
		w.either(or)
	}
	return w, nil
}

// named lets through who has the part in his name. Over all units the accounts are looked through once, which are far
// fewer than the grants; in one unit it is the other way round.
func named(w *where, s Scope, f Filter, part string) {
	like := "name_fold LIKE ? ESCAPE '!'"
	if s.All && f.Unit == "" {
		w.add("g.person_id IN (SELECT person_id FROM accounts WHERE "+like+")", contains(part))
		return
	}
	w.add("a."+like, contains(part))
}

// orderFold is the order number as it is searched: officials write its digits in Thai or in Arabic form.
var orderFold = func() string {
	fold := "lower(g.order_number)"
	for n, digit := range []rune("๐๑๒๓๔๕๖๗๘๙") {
		fold = "replace(" + fold + ", '" + string(digit) + "', '" + strconv.Itoa(n) + "')"
	}
	return fold
}()

// addPlaces lets through the units and groups whose name contains a folded text. They are few, so they are looked
// through here and not once more for every grant.
func addPlaces(ctx context.Context, tx *store.Tx, or *where, part string) error {
	units, err := agency.Units(ctx, tx)
	if err != nil {
		return err
	}
	teams, err := agency.AllTeams(ctx, tx)
	if err != nil {
		return err
	}
	named := func(name locale.Name) bool {
		return strings.Contains(thai.Fold(name.TH), part) || strings.Contains(thai.Fold(name.EN), part)
	}
	var codes []string
	for _, u := range units {
		if named(u.Short) {
			codes = append(codes, u.Code)
		}
	}
	if len(codes) > 0 {
		in(or, "g.unit", codes)
	}
	for _, team := range teams {
		if named(team.Name) {
			or.add("(g.unit = ? AND g.team = ?)", team.Unit, team.Code)
		}
	}
	return nil
}

// The words of Filter.State that are no State of a grant.
const (
	liveStates = "live"
	allStates  = "all"
)

// addState narrows to the grants of one state; the rules say the same of one grant in StateAt.
func (b *Book) addState(w *where, state string, now time.Time) {
	const notOver = "(g.ends_at IS NULL OR g.ends_at > ?)"
	const named = "g.awaits_second = FALSE AND a.state = 'active' AND c.person_id IS NOT NULL"
	const known = named + " AND a.last_signin_at > ?"
	us, locked := store.Us(now), store.Us(officer.LockedUpTo(now, b.lockAfter))
	soon := store.Us(now.AddDate(0, 0, SoonDays))
	switch State(state) {
	case allStates:
	case StateEnded:
		w.add("g.closed_at IS NOT NULL AND g.closing <> 'expired'")
	case StateExpired:
		w.add("g.closing = 'expired' OR (g.closed_at IS NULL AND g.ends_at <= ?)", us)
	case StateSecond:
		w.add("g.closed_at IS NULL AND g.awaits_second = TRUE AND "+notOver, us)
	case StatePending:
		w.add("g.closed_at IS NULL AND g.awaits_second = FALSE AND a.person_id IS NULL AND "+notOver, us)
	case StateOff:
		w.add("g.closed_at IS NULL AND g.awaits_second = FALSE AND a.state <> 'active' AND "+notOver, us)
	case StateWaiting:
		w.add("g.closed_at IS NULL AND g.awaits_second = FALSE AND a.state = 'active' AND c.person_id IS NULL AND "+notOver, us)
	case StateLocked:
		w.add("g.closed_at IS NULL AND "+named+" AND a.last_signin_at <= ? AND "+notOver, locked, us)
	case StateFuture:
		w.add("g.closed_at IS NULL AND "+known+" AND g.starts_at > ? AND "+notOver, locked, us, us)
	case StateSoon:
		w.add("g.closed_at IS NULL AND "+known+" AND g.starts_at <= ? AND g.ends_at > ? AND g.ends_at < ?", locked, us, us, soon)
	case StateActive:
		w.add("g.closed_at IS NULL AND "+known+" AND g.starts_at <= ? AND (g.ends_at IS NULL OR g.ends_at >= ?)", locked, us, soon)
	default:
		w.add("g.closed_at IS NULL")
		w.add(notOver, us)
	}
}

// onlyDigits answers a text that is digits, with Thai ones folded and the dashes of a citizen ID taken out; "" when
// it is anything else.
func onlyDigits(s string) string {
	digits, err := thai.FoldDigits(s)
	if err != nil {
		return ""
	}
	return digits
}

// withDigits finds the persons whose citizen ID contains the digits. Parts are looked for only among the people with
// grants in the units the reader is head of, by decrypting; elsewhere only all 13 digits find, and those by Whose,
// which records it (product.md, "Showing and finding IDs"). nil means that the text is no part of an ID.
func (b *Book) withDigits(ctx context.Context, tx *store.Tx, s Scope, text string) ([]person.ID, error) {
	digits := onlyDigits(text)
	if digits == "" || len(digits) > 13 {
		return nil, nil
	}
	found := []person.ID{}
	if len(digits) == 13 {
		if s.All {
			return found, nil
		}
		citizen, err := thai.ParseCitizenID(digits)
		if err != nil && !errors.Is(err, thai.ErrCheckDigit) {
			return found, nil // what can be no ID finds nobody
		}
		id, ok, err := b.roll.Find(ctx, tx, citizen)
		if ok {
			found = append(found, id)
		}
		return found, err
	}
	if len(s.Heads) == 0 {
		return nil, nil
	}
	w := &where{}
	in(w, "unit", s.Heads)
	type sealed struct {
		id   person.ID
		blob []byte
	}
	people, err := store.Rows(func(row store.Row) (p sealed, err error) { return p, row.Scan(&p.id, &p.blob) })(tx.Query(ctx,
		`SELECT id, citizen_sealed FROM persons WHERE id IN (SELECT person_id FROM grants WHERE `+w.String()+`)`, w.args...))
	if err != nil {
		return nil, fmt.Errorf("find persons by part of ID: %w", err)
	}
	for _, p := range people {
		citizen, err := b.roll.Open(p.id, p.blob)
		if err != nil {
			return nil, err
		}
		if strings.Contains(citizen.Digits(), digits) {
			found = append(found, p.id)
		}
	}
	return found, nil
}

// scanRow reads a row of the grid for a reader with the scope.
func (b *Book) scanRow(s Scope, now time.Time) func(store.Row) (Row, error) {
	return func(row store.Row) (r Row, err error) {
		var sealed []byte
		var given, family string
		var account officer.State
		var confirmed bool
		var signedIn time.Time
		if err := row.Scan(append(r.Grant.targets(), &r.UnitName.TH, &r.UnitName.EN, store.Null(&r.TeamName.TH), store.Null(&r.TeamName.EN),
			&sealed, store.Null(&given), store.Null(&family), store.Null(&r.Position), store.Null(&r.Home.TH), store.Null(&r.Home.EN),
			store.Null((*string)(&account)), store.At(&signedIn), &confirmed)...); err != nil {
			return Row{}, err
		}
		r.Standing = standing(account, !now.Before(officer.LocksAt(signedIn, b.lockAfter)), confirmed)
		r.Registered = r.Standing != Unregistered
		r.Name = strings.TrimSpace(given + " " + family)
		r.Masked = !s.Manages(r.Unit)
		r.State = r.StateAt(now, r.Standing)
		r.Citizen, err = b.roll.Open(r.Person, sealed)
		return r, err
	}
}

// Grid answers one page of the rights that the reader may see. It fails with Denied for who may see none.
func (b *Book) Grid(ctx context.Context, by person.ID, f Filter) (page Page, err error) {
	err = b.db.Read(ctx, func(tx *store.Tx) error {
		s, err := b.scope(ctx, tx, by)
		if err != nil {
			return err
		}
		page, err = b.grid(ctx, tx, s, f, Overview{}.rows)
		return err
	})
	return page, err
}

// Sheet is a page of the grid with all that stands around it, as one state of the book has it.
type Sheet struct {
	Page     Page
	Choices  Choices
	Overview Overview
}

// Sheet answers one page of the grid with what the reader can choose from and the figures of his units. It fails with
// Denied for who may see none.
func (b *Book) Sheet(ctx context.Context, by person.ID, f Filter) (sheet Sheet, err error) {
	err = b.db.Read(ctx, func(tx *store.Tx) error {
		s, err := b.scope(ctx, tx, by)
		if err != nil {
			return err
		}
		if sheet.Overview, err = b.overview(ctx, tx, s); err != nil {
			return err
		}
		if sheet.Page, err = b.grid(ctx, tx, s, f, sheet.Overview.rows); err != nil {
			return err
		}
		sheet.Choices, err = b.choices(ctx, tx, s)
		return err
	})
	return sheet, err
}

func (b *Book) grid(ctx context.Context, tx *store.Tx, s Scope, f Filter, counted func(Filter) (int, bool)) (Page, error) {
	w, err := b.gridQuery(ctx, tx, s, f)
	if err != nil {
		return Page{}, err
	}
	page := Page{Scope: s, Number: max(f.Page, 1), Pages: 1}
	if n, ok := counted(f); ok {
		page.Total = n
	} else if err := tx.QueryRow(ctx, gridCount(w), w.args...).Scan(&page.Total); err != nil {
		return Page{}, fmt.Errorf("count grants: %w", err)
	}
	if page.More = page.Total > CountUpTo; page.More {
		page.Total = CountUpTo
	}
	size := f.Size
	if !slices.Contains(Sizes, size) {
		size = Sizes[0]
	}
	page.Pages = max(1, (page.Total+size-1)/size)
	page.Number = min(page.Number, page.Pages)
	if page.Rows, err = b.rows(ctx, tx, s, w, f, size, (page.Number-1)*size); err != nil || f.Person == "" {
		return page, err
	}
	seen := page.Rows
	if len(seen) == 0 { // the other filters leave none of his; any right says whether and how the ID is seen
		if seen, err = b.rows(ctx, tx, s, s.rightsOf(f.Person), Filter{}, 1, 0); err != nil {
			return Page{}, err
		}
	}
	if len(seen) > 0 {
		page.Citizen = seen[0].CitizenShown()
	}
	return page, nil
}

// rightsOf narrows to the grants of a person that the reader may see.
func (s Scope) rightsOf(who person.ID) *where {
	w := &where{}
	w.add("g.system = ?", KO1)
	w.add("g.person_id = ?", who)
	if !s.All {
		in(w, "g.unit", s.Heads)
	}
	return w
}

// gridCount counts the rows of the grid, as far as they are counted. Only the tables that a filter can speak of are
// joined, and those not spoken of are left out by the engine, since they add no row.
func gridCount(w *where) string {
	return `SELECT count(*) FROM (SELECT 1 FROM grants g
		LEFT JOIN accounts a ON a.person_id = g.person_id
		LEFT JOIN confirmations c ON c.person_id = g.person_id AND c.unit = g.unit AND c.ended_at IS NULL
		WHERE ` + w.String() + ` LIMIT ` + strconv.Itoa(CountUpTo+1) + `) AS matching`
}

// gridPage reads some of the rows of the grid in the order of a filter. By number an index brings the rows in their
// order, and what is shown of them is read on the way. Any other order is of all rows that match: then their numbers
// are sorted first, and the rest is read for the page alone.
func gridPage(w *where, f Filter, limit, offset int) string {
	page := order(f) + ` LIMIT ` + strconv.Itoa(limit) + ` OFFSET ` + strconv.Itoa(offset)
	if byNumber(f) {
		return `SELECT ` + gridColumns + gridTables + ` WHERE ` + w.String() + page
	}
	return `SELECT ` + gridColumns + gridTables + ` WHERE g.number IN (SELECT g.number FROM grants g
		JOIN units u ON u.code = g.unit
		LEFT JOIN teams t ON g.team <> '' AND t.unit = g.unit AND t.code = g.team
		LEFT JOIN accounts a ON a.person_id = g.person_id
		LEFT JOIN confirmations c ON c.person_id = g.person_id AND c.unit = g.unit AND c.ended_at IS NULL
		WHERE ` + w.String() + page + `)` + order(f)
}

func byNumber(f Filter) bool {
	column, ok := sorts[f.Sort]
	return !ok || column == sorts["number"]
}

func (b *Book) rows(ctx context.Context, tx *store.Tx, s Scope, w *where, f Filter, limit, offset int) ([]Row, error) {
	rows, err := store.Rows(b.scanRow(s, tx.Now))(tx.Query(ctx, gridPage(w, f, limit, offset), w.args...))
	if err != nil {
		return nil, fmt.Errorf("list grants: %w", err)
	}
	return rows, nil
}

// order sorts with the number last, so that pages never overlap; grants without an end or a name come after those
// that have one, on both engines.
func order(f Filter) string {
	way := ""
	if f.Desc {
		way = " DESC"
	}
	if byNumber(f) {
		return " ORDER BY g.number" + way
	}
	column := sorts[f.Sort]
	return " ORDER BY " + column + " IS NULL, " + column + way + ", g.number"
}

// Whose answers the person behind a whole citizen ID, if the reader may see a grant of his: so that the ID itself
// need not stand in the address of a grid. ok is false when there is none to see. Who sees every unit looks across
// the country: that is recorded, and limited as LookUp is.
func (b *Book) Whose(ctx context.Context, by person.ID, citizen thai.CitizenID) (who person.ID, ok bool, err error) {
	everywhere := false
	err = b.db.Read(ctx, func(tx *store.Tx) error {
		s, err := b.scope(ctx, tx, by)
		if err != nil {
			return err
		}
		if everywhere = s.All; everywhere {
			return nil
		}
		who, ok, err = b.whose(ctx, tx, s, citizen)
		return err
	})
	if err == nil && everywhere {
		act := &audit.Act{Name: "person.look_up", Actor: string(by)}
		err = audit.Do(ctx, b.db, act, func(tx *store.Tx) error {
			s, err := b.scope(ctx, tx, by)
			if err != nil {
				return err
			}
			if err := takeLook(ctx, tx, by); err != nil {
				return err
			}
			who, ok, err = b.whose(ctx, tx, s, citizen)
			act.Subject = string(who)
			return err
		})
	}
	if err != nil || !ok {
		return "", false, err
	}
	return who, true, nil
}

// whose finds the person behind a citizen ID; ok tells whether the reader may see a grant of his.
func (b *Book) whose(ctx context.Context, tx *store.Tx, s Scope, citizen thai.CitizenID) (who person.ID, ok bool, err error) {
	if who, ok, err = b.roll.Find(ctx, tx, citizen); err != nil || !ok {
		return "", false, err
	}
	w := s.rightsOf(who)
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM grants g WHERE `+w.String(), w.args...).Scan(&n); err != nil {
		return "", false, fmt.Errorf("find grants of person: %w", err)
	}
	return who, n > 0, nil
}

// Each hands every row of a filter to each, without pages. It fails as Grid does; an error of each ends it.
func (b *Book) Each(ctx context.Context, by person.ID, f Filter, each func(Row) error) error {
	return b.db.Read(ctx, func(tx *store.Tx) error {
		s, err := b.scope(ctx, tx, by)
		if err != nil {
			return err
		}
		w, err := b.gridQuery(ctx, tx, s, f)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT `+gridColumns+gridTables+` WHERE `+w.String()+order(f), w.args...)
		if err != nil {
			return fmt.Errorf("list grants: %w", err)
		}
		defer rows.Close() // its error is the one rows.Err reports
		scan := b.scanRow(s, tx.Now)
		for rows.Next() {
			r, err := scan(rows)
			if err != nil {
				return fmt.Errorf("list grants: %w", err)
			}
			if err := each(r); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// mostExported is how many rows an export holds at most: more than the rights of the whole country.
const mostExported = 50_000

// Export answers every row of a filter, for a file in a format ("csv"). That the rows went out, and whose, is
// recorded before they do. It fails as Grid does, and with Invalid when the rows are too many for one file.
func (b *Book) Export(ctx context.Context, by person.ID, f Filter, format string) ([]Row, error) {
	var rows []Row
	read := b.Each(ctx, by, f, func(r Row) error {
		if len(rows) == mostExported {
			return problem.New(problem.Invalid, "grant.export_too_many", "n", mostExported)
		}
		rows = append(rows, r)
		return nil
	})
	if read != nil && !errors.Is(read, problem.Denied) {
		return nil, read
	}
	act := &audit.Act{Name: "grant.export", Actor: string(by), Unit: f.Unit, Detail: map[string]string{
		"format": format, "rows": strconv.Itoa(len(rows)), "state": liveStates,
	}}
	if f.Level != 0 {
		act.Detail["level"] = strconv.FormatInt(int64(f.Level), 10)
	}
	if f.State == allStates || slices.Contains(States, State(f.State)) { // whatever else was typed is no fact
		act.Detail["state"] = f.State
	}
	if f.Person != "" && len(rows) > 0 {
		act.Subject = string(rows[0].Person)
	}
	if err := audit.Do(ctx, b.db, act, func(*store.Tx) error { return read }); err != nil { // a refusal is recorded too
		return nil, err
	}
	return rows, nil
}

package audit

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
)

// Entry is an act as it stands in the log.
type Entry struct {
	Act
	ID      string
	At      time.Time
	Outcome string // Done or Denied
	Request string // id of the request it came with
	Place   int64  // its place in the tree, from 0; -1 until it is sealed
}

// Query says which entries to list. Empty fields let all through.
type Query struct {
	Unit, Subject, Actor, Object, Act, Outcome string

	// Without leaves out the acts whose name begins so, such as "signin.".
	Without string

	From, To time.Time // from the one moment on, up to but not at the other
	Before   string    // the cursor that the page before ended with
	Limit    int       // entries to a page, 50 when not positive and at most 500
}

// List answers the entries that match, newest first, and the cursor of the next page, "" on the last one. Whose
// entries a person may see is the caller's duty. A text that was erased is missing from Texts. A cursor that List
// never answered is problem.NotFound.
func List(ctx context.Context, tx *store.Tx, q Query) (entries []Entry, next string, err error) {
	var where []string
	var args []any
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		where = append(where, condition)
	}
	for _, equal := range []struct{ column, value string }{
		{"unit", q.Unit}, {"subject", q.Subject}, {"actor", q.Actor}, {"object", q.Object}, {"act", q.Act}, {"outcome", q.Outcome},
	} {
		if equal.value != "" {
			add("e."+equal.column+" = ?", clean(equal.value))
		}
	}
	if q.Without != "" {
		add("substr(e.act, 1, ?) <> ?", len(q.Without), q.Without)
	}
	if !q.From.IsZero() {
		add("e.at >= ?", q.From.UnixMicro())
	}
	if !q.To.IsZero() {
		add("e.at < ?", q.To.UnixMicro())
	}
	if q.Before != "" {
		at, id, err := parseCursor(q.Before)
		if err != nil {
			return nil, "", err
		}
		add("(e.at, e.id) < (?, ?)", at, id)
	}
	limit := min(q.Limit, 500)
	if limit <= 0 {
		limit = 50
	}
	sql := `SELECT e.id, e.at, e.actor, e.act, e.outcome, e.unit, e.subject, e.object, e.request, e.leaf, coalesce(l.place, -1)
		FROM audit_entries e LEFT JOIN audit_leaves l ON l.entry_id = e.id`
	if len(where) > 0 {
		sql += " WHERE " + strings.Join(where, " AND ")
	}
	// One more than asked for tells whether there is a next page.
	sql += " ORDER BY e.at DESC, e.id DESC LIMIT " + strconv.Itoa(limit+1)
	entries, err = store.Rows(scanEntry)(tx.Query(ctx, sql, args...))
	if err != nil {
		return nil, "", fmt.Errorf("list audit entries: %w", err)
	}
	if len(entries) > limit {
		entries = entries[:limit]
		last := entries[limit-1]
		next = strconv.FormatInt(last.At.UnixMicro(), 10) + "." + last.ID
	}
	return entries, next, addTexts(ctx, tx, entries)
}

func parseCursor(cursor string) (at int64, id string, err error) {
	micros, id, _ := strings.Cut(cursor, ".")
	at, err = strconv.ParseInt(micros, 10, 64)
	if err != nil || uuid.Validate(id) != nil {
		return 0, "", problem.New(problem.NotFound, "problem.notfound")
	}
	return at, id, nil
}

func scanEntry(row store.Row) (Entry, error) {
	var e Entry
	var text string
	err := row.Scan(&e.ID, store.At(&e.At), &e.Actor, &e.Name, &e.Outcome, &e.Unit, &e.Subject, &e.Object, &e.Request, &text, &e.Place)
	if err != nil {
		return Entry{}, err
	}
	l, err := decodeLeaf(text)
	if err != nil {
		return Entry{}, fmt.Errorf("audit entry %s: %w", e.ID, err)
	}
	e.Detail = l.Detail
	return e, nil
}

// addTexts fills in the texts of the entries that are still there.
func addTexts(ctx context.Context, tx *store.Tx, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	of := make(map[string]*Entry, len(entries))
	ids := make([]any, len(entries))
	for i := range entries {
		of[entries[i].ID], ids[i] = &entries[i], entries[i].ID
	}
	type text struct{ entry, name, text string }
	texts, err := store.Rows(func(row store.Row) (t text, err error) {
		return t, row.Scan(&t.entry, &t.name, &t.text)
	})(tx.Query(ctx, "SELECT entry_id, name, text FROM audit_texts WHERE text IS NOT NULL AND entry_id IN "+tuples(1, len(ids)), ids...))
	if err != nil {
		return fmt.Errorf("list texts of audit entries: %w", err)
	}
	for _, t := range texts {
		e := of[t.entry]
		if e.Texts == nil {
			e.Texts = make(map[string]string)
		}
		e.Texts[t.name] = t.text
	}
	return nil
}

// tuples writes rows of columns parameters each: tuples(2, 2) is "($1,$2),($3,$4)".
func tuples(rows, columns int) string {
	var b strings.Builder
	n := 0
	for range rows {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for column := range columns {
			if column > 0 {
				b.WriteByte(',')
			}
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteByte(')')
	}
	return b.String()
}

// insert writes an entry, its texts, and its wish to be sealed. It reads nothing: a read of the log's end would make
// concurrent transactions fail.
var (
	rowID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	code  = regexp.MustCompile(`^[A-Za-z]*([-._]?[A-Za-z]+)*([-._]?[0-9]{0,4})$`)
)

// identifies reports whether a text may stand for a row: nothing, the id of one, or a code such as TH-12 or G1, which
// has letters first and at most four digits.
func identifies(id string) bool {
	return rowID.MatchString(id) || len(id) <= 40 && code.MatchString(id)
}

func insert(ctx context.Context, tx *store.Tx, act Act, outcome string) error {
	origin := OriginOf(ctx)
	texts := act.Texts
	if origin.Address != "" {
		texts = maps.Clone(texts)
		if texts == nil {
			texts = make(map[string]string, 1)
		}
		texts["address"] = origin.Address
	}
	// What identifies comes from addresses and forms when an act is refused. Anything that is no identifier is a text
	// like other texts, so that nobody can have a name or a number sealed for good.
	given := map[string]*string{"unit_given": &act.Unit, "subject_given": &act.Subject, "object_given": &act.Object}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if id := given[name]; !identifies(*id) {
			texts = maps.Clone(texts)
			if texts == nil {
				texts = make(map[string]string, 1)
			}
			texts[name], *id = *id, "?"
		}
	}
	l := leaf{
		Act: clean(act.Name), Actor: clean(act.Actor), At: leafTime(tx.Now), ID: store.NewID(), Object: clean(act.Object),
		Outcome: outcome, Request: clean(origin.Request), Subject: clean(act.Subject), Unit: clean(act.Unit),
		Detail: make(map[string]string, len(act.Detail)), Texts: make(map[string]string, len(texts)),
	}
	for name, fact := range act.Detail {
		if fact != "" {
			l.Detail[clean(name)] = clean(fact)
		}
	}
	type row struct{ name, salt, text string }
	rows := make([]row, 0, len(texts))
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if texts[name] == "" {
			continue
		}
		// Who types a citizen ID into a text is refused; what came here in another way is kept without it.
		r := row{clean(name), newSalt(), thai.MaskCitizenIDs(clean(texts[name]))}
		l.Texts[r.name] = salted(r.salt, r.text)
		rows = append(rows, r)
	}
	text, err := l.encode()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO audit_entries (id, at, actor, act, outcome, unit, subject, object, request, leaf)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		l.ID, store.Us(tx.Now), l.Actor, l.Act, l.Outcome, l.Unit, l.Subject, l.Object, l.Request, text)
	if err != nil {
		return fmt.Errorf("record act %s: %w", l.Act, err)
	}
	for _, r := range rows {
		_, err = tx.Exec(ctx, `INSERT INTO audit_texts (entry_id, name, salt, text) VALUES ($1, $2, $3, $4)`,
			l.ID, r.name, r.salt, r.text)
		if err != nil {
			return fmt.Errorf("record text of act %s: %w", l.Act, err)
		}
	}
	if _, err = tx.Exec(ctx, `INSERT INTO audit_waiting (entry_id) VALUES ($1)`, l.ID); err != nil {
		return fmt.Errorf("record act %s: %w", l.Act, err)
	}
	return nil
}

package legacy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/store"
)

// compare gives every row of an import its result, holding the rows against each other and against the book as it
// stands in this transaction. All of it happens in the database, however many rows there are. It answers the totals,
// and a hash over the result of every row: what a signature is for.
func (d *Desk) compare(ctx context.Context, tx *store.Tx, work Import) (Totals, string, error) {
	for _, step := range steps {
		if _, err := tx.Exec(ctx, step.text, step.args(work, tx)...); err != nil {
			return Totals{}, "", fmt.Errorf("compare rows (%s): %w", step.name, err)
		}
	}
	if err := d.comparePlaces(ctx, tx, work); err != nil {
		return Totals{}, "", err
	}
	totals, err := d.total(ctx, tx, work)
	if err != nil {
		return Totals{}, "", err
	}
	results, err := hashResults(ctx, tx, work.ID)
	return totals, results, err
}

// step is one statement of the comparison. Each looks only at rows that no step before has taken out of the new ones,
// but for the last.
type step struct {
	name string
	text string
	args func(Import, *store.Tx) []any
}

func byImport(work Import, _ *store.Tx) []any      { return []any{work.ID} }
func byMoment(work Import, tx *store.Tx) []any     { return []any{work.ID, store.Us(tx.Now)} }
func bySource(work Import, tx *store.Tx) []any     { return []any{work.ID, work.Source, store.Us(tx.Now)} }
func bySourceAlone(work Import, _ *store.Tx) []any { return []any{work.ID, work.Source} }

// found turns what a step found into result and reason.
const found = `UPDATE legacy_rows SET object_id = m.object_id, reason_args = '',
		result = CASE m.found WHEN 'same' THEN 'same' WHEN 'changed' THEN 'changed' ELSE 'conflict' END,
		reason = CASE m.found WHEN 'same' THEN '' WHEN 'changed' THEN '' ELSE 'legacy.reason.' || m.found END
	FROM (`

const foundEnd = `) m WHERE legacy_rows.import_id = $1 AND legacy_rows.line = m.line`

var steps = []step{
	{"start anew", `UPDATE legacy_rows SET result = CASE WHEN fault = '' THEN 'new' ELSE 'quarantined' END,
			reason = '', reason_args = '', object_id = ''
		WHERE import_id = $1 AND aside_by IS NULL AND (result <> 'new' OR fault <> '')`, byImport},

	// Of rows that repeat a row the first stands: which one is right nobody can tell from here.
	{"same row id", `UPDATE legacy_rows SET result = 'quarantined', reason = 'legacy.reason.same_row_id', reason_args = '{"line":' || m.first || '}'
		FROM (SELECT line, min(line) OVER (PARTITION BY kind, row_id) AS first FROM legacy_rows
			WHERE import_id = $1 AND row_id <> '' AND aside_by IS NULL) m
		WHERE legacy_rows.import_id = $1 AND legacy_rows.line = m.line AND m.line > m.first AND legacy_rows.result = 'new'`, byImport},
	{"same thing", `UPDATE legacy_rows SET result = 'quarantined', reason = 'legacy.reason.same_' || kind, reason_args = '{"line":' || m.first || '}'
		FROM (SELECT line, min(line) OVER (PARTITION BY same_key) AS first FROM legacy_rows WHERE import_id = $1 AND result = 'new') m
		WHERE legacy_rows.import_id = $1 AND legacy_rows.line = m.line AND m.line > m.first`, byImport},

	// Rows that were brought before.
	{"rights brought before", found + `
		SELECT r.line, o.object_id, CASE
			WHEN o.same_key <> r.same_key THEN 'other_right'
			WHEN g.closing NOT IN ('', 'expired') THEN 'closed_since'
			WHEN g.closed_at IS NOT NULL THEN 'ended_since'
			WHEN o.content = r.content THEN 'same'
			WHEN g.ends_at <= $3 THEN 'ended_since'
			WHEN EXISTS (SELECT 1 FROM grant_versions v WHERE v.grant_id = g.id AND v.recorded_at > o.at) THEN 'changed_here'
			ELSE 'changed' END AS found
		FROM legacy_rows r
		JOIN legacy_origins o ON o.source = $2 AND o.kind = r.kind AND o.row_id = r.row_id
		JOIN grants g ON g.id = o.object_id
		WHERE r.import_id = $1 AND r.kind = 'right' AND r.result = 'new'` + foundEnd, bySource},
	{"heads brought before", found + `
		SELECT r.line, o.object_id, CASE
			WHEN o.same_key <> r.same_key THEN 'other_head'
			WHEN a.closing NOT IN ('', 'expired') THEN 'closed_since'
			WHEN a.closed_at IS NOT NULL THEN 'ended_since'
			WHEN o.content = r.content THEN 'same'
			WHEN a.ends_at <= $3 THEN 'ended_since'
			WHEN a.confirmed_at IS NOT NULL THEN 'confirmed_here'
			ELSE 'changed' END AS found
		FROM legacy_rows r
		JOIN legacy_origins o ON o.source = $2 AND o.kind = r.kind AND o.row_id = r.row_id
		JOIN appointments a ON a.id = o.object_id
		WHERE r.import_id = $1 AND r.kind = 'head' AND r.result = 'new'` + foundEnd, bySource},
	{"officers brought before", found + `
		SELECT r.line, o.object_id, CASE
			WHEN o.same_key <> r.same_key THEN 'other_person'
			WHEN o.content = r.content THEN 'same'
			ELSE 'changed' END AS found
		FROM legacy_rows r
		JOIN legacy_origins o ON o.source = $2 AND o.kind = r.kind AND o.row_id = r.row_id
		WHERE r.import_id = $1 AND r.kind = 'officer' AND r.result = 'new'` + foundEnd, bySourceAlone},

	// What the book has without having been brought. What was ended in Sitthi is never opened again in passing.
	{"rights given here", found + `
		SELECT r.line, g.id AS object_id, CASE WHEN COALESCE(g.ends_at, 0) = COALESCE(r.ends_at, 0) THEN 'same' ELSE 'given_here' END AS found
		FROM legacy_rows r
		JOIN persons p ON p.citizen_index = r.citizen_index
		JOIN grants g ON g.person_id = p.id AND g.unit = r.unit AND g.team = r.team AND g.level = r.level AND g.system = 'ko1'
		WHERE r.import_id = $1 AND r.kind = 'right' AND r.result = 'new' AND g.closed_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > $2)` + foundEnd, byMoment},
	{"rights ended here", found + `
		SELECT r.line, max(g.id) AS object_id, 'closed_since' AS found
		FROM legacy_rows r
		JOIN persons p ON p.citizen_index = r.citizen_index
		JOIN grants g ON g.person_id = p.id AND g.unit = r.unit AND g.team = r.team AND g.level = r.level AND g.system = 'ko1'
		WHERE r.import_id = $1 AND r.kind = 'right' AND r.result = 'new' AND g.closing IN ('revoked', 'refused')
		GROUP BY r.line` + foundEnd, byImport},
	{"heads appointed here", found + `
		SELECT r.line, a.id AS object_id, 'same' AS found
		FROM legacy_rows r
		JOIN persons p ON p.citizen_index = r.citizen_index
		JOIN appointments a ON a.person_id = p.id AND a.unit = r.unit AND a.post = 'head'
		WHERE r.import_id = $1 AND r.kind = 'head' AND r.result = 'new' AND a.closed_at IS NULL AND (a.ends_at IS NULL OR a.ends_at > $2)` + foundEnd, byMoment},
	{"heads ended here", found + `
		SELECT r.line, max(a.id) AS object_id, 'closed_since' AS found
		FROM legacy_rows r
		JOIN persons p ON p.citizen_index = r.citizen_index
		JOIN appointments a ON a.person_id = p.id AND a.unit = r.unit AND a.post = 'head'
		WHERE r.import_id = $1 AND r.kind = 'head' AND r.result = 'new' AND a.closing IN ('ended', 'refused')
		GROUP BY r.line` + foundEnd, byImport},
	{"officers registered", found + `
		SELECT r.line, a.person_id AS object_id, 'same' AS found
		FROM legacy_rows r
		JOIN persons p ON p.citizen_index = r.citizen_index
		JOIN accounts a ON a.person_id = p.id
		WHERE r.import_id = $1 AND r.kind = 'officer' AND r.result = 'new'` + foundEnd, byImport},

	// What would be written but may not be.
	{"run out", `UPDATE legacy_rows SET result = 'quarantined', reason = 'legacy.reason.run_out', reason_args = ''
		WHERE import_id = $1 AND result IN ('new', 'changed') AND kind IN ('head', 'right') AND ends_at <= $2`, byMoment},
	{"own rows", `UPDATE legacy_rows SET result = 'quarantined', reason = 'legacy.reason.own_row', reason_args = ''
		WHERE import_id = $1 AND result IN ('new', 'changed') AND kind IN ('head', 'right') AND citizen_index IN (
			SELECT p.citizen_index FROM legacy_hands h JOIN persons p ON p.id = h.person_id WHERE h.import_id = $1)`, byImport},
	{"accounts switched off", `UPDATE legacy_rows SET result = 'quarantined', reason = 'grant.account_disabled', reason_args = ''
		WHERE import_id = $1 AND result IN ('new', 'changed') AND citizen_index IN (
			SELECT p.citizen_index FROM accounts a JOIN persons p ON p.id = a.person_id WHERE a.state <> 'active')`, byImport},
}

// comparePlaces holds the places that rows name against the rule of the book; there are far fewer places than rows.
func (d *Desk) comparePlaces(ctx context.Context, tx *store.Tx, work Import) error {
	type named struct {
		kind  Kind
		place grant.Place
		level grant.Level
	}
	places, err := store.Rows(func(row store.Row) (n named, err error) {
		return n, row.Scan(&n.kind, &n.place.Unit, &n.place.Team, &n.level)
	})(tx.Query(ctx, `SELECT DISTINCT kind, unit, team, level FROM legacy_rows WHERE import_id = $1 AND result IN ('new', 'changed')`, work.ID))
	if err != nil {
		return fmt.Errorf("list places of rows: %w", err)
	}
	for _, n := range places {
		fault, err := d.placeFault(ctx, tx, n.kind, n.place, n.level)
		if err != nil {
			return err
		}
		if fault == "" {
			continue
		}
		if _, err := tx.Exec(ctx, `UPDATE legacy_rows SET result = 'quarantined', reason = $1, reason_args = ''
			WHERE import_id = $2 AND result IN ('new', 'changed') AND kind = $3 AND unit = $4 AND team = $5 AND level = $6`,
			fault, work.ID, string(n.kind), n.place.Unit, n.place.Team, n.level); err != nil {
			return fmt.Errorf("quarantine rows of a place: %w", err)
		}
	}
	return nil
}

// total counts the rows by result, and holds the rights of the file against those in the book.
func (d *Desk) total(ctx context.Context, tx *store.Tx, work Import) (Totals, error) {
	type group struct {
		kind   Kind
		result Result
		aside  bool
		n      int64
	}
	groups, err := store.Rows(func(row store.Row) (g group, err error) { return g, row.Scan(&g.kind, &g.result, &g.aside, &g.n) })(tx.Query(ctx,
		`SELECT kind, result, aside_by IS NOT NULL, count(*) FROM legacy_rows WHERE import_id = $1 GROUP BY kind, result, aside_by IS NOT NULL`, work.ID))
	if err != nil {
		return Totals{}, fmt.Errorf("count rows: %w", err)
	}
	t := Totals{ByKind: map[Kind][5]int64{}}
	for _, g := range groups {
		place := slices.Index(Results, g.result)
		if place < 0 {
			return Totals{}, fmt.Errorf("count rows: no result %q", g.result)
		}
		*[]*int64{&t.New, &t.Same, &t.Changed, &t.Conflict, &t.Quarantined}[place] += g.n
		if g.aside {
			t.Aside += g.n
		}
		kind := t.ByKind[g.kind]
		kind[place] += g.n
		t.ByKind[g.kind] = kind
		if g.kind == Right && place <= slices.Index(Results, Changed) {
			t.RightsInFile += g.n
		}
	}
	// Counted apart from the results, so that the two can be held against each other.
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM legacy_rows WHERE import_id = $1`, work.ID).Scan(&t.Read); err != nil {
		return Totals{}, fmt.Errorf("count rows: %w", err)
	}
	if t.RightsInBook, err = rightsInBook(ctx, tx, work); err != nil {
		return Totals{}, err
	}
	if err := tx.QueryRow(ctx, `SELECT count(DISTINCT r.citizen_index) FROM legacy_rows r LEFT JOIN persons p ON p.citizen_index = r.citizen_index WHERE `+toInvite, work.ID).Scan(&t.Invited); err != nil {
		return Totals{}, fmt.Errorf("count invitations: %w", err)
	}
	if !t.Balanced() {
		return Totals{}, errors.New("count rows: the totals do not balance")
	}
	return t, nil
}

// rightsInBook counts the rights of the file that stand open in the book, each found by its place, level and person.
func rightsInBook(ctx context.Context, tx *store.Tx, work Import) (n int64, err error) {
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM legacy_rows r
		JOIN grants g ON g.id = CASE WHEN r.object_id = '' THEN r.fresh_id ELSE r.object_id END AND g.unit = r.unit AND g.team = r.team AND g.level = r.level
		JOIN persons p ON p.id = g.person_id AND p.citizen_index = r.citizen_index
		WHERE r.import_id = $1 AND r.kind = 'right' AND r.result IN ('new', 'same', 'changed') AND g.closed_at IS NULL`, work.ID).Scan(&n); err != nil {
		return 0, fmt.Errorf("count rights in book: %w", err)
	}
	return n, nil
}

// toInvite are the people of new rows (r, and p when the roll knows them) who can be reached, have no account, and were
// never invited before.
const toInvite = `r.import_id = $1 AND r.result = 'new' AND r.contact = TRUE
	AND (p.id IS NULL OR p.id NOT IN (SELECT person_id FROM accounts) AND p.id NOT IN (SELECT person_id FROM legacy_invitations))`

// hashResults is the hash over the result of every row. Rows are read one by one: nothing of them is held.
func hashResults(ctx context.Context, tx *store.Tx, id string) (string, error) {
	rows, err := tx.Query(ctx, `SELECT line, result, object_id, same_key, content FROM legacy_rows WHERE import_id = $1 ORDER BY line`, id)
	if err != nil {
		return "", fmt.Errorf("read results: %w", err)
	}
	defer rows.Close() // its error is the one rows.Err reports
	digest := sha256.New()
	for rows.Next() {
		var line int64
		var result, object, sameKey, content string
		if err := rows.Scan(&line, &result, &object, &sameKey, &content); err != nil {
			return "", fmt.Errorf("read results: %w", err)
		}
		fmt.Fprintf(digest, "%d %s %s %s %s\n", line, result, object, sameKey, content)
	}
	if err := rows.Err(); err != nil {
		return "", fmt.Errorf("read results: %w", err)
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// encodeArgs keeps the arguments of a message; they are texts, numbers, and names in both languages.
func encodeArgs(args map[string]any) string {
	if len(args) == 0 {
		return ""
	}
	text, err := json.Marshal(args)
	if err != nil {
		panic(fmt.Errorf("arguments of a message: %w", err)) // texts, numbers and names always can be written
	}
	return string(text)
}

func decodeArgs(text string) (map[string]any, error) {
	if text == "" {
		return nil, nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, fmt.Errorf("read arguments of a message: %w", err)
	}
	args := make(map[string]any, len(raw))
	for name, value := range raw {
		var name_ locale.Name
		var n int64
		var s string
		switch {
		case json.Unmarshal(value, &n) == nil:
			args[name] = n
		case json.Unmarshal(value, &s) == nil:
			args[name] = s
		default:
			if err := json.Unmarshal(value, &name_); err != nil {
				return nil, fmt.Errorf("read arguments of a message: %w", err)
			}
			args[name] = name_
		}
	}
	return args, nil
}

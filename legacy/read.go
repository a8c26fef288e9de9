package legacy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/person"
)

// mostImports is how many imports a list shows; an office has a handful.
const mostImports = 200

// Imports lists the imports, newest first, to central administrators and auditors; to others it is Denied.
func (d *Desk) Imports(ctx context.Context, by person.ID) (list []Import, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		if err := d.Book.RequireReader(ctx, tx, by); err != nil {
			return err
		}
		list, err = store.Rows(scanImport)(tx.Query(ctx, `SELECT `+importColumns+` FROM legacy_imports i WHERE i.state <> 'uploading'
			ORDER BY i.uploaded_at DESC, i.id DESC LIMIT `+strconv.Itoa(mostImports)))
		if err != nil {
			return fmt.Errorf("list imports: %w", err)
		}
		return nil
	})
	return list, err
}

// Sight is one import as a page shows it.
type Sight struct {
	Import
	Hands   []person.ID // who uploaded or corrected: they can not sign
	MaySign bool        // who looks may sign, were it checked
	WhyNot  Words       // why not
	// RestsUntil is when a checked import is cancelled unless somebody signs it or works on it.
	RestsUntil time.Time
	Reasons    []ReasonCount
	Commits    []Commit // every writing, the oldest first
	Names      map[person.ID]string
}

// ReasonCount is how many rows have a result for a reason.
type ReasonCount struct {
	Result Result
	Kind   Kind
	Reason string // message key; "" for new, same and changed rows
	Aside  bool   // set aside
	Lines  int64
}

// Commit is one writing of an import.
type Commit struct {
	Number   int64 // from 1
	SignedBy person.ID
	SignedAt time.Time
	At       time.Time
	Totals   Totals
}

// Import answers one import to central administrators and auditors; to others it is Denied.
func (d *Desk) Import(ctx context.Context, by person.ID, id string) (s Sight, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		s = Sight{}
		if err := d.Book.RequireReader(ctx, tx, by); err != nil {
			return err
		}
		if s.Import, err = findImport(ctx, tx, id); err != nil {
			return err
		}
		if s.State == Checked {
			since := s.CheckedAt
			if since.IsZero() { // the sweep has yet to note it
				since = tx.Now
			}
			s.RestsUntil = since.Add(d.Limits.Keep)
		}
		if s.Hands, err = store.Rows(func(row store.Row) (who person.ID, err error) { return who, row.Scan(&who) })(tx.Query(ctx,
			`SELECT person_id FROM legacy_hands WHERE import_id = $1 ORDER BY person_id`, id)); err != nil {
			return fmt.Errorf("list who worked on import: %w", err)
		}
		if s.MaySign, s.WhyNot, err = d.signable(ctx, tx, by, s.Import); err != nil {
			return err
		}
		if s.Reasons, err = store.Rows(func(row store.Row) (r ReasonCount, err error) {
			return r, row.Scan(&r.Result, &r.Kind, &r.Reason, &r.Aside, &r.Lines)
		})(tx.Query(ctx, `SELECT r.result, r.kind, `+shownReason+`, r.aside_by IS NOT NULL, count(*) FROM legacy_rows r WHERE r.import_id = $1
			GROUP BY 1, 2, 3, 4 ORDER BY 1, 5 DESC, 3, 2`, id)); err != nil {
			return fmt.Errorf("count reasons: %w", err)
		}
		s.Commits, err = commits(ctx, tx, id)
		return err
	})
	if err != nil {
		return Sight{}, err
	}
	ids := append([]person.ID{s.UploadedBy, s.SignedBy, s.ClosedBy}, s.Hands...)
	for _, c := range s.Commits {
		ids = append(ids, c.SignedBy)
	}
	s.Names, err = d.Book.Names(ctx, by, ids)
	return s, err
}

// signable reports whether who looks may sign; auditors may not.
func (d *Desk) signable(ctx context.Context, tx *store.Tx, by person.ID, i Import) (bool, Words, error) {
	err := d.Book.RequireAdministrator(ctx, tx, by)
	if errors.Is(err, problem.Denied) {
		return false, Words{Key: "appoint.denied_not_administrator"}, nil
	}
	if err != nil {
		return false, Words{}, err
	}
	why, err := d.maySign(ctx, tx, by, i)
	return why.Key == "" && err == nil, why, err
}

func commits(ctx context.Context, tx *store.Tx, id string) ([]Commit, error) {
	list, err := store.Rows(func(row store.Row) (c Commit, err error) {
		var totals string
		if err := row.Scan(&c.Number, &c.SignedBy, store.At(&c.SignedAt), store.At(&c.At), &totals); err != nil {
			return Commit{}, err
		}
		return c, json.Unmarshal([]byte(totals), &c.Totals)
	})(tx.Query(ctx, `SELECT number, signed_by, signed_at, at, totals FROM legacy_commits WHERE import_id = $1 ORDER BY number`, id))
	if err != nil {
		return nil, fmt.Errorf("list writings of import: %w", err)
	}
	return list, nil
}

// LineFilter says which rows of an import are asked for. Empty fields let all through.
type LineFilter struct {
	Result Result
	Kind   Kind
	Reason string // message key
	Unit   string
	Aside  bool  // only those set aside
	After  int64 // the line that the page before ended with
	Limit  int   // 50 when not positive, at most 500
}

// Lines lists rows of an import in the order of the file to central administrators and auditors, and the line after
// which the next page begins, 0 on the last one.
func (d *Desk) Lines(ctx context.Context, by person.ID, id string, f LineFilter) (list []Line, next int64, err error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	f.Limit = min(f.Limit, 500)
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		if err := d.Book.RequireReader(ctx, tx, by); err != nil {
			return err
		}
		if _, err := findImport(ctx, tx, id); err != nil {
			return err
		}
		text, args := f.query(id)
		list, err = store.Rows(d.scanLine(id))(tx.Query(ctx, text, args...))
		if err != nil {
			return fmt.Errorf("list rows of import: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	if len(list) > f.Limit {
		list = list[:f.Limit]
		next = list[len(list)-1].Line
	}
	return list, next, nil
}

// mostExported is how many rows of an import go into one file: beyond, a workbook would be spilled to the disk.
const mostExported = 20_000

// Export answers every row of a filter for a file in a format ("csv", "xlsx"), to those whom Lines answers. That they
// went out is recorded before they do, and so is a refusal. It fails with Invalid for more rows than one file takes.
func (d *Desk) Export(ctx context.Context, by person.ID, id string, f LineFilter, format string) (rows []Line, err error) {
	f.Limit, f.After = 500, 0
	var read error
	for {
		var list []Line
		if list, f.After, read = d.Lines(ctx, by, id, f); read != nil {
			break
		}
		if rows = append(rows, list...); len(rows) > mostExported {
			return nil, problem.New(problem.Invalid, "grant.export_too_many", "n", mostExported)
		}
		if f.After == 0 {
			break
		}
	}
	if read != nil && !errors.Is(read, problem.Denied) {
		return nil, read
	}
	act := &audit.Act{Name: "legacy.export", Actor: string(by), Object: id, Detail: map[string]string{"format": format, "rows": strconv.Itoa(len(rows))}}
	if err := audit.Do(ctx, d.DB, act, func(*store.Tx) error { return read }); err != nil {
		return nil, err
	}
	return rows, nil
}

// query is for one row more than the page holds.
func (f LineFilter) query(id string) (string, []any) {
	text := &strings.Builder{}
	args := []any{id, f.After}
	text.WriteString(`SELECT ` + lineColumns + ` FROM legacy_rows r WHERE r.import_id = $1 AND r.line > $2`)
	for _, c := range []struct{ column, value string }{
		{"r.result", string(f.Result)}, {"r.kind", string(f.Kind)}, {shownReason, f.Reason}, {"r.unit", f.Unit},
	} {
		if c.value != "" {
			args = append(args, c.value)
			text.WriteString(` AND ` + c.column + ` = $` + strconv.Itoa(len(args)))
		}
	}
	if f.Result == Changed || f.Result == Conflict || f.Result == Quarantined {
		text.WriteString(` AND r.result NOT IN ('new', 'same')`) // lets the engine see that the small index serves
	}
	if f.Aside {
		text.WriteString(` AND r.aside_by IS NOT NULL`)
	}
	text.WriteString(` ORDER BY r.line LIMIT ` + strconv.Itoa(f.Limit+1))
	return text.String(), args
}

// Line answers one row of an import to central administrators and auditors.
func (d *Desk) Line(ctx context.Context, by person.ID, id string, line int64) (l Line, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		if err := d.Book.RequireReader(ctx, tx, by); err != nil {
			return err
		}
		if _, err := findImport(ctx, tx, id); err != nil {
			return err
		}
		l, err = d.findLine(ctx, tx, id, line)
		return err
	})
	return l, err
}

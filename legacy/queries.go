package legacy

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/person"
)

const importColumns = `i.id, i.source, i.file_name, i.format, i.size, i.hash, i.state, i.version, i.uploaded_by, i.uploaded_at, i.signed_by, i.signed_at,
	i.committed_at, i.closed_by, i.closed_at, i.close_reason, i.fault, i.fault_args, i.read_bytes, i.lines, i.totals, i.results, i.ignored, i.staged, i.wiped_at, i.checked_at`

func scanImport(row store.Row) (i Import, err error) {
	var args, totals, ignored string
	var signedBy, closedBy string
	var wiped time.Time
	if err := row.Scan(&i.ID, &i.Source, &i.FileName, &i.Format, &i.Size, &i.Hash, &i.State, &i.Version, &i.UploadedBy, store.At(&i.UploadedAt),
		store.Null(&signedBy), store.At(&i.SignedAt), store.At(&i.CommittedAt), store.Null(&closedBy), store.At(&i.ClosedAt), &i.CloseReason,
		&i.Fault.Key, &args, &i.Read, &i.Lines, &totals, &i.results, &ignored, &i.staged, store.At(&wiped), store.At(&i.CheckedAt)); err != nil {
		return Import{}, err
	}
	i.SignedBy, i.ClosedBy, i.Total, i.Wiped = person.ID(signedBy), person.ID(closedBy), i.Size, !wiped.IsZero()
	if i.Fault.Args, err = decodeArgs(args); err != nil {
		return Import{}, err
	}
	if totals != "" {
		if err := json.Unmarshal([]byte(totals), &i.Totals); err != nil {
			return Import{}, fmt.Errorf("read totals of import: %w", err)
		}
	}
	if ignored != "" {
		i.Ignored = strings.Split(ignored, "\n")
	}
	return i, nil
}

func findImport(ctx context.Context, tx *store.Tx, id string) (Import, error) {
	i, err := scanImport(tx.QueryRow(ctx, `SELECT `+importColumns+` FROM legacy_imports i WHERE i.id = $1 AND i.state <> 'uploading'`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Import{}, problem.New(problem.NotFound, "legacy.import_unknown")
	}
	if err != nil {
		return Import{}, fmt.Errorf("find import: %w", err)
	}
	return i, nil
}

// shownReason is why a row has its result: what the comparison found, or what is wrong with it by itself.
const shownReason = `CASE WHEN r.reason = '' THEN r.fault ELSE r.reason END`

const lineColumns = `r.line, r.kind, r.row_id, r.result, ` + shownReason + `, CASE WHEN r.reason = '' THEN r.fault_args ELSE r.reason_args END, r.unit, r.team, r.level, r.acting, r.starts_at, r.ends_at,
	r.original_sealed, r.corrected_sealed, r.corrected_by, r.corrected_at, r.aside_by, r.aside_reason, CASE WHEN r.object_id = '' THEN r.fresh_id ELSE r.object_id END`

// scanLine reads a row of an import and opens what is sealed of it.
func (d *Desk) scanLine(id string) func(store.Row) (Line, error) {
	return func(row store.Row) (l Line, err error) {
		var args, corrected, aside string
		var originalSealed, correctedSealed []byte
		if err := row.Scan(&l.Line, &l.Kind, &l.RowID, &l.Result, &l.Reason.Key, &args, &l.Unit, &l.Team, &l.Level, &l.Acting, store.At(&l.From), store.At(&l.Until),
			&originalSealed, &correctedSealed, store.Null(&corrected), store.At(&l.CorrectedAt), store.Null(&aside), &l.AsideReason, &l.Object); err != nil {
			return Line{}, err
		}
		l.CorrectedBy, l.AsideBy = person.ID(corrected), person.ID(aside)
		if l.Reason.Args, err = decodeArgs(args); err != nil {
			return Line{}, err
		}
		if originalSealed == nil { // wiped
			return l, nil
		}
		o, err := d.openRow(rowPlace(id, l.Line), originalSealed)
		if err != nil {
			return Line{}, err
		}
		now := o
		if correctedSealed != nil {
			if now, err = d.openRow(correctedPlace(id, l.Line), correctedSealed); err != nil {
				return Line{}, err
			}
		}
		l.cells = now.cells()
		l.Citizen = d.citizen(l.cells[colCitizen])
		l.Original, l.Fields = d.shown(o), d.shown(now)
		return l, nil
	}
}

// shown are the cells of a row by the names of their columns. A good citizen ID is masked in its own column and in those
// that are shown to all; a bad one has to be seen to be mended.
func (d *Desk) shown(o original) map[string]string {
	fields := make(map[string]string, columnCount)
	cells := o.cells()
	for i, c := range Columns {
		fields[c.Name] = cells[i].text
	}
	for _, i := range toldColumns {
		fields[Columns[i].Name] = thai.MaskCitizenIDs(cells[i].text)
	}
	if id := d.citizen(cells[colCitizen]); !id.IsZero() {
		fields["citizen_id"] = id.Mask()
	}
	return fields
}

// citizen is the citizen ID of a cell, zero where there is no good one: what is wrong with it was told before.
func (d *Desk) citizen(c cell) thai.CitizenID {
	return reader{always: d.AnyCheckDigit}.citizen(c, new(problem.Check))
}

func (d *Desk) findLine(ctx context.Context, tx *store.Tx, id string, line int64) (Line, error) {
	l, err := d.scanLine(id)(tx.QueryRow(ctx, `SELECT `+lineColumns+` FROM legacy_rows r WHERE r.import_id = $1 AND r.line = $2`, id, line))
	if errors.Is(err, sql.ErrNoRows) {
		return Line{}, problem.New(problem.NotFound, "legacy.row_unknown")
	}
	if err != nil {
		return Line{}, fmt.Errorf("find row of import: %w", err)
	}
	return l, nil
}

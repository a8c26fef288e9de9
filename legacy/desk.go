package legacy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/person"
)

// Upload is what is said about a file.
type Upload struct {
	// Source is what the office calls the table of the old system. Together with kind and row id it is the key of a row:
	// files with the same source tell of the same rows.
	Source string
	// Name is what the file is called; its ending has to fit what is in it.
	Name string
}

const longestSource = 60

// Upload takes a file in as a stream and puts it in the queue for its dry run. It fails with Denied for anyone but
// central administrators, and with Invalid for what is no table, empty or too big (fields "source", "file").
func (d *Desk) Upload(ctx context.Context, by person.ID, u Upload, file io.Reader) (Import, error) {
	act := &audit.Act{Name: "legacy.upload", Actor: string(by)}
	id := store.NewID()
	var check problem.Check
	source, err := thai.CleanLine(u.Source, longestSource)
	switch {
	case err != nil:
		check.Fail("source", "legacy.source_long", "most", longestSource)
	case source == "":
		check.Fail("source", "legacy.source_empty")
	}
	person.CheckText(&check, "source", source)
	name, err := thai.CleanLine(filepath.Base(strings.ReplaceAll(u.Name, `\`, "/")), longestText)
	if err != nil || name == "" || name == "." {
		name = "file" + filepath.Ext(u.Name)
	}
	name = thai.MaskCitizenIDs(name) // nobody typed it
	ending := strings.ToLower(strings.TrimPrefix(filepath.Ext(name), "."))
	if ending != "xlsx" && ending != "csv" && ending != "txt" && ending != "tsv" {
		check.Fail("file", "legacy.file_form")
	}
	// Who may not is turned away before anything of the file is read.
	err = d.DB.Write(ctx, func(tx *store.Tx) error {
		if err := d.Book.RequireAdministrator(ctx, tx, by); err != nil {
			return err
		}
		if err := check.Err(); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO legacy_imports (id, source, file_name, state, uploaded_by, uploaded_at) VALUES ($1, $2, $3, 'uploading', $4, $5)`,
			id, thai.Fold(source), name, by, store.Us(tx.Now))
		return err
	})
	if errors.Is(err, problem.Denied) { // recorded as every refusal
		return Import{}, audit.Do(ctx, d.DB, act, func(*store.Tx) error { return err })
	}
	if err != nil {
		return Import{}, err
	}
	size, sum, err := d.keepFile(ctx, id, file)
	var format string
	if err == nil {
		format, err = d.tellFormat(ctx, id, size, ending)
	}
	if err != nil {
		return Import{}, errors.Join(err, d.discard(ctx, id))
	}
	var i Import
	err = audit.Do(ctx, d.DB, act, func(tx *store.Tx) error {
		if err := d.Book.RequireAdministrator(ctx, tx, by); err != nil {
			return err
		}
		act.Object = id
		act.Detail = map[string]string{"hash": sum, "size": strconv.FormatInt(size, 10), "format": format}
		act.Texts = map[string]string{"source": thai.Fold(source), "file": name}
		if _, err := tx.Exec(ctx, `UPDATE legacy_imports SET state = 'checking', format = $1, size = $2, hash = $3, uploaded_at = $4 WHERE id = $5`,
			format, size, sum, store.Us(tx.Now), id); err != nil {
			return err
		}
		if err := d.keepHand(ctx, tx, id, by); err != nil {
			return err
		}
		d.poke(tx)
		i, err = findImport(ctx, tx, id)
		return err
	})
	if err != nil {
		return Import{}, errors.Join(err, d.discard(ctx, id))
	}
	return i, nil
}

// tellFormat holds what a file is against what its name says.
func (d *Desk) tellFormat(ctx context.Context, id string, size int64, ending string) (string, error) {
	file := d.openFile(ctx, id, size)
	format, err := formatOf(file, size)
	if err == nil && (format == formatXLSX) != (ending == "xlsx") {
		err = unreadable("legacy.file_ending")
	}
	if err == nil && format == formatXLSX { // a zip that is no workbook is told at once
		var t table
		if t, err = openXLSX(file, size, d.Limits.Unzipped); err == nil {
			err = t.close()
		}
	}
	var p *problem.Problem
	if errors.As(err, &p) && p.Kind == problem.Invalid {
		return "", badFile(p.Key, argList(p.Args)...)
	}
	return format, err
}

func argList(args map[string]any) (list []any) {
	for name, value := range args {
		list = append(list, name, value)
	}
	return list
}

// discard takes away what was kept of a file that came to nothing.
func (d *Desk) discard(ctx context.Context, id string) error {
	ctx = context.WithoutCancel(ctx) // whoever sent it may have hung up
	return d.DB.Write(ctx, func(tx *store.Tx) error {
		for _, text := range []string{`DELETE FROM legacy_hands WHERE import_id = $1`, `DELETE FROM legacy_files WHERE import_id = $1`, `DELETE FROM legacy_imports WHERE id = $1`} {
			if _, err := tx.Exec(ctx, text, id); err != nil {
				return fmt.Errorf("discard file: %w", err)
			}
		}
		return nil
	})
}

// keepHand notes that somebody put work into an import, and so can not sign it.
func (d *Desk) keepHand(ctx context.Context, tx *store.Tx, id string, by person.ID) error {
	if _, err := tx.Exec(ctx, `INSERT INTO legacy_hands (import_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, id, by); err != nil {
		return fmt.Errorf("note who worked on import: %w", err)
	}
	return nil
}

// act runs an act of a central administrator on one import. For anyone else it is Denied, whether there is such an
// import or not.
func (d *Desk) act(ctx context.Context, act *audit.Act, f func(tx *store.Tx, i Import) error) (i Import, err error) {
	err = audit.Do(ctx, d.DB, act, func(tx *store.Tx) error {
		if err := d.Book.RequireAdministrator(ctx, tx, person.ID(act.Actor)); err != nil {
			return err
		}
		i, err = findImport(ctx, tx, act.Object)
		if err != nil {
			return err
		}
		act.Detail = map[string]string{}
		if err := f(tx, i); err != nil {
			return err
		}
		i, err = findImport(ctx, tx, act.Object)
		return err
	})
	if err != nil {
		return Import{}, err
	}
	return i, nil
}

// move changes an import that is still as it was read, and fails with Conflict otherwise.
func (d *Desk) move(ctx context.Context, tx *store.Tx, i Import, set string, args ...any) error {
	n := len(args)
	rows, err := tx.Exec(ctx, `UPDATE legacy_imports SET `+set+`, version = version + 1 WHERE id = $`+strconv.Itoa(n+1)+` AND version = $`+strconv.Itoa(n+2),
		append(args, i.ID, i.Version)...)
	if err != nil {
		return fmt.Errorf("change import: %w", err)
	}
	if rows == 0 {
		return changedMeanwhile()
	}
	return nil
}

func changedMeanwhile() error { return problem.New(problem.Conflict, "legacy.import_changed") }

// Cancel ends an import that nobody has signed, with a reason; what was written of it before stays. A dry run that is
// under way stops. It fails with Conflict when the import has moved on since the version that was seen, but for a dry run
// of what was never written: others may work on its rows meanwhile.
func (d *Desk) Cancel(ctx context.Context, by person.ID, id string, version int64, reason string) error {
	act := &audit.Act{Name: "legacy.cancel", Actor: string(by), Object: id}
	_, err := d.act(ctx, act, func(tx *store.Tx, i Import) error {
		moved := i.Version != version && (i.State != Checking || !i.CommittedAt.IsZero())
		if moved || !slices.Contains([]State{Checking, Checked, Failed}, i.State) {
			return changedMeanwhile()
		}
		if err := needReason(reason); err != nil {
			return err
		}
		act.Texts = map[string]string{"reason": reason}
		return d.move(ctx, tx, i, `state = 'cancelled', closed_by = $1, closed_at = $2, close_reason = $3, leased_until = 0`, by, store.Us(tx.Now), reason)
	})
	return err
}

func needReason(reason string) error {
	var check problem.Check
	if thai.Fold(reason) == "" {
		check.Fail("reason", "grant.reason_missing")
	}
	person.CheckText(&check, "reason", reason)
	return check.Err()
}

// Recheck holds the rows against each other and the book once more, after units or groups were mended. Quarantined rows
// are read anew. It fails with Conflict while the import is not at rest.
func (d *Desk) Recheck(ctx context.Context, by person.ID, id string) error {
	act := &audit.Act{Name: "legacy.recheck", Actor: string(by), Object: id}
	_, err := d.act(ctx, act, func(tx *store.Tx, i Import) error {
		if !i.open() {
			return changedMeanwhile()
		}
		return d.again(ctx, tx, i)
	})
	return err
}

// open reports whether the rows of an import can be worked on.
func (i Import) open() bool {
	return (i.State == Checked || i.State == Committed) && !i.Wiped
}

// again puts an import back into the queue for its dry run; its file is not read again.
func (d *Desk) again(ctx context.Context, tx *store.Tx, i Import) error {
	d.poke(tx)
	return d.move(ctx, tx, i, `state = 'checking', leased_until = 0, signed_by = NULL, signed_at = NULL, fault = '', fault_args = ''`)
}

// Sign is the word of a second person that the dry run is what should be written; the writing follows within moments,
// all of it or nothing. Nobody signs what he uploaded or corrected (Denied, and the database refuses it too), nor an
// import with rights of his own. It fails with Conflict when the import has moved on since the version that was seen, or
// has nothing to write.
func (d *Desk) Sign(ctx context.Context, by person.ID, id string, version int64) (Import, error) {
	act := &audit.Act{Name: "legacy.sign", Actor: string(by), Object: id}
	return d.act(ctx, act, func(tx *store.Tx, i Import) error {
		why, err := d.maySign(ctx, tx, by, i)
		if err != nil {
			return err
		}
		if why.Key != "" {
			return problem.New(problem.Denied, why.Key)
		}
		if i.State != Checked || i.Version != version {
			return changedMeanwhile()
		}
		if i.Totals.New+i.Totals.Changed == 0 {
			return problem.New(problem.Conflict, "legacy.nothing_to_write")
		}
		act.Detail = i.Totals.facts()
		act.Detail["hash"], act.Detail["results"] = i.Hash, i.results
		d.poke(tx)
		return d.move(ctx, tx, i, `state = 'signed', signed_by = $1, signed_at = $2, leased_until = 0, fault = '', fault_args = ''`, by, store.Us(tx.Now))
	})
}

// maySign answers why a person can not sign an import; no words when he can.
func (d *Desk) maySign(ctx context.Context, tx *store.Tx, by person.ID, i Import) (Words, error) {
	var hands, own int
	if err := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM legacy_hands WHERE import_id = $1 AND person_id = $2),
		(SELECT count(*) FROM legacy_rows r JOIN persons p ON p.citizen_index = r.citizen_index
			WHERE r.import_id = $1 AND p.id = $2 AND r.kind IN ('head', 'right') AND r.result IN ('new', 'changed'))`, i.ID, by).Scan(&hands, &own); err != nil {
		return Words{}, fmt.Errorf("find who worked on import: %w", err)
	}
	switch {
	case hands > 0:
		return Words{Key: "legacy.denied_own_work"}, nil
	case own > 0:
		return Words{Key: "legacy.denied_own_rows"}, nil
	}
	return Words{}, nil
}

// facts are what the log seals of totals.
func (t Totals) facts() map[string]string {
	facts := map[string]string{}
	for name, n := range map[string]int64{"rows": t.Read, "new": t.New, "same": t.Same, "changed": t.Changed, "conflict": t.Conflict,
		"quarantined": t.Quarantined, "aside": t.Aside, "rights_in_file": t.RightsInFile, "rights_in_book": t.RightsInBook, "invited": t.Invited} {
		facts[name] = strconv.FormatInt(n, 10)
	}
	return facts
}

// onRow runs an act on one quarantined row, after which the import is checked again.
func (d *Desk) onRow(ctx context.Context, act *audit.Act, line int64, f func(tx *store.Tx, l Line) error) error {
	_, err := d.act(ctx, act, func(tx *store.Tx, i Import) error {
		// While the dry run goes on the next row can be worked on; only the reading of the file is not disturbed.
		if !i.open() && (i.State != Checking || !i.staged || i.Wiped) {
			return changedMeanwhile()
		}
		l, err := d.findLine(ctx, tx, i.ID, line)
		if err != nil {
			return err
		}
		if l.Result != Quarantined {
			return problem.New(problem.Conflict, "legacy.row_not_quarantined")
		}
		act.Detail["line"] = strconv.FormatInt(line, 10)
		if err := f(tx, l); err != nil {
			return err
		}
		if err := d.keepHand(ctx, tx, i.ID, person.ID(act.Actor)); err != nil {
			return err
		}
		return d.again(ctx, tx, i)
	})
	return err
}

// Correct gives a quarantined row other fields, by the names of the columns; those not named stay as they are. The row as
// the file has it is kept beside. As long as the row is still wrong by itself it fails with Invalid, field by field. Then
// the import is checked again.
func (d *Desk) Correct(ctx context.Context, by person.ID, id string, line int64, fields map[string]string) error {
	act := &audit.Act{Name: "legacy.correct", Actor: string(by), Object: id}
	return d.onRow(ctx, act, line, func(tx *store.Tx, l Line) error {
		var cells [columnCount]cell
		var changed []string
		for i, c := range Columns {
			text, given := fields[c.Name]
			// What was shown comes back as it was shown: a good citizen ID masked. In its own column that is the ID as it
			// was; in others it has no place, and the mask takes it.
			same := text == l.Fields[c.Name] && (i == colCitizen || text == l.cells[i].text)
			if cells[i] = l.cells[i]; given && !same {
				cells[i] = cell{text: cut(strings.ToValidUTF8(text, ""))}
				changed = append(changed, c.Name)
			}
		}
		r, err := d.reader(ctx, tx, hasKind(cells[colKind].text, l.Kind))
		if err != nil {
			return err
		}
		var check problem.Check
		r.read(cells, &check)
		if err := check.Err(); err != nil {
			return err
		}
		sealed, err := d.sealRow(correctedPlace(id, line), cells)
		if err != nil {
			return err
		}
		act.Detail["fields"] = strings.Join(changed, " ")
		if _, err := tx.Exec(ctx, `UPDATE legacy_rows SET corrected_sealed = $1, corrected_by = $2, corrected_at = $3, aside_by = NULL, aside_reason = ''
			WHERE import_id = $4 AND line = $5`, sealed, by, store.Us(tx.Now), id, line); err != nil {
			return fmt.Errorf("correct row: %w", err)
		}
		return d.keepReading(ctx, tx, id, line, r, cells)
	})
}

// SetAside says of a quarantined row that it is not to be brought in, and why. It takes no further part: another row of
// which it was the repetition may now be good.
func (d *Desk) SetAside(ctx context.Context, by person.ID, id string, line int64, reason string) error {
	act := &audit.Act{Name: "legacy.set_aside", Actor: string(by), Object: id}
	return d.onRow(ctx, act, line, func(tx *store.Tx, _ Line) error {
		if err := needReason(reason); err != nil {
			return err
		}
		act.Texts = map[string]string{"reason": reason}
		return d.aside(ctx, tx, id, line, by, reason)
	})
}

// TakeBack lets a row that was set aside take part again.
func (d *Desk) TakeBack(ctx context.Context, by person.ID, id string, line int64) error {
	act := &audit.Act{Name: "legacy.take_back", Actor: string(by), Object: id}
	return d.onRow(ctx, act, line, func(tx *store.Tx, _ Line) error {
		return d.aside(ctx, tx, id, line, "", "")
	})
}

func (d *Desk) aside(ctx context.Context, tx *store.Tx, id string, line int64, by person.ID, reason string) error {
	if _, err := tx.Exec(ctx, `UPDATE legacy_rows SET aside_by = $1, aside_reason = $2 WHERE import_id = $3 AND line = $4`,
		store.Text(string(by)), reason, id, line); err != nil {
		return fmt.Errorf("set row aside: %w", err)
	}
	return nil
}

package legacy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sitthi/audit"
	"sitthi/internal/store"
)

// unfinished is how long an upload may take; one that is older was cut off.
const unfinished = time.Hour

// Sweep removes what is no longer needed: uploads that were cut off; imports that nobody has signed or worked on for
// Limits.Keep, which it cancels; and of imports that have been over for as long the file, the cells of its rows and what it
// said about people who are still unknown. Where each right comes from stays. It answers how many imports it swept.
func (d *Desk) Sweep(ctx context.Context) (swept int64, err error) {
	var cutOff, left, over []string
	err = d.DB.Write(ctx, func(tx *store.Tx) (err error) {
		// Where it is not known since when an import waits, it waits from now.
		if _, err := tx.Exec(ctx, `UPDATE legacy_imports SET checked_at = $1 WHERE state = 'checked' AND checked_at IS NULL`, store.Us(tx.Now)); err != nil {
			return err
		}
		id := func(row store.Row) (id string, err error) { return id, row.Scan(&id) }
		kept := store.Us(tx.Now.Add(-d.Limits.Keep))
		if cutOff, err = store.Rows(id)(tx.Query(ctx, `SELECT id FROM legacy_imports WHERE wiped_at IS NULL AND state = 'uploading' AND uploaded_at < $1`,
			store.Us(tx.Now.Add(-unfinished)))); err != nil {
			return err
		}
		if left, err = store.Rows(id)(tx.Query(ctx, `SELECT id FROM legacy_imports WHERE `+leftAlone, kept)); err != nil {
			return err
		}
		over, err = store.Rows(id)(tx.Query(ctx, `SELECT id FROM legacy_imports WHERE wiped_at IS NULL AND (
			state = 'committed' AND committed_at < $1 OR state = 'cancelled' AND closed_at < $1 OR state = 'failed' AND uploaded_at < $1)`, kept))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find imports to sweep: %w", err)
	}
	for _, one := range []struct {
		ids   []string
		sweep func(context.Context, string) error
	}{{cutOff, d.discard}, {left, d.expire}, {over, d.wipe}} {
		for _, id := range one.ids {
			if err := one.sweep(ctx, id); err != nil {
				return swept, err
			}
			swept++
		}
	}
	return swept, nil
}

// leftAlone are the imports that wait for a signature and that nobody has worked on since a moment.
const leftAlone = `wiped_at IS NULL AND state = 'checked' AND checked_at < $1`

// errTaken undoes the expiry of an import that somebody has turned to meanwhile.
var errTaken = errors.New("somebody works on the import")

// expire cancels an import that was left alone, in the name of the program, and wipes it at once: what it says about
// people was kept for a signature that did not come.
func (d *Desk) expire(ctx context.Context, id string) error {
	act := &audit.Act{Name: "legacy.expire", Actor: audit.System, Object: id}
	err := audit.Do(ctx, d.DB, act, func(tx *store.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE legacy_imports SET state = 'cancelled', closed_by = $2, closed_at = $3, version = version + 1
			WHERE id = $4 AND `+leftAlone, store.Us(tx.Now.Add(-d.Limits.Keep)), audit.System, store.Us(tx.Now), id)
		switch {
		case err != nil:
			return fmt.Errorf("cancel import: %w", err)
		case n == 0:
			return errTaken
		}
		// New and changed rows of an import at rest are not in the book: no head compares anybody with them.
		if _, err := tx.Exec(ctx, `UPDATE legacy_rows SET facts_sealed = NULL WHERE import_id = $1 AND result IN ('new', 'changed')`, id); err != nil {
			return fmt.Errorf("wipe import: %w", err)
		}
		return d.wipeIn(ctx, tx, id)
	})
	if errors.Is(err, errTaken) {
		return nil
	}
	return err
}

func (d *Desk) wipe(ctx context.Context, id string) error {
	return d.DB.Write(ctx, func(tx *store.Tx) error { return d.wipeIn(ctx, tx, id) })
}

func (d *Desk) wipeIn(ctx context.Context, tx *store.Tx, id string) error {
	for _, text := range []string{
		`DELETE FROM legacy_files WHERE import_id = $1`,
		`UPDATE legacy_rows SET original_sealed = NULL, corrected_sealed = NULL, citizen_sealed = NULL, note = '' WHERE import_id = $1`,
		// A head may have yet to compare those who were brought in.
		`UPDATE legacy_rows SET facts_sealed = NULL WHERE import_id = $1 AND (result IN ('conflict', 'quarantined')
			OR import_id IN (SELECT id FROM legacy_imports WHERE committed_at IS NULL))`,
	} {
		if _, err := tx.Exec(ctx, text, id); err != nil {
			return fmt.Errorf("wipe import: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE legacy_imports SET wiped_at = $1, version = version + 1 WHERE id = $2`, store.Us(tx.Now), id); err != nil {
		return fmt.Errorf("wipe import: %w", err)
	}
	return nil
}

package rekey

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sitthi/audit"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/person"
)

// Reindexer makes blind indexes anew within the one transaction in which all are: from the old ring's key to the new
// ring's. done is told how many values it went through. It does nothing but the transaction, and may run again.
type Reindexer func(ctx context.Context, tx *store.Tx, old, new *seal.Ring, done func(values int)) error

// Citizens makes a column anew that holds the blind indexes of citizen IDs. Those of people who are not on the roll can
// not be made anew; they are emptied. It goes before the roll itself.
func Citizens(table, column string) Reindexer {
	return func(ctx context.Context, tx *store.Tx, old, new *seal.Ring, done func(int)) error {
		type row struct {
			index  string
			id     person.ID
			sealed []byte
		}
		was, is := person.NewRoll(old), person.NewRoll(new)
		if _, err := tx.Exec(ctx, fmt.Sprintf(`UPDATE %[1]s SET %[2]s = '' WHERE %[2]s <> ''
			AND NOT EXISTS (SELECT 1 FROM persons p WHERE p.citizen_index = %[1]s.%[2]s)`, table, column)); err != nil {
			return fmt.Errorf("index %s.%s: %w", table, column, err)
		}
		rows, err := store.Rows(func(r store.Row) (v row, err error) { return v, r.Scan(&v.index, &v.id, &v.sealed) })(tx.Query(ctx, fmt.Sprintf(
			`SELECT DISTINCT t.%[2]s, p.id, p.citizen_sealed FROM %[1]s t JOIN persons p ON p.citizen_index = t.%[2]s`, table, column)))
		if err != nil {
			return fmt.Errorf("index %s.%s: %w", table, column, err)
		}
		for _, v := range rows {
			citizen, err := was.Open(v.id, v.sealed)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, fmt.Sprintf(`UPDATE %s SET %[2]s = $1 WHERE %[2]s = $2`, table, column), is.Index(citizen), v.index); err != nil {
				return fmt.Errorf("index %s.%s: %w", table, column, err)
			}
		}
		done(len(rows))
		return nil
	}
}

// Empty forgets indexes that can not be made anew: nothing is found by them any more.
func Empty(table string, columns ...string) Reindexer {
	return func(ctx context.Context, tx *store.Tx, _, _ *seal.Ring, _ func(int)) error {
		if _, err := tx.Exec(ctx, fmt.Sprintf(`UPDATE %s SET %s = ''`, table, strings.Join(columns, " = '', "))); err != nil {
			return fmt.Errorf("empty indexes of %s: %w", table, err)
		}
		return nil
	}
}

// Delete removes what lives for a day at most and can not be indexed anew: codes, limits, forms under way.
func Delete(tables ...string) Reindexer {
	return func(ctx context.Context, tx *store.Tx, _, _ *seal.Ring, _ func(int)) error {
		for _, table := range tables {
			if _, err := tx.Exec(ctx, `DELETE FROM `+table); err != nil {
				return fmt.Errorf("empty %s: %w", table, err)
			}
		}
		return nil
	}
}

// Reindex changes the blind-index key: all indexes are made anew with a new one in one transaction, so that either all
// are or none. No other program may use the database meanwhile. It can be begun again after it was broken off. The old
// key stays in the key file, for backups of before, until it is retired.
func (d *Desk) Reindex(ctx context.Context, all []Reindexer, done func(values int)) (version int, err error) {
	used := d.Ring.InUse(seal.Index)
	for _, k := range d.Ring.Keys() {
		if k.Kind == seal.Index && k.Version > used {
			version = k.Version // an attempt that was broken off made it
		}
	}
	if version == 0 {
		if version, err = seal.Add(d.Ring.Path(), seal.Index); err != nil {
			return 0, err
		}
	}
	next, err := d.Ring.Reread()
	if err != nil {
		return 0, err
	}
	if next != nil {
		d.Ring.Become(next)
	}
	fresh, ok := d.Ring.Indexing(version)
	if !ok {
		return 0, fmt.Errorf("%s is not in %s", name(seal.Index, version), d.Ring.Path())
	}
	act := audit.Act{Name: "keys.reindex", Actor: audit.Terminal, Detail: detail(seal.Index, version)}
	err = audit.Do(ctx, d.DB, &act, func(tx *store.Tx) error {
		for _, reindex := range all {
			if err := reindex(ctx, tx, d.Ring, fresh, done); err != nil {
				return err
			}
		}
		n, err := tx.Exec(ctx, `UPDATE installation SET value = $1 WHERE name = $2 AND value = $3`, IndexOf(fresh), IndexMark, IndexOf(d.Ring))
		if err == nil && n != 1 {
			err = errors.New("the database was indexed with another key")
		}
		if err != nil {
			return fmt.Errorf("note index key: %w", err)
		}
		if _, err := tx.Exec(ctx, `UPDATE seal_keys SET retired_at = $1 WHERE kind = $2 AND retired_at IS NULL`, store.Us(tx.Now), string(seal.Index)); err != nil {
			return fmt.Errorf("note index key: %w", err)
		}
		return Register(ctx, tx, fresh)
	})
	if err != nil {
		return 0, fmt.Errorf("index anew: %w", err)
	}
	d.Ring.Become(fresh)
	return version, nil
}

package person

import (
	"context"
	"fmt"

	"sitthi/internal/seal"
	"sitthi/internal/store"
)

// reindexed is how many persons are indexed anew at a time.
const reindexed = 500

// Reindex makes the blind index of everyone on the roll anew, with the key that the new ring has in use.
func Reindex(ctx context.Context, tx *store.Tx, old, new *seal.Ring, done func(persons int)) error {
	type row struct {
		id     ID
		sealed []byte
	}
	was, is := NewRoll(old), NewRoll(new)
	for last := ID(""); ; {
		rows, err := store.Rows(func(r store.Row) (v row, err error) { return v, r.Scan(&v.id, &v.sealed) })(tx.Query(ctx,
			`SELECT id, citizen_sealed FROM persons WHERE id > $1 ORDER BY id LIMIT $2`, last, reindexed))
		if err != nil {
			return fmt.Errorf("index persons: %w", err)
		}
		for _, v := range rows {
			citizen, err := was.Open(v.id, v.sealed)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `UPDATE persons SET citizen_index = $1 WHERE id = $2`, is.Index(citizen), v.id); err != nil {
				return fmt.Errorf("index persons: %w", err)
			}
			last = v.id
		}
		done(len(rows))
		if len(rows) < reindexed {
			return nil
		}
	}
}

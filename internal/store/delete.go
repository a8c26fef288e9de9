package store

import (
	"context"
	"fmt"
	"time"
)

// deleteBatch is how many rows one transaction of Delete takes away.
const deleteBatch = 500

// Old names rows that are no longer kept.
type Old struct {
	Table string
	// Key are the columns of the table's primary key, with commas between.
	Key string
	// Where is the condition; $1 in it is Before.
	Where  string
	Before time.Time
}

// Delete deletes rows that are no longer kept and answers how many there were. Each transaction deletes a few hundred:
// however much has gathered, nobody who writes meanwhile waits for all of it.
func (db *DB) Delete(ctx context.Context, old ...Old) (gone int64, err error) {
	for _, o := range old {
		query := fmt.Sprintf(`DELETE FROM %[1]s WHERE (%[2]s) IN (SELECT %[2]s FROM %[1]s WHERE %[3]s LIMIT %[4]d)`, o.Table, o.Key, o.Where, deleteBatch)
		for n := int64(deleteBatch); n == deleteBatch; gone += n {
			err := db.Write(ctx, func(tx *Tx) (err error) {
				n, err = tx.Exec(ctx, query, Us(o.Before))
				return err
			})
			if err != nil {
				return gone, fmt.Errorf("delete what is old of %s: %w", o.Table, err)
			}
		}
	}
	return gone, nil
}

package audit

import (
	"context"
	"fmt"
	"time"

	"sitthi/internal/store"
)

// erased is how many entries lose their texts in one transaction.
const erased = 500

// EraseTexts erases what people wrote, and the addresses they came from, in entries of before a moment, and answers how
// many texts went. The entries stay, with their places and hashes, and the log verifies as before; with the salt goes
// the last way of guessing at a text.
func EraseTexts(ctx context.Context, db *store.DB, before time.Time) (gone int64, err error) {
	for {
		var ids []any
		err := db.Read(ctx, func(tx *store.Tx) (err error) {
			ids, err = store.Rows(func(r store.Row) (id any, err error) { return id, r.Scan(&id) })(tx.Query(ctx, `SELECT e.id FROM audit_entries e
				WHERE e.at < $1 AND EXISTS (SELECT 1 FROM audit_texts t WHERE t.entry_id = e.id AND t.text IS NOT NULL)
					AND NOT EXISTS (SELECT 1 FROM audit_waiting w WHERE w.entry_id = e.id)
				ORDER BY e.at, e.id LIMIT $2`, store.Us(before), erased))
			return err
		})
		if err != nil {
			return gone, fmt.Errorf("erase texts of the log: %w", err)
		}
		if len(ids) == 0 {
			return gone, nil
		}
		var n int64
		err = db.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.Exec(ctx, `UPDATE audit_texts SET text = NULL, salt = '' WHERE text IS NOT NULL AND entry_id IN `+tuples(1, len(ids)), ids...)
			return err
		})
		if err != nil {
			return gone, fmt.Errorf("erase texts of the log: %w", err)
		}
		gone += n
	}
}

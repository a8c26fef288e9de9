package audit

import (
	"context"
	"fmt"
	"time"

	"sitthi/internal/store"
)

// lease reports whether the holder is the one that does this work now, and if so keeps it that way for a while.
func lease(ctx context.Context, tx *store.Tx, work, holder string, while time.Duration) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE leases.holder = excluded.holder OR leases.until <= $4`,
		work, holder, store.Us(tx.Now.Add(while)), store.Us(tx.Now))
	if err != nil {
		return false, fmt.Errorf("lease %s: %w", work, err)
	}
	return n == 1, nil
}

// release lets another do the work at once.
func release(ctx context.Context, tx *store.Tx, work, holder string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM leases WHERE name = $1 AND holder = $2", work, holder); err != nil {
		return fmt.Errorf("release %s: %w", work, err)
	}
	return nil
}

package officer

import (
	"context"
	"fmt"

	"sitthi/internal/store"
	"sitthi/proof"
)

// Peppered counts the passwords that were hashed with a version of the pepper.
func Peppered(ctx context.Context, tx *store.Tx, version int) (n int64, err error) {
	like, unlike := proof.PepperedWith(version)
	err = tx.QueryRow(ctx, `SELECT count(*) FROM accounts WHERE password_hash LIKE $1 AND password_hash NOT LIKE $2`, like, unlike).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count passwords: %w", err)
	}
	return n, nil
}

package signin

import (
	"context"
	"fmt"

	"sitthi/internal/store"
	"sitthi/person"
)

func scanPasskey(row interface{ Scan(...any) error }) (p Passkey, err error) {
	err = row.Scan(&p.ID, &p.Name, store.At(&p.CreatedAt), store.At(&p.UsedAt))
	return p, err
}

func selectPasskeys(ctx context.Context, tx *store.Tx, who person.ID) ([]Passkey, error) {
	list, err := store.Rows(scanPasskey)(tx.Query(ctx, `SELECT id, name, created_at, used_at FROM passkeys
		WHERE person_id = $1 ORDER BY created_at, id`, who))
	if err != nil {
		return nil, fmt.Errorf("list passkeys: %w", err)
	}
	return list, nil
}

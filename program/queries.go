package program

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sitthi/agency"
	"sitthi/internal/problem"
	"sitthi/internal/store"
)

const columns = `id, name, units, actions, ends_at, created_by, created_at, used_at, revoked_by, revoked_at, revoke_reason`

func scan(row store.Row) (p Program, err error) {
	var units, actions string
	err = row.Scan(&p.ID, &p.Name, &units, &actions, store.At(&p.Until), &p.CreatedBy, store.At(&p.CreatedAt), store.At(&p.UsedAt),
		store.Null(&p.RevokedBy), store.At(&p.RevokedAt), &p.RevokeReason)
	p.Scope.AllUnits, p.Scope.Units = unlisted(units)
	p.Scope.AllActions, p.Scope.Actions = unlisted(actions)
	return p, err
}

func all(ctx context.Context, tx *store.Tx) ([]Program, error) {
	list, err := store.Rows(scan)(tx.Query(ctx, `SELECT `+columns+` FROM programs ORDER BY created_at DESC, id DESC`))
	if err != nil {
		return nil, fmt.Errorf("list programs: %w", err)
	}
	return list, nil
}

func find(ctx context.Context, tx *store.Tx, id string) (Program, error) {
	p, err := scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM programs WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Program{}, problem.New(problem.NotFound, "program.problem.unknown")
	}
	if err != nil {
		return Program{}, fmt.Errorf("find program: %w", err)
	}
	return p, nil
}

// installed reports whether a token of the hash may be used.
func installed(ctx context.Context, tx *store.Tx, hash string) (there bool, err error) {
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM programs WHERE token_hash = $1 AND revoked_at IS NULL)`, hash).Scan(&there)
	if err != nil {
		return false, fmt.Errorf("find token: %w", err)
	}
	return there, nil
}

func insert(ctx context.Context, tx *store.Tx, p Program, hash string) error {
	_, err := tx.Exec(ctx, `INSERT INTO programs (id, name, token_hash, units, actions, ends_at, created_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.ID, p.Name, hash, p.Scope.units(), p.Scope.actions(), store.Us(p.Until), p.CreatedBy, store.Us(p.CreatedAt))
	if err != nil {
		return fmt.Errorf("add program: %w", err)
	}
	return nil
}

func revoke(ctx context.Context, tx *store.Tx, id, by, reason string) error {
	_, err := tx.Exec(ctx, `UPDATE programs SET revoked_by = $2, revoked_at = $3, revoke_reason = $4 WHERE id = $1`,
		id, by, store.Us(tx.Now), reason)
	if err != nil {
		return fmt.Errorf("revoke program: %w", err)
	}
	return nil
}

// unitsKnown adds the units that do not exist to the faults of an order.
func unitsKnown(ctx context.Context, tx *store.Tx, units []string, faults error) error {
	var c problem.Check
	if err := c.Merge(faults); err != nil {
		return err
	}
	for _, code := range units {
		_, err := agency.Find(ctx, tx, code)
		switch {
		case errors.Is(err, problem.NotFound):
			c.Fail("units", "program.problem.unit", "code", code)
		case err != nil:
			return err
		}
	}
	return c.Err()
}

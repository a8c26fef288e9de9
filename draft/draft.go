// Package draft keeps what a person has filled in, sealed and for a day, so that she finds it again at an address of its own.
package draft

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/person"
)

// Life is how long a draft is kept: a form that was left in the evening is still there in the morning.
const Life = 24 * time.Hour

// Most is how many drafts are kept of one person; the oldest makes room for the next.
const Most = 20

// Desk keeps drafts. It is safe for concurrent use.
type Desk struct {
	DB   *store.DB
	Ring *seal.Ring
}

// place binds a sealed draft to its row and its owner.
func place(id string, owner person.ID) string { return places + "/" + id + "/" + string(owner) }

// places is where drafts are sealed for.
const places = "draft"

// Sealed is what this package seals, for whoever seals it anew.
var Sealed = []seal.Field{{Table: "drafts", Column: "sealed", Key: []string{"id"}, Place: places, Of: []string{"id", "owner"}}}

// Keep seals what marshals to JSON for its owner, and answers the id under which she, and nobody else, finds it.
func (d *Desk) Keep(ctx context.Context, owner person.ID, content any) (id string, err error) {
	plain, err := json.Marshal(content)
	if err != nil {
		return "", fmt.Errorf("keep draft: %w", err)
	}
	id = store.NewID()
	sealed := d.Ring.Seal(place(id, owner), plain)
	err = d.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM drafts WHERE owner = $1 AND id NOT IN (
			SELECT id FROM drafts WHERE owner = $1 ORDER BY kept_at DESC, id DESC LIMIT $2)`, owner, Most-1); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO drafts (id, owner, sealed, kept_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
			id, owner, sealed, store.Us(tx.Now), store.Us(tx.Now.Add(Life)))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("keep draft: %w", err)
	}
	return id, nil
}

// Find reads a draft into content. It fails with NotFound for one that is over, never was, or is somebody else's: the
// same answer.
func (d *Desk) Find(ctx context.Context, owner person.ID, id string, content any) error {
	var sealed []byte
	err := d.DB.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT sealed FROM drafts WHERE id = $1 AND owner = $2 AND expires_at > $3`, id, owner, store.Us(tx.Now)).Scan(&sealed)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return problem.New(problem.NotFound, "draft.not_found")
	}
	if err != nil {
		return fmt.Errorf("find draft: %w", err)
	}
	plain, err := d.Ring.Open(place(id, owner), sealed)
	if err != nil {
		return fmt.Errorf("open draft: %w", err)
	}
	if err := json.Unmarshal(plain, content); err != nil {
		return fmt.Errorf("read draft: %w", err)
	}
	return nil
}

// Sweep deletes the drafts that are over, and answers how many.
func (d *Desk) Sweep(ctx context.Context) (n int64, err error) {
	return d.DB.Delete(ctx, store.Old{Table: "drafts", Key: "id", Where: "expires_at <= $1", Before: d.DB.Now()})
}

package main

import (
	"context"
	"errors"
	"fmt"

	"sitthi/internal/config"
)

// migrateCommand brings the database up to this program's version.
type migrateCommand struct {
	config.Database `embed:""`
}

// Run migrates, makes the keys of a new database and brings the reference data in.
func (c *migrateCommand) Run(ctx context.Context, sh *shell, secrets config.Secrets) error {
	v, err := openNew(ctx, &c.Database, secrets, newClock())
	if err != nil {
		return err
	}
	have, _, err := v.db.Migrated(ctx)
	if err := errors.Join(err, v.db.Close()); err != nil {
		return err
	}
	fmt.Fprintf(sh.out, "the database is at version %d\n", have)
	return nil
}

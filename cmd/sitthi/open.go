package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/clock"
	"sitthi/internal/config"
	"sitthi/internal/rekey"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/portal"
)

// vault is an open database with the keys to it.
type vault struct {
	db   *store.DB
	ring *seal.Ring
}

// openNew opens the database, makes it when absent, migrates it, brings the reference data in and finds the keys or,
// for a database that has none yet, makes them.
func openNew(ctx context.Context, d *config.Database, secrets config.Secrets, c clock.Clock) (*vault, error) {
	db, err := openStore(ctx, d, secrets, c)
	if err != nil {
		return nil, err
	}
	v := &vault{db: db}
	err = attend(ctx, db, false)
	if err == nil {
		err = db.Migrate(ctx)
	}
	if err == nil {
		_, _, err = versions(ctx, db)
	}
	if err == nil {
		v.ring, err = keys(ctx, db, d, secrets, true)
	}
	if err == nil {
		err = db.Write(ctx, func(tx *store.Tx) error {
			if err := agency.Load(ctx, tx); err != nil {
				return err
			}
			if err := portal.Load(ctx, tx); err != nil {
				return err
			}
			// The first program that knows the lock notes since when it holds.
			_, err := install(ctx, tx, grant.ForceMark, strconv.FormatInt(tx.Now.UnixMicro(), 10))
			return err
		})
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return v, nil
}

// versions answers the version of the database and this program's. It fails when a newer program has migrated the
// database: this one does not know what its tables mean.
func versions(ctx context.Context, db *store.DB) (have, want int64, err error) {
	have, want, err = db.Migrated(ctx)
	if err == nil && have > want {
		err = config.Wrong("database", "it was made by a newer program (version %d, this one knows %d)", have, want)
	}
	return have, want, err
}

// openExisting opens a database that is there and of this program's version, with its keys, and makes nothing.
func openExisting(ctx context.Context, d *config.Database, secrets config.Secrets, c clock.Clock) (*vault, error) {
	return openFor(ctx, d, secrets, c, false)
}

// attend lets other programs know that this one uses the database; when alone, no other one does.
func attend(ctx context.Context, db *store.DB, alone bool) error {
	err := db.Attend(ctx, alone)
	switch {
	case !errors.Is(err, store.ErrAttended):
		return err
	case alone:
		return config.Wrong("database", "%w: stop all that serve from it, and commands", err)
	}
	return config.Wrong("database", "its keys are being changed: try again when that is done (%w)", err)
}

// openFor is openExisting; when alone, for what no other program may use the database meanwhile.
func openFor(ctx context.Context, d *config.Database, secrets config.Secrets, c clock.Clock, alone bool) (*vault, error) {
	if path, ok := strings.CutPrefix(d.URL, "sqlite:"); ok {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, config.Wrong("database", "there is no database %s", path)
		}
	}
	db, err := openStore(ctx, d, secrets, c)
	if err != nil {
		return nil, err
	}
	v := &vault{db: db}
	var have, want int64
	if err = attend(ctx, db, alone); err == nil {
		have, want, err = versions(ctx, db)
	}
	switch {
	case err != nil:
	case have < want:
		err = fmt.Errorf("the database is at version %d of %d: run sitthi migrate", have, want)
	default:
		v.ring, err = keys(ctx, db, d, secrets, false)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return v, nil
}

func openStore(ctx context.Context, d *config.Database, secrets config.Secrets, c clock.Clock) (*store.DB, error) {
	address, err := d.Address(secrets)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Options{URL: address, Clock: c})
	if err != nil {
		return nil, config.Wrong("database", "%w", err)
	}
	return db, nil
}

// keys reads the key file. Only a database that has never had keys gets new ones: with others in their place nothing
// in it could be read any more, and the damage would show late.
func keys(ctx context.Context, db *store.DB, d *config.Database, secrets config.Secrets, mayCreate bool) (*seal.Ring, error) {
	path, err := d.KeyFile(secrets)
	if err != nil {
		return nil, err
	}
	var mark string
	err = db.Read(ctx, func(tx *store.Tx) (err error) {
		mark, err = installed(ctx, tx, rekey.IndexMark)
		return err
	})
	if err != nil {
		return nil, err
	}
	ring, err := seal.Load(path, mayCreate && mark == "")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, config.Wrong("keys", "the keys of this database are not in %s", path)
	}
	if err != nil {
		return nil, config.Wrong("keys", "%w", err)
	}
	if mark == "" && mayCreate {
		err = db.Write(ctx, func(tx *store.Tx) error {
			mark, err = install(ctx, tx, rekey.IndexMark, rekey.IndexOf(ring))
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if !rekey.Fits(ring, mark) {
		return nil, config.Wrong("keys", "the keys in %s are not those of this database", path)
	}
	if mayCreate {
		err = db.Write(ctx, func(tx *store.Tx) error { return rekey.Register(ctx, tx, ring) })
	} else {
		err = db.Read(ctx, func(tx *store.Tx) error { return rekey.Check(ctx, tx, ring) })
	}
	if err != nil {
		return nil, config.Wrong("keys", "%w", err)
	}
	return ring, nil
}

// installed reads what the installation says of itself under a name, "" for nothing.
func installed(ctx context.Context, tx *store.Tx, name string) (value string, err error) {
	err = tx.QueryRow(ctx, `SELECT value FROM installation WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read installation: %w", err)
	}
	return value, nil
}

// install notes something of the installation unless it is there already, and answers what is there.
func install(ctx context.Context, tx *store.Tx, name, value string) (string, error) {
	_, err := tx.Exec(ctx, `INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, value)
	if err != nil {
		return "", fmt.Errorf("note installation: %w", err)
	}
	return installed(ctx, tx, name)
}

// The purposes of a database; one never becomes the other.
const (
	purposeMark = "purpose"
	purposeReal = "real"
	purposeDemo = "demo"
)

// dedicate notes what the database is for, and fails when it is for something else: made-up people with a password
// that everyone knows never come among real ones.
func dedicate(ctx context.Context, db *store.DB, purpose string) error {
	var is string
	err := db.Write(ctx, func(tx *store.Tx) (err error) {
		is, err = install(ctx, tx, purposeMark, purpose)
		return err
	})
	switch {
	case err != nil:
		return err
	case is == purpose:
		return nil
	case is == purposeDemo:
		return config.Wrong("database", "it holds the demonstration: serve it with --demo, or name another")
	}
	return config.Wrong("demo", "the database holds real data: name another with --database")
}

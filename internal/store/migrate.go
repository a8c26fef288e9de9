package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the database up to this program's migrations. Of several processes that start at once one
// migrates and the others wait.
func (db *DB) Migrate(ctx context.Context) (err error) {
	if db.engine == SQLite {
		unlock, err := flock(db.path + ".lock")
		if err != nil {
			return err
		}
		defer unlock()
	}
	p, err := db.provider()
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Migrated answers the version the database has and the newest one this program knows. The program serves only
// when have equals want; a database from a newer program has more.
func (db *DB) Migrated(ctx context.Context) (have, want int64, err error) {
	p, err := db.provider()
	if err != nil {
		return 0, 0, err
	}
	have, want, err = p.GetVersions(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("read migrations: %w", err)
	}
	return have, want, nil
}

func (db *DB) provider() (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	var options []goose.ProviderOption
	dialect, other := goose.DialectSQLite3, Postgres
	if db.engine == Postgres {
		dialect, other = goose.DialectPostgres, SQLite
		// Those that wait look again every second; five minutes are enough for any migration.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return nil, fmt.Errorf("read migrations: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, db.writes, without{dir, "." + string(other) + ".sql"}, options...)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return p, nil
}

// without hides the files of the other engine, so that both have one timeline.
type without struct {
	fs.FS
	suffix string
}

// ReadDir implements fs.ReadDirFS.
func (w without) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(w.FS, name)
	kept := all[:0:0]
	for _, e := range all {
		if !strings.HasSuffix(e.Name(), w.suffix) {
			kept = append(kept, e)
		}
	}
	return kept, err
}

// flock waits until this process alone holds the lock file; the answer gives it back.
func flock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock database: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock database: %w", err), f.Close())
	}
	return func() { f.Close() }, nil // closing gives the lock back; nothing was written that could be lost
}

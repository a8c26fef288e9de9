// Package storetest gives every test the same fresh database on every engine.
package storetest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sitthi/internal/clock"
	"sitthi/internal/store"
)

// Start is the moment at which the clock of an Env stands: a Monday, ten in
// the morning in Thailand, พ.ศ. 2569.
var Start = time.Date(2026, time.November, 23, 3, 0, 0, 0, time.UTC)

// Env is a migrated, empty database with a clock set by hand.
type Env struct {
	// DB is closed when the test ends.
	DB *store.DB
	// Clock stands at Start until the test moves it.
	Clock *clock.Manual
	// URL is the address of the database, to open it once more: a second
	// process, a restart.
	URL string
}

// EachEngine runs test on SQLite and on PostgreSQL, as the subtests "sqlite"
// and "postgres". Without PostgreSQL on the machine that subtest is skipped, or
// fails where CI is set.
func EachEngine(t *testing.T, test func(t *testing.T, env *Env)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, newEnv(t, migratedPostgres(t))) })
}

// SQLite gives a migrated, empty SQLite database, for what only that engine
// has and for benchmarks.
func SQLite(t testing.TB) *Env {
	t.Helper()
	return newEnv(t, migratedSQLite(t))
}

// newEnv opens a database that a template already migrated.
func newEnv(t testing.TB, url string) *Env {
	t.Helper()
	env := &Env{Clock: clock.NewManual(Start), URL: url}
	db, err := store.Open(t.Context(), store.Options{URL: url, Clock: env.Clock})
	if err != nil {
		t.Fatal(err)
	}
	env.DB = db
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close test database: %v", err)
		}
	})
	return env
}

// migrate makes the database at url what a fresh installation has.
func migrate(t testing.TB, url string) error {
	db, err := store.Open(t.Context(), store.Options{URL: url, Clock: clock.NewManual(Start)})
	if err != nil {
		return err
	}
	if err := db.Migrate(t.Context()); err != nil {
		db.Close()
		return err
	}
	return db.Close()
}

// sqliteTemplate holds the bytes of a migrated SQLite file: to migrate takes
// far longer than to write them out again.
var sqliteTemplate struct {
	sync.Mutex
	bytes []byte
}

// migratedSQLite writes a copy of the template and returns its URL.
func migratedSQLite(t testing.TB) string {
	t.Helper()
	sqliteTemplate.Lock()
	defer sqliteTemplate.Unlock()
	if sqliteTemplate.bytes == nil {
		path := filepath.Join(t.TempDir(), "template.db")
		if err := migrate(t, "sqlite:"+path); err != nil {
			t.Fatal(err)
		}
		bytes, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sqliteTemplate.bytes = bytes
	}
	path := filepath.Join(t.TempDir(), "sitthi.db")
	if err := os.WriteFile(path, sqliteTemplate.bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

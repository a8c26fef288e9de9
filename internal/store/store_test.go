package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sitthi/internal/clock"
	"sitthi/internal/problem"
	"sitthi/internal/store"
)

func open(t *testing.T) *store.DB {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "var", "x.db")
	if u := os.Getenv("SITTHI_TEST_POSTGRES_ONE"); u != "" {
		url = u
	}
	db, err := store.Open(t.Context(), store.Options{URL: url, Clock: clock.NewManual(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestMigrateTwiceIsOne(t *testing.T) {
	db := open(t)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	have, want, err := db.Migrated(t.Context())
	if err != nil || have != want || want < 2 {
		t.Fatalf("migrated to %d of %d: %v", have, want, err)
	}
}

func TestFailedWriteKeepsNothing(t *testing.T) {
	db := open(t)
	ctx := context.Background()
	denied := problem.New(problem.Denied, "x")
	ran := false
	err := db.Write(ctx, func(tx *store.Tx) error {
		tx.AfterCommit(func() { ran = true })
		if _, err := tx.Exec(ctx, "INSERT INTO installation (name, value) VALUES ($1, $2)", "a", "b"); err != nil {
			return err
		}
		return denied
	})
	if !errors.Is(err, problem.Denied) || ran {
		t.Fatalf("got %v, after-commit ran: %v", err, ran)
	}
	var n int
	err = db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, "SELECT count(*) FROM installation").Scan(&n)
	})
	if err != nil || n != 0 {
		t.Fatalf("%d rows were kept, %v", n, err)
	}
}

// TestCloseBesideAWriter: a command that ends while the serving program writes has nothing to complain of.
func TestCloseBesideAWriter(t *testing.T) {
	serving := open(t)
	if serving.Engine() != store.SQLite {
		return // statistics are the server's own work
	}
	ctx := t.Context()
	err := serving.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE counters SET value = value"); err != nil {
			return err
		}
		beside, err := store.Open(ctx, store.Options{URL: "sqlite:" + serving.Path(), Clock: clock.System{}})
		if err != nil {
			return err
		}
		err = beside.Read(ctx, func(tx *store.Tx) error {
			var n int64
			// The planner keeps statistics only of tables it has been asked about.
			return tx.QueryRow(ctx, "SELECT count(*) FROM units u JOIN persons p ON p.id = u.code WHERE p.citizen_index = 'x'").Scan(&n)
		})
		return errors.Join(err, beside.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUniqueIsTold(t *testing.T) {
	db := open(t)
	ctx := context.Background()
	add := func() error {
		return db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO installation (name, value) VALUES ($1, $2)", "a", "b")
			return err
		})
	}
	if err := add(); err != nil {
		t.Fatal(err)
	}
	if err := add(); !store.IsUnique(err) {
		t.Fatalf("second row: %v", err)
	}
}

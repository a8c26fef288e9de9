package main

import (
	"path/filepath"
	"testing"
	"time"

	"sitthi/internal/clock"
	"sitthi/internal/store"
)

// A serving program deletes what no longer matters; here a limit that ran out a year ago.
func TestServingSweeps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s := serveWith(t, "--database", "sqlite:"+path)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + path, Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	err = db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO throttles (name, arrival) VALUES ('old', $1)`, store.Us(tx.Now.AddDate(-1, 0, 0)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	serveWith(t, "--database", "sqlite:"+path)
	for limit := time.Now().Add(20 * time.Second); ; {
		var n int
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT count(*) FROM throttles WHERE name = 'old'`).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		if time.Now().After(limit) {
			t.Fatal("the limit that ran out a year ago is still kept")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

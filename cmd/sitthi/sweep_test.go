package main

import (
	"path/filepath"
	"testing"
	"time"

	"sitthi/internal/clock"
	"sitthi/internal/store"
)

// A serving program deletes what no longer matters; here a limit that ran out and a message that was sent a year ago.
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
		// What is over is deleted once an hour, or once a day; here it was long ago.
		if _, err := tx.Exec(t.Context(), `DELETE FROM retention_runs`); err != nil {
			return err
		}
		old := store.Us(tx.Now.AddDate(-1, 0, 0))
		if _, err := tx.Exec(t.Context(), `INSERT INTO throttles (name, arrival) VALUES ('old', $1)`, old); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), `
			INSERT INTO messages (id, channel, purpose, language, to_sealed, state, next_at, created_at)
			VALUES ('old', 'email', 'signin.off', 'th', $1, 'sent', $2, $2)`, []byte("sealed"), old)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	serveWith(t, "--database", "sqlite:"+path)
	for limit := time.Now().Add(20 * time.Second); ; {
		var n int
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `
				SELECT (SELECT count(*) FROM throttles WHERE name = 'old') + (SELECT count(*) FROM messages WHERE id = 'old')`).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		if time.Now().After(limit) {
			t.Fatal("what ran out and what was sent a year ago is still kept")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

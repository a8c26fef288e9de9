package store

import (
	"path/filepath"
	"testing"

	"sitthi/internal/clock"
)

// A connection that broke after the act was committed must not make the act look lost.
func TestDiscardOfWhatIsGone(t *testing.T) {
	db, err := Open(t.Context(), Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "x.db"), Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	conn, err := db.writes.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := discard(conn); err != nil {
			t.Errorf("discard: %v", err)
		}
	}
}

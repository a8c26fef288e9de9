package store_test

import (
	"sync/atomic"
	"testing"
	"time"

	"sitthi/internal/clock"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// counting is a clock that counts how often it was asked: once for each transaction.
type counting struct {
	clock.Clock
	asked atomic.Int64
}

func (c *counting) Now() time.Time {
	c.asked.Add(1)
	return c.Clock.Now()
}

// TestDelete deletes what is old and nothing else, few rows in each transaction, with keys of one column and of two.
func TestDelete(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		const old, kept = 1_201, 3
		err := env.DB.Write(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.Exec(t.Context(), `CREATE TABLE things (name TEXT NOT NULL, day BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (name, day))`); err != nil {
				return err
			}
			for n := range old + kept {
				at := tx.Now.Add(-time.Hour)
				if n >= old {
					at = tx.Now
				}
				if _, err := tx.Exec(t.Context(), `INSERT INTO throttles (name, arrival) VALUES ($1, $2)`, store.NewID(), store.Us(at)); err != nil {
					return err
				}
				if _, err := tx.Exec(t.Context(), `INSERT INTO things (name, day, at) VALUES ('one', $1, $2)`, n, store.Us(at)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		c := &counting{Clock: env.Clock}
		db, err := store.Open(t.Context(), store.Options{URL: env.URL, Clock: c})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}()
		now := env.Clock.Now()
		gone, err := db.Delete(t.Context(),
			store.Old{Table: "throttles", Key: "name", Where: "arrival < $1", Before: now},
			store.Old{Table: "things", Key: "name, day", Where: "at < $1", Before: now})
		if err != nil || gone != 2*old {
			t.Errorf("deleted %d: %v", gone, err)
		}
		if n := c.asked.Load(); n != 2*3 {
			t.Errorf("%d transactions", n)
		}
		var left int
		err = env.DB.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM throttles) + (SELECT count(*) FROM things)`).Scan(&left)
		})
		if err != nil || left != 2*kept {
			t.Errorf("%d are left: %v", left, err)
		}
	})
}

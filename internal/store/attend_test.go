package store_test

import (
	"errors"
	"testing"

	"sitthi/internal/clock"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// Any number of programs use a database together, one alone when none does, and nobody beside that one.
func TestAttend(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		open := func() *store.DB {
			db, err := store.Open(t.Context(), store.Options{URL: env.URL, Clock: clock.System{}})
			if err != nil {
				t.Fatal(err)
			}
			return db
		}
		end := func(db *store.DB) {
			t.Helper()
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}
		first, second, third := open(), open(), open()
		for _, db := range []*store.DB{first, second} {
			if err := db.Attend(t.Context(), false); err != nil {
				t.Fatal(err)
			}
		}
		end(second)
		if err := third.Attend(t.Context(), true); !errors.Is(err, store.ErrAttended) {
			t.Errorf("alone beside another: %v", err)
		}
		if env.DB.Engine() == store.Postgres {
			// A lock lost with its connection is taken anew, unless somebody has come to be alone.
			cut := func() {
				t.Helper()
				err := env.DB.Write(t.Context(), func(tx *store.Tx) error {
					_, err := tx.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
						AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			cut()
			if err := first.StillAttends(t.Context()); err != nil {
				t.Error(err)
			}
			if err := third.Attend(t.Context(), true); !errors.Is(err, store.ErrAttended) {
				t.Errorf("alone beside one that came back: %v", err)
			}
			cut()
		} else {
			end(first)
		}
		if err := third.Attend(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		if env.DB.Engine() == store.Postgres {
			if err := first.StillAttends(t.Context()); !errors.Is(err, store.ErrAttended) {
				t.Errorf("went on beside one that is alone: %v", err)
			}
			end(first)
		}
		fourth := open()
		if err := fourth.Attend(t.Context(), false); !errors.Is(err, store.ErrAttended) {
			t.Errorf("beside one that is alone: %v", err)
		}
		end(third)
		if err := fourth.Attend(t.Context(), false); err != nil {
			t.Error(err)
		}
		end(fourth)
	})
}

package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// TestQueriesAskedAgain asks the same text in all the ways in which a statement that was kept could be in the way.
func TestQueriesAskedAgain(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ctx, db := t.Context(), env.DB
		const add, all = "INSERT INTO installation (name, value) VALUES ($1, $2)", "SELECT name FROM installation ORDER BY name"
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		names := func(tx *store.Tx) []string {
			t.Helper()
			list, err := store.Rows(func(row store.Row) (name string, err error) { return name, row.Scan(&name) })(tx.Query(ctx, all))
			check(err)
			return list
		}
		put := func(name string) error {
			return db.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.Exec(ctx, add, name, "x")
				return err
			})
		}
		check(put("a"))
		if err := put("a"); !store.IsUnique(err) {
			t.Fatalf("the same name twice: %v", err)
		}
		check(put("b"))

		t.Run("while its first answer is read", func(t *testing.T) {
			if db.Engine() == store.Postgres {
				return // a connection there reads one answer at a time, whatever was kept
			}
			check(db.Read(ctx, func(tx *store.Tx) error {
				var seen []string
				rows, err := tx.Query(ctx, all)
				check(err)
				for rows.Next() {
					var name string
					check(rows.Scan(&name))
					seen = append(seen, fmt.Sprint(name, names(tx)))
				}
				if got := fmt.Sprint(seen); got != "[a[a b] b[a b]]" {
					t.Errorf("read %s", got)
				}
				return errors.Join(rows.Err(), rows.Close())
			}))
		})
		t.Run("after it was left half read", func(t *testing.T) {
			for range 3 {
				check(db.Read(ctx, func(tx *store.Tx) error {
					rows, err := tx.Query(ctx, all)
					check(err)
					rows.Next()
					return rows.Close()
				}))
			}
			check(put("c")) // no reader holds the writer up, and no statement keeps an old view
			check(db.Read(ctx, func(tx *store.Tx) error {
				if list := names(tx); len(list) != 3 {
					t.Errorf("read %v", list)
				}
				return nil
			}))
		})
		t.Run("after its context ended", func(t *testing.T) {
			ended, end := context.WithCancel(ctx)
			err := db.Read(ended, func(tx *store.Tx) error {
				rows, err := tx.Query(ended, all)
				check(err)
				end()
				for rows.Next() {
				}
				return errors.Join(rows.Err(), rows.Close())
			})
			if err == nil {
				t.Error("a read whose context ended went well")
			}
			check(db.Read(ctx, func(tx *store.Tx) error {
				if list := names(tx); len(list) != 3 {
					t.Errorf("read %v", list)
				}
				return nil
			}))
		})
		t.Run("after the tables changed", func(t *testing.T) {
			check(db.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.Exec(ctx, "CREATE INDEX installation_by_value ON installation (value)")
				return err
			}))
			check(db.Read(ctx, func(tx *store.Tx) error {
				if list := names(tx); len(list) != 3 {
					t.Errorf("read %v", list)
				}
				return nil
			}))
			check(put("d"))
		})
		t.Run("among many others, from many at once", func(t *testing.T) {
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for n := range 250 {
						err := db.Read(ctx, func(tx *store.Tx) error {
							var got int
							err := tx.QueryRow(ctx, fmt.Sprintf("SELECT count(*) + %d FROM installation WHERE name <> $1", n), "a").Scan(&got)
							if err == nil && got != 3+n {
								err = fmt.Errorf("counted %d, want %d", got, 3+n)
							}
							return err
						})
						if err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
		})
	})
}

package store_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// TestBrokenConnectionIsTold ends the connection under a transaction: whatever meets the break first, the reader is
// told to come back, and the next transaction goes through.
func TestBrokenConnectionIsTold(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		if env.DB.Engine() != store.Postgres {
			return // a file has no connection that could break
		}
		ctx := t.Context()
		// What pgx says at BEGIN of a connection that was closed behind its back, and while it read an answer.
		for _, fault := range []error{pgconn.ErrConnClosed, io.ErrUnexpectedEOF} {
			if err := env.DB.Write(ctx, func(*store.Tx) error { return fmt.Errorf("begin write: %w", fault) }); !errors.Is(err, problem.Busy) {
				t.Errorf("%v: %v", fault, err)
			}
		}
		for _, after := range []int{0, 1, 2} { // statements after the one that meets the break
			err := env.DB.Write(ctx, func(tx *store.Tx) error {
				var gone bool
				err := tx.QueryRow(ctx, "SELECT pg_terminate_backend(pg_backend_pid())").Scan(&gone)
				for range after {
					_, err = tx.Exec(ctx, "UPDATE counters SET value = value")
				}
				return err
			})
			if !errors.Is(err, problem.Busy) {
				t.Errorf("%d statements later: %v", after, err)
			}
			if err := env.DB.Write(ctx, func(*store.Tx) error { return nil }); err != nil {
				t.Errorf("the next one: %v", err)
			}
		}
	})
}

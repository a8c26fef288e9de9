package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Listen calls f for every notice on a channel of PostgreSQL until the context ends; a lost connection is made anew.
// Notices may be missed, so listening only makes a poll quicker. On SQLite, which has none, it answers at once.
func (db *DB) Listen(ctx context.Context, channel string, f func()) {
	for db.engine == Postgres && ctx.Err() == nil {
		// A failure here only means that the poll is the slower way to find out; it logs what is wrong.
		if err := db.listen(ctx, channel, f); err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

func (db *DB) listen(ctx context.Context, channel string, f func()) error {
	// Its own connection: one that waits for notices is of no use to the pool.
	conn, err := pgx.Connect(ctx, db.url)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) // nothing is under way on it
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		f()
	}
}

package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"sitthi/internal/problem"
)

// lost reports whether the transaction lost against another and may run again.
func lost(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01"
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == lib.SQLITE_BUSY
}

// told turns the faults of the engine that a person should hear of (disk full, no database) into Busy, and leaves
// every other error as it is.
func told(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	busy := &problem.Problem{Kind: problem.Busy, Key: "problem.busy", RetryAfter: 10 * time.Second}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code[:2] {
		case "53", "57", "58": // out of disk, memory or connections; shut down; system error
			return fmt.Errorf("%w (%w)", busy, err)
		}
		return err
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case lib.SQLITE_FULL, lib.SQLITE_BUSY, lib.SQLITE_IOERR, lib.SQLITE_READONLY:
			return fmt.Errorf("%w (%w)", busy, err)
		}
		return err
	}
	var op *net.OpError
	if errors.As(err, &op) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w (%w)", busy, err)
	}
	return err
}

// IsUnique reports whether a statement failed because a unique index already holds such a row. On PostgreSQL the
// transaction is dead afterwards: return at once, or use ON CONFLICT instead.
func IsUnique(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) &&
		(lite.Code() == lib.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == lib.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// discard ends a connection for good instead of giving it back to the pool; one that is gone already stays so.
func discard(conn *sql.Conn) error {
	err := conn.Raw(func(any) error { return driver.ErrBadConn })
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return err
}

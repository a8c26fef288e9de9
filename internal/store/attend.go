package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// ErrAttended says that another program uses the database, or that one does who must be alone with it.
var ErrAttended = errors.New("another program is using the database")

// attendLock is the key of the advisory lock behind Attend on PostgreSQL, beside turnLock.
const attendLock = turnLock + 1

// attendance is what tells the other programs that this one uses the database: a lock that ends with the process.
type attendance struct {
	alone bool
	file  *os.File  // SQLite: a lock file beside the database
	conn  *sql.Conn // PostgreSQL: a session with an advisory lock
}

// Attend lets the other programs know that this one uses the database, until Close or the end of the process. When
// alone, no other one does meanwhile. It fails with ErrAttended when others keep it from that; on PostgreSQL after two
// seconds, because the server learns a little later that a program has died. Programs that do not attend are not seen.
func (db *DB) Attend(ctx context.Context, alone bool) error {
	a := &attendance{alone: alone}
	err := db.lock(ctx, a)
	for try := 0; db.engine == Postgres && errors.Is(err, ErrAttended) && try < 20; try++ {
		select {
		case <-time.After(100 * time.Millisecond):
			err = db.lock(ctx, a)
		case <-ctx.Done():
			return fmt.Errorf("attend database: %w", ctx.Err())
		}
	}
	if err != nil {
		return err
	}
	db.attendance = a
	return nil
}

// StillAttends sees to it that what Attend began still holds: a lost connection to PostgreSQL takes its lock with it,
// and then it is taken anew. It fails with ErrAttended when another program has come to be alone with the database.
func (db *DB) StillAttends(ctx context.Context) error {
	a := db.attendance
	if a == nil || db.engine == SQLite || a.conn != nil && a.conn.PingContext(ctx) == nil {
		return nil
	}
	if err := a.leave(); err != nil {
		return fmt.Errorf("attend database: %w", err)
	}
	return db.lock(ctx, a)
}

func (db *DB) lock(ctx context.Context, a *attendance) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, a.leave())
		}
	}()
	if db.engine == SQLite {
		if a.file, err = os.OpenFile(db.path+".open", os.O_CREATE|os.O_RDWR, 0o600); err != nil {
			return fmt.Errorf("attend database: %w", err)
		}
		how := syscall.LOCK_SH
		if a.alone {
			how = syscall.LOCK_EX
		}
		err = syscall.Flock(int(a.file.Fd()), how|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return ErrAttended
		}
		if err != nil {
			return fmt.Errorf("attend database: %w", err)
		}
		return nil
	}
	if a.conn, err = db.writes.Conn(ctx); err != nil {
		return told(fmt.Errorf("attend database: %w", err))
	}
	query := "SELECT pg_try_advisory_lock_shared($1)"
	if a.alone {
		query = "SELECT pg_try_advisory_lock($1)"
	}
	var got bool
	if err := a.conn.QueryRowContext(ctx, query, int64(attendLock)).Scan(&got); err != nil {
		return told(fmt.Errorf("attend database: %w", err))
	}
	if !got {
		return ErrAttended
	}
	return nil
}

// leave gives the lock back, if there is one.
func (a *attendance) leave() (err error) {
	if a.file != nil {
		err = a.file.Close() // nothing was written that could be lost
		a.file = nil
	}
	if a.conn != nil {
		// Its session ends with it: given back to the pool it would go on holding the lock.
		ended := discard(a.conn)
		if closing := a.conn.Close(); !errors.Is(closing, sql.ErrConnDone) {
			ended = errors.Join(ended, closing)
		}
		a.conn, err = nil, errors.Join(err, ended)
	}
	return err
}

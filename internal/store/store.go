// Package store opens the database, SQLite or PostgreSQL, and runs one SQL text on either.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"

	"sitthi/internal/clock"
	"sitthi/internal/problem"
)

// Engine is the kind of database behind a DB.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Options say which database to open.
type Options struct {
	// URL is "sqlite:PATH" or "postgres://…".
	URL string
	// Clock gives each transaction its moment.
	Clock clock.Clock
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	engine Engine
	path   string // of the SQLite file
	url    string
	clock  clock.Clock
	reads  *sql.DB
	writes *sql.DB
	turn   chan struct{} // held by the one act in turn
	inTurn bool

	attendance *attendance // nil unless Attend
}

// tries is how often Write runs a transaction that lost against another before it answers Busy.
const tries = 10

// turnLock is the key of the advisory lock behind InTurn on PostgreSQL ("sitthi" in ASCII).
const turnLock = 0x736974746869

// ErrURL says that the database URL names no engine.
var ErrURL = errors.New(`a database URL is "sqlite:PATH" or "postgres://USER@HOST/NAME"`)

// Open opens the database and asserts its durability; it does not migrate. For SQLite the file and its folder
// are made when absent.
func Open(ctx context.Context, o Options) (*DB, error) {
	db := &DB{clock: o.Clock, url: o.URL, turn: make(chan struct{}, 1)}
	var err error
	switch {
	case strings.HasPrefix(o.URL, "sqlite:") && len(o.URL) > len("sqlite:"):
		db.engine, db.path = SQLite, strings.TrimPrefix(o.URL, "sqlite:")
		err = db.openSQLite(ctx)
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		db.engine = Postgres
		err = db.openPostgres(ctx)
	default:
		return nil, ErrURL
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) openSQLite(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(db.path), 0o700); err != nil {
		return fmt.Errorf("make database folder: %w", err)
	}
	pragmas := []string{"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)", "foreign_keys(ON)", "cache_size(-65536)"}
	open := func(more ...string) (*sql.DB, error) {
		q := url.Values{"_pragma": append(append([]string(nil), pragmas...), more...), "_txlock": {"deferred"}}
		if len(more) == 0 {
			q.Set("_txlock", "immediate")
		}
		connector, err := newPreparing("file:" + (&url.URL{Path: db.path}).EscapedPath() + "?" + q.Encode())
		if err != nil {
			return nil, fmt.Errorf("open database: %w", err)
		}
		return sql.OpenDB(connector), nil
	}
	var err error
	if db.writes, err = open(); err != nil {
		return err
	}
	db.writes.SetMaxOpenConns(1)
	if db.reads, err = open("query_only(ON)"); err != nil {
		return err
	}
	db.reads.SetMaxOpenConns(4)
	db.reads.SetMaxIdleConns(4)
	// The driver ignores a misspelt setting without a word, so what durability rests on is read back.
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		if err := db.writes.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
			return fmt.Errorf("open database %s: %w", db.path, err)
		}
		if got != want {
			return fmt.Errorf("open database %s: %s is %q, need %q", db.path, pragma, got, want)
		}
	}
	return nil
}

func (db *DB) openPostgres(ctx context.Context) error {
	pool, err := sql.Open("pgx", db.url)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	pool.SetMaxOpenConns(20)
	pool.SetMaxIdleConns(20)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	db.reads, db.writes = pool, pool
	for setting, want := range map[string][]string{"synchronous_commit": {"on", "remote_apply"}, "server_encoding": {"UTF8"}} {
		var got string
		if err := pool.QueryRowContext(ctx, "SELECT current_setting($1)", setting).Scan(&got); err != nil {
			return fmt.Errorf("open database: %w", err)
		}
		if !slices.Contains(want, got) {
			return fmt.Errorf("open database: %s is %q, need %s", setting, got, strings.Join(want, " or "))
		}
	}
	return nil
}

// AtRisk names the settings of the server under which a power cut loses what was acknowledged, or damages the
// database: fsync and full_page_writes when they are off. On SQLite there are none, since Open asserts what counts.
func (db *DB) AtRisk(ctx context.Context) (settings []string, err error) {
	if db.engine != Postgres {
		return nil, nil
	}
	for _, name := range []string{"fsync", "full_page_writes"} {
		var value string
		if err := db.reads.QueryRowContext(ctx, "SELECT current_setting($1)", name).Scan(&value); err != nil {
			return nil, told(fmt.Errorf("read setting %s: %w", name, err))
		}
		if value != "on" {
			settings = append(settings, name)
		}
	}
	return settings, nil
}

// Close ends all connections; on SQLite it first lets the planner keep its statistics, unless another program is
// writing: they are a convenience, and a command that has done its work does not wait for them.
func (db *DB) Close() error {
	var errs []error
	if db.attendance != nil {
		errs = append(errs, db.attendance.leave())
	}
	if db.writes != nil {
		if db.engine == SQLite {
			if err := db.optimize(); !lost(err) {
				errs = append(errs, err)
			}
		}
		errs = append(errs, db.writes.Close())
	}
	if db.reads != nil && db.reads != db.writes {
		errs = append(errs, db.reads.Close())
	}
	return errors.Join(errs...)
}

func (db *DB) optimize() (err error) {
	conn, err := db.writes.Conn(context.Background())
	if err != nil {
		return fmt.Errorf("keep statistics: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	for _, pragma := range []string{"busy_timeout(0)", "optimize"} {
		if _, err := conn.ExecContext(context.Background(), "PRAGMA "+pragma); err != nil {
			return fmt.Errorf("keep statistics: %w", err)
		}
	}
	return nil
}

// Engine tells which engine is behind the database.
func (db *DB) Engine() Engine { return db.engine }

// Path is the file of a SQLite database, "" on PostgreSQL.
func (db *DB) Path() string { return db.path }

// Now is the present by the injected clock, for use outside a transaction.
func (db *DB) Now() time.Time { return db.clock.Now() }

// InTurn answers the same database, whose Writes come one after the other, across all processes. Acts that all
// move the same row (ลำดับ, the version of the rights) go faster in a queue than by colliding and running again.
func (db *DB) InTurn() *DB {
	turn := *db
	turn.inTurn = true
	return &turn
}

// Tx is one transaction with one frozen moment.
type Tx struct {
	// Now is the moment of the transaction by the injected clock, the same for all that happens in it.
	Now time.Time

	db     *DB
	tx     *sql.Tx
	writes bool
	after  []func()
}

// Exec runs a statement and answers how many rows it touched.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := tx.tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Query runs a query for rows; the caller closes them.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return tx.tx.QueryContext(ctx, query, args...)
}

// QueryRow runs a query for one row.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return tx.tx.QueryRowContext(ctx, query, args...)
}

// AfterCommit has f run once the transaction is safely written, and not at all when it is not.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// ForShare is the end of a SELECT whose rows must not change before this transaction is through. PostgreSQL's
// serializable transactions alone would let a decision commit after a revoke was acknowledged, as long as some
// order of the two makes sense; the row lock makes the order that of the clock. SQLite has one writer and needs
// nothing. In a Read, which decides nothing, it is empty.
func (tx *Tx) ForShare() string {
	if tx.db.engine == Postgres && tx.writes {
		return " FOR SHARE"
	}
	return ""
}

// SkipLocked is the end of a SELECT that takes work off a queue without waiting for who is at the next row.
func (tx *Tx) SkipLocked() string {
	if tx.db.engine == Postgres {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// NewID makes a UUIDv7 as text: unique everywhere, and in the order of time within a process.
func NewID() string {
	return uuid.Must(uuid.NewV7()).String()
}

// Read runs f in a transaction that sees one state of the database and changes nothing.
func (db *DB) Read(ctx context.Context, f func(*Tx) error) error {
	o := &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
	if db.engine == SQLite {
		o = nil // query_only and one snapshot per transaction already
	}
	sqlTx, err := db.reads.BeginTx(ctx, o)
	if err != nil {
		return told(fmt.Errorf("begin read: %w", err))
	}
	defer sqlTx.Rollback() // after Commit it does nothing; after an error the read changed nothing
	if err := f(&Tx{Now: db.clock.Now(), db: db, tx: sqlTx}); err != nil {
		return told(err)
	}
	if err := sqlTx.Commit(); err != nil {
		return told(fmt.Errorf("end read: %w", err))
	}
	return nil
}

// Write runs f in a transaction that is serializable: a rule checked inside still holds at commit. f may run
// again after losing against another transaction, so it does nothing but the transaction. When every try was
// lost, or the disk is full, or the database can not be reached, the answer is problem.Busy and nothing was kept. Only a
// connection to PostgreSQL that breaks during COMMIT leaves open whether it was: an act that may be asked for again has
// to know itself by, such as the name of its form.
func (db *DB) Write(ctx context.Context, f func(*Tx) error) error {
	if db.inTurn {
		select {
		case db.turn <- struct{}{}:
			defer func() { <-db.turn }()
		case <-ctx.Done():
			return fmt.Errorf("wait for turn: %w", ctx.Err())
		}
	}
	var err error
	for try := range tries {
		if try > 0 {
			pause := time.Duration(1<<min(try, 6)) * time.Millisecond
			select {
			case <-time.After(pause/2 + rand.N(pause)):
			case <-ctx.Done():
				return fmt.Errorf("write: %w", ctx.Err())
			}
		}
		var after []func()
		after, err = db.writeOnce(ctx, f)
		if err == nil {
			for _, f := range after {
				f()
			}
			return nil
		}
		if !lost(err) {
			return told(err)
		}
	}
	return &problem.Problem{Kind: problem.Busy, Key: "problem.busy", RetryAfter: time.Second}
}

func (db *DB) writeOnce(ctx context.Context, f func(*Tx) error) (after []func(), err error) {
	conn, err := db.writes.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin write: %w", err)
	}
	defer func() {
		// A connection that is gone already can not be given back; that is no fault of an act that was committed.
		if closing := conn.Close(); !errors.Is(closing, sql.ErrConnDone) {
			err = errors.Join(err, closing)
		}
	}()
	var o *sql.TxOptions
	if db.engine == Postgres {
		o = &sql.TxOptions{Isolation: sql.LevelSerializable}
		if db.inTurn {
			// Before BEGIN, so that the transaction's view of the data starts when its turn has come.
			if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(turnLock)); err != nil {
				return nil, errors.Join(fmt.Errorf("wait for turn: %w", err), discard(conn))
			}
			defer func() {
				_, unlockErr := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(turnLock))
				if unlockErr != nil { // the act itself is over; ending the connection gives the lock back
					err = errors.Join(err, discard(conn))
				}
			}()
		}
	}
	sqlTx, err := conn.BeginTx(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("begin write: %w", err)
	}
	tx := &Tx{Now: db.clock.Now(), db: db, tx: sqlTx, writes: true}
	defer func() {
		if p := recover(); p != nil {
			err := sqlTx.Rollback()
			panic(fmt.Sprintf("%v (rollback: %v)", p, err))
		}
	}()
	if err := f(tx); err != nil {
		if rollback := sqlTx.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) {
			return nil, errors.Join(err, fmt.Errorf("roll back: %w", rollback))
		}
		return nil, err
	}
	if err := sqlTx.Commit(); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	return tx.after, nil
}

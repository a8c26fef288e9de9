package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	"modernc.org/sqlite"
)

// preparing opens SQLite connections that keep the statements they prepared: to prepare the query of a grid takes
// SQLite longer than to answer it. On PostgreSQL the driver does the same by itself.
type preparing struct{ driver.Connector }

func newPreparing(dsn string) (driver.Connector, error) {
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return preparing{c}, nil
}

// Connect implements driver.Connector.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	able, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("SQLite connection is a %T and can not do what is needed", c), c.Close())
	}
	return &preparedConn{sqliteConn: able}, nil
}

// sqliteConn is what the driver's connection can do, as database/sql asks for it.
type sqliteConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// sqliteStmt is what the driver's statement can do.
type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// idleStmts is how many statements rest on one connection; they take some ten kilobytes each. Filters make new texts
// all the time, so the one that rested longest goes first.
const idleStmts = 100

// preparedConn is one connection; database/sql sees to it that nothing in it happens twice at the same time.
type preparedConn struct {
	sqliteConn
	idle []preparedStmt // in the order of their last use
}

type preparedStmt struct {
	sqliteStmt
	text string
}

// take answers a statement that nobody uses: a query may be asked once more while its first answer is still read.
func (c *preparedConn) take(ctx context.Context, text string) (preparedStmt, error) {
	if i := slices.IndexFunc(c.idle, func(s preparedStmt) bool { return s.text == text }); i >= 0 {
		s := c.idle[i]
		c.idle = slices.Delete(c.idle, i, i+1)
		return s, nil
	}
	s, err := c.PrepareContext(ctx, text)
	if err != nil {
		return preparedStmt{}, err
	}
	able, ok := s.(sqliteStmt)
	if !ok {
		return preparedStmt{}, errors.Join(fmt.Errorf("SQLite statement is a %T and can not do what is needed", s), s.Close())
	}
	return preparedStmt{able, text}, nil
}

// rest lays a statement by for its next use.
func (c *preparedConn) rest(s preparedStmt) error {
	c.idle = append(c.idle, s)
	if len(c.idle) <= idleStmts {
		return nil
	}
	longest := c.idle[0]
	c.idle = slices.Delete(c.idle, 0, 1)
	return longest.Close()
}

// ExecContext implements driver.ExecerContext.
func (c *preparedConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	result, err := s.ExecContext(ctx, args)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return result, c.rest(s)
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &preparedRows{rows, c, s}, nil
}

// Close implements driver.Conn.
func (c *preparedConn) Close() error {
	var errs []error
	for _, s := range c.idle {
		errs = append(errs, s.Close())
	}
	c.idle = nil
	return errors.Join(append(errs, c.sqliteConn.Close())...)
}

// preparedRows gives its statement back once it was read.
type preparedRows struct {
	driver.Rows
	conn *preparedConn
	stmt preparedStmt
}

// Close implements driver.Rows.
func (r *preparedRows) Close() error {
	if err := r.Rows.Close(); err != nil {
		return errors.Join(err, r.stmt.Close())
	}
	return r.conn.rest(r.stmt)
}

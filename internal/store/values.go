package store

import (
	"database/sql"
	"fmt"
	"time"
)

// Us turns a moment into what the database keeps: microseconds since 1970 UTC, or NULL for the zero time.
func Us(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// At makes a scan target that fills *t from microseconds since 1970 UTC; NULL gives the zero time.
func At(t *time.Time) sql.Scanner { return (*at)(t) }

type at time.Time

// Scan implements sql.Scanner.
func (a *at) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*a = at{}
	case int64:
		*a = at(time.UnixMicro(v).UTC())
	default:
		return fmt.Errorf("read time: database answered a %T", src)
	}
	return nil
}

// Null makes a scan target that fills *s from a text that may be NULL; NULL gives "".
func Null(s *string) sql.Scanner { return (*null)(s) }

type null string

// Scan implements sql.Scanner.
func (n *null) Scan(src any) error {
	var v sql.NullString
	if err := v.Scan(src); err != nil {
		return fmt.Errorf("read text: %w", err)
	}
	*n = null(v.String)
	return nil
}

// Text turns "" into NULL, for columns that hold a text or nothing.
func Text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Rows reads every row of a query's answer with scan and closes it. Use it around Tx.Query:
//
//	list, err := store.Rows(scanUnit)(tx.Query(ctx, "SELECT …"))
func Rows[T any](scan func(row interface{ Scan(...any) error }) (T, error)) func(*sql.Rows, error) ([]T, error) {
	return func(rows *sql.Rows, err error) ([]T, error) {
		if err != nil {
			return nil, err
		}
		defer rows.Close() // its error is the one rows.Err reports
		var list []T
		for rows.Next() {
			item, err := scan(rows)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		return list, rows.Err()
	}
}

// Row is what a scan function reads: one row of a query's answer.
type Row = interface{ Scan(...any) error }

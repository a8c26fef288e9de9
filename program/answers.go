package program

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/person"
)

// Answer is a decision as it stands in the log.
type Answer struct {
	Decision
	ProgramName string
	GrantNumber int64 // ลำดับ of the right it rests on; 0 when it rests on none
}

// Query says which answers to list. Empty fields let all through.
type Query struct {
	Program, Unit string
	Person        person.ID
	Outcome       Outcome
	From, To      time.Time // from the one moment on, up to but not at the other
	Before        string    // the cursor that the page before ended with
	Limit         int       // answers to a page, 50 when not positive and at most 500
}

// Outcome is what was answered.
type Outcome string

// The outcomes.
const (
	Allowed Outcome = "allowed"
	Refused Outcome = "refused"
)

// Answers lists what programs were answered, newest first, and the cursor of the next page, "" on the last one: to
// central administrators and auditors, Denied to anyone else. A cursor that was never answered is problem.NotFound.
func (l *Log) Answers(ctx context.Context, by person.ID, q Query) (list []Answer, next string, err error) {
	err = l.DB.Read(ctx, func(tx *store.Tx) error {
		if err := l.Book.RequireReader(ctx, tx, by); err != nil {
			return err
		}
		list, next, err = answers(ctx, tx, q)
		return err
	})
	return list, next, err
}

// Count is how often a program was answered.
type Count struct{ Allowed, Refused int }

// Counts tells what a program was answered from a moment on, to central administrators and auditors.
func (l *Log) Counts(ctx context.Context, by person.ID, program string, from time.Time) (n Count, err error) {
	err = l.DB.Read(ctx, func(tx *store.Tx) error {
		if err := l.Book.RequireReader(ctx, tx, by); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `SELECT count(CASE WHEN allowed THEN 1 END), count(CASE WHEN NOT allowed THEN 1 END)
			FROM decisions WHERE program_id = $1 AND at >= $2`, program, store.Us(from)).Scan(&n.Allowed, &n.Refused)
		if err != nil {
			return fmt.Errorf("count answers: %w", err)
		}
		return nil
	})
	return n, err
}

func answers(ctx context.Context, tx *store.Tx, q Query) (list []Answer, next string, err error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		where = append(where, condition)
	}
	for _, equal := range []struct{ column, value string }{
		{"program_id", q.Program}, {"unit", q.Unit}, {"person_id", string(q.Person)},
	} {
		if equal.value != "" {
			add("d."+equal.column+" = ?", told(equal.value, mostRequest))
		}
	}
	if q.Outcome != "" {
		add("d.allowed = ?", q.Outcome == Allowed)
	}
	if !q.From.IsZero() {
		add("d.at >= ?", store.Us(q.From))
	}
	if !q.To.IsZero() {
		add("d.at < ?", store.Us(q.To))
	}
	if q.Before != "" {
		at, serial, err := parseCursor(q.Before)
		if err != nil {
			return nil, "", err
		}
		add("(d.at, d.serial) < (?, ?)", at, serial)
	}
	limit := min(q.Limit, 500)
	if limit <= 0 {
		limit = 50
	}
	type row struct {
		Answer
		serial int64
	}
	// One more than asked for tells whether there is a next page.
	rows, err := store.Rows(func(r store.Row) (a row, err error) {
		return a, r.Scan(store.At(&a.At), &a.serial, &a.Program, &a.Request, &a.Subject, &a.Action, &a.Unit, &a.Team, store.At(&a.Moment),
			&a.Allowed, &a.Reason, &a.Grant, &a.ProgramName, &a.GrantNumber)
	})(tx.Query(ctx, `SELECT d.at, d.serial, d.program_id, d.request, d.person_id, d.action, d.unit, d.team, d.moment,
			d.allowed, d.reason, d.grant_id, coalesce(p.name, ''), coalesce(g.number, 0)
		FROM decisions d LEFT JOIN programs p ON p.id = d.program_id LEFT JOIN grants g ON g.id = d.grant_id
		WHERE `+strings.Join(where, " AND ")+`
		ORDER BY d.at DESC, d.serial DESC LIMIT `+strconv.Itoa(limit+1), args...))
	if err != nil {
		return nil, "", fmt.Errorf("list answers: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		next = strconv.FormatInt(last.At.UnixMicro(), 10) + "." + strconv.FormatInt(last.serial, 10)
	}
	for _, r := range rows {
		list = append(list, r.Answer)
	}
	return list, next, nil
}

func parseCursor(cursor string) (at, serial int64, err error) {
	micros, number, _ := strings.Cut(cursor, ".")
	at, atErr := strconv.ParseInt(micros, 10, 64)
	serial, serialErr := strconv.ParseInt(number, 10, 64)
	if errors.Join(atErr, serialErr) != nil {
		return 0, 0, problem.New(problem.NotFound, "problem.notfound")
	}
	return at, serial, nil
}

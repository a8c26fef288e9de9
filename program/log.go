package program

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/person"
)

// Decision is one answer given to a program.
type Decision struct {
	At      time.Time // when it was answered
	Program string    // id
	Request string    // X-Request-ID
	Subject person.ID // "" for a person unknown here
	Action  string    // code, see Actions
	Unit    string    // code
	Team    string    // code, "" for the whole unit
	Moment  time.Time // the moment asked about; zero for the present
	Allowed bool
	Reason  string // code
	Grant   string // id of what it rests on, "" for nothing
}

// Log is the log of what programs were answered. It is written after the answer and in batches: what a process had
// not written when it was killed is lost, and what comes faster than it can be written is dropped and counted. It is
// safe for concurrent use.
type Log struct {
	Options
	queue   chan Decision
	written atomic.Uint64
	dropped atomic.Uint64
}

const (
	queued    = 1 << 13 // answers that may wait to be written
	batchSize = 500     // answers in one transaction, so that none of them takes long

	// Between two batches the database is left to others for at least restLeast, and for restTimes as long as the
	// batch took: the log has a fifth of it at most. restMost bounds it when the clock was set meanwhile.
	restLeast = 100 * time.Millisecond
	restTimes = 4
	restMost  = 2 * time.Second

	retryAfter = time.Second      // when the database could not be written
	stopWithin = 10 * time.Second // to write what still waits when the program stops
)

// NewLog opens the log. Nothing is written until Run.
func NewLog(o Options) *Log {
	return &Log{Options: o, queue: make(chan Decision, queued)}
}

// Note takes a decision to be written. It never waits: when too many wait already this one is dropped. It allocates
// nothing.
func (l *Log) Note(d Decision) {
	select {
	case l.queue <- d:
	default:
		l.dropped.Add(1)
	}
}

// Written is how many decisions were written since the program started.
func (l *Log) Written() uint64 { return l.written.Load() }

// Dropped is how many decisions were given up since the program started.
func (l *Log) Dropped() uint64 { return l.dropped.Load() }

// Waiting is how many decisions wait to be written.
func (l *Log) Waiting() int { return len(l.queue) }

// Run writes what was noted, until the context ends; then it writes what still waits, within a few seconds. Only one
// Run at a time.
func (l *Log) Run(ctx context.Context) error {
	batch := make([]Decision, 0, batchSize)
	for {
		select {
		case d := <-l.queue:
			batch = append(batch[:0], d)
		case <-ctx.Done():
			return l.finish(ctx, nil)
		}
		batch = l.gather(batch)
		began := l.Clock.Now()
		for !l.write(ctx, batch) {
			if !pause(ctx, retryAfter) {
				return l.finish(ctx, batch)
			}
		}
		rest := restTimes * l.Clock.Now().Sub(began)
		if !pause(ctx, min(max(rest, restLeast), restMost)) {
			return l.finish(ctx, nil)
		}
	}
}

// gather adds what waits to a batch.
func (l *Log) gather(batch []Decision) []Decision {
	for len(batch) < batchSize {
		select {
		case d := <-l.queue:
			batch = append(batch, d)
		default:
			return batch
		}
	}
	return batch
}

// pause waits; false when the context ends.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// finish writes a batch and all that waits.
func (l *Log) finish(ctx context.Context, batch []Decision) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	for batch = l.gather(batch); len(batch) > 0; batch = l.gather(batch[:0]) {
		if !l.write(ctx, batch) {
			l.dropped.Add(uint64(len(batch)))
		}
	}
	return nil
}

// write reports false when the batch may be tried again. What the database refuses for good is dropped.
func (l *Log) write(ctx context.Context, batch []Decision) bool {
	err := l.DB.Write(ctx, func(tx *store.Tx) error { return insertDecisions(ctx, tx, batch) })
	switch {
	case err == nil:
		l.written.Add(uint64(len(batch)))
		return true
	case ctx.Err() != nil, errors.Is(err, problem.Busy):
		l.Log.Warn("answers to programs wait to be written", "error", err)
		return false
	}
	l.dropped.Add(uint64(len(batch)))
	l.Log.Error("write answers to programs", "error", err, "dropped", len(batch))
	return true
}

// together is how many decisions one statement adds: PostgreSQL is asked less often, and SQLite needs the square of
// the values' number to prepare it.
const together = 16

var (
	insertOne  = insertion(1)
	insertMany = insertion(together)
)

// insertion is the statement that adds so many decisions.
func insertion(rows int) string {
	const columns = 12
	var text strings.Builder
	text.WriteString(`INSERT INTO decisions (at, serial, program_id, request, person_id, action, unit, team, moment, allowed, reason, grant_id) VALUES `)
	for n := range rows * columns {
		switch {
		case n == 0:
			text.WriteString("(")
		case n%columns == 0:
			text.WriteString("), (")
		default:
			text.WriteString(", ")
		}
		text.WriteString("$" + strconv.Itoa(n+1))
	}
	return text.String() + ")"
}

func insertDecisions(ctx context.Context, tx *store.Tx, batch []Decision) error {
	for len(batch) > 0 {
		n, statement := 1, insertOne
		if len(batch) >= together {
			n, statement = together, insertMany
		}
		var values []any
		for _, d := range batch[:n] {
			values = append(values, d.At.UnixMicro(), rand.Int64(), d.Program, told(d.Request, mostRequest), string(d.Subject),
				word(d.Action), word(d.Unit), word(d.Team), store.Us(d.Moment), d.Allowed, d.Reason, d.Grant)
		}
		if _, err := tx.Exec(ctx, statement, values...); err != nil {
			return fmt.Errorf("add decisions: %w", err)
		}
		batch = batch[n:]
	}
	return nil
}

// The most bytes that are kept of what the asker chose freely.
const (
	mostRequest = 128
	mostWord    = 40
	mostDigits  = 9 // of a code: ten and more could be somebody's number
)

// word keeps a code as it was asked for. What can be none is kept as "?", so that nobody's name or number comes into
// the log by way of a unit.
func word(code string) string {
	digits := 0
	for _, c := range []byte(code) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '.', c == '/':
		default:
			return "?"
		}
	}
	if len(code) > mostWord || digits > mostDigits {
		return "?"
	}
	return code
}

// told keeps at most so many bytes of a text, without what a database can not hold.
func told(text string, most int) string {
	text = text[:min(len(text), most)]
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}

// sweepSize is how many rows one transaction of Sweep deletes, so that none of them takes long.
const sweepSize = 1000

// Sweep deletes what was answered before a moment, and answers how much that was.
func (l *Log) Sweep(ctx context.Context, before time.Time) (swept int64, err error) {
	for {
		var n int64
		err := l.DB.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.Exec(ctx, `DELETE FROM decisions WHERE (at, serial) IN
				(SELECT at, serial FROM decisions WHERE at < $1 ORDER BY at, serial LIMIT $2)`, store.Us(before), sweepSize)
			return err
		})
		if err != nil {
			return swept, fmt.Errorf("sweep answers to programs: %w", err)
		}
		swept += n
		if n < sweepSize {
			return swept, nil
		}
		if !pause(ctx, restLeast) {
			return swept, fmt.Errorf("sweep answers to programs: %w", ctx.Err())
		}
	}
}

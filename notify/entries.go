package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
)

// Entry is a message as those see it who look after the delivery: never its words, its address masked.
type Entry struct {
	ID        string
	Channel   Channel
	Person    string
	Purpose   string
	Lang      locale.Lang
	To        string // masked; "" when it can not be opened
	State     State
	Attempts  int
	LastError string // of the last attempt that failed; names no address
	CreatedAt time.Time
	NextAt    time.Time // when a waiting one is tried next
	SentAt    time.Time // zero: not yet
	// Hindrance is why it can not be sent again.
	Hindrance Hindrance
}

// Retrying reports whether the message waits because an attempt has failed.
func (e Entry) Retrying() bool { return e.State == Waiting && e.LastError != "" }

// Retrying, as a state to ask for, is waiting after an attempt that failed.
const Retrying State = "retrying"

// Query narrows what Entries answers; what is zero narrows nothing.
type Query struct {
	State    State // Waiting asks for those that have not failed yet, Retrying for the others that wait
	Channel  Channel
	Purpose  string
	From, To time.Time // when it was queued, To exclusive
	Before   string    // the last entry of the page before
}

// entriesPage is how many messages a page holds.
const entriesPage = 50

const entryColumns = `id, channel, person_id, purpose, language, to_sealed, body_sealed IS NOT NULL, state, attempts, last_error,
	created_at, next_at, leased_until, expires_at, sent_at`

// Entries answers the newest messages first; next is the Before of the page after, "" when there is none.
func (o *Outbox) Entries(ctx context.Context, tx *store.Tx, q Query) (list []Entry, next string, err error) {
	where, args := "state <> 'nobody'", []any{}
	narrow := func(condition string, value any) {
		args = append(args, value)
		where += " AND " + condition + "$" + strconv.Itoa(len(args))
	}
	switch q.State {
	case "":
	case Waiting:
		where += " AND state = 'waiting' AND last_error = ''"
	case Retrying:
		where += " AND state = 'waiting' AND last_error <> ''"
	default:
		narrow("state = ", string(q.State))
	}
	if q.Channel != "" {
		narrow("channel = ", string(q.Channel))
	}
	if q.Purpose != "" {
		narrow("purpose = ", q.Purpose)
	}
	if !q.From.IsZero() {
		narrow("created_at >= ", store.Us(q.From))
	}
	if !q.To.IsZero() {
		narrow("created_at < ", store.Us(q.To))
	}
	if q.Before != "" {
		args = append(args, q.Before)
		where += " AND (created_at, id) < (SELECT m.created_at, m.id FROM messages m WHERE m.id = $" + strconv.Itoa(len(args)) + ")"
	}
	list, err = store.Rows(o.scanEntry(tx.Now))(tx.Query(ctx, `SELECT `+entryColumns+` FROM messages WHERE `+where+`
		ORDER BY created_at DESC, id DESC LIMIT `+strconv.Itoa(entriesPage+1), args...))
	if err != nil {
		return nil, "", fmt.Errorf("list deliveries: %w", err)
	}
	if len(list) > entriesPage {
		list = list[:entriesPage]
		next = list[entriesPage-1].ID
	}
	return list, next, nil
}

// Entry answers one message; problem.NotFound when there is none.
func (o *Outbox) Entry(ctx context.Context, tx *store.Tx, id string) (Entry, error) {
	e, err := o.scanEntry(tx.Now)(tx.QueryRow(ctx, `SELECT `+entryColumns+` FROM messages WHERE id = $1 AND state <> 'nobody'`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return e, problem.New(problem.NotFound, "messages.problem.unknown")
	}
	if err != nil {
		return e, fmt.Errorf("find message: %w", err)
	}
	return e, nil
}

func (o *Outbox) scanEntry(now time.Time) func(store.Row) (Entry, error) {
	return func(row store.Row) (e Entry, err error) {
		var to []byte
		var words bool
		var leased, expires time.Time
		err = row.Scan(&e.ID, &e.Channel, &e.Person, &e.Purpose, &e.Lang, &to, &words, &e.State, &e.Attempts, &e.LastError,
			store.At(&e.CreatedAt), store.At(&e.NextAt), store.At(&leased), store.At(&expires), store.At(&e.SentAt))
		if err != nil {
			return e, err
		}
		if e.State == Dead && e.LastError == unreadable {
			words = false
		}
		if address, err := o.Ring.Open(toPlace(e.ID), to); err == nil { // one that can not be opened is listed without
			e.To = mask(e.Channel, string(address))
		}
		e.Hindrance = hindrance(e.State, e.Attempts, leased.After(now), words, e.CreatedAt, expires, now)
		return e, nil
	}
}

// mask leaves of an address enough to know one's own.
func mask(c Channel, to string) string {
	switch c {
	case Email:
		return thai.Email(to).Mask()
	case SMS:
		return thai.Mobile(to).Mask()
	}
	return "•••"
}

// SendAgain has a message that failed or was given up tried anew, at once and with all its attempts: it keeps its ID, so
// that one that has arrived after all does not arrive twice. It fails with problem.NotFound, and with problem.Conflict
// when there is a Hindrance; a second press of the same button is one.
func (o *Outbox) SendAgain(ctx context.Context, tx *store.Tx, id string) (Entry, error) {
	e, err := o.Entry(ctx, tx, id)
	if err != nil {
		return e, err
	}
	if e.Hindrance != "" {
		return e, problem.New(problem.Conflict, "messages.problem."+string(e.Hindrance))
	}
	n, err := tx.Exec(ctx, `
		UPDATE messages SET state = 'waiting', attempts = 0, next_at = $2, leased_until = 0
		WHERE id = $1 AND state = $3 AND attempts = $4 AND leased_until <= $2`,
		id, store.Us(tx.Now), string(e.State), e.Attempts)
	if err != nil {
		return e, fmt.Errorf("send message again: %w", err)
	}
	if n == 0 { // taken by a lane since it was read
		return e, problem.New(problem.Conflict, "messages.problem."+string(OnItsWay))
	}
	tx.AfterCommit(func() { o.poke(e.Channel) })
	return e, nil
}

// GivenUp answers how many messages of the last 30 days were given up.
func (o *Outbox) GivenUp(ctx context.Context) (n int, err error) {
	err = o.DB.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, "SELECT count(*) FROM messages WHERE state = 'dead' AND created_at > $1",
			store.Us(tx.Now.Add(-keepDead))).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("count messages given up: %w", err)
	}
	return n, nil
}

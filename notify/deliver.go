package notify

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"sync"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/store"
)

const (
	// lanes is how many parcels of one channel are on their way at once: one slow recipient holds up no other,
	// and a mail server that hangs holds up no SMS.
	lanes = 2
	// poll is how often a lane looks for work that nobody told it of: retries, and messages of other processes.
	poll = 2 * time.Second
	// sendTime bounds one attempt.
	sendTime = 40 * time.Second
	// lease is how long a row belongs to the process that sends it: longer than any attempt with its bookkeeping.
	lease = 90 * time.Second
)

// backOff is the pause after each failed attempt; after one attempt more than there are pauses, about two days
// after the first, the message is dead: mail that is down over a weekend loses nothing.
var backOff = [...]time.Duration{
	10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour,
	2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// State is how far a message is.
type State string

// The states.
const (
	Waiting State = "waiting" // not yet delivered, will be tried
	Sent    State = "sent"    // the other side has taken charge of it
	Dead    State = "dead"    // given up: refused, expired or tried too often; LastError says why

	toNobody State = "nobody" // never to be sent: see Message.Nobody
)

// Delivery is a message as it stands in the outbox.
type Delivery struct {
	ID        string
	Channel   Channel
	Person    string
	Purpose   string
	Lang      locale.Lang
	To        string
	Subject   string // "" for an SMS, and once wiped
	Text      string // "" once wiped: when it is delivered, or a while after it was given up
	State     State
	Attempts  int
	LastError string
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	SentAt    time.Time // zero: not yet
}

// Backlog is what a channel has not delivered, for the metrics.
type Backlog struct {
	Channel Channel
	Waiting int
	Dead    int
	// Oldest is when the longest waiting message was queued; zero when none waits.
	Oldest time.Time
}

// StopPatience is how long Run goes on, after its context has ended, with what is on its way.
const StopPatience = 3 * time.Second

// Run delivers until the context ends; parcels on their way are finished first, for at most StopPatience. What is not
// through by then goes out again later. A commit that queued a message wakes Run at once.
func (o *Outbox) Run(ctx context.Context) error {
	var wait sync.WaitGroup
	for _, c := range o.ways() {
		for range lanes {
			wait.Go(func() { o.lane(ctx, c) })
		}
	}
	wait.Wait()
	return nil
}

// lane delivers the messages of one channel, one after the other.
func (o *Outbox) lane(ctx context.Context, c Channel) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if _, err := o.drain(ctx, c); err != nil && ctx.Err() == nil {
			o.Log.ErrorContext(ctx, "outbox does not get on", "channel", string(c), "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-o.wake[c]:
		case <-tick.C:
		}
	}
}

// Deliver sends what is due now, and answers how many parcels were taken. A parcel that fails is no error of
// Deliver: it waits for its next attempt.
func (o *Outbox) Deliver(ctx context.Context) (sent int, err error) {
	var errs []error
	for _, c := range o.ways() {
		n, err := o.drain(ctx, c)
		sent += n
		errs = append(errs, err)
	}
	return sent, errors.Join(errs...)
}

// drain sends messages of the channel until none is due.
func (o *Outbox) drain(ctx context.Context, c Channel) (sent int, err error) {
	for ctx.Err() == nil {
		work, err := o.due(ctx, c)
		if err != nil || !work {
			return sent, err
		}
		t, err := o.take(ctx, c)
		if err != nil || t == nil {
			return sent, err
		}
		if t.unreadable != nil {
			o.Log.ErrorContext(ctx, "message given up", "message", t.parcel.ID, "channel", string(c), "purpose", t.purpose,
				"error", t.unreadable)
			continue
		}
		ok, err := o.attempt(ctx, c, t)
		if err != nil {
			return sent, err
		}
		if ok {
			sent++
		}
	}
	return sent, nil
}

const dueQuery = `
	SELECT EXISTS (SELECT 1 FROM messages
	WHERE channel = $1 AND state = 'waiting' AND next_at <= $2 AND leased_until <= $2)`

// due looks without writing, so that an idle outbox leaves the one writer of SQLite alone.
func (o *Outbox) due(ctx context.Context, c Channel) (work bool, err error) {
	err = o.DB.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, dueQuery, string(c), store.Us(tx.Now)).Scan(&work)
	})
	if err != nil {
		return false, fmt.Errorf("find due messages: %w", err)
	}
	return work, nil
}

// taken is a message leased to this process.
type taken struct {
	parcel   Parcel
	attempts int
	until    time.Time // end of the lease
	expires  time.Time
	purpose  string
	// unreadable is why the message could not be opened; it is given up already then, and not leased.
	unreadable error
}

// unreadable is what is kept of a message that was altered, or sealed with a key that is no longer there.
const unreadable = "cannot be opened"

// take leases the message that has been due longest, or answers nil when none is. Messages that nobody needs any
// more are given up on the way, and so is one that cannot be opened: it would hold up all that come after it.
func (o *Outbox) take(ctx context.Context, c Channel) (t *taken, err error) {
	err = o.DB.Write(ctx, func(tx *store.Tx) error {
		t = nil
		now := store.Us(tx.Now)
		_, err := tx.Exec(ctx, `
			UPDATE messages SET state = 'dead', last_error = 'expired', leased_until = 0, body_sealed = `+o.wiped()+`
			WHERE channel = $1 AND state = 'waiting' AND expires_at <= $2 AND leased_until <= $2`, string(c), now)
		if err != nil {
			return err
		}
		found := taken{until: tx.Now.Add(lease)}
		var to, sealed []byte
		err = tx.QueryRow(ctx, `
			UPDATE messages SET leased_until = $3, attempts = attempts + 1
			WHERE leased_until <= $2 AND id IN (
				SELECT id FROM messages
				WHERE channel = $1 AND state = 'waiting' AND next_at <= $2 AND leased_until <= $2
				ORDER BY next_at LIMIT 1`+tx.SkipLocked()+`)
			RETURNING id, purpose, to_sealed, body_sealed, attempts, created_at, expires_at`,
			string(c), now, store.Us(found.until)).
			Scan(&found.parcel.ID, &found.purpose, &to, &sealed, &found.attempts, store.At(&found.parcel.At), store.At(&found.expires))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		found.parcel.To, found.parcel.Subject, found.parcel.Text, found.unreadable = o.open(found.parcel.ID, to, sealed)
		if found.unreadable == nil && found.parcel.Text == "" {
			found.unreadable = errors.New("it has no text")
		}
		if found.unreadable != nil {
			_, err = tx.Exec(ctx, `
				UPDATE messages SET state = 'dead', leased_until = 0, last_error = $2, body_sealed = `+o.wiped()+` WHERE id = $1`,
				found.parcel.ID, unreadable)
		}
		t = &found
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("take message: %w", err)
	}
	return t, nil
}

// wiped is what becomes of a body that is needed no more.
func (o *Outbox) wiped() string {
	if o.KeepBodies {
		return "body_sealed"
	}
	return "NULL"
}

func (o *Outbox) open(id string, toSealed, bodySealed []byte) (to, subject, text string, err error) {
	plain, err := o.Ring.Open(toPlace(id), toSealed)
	if err != nil {
		return "", "", "", fmt.Errorf("open message %s: %w", id, err)
	}
	if len(bodySealed) == 0 {
		return string(plain), "", "", nil
	}
	raw, err := o.Ring.Open(bodyPlace(id), bodySealed)
	if err != nil {
		return "", "", "", fmt.Errorf("open message %s: %w", id, err)
	}
	var b body
	if err := json.Unmarshal(raw, &b); err != nil {
		return "", "", "", fmt.Errorf("open message %s: %w", id, err)
	}
	return string(plain), b.Subject, b.Text, nil
}

// attempt sends a leased message and notes how it went.
func (o *Outbox) attempt(ctx context.Context, c Channel, t *taken) (ok bool, err error) {
	failure := o.send(ctx, c, t.parcel)
	ctx = context.WithoutCancel(ctx)
	log := o.Log.With("message", t.parcel.ID, "channel", string(c), "purpose", t.purpose, "attempt", t.attempts)
	if failure == nil {
		err := o.DB.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `
				UPDATE messages SET state = 'sent', sent_at = $3, leased_until = 0, last_error = '', body_sealed = `+o.wiped()+`
				WHERE id = $1 AND state = 'waiting' AND leased_until = $2`,
				t.parcel.ID, store.Us(t.until), store.Us(tx.Now))
			return err
		})
		if err != nil {
			return false, fmt.Errorf("note message %s as sent: %w", t.parcel.ID, err)
		}
		log.InfoContext(ctx, "message sent")
		return true, nil
	}

	reason := scrub(failure.Error())
	var dead bool
	err = o.DB.Write(ctx, func(tx *store.Tx) error {
		pause, again := nextPause(t.attempts)
		next := tx.Now.Add(pause)
		dead = !again || errors.Is(failure, ErrRefused) || !t.expires.IsZero() && !next.Before(t.expires)
		state, body := Waiting, "body_sealed"
		if dead {
			state = Dead
		}
		if dead && !t.expires.IsZero() { // the words of the others stay for a while: see SendAgain
			body = o.wiped()
		}
		_, err := tx.Exec(ctx, `
			UPDATE messages SET state = $3, next_at = $4, leased_until = 0, last_error = $5, body_sealed = `+body+`
			WHERE id = $1 AND state = 'waiting' AND leased_until = $2`,
			t.parcel.ID, store.Us(t.until), string(state), store.Us(next), reason)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("note failure of message %s: %w", t.parcel.ID, err)
	}
	if dead {
		log.ErrorContext(ctx, "message given up", "error", reason)
	} else {
		log.WarnContext(ctx, "message failed, will be tried again", "error", reason)
	}
	return false, nil
}

// errStopped is the failure of a parcel that was on its way when the program had to end.
var errStopped = errors.New("the program stopped before the message was taken")

// send hands a parcel over. Once the context has ended it waits for StopPatience and no longer, whatever the sender is
// waiting for; should the parcel arrive all the same, it arrives twice.
func (o *Outbox) send(ctx context.Context, c Channel, p Parcel) error {
	sendCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTime)
	defer cancel()
	sent := make(chan error, 1)
	go func() { sent <- o.Senders[c].Send(sendCtx, p) }()
	select {
	case err := <-sent:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-sent:
		return err
	case <-time.After(StopPatience):
		return errStopped
	}
}

// nextPause is how long to wait after so many attempts, a fifth more or less by chance, so that messages that
// failed together do not come back together; again is false when it was the last.
func nextPause(attempts int) (pause time.Duration, again bool) {
	if attempts > len(backOff) {
		return 0, false
	}
	pause = backOff[max(attempts, 1)-1]
	return pause*4/5 + rand.N(pause*2/5), true
}

// personal finds what may be an address in the words of another server: anything around an @, and six digits or more.
var personal = regexp.MustCompile(`[^\s<>"']*@[^\s<>"']*|\+?[0-9][0-9 -]{4,}[0-9]`)

// scrub makes the text of a sender's error fit to be kept and logged.
func scrub(s string) string {
	const most = 300
	s = personal.ReplaceAllString(s, "‹…›")
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return s
}

// List answers the newest messages first, opened: for /demo/outbox and the testhooks build. One that cannot be opened
// is listed without address and text, and LastError says so.
func (o *Outbox) List(ctx context.Context, limit int) (list []Delivery, err error) {
	err = o.DB.Read(ctx, func(tx *store.Tx) error {
		list, err = store.Rows(o.scan)(tx.Query(ctx, `
			SELECT id, channel, person_id, purpose, language, to_sealed, body_sealed, state, attempts, last_error,
				created_at, expires_at, sent_at
			FROM messages WHERE state <> 'nobody' ORDER BY created_at DESC, id DESC LIMIT $1`, limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	return list, nil
}

func (o *Outbox) scan(row store.Row) (d Delivery, err error) {
	var to, sealed []byte
	err = row.Scan(&d.ID, &d.Channel, &d.Person, &d.Purpose, &d.Lang, &to, &sealed, &d.State, &d.Attempts, &d.LastError,
		store.At(&d.CreatedAt), store.At(&d.ExpiresAt), store.At(&d.SentAt))
	if err != nil {
		return d, err
	}
	if d.To, d.Subject, d.Text, err = o.open(d.ID, to, sealed); err != nil {
		d.LastError = unreadable
	}
	return d, nil
}

// retention is how long a message is kept when Options say nothing (trust.md 23 and 24).
const retention = 90 * 24 * time.Hour

// Sweep deletes delivered and dead messages that are no longer kept, and answers how many went; those that wait stay. Of
// the dead ones the words go after 30 days. Once an hour is plenty.
func (o *Outbox) Sweep(ctx context.Context) (swept int64, err error) {
	err = o.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE messages SET body_sealed = `+o.wiped()+`
			WHERE state = 'dead' AND created_at <= $1 AND body_sealed IS NOT NULL`, store.Us(tx.Now.Add(-keepDead)))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("wipe messages given up: %w", err)
	}
	return o.DB.Delete(ctx, store.Old{Table: "messages", Key: "id", Where: "created_at <= $1 AND state IN ('sent', 'dead', 'nobody')", Before: o.DB.Now().Add(-cmp.Or(o.Keep, retention))})
}

// Backlog answers what each channel has not delivered, in the order email, sms.
func (o *Outbox) Backlog(ctx context.Context) ([]Backlog, error) {
	list := make([]Backlog, len(o.ways()))
	err := o.DB.Read(ctx, func(tx *store.Tx) error {
		for i, c := range o.ways() {
			list[i] = Backlog{Channel: c}
			err := tx.QueryRow(ctx, `
				SELECT (SELECT count(*) FROM messages WHERE state = 'waiting' AND channel = $1),
					(SELECT count(*) FROM messages WHERE state = 'dead' AND channel = $1),
					(SELECT min(created_at) FROM messages WHERE state = 'waiting' AND channel = $1)`, string(c)).
				Scan(&list[i].Waiting, &list[i].Dead, store.At(&list[i].Oldest))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count messages: %w", err)
	}
	return list, nil
}

package proof

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"sync/atomic"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"

	"sitthi/notify"
)

// The limits of one-time codes (trust.md 8).
const (
	// CodeDigits is how long a code is.
	CodeDigits = 6
	// triesPerCode and triesPerDay are how often codes are compared: one code, and all codes of one account.
	triesPerCode = 5
	triesPerDay  = 10
	day          = 24 * time.Hour
)

// lifetime is how long a code holds: an SMS arrives at once or not at all, mail may be slow.
var lifetime = map[notify.Channel]time.Duration{notify.SMS: 5 * time.Minute, notify.Email: 10 * time.Minute}

// sendings is a limit on how many codes are sent within a span of time.
type sendings struct {
	most   int
	within time.Duration
}

// perContact is how many codes one contact is sent.
var perContact = []sendings{{1, time.Minute}, {3, 15 * time.Minute}, {10, day}}

// The defaults of CodesOptions: an office behind one address can register thirty officers in an hour and a hundred in
// a day, and a stranger spends no more than a small part of the SMS budget.
const (
	codesPerHour = 60
	codesPerDay  = 200
)

// CodesOptions are what Codes is made of.
type CodesOptions struct {
	Ring   *seal.Ring
	Outbox *notify.Outbox
	Log    *slog.Logger
	// SMSBudget is how many codes go out by SMS within 24 hours; more are refused. From four fifths on the log
	// has a warning, at the end an error: somebody may be pumping SMS at the ministry's cost.
	SMSBudget int
	// PerHour and PerDay are how many codes are sent at the request of one network (see Network), by mail and SMS
	// together: nobody alone mails strangers without end, or spends the budget. 60 and 200 when zero.
	PerHour, PerDay int
}

// Codes sends one-time codes and checks them. It is safe for concurrent use.
type Codes struct {
	CodesOptions
	alarmed atomic.Int64 // when the log was last told of the budget, in microseconds
}

// NewCodes makes Codes.
func NewCodes(o CodesOptions) *Codes {
	o.PerHour, o.PerDay = cmp.Or(o.PerHour, codesPerHour), cmp.Or(o.PerDay, codesPerDay)
	return &Codes{CodesOptions: o}
}

// CodeOrder asks for a code to be sent.
type CodeOrder struct {
	// Flow is the id of the row on the server that the code belongs to; Browser the hash of the flow's cookie.
	Flow    string
	Browser string
	// Purpose is what the code is for; the message's template is "<purpose>.code".
	Purpose string
	// Account is whose tries are counted over the day: a person's id, or a blind index where there is none yet.
	Account string
	Channel notify.Channel
	// To is the contact, a thai.Email or thai.Mobile as text.
	To string
	// Network is who asks, as Network tells it.
	Network string
	// Person is the id of the person told, "" where there is none yet.
	Person string
	Lang   locale.Lang
	// Hidden says that who asks is not told the contact, and may not learn of it. So he is told of limits on Account and
	// Channel alone, and where the contact itself has been sent too many, nothing is sent and nobody is told.
	Hidden bool
	// Nobody says that there is no one to send it to. All is done as for somebody, limits and all, so that the work does
	// not tell; the code is one that nobody has seen.
	Nobody bool
}

// CodeTry is a code that somebody typed. It finds the code only with the flow, browser, purpose, channel and contact it
// was sent for.
type CodeTry struct {
	Flow    string
	Browser string
	Purpose string
	Channel notify.Channel
	To      string
	Code    string
}

// Send makes a new code, voids the older ones of the same flow, purpose and channel, and queues the message. It answers
// the reference that the form shows beside the field. Too many sendings to one contact or for one network, and a spent
// SMS budget, are a problem.Busy with the time to wait.
func (c *Codes) Send(ctx context.Context, tx *store.Tx, o CodeOrder) (reference string, err error) {
	contact, network := c.contact(o.Channel, o.To), c.Ring.Index("code.network", o.Network)
	if err := c.maySend(ctx, tx, &o, contact, network); err != nil {
		return "", err
	}
	if o.Channel == notify.SMS {
		if err := c.withinBudget(ctx, tx); err != nil {
			return "", err
		}
	}
	code, err := newCode()
	if err != nil {
		return "", err
	}
	reference = newReference()
	_, err = tx.Exec(ctx, `
		UPDATE codes SET voided_at = $4
		WHERE flow = $1 AND purpose = $2 AND channel = $3 AND used_at IS NULL AND voided_at IS NULL`,
		o.Flow, o.Purpose, string(o.Channel), store.Us(tx.Now))
	if err != nil {
		return "", fmt.Errorf("void older codes: %w", err)
	}
	id, expires := store.NewID(), tx.Now.Add(lifetime[o.Channel])
	_, err = tx.Exec(ctx, `
		INSERT INTO codes (id, flow, browser, purpose, account, channel, contact, network, reference, hash, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		id, o.Flow, o.Browser, o.Purpose, o.Account, string(o.Channel), contact, network, reference, c.hash(id, code),
		store.Us(tx.Now), store.Us(expires))
	if err != nil {
		return "", fmt.Errorf("keep code: %w", err)
	}
	return reference, c.Outbox.Queue(ctx, tx, notify.Message{
		Channel: o.Channel, Person: o.Person, To: o.To, Purpose: o.Purpose + ".code", Lang: o.Lang, ExpiresAt: expires, Nobody: o.Nobody,
		Args: locale.Args{"code": code, "reference": reference, "minutes": int(lifetime[o.Channel].Minutes())},
	})
}

// contact is the blind index under which sendings to one contact are counted.
func (c *Codes) contact(channel notify.Channel, to string) string {
	return c.Ring.Index("code.contact", string(channel)+"/"+to)
}

// hash is keyed, and of each code another: a million guesses against a stolen table tell nothing.
func (c *Codes) hash(id, code string) string { return c.Ring.Index("code.hash", id+"/"+code) }

// maySend holds the sendings to the contact and for the network against the limits, and those of a hidden contact's
// account as well. It makes an order for nobody of one that a hidden contact is not sent any more.
func (c *Codes) maySend(ctx context.Context, tx *store.Tx, o *CodeOrder, contact, network string) error {
	count := func(where string, limits []sendings, args ...any) (time.Duration, error) {
		sent, err := store.Rows(scanTime)(tx.Query(ctx, "SELECT created_at FROM codes WHERE "+where+" AND created_at > $1 ORDER BY created_at DESC, id",
			append([]any{store.Us(tx.Now.Add(-day))}, args...)...))
		if err != nil {
			return 0, fmt.Errorf("count codes sent: %w", err)
		}
		return sendWait(sent, tx.Now, limits), nil
	}
	wait, err := count("contact = $2", perContact, contact)
	if err != nil {
		return err
	}
	if o.Hidden {
		if wait > 0 {
			o.Nobody, o.Person = true, ""
		}
		if wait, err = count("account = $2 AND channel = $3", perContact, o.Account, string(o.Channel)); err != nil {
			return err
		}
	}
	if err := toldToWait("proof.code.wait", wait); err != nil {
		return err
	}
	if wait, err = count("network = $2", []sendings{{c.PerHour, time.Hour}, {c.PerDay, day}}, network); err != nil {
		return err
	}
	return toldToWait("proof.code.network", wait)
}

func toldToWait(key string, wait time.Duration) error {
	switch {
	case wait > time.Hour:
		return tooMany(key+"_hours", wait, time.Hour)
	case wait > 0:
		return tooMany(key, wait, time.Minute)
	}
	return nil
}

func scanTime(row store.Row) (at time.Time, err error) { return at, row.Scan(store.At(&at)) }

// tooMany is the answer to who asks too often; the message says the wait in whole units.
func tooMany(key string, wait, unit time.Duration) error {
	return &problem.Problem{
		Kind: problem.Busy, Key: key, RetryAfter: wait, TooMany: true,
		Args: problem.Args("n", int((wait+unit-1)/unit)),
	}
}

// withinBudget holds the SMS of the last 24 hours against the budget.
func (c *Codes) withinBudget(ctx context.Context, tx *store.Tx) error {
	sent, err := c.SentSMS(ctx, tx)
	if err != nil {
		return err
	}
	if sent >= c.SMSBudget {
		c.alarm(ctx, slog.LevelError, tx.Now, sent)
		return &problem.Problem{Kind: problem.Busy, Key: "proof.code.budget", RetryAfter: time.Hour}
	}
	if (sent+1)*5 >= c.SMSBudget*4 {
		c.alarm(ctx, slog.LevelWarn, tx.Now, sent+1)
	}
	return nil
}

// alarm tells the log of the budget, at most once a minute.
func (c *Codes) alarm(ctx context.Context, level slog.Level, now time.Time, sent int) {
	last := c.alarmed.Load()
	if now.UnixMicro()-last < time.Minute.Microseconds() || !c.alarmed.CompareAndSwap(last, now.UnixMicro()) {
		return
	}
	c.Log.Log(ctx, level, "SMS budget for codes", "sent", sent, "budget", c.SMSBudget)
}

// SentSMS is how many codes went out by SMS within the last 24 hours: for the metrics, beside SMSBudget.
func (c *Codes) SentSMS(ctx context.Context, tx *store.Tx) (n int, err error) {
	err = tx.QueryRow(ctx, "SELECT count(*) FROM codes WHERE channel = $1 AND created_at > $2",
		string(notify.SMS), store.Us(tx.Now.Add(-day))).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count SMS: %w", err)
	}
	return n, nil
}

// Try checks a code, once. The try is counted before the comparison, so the caller commits the transaction
// whatever ok says: a wrong code is ok=false and no error; WrongCode then is what to tell. Where nothing is compared
// there is an error: what was typed has not the form of a code, which costs no try, or no code of this flow is good any
// more (both problem.Invalid, field "code"), or the account has had its ten tries of the day (problem.Busy).
func (c *Codes) Try(ctx context.Context, tx *store.Tx, t CodeTry) (ok bool, err error) {
	if !formed(t.Code) {
		return false, badCode("proof.code.form")
	}
	var id, account, hash string
	err = tx.QueryRow(ctx, `
		UPDATE codes SET tries = tries + 1
		WHERE flow = $1 AND browser = $2 AND purpose = $3 AND channel = $4 AND contact = $5
			AND expires_at > $6 AND used_at IS NULL AND voided_at IS NULL AND tries < $7
		RETURNING id, account, hash`,
		t.Flow, t.Browser, t.Purpose, string(t.Channel), c.contact(t.Channel, t.To), store.Us(tx.Now), triesPerCode).
		Scan(&id, &account, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return false, badCode("proof.code.void")
	}
	if err != nil {
		return false, fmt.Errorf("count try: %w", err)
	}
	var tries int
	var oldest time.Time
	err = tx.QueryRow(ctx, "SELECT sum(tries), min(created_at) FROM codes WHERE account = $1 AND created_at > $2 AND tries > 0",
		account, store.Us(tx.Now.Add(-day))).Scan(&tries, store.At(&oldest))
	if err != nil {
		return false, fmt.Errorf("count tries of the day: %w", err)
	}
	if tries > triesPerDay {
		return false, tooMany("proof.code.day", oldest.Add(day).Sub(tx.Now), time.Hour)
	}
	if !hmac.Equal([]byte(c.hash(id, t.Code)), []byte(hash)) {
		return false, nil
	}
	err = tx.QueryRow(ctx, `
		UPDATE codes SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND voided_at IS NULL AND expires_at > $2 RETURNING id`,
		id, store.Us(tx.Now)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return false, badCode("proof.code.void")
	}
	if err != nil {
		return false, fmt.Errorf("use code: %w", err)
	}
	return true, nil
}

// WrongCode is what to tell after Try answered false: problem.Invalid, field "code".
func WrongCode() error { return badCode("proof.code.wrong") }

func badCode(key string) error {
	var check problem.Check
	check.Fail("code", key)
	return check.Err()
}

// newCode makes six digits, each of the million equally likely.
func newCode() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("make code: %w", err)
	}
	return fmt.Sprintf("%06d", n), nil
}

// newReference makes four consonants that people can tell apart, and that make no word.
func newReference() string {
	const letters = "BCDFGHJKMNPRTVWX" // 16 of them, so that half a byte chooses evenly
	b := make([]byte, 4)
	rand.Read(b)
	for i := range b {
		b[i] = letters[b[i]&15]
	}
	return string(b)
}

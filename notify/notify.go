// Package notify takes messages to people (e-mail, SMS) within the transaction of an act and delivers them afterwards.
package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/seal"
	"sitthi/internal/store"
)

// Channel is a way to reach a person.
type Channel string

// The channels.
const (
	Email Channel = "email"
	SMS   Channel = "sms"
	LINE  Channel = "line" // a push to the LINE user who wrote; there only with a sender
)

// channels are all channels; an Outbox needs a Sender for each but LINE.
var channels = [...]Channel{Email, SMS, LINE}

// Message is what an act wants a person to be told. The words come from this package's own catalogue.
type Message struct {
	Channel Channel
	// Person is the id of the person told, "" where there is none yet.
	Person string
	// To is the address: a thai.Email or a thai.Mobile as text.
	To string
	// Purpose names the template, for example "grant.given"; Templates lists them.
	Purpose string
	Lang    locale.Lang
	// Args fill the template; all that Templates lists for the purpose must be there.
	Args locale.Args
	// ExpiresAt is when the message is of no more use and is no longer sent; zero is never.
	ExpiresAt time.Time
	// Nobody says that the message is to be written and kept like any other, and never sent: where a stranger could
	// otherwise tell from the work whether somebody is there to be told.
	Nobody bool
}

// Parcel is one message on its way out.
type Parcel struct {
	// ID is the same at every attempt, so that the other side can tell a repetition.
	ID      string
	To      string
	Subject string // "" for an SMS
	Text    string
	// At is when the message was queued.
	At time.Time
}

// Sender hands a parcel to the outside world. It answers nil only once the other side has taken charge of the
// parcel, and an error wrapping ErrRefused when the other side never will. The context carries a deadline. The
// error's text is kept for operators, so it names no address. Implementations are safe for concurrent use.
type Sender interface {
	Send(ctx context.Context, p Parcel) error
}

// ErrRefused says that the other side will never take this parcel: trying again is of no use.
var ErrRefused = errors.New("refused for good")

// Options are what an Outbox is made of.
type Options struct {
	DB      *store.DB
	Ring    *seal.Ring
	Log     *slog.Logger
	Senders map[Channel]Sender
	// KeepBodies keeps the text of messages that were sent, readable by List: for --demo and the testhooks build.
	KeepBodies bool
	// Keep is how long a message is kept once it is delivered or given up, counted from when it was queued; 90 days when
	// zero: as long as logs have to be, so that who was told of what can be looked up as long as who did it.
	Keep time.Duration
}

// Outbox keeps messages in the database until they are delivered. Several processes may share one database: a row
// is leased before it is sent. Delivery is at least once: after a crash between sending and noting it, the parcel
// goes out again with the same ID.
type Outbox struct {
	Options
	wake map[Channel]chan struct{}
}

// NewOutbox makes an Outbox; it fails when a channel has no sender or the texts do not fit the templates.
func NewOutbox(o Options) (*Outbox, error) {
	if _, err := catalogue(); err != nil {
		return nil, err
	}
	outbox := &Outbox{Options: o, wake: make(map[Channel]chan struct{})}
	for _, c := range channels {
		if o.Senders[c] == nil {
			if c == LINE {
				continue
			}
			return nil, fmt.Errorf("make outbox: channel %s has no sender", c)
		}
		outbox.wake[c] = make(chan struct{}, lanes)
	}
	return outbox, nil
}

// Has reports whether there is a way out for the channel.
func (o *Outbox) Has(c Channel) bool { return o.Senders[c] != nil }

// ways are the channels with a way out.
func (o *Outbox) ways() []Channel {
	return slices.DeleteFunc(slices.Clone(channels[:]), func(c Channel) bool { return !o.Has(c) })
}

// Queue writes messages into the transaction of the act: they go out soon after the commit, or not at all when the act
// is rolled back. An unknown purpose or a missing argument is a mistake of the programmer and fails the act.
func (o *Outbox) Queue(ctx context.Context, tx *store.Tx, messages ...Message) error {
	for batch := range slices.Chunk(messages, queueBatch) {
		var text strings.Builder
		var args []any
		for _, m := range batch {
			values, err := o.row(tx, m)
			if err != nil {
				return fmt.Errorf("queue message: %w", err)
			}
			for i, v := range values {
				text.WriteString([...]string{", (", ", "}[min(i, 1)])
				args = append(args, v)
				text.WriteString("$" + strconv.Itoa(len(args)))
			}
			text.WriteString(")")
		}
		if _, err := tx.Exec(ctx, `
			INSERT INTO messages (id, channel, person_id, purpose, language, to_sealed, body_sealed, state, next_at, created_at, expires_at)
			VALUES `+text.String()[len(", "):], args...); err != nil {
			return fmt.Errorf("queue message: %w", err)
		}
	}
	for _, c := range o.ways() {
		if slices.ContainsFunc(messages, func(m Message) bool { return m.Channel == c }) {
			tx.AfterCommit(func() { o.poke(c) })
		}
	}
	return nil
}

// queueBatch is how many messages one statement adds: more make SQLite slower, whose time to prepare a statement grows
// with the square of its values.
const queueBatch = 20

// row makes what the table keeps of a message.
func (o *Outbox) row(tx *store.Tx, m Message) ([]any, error) {
	subject, text, err := render(m)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(body{subject, text})
	if err != nil {
		return nil, err
	}
	id, state := store.NewID(), Waiting
	if m.Nobody {
		state = toNobody
	}
	return []any{id, string(m.Channel), m.Person, m.Purpose, string(m.Lang), o.Ring.Seal(toPlace(id), []byte(m.To)),
		o.Ring.Seal(bodyPlace(id), body), string(state), store.Us(tx.Now), store.Us(tx.Now), store.Us(m.ExpiresAt)}, nil
}

// body is what is sealed of a message beside its address.
type body struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
}

// The places that recipients and texts are sealed for.
const (
	toPlaces   = "message.to"
	bodyPlaces = "message.body"
)

// Sealed is what this package seals, for whoever seals it anew.
var Sealed = []seal.Field{
	{Table: "messages", Column: "to_sealed", Key: []string{"id"}, Place: toPlaces},
	{Table: "messages", Column: "body_sealed", Key: []string{"id"}, Place: bodyPlaces},
}

func toPlace(id string) string   { return toPlaces + "/" + id }
func bodyPlace(id string) string { return bodyPlaces + "/" + id }

// poke wakes a lane that waits for work on the channel; when all are busy they look again by themselves.
func (o *Outbox) poke(c Channel) {
	select {
	case o.wake[c] <- struct{}{}:
	default:
	}
}

package helpdesk

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/notify"
	"sitthi/proof"
)

// LineBody is the size in bytes of the biggest webhook of LINE that is read.
const LineBody = 256 << 10

// mostEvents is how many events of one webhook are taken.
const mostEvents = 100

// LineSigned reports whether the body of a webhook was signed with the channel secret: X-Line-Signature holds the base64
// of its HMAC-SHA256 (https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/). It takes as long for
// a wrong signature as for the right one.
func LineSigned(secret string, body []byte, signature string) bool {
	given, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || secret == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), given)
}

// LineEvent is what is read of an event: who wrote, and what. Neither the text nor a display name is kept.
type LineEvent struct {
	ID   string
	User string
	Text string // "" for who has just added the account as a friend
}

// errLine says that a webhook is none of LINE's.
var errLine = errors.New("not a webhook of LINE")

// ReadLine reads the events of a webhook that a person can be answered to: text messages of users, and users who add the
// account. All others are left out.
func ReadLine(body []byte) ([]LineEvent, error) {
	var hook struct {
		Events []struct {
			Type   string `json:"type"`
			ID     string `json:"webhookEventId"`
			Mode   string `json:"mode"`
			Source struct {
				Type   string `json:"type"`
				UserID string `json:"userId"`
			} `json:"source"`
			Message struct {
				Type string `json:"type"`
				Text string `json:"text"`
			} `json:"message"`
		} `json:"events"`
	}
	if err := json.Unmarshal(body, &hook); err != nil {
		return nil, fmt.Errorf("%w: %w", errLine, err)
	}
	if len(hook.Events) > mostEvents {
		return nil, fmt.Errorf("%w: %d events", errLine, len(hook.Events))
	}
	var list []LineEvent
	for _, e := range hook.Events {
		said := e.Type == "message" && e.Message.Type == "text"
		if !said && e.Type != "follow" || e.Mode == "standby" || e.Source.Type != "user" {
			continue
		}
		if !lineName(e.ID) || !lineName(e.Source.UserID) {
			return nil, fmt.Errorf("%w: an event without its id or user", errLine)
		}
		list = append(list, LineEvent{ID: e.ID, User: e.Source.UserID, Text: e.Message.Text})
	}
	return list, nil
}

// lineName reports whether a text can be an id of LINE's: letters and digits, of some length.
func lineName(id string) bool {
	return len(id) >= 8 && len(id) <= 64 && !slices.ContainsFunc([]byte(id), func(c byte) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	})
}

// TakeLine takes events of LINE in, each once however often it is delivered. A message that says what is asked for makes
// a ticket, or finds the one that is open already; who wrote gets the receipt and the link at which he completes it on
// the web. Any other message is answered with how to write. Who writes too often gets no answer.
func (d *Desk) TakeLine(ctx context.Context, events []LineEvent) error {
	for _, e := range events {
		if err := d.DB.Write(ctx, func(tx *store.Tx) error { return d.takeLine(ctx, tx, e) }); err != nil {
			return fmt.Errorf("take event of LINE: %w", err)
		}
	}
	return nil
}

func (d *Desk) takeLine(ctx context.Context, tx *store.Tx, e LineEvent) error {
	n, err := tx.Exec(ctx, `INSERT INTO line_events (id, at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, e.ID, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("note event: %w", err)
	}
	if n == 0 {
		return nil
	}
	user := d.Ring.Index("help.line", e.User)
	wait, err := proof.Take(ctx, tx, "help/line/"+user, byLine)
	if err != nil || wait > 0 {
		return err
	}
	answer := func(purpose, path string, args locale.Args) error {
		args["link"] = d.Link(path)
		return d.Outbox.Queue(ctx, tx, notify.Message{Channel: notify.LINE, To: e.User, Purpose: purpose, Lang: locale.TH, Args: args})
	}
	kind, ok := kindOf(e.Text)
	if !ok {
		return answer("help.hint", "/officer/help", locale.Args{})
	}
	t, err := selectOfLine(ctx, tx, user, kind, tx.Now.Add(-draftLives))
	token := seal.Token()
	switch {
	case err == nil && t.State != Draft:
		return answer("help.received", "/officer/help/status", locale.Args{"receipt": t.Receipt})
	case err == nil: // the link that was sent before is kept as a hash only: another takes its place
		err = updateToken(ctx, tx, t.ID, seal.TokenHash(token))
	case errors.Is(err, problem.NotFound):
		t = Ticket{ID: store.NewID(), Receipt: newReceipt(), Kind: kind, Line: true, State: Draft, Lang: locale.TH}
		t.line = d.Ring.Seal(linePlace(t.ID), []byte(e.User))
		if err = insertTicket(ctx, tx, t, seal.TokenHash(token), user); err == nil {
			err = d.note(ctx, tx, t.ID, "", "wrote", string(kind), "")
		}
	}
	if err != nil {
		return err
	}
	return answer("help.complete", "/officer/help?t="+token, locale.Args{"receipt": t.Receipt})
}

// Package delivery lets central administrators see how messages fare, and send those again that did not arrive.
package delivery

import (
	"context"

	"sitthi/audit"
	"sitthi/internal/store"
	"sitthi/notify"
)

// Desk is where the delivery of messages is looked after. What it answers holds no words of a message and no whole
// address. Everything answers problem.Denied to who is no central administrator.
type Desk struct {
	DB     *store.DB
	Outbox *notify.Outbox
	// Administrator answers problem.Denied unless the person holds the central administrator's post at tx.Now.
	Administrator func(ctx context.Context, tx *store.Tx, by string) error
}

// List answers the messages that a query finds, newest first; next is the Before of the page after, "" when there is none.
func (d Desk) List(ctx context.Context, by string, q notify.Query) (list []notify.Entry, next string, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		if err := d.Administrator(ctx, tx, by); err != nil {
			return err
		}
		list, next, err = d.Outbox.Entries(ctx, tx, q)
		return err
	})
	return list, next, err
}

// SendAgain has a message that failed or was given up tried anew, at once; see notify.Outbox.SendAgain for what it fails
// with. It is recorded.
func (d Desk) SendAgain(ctx context.Context, by, id string) (e notify.Entry, err error) {
	act := audit.Act{Name: "message.send_again", Actor: by, Object: id}
	err = audit.Do(ctx, d.DB, &act, func(tx *store.Tx) error {
		if err := d.Administrator(ctx, tx, by); err != nil {
			return err
		}
		if e, err = d.Outbox.SendAgain(ctx, tx, id); err != nil {
			return err
		}
		act.Subject, act.Detail = e.Person, map[string]string{"channel": string(e.Channel), "purpose": e.Purpose}
		return nil
	})
	return e, err
}

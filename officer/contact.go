package officer

import (
	"context"
	"fmt"
	"time"

	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/person"
	"sitthi/proof"
)

// ContactRests is how long a changed contact can not recover an account (trust.md 10): who came in unseen and put his own
// contact there can not take the account over before its owner, who is told at the old one, has noticed.
const ContactRests = 72 * time.Hour

// Recovers reports whether an account can be recovered at a moment by its contact of a channel: one that a code has
// proved, and that was on file when he registered or for 72 hours. An account switched off is recovered by nothing.
func Recovers(a Account, channel notify.Channel, now time.Time) bool {
	var proved, since time.Time
	switch channel {
	case notify.Email:
		proved, since = a.EmailProvedAt, a.EmailSince
	case notify.SMS:
		proved, since = a.PhoneProvedAt, a.PhoneSince
	}
	return a.Enabled() && !proved.IsZero() && (since.IsZero() || now.Sub(since) >= ContactRests)
}

const (
	// contactPurpose is the name of the codes of a change of contact.
	contactPurpose = "contact"
	// contactLife is how long a change may take from the new contact to its code.
	contactLife = time.Hour
)

// contactChanges is how often one officer may begin: each sends a code to whom he names.
var contactChanges = proof.Rate{Burst: 6, Every: 10 * time.Minute}

// Owner is who changes a contact of his, and where: the session and the token of the browser's flow cookie. A change
// that was begun is nobody else's, and in no other browser.
type Owner struct {
	Person  person.ID
	Session string
	Browser string
}

// ContactChange is a change of e-mail address or phone number under way, or done.
type ContactChange struct {
	ID        string
	Channel   notify.Channel
	Contact   string // the new one, as people write it; "" once done
	Reference string // of the code sent last
	SentAt    time.Time
	Done      bool
}

// contactChange is a row of contact_changes.
type contactChange struct {
	ContactChange
	to     string // the new contact, as it is kept
	sealed []byte
}

// contact is the contact of a channel, as it is kept.
func (a Account) contact(channel notify.Channel) string {
	if channel == notify.SMS {
		return string(a.Phone)
	}
	return string(a.Email)
}

// proved reports when the contact of a channel was proved.
func (a Account) proved(channel notify.Channel) time.Time {
	if channel == notify.SMS {
		return a.PhoneProvedAt
	}
	return a.EmailProvedAt
}

// written is a contact as people write it.
func written(channel notify.Channel, to string) string {
	if channel == notify.SMS {
		return thai.Mobile(to).National()
	}
	return to
}

// masked is a contact as far as it is told to who may not see it whole.
func masked(channel notify.Channel, to string) string {
	if channel == notify.SMS {
		return thai.Mobile(to).Mask()
	}
	return thai.Email(to).Mask()
}

// ContactField is the field of the form in which the contact of a channel is typed, "" for an unknown channel.
func ContactField(channel notify.Channel) string {
	switch channel {
	case notify.Email:
		return FieldEmail
	case notify.SMS:
		return FieldPhone
	}
	return ""
}

// readContact reads a contact as typed.
func readContact(c *problem.Check, channel notify.Channel, typed string) (to string) {
	if channel == notify.SMS {
		return string(readPhone(c, typed))
	}
	return string(readEmail(c, typed))
}

// StartContact sends a code to the new contact and answers the change that goes on. It fails with problem.Invalid for what
// is no contact and for the one on file, and with problem.Busy when too much was begun or sent before.
func (d *Desk) StartContact(ctx context.Context, by Owner, channel notify.Channel, typed string) (ContactChange, error) {
	var check problem.Check
	to := readContact(&check, channel, typed)
	if err := check.Err(); err != nil {
		return ContactChange{}, err
	}
	var c contactChange
	err := d.db.Write(ctx, func(tx *store.Tx) error {
		account, err := Find(ctx, tx, by.Person)
		if err != nil {
			return err
		}
		if account.contact(channel) == to && !account.proved(channel).IsZero() {
			var check problem.Check
			check.Fail(ContactField(channel), "officer.problem."+ContactField(channel)+"_same")
			return check.Err()
		}
		wait, err := proof.Take(ctx, tx, "contact/"+string(by.Person), contactChanges)
		if err != nil {
			return err
		}
		if wait > 0 {
			return &problem.Problem{Kind: problem.Busy, Key: "officer.problem.contact_often", RetryAfter: wait, TooMany: true,
				Args: problem.Args("n", minutes(wait))}
		}
		c = contactChange{ContactChange: ContactChange{ID: store.NewID(), Channel: channel, Contact: written(channel, to)}, to: to}
		if err := insertContactChange(ctx, tx, c, by, d.ring.Seal(contactPlace(c.ID), []byte(to))); err != nil {
			return err
		}
		return d.sendContact(ctx, tx, &c, by, account.Language)
	})
	if err != nil {
		return ContactChange{}, fmt.Errorf("start change of contact: %w", err)
	}
	return c.ContactChange, nil
}

// contactPlace binds a sealed contact to its row.
func contactPlace(id string) string { return contactPlaces + "/" + id }

// sendContact sends the code of a change and notes its reference.
func (d *Desk) sendContact(ctx context.Context, tx *store.Tx, c *contactChange, by Owner, lang locale.Lang) (err error) {
	c.Reference, err = d.codes.Send(ctx, tx, proof.CodeOrder{
		Flow: c.ID, Browser: seal.TokenHash(by.Browser), Purpose: contactPurpose, Account: string(by.Person), Channel: c.Channel,
		To: c.to, Network: network(ctx), Person: string(by.Person), Lang: lang,
	})
	if err != nil {
		return err
	}
	c.SentAt = tx.Now
	return updateContactSent(ctx, tx, *c)
}

// ContactChange answers where a change stands. It fails with problem.NotFound for an unknown one, one that took longer
// than an hour, and one of another person, session or browser.
func (d *Desk) ContactChange(ctx context.Context, by Owner, id string) (ContactChange, error) {
	var c contactChange
	err := d.db.Read(ctx, func(tx *store.Tx) (err error) {
		c, err = d.contactChange(ctx, tx, by, id)
		return err
	})
	return c.ContactChange, err
}

// contactChange finds a change and opens the contact that is sealed in it.
func (d *Desk) contactChange(ctx context.Context, tx *store.Tx, by Owner, id string) (contactChange, error) {
	c, err := selectContactChange(ctx, tx, by, id)
	if err != nil || c.Done {
		return c, err
	}
	plain, err := d.ring.Open(contactPlace(c.ID), c.sealed)
	if err != nil {
		return c, fmt.Errorf("open change of contact: %w", err)
	}
	c.to = string(plain)
	c.Contact = written(c.Channel, c.to)
	return c, nil
}

// ResendContact sends another code and voids the one before. It fails like ContactChange, and with problem.Busy when it is
// too early.
func (d *Desk) ResendContact(ctx context.Context, by Owner, id string) (ContactChange, error) {
	var c contactChange
	err := d.db.Write(ctx, func(tx *store.Tx) (err error) {
		if c, err = d.contactChange(ctx, tx, by, id); err != nil || c.Done {
			return err
		}
		account, err := Find(ctx, tx, by.Person)
		if err != nil {
			return err
		}
		return d.sendContact(ctx, tx, &c, by, account.Language)
	})
	return c.ContactChange, err
}

// ProveContact takes the code that was sent to the new contact. When it is right the contact takes the place of the old
// one, which is told at once, as is every other; for 72 hours it can not recover the account. A change that is done
// answers so, and a form sent twice does no harm. It fails like ContactChange, and with problem.Invalid or problem.Busy
// for what proof.Codes.Try refuses.
func (d *Desk) ProveContact(ctx context.Context, by Owner, id, code string) (ContactChange, error) {
	code, err := thai.FoldDigits(code)
	if err != nil {
		var c problem.Check
		c.Fail(FieldCode, "officer.problem.code_form")
		return ContactChange{}, c.Err()
	}
	var c contactChange
	var refused error
	err = d.db.Write(ctx, func(tx *store.Tx) (err error) {
		refused = nil
		if c, err = d.contactChange(ctx, tx, by, id); err != nil || c.Done {
			return err
		}
		right, err := d.codes.Try(ctx, tx, proof.CodeTry{
			Flow: c.ID, Browser: seal.TokenHash(by.Browser), Purpose: contactPurpose, Channel: c.Channel, To: c.to, Code: code,
		})
		if err != nil {
			return err
		}
		if !right {
			refused = proof.WrongCode() // the try stays counted
			return nil
		}
		return d.changeContact(ctx, tx, &c, by.Person)
	})
	if err != nil {
		return ContactChange{}, fmt.Errorf("prove new contact: %w", err)
	}
	return c.ContactChange, refused
}

// changeContact puts a contact that was proved in the place of the old one.
func (d *Desk) changeContact(ctx context.Context, tx *store.Tx, c *contactChange, who person.ID) error {
	was, err := Find(ctx, tx, who)
	if err != nil {
		return err
	}
	old := was.contact(c.Channel)
	if err := updateContact(ctx, tx, who, c.Channel, c.to, old != c.to); err != nil {
		return err
	}
	if err := endContactChanges(ctx, tx, who, *c); err != nil {
		return err
	}
	err = audit.Record(ctx, tx, audit.Act{
		Name: "officer.change_contact", Actor: string(who), Subject: string(who), Unit: was.Unit, Object: c.ID,
		Detail: map[string]string{"channel": string(c.Channel)},
		Texts:  map[string]string{"before": masked(c.Channel, old), "after": masked(c.Channel, c.to)},
	})
	if err != nil {
		return err
	}
	args := locale.Args{"channel": channelNames[c.Channel], "contact": masked(c.Channel, c.to)}
	if old != c.to && old != "" {
		if err := Tell(ctx, tx, d.outbox, was, "contact.changed", args); err != nil { // the old contact among them
			return err
		}
	}
	c.Done, c.Contact = true, ""
	return nil
}

// channelNames are the kinds of contact as messages call them.
var channelNames = map[notify.Channel]locale.Name{
	notify.Email: {TH: "อีเมล", EN: "e-mail address"},
	notify.SMS:   {TH: "เบอร์โทรศัพท์มือถือ", EN: "mobile number"},
}

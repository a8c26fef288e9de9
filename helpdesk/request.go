package helpdesk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/proof"
	"sitthi/signin"
)

// Form is a request as typed.
type Form struct {
	Kind      string
	CitizenID string
	Name      string
	Position  string
	Unit      string
	Phone     string
	Email     string
	// Token is of the link that completes a request by LINE, "" for a request of its own.
	Token string
	Lang  locale.Lang
}

// Request is a case as who asked sees it. It tells nothing of whether there is an account (trust.md, P5).
type Request struct {
	ID        string
	Receipt   string
	Kind      Kind
	Stage     Stage
	CreatedAt time.Time
	Proved    bool           // a code was right
	SentBy    notify.Channel // how the code went last, "" before
	Reference string         // of that code
}

func (t Ticket) request() Request {
	return Request{ID: t.ID, Receipt: t.Receipt, Kind: t.Kind, Stage: t.State.stage(), CreatedAt: t.CreatedAt, Proved: t.Proved,
		SentBy: t.sentBy, Reference: t.reference}
}

// read turns the form into what is sealed of it, and notes every fault that can be seen without asking anybody.
func (f Form) read(c *problem.Check, anyDigit bool) (kind Kind, citizen thai.CitizenID, t Typed) {
	switch kind = Kind(f.Kind); kind {
	case Reset, Active:
	default:
		c.Fail(FieldKind, "helpdesk.kind_missing")
	}
	citizen, err := thai.ParseCitizenID(f.CitizenID)
	switch {
	case errors.Is(err, thai.ErrEmpty):
		c.Fail(FieldCitizenID, "officer.problem.citizen_id_empty")
	case errors.Is(err, thai.ErrCheckDigit) && !anyDigit:
		c.Fail(FieldCitizenID, "officer.problem.citizen_id_digit")
	case err != nil && !errors.Is(err, thai.ErrCheckDigit):
		c.Fail(FieldCitizenID, "officer.problem.citizen_id_form")
	default:
		t.CitizenID = citizen.Digits()
	}
	line := func(field, typed string, most int) string {
		s, err := thai.CleanLine(typed, most)
		switch {
		case err != nil:
			c.Fail(field, "officer.problem.too_long", "n", most)
		case s == "":
			c.Fail(field, "helpdesk."+field+"_empty")
		}
		person.CheckText(c, field, s) // sealed, but whoever looks at the ticket is shown the ID masked
		return s
	}
	t.Name, t.Position = line(FieldName, f.Name, 2*officer.MostName), line(FieldPosition, f.Position, officer.MostPosition)
	phone, err := thai.ParseMobile(f.Phone)
	none := errors.Is(err, thai.ErrEmpty)
	if err != nil && !none {
		c.Fail(FieldPhone, "officer.problem.phone_form")
	}
	email, err := thai.ParseEmail(f.Email)
	if none = none && errors.Is(err, thai.ErrEmpty); none {
		c.Fail(FieldPhone, "helpdesk.contact_missing")
	} else if err != nil && !errors.Is(err, thai.ErrEmpty) {
		c.Fail(FieldEmail, "officer.problem.email_form")
	}
	t.Phone, t.Email = string(phone), string(email)
	return kind, citizen, t
}

// Send takes a request in. Nothing in it looks for an account. browser is the token of the browser's flow cookie, which
// sees how it stands from then on. It fails with problem.Invalid for what can be mended, with problem.NotFound for the
// link of a request that is completed or over, and with problem.Busy when too many come from one network or about one
// contact.
func (d *Desk) Send(ctx context.Context, f Form, browser string) (Request, error) {
	var c problem.Check
	kind, citizen, typed := f.read(&c, d.AnyCheckDigit)
	var t Ticket
	err := d.DB.Write(ctx, func(tx *store.Tx) error {
		check := c
		unit, err := agency.Find(ctx, tx, f.Unit)
		if errors.Is(err, problem.NotFound) || err == nil && !unit.Active {
			check.Fail(FieldUnit, "officer.problem.unit_empty")
		} else if err != nil {
			return err
		}
		if err := check.Err(); err != nil {
			return err
		}
		if err := d.take(ctx, tx, "help/network/"+proof.Network(audit.OriginOf(ctx).Address), byNetwork); err != nil {
			return err
		}
		t = Ticket{ID: store.NewID(), Receipt: newReceipt(), Kind: kind, CreatedAt: tx.Now, Lang: f.Lang}
		if f.Token != "" {
			if t, err = selectDraft(ctx, tx, seal.TokenHash(f.Token), tx.Now.Add(-draftLives)); err != nil {
				return err
			}
		}
		t.State, t.Unit, t.subject = New, unit.Code, d.Roll.Index(citizen)
		t.emailIndex, t.phoneIndex = d.contact(typed.Email), d.contact(typed.Phone)
		for _, index := range []string{t.emailIndex, t.phoneIndex} {
			if index == "" {
				continue
			}
			if err := d.take(ctx, tx, "help/contact/"+index, byContact); err != nil {
				return err
			}
		}
		plain, err := json.Marshal(typed)
		if err != nil {
			return fmt.Errorf("seal request: %w", err)
		}
		t.form = d.Ring.Seal(formPlace(t.ID), plain)
		if f.Token == "" {
			err = insertTicket(ctx, tx, t, "")
		} else {
			err = completeTicket(ctx, tx, t)
		}
		if err != nil {
			return err
		}
		if err := upsertBrowser(ctx, tx, t.ID, seal.TokenHash(browser)); err != nil {
			return err
		}
		if err := d.note(ctx, tx, t.ID, "", "received", string(t.Kind), ""); err != nil {
			return err
		}
		return d.tell(ctx, tx, t, typed, "help.received")
	})
	if err != nil {
		return Request{}, fmt.Errorf("take request in: %w", err)
	}
	return t.request(), nil
}

// take counts a use against a limit; beyond it the answer is problem.Busy.
func (d *Desk) take(ctx context.Context, tx *store.Tx, key string, rate proof.Rate) error {
	wait, err := proof.Take(ctx, tx, key, rate)
	if err == nil && wait > 0 {
		return &problem.Problem{Kind: problem.Busy, Key: "helpdesk.too_many", RetryAfter: wait, TooMany: true,
			Args: problem.Args("n", int((wait+time.Minute-1)/time.Minute))}
	}
	return err
}

// contact is the blind index of a contact typed; "" for none.
func (d *Desk) contact(typed string) string {
	if typed == "" {
		return ""
	}
	return d.Ring.Index("help.contact", typed)
}

func formPlace(id string) string { return "ticket.form/" + id }

// opened is what was typed into a ticket; the zero value for one that is not completed.
func (d *Desk) opened(t Ticket) (typed Typed, err error) {
	if len(t.form) == 0 {
		return Typed{}, nil
	}
	plain, err := d.Ring.Open(formPlace(t.ID), t.form)
	if err == nil {
		err = json.Unmarshal(plain, &typed)
	}
	if err != nil {
		return Typed{}, fmt.Errorf("open request %s: %w", t.ID, err)
	}
	return typed, nil
}

// Pending answers the kind of a request by LINE that a link completes; problem.NotFound when it is completed or over.
func (d *Desk) Pending(ctx context.Context, token string) (r Request, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		t, err := selectDraft(ctx, tx, seal.TokenHash(token), tx.Now.Add(-draftLives))
		r = t.request()
		return err
	})
	return r, err
}

// Find opens the status of a request to a browser that knows its receipt and a contact given with it. What is wrong is
// not told apart: problem.Invalid; and problem.Busy for a network that tries too often.
func (d *Desk) Find(ctx context.Context, receipt, contact, browser string) (r Request, err error) {
	var c problem.Check
	number := readReceipt(receipt)
	if number == "" {
		c.Fail(FieldReceipt, "helpdesk.receipt_form")
	}
	var indexes []string
	if phone, err := thai.ParseMobile(contact); err == nil {
		indexes = append(indexes, d.contact(string(phone)))
	} else if email, err := thai.ParseEmail(contact); err == nil {
		indexes = append(indexes, d.contact(string(email)))
	} else {
		c.Fail(FieldContact, "helpdesk.contact_form")
	}
	if err := c.Err(); err != nil {
		return Request{}, err
	}
	var refused error
	err = d.DB.Write(ctx, func(tx *store.Tx) error {
		refused = d.take(ctx, tx, "help/status/"+proof.Network(audit.OriginOf(ctx).Address), askings)
		if errors.Is(refused, problem.Busy) {
			return nil
		}
		if refused != nil {
			return refused
		}
		t, err := selectByReceipt(ctx, tx, number, indexes[0])
		if errors.Is(err, problem.NotFound) {
			var c problem.Check
			c.Fail(FieldReceipt, "helpdesk.receipt_unknown")
			refused = c.Err() // the try stays counted
			return nil
		}
		if err != nil {
			return err
		}
		r = t.request()
		return upsertBrowser(ctx, tx, t.ID, seal.TokenHash(browser))
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return Request{}, fmt.Errorf("find request: %w", err)
	}
	return r, nil
}

// Request answers how a request stands to a browser that may see it; problem.NotFound to any other.
func (d *Desk) Request(ctx context.Context, id, browser string) (r Request, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		t, err := selectByBrowser(ctx, tx, id, seal.TokenHash(browser))
		r = t.request()
		return err
	})
	return r, err
}

// noContact stands where there is no contact, so that the limits on sending hold there too.
func noContact(subject string) string { return "help/nobody/" + subject }

// owner answers the account that a ticket means and its contact for the channel, both empty where there is none.
func (d *Desk) owner(ctx context.Context, tx *store.Tx, subject string, channel notify.Channel) (a officer.Account, to string, err error) {
	a, err = signin.Owner(ctx, tx, subject)
	if errors.Is(err, problem.NotFound) {
		return officer.Account{}, "", nil
	}
	return a, signin.RecoveryContact(a, channel, tx.Now), err
}

// SendCode sends a code to the contact on file of the channel, if there is an account with one for 72 hours; the answer
// and the work are the same if there is not. It fails like Request, with problem.Invalid for an unknown channel, and
// with problem.Busy when codes are asked for too often.
func (d *Desk) SendCode(ctx context.Context, id, browser string, channel notify.Channel) (Request, error) {
	if channel != notify.Email && channel != notify.SMS {
		var c problem.Check
		c.Fail(FieldChannel, "signin.problem.channel")
		return Request{}, c.Err()
	}
	var t Ticket
	err := d.DB.Write(ctx, func(tx *store.Tx) (err error) {
		if t, err = selectByBrowser(ctx, tx, id, seal.TokenHash(browser)); err != nil || !t.provable() {
			return err
		}
		owner, to, err := d.owner(ctx, tx, t.subject, channel)
		if err != nil {
			return err
		}
		order := proof.CodeOrder{Flow: t.ID, Browser: seal.TokenHash(browser), Purpose: codePurpose, Account: t.subject, Channel: channel,
			To: to, Hidden: true, Network: proof.Network(audit.OriginOf(ctx).Address), Person: string(owner.Person), Lang: owner.Language}
		if to == "" {
			order.To, order.Lang, order.Nobody, order.Person = noContact(t.subject), t.Lang, true, ""
		}
		if t.reference, err = d.Codes.Send(ctx, tx, order); err != nil {
			return err
		}
		t.sentBy = channel
		return updateSent(ctx, tx, t)
	})
	if err != nil {
		return Request{}, fmt.Errorf("send code for request: %w", err)
	}
	return t.request(), nil
}

// provable reports whether a code could still prove who asks.
func (t Ticket) provable() bool { return t.State != Draft && t.State != Closed && !t.Proved }

// Prove takes the code that proves who asks. It fails like Request, and with problem.Invalid or problem.Busy for what
// proof.Codes.Try refuses.
func (d *Desk) Prove(ctx context.Context, id, browser, code string) (Request, error) {
	code, err := thai.FoldDigits(code)
	if err != nil {
		var c problem.Check
		c.Fail(FieldCode, "signin.problem.code_form")
		return Request{}, c.Err()
	}
	var t Ticket
	var refused error
	err = d.DB.Write(ctx, func(tx *store.Tx) (err error) {
		refused = nil
		if t, err = selectByBrowser(ctx, tx, id, seal.TokenHash(browser)); err != nil || !t.provable() {
			return err
		}
		if t.sentBy == "" {
			return errNoTicket()
		}
		_, to, err := d.owner(ctx, tx, t.subject, t.sentBy)
		if err != nil {
			return err
		}
		somebody := to != ""
		if !somebody {
			to = noContact(t.subject)
		}
		right, err := d.Codes.Try(ctx, tx, proof.CodeTry{
			Flow: t.ID, Browser: seal.TokenHash(browser), Purpose: codePurpose, Channel: t.sentBy, To: to, Code: code,
		})
		if err != nil {
			return err
		}
		if !right || !somebody {
			refused = proof.WrongCode() // the try stays counted
			return nil
		}
		t.ProvedBy, t.ProvedAt, t.Proved = t.sentBy, tx.Now, true
		if err := updateProved(ctx, tx, t); err != nil {
			return err
		}
		return d.note(ctx, tx, t.ID, "", "proved", string(t.ProvedBy), "")
	})
	if err != nil {
		return Request{}, fmt.Errorf("prove request: %w", err)
	}
	return t.request(), refused
}

// tell tells who asked how it stands: at the contact on file that he has proved, else by e-mail at the address he typed;
// and by LINE when that is how he wrote. Nothing of it opens anything. To a number that is only typed goes no SMS: anybody
// could have the department pay for messages to anybody. Mails to an address typed are as few as Send takes requests in.
func (d *Desk) tell(ctx context.Context, tx *store.Tx, t Ticket, typed Typed, purpose string) error {
	m := notify.Message{Channel: t.ProvedBy}
	if t.ProvedBy != "" {
		owner, to, err := d.owner(ctx, tx, t.subject, t.ProvedBy)
		if err != nil {
			return err
		}
		m.To, m.Person = to, string(owner.Person)
	}
	if m.To == "" {
		m = notify.Message{Channel: notify.Email, To: typed.Email}
	}
	if m.To == "" {
		return d.tellLine(ctx, tx, t, purpose)
	}
	m.Purpose, m.Lang, m.Args = purpose, t.Lang, d.news(t)
	if err := d.Outbox.Queue(ctx, tx, m); err != nil {
		return err
	}
	return d.tellLine(ctx, tx, t, purpose)
}

// tellLine tells who wrote by LINE how it stands.
func (d *Desk) tellLine(ctx context.Context, tx *store.Tx, t Ticket, purpose string) error {
	if len(t.line) == 0 || !d.Outbox.Has(notify.LINE) {
		return nil
	}
	to, err := d.Ring.Open(linePlace(t.ID), t.line)
	if err != nil {
		return fmt.Errorf("open LINE user of request %s: %w", t.ID, err)
	}
	return d.Outbox.Queue(ctx, tx, notify.Message{Channel: notify.LINE, To: string(to), Purpose: purpose, Lang: t.Lang, Args: d.news(t)})
}

func (d *Desk) news(t Ticket) locale.Args {
	return locale.Args{"receipt": t.Receipt, "link": d.Link("/officer/help/status")}
}

func linePlace(id string) string { return "ticket.line/" + id }

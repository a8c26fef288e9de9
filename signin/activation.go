package signin

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/proof"
)

// ActivationStep is where the way of a locked officer back in stands (กรณีขอ "Active User").
type ActivationStep string

// The steps, in their order; after ActivationAsked one of the last three follows.
const (
	ActivationHelp      ActivationStep = "help"      // no contact on file serves: the help desk does
	ActivationChannel   ActivationStep = "channel"   // choose by which contact on file the code comes
	ActivationCode      ActivationStep = "code"      // enter it
	ActivationAsked     ActivationStep = "asked"     // his chief has been asked
	ActivationConfirmed ActivationStep = "confirmed" // the account is open again
	ActivationRefused   ActivationStep = "refused"
)

const (
	// activationPurpose is the name of the codes on the way back in.
	activationPurpose = "activation"
	// askedLife is how long the officer's own page shows what became of a request. The request itself does not run out.
	askedLife = 30 * 24 * time.Hour
)

// Activation is the way of a locked officer back in, as its own browser sees it. There is no session: the browser has
// shown the password once, and sees nothing but this.
type Activation struct {
	ID        string
	Step      ActivationStep
	Contacts  map[notify.Channel]string // that serve, masked
	Channel   notify.Channel            // of the code sent last, "" before
	Reference string                    // of that code
	SentAt    time.Time
	AskedAt   time.Time
	DecidedAt time.Time
	Reason    string // of a refusal
}

// activation is a row of activations with the account that it is about.
type activation struct {
	Activation
	account officer.Account
	outcome string
}

// errNoActivation is the one answer for a way back in that is not there, took too long, or is another browser's.
func errNoActivation() error { return problem.New(problem.NotFound, "signin.problem.no_activation") }

// lockOut begins the way back in of somebody who has proved all that is asked of him and is locked, in place of a session.
func (d *Desk) lockOut(ctx context.Context, tx *store.Tx, act *audit.Act, owner officer.Account, in In, o *Opened) error {
	id, err := insertActivation(ctx, tx, owner.Person, owner.Unit, seal.TokenHash(cmp.Or(in.Browser, seal.Token())))
	if err != nil {
		return err
	}
	act.Name, act.Object = "signin.locked", id
	o.Activation = id
	return nil
}

// orLocked answers a sign-in, and problem.Locked with nothing but the way back in where that was begun instead of a session.
func (o Opened) orLocked() (Opened, error) {
	if o.Activation == "" {
		return o, nil
	}
	return Opened{Activation: o.Activation}, problem.New(problem.Locked, "signin.problem.locked")
}

// Activation answers where a way back in stands. It fails with problem.NotFound for an unknown one, one that took too
// long, and one of another browser.
func (d *Desk) Activation(ctx context.Context, id, browser string) (Activation, error) {
	var a activation
	err := d.db.Read(ctx, func(tx *store.Tx) (err error) {
		a, err = d.activation(ctx, tx, id, browser)
		return err
	})
	return a.Activation, err
}

// activation reads a way back in and sees where it stands.
func (d *Desk) activation(ctx context.Context, tx *store.Tx, id, browser string) (activation, error) {
	a, err := selectActivation(ctx, tx, id, seal.TokenHash(browser))
	if err != nil {
		return activation{}, err
	}
	a.Contacts = map[notify.Channel]string{}
	for _, channel := range []notify.Channel{notify.SMS, notify.Email} {
		switch {
		case !officer.Recovers(a.account, channel, tx.Now):
		case channel == notify.SMS:
			a.Contacts[channel] = a.account.Phone.Mask()
		default:
			a.Contacts[channel] = a.account.Email.Mask()
		}
	}
	switch {
	case !a.account.Locked(tx.Now, d.settings.LockAfter):
		a.Step = ActivationConfirmed // by his chief or, without the request, by the help desk
	case a.outcome == "refused":
		a.Step = ActivationRefused
	case !a.DecidedAt.IsZero(): // what was asked before he was opened once, and locked again
		return activation{}, errNoActivation()
	case !a.AskedAt.IsZero():
		a.Step = ActivationAsked
	case len(a.Contacts) == 0:
		a.Step = ActivationHelp
	case a.Channel == "":
		a.Step = ActivationChannel
	default:
		a.Step = ActivationCode
	}
	return a, nil
}

// contact is the contact on file that a code of the channel goes to; "" when there is none that serves.
func (a activation) contact(channel notify.Channel) string {
	switch _, serves := a.Contacts[channel]; {
	case !serves:
		return ""
	case channel == notify.SMS:
		return string(a.account.Phone)
	}
	return string(a.account.Email)
}

// SendActivation sends a code to a contact on file, the first time or again. A code sent before is void. It fails like
// Activation, with problem.Invalid for a channel by which no contact serves, and with problem.Busy when codes are asked
// for too often.
func (d *Desk) SendActivation(ctx context.Context, id, browser string, channel notify.Channel) (Activation, error) {
	var a activation
	err := d.db.Write(ctx, func(tx *store.Tx) (err error) {
		if a, err = d.activation(ctx, tx, id, browser); err != nil || a.Step != ActivationChannel && a.Step != ActivationCode {
			return err
		}
		to := a.contact(channel)
		if to == "" {
			return invalid(FieldChannel, "signin.problem.channel")
		}
		a.Reference, err = d.codes.Send(ctx, tx, proof.CodeOrder{
			Flow: a.ID, Browser: seal.TokenHash(browser), Purpose: activationPurpose, Account: string(a.account.Person), Channel: channel,
			To: to, Network: proof.Network(audit.OriginOf(ctx).Address), Person: string(a.account.Person), Lang: a.account.Language,
		})
		if err != nil {
			return err
		}
		a.Channel, a.SentAt, a.Step = channel, tx.Now, ActivationCode
		return updateActivationSent(ctx, tx, a.Activation)
	})
	if err != nil {
		return Activation{}, fmt.Errorf("send code to be let in: %w", err)
	}
	return a.Activation, nil
}

// ProveActivation takes the code; with the right one his chief is asked. A way that has come further answers where it
// stands, so a form sent twice does no harm. It fails like Activation, and with problem.Invalid or problem.Busy for what
// proof.Codes.Try refuses.
func (d *Desk) ProveActivation(ctx context.Context, id, browser, code string) (Activation, error) {
	code, err := thai.FoldDigits(code)
	if err != nil {
		return Activation{}, invalid(FieldCode, "signin.problem.code_form")
	}
	var a activation
	var refused error
	err = d.db.Write(ctx, func(tx *store.Tx) (err error) {
		refused = nil
		if a, err = d.activation(ctx, tx, id, browser); err != nil {
			return err
		}
		switch a.Step {
		case ActivationCode:
		case ActivationChannel, ActivationHelp:
			refused = errNoActivation() // nothing was sent that could be entered
			return nil
		default:
			return nil
		}
		right, err := d.codes.Try(ctx, tx, proof.CodeTry{
			Flow: a.ID, Browser: seal.TokenHash(browser), Purpose: activationPurpose, Channel: a.Channel, To: a.contact(a.Channel), Code: code,
		})
		if err != nil {
			return err
		}
		if !right {
			refused = proof.WrongCode() // the try stays counted
			return nil
		}
		return d.request(ctx, tx, &a)
	})
	if err != nil {
		return Activation{}, fmt.Errorf("prove contact to be let in: %w", err)
	}
	return a.Activation, refused
}

// request makes a request of a way back in and has those told who decide. Of several that wait the newest counts.
func (d *Desk) request(ctx context.Context, tx *store.Tx, a *activation) error {
	if err := endActivations(ctx, tx, a.account.Person); err != nil {
		return err
	}
	if err := updateActivationAsked(ctx, tx, a.ID); err != nil {
		return err
	}
	a.AskedAt, a.Step = tx.Now, ActivationAsked
	who := string(a.account.Person)
	err := audit.Record(ctx, tx, audit.Act{Name: "officer.ask_activation", Actor: who, Subject: who, Unit: a.account.Unit, Object: a.ID})
	if err != nil {
		return err
	}
	return d.asked(ctx, tx, a.account)
}

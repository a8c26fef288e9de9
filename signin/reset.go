package signin

import (
	"context"
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
	"sitthi/proof"
)

// ResetStep is where the way to a new password stands (กรณีลืมรหัสผ่าน).
type ResetStep string

// The steps, in their order.
const (
	ResetChannel  ResetStep = "channel"  // choose by which contact on file the code comes
	ResetCode     ResetStep = "code"     // enter it
	ResetFactor   ResetStep = "factor"   // prove the second factor, for who has one
	ResetPassword ResetStep = "password" // set the new password
	ResetDone     ResetStep = "done"
)

// The names of the fields of a reset, as its faults carry them.
const (
	FieldChannel       = "channel"
	FieldCode          = "code"
	FieldPassword      = "password"
	FieldPasswordAgain = "password_again"
)

const (
	// resetPurpose is the name of the codes of a reset.
	resetPurpose = "reset"
	// resetLife is how long a reset may take from the citizen ID to the code, resetProvedLife from there to the password.
	resetLife       = time.Hour
	resetProvedLife = 15 * time.Minute
	// resetsKept is how long one that is over stays.
	resetsKept = 24 * time.Hour
)

// resets is how often one network may begin.
var resets = proof.Rate{Burst: 60, Every: 10 * time.Second}

// Reset is the way to a new password, as its own browser sees it. Up to the right code it looks the same whether or not
// somebody has an account.
type Reset struct {
	ID        string
	Step      ResetStep
	Channel   notify.Channel // of the code sent last, "" before
	Reference string         // of that code
	SentAt    time.Time
}

// reset is a row of resets.
type reset struct {
	Reset
	subject  string // blind index of the citizen ID
	language locale.Lang
	provedAt time.Time
	factorAt time.Time
	doneAt   time.Time
}

func (r reset) step() ResetStep {
	switch {
	case !r.doneAt.IsZero():
		return ResetDone
	case !r.provedAt.IsZero():
		return ResetPassword
	case r.Channel != "":
		return ResetCode
	}
	return ResetChannel
}

// errNoReset is the one answer for a reset that is not there, took too long, or is another browser's.
func errNoReset() error { return problem.New(problem.NotFound, "signin.problem.no_reset") }

// StartReset takes the citizen ID of somebody who forgot his password. Nothing in it looks for an account. browser is the
// token of the browser's flow cookie, without which nobody takes the next step. It fails with problem.Invalid for what is
// no citizen ID, and with problem.Busy when one network begins too often.
func (d *Desk) StartReset(ctx context.Context, citizenID, browser string, lang locale.Lang) (Reset, error) {
	var c problem.Check
	citizen := readCitizenID(&c, citizenID)
	if err := c.Err(); err != nil {
		return Reset{}, err
	}
	var r reset
	err := d.db.Write(ctx, func(tx *store.Tx) error {
		wait, err := proof.Take(ctx, tx, "reset/network/"+proof.Network(audit.OriginOf(ctx).Address), resets)
		if err != nil {
			return err
		}
		if wait > 0 {
			return tooMany(wait)
		}
		r = reset{Reset: Reset{ID: store.NewID()}, subject: d.roll.Index(citizen), language: lang}
		return insertReset(ctx, tx, r, seal.TokenHash(browser), tx.Now.Add(resetLife))
	})
	if err != nil {
		return Reset{}, fmt.Errorf("start reset of password: %w", err)
	}
	r.Step = r.step()
	return r.Reset, nil
}

// Reset answers where a reset stands. It fails with problem.NotFound for an unknown one, one that took too long, and one
// of another browser.
func (d *Desk) Reset(ctx context.Context, id, browser string) (Reset, error) {
	var r reset
	err := d.db.Read(ctx, func(tx *store.Tx) (err error) {
		r, err = selectReset(ctx, tx, id, seal.TokenHash(browser))
		return err
	})
	return r.Reset, err
}

// RecoveryContact answers the contact of an account to which a code can go by the channel, "" for none.
func RecoveryContact(a officer.Account, channel notify.Channel, now time.Time) string {
	switch {
	case !officer.Recovers(a, channel, now):
		return ""
	case channel == notify.SMS:
		return string(a.Phone)
	}
	return string(a.Email)
}

// SendReset sends a code by the channel chosen to the contact on file, if there is an account with one; the answer is
// the same if there is not. A code sent before is void. It fails like Reset, with problem.Invalid for an unknown channel,
// and with problem.Busy when codes are asked for too often.
func (d *Desk) SendReset(ctx context.Context, id, browser string, channel notify.Channel) (Reset, error) {
	if channel != notify.Email && channel != notify.SMS {
		return Reset{}, invalid(FieldChannel, "signin.problem.channel")
	}
	var r reset
	err := d.db.Write(ctx, func(tx *store.Tx) (err error) {
		if r, err = selectReset(ctx, tx, id, seal.TokenHash(browser)); err != nil || !r.provedAt.IsZero() {
			return err
		}
		owner, to, err := d.owner(ctx, tx, r.subject, channel)
		if err != nil {
			return err
		}
		order := proof.CodeOrder{
			Flow: r.ID, Browser: seal.TokenHash(browser), Purpose: resetPurpose, Account: r.subject, Channel: channel,
			To: to, Hidden: true, Network: proof.Network(audit.OriginOf(ctx).Address), Person: string(owner.Person), Lang: owner.Language,
		}
		if to == "" {
			order.To, order.Lang, order.Nobody = noContact(r.subject), r.language, true
		}
		if r.Reference, err = d.codes.Send(ctx, tx, order); err != nil {
			return err
		}
		r.Channel, r.SentAt, r.Step = channel, tx.Now, ResetCode
		return updateResetSent(ctx, tx, r.Reset)
	})
	if err != nil {
		return Reset{}, fmt.Errorf("send code to reset password: %w", err)
	}
	return r.Reset, nil
}

// noContact stands where there is no contact, so that the limits on sending hold there too.
func noContact(subject string) string { return "nobody/" + subject }

// owner answers the account behind a blind index and its contact for the channel: none of both, or an account without
// a contact that serves, when to is "".
func (d *Desk) owner(ctx context.Context, tx *store.Tx, subject string, channel notify.Channel) (a officer.Account, to string, err error) {
	a, err = Owner(ctx, tx, subject)
	if errors.Is(err, problem.NotFound) {
		return officer.Account{}, "", nil
	}
	return a, RecoveryContact(a, channel, tx.Now), err
}

// ProveReset takes the code. A reset that has come further answers where it stands, so a form sent twice does no harm.
// It fails like Reset, and with problem.Invalid or problem.Busy for what proof.Codes.Try refuses.
func (d *Desk) ProveReset(ctx context.Context, id, browser, code string) (Reset, error) {
	code, err := thai.FoldDigits(code)
	if err != nil {
		return Reset{}, invalid(FieldCode, "signin.problem.code_form")
	}
	var r reset
	var refused error
	err = d.db.Write(ctx, func(tx *store.Tx) (err error) {
		refused = nil
		if r, err = selectReset(ctx, tx, id, seal.TokenHash(browser)); err != nil {
			return err
		}
		switch r.Step {
		case ResetChannel:
			refused = errNoReset() // nothing was sent that could be entered
			return nil
		case ResetFactor, ResetPassword, ResetDone:
			return nil
		}
		_, to, err := d.owner(ctx, tx, r.subject, r.Channel)
		if err != nil {
			return err
		}
		somebody := to != ""
		if !somebody {
			to = noContact(r.subject)
		}
		right, err := d.codes.Try(ctx, tx, proof.CodeTry{
			Flow: r.ID, Browser: seal.TokenHash(browser), Purpose: resetPurpose, Channel: r.Channel, To: to, Code: code,
		})
		if err != nil {
			return err
		}
		if !right || !somebody {
			refused = proof.WrongCode() // the try stays counted
			return nil
		}
		if err := updateResetProved(ctx, tx, r.ID, tx.Now.Add(resetProvedLife)); err != nil {
			return err
		}
		r, err = selectReset(ctx, tx, id, seal.TokenHash(browser))
		return err
	})
	if err != nil {
		return Reset{}, fmt.Errorf("prove contact to reset password: %w", err)
	}
	return r.Reset, refused
}

// ProveResetCode takes a code of the second factor, or a recovery code: a recovery never skips it (trust.md 10). It fails
// like Reset and like SignInCode.
func (d *Desk) ProveResetCode(ctx context.Context, id, browser, typed string) (Reset, error) {
	code, err := readFactorCode(typed)
	if err != nil {
		return Reset{}, err
	}
	return d.proveResetFactor(ctx, id, browser, func(tx *store.Tx, t factorTry) error { return d.takeCode(ctx, tx, t, code) })
}

// FactorsOfReset answers with what a reset can be gone on that waits for the second factor. It fails like Reset, also for
// one that does not wait for it.
func (d *Desk) FactorsOfReset(ctx context.Context, id, browser string) (f Factors, err error) {
	err = d.db.Read(ctx, func(tx *store.Tx) error {
		r, err := selectReset(ctx, tx, id, seal.TokenHash(browser))
		if err != nil {
			return err
		}
		if r.Step != ResetFactor {
			return errNoReset()
		}
		owner, err := Owner(ctx, tx, r.subject)
		if err != nil {
			return err
		}
		f, err = factorsOf(ctx, tx, owner.Person)
		return err
	})
	return f, err
}

func (d *Desk) proveResetFactor(ctx context.Context, id, browser string, prove func(*store.Tx, factorTry) error) (Reset, error) {
	var r reset
	var t factorTry
	var owner officer.Account
	err := d.db.Write(ctx, func(tx *store.Tx) (err error) {
		if r, err = selectReset(ctx, tx, id, seal.TokenHash(browser)); err != nil || r.Step != ResetFactor {
			return err
		}
		if owner, err = Owner(ctx, tx, r.subject); err != nil {
			return err
		}
		t = factorTry{who: owner.Person, door: resetPurpose}
		return d.count(ctx, tx, &t)
	})
	switch {
	case err != nil:
		return Reset{}, fmt.Errorf("prove second factor to reset password: %w", err)
	case r.Step == ResetPassword, r.Step == ResetDone:
		return r.Reset, nil
	case r.Step != ResetFactor:
		return Reset{}, errNoReset()
	case t.wait > 0:
		return Reset{}, tooMany(t.wait)
	}
	act := audit.Act{Name: "signin.reset_factor", Actor: string(t.who), Subject: string(t.who), Unit: owner.Unit, Object: r.ID}
	err = audit.Do(ctx, d.db, &act, func(tx *store.Tx) (err error) {
		if r, err = selectReset(ctx, tx, id, seal.TokenHash(browser)); err != nil || r.Step != ResetFactor {
			return err
		}
		if err := prove(tx, t); err != nil {
			return err
		}
		r.Step = ResetPassword
		return updateResetFactor(ctx, tx, r.ID)
	})
	if err != nil {
		return Reset{}, fmt.Errorf("prove second factor to reset password: %w", err)
	}
	return r.Reset, nil
}

// FinishReset sets the new password of somebody who proved a contact, ends all his sessions, forgets the browsers that
// knew him, and tells every contact. It does not sign in, and it does not lift a lock (trust.md 10). It works once; when
// the password is set already it answers ResetDone. It fails like Reset, with problem.Invalid for a password that is
// refused, and with problem.Busy when too many are hashed at once.
func (d *Desk) FinishReset(ctx context.Context, id, browser, password, again string) (Reset, error) {
	var r reset
	var known []string
	var was officer.Account
	err := d.db.Read(ctx, func(tx *store.Tx) (err error) {
		if r, err = selectReset(ctx, tx, id, seal.TokenHash(browser)); err != nil || r.Step != ResetPassword {
			return err
		}
		if was, err = Owner(ctx, tx, r.subject); err != nil {
			return err
		}
		known, err = d.known(ctx, tx, was)
		return err
	})
	switch {
	case err != nil:
		return Reset{}, fmt.Errorf("reset password: %w", err)
	case r.Step == ResetDone:
		return r.Reset, nil
	case r.Step != ResetPassword:
		return Reset{}, errNoReset()
	}
	var c problem.Check
	if password == "" {
		c.Fail(FieldPassword, "signin.problem.new_password_empty")
	} else if err := c.Merge(d.passwords.Check(password, known...)); err != nil {
		return Reset{}, err
	}
	if again != password {
		c.Fail(FieldPasswordAgain, "signin.problem.password_again")
	}
	if err := c.Err(); err != nil {
		return Reset{}, err
	}
	hash, err := d.passwords.Hash(ctx, password)
	if err != nil {
		return Reset{}, fmt.Errorf("reset password: %w", err)
	}
	act := audit.Act{Name: "signin.reset_password", Actor: string(was.Person), Subject: string(was.Person), Unit: was.Unit, Object: r.ID}
	err = audit.Do(ctx, d.db, &act, func(tx *store.Tx) error { return d.finishReset(ctx, tx, r, browser, hash) })
	if errors.Is(err, errUndo) { // another request of the same form was first
		return d.Reset(ctx, id, browser)
	}
	if err != nil {
		return Reset{}, fmt.Errorf("reset password: %w", err)
	}
	r.Step = ResetDone
	return r.Reset, nil
}

// known are the words of which the person's password may not be made.
func (d *Desk) known(ctx context.Context, tx *store.Tx, a officer.Account) ([]string, error) {
	citizen, err := d.roll.CitizenID(ctx, tx, a.Person)
	if err != nil {
		return nil, err
	}
	unit, err := agency.Find(ctx, tx, a.Unit)
	if err != nil {
		return nil, err
	}
	return append(a.Known(citizen), unit.Code, unit.Name.TH, unit.Name.EN, unit.Short.TH, unit.Short.EN), nil
}

// finishReset does what FinishReset promises, in one transaction. The row is taken first: of two at once one goes on.
func (d *Desk) finishReset(ctx context.Context, tx *store.Tx, r reset, browser, hash string) error {
	now, err := selectReset(ctx, tx, r.ID, seal.TokenHash(browser))
	if err != nil {
		return err
	}
	if now.Step == ResetFactor { // enrolled meanwhile
		return errNoReset()
	}
	taken, err := updateResetDone(ctx, tx, r.ID, seal.TokenHash(browser))
	if err != nil {
		return err
	}
	if !taken {
		return errUndo
	}
	owner, err := Owner(ctx, tx, r.subject)
	if err != nil {
		return err
	}
	if !owner.Enabled() {
		return problem.New(problem.Denied, "signin.problem.disabled")
	}
	if err := updatePassword(ctx, tx, owner.Person, hash); err != nil {
		return err
	}
	if err := EndAll(ctx, tx, owner.Person, endedByReset); err != nil {
		return err
	}
	if err := deleteDevicesOf(ctx, tx, owner.Person); err != nil {
		return err
	}
	if err := endResets(ctx, tx, r.subject, r.ID); err != nil {
		return err
	}
	if err := endLinks(ctx, tx, owner.Person); err != nil {
		return err
	}
	for _, subject := range []string{r.subject, string(owner.Person)} { // he guessed before he remembered that he forgot
		if err := proof.Release(ctx, tx, accountLimit(subject)); err != nil {
			return err
		}
	}
	return officer.Tell(ctx, tx, d.outbox, owner, "signin.reset", nil)
}

package signin

import (
	"context"
	"fmt"
	"time"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/officer"
	"sitthi/person"
)

// flowLife is how long a sign-in may take from the right password to the second factor.
const flowLife = 5 * time.Minute

// flow is a sign-in between the right password and the second factor.
type flow struct {
	id   string
	who  person.ID
	unit string
	door string

	short bool // its password is so short that it needs a second factor
}

// errNoFlow is the one answer for a sign-in that is not there, took too long, is done, or is another browser's.
func errNoFlow() error { return problem.New(problem.NotFound, "signin.problem.no_flow") }

// FactorsAsked answers what a sign-in that waits for the second factor can be gone on with. It fails with
// problem.NotFound for an unknown one, one that took more than five minutes, and one of another browser.
func (d *Desk) FactorsAsked(ctx context.Context, id, browser string) (f Factors, err error) {
	err = d.db.Read(ctx, func(tx *store.Tx) error {
		found, err := selectFlow(ctx, tx, id, seal.TokenHash(browser))
		if err != nil {
			return err
		}
		f, err = factorsOf(ctx, tx, found.who)
		return err
	})
	return f, err
}

// SignInCode goes on with a sign-in whose password was right, and opens the session. It fails with problem.NotFound like
// FactorsAsked, with problem.Invalid for what is no code at all, with problem.Busy after too many tries, with
// problem.Denied for a code that is wrong or was used, and with problem.Locked like SignIn.
func (d *Desk) SignInCode(ctx context.Context, id, typed string, in In) (Opened, error) {
	code, err := readFactorCode(typed)
	if err != nil {
		return Opened{}, err
	}
	return d.goOn(ctx, id, in, func(tx *store.Tx, t factorTry) error { return d.takeCode(ctx, tx, t, code) })
}

// goOn counts a try and opens the session when it proves a second factor. The row of the sign-in is taken with it: it
// opens one session.
func (d *Desk) goOn(ctx context.Context, id string, in In, prove func(*store.Tx, factorTry) error) (Opened, error) {
	browser := seal.TokenHash(in.Browser)
	var f flow
	var t factorTry
	err := d.db.Write(ctx, func(tx *store.Tx) (err error) {
		if f, err = selectFlow(ctx, tx, id, browser); err != nil {
			return err
		}
		t = factorTry{who: f.who, door: f.door}
		return d.count(ctx, tx, &t)
	})
	if err != nil {
		return Opened{}, fmt.Errorf("go on with sign-in: %w", err)
	}
	if t.wait > 0 {
		return Opened{}, tooMany(t.wait)
	}
	in.short = f.short
	o := d.opening(in, f.door != unknownDoor)
	act := audit.Act{Name: "signin.open", Actor: string(f.who), Subject: string(f.who), Unit: f.unit}
	err = audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		taken, err := updateFlowDone(ctx, tx, id, browser)
		if err != nil {
			return err
		}
		if !taken {
			return errNoFlow() // another request of the same form was first
		}
		if err := prove(tx, t); err != nil {
			return err
		}
		owner, err := officer.Find(ctx, tx, f.who)
		if err != nil {
			return err
		}
		if !owner.Enabled() {
			return problem.New(problem.Denied, "signin.problem.disabled")
		}
		return d.open(ctx, tx, &act, f.who, in, &o)
	})
	if err != nil {
		return Opened{}, fmt.Errorf("go on with sign-in: %w", err)
	}
	return o.orLocked()
}

// unknownDoor is the limit that all browsers share from which the person has not signed in before.
const unknownDoor = "unknown"

// opening makes the tokens of a session to be opened.
func (d *Desk) opening(in In, known bool) Opened {
	o := Opened{Token: seal.Token(), DeviceToken: in.Device}
	if !known || in.Device == "" {
		o.DeviceToken = seal.Token()
	}
	return o
}

// open opens the session of somebody who has proved all that is asked of him, or begins his way back in when he is locked.
func (d *Desk) open(ctx context.Context, tx *store.Tx, act *audit.Act, who person.ID, in In, o *Opened) error {
	owner, err := officer.Find(ctx, tx, who)
	if err != nil {
		return err
	}
	o.Activation = "" // of a try of this transaction that did not commit
	if owner.Locked(tx.Now, d.settings.LockAfter) {
		return d.lockOut(ctx, tx, act, owner, in, o)
	}
	if err := updateLastSignIn(ctx, tx, who); err != nil {
		return err
	}
	if in.Session != "" {
		if err := updateReplaced(ctx, tx, seal.TokenHash(in.Session)); err != nil {
			return err
		}
	}
	if err := d.knowDevice(ctx, tx, who, o.DeviceToken, in.Agent); err != nil {
		return err
	}
	act.Object = store.NewID()
	err = insertSession(ctx, tx, act.Object, *o, who, in)
	if err != nil {
		return err
	}
	if o.Session, err = selectSession(ctx, tx, seal.TokenHash(o.Token)); err != nil {
		return err
	}
	o.Session.stepUp = d.settings.StepUp
	return nil
}

// knowDevice remembers the browser. The owner is told of one from which he has not signed in before, but not of his
// very first.
func (d *Desk) knowDevice(ctx context.Context, tx *store.Tx, who person.ID, token, agent string) error {
	first, fresh, err := upsertDevice(ctx, tx, who, seal.TokenHash(token), agent)
	if err != nil || first || !fresh {
		return err
	}
	owner, err := officer.Find(ctx, tx, who)
	if err != nil {
		return err
	}
	return officer.Tell(ctx, tx, d.outbox, owner, "signin.new_device", nil)
}

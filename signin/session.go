package signin

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/officer"
	"sitthi/person"
)

// Session is one browser in which a person is signed in.
type Session struct {
	ID          string
	Person      person.ID
	Account     officer.Account
	CreatedAt   time.Time
	SeenAt      time.Time // to the minute
	SteppedUpAt time.Time // zero by a token from before the last step-up
	Address     string    // where it was opened from
	Agent       string    // the browser, as it named itself
	Factor      bool      // the person has a second factor, which is asked for in place of the password
	// ShortPassword says that it was opened with a password that needs a second factor (trust.md 1).
	ShortPassword bool
	ThaID         bool // opened by ThaID, which is a second factor by itself

	stepUp time.Duration // zero for the default
}

// SteppedUp reports whether the person gave her password recently enough for acts that ask for it.
func (s Session) SteppedUp(now time.Time) bool {
	return now.Sub(s.SteppedUpAt) < cmp.Or(s.stepUp, Defaults().StepUp)
}

// Why a session ended.
const (
	endedBySignOut  = "signout"
	endedByPerson   = "person"   // from her list of sessions
	endedEverywhere = "all"      // she ended all of them
	endedBySignIn   = "replaced" // by signing in again in the same browser
	endedByReset    = "reset"    // she set a new password in place of a forgotten one
	endedByFactor   = "factor"   // she changed her second factor in another one
	endedByClosing  = "closed"   // she closed her account
)

// seenStep is how exactly it is kept when a session was last seen, so that most requests only read.
const seenStep = time.Minute

// formerLife is how long a token still opens its session after a step-up gave it a new one. A browser that sends a
// form twice throws the first answer away, and with it the new token: without this the person would be signed out.
// The token counts as one whose owner has not given the password: whoever stole it before gains nothing by the step-up.
const formerLife = 30 * time.Second

// errNoSession is the one answer for a session that ended, expired, or never was.
func errNoSession() error { return problem.New(problem.NotFound, "signin.problem.session") }

// Session answers the live session behind a token and notes that it was seen. It fails with problem.NotFound when
// there is none: no such token, signed out, idle or open too long, or the account disabled or locked.
func (d *Desk) Session(ctx context.Context, token string) (Session, error) {
	var s Session
	var now time.Time
	err := d.db.Read(ctx, func(tx *store.Tx) (err error) {
		now = tx.Now
		hash := seal.TokenHash(token)
		if s, err = selectSession(ctx, tx, hash); errors.Is(err, problem.NotFound) {
			s, err = selectFormer(ctx, tx, hash, tx.Now.Add(-formerLife))
			s.SteppedUpAt = time.Time{}
		}
		return err
	})
	if err != nil {
		return Session{}, err
	}
	if !s.Account.Enabled() || s.Account.Locked(now, d.settings.LockAfter) || now.Sub(s.SeenAt) >= d.settings.Idle || now.Sub(s.CreatedAt) >= d.settings.Absolute {
		return Session{}, errNoSession()
	}
	s.stepUp = d.settings.StepUp
	if now.Sub(s.SeenAt) >= seenStep {
		err := d.db.Write(ctx, func(tx *store.Tx) error { return updateSeen(ctx, tx, s.ID) })
		if err != nil && ctx.Err() == nil {
			// Reading goes on when nothing can be written (a full disk); the session then ends a little early.
			d.log.ErrorContext(ctx, "note that a session was seen", slog.Any("error", err))
		}
		s.SeenAt = now
	}
	return s, nil
}

// Touch starts the five minutes of a step-up again, as the acts do that asked for it. It does not revive a step-up
// that has run out.
func (d *Desk) Touch(ctx context.Context, s Session) error {
	return d.db.Write(ctx, func(tx *store.Tx) error {
		return updateStepUp(ctx, tx, s.ID, tx.Now.Add(-d.settings.StepUp))
	})
}

// List answers the live sessions of a person, the one seen last first.
func (d *Desk) List(ctx context.Context, who person.ID) ([]Session, error) {
	var list []Session
	err := d.db.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = selectSessions(ctx, tx, who, tx.Now.Add(-d.settings.Idle), tx.Now.Add(-d.settings.Absolute))
		return err
	})
	return list, err
}

// SignOut ends the session.
func (d *Desk) SignOut(ctx context.Context, s Session) error {
	return d.end(ctx, "signin.close", s.Person, s.ID, endedBySignOut)
}

// End ends one session of a person, at her wish. It fails with problem.NotFound when she has no such session.
func (d *Desk) End(ctx context.Context, who person.ID, session string) error {
	return d.end(ctx, "signin.end", who, session, endedByPerson)
}

func (d *Desk) end(ctx context.Context, name string, who person.ID, session, reason string) error {
	act := audit.Act{Name: name, Actor: string(who), Subject: string(who), Object: session}
	return audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		return updateEnded(ctx, tx, who, session, reason)
	})
}

// EndEverywhere ends all sessions of a person, at her wish: this one too.
func (d *Desk) EndEverywhere(ctx context.Context, who person.ID) error {
	act := audit.Act{Name: "signin.end_all", Actor: string(who), Subject: string(who)}
	return audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		return EndAll(ctx, tx, who, endedEverywhere)
	})
}

// EndOthers ends all sessions of a person but this one, at her wish, and her sign-ins that wait for the second factor.
func (d *Desk) EndOthers(ctx context.Context, s Session) error {
	act := audit.Act{Name: "signin.end_others", Actor: string(s.Person), Subject: string(s.Person), Object: s.ID}
	return audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		if err := endFlows(ctx, tx, s.Person); err != nil {
			return err
		}
		return updateOthersEnded(ctx, tx, s.Person, s.ID, endedByPerson)
	})
}

// Device is a browser from which a person has signed in before.
type Device struct {
	ID      string // the hash of its token
	Agent   string // as it named itself; "" when it was seen last before that was kept
	KnownAt time.Time
	SeenAt  time.Time
	Here    bool // the one with the token given
}

// Devices answers the browsers from which a person has signed in, the one seen last first.
func (d *Desk) Devices(ctx context.Context, who person.ID, token string) (list []Device, err error) {
	err = d.db.Read(ctx, func(tx *store.Tx) error {
		list, err = selectDevices(ctx, tx, who)
		return err
	})
	for i := range list {
		list[i].Here = list[i].ID == seal.TokenHash(token)
	}
	return list, err
}

// ForgetDevice forgets a browser of a person and ends her sessions in it: it counts as new when she signs in from it again.
// It fails with problem.NotFound when she has no such browser.
func (d *Desk) ForgetDevice(ctx context.Context, s Session, id string) error {
	act := audit.Act{Name: "signin.forget_device", Actor: string(s.Person), Subject: string(s.Person)}
	return audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		if err := deleteDevice(ctx, tx, s.Person, id); err != nil {
			return err
		}
		return updateDeviceEnded(ctx, tx, s.Person, id)
	})
}

// EndAll ends all sessions of a person, and sign-ins that wait for the second factor, as part of another act, which gives its name as the reason.
func EndAll(ctx context.Context, tx *store.Tx, who person.ID, reason string) error {
	if err := endFlows(ctx, tx, who); err != nil {
		return err
	}
	return updateAllEnded(ctx, tx, who, reason)
}

// Closed ends the sessions of who closes her account, and takes her second factors away.
func Closed(ctx context.Context, tx *store.Tx, who person.ID) error {
	if err := EndAll(ctx, tx, who, endedByClosing); err != nil {
		return err
	}
	return deleteFactors(ctx, tx, who)
}

// DeviceLife is how long a browser is known, and its row stays: as long as the cookie by which it is.
const DeviceLife = 365 * 24 * time.Hour

// Sweep deletes sessions, resets and ways back in that are long over and browsers not seen for a year, and answers how many rows went. Once
// an hour is often enough.
func (d *Desk) Sweep(ctx context.Context) (swept int64, err error) {
	now := d.db.Now()
	over := now.Add(-resetsKept)
	return d.db.Delete(ctx,
		// With half an hour's idle time, a session seen so long ago has ended.
		store.Old{Table: "sessions", Key: "id", Where: "seen_at < $1", Before: now.Add(-d.settings.SessionsKept)},
		store.Old{Table: "devices", Key: "token_hash, person_id", Where: "seen_at < $1", Before: now.Add(-DeviceLife)},
		store.Old{Table: "signin_flows", Key: "id", Where: "expires_at < $1", Before: over},
		store.Old{Table: "challenges", Key: "id", Where: "expires_at < $1", Before: over},
		store.Old{Table: "factors", Key: "id", Where: "enrolled_at IS NULL AND begun_at < $1", Before: over},
		store.Old{Table: "resets", Key: "id", Where: "expires_at < $1", Before: over},
		store.Old{Table: "reset_links", Key: "token_hash", Where: "expires_at < $1", Before: over},
		store.Old{Table: "thaid_flows", Key: "state", Where: "expires_at < $1", Before: over},
		// Ways back in that came to no request; requests stay with the acts about them.
		store.Old{Table: "activations", Key: "id", Where: "asked_at IS NULL AND expires_at < $1", Before: over},
	)
}

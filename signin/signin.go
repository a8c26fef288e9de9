// Package signin lets officers in: it proves who they are by password and second factor, keeps their sessions and slows down who guesses.
package signin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/proof"
	"sitthi/thaid"
)

// Settings are the limits of signing in.
type Settings struct {
	Idle     time.Duration // a session ends when nothing was heard from it for so long
	Absolute time.Duration // and in any case after so long
	StepUp   time.Duration // a password just given counts for so long, from the last act that needed it
	// Account slows down guessing at one account from browsers it does not know, all together; each browser it
	// knows has a limit of its own, so that a stranger can not lock the owner out.
	Account proof.Rate
	Address proof.Rate // slows down one address, or one /64 of IPv6: a whole province may sit behind it
	// Failures in a row switch the password off until it is recovered. A browser that knows the person may fail as
	// often again, and a success there switches the password on: who guesses from elsewhere locks nobody out.
	Failures int64
	// Factor slows down guessing at a second factor like Account, and FactorDay over the day.
	Factor    proof.Rate
	FactorDay proof.Rate
	// SessionsKept is how long sessions that are over are kept.
	SessionsKept time.Duration
	// LockAfter is how long after the last sign-in an account locks (trust.md 11).
	LockAfter time.Duration
}

// Defaults are the limits of trust.md 3 and 5.
func Defaults() Settings {
	return Settings{
		Idle:     30 * time.Minute,
		Absolute: 12 * time.Hour,

		SessionsKept: 90 * 24 * time.Hour,
		StepUp:       5 * time.Minute,
		Account:      proof.Rate{Burst: 5, Every: time.Minute},
		Address:      proof.Rate{Burst: 60, Every: time.Second},
		Failures:     100,
		// The day of a browser that knows the password and guesses: 30 tries of three codes each in a million.
		Factor:    proof.Rate{Burst: 5, Every: time.Minute},
		FactorDay: proof.Rate{Burst: 30, Every: 24 * time.Hour / 30},

		LockAfter: officer.LockAfter,
	}
}

// Options are what a Desk works with. Settings left at zero are those of Defaults.
type Options struct {
	DB        *store.DB
	Roll      *person.Roll
	Ring      *seal.Ring
	Passwords *proof.Passwords
	Codes     *proof.Codes
	Outbox    *notify.Outbox
	Log       *slog.Logger
	Site      *Site // nil when there are no passkeys
	// Link makes the absolute address of a page, for messages.
	Link func(path string) string
	// Asked is called within the transaction in which a locked officer asks to be let in again: who decides is told.
	Asked func(ctx context.Context, tx *store.Tx, a officer.Account) error
	// ThaID is nil where nobody signs in by it.
	ThaID *thaid.Client
	// Identified is called within the transaction in which ThaID proves an officer for the first time.
	Identified func(ctx context.Context, tx *store.Tx, who officer.Account) error
	Settings   Settings
}

// Desk lets officers in and out. It is safe for concurrent use.
type Desk struct {
	db        *store.DB
	roll      *person.Roll
	ring      *seal.Ring
	site      *Site
	passwords *proof.Passwords
	codes     *proof.Codes
	outbox    *notify.Outbox
	log       *slog.Logger
	thaid     *thaid.Client
	linkTo    func(path string) string
	asked     func(ctx context.Context, tx *store.Tx, a officer.Account) error
	settings  Settings

	identified func(ctx context.Context, tx *store.Tx, who officer.Account) error
}

// NewDesk makes a desk.
func NewDesk(o Options) *Desk {
	s, d := o.Settings, Defaults()
	return &Desk{
		db: o.DB, roll: o.Roll, ring: o.Ring, site: o.Site, passwords: o.Passwords, codes: o.Codes, outbox: o.Outbox, log: o.Log,
		thaid: o.ThaID, identified: o.Identified,
		linkTo: o.Link, asked: o.Asked,
		settings: Settings{
			Idle: cmp.Or(s.Idle, d.Idle), Absolute: cmp.Or(s.Absolute, d.Absolute), StepUp: cmp.Or(s.StepUp, d.StepUp),
			Account: cmp.Or(s.Account, d.Account), Address: cmp.Or(s.Address, d.Address),
			Failures: cmp.Or(s.Failures, d.Failures), Factor: cmp.Or(s.Factor, d.Factor), FactorDay: cmp.Or(s.FactorDay, d.FactorDay),
			SessionsKept: cmp.Or(s.SessionsKept, d.SessionsKept), LockAfter: cmp.Or(s.LockAfter, d.LockAfter),
		},
	}
}

// LockDays is after how many days without a sign-in accounts lock.
func (d *Desk) LockDays() int { return int(d.settings.LockAfter / (24 * time.Hour)) }

// In is what somebody shows who wants to sign in.
type In struct {
	CitizenID string // as typed
	Password  string
	Session   string // token of the session this browser still holds, or ""; it ends
	Device    string // token by which this browser was known before, or ""
	Browser   string // token of the browser's flow cookie, in which alone a second factor can be given
	Address   string // where the request comes from
	Agent     string // the browser, as it names itself

	short bool // the password is so short that it needs a second factor
	thaid bool // by ThaID
}

// Opened is what a browser gets that signed in: two tokens for it to keep, and the session. Where a second factor is
// asked for it is nothing but Flow, and where the account is locked nothing but Activation.
type Opened struct {
	Flow        string // of the sign-in that waits for the second factor; "" when a session was opened
	Token       string // of the session
	DeviceToken string // of the browser, for the next time
	Session     Session
	// Activation is, with problem.Locked, the way back in that has begun for this browser.
	Activation string
}

// The message keys of the one answer to whoever could not prove who he is, whatever the cause: at the door, and when
// only the password was asked for.
const (
	wrong         = "signin.problem.wrong"
	wrongPassword = "signin.problem.wrong_password"
)

func invalid(field, key string) error {
	var c problem.Check
	c.Fail(field, key)
	return c.Err()
}

// SignIn opens a session or, for who has a second factor, begins a sign-in that SignInCode or SignInPasskey go on with
// in the same browser. It fails with problem.Invalid when something was left out or is no citizen ID at all, with
// problem.Busy when too many tries came before, and with problem.Denied otherwise: with one key for an unknown
// person, a wrong password and a password switched off for this browser, and with "signin.problem.disabled" when the password was
// right but the account is switched off. An unknown citizen ID costs the same hash and the same queries as a known
// one. Who has proved who he is and is locked for want of a sign-in is told so with problem.Locked, and by nothing before.
func (d *Desk) SignIn(ctx context.Context, in In) (Opened, error) {
	citizen, err := citizenID(in)
	if err != nil {
		return Opened{}, err
	}
	device := seal.TokenHash(in.Device)
	t := try{name: "signin.open", wrong: wrong, subject: d.roll.Index(citizen)}
	defer t.leave()
	var known bool
	err = d.db.Write(ctx, func(tx *store.Tx) (err error) {
		if known, err = selectDevice(ctx, tx, t.subject, device); err != nil {
			return err
		}
		t.door, t.known = unknownDoor, known
		if known {
			t.door = device
		}
		return d.begin(ctx, tx, &t, in.Address, accountByIndex)
	})
	if err != nil {
		return Opened{}, fmt.Errorf("sign in: %w", err)
	}
	rehash, err := d.prove(ctx, &t, in.Password)
	if err != nil {
		return Opened{}, err
	}
	in.short = proof.Short(in.Password)
	o := d.opening(in, known)
	act := audit.Act{Name: t.name, Actor: string(t.who), Subject: string(t.who), Unit: t.unit}
	err = audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		o.Flow = ""
		if err := d.proved(ctx, tx, t, rehash); err != nil {
			return err
		}
		waits, err := selectHasFactor(ctx, tx, t.who)
		if err != nil {
			return err
		}
		if !waits {
			return d.open(ctx, tx, &act, t.who, in, &o)
		}
		o.Flow = store.NewID()
		act.Name, act.Object = "signin.password", o.Flow
		return insertFlow(ctx, tx, flow{id: o.Flow, who: t.who, door: t.door, short: in.short}, seal.TokenHash(cmp.Or(in.Browser, seal.Token())))
	})
	if err != nil {
		return Opened{}, fmt.Errorf("sign in: %w", err)
	}
	if o.Flow != "" {
		return Opened{Flow: o.Flow}, nil
	}
	return o.orLocked()
}

func citizenID(in In) (thai.CitizenID, error) {
	var c problem.Check
	citizen := readCitizenID(&c, in.CitizenID)
	if in.Password == "" {
		c.Fail("password", "signin.problem.password_empty")
	}
	return citizen, c.Err()
}

// readCitizenID reads a citizen ID as typed. A wrong check digit is an unknown person like any other: whether such IDs
// can register is a setting.
func readCitizenID(c *problem.Check, typed string) thai.CitizenID {
	citizen, err := thai.ParseCitizenID(typed)
	switch {
	case errors.Is(err, thai.ErrEmpty):
		c.Fail("citizen_id", "signin.problem.citizen_id_empty")
	case err != nil && !errors.Is(err, thai.ErrCheckDigit):
		c.Fail("citizen_id", "signin.problem.citizen_id_form")
	}
	return citizen
}

// StepUp takes the password again and answers the token that replaces the session's old one. It fails like SignIn,
// with problem.NotFound when the session ended meanwhile, and with problem.Denied for who has a second factor: then that
// is asked for, by StepUpCode and StepUpPasskey.
func (d *Desk) StepUp(ctx context.Context, s Session, password string) (token string, err error) {
	if password == "" {
		return "", invalid("password", "signin.problem.password_empty")
	}
	t := try{name: "signin.stepup", wrong: wrongPassword, subject: string(s.Person), door: "session", known: true}
	defer t.leave()
	err = d.db.Write(ctx, func(tx *store.Tx) error {
		return d.begin(ctx, tx, &t, audit.OriginOf(ctx).Address, accountByPerson)
	})
	if err != nil {
		return "", fmt.Errorf("step up: %w", err)
	}
	rehash, err := d.prove(ctx, &t, password)
	if err != nil {
		return "", err
	}
	token = seal.Token()
	act := audit.Act{Name: t.name, Actor: string(t.who), Subject: string(t.who), Unit: t.unit, Object: s.ID}
	err = audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		if err := d.proved(ctx, tx, t, rehash); err != nil {
			return err
		}
		other, err := selectHasFactor(ctx, tx, t.who)
		if err != nil {
			return err
		}
		if other {
			return problem.New(problem.Denied, "signin.problem.factor_needed")
		}
		return updateToken(ctx, tx, s.ID, seal.TokenHash(token))
	})
	if err != nil {
		return "", fmt.Errorf("step up: %w", err)
	}
	return token, nil
}

// try is one try at proving who one is.
type try struct {
	name    string // of the act
	wrong   string // key of the answer when it fails
	subject string // whose throttle it counts against: the same shape for known and unknown citizen IDs
	door    string // by which throttle of the subject
	known   bool   // from a browser that the person has signed in from

	wait time.Duration // until it may be tried again; then nothing below is known
	turn *proof.Turn   // to compare the password

	who     person.ID // "" when there is no such account
	unit    string
	hash    string
	off     bool // for browsers that are not known
	enabled bool
	counted bool  // as a failure, before it is looked at; else there were too many
	count   int64 // failures in a row, this try counted as one
}

// leave gives the try's turn to others, if it came so far.
func (t *try) leave() {
	if t.turn != nil {
		t.turn.Leave()
	}
}

// begin lets a try through the throttles and counts it. Like a code's, the count goes up before the comparison:
// however many tries run at once, none is free. A try that the throttles hold back still commits, and is told by wait. One
// for which there is no turn is undone and costs nothing: a right password at a busy hour is no wrong one.
func (d *Desk) begin(ctx context.Context, tx *store.Tx, t *try, address string, account accountOf) (err error) {
	t.wait, err = proof.Take(ctx, tx, "signin/address/"+proof.Network(address), d.settings.Address)
	if err != nil || t.wait > 0 {
		return err
	}
	t.wait, err = proof.Take(ctx, tx, accountLimit(t.subject)+t.door, d.settings.Account)
	if err != nil || t.wait > 0 {
		return err
	}
	if t.turn == nil { // else the transaction runs again
		turn, err := d.passwords.Turn()
		if err != nil {
			return err
		}
		t.turn = &turn
	}
	most := d.settings.Failures
	if t.known {
		most *= 2
	}
	return updateTry(ctx, tx, t, account, most)
}

// prove compares the password and answers a new hash of it when the stored one is of an old kind. It refuses what
// does not prove it.
func (d *Desk) prove(ctx context.Context, t *try, password string) (rehash string, err error) {
	if t.wait > 0 {
		return "", tooMany(t.wait)
	}
	if t.who == "" {
		if err := t.turn.VerifyNone(ctx, password); err != nil {
			return "", fmt.Errorf("compare password: %w", err)
		}
		return "", d.refuse(ctx, t, problem.New(problem.Denied, t.wrong))
	}
	right, old, err := t.turn.Verify(ctx, password, t.hash)
	if err != nil {
		return "", fmt.Errorf("compare password: %w", err)
	}
	if !right || !t.counted || t.off && !t.known {
		return "", d.refuse(ctx, t, problem.New(problem.Denied, t.wrong))
	}
	if !t.enabled {
		return "", d.refuse(ctx, t, problem.New(problem.Denied, "signin.problem.disabled"))
	}
	if old {
		if rehash, err = t.turn.Hash(ctx, password); err != nil {
			return "", fmt.Errorf("hash password anew: %w", err)
		}
	}
	return rehash, nil
}

// tooMany is the answer to who has to wait.
func tooMany(wait time.Duration) error {
	return &problem.Problem{
		Kind: problem.Busy, Key: "signin.problem.too_many", RetryAfter: wait, TooMany: true,
		Args: problem.Args("n", int((wait+time.Minute-1)/time.Minute)),
	}
}

// proved takes a right password to the account; one that had been switched off is on again.
func (d *Desk) proved(ctx context.Context, tx *store.Tx, t try, rehash string) error {
	if err := updateProved(ctx, tx, t, rehash); err != nil || !t.off {
		return err
	}
	return audit.Record(ctx, tx, audit.Act{
		Name: "signin.switch_on", Actor: string(t.who), Subject: string(t.who), Unit: t.unit,
	})
}

// errUndo takes back a transaction that was only to cost what another one costs.
var errUndo = errors.New("undo")

// refuse records a try that failed and answers why. For an unknown citizen ID it runs the same statements and takes
// them back, so that the time of the answer does not tell who has an account.
func (d *Desk) refuse(ctx context.Context, t *try, why *problem.Problem) error {
	act := audit.Act{Name: t.name, Actor: string(t.who), Subject: string(t.who), Unit: t.unit}
	refusal := audit.Do(ctx, d.db, &act, func(*store.Tx) error { return why })
	if t.who == "" {
		act.Detail = map[string]string{"why": why.Key}
		err := d.db.Write(ctx, func(tx *store.Tx) error {
			if err := audit.Record(ctx, tx, act); err != nil {
				return err
			}
			return errUndo
		})
		if !errors.Is(err, errUndo) {
			return fmt.Errorf("refuse sign-in: %w", err)
		}
	}
	if t.who != "" && t.count >= d.settings.Failures && !t.off {
		if err := d.switchOff(ctx, t); err != nil {
			return err
		}
	}
	return refusal
}

// switchOff ends the use of a password that was guessed at too often, but for the browsers that are known, and tells
// its owner.
func (d *Desk) switchOff(ctx context.Context, t *try) error {
	act := audit.Act{Name: "signin.switch_off", Actor: audit.System, Subject: string(t.who), Unit: t.unit}
	err := audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		switched, err := updateOff(ctx, tx, t.who, d.settings.Failures)
		if err != nil {
			return err
		}
		if !switched {
			return errUndo // another try at the same moment did it, or the owner came in
		}
		owner, err := officer.Find(ctx, tx, t.who)
		if err != nil {
			return err
		}
		return officer.Tell(ctx, tx, d.outbox, owner, "signin.off", nil)
	})
	if err != nil && !errors.Is(err, errUndo) {
		return fmt.Errorf("switch password off: %w", err)
	}
	return nil
}

// Reopen lets a password be tried again from everywhere: its failures are forgotten, and so is what slowed the tries
// down; and an account that is locked for want of a sign-in is opened again. It is an act at the server's terminal, for an owner who has no browser left that knows him. It fails with
// problem.NotFound when nobody with the citizen ID has an account.
func (d *Desk) Reopen(ctx context.Context, citizen thai.CitizenID) error {
	act := audit.Act{Name: "officer.reopen_password", Actor: audit.Terminal}
	err := audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		who, _, err := d.roll.Find(ctx, tx, citizen)
		if err != nil {
			return err
		}
		owner, err := officer.Find(ctx, tx, who)
		if err != nil {
			return err
		}
		act.Subject, act.Unit = string(who), owner.Unit
		for _, subject := range []string{d.roll.Index(citizen), string(who)} {
			if err := proof.Release(ctx, tx, accountLimit(subject)); err != nil {
				return err
			}
		}
		if err := proof.Release(ctx, tx, factorLimit(who)); err != nil {
			return err
		}
		if owner.Locked(tx.Now, d.settings.LockAfter) {
			if err := officer.Reopen(ctx, tx, who); err != nil {
				return err
			}
		}
		return updateReopened(ctx, tx, who)
	})
	if err != nil {
		return fmt.Errorf("reopen password: %w", err)
	}
	return nil
}

// accountLimit begins the names of the limits on tries at one account.
func accountLimit(subject string) string { return "signin/account/" + subject + "/" }

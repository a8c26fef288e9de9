// Package program keeps the programs of the department that ask who may do what: their tokens, and what they were answered.
package program

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/clock"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/person"
)

// Program is a program that may ask, as it is kept. Its token is kept as a hash only.
type Program struct {
	ID           string
	Name         string // how administrators call it
	Scope        Scope
	Until        time.Time // exclusive, the midnight after the last day; zero when there is no end
	CreatedBy    string    // person id, audit.Terminal or audit.System
	CreatedAt    time.Time
	UsedAt       time.Time // the last time it asked, to the minute; zero when it never did
	RevokedBy    string
	RevokedAt    time.Time
	RevokeReason string
}

// LastDay is the last day on which the program may ask; the zero Date when there is no end.
func (p Program) LastDay() thai.Date {
	if p.Until.IsZero() {
		return thai.Date{}
	}
	return thai.LastDay(p.Until)
}

// State is what a program's token is worth at a moment.
type State string

// The states.
const (
	Live    State = "live"    // it may ask
	Ended   State = "ended"   // its last day is over
	Revoked State = "revoked" // by an administrator, or at the terminal
)

// StateAt answers the state at a moment.
func (p Program) StateAt(at time.Time) State {
	switch {
	case !p.RevokedAt.IsZero():
		return Revoked
	case !p.Until.IsZero() && !at.Before(p.Until):
		return Ended
	}
	return Live
}

// Scope is what a program may ask about. What it lists nothing of, and not all, it may not ask about.
type Scope struct {
	AllUnits   bool
	Units      []string // codes; a unit stands for its groups too
	AllActions bool
	Actions    []string // codes, see Actions
}

// Order is what is filled in to let a program ask.
type Order struct {
	Name    string
	Scope   Scope
	LastDay thai.Date // zero: no end
}

// Options are what a Desk and a Log work with; all are needed, but for the Book at the terminal.
type Options struct {
	DB    *store.DB
	Clock clock.Clock
	Book  *grant.Book
	Log   *slog.Logger
}

// Desk is where central administrators and the terminal keep the programs, and where a program that asks is known by
// its token. It is safe for concurrent use.
type Desk struct {
	Options
	known   atomic.Pointer[known]
	reading sync.Mutex // held while known is brought up to date
	fresh   atomic.Int64
}

// NewDesk opens the desk. Until CatchUp or Follow has run no program is known.
func NewDesk(o Options) *Desk {
	d := &Desk{Options: o}
	d.known.Store(&known{version: unread})
	return d
}

// prefix begins every token, so that people, and programs that look for lost secrets, know one when they see it.
const prefix = "sitthi_"

// Create lets a program ask and answers its token, which is told this once and kept nowhere. by is the person who does
// it, or audit.Terminal. It fails with Denied for whoever is no central administrator, and with Invalid in the fields
// name, units, actions and until.
func (d *Desk) Create(ctx context.Context, by string, o Order) (p Program, token string, err error) {
	token = prefix + seal.Token()
	act := &audit.Act{Name: "program.create", Actor: by}
	err = audit.Do(ctx, d.DB, act, func(tx *store.Tx) error {
		if err := d.administrator(ctx, tx, by); err != nil {
			return err
		}
		order, err := o.check(tx.Now)
		if err := unitsKnown(ctx, tx, order.Scope.Units, err); err != nil {
			return err
		}
		p = Program{ID: store.NewID(), Name: order.Name, Scope: order.Scope, CreatedBy: by, CreatedAt: tx.Now}
		if !order.LastDay.IsZero() {
			p.Until = order.LastDay.EndExclusive().UTC()
		}
		if err := insert(ctx, tx, p, seal.TokenHash(token)); err != nil {
			return err
		}
		act.Object = p.ID
		act.Detail = map[string]string{"units": p.Scope.units(), "actions": p.Scope.actions(), "until": order.LastDay.String()}
		act.Texts = map[string]string{"name": p.Name}
		return d.moved(ctx, tx)
	})
	if err != nil {
		return Program{}, "", err
	}
	return p, token, nil
}

// Revoke takes a program's token back, for a reason: in this process at once, in others within seconds. It fails with
// Denied for whoever is no central administrator, with NotFound, with Invalid in the field reason, and with Conflict
// when the token is revoked already.
func (d *Desk) Revoke(ctx context.Context, by, id, reason string) error {
	act := &audit.Act{Name: "program.revoke", Actor: by, Object: id, Texts: map[string]string{"reason": reason}}
	return audit.Do(ctx, d.DB, act, func(tx *store.Tx) error {
		if err := d.administrator(ctx, tx, by); err != nil {
			return err
		}
		p, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		reason, err := checkReason(reason)
		if err != nil {
			return err
		}
		if p.StateAt(tx.Now) == Revoked {
			return problem.New(problem.Conflict, "program.problem.revoked")
		}
		act.Texts["name"], act.Texts["reason"] = p.Name, reason
		if err := revoke(ctx, tx, id, by, reason); err != nil {
			return err
		}
		return d.moved(ctx, tx)
	})
}

// List answers all programs, the newest first, revoked ones too, to central administrators, auditors and the terminal.
func (d *Desk) List(ctx context.Context, by string) (list []Program, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		if err := d.reader(ctx, tx, by); err != nil {
			return err
		}
		list, err = all(ctx, tx)
		return err
	})
	return list, err
}

// Find answers one program to who may list them; NotFound when there is none.
func (d *Desk) Find(ctx context.Context, by, id string) (p Program, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		if err := d.reader(ctx, tx, by); err != nil {
			return err
		}
		p, err = find(ctx, tx, id)
		return err
	})
	return p, err
}

// Install lets a program ask about everything with a token that everyone may know, unless it does already. It is for
// the demonstration alone: whoever calls it has made sure that the database holds no real data.
func (d *Desk) Install(ctx context.Context, tx *store.Tx, name, token string) error {
	hash := seal.TokenHash(token)
	there, err := installed(ctx, tx, hash)
	if err != nil || there {
		return err
	}
	p := Program{ID: store.NewID(), Name: name, Scope: Scope{AllUnits: true, AllActions: true}, CreatedBy: audit.System, CreatedAt: tx.Now}
	if err := insert(ctx, tx, p, hash); err != nil {
		return err
	}
	act := audit.Act{Name: "program.create", Actor: audit.System, Object: p.ID, Texts: map[string]string{"name": p.Name},
		Detail: map[string]string{"units": p.Scope.units(), "actions": p.Scope.actions()}}
	if err := audit.Record(ctx, tx, act); err != nil {
		return err
	}
	return d.moved(ctx, tx)
}

// administrator fails with Denied unless it is the terminal or a central administrator who acts.
func (d *Desk) administrator(ctx context.Context, tx *store.Tx, by string) error {
	if by == audit.Terminal {
		return nil
	}
	return d.Book.RequireAdministrator(ctx, tx, person.ID(by))
}

// reader fails with Denied unless it is the terminal, a central administrator or an auditor who reads.
func (d *Desk) reader(ctx context.Context, tx *store.Tx, by string) error {
	if by == audit.Terminal {
		return nil
	}
	return d.Book.RequireReader(ctx, tx, person.ID(by))
}

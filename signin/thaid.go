package signin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/proof"
	"sitthi/thaid"
)

// thaidLife is how long a sign-in by ThaID may take from the question to the answer.
const thaidLife = 10 * time.Minute

// thaidPlaces is where the questions to ThaID are sealed for.
const thaidPlaces = "signin.thaid"

// ThaID reports whether officers can sign in by ThaID.
func (d *Desk) ThaID() bool { return d.thaid != nil }

func errNoThaID() error { return problem.New(problem.NotFound, "signin.problem.thaid_none") }

// AskThaID begins a sign-in by ThaID in one browser, and answers the address at ThaID to which the browser goes. When it
// comes back, SignInThaID goes on, within ten minutes; next is the page that the sign-in leads to. It fails with
// problem.NotFound where ThaID is not set up, and with problem.Busy after too many tries, or when ThaID can not be found.
func (d *Desk) AskThaID(ctx context.Context, browser, next string) (address string, err error) {
	if d.thaid == nil {
		return "", errNoThaID()
	}
	q := thaid.Question{State: seal.Token(), Nonce: seal.Token(), Verifier: seal.Token()}
	state := seal.TokenHash(q.State)
	var wait time.Duration
	err = d.db.Write(ctx, func(tx *store.Tx) error {
		wait, err = proof.Take(ctx, tx, "signin/address/"+proof.Network(audit.OriginOf(ctx).Address), d.settings.Address)
		if err != nil || wait > 0 {
			return err
		}
		sealed := d.ring.Seal(thaidPlaces+"/"+state, []byte(q.Nonce+" "+q.Verifier))
		return insertThaID(ctx, tx, state, seal.TokenHash(browser), sealed, next)
	})
	if err != nil {
		return "", fmt.Errorf("begin sign-in by ThaID: %w", err)
	}
	if wait > 0 {
		return "", tooMany(wait)
	}
	if address, err = d.thaid.Address(ctx, q); err != nil {
		return "", d.thaidFailed(ctx, err)
	}
	return address, nil
}

// SignInThaID takes the answer that a browser brings back from ThaID, and opens the session of the officer whom it proves:
// that is a second factor by itself, so no other is asked for. The first time links the account with ThaID, and every
// contact is told; it is refused with "signin.problem.thaid_first" unless the browser has an open session of that officer:
// anyone can have registered with another's citizen ID, and only his password shows that the account is his who is proved.
// next is the page that was asked for. It fails with problem.NotFound for an answer to a question that is
// not there, took too long, was answered before, or was another browser's, and with "signin.problem.thaid_nobody" when
// nobody with the citizen ID has an account; with problem.Denied when the person did not agree, the answer proves nobody,
// or the account is switched off; and with problem.Busy when ThaID does not answer within three seconds.
func (d *Desk) SignInThaID(ctx context.Context, a thaid.Answer, in In) (o Opened, next string, err error) {
	if d.thaid == nil {
		return o, "", errNoThaID()
	}
	q, next, err := d.takeThaID(ctx, a.State, in.Browser)
	if err != nil {
		return o, "", fmt.Errorf("sign in by ThaID: %w", err)
	}
	told, err := d.thaid.Redeem(ctx, a, q)
	if err != nil {
		return o, next, d.thaidFailed(ctx, err)
	}
	citizen, err := thai.ParseCitizenID(told.CitizenID)
	if err != nil {
		return o, next, d.thaidFailed(ctx, fmt.Errorf("%w: no citizen ID: %w", thaid.ErrUnproved, err))
	}
	o, err = d.openThaID(ctx, citizen, told, in)
	if err != nil {
		return o, next, fmt.Errorf("sign in by ThaID: %w", err)
	}
	o, err = o.orLocked()
	return o, next, err
}

// takeThaID uses the question up that is answered. The state in the answer finds it, and only in the browser that asked.
func (d *Desk) takeThaID(ctx context.Context, state, browser string) (q thaid.Question, next string, err error) {
	q.State = state
	hash := seal.TokenHash(state)
	err = d.db.Write(ctx, func(tx *store.Tx) error {
		sealed, page, err := updateThaID(ctx, tx, hash, seal.TokenHash(browser))
		if err != nil {
			return err
		}
		plain, err := d.ring.Open(thaidPlaces+"/"+hash, sealed)
		if err != nil {
			return fmt.Errorf("open question to ThaID: %w", err)
		}
		q.Nonce, q.Verifier, _ = strings.Cut(string(plain), " ")
		next = page
		return nil
	})
	return q, next, err
}

// thaidFailed turns a failure of ThaID into what the person is told. What he did not do himself is logged: an operator
// has to know.
func (d *Desk) thaidFailed(ctx context.Context, err error) error {
	var p *problem.Problem
	switch {
	case errors.Is(err, thaid.ErrRefused):
		return problem.New(problem.Denied, "signin.problem.thaid_refused")
	case errors.Is(err, thaid.ErrAway):
		p = &problem.Problem{Kind: problem.Busy, Key: "signin.problem.thaid_away", RetryAfter: time.Minute}
	default:
		p = problem.New(problem.Denied, "signin.problem.thaid_unproved")
	}
	d.log.WarnContext(ctx, "sign-in by ThaID failed", slog.Any("why", err))
	return p
}

// openThaID opens the session of whom ThaID has proved.
func (d *Desk) openThaID(ctx context.Context, citizen thai.CitizenID, told thaid.Person, in In) (Opened, error) {
	subject := d.roll.Index(citizen)
	open, err := d.Session(ctx, in.Session)
	if err != nil && !errors.Is(err, problem.NotFound) {
		return Opened{}, err
	}
	var known, linked bool
	err = d.db.Read(ctx, func(tx *store.Tx) (err error) {
		if known, err = selectDevice(ctx, tx, subject, seal.TokenHash(in.Device)); err != nil {
			return err
		}
		owner, err := Owner(ctx, tx, subject)
		if errors.Is(err, problem.NotFound) {
			return problem.New(problem.NotFound, "signin.problem.thaid_nobody")
		}
		if err != nil {
			return err
		}
		identity, err := officer.IdentityOf(ctx, tx, owner.Person)
		linked = identity.Proved()
		return err
	})
	if err != nil {
		return Opened{}, err
	}
	db := d.db
	if !linked { // rights may begin by it, so it takes its turn among what changes them
		db = db.InTurn()
	}
	o := d.opening(in, known)
	act := audit.Act{Name: "signin.thaid"}
	err = audit.Do(ctx, db, &act, func(tx *store.Tx) error {
		owner, err := Owner(ctx, tx, subject)
		if err != nil {
			return err
		}
		act.Actor, act.Subject, act.Unit = string(owner.Person), string(owner.Person), owner.Unit
		if !owner.Enabled() {
			return problem.New(problem.Denied, "signin.problem.disabled")
		}
		if identity, err := officer.IdentityOf(ctx, tx, owner.Person); err != nil {
			return err
		} else if !identity.Proved() && open.Person != owner.Person {
			return problem.New(problem.Denied, "signin.problem.thaid_first")
		}
		first, err := officer.NoteIdentity(ctx, tx, owner.Person, told.GivenName, told.FamilyName)
		if err != nil {
			return err
		}
		if first {
			if err := d.link(ctx, tx, owner); err != nil {
				return err
			}
		}
		in.thaid = true
		return d.open(ctx, tx, &act, owner.Person, in, &o)
	})
	if err != nil {
		return Opened{}, err
	}
	return o, nil
}

// link ends the act by which ThaID proved an officer for the first time.
func (d *Desk) link(ctx context.Context, tx *store.Tx, owner officer.Account) error {
	act := audit.Act{Name: "officer.thaid", Actor: string(owner.Person), Subject: string(owner.Person), Unit: owner.Unit}
	if err := audit.Record(ctx, tx, act); err != nil {
		return err
	}
	if d.identified != nil {
		if err := d.identified(ctx, tx, owner); err != nil {
			return err
		}
	}
	return officer.Tell(ctx, tx, d.outbox, owner, "signin.thaid", nil)
}

func insertThaID(ctx context.Context, tx *store.Tx, state, browser string, sealed []byte, next string) error {
	_, err := tx.Exec(ctx, `INSERT INTO thaid_flows (state, browser, sealed, next, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		state, browser, sealed, next, store.Us(tx.Now), store.Us(tx.Now.Add(thaidLife)))
	if err != nil {
		return fmt.Errorf("keep question to ThaID: %w", err)
	}
	return nil
}

// updateThaID takes a question that was not answered yet. Another browser is told that it is not the one that asked, and
// takes nothing: whoever has the state was given it by ThaID or by the browser that asked.
func updateThaID(ctx context.Context, tx *store.Tx, state, browser string) (sealed []byte, next string, err error) {
	err = tx.QueryRow(ctx, `UPDATE thaid_flows SET taken_at = $3
		WHERE state = $1 AND browser = $2 AND taken_at IS NULL AND expires_at > $3 RETURNING sealed, next`,
		state, browser, store.Us(tx.Now)).Scan(&sealed, &next)
	if err == nil {
		return sealed, next, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, "", fmt.Errorf("take question to ThaID: %w", err)
	}
	var elsewhere bool
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM thaid_flows WHERE state = $1 AND browser <> $2)`, state, browser).Scan(&elsewhere)
	if err != nil {
		return nil, "", fmt.Errorf("find question to ThaID: %w", err)
	}
	if elsewhere {
		return nil, "", problem.New(problem.NotFound, "signin.problem.thaid_browser")
	}
	return nil, "", problem.New(problem.NotFound, "signin.problem.thaid_over")
}

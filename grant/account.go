package grant

import (
	"context"
	"fmt"
	"slices"

	"sitthi/agency"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/officer"
	"sitthi/person"
)

// Relocated is called in the transaction in which an officer names another office. His rights stay as they are: what he
// held in the old office is marked as given while he belonged there, and the heads of both are told, who decide. The word
// of the old head on who he is stays too, for without it the rights would end (decision 0024).
func (b *Book) Relocated(ctx context.Context, tx *store.Tx, who officer.Account, from string) error {
	_, err := tx.Exec(ctx, `UPDATE grants SET version = version + 1,
			other_office = CASE WHEN unit = $2 THEN FALSE ELSE TRUE END,
			left_at = CASE WHEN unit = $3 THEN COALESCE(left_at, $4) WHEN unit = $2 THEN NULL ELSE left_at END
		WHERE person_id = $1 AND closed_at IS NULL`, who.Person, who.Unit, from, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("mark rights of who moved: %w", err)
	}
	old, err := agency.Find(ctx, tx, from)
	if err != nil {
		return err
	}
	now, err := agency.Find(ctx, tx, who.Unit)
	if err != nil {
		return err
	}
	args := func(unit string) locale.Args {
		return locale.Args{"name": who.Name(), "position": who.Position, "old_unit": old.Short, "unit": now.Short,
			"link": b.link("/ko1/units/" + unit + "/people/" + string(who.Person))}
	}
	if err := b.tellPosts(ctx, tx, Head, from, who.Person, "office.left", args(from)); err != nil {
		return err
	}
	if err := b.tellPosts(ctx, tx, Head, who.Unit, who.Person, "office.joined", args(who.Unit)); err != nil {
		return err
	}
	heads, err := b.headOf(ctx, tx, who.Person)
	if err != nil || len(heads) == 0 {
		return err
	}
	// A head who goes elsewhere stays head until the centre ends his appointment: it has to know.
	return b.tellCentre(ctx, tx, who.Person, "office.left", "/admin/appointments", args(from))
}

// Leaving is what it brings with it when an officer closes his account.
type Leaving struct {
	// Rights are those that have no effect until the account is open again.
	Rights int
	// NoHead and NoApprover are the units that are left without a head, and without anybody who may approve.
	NoHead, NoApprover []agency.Unit
	// LastAdministrators says that the account can not be closed: two administrators have to stay.
	LastAdministrators bool

	units []string // where he holds rights, and his own
}

// Leaving answers what it would bring with it if an officer closed his account now.
func (b *Book) Leaving(ctx context.Context, who person.ID) (l Leaving, err error) {
	err = b.db.Read(ctx, func(tx *store.Tx) error {
		account, err := officer.Find(ctx, tx, who)
		if err == nil {
			l, err = b.leaving(ctx, tx, account)
		}
		return err
	})
	return l, err
}

func (b *Book) leaving(ctx context.Context, tx *store.Tx, who officer.Account) (l Leaving, err error) {
	l.units = []string{who.Unit}
	appointments, err := store.Rows(scanAppointment)(tx.Query(ctx,
		`SELECT `+appointmentColumns+` FROM appointments p WHERE p.person_id = $1 AND p.closed_at IS NULL ORDER BY p.unit`, who.Person))
	if err != nil {
		return Leaving{}, fmt.Errorf("find appointments: %w", err)
	}
	for _, a := range appointments {
		if !a.Holds(tx.Now) {
			continue
		}
		left, err := b.countHolders(ctx, tx, a.Unit, a.Post, who.Person)
		if err != nil {
			return Leaving{}, err
		}
		if a.Post == Administrator && left < fewestAdministrators {
			l.LastAdministrators = true
		}
		if a.Post == Head && left == 0 {
			unit, err := agency.Find(ctx, tx, a.Unit)
			if err != nil {
				return Leaving{}, err
			}
			l.NoHead = append(l.NoHead, unit)
		}
	}
	open, err := waiting(ctx, tx, who.Person, "")
	if err != nil {
		return Leaving{}, err
	}
	l.Rights = len(open)
	for _, g := range open {
		if !slices.Contains(l.units, g.Unit) {
			l.units = append(l.units, g.Unit)
		}
		if g.Level != Approve || g.From.After(tx.Now) || slices.ContainsFunc(l.NoApprover, func(u agency.Unit) bool { return u.Code == g.Unit }) {
			continue
		}
		known, err := identified(ctx, tx, who.Person, g.Unit)
		if err != nil {
			return Leaving{}, err
		}
		left, err := b.heldByOthers(ctx, tx, g.Unit, Approve, who.Person)
		if err != nil {
			return Leaving{}, err
		}
		if known && left == 0 {
			unit, err := agency.Find(ctx, tx, g.Unit)
			if err != nil {
				return Leaving{}, err
			}
			l.NoApprover = append(l.NoApprover, unit)
		}
	}
	return l, nil
}

// heldByOthers counts the persons, other than one, who hold the level somewhere in the unit at the transaction's moment.
func (b *Book) heldByOthers(ctx context.Context, tx *store.Tx, unit string, level Level, without person.ID) (n int, err error) {
	err = tx.QueryRow(ctx, `SELECT count(DISTINCT g.person_id) FROM grants g
		JOIN accounts a ON a.person_id = g.person_id AND a.state = 'active' AND a.last_signin_at > $5
		JOIN confirmations c ON c.person_id = g.person_id AND c.unit = g.unit AND c.ended_at IS NULL
		WHERE g.system = 'ko1' AND g.unit = $1 AND g.level = $2 AND g.person_id <> $3 AND g.closed_at IS NULL
		  AND g.awaits_second = FALSE AND g.starts_at <= $4 AND (g.ends_at IS NULL OR g.ends_at > $4)`,
		unit, level, without, store.Us(tx.Now), b.lockedUpTo(tx)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count who is left: %w", err)
	}
	return n, nil
}

// Closed is called in the transaction in which an officer closes his account, once it is closed. His rights and posts stay
// and have no effect; the heads of the units where he holds rights are told, and the centre where nobody is left. It fails
// with problem.Conflict for one of the last two administrators.
func (b *Book) Closed(ctx context.Context, tx *store.Tx, who officer.Account) error {
	l, err := b.leaving(ctx, tx, who)
	switch {
	case err != nil:
		return err
	case l.LastAdministrators:
		return problem.New(problem.Conflict, "account.problem.last_administrators")
	}
	if err := b.Moved(ctx, tx, who.Person); err != nil {
		return err
	}
	for _, code := range l.units {
		unit, err := agency.Find(ctx, tx, code)
		if err != nil {
			return err
		}
		args := locale.Args{"name": who.Name(), "position": who.Position, "unit": unit.Short,
			"link": b.link("/ko1/units/" + code + "/people/" + string(who.Person))}
		if err := b.tellPosts(ctx, tx, Head, code, who.Person, "account.closed_head", args); err != nil {
			return err
		}
	}
	for _, u := range l.NoHead {
		if err := b.tellCentre(ctx, tx, who.Person, "appointment.none_left", "/admin/appointments", locale.Args{"unit": u.Name}); err != nil {
			return err
		}
	}
	for _, u := range l.NoApprover {
		args := locale.Args{"level": Approve.Row().Name, "unit": u.Short}
		if err := b.tellCentre(ctx, tx, who.Person, "grant.none_left", "/admin/overview", args); err != nil {
			return err
		}
	}
	return nil
}

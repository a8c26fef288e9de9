package grant

import (
	"context"
	"errors"
	"fmt"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// find reads a grant for someone who wants to act on it. A grant that is not his to see is answered like an absent one.
func (b *Book) find(ctx context.Context, tx *store.Tx, by person.ID, id string) (Grant, changeFacts, error) {
	g, err := findGrant(ctx, tx, id)
	if err != nil {
		return Grant{}, changeFacts{}, err
	}
	f := changeFacts{By: by, Now: tx.Now}
	if _, f.Head, err = b.post(ctx, tx, by, Head, g.Unit); err != nil {
		return Grant{}, changeFacts{}, err
	}
	if !f.Head {
		return Grant{}, changeFacts{}, problem.New(problem.NotFound, "grant.not_found")
	}
	if f.SubjectHead, err = headOrToBe(ctx, tx, g.Person, g.Unit); err != nil {
		return Grant{}, changeFacts{}, err
	}
	if f.Unit, f.TeamKnown, err = factsOf(ctx, tx, g.Scope()); err != nil {
		return Grant{}, changeFacts{}, err
	}
	account, err := officer.Find(ctx, tx, g.Person)
	if err != nil && !errors.Is(err, problem.NotFound) {
		return Grant{}, changeFacts{}, err
	}
	f.Disabled = err == nil && !account.Enabled()
	f.Held, f.Left, err = b.countHeld(ctx, tx, g.Unit, g.Level, g.ID)
	return g, f, err
}

// act runs an act on one grant. A grant of another unit answers as an absent one, but the attempt is recorded as a
// refusal all the same.
func (b *Book) act(ctx context.Context, by person.ID, name, id string, f func(tx *store.Tx, g *Grant, facts changeFacts, act *audit.Act) error) (g Grant, err error) {
	act := &audit.Act{Name: name, Actor: string(by), Object: id}
	foreign := false
	err = audit.Do(ctx, b.turn, act, func(tx *store.Tx) error {
		var facts changeFacts
		g, facts, err = b.find(ctx, tx, by, id)
		if foreign = errors.Is(err, problem.NotFound); foreign {
			return problem.New(problem.Denied, "grant.not_found")
		}
		if err != nil {
			return err
		}
		act.Unit, act.Subject = g.Unit, string(g.Person)
		return f(tx, &g, facts, act)
	})
	if foreign && errors.Is(err, problem.Denied) {
		return Grant{}, problem.New(problem.NotFound, "grant.not_found")
	}
	if err != nil {
		return Grant{}, err
	}
	return g, nil
}

// Revoke ends a grant at once (Delete) and keeps it in the history. The last approver of a unit goes only when the
// ending says so; the centre is told. It fails with NotFound for a grant of another unit, Conflict when it has ended
// already, Invalid without a reason.
func (b *Book) Revoke(ctx context.Context, by person.ID, id string, e Ending) (Grant, error) {
	return b.act(ctx, by, "grant.revoke", id, func(tx *store.Tx, g *Grant, f changeFacts, act *audit.Act) error {
		if err := mayRevoke(*g, e, f); err != nil {
			return err
		}
		if err := closeGrant(ctx, tx, g, string(by), Revoked, e.Reason); err != nil {
			return err
		}
		act.Detail = g.facts()
		act.Texts = map[string]string{"reason": e.Reason}
		if err := b.Moved(ctx, tx, g.Person); err != nil {
			return err
		}
		if leavesNone(g.Level, f.Held, f.Left) {
			act.Detail["leaves_none"] = "true"
			words, err := b.words(ctx, tx, *g, officer.Account{})
			if err != nil {
				return err
			}
			if err := b.tellCentre(ctx, tx, by, "grant.none_left", "/admin/log", words); err != nil {
				return err
			}
		}
		return b.tellIfRegistered(ctx, tx, *g, "grant.ended")
	})
}

// tellIfRegistered tells the holder of a grant what became of it, if he has an account.
func (b *Book) tellIfRegistered(ctx context.Context, tx *store.Tx, g Grant, purpose string) error {
	account, err := officer.Find(ctx, tx, g.Person)
	if errors.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return b.tellHolder(ctx, tx, g, account, purpose)
}

// Change alters the end, order number or note of a grant in place; old and new stay in the history. A grant that has
// run out is renewed this way. The version is the one the form was made from: who comes second gets Conflict.
func (b *Book) Change(ctx context.Context, by person.ID, id string, version int64, c Change) (Grant, error) {
	return b.act(ctx, by, "grant.change", id, func(tx *store.Tx, g *Grant, f changeFacts, act *audit.Act) error {
		f.Version = version
		_, until := period(tx.Now, thai.Date{}, c.LastDay)
		if err := mayChange(*g, c, until, f); err != nil {
			return err
		}
		old := *g
		g.Until, g.OrderNumber, g.Note = until, c.OrderNumber, c.Note
		if err := updateGrant(ctx, tx, g, string(by)); err != nil {
			return err
		}
		act.Detail = g.facts()
		if !old.Until.IsZero() {
			act.Detail["old_until"] = stamp(old.Until)
		}
		act.Texts = g.texts()
		if old.Note != "" && old.Note != g.Note {
			act.Texts["old_note"] = old.Note
		}
		if old.OrderNumber != "" && old.OrderNumber != g.OrderNumber {
			act.Texts["old_order_number"] = old.OrderNumber
		}
		if old.Until.Equal(g.Until) {
			return nil // a note alone moves no right and is nobody's news
		}
		if err := b.Moved(ctx, tx, g.Person); err != nil {
			return err
		}
		return b.tellIfRegistered(ctx, tx, *g, "grant.changed")
	})
}

// Again gives a grant that was ended once more, under a new number: for a slip of the hand. It asks all that Give
// asks, so it fails where giving it anew would.
func (b *Book) Again(ctx context.Context, by person.ID, id, form string) (Grant, error) {
	var ended Grant
	_, err := b.act(ctx, by, "grant.give", id, func(_ *store.Tx, g *Grant, _ changeFacts, _ *audit.Act) error {
		ended = *g
		return errOnlyLooked
	})
	if !errors.Is(err, errOnlyLooked) {
		return Grant{}, err
	}
	o := Order{Unit: ended.Unit, Team: ended.Team, Level: ended.Level, Person: ended.Person,
		OrderNumber: thai.MaskCitizenIDs(ended.OrderNumber), Note: thai.MaskCitizenIDs(ended.Note), // of before they were refused
		OtherOffice: ended.OtherOffice, Form: form, From: thai.DateOf(ended.From)}
	o.LastDay, _ = ended.LastDay()
	return b.Give(ctx, by, o)
}

// errOnlyLooked ends an act that only finds the grant, so that nothing but a refusal is recorded.
var errOnlyLooked = errors.New("only looked")

// Identify keeps a head's word on who a registered person is: confirmed, his pending grants in the unit take effect;
// refused, they are closed. Once per person and unit.
func (b *Book) Identify(ctx context.Context, by person.ID, who person.ID, unit string, confirmed bool, reason string) error {
	act := &audit.Act{Name: "grant.confirm", Actor: string(by), Unit: unit, Subject: string(who)}
	if !confirmed {
		act.Name = "grant.refuse"
	}
	return audit.Do(ctx, b.turn, act, func(tx *store.Tx) error {
		if err := b.identify(ctx, tx, by, who, unit, confirmed, reason); err != nil {
			return err
		}
		if reason != "" {
			act.Texts = map[string]string{"reason": reason}
		}
		b.readBack(ctx, tx)
		return nil
	})
}

// identify decides on one person who waits for the word of a head. The caller has the memory read back.
func (b *Book) identify(ctx context.Context, tx *store.Tx, by, who person.ID, unit string, confirmed bool, reason string) error {
	_, head, err := b.post(ctx, tx, by, Head, unit)
	if err != nil {
		return err
	}
	if !head {
		return problem.New(problem.Denied, "grant.denied_not_head")
	}
	if who == by {
		return problem.New(problem.Denied, "grant.denied_self")
	}
	account, err := officer.Find(ctx, tx, who)
	if errors.Is(err, problem.NotFound) { // who has no account waits as little as one who waits elsewhere
		return problem.New(problem.NotFound, "grant.nothing_pending")
	}
	if err != nil {
		return err
	}
	known, err := identified(ctx, tx, who, unit)
	if err != nil {
		return err
	}
	if known {
		return problem.New(problem.Conflict, "grant.already_confirmed")
	}
	pending, err := waiting(ctx, tx, who, unit)
	if err != nil {
		return err
	}
	if len(pending) == 0 {
		return problem.New(problem.NotFound, "grant.nothing_pending")
	}
	if !confirmed {
		return b.refuse(ctx, tx, by, account, unit, pending, reason)
	}
	var check problem.Check
	if person.CheckText(&check, "reason", reason); check.Failed() {
		return check.Err()
	}
	// Whom the centre appointed head since, another head does not let into rights of the unit.
	if head, err := headOrToBe(ctx, tx, who, unit); err != nil {
		return err
	} else if head {
		return problem.New(problem.Denied, "grant.denied_for_head")
	}
	if err := b.confirm(ctx, tx, by, account, unit, pending); err != nil {
		return err
	}
	return noteMoved(ctx, tx, who)
}

// confirm keeps a head's word that he knows a person. The rights that waited for it take effect, and the person is
// told of each.
func (b *Book) confirm(ctx context.Context, tx *store.Tx, by person.ID, who officer.Account, unit string, pending []Grant) error {
	if err := insertConfirmation(ctx, tx, who.Person, unit, string(by), true); err != nil {
		return err
	}
	for _, g := range pending {
		if other := who.Unit != unit; other != g.OtherOffice { // while he had no account nobody knew
			if err := markOtherOffice(ctx, tx, g, other); err != nil {
				return err
			}
		}
		if err := b.tellHolder(ctx, tx, g, who, "grant.given"); err != nil {
			return err
		}
	}
	return nil
}

// refuse keeps a head's word that a person is none of his, and closes what waited for it.
func (b *Book) refuse(ctx context.Context, tx *store.Tx, by person.ID, who officer.Account, unit string, pending []Grant, reason string) error {
	var check problem.Check
	if checkReason(&check, reason); check.Failed() {
		return check.Err()
	}
	if err := insertConfirmation(ctx, tx, who.Person, unit, string(by), false); err != nil {
		return err
	}
	for i := range pending {
		if err := closeGrant(ctx, tx, &pending[i], string(by), Refused, reason); err != nil {
			return err
		}
		if err := b.tellHolder(ctx, tx, pending[i], who, "grant.refused"); err != nil {
			return err
		}
	}
	return noteMoved(ctx, tx, who.Person)
}

// Registered is called in the transaction in which a person registers: the heads who named him are told, so that
// they compare and confirm.
func (b *Book) Registered(ctx context.Context, tx *store.Tx, who person.ID) error {
	pending, err := waiting(ctx, tx, who, "")
	if err != nil || len(pending) == 0 {
		return err
	}
	account, err := officer.Find(ctx, tx, who)
	if err != nil {
		return err
	}
	told := map[string]bool{}
	for _, g := range pending {
		if told[g.Unit] {
			continue
		}
		told[g.Unit] = true
		words, err := b.words(ctx, tx, g, account)
		if err != nil {
			return err
		}
		words["link"] = b.link("/ko1/rights/waiting")
		if err := b.tellPosts(ctx, tx, Head, g.Unit, who, "grant.pending", words); err != nil {
			return err
		}
	}
	return b.Moved(ctx, tx, who)
}

// Second confirms or refuses a right that one central administrator proposed for a head: another administrator
// confirms, who is not the person himself; who proposed it may only withdraw it.
func (b *Book) Second(ctx context.Context, by person.ID, id string, yes bool, reason string) (g Grant, err error) {
	act := &audit.Act{Name: "grant.second", Actor: string(by), Object: id}
	if !yes {
		act.Name = "grant.decline"
	}
	err = audit.Do(ctx, b.turn, act, func(tx *store.Tx) error {
		_, administrator, err := b.post(ctx, tx, by, Administrator, centreUnit)
		if err != nil {
			return err
		}
		if !administrator { // before the grant is looked for: others learn nothing about what exists
			return mayConfirm(string(by), false, "", "")
		}
		if g, err = findGrant(ctx, tx, id); err != nil {
			return err
		}
		act.Unit, act.Subject, act.Detail = g.Unit, string(g.Person), g.facts()
		may := mayDecline(string(by), administrator, g.Person)
		if yes {
			may = mayConfirm(string(by), administrator, string(g.GivenBy), g.Person)
		}
		if may != nil {
			return may
		}
		if !yes {
			if !g.AwaitsSecond || !g.ClosedAt.IsZero() {
				return problem.New(problem.Conflict, "grant.already_decided")
			}
			var check problem.Check
			if checkReason(&check, reason); check.Failed() {
				return check.Err()
			}
			act.Texts = map[string]string{"reason": reason}
			if err := closeGrant(ctx, tx, &g, string(by), Refused, reason); err != nil {
				return err
			}
			if err := b.Moved(ctx, tx, g.Person); err != nil { // no right moves, but what is counted of the unit does
				return err
			}
			return b.tellIfRegistered(ctx, tx, g, "grant.refused")
		}
		f, err := b.standFacts(ctx, tx, string(g.GivenBy), g.Person, g.Unit)
		if err != nil {
			return err
		}
		if f.Subject {
			if f.Subject, err = headOrToBe(ctx, tx, g.Person, g.Unit); err != nil {
				return err
			}
		}
		unit, teamKnown, err := factsOf(ctx, tx, g.Scope())
		if err != nil {
			return err
		}
		f.Unit = placeStands(g.Level, g.Team, unit, teamKnown)
		if err := stillAwaits(g, f, tx.Now); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE grants SET awaits_second = FALSE, seconded_by = $1, seconded_at = $2, version = version + 1
			WHERE id = $3 AND awaits_second = TRUE AND closed_at IS NULL`, by, store.Us(tx.Now), id)
		if err != nil {
			return fmt.Errorf("second grant: %w", err)
		}
		if n == 0 {
			return problem.New(problem.Conflict, "grant.already_decided")
		}
		g.AwaitsSecond = false
		// Two administrators have looked at who he is, as they did when he was appointed.
		if err := insertConfirmation(ctx, tx, g.Person, g.Unit, string(by), true); err != nil {
			return err
		}
		if err := b.Moved(ctx, tx, g.Person); err != nil {
			return err
		}
		return b.tellIfRegistered(ctx, tx, g, "grant.given")
	})
	if err != nil {
		return Grant{}, err
	}
	return g, nil
}

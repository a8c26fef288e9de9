package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// Give carries out a head's order: the person may act at the level in the unit from now, or from the day given. A
// person without an account gets a grant that opens nothing until he has registered and been confirmed. For a person
// who is head of the unit himself a central administrator proposes and another seconds (see Second).
//
// It fails with Denied for who lacks the right, Invalid with the fields to mend, Conflict when such a grant exists or
// someone was first. The same form sent twice answers the grant it became the first time; with another content it is a
// Conflict.
func (b *Book) Give(ctx context.Context, by person.ID, o Order) (g Grant, err error) {
	switch {
	case o.Form == "":
		o.Form = store.NewID()
	case !formName(o.Form):
		return Grant{}, problem.New(problem.Invalid, "problem.form")
	}
	act := &audit.Act{Name: "grant.give", Actor: string(by), Unit: o.Unit}
	again := false
	err = audit.Do(ctx, b.turn, act, func(tx *store.Tx) error {
		var earlier Grant
		if earlier, again, err = findGrantOfForm(ctx, tx, o.Form); err != nil {
			return err
		}
		if again {
			g = earlier
			return b.sameOrder(ctx, tx, by, o, earlier)
		}
		g, err = b.give(ctx, tx, by, o, act)
		return err
	})
	if errors.Is(err, errSameForm) {
		return g, nil
	}
	return g, err
}

// longestForm is how long the name of a form can be; ours have 43 letters.
const longestForm = 64

// broughtForm begins the form of a right that an import brought, by which an explanation tells it from one given here.
const broughtForm = "brought-"

// formName reports whether a form may be called so.
func formName(form string) bool {
	return form != "" && len(form) <= longestForm && !strings.HasPrefix(form, broughtForm)
}

// sameOrder answers errSameForm when a form that was sent before asks again for what it became. A browser may bring
// back an old form with new contents; to call that saved would be a lie, so it is a Conflict.
func (b *Book) sameOrder(ctx context.Context, tx *store.Tx, by person.ID, o Order, earlier Grant) error {
	if earlier.GivenBy != by {
		return problem.New(problem.NotFound, "grant.not_found")
	}
	who := o.Person
	if !o.Citizen.IsZero() {
		var err error
		if who, _, err = b.roll.Find(ctx, tx, o.Citizen); err != nil {
			return err
		}
	}
	if earlier.Unit != o.Unit || earlier.Team != o.Team || earlier.Level != o.Level || earlier.Person != who {
		return problem.New(problem.Conflict, "grant.form_used")
	}
	return errSameForm
}

// errSameForm undoes an act that has been done already, so that nothing is recorded twice.
var errSameForm = errors.New("the form was sent before")

func (b *Book) give(ctx context.Context, tx *store.Tx, by person.ID, o Order, act *audit.Act) (Grant, error) {
	from, err := b.giver(ctx, tx, by, Place{o.Unit, o.Team})
	if err != nil {
		return Grant{}, err
	}
	subject, err := b.subject(ctx, tx, o.Citizen, o.Person, o.Unit, from.Centre)
	if err != nil {
		return Grant{}, err
	}
	act.Subject = string(subject)
	f, account, err := b.weigh(ctx, tx, from, subject, o)
	if err != nil {
		return Grant{}, err
	}
	if err := mayGive(o, f); err != nil {
		return Grant{}, err
	}
	g, err := b.carryOut(ctx, tx, from, o, f, account, act)
	if err != nil {
		return Grant{}, err
	}
	b.readBack(ctx, tx)
	return g, nil
}

// giver is who gives rights in a place, as a transaction finds him: the same for every right of one act.
type giver struct {
	By          person.ID
	Head        bool   // is head of the unit now
	Centre      bool   // is central administrator now
	Appointment string // that makes him head
	Unit        unitFacts
	TeamKnown   bool
}

// giver finds out by what authority somebody gives rights in a place. It fails with Denied for who has none, before
// anything is looked for: others learn nothing from the answer.
func (b *Book) giver(ctx context.Context, tx *store.Tx, by person.ID, at Place) (giver, error) {
	appointment, head, err := b.post(ctx, tx, by, Head, at.Unit)
	if err != nil {
		return giver{}, err
	}
	from := giver{By: by, Head: head, Appointment: appointment.ID}
	if _, from.Centre, err = b.post(ctx, tx, by, Administrator, centreUnit); err != nil {
		return giver{}, err
	}
	if !from.Head && !from.Centre {
		return giver{}, problem.New(problem.Denied, "grant.denied_not_head")
	}
	from.Unit, from.TeamKnown, err = factsOf(ctx, tx, at)
	return from, err
}

// weigh gathers all that decides whether an order for a person may be carried out, and answers his account, empty when
// he has none. The subject is "" for a citizen ID never mentioned before.
func (b *Book) weigh(ctx context.Context, tx *store.Tx, from giver, subject person.ID, o Order) (f giveFacts, account officer.Account, err error) {
	f = giveFacts{By: from.By, Now: tx.Now, Head: from.Head, Centre: from.Centre, Unit: from.Unit, TeamKnown: from.TeamKnown, Subject: subject}
	f.From, f.Until = period(tx.Now, o.From, o.LastDay)
	if subject == "" {
		return f, account, nil
	}
	account, err = b.factsAbout(ctx, tx, &f, o.Unit)
	return f, account, err
}

// carryOut gives the right of an order that may be given, and fills in the act that records it. The caller has the
// memory read back.
func (b *Book) carryOut(ctx context.Context, tx *store.Tx, from giver, o Order, f giveFacts, account officer.Account, act *audit.Act) (Grant, error) {
	if f.Subject == "" { // only now: a refused act must not name a person who is undone with it
		var err error
		if f.Subject, err = b.roll.Mention(ctx, tx, o.Citizen); err != nil {
			return Grant{}, err
		}
		act.Subject = string(f.Subject)
	}
	if err := closeExpired(ctx, tx, Place{o.Unit, o.Team}, o.Level, f.Subject); err != nil {
		return Grant{}, err
	}
	g := Grant{
		ID: store.NewID(), Unit: o.Unit, Team: o.Team, Level: o.Level, Person: f.Subject, From: f.From, Until: f.Until,
		OrderNumber: o.OrderNumber, Note: o.Note, OtherOffice: f.Registered && !f.OwnOffice, AwaitsSecond: f.SubjectHead,
		GivenBy: from.By, GivenAt: tx.Now, Version: 1,
	}
	var err error
	if g.Mutual, err = b.markMutual(ctx, tx, from.By, f.Subject); err != nil {
		return Grant{}, err
	}
	earlier, err := waiting(ctx, tx, f.Subject, o.Unit)
	if err != nil {
		return Grant{}, err
	}
	if err := insertGrant(ctx, tx, &g, o.Form, from.Appointment); err != nil {
		return Grant{}, err
	}
	switch needed := f.Registered && !f.Identified && !f.SubjectHead; {
	case needed && f.Proved:
		if err := b.confirmThaID(ctx, tx, account, o.Unit, earlier); err != nil {
			return Grant{}, err
		}
	case needed:
		if err := audit.Record(ctx, tx, audit.Act{Name: "grant.confirm", Actor: string(from.By), Unit: o.Unit, Subject: string(f.Subject)}); err != nil {
			return Grant{}, err
		}
		if err := b.confirm(ctx, tx, from.By, account, o.Unit, earlier); err != nil {
			return Grant{}, err
		}
	}
	act.Object = g.ID
	act.Detail = g.facts()
	act.Texts = g.texts()
	if err := noteMoved(ctx, tx, g.Person); err != nil {
		return Grant{}, err
	}
	return g, b.tellOfGift(ctx, tx, g, account, from.By)
}

// tellOfGift tells whom a new grant concerns: the officer, or the administrators who have to second it.
func (b *Book) tellOfGift(ctx context.Context, tx *store.Tx, g Grant, holder officer.Account, by person.ID) error {
	switch {
	case g.AwaitsSecond:
		words, err := b.words(ctx, tx, g, holder)
		if err != nil {
			return err
		}
		return b.tellCentre(ctx, tx, by, "grant.second", "/admin/appointments", words)
	case holder.Person == "":
		return nil // not registered: nobody to tell yet
	}
	return b.tellHolder(ctx, tx, g, holder, "grant.given")
}

// factsOf gathers what the rules ask of a place, and whether its group is known and in use.
func factsOf(ctx context.Context, tx *store.Tx, at Place) (f unitFacts, team bool, err error) {
	unit, err := agency.Find(ctx, tx, at.Unit)
	if errors.Is(err, problem.NotFound) {
		return unitFacts{}, false, nil
	}
	if err != nil {
		return unitFacts{}, false, err
	}
	f = unitFacts{Active: unit.Active, Considers: unit.Considers, Division: unit.HasTeams(), UsesReview: unit.UsesReview}
	if at.Team == "" || !f.Division {
		return f, false, nil
	}
	group, err := agency.FindTeam(ctx, tx, at.Unit, at.Team)
	if err != nil && !errors.Is(err, problem.NotFound) {
		return unitFacts{}, false, err
	}
	return f, err == nil && group.Active, nil
}

// factsAbout fills in what the rules ask of the person, and answers his account, empty when he has none.
func (b *Book) factsAbout(ctx context.Context, tx *store.Tx, f *giveFacts, unit string) (officer.Account, error) {
	var err error
	if f.SubjectHead, err = headOrToBe(ctx, tx, f.Subject, unit); err != nil {
		return officer.Account{}, err
	}
	if f.Identified, err = identified(ctx, tx, f.Subject, unit); err != nil {
		return officer.Account{}, err
	}
	identity, err := officer.IdentityOf(ctx, tx, f.Subject)
	if err != nil {
		return officer.Account{}, err
	}
	account, err := officer.Find(ctx, tx, f.Subject)
	if errors.Is(err, problem.NotFound) {
		return officer.Account{}, nil
	}
	f.Proved = identity.Proved()
	f.Registered, f.Disabled, f.OwnOffice = err == nil, !account.Enabled(), account.Unit == unit
	return account, err
}

// subject finds the person an order is about, by citizen ID or by choice; "" is a citizen ID never mentioned before. A head chooses among those near his unit;
// all others are absent, or he could give a right to whomever he has the id of and read the citizen ID in his grid.
func (b *Book) subject(ctx context.Context, tx *store.Tx, citizen thai.CitizenID, chosen person.ID, unit string, centre bool) (person.ID, error) {
	if !citizen.IsZero() {
		who, _, err := b.roll.Find(ctx, tx, citizen)
		return who, err
	}
	if chosen == "" {
		var check problem.Check
		check.Fail("citizen", "grant.citizen_missing")
		return "", check.Err()
	}
	if _, err := b.roll.CitizenID(ctx, tx, chosen); err != nil {
		return "", err
	}
	if centre {
		return chosen, nil
	}
	known, err := near(ctx, tx, unit, chosen)
	if err == nil && !known {
		err = problem.New(problem.NotFound, "problem.person_unknown")
	}
	return chosen, err
}

// period turns the days of a form into moments: from the start of the first day (or now, when it is today or not
// given) to the midnight after the last.
func period(now time.Time, from, lastDay thai.Date) (start, until time.Time) {
	start = now
	if !from.IsZero() && from.StartOfDay().After(now) {
		start = from.StartOfDay().UTC()
	}
	if !lastDay.IsZero() {
		until = lastDay.EndExclusive().UTC()
	}
	return start, until
}

// facts are what the log seals of a grant.
func (g Grant) facts() map[string]string {
	m := map[string]string{"level": strconv.FormatInt(int64(g.Level), 10), "number": strconv.FormatInt(g.Number, 10), "from": stamp(g.From)}
	if g.Team != "" {
		m["team"] = g.Team
	}
	if !g.Until.IsZero() {
		m["until"] = stamp(g.Until)
	}
	if g.OtherOffice {
		m["other_office"] = "true"
	}
	if g.Mutual {
		m["mutual"] = "true"
	}
	if g.AwaitsSecond {
		m["awaits_second"] = "true"
	}
	return m
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// texts are what people wrote about a grant.
func (g Grant) texts() map[string]string {
	m := map[string]string{}
	if g.OrderNumber != "" {
		m["order_number"] = g.OrderNumber
	}
	if g.Note != "" {
		m["note"] = g.Note
	}
	return m
}

// markMutual reports whether two heads give each other rights, and marks the grant that came first.
func (b *Book) markMutual(ctx context.Context, tx *store.Tx, giver, receiver person.ID) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE grants SET mutual = TRUE WHERE given_by = $1 AND person_id = $2 AND closed_at IS NULL`, receiver, giver)
	if err != nil {
		return false, fmt.Errorf("mark mutual grants: %w", err)
	}
	return n > 0, nil
}

// tellHolder queues the message to the holder of a grant about what somebody did to it.
func (b *Book) tellHolder(ctx context.Context, tx *store.Tx, g Grant, to officer.Account, purpose string) error {
	args, err := b.words(ctx, tx, g, to)
	if err != nil {
		return err
	}
	args["link"] = b.link("/my/rights")
	return b.tell(ctx, tx, to, purpose, args)
}

// words are the arguments of every message about a grant, but for the link to where its reader acts.
func (b *Book) words(ctx context.Context, tx *store.Tx, g Grant, holder officer.Account) (locale.Args, error) {
	place, err := placeName(ctx, tx, g.Scope())
	if err != nil {
		return nil, err
	}
	return wordsAt(place, g, holder), nil
}

// placeName is what messages call a unit, with its group where there is one.
func placeName(ctx context.Context, tx *store.Tx, at Place) (locale.Name, error) {
	unit, err := agency.Find(ctx, tx, at.Unit)
	if err != nil || at.Team == "" {
		return unit.Short, err
	}
	team, err := agency.FindTeam(ctx, tx, at.Unit, at.Team)
	if err != nil {
		return locale.Name{}, err
	}
	return locale.Name{TH: unit.Short.TH + " " + team.Name.TH, EN: unit.Short.In(locale.EN) + ", " + team.Name.In(locale.EN)}, nil
}

func wordsAt(place locale.Name, g Grant, holder officer.Account) locale.Args {
	return locale.Args{"name": holder.Name(), "position": holder.Position, "level": g.Level.Row().Name, "unit": place,
		"from": thai.DateOf(g.From), "until": lastDay(g.Until)}
}

// lastDay is the last day before an exclusive end, or words for none.
func lastDay(until time.Time) any {
	if until.IsZero() {
		return locale.Name{TH: "ไม่มีกำหนดสิ้นสุด", EN: "no end date"}
	}
	return thai.LastDay(until)
}

// tell queues a message to an officer.
func (b *Book) tell(ctx context.Context, tx *store.Tx, to officer.Account, purpose string, args locale.Args) error {
	return b.outbox.Queue(ctx, tx, officer.Letters(to, purpose, args)...)
}

// tellPosts queues a message to everyone who holds a post in a unit now, but for the one who acts.
func (b *Book) tellPosts(ctx context.Context, tx *store.Tx, post Post, unit string, except person.ID, purpose string, args locale.Args) error {
	list, err := b.holders(ctx, tx, post, unit, except)
	if err != nil {
		return err
	}
	return b.tellAll(ctx, tx, list, purpose, args)
}

// holders lists who holds a post in a unit now, but for one person.
func (b *Book) holders(ctx context.Context, tx *store.Tx, post Post, unit string, except person.ID) ([]Appointment, error) {
	list, err := store.Rows(scanAppointment)(tx.Query(ctx, `SELECT `+appointmentColumns+`
		FROM appointments p JOIN accounts a ON a.person_id = p.person_id AND a.state = 'active'
		WHERE p.post = $1 AND p.unit = $2 AND p.closed_at IS NULL AND p.person_id <> $3 ORDER BY p.id`, post, unit, except))
	if err != nil {
		return nil, fmt.Errorf("find holders of post: %w", err)
	}
	return slices.DeleteFunc(list, func(a Appointment) bool { return !a.Holds(tx.Now) }), nil
}

func (b *Book) tellAll(ctx context.Context, tx *store.Tx, holders []Appointment, purpose string, args locale.Args) error {
	for _, a := range holders {
		to, err := officer.Find(ctx, tx, a.Person)
		if err != nil {
			return err
		}
		if err := b.tell(ctx, tx, to, purpose, args); err != nil {
			return err
		}
	}
	return nil
}

// tellCentre queues a message to the central administrators, but for the one who acts.
func (b *Book) tellCentre(ctx context.Context, tx *store.Tx, except person.ID, purpose, path string, args locale.Args) error {
	args["link"] = b.link(path)
	return b.tellPosts(ctx, tx, Administrator, centreUnit, except, purpose, args)
}

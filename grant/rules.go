package grant

import (
	"errors"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// within reports whether a moment lies from start, inclusive, to end, exclusive; a zero end is no end.
func within(at, start, end time.Time) bool {
	return !at.Before(start) && (end.IsZero() || at.Before(end))
}

// StateAt answers what the grant is worth at a moment, to a person who stands so in the grant's unit.
func (g Grant) StateAt(at time.Time, who Standing) State {
	switch {
	case g.Closing == Expired:
		return StateExpired
	case !g.ClosedAt.IsZero():
		return StateEnded
	case !g.Until.IsZero() && !at.Before(g.Until):
		return StateExpired
	case g.AwaitsSecond:
		return StateSecond
	case who == Unregistered:
		return StatePending
	case who == SwitchedOff:
		return StateOff
	case who == Unconfirmed:
		return StateWaiting
	case who == LockedOut:
		return StateLocked
	case at.Before(g.From):
		return StateFuture
	case !g.Until.IsZero() && g.Until.Before(at.AddDate(0, 0, SoonDays)):
		return StateSoon
	}
	return StateActive
}

// standing answers how a person stands whose account is in the state ("" for none) and locked or not, in a unit that has
// confirmed him or not.
func standing(account officer.State, locked, confirmed bool) Standing {
	switch {
	case account == "":
		return Unregistered
	case account != officer.Active:
		return SwitchedOff
	case !confirmed:
		return Unconfirmed
	case locked:
		return LockedOut
	}
	return Established
}

// covers reports whether a right in one place serves in another: a right of the whole unit serves in each of its
// groups, a right of one group serves in that group alone.
func covers(right, place Place) bool {
	return right.Unit == place.Unit && (right.Team == "" || right.Team == place.Team)
}

// verdict is what one right says to a question; of all rights of a person the greatest counts.
type verdict uint8

const (
	noRight verdict = iota
	otherLevel
	otherGroup
	ended
	notYet
	permitted
)

// reasons are the verdicts for others to read.
var reasons = [...]Reason{noRight: NoRight, otherLevel: OtherLevel, otherGroup: OtherGroup, ended: Ended, notYet: NotYet, permitted: Permitted}

// weigh is the rule: what a right in the unit says to who wants to act there. same tells that the right allows what he
// wants to do, here that it covers the place.
func weigh(same, here bool, when tense) verdict {
	switch {
	case same && here:
		return [...]verdict{over: noRight, justOver: ended, present: permitted, future: notYet}[when]
	case same && when == present:
		return otherGroup
	case here && when == present:
		return otherLevel
	}
	return noRight
}

// tense tells whether a right holds.
type tense uint8

const (
	over tense = iota
	justOver
	present
	future
)

// tenseOf answers the tense, now, of what holds from one moment, inclusive, until another, exclusive, in microseconds.
func tenseOf(from, until, now int64) tense {
	switch {
	case now < from:
		return future
	case now < until:
		return present
	case now-until < lately.Microseconds():
		return justOver
	}
	return over
}

// lately is for how long a right that has run out is kept in mind, to say so.
const lately = 24 * time.Hour

// unitFacts is what the rules ask of a unit.
type unitFacts struct {
	Active     bool // the unit is in use
	Considers  bool // rights can be given in it
	Division   bool // it has groups
	UsesReview bool // level 2 is used in it
}

// giveFacts is all that decides whether a right may be given. The order is complete but for what Fail names.
type giveFacts struct {
	By   person.ID
	Now  time.Time
	Unit unitFacts
	Head bool // the giver is head of the unit now
	// Centre says that the giver is a central administrator; he proposes rights for heads, nothing else.
	Centre      bool
	TeamKnown   bool // the order's group exists in the unit and is in use
	Subject     person.ID
	SubjectHead bool // the person is head of the unit, or appointed to become so
	Registered  bool // the person has an account
	Disabled    bool // the account is switched off
	OwnOffice   bool // the person is registered in the unit
	Identified  bool // a head of the unit has confirmed the person before
	Proved      bool // ThaID has proved the person, so that no head has to
	From, Until time.Time
}

// mayGive decides whether an order may be carried out: nil, Denied for who lacks the right, or Invalid with every
// field that needs mending (trust.md 14, 15, 17; product.md "Who is he?").
func mayGive(o Order, f giveFacts) error {
	switch {
	case f.Subject == f.By:
		return problem.New(problem.Denied, "grant.denied_self")
	case f.SubjectHead && !f.Centre:
		return problem.New(problem.Denied, "grant.denied_for_head")
	case !f.SubjectHead && !f.Head:
		return problem.New(problem.Denied, "grant.denied_not_head")
	}
	var check problem.Check
	checkPlace(&check, o.Team, o.Level, f.Unit, f.TeamKnown)
	checkPeriod(&check, f.Now, f.From, f.Until)
	checkTexts(&check, o.OrderNumber, o.Note)
	switch {
	case f.Disabled:
		check.Fail("citizen", "grant.account_disabled")
	case f.Registered && !f.Identified && !f.Proved && !f.SubjectHead && !o.Confirmed:
		check.Fail("confirmed", "grant.confirm_identity")
	}
	if f.Registered && !f.OwnOffice && !o.OtherOffice {
		check.Fail("other_office", "grant.confirm_other_office")
	}
	return check.Err()
}

// checkPlace notes what keeps a level from being given in a unit or one of its groups.
func checkPlace(check *problem.Check, team string, level Level, unit unitFacts, teamKnown bool) {
	switch {
	case !unit.Active || !unit.Considers:
		check.Fail("unit", "grant.unit_without_rights")
	case team != "" && !unit.Division:
		check.Fail("team", "grant.team_not_here")
	case team != "" && !teamKnown:
		check.Fail("team", "grant.team_unknown")
	}
	switch {
	case level.Row().Code == "":
		check.Fail("level", "grant.level_unknown")
	case level == Review && !unit.UsesReview:
		check.Fail("level", "grant.level_not_used")
	}
}

// blank reports whether a person wrote nothing that can be read.
func blank(text string) bool { return thai.Fold(text) == "" }

// checkReason notes that a reason is missing, or holds a citizen ID.
func checkReason(check *problem.Check, reason string) {
	if blank(reason) {
		check.Fail("reason", "grant.reason_missing")
	}
	person.CheckText(check, "reason", reason)
}

// checkTexts notes citizen IDs in what is written beside a right or an appointment.
func checkTexts(check *problem.Check, orderNumber, note string) {
	person.CheckText(check, "order_number", orderNumber)
	person.CheckText(check, "note", note)
}

// placeStands reports whether a right at the level could be given in the place.
func placeStands(level Level, team string, unit unitFacts, teamKnown bool) bool {
	var check problem.Check
	checkPlace(&check, team, level, unit, teamKnown)
	return !check.Failed()
}

// farthest is how far ahead a date may lie: beyond, it is a slip of the pen (2659 for 2569).
const farthest = 20 // years

func checkPeriod(check *problem.Check, now, from, until time.Time) {
	if from.After(now.AddDate(farthest, 0, 0)) {
		check.Fail("from", "grant.date_too_far")
	}
	switch {
	case until.IsZero():
	case !until.After(now):
		check.Fail("last_day", "grant.end_is_past")
	case !until.After(from):
		check.Fail("last_day", "grant.end_before_start")
	case until.After(now.AddDate(farthest, 0, 0)):
		check.Fail("last_day", "grant.date_too_far")
	}
}

// changeFacts is all that decides whether a grant may be changed or ended.
type changeFacts struct {
	By      person.ID
	Now     time.Time
	Head    bool // the one who acts is head of the grant's unit now
	Version int64
	// Held is how many hold the level in the unit at this moment, Left how many would without this grant.
	Held, Left int
	// SubjectHead says that the holder is head of the unit, or appointed to become so; his rights are not prolonged by himself or his deputy.
	SubjectHead bool
	// These count when a grant is to hold for longer: that asks of place and person what giving it asks.
	Unit      unitFacts
	TeamKnown bool
	Disabled  bool
}

// mayChange decides whether a grant's end, order number or note may be altered in place.
func mayChange(g Grant, c Change, until time.Time, f changeFacts) error {
	switch {
	case !f.Head:
		return problem.New(problem.Denied, "grant.denied_not_head")
	case g.Person == f.By:
		return problem.New(problem.Denied, "grant.denied_self")
	case f.SubjectHead && prolongs(g, until):
		return problem.New(problem.Denied, "grant.denied_for_head")
	case !g.ClosedAt.IsZero():
		return problem.New(problem.Conflict, "grant.already_ended")
	case g.AwaitsSecond: // the second administrator confirms what the first proposed, nothing else
		return problem.New(problem.Conflict, "grant.awaits_second")
	case g.Version != f.Version:
		return problem.New(problem.Conflict, "grant.changed_meanwhile")
	}
	var check problem.Check
	checkPeriod(&check, f.Now, g.From, until)
	checkTexts(&check, c.OrderNumber, c.Note)
	if prolongs(g, until) {
		checkPlace(&check, g.Team, g.Level, f.Unit, f.TeamKnown)
		if f.Disabled {
			check.Fail("citizen", "grant.account_disabled")
		}
	}
	return check.Err()
}

// prolongs reports whether a new end lets the grant hold longer than before.
func prolongs(g Grant, until time.Time) bool {
	if g.Until.IsZero() {
		return false
	}
	return until.IsZero() || until.After(g.Until)
}

// Ending is what is filled in to end a right (Delete).
type Ending struct {
	Reason string
	// LeavesNone says that the one who ends knows nobody is left at the level in the unit.
	LeavesNone bool
}

// mayRevoke decides whether a grant may be ended. Ending is never refused for what it leaves behind, but the last
// approver goes only with a word that this is meant (trust.md 18).
func mayRevoke(g Grant, e Ending, f changeFacts) error {
	switch {
	case !f.Head:
		return problem.New(problem.Denied, "grant.denied_not_head")
	case !g.ClosedAt.IsZero():
		return problem.New(problem.Conflict, "grant.already_ended")
	}
	var check problem.Check
	checkReason(&check, e.Reason)
	if leavesNone(g.Level, f.Held, f.Left) && !e.LeavesNone {
		check.Fail("leaves_none", "grant.confirm_leaves_none")
	}
	return check.Err()
}

// leavesNone reports whether ending a right takes the unit's last approver away.
func leavesNone(level Level, held, left int) bool { return level == Approve && held > 0 && left == 0 }

// appointFacts is all that decides whether an appointment may be proposed.
type appointFacts struct {
	By            string
	Now           time.Time
	Administrator bool // who proposes is a central administrator
	Head          bool // who proposes is head of the unit
	Subject       person.ID
	Registered    bool
	UnitActive    bool
	From, Until   time.Time
}

// mayPropose decides whether an appointment may be proposed. A chief may propose his acting deputy for given dates
// and nothing else (product.md, Levels).
func mayPropose(o AppointmentOrder, f appointFacts) error {
	deputy := o.Post == Head && o.Kind == Acting && f.Head
	switch {
	case !f.Administrator && !deputy:
		return problem.New(problem.Denied, "appoint.denied")
	case string(f.Subject) == f.By:
		return problem.New(problem.Denied, "appoint.denied_self")
	}
	var check problem.Check
	if o.Post.action() == 0 {
		check.Fail("post", "appoint.post_unknown")
	}
	if o.Kind != Regular && o.Kind != Acting {
		check.Fail("kind", "appoint.kind_unknown")
	}
	if !f.UnitActive {
		check.Fail("unit", "appoint.unit_unknown")
	}
	if !f.Registered {
		check.Fail("citizen", "appoint.not_registered")
	}
	if blank(o.OrderNumber) {
		check.Fail("order_number", "appoint.order_missing")
	}
	if o.Kind == Acting && f.Until.IsZero() {
		check.Fail("last_day", "appoint.acting_needs_end")
	}
	checkPeriod(&check, f.Now, f.From, f.Until)
	checkTexts(&check, o.OrderNumber, o.Note)
	return check.Err()
}

// mayConfirm decides whether an administrator may confirm what another proposed: never what he proposed himself,
// and never what is about himself.
func mayConfirm(by string, administrator bool, proposedBy string, subject person.ID) error {
	switch {
	case !administrator:
		return problem.New(problem.Denied, "appoint.denied_not_administrator")
	case by == proposedBy:
		return problem.New(problem.Denied, "appoint.denied_own_proposal")
	case by == string(subject):
		return problem.New(problem.Denied, "appoint.denied_self")
	}
	return nil
}

// standFacts say whether what a proposal rested on is still so when the second person confirms it.
type standFacts struct {
	Proposer bool // still holds the authority to propose
	Subject  bool // still has an account that may be used; for a right, is still head of the unit or to be
	Unit     bool // is still in use; for a right, still uses the level and the group
}

// stands decides whether a proposal may still be confirmed. Weeks may lie between the two persons: a proposer who has
// lost his authority must not act through an old proposal.
func (f standFacts) stands() error {
	if f.Proposer && f.Subject && f.Unit {
		return nil
	}
	return problem.New(problem.Conflict, "grant.no_longer_stands")
}

// stillProposed decides whether an appointment can be confirmed now.
func stillProposed(a Appointment, f standFacts, now time.Time) error {
	switch {
	case !a.ConfirmedAt.IsZero() || !a.ClosedAt.IsZero():
		return problem.New(problem.Conflict, "grant.already_decided")
	case !a.Until.IsZero() && !now.Before(a.Until):
		return problem.New(problem.Conflict, "appoint.run_out")
	}
	return f.stands()
}

// stillAwaits decides whether a right for a head can be seconded now.
func stillAwaits(g Grant, f standFacts, now time.Time) error {
	switch {
	case !g.AwaitsSecond || !g.ClosedAt.IsZero():
		return problem.New(problem.Conflict, "grant.already_decided")
	case !g.Until.IsZero() && !now.Before(g.Until):
		return problem.New(problem.Conflict, "appoint.run_out")
	}
	return f.stands()
}

// mayDecline decides whether an administrator may say no to what was proposed: another's proposal he refuses, his own
// he withdraws. It only keeps authority from somebody, so it takes one; who it is about has no say.
func mayDecline(by string, administrator bool, subject person.ID) error {
	switch {
	case !administrator:
		return problem.New(problem.Denied, "appoint.denied_not_administrator")
	case by == string(subject):
		return problem.New(problem.Denied, "appoint.denied_self")
	}
	return nil
}

// activateFacts is all that decides whether somebody may let a locked officer in again.
type activateFacts struct {
	By, Subject   person.ID
	Privileged    bool // the officer holds a post himself
	Head          bool // who decides is head of the officer's office now
	Heads         bool // somebody but the officer is
	Administrator bool // who decides is a central administrator now
	Waits         bool // the request was not decided
	Locked        bool // the account still is
}

// centre reports whether the decision is the central administrators': for who holds a post, and for an office in which no
// other head can decide.
func (f activateFacts) centre() bool { return f.Privileged || !f.Heads }

// mayActivate decides whether a request may be decided, either way: by the head of the officer's office, or by the centre,
// and never by himself.
func mayActivate(f activateFacts) error {
	switch {
	case !f.Head && !f.Administrator:
		return problem.New(problem.NotFound, "activation.not_found")
	case f.By == f.Subject:
		return problem.New(problem.Denied, "activation.denied_self")
	case f.centre() && !f.Administrator:
		return problem.New(problem.Denied, "activation.denied_not_administrator")
	case !f.centre() && !f.Head:
		return problem.New(problem.Denied, "activation.denied_not_head")
	case !f.Waits || !f.Locked:
		return problem.New(problem.Conflict, "activation.decided")
	}
	return nil
}

// endFacts is all that decides whether an appointment may be ended.
type endFacts struct {
	Administrator bool
	Now           time.Time
	// Left is how many others hold the post in the unit at this moment.
	Left int
}

// fewestAdministrators is how many the two-person acts need.
const fewestAdministrators = 2

// mayEnd decides whether an appointment may be ended by one administrator: taking authority away is urgent and
// safe, so it needs no second. The last two administrators stay, since nobody could appoint others without them.
func mayEnd(a Appointment, e Ending, f endFacts) error {
	switch {
	case !f.Administrator:
		return problem.New(problem.Denied, "appoint.denied_not_administrator")
	case !a.ClosedAt.IsZero():
		return problem.New(problem.Conflict, "appoint.already_ended")
	case a.ConfirmedAt.IsZero():
		return problem.New(problem.Conflict, "appoint.still_proposed")
	case a.Post == Administrator && a.Holds(f.Now) && f.Left < fewestAdministrators:
		return problem.New(problem.Conflict, "appoint.last_administrators")
	}
	var check problem.Check
	checkReason(&check, e.Reason)
	if a.Post == Head && a.Holds(f.Now) && f.Left == 0 && !e.LeavesNone {
		check.Fail("leaves_none", "appoint.confirm_leaves_none")
	}
	return check.Err()
}

// Outcome says what becomes of one person of a list.
type Outcome string

// The outcomes.
const (
	OutcomeGive     Outcome = "give"     // gets the right
	OutcomeWait     Outcome = "wait"     // gets a right that waits until he has registered and is confirmed
	OutcomeConfirm  Outcome = "confirm"  // of the unit: the head has to say that he knows him
	OutcomeOther    Outcome = "other"    // of another office: the head has to say that he means him
	OutcomeHas      Outcome = "has"      // has the right already
	OutcomeSelf     Outcome = "self"     // is the one who gives
	OutcomeHead     Outcome = "head"     // is head of the unit, so the centre gives
	OutcomeDisabled Outcome = "disabled" // the account is switched off
)

// Gives reports whether a person of whom this is said gets the right.
func (o Outcome) Gives() bool { return o == OutcomeGive || o == OutcomeWait }

// outcomeOf says what becomes of one person of a list whose place and period are in order. has says that he has the right
// already: then nothing is asked about him. A word is asked for once, and of who is registered elsewhere a word that
// says both.
func outcomeOf(o Order, f giveFacts, has bool) (Outcome, error) {
	err := mayGive(o, f)
	switch {
	case errors.Is(err, problem.Denied) && f.Subject == f.By:
		return OutcomeSelf, err
	case errors.Is(err, problem.Denied):
		return OutcomeHead, err
	case has:
		return OutcomeHas, nil
	case err == nil && !f.Registered:
		return OutcomeWait, nil
	case err == nil:
		return OutcomeGive, nil
	case f.Disabled:
		return OutcomeDisabled, err
	case !f.OwnOffice:
		return OutcomeOther, err
	}
	return OutcomeConfirm, err
}

package grant

import (
	"cmp"
	"slices"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/person"
)

// Question asks whether a person may do something somewhere at a moment.
type Question struct {
	Who    person.ID
	Do     Action
	At     Place
	Moment time.Time // zero: now, at the moment of the answer
}

// asked is the question with the moment that it is about.
func (q Question) asked(now time.Time) Question {
	if q.Moment.IsZero() {
		q.Moment = now
	}
	return q
}

// The reasons that only the database tells: memory holds what is in force or will be, and answers NoRight instead.
const (
	NoAccount      Reason = "no_account"      // the person is not registered
	AccountOff     Reason = "account_off"     // the account is switched off
	AccountUnknown Reason = "account_unknown" // whether the account was switched off at the moment was not recorded
	NotConfirmed   Reason = "not_confirmed"   // no head of the unit has said that it is he
	NotSeconded    Reason = "not_seconded"    // proposed by one person, and not confirmed by another
)

// PlaceUnused is a condition's reason and never an answer's: no such right can be given there, so nobody has one. Who
// holds a right of a whole division keeps it for a group that went out of use.
const PlaceUnused Reason = "place_unused"

// pastAccount is what was recorded of a person's account at some moment.
type pastAccount struct {
	Registered time.Time    // zero: he had no account
	State      accountState // counts once registered
	Since      time.Time    // of the state; zero: ever since he registered
	SignIn     time.Time    // the last one before it was opened again; see signInThen
	Locked     bool         // for want of a sign-in
}

type accountState string

// The states of an account at a moment; the first two are those of officer.State.
const (
	accountOn      accountState = "active"
	accountOff     accountState = "disabled"
	accountUnknown accountState = "unknown" // it is off now, and when that was done was not recorded
)

// claim is a right or an appointment of a person, as it was recorded at some moment, with what decides whether it lets
// him act.
type claim struct {
	ID      ID
	Number  int64 // ลำดับ of a right; 0 for an appointment
	Person  person.ID
	Do      Action
	Place   Place
	Kind    AppointmentKind // of an appointment
	Brought bool            // from the old system, by an import that two persons answer for
	From    time.Time
	Until   time.Time // exclusive; zero when there is no end
	Order   string    // เลขที่คำสั่ง
	GivenBy string    // who gave the right, or proposed the appointment
	GivenAt time.Time
	// NeedsSecond says that two persons are needed: for an appointment, or a right of a head.
	NeedsSecond bool
	SecondBy    string
	SecondAt    time.Time // zero: the second has not confirmed it
	ClosedBy    string
	ClosedAt    time.Time // zero: it was not ended by an act
	Closing     string
	CloseReason string
	// NeedsIdentity says that a head must have confirmed who the person is: for a right, not for an appointment.
	NeedsIdentity bool
	IdentityBy    string
	IdentityAt    time.Time // zero: nobody had

	pastAccount
}

// as takes back what was recorded of a claim after a moment.
func (c claim) as(recorded time.Time) claim {
	if c.SecondAt.After(recorded) {
		c.SecondBy, c.SecondAt = "", time.Time{}
	}
	if c.ClosedAt.After(recorded) {
		c.ClosedBy, c.ClosedAt, c.Closing, c.CloseReason = "", time.Time{}, "", ""
	}
	return c
}

// Code names a condition.
type Code string

// The conditions, all of which have to be met, in the order in which they are told. One that does not arise is left
// out: a right that no second person has to confirm is without that condition.
const (
	CondPlace    Code = "place"    // the unit, and the group where one is named, exist and are in use
	CondAccount  Code = "account"  // the person is known and has an account
	CondEnabled  Code = "enabled"  // the account is not switched off
	CondUnlocked Code = "unlocked" // the account is not locked for want of a sign-in
	CondRight    Code = "right"    // he was given the right here, or proposed for the post
	CondSecond   Code = "second"   // a second person has confirmed it
	CondOpen     Code = "open"     // it was not ended by an act
	CondDates    Code = "dates"    // it has begun, and its last day is not over
	CondIdentity Code = "identity" // a head of the unit has said that it is he
)

// step is one condition with what it makes the reason: Permitted when it is met.
type step struct {
	code   Code
	reason Reason
}

// steps are the conditions of the person himself.
func (a pastAccount) steps() []step {
	switch {
	case a.Registered.IsZero():
		return []step{{CondAccount, NoAccount}}
	case a.State == accountUnknown:
		return []step{{CondAccount, Permitted}, {CondEnabled, AccountUnknown}}
	case a.State != accountOn:
		return []step{{CondAccount, Permitted}, {CondEnabled, AccountOff}}
	}
	unlocked := step{CondUnlocked, Permitted}
	if a.Locked {
		unlocked.reason = Locked
	}
	return []step{{CondAccount, Permitted}, {CondEnabled, Permitted}, unlocked}
}

// steps are the conditions of the claim itself at a moment.
func (c claim) steps(at time.Time) []step {
	list := []step{{CondRight, Permitted}}
	add := func(code Code, met bool, reason Reason) {
		if met {
			reason = Permitted
		}
		list = append(list, step{code, reason})
	}
	if c.NeedsSecond {
		add(CondSecond, !c.SecondAt.IsZero(), NotSeconded)
	}
	add(CondOpen, c.ClosedAt.IsZero(), Ended)
	if at.Before(c.From) {
		add(CondDates, false, NotYet)
	} else {
		add(CondDates, within(at, c.From, c.Until), Ended)
	}
	if c.NeedsIdentity {
		add(CondIdentity, !c.IdentityAt.IsZero(), NotConfirmed)
	}
	return list
}

// first is the reason of the first condition that is not met.
func first(list []step) Reason {
	for _, s := range list {
		if s.reason != Permitted {
			return s.reason
		}
	}
	return Permitted
}

// holds reports whether nothing about the claim itself keeps its holder from acting at a moment.
func (c claim) holds(at time.Time) bool { return first(c.steps(at)) == Permitted }

// allows reports whether the claim lets its holder act at a moment.
func (c claim) allows(at time.Time) bool {
	return first(c.pastAccount.steps()) == Permitted && c.holds(at)
}

// ruling is the answer to a question with what it rests on.
type ruling struct {
	Answer
	Steps  []step
	who    pastAccount
	Claim  claim   // the one that lets the person act, or comes closest; its ID is zero when there is none
	Others []claim // those that hold, and are for something else
}

// nearness orders the reasons of claims that do not let their holder act: the less is missing, the further behind.
var nearness = []Reason{Ended, NotSeconded, NotYet, NotConfirmed, Permitted}

// judge decides whether a person may do something somewhere at a moment, from what was recorded of him and whether the
// place existed. It is the rule behind every answer from the database, and behind every explanation.
func judge(q Question, place bool, who pastAccount, claims []claim) ruling {
	r := ruling{who: who}
	near := -1
	for _, c := range claims {
		reason := first(c.steps(q.Moment))
		if c.Do != q.Do || !covers(c.Place, q.At) {
			if reason == Permitted {
				r.Others = append(r.Others, c)
			}
			continue
		}
		if n := slices.Index(nearness, reason); n > near || n == near && c.GivenAt.After(r.Claim.GivenAt) {
			near, r.Claim = n, c
		}
	}
	r.Steps = []step{{CondPlace, Permitted}}
	if !place {
		r.Steps[0].reason = UnknownPlace
	}
	r.Steps = append(r.Steps, who.steps()...)
	if near < 0 {
		r.Steps = append(r.Steps, step{CondRight, instead(q, r.Others)})
	} else {
		r.Steps = append(r.Steps, r.Claim.steps(q.Moment)...)
		r.Answer.Grant = r.Claim.ID
	}
	r.Reason = first(r.Steps)
	r.Allowed = r.Reason == Permitted
	return r
}

// instead is what comes closest to a right that there is none of, among those that hold.
func instead(q Question, others []claim) Reason {
	if slices.ContainsFunc(others, func(c claim) bool { return c.Do == q.Do && c.Place.Unit == q.At.Unit }) {
		return OtherGroup
	}
	if slices.ContainsFunc(others, func(c claim) bool { return covers(c.Place, q.At) }) {
		return OtherLevel
	}
	return NoRight
}

// placeServes reports whether what is asked about can be given in the place as it was.
func placeServes(q Question, then agency.Then) bool {
	u := then.Unit
	switch {
	case !u.Active || q.At.Team != "" && !then.Team.Active:
		return false
	case q.Do > DoApprove:
		return true
	}
	return u.Considers && (q.Do != DoReview || u.UsesReview)
}

// compareClaims orders the rights of a unit as a list shows them: heads last, by level, group and number.
func compareClaims(a, b claim) int {
	return cmp.Or(cmp.Compare(a.Do, b.Do), cmp.Compare(a.Place.Team, b.Place.Team), cmp.Compare(a.Number, b.Number), a.From.Compare(b.From))
}

func comparePlaces(a, b Place) int {
	return cmp.Or(cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Team, b.Team))
}

// The acts by which rights of the old system are brought in, as the log names them.
const (
	ActBring = "legacy.bring"
	ActSign  = "legacy.sign"
)

// deed is the act behind a condition.
func (r ruling) deed(code Code) Deed {
	c := r.Claim
	var d Deed
	switch post := c.Do > DoApprove; {
	case code == CondAccount && !r.who.Registered.IsZero():
		return Deed{At: r.who.Registered}
	case code == CondEnabled && !r.who.Since.IsZero():
		return Deed{At: r.who.Since}
	case c.ID == ID{}:
		return Deed{}
	case code == CondRight && post:
		d = Deed{Act: "appointment.propose", By: c.GivenBy, At: c.GivenAt, Order: c.Order}
	case code == CondRight && c.Brought:
		d = Deed{Act: ActBring, By: c.GivenBy, At: c.GivenAt, Order: c.Order}
	case code == CondSecond && c.Brought && c.SecondAt.Equal(c.GivenAt):
		d = Deed{Act: ActSign, By: c.SecondBy, At: c.SecondAt}
	case code == CondRight:
		d = Deed{Act: "grant.give", By: c.GivenBy, At: c.GivenAt, Order: c.Order}
	case code == CondSecond && !c.SecondAt.IsZero() && post:
		d = Deed{Act: "appointment.confirm", By: c.SecondBy, At: c.SecondAt}
	case code == CondSecond && !c.SecondAt.IsZero():
		d = Deed{Act: "grant.second", By: c.SecondBy, At: c.SecondAt}
	case code == CondOpen && !c.ClosedAt.IsZero():
		d = Deed{Act: c.closingAct(), By: c.ClosedBy, At: c.ClosedAt, Reason: c.CloseReason}
	case code == CondIdentity && c.IdentityBy == byThaID:
		d = Deed{Act: "grant.confirm_thaid", By: audit.System, At: c.IdentityAt}
	case code == CondIdentity && !c.IdentityAt.IsZero():
		d = Deed{Act: "grant.confirm", By: c.IdentityBy, At: c.IdentityAt}
	default:
		return Deed{}
	}
	if c.Do > DoApprove {
		d.Post = c.ID
	} else {
		d.Grant = c.ID
	}
	return d
}

// closingAct is the act by which a claim came to its end, as the log names it; "" for one that had run out and made
// room for another.
func (c claim) closingAct() string {
	switch {
	case c.Do > DoApprove && c.Closing == "ended":
		return "appointment.end"
	case c.Do > DoApprove && c.Closing != string(Expired):
		return "appointment.decline"
	case c.Closing == string(Revoked):
		return "grant.revoke"
	case c.Closing == string(Refused) && c.NeedsSecond:
		return "grant.decline"
	case c.Closing == string(Refused):
		return "grant.refuse"
	}
	return ""
}

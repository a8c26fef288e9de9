// Package grant is the book of rights (สิทธิ์): who may consider, review and approve, where and until when, and
// who is head of a unit and so may give and end such rights.
package grant

import (
	"time"

	"sitthi/internal/thai"
	"sitthi/person"
)

// KO1 is the system whose rights the book keeps: permits to take industrial waste out of a factory (กอ.1).
const KO1 = "ko1"

// Grant is one right of one person at one level in one place, as it is kept.
type Grant struct {
	ID           string
	Number       int64 // ลำดับ
	Unit         string
	Team         string
	Level        Level
	Person       person.ID
	From         time.Time // inclusive
	Until        time.Time // exclusive, the midnight after the last day; zero when there is no end
	OrderNumber  string    // เลขที่คำสั่ง
	Note         string
	OtherOffice  bool      // the person is registered in another office
	Mutual       bool      // giver and receiver gave each other rights
	AwaitsSecond bool      // a right for a head, proposed and not yet confirmed
	LeftAt       time.Time // when the holder left the unit for another office; zero while he belongs there, or never did
	GivenBy      person.ID
	GivenAt      time.Time
	ClosedBy     string
	ClosedAt     time.Time
	Closing      Closing
	CloseReason  string
	Version      int64
}

// Closing says how a grant came to its end.
type Closing string

// The ways a grant ends by an act or makes room for another. A grant that has merely run out is not closed.
const (
	Revoked Closing = "revoked"
	Expired Closing = "expired" // it had run out and made room for a new one
	Refused Closing = "refused" // the person was not confirmed, or the second administrator said no
)

// Scope is the place of the grant.
func (g Grant) Scope() Place { return Place{Unit: g.Unit, Team: g.Team} }

// LastDay is the last day on which the grant holds, and whether there is one.
func (g Grant) LastDay() (thai.Date, bool) {
	if g.Until.IsZero() {
		return thai.Date{}, false
	}
	return thai.LastDay(g.Until), true
}

// State is what a grant is worth at a moment, in the words of the grid.
type State string

// The states, the first that fits.
const (
	StateEnded   State = "ended"   // ended by an act
	StateExpired State = "expired" // its last day is over
	StateSecond  State = "second"  // waits for the second administrator
	StatePending State = "pending" // waits for the person to register
	StateOff     State = "off"     // opens nothing: the person's account is switched off
	StateWaiting State = "waiting" // waits for the head's word on who the person is
	StateLocked  State = "locked"  // opens nothing: the person's account is locked for want of a sign-in
	StateFuture  State = "future"  // has yet to begin
	StateSoon    State = "soon"    // holds, and ends within SoonDays
	StateActive  State = "active"  // holds
)

// States lists every state in the order of a case's life, for lists to choose from.
var States = []State{StateActive, StateSoon, StateFuture, StateWaiting, StatePending, StateSecond, StateLocked, StateOff, StateExpired, StateEnded}

// Standing says how a person stands in a unit: whether a right that he has there can open anything.
type Standing uint8

// The standings.
const (
	Unregistered Standing = iota // nobody has an account under this citizen ID
	SwitchedOff                  // the account may not be used
	Unconfirmed                  // no head of the unit has confirmed who he is
	LockedOut                    // known to the unit, and the account is locked
	Established                  // registered, and known to the unit
)

// SoonDays is how long before its end a right counts as ending soon.
const SoonDays = 30

// Order is what a head fills in to give a right (เพิ่มเจ้าหน้าที่).
type Order struct {
	Unit        string
	Team        string
	Level       Level
	Citizen     thai.CitizenID // the person by citizen ID, or
	Person      person.ID      // by choice from the people of the office
	From        thai.Date      // zero: from now
	LastDay     thai.Date      // zero: no end
	OrderNumber string
	Note        string
	// Confirmed says that the giver has looked at the registered person and knows him as his officer.
	Confirmed bool
	// OtherOffice says that the giver knows the person is registered in another office.
	OtherOffice bool
	// Form names the form the order came from; the same form sent twice is one grant.
	Form string
}

// Change is what can be altered of a grant in place.
type Change struct {
	LastDay     thai.Date // zero: no end
	OrderNumber string
	Note        string
}

// Post is what an appointment makes a person (ตำแหน่งตามการแต่งตั้ง).
type Post string

// The posts.
const (
	Head          Post = "head"          // หัวหน้าหน่วยงาน: อสจ., ผู้อำนวยการกอง
	Administrator Post = "administrator" // ผู้ดูแลระบบส่วนกลาง
	Auditor       Post = "auditor"       // ผู้ตรวจสอบ
	Agent         Post = "agent"         // เจ้าหน้าที่ช่วยเหลือ: help desk
)

// Centre unit: the department itself carries the central posts.
const centreUnit = "DIW"

// Central reports whether the department itself carries the post, and no single unit.
func (p Post) Central() bool { return p == Administrator || p == Auditor || p == Agent }

// action is what a post allows.
func (p Post) action() Action {
	switch p {
	case Head:
		return Administer
	case Administrator:
		return Centre
	case Auditor:
		return Audit
	case Agent:
		return Assist
	}
	return 0
}

// AppointmentKind tells a regular from an acting appointment.
type AppointmentKind string

// The kinds.
const (
	Regular AppointmentKind = "regular" // ดำรงตำแหน่ง
	Acting  AppointmentKind = "acting"  // รักษาราชการแทน
)

// Appointment makes a person head of a unit, or gives a central post (การแต่งตั้ง).
type Appointment struct {
	ID          string
	Person      person.ID
	Unit        string
	Post        Post
	Kind        AppointmentKind
	OrderNumber string
	Note        string
	From        time.Time
	Until       time.Time // exclusive; zero when there is no end
	ProposedBy  string    // person, or audit.Terminal
	ProposedAt  time.Time
	ConfirmedBy string
	ConfirmedAt time.Time
	ClosedBy    string
	ClosedAt    time.Time
	Closing     string // ended, refused, withdrawn, expired
	CloseReason string
	Version     int64
}

// Holds reports whether the appointment gives its authority at the moment.
func (a Appointment) Holds(at time.Time) bool {
	return !a.ConfirmedAt.IsZero() && a.ClosedAt.IsZero() && within(at, a.From, a.Until)
}

// binds reports whether the appointment gives its authority at the moment or will: two persons have seen who he is and
// what he may do, and nobody alone adds to it.
func (a Appointment) binds(at time.Time) bool {
	return !a.ConfirmedAt.IsZero() && a.ClosedAt.IsZero() && (a.Until.IsZero() || at.Before(a.Until))
}

// AppointmentOrder is what is filled in to propose an appointment.
type AppointmentOrder struct {
	Unit        string
	Post        Post
	Kind        AppointmentKind
	Citizen     thai.CitizenID
	Person      person.ID
	OrderNumber string
	Note        string
	From        thai.Date // zero: from confirmation
	LastDay     thai.Date // zero: no end
}

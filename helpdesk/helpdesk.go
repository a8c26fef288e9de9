// Package helpdesk keeps the cases of who can not get in: "Reset Password" and "Active User", from request to closing.
package helpdesk

import (
	"log/slog"
	"time"

	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/proof"
	"sitthi/signin"
)

// Kind is what a request asks for, in the words of the manual (sections 2.2 and 3).
type Kind string

// The kinds.
const (
	Reset  Kind = "reset"  // "Reset Password"
	Active Kind = "active" // "Active User", after 60 days without sign-in
)

// Kinds lists every kind.
var Kinds = []Kind{Reset, Active}

// State is how far a ticket is.
type State string

// The states.
const (
	Draft   State = "draft"   // came by LINE, waits for who wrote to complete it
	New     State = "new"     // waits for an agent
	Taken   State = "taken"   // an agent works on it
	Second  State = "second"  // an act waits for its second person
	Waiting State = "waiting" // seconded; the new contact waits for its 24 hours
	Acted   State = "acted"   // the link was sent, or the account opened again
	Closed  State = "closed"
)

// States lists every state in the order of a ticket's life.
var States = []State{Draft, New, Taken, Second, Waiting, Acted, Closed}

// Closing says why a ticket was closed.
type Closing string

// The reasons. Who asked is not told which it was: it may say whether there is an account.
const (
	Done      Closing = "done"      // he can get in again
	Answered  Closing = "answered"  // an answer was all that was needed
	Unproved  Closing = "unproved"  // nobody could say that it was he
	Nobody    Closing = "nobody"    // there is no such account
	Duplicate Closing = "duplicate" // another ticket is about the same
	Lapsed    Closing = "lapsed"    // nobody came back to it, and the program closed it
)

// Closings lists every reason that an agent gives.
var Closings = []Closing{Done, Answered, Unproved, Nobody, Duplicate}

// Answers are the canned answers, by the last part of their message's purpose: no code arrives, another number, another
// office after a transfer, registered but no menu, "already registered".
var Answers = []string{"code", "number", "moved", "menu", "twice"}

const (
	// NewContactRests is how long a contact that is not on file waits after the second person's word (trust.md 12).
	NewContactRests = 24 * time.Hour
	// ProofLives is how long a code that was right proves who asks.
	ProofLives = 24 * time.Hour
	// ActLives is how long an act waits: for its second person from its start, and from when its link may go out.
	ActLives = 7 * 24 * time.Hour
	// MostActs is how many acts of one agent within 24 hours raise no alarm (trust.md 13).
	MostActs = 20
	// browserLives is how long a browser sees how its request stands without giving receipt and contact again.
	browserLives = 24 * time.Hour
	// lookLives is how long an agent has the personal data of a ticket before him.
	lookLives = 30 * time.Minute
	// draftLives is how long a request by LINE can be completed.
	draftLives = 7 * 24 * time.Hour
	// actedRests and openRests are after how long the program closes a ticket that was acted on, and any other to which
	// nothing was done.
	actedRests = 7 * 24 * time.Hour
	openRests  = 90 * 24 * time.Hour
	// kept is how long a closed ticket stays: as long as logs have to be (trust.md 24).
	kept = 90 * 24 * time.Hour
	// codePurpose names the codes that prove who asks; their message is "help.code".
	codePurpose = "help"
)

// How often requests come in: of one network, behind which a province sits; to one contact, which is told of each; and
// of one LINE user. And how often one network may ask for a status with the wrong receipt.
var (
	byNetwork = proof.Rate{Burst: 30, Every: time.Minute}
	byContact = proof.Rate{Burst: 3, Every: 8 * time.Hour}
	byLine    = proof.Rate{Burst: 5, Every: 10 * time.Minute}
	askings   = proof.Rate{Burst: 20, Every: time.Minute}
)

// The names of the fields of a request, as its faults carry them.
const (
	FieldKind      = "kind"
	FieldCitizenID = "citizen_id"
	FieldName      = "name"
	FieldPosition  = "position"
	FieldUnit      = "unit"
	FieldPhone     = "phone"
	FieldEmail     = "email"
	FieldReceipt   = "receipt"
	FieldContact   = "contact"
	FieldChannel   = "channel"
	FieldCode      = "code"
	FieldReason    = "reason"
	FieldNote      = "note"
	FieldAnswer    = "answer"
)

// Ticket is one case.
type Ticket struct {
	ID         string
	Receipt    string
	Kind       Kind
	Line       bool // it came by LINE
	State      State
	Lang       locale.Lang
	Unit       string         // the office typed
	ProvedBy   notify.Channel // the contact on file that took the code; "" for none
	ProvedAt   time.Time
	Proved     bool // that was within ProofLives of when the ticket was read
	ClaimedBy  person.ID
	ClaimedAt  time.Time
	AnsweredAt time.Time
	CreatedAt  time.Time
	ClosedBy   person.ID
	ClosedAt   time.Time
	Closing    Closing

	subject    string // blind index of the citizen ID
	form       []byte
	line       []byte
	emailIndex string
	phoneIndex string
	sentBy     notify.Channel
	reference  string
	sentAt     time.Time
}

// Typed is what somebody wrote about himself. None of it proves who he is.
type Typed struct {
	CitizenID string `json:"citizen_id"` // 13 digits
	Name      string `json:"name"`
	Position  string `json:"position"`
	Phone     string `json:"phone"`
	Email     string `json:"email"`
}

// Act is one act on an account, with its three persons.
type Act struct {
	ID          string
	Ticket      string
	Receipt     string
	Kind        Kind
	Subject     person.ID
	Unit        string
	Proof       string // code or second
	Privileged  bool
	Channel     notify.Channel
	Requester   person.ID
	RequestedAt time.Time
	Approver    person.ID
	ApproverAs  grant.Post
	ApprovedAt  time.Time
	UsableAt    time.Time
	DoneAt      time.Time
	StoppedBy   person.ID
	StoppedAt   time.Time
}

// Open reports whether the act has yet to be done.
func (a Act) Open() bool { return a.DoneAt.IsZero() && a.StoppedAt.IsZero() }

// Options are what a Desk works with; all are needed.
type Options struct {
	DB     *store.DB
	Ring   *seal.Ring
	Roll   *person.Roll
	Book   *grant.Book
	SignIn *signin.Desk
	Codes  *proof.Codes
	Outbox *notify.Outbox
	// Link makes an address that people can open from a path.
	Link func(path string) string
	Log  *slog.Logger
	// LockAfter is how long after a last sign-in an account locks; officer.LockAfter when zero.
	LockAfter time.Duration
	// AnyCheckDigit takes citizen IDs whose check digit is wrong.
	AnyCheckDigit bool
}

// Desk is where cases come in and are worked on. It is safe for concurrent use.
type Desk struct {
	Options
}

// NewDesk makes a desk.
func NewDesk(o Options) *Desk {
	if o.LockAfter == 0 {
		o.LockAfter = officer.LockAfter
	}
	return &Desk{o}
}

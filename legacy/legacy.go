// Package legacy brings the officers, heads and rights of the old system into the book, by files that are tried, signed
// by a second person and written in one act.
package legacy

import (
	"cmp"
	"log/slog"
	"time"

	"sitthi/grant"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/person"
)

// Kind is what a row tells of.
type Kind string

// The kinds of row.
const (
	Officer Kind = "officer" // a person, with name and contacts: he is invited to register
	Head    Kind = "head"    // a person who is head of a unit: becomes a proposed appointment
	Right   Kind = "right"   // a right of a person at a level in a place
)

// Kinds lists the kinds in the order in which reports show them.
var Kinds = []Kind{Officer, Head, Right}

// Result is what the dry run found about a row.
type Result string

// The results. Only new and changed rows are written.
const (
	New         Result = "new"
	Same        Result = "same"     // the book has it already
	Changed     Result = "changed"  // brought before, and it says something else now
	Conflict    Result = "conflict" // the book says otherwise: what was decided in Sitthi stands
	Quarantined Result = "quarantined"
)

// Results lists the results in the order in which reports show them.
var Results = []Result{New, Same, Changed, Conflict, Quarantined}

// State is how far an import has come.
type State string

// The states.
const (
	Uploading State = "uploading" // the file is on its way; nobody is shown it
	Checking  State = "checking"  // the dry run waits or runs
	Checked   State = "checked"   // every row has its result; a second person may sign
	Signed    State = "signed"    // signed, and written within moments
	Committed State = "committed"
	Failed    State = "failed" // the file can not be read; Import.Fault says why
	Cancelled State = "cancelled"
)

// Words is a message of the doors' catalogue: why something is as it is.
type Words struct {
	Key  string
	Args map[string]any
}

// Import is one file and what has become of it.
type Import struct {
	ID          string
	Source      string // what the office calls the table of the old system
	FileName    string
	Format      string // xlsx, csv
	Size        int64  // bytes
	Hash        string // SHA-256 of the file, hexadecimal
	State       State
	Version     int64
	UploadedBy  person.ID
	UploadedAt  time.Time
	CheckedAt   time.Time // of the last dry run
	SignedBy    person.ID
	SignedAt    time.Time
	CommittedAt time.Time // of the last writing
	ClosedBy    person.ID // audit.System when nobody signed it in time
	ClosedAt    time.Time
	CloseReason string
	Fault       Words    // why it failed, or why a signature was not enough
	Read, Total int64    // how far the reading of the file is, in bytes
	Lines       int64    // rows read so far
	Totals      Totals   // of the last dry run
	Ignored     []string // headers that were not understood
	Wiped       bool     // the file and the cells of its rows were removed

	staged  bool   // every row has been read
	results string // hash over the result of every row
}

// Totals are what a dry run or a writing came to.
type Totals struct {
	Read        int64             `json:"read"`
	New         int64             `json:"new"`
	Same        int64             `json:"same"`
	Changed     int64             `json:"changed"`
	Conflict    int64             `json:"conflict"`
	Quarantined int64             `json:"quarantined"`
	Aside       int64             `json:"aside"`   // of the quarantined, those set aside
	ByKind      map[Kind][5]int64 `json:"by_kind"` // in the order of Results
	// RightsInFile counts the rights of the file that are new, the same or changed, and RightsInBook how many of these
	// stand open in the book: after a writing the two are equal.
	RightsInFile int64 `json:"rights_in_file"`
	RightsInBook int64 `json:"rights_in_book"`
	Invited      int64 `json:"invited"` // people who are, or would be, invited to register
}

// Balanced reports whether every row that was read has one result.
func (t Totals) Balanced() bool {
	return t.Read == t.New+t.Same+t.Changed+t.Conflict+t.Quarantined
}

// Line is one row of a file with what was understood and what came of it.
type Line struct {
	Line        int64 // in the file
	Kind        Kind
	RowID       string
	Result      Result
	Reason      Words
	Unit, Team  string
	Level       grant.Level
	Acting      bool
	From, Until time.Time // Until is exclusive; zero where nothing is said
	Citizen     thai.CitizenID
	Original    map[string]string // by Column.Name, as the file has it; a valid citizen ID is masked
	Fields      map[string]string // as corrected; the original where nobody did
	CorrectedBy person.ID
	CorrectedAt time.Time
	AsideBy     person.ID
	AsideReason string
	Object      string // the grant, appointment or person that it became, would become, or met

	cells [columnCount]cell // as corrected
}

// Limits bound what a file may be.
type Limits struct {
	File     int64         // bytes
	Unzipped int64         // bytes of the parts of an XLSX that are read
	Keep     time.Duration // how long an import waits for its signature, and the file and its rows are kept once it is over
}

// DefaultLimits fit 100,000 rows.
var DefaultLimits = Limits{File: 32 << 20, Unzipped: 128 << 20, Keep: 30 * 24 * time.Hour}

// Options are what a Desk works with; all are needed but AnyCheckDigit.
type Options struct {
	DB     *store.DB
	Ring   *seal.Ring
	Roll   *person.Roll
	Book   *grant.Book
	Outbox *notify.Outbox
	// Link makes an address that people can open from a path.
	Link   func(path string) string
	Log    *slog.Logger
	Limits Limits
	// AnyCheckDigit lets citizen IDs with a wrong check digit in, where the installation does so everywhere.
	AnyCheckDigit bool
}

// Desk is where central administrators bring the old system's data in. It is safe for concurrent use.
type Desk struct {
	Options
	turn   *store.DB
	holder string        // of leases: this process
	wake   chan struct{} // holds one when there is work
}

// NewDesk opens the desk. Limits that are zero are those of DefaultLimits.
func NewDesk(o Options) *Desk {
	o.Limits.File = cmp.Or(o.Limits.File, DefaultLimits.File)
	o.Limits.Unzipped = cmp.Or(o.Limits.Unzipped, DefaultLimits.Unzipped)
	o.Limits.Keep = cmp.Or(o.Limits.Keep, DefaultLimits.Keep)
	return &Desk{Options: o, turn: o.DB.InTurn(), holder: store.NewID(), wake: make(chan struct{}, 1)}
}

package views

import "github.com/a-h/templ"

// ButtonKind says how much weight a button has.
type ButtonKind string

// The kinds of buttons: one primary to a form; danger only for what destroys.
const (
	Primary   ButtonKind = "primary"
	Secondary ButtonKind = "secondary"
	Danger    ButtonKind = "danger"
	Quiet     ButtonKind = "quiet"        // in table rows
	QuietRed  ButtonKind = "quiet-danger" // in table rows, for what destroys
)

// ButtonParams describes a button that sends its form. Name and Value tell the
// server which of several buttons it was. Kind is Primary unless set.
type ButtonParams struct {
	Label string
	Kind  ButtonKind
	Icon  IconName
	Name  string
	Value string
	// Note is for screen readers, where Label alone says too little: the
	// person whose right a "ลบ" in a row ends.
	Note  string
	Attrs templ.Attributes
}

// ButtonLinkParams describes a link that looks like a button. Dialog opens the
// page behind it as a dialog; without JavaScript it is a page of its own.
// Cancel, on a form that may stand in a dialog, closes the dialog instead.
type ButtonLinkParams struct {
	Label  string
	Href   string
	Kind   ButtonKind
	Icon   IconName
	Note   string
	Dialog bool
	Cancel bool
	Attrs  templ.Attributes
}

// Tab is a link to one of several pages of a kind. Count is shown beside the
// label unless nil.
type Tab struct {
	Label   string
	Href    string
	Count   *int
	Current bool
}

// BadgeKind gives a badge its colour and its picture; the words say the same.
type BadgeKind string

// The kinds of badges. Level is for the levels of rights, and has no picture.
const (
	BadgeLevel   BadgeKind = "level"
	BadgeOK      BadgeKind = "ok"      // in force
	BadgeWaiting BadgeKind = "waiting" // pending, future
	BadgeWarn    BadgeKind = "warn"    // ends soon, other office
	BadgeDanger  BadgeKind = "danger"  // refused, suspended
	BadgeOff     BadgeKind = "off"     // ended
)

func (k BadgeKind) icon() IconName {
	switch k {
	case BadgeOK:
		return IconCheck
	case BadgeWaiting:
		return IconClock
	case BadgeWarn:
		return IconWarn
	case BadgeDanger:
		return IconError
	case BadgeOff:
		return IconHistory
	}
	return ""
}

// SummaryRow is one line of a summary: what, its value, and at will a link to
// change it. Body takes the place of Value where that is more than words.
type SummaryRow struct {
	Term   string
	Value  string
	Body   templ.Component
	Action string // label of the link
	Href   string
	Dialog bool
}

// Event is one entry of a timeline. When is written out for the reader
// ("12 พ.ย. 2569 09.41 น."); Machine is the same as RFC 3339, or empty.
type Event struct {
	When    string
	Machine string
	Title   string
	Kind    BadgeKind // colour and picture of the dot
	Body    templ.Component
	Text    string // shown when Body is nil
	By      string // who did it
}

// Tile is one of many things seen at once: a province and its coverage, a
// system of the menu. Kind gives colour and picture; Note says it in words.
type Tile struct {
	Label   string
	Note    string
	Href    string // empty for a tile that leads nowhere
	Kind    BadgeKind
	Icon    IconName
	Outside bool // the link leaves this site
}

// TileGroup is tiles under a heading, such as a region with its provinces.
type TileGroup struct {
	Title string
	Tiles []Tile
	Small bool // many to a row
}

// StepState is where a step stands.
type StepState string

// The states of a step.
const (
	StepDone StepState = "done"
	StepNow  StepState = "now"
	StepNext StepState = "next"
)

// Step is one stage of a path.
type Step struct {
	Label string
	Note  string
	State StepState
}

// BoxParams describes a box that stands out of the text around it; the zero
// Kind is plain information.
type BoxParams struct {
	Kind  NoticeKind
	Title string
}

// EmptyParams describes what stands where nothing is to be seen yet: what it
// would be, and what to do.
type EmptyParams struct {
	Title  string
	Text   string
	Action *ButtonLinkParams
}

// CardParams describes a white card; both fields may be empty.
type CardParams struct {
	Title string
	ID    string
}

package views

import "github.com/a-h/templ"

// RightsPage is the grid of rights under its tabs (กำหนดสิทธิ์การใช้งาน).
type RightsPage struct {
	TabsLabel string
	Tabs      []Tab
	// Units tell at a glance how the reader's units stand; only the overview has them.
	Units []UnitFigures
	// Waiting is told above the grid when registered persons wait for the reader's word; nil for none.
	Waiting *ButtonLinkParams
	Asking  *ButtonLinkParams // to locked officers who ask to be let in again
	// Pleas is told above the grid when officers who can not get in wait for it; nil for none.
	Pleas *ButtonLinkParams
	// Links lead to other looks at the rights; only the overview has them.
	Links []ButtonLinkParams
	Grid  Grid
	Rows  []RightRow
	// Ends says that the reader can end some of the rights.
	Ends bool
}

// UnitFigures are the numbers of one unit.
type UnitFigures struct {
	Name    string
	Figures []Figure
	Links   []ButtonLinkParams
}

// Figure is a number and what it counts; Bad marks one that needs doing something about, Here the one that the page is
// narrowed to.
type Figure struct {
	Label string
	Value string
	Bad   bool
	Here  bool
	Href  string
}

// RightRow is one right as the grid shows it, all in the reader's language.
type RightRow struct {
	Number, Unit, Team, Level string
	Citizen, Name             string
	From, Until               string
	State                     string
	StateKind                 BadgeKind
	Flags                     []string // other office, mutual
	Hit                       string   // what to mark
	HitCitizen                string
	See                       string // address of the right; "" when there is nothing more to see
	End                       string // address of its Delete; "" when the reader may not
	Why                       string // address that explains whether it lets its holder act; "" for none
	Saved                     bool   // just saved: the row stands out
	Origin                    string // where an import brought it from; "" for one that was given here
}

// GiveForm is the form of "+" (เจ้าหน้าที่ผู้ใช้งาน) with what was typed.
type GiveForm struct {
	Action    string
	LookUp    string
	Back      string
	Form      string // tells one filled-in form from another
	Units     []Option
	Unit      string
	Teams     []Option // nil when no unit of the reader has groups
	Team      string
	Citizen   string
	People    []Option // of the reader's offices
	Person    string
	From      string
	LastDay   string
	Order     string
	Note      string
	Found     *FoundPerson // who is behind the ID, once known
	Confirmed bool
	Other     bool
}

// FoundPerson is what a head is shown of a person before he gives a right.
type FoundPerson struct {
	Kind  NoticeKind
	Title string
	Rows  []SummaryRow
	Text  string
	// ConfirmLabel and OtherLabel are the words of the boxes to tick; "" for none.
	ConfirmLabel, OtherLabel string
}

// RightSight is one right with its history.
type RightSight struct {
	Summary []SummaryRow
	Actions []ButtonLinkParams
	Again   string // address that gives an ended right once more; "" for none
	Form    string
	Events  []Event
}

// EndForm is the dialog of Delete.
type EndForm struct {
	Action, Back string
	Summary      []SummaryRow
	EffectKind   NoticeKind
	Effect       string
	Reason       string
	LeavesNone   bool // asks for the word that nobody is left
	LeavesTicked bool
	LeavesLabel  string
}

// ChangeForm changes the end, order number and note of a right in place.
type ChangeForm struct {
	Action, Back string
	Version      string
	Summary      []SummaryRow
	LastDay      string
	Order        string
	Note         string
	Expired      bool
}

// WaitingPerson is a registered person who waits for the head's word.
type WaitingPerson struct {
	Title string
	// Citizen, Position, Office and Contacts stand in the list, and Marks what should be looked at first.
	Citizen, Position, Office string
	Contacts, Marks           []string
	// Old is what the old system calls him, where that is something else.
	Old string
	// Choice is the value of his box in the list; "" for who is confirmed by himself.
	Choice  string
	Rows    []SummaryRow
	Rights  []string
	Action  string
	ID      string
	Other   string // label of the note that he is registered elsewhere; "" when not
	Problem bool   // the errors of the page are this form's
	Reason  string
}

// MyRights is what a person may do, and could before (สิทธิ์ของฉัน).
type MyRights struct {
	Now   []MyRight
	Past  []MyRight
	Posts []MyRight
	Empty EmptyParams
	Ask   ButtonLinkParams // leads to why, or why not
}

// MyRight is one right or post of the reader.
type MyRight struct {
	Title     string
	Place     string
	Period    string
	GivenBy   string
	Origin    string // where an import brought it from; "" for one that was given here
	State     string
	StateKind BadgeKind
	Why       string // address that explains it
}

// StoryPage is the history of a unit, or of one person in it.
type StoryPage struct {
	Summary []SummaryRow
	Rights  []RightRow
	Empty   EmptyParams
	Events  []Event
	Older   string // address of the older entries; "" when there are none
	Unmask  string // address that shows the citizen ID whole; "" when it is, or must not be
}

func boxTitle(f *FoundPerson) BoxParams { return BoxParams{Kind: f.Kind, Title: f.Title} }

func searchTerm(term string, fallback string) string { return orDefault(term, fallback) }

func formAttrs(lookUp string) templ.Attributes {
	return templ.Attributes{"data-lookup-url": lookUp, "data-lookup-target": "found"}
}

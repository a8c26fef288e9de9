package views

// WhyPage is the form that asks why somebody may do something or may not (ทำไมได้ / ทำไมไม่ได้), with the answer once
// there is one.
type WhyPage struct {
	Action string
	// Asks says that the reader may ask about others; everyone else asks about himself.
	Asks    bool
	Person  string // id of the person asked about, once known
	Name    string // and how he is shown
	Others  string // address that asks about somebody else; "" when nobody is chosen yet
	Citizen string // as typed
	People  []Option
	Chosen  string // of People
	Actions []Option
	Do      string
	Places  []Option
	Place   string
	Day     string
	Time    string
	Answer  *WhyAnswer
}

// WhyAnswer is an answer with every condition.
type WhyAnswer struct {
	Allowed    bool
	Title      string // ทำได้, or ทำไม่ได้ and the reason
	Question   string // who, what, where, when
	Tense      string // how the past and the future are answered; "" for the present
	Conditions []WhyCondition
	Others     []WhyOther
}

// WhyCondition is one condition, met or not.
type WhyCondition struct {
	Kind   BadgeKind
	State  string // ผ่าน, ไม่ผ่าน, ไม่มีข้อมูล
	Title  string
	Text   string
	Deed   string // what was done, by whom
	When   string
	Time   string // the same as RFC 3339
	Reason string // as it was written
	Next   string // what to do; "" when it is met
	Links  []ButtonLinkParams
}

// WhyOther is a right that holds and is for something else.
type WhyOther struct {
	Label string
	Href  string // "" when there is nothing more to see
}

// RosterPage is the list of rights of a unit as of a day (บัญชีสิทธิ์ ณ วันที่ …).
type RosterPage struct {
	Action string
	Units  []Option
	Unit   string
	Day    string
	// Shown says that there is a list: the form was filled in rightly.
	Shown  bool
	Title  string // บัญชีสิทธิ์ ณ วันที่ …
	Office string
	Note   string // the very moment, and what is recorded or still to come
	Groups []RosterGroup
	Empty  EmptyParams
	Count  string
	Export string
	// Head signs the printed list; "" when nobody heads the unit now.
	Head, HeadTitle string
	Printed         string // when and by whom
}

// RosterGroup is the rows of one level in one group.
type RosterGroup struct {
	Title string
	Rows  []RosterLine
}

// RosterLine is one right, all in the reader's language.
type RosterLine struct {
	Number, Citizen, Name, Position, From, Until, Order, GivenBy string
	Why                                                          string // address that explains it
	WhyNote                                                      string
}

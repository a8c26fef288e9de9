package views

// ListForm is the form in which one right is given to many persons (เพิ่มเจ้าหน้าที่หลายคน), with what was typed and
// what becomes of each.
type ListForm struct {
	Check, Save, Back string // addresses
	Form              string // tells one filled-in form from another
	Seen              string // stands for what the reader has looked at; "" before
	Units             []Option
	Unit              string
	Teams             []Option // nil when no unit of the reader has groups
	Team              string
	List              string // as pasted
	From, LastDay     string
	Order, Note       string

	// Summary says what right it is, once the list was looked at.
	Summary []SummaryRow
	// Heading is the first line of the list when it was taken for the head of a column.
	Heading string
	Groups  []ListGroup
	// Give is the words of the button that gives; "" when there is nobody to give to.
	Give string
	// Again says that what is left of the list stands in the form.
	Again bool
	// Done says that everything was given and nothing is left to be filled in.
	Done bool
}

// ListGroup are the persons of a list of whom the same becomes.
type ListGroup struct {
	Kind  BadgeKind
	Title string
	Text  string
	Rows  []ListRow
	// TickAll is the words of the button that ticks all of the group; "" where each has to be looked at by himself.
	TickAll string
}

// ListRow is one person of a list.
type ListRow struct {
	Line     string
	Citizen  string
	Name     string // "" for who is not registered
	Position string
	Contacts []string
	Office   string
	Result   string
	See      string // address of the right; "" for none
	// Tick is the words of the box to tick; "" for none. Its value is the ID, and Key tells it from the others.
	Tick   string
	ID     string
	Key    string
	Ticked bool
}

// lines is how high the field for a list is: as many lines as it holds, within reason.
func (f ListForm) lines() int {
	if f.Groups != nil && !f.Again {
		return 6
	}
	return 10
}

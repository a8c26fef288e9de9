package views

// ImportsPage lists the files that were brought in from the old system (นำเข้าข้อมูลจากระบบเดิม).
type ImportsPage struct {
	List []ImportRow
	// Upload shows the form for a new file, with what was typed.
	Upload  bool
	Source  string
	Columns []ImportColumn
}

// ImportRow is one import in the list.
type ImportRow struct {
	Source, File, When, By string
	State                  string
	StateKind              BadgeKind
	Rows, Quarantined      string
	Href                   string
}

// ImportColumn explains one column of the file.
type ImportColumn struct {
	Header, Other, Help, Example, Kinds string
	Required                            bool
}

// ImportPage is one import.
type ImportPage struct {
	Path    string
	Version string
	Summary []SummaryRow
	// Progress is shown while the dry run or the writing goes on; nil otherwise.
	Progress *ImportProgress
	Fault    string
	Ignored  string
	// Totals are what the dry run came to; nil before.
	Totals  *ImportTotals
	Reasons []ImportReason
	// Sign asks for the word of a second person; WhyNot says why the reader can not give it.
	Sign       string
	WhyNot     string
	MayCancel  bool
	MayRecheck bool
	MaySee     bool   // the rows
	Quarantine string // leads to the rows to be put right, with their number
	Commits    []ImportTotals
}

// ImportProgress is how far a dry run is.
type ImportProgress struct {
	Label   string
	Text    string
	Percent string
}

// ImportTotals are the figures that have to balance, each with the rows behind it.
type ImportTotals struct {
	Title   string
	Heads   []string // of the results
	Rows    []ImportTotal
	Balance string
	Kind    NoticeKind
	Further []SummaryRow
}

// ImportTotal is one line of the totals.
type ImportTotal struct {
	Name  string
	Cells []ImportCell
}

// ImportCell is one figure, with the address of the rows that it counts.
type ImportCell struct{ Value, Href string }

// ImportReason is how many rows have a result for a reason.
type ImportReason struct {
	Result     string
	ResultKind BadgeKind
	Kind       string
	Reason     string
	Lines      string
	Href       string
}

// ImportLinesPage lists rows of an import.
type ImportLinesPage struct {
	Path                  string
	Results, Kinds        []Option
	Reasons               []Option
	Result, Kind, Reason  string
	Aside                 bool
	Lines                 []ImportLine
	Next, First           string // addresses; "" for none
	ExportXLSX, ExportCSV string
}

// ImportLine is one row of a file.
type ImportLine struct {
	Line, Kind, RowID string
	Citizen, Name     string
	Place, Level      string
	Result            string
	ResultKind        BadgeKind
	Reason            string
	Note              string // corrected, set aside
	Href              string
}

// ImportLinePage is one row of a file, and how it is mended.
type ImportLinePage struct {
	Path    string
	Result  string
	Reason  string
	Cells   []ImportField
	Facts   []SummaryRow
	Correct bool   // may be corrected or set aside
	Aside   string // why it was set aside; "" when it was not
	// AsideOpen unfolds the form that sets aside.
	AsideOpen bool
	AsideText string
}

// ImportField is one cell of a row.
type ImportField struct {
	Name, Label, Help string
	Original, Value   string
}

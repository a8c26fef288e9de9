package views

import "net/url"

// LogPage is the log (บันทึกการใช้งาน) as an auditor or administrator reads it.
type LogPage struct {
	Path    string
	Filters url.Values // those that are set
	// Units, Acts and Outcomes are the lists to filter by.
	Units, Acts, Outcomes []Option
	// CitizenID and Role are what was typed to find a person: as who acted, or as whom it was about.
	CitizenID string
	Role      string
	// Set says which filters are set, each with a link to the log without it.
	Set     []SummaryRow
	Entries []LogEntry
	// Older and Newest are addresses of other pages; empty when there is none.
	Older, Newest string
}

// LogPerson is who acted or was acted on, with the address of what else the log holds of him; empty for none.
type LogPerson struct {
	Name, Href string
}

// LogFact is something further that an entry tells.
type LogFact struct {
	Label, Value string
}

// LogEntry is one entry of the log in the reader's words.
type LogEntry struct {
	When    string
	Machine string // the same as RFC 3339
	Act     string
	Denied  bool
	Why     string // it was denied
	Actor   LogPerson
	Address string // from which the request came; empty when unknown or erased
	Subject LogPerson
	Unit    string
	Facts   []LogFact
	Place   string // in the sealed log, from 0 as sitthi audit verify counts; empty until it is sealed
	Proof   string // where its proof is downloaded; empty when there is none for the reader
}

package views

// FailParams describes a page that says why something did not happen and what to do.
type FailParams struct {
	Text      string
	Lines     []string          // each thing that needs mending
	Wait      string            // how long to wait
	Next      string            // what to do
	Way       *ButtonLinkParams // where that is done; nil where no one page is meant
	Reference string            // names the request in the log; empty when there is nothing to look up
	Box       bool              // stands within a form, where a page has no place
}

// StepUpForm is a form that waits for the password, or the second factor: where it goes, and all that was typed into it.
type StepUpForm struct {
	Action        string
	PasswordField string
	CodeField     string // takes a code of the second factor instead; "" for who has none
	Ask           FactorsAsked
	Fields        []HiddenField
	Back          string // the page to go back to instead
	BackField     string // carries it along to the next asking
}

// HiddenField is one name and value of a form that was sent before.
type HiddenField struct {
	Name  string
	Value string
}

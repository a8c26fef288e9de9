package views

import (
	"maps"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// FieldParams describes one line of input. Value is what was typed last, so
// that nothing is lost on an error; the error itself comes from Page.Problems
// by Name.
type FieldParams struct {
	Name     string
	Label    string
	Hint     string
	Value    string
	Required bool
	// Type is text unless set: email, tel, password, search. Dates are text
	// (DateField), because browsers show no พ.ศ.
	Type string
	// Autocomplete is a token of the HTML standard ("family-name"); empty
	// switches it off.
	Autocomplete string
	InputMode    string // numeric, tel, email …
	MaxLength    int    // in UTF-16 units; 0 for none
	Size         FieldSize
	ReadOnly     bool
	// Attrs are further attributes, such as data-… hooks.
	Attrs templ.Attributes
}

// FieldSize fits the width of an input to what is expected in it.
type FieldSize string

// The widths of inputs; the zero value fills the column.
const (
	SizeFull  FieldSize = ""
	SizeShort FieldSize = "short" // a date, a code
	SizeID    FieldSize = "id"    // 13 digits with hyphens
)

// Option is one choice of a list.
type Option struct {
	Value string
	Label string
	// Group puts neighbours with the same group under one heading.
	Group string
}

// SelectParams describes a list to choose from. Empty, if set, is the label of
// a first option without a value ("เลือกหน่วยงาน").
type SelectParams struct {
	Name         string
	Label        string
	Hint         string
	Value        string
	Required     bool
	Empty        string
	Options      []Option
	Autocomplete string
	Attrs        templ.Attributes
}

// optionGroup is a run of options under one heading.
type optionGroup struct {
	label   string
	options []Option
}

func groups(options []Option) []optionGroup {
	var out []optionGroup
	for _, o := range options {
		if len(out) == 0 || out[len(out)-1].label != o.Group {
			out = append(out, optionGroup{label: o.Group})
		}
		last := &out[len(out)-1]
		last.options = append(last.options, o)
	}
	return out
}

// TextareaParams describes several lines of prose, such as a reason.
type TextareaParams struct {
	Name      string
	Label     string
	Hint      string
	Value     string
	Required  bool
	Rows      int // 3 unless set
	MaxLength int
}

// CheckboxParams describes one box to tick. Children of Checkbox follow the
// label inside it, for words that hold a link.
type CheckboxParams struct {
	Name     string
	Value    string // sent when ticked; "yes" unless set
	Label    string
	Hint     string
	Checked  bool
	Required bool
}

// describedBy names the elements that explain a field, as aria-describedby.
func (p Page) describedBy(name, hint string) string {
	var ids []string
	if hint != "" {
		ids = append(ids, fieldID(name)+"-hint")
	}
	if p.Problem(name) != "" {
		ids = append(ids, fieldID(name)+"-error")
	}
	return strings.Join(ids, " ")
}

// radioID gives the first radio the id of the field, where the error summary
// links to.
func radioID(name string, i int) string {
	if i == 0 {
		return fieldID(name)
	}
	return fieldID(name) + "-" + strconv.Itoa(i)
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// citizenID adds what citizen.js needs to speak the reader's language.
func citizenID(p Page, f FieldParams) FieldParams {
	f.Hint = orDefault(f.Hint, p.T("parts.citizen_id_hint"))
	f.InputMode = "numeric"
	f.Size = SizeID
	f.Attrs = with(f.Attrs, templ.Attributes{
		"data-citizen-id": true,
		"data-wrong":      p.T("parts.citizen_id_wrong"),
		"data-ok":         p.T("parts.citizen_id_ok"),
	})
	return f
}

func password(f FieldParams) FieldParams {
	f.Type = "password"
	f.Value = "" // a password is never sent back
	return f
}

func dateField(p Page, f FieldParams) FieldParams {
	f.Hint = orDefault(f.Hint, p.T("parts.date_hint"))
	f.Size = SizeShort
	return f
}

func with(attrs, more templ.Attributes) templ.Attributes {
	out := maps.Clone(attrs)
	if out == nil {
		return more
	}
	maps.Copy(out, more)
	return out
}

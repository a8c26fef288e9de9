package views

import (
	"context"
	"io"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/a-h/templ"
)

// The names of the parameters that every grid has in its URL. All others are
// filters.
const (
	ParamSearch = "q"
	ParamSort   = "sort" // a column's key; "-" before it for the last first
	ParamPage   = "page" // from 1
	ParamSize   = "size" // rows to a page
)

// Grid is a table with filters, sort and pages, whose whole state stands in
// the URL. The handler fills it from the query it has understood; the rows are
// children of GridTable.
type Grid struct {
	Path    string
	Query   url.Values // as understood: without unknown or empty values
	Page    int        // from 1
	Pages   int
	Size    int
	Sizes   []int // offered; the first is the usual one
	Total   int
	Capped  bool // there are more than Total
	Caption string
	// Columns, in order; the last may have no label, for actions.
	Columns []Column
	// Find is where the filters are posted to, for a grid that is searched by what must not stand in an address; it
	// answers with the address of the grid. Empty: the filters go into the address as they are.
	Find string
	// ExportXLSX and ExportCSV are paths; the query is added. Empty: no export.
	ExportXLSX string
	ExportCSV  string
	// Add is the "+" of the manual; nil when the reader may not add.
	Add *ButtonLinkParams
	// AddMany stands beside it and adds many at once; nil for none.
	AddMany *ButtonLinkParams
	// SearchLabel names the search box ("ค้นหาชื่อ หรือเลขบัตรประชาชน"); empty
	// for none.
	SearchLabel string
	// Nothing is shown when there is no row at all, before any filter.
	Nothing EmptyParams
}

// Column is one column of a grid with its filter.
type Column struct {
	Key    string // of the sort; empty when it can not be sorted by
	Label  string
	Filter Filter
	Class  string // for example "num"
}

// Filter is the cell under a column's heading; the zero value is empty.
type Filter struct {
	Name string // the parameter in the URL
	// Options make it a list, headed by "(ทั้งหมด)"; without them it is text.
	Options []Option
	// All heads the options; "(ทั้งหมด)" unless set, for a list whose first choice is not all.
	All       string
	InputMode string
	Hint      string // placeholder
	// Kept is the parameter that what was typed became, when it may not stand in an address itself; Shown is what
	// the field shows for it.
	Kept, Shown string
}

// set reports whether the grid is filtered by f.
func (g Grid) set(f Filter) bool {
	return f.Name != "" && g.Query.Get(f.Name) != "" || f.Kept != "" && g.Query.Get(f.Kept) != ""
}

// value is what the field of a filter shows.
func (g Grid) value(f Filter) string { return orDefault(g.Query.Get(f.Name), f.Shown) }

// kept are the filters whose value stands in the form beside their field, so that the other filters do not lose it.
func (g Grid) kept() []Filter {
	var list []Filter
	for _, c := range g.Columns {
		if c.Filter.Kept != "" && g.Query.Get(c.Filter.Kept) != "" {
			list = append(list, c.Filter)
		}
	}
	return list
}

// URL is the address of this grid with some parameters changed, as pairs of
// name and value; an empty value takes a parameter away. Any change but of the
// page goes back to page 1.
func (g Grid) URL(pairs ...string) templ.SafeURL {
	q := maps.Clone(g.Query)
	if q == nil {
		q = url.Values{}
	}
	q.Del(ParamPage)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return address(g.Path, q)
}

func (g Grid) export(path string) templ.SafeURL {
	q := maps.Clone(g.Query)
	q.Del(ParamPage)
	q.Del(ParamSize)
	return address(path, q)
}

func address(path string, q url.Values) templ.SafeURL {
	if len(q) == 0 {
		return templ.SafeURL(path)
	}
	return templ.SafeURL(path + "?" + q.Encode())
}

func (g Grid) page(n int) templ.SafeURL {
	return g.URL(ParamPage, strconv.Itoa(n))
}

// Filters is how many filters are set, the search not counted.
func (g Grid) Filters() int {
	n := 0
	for _, c := range g.Columns {
		if g.set(c.Filter) {
			n++
		}
	}
	return n
}

// filtered reports whether anything hides rows.
func (g Grid) filtered() bool {
	return g.Filters() > 0 || g.Query.Get(ParamSearch) != ""
}

// cleared is the grid without search and filters, sorted as it is.
func (g Grid) cleared() templ.SafeURL {
	pairs := []string{ParamSearch, ""}
	for _, c := range g.Columns {
		if c.Filter.Name != "" {
			pairs = append(pairs, c.Filter.Name, "", c.Filter.Kept, "")
		}
	}
	return g.URL(pairs...)
}

// sorted is the aria-sort of a column: ascending, descending or none.
func (g Grid) sorted(key string) string {
	switch g.Query.Get(ParamSort) {
	case key:
		return "ascending"
	case "-" + key:
		return "descending"
	}
	return "none"
}

// sortURL turns the order of a column round, or sorts by it.
func (g Grid) sortURL(key string) templ.SafeURL {
	if g.sorted(key) == "ascending" {
		return g.URL(ParamSort, "-"+key)
	}
	return g.URL(ParamSort, key)
}

// count is the number of rows as the reader sees it: "1,284", "10,000+".
func (g Grid) count() string {
	s := Thousands(g.Total)
	if g.Capped {
		s += "+"
	}
	return s
}

// Thousands writes n with commas: 12,345.
func Thousands(n int) string {
	s := strconv.Itoa(n)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Marked shows text with the hits of term marked. It is written out by hand,
// because a template would put spaces between the pieces.
func Marked(text, term string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b strings.Builder
		for _, s := range pieces(text, term) {
			if s.hit {
				b.WriteString("<mark>" + templ.EscapeString(s.text) + "</mark>")
			} else {
				b.WriteString(templ.EscapeString(s.text))
			}
		}
		_, err := io.WriteString(w, b.String())
		return err
	})
}

// piece is a run of text that is all hit or all not.
type piece struct {
	text string
	hit  bool
}

// pieces finds term in text without regard to case, to hyphens and spaces, and
// to Thai or Arabic digits, as the search of the grids does. A hit takes the
// vowels and tone marks above and below its last letter with it, so that no
// mark is torn from its consonant.
func pieces(text, term string) []piece {
	want := foldHit([]rune(term))
	if len(want) == 0 {
		return []piece{{text: text}}
	}
	runes := []rune(text)
	var out []piece
	plain := 0
	for i := 0; i < len(runes); {
		end := matchAt(runes, i, want)
		if end == i {
			i++
			continue
		}
		for end < len(runes) && unicode.Is(unicode.Mn, runes[end]) {
			end++
		}
		if plain < i {
			out = append(out, piece{text: string(runes[plain:i])})
		}
		out = append(out, piece{text: string(runes[i:end]), hit: true})
		i, plain = end, end
	}
	if plain < len(runes) {
		out = append(out, piece{text: string(runes[plain:])})
	}
	return out
}

// matchAt returns where the match of want that begins at i ends, or i.
func matchAt(runes []rune, i int, want []rune) int {
	at := i
	for _, w := range want {
		for at > i && at < len(runes) && skipped(runes[at]) {
			at++
		}
		if at == len(runes) || fold(runes[at]) != w {
			return i
		}
		at++
	}
	return at
}

func foldHit(term []rune) []rune {
	var out []rune
	for _, r := range term {
		if !skipped(r) {
			out = append(out, fold(r))
		}
	}
	return out
}

func skipped(r rune) bool { return r == '-' || unicode.IsSpace(r) }

func fold(r rune) rune {
	if r >= '๐' && r <= '๙' {
		return '0' + r - '๐'
	}
	return unicode.ToLower(r)
}

// sizes are the page sizes offered.
func (g Grid) sizes() []Option {
	var out []Option
	for _, n := range g.Sizes {
		s := strconv.Itoa(n)
		out = append(out, Option{Value: s, Label: s})
	}
	return out
}

// filterID is the id of a filter; it differs from the id of a field, because a
// form may be open over the grid.
func filterID(name string) string { return "filter-" + name }

func filterLabel(p Page, c Column) string {
	return strings.TrimSpace(p.T("parts.filter_by", "column", c.Label))
}

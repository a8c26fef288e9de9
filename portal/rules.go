package portal

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/person"
)

// The most characters that an address, a heading and the words of an announcement may have.
const (
	addressLength = 500
	titleLength   = 160
	bodyLength    = 4000
)

// checkAddress brings the address of a system into the form that is kept. It leads to the web and nowhere else: a
// link to javascript: or a file in the menu would run with everyone's trust. Only this program's own entry may lead
// to a path of this site.
func checkAddress(code, address string) (string, error) {
	var c problem.Check
	address = strings.TrimSpace(address)
	checkLink(&c, "address", address, code == KO1)
	return address, c.Err()
}

// checkLink fails a field unless it is empty, the address of a website, or, where that is allowed, a path of this one.
func checkLink(c *problem.Check, field, address string, path bool) {
	if address == "" {
		return
	}
	if len(address) > addressLength {
		c.Fail(field, "portal.problem.address_long", "most", addressLength)
	}
	u, err := url.Parse(address)
	switch {
	case err != nil, u.User != nil:
		c.Fail(field, "portal.problem.address")
	case (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "":
	case path && u.Scheme == "" && u.Host == "" && strings.HasPrefix(u.Path, "/") && !strings.Contains(address, `\`):
	default:
		c.Fail(field, "portal.problem.address")
	}
}

// checkDraft brings what was typed for an announcement into the form that is kept, or says what is wrong with it.
func checkDraft(n Draft) (Draft, error) {
	var c problem.Check
	line := func(field, text string) string {
		text, err := thai.CleanLine(text, titleLength)
		if err != nil {
			c.Fail(field, "portal.problem.long", "most", titleLength)
		}
		person.CheckText(&c, field, text)
		return text
	}
	lines := func(field, text string) string {
		text, err := cleanLines(text)
		if err != nil {
			c.Fail(field, "portal.problem.long", "most", bodyLength)
		}
		person.CheckText(&c, field, text)
		return text
	}
	n.Title = locale.Name{TH: line("title_th", n.Title.TH), EN: line("title_en", n.Title.EN)}
	n.Body = locale.Name{TH: lines("body_th", n.Body.TH), EN: lines("body_en", n.Body.EN)}
	if n.Title.TH == "" {
		c.Fail("title_th", "portal.problem.title_empty")
	}
	if n.Body.TH == "" {
		c.Fail("body_th", "portal.problem.body_empty")
	}
	if !slices.Contains(Places[:], n.Place) {
		c.Fail("place", "portal.problem.place")
	}
	switch {
	case n.From.IsZero():
		c.Fail("from", "portal.problem.from_empty")
	case !n.To.IsZero() && n.To.Compare(n.From) < 0:
		c.Fail("to", "portal.problem.to_before_from")
	}
	return n, c.Err()
}

// cleanLines cleans each line as thai.CleanLine does and leaves out empty ones: lines are paragraphs. It fails with
// thai.ErrTooLong for more than bodyLength characters in all.
func cleanLines(text string) (string, error) {
	var kept []string
	left := bodyLength
	var tooLong error
	for line := range strings.Lines(text) {
		line, err := thai.CleanLine(line, left)
		if err != nil {
			tooLong, left = err, len(text)
		}
		if line != "" {
			kept = append(kept, line)
			left = max(0, left-utf8.RuneCountInString(line))
		}
	}
	return strings.Join(kept, "\n"), tooLong
}

// stateAt is what the announcement is at a moment.
func (a Announcement) stateAt(at time.Time) State {
	switch {
	case !a.ClosedAt.IsZero():
		return Closed
	case at.Before(a.From):
		return Coming
	case !a.Until.IsZero() && !at.Before(a.Until):
		return Past
	}
	return Current
}

// noteLength is the most characters that the note of a cut-over may have.
const noteLength = 1000

// checkCutover brings what was typed for a cut-over into the form that is kept, or says what is wrong with it by itself.
func checkCutover(n CutoverDraft) (CutoverDraft, error) {
	var c problem.Check
	if n.Owner != Old && n.Owner != New {
		c.Fail("owner", "portal.problem.owner")
	}
	if n.From.IsZero() {
		c.Fail("from", "portal.problem.cutover_from_empty")
	}
	lines := func(field, text string) string {
		text, err := cleanLines(text)
		if err != nil || utf8.RuneCountInString(text) > noteLength {
			c.Fail(field, "portal.problem.long", "most", noteLength)
		}
		person.CheckText(&c, field, text)
		return text
	}
	n.Note = locale.Name{TH: lines("note_th", n.Note.TH), EN: lines("note_en", n.Note.EN)}
	n.Link = strings.TrimSpace(n.Link)
	checkLink(&c, "link", n.Link, false)
	return n, c.Err()
}

// ownership answers, of the cut-overs of a system that were not withdrawn, in order of time, which one holds at a
// moment and which are to come. Before the first it is the old program that owns.
func ownership(live []Cutover, at time.Time) (since Cutover, coming []Cutover) {
	n := 0
	for n < len(live) && !at.Before(live[n].From) {
		n++
	}
	if n == 0 {
		return Cutover{Owner: Old}, live
	}
	return live[n-1], live[n:]
}

// mayFollow says what is wrong with a further cut-over after those that are set.
func mayFollow(n CutoverDraft, live []Cutover, now time.Time) error {
	var c problem.Check
	last := Cutover{Owner: Old}
	if len(live) > 0 {
		last = live[len(live)-1]
	}
	switch {
	case !n.From.After(last.From):
		c.Fail("from", "portal.problem.cutover_before_last", "last", thai.Moment(last.From))
	case len(live) > 0 && !n.From.After(now):
		c.Fail("from", "portal.problem.cutover_past")
	}
	if n.Owner == last.Owner {
		c.Fail("owner", "portal.problem.cutover_same_"+string(n.Owner))
	}
	return c.Err()
}

// mayWithdraw says why a cut-over stays; nil when it need not.
func mayWithdraw(w Cutover, live []Cutover, now time.Time) error {
	switch {
	case !now.Before(w.From):
		return problem.New(problem.Conflict, "portal.problem.cutover_begun")
	case live[len(live)-1].ID != w.ID:
		return problem.New(problem.Conflict, "portal.problem.cutover_not_last")
	}
	return nil
}

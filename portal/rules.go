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
	if address == "" {
		return "", nil
	}
	if len(address) > addressLength {
		c.Fail("address", "portal.problem.address_long", "most", addressLength)
	}
	u, err := url.Parse(address)
	switch {
	case err != nil, u.User != nil:
		c.Fail("address", "portal.problem.address")
	case (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "":
	case code == KO1 && u.Scheme == "" && u.Host == "" && strings.HasPrefix(u.Path, "/") && !strings.Contains(address, `\`):
	default:
		c.Fail("address", "portal.problem.address")
	}
	return address, c.Err()
}

// checkDraft brings what was typed for an announcement into the form that is kept, or says what is wrong with it.
func checkDraft(n Draft) (Draft, error) {
	var c problem.Check
	line := func(field, text string) string {
		text, err := thai.CleanLine(text, titleLength)
		if err != nil {
			c.Fail(field, "portal.problem.long", "most", titleLength)
		}
		return text
	}
	lines := func(field, text string) string {
		text, err := cleanLines(text)
		if err != nil {
			c.Fail(field, "portal.problem.long", "most", bodyLength)
		}
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

package portal

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
)

func TestCheckAddress(t *testing.T) {
	for _, c := range []struct {
		code, in, want string
		fault          string
	}{
		{"haz2009", "", "", ""},
		{"haz2009", "  https://eis.diw.go.th/haz ", "https://eis.diw.go.th/haz", ""},
		{"haz2009", "HTTP://haz2.diw.go.th/vk7?a=1", "HTTP://haz2.diw.go.th/vk7?a=1", ""},
		{KO1, "/ko1", "/ko1", ""},
		{"haz2009", "/ko1", "", "portal.problem.address"},
		{KO1, "//evil.example", "", "portal.problem.address"},
		{KO1, `/\evil.example`, "", "portal.problem.address"},
		{KO1, "ko1", "", "portal.problem.address"},
		{"haz2009", "javascript:alert(1)", "", "portal.problem.address"},
		{"haz2009", "data:text/html,x", "", "portal.problem.address"},
		{"haz2009", "ftp://diw.go.th", "", "portal.problem.address"},
		{"haz2009", "https://", "", "portal.problem.address"},
		{"haz2009", "https://:443/x", "", "portal.problem.address"},
		{"haz2009", "https://diw.go.th@evil.example", "", "portal.problem.address"},
		{"haz2009", "www.diw.go.th", "", "portal.problem.address"},
		{"haz2009", "https://diw.go.th/\x00", "", "portal.problem.address"},
		{"haz2009", "https://diw.go.th/" + strings.Repeat("a", 500), "", "portal.problem.address_long"},
	} {
		got, err := checkAddress(c.code, c.in)
		if f := fault(err, "address"); f != c.fault {
			t.Errorf("checkAddress(%s, %q) finds %q, want %q", c.code, c.in, f, c.fault)
		}
		if c.fault == "" && got != c.want {
			t.Errorf("checkAddress(%s, %q) = %q", c.code, c.in, got)
		}
	}
}

func TestCheckDraft(t *testing.T) {
	day := thai.Date{Year: 2026, Month: time.November, Day: 23}
	good := Draft{Title: locale.Name{TH: "  ปิด \t ระบบ "}, Body: locale.Name{TH: "บรรทัดหนึ่ง\r\n\r\n  บรรทัดสอง\u200b \n"}, Place: Public, From: day, To: day}
	kept, err := checkDraft(good)
	if err != nil || kept.Title.TH != "ปิด ระบบ" || kept.Body.TH != "บรรทัดหนึ่ง\nบรรทัดสอง" {
		t.Errorf("kept %+v, %v", kept, err)
	}
	for field, c := range map[string]struct {
		key    string
		change func(*Draft)
	}{
		"title_th": {"portal.problem.title_empty", func(n *Draft) { n.Title.TH = " \u200b " }},
		"title_en": {"portal.problem.long", func(n *Draft) { n.Title.EN = strings.Repeat("a", 161) }},
		"body_th":  {"portal.problem.body_empty", func(n *Draft) { n.Body.TH = "\n \n" }},
		"body_en":  {"portal.problem.long", func(n *Draft) { n.Body.EN = strings.Repeat("aaaaaaa\n", 600) }},
		"place":    {"portal.problem.place", func(n *Draft) { n.Place = "everywhere" }},
		"from":     {"portal.problem.from_empty", func(n *Draft) { n.From = thai.Date{} }},
		"to":       {"portal.problem.to_before_from", func(n *Draft) { n.To = day.AddDays(-1) }},
	} {
		n := good
		c.change(&n)
		if _, err := checkDraft(n); fault(err, field) != c.key {
			t.Errorf("%s: %v, want %s", field, err, c.key)
		}
	}
	n := good
	n.Title.EN, n.Body.TH = "for 3990000000104", "บรรทัดหนึ่ง\nแทน 3-9900-00000-10-4"
	if _, err := checkDraft(n); fault(err, "title_en") != "problem.holds_citizen" || fault(err, "body_th") != "problem.holds_citizen" {
		t.Errorf("with citizen IDs: %v", err)
	}
}

func TestBodyIsCountedInCharacters(t *testing.T) {
	if got, err := cleanLines(strings.Repeat("ก\n", bodyLength)); err != nil || len([]rune(got)) != 2*bodyLength-1 {
		t.Errorf("%d characters on as many lines: %v", bodyLength, err)
	}
	long := strings.Repeat("ก", bodyLength) + "\nเกิน"
	if got, err := cleanLines(long); !errors.Is(err, thai.ErrTooLong) || got != long {
		t.Errorf("one line too many: %v, and %d of %d bytes come back", err, len(got), len(long))
	}
}

func TestStateAt(t *testing.T) {
	day := thai.Date{Year: 2026, Month: time.November, Day: 23}
	var a Announcement
	a.fill(Draft{From: day, To: day})
	for at, want := range map[time.Time]State{
		day.StartOfDay().Add(-1): Coming, day.StartOfDay(): Current, day.EndExclusive().Add(-1): Current, day.EndExclusive(): Past,
	} {
		if got := a.stateAt(at); got != want {
			t.Errorf("at %v it is %s, want %s", at, got, want)
		}
	}
	if a.FirstDay() != day || a.LastDay() != day {
		t.Errorf("shown from %v to %v, want %v", a.FirstDay(), a.LastDay(), day)
	}
	a.fill(Draft{From: day})
	if a.stateAt(day.AddDays(10_000).StartOfDay()) != Current || !a.LastDay().IsZero() {
		t.Error("without an end it must stay")
	}
	a.ClosedAt = day.StartOfDay()
	if a.stateAt(day.StartOfDay()) != Closed {
		t.Error("taken down, it is not closed")
	}
}

func fault(err error, field string) string {
	var p *problem.Problem
	if !errors.As(err, &p) {
		return ""
	}
	i := slices.IndexFunc(p.Fields, func(f problem.Field) bool { return f.Name == field })
	if i < 0 {
		return ""
	}
	return p.Fields[i].Key
}

// TestCutoversFollowEachOther is the table of what may be set after what, with the manual's days.
func TestCutoversFollowEachOther(t *testing.T) {
	at := func(text string) time.Time {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	now, first := at("2023-10-15T10:00:00+07:00"), at("2023-11-01T00:00:00+07:00")
	to := func(owner Side, from time.Time) Cutover { return Cutover{ID: from.String(), Owner: owner, From: from} }
	begun, coming := to(New, now), to(New, first)
	for _, c := range []struct {
		name        string
		owner       Side
		from        time.Time
		live        []Cutover
		owns, froms string // faults in the fields
	}{
		{"the first", New, first, nil, "", ""},
		{"the first, in the past", New, now.Add(-time.Hour), nil, "", ""},
		{"the first, to what is so already", Old, first, nil, "portal.problem.cutover_same_old", ""},
		{"back again", Old, first.Add(time.Hour), []Cutover{coming}, "", ""},
		{"the same again", New, first.Add(time.Hour), []Cutover{coming}, "portal.problem.cutover_same_new", ""},
		{"at the same moment", Old, first, []Cutover{coming}, "", "portal.problem.cutover_before_last"},
		{"before the last", Old, first.Add(-1), []Cutover{coming}, "", "portal.problem.cutover_before_last"},
		{"now", Old, now, []Cutover{to(New, now.Add(-time.Hour))}, "", "portal.problem.cutover_past"},
		{"just now", Old, now.Add(1), []Cutover{begun}, "", ""},
		{"in the past", Old, now.Add(-time.Minute), []Cutover{to(New, now.Add(-time.Hour))}, "", "portal.problem.cutover_past"},
		{"all wrong", New, now, []Cutover{begun}, "portal.problem.cutover_same_new", "portal.problem.cutover_before_last"},
	} {
		err := mayFollow(CutoverDraft{Owner: c.owner, From: c.from}, c.live, now)
		if owner, from := fault(err, "owner"), fault(err, "from"); owner != c.owns || from != c.froms || (err == nil) != (c.owns+c.froms == "") {
			t.Errorf("%s: %v", c.name, err)
		}
	}

	back := to(Old, first.Add(time.Hour))
	live := []Cutover{coming, back}
	for moment, want := range map[time.Time]Side{
		now: Old, first.Add(-time.Microsecond): Old, first: New, first.Add(time.Hour - 1): New, first.Add(time.Hour): Old, first.AddDate(9, 0, 0): Old,
	} {
		if since, coming := ownership(live, moment); since.Owner != want || (since.ID == "") != moment.Before(first) || len(coming) > 2 {
			t.Errorf("at %v it is %s with %d to come, want %s", moment, since.Owner, len(coming), want)
		}
	}
	if since, coming := ownership(nil, now); since.Owner != Old || len(coming) != 0 {
		t.Errorf("without a cut-over it is %s", since.Owner)
	}
	if err := mayWithdraw(back, live, now); err != nil {
		t.Error(err)
	}
	if err := mayWithdraw(coming, live, now); !errors.Is(err, problem.Conflict) {
		t.Errorf("one that others follow: %v", err)
	}
	if err := mayWithdraw(coming, live[:1], first.Add(-1)); err != nil {
		t.Error(err)
	}
	if err := mayWithdraw(coming, live[:1], first); !errors.Is(err, problem.Conflict) {
		t.Errorf("one that has begun: %v", err)
	}
}

func TestCheckCutover(t *testing.T) {
	good := CutoverDraft{Owner: New, From: time.Now(), Note: locale.Name{TH: " ก \n\n ข "}, Link: " https://www.diw.go.th/x "}
	kept, err := checkCutover(good)
	if err != nil || kept.Note.TH != "ก\nข" || kept.Link != "https://www.diw.go.th/x" {
		t.Errorf("kept %+v, %v", kept, err)
	}
	for field, c := range map[string]struct {
		key    string
		change func(*CutoverDraft)
	}{
		"owner":   {"portal.problem.owner", func(n *CutoverDraft) { n.Owner = "both" }},
		"from":    {"portal.problem.cutover_from_empty", func(n *CutoverDraft) { n.From = time.Time{} }},
		"note_th": {"portal.problem.long", func(n *CutoverDraft) { n.Note.TH = strings.Repeat("ก", 1001) }},
		"note_en": {"portal.problem.long", func(n *CutoverDraft) { n.Note.EN = strings.Repeat("a", 5000) }},
		"link":    {"portal.problem.address", func(n *CutoverDraft) { n.Link = "/here" }},
	} {
		n := good
		c.change(&n)
		if _, err := checkCutover(n); fault(err, field) != c.key {
			t.Errorf("%s: %v, want %s", field, err, c.key)
		}
	}
}

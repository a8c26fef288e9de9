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

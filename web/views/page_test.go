package views

import (
	"fmt"
	"math"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sitthi/internal/locale"
)

// TestPagesAreStrict: every text exists in both languages (catalog fails the
// test otherwise), and nothing on a page needs more than the policy allows.
func TestPagesAreStrict(t *testing.T) {
	_, base := serveGuide(t)
	inline := regexp.MustCompile(`<style|\sstyle=|\son[a-z]+=|javascript:|data:image|<script>`)
	for _, lang := range []string{"th", "en"} {
		for _, path := range guidePages {
			page := rendered(t, base, strings.ReplaceAll(path, "นาง", "a"), lang)
			if got := inline.FindString(page); got != "" {
				t.Errorf("%s (%s) holds %q", path, lang, got)
			}
			if n := strings.Count(page, "<h1>"); n != 1 {
				t.Errorf("%s (%s) has %d h1", path, lang, n)
			}
			if !strings.Contains(page, `<html lang="`+lang+`">`) {
				t.Errorf("%s is not in %s", path, lang)
			}
		}
	}
}

func TestProblem(t *testing.T) {
	p := Page{Problems: []FieldError{{"a", "first"}, {"a", "second"}, {"", "loose"}}}
	if got := p.Problem("a"); got != "first" {
		t.Errorf("Problem(a) = %q", got)
	}
	if got := p.Problem("b"); got != "" {
		t.Errorf("Problem(b) = %q", got)
	}
}

func TestMenu(t *testing.T) {
	tests := []struct {
		who  *Viewer
		path string
		want string // the entries, the one we are at in brackets
	}{
		{nil, "/", "/intranet /ko1"},
		{nil, "/ko1?x=/ko1/rights", "/intranet [/ko1]"},
		{&Viewer{}, "/my/rights", "/intranet /ko1"},
		{&Viewer{Head: true}, "/ko1/rights/consider?q=1", "/intranet /ko1 [/ko1/rights] /ko1/people"},
		{&Viewer{Head: true}, "/ko1/rightsx", "/intranet [/ko1] /ko1/rights /ko1/people"},
		{&Viewer{Administrator: true}, "/admin/units", "/intranet /ko1 /admin/overview /ko1/people [/admin] /admin/log"},
		{&Viewer{Administrator: true}, "/admin/overview?only=head", "/intranet /ko1 [/admin/overview] /ko1/people /admin /admin/log"},
		{&Viewer{Agent: true}, "/help/cases/x", "/intranet /ko1 [/help/cases]"},
		{&Viewer{Auditor: true}, "/admin/log", "/intranet /ko1 /admin/overview /admin/imports [/admin/log]"},
	}
	for _, tt := range tests {
		var got []string
		for _, e := range (Page{Who: tt.who, Path: tt.path}).menu() {
			if e.Here {
				e.Href = "[" + e.Href + "]"
			}
			got = append(got, e.Href)
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("menu of %+v at %s: %s, want %s", tt.who, tt.path, got, tt.want)
		}
	}
}

func TestAsset(t *testing.T) {
	if got, want := (Page{}).Asset("css/a.css"), "/static/css/a.css"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	p := Page{AssetVersion: func(string) string { return "4f2a" }}
	if got, want := p.Asset("css/a.css"), "/static/4f2a/css/a.css"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestGridURL(t *testing.T) {
	g := Grid{Path: "/r", Query: url.Values{"q": {"ก"}, "sort": {"no"}, "page": {"3"}, "unit": {"IWM"}}, Columns: []Column{{Filter: Filter{Name: "unit"}}}}
	tests := []struct{ got, want string }{
		{string(g.sortURL("no")), "/r?q=%E0%B8%81&sort=-no&unit=IWM"},
		{string(g.sortURL("to")), "/r?q=%E0%B8%81&sort=to&unit=IWM"},
		{string(g.page(2)), "/r?page=2&q=%E0%B8%81&sort=no&unit=IWM"},
		{string(g.cleared()), "/r?sort=no"},
		{string(g.export("/r.csv")), "/r.csv?q=%E0%B8%81&sort=no&unit=IWM"},
		{string(Grid{Path: "/r"}.URL("q", "")), "/r"},
		{g.sorted("no"), "ascending"},
		{g.sorted("to"), "none"},
		{strconv.Itoa(g.Filters()), "1"},
		{Grid{Total: 10000, Capped: true}.count(), "10,000+"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
	if got := g.Query.Get("page"); got != "3" {
		t.Errorf("the grid's own query changed: page %s", got)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999"} {
		if got := Thousands(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
}

func TestMarked(t *testing.T) {
	tests := []struct{ text, term, want string }{
		{"นายสมชาย", "", "นายสมชาย"},
		{"นายสมชาย", "สม", "นาย[สม]ชาย"},
		{"ปั๊มที่ปั๊ม", "ป", "[ปั๊]มที่[ปั๊]ม"},
		{"3-9900-00000-20-1", "0020", "3-9900-000[00-20]-1"},
		{"3-9900-00000-20-1", "๓99", "[3-99]00-00000-20-1"},
		{"Somchai JAIDEE", "jai d", "Somchai [JAID]EE"},
		{"aaa", "aa", "[aa]a"},
		{"ก", "กข", "ก"},
	}
	for _, tt := range tests {
		var got string
		for _, p := range pieces(tt.text, tt.term) {
			if p.hit {
				got += "[" + p.text + "]"
			} else {
				got += p.text
			}
		}
		if got != tt.want {
			t.Errorf("%q in %q: %s, want %s", tt.term, tt.text, got, tt.want)
		}
	}
}

// TestLanguageSwitch leads to the other language by POST, since no GET changes
// anything.
func TestLanguageSwitch(t *testing.T) {
	if (Page{Lang: locale.TH}).other() != locale.EN || (Page{Lang: locale.EN}).other() != locale.TH {
		t.Error("the switch does not lead to the other language")
	}
}

// TestContrast reads the colours from tokens.css: WCAG 2.2 AA in both schemes,
// 4.5 for text and 3 for the edges of controls.
func TestContrast(t *testing.T) {
	sheet, err := os.ReadFile("../static/css/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, ok := strings.Cut(string(sheet), "prefers-color-scheme: dark")
	if !ok {
		t.Fatal("no dark scheme")
	}
	colour := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)
	tokens := map[string]string{}
	for _, scheme := range []struct{ name, css string }{{"light", light}, {"dark", dark}} {
		for _, m := range colour.FindAllStringSubmatch(scheme.css, -1) {
			tokens[m[1]] = m[2] // what dark leaves out is as in light
		}
		for _, pair := range []struct {
			on, under string
			least     float64
		}{
			{"ink", "ground", 7}, {"ink", "sheet", 7}, {"ink", "sheet-quiet", 7},
			{"ink-soft", "ground", 4.5}, {"ink-soft", "sheet", 4.5}, {"ink-soft", "sheet-quiet", 4.5},
			{"accent", "ground", 4.5}, {"accent", "sheet", 4.5}, {"accent", "accent-soft", 4.5}, {"accent", "sheet-quiet", 4.5},
			{"on-accent", "accent", 4.5}, {"on-accent", "accent-strong", 4.5},
			{"danger", "sheet", 4.5}, {"danger", "danger-soft", 4.5}, {"danger", "ground", 4.5},
			{"on-danger", "danger", 4.5}, {"on-danger", "danger-strong", 4.5},
			{"warn", "warn-soft", 4.5}, {"ok", "ok-soft", 4.5}, {"ok", "sheet", 4.5},
			{"ink", "warn-soft", 7}, {"ink", "ok-soft", 7}, {"ink", "danger-soft", 7}, {"ink", "accent-soft", 7},
			{"ink-soft", "accent-soft", 4.5}, {"ink-soft", "warn-soft", 4.5}, {"ink-soft", "danger-soft", 4.5}, {"ink-soft", "ok-soft", 4.5},
			{"on-mark", "mark", 4.5}, {"on-head", "head", 7}, {"on-head-soft", "head", 4.5},
			{"line-strong", "sheet", 3}, {"line-strong", "sheet-quiet", 3}, {"head-edge", "head", 3},
			{"focus", "sheet", 3}, {"focus", "ground", 3}, {"focus", "sheet-quiet", 3}, {"head-line", "head", 3},
		} {
			if got := contrast(t, tokens[pair.on], tokens[pair.under]); got < pair.least {
				t.Errorf("%s: %s on %s has contrast %.2f, want %.1f", scheme.name, pair.on, pair.under, got, pair.least)
			}
		}
	}
}

// contrast is the ratio that WCAG 2.2 defines for two colours #rrggbb.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	luminance := func(c string) float64 {
		var rgb [3]int
		if _, err := fmt.Sscanf(c, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
			t.Fatalf("colour %q: %v", c, err)
		}
		var l float64
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			v := float64(rgb[i]) / 255
			if v <= 0.04045 {
				v /= 12.92
			} else {
				v = math.Pow((v+0.055)/1.055, 2.4)
			}
			l += weight * v
		}
		return l
	}
	l := []float64{luminance(a), luminance(b)}
	slices.Sort(l)
	return (l[1] + 0.05) / (l[0] + 0.05)
}

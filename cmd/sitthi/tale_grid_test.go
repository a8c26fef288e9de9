package main

import (
	"encoding/csv"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"sitthi/internal/locale"
)

// at waits until the state of the grid stands in the address: pairs of name and value, "" for one that is not there.
func (w *window) at(pairs ...string) {
	w.u.Helper()
	fits := func() bool {
		here, err := url.Parse(w.Path())
		if err != nil {
			w.u.Fatal(err)
		}
		for i := 0; i < len(pairs); i += 2 {
			if here.Query().Get(pairs[i]) != pairs[i+1] {
				return false
			}
		}
		return true
	}
	w.u.soon(fits, func() string { return fmt.Sprintf("the address is %s, without %q", w.Path(), pairs) })
}

// count is how many rights the grid says that it holds.
func (w *window) count() string { return w.Text("[data-grid-count]") }

func (w *window) counts(n int) {
	w.u.Helper()
	w.SeeText("parts.count", locale.Args{"count": n})
}

// filters unfolds the filters, which a phone keeps folded.
func (w *window) filters() {
	w.u.Helper()
	if w.u.opts.Phone {
		var open bool
		if w.Eval(`document.getElementById("grid-filters").checked`, &open); !open {
			w.Browser.Click(".grid-toggle-label")
		}
	}
}

func (u *tale) filterOf(column string) string {
	return u.texts("parts.filter_by", locale.Args{"column": u.say(column)})
}

// apply is what a reader without scripts presses; with them a filter applies after a pause.
func (w *window) apply() {
	w.u.Helper()
	if w.u.opts.NoJS {
		w.In(".grid-bar").Press("ค้นหา")
	}
}

// numbers are ลำดับ of the rows.
func (w *window) numbers() []string {
	w.u.Helper()
	return w.list(".grid-table tbody td.num")
}

// grid tries what users of the original expect of it.
func (u *tale) grid(c *window) {
	c.Go("/ko1/rights/consider")
	all := c.count()
	c.wantOptions(u.filterOf("กอง/จังหวัด"), "(ทั้งหมด)", "นนทบุรี")
	c.wantOptions(u.filterOf("กลุ่ม"), "(ทั้งหมด)", "ไม่มีกลุ่ม")

	// The filter row. A name in the column of the citizen ID finds the person.
	c.filters()
	c.Fill(u.filterOf("เลขบัตรประชาชน"), officer1.family)
	c.apply()
	c.at("citizen", officer1.family)
	c.counts(1)
	c.oneRow(dashed(officer1.citizen))
	c.look("filter")
	c.Fill(u.filterOf("เลขบัตรประชาชน"), officer1.citizen[5:10])
	c.apply()
	c.at("citizen", officer1.citizen[5:10])
	c.oneRow(dashed(officer1.citizen))
	// A whole citizen ID never stands in an address.
	c.Fill(u.filterOf("เลขบัตรประชาชน"), officer1.citizen)
	c.apply()
	u.soon(func() bool { return strings.Contains(c.Path(), "person=") }, func() string { return "the address is " + c.Path() })
	if strings.Contains(c.Path(), officer1.citizen) {
		u.Errorf("the citizen ID stands in %s", c.Path())
	}
	c.counts(1)

	// A list, and Back from it.
	c.Go("/ko1/rights/consider")
	c.filters()
	c.Select(u.filterOf("สถานะ"), u.texts("rights.state_all", nil))
	c.apply()
	c.at("state", "all")
	if !u.opts.NoJS {
		c.Back()
		c.at("state", "")
		u.soon(func() bool { return c.count() == all }, func() string { return c.count() + " after Back, before " + all })
	}

	// Search over all columns, with marks; nothing found says what to do.
	c.Go("/ko1/rights/consider")
	c.Fill(u.texts("rights.search", nil), officer1.family)
	c.apply()
	c.at("q", officer1.family)
	c.counts(1)
	if marks := c.list("mark"); len(marks) == 0 || marks[0] != officer1.family {
		u.Errorf("marked: %q", marks)
	}
	c.picture("search")
	c.Fill(u.texts("rights.search", nil), "ไม่มีใครชื่อนี้")
	c.apply()
	c.Browser.See(u.texts("parts.no_match", nil), u.texts("parts.no_match_hint", nil))
	c.look("no-match")
	c.Browser.Click(u.texts("parts.clear_all", nil))
	c.at("q", "")

	// Sort, up and down.
	c.filters()
	c.In(".grid-heads").Click("ลำดับ")
	c.at("sort", "number")
	up := c.numbers()
	c.In(".grid-heads").Click("ลำดับ")
	c.at("sort", "-number")
	var sorted string
	c.Eval(`document.querySelector("th[aria-sort=descending]")?.innerText.trim() ?? ""`, &sorted)
	if down := c.numbers(); sorted != u.say("ลำดับ") || slices.Equal(up, down) || len(up) != len(down) {
		u.Errorf("sorted by %q: up %q, down %q", sorted, up, down)
	}

	// Pages, and the state in the address: Back, reload, another window.
	c.Select(u.texts("parts.page_size", nil), "20")
	c.apply()
	c.at("size", "20", "sort", "-number")
	u.soon(func() bool { return len(c.numbers()) == 20 }, func() string { return fmt.Sprint(len(c.numbers()), " rows on a page of 20") })
	first := c.numbers()
	c.Browser.Click(u.texts("parts.next", nil))
	c.at("page", "2", "size", "20", "sort", "-number")
	u.soon(func() bool { return !slices.Equal(c.numbers(), first) }, func() string { return "the second page is the first" })
	second := c.numbers()
	c.picture("page-2")
	c.Reload()
	if got := c.numbers(); !slices.Equal(got, second) {
		u.Errorf("after a reload %q, before %q", got, second)
	}
	c.Back()
	c.at("page", "", "size", "20")
	u.soon(func() bool { return slices.Equal(c.numbers(), first) }, func() string { return "Back does not show the first page" })
	c.Go("/ko1/rights/consider?page=2&size=20&sort=-number")
	if got := c.numbers(); !slices.Equal(got, second) {
		u.Errorf("another window shows %q, this one %q", got, second)
	}

	// All filtered rows go into the export, on whatever page one stands.
	c.Go("/ko1/rights/consider?size=20&state=all")
	c.In(".grid-bar").Browser.Click(u.texts("parts.export", nil))
	c.look("export")
	table := c.download("CSV (.csv)", "text/csv")
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil {
		u.Fatalf("the CSV file begins %.100q: %v", table, err)
	}
	c.counts(len(rows) - 1)
	if !slices.ContainsFunc(rows, func(row []string) bool {
		return slices.Contains(row, officer1.citizen) && slices.Contains(row, officer1.name())
	}) {
		u.Error("the CSV file lacks the officer")
	}
	if book := c.download("Excel (.xlsx)", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"); !strings.HasPrefix(book, "PK") {
		u.Errorf("the Excel file begins %.20q", book)
	}
}

// wantOptions compares what a list offers with Thai words.
func (w *window) wantOptions(label string, words ...string) {
	w.u.Helper()
	var got []string
	w.Eval(fmt.Sprintf(`[...[...document.querySelectorAll("label")].find(l => l.textContent.trim() === %q).control.options].map(o => o.label)`, label), &got)
	for i := range words {
		words[i] = w.u.say(words[i])
	}
	if !slices.Equal(got, words) {
		w.u.Errorf("%s offers %q, want %q", label, got, words)
	}
}

// download fetches the file behind a link as the browser does on a click, which headless Chromium denies.
func (w *window) download(link, kind string) string {
	w.u.Helper()
	var file struct {
		Status      int
		Kind, Saved string
		Text        string
	}
	w.Eval(fmt.Sprintf(`(() => {
		const ask = new XMLHttpRequest();
		ask.open("GET", [...document.querySelectorAll("a[download]")].find(a => a.innerText.trim() === %q).href, false);
		ask.overrideMimeType("text/plain; charset=windows-874"); // a byte order mark goes before it
		ask.send();
		return {Status: ask.status, Kind: ask.getResponseHeader("Content-Type"), Saved: ask.getResponseHeader("Content-Disposition"),
			Text: ask.responseText};
	})()`, link), &file)
	if file.Status != 200 || !strings.HasPrefix(file.Kind, kind) || !strings.HasPrefix(file.Saved, "attachment") {
		w.u.Errorf("%s: %d, %s, %s", link, file.Status, file.Kind, file.Saved)
	}
	return file.Text
}

// language switches to the other language and back; the choice is remembered.
func (u *tale) language(c *window) {
	words := map[locale.Lang]struct{ button, rights, home, back string }{
		locale.TH: {"English", "Rights", "Permit systems of the Department of Industrial Works", "ไทย"},
		locale.EN: {"ไทย", "กำหนดสิทธิ์การใช้งาน", "ระบบการอนุญาตของกรมโรงงานอุตสาหกรรม", "English"},
	}[u.lang]
	c.Go("/ko1/rights/consider?size=20")
	c.switchTo(words.button)
	c.Browser.See(words.rights)
	if got := c.heading(); got != words.rights || c.Path() != "/ko1/rights/consider?size=20" {
		u.Errorf("%q at %s", got, c.Path())
	}
	c.Go("/")
	if got := c.heading(); got != words.home {
		u.Errorf("the choice of language is forgotten: %q", got)
	}
	c.switchTo(words.back)
	c.Title("ระบบการอนุญาตของกรมโรงงานอุตสาหกรรม")
}

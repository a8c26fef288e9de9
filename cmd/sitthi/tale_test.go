package main

import (
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sitthi/internal/browsertest"
	"sitthi/internal/locale"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/signin"
	"sitthi/web"
)

// TestManual follows the manual (การกำหนดสิทธิ์การใช้งานระบบอนุญาตกากอุตสาหกรรม) in a browser, chapter by chapter and
// in its own words: sections 1 and 2, การเข้าใช้งานระบบ, and section 4. Every reader has a demonstration of his own.
//
// With SITTHI_SCREENSHOTS the pictures of the pages are left for the user manual.
func TestManual(t *testing.T) {
	for _, engine := range []struct {
		name    string
		readers []reader
	}{
		{"sqlite", []reader{
			{name: "th", full: true},
			{name: "th-nojs", opts: browsertest.Options{NoJS: true}, full: true},
			{name: "th-phone", opts: browsertest.Options{Phone: true}, full: true},
			{name: "en", lang: locale.EN, full: true},
		}},
		{"postgres", []reader{
			{name: "th"},
			{name: "th-nojs", opts: browsertest.Options{NoJS: true}},
		}},
	} {
		t.Run(engine.name, func(t *testing.T) {
			for _, r := range engine.readers {
				t.Run(r.name, func(t *testing.T) {
					t.Parallel()
					database := "sqlite:" + filepath.Join(t.TempDir(), "sitthi.db")
					if engine.name == "postgres" {
						database = storetest.Postgres(t)
					}
					newTale(t, r, database).tell()
				})
			}
		})
	}
}

// reader is the kind of person who follows the manual.
type reader struct {
	name string
	opts browsertest.Options
	lang locale.Lang // Thai when empty
	full bool        // looks closely at every page: axe-core, width, picture
}

// tale is one reading of the manual.
type tale struct {
	*testing.T
	reader
	service *service
	words   map[string]map[string]string // what Thai words are in the reader's language, by key
	area    string                       // of the pages at hand: the first part of their keys
	texts   func(key string, args locale.Args) string
	outbox  *window
	looked  int
}

func newTale(t *testing.T, r reader, database string, args ...string) *tale {
	t.Helper()
	if r.lang == "" {
		r.lang = locale.TH
	}
	r.opts.Lang = string(r.lang)
	u := &tale{T: t, reader: r}
	u.service = serveWith(t, append(args, "--demo", "--database", database, "--keys", filepath.Join(t.TempDir(), "keys.json"))...)
	catalog, err := web.Texts()
	if err != nil {
		t.Fatal(err)
	}
	u.texts = func(key string, args locale.Args) string { return catalog.Text(r.lang, key, args) }
	u.words = map[string]map[string]string{}
	learn := func(key, thai, own string) {
		if u.words[thai] == nil {
			u.words[thai] = map[string]string{}
		}
		u.words[thai][key] = own
	}
	for _, key := range catalog.Keys() {
		learn(key, catalog.Text(locale.TH, key, nil), catalog.Text(r.lang, key, nil))
	}
	for _, name := range slices.Concat(agencyWords, systems) {
		learn("data", name.TH, name.In(r.lang))
	}
	u.outbox = u.open()
	return u
}

// agencyWords are the words of the reference data that the tale needs.
var agencyWords = []locale.Name{
	{TH: "ระบบงานอนุญาต", EN: "Permit systems"}, {TH: "หน้าหลัก", EN: "Home"}, {TH: "ระบบการรายงาน", EN: "Reporting systems"},
	{TH: "ระบบสำรวจตรวจสอบ", EN: "Survey and inspection systems"}, {TH: "ระบบงานอื่น ๆ", EN: "Other systems"},
	{TH: "นนทบุรี", EN: "Nonthaburi"}, {TH: "ปทุมธานี", EN: "Pathum Thani"}, {TH: "แม่ฮ่องสอน", EN: "Mae Hong Son"},
	{TH: "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี", EN: "Nonthaburi Provincial Industry Office"},
	{TH: "สำนักงานอุตสาหกรรมจังหวัดแม่ฮ่องสอน", EN: "Mae Hong Son Provincial Industry Office"},
	{TH: "พิจารณา", EN: "consider"}, {TH: "อนุมัติ", EN: "approve"},
}

// systems are the eight systems of the manual's menu, in its order.
var systems = func() []locale.Name {
	text, err := os.ReadFile("../../portal/systems.csv")
	if err != nil {
		panic(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		panic(err)
	}
	var names []locale.Name
	for _, row := range rows[1:] {
		names = append(names, locale.Name{TH: row[3], EN: row[4]})
	}
	return names
}()

// candidates are what words may be in the reader's language, in the area at hand or else anywhere. What is no text of
// the pages, such as a person's name or a selector, stays.
func (u *tale) candidates(words string) []string {
	if len(u.words[words]) == 0 {
		return []string{words}
	}
	all, here := map[string]bool{}, map[string]bool{}
	for key, text := range u.words[words] {
		all[text] = true
		if strings.HasPrefix(key, u.area+".") {
			here[text] = true
		}
	}
	if len(here) > 0 {
		all = here
	}
	return slices.Sorted(maps.Keys(all))
}

// say answers Thai words in the reader's language.
func (u *tale) say(words string) string {
	u.Helper()
	own := u.candidates(words)
	if len(own) != 1 {
		u.Fatalf("%q is %v in %s on pages of %s", words, u.words[words], u.lang, u.area)
	}
	return own[0]
}

// in makes an area that at hand, until what it answers is called.
func (u *tale) in(area string) (out func()) {
	before := u.area
	u.area = area
	return func() { u.area = before }
}

// tell goes through the whole tale.
func (u *tale) tell() {
	u.chapter1()
	u.chapter2()
	u.chapter3()
	u.chapter4()
	u.Logf("%d pages looked at", u.looked)
}

// window is a browser whose words are Thai, whatever language its pages are in.
type window struct {
	*browsertest.Browser
	u *tale
}

func (u *tale) open() *window {
	u.Helper()
	w := &window{browsertest.Open(u.T, u.service.address, u.opts), u}
	if u.lang == locale.EN { // the pages are Thai until English is chosen
		w.Go("/ko1")
		w.switchTo("English")
	}
	return w
}

// switchTo presses the switch of languages.
func (w *window) switchTo(language string) {
	w.u.Helper()
	if w.u.opts.Phone && language == "English" {
		language = "EN"
	}
	w.In(".site-head").Browser.Press(language)
}

func (w *window) In(where string) *window  { return &window{w.Browser.In(w.u.say(where)), w.u} }
func (w *window) Click(what string)        { w.u.Helper(); w.Browser.Click(w.u.say(what)) }
func (w *window) Press(what string)        { w.u.Helper(); w.Browser.Press(w.u.say(what)) }
func (w *window) DoubleClick(what string)  { w.u.Helper(); w.Browser.DoubleClick(w.u.say(what)) }
func (w *window) Fill(label, value string) { w.u.Helper(); w.Browser.Fill(w.u.say(label), value) }
func (w *window) Select(label, option string) {
	w.u.Helper()
	w.Browser.Select(w.u.say(label), w.u.say(option))
}
func (w *window) Check(label string)                { w.u.Helper(); w.Browser.Check(w.u.say(label)) }
func (w *window) Value(label string) string         { w.u.Helper(); return w.Browser.Value(w.u.say(label)) }
func (w *window) SeeText(key string, a locale.Args) { w.u.Helper(); w.Browser.See(w.u.texts(key, a)) }

func (w *window) See(texts ...string) {
	w.u.Helper()
	for _, text := range texts {
		w.Browser.See(w.u.say(text))
	}
}

func (w *window) NotSee(texts ...string) {
	w.u.Helper()
	for _, text := range texts {
		w.Browser.NotSee(w.u.say(text))
	}
}

// Title waits for the page, or the dialog over it, with this heading.
func (w *window) Title(words string) {
	w.u.Helper()
	want := w.u.candidates(words)
	w.u.soon(func() bool { return slices.Contains(want, w.heading()) }, func() string {
		return fmt.Sprintf("%s is headed %q, not %q:\n%s", w.Path(), w.heading(), want, w.Text("main"))
	})
}

// soon waits until something is so, and else fails with what is wrong.
func (u *tale) soon(so func() bool, wrong func() string) {
	u.Helper()
	for end := time.Now().Add(10 * time.Second); !so(); time.Sleep(30 * time.Millisecond) {
		if time.Now().After(end) {
			u.Fatal(wrong())
		}
	}
}

func (w *window) heading() string {
	w.u.Helper()
	return w.Text("dialog[open] h2, body:not(:has(dialog[open])) h1")
}

// look looks closely at the page as it stands.
func (w *window) look(name string) {
	w.u.Helper()
	w.picture(name)
	if w.u.full {
		w.Axe()
	}
}

// picture leaves a picture of a page that was looked at before, with other rows.
func (w *window) picture(name string) {
	w.u.Helper()
	w.u.looked++
	w.NoHorizontalScroll()
	var over []string
	w.Eval(`[...document.querySelectorAll("table")].map(t => [t, t.getBoundingClientRect().right - t.parentElement.getBoundingClientRect().right])
		.filter(([t, by]) => by > 1).map(([t, by]) => t.caption?.innerText + " by " + by)`, &over)
	if len(over) > 0 {
		w.u.Errorf("%s: %s: a table is wider than its sheet: %q", w.Path(), name, over)
	}
	if w.u.full {
		w.Screenshot(fmt.Sprintf("manual-%s-%02d-%s", w.u.name, w.u.looked, name))
	}
}

// list answers the visible texts of all that a selector finds.
func (w *window) list(selector string) (texts []string) {
	w.u.Helper()
	w.Eval(fmt.Sprintf(`[...scope.querySelectorAll(%q)].filter(e => e.checkVisibility()).map(e => e.innerText.replace(/\s+/g, " ").trim())`, selector), &texts)
	return texts
}

// wantList compares visible texts with Thai words.
func (w *window) wantList(selector string, words ...string) {
	w.u.Helper()
	want := make([]string, len(words))
	for i, word := range words {
		star := strings.HasSuffix(word, "*")
		if want[i] = w.u.say(strings.TrimSuffix(word, "*")); star {
			want[i] += "*"
		}
	}
	if got := w.list(selector); !slices.Equal(got, want) {
		w.u.Errorf("%s: %s reads\n%q, want\n%q", w.Path(), selector, got, want)
	}
}

// begins answers the words with which a text begins, up to its first argument.
func (u *tale) begins(key string) string {
	text, _, _ := strings.Cut(u.texts(key, nil), "⟦")
	return strings.TrimSpace(text)
}

// rowOf is the row of the grid in which words stand.
func (w *window) rowOf(words string) *window {
	return &window{w.Browser.In(".grid-table tbody").In(words), w.u}
}

// signIn signs in on the page that asks for it, with the second factor of the demonstration's people who need one.
func (w *window) signIn(citizen, password string) {
	w.u.Helper()
	defer w.u.in("officer")()
	w.Title("เข้าสู่ระบบ")
	w.Fill("เลขประจำตัวประชาชน", citizen)
	w.Fill("รหัสผ่าน", password)
	w.In("#main").Press("เข้าสู่ระบบ")
	if !slices.ContainsFunc(demoAccounts, func(a demoAccount) bool { return a.citizen == citizen && a.key() != "" }) {
		return
	}
	w.SeeText("security.code", nil)
	for _, code := range demoCodes(w.u.T, time.Now()) { // one that was used before is refused
		w.Browser.Fill("[name=code]", code)
		w.In("#main").Browser.Press(w.u.texts("security.go_on", nil))
		if !strings.HasPrefix(w.Path(), "/officer/login/") {
			return
		}
	}
}

// enrol leads through the setting up of the second factor, which is asked of who has come to a duty.
func (w *window) enrol() {
	w.u.Helper()
	w.SeeText("security.first_why", nil)
	w.Browser.Press(w.u.texts("security.app_begin", nil))
	w.SeeText("security.app_step2", nil)
	w.Browser.Click(w.u.texts("security.app_no_camera", nil))
	code, err := signin.AppCode(appKey(w.Text("#app-key")), time.Now())
	if err != nil {
		w.u.Fatal(err)
	}
	w.Browser.Fill("[name=code]", code)
	w.Browser.Press(w.u.texts("security.app_confirm", nil))
	w.SeeText("security.codes_keep", nil)
	w.Browser.Click(w.u.texts("security.codes_kept", nil))
}

// as is a window in which somebody has signed in.
func (u *tale) as(citizen, password string) *window {
	u.Helper()
	w := u.open()
	w.Go("/officer/login")
	w.signIn(citizen, password)
	w.Title("สิทธิ์ของฉัน")
	return w
}

// signOut uses the menu of the person, the manual's Logout.
func (w *window) signOut() {
	w.u.Helper()
	defer w.u.in("layout")()
	w.In(".site-head").Browser.Click(w.Text(".menu .tool"))
	w.In(".site-head").Press("ออกจากระบบ")
	w.Browser.See(w.u.texts("officer.signed_out", nil))
}

// message waits for a message to somebody that says all the words, and answers the newest.
func (u *tale) message(to string, words ...string) string {
	u.Helper()
	var all []string
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		u.outbox.Go("/demo/outbox")
		all = u.outbox.list("main .card")
		for _, m := range all {
			if strings.Contains(m, to) && !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(m, word) }) {
				return m
			}
		}
		if time.Now().After(end) {
			u.Fatalf("no message to %s with %q in:\n%s", to, words, strings.Join(all, "\n"))
		}
	}
}

var code = regexp.MustCompile(`\b[0-9]{6}\b`)

// citizen makes a citizen ID that nobody in the demonstration has.
func citizen(serial int) string {
	id, err := strconv.ParseInt(fmt.Sprintf("1990099%05d0", serial), 10, 64)
	if err != nil {
		panic(err)
	}
	for ; ; id++ {
		if s := strconv.FormatInt(id, 10); thai.ValidCheckDigit(s) {
			return s
		}
	}
}

func dashed(id string) string {
	return id[:1] + "-" + id[1:5] + "-" + id[5:10] + "-" + id[10:12] + "-" + id[12:]
}

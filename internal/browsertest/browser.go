package browsertest

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const (
	// patience is how long a helper waits for the page to show what it wants,
	// and for Chromium to answer.
	patience = 5 * time.Second
	// loadLimit is how long a page may take to load; race builds are slow.
	loadLimit = 30 * time.Second
	// pollEvery is the pause between two looks at the page.
	pollEvery = 40 * time.Millisecond
)

// Options say what kind of reader looks at the pages.
type Options struct {
	// NoJS switches the pages' own scripts off.
	NoJS bool
	// Lang is sent as Accept-Language; "th" when empty.
	Lang string
	// Width and Height are the window in CSS pixels; 1366×768 when zero.
	Width, Height int
	// Phone is a touch screen of 390×844 with two device pixels per CSS pixel.
	Phone bool
	// Dark asks the pages for their dark scheme.
	Dark bool
}

// Browser is one reader's window. Its methods name things by the words on the
// page, wait some seconds for them to appear and fail the test when they do
// not, with what the page said instead.
//
// A name with exactly the given words is preferred to one that contains them;
// stars and colons of labels do not count. Words that fit several things are a
// failure: choose longer words or narrow the view by In.
type Browser struct {
	t     testing.TB
	ctx   context.Context
	base  string
	opts  Options
	seen  *events
	scope []string
	waits time.Duration // patience, but in the tests of failures
}

// Open gives a window on the server at baseURL, with cookies of its own.
//
// When the test ends, the window is closed, and everything wrong that the pages
// reported fails the test: uncaught exceptions, console errors, violations of
// the Content-Security-Policy, parts of the page that did not load, native
// dialogs. Without Chromium the test is skipped, or fails where CI is set.
func Open(t testing.TB, baseURL string, opts Options) *Browser {
	t.Helper()
	parent := start(t)

	if opts.Lang == "" {
		opts.Lang = "th"
	}
	if opts.Phone {
		opts.Width, opts.Height = 390, 844
	}
	if opts.Width == 0 {
		opts.Width, opts.Height = 1366, 768
	}
	b := &Browser{t: t, base: strings.TrimSuffix(baseURL, "/"), opts: opts, seen: &events{}, waits: patience}

	var cancel context.CancelFunc
	b.ctx, cancel = chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	t.Cleanup(func() {
		cancel()
		for _, fault := range b.seen.faults() {
			t.Error("browser: " + fault)
		}
	})
	if err := b.prepare(); err != nil {
		t.Fatalf("browser: open window: %v", err)
	}
	return b
}

// prepare opens the window and makes it the one that opts describe.
func (b *Browser) prepare() error {
	// Not under a limit: the first call binds the window's life to its context.
	if err := chromedp.Do(b.ctx); err != nil {
		return err
	}
	b.seen.window = b.ctx
	if err := chromedp.Listen(b.ctx, b.seen.note); err != nil {
		return err
	}
	scheme := "light"
	if b.opts.Dark {
		scheme = "dark"
	}
	viewport := []chromedp.EmulateViewportOption{chromedp.EmulateScale(1)}
	if b.opts.Phone {
		viewport = []chromedp.EmulateViewportOption{chromedp.EmulateScale(2), chromedp.EmulatePortrait, chromedp.EmulateMobile, chromedp.EmulateTouch}
	}
	return b.do(loadLimit,
		chromedp.EmulateViewport(int64(b.opts.Width), int64(b.opts.Height), viewport...),
		func(ctx context.Context, tab *chromedp.Target) (none chromedp.Void, err error) {
			version, err := chromedp.CallBrowser(ctx, browser.GetVersion, cdp.Empty{})
			if err != nil {
				return none, err
			}
			return none, errors.Join(
				call(ctx, tab, audits.Enable, cdp.Empty{}),
				call(ctx, tab, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
					UserAgent: version.UserAgent, AcceptLanguage: b.opts.Lang,
				}),
				// The readers are in Thailand, wherever the test runs.
				call(ctx, tab, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Bangkok"}),
				call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
					{Name: "prefers-color-scheme", Value: scheme},
					// Nothing moves while it is looked for.
					{Name: "prefers-reduced-motion", Value: "reduce"},
				}}),
				call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: b.opts.NoJS}),
			)
		})
}

// In narrows the view to one part of the page, for what is said through the
// Browser it returns: the part that the CSS selector finds, when where starts
// with # . or [, else the smallest row, list item, group, section, form or
// dialog that contains the words.
func (b *Browser) In(where string) *Browser {
	narrow := *b
	narrow.scope = append(slices.Clone(b.scope), where)
	return &narrow
}

// Go opens a path of the server and waits until the page has loaded.
func (b *Browser) Go(path string) {
	b.t.Helper()
	err := b.do(loadLimit, chromedp.Navigate(b.base+path))
	if err != nil {
		b.fail("Go(%q): %v", path, err)
	}
}

// Reload loads the page again, as the reader's reload button does.
func (b *Browser) Reload() {
	b.t.Helper()
	if err := b.do(loadLimit, chromedp.Reload()); err != nil {
		b.fail("Reload(): %v", err)
	}
}

// Back goes one page back, as the reader's Back button does. Chromium may bring
// the page back as it was left, without asking the server.
func (b *Browser) Back() {
	b.t.Helper()
	// Not chromedp's own: it waits for a load, which such a page does not have.
	var history page.GetNavigationHistoryResult
	err := b.until(func() (err error) { // a page that has just begun is not there to be asked, on a busy machine
		history, err = run(b, patience, chromedp.NavigationEntries())
		return err
	})
	if err == nil && history.CurrentIndex == 0 {
		err = errors.New("this is the first page")
	}
	if err == nil {
		err = b.do(patience, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
			back := page.NavigateToHistoryEntryParams{EntryID: history.Entries[history.CurrentIndex-1].ID}
			return chromedp.Void{}, call(ctx, tab, page.NavigateToHistoryEntry, back)
		})
	}
	if err == nil {
		err = b.until(func() error {
			now, err := run(b, patience, chromedp.NavigationEntries())
			if err == nil && now.CurrentIndex == history.CurrentIndex {
				err = errors.New("the page stays")
			}
			return err
		})
	}
	if err == nil {
		err = b.settle()
	}
	if err != nil {
		b.fail("Back(): %v", err)
	}
}

// Path returns the path and query of the page's address.
func (b *Browser) Path() string {
	b.t.Helper()
	url, err := run(b, patience, chromedp.Location())
	if err != nil {
		b.fail("Path(): %v", err)
	}
	return strings.TrimPrefix(url, b.base)
}

// See waits until the visible text of the page contains each of the texts.
// White space counts as one space.
func (b *Browser) See(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if err := b.until(func() error {
			said, err := b.text()
			if err == nil && !strings.Contains(said, fold(text)) {
				err = errors.New("not on the page")
			}
			return err
		}); err != nil {
			b.fail("See(%q): %v", text, err)
		}
	}
}

// NotSee waits until the visible text of the page contains none of the texts.
func (b *Browser) NotSee(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if err := b.until(func() error {
			said, err := b.text()
			if err == nil && strings.Contains(said, fold(text)) {
				err = errors.New("still on the page")
			}
			return err
		}); err != nil {
			b.fail("NotSee(%q): %v", text, err)
		}
	}
}

// Text waits for a visible element that the CSS selector finds and returns its
// text, white space folded. Of several, the first.
func (b *Browser) Text(selector string) string {
	b.t.Helper()
	var text string
	if err := b.until(func() error {
		found, err := eval[*string](b, `(scope, selector) => {
			const el = [...scope.querySelectorAll(selector)].find(el => el.checkVisibility());
			return el ? el.innerText : null;
		}`, selector)
		if err == nil && found == nil {
			err = errors.New("nothing visible fits")
		}
		if err == nil {
			text = fold(*found)
		}
		return err
	}); err != nil {
		b.fail("Text(%q): %v", selector, err)
	}
	return text
}

// Eval runs a JavaScript expression in the page and decodes its value into
// into, which may be nil. It is for what no reader sees: styles, storage.
func (b *Browser) Eval(expression string, into any) {
	b.t.Helper()
	raw, err := eval[json.RawMessage](b, "() => { return "+expression+" }")
	if err == nil && into != nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		b.fail("Eval(%q): %v", expression, err)
	}
}

// Screenshot saves a picture of the whole page as name.png into the folder
// that SITTHI_SCREENSHOTS names; without the variable it does nothing.
func (b *Browser) Screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv("SITTHI_SCREENSHOTS")
	if dir == "" {
		return
	}
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = b.picture(filepath.Join(dir, name+".png"))
	}
	if err != nil {
		b.fail("Screenshot(%q): %v", name, err)
	}
}

// NoHorizontalScroll fails when the page is wider than the window.
func (b *Browser) NoHorizontalScroll() {
	b.t.Helper()
	type result struct {
		Width int
		Wide  []string
	}
	// A phone lets a page that is too wide widen its viewport, so the width is
	// held against the window that was asked for.
	got, err := eval[result](b, `(scope, window) => {
		const scrolls = el => el && (/auto|scroll|hidden|clip/.test(getComputedStyle(el).overflowX) || scrolls(el.parentElement));
		const wide = [...document.body.querySelectorAll("*")].filter(el =>
			el.getBoundingClientRect().right > window + 1 && !scrolls(el.parentElement));
		return {
			Width: document.scrollingElement.scrollWidth,
			Wide: wide.slice(0, 5).map(el => el.cloneNode(false).outerHTML.slice(0, 200)),
		};
	}`, b.opts.Width)
	if err == nil && got.Width > b.opts.Width {
		err = fmt.Errorf("page is %d wide in a window of %d:\n%s", got.Width, b.opts.Width, strings.Join(got.Wide, "\n"))
	}
	if err != nil {
		b.fail("NoHorizontalScroll(): %v", err)
	}
}

// until calls try until it returns nil, and returns its last error once
// patience is at an end.
func (b *Browser) until(try func() error) error {
	for end := time.Now().Add(b.waits); ; time.Sleep(pollEvery) {
		err := try()
		if err == nil || time.Now().After(end) || b.ctx.Err() != nil {
			return err
		}
	}
}

// text returns the visible text of the view, white space folded.
func (b *Browser) text() (string, error) {
	text, err := eval[string](b, `scope => scope.innerText`)
	return fold(text), err
}

// picture writes a PNG of the whole page.
func (b *Browser) picture(path string) error {
	png, err := run(b, loadLimit, chromedp.FullScreenshot(100))
	if err != nil {
		return err
	}
	return os.WriteFile(path, png, 0o644)
}

// fail ends the test with the message, what the page says, and a picture of it.
func (b *Browser) fail(format string, args ...any) {
	b.t.Helper()
	var s strings.Builder
	fmt.Fprintf(&s, "browser: "+format, args...)
	if url, err := run(b, patience, chromedp.Location()); err == nil {
		fmt.Fprintf(&s, "\naddress: %s", url)
	}
	whole := *b
	whole.scope = nil
	if text, err := eval[string](&whole, `scope => document.title + "\n" + scope.innerText`); err == nil {
		fmt.Fprintf(&s, "\npage: %.4000s", text)
	}
	if keep := flag.Lookup("test.artifacts"); keep != nil && keep.Value.String() == "true" {
		path := filepath.Join(b.t.ArtifactDir(), "failure.png")
		if err := b.picture(path); err != nil {
			path = err.Error()
		}
		fmt.Fprintf(&s, "\npicture: %s", path)
	} else {
		s.WriteString("\npicture: run with -artifacts to keep one")
	}
	b.t.Fatal(s.String())
}

// do runs actions of the window within a limit.
func (b *Browser) do(limit time.Duration, steps ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	return chromedp.Do(ctx, steps...)
}

// run runs one action of the window within a limit.
func run[T any](b *Browser, limit time.Duration, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	return chromedp.Run(ctx, action)
}

// call sends a protocol command whose answer does not matter.
func call[P, R any](ctx context.Context, tab *chromedp.Target, command cdp.Command[P, R], params P) error {
	_, err := cdp.Call(ctx, tab, command, params)
	return err
}

// findScope resolves a chain of In to an element; null when there is none.
const findScope = `wheres => {
	const fold = s => s.replace(/\s+/g, " ").trim();
	let scope = document.body;
	for (const where of wheres) {
		if (/^[#.[]/.test(where)) {
			scope = [...scope.querySelectorAll(where)].find(el => el.checkVisibility());
		} else {
			scope = [...scope.querySelectorAll("tr, li, fieldset, article, section, form, dialog, details, [role=row], [role=listitem], [role=group], [role=region], [role=dialog]")]
				.filter(el => el.checkVisibility() && fold(el.innerText).includes(fold(where)))
				.sort((a, b) => a.innerText.length - b.innerText.length)[0];
		}
		if (!scope) return null;
	}
	return scope;
}`

// eval calls a JavaScript function with the element of the view and arguments,
// and decodes what it returns. Content-Security-Policy and NoJS, which bind the
// pages' own scripts, do not bind it.
func eval[T any](b *Browser, function string, args ...any) (result T, err error) {
	var s strings.Builder
	scope, err := json.Marshal(append([]string{}, b.scope...))
	if err != nil {
		return result, err
	}
	fmt.Fprintf(&s, "(() => { const scope = (%s)(%s); if (!scope) return {}; return {ok: true, value: (%s)(scope", findScope, scope, function)
	for _, arg := range args {
		text, err := json.Marshal(arg)
		if err != nil {
			return result, err
		}
		fmt.Fprintf(&s, ", %s", text)
	}
	s.WriteString(")}; })()")
	raw, err := run(b, patience, chromedp.Evaluate[[]byte](s.String()))
	if err != nil {
		return result, err
	}
	var answer struct {
		OK    bool            `json:"ok"`
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return result, fmt.Errorf("read answer of the page: %w", err)
	}
	if !answer.OK {
		return result, fmt.Errorf("no such part of the page: %q", b.scope)
	}
	if answer.Value == nil { // JavaScript's undefined
		return result, nil
	}
	return result, json.Unmarshal(answer.Value, &result)
}

// fold makes every run of white space one space, as a reader sees it.
func fold(s string) string { return strings.Join(strings.Fields(s), " ") }

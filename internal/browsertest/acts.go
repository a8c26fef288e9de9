package browsertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Roles as Chromium names them; the capitalised ones are its own.
var (
	buttons   = []string{"button"}
	fields    = []string{"textbox", "searchbox", "combobox", "spinbutton", "slider", "Date", "DateTime", "InputTime", "ColorWell"}
	lists     = []string{"combobox", "listbox"}
	boxes     = []string{"checkbox", "radio", "switch"}
	clickable = slices.Concat(buttons, boxes, []string{"link", "tab", "menuitem", "menuitemcheckbox", "menuitemradio", "option", "DisclosureTriangle", "DisclosureTriangleGrouped"})
)

// Click clicks (or taps, on a phone) a link, a button or anything else that can
// be clicked, by its words, or by a CSS selector that starts with # . or [. It
// fails when something else lies over it. It waits for the page it opens.
func (b *Browser) Click(what string) {
	b.t.Helper()
	if err := b.click(clickable, what, 1); err != nil {
		b.fail("Click(%q): %v", what, err)
	}
}

// DoubleClick clicks twice in a moment, as hasty people do on buttons.
func (b *Browser) DoubleClick(what string) {
	b.t.Helper()
	if err := b.click(clickable, what, 2); err != nil {
		b.fail("DoubleClick(%q): %v", what, err)
	}
}

// Press presses the button with these words. It waits for the page it opens.
func (b *Browser) Press(button string) {
	b.t.Helper()
	if err := b.click(buttons, button, 1); err != nil {
		b.fail("Press(%q): %v", button, err)
	}
}

// Fill puts value into the field with this label in place of what was there,
// as if typed. A date field takes YYYY-MM-DD.
func (b *Browser) Fill(label, value string) {
	b.t.Helper()
	err := b.with(fields, label, func(el element) error {
		byPicker, err := el.ask(`function(value) {
			if (this.disabled || this.readOnly) throw new Error("the field can not be changed");
			this.focus();
			if (/^(date|time|month|week|datetime-local|color|range)$/.test(this.type)) {
				this.value = value;
				this.dispatchEvent(new Event("input", {bubbles: true}));
				this.dispatchEvent(new Event("change", {bubbles: true}));
				return true;
			}
			if (this.select) this.select(); else getSelection().selectAllChildren(this);
			return false;
		}`, value)
		if err != nil || byPicker == "true" {
			return err
		}
		if value == "" {
			return b.do(patience, chromedp.KeyEvent(kb.Backspace))
		}
		return b.do(patience, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
			return chromedp.Void{}, call(ctx, tab, input.InsertText, input.InsertTextParams{Text: value})
		})
	})
	if err != nil {
		b.fail("Fill(%q, %q): %v", label, value, err)
	}
}

// Upload chooses the file at this path in the field with this label.
func (b *Browser) Upload(label, path string) {
	b.t.Helper()
	whole, err := filepath.Abs(path)
	if err == nil {
		err = b.with(buttons, label, func(el element) error {
			return b.do(patience, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
				return chromedp.Void{}, call(ctx, tab, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{whole}, ObjectID: el.id})
			})
		})
	}
	if err != nil {
		b.fail("Upload(%q, %q): %v", label, path, err)
	}
}

// Select chooses the option with these words in the list with this label.
func (b *Browser) Select(label, option string) {
	b.t.Helper()
	err := b.with(lists, label, func(el element) error {
		_, err := el.ask(`function(want) {
			const fold = s => s.replace(/\s+/g, " ").trim();
			if (this.disabled) throw new Error("the list can not be changed");
			const all = [...this.options].filter(o => !o.disabled);
			let fit = all.filter(o => fold(o.label) === want);
			if (!fit.length) fit = all.filter(o => fold(o.label).includes(want));
			if (fit.length !== 1) throw new Error(fit.length + " options fit, of: " + all.map(o => fold(o.label)).join(" | "));
			this.focus();
			fit[0].selected = true;
			this.dispatchEvent(new Event("input", {bubbles: true}));
			this.dispatchEvent(new Event("change", {bubbles: true}));
		}`, fold(option))
		return err
	})
	if err == nil {
		err = b.settle()
	}
	if err != nil {
		b.fail("Select(%q, %q): %v", label, option, err)
	}
}

// Check ticks the box, or chooses the radio button, with this label.
func (b *Browser) Check(label string) {
	b.t.Helper()
	if err := b.tick(label, "true"); err != nil {
		b.fail("Check(%q): %v", label, err)
	}
}

// Uncheck takes the tick from the box with this label.
func (b *Browser) Uncheck(label string) {
	b.t.Helper()
	if err := b.tick(label, "false"); err != nil {
		b.fail("Uncheck(%q): %v", label, err)
	}
}

// Value returns what the field or list with this label holds; for a box "true"
// or "false".
func (b *Browser) Value(label string) string {
	b.t.Helper()
	var value string
	err := b.with(slices.Concat(fields, lists, boxes), label, func(el element) error {
		raw, err := el.ask(`function() {
			return /^(checkbox|radio)$/.test(this.type) ? String(this.checked) : this.value ?? this.innerText;
		}`)
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(raw), &value)
	})
	if err != nil {
		b.fail("Value(%q): %v", label, err)
	}
	return value
}

// Key types keys at whatever has the focus: text, or keys of the package
// github.com/chromedp/chromedp/kb such as kb.Tab. It waits for the page that
// they open.
func (b *Browser) Key(keys string) {
	b.t.Helper()
	err := b.do(patience, chromedp.KeyEvent(keys))
	if err == nil {
		err = b.settle()
	}
	if err != nil {
		b.fail("Key(%q): %v", keys, err)
	}
}

// tick clicks a box until it is in the wanted state.
func (b *Browser) tick(label, want string) error {
	err := b.with(boxes, label, func(el element) error {
		const state = `function() { return this.checked ?? this.ariaChecked === "true" }`
		is, err := el.ask(state)
		if err != nil || is == want {
			return err
		}
		if err := b.point(el, 1); err != nil {
			return err
		}
		if is, err = el.ask(state); err == nil && is != want {
			err = fmt.Errorf("a click does not make it %s", want)
		}
		return err
	})
	if err != nil {
		return err
	}
	return b.settle()
}

// click finds something by role and words and clicks it.
func (b *Browser) click(roles []string, what string, times int) error {
	if err := b.with(roles, what, func(el element) error { return b.point(el, times) }); err != nil {
		return err
	}
	return b.settle()
}

// point moves the mouse, or a finger, onto an element and clicks.
func (b *Browser) point(el element, times int) error {
	raw, err := el.ask(`function() {
		if (this.disabled) throw new Error("it is disabled");
		this.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
		const box = [...this.getClientRects()].find(r => r.width && r.height);
		if (!box) throw new Error("it has no place on the page");
		const x = box.x + box.width / 2, y = box.y + box.height / 2;
		const hit = document.elementFromPoint(x, y);
		// A label may lie over the control that it names.
		if (!hit || !(this.contains(hit) || hit.closest("label")?.control === this))
			throw new Error("it is covered by " + (hit ? hit.cloneNode(false).outerHTML : "nothing of the page"));
		return [x, y];
	}`)
	if err != nil {
		return err
	}
	var at [2]float64
	if err := json.Unmarshal([]byte(raw), &at); err != nil {
		return err
	}
	for n := range times {
		act := chromedp.MouseClickXY(at[0], at[1], chromedp.ClickCount(n+1))
		if b.opts.Phone {
			act = chromedp.TapXY(at[0], at[1])
		}
		limit := loadLimit
		if n > 0 {
			limit = patience
		}
		err := b.do(limit, act)
		if n > 0 && errors.Is(err, context.DeadlineExceeded) && b.ctx.Err() == nil {
			return nil // the first click has led away from the page, and nobody there answers for the second
		}
		if err != nil {
			return final{err}
		}
	}
	return nil
}

// element is one element of the page.
type element struct {
	b  *Browser
	id runtime.RemoteObjectID
}

// ask calls a JavaScript function on the element and returns its value as JSON.
func (el element) ask(function string, args ...string) (string, error) {
	params := runtime.CallFunctionOnParams{
		FunctionDeclaration: function, ObjectID: el.id,
		ReturnByValue: new(true), UserGesture: new(true),
	}
	for _, arg := range args {
		text, err := json.Marshal(arg)
		if err != nil {
			return "", err
		}
		params.Arguments = append(params.Arguments, &runtime.CallArgument{Value: text})
	}
	answer, err := run(el.b, patience, func(ctx context.Context, tab *chromedp.Target) (runtime.CallFunctionOnResult, error) {
		return cdp.Call(ctx, tab, runtime.CallFunctionOn, params)
	})
	if err != nil {
		return "", err
	}
	if wrong := answer.ExceptionDetails; wrong != nil {
		message, _, _ := strings.Cut(wrong.Exception.Description, "\n")
		return "", errors.New(strings.TrimPrefix(message, "Error: "))
	}
	return string(answer.Result.Value), nil
}

// final is an error after which an act must not be tried again.
type final struct{ error }

// with looks for the one element of these roles with these words until act has
// succeeded on it.
func (b *Browser) with(roles []string, what string, act func(element) error) error {
	var stop error
	err := b.until(func() error {
		id, err := b.find(roles, what)
		if err != nil {
			return err
		}
		err = act(element{b, id})
		if errors.As(err, new(final)) {
			stop = err
			return nil
		}
		return err
	})
	return errors.Join(err, stop)
}

// find returns the one element of these roles with these words, by the names
// that Chromium computes for people who hear the page.
func (b *Browser) find(roles []string, what string) (id runtime.RemoteObjectID, err error) {
	scope, err := json.Marshal(append([]string{}, b.scope...))
	if err != nil {
		return "", err
	}
	root := fmt.Sprintf("(%s)(%s)", findScope, scope)
	bySelector := strings.IndexAny(what, "#.[") == 0
	if bySelector {
		root = fmt.Sprintf("[...%s?.querySelectorAll(%q) ?? []].find(el => el.checkVisibility())", root, what)
	}
	return run(b, patience, func(ctx context.Context, tab *chromedp.Target) (id runtime.RemoteObjectID, err error) {
		top, err := cdp.Call(ctx, tab, runtime.Evaluate, runtime.EvaluateParams{Expression: root})
		if err != nil {
			return "", err
		}
		switch {
		case top.Result.ObjectID == "":
			return "", errors.New("not on the page")
		case bySelector:
			return top.Result.ObjectID, nil
		}
		tree, err := cdp.Call(ctx, tab, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: top.Result.ObjectID})
		if err != nil {
			return "", err
		}
		node, err := choose(tree.Nodes, roles, what)
		if err != nil {
			return "", err
		}
		resolved, err := cdp.Call(ctx, tab, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: node.BackendDOMNodeID})
		if err != nil {
			return "", err
		}
		return resolved.Object.ObjectID, nil
	})
}

// choose picks the one node of these roles whose name is, or else contains,
// the words.
func choose(nodes []*accessibility.Node, roles []string, what string) (*accessibility.Node, error) {
	var is, contains []*accessibility.Node
	var names []string
	want := label(what)
	for _, node := range nodes {
		if node.Ignored || node.Role == nil || node.Name == nil || !slices.Contains(roles, word(node.Role)) {
			continue
		}
		name := label(word(node.Name))
		names = append(names, fmt.Sprintf("%q", name))
		switch {
		case name == want:
			is = append(is, node)
		case strings.Contains(name, want):
			contains = append(contains, node)
		}
	}
	if len(is) == 0 {
		is = contains
	}
	if len(is) != 1 {
		return nil, fmt.Errorf("%d things fit, of: %s", len(is), strings.Join(names, " "))
	}
	return is[0], nil
}

// word decodes a text of the accessibility tree; anything else reads as "".
func word(v *accessibility.Value) string {
	var s string
	if json.Unmarshal(v.Value, &s) != nil {
		return ""
	}
	return s
}

// label folds the words of a label: the star of a required field and the colon
// before it are signs, not words.
func label(s string) string {
	return strings.Trim(fold(strings.ReplaceAll(s, "*", " ")), ": ")
}

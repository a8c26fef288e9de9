package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"sitthi/internal/locale"
	"sitthi/signin"
)

// TestEveryPageIsWellMade follows every link of the site as each kind of reader, in both languages, and sends every
// form empty. Each page has to be whole HTML by the rules of doc, and no link may lead nowhere. A text that is
// missing fails the test by itself (see kit).
func TestEveryPageIsWellMade(t *testing.T) {
	k := newKit(t)
	own := theirs(t, k)
	for _, lang := range locale.Langs {
		for name, b := range map[string]*browser{
			"visitor": k.visitor(t), "officer": k.as(t, approves), "chief": k.as(t, chief12), "administrator": k.as(t, admin2), "auditor": k.as(t, auditor),
			"agent": k.as(t, agent2),
		} {
			t.Run(string(lang)+" "+name, func(t *testing.T) {
				b.t = t
				w := &reader{browser: b.in(lang), lang: lang, site: k.site(), seen: map[string]int{}}
				w.follow(own)
				w.sendEmptyForms(own)
			})
		}
	}
}

// TestFoundPersonCanBeCleared sees that a grid which was asked for a whole citizen ID shows it, keeps it out of its
// links, and lets go of it.
func TestFoundPersonCanBeCleared(t *testing.T) {
	k := newKit(t)
	b := k.as(t, chief12)
	page := b.get("/ko1/rights?sort=number&citizen="+considers).follow().wants(http.StatusOK, `value="3-9900-00000-20-1"`, "สุดา").lacks("อนุชา", "citizen=")
	page.wants(http.StatusOK, `href="/ko1/rights?sort=number" data-grid-link`) // clears the filters
	b.get("/ko1/rights/all/export.csv?person="+string(k.who[considers])).wants(http.StatusOK, considers).lacks(approves)
}

// TestPasswordPageIsWellMade looks at the page that asks for the password again, or the second factor, which stands before
// every act.
func TestPasswordPageIsWellMade(t *testing.T) {
	k := newKit(t)
	for who, ask := range map[string]struct{ path, field string }{
		chief12:   {"/ko1/rights/consider", stepUpCode},
		considers: {"/officer/profile/contact/email", stepUpField},
	} {
		b := k.as(t, who)
		k.later(signin.Defaults().StepUp + time.Minute)
		for _, lang := range locale.Langs {
			w := &reader{browser: b.in(lang), lang: lang, site: k.site(), seen: map[string]int{}}
			for _, part := range []string{"", "dialog"} {
				b.fragment(part)
				w.look("POST "+ask.path, b.post(ask.path, "unit", "TH-12").wants(http.StatusUnprocessableEntity, ask.field))
			}
		}
	}
}

// TestAddressesOverTLS sees that an encrypted connection stays so, whatever is asked for.
func TestAddressesOverTLS(t *testing.T) {
	k := newKit(t, func(o *Options) {
		o.Proxies = append(o.Proxies, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	})
	b := k.visitor(t)
	b.header.Set("X-Forwarded-Proto", "https")
	none := absent()
	for _, c := range calls {
		if got := b.ask(c, none).header.Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=63072000") {
			t.Errorf("%s: HSTS %q", c.line, got)
		}
	}
	for _, target := range []string{"/nowhere", "/healthz", "/readyz", "/static/x/none.css"} {
		a := b.get(target)
		a.guarded(target)
		if a.header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: no HSTS", target)
		}
	}
}

// reader opens pages one after the other and looks at each.
type reader struct {
	*browser
	lang locale.Lang
	site *http.ServeMux
	seen map[string]int // how often a kind of page was opened
	todo []link
}

// link is an address, and the page it stood on: "" for one that the reader typed.
type link struct{ to, from string }

// The menu of the กอ.1 system has its pages for everyone, as in the manual: who is no head is told whom rightsPath is for.

// fewPages is how many pages of one kind are opened: some are of one object among many like it.
const fewPages = 3

// follow opens every page that can be reached: from the first one, and by the addresses of the table of calls.
func (r *reader) follow(own objects) {
	r.t.Helper()
	r.todo = []link{{to: "/"}, {to: "/nowhere"}}
	for _, c := range calls {
		if c.method() == http.MethodGet {
			r.todo = append(r.todo, link{to: c.target(own)})
		}
	}
	for len(r.todo) > 0 {
		next := r.todo[0]
		r.todo = r.todo[1:]
		if !r.fresh(next) {
			continue
		}
		for _, part := range []string{"dialog", ""} { // whole last: a notice is told once
			r.fragment(part)
			a := r.get(next.to)
			if part == "" && next.from != "" && a.status >= http.StatusBadRequest && next.to != rightsPath {
				r.t.Errorf("%s: the link to %s leads to status %d\n%s", next.from, next.to, a.status, a.text())
			}
			r.look(next.to, a)
			if a.location != "" {
				r.todo = append(r.todo, link{a.location, next.to})
			}
		}
	}
}

// fresh reports whether few pages of the link's kind were opened before: one route with the same words in the query.
func (r *reader) fresh(l link) bool {
	r.t.Helper()
	u := must(url.Parse(l.to))(r.t)
	kind := routeOf(r.t, r.site, http.MethodGet, u.Path)
	if kind == "GET "+staticPath {
		return false
	}
	kind += " " + strings.Join(slices.Sorted(maps.Keys(u.Query())), " ")
	if l.from == "" {
		kind = l.to
	}
	r.seen[kind]++
	return r.seen[kind] <= fewPages
}

// sendEmptyForms sends every form with nothing filled in: the page that asks for more is a page as well.
func (r *reader) sendEmptyForms(own objects) {
	r.t.Helper()
	r.fragment("")
	for _, c := range calls {
		if c.method() != http.MethodPost || strings.Contains(c.line, "/sessions/end") || strings.Contains(c.line, "/logout") || strings.Contains(c.line, "/language") {
			continue // the session and the language are needed for what follows
		}
		r.look(c.line, r.post(c.target(own)))
	}
}

// look checks one answer.
func (r *reader) look(where string, a *answer) {
	r.t.Helper()
	a.guarded(where)
	if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || a.body == "" {
		return
	}
	d := &doc{where: where, part: !strings.HasPrefix(a.body, "<!doctype html>"), ids: map[string]int{}, labels: map[string]bool{}}
	d.read(must(html.Parse(strings.NewReader(a.body)))(r.t), false)
	d.checkWhole(string(r.lang))
	d.checkReferences()
	for _, to := range d.links {
		r.checkLink(d, http.MethodGet, to)
	}
	for _, to := range d.posts {
		r.checkLink(d, http.MethodPost, to)
	}
	for _, text := range d.texts {
		r.checkText(d, text[0], text[1])
	}
	for _, fault := range d.faults {
		r.t.Errorf("%s: %s", where, fault)
	}
}

// checkLink sees that an address of this site has a route, and notes it to be opened.
func (r *reader) checkLink(d *doc, method, to string) {
	r.t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		d.fault("the address %q is none: %v", to, err)
		return
	}
	switch {
	case strings.HasPrefix(to, "#"), u.Scheme == "tel", u.Scheme == "mailto", u.Scheme == "https" && u.Host != "localhost":
		return
	case strings.HasPrefix(to, "/access/v1/"), strings.HasPrefix(to, "/.well-known/"): // the door for programs; cmd/sitthi tries them
		return
	case !strings.HasPrefix(to, "/"):
		d.fault("the address %q is not of this site", to)
		return
	}
	if routeOf(r.t, r.site, method, u.Path) == "" {
		d.fault("%s %s leads nowhere", method, to)
		return
	}
	if method == http.MethodGet {
		u.Fragment = ""
		r.todo = append(r.todo, link{u.String(), d.where})
	}
}

// doc is one page, or a part of one, as it is being read.
type doc struct {
	where        string
	part         bool
	language     string
	title        string
	headings     int
	ids          map[string]int
	labels       map[string]bool // ids that a label is for
	controls     []*html.Node
	refs         []string // ids that something refers to
	links, posts []string
	texts        [][2]string // the action of a form, and the name of a field for text in it
	faults       []string
}

func (d *doc) fault(format string, args ...any) {
	d.faults = append(d.faults, fmt.Sprintf(format, args...))
}

// read takes a page in, element by element.
func (d *doc) read(n *html.Node, labelled bool) {
	if n.Type == html.ElementNode {
		d.attributes(n)
		switch n.DataAtom {
		case atom.Html:
			d.language = attr(n, "lang")
		case atom.Title:
			if n.Parent.DataAtom == atom.Head {
				d.title = strings.TrimSpace(words(n))
			}
		case atom.H1:
			d.headings++
			if words(n) == "" {
				d.fault("the heading is empty")
			}
		case atom.Style:
			d.fault("an inline style sheet")
		case atom.Script:
			if attr(n, "src") == "" {
				d.fault("an inline script")
			}
		case atom.Label:
			d.labels[attr(n, "for")] = true
			labelled = labelled || words(n) != ""
		case atom.Input, atom.Select, atom.Textarea:
			if !labelled && !slices.Contains([]string{"hidden", "submit", "button"}, attr(n, "type")) {
				d.controls = append(d.controls, n)
			}
		case atom.A, atom.Button, atom.Summary:
			if words(n) == "" && attr(n, "aria-label") == "" {
				d.fault("<%s %s> says nothing", n.Data, attr(n, "class")+attr(n, "href"))
			}
		case atom.Img:
			if !has(n, "alt") {
				d.fault("an image without words")
			}
		case atom.Form:
			d.form(n)
		}
	}
	for child := range n.ChildNodes() {
		d.read(child, labelled)
	}
}

// attributes looks at what stands within one tag.
func (d *doc) attributes(n *html.Node) {
	for _, a := range n.Attr {
		switch {
		case a.Key == "style", strings.HasPrefix(a.Key, "on"):
			d.fault("<%s %s=%q> is inline", n.Data, a.Key, a.Val)
		case a.Key == "id":
			d.ids[a.Val]++
		case a.Key == "for":
			d.refs = append(d.refs, a.Val)
		case a.Key == "aria-labelledby", a.Key == "aria-describedby", a.Key == "aria-controls":
			d.refs = append(d.refs, strings.Fields(a.Val)...)
		case a.Key == "href" && strings.HasPrefix(a.Val, "#") && n.DataAtom == atom.A:
			d.refs = append(d.refs, a.Val[1:])
		case a.Key == "formaction", a.Key == "data-lookup-url":
			d.posts = append(d.posts, a.Val)
		case a.Key == "href" && n.DataAtom == atom.A, a.Key == "src", a.Key == "href" && n.DataAtom == atom.Link:
			d.links = append(d.links, a.Val)
		}
		if a.Key != "value" && a.Key != "content" && wholeID.MatchString(a.Val) {
			d.fault("a citizen ID stands in <%s %s=%q>", n.Data, a.Key, a.Val)
		}
	}
}

func (d *doc) form(n *html.Node) {
	switch attr(n, "method") {
	case "post":
		d.posts = append(d.posts, attr(n, "action"))
		for child := range n.Descendants() {
			if child.DataAtom == atom.Textarea || child.DataAtom == atom.Input && (attr(child, "type") == "text" || attr(child, "type") == "") {
				d.texts = append(d.texts, [2]string{attr(n, "action"), attr(child, "name")})
			}
		}
	case "get":
		d.links = append(d.links, attr(n, "action"))
	case "dialog":
	default:
		d.fault("a form says not how it is sent")
	}
}

// checkWhole looks at what a whole page has once.
func (d *doc) checkWhole(lang string) {
	if d.part {
		return
	}
	if d.language != lang {
		d.fault("the language is %q", d.language)
	}
	if d.title == "" {
		d.fault("no title")
	}
	if d.headings != 1 {
		d.fault("%d main headings", d.headings)
	}
}

// checkReferences sees that each control has a label, each id stands once, and what is referred to is there. Part of
// a page may refer to the rest.
func (d *doc) checkReferences() {
	for id, n := range d.ids {
		if n > 1 {
			d.fault("id %q stands %d times", id, n)
		}
	}
	for _, n := range d.controls {
		if id := attr(n, "id"); (id == "" || !d.labels[id]) && attr(n, "aria-label") == "" && attr(n, "aria-labelledby") == "" {
			d.fault("<%s name=%q> has no label", n.Data, attr(n, "name"))
		}
	}
	for _, id := range d.refs {
		if d.ids[id] == 0 && !d.part {
			d.fault("nothing has the id %q that is referred to", id)
		}
	}
}

// words are the text within an element, and the labels of what in it is no text.
func words(n *html.Node) string {
	var text strings.Builder
	for child := range n.Descendants() {
		if child.Type == html.TextNode {
			text.WriteString(child.Data)
		}
		text.WriteString(attr(child, "aria-label"))
	}
	return strings.TrimSpace(text.String())
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

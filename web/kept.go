package web

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"sitthi/internal/problem"
	"sitthi/person"
)

// A form that is sent when the session has ended is kept for the person who filled it in. After she has signed in
// again it is shown to her as she left it; it is never sent for her (docs/decisions/0026-kept-forms.md).

// keptParam names the draft of a form in the address of the page on which it stands.
const keptParam = "kept"

// whosePlace binds the sealed cookie that tells whose session was open in the browser last.
const whosePlace = "web.whose"

// keptForm is a form as it was sent.
type keptForm struct {
	Action string // path it was sent to
	Fields url.Values
}

// secret reports whether a field of a form holds what is never kept.
func secret(name string) bool {
	return strings.Contains(name, "password") || strings.Contains(name, "recovery") || strings.HasPrefix(name, "passkey") || strings.HasPrefix(name, "stepup_")
}

// rememberWhose lets the browser know whose session it is, to tell whose form it is that comes after its end. It says so
// to nobody but this program.
func (s *Server) rememberWhose(w http.ResponseWriter, r *http.Request, who person.ID) {
	if s.whose(r) != who {
		s.setCookie(w, whoseCookie, base64.RawURLEncoding.EncodeToString(s.Ring.Seal(whosePlace, []byte(who))), 0)
	}
}

// whose is the person whose session was open in the browser last; "" when that is not known.
func (s *Server) whose(r *http.Request) person.ID {
	sealed, err := base64.RawURLEncoding.DecodeString(s.cookie(r, whoseCookie))
	if err != nil {
		return ""
	}
	plain, err := s.Ring.Open(whosePlace, sealed)
	if err != nil { // nobody's, or sealed with a key that is gone
		return ""
	}
	return person.ID(plain)
}

// keepForm keeps the form that a visitor has sent, if it is known whose it is, and answers the page on which it will
// stand as it was filled in; "" when nothing is kept.
func (s *Server) keepForm(r *http.Request, v *Visit) (path string, err error) {
	owner, page := s.whose(r), s.formPage(r, v)
	if r.Method != http.MethodPost || owner == "" || page == "" {
		return "", nil
	}
	form := keptForm{Action: r.URL.Path, Fields: url.Values{}}
	for name, values := range r.PostForm {
		if !secret(name) {
			form.Fields[name] = values
		}
	}
	if len(form.Fields) == 0 {
		return "", nil
	}
	id, err := s.Drafts.Keep(r.Context(), owner, form)
	if err != nil {
		return "", err
	}
	at, err := url.Parse(page)
	if err != nil {
		return "", fmt.Errorf("page of the form: %w", err)
	}
	query := at.Query()
	query.Set(keptParam, id)
	at.RawQuery, at.Fragment = query.Encode(), ""
	return at.String(), nil
}

// formPage is the page on which the form stands that was sent: where the reader was, unless that was a dialog or the
// answer to a form; then the page that the route names, or the one at the same address. "" when there is none.
func (s *Server) formPage(r *http.Request, v *Visit) string {
	from, _, _ := strings.Cut(v.path, "?")
	same := from == r.URL.Path
	switch {
	case v.Fragment == "" && from != "/" && !same && s.hasPage(from):
		return v.path
	case v.formAt != "":
		return v.formAt
	case same && s.hasPage(from):
		return v.path
	case s.hasPage(r.URL.Path):
		return r.URL.Path
	case from != "/" && s.hasPage(from):
		return v.path
	}
	return ""
}

// hasPage reports whether a page can be got at a path.
func (s *Server) hasPage(path string) bool {
	_, pattern := s.mux.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}})
	return strings.HasPrefix(pattern, http.MethodGet+" ")
}

// pathFor fills the words in braces of a path with those of the request's address.
func pathFor(pattern string, r *http.Request) string {
	parts := strings.Split(pattern, "/")
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			parts[i] = url.PathEscape(r.PathValue(strings.TrimSuffix(name, "}")))
		}
	}
	return strings.Join(parts, "/")
}

// findKept finds the form that the page shall be shown with. Who has signed in since as somebody else does not get it.
func (s *Server) findKept(r *http.Request, v *Visit) error {
	id := r.URL.Query().Get(keptParam)
	if id == "" || v.Session == nil || v.Fragment != "" || r.Method != http.MethodGet {
		return nil
	}
	v.kept = &keptForm{}
	err := s.Drafts.Find(r.Context(), v.Session.Person, id, v.kept)
	if errors.Is(err, problem.NotFound) {
		return nil // a form that went nowhere is in no page, and the reader is told so
	}
	return err
}

// pour fills a drawn page with a form as it was sent: what can be typed, chosen and ticked, and nothing that is hidden.
// It answers false when the form is not in the page.
func pour(page []byte, kept keptForm) ([]byte, bool) {
	document, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return nil, false
	}
	form := formIn(document, kept)
	if form == nil || kept.Action == "" {
		return nil, false
	}
	for up := form.Parent; up != nil; up = up.Parent {
		if up.DataAtom == atom.Details {
			setAttr(up, "open", "")
		}
	}
	left := url.Values{} // of fields that stand there more than once, what is not yet in one
	for name, values := range kept.Fields {
		left[name] = slices.Clone(values)
	}
	for field := range fields(form) {
		fill(field, left)
	}
	var out bytes.Buffer
	if err := html.Render(&out, document); err != nil {
		return nil, false
	}
	return out.Bytes(), true
}

// formIn finds the form that was sent: it, or a button of it, leads where it was sent to. Otherwise it is the one that has
// fields of these names, if there is only one such.
func formIn(document *html.Node, kept keptForm) *html.Node {
	var found []*html.Node
	for node := range document.Descendants() {
		if node.DataAtom != atom.Form || !strings.EqualFold(attr(node, "method"), http.MethodPost) {
			continue
		}
		if leadsTo(node, kept.Action) {
			return node
		}
		for field := range fields(node) {
			if kept.Fields.Has(attr(field, "name")) {
				found = append(found, node)
				break
			}
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return nil
}

// leadsTo reports whether a form can be sent to a path.
func leadsTo(form *html.Node, path string) bool {
	if to, _, _ := strings.Cut(attr(form, "action"), "?"); to == path {
		return true
	}
	for node := range form.Descendants() {
		if attr(node, "formaction") == path {
			return true
		}
	}
	return false
}

// fields are what a reader can fill in within a form.
func fields(form *html.Node) func(yield func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		for node := range form.Descendants() {
			switch node.DataAtom {
			case atom.Input:
				if slices.Contains([]string{"hidden", "submit", "button", "image", "reset", "file", "password"}, attr(node, "type")) {
					continue
				}
			case atom.Textarea, atom.Select:
			default:
				continue
			}
			if attr(node, "name") != "" && !yield(node) {
				return
			}
		}
	}
}

// fill puts into one field what is left for its name.
func fill(field *html.Node, left url.Values) {
	name := attr(field, "name")
	if kind := attr(field, "type"); kind == "checkbox" || kind == "radio" {
		mark(field, "checked", slices.Contains(left[name], cmp.Or(attr(field, "value"), "on")))
		return
	}
	if len(left[name]) == 0 {
		return
	}
	value := left[name][0]
	left[name] = left[name][1:]
	switch field.DataAtom {
	case atom.Input:
		setAttr(field, "value", value)
	case atom.Textarea:
		for child := field.FirstChild; child != nil; child = field.FirstChild {
			field.RemoveChild(child)
		}
		field.AppendChild(&html.Node{Type: html.TextNode, Data: value})
	case atom.Select:
		for option := range field.Descendants() {
			if option.DataAtom == atom.Option {
				mark(option, "selected", attr(option, "value") == value)
			}
		}
	}
}

func attr(node *html.Node, key string) string {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func setAttr(node *html.Node, key, value string) {
	mark(node, key, false)
	node.Attr = append(node.Attr, html.Attribute{Key: key, Val: value})
}

// mark sets or takes away an attribute that has no value.
func mark(node *html.Node, key string, on bool) {
	node.Attr = slices.DeleteFunc(node.Attr, func(a html.Attribute) bool { return a.Key == key })
	if on {
		setAttr(node, key, "")
	}
}

// Package views draws the pages of Sitthi: the frame around every page, the parts that pages are made of, and the pages.
package views

import (
	"fmt"
	"net/url"

	"sitthi/internal/locale"
)

// Page is what the frame around a page needs to know, and what every part
// needs to speak the reader's language. A handler fills it once per request.
type Page struct {
	Lang    locale.Lang
	Catalog *locale.Catalog

	// Title is the one h1 of the page, the name of the window, and the
	// heading when the page is shown as a dialog. Subtitle says in one line
	// whose data this is ("สำหรับ อสจ.นนทบุรี"); it may be empty.
	Title    string
	Subtitle string
	Crumbs   []Crumb

	// Path is the path and query of this page, where a change of language
	// comes back to. It must not hold a citizen ID.
	Path string
	// Answer says that the page answers a form. It has no address of its own; address.js gives it Path.
	Answer bool

	// Who is signed in; nil for a visitor.
	Who *Viewer

	Notice   *Notice
	Problems []FieldError

	// Demo shows the band that says all data are made up.
	Demo bool
	// Narrow keeps the page to the width of a form.
	Narrow bool

	// AssetVersion returns what tells one content of a file under static/
	// from another, for example a hash. Nil means that URLs carry no version.
	AssetVersion func(name string) string
}

// Viewer is the person who is signed in, and which entries of the menu are
// of use to him. The flags hide and show; they permit nothing.
type Viewer struct {
	Name          string
	Head          bool // head of a unit: อสจ. or director
	Administrator bool // ผู้ดูแลระบบส่วนกลาง
	Auditor       bool // ผู้ตรวจสอบ
	Agent         bool // เจ้าหน้าที่ช่วยเหลือ
}

// Crumb is one step of the path above the title, the outermost first. The
// page itself is not a crumb.
type Crumb struct {
	Label string
	Href  string
}

// NoticeKind says how good the news of a notice are.
type NoticeKind string

// The kinds of notices.
const (
	NoticeOK    NoticeKind = "ok"
	NoticeInfo  NoticeKind = "info"
	NoticeWarn  NoticeKind = "warn"
	NoticeError NoticeKind = "error"
)

// Notice tells what came of the act before this page ("บันทึกแล้ว …"). A link
// may follow the text, for example to give a right again.
type Notice struct {
	Kind  NoticeKind
	Text  string
	Label string // of the link; empty for none
	Href  string
	// Secret is shown this once, to be copied; empty for none.
	Secret string
	// Form makes the link a button that posts this name of a form to Href, for an act that is undone by one press.
	Form string
}

// FieldError is what is wrong with one field of a form. Field is the name of
// the input; empty when the trouble belongs to no single field.
type FieldError struct {
	Field string
	Text  string
}

// T returns the text of key in the reader's language. args are pairs of name
// and value: p.T("parts.page_of", "page", 2, "pages", 9). It panics on half a
// pair, which every rendering of the page would show.
func (p Page) T(key string, args ...any) string {
	if len(args) == 0 {
		return p.Catalog.Text(p.Lang, key, nil)
	}
	if len(args)%2 != 0 {
		panic(fmt.Sprintf("views: %s: half a pair of arguments", key))
	}
	named := make(locale.Args, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		name, ok := args[i].(string)
		if !ok {
			panic(fmt.Sprintf("views: %s: name of argument %d is no string", key, i/2+1))
		}
		named[name] = args[i+1]
	}
	return p.Catalog.Text(p.Lang, key, named)
}

// Problem returns what is wrong with the named field, or "".
func (p Page) Problem(field string) string {
	for _, e := range p.Problems {
		if e.Field == field {
			return e.Text
		}
	}
	return ""
}

// Asset returns the URL of a file under static/. The version is a folder of
// the URL, so that fonts and modules named relatively carry it too:
// /static/<version>/css/tokens.css.
func (p Page) Asset(name string) string {
	if p.AssetVersion == nil {
		return "/static/" + name
	}
	return "/static/" + url.PathEscape(p.AssetVersion(name)) + "/" + name
}

// other is the language that the switch in the header leads to.
func (p Page) other() locale.Lang {
	if p.Lang == locale.TH {
		return locale.EN
	}
	return locale.TH
}

// windowTitle puts trouble first, because a screen reader reads it first.
func (p Page) windowTitle() string {
	title := p.Title + " – " + p.T("layout.department")
	if len(p.Problems) > 0 {
		return p.T("parts.error") + ": " + title
	}
	return title
}

// fieldID is the id of the input with this name; the error summary links to it.
func fieldID(name string) string { return "field-" + name }

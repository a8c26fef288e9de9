package views

import "strings"

// styleSheets are loaded in this order; tokens.css names the layers.
var styleSheets = []string{"tokens", "base", "layout", "parts", "grid", "pages", "print"}

// modules are the enhancements of every page. once comes last, because it
// looks at what the others have done with a submit.
var modules = []string{"menu", "citizen", "password", "grid", "dialog", "print", "copy", "progress", "passkey", "address", "once"}

type menuEntry struct {
	Key  string
	Href string
	// Also are other addresses of the entry's pages.
	Also []string
	Here bool
}

// menu lists the entries of the main menu that are of use to the reader. The
// intranet and the กอ.1 entrance are open before sign-in, as in the manual.
func (p Page) menu() []menuEntry {
	entries := []menuEntry{
		{Key: "layout.menu_intranet", Href: "/intranet"},
		{Key: "layout.menu_ko1", Href: "/ko1", Also: []string{"/why"}},
	}
	if p.Who != nil {
		if p.Who.Head {
			entries = append(entries, menuEntry{Key: "layout.menu_rights", Href: "/ko1/rights", Also: []string{"/ko1/grants", "/ko1/units", "/ko1/deputies", "/ko1/help", "/why"}})
		}
		if p.Who.Agent {
			entries = append(entries, menuEntry{Key: "layout.menu_help", Href: "/help/cases", Also: []string{"/help"}})
		}
		if p.Who.Administrator || p.Who.Auditor {
			entries = append(entries, menuEntry{Key: "layout.menu_overview", Href: "/admin/overview"})
		}
		if p.Who.Head || p.Who.Administrator {
			entries = append(entries, menuEntry{Key: "layout.menu_people", Href: "/ko1/people"})
		}
		if p.Who.Administrator {
			entries = append(entries, menuEntry{Key: "layout.menu_admin", Href: "/admin", Also: []string{"/ko1/messages"}})
		} else if p.Who.Auditor { // who has no page that leads there
			entries = append(entries, menuEntry{Key: "layout.menu_imports", Href: "/admin/imports"})
		}
		if p.Who.Administrator || p.Who.Auditor {
			entries = append(entries, menuEntry{Key: "layout.menu_audit", Href: "/admin/log", Also: []string{"/log"}})
		}
	}
	path, _, _ := strings.Cut(p.Path, "?")
	here, best := -1, "" // the last entry with the longest address that leads to the page
	for i, e := range entries {
		for _, href := range append([]string{e.Href}, e.Also...) {
			if (path == href || strings.HasPrefix(path, href+"/")) && len(href) >= len(best) {
				here, best = i, href
			}
		}
	}
	if here >= 0 {
		entries[here].Here = true
	}
	return entries
}

// noticeRole: trouble is announced at once, good news when there is a pause.
func noticeRole(k NoticeKind) string {
	if k == NoticeError {
		return "alert"
	}
	return "status"
}

func noticeIcon(k NoticeKind) IconName {
	switch k {
	case NoticeOK:
		return IconCheck
	case NoticeWarn:
		return IconWarn
	case NoticeError:
		return IconError
	}
	return IconInfo
}

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"sitthi/internal/browsertest"
	"sitthi/internal/locale"
	"sitthi/web"
)

// TestEveryPageInTheDark looks at every page that needs no object of its own, as everyone who may see it, in the dark:
// in Thai on a desktop, in English on a phone. The tale looks at pages by daylight.
func TestEveryPageInTheDark(t *testing.T) {
	paths := pagesByAccess()
	for _, r := range []reader{
		{name: "th", opts: browsertest.Options{Dark: true}},
		{name: "en-phone", opts: browsertest.Options{Dark: true, Phone: true}, lang: locale.EN},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			u := newTale(t, r, "sqlite:"+filepath.Join(t.TempDir(), "sitthi.db"))
			for _, who := range []struct {
				name, citizen string
				sees          []web.Access
				refused       string // one page that is not for him
			}{
				{"visitor", "", []web.Access{web.Open, web.DemoOnly}, "/no/such/page"},
				{"officer", "3990000000201", []web.Access{web.SignedIn}, "/admin"},
				{"chief", chief, []web.Access{web.SignedIn, web.HeadOnly}, "/admin/log"},
				{"director", "3990000000309", []web.Access{web.HeadOnly}, "/ko1/rights/consider/new?unit=TH-12"},
				{"administrator", firstAdministrator, []web.Access{web.SignedIn, web.AdministratorOnly, web.AuditorOrAdministrator}, "/ko1/rights/consider/new"},
				{"agent", firstAgent, []web.Access{web.AgentOrAdministrator}, "/admin/overview"},
				{"auditor", "8990000001004", []web.Access{web.SignedIn, web.AuditorOrAdministrator}, "/admin/units"},
			} {
				w := u.open()
				if who.citizen != "" {
					w = u.as(who.citizen, demoPassword)
				}
				visit := []string{"/", who.refused}
				for _, access := range who.sees {
					visit = append(visit, paths[access]...)
				}
				for _, path := range visit {
					w.Go(path)
					w.NoHorizontalScroll()
					w.Screenshot("dark-" + r.name + "-" + who.name + strings.NewReplacer("/", "-", "?", "-").Replace(path))
					w.Axe()
				}
			}
		})
	}
}

// pagesByAccess are the addresses of pages, with an object that every demonstration has where one is asked for.
func pagesByAccess() map[web.Access][]string {
	objects := strings.NewReplacer("{$}", "", "{level}", "consider", "{unit}", "TH-12", "{code}", "ko1")
	pages := map[web.Access][]string{}
	for _, route := range new(web.Server).Routes() {
		method, path, _ := strings.Cut(route.Pattern, " ")
		path = objects.Replace(path)
		if method == "GET" && !strings.ContainsAny(path, "{}") && filepath.Ext(path) == "" && !strings.HasPrefix(path, "/testhooks") && path != "/" {
			pages[route.Access] = append(pages[route.Access], path)
		}
	}
	return pages
}

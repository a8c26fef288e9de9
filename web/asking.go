package web

import (
	"cmp"
	"embed"
	"fmt"
	"net/http"
	"strings"

	"sitthi/web/views"
)

// askingPath is the page for those who write programs that ask who may do what. It holds no secret and is open to all.
const askingPath = "/programs"

// The examples are programs as they can be copied; {{url}}, {{token}} and {{officer}} in them are filled in. The tests of the
// whole program run each of them.
//
//go:embed examples
var examples embed.FS

func (s *Server) askingRoutes() []Route {
	return []Route{{Pattern: "GET " + askingPath, Access: Open, Handle: s.asking}}
}

// What stands in the examples where there is no token that everyone may know.
const (
	exampleToken   = "sitthi_YOUR-TOKEN"
	exampleOfficer = "1234567890121" // as forms show how to write one
)

// asking explains with examples how another program asks.
func (s *Server) asking(w http.ResponseWriter, r *http.Request, v *Visit) error {
	fill := strings.NewReplacer("{{url}}", strings.TrimSuffix(s.PublicURL.String(), "/"),
		"{{token}}", cmp.Or(s.Example.Token, exampleToken), "{{officer}}", cmp.Or(s.Example.Officer, exampleOfficer))
	example := func(file, title string) (views.Example, error) {
		text, err := examples.ReadFile("examples/" + file)
		if err != nil {
			return views.Example{}, fmt.Errorf("read example: %w", err)
		}
		return views.Example{ID: "example-" + strings.ReplaceAll(strings.ToLower(file), ".", "-"), Title: title, Text: fill.Replace(strings.TrimRight(string(text), "\n"))}, nil
	}
	page := views.AskingPage{Known: s.Example.Token != ""}
	for _, e := range []struct {
		into        *[]views.Example
		file, title string
	}{
		{&page.Ask, "evaluation.sh", "curl"}, {&page.Ask, "evaluation.json", v.T("asking.the_answer")},
		{&page.Languages, "evaluation.py", "Python"}, {&page.Languages, "evaluation.mjs", "JavaScript"},
		{&page.Languages, "Evaluation.java", "Java"},
		{&page.Moment, "moment.sh", "curl"}, {&page.Batch, "evaluations.sh", "curl"}, {&page.Search, "search.sh", "curl"},
	} {
		one, err := example(e.file, e.title)
		if err != nil {
			return err
		}
		*e.into = append(*e.into, one)
	}
	p := v.Page("asking.title")
	p.Subtitle = v.T("asking.subtitle")
	return s.show(w, r, v, http.StatusOK, p, views.Asking(p, page))
}

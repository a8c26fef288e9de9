package views

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/a-h/templ"

	"sitthi/internal/browsertest"
)

// logPage is a page of the log with entries of every kind.
func logPage(p Page) LogPage {
	chief := LogPerson{Name: "ว่าที่ร้อยตรีหญิง ธัญญลักษณ์ศิริวรรณ ณ ทุ่งกว้างใหญ่ไพศาล", Href: "/admin/log?actor=1"}
	return LogPage{
		Path: "/admin/log", Filters: url.Values{"unit": {"TH-12"}, "from": {"01/10/2569"}}, Role: "subject",
		Units: []Option{{Value: "TH-12", Label: "นนทบุรี"}, {Value: "TH-13", Label: "ปทุมธานี"}},
		Acts:  []Option{{Value: "grant.give", Label: p.T("log.act.grant.give"), Group: p.T("log.group.grant")}},
		Outcomes: []Option{
			{Value: "done", Label: p.T("log.outcome.done")}, {Value: "denied", Label: p.T("log.outcome.denied")},
		},
		Set: []SummaryRow{
			{Term: p.T("log.unit"), Value: "นนทบุรี", Action: p.T("parts.clear"), Href: "/admin/log?from=01%2F10%2F2569"},
			{Term: p.T("log.from"), Value: "01/10/2569", Action: p.T("parts.clear"), Href: "/admin/log?unit=TH-12"},
		},
		Entries: []LogEntry{
			{
				When: "23 พ.ย. 2569 10:00 น.", Machine: "2026-11-23T03:00:00Z", Act: p.T("log.act.grant.give"), Actor: chief, Unit: "นนทบุรี",
				Address: "2001:db8:85a3:8d3:1319:8a2e:370:7348", Subject: LogPerson{Name: "นางสาวสมหญิง ใจดี", Href: "/admin/log?subject=2"},
				Facts: []LogFact{
					{p.T("log.fact.level"), "พิจารณา"}, {p.T("log.fact.until"), "30 กันยายน 2570"}, {p.T("log.fact.note"), "ช่วยราชการ"},
				},
			},
			{
				When: "23 พ.ย. 2569 09:59 น.", Act: p.T("log.act.grant.revoke"), Actor: chief, Unit: "ปทุมธานี", Denied: true,
				Why: p.T("problem.denied"), Place: "1,234,567", Proof: "/admin/log/3/proof", Address: "192.0.2.7",
			},
			{When: "23 พ.ย. 2569 09:58 น.", Act: p.T("log.act.appointment.install"), Actor: LogPerson{Name: p.T("log.terminal")}, Place: "1,234,566"},
		},
		Older: "/admin/log?before=1", Newest: "/admin/log",
	}
}

// TestLogLooks looks at the log whole, empty, and after a citizen ID that was typed wrong.
func TestLogLooks(t *testing.T) {
	g := &guide{t: t, catalog: catalog(t)}
	build := func(change func(*Page, *LogPage)) http.HandlerFunc {
		return g.page(func(r *http.Request) (Page, templ.Component) {
			p := g.base(r)
			p.Title, p.Subtitle = p.T("log.title"), p.T("log.subtitle")
			l := logPage(p)
			change(&p, &l)
			return p, Log(p, l)
		})
	}
	mux := http.NewServeMux()
	mux.Handle("GET /static/v1/", http.StripPrefix("/static/v1/", http.FileServer(http.Dir("../static"))))
	mux.Handle("GET /whole", build(func(*Page, *LogPage) {}))
	mux.Handle("GET /none", build(func(_ *Page, l *LogPage) { l.Entries, l.Older = nil, "" }))
	mux.Handle("GET /wrong", build(func(p *Page, l *LogPage) {
		l.Entries, l.CitizenID = nil, "1-2345-67890-12-3"
		p.Problems = []FieldError{{Field: "citizen_id", Text: p.T("log.citizen_id_wrong")}, {Field: "from", Text: p.T("log.date_wrong")}}
	}))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for name, opts := range map[string]browsertest.Options{
		"desktop-th": {Lang: "th"}, "desktop-en-dark": {Lang: "en", Dark: true}, "phone-th": {Lang: "th", Phone: true}, "phone-en": {Lang: "en", Phone: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := browsertest.Open(t, server.URL, opts)
			for _, page := range []string{"whole", "none", "wrong"} {
				b.Go("/" + page)
				b.Screenshot("log-" + page + "-" + name)
				b.NoHorizontalScroll()
				b.Axe()
			}
		})
	}
}

package views

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"sitthi/internal/locale"
)

// The style guide: every part of this package on pages like the real ones, with
// a server behind it that knows just enough to let the scripts work. The tests
// read it, and a browser looks at it.

// catalog holds the product's texts; a text that is missing fails the test.
func catalog(t testing.TB) *locale.Catalog {
	t.Helper()
	c, err := locale.Load(os.DirFS(".."), "locales")
	if err != nil {
		t.Fatalf("load texts: %v", err)
	}
	c.Missing = func(lang locale.Lang, key, arg string) {
		t.Errorf("text %q (%s) lacks %q", key, lang, arg)
	}
	return c
}

// guide serves the style guide.
type guide struct {
	t       testing.TB
	catalog *locale.Catalog
	saved   int
	sent    int
	slow    time.Duration // before an answer to a grid or a registration
}

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func serveGuide(t testing.TB) (*guide, string) {
	t.Helper()
	g := &guide{t: t, catalog: catalog(t)}
	mux := http.NewServeMux()
	mux.Handle("GET /static/v1/", http.StripPrefix("/static/v1/", http.FileServer(http.Dir("../static"))))
	mux.HandleFunc("GET /parts", g.page(g.parts))
	mux.HandleFunc("GET /register", g.page(g.register))
	mux.HandleFunc("POST /register", func(w http.ResponseWriter, r *http.Request) {
		g.sent++
		time.Sleep(g.slow)
		p, body := g.register(r)
		g.answer(w, r, http.StatusUnprocessableEntity, p, body)
	})
	mux.HandleFunc("GET /rights", g.rights)
	mux.HandleFunc("GET /rights/new", g.page(g.give))
	mux.HandleFunc("POST /rights/new", g.save)
	mux.HandleFunc("GET /rights/end", g.page(g.end))
	mux.HandleFunc("POST /rights/person", g.person)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return g, server.URL
}

func (g *guide) base(r *http.Request) Page {
	return Page{
		Lang:         locale.Parse(r.Header.Get("Accept-Language")),
		Catalog:      g.catalog,
		Path:         r.URL.RequestURI(),
		Who:          &Viewer{Name: "ว่าที่ร้อยตรีหญิง ธัญญลักษณ์ศิริวรรณ ณ ทุ่งกว้างใหญ่ไพศาล", Head: true},
		AssetVersion: func(string) string { return "v1" },
	}
}

// page answers as the product does: whole, or as a fragment for a dialog.
func (g *guide) page(build func(*http.Request) (Page, templ.Component)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, body := build(r)
		g.answer(w, r, http.StatusOK, p, body)
	}
}

func (g *guide) answer(w http.ResponseWriter, r *http.Request, status int, p Page, body templ.Component) {
	whole := Layout(p, body)
	if r.Header.Get("X-Fragment") == "dialog" {
		whole = Dialog(p, body)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := whole.Render(r.Context(), w); err != nil {
		g.t.Errorf("render %s: %v", r.URL, err)
	}
}

// html writes its arguments: components as they are, strings as HTML.
func html(parts ...any) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		for _, part := range parts {
			var err error
			switch part := part.(type) {
			case string:
				_, err = io.WriteString(w, part)
			case templ.Component:
				err = part.Render(templ.ClearChildren(ctx), w)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// around is part with children.
func around(part templ.Component, children ...any) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return part.Render(templ.WithChildren(ctx, html(children...)), w)
	})
}

var units = []Option{
	{Value: "TH-12", Label: "นนทบุรี"},
	{Value: "IWM", Label: "กองบริหารจัดการกากอุตสาหกรรม"},
}

func (g *guide) parts(r *http.Request) (Page, templ.Component) {
	p := g.base(r)
	p.Demo = true
	p.Title = "ปั๊มน้ำมัน ญี่ปุ่น กุฏิ ฐูป ที่ป่าใหญ่ ผู้ใหญ่ทิ้งสิทธิ์ไว้ในชื่อของผู้ปฏิบัติหน้าที่"
	p.Subtitle = "สำหรับ อสจ.นนทบุรี · ปั๊ ญุ ฐู ฤๅ กี้ ก้ำ"
	p.Crumbs = []Crumb{{"เมนูระบบงาน", "/intranet"}, {"ระบบอนุญาตกากอุตสาหกรรม (กอ.1)", "/ko1"}}
	p.Notice = &Notice{Kind: NoticeOK, Text: "ให้สิทธิ์พิจารณาแก่ นางสาวกัญญารัตน์ ปิ่นแก้ว แล้ว", Label: "ให้สิทธิ์อีกครั้ง", Href: "/rights/new"}
	eight, two := 8, 2
	return p, html(
		Tabs("ระดับของสิทธิ์", []Tab{{"ภาพรวม", "/parts", nil, false}, {"พิจารณา", "/parts", &eight, true}, {"อนุมัติ", "/parts", &two, false}}),
		around(Card(CardParams{Title: "ปุ่มและป้าย"}),
			around(Actions(),
				Button(ButtonParams{Label: "บันทึก (Save)", Icon: IconCheck}),
				Button(ButtonParams{Label: "ยกเลิกสิทธิ์", Kind: Danger, Icon: IconDelete}),
				ButtonLink(ButtonLinkParams{Label: "กลับ", Href: "/rights"}),
				ButtonLink(ButtonLinkParams{Label: "แก้ไข", Href: "/rights/new", Kind: Quiet, Icon: IconEdit, Dialog: true}),
				ButtonLink(ButtonLinkParams{Label: "ลบ", Href: "/rights/end", Kind: QuietRed, Note: "สิทธิ์ของ นายณัฐวุฒิ", Dialog: true})),
			"<p>", Badge(BadgeLevel, "1 พิจารณา"), " ", Badge(BadgeLevel, "3 อนุมัติ"), " ", Badge(BadgeOK, "มีผล"), " ",
			Badge(BadgeWaiting, "รอยืนยันตัวบุคคล"), " ", Badge(BadgeWarn, "ใกล้สิ้นสุด"), " ", Badge(BadgeDanger, "ไม่ยืนยัน"), " ", Badge(BadgeOff, "สิ้นสุดแล้ว"), "</p>"),
		around(Card(CardParams{Title: "เส้นทางของคำขอ"}),
			Steps(p, []Step{{"ยื่นคำขอ", "1 พ.ย. 2569", StepDone}, {"ตอบรับ", "3 พ.ย. 2569", StepDone}, {"พิจารณา", "ครบกำหนด 17 พ.ย. 2569", StepNow}, {"อนุมัติ", "", StepNext}})),
		`<div class="columns">`,
		around(Card(CardParams{Title: "ข้อมูลผู้ใช้งาน"}),
			SummaryList([]SummaryRow{
				{Term: "ชื่อ-นามสกุล", Value: "นายปัญญา ปั๊มญี่ปุ่น", Action: "แก้ไข", Href: "/rights/new", Dialog: true},
				{Term: "เลขประจำตัวประชาชน", Value: "1-2345-XXXXX-XX-1"},
				{Term: "สถานะ", Body: Badge(BadgeOK, "มีผล")},
			})),
		around(Card(CardParams{Title: "ประวัติของสิทธิ์"}),
			Timeline([]Event{
				{When: "22 พ.ย. 2569 10.15 น.", Machine: "2026-11-22T10:15:00+07:00", Title: "ยกเลิกสิทธิ์", Kind: BadgeDanger, By: "นายสมชาย ใจดี", Text: "ย้ายไปปฏิบัติราชการที่ สอจ.ปทุมธานี"},
				{When: "1 ต.ค. 2569 09.00 น.", Title: "ให้สิทธิ์พิจารณา", Kind: BadgeOK, By: "นายสมชาย ใจดี"},
				{When: "30 ก.ย. 2569 16.02 น.", Title: "สมัครใช้งาน"},
			})),
		`</div>`,
		Tiles(p, []TileGroup{
			{Title: "ระบบงานอนุญาต", Tiles: []Tile{
				{Label: "ระบบอนุญาตกากอุตสาหกรรม (กอ.1)", Href: "/ko1", Icon: IconFolder},
				{Label: "ระบบวัตถุอันตราย (HAZ2009) ของ กอ.", Href: "https://www.diw.go.th", Outside: true, Icon: IconFolder},
				{Label: "ระบบการจัดการวัสดุที่ไม่ใช่กากอเนกประสงค์ (ระบบเดิม)", Note: "ยังไม่มีที่อยู่เว็บไซต์", Kind: BadgeOff, Icon: IconFolder}}},
			{Title: "ภาคกลาง", Small: true, Tiles: []Tile{
				{Label: "นนทบุรี", Note: "ครบ", Href: "/rights", Kind: BadgeOK},
				{Label: "ปทุมธานี", Note: "ไม่มีผู้อนุมัติ", Href: "/rights", Kind: BadgeWarn},
				{Label: "พระนครศรีอยุธยา", Note: "ไม่มี อสจ.", Href: "/rights", Kind: BadgeDanger},
				{Label: "สิงห์บุรี", Note: "ครบ", Kind: BadgeOK}}},
		}),
		around(Box(BoxParams{Kind: NoticeWarn, Title: "ผลของการยกเลิก"}), "<p>จังหวัดนนทบุรีจะเหลือผู้อนุมัติ 0 คน</p>"),
		around(Box(BoxParams{Kind: NoticeError, Title: "ยกเลิกไม่ได้"}), "<p>ท่านไม่ใช่ อสจ. ของหน่วยงานนี้</p>"),
		around(Box(BoxParams{Title: "ผู้ใช้งาน"}), Person(html("3-9900-00000-20-1"), html("นายณัฐวุฒิ ศรีสุขสันต์"))),
		around(Card(CardParams{}), Empty(EmptyParams{Title: "ยังไม่มีผู้มีสิทธิ์พิจารณา", Text: "กด + เพื่อเพิ่มเจ้าหน้าที่คนแรก", Action: &ButtonLinkParams{Label: "เพิ่มเจ้าหน้าที่", Icon: IconPlus, Kind: Primary, Href: "/rights/new", Dialog: true}})),
		`<div class="table-sheet"><table class="table"><caption class="visually-hidden">สิทธิ์ของฉัน</caption><thead><tr><th scope="col">หน่วยงาน</th><th scope="col">ระดับ</th><th scope="col">ถึงวันที่</th></tr></thead><tbody>`,
		`<tr><td data-label="หน่วยงาน">นนทบุรี</td><td data-label="ระดับ">`, Badge(BadgeLevel, "1 พิจารณา"), `</td><td data-label="ถึงวันที่">30 ก.ย. 2570</td></tr></tbody></table></div>`,
	)
}

// register is the form of the manual; as POST it comes back with its errors.
func (g *guide) register(r *http.Request) (Page, templ.Component) {
	p := g.base(r)
	p.Title, p.Subtitle, p.Narrow, p.Who = "ข้อมูลการสมัครใช้งานระบบเจ้าหน้าที่", "กรุณากรอกข้อมูลและตรวจสอบข้อมูลให้ครบถ้วน", true, nil
	if r.Method == http.MethodPost || r.FormValue("wrong") != "" {
		p.Problems = []FieldError{
			{"citizen_id", "เลขประจำตัวประชาชนไม่ถูกต้อง"}, {"unit", "กรุณาเลือกหน่วยงาน"},
			{"password", "รหัสผ่านสั้นเกินไป"}, {"terms", "กรุณายอมรับข้อกำหนดและเงื่อนไข"}, {"", "ข้อมูลนี้หมดอายุแล้ว"},
		}
	}
	return p, around(Card(CardParams{}), `<form class="form" method="post" action="/register" novalidate>`,
		RequiredNote(p), `<div class="form-grid">`,
		CitizenIDField(p, FieldParams{Name: "citizen_id", Label: "เลขประจำตัวประชาชน", Value: r.FormValue("citizen_id"), Required: true}),
		Field(p, FieldParams{Name: "phone", Label: "เบอร์โทรศัพท์มือถือ", Type: "tel", Autocomplete: "tel", Required: true}),
		Field(p, FieldParams{Name: "first", Label: "ชื่อจริง", Value: "ปัญญา ปั๊มญี่ปุ่น ฐูปญุ่ง", Autocomplete: "given-name", Required: true}),
		Field(p, FieldParams{Name: "last", Label: "นามสกุล", Autocomplete: "family-name", Required: true}),
		Select(p, SelectParams{Name: "unit", Label: "กรม/กอง/ศูนย์/สอจ.", Required: true, Empty: "เลือกหน่วยงาน", Value: "TH-12", Options: []Option{
			{"IWM", "กองบริหารจัดการกากอุตสาหกรรม", "ส่วนกลาง"}, {"TH-12", "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี", "ภาคกลาง"}}}),
		DateField(p, FieldParams{Name: "from", Label: "ตั้งแต่วันที่", Value: "22/11/2569"}),
		PasswordField(p, FieldParams{Name: "password", Label: "รหัสผ่าน", Hint: "ใช้อักษรตั้งแต่ 8 ตัวขึ้นไปประกอบด้วยตัวอักษร ตัวเลข และ สัญลักษณ์", Required: true, Autocomplete: "new-password"}),
		PasswordField(p, FieldParams{Name: "again", Label: "ยืนยันรหัสผ่าน", Required: true, Autocomplete: "new-password"}),
		`</div>`,
		Radios(p, SelectParams{Name: "contact", Label: "รับรหัสยืนยันทาง", Value: "sms", Options: []Option{{Value: "sms", Label: "เอสเอ็มเอส"}, {Value: "mail", Label: "อีเมล"}}}),
		Textarea(p, TextareaParams{Name: "note", Label: "หมายเหตุ", Hint: "ไม่เกิน 200 ตัวอักษร", Value: "ปั๊ ญุ ฐู\nที่นี่", MaxLength: 200}),
		around(Checkbox(p, CheckboxParams{Name: "terms", Label: "ยอมรับ", Required: true}), `<a href="/terms">ข้อกำหนดและเงื่อนไข</a>`),
		around(Actions(), Button(ButtonParams{Label: "ยืนยันการสมัครใช้งานระบบ"}), ButtonLink(ButtonLinkParams{Label: "หรือเข้าสู่ระบบ", Href: "/officer/login"})),
		`</form>`)
}

type row struct{ number, unit, team, id, name, from, to, state string }

var rows = func() []row {
	names := []string{"นางสาวกัญญารัตน์ ปิ่นแก้ว", "นายณัฐวุฒิ ศรีสุขสันต์", "นางปิยะนุช ตั้งมั่นคง", "ว่าที่ร้อยตรี ธีรภัทร์ ผู้ใหญ่ดี"}
	var out []row
	for i := range 26 {
		r := row{strconv.Itoa(i + 1), "นนทบุรี", "–", fmt.Sprintf("3-9900-%05d-%02d-%d", i*317, i%100, i%10), names[i%4], "22 พ.ย. 2569", "30 ก.ย. 2570", []string{"ok", "waiting", "warn"}[i%3]}
		if i%4 == 2 {
			r.unit, r.team = "กองบริหารจัดการกากอุตสาหกรรม", "กลุ่มพิจารณาอนุญาตกากอุตสาหกรรมที่ 2"
		}
		out = append(out, r)
	}
	return out
}()

func (g *guide) grid(r *http.Request, p Page) (Page, templ.Component) {
	const size = 5
	q := url.Values{}
	for name, values := range r.URL.Query() {
		if values[0] != "" {
			q.Set(name, values[0])
		}
	}
	found := slices.Clone(rows)
	found = slices.DeleteFunc(found, func(r row) bool {
		return !strings.Contains(r.id+" "+r.name, q.Get("q")) || !strings.Contains(r.id, q.Get("id")) || (q.Get("unit") == "IWM") != (r.team != "–") && q.Has("unit")
	})
	if q.Get("sort") == "-no" {
		slices.Reverse(found)
	}
	page := max(1, atoi(q.Get("page")))
	grid := Grid{
		Path: "/rights", Query: q, Page: page, Pages: (len(found) + size - 1) / size, Size: size, Sizes: []int{5, 20, 50}, Total: len(found),
		Caption: "ผู้มีสิทธิ์พิจารณา", ExportXLSX: "/rights.xlsx", ExportCSV: "/rights.csv",
		Add:         &ButtonLinkParams{Label: "เพิ่มเจ้าหน้าที่", Icon: IconPlus, Kind: Primary, Href: "/rights/new", Dialog: true, Attrs: templ.Attributes{"id": "add"}},
		SearchLabel: "ค้นหาชื่อ หรือเลขบัตรประชาชน",
		Nothing:     EmptyParams{Title: "ยังไม่มีผู้มีสิทธิ์พิจารณา", Text: "กด + เพิ่มเจ้าหน้าที่ เพื่อเพิ่มคนแรก"},
		Columns: []Column{
			{Key: "no", Label: "ลำดับ", Filter: Filter{Name: "no", InputMode: "numeric"}},
			{Key: "unit", Label: "กอง/จังหวัด", Filter: Filter{Name: "unit", Options: units}},
			{Key: "team", Label: "กลุ่ม", Filter: Filter{Name: "team", Options: []Option{{Value: "2", Label: "กลุ่มพิจารณาอนุญาตกากอุตสาหกรรมที่ 2"}}}},
			{Label: "ระดับ", Filter: Filter{Name: "level", Options: []Option{{Value: "1", Label: "1 พิจารณา"}}}},
			{Key: "id", Label: "เลขบัตรประชาชน", Filter: Filter{Name: "id", InputMode: "numeric", Hint: "เลขหรือชื่อ"}},
			{Key: "from", Label: "ตั้งแต่", Filter: Filter{Name: "from"}},
			{Key: "to", Label: "ถึง", Filter: Filter{Name: "to"}},
			{Label: "สถานะ", Filter: Filter{Name: "state", Options: []Option{{Value: "ok", Label: "มีผล"}}}},
			{},
		},
	}
	var body []any
	for i, row := range found[min((page-1)*size, len(found)):min(page*size, len(found))] {
		kind := BadgeKind(row.state)
		label := map[BadgeKind]string{BadgeOK: "มีผล", BadgeWaiting: "รอยืนยัน", BadgeWarn: "ใกล้สิ้นสุด"}[kind]
		class := ""
		if i == 1 && q.Has("new") {
			class = ` class="is-new"`
		}
		body = append(body, fmt.Sprintf(`<tr%s><td data-label="ลำดับ">%s</td><td data-label="กอง/จังหวัด">%s</td><td data-label="กลุ่ม">%s</td><td data-label="ระดับ">`, class, row.number, row.unit, row.team),
			Badge(BadgeLevel, "1 พิจารณา"), `</td><td class="lead" data-label="เลขบัตรประชาชน">`, Person(Marked(row.id, q.Get("q")), Marked(row.name, q.Get("q"))),
			fmt.Sprintf(`</td><td data-label="ตั้งแต่" class="nowrap">%s</td><td data-label="ถึง" class="nowrap">%s</td><td data-label="สถานะ">`, row.from, row.to),
			Badge(kind, label), `</td><td class="act">`,
			ButtonLink(ButtonLinkParams{Label: "ลบ", Href: "/rights/end", Kind: QuietRed, Note: "สิทธิ์ของ " + row.name, Dialog: true, Attrs: templ.Attributes{"id": "end-" + row.number}}), `</td></tr>`)
	}
	return p, around(GridTable(p, grid), body...)
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

func (g *guide) rights(w http.ResponseWriter, r *http.Request) {
	p := g.base(r)
	p.Title, p.Subtitle = "กำหนดสิทธิ์การใช้งาน", "สำหรับ อสจ.นนทบุรี · เพิ่มหรือยกเลิกสิทธิ์ของเจ้าหน้าที่ในจังหวัดของท่าน"
	p.Crumbs = []Crumb{{"เมนูระบบงาน", "/intranet"}, {"ระบบอนุญาตกากอุตสาหกรรม (กอ.1)", "/ko1"}}
	p.Path = "/ko1" + p.Path
	if g.saved > 0 && r.FormValue("new") != "" {
		p.Notice = &Notice{Kind: NoticeOK, Text: "บันทึกแล้ว " + strconv.Itoa(g.saved) + " ครั้ง"}
	}
	p, body := g.grid(r, p)
	if r.Header.Get("X-Fragment") == "grid" {
		time.Sleep(g.slow)
		if err := body.Render(r.Context(), w); err != nil {
			g.t.Errorf("render grid: %v", err)
		}
		return
	}
	eight, two := 8, 2
	g.answer(w, r, http.StatusOK, p, html(Tabs("ระดับของสิทธิ์", []Tab{{"พิจารณา", "/rights", &eight, true}, {"อนุมัติ", "/rights", &two, false}}), body))
}

func (g *guide) give(r *http.Request) (Page, templ.Component) {
	p := g.base(r)
	p.Title, p.Subtitle = "เจ้าหน้าที่ผู้ใช้งาน", "เพิ่มเจ้าหน้าที่ที่มีสิทธิ์พิจารณา"
	p.Narrow = true
	if r.Method == http.MethodPost {
		p.Problems = []FieldError{{"citizen_id", "กรุณากรอกเลขบัตรประชาชน"}}
	}
	return p, around(Card(CardParams{}), `<form class="form" method="post" action="/rights/new" novalidate data-lookup-url="/rights/person" data-lookup-target="person">`,
		RequiredNote(p), `<div class="form-grid">`,
		Select(p, SelectParams{Name: "unit", Label: "กอง/จังหวัด", Required: true, Options: units, Value: "TH-12"}),
		Select(p, SelectParams{Name: "team", Label: "กลุ่ม", Hint: "เฉพาะกองส่วนกลาง", Empty: "ทั้งกอง"}),
		CitizenIDField(p, FieldParams{Name: "citizen_id", Label: "เลขบัตรประชาชน", Required: true, Value: r.FormValue("citizen_id")}),
		`<div id="person" class="span" aria-live="polite"></div>`,
		DateField(p, FieldParams{Name: "from", Label: "ตั้งแต่วันที่"}), DateField(p, FieldParams{Name: "to", Label: "ถึงวันที่"}),
		`</div>`, around(Actions(), Button(ButtonParams{Label: "บันทึก (Save)"}), ButtonLink(ButtonLinkParams{Label: "ยกเลิก", Href: "/rights", Cancel: true})), `</form>`)
}

func (g *guide) save(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("citizen_id") == "" {
		p, body := g.give(r)
		g.answer(w, r, http.StatusUnprocessableEntity, p, body)
		return
	}
	g.saved++
	if r.Header.Get("X-Fragment") == "dialog" {
		w.Header().Set("X-Location", "/rights?new=1")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(w, r, "/rights?new=1", http.StatusSeeOther)
}

func (g *guide) end(r *http.Request) (Page, templ.Component) {
	p := g.base(r)
	p.Title, p.Narrow = "ยกเลิกสิทธิ์", true
	return p, around(Card(CardParams{}), `<form class="form" method="post" action="/rights/new" novalidate>`,
		around(Box(BoxParams{Kind: NoticeWarn, Title: "ผลของการยกเลิก"}), "<p>จังหวัดนนทบุรีจะเหลือผู้พิจารณา 7 คน</p>"),
		Textarea(p, TextareaParams{Name: "reason", Label: "เหตุผล", Required: true}),
		around(Actions(), Button(ButtonParams{Label: "ยกเลิกสิทธิ์", Kind: Danger}), ButtonLink(ButtonLinkParams{Label: "ไม่ยกเลิก", Href: "/rights", Cancel: true})), `</form>`)
}

func (g *guide) person(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery != "" {
		g.t.Errorf("the citizen ID came in a URL: %s", r.URL)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	box := around(Box(BoxParams{Title: "ผู้ใช้งาน"}), Person(html(templ.EscapeString(r.FormValue("citizen_id"))), html("นายณัฐวุฒิ ศรีสุขสันต์ · "+r.FormValue("unit"))))
	if err := box.Render(r.Context(), w); err != nil {
		g.t.Errorf("render person: %v", err)
	}
}

// rendered is the body of a GET of the style guide.
func rendered(t *testing.T, base, path, lang string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Language", lang)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_, err = b.ReadFrom(answer.Body)
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %d, %v", path, answer.StatusCode, err)
	}
	return b.String()
}

package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	tlogproof "github.com/transparency-dev/formats/proof"

	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/person"
	"sitthi/web/views"
)

// recorders are the packages whose acts the log holds; commands is the last of them.
var recorders = []string{"officer", "signin", "grant", "agency", "dossier", "delivery", "portal", "program", "legacy", "helpdesk", "internal/rekey", "internal/retention", commands}

const commands = "cmd/sitthi"

// TestLogKnowsEveryAct reads the program for the names of acts, so that no act is recorded that the log can not tell
// in words or be searched for.
func TestLogKnowsEveryAct(t *testing.T) {
	found := map[string]bool{}
	for _, name := range recorders {
		for act := range actsOf(t, filepath.Join("..", name)) {
			found[act] = true
		}
	}
	got, want := slices.Sorted(slices.Values(logActs)), slices.Sorted(maps.Keys(found))
	if !slices.Equal(got, want) {
		t.Errorf("the log knows %v,\nthe program does %v", got, want)
	}
	catalog, err := locale.Load(locales, "locales")
	if err != nil {
		t.Fatal(err)
	}
	for _, act := range want {
		group, _, _ := strings.Cut(act, ".")
		for _, key := range []string{"log.act." + act, "log.group." + group} {
			if !catalog.Has(key) {
				t.Errorf("%s has no text", key)
			}
		}
	}
}

// actsOf answers the names of all acts of a package: what is given to the field Name of an audit.Act, directly, by
// way of a parameter, or by way of a field called name.
func actsOf(t *testing.T, folder string) map[string]bool {
	t.Helper()
	acts, fields, params := map[string]bool{}, map[string]bool{}, map[string]int{}
	name := func(e ast.Expr) {
		if text, ok := textOf(e); ok {
			acts[text] = true
		}
	}
	trees := sourceOf(t, folder)
	eachNode(trees, func(n ast.Node, in *ast.FuncDecl) {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if s, ok := n.Type.(*ast.SelectorExpr); !ok || s.Sel.Name != "Act" {
				return
			}
			value := valueOf(n, "Name")
			name(value)
			switch value := value.(type) {
			case *ast.Ident:
				params[in.Name.Name] = paramOf(in, value.Name)
			case *ast.SelectorExpr:
				fields[value.Sel.Name] = true
			}
		case *ast.AssignStmt:
			if s, ok := n.Lhs[0].(*ast.SelectorExpr); ok && s.Sel.Name == "Name" && named(s.X, "act") {
				name(n.Rhs[0])
			}
		}
	})
	eachNode(trees, func(n ast.Node, _ *ast.FuncDecl) {
		switch n := n.(type) {
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok {
				if i, ok := params[s.Sel.Name]; ok {
					name(n.Args[i])
				}
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && fields[key.Name] {
				name(n.Value)
			}
		}
	})
	return acts
}

// TestLogKnowsEveryFact reads the program for the names of the facts and texts that entries hold.
func TestLogKnowsEveryFact(t *testing.T) {
	catalog, err := locale.Load(locales, "locales")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	check := func(e ast.Expr, at string) {
		name, ok := textOf(e)
		if !ok || name == "why" { // told as the reason of a refusal
			return
		}
		found++
		if !catalog.Has("log.fact." + name) {
			t.Errorf("%s: log.fact.%s has no text", at, name)
		}
	}
	for _, folder := range recorders {
		if folder == commands {
			continue // its facts are counts, and its other tables are no facts
		}
		eachNode(sourceOf(t, filepath.Join("..", folder)), func(n ast.Node, in *ast.FuncDecl) {
			if in == nil {
				return // a table of the package
			}
			switch n := n.(type) {
			case *ast.CompositeLit:
				m, ok := n.Type.(*ast.MapType)
				if !ok || !named(m.Key, "string") || !named(m.Value, "string") {
					return
				}
				for _, e := range n.Elts {
					check(e.(*ast.KeyValueExpr).Key, folder)
				}
			case *ast.AssignStmt:
				i, ok := n.Lhs[0].(*ast.IndexExpr)
				if !ok {
					return
				}
				x, ok := i.X.(*ast.SelectorExpr)
				if ok && (x.Sel.Name == "Detail" || x.Sel.Name == "Texts") || named(i.X, "m") || named(i.X, "facts") {
					check(i.Index, folder)
				}
			}
		})
	}
	if found < 20 {
		t.Errorf("found only %d facts: this test no longer reads the program rightly", found)
	}
}

func named(e ast.Expr, name string) bool {
	ident, ok := e.(*ast.Ident)
	return ok && ident.Name == name
}

func textOf(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// sourceOf parses a package without its tests.
func sourceOf(t *testing.T, folder string) (trees []*ast.File) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no source, %v", folder, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		trees = append(trees, tree)
	}
	return trees
}

func eachNode(trees []*ast.File, f func(n ast.Node, in *ast.FuncDecl)) {
	for _, tree := range trees {
		for _, d := range tree.Decls {
			in, _ := d.(*ast.FuncDecl)
			ast.Inspect(d, func(n ast.Node) bool {
				if n != nil {
					f(n, in)
				}
				return true
			})
		}
	}
}

func valueOf(lit *ast.CompositeLit, field string) ast.Expr {
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok && kv.Key.(*ast.Ident).Name == field {
			return kv.Value
		}
	}
	return nil
}

func paramOf(in *ast.FuncDecl, name string) int {
	i := 0
	for _, f := range in.Type.Params.List {
		for _, p := range f.Names {
			if p.Name == name {
				return i
			}
			i++
		}
	}
	return -1
}

func TestLogEntryInWords(t *testing.T) {
	catalog, err := locale.Load(locales, "locales")
	if err != nil {
		t.Fatal(err)
	}
	catalog.Missing = func(lang locale.Lang, key, arg string) { t.Errorf("text %q (%s) lacks %q", key, lang, arg) }
	s := &Server{catalog: catalog}
	entry := audit.Entry{
		ID: "e", At: storetest.Start, Outcome: audit.Denied, Place: 41,
		Act: audit.Act{
			Name: "grant.give", Actor: "chief", Subject: "nobody", Unit: "TH-12",
			Detail: map[string]string{
				"why": "problem.denied", "number": "7", "level": "1", "mutual": "true", "news": "x",
				"from": storetest.Start.Format(time.RFC3339), "until": "2027-09-30T17:00:00Z",
			},
			Texts: map[string]string{"address": "192.0.2.7", "order_number": "12/2569", "note": "ช่วยราชการ"},
		},
	}
	names, units := map[person.ID]string{"chief": "สมชาย ใจดี"}, map[string]string{"TH-12": "นนทบุรี"}
	for lang, want := range map[locale.Lang]views.LogEntry{
		locale.TH: {
			When: "23 พ.ย. 2569 10:00 น.", Act: "ให้สิทธิ์", Why: "บัญชีของท่านไม่มีสิทธิ์ดำเนินการในส่วนนี้",
			Subject: views.LogPerson{Name: "บุคคลที่ยังไม่ได้สมัครใช้งาน"},
			Facts: []views.LogFact{
				{Label: "ลำดับ", Value: "7"}, {Label: "ระดับ", Value: "พิจารณา"},
				{Label: "ตั้งแต่วันที่", Value: "23 พฤศจิกายน 2569"}, {Label: "ถึงวันที่", Value: "30 กันยายน 2570"},
				{Label: "เลขที่คำสั่ง", Value: "12/2569"}, {Label: "หมายเหตุ", Value: "ช่วยราชการ"},
				{Label: "หัวหน้าสองหน่วยงานให้สิทธิ์แก่กัน", Value: "ใช่"}, {Label: "news", Value: "x"},
			},
		},
		locale.EN: {
			When: "23 Nov 2026 10:00", Act: "Gave a right", Why: catalog.Text(locale.EN, "problem.denied", nil),
			Subject: views.LogPerson{Name: "person who has not registered"},
			Facts: []views.LogFact{
				{Label: "No.", Value: "7"}, {Label: "Level", Value: "consider"},
				{Label: "From", Value: "23 November 2026"}, {Label: "Until", Value: "30 September 2027"},
				{Label: "Order number", Value: "12/2569"}, {Label: "Note", Value: "ช่วยราชการ"},
				{Label: "Two heads gave each other rights", Value: "yes"}, {Label: "news", Value: "x"},
			},
		},
	} {
		want.Proof = "/admin/log/e/proof"
		want.Machine, want.Denied, want.Place, want.Unit, want.Address = "2026-11-23T03:00:00Z", true, "41", "นนทบุรี", "192.0.2.7"
		want.Actor = views.LogPerson{Name: "สมชาย ใจดี", Href: "/admin/log?actor=chief&unit=TH-12"}
		want.Subject.Href = "/admin/log?subject=nobody&unit=TH-12"
		v := &Visit{Lang: lang, server: s}
		got := s.logEntry(v, entry, names, units, map[string][]string{"unit": {"TH-12"}})
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v,\nwant %+v", lang, got, want)
		}
	}
}

func TestLogEntryOfNoPerson(t *testing.T) {
	catalog, err := locale.Load(locales, "locales")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{catalog: catalog}
	v := &Visit{Lang: locale.EN, server: s}
	for actor, want := range map[string]string{"": "visitor, not signed in", audit.Terminal: "operator at the server", audit.System: "the system itself"} {
		e := s.logEntry(v, audit.Entry{Act: audit.Act{Name: "x.old", Actor: actor}, Place: -1}, nil, nil, nil)
		if e.Actor.Name != want || e.Act != "x.old" || e.Place != "" || e.Subject != (views.LogPerson{}) {
			t.Errorf("%q is told as %+v", actor, e)
		}
	}
}

func TestLogIsForItsReaders(t *testing.T) {
	k := newKit(t)
	if a := k.visitor(t).get("/admin/log"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.location, "/officer/login?") {
		t.Errorf("a visitor is answered %d %s", a.status, a.location)
	}
	for _, citizen := range []string{chief12, considers, without} {
		k.as(t, citizen).get("/admin/log").wants(http.StatusForbidden).lacks("ให้สิทธิ์")
		k.as(t, citizen).post("/admin/log", "citizen_id", chief12).wants(http.StatusForbidden)
	}
	for _, citizen := range []string{admin1, auditor} {
		k.as(t, citizen).get("/admin/log").wants(http.StatusOK, "บันทึกการใช้งาน", "ให้สิทธิ์", "วิชัย นนทบุรี", "บุคคลที่ยังไม่ได้สมัครใช้งาน", "รอผนึก")
		k.as(t, citizen).in(locale.EN).get("/admin/log").wants(http.StatusOK, "Activity log", "Gave a right", "Nonthaburi")
	}
}

func TestLogFilters(t *testing.T) {
	k := newKit(t)
	b := k.as(t, auditor)
	for _, test := range []struct {
		query string
		has   []string
		lacks []string
	}{
		{"unit=TH-13", []string{"มาลี ปทุมธานี"}, []string{"วิชัย นนทบุรี"}},
		{"act=agency.team_add", []string{"กลุ่มหนึ่ง", "สมหญิง ระบบดี"}, []string{"วิชัย นนทบุรี"}},
		{"act=agency.team_add&unit=TH-12", []string{"ไม่พบรายการ"}, []string{"<table"}},
		{"actor=" + string(k.who[chief12]), []string{"สุดา พิจารณา"}, []string{"มาลี ปทุมธานี"}},
		{"actor=" + audit.Terminal, []string{"แต่งตั้งผู้ดูแลระบบส่วนกลางจากเครื่องแม่ข่าย"}, []string{"วิชัย นนทบุรี"}},
		{"subject=" + string(k.who[considers]), []string{"สุดา พิจารณา", "วิชัย นนทบุรี"}, []string{"อนุชา อนุมัติ"}},
		{"outcome=denied", []string{"ไม่พบรายการ"}, nil},
		{"from=23/11/2569&to=23/11/2569", []string{"วิชัย นนทบุรี"}, nil},
		{"from=24/11/2569", []string{"ไม่พบรายการ"}, nil},
		{"to=22/11/2569", []string{"ไม่พบรายการ"}, nil},
		{"unit=%3Cb%3E&act=x&colour=red", []string{"ไม่พบรายการ", "&lt;b&gt;"}, []string{"<b>"}},
	} {
		b.get("/admin/log?"+test.query).wants(http.StatusOK, test.has...).lacks(test.lacks...)
	}
	b.get("/admin/log?from=31/02/2569&unit=TH-12").wants(http.StatusUnprocessableEntity, "วันที่ไม่ถูกต้อง", "31/02/2569").lacks("<table")
	b.get("/admin/log?before=x").wants(http.StatusNotFound)
}

func TestLogFindsPersonsWithoutTheirIDInTheAddress(t *testing.T) {
	k := newKit(t)
	b := k.as(t, auditor)
	found := b.post("/admin/log", "citizen_id", "3-9900-00000-10-4", "role", "actor", "unit", "TH-12", "act", "grant.give")
	if want := "/admin/log?act=grant.give&actor=" + string(k.who[chief12]) + "&unit=TH-12"; found.location != want {
		t.Errorf("found at %q, want %q", found.location, want)
	}
	found.follow().wants(http.StatusOK, "สุดา พิจารณา").lacks("มาลี ปทุมธานี", "0000010")
	b.post("/admin/log", "citizen_id", chief12, "role", "anything").follow().wants(http.StatusOK, "ยืนยันการแต่งตั้ง")
	b.get("/admin/log?act=person.look_up").wants(http.StatusOK, "ยุติธรรม ตรวจสอบ", "วิชัย นนทบุรี")

	b.post("/admin/log", "citizen_id", "1234", "unit", "TH-12").wants(http.StatusUnprocessableEntity, "เลขประจำตัวประชาชนไม่ถูกต้อง", "1234", "TH-12")
	b.post("/admin/log", "citizen_id", "5990000000011").wants(http.StatusUnprocessableEntity, "ไม่พบบุคคลที่มีเลขประจำตัวประชาชนนี้ในระบบ")
}

func TestLogPages(t *testing.T) {
	k := newKit(t)
	for i := range 120 {
		k.Clock.Advance(time.Second)
		k.write(t, func(tx *store.Tx) error {
			return audit.Record(t.Context(), tx, audit.Act{Name: "old.act", Actor: audit.System, Detail: map[string]string{"number": strconv.Itoa(1000 + i)}})
		})
	}
	b := k.as(t, auditor)
	page := b.get("/admin/log?act=old.act").wants(http.StatusOK, ": 1119<", ": 1070<").lacks(": 1069<", "กลับไปรายการล่าสุด")
	page = b.get(older(t, page)).wants(http.StatusOK, ": 1069<", ": 1020<", "กลับไปรายการล่าสุด").lacks(": 1070<", ": 1019<")
	b.get(older(t, page)).wants(http.StatusOK, ": 1019<", ": 1000<").lacks(": 1020<", "รายการที่เก่ากว่า")
}

// older is the address of the page after this one.
func older(t *testing.T, page *answer) string {
	t.Helper()
	_, after, ok := strings.Cut(page.body, `href="/admin/log?act=old.act&amp;before=`)
	if !ok {
		t.Fatalf("no older page:\n%s", page.text())
	}
	cursor, _, _ := strings.Cut(after, `"`)
	return "/admin/log?act=old.act&before=" + cursor
}

// TestLogProof downloads the proof of an entry, which an independent program reads; docs/proof.md is tested with more.
func TestLogProof(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		b := k.as(t, auditor)
		entries, _, err := k.book.Log(t.Context(), k.who[auditor], audit.Query{Act: "grant.give", Limit: 1})
		check(t, err)
		path := "/admin/log/" + entries[0].ID + "/proof"
		b.get("/admin/log").wants(http.StatusOK).lacks(path)
		b.get(path).wants(http.StatusConflict, "ยังไม่ได้ผนึก")
		b.get("/admin/log/"+store.NewID()+"/proof").wants(http.StatusNotFound, "ไม่พบรายการนี้")

		sealer := must(audit.NewSealer(k.DB, k.ring, k.server.Log))(t)
		for must(sealer.Seal(t.Context()))(t) > 0 {
			continue
		}
		for _, citizen := range []string{auditor, admin1} {
			b := k.as(t, citizen)
			b.get("/admin/log").wants(http.StatusOK, path)
			a := b.get(path).wants(http.StatusOK)
			if got := a.header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="entry-`) {
				t.Errorf("saved as %q", got)
			}
			var proof tlogproof.TLogProof
			check(t, proof.Unmarshal([]byte(a.body)))
			leaf := string(proof.ExtraData)
			if !strings.Contains(leaf, entries[0].ID) || strings.Contains(leaf, "\n") || !strings.HasPrefix(string(proof.Checkpoint), "sitthi/audit\n") {
				t.Errorf("leaf %s", leaf)
			}
		}
		for _, citizen := range []string{chief12, considers} {
			k.as(t, citizen).get(path).wants(http.StatusForbidden).lacks("tlog")
		}
	})
}

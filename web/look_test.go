package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/web/views"
)

// looks counts the looks on record of who is behind a citizen ID.
func (k *kit) looks(t *testing.T) int {
	t.Helper()
	entries, next, err := k.book.Log(t.Context(), k.who[auditor], audit.Query{Act: "person.look_up", Limit: 200})
	if check(t, err); next != "" {
		t.Fatal("too many looks to count")
	}
	return len(entries)
}

// asked are citizen IDs about which a form could tell different things.
var asked = map[string]string{
	"of the office": without, "with the right already": considers, "of another office": considers3, "head elsewhere": chief13,
	"named, not registered": unknown, "unheard of": "1990000000043", "an administrator's": admin2, "no check digit": "3990000000202",
}

// TestFormsAreLooks sends citizen IDs in the forms that give and propose. Each is a look on record like that of the
// look-up itself, and when there have been too many nothing is told of a further ID, nor done.
func TestFormsAreLooks(t *testing.T) {
	for _, form := range []struct {
		name, who, look, post string
		fields                []string
	}{
		{"give", chief12, "/ko1/rights/consider/person", "/ko1/rights/consider", []string{"unit", "TH-12"}},
		{"give, all boxes ticked", chief12, "/ko1/rights/consider/person", "/ko1/rights/consider", []string{"unit", "TH-12", "confirmed", "yes", "other_office", "yes"}},
		{"give, a wrong day", chief12, "/ko1/rights/consider/person", "/ko1/rights/consider", []string{"unit", "TH-12", "last_day", "31/2/2570"}},
		{"deputy", chief12, "/ko1/deputies/person", "/ko1/deputies/new", []string{"unit", "TH-12", "order_number", "1", "last_day", "30/09/2570"}},
		{"head", admin1, "/admin/appointments/person", "/admin/appointments/new", []string{"unit", "TH-14", "post", "head", "kind", "regular", "order_number", "1"}},
		{"auditor", admin1, "/admin/appointments/person", "/admin/appointments/new", []string{"post", "auditor", "order_number", "1"}},
	} {
		t.Run(form.name, func(t *testing.T) {
			k := newKit(t)
			b := k.as(t, form.who)
			send := func(path, citizen string) *answer {
				return b.post(path, append([]string{"citizen", citizen, "form", newForm(), "note", "สิ่งที่พิมพ์ไว้"}, form.fields...)...)
			}
			send(form.post, unknown)
			if n := k.looks(t); n != 1 {
				t.Errorf("the form is %d looks on record", n)
			}
			for range 29 {
				send(form.look, without).wants(http.StatusOK)
			}
			before := k.done(t)
			var same, first string
			for name, citizen := range asked {
				a := send(form.post, citizen)
				if name == "no check digit" { // says nothing about anybody
					a.wants(http.StatusUnprocessableEntity)
					continue
				}
				a.wants(http.StatusTooManyRequests, "ถี่เกินไป", "สิ่งที่พิมพ์ไว้", citizen)
				if a.header.Get("Retry-After") == "" {
					t.Error("does not say when to ask again")
				}
				told := formField.ReplaceAllString(strings.ReplaceAll(a.body, citizen, "…"), "")
				if same == "" {
					same, first = told, name
				}
				if told != same {
					t.Errorf("%s: the answer differs from that for %s:\n%s", name, first, a.text())
				}
			}
			if after := k.done(t); after != before || k.looks(t) != 30 {
				t.Errorf("done past the limit:\n%s\n%s\n%d looks", before, after, k.looks(t))
			}
		})
	}
}

// done is every right and appointment, as far as forms can add to them.
func (k *kit) done(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	check(t, k.book.Each(t.Context(), k.who[auditor], grant.Filter{State: "all"}, func(r grant.Row) error {
		all.WriteString(r.ID + " ")
		return nil
	}))
	for _, a := range must(k.book.Appointments(t.Context(), k.who[auditor], grant.AppointmentFilter{All: true}))(t).List {
		all.WriteString(a.ID + " ")
	}
	return all.String()
}

// Who is not shown beside a form because something failed is no form without him.
func TestFaultsBesideFormsAreTold(t *testing.T) {
	k := newKit(t)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	opened := k.as(t, chief12)
	r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
	r.AddCookie(&http.Cookie{Name: k.server.cookieName(sessionCookie), Value: opened.cookies[k.server.cookieName(sessionCookie)]})
	v := k.server.visit(r)
	check(t, k.server.identify(httptest.NewRecorder(), r, v))
	r = r.WithContext(over)
	for _, order := range []grant.Order{{Unit: "TH-12", Person: k.who[without]}, {Unit: "TH-12", Citizen: k.citizen(t, without)}} {
		if found, err := k.server.foundFor(r, v, order); found != nil || err == nil {
			t.Errorf("%+v, %v", found, err)
		}
		proposal := grant.AppointmentOrder{Unit: order.Unit, Post: grant.Head, Kind: grant.Acting, Person: order.Person, Citizen: order.Citizen}
		if found, err := k.server.appointee(r, v, proposal); found != nil || err == nil {
			t.Errorf("%+v, %v", found, err)
		}
	}
	// Nobody named, and somebody who may not be shown, are no faults.
	r = r.WithContext(t.Context())
	for _, order := range []grant.Order{{Unit: "TH-12"}, {Citizen: k.citizen(t, without)}, {Unit: "TH-12", Person: k.who[considers3]}} {
		if found, err := k.server.foundFor(r, v, order); found != nil || err != nil {
			t.Errorf("%+v, %v", found, err)
		}
	}
}

// A script that looks a person up gets a piece of page whatever happens.
func TestLookUpsAreAnsweredInPieces(t *testing.T) {
	k := newKit(t)
	fields := []string{"unit", "TH-12", "citizen", without}
	chief, other := k.as(t, chief12).fragment("lookup"), k.as(t, considers).fragment("lookup")
	for _, a := range []*answer{
		chief.post("/ko1/rights/consider/person", fields...).wants(http.StatusOK, "ปิติ ใจดี"),
		chief.post("/ko1/rights/nothing/person", fields...).wants(http.StatusNotFound, `class="box`),
		chief.post("/ko1/deputies/person", append(fields, "note", strings.Repeat("ก", 30_000))...).wants(http.StatusRequestEntityTooLarge, `class="box`),
		other.post("/ko1/rights/consider/person", fields...).wants(http.StatusForbidden, `class="box`, "02-430-6980").lacks("ปิติ"),
	} {
		a.lacks("<html", "<h1", "<main", "dialog-content")
	}
}

// What a sentence says of an end it says with the right word before it.
func TestSentencesAboutTheEnd(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	open := map[locale.Lang]string{locale.TH: "โดยไม่มีกำหนดสิ้นสุด", locale.EN: "with no end date"}
	day := map[locale.Lang]string{locale.TH: "ถึง 30 ก.ย. 2570", locale.EN: "until 30 Sep 2027"}
	wrong := []string{"ถึง ไม่มี", "ถึง โดย", "until No end", "until with", "ถึงไม่มี"}
	for _, lang := range []locale.Lang{locale.TH, locale.EN} {
		chief.in(lang)
		for form, want := range map[string]string{"": open[lang], "30/09/2570": day[lang]} {
			for _, from := range []string{"", "1/1/2570"} {
				saved := chief.post("/ko1/rights/approve", "form", newForm(), "unit", "TH-12", "citizen", without, "confirmed", "yes", "from", from, "last_day", form)
				saved.follow().wants(http.StatusOK, want).lacks(wrong...)
				_, id, _ := strings.Cut(saved.location, "saved=")
				chief.get("/ko1/grants/"+id).wants(http.StatusOK, want).lacks(wrong...)
				chief.post("/ko1/grants/"+id+"/change", "version", "1", "last_day", form, "note", "x").follow().wants(http.StatusOK, want).lacks(wrong...)
				chief.post("/ko1/grants/"+id+"/end", "reason", "x", "leaves_none", "yes").wants(http.StatusSeeOther)
			}
		}
	}
	k.register(t, unknown, "สมัคร", "ภายหลัง", "TH-12")
	chief.in(locale.TH).get("/ko1/rights/waiting").wants(http.StatusOK, open[locale.TH]).lacks(wrong...)
	chief.in(locale.EN).get("/ko1/rights/waiting").wants(http.StatusOK, open[locale.EN]).lacks(wrong...)
}

// A person found by his ID stays found when the form is sent again with other filters, until something else is typed
// where the ID is shown.
func TestGridKeepsThePersonFound(t *testing.T) {
	k := newKit(t)
	for _, who := range []string{auditor, chief12} {
		b := k.as(t, who)
		shown := k.citizen(t, considers).Mask()
		if who == chief12 {
			shown = k.citizen(t, considers).Dashed()
		}
		id := string(k.who[considers])
		b.get("/ko1/rights?citizen="+considers).follow().
			wants(http.StatusOK, `name="person" value="`+id+`" data-shown-in="citizen"`, `value="`+shown+`"`, "สุดา").lacks("อนุชา")
		send := func(pairs ...string) *answer {
			form := url.Values{"person": {id}}
			for i := 0; i < len(pairs); i += 2 {
				form.Set(pairs[i], pairs[i+1])
			}
			a := b.get("/ko1/rights?" + form.Encode())
			if a.status == http.StatusSeeOther {
				a = a.follow()
			}
			return a
		}
		send("citizen", shown, "unit", "TH-12", "state", "active").wants(http.StatusOK, "สุดา", `value="`+id+`"`).lacks("อนุชา")
		// Even when the other filters hide all his rights, the field shows whom the grid is asked for.
		send("citizen", shown, "level", "approve").wants(http.StatusOK, `value="`+id+`"`, `value="`+shown+`"`).lacks("อนุชา")
		// Emptied, or typed over by a name of any length or alphabet, the field lets go of him.
		send("citizen", "", "unit", "TH-12").wants(http.StatusOK, "สุดา", "อนุชา").lacks("data-shown-in")
		send("citizen", "อนุชา").wants(http.StatusOK, "อนุชา").lacks("data-shown-in", "สุดา")
		send("citizen", "Max").wants(http.StatusOK).lacks("data-shown-in", "สุดา", "อนุชา")
		send("citizen", approves).wants(http.StatusOK, "อนุชา", `value="`+string(k.who[approves])+`"`).lacks("สุดา")
	}
}

// An ID that an auditor or administrator types into the grid is a look across the country.
func TestSearchingTheCountryIsALook(t *testing.T) {
	k := newKit(t)
	b := k.as(t, auditor)
	for n := range 30 {
		b.get("/ko1/rights?q=" + considers).wants(http.StatusSeeOther)
		if looks := k.looks(t); looks != n+1 {
			t.Fatalf("%d looks on record after %d", looks, n+1)
		}
	}
	for _, citizen := range []string{considers, "1990000000043"} {
		b.get("/ko1/rights?q="+citizen).wants(http.StatusTooManyRequests, "ถี่เกินไป")
		b.post("/admin/log", "citizen_id", citizen).wants(http.StatusTooManyRequests, "ถี่เกินไป")
	}
	k.as(t, chief12).get("/ko1/rights?q=" + considers).wants(http.StatusSeeOther)
	if looks := k.looks(t); looks != 30 {
		t.Errorf("%d looks on record", looks)
	}
}

func TestMasked(t *testing.T) {
	for text, want := range map[string]bool{"3-9900-XXXXX-XX-8": true, "Max": false, "3-9900-00000-20-1": false, "": false, "XXXXX-XX-": false} {
		if masked(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

// An export is on record, and only so many are made at a time.
func TestExportsAreRecordedAndFew(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	chief.get("/ko1/rights/consider/export.csv?state=all").wants(http.StatusOK)
	chief.get("/ko1/rights/all/export.xlsx?unit=TH-12").wants(http.StatusOK)
	k.as(t, auditor).get("/admin/log?act=grant.export").wants(http.StatusOK, "ส่งออกตารางสิทธิ์เป็นไฟล์", "CSV", "Excel", "จำนวนรายการ", "วิชัย")
	k.as(t, auditor).in(locale.EN).get("/admin/log?act=grant.export").wants(http.StatusOK, "Exported rights to a file", "Rows")
	for range cap(exporting) {
		exporting <- struct{}{}
	}
	busy := chief.get("/ko1/rights/consider/export.csv").wants(http.StatusTooManyRequests, "กรุณารอสักครู่แล้วกดส่งออกอีกครั้ง")
	if busy.header.Get("Retry-After") == "" || busy.header.Get("Content-Disposition") != "" {
		t.Errorf("the answer is headed %v", busy.header)
	}
	for range cap(exporting) {
		<-exporting
	}
	for range cap(exporting) + 1 { // each lets the next one in, also when it fails
		chief.get("/ko1/rights/consider/export.xlsx").wants(http.StatusOK)
		k.as(t, without).get("/ko1/rights/consider/export.csv").wants(http.StatusForbidden)
	}
}

// The box within a form says all that the page would.
func TestFailBox(t *testing.T) {
	k := newKit(t)
	v := k.server.visit(httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	var out strings.Builder
	check(t, views.Fail(v.Page("web.home"), views.FailParams{Box: true, Text: "ข้อความ", Lines: []string{"บรรทัด"}, Wait: "รอ", Next: "ต่อไป", Reference: "r-1"}).Render(t.Context(), &out))
	for _, want := range []string{"ข้อความ", "บรรทัด", "รอ", "ต่อไป", "r-1"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, out.String())
		}
	}
	if text := v.Tell(problem.New(problem.Busy, "rights.export_busy")); text == "" {
		t.Error("a busy export has no words")
	}
}

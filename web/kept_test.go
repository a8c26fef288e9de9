package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sitthi/grant"
	"sitthi/internal/store"
)

// sendFrom sends a form as a browser does from the page on which it stands.
func (b *browser) sendFrom(page, path string, pairs ...string) *answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r := must(http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.k.url+path, strings.NewReader(form.Encode())))(b.t)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Referer", b.k.url+page)
	return b.send(r)
}

// signInAgain signs somebody in on the page to which an answer leads, and opens what comes after.
func (a *answer) signInAgain(who string) *answer {
	a.b.t.Helper()
	to := must(url.Parse(a.wants(http.StatusSeeOther).location))(a.b.t)
	return a.b.signIn(who, to.Query().Get("next")).follow()
}

// Who fills in a form for so long that her session ends signs in again and finds the form as she left it; nothing is done
// for her.
func TestFormOutlivesTheSession(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		const page, sent, note = "/ko1/rights/consider/new?unit=TH-12", "/ko1/rights/consider", "คำสั่ง \"ที่\" <๑๒>/๒๕๖๙"
		fields := []string{"form", "old", "unit", "TH-12", "citizen", approves, "order_number", note, "note", "ตามที่ตกลงกัน", "confirmed", "yes", "stepup_password", "geheim"}
		chief := k.as(t, chief12)
		chief.get(page).wants(http.StatusOK)
		k.later(13 * time.Hour)
		sign := chief.sendFrom(page, sent, fields...)
		if strings.Contains(sign.location, approves) {
			t.Errorf("an ID stands in the address %s", sign.location)
		}
		sign.follow().wants(http.StatusOK, "ระบบเก็บข้อมูลที่ท่านกรอกไว้ให้แล้ว")
		back := sign.signInAgain(chief12).wants(http.StatusOK, "ยังไม่ได้บันทึก", `value="`+approves+`"`, "คำสั่ง &#34;ที่&#34; &lt;๑๒&gt;/๒๕๖๙", "ตามที่ตกลงกัน").lacks("geheim")
		if back.hidden("form") == "old" {
			t.Error("what is hidden in a form came back from before")
		}
		if k.book.Allows(k.who[approves], grant.DoConsider, grant.Place{Unit: "TH-12"}) {
			t.Error("the form acted by itself")
		}

		// A second window of the same browser, in which nobody is signed in any more; then another person signs in.
		k.later(13 * time.Hour)
		chief.get("/ko1/rights").wants(http.StatusSeeOther)
		again := chief.sendFrom(page, sent, fields...)
		if !strings.Contains(again.location, "kept") {
			t.Errorf("the form of a second window is lost: %s", again.location)
		}
		again.signInAgain(chief13).wants(http.StatusOK, "ไม่มีข้อมูลที่กรอกค้างไว้ของท่าน").lacks(approves, "ตามที่ตกลงกัน")

		// After a sign-out nothing is kept, and neither is the form of a stranger.
		chief.post("/officer/logout").wants(http.StatusSeeOther)
		for _, b := range []*browser{chief, k.visitor(t)} {
			if a := b.sendFrom(page, sent, fields...); strings.Contains(a.location, "kept") {
				t.Errorf("a form is kept for nobody: %s", a.location)
			}
		}
		var drafts int
		check(t, k.DB.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT count(*) FROM drafts`).Scan(&drafts)
		}))
		if drafts != 2 {
			t.Errorf("%d drafts", drafts)
		}
	})
}

// Where a form is found again: in a dialog, on the answer to a form that was refused, in a list with what is ticked.
func TestFormIsFoundAgain(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	page := chief.get("/ko1/rights/consider/many").wants(http.StatusOK)
	list := approves + "\n" + without
	form := []string{"form", page.hidden("form"), "unit", "TH-12", "list", list}
	checked := chief.post("/ko1/rights/consider/many", form...).wants(http.StatusSeeOther)
	k.later(13 * time.Hour)

	saved := chief.sendFrom(checked.location, "/ko1/rights/consider/many-save", append(form, "seen", "x", "known", without)...)
	saved.signInAgain(chief12).wants(http.StatusOK, "พร้อมแล้ว 1 คน", list, `value="`+without+`" checked`)

	k.later(13 * time.Hour)
	refused := chief.sendFrom("/ko1/rights/consider", "/ko1/rights/consider", "unit", "TH-12", "citizen", "12")
	refused.signInAgain(chief12).wants(http.StatusOK, `name="citizen"`, `value="12"`)

	k.later(13 * time.Hour)
	chief.fragment("dialog")
	in := chief.post("/ko1/rights/consider", "unit", "TH-12", "citizen", "34").wants(http.StatusNoContent)
	if to := in.header.Get("X-Location"); !strings.Contains(to, url.QueryEscape("/ko1/rights/consider/new?kept=")) {
		t.Errorf("a dialog leads to %s", to)
	}
}

func TestPour(t *testing.T) {
	page := func(form string) string { return "<!DOCTYPE html><html><head></head><body>" + form + "</body></html>" }
	for name, c := range map[string]struct {
		page, want string
		fields     url.Values
	}{
		"what is typed, chosen and ticked": {
			`<form method="post" action="/a?x=1"><input name="t" value="old"><input type="checkbox" name="c" checked><input type="radio" name="r" value="1" checked><input type="radio" name="r" value="2">` +
				`<select name="s"><option value="">-</option><option value="b" selected>b</option><option value="c">c</option></select><textarea name="l">old</textarea></form>`,
			`<form method="post" action="/a?x=1"><input name="t" value="&lt;new&gt;"/><input type="checkbox" name="c"/><input type="radio" name="r" value="1"/><input type="radio" name="r" value="2" checked=""/>` +
				`<select name="s"><option value="">-</option><option value="b">b</option><option value="c" selected="">c</option></select><textarea name="l">` + "\n\n" + `1</textarea></form>`,
			url.Values{"t": {"<new>"}, "r": {"2"}, "s": {"c"}, "l": {"\n1"}},
		},
		"nothing hidden and no password": {
			`<form method="POST" action="/a"><input type="hidden" name="h" value="new"><input type="password" name="p"><input name="t"></form>`,
			`<form method="POST" action="/a"><input type="hidden" name="h" value="new"/><input type="password" name="p"/><input name="t" value="1"/></form>`,
			url.Values{"h": {"old"}, "p": {"old"}, "t": {"1"}},
		},
		"names that stand there twice": {
			`<form method="post" action="/a"><input name="t"><input name="t"><input name="t"></form>`,
			`<form method="post" action="/a"><input name="t" value="1"/><input name="t" value="2"/><input name="t"/></form>`,
			url.Values{"t": {"1", "2"}},
		},
		"folded away": {
			`<details><form method="post" action="/b"><input name="t"></form></details>`,
			`<details open=""><form method="post" action="/b"><input name="t" value="1"/></form></details>`,
			url.Values{"t": {"1"}},
		},
		"by a button": {
			`<form method="post" action="/b"><input name="t"><button formaction="/a">a</button></form><form method="post" action="/c"><input name="t"></form>`,
			`<form method="post" action="/b"><input name="t" value="1"/><button formaction="/a">a</button></form><form method="post" action="/c"><input name="t"/></form>`,
			url.Values{"t": {"1"}},
		},
		"two that could be it": {`<form method="post" action="/b"><input name="t"></form><form method="post" action="/c"><input name="t"></form>`, "", url.Values{"t": {"1"}}},
		"a search":             {`<form method="get" action="/a"><input name="t"></form>`, "", url.Values{"t": {"1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := pour([]byte(page(c.page)), keptForm{Action: "/a", Fields: c.fields})
			if want := page(c.want); ok != (c.want != "") || ok && string(got) != want {
				t.Errorf("%v\n%s\nwant\n%s", ok, got, want)
			}
		})
	}
}

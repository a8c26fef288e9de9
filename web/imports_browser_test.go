package web

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"

	"sitthi/grant"
	"sitthi/internal/browsertest"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/legacy"
)

// A file as offices have it is uploaded, tried, worked through, signed by a second person and written; then the head of
// the unit finds on his list whom it brought, and where from.
func TestImportInABrowser(t *testing.T) {
	reader := func(n int) readerOf {
		one := kindsOfReader[n]
		return readerOf{lang: one.lang, opts: one.opts, name: fmt.Sprintf("%s-%d", one.lang, n)}
	}
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		r := reader(0)
		if env.DB.Engine() == store.Postgres {
			r = reader(3) // in English, on a phone: the tale is long, and each reader on each engine would add nothing
		}
		r.importMessy(t, kitOn(t, env))
	})
	t.Run("without scripts", func(t *testing.T) { reader(1).importMessy(t, newKit(t)) })
}

func (r readerOf) importMessy(t *testing.T, k *kit) {
	t.Helper()
	b := r.enter(t, k, admin1, "สมหญิง")
	b.Go("/admin/imports")
	b.See(r.say(t, "imports.none"))
	r.look(b, "imports-empty")
	b.Press(r.say(t, "imports.upload"))
	b.See(r.say(t, "imports.file_missing"))
	b.Fill("[name=source]", "กอ.1 เดิม")
	b.Upload("[name=file]", filepath.Join("..", "legacy", "testdata", "messy.xlsx"))
	b.Press(r.say(t, "imports.upload"))
	b.See(r.say(t, "imports.checking"))
	r.look(b, "imports-progress")
	path := b.Path()
	r.afterWork(t, k, b)
	b.See(r.say(t, "imports.balanced", "n", "18"), r.say(t, "imports.work_quarantine", "n", "13"), r.say(t, "legacy.denied_own_work"), "ผู้บันทึก")
	r.look(b, "imports-checked")
	r.workThrough(t, k, b, path)
	r.signAndWrite(t, k, path)
	r.cancelAnother(t, k, b)

	chief := r.enter(t, k, chief12, "วิชัย")
	chief.Go("/ko1/rights/waiting")
	chief.See("ปิติ ใจดี", "สมหญิง ใจดี", "1-9900-00090-01-8", r.say(t, legacy.MarkNotRegistered))
	r.look(chief, "imports-day-one")
	at := grant.Place{Unit: "TH-12"}
	if k.book.Allows(k.who[without], grant.DoConsider, at) {
		t.Error("a brought right holds before the head has confirmed")
	}
	chief.Press(r.say(t, "rights.confirm_person"))
	chief.See(r.say(t, "rights.waiting_none"))
	if !k.book.Allows(k.who[without], grant.DoConsider, at) {
		t.Error("a brought right does not hold though the head has confirmed")
	}
	chief.Go(storyPath("TH-12", k.who[without]))
	from := r.say(t, "rights.origin_is", "source", "กอ.1 เดิม", "row", "4", "file", "messy.xlsx", "line", 8, "at", r.moment(k))
	chief.See(from)
	r.look(chief, "imports-story")
	chief.In(".table tbody").Click(strconv.FormatInt(k.rightOf(t, chief12, without).Number, 10))
	chief.See(from, r.say(t, "rights.was_brought"))
	r.look(chief, "imports-right")
	b.Go("/ko1/grants/" + k.rightOf(t, chief12, without).ID)
	b.Click(r.say(t, "rights.origin_see"))
	b.See(r.say(t, "imports.line", "line", 8))
	r.look(b, "imports-line-written")
	mine := r.enter(t, k, without, "ปิติ")
	mine.Go("/my/rights")
	mine.See(from)
	r.look(mine, "imports-mine")
}

// afterWork has the desk do what it does in the background, and shows the page that waits for it anew.
func (r readerOf) afterWork(t *testing.T, k *kit, b *browsertest.Browser) {
	t.Helper()
	k.work(t)
	if r.opts.NoJS {
		b.Click(r.say(t, "imports.reload"))
	}
}

// moment is now as pages show it.
func (r readerOf) moment(k *kit) string {
	return moment(&Visit{Lang: r.lang}, k.Clock.Now())
}

// rightOf is the one open right of a citizen that a head sees.
func (k *kit) rightOf(t *testing.T, head, citizen string) grant.Row {
	t.Helper()
	page := must(k.book.Grid(t.Context(), k.who[head], grant.Filter{}))(t)
	for _, row := range page.Rows {
		if row.Person == k.who[citizen] {
			return row
		}
	}
	t.Fatalf("%s has no right", citizen)
	return grant.Row{}
}

// workThrough mends or sets aside every row that was quarantined: one of each kind by the pages, the rest by their forms.
func (r readerOf) workThrough(t *testing.T, k *kit, b *browsertest.Browser, path string) {
	t.Helper()
	b.Click(r.say(t, "imports.see_lines"))
	b.Select(r.say(t, "imports.result"), r.say(t, "imports.result_quarantined"))
	b.Press(r.say(t, "imports.filter"))
	b.See("เมืองทิพย์")
	r.look(b, "imports-lines")
	b.In(".table tbody").Click("10")
	b.See(r.say(t, "imports.correct"))
	r.look(b, "imports-line")
	b.Fill("[name=unit]", "ที่ไหนสักแห่ง")
	b.Press(r.say(t, "imports.correct_now"))
	b.See("ที่ไหนสักแห่ง")
	r.look(b, "imports-line-wrong")
	b.Fill("[name=unit]", "นนทบุรี")
	b.Press(r.say(t, "imports.correct_now"))
	b.See(r.say(t, "imports.line_corrected", "line", 10))
	k.work(t)

	b.Go(path + "/lines/17")
	b.See(r.say(t, "legacy.reason.run_out"))
	b.Click(r.say(t, "imports.set_aside"))
	b.Press(r.say(t, "imports.set_aside_now"))
	b.See(r.say(t, "grant.reason_missing"))
	r.look(b, "imports-aside-wrong")
	b.Fill("[name=reason]", "หมดอายุแล้ว")
	b.Press(r.say(t, "imports.set_aside_now"))
	b.See(r.say(t, "imports.line_aside", "line", 17), "หมดอายุแล้ว")
	k.work(t)
	r.look(b, "imports-lines-aside")
	b.Go(path + "/lines/17")
	b.See(r.say(t, "imports.is_aside"))
	r.look(b, "imports-aside")
	b.Press(r.say(t, "imports.take_back"))
	b.See(r.say(t, "imports.line_back", "line", 17))
	k.work(t)
	b.Go(path + "/lines/17")
	b.See(r.say(t, "imports.correct"))

	forms := k.as(t, admin1)
	for line, fields := range map[int][]string{
		8: {"citizen_id", without}, 9: {"citizen_id", "1990000000051"}, 11: {"group", ""}, 12: {"level", "1"}, 13: {"row_id", "9"}, 15: {"level", "1"},
		16: {"last_day", "30/09/2570"}, 20: {"last_day", "30/09/2570"}, 21: {"row_id", "17"}, 22: {"group", "G1"},
	} {
		forms.post(fmt.Sprintf("%s/lines/%d", path, line), fields...).wants(http.StatusSeeOther)
	}
	for _, line := range []int{14, 17} {
		forms.post(fmt.Sprintf("%s/lines/%d/aside", path, line), "reason", "ไม่ต้องนำเข้า").wants(http.StatusSeeOther)
	}
	k.work(t)
	b.Go(path)
	b.See(r.say(t, "imports.balanced", "n", "18"), r.say(t, "legacy.denied_own_work"))
	b.NotSee(r.say(t, "imports.work_quarantine", "n", "2"))
	r.look(b, "imports-worked")
	b.Go(path + "/lines?aside=yes")
	b.See(r.say(t, "legacy.reason.same_right", "line", 5), "ไม่ต้องนำเข้า")
	b.NotSee("เมืองทิพย์")
}

// signAndWrite has a second administrator sign what the first prepared.
func (r readerOf) signAndWrite(t *testing.T, k *kit, path string) {
	t.Helper()
	b := r.enter(t, k, admin2, "ประเสริฐ")
	b.Go("/admin/imports")
	b.Click("กอ.1 เดิม")
	b.See(r.say(t, "imports.sign_title"))
	r.look(b, "imports-sign")
	b.Press(r.say(t, "imports.sign", "n", "16"))
	b.See(r.say(t, "imports.signed"), r.say(t, "imports.writing"))
	r.look(b, "imports-writing")
	r.afterWork(t, k, b)
	b.See(r.say(t, "imports.state_committed"), r.say(t, "imports.signed_by"))
	r.look(b, "imports-committed")
	s := must(k.legacy.Import(t.Context(), k.who[admin2], b.Path()[len(importsPath)+1:]))(t)
	if s.Totals.RightsInFile != 13 || s.Totals.RightsInBook != 13 || s.Totals.Aside != 2 || b.Path() != path {
		t.Errorf("written: %+v", s.Totals)
	}
}

// cancelAnother brings the same file again, in which nothing is new any more, and cancels it.
func (r readerOf) cancelAnother(t *testing.T, k *kit, b *browsertest.Browser) {
	t.Helper()
	b.Go("/admin/imports")
	b.Fill("[name=source]", "กอ.1 เดิม")
	b.Upload("[name=file]", filepath.Join("..", "legacy", "testdata", "messy.xlsx"))
	b.Press(r.say(t, "imports.upload"))
	b.See(r.say(t, "imports.checking"))
	r.afterWork(t, k, b)
	b.See(r.say(t, "imports.balanced", "n", "18"), r.say(t, "imports.result_conflict"))
	path := b.Path()
	b.Go(path + "/cancel")
	b.See(r.say(t, "imports.cancel_text"))
	r.look(b, "imports-cancel")
	b.Press(r.say(t, "imports.cancel_now"))
	b.See(r.say(t, "grant.reason_missing"))
	r.look(b, "imports-cancel-wrong")
	b.Fill("[name=reason]", "ส่งไฟล์ซ้ำ")
	b.Press(r.say(t, "imports.cancel_now"))
	b.See(r.say(t, "imports.cancelled"), r.say(t, "imports.state_cancelled"), r.say(t, "imports.state_committed"))
	r.look(b, "imports-list")
	b.Go(path)
	b.See("ส่งไฟล์ซ้ำ")
	r.look(b, "imports-cancelled")
}

package web

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/portal"
)

func TestAdministratorCutsOver(t *testing.T) {
	for _, lang := range locale.Langs {
		t.Run(string(lang), func(t *testing.T) {
			storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) { inLang(t, kitOn(t, env), lang, cutsOver) })
		})
	}
}

func cutsOver(t *testing.T, b *browser, say say) {
	const path = "/admin/cutover"
	b.get("/admin").wants(http.StatusOK, path, say("agency.to_cutover_note"))
	b.get(path).wants(http.StatusOK, say("cutover.side_old"), say("cutover.never"), say("cutover.none_text"))
	b.get(path+"/new").wants(http.StatusOK, `value="new" checked`, `value="00:00"`, say("cutover.set_text"))

	typed := func(owner, day, hour string) []string {
		return []string{"owner", owner, "day", day, "hour", hour, "note_th", "เจ้าหน้าที่พิจารณาให้แล้วเสร็จ\r\nภายในวันที่ 4", "note_en", "", "link", "https://www.diw.go.th/x"}
	}
	b.post(path+"/new", "link", "here").wants(http.StatusUnprocessableEntity, say("portal.problem.cutover_from_empty"), say("portal.problem.hour"))
	b.post(path+"/new", typed("both", "31/02/2570", "25:00")...).
		wants(http.StatusUnprocessableEntity, say("portal.problem.no_day"), say("portal.problem.hour"), `value="31/02/2570"`, `value="25:00"`, "ภายในวันที่ 4")
	b.post(path+"/new", typed("old", "1/12/2569", "๐๐.๐๐ น.")...).wants(http.StatusUnprocessableEntity, say("portal.problem.cutover_same_old"), `value="๐๐.๐๐ น."`)
	b.post(path+"/new", "owner", "new", "day", "1/12/2569", "hour", "0.00", "link", "/here").wants(http.StatusUnprocessableEntity, say("portal.problem.address"))
	b.post(path+"/new", typed("new", "1/12/2569", "00.00 น.")...).leads(path, say("cutover.state_coming"), say("cutover.side_new"), "https://www.diw.go.th/x")
	b.post(path+"/new", typed("old", "1/12/2569", "00:00")...).wants(http.StatusUnprocessableEntity, say("portal.problem.cutover_before_last", "last", thai.Moment(time.Date(2026, time.November, 30, 17, 0, 0, 0, time.UTC))))

	for _, open := range []string{"/", "/intranet", "/ko1"} {
		b.get(open).wants(http.StatusOK, say("cutover.coming_new"), say("cutover.coming_new_text"), "<p>ภายในวันที่ 4</p>", `href="https://www.diw.go.th/x"`)
	}
	all := must(b.k.portal.Cutovers(t.Context(), portal.KO1))(t)
	withdraw := path + "/" + all[0].ID + "/withdraw"
	b.get(withdraw).wants(http.StatusOK, say("cutover.withdraw_text"), `name="version" value="1"`)
	b.post(withdraw, "version", "7").wants(http.StatusConflict, say("portal.problem.changed"))
	b.post(withdraw, "version", "1").leads(path, say("cutover.state_closed"), say("cutover.withdrawn"))
	b.get(withdraw).wants(http.StatusConflict, say("portal.problem.cutover_withdrawn"))
	b.post(withdraw, "version", "2").wants(http.StatusConflict)
	b.get("/").wants(http.StatusOK).lacks(say("cutover.coming_new"))
	b.get(path+"/none/withdraw").wants(http.StatusNotFound, say("portal.problem.cutover"))
	b.post(path+"/none/withdraw", "version", "1").wants(http.StatusNotFound)
	b.get("/admin/log?act=portal.cutover_withdraw").wants(http.StatusOK, say("log.act.portal.cutover_withdraw"), say("log.value.owner.new"))

	b.post(path+"/new", typed("new", "24/11/2569", "0:00")...).leads(path)
	b.k.later(24 * time.Hour)
	lang := locale.Lang(b.cookies[b.k.server.cookieName(languageCookie)])
	b = b.k.as(t, admin1).in(lang)
	b.get("/ko1").wants(http.StatusOK, say("cutover.current_new"), say("cutover.current_new_text"))
	b.get(path).wants(http.StatusOK, say("cutover.state_holds")).lacks(say("cutover.none_text"), "/withdraw")
	b.k.later(31 * 24 * time.Hour)
	b.k.visitor(t).in(lang).get("/ko1").wants(http.StatusOK).lacks(say("cutover.current_new"))
}

// TestProgramsReadTheCutover is what the กอ.1 system reads before, at the last second, and from the moment on.
func TestProgramsReadTheCutover(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		first := time.Date(2026, time.November, 30, 17, 0, 0, 0, time.UTC)
		reads := func(want string) {
			t.Helper()
			a := k.visitor(t).get("/ko1/cutover.json").wants(http.StatusOK)
			if kind, cache := a.header.Get("Content-Type"), a.header.Get("Cache-Control"); kind != "application/json" || cache != "no-store" {
				t.Errorf("it is %s, %s", kind, cache)
			}
			if !json.Valid([]byte(a.body)) || a.body != want+"\n" {
				t.Errorf("it reads %s\nwant     %s", a.body, want)
			}
		}
		reads(`{"system":"ko1","at":"2026-11-23T10:00:00+07:00","owner":"old","since":null,"coming":[]}`)
		must(k.portal.SetCutover(t.Context(), string(k.who[admin1]), portal.KO1, portal.CutoverDraft{
			Owner: portal.New, From: first, Note: locale.Name{TH: "ก", EN: "a"}, Link: "https://x.example/1",
		}))(t)
		const change = `{"owner":"new","from":"2026-12-01T00:00:00+07:00","note":{"th":"ก","en":"a"},"announcement":"https://x.example/1"}`
		k.Clock.Set(first.Add(-time.Second))
		reads(`{"system":"ko1","at":"2026-11-30T23:59:59+07:00","owner":"old","since":null,"coming":[` + change + `]}`)
		k.Clock.Set(first)
		reads(`{"system":"ko1","at":"2026-12-01T00:00:00+07:00","owner":"new","since":` + change + `,"coming":[]}`)
	})
}

package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
)

func TestAdminLeadsToWhatIsKept(t *testing.T) {
	eachLang(t, func(_ *testing.T, b *browser, say say) {
		b.get("/admin").wants(http.StatusOK, say("agency.admin"), say("agency.to_appointments_note"), `href="/admin/units"`,
			`href="/admin/appointments"`, `href="/admin/systems"`, `href="/admin/announcements"`, `href="/admin/log"`)
	})
}

func TestGridOfUnits(t *testing.T) {
	b := newKit(t).as(t, admin1)
	for _, c := range []struct{ query, total, has, hasNot string }{
		{"", "91", "/admin/units/DIW", "/admin/units/TH-34"}, // อุบลราชธานี comes last
		{"?page=2", "91", "/admin/units/TH-34", "/admin/units/DIW"},
		{"?page=99&size=100", "91", "/admin/units/TH-34", ""},
		{"?q=" + url.QueryEscape("นนท"), "1", "/admin/units/TH-12", "/admin/units/IWM"},
		{"?q=nonthaburi&sort=nonsense&kind=nonsense&size=7&page=x", "1", "/admin/units/TH-12", ""},
		{"?q=th-1" + url.QueryEscape("๒"), "1", "/admin/units/TH-12", ""},
		{"?kind=division", "9", "/admin/units/IWM", "/admin/units/IEAT"},
		{"?considers=yes&kind=division", "1", "/admin/units/IWM", "/admin/units/HSM"},
		{"?considers=no", "13", "/admin/units/HSM", "/admin/units/IWM"},
		{"?review=yes", "1", "/admin/units/IWM", ""},
		{"?active=no", "0", "ล้างตัวกรองทั้งหมด", ""},
		{"?name=" + url.QueryEscape("วัตถุอันตราย") + "&code=hs", "1", "/admin/units/HSM", ""},
	} {
		a := b.get("/admin/units"+c.query).wants(http.StatusOK, "ทั้งหมด "+c.total+" รายการ", c.has)
		if c.hasNot != "" {
			a.lacks(`"` + c.hasNot + `"`)
		}
	}
	for sort, want := range map[string][2]string{
		"code": {"ETP", "STP"}, "-code": {"STP", "ETP"}, "name": {"LGL", "IWM"}, "-name": {"IWM", "LGL"}, "kind": {"DIW", "IWM"}, "-kind": {"IWM", "DIW"},
	} {
		page := b.get("/admin/units?size=100&sort="+sort).wants(http.StatusOK, "/admin/units/"+want[0], "/admin/units/"+want[1]).body
		if strings.Index(page, "/admin/units/"+want[0]) > strings.Index(page, "/admin/units/"+want[1]) {
			t.Errorf("sorted by %s, %s stands after %s", sort, want[0], want[1])
		}
	}
	b.in(locale.EN).get("/admin/units?q=nonthaburi").wants(http.StatusOK, "<mark>Nonthaburi</mark> Provincial Industry Office")
	b.fragment("grid").get("/admin/units").wants(http.StatusOK, "/admin/units/DIW").lacks("<html")
}

func TestAdministratorKeepsUnits(t *testing.T) {
	for _, lang := range locale.Langs {
		t.Run(string(lang), func(t *testing.T) {
			storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) { inLang(t, kitOn(t, env), lang, keepsUnits) })
		})
	}
}

func keepsUnits(_ *testing.T, b *browser, say say) {
	// A new unit, wrong at first: nothing typed is lost.
	b.get("/admin/units/new").wants(http.StatusOK, say("agency.unit_add"), say("agency.kind_external"))
	b.post("/admin/units/new", "kind", "external", "code", "p12", "name_th", "สำนักงานทดสอบ", "considers", "yes").
		wants(http.StatusUnprocessableEntity, say("agency.problem.code_alias", "code", "TH-12"), `value="p12"`, `value="สำนักงานทดสอบ"`, `value="yes" checked`)
	b.post("/admin/units/new", "kind", "external", "code", "tst", "name_th", "สำนักงานทดสอบ", "considers", "yes").
		leads("/admin/units/TST", "สำนักงานทดสอบ", say("agency.on"), say("agency.review_on"))

	// Level 2 on, on an old version, and off.
	b.post("/admin/units/TST/review", "version", "1", "on", "yes").leads("/admin/units/TST", say("agency.review_off"))
	b.post("/admin/units/TST/review", "version", "1", "on", "no").
		wants(http.StatusConflict, say("agency.problem.changed"), say("agency.review_off"), `name="version" value="2"`)
	b.post("/admin/units/TST/review", "version", "2", "on", "no").leads("/admin/units/TST", say("agency.review_on"))
	b.post("/admin/units/TST/considers", "version", "3", "on", "no").leads("/admin/units/TST", say("agency.considers_on"), say("agency.review_needs"))
	b.post("/admin/units/TST/considers", "version", "4", "on", "yes").leads("/admin/units/TST", say("agency.considers_off"))
	b.get("/admin/units/TH-12").wants(http.StatusOK, say("agency.review_province"), say("agency.region_C"))
	b.post("/admin/units/TH-12/considers", "version", "1", "on", "no").wants(http.StatusConflict, say("agency.problem.has_grants", "n", 3))

	// Another name.
	b.get("/admin/units/TST/name").wants(http.StatusOK, say("agency.rename_unit"), `value="สำนักงานทดสอบ"`)
	b.post("/admin/units/TST/name", "version", "5", "name_th", "", "name_en", "Testing").
		wants(http.StatusUnprocessableEntity, say("agency.problem.name_empty"), `value="Testing"`)
	b.post("/admin/units/TST/name", "version", "5", "name_th", "สำนักงานใหม่").leads("/admin/units/TST", "สำนักงานใหม่")
	b.post("/admin/units/TST/name", "version", "5", "name_th", "ช้าไป").
		wants(http.StatusConflict, say("agency.problem.changed"), "สำนักงานใหม่", `value="ช้าไป"`, `name="version" value="6"`)
	b.post("/admin/units/NONE/name", "version", "5", "name_th", "ไม่มี").wants(http.StatusNotFound)

	// Its own address.
	b.get("/admin/units/TST/mailbox").wants(http.StatusOK, say("agency.mailbox_set"), say("agency.mailbox_hint"), `name="seen" value=""`)
	b.post("/admin/units/TST/mailbox", "seen", "", "mailbox", "สารบรรณ").
		wants(http.StatusUnprocessableEntity, say("agency.problem.mailbox"), `value="สารบรรณ"`)
	b.post("/admin/units/TST/mailbox", "seen", "", "mailbox", "saraban@example.go.th").leads("/admin/units/TST", "saraban@example.go.th")
	b.post("/admin/units/TST/mailbox", "seen", "", "mailbox", "late@example.go.th").
		wants(http.StatusConflict, say("agency.problem.changed"), `value="late@example.go.th"`, `name="seen" value="saraban@example.go.th"`)
	b.post("/admin/units/NONE/mailbox", "seen", "", "mailbox", "").wants(http.StatusNotFound)

	// Out of use, and back.
	b.get("/admin/units/TST/retire").wants(http.StatusOK, say("agency.retire_unit_text"))
	b.post("/admin/units/TST/retire", "version", "1").wants(http.StatusConflict, say("agency.problem.changed"))
	b.post("/admin/units/TST/retire", "version", "6").leads("/admin/units/TST", say("agency.retired"), say("agency.restore"))
	b.post("/admin/units/TST/restore", "version", "7").leads("/admin/units/TST", say("agency.active"), say("agency.retire"))
	b.get("/admin/units/DIW/retire").wants(http.StatusOK, say("agency.retire_not_yet"), say("agency.problem.needed"), say("agency.problem.has_heads", "n", 5))
	b.post("/admin/units/DIW/retire", "version", "1").wants(http.StatusConflict, say("agency.problem.needed"))
	b.get("/admin/units/NONE").wants(http.StatusNotFound, say("agency.problem.unit"))
	b.post("/admin/units/NONE/restore", "version", "1").wants(http.StatusNotFound)
}

func TestAdministratorKeepsGroups(t *testing.T) {
	eachLang(t, func(_ *testing.T, b *browser, say say) {
		const teams = "/admin/units/IWM/teams"
		b.get(teams+"/new").wants(http.StatusOK, say("agency.team_add"), say("agency.team_code_hint"))
		b.post(teams+"/new", "name_th", "กลุ่มสาม", "code", "ก").
			wants(http.StatusUnprocessableEntity, say("agency.problem.code_team"), `value="กลุ่มสาม"`, `value="ก"`)
		b.post(teams+"/new", "name_th", "กลุ่มสาม", "code", "").leads("/admin/units/IWM", "กลุ่มสาม", "G3")
		b.post(teams+"/new", "name_th", "กลุ่มสาม", "code", "").
			wants(http.StatusUnprocessableEntity, say("agency.problem.name_taken", "code", "G3"))
		b.get("/admin/units/TH-12").lacks("/admin/units/TH-12/teams")
		b.post("/admin/units/TH-12/teams/new", "name_th", "กลุ่มสาม").wants(http.StatusConflict, say("agency.problem.no_teams"), `value="กลุ่มสาม"`)

		b.get(teams+"/G3/name").wants(http.StatusOK, say("agency.rename_team"), `value="กลุ่มสาม"`)
		b.post(teams+"/G3/name", "version", "1", "name_th", "").wants(http.StatusUnprocessableEntity, say("agency.problem.name_empty"))
		b.post(teams+"/G3/name", "version", "1", "name_th", "กลุ่มใหม่").leads("/admin/units/IWM", "กลุ่มใหม่")
		b.post(teams+"/G3/name", "version", "1", "name_th", "ช้าไป").wants(http.StatusConflict, "กลุ่มใหม่", `value="ช้าไป"`, `name="version" value="2"`)
		b.get(teams+"/NONE/name").wants(http.StatusNotFound, say("agency.problem.team"))
		b.post(teams+"/NONE/retire", "version", "1").wants(http.StatusNotFound, say("agency.problem.team"))

		b.get(teams+"/G3/retire").wants(http.StatusOK, say("agency.retire_team_text"))
		b.post(teams+"/G3/retire", "version", "2").leads("/admin/units/IWM", say("agency.retired"))
		b.post(teams+"/G3/restore", "version", "3").leads("/admin/units/IWM", say("agency.team_restored"))
		b.post(teams+"/G3/restore", "version", "3").wants(http.StatusConflict, say("agency.problem.changed"))
	})
}

func TestGroupWithRightsStaysInUse(t *testing.T) {
	k := newKit(t)
	k.give(t, director, grant.Order{Unit: "IWM", Team: "G2", Level: grant.Consider, Person: k.who[inTeam], LastDay: thai.DateOf(k.Clock.Now())})
	const path = "/admin/units/IWM/teams/G2/retire"
	b := k.as(t, admin1)
	b.get(path).wants(http.StatusOK, "ยังเลิกใช้ไม่ได้", "ยังมีสิทธิ์ที่มีผลหรือรอมีผลอยู่ 1 รายการ")
	b.post(path, "version", "1").wants(http.StatusConflict, "ยังมีสิทธิ์ที่มีผลหรือรอมีผลอยู่ 1 รายการ")
	k.later(24 * time.Hour) // the right has run out, with no job needed
	k.as(t, admin1).post(path, "version", "1").leads("/admin/units/IWM", "เลิกใช้กลุ่มสอง แล้ว")
}

func TestChangesAskForTheFactorAgain(t *testing.T) {
	k := newKit(t)
	b := k.as(t, admin1)
	k.later(6 * time.Minute)
	const path = "/admin/units/IWM/teams/new"
	b.post(path, "name_th", "กลุ่มสาม").wants(http.StatusUnprocessableEntity, "รหัส 6 หลักจากแอป", `value="กลุ่มสาม"`)
	b.post(path, "name_th", "กลุ่มสาม", stepUpCode, k.appCode(t, admin1)).leads("/admin/units/IWM", "กลุ่มสาม")
}

func TestFormsOpenAsDialogs(t *testing.T) {
	b := newKit(t).as(t, admin1).fragment("dialog")
	for _, path := range []string{
		"/admin/units/new", "/admin/units/IWM/name", "/admin/units/IWM/teams/new", "/admin/units/IWM/teams/G1/name", "/admin/units/HSM/retire", "/admin/systems/vk7",
	} {
		b.get(path).wants(http.StatusOK, "dialog-title").lacks("<html")
	}
	a := b.post("/admin/systems/vk7", "version", "1", "address", "https://haz2.diw.go.th/vk7").wants(http.StatusNoContent)
	if to := a.header.Get("X-Location"); to != "/admin/systems" {
		t.Errorf("saved in a dialog, the script goes on to %q", to)
	}
}

// Nobody but a central administrator gets in, not even a chief or an auditor.
func TestOthersKeepNothing(t *testing.T) {
	k := newKit(t)
	for _, who := range []string{chief12, without, auditor} {
		b := k.as(t, who)
		b.get("/admin").wants(http.StatusForbidden)
		b.post("/admin/units/IWM/name", "version", "1", "name_th", "ของฉัน").wants(http.StatusForbidden)
		b.post("/admin/announcements/new", "title_th", "ของฉัน").wants(http.StatusForbidden)
	}
	if a := k.visitor(t).get("/admin/units"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.location, "/officer/login?") {
		t.Errorf("a visitor is answered %d and led to %q", a.status, a.location)
	}
}

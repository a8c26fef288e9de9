package web

import (
	"html"
	"net/http"
	"strings"
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/storetest"
)

// leads fails the test unless the answer leads to the path, where the page has all the words.
func (a *answer) leads(path string, words ...string) *answer {
	a.b.t.Helper()
	if a.location != path {
		a.b.t.Fatalf("status %d, leads to %q, want %s\n%s", a.status, a.location, path, a.text())
	}
	return a.follow().wants(http.StatusOK, words...)
}

// say answers the text of a key in one language; args are pairs of name and value.
type say func(key string, args ...any) string

// eachLang runs a test in both languages, each with a door of its own and an administrator who has signed in.
func eachLang(t *testing.T, test func(t *testing.T, b *browser, say say)) {
	t.Helper()
	for _, lang := range locale.Langs {
		t.Run(string(lang), func(t *testing.T) { inLang(t, newKit(t), lang, test) })
	}
}

func inLang(t *testing.T, k *kit, lang locale.Lang, test func(t *testing.T, b *browser, say say)) {
	t.Helper()
	test(t, k.as(t, admin1).in(lang), func(key string, args ...any) string {
		named := make(locale.Args)
		for i := 0; i+1 < len(args); i += 2 {
			named[args[i].(string)] = args[i+1]
		}
		return html.EscapeString(k.server.catalog.Text(lang, key, named))
	})
}

func TestHomeTellsEntrepreneursWhatToDo(t *testing.T) {
	k := newKit(t)
	b := k.visitor(t)
	b.get("/").wants(http.StatusOK,
		"เรียนผู้ประกอบการหากท่านใช้ระบบการอนุญาตของกรมโรงงานอุตสาหกรรม ขอให้ท่านดำเนินการดังนี้",
		"ลงทะเบียนที่ระบบทะเบียนลูกค้ากระทรวงอุตสาหกรรม", "ในกรณีที่ลงทะเบียนแล้วให้ดำเนินการในข้อ 2",
		"ให้ LOGIN เข้าระบบยืนยันตัวตนเพื่อเตรียมความพร้อมสำหรับการใช้งานระบบอนุญาตของกรมโรงงานอุตสาหกรรม",
		"หมายเหตุ", "ท่านต้องดำเนินการยืนยันตัวตนในระบบยืนยันตัวตน (DIW USER AUTHENTICATION) ให้แล้วเสร็จก่อนดำเนินการยื่นขออนุญาต ทั้งนี้ สามารถตรวจสอบสถานะการยืนยันตัวตนของท่านได้ในระบบยืนยันตัวตน (DIW USER AUTHENTICATION)",
		"I-INDUSTRY", "02-430-6976", "@IINDUSTRY", "IT-DIW", "02-430-6980",
		`href="/intranet"`, "อินทราเน็ต", `href="/officer/login"`, `href="/officer/register"`,
		"ประกาศที่ผ่านมา", "ประกาศตั้งแต่วันที่ 1 ตุลาคม 2566 ถึงวันที่ 5 พฤศจิกายน 2566",
		"กรมโรงงานอุตสาหกรรมจะให้บริการระบบจัดการวัสดุที่ไม่ใช้แล้ว (ระบบปัจจุบัน) ถึง วันที่ 31 ตุลาคม 2566 เวลา 23.59 น.")
	b.in(locale.EN).get("/").wants(http.StatusOK, "To entrepreneurs", "Register in the customer registry", "02-430-6976",
		"Past announcements", "Announced from 1 October 2023 to 5 November 2023")
	k.as(t, without).get("/").wants(http.StatusOK, `href="/my/rights"`).lacks("/officer/register")
}

func TestAnnouncementsFollowTheClock(t *testing.T) {
	k := newKit(t)
	b := k.visitor(t)
	k.Clock.Set(time.Date(2023, time.November, 5, 16, 59, 59, 0, time.UTC)) // 23:59:59 in Bangkok, the last day
	b.get("/").wants(http.StatusOK, "กำหนดการเปลี่ยนไปใช้ระบบอนุญาตกากอุตสาหกรรม (กอ.1)").lacks("ประกาศที่ผ่านมา")
	k.later(time.Second)
	b.get("/").wants(http.StatusOK, "ประกาศที่ผ่านมา")
}

func TestIntranetShowsTheMenu(t *testing.T) {
	b := newKit(t).visitor(t)
	a := b.get("/intranet").wants(http.StatusOK,
		"หน้าหลัก", "ระบบงานอนุญาต", "ระบบการรายงาน", "ระบบสำรวจตรวจสอบ", "ระบบงานอื่น ๆ", "อีเมล กรอ.",
		"ระบบอนุญาตกากอุตสาหกรรม (กอ.1)", "ระบบการจัดการวัสดุที่ไม่ใช้แล้ว (ระบบเดิม)", "ระบบยื่นคำขออนุญาตประกอบกิจการโรงงานแบบดิจิทัล",
		"ระบบบริหารจัดการแฟ้มทะเบียนโรงงาน (Factory File System)", "ระบบศูนย์กลางข้อมูลโรงงานอุตสาหกรรม (สำหรับ กรอ.)",
		"ระบบวัตถุอันตราย (HAZ2009) ของ กรอ.", "ระบบรับแจ้งข้อเท็จจริง วอ./อก.6 ของ กรอ.",
		"ระบบรับแจ้งข้อเท็จจริงของผู้ผลิต นำเข้า ส่งออก หรือมีไว้ในครอบครอง (วอ./อก.7)", `href="/ko1"`)
	if n := strings.Count(a.body, "ยังไม่ได้กำหนดที่อยู่เว็บไซต์"); n != 7 {
		t.Errorf("%d systems say that they have no address, want 7", n)
	}
	b.get("/intranet?menu=reports").wants(http.StatusOK, "ยังไม่มีระบบงานในเมนูนี้")
	b.get("/intranet?menu=none").wants(http.StatusNotFound)
	b.in(locale.EN).get("/intranet").wants(http.StatusOK, "Permit systems", "Industrial waste permits (Ko.1)", "No web address yet")
}

func TestEntranceOfKO1(t *testing.T) {
	b := newKit(t).visitor(t)
	b.get("/ko1").wants(http.StatusOK, "ระบบอนุญาตกากอุตสาหกรรม (กอ.1)", `href="/ko1/rights"`,
		"กำหนดสิทธิ์การใช้งาน (สำหรับ อสจ. เท่านั้น)", `href="/my/rights"`, "สิทธิ์ของฉัน", `href="/intranet"`)
	b.in(locale.EN).get("/ko1").wants(http.StatusOK, "Manage rights (for provincial industry chiefs only)")
}

func TestAdministratorSetsAddresses(t *testing.T) {
	eachLang(t, func(t *testing.T, b *browser, say say) {
		const path = "/admin/systems/haz2009"
		b.get("/admin/systems").wants(http.StatusOK, say("portal.systems"), path, say("portal.no_address"))
		b.get(path).wants(http.StatusOK, `name="version" value="1"`, say("portal.address_hint"))
		b.get("/admin/systems/ko1").wants(http.StatusOK, say("portal.address_hint_ko1"), `value="/ko1"`)
		b.get("/admin/systems/none").wants(http.StatusNotFound, say("portal.problem.system"))

		b.post(path, "version", "1", "address", "javascript:alert(1)").
			wants(http.StatusUnprocessableEntity, say("portal.problem.address"), `value="javascript:alert(1)"`)
		b.post(path, "version", "1", "address", "https://eis.diw.go.th/haz").leads("/admin/systems", "https://eis.diw.go.th/haz", "HAZ2009")
		b.post(path, "version", "1", "address", "https://elsewhere.example").wants(http.StatusConflict, say("portal.problem.changed"),
			"https://eis.diw.go.th/haz", `value="https://elsewhere.example"`, `name="version" value="2"`)
		b.post(path, "version", "none", "address", "https://elsewhere.example").wants(http.StatusConflict)
		b.post("/admin/systems/none", "version", "1", "address", "").wants(http.StatusNotFound)
		b.get("/intranet").wants(http.StatusOK, `href="https://eis.diw.go.th/haz"`)
	})
}

func TestAdministratorAnnounces(t *testing.T) {
	for _, lang := range locale.Langs {
		t.Run(string(lang), func(t *testing.T) {
			storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) { inLang(t, kitOn(t, env), lang, announces) })
		})
	}
}

func announces(t *testing.T, b *browser, say say) {
	b.get("/admin/announcements").wants(http.StatusOK, say("portal.state_past"))
	b.get("/admin/announcements/new").wants(http.StatusOK, `value="23/11/2569"`, say("portal.to_hint"))

	b.post("/admin/announcements/new", "title_th", "งดให้บริการ", "body_th", "", "place", "public", "from", "31/02/2570", "to", "พรุ่งนี้").
		wants(http.StatusUnprocessableEntity, `value="งดให้บริการ"`, `value="31/02/2570"`,
			say("portal.problem.no_day"), say("portal.problem.date"), say("portal.problem.body_empty"))
	typed := func(title, version, to string) []string {
		return []string{"title_th", title, "body_th", "ปิดปรับปรุงระบบ\r\nขออภัยในความไม่สะดวก", "place", "public",
			"from", "23/11/2569", "to", to, "version", version}
	}
	b.post("/admin/announcements/new", typed("งดให้บริการ", "", "")...).leads("/admin/announcements", "งดให้บริการ", say("portal.state_current"))
	b.get("/").wants(http.StatusOK, "งดให้บริการ", "<p>ขออภัยในความไม่สะดวก</p>")

	all := must(b.k.portal.All(t.Context()))(t)
	path := "/admin/announcements/" + all[0].ID
	b.get(path).wants(http.StatusOK, `value="งดให้บริการ"`, "ปิดปรับปรุงระบบ", `name="version" value="1"`)
	b.post(path, typed("เลื่อน", "1", "22/11/2569")...).wants(http.StatusUnprocessableEntity, say("portal.problem.to_before_from"))
	b.post(path, typed("เลื่อน", "1", "24/11/2569")...).leads("/admin/announcements", "เลื่อน")
	b.post(path, typed("ช้าไป", "1", "")...).wants(http.StatusConflict, "เลื่อน", `value="ช้าไป"`, `name="version" value="2"`)

	b.get(path+"/close").wants(http.StatusOK, say("portal.close_text"), "เลื่อน")
	b.post(path+"/close", "version", "1").wants(http.StatusConflict, say("portal.problem.changed"))
	b.post(path+"/close", "version", "2").leads("/admin/announcements", say("portal.state_closed"))
	b.get("/").wants(http.StatusOK).lacks("เลื่อน")
	for _, a := range []*answer{b.get(path), b.get(path + "/close"), b.post(path, typed("ช้าไป", "3", "")...), b.post(path+"/close", "version", "3")} {
		a.wants(http.StatusConflict, say("portal.problem.closed"))
	}
	b.get("/admin/announcements/none").wants(http.StatusNotFound, say("portal.problem.announcement"))
	b.post("/admin/announcements/none", typed("ไม่มี", "1", "")...).wants(http.StatusNotFound)
}

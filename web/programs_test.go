package web

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/storetest"
	"sitthi/program"
	"sitthi/signin"
)

// answer notes answers and writes them.
func (k *kit) answered(t *testing.T, list ...program.Decision) {
	t.Helper()
	for _, d := range list {
		k.answers.Note(d)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop() // what waits is written before it stops
	check(t, k.answers.Run(ctx))
}

var tokenText = regexp.MustCompile(`sitthi_[A-Za-z0-9_-]{43}`)

func TestProgramLifeInTheBrowser(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		b := k.as(t, admin1)
		b.get("/admin").wants(http.StatusOK, "/admin/programs", "/log/decisions")
		b.get("/admin/programs").wants(http.StatusOK, "ยังไม่มีระบบใดเชื่อมต่อ")
		b.post("/admin/programs/new", "name", "", "until", "31/2/2570").wants(http.StatusUnprocessableEntity, "30/09/2570")
		b.post("/admin/programs/new", "name", " ").wants(http.StatusUnprocessableEntity, "กรุณากรอกชื่อระบบ", "กรุณาเลือกหน่วยงาน", "กรุณาเลือกเรื่อง")
		b.post("/admin/programs/new", "name", "ก", "which", "some", "units", "TH-00", "actions", "rule").
			wants(http.StatusUnprocessableEntity, "ไม่มีหน่วยงานรหัส TH-00", "“rule” ไม่ใช่เรื่องที่ถามได้", `value="ก"`)
		b.post("/admin/programs/new", "name", "ก", "which", "all", "actions", "approve", "until", "1/1/2560").
			wants(http.StatusUnprocessableEntity, "ต้องไม่เป็นวันที่ผ่านมาแล้ว", `id="field-which" name="which" value="all" checked`)

		made := b.post("/admin/programs/new", "name", "ระบบใบอนุญาต", "which", "some", "units", "TH-12", "units", "IWM", "actions", "approve", "until", "30/09/2570")
		page := made.follow().wants(http.StatusOK, "แสดงเพียงครั้งเดียว", "นนทบุรี", "อนุมัติ (ระดับ 3)", "30 กันยายน 2570", "ยังไม่เคยใช้", "ระบบนี้ยังไม่เคยถาม")
		token := tokenText.FindString(page.body)
		caller, known := k.programs.Authenticate(token)
		if !known {
			t.Fatalf("the page shows no token that is known: %s", page.text())
		}
		if !strings.Contains(page.body, `data-copy="secret"`) {
			t.Error("the token can not be copied by a button")
		}
		b.get(made.location).wants(http.StatusOK, "ระบบใบอนุญาต").lacks(token)
		if strings.Contains(k.log.String(), token) {
			t.Error("the token is in the log")
		}

		k.answered(t,
			program.Decision{At: k.Clock.Now(), Program: caller.ID, Request: "req-1", Subject: k.who[approves], Action: "approve", Unit: "TH-12", Allowed: true, Reason: "permitted"},
			program.Decision{At: k.Clock.Now().Add(-time.Hour), Program: caller.ID, Subject: k.who[without], Action: "approve", Unit: "IWM", Team: "G1", Reason: "no_right", Moment: storetest.Start.AddDate(-1, 0, 0)},
			program.Decision{At: k.Clock.Now().Add(-25 * time.Hour), Program: caller.ID, Action: "?", Unit: "TH-99", Reason: "a_new_one"})
		b.get(made.location).wants(http.StatusOK, "อนุชา", "มีสิทธิ์ดำเนินการ", "req-1", "G1", "ณ 23 พ.ย. 2568", "a_new_one",
			"ใน 24 ชั่วโมง</dt><dd>1</dd></div><div class=\"figure\"><dt>ตอบว่าไม่มีสิทธิ์ ใน 24 ชั่วโมง</dt><dd>1</dd>").lacks(approves, without)

		b.get("/admin/programs").wants(http.StatusOK, "ระบบใบอนุญาต", "ใช้งานได้", made.location)
		b.get(made.location+"/revoke").wants(http.StatusOK, "เรียกคืนไม่ได้")
		b.post(made.location+"/revoke", "reason", " ").wants(http.StatusUnprocessableEntity, "กรุณากรอกเหตุผล")
		if _, known := k.programs.Authenticate(token); !known {
			t.Error("revoked without a reason")
		}
		b.post(made.location+"/revoke", "reason", "เลิกใช้ระบบ").follow().wants(http.StatusOK, "ยกเลิกแล้ว", "เลิกใช้ระบบ").lacks(made.location + "/revoke")
		if _, known := k.programs.Authenticate(token); known {
			t.Error("known after it was revoked")
		}
		b.post(made.location+"/revoke", "reason", "ซ้ำแล้วซ้ำเล่า").follow().wants(http.StatusOK, "ถูกยกเลิกไปแล้ว", "เลิกใช้ระบบ").lacks("ซ้ำแล้วซ้ำเล่า")
		b.get("/admin/log?act=program.revoke").wants(http.StatusOK, "ยกเลิกรหัสเชื่อมต่อของระบบ", "เลิกใช้ระบบ")
		b.get("/admin/log?act=program.create").wants(http.StatusOK, "อนุญาตให้ระบบอื่นเชื่อมต่อ", "ระบบใบอนุญาต", "IWM TH-12")
	})
}

// Both acts ask for the second factor again, and keep what was typed, boxes included.
func TestProgramsNeedStepUp(t *testing.T) {
	k := newKit(t)
	p, _, err := k.programs.Create(t.Context(), audit.Terminal, program.Order{Name: "x", Scope: program.Scope{AllUnits: true, AllActions: true}})
	check(t, err)
	b := k.as(t, admin1)
	k.later(signin.Defaults().StepUp + time.Minute)
	b.post("/admin/programs/new", "name", "ระบบ", "which", "some", "units", "TH-12", "units", "TH-13", "actions", "approve").
		wants(http.StatusUnprocessableEntity, stepUpCode, `name="units" value="TH-12"`, `name="units" value="TH-13"`)
	b.post(programPath(p.ID)+"/revoke", "reason", "x").wants(http.StatusUnprocessableEntity, stepUpCode)
	list, err := k.programs.List(t.Context(), audit.Terminal)
	if check(t, err); len(list) != 1 || !list[0].RevokedAt.IsZero() {
		t.Errorf("done without the second factor: %v", list)
	}
}

func TestDecisionsPage(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		one, _, err := k.programs.Create(t.Context(), audit.Terminal, program.Order{Name: "ระบบหนึ่ง", Scope: program.Scope{AllUnits: true, AllActions: true}})
		check(t, err)
		two, _, err := k.programs.Create(t.Context(), audit.Terminal, program.Order{Name: "ระบบสอง", Scope: program.Scope{AllUnits: true, AllActions: true}})
		check(t, err)
		var list []program.Decision
		for i := range 60 {
			list = append(list, program.Decision{At: storetest.Start.Add(-time.Duration(i) * time.Hour), Program: one.ID, Subject: k.who[approves],
				Action: "approve", Unit: "TH-12", Allowed: true, Reason: "permitted", Request: "one"})
		}
		list = append(list, program.Decision{At: storetest.Start, Program: two.ID, Subject: k.who[without], Action: "consider", Unit: "TH-13", Reason: "no_right", Request: "two"},
			program.Decision{At: storetest.Start, Program: two.ID, Action: "consider", Unit: "TH-13", Reason: "unknown_subject", Request: "three"})
		k.answered(t, list...)

		b := k.as(t, auditor)
		b.get("/admin/log").wants(http.StatusOK, `href="/log/decisions"`)
		all := b.get("/log/decisions").wants(http.StatusOK, "ระบบหนึ่ง", "ระบบสอง", "before=")
		if n := strings.Count(all.body, "<tr>"); n != 51 {
			t.Errorf("%d rows", n)
		}
		older := regexp.MustCompile(`href="(/log/decisions\?before=[^"]+)"`).FindStringSubmatch(all.body)
		if n := strings.Count(b.get(older[1]).wants(http.StatusOK, "ล่าสุด").body, "<tr>"); n != 13 {
			t.Errorf("%d rows on the second page", n)
		}
		for query, want := range map[string][2]string{
			"program=" + two.ID:                          {"two", "เลขคำขอ: one"},
			"unit=TH-12":                                 {"เลขคำขอ: one", "เลขคำขอ: two"},
			"outcome=refused":                            {"three", "เลขคำขอ: one"},
			"outcome=allowed":                            {"one", "เลขคำขอ: two"},
			"from=23/11/2569":                            {"two", "21 พ.ย. 2569"},
			"to=21/11/2569":                              {"21 พ.ย. 2569", "เลขคำขอ: two"},
			"person=" + string(k.who[without]):           {"two", "three"},
			"person=" + string(k.who[without]) + "&x=y":  {"เลขคำขอ: two", "three"},
			"person=" + string(k.who[inTeam]):            {"ไม่มีคำตอบ", "เลขคำขอ: one"},
			"program=nothing&unit=nothing&outcome=no&x=": {"ไม่มีคำตอบ", "เลขคำขอ: one"},
		} {
			b.get("/log/decisions?"+query).wants(http.StatusOK, want[0]).lacks(want[1])
		}
		b.get("/log/decisions?from=31/2/2569").wants(http.StatusUnprocessableEntity, "วันที่ไม่ถูกต้อง")
		b.get("/log/decisions?before=x").wants(http.StatusNotFound)

		found := b.post("/log/decisions", "citizen_id", without, "outcome", "refused").wants(http.StatusSeeOther)
		if want := "/log/decisions?outcome=refused&person=" + string(k.who[without]); found.location != want {
			t.Errorf("led to %s, want %s", found.location, want)
		}
		found.follow().wants(http.StatusOK, "เลขคำขอ: two").lacks("three", without)
		if n := k.looks(t); n != 1 {
			t.Errorf("%d looks on record", n)
		}
		b.post("/log/decisions", "citizen_id", "1990000000043").wants(http.StatusUnprocessableEntity, "1990000000043")
		b.post("/log/decisions", "citizen_id", "123").wants(http.StatusUnprocessableEntity)
		for _, who := range []string{approves, chief12} {
			k.as(t, who).get("/log/decisions").wants(http.StatusForbidden)
		}
	})
}

func TestAskingPage(t *testing.T) {
	for name, token := range map[string]string{"demonstration": "demo-authzen-token", "real": ""} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, func(o *Options) { o.Example.Token = token })
			for _, lang := range locale.Langs {
				page := k.visitor(t).in(lang).get("/programs").wants(http.StatusOK, "http://localhost/access/v1/evaluation", "/access/v1/openapi.json", "HttpRequest.newBuilder").lacks("{{")
				if got := strings.Contains(page.body, "Bearer demo-authzen-token"); got != (token != "") {
					t.Errorf("the demonstration's token stands there: %v", got)
				}
				if got := strings.Contains(page.body, "Bearer "+exampleToken); got != (token == "") {
					t.Errorf("a placeholder stands there: %v", got)
				}
			}
		})
	}
}

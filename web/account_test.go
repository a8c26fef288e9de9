package web

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"sitthi/dossier"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/officer"
	"sitthi/proof"
)

// TestProfileChanges: what was typed survives a fault and a change elsewhere, and a change of office is told.
func TestProfileChanges(t *testing.T) {
	k := newKit(t)
	b := k.as(t, considers)
	b.get("/officer/profile").wants(http.StatusOK, "/officer/profile/edit", "/officer/profile/contact/phone")
	version := formValue(t, b.get("/officer/profile/edit").wants(http.StatusOK, "สุดา พิจารณา"), "version")
	b.post("/officer/profile/edit", "version", version, "position", "", "unit", "TH-13", "line_id", "suda.line").
		wants(http.StatusUnprocessableEntity, "กรุณากรอกตำแหน่ง", "suda.line")
	b.post("/officer/profile/language", "lang", "th").wants(http.StatusSeeOther) // elsewhere
	stale := b.post("/officer/profile/edit", "version", version, "position", "หัวหน้ากลุ่ม", "unit", "TH-13", "line_id", "suda.line").
		wants(http.StatusConflict, "หัวหน้ากลุ่ม", "suda.line", "ข้อความที่ท่านกรอกยังอยู่ครบ")
	b.post("/officer/profile/edit", "version", formValue(t, stale, "version"), "position", "หัวหน้ากลุ่ม", "unit", "TH-13", "line_id", "suda.line").
		follow().wants(http.StatusOK, "หัวหน้ากลุ่ม", "suda.line", "หัวหน้าของทั้งสองหน่วยงาน", "ปทุมธานี")
	k.as(t, chief12).get("/ko1/rights?unit=TH-12").wants(http.StatusOK, "ได้รับขณะสังกัด นนทบุรี ปัจจุบันสังกัด ปทุมธานี")
	k.as(t, chief12).in(locale.EN).get("/ko1/rights?unit=TH-12").wants(http.StatusOK, "Given while he or she belonged to Nonthaburi")
}

// formValue reads a hidden field of a form.
func formValue(t *testing.T, a *answer, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(a.body, `name="`+name+`" value="`)
	value, _, closed := strings.Cut(rest, `"`)
	if !ok || !closed {
		t.Fatalf("no field %s", name)
	}
	return value
}

func TestContactChanges(t *testing.T) {
	for channel, typed := range map[string]string{"email": "suda.new@diw.example.go.th", "phone": "086-111-4444"} {
		k := newKit(t)
		b := k.as(t, considers)
		b.get("/officer/profile/contact/"+channel).wants(http.StatusOK, "72 ชั่วโมง")
		b.get("/officer/profile/contact/pigeon").wants(http.StatusNotFound)
		b.post("/officer/profile/contact/"+channel, channel, "nothing").wants(http.StatusUnprocessableEntity, "nothing")
		step := b.post("/officer/profile/contact/"+channel, channel, typed)
		step.follow().wants(http.StatusOK, typed)
		b.post(step.location, "code", "12").wants(http.StatusUnprocessableEntity)
		b.post(step.location + "/resend").wants(http.StatusTooManyRequests)
		other := k.as(t, considers)
		other.get(step.location).wants(http.StatusNotFound)
		other.post(step.location, "code", k.sentCode(t, "contact.code")).wants(http.StatusNotFound)
		b.post(step.location, "code", k.sentCode(t, "contact.code")).follow().wants(http.StatusOK, typed, "แจ้งไปที่ช่องทางเดิมแล้ว")
		b.get(step.location).wants(http.StatusSeeOther)
	}
	k := newKit(t)
	b := k.as(t, considers)
	k.later(6 * time.Minute) // the password counts no more
	b.post("/officer/profile/contact/email", "email", "suda.new@diw.example.go.th").wants(http.StatusUnprocessableEntity, "suda.new@diw.example.go.th", stepUpField)
}

// sentCode answers the code that was sent last for a purpose.
func (k *kit) sentCode(t *testing.T, purpose string) string {
	t.Helper()
	for _, m := range must(k.outbox.List(t.Context(), 100))(t) {
		if m.Purpose != purpose {
			continue
		}
		for _, word := range strings.Fields(m.Text) {
			if len(word) == proof.CodeDigits && strings.Trim(word, "0123456789") == "" {
				return word
			}
		}
	}
	t.Fatal("no code was sent")
	return ""
}

// TestNewTerms: who accepted other terms is asked before anything opens, accepts or leaves; what is open to everyone stays so.
func TestNewTerms(t *testing.T) {
	k := newKit(t)
	files := fstest.MapFS{
		"2570-1.th.txt": {Data: []byte("# ฉบับใหม่\nข้อความใหม่ของข้อกำหนด")},
		"2570-1.en.txt": {Data: []byte("# New\nThe new words of the terms")},
	}
	before := k.as(t, considers)
	before.get("/my/rights").wants(http.StatusOK)
	k.server.Officers = k.clerk(officer.Edition{Version: "2570-1", Files: files})

	for _, c := range []string{considers, admin1} {
		b := k.as(t, c)
		for _, path := range []string{"/my/rights", "/officer/profile", "/officer/profile/edit"} {
			if a := b.get(path); a.status != http.StatusSeeOther || !strings.HasPrefix(a.location, "/officer/terms/accept?next=") {
				t.Errorf("%s: %d to %s", path, a.status, a.location)
			}
		}
		if a := b.post("/officer/profile/language", "lang", "en"); !strings.HasPrefix(a.location, "/officer/terms/accept") {
			t.Errorf("an act leads to %s", a.location)
		}
		b.get("/intranet").wants(http.StatusOK)
	}
	b := k.as(t, considers)
	page := b.get("/my/rights").follow().wants(http.StatusOK, "ข้อความใหม่ของข้อกำหนด", "2570-1")
	b.in(locale.EN).get("/officer/terms/accept").wants(http.StatusOK, "The new words of the terms")
	b.in(locale.TH)
	b.post("/officer/terms/accept", "next", "/my/rights").wants(http.StatusUnprocessableEntity, "กรุณาอ่านและยอมรับ")
	b.post("/officer/terms/accept", "terms", officer.TermsVersion).wants(http.StatusUnprocessableEntity)
	b.post("/officer/terms/accept", "terms", "2570-1", "next", formValue(t, page, "next")).follow().wants(http.StatusOK, "บันทึกการยอมรับ")
	b.get("/officer/profile").wants(http.StatusOK, "ฉบับที่ 2570-1")
	before.get("/my/rights").wants(http.StatusOK) // the same person, in another browser

	out := k.as(t, approves)
	out.get("/my/rights").wants(http.StatusSeeOther)
	out.post("/officer/logout").wants(http.StatusSeeOther)
	if a := out.get("/my/rights"); !strings.HasPrefix(a.location, "/officer/login") {
		t.Errorf("after declining: %s", a.location)
	}
}

// TestClosingAnAccount: the effect is shown first; then nothing opens any more, and who has to know is told.
func TestClosingAnAccount(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		k.as(t, admin1).get("/officer/profile/close").wants(http.StatusOK, "อย่างน้อยสองคน")
		k.as(t, admin1).post("/officer/profile/close", "know", "yes").wants(http.StatusConflict)
		k.as(t, chief12).get("/officer/profile/close").wants(http.StatusOK, "จะไม่มีหัวหน้าหน่วยงาน")

		b, other := k.as(t, approves), k.as(t, approves)
		b.get("/officer/profile/close").wants(http.StatusOK, "สิทธิ์ 1 รายการ", "จะไม่มีผู้อนุมัติเหลืออยู่")
		b.post("/officer/profile/close").wants(http.StatusUnprocessableEntity, "ทราบผล")
		if !k.book.Allows(k.who[approves], grant.Approve.Do(), grant.Place{Unit: "TH-12"}) {
			t.Fatal("the right does not hold before")
		}
		b.post("/officer/profile/close", "know", "yes").follow().wants(http.StatusOK, "ปิดบัญชีแล้ว")
		if k.book.Allows(k.who[approves], grant.Approve.Do(), grant.Place{Unit: "TH-12"}) {
			t.Error("the right holds after")
		}
		for _, browser := range []*browser{b, other} {
			if a := browser.get("/my/rights"); !strings.HasPrefix(a.location, "/officer/login") {
				t.Errorf("a session goes on: %d %s", a.status, a.location)
			}
		}
		k.visitor(t).post("/officer/login", "citizen_id", approves, "password", kitPassword).wants(http.StatusUnprocessableEntity)
		k.as(t, chief12).get("/ko1/rights?unit=TH-12&state=off").wants(http.StatusOK, "อนุชา อนุมัติ")
		told := map[string]int{}
		for _, m := range must(k.outbox.List(t.Context(), 100))(t) {
			told[m.Purpose+" "+m.Person]++
		}
		if told["account.closed "+string(k.who[approves])] != 2 || told["account.closed_head "+string(k.who[chief12])] != 1 ||
			told["grant.none_left "+string(k.who[admin1])] != 1 {
			t.Errorf("told: %v", told)
		}

		k.write(t, func(tx *store.Tx) error {
			opened, err := officer.OpenAgain(t.Context(), tx, k.who[approves])
			if err != nil || !opened {
				t.Errorf("opened again: %v, %v", opened, err)
			}
			return k.book.Moved(t.Context(), tx, k.who[approves])
		})
		if !k.book.Allows(k.who[approves], grant.Approve.Do(), grant.Place{Unit: "TH-12"}) {
			t.Error("the right does not hold when the account is open again")
		}
		if a := k.as(t, approves).get("/my/rights"); a.location != securityPath {
			t.Errorf("his second factor went with the account, and he is led to %s", a.location)
		}
	})
}

// TestOwnData: a person reads all that is stored about him and nobody else, in words and as a file, and it is recorded.
func TestOwnData(t *testing.T) {
	k := newKit(t)
	b := k.as(t, considers)
	b.get("/officer/profile/data").wants(http.StatusOK, "ดาวน์โหลดเป็นไฟล์").lacks("3-9900-00000-20-1")
	b.post("/officer/profile/data", "format", "page").wants(http.StatusOK, "3-9900-00000-20-1", "สุดา", "การเข้าใช้งาน", "เข้าสู่ระบบ").lacks("อนุชา")
	b.in(locale.EN).post("/officer/profile/data", "format", "page").wants(http.StatusOK, "Family name", "Signed in")
	a := b.post("/officer/profile/data", "format", "json").wants(http.StatusOK, `"citizen_id": "3-9900-00000-20-1"`, `"rights"`)
	if got := a.header.Get("Content-Disposition"); !strings.Contains(got, "attachment") {
		t.Errorf("Content-Disposition: %q", got)
	}
	k.as(t, auditor).get("/admin/log?act=officer.export").wants(http.StatusOK, "ดูหรือดาวน์โหลดข้อมูลทั้งหมดของตนเอง")
	sections, fields := dossier.Names()
	for _, lang := range locale.Langs {
		for _, s := range sections {
			k.server.catalog.Text(lang, "account.section."+s, nil) // a missing text fails the test
		}
		for _, f := range fields {
			k.server.catalog.Text(lang, "account.field."+f, nil)
		}
	}
}

package web

import (
	"bytes"
	"image/png"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/signin"
)

// shows is what an app with the key shows now.
func (k *kit) shows(t *testing.T, key string) string {
	t.Helper()
	return must(totp.GenerateCode(strings.ReplaceAll(key, " ", ""), k.Clock.Now()))(t)
}

var (
	appKey       = regexp.MustCompile(`<pre id="app-key" class="code">([A-Z2-7 ]+)</pre>`)
	recoveryCode = regexp.MustCompile(`<code>([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})</code>`)
)

// setUp sets an app up on the pages.
func (b *browser) setUp() (key string, recovery []string) {
	b.t.Helper()
	page := b.post("/officer/security/app").follow().wants(http.StatusOK, "/officer/security/app/picture.png")
	key = appKey.FindStringSubmatch(page.body)[1]
	done := b.post("/officer/security/app/confirm", "code", b.k.shows(b.t, key)).wants(http.StatusOK)
	for _, m := range recoveryCode.FindAllStringSubmatch(done.body, -1) {
		recovery = append(recovery, m[1])
	}
	b.k.later(time.Minute)
	return key, recovery
}

func TestSecondFactorOnThePages(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		k.server.RequireFactor = false // each is free to set one up, and to stop using it
		k.keep(t, chief12, "")
		b := k.as(t, chief12)
		b.get("/officer/security").wants(http.StatusOK, "บัญชีของท่านยังใช้รหัสผ่านเพียงอย่างเดียว", "เริ่มตั้งค่าแอปยืนยันตัวตน").lacks("รหัสสำรอง")
		b.get("/officer/security/app").wants(http.StatusSeeOther)
		page := b.post("/officer/security/app").follow().wants(http.StatusOK, "สแกนภาพนี้ด้วยแอป")
		picture := b.get("/officer/security/app/picture.png").wants(http.StatusOK)
		drawn := must(png.Decode(bytes.NewReader([]byte(picture.body))))(t)
		if drawn.Bounds().Dx() < 200 || picture.header.Get("Content-Type") != "image/png" {
			t.Errorf("a picture of %v, %s", drawn.Bounds(), picture.header.Get("Content-Type"))
		}
		b.post("/officer/security/app/confirm", "code", "12").wants(http.StatusUnprocessableEntity, "กรุณากรอกรหัส 6 หลักที่แอปแสดง", "สแกนภาพนี้ด้วยแอป")
		key, recovery := b.setUp()
		if key != appKey.FindStringSubmatch(page.body)[1] || len(recovery) != signin.RecoveryCodes {
			t.Errorf("key %q, codes %q", key, recovery)
		}
		b.get("/officer/security").wants(http.StatusOK, "เหลือ 10 รหัส", "ยกเลิกการใช้").lacks("ยังใช้รหัสผ่านเพียงอย่างเดียว", recovery[0])
		b.post("/officer/security/app/confirm", "code", "123456").wants(http.StatusSeeOther) // sent twice: there is nothing to set up

		// Sign in: the password, then the factor.
		in := k.visitor(t)
		asked := in.post("/officer/login", "citizen_id", chief12, "password", kitPassword, "next", "/ko1/rights").wants(http.StatusSeeOther)
		if !strings.HasPrefix(asked.location, "/officer/login/factor/") || in.cookies[k.server.cookieName(sessionCookie)] != "" {
			t.Fatalf("a right password leads to %s with %v", asked.location, in.cookies)
		}
		path, _, _ := strings.Cut(asked.location, "?")
		asked.follow().wants(http.StatusOK, "เหลืออีกขั้นเดียว", `value="/ko1/rights"`)
		in.get("/officer/profile").wants(http.StatusSeeOther)
		in.post(path, "code", "", "next", "/ko1/rights").wants(http.StatusUnprocessableEntity, "กรุณากรอกรหัสจากแอป", `value="/ko1/rights"`)
		k.visitor(t).post(path, "code", k.shows(t, key)).wants(http.StatusNotFound)
		k.visitor(t).get(path).wants(http.StatusNotFound)
		done := in.post(path, "code", k.shows(t, key), "next", "/ko1/rights").wants(http.StatusSeeOther)
		if done.location != "/ko1/rights" {
			t.Errorf("leads to %s", done.location)
		}
		done.follow().wants(http.StatusOK)
		in.post(path, "code", recovery[0]).wants(http.StatusNotFound)

		// Step-up: the factor in place of the password, and what was typed is kept.
		k.later(signin.Defaults().StepUp + time.Minute)
		in.post("/ko1/rights/consider", "unit", "TH-12", "note", "ย้ายมาใหม่").wants(http.StatusUnprocessableEntity, stepUpCode, "ย้ายมาใหม่").lacks(stepUpField)
		in.post("/ko1/rights/consider", "unit", "TH-12", stepUpField, kitPassword).wants(http.StatusUnprocessableEntity, "กรุณากรอกรหัสจากแอป")
		in.post("/ko1/rights/consider", "unit", "TH-12", stepUpCode, k.shows(t, key)).wants(http.StatusUnprocessableEntity).lacks(stepUpCode)
		b.get("/officer/profile").wants(http.StatusOK) // the session that set it up goes on

		// The forgotten password asks for it, too.
		lost := k.visitor(t)
		reset := lost.post("/officer/passreset", "citizen_id", chief12).wants(http.StatusSeeOther).location
		lost.post(reset+"/send", "channel", "email").wants(http.StatusSeeOther)
		lost.post(reset+"/code", "code", k.code(t, "p0104@diw.example.go.th")).follow().wants(http.StatusOK, "กรุณายืนยันก่อนตั้งรหัสผ่านใหม่")
		lost.post(reset+"/password", "password", "ลำน้ำเจ้าพระยายามเย็น", "password_again", "ลำน้ำเจ้าพระยายามเย็น").wants(http.StatusNotFound)
		lost.post(reset+"/factor", "code", "1234").wants(http.StatusSeeOther).follow().wants(http.StatusOK)
		lost.post(reset+"/factor", "code", recovery[1]).follow().wants(http.StatusOK, "บันทึกรหัสผ่านใหม่")

		// New codes, and none.
		codes := in.post("/officer/security/codes").wants(http.StatusOK, "ชุดเดิมใช้ไม่ได้อีก")
		if len(recoveryCode.FindAllString(codes.body, -1)) != signin.RecoveryCodes {
			t.Error("no new codes")
		}
		in.get("/officer/security/app/remove").wants(http.StatusOK, "เหลือเพียงรหัสผ่าน")
		in.post("/officer/security/app/remove").follow().wants(http.StatusOK, "ยกเลิกวิธียืนยันตัวตนแล้ว", "ยังใช้รหัสผ่านเพียงอย่างเดียว")
		in.get("/officer/security/app/remove").wants(http.StatusSeeOther)
		in.post("/officer/security/codes").wants(http.StatusSeeOther)
		in.in(locale.EN).get("/officer/security").wants(http.StatusOK, "Your account rests on the password alone")
	})
}

// TestFactorIsRequired: who gives rights, approves, helps or administers, and who came with a short password, sets a second
// factor up before anything opens, and keeps one. With --no-require-factor the same people are invited and go on.
func TestFactorIsRequired(t *testing.T) {
	for _, required := range []bool{true, false} {
		k := newKit(t, func(o *Options) { o.RequireFactor = required })
		for citizen, needs := range map[string]bool{
			chief12: true, approves: true, admin1: true, agent1: true, considers3: true, considers: false, without: false, auditor: false,
		} {
			k.keep(t, citizen, "")
			b := k.as(t, citizen)
			if citizen == considers3 { // as if with a short password
				k.write(t, func(tx *store.Tx) error {
					_, err := tx.Exec(t.Context(), `UPDATE sessions SET short_password = TRUE WHERE person_id = $1`, k.who[citizen])
					return err
				})
			}
			led := needs && required
			for _, path := range []string{"/my/rights", "/officer/profile"} {
				a := b.get(path)
				if a.location == securityPath != led {
					t.Errorf("required %v, %s: %s answers %d %s", required, citizen, path, a.status, a.location)
				}
			}
			if a := b.post("/officer/profile/language", "lang", "th"); a.location == securityPath != led {
				t.Errorf("required %v, %s: a form answers %d %s", required, citizen, a.status, a.location)
			}
			page := b.get(securityPath).wants(http.StatusOK, "เริ่มตั้งค่าแอปยืนยันตัวตน")
			if !led {
				page.lacks("เหตุใดจึงต้องตั้งค่า")
				continue
			}
			page.wants(http.StatusOK, "เหตุใดจึงต้องตั้งค่า", map[bool]string{true: "สั้นกว่า 15 ตัวอักษร", false: "ท่านมีหน้าที่"}[citizen == considers3])
			b.get("/").wants(http.StatusOK)
			b.setUp()
			b.get("/my/rights").wants(http.StatusOK)

			b.get(securityPath+"/app/remove").wants(http.StatusOK, "ยกเลิกวิธีสุดท้ายไม่ได้").lacks("เหลือเพียงรหัสผ่าน")
			b.post(securityPath+"/app/remove").wants(http.StatusForbidden, "ยกเลิกวิธีสุดท้ายไม่ได้")
			b.get(securityPath).wants(http.StatusOK, "เปลี่ยนไปใช้โทรศัพท์เครื่องใหม่", "เหลือ 10 รหัส")
		}
	}
}

// TestShortPasswordNeedsAFactor registers nobody: it sets a password of the manual's short form, and signs in with it.
func TestShortPasswordNeedsAFactor(t *testing.T) {
	k := newKit(t)
	lost := k.visitor(t)
	reset := lost.post("/officer/passreset", "citizen_id", without).wants(http.StatusSeeOther).location
	lost.post(reset+"/send", "channel", "email").wants(http.StatusSeeOther)
	lost.post(reset+"/code", "code", k.code(t, "p0228@diw.example.go.th")).wants(http.StatusSeeOther)
	const short = "Khlong-7&Rua"
	lost.post(reset+"/password", "password", short, "password_again", short).follow().wants(http.StatusOK, "ตั้งรหัสผ่านใหม่เรียบร้อยแล้ว")

	b := k.visitor(t)
	b.post("/officer/login", "citizen_id", without, "password", short).follow().wants(http.StatusSeeOther)
	b.get(securityPath).wants(http.StatusOK, "สั้นกว่า 15 ตัวอักษร")
	key, _ := b.setUp()
	b.get("/my/rights").wants(http.StatusOK)

	// The next time the password is remembered as short beyond the second page.
	again := k.visitor(t)
	asked := again.post("/officer/login", "citizen_id", without, "password", short).wants(http.StatusSeeOther)
	path, _, _ := strings.Cut(asked.location, "?")
	again.post(path, "code", k.shows(t, key)).follow().wants(http.StatusOK)
	again.post(securityPath+"/app/remove").wants(http.StatusForbidden, "ยกเลิกวิธีสุดท้ายไม่ได้")
}

// TestDemoShowsTheCode: the page of the demonstration's messages shows what the app shows, and it opens an account.
func TestDemoShowsTheCode(t *testing.T) {
	k := newKit(t, func(o *Options) { o.Example.Key = kitKey })
	page := k.visitor(t).get("/demo/outbox").wants(http.StatusOK, kitKey, k.shows(t, kitKey))
	codes := regexp.MustCompile(`<code>([0-9]{6})</code>`).FindAllStringSubmatch(page.body, -1)
	if len(codes) != 2 {
		t.Fatalf("%d codes are shown, want the one of now and the next", len(codes))
	}
	for _, code := range codes {
		b := k.visitor(t)
		path, _, _ := strings.Cut(b.post("/officer/login", "citizen_id", chief12, "password", kitPassword).location, "?")
		b.post(path, "code", code[1]).wants(http.StatusSeeOther)
		b.get("/ko1/rights").wants(http.StatusOK)
	}
	newKit(t).visitor(t).get("/demo/outbox").wants(http.StatusOK).lacks(kitKey)
}

func TestDevicesOnThePages(t *testing.T) {
	k := newKit(t)
	b := k.visitor(t)
	in := []string{"citizen_id", without, "password", kitPassword}
	b.post("/officer/login", in...).wants(http.StatusSeeOther)
	before := len(k.messagesOf(t, "signin.new_device"))
	b.post("/officer/logout")
	b.post("/officer/login", in...).wants(http.StatusSeeOther)
	if got := len(k.messagesOf(t, "signin.new_device")); got != before {
		t.Errorf("%d messages tell of a device that is known", got-before)
	}
	other := k.visitor(t)
	other.post("/officer/login", in...).wants(http.StatusSeeOther)
	if got := len(k.messagesOf(t, "signin.new_device")) - before; got != 2 {
		t.Errorf("%d messages tell of a new device, want one to each contact", got)
	}
	page := b.get(securityPath).wants(http.StatusOK, "ลบอุปกรณ์นี้", "ออกจากระบบในอุปกรณ์อื่นทั้งหมด")
	device := regexp.MustCompile(`name="device" value="([0-9a-f]{64})"`).FindAllStringSubmatch(page.body, -1)
	if len(device) != 1 {
		t.Fatalf("%d devices can be forgotten, want the other one", len(device))
	}
	k.as(t, considers).post(securityPath+"/devices/forget", "device", device[0][1]).wants(http.StatusNotFound)
	other.get("/officer/profile").wants(http.StatusOK)
	b.post(securityPath+"/devices/forget", "device", device[0][1]).follow().wants(http.StatusOK, "ลบอุปกรณ์แล้ว").lacks("ลบอุปกรณ์นี้")
	other.get("/officer/profile").wants(http.StatusSeeOther)
	b.get("/officer/profile").wants(http.StatusOK)
	other.post("/officer/login", in...).wants(http.StatusSeeOther)
	if got := len(k.messagesOf(t, "signin.new_device")) - before; got != 4 {
		t.Errorf("%d messages tell of a new device, want one more to each contact of that which was forgotten", got)
	}

	// One session, and all others, can be ended from here.
	session := regexp.MustCompile(`action="(/officer/profile/sessions/[0-9a-f-]+/end)"`).FindStringSubmatch(b.get(securityPath).body)
	if session == nil {
		t.Fatal("no session can be ended")
	}
	k.as(t, considers).post(session[1]).wants(http.StatusNotFound)
	b.post(session[1]).wants(http.StatusSeeOther)
	other.get("/officer/profile").wants(http.StatusSeeOther)
	other.post("/officer/login", in...).wants(http.StatusSeeOther)
	b.post(securityPath+"/sessions/others").follow().wants(http.StatusOK, "ออกจากระบบในอุปกรณ์อื่นทั้งหมดแล้ว")
	b.get("/officer/profile").wants(http.StatusOK)
	other.get("/officer/profile").wants(http.StatusSeeOther)
}

// messagesOf are the messages of a kind that were queued.
func (k *kit) messagesOf(t *testing.T, purpose string) (list []string) {
	t.Helper()
	for _, m := range must(k.outbox.List(t.Context(), 1000))(t) {
		if m.Purpose == purpose {
			list = append(list, m.To)
		}
	}
	return list
}

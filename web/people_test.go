package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/signin"
)

// asks puts a request of a locked officer to be let in again. The account is locked in the database alone.
func (k *kit) asks(t *testing.T, who person.ID) (id string) {
	t.Helper()
	id = store.NewID()
	k.write(t, func(tx *store.Tx) error {
		if _, err := tx.Exec(t.Context(), `UPDATE accounts SET last_signin_at = $2 WHERE person_id = $1`, who, store.Us(tx.Now.Add(-officer.LockAfter))); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), `INSERT INTO activations (id, person_id, browser, unit, asked_at, created_at, expires_at)
			SELECT $1, a.person_id, 'b', a.unit, $3, $3, $3 FROM accounts a WHERE a.person_id = $2`, id, who, store.Us(tx.Now))
		return err
	})
	return id
}

// lockAll lets 60 days pass in which nobody signs in but those named.
func (k *kit) lockAll(t *testing.T, but ...string) {
	t.Helper()
	k.later(officer.LockAfter / 2)
	for _, citizen := range but {
		k.as(t, citizen)
	}
	check(t, k.book.CatchUp(t.Context()))
	k.later(officer.LockAfter / 2)
}

// locked signs in as who is locked, and answers the address of the way back in.
func (b *browser) locked(citizen string) string {
	b.t.Helper()
	a := b.post("/officer/login", "citizen_id", citizen, "password", kitPassword, "next", "/ko1").wants(http.StatusSeeOther)
	if !strings.HasPrefix(a.location, activationPath) || b.cookies[b.k.server.cookieName(sessionCookie)] != "" {
		b.t.Fatalf("a locked officer is led to %s with %v", a.location, b.cookies)
	}
	return a.location
}

// first answers what the first group of a pattern matches in the page.
func (a *answer) first(pattern string) string {
	a.b.t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(a.body)
	if m == nil {
		a.b.t.Fatalf("the page has no %s\n%s", pattern, a.text())
	}
	return m[1]
}

// TestLockedOfficerComesBack goes the way of the manual's section 3, "Active User", from the locked door to work, and leaves
// it at every step.
func TestLockedOfficerComesBack(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		k.lockAll(t, chief12, chief13, admin1)
		before := k.visitor(t).post("/officer/login", "citizen_id", without, "password", "no password of his").wants(http.StatusUnprocessableEntity)
		before.lacks("ล็อก", "activate")

		b := k.visitor(t)
		way := b.locked(considers)
		b.get("/my/rights").wants(http.StatusSeeOther)
		b.get(way).wants(http.StatusOK, "บัญชีของท่านถูกล็อก", "60 วัน", "Active User", "@iiindustry", `href="/officer/help?kind=active"`).lacks("p0201@", "0812000020")
		b.in(locale.EN).get(way).wants(http.StatusOK, "Your account is locked", "60 days")
		b.in(locale.TH)
		other := k.visitor(t)
		other.get(way).wants(http.StatusNotFound, "เบราว์เซอร์อื่น")
		other.post(way+"/send", "channel", "email").wants(http.StatusNotFound)
		b.post(way+"/code", "code", "123456").wants(http.StatusNotFound) // none was sent
		b.post(way+"/send", "channel", "pigeon").follow().wants(http.StatusOK, "error-summary")
		b.post(way+"/send", "channel", "email").follow().wants(http.StatusOK, "กรอกรหัส OTP").lacks("p0201@")
		code := k.code(t, "p0201@diw.example.go.th")
		other.post(way+"/code", "code", code).wants(http.StatusNotFound)
		b.post(way+"/code", "code", "12").follow().wants(http.StatusOK, "error-summary", `value="12"`)
		b.get(way+"?again").wants(http.StatusOK, "SMS")
		b.post(way+"/send", "channel", "email", "resend", "1").follow().wants(http.StatusOK, "error-summary") // within a minute
		b.post(way+"/code", "code", code).follow().wants(http.StatusOK, "ส่งคำขอแล้ว", "ตรวจสอบผลอีกครั้ง")
		b.post(way+"/code", "code", code).follow().wants(http.StatusOK, "ส่งคำขอแล้ว")
		if again := k.visitor(t).locked(considers); again != way {
			t.Errorf("who comes again is led to %s, not %s", again, way)
		}
		b = k.visitor(t)
		b.locked(considers) // and so the request is this browser's

		chief, foreign := k.as(t, chief12), k.as(t, chief13)
		foreign.get("/ko1/people").wants(http.StatusOK, "มาลี").lacks("สุดา", "Active User")
		k.as(t, admin1).get("/ko1/people").wants(http.StatusOK, "เจ้าหน้าที่ทุกหน่วยงาน", "สุดา", "ยุติธรรม").lacks("ผู้ขอยืนยันตัวตน")
		chief.get("/ko1/rights").wants(http.StatusOK, "ดูคำขอ 1 รายการ")
		k.as(t, admin1).get("/admin/overview").wants(http.StatusOK).lacks("ดูคำขอ")
		page := chief.get("/ko1/people").wants(http.StatusOK, "สุดา พิจารณา", "ผู้ขอยืนยันตัวตน", "ถูกล็อก", `href="/ko1/people"`).lacks("มาลี")
		confirm := page.first(`action="(/ko1/people/[^"]+/confirm)"`)
		foreign.post(confirm).wants(http.StatusNotFound)
		k.as(t, admin1).post(confirm).wants(http.StatusForbidden)
		chief.in(locale.EN).get("/ko1/people").wants(http.StatusOK, "Confirm and open", "Sign-ins of officers")
		chief.in(locale.TH)
		k.later(signin.Defaults().StepUp + time.Second)
		chief.post(confirm).wants(http.StatusUnprocessableEntity, "stepup_")
		chief = k.as(t, chief12)
		chief.post(confirm).follow().wants(http.StatusOK, "เปิดใช้งานบัญชีของ สุดา พิจารณา แล้ว").lacks("ผู้ขอยืนยันตัวตน")
		chief.post(confirm).wants(http.StatusConflict, "มีผู้ดำเนินการแล้ว")
		chief.get(strings.Replace(confirm, "/confirm", "/refuse", 1)).wants(http.StatusNotFound)

		b.get(way).wants(http.StatusOK, "เปิดใช้งานบัญชีแล้ว", `href="/officer/login"`)
		b.post(way+"/code", "code", code).follow().wants(http.StatusOK, "เปิดใช้งานบัญชีแล้ว")
		b.post("/officer/login", "citizen_id", considers, "password", kitPassword).follow().wants(http.StatusOK, "พิจารณา")
	})
}

// TestLockedOfficerIsRefused has a chief say no, with a reason that the officer reads.
func TestLockedOfficerIsRefused(t *testing.T) {
	k := newKit(t)
	k.lockAll(t, chief12)
	b := k.visitor(t)
	way := b.locked(without)
	b.post(way+"/send", "channel", "sms").wants(http.StatusSeeOther)
	b.post(way+"/code", "code", k.code(t, "+66812"+without[7:])).wants(http.StatusSeeOther)
	chief := k.as(t, chief12)
	refuse := chief.get("/ko1/people").first(`href="(/ko1/people/[^"]+/refuse)"`)
	chief.get(refuse).wants(http.StatusOK, "ปิติ ใจดี", "เหตุผลที่ไม่ยืนยัน")
	chief.post(refuse, "reason", " ").wants(http.StatusUnprocessableEntity, "error-summary")
	chief.post(refuse, "reason", "ย้ายไปสังกัดอื่นแล้ว").follow().wants(http.StatusOK, "บันทึกการไม่ยืนยัน").lacks("ผู้ขอยืนยันตัวตน")
	chief.post(refuse, "reason", "อีกครั้ง").wants(http.StatusConflict)
	b.get(way).wants(http.StatusOK, "คำขอไม่ได้รับการยืนยัน", "ย้ายไปสังกัดอื่นแล้ว")
	b.locked(without) // stays locked, and may ask again
}

// crowd registers many officers of นนทบุรี, of whom one after another did not come for a day longer than the one before.
func (k *kit) crowd(t *testing.T, n int) {
	t.Helper()
	given := []string{"กมลวรรณ", "ขวัญชัย", "จิราพรรณรายณ์", "ฐิติรัตน์", "ณัฐพงษ์", "ทองสุข", "ประภาวรินทร์", "ภูมิใจ"}
	family := []string{"แก้วมณีรัตน์", "ศรีสุข", "วงศ์พิพัฒน์กุล", "ทองดี", "อยู่เย็น"}
	positions := []string{"นักวิชาการอุตสาหกรรมชำนาญการ", "วิศวกรปฏิบัติการ", "เจ้าพนักงานตรวจโรงงานอาวุโส"}
	k.write(t, func(tx *store.Tx) error {
		for i := range n {
			who, err := k.roll.Mention(t.Context(), tx, k.citizen(t, someID(t, i)))
			if err != nil {
				return err
			}
			a := officer.Account{
				Person: who, GivenName: given[i%len(given)], FamilyName: family[i%len(family)], Position: positions[i%len(positions)], Unit: "TH-12",
				Email: thai.Email(fmt.Sprintf("crowd%d@diw.example.go.th", i)), Phone: "+66812345678", TermsVersion: officer.TermsVersion,
				RegisteredAt: tx.Now.AddDate(-1, 0, 0), LastSignIn: tx.Now.AddDate(0, 0, -i%70),
			}
			if err := officer.Create(t.Context(), tx, a, "-"); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestPeopleInPages goes through the sign-ins of a large office as a browser without scripts does.
func TestPeopleInPages(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		k.crowd(t, 140) // two of each day: locked are days 60 to 69, soon 45 to 59
		b := k.as(t, chief12)
		rows := func(a *answer) int { return strings.Count(a.body, `<td class="lead"`) }
		first := b.get(peoplePath).wants(http.StatusOK, "หน้า 1 จาก 3", "144 รายการ", "20 คน", "30 คน", "144 คน", `method="post"`, `action="/ko1/people/find"`)
		if n := rows(first); n != 50 || strings.Count(first.body, ">ถูกล็อก<") < 20 {
			t.Errorf("%d on the first page, %d locked", n, strings.Count(first.body, ">ถูกล็อก<"))
		}
		if n := rows(b.get(peoplePath + "?page=3")); n != 44 {
			t.Errorf("%d on the last page", n)
		}
		if n := rows(b.get(peoplePath + "?state=soon&size=20&page=2")); n != 10 {
			t.Errorf("%d on the second page of those who lock soon", n)
		}
		if n := rows(b.get(peoplePath + "?page=-1&size=7&state=x&sort=y")); n != 50 {
			t.Errorf("what is unknown counts: %d", n)
		}
		b.fragment("grid").get(peoplePath+"?state=locked").wants(http.StatusOK, "20 รายการ").lacks("<html", "people-title")
		b.fragment("")
		find := func(pairs ...string) *answer { return b.post(peoplePath+"/find", pairs...).wants(http.StatusSeeOther) }
		search := func(words string) string { return peoplePath + "?q=" + url.QueryEscape(words) }
		found := find("q", " ขวัญชัย ", "state", "locked", "size", "50", "page", "2")
		if found.location != search("ขวัญชัย")+"&state=locked" {
			t.Errorf("leads to %s", found.location)
		}
		found.follow().wants(http.StatusOK, "<mark>ขวัญชัย</mark>", `value="ขวัญชัย"`).lacks("กมลวรรณ")
		for typed, want := range map[string]string{
			"3990000000201": "399000000", "๓-๙๙๐๐-๐๐๐๐๐-๒๐-๑": "399000000", "สุดา 3990000000201": "สุดา 399000000",
		} {
			if got := find("q", typed).location; got != search(want) {
				t.Errorf("%s leads to %s", typed, got)
			}
			b.get(search(typed)).wants(http.StatusSeeOther).follow().wants(http.StatusOK, "ไม่พบรายการ").lacks("3990000000201")
		}
		k.as(t, chief13).get(peoplePath+"?unit=TH-12").wants(http.StatusOK, "ไม่พบรายการ", "2 คน").lacks("ขวัญชัย")
		k.as(t, admin1).get(peoplePath+"?unit=TH-13").wants(http.StatusOK, "มานะ ขยัน", "153 คน").lacks("ขวัญชัย")
	})
}

// TestPeopleIsForHeadsAndTheCentre shows the page to nobody else.
func TestPeopleIsForHeadsAndTheCentre(t *testing.T) {
	k := newKit(t)
	for citizen, status := range map[string]int{without: http.StatusForbidden, auditor: http.StatusForbidden, chief12: http.StatusOK, admin1: http.StatusOK} {
		a := k.as(t, citizen).get("/ko1/people")
		a.wants(status)
		if linked := strings.Contains(a.body, `href="/ko1/people"`); linked != (status == http.StatusOK) {
			t.Errorf("%s: linked from the menu: %t", citizen, linked)
		}
	}
	k.visitor(t).get("/ko1/people").wants(http.StatusSeeOther)
}

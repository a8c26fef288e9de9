package web

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"sitthi/internal/browsertest"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/officer"
	"sitthi/signin"
)

// newcomer is a registration form without a fault, as pairs of name and value.
func newcomer(citizen, email, phone string) []string {
	return []string{
		"citizen_id", citizen, "phone", phone, "given_name", "ปราณี", "family_name", "มาใหม่",
		"position", "นักวิชาการอุตสาหกรรมปฏิบัติการ", "unit", "TH-12", "email", email, "line_id", "pranee",
		"password", "ฝนตกที่บางกรวยเมื่อคืน", "password_again", "ฝนตกที่บางกรวยเมื่อคืน", "terms", officer.TermsVersion,
	}
}

const (
	newMail  = "pranee@industry.example.go.th"
	newPhone = "086-111-2222"
	newE164  = "+66861112222"
)

// with answers the pairs with one value changed.
func with(pairs []string, name, value string) []string {
	out := append([]string(nil), pairs...)
	for i := 0; i < len(out); i += 2 {
		if out[i] == name {
			out[i+1] = value
		}
	}
	return out
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code is the code that was sent last to a contact.
func (k *kit) code(t *testing.T, to string) string {
	t.Helper()
	for _, m := range must(k.outbox.List(t.Context(), 1000))(t) {
		if m.To == to && strings.HasSuffix(m.Purpose, ".code") {
			return sixDigits.FindString(m.Text)
		}
	}
	t.Fatalf("no code was sent to %s", to)
	return ""
}

// words is the main part of the page as people read it: no tags, blanks as one.
func (a *answer) words() string {
	_, main, _ := strings.Cut(a.body, "<main")
	main, _, _ = strings.Cut("<main"+main, "</main>")
	main = regexp.MustCompile(`<span class="whole">([^<]*)</span>`).ReplaceAllString(main, "$1") // parts no words
	text := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(main, " "))
	return strings.Join(strings.Fields(text), " ")
}

// TestRegisterFormIsTheManuals holds the form to the manual, section 1: words, stars, help text, in its order.
func TestRegisterFormIsTheManuals(t *testing.T) {
	k := newKit(t)
	page := k.visitor(t).get("/officer/register").wants(http.StatusOK)
	words := page.words()
	at := 0
	for _, want := range []string{
		"ข้อมูลการสมัครใช้งานระบบเจ้าหน้าที่", "กรุณากรอกข้อมูลและตรวจสอบข้อมูลให้ครบถ้วน หรือเข้าสู่ระบบ",
		"เลขประจำตัวประชาชน *", "เบอร์โทรศัพท์มือถือ *", "ชื่อจริง *", "นามสกุล *", "ตำแหน่ง *", "กรม/กอง/ศูนย์/สอจ. *",
		"อีเมล *", "ไลน์ *", "รหัสผ่าน ใช้อักษรตั้งแต่ 8 ตัวขึ้นไปประกอบด้วยตัวอักษร ตัวเลข และ สัญลักษณ์", "ยืนยันรหัสผ่าน",
		"ยอมรับ ข้อกำหนดและเงื่อนไข.", "ยืนยันการสมัครใช้งานระบบ",
	} {
		i := strings.Index(words[at:], want)
		if i < 0 {
			t.Fatalf("the form lacks %q after\n%s\nbefore\n%s", want, words[:at], words[at:])
		}
		at += i
	}
	page.wants(http.StatusOK, "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี", "กองบริหารจัดการกากอุตสาหกรรม", `href="/officer/terms"`, `href="/officer/login"`)
	k.visitor(t).in(locale.EN).get("/officer/register").wants(http.StatusOK, "Registration of officers", "Confirm registration")
}

func TestRegister(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		b := k.visitor(t)
		page := b.post("/officer/register", newcomer("3-9900-00000-50-3", newMail, newPhone)...).follow()
		page.wants(http.StatusOK, "ยืนยันอีเมล", newMail)
		path := "/officer/register/" + flowOf(t, page)
		for _, c := range []struct{ code, words string }{{"123", "รหัส OTP"}, {"ไม่รู้", "6 หลัก"}} {
			b.post(path, "step", "email", "code", c.code).wants(http.StatusUnprocessableEntity, c.words, `value="`+c.code+`"`)
		}
		b.post(path, "step", "email", "code", k.code(t, newMail)).follow().wants(http.StatusOK, "ยืนยันเบอร์โทรศัพท์มือถือ", newPhone)
		k.visitor(t).get(path).wants(http.StatusNotFound, "หมดเวลา") // another browser
		page = b.post(path, "step", "phone", "code", k.code(t, newE164)).follow()
		page.wants(http.StatusOK, "สมัครใช้งานระบบเรียบร้อยแล้ว", "ยังไม่มีสิทธิ์", `href="/officer/login"`)
		b.in(locale.EN).get(path).wants(http.StatusOK, "You are registered")

		b.in(locale.TH).post("/officer/login", "citizen_id", "3990000000503", "password", "ฝนตกที่บางกรวยเมื่อคืน", "next", "/officer/profile").
			follow().wants(http.StatusOK, "ปราณี มาใหม่", "3-9900-XXXXX-XX-3", "ฉบับที่ "+officer.TermsVersion, newMail, "/officer/security").
			lacks("3-9900-00000-50-3")
	})
}

var flowPath = regexp.MustCompile(`action="/officer/register/([0-9a-f-]{36})"`)

func flowOf(t *testing.T, page *answer) string {
	t.Helper()
	m := flowPath.FindStringSubmatch(page.body)
	if m == nil {
		t.Fatalf("the page names no registration:\n%s", page.text())
	}
	return m[1]
}

func TestRegisterKeepsWhatWasTyped(t *testing.T) {
	k := newKit(t)
	before := len(must(k.outbox.List(t.Context(), 1000))(t))
	for _, lang := range locale.Langs {
		b := k.visitor(t).in(lang)
		form := with(newcomer("1-2345-67890-12-3", "not an address", newPhone), "terms", "")
		page := b.post("/officer/register", form...).wants(http.StatusUnprocessableEntity)
		for i := 0; i < len(form); i += 2 {
			switch name, value := form[i], html.EscapeString(form[i+1]); name {
			case "password", "password_again":
				page.lacks(value)
			case "unit":
				page.wants(http.StatusUnprocessableEntity, `<option value="TH-12" selected>`)
			case "terms":
			default:
				page.wants(http.StatusUnprocessableEntity, `value="`+value+`"`)
			}
		}
		// Each fault beside its field and in the summary, and that the passwords are to be entered again.
		for _, key := range []string{
			"officer.problem.citizen_id_digit", "officer.problem.email_form", "officer.problem.terms", "officer.password_once_more",
		} {
			text := html.EscapeString(k.server.catalog.Text(lang, key, nil))
			if n := strings.Count(page.body, text); n != 2 {
				t.Errorf("%s: %q is told %d times, want 2", lang, text, n)
			}
		}
		if n := len(must(k.outbox.List(t.Context(), 1000))(t)); n != before {
			t.Errorf("%d messages were sent", n-before)
		}
	}
}

func TestRegisterCanBeMended(t *testing.T) {
	k := newKit(t)
	b := k.visitor(t)
	form := newcomer("3-9900-00000-50-3", "wrong@industry.example.go.th", newPhone)
	page := b.post("/officer/register", form...).follow()
	flow := flowOf(t, page)
	page.wants(http.StatusOK, `href="/officer/register?flow=`+flow+`"`)
	b.get("/officer/register?flow="+flow).wants(http.StatusOK, `value="3990000000503"`, `value="wrong@industry.example.go.th"`, "TH-12\" selected", "checked").
		lacks("ฝนตก")
	k.visitor(t).get("/officer/register?flow=" + flow).wants(http.StatusNotFound)
	b.post("/officer/register", with(form, "email", newMail)...).follow().wants(http.StatusOK, newMail)

	// Another code too early: what is told is told on the page of the step.
	b.post("/officer/register/"+flow+"/resend").wants(http.StatusTooManyRequests, "wrong@industry.example.go.th", "ขอรหัสใหม่ได้อีกครั้งในอีก")
	k.later(time.Minute)
	b.post("/officer/register/"+flow+"/resend").follow().wants(http.StatusOK, "ส่งรหัส OTP ใหม่แล้ว")
}

// TestRegisterTellsStrangersNothing is guarantee P5 at the door: the answers to a citizen ID with an account and to one
// without have the same status, headers and length, until a contact is proved.
func TestRegisterTellsStrangersNothing(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		for _, c := range []struct {
			name string
			act  func(b *browser, citizen string) *answer
		}{
			{"first submission", func(b *browser, citizen string) *answer {
				return b.post("/officer/register", newcomer(citizen, newMail, newPhone)...)
			}},
			{"page of the code", func(b *browser, citizen string) *answer {
				return b.post("/officer/register", newcomer(citizen, newMail, newPhone)...).follow()
			}},
			{"wrong code", func(b *browser, citizen string) *answer {
				page := b.post("/officer/register", newcomer(citizen, newMail, newPhone)...).follow()
				return b.post("/officer/register/"+flowOf(t, page), "step", "email", "code", "0000000")
			}},
			{"sign-in", func(b *browser, citizen string) *answer {
				return b.post("/officer/login", "citizen_id", citizen, "password", "not the password")
			}},
		} {
			var shapes [2]string
			for i, citizen := range []string{without, unknown} {
				k.later(16 * time.Minute)
				a := c.act(k.visitor(t), citizen)
				shapes[i] = fmt.Sprintf("%d, %d bytes,", a.status, len(a.body))
				for _, name := range []string{"Location", "Set-Cookie", "Retry-After", "Content-Type"} {
					shapes[i] += fmt.Sprintf(" %s %d", name, len(strings.Join(a.header.Values(name), " ")))
				}
				if len(a.header) == 0 {
					t.Fatal("no headers")
				}
			}
			if shapes[0] != shapes[1] {
				t.Errorf("%s: with an account %s; without %s", c.name, shapes[0], shapes[1])
			}
		}
	})
}

func TestExistingLeadsToTheForgottenPassword(t *testing.T) {
	k := newKit(t)
	for _, lang := range locale.Langs {
		k.later(16 * time.Minute)
		b := k.visitor(t).in(lang)
		page := b.post("/officer/register", newcomer(without, newMail, newPhone)...).follow()
		end := b.post("/officer/register/"+flowOf(t, page), "step", "email", "code", k.code(t, newMail)).follow()
		end.wants(http.StatusOK, `href="/officer/passreset"`, `href="/officer/login"`)
		b.get("/officer/passreset").wants(http.StatusOK, "@iiindustry", "Reset Password") // section 2.2
		for _, key := range []string{"officer.title_existing", "officer.end_existing", "officer.forgotten"} {
			end.wants(http.StatusOK, html.EscapeString(k.server.catalog.Text(lang, key, nil)))
		}
	}
}

func TestTermsPage(t *testing.T) {
	k := newKit(t)
	for lang, word := range map[locale.Lang]string{locale.TH: "การรักษารหัสผ่าน", locale.EN: "Keeping your password"} {
		k.visitor(t).in(lang).get("/officer/terms").wants(http.StatusOK, word, officer.TermsVersion)
	}
}

func TestSignInAndOut(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		b := k.visitor(t)
		b.get("/officer/profile").follow().wants(http.StatusOK, `name="next" value="/officer/profile"`, "เลขประจำตัวประชาชน")
		page := b.post("/officer/login", "citizen_id", "3-9900-00000-22-8", "password", "wrong", "next", "/officer/profile")
		page.wants(http.StatusUnprocessableEntity, `value="3-9900-00000-22-8"`, `value="/officer/profile"`, "เลขประจำตัวประชาชนหรือรหัสผ่านไม่ถูกต้อง").
			lacks(`"wrong"`)
		page = b.post("/officer/login", "citizen_id", "3-9900-00000-22-8", "password", kitPassword, "next", "/officer/profile")
		if page.location != "/officer/profile" {
			t.Errorf("the sign-in leads to %q", page.location)
		}
		for _, name := range []string{sessionCookie, deviceCookie} {
			if b.cookies["__Host-sitthi-"+name] == "" {
				t.Errorf("no cookie %s", name)
			}
		}
		for _, c := range page.header.Values("Set-Cookie") {
			if !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "Secure") || !strings.Contains(c, "SameSite=Lax") || !strings.Contains(c, "Path=/") {
				t.Errorf("cookie %s", c)
			}
		}
		page.follow().wants(http.StatusOK, "ปิติ ใจดี", "นักวิชาการอุตสาหกรรมปฏิบัติการ")
		if a := b.get("/officer/login?next=/ko1"); a.location != "/ko1" {
			t.Errorf("who is signed in is led to %q", a.location)
		}
		token := b.cookies["__Host-sitthi-session"]
		b.post("/officer/logout").follow().wants(http.StatusOK, "ออกจากระบบแล้ว")
		b.get("/officer/profile").wants(http.StatusSeeOther)
		b.cookies["__Host-sitthi-session"] = token // the old cookie opens nothing
		b.get("/officer/profile").wants(http.StatusSeeOther)
		b.post("/officer/logout").wants(http.StatusSeeOther)
	})
}

func TestSignInLeadsToOwnPagesOnly(t *testing.T) {
	for next, want := range map[string]string{
		"/ko1/rights?unit=TH-12": "/ko1/rights?unit=TH-12", "": afterSignIn, "https://example.com/": afterSignIn,
		"//example.com": afterSignIn, `/\example.com`: afterSignIn, "/officer/login?next=/ko1": afterSignIn,
		"/officer/logout": afterSignIn, "javascript:alert(1)": afterSignIn,
	} {
		if got := nextPage(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}

func TestSignInIsSlowedDown(t *testing.T) {
	k := newKit(t)
	b := k.visitor(t)
	for range 5 {
		b.post("/officer/login", "citizen_id", without, "password", "wrong").wants(http.StatusUnprocessableEntity)
	}
	for lang, words := range map[locale.Lang]string{locale.TH: "ลองใหม่ในอีก 1 นาที", locale.EN: "try again in 1 minute"} {
		a := b.in(lang).post("/officer/login", "citizen_id", without, "password", "wrong")
		a.wants(http.StatusTooManyRequests, words, `value="`+without+`"`)
		if a.header.Get("Retry-After") != "60" {
			t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
		}
	}
}

func TestDisabledOfficer(t *testing.T) {
	k := newKit(t)
	b := k.as(t, without)
	k.write(t, func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE accounts SET state = 'disabled' WHERE person_id = $1`, k.who[without])
		return err
	})
	b.get("/officer/profile").wants(http.StatusSeeOther)
	b.post("/officer/login", "citizen_id", without, "password", kitPassword).wants(http.StatusUnprocessableEntity, "บัญชีนี้ถูกระงับการใช้งาน")
}

func TestProfile(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		b := k.as(t, without)
		other := k.as(t, without)
		page := b.get("/officer/profile").wants(http.StatusOK, "ข้อมูลที่สมัครไว้", "3-9900-XXXXX-XX-8", "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี", "ยืนยันแล้วเมื่อ", "ท่านยังใช้รหัสผ่านเพียงอย่างเดียว")
		page.lacks("3-9900-00000-22-8", without)
		b.in(locale.EN).get("/officer/profile").wants(http.StatusOK, "Registered information")
		b.get("/officer/security").wants(http.StatusOK, "Sign out everywhere")
		listed := b.in(locale.TH).get("/officer/security").wants(http.StatusOK, "อุปกรณ์ที่ใช้อยู่", "192.0.2.1", "อุปกรณ์ที่เคยเข้าสู่ระบบ")

		sessions := must(k.signin.List(t.Context(), k.who[without]))(t)
		if len(sessions) != 2 {
			t.Fatalf("%d sessions", len(sessions))
		}
		ends := regexp.MustCompile(`/officer/profile/sessions/([0-9a-f-]{36})/end`).FindAllStringSubmatch(listed.body, -1)
		if len(ends) != 1 {
			t.Fatalf("%d sessions can be ended one by one, want the other one", len(ends))
		}
		stranger := k.as(t, considers)
		stranger.post("/officer/profile/sessions/" + ends[0][1] + "/end").wants(http.StatusNotFound)
		other.get("/officer/profile").wants(http.StatusOK)
		b.in(locale.TH).post("/officer/profile/sessions/"+ends[0][1]+"/end").follow().wants(http.StatusOK, "สั่งออกจากระบบแล้ว")
		other.get("/officer/profile").wants(http.StatusSeeOther)

		b.post("/officer/profile/language", "lang", "en").follow().wants(http.StatusOK, "The language was saved", "Registered information")
		profile := must(k.officers.Profile(t.Context(), k.who[without]))(t)
		if profile.Account.Language != locale.EN {
			t.Errorf("messages are written in %q", profile.Account.Language)
		}
		b.post("/officer/profile/sessions/end").follow().wants(http.StatusOK, "You are signed out everywhere")
		if left := must(k.signin.List(t.Context(), k.who[without]))(t); len(left) != 0 {
			t.Errorf("%d sessions are left", len(left))
		}
		stranger.get("/officer/profile").wants(http.StatusOK)
	})
}

// TestOfficerPagesReadOnly opens every page and every form's address with GET: nothing is changed by it.
func TestOfficerPagesReadOnly(t *testing.T) {
	k := newKit(t)
	b := k.as(t, without)
	page := k.visitor(t).post("/officer/register", newcomer(unknown, newMail, newPhone)...)
	count := func() (n int) {
		check(t, k.DB.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM audit_entries) + (SELECT count(*) FROM messages)
				+ (SELECT count(*) FROM registrations) + (SELECT count(*) FROM sessions WHERE ended_at IS NULL)
				+ (SELECT count(*) FROM throttles)`).Scan(&n)
		}))
		return n
	}
	before := count()
	for _, r := range k.server.officerRoutes() {
		_, path, _ := strings.Cut(r.Pattern, " ")
		flow := strings.TrimPrefix(page.location, "/officer/register/")
		b.get(strings.NewReplacer("{flow}", flow, "{session}", store.NewID()).Replace(path))
	}
	if after := count(); after != before {
		t.Errorf("%d rows before, %d after", before, after)
	}
}

func TestBrowserName(t *testing.T) {
	v := newKit(t).server.visit(must(http.NewRequest(http.MethodGet, "/", nil))(t))
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0": "Edge บน Windows",
		"Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36":              "Chrome บน Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Version/19.0 Safari/604.1":      "Safari บน iPhone",
		"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0":                                                    "Firefox บน Linux",
		"curl/8": "โปรแกรมที่ไม่รู้จัก",
		"":       "โปรแกรมที่ไม่รู้จัก",
	} {
		if got := v.browserName(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}

// TestOfficerPagesInABrowser registers, signs in and out as people do, with and without JavaScript, and holds every page
// on the way to the window and to axe-core. The cookies with the prefix __Host- must come back over http://localhost.
func TestOfficerPagesInABrowser(t *testing.T) {
	for i, c := range []struct {
		name string
		opts browsertest.Options
	}{
		{"desktop-th", browsertest.Options{Lang: "th"}},
		{"phone-en-dark", browsertest.Options{Lang: "en", Phone: true, Dark: true}},
		{"no-js", browsertest.Options{Lang: "th", Phone: true, NoJS: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t)
			b := browsertest.Open(t, strings.Replace(k.url, "127.0.0.1", "localhost", 1), c.opts)
			lang := locale.Parse(c.opts.Lang)
			word := func(key string) string { return k.server.catalog.Text(lang, key, nil) }
			var office locale.Name
			for _, u := range must(k.officers.Offices(t.Context()))(t) {
				if u.Code == "TH-12" {
					office = u.Name
				}
			}
			look := func(page string) {
				t.Helper()
				b.Screenshot(fmt.Sprintf("officer-%d-%s-%s", i, page, c.name))
				b.NoHorizontalScroll()
				if !c.opts.NoJS {
					b.Axe()
				}
			}
			fill := func(citizen string) {
				t.Helper()
				b.Go("/officer/register")
				b.Fill(word("officer.citizen_id"), citizen)
				b.Fill(word("officer.phone"), newPhone)
				b.Fill(word("officer.given_name"), "ปั๊ญญู")
				b.Fill(word("officer.family_name"), "ฐูปญุ่ง")
				b.Fill(word("officer.position"), "นักวิชาการอุตสาหกรรมปฏิบัติการ")
				b.Select(word("officer.unit"), office.In(lang))
				b.Fill(word("officer.email"), newMail)
				b.Fill(word("officer.line_id"), "pranee")
				b.Fill(word("officer.password"), "ฝนตกที่บางกรวยเมื่อคืน")
				b.Fill(word("officer.password_again"), "ฝนตกที่บางกรวยเมื่อคืน")
				b.Check(word("officer.terms_accept") + " " + word("officer.terms_link"))
			}
			b.Go("/officer/register")
			if c.opts.Lang == "en" {
				b.Click("EN")
				b.See(word("officer.register"))
			}
			look("register")
			b.Press(word("officer.register_submit"))
			b.See(word("officer.problem.citizen_id_empty"))
			look("register-faults")
			fill(unknown)
			b.Press(word("officer.register_submit"))
			b.See(word("officer.title_email"), newMail)
			look("code")
			b.Fill(word("officer.code"), "00000")
			b.Press(word("officer.code_submit"))
			b.See(word("proof.code.form"))
			right := k.code(t, newMail)
			b.Fill(word("officer.code"), string('0'+('9'-right[0]))+right[1:])
			b.Press(word("officer.code_submit"))
			b.See(word("proof.code.wrong"))
			look("code-wrong")
			b.Fill(word("officer.code"), k.code(t, newMail))
			b.Press(word("officer.code_submit"))
			b.See(word("officer.title_phone"), newPhone)
			b.Fill(word("officer.code"), k.code(t, newE164))
			b.Press(word("officer.code_submit"))
			b.See(word("officer.title_registered"), word("officer.end_no_rights"))
			look("registered")

			b.Go("/officer/terms")
			look("terms")
			b.Go("/officer/login?next=/officer/profile")
			look("sign-in")
			b.Fill(word("officer.citizen_id"), "3990000000503")
			b.Fill(word("officer.password"), "wrong")
			b.Press(word("officer.sign_in"))
			b.See(word("signin.problem.wrong"))
			look("sign-in-wrong")
			if got := b.Value(word("officer.citizen_id")); got != "3-9900-00000-50-3" && !c.opts.NoJS || got == "" {
				t.Errorf("the citizen ID reads %q after a failure", got)
			}
			b.Fill(word("officer.password"), "ฝนตกที่บางกรวยเมื่อคืน")
			b.Press(word("officer.sign_in"))
			b.See(word("officer.profile_data"), "ปั๊ญญู ฐูปญุ่ง", "3-9900-XXXXX-XX-3")
			must(k.signin.SignIn(t.Context(), signin.In{ // in another browser
				CitizenID: unknown, Password: "ฝนตกที่บางกรวยเมื่อคืน", Address: "192.0.2.1", Agent: "Firefox/145.0 (Windows NT 10.0)",
			}))(t)
			b.Reload()
			look("profile")
			b.Click(word("security.open"))
			look("sessions")
			b.Press(word("officer.session_end"))
			b.See(word("officer.session_ended"))
			b.Press(word("officer.sessions_end_all"))
			b.See(word("officer.sessions_ended"))

			k.later(16 * time.Minute)
			fill(without)
			b.Press(word("officer.register_submit"))
			b.See(word("officer.title_email"))
			b.Fill(word("officer.code"), k.code(t, newMail))
			b.Press(word("officer.code_submit"))
			b.See(word("officer.title_existing"), word("officer.forgotten"))
			look("existing")

			// The manual's section 2.1.
			b.Click(word("officer.forgotten_link"))
			b.See(word("reset.title"), word("reset.no_contact"))
			look("reset")
			b.Fill(word("officer.citizen_id"), without)
			b.Press(word("reset.go_on"))
			b.See(word("reset.title_channel"))
			look("reset-channel")
			b.Press(word("reset.send"))
			b.See(word("signin.problem.channel"))
			look("reset-channel-none")
			b.Check(word("reset.channel_email"))
			b.Press(word("reset.send"))
			b.See(word("reset.title_code"), word("reset.sent_email"))
			look("reset-code")
			b.Fill(word("officer.code"), "00000")
			b.Press(word("officer.code_submit"))
			b.See(word("proof.code.form"))
			look("reset-code-wrong")
			b.Reload()
			b.See(word("reset.title_code"))
			b.Fill(word("officer.code"), k.code(t, "p"+without[9:]+"@diw.example.go.th"))
			b.Press(word("officer.code_submit"))
			b.See(word("reset.title_password"))
			b.Fill(word("reset.password"), "สั้น")
			b.Fill(word("reset.password_again"), "สั้นไป")
			b.Press(word("reset.set"))
			look("reset-password-wrong")
			b.Fill(word("reset.password"), "ลำน้ำเจ้าพระยายามเย็น")
			b.Fill(word("reset.password_again"), "ลำน้ำเจ้าพระยายามเย็น")
			b.Press(word("reset.set"))
			b.See(word("reset.title_done"), word("reset.done_told"))
			look("reset-done")
			b.Go("/officer/login")
			b.Fill(word("officer.citizen_id"), without)
			b.Fill(word("officer.password"), "ลำน้ำเจ้าพระยายามเย็น")
			b.Press(word("officer.sign_in"))
			b.See(word("rights.mine_title"))
		})
	}
}

// A step of the way to a new password that is refused leads back to its page: what is wrong and what was typed are told
// once, and the page can be loaded anew, come back to and read in the other language.
func TestRefusedResetHasAnAddress(t *testing.T) {
	k := newKit(t)
	b := k.visitor(t)
	b.post("/officer/passreset", "citizen_id", "399000").wants(http.StatusSeeOther)
	b.get("/officer/passreset").wants(http.StatusOK, `value="399000"`, "error-summary")
	b.get("/officer/passreset").wants(http.StatusOK).lacks("399000", "error-summary")

	page := b.post("/officer/passreset", "citizen_id", approves).wants(http.StatusSeeOther).location
	none := b.post(page + "/send").wants(http.StatusSeeOther)
	none.follow().wants(http.StatusOK, "กรุณาเลือกช่องทางรับรหัส OTP")
	b.post(page+"/send", "channel", "email").wants(http.StatusSeeOther).follow().wants(http.StatusOK, "กรอกรหัส OTP")
	wrong := b.post(page+"/code", "code", "12x").wants(http.StatusSeeOther)
	if wrong.location != page {
		t.Errorf("a wrong code leads to %s", wrong.location)
	}
	wrong.follow().wants(http.StatusOK, "6 หลัก", `value="12x"`)
	b.post(page+"/send", "channel", "email", "resend", "1").wants(http.StatusSeeOther).follow().wants(http.StatusOK, "error-summary", "กรอกรหัส OTP")
	b.in(locale.EN).get(page).wants(http.StatusOK, "Enter the code")
}

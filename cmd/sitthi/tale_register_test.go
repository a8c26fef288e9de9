package main

import (
	"regexp"
	"strings"
)

// applicant is somebody who registers.
type applicant struct {
	citizen, phone, given, family, position, unit, email, line, password string
}

// The officer whom the manual accompanies, and one who is given a right before he has registered.
var (
	officer1 = applicant{
		citizen: citizen(1), phone: "081-000-0001", given: "ณัฐวุฒิ", family: "ปั้นดี", position: "นักวิชาการอุตสาหกรรมปฏิบัติการ",
		unit: "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี", email: "natthawut.p@industry.example.go.th", line: "natthawut.p", password: "ข้าวเหนียว-ทุเรียน-44",
	}
	officer2 = applicant{
		citizen: citizen(2), phone: "081-000-0002", given: "สุกัญญา", family: "ฟ้าใส", position: "วิศวกรชำนาญการ",
		unit: "สำนักงานอุตสาหกรรมจังหวัดแม่ฮ่องสอน", email: "sukanya.f@industry.example.go.th", line: "sukanya.f", password: "ลำธาร-ก้อนหิน-92",
	}
)

func (a applicant) name() string { return a.given + " " + a.family }

// international is the phone number as messages are sent to it.
func (a applicant) international() string { return "+66" + strings.ReplaceAll(a.phone[1:], "-", "") }

func (w *window) fillIn(a applicant) {
	w.u.Helper()
	w.Fill("เลขประจำตัวประชาชน", a.citizen)
	w.Fill("เบอร์โทรศัพท์มือถือ", a.phone)
	w.Fill("ชื่อจริง", a.given)
	w.Fill("นามสกุล", a.family)
	w.Fill("ตำแหน่ง", a.position)
	w.Select("กรม/กอง/ศูนย์/สอจ.", a.unit)
	w.Fill("อีเมล", a.email)
	w.Fill("ไลน์", a.line)
	w.fillPasswords(a)
	w.Check("ยอมรับ")
}

// fillPasswords fills the two fields, whose labels contain one another.
func (w *window) fillPasswords(a applicant) {
	w.u.Helper()
	w.Fill("รหัสผ่าน", a.password)
	w.Fill("ยืนยันรหัสผ่าน", a.password)
}

// kept tells whether the form still holds what was typed.
func (w *window) kept(a applicant) {
	w.u.Helper()
	for label, want := range map[string]string{
		"เบอร์โทรศัพท์มือถือ": a.phone, "ชื่อจริง": a.given, "นามสกุล": a.family, "ตำแหน่ง": a.position, "อีเมล": a.email, "ไลน์": a.line, "ยอมรับ": "true",
	} {
		if got := w.Value(label); strings.ReplaceAll(got, "-", "") != strings.ReplaceAll(want, "-", "") {
			w.u.Errorf("%s: %q was typed and now stands %q", label, want, got)
		}
	}
	if w.Value("กรม/กอง/ศูนย์/สอจ.") == "" {
		w.u.Error("the chosen office is lost")
	}
}

var reference = regexp.MustCompile(`\b[A-Z0-9]{4,8}\b`)

// prove takes the code for a contact from the outbox and types it in.
func (w *window) prove(contact string) {
	w.u.Helper()
	hint := w.Text("main form .hint")
	ref := reference.FindString(hint)
	if ref == "" {
		w.u.Fatalf("no reference in %q", hint)
	}
	sent := code.FindString(w.u.message(contact, ref))
	w.Fill("รหัส OTP", sent)
	w.Press("ยืนยันรหัส")
}

// register goes from the form to the account.
func (w *window) register(a applicant) {
	w.u.Helper()
	defer w.u.in("officer")()
	w.Go("/officer/register")
	w.fillIn(a)
	w.Press("ยืนยันการสมัครใช้งานระบบ")
	w.Title("ยืนยันอีเมล")
	w.prove(a.email)
	w.Title("ยืนยันเบอร์โทรศัพท์มือถือ")
	w.prove(a.international())
	w.Title("สมัครใช้งานระบบเรียบร้อยแล้ว")
}

// chapter1 is การสมัครใช้งาน.
func (u *tale) chapter1() {
	defer u.in("officer")()
	w, a := u.open(), officer1
	w.Go("/officer/register")
	w.Title("ข้อมูลการสมัครใช้งานระบบเจ้าหน้าที่")
	w.See("กรุณากรอกข้อมูลและตรวจสอบข้อมูลให้ครบถ้วน", "หรือเข้าสู่ระบบ", "ใช้อักษรตั้งแต่ 8 ตัวขึ้นไปประกอบด้วยตัวอักษร ตัวเลข และ สัญลักษณ์")
	w.In("#main form").wantList(".field > .field-label",
		"เลขประจำตัวประชาชน*", "เบอร์โทรศัพท์มือถือ*", "ชื่อจริง*", "นามสกุล*", "ตำแหน่ง*", "กรม/กอง/ศูนย์/สอจ.*", "อีเมล*", "ไลน์*",
		"รหัสผ่าน", "ยืนยันรหัสผ่าน")
	if got, want := w.Text("#main .check"), u.say("ยอมรับ")+" "+u.say("ข้อกำหนดและเงื่อนไข."); got != want {
		u.Errorf("the terms read %q, want %q", got, want)
	}
	w.look("register")

	// Nothing filled in: every field with a star says so.
	w.Press("ยืนยันการสมัครใช้งานระบบ")
	w.See("กรุณากรอกเลขประจำตัวประชาชน", "กรุณากรอกเบอร์โทรศัพท์มือถือ", "กรุณากรอกชื่อจริง", "กรุณากรอกนามสกุล", "กรุณากรอกตำแหน่ง",
		"กรุณาเลือกหน่วยงาน", "กรุณากรอกอีเมล", "กรุณากรอกไลน์", "กรุณาอ่านและยอมรับข้อกำหนดและเงื่อนไข")
	w.look("register-empty")

	// The manual's own number has a wrong check digit. It is refused in clear words, and nothing typed is lost.
	wrong := a
	wrong.citizen = "1234567890123"
	w.fillIn(wrong)
	if !u.opts.NoJS {
		w.See("เลขประจำตัวประชาชนไม่ถูกต้อง หลักสุดท้ายไม่ตรงกับหลักตรวจสอบ กรุณาตรวจทานอีกครั้ง") // while typing
	}
	w.Press("ยืนยันการสมัครใช้งานระบบ")
	w.See("เลขประจำตัวประชาชนไม่ถูกต้อง หลักสุดท้ายไม่ตรงกับหลักตรวจสอบ กรุณาตรวจทานกับบัตรประจำตัวประชาชน")
	w.kept(wrong)
	if got := w.Value("เลขประจำตัวประชาชน"); strings.ReplaceAll(got, "-", "") != wrong.citizen {
		u.Errorf("the number typed is lost: %q", got)
	}
	w.look("register-check-digit")

	// The terms can be read before they are accepted.
	terms := u.open()
	terms.Go("/officer/terms")
	terms.Title("ข้อกำหนดและเงื่อนไข")
	terms.look("terms")
	if !u.opts.NoJS {
		w.Click("ข้อกำหนดและเงื่อนไข.")
		w.Title("ข้อกำหนดและเงื่อนไข")
		w.look("terms-dialog")
		w.In("#dialog").Browser.Press(u.texts("parts.close", nil))
		w.kept(wrong)
	}

	w.Fill("เลขประจำตัวประชาชน", a.citizen)
	w.fillPasswords(a)
	w.Press("ยืนยันการสมัครใช้งานระบบ")
	w.Title("ยืนยันอีเมล")
	w.See(a.email)
	w.look("code-email")
	w.Fill("รหัส OTP", "12345O")
	w.Press("ยืนยันรหัส")
	w.See("กรุณากรอกรหัส OTP เป็นตัวเลข 6 หลัก")
	sent := code.FindString(u.message(a.email))
	w.Fill("รหัส OTP", string('0'+(sent[0]-'0'+1)%10)+sent[1:])
	w.Press("ยืนยันรหัส")
	w.See("รหัส OTP ไม่ถูกต้อง กรุณาตรวจสอบรหัสอ้างอิงและกรอกใหม่")
	w.look("code-wrong")
	w.Press("ขอรหัสใหม่") // within the minute
	w.Title("ยืนยันอีเมล")
	w.NotSee("ส่งรหัส OTP ใหม่แล้ว รหัสเดิมใช้ไม่ได้อีก")
	w.prove(a.email)
	w.Title("ยืนยันเบอร์โทรศัพท์มือถือ")
	w.look("code-phone")
	w.prove(a.international())
	w.Title("สมัครใช้งานระบบเรียบร้อยแล้ว")
	w.look("registered")

	// Who registers again is told so once he has proved a contact, and led to กรณีลืมรหัสผ่าน; the owner hears of it.
	again := a
	again.email, again.phone = "someone.else@industry.example.go.th", "081-000-0009"
	w.Go("/officer/register")
	w.fillIn(again)
	w.Press("ยืนยันการสมัครใช้งานระบบ")
	w.Title("ยืนยันอีเมล")
	w.prove(again.email)
	w.Title("ท่านได้สมัครใช้งานไว้แล้ว")
	w.See("เลขประจำตัวประชาชนนี้ได้สมัครสมาชิกไปแล้ว กรุณาเข้าสู่ระบบด้วยรหัสผ่านเดิม หากจำรหัสผ่านไม่ได้ ให้ดำเนินการตามขั้นตอน “กรณีลืมรหัสผ่าน”", "กรณีลืมรหัสผ่าน")
	w.look("already-registered")
	u.message(a.email, map[bool]string{true: "Someone tried to register", false: "มีผู้ใช้เลขประจำตัวประชาชนของท่านสมัคร"}[u.lang == "en"])
	u.outbox.look("outbox")

	// Sign-in: one answer for whatever is wrong.
	w.In("#main").Click("เข้าสู่ระบบ")
	w.look("sign-in")
	w.signIn(a.citizen, "ไม่ใช่-รหัสผ่าน-55")
	w.See("เลขประจำตัวประชาชนหรือรหัสผ่านไม่ถูกต้อง กรุณาตรวจสอบแล้วกรอกใหม่ หากจำรหัสผ่านไม่ได้ ให้ดำเนินการตามขั้นตอน “กรณีลืมรหัสผ่าน”")
	w.look("sign-in-wrong")
	w.signIn(a.citizen, a.password)
	w.Title("สิทธิ์ของฉัน")
	w.See("ท่านยังไม่มีสิทธิ์ในระบบ กอ.1")
	w.look("no-rights")
	w.Go("/officer/profile")
	w.See(a.name(), a.email)
	w.look("profile")
	w.signOut()
}

package main

// The officer who forgets his password: none of the other chapters' persons, so that no code was sent to him just before.
const (
	forgetful        = "3990000000228"
	forgetfulMailbox = "kamonwan.t@"
	remembered       = "ข้าวเหนียว-มะม่วง-33"
)

// chapter2 is กรณีลืมรหัสผ่าน, case 2.1: a phone number or an e-mail address is on file.
func (u *tale) chapter2() {
	defer u.in("reset")()
	open := u.as(forgetful, demoPassword) // a session left open somewhere

	w := u.open()
	w.Go("/officer/login")
	w.Browser.Click(u.texts("officer.forgotten_link", nil))
	w.Title("ลืมรหัสผ่าน")
	w.Browser.See("@iiindustry", "Reset Password") // case 2.2 is told where people look for it
	w.look("forgotten")
	w.Press("ดำเนินการต่อ")
	w.SeeText("signin.problem.citizen_id_empty", nil)
	w.Fill("เลขประจำตัวประชาชน", forgetful)
	w.Press("ดำเนินการต่อ")
	w.Title("เลือกช่องทางรับรหัส OTP")
	w.Browser.NotSee(forgetfulMailbox)
	w.look("forgotten-channel")
	w.Press("ส่งรหัส OTP")
	w.SeeText("signin.problem.channel", nil)
	w.Check("อีเมลที่บันทึกไว้")
	w.Press("ส่งรหัส OTP")
	w.Title("กรอกรหัส OTP")
	w.look("forgotten-code")

	ref := reference.FindString(w.Text("main form .hint"))
	sent := code.FindString(u.message(forgetfulMailbox, ref))
	w.Browser.Fill(u.texts("officer.code", nil), string('0'+(sent[0]-'0'+1)%10)+sent[1:])
	w.Press("ยืนยันรหัส")
	w.SeeText("proof.code.wrong", nil)
	w.look("forgotten-code-wrong")

	// Whoever knows the address of the page goes no further with it in another browser.
	other := u.open()
	other.Go(w.Path())
	other.SeeText("signin.problem.no_reset", nil)
	other.look("forgotten-elsewhere")

	w.Browser.Fill(u.texts("officer.code", nil), sent)
	w.Press("ยืนยันรหัส")
	w.Title("ตั้งรหัสผ่านใหม่")
	w.fillNewPassword("12345678", "12345678")
	w.Title("ตั้งรหัสผ่านใหม่")
	w.look("forgotten-password-refused")
	w.fillNewPassword(remembered, remembered+"x")
	w.SeeText("signin.problem.password_again", nil)
	w.fillNewPassword(remembered, remembered)
	w.Title("ตั้งรหัสผ่านใหม่เรียบร้อยแล้ว")
	w.look("forgotten-done")
	u.message(forgetfulMailbox, u.begins("signin.reset.subject"))

	// The old password opens nothing any more, nor does the session that was open with it.
	open.Go("/my/rights")
	open.signIn(forgetful, demoPassword)
	open.SeeText("signin.problem.wrong", nil)
	open.signIn(forgetful, remembered)
	open.Title("สิทธิ์ของฉัน")
}

// fillNewPassword fills the two fields, whose labels contain one another, and sends them.
func (w *window) fillNewPassword(password, again string) {
	w.u.Helper()
	w.Fill("รหัสผ่านใหม่", password)
	w.Fill("ยืนยันรหัสผ่านใหม่", again)
	w.Press("บันทึกรหัสผ่านใหม่")
}

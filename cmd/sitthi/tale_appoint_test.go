package main

import (
	"sitthi/internal/locale"
)

// newChief makes an officer chief of another province: one administrator proposes, another confirms.
func (u *tale) newChief() {
	defer u.in("appoint")()
	first := u.as(firstAdministrator, demoPassword)
	u.headless(first, "TH-58")
	first.Go("/admin/appointments")
	first.Title("การแต่งตั้ง")
	first.look("appointments")
	first.In("#main").Browser.Click(u.texts("appoint.new_title", nil))
	first.Title("เสนอแต่งตั้ง")
	f := first.dialog()
	f.Check("หัวหน้าหน่วยงาน")
	f.Check("ดำรงตำแหน่ง")
	f.Select("หน่วยงาน", "แม่ฮ่องสอน")
	f.Fill("เลขบัตรประชาชน", officer2.citizen)
	if u.opts.NoJS {
		f.Press("ตรวจสอบเลขบัตรประชาชน")
	}
	f.Browser.See(officer2.given+" ", officer2.position) // the family name is masked outside the unit
	f.Fill("เลขที่คำสั่ง", "อก ที่ 345/2569")
	first.look("propose")
	f.Press("เสนอ")
	first.Title("การแต่งตั้ง")
	first.Browser.See(u.begins("appoint.proposed"))
	one := first.listed("own", officer2.name())
	one.Browser.See("อก ที่ 345/2569")
	one.Browser.See(u.texts("appoint.withdraw", nil)) // and nothing more: who proposed can not confirm
	first.look("proposed")

	second := u.as(secondAdministrator, demoPassword)
	second.Go("/admin/appointments")
	second.listed("waiting", officer2.name()).Browser.Click(u.texts("appoint.review", nil))
	second.Title("รายละเอียดการแต่งตั้ง")
	d := second.dialog()
	d.Browser.See(officer2.name(), "อก ที่ 345/2569", "ศิริพร วัฒนานุกูล")
	second.look("review")
	d.Browser.Press(u.texts("appoint.confirm", nil))
	second.Title("การแต่งตั้ง")
	second.look("appointed")
	second.glance("TH-58").Browser.NotSee(u.texts("dashboard.no_chief", nil))

	u.message(officer2.email, "/my/rights", u.say("แม่ฮ่องสอน"))
	w := u.open()
	w.Go("/officer/login")
	w.signIn(officer2.citizen, officer2.password)
	w.enrol() // a head needs a second factor
	w.Title("สิทธิ์ของฉัน")
	w.See("ตำแหน่งตามการแต่งตั้ง")
	w.look("my-post")
	w.Go("/ko1")
	w.Click("กำหนดสิทธิ์การใช้งาน (สำหรับ อสจ. เท่านั้น)")
	w.Title("กำหนดสิทธิ์การใช้งาน")
	w.SeeText("rights.for_head", locale.Args{"who": u.texts("rights.chief", locale.Args{"unit": u.say("แม่ฮ่องสอน")})})
	w.look("new-chief")
	w.tab("พิจารณา")
	f = w.add()
	if got := f.Value("กอง/จังหวัด"); got != "TH-58" {
		u.Errorf("the new chief's unit is %q", got)
	}
}

// listed is the row in which words stand, of the proposals that wait for the reader or were made by him.
func (w *window) listed(list, words string) *window {
	return &window{w.Browser.In("[aria-labelledby=" + list + "-title] tbody").In(words), w.u}
}

package main

import (
	"fmt"
	"strings"

	"sitthi/internal/locale"
)

const chief = "3990000000104" // อสจ.นนทบุรี

// chapter3 is การเข้าใช้งานระบบ: from the public page to the grid of rights.
func (u *tale) chapter3() {
	defer u.in("portal")()
	w := u.open()
	w.Go("/")
	w.See("เรียนผู้ประกอบการหากท่านใช้ระบบการอนุญาตของกรมโรงงานอุตสาหกรรม ขอให้ท่านดำเนินการดังนี้",
		"ลงทะเบียนที่ระบบทะเบียนลูกค้ากระทรวงอุตสาหกรรม", "ในกรณีที่ลงทะเบียนแล้วให้ดำเนินการในข้อ 2",
		"ให้ LOGIN เข้าระบบยืนยันตัวตนเพื่อเตรียมความพร้อมสำหรับการใช้งานระบบอนุญาตของกรมโรงงานอุตสาหกรรม",
		"I-INDUSTRY", "02-430-6976", "@IINDUSTRY", "IT-DIW", "02-430-6980", "หมายเหตุ")
	w.look("home")
	w.In("#main").Click("อินทราเน็ต")
	w.Title("เมนูระบบงาน กรอ.")
	w.In(".tabs").Click("ระบบงานอนุญาต")
	var menu []string
	for _, name := range systems {
		menu = append(menu, name.TH)
	}
	w.wantList("main .tile-label", menu...)
	w.Browser.See(u.say("ยังไม่ได้กำหนดที่อยู่เว็บไซต์ จึงยังเปิดจากหน้านี้ไม่ได้"))
	w.look("intranet")
	w.Click("ระบบอนุญาตกากอุตสาหกรรม (กอ.1)")
	w.Title("ระบบอนุญาตกากอุตสาหกรรม (กอ.1)")
	w.look("entrance")

	// The link asks for sign-in, and tells anyone but a head why not and what to do.
	w.Click("กำหนดสิทธิ์การใช้งาน (สำหรับ อสจ. เท่านั้น)")
	w.signIn(officer1.citizen, officer1.password)
	w.Title("ท่านไม่มีสิทธิ์ดำเนินการนี้")
	w.Browser.See(u.begins("problem.only_head"), u.begins("problem.only_head_next"))
	w.look("only-heads")
	w.signOut()
}

// chapter4 is การกำหนดสิทธิ์การใช้งานสำหรับเจ้าหน้าที่อุตสาหกรรมจังหวัด.
func (u *tale) chapter4() {
	defer u.in("rights")()
	c := u.open()
	c.Go("/ko1")
	c.Click("กำหนดสิทธิ์การใช้งาน (สำหรับ อสจ. เท่านั้น)")
	c.signIn(chief, demoPassword)
	c.Title("กำหนดสิทธิ์การใช้งาน")
	c.SeeText("rights.for_head", locale.Args{"who": u.texts("rights.chief", locale.Args{"unit": u.say("นนทบุรี")})})
	c.columns()
	c.look("overview")

	o := u.as(officer1.citizen, officer1.password)
	u.giveAndEnd(c, o)
	u.giveByName(c, o)
	u.pending(c)
	u.newChief()
	u.grid(c)
	u.language(c)
}

// columns are those of the manual's picture, with from, to and state beside them.
func (w *window) columns() {
	w.u.Helper()
	if !w.u.opts.Phone { // where each row is a card
		w.wantList(".grid-heads th", "ลำดับ", "กอง/จังหวัด", "กลุ่ม", "ระดับ", "เลขบัตรประชาชน", "ตั้งแต่", "ถึง", "สถานะ", "การดำเนินการ")
	}
	var clipped []string
	w.Eval(`[...document.querySelectorAll(".grid-filters select")].filter(list => {
		const alone = list.cloneNode(false);
		alone.append(new Option(list.selectedOptions[0].label));
		alone.style.width = "auto";
		alone.style.minWidth = "0";
		alone.style.position = "absolute";
		list.after(alone);
		const wide = alone.offsetWidth;
		alone.remove();
		return list.checkVisibility() && wide > list.offsetWidth;
	}).map(list => list.selectedOptions[0].label)`, &clipped)
	if len(clipped) > 0 {
		w.u.Errorf("the lists above the columns show only a part of %q", clipped)
	}
}

// tab opens one of the menus of rights: เมนูการพิจารณา, อนุมัติ.
func (w *window) tab(words string) {
	w.u.Helper()
	own := []rune(w.u.say(words))
	w.In(".tabs").Browser.Click(strings.ToUpper(string(own[0])) + string(own[1:]))
	w.Title("กำหนดสิทธิ์การใช้งาน")
}

// dialog is where a form opens: over the page, or as a page of its own without scripts.
func (w *window) dialog() *window {
	if w.u.opts.NoJS {
		return w.In("#main")
	}
	return w.In("#dialog")
}

// add opens the form of "+".
func (w *window) add() *window {
	w.u.Helper()
	w.In(".grid-bar").Click("เพิ่มเจ้าหน้าที่")
	w.Title("เจ้าหน้าที่ผู้ใช้งาน")
	return w.dialog()
}

// rows counts the rows of the grid in which words stand.
func (w *window) rows(words string) (n int) {
	w.u.Helper()
	w.Eval(fmt.Sprintf(`[...document.querySelectorAll(".grid-table tbody tr")].filter(r => r.innerText.includes(%q)).length`, words), &n)
	return n
}

// oneRow fails unless the grid has one right of somebody.
func (w *window) oneRow(words string) {
	w.u.Helper()
	if n := w.rows(words); n != 1 {
		w.u.Errorf("%s has %d rows in %s", words, n, w.Path())
	}
}

// lastDay is a day as the reader types it, and as the grid shows it.
func (u *tale) lastDay() (typed, shown string) {
	if u.lang == locale.EN {
		return "30/09/2030", "30 Sep 2030"
	}
	return "30/09/2573", "30 ก.ย. 2573"
}

// giveAndEnd gives the officer level 1 and ends it again.
func (u *tale) giveAndEnd(c, o *window) {
	c.tab("พิจารณา")
	c.columns()
	c.look("consider")
	f := c.add()
	f.wantList("form .field > .field-label", "กอง/จังหวัด*", "เลขบัตรประชาชน*", "หรือเลือกจากเจ้าหน้าที่ในหน่วยงาน",
		"ตั้งแต่วันที่", "ถึงวันที่", "เลขที่คำสั่ง", "หมายเหตุ")
	if got := f.Value("กอง/จังหวัด"); got != "TH-12" {
		u.Errorf("the unit is preset to %q", got)
	}
	c.look("give")
	f.Press("บันทึก (Save)")
	f.See("กรุณากรอกเลขบัตรประชาชน หรือเลือกจากรายชื่อ")

	typed, shown := u.lastDay()
	f.Fill("ถึงวันที่", typed)
	f.Fill("เลขที่คำสั่ง", "ที่ 12/2569")
	f.Fill("เลขบัตรประชาชน", "1234567890123")
	f.Press("บันทึก (Save)")
	f.See("เลขบัตรประชาชนไม่ถูกต้อง หลักสุดท้ายไม่ตรงกับหลักตรวจสอบ กรุณาตรวจทานทีละหลัก")
	if f.Value("ถึงวันที่") != typed || f.Value("เลขที่คำสั่ง") != "ที่ 12/2569" {
		u.Error("what was typed is lost")
	}
	c.look("give-check-digit")

	// His own ID.
	f.Fill("เลขบัตรประชาชน", chief)
	if !u.opts.NoJS {
		f.See("เลขนี้เป็นของท่านเอง")
	}

	// The person behind the number is shown as soon as it is whole; without scripts after the first Save.
	f.Fill("เลขบัตรประชาชน", officer1.citizen)
	if u.opts.NoJS {
		f.Press("บันทึก (Save)")
		f.See("กรุณาตรวจสอบข้อมูลของบุคคลนี้ แล้วทำเครื่องหมายยืนยัน")
	}
	f.See("เจ้าของเลขบัตรประชาชนนี้", officer1.email)
	f.Browser.See(officer1.name(), officer1.position, u.say(officer1.unit), officer1.phone)
	if got := f.Value("เลขบัตรประชาชน"); got != dashed(officer1.citizen) && !u.opts.NoJS {
		u.Errorf("the number stands as %q", got)
	}
	f.Check("ข้าพเจ้าตรวจสอบแล้ว บุคคลนี้เป็นเจ้าหน้าที่ที่ข้าพเจ้าต้องการให้สิทธิ์จริง")
	c.look("give-person")
	f.DoubleClick("บันทึก (Save)")
	c.Title("กำหนดสิทธิ์การใช้งาน")
	c.Browser.See(u.begins("rights.given"))
	row := c.rowOf(dashed(officer1.citizen))
	row.Browser.See(officer1.name(), u.say("นนทบุรี"), "1 "+u.say("พิจารณา"), shown, u.say("มีผล"))
	c.oneRow(dashed(officer1.citizen))
	c.look("given")

	// The officer is told and sees it.
	u.message(officer1.email, u.say("นนทบุรี"), "/my/rights")
	o.Go("/my/rights")
	o.Browser.See("1 "+u.say("พิจารณา"), u.say("นนทบุรี"), shown, "ประเสริฐ ศรีสมบูรณ์")
	o.look("my-rights")

	// Delete shows its effect, asks the reason and ends the right at once.
	c.rowOf(dashed(officer1.citizen)).Click("ลบ (Delete)")
	c.Title("ยกเลิกสิทธิ์")
	d := c.dialog()
	d.Browser.See(u.begins("rights.effect_left"))
	c.look("end")
	d.Press("ลบสิทธิ์นี้ (Delete)")
	d.SeeText("grant.reason_missing", nil)
	d.Fill("เหตุผล", "ย้ายไปสังกัดหน่วยงานอื่น")
	d.Press("ลบสิทธิ์นี้ (Delete)")
	c.Title("กำหนดสิทธิ์การใช้งาน")
	c.See("หากลบโดยไม่ตั้งใจ ให้สิทธิ์อีกครั้ง")
	if n := c.In("#grid").rows(dashed(officer1.citizen)); n != 0 {
		u.Errorf("an ended right stands in %d rows", n)
	}
	c.picture("ended")
	o.Reload()
	o.See("ท่านยังไม่มีสิทธิ์ในระบบ กอ.1", "สิทธิ์ที่สิ้นสุดแล้ว")
	o.look("my-ended-right")

	// Given again in one click, for a slip.
	c.Click("หากลบโดยไม่ตั้งใจ ให้สิทธิ์อีกครั้ง")
	c.Browser.See(u.begins("rights.given"))
	c.oneRow(dashed(officer1.citizen))
	c.rowOf(dashed(officer1.citizen)).Browser.Click(officer1.name())
	c.Title("รายละเอียดสิทธิ์")
	c.See("ประวัติของสิทธิ์นี้")
	c.look("right")
	c.Click("ประวัติทั้งหมดของบุคคลนี้ในหน่วยงาน")
	c.Title("ประวัติของบุคคลในหน่วยงาน")
	c.Browser.See("ย้ายไปสังกัดหน่วยงานอื่น")
	c.look("story")
	c.Go("/ko1/rights")
	o.Reload()
	o.NotSee("ท่านยังไม่มีสิทธิ์ในระบบ กอ.1")
}

// giveByName gives level 3 to an officer chosen by name and ends it again.
func (u *tale) giveByName(c, o *window) {
	c.tab("อนุมัติ")
	c.columns()
	c.picture("approve")
	f := c.add()
	f.Browser.Select(u.say("หรือเลือกจากเจ้าหน้าที่ในหน่วยงาน"), officer1.name())
	if u.opts.NoJS {
		c.look("give-by-name")
	} else {
		f.See("เจ้าหน้าที่ที่หน่วยงานยืนยันตัวบุคคลแล้ว")
		c.look("give-known")
	}
	f.Press("บันทึก (Save)")
	c.Title("กำหนดสิทธิ์การใช้งาน")
	c.rowOf(dashed(officer1.citizen)).Browser.See("3 "+u.say("อนุมัติ"), u.say("ไม่มีกำหนด"))
	c.picture("given-approve")
	o.Reload() // who approves needs a second factor
	o.SeeText("security.first_why", nil)
	o.look("first-factor")
	o.enrol()
	o.Browser.See("3 " + u.say("อนุมัติ"))

	// The Back button after Save, and saving again: still one right.
	c.Back()
	if u.opts.NoJS {
		c.Title("เจ้าหน้าที่ผู้ใช้งาน")
		f = c.dialog()
	} else {
		f = c.add()
	}
	f.Browser.Select(u.say("หรือเลือกจากเจ้าหน้าที่ในหน่วยงาน"), officer1.name())
	f.Press("บันทึก (Save)")
	f.See("บุคคลนี้มีสิทธิ์ระดับนี้ในหน่วยงานนี้อยู่แล้ว จึงไม่ได้บันทึกซ้ำ")
	c.look("give-again")
	f.Click("ยกเลิก")
	c.Title("กำหนดสิทธิ์การใช้งาน")
	c.Go("/ko1/rights/approve?sort=-number")
	c.oneRow(dashed(officer1.citizen))

	c.rowOf(dashed(officer1.citizen)).Click("ลบ (Delete)")
	d := c.dialog()
	d.Fill("เหตุผล", "เพิ่มผิดระดับ")
	d.Press("ลบสิทธิ์นี้ (Delete)")
	c.See("หากลบโดยไม่ตั้งใจ ให้สิทธิ์อีกครั้ง")
	o.Reload()
	o.See("สิทธิ์ที่สิ้นสุดแล้ว")
}

// pending gives a right to somebody who has not registered; it opens nothing until he has and the chief confirms him.
func (u *tale) pending(c *window) {
	c.tab("พิจารณา")
	f := c.add()
	f.Fill("เลขบัตรประชาชน", officer2.citizen)
	if !u.opts.NoJS {
		f.See("ยังไม่ได้สมัคร")
		f.Browser.See(u.say("บันทึกได้ แต่สิทธิ์จะยังไม่มีผล เมื่อเจ้าของเลขนี้สมัครใช้งานแล้ว ระบบจะแจ้งให้ท่านตรวจสอบและยืนยันก่อน"))
		c.look("give-nobody")
	}
	f.Press("บันทึก (Save)")
	c.Title("กำหนดสิทธิ์การใช้งาน")
	c.Browser.See(u.begins("rights.given_pending"))
	c.rowOf(dashed(officer2.citizen)).Browser.See(u.say("ยังไม่ได้สมัคร"), u.texts("rights.state_pending", nil))
	c.picture("given-pending")

	w := u.open()
	w.register(officer2)
	w.In("#main").Browser.Click(u.texts("officer.sign_in", nil))
	w.signIn(officer2.citizen, officer2.password)
	w.Title("สิทธิ์ของฉัน")
	w.Browser.See(u.texts("rights.state_waiting", nil))
	w.look("my-waiting-right")
	u.message(officer2.name(), "/ko1/rights/waiting")

	c.tab("ภาพรวม")
	c.See("มีเจ้าหน้าที่ที่ท่านระบุไว้สมัครใช้งานแล้ว กรุณาตรวจสอบและยืนยันว่าเป็นเจ้าหน้าที่ของท่าน")
	c.picture("overview-waiting")
	c.In(".box").Browser.Click(u.begins("rights.waiting_see"))
	c.Browser.See(u.texts("rights.waiting_title", nil))
	c.Browser.In(dashed(officer2.citizen)).Click(officer2.name())
	one := &window{c.Browser.In(".fold[open]"), u}
	one.Browser.See(dashed(officer2.citizen), officer2.name(), officer2.position, officer2.phone,
		u.texts("rights.other_office", locale.Args{"unit": u.say(officer2.unit)}))
	c.look("waiting")
	one.Press("ยืนยัน เป็นเจ้าหน้าที่ของข้าพเจ้า")
	c.SeeText("rights.person_confirmed", locale.Args{"who": officer2.name()})
	c.picture("confirmed")
	w.Reload()
	w.Browser.See("1 "+u.say("พิจารณา"), u.say("มีผล"))
	w.Browser.NotSee(u.texts("rights.state_waiting", nil))
}

package web

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/thai"
)

// pastedList is a column as it comes from Excel: known, to be confirmed, of another office, not registered, the chief
// himself, twice, with a wrong digit, and a name alone.
const pastedList = "ลำดับ\tเลขประจำตัวประชาชน 13 หลัก\tชื่อ\r\n" +
	"1\t3-9900-00000-21-0\tอนุชา\r\n" +
	"2\t'3990000000228\tปิติ ใจดี\r\n" +
	"3\t๓๙๙๐๐๐๐๐๐๐๒๓๖\tมานะ\r\n" +
	"4\t1990000000043\tยังไม่สมัคร\r\n" +
	"5\t3990000000104\tวิชัย\r\n" +
	"6\t3990000000228\tปิติ ใจดี\r\n" +
	"7\t3990000000229\tเลขผิด\r\n" +
	"8\t3990000000201\tสุดา\r\n" +
	"นายไม่มีเลข\r\n"

// hidden reads a hidden field of a page.
func (a *answer) hidden(name string) string {
	a.b.t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(a.body)
	if m == nil {
		a.b.t.Fatalf("no field %s\n%s", name, a.text())
	}
	return m[1]
}

func TestGiveToMany(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		nonthaburi := grant.Place{Unit: "TH-12"}
		chief := k.as(t, chief12)
		chief.get("/ko1/rights/consider").wants(http.StatusOK, "เพิ่มหลายคน", "/ko1/rights/consider/many")
		page := chief.get("/ko1/rights/consider/many").wants(http.StatusOK, "เพิ่มเจ้าหน้าที่หลายคน", "ตรวจสอบรายชื่อ").lacks("ให้สิทธิ์ได้")
		form := []string{"form", page.hidden("form"), "unit", "TH-12", "list", pastedList, "last_day", "30/9/2570", "order_number", "12/2569"}

		sent := chief.post("/ko1/rights/consider/many", form...).wants(http.StatusSeeOther)
		checked := sent.follow().wants(http.StatusOK, "ยืนยันทั้งหมดที่เลือก", "พร้อมแล้ว 2 คน", "ซ้ำกับบรรทัดที่ 3",
			"หลักสุดท้ายไม่ตรงกับหลักตรวจสอบ", "ไม่พบเลขบัตรประชาชนในบรรทัดนี้", "เป็นเลขของท่านเอง", "มีสิทธิ์นี้อยู่แล้ว", "ยังไม่ได้สมัคร",
			"บรรทัดแรกเป็นหัวตาราง", "ปิติ ใจดี", "มานะ", "30 ก.ย. 2570", "12/2569", "นายไม่มีเลข", "ไม่ใช่ข้อผิดพลาด", `<dd>นนทบุรี`)
		checked.lacks("ขยัน", "p0236@") // of another office he sees a hint
		// The page has an address of its own, without an ID in it: it can be loaded again, and read in the other language.
		chief.get(sent.location).wants(http.StatusOK, "พร้อมแล้ว 2 คน", "นายไม่มีเลข", `name="back" value="`+sent.location+`"`)
		chief.in(locale.EN).get(sent.location).wants(http.StatusOK, "Named twice in the list", "นายไม่มีเลข")
		chief.in(locale.TH)
		chief.get(strings.Replace(sent.location, "consider", "approve", 1)).wants(http.StatusNotFound, "ไม่พบข้อมูลที่กรอกไว้")
		if k.book.Allows(k.who[approves], grant.DoConsider, nonthaburi) {
			t.Fatal("the dry run gave a right")
		}
		if n := strings.Count(checked.body, `name="known"`); n != 2 {
			t.Errorf("%d boxes", n)
		}
		all := chief.post("/ko1/rights/consider/many", append(form, "tick", "own")...).wants(http.StatusSeeOther).follow().wants(http.StatusOK)
		if n := strings.Count(all.body, " checked"); n != 1 || !strings.Contains(all.body, `value="3990000000228" checked`) {
			t.Errorf("%d boxes are ticked", n)
		}

		// Something else than what was looked at is looked at first; nothing typed is lost.
		form = append(form, "seen", checked.hidden("seen"), "known", without)
		chief.post("/ko1/rights/approve/many-save", form...).wants(http.StatusSeeOther).follow().wants(http.StatusOK, "ไม่ตรงกับที่ตรวจสอบไว้", "นายไม่มีเลข", `value="3990000000228" checked`)

		saved := chief.post("/ko1/rights/consider/many-save", form...).wants(http.StatusSeeOther).follow().wants(http.StatusOK, "ให้สิทธิ์พิจารณา 3 คน อีก 4 บรรทัดยังไม่ได้ให้", "ลำดับที่",
			"5\t3990000000104\tวิชัย", "3\t๓๙๙๐๐๐๐๐๐๐๒๓๖\tมานะ", "7\t3990000000229\tเลขผิด", "นายไม่มีเลข").lacks("1\t3-9900-00000-21-0", "6\t3990000000228")
		if saved.hidden("form") == form[1] {
			t.Error("the rest stands in the same form")
		}
		for who, want := range map[string]bool{approves: true, without: true, considers3: false, chief12: false} {
			if k.book.Allows(k.who[who], grant.DoConsider, nonthaburi) != want {
				t.Errorf("%s may consider: %v", who, !want)
			}
		}
		// The same form again, as a browser sends it when the page is loaded anew.
		again := chief.post("/ko1/rights/consider/many-save", form...).wants(http.StatusSeeOther).follow().wants(http.StatusOK, "ให้สิทธิ์พิจารณา 3 คน")
		if got := k.countRights(t); got != 8 {
			t.Errorf("%d rights\n%s", got, again.text())
		}
		form[5] = approves
		chief.post("/ko1/rights/consider/many-save", form...).wants(http.StatusSeeOther).follow().wants(http.StatusOK, "บันทึกไปแล้วด้วยข้อมูลอื่น")
		k.as(t, admin1).get("/admin/log?act=grant.give_list").wants(http.StatusOK, "ให้สิทธิ์หลายคนในครั้งเดียว", "จำนวนที่ได้รับสิทธิ์")
	})
}

func (k *kit) countRights(t *testing.T) (n int) {
	t.Helper()
	page := must(k.book.Sheet(t.Context(), k.who[admin1], grant.Filter{State: "all", Size: 50}))(t)
	return page.Page.Total
}

// What is wrong with the form itself is said at its field, and what was pasted stays; a list of five hundred names is
// not too big for a form.
func TestListsThatCanNotBe(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	send := func(pairs ...string) *answer {
		return chief.post("/ko1/rights/consider/many", append([]string{"unit", "TH-12", "form", "x"}, pairs...)...)
	}
	send().wants(http.StatusSeeOther).follow().wants(http.StatusOK, "ยังไม่มีเลขบัตรประชาชนที่ใช้ได้")
	send("list", "นายสมชาย\nนางสาวสุดา").wants(http.StatusSeeOther).follow().wants(http.StatusOK, "ยังไม่มีเลขบัตรประชาชนที่ใช้ได้", "ไม่พบเลขบัตรประชาชนในบรรทัดนี้", "นางสาวสุดา")
	send("list", approves, "last_day", "29/02/2570").wants(http.StatusSeeOther).follow().wants(http.StatusOK, "ไม่มีวันที่ 29 กุมภาพันธ์", approves)
	send("list", approves, "last_day", "1/1/2560").wants(http.StatusSeeOther).follow().wants(http.StatusOK, "วันสิ้นสุดผ่านไปแล้ว", approves)
	send("list", strings.Repeat("ชื่อ\n", 502)).wants(http.StatusSeeOther).follow().wants(http.StatusOK, "รายชื่อมี 501 บรรทัด")
	var long strings.Builder
	for i := range grant.LongestList {
		fmt.Fprintf(&long, "%d\t%s\tนางสาวกรรณิการ์ วัฒนศิริกุลชัย นักวิชาการอุตสาหกรรมชำนาญการพิเศษ\n", i+1, someID(t, i))
	}
	send("list", long.String()).wants(http.StatusSeeOther).follow().wants(http.StatusOK, "ให้สิทธิ์ 500 คน")
	for range 5 {
		send("list", long.String()).wants(http.StatusSeeOther).follow().wants(http.StatusOK)
	}
	send("list", long.String()).wants(http.StatusSeeOther).follow().wants(http.StatusOK, "รายชื่อที่กรอกไว้ยังอยู่ครบ", "นางสาวกรรณิการ์").lacks("ให้สิทธิ์ 500 คน")
	chief.get("/ko1/rights/all/many").wants(http.StatusNotFound)
	chief.get("/ko1/rights/review/many").wants(http.StatusNotFound)
}

// someID is a made-up citizen ID.
func someID(t *testing.T, n int) string {
	t.Helper()
	for last := range 10 {
		if digits := fmt.Sprintf("199%08d5%d", n, last); thai.ValidCheckDigit(digits) {
			return digits
		}
	}
	t.Fatalf("no check digit for %d", n)
	return ""
}

// The second factor is asked for again, and the list is still there.
func TestListAfterStepUp(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	list := "1\t" + approves + "\tอนุชา\n" + without
	checked := chief.post("/ko1/rights/consider/many", "unit", "TH-12", "list", list, "form", "x").wants(http.StatusSeeOther).follow().wants(http.StatusOK)
	form := []string{"unit", "TH-12", "list", list, "form", "x", "seen", checked.hidden("seen"), "known", without}
	k.later(6 * time.Minute)
	chief.post("/ko1/rights/consider/many-save", form...).wants(http.StatusUnprocessableEntity, stepUpCode, list)
	chief.post("/ko1/rights/consider/many-save", append(form, stepUpCode, k.appCode(t, chief12))...).wants(http.StatusSeeOther).follow().wants(http.StatusOK, "ให้สิทธิ์พิจารณา 2 คน", "ไปที่ตารางสิทธิ์")
}

// A division gives in a group, and a deputy in both languages.
func TestListInAGroup(t *testing.T) {
	k := newKit(t)
	head := k.as(t, director).in(locale.EN)
	page := head.get("/ko1/rights/consider/many").wants(http.StatusOK, "Group one", "Citizen IDs, one person to a line")
	list := k.register(t, "1990000000043", "ปราณี", "มาใหม่", "IWM")
	form := []string{"unit", "IWM", "team", "G2", "list", "1990000000043", "form", page.hidden("form")}
	checked := head.post("/ko1/rights/consider/many", form...).wants(http.StatusSeeOther).follow().wants(http.StatusOK, "Is an officer of mine", "Confirm all who are ticked", "ปราณี")
	head.post("/ko1/rights/consider/many-save", append(form, "seen", checked.hidden("seen"), "known", "1990000000043")...).wants(http.StatusSeeOther).follow().wants(http.StatusOK, "given to 1")
	if !k.book.Allows(list, grant.DoConsider, grant.Place{Unit: "IWM", Team: "G2"}) || k.book.Allows(list, grant.DoConsider, grant.Place{Unit: "IWM", Team: "G1"}) {
		t.Error("the right is not in the group")
	}
}

// On the first day a head confirms his people in a few clicks; each of them by himself still can be.
func TestConfirmMany(t *testing.T) {
	k := newKit(t)
	var ids []string
	for i, unit := range []string{"TH-12", "TH-12", "TH-13"} {
		citizen := someID(t, i)
		k.give(t, chief12, grant.Order{Unit: "TH-12", Level: grant.Consider, Citizen: k.citizen(t, citizen)})
		k.who[citizen] = k.register(t, citizen, "ปราณี", "มาใหม่", unit)
		ids = append(ids, citizen)
	}
	chief := k.as(t, chief12)
	page := chief.get("/ko1/rights/waiting").wants(http.StatusOK, "ยืนยันที่เลือก", "มีผู้ใช้ชื่อเดียวกันมากกว่าหนึ่งคน", "ทีละคน", "สังกัด ")
	if n := strings.Count(page.body, `name="chosen"`); n != 2 {
		t.Errorf("%d boxes", n)
	}
	if all := chief.get("/ko1/rights/waiting?all=yes"); strings.Count(all.body, " checked") != 2 {
		t.Error("not all of the unit are ticked")
	}
	chief.post("/ko1/rights/waiting").wants(http.StatusUnprocessableEntity, "ยังไม่ได้เลือกใคร")
	chief.post("/ko1/rights/waiting", "chosen", "nonsense").wants(http.StatusUnprocessableEntity)
	choice := func(i int) string { return "TH-12/" + string(k.who[ids[i]]) }
	chief.post("/ko1/rights/waiting", "chosen", choice(0)).wants(http.StatusSeeOther).follow().wants(http.StatusOK, "ยืนยันแล้ว 1 คน")
	chief.post("/ko1/rights/waiting", "chosen", choice(0), "chosen", choice(1)).wants(http.StatusSeeOther).follow().wants(http.StatusOK, "ยืนยันแล้ว 1 คน", "ได้รับการยืนยันแล้ว")
	for i, id := range ids {
		if k.book.Allows(k.who[id], grant.DoConsider, grant.Place{Unit: "TH-12"}) != (i < 2) {
			t.Errorf("person %d", i)
		}
	}
	k.as(t, chief13).post("/ko1/rights/waiting", "chosen", choice(2)).wants(http.StatusSeeOther)
	if k.book.Allows(k.who[ids[2]], grant.DoConsider, grant.Place{Unit: "TH-12"}) {
		t.Error("another head confirmed")
	}
}

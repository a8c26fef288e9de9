package web

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// numbered finds the address of the right of a level that is described by a word of its row.
func (b *browser) right(t *testing.T, level, name string) string {
	t.Helper()
	page := b.get("/ko1/rights/" + level + "?state=all").wants(http.StatusOK)
	for _, row := range strings.Split(page.body, "<tr") {
		if strings.Contains(row, name) {
			if m := regexp.MustCompile(`/ko1/grants/[0-9a-f-]{36}`).FindString(row); m != "" {
				return m
			}
		}
	}
	t.Fatalf("no right of %s at level %s\n%s", name, level, page.text())
	return ""
}

// register makes an account for a person as a registration ends: the heads who named him are told.
func (k *kit) register(t *testing.T, citizen, given, family, unit string) (who person.ID) {
	t.Helper()
	k.write(t, func(tx *store.Tx) (err error) {
		if who, err = k.roll.Mention(t.Context(), tx, k.citizen(t, citizen)); err != nil {
			return err
		}
		a := officer.Account{Person: who, GivenName: given, FamilyName: family, Position: "วิศวกร", Unit: unit, Email: thai.Email("p" + citizen[9:] + "@diw.example.go.th"),
			Phone: thai.Mobile("+66812" + citizen[7:]), TermsVersion: officer.TermsVersion, EmailProvedAt: tx.Now, PhoneProvedAt: tx.Now}
		if err := officer.Create(t.Context(), tx, a, "-"); err != nil {
			return err
		}
		return k.book.Registered(t.Context(), tx, who)
	})
	return who
}

func TestRightsPagesInBothLanguages(t *testing.T) {
	k := newKit(t)
	for _, lang := range locale.Langs {
		chief := k.as(t, chief12).in(lang)
		for _, path := range []string{"/ko1/rights", "/ko1/rights/consider", "/ko1/rights/approve", "/ko1/rights/review", "/ko1/rights/consider/new", "/ko1/rights/waiting", "/my/rights", "/ko1/units/TH-12/history",
			"/ko1/units/TH-12/people/" + string(k.who[considers])} {
			if path == "/ko1/rights/review" {
				continue // no unit of his uses it
			}
			chief.get(path).wants(http.StatusOK)
		}
		right := chief.right(t, "consider", "สุดา")
		for _, path := range []string{right, right + "/end", right + "/change"} {
			chief.get(path).wants(http.StatusOK, "สุดา", "3-9900-00000-20-1")
		}
		admin := k.as(t, admin1).in(lang)
		admin.get("/ko1/rights").wants(http.StatusOK, "สุดา", "3-9900-XXXXX-XX-1").lacks("3-9900-00000-20-1")
		admin.get("/people/" + string(k.who[considers]) + "/unmask").wants(http.StatusOK)
	}
}

func TestGrid(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	chief.get("/ko1/rights").wants(http.StatusOK, "ลำดับ", "กอง/จังหวัด", "กลุ่ม", "ระดับ", "เลขบัตรประชาชน", "สุดา", "อนุชา", "สำหรับ อสจ.นนทบุรี", "ยังไม่ได้สมัคร").lacks("มานะ", "ชูใจ")
	chief.get("/ko1/rights/approve").wants(http.StatusOK, "อนุชา").lacks("สุดา")
	chief.get("/ko1/rights/consider?citizen=0020").wants(http.StatusOK, "สุดา").lacks("ยังไม่ได้สมัคร")
	chief.get("/ko1/rights/consider?q="+url.QueryEscape("สุดา")).wants(http.StatusOK, "<mark>สุดา</mark>")
	chief.get("/ko1/rights/consider?q="+url.QueryEscape("ไม่มีใคร")).wants(http.StatusOK, "ไม่พบรายการที่ตรงกับเงื่อนไข")
	for _, sort := range []string{"number", "-number", "unit", "team", "level", "-name", "from", "-until", "nonsense"} {
		chief.get("/ko1/rights?sort="+sort).wants(http.StatusOK, "สุดา")
	}
	chief.fragment("grid").get("/ko1/rights/consider").wants(http.StatusOK, `id="grid"`).lacks("<html", "<h1")
}

// A whole citizen ID never stays in an address.
func TestGridMovesIDsOutOfTheAddress(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	for _, typed := range []string{"3990000000201", "3-9900-00000-20-1", "๓๙๙๐๐๐๐๐๐๐๒๐๑"} {
		moved := chief.get("/ko1/rights/consider?citizen=" + url.QueryEscape(typed)).wants(http.StatusSeeOther)
		if strings.Contains(moved.location, "3990") || !strings.Contains(moved.location, "person="+string(k.who[considers])) {
			t.Fatalf("leads to %s", moved.location)
		}
		moved.follow().wants(http.StatusOK, "สุดา", `value="3-9900-00000-20-1"`).lacks("ยังไม่ได้สมัคร")
	}
	// Of another province nobody is found, as for a number that does not exist.
	for _, foreign := range []string{considers3, "1990000000043"} {
		moved := chief.get("/ko1/rights?q=" + foreign).wants(http.StatusSeeOther)
		if !strings.HasSuffix(moved.location, "person=none") {
			t.Errorf("leads to %s", moved.location)
		}
	}
}

// The filters are posted: neither a citizen ID nor what gives it away ever stands in an address.
func TestFindWithoutAddress(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	chief.get("/ko1/rights/consider").wants(http.StatusOK, `method="post"`, `action="/ko1/rights/consider/find"`)
	find := func(pairs ...string) string {
		return chief.post("/ko1/rights/consider/find", pairs...).wants(http.StatusSeeOther).location
	}
	if got := find("citizen", "3-9900-00000-20-1", "state", "all"); got != "/ko1/rights/consider?person="+string(k.who[considers])+"&state=all" {
		t.Errorf("a whole ID leads to %s", got)
	}
	if got := find("citizen", "3-9900-00000-20"); got != "/ko1/rights/consider?citizen=399000000" {
		t.Errorf("twelve digits lead to %s", got)
	}
	if got := find("q", "สุดา", "page", "3", "size", "50"); got != "/ko1/rights/consider?q="+url.QueryEscape("สุดา") {
		t.Errorf("a name leads to %s", got)
	}
	chief.post("/ko1/rights/all/find", "number", "1").wants(http.StatusSeeOther).follow().wants(http.StatusOK)
	k.as(t, without).post("/ko1/rights/all/find", "number", "1").wants(http.StatusForbidden)
}

func TestGiveARight(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	form := chief.get("/ko1/rights/consider/new").wants(http.StatusOK, "เจ้าหน้าที่ผู้ใช้งาน", "กอง/จังหวัด", "เลขบัตรประชาชน", "บันทึก (Save)", "ปิติ ใจดี")
	token := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(form.body)[1]
	send := func(pairs ...string) *answer {
		return chief.post("/ko1/rights/consider", append([]string{"form", token, "unit", "TH-12"}, pairs...)...)
	}
	send().wants(http.StatusUnprocessableEntity, "กรุณากรอกเลขบัตรประชาชน")
	// The manual's own placeholders fail the check digit; what was typed stays.
	send("citizen", "1234567890123", "note", "เก็บไว้").wants(http.StatusUnprocessableEntity, "หลักสุดท้ายไม่ตรง", "1234567890123", "เก็บไว้")
	send("citizen", without, "last_day", "29/02/2570").wants(http.StatusUnprocessableEntity, "ไม่มีวันที่ 29 กุมภาพันธ์")
	// Who he is must be confirmed; the person is shown meanwhile.
	send("citizen", without, "order_number", "12/2569").wants(http.StatusUnprocessableEntity, "ปิติ ใจดี", "นักวิชาการอุตสาหกรรมปฏิบัติการ", "ทำเครื่องหมายยืนยัน", "12/2569")
	saved := send("citizen", without, "confirmed", "yes", "last_day", "30/9/2570").wants(http.StatusSeeOther)
	saved.follow().wants(http.StatusOK, "บันทึกแล้ว", "ปิติ ใจดี", "30 ก.ย. 2570", "is-new")
	if !k.book.Allows(k.who[without], grant.DoConsider, grant.Place{Unit: "TH-12"}) {
		t.Error("the right does not take effect")
	}
	// A double click sends the same form again: one right, the same answer.
	if again := send("citizen", without, "confirmed", "yes", "last_day", "30/9/2570").wants(http.StatusSeeOther); again.location != saved.location {
		t.Errorf("leads to %s, first to %s", again.location, saved.location)
	}
	// Another form for the same right is told so.
	chief.post("/ko1/rights/consider", "form", "another", "unit", "TH-12", "citizen", without).wants(http.StatusConflict, "มีสิทธิ์ระดับนี้ในหน่วยงานนี้อยู่แล้ว")
	if n := strings.Count(chief.get("/ko1/rights/consider/export.csv").body, "ปิติ ใจดี"); n != 1 {
		t.Errorf("he has the right %d times", n)
	}
	// To himself, and in another province, never.
	send2 := func(pairs ...string) *answer {
		return chief.post("/ko1/rights/approve", append([]string{"form", newForm()}, pairs...)...)
	}
	send2("unit", "TH-12", "citizen", chief12, "confirmed", "yes").wants(http.StatusForbidden, "สิทธิ์ของตนเองไม่ได้")
	send2("unit", "TH-13", "citizen", considers3, "confirmed", "yes", "other_office", "yes").wants(http.StatusForbidden)
}

func TestGiveByNameAndToAnotherOffice(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	chief.post("/ko1/rights/approve", "form", "f1", "unit", "TH-12", "person", string(k.who[without]), "confirmed", "yes").wants(http.StatusSeeOther)
	// Of another office: masked, asked for on purpose, and marked.
	chief.post("/ko1/rights/approve", "form", "f2", "unit", "TH-12", "citizen", considers3, "confirmed", "yes").
		wants(http.StatusUnprocessableEntity, "สังกัดหน่วยงานอื่น", "มานะ").lacks("มานะ ขยัน")
	chief.post("/ko1/rights/approve", "form", "f2", "unit", "TH-12", "citizen", considers3, "confirmed", "yes", "other_office", "yes").
		wants(http.StatusSeeOther).follow().wants(http.StatusOK, "สังกัด ปทุมธานี")
}

func TestLookUp(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	ask := func(citizen string) *answer {
		return chief.post("/ko1/rights/consider/person", "unit", "TH-12", "citizen", citizen)
	}
	ask(without).wants(http.StatusOK, "ปิติ ใจดี", "confirmed").lacks("<html")
	ask(considers).wants(http.StatusOK, "สุดา", "ยืนยันตัวบุคคลแล้ว")
	ask(considers3).wants(http.StatusOK, "other_office").lacks("ขยัน", "+668", "p00236@")
	ask(unknown).wants(http.StatusOK, "ยังไม่ได้สมัคร")
	ask(chief12).wants(http.StatusOK, "ของท่านเอง")
	for range 30 {
		ask(without)
	}
	ask(without).wants(http.StatusOK, "ถี่เกินไป").lacks("ปิติ")
	k.visitor(t).post("/ko1/rights/consider/person", "unit", "TH-12", "citizen", without).lacks("ปิติ")
	k.as(t, considers).post("/ko1/rights/consider/person", "unit", "TH-12", "citizen", without).wants(http.StatusForbidden).lacks("ปิติ")
}

func TestEndAndGiveAgain(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	right := chief.right(t, "approve", "อนุชา")
	chief.get(right+"/end").wants(http.StatusOK, "ผลของการยกเลิก", "ไม่เหลือผู้มีสิทธิ์อนุมัติ", "leaves_none")
	chief.post(right+"/end").wants(http.StatusUnprocessableEntity, "กรุณากรอกเหตุผล", "กรุณาทำเครื่องหมายยืนยันก่อนลบ")
	chief.post(right+"/end", "reason", "ย้าย").wants(http.StatusUnprocessableEntity, "กรุณาทำเครื่องหมายยืนยันก่อนลบ", ">ย้าย<")
	chief.post(right+"/end", "reason", "ย้าย", "leaves_none", "yes").wants(http.StatusSeeOther).follow().wants(http.StatusOK, "ยกเลิกสิทธิ์", "ให้สิทธิ์อีกครั้ง", `action="`+right+`/again"`)
	if k.book.Allows(k.who[approves], grant.DoApprove, grant.Place{Unit: "TH-12"}) {
		t.Error("the right still holds")
	}
	chief.get("/ko1/rights/approve").lacks(">อนุชา")
	chief.post(right+"/end", "reason", "อีกครั้ง", "leaves_none", "yes").wants(http.StatusConflict, "ถูกยกเลิกไปแล้ว")
	chief.get(right).wants(http.StatusOK, "ย้าย", "ให้สิทธิ์นี้อีกครั้ง")
	chief.post(right+"/again", "form", "once").wants(http.StatusSeeOther).follow().wants(http.StatusOK, "อนุชา")
	if !k.book.Allows(k.who[approves], grant.DoApprove, grant.Place{Unit: "TH-12"}) {
		t.Error("the right given again does not hold")
	}
	chief.get("/ko1/units/TH-12/history").wants(http.StatusOK, "ลบสิทธิ์", "ย้าย")
}

func TestChangeInPlace(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	right := chief.right(t, "consider", "สุดา")
	chief.post(right+"/change", "version", "1", "last_day", "31/12/2569", "note", "ถึงสิ้นปี").wants(http.StatusSeeOther).follow().wants(http.StatusOK, "31 ธ.ค. 2569")
	chief.post(right+"/change", "version", "1", "last_day", "30/09/2570").wants(http.StatusConflict, "มีผู้อื่นแก้ไข", "30/09/2570")
	chief.post(right+"/change", "version", "2", "last_day", "1/1/2560").wants(http.StatusUnprocessableEntity, "วันสิ้นสุดผ่านไปแล้ว")
	chief.get(right).wants(http.StatusOK, "ถึงสิ้นปี", "ต่ออายุ")
	// It runs out by the clock and is renewed in place.
	k.Clock.Set(time.Date(2027, 1, 1, 3, 0, 0, 0, time.UTC))
	chief = k.as(t, chief12)
	chief.get("/ko1/rights/consider").lacks("สุดา")
	if k.book.Allows(k.who[considers], grant.DoConsider, grant.Place{Unit: "TH-12"}) {
		t.Error("the right holds after its last day")
	}
	chief.get("/ko1/rights/consider?state=expired").wants(http.StatusOK, "สุดา", "หมดอายุ")
	chief.get(right+"/change").wants(http.StatusOK, "31/12/2570", "หมดอายุแล้ว")
	chief.post(right+"/change", "version", "2", "last_day", "31/12/2570").wants(http.StatusSeeOther)
	if !k.book.Allows(k.who[considers], grant.DoConsider, grant.Place{Unit: "TH-12"}) {
		t.Error("the renewed right does not hold")
	}
}

func TestExports(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	chief.post("/ko1/rights/consider", "form", "f1", "unit", "TH-12", "citizen", without, "confirmed", "yes", "note", `=HYPERLINK("http://x")`).wants(http.StatusSeeOther)
	file := chief.get("/ko1/rights/consider/export.csv").wants(http.StatusOK)
	if !strings.HasPrefix(file.body, "\ufeff") || !strings.Contains(file.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("CSV begins %q, %v", file.body[:9], file.header)
	}
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.body, "\ufeff"))).ReadAll()
	if err != nil || len(lines) != 4 { // head, สุดา, the pending right, ปิติ
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	if last := lines[3]; last[4] != without || last[11] != `'=HYPERLINK("http://x")` {
		t.Errorf("last line is %q", last)
	}
	book, err := excelize.OpenReader(bytes.NewReader([]byte(chief.get("/ko1/rights/consider/export.xlsx?citizen=0022").wants(http.StatusOK).body)))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := book.GetRows("Sheet1")
	if err != nil || len(rows) != 2 || rows[1][4] != without {
		t.Fatalf("rows %q, %v", rows, err)
	}
	if kind, err := book.GetCellType("Sheet1", "L2"); err != nil || kind == excelize.CellTypeFormula {
		t.Errorf("the note is a %v, %v", kind, err)
	}
	// Masked for who is not head there.
	if csv := k.as(t, auditor).get("/ko1/rights/all/export.csv").wants(http.StatusOK); strings.Contains(csv.body, without) || !strings.Contains(csv.body, "3-9900-XXXXX-XX-8") {
		t.Errorf("the auditor's export is %s", csv.body)
	}
	k.as(t, considers).get("/ko1/rights/all/export.csv").wants(http.StatusForbidden)
}

func TestHeadIsCalledByKindOfUnit(t *testing.T) {
	k := newKit(t)
	k.as(t, director).get("/ko1/rights").wants(http.StatusOK, "สำหรับ ผู้อำนวยการกองบริหารจัดการกากอุตสาหกรรม")
	v := k.server.visit(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	group := agency.Unit{Kind: agency.Group, Name: locale.Name{TH: "กลุ่มตรวจสอบภายใน"}}
	if got := headName(v, group); got != "หัวหน้ากลุ่มตรวจสอบภายใน" {
		t.Errorf("called %s", got)
	}
}

func TestOnlyHeadsSetRights(t *testing.T) {
	k := newKit(t)
	k.visitor(t).get("/ko1/rights").wants(http.StatusSeeOther)
	k.as(t, without).get("/ko1/rights").wants(http.StatusForbidden, "หัวหน้าหน่วยงาน", "02-430-6980")
	k.as(t, admin1).get("/ko1/rights/consider/new").wants(http.StatusForbidden)
	k.as(t, auditor).get("/ko1/rights").wants(http.StatusOK).lacks("เพิ่มเจ้าหน้าที่</span>")
	// Who is turned away at the door is on record too.
	k.as(t, without).post("/ko1/rights/consider", "unit", "TH-12", "citizen", considers).wants(http.StatusForbidden)
	k.as(t, auditor).get("/admin/log?act=door.turn_away").wants(http.StatusOK, "ถูกปฏิเสธก่อนเข้าหน้า", "POST /ko1/rights/{level}", "ปิติ ใจดี")
}

func TestConfirmWhoRegistered(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	chief.get("/ko1/rights/waiting").wants(http.StatusOK, "ไม่มีผู้ที่รอการยืนยัน")
	who := k.register(t, unknown, "สมัคร", "ภายหลัง", "TH-12")
	if k.book.Allows(who, grant.DoConsider, grant.Place{Unit: "TH-12"}) {
		t.Fatal("an unconfirmed person may consider")
	}
	chief.get("/ko1/rights").wants(http.StatusOK, "ดูรายชื่อที่รอยืนยัน")
	chief.get("/ko1/rights/waiting").wants(http.StatusOK, "สมัคร ภายหลัง", "3-9900-00000-50-3")
	path := "/ko1/rights/waiting/TH-12/" + string(who)
	chief.post(path, "answer", "no").wants(http.StatusUnprocessableEntity, "กรุณากรอกเหตุผล")
	k.as(t, chief13).post(path, "answer", "yes").wants(http.StatusForbidden)
	chief.post(path, "answer", "yes").wants(http.StatusSeeOther).follow().wants(http.StatusOK, "ยืนยัน สมัคร ภายหลัง แล้ว")
	if !k.book.Allows(who, grant.DoConsider, grant.Place{Unit: "TH-12"}) {
		t.Error("the confirmed person may not consider")
	}
	chief.post(path, "answer", "yes").wants(http.StatusConflict)
}

// The history of a unit tells no more of a stranger than the look that is recorded in it did.
func TestHistoryHidesStrangers(t *testing.T) {
	k := newKit(t)
	chief := k.as(t, chief12)
	chief.post("/ko1/rights/consider/person", "unit", "TH-12", "citizen", considers3).wants(http.StatusOK).lacks("ขยัน")
	chief.get("/ko1/units/TH-12/history").wants(http.StatusOK, "มานะ").lacks("ขยัน", "เข้าสู่ระบบ ·")
	k.as(t, auditor).get("/ko1/units/TH-12/history").wants(http.StatusOK, "มานะ ขยัน")
}

func TestMyRights(t *testing.T) {
	k := newKit(t)
	k.as(t, considers).get("/my/rights").wants(http.StatusOK, "1 พิจารณา", "นนทบุรี", "วิชัย นนทบุรี", "มีผล")
	k.as(t, without).get("/my/rights").wants(http.StatusOK, "ท่านยังไม่มีสิทธิ์")
	k.as(t, chief12).get("/my/rights").wants(http.StatusOK, "หัวหน้าหน่วยงาน", "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี")
}

func TestUnmaskIsRecorded(t *testing.T) {
	k := newKit(t)
	path := "/people/" + string(k.who[considers]) + "/unmask"
	b := k.as(t, auditor)
	b.post(path).wants(http.StatusUnprocessableEntity, "กรุณากรอกเหตุผล")
	b.post(path, "reason", "ตรวจสอบเรื่องร้องเรียน").wants(http.StatusOK, "3-9900-00000-20-1")
	b.get("/admin/log").wants(http.StatusOK, "ตรวจสอบเรื่องร้องเรียน")
	k.as(t, chief13).post(path, "reason", "x").wants(http.StatusForbidden).lacks("3-9900-00000-20-1")
}

func TestPlainCell(t *testing.T) {
	for in, want := range map[string]string{"=1+1": "'=1+1", "+66": "'+66", "-5": "'-5", "@x": "'@x", "\tx": "'\tx", "＝1＋1": "'＝1＋1", "＋66": "'＋66", "－5": "'－5", "＠x": "'＠x", "\xff=": "\xff=", "ปกติ": "ปกติ", "": ""} {
		if got := plainCell(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzReadFilter(f *testing.F) {
	f.Add("q=%E0%B8%81&sort=-number&page=2&size=20&state=all&citizen=399")
	f.Add("page=-1&size=999999999999999999999&sort=--&person=x&citizen=1-2345-67890-12-1")
	f.Fuzz(func(t *testing.T, raw string) {
		given, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		filter, query := readFilter(given, allLevels)
		// What was understood reads back as itself, so that every link of the grid keeps its state.
		again, queryAgain := readFilter(query, allLevels)
		if again != filter || query.Encode() != queryAgain.Encode() {
			t.Fatalf("%q became %+v %v, then %+v %v", raw, filter, query, again, queryAgain)
		}
	})
}

func FuzzReadOrder(f *testing.F) {
	f.Add("unit=TH-12&citizen=3990000000201&from=1/10/2569&last_day=30/9/2570&note=x")
	f.Add("unit=&citizen=%E0%B9%93&from=29/2/2570&last_day=1&order_number=%00")
	f.Fuzz(func(t *testing.T, raw string) {
		form, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		level, _ := grant.LevelOf("consider")
		o, err := readOrder(&http.Request{PostForm: form}, level)
		if err == nil && (o.Unit == "" || o.Citizen.IsZero() == (o.Person == "")) {
			t.Fatalf("%q was taken as %+v", raw, o)
		}
		if d := o.LastDay; !d.IsZero() && thai.DateOf(d.StartOfDay()) != d {
			t.Fatalf("%q has the day %v", raw, d)
		}
	})
}

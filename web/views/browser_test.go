package views

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"sitthi/internal/browsertest"
)

var guidePages = map[string]string{
	"parts": "/parts", "register": "/register", "register-wrong": "/register?wrong=1&citizen_id=1-2345-67890-12-3",
	"rights": "/rights", "rights-found": "/rights?q=นาง&sort=-no", "rights-none": "/rights?q=ไม่มี", "give": "/rights/new",
}

// TestLooks looks at every page in every dress: it holds within the window and
// axe-core finds nothing. With SITTHI_SCREENSHOTS it leaves the pictures.
func TestLooks(t *testing.T) {
	_, base := serveGuide(t)
	for name, opts := range map[string]browsertest.Options{
		"desktop-th":    {Lang: "th"},
		"desktop-en":    {Lang: "en"},
		"desktop-dark":  {Lang: "th", Dark: true},
		"phone-th":      {Lang: "th", Phone: true},
		"phone-en-dark": {Lang: "en", Phone: true, Dark: true},
		"tablet-th":     {Lang: "th", Width: 980, Height: 768},
		"small-no-js":   {Lang: "th", Width: 320, Height: 640, NoJS: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := browsertest.Open(t, base, opts)
			for page, path := range guidePages {
				b.Go(path)
				b.Screenshot(page + "-" + name)
				b.NoHorizontalScroll()
				if !opts.NoJS {
					b.Axe()
				}
			}
		})
	}
}

// TestGridScript: a filter applies after a pause, keeps the focus, marks its
// hits and can be gone back from.
func TestGridScript(t *testing.T) {
	g, base := serveGuide(t)
	g.slow = 50 * time.Millisecond
	b := browsertest.Open(t, base, browsertest.Options{})
	b.Go("/rights")
	b.Eval(`window.here = true`, nil)

	b.Fill("ค้นหาชื่อ", "ณัฐวุฒิ")
	b.See("ทั้งหมด 7 รายการ")
	var hits int
	b.Eval(`document.querySelectorAll("mark").length`, &hits)
	if hits != 5 {
		t.Errorf("%d hits are marked, want 5 on this page", hits)
	}
	b.Key("x") // goes where the focus is
	b.See("ไม่พบรายการที่ตรงกับเงื่อนไข")
	b.Back()
	b.See("ทั้งหมด 26 รายการ")
	if got := b.Value("ค้นหาชื่อ"); got != "" {
		t.Errorf("after Back the search still says %q", got)
	}

	b.Select("กรองกอง/จังหวัด", "กองบริหารจัดการกากอุตสาหกรรม")
	b.See("ทั้งหมด 6 รายการ")
	b.Click("หน้าถัดไป")
	b.See("หน้า 2 จาก 2")
	b.Click("ลำดับ")
	b.See("หน้า 1 จาก 2")
	if got, want := b.Path(), "/rights?sort=no&unit=IWM"; got != want {
		t.Errorf("at %s, want %s", got, want)
	}
	b.Screenshot("grid-sorted")

	var here, busy bool
	b.Eval(`window.here === true`, &here)
	b.Eval(`!!document.querySelector("#grid[aria-busy]")`, &busy)
	if !here || busy {
		t.Errorf("same page: %v, still busy: %v", here, busy)
	}
}

// TestGridWithoutScript: the same by form and links.
func TestGridWithoutScript(t *testing.T) {
	_, base := serveGuide(t)
	b := browsertest.Open(t, base, browsertest.Options{NoJS: true})
	b.Go("/rights?sort=-no")
	b.Fill("ค้นหาชื่อ", "ณัฐวุฒิ")
	b.Press("ค้นหา")
	b.See("ทั้งหมด 7 รายการ")
	b.Click("หน้าถัดไป")
	b.See("หน้า 2 จาก 2")
	b.Screenshot("grid-no-js")
}

// TestDialogScript: a dialog that fails stays open with its errors; a person is
// looked up as soon as his ID is whole; success leads on, and is sent once.
func TestDialogScript(t *testing.T) {
	g, base := serveGuide(t)
	b := browsertest.Open(t, base, browsertest.Options{})
	b.Go("/rights")
	b.Click("เพิ่มเจ้าหน้าที่")
	d := b.In("#dialog")
	d.See("เพิ่มเจ้าหน้าที่ที่มีสิทธิ์พิจารณา")
	b.Screenshot("dialog")
	b.Axe()

	d.Press("บันทึก (Save)")
	d.See("มีข้อมูลที่ต้องแก้ไข 1 รายการ")
	var focused string
	b.Eval(`document.activeElement.className`, &focused)
	if focused != "error-summary" {
		t.Errorf("the focus is on %q, want the error summary", focused)
	}
	b.Screenshot("dialog-errors")
	b.Axe()

	b.Key(kb.Escape)
	b.NotSee("เพิ่มเจ้าหน้าที่ที่มีสิทธิ์พิจารณา")
	b.Eval(`document.activeElement.id`, &focused)
	if focused != "add" {
		t.Errorf("after Escape the focus is on %q, want the link that opened the dialog", focused)
	}

	b.Click("เพิ่มเจ้าหน้าที่")
	d.Fill("เลขบัตรประชาชน", "๓-99000 00002 02")
	d.See("หลักสุดท้ายไม่ตรงกับหลักตรวจสอบ")
	d.Fill("เลขบัตรประชาชน", "3990000000201")
	d.See("หลักตรวจสอบถูกต้อง", "นายณัฐวุฒิ ศรีสุขสันต์ · TH-12")
	if got := d.Value("เลขบัตรประชาชน"); got != "3-9900-00000-20-1" {
		t.Errorf("the ID is shown as %q", got)
	}
	d.Select("กอง/จังหวัด", "กองบริหารจัดการกากอุตสาหกรรม")
	d.See("ศรีสุขสันต์ · IWM")
	b.Screenshot("dialog-person")
	d.DoubleClick("บันทึก (Save)")
	b.See("บันทึกแล้ว 1 ครั้ง")
	if g.saved != 1 {
		t.Errorf("saved %d times, want once", g.saved)
	}
}

// TestDialogOnPhone looks at a dialog, the filters and the menu of a phone.
func TestDialogOnPhone(t *testing.T) {
	_, base := serveGuide(t)
	b := browsertest.Open(t, base, browsertest.Options{Phone: true})
	b.Go("/rights?unit=IWM")
	b.NoHorizontalScroll()
	b.Screenshot("phone-filters")
	b.Axe()
	b.In(".grid-table tbody tr").Click("ลบ")
	b.See("ผลของการยกเลิก")
	b.Screenshot("phone-dialog")
	b.Axe()
	b.In("#dialog").Click("ไม่ยกเลิก")
	b.NotSee("ผลของการยกเลิก")
	b.Eval(`document.querySelector(".site-tools summary").click()`, nil)
	b.See("ออกจากระบบ")
	b.Screenshot("phone-menu")
	b.Axe()
	b.Key(kb.Escape)
	b.NotSee("ออกจากระบบ")
}

// TestCaret: an ID may be mended in its middle; the caret stays where it was.
func TestCaret(t *testing.T) {
	_, base := serveGuide(t)
	b := browsertest.Open(t, base, browsertest.Options{})
	b.Go("/register")
	b.Fill("เลขประจำตัวประชาชน", "399000000021")
	b.Eval(`document.getElementById("field-citizen_id").setSelectionRange(13, 13)`, nil)
	b.Key("0")
	var caret int
	b.Eval(`document.activeElement.selectionStart`, &caret)
	if got := b.Value("เลขประจำตัวประชาชน"); got != "3-9900-00000-02-1" && got != "3-9900-00000-21-0" || caret != 14 {
		t.Errorf("%q with the caret at %d", got, caret)
	}
}

// TestPassword can be shown and hidden.
func TestPassword(t *testing.T) {
	_, base := serveGuide(t)
	b := browsertest.Open(t, base, browsertest.Options{})
	b.Go("/register")
	kind := func() (s string) {
		b.Eval(`document.getElementById("field-password").type`, &s)
		return s
	}
	b.Press("แสดง รหัสผ่าน")
	if got := kind(); got != "text" {
		t.Errorf("after แสดง the field is %s", got)
	}
	b.Press("ซ่อน รหัสผ่าน")
	if got := kind(); got != "password" {
		t.Errorf("after ซ่อน the field is %s", got)
	}
}

// TestOnce: a hasty double click sends a form once, and the form that comes
// back with its errors can be sent again.
func TestOnce(t *testing.T) {
	g, base := serveGuide(t)
	g.slow = 300 * time.Millisecond
	b := browsertest.Open(t, base, browsertest.Options{})
	b.Go("/register")
	for want := 1; want <= 2; want++ {
		b.DoubleClick("ยืนยันการสมัครใช้งานระบบ")
		b.See("มีข้อมูลที่ต้องแก้ไข 5 รายการ")
		if g.sent != want {
			t.Fatalf("sent %d times, want %d", g.sent, want)
		}
	}
}

// TestErrorSummary takes the focus and leads to the fields, with and without
// JavaScript.
func TestErrorSummary(t *testing.T) {
	_, base := serveGuide(t)
	for _, noJS := range []bool{false, true} {
		b := browsertest.Open(t, base, browsertest.Options{NoJS: noJS})
		b.Go("/register?wrong=1")
		b.Text(".error-summary:focus") // autofocus comes with the first frame, at times after the load
		b.Key(kb.Tab)
		b.Key(kb.Tab)
		b.Key(kb.Enter)
		b.Key("TH")
		b.In(".error-summary").See("มีข้อมูลที่ต้องแก้ไข 5 รายการ")
		var focused string
		b.Eval(`document.activeElement.id`, &focused)
		if focused != "field-unit" {
			t.Errorf("without JavaScript %v: the second link leads to %q", noJS, focused)
		}
	}
}

// TestNetworkFailure is told where the reader is, and nothing typed is lost.
func TestNetworkFailure(t *testing.T) {
	_, base := serveGuide(t)
	b := browsertest.Open(t, base, browsertest.Options{})
	b.Go("/rights")
	b.Click("เพิ่มเจ้าหน้าที่")
	b.In("#dialog").Fill("ตั้งแต่วันที่", "22/11/2569")
	b.Eval(`window.fetch = () => Promise.reject(new TypeError("offline"))`, nil)
	b.In("#dialog").Press("บันทึก (Save)")
	b.In("#dialog").See("เชื่อมต่อระบบไม่สำเร็จ")
	if got := b.In("#dialog").Value("ตั้งแต่วันที่"); got != "22/11/2569" {
		t.Errorf("the date is %q now", got)
	}
	b.Screenshot("dialog-failed")
	b.Key(kb.Escape)
	b.Fill("ค้นหาชื่อ", "นาย")
	b.See("เชื่อมต่อระบบไม่สำเร็จ")
	b.Screenshot("grid-failed")
}

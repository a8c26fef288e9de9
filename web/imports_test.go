package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/legacy"
)

// messyFile is a table as offices send it: Thai digits, a formula, a wrong check digit, a row twice, an unknown province,
// บึงกาฬ by its former number, a column that nobody knows.
const messyFile = "ลำดับ,กอง/จังหวัด,ระดับ,เลขบัตรประชาชน,ชื่อ,นามสกุล,สีที่ชอบ\r\n" +
	"1,นนทบุรี,1,3-9900-00000-22-8,ปิติ,ใจดี,เขียว\r\n" +
	"2,P12,3,๑๙๙๐๐๐๐๐๐๐๐๔๓,ปราณี,มาใหม่,\r\n" +
	"3,97,1,1990000000051,มานี,บึงกาฬ,\r\n" +
	"4,นนทบุรี,1,3990000000229,เลข,ผิด,\r\n" +
	"5,เมืองสมมติ,1,1990000000060,ไม่มี,จังหวัด,\r\n" +
	"6,นนทบุรี,=1+2,1990000000078,สูตร,คำนวณ,\r\n" +
	"1,นนทบุรี,1,3-9900-00000-22-8,ปิติ,ใจดี,ซ้ำ\r\n"

// upload sends a form with a file.
func (b *browser) upload(path, source, name string, file []byte) *answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	check(b.t, form.WriteField("source", source))
	part := must(form.CreateFormFile("file", name))(b.t)
	must(part.Write(file))(b.t)
	check(b.t, form.Close())
	r := must(http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.k.url+path, &body))(b.t)
	r.Host = "localhost"
	for name, list := range b.header {
		r.Header[name] = list
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	return b.send(r)
}

// work does what the desk does by itself in the background.
func (k *kit) work(t *testing.T) {
	t.Helper()
	for must(k.legacy.Step(t.Context()))(t) {
	}
}

var lineAddress = regexp.MustCompile(`/admin/imports/[0-9a-f-]{36}/lines/[0-9]+`)

func TestImport(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		first, second := k.as(t, admin1), k.as(t, admin2)
		first.get("/admin").wants(http.StatusOK, "/admin/imports")
		first.get("/admin/imports").wants(http.StatusOK, "ยังไม่มีการนำเข้า", "รหัสแถว", "Row ID", `enctype="multipart/form-data"`)
		first.upload("/admin/imports", "", "rights.csv", []byte(messyFile)).wants(http.StatusUnprocessableEntity, "ระบุชื่อแหล่งข้อมูล")
		first.upload("/admin/imports", "กอ.1 เดิม", "rights.pdf", []byte("%PDF-1.7")).wants(http.StatusUnprocessableEntity, "อ่านไฟล์ไม่ได้", `value="กอ.1 เดิม"`)
		first.post("/admin/imports", "source", "x").wants(http.StatusUnsupportedMediaType)

		sent := first.upload("/admin/imports", "กอ.1 เดิม", "สิทธิ์.csv", []byte(messyFile)).wants(http.StatusSeeOther)
		path := sent.location
		sent.follow().wants(http.StatusOK, "รับไฟล์ สิทธิ์.csv แล้ว", "data-refresh", "<progress", "ดูความคืบหน้าล่าสุด")
		k.work(t)
		first.get(path).wants(http.StatusOK, "ยอดตรงกัน: อ่าน 7 แถว", "สีที่ชอบ", "ลงนามรับรองเองไม่ได้", "รอลงนาม", "ซ้ำกับบรรทัด").lacks("data-refresh", "3990000000228", "1990000000043")
		version := regexp.MustCompile(`name="version" value="([0-9]+)"`)

		lines := first.get(path+"/lines?result=quarantined").wants(http.StatusOK, "ไม่พบหน่วยงานชื่อหรือรหัส", "เมืองสมมติ", "เลข ผิด").lacks("ปราณี")
		first.get(path+"/lines?kind=right&result=new").wants(http.StatusOK, "ปราณี", "บึงกาฬ", "1-9900-XXXXX-XX-3")
		first.get(path + "/lines?result=nonsense&after=x").wants(http.StatusOK)
		first.get(path+"/export/csv?result=quarantined").wants(http.StatusOK, "ไม่พบหน่วยงานชื่อหรือรหัส", "'=1+2").lacks("ปราณี")
		first.get(path + "/export/xlsx").wants(http.StatusOK)
		first.get(path + "/export/doc").wants(http.StatusNotFound)
		// What goes out is on record, as with rights.
		exports, _, err := k.book.Log(t.Context(), k.who[auditor], audit.Query{Act: "legacy.export", Actor: string(k.who[admin1])})
		if err != nil || len(exports) != 2 || !strings.HasSuffix(path, "/"+exports[0].Object) || exports[0].Detail["format"] != "xlsx" || exports[0].Detail["rows"] != "7" {
			t.Errorf("recorded exports: %+v %v", exports, err)
		}

		// One row is mended by the second administrator, who thereby becomes one of those who can not sign.
		for _, line := range lineAddress.FindAllString(lines.body, -1) {
			if row := first.get(line).wants(http.StatusOK); strings.Contains(row.body, "เมืองสมมติ") {
				second.post(line, "unit", "เมืองสมมุติ").wants(http.StatusUnprocessableEntity, "เมืองสมมุติ")
				second.post(line, "unit", "นนทบุรี").wants(http.StatusSeeOther)
				k.work(t)
			} else if strings.Contains(row.body, "สูตร") {
				first.post(line+"/aside", "reason", " ").wants(http.StatusUnprocessableEntity, "กรุณากรอกเหตุผล")
				first.post(line+"/aside", "reason", "ไม่รู้ระดับ").wants(http.StatusSeeOther)
				k.work(t)
				first.get(line).wants(http.StatusOK, "แถวนี้ถูกสั่งไม่นำเข้า", "ไม่รู้ระดับ")
			}
		}
		page := second.get(path).wants(http.StatusOK, "ลงนามรับรองเองไม่ได้", "ผู้แก้ไขรายการ")
		if version.MatchString(page.body) {
			t.Error("who corrected can sign")
		}
		third := k.third(t)
		page = third.get(path).wants(http.StatusOK, "ลงนาม และบันทึก 4 รายการ")
		v := version.FindStringSubmatch(page.body)[1]
		first.post(path+"/sign", "version", v).wants(http.StatusForbidden)
		third.post(path+"/sign", "version", "1").wants(http.StatusConflict, "ก่อนท่าน")
		third.post(path+"/sign", "version", v).wants(http.StatusSeeOther).follow().wants(http.StatusOK, "ลงนามแล้ว", "data-refresh")
		k.work(t)
		third.get(path).wants(http.StatusOK, "บันทึกแล้ว", "บันทึกเมื่อ", "ผู้ลงนาม").lacks("data-refresh")
		if k.book.Allows(k.who[without], grant.DoConsider, grant.Place{Unit: "TH-12"}) {
			t.Error("an imported right opens something before the head has confirmed")
		}
		k.as(t, chief12).get("/ko1/rights/waiting").wants(http.StatusOK, "ปิติ", "นำเข้าจากระบบเดิม ยังไม่ได้สมัคร", "ปราณี มาใหม่", "1-9900-00000-04-3")
		k.as(t, auditor).get(path).wants(http.StatusOK, "ยอดตรงกัน").lacks("ตรวจสอบอีกครั้ง", "ยกเลิกการนำเข้า")
		k.as(t, auditor).get("/admin/imports").wants(http.StatusOK, "กอ.1 เดิม").lacks("multipart")
	})
}

// third makes one more administrator.
func (k *kit) third(t *testing.T) *browser {
	t.Helper()
	a := must(k.book.Propose(t.Context(), k.who[admin1], grant.AppointmentOrder{Unit: "DIW", Post: grant.Administrator, Kind: grant.Regular, Person: k.who[considers3], OrderNumber: "1"}))(t)
	must(k.book.ConfirmAppointment(t.Context(), k.who[admin2], a.ID))(t)
	k.keep(t, considers3, kitKey)
	return k.as(t, considers3)
}

func TestImportCancelled(t *testing.T) {
	k := newKit(t)
	admin := k.as(t, admin1).in(locale.EN)
	path := admin.upload("/admin/imports", "old", "rights.csv", []byte(messyFile)).wants(http.StatusSeeOther).location
	form := admin.get(path+"/cancel").wants(http.StatusOK, "Cancel this import")
	admin.post(path+"/cancel", "version", form.hidden("version"), "reason", "").wants(http.StatusUnprocessableEntity)
	admin.post(path+"/cancel", "version", form.hidden("version"), "reason", "wrong file").wants(http.StatusSeeOther).follow().wants(http.StatusOK, "Cancelled")
	k.work(t)
	admin.get(path).wants(http.StatusOK, "wrong file").lacks("Sign and save")
	admin.post(path + "/recheck").wants(http.StatusConflict)
}

// A file that is too big is refused in words, and no other site can send one.
func TestUploadsAreBounded(t *testing.T) {
	k := newKit(t)
	k.legacy.Limits.File = 1 << 20
	admin := k.as(t, admin1)
	admin.upload("/admin/imports", "old", "rights.csv", bytes.Repeat([]byte(messyFile), 3000)).wants(http.StatusUnprocessableEntity, "ไฟล์ใหญ่เกิน")
	admin.upload("/admin/imports", "old", "", nil).wants(http.StatusUnprocessableEntity, "กรุณาเลือกไฟล์")
	admin.header = http.Header{"Sec-Fetch-Site": {"cross-site"}}
	admin.upload("/admin/imports", "old", "rights.csv", []byte(messyFile)).wants(http.StatusForbidden, "เว็บไซต์อื่น")
	k.as(t, chief12).upload("/admin/imports", "old", "rights.csv", []byte(messyFile)).wants(http.StatusForbidden)
	k.visitor(t).upload("/admin/imports", "old", "rights.csv", []byte(messyFile)).wants(http.StatusSeeOther)
	if n := len(must(k.legacy.Imports(t.Context(), k.who[admin1]))(t)); n != 0 {
		t.Errorf("%d files were kept", n)
	}
}

func TestImportTemplates(t *testing.T) {
	k := newKit(t)
	admin := k.as(t, admin1)
	admin.get("/admin/import-template/csv").wants(http.StatusOK, legacy.Columns[0].Header.TH)
	admin.get("/admin/import-template/xlsx").wants(http.StatusOK)
	admin.get("/admin/import-template/doc").wants(http.StatusNotFound)
}

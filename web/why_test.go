package web

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/decisiontable"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// TestWhyTable asks the page everything that the table of decisions asks.
func TestWhyTable(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		table := decisiontable.Load(t, "../grant/testdata/decisions.csv")
		people := table.Play(t, decisiontable.World{
			DB: k.DB, Clock: k.Clock, Roll: k.roll, Book: k.book, Agencies: k.agencies, Admins: [2]person.ID{k.who[admin1], k.who[admin2]},
		})
		k.write(t, func(tx *store.Tx) error { return officer.Reopen(t.Context(), tx, k.who[auditor]) }) // months have passed
		check(t, k.book.CatchUp(t.Context()))
		b := k.as(t, auditor)
		for _, q := range table.Questions {
			query := url.Values{
				"person": {string(people[q.Person])}, "action": {q.Action}, "place": {placeCode(q.At)},
				"day": {thai.DateOf(q.Moment).Numeric("th")}, "time": {q.Moment.In(thai.Bangkok).Format("15:04")},
			}
			a := b.get(whyPath + "?" + query.Encode())
			title := ">ทำได้"
			if !q.Want {
				title = "ทำไม่ได้: " + k.server.catalog.Text(locale.TH, "why.because_"+string(q.Reason), nil)
			}
			switch {
			case people[q.Person] == "": // nobody ever named him: there is nobody to choose
				a.wants(http.StatusOK, "เลขบัตรประชาชน").lacks("เงื่อนไขทั้งหมด")
			case q.Reason == grant.UnknownPlace && a.status == http.StatusNotFound: // there is none to this day
			case a.status != http.StatusOK || !strings.Contains(strings.Join(strings.Fields(tags.ReplaceAllString(a.body, ">")), " "), title):
				t.Errorf("%s: %d, without %q (%s)\n%s", q, a.status, title, q.Note, a.text())
			}
		}
	})
}

func TestWhy(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		chief := k.as(t, chief12)
		chief.get(whyPath).wants(http.StatusOK, "เลือกจากเจ้าหน้าที่ในหน่วยงาน", "นนทบุรี").lacks("เงื่อนไขทั้งหมด")

		// By citizen ID: the ID stands in no address, and the look is recorded.
		a := chief.post(whyPath, "citizen", considers, "action", "approve", "place", "TH-12").wants(http.StatusSeeOther)
		if strings.Contains(a.location, considers) {
			t.Errorf("the ID stands in the address %s", a.location)
		}
		a.follow().wants(http.StatusOK, "ทำไม่ได้: มีสิทธิ์ในเรื่องอื่นเท่านั้น", "สมัครใช้งานแล้ว", "ให้หัวหน้าหน่วยงานเพิ่มสิทธิ์ระดับนี้", "/ko1/grants/")
		entries, _, err := k.book.Log(t.Context(), k.who[auditor], audit.Query{Act: "person.look_up", Actor: string(k.who[chief12]), Subject: string(k.who[considers])})
		if check(t, err); len(entries) != 1 {
			t.Errorf("the look is recorded %d times", len(entries))
		}
		chief.get(whyOf(k.who[considers], grant.DoConsider, grant.Place{Unit: "TH-12"})).wants(http.StatusOK, "ทำได้", "ให้สิทธิ์ โดย").lacks("/admin/log")
		k.as(t, auditor).get(whyOf(k.who[considers], grant.DoConsider, grant.Place{Unit: "TH-12"})).wants(http.StatusOK, "ทำได้", "/admin/log?")
		k.as(t, admin1).in(locale.EN).get(whyOf(k.who[chief12], grant.Administer, grant.Place{Unit: "TH-12"})).wants(http.StatusOK, "Appointed head of the unit", "/admin/appointments/")

		// Foreign and absent look the same, by id and by citizen ID.
		foreign := chief.get(whyOf(k.who[considers3], grant.DoConsider, grant.Place{Unit: "TH-13"})).wants(http.StatusNotFound)
		absent := chief.get(whyOf(person.ID("0192f0c0-0000-7000-8000-000000000000"), grant.DoConsider, grant.Place{Unit: "TH-13"})).wants(http.StatusNotFound)
		if foreign.text() != absent.text() {
			t.Errorf("foreign: %s\nabsent: %s", foreign.text(), absent.text())
		}
		foreign = chief.post(whyPath, "citizen", considers3, "action", "consider", "place", "TH-12").wants(http.StatusUnprocessableEntity, "ไม่พบบุคคลนี้")
		absent = chief.post(whyPath, "citizen", "1990000000043", "action", "consider", "place", "TH-12").wants(http.StatusUnprocessableEntity, "ไม่พบบุคคลนี้")
		if strings.ReplaceAll(foreign.body, considers3, "") != strings.ReplaceAll(absent.body, "1990000000043", "") {
			t.Error("a foreign ID is told from an absent one")
		}

		// Everyone asks about himself, anywhere; about nobody else.
		officer := k.as(t, without)
		officer.get(whyPath).wants(http.StatusOK, "ตัวท่านเอง", "ปทุมธานี").lacks(`name="citizen"`)
		officer.post(whyPath, "person", string(k.who[considers]), "action", "consider", "place", "TH-13").follow().wants(http.StatusOK, "ทำไม่ได้: ไม่มีสิทธิ์นี้", "ตัวท่านเอง")
		officer.get(whyOf(k.who[considers], grant.DoConsider, grant.Place{Unit: "TH-12"})).wants(http.StatusNotFound)

		// A chief learns of rights elsewhere nothing.
		k.give(t, chief13, grant.Order{Unit: "TH-13", Level: grant.Approve, Citizen: k.citizen(t, considers), OtherOffice: true})
		chief.get(whyOf(k.who[considers], grant.DoApprove, grant.Place{Unit: "TH-12"})).wants(http.StatusOK, "พิจารณา · นนทบุรี").lacks("ปทุมธานี")
		k.as(t, auditor).get(whyOf(k.who[considers], grant.DoApprove, grant.Place{Unit: "TH-12"})).wants(http.StatusOK, "อนุมัติ · ปทุมธานี")

		// What was typed is kept, and every fault told at once.
		chief.post(whyPath, "citizen", "3990000000202", "action", "x", "place", "", "day", "31/2/2570", "time", "25:00").
			wants(http.StatusUnprocessableEntity, "หลักสุดท้ายไม่ตรง", "กรุณาเลือกเรื่องที่จะทำ", "กรุณาเลือกกอง/จังหวัด", "เดือนนั้นไม่มีวันที่ดังกล่าว", "กรุณากรอกเวลา", `value="25:00"`)
		chief.get(whyPath+"?person="+string(k.who[considers])+"&action=consider&place=TH-12&day=31/2/2570").wants(http.StatusUnprocessableEntity, "เดือนนั้นไม่มีวันที่ดังกล่าว")
	})
}

func TestReadAskedMoment(t *testing.T) {
	now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		day, clock string
		want       string // in Bangkok, "" for now, which the answer's own transaction tells
	}{
		{"", "", ""},
		{"23/11/2569", "", ""},
		{"22/11/2569", "", "2026-11-22 23:59:59.999999"},
		{"24/11/2569", "", "2026-11-24 23:59:59.999999"},
		{"", "16:30", "2026-11-23 16:30:00"},
		{"๒๒ พ.ย. ๒๕๖๙", "๑๖.๓๐ น.", "2026-11-22 16:30:00"},
	} {
		form := url.Values{"action": {"consider"}, "place": {"TH-12"}, "day": {c.day}, "time": {c.clock}}
		q, err := readQuestion(&Visit{Now: now}, form)
		got := ""
		if !q.Moment.IsZero() {
			got = q.Moment.In(thai.Bangkok).Format("2006-01-02 15:04:05.999999")
		}
		if err != nil || got != c.want {
			t.Errorf("%q %q: %s, %v; want %s", c.day, c.clock, got, err, c.want)
		}
	}
}

func TestAsOf(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		chief := k.as(t, chief12)
		given := k.Clock.Now()
		list := chief.get(asOfPath).wants(http.StatusOK, "บัญชีสิทธิ์ ณ วันที่ 23 พฤศจิกายน 2569", "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี", "ผู้มีสิทธิ์ในขณะนี้",
			"3-9900-00000-20-1", "ระดับ 1 พิจารณา", "ระดับ 3 อนุมัติ", "หัวหน้าหน่วยงาน", "ลงชื่อ", "พิมพ์เมื่อ")
		list.lacks("3-9900-00000-23-6")
		chief.get(asOfPath+"?day=22/11/2569").wants(http.StatusOK, "ไม่มีผู้มีสิทธิ์ใน นนทบุรี", "ตามที่บันทึกไว้ในขณะนั้น")
		chief.get(asOfPath+"?day=32/11/2569").wants(http.StatusUnprocessableEntity, "เดือนนั้นไม่มีวันที่ดังกล่าว").lacks("ลงชื่อ")
		chief.get(asOfPath + "?unit=TH-13").wants(http.StatusNotFound)

		// Later a right is ended: of the day before it stands as it stood.
		page, err := k.book.Grid(t.Context(), k.who[chief12], grant.Filter{Person: k.who[considers]})
		check(t, err)
		k.Clock.Advance(48 * time.Hour)
		must(k.book.Revoke(t.Context(), k.who[chief12], page.Rows[0].ID, grant.Ending{Reason: "ย้าย", LeavesNone: true}))(t)
		chief = k.as(t, chief12)
		chief.get(asOfPath).wants(http.StatusOK).lacks("3-9900-00000-20-1")
		chief.get(asOfPath+"?day="+url.QueryEscape(thai.DateOf(given).Numeric("th"))).wants(http.StatusOK, "3-9900-00000-20-1")
		chief.get(asOfPath+"?day=31/12/2569").wants(http.StatusOK, "ตามข้อมูลที่มีอยู่ในขณะนี้").lacks("3-9900-00000-20-1")

		// The auditor chooses a unit, and sees IDs masked.
		auditor := k.as(t, auditor)
		auditor.get(asOfPath).wants(http.StatusOK, "เลือกกอง/จังหวัด").lacks("ลงชื่อ")
		auditor.get(asOfPath+"?unit=TH-12").wants(http.StatusOK, "3-9900-XXXXX-XX-0").lacks("3-9900-00000-21-0")

		// The same as a file, on record.
		a := chief.get(asOfPath + "/export.xlsx?unit=TH-12&day=" + url.QueryEscape(thai.DateOf(given).Numeric("th"))).wants(http.StatusOK)
		book := must(excelize.OpenReader(bytes.NewReader([]byte(a.body))))(t)
		rows := must(book.GetRows("Sheet1"))(t)
		check(t, book.Close())
		if rows[0][0] != "บัญชีสิทธิ์ ณ วันที่ 23 พฤศจิกายน 2569" || !slices.ContainsFunc(rows, func(row []string) bool { return len(row) > 2 && row[2] == considers }) {
			t.Errorf("the file holds %q", rows)
		}
		entries, _, err := k.book.Log(t.Context(), k.who[admin1], audit.Query{Act: "grant.export", Actor: string(k.who[chief12])})
		if check(t, err); len(entries) != 1 || entries[0].Detail["as_of"] != "2026-11-23" || entries[0].Unit != "TH-12" {
			t.Errorf("recorded: %+v", entries)
		}
		chief.get(asOfPath + "/export.xlsx?unit=TH-13").wants(http.StatusNotFound)
		k.as(t, without).get(asOfPath).wants(http.StatusForbidden)
	})
}

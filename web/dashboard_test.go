package web

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/officer"
)

// tile cuts the tile of a unit out of a page.
func tile(t *testing.T, a *answer, unit string) string {
	t.Helper()
	_, after, ok := strings.Cut(a.body, `<li id="unit-`+unit+`"`)
	if !ok {
		t.Fatalf("no tile of %s", unit)
	}
	whole, _, _ := strings.Cut(after, `<li id="unit-`)
	return whole
}

// wants says what a tile shows, by its links.
func wants(t *testing.T, where, tile string, links ...string) {
	t.Helper()
	for _, link := range links {
		if !strings.Contains(tile, `href="`+link+`"`) {
			t.Errorf("%s lacks the link %s in\n%s", where, link, tile)
		}
	}
}

func TestDashboard(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		b := k.as(t, admin1)
		page := b.get(dashboardPath).wants(http.StatusOK, "ภาพรวมหน่วยงาน", "78 หน่วยงาน", "ภาคเหนือ", "ภาคใต้", "ครบถ้วน 1 จาก 21 หน่วยงาน")
		if n := strings.Count(page.body, `<li id="unit-`); n != 78 {
			t.Errorf("%d tiles", n)
		}
		// In each region the units stand as in a Thai dictionary.
		names := regexp.MustCompile(`<a href="/ko1/rights\?unit=TH-\d\d">([^<]+)</a>`).FindAllStringSubmatch(page.body, -1)
		if len(names) != 76 || names[0][1] != "เชียงราย" || names[2][1] != "น่าน" {
			t.Errorf("%d provinces, the first %v, %v, %v", len(names), names[0], names[1], names[2])
		}
		whole := tile(t, page, "TH-12")
		wants(t, "TH-12", whole, "/ko1/rights/consider?unit=TH-12", "/ko1/rights/approve?unit=TH-12")
		if strings.Contains(whole, "ไม่มี") || strings.Contains(whole, "is-bad") || !strings.Contains(whole, "ครบถ้วน") {
			t.Errorf("TH-12 lacks something:\n%s", whole)
		}
		if lacks := tile(t, page, "TH-13"); strings.Contains(lacks, "ไม่มี อสจ.") || !strings.Contains(lacks, "ไม่มีผู้อนุมัติ") || !strings.Contains(lacks, "is-bad") {
			t.Errorf("TH-13:\n%s", lacks)
		}
		empty := tile(t, page, "TH-96")
		wants(t, "TH-96", empty, "/admin/appointments?post=head&amp;unit=TH-96", "/ko1/rights/consider?unit=TH-96", "/ko1/rights/approve?unit=TH-96")
		if iwm := tile(t, page, agency.IWM); !strings.Contains(iwm, "รับผิดชอบกรุงเทพมหานคร") || !strings.Contains(iwm, "ไม่มีผู้กลั่นกรอง") {
			t.Errorf("IWM:\n%s", iwm)
		}

		for only, n := range map[string]int{"head": 75, "consider": 75, "review": 1, "approve": 77, "soon": 0, "waiting": 0} {
			page := b.get(dashboardPath+"?only="+only).wants(http.StatusOK, "แสดงทั้งหมด 78 หน่วยงาน")
			if got := strings.Count(page.body, `<li id="unit-`); got != n {
				t.Errorf("%s: %d tiles, want %d", only, got, n)
			}
			if named := strings.Contains(page.body, `aria-current="true">`+strconv.Itoa(n)+" หน่วยงาน"); named != (n > 0) {
				t.Errorf("%s: the figure that the tiles are narrowed to is not marked", only)
			}
		}

		// What comes up: the figure and the list behind it say the same.
		right := must(k.book.Give(t.Context(), k.who[chief12], grant.Order{Unit: "TH-12", Level: grant.Approve, Person: k.who[without], LastDay: in20Days(k), Confirmed: true, Form: store.NewID()}))(t)
		k.write(t, func(tx *store.Tx) error {
			who, err := k.roll.Mention(t.Context(), tx, k.citizen(t, unknown))
			if err != nil {
				return err
			}
			a := officer.Account{Person: who, GivenName: "มาใหม่", FamilyName: "รอดี", Position: "นักวิชาการ", Unit: "TH-12", Email: "new@diw.example.go.th", Phone: "+66812345678", TermsVersion: officer.TermsVersion}
			if err := officer.Create(t.Context(), tx, a, "no password"); err != nil {
				return err
			}
			return k.book.Registered(t.Context(), tx, who)
		})
		coming := tile(t, b.get(dashboardPath), "TH-12")
		if !strings.Contains(coming, "ใกล้สิ้นสุด 1 สิทธิ์") || !strings.Contains(coming, "รอยืนยัน 1 คน") {
			t.Errorf("TH-12:\n%s", coming)
		}
		wants(t, "TH-12", coming, "/ko1/rights?state=soon&amp;unit=TH-12", "/ko1/rights?state=waiting&amp;unit=TH-12")
		b.get("/ko1/rights?state=soon&unit=TH-12").wants(http.StatusOK, "ทั้งหมด 1 รายการ", "/ko1/grants/"+right.ID)
		b.get("/ko1/rights?state=waiting&unit=TH-12").wants(http.StatusOK, "ทั้งหมด 1 รายการ", "มาใหม่")
		k.as(t, chief12).get("/ko1/rights").wants(http.StatusOK, "รอยืนยันตัวบุคคล", `<a href="/ko1/rights/waiting">1 คน`)

		k.as(t, auditor).in(locale.EN).get(dashboardPath).wants(http.StatusOK, "All units", "Nobody may approve", "No chief", "No head", "1 ending soon")
		k.as(t, chief12).get(dashboardPath).wants(http.StatusForbidden)
		b.get(dashboardPath + "?only=everything").wants(http.StatusNotFound)
	})
}

package web

import (
	"testing"

	"sitthi/grant"
	"sitthi/internal/browsertest"
	"sitthi/internal/locale"
)

// enter signs somebody in, in a browser.
func (k *kit) enter(t *testing.T, who, name string) *browsertest.Browser {
	t.Helper()
	b := browsertest.Open(t, k.url, browsertest.Options{})
	b.Go("/officer/login")
	k.signIn(t, b, locale.TH, who)
	b.In(".site-head").See(name)
	return b
}

// A look-up that is refused leaves a message, never a page within the form.
func TestRefusedLookUpInABrowser(t *testing.T) {
	k := newKit(t)
	b := k.enter(t, chief12, "วิชัย")
	b.Go("/ko1/rights/consider")
	b.Click("เพิ่มเจ้าหน้าที่")
	form := b.In("#dialog")
	form.Fill("[name=citizen]", without)
	form.In("#found").See("ปิติ ใจดี")
	head := k.appointmentOf(t, chief12)
	must(k.book.EndAppointment(t.Context(), k.who[admin1], head.ID, grant.Ending{Reason: "ย้าย", LeavesNone: true}))(t)
	form.Fill("[name=citizen]", approves)
	form.See(must(Texts())(t).Text(locale.TH, "parts.failed", nil))
	if text := b.Text("#found"); text != "" {
		t.Errorf("the form shows %q", text)
	}
}

// A person found by his ID stays found while other filters change, until something else is typed in his place.
func TestPersonFoundInABrowser(t *testing.T) {
	k := newKit(t)
	for who, name := range map[string]string{auditor: "ยุติธรรม", chief12: "วิชัย"} {
		b := k.enter(t, who, name)
		b.Go("/ko1/rights")
		rows := b.In(".grid-table tbody")
		b.Fill("#filter-citizen", considers)
		rows.NotSee("อนุชา")
		rows.See("สุดา")
		b.Select("#filter-level", "1 พิจารณา")
		rows.See("สุดา")
		b.Select("#filter-state", "มีผล")
		rows.See("สุดา")
		rows.NotSee("อนุชา", "ยังไม่ได้สมัคร")
		b.Fill("#filter-citizen", "")
		b.Select("#filter-level", "(ทั้งหมด)")
		rows.See("สุดา", "อนุชา")
	}
}

// With one unit there is nothing to choose before the citizen ID, so the form begins there.
func TestFirstFieldInABrowser(t *testing.T) {
	k := newKit(t)
	b := k.enter(t, chief12, "วิชัย")
	const field = "#field-citizen"
	b.Go("/ko1/rights/consider")
	b.Click("เพิ่มเจ้าหน้าที่")
	b.In("#dialog").See("เจ้าหน้าที่ผู้ใช้งาน")
	b.Text(field + ":focus")
	b.Go("/ko1/rights/consider/new")
	b.Text(field + ":focus")
	two := grant.AppointmentOrder{Unit: "TH-14", Post: grant.Head, Kind: grant.Acting, Person: k.who[chief12], OrderNumber: "1", LastDay: in20Days(k)}
	proposed := must(k.book.Propose(t.Context(), k.who[admin1], two))(t)
	must(k.book.ConfirmAppointment(t.Context(), k.who[admin2], proposed.ID))(t)
	b.Go("/ko1/rights/consider")
	b.Click("เพิ่มเจ้าหน้าที่")
	b.Text("#dialog [name=unit]:focus")
}

package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/thai"
)

// in20Days is the last day that the tests appoint until.
func in20Days(k *kit) thai.Date { return thai.DateOf(k.Clock.Now()).AddDays(20) }

// acting proposes somebody as acting head of นนทบุรี.
func (k *kit) acting(t *testing.T, by, who string) grant.Appointment {
	t.Helper()
	return must(k.book.Propose(t.Context(), k.who[by], grant.AppointmentOrder{
		Unit: "TH-12", Post: grant.Head, Kind: grant.Acting, Person: k.who[who], OrderNumber: "นบ 12/2569", Note: "ช่วงลาพัก", LastDay: in20Days(k),
	}))(t)
}

// rightForChief proposes level 3 in นนทบุรี for its chief.
func (k *kit) rightForChief(t *testing.T) grant.Grant {
	t.Helper()
	return must(k.book.Give(t.Context(), k.who[admin1], grant.Order{Unit: "TH-12", Level: grant.Approve, Person: k.who[chief12], OrderNumber: "อก 7/2569"}))(t)
}

// appointmentOf answers the appointment by which somebody is what he is now.
func (k *kit) appointmentOf(t *testing.T, who string) grant.Held {
	t.Helper()
	all := must(k.book.Appointments(t.Context(), k.who[admin1], grant.AppointmentFilter{}))(t)
	for _, h := range all.List {
		if h.Person == k.who[who] {
			return h
		}
	}
	t.Fatalf("%s holds no post", who)
	return grant.Held{}
}

// proposal finds the id of the one proposal in the list.
func (k *kit) proposal(t *testing.T) string {
	t.Helper()
	all := must(k.book.Appointments(t.Context(), k.who[admin1], grant.AppointmentFilter{}))(t)
	for _, h := range all.List {
		if h.ConfirmedAt.IsZero() {
			return h.ID
		}
	}
	t.Fatal("nothing is proposed")
	return ""
}

// dashed is a citizen ID as people type it.
func (k *kit) dashed(t *testing.T, citizen string) string {
	t.Helper()
	return k.citizen(t, citizen).Dashed()
}

// TestAppointmentPages opens every page in both languages, as a page and as a dialog.
func TestAppointmentPages(t *testing.T) {
	k := newKit(t)
	proposed, right, chief := k.acting(t, admin1, considers), k.rightForChief(t), k.appointmentOf(t, chief12)
	pages := []struct{ who, path, th, en string }{
		{admin2, "/admin/appointments", "รอท่านตรวจสอบและยืนยัน", "Waiting for your confirmation"},
		{admin1, "/admin/appointments", "รอผู้อื่นยืนยัน", "Waits for another"},
		{auditor, "/admin/appointments", "ข้อเสนอที่รอการยืนยัน", "Proposals waiting for confirmation"},
		{admin2, "/admin/appointments?state=all&post=head&sort=-until", "วิชัย", "วิชัย"},
		{admin1, "/admin/appointments/new", "ลักษณะการแต่งตั้ง", "Kind of appointment"},
		{admin1, "/admin/appointments/new?unit=TH-14", `value="TH-14" selected`, `value="TH-14" selected`},
		{admin2, "/admin/appointments/" + proposed.ID, "ยืนยันการแต่งตั้ง", "Confirm"},
		{admin1, "/admin/appointments/" + proposed.ID, "ผู้เสนอและผู้ยืนยันต้องเป็นคนละคนกัน", "two different persons"},
		{auditor, "/admin/appointments/" + proposed.ID, "รักษาราชการแทนหัวหน้าหน่วยงาน", "Acting head of unit"},
		{admin2, "/admin/appointments/" + proposed.ID + "/decline", "ไม่ยืนยันข้อเสนอ", "Do not confirm the proposal"},
		{admin1, "/admin/appointments/" + proposed.ID + "/decline", "ถอนข้อเสนอ", "Withdraw the proposal"},
		{admin1, "/admin/appointments/" + chief.ID + "/end", "นนทบุรี จะไม่มีหัวหน้าหน่วยงาน", "without a head"},
		{admin1, "/admin/head-rights/new?appointment=" + chief.ID, "หัวหน้าหน่วยงานให้สิทธิ์แก่ตนเองไม่ได้", "cannot give rights to themselves"},
		{admin2, "/admin/grants/" + right.ID + "/second", "ยืนยันสิทธิ์", "Confirm the right"},
		{admin2, "/admin/grants/" + right.ID + "/decline", "สิทธิ์ที่เสนอให้", "The right proposed for"},
		{chief12, "/ko1/deputies", "รอการยืนยัน", "To be confirmed"},
		{chief12, "/ko1/deputies?state=all", "ซ่อนที่สิ้นสุดแล้ว", "Hide ended ones"},
		{chief12, "/ko1/deputies/new", "วันสุดท้ายที่รักษาราชการแทน", "Last day of acting"},
	}
	browsers := map[string]*browser{}
	for _, page := range pages {
		b, ok := browsers[page.who]
		if !ok {
			b = k.as(t, page.who)
			browsers[page.who] = b
		}
		b.in(locale.TH).fragment("").get(page.path).wants(http.StatusOK, page.th, `lang="th"`)
		b.in(locale.EN).get(page.path).wants(http.StatusOK, page.en, `lang="en"`)
		b.fragment("dialog").get(page.path).wants(http.StatusOK, page.en, "data-dialog-content")
	}
	// No page of the centre shows a whole citizen ID.
	for _, page := range pages[:5] {
		b := browsers[page.who].fragment("")
		b.get(page.path).lacks(k.dashed(t, considers), k.dashed(t, chief12), considers)
	}
}

// TestAppointmentByTwo walks the way of an appointment from the form to the right to give rights, and to its end.
func TestAppointmentByTwo(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		first, second := k.as(t, admin1), k.as(t, admin2)
		saved := first.post("/admin/appointments/new", "post", "head", "kind", "regular", "unit", "TH-14", "citizen", k.dashed(t, without),
			"order_number", "อก 0301/99", "note", "แทนผู้เกษียณ")
		page := saved.follow().wants(http.StatusOK, "เสนอ ปิติ ใจดี เป็นหัวหน้าหน่วยงาน แล้ว", "อก 0301/99", "is-new", "รอผู้อื่นยืนยัน")
		page.lacks("รอท่านตรวจสอบ")
		id := k.proposal(t)
		path := "/admin/appointments/" + id

		// It gives nothing yet, and who proposed it can not confirm it.
		if k.book.Posts(k.who[without]).Heads != nil {
			t.Error("a proposal made a head")
		}
		first.get(path).wants(http.StatusOK).lacks(path + "/confirm")
		first.post(path+"/confirm").wants(http.StatusForbidden, "ท่านยืนยันรายการที่ท่านเสนอเองไม่ได้", "ต้องเป็นคนละคนกัน")

		second.get("/admin/appointments").wants(http.StatusOK, "รอท่านตรวจสอบและยืนยัน", path)
		second.get(path).wants(http.StatusOK, path+"/confirm", "แทนผู้เกษียณ", "สมหญิง ระบบดี")
		second.post(path+"/confirm").follow().wants(http.StatusOK, "ยืนยันแล้ว ปิติ ใจดี เป็นหัวหน้าหน่วยงาน")
		if heads := k.book.Posts(k.who[without]).Heads; len(heads) != 1 || heads[0] != "TH-14" {
			t.Errorf("head of %v, want TH-14", heads)
		}
		k.keep(t, without, kitKey) // a head needs one
		k.as(t, without).get("/ko1/deputies").wants(http.StatusOK, "อก 0301/99")

		// Once more, by either, is told and changes nothing.
		second.post(path+"/confirm").wants(http.StatusConflict, "มีผู้ดำเนินการ")
		second.get(path + "/decline").wants(http.StatusConflict)
		second.post(path+"/decline", "reason", "ช้าไป").wants(http.StatusConflict)

		// The end: a reason, and the word that nobody is left.
		first.post(path+"/end", "reason", "").wants(http.StatusUnprocessableEntity, "กรุณายืนยันว่าท่านทราบ")
		first.post(path+"/end", "reason", "ย้าย").wants(http.StatusUnprocessableEntity, "กรุณายืนยันว่าท่านทราบ", "ย้าย")
		first.post(path+"/end", "reason", "ย้าย", "leaves_none", "yes").follow().wants(http.StatusOK, "ยุติการแต่งตั้ง ปิติ ใจดี")
		if k.book.Posts(k.who[without]).Heads != nil {
			t.Error("still head after the end")
		}
		second.post(path+"/end", "reason", "อีกครั้ง", "leaves_none", "yes").wants(http.StatusConflict, "สิ้นสุดไปก่อนแล้ว")
		first.get(path).wants(http.StatusOK, "สิ้นสุดแล้ว", "ย้าย", "ประเสริฐ ดูแลงาน")
		first.get("/admin/appointments").lacks("อก 0301/99")
		first.get("/admin/appointments?state=ended").wants(http.StatusOK, "อก 0301/99")
	})
}

// TestAppointmentForm shows the form again with what was typed and what is wrong, and who is behind the ID.
func TestAppointmentForm(t *testing.T) {
	k := newKit(t)
	b := k.as(t, admin1)
	const path = "/admin/appointments/new"
	for name, test := range map[string]struct {
		status int
		words  []string
		form   []string
	}{
		"nothing": {http.StatusUnprocessableEntity, []string{"กรุณาเลือกว่าจะแต่งตั้งเป็นอะไร", "กรุณากรอกเลขที่คำสั่ง"}, []string{"note", "จำไว้"}},
		"no unit": {http.StatusUnprocessableEntity, []string{"กรุณาเลือกหน่วยงาน", "คำสั่ง 5", "ปิติ"},
			[]string{"post", "head", "kind", "regular", "citizen", without, "order_number", "คำสั่ง 5"}},
		"acting for ever": {http.StatusUnprocessableEntity, []string{"การรักษาราชการแทนต้องมีวันสิ้นสุด"},
			[]string{"post", "head", "kind", "acting", "unit", "TH-12", "citizen", without, "order_number", "5"}},
		"day that is none": {http.StatusUnprocessableEntity, []string{"ปีนั้นไม่มีวันที่ 29 กุมภาพันธ์", "29/02/2570"},
			[]string{"post", "auditor", "citizen", without, "order_number", "5", "last_day", "29/02/2570"}},
		"end in the past": {http.StatusUnprocessableEntity, []string{"has-error", "01/01/2560"},
			[]string{"post", "auditor", "citizen", without, "order_number", "5", "last_day", "01/01/2560"}},
		"not registered": {http.StatusUnprocessableEntity, []string{"ยังไม่ได้สมัคร"},
			[]string{"post", "head", "kind", "regular", "unit", "TH-12", "citizen", unknown, "order_number", "5"}},
		"himself": {http.StatusForbidden, []string{"ของตนเองไม่ได้"},
			[]string{"post", "auditor", "citizen", admin1, "order_number", "5"}},
		"holds it": {http.StatusConflict, []string{"ดำรงตำแหน่งนี้อยู่แล้ว", "5/2569"},
			[]string{"post", "head", "kind", "regular", "unit", "TH-12", "citizen", chief12, "order_number", "5/2569"}},
		"unit that is none": {http.StatusUnprocessableEntity, []string{"ไม่มีหน่วยงานนี้"},
			[]string{"post", "head", "kind", "regular", "unit", "TH-99", "citizen", without, "order_number", "5"}},
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			b.post(path, test.form...).wants(test.status, append(test.words, "data-error-summary")...)
		})
	}
	b.t = t

	// The script gets the person alone, a browser without scripts the form.
	b.fragment("lookup").post("/admin/appointments/person", "post", "head", "unit", "TH-14", "citizen", without).
		wants(http.StatusOK, "ปิติ", "ซึ่งไม่ใช่หน่วยงานที่จะได้รับแต่งตั้ง").lacks("<html", "ปิติ ใจดี")
	b.fragment("").post("/admin/appointments/person", "post", "head", "unit", "TH-12", "citizen", without, "note", "จำไว้").
		wants(http.StatusOK, "<html", "ปิติ", "จำไว้").lacks("data-error-summary")
	b.post("/admin/appointments/person", "citizen", "1234567890123").wants(http.StatusOK, "หลักสุดท้าย")
	k.as(t, auditor).post("/admin/appointments/person", "citizen", without).wants(http.StatusForbidden)
}

// TestDeputy has a chief propose his deputy, take one back, and shows that he can do nothing else.
func TestDeputy(t *testing.T) {
	k := newKit(t)
	chief, centre := k.as(t, chief12), k.as(t, admin1)
	last := in20Days(k).Numeric("th")
	form := []string{"unit", "TH-12", "person", string(k.who[considers]), "order_number", "นบ 3/2569", "last_day", last}
	chief.post("/ko1/deputies/new", form...).follow().wants(http.StatusOK, "สุดา พิจารณา", "รอการยืนยัน", "ถอนข้อเสนอ", "is-new")
	chief.post("/ko1/deputies/new", form...).wants(http.StatusConflict, "มีข้อเสนอที่รอการยืนยันอยู่", last)
	id := k.proposal(t)

	// He can not confirm, nor can another chief touch it.
	chief.post("/admin/appointments/" + id + "/confirm").wants(http.StatusForbidden)
	other := k.as(t, chief13)
	other.get("/ko1/deputies").wants(http.StatusOK).lacks("สุดา", "นบ 3/2569")
	other.post("/ko1/deputies/" + id + "/withdraw").wants(http.StatusForbidden)
	other.get("/admin/appointments/" + id).wants(http.StatusForbidden)
	other.post("/ko1/deputies/new", form...).wants(http.StatusForbidden, "ท่านเสนอแต่งตั้งรายการนี้ไม่ได้")
	other.fragment("lookup").post("/ko1/deputies/person", "unit", "TH-12", "citizen", considers).wants(http.StatusOK).lacks("สุดา")
	other.get("/ko1/deputies/no-such/withdraw").wants(http.StatusMethodNotAllowed)
	other.fragment("").post("/ko1/deputies/no-such/withdraw").wants(http.StatusForbidden)
	k.as(t, considers).get("/ko1/deputies").wants(http.StatusForbidden)

	chief.post("/ko1/deputies/"+id+"/withdraw").follow().wants(http.StatusOK, "ถอนข้อเสนอเกี่ยวกับ สุดา พิจารณา แล้ว").lacks("นบ 3/2569")
	chief.post("/ko1/deputies/" + id + "/withdraw").wants(http.StatusConflict)

	// Whoever he is, a deputy has an end and is not the chief himself.
	chief.post("/ko1/deputies/new", "unit", "TH-12", "citizen", considers, "order_number", "1").wants(http.StatusUnprocessableEntity, "ต้องมีวันสิ้นสุด")
	chief.post("/ko1/deputies/new", "unit", "TH-12", "citizen", chief12, "order_number", "1", "last_day", last).wants(http.StatusForbidden, "ของตนเองไม่ได้", last)
	// What he may choose is the deputy alone: post and kind are not his to name.
	chief.post("/ko1/deputies/new", append(form, "post", "administrator", "kind", "regular")...).follow().wants(http.StatusOK, "รักษาราชการแทน")

	id = k.proposal(t)
	centre.post("/admin/appointments/"+id+"/confirm").follow().wants(http.StatusOK, "รักษาราชการแทนหัวหน้าหน่วยงาน")
	k.keep(t, considers, kitKey) // who stands in for a head needs one, too
	deputy := k.as(t, considers)
	deputy.get("/ko1/deputies").wants(http.StatusOK, "วิชัย นนทบุรี", "สุดา พิจารณา")
	k.later(21 * 24 * time.Hour)
	k.as(t, considers).get("/ko1/deputies").wants(http.StatusForbidden)
}

// TestDecline refuses a proposal with a reason; who made it takes it back without one.
func TestDecline(t *testing.T) {
	k := newKit(t)
	first, second := k.as(t, admin1), k.as(t, admin2)
	path := "/admin/appointments/" + k.acting(t, admin1, considers).ID
	second.post(path+"/decline", "reason", " ").wants(http.StatusUnprocessableEntity, "data-error-summary")
	second.post(path+"/decline", "reason", "ชื่อไม่ตรง").follow().wants(http.StatusOK, "ไม่ยืนยันข้อเสนอเกี่ยวกับ สุดา พิจารณา แล้ว")
	second.get(path).wants(http.StatusOK, "ชื่อไม่ตรง", "ไม่ได้รับการยืนยัน").lacks("/confirm")

	path = "/admin/appointments/" + k.acting(t, admin1, considers).ID
	first.post(path+"/decline").follow().wants(http.StatusOK, "ถอนข้อเสนอเกี่ยวกับ สุดา พิจารณา แล้ว")
	second.post(path+"/confirm").wants(http.StatusConflict, "ถอนข้อเสนอแล้ว")
	second.get("/admin/appointments/no-such").wants(http.StatusNotFound, "ไม่พบการแต่งตั้งนี้")

	// A proposal whose days are over can not be confirmed.
	path = "/admin/appointments/" + k.acting(t, admin1, considers).ID
	k.later(21 * 24 * time.Hour)
	k.as(t, admin2).post(path+"/confirm").wants(http.StatusConflict, "เลยวันสิ้นสุด", "ครบกำหนดแล้ว")
}

// TestHeadRight has two administrators give a right to a head.
func TestHeadRight(t *testing.T) {
	k := newKit(t)
	first, second := k.as(t, admin1), k.as(t, admin2)
	chief := k.appointmentOf(t, chief12)
	const path = "/admin/head-rights/new"
	first.post(path, "form", store.NewID(), "order_number", "จำไว้").wants(http.StatusUnprocessableEntity, "กรุณาเลือกหัวหน้าหน่วยงาน", "กรุณาเลือกระดับ", "จำไว้")
	first.post(path, "form", store.NewID(), "appointment", chief.ID, "level", "review").wants(http.StatusUnprocessableEntity, "data-error-summary")
	form := []string{"form", store.NewID(), "appointment", chief.ID, "level", "approve", "order_number", "อก 7/2569"}
	first.post(path, form...).follow().wants(http.StatusOK, "เสนอสิทธิ์อนุมัติให้ วิชัย นนทบุรี แล้ว", "รอผู้อื่นยืนยัน", "สิทธิ์ระดับ 3 อนุมัติ")
	first.post(path, form...).follow().wants(http.StatusOK) // the Back button: still one
	form[1] = store.NewID()
	first.post(path, form...).wants(http.StatusConflict, "อก 7/2569")
	seconds := must(k.book.Appointments(t.Context(), k.who[admin2], grant.AppointmentFilter{}))(t).Seconds
	if len(seconds) != 1 {
		t.Fatalf("%d rights wait, want 1", len(seconds))
	}
	right := "/admin/grants/" + seconds[0].ID
	second.get("/admin/appointments").wants(http.StatusOK, right+"/second")
	first.post(right+"/second").wants(http.StatusForbidden, "ท่านยืนยันรายการที่ท่านเสนอเองไม่ได้")
	k.as(t, chief12).post(right + "/second").wants(http.StatusForbidden)
	second.post(right+"/second").follow().wants(http.StatusOK, "ยืนยันแล้ว วิชัย นนทบุรี มีสิทธิ์อนุมัติ")
	second.post(right+"/second").wants(http.StatusConflict, "มีผู้ดำเนินการ")
	second.post(right+"/decline", "reason", "ช้าไป").wants(http.StatusConflict)
	if !k.book.Allows(k.who[chief12], grant.DoApprove, grant.Place{Unit: "TH-12"}) {
		t.Error("the confirmed right gives nothing")
	}

	// Declined with a reason.
	form[5] = "consider"
	form[1] = store.NewID()
	first.post(path, form...).follow()
	right = "/admin/grants/" + must(k.book.Appointments(t.Context(), k.who[admin2], grant.AppointmentFilter{}))(t).Seconds[0].ID
	second.post(right+"/decline", "reason", "").wants(http.StatusUnprocessableEntity, "data-error-summary")
	second.post(right+"/decline", "reason", "ไม่มีในคำสั่ง").follow().wants(http.StatusOK, "ไม่ยืนยันข้อเสนอเกี่ยวกับ วิชัย นนทบุรี แล้ว")
	second.get(right + "/decline").wants(http.StatusConflict)
	second.get("/admin/grants/no-such/second").wants(http.StatusNotFound)

	// Withdrawn by who proposed it.
	form[1] = store.NewID()
	first.post(path, form...).follow()
	right = "/admin/grants/" + must(k.book.Appointments(t.Context(), k.who[admin2], grant.AppointmentFilter{}))(t).Seconds[0].ID
	first.get("/admin/appointments").wants(http.StatusOK, right+"/decline")
	first.get(right+"/decline").wants(http.StatusOK, "ถอนข้อเสนอ")
	first.post(right+"/decline", "reason", "กรอกผิด").follow().wants(http.StatusOK, "ถอนข้อเสนอเกี่ยวกับ วิชัย นนทบุรี แล้ว")
	second.post(right + "/second").wants(http.StatusConflict)
}

// TestAppointmentEnds keeps two administrators, and warns where the last head goes.
func TestAppointmentEnds(t *testing.T) {
	k := newKit(t)
	b := k.as(t, admin1)
	admin := "/admin/appointments/" + k.appointmentOf(t, admin2).ID
	b.post(admin+"/end", "reason", "ลาออก").wants(http.StatusConflict, "อย่างน้อยสองคน", "ลาออก")
	chief := "/admin/appointments/" + k.appointmentOf(t, chief12).ID
	b.get(chief+"/end").wants(http.StatusOK, "leaves_none")
	id := k.acting(t, chief12, considers).ID
	check(t, func() error { _, err := k.book.ConfirmAppointment(t.Context(), k.who[admin1], id); return err }())
	b.get(chief+"/end").wants(http.StatusOK, "จะเหลือหัวหน้าหน่วยงาน 1 คน").lacks("leaves_none")
	b.post(chief+"/end", "reason", "ย้าย").follow().wants(http.StatusOK, "ยุติการแต่งตั้ง วิชัย นนทบุรี")
	b.get("/admin/appointments").wants(http.StatusOK, "/admin/appointments/new?unit=TH-14").lacks("/admin/appointments/new?unit=TH-12")
	reader := k.as(t, auditor)
	reader.get("/admin/appointments").wants(http.StatusOK).lacks("/admin/appointments/new", "/end", "/admin/head-rights/new")
	reader.get(chief).wants(http.StatusOK, "ย้าย").lacks("/end")
	reader.get(chief + "/end").wants(http.StatusForbidden)
}

// TestAppointmentGrid filters, searches and sorts by what stands in the address.
func TestAppointmentGrid(t *testing.T) {
	k := newKit(t)
	b := k.as(t, admin1).fragment("grid")
	ids := map[string]string{}
	for _, who := range []string{chief12, director, auditor} {
		ids[who] = k.appointmentOf(t, who).ID
	}
	all := []string{chief12, director, auditor}
	for query, want := range map[string][]string{
		"":             all,
		"unit=TH-12":   {chief12},
		"post=auditor": {auditor},
		"q=" + url.QueryEscape("กากอุต"):   {director},
		"name=" + url.QueryEscape("วิชัย"): {chief12},
		"order=0301&post=head":             {chief12, director},
		"state=ended":                      nil,
		"state=holds&unit=IWM":             {director},
		"state=nonsense&unit=IWM":          {director},
		"state=all":                        all,
		"unit=no-such":                     nil,
		"page=99":                          all,
	} {
		page := b.get("/admin/appointments?" + query).wants(http.StatusOK).lacks("<html")
		for _, who := range all {
			if shown := strings.Contains(page.body, `"/admin/appointments/`+ids[who]+`"`); shown != slices.Contains(want, who) {
				t.Errorf("%q shows %s: %v", query, who, shown)
			}
		}
	}
	const office, chiefs = "กิตติ", "วิชัย"
	up, down := b.get("/admin/appointments?sort=name").body, b.get("/admin/appointments?sort=-name").body
	if before(up, office, chiefs) == before(down, office, chiefs) {
		t.Error("the order does not turn round")
	}
}

func before(body, first, second string) bool {
	return strings.Index(body, first) < strings.Index(body, second)
}

package web

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"sitthi/grant"
	"sitthi/internal/thai"
)

// A head asks why, of one of his officers, now and of a day past, and an officer of himself.
func TestWhyInABrowser(t *testing.T) {
	eachReader(t, func(t *testing.T, k *kit, r readerOf) {
		k.Clock.Advance(50 * time.Hour)
		page, err := k.book.Grid(t.Context(), k.who[chief12], grant.Filter{Person: k.who[considers]})
		check(t, err)
		must(k.book.Revoke(t.Context(), k.who[chief12], page.Rows[0].ID, grant.Ending{Reason: "ย้ายไปปฏิบัติราชการที่ปทุมธานี", LeavesNone: true}))(t)
		k.Clock.Advance(time.Hour)

		b := r.enter(t, k, chief12, "วิชัย")
		b.Go(rightsPath)
		r.look(b, "why-from-rights")
		b.In("#main").Click(r.say(t, "why.title"))
		b.See(r.say(t, "why.ask"))
		r.look(b, "why-empty")
		b.Press(r.say(t, "why.submit"))
		b.See(r.say(t, "grant.citizen_missing"), r.say(t, "why.time_hint"))
		r.look(b, "why-nothing")
		b.Fill("[name=citizen]", considers)
		b.Fill("[name=time]", "25.00")
		b.Press(r.say(t, "why.submit"))
		b.See(r.say(t, "why.time_wrong"))
		b.Fill("[name=time]", "")
		b.Press(r.say(t, "why.submit"))
		b.See(r.say(t, "why.no", "reason", r.say(t, "why.because_ended")), "ย้ายไปปฏิบัติราชการที่ปทุมธานี", r.say(t, "why.next_ended"))
		if strings.Contains(b.Path(), considers) {
			t.Errorf("the ID stands in the address %s", b.Path())
		}
		r.look(b, "why-no")
		b.Fill("[name=day]", thaiOr(r.lang, "24/11/2569", "24/11/2026"))
		b.Press(r.say(t, "why.submit"))
		b.See(r.say(t, "why.past"), r.say(t, "why.open_permitted"))
		b.NotSee("ย้ายไปปฏิบัติราชการที่ปทุมธานี")
		r.look(b, "why-yes-then")
		b.Click(r.say(t, "why.see_right"))
		b.See(r.say(t, "rights.right_title"))
		r.look(b, "why-right")

		officer := r.enter(t, k, without, "ปิติ")
		officer.Go("/my/rights")
		officer.In("#main").Click(r.say(t, "why.title"))
		officer.Select("[name=place]", thaiOr(r.lang, "ปทุมธานี", "Pathum Thani"))
		officer.Press(r.say(t, "why.submit"))
		officer.See(r.say(t, "why.no", "reason", r.say(t, "why.because_no_right")), r.say(t, "why.next_no_right"))
		r.look(officer, "why-own")
	})
}

// made is a citizen ID that belongs to nobody.
func made(n int) string {
	digits := fmt.Sprintf("39900005%04d", n)
	for last := range 10 {
		if id := digits + strconv.Itoa(last); thai.ValidCheckDigit(id) {
			return id
		}
	}
	return digits
}

// A head lists who could do what on a day, and prints it for the file.
func TestAsOfInABrowser(t *testing.T) {
	eachReader(t, func(t *testing.T, k *kit, r readerOf) {
		for i := range 40 { // more than one sheet
			who := k.register(t, made(i), "สมชายคนที่"+string(rune('ก'+i)), "ใจดี", "TH-12")
			level := []grant.Level{grant.Consider, grant.Approve}[i%2]
			k.give(t, chief12, grant.Order{Unit: "TH-12", Level: level, Person: who, OrderNumber: fmt.Sprintf("คำสั่ง สอจ.นบ. ที่ %d/2569", i)})
		}
		b := r.enter(t, k, chief12, "วิชัย")
		b.Go(rightsPath)
		b.In("#main").Click(r.say(t, "asof.link"))
		b.See(r.say(t, "asof.level", "level", thaiOr(r.lang, "1 พิจารณา", "1 consider")), "3-9900-00000-20-1", r.say(t, "asof.count", "n", 42))
		r.look(b, "asof-now")
		if sheets := b.Print("asof-" + r.name); sheets < 2 {
			t.Errorf("%d sheets", sheets)
		}
		b.Fill("[name=day]", thaiOr(r.lang, "1/10/2569", "1/10/2026"))
		b.Press(r.say(t, "asof.show"))
		b.See(r.say(t, "asof.none_text"))
		r.look(b, "asof-none")
		b.Print("asof-none-" + r.name)

		reader := r.enter(t, k, auditor, "ยุติธรรม")
		reader.Go(asOfPath)
		r.look(reader, "asof-choose")
		reader.Select("[name=unit]", thaiOr(r.lang, "กองบริหารจัดการกากอุตสาหกรรม", "Industrial Waste Management Division"))
		reader.Press(r.say(t, "asof.show"))
		reader.See(thaiOr(r.lang, "กลุ่มหนึ่ง", "consider"), "3-9900-XXXXX-XX-7")
		r.look(reader, "asof-division")
	})
}

package grant

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

func TestGive(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()

		t.Run("to an officer of the own office", func(t *testing.T) {
			who := k.officer(t, "TH-12")
			o := to(who, "TH-12", Consider)
			o.OrderNumber, o.Note, o.OtherOffice = "นบ 0033/๑๒", "ช่วงเร่งด่วน", false
			g := k.give(t, k.chief12, o)
			if !k.may(t, who, Consider, "TH-12") {
				t.Fatal("the right has no effect")
			}
			for _, no := range []struct {
				level Level
				unit  string
			}{{Review, "TH-12"}, {Approve, "TH-12"}, {Consider, "TH-13"}, {Consider, "IWM"}, {Consider, ""}} {
				if k.may(t, who, no.level, no.unit) {
					t.Errorf("the right opens level %d in %q", no.level, no.unit)
				}
			}
			s := k.see(t, g.ID)
			if s.State != StateActive || s.Number != g.Number || s.OtherOffice || s.OrderNumber != o.OrderNumber || !s.From.Equal(env.Clock.Now()) {
				t.Errorf("kept as %+v", s.Grant)
			}
			e := k.recorded(t, audit.Query{Object: g.ID})
			if e.Name != "grant.give" || e.Actor != string(k.chief12) || e.Subject != string(who) || e.Unit != "TH-12" ||
				e.Detail["level"] != "1" || e.Texts["note"] != o.Note || e.Texts["order_number"] != o.OrderNumber {
				t.Errorf("recorded as %+v", e)
			}
			if got := k.told(t, who); got != "grant.given" {
				t.Errorf("told %q", got)
			}
			for _, words := range []string{"พิจารณา", "นนทบุรี", "23 พฤศจิกายน 2569", "ไม่มีกำหนดสิ้นสุด", link("/my/rights")} {
				if text := k.message(t, who); !strings.Contains(text, words) {
					t.Errorf("told without %q: %s", words, text)
				}
			}
		})

		t.Run("needs the word that the giver knows him, once", func(t *testing.T) {
			who := k.officer(t, "TH-12")
			_, err := k.book.Give(ctx, k.chief12, Order{Unit: "TH-12", Level: Consider, Person: who})
			k.refused(t, err, problem.Invalid, "grant.confirm_identity", k.chief12)
			k.give(t, k.chief12, Order{Unit: "TH-12", Level: Consider, Person: who, Confirmed: true})
			k.give(t, k.chief12, Order{Unit: "TH-12", Level: Approve, Person: who})
			if n := k.count(t, `SELECT count(*) FROM confirmations WHERE person_id = $1`, who); n != 1 {
				t.Errorf("%d confirmations", n)
			}
			if e := k.recorded(t, audit.Query{Act: "grant.confirm", Subject: string(who)}); e.Actor != string(k.chief12) {
				t.Errorf("recorded as %+v", e)
			}
		})

		t.Run("to an officer of another office", func(t *testing.T) {
			who := k.officer(t, "TH-13")
			// By name only those of the unit can be chosen: otherwise whoever has an id could learn the citizen ID.
			_, err := k.book.Give(ctx, k.chief12, to(who, "TH-12", Consider))
			checkProblem(t, err, problem.NotFound, "problem.person_unknown")
			_, err = k.book.Give(ctx, k.chief12, k.byID(t, Order{Unit: "TH-12", Level: Consider, Person: who, Confirmed: true}))
			k.refused(t, err, problem.Invalid, "grant.confirm_other_office", k.chief12)
			g := k.give(t, k.chief12, to(who, "TH-12", Consider))
			if s := k.see(t, g.ID); !s.OtherOffice || !k.may(t, who, Consider, "TH-12") || k.may(t, who, Consider, "TH-13") {
				t.Errorf("kept as %+v", s.Grant)
			}
		})

		t.Run("to an ID without an account", func(t *testing.T) {
			id := k.citizen(t)
			g := k.give(t, k.chief12, Order{Unit: "TH-12", Level: Approve, Citizen: id})
			if s := k.see(t, g.ID); s.State != StatePending || s.Registered || k.may(t, g.Person, Approve, "TH-12") {
				t.Fatalf("kept as %+v", s)
			}
			if who := k.register(t, id, officer.Account{Unit: "TH-12"}); who != g.Person || k.may(t, who, Approve, "TH-12") {
				t.Fatal("registering alone opened the right")
			}
			if got := k.told(t, k.chief12); !strings.HasSuffix(got, "grant.pending") {
				t.Fatalf("the head was told %q", got)
			}
		})

		t.Run("the same form twice is one grant", func(t *testing.T) {
			o := to(k.officer(t, "TH-12"), "TH-12", Consider)
			o.Form = store.NewID()
			first := k.give(t, k.chief12, o)
			entries := k.count(t, `SELECT count(*) FROM audit_entries`)
			if second := k.give(t, k.chief12, o); second.ID != first.ID {
				t.Errorf("the form became %v and %v", first, second)
			}
			if n := k.count(t, `SELECT count(*) FROM audit_entries`); n != entries || k.told(t, o.Person) != "grant.given" {
				t.Error("the repetition left a trace")
			}
			_, err := k.book.Give(ctx, k.chief13, Order{Unit: "TH-13", Level: Consider, Person: o.Person, Form: o.Form})
			k.refused(t, err, problem.NotFound, "grant.not_found", k.chief13)
		})

		t.Run("one live grant per place, level and person", func(t *testing.T) {
			who := k.officer(t, "TH-12")
			o := to(who, "TH-12", Consider)
			o.From = today.AddDays(7) // a future grant counts
			k.give(t, k.chief12, o)
			_, err := k.book.Give(ctx, k.chief12, to(who, "TH-12", Consider))
			k.refused(t, err, problem.Conflict, "grant.exists", k.chief12)
			k.give(t, k.chief12, to(who, "TH-12", Approve))
			k.give(t, k.chief13, to(who, "TH-13", Consider))
		})

		t.Run("anew after the end", func(t *testing.T) {
			who := k.officer(t, "TH-12")
			o := to(who, "TH-12", Consider)
			o.LastDay = today
			old := k.give(t, k.chief12, o)
			k.at(t, today.EndExclusive().Add(-time.Microsecond))
			if !k.may(t, who, Consider, "TH-12") || k.see(t, old.ID).State != StateSoon {
				t.Error("the right ended before 23:59:59.999999 of its last day")
			}
			if _, err := k.book.Give(ctx, k.chief12, to(who, "TH-12", Consider)); err == nil {
				t.Error("given twice")
			}
			k.at(t, today.EndExclusive())
			if k.may(t, who, Consider, "TH-12") || k.see(t, old.ID).State != StateExpired {
				t.Error("the right holds on the day after its last")
			}
			fresh := k.give(t, k.chief12, to(who, "TH-12", Consider))
			if fresh.Number <= old.Number || !k.may(t, who, Consider, "TH-12") {
				t.Errorf("the new grant has number %d after %d", fresh.Number, old.Number)
			}
			if s := k.see(t, old.ID); s.State != StateExpired || s.Closing != Expired {
				t.Errorf("the old one is %s, %s", s.State, s.Closing)
			}
		})

		t.Run("from a later day", func(t *testing.T) {
			who := k.officer(t, "TH-12")
			o := to(who, "TH-12", Consider)
			o.From = today.AddDays(3)
			g := k.give(t, k.chief12, o)
			if k.may(t, who, Consider, "TH-12") || k.see(t, g.ID).State != StateFuture {
				t.Error("the right holds before its first day")
			}
			k.at(t, o.From.StartOfDay().Add(-time.Microsecond))
			if k.may(t, who, Consider, "TH-12") {
				t.Error("the right holds before midnight in Bangkok")
			}
			k.at(t, o.From.StartOfDay())
			if !k.may(t, who, Consider, "TH-12") || k.see(t, g.ID).State != StateActive {
				t.Error("the right does not begin at midnight in Bangkok")
			}
		})

		t.Run("in the groups of a division", func(t *testing.T) {
			who, whole := k.officer(t, "IWM"), k.officer(t, "IWM")
			o := to(who, "IWM", Consider)
			o.Team = "G1"
			k.give(t, k.iwm, o)
			k.give(t, k.iwm, to(whole, "IWM", Review))
			for _, c := range []struct {
				who   person.ID
				level Level
				team  string
				want  bool
			}{{who, Consider, "G1", true}, {who, Consider, "G2", false}, {who, Consider, "", false}, {who, Consider, "G9", false},
				{whole, Review, "G1", true}, {whole, Review, "G2", true}, {whole, Review, "", true}, {whole, Consider, "G1", false}} {
				if got := k.may(t, c.who, c.level, "IWM", c.team); got != c.want {
					t.Errorf("level %d in %q: %v", c.level, c.team, got)
				}
			}
			o.Team = "G9"
			_, err := k.book.Give(ctx, k.iwm, o)
			k.refused(t, err, problem.Invalid, "grant.team_unknown", k.iwm)
			team, err := k.desk.AddTeam(ctx, string(k.admins[0]), "IWM", "G3", locale.Name{TH: "กลุ่มเดิม", EN: "Former group"})
			if err != nil {
				t.Fatal(err)
			}
			if err := k.desk.RetireTeam(ctx, string(k.admins[0]), "IWM", "G3", team.Version); err != nil {
				t.Fatal(err)
			}
			o.Team = "G3"
			_, err = k.book.Give(ctx, k.iwm, o)
			k.refused(t, err, problem.Invalid, "grant.team_unknown", k.iwm)
			in12 := to(who, "TH-12", Consider)
			in12.Team = "G1"
			_, err = k.book.Give(ctx, k.chief12, k.byID(t, in12))
			k.refused(t, err, problem.Invalid, "grant.team_not_here", k.chief12)
			_, err = k.book.Give(ctx, k.chief12, k.byID(t, to(who, "TH-12", Review)))
			k.refused(t, err, problem.Invalid, "grant.level_not_used", k.chief12)
		})

		t.Run("to nobody", func(t *testing.T) {
			_, err := k.book.Give(ctx, k.chief12, Order{Unit: "TH-12", Level: Consider})
			k.refused(t, err, problem.Invalid, "grant.citizen_missing", k.chief12)
			_, err = k.book.Give(ctx, k.chief12, to(person.ID(store.NewID()), "TH-12", Consider))
			k.refused(t, err, problem.NotFound, "problem.person_unknown", k.chief12)
		})

		t.Run("by who is no head", func(t *testing.T) {
			for _, by := range []person.ID{k.officer(t, "TH-12"), k.chief13, k.iwm, k.admins[0], k.auditor} {
				_, err := k.book.Give(ctx, by, to(k.officer(t, "TH-12"), "TH-12", Consider))
				k.refused(t, err, problem.Denied, "grant.denied_not_head", by)
			}
			// He learns nothing about the order either, and nobody is put on the roll for it.
			by, id := k.officer(t, "TH-12"), k.citizen(t)
			for _, o := range []Order{{}, {Unit: "TH-12"}, {Unit: "nowhere", Level: 9, Citizen: id}, to("nobody", "TH-12", Consider), to(by, "TH-12", Consider)} {
				_, err := k.book.Give(ctx, by, o)
				k.refused(t, err, problem.Denied, "grant.denied_not_head", by)
			}
			if e := k.recorded(t, audit.Query{Actor: string(by)}); e.Subject != "" && k.count(t, `SELECT count(*) FROM persons WHERE id = $1`, e.Subject) == 0 {
				t.Errorf("the refusal is about %s, whom nobody knows", e.Subject)
			}
		})

		t.Run("to himself", func(t *testing.T) {
			_, err := k.book.Give(ctx, k.chief12, to(k.chief12, "TH-12", Approve))
			k.refused(t, err, problem.Denied, "grant.denied_self", k.chief12)
			var own thai.CitizenID
			k.read(t, func(tx *store.Tx) (err error) {
				own, err = k.roll.CitizenID(ctx, tx, k.chief12)
				return err
			})
			o := to("", "TH-12", Approve)
			o.Citizen = own
			_, err = k.book.Give(ctx, k.chief12, o)
			k.refused(t, err, problem.Denied, "grant.denied_self", k.chief12)
			o.Person = k.officer(t, "TH-12") // a second person in the order is no way around
			_, err = k.book.Give(ctx, k.chief12, o)
			k.refused(t, err, problem.Denied, "grant.denied_self", k.chief12)
		})

		t.Run("deputy to his chief, and the two-person way", func(t *testing.T) {
			unit, chief := k.province(t)
			deputy := k.officer(t, unit)
			k.appoint(t, AppointmentOrder{Post: Head, Kind: Acting, Unit: unit, Person: deputy, LastDay: today.AddDays(30)})
			_, err := k.book.Give(ctx, deputy, to(chief, unit, Approve))
			k.refused(t, err, problem.Denied, "grant.denied_for_head", deputy)
			_, err = k.book.Give(ctx, chief, to(deputy, unit, Approve))
			k.refused(t, err, problem.Denied, "grant.denied_for_head", chief)

			g := k.give(t, k.admins[0], to(chief, unit, Approve))
			if k.may(t, chief, Approve, unit) || k.see(t, g.ID).State != StateSecond {
				t.Fatal("a right for a head holds before the second administrator has confirmed it")
			}
			if !strings.Contains(k.told(t, k.admins[1]), "grant.second") || strings.Contains(k.told(t, k.admins[0]), "grant.second") {
				t.Error("the other administrators were not told")
			}
			_, err = k.book.Second(ctx, k.admins[0], g.ID, true, "")
			k.refused(t, err, problem.Denied, "appoint.denied_own_proposal", k.admins[0])
			for _, by := range []person.ID{chief, deputy, k.auditor, k.chief13} {
				_, err = k.book.Second(ctx, by, g.ID, true, "")
				k.refused(t, err, problem.Denied, "appoint.denied_not_administrator", by)
			}
			if err := k.book.Identify(ctx, deputy, chief, unit, true, ""); err == nil || k.may(t, chief, Approve, unit) {
				t.Error("the deputy's word alone opened a right of his chief")
			}
			if _, err := k.book.Second(ctx, k.admins[1], g.ID, true, ""); err != nil {
				t.Fatal(err)
			}
			if !k.may(t, chief, Approve, unit) || k.see(t, g.ID).State != StateActive {
				t.Error("the confirmed right does not hold")
			}
			_, err = k.book.Second(ctx, k.admins[2], g.ID, true, "")
			k.refused(t, err, problem.Conflict, "grant.already_decided", k.admins[2])

			// Prolonging is giving; the deputy may not do it, nor the chief himself.
			c := Change{LastDay: today.AddDays(5)}
			_, err = k.book.Change(ctx, chief, g.ID, k.see(t, g.ID).Version, c)
			k.refused(t, err, problem.Denied, "grant.denied_self", chief)
			if _, err = k.book.Change(ctx, deputy, g.ID, k.see(t, g.ID).Version, c); err != nil {
				t.Fatal(err) // to shorten takes a right away
			}
			_, err = k.book.Change(ctx, deputy, g.ID, k.see(t, g.ID).Version, Change{})
			k.refused(t, err, problem.Denied, "grant.denied_for_head", deputy)
			k.revoke(t, deputy, g)
			_, err = k.book.Again(ctx, deputy, g.ID, "")
			k.refused(t, err, problem.Denied, "grant.denied_for_head", deputy)
			_, err = k.book.Again(ctx, chief, g.ID, "")
			k.refused(t, err, problem.Denied, "grant.denied_self", chief)
		})

		t.Run("to whom is appointed and has yet to begin", func(t *testing.T) {
			unit, chief := k.province(t)
			successor := k.officer(t, unit)
			before := k.give(t, chief, to(successor, unit, Consider))
			a, err := k.book.Propose(ctx, k.admins[0], AppointmentOrder{Post: Head, Kind: Regular, Unit: unit, Person: successor, OrderNumber: "1/2569", From: today.AddDays(30)})
			if err != nil {
				t.Fatal(err)
			}
			k.revoke(t, chief, k.give(t, chief, to(successor, unit, Approve))) // only proposed, he is an officer like others
			if _, err := k.book.ConfirmAppointment(ctx, k.admins[1], a.ID); err != nil {
				t.Fatal(err)
			}
			_, err = k.book.Give(ctx, chief, to(successor, unit, Approve))
			k.refused(t, err, problem.Denied, "grant.denied_for_head", chief)
			if before, err = k.book.Change(ctx, chief, before.ID, before.Version, Change{LastDay: today.AddDays(60)}); err != nil {
				t.Fatal(err) // to shorten takes a right away
			}
			_, err = k.book.Change(ctx, chief, before.ID, before.Version, Change{})
			k.refused(t, err, problem.Denied, "grant.denied_for_head", chief)
			if !k.may(t, successor, Consider, unit) {
				t.Error("the right he had before is gone")
			}
			g := k.give(t, k.admins[0], to(successor, unit, Approve)) // the centre can see to it before he begins
			if _, err := k.book.Second(ctx, k.admins[1], g.ID, true, ""); err != nil || !k.may(t, successor, Approve, unit) {
				t.Errorf("the centre's right for him: %v", err)
			}
			if _, err := k.book.EndAppointment(ctx, k.admins[0], a.ID, Ending{Reason: "ย้าย", LeavesNone: true}); err != nil {
				t.Fatal(err)
			}
			k.give(t, chief, to(k.officer(t, unit), unit, Approve))
			if _, err := k.book.Change(ctx, chief, before.ID, before.Version, Change{}); err != nil {
				t.Errorf("after the appointment was taken back: %v", err)
			}
		})

		t.Run("administrator who is head himself", func(t *testing.T) {
			unit, _ := k.province(t)
			k.appoint(t, AppointmentOrder{Post: Head, Unit: unit, Person: k.admins[2]})
			_, err := k.book.Give(ctx, k.admins[2], to(k.admins[2], unit, Approve))
			k.refused(t, err, problem.Denied, "grant.denied_self", k.admins[2])
			g := k.give(t, k.admins[0], to(k.admins[2], unit, Approve))
			_, err = k.book.Second(ctx, k.admins[2], g.ID, true, "")
			k.refused(t, err, problem.Denied, "appoint.denied_self", k.admins[2])
			_, err = k.book.Second(ctx, k.admins[1], g.ID, false, "  ")
			k.refused(t, err, problem.Invalid, "grant.reason_missing", k.admins[1])
			if g, err = k.book.Second(ctx, k.admins[1], g.ID, false, "คนเดียวกัน"); err != nil {
				t.Fatal(err)
			}
			if s := k.see(t, g.ID); s.State != StateEnded || s.Closing != Refused || k.may(t, k.admins[2], Approve, unit) {
				t.Errorf("refused, and it is %+v", s)
			}
			if !strings.HasSuffix(k.told(t, k.admins[2]), "grant.refused") {
				t.Error("the head was not told")
			}
		})

		t.Run("a proposal that ran out", func(t *testing.T) {
			unit, chief := k.province(t)
			o := to(chief, unit, Approve)
			o.LastDay = today
			g := k.give(t, k.admins[0], o)
			k.at(t, today.EndExclusive())
			_, err := k.book.Second(ctx, k.admins[1], g.ID, true, "")
			k.refused(t, err, problem.Conflict, "appoint.run_out", k.admins[1])
		})

		t.Run("two heads to each other", func(t *testing.T) {
			one, two := k.officer(t, "TH-12"), k.officer(t, "TH-12")
			k.appoint(t, AppointmentOrder{Post: Head, Unit: "FPD1", Person: one})
			k.appoint(t, AppointmentOrder{Post: Head, Unit: "IEAT", Person: two})
			unit1, _ := k.province(t)
			k.appoint(t, AppointmentOrder{Post: Head, Unit: unit1, Person: one})
			first := k.give(t, two, to(one, "IEAT", Consider))
			if k.see(t, first.ID).Mutual {
				t.Error("flagged before it was mutual")
			}
			second := k.give(t, one, to(two, unit1, Consider))
			if !k.see(t, first.ID).Mutual || !k.see(t, second.ID).Mutual || !second.Mutual {
				t.Error("mutual rights were not flagged")
			}
			if e := k.recorded(t, audit.Query{Object: second.ID}); e.Detail["mutual"] != "true" {
				t.Errorf("recorded as %v", e.Detail)
			}
			_, err := k.book.Give(ctx, one, k.byID(t, to(two, "FPD1", Consider)))
			k.refused(t, err, problem.Invalid, "grant.unit_without_rights", one)
		})

		t.Run("to an account switched off", func(t *testing.T) {
			who := k.officer(t, "TH-12")
			held := k.give(t, k.chief12, to(who, "TH-12", Consider))
			k.switchOff(t, who)
			if k.may(t, who, Consider, "TH-12") || k.see(t, held.ID).State != StateOff {
				t.Error("a right holds for an account that is switched off")
			}
			_, err := k.book.Give(ctx, k.chief12, to(who, "TH-12", Approve))
			k.refused(t, err, problem.Invalid, "grant.account_disabled", k.chief12)
		})

		t.Run("pending rights take effect with the word given for another", func(t *testing.T) {
			id := k.citizen(t)
			pending := k.give(t, k.chief12, Order{Unit: "TH-12", Level: Consider, Citizen: id})
			who := k.register(t, id, officer.Account{Unit: "TH-13"})
			k.give(t, k.chief12, to(who, "TH-12", Approve))
			if s := k.see(t, pending.ID); s.State != StateActive || !s.OtherOffice || !k.may(t, who, Consider, "TH-12") {
				t.Errorf("the pending right is %s, other office %v", s.State, s.OtherOffice)
			}
			if got := k.told(t, who); got != "grant.given grant.given" {
				t.Errorf("told %q", got)
			}
		})
	})
}

func TestRevoke(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()

		t.Run("at once, and kept", func(t *testing.T) {
			who := k.officer(t, "TH-12")
			g := k.give(t, k.chief12, to(who, "TH-12", Consider))
			ended, err := k.book.Revoke(ctx, k.chief12, g.ID, Ending{Reason: "ย้ายไปสระบุรี"})
			if err != nil {
				t.Fatal(err)
			}
			if k.may(t, who, Consider, "TH-12") || ended.Closing != Revoked {
				t.Fatal("the right holds after its end")
			}
			s := k.see(t, g.ID)
			if s.State != StateEnded || s.CloseReason != "ย้ายไปสระบุรี" || s.ClosedBy != string(k.chief12) || !s.ClosedAt.Equal(env.Clock.Now()) {
				t.Errorf("kept as %+v", s.Grant)
			}
			if e := k.recorded(t, audit.Query{Act: "grant.revoke", Object: g.ID}); e.Texts["reason"] != "ย้ายไปสระบุรี" || e.Subject != string(who) || e.Unit != "TH-12" {
				t.Errorf("recorded as %+v", e)
			}
			if got := k.told(t, who); got != "grant.given grant.ended" {
				t.Errorf("told %q", got)
			}
			_, err = k.book.Revoke(ctx, k.chief12, g.ID, Ending{Reason: "อีกครั้ง"})
			k.refused(t, err, problem.Conflict, "grant.already_ended", k.chief12)
		})

		t.Run("needs a reason", func(t *testing.T) {
			g := k.give(t, k.chief12, to(k.officer(t, "TH-12"), "TH-12", Consider))
			for _, reason := range []string{"", "  ", "\u200b\t"} {
				_, err := k.book.Revoke(ctx, k.chief12, g.ID, Ending{Reason: reason})
				k.refused(t, err, problem.Invalid, "grant.reason_missing", k.chief12)
			}
		})

		t.Run("of another unit is absent, and recorded", func(t *testing.T) {
			who := k.officer(t, "TH-12")
			g := k.give(t, k.chief12, to(who, "TH-12", Consider))
			for _, by := range []person.ID{k.chief13, k.admins[0], k.auditor, who} {
				for _, id := range []string{g.ID, store.NewID()} {
					_, err := k.book.Revoke(ctx, by, id, Ending{Reason: "ลอง", LeavesNone: true})
					checkProblem(t, err, problem.NotFound, "grant.not_found")
					if e := k.recorded(t, audit.Query{Actor: string(by), Object: id}); e.Outcome != audit.Denied || e.Name != "grant.revoke" {
						t.Errorf("recorded as %+v", e)
					}
				}
			}
			if !k.may(t, who, Consider, "TH-12") {
				t.Error("a stranger ended it")
			}
		})

		t.Run("the last approver", func(t *testing.T) {
			unit, chief := k.province(t)
			one, two := k.officer(t, unit), k.officer(t, unit)
			first, second := k.give(t, chief, to(one, unit, Approve)), k.give(t, chief, to(two, unit, Approve))
			if s := k.see(t, first.ID); s.Left != 1 || s.LeavesNone {
				t.Errorf("with two approvers the effect is %d, %v", s.Left, s.LeavesNone)
			}
			if _, err := k.book.Revoke(ctx, chief, first.ID, Ending{Reason: "ย้าย"}); err != nil {
				t.Fatal(err)
			}
			if s := k.see(t, second.ID); s.Left != 0 || !s.LeavesNone {
				t.Errorf("with one approver the effect is %d, %v", s.Left, s.LeavesNone)
			}
			_, err := k.book.Revoke(ctx, chief, second.ID, Ending{Reason: "ย้าย"})
			k.refused(t, err, problem.Invalid, "grant.confirm_leaves_none", chief)
			k.revoke(t, chief, second)
			if e := k.recorded(t, audit.Query{Act: "grant.revoke", Object: second.ID}); e.Detail["leaves_none"] != "true" {
				t.Errorf("recorded as %v", e.Detail)
			}
			if !strings.HasSuffix(k.told(t, k.admins[0]), "grant.none_left") {
				t.Error("the centre was not told")
			}
			if e := k.recorded(t, audit.Query{Act: "grant.revoke", Object: first.ID}); e.Detail["leaves_none"] != "" {
				t.Errorf("recorded as %v", e.Detail)
			}
		})

		t.Run("what never held takes nobody away", func(t *testing.T) {
			unit, chief := k.province(t)
			before := k.told(t, k.admins[0])
			later := to(k.officer(t, unit), unit, Approve)
			later.From = today.AddDays(2)
			over := to(k.officer(t, unit), unit, Approve)
			over.LastDay = today
			grants := []Grant{
				k.give(t, chief, Order{Unit: unit, Level: Approve, Citizen: k.citizen(t)}), k.give(t, chief, later), k.give(t, chief, over),
				k.give(t, k.admins[1], to(chief, unit, Approve)),
			}
			k.at(t, today.EndExclusive())
			for _, g := range grants {
				if s := k.see(t, g.ID); s.LeavesNone {
					t.Errorf("to end a right that is %s is said to leave nobody", s.State)
				}
				if _, err := k.book.Revoke(ctx, chief, g.ID, Ending{Reason: "ผิดคน"}); err != nil {
					t.Errorf("end %v: %v", g, err)
				}
			}
			if after := k.told(t, k.admins[0]); strings.Count(after, "none_left") != strings.Count(before, "none_left") {
				t.Error("the centre was told of an end that left what was")
			}
		})

		t.Run("one of two rights of the same person", func(t *testing.T) {
			unit := "IWM"
			who := k.officer(t, unit)
			one, two := to(who, unit, Approve), to(who, unit, Approve)
			one.Team = "G1"
			k.give(t, k.iwm, two)
			g := k.give(t, k.iwm, one)
			if s := k.see(t, g.ID); s.LeavesNone {
				t.Error("he still approves in the whole division, yet nobody is said to be left")
			}
			if _, err := k.book.Revoke(ctx, k.iwm, g.ID, Ending{Reason: "ย้ายกลุ่ม"}); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestChange(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()

		t.Run("keeps what it said", func(t *testing.T) {
			who := k.officer(t, "TH-12")
			o := to(who, "TH-12", Consider)
			o.LastDay, o.Note, o.OrderNumber = today.AddDays(10), "เดิม", "1/2569"
			g := k.give(t, k.chief12, o)
			g, err := k.book.Change(ctx, k.chief12, g.ID, g.Version, Change{LastDay: today.AddDays(100), Note: "ใหม่", OrderNumber: "2/2569"})
			if err != nil {
				t.Fatal(err)
			}
			s := k.see(t, g.ID)
			if day, _ := s.LastDay(); day != today.AddDays(100) || s.Note != "ใหม่" || s.Number != g.Number || len(s.Versions) != 2 ||
				s.Versions[0].Note != "เดิม" || s.Versions[1].Note != "ใหม่" || !s.Versions[0].Until.Equal(today.AddDays(10).EndExclusive()) {
				t.Errorf("kept as %+v", s)
			}
			if e := k.recorded(t, audit.Query{Act: "grant.change", Object: g.ID}); e.Texts["old_note"] != "เดิม" || e.Texts["old_order_number"] != "1/2569" ||
				e.Detail["old_until"] == "" || e.Detail["until"] == "" {
				t.Errorf("recorded as %+v", e)
			}
			if got := k.told(t, who); got != "grant.given grant.changed" {
				t.Errorf("told %q", got)
			}
			g, err = k.book.Change(ctx, k.chief12, g.ID, g.Version, Change{LastDay: today.AddDays(100), Note: "แค่หมายเหตุ"})
			if err != nil || k.told(t, who) != "grant.given grant.changed" {
				t.Errorf("a note alone is news: %v", err)
			}
			_, err = k.book.Change(ctx, k.chief12, g.ID, g.Version-1, Change{Note: "ช้าไป"})
			k.refused(t, err, problem.Conflict, "grant.changed_meanwhile", k.chief12)
			_, err = k.book.Change(ctx, k.chief13, g.ID, g.Version, Change{Note: "ต่างหน่วย"})
			checkProblem(t, err, problem.NotFound, "grant.not_found")
			_, err = k.book.Change(ctx, k.chief12, g.ID, g.Version, Change{LastDay: today.AddDays(-1)})
			k.refused(t, err, problem.Invalid, "grant.end_is_past", k.chief12)
			k.revoke(t, k.chief12, g)
			_, err = k.book.Change(ctx, k.chief12, g.ID, g.Version+1, Change{})
			k.refused(t, err, problem.Conflict, "grant.already_ended", k.chief12)
		})

		t.Run("shortens at once and renews", func(t *testing.T) {
			who := k.officer(t, "TH-12")
			g := k.give(t, k.chief12, to(who, "TH-12", Consider))
			g, err := k.book.Change(ctx, k.chief12, g.ID, g.Version, Change{LastDay: today})
			if err != nil {
				t.Fatal(err)
			}
			k.at(t, today.EndExclusive().Add(40*time.Hour)) // longer than memory holds what is over
			if err := k.newBook(k.DB).Load(ctx); err != nil {
				t.Fatal(err)
			}
			if k.may(t, who, Consider, "TH-12") {
				t.Error("it holds after its new end")
			}
			if _, err = k.book.Change(ctx, k.chief12, g.ID, g.Version, Change{LastDay: today.AddDays(9)}); err != nil {
				t.Fatal(err)
			}
			if s := k.see(t, g.ID); !k.may(t, who, Consider, "TH-12") || s.Number != g.Number || s.State != StateSoon {
				t.Errorf("renewed, it is %+v", s.Grant)
			}
		})

		t.Run("renewing asks what giving asks of the place and the person", func(t *testing.T) {
			team, err := k.desk.AddTeam(ctx, string(k.admins[0]), "IWM", "G4", locale.Name{TH: "กลุ่มชั่วคราว", EN: "Temporary group"})
			if err != nil {
				t.Fatal(err)
			}
			o := to(k.officer(t, "IWM"), "IWM", Consider)
			o.Team, o.LastDay = "G4", today
			g := k.give(t, k.iwm, o)
			in12 := to(k.officer(t, "TH-12"), "TH-12", Consider)
			in12.LastDay = today
			off := k.give(t, k.chief12, in12)
			k.at(t, today.EndExclusive())
			if err := k.desk.RetireTeam(ctx, string(k.admins[0]), "IWM", "G4", team.Version); err != nil {
				t.Fatal(err)
			}
			_, err = k.book.Change(ctx, k.iwm, g.ID, g.Version, Change{})
			k.refused(t, err, problem.Invalid, "grant.team_unknown", k.iwm)
			k.switchOff(t, off.Person)
			_, err = k.book.Change(ctx, k.chief12, off.ID, off.Version, Change{})
			k.refused(t, err, problem.Invalid, "grant.account_disabled", k.chief12)
		})

		t.Run("again after a slip", func(t *testing.T) {
			who := k.officer(t, "TH-12")
			o := to(who, "TH-12", Approve)
			o.LastDay, o.Note, o.OrderNumber = today.AddDays(10), "หมายเหตุ", "7/2569"
			g := k.give(t, k.chief12, o)
			_, err := k.book.Again(ctx, k.chief12, g.ID, "")
			k.refused(t, err, problem.Conflict, "grant.exists", k.chief12)
			k.revoke(t, k.chief12, g)
			_, err = k.book.Again(ctx, k.chief13, g.ID, "")
			checkProblem(t, err, problem.NotFound, "grant.not_found")
			form := store.NewID()
			fresh, err := k.book.Again(ctx, k.chief12, g.ID, form)
			if err != nil {
				t.Fatal(err)
			}
			if fresh.ID == g.ID || fresh.Number <= g.Number || !fresh.Until.Equal(g.Until) || fresh.Note != g.Note || fresh.OrderNumber != g.OrderNumber ||
				fresh.From.Before(env.Clock.Now()) || !k.may(t, who, Approve, "TH-12") {
				t.Errorf("given again as %+v", fresh)
			}
			if twice, err := k.book.Again(ctx, k.chief12, g.ID, form); err != nil || twice.ID != fresh.ID {
				t.Errorf("the same click twice: %v, %v", twice, err)
			}
			k.revoke(t, k.chief12, fresh)
			k.write(t, func(tx *store.Tx) error { // as notes were before citizen IDs were refused
				_, err := tx.Exec(ctx, `UPDATE grants SET note = 'แทน 3990000000104' WHERE id = $1`, fresh.ID)
				return err
			})
			if fresh, err = k.book.Again(ctx, k.chief12, fresh.ID, store.NewID()); err != nil || fresh.Note != "แทน 3-9900-XXXXX-XX-4" {
				t.Errorf("given again with the note %q, %v", fresh.Note, err)
			}
			k.revoke(t, k.chief12, fresh)
			k.at(t, fresh.Until)
			_, err = k.book.Again(ctx, k.chief12, fresh.ID, "")
			k.refused(t, err, problem.Invalid, "grant.end_is_past", k.chief12)
		})
	})
}

func TestIdentify(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		pending := func(t *testing.T, unit string, by person.ID) (Grant, thai.CitizenID) {
			id := k.citizen(t)
			return k.give(t, by, Order{Unit: unit, Level: Consider, Citizen: id}), id
		}

		t.Run("confirmed", func(t *testing.T) {
			g, id := pending(t, "TH-12", k.chief12)
			o := Order{Unit: "TH-12", Level: Approve, Citizen: id, From: today.AddDays(2)}
			later := k.give(t, k.chief12, o)
			elsewhere := k.give(t, k.chief13, Order{Unit: "TH-13", Level: Consider, Citizen: id})
			err := k.book.Identify(ctx, k.chief12, g.Person, "TH-12", true, "")
			checkProblem(t, err, problem.NotFound, "grant.nothing_pending")
			who := k.register(t, id, officer.Account{Unit: "TH-13"})
			waiting, err := k.book.WaitingFor(ctx, k.chief12)
			if err != nil || len(waiting) != 1 || waiting[0].Person != who || len(waiting[0].Grants) != 2 || waiting[0].HomeUnit != "TH-13" ||
				waiting[0].Citizen != id || waiting[0].Email == "" || waiting[0].UnitName.TH != "นนทบุรี" {
				t.Fatalf("waiting: %+v, %v", waiting, err)
			}
			err = k.book.Identify(ctx, k.chief13, who, "TH-12", true, "")
			k.refused(t, err, problem.Denied, "grant.denied_not_head", k.chief13)
			err = k.book.Identify(ctx, k.chief12, who, "TH-12", true, "คือ 3990000000104")
			k.refused(t, err, problem.Invalid, "problem.holds_citizen", k.chief12)
			if err := k.book.Identify(ctx, k.chief12, who, "TH-12", true, ""); err != nil {
				t.Fatal(err)
			}
			if !k.may(t, who, Consider, "TH-12") || k.may(t, who, Approve, "TH-12") || k.may(t, who, Consider, "TH-13") {
				t.Error("the word of TH-12 does not open the rights in TH-12, and those alone")
			}
			if k.see(t, later.ID).State != StateFuture || k.see(t, elsewhere.ID).State != StateWaiting || !k.see(t, g.ID).OtherOffice {
				t.Error("states are wrong after the word")
			}
			if got := k.told(t, who); got != "grant.given grant.given" {
				t.Errorf("told %q", got)
			}
			err = k.book.Identify(ctx, k.chief12, who, "TH-12", false, "เปลี่ยนใจ")
			k.refused(t, err, problem.Conflict, "grant.already_confirmed", k.chief12)
		})

		t.Run("refused", func(t *testing.T) {
			g, id := pending(t, "TH-12", k.chief12)
			who := k.register(t, id, officer.Account{Unit: "TH-12"})
			err := k.book.Identify(ctx, k.chief12, who, "TH-12", false, " ")
			k.refused(t, err, problem.Invalid, "grant.reason_missing", k.chief12)
			if err := k.book.Identify(ctx, k.chief12, who, "TH-12", false, "ไม่ใช่เจ้าหน้าที่ของเรา"); err != nil {
				t.Fatal(err)
			}
			if s := k.see(t, g.ID); s.State != StateEnded || s.Closing != Refused || k.may(t, who, Consider, "TH-12") || k.told(t, who) != "grant.refused" {
				t.Errorf("refused, it is %+v", s.Grant)
			}
			if e := k.recorded(t, audit.Query{Act: "grant.refuse", Subject: string(who)}); e.Texts["reason"] == "" || e.Unit != "TH-12" {
				t.Errorf("recorded as %+v", e)
			}
			// A refusal binds nobody: a head who finds he was wrong gives the right with his word.
			_, err = k.book.Give(ctx, k.chief12, Order{Unit: "TH-12", Level: Consider, Person: who})
			k.refused(t, err, problem.Invalid, "grant.confirm_identity", k.chief12)
			k.give(t, k.chief12, to(who, "TH-12", Consider))
			if !k.may(t, who, Consider, "TH-12") {
				t.Error("a refusal of before keeps the right from holding")
			}
		})

		t.Run("nothing that waits", func(t *testing.T) {
			who := k.officer(t, "TH-12")
			err := k.book.Identify(ctx, k.chief12, who, "TH-12", true, "")
			k.refused(t, err, problem.NotFound, "grant.nothing_pending", k.chief12)
			err = k.book.Identify(ctx, k.chief12, k.chief12, "TH-12", true, "")
			k.refused(t, err, problem.Denied, "grant.denied_self", k.chief12)
		})

		t.Run("what ran out waits no more", func(t *testing.T) {
			id := k.citizen(t)
			g := k.give(t, k.chief12, Order{Unit: "TH-12", Level: Consider, Citizen: id, LastDay: today})
			k.at(t, today.EndExclusive())
			before := k.told(t, k.chief12)
			who := k.register(t, id, officer.Account{Unit: "TH-12"})
			if k.told(t, k.chief12) != before {
				t.Error("the head was told of a right that ran out")
			}
			err := k.book.Identify(ctx, k.chief12, who, "TH-12", true, "")
			k.refused(t, err, problem.NotFound, "grant.nothing_pending", k.chief12)
			if k.see(t, g.ID).State != StateExpired {
				t.Error("it is not over")
			}
		})

		t.Run("of the chief by his deputy", func(t *testing.T) {
			unit, chief := k.province(t)
			g, id := pending(t, unit, chief)
			who := k.register(t, id, officer.Account{Unit: unit})
			k.appoint(t, AppointmentOrder{Post: Head, Unit: unit, Person: who})
			err := k.book.Identify(ctx, chief, who, unit, true, "")
			k.refused(t, err, problem.Denied, "grant.denied_for_head", chief)
			if k.may(t, who, Consider, unit) {
				t.Error("one head opened a right of another")
			}
			if err := k.book.Identify(ctx, chief, who, unit, false, "ได้เป็นหัวหน้าแล้ว"); err != nil || k.see(t, g.ID).Closing != Refused {
				t.Errorf("to refuse takes nothing more than one: %v", err)
			}
		})

		t.Run("heads are told when somebody registers", func(t *testing.T) {
			unit, chief := k.province(t)
			deputy := k.officer(t, unit)
			k.appoint(t, AppointmentOrder{Post: Head, Kind: Acting, Unit: unit, Person: deputy, LastDay: today.AddDays(2)})
			_, id := pending(t, unit, chief)
			k.give(t, chief, Order{Unit: unit, Level: Approve, Citizen: id})
			k.register(t, id, officer.Account{Unit: unit, GivenName: "ปิ่นแก้ว", FamilyName: "รอดี"})
			for _, head := range []person.ID{chief, deputy} {
				if got := k.told(t, head); strings.Count(got, "grant.pending") != 1 {
					t.Errorf("a head was told %q", got)
				}
			}
			if text := k.message(t, chief); !strings.Contains(text, "ปิ่นแก้ว รอดี") || !strings.Contains(text, link("/ko1/rights/waiting")) {
				t.Errorf("told %s", text)
			}
			before := k.told(t, chief)
			k.officer(t, unit)
			if k.told(t, chief) != before {
				t.Error("the head was told of somebody nobody named")
			}
		})
	})
}

func TestAppointments(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		order := "อก 0101/1 ลว. 1 ต.ค. 2569"

		t.Run("by two administrators", func(t *testing.T) {
			unit := k.provinces[0]
			who := k.officer(t, unit)
			o := AppointmentOrder{Post: Head, Kind: Regular, Unit: unit, Person: who, OrderNumber: order, Note: "แทนคนเดิม"}
			a, err := k.book.Propose(ctx, k.admins[0], o)
			if err != nil {
				t.Fatal(err)
			}
			at := Place{Unit: unit}
			if k.book.Allows(who, Administer, at) || len(k.book.Posts(who).Heads) > 0 {
				t.Fatal("a proposal gives authority")
			}
			_, err = k.book.Propose(ctx, k.admins[1], o)
			k.refused(t, err, problem.Conflict, "appoint.exists", k.admins[1])
			if !strings.HasSuffix(k.told(t, k.admins[1]), "appointment.proposed") || strings.HasSuffix(k.told(t, k.admins[0]), "appointment.proposed") {
				t.Error("the other administrators were not told")
			}
			_, err = k.book.ConfirmAppointment(ctx, k.admins[0], a.ID)
			k.refused(t, err, problem.Denied, "appoint.denied_own_proposal", k.admins[0])
			for _, by := range []person.ID{who, k.chief12, k.auditor} {
				_, err = k.book.ConfirmAppointment(ctx, by, a.ID)
				k.refused(t, err, problem.Denied, "appoint.denied_not_administrator", by)
				_, err = k.book.ConfirmAppointment(ctx, by, store.NewID())
				k.refused(t, err, problem.Denied, "appoint.denied_not_administrator", by)
				_, err = k.book.DeclineAppointment(ctx, by, a.ID, "ไม่")
				k.refused(t, err, problem.Denied, "appoint.denied_not_administrator", by)
				_, err = k.book.EndAppointment(ctx, by, a.ID, Ending{Reason: "ไม่", LeavesNone: true})
				k.refused(t, err, problem.Denied, "appoint.denied_not_administrator", by)
			}
			_, err = k.book.ConfirmAppointment(ctx, k.admins[1], store.NewID())
			k.refused(t, err, problem.NotFound, "appoint.not_found", k.admins[1])
			k.Clock.Advance(time.Minute)
			if a, err = k.book.ConfirmAppointment(ctx, k.admins[1], a.ID); err != nil {
				t.Fatal(err)
			}
			if !k.book.Allows(who, Administer, at) || !slices.Equal(k.book.Posts(who).Heads, []string{unit}) || !a.From.Equal(env.Clock.Now()) {
				t.Error("the confirmed appointment gives no authority")
			}
			if k.book.Allows(who, Administer, Place{Unit: "TH-12"}) || k.may(t, who, Approve, unit) {
				t.Error("the appointment gives more than authority in its unit")
			}
			if !strings.HasSuffix(k.told(t, who), "appointment.confirmed") {
				t.Error("the head was not told")
			}
			_, err = k.book.ConfirmAppointment(ctx, k.admins[2], a.ID)
			k.refused(t, err, problem.Conflict, "grant.already_decided", k.admins[2])
			_, err = k.book.DeclineAppointment(ctx, k.admins[2], a.ID, "ช้า")
			k.refused(t, err, problem.Conflict, "grant.already_decided", k.admins[2])
			given := k.give(t, who, to(k.officer(t, unit), unit, Consider))

			_, err = k.book.EndAppointment(ctx, k.admins[2], a.ID, Ending{Reason: " ", LeavesNone: true})
			k.refused(t, err, problem.Invalid, "grant.reason_missing", k.admins[2])
			_, err = k.book.EndAppointment(ctx, k.admins[2], a.ID, Ending{Reason: "เกษียณ"})
			k.refused(t, err, problem.Invalid, "appoint.confirm_leaves_none", k.admins[2])
			if _, err = k.book.EndAppointment(ctx, k.admins[2], a.ID, Ending{Reason: "เกษียณ", LeavesNone: true}); err != nil {
				t.Fatal(err)
			}
			if k.book.Allows(who, Administer, at) {
				t.Error("the authority did not end with the appointment")
			}
			_, err = k.book.Give(ctx, who, to(k.officer(t, unit), unit, Consider))
			k.refused(t, err, problem.Denied, "grant.denied_not_head", who)
			_, err = k.book.Revoke(ctx, who, given.ID, Ending{Reason: "x"})
			checkProblem(t, err, problem.NotFound, "grant.not_found")
			if !k.may(t, given.Person, Consider, unit) {
				t.Error("rights given before ended with the head who gave them")
			}
			if !strings.HasSuffix(k.told(t, k.admins[0]), "appointment.none_left") || !strings.HasSuffix(k.told(t, who), "appointment.ended") {
				t.Error("centre or head were not told of the end")
			}
			_, err = k.book.EndAppointment(ctx, k.admins[2], a.ID, Ending{Reason: "อีก", LeavesNone: true})
			k.refused(t, err, problem.Conflict, "appoint.already_ended", k.admins[2])
		})

		t.Run("declined and withdrawn", func(t *testing.T) {
			who := k.officer(t, "TH-12")
			o := AppointmentOrder{Post: Auditor, Person: who, OrderNumber: order}
			a, err := k.book.Propose(ctx, k.admins[0], o)
			if err != nil {
				t.Fatal(err)
			}
			_, err = k.book.DeclineAppointment(ctx, k.admins[1], a.ID, "\t")
			k.refused(t, err, problem.Invalid, "grant.reason_missing", k.admins[1])
			if a, err = k.book.DeclineAppointment(ctx, k.admins[1], a.ID, "ไม่มีคำสั่ง"); err != nil || a.Closing != "refused" {
				t.Fatalf("%+v, %v", a, err)
			}
			if a, err = k.book.Propose(ctx, k.admins[0], o); err != nil {
				t.Fatal(err)
			}
			_, err = k.book.DeclineAppointment(ctx, k.admins[0], a.ID, "คือ 3990000000104")
			k.refused(t, err, problem.Invalid, "problem.holds_citizen", k.admins[0])
			if a, err = k.book.DeclineAppointment(ctx, k.admins[0], a.ID, ""); err != nil || a.Closing != "withdrawn" {
				t.Fatalf("%+v, %v", a, err)
			}
			if k.book.Allows(who, Audit, Place{Unit: "DIW"}) || k.book.Posts(who).Auditor {
				t.Error("a declined proposal gives authority")
			}
		})

		t.Run("a chief and his acting deputy", func(t *testing.T) {
			unit, chief := k.province(t)
			who := k.officer(t, unit)
			for _, c := range []struct {
				by     person.ID
				change func(o *AppointmentOrder)
				kind   error
				key    string
			}{
				{chief, func(o *AppointmentOrder) { o.Kind = Regular }, problem.Denied, "appoint.denied"},
				{chief, func(o *AppointmentOrder) { o.Unit = "TH-12" }, problem.Denied, "appoint.denied"},
				{chief, func(o *AppointmentOrder) { o.Post = Administrator }, problem.Denied, "appoint.denied"},
				{chief, func(o *AppointmentOrder) { o.LastDay = thai.Date{} }, problem.Invalid, "appoint.acting_needs_end"},
				{chief, func(o *AppointmentOrder) { o.Person = chief }, problem.Denied, "appoint.denied_self"},
				{chief, func(o *AppointmentOrder) { o.OrderNumber = "  " }, problem.Invalid, "appoint.order_missing"},
				{chief, func(o *AppointmentOrder) { o.Person = ""; o.Citizen = k.citizen(t) }, problem.Invalid, "appoint.not_registered"},
				{who, func(o *AppointmentOrder) {}, problem.Denied, "appoint.denied"},
				{who, func(o *AppointmentOrder) { o.Person = "nobody" }, problem.Denied, "appoint.denied"},
				{k.auditor, func(o *AppointmentOrder) {}, problem.Denied, "appoint.denied"},
				{k.admins[0], func(o *AppointmentOrder) { o.Unit = "nowhere" }, problem.Invalid, "appoint.unit_unknown"},
				{k.admins[0], func(o *AppointmentOrder) { o.Post = "king" }, problem.Invalid, "appoint.post_unknown"},
			} {
				o := AppointmentOrder{Post: Head, Kind: Acting, Unit: unit, Person: who, OrderNumber: order, From: today.AddDays(2), LastDay: today.AddDays(4)}
				c.change(&o)
				_, err := k.book.Propose(ctx, c.by, o)
				k.refused(t, err, c.kind, c.key, c.by)
			}
			o := AppointmentOrder{Post: Head, Kind: Acting, Unit: unit, Person: who, OrderNumber: order, From: today.AddDays(2), LastDay: today.AddDays(4)}
			a, err := k.book.Propose(ctx, chief, o)
			if err != nil {
				t.Fatal(err)
			}
			_, err = k.book.ConfirmAppointment(ctx, chief, a.ID)
			k.refused(t, err, problem.Denied, "appoint.denied_not_administrator", chief)
			if _, err = k.book.ConfirmAppointment(ctx, k.admins[0], a.ID); err != nil {
				t.Fatal(err)
			}
			_, err = k.book.EndAppointment(ctx, chief, a.ID, Ending{Reason: "x"})
			k.refused(t, err, problem.Denied, "appoint.denied_not_administrator", chief)
			for _, moment := range []struct {
				at   time.Time
				want bool
			}{
				{env.Clock.Now(), false}, {o.From.StartOfDay().Add(-1000), false}, {o.From.StartOfDay(), true},
				{o.LastDay.EndExclusive().Add(-1000), true}, {o.LastDay.EndExclusive(), false},
			} {
				k.at(t, moment.at)
				if got := k.book.Allows(who, Administer, Place{Unit: unit}); got != moment.want || (len(k.book.Posts(who).Heads) == 1) != got {
					t.Errorf("at %s the deputy is head: %v", moment.at, got)
				}
				_, err := k.book.Give(ctx, who, Order{Unit: unit, Level: Consider, Citizen: k.citizen(t)})
				if (err == nil) != moment.want {
					t.Errorf("at %s the deputy gives: %v", moment.at, err)
				}
			}
		})

		t.Run("a proposal that ran out", func(t *testing.T) {
			a, err := k.book.Propose(ctx, k.admins[0], AppointmentOrder{Post: Head, Kind: Acting, Unit: "TH-12", Person: k.officer(t, "TH-12"), OrderNumber: order, LastDay: today})
			if err != nil {
				t.Fatal(err)
			}
			k.at(t, today.EndExclusive())
			_, err = k.book.ConfirmAppointment(ctx, k.admins[1], a.ID)
			k.refused(t, err, problem.Conflict, "appoint.run_out", k.admins[1])
		})

		t.Run("the last administrators stay", func(t *testing.T) {
			find := func(who person.ID) string {
				var id string
				k.read(t, func(tx *store.Tx) error {
					return tx.QueryRow(ctx, `SELECT id FROM appointments WHERE person_id = $1 AND post = 'administrator' AND closed_at IS NULL`, who).Scan(&id)
				})
				return id
			}
			if err := k.book.InstallAdministrator(ctx, k.officer(t, "ICT")); err == nil {
				t.Error("a fourth administrator was installed from the terminal")
			}
			if _, err := k.book.EndAppointment(ctx, k.admins[0], find(k.admins[2]), Ending{Reason: "ย้าย"}); err != nil {
				t.Fatal(err)
			}
			if k.book.Posts(k.admins[2]).Administrator {
				t.Error("the post did not end")
			}
			_, err := k.book.EndAppointment(ctx, k.admins[0], find(k.admins[1]), Ending{Reason: "ย้าย"})
			k.refused(t, err, problem.Conflict, "appoint.last_administrators", k.admins[0])
			_, err = k.book.EndAppointment(ctx, k.admins[0], find(k.admins[0]), Ending{Reason: "ลาออก"})
			k.refused(t, err, problem.Conflict, "appoint.last_administrators", k.admins[0])
			err = k.book.InstallAdministrator(ctx, k.officer(t, "ICT"))
			checkProblem(t, err, problem.Conflict, "appoint.administrators_exist")
		})
	})

	t.Run("installed from the terminal", func(t *testing.T) {
		k := open(t, storetest.SQLite(t))
		// An empty house again: nobody there holds a post any more.
		k.write(t, func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE appointments SET closed_at = $1, closing = 'ended'`, store.Us(tx.Now))
			return err
		})
		var nobody person.ID
		k.write(t, func(tx *store.Tx) (err error) {
			nobody, err = k.roll.Mention(t.Context(), tx, k.citizen(t))
			return err
		})
		checkProblem(t, k.book.InstallAdministrator(t.Context(), nobody), problem.NotFound, "officer.problem.unknown")
		who := k.officer(t, "ICT")
		if err := k.book.InstallAdministrator(t.Context(), who); err != nil || !k.book.Posts(who).Administrator {
			t.Errorf("not installed: %v", err)
		}
		if e := k.recorded(t, audit.Query{Act: "appointment.install", Subject: string(who)}); e.Actor != audit.Terminal {
			t.Errorf("recorded as %+v", e)
		}
		checkProblem(t, k.book.InstallAdministrator(t.Context(), who), problem.Conflict, "appoint.exists")
	})
}

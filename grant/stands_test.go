package grant

import (
	"errors"
	"strings"
	"testing"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
)

// Weeks may lie between a proposal and its confirmation: what it rested on is read again.
func TestProposalsAreReadAgain(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		end := func(t *testing.T, a Appointment) {
			t.Helper()
			if _, err := k.book.EndAppointment(ctx, k.admins[1], a.ID, Ending{Reason: "ย้าย", LeavesNone: true}); err != nil {
				t.Fatal(err)
			}
		}

		t.Run("a right whose head is head no more", func(t *testing.T) {
			unit, _ := k.province(t)
			who := k.officer(t, unit)
			post := k.appoint(t, AppointmentOrder{Post: Head, Unit: unit, Person: who})
			g := k.give(t, k.admins[0], to(who, unit, Approve))
			end(t, post)
			_, err := k.book.Second(ctx, k.admins[1], g.ID, true, "")
			checkProblem(t, err, problem.Conflict, "grant.no_longer_stands")
			if _, err := k.book.Second(ctx, k.admins[1], g.ID, false, "ย้าย"); err != nil {
				t.Errorf("what no longer stands can not be declined: %v", err)
			}
		})

		t.Run("a deputy whose chief is chief no more", func(t *testing.T) {
			unit, _ := k.province(t)
			chief := k.officer(t, unit)
			post := k.appoint(t, AppointmentOrder{Post: Head, Unit: unit, Person: chief})
			deputy := k.officer(t, unit)
			a, err := k.book.Propose(ctx, chief, AppointmentOrder{Post: Head, Kind: Acting, Unit: unit, Person: deputy, OrderNumber: "1/2569", LastDay: today.AddDays(9)})
			if err != nil {
				t.Fatal(err)
			}
			end(t, post)
			_, err = k.book.ConfirmAppointment(ctx, k.admins[1], a.ID)
			checkProblem(t, err, problem.Conflict, "grant.no_longer_stands")
		})

		t.Run("a person whose account was switched off", func(t *testing.T) {
			unit, _ := k.province(t)
			who := k.officer(t, unit)
			a, err := k.book.Propose(ctx, k.admins[0], AppointmentOrder{Post: Head, Kind: Regular, Unit: unit, Person: who, OrderNumber: "1/2569"})
			if err != nil {
				t.Fatal(err)
			}
			k.switchOff(t, who)
			_, err = k.book.ConfirmAppointment(ctx, k.admins[1], a.ID)
			checkProblem(t, err, problem.Conflict, "grant.no_longer_stands")
		})
	})
}

// A form that a browser brought back with other contents is not called saved.
func TestFormWithOtherContents(t *testing.T) {
	k := open(t, storetest.SQLite(t))
	one, two := k.officer(t, "TH-12"), k.officer(t, "TH-12")
	first := to(one, "TH-12", Consider)
	first.Form = "form"
	g := k.give(t, k.chief12, first)
	if again := k.give(t, k.chief12, first); again.ID != g.ID {
		t.Errorf("the same form became another grant")
	}
	for what, change := range map[string]func(*Order){
		"person": func(o *Order) { o.Person = two }, "level": func(o *Order) { o.Level = Approve }, "unknown person": func(o *Order) { o.Person, o.Citizen = "", k.citizen(t) },
	} {
		o := first
		change(&o)
		_, err := k.book.Give(t.Context(), k.chief12, o)
		if !errors.Is(err, problem.Conflict) || !strings.Contains(err.Error(), "grant.form_used") {
			t.Errorf("another %s: %v", what, err)
		}
	}
}

// Nobody lets a right that he gives pass for one that an import brought, for which two persons answer.
func TestNobodyPassesForAnImport(t *testing.T) {
	k := open(t, storetest.SQLite(t))
	o := to(k.officer(t, "TH-12"), "TH-12", Consider)
	o.Form = "brought-" + store.NewID()
	_, err := k.book.Give(t.Context(), k.chief12, o)
	checkProblem(t, err, problem.Invalid, "problem.form")
	list := ListOrder{Unit: "TH-12", Level: Consider, Form: o.Form, Citizens: []thai.CitizenID{k.citizen(t)}}
	k.checkList(t, k.chief12, &list)
	_, err = k.book.GiveList(t.Context(), k.chief12, list)
	checkProblem(t, err, problem.Invalid, "problem.form")
}

// A refused order names nobody who was not on the roll before.
func TestRefusalNamesNobodyNew(t *testing.T) {
	k := open(t, storetest.SQLite(t))
	id := k.citizen(t)
	_, err := k.book.Give(t.Context(), k.chief13, Order{Unit: "TH-12", Level: Consider, Citizen: id})
	checkProblem(t, err, problem.Denied, "grant.denied_not_head")
	_, err = k.book.Give(t.Context(), k.admins[0], Order{Unit: "TH-12", Level: Consider, Citizen: id})
	checkProblem(t, err, problem.Denied, "grant.denied_not_head")
	if e := k.recorded(t, audit.Query{Act: "grant.give", Actor: string(k.admins[0])}); e.Subject != "" {
		t.Errorf("the refusal names %s", e.Subject)
	}
}

package grant

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// That rows went out is on record before they do, with nothing in it that somebody typed.
func TestExportIsRecorded(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		who := k.officer(t, "TH-12")
		k.give(t, k.chief12, to(who, "TH-12", Consider))
		k.give(t, k.chief12, to(who, "TH-12", Approve))
		k.give(t, k.chief13, to(k.officer(t, "TH-13"), "TH-13", Consider))
		for _, c := range []struct {
			by      person.ID
			f       Filter
			format  string
			subject person.ID
			detail  map[string]string
		}{
			{k.chief12, Filter{}, "csv", "", map[string]string{"format": "csv", "rows": "2", "state": "live"}},
			{k.chief12, Filter{Unit: "TH-12", Level: Approve, State: "all", Search: "ใจดี"}, "xlsx", "", map[string]string{"format": "xlsx", "rows": "1", "state": "all", "level": "3"}},
			{k.auditor, Filter{Person: who, State: "soon"}, "csv", "", map[string]string{"format": "csv", "rows": "0", "state": "soon"}},
			{k.auditor, Filter{Person: who, State: "นายปิติ"}, "csv", who, map[string]string{"format": "csv", "rows": "2", "state": "live"}},
		} {
			rows, err := k.book.Export(ctx, c.by, c.f, c.format)
			if err != nil || strconv.Itoa(len(rows)) != c.detail["rows"] {
				t.Errorf("%+v: %d rows, %v", c.f, len(rows), err)
			}
			e := k.recorded(t, audit.Query{Act: "grant.export"})
			if e.Actor != string(c.by) || e.Unit != c.f.Unit || e.Subject != string(c.subject) || !maps.Equal(e.Detail, c.detail) || len(e.Texts) != 0 {
				t.Errorf("%+v is recorded as %+v", c.f, e)
			}
		}
		_, err := k.book.Export(ctx, who, Filter{}, "csv")
		k.refused(t, err, problem.Denied, "grant.denied_not_reader", who)
	})
}

// Who sees every unit looks across the country when he asks for a whole citizen ID, in the grid or in the log: each
// look is on record, and they are as many as those of LookUp, all together.
func TestLooksAcrossTheCountry(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		id := k.citizen(t)
		who := k.register(t, id, officer.Account{Unit: "TH-12"})
		k.give(t, k.chief12, to(who, "TH-12", Consider))
		looks := func() int { return k.count(t, `SELECT count(*) FROM audit_entries WHERE act = 'person.look_up'`) }

		if _, ok, err := k.book.Whose(ctx, k.chief12, id); err != nil || !ok || looks() != 0 {
			t.Errorf("a head among his own: %v, %v, %d looks", ok, err, looks())
		}
		for n, id := range []thai.CitizenID{id, k.citizen(t)} {
			got, ok, err := k.book.Whose(ctx, k.auditor, id)
			if err != nil || ok != (n == 0) || ok && got != who {
				t.Errorf("%v, %v, %v", got, ok, err)
			}
			if e := k.recorded(t, audit.Query{Act: "person.look_up"}); looks() != n+1 || e.Actor != string(k.auditor) || e.Subject != string(got) {
				t.Errorf("look %d is recorded as %+v", n+1, e)
			}
		}
		for range lookups.Burst - 2 {
			if _, err := k.book.PersonOf(ctx, k.auditor, id); err != nil {
				t.Fatal(err)
			}
		}
		before := looks()
		for _, id := range []thai.CitizenID{id, k.citizen(t)} {
			_, ok, err := k.book.Whose(ctx, k.auditor, id)
			if checkProblem(t, err, problem.Busy, "grant.too_many_lookups"); ok {
				t.Error("found past the limit")
			}
			_, err = k.book.PersonOf(ctx, k.auditor, id)
			checkProblem(t, err, problem.Busy, "grant.too_many_lookups")
		}
		if looks() != before {
			t.Error("a look that was not had is recorded")
		}
	})
}

// The page of a person's rights tells his ID as the reader may see it, even when other filters hide every row.
func TestGridTellsWhomItIsFilteredBy(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		id := k.citizen(t)
		who := k.register(t, id, officer.Account{Unit: "TH-12"})
		k.give(t, k.chief12, to(who, "TH-12", Consider))
		for _, f := range []Filter{{Person: who}, {Person: who, State: "ended"}, {Person: who, Level: Approve, Search: "ไม่มี"}} {
			for by, want := range map[person.ID]string{k.chief12: id.Dashed(), k.auditor: id.Mask(), k.chief13: ""} {
				if page, err := k.book.Grid(t.Context(), by, f); err != nil || page.Citizen != want {
					t.Errorf("%+v: %q, want %q, %v", f, page.Citizen, want, err)
				}
			}
		}
		if page, err := k.book.Grid(t.Context(), k.chief12, Filter{}); err != nil || page.Citizen != "" {
			t.Errorf("nobody asked for: %q, %v", page.Citizen, err)
		}
	})
}

func TestOneAppointment(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		unit, chief := k.province(t)
		see := func(t *testing.T, by person.ID, id string) AppointmentSight {
			t.Helper()
			s, err := k.book.Appointment(ctx, by, id)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		all, err := k.book.Appointments(ctx, chief, AppointmentFilter{})
		if err != nil || len(all.List) != 1 {
			t.Fatal(err)
		}
		own := all.List[0].ID
		if s := see(t, k.auditor, own); s.Person != chief || s.Left != 0 || !s.LeavesNone || s.Own || s.UnitName.TH == "" {
			t.Errorf("the only head: %+v", s)
		}
		if s := see(t, chief, own); s.Person != chief {
			t.Errorf("his own: %+v", s)
		}
		deputy, err := k.book.Propose(ctx, chief, AppointmentOrder{Post: Head, Kind: Acting, Unit: unit, Person: k.officer(t, unit), OrderNumber: "1", LastDay: today.AddDays(9)})
		if err != nil {
			t.Fatal(err)
		}
		if s := see(t, chief, deputy.ID); !s.Own || s.Holds || s.LeavesNone || s.Left != 1 {
			t.Errorf("a proposal: %+v", s)
		}
		if _, err := k.book.ConfirmAppointment(ctx, k.admins[0], deputy.ID); err != nil {
			t.Fatal(err)
		}
		if s := see(t, k.admins[0], own); s.Left != 1 || s.LeavesNone {
			t.Errorf("one of two heads: %+v", s)
		}
		// One who can not sign in is not left either: the form asks what the act will ask.
		k.switchOff(t, deputy.Person)
		if s := see(t, k.admins[0], own); s.Left != 0 || !s.LeavesNone {
			t.Errorf("the other can not sign in: %+v", s)
		}
		for _, by := range []person.ID{k.chief12, deputy.Person, "", "nobody"} {
			for _, id := range []string{own, store.NewID()} {
				_, err := k.book.Appointment(ctx, by, id)
				checkProblem(t, err, problem.NotFound, "appoint.not_found")
			}
		}
	})
}

// A page of those who wait is bounded, and shows nobody with a part of his rights.
func TestWaitingForMany(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		unit, chief := k.province(t)
		for n := range mostWaiting/2 + 1 { // each with two rights, but for the first
			id := k.citizen(t)
			k.give(t, chief, Order{Unit: unit, Level: Consider, Citizen: id})
			if n > 0 {
				k.give(t, chief, Order{Unit: unit, Level: Approve, Citizen: id})
			}
			k.register(t, id, officer.Account{Unit: unit})
		}
		list, err := k.book.WaitingFor(ctx, chief)
		if err != nil || len(list) != mostWaiting/2 {
			t.Fatalf("%d wait, %v", len(list), err)
		}
		for n, one := range list {
			if len(one.Grants) != min(n+1, 2) || one.Citizen.IsZero() || one.Email == "" || one.Phone == "" || one.Home.TH == "" || one.RegisteredAt.IsZero() {
				t.Fatalf("number %d: %+v", n, one)
			}
		}
		if !slices.IsSortedFunc(list, func(a, b Waiting) int { return a.RegisteredAt.Compare(b.RegisteredAt) }) {
			t.Error("not the oldest first")
		}
		if err := k.book.Identify(ctx, chief, list[0].Person, unit, true, ""); err != nil {
			t.Fatal(err)
		}
		if again, err := k.book.WaitingFor(ctx, chief); err != nil || len(again) != mostWaiting/2-1 && len(again) != mostWaiting/2 || again[0].Person == list[0].Person {
			t.Errorf("%d wait, %v", len(again), err)
		}
		_, err = k.book.WaitingFor(ctx, k.auditor)
		if !errors.Is(err, problem.Denied) {
			t.Error(err)
		}
	})
}

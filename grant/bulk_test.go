package grant

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

func TestOutcomes(t *testing.T) {
	const chief, officer = person.ID("chief"), person.ID("officer")
	good := giveFacts{By: chief, Now: noon, Unit: province, Head: true, Subject: officer, Registered: true, OwnOffice: true, Identified: true, From: noon}
	for _, c := range []struct {
		name   string
		has    bool
		change func(o *Order, f *giveFacts)
		want   Outcome
	}{
		{"known in the unit", false, func(o *Order, f *giveFacts) {}, OutcomeGive},
		{"never mentioned", false, func(o *Order, f *giveFacts) { *f = giveFacts{By: chief, Now: noon, Unit: province, Head: true} }, OutcomeWait},
		{"mentioned, not registered", false, func(o *Order, f *giveFacts) { f.Registered, f.OwnOffice, f.Identified = false, false, false }, OutcomeWait},
		{"not registered, has it", true, func(o *Order, f *giveFacts) { f.Registered, f.OwnOffice, f.Identified = false, false, false }, OutcomeHas},
		{"not known yet", false, func(o *Order, f *giveFacts) { f.Identified = false }, OutcomeConfirm},
		{"known by this list", false, func(o *Order, f *giveFacts) { f.Identified, o.Confirmed, o.OtherOffice = false, true, true }, OutcomeGive},
		{"not known yet, has it", true, func(o *Order, f *giveFacts) { f.Identified = false }, OutcomeHas},
		{"of another office", false, func(o *Order, f *giveFacts) { f.OwnOffice = false }, OutcomeOther},
		{"of another office, not known", false, func(o *Order, f *giveFacts) { f.OwnOffice, f.Identified = false, false }, OutcomeOther},
		{"of another office, meant", false, func(o *Order, f *giveFacts) {
			f.OwnOffice, f.Identified, o.Confirmed, o.OtherOffice = false, false, true, true
		}, OutcomeGive},
		{"of another office, has it", true, func(o *Order, f *giveFacts) { f.OwnOffice = false }, OutcomeHas},
		{"switched off", false, func(o *Order, f *giveFacts) { f.Disabled = true }, OutcomeDisabled},
		{"switched off, not known", false, func(o *Order, f *giveFacts) { f.Disabled, f.Identified = true, false }, OutcomeDisabled},
		{"himself", false, func(o *Order, f *giveFacts) { f.Subject = chief }, OutcomeSelf},
		{"himself, head", true, func(o *Order, f *giveFacts) { f.Subject, f.SubjectHead = chief, true }, OutcomeSelf},
		{"another head", false, func(o *Order, f *giveFacts) { f.SubjectHead = true }, OutcomeHead},
		{"another head who has it", true, func(o *Order, f *giveFacts) { f.SubjectHead = true }, OutcomeHead},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, f := Order{Unit: "TH-12", Level: Consider}, good
			c.change(&o, &f)
			got, why := outcomeOf(o, f, c.has)
			if got != c.want || (why == nil) != (got.Gives() || got == OutcomeHas) {
				t.Errorf("%s, %v; want %s", got, why, c.want)
			}
		})
	}
}

// ids answers the citizen IDs of persons.
func (k *kit) ids(t testing.TB, people ...person.ID) (list []thai.CitizenID) {
	t.Helper()
	k.read(t, func(tx *store.Tx) error {
		for _, who := range people {
			id, err := k.roll.CitizenID(t.Context(), tx, who)
			if err != nil {
				return err
			}
			list = append(list, id)
		}
		return nil
	})
	return list
}

// check makes the dry run of a list and puts what was seen into it.
func (k *kit) checkList(t testing.TB, by person.ID, o *ListOrder) string {
	t.Helper()
	result, err := k.book.CheckList(t.Context(), by, *o)
	if err != nil {
		t.Fatal(err)
	}
	o.Seen = result.Seen
	return outcomes(result)
}

func outcomes(r ListResult) string {
	var all []string
	for _, row := range r.Rows {
		word := string(row.Outcome)
		if row.Grant.ID != "" {
			word += "!"
		}
		all = append(all, word)
	}
	return strings.Join(all, " ")
}

func TestGiveList(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		give := func(by person.ID, o ListOrder) ListResult {
			t.Helper()
			result, err := k.book.GiveList(ctx, by, o)
			if err != nil {
				t.Fatal(err)
			}
			return result
		}

		t.Run("each person as Give would have it", func(t *testing.T) {
			unit, chief := k.province(t)
			own, other, holder, known := k.officer(t, unit), k.officer(t, "TH-13"), k.officer(t, unit), k.officer(t, unit)
			deputy := k.officer(t, unit)
			k.appoint(t, AppointmentOrder{Post: Head, Unit: unit, Person: deputy, Kind: Acting, LastDay: today.AddYears(1)})
			k.give(t, chief, to(holder, unit, Consider))
			k.give(t, chief, to(known, unit, Approve))
			nobody := k.citizen(t)
			o := ListOrder{Unit: unit, Level: Consider, LastDay: today.AddYears(1), OrderNumber: "12/2569", Form: store.NewID(),
				Citizens: append(k.ids(t, own, other, holder, known, chief, deputy), nobody)}
			if got := k.checkList(t, chief, &o); got != "confirm other has give self head wait" {
				t.Fatalf("the dry run says %s", got)
			}
			if n := k.count(t, `SELECT count(*) FROM grants WHERE unit = $1`, unit); n != 2 {
				t.Fatalf("the dry run left %d rights", n)
			}
			if e := k.recorded(t, audit.Query{Actor: string(chief), Act: "person.look_up", Subject: string(other)}); e.Unit != unit {
				t.Errorf("the look is recorded as %+v", e)
			}
			o.Known = map[thai.CitizenID]bool{o.Citizens[0]: true}
			if got := outcomes(give(chief, o)); got != "give! other has give! self head wait!" {
				t.Fatalf("the act says %s", got)
			}
			for who, want := range map[person.ID]bool{own: true, known: true, holder: true, other: false, chief: false, deputy: false} {
				if k.may(t, who, Consider, unit) != want {
					t.Errorf("%s may: %v", who, !want)
				}
			}
			if e := k.recorded(t, audit.Query{Act: "grant.give", Subject: string(own)}); e.Detail["level"] != "1" || e.Texts["order_number"] != "12/2569" {
				t.Errorf("recorded as %+v", e)
			}
			if e := k.recorded(t, audit.Query{Act: "grant.give", Subject: string(chief), Outcome: audit.Denied}); e.Detail["why"] != "grant.denied_self" {
				t.Errorf("the refusal is recorded as %+v", e)
			}
			if e := k.recorded(t, audit.Query{Act: "grant.give_list", Actor: string(chief)}); e.Detail["given"] != "3" || e.Detail["rows"] != "7" || e.Unit != unit {
				t.Errorf("the act is recorded as %+v", e)
			}
			if got := k.told(t, own); got != "grant.given" {
				t.Errorf("told %q", got)
			}
			// Again: the same form is the same act, and who was left can be ticked in a new one.
			entries := k.count(t, `SELECT count(*) FROM audit_entries`)
			if got := outcomes(give(chief, o)); got != "has! other has has! self head has!" {
				t.Errorf("the repetition says %s", got)
			}
			if n := k.count(t, `SELECT count(*) FROM audit_entries`); n != entries {
				t.Error("the repetition left a trace")
			}
			o.Form, o.Known[o.Citizens[1]] = store.NewID(), true
			if got := outcomes(give(chief, o)); got != "has give! has has self head has" {
				t.Errorf("the rest says %s", got)
			}
		})

		t.Run("only as it was looked at", func(t *testing.T) {
			unit, chief := k.province(t)
			o := ListOrder{Unit: unit, Level: Consider, Form: store.NewID(), Citizens: []thai.CitizenID{k.citizen(t), k.citizen(t)}}
			_, err := k.book.GiveList(ctx, chief, o)
			checkProblem(t, err, problem.Conflict, "grant.list_changed")
			k.checkList(t, chief, &o)
			for name, change := range map[string]func(o *ListOrder){
				"another person": func(o *ListOrder) { o.Citizens = []thai.CitizenID{o.Citizens[0], k.citizen(t)} },
				"another level":  func(o *ListOrder) { o.Level = Approve },
				"another end":    func(o *ListOrder) { o.LastDay = today.AddYears(1) },
			} {
				other := o
				change(&other)
				_, err := k.book.GiveList(ctx, chief, other)
				if checkProblem(t, err, problem.Conflict, "grant.list_changed"); t.Failed() {
					t.Fatal(name)
				}
			}
			give(chief, o)
			o.Citizens = o.Citizens[:1]
			k.checkList(t, chief, &o)
			_, err = k.book.GiveList(ctx, chief, o)
			checkProblem(t, err, problem.Conflict, "grant.form_used")
		})

		t.Run("by heads in their own unit alone", func(t *testing.T) {
			o := ListOrder{Unit: "TH-12", Level: Consider, Form: store.NewID(), Citizens: []thai.CitizenID{k.citizen(t)}}
			for _, by := range []person.ID{k.chief13, k.admins[0], k.auditor, k.officer(t, "TH-12")} {
				_, err := k.book.CheckList(ctx, by, o)
				k.refused(t, err, problem.Denied, "grant.denied_not_head", by)
				_, err = k.book.GiveList(ctx, by, o)
				k.refused(t, err, problem.Denied, "grant.denied_not_head", by)
			}
		})

		t.Run("what is wrong with all", func(t *testing.T) {
			one := []thai.CitizenID{k.citizen(t)}
			for _, c := range []struct {
				change func(o *ListOrder)
				key    string
			}{
				{func(o *ListOrder) { o.Level = Review }, "grant.level_not_used"},
				{func(o *ListOrder) { o.Team = "G1" }, "grant.team_not_here"},
				{func(o *ListOrder) { o.LastDay = today.AddDays(-1) }, "grant.end_is_past"},
				{func(o *ListOrder) { o.Note = "แทน 3-9900-00000-10-4" }, "problem.holds_citizen"},
				{func(o *ListOrder) { o.Citizens = nil }, "grant.list_empty"},
				{func(o *ListOrder) { o.Citizens = make([]thai.CitizenID, LongestList+1) }, "grant.list_too_long"},
			} {
				o := ListOrder{Unit: "TH-12", Level: Consider, Form: store.NewID(), Citizens: one}
				c.change(&o)
				_, err := k.book.CheckList(ctx, k.chief12, o)
				checkProblem(t, err, problem.Invalid, c.key)
				_, err = k.book.GiveList(ctx, k.chief12, o)
				if c.key == "problem.holds_citizen" || c.key == "grant.list_empty" || c.key == "grant.list_too_long" {
					checkProblem(t, err, problem.Invalid, c.key)
				}
			}
		})

		t.Run("strangers are limited, one's own people are not", func(t *testing.T) {
			unit, chief := k.province(t)
			list := make([]thai.CitizenID, LongestList)
			for i := range list {
				list[i] = k.citizen(t)
			}
			strangers := ListOrder{Unit: unit, Level: Consider, Citizens: list}
			for range listLooks.Burst / LongestList {
				k.checkList(t, chief, &strangers)
			}
			entries := k.count(t, `SELECT count(*) FROM audit_entries`)
			_, err := k.book.CheckList(ctx, chief, strangers)
			checkProblem(t, err, problem.Busy, "grant.too_many_lookups")
			if n := k.count(t, `SELECT count(*) FROM audit_entries`); n != entries {
				t.Error("a look that was refused was recorded as one")
			}
			own := ListOrder{Unit: unit, Level: Consider, Citizens: k.ids(t, k.officer(t, unit))}
			if got := k.checkList(t, chief, &own); got != "confirm" {
				t.Errorf("of his own he is told %s", got)
			}
			k.Clock.Advance(time.Duration(LongestList) * listLooks.Every)
			k.checkList(t, chief, &strangers)
		})
	})
}

// Whatever comes first, a single gift or a list, the person has the right once.
func TestGiveListBesideGive(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		unit, chief := k.province(t)
		list := make([]thai.CitizenID, 40)
		for i := range list {
			list[i] = k.citizen(t)
		}
		var orders [3]ListOrder
		for i := range orders {
			orders[i] = ListOrder{Unit: unit, Level: Consider, Form: store.NewID(), Citizens: list}
			k.checkList(t, chief, &orders[i])
		}
		orders[2].Form = orders[1].Form // sent twice at once
		var wg sync.WaitGroup
		given := make([]int, len(orders)+1)
		for i, o := range orders {
			wg.Go(func() {
				result, err := k.book.GiveList(t.Context(), chief, o)
				if err != nil {
					t.Error(err)
				}
				for _, row := range result.Rows {
					if row.Grant.ID != "" {
						given[i]++
					}
				}
			})
		}
		wg.Go(func() {
			for _, citizen := range list {
				_, err := k.book.Give(t.Context(), chief, Order{Unit: unit, Level: Consider, Citizen: citizen})
				switch {
				case err == nil:
					given[3]++
				case !errors.Is(err, problem.Conflict):
					t.Error(err)
				}
			}
		})
		wg.Wait()
		n := k.count(t, `SELECT count(*) FROM grants WHERE unit = $1 AND closed_at IS NULL`, unit)
		if n != len(list) || given[1] != given[2] || given[0]+given[1]+given[3] != len(list) {
			t.Errorf("%d rights of %d persons, given %v", n, len(list), given)
		}
	})
}

// A list is as long as it may be: half of them registered and to be told, half to wait.
func TestLongestList(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		unit, chief := k.province(t)
		o := ListOrder{Unit: unit, Level: Consider, Form: store.NewID(), Known: map[thai.CitizenID]bool{}}
		for i := range LongestList {
			id := k.citizen(t)
			if i%2 == 0 {
				k.register(t, id, officer.Account{Unit: unit})
			}
			o.Known[id] = true
			o.Citizens = append(o.Citizens, id)
		}
		start := time.Now()
		k.checkList(t, chief, &o)
		checked := time.Since(start)
		start = time.Now()
		result, err := k.book.GiveList(t.Context(), chief, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d persons: dry run in %v, given in %v", LongestList, checked.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
		if n := k.count(t, `SELECT count(*) FROM grants WHERE unit = $1`, unit); n != LongestList || len(result.Rows) != LongestList {
			t.Errorf("%d rights of %d rows", n, len(result.Rows))
		}
	})
}

// When one row can not be written, none is.
func TestGiveListIsWhole(t *testing.T) {
	env := storetest.SQLite(t)
	k := open(t, env)
	unit, chief := k.province(t)
	o := ListOrder{Unit: unit, Level: Consider, Form: store.NewID(), Citizens: []thai.CitizenID{k.citizen(t), k.citizen(t), k.citizen(t)}}
	k.checkList(t, chief, &o)
	k.write(t, func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `CREATE TRIGGER third BEFORE INSERT ON grants
			WHEN (SELECT count(*) FROM grants WHERE unit = '`+unit+`') = 2 BEGIN SELECT RAISE(ABORT, 'no room'); END`)
		return err
	})
	if _, err := k.book.GiveList(t.Context(), chief, o); err == nil {
		t.Fatal("went through")
	}
	if n := k.count(t, `SELECT count(*) FROM grants WHERE unit = $1`, unit); n != 0 {
		t.Errorf("%d rights are left", n)
	}
}

func TestIdentifyMany(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		unit, chief := k.province(t)
		var list []Named
		for i := range 4 {
			id := k.citizen(t)
			k.give(t, chief, Order{Unit: unit, Level: Consider, Citizen: id})
			home := unit
			if i == 3 {
				home = "TH-13"
			}
			list = append(list, Named{k.register(t, id, officer.Account{Unit: home}), unit})
		}
		idle := Named{k.officer(t, unit), unit}   // waits for nothing
		known := list[2]                          // somebody else was first
		foreign := Named{list[0].Person, "TH-13"} // not his unit
		if err := k.book.Identify(ctx, chief, known.Person, unit, true, ""); err != nil {
			t.Fatal(err)
		}
		left, err := k.book.IdentifyMany(ctx, chief, append(list, idle, foreign))
		if err != nil {
			t.Fatal(err)
		}
		if len(left) != 3 {
			t.Errorf("left are %v", left)
		}
		checkProblem(t, left[known], problem.Conflict, "grant.already_confirmed")
		checkProblem(t, left[idle], problem.NotFound, "grant.nothing_pending")
		checkProblem(t, left[foreign], problem.Denied, "grant.denied_not_head")
		for _, one := range list {
			if !k.may(t, one.Person, Consider, unit) {
				t.Errorf("%s may not", one.Person)
			}
		}
		if e := k.recorded(t, audit.Query{Act: "grant.confirm_list", Actor: string(chief)}); e.Detail["confirmed"] != "3" || e.Detail["rows"] != "6" {
			t.Errorf("recorded as %+v", e)
		}
		if e := k.recorded(t, audit.Query{Act: "grant.confirm", Outcome: audit.Denied, Actor: string(chief)}); e.Unit != "TH-13" {
			t.Errorf("the refusal is recorded as %+v", e)
		}
		if s := k.count(t, `SELECT count(*) FROM grants WHERE unit = $1 AND other_office = TRUE`, unit); s != 1 {
			t.Errorf("%d rights of another office", s)
		}
		_, err = k.book.IdentifyMany(ctx, chief, nil)
		checkProblem(t, err, problem.Invalid, "grant.nobody_chosen")
		_, err = k.book.IdentifyMany(ctx, chief, make([]Named, LongestList+1))
		checkProblem(t, err, problem.Invalid, "grant.list_too_long")
		_, err = k.book.IdentifyMany(ctx, k.admins[0], list)
		k.refused(t, err, problem.Denied, "grant.denied_not_head", k.admins[0])
	})
}

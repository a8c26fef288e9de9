package grant

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"sitthi/internal/clock"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/person"
)

// naive is the same memory without any thought of speed: all entries by person, and the rule in its own words.
type naive struct {
	places []Place
	rights map[person.ID][]entry
}

// answer is what unlocked says, but for who is locked.
func (n naive) answer(who person.ID, do Action, at Place, now time.Time) Answer {
	a := n.unlocked(who, do, at, now)
	if list := n.rights[who]; a.Reason != UnknownPlace && len(list) > 0 && !list[0].locks.IsZero() && !now.Before(list[0].locks) {
		a.Allowed, a.Reason = false, Locked
	}
	return a
}

func (n naive) unlocked(who person.ID, do Action, at Place, now time.Time) Answer {
	if !slices.Contains(n.places, at) {
		return Answer{Reason: UnknownPlace}
	}
	pick := func(reason Reason, fits func(e entry) bool) (Answer, bool) {
		i := slices.IndexFunc(n.rights[who], fits)
		if i < 0 {
			return Answer{}, false
		}
		return Answer{Allowed: reason == Permitted, Reason: reason, Grant: n.rights[who][i].id}, true
	}
	place := func(e entry) Place { return Place{e.unit, e.team} }
	holds := func(e entry) bool { return within(now, e.from, e.until) }
	for _, try := range []struct {
		reason Reason
		fits   func(e entry) bool
	}{
		{Permitted, func(e entry) bool { return e.action == do && covers(place(e), at) && holds(e) }},
		{NotYet, func(e entry) bool { return e.action == do && covers(place(e), at) && now.Before(e.from) }},
		{Ended, func(e entry) bool {
			return e.action == do && covers(place(e), at) && !e.until.IsZero() && !now.Before(e.until) && now.Before(e.until.AddDate(0, 0, 1))
		}},
		{OtherGroup, func(e entry) bool { return e.action == do && e.unit == at.Unit && holds(e) }},
		{OtherLevel, func(e entry) bool { return covers(place(e), at) && holds(e) }},
	} {
		if a, ok := pick(try.reason, try.fits); ok {
			return a
		}
	}
	return Answer{Reason: NoRight}
}

// TestAnswers holds memory against the naive one after every change: answers with their reasons, and the three searches.
func TestAnswers(t *testing.T) {
	units := []string{"IWM", "TH-12", "TH-13"}
	asked := []Place{{"IWM", ""}, {"IWM", "G1"}, {"IWM", "G2"}, {"IWM", "G3"}, {"TH-12", ""}, {"TH-12", "G1"}, {"TH-13", ""}, {"TH-99", ""}, {"", ""}}
	people := make([]person.ID, 6)
	for i := range people {
		people[i] = person.ID(fmt.Sprintf("p%d", i))
	}
	seen := map[Reason]int{}
	rapid.Check(t, func(r *rapid.T) {
		now := storetest.Start
		clock := clock.NewManual(now)
		book := &Book{now: newSnapshot(), clock: clock}
		model := naive{places: placesOf(units), rights: map[person.ID][]entry{}}
		book.now.meet(model.places[:4]) // of the groups only the first
		book.now.meet(model.places)
		for range rapid.IntRange(1, 4).Draw(r, "changes") {
			moved := rapid.SliceOfDistinct(rapid.SampledFrom(people), rapid.ID).Draw(r, "moved")
			var entries []entry
			for _, who := range moved {
				model.rights[who] = nil
				var locks time.Time
				if days := rapid.IntRange(0, 4).Draw(r, "locks"); days < 3 {
					locks = now.Add(time.Duration(days) * 12 * time.Hour)
				}
				for range rapid.IntRange(0, 4).Draw(r, "rights") {
					at := rapid.SampledFrom(model.places).Draw(r, "place")
					e := entry{id: ID(uuid.New()), person: who, unit: at.Unit, team: at.Team, action: rapid.SampledFrom(actions[:]).Draw(r, "action"), locks: locks}
					e.from = now.Add(time.Duration(rapid.IntRange(-2, 2).Draw(r, "from")) * 12 * time.Hour)
					if hours := rapid.IntRange(-3, 4).Draw(r, "until") * 12; hours < 48 {
						e.until = now.Add(time.Duration(hours) * time.Hour)
					}
					model.rights[who] = append(model.rights[who], e)
					entries = append(entries, e)
				}
			}
			book.now.put(moved, entries, now)
			now = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(r, "later")) * (12*time.Hour + time.Duration(rapid.IntRange(-1, 1).Draw(r, "µs"))*time.Microsecond))
			clock.Set(now)
			for _, do := range actions {
				where := map[person.ID][]Place{}
				for _, at := range asked {
					var who []person.ID
					for _, p := range people {
						want := model.answer(p, do, at, now)
						seen[want.Reason]++
						if got := book.Answer(p, do, at); got != want {
							r.Fatalf("%s, %d in %v: %+v, want %+v, of %+v", p, do, at, got, want, model.rights[p])
						}
						if book.Allows(p, do, at) != want.Allowed {
							r.Fatalf("%s, %d in %v: Allows says the other", p, do, at)
						}
						if want.Allowed {
							who, where[p] = append(who, p), append(where[p], at)
						}
						if may := book.May(p, at); slices.Contains(may, do) != want.Allowed || !slices.IsSorted(may) {
							r.Fatalf("%s may %v in %v, want %d: %v", p, may, at, do, want.Allowed)
						}
					}
					if got := book.Who(do, at, "", len(people)); !slices.Equal(got, who) {
						r.Fatalf("%v may %d in %v, want %v", got, do, at, who)
					}
					size := rapid.IntRange(1, 3).Draw(r, "page")
					var paged []person.ID
					for after := person.ID(""); ; after = paged[len(paged)-1] {
						page := book.Who(do, at, after, size)
						if len(page) == 0 {
							break
						}
						paged = append(paged, page...)
					}
					if !slices.Equal(paged, who) {
						r.Fatalf("%v in pages of %d, want %v", paged, size, who)
					}
				}
				for _, p := range people {
					if got := book.Where(p, do); !slices.Equal(got, where[p]) {
						r.Fatalf("%s may %d in %v, want %v", p, do, got, where[p])
					}
				}
			}
		}
	})
	for _, reason := range append(reasons[:], UnknownPlace, Locked) {
		if seen[reason] == 0 {
			t.Errorf("no question was answered %s", reason)
		}
	}
}

// TestAnswersMeanwhile asks while rights move: everybody is seen whole, before or after a change, and pages stay in order.
func TestAnswersMeanwhile(t *testing.T) {
	now := storetest.Start
	book := &Book{now: newSnapshot(), clock: clock.NewManual(now)}
	units := []string{"IWM", "TH-12", "TH-13"}
	book.now.meet(placesOf(units))
	people := make([]person.ID, 40)
	// In one state a person considers in the whole of IWM, in the other he approves in two provinces.
	state := func(who person.ID, n int) []entry {
		if n%2 == 0 {
			return []entry{{person: who, unit: "IWM", action: DoConsider, from: now}}
		}
		return []entry{{person: who, unit: "TH-12", action: DoApprove, from: now}, {person: who, unit: "TH-13", action: DoApprove, from: now}}
	}
	var all []entry
	for i := range people {
		people[i] = person.ID(fmt.Sprintf("p%02d", i))
		all = append(all, state(people[i], i)...)
	}
	book.now.put(people, all, now)
	var readers sync.WaitGroup
	done := make(chan struct{})
	for i := range 4 {
		readers.Go(func() {
			for n := i; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				who := people[n%len(people)]
				if places := len(book.Where(who, DoApprove)); places != 0 && places != 2 {
					t.Errorf("%s approves in %d places", who, places)
				}
				for _, at := range []Place{{"IWM", "G1"}, {"TH-12", ""}, {"TH-13", ""}} {
					for _, do := range []Action{DoConsider, DoApprove} {
						if page := book.Who(do, at, who, 10); !slices.IsSortedFunc(page, func(a, b person.ID) int { return strings.Compare(string(a), string(b)) }) || slices.Contains(page, who) {
							t.Errorf("behind %s: %v", who, page)
						}
					}
				}
			}
		})
	}
	const turns = 2_000
	for n := range turns {
		who := people[n*7%len(people)]
		book.now.put([]person.ID{who}, state(who, n), now)
		if n%2 == 0 != book.Allows(who, DoConsider, Place{"IWM", "G2"}) || n%2 == 0 == slices.Contains(book.Who(DoApprove, Place{"TH-13", ""}, "", len(people)), who) {
			t.Fatalf("turn %d: %s is not where he was put", n, who)
		}
	}
	close(done)
	readers.Wait()
	considers, approves := book.Who(DoConsider, Place{"IWM", ""}, "", len(people)), book.Who(DoApprove, Place{"TH-12", ""}, "", len(people))
	if len(considers)+len(approves) != len(people) {
		t.Errorf("%d consider and %d approve, of %d people", len(considers), len(approves), len(people))
	}
}

// TestAnswersOfTheBook asks for what acts have made, and for units and groups as they are added.
func TestAnswersOfTheBook(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		who := k.officer(t, "IWM")
		given := k.give(t, k.iwm, to(who, "IWM", Consider))
		o := to(who, "IWM", Approve)
		o.Team, o.From = "G1", today.AddDays(2)
		later := k.give(t, k.iwm, o)
		unit, chief := k.province(t)
		var post string
		k.read(t, func(tx *store.Tx) error {
			return tx.QueryRow(ctx, `SELECT id FROM appointments WHERE person_id = $1 AND post = 'head'`, chief).Scan(&post)
		})
		for _, c := range []struct {
			who    person.ID
			do     Action
			at     Place
			reason Reason
			id     string
		}{
			{who, DoConsider, Place{"IWM", "G1"}, Permitted, given.ID},
			{who, DoApprove, Place{"IWM", "G1"}, NotYet, later.ID},
			{who, DoApprove, Place{"IWM", ""}, OtherLevel, given.ID},
			{who, DoConsider, Place{"IWM", "G3"}, UnknownPlace, ""},
			{who, DoConsider, Place{unit, ""}, NoRight, ""},
			{chief, Administer, Place{unit, ""}, Permitted, post},
			{"nobody", DoConsider, Place{"IWM", ""}, NoRight, ""},
		} {
			if got := k.book.Answer(c.who, c.do, c.at); got.Reason != c.reason || got.Grant.String() != c.id || got.Allowed != (c.reason == Permitted) {
				t.Errorf("%d in %v: %+v (%s), want %s of %s", c.do, c.at, got, got.Grant, c.reason, c.id)
			}
		}
		if k.may(t, who, Consider, "IWM", "G3") {
			t.Error("he may act in a group that does not exist")
		}
		if _, err := k.desk.AddTeam(ctx, string(k.admins[0]), "IWM", "G3", locale.Name{TH: "กลุ่มใหม่", EN: "New group"}); err != nil {
			t.Fatal(err)
		}
		if err := k.book.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		if !k.may(t, who, Consider, "IWM", "G3") {
			t.Error("a right of the whole division does not serve in its new group")
		}
		if got, want := k.book.Where(who, DoConsider), []Place{{"IWM", ""}, {"IWM", "G1"}, {"IWM", "G2"}, {"IWM", "G3"}}; !slices.Equal(got, want) {
			t.Errorf("he considers in %v, want %v", got, want)
		}
		if got := k.book.Who(Administer, Place{unit, ""}, "", 10); !slices.Equal(got, []person.ID{chief}) {
			t.Errorf("heads of %s are %v", unit, got)
		}
		if got := k.book.May(k.admins[0], Place{centreUnit, ""}); !slices.Equal(got, []Action{Centre}) {
			t.Errorf("an administrator may %v", got)
		}
		if k.revoke(t, k.iwm, given); k.book.Answer(who, DoConsider, given.Scope()).Reason != NoRight || k.book.Who(DoConsider, given.Scope(), "", 10) != nil {
			t.Error("the right ended and still counts")
		}
	})
}

// TestNoRightWhereNoneIsGiven: answers look at rights, not at whether a group is retired or a unit uses level 2. They need
// not: what is taken out of use has no rights, however closely an act of giving and one of taking out of use meet.
func TestNoRightWhereNoneIsGiven(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		retired := 0
		for n := range 8 {
			team, err := k.desk.AddTeam(ctx, string(k.admins[0]), "IWM", "", locale.Name{TH: fmt.Sprintf("กลุ่มชั่วคราว %d", n), EN: "Temporary"})
			if err != nil {
				t.Fatal(err)
			}
			o := to(k.officer(t, "IWM"), "IWM", Approve)
			o.Team = team.Code
			var given error
			var both sync.WaitGroup
			both.Go(func() { _, given = k.book.Give(ctx, k.iwm, o) })
			time.Sleep(time.Duration(n) * time.Millisecond) // now one is first, now the other
			err = k.desk.RetireTeam(ctx, string(k.admins[0]), "IWM", team.Code, team.Version)
			both.Wait()
			refusal(t, given)
			refusal(t, err)
			folder, err := k.desk.Folder(ctx, "IWM")
			if err != nil {
				t.Fatal(err)
			}
			team, err = folder.Team(team.Code)
			if err != nil {
				t.Fatal(err)
			}
			holds := k.may(t, o.Person, Approve, "IWM", team.Code)
			if holds == !team.Active {
				t.Errorf("round %d: the group is in use %v, the right holds %v", n, team.Active, holds)
			}
			if !team.Active {
				retired++
			}
		}
		t.Logf("retired first: %d of 8", retired)
	})
}

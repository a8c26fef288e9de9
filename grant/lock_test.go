package grant

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// TestLockedHasNoEffect follows an officer and his chief over the 60 days, by memory and by database: no job runs and
// nothing is read again in between.
func TestLockedHasNoEffect(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		unit, chief := k.province(t)
		who := k.officer(t, unit)
		g := k.give(t, chief, to(who, unit, Approve))
		start := env.Clock.Now()
		k.at(t, start.Add(officer.LockAfter-time.Second))
		if !k.may(t, who, Approve, unit) || !slices.Contains(k.book.Posts(chief).Heads, unit) {
			t.Error("locked a second early")
		}
		other := k.officer(t, unit)
		k.give(t, chief, to(other, unit, Consider))
		k.at(t, start.Add(officer.LockAfter))
		if k.may(t, who, Approve, unit) {
			t.Error("not locked after 60 days")
		}
		at := Place{Unit: unit}
		if a := k.book.Answer(who, DoApprove, at); a.Reason != Locked || a.Grant.String() != g.ID {
			t.Errorf("the answer is %+v", a)
		}
		if len(k.book.Who(DoApprove, at, "", 9)) > 0 || len(k.book.Where(who, DoApprove)) > 0 || len(k.book.May(who, at)) > 0 {
			t.Error("a search finds who is locked")
		}
		fresh := k.newBook(k.DB) // as after a restart
		if err := fresh.Load(ctx); err != nil {
			t.Fatal(err)
		}
		if a := fresh.Answer(who, DoApprove, at); a.Reason != Locked {
			t.Errorf("after a restart the answer is %+v", a)
		}

		t.Run("a locked chief has no authority", func(t *testing.T) {
			if p := k.book.Posts(chief); len(p.Heads) > 0 {
				t.Errorf("his pages are open: %+v", p)
			}
			_, err := k.book.Give(ctx, chief, k.byID(t, to(other, unit, Approve)))
			k.refused(t, err, problem.Denied, "grant.denied_not_head", chief)
			if _, err := k.book.Grid(ctx, chief, Filter{}); key(err) != "denied grant.denied_not_reader" {
				t.Errorf("the grid: %v", err)
			}
			if _, err := k.book.Attendances(ctx, chief, AttendanceFilter{}); key(err) != "denied activation.denied_reader" {
				t.Errorf("the page of sign-ins: %v", err)
			}
			err = k.DB.Write(ctx, func(tx *store.Tx) error { return k.book.RequireAdministrator(ctx, tx, k.admins[0]) })
			checkProblem(t, err, problem.Denied, "appoint.denied_not_administrator")
		})

		t.Run("his rights stay", func(t *testing.T) {
			k.write(t, func(tx *store.Tx) error { return officer.Reopen(ctx, tx, k.admins[0]) })
			s := k.see(t, g.ID)
			if s.State != StateLocked {
				t.Errorf("the grid says %s", s.State)
			}
			e, err := k.book.Explain(ctx, Question{Who: who, Do: DoApprove, At: at})
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(e.Conditions, func(c Condition) bool { return c.Code == CondUnlocked })
			if e.Reason != Locked || i < 0 || e.Conditions[i].Met != No || e.Conditions[i].Deed.At.IsZero() {
				t.Errorf("explained by %+v", e)
			}
			if err := k.book.CatchUp(ctx); err != nil {
				t.Fatal(err)
			}
			if u := k.picture(t, "locked", unit); u.Heads != 0 || u.Holders[Approve] != 0 || u.Holders[Consider] != 1 {
				t.Errorf("the picture counts %+v", u)
			}
			k.write(t, func(tx *store.Tx) error { return officer.Reopen(ctx, tx, who) })
			if err := k.book.CatchUp(ctx); err != nil {
				t.Fatal(err)
			}
			if !k.may(t, who, Approve, unit) {
				t.Error("opened again, he may not")
			}
			if u := k.picture(t, "reopened", unit); u.Holders[Approve] != 1 {
				t.Errorf("the picture counts %+v", u)
			}
			past := Question{Who: who, Do: DoApprove, At: at, Moment: env.Clock.Now().Add(-time.Microsecond)}
			if a, err := k.book.AnswerAt(ctx, past); err != nil || a.Reason != Locked && past.Moment.After(start.Add(officer.LockAfter)) {
				t.Errorf("of the time before it is answered %+v, %v", a, err)
			}
		})
	})
}

// TestLockWasNotAlways asks about a time before accounts locked at all.
func TestLockWasNotAlways(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		unit, chief := k.province(t)
		who := k.officer(t, unit)
		k.give(t, chief, to(who, unit, Consider))
		since := env.Clock.Now().Add(officer.LockAfter + 24*time.Hour)
		k.write(t, func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO installation (name, value) VALUES ($1, $2)`, ForceMark, fmt.Sprint(store.Us(since)))
			return err
		})
		k.at(t, since.Add(time.Hour))
		for moment, want := range map[time.Time]Reason{since.Add(-time.Microsecond): Permitted, since: Locked} {
			a, err := k.book.AnswerAt(t.Context(), Question{Who: who, Do: DoConsider, At: Place{Unit: unit}, Moment: moment})
			if err != nil || a.Reason != want {
				t.Errorf("at %s: %+v, %v", moment, a, err)
			}
		}
	})
}

// TestSignInsAreFollowed shows that another process learns of sign-ins and reopenings by what changed, not by reading
// everything.
func TestSignInsAreFollowed(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		who := k.officer(t, "TH-12")
		k.give(t, k.chief12, to(who, "TH-12", Consider))
		other := k.newBook(k.DB)
		if err := other.Load(ctx); err != nil {
			t.Fatal(err)
		}
		was := other.now.holder(who)
		k.at(t, env.Clock.Now().Add(officer.LockAfter/2))
		k.awake(t)
		if err := other.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		k.at(t, env.Clock.Now().Add(officer.LockAfter-time.Second))
		if !other.Allows(who, DoConsider, Place{Unit: "TH-12"}) {
			t.Error("the sign-in was not followed")
		}
		k.at(t, env.Clock.Now().Add(24*time.Hour))
		if other.Allows(who, DoConsider, Place{Unit: "TH-12"}) {
			t.Error("the lock was not seen")
		}
		k.write(t, func(tx *store.Tx) error { return officer.Reopen(ctx, tx, who) })
		if err := other.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		if !other.Allows(who, DoConsider, Place{Unit: "TH-12"}) {
			t.Error("the reopening was not followed")
		}
		if other.now.holder(who) != was {
			t.Error("his rights were read again for a sign-in")
		}
	})
}

// TestMayActivate holds who may let a locked officer in again.
func TestMayActivate(t *testing.T) {
	head := activateFacts{By: "head", Subject: "who", Head: true, Heads: true, Waits: true, Locked: true}
	centre := activateFacts{By: "admin", Subject: "who", Administrator: true, Waits: true, Locked: true}
	with := func(f activateFacts, change func(*activateFacts)) activateFacts { change(&f); return f }
	for name, c := range map[string]struct {
		f    activateFacts
		want string
	}{
		"his head":                              {head, ""},
		"an office without another head":        {centre, ""},
		"an administrator beside a head":        {with(centre, func(f *activateFacts) { f.Heads = true }), "denied activation.denied_not_head"},
		"who holds a post, by his head":         {with(head, func(f *activateFacts) { f.Privileged = true }), "denied activation.denied_not_administrator"},
		"who holds a post, by an administrator": {with(centre, func(f *activateFacts) { f.Privileged, f.Heads = true, true }), ""},
		"himself, being head":                   {with(head, func(f *activateFacts) { f.By = "who" }), "denied activation.denied_self"},
		"himself, being administrator":          {with(centre, func(f *activateFacts) { f.By = "who" }), "denied activation.denied_self"},
		"anybody else":                          {with(head, func(f *activateFacts) { f.Head = false }), "notfound activation.not_found"},
		"decided before":                        {with(head, func(f *activateFacts) { f.Waits = false }), "conflict activation.decided"},
		"opened meanwhile":                      {with(head, func(f *activateFacts) { f.Locked = false }), "conflict activation.decided"},
	} {
		if got := key(mayActivate(c.f)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestAttendances goes through the pages of who signs in as a head and as the centre, who see their own, and nobody else.
func TestAttendances(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		unit, chief := k.province(t)
		other, _ := k.province(t)
		var mine []person.ID
		for range 25 {
			mine = append(mine, k.officer(t, unit))
		}
		locked, soon, foreign := mine[20], mine[3], k.officer(t, other)
		k.asleep(t, locked, officer.LockAfter)
		k.asleep(t, soon, officer.LockAfter-LocksSoon)
		k.asleep(t, foreign, officer.LockAfter)
		k.write(t, func(tx *store.Tx) error {
			for who, name := range map[person.ID]string{soon: "ธัญญา ร้อยดาว", foreign: "ธัญญา เดือนเพ็ญ"} {
				if _, err := tx.Exec(ctx, `UPDATE accounts SET name_fold = $2, name_sort = $3 WHERE person_id = $1`, who, thai.Fold(name), thai.SortKey(name)); err != nil {
					return err
				}
			}
			return nil
		})
		list := func(t *testing.T, by person.ID, f AttendanceFilter) (Attendances, []person.ID) {
			t.Helper()
			page, err := k.book.Attendances(ctx, by, f)
			if err != nil {
				t.Fatal(err)
			}
			var ids []person.ID
			for _, a := range page.List {
				ids = append(ids, a.Person)
			}
			return page, ids
		}

		first, ids := list(t, chief, AttendanceFilter{Size: 20})
		if first.Everyone != 26 || first.Locked != 1 || first.Soon != 1 || first.Total != 26 || first.Number != 1 || first.Pages != 2 || len(ids) != 20 ||
			ids[0] != locked || ids[1] != soon || len(first.Units) != 1 || first.Units[0].Code != unit {
			t.Errorf("the first page: %+v", first)
		}
		last, rest := list(t, chief, AttendanceFilter{Size: 20, Page: 99})
		if last.Number != 2 || len(rest) != 6 {
			t.Errorf("beyond the last page: page %d with %d", last.Number, len(rest))
		}
		if all := slices.Concat(ids, rest); len(slices.Compact(slices.Sorted(slices.Values(all)))) != 26 || slices.Contains(all, foreign) {
			t.Errorf("the pages together: %v", all)
		}
		for name, c := range map[string]struct {
			by   person.ID
			f    AttendanceFilter
			want []person.ID
		}{
			"locked":                      {chief, AttendanceFilter{State: AttendanceLocked}, []person.ID{locked}},
			"soon":                        {chief, AttendanceFilter{State: AttendanceSoon}, []person.ID{soon}},
			"by name":                     {chief, AttendanceFilter{Search: " ร้อย"}, []person.ID{soon}},
			"by name and state":           {chief, AttendanceFilter{Search: "ธัญญา", State: AttendanceLocked}, nil},
			"wildcards are letters":       {chief, AttendanceFilter{Search: "%"}, nil},
			"another unit":                {chief, AttendanceFilter{Unit: other}, nil},
			"the centre, by name":         {k.admins[0], AttendanceFilter{Search: "ธัญญา"}, []person.ID{foreign, soon}},
			"the centre, by name, sorted": {k.admins[0], AttendanceFilter{Search: "ธัญญา", Sort: "name", Desc: true}, []person.ID{soon, foreign}},
			"the centre, in one unit":     {k.admins[0], AttendanceFilter{Unit: other, State: AttendanceLocked}, []person.ID{foreign}},
			"what can not be sorted by":   {chief, AttendanceFilter{State: AttendanceSoon, Sort: "a.phone; --"}, []person.ID{soon}},
		} {
			page, got := list(t, c.by, c.f)
			if !slices.Equal(got, c.want) || page.Total != len(c.want) {
				t.Errorf("%s: %v of %d, want %v", name, got, page.Total, c.want)
			}
		}
		for column := range attendanceSorts {
			if _, got := list(t, chief, AttendanceFilter{Sort: column}); len(got) != 26 {
				t.Errorf("by %s: %d", column, len(got))
			}
		}
	})
}

// TestActivate has requests decided.
func TestActivate(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		request := func(t *testing.T, who person.ID, unit string) string {
			t.Helper()
			id := store.NewID()
			k.asleep(t, who, officer.LockAfter)
			k.write(t, func(tx *store.Tx) error {
				if _, err := tx.Exec(ctx, `INSERT INTO activations (id, person_id, browser, unit, asked_at, created_at, expires_at) VALUES ($1, $2, 'b', $3, $4, $4, $4)`,
					id, who, unit, store.Us(tx.Now)); err != nil {
					return err
				}
				a, err := officer.Find(ctx, tx, who)
				if err != nil {
					return err
				}
				return k.book.Asked(ctx, tx, a)
			})
			return id
		}
		decide := func(by person.ID, id string, d Decision) error {
			name, err := k.book.Activate(ctx, by, id, d)
			if (name == "") != (err != nil) {
				t.Errorf("answered the name %q, %v", name, err)
			}
			return err
		}
		unit, chief := k.province(t)
		who, refused, quiet := k.officer(t, unit), k.officer(t, unit), k.officer(t, unit)
		k.asleep(t, quiet, officer.LockAfter-LocksSoon)
		id := request(t, who, unit)
		if told := k.told(t, chief); !strings.Contains(told, "activation.asked") {
			t.Errorf("his chief was told %q", told)
		}
		page, err := k.book.Attendances(ctx, chief, AttendanceFilter{})
		if err != nil || len(page.Requests) != 1 || page.Requests[0].ID != id || !page.Requests[0].Own || len(page.List) != 4 ||
			page.List[0].Person != who || !page.List[0].Locked || page.List[1].Person != quiet || !page.List[1].Soon || page.List[2].Soon {
			t.Errorf("the chief sees %+v, %v", page, err)
		}
		if page, err := k.book.Attendances(ctx, k.admins[0], AttendanceFilter{}); err != nil || len(page.Requests) != 0 || !page.All || page.Locked != 1 || page.Soon != 1 {
			t.Errorf("the centre sees %+v, %v", page, err)
		}
		_, err = k.book.Attendances(ctx, quiet, AttendanceFilter{})
		checkProblem(t, err, problem.Denied, "activation.denied_reader")

		for by, want := range map[person.ID]int{chief: 1, k.chief13: 0, k.admins[0]: 0, who: 0} {
			if n, err := k.book.Asking(ctx, by); err != nil || n != want {
				t.Errorf("%s is told of %d requests, want %d; %v", by, n, want, err)
			}
		}
		checkProblem(t, decide(k.chief13, id, Decision{Confirmed: true}), problem.NotFound, "activation.not_found")
		checkProblem(t, decide(k.admins[0], id, Decision{Confirmed: true}), problem.Denied, "activation.denied_not_head")
		checkProblem(t, decide(chief, store.NewID(), Decision{Confirmed: true}), problem.NotFound, "activation.not_found")
		if err := decide(chief, id, Decision{}); !errors.Is(err, problem.Invalid) {
			t.Errorf("refused without a reason: %v", err)
		}
		if err := decide(chief, id, Decision{Confirmed: true}); err != nil {
			t.Fatal(err)
		}
		checkProblem(t, decide(chief, id, Decision{Confirmed: true}), problem.Conflict, "activation.decided")
		if told := k.told(t, who); told != "activation.confirmed activation.confirmed" {
			t.Errorf("he was told %q", told)
		}
		page, err = k.book.Attendances(ctx, chief, AttendanceFilter{})
		if err != nil || len(page.Requests) != 0 || page.List[len(page.List)-1].Locked {
			t.Errorf("afterwards the chief sees %+v, %v", page, err)
		}
		if i := slices.IndexFunc(page.List, func(a Attendance) bool { return a.Person == who }); page.List[i].Reopened.IsZero() ||
			!page.List[i].LastSignIn.Equal(env.Clock.Now().Add(-officer.LockAfter)) {
			t.Errorf("of who was opened again the chief sees %+v", page.List[i])
		}

		id = request(t, refused, unit)
		if err := decide(chief, id, Decision{Reason: "ลาออกแล้ว"}); err != nil {
			t.Fatal(err)
		}
		if m := k.message(t, refused); !strings.Contains(k.told(t, refused), "activation.refused") || m == "" {
			t.Errorf("he was told %q", m)
		}

		t.Run("whose head is locked too", func(t *testing.T) {
			unit, chief := k.province(t)
			who := k.officer(t, unit)
			k.asleep(t, chief, officer.LockAfter)
			id := request(t, who, unit)
			if !strings.Contains(k.told(t, k.admins[1]), "activation.asked") || strings.Contains(k.told(t, chief), "activation.asked") {
				t.Error("the centre was not told, or the locked head was")
			}
			checkProblem(t, decide(chief, id, Decision{Confirmed: true}), problem.NotFound, "activation.not_found")
			if err := decide(k.admins[1], id, Decision{Confirmed: true}); err != nil {
				t.Error(err)
			}
		})

		t.Run("nobody decides about himself, whatever the program does", func(t *testing.T) {
			id := request(t, k.officer(t, unit), unit)
			err := k.DB.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.Exec(ctx, `UPDATE activations SET decided_by = person_id, decided_at = 1 WHERE id = $1`, id)
				return err
			})
			if err == nil {
				t.Error("the database took it")
			}
		})
	})
}

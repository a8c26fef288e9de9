package grant

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/officer"
	"sitthi/person"
)

// picture answers what an administrator sees of one unit, and checks that of every unit it says what is counted in the
// database by the rules of a head's overview.
func (k *kit) picture(t testing.TB, when, unit string) (one UnitPicture) {
	t.Helper()
	list, err := k.book.Picture(t.Context(), k.admins[0])
	if err != nil {
		t.Fatal(err)
	}
	fresh := k.newBook(k.DB)
	k.read(t, func(tx *store.Tx) error {
		version, err := versionOfFigures(t.Context(), tx)
		if err != nil {
			return err
		}
		for _, u := range list {
			f, err := fresh.figures(t.Context(), tx, u.Unit.Code, version)
			if err != nil {
				return err
			}
			heads, err := fresh.countHolders(t.Context(), tx, u.Unit.Code, Head, "")
			if err != nil {
				return err
			}
			got := fmt.Sprint(u.Heads, u.Holders, u.EndSoon, u.Waiting)
			if want := fmt.Sprint(heads, f.holders, f.endSoon, len(f.waiting)); got != want {
				t.Errorf("%s: the picture of %s is %s, counted one by one %s", when, u.Unit.Code, got, want)
			}
		}
		return nil
	})
	i := slices.IndexFunc(list, func(u UnitPicture) bool { return u.Unit.Code == unit })
	if i < 0 {
		t.Fatalf("%s: %s is not in the picture", when, unit)
	}
	return list[i]
}

func codes(rows []LevelRow) (list []string) {
	for _, row := range rows {
		list = append(list, row.Code)
	}
	return list
}

func TestPicture(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()

		t.Run("who may see it", func(t *testing.T) {
			list, err := k.book.Picture(ctx, k.auditor)
			if err != nil || len(list) != 78 { // 76 provinces, IWM for Bangkok, IEAT
				t.Errorf("the auditor sees %d units, %v", len(list), err)
			}
			if list[0].Unit.Code != "IWM" || list[2].Unit.Short.TH != "กระบี่" {
				t.Errorf("the picture begins with %s, %s, %s", list[0].Unit.Code, list[1].Unit.Code, list[2].Unit.Short.TH)
			}
			for _, by := range []person.ID{k.chief12, k.iwm, k.officer(t, "TH-12"), "", "nobody"} {
				list, err := k.book.Picture(ctx, by)
				if checkProblem(t, err, problem.Denied, "grant.denied_not_reader"); list != nil {
					t.Errorf("%s sees %v", by, list)
				}
			}
		})

		t.Run("what a unit lacks", func(t *testing.T) {
			if u := k.picture(t, "empty", k.provinces[0]); u.Heads != 0 || !slices.Equal(codes(u.Lacks()), []string{"consider", "approve"}) {
				t.Errorf("an empty unit: %+v", u)
			}
			unit, chief := k.province(t)
			first := k.officer(t, unit)
			g := k.give(t, chief, to(first, unit, Consider))
			if u := k.picture(t, "considers", unit); u.Heads != 1 || u.Holders[Consider] != 1 || !slices.Equal(codes(u.Lacks()), []string{"approve"}) {
				t.Errorf("with an officer: %+v", u)
			}
			k.switchOff(t, first)
			if u := k.picture(t, "switched off", unit); u.Holders[Consider] != 0 {
				t.Errorf("whose account is switched off: %+v", u)
			}
			k.revoke(t, chief, g)
			if u := k.picture(t, "IWM", "IWM"); !slices.Equal(codes(u.Lacks()), []string{"consider", "review", "approve"}) {
				t.Errorf("a division: %+v", u)
			}
			who := k.officer(t, "IWM")
			for _, team := range []string{"G1", "G2", ""} {
				o := to(who, "IWM", Consider)
				o.Team = team
				k.give(t, k.iwm, o)
			}
			if u := k.picture(t, "groups", "IWM"); u.Holders[Consider] != 1 {
				t.Errorf("one person in two groups and in the whole division: %+v", u)
			}
		})

		t.Run("ends, waits and heads, around the moments at which they change", func(t *testing.T) {
			unit, chief := k.province(t)
			ending, later := to(k.officer(t, unit), unit, Consider), to(k.officer(t, unit), unit, Approve)
			ending.LastDay, later.From = today.AddDays(40), today.AddDays(3)
			g, future := k.give(t, chief, ending), k.give(t, chief, later)
			id := k.citizen(t)
			waits := Order{Unit: unit, Level: Consider, Citizen: id}
			k.give(t, chief, waits)
			if u := k.picture(t, "named", unit); u.Waiting != 0 {
				t.Errorf("who is not registered waits for nobody: %+v", u)
			}
			waits.Level, waits.LastDay = Approve, today.AddDays(60)
			k.give(t, chief, waits)
			who := k.register(t, id, officer.Account{Unit: unit})
			if u := k.picture(t, "registered", unit); u.Waiting != 1 {
				t.Errorf("who waits with two rights is one person: %+v", u)
			}
			deputy := k.officer(t, unit)
			k.appoint(t, AppointmentOrder{Post: Head, Kind: Acting, Unit: unit, Person: deputy, From: today.AddDays(1), LastDay: today.AddDays(50)})
			proposed, err := k.book.Propose(ctx, k.admins[0], AppointmentOrder{Post: Head, Kind: Regular, Unit: unit, Person: k.officer(t, unit), OrderNumber: "1"})
			if err != nil {
				t.Fatal(err)
			}
			other := k.newBook(k.DB)
			if err := other.Load(ctx); err != nil {
				t.Fatal(err)
			}
			k.give(t, k.chief12, to(k.officer(t, "TH-12"), "TH-12", Approve))
			if _, err := other.Give(ctx, chief, k.byID(t, to(k.officer(t, unit), unit, Approve))); err != nil {
				t.Fatal(err)
			}
			if u := k.picture(t, "given by another process", unit); u.Holders[Approve] != 1 || u.Heads != 1 {
				t.Errorf("what another process gave: %+v", u)
			}
			seen := map[string]bool{}
			for _, turn := range []time.Time{future.From, today.AddDays(1).StartOfDay(), g.Until.AddDate(0, 0, -SoonDays), g.Until, today.AddDays(50).EndExclusive(), today.AddDays(60).EndExclusive()} {
				for _, step := range []time.Duration{-time.Microsecond, 0, time.Microsecond} {
					k.at(t, turn.Add(step))
					k.awake(t)
					u := k.picture(t, fmt.Sprint("at ", turn.Add(step)), unit)
					seen[fmt.Sprint(u.Heads, u.Holders, u.EndSoon, u.Waiting)] = true
				}
			}
			if len(seen) < 6 {
				t.Errorf("only %d different figures were seen: %v", len(seen), seen)
			}
			k.Clock.Set(storetest.Start)
			if err := k.book.Identify(ctx, chief, who, unit, true, ""); err != nil {
				t.Fatal(err)
			}
			if _, err := k.book.ConfirmAppointment(ctx, k.admins[1], proposed.ID); err != nil {
				t.Fatal(err)
			}
			if u := k.picture(t, "confirmed", unit); u.Waiting != 0 || u.Heads != 2 || u.Holders[Approve] != 2 {
				t.Errorf("after the word: %+v", u)
			}
		})

		t.Run("units that consider nothing are not in it", func(t *testing.T) {
			unit, _ := k.province(t)
			if err := k.desk.SwitchConsiders(ctx, string(k.admins[0]), unit, 1, false); err != nil {
				t.Fatal(err)
			}
			list, err := k.book.Picture(ctx, k.admins[0])
			if err != nil || slices.ContainsFunc(list, func(p UnitPicture) bool { return p.Unit.Code == unit }) {
				t.Errorf("%s is in the picture (%v)", unit, err)
			}
		})
	})
}

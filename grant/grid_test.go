package grant

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// each collects the rows of Each.
func (k *kit) each(t testing.TB, by person.ID, f Filter) (rows []Row) {
	t.Helper()
	if err := k.book.Each(t.Context(), by, f, func(r Row) error { rows = append(rows, r); return nil }); err != nil {
		t.Fatalf("%+v: %v", f, err)
	}
	return rows
}

// pages collects the rows of all pages of the grid.
func (k *kit) pages(t testing.TB, by person.ID, f Filter) (rows []Row) {
	t.Helper()
	for f.Page = 1; ; f.Page++ {
		page, err := k.book.Grid(t.Context(), by, f)
		if err != nil {
			t.Fatalf("%+v: %v", f, err)
		}
		rows = append(rows, page.Rows...)
		if page.Number != f.Page || page.More || (f.Page < page.Pages && len(page.Rows) != f.Size) {
			t.Fatalf("%+v: page %d of %d has %d rows, more %v", f, page.Number, page.Pages, len(page.Rows), page.More)
		}
		if f.Page == page.Pages {
			if len(rows) != page.Total {
				t.Fatalf("%+v: %d rows of %d", f, len(rows), page.Total)
			}
			return rows
		}
	}
}

func numbers(rows []Row) (list []int64) {
	for _, r := range rows {
		list = append(list, r.Number)
	}
	return list
}

// rich fills the book with grants of all kinds; the answer are the officers of TH-12.
func (k *kit) rich(t testing.TB) []person.ID {
	t.Helper()
	var staff []person.ID
	for i, name := range []string{"ปิ่นแก้ว รอดี", "เกษม ใจงาม", "ขวัญ 100%", "แก้วตา _ดี", "John O'Hara", "ไพลิน ไชยศรี", "สม!ศักดิ์ ก"} {
		given, family, _ := strings.Cut(name, " ")
		who := k.register(t, k.citizen(t), officer.Account{Unit: "TH-12", GivenName: given, FamilyName: family})
		staff = append(staff, who)
		for j, level := range []Level{Consider, Approve} {
			o := to(who, "TH-12", level)
			o.OrderNumber = fmt.Sprintf("นบ 0033(%d)/๒๕%d", i, 60+j)
			if i%2 == 1 {
				o.LastDay = today.AddDays(10 * i)
			}
			if i == 4 {
				o.From = today.AddDays(5)
			}
			k.give(t, k.chief12, o)
		}
	}
	for i, team := range []string{"", "G1", "G2", "G1"} {
		o := to(k.officer(t, "IWM"), "IWM", Level(i%3+1))
		o.Team = team
		k.give(t, k.iwm, o)
	}
	for i := range 8 {
		there, id := k.officer(t, "TH-13"), k.citizen(t)
		k.give(t, k.chief13, to(there, "TH-13", Consider))
		k.give(t, k.chief12, Order{Unit: "TH-12", Level: Consider, Citizen: id})
		if i == 6 {
			k.asleep(t, there, officer.LockAfter)
		}
		if i == 7 {
			k.switchOff(t, there)
			k.register(t, id, officer.Account{Unit: "TH-12"})
		}
	}
	k.give(t, k.chief13, to(staff[0], "TH-13", Consider)) // of TH-12, holds one in TH-13 too
	k.give(t, k.admins[0], to(k.chief12, "TH-12", Approve))
	k.revoke(t, k.chief12, k.give(t, k.chief12, to(k.officer(t, "TH-12"), "TH-12", Consider)))
	over := to(k.officer(t, "TH-12"), "TH-12", Consider)
	over.LastDay = today
	k.give(t, k.chief12, over)
	again := k.give(t, k.chief12, to(k.officer(t, "TH-12"), "TH-12", Consider))
	if _, err := k.book.Change(t.Context(), k.chief12, again.ID, again.Version, Change{LastDay: today}); err != nil {
		t.Fatal(err)
	}
	k.at(t, today.EndExclusive().Add(time.Hour))
	k.give(t, k.chief12, to(again.Person, "TH-12", Consider))
	return staff
}

func TestGrid(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		staff := k.rich(t)
		// By its code the group comes before the other, by its name after it.
		if err := k.desk.RenameTeam(ctx, string(k.admins[0]), "IWM", "G1", 1, locale.Name{TH: "ฮ", EN: "Last"}); err != nil {
			t.Fatal(err)
		}
		everything := k.each(t, k.admins[0], Filter{State: "all"})
		if len(everything) != 40 {
			t.Fatalf("%d rows", len(everything))
		}
		var citizen12 thai.CitizenID // of staff[0]
		k.read(t, func(tx *store.Tx) (err error) {
			citizen12, err = k.roll.CitizenID(ctx, tx, staff[0])
			return err
		})
		digits := citizen12.Digits()
		live := func(r Row) bool { return r.State != StateEnded && r.State != StateExpired }

		t.Run("rows", func(t *testing.T) {
			now := env.Clock.Now()
			for _, r := range everything {
				if r.State != r.StateAt(now, r.Standing) || !r.Masked || strings.Contains(r.CitizenShown(), r.Citizen.Digits()[5:12]) {
					t.Errorf("row %+v", r)
				}
				if r.Registered != (r.Name != "") || r.UnitName.TH == "" || (r.Team != "") != (r.TeamName.TH != "") {
					t.Errorf("row %+v", r)
				}
			}
			for _, r := range k.each(t, k.chief12, Filter{State: "all"}) {
				if r.Masked || r.CitizenShown() != r.Citizen.Dashed() || r.Unit != "TH-12" {
					t.Errorf("row of the own unit %+v", r)
				}
			}
			// A head who reads everything sees IDs whole in his own unit alone.
			k.appoint(t, AppointmentOrder{Post: Auditor, Person: k.chief13})
			for _, r := range k.each(t, k.chief13, Filter{State: "all"}) {
				if r.Masked == (r.Unit == "TH-13") {
					t.Errorf("row %+v", r)
				}
			}
			for _, r := range k.each(t, k.chief13, Filter{Citizen: digits[7:12]}) {
				if r.Person != staff[0] {
					t.Errorf("a part of an ID found %+v", r)
				}
			}
		})

		t.Run("filters", func(t *testing.T) {
			for _, c := range []struct {
				name string
				by   person.ID
				f    Filter
				want func(r Row) bool
			}{
				{"none", k.admins[0], Filter{}, live},
				{"auditor", k.auditor, Filter{}, live},
				{"own unit", k.chief12, Filter{}, func(r Row) bool { return live(r) && r.Unit == "TH-12" }},
				{"level", k.chief12, Filter{Level: Approve}, func(r Row) bool { return live(r) && r.Unit == "TH-12" && r.Level == Approve }},
				{"level that is none", k.chief12, Filter{Level: 7}, nil},
				{"unit", k.admins[0], Filter{Unit: "IWM"}, func(r Row) bool { return live(r) && r.Unit == "IWM" }},
				{"unit of another", k.chief12, Filter{Unit: "TH-13"}, nil},
				{"group", k.iwm, Filter{Team: "G1"}, func(r Row) bool { return r.Team == "G1" }},
				{"person", k.admins[0], Filter{Person: staff[0]}, func(r Row) bool { return r.Person == staff[0] }},
				{"person elsewhere", k.chief13, Filter{Person: staff[0], Unit: "TH-12", State: "all"}, func(r Row) bool { return r.Person == staff[0] && r.Unit == "TH-12" }}, // auditor since "rows"
				{"number", k.admins[0], Filter{Number: "1", State: "all"}, func(r Row) bool { return strings.HasPrefix(strconv.FormatInt(r.Number, 10), "1") }},
				{"number in Thai digits", k.admins[0], Filter{Number: " ๒๑ ", State: "all"}, func(r Row) bool { return r.Number == 21 }},
				{"number that is none", k.admins[0], Filter{Number: "x"}, nil},
				{"number of blanks", k.chief12, Filter{Number: "  "}, func(r Row) bool { return live(r) && r.Unit == "TH-12" }},
				{"from", k.chief12, Filter{From: today.AddDays(3).String()}, func(r Row) bool { return r.Unit == "TH-12" && r.State == StateFuture }},
				{"until", k.chief12, Filter{Until: today.AddDays(10).String()}, func(r Row) bool {
					return live(r) && !r.Until.IsZero() && !r.Until.After(today.AddDays(10).EndExclusive())
				}},
				{"until in พ.ศ.", k.chief12, Filter{Until: "3 ธ.ค. 2569"}, func(r Row) bool {
					return live(r) && !r.Until.IsZero() && !r.Until.After(today.AddDays(10).EndExclusive())
				}},
				{"a date that is none", k.chief12, Filter{Until: "31/2/2569"}, func(r Row) bool { return live(r) && r.Unit == "TH-12" }},
				{"name", k.chief12, Filter{Citizen: "รอดี"}, func(r Row) bool { return r.Unit == "TH-12" && r.Person == staff[0] }},
				{"name in capitals", k.chief12, Filter{Citizen: "O'HARA"}, func(r Row) bool { return r.Person == staff[4] }},
				{"name with %", k.chief12, Filter{Citizen: "0%"}, func(r Row) bool { return r.Person == staff[2] }},
				{"name with _", k.chief12, Filter{Citizen: "_"}, func(r Row) bool { return r.Person == staff[3] }},
				{"name with !", k.chief12, Filter{Citizen: "!"}, func(r Row) bool { return r.Person == staff[6] }},
				{"name with !%", k.chief12, Filter{Citizen: "!%"}, nil},
				{"search for %", k.chief12, Filter{Search: "%"}, func(r Row) bool { return r.Person == staff[2] }},
				{"name of blanks", k.chief12, Filter{Citizen: " \u200b"}, func(r Row) bool { return live(r) && r.Unit == "TH-12" }},
				{"search of blanks", k.chief12, Filter{Search: " \u200b"}, func(r Row) bool { return live(r) && r.Unit == "TH-12" }},
				{"part of ID in the own unit", k.chief12, Filter{Citizen: digits[6:12]}, func(r Row) bool {
					return live(r) && r.Unit == "TH-12" && strings.Contains(r.Citizen.Digits(), digits[6:12])
				}},
				{"part of ID with dashes, in Thai digits", k.chief12, Filter{Citizen: thaiDigits(citizen12.Dashed()[2:13])}, func(r Row) bool {
					return live(r) && r.Unit == "TH-12" && strings.Contains(r.Citizen.Digits(), digits[1:10])
				}},
				{"part of ID elsewhere", k.admins[0], Filter{Citizen: digits[6:12]}, nil},
				{"part of ID elsewhere by search", k.admins[0], Filter{Search: digits[4:12]}, nil},
				{"12 digits elsewhere", k.auditor, Filter{Citizen: digits[:12]}, nil},
				{"whole ID elsewhere", k.admins[0], Filter{Citizen: digits}, nil}, // by Whose alone, which records it
				{"whole ID elsewhere by search", k.admins[0], Filter{Search: citizen12.Dashed()}, nil},
				{"whole ID in the own unit", k.chief12, Filter{Citizen: digits}, func(r Row) bool { return r.Unit == "TH-12" && r.Person == staff[0] }},
				{"an unknown state", k.admins[0], Filter{State: "ข้อความ"}, live},
				{"whole ID of a person of another unit", k.iwm, Filter{Citizen: digits}, nil},
				{"number of a juristic person", k.admins[0], Filter{Citizen: "0" + digits[1:]}, nil},
				{"14 digits", k.admins[0], Filter{Citizen: digits + "1"}, nil},
				{"search for a unit", k.admins[0], Filter{Search: "ปทุม"}, func(r Row) bool { return r.Unit == "TH-13" }},
				{"search for a unit in English", k.admins[0], Filter{Search: "NONTHA"}, func(r Row) bool { return live(r) && r.Unit == "TH-12" }},
				{"search for a group", k.admins[0], Filter{Search: "group g2"}, func(r Row) bool { return r.Team == "G2" }},
				{"search for a level", k.iwm, Filter{Search: "กลั่นกรอง"}, func(r Row) bool { return r.Unit == "IWM" && r.Level == Review }},
				{"search for an order number", k.chief12, Filter{Search: "0033(3)/2560"}, func(r Row) bool { return r.Person == staff[3] && r.Level == Consider }},
				{"search for an order number in Thai digits", k.chief12, Filter{Search: "(๓)/๒๕๖๐"}, func(r Row) bool { return r.Person == staff[3] && r.Level == Consider }},
				{"search for a number", k.admins[0], Filter{Search: "๒๑"}, func(r Row) bool { return r.Number == 21 }},
				{"injection by search", k.chief12, Filter{Search: "' OR 1=1 --"}, nil},
				{"injection by citizen", k.chief12, Filter{Citizen: "x') OR ('1'='1"}, nil},
				{"injection by unit", k.chief12, Filter{Unit: "TH-13' OR '1'='1"}, nil},
				{"injection by $", k.chief12, Filter{Team: "$1", Search: "? $2 ?"}, nil},
				{"injection by sort", k.chief12, Filter{Sort: "g.number; DROP TABLE grants"}, func(r Row) bool { return live(r) && r.Unit == "TH-12" }},
			} {
				var want []int64
				for _, r := range everything {
					if c.want != nil && c.want(r) && (live(r) || c.f.State == "all") {
						want = append(want, r.Number)
					}
				}
				if c.want != nil && len(want) == 0 {
					t.Errorf("%s: the test itself wants nothing", c.name)
				}
				c.f.Size = 20
				if got := numbers(k.pages(t, c.by, c.f)); !slices.Equal(got, want) {
					t.Errorf("%s: got %v, want %v", c.name, got, want)
				}
				if got := numbers(k.each(t, c.by, c.f)); !slices.Equal(got, want) {
					t.Errorf("%s: Each got %v, want %v", c.name, got, want)
				}
			}
			for _, state := range States {
				var want []int64
				for _, r := range everything {
					if r.State == state {
						want = append(want, r.Number)
					}
				}
				if got := numbers(k.each(t, k.admins[0], Filter{State: string(state)})); !slices.Equal(got, want) || len(want) == 0 {
					t.Errorf("%s: got %v, want %v", state, got, want)
				}
			}
		})

		t.Run("sorting", func(t *testing.T) {
			key := map[string]func(r Row) string{
				"number": func(r Row) string { return "" },
				"team":   func(r Row) string { return thai.SortKey(r.TeamName.TH) },
				"level":  func(r Row) string { return strconv.FormatInt(int64(r.Level), 10) },
				"unit": func(r Row) string {
					return map[bool]string{true: "0", false: "9"}[r.Unit == "IWM"] + thai.SortKey(r.UnitName.TH)
				},
				"name":  func(r Row) string { return thai.SortKey(r.Name) },
				"from":  func(r Row) string { return fmt.Sprintf("%020d", r.From.UnixMicro()) },
				"until": func(r Row) string { return fmt.Sprintf("%020d", r.Until.UnixMicro()) },
			}
			last := map[string]func(r Row) bool{
				"name":  func(r Row) bool { return !r.Registered },
				"until": func(r Row) bool { return r.Until.IsZero() },
				"team":  func(r Row) bool { return r.Team == "" },
			}
			if len(key) != len(sorts) {
				t.Fatalf("%d columns can be sorted, %d are tried", len(sorts), len(key))
			}
			for column, of := range key {
				for _, desc := range []bool{false, true} {
					want := slices.Clone(everything)
					slices.SortFunc(want, func(a, b Row) int {
						if lastly := last[column]; lastly != nil && lastly(a) != lastly(b) {
							if lastly(a) {
								return 1
							}
							return -1
						}
						order := 0
						if lastly := last[column]; lastly == nil || !lastly(a) {
							order = strings.Compare(of(a), of(b))
						}
						if column == "number" {
							order = int(a.Number - b.Number)
						}
						if desc {
							order = -order
						}
						if order == 0 {
							order = int(a.Number - b.Number)
						}
						return order
					})
					f := Filter{State: "all", Sort: column, Desc: desc, Size: 20}
					if got := numbers(k.pages(t, k.admins[0], f)); !slices.Equal(got, numbers(want)) {
						t.Errorf("%s, descending %v: got %v, want %v", column, desc, got, numbers(want))
					}
					if got := numbers(k.each(t, k.admins[0], f)); !slices.Equal(got, numbers(want)) {
						t.Errorf("%s, descending %v: Each got %v", column, desc, got)
					}
				}
			}
		})

		t.Run("pages that do not exist", func(t *testing.T) {
			for _, c := range []struct{ page, size, want, rows int }{{-3, 20, 1, 20}, {0, 20, 1, 20}, {2, 20, 2, 20}, {3, 20, 2, 20}, {1 << 60, 20, 2, 20}, {1, 7, 1, 40}, {1, -1, 1, 40}, {1, 1 << 40, 1, 40}} {
				page, err := k.book.Grid(ctx, k.admins[0], Filter{State: "all", Page: c.page, Size: c.size})
				if err != nil || page.Number != c.want || len(page.Rows) != c.rows || page.Total != 40 {
					t.Errorf("page %d of size %d: %d with %d rows, %v", c.page, c.size, page.Number, len(page.Rows), err)
				}
			}
			page, err := k.book.Grid(ctx, k.chief12, Filter{Search: "ไม่มีใครชื่อนี้", Page: 4})
			if err != nil || page.Pages != 1 || page.Number != 1 || page.Total != 0 || len(page.Rows) != 0 {
				t.Errorf("nothing found: %+v, %v", page, err)
			}
		})

		t.Run("who sees nothing", func(t *testing.T) {
			for _, by := range []person.ID{staff[0], "", "nobody"} {
				_, err := k.book.Grid(ctx, by, Filter{})
				checkProblem(t, err, problem.Denied, "grant.denied_not_reader")
				err = k.book.Each(ctx, by, Filter{}, func(Row) error { t.Error("a row"); return nil })
				checkProblem(t, err, problem.Denied, "grant.denied_not_reader")
			}
		})

		t.Run("an error ends the export", func(t *testing.T) {
			n := 0
			err := k.book.Each(ctx, k.chief12, Filter{}, func(Row) error { n++; return errSameForm })
			if err != errSameForm || n != 1 {
				t.Errorf("%v after %d rows", err, n)
			}
		})
	})
}

// thaiDigits writes digits as officials do.
func thaiDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r - '0' + '๐'
		}
		return r
	}, s)
}

// TestStates compares the conditions of the grid with the rule, on grants of every kind that the tables can hold,
// whether or not an act leads there.
func TestStates(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		now := env.Clock.Now()
		edge := now.AddDate(0, 0, SoonDays)
		moments := []time.Time{now, now.Add(time.Microsecond), now.Add(-time.Microsecond), edge, edge.Add(time.Microsecond), edge.Add(-time.Microsecond),
			now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)}
		people := make([]person.ID, 6) // unregistered, registered, confirmed, switched off, switched off and confirmed, locked and confirmed
		k.write(t, func(tx *store.Tx) (err error) {
			people[0], err = k.roll.Mention(ctx, tx, k.citizen(t))
			return err
		})
		stand := map[person.ID]Standing{people[0]: Unregistered}
		for i, standing := range []Standing{Unconfirmed, Established, SwitchedOff, SwitchedOff, LockedOut} {
			people[i+1] = k.officer(t, "TH-12")
			if stand[people[i+1]] = standing; standing == SwitchedOff {
				k.switchOff(t, people[i+1])
			}
			if standing == LockedOut {
				k.asleep(t, people[i+1], officer.LockAfter)
			}
		}
		unit := 0
		rapid.Check(t, func(r *rapid.T) {
			unit++
			code := "X" + strconv.Itoa(unit)
			moment := rapid.SampledFrom(moments)
			count := rapid.IntRange(1, 12).Draw(r, "grants")
			err := k.DB.Write(ctx, func(tx *store.Tx) error {
				if _, err := tx.Exec(ctx, `INSERT INTO units (code, kind, name_th, name_en, short_th, short_en, sort_key, considers, updated_at)
					VALUES ($1, 'province', 'ก', 'a', 'ก', 'a', $1, TRUE, 0)`, code); err != nil {
					return err
				}
				for _, who := range []person.ID{people[2], people[4], people[5]} {
					if err := insertConfirmation(ctx, tx, who, code, "test", true); err != nil {
						return err
					}
				}
				if err := insertConfirmation(ctx, tx, people[1], code, "test", false); err != nil { // a refusal confirms nobody
					return err
				}
				for i := range count {
					g := Grant{ID: store.NewID(), Unit: code, Team: strconv.Itoa(i), Level: Consider, Person: rapid.SampledFrom(people).Draw(r, "person"),
						From: moment.Draw(r, "from"), AwaitsSecond: rapid.Bool().Draw(r, "second"), GivenBy: "test", GivenAt: now, Version: 1}
					if rapid.Bool().Draw(r, "ends") {
						g.Until = moment.Draw(r, "until")
					}
					if err := insertGrant(ctx, tx, &g, store.NewID(), ""); err != nil {
						return err
					}
					if rapid.IntRange(0, 3).Draw(r, "closed") == 0 {
						how := rapid.SampledFrom([]Closing{Revoked, Expired, Refused}).Draw(r, "closing")
						if err := closeGrant(ctx, tx, &g, "test", how, "x"); err != nil {
							return err
						}
					}
				}
				return nil
			})
			if err != nil {
				r.Fatal(err)
			}
			total, inState := 0, map[int64]State{}
			for _, state := range States {
				page, err := k.book.Grid(ctx, k.admins[0], Filter{Unit: code, State: string(state)})
				if err != nil {
					r.Fatal(err)
				}
				for _, row := range page.Rows {
					if rule := row.StateAt(now, stand[row.Person]); rule != state || row.State != state {
						r.Fatalf("the grid finds %+v as %s, the rule says %s", row.Grant, state, rule)
					}
					inState[row.Number] = state
					total++
				}
			}
			if total != count || len(inState) != count {
				r.Fatalf("%d of %d grants are in a state, %d in only one", total, count, len(inState))
			}
			page, err := k.book.Grid(ctx, k.admins[0], Filter{Unit: code})
			if err != nil {
				r.Fatal(err)
			}
			for _, row := range page.Rows {
				if row.State == StateEnded || row.State == StateExpired {
					r.Fatalf("among the live rows is %+v", row.Grant)
				}
				delete(inState, row.Number)
			}
			for number, state := range inState {
				if state != StateEnded && state != StateExpired {
					r.Fatalf("number %d is %s and not among the live rows", number, state)
				}
			}
		})
	})
}

// FuzzFilter looks for a text that breaks the query of the grid, or lets a head see beyond his unit.
func FuzzFilter(f *testing.F) {
	k := open(f, storetest.SQLite(f))
	k.rich(f)
	f.Add("TH-12", "", "1", "199", "ใจดี", "1/1/2570", "", "soon", "name", int64(1), 1, 20)
	f.Add("", "G1", "๑", "%_!", "' OR 1=1 --", "2026-02-29", "31 ธ.ค. 2569", "all", "until", int64(0), -1, 7)
	f.Add("\x00", "\xff", "$1", "?", "$99 ? :a @b", "9999-12-31", "1900-01-01", "foo", "g.number DESC --", int64(-9), 1<<62, 1<<62)
	f.Fuzz(func(t *testing.T, unit, team, number, citizen, search, from, until, state, sort string, level int64, page, size int) {
		filter := Filter{Level: Level(level), Unit: unit, Team: team, Number: number, Citizen: citizen, Search: search, From: from, Until: until,
			State: state, Sort: sort, Desc: level%2 == 0, Page: page, Size: size}
		got, err := k.book.Grid(t.Context(), k.chief12, filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got.Rows {
			if r.Unit != "TH-12" {
				t.Fatalf("the filter shows %+v", r)
			}
		}
		if n := len(k.each(t, k.chief12, filter)); n != got.Total {
			t.Fatalf("%d rows are counted, %d exported", got.Total, n)
		}
	})
}

// FuzzPeriod looks for days that give a right which begins after it ends, begins in the past, or ends by another
// clock than that of Bangkok.
func FuzzPeriod(f *testing.F) {
	f.Add(int64(0), 2026, 11, 23, 2026, 11, 23)
	f.Add(int64(61_199_999_999), 2026, 11, 23, 2027, 2, 29)
	f.Add(int64(-1), 0, 0, 0, 9999, 99, 99)
	f.Fuzz(func(t *testing.T, us int64, y1, m1, d1, y2, m2, d2 int) {
		now := storetest.Start.Add(time.Duration(us%1e12) * time.Microsecond)
		date := func(y, m, d int) thai.Date {
			day, err := thai.ParseDate(fmt.Sprintf("%04d-%02d-%02d", y, m, d))
			if err != nil {
				return thai.Date{}
			}
			return day
		}
		first, last := date(y1, m1, d1), date(y2, m2, d2)
		from, until := period(now, first, last)
		if from.Before(now) || (!first.IsZero() && from.After(now) && thai.DateOf(from) != first) || (first.IsZero() && !from.Equal(now)) {
			t.Fatalf("from %v at %s: begins %s", first, now, from)
		}
		if last.IsZero() != until.IsZero() {
			t.Fatalf("last day %v: ends %s", last, until)
		}
		if !last.IsZero() {
			if bangkok := until.In(thai.Bangkok); bangkok.Hour() != 0 || bangkok.Minute() != 0 || thai.LastDay(until) != last || thai.DateOf(until.Add(-time.Microsecond)) != last {
				t.Fatalf("last day %v: ends %s", last, until)
			}
		}
		var check problem.Check
		checkPeriod(&check, now, from, until)
		sound := check.Err() == nil
		if want := (until.IsZero() || until.After(from)) && !from.After(now.AddDate(farthest, 0, 0)) && !until.After(now.AddDate(farthest, 0, 0)); sound != want {
			t.Fatalf("from %s until %s at %s: sound %v", from, until, now, sound)
		}
		if sound && !within(from, from, until) {
			t.Fatalf("from %s until %s: never holds", from, until)
		}
		if name := lastDay(until); until.IsZero() {
			if _, ok := name.(locale.Name); !ok {
				t.Fatalf("no end reads %v", name)
			}
		}
	})
}

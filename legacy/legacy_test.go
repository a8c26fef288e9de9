package legacy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/officer"
	"sitthi/person"
)

// wants holds results against what they should be.
func wants(t *testing.T, got map[int64]string, want map[int64]string) {
	t.Helper()
	for _, line := range slices.Sorted(maps.Keys(want)) {
		if got[line] != want[line] {
			t.Errorf("line %d: %q, want %q", line, got[line], want[line])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d rows, want %d: %v", len(got), len(want), got)
	}
}

// TestBringRights is the whole way of a file: dry run, signature, writing, and the same file again.
func TestBringRights(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		chief := k.head(t, "TH-12")
		known := k.citizen(t)
		k.register(t, known, "TH-12")
		text := csvOf(
			"1,นนทบุรี,,1,"+digits(101)+",,",
			"2,P12,,พิจารณา,"+known.Dashed()+",01/11/2566,30/09/2570",
			"3,กองบริหารจัดการกากอุตสาหกรรม,ของเสียอันตราย,2,"+digits(102)+",,",
			"4,97,,3,"+digits(103)+",,",
			"5,เมืองทิพย์,,1,"+digits(104)+",,",
			"6,TH-12,HAZ,1,"+digits(105)+",,",
			"7,TH-12,,2,"+digits(105)+",,",
			"8,TH-12,,1,1234567890123,,",
			"1,TH-13,,1,"+digits(106)+",,",
			"9,12,,1,"+digits(101)+",,",
			"10,TH-13,,1,1.23457E+12,,",
			"11,TH-13,,1,"+digits(107)+",,30/09/2560",
			"12,TH-13,,1,=A1,,",
		)
		s := k.upload(t, "rights.csv", text)
		if s.State != Checked || !s.Totals.Balanced() || s.Totals.Read != 13 || s.Totals.New != 4 {
			t.Fatalf("checked: %+v", s)
		}
		results := map[int64]string{2: "new", 3: "new", 4: "new", 5: "new", 6: "quarantined unit", 7: "quarantined grant.team_not_here",
			8: "quarantined grant.level_not_used", 9: "quarantined check_digit", 10: "quarantined same_row_id", 11: "quarantined same_right",
			12: "quarantined id_scientific", 13: "quarantined run_out", 14: "quarantined formula"}
		wants(t, k.results(t, s.ID), results)
		if n := k.count(t, `SELECT count(*) FROM grants`); n != 0 {
			t.Fatalf("the dry run wrote %d rights", n)
		}

		if _, err := k.desk.Sign(t.Context(), k.admins[0], s.ID, s.Version); !errors.Is(err, problem.Denied) {
			t.Errorf("who uploaded signed: %v", err)
		}
		if _, err := k.desk.Sign(t.Context(), chief, s.ID, s.Version); !errors.Is(err, problem.Denied) {
			t.Errorf("a head signed: %v", err)
		}
		s = k.sign(t, s)
		if s.State != Committed || s.Totals.RightsInBook != 4 || s.Totals.RightsInFile != 4 || len(s.Commits) != 1 {
			t.Fatalf("written: %+v", s)
		}
		wants(t, k.results(t, s.ID), results)
		for query, want := range map[string]int{
			`SELECT count(*) FROM grants WHERE awaits_second = FALSE AND closed_at IS NULL`: 4,
			`SELECT count(*) FROM grant_versions`:                                           4,
			`SELECT count(*) FROM legacy_origins WHERE source = 'ระบบเดิม'`:                 4,
			`SELECT count(*) FROM audit_entries WHERE act = 'legacy.commit'`:                1,
			`SELECT count(*) FROM audit_entries WHERE act = 'legacy.bring'`:                 3,
			`SELECT count(*) FROM grants WHERE unit = 'TH-38' AND level = 3`:                1,
			`SELECT count(*) FROM grants WHERE unit = 'IWM' AND team = 'HAZ' AND level = 2`: 1,
		} {
			if n := k.count(t, query); n != want {
				t.Errorf("%s: %d, want %d", query, n, want)
			}
		}

		// Nothing opens before the head has confirmed the person.
		var who person.ID
		k.read(t, func(tx *store.Tx) (err error) { who, _, err = k.roll.Find(t.Context(), tx, known); return err })
		if k.book.Allows(who, grant.DoConsider, grant.Place{Unit: "TH-12"}) {
			t.Error("a brought right holds before the head confirmed the person")
		}
		if err := k.book.Identify(t.Context(), chief, who, "TH-12", true, ""); err != nil {
			t.Fatal(err)
		}
		if !k.book.Allows(who, grant.DoConsider, grant.Place{Unit: "TH-12"}) {
			t.Error("a brought right does not hold though the head confirmed the person")
		}

		// The same file once more is without effect.
		again := k.upload(t, "rights.csv", text)
		if again.Totals.Same != 4 || again.Totals.New != 0 {
			t.Errorf("the same file again: %+v", again.Totals)
		}
		if _, err := k.desk.Sign(t.Context(), k.admins[1], again.ID, again.Version); !errors.Is(err, problem.Conflict) {
			t.Errorf("nothing to write was signed: %v", err)
		}
	})
}

// TestHoldersAreTold tells who is registered of a right that was brought in for him, in his language: as of one that a head
// gives where he is confirmed, and then the right holds at once; where he is not, that it waits for the head. Who has no
// account is invited and told nothing else, and a right for a head waits for a second administrator.
func TestHoldersAreTold(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		chief := k.head(t, "TH-12")
		confirmed, waits := k.citizen(t), k.citizen(t)
		who, other := k.register(t, confirmed, "TH-12"), k.register(t, waits, "TH-13")
		k.write(t, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE accounts SET language = 'en' WHERE person_id = $1`, other)
			return err
		})
		if _, err := k.book.Give(ctx, chief, grant.Order{Unit: "TH-12", Level: grant.Consider, Person: who, Confirmed: true}); err != nil {
			t.Fatal(err)
		}
		var head string
		k.read(t, func(tx *store.Tx) error {
			id, err := k.roll.CitizenID(ctx, tx, chief)
			head = id.Digits()
			return err
		})
		row := func(id int, citizen, until string) string {
			return fmt.Sprintf("%d,TH-12,,3,%s,,%s", id, citizen, until)
		}
		file := func(until string) string {
			return csvOf(row(1, confirmed.Digits(), until), row(2, waits.Digits(), ""), row(3, digits(300), ""), row(4, head, ""))
		}
		told := func(who person.ID) string {
			t.Helper()
			var list []string
			k.read(t, func(tx *store.Tx) (err error) {
				list, err = store.Rows(func(row store.Row) (text string, err error) {
					var purpose, lang string
					err = row.Scan(&purpose, &lang)
					return purpose + " " + lang, err
				})(tx.Query(ctx, `SELECT purpose, language FROM messages WHERE person_id = $1 ORDER BY created_at, id`, who))
				return err
			})
			return strings.Join(list, ", ")
		}
		at := grant.Place{Unit: "TH-12"}
		before := told(chief)
		s := k.upload(t, "a.csv", file(""))
		if told(who) != "grant.given th" || k.book.Allows(who, grant.DoApprove, at) {
			t.Error("the dry run told somebody, or opened something")
		}
		k.sign(t, s)
		if !k.book.Allows(who, grant.DoApprove, at) {
			t.Error("a brought right does not hold at once though the head had confirmed the person in the unit")
		}
		if k.book.Allows(other, grant.DoApprove, at) {
			t.Error("a brought right holds before the head confirmed the person")
		}
		if got := told(who); got != "grant.given th, grant.given th" {
			t.Errorf("who was confirmed was told %q", got)
		}
		if got := told(other); got != "grant.brought en" {
			t.Errorf("who has to be confirmed was told %q", got)
		}
		if got := told(chief); got != before {
			t.Errorf("a head was told %q before the second administrator spoke", got)
		}
		if n := k.count(t, `SELECT count(*) FROM messages WHERE purpose LIKE 'grant.%' AND person_id NOT IN (SELECT person_id FROM accounts)`); n != 0 {
			t.Errorf("%d messages went to people without an account", n)
		}

		env.Clock.Advance(time.Minute)
		k.sign(t, k.upload(t, "b.csv", file("30/09/2570")))
		if got := told(who); got != "grant.given th, grant.given th, grant.changed th" {
			t.Errorf("after a change he was told %q", got)
		}
		if err := k.book.Identify(ctx, chief, other, "TH-12", true, ""); err != nil {
			t.Fatal(err)
		}
		if got := told(other); got != "grant.brought en, grant.given en" || !k.book.Allows(other, grant.DoApprove, at) {
			t.Errorf("once confirmed he was told %q", got)
		}
	})
}

// TestLaterFile brings rows again that say something else, or that were decided upon in Sitthi since.
func TestLaterFile(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		chief := k.head(t, "TH-12")
		row := func(id, who int, until string) string {
			return fmt.Sprintf("%d,TH-12,,1,%s,,%s", id, digits(who), until)
		}
		k.sign(t, k.upload(t, "a.csv", csvOf(row(1, 101, ""), row(2, 102, ""), row(3, 103, ""), row(4, 104, ""), row(5, 105, ""))))
		env.Clock.Advance(time.Minute)
		grantOf := func(who int) grant.Grant {
			t.Helper()
			page, err := k.book.Grid(t.Context(), chief, grant.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Rows {
				if r.Citizen == citizen(t, who) {
					return r.Grant
				}
			}
			t.Fatalf("no right of %d", who)
			return grant.Grant{}
		}
		if _, err := k.book.Revoke(t.Context(), chief, grantOf(103).ID, grant.Ending{Reason: "ย้าย"}); err != nil {
			t.Fatal(err)
		}
		if _, err := k.book.Change(t.Context(), chief, grantOf(104).ID, grantOf(104).Version, grant.Change{Note: "ต่ออายุ"}); err != nil {
			t.Fatal(err)
		}
		s := k.upload(t, "b.csv", csvOf(row(1, 101, ""), row(2, 102, "30/09/2570"), row(3, 103, ""), row(4, 104, "30/09/2570"), row(5, 106, ""), row(6, 107, "")))
		wants(t, k.results(t, s.ID), map[int64]string{2: "same", 3: "changed", 4: "conflict closed_since", 5: "conflict changed_here", 6: "conflict other_right", 7: "new"})
		k.sign(t, s)
		if g := grantOf(102); g.Until.IsZero() || g.Version != 2 {
			t.Errorf("changed right: %+v", g)
		}
		if n := k.count(t, `SELECT count(*) FROM grant_versions v JOIN grants g ON g.id = v.grant_id WHERE g.id = $1`, grantOf(102).ID); n != 2 {
			t.Errorf("%d versions of the changed right, want 2", n)
		}
		if n := k.count(t, `SELECT count(*) FROM grants WHERE closed_at IS NULL`); n != 5 {
			t.Errorf("%d rights are open, want 5", n)
		}
	})
}

// TestQuarantine works rows through: corrected, set aside, taken back, mended elsewhere.
func TestQuarantine(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		s := k.upload(t, "a.csv", csvOf("1,เมืองทิพย์,,1,"+digits(101)+",,", "1,TH-12,,1,"+digits(102)+",,", "2,TH-13,,1,"+digits(103)+",,"))
		wants(t, k.results(t, s.ID), map[int64]string{2: "quarantined unit", 3: "quarantined same_row_id", 4: "new"})
		var p *problem.Problem
		err := k.desk.Correct(ctx, k.admins[0], s.ID, 2, map[string]string{"unit": "นนท์", "level": "9"})
		if !errors.As(err, &p) || len(p.Fields) != 2 || p.Fields[0].Name != "unit" || p.Fields[1].Name != "level" {
			t.Fatalf("a correction that corrects nothing: %v", err)
		}
		if err := k.desk.Correct(ctx, k.admins[0], s.ID, 4, map[string]string{"unit": "TH-12"}); !errors.Is(err, problem.Conflict) {
			t.Errorf("a good row was corrected: %v", err)
		}
		l, err := k.desk.Line(ctx, k.admins[0], s.ID, 2)
		if err != nil {
			t.Fatal(err)
		}
		fields := maps.Clone(l.Fields) // the citizen ID comes back masked
		fields["unit"], fields["row_id"] = "นนทบุรี", "77"
		if err := k.desk.Correct(ctx, k.admins[0], s.ID, 2, fields); err != nil {
			t.Fatal(err)
		}
		if err := k.desk.SetAside(ctx, k.admins[2], s.ID, 3, "ซ้ำ"); err != nil { // while the dry run waits
			t.Fatal(err)
		}
		k.work(t)
		wants(t, k.results(t, s.ID), map[int64]string{2: "new", 3: "quarantined same_row_id", 4: "new"})
		if l, err = k.desk.Line(ctx, k.admins[0], s.ID, 2); err != nil || l.Original["unit"] != "เมืองทิพย์" || l.Fields["unit"] != "นนทบุรี" || l.CorrectedBy != k.admins[0] || l.Citizen != citizen(t, 101) {
			t.Errorf("corrected row: %+v %v", l, err)
		}
		s = k.sight(t, s.ID)
		if s.Totals.Aside != 1 || !slices.Contains(s.Hands, k.admins[2]) {
			t.Errorf("set aside: %+v", s)
		}
		if _, err := k.desk.Sign(ctx, k.admins[2], s.ID, s.Version); !errors.Is(err, problem.Denied) {
			t.Errorf("who set a row aside signed: %v", err)
		}
		s = k.sign(t, s)

		// After the writing the quarantine can still be worked through; what was written is the same then.
		if err := k.desk.TakeBack(ctx, k.admins[0], s.ID, 3); err != nil {
			t.Fatal(err)
		}
		k.work(t)
		s = k.sight(t, s.ID)
		wants(t, k.results(t, s.ID), map[int64]string{2: "same", 3: "new", 4: "same"})
		s = k.sign(t, s)
		if len(s.Commits) != 2 || s.Totals.RightsInBook != 3 || k.count(t, `SELECT count(*) FROM grants`) != 3 {
			t.Errorf("second writing: %+v", s)
		}
	})
}

// TestCitizenIDsInTexts quarantines rows whose note or order number holds a citizen ID, which would stand in the clear and
// be shown to everyone who sees the right. Saved as it is shown, the ID masked, such a row is good.
func TestCitizenIDsInTexts(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		other := citizen(t, 555)
		s := k.upload(t, "a.csv", "row_id,unit,level,citizen_id,order_number,note\n"+
			"1,TH-12,1,"+digits(101)+",อก 1/2566,แทน "+other.Dashed()+" ตั้งแต่ ต.ค.\n"+
			"2,TH-12,1,"+digits(102)+",อก "+other.Digits()+",\n"+
			"3,TH-12,1,"+digits(103)+",อก 2/2566,ข้อ 1234567890123\n")
		wants(t, k.results(t, s.ID), map[int64]string{2: "quarantined holds_citizen", 3: "quarantined holds_citizen", 4: "new"})
		for _, text := range []string{other.Digits(), other.Dashed()} {
			if n := k.count(t, `SELECT count(*) FROM legacy_rows WHERE note LIKE $1 OR order_number LIKE $1 OR fault_args LIKE $1`, "%"+text+"%"); n != 0 {
				t.Errorf("%d rows hold a citizen ID in the clear", n)
			}
		}
		for _, line := range []int64{2, 3} {
			l, err := k.desk.Line(ctx, k.admins[0], s.ID, line)
			if err != nil || strings.Contains(fmt.Sprint(l.Original, l.Fields), other.Digits()) || strings.Contains(fmt.Sprint(l.Original, l.Fields), other.Dashed()) {
				t.Fatalf("shown in full: %+v %v", l, err)
			}
			if err := k.desk.Correct(ctx, k.admins[0], s.ID, line, l.Fields); err != nil {
				t.Fatal(err)
			}
		}
		k.work(t)
		wants(t, k.results(t, s.ID), map[int64]string{2: "new", 3: "new", 4: "new"})
		k.sign(t, k.sight(t, s.ID))
		if n := k.count(t, `SELECT count(*) FROM grants WHERE note = $1 OR order_number = $2`, "แทน "+other.Mask()+" ตั้งแต่ ต.ค.", "อก "+other.Mask()); n != 2 {
			t.Errorf("%d of 2 rights have their texts masked", n)
		}
	})
}

// TestDatabaseRefusesOneSignature shows that even a fault in the program can not let who uploaded sign.
func TestDatabaseRefusesOneSignature(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		s := k.upload(t, "a.csv", csvOf("1,TH-12,,1,"+digits(101)+",,"))
		err := k.DB.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE legacy_imports SET signed_by = uploaded_by WHERE id = $1`, s.ID)
			return err
		})
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), "check") {
			t.Errorf("the database let who uploaded sign: %v", err)
		}
	})
}

// TestMessyFile brings in what offices really have: wrong digits, Thai digits, formulas, repeated rows, an unknown
// province, บึงกาฬ as 97, in each format and encoding.
func TestMessyFile(t *testing.T) {
	for _, name := range []string{"messy.csv", "messy-windows-874.csv", "messy.xlsx"} {
		t.Run(name, func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			k := open(t, storetest.SQLite(t))
			s := k.upload(t, name, string(file))
			id := "quarantined id_scientific"
			if name == "messy.xlsx" {
				id = "quarantined id_rounded"
			}
			wants(t, k.results(t, s.ID), map[int64]string{5: "new", 6: "new", 7: "new", 8: "quarantined check_digit", 9: id, 10: "quarantined unit",
				11: "quarantined grant.team_not_here", 12: "quarantined grant.level_not_used", 13: "quarantined same_row_id", 14: "quarantined same_right",
				15: "quarantined formula", 16: "quarantined date_far", 17: "quarantined run_out", 18: "new", 19: "new", 20: "quarantined acting_needs_end",
				21: "quarantined no_row_id", 22: "new"})
			if !slices.Equal(s.Ignored, []string{"ผู้บันทึก"}) || !s.Totals.Balanced() || s.Totals.Invited != 3 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestHeadsAndOfficers brings heads, who become proposals, and officers, who are invited once.
func TestHeadsAndOfficers(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		known := k.citizen(t)
		k.register(t, known, "TH-13")
		head := digits(201)
		file := "row_id,kind,unit,level,citizen_id,name,email,phone,order\n" +
			"1,head,TH-12,," + head + ",สมชาย,head@example.go.th,,อก 1/2566\n" +
			"2,right,TH-12,3," + head + ",,,,\n" +
			"3,officer,TH-12,," + digits(202) + ",นางสมหญิง ใจดี,,081-234-5678,\n" +
			"3,right,TH-12,1," + digits(202) + ",สมหญิง,x@example.go.th,,\n" +
			"4,officer,TH-13,," + known.Digits() + ",ใคร,y@example.go.th,,\n"
		s := k.upload(t, "a.csv", file)
		wants(t, k.results(t, s.ID), map[int64]string{2: "new", 3: "new", 4: "new", 5: "new", 6: "same"})
		s = k.sign(t, s)
		if s.State != Committed || s.Totals.Invited != 2 {
			t.Fatalf("written: %+v", s)
		}
		for query, want := range map[string]int{
			`SELECT count(*) FROM appointments WHERE unit = 'TH-12' AND post = 'head' AND confirmed_at IS NULL AND closed_at IS NULL`: 1,
			`SELECT count(*) FROM grants WHERE level = 3 AND awaits_second = TRUE`:                                                    1,
			`SELECT count(*) FROM grants WHERE level = 1 AND awaits_second = FALSE`:                                                   1,
			`SELECT count(*) FROM messages WHERE purpose = 'legacy.invite' AND channel = 'email'`:                                     1,
			`SELECT count(*) FROM messages WHERE purpose = 'legacy.invite' AND channel = 'sms'`:                                       1,
		} {
			if n := k.count(t, query); n != want {
				t.Errorf("%s: %d, want %d", query, n, want)
			}
		}

		// The head registers and is confirmed by another administrator; then his right by a second.
		who := k.register(t, citizen(t, 201), "TH-12")
		a, err := k.book.Appointments(ctx, k.admins[1], grant.AppointmentFilter{Unit: "TH-12"})
		if err != nil || len(a.List) != 1 || len(a.Seconds) != 1 {
			t.Fatalf("appointments: %+v %v", a, err)
		}
		if _, err := k.book.ConfirmAppointment(ctx, k.admins[0], a.List[0].ID); !errors.Is(err, problem.Denied) {
			t.Errorf("who uploaded confirmed the head: %v", err)
		}
		if _, err := k.book.ConfirmAppointment(ctx, k.admins[1], a.List[0].ID); err != nil {
			t.Fatal(err)
		}
		if _, err := k.book.Second(ctx, k.admins[1], a.Seconds[0].ID, true, ""); err != nil {
			t.Fatal(err)
		}
		if !k.book.Allows(who, grant.DoApprove, grant.Place{Unit: "TH-12"}) {
			t.Error("the head's right does not hold")
		}

		// The head compares his people on the first day.
		officer := k.register(t, citizen(t, 202), "TH-13")
		list, err := k.desk.Newcomers(ctx, who, "TH-12")
		if err != nil || len(list) != 2 {
			t.Fatalf("newcomers: %+v %v", list, err)
		}
		n := list[0]
		if n.Person != officer || n.Old.Name != "นางสมหญิง ใจดี" || n.Old.Phone != "081-234-5678" || !n.Registered || n.Confirmed || n.Citizen != citizen(t, 202) ||
			!slices.Equal(n.Marks, []string{MarkOtherOffice, MarkOtherName, MarkSameContact}) {
			t.Errorf("newcomer: %+v", n)
		}
		if _, err := k.desk.Newcomers(ctx, who, "TH-13"); !errors.Is(err, problem.NotFound) {
			t.Errorf("another unit's newcomers: %v", err)
		}
		origins, err := k.desk.Origins(ctx, []string{n.Rights[0].Grant, "x"})
		if err != nil || len(origins) != 1 || origins[n.Rights[0].Grant].RowID != "3" || origins[n.Rights[0].Grant].File != "a.csv" || origins[n.Rights[0].Grant].Line != 5 {
			t.Errorf("origins: %+v %v", origins, err)
		}

		// Nobody is invited twice.
		again := k.upload(t, "b.csv", strings.ReplaceAll(strings.ReplaceAll(file, "3,officer", "30,officer"), "3,right,TH-12,1,"+digits(202), "31,right,TH-13,1,"+digits(203)))
		k.sign(t, again)
		if n := k.count(t, `SELECT count(*) FROM messages WHERE purpose = 'legacy.invite'`); n != 3 {
			t.Errorf("%d invitations, want 3", n)
		}
	})
}

// TestOwnRows shows that nobody brings or signs a right of his own.
func TestOwnRows(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		s := k.upload(t, "a.csv", csvOf("1,TH-12,,1,"+digits(1)+",,", "2,TH-12,,1,"+digits(2)+",,")) // the first two administrators
		wants(t, k.results(t, s.ID), map[int64]string{2: "quarantined own_row", 3: "new"})
		var p *problem.Problem
		if _, err := k.desk.Sign(t.Context(), k.admins[1], s.ID, s.Version); !errors.As(err, &p) || p.Key != "legacy.denied_own_rows" {
			t.Errorf("a right of his own was signed: %v", err)
		}
		if _, err := k.desk.Sign(t.Context(), k.admins[2], s.ID, s.Version); err != nil {
			t.Error(err)
		}
	})
}

// TestSignedIsWritten shows that a signature is for what was seen: when the book moves in between, nothing is written.
func TestSignedIsWritten(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		chief := k.head(t, "TH-12")
		s := k.upload(t, "a.csv", csvOf("1,TH-12,,1,"+digits(301)+",,30/09/2570", "2,TH-12,,1,"+digits(302)+",,"))
		signed, err := k.desk.Sign(ctx, k.admins[1], s.ID, s.Version)
		if err != nil || signed.State != Signed {
			t.Fatal(err)
		}
		if _, err := k.desk.Sign(ctx, k.admins[2], s.ID, s.Version); !errors.Is(err, problem.Conflict) {
			t.Errorf("signed twice: %v", err)
		}
		if err := k.desk.Cancel(ctx, k.admins[0], s.ID, signed.Version, "ผิด"); !errors.Is(err, problem.Conflict) {
			t.Errorf("a signed import was cancelled: %v", err)
		}
		if _, err := k.book.Give(ctx, chief, grant.Order{Unit: "TH-12", Level: grant.Consider, Citizen: citizen(t, 301)}); err != nil {
			t.Fatal(err)
		}
		k.work(t)
		s = k.sight(t, s.ID)
		if s.State != Checked || s.Fault.Key != "legacy.changed_meanwhile" || s.SignedBy != "" || k.count(t, `SELECT count(*) FROM grants`) != 1 {
			t.Fatalf("after the book moved: %+v", s)
		}
		wants(t, k.results(t, s.ID), map[int64]string{2: "conflict given_here", 3: "new"})
		if s = k.sign(t, s); s.State != Committed || k.count(t, `SELECT count(*) FROM grants`) != 2 {
			t.Errorf("signed again: %+v", s)
		}
	})
}

// TestCancelledAfterWriting cancels an import that was written and is checked once more: not by a page from before the
// writing, whose reader thinks that nothing was; and then what its rows say about people stays, for the head to compare.
func TestCancelledAfterWriting(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		seen := k.upload(t, "a.csv", "row_id,unit,level,citizen_id,given_name\n1,TH-12,1,"+digits(301)+",สมชาย\n")
		k.sign(t, seen)
		if err := k.desk.Recheck(ctx, k.admins[0], seen.ID); err != nil {
			t.Fatal(err)
		}
		if err := k.desk.Cancel(ctx, k.admins[0], seen.ID, seen.Version, "ผิด"); !errors.Is(err, problem.Conflict) {
			t.Errorf("cancelled from a page that did not know of the writing: %v", err)
		}
		if err := k.desk.Cancel(ctx, k.admins[0], seen.ID, k.sight(t, seen.ID).Version, "ผิด"); err != nil {
			t.Fatal(err)
		}
		env.Clock.Advance(DefaultLimits.Keep + time.Hour)
		if n, err := k.desk.Sweep(ctx); err != nil || n != 1 {
			t.Fatalf("swept %d: %v", n, err)
		}
		if n := k.count(t, `SELECT count(*) FROM legacy_rows WHERE facts_sealed IS NOT NULL AND citizen_sealed IS NULL`); n != 1 {
			t.Errorf("%d of 1 rows still say what the old system knew", n)
		}
	})
}

// TestLeftAlone cancels and wipes an import that nobody signs, from the last work on it on; what was written of one before
// stays, with what its rows tell a head.
func TestLeftAlone(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		file := func(id, who int) string {
			return fmt.Sprintf("row_id,unit,level,citizen_id,given_name,note\n%d,TH-12,1,%s,สมชาย,ย้าย\n%d,nowhere,1,%s,สมศรี,\n", id, digits(who), id+1, digits(who+1))
		}
		left, written := k.upload(t, "a.csv", file(1, 301)), k.upload(t, "b.csv", file(11, 311))
		k.sign(t, written)
		if err := k.desk.Recheck(ctx, k.admins[0], written.ID); err != nil {
			t.Fatal(err)
		}
		k.work(t)
		day := 24 * time.Hour
		env.Clock.Advance(DefaultLimits.Keep - day)
		if err := k.desk.SetAside(ctx, k.admins[2], left.ID, 3, "ไม่รู้หน่วยงาน"); err != nil { // begins the time anew
			t.Fatal(err)
		}
		k.work(t)
		env.Clock.Advance(2 * day)
		for range 2 {
			if n, err := k.desk.Sweep(ctx); err != nil {
				t.Fatalf("swept %d: %v", n, err)
			}
		}
		if s := k.sight(t, left.ID); s.State != Checked || s.Wiped {
			t.Errorf("worked on three days ago: %+v", s.Import)
		}
		s := k.sight(t, written.ID)
		if s.State != Cancelled || !s.Wiped || s.ClosedBy != audit.System || s.ClosedAt.IsZero() {
			t.Errorf("left alone after a writing: %+v", s.Import)
		}
		if _, err := k.desk.Sign(ctx, k.admins[1], written.ID, s.Version); !errors.Is(err, problem.Conflict) {
			t.Errorf("signed after its time: %v", err)
		}
		env.Clock.Advance(DefaultLimits.Keep)
		if n, err := k.desk.Sweep(ctx); err != nil || n != 1 {
			t.Fatalf("swept %d: %v", n, err)
		}
		k.write(t, func(tx *store.Tx) error { return officer.Reopen(ctx, tx, k.admins[1]) }) // who looks was away as long
		if err := k.book.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		if s := k.sight(t, left.ID); s.State != Cancelled || !s.Wiped {
			t.Errorf("left alone: %+v", s.Import)
		}
		for query, want := range map[string]int{
			`SELECT count(*) FROM legacy_files`: 0,
			`SELECT count(*) FROM legacy_rows WHERE original_sealed IS NOT NULL OR corrected_sealed IS NOT NULL OR citizen_sealed IS NOT NULL OR note <> ''`: 0,
			`SELECT count(*) FROM legacy_rows WHERE facts_sealed IS NOT NULL`:                                                                                1,
			`SELECT count(*) FROM grants WHERE closed_at IS NULL`:                                                                                            1,
			`SELECT count(*) FROM audit_entries WHERE act = 'legacy.expire' AND actor = 'system' AND outcome = 'done'`:                                       2,
		} {
			if n := k.count(t, query); n != want {
				t.Errorf("%s: %d, want %d", query, n, want)
			}
		}
	})
}

// An import that was checked by a program that did not note when waits from the first sweep on.
func TestLeftAloneFromNow(t *testing.T) {
	k := open(t, storetest.SQLite(t))
	s := k.upload(t, "a.csv", csvOf("1,TH-12,,1,"+digits(101)+",,"))
	k.write(t, func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE legacy_imports SET checked_at = NULL, uploaded_at = 0`)
		return err
	})
	for _, want := range []State{Checked, Checked, Cancelled} {
		if _, err := k.desk.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := k.sight(t, s.ID).State; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		k.Clock.Advance(DefaultLimits.Keep/2 + time.Hour)
	}
}

// TestInterrupted stops a dry run in the middle: another process goes on from there, or it is cancelled.
func TestInterrupted(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		var rows []string
		for i := range 3 * stageBatch {
			rows = append(rows, fmt.Sprintf("%d,TH-12,,1,%s,,", i, digits(1000+i)))
		}
		half := func() Import {
			t.Helper()
			i, err := k.desk.Upload(t.Context(), k.admins[0], Upload{Source: "x", Name: "a.csv"}, strings.NewReader(csvOf(rows...)))
			if err != nil {
				t.Fatal(err)
			}
			work, err := k.desk.claim(t.Context())
			if err != nil || work.ID != i.ID {
				t.Fatalf("claimed %v: %v", work, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			k.desk.Log = slog.New(slog.DiscardHandler)
			r := &stopping{cancel: cancel, desk: k.desk, id: i.ID}
			err = r.stage(ctx, work)
			if err == nil {
				t.Fatal("the dry run was not interrupted")
			}
			return i
		}
		i := half()
		kept := k.count(t, `SELECT count(*) FROM legacy_rows WHERE import_id = $1`, i.ID)
		if kept == 0 || kept == len(rows) {
			t.Fatalf("%d rows were kept", kept)
		}
		other := k.newDesk(env.DB)
		if worked, err := other.Step(t.Context()); err != nil || worked {
			t.Fatalf("another process works on it as long as it is leased: %v", err)
		}
		env.Clock.Advance(workLease)
		if worked, err := other.Step(t.Context()); err != nil || !worked {
			t.Fatalf("another process does not go on: %v", err)
		}
		if s := k.sight(t, i.ID); s.State != Checked || s.Totals.New != int64(len(rows)) {
			t.Errorf("after going on: %+v", s)
		}

		i = half()
		if err := k.desk.Cancel(t.Context(), k.admins[1], i.ID, 1, "ไฟล์ผิด"); err != nil {
			t.Fatal(err)
		}
		env.Clock.Advance(workLease)
		k.work(t)
		if s := k.sight(t, i.ID); s.State != Cancelled || s.CloseReason != "ไฟล์ผิด" {
			t.Errorf("cancelled: %+v", s)
		}
		if err := k.desk.keepBatch(t.Context(), i.ID, batch{}); !errors.Is(err, errLost) {
			t.Errorf("a reader goes on after the cancellation: %v", err)
		}

		env.Clock.Advance(DefaultLimits.Keep + time.Hour)
		if n, err := k.desk.Sweep(t.Context()); err != nil || n != 2 { // the other waited for a signature
			t.Errorf("swept %d: %v", n, err)
		}
		if n := k.count(t, `SELECT count(*) FROM legacy_files WHERE import_id = $1`, i.ID) +
			k.count(t, `SELECT count(*) FROM legacy_rows WHERE import_id = $1 AND original_sealed IS NOT NULL`, i.ID); n != 0 {
			t.Errorf("%d pieces and rows are left", n)
		}
	})
}

// stopping ends a dry run after its first batch.
type stopping struct {
	cancel context.CancelFunc
	desk   *Desk
	id     string
}

func (s *stopping) stage(ctx context.Context, work Import) error {
	file := s.desk.openFile(ctx, work.ID, work.Size)
	t, err := openTable(file, work.Size, work.Format, s.desk.Limits)
	if err != nil {
		return err
	}
	l, err := findHeaders(t)
	if err != nil {
		return err
	}
	var r reader
	if err := s.desk.DB.Read(ctx, func(tx *store.Tx) error { r, err = s.desk.reader(ctx, tx, false); return err }); err != nil {
		return err
	}
	batches := make(chan batch)
	go func() {
		b := <-batches
		if err := s.desk.keepBatch(context.WithoutCancel(ctx), s.id, b); err != nil {
			panic(err)
		}
		s.cancel()
	}()
	return s.desk.understand(ctx, t, l, r, work.ID, 0, batches)
}

// TestTwoAtOnce has two administrators bring the same file in at the same time: it is in the book once.
func TestTwoAtOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		text := csvOf("1,TH-12,,1,"+digits(401)+",,", "2,TH-13,,1,"+digits(402)+",,")
		var ids []string
		for i := range 2 {
			up, err := k.desk.Upload(ctx, k.admins[i], Upload{Source: "x", Name: "a.csv"}, strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, up.ID)
		}
		k.work(t)
		for _, id := range ids {
			if _, err := k.desk.Sign(ctx, k.admins[2], id, k.sight(t, id).Version); err != nil {
				t.Fatal(err)
			}
		}
		other := k.newDesk(env.DB)
		var both sync.WaitGroup
		for _, d := range []*Desk{k.desk, other} {
			both.Go(func() {
				for {
					worked, err := d.Step(ctx)
					if err != nil {
						t.Error(err)
					}
					if !worked {
						return
					}
				}
			})
		}
		both.Wait()
		k.work(t)
		states := []State{k.sight(t, ids[0]).State, k.sight(t, ids[1]).State}
		slices.Sort(states)
		if !slices.Equal(states, []State{Checked, Committed}) || k.count(t, `SELECT count(*) FROM grants`) != 2 {
			t.Errorf("states %v", states)
		}
	})
}

// TestUploadIsForAdministrators turns others away before their file is read, and on record; and tells what is wrong with
// a file.
func TestUploadIsForAdministrators(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		chief := k.head(t, "TH-12")
		unread := strings.NewReader("a")
		if _, err := k.desk.Upload(ctx, chief, Upload{Source: "x", Name: "a.csv"}, unread); !errors.Is(err, problem.Denied) || unread.Len() != 1 {
			t.Errorf("a head uploaded: %v", err)
		}
		if n := k.count(t, `SELECT count(*) FROM audit_entries WHERE act = 'legacy.upload' AND outcome = 'denied'`); n != 1 {
			t.Errorf("%d refusals are recorded", n)
		}
		for _, err := range []error{
			func() error { _, err := k.desk.Imports(ctx, chief); return err }(),
			func() error { _, err := k.desk.Import(ctx, chief, "x"); return err }(),
			func() error { _, _, err := k.desk.Lines(ctx, chief, "x", LineFilter{}); return err }(),
			func() error { _, err := k.desk.Line(ctx, chief, "x", 1); return err }(),
			func() error { _, err := k.desk.Export(ctx, chief, "x", LineFilter{}, "csv"); return err }(),
			k.desk.Recheck(ctx, chief, "x"), k.desk.Cancel(ctx, chief, "x", 1, "y"), k.desk.Correct(ctx, chief, "x", 1, nil),
			k.desk.SetAside(ctx, chief, "x", 1, "y"), k.desk.TakeBack(ctx, chief, "x", 1),
		} {
			if !errors.Is(err, problem.Denied) {
				t.Errorf("a head was let through: %v", err)
			}
		}
		k.desk.Limits.File = 100
		for name, c := range map[string]struct{ name, file, want string }{
			"empty":        {"a.csv", "", "file legacy.file_empty"},
			"too big":      {"a.csv", strings.Repeat("a,b\n", 50), "file legacy.file_too_big"},
			"other ending": {"a.exe", "a,b", "file legacy.file_form"},
			"wrong ending": {"a.xlsx", "a,b\n1,2", "file legacy.file_ending"},
			"no workbook":  {"a.xlsx", "PK\x03\x04", "file legacy.file_form"},
			"no source":    {"a.csv", "a,b", "source legacy.source_empty"},
		} {
			u := Upload{Source: "x", Name: c.name}
			if name == "no source" {
				u.Source = " "
			}
			_, err := k.desk.Upload(ctx, k.admins[0], u, strings.NewReader(c.file))
			var p *problem.Problem
			if !errors.As(err, &p) || len(p.Fields) != 1 || p.Fields[0].Name+" "+p.Fields[0].Key != c.want {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
		}
		if n := k.count(t, `SELECT count(*) FROM legacy_imports`) + k.count(t, `SELECT count(*) FROM legacy_files`); n != 0 {
			t.Errorf("%d traces of refused files are left", n)
		}
		k.desk.Limits = DefaultLimits
		for text, want := range map[string]string{"a,b\n1,2\n": "legacy.file_no_headers", "ลำดับ,จังหวัด\n1,2\n": "legacy.file_columns", csvOf()[:len(csvOf())-1]: "legacy.file_no_rows"} {
			if s := k.upload(t, "a.csv", text); s.State != Failed || s.Fault.Key != want {
				t.Errorf("%q: %+v", text, s)
			}
		}
	})
}

// TestEverySentenceIsThere holds the reasons that the comparison writes in SQL against the catalogue of the pages.
func TestEverySentenceIsThere(t *testing.T) {
	for _, lang := range []string{"th", "en"} {
		raw, err := os.ReadFile(filepath.Join("..", "web", "locales", lang, "legacy.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"other_right", "other_head", "other_person", "closed_since", "ended_since", "changed_here", "confirmed_here", "given_here",
			"same_row_id", "same_right", "same_head", "same_officer", "run_out", "own_row"} {
			if !strings.Contains(string(raw), `"legacy.reason.`+key+`"`) {
				t.Errorf("%s: legacy.reason.%s has no words", lang, key)
			}
		}
		for _, c := range Columns {
			if !strings.Contains(string(raw), `"`+c.Help()+`"`) {
				t.Errorf("%s: %s has no words", lang, c.Help())
			}
		}
	}
}

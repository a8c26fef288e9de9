package legacy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
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

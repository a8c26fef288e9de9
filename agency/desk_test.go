package agency_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

const boss = "administrator"

// loaded is a desk over a database with the reference data, at which one person is administrator.
func loaded(t *testing.T, env *storetest.Env) agency.Desk {
	t.Helper()
	write(t, env.DB, agency.Load)
	return agency.Desk{DB: env.DB, Administrator: func(_ context.Context, _ *store.Tx, by string) error {
		if by != boss {
			return problem.New(problem.Denied, "test.not_administrator")
		}
		return nil
	}}
}

func write(t *testing.T, db *store.DB, f func(context.Context, *store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return f(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func exec(t *testing.T, db *store.DB, query string, args ...any) {
	t.Helper()
	write(t, db, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	})
}

func find(t *testing.T, d agency.Desk, code string) agency.Folder {
	t.Helper()
	f, err := d.Folder(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// log lists the outcomes of the acts of one name.
func log(t *testing.T, db *store.DB, act string) (entries []audit.Entry) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
		entries, _, err = audit.List(t.Context(), tx, audit.Query{Act: act, Limit: 50})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// wants fails unless err is a problem of the kind with the key, or with a field of that key.
func wants(t *testing.T, err error, kind problem.Kind, key string) {
	t.Helper()
	var p *problem.Problem
	if !errors.As(err, &p) || p.Kind != kind {
		t.Fatalf("answer %v, want %s %s", err, kind, key)
	}
	if p.Key != key && !slices.ContainsFunc(p.Fields, func(f problem.Field) bool { return f.Key == key }) {
		t.Fatalf("answer %v, want %s %s", err, kind, key)
	}
}

func TestLoadBringsInTheReferenceData(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := loaded(t, env)
		units, err := d.Units(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(units) != 91 {
			t.Fatalf("%d units, want 76 provincial offices and 15 at the centre", len(units))
		}
		nonthaburi := find(t, d, "TH-12").Unit
		want := agency.Unit{Code: "TH-12", Kind: agency.Province, Region: "C", Considers: true, Active: true, Version: 1,
			Name:    locale.Name{TH: "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี", EN: "Nonthaburi Provincial Industry Office"},
			Short:   locale.Name{TH: "นนทบุรี", EN: "Nonthaburi"},
			SortKey: nonthaburi.SortKey}
		if nonthaburi != want {
			t.Errorf("TH-12 is %+v, want %+v", nonthaburi, want)
		}
		if iwm := find(t, d, agency.IWM).Unit; !iwm.Considers || !iwm.UsesReview || !iwm.HasTeams() {
			t.Errorf("IWM is %+v, want a division that considers and reviews", iwm)
		}
		if ieat := find(t, d, "IEAT").Unit; !ieat.Considers || ieat.UsesReview || ieat.HasTeams() {
			t.Errorf("IEAT is %+v, want an outside unit that considers", ieat)
		}
		_, err = d.Folder(t.Context(), "TH-10")
		wants(t, err, problem.NotFound, "agency.problem.unit")
	})
}

func TestLoadAgainKeepsWhatAnAdministratorChanged(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := loaded(t, env)
		renamed := locale.Name{TH: "กองจัดการกาก", EN: "Waste Division"}
		if err := d.RenameUnit(t.Context(), boss, agency.IWM, 1, renamed, renamed); err != nil {
			t.Fatal(err)
		}
		team, err := d.AddTeam(t.Context(), boss, agency.IWM, "", locale.Name{TH: "กลุ่มกำกับ"})
		if err != nil {
			t.Fatal(err)
		}
		// Another release of the program: a name it has corrected, and keys that sort differently.
		exec(t, env.DB, `UPDATE units SET name_th = 'เก่า', sort_key = 'old' WHERE code = 'TH-12'`)
		exec(t, env.DB, `UPDATE teams SET sort_key = 'old'`)
		write(t, env.DB, agency.Load)

		if u := find(t, d, "TH-12").Unit; u.Name.TH != "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี" || u.SortKey == "old" || u.Version != 1 {
			t.Errorf("TH-12 is %+v, want it brought up to date", u)
		}
		f := find(t, d, agency.IWM)
		if f.Unit.Name != renamed || f.Unit.Version != 2 {
			t.Errorf("IWM is %+v, want the administrator's name", f.Unit)
		}
		if len(f.Teams) != 1 || f.Teams[0] != team {
			t.Errorf("groups of IWM are %+v, want %+v", f.Teams, team)
		}
	})
}

func TestAddUnit(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := loaded(t, env)
		n := agency.NewUnit{Code: "eec", Kind: agency.External, Considers: true, UsesReview: true, Name: locale.Name{TH: "สำนักงานทดสอบ"}}
		u, err := d.AddUnit(t.Context(), boss, n)
		if err != nil {
			t.Fatal(err)
		}
		if got := find(t, d, "EEC").Unit; got != u || !got.Active || got.Short.TH != "สำนักงานทดสอบ" {
			t.Errorf("kept %+v, answered %+v", got, u)
		}
		_, err = d.AddUnit(t.Context(), boss, n)
		wants(t, err, problem.Invalid, "agency.problem.code_taken")
		n.Code = "EED"
		_, err = d.AddUnit(t.Context(), boss, n)
		wants(t, err, problem.Invalid, "agency.problem.name_taken")
		entries := log(t, env.DB, "agency.unit_add")
		if len(entries) != 1 || entries[0].Unit != "EEC" || entries[0].Actor != boss || entries[0].Texts["name"] != "สำนักงานทดสอบ" {
			t.Errorf("log %+v, want the one act", entries)
		}
	})
}

func TestOnlyAdministratorsKeepUnits(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d, ctx, name := loaded(t, env), t.Context(), locale.Name{TH: "อื่น"}
		if _, err := d.AddTeam(ctx, boss, agency.IWM, "G1", locale.Name{TH: "กลุ่มหนึ่ง"}); err != nil {
			t.Fatal(err)
		}
		before := find(t, d, agency.IWM)
		for act, try := range map[string]func() error{
			"agency.unit_add": func() error {
				_, err := d.AddUnit(ctx, "chief", agency.NewUnit{Code: "XX", Kind: agency.Centre, Name: name})
				return err
			},
			"agency.unit_rename":    func() error { return d.RenameUnit(ctx, "chief", agency.IWM, 1, name, name) },
			"agency.unit_mailbox":   func() error { return d.SetMailbox(ctx, "chief", agency.IWM, "", "mine@example.com") },
			"agency.unit_review":    func() error { return d.SwitchReview(ctx, "chief", agency.IWM, 1, false) },
			"agency.unit_considers": func() error { return d.SwitchConsiders(ctx, "chief", agency.IWM, 1, false) },
			"agency.unit_retire":    func() error { return d.RetireUnit(ctx, "chief", "HSM", 1) },
			"agency.unit_restore":   func() error { return d.RestoreUnit(ctx, "chief", "HSM", 1) },
			"agency.team_add":       func() error { _, err := d.AddTeam(ctx, "chief", agency.IWM, "", name); return err },
			"agency.team_rename":    func() error { return d.RenameTeam(ctx, "chief", agency.IWM, "G1", 1, name) },
			"agency.team_retire":    func() error { return d.RetireTeam(ctx, "chief", agency.IWM, "G1", 1) },
			"agency.team_restore":   func() error { return d.RestoreTeam(ctx, "chief", agency.IWM, "G1", 1) },
		} {
			wants(t, try(), problem.Denied, "test.not_administrator")
			if !slices.ContainsFunc(log(t, env.DB, act), func(e audit.Entry) bool { return e.Outcome == audit.Denied && e.Actor == "chief" }) {
				t.Errorf("%s: the refusal is not in the log", act)
			}
		}
		if after := find(t, d, agency.IWM); after.Unit != before.Unit || !slices.Equal(after.Teams, before.Teams) {
			t.Errorf("IWM is %+v, was %+v", after, before)
		}
	})
}

func TestAnOldVersionChangesNothing(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d, ctx := loaded(t, env), t.Context()
		first, second := locale.Name{TH: "ชื่อแรก"}, locale.Name{TH: "ชื่อหลัง"}
		if err := d.RenameUnit(ctx, boss, "HSM", 1, first, locale.Name{}); err != nil {
			t.Fatal(err)
		}
		wants(t, d.RenameUnit(ctx, boss, "HSM", 1, second, locale.Name{}), problem.Conflict, "agency.problem.changed")
		if u := find(t, d, "HSM").Unit; u.Name != first || u.Short != first || u.Version != 2 {
			t.Errorf("HSM is %+v, want the first name", u)
		}
		wants(t, d.RenameUnit(ctx, boss, "NONE", 1, first, first), problem.NotFound, "agency.problem.unit")
		wants(t, d.RenameTeam(ctx, boss, "HSM", "NONE", 1, first), problem.NotFound, "agency.problem.team")
		wants(t, d.RenameUnit(ctx, boss, "ETP", 1, first, first), problem.Invalid, "agency.problem.name_taken")
	})
}

// TestMailbox: the office's own address changes as often as anybody wants, and the reference data goes on to rule its name.
func TestMailbox(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d, ctx := loaded(t, env), t.Context()
		wants(t, d.SetMailbox(ctx, boss, "HSM", "", "not an address"), problem.Invalid, "agency.problem.mailbox")
		wants(t, d.SetMailbox(ctx, boss, "NONE", "", "a@diw.go.th"), problem.NotFound, "agency.problem.unit")
		if err := d.SetMailbox(ctx, boss, "HSM", "", " Saraban@DIW.go.th "); err != nil {
			t.Fatal(err)
		}
		u := find(t, d, "HSM").Unit
		if u.Mailbox != "saraban@diw.go.th" || u.Version != 1 {
			t.Fatalf("HSM is %+v", u)
		}
		wants(t, d.SetMailbox(ctx, boss, "HSM", "", "late@diw.go.th"), problem.Conflict, "agency.problem.changed")
		exec(t, env.DB, `UPDATE units SET name_th = 'ชื่อเก่า' WHERE code = 'HSM'`)
		write(t, env.DB, agency.Load)
		if again := find(t, d, "HSM").Unit; again.Mailbox != u.Mailbox || again.Name != u.Name {
			t.Errorf("after the reference data was loaded again it is %+v", again)
		}
		if err := d.SetMailbox(ctx, boss, "HSM", u.Mailbox, " "); err != nil {
			t.Fatal(err)
		}
		if u := find(t, d, "HSM").Unit; u.Mailbox != "" {
			t.Errorf("taken away, it is %q", u.Mailbox)
		}
		entries := log(t, env.DB, "agency.unit_mailbox")
		done := slices.DeleteFunc(entries, func(e audit.Entry) bool { return e.Outcome != audit.Done })
		if len(done) != 2 || done[0].Texts["before"] != string(u.Mailbox) || done[1].Texts["after"] != string(u.Mailbox) {
			t.Errorf("log %+v", done)
		}
	})
}

func TestSwitches(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d, ctx := loaded(t, env), t.Context()
		wants(t, d.SwitchReview(ctx, boss, "TH-12", 1, true), problem.Conflict, "agency.problem.review_here")
		wants(t, d.SwitchReview(ctx, boss, "HSM", 1, true), problem.Conflict, "agency.problem.review_here")
		for _, step := range []error{
			d.SwitchConsiders(ctx, boss, "HSM", 1, true),
			d.SwitchReview(ctx, boss, "HSM", 2, true),
		} {
			if step != nil {
				t.Fatal(step)
			}
		}
		if u := find(t, d, "HSM").Unit; !u.Considers || !u.UsesReview || u.Version != 3 {
			t.Fatalf("HSM is %+v, want both on", u)
		}
		give(t, env, "HSM", "", 2, time.Time{})
		wants(t, d.SwitchReview(ctx, boss, "HSM", 3, false), problem.Conflict, "agency.problem.has_reviewers")
		wants(t, d.SwitchConsiders(ctx, boss, "HSM", 3, false), problem.Conflict, "agency.problem.has_grants")
		exec(t, env.DB, `UPDATE grants SET closed_at = 1`)
		if err := d.SwitchConsiders(ctx, boss, "HSM", 3, false); err != nil {
			t.Fatal(err)
		}
		if u := find(t, d, "HSM").Unit; u.Considers || u.UsesReview {
			t.Errorf("HSM is %+v, want level 2 off too", u)
		}
	})
}

func TestRetire(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d, ctx := loaded(t, env), t.Context()
		if _, err := d.AddTeam(ctx, boss, agency.IWM, "G1", locale.Name{TH: "กลุ่มหนึ่ง"}); err != nil {
			t.Fatal(err)
		}
		give(t, env, agency.IWM, "G1", 1, env.Clock.Now().Add(time.Hour))
		give(t, env, agency.IWM, "", 3, time.Time{})
		give(t, env, "HSM", "", 1, time.Time{})
		appoint(t, env, "ETP")
		if f := find(t, d, agency.IWM); f.Grants != 2 || f.InTeam["G1"] != 1 || find(t, d, "ETP").Heads != 1 {
			t.Errorf("IWM counts %d rights, %v in groups", f.Grants, f.InTeam)
		}

		wants(t, d.RetireTeam(ctx, boss, agency.IWM, "G1", 1), problem.Conflict, "agency.problem.has_grants")
		wants(t, d.RetireUnit(ctx, boss, "HSM", 1), problem.Conflict, "agency.problem.has_grants")
		wants(t, d.RetireUnit(ctx, boss, "ETP", 1), problem.Conflict, "agency.problem.has_heads")
		wants(t, d.RetireUnit(ctx, boss, agency.DIW, 1), problem.Conflict, "agency.problem.needed")
		wants(t, d.RetireUnit(ctx, boss, agency.IWM, 1), problem.Conflict, "agency.problem.needed")

		env.Clock.Advance(time.Hour) // the right in the group has run out
		for _, step := range []error{
			d.RetireTeam(ctx, boss, agency.IWM, "G1", 1),
			d.RetireUnit(ctx, boss, "LGL", 1),
		} {
			if step != nil {
				t.Fatal(step)
			}
		}
		if find(t, d, "LGL").Unit.Active || find(t, d, agency.IWM).Teams[0].Active {
			t.Error("the unit or the group is still in use")
		}
		// The name is free while nobody uses it, and can not be taken back once another has it.
		if _, err := d.AddTeam(ctx, boss, agency.IWM, "", locale.Name{TH: "กลุ่มหนึ่ง"}); err != nil {
			t.Fatal(err)
		}
		wants(t, d.RestoreTeam(ctx, boss, agency.IWM, "G1", 2), problem.Invalid, "agency.problem.name_taken")
		if err := d.RestoreUnit(ctx, boss, "LGL", 2); err != nil || !find(t, d, "LGL").Unit.Active {
			t.Errorf("restore: %v", err)
		}
	})
}

func TestTeams(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d, ctx := loaded(t, env), t.Context()
		for _, unit := range []string{"TH-12", "IEAT", "ADG", agency.DIW} {
			_, err := d.AddTeam(ctx, boss, unit, "", locale.Name{TH: "กลุ่ม"})
			wants(t, err, problem.Conflict, "agency.problem.no_teams")
		}
		for _, name := range []string{"กลุ่มโรงงาน", "กลุ่มเคมี", "กลุ่มแผนงาน"} {
			if _, err := d.AddTeam(ctx, boss, agency.IWM, "", locale.Name{TH: name}); err != nil {
				t.Fatal(err)
			}
		}
		_, err := d.AddTeam(ctx, boss, agency.IWM, "g2", locale.Name{TH: "กลุ่มใหม่"})
		wants(t, err, problem.Invalid, "agency.problem.code_taken")
		_, err = d.AddTeam(ctx, boss, agency.IWM, "", locale.Name{TH: "กลุ่มเคมี"})
		wants(t, err, problem.Invalid, "agency.problem.name_taken")
		if err := d.RenameTeam(ctx, boss, agency.IWM, "G3", 1, locale.Name{TH: "กลุ่มก่อน", EN: "First"}); err != nil {
			t.Fatal(err)
		}
		var order []string
		for _, team := range find(t, d, agency.IWM).Teams {
			order = append(order, team.Code+" "+team.Name.TH)
		}
		if want := []string{"G3 กลุ่มก่อน", "G2 กลุ่มเคมี", "G1 กลุ่มโรงงาน"}; !slices.Equal(order, want) {
			t.Errorf("groups are %v, want %v", order, want)
		}
		err = env.DB.Read(ctx, func(tx *store.Tx) error {
			all, err := agency.AllTeams(ctx, tx)
			if err == nil && len(all) != 3 {
				t.Errorf("%d groups in all, want 3", len(all))
			}
			if err != nil {
				return err
			}
			team, err := agency.FindTeam(ctx, tx, agency.IWM, "G2")
			if team.Name.TH != "กลุ่มเคมี" {
				t.Errorf("G2 is %+v", team)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// Two administrators who add the same group at once make one group; so do two who change one version.
func TestAtOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d, ctx := loaded(t, env), t.Context()
		const together = 8
		added, renamed := make([]error, together), make([]error, together)
		var wait sync.WaitGroup
		for i := range together {
			wait.Go(func() {
				_, added[i] = d.AddTeam(ctx, boss, agency.IWM, "", locale.Name{TH: "กลุ่มเดียวกัน"})
			})
			wait.Go(func() {
				renamed[i] = d.RenameUnit(ctx, boss, "HSM", 1, locale.Name{TH: "กองใหม่"}, locale.Name{})
			})
		}
		wait.Wait()
		ok := func(errs []error) (n int) {
			for _, err := range errs {
				if err == nil {
					n++
				} else if !errors.Is(err, problem.Invalid) && !errors.Is(err, problem.Conflict) {
					t.Errorf("answer %v", err)
				}
			}
			return n
		}
		if a, r := ok(added), ok(renamed); a != 1 || r != 1 {
			t.Errorf("%d added the group and %d renamed the unit, want one each", a, r)
		}
		if n := len(find(t, d, agency.IWM).Teams); n != 1 {
			t.Errorf("%d groups, want 1", n)
		}
	})
}

// give writes a right as the book of rights would, to somebody new; the zero until is no end.
func give(t *testing.T, env *storetest.Env, unit, team string, level int, until time.Time) {
	t.Helper()
	write(t, env.DB, func(ctx context.Context, tx *store.Tx) error {
		who, err := mention(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO grants (id, number, unit, team, level, person_id, starts_at, ends_at, given_by, given_at, form)
			SELECT $1, count(*) + 1, $2, $3, $4, $5, $6, $7, 'x', $6, $1 FROM grants`,
			store.NewID(), unit, team, level, who, store.Us(tx.Now), store.Us(until))
		return err
	})
}

func appoint(t *testing.T, env *storetest.Env, unit string) {
	t.Helper()
	write(t, env.DB, func(ctx context.Context, tx *store.Tx) error {
		who, err := mention(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO appointments (id, person_id, unit, post, kind, order_number, starts_at, proposed_by, proposed_at)
			VALUES ($1, $2, $3, 'head', 'regular', '1/2569', $4, 'x', $4)`, store.NewID(), who, unit, store.Us(tx.Now))
		return err
	})
}

func mention(ctx context.Context, tx *store.Tx) (string, error) {
	id := store.NewID()
	_, err := tx.Exec(ctx, `INSERT INTO persons (id, citizen_sealed, citizen_index, created_at) VALUES ($1, $2, $1, $3)`,
		id, []byte("sealed"), store.Us(tx.Now))
	return id, err
}

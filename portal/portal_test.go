package portal_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/portal"
)

const boss = "administrator"

// loaded is a desk over a database with the menu, at which one person is administrator.
func loaded(t *testing.T, env *storetest.Env) portal.Desk {
	t.Helper()
	load(t, env)
	return portal.Desk{DB: env.DB, Administrator: func(_ context.Context, _ *store.Tx, by string) error {
		if by != boss {
			return problem.New(problem.Denied, "test.not_administrator")
		}
		return nil
	}}
}

func load(t *testing.T, env *storetest.Env) {
	t.Helper()
	if err := env.DB.Write(t.Context(), func(tx *store.Tx) error { return portal.Load(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// log lists what was recorded under the name of an act.
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

func TestMenus(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := loaded(t, env)
		menus, err := d.Menus(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, m := range menus {
			names = append(names, m.Name.TH)
			if want := map[string]int{"permits": 8}[m.Code]; len(m.Systems) != want {
				t.Errorf("%s has %d systems, want %d", m.Name.TH, len(m.Systems), want)
			}
		}
		if got := strings.Join(names, ", "); got != "หน้าหลัก, ระบบงานอนุญาต, ระบบการรายงาน, ระบบสำรวจตรวจสอบ, ระบบงานอื่น ๆ, อีเมล กรอ." {
			t.Errorf("the menu bar reads %s", got)
		}
		first := menus[1].Systems[0]
		if first.Name.TH != "ระบบอนุญาตกากอุตสาหกรรม (กอ.1)" || first.Address != "/ko1" || menus[1].Systems[7].Code != "vk7" {
			t.Errorf("the systems are %+v", menus[1].Systems)
		}
	})
}

func TestAddressOfASystem(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d, ctx := loaded(t, env), t.Context()
		const address = "https://eis.diw.go.th/haz"
		wants(t, d.SetSystemAddress(ctx, "chief", "haz2009", 1, address), problem.Denied, "test.not_administrator")
		wants(t, d.SetSystemAddress(ctx, boss, "haz2009", 1, "javascript:1"), problem.Invalid, "portal.problem.address")
		wants(t, d.SetSystemAddress(ctx, boss, "none", 1, address), problem.NotFound, "portal.problem.system")
		if err := d.SetSystemAddress(ctx, boss, "haz2009", 1, address); err != nil {
			t.Fatal(err)
		}
		wants(t, d.SetSystemAddress(ctx, boss, "haz2009", 1, ""), problem.Conflict, "portal.problem.changed")
		load(t, env)
		s, err := d.System(ctx, "haz2009")
		if err != nil || s.Address != address || s.Version != 2 {
			t.Errorf("after another start it is %+v, %v", s, err)
		}
		entries := log(t, env.DB, "portal.system_address")
		if len(entries) != 2 || entries[0].Outcome != audit.Done || entries[0].Texts["after"] != address || entries[1].Outcome != audit.Denied {
			t.Errorf("log %+v, want a refusal and the act", entries)
		}
	})
}

func TestTheNoticeOfTheCutOverIsPast(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := loaded(t, env)
		for _, place := range portal.Places {
			current, past, err := d.Announcements(t.Context(), place)
			if err != nil || len(current) != 0 || len(past) != 1 {
				t.Fatalf("%s shows %d and has shown %d: %v", place, len(current), len(past), err)
			}
			if last := past[0].LastDay().Long("th"); last != "5 พฤศจิกายน 2566" || !strings.Contains(past[0].Body.TH, "ถึง วันที่ 31 ตุลาคม 2566 เวลา 23.59 น.") {
				t.Errorf("the notice ends on %s and says %s", last, past[0].Body.TH)
			}
		}
		env.Clock.Set(time.Date(2023, time.November, 5, 16, 59, 0, 0, time.UTC))
		if current, past, err := d.Announcements(t.Context(), portal.Public); err != nil || len(current) != 1 || len(past) != 0 {
			t.Errorf("on its last evening: %d current, %d past, %v", len(current), len(past), err)
		}
	})
}

func draft(env *storetest.Env, place portal.Place, from, to int) portal.Draft {
	today := thai.DateOf(env.Clock.Now())
	n := portal.Draft{Title: locale.Name{TH: "ปิดปรับปรุงระบบ"}, Body: locale.Name{TH: "งดให้บริการชั่วคราว"}, Place: place, From: today.AddDays(from)}
	if to >= from {
		n.To = today.AddDays(to)
	}
	return n
}

func TestAnnouncements(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d, ctx := loaded(t, env), t.Context()
		ids := make(map[string]string)
		for name, n := range map[string]portal.Draft{
			"public": draft(env, portal.Public, -2, 0), "officers": draft(env, portal.Officers, -1, -9), "coming": draft(env, portal.Public, 1, 5),
		} {
			a, err := d.Announce(ctx, boss, n)
			if err != nil {
				t.Fatal(err)
			}
			ids[name] = a.ID
		}
		shows := func(place portal.Place, names ...string) {
			t.Helper()
			current, _, err := d.Announcements(ctx, place)
			if err != nil {
				t.Fatal(err)
			}
			var got, want []string
			for _, a := range current {
				got = append(got, a.ID)
			}
			for _, name := range names {
				want = append(want, ids[name])
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s shows %v, want %v (of %v)", place, got, want, ids)
			}
		}
		shows(portal.Public, "public")
		shows(portal.Officers, "officers", "public")
		env.Clock.Advance(24 * time.Hour)
		shows(portal.Public, "coming")
		shows(portal.Officers, "coming", "officers")

		moved := draft(env, portal.Officers, 0, 3)
		moved.Title.TH = "เลื่อนกำหนด"
		if err := d.Change(ctx, boss, ids["coming"], 1, moved); err != nil {
			t.Fatal(err)
		}
		shows(portal.Public)
		wants(t, d.Change(ctx, boss, ids["coming"], 1, moved), problem.Conflict, "portal.problem.changed")
		if err := d.Close(ctx, boss, ids["officers"], 1); err != nil {
			t.Fatal(err)
		}
		shows(portal.Officers, "coming")
		wants(t, d.Change(ctx, boss, ids["officers"], 2, moved), problem.Conflict, "portal.problem.changed")
		wants(t, d.Close(ctx, boss, "none", 1), problem.NotFound, "portal.problem.announcement")

		all, err := d.All(ctx)
		if err != nil {
			t.Fatal(err)
		}
		states := make(map[string]portal.State)
		for _, s := range all {
			states[s.ID] = s.State
		}
		for name, want := range map[string]portal.State{"public": portal.Past, "officers": portal.Closed, "coming": portal.Current} {
			if states[ids[name]] != want {
				t.Errorf("%s is %s, want %s", name, states[ids[name]], want)
			}
		}
		one, err := d.Announcement(ctx, ids["coming"])
		if err != nil || one.Title.TH != "เลื่อนกำหนด" || one.Version != 2 || one.CreatedBy != boss {
			t.Errorf("found %+v, %v", one, err)
		}
		if n := len(log(t, env.DB, "portal.announce")) + len(log(t, env.DB, "portal.change")) + len(log(t, env.DB, "portal.close")); n != 5 {
			t.Errorf("%d acts recorded, want 5", n)
		}
	})
}

func TestOnlyAdministratorsAnnounce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d, ctx := loaded(t, env), t.Context()
		n := draft(env, portal.Public, 0, 1)
		for what, try := range map[string]func() error{
			"announce": func() error { _, err := d.Announce(ctx, "chief", n); return err },
			"change":   func() error { return d.Change(ctx, "chief", "cutover-2566", 1, n) },
			"close":    func() error { return d.Close(ctx, "chief", "cutover-2566", 1) },
		} {
			if err := try(); !errors.Is(err, problem.Denied) {
				t.Errorf("%s: %v, want a refusal", what, err)
			}
		}
		all, err := d.All(ctx)
		if err != nil || len(all) != 1 || all[0].Version != 1 || all[0].State != portal.Past {
			t.Errorf("kept %+v, %v", all, err)
		}
		_, err = d.Announce(ctx, boss, portal.Draft{})
		wants(t, err, problem.Invalid, "portal.problem.title_empty")
	})
}

package portal_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/portal"
)

// owner asks as a deciding act of the program does.
func owner(t *testing.T, env *storetest.Env, at time.Time) (side portal.Side) {
	t.Helper()
	err := env.DB.Read(t.Context(), func(tx *store.Tx) (err error) {
		side, err = portal.Owner(t.Context(), tx, portal.KO1, at)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return side
}

// TestTheManualsCutOver goes through the days of the manual: the old system open until 31 October 2566, 23:59, new
// cases in the new one from 1 November on.
func TestTheManualsCutOver(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d, ctx := loaded(t, env), t.Context()
		first := time.Date(2023, time.October, 31, 17, 0, 0, 0, time.UTC) // midnight in Bangkok
		env.Clock.Set(first.AddDate(0, -1, 0))
		is := func(want portal.Side, coming int) portal.Ownership {
			t.Helper()
			o, err := d.Ownership(ctx, portal.KO1)
			if err != nil || o.Owner != want || len(o.Coming) != coming || !o.At.Equal(env.Clock.Now()) || owner(t, env, o.At) != want {
				t.Fatalf("it is %+v, %v, want %s and %d to come", o, err, want, coming)
			}
			return o
		}
		if o := is(portal.Old, 0); o.Since.ID != "" || !o.Since.From.IsZero() {
			t.Errorf("since %+v", o.Since)
		}
		c, err := d.SetCutover(ctx, boss, portal.KO1, portal.CutoverDraft{
			Owner: portal.New, From: first, Note: locale.Name{TH: "ถ่ายโอนข้อมูลวันที่ 5 พฤศจิกายน 2566"}, Link: "https://www.diw.go.th/x",
		})
		if err != nil {
			t.Fatal(err)
		}
		is(portal.Old, 1)
		env.Clock.Set(first.Add(-time.Microsecond))
		if o := is(portal.Old, 1); o.Coming[0].ID != c.ID || !o.Coming[0].From.Equal(first) || o.Coming[0].StateAt(o.At) != portal.Coming {
			t.Errorf("to come is %+v", o.Coming)
		}
		env.Clock.Set(first)
		if o := is(portal.New, 0); o.Since.ID != c.ID || o.Since.Note.TH == "" || o.Since.Link == "" || o.Since.StateAt(o.At) != portal.Current {
			t.Errorf("since %+v", o.Since)
		}
		// A case of the evening before still is the old system's.
		if side := owner(t, env, first.Add(-time.Minute)); side != portal.Old {
			t.Errorf("a minute before midnight it was %s", side)
		}
		if _, err := d.Ownership(ctx, "none"); !errors.Is(err, problem.NotFound) {
			t.Errorf("no system: %v", err)
		}
		entries := log(t, env.DB, "portal.cutover_set")
		if len(entries) != 1 || entries[0].Detail["owner"] != "new" || entries[0].Detail["moment"] != "2023-10-31T17:00:00Z" ||
			entries[0].Texts["note"] == "" || entries[0].Object != c.ID {
			t.Errorf("log %+v", entries)
		}
	})
}

func TestCutoverIsWithdrawn(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d, ctx := loaded(t, env), t.Context()
		now := env.Clock.Now()
		set := func(owner portal.Side, from time.Time) portal.Cutover {
			t.Helper()
			c, err := d.SetCutover(ctx, boss, portal.KO1, portal.CutoverDraft{Owner: owner, From: from})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		first, second := set(portal.New, now.Add(time.Hour)), set(portal.Old, now.Add(2*time.Hour))
		wants(t, d.WithdrawCutover(ctx, boss, first.ID, 1), problem.Conflict, "portal.problem.cutover_not_last")
		wants(t, d.WithdrawCutover(ctx, boss, second.ID, 2), problem.Conflict, "portal.problem.changed")
		wants(t, d.WithdrawCutover(ctx, boss, "none", 1), problem.NotFound, "portal.problem.cutover")
		if err := d.WithdrawCutover(ctx, boss, second.ID, 1); err != nil {
			t.Fatal(err)
		}
		wants(t, d.WithdrawCutover(ctx, boss, second.ID, 1), problem.Conflict, "portal.problem.changed")
		wants(t, d.WithdrawCutover(ctx, boss, second.ID, 2), problem.Conflict, "portal.problem.changed")
		set(portal.Old, now.Add(2*time.Hour)) // the same moment is free again
		env.Clock.Advance(time.Hour)
		wants(t, d.WithdrawCutover(ctx, boss, first.ID, 1), problem.Conflict, "portal.problem.cutover_begun")
		if owner(t, env, env.Clock.Now()) != portal.New {
			t.Error("what has begun does not hold")
		}
		all, err := d.Cutovers(ctx, portal.KO1)
		if err != nil || len(all) != 3 || !all[2].From.Equal(first.From) {
			t.Fatalf("kept %+v, %v", all, err)
		}
		one, err := d.Cutover(ctx, second.ID)
		if err != nil || one.StateAt(env.Clock.Now()) != portal.Closed || one.Version != 2 || one.CreatedBy != boss {
			t.Errorf("withdrawn is %+v, %v", one, err)
		}
		entries := log(t, env.DB, "portal.cutover_withdraw")
		if done := entries[len(entries)-1]; done.Outcome != audit.Done || done.Detail["owner"] != "old" {
			t.Errorf("log %+v", entries)
		}
	})
}

func TestOnlyAdministratorsCutOver(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d, ctx := loaded(t, env), t.Context()
		n := portal.CutoverDraft{Owner: portal.New, From: env.Clock.Now().Add(time.Hour)}
		_, err := d.SetCutover(ctx, "chief", portal.KO1, n)
		wants(t, err, problem.Denied, "test.not_administrator")
		c, err := d.SetCutover(ctx, boss, portal.KO1, n)
		if err != nil {
			t.Fatal(err)
		}
		wants(t, d.WithdrawCutover(ctx, "chief", c.ID, 1), problem.Denied, "test.not_administrator")
		_, err = d.SetCutover(ctx, boss, "none", n)
		wants(t, err, problem.NotFound, "portal.problem.system")
		_, err = d.SetCutover(ctx, boss, portal.KO1, n)
		wants(t, err, problem.Invalid, "portal.problem.cutover_same_new")
		_, err = d.SetCutover(ctx, boss, portal.KO1, portal.CutoverDraft{})
		wants(t, err, problem.Invalid, "portal.problem.cutover_from_empty")
	})
}

// TestTwoAdministratorsCutOverAtOnce lets only one of them: whoever is second would have set the same again.
func TestTwoAdministratorsCutOverAtOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := loaded(t, env)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		answers := make(chan error, 4)
		for i := range cap(answers) {
			go func() {
				_, err := d.SetCutover(ctx, boss, portal.KO1, portal.CutoverDraft{Owner: portal.New, From: env.Clock.Now().Add(time.Duration(i+1) * time.Hour)})
				answers <- err
			}()
		}
		set := 0
		for range cap(answers) {
			err := <-answers
			if err == nil {
				set++
			} else if !errors.Is(err, problem.Invalid) {
				t.Error(err)
			}
		}
		if all, err := d.Cutovers(ctx, portal.KO1); err != nil || set != 1 || len(all) != 1 {
			t.Errorf("%d were set, %d are kept, %v", set, len(all), err)
		}
	})
}

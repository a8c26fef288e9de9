package grant

import (
	"fmt"
	"testing"
	"time"

	"sitthi/internal/storetest"
)

// TestFiguresKept holds the figures that a book keeps against those of a book that has kept none: after every act, and
// around every moment at which one of them changes by itself.
func TestFiguresKept(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		unit, chief := k.province(t)
		seen := map[string]bool{}
		same := func(when string) {
			t.Helper()
			kept, err := k.book.Overview(t.Context(), chief)
			if err != nil {
				t.Fatal(err)
			}
			fresh, err := k.newBook(k.DB).Overview(t.Context(), chief)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range []Filter{{}, {Level: Consider}, {Level: Review}, {Level: Approve, Sort: "name", Size: 20}, {State: "all"}, {Number: "1"}, {Unit: "TH-13"}} {
				sheet, err := k.book.Sheet(t.Context(), chief, f)
				if err != nil {
					t.Fatal(err)
				}
				page, err := k.book.Grid(t.Context(), chief, f)
				if err != nil || sheet.Page.Total != page.Total || f.State == "" && f.Number == "" && len(page.Rows) != page.Total {
					t.Errorf("%s: %+v has %d rows by the figures, %d counted (%v)", when, f, sheet.Page.Total, page.Total, err)
				}
			}
			got, want := fmt.Sprintf("%+v", kept), fmt.Sprintf("%+v", fresh)
			if got != want {
				t.Errorf("%s: kept\n%s, counted anew\n%s", when, got, want)
			}
			seen[want] = true
		}
		same("no right")
		ending, later := to(k.officer(t, unit), unit, Consider), to(k.officer(t, unit), unit, Approve)
		ending.LastDay = today.AddDays(40)
		later.From = today.AddDays(3)
		first := k.give(t, chief, ending)
		same("a right with an end")
		second := k.give(t, chief, later)
		same("a right to come")
		pending := k.give(t, chief, Order{Unit: unit, Level: Consider, Citizen: k.citizen(t)})
		same("a right of somebody not registered")
		other := k.newBook(k.DB)
		if err := other.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Revoke(t.Context(), chief, pending.ID, Ending{Reason: "ย้าย", LeavesNone: true}); err != nil {
			t.Fatal(err)
		}
		same("ended by another process")
		for _, turn := range []time.Time{second.From, first.Until.AddDate(0, 0, -SoonDays), first.Until} {
			for _, step := range []time.Duration{-time.Microsecond, 0, time.Microsecond} {
				k.at(t, turn.Add(step))
				same(fmt.Sprint("at ", turn.Add(step)))
			}
		}
		if len(seen) < 7 {
			t.Errorf("only %d different figures were seen", len(seen))
		}
	})
}

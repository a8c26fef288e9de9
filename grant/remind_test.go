package grant

import (
	"strings"
	"sync"
	"testing"
	"time"

	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
)

// TestRemindEnding: the holder and the head are told 30 and 7 days before the end, once each, by however many processes.
func TestRemindEnding(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		who, short, never := k.officer(t, "TH-12"), k.officer(t, "TH-12"), k.officer(t, "TH-12")
		o := to(who, "TH-12", Consider)
		o.LastDay = thai.DateOf(env.Clock.Now()).AddDays(60)
		g := k.give(t, k.chief12, o)
		o = to(short, "TH-12", Consider)
		o.LastDay = thai.DateOf(env.Clock.Now()).AddDays(10)
		brief := k.give(t, k.chief12, o)
		k.give(t, k.chief12, to(never, "TH-12", Consider))
		closing := k.officer(t, "TH-12")
		o = to(closing, "TH-12", Consider)
		o.LastDay = g.lastDay(t)
		k.give(t, k.chief12, o)
		k.switchOff(t, closing)

		books := []*Book{k.book, k.newBook(env.DB), k.newBook(env.DB)}
		remind := func() {
			t.Helper()
			var group sync.WaitGroup
			for _, b := range books {
				group.Go(func() {
					if _, err := b.RemindEnding(ctx); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
		}
		wants := func(when string, ofLong, ofShort, head int) {
			t.Helper()
			remind()
			for id, want := range map[string]int{string(who): ofLong, string(short): ofShort, string(never): 0, string(closing): 0} {
				var n int
				k.read(t, func(tx *store.Tx) error {
					return tx.QueryRow(ctx, `SELECT count(*) FROM messages WHERE person_id = $1 AND purpose = 'grant.ending'`, id).Scan(&n)
				})
				if n != want {
					t.Errorf("%s: %d reminders, want %d", when, n, want)
				}
			}
			if n := strings.Count(k.told(t, k.chief12), "grant.ending_head"); n != head {
				t.Errorf("%s: the head has %d reminders, want %d", when, n, head)
			}
		}
		wants("at the beginning", 0, 0, 0)
		env.Clock.Advance(brief.Until.Add(-7 * 24 * time.Hour).Sub(env.Clock.Now()))
		wants("7 days before the end of the short one", 0, 1, 1)
		env.Clock.Advance(g.Until.Add(-30*24*time.Hour - time.Second).Sub(env.Clock.Now()))
		wants("a second before 30 days", 0, 1, 1)
		env.Clock.Advance(time.Second)
		wants("30 days before", 1, 1, 2)
		wants("and again", 1, 1, 2)
		env.Clock.Advance(23 * 24 * time.Hour)
		wants("7 days before", 2, 1, 3)
		env.Clock.Advance(30 * 24 * time.Hour)
		wants("when all is over", 2, 1, 3)
	})
}

// lastDay is the last day of a grant that has one.
func (g Grant) lastDay(t *testing.T) thai.Date {
	t.Helper()
	day, ok := g.LastDay()
	if !ok {
		t.Fatal("the right has no end")
	}
	return day
}

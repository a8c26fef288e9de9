package retention

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// Each rule is done when it is due, by one process alone, and told in the log of acts when something went.
func TestRound(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		var often, daily, broken int
		var gone int64
		failing := errors.New("the disk is full")
		rules := []Rule{
			{Name: "often", Every: time.Hour, Sweep: func(context.Context) (int64, error) { often++; return 1, nil }},
			{Name: "broken", Every: time.Hour, Recorded: true, Sweep: func(context.Context) (int64, error) { broken++; return 0, failing }},
			{Name: "daily", Keep: 90 * Day, Every: Day, Recorded: true, Sweep: func(context.Context) (int64, error) { daily++; return gone, nil }},
		}
		first := NewRound(env.DB, slog.New(slog.DiscardHandler), rules)
		second := NewRound(env.DB, slog.New(slog.DiscardHandler), rules)
		due := func(wantOften, wantDaily, wantBroken int) {
			t.Helper()
			for _, r := range []*Round{first, second} {
				if err := r.Due(t.Context()); err != nil && !errors.Is(err, failing) {
					t.Fatal(err)
				}
			}
			if often != wantOften || daily != wantDaily || broken != wantBroken {
				t.Errorf("done %d, %d and %d times, want %d, %d and %d", often, daily, broken, wantOften, wantDaily, wantBroken)
			}
		}
		due(1, 1, 1) // of the broken one the first still has the lease
		env.Clock.Advance(59 * time.Minute)
		due(1, 1, 2)
		env.Clock.Advance(time.Minute)
		due(2, 1, 3)
		env.Clock.Advance(23*time.Hour - time.Second)
		due(3, 1, 4)
		gone = 7
		env.Clock.Advance(time.Second)
		due(3, 2, 5)
		if n := first.Gone() + second.Gone(); n != 3+7 {
			t.Errorf("%d rows went", n)
		}
		var leaves []string
		err := env.DB.Read(t.Context(), func(tx *store.Tx) (err error) {
			leaves, err = store.Rows(func(r store.Row) (s string, err error) { return s, r.Scan(&s) })(tx.Query(t.Context(),
				`SELECT leaf FROM audit_entries WHERE act = 'retention.delete'`))
			return err
		})
		if err != nil || len(leaves) != 1 || !strings.Contains(leaves[0], "daily") || !strings.Contains(leaves[0], "90") {
			t.Errorf("the log tells %q: %v", leaves, err)
		}
	})
}

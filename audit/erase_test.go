package audit_test

import (
	"log/slog"
	"testing"
	"time"

	"sitthi/audit"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// Texts of before a moment go, in more than one batch; entries stay, and the log is as whole as it was.
func TestEraseTexts(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ctx := t.Context()
		ring, err := seal.New()
		if err != nil {
			t.Fatal(err)
		}
		sealer, err := audit.NewSealer(env.DB, ring, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		record := func(n int) {
			t.Helper()
			err := env.DB.Write(ctx, func(tx *store.Tx) error {
				for range n {
					if err := audit.Record(ctx, tx, audit.Act{Name: "test", Actor: audit.Terminal, Texts: map[string]string{"note": "คำสั่งลับ"}}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for placed := 1; placed > 0; {
				if placed, err = sealer.Seal(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		record(501)
		before, err := audit.Verify(ctx, env.DB, ring)
		if err != nil {
			t.Fatal(err)
		}
		env.Clock.Advance(400 * 24 * time.Hour)
		moment := env.Clock.Now()
		record(2)
		for _, want := range []int64{501, 0} {
			if gone, err := audit.EraseTexts(ctx, env.DB, moment); gone != want || err != nil {
				t.Fatalf("%d texts went, want %d: %v", gone, want, err)
			}
		}
		after, err := audit.Verify(ctx, env.DB, ring)
		if err != nil || after.Fault != nil || after.Erased != 501 || after.Size != before.Size+2 {
			t.Errorf("%+v %v", after, err)
		}
	})
}

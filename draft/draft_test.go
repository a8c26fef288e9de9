package draft_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"sitthi/draft"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

func TestDraft(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring, err := seal.New()
		if err != nil {
			t.Fatal(err)
		}
		desk := &draft.Desk{DB: env.DB, Ring: ring}
		keep := func(text string) string {
			t.Helper()
			id, err := desk.Keep(t.Context(), "person-a", text)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		id := keep("3990000000104")
		var got string
		if err := desk.Find(t.Context(), "person-a", id, &got); err != nil || got != "3990000000104" {
			t.Fatalf("%q, %v", got, err)
		}
		for what, err := range map[string]error{
			"another's": desk.Find(t.Context(), "person-b", id, &got),
			"none":      desk.Find(t.Context(), "person-a", "nothing", &got),
		} {
			if !errors.Is(err, problem.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		var sealed []byte
		if err := env.DB.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT sealed FROM drafts WHERE id = $1`, id).Scan(&sealed)
		}); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(sealed, []byte("3990000000104")) {
			t.Error("the draft lies there in the clear")
		}

		env.Clock.Advance(time.Minute)
		for i := range draft.Most {
			keep(fmt.Sprint(i))
		}
		if err := desk.Find(t.Context(), "person-a", id, &got); !errors.Is(err, problem.NotFound) {
			t.Errorf("one more than the most is kept: %v", err)
		}
		last := keep("last")
		env.Clock.Advance(draft.Life)
		if err := desk.Find(t.Context(), "person-a", last, &got); !errors.Is(err, problem.NotFound) {
			t.Errorf("kept past its time: %v", err)
		}
		if n, err := desk.Sweep(t.Context()); err != nil || n != draft.Most {
			t.Errorf("swept %d, %v", n, err)
		}
	})
}

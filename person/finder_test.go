package person

import (
	"strconv"
	"testing"

	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
)

func TestFinder(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ctx := t.Context()
		ring, err := seal.New()
		if err != nil {
			t.Fatal(err)
		}
		roll := NewRoll(ring)
		f := NewFinder(env.DB, roll)
		citizen, err := thai.ParseCitizenID("3990000000201")
		if err != nil {
			t.Fatal(err)
		}
		finds := func(want ID) {
			t.Helper()
			if id, found, err := f.Find(ctx, citizen); err != nil || id != want || found != (want != "") {
				t.Errorf("found %q, %v, %v; want %q", id, found, err, want)
			}
		}
		knows := func(id ID, want bool) {
			t.Helper()
			if known, err := f.Known(ctx, id); err != nil || known != want {
				t.Errorf("%q is known: %v, %v; want %v", id, known, err, want)
			}
		}
		write := func(act func(tx *store.Tx) error) {
			t.Helper()
			if err := env.DB.Write(ctx, act); err != nil {
				t.Fatal(err)
			}
		}
		finds("") // writes nothing, and is not remembered
		var who ID
		write(func(tx *store.Tx) (err error) {
			var n int
			if err := tx.QueryRow(ctx, `SELECT count(*) FROM persons`).Scan(&n); err != nil || n != 0 {
				t.Errorf("%d persons, %v", n, err)
			}
			who, err = roll.Mention(ctx, tx, citizen)
			return err
		})
		knows("0192f3a1-7b1c-7def-8a90-123456789012", false)
		finds(who)
		knows(who, true)
		write(func(tx *store.Tx) error { // from here on only memory can answer
			_, err := tx.Exec(ctx, `ALTER TABLE persons RENAME TO lost`)
			return err
		})
		finds(who)
		knows(who, true)
		if _, err := f.Known(ctx, "0192f3a1-7b1c-7def-8a90-123456789012"); err == nil {
			t.Error("the database was not asked about somebody new")
		}
	})
}

// TestMetForgets bounds what is remembered, and keeps whom it is asked about again and again.
func TestMetForgets(t *testing.T) {
	var m met[int]
	for n := range 5 * generation {
		m.put(n, ID(strconv.Itoa(n)))
		if id, found := m.get(0); !found || id != "0" {
			t.Fatalf("after %d persons the first is forgotten", n)
		}
		if len(m.young)+len(m.old) > 2*generation {
			t.Fatalf("%d persons are remembered", len(m.young)+len(m.old))
		}
	}
	if _, found := m.get(1); found {
		t.Error("the second is remembered, of whom nobody asked again")
	}
}

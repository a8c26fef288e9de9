package rekey

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// fields are two columns of the real tables: one with a key of one column, one with a key of two and a place of another.
var fields = []seal.Field{
	{Table: "persons", Column: "citizen_sealed", Key: []string{"id"}, Place: "person.citizen"},
	{Table: "legacy_rows", Column: "citizen_sealed", Key: []string{"import_id", "line"}, Place: "person.citizen", Of: []string{"person_id"}},
}

// office is a desk as a process of its own has it.
func office(t *testing.T, env *storetest.Env, path string) *Desk {
	t.Helper()
	ring, err := seal.Load(path, true)
	if err != nil {
		t.Fatal(err)
	}
	err = env.DB.Write(t.Context(), func(tx *store.Tx) error { return Register(t.Context(), tx, ring) })
	if err != nil {
		t.Fatal(err)
	}
	return NewDesk(Options{
		DB: env.DB, Ring: ring, Log: slog.New(slog.DiscardHandler), Fields: fields,
		Peppered: func(context.Context, *store.Tx, int) (int64, error) { return 0, nil },
	})
}

// fill seals values as programs do.
func fill(t *testing.T, env *storetest.Env, ring *seal.Ring, name string, n int) {
	t.Helper()
	err := env.DB.Write(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.Exec(t.Context(), `INSERT INTO legacy_imports (id, source, file_name, state, uploaded_by, uploaded_at)
			VALUES ($1, '', '', 'checked', '', 0)`, name); err != nil {
			return err
		}
		for i := range n {
			id := fmt.Sprintf("%s-%04d", name, i)
			sealed := ring.Seal("person.citizen/"+id, []byte(id))
			if _, err := tx.Exec(t.Context(), `INSERT INTO persons (id, citizen_sealed, citizen_index, created_at) VALUES ($1, $2, $1, 0)`, id, sealed); err != nil {
				return err
			}
			if _, err := tx.Exec(t.Context(), `INSERT INTO legacy_rows (import_id, line, kind, row_id, result, fresh_id, person_id, citizen_sealed)
				VALUES ($1, $2, '', '', 'new', '', $3, $4)`, name, i, id, ring.Seal("person.citizen/"+id, []byte(id))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// readable fails unless every value opens with the ring and is what was sealed.
func readable(t *testing.T, env *storetest.Env, ring *seal.Ring, want int) {
	t.Helper()
	type row struct {
		id     string
		sealed []byte
	}
	err := env.DB.Read(t.Context(), func(tx *store.Tx) error {
		rows, err := store.Rows(func(r store.Row) (v row, err error) { return v, r.Scan(&v.id, &v.sealed) })(tx.Query(t.Context(),
			`SELECT id, citizen_sealed FROM persons UNION ALL SELECT person_id, citizen_sealed FROM legacy_rows`))
		if err != nil || len(rows) != want {
			t.Errorf("%d values, want %d: %v", len(rows), want, err)
		}
		for _, v := range rows {
			if plain, err := ring.Open("person.citizen/"+v.id, v.sealed); err != nil || string(plain) != v.id {
				return fmt.Errorf("%s: %q %w", v.id, plain, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// version finds one key in the list.
func version(t *testing.T, d *Desk, kind seal.Kind, n int) (v Version, found bool) {
	t.Helper()
	list, err := d.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range list {
		if v.Kind == kind && v.Version == n {
			return v, true
		}
	}
	return v, false
}

// The life of a key: added beside one process while another serves, taken up, everything sealed anew through a stop in
// the middle, retired.
func TestLifeOfAKey(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ctx, path := t.Context(), filepath.Join(t.TempDir(), "keys.json")
		serving, terminal := office(t, env, path), office(t, env, path)
		const n = 2*batch + 7
		fill(t, env, serving.Ring, "a", n)
		if err := serving.tell(ctx, user{1, 1}); err != nil {
			t.Fatal(err)
		}
		if added, err := terminal.Rotate(ctx, seal.Encryption); added != 2 || err != nil {
			t.Fatal(added, err)
		}
		if v, ok := version(t, terminal, seal.Encryption, 1); !ok || v.Holds != 2*n || v.Users != 1 || v.InUse || v.Missing || v.Since.IsZero() {
			t.Errorf("the old key: %+v", v)
		}
		if v, ok := version(t, terminal, seal.Encryption, 2); !ok || v.Holds != 0 || v.Users != 0 || !v.InUse {
			t.Errorf("the new key: %+v", v)
		}
		if err := terminal.Retire(ctx, seal.Encryption, 1); !errors.Is(err, ErrNeeded) || !strings.Contains(err.Error(), "still uses encryption key 1") {
			t.Errorf("retired beside a program that uses it: %v", err)
		}
		fill(t, env, serving.Ring, "b", 3) // the serving process has not looked yet
		if changed, err := serving.TakeUp(ctx); !changed || err != nil {
			t.Fatal(changed, err)
		}
		if err := serving.tell(ctx, user{serving.Ring.InUse(seal.Encryption), 1}); err != nil {
			t.Fatal(err)
		}
		fill(t, env, serving.Ring, "c", 3)
		readable(t, env, terminal.Ring, 2*(n+6))
		if err := terminal.Retire(ctx, seal.Encryption, 1); !errors.Is(err, ErrNeeded) || !strings.Contains(err.Error(), fmt.Sprintf("%d values", 2*(n+3))) {
			t.Errorf("retired with values sealed: %v", err)
		}
		stopping, stop := context.WithCancel(ctx)
		var done int
		err := terminal.Reseal(stopping, func(values int) { done += values; stop() })
		if !errors.Is(err, context.Canceled) || done == 0 || done > batch {
			t.Errorf("stopped after %d: %v", done, err)
		}
		readable(t, env, serving.Ring, 2*(n+6))
		if err := terminal.Reseal(ctx, func(values int) { done += values }); err != nil || done != 2*(n+3) {
			t.Errorf("sealed anew %d of %d: %v", done, 2*(n+3), err)
		}
		if err := terminal.Retire(ctx, seal.Encryption, 2); !errors.Is(err, ErrNeeded) {
			t.Errorf("retired the key in use: %v", err)
		}
		for range 2 { // the second time is after a kill between database and file
			if err := terminal.Retire(ctx, seal.Encryption, 1); err != nil {
				t.Fatal(err)
			}
		}
		alone, err := seal.Load(path, false)
		if err != nil {
			t.Fatal(err)
		}
		readable(t, env, alone, 2*(n+6))
		if err := env.DB.Read(ctx, func(tx *store.Tx) error { return Check(ctx, tx, alone) }); err != nil {
			t.Error(err)
		}
		if changed, err := serving.TakeUp(ctx); !changed || err != nil {
			t.Error(changed, err)
		}
		if _, found := version(t, serving, seal.Encryption, 1); found {
			t.Error("the retired key is still listed")
		}
	})
}

// Whoever comes with too old a copy of the key file, or with that of another installation, is told which key is needed.
func TestCheckNamesTheKey(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ctx, path := t.Context(), filepath.Join(t.TempDir(), "keys.json")
		d := office(t, env, path)
		copied, err := seal.Load(path, false)
		if err != nil {
			t.Fatal(err)
		}
		check := func(ring *seal.Ring) error {
			return env.DB.Read(ctx, func(tx *store.Tx) error { return Check(ctx, tx, ring) })
		}
		if _, err := d.Rotate(ctx, seal.Pepper); err != nil {
			t.Fatal(err)
		}
		if err := check(copied); !errors.Is(err, ErrNeeded) || !strings.Contains(err.Error(), "pepper key 2") {
			t.Errorf("a copy of before: %v", err)
		}
		other, err := seal.Load(filepath.Join(t.TempDir(), "keys.json"), true)
		if err != nil {
			t.Fatal(err)
		}
		if err := check(other); !errors.Is(err, ErrNeeded) || !strings.Contains(err.Error(), "has the mark") {
			t.Errorf("another file: %v", err)
		}
		if err := env.DB.Write(ctx, func(tx *store.Tx) error { return Register(ctx, tx, copied) }); !errors.Is(err, ErrNeeded) {
			t.Errorf("a copy of before was registered: %v", err)
		}
	})
}

// A value that no key opens stays as it is, is told, and holds up no other.
func TestResealGoesOn(t *testing.T) {
	env := storetest.SQLite(t)
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "keys.json")
	d := office(t, env, path)
	fill(t, env, d.Ring, "a", 5)
	damaged := append(seal.Prefix(1), bytes.Repeat([]byte{7}, 40)...)
	err := env.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE persons SET citizen_sealed = $1 WHERE id = 'a-0002'`, damaged)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Rotate(ctx, seal.Encryption); err != nil {
		t.Fatal(err)
	}
	done := 0
	if err := d.Reseal(ctx, func(n int) { done += n }); err == nil || !strings.Contains(err.Error(), "a-0002") || done != 9 {
		t.Errorf("%d sealed anew: %v", done, err)
	}
	if err := d.Retire(ctx, seal.Encryption, 1); !errors.Is(err, ErrNeeded) {
		t.Errorf("retired: %v", err)
	}
}

// A process that serves takes up keys by itself, says which it uses, and takes its leave.
func TestFollow(t *testing.T) {
	env := storetest.SQLite(t)
	path := filepath.Join(t.TempDir(), "keys.json")
	serving, terminal := office(t, env, path), office(t, env, path)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- serving.Follow(ctx) }()
	users := func(n, want int) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			v, _ := version(t, terminal, seal.Encryption, n)
			if v.Users == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("key %d has %d users, want %d", n, v.Users, want)
			}
		}
	}
	users(1, 1)
	if _, err := terminal.Rotate(ctx, seal.Encryption); err != nil {
		t.Fatal(err)
	}
	users(2, 1)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	users(2, 0)
}

// TestOpenAll opens what two keys sealed, more than one batch of it, and finds a value that is not what was sealed.
func TestOpenAll(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		desk := office(t, env, filepath.Join(t.TempDir(), "keys.json"))
		fill(t, env, desk.Ring, "before", batch+1)
		if _, err := desk.Rotate(t.Context(), seal.Encryption); err != nil {
			t.Fatal(err)
		}
		fill(t, env, desk.Ring, "after", batch)
		if opened, err := desk.OpenAll(t.Context()); err != nil || opened != 2*(2*batch+1) {
			t.Errorf("opened %d: %v", opened, err)
		}
		err := env.DB.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE persons SET citizen_sealed = (SELECT citizen_sealed FROM persons WHERE id = 'before-0001') WHERE id = 'before-0200'`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := desk.OpenAll(t.Context()); err == nil || !strings.Contains(err.Error(), "persons.citizen_sealed, row [before-0200]") {
			t.Errorf("a value of another row: %v", err)
		}
	})
}

// A pepper stays as long as one password is hashed with it.
func TestPepperThatIsNeeded(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		desk, hashed := office(t, env, filepath.Join(t.TempDir(), "keys.json")), int64(1)
		desk.Peppered = func(context.Context, *store.Tx, int) (int64, error) { return hashed, nil }
		if _, err := desk.Rotate(t.Context(), seal.Pepper); err != nil {
			t.Fatal(err)
		}
		if err := desk.Retire(t.Context(), seal.Pepper, 1); !errors.Is(err, ErrNeeded) {
			t.Errorf("retired with a password hashed: %v", err)
		}
		hashed = 0
		if err := desk.Retire(t.Context(), seal.Pepper, 1); err != nil {
			t.Error(err)
		}
	})
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/internal/clock"
	"sitthi/internal/config"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/person"
)

// eachAddress runs a test on both engines, with an address of an empty database and a place for its keys.
func eachAddress(t *testing.T, test func(t *testing.T, address, keys string)) {
	for name, address := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "sitthi.db") },
		"postgres": func(t *testing.T) string { return storetest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) { test(t, address(t), filepath.Join(t.TempDir(), "keys.json")) })
	}
}

// TestEverySealedFieldIsKnown: a column of bytes that nobody seals anew would be lost with the key that is retired.
func TestEverySealedFieldIsKnown(t *testing.T) {
	open := []string{"audit_hashes.hash"} // of the tree; for everyone to see
	var known []string
	for _, f := range sealedFields {
		known = append(known, f.Table+"."+f.Column)
	}
	env := storetest.SQLite(t)
	columns := column(t, env.URL, `SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND (c.type = 'BYTEA' OR c.name LIKE '%sealed') ORDER BY 1`)
	for _, name := range columns {
		if !slices.Contains(known, name) && !slices.Contains(open, name) {
			t.Errorf("%s is in the list of no package (Sealed)", name)
		}
	}
	for _, name := range known {
		if !slices.Contains(columns, name) {
			t.Errorf("there is no %s", name)
		}
	}
}

// holds is what `keys list` says of a key.
func holds(t *testing.T, args []string, kind string, version int) (values int, state string) {
	t.Helper()
	said, status := command(t, append([]string{"keys", "list"}, args...)...)
	if status != 0 {
		t.Fatal(said)
	}
	m := regexp.MustCompile(fmt.Sprintf(`(?m)^%s +%d +\S+ +[0-9a-f]{32} +(\S+) +(.*)$`, kind, version)).FindStringSubmatch(said)
	if m == nil {
		return -1, ""
	}
	if _, err := fmt.Sscan(m[1], &values); err != nil {
		values = -1
	}
	return values, m[2]
}

// TestKeysRotate changes the encryption key and the pepper beside programs that serve: two on PostgreSQL, with one key
// file. Nobody is held up, what was sealed before is sealed anew through a kill in the middle, and then the old key goes.
func TestKeysRotate(t *testing.T) {
	eachAddress(t, func(t *testing.T, address, keys string) {
		args := []string{"--database", address, "--keys", keys}
		servers := []*process{serving(t, append([]string{"--demo"}, args...)...)}
		if strings.HasPrefix(address, "postgres") {
			servers = append(servers, serving(t, append([]string{"--demo"}, args...)...))
		}
		must := func(words ...string) string {
			t.Helper()
			said, status := command(t, append(words, args...)...)
			if status != 0 {
				t.Fatalf("%v: %d\n%s", words, status, said)
			}
			return said
		}
		sealed, _ := holds(t, args, "encryption", 1)
		peppered, _ := holds(t, args, "pepper", 1)
		if sealed < 50 || peppered < 10 {
			t.Fatalf("%d values and %d passwords", sealed, peppered)
		}
		if said, status := command(t, append([]string{"keys", "retire", "1"}, args...)...); status != 1 || !strings.Contains(said, "is the one in use") {
			t.Errorf("retired the only key: %d %s", status, said)
		}
		must("keys", "rotate")
		must("keys", "rotate", "--kind", "pepper")
		for _, kind := range []string{"encryption", "pepper"} {
			until(t, "every program took it up", 30*time.Second, func() bool {
				_, state := holds(t, args, kind, 2)
				return state == fmt.Sprintf("in use; serving programs with it: %d", len(servers))
			})
		}
		for i, citizen := range []string{"3990000000104", "3990000000112"} {
			p := servers[i%len(servers)]
			chief := signedIn(t, p.address, citizen, demoPassword) // hashed with the old pepper, and now with the new one
			if r, err := chief.get("/ko1/rights"); err != nil || !strings.Contains(r.body, "3-9900-") {
				t.Errorf("the grid: %d %v", r.status, err)
			}
		}
		for _, p := range servers {
			signedIn(t, p.address, "3990000000201", demoPassword)
		}
		if now, _ := holds(t, args, "pepper", 2); now != 3 {
			t.Errorf("%d passwords were hashed anew", now)
		}
		if said, status := command(t, append([]string{"keys", "retire", "1", "--kind", "pepper"}, args...)...); status != 1 || !strings.Contains(said, "when its owner signs in") {
			t.Errorf("retired a pepper in need: %d %s", status, said)
		}
		killed := launch(t, append([]string{"keys", "reseal"}, args...)...)
		until(t, "some are sealed anew", 30*time.Second, func() bool {
			now, _ := holds(t, args, "encryption", 2)
			return now > 2 || killed.ended()
		})
		killed.kill(t)
		must("keys", "reseal")
		if left, _ := holds(t, args, "encryption", 1); left != 0 {
			t.Errorf("%d values are still sealed with the old key", left)
		}
		copied := filepath.Join(t.TempDir(), "copy.json")
		was, err := os.ReadFile(keys)
		if err == nil {
			err = os.WriteFile(copied, was, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		must("keys", "retire", "1")
		if _, state := holds(t, args, "encryption", 1); state != "" {
			t.Errorf("the retired key is %q", state)
		}
		for _, p := range servers {
			chief := signedIn(t, p.address, "3990000000104", demoPassword)
			if r, err := chief.get("/ko1/rights"); err != nil || !strings.Contains(r.body, "3-9900-") {
				t.Errorf("the grid: %d %v", r.status, err)
			}
			if status := p.stop(t); status != 0 || strings.Contains(p.said.String(), "level=ERROR") {
				t.Errorf("%d\n%s", status, p.said)
			}
		}
		again := serving(t, append([]string{"--demo"}, args...)...)
		signedIn(t, again.address, "3990000000228", demoPassword)
		if status := again.stop(t); status != 0 {
			t.Error(again.said)
		}
		whole(t, args...)
		if acts := column(t, address, `SELECT act FROM audit_entries WHERE act LIKE 'keys.%' AND outcome = 'done' ORDER BY at`); !slices.Equal(acts, []string{"keys.rotate", "keys.rotate", "keys.retire"}) {
			t.Errorf("the log tells of %v", acts)
		}
		// Keys that others can read open nothing, and neither does a copy that is too old.
		if err := os.Chmod(copied, 0o644); err != nil {
			t.Fatal(err)
		}
		said, status := command(t, "keys", "list", "--database", address, "--keys", copied)
		if status != 1 || !strings.Contains(said, "chmod go= "+copied) {
			t.Errorf("others can read the keys: %d %s", status, said)
		}
		if info, err := os.Stat(keys); err != nil || info.Mode() != fs.FileMode(0o600) {
			t.Errorf("the key file became %v: %v", info.Mode(), err)
		}
	})
}

// TestKeysReindex changes the blind-index key of a database of some size: not while a program serves from it, all or
// nothing when it is killed on the way, and afterwards everyone is found.
func TestKeysReindex(t *testing.T) {
	eachAddress(t, func(t *testing.T, address, keys string) {
		args := []string{"--database", address, "--keys", keys}
		p := serving(t, append([]string{"--demo"}, args...)...)
		indexes := column(t, address, `SELECT citizen_index FROM persons ORDER BY id`)
		reindex := append([]string{"keys", "reindex"}, args...)
		if said, status := command(t, reindex...); status != 1 || !strings.Contains(said, "another program is using the database") {
			t.Errorf("beside a program that serves: %d %s", status, said)
		}
		if status := p.stop(t); status != 0 {
			t.Fatal(p.said)
		}
		populate(t, address, keys, 10_000)
		killed := launch(t, reindex...)
		until(t, "it has begun", 30*time.Second, func() bool {
			raw, err := os.ReadFile(keys)
			return err == nil && regexp.MustCompile(`"index": \{`).Match(raw) || killed.ended()
		})
		killed.kill(t)
		everyone(t, address, keys) // by the old index or, had it come through, by the new one
		during := serving(t, append([]string{"--demo"}, args...)...)
		signedIn(t, during.address, "3990000000104", demoPassword)
		if status := during.stop(t); status != 0 {
			t.Error(during.said)
		}
		if said, status := command(t, reindex...); status != 0 || !strings.Contains(said, "is in use") {
			t.Fatalf("%d\n%s", status, said)
		}
		for _, index := range column(t, address, `SELECT citizen_index FROM persons`) {
			if slices.Contains(indexes, index) {
				t.Fatal("an index is still of the old key")
			}
		}
		everyone(t, address, keys)
		again := serving(t, append([]string{"--demo"}, args...)...)
		chief := signedIn(t, again.address, "3990000000104", demoPassword)
		if r, err := chief.get("/ko1/rights"); err != nil || !strings.Contains(r.body, "3-9900-") {
			t.Errorf("the grid: %d %v", r.status, err)
		}
		if status := again.stop(t); status != 0 {
			t.Error(again.said)
		}
		whole(t, args...)
		if said, status := command(t, append([]string{"keys", "retire", "1", "--kind", "index"}, args...)...); status != 0 {
			t.Errorf("%d %s", status, said)
		}
	})
}

// populate puts people on the roll.
func populate(t *testing.T, address, keys string, n int) {
	t.Helper()
	withRoll(t, address, keys, func(tx *store.Tx, roll *person.Roll) error {
		for i := range n {
			citizen, err := thai.ParseCitizenID(stranger(i))
			if err != nil {
				return err
			}
			if _, err := roll.Mention(t.Context(), tx, citizen); err != nil {
				return err
			}
		}
		return nil
	})
}

// everyone fails unless each person is found by the citizen ID.
func everyone(t *testing.T, address, keys string) {
	t.Helper()
	withRoll(t, address, keys, func(tx *store.Tx, roll *person.Roll) error {
		ids, err := store.Rows(func(r store.Row) (id person.ID, err error) { return id, r.Scan(&id) })(tx.Query(t.Context(), `SELECT id FROM persons`))
		if err != nil {
			return err
		}
		for _, id := range ids {
			citizen, err := roll.CitizenID(t.Context(), tx, id)
			if err != nil {
				return err
			}
			if found, ok, err := roll.Find(t.Context(), tx, citizen); err != nil || !ok || found != id {
				return fmt.Errorf("person %s is found as %q: %w", id, found, err)
			}
		}
		return nil
	})
}

func withRoll(t *testing.T, address, keys string, f func(tx *store.Tx, roll *person.Roll) error) {
	t.Helper()
	v, err := openExisting(t.Context(), &config.Database{URL: address, Keys: keys}, config.Secrets{}, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	err = v.db.Write(t.Context(), func(tx *store.Tx) error { return f(tx, person.NewRoll(v.ring)) })
	if err := errors.Join(err, v.db.Close()); err != nil {
		t.Fatal(err)
	}
}

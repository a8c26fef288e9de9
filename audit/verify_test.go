package audit_test

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"sitthi/audit"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// record does n acts a second apart.
func record(t *testing.T, env *storetest.Env, n int) {
	t.Helper()
	ctx := audit.WithOrigin(t.Context(), audit.Origin{Request: "r", Address: "192.0.2.7"})
	for range n {
		act := give()
		if err := audit.Do(ctx, env.DB, &act, func(*store.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
		env.Clock.Advance(time.Second)
	}
}

// verify checks that Verify finds this fault, or none.
func verify(t *testing.T, env *storetest.Env, ring *seal.Ring, want *audit.Fault, kept ...string) audit.Report {
	t.Helper()
	report, err := audit.Verify(t.Context(), env.DB, ring, kept...)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(report.Fault, want) {
		t.Errorf("found %+v,\nwant  %+v", report.Fault, want)
	}
	return report
}

// raw is the database in the hands of someone who may do anything with it: without triggers and foreign keys.
type raw struct {
	t *testing.T
	*sql.Conn
}

func open(t *testing.T, env *storetest.Env) raw {
	t.Helper()
	driver, url := "pgx", env.URL
	setup := []string{"SET session_replication_role = replica"}
	if env.DB.Engine() == store.SQLite {
		driver, url = "sqlite", env.DB.Path()+"?_pragma=busy_timeout(5000)"
		setup = nil
		for _, table := range []string{"entries", "leaves", "hashes", "checkpoints"} {
			for _, rule := range []string{"kept", "stay"} {
				setup = append(setup, "DROP TRIGGER IF EXISTS audit_"+table+"_"+rule)
			}
		}
	}
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(conn.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	r := raw{t, conn}
	for _, statement := range setup {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// do runs a statement, which must touch a row.
func (r raw) do(statement string, args ...any) {
	r.t.Helper()
	result, err := r.ExecContext(r.t.Context(), statement, args...)
	if err != nil {
		r.t.Fatal(statement, err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		r.t.Fatalf("%s touched %d rows, %v", statement, n, err)
	}
}

// clear empties the log, for a fresh start on the same database.
func (r raw) clear() {
	r.t.Helper()
	for _, table := range []string{"audit_checkpoints", "audit_hashes", "audit_leaves", "audit_waiting", "audit_texts", "audit_entries", "leases"} {
		if _, err := r.ExecContext(r.t.Context(), "DELETE FROM "+table); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r raw) text(query string, args ...any) (s string) {
	r.t.Helper()
	if err := r.QueryRowContext(r.t.Context(), query, args...).Scan(&s); err != nil {
		r.t.Fatal(query, err)
	}
	return s
}

// rehash replaces the stored hashes by those that follow from the leaves as they now are.
func (r raw) rehash() {
	r.t.Helper()
	rows, err := r.QueryContext(r.t.Context(), "SELECT e.leaf FROM audit_leaves l JOIN audit_entries e ON e.id = l.entry_id ORDER BY l.place")
	if err != nil {
		r.t.Fatal(err)
	}
	var all []tlog.Hash
	for n := int64(0); rows.Next(); n++ {
		var leaf string
		if err := rows.Scan(&leaf); err != nil {
			r.t.Fatal(err)
		}
		hashes, err := tlog.StoredHashes(n, []byte(leaf), tlog.HashReaderFunc(func(places []int64) ([]tlog.Hash, error) {
			answer := make([]tlog.Hash, len(places))
			for i, p := range places {
				answer[i] = all[p]
			}
			return answer, nil
		}))
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, hashes...)
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	r.do("DELETE FROM audit_hashes")
	for place, hash := range all {
		r.do("INSERT INTO audit_hashes (place, hash) VALUES ($1, $2)", place, hash[:])
	}
}

func TestVerifyFindsTampering(t *testing.T) {
	// The log has places 0–11, checkpoints for the sizes 4, 8 and 12, and two entries that wait.
	// id(n) is the entry at place n; id(12) and id(13) are those that wait.
	type find func(id func(int) string) *audit.Fault
	at := func(what audit.What, place int, detail string) find {
		return func(id func(int) string) *audit.Fault {
			return &audit.Fault{What: what, Place: int64(place), Entry: id(place), Detail: detail}
		}
	}
	nameless := func(what audit.What, place int, detail string) find {
		return func(func(int) string) *audit.Fault {
			return &audit.Fault{What: what, Place: int64(place), Detail: detail}
		}
	}
	waits := func(what audit.What, n int, detail string) find {
		return func(id func(int) string) *audit.Fault {
			return &audit.Fault{What: what, Place: -1, Entry: id(n), Detail: detail}
		}
	}
	column := func(set string) func(raw, func(int) string) {
		return func(r raw, id func(int) string) { r.do("UPDATE audit_entries SET "+set+" WHERE id = $1", id(5)) }
	}
	cases := []struct {
		name   string
		tamper func(r raw, id func(int) string)
		want   find
	}{
		{"leaf altered", column("leaf = replace(leaf, 'TH-12', 'TH-13')"), at(audit.LeafAltered, 5, "")},
		{"leaf altered with its field", column("leaf = replace(leaf, 'TH-12', 'TH-13'), unit = 'TH-13'"), at(audit.LeafAltered, 5, "")},
		{"leaf respelled", column("leaf = replace(leaf, '\"act\":', '\"act\": ')"), at(audit.LeafAltered, 5, "")},
		{"leaf destroyed", column("leaf = '{'"), at(audit.LeafAltered, 5, "")},
		{"at altered", column("at = at + 1"), at(audit.ColumnAltered, 5, "at")},
		{"actor altered", column("actor = 'x'"), at(audit.ColumnAltered, 5, "actor")},
		{"act altered", column("act = 'x'"), at(audit.ColumnAltered, 5, "act")},
		{"outcome altered", column("outcome = 'denied'"), at(audit.ColumnAltered, 5, "outcome")},
		{"unit altered", column("unit = ''"), at(audit.ColumnAltered, 5, "unit")},
		{"subject altered", column("subject = 'x'"), at(audit.ColumnAltered, 5, "subject")},
		{"object altered", column("object = 'x'"), at(audit.ColumnAltered, 5, "object")},
		{"request altered", column("request = 'x'"), at(audit.ColumnAltered, 5, "request")},
		{"text altered", func(r raw, id func(int) string) {
			r.do("UPDATE audit_texts SET text = 'x' WHERE name = 'note' AND entry_id = $1", id(5))
		}, at(audit.TextAltered, 5, "note")},
		{"address altered", func(r raw, id func(int) string) {
			r.do("UPDATE audit_texts SET text = '192.0.2.8' WHERE name = 'address' AND entry_id = $1", id(5))
		}, at(audit.TextAltered, 5, "address")},
		{"salt altered", func(r raw, id func(int) string) {
			r.do("UPDATE audit_texts SET salt = 'x' WHERE name = 'note' AND entry_id = $1", id(5))
		}, at(audit.TextAltered, 5, "note")},
		{"text removed instead of erased", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_texts WHERE name = 'note' AND entry_id = $1", id(5))
		}, at(audit.TextAltered, 5, "note")},
		{"text slipped in", func(r raw, id func(int) string) {
			r.do("INSERT INTO audit_texts (entry_id, name, salt, text) VALUES ($1, 'reason', '', 'x')", id(5))
		}, at(audit.TextAltered, 5, "reason")},
		{"entry removed", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_entries WHERE id = $1", id(5))
		}, at(audit.EntryRemoved, 5, "")},
		{"place removed", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_leaves WHERE place = 5")
		}, nameless(audit.PlaceRemoved, 5, "")},
		{"entry and place removed", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_leaves WHERE place = 5")
			r.do("DELETE FROM audit_texts WHERE entry_id = $1", id(5))
			r.do("DELETE FROM audit_entries WHERE id = $1", id(5))
		}, nameless(audit.PlaceRemoved, 5, "")},
		{"first place removed", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_leaves WHERE place = 0")
		}, nameless(audit.PlaceRemoved, 0, "")},
		{"entry removed and the gap closed", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_leaves WHERE place = 5")
			for place := 6; place < 12; place++ {
				r.do("UPDATE audit_leaves SET place = $1 WHERE place = $2", place-1, place)
			}
			r.do("DELETE FROM audit_entries WHERE id = $1", id(5))
		}, func(id func(int) string) *audit.Fault {
			return &audit.Fault{What: audit.LeafAltered, Place: 5, Entry: id(6)}
		}},
		{"two entries exchanged", func(r raw, id func(int) string) {
			r.do("UPDATE audit_leaves SET place = 99 WHERE place = 5")
			r.do("UPDATE audit_leaves SET place = 5 WHERE place = 6")
			r.do("UPDATE audit_leaves SET place = 6 WHERE place = 99")
		}, func(id func(int) string) *audit.Fault {
			return &audit.Fault{What: audit.LeafAltered, Place: 5, Entry: id(6)}
		}},
		{"entry doubled", func(r raw, id func(int) string) {
			r.do(`INSERT INTO audit_entries (id, at, actor, act, outcome, unit, subject, object, request, leaf)
				SELECT 'double', at, actor, act, outcome, unit, subject, object, request, leaf FROM audit_entries WHERE id = $1`, id(5))
			r.do("UPDATE audit_leaves SET entry_id = 'double' WHERE place = 6")
		}, func(id func(int) string) *audit.Fault {
			return &audit.Fault{What: audit.LeafAltered, Place: 6, Entry: "double"}
		}},
		{"entry placed before the first", func(r raw, id func(int) string) {
			r.do("INSERT INTO audit_leaves (place, entry_id) VALUES (-1, $1)", id(12))
		}, waits(audit.LeafAltered, 12, "")},
		{"entry placed without hash and checkpoint", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_waiting WHERE entry_id = $1", id(12))
			r.do("INSERT INTO audit_leaves (place, entry_id) VALUES (12, $1)", id(12))
		}, at(audit.HashAltered, 12, "")},
		{"entry placed without checkpoint", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_waiting WHERE entry_id = $1", id(12))
			r.do("INSERT INTO audit_leaves (place, entry_id) VALUES (12, $1)", id(12))
			r.rehash()
		}, at(audit.CheckpointGone, 12, "")},
		{"entry placed, and waiting again", func(r raw, id func(int) string) {
			r.do("INSERT INTO audit_waiting (entry_id) VALUES ($1)", id(5))
		}, at(audit.PlacedTwice, 5, "")},
		{"entry hidden from the sealer", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_waiting WHERE entry_id = $1", id(13))
		}, waits(audit.Unplaced, 13, "")},
		{"waiting entry altered", func(r raw, id func(int) string) {
			r.do("UPDATE audit_entries SET actor = 'x' WHERE id = $1", id(13))
		}, waits(audit.ColumnAltered, 13, "actor")},
		{"waiting entry destroyed", func(r raw, id func(int) string) {
			r.do("UPDATE audit_entries SET leaf = '{' WHERE id = $1", id(13))
		}, waits(audit.ColumnAltered, 13, "leaf")},
		{"waiting entry removed", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_entries WHERE id = $1", id(13))
		}, waits(audit.EntryRemoved, 13, "")},
		{"waiting entry's text altered", func(r raw, id func(int) string) {
			r.do("UPDATE audit_texts SET text = 'x' WHERE name = 'note' AND entry_id = $1", id(13))
		}, waits(audit.TextAltered, 13, "note")},
		{"hash of a leaf altered", func(r raw, id func(int) string) {
			r.do("UPDATE audit_hashes SET hash = $1 WHERE place = $2", make([]byte, 32), tlog.StoredHashIndex(0, 5))
		}, at(audit.LeafAltered, 5, "")},
		{"hash of a leaf removed", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_hashes WHERE place = $1", tlog.StoredHashIndex(0, 5))
		}, at(audit.HashAltered, 5, "")},
		{"inner hash altered", func(r raw, id func(int) string) {
			r.do("UPDATE audit_hashes SET hash = $1 WHERE place = $2", make([]byte, 32), tlog.StoredHashIndex(2, 1))
		}, at(audit.HashAltered, 7, "")}, // the hash over 4–7, which leaf 7 completes
		{"inner hash cut short", func(r raw, id func(int) string) {
			r.do("UPDATE audit_hashes SET hash = $1 WHERE place = $2", []byte{1}, tlog.StoredHashIndex(2, 1))
		}, at(audit.HashAltered, 7, "")},
		{"entry and all hashes rewritten", func(r raw, id func(int) string) {
			r.do("UPDATE audit_entries SET leaf = replace(leaf, 'TH-12', 'TH-13'), unit = 'TH-13' WHERE id = $1", id(5))
			r.rehash()
		}, at(audit.Rewritten, 4, "places 4 to 7")},
		{"entry removed and all hashes rewritten", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_leaves WHERE place = 0")
			for place := 1; place < 12; place++ {
				r.do("UPDATE audit_leaves SET place = $1 WHERE place = $2", place-1, place)
			}
			r.do("DELETE FROM audit_entries WHERE id = $1", id(0))
			r.rehash()
		}, func(id func(int) string) *audit.Fault {
			return &audit.Fault{What: audit.Rewritten, Place: 0, Entry: id(1), Detail: "places 0 to 3"}
		}},
		{"checkpoint altered", func(r raw, id func(int) string) {
			signed := r.text("SELECT note FROM audit_checkpoints WHERE size = 8")
			r.do("UPDATE audit_checkpoints SET note = $1 WHERE size = 8", strings.Replace(signed, "2026", "2025", 1))
		}, at(audit.CheckpointBad, 7, "size 8")},
		{"checkpoint's moment altered", func(r raw, id func(int) string) {
			r.do("UPDATE audit_checkpoints SET signed_at = signed_at + 1 WHERE size = 8")
		}, at(audit.CheckpointBad, 7, "size 8")},
		{"checkpoint of another size", func(r raw, id func(int) string) {
			r.do("UPDATE audit_checkpoints SET size = 9 WHERE size = 8")
		}, at(audit.CheckpointBad, 8, "size 9")},
		{"checkpoint of no size", func(r raw, id func(int) string) {
			r.do("UPDATE audit_checkpoints SET size = 0 WHERE size = 8")
		}, func(id func(int) string) *audit.Fault {
			return &audit.Fault{What: audit.CheckpointBad, Place: -1, Entry: id(0), Detail: "size 0"}
		}},
		{"checkpoint forged", func(r raw, id func(int) string) {
			r.do("UPDATE audit_checkpoints SET note = $1 WHERE size = 8", forge(r, 8))
		}, at(audit.CheckpointBad, 7, "size 8")},
		{"checkpoint forged beyond the end", func(r raw, id func(int) string) {
			r.do("INSERT INTO audit_checkpoints (size, note, signed_at) VALUES (14, $1, 0)", forge(r, 14))
		}, func(func(int) string) *audit.Fault {
			return &audit.Fault{What: audit.CheckpointBad, Place: -1, Detail: "size 14"}
		}},
		{"newest checkpoint removed", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_checkpoints WHERE size = 12")
		}, at(audit.CheckpointGone, 8, "")},
		{"end cut off, hashes left", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_leaves WHERE place >= 8")
			r.do("DELETE FROM audit_checkpoints WHERE size > 8")
		}, nameless(audit.Truncated, 8, "7 hashes are left of what followed")},
		{"end cut off, checkpoint left", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_leaves WHERE place >= 8")
			r.rehash()
		}, nameless(audit.Truncated, 8, "a checkpoint was signed for 12 places")},
		{"end cut off, entries left", func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_leaves WHERE place >= 8")
			r.do("DELETE FROM audit_checkpoints WHERE size > 8")
			r.rehash()
		}, waits(audit.Unplaced, 8, "")},
		{"all removed but the checkpoints", func(r raw, id func(int) string) {
			for _, table := range []string{"audit_leaves", "audit_hashes", "audit_waiting", "audit_texts", "audit_entries"} {
				r.do("DELETE FROM " + table)
			}
		}, nameless(audit.Truncated, 0, "a checkpoint was signed for 4 places")},
	}
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		for _, test := range cases {
			t.Run(test.name, func(t *testing.T) {
				r := open(t, env)
				r.clear()
				ring, id := twelve(t, env)
				verify(t, env, ring, nil)
				test.tamper(r, id)
				verify(t, env, ring, test.want(id))
			})
		}
	})
}

// twelve makes the log that TestVerifyFindsTampering speaks of.
func twelve(t *testing.T, env *storetest.Env) (ring *seal.Ring, id func(int) string) {
	t.Helper()
	ring = keys(t)
	s := newSealer(t, env, ring)
	for range 3 {
		record(t, env, 4)
		sealAll(t, s, 4)
	}
	record(t, env, 2)
	entries := list(t, env, audit.Query{})
	return ring, func(n int) string { return entries[len(entries)-1-n].ID }
}

// forge signs a checkpoint for the log as it is with a key of one's own, under the name of the real one.
func forge(r raw, size int) string {
	r.t.Helper()
	private, _, err := note.GenerateKey(rand.Reader, "sitthi/audit")
	if err != nil {
		r.t.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		r.t.Fatal(err)
	}
	text, _, _ := strings.Cut(r.text("SELECT note FROM audit_checkpoints ORDER BY size DESC LIMIT 1"), "\n\n")
	lines := strings.Split(text, "\n")
	lines[1] = fmt.Sprint(size)
	signed, err := note.Sign(&note.Note{Text: strings.Join(lines, "\n") + "\n"}, signer)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(signed)
}

func TestVerifyReports(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring, _ := twelve(t, env)
		report := verify(t, env, ring, nil)
		signed, err := audit.Latest(t.Context(), env.DB)
		if err != nil {
			t.Fatal(err)
		}
		// What the program signed, an outsider can check with the public key alone.
		verifier, err := note.NewVerifier(report.Key)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
		if err != nil {
			t.Fatal(err)
		}
		sealedAt := storetest.Start.Add(12 * time.Second)
		if want := "sitthi/audit\n12\n" + report.Root + "\n" + sealedAt.Format("2006-01-02T15:04:05.000000Z") + "\n"; opened.Text != want {
			t.Errorf("the checkpoint says %q, want %q", opened.Text, want)
		}
		want := audit.Report{
			Size: 12, Root: report.Root, SealedAt: sealedAt, Checkpoints: 3, Waiting: 2, Texts: 28,
			Key: newSealer(t, env, ring).PublicKey(),
		}
		if !reflect.DeepEqual(report, want) {
			t.Errorf("verified %+v,\nwant    %+v", report, want)
		}
		state, err := newSealer(t, env, ring).State(t.Context())
		if want := (audit.State{Unsealed: 2, Size: 12, SealedAt: sealedAt}); err != nil || state != want {
			t.Errorf("state %+v, %v, want %+v", state, err, want)
		}
	})
}

func TestEmptyLogIsWhole(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring := keys(t)
		s := newSealer(t, env, ring)
		sealAll(t, s, 0)
		if report := verify(t, env, ring, nil); report.Size != 0 || report.Checkpoints != 0 {
			t.Errorf("verified %+v", report)
		}
		if state, err := s.State(t.Context()); err != nil || state != (audit.State{}) {
			t.Errorf("state %+v, %v", state, err)
		}
		if signed, err := audit.Latest(t.Context(), env.DB); err != nil || signed != "" {
			t.Errorf("checkpoint %q, %v", signed, err)
		}
	})
}

func TestErasedTextStillVerifies(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring, id := twelve(t, env)
		err := env.DB.Write(t.Context(), func(tx *store.Tx) error {
			n, err := tx.Exec(t.Context(), "UPDATE audit_texts SET text = NULL, salt = '' WHERE entry_id IN ($1, $2)", id(5), id(13))
			if n != 4 {
				t.Errorf("erased %d texts, want 4", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if report := verify(t, env, ring, nil); report.Erased != 4 || report.Texts != 28 {
			t.Errorf("verified %+v", report)
		}
		sealAll(t, newSealerAfter(t, env, ring), 2)
		verify(t, env, ring, nil)
		for _, e := range list(t, env, audit.Query{}) {
			if erased := e.ID == id(5) || e.ID == id(13); erased != (len(e.Texts) == 0) || e.Name != "grant.give" {
				t.Errorf("entry %d reads %+v", e.Place, e)
			}
		}
	})
}

// newSealerAfter makes a sealer that takes over from the one before.
func newSealerAfter(t *testing.T, env *storetest.Env, ring *seal.Ring) *audit.Sealer {
	t.Helper()
	env.Clock.Advance(time.Minute)
	return newSealer(t, env, ring)
}

func TestKeptCheckpointsHoldTheLog(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring, id := twelve(t, env)
		r := open(t, env)
		four, twelve := r.text("SELECT note FROM audit_checkpoints WHERE size = 4"), r.text("SELECT note FROM audit_checkpoints WHERE size = 12")
		if report := verify(t, env, ring, nil, twelve, four); report.Checkpoints != 3 {
			t.Errorf("verified %+v", report)
		}
		if _, err := audit.Verify(t.Context(), env.DB, ring, forge(r, 12)); err == nil {
			t.Error("a checkpoint that was never signed here is taken")
		}

		// Whoever has the database removes the end of the log with all that speaks of it …
		for place := 8; place < 14; place++ {
			r.do("DELETE FROM audit_texts WHERE entry_id = $1", id(place))
			r.do("DELETE FROM audit_entries WHERE id = $1", id(place))
		}
		r.do("DELETE FROM audit_waiting")
		r.do("DELETE FROM audit_leaves WHERE place >= 8")
		r.do("DELETE FROM audit_checkpoints WHERE size > 8")
		r.rehash()
		// … which the log itself can not tell, but a checkpoint that was kept can.
		verify(t, env, ring, nil, four)
		verify(t, env, ring, &audit.Fault{What: audit.Truncated, Place: 8, Detail: "the checkpoint given was signed for 12 places"}, four, twelve)

		// Nor does it help to let the program seal other entries in their place.
		record(t, env, 5)
		sealAll(t, newSealerAfter(t, env, ring), 5)
		verify(t, env, ring, nil, four)
		entries := list(t, env, audit.Query{})
		verify(t, env, ring, &audit.Fault{What: audit.Rewritten, Place: 8, Entry: entries[4].ID, Detail: "places 8 to 11"}, four, twelve)
	})
}

func TestOtherKeysVouchForNothing(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		_, id := twelve(t, env)
		verify(t, env, keys(t), &audit.Fault{What: audit.CheckpointBad, Place: 3, Entry: id(3), Detail: "size 4"})
	})
}

func TestNothingIsSealedOnATamperedTree(t *testing.T) {
	for name, tamper := range map[string]func(raw){
		"hash altered": func(r raw) {
			r.do("UPDATE audit_hashes SET hash = $1 WHERE place = $2", make([]byte, 32), tlog.StoredHashIndex(3, 0))
		},
		"hash removed": func(r raw) { r.do("DELETE FROM audit_hashes WHERE place = $1", tlog.StoredHashIndex(2, 2)) },
		"checkpoint forged": func(r raw) {
			r.do("UPDATE audit_checkpoints SET note = $1 WHERE size = 12", forge(r, 12))
		},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
				ring, _ := twelve(t, env)
				tamper(open(t, env))
				s := newSealerAfter(t, env, ring)
				if placed, err := s.Seal(t.Context()); !errors.Is(err, audit.ErrTampered) || placed != 0 {
					t.Errorf("sealed %d: %v", placed, err)
				}
				if state, err := s.State(t.Context()); err != nil || state.Unsealed != 2 {
					t.Errorf("state %+v, %v", state, err)
				}
			})
		})
	}
}

func TestBatchThatFailsIsPlacedLater(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring, _ := twelve(t, env)
		s := newSealerAfter(t, env, ring)
		r := open(t, env)
		// Something in the way of the batch's last statement but one.
		r.do("INSERT INTO audit_hashes (place, hash) VALUES ($1, $2)", tlog.StoredHashIndex(0, 13), []byte{1})
		if placed, err := s.Seal(t.Context()); err == nil {
			t.Fatalf("sealed %d", placed)
		}
		if state, err := s.State(t.Context()); err != nil || state.Unsealed != 2 || state.Size != 12 {
			t.Fatalf("state %+v, %v", state, err)
		}
		r.do("DELETE FROM audit_hashes WHERE place = $1", tlog.StoredHashIndex(0, 13))
		sealAll(t, s, 2)
		verify(t, env, ring, nil)
	})
}

func TestLogIsAppendOnly(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		twelve(t, env)
		for _, statement := range []string{
			"UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries",
			"UPDATE audit_leaves SET place = place + 100", "DELETE FROM audit_leaves",
			"UPDATE audit_hashes SET hash = ''", "DELETE FROM audit_hashes",
			"UPDATE audit_checkpoints SET note = ''", "DELETE FROM audit_checkpoints",
		} {
			err := env.DB.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(t.Context(), statement)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", statement, err)
			}
		}
	})
}

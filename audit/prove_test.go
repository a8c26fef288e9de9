package audit_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/transparency-dev/formats/log"
	tlogproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// The proofs in this file are checked as an outsider would: by the libraries of transparency-dev, which share nothing
// with the one that writes them, with the public key alone.

// outsider knows the name of the log and its public key.
type outsider struct {
	t        *testing.T
	verifier note.Verifier
}

func newOutsider(t *testing.T, key string) outsider {
	t.Helper()
	verifier, err := note.NewVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	return outsider{t, verifier}
}

// head opens a checkpoint.
func (o outsider) head(signed []byte) (*log.Checkpoint, error) {
	c, _, _, err := log.ParseCheckpoint(signed, "sitthi/audit", o.verifier)
	return c, err
}

// entry checks a proof and answers the leaf it speaks of, its place, and what follows the leaf.
func (o outsider) entry(file string) (leaf string, place uint64, texts []string, err error) {
	var p tlogproof.TLogProof
	if err := p.Unmarshal([]byte(file)); err != nil {
		return "", 0, nil, err
	}
	c, err := o.head(p.Checkpoint)
	if err != nil {
		return "", 0, nil, err
	}
	lines := strings.Split(string(p.ExtraData), "\n")
	path := make([][]byte, len(p.Hashes))
	for i := range p.Hashes {
		path[i] = p.Hashes[i][:]
	}
	hash := rfc6962.DefaultHasher.HashLeaf([]byte(lines[0]))
	return lines[0], p.Index, lines[1:], proof.VerifyInclusion(rfc6962.DefaultHasher, p.Index, c.Size, hash, path, c.Hash)
}

// growth checks that a log was only added to since an older checkpoint.
func (o outsider) growth(older, file string) (from, to uint64, err error) {
	head, signed, ok := strings.Cut(file, "\n\n")
	lines := strings.Split(head, "\n")
	size, found := strings.CutPrefix(lines[0], "old ")
	if !ok || !found {
		return 0, 0, errors.New("no old size")
	}
	if from, err = strconv.ParseUint(size, 10, 64); err != nil {
		return 0, 0, err
	}
	var path [][]byte
	for _, line := range lines[1:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return 0, 0, err
		}
		path = append(path, hash)
	}
	old, err := o.head([]byte(older))
	if err != nil {
		return 0, 0, err
	}
	c, err := o.head([]byte(signed))
	if err != nil {
		return 0, 0, err
	}
	if old.Size != from {
		return 0, 0, errors.New("the proof is from another size")
	}
	return from, c.Size, proof.VerifyConsistency(rfc6962.DefaultHasher, old.Size, c.Size, path, old.Hash, c.Hash)
}

// newProver makes a prover that lets one person read.
func newProver(t *testing.T, env *storetest.Env, ring *seal.Ring) *audit.Prover {
	t.Helper()
	p, err := audit.NewProver(env.DB, ring, func(_ context.Context, _ *store.Tx, by string) error {
		if by != "reader" {
			return problem.New(problem.Denied, "test.not_reader")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// grown is a log of the sizes 1 to n with the checkpoint of each.
func grown(t *testing.T, env *storetest.Env, n int) (ring *seal.Ring, checkpoints []string, entries []audit.Entry) {
	t.Helper()
	ring = keys(t)
	s := newSealer(t, env, ring)
	checkpoints = make([]string, n+1)
	for size := 1; size <= n; size++ {
		record(t, env, 1)
		sealAll(t, s, 1)
		signed, err := audit.Latest(t.Context(), env.DB)
		if err != nil {
			t.Fatal(err)
		}
		checkpoints[size] = signed
	}
	entries = list(t, env, audit.Query{})
	for i := range n / 2 {
		entries[i], entries[n-1-i] = entries[n-1-i], entries[i]
	}
	return ring, checkpoints, entries
}

// TestEveryProofHolds proves each entry of a log for each size, and each size from each smaller one.
func TestEveryProofHolds(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		const n = 18
		ring, checkpoints, entries := grown(t, env, n)
		p := newProver(t, env, ring)
		o := newOutsider(t, p.PublicKey())
		for size := 1; size <= n; size++ {
			for place := range size {
				got, err := p.Entry(t.Context(), audit.Terminal, entries[place].ID, checkpoints[size], false)
				if err != nil {
					t.Fatalf("entry %d of %d: %v", place, size, err)
				}
				leaf, at, texts, err := o.entry(got.File)
				if err != nil || at != uint64(place) || got.Place != int64(place) || len(texts) != 0 {
					t.Errorf("entry %d of %d: at %d, %v", place, size, at, err)
				}
				if !strings.Contains(leaf, `"id":"`+entries[place].ID+`"`) {
					t.Errorf("entry %d: the leaf is %s", place, leaf)
				}
				if err := (&tlogproof.TLogProof{}).Unmarshal([]byte(got.File)); err != nil || string(again(t, got.File)) != got.File {
					t.Errorf("entry %d of %d is not in the form of the public library:\n%s", place, size, got.File)
				}
			}
			for old := 1; old <= size; old++ {
				file, err := p.Growth(t.Context(), checkpoints[old], checkpoints[size])
				if err != nil {
					t.Fatalf("from %d to %d: %v", old, size, err)
				}
				if from, to, err := o.growth(checkpoints[old], file); err != nil || from != uint64(old) || to != uint64(size) {
					t.Errorf("from %d to %d: from %d to %d, %v", old, size, from, to, err)
				}
			}
		}
		newest, err := p.Entry(t.Context(), "reader", entries[3].ID, "", false)
		if err != nil || !strings.HasSuffix(newest.File, "\n\n"+checkpoints[n]) {
			t.Errorf("without a checkpoint: %v\n%s", err, newest.File)
		}
		file, err := p.Growth(t.Context(), checkpoints[5], "")
		if err != nil || !strings.HasSuffix(file, "\n\n"+checkpoints[n]) {
			t.Errorf("without the second checkpoint: %v\n%s", err, file)
		}
	})
}

// again writes a proof as the public library does.
func again(t *testing.T, file string) []byte {
	t.Helper()
	var p tlogproof.TLogProof
	if err := p.Unmarshal([]byte(file)); err != nil {
		t.Fatal(err)
	}
	return p.Marshal()
}

// TestProofShowsTexts is how an outsider sees that a text was written with the entry, and that nothing but its hash is
// left of one that was erased.
func TestProofShowsTexts(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring, _, entries := grown(t, env, 3)
		p := newProver(t, env, ring)
		o := newOutsider(t, p.PublicKey())
		sealed := func(id string, want int) map[string]string {
			t.Helper()
			got, err := p.Entry(t.Context(), audit.Terminal, id, "", true)
			if err != nil {
				t.Fatal(err)
			}
			leaf, _, texts, err := o.entry(got.File)
			if err != nil || len(texts) != want {
				t.Fatalf("%d texts, want %d: %v", len(texts), want, err)
			}
			var l struct{ Texts map[string]string }
			if err := json.Unmarshal([]byte(leaf), &l); err != nil {
				t.Fatal(err)
			}
			shown := map[string]string{}
			for _, line := range texts {
				var s struct{ Name, Salt, Text string }
				if err := json.Unmarshal([]byte(line), &s); err != nil {
					t.Fatal(err)
				}
				if sum := sha256.Sum256([]byte(s.Salt + s.Text)); hex.EncodeToString(sum[:]) != l.Texts[s.Name] {
					t.Errorf("the text %s is not the one in the leaf", s.Name)
				}
				shown[s.Name] = s.Text
			}
			if len(l.Texts) != 2 {
				t.Errorf("the leaf has %d texts, want 2", len(l.Texts))
			}
			return shown
		}
		if shown := sealed(entries[1].ID, 2); shown["address"] != "192.0.2.7" || shown["note"] == "" {
			t.Errorf("shown are %v", shown)
		}
		open(t, env).do("UPDATE audit_texts SET text = NULL, salt = '' WHERE name = 'note' AND entry_id = $1", entries[1].ID)
		if shown := sealed(entries[1].ID, 1); shown["address"] != "192.0.2.7" {
			t.Errorf("after the note was erased, shown are %v", shown)
		}
		without, err := p.Entry(t.Context(), audit.Terminal, entries[1].ID, "", false)
		if err != nil || strings.Contains(string(again(t, without.File)), "192.0.2.7") {
			t.Errorf("%v", err)
		}
	})
}

// TestAlteredProofsFail alters what an outsider was given, one thing at a time.
func TestAlteredProofsFail(t *testing.T) {
	env := storetest.SQLite(t)
	ring, checkpoints, entries := grown(t, env, 13)
	p := newProver(t, env, ring)
	o := newOutsider(t, p.PublicKey())
	const place = 5
	proven, err := p.Entry(t.Context(), audit.Terminal, entries[place].ID, checkpoints[13], false)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(proven.File, "\n") // header, extra, index, four hashes, …
	other, err := p.Entry(t.Context(), audit.Terminal, entries[place+1].ID, checkpoints[13], false)
	if err != nil {
		t.Fatal(err)
	}
	extra := func(change func(leaf string) string) string {
		leaf, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
		if err != nil {
			t.Fatal(err)
		}
		return "extra " + base64.StdEncoding.EncodeToString([]byte(change(string(leaf))))
	}
	with := func(n int, line string) string {
		changed := append([]string{}, lines...)
		changed[n] = line
		return strings.Join(changed, "\n")
	}
	forger := keys(t)
	forged := func(checkpoint string) string {
		other := storetest.SQLite(t)
		s := newSealer(t, other, forger)
		record(t, other, 13)
		sealAll(t, s, 13)
		signed, err := audit.Latest(t.Context(), other.DB)
		if err != nil || signed == checkpoint {
			t.Fatal(err)
		}
		return signed
	}
	head, signed, _ := strings.Cut(proven.File, "\n\n")
	for name, file := range map[string]string{
		"another unit in the leaf": with(1, extra(func(leaf string) string { return strings.Replace(leaf, "TH-12", "TH-13", 1) })),
		"a longer leaf":            with(1, extra(func(leaf string) string { return leaf + " " })),
		"no leaf":                  with(1, "extra "),
		"another entry's leaf":     with(1, strings.Split(other.File, "\n")[1]),
		"another place":            with(2, "index 4"),
		"a place beyond the log":   with(2, "index 13"),
		"a negative place":         with(2, "index -1"),
		"a hash altered":           with(4, base64.StdEncoding.EncodeToString(make([]byte, 32))),
		"a hash cut short":         with(4, base64.StdEncoding.EncodeToString(make([]byte, 31))),
		"hashes exchanged":         with(3, lines[4]),
		"a hash left out":          strings.Join(append(append([]string{}, lines[:3]...), lines[4:]...), "\n"),
		"a hash too many":          with(3, lines[3]+"\n"+lines[3]),
		"another size":             strings.Replace(proven.File, "\n13\n", "\n12\n", 1),
		"an older checkpoint":      head + "\n\n" + checkpoints[12],
		"a checkpoint of others":   head + "\n\n" + forged(signed),
		"no signature":             proven.File[:strings.Index(proven.File, "\n— ")],
		"another moment":           strings.Replace(proven.File, "2026-", "2025-", 1),
	} {
		if file == proven.File {
			t.Fatalf("%s: nothing was altered", name)
		}
		if _, _, _, err := o.entry(file); err == nil {
			t.Errorf("%s: the proof holds", name)
		}
	}

	file, err := p.Growth(t.Context(), checkpoints[6], checkpoints[13])
	if err != nil {
		t.Fatal(err)
	}
	steps := strings.Split(file, "\n") // old, hashes, …
	change := func(n int, line string) string {
		changed := append([]string{}, steps...)
		changed[n] = line
		return strings.Join(changed, "\n")
	}
	head, _, _ = strings.Cut(file, "\n\n")
	for name, c := range map[string]struct{ older, file string }{
		"an older checkpoint of another size": {checkpoints[7], file},
		"another old size":                    {checkpoints[7], change(0, "old 7")},
		"a hash altered":                      {checkpoints[6], change(1, base64.StdEncoding.EncodeToString(make([]byte, 32)))},
		"a hash left out":                     {checkpoints[6], strings.Join(append([]string{steps[0]}, steps[2:]...), "\n")},
		"another new size":                    {checkpoints[6], head + "\n\n" + checkpoints[12]},
		"a checkpoint of others":              {checkpoints[6], head + "\n\n" + forged("")},
		"from a checkpoint of others":         {forged(""), file},
	} {
		if _, _, err := o.growth(c.older, c.file); err == nil {
			t.Errorf("%s: the proof holds", name)
		}
	}
	if _, _, err := o.growth(checkpoints[6], file); err != nil {
		t.Error(err)
	}
}

// TestNoProofOfAnAlteredLog has someone with the database in his hands alter it: then nothing is proven any more.
func TestNoProofOfAnAlteredLog(t *testing.T) {
	alterations := map[string]func(r raw, id func(int) string){
		"leaf altered": func(r raw, id func(int) string) {
			r.do("UPDATE audit_entries SET leaf = replace(leaf, 'TH-12', 'TH-13') WHERE id = $1", id(5))
		},
		"all rewritten": func(r raw, id func(int) string) {
			r.do("UPDATE audit_entries SET leaf = replace(leaf, 'TH-12', 'TH-13') WHERE id = $1", id(5))
			r.rehash()
		},
		"another place": func(r raw, id func(int) string) {
			r.do("UPDATE audit_leaves SET place = 99 WHERE place = 5")
			r.do("UPDATE audit_leaves SET place = 5 WHERE place = 6")
			r.do("UPDATE audit_leaves SET place = 6 WHERE place = 99")
		},
		"hash removed": func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_hashes WHERE place = $1", tlog.StoredHashIndex(2, 2))
		},
		"end cut off": func(r raw, id func(int) string) {
			r.do("DELETE FROM audit_leaves WHERE place >= 4")
			r.do("DELETE FROM audit_checkpoints WHERE size > 4")
			r.rehash()
		},
	}
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		for name, alter := range alterations {
			r := open(t, env)
			r.clear()
			ring, id := twelve(t, env)
			four, newest := r.text("SELECT note FROM audit_checkpoints WHERE size = 4"), r.text("SELECT note FROM audit_checkpoints WHERE size = 12")
			alter(r, id)
			p := newProver(t, env, ring)
			if _, err := p.Entry(t.Context(), audit.Terminal, id(5), newest, false); !errors.Is(err, audit.ErrTampered) && !errors.Is(err, problem.Conflict) {
				t.Errorf("%s: the entry: %v", name, err)
			}
			_, err := p.Growth(t.Context(), four, newest)
			if leafOnly := name == "leaf altered" || name == "another place"; !leafOnly && !errors.Is(err, audit.ErrTampered) {
				t.Errorf("%s: the growth: %v", name, err)
			}
		}
	})
}

func TestProofsRefused(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		p := newProver(t, env, keys(t))
		record(t, env, 1)
		lone := list(t, env, audit.Query{})[0].ID
		if _, err := p.Entry(t.Context(), audit.Terminal, lone, "", false); !errors.Is(err, problem.Conflict) {
			t.Errorf("nothing is sealed: %v", err)
		}
		if _, err := p.Growth(t.Context(), "", ""); err == nil {
			t.Error("the growth of nothing is proven")
		}
		open(t, env).clear()

		ring, id := twelve(t, env)
		p = newProver(t, env, ring)
		four := open(t, env).text("SELECT note FROM audit_checkpoints WHERE size = 4")
		for name, c := range map[string]struct {
			by, id, checkpoint string
			want               error
		}{
			"unknown":                {audit.Terminal, "nobody", "", problem.NotFound},
			"no text of any engine":  {audit.Terminal, "\x00\xff", "", problem.NotFound},
			"waiting":                {audit.Terminal, id(12), "", problem.Conflict},
			"beyond the checkpoint":  {audit.Terminal, id(4), four, problem.Conflict},
			"not a reader":           {"somebody", id(1), "", problem.Denied},
			"a visitor":              {"", id(1), "", problem.Denied},
			"unknown, not a reader":  {"somebody", "nobody", "", problem.Denied},
			"checkpoint of nobody":   {audit.Terminal, id(1), "x", nil},
			"checkpoint of a forger": {audit.Terminal, id(1), forge(open(t, env), 12), nil},
		} {
			proof, err := p.Entry(t.Context(), c.by, c.id, c.checkpoint, true)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || proof != (audit.EntryProof{}) {
				t.Errorf("%s: %v", name, err)
			}
		}
		twelve := open(t, env).text("SELECT note FROM audit_checkpoints WHERE size = 12")
		if _, err := p.Growth(t.Context(), twelve, four); !errors.Is(err, audit.ErrOrder) {
			t.Errorf("the wrong way round: %v", err)
		}
		for name, c := range map[string][2]string{"forged": {forge(open(t, env), 4), ""}, "no note": {four, "x"}} {
			if file, err := p.Growth(t.Context(), c[0], c[1]); err == nil {
				t.Errorf("%s: %s", name, file)
			}
		}
	})
}

// TestVerifyTellsConsistency is what `audit verify` says about checkpoints that were kept elsewhere.
func TestVerifyTellsConsistency(t *testing.T) {
	env := storetest.SQLite(t)
	ring, checkpoints, _ := grown(t, env, 9)
	report := verify(t, env, ring, nil, checkpoints[7], checkpoints[2])
	var sizes []int64
	for _, c := range report.Kept {
		sizes = append(sizes, c.Size)
	}
	if fmt.Sprint(sizes) != "[2 7]" {
		t.Errorf("held against checkpoints of the sizes %v", sizes)
	}
}

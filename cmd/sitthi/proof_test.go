package main

import (
	"encoding/base64"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sitthi/internal/store"
)

// TestOutsidersCheckTheLog is docs/proof.md as it stands there: the program serves and publishes its checkpoints,
// proofs are taken from the browser and the terminal, and the two programs of the page check them. Then they are
// altered, which both programs must find.
func TestOutsidersCheckTheLog(t *testing.T) {
	folder, args := demonstration(t)
	kept := filepath.Join(folder, "checkpoint")
	p := serving(t, append([]string{"--demo", "--checkpoint-to", kept}, args...)...)
	until(t, "a checkpoint is published", 30*time.Second, func() bool {
		_, err := os.Stat(kept)
		return err == nil
	})
	older := filepath.Join(folder, "older.checkpoint")
	copyFile(t, kept, older)
	sitthi := func(words ...string) string {
		t.Helper()
		said, status := command(t, append(words, args...)...)
		if status != 0 {
			t.Fatalf("sitthi %v: %d\n%s", words, status, said)
		}
		return said
	}

	auditor := signedIn(t, p.address, "8990000001004", demoPassword) // an act, too
	until(t, "it is sealed", 20*time.Second, func() bool { return p.figure(t, "sitthi_audit_unsealed") == 0 })
	entry := column(t, "sqlite:"+filepath.Join(folder, "sitthi.db"), "SELECT id FROM audit_entries WHERE act = 'signin.open' ORDER BY id DESC LIMIT 1")[0]
	answer, err := auditor.get("/admin/log/" + entry + "/proof")
	if err != nil || answer.status != http.StatusOK {
		t.Fatalf("%d, %v\n%s", answer.status, err, answer.body)
	}
	downloaded := filepath.Join(folder, "downloaded.tlog-proof")
	write(t, downloaded, answer.body)
	printed, growth := filepath.Join(folder, "printed.tlog-proof"), filepath.Join(folder, "growth.txt")
	sitthi("audit", "prove", "--entry", entry, "--texts", "--out", printed)
	sitthi("audit", "prove", "--from", older, "--out", growth)
	newer := filepath.Join(folder, "newer.checkpoint")
	write(t, newer, sitthi("audit", "checkpoint"))
	if said := sitthi("audit", "verify", "--checkpoint", older, "--checkpoint", newer); strings.Count(said, "consistent with the checkpoint of ") != 2 {
		t.Errorf("verify says\n%s", said)
	}
	key := strings.TrimSpace(sitthi("audit", "key"))
	if said, status := command(t, append([]string{"audit", "prove", "--entry", store.NewID()}, args...)...); status != 1 || !strings.Contains(said, "no such entry") {
		t.Errorf("an unknown entry: %d %s", status, said)
	}

	for name, check := range documented(t) {
		good := func(file, older string, words ...string) {
			t.Helper()
			said, err := check(key, file, older)
			for _, word := range words {
				if err != nil || !strings.Contains(said, word) {
					t.Errorf("%s of %s: %v\n%s\nwant %s", name, filepath.Base(file), err, said, word)
				}
			}
		}
		good(downloaded, "", "GOOD: entry ", entry, `"act":"signin.open"`)
		good(printed, "", "GOOD: entry ", entry, "GOOD: address: ")
		good(growth, older, "GOOD: the log of ", ", only added to")

		bad := func(what, text, older string) {
			t.Helper()
			file := filepath.Join(t.TempDir(), "altered")
			write(t, file, text)
			if said, err := check(key, file, older); err == nil {
				t.Errorf("%s finds nothing wrong: %s\n%s", name, what, said)
			}
		}
		proof := read(t, printed)
		bad("another leaf", withLeaf(t, proof, `"signin.open"`, `"grant.give"`), "")
		bad("another text", withLeaf(t, proof, `"text":"`, `"text":"x`), "")
		bad("another place", strings.Replace(proof, "\nindex ", "\nindex 1", 1), "")
		lines := strings.SplitAfter(proof, "\n")
		bad("a hash left out", strings.Join(append(append([]string{}, lines[:3]...), lines[4:]...), ""), "")
		bad("another size", strings.Replace(proof, "\nsitthi/audit\n", "\nsitthi/audit\n1", 1), "")
		bad("an older checkpoint", proof[:strings.Index(proof, "\n\n")+2]+read(t, older), "")
		grown := read(t, growth)
		bad("another old size", strings.Replace(grown, "old ", "old 1", 1), older)
		bad("from the newer checkpoint", grown, newer)
		lines = strings.SplitAfter(grown, "\n")
		bad("a hash of the growth left out", lines[0]+strings.Join(lines[2:], ""), older)
		if said, err := check("sitthi/audit+00000000+"+key[strings.LastIndex(key, "+")+1:], printed, ""); err == nil {
			t.Errorf("%s takes another key: %s", name, said)
		}
	}
	if status := p.stop(t); status != 0 {
		t.Error(p.said)
	}
}

// documented answers the programs of docs/proof.md, each as a function of its arguments.
func documented(t *testing.T) map[string]func(key, file, older string) (string, error) {
	t.Helper()
	page := read(t, filepath.Join("..", "..", "docs", "proof.md"))
	source := func(language string) string {
		_, after, found := strings.Cut(page, "\n```"+language+"\n")
		text, _, closed := strings.Cut(after, "\n```\n")
		if !found || !closed {
			t.Fatalf("docs/proof.md has no program in %s", language)
		}
		return text + "\n"
	}
	folder := t.TempDir()
	write(t, filepath.Join(folder, "check.go"), source("go"))
	write(t, filepath.Join(folder, "check.mjs"), source("js"))
	binary := filepath.Join(folder, "check")
	build := exec.Command("go", "build", "-o", binary, filepath.Join(folder, "check.go")) // with the library of this module
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	runs := func(program ...string) func(key, file, older string) (string, error) {
		return func(key, file, older string) (string, error) {
			args := append(append([]string{}, program[1:]...), key, file)
			if older != "" {
				args = append(args, older)
			}
			said, err := exec.Command(program[0], args...).CombinedOutput()
			return string(said), err
		}
	}
	return map[string]func(key, file, older string) (string, error){
		"Go": runs(binary), "JavaScript": runs("node", filepath.Join(folder, "check.mjs")),
	}
}

// withLeaf alters what a proof says of the entry.
func withLeaf(t *testing.T, proof, before, after string) string {
	t.Helper()
	lines := strings.Split(proof, "\n")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil || !strings.Contains(string(raw), before) {
		t.Fatalf("%v: %s", err, raw)
	}
	lines[1] = "extra " + base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(raw), before, after, 1)))
	return strings.Join(lines, "\n")
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	write(t, to, read(t, from))
}

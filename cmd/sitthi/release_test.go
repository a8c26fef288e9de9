package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestReleaseLacksHooks builds the program both ways and reads the binaries: in the released one there is no trace of
// the hooks by which tests set the clock and read messages, and in the other the same traces are found.
func TestReleaseLacksHooks(t *testing.T) {
	for tags, want := range map[string]bool{"": false, "testhooks": true} {
		binary := filepath.Join(t.TempDir(), "sitthi")
		if out, err := exec.Command("go", "build", "-tags", tags, "-o", binary, ".").CombinedOutput(); err != nil {
			t.Fatalf("build: %v\n%s", err, out)
		}
		symbols, err := exec.Command("go", "tool", "nm", binary).Output()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"web.(*Server).setClock", "web.(*Server).readOutbox", "clock.(*Manual).Set"} {
			if bytes.Contains(symbols, []byte(name)) != want {
				t.Errorf("tags %q: symbol %s", tags, name)
			}
		}
		if bytes.Contains(raw, []byte("/testhooks/")) != want {
			t.Errorf("tags %q: the address of the hooks", tags)
		}
		if !bytes.Contains(symbols, []byte("web.(*Server).outbox")) {
			t.Errorf("tags %q: the symbols are stripped", tags)
		}
	}
}

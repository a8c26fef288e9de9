package thaidtest

import (
	"bufio"
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Provider starts npm oidc-provider in the place of ThaID, with a page on which people type their citizen ID and agree or
// not.
func Provider(t testing.TB) (issuer string) {
	t.Helper()
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("where the provider lies is not known")
	}
	node := exec.Command("node", filepath.Join(filepath.Dir(here), "provider.mjs"))
	var said bytes.Buffer
	node.Stderr = &said
	in, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatalf("oidc-provider: %v", err)
	}
	t.Cleanup(func() {
		// It ends when its input does.
		if err := errors.Join(in.Close(), node.Wait()); err != nil {
			t.Errorf("oidc-provider: %v\n%s", err, said.String())
		}
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("oidc-provider does not start: %v\n%s", lines.Err(), said.String())
	}
	if issuer = strings.TrimSpace(lines.Text()); !strings.HasPrefix(issuer, "http://127.0.0.1:") {
		t.Fatalf("oidc-provider says %q\n%s", issuer, said.String())
	}
	return issuer
}

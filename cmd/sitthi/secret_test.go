package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// openFiles are flags that name files without a secret of the installation in them.
var openFiles = []string{"backup-recipients-file", "citizen-id-file", "mail-file", "sms-file"}

// TestSecretFiles holds each flag that names a file with a secret to refusing one that others can read or write, before
// anything else is done, and to taking it from systemd, which shows its credentials with a mode for the group.
func TestSecretFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	administered(t)
	if err := os.WriteFile("private", []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	serve := []string{"serve", "--metrics", "off", "--listen", "127.0.0.1:0"}
	postgres := []string{"migrate", "--database", "postgres://nobody@127.0.0.1:1/none"}
	of := map[string][]string{
		"keys":                     {"keys", "list"},
		"database-password-file":   postgres,
		"tls-key":                  append(slices.Clone(serve), "--tls-cert", "secret"),
		"smtp-password-file":       append(slices.Clone(serve), "--smtp-host", "127.0.0.1", "--smtp-from", "a@example.go.th"),
		"sms-header-file":          append(slices.Clone(serve), "--sms", "http", "--sms-url", "https://127.0.0.1/"),
		"checkpoint-header-file":   append(slices.Clone(serve), "--checkpoint-to", "https://127.0.0.1/"),
		"line-token-file":          append(slices.Clone(serve), "--line", "--line-secret-file", "private"),
		"line-secret-file":         append(slices.Clone(serve), "--line", "--line-token-file", "private"),
		"thaid-client-secret-file": append(slices.Clone(serve), "--thaid-issuer", "https://127.0.0.1/", "--thaid-client-id", "x"),
		"backup-passphrase-file":   {"backup", "--to", "backup.age"},
		"backup-identity-file":     {"restore", "--from", "secret", "--database", "sqlite:restored/sitthi.db"},
		"password-file": {"admin", "create", "--citizen", "1990000000027", "--given-name", "มานะ", "--family-name", "ดี", "--position", "นักวิชาการ",
			"--email", "mana@diw.example.go.th", "--phone", "0812345679"},
	}
	for flag, args := range of {
		text := "Authorization: x\n"
		if flag == "keys" {
			raw, err := os.ReadFile("var/keys.json")
			if err != nil {
				t.Fatal(err)
			}
			text = string(raw)
		}
		if err := os.WriteFile("secret", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		command := append(args, "--"+flag, "secret")
		for _, mode := range []fs.FileMode{0o640, 0o620, 0o604, 0o602, 0o666} {
			if err := os.Chmod("secret", mode); err != nil {
				t.Fatal(err)
			}
			_, err := sitthi(t, command...)
			if err == nil || !strings.Contains(err.Error(), "--"+flag) || !strings.Contains(err.Error(), "chmod go= secret") {
				t.Errorf("--%s, %04o: %v", flag, mode, err)
			}
		}
		if err := os.Chmod("secret", 0o600); err != nil {
			t.Fatal(err)
		}
		if args[0] == "serve" && flag != "tls-key" { // it would serve
			continue
		}
		if _, err := sitthi(t, command...); err != nil && strings.Contains(err.Error(), "chmod") {
			t.Errorf("--%s for its owner alone: %v", flag, err)
		}
	}

	// A credential is shown with mode 0440; the same file is refused when it is named in another way.
	raw, err := os.ReadFile("var/keys.json")
	if err != nil {
		t.Fatal(err)
	}
	credentials := t.TempDir()
	if err := os.WriteFile(filepath.Join(credentials, "keys"), raw, 0o440); err != nil {
		t.Fatal(err)
	}
	env := []string{"CREDENTIALS_DIRECTORY=" + credentials}
	for _, args := range [][]string{{"keys", "list"}, {"keys", "list", "--keys", filepath.Join(credentials, "keys")}} {
		if err := run(t.Context(), args, env, io.Discard, io.Discard); err != nil {
			t.Errorf("a credential of systemd, %v: %v", args, err)
		}
	}
	if _, err := sitthi(t, "keys", "list", "--keys", filepath.Join(credentials, "keys")); err == nil {
		t.Error("a file for the group was read outside systemd")
	}

	grammar, err := kong.New(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range allFlags(grammar.Model.Node) {
		names := strings.HasSuffix(flag, "-file") || strings.HasSuffix(flag, "-key") || flag == "keys"
		if names && of[flag] == nil && !slices.Contains(openFiles, flag) {
			t.Errorf("--%s names a file: with a secret, it belongs here; without, among openFiles", flag)
		}
	}
}

func allFlags(node *kong.Node) (names []string) {
	for _, flag := range node.Flags {
		names = append(names, flag.Name)
	}
	for _, child := range node.Children {
		names = append(names, allFlags(child)...)
	}
	return names
}

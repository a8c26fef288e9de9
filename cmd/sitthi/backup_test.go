package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"sitthi/internal/config"
)

// sitthi runs a command and answers what it printed.
func sitthi(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, nil, &out, io.Discard)
	return out.String(), err
}

// administered makes a database with an administrator in it, and so with entries in the log, and seals them.
func administered(t *testing.T) {
	t.Helper()
	if err := os.WriteFile("password", []byte(adminPassword), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &adminCreate{
		Database: config.Database{URL: "sqlite:var/sitthi.db"}, Citizen: "1990000000019", GivenName: "สมหญิง", FamilyName: "ระบบดี",
		Position: "นักวิชาการคอมพิวเตอร์", Unit: "ICT", Email: "somying@diw.example.go.th", Phone: "0812345678", PasswordFile: "password",
	}
	if _, _, err := typing(t, c, ""); err != nil {
		t.Fatal(err)
	}
	s := serveWith(t)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if out, err := sitthi(t, "audit", "verify"); err == nil && strings.Contains(out, "and 0 that wait") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the log is not sealed")
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}

var rootLine = regexp.MustCompile(`(?m)^root +(\S+)$`)

func rootOf(t *testing.T, report string) string {
	t.Helper()
	m := rootLine.FindStringSubmatch(report)
	if m == nil {
		t.Fatalf("no root in %q", report)
	}
	return m[1]
}

func TestBackupAndRestore(t *testing.T) {
	t.Chdir(t.TempDir())
	administered(t)
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"identity": identity.String() + "\n", "passphrase": "ห้าหกเจ็ดแปด\n", "wrong": "x\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before, err := sitthi(t, "audit", "verify")
	if err != nil {
		t.Fatal(err)
	}
	root := rootOf(t, before)

	s := serveWith(t) // backups are taken while the program serves
	for name, lock := range map[string]struct{ shut, open []string }{
		"recipient":  {[]string{"--backup-recipient", identity.Recipient().String()}, []string{"--backup-identity-file", "identity"}},
		"passphrase": {[]string{"--backup-passphrase-file", "passphrase"}, []string{"--backup-passphrase-file", "passphrase"}},
	} {
		file := name + ".age"
		out, err := sitthi(t, append([]string{"backup", "--to", file}, lock.shut...)...)
		if err != nil || !strings.Contains(out, root) {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		raw, err := os.ReadFile(file)
		if err != nil || !bytes.HasPrefix(raw, []byte("age-encryption.org/")) || bytes.Contains(raw, []byte("SQLite format")) {
			t.Errorf("%s: the backup is not sealed (%v)", name, err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: others can read it: %v %v", name, info.Mode(), err)
		}
		if _, err := sitthi(t, append([]string{"backup", "--to", file}, lock.shut...)...); err == nil {
			t.Errorf("%s: a backup was written over another", name)
		}
		restore := append([]string{"restore", "--from", file, "--database", "sqlite:to/" + name + "/sitthi.db", "--keys", "var/keys.json"}, lock.open...)
		out, err = sitthi(t, restore...)
		if err != nil || rootOf(t, out) != root {
			t.Fatalf("%s: root was %s: %v\n%s", name, root, err, out)
		}
		if _, err := sitthi(t, restore...); err == nil || !strings.Contains(err.Error(), "exists already") {
			t.Errorf("%s: restored over a database: %v", name, err)
		}
		after, err := sitthi(t, "audit", "verify", "--database", "sqlite:to/"+name+"/sitthi.db", "--keys", "var/keys.json")
		if err != nil || rootOf(t, after) != root {
			t.Errorf("%s: %v\n%s", name, err, after)
		}
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	restored := serveWith(t, "--database", "sqlite:to/recipient/sitthi.db", "--keys", "var/keys.json")
	if err := restored.stop(); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(".sitthi-*"); err != nil || len(left) > 0 {
		t.Errorf("plain copies were left: %v %v", left, err)
	}

	damaged, err := os.ReadFile("recipient.age")
	if err != nil {
		t.Fatal(err)
	}
	damaged[len(damaged)/2] ^= 1
	if err := os.WriteFile("damaged.age", damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sitthi(t, "migrate", "--database", "sqlite:other/x.db"); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"wrong passphrase": {"--from", "passphrase.age", "--backup-passphrase-file", "wrong", "--keys", "var/keys.json"},
		"damaged":          {"--from", "damaged.age", "--backup-identity-file", "identity", "--keys", "var/keys.json"},
		"absent":           {"--from", "absent.age", "--backup-identity-file", "identity", "--keys", "var/keys.json"},
		"no lock":          {"--from", "recipient.age", "--keys", "var/keys.json"},
		"without keys":     {"--from", "recipient.age", "--backup-identity-file", "identity"},
		"with other keys":  {"--from", "recipient.age", "--backup-identity-file", "identity", "--keys", "other/keys.json"},
	} {
		if _, err := sitthi(t, append([]string{"restore", "--database", "sqlite:none/x.db"}, args...)...); err == nil {
			t.Errorf("%s: restored", name)
		}
		if left, err := filepath.Glob("none/*"); err != nil || len(left) > 0 {
			t.Errorf("%s: left %v %v", name, left, err)
		}
	}
	for _, args := range [][]string{
		{"backup", "--to", "y"},
		{"backup", "--to", "y", "--backup-recipient", "age1nobody"},
		{"backup", "--to", "y", "--backup-passphrase-file", "passphrase", "--database", "sqlite:absent/x.db"},
		{"backup", "--to", "absent/y", "--backup-passphrase-file", "passphrase"},
	} {
		if _, err := sitthi(t, args...); err == nil || !strings.Contains(err.Error(), "--") && !strings.Contains(err.Error(), "absent") {
			t.Errorf("%v: %v", args, err)
		}
		if _, err := os.Stat("y"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v left a file", args)
		}
	}
	_, err = sitthi(t, "backup", "--to", "y", "--database", "postgres://x@h/n", "--backup-passphrase-file", "passphrase")
	if err == nil || !strings.Contains(err.Error(), "pg_dump") {
		t.Errorf("PostgreSQL: %v", err)
	}
}

package config

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type grammar struct {
	Serve struct {
		Serve `embed:""`
	} `cmd:""`
	Migrate struct {
		Database `embed:""`
	} `cmd:""`
}

func parse(t *testing.T, args []string, env ...string) (*Serve, string, error) {
	t.Helper()
	var g grammar
	var out bytes.Buffer
	_, err := Parse(&g, args, env, &out, "About.")
	return &g.Serve.Serve, out.String(), err
}

func TestDefaults(t *testing.T) {
	s, _, err := parse(t, []string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Listen != "localhost:8080" || s.URL != "sqlite:var/sitthi.db" || s.SessionIdle != 30*time.Minute || s.Demo {
		t.Errorf("defaults are %+v", s)
	}
	if keys, err := s.KeyFile(Secrets{}); err != nil || keys != "var/keys.json" {
		t.Errorf("keys in %q, %v", keys, err)
	}
}

func TestFlagsStandBeforeVariables(t *testing.T) {
	s, _, err := parse(t, []string{"serve", "--listen", "localhost:1"},
		"SITTHI_LISTEN=localhost:2", "SITTHI_LOG_FORMAT=json", "SITTHI_PROXIES=10.0.0.0/8,192.0.2.7", "SITTHI_DEMO=true", "OTHER=x",
		"SITTHI_TEST_POSTGRES=for tests", "SITTHI_PUBLIC_URL=https://sitthi.example.go.th")
	if err != nil {
		t.Fatal(err)
	}
	if s.Listen != "localhost:1" || s.Format != "json" || !s.Demo || s.PublicURL.Host != "sitthi.example.go.th" {
		t.Errorf("read %+v", s)
	}
	want := []Proxy{Proxy(netip.MustParsePrefix("10.0.0.0/8")), Proxy(netip.MustParsePrefix("192.0.2.7/32"))}
	if len(s.Proxies) != 2 || s.Proxies[0] != want[0] || s.Proxies[1] != want[1] {
		t.Errorf("proxies %v", s.Proxies)
	}
}

// TestWrongSettingIsNamed holds every error to naming the flag or the variable it is about.
func TestWrongSettingIsNamed(t *testing.T) {
	for _, tt := range []struct {
		args string
		env  string
		want []string
	}{
		{"serve --listen 8080", "", []string{"--listen", "HOST:PORT", "SITTHI_LISTEN"}},
		{"serve", "SITTHI_LISTEN=8080", []string{"SITTHI_LISTEN"}},
		{"serve --nonsense", "", []string{"--nonsense"}},
		{"serve", "SITTHI_LISEN=localhost:1", []string{"SITTHI_LISEN", "no such setting"}},
		{"serve --database mysql://x", "", []string{"--database", "postgres://"}},
		{"serve --database sqlite:", "", []string{"--database", "path"}},
		{"serve --database postgres://u:secret@h/n", "", []string{"--database", "--database-password-file"}},
		{"serve --database postgres://u@h/n?password=secret", "", []string{"--database", "--database-password-file"}},
		{"migrate", "SITTHI_DATABASE=x", []string{"SITTHI_DATABASE"}},
		{"serve --database-password-file x", "", []string{"--database-password-file"}},
		{"serve --log-level loud", "", []string{"--log-level"}},
		{"serve", "SITTHI_LOG_LEVEL=loud", []string{"SITTHI_LOG_LEVEL"}},
		{"serve", "SITTHI_LOG_FORMAT=xml", []string{"--log-format", "text"}},
		{"serve --session-idle 5", "", []string{"--session-idle"}},
		{"serve --session-idle 5ms", "", []string{"--session-idle", "second"}},
		{"serve --request-timeout 0s", "", []string{"--request-timeout"}},
		{"serve --form-limit 10", "", []string{"--form-limit"}},
		{"serve --proxies 10.0.0.0/99", "", []string{"--proxies", "10.0.0.0/8"}},
		{"serve", "SITTHI_PROXIES=everyone", []string{"SITTHI_PROXIES"}},
		{"serve --public-url ftp://x", "", []string{"--public-url", "https://"}},
		{"serve --public-url https://x/path", "", []string{"--public-url"}},
		{"serve --tls-key x", "", []string{"--tls-key", "--tls-cert"}},
		{"serve --metrics 9", "", []string{"--metrics"}},
		{"serve --smtp-from a@b.c", "", []string{"--smtp-from", "--smtp-host"}},
		{"serve --smtp-host h", "", []string{"--smtp-from"}},
		{"serve --smtp-host h --mail-file f", "", []string{"--mail-file"}},
		{"serve --smtp-host h --smtp-from a@b.c --smtp-port 70000", "", []string{"--smtp-port"}},
		{"serve --smtp-tls maybe", "", []string{"--smtp-tls", "starttls"}},
		{"serve --sms http", "", []string{"--sms-url"}},
		{"serve --sms file", "", []string{"--sms-file"}},
		{"serve --sms-url https://x", "", []string{"--sms-url", "--sms=http"}},
		{"serve --sms pigeon", "", []string{"--sms", "none"}},
		{"serve --sms-budget -1", "", []string{"sms-budget"}},
		{"serve --sign-in-per-minute 0", "", []string{"--sign-in-per-minute"}},
		{"serve --codes-per-hour 0", "", []string{"--codes-per-hour"}},
		{"serve --codes-per-day -1", "", []string{"codes-per-day"}},
		{"serve --session-days 89", "", []string{"--session-days", "at least 90"}},
		{"serve --message-days 89", "", []string{"--message-days", "at least 90"}},
		{"serve --log-text-days 89", "", []string{"--log-text-days", "at least 90"}},
		{"serve --decision-days 89", "", []string{"--decision-days", "at least 90"}},
		{"serve --citizen-id-check maybe", "", []string{"--citizen-id-check", "enforce"}},
	} {
		var env []string
		if tt.env != "" {
			env = []string{tt.env}
		}
		_, _, err := parse(t, strings.Fields(tt.args), env...)
		if err == nil {
			t.Errorf("%s %s: accepted", tt.args, tt.env)
			continue
		}
		for _, part := range tt.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s %s: the error lacks %q: %v", tt.args, tt.env, part, err)
			}
		}
		if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s %s: %v", tt.args, tt.env, err)
		}
	}
}

func TestHelpNamesEveryVariable(t *testing.T) {
	_, help, err := parse(t, []string{"serve", "--help"})
	if !errors.Is(err, ErrHelp) {
		t.Fatal(err)
	}
	for _, part := range []string{"--database=URL", "SITTHI_DATABASE", "--smtp-password-file", "SITTHI_SMTP_PASSWORD_FILE", "--[no-]demo", "SITTHI_DEMO"} {
		if part == "--[no-]demo" {
			part = "--demo"
		}
		if !strings.Contains(help, part) {
			t.Errorf("help lacks %s", part)
		}
	}
	if n := strings.Count(help, "[$SITTHI_"); n < 35 {
		t.Errorf("help names %d variables", n)
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{"smtp-password": "from systemd\n", "empty": "\n", "keys": "{}", "database-password": "p@ss/word\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	systemd := Secrets{folder}
	if got, err := systemd.Read("smtp-password-file", ""); err != nil || got != "from systemd" {
		t.Errorf("credential: %q, %v", got, err)
	}
	if got, err := (Secrets{}).Read("smtp-password-file", ""); err != nil || got != "" {
		t.Errorf("without one: %q, %v", got, err)
	}
	if _, err := (Secrets{}).Read("smtp-password-file", filepath.Join(folder, "absent")); err == nil || !strings.Contains(err.Error(), "--smtp-password-file") {
		t.Errorf("missing file: %v", err)
	}
	if _, err := (Secrets{}).Read("smtp-password-file", filepath.Join(folder, "empty")); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("empty file: %v", err)
	}
	d := Database{URL: "postgres://sitthi@db/sitthi"}
	if got, err := d.Address(systemd); err != nil || got != "postgres://sitthi:p%40ss%2Fword@db/sitthi" {
		t.Errorf("address %q, %v", got, err)
	}
	if got, err := d.KeyFile(systemd); err != nil || got != filepath.Join(folder, "keys") {
		t.Errorf("keys in %q, %v", got, err)
	}
	if got, err := d.KeyFile(Secrets{}); err != nil || got != "var/keys.json" {
		t.Errorf("keys in %q, %v", got, err)
	}
	d = Database{URL: "sqlite:/srv/x/sitthi.db"}
	if got, err := d.KeyFile(Secrets{}); err != nil || got != "/srv/x/keys.json" {
		t.Errorf("keys in %q, %v", got, err)
	}
}

func TestHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "header")
	for text, want := range map[string][2]string{"Authorization: Bearer x:y\n": {"Authorization", "Bearer x:y"}, "nothing": {}} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := Serve{SMSHeaderFile: path}
		name, value, err := s.SMSHeader(Secrets{})
		if name != want[0] || value != want[1] || (err == nil) != (want[0] != "") {
			t.Errorf("%q: %q %q %v", text, name, value, err)
		}
	}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"

	"sitthi/internal/config"
	"sitthi/internal/observe"
	"sitthi/internal/storetest"
	"sitthi/signin"
)

// asking is a command that asks for what its flags leave open.
type asking interface {
	Run(ctx context.Context, sh *shell, secrets config.Secrets) error
}

// typing runs a command with what somebody types, and answers what it printed and asked.
func typing(t *testing.T, c asking, typed string) (out, asked string, err error) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if _, err := write.WriteString(typed); err != nil {
		t.Fatal(err)
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	err = c.Run(t.Context(), &shell{in: read, out: &stdout, err: &stderr}, config.Secrets{})
	return stdout.String(), stderr.String(), err
}

const adminPassword = "ก ไก่ ข ไข่ ฃ ขวด ค ควาย"

func TestAdminCreate(t *testing.T) {
	for engine, address := range map[string]func(t *testing.T) string{
		"sqlite":   func(*testing.T) string { return "sqlite:var/x.db" },
		"postgres": func(t *testing.T) string { return storetest.Postgres(t) },
	} {
		t.Run(engine, func(t *testing.T) {
			d := config.Database{URL: address(t)}
			t.Chdir(t.TempDir())
			testAdminCreate(t, d)
		})
	}
}

func testAdminCreate(t *testing.T, d config.Database) {
	const answers = "สมหญิง\nระบบดี\nนักวิชาการคอมพิวเตอร์\nsomying@diw.example.go.th\n081-234-5678\n" + adminPassword + "\n" + adminPassword + "\n"
	for name, tt := range map[string]struct{ typed, want string }{
		"no such ID":          {"1-2345-67890-12-3\n", "citizen ID"},
		"nothing":             {"", "citizen id is missing"},
		"stops":               {"1990000000019\nสมหญิง\n", "family name is missing"},
		"no name":             {"1990000000019\n\n", "given name is missing"},
		"no address":          {strings.Replace("1990000000019\n"+answers, "somying@", "", 1), "e-mail address"},
		"no mobile":           {strings.Replace("1990000000019\n"+answers, "081-", "02-", 1), "mobile number"},
		"two passwords":       {"1990000000019\n" + strings.Replace(answers, "ควาย\n", "คน\n", 1), "not the same"},
		"a password too easy": {"1990000000019\n" + strings.ReplaceAll(answers, adminPassword, "password"), "password: "},
	} {
		if _, _, err := typing(t, &adminCreate{Database: d, Unit: "ICT"}, tt.typed); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := typing(t, &adminCreate{Database: d, Unit: "NOWHERE"}, "1990000000019\n"+answers); err == nil {
		t.Error("in an office that is none")
	}

	out, asked, err := typing(t, &adminCreate{Database: d, Unit: "ICT"}, "1990000000019\n"+answers)
	if err != nil || !strings.Contains(out, "central administrator now") {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(asked, "Citizen ID: Given name: ") || strings.Contains(asked+out, "1990000000019") {
		t.Errorf("asked %q", asked)
	}
	if _, _, err := typing(t, &adminCreate{Database: d}, "1990000000019\n"); err == nil {
		t.Error("the same person twice")
	}

	file := "password"
	if err := os.WriteFile(file, []byte(adminPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	second := &adminCreate{
		Database: d, Citizen: "1990000000027", GivenName: "ประเสริฐ", FamilyName: "ดูแลงาน", Position: "นักวิชาการคอมพิวเตอร์",
		Unit: "ICT", Email: "prasert@diw.example.go.th", Phone: "0812345679", PasswordFile: file,
	}
	if _, asked, err := typing(t, second, ""); err != nil || asked != "" {
		t.Fatalf("%v, asked %q", err, asked)
	}
	third := *second
	third.Citizen, third.PasswordFile = "3990000000104", "-"
	if _, _, err := typing(t, &third, adminPassword+"\n"); err == nil || strings.Contains(err.Error(), "appoint.") || strings.Contains(err.Error(), "⟦") {
		t.Errorf("a third administrator: %v", err)
	}
	if n := column(t, d.URL, "SELECT count(*) FROM accounts"); n[0] != "2" {
		t.Errorf("%s accounts are left, want those of the two administrators", n[0])
	}
	if _, asked, err := typing(t, &adminCreate{Database: d, Unit: "ICT"}, "3990000000104\n"); err == nil || asked != "" {
		t.Errorf("a third administrator is asked %q, %v", asked, err)
	}
	signsIn(t, d, "1990000000019")
	signsIn(t, d, "1990000000027")
}

// signsIn shows that a person gets in and is administrator.
func signsIn(t *testing.T, d config.Database, citizen string) {
	t.Helper()
	clk := newClock()
	v, err := openExisting(t.Context(), &d, config.Secrets{}, clk)
	if err != nil {
		t.Fatal(err)
	}
	c := &config.Serve{Demo: true, SignInPerMinute: 60}
	log := observe.NewLogger(&bytes.Buffer{}, "text", 0)
	ways, err := senders(c, config.Secrets{}, log)
	if err != nil {
		t.Fatal(err)
	}
	h, err := build(v, c, config.Secrets{}, ways, clk, log, &url.URL{Scheme: "http", Host: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := h.signin.SignIn(t.Context(), signin.In{CitizenID: citizen, Password: adminPassword, Address: "192.0.2.1"})
	if err := errors.Join(err, h.book.Load(t.Context())); err != nil {
		t.Fatal(err)
	}
	if !h.book.Posts(opened.Session.Person).Administrator {
		t.Errorf("%s is no administrator", citizen)
	}
	if err := v.db.Close(); err != nil {
		t.Error(err)
	}
}

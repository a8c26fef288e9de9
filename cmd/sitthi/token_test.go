package main

import (
	"bytes"
	"html"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sitthi/internal/config"
	"sitthi/internal/storetest"
)

// typed runs the program as the terminal does.
func typed(t *testing.T, args ...string) (out, errs string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	err = run(t.Context(), args, nil, &stdout, &stderr)
	return stdout.String(), stderr.String(), err
}

// ask sends one question to a service and answers the status.
func (s *service) ask(t *testing.T, token string) int {
	t.Helper()
	question := `{"subject":{"type":"officer","id":"1990000000019"},"action":{"name":"approve"},"resource":{"type":"unit","id":"TH-12"}}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.address+"/access/v1/evaluation", strings.NewReader(question))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

// Tokens made and revoked at the terminal hold and end in a program that serves beside it, within five seconds.
func TestTokensAtTheTerminal(t *testing.T) {
	for engine, address := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "s.db") },
		"postgres": func(t *testing.T) string { return storetest.Postgres(t) },
	} {
		t.Run(engine, func(t *testing.T) {
			where := []string{"--database", address(t), "--keys", filepath.Join(t.TempDir(), "keys.json")}
			with := func(args ...string) []string { return append(args, where...) }
			if _, _, err := typed(t, with("token", "list")...); err == nil {
				t.Error("a database was made for it")
			}
			s := serveWith(t, where...)
			if got := s.ask(t, demoToken); got != http.StatusUnauthorized {
				t.Errorf("the demonstration's token in a real database: %d", got)
			}
			for flag, args := range map[string][]string{
				"--name":    {"token", "create", "--units", "all", "--actions", "all"},
				"--units":   {"token", "create", "--name", "x", "--units", "TH-12,TH-00", "--actions", "all"},
				"--actions": {"token", "create", "--name", "x", "--units", "all", "--actions", "rule"},
				"--until":   {"token", "create", "--name", "x", "--units", "all", "--actions", "all", "--until", "31/2/2570"},
				"--reason":  {"token", "revoke", "x"},
			} {
				if _, _, err := typed(t, with(args...)...); err == nil || !strings.Contains(err.Error(), flag) || strings.Contains(err.Error(), "⟦") {
					t.Errorf("%s: %v", flag, err)
				}
			}
			if _, _, err := typed(t, with("token", "create", "--name", "x", "--units", "all", "--actions", "all", "--until", "1/1/2560")...); err == nil || !strings.Contains(err.Error(), "--until ($SITTHI_UNTIL)") {
				t.Errorf("a day in the past: %v", err)
			}

			out, errs, err := typed(t, with("token", "create", "--name", "ระบบ ก", "--units", "12,IWM", "--actions", "approve", "--until", "30/9/2590")...)
			if err != nil {
				t.Fatal(err)
			}
			token := strings.TrimSpace(out)
			if !strings.HasPrefix(token, "sitthi_") || strings.Contains(errs, token) {
				t.Errorf("told %q and %q", out, errs)
			}
			becomes(t, func() bool { return s.ask(t, token) == http.StatusOK })

			list, _, err := typed(t, with("token", "list")...)
			if err != nil {
				t.Fatal(err)
			}
			id := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`).FindString(errs)
			for _, want := range []string{id, "ระบบ ก", "live", "IWM,TH-12", "approve", "2047-09-30"} {
				if want == "" || !strings.Contains(list, want) {
					t.Errorf("the list lacks %q:\n%s", want, list)
				}
			}
			if _, _, err := typed(t, with("token", "revoke", id, "--reason", "เลิกใช้")...); err != nil {
				t.Fatal(err)
			}
			becomes(t, func() bool { return s.ask(t, token) == http.StatusUnauthorized })
			if _, _, err := typed(t, with("token", "revoke", id, "--reason", "again")...); err == nil || !strings.Contains(err.Error(), "already") {
				t.Errorf("revoked twice: %v", err)
			}
			if list, _, err = typed(t, with("token", "list")...); err != nil || !strings.Contains(list, "revoked") {
				t.Errorf("%v\n%s", err, list)
			}
		})
	}
}

// becomes waits up to five seconds for something to come true.
func becomes(t *testing.T, so func() bool) {
	t.Helper()
	for limit := time.Now().Add(5 * time.Second); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("it did not come true within five seconds")
		}
	}
}

func TestTokenHelp(t *testing.T) {
	for _, args := range [][]string{{"token", "--help"}, {"token", "create", "--help"}, {"token", "list", "--help"}, {"token", "revoke", "--help"}} {
		out, _, err := typed(t, args...)
		if err != nil || !strings.Contains(out, "token") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	if out, _, err := typed(t, "token", "create", "--help"); err != nil || !strings.Contains(out, config.Variable("units")) || !strings.Contains(out, "TH-12,IWM") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The examples of the page for programmers do what they say, as they stand there, against a demonstration.
func TestExamples(t *testing.T) {
	s := serveWith(t, "--demo", "--database", "sqlite:"+filepath.Join(t.TempDir(), "s.db"), "--keys", filepath.Join(t.TempDir(), "keys.json"))
	get := func(path string) string {
		t.Helper()
		response, err := http.Get(s.address + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", path, response.StatusCode, err)
		}
		return string(body)
	}
	page := get("/programs")
	get("/access/v1/openapi.json")
	get("/.well-known/authzen-configuration")
	example := func(id string) string {
		t.Helper()
		found := regexp.MustCompile(`(?s)<pre id="example-` + id + `"[^>]*>(.*?)</pre>`).FindStringSubmatch(page)
		if found == nil {
			t.Fatalf("the page has no example %s", id)
		}
		return html.UnescapeString(found[1])
	}
	tried := map[string]bool{"evaluation-json": true} // the answer, below
	for _, c := range []struct {
		id, file, program string
		wants             []string
	}{
		{"evaluation-sh", "a.sh", "bash", []string{`"decision":true`, `"reason":"permitted"`, `"grant":"`, `"person":"`}},
		{"moment-sh", "b.sh", "bash", []string{`"decision":`, `"conditions":[`}},
		{"evaluations-sh", "c.sh", "bash", []string{`{"evaluations":[`, `"decision":true`, `"decision":false`}},
		{"search-sh", "d.sh", "bash", []string{`"results":[{"type":"officer"`, `"page":{`}},
		{"evaluation-mjs", "e.mjs", "node", []string{"true permitted"}},
		{"evaluation-py", "f.py", "python3", []string{"True permitted"}},
		{"evaluation-java", "Evaluation.java", "java", []string{`"decision":true`, `"reason":"permitted"`}},
	} {
		tried[c.id] = true
		t.Run(c.id, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), c.file)
			if err := os.WriteFile(path, []byte(example(c.id)), 0o600); err != nil {
				t.Fatal(err)
			}
			run := exec.CommandContext(t.Context(), c.program, path)
			var stderr bytes.Buffer
			run.Stderr = &stderr
			out, err := run.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, stderr.String())
			}
			for _, want := range c.wants {
				if !strings.Contains(string(out), want) {
					t.Errorf("the answer lacks %s:\n%s", want, out)
				}
			}
		})
	}
	for _, shown := range regexp.MustCompile(`<pre id="example-([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if !tried[shown[1]] {
			t.Errorf("the example %s stands on the page and was never run", shown[1])
		}
	}
	// What was shown to programmers is what they get.
	for _, part := range []string{`"decision": true`, `"reason": "permitted"`} {
		if !strings.Contains(example("evaluation-json"), part) {
			t.Errorf("the answer on the page lacks %s", part)
		}
	}
}

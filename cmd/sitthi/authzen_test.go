package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sitthi/grant"
)

// curl asks the real program as a shell would, and answers status and body.
func curl(t *testing.T, args ...string) (status int, body string) {
	t.Helper()
	said, err := exec.Command("curl", append([]string{"-sS", "--max-time", "10", "-w", "\n%{http_code}"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl: %v\n%s", err, said)
	}
	at := strings.LastIndexByte(string(said), '\n')
	if _, err := fmt.Sscan(string(said[at+1:]), &status); err != nil {
		t.Fatalf("curl: %v\n%s", err, said)
	}
	return status, string(said[:at])
}

// TestOtherProgramsAsk has curl and Node.js ask the demonstration: every service with its answer, the program of
// docs/authzen.md as it stands there, and a client that a library makes from the OpenAPI description. TestExamples runs
// those of the page for programmers.
func TestOtherProgramsAsk(t *testing.T) {
	_, args := demonstration(t)
	p := serving(t, append([]string{"--demo"}, args...)...)
	officer := func(id string) string { return `"subject":{"type":"officer","id":"` + id + `"}` }
	const considers, approves, inTeam, chief = "3990000000201", "3990000000210", "3990000000317", "3990000000104"
	ask := func(token, service, body string) (int, string) {
		return curl(t, p.address+"/access/v1/"+service, "-H", "Authorization: Bearer "+token, "-H", "Content-Type: application/json", "-d", body)
	}
	for _, c := range []struct {
		service, body string
		want          []string
	}{
		{"evaluation", `{` + officer(considers) + `,"action":{"name":"consider"},"resource":{"type":"unit","id":"TH-12"}}`, []string{`"decision":true`, `"reason":"permitted"`, `"grant":"`}},
		{"evaluation", `{` + officer(considers) + `,"action":{"name":"approve"},"resource":{"type":"unit","id":"P12"}}`, []string{`"decision":false`, `"reason":"other_level"`}},
		{"evaluation", `{` + officer(approves) + `,"action":{"name":"approve"},"resource":{"type":"unit","id":"TH-12"},"context":{"explain":true,"at":"2100-01-01T00:00:00Z"}}`, []string{`"decision":`, `"conditions":[{"condition":`}},
		{"evaluation", `{` + officer(chief) + `,"action":{"name":"administer"},"resource":{"type":"unit","id":"TH-12"}}`, []string{`"decision":true`}},
		{"evaluations", `{` + officer(inTeam) + `,"action":{"name":"consider"},"evaluations":[{"resource":{"type":"group","id":"IWM/G1"}},{"resource":{"type":"unit","id":"IWM"}}]}`, []string{`{"evaluations":[{"decision":`}},
		{"search/resource", `{` + officer(considers) + `,"action":{"name":"consider"},"resource":{"type":"unit"}}`, []string{`{"type":"unit","id":"TH-12"}`, `"next_token":""`}},
		{"search/action", `{` + officer(considers) + `,"resource":{"type":"unit","id":"TH-12"}}`, []string{`{"name":"consider"}`}},
		{"search/subject", `{"subject":{"type":"officer"},"action":{"name":"administer"},"resource":{"type":"unit","id":"TH-12"}}`, []string{`"results":[{"type":"officer","id":"`}},
	} {
		status, body := ask(demoToken, c.service, c.body)
		for _, want := range c.want {
			if status != 200 || !json.Valid([]byte(body)) || !strings.Contains(body, want) {
				t.Errorf("%s %s: %d %s; want %s", c.service, c.body, status, body, want)
			}
		}
	}
	for want, args := range map[int][]string{
		400: {"-H", "Authorization: Bearer " + demoToken, "-H", "Content-Type: application/json", "-d", "{"},
		401: {"-H", "Content-Type: application/json", "-d", "{}"},
		405: {},
		415: {"-H", "Authorization: Bearer " + demoToken, "-d", "{}"},
	} {
		if status, body := curl(t, append(args, p.address+"/access/v1/evaluation")...); status != want || strings.TrimSpace(body) == "" {
			t.Errorf("%v: %d %q, want %d", args, status, body, want)
		}
	}

	_, after, found := strings.Cut(read(t, filepath.Join("..", "..", "docs", "authzen.md")), "\n```js\n")
	source, _, closed := strings.Cut(after, "\n```\n")
	if !found || !closed {
		t.Fatal("docs/authzen.md has no client")
	}
	client := filepath.Join(t.TempDir(), "ask.mjs")
	write(t, client, source)
	node := func(token string, words ...string) (string, error) {
		said, err := exec.Command("node", append([]string{client, p.address, token}, words...)...).CombinedOutput()
		return string(said), err
	}
	said, err := node(demoToken, considers, grant.Consider.Row().Code, "TH-12", "TH-13", "TH-99")
	for _, want := range []string{"TH-12 true permitted\n", "TH-13 false no_right\n", "TH-99 false unknown_resource\n", "officers may consider in TH-12 true\n"} {
		if err != nil || !strings.Contains(said, want) {
			t.Errorf("%v\n%s\nwant %s", err, said, want)
		}
	}
	if said, err := node("wrong", considers, "consider", "TH-12"); err == nil || !strings.Contains(said, "401") {
		t.Errorf("with a wrong token: %v\n%s", err, said)
	}

	// A client that another library makes from the OpenAPI description.
	out, err := exec.Command("node", filepath.Join("testdata", "client.mjs"), p.address, demoToken).CombinedOutput()
	if err != nil || string(out) != "asked 7 operations\n" {
		t.Errorf("%v\n%s", err, out)
	}
	if status := p.stop(t); status != 0 {
		t.Error(p.said)
	}
}

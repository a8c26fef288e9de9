package main

import (
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sitthi/internal/storetest"
)

// TestStopUnderLoad tells the program to stop (SIGTERM) while rights are given: what is under way is finished and
// answered, nothing new is begun, and the exit status says that all is well.
func TestStopUnderLoad(t *testing.T) {
	folder, args := demonstration(t)
	p := serving(t, append([]string{"--demo", "--stop-timeout", "20s"}, args...)...)
	var writers []*writer
	for range 3 {
		writers = append(writers, &writer{caller: signedIn(t, p.address, "3990000000104", demoPassword), unit: "TH-12"})
	}
	var working sync.WaitGroup
	var answered atomic.Int64
	for _, w := range writers {
		working.Go(func() {
			for w.act(t) {
				answered.Add(1)
			}
		})
	}
	until(t, "acts are answered", 30*time.Second, func() bool { return answered.Load() >= 12 || t.Failed() })
	start := time.Now()
	if status := p.stop(t); status != 0 {
		t.Errorf("exit status %d\n%s", status, p.said)
	}
	took := time.Since(start)
	working.Wait()
	if took > 20*time.Second || strings.Contains(p.said.String(), "cut off") {
		t.Errorf("it took %s to stop\n%s", took, p.said)
	}
	if _, err := writers[0].get("/"); err == nil {
		t.Error("it still answers")
	}
	compare(t, "sqlite:"+filepath.Join(folder, "sitthi.db"), writers, 0)
	whole(t, args...)
	t.Logf("stopped within %s; %d acts were answered, none was left without an answer", took.Round(time.Millisecond), answered.Load())
}

// TestStopWhileStarting tells the program to stop at several moments of its first start: it ends soon, and the next
// start finds nothing half.
func TestStopWhileStarting(t *testing.T) {
	for engine, address := range map[string]func(*testing.T, string) string{
		"sqlite":   func(_ *testing.T, folder string) string { return "sqlite:" + filepath.Join(folder, "sitthi.db") },
		"postgres": func(t *testing.T, _ string) string { return storetest.Postgres(t) },
	} {
		t.Run(engine, func(t *testing.T) {
			folder := t.TempDir()
			args := []string{"--database", address(t, folder), "--keys", filepath.Join(folder, "keys.json")}
			for _, after := range []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second} {
				p := launch(t, append([]string{"serve", "--demo", "--listen", "localhost:0", "--metrics", "off"}, args...)...)
				<-time.After(after)
				start := time.Now()
				if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
				// Before its first line of its own the signal ends it, as it would any program.
				if status := p.exit(t); status != 0 && status != -1 {
					t.Errorf("stopped after %s: exit status %d\n%s", after, status, p.said)
				}
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("it took %s to stop", took)
				}
			}
			p := serving(t, append([]string{"--demo"}, args...)...)
			if status, _, _ := get(t, http.DefaultClient, p.address+"/readyz"); status != http.StatusOK {
				t.Errorf("ready? %d", status)
			}
			if n := column(t, args[1], "SELECT count(*) FROM accounts"); n[0] != "3000" {
				t.Errorf("%s accounts", n[0])
			}
			signedIn(t, p.address, "3990000000104", demoPassword)
			if status := p.stop(t); status != 0 {
				t.Errorf("exit status %d\n%s", status, p.said)
			}
			whole(t, args...)
		})
	}
}

// TestExitStatus runs commands to their end: what went wrong is said in a line that names the setting, and the exit
// status tells scripts.
func TestExitStatus(t *testing.T) {
	taken, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	folder := t.TempDir()
	serve := func(args ...string) []string {
		return append(append([]string{"serve", "--metrics", "off"}, at(folder)...), args...)
	}
	for _, tt := range []struct {
		args   []string
		env    string
		status int
		says   []string
	}{
		{[]string{"version"}, "", 0, []string{"sitthi "}},
		{[]string{"serve", "--help"}, "", 0, []string{"--listen", "SITTHI_LISTEN"}},
		{serve("--listen", taken.Addr().String()), "", 1, []string{"sitthi: --listen ($SITTHI_LISTEN): ", taken.Addr().String(), "in use by another program"}},
		{serve("--listen", "localhost"), "", 1, []string{"--listen", "HOST:PORT"}},
		{serve("--listen", "localhost:0", "--metrics", taken.Addr().String()), "", 1, []string{"--metrics ($SITTHI_METRICS): ", "in use"}},
		{serve(), "SITTHI_LISTEN=nowhere", 1, []string{"$SITTHI_LISTEN", "HOST:PORT"}},
		{serve(), "SITTHI_LISTN=localhost:0", 1, []string{"$SITTHI_LISTN", "no such setting"}},
		{serve("--lisen", "localhost:0"), "", 1, []string{"--lisen"}},
		{serve("--stop-timeout", "1ms"), "", 1, []string{"--stop-timeout", "a second"}},
		{serve("--public-url", "ftp://x"), "", 1, []string{"--public-url", "https://HOST"}},
		{serve("--proxies", "10.0.0.0/99"), "", 1, []string{"--proxies", "10.0.0.0/8"}},
		{serve("--smtp-host", "mail.example.go.th"), "", 1, []string{"--smtp-from", "--smtp-host"}},
		{serve("--smtp-host", "mail.example.go.th", "--smtp-from", "a@b.go.th", "--smtp-tls", "none", "--listen", "localhost:0"), "", 1, []string{"--smtp-host", "without TLS"}},
		{serve("--tls-cert", "absent.pem", "--tls-key", "absent.pem"), "", 1, []string{"--tls-cert", "absent.pem"}},
		{[]string{"serve", "--database", "mysql://x"}, "", 1, []string{"--database", "sqlite:PATH"}},
		{[]string{"serve", "--database", "sqlite:/proc/none/x.db", "--listen", "localhost:0", "--metrics", "off"}, "", 1, []string{"--database", "/proc/none"}},
		{[]string{"audit", "verify", "--database", "sqlite:" + filepath.Join(folder, "absent.db")}, "", 1, []string{"--database", "there is no database"}},
	} {
		p := launchWith(t, tt.env, tt.args...)
		status := p.exit(t)
		said := p.said.String()
		for _, words := range tt.says {
			if !strings.Contains(said, words) {
				t.Errorf("%q %v: does not say %q:\n%s", tt.env, tt.args, words, said)
			}
		}
		if status != tt.status || strings.Contains(said, "panic") || strings.Contains(said, "goroutine") {
			t.Errorf("%q %v: exit status %d\n%s", tt.env, tt.args, status, said)
		}
		_, words, _ := strings.Cut("\n"+said, "\nsitthi: ")
		if line, _, _ := strings.Cut(words, "\n"); tt.status != 0 && !strings.Contains("sitthi: "+line, tt.says[0]) {
			t.Errorf("%v: it ends with %q", tt.args, line)
		}
	}
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sitthi/internal/clock"
	"sitthi/internal/config"
	"sitthi/internal/store"
)

// service is a program that serves in this process.
type service struct {
	address string // http://localhost:PORT
	metrics string
	stop    func() error // ends it in good order; again it answers the same

	mu  sync.Mutex
	log bytes.Buffer
}

// Write takes the log.
func (s *service) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *service) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// serveWith starts `sitthi serve` on free ports and waits until it listens. The test's end stops it.
func serveWith(t *testing.T, args ...string) *service {
	t.Helper()
	s := &service{}
	ctx, cancel := context.WithCancel(context.Background())
	read, write := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"serve", "--listen", "localhost:0", "--metrics", "localhost:0"}, args...), nil, write, s)
		done <- errors.Join(err, write.Close())
	}()
	s.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewScanner(read)
	for s.address == "" && lines.Scan() {
		if after, ok := strings.CutPrefix(lines.Text(), "metrics on "); ok {
			s.metrics = after
		}
		if after, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			s.address = after
		}
	}
	if s.address == "" {
		t.Fatalf("it does not serve: %v\n%s", s.stop(), s.logged())
	}
	go func() {
		if _, err := io.Copy(io.Discard, read); err != nil {
			t.Error(err)
		}
	}()
	return s
}

func get(t *testing.T, client *http.Client, address string) (int, string, http.Header) {
	t.Helper()
	answer, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body), answer.Header
}

func TestServeOnAnEmptyFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	s := serveWith(t)
	if !strings.HasPrefix(s.address, "http://localhost:") {
		t.Errorf("serves at %s", s.address)
	}
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/": "กรมโรงงานอุตสาหกรรม"} {
		if status, body, _ := get(t, http.DefaultClient, s.address+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _, _ := get(t, http.DefaultClient, s.address+"/metrics"); status != http.StatusNotFound {
		t.Errorf("the metrics are open to everyone: %d", status)
	}
	status, figures, _ := get(t, http.DefaultClient, s.metrics)
	for _, part := range []string{
		`route="GET /readyz",status="200"} 1`, "sitthi_messages_waiting 0", "sitthi_messages_dead 0", "sitthi_messages_oldest_seconds 0",
		"sitthi_audit_unsealed 0", "sitthi_audit_sealed_seconds 0", "sitthi_sms_codes 0", "sitthi_sms_codes_budget 2000", "sitthi_rights_age_seconds ", "sitthi_sessions 0", "sitthi_refusals_anonymous_total ", "sitthi_build_info",
		"# TYPE sitthi_refusals_anonymous_total counter", "# TYPE sitthi_messages_waiting gauge",
	} {
		if status != http.StatusOK || !strings.Contains(figures, part) {
			t.Errorf("the metrics lack %s", part)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sitthi.db", "keys.json"} {
		if _, err := os.Stat(filepath.Join("var", name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat("var/sitthi.db-wal"); err == nil {
		t.Error("the database was not closed in good order")
	}
	again := serveWith(t)
	if status, _, _ := get(t, http.DefaultClient, again.address+"/readyz"); status != http.StatusOK {
		t.Errorf("started again it answers %d", status)
	}
}

// TestStopFinishesRequests sends half a form, tells the program to stop, and sends the rest.
func TestStopFinishesRequests(t *testing.T) {
	t.Chdir(t.TempDir())
	s := serveWith(t, "--stop-timeout", "20s")
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	send := func(text string) {
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
	}
	send("POST /language HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 14\r\n\r\nlang=en")
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, figures, _ := get(t, http.DefaultClient, s.metrics); strings.Contains(figures, "sitthi_http_requests_in_flight 1") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the request did not arrive")
		}
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if strings.Contains(s.logged(), "stopping") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not stop")
		}
	}
	send("&back=/")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("the request was cut off: %v %v", answer, err)
	}
	if err := errors.Join(answer.Body.Close(), <-stopped); err != nil {
		t.Error(err)
	}
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	t.Chdir(t.TempDir())
	s := serveWith(t, "--stop-timeout", "1s")
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /language HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\nlang"); err != nil {
		t.Fatal(err)
	}
	if _, _, _ = get(t, http.DefaultClient, s.address+"/healthz"); s.stop() != nil {
		t.Error("it did not stop in good order")
	}
	if !strings.Contains(s.logged(), "cut off") {
		t.Errorf("the log does not say that a request was cut off:\n%s", s.logged())
	}
}

func TestBusyPortIsSaid(t *testing.T) {
	t.Chdir(t.TempDir())
	taken, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, flag := range []string{"listen", "metrics"} {
		args := map[string]string{"listen": "localhost:0", "metrics": "localhost:0"}
		args[flag] = taken.Addr().String()
		err := run(t.Context(), []string{"serve", "--listen", args["listen"], "--metrics", args["metrics"]}, nil, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "--"+flag) || !strings.Contains(err.Error(), "in use") {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

func TestWrongSettingsStopTheStart(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"serve", "--listen", "nowhere.invalid:1"}, "--listen"},
		{[]string{"serve", "--tls-cert", "absent.pem", "--tls-key", "absent.pem"}, "--tls-cert"},
		{[]string{"serve", "--tls-cert", "absent.pem"}, "--tls-key"},
		{[]string{"serve", "--database", "postgres://127.0.0.1:1/x?connect_timeout=2"}, "--database"},
		{[]string{"serve", "--smtp-host", "mail.invalid", "--smtp-from", "nobody"}, "--smtp-host"},
		{[]string{"serve", "--smtp-host", "mail.invalid", "--smtp-from", "a@b.go.th", "--smtp-password-file", "absent"}, "--smtp-password-file"},
		{[]string{"serve", "--sms", "http", "--sms-url", "http://sms.example/{to}/{text}"}, "--sms-url"},
		{[]string{"serve", "--sms", "file", "--sms-file", "absent/file"}, "--sms-file"},
		{[]string{"serf"}, "serf"},
		{nil, "serve"},
		{[]string{"audit", "verify"}, "--database"}, // nothing above made a database
	} {
		if len(tt.args) > 0 && tt.args[0] == "serve" {
			tt.args = append(tt.args, "--metrics", "off")
			if tt.want != "--listen" {
				tt.args = append(tt.args, "--listen", "localhost:0")
			}
		}
		err := run(t.Context(), tt.args, nil, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v", tt.args, err)
		}
	}
}

// A program that runs goes on when a newer one migrates the database; none starts on it any more.
func TestANewerDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s := serveWith(t, "--database", "sqlite:"+path)
	db, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + path, Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, TRUE)`)
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := get(t, http.DefaultClient, s.address+"/readyz"); status != http.StatusOK {
		t.Errorf("what runs answers %d", status)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{
		{"serve", "--listen", "localhost:0", "--metrics", "off"}, {"migrate"}, {"audit", "verify"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		err := run(ctx, append(command, "--database", "sqlite:"+path), nil, io.Discard, io.Discard)
		cancel()
		if err == nil || !strings.Contains(err.Error(), "newer program (version 999") {
			t.Errorf("%s: %v", command[0], err)
		}
	}
}

func TestKeysBelongToTheirDatabase(t *testing.T) {
	t.Chdir(t.TempDir())
	migrate := func() error { return run(t.Context(), []string{"migrate"}, nil, io.Discard, io.Discard) }
	if err := errors.Join(migrate(), migrate()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename("var/keys.json", "kept"); err != nil {
		t.Fatal(err)
	}
	if err := migrate(); err == nil || !strings.Contains(err.Error(), "--keys") {
		t.Errorf("without its keys: %v", err)
	}
	if _, err := os.Stat("var/keys.json"); err == nil {
		t.Fatal("lost keys were replaced")
	}
	if err := run(t.Context(), []string{"migrate", "--database", "sqlite:other/x.db"}, nil, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := migrate(); err == nil {
		t.Error("without its keys it went on")
	}
	err := run(t.Context(), []string{"migrate", "--keys", "other/keys.json"}, nil, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "not those of this database") {
		t.Errorf("with the keys of another: %v", err)
	}
	if err := run(t.Context(), []string{"migrate", "--keys", "kept"}, nil, io.Discard, io.Discard); err != nil {
		t.Errorf("with its keys from elsewhere: %v", err)
	}
}

func TestDemoStaysApart(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := serveWith(t).stop(); err != nil {
		t.Fatal(err)
	}
	err := run(t.Context(), []string{"serve", "--demo", "--listen", "localhost:0", "--metrics", "off"}, nil, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "--demo") || !strings.Contains(err.Error(), "real data") {
		t.Errorf("the demonstration on a real database: %v", err)
	}
	v, err := openNew(t.Context(), &config.Database{URL: "sqlite:demo/x.db"}, config.Secrets{}, newClock())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(dedicate(t.Context(), v.db, purposeDemo), v.db.Close()); err != nil {
		t.Fatal(err)
	}
	err = run(t.Context(), []string{"serve", "--database", "sqlite:demo/x.db", "--listen", "localhost:0", "--metrics", "off"}, nil, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "--demo") {
		t.Errorf("the demonstration served as real: %v", err)
	}
}

// writeCertificate writes a certificate for localhost and answers who trusts it.
func writeCertificate(t *testing.T, serial int64) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	rawKey, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "EC PRIVATE KEY", Bytes: rawKey}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		written := time.Now().Add(time.Duration(serial) * time.Second) // file times may be coarse
		if err := os.Chtimes(name, written, written); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return pool
}

func TestTLS(t *testing.T) {
	t.Chdir(t.TempDir())
	pool := writeCertificate(t, 1)
	s := serveWith(t, "--tls-cert", "cert.pem", "--tls-key", "key.pem")
	if !strings.HasPrefix(s.address, "https://localhost:") {
		t.Fatalf("serves at %s", s.address)
	}
	trusting := func(pool *x509.CertPool) *http.Client {
		return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	}
	status, _, header := get(t, trusting(pool), s.address+"/")
	if status != http.StatusOK || !strings.HasPrefix(header.Get("Strict-Transport-Security"), "max-age=") {
		t.Errorf("%d, HSTS %q", status, header.Get("Strict-Transport-Security"))
	}
	renewed := writeCertificate(t, 2)
	if status, _, _ := get(t, trusting(renewed), s.address+"/healthz"); status != http.StatusOK {
		t.Errorf("with the new certificate: %d", status)
	}
	if err := os.WriteFile("cert.pem", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := get(t, trusting(renewed), s.address+"/healthz"); status != http.StatusOK {
		t.Errorf("while a certificate is being written: %d", status)
	}
}

func TestVersionAndHelp(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"version"}, nil, &out, io.Discard); err != nil || !strings.HasPrefix(out.String(), "sitthi ") || !strings.Contains(out.String(), "go1.") {
		t.Errorf("%q, %v", out.String(), err)
	}
	out.Reset()
	if err := run(t.Context(), []string{"--help"}, nil, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"serve", "migrate", "admin create", "audit verify", "backup", "restore", "version"} {
		if !strings.Contains(out.String(), command) {
			t.Errorf("help lacks %s", command)
		}
	}
}

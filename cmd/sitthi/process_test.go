package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sitthi/internal/clock"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/signin"
)

// asProgram makes the test binary the program itself: the same main, in a process of its own that a test can kill.
const asProgram = "SITTHI_TEST_AS_PROGRAM"

// packageFolder is where every process of the tests begins: the test binary reads files from there before it is anything else.
var packageFolder string

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	var err error
	if packageFolder, err = os.Getwd(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := dropMould(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// process is the program, running on its own.
type process struct {
	address string // http://localhost:PORT, once it serves
	metrics string
	cmd     *exec.Cmd
	said    *output // all that it wrote, to both outputs
	done    chan struct{}
}

// output is what is written and read at the same time.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *output) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *output) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// launch starts the program with these arguments and does not wait. The test's end kills it.
func launch(t *testing.T, args ...string) *process {
	t.Helper()
	return launchWith(t, "", args...)
}

// launchWith is launch with a variable of the environment, NAME=value, or none.
func launchWith(t *testing.T, variable string, args ...string) *process {
	t.Helper()
	return start(t, variable, nil, args...)
}

// launchPiped is launch with a text to read from standard input.
func launchPiped(t *testing.T, text string, args ...string) *process {
	t.Helper()
	return start(t, "", strings.NewReader(text), args...)
}

func start(t *testing.T, variable string, in io.Reader, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(self, args...), said: &output{}, done: make(chan struct{})}
	p.cmd.Dir = packageFolder
	p.cmd.Env = append(os.Environ(), asProgram+"=1", cmp.Or(variable, "NONE="))
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = in, p.said, p.said
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		if err := p.cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { p.kill(t) })
	return p
}

// serving starts `sitthi serve` on free ports and waits until it listens.
func serving(t *testing.T, args ...string) *process {
	t.Helper()
	p := launch(t, append([]string{"serve", "--listen", "localhost:0", "--metrics", "localhost:0"}, args...)...)
	p.listens(t)
	return p
}

func (p *process) listens(t *testing.T) {
	t.Helper()
	until(t, "it listens", 60*time.Second, func() bool {
		for line := range strings.Lines(p.said.String()) {
			if after, ok := strings.CutPrefix(line, "metrics on "); ok {
				p.metrics = strings.TrimSpace(after)
			}
			if after, ok := strings.CutPrefix(line, "listening on "); ok && strings.HasSuffix(after, "\n") {
				p.address = strings.TrimSpace(after)
			}
		}
		if p.ended() && p.address == "" {
			t.Fatalf("it does not serve:\n%s", p.said)
		}
		return p.address != ""
	})
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill ends the process as a power cut would, or does nothing when it has ended.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	<-p.done
}

// stop tells the process to end in good order and answers its exit status.
func (p *process) stop(t *testing.T) int {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	return p.exit(t)
}

// exit waits for the end of the process and answers its exit status, -1 when a signal ended it.
func (p *process) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(60 * time.Second):
		t.Fatalf("it does not end:\n%s", p.said)
	}
	return p.cmd.ProcessState.ExitCode()
}

// command runs the program to its end and answers what it said and its exit status.
func command(t *testing.T, args ...string) (said string, status int) {
	t.Helper()
	p := launch(t, args...)
	status = p.exit(t)
	return p.said.String(), status
}

// figure reads one of the metrics; -1 when there is none of that name.
func (p *process) figure(t *testing.T, name string) float64 {
	t.Helper()
	_, text, _ := get(t, http.DefaultClient, p.metrics)
	for line := range strings.Lines(text) {
		if after, ok := strings.CutPrefix(line, name+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(after), 64)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	return -1
}

// until waits for something to come true, and fails when it takes too long.
func until(t *testing.T, what string, limit time.Duration, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// caller is a browser without a picture: it keeps cookies and follows nothing. It is safe for concurrent use.
type caller struct {
	address string
	client  http.Client

	mu      sync.Mutex
	cookies map[string]string
}

// reply is what a caller was answered.
type reply struct {
	status   int
	header   http.Header
	body     string
	location string
	took     time.Duration
}

func newCaller(address string) *caller {
	return &caller{
		address: address, cookies: map[string]string{},
		client: http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 16},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// signedIn is a caller who has signed in just now, with the second factor of who is asked for it.
func signedIn(t *testing.T, address, citizen, password string) *caller {
	t.Helper()
	return signedInAt(t, time.Now(), address, citizen, password)
}

// signedInAt is signedIn where the program's clock shows another moment.
func signedInAt(t *testing.T, now time.Time, address, citizen, password string) *caller {
	t.Helper()
	c := newCaller(address)
	r, err := c.post("/officer/login", "citizen_id", citizen, "password", password)
	if path, _, _ := strings.Cut(r.location, "?"); strings.HasPrefix(path, "/officer/login/factor/") {
		for _, code := range demoCodes(t, now) {
			if r, err = c.post(path, "code", code); err != nil || r.status != http.StatusUnprocessableEntity {
				break
			}
		}
	}
	if err != nil || r.status != http.StatusSeeOther {
		t.Fatalf("%s can not sign in: %d %v\n%s", citizen, r.status, err, r.body)
	}
	return c
}

// demoCodes are what an app with demoKey shows in the steps whose codes are taken, the earliest first. Each works once, so
// that a person signs in three times within a minute and no more.
func demoCodes(t *testing.T, now time.Time) (codes []string) {
	t.Helper()
	for _, beside := range []time.Duration{-1, 0, 1} {
		code, err := signin.AppCode(demoKey, now.Add(beside*30*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, code)
	}
	return codes
}

// enrol sets up the app without which nothing opens to who is an administrator, and no account of the demonstration.
func (c *caller) enrol(t *testing.T) {
	t.Helper()
	const path = "/officer/security/app"
	begun, err := c.post(path)
	if err != nil || begun.location != path {
		t.Fatalf("set up an app: %d %s %v\n%s", begun.status, begun.location, err, begun.body)
	}
	page, err := c.get(path)
	if err != nil {
		t.Fatal(err)
	}
	code, err := signin.AppCode(appKey(page.body), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if done, err := c.post(path+"/confirm", "code", code); err != nil || done.status != http.StatusOK {
		t.Fatalf("set up an app: %d %v\n%s", done.status, err, done.body)
	}
}

// appKey finds the key of an app in what a page says.
func appKey(page string) string {
	return strings.ReplaceAll(regexp.MustCompile(`(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}`).FindString(page), " ", "")
}

// at is the same browser at another address of the site, as after a restart.
func (c *caller) at(address string) *caller {
	c.mu.Lock()
	defer c.mu.Unlock()
	again := newCaller(address)
	for name, value := range c.cookies {
		again.cookies[name] = value
	}
	return again
}

func (c *caller) get(path string) (reply, error) { return c.ask(http.MethodGet, path, nil) }

// post sends a form of pairs of name and value.
func (c *caller) post(path string, pairs ...string) (reply, error) {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return c.ask(http.MethodPost, path, form)
}

func (c *caller) ask(method, path string, form url.Values) (r reply, err error) {
	q, err := http.NewRequest(method, c.address+path, strings.NewReader(form.Encode()))
	if err != nil {
		return r, err
	}
	if form != nil {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	c.mu.Lock()
	for name, value := range c.cookies {
		q.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	c.mu.Unlock()
	start := time.Now()
	answer, err := c.client.Do(q)
	if err != nil {
		return r, err
	}
	body, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return r, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cookie := range answer.Cookies() {
		c.cookies[cookie.Name] = cookie.Value
		if cookie.MaxAge < 0 {
			delete(c.cookies, cookie.Name)
		}
	}
	return reply{answer.StatusCode, answer.Header, string(body), answer.Header.Get("Location"), time.Since(start)}, nil
}

// grantOf reads the id of the right that a gift became from where it led.
func (r reply) grantOf() string {
	u, err := url.Parse(r.location)
	if err != nil {
		return ""
	}
	return u.Query().Get("saved")
}

// stranger is a valid citizen ID that nobody in the demonstration has.
func stranger(n int) string {
	for digit := range 10 {
		if id := fmt.Sprintf("29900%07d%d", n, digit); thai.ValidCheckDigit(id) {
			return id
		}
	}
	panic("some last digit is right")
}

// mould is a folder with the demonstration in a SQLite database and its keys, made once: filling one takes seconds.
var mould struct {
	sync.Once
	folder string
	err    error
}

func dropMould() error {
	if mould.folder == "" {
		return nil
	}
	return os.RemoveAll(mould.folder)
}

// demonstration makes a folder with the demonstration and answers the arguments that name its database and keys.
func demonstration(t *testing.T) (folder string, args []string) {
	t.Helper()
	mould.Do(func() {
		if mould.folder, mould.err = os.MkdirTemp("", "sitthi-test-*"); mould.err != nil {
			return
		}
		p := serving(t, append([]string{"--demo"}, at(mould.folder)...)...)
		until(t, "the log is sealed", 20*time.Second, func() bool { return p.figure(t, "sitthi_audit_unsealed") == 0 })
		if status := p.stop(t); status != 0 {
			mould.err = fmt.Errorf("exit status %d: %s", status, p.said)
		}
	})
	if mould.err != nil {
		t.Fatal(mould.err)
	}
	folder = t.TempDir()
	for _, name := range []string{"sitthi.db", "keys.json"} {
		raw, err := os.ReadFile(filepath.Join(mould.folder, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder, at(folder)
}

// at names the database and the keys in a folder.
func at(folder string) []string {
	return []string{"--database", "sqlite:" + filepath.Join(folder, "sitthi.db"), "--keys", filepath.Join(folder, "keys.json")}
}

// look reads the database of the program from outside.
func look(t *testing.T, address string, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: address, Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Read(t.Context(), func(tx *store.Tx) error { return f(t.Context(), tx) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// column reads the first column of a query's answer.
func column(t *testing.T, address, query string, args ...any) (list []string) {
	t.Helper()
	look(t, address, func(ctx context.Context, tx *store.Tx) (err error) {
		list, err = store.Rows(func(row store.Row) (s string, err error) { return s, row.Scan(&s) })(tx.Query(ctx, query, args...))
		return err
	})
	return list
}

// whole fails unless `audit verify` finds nothing wrong, and answers what it said.
func whole(t *testing.T, args ...string) string {
	t.Helper()
	said, status := command(t, append([]string{"audit", "verify"}, args...)...)
	if status != 0 || !strings.Contains(said, "the audit log is whole") {
		t.Fatalf("audit verify: exit status %d\n%s", status, said)
	}
	return said
}

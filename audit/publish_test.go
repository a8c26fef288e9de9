package audit_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sitthi/audit"
	"sitthi/internal/seal"
	"sitthi/internal/storetest"
)

// taker is a server that takes checkpoints, in one of several moods.
type taker struct {
	*httptest.Server

	mu     sync.Mutex
	answer func(w http.ResponseWriter, r *http.Request) // nil: take it
	taken  []string
	asked  []*http.Request
}

func newTaker(t *testing.T, tls bool) *taker {
	t.Helper()
	k := &taker{}
	serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		k.mu.Lock()
		answer := k.answer
		k.asked = append(k.asked, r)
		if answer == nil && err == nil {
			k.taken = append(k.taken, string(body))
		}
		k.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	})
	if tls {
		k.Server = httptest.NewTLSServer(serve)
	} else {
		k.Server = httptest.NewServer(serve)
	}
	t.Cleanup(k.Close)
	return k
}

func (k *taker) be(answer func(w http.ResponseWriter, r *http.Request)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answer = answer
}

func (k *taker) got() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.taken)
}

func newPublisher(t *testing.T, env *storetest.Env, ring *seal.Ring, to audit.Destination) *audit.Publisher {
	t.Helper()
	p, err := audit.NewPublisher(env.DB, ring, to, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func address(t *testing.T, o audit.AddressOptions) *audit.Address {
	t.Helper()
	if o.Method == "" {
		o.Method = http.MethodPut
	}
	a, err := audit.NewAddress(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// publishes checks that a turn publishes, or has nothing to.
func publishes(t *testing.T, p *audit.Publisher, want bool) {
	t.Helper()
	if done, err := p.Publish(t.Context()); err != nil || done != want {
		t.Fatalf("published: %t, %v, want %t", done, err, want)
	}
}

func newest(t *testing.T, env *storetest.Env) string {
	t.Helper()
	signed, err := audit.Latest(t.Context(), env.DB)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestPublish(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring, server := keys(t), newTaker(t, false)
		s := newSealer(t, env, ring)
		p := newPublisher(t, env, ring, address(t, audit.AddressOptions{URL: server.URL, Header: map[string]string{"Authorization": "Bearer x"}}))
		publishes(t, p, false)
		if state, err := p.State(t.Context()); err != nil || state != (audit.Published{}) {
			t.Errorf("before anything is sealed: %+v, %v", state, err)
		}
		record(t, env, 2)
		sealAll(t, s, 2)
		env.Clock.Advance(20 * time.Second)
		if state, err := p.State(t.Context()); err != nil || state.Late != 20*time.Second || !state.At.IsZero() {
			t.Errorf("before it is published: %+v, %v", state, err)
		}
		publishes(t, p, true)
		publishes(t, p, false)
		if got := server.got(); len(got) != 1 || got[0] != newest(t, env) {
			t.Errorf("the server got %q", got)
		}
		if r := server.asked[0]; r.Method != http.MethodPut || r.Header.Get("Authorization") != "Bearer x" || r.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("asked by %s %v", r.Method, r.Header)
		}
		if state, err := p.State(t.Context()); err != nil || state != (audit.Published{Size: 2, At: env.Clock.Now()}) {
			t.Errorf("after it: %+v, %v", state, err)
		}
		// What was missed in between is covered by the newest.
		record(t, env, 1)
		sealAll(t, s, 1)
		record(t, env, 1)
		sealAll(t, s, 1)
		publishes(t, p, true)
		if got := server.got(); len(got) != 2 || got[1] != newest(t, env) {
			t.Errorf("the server got %q", got)
		}
		verify(t, env, ring, nil, server.got()...)
	})
}

// TestPublishingServerFails has a real server refuse, redirect, break off, hang and be away; each time nothing counts as
// published until it is back.
func TestPublishingServerFails(t *testing.T) {
	env := storetest.SQLite(t)
	ring, server := keys(t), newTaker(t, false)
	s := newSealer(t, env, ring)
	p := newPublisher(t, env, ring, address(t, audit.AddressOptions{URL: server.URL, Method: http.MethodPost}))
	other := newTaker(t, false)
	hung := make(chan struct{})
	t.Cleanup(func() { close(hung) })
	for name, mood := range map[string]func(w http.ResponseWriter, r *http.Request){
		"refuses": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"fails":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"is moved": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		},
		"breaks off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"hangs": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hung:
			case <-r.Context().Done():
			}
		},
	} {
		server.be(mood)
		record(t, env, 1)
		sealAll(t, s, 1)
		env.Clock.Advance(time.Second)
		before := len(server.got())
		start := time.Now()
		done, err := p.Publish(t.Context())
		if took := time.Since(start); done || err == nil || took > 8*time.Second {
			t.Errorf("it %s: published %t after %s, %v", name, done, took, err)
		}
		if state, err := p.State(t.Context()); err != nil || state.Late == 0 {
			t.Errorf("it %s: %+v, %v", name, state, err)
		}
		server.be(nil)
		publishes(t, p, true)
		if got := server.got(); len(got) != before+1 || got[before] != newest(t, env) {
			t.Errorf("it is back after it %s: %d checkpoints", name, len(got))
		}
	}
	if len(other.got()) > 0 {
		t.Error("a redirect was followed")
	}
	server.Close()
	record(t, env, 1)
	sealAll(t, s, 1)
	if done, err := p.Publish(t.Context()); done || err == nil {
		t.Errorf("nobody is there: %t, %v", done, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Run(ctx); err != nil {
		t.Errorf("to stop is no failure: %v", err)
	}
}

// TestRunPublishes runs it as the program does, on the real clock: at once, and as soon as a server is back.
func TestRunPublishes(t *testing.T) {
	env := storetest.SQLite(t)
	ring, server := keys(t), newTaker(t, true)
	record(t, env, 1)
	sealAll(t, newSealer(t, env, ring), 1)
	p := newPublisher(t, env, ring, address(t, audit.AddressOptions{URL: server.URL, Roots: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	for end := time.Now().Add(10 * time.Second); len(server.got()) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing is published")
		}
	}
	stop()
	if err := <-ended; err != nil || p.Failures() != 0 {
		t.Errorf("%v, %d failures", err, p.Failures())
	}
}

func TestCertificateIsChecked(t *testing.T) {
	server := newTaker(t, true)
	if err := address(t, audit.AddressOptions{URL: server.URL}).Put(t.Context(), "x", time.Time{}); err == nil || len(server.got()) > 0 {
		t.Errorf("a server without a certificate that anyone vouches for gets checkpoints: %v", err)
	}
}

func TestAddresses(t *testing.T) {
	for url, fine := range map[string]bool{
		"https://keep.example.go.th/sitthi": true, "http://localhost:8081/x": true, "http://127.0.0.1/x": true, "http://[::1]:80/x": true,
		"http://keep.example.go.th/x": false, "http://10.0.0.7/x": false, "http://localhost.example/x": false, "ftp://keep.example/x": false,
		"https://": false, "https:///x": false, "https://u:p@keep.example/x": false, "https://keep.example/x?token=y": false,
		"https://keep.example/#x": false, "https://keep.example:port/": false,
	} {
		if _, err := audit.NewAddress(audit.AddressOptions{URL: url, Method: http.MethodPut}); (err == nil) != fine {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := audit.NewAddress(audit.AddressOptions{URL: "https://keep.example", Method: http.MethodGet}); err == nil {
		t.Error("GET keeps nothing")
	}
}

// TestOneOfSeveralPublishes has two processes on one database: one publishes, until it can not or is gone.
func TestOneOfSeveralPublishes(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring, server, broken := keys(t), newTaker(t, false), newTaker(t, false)
		s := newSealer(t, env, ring)
		seal := func() {
			record(t, env, 1)
			sealAll(t, s, 1)
		}
		a := newPublisher(t, env, ring, address(t, audit.AddressOptions{URL: server.URL}))
		b := newPublisher(t, env, ring, address(t, audit.AddressOptions{URL: server.URL}))
		seal()
		publishes(t, a, true)
		publishes(t, b, false)
		seal()
		publishes(t, b, false)
		publishes(t, a, true)
		seal()
		env.Clock.Advance(2 * time.Minute) // a is gone
		publishes(t, b, true)
		if got := server.got(); len(got) != 3 || got[2] != newest(t, env) {
			t.Errorf("the server got %d", len(got))
		}
		// Who can not publish leaves it to the others at once.
		c := newPublisher(t, env, ring, address(t, audit.AddressOptions{URL: broken.URL}))
		d := newPublisher(t, env, ring, audit.File(filepath.Join(t.TempDir(), "checkpoint")))
		broken.Close()
		env.Clock.Advance(2 * time.Minute)
		if done, err := c.Publish(t.Context()); done || err == nil {
			t.Errorf("%t, %v", done, err)
		}
		publishes(t, d, true)
	})
}

func TestPublishToFile(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring := keys(t)
		s := newSealer(t, env, ring)
		path := filepath.Join(t.TempDir(), "checkpoint")
		p := newPublisher(t, env, ring, audit.File(path))
		read := func(name string) string {
			t.Helper()
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		record(t, env, 1)
		sealAll(t, s, 1)
		publishes(t, p, true)
		first := read(path)
		if first != newest(t, env) || read(path+".2026-11-23") != first {
			t.Errorf("kept %q", first)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		env.Clock.Advance(14 * time.Hour) // midnight in Thailand
		record(t, env, 1)
		sealAll(t, newSealer(t, env, ring), 1)
		publishes(t, p, true)
		if read(path) != newest(t, env) || read(path+".2026-11-23") != first || read(path+".2026-11-24") != read(path) {
			t.Error("the next day's is not kept beside the day before's")
		}
		names, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
		hidden, hiddenErr := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
		if err := errors.Join(err, hiddenErr); err != nil || len(names) != 3 || len(hidden) != 0 {
			t.Errorf("files %v %v, %v", names, hidden, err)
		}
		verify(t, env, ring, nil, first, read(path))

		gone := newPublisher(t, env, ring, audit.File(filepath.Join(path, "not-a-folder")))
		env.Clock.Advance(2 * time.Minute)
		if done, err := gone.Publish(t.Context()); done || err == nil {
			t.Errorf("%t, %v", done, err)
		}
	})
}

// TestEvidenceIsKept has someone cut off or rewrite the log, with all that speaks of it in the database: the publisher
// says so and does not write over what was published.
func TestEvidenceIsKept(t *testing.T) {
	cut := func(r raw) {
		r.do("DELETE FROM audit_leaves WHERE place >= 8")
		r.do("DELETE FROM audit_checkpoints WHERE size > 8")
		r.rehash()
	}
	for name, alter := range map[string]func(t *testing.T, env *storetest.Env, ring *seal.Ring, r raw, path string){
		"end cut off": func(_ *testing.T, _ *storetest.Env, _ *seal.Ring, r raw, _ string) { cut(r) },
		"cut off, and the note of it gone": func(_ *testing.T, _ *storetest.Env, _ *seal.Ring, r raw, _ string) {
			cut(r)
			r.do("DELETE FROM audit_published")
		},
		"other entries in their place": func(t *testing.T, env *storetest.Env, ring *seal.Ring, r raw, _ string) {
			cut(r)
			r.do("DELETE FROM audit_waiting")
			r.do("DELETE FROM audit_published")
			record(t, env, 7)
			sealAll(t, newSealerAfter(t, env, ring), 7)
		},
		"the file is something else": func(t *testing.T, _ *storetest.Env, _ *seal.Ring, _ raw, path string) {
			if err := os.WriteFile(path, []byte("evidence"), 0o600); err != nil {
				t.Error(err)
			}
		},
		"the file is of another log": func(t *testing.T, _ *storetest.Env, _ *seal.Ring, r raw, path string) {
			if err := os.WriteFile(path, []byte(forge(r, 4)), 0o600); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
				ring, _ := twelve(t, env)
				path := filepath.Join(t.TempDir(), "checkpoint")
				publishes(t, newPublisher(t, env, ring, audit.File(path)), true)
				alter(t, env, ring, open(t, env), path)
				before, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				env.Clock.Advance(2 * time.Minute)
				p := newPublisher(t, env, ring, audit.File(path))
				if done, err := p.Publish(t.Context()); done || !errors.Is(err, audit.ErrTampered) {
					t.Errorf("published %t, %v", done, err)
				}
				if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
					t.Errorf("what was published is now %q, %v", after, err)
				}
			})
		})
	}
}

// TestPublisherTells reads what the operator reads in the log.
func TestPublisherTells(t *testing.T) {
	env := storetest.SQLite(t)
	ring, _ := twelve(t, env)
	server := newTaker(t, false)
	server.be(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	var said strings.Builder
	p, err := audit.NewPublisher(env.DB, ring, address(t, audit.AddressOptions{URL: server.URL}), slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := p.Run(ctx); err != nil || p.Failures() != 1 {
		t.Errorf("%v, %d failures", err, p.Failures())
	}
	if !strings.Contains(said.String(), "can not be published") || !strings.Contains(said.String(), "answered 418") {
		t.Errorf("it said %s", said.String())
	}
}

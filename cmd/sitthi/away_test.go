package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"sitthi/internal/clock"
	"sitthi/internal/store"
)

// noticeable is how long nothing may hang when something outside is away (trust.md 26).
const noticeable = 3 * time.Second

// stopTime is how long a stop may take while a mail server hangs.
const stopTime = 6 * time.Second

// TestMailServerAway gives a right while the mail server is down, or takes connections and says nothing: the act
// succeeds at once, the metrics show what waits, and the message is delivered when the server is back.
func TestMailServerAway(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"down", "hangs"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			folder, args := demonstration(t)
			makeReal(t, "sqlite:"+filepath.Join(folder, "sitthi.db"))
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			place := listener.Addr().String()
			_, port, err := net.SplitHostPort(place)
			if err == nil && way == "down" {
				err = listener.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			p := serving(t, append([]string{"--stop-timeout", stopTime.String(), "--smtp-host", "127.0.0.1", "--smtp-port", port, "--smtp-tls", "none", "--smtp-from", "sitthi@diw.example.go.th"}, args...)...)
			chief := signedIn(t, p.address, "3990000000104", demoPassword)
			who := column(t, "sqlite:"+filepath.Join(folder, "sitthi.db"), `SELECT person_id FROM accounts WHERE email LIKE 'kamonwan.t@%'`)[0]
			waited := p.figure(t, "sitthi_messages_waiting")
			r, err := chief.post("/ko1/rights/consider", "unit", "TH-12", "person", who, "confirmed", "1", "form", store.NewID())
			if err != nil || r.status != http.StatusSeeOther || r.took > noticeable {
				t.Fatalf("give: %d after %s %v\n%s", r.status, r.took, err, r.body)
			}
			if way == "hangs" {
				c, err := listener.Accept()
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close() // the program gave it up long before
			}
			if n := p.figure(t, "sitthi_messages_waiting"); n != waited+1 {
				t.Errorf("%v messages wait, before it were %v", n, waited)
			}
			for _, path := range []string{"/", "/my/rights", "/ko1/rights", "/readyz"} {
				if r, err := chief.get(path); err != nil || r.status != http.StatusOK || r.took > noticeable {
					t.Errorf("%s: %d after %s %v", path, r.status, r.took, err)
				}
			}
			until(t, "the age of the message shows", 20*time.Second, func() bool { return p.figure(t, "sitthi_messages_oldest_seconds") > 0 })
			if way == "hangs" {
				// A stop waits for the attempt, but not for ever, and the message goes out after the next start.
				start := time.Now()
				if status := p.stop(t); status != 0 {
					t.Errorf("exit status %d\n%s", status, p.said)
				}
				if took := time.Since(start); took > stopTime {
					t.Errorf("it took %s to stop, and may take %s", took, stopTime)
				}
				if err := listener.Close(); err != nil {
					t.Fatal(err)
				}
				p = serving(t, append([]string{"--smtp-host", "127.0.0.1", "--smtp-port", port, "--smtp-tls", "none", "--smtp-from", "sitthi@diw.example.go.th"}, args...)...)
			} else {
				until(t, "the failure is logged", 20*time.Second, func() bool { return strings.Contains(p.said.String(), "will be tried again") })
			}
			post := receive(t, place)
			until(t, "the message arrives", 40*time.Second, func() bool { return post.count("kamonwan.t@") == 1 })
			until(t, "nothing waits", 20*time.Second, func() bool { return p.figure(t, "sitthi_messages_waiting") == 0 })
			if n := post.count("kamonwan.t@"); n != 1 {
				t.Errorf("%d messages to one who was told of one thing", n)
			}
			if text := p.said.String(); strings.Contains(text, "kamonwan") {
				t.Errorf("the log names the recipient:\n%s", text)
			}
		})
	}
}

// makeReal lets the program take a copy of the demonstration for a real installation, which sends mail.
func makeReal(t *testing.T, address string) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: address, Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE installation SET value = $1 WHERE name = $2`, purposeReal, purposeMark)
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// mailbox is a mail server that takes everything.
type mailbox struct {
	mu   sync.Mutex
	mail []string // recipient, line break, message
}

func (m *mailbox) count(to string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range m.mail {
		if strings.HasPrefix(one, to) {
			n++
		}
	}
	return n
}

// receive starts a mail server at a place.
func receive(t *testing.T, place string) *mailbox {
	t.Helper()
	m := &mailbox{}
	listener, err := net.Listen("tcp", place)
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &postman{box: m}, nil }))
	server.Domain = "mail.example.go.th"
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), <-ended); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return m
}

// postman is one connection to a mailbox.
type postman struct {
	box *mailbox
	to  string
}

// Reset implements smtp.Session.
func (d *postman) Reset() {}

// Logout implements smtp.Session.
func (d *postman) Logout() error { return nil }

// Mail implements smtp.Session.
func (d *postman) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt implements smtp.Session.
func (d *postman) Rcpt(to string, _ *smtp.RcptOptions) error { d.to = to; return nil }

// Data implements smtp.Session.
func (d *postman) Data(r io.Reader) error {
	var text bytes.Buffer
	if _, err := text.ReadFrom(r); err != nil {
		return err
	}
	d.box.mu.Lock()
	defer d.box.mu.Unlock()
	d.box.mail = append(d.box.mail, d.to+"\n"+text.String())
	return nil
}

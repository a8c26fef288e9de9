package notify

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"sitthi/internal/storetest"
)

// mailServer is a real mail server on this machine.
type mailServer struct {
	port  int
	roots *x509.CertPool

	refuse error // its answer to every recipient

	mu   sync.Mutex
	user string
	mail [][]byte
}

// session is one connection to it.
type session struct {
	server *mailServer
	secure bool
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if !s.secure || user != "sitthi" || password != "secret" {
			return smtp.ErrAuthFailed
		}
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		s.server.user = user
		return nil
	}), nil
}

func (s *session) Reset()                                   {}
func (s *session) Logout() error                            { return nil }
func (s *session) Mail(string, *smtp.MailOptions) error     { return nil }
func (s *session) Rcpt(_ string, _ *smtp.RcptOptions) error { return s.server.refuse }

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mail = append(s.server.mail, raw)
	return nil
}

// serveMail starts a mail server in one of the modes.
func serveMail(t *testing.T, mode TLSMode) *mailServer {
	t.Helper()
	m := &mailServer{}
	cert, roots := certificate(t)
	m.roots = roots
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, secure := c.TLSConnectionState()
		return &session{m, secure}, nil
	}))
	server.Domain = "mail.example.go.th"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.port = listener.Addr().(*net.TCPAddr).Port
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	switch mode {
	case StartTLS:
		server.TLSConfig = config
	case TLS:
		listener = tls.NewListener(listener, config)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return m
}

// certificate makes one for 127.0.0.1, and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, pool
}

// options are those that fit the server.
func (m *mailServer) options(mode TLSMode) SMTPOptions {
	o := SMTPOptions{Host: "127.0.0.1", Port: m.port, Mode: mode, From: "sitthi@example.go.th", Roots: m.roots}
	if mode != NoTLS {
		o.Username, o.Password = "sitthi", "secret"
	}
	return o
}

var letter = Parcel{
	ID: "0193a7f0-0000-7000-8000-000000000001", To: "somchai@example.go.th", At: storetest.Start,
	Subject: "ท่านได้รับสิทธิ์พิจารณาคำขอ กอ.1 ใน สำนักงานอุตสาหกรรมจังหวัดนนทบุรี และอีกหลายจังหวัดที่ชื่อยาว",
	Text:    "เรียน สมชาย\n\nท่านมีสิทธิ์พิจารณา ตั้งแต่ 1 ตุลาคม 2569\n.\nจุดเดียวในบรรทัด\n" + strings.Repeat("ยาว ", 500) + "\n",
}

func send(t *testing.T, o SMTPOptions, p Parcel) error {
	t.Helper()
	sender, err := NewSMTP(o)
	if err != nil {
		t.Fatal(err)
	}
	return sender.Send(t.Context(), p)
}

func TestMailArrives(t *testing.T) {
	for _, mode := range []TLSMode{StartTLS, TLS, NoTLS} {
		t.Run(string(mode), func(t *testing.T) {
			m := serveMail(t, mode)
			if err := send(t, m.options(mode), letter); err != nil {
				t.Fatal(err)
			}
			if len(m.mail) != 1 || (m.user == "sitthi") != (mode != NoTLS) {
				t.Fatalf("%d mails, signed in as %q", len(m.mail), m.user)
			}
			got, err := mail.ReadMessage(bytes.NewReader(m.mail[0]))
			if err != nil {
				t.Fatal(err)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
			if err != nil || subject != letter.Subject {
				t.Errorf("subject %q, %v", subject, err)
			}
			for name, want := range map[string]string{
				"From": "<sitthi@example.go.th>", "To": "<somchai@example.go.th>", "Message-Id": "<" + letter.ID + "@example.go.th>",
				"Date": "Mon, 23 Nov 2026 10:00:00 +0700", "Auto-Submitted": "auto-generated",
				"Content-Type": "text/plain; charset=UTF-8", "Content-Transfer-Encoding": "base64", "Mime-Version": "1.0",
			} {
				if got := got.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			text, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, got.Body))
			if err != nil || strings.ReplaceAll(string(text), "\r\n", "\n") != letter.Text {
				t.Errorf("text %q, %v", text, err)
			}
			for line := range bytes.Lines(m.mail[0]) {
				if len(line) > 200 {
					t.Errorf("a line of %d bytes", len(line))
				}
			}
		})
	}
}

func TestMailFailures(t *testing.T) {
	t.Run("wrong password", func(t *testing.T) {
		m := serveMail(t, StartTLS)
		o := m.options(StartTLS)
		o.Password = "guess"
		if err := send(t, o, letter); err == nil || errors.Is(err, ErrRefused) || len(m.mail) != 0 || strings.Contains(err.Error(), "guess") {
			t.Errorf("got %v, %d mails", err, len(m.mail))
		}
	})
	t.Run("unknown authority", func(t *testing.T) {
		for _, mode := range []TLSMode{StartTLS, TLS} {
			m := serveMail(t, mode)
			o := m.options(mode)
			o.Roots = nil
			var unknown *tls.CertificateVerificationError
			if err := send(t, o, letter); !errors.As(err, &unknown) || len(m.mail) != 0 || m.user != "" {
				t.Errorf("%s: got %v, %d mails", mode, err, len(m.mail))
			}
		}
	})
	t.Run("server without STARTTLS", func(t *testing.T) {
		m := serveMail(t, NoTLS)
		if err := send(t, m.options(StartTLS), letter); err == nil || len(m.mail) != 0 || m.user != "" {
			t.Errorf("got %v, %d mails", err, len(m.mail))
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		o := SMTPOptions{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, Mode: NoTLS, From: "sitthi@example.go.th"}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		if err := send(t, o, letter); err == nil || errors.Is(err, ErrRefused) {
			t.Errorf("got %v", err)
		}
	})
}

func TestRefusedRecipient(t *testing.T) {
	for _, tt := range []struct {
		code    int
		detail  smtp.EnhancedCode
		forGood bool
	}{
		{550, smtp.EnhancedCode{5, 1, 1}, true},
		{553, smtp.EnhancedCode{5, 1, 3}, true},
		{550, smtp.EnhancedCode{5, 7, 1}, false}, // relaying denied: ours to mend
		{552, smtp.EnhancedCode{5, 2, 2}, false}, // mailbox full
		{450, smtp.EnhancedCode{4, 2, 0}, false}, // greylisted
	} {
		t.Run(fmt.Sprint(tt.code, tt.detail), func(t *testing.T) {
			m := serveMail(t, StartTLS)
			m.refuse = &smtp.SMTPError{Code: tt.code, EnhancedCode: tt.detail, Message: "<somchai@example.go.th> somchai is not wanted"}
			err := send(t, m.options(StartTLS), letter)
			if err == nil || errors.Is(err, ErrRefused) != tt.forGood || strings.Contains(err.Error(), "somchai") || !strings.Contains(err.Error(), fmt.Sprint(tt.code)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestMailThatWasTakenIsSent(t *testing.T) {
	// A server that takes the mail and breaks off without a farewell.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	served := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			served <- err
			return
		}
		lines := bufio.NewScanner(conn)
		answer := func(s string) { fmt.Fprintf(conn, "%s\r\n", s) }
		answer("220 mail.example.go.th ready")
		inData := false
		for lines.Scan() {
			switch word, _, _ := strings.Cut(lines.Text(), " "); {
			case inData && lines.Text() == ".":
				answer("250 taken")
				served <- conn.Close()
				return
			case inData:
			case word == "DATA":
				inData = true
				answer("354 go on")
			default:
				answer("250 fine")
			}
		}
		served <- errors.New("it never came to the end")
	}()
	o := SMTPOptions{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, Mode: NoTLS, From: "sitthi@example.go.th"}
	if err := send(t, o, letter); err != nil {
		t.Errorf("it would go out again: %v", err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestUnusableRecipient(t *testing.T) {
	sender, err := NewSMTP(SMTPOptions{Host: "127.0.0.1", Mode: NoTLS, From: "sitthi@example.go.th"})
	if err != nil {
		t.Fatal(err)
	}
	p := letter
	p.To = "somchai"
	if err := sender.Send(context.Background(), p); !errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "somchai") {
		t.Errorf("got %v", err)
	}
}

func TestNewSMTPRefuses(t *testing.T) {
	good := SMTPOptions{Host: "mail.example.go.th", Mode: StartTLS, From: "sitthi@example.go.th"}
	for name, change := range map[string]func(*SMTPOptions){
		"no sender":        func(o *SMTPOptions) { o.From = "" },
		"sender with name": func(o *SMTPOptions) { o.From = "Sitthi <sitthi@example.go.th>" },
		"no host":          func(o *SMTPOptions) { o.Host = "" },
		"no mode":          func(o *SMTPOptions) { o.Mode = "" },
		"no such port":     func(o *SMTPOptions) { o.Port = 70000 },
		"in the clear":     func(o *SMTPOptions) { o.Mode = NoTLS },
	} {
		o := good
		change(&o)
		if _, err := NewSMTP(o); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
		o := good
		o.Host, o.Mode = host, NoTLS
		if _, err := NewSMTP(o); err != nil {
			t.Errorf("%s in the clear: %v", host, err)
		}
	}
}

package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"sitthi/internal/thai"
)

// TLSMode is how the connection to the mail server is protected.
type TLSMode string

// The modes.
const (
	StartTLS TLSMode = "starttls" // the server must offer STARTTLS (usually port 587)
	TLS      TLSMode = "tls"      // TLS from the first byte (usually port 465)
	NoTLS    TLSMode = "none"     // only for a relay on this machine
)

// SMTPOptions say where mail is handed in.
type SMTPOptions struct {
	Host string
	Port int // 0: the usual port of the mode
	Mode TLSMode
	// Username and Password sign in to the server; without a Username nobody signs in.
	Username string
	Password string
	// From is the bare address mail comes from.
	From string
	// Roots are the authorities the server's certificate is checked against; nil means those of the machine.
	Roots *x509.CertPool
}

// SMTP hands mail to a mail server. The Message-ID is made of the parcel's ID, so that the same parcel sent twice is
// one message to mail programs.
type SMTP struct {
	client func() (*mail.Client, error)
	from   string
	domain string
}

// smtpStep is how long the mail server may take for each of: connection, greeting, TLS with sign-in, and the message.
// Together they stay within the lease.
const smtpStep = 10 * time.Second

// NewSMTP checks the options and makes the sender; it does not connect yet.
func NewSMTP(o SMTPOptions) (*SMTP, error) {
	from, err := thai.ParseEmail(o.From)
	if err != nil {
		return nil, fmt.Errorf("mail sender address: %w", err)
	}
	_, domain, _ := strings.Cut(string(from), "@")
	options := []mail.Option{
		mail.WithTimeout(smtpStep),
		mail.WithTLSConfig(&tls.Config{ServerName: o.Host, RootCAs: o.Roots, MinVersion: tls.VersionTLS12}),
		mail.WithoutNoop(),
	}
	port := o.Port
	switch o.Mode {
	case StartTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
		port = or(port, 587)
	case TLS:
		options = append(options, mail.WithSSL())
		port = or(port, 465)
	case NoTLS:
		if !isLocal(o.Host) {
			return nil, fmt.Errorf("mail server %s: without TLS only a server on this machine may be used", o.Host)
		}
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
		port = or(port, 25)
	default:
		return nil, fmt.Errorf("mail server: TLS mode is starttls, tls or none, not %q", o.Mode)
	}
	if o.Username != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(o.Username), mail.WithPassword(o.Password))
	}
	s := &SMTP{from: string(from), domain: domain}
	options = append(options, mail.WithPort(port))
	// A client holds one connection, so every parcel gets its own.
	s.client = func() (*mail.Client, error) { return mail.NewClient(o.Host, options...) }
	if _, err := s.client(); err != nil {
		return nil, fmt.Errorf("mail server: %w", err)
	}
	return s, nil
}

func or(port, usual int) int {
	if port == 0 {
		return usual
	}
	return port
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send implements Sender.
func (s *SMTP) Send(ctx context.Context, p Parcel) error {
	m := mail.NewMsg(mail.WithEncoding(mail.EncodingB64))
	if err := m.From(s.from); err != nil {
		return errors.New("mail: sender address is not usable")
	}
	if err := m.AddTo(p.To); err != nil {
		return fmt.Errorf("mail: recipient address is not usable: %w", ErrRefused)
	}
	m.Subject(p.Subject)
	m.SetMessageIDWithValue(p.ID + "@" + s.domain)
	m.SetDateWithValue(p.At.In(thai.Bangkok))
	m.SetGenHeader(mail.Header("Auto-Submitted"), "auto-generated") // RFC 3834: no holiday replies
	m.SetBodyString(mail.TypeTextPlain, p.Text)
	client, err := s.client()
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	// A server that takes the message and then breaks off has taken it.
	if err := client.DialAndSendWithContext(ctx, m); err != nil && !m.IsDelivered() {
		return smtpError(err)
	}
	return nil
}

// smtpError keeps of a failure its step and codes. The words of the server are left out: they repeat the address.
func smtpError(err error) error {
	var e *mail.SendError
	if !errors.As(err, &e) {
		return fmt.Errorf("mail: %w", err)
	}
	step := map[mail.SendErrReason]string{
		mail.ErrSMTPMailFrom: "sender", mail.ErrSMTPRcptTo: "recipient", mail.ErrSMTPData: "data", mail.ErrSMTPDataClose: "text",
	}[e.Reason]
	if step == "" {
		step = "connection"
	}
	told := errors.New("mail: server answered " + strconv.Itoa(e.ErrorCode()) + " " + e.EnhancedStatusCode() + " to the " + step)
	// 550, 551, 553 (RFC 5321, 4.2.3): there is no such mailbox. Other fives are about the relay and may be mended.
	if e.Reason == mail.ErrSMTPRcptTo && (e.ErrorCode() == 550 || e.ErrorCode() == 551 || e.ErrorCode() == 553) &&
		!strings.HasPrefix(e.EnhancedStatusCode(), "5.7.") { // 5.7.x: policy, relaying denied
		return fmt.Errorf("%w: %w", told, ErrRefused)
	}
	return told
}

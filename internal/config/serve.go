package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Log says what is logged and how.
type Log struct {
	Level  slog.Level `name:"log-level" default:"info" placeholder:"LEVEL" group:"Log" help:"Least level that is logged: debug, info, warn or error (default info)."`
	Format string     `name:"log-format" default:"text" enum:"text,json" placeholder:"FORMAT" group:"Log" help:"text or json, to standard error (default text)."`
}

// Lock is when accounts lock that nobody signs in to.
type Lock struct {
	OfficerDays int `name:"officer-lock-days" default:"60" placeholder:"DAYS" group:"People" help:"An officer's account locks after so many times 24 hours without signing in (default 60). All servers, and the commands may and admin reopen, have to be told the same."`
}

// Validate checks what the flags alone can not.
func (l *Lock) Validate() error {
	if l.OfficerDays < 1 {
		return Wrong("officer-lock-days", "at least 1")
	}
	return nil
}

// Officers is how long after his last sign-in an officer's account locks.
func (l *Lock) Officers() time.Duration { return time.Duration(l.OfficerDays) * 24 * time.Hour }

// Serve is all that can be set about serving.
type Serve struct {
	Database `embed:""`
	Log      `embed:""`
	ThaID    `embed:""`
	Lock     `embed:""`

	Demo bool `group:"Pages" help:"Fill an empty database with made-up people and rights; every message is read at /demo/outbox and none is sent."`

	Listen    string   `default:"localhost:8080" placeholder:"ADDR" group:"Pages" help:"Address to serve on; port 0 takes a free one (default localhost:8080)."`
	PublicURL *url.URL `name:"public-url" placeholder:"URL" group:"Pages" help:"Address that people type, for links in messages (default: the address served on)."`
	TLSCert   string   `name:"tls-cert" placeholder:"FILE" group:"Pages" help:"Certificate chain (PEM); read again when it changes."`
	TLSKey    string   `name:"tls-key" placeholder:"FILE" group:"Pages" help:"Private key of the certificate (PEM); also the systemd credential tls-key."`
	Proxies   []Proxy  `name:"proxies" placeholder:"CIDR" group:"Pages" help:"Proxies in front, whose X-Forwarded-For, -Proto and -Host are believed."`
	Metrics   string   `name:"metrics" default:"localhost:9464" placeholder:"ADDR" group:"Pages" help:"Address for Prometheus (/metrics); 'off' for none (default localhost:9464)."`

	FormLimit      int64         `default:"65536" placeholder:"BYTES" group:"Limits" help:"Biggest form that is read (default 65536)."`
	RequestTimeout time.Duration `default:"30s" placeholder:"TIME" group:"Limits" help:"How long one request may take (default 30s)."`
	StopTimeout    time.Duration `default:"25s" placeholder:"TIME" group:"Limits" help:"How long requests and messages under way may go on after a signal to stop (default 25s)."`

	ImportLimit    int64         `default:"33554432" placeholder:"BYTES" group:"Limits" help:"Biggest file of the old system that is taken in (default 33554432; 100,000 rows are some 6 MB as XLSX and 15 MB as CSV)."`
	ImportUnzipped int64         `default:"134217728" placeholder:"BYTES" group:"Limits" help:"Most that is unpacked of such a file (default 134217728)."`
	ImportKeep     time.Duration `default:"720h" placeholder:"TIME" group:"Limits" help:"How long the file and its rows are kept, sealed, once the import is over (default 720h)."`

	CitizenIDCheck  string        `name:"citizen-id-check" default:"enforce" enum:"off,warn,enforce" placeholder:"POLICY" group:"People" help:"Check digit of citizen IDs: enforce, warn or off (default enforce)."`
	SessionIdle     time.Duration `default:"30m" placeholder:"TIME" group:"People" help:"A session ends when nothing was heard from it for so long (default 30m)."`
	SessionLimit    time.Duration `default:"12h" placeholder:"TIME" group:"People" help:"A session ends after so long in any case (default 12h)."`
	StepUp          time.Duration `name:"step-up" default:"5m" placeholder:"TIME" group:"People" help:"A password just given serves for so long for acts that ask for it again (default 5m)."`
	RequireFactor   bool          `name:"require-factor" default:"true" negatable:"" group:"People" help:"Heads, approvers, help-desk agents, administrators and who has a password of fewer than 15 characters set up a second factor before anything else opens to them (default on)."`
	SignInPerMinute int           `name:"sign-in-per-minute" default:"60" placeholder:"N" group:"People" help:"Tries to sign in per minute and address (default 60)."`
	CodesPerHour    int           `name:"codes-per-hour" default:"60" placeholder:"N" group:"People" help:"One-time codes within an hour at the request of one address, or one /64 of IPv6 (default 60)."`
	CodesPerDay     int           `name:"codes-per-day" default:"200" placeholder:"N" group:"People" help:"And within 24 hours (default 200)."`
	SMSBudget       int           `name:"sms-budget" default:"2000" placeholder:"N" group:"People" help:"One-time codes by SMS within 24 hours (default 2000)."`

	SessionDays int `name:"session-days" default:"90" placeholder:"DAYS" group:"Retention" help:"Days for which sessions that are over are kept, at least 90 (default 90)."`
	MessageDays int `name:"message-days" default:"90" placeholder:"DAYS" group:"Retention" help:"Days for which it is kept who was sent what, at least 90; texts go as soon as they are sent (default 90)."`
	LogTextDays int `name:"log-text-days" default:"400" placeholder:"DAYS" group:"Retention" help:"Days for which the log of acts keeps what people wrote and addresses, at least 90, or 0 for ever; the entries themselves stay (default 400)."`

	DecisionDays int `name:"decision-days" default:"400" placeholder:"DAYS" group:"Retention" help:"Days for which the answers given to programs are kept, at least 90 (default 400)."`

	CheckpointTo         string `name:"checkpoint-to" placeholder:"PLACE" group:"Log of acts" help:"File, or https:// address, where the newest checkpoint of the log is kept at least every minute; choose one that this program's operators can not alter."`
	CheckpointMethod     string `name:"checkpoint-method" default:"PUT" enum:"PUT,POST" placeholder:"METHOD" group:"Log of acts" help:"PUT or POST, to an address (default PUT)."`
	CheckpointHeaderFile string `name:"checkpoint-header-file" placeholder:"FILE" group:"Log of acts" help:"File with one header line for it, such as 'Authorization: Bearer …'; also the systemd credential checkpoint-header."`

	SMTPHost         string `name:"smtp-host" placeholder:"HOST" group:"Messages" help:"Mail server. Without one mail is kept, and given up after two days."`
	SMTPPort         int    `name:"smtp-port" placeholder:"PORT" group:"Messages" help:"Its port (default 587 with starttls, 465 with tls, 25 with none)."`
	SMTPTLS          string `name:"smtp-tls" default:"starttls" enum:"starttls,tls,none" placeholder:"MODE" group:"Messages" help:"starttls, tls, or none for a relay on this machine (default starttls)."`
	SMTPUser         string `name:"smtp-user" placeholder:"NAME" group:"Messages" help:"Name to sign in to the mail server with."`
	SMTPPasswordFile string `name:"smtp-password-file" placeholder:"FILE" group:"Messages" help:"File with its password; also the systemd credential smtp-password."`
	SMTPFrom         string `name:"smtp-from" placeholder:"ADDRESS" group:"Messages" help:"Address that mail comes from."`
	MailFile         string `name:"mail-file" placeholder:"FILE" group:"Messages" help:"Append mail to this file (JSON lines) instead of sending it."`

	SMS            string `name:"sms" default:"none" enum:"none,http,file" placeholder:"WAY" group:"Messages" help:"How SMS goes out: http, file, or none: then it is kept, and given up after two days (default none)."`
	SMSURL         string `name:"sms-url" placeholder:"URL" group:"Messages" help:"Address of the SMS gateway; {to}, {text} and {id} are filled in."`
	SMSMethod      string `name:"sms-method" default:"POST" enum:"POST,PUT" placeholder:"METHOD" group:"Messages" help:"POST or PUT (default POST)."`
	SMSBody        string `name:"sms-body" placeholder:"TEMPLATE" group:"Messages" help:"What is sent to it; {to}, {text} and {id} are filled in."`
	SMSContentType string `name:"sms-content-type" default:"application/json" placeholder:"TYPE" group:"Messages" help:"Content-Type of the body (default application/json)."`
	SMSHeaderFile  string `name:"sms-header-file" placeholder:"FILE" group:"Messages" help:"File with one header line, such as 'Authorization: Bearer …'; also the systemd credential sms-header."`
	SMSPrivate     bool   `name:"sms-private" group:"Messages" help:"The SMS gateway is on a private network."`
	SMSFile        string `name:"sms-file" placeholder:"FILE" group:"Messages" help:"File to append SMS to (JSON lines), with --sms=file."`

	Line           bool   `name:"line" group:"Messages" help:"Take requests for help from LINE at /line/webhook, and answer there; needs the next two."`
	LineTokenFile  string `name:"line-token-file" placeholder:"FILE" group:"Messages" help:"File with the channel access token of the Messaging API; also the systemd credential line-token."`
	LineSecretFile string `name:"line-secret-file" placeholder:"FILE" group:"Messages" help:"File with the channel secret that webhooks are signed with; also the systemd credential line-secret."`
	LineURL        string `name:"line-url" default:"https://api.line.me" placeholder:"URL" group:"Messages" help:"Address of the Messaging API (default https://api.line.me)."`
	LinePrivate    bool   `name:"line-private" group:"Messages" help:"That address is on a private network."`
}

// Validate says which setting is wrong; kong calls it.
func (s *Serve) Validate() error {
	if err := s.Database.Validate(); err != nil {
		return err
	}
	for _, check := range []func() error{s.Lock.Validate, s.checkAddresses, s.checkLimits, s.checkMail, s.checkSMS, s.ThaID.check} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Serve) checkAddresses() error {
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		return Wrong("listen", "an address is HOST:PORT, not %q", s.Listen)
	}
	if s.Metrics != Off {
		if _, _, err := net.SplitHostPort(s.Metrics); err != nil {
			return Wrong("metrics", "an address is HOST:PORT, or off, not %q", s.Metrics)
		}
	}
	if u := s.PublicURL; u != nil && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil) {
		return Wrong("public-url", "an address is https://HOST, not %q", u.Redacted())
	}
	if s.TLSKey != "" && s.TLSCert == "" {
		return Wrong("tls-key", "goes with --tls-cert")
	}
	return nil
}

func (s *Serve) checkLimits() error {
	if s.FormLimit < 1024 {
		return Wrong("form-limit", "at least 1024 bytes")
	}
	if s.ImportLimit < 1<<20 || s.ImportUnzipped < s.ImportLimit {
		return Wrong("import-limit", "at least 1048576 bytes, and import-unzipped no less")
	}
	for _, limit := range []struct {
		flag  string
		value time.Duration
	}{
		{"request-timeout", s.RequestTimeout}, {"stop-timeout", s.StopTimeout}, {"session-idle", s.SessionIdle},
		{"session-limit", s.SessionLimit}, {"step-up", s.StepUp}, {"import-keep", s.ImportKeep},
	} {
		if limit.value < time.Second {
			return Wrong(limit.flag, "at least a second")
		}
	}
	for _, limit := range []struct {
		flag  string
		value int
	}{{"sign-in-per-minute", s.SignInPerMinute}, {"codes-per-hour", s.CodesPerHour}, {"codes-per-day", s.CodesPerDay}} {
		if limit.value < 1 {
			return Wrong(limit.flag, "at least 1")
		}
	}
	for _, kept := range []struct {
		flag string
		days int
	}{{"decision-days", s.DecisionDays}, {"session-days", s.SessionDays}, {"message-days", s.MessageDays}, {"log-text-days", s.LogTextDays}} {
		if kept.days < 90 && (kept.flag != "log-text-days" || kept.days != 0) { // พ.ร.บ. คอมพิวเตอร์ มาตรา 26
			return Wrong(kept.flag, "at least 90")
		}
	}
	if s.SMSBudget < 0 {
		return Wrong("sms-budget", "at least 0")
	}
	return nil
}

func (s *Serve) checkMail() error {
	switch {
	case s.SMTPHost != "" && s.MailFile != "":
		return Wrong("mail-file", "does not go with --smtp-host")
	case s.SMTPHost == "":
		for flag, value := range map[string]string{"smtp-user": s.SMTPUser, "smtp-password-file": s.SMTPPasswordFile, "smtp-from": s.SMTPFrom} {
			if value != "" {
				return Wrong(flag, "goes with --smtp-host")
			}
		}
	case s.SMTPFrom == "":
		return Wrong("smtp-from", "is needed with --smtp-host")
	case s.SMTPPort < 0 || s.SMTPPort > 65535:
		return Wrong("smtp-port", "a port is a number up to 65535")
	}
	return nil
}

func (s *Serve) checkSMS() error {
	switch {
	case s.SMS == "http" && s.SMSURL == "":
		return Wrong("sms-url", "is needed with --sms=http")
	case s.SMS != "http" && s.SMSURL != "":
		return Wrong("sms-url", "goes with --sms=http")
	case s.SMS == "file" && s.SMSFile == "":
		return Wrong("sms-file", "is needed with --sms=file")
	case s.SMS != "file" && s.SMSFile != "":
		return Wrong("sms-file", "goes with --sms=file")
	}
	return nil
}

// Off is the word that switches the metrics off.
const Off = "off"

// SMSHeader reads the one header line for the SMS gateway from its file.
func (s *Serve) SMSHeader(secrets Secrets) (name, value string, err error) {
	return readHeader(secrets, "sms-header-file", s.SMSHeaderFile)
}

// CheckpointHeader reads the one header line for the server that takes checkpoints from its file.
func (s *Serve) CheckpointHeader(secrets Secrets) (name, value string, err error) {
	return readHeader(secrets, "checkpoint-header-file", s.CheckpointHeaderFile)
}

func readHeader(secrets Secrets, flag, setting string) (name, value string, err error) {
	line, err := secrets.Read(flag, setting)
	if err != nil || line == "" {
		return "", "", err
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok || strings.ContainsAny(line, "\r\n") {
		return "", "", Wrong(flag, "a header line is NAME: VALUE")
	}
	return strings.TrimSpace(name), strings.TrimSpace(value), nil
}

// Proxy is a range of addresses that proxies have.
type Proxy netip.Prefix

// UnmarshalText reads a range such as 10.0.0.0/8, or one address.
func (p *Proxy) UnmarshalText(text []byte) error {
	if a, err := netip.ParseAddr(string(text)); err == nil {
		*p = Proxy(netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
		return nil
	}
	r, err := netip.ParsePrefix(string(text))
	if err != nil {
		return fmt.Errorf("a range of addresses is 10.0.0.0/8 or 10.1.2.3, not %q", text)
	}
	*p = Proxy(r.Masked())
	return nil
}

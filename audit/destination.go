package audit

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"sitthi/internal/thai"
)

// File keeps the newest checkpoint in a file, and the last one of each day beside it under the file's name and the
// day. Anyone on the machine may read them; a reader finds one checkpoint or another, never a part of one.
type File string

// Name implements Destination.
func (f File) Name() string { return string(f) }

// Newest implements Destination.
func (f File) Newest(context.Context) (string, error) {
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}

// Put implements Destination.
func (f File) Put(_ context.Context, signed string, at time.Time) error {
	day := string(f) + "." + thai.DateOf(at).String()
	for _, name := range []string{day, string(f)} {
		if err := replace(name, signed); err != nil {
			return fmt.Errorf("write checkpoint: %w", err)
		}
	}
	return nil
}

// replace writes a file anew, so that it is on the disk before it takes the other's place.
func replace(name, text string) error {
	folder := filepath.Dir(name)
	f, err := os.CreateTemp(folder, ".checkpoint-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close()) // so that a power cut does not take the name back
}

// AddressOptions describe a server that takes checkpoints.
type AddressOptions struct {
	URL    string // https, or http on this machine; without a query, and without a name and password
	Method string // PUT or POST
	// Header carries what the server asks for, such as Authorization.
	Header map[string]string
	// Roots are the authorities the server's certificate is checked against; nil means those of the machine.
	Roots *x509.CertPool
}

// Address hands checkpoints to a server by HTTP. Any 2xx answer means that it keeps them.
type Address struct {
	o      AddressOptions
	client *http.Client
}

const (
	addressTime = 5 * time.Second
	addressRead = 64 << 10 // bytes of the answer that are read
)

// NewAddress checks the options and makes the destination; it does not connect yet.
func NewAddress(o AddressOptions) (*Address, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil, u.Host == "":
		return nil, errors.New("the URL is not usable")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("the URL has no name, password or query in it: what is secret goes into a header")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("the URL begins with https://")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, errors.New("the URL begins with https://; http:// is for this machine alone")
	case o.Method != http.MethodPut && o.Method != http.MethodPost:
		return nil, errors.New("the method is PUT or POST")
	}
	dialer := &net.Dialer{Timeout: 3 * time.Second}
	if u.Scheme == "http" {
		dialer.Control = hereOnly
	}
	return &Address{o: o, client: &http.Client{
		Timeout: addressTime,
		Transport: &http.Transport{
			DialContext:         dialer.DialContext,
			TLSClientConfig:     &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: 3 * time.Second,
			ForceAttemptHTTP2:   true,
			MaxIdleConns:        1,
			IdleConnTimeout:     time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// hereOnly is a net.Dialer.Control that lets only this machine's own addresses through, after the name was resolved.
func hereOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Unmap().IsLoopback() {
		return errors.New("the address is not on this machine")
	}
	return nil
}

// Name implements Destination.
func (a *Address) Name() string { return a.o.URL }

// Newest implements Destination. A server is not asked: not every one that takes checkpoints gives them back.
func (a *Address) Newest(context.Context) (string, error) { return "", nil }

// Put implements Destination. It takes five seconds at most and follows no redirect.
func (a *Address) Put(ctx context.Context, signed string, _ time.Time) (err error) {
	request, err := http.NewRequestWithContext(ctx, a.o.Method, a.o.URL, strings.NewReader(signed))
	if err != nil {
		return fmt.Errorf("hand over checkpoint: %w", err)
	}
	request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	for name, value := range a.o.Header {
		request.Header.Set(name, value)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return fmt.Errorf("hand over checkpoint: %w", err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	// The answer is read so that the connection can be used again; what it says is the server's business.
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, addressRead)); err != nil {
		return fmt.Errorf("hand over checkpoint: read answer: %w", err)
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("hand over checkpoint: answered %d", response.StatusCode)
	}
	return nil
}

package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// GatewayOptions describe one request to an SMS provider. In URL and Body {to}, {text} and {id} stand for the
// parcel's parts; they are escaped as the URL and the Content-Type want it.
type GatewayOptions struct {
	Method string // POST or PUT
	URL    string
	// Header carries what the provider asks for, Content-Type (JSON, form or plain text) and its key among them.
	Header map[string]string
	Body   string
	// Private allows a gateway on a private network or this machine, and plain HTTP to it. Without it only HTTPS to
	// public addresses is spoken, checked at dial time, so that a name can not be bent inwards.
	Private bool
	// Roots are the authorities the gateway's certificate is checked against; nil means those of the machine.
	Roots *x509.CertPool
}

// Gateway hands SMS to a provider by HTTP. Any 2xx answer means that the provider has taken the message.
type Gateway struct {
	o      GatewayOptions
	escape func(string) string
	client *http.Client
}

const (
	gatewayTime = 5 * time.Second
	gatewayRead = 64 << 10 // bytes of the answer that are read
)

// NewGateway checks the options and makes the sender; it does not connect yet.
func NewGateway(o GatewayOptions) (*Gateway, error) {
	u, err := url.Parse(fill(o.URL, Parcel{}, url.QueryEscape))
	if err != nil || u.Host == "" || u.User != nil {
		return nil, errors.New("SMS gateway: the URL is not usable")
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && o.Private) {
		return nil, errors.New("SMS gateway: the URL begins with https://")
	}
	if o.Method != http.MethodPost && o.Method != http.MethodPut {
		return nil, errors.New("SMS gateway: the method is POST or PUT")
	}
	if all := o.URL + o.Body; !strings.Contains(all, "{to}") || !strings.Contains(all, "{text}") {
		return nil, errors.New("SMS gateway: URL and body contain {to} and {text}")
	}
	g := &Gateway{o: o}
	header := make(http.Header)
	for name, value := range o.Header {
		header.Set(name, value)
	}
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return nil, errors.New("SMS gateway: the headers need a Content-Type")
	}
	switch kind {
	case "application/json":
		g.escape = escapeJSON
	case "application/x-www-form-urlencoded":
		g.escape = url.QueryEscape
	case "text/plain":
		g.escape = func(s string) string { return s }
	default:
		return nil, fmt.Errorf("SMS gateway: Content-Type %s is not application/json, application/x-www-form-urlencoded or text/plain", kind)
	}
	g.client = outward(o.Private, o.Roots)
	return g, nil
}

// outward is a client that speaks to other servers: to public addresses alone unless private ones are allowed, with
// little patience, and without following redirects.
func outward(private bool, roots *x509.CertPool) *http.Client {
	dialer := &net.Dialer{Timeout: 3 * time.Second}
	if !private {
		dialer.Control = publicOnly
	}
	return &http.Client{
		Timeout: gatewayTime,
		// No proxy: behind one, the address could not be checked.
		Transport: &http.Transport{
			DialContext:         dialer.DialContext,
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: 3 * time.Second,
			ForceAttemptHTTP2:   true,
			MaxIdleConns:        lanes,
			IdleConnTimeout:     time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Send implements Sender.
func (g *Gateway) Send(ctx context.Context, p Parcel) (err error) {
	address := fill(g.o.URL, p, func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") })
	request, err := http.NewRequestWithContext(ctx, g.o.Method, address, strings.NewReader(fill(g.o.Body, p, g.escape)))
	if err != nil {
		return errors.New("SMS gateway: the request can not be made")
	}
	for name, value := range g.o.Header {
		request.Header.Set(name, value)
	}
	response, err := g.client.Do(request)
	if err != nil {
		// The URL around the cause may hold the number.
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return fmt.Errorf("SMS gateway: %w", err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	// The answer is read so that the connection can be used again; what it says is the provider's business.
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, gatewayRead)); err != nil {
		return fmt.Errorf("SMS gateway: read answer: %w", err)
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("SMS gateway: answered %d", response.StatusCode)
	}
	return nil
}

// fill puts the parcel's parts into a text, each escaped.
func fill(s string, p Parcel, escape func(string) string) string {
	return strings.NewReplacer("{to}", escape(p.To), "{text}", escape(p.Text), "{id}", escape(p.ID)).Replace(s)
}

// escapeJSON writes s as it stands between the quotes of a JSON text.
func escapeJSON(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic("notify: a string is always JSON: " + err.Error())
	}
	return string(quoted[1 : len(quoted)-1])
}

// errInward is the answer to an address that is not on the public network.
var errInward = errors.New("the address is not a public one")

// shared is the carriers' own network (RFC 6598), where also some clouds keep their metadata.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// publicOnly is a net.Dialer.Control that lets only public addresses through, after the name was resolved.
func publicOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errInward
	}
	ip := at.Addr().Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || shared.Contains(ip) {
		return errInward
	}
	return nil
}

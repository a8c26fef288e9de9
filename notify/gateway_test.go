package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sitthi/internal/storetest"
)

var short = Parcel{ID: "0193a7f0-0000-7000-8000-000000000001", To: "+66812345678", Text: "รหัส \"012345\" & {to}\n50%+", At: storetest.Start}

// provider is an SMS provider on this machine that answers as told and keeps the last request.
type provider struct {
	*httptest.Server
	status  int
	answer  string
	request *http.Request
	body    string
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{status: http.StatusOK, answer: "ok"}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		p.request, p.body = r, string(body)
		if p.status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(p.status)
		if _, err := io.WriteString(w, p.answer); err != nil && len(p.answer) < gatewayRead {
			t.Error(err)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) options(kind, body string) GatewayOptions {
	return GatewayOptions{
		Method: http.MethodPost, URL: p.URL + "/send?to={to}&id={id}", Body: body, Private: true,
		Header: map[string]string{"content-type": kind, "Authorization": "Bearer key"},
		Roots:  p.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs,
	}
}

func (p *provider) send(t *testing.T, o GatewayOptions) error {
	t.Helper()
	g, err := NewGateway(o)
	if err != nil {
		t.Fatal(err)
	}
	return g.Send(t.Context(), short)
}

func TestGatewaySpeaksEachForm(t *testing.T) {
	for kind, tt := range map[string]struct {
		body string
		read func(body string) (to, text string, err error)
	}{
		"application/json; charset=utf-8": {`{"msisdn":"{to}","message":"{text}","ref":"{id}"}`, func(body string) (string, string, error) {
			var v struct{ Msisdn, Message string }
			err := json.Unmarshal([]byte(body), &v)
			return v.Msisdn, v.Message, err
		}},
		"application/x-www-form-urlencoded": {"msisdn={to}&message={text}", func(body string) (string, string, error) {
			v, err := url.ParseQuery(body)
			return v.Get("msisdn"), v.Get("message"), err
		}},
		"text/plain": {"{to}\n{text}", func(body string) (string, string, error) {
			to, text, _ := strings.Cut(body, "\n")
			return to, text, nil
		}},
	} {
		t.Run(kind, func(t *testing.T) {
			p := newProvider(t)
			if err := p.send(t, p.options(kind, tt.body)); err != nil {
				t.Fatal(err)
			}
			if to, text, err := tt.read(p.body); to != short.To || text != short.Text || err != nil {
				t.Errorf("read %q %q from %q, %v", to, text, p.body, err)
			}
			q := p.request.URL.Query()
			if p.request.Method != http.MethodPost || q.Get("to") != short.To || q.Get("id") != short.ID ||
				p.request.Header.Get("Authorization") != "Bearer key" || p.request.Header.Get("Content-Type") != kind {
				t.Errorf("request %s %s %v", p.request.Method, p.request.URL, p.request.Header)
			}
		})
	}
}

func TestGatewayFailures(t *testing.T) {
	for _, status := range []int{http.StatusFound, http.StatusBadRequest, http.StatusUnauthorized, http.StatusInternalServerError} {
		p := newProvider(t)
		p.status, p.answer = status, "no such number "+short.To
		if err := p.send(t, p.options("text/plain", "{text}")); err == nil || strings.Contains(err.Error(), "812345678") {
			t.Errorf("%d: %v", status, err)
		}
		if p.request.URL.Path != "/send" {
			t.Errorf("%d: followed to %s", status, p.request.URL)
		}
	}
}

func TestGatewayDoesNotReadForever(t *testing.T) {
	p := newProvider(t)
	p.answer = strings.Repeat("x", 10*gatewayRead)
	if err := p.send(t, p.options("text/plain", "{text}")); err != nil {
		t.Error(err)
	}
}

func TestGatewayDoesNotWaitForever(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer server.Close()
	defer close(hang)
	g, err := NewGateway(GatewayOptions{Method: "POST", URL: server.URL + "/?to={to}", Body: "{text}", Private: true, Header: map[string]string{"Content-Type": "text/plain"}})
	if err != nil {
		t.Fatal(err)
	}
	if g.client.Timeout != 5*time.Second {
		t.Errorf("it waits %v", g.client.Timeout)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := g.Send(ctx, short); !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "812345678") {
		t.Errorf("got %v", err)
	}
}

func TestGatewayStaysOutside(t *testing.T) {
	p := newProvider(t)
	o := p.options("text/plain", "{text}")
	o.Private = false
	if err := p.send(t, o); !errors.Is(err, errInward) || p.request != nil {
		t.Errorf("got %v", err)
	}
	for address, public := range map[string]bool{
		"203.150.19.1:443": true, "[2001:fb0::1]:443": true,
		"127.0.0.1:443": false, "10.1.2.3:443": false, "172.16.0.1:443": false, "192.168.1.1:443": false, "169.254.169.254:80": false,
		"100.64.0.1:443": false, "0.0.0.0:443": false, "224.0.0.1:443": false, "[::1]:443": false, "[::ffff:127.0.0.1]:443": false,
		"[fe80::1]:443": false, "[fd00::1]:443": false, "[::]:443": false, "name:443": false,
	} {
		if err := publicOnly("tcp", address, nil); (err == nil) != public {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestNewGatewayRefuses(t *testing.T) {
	good := GatewayOptions{Method: "POST", URL: "https://sms.example.go.th/send", Body: "{to} {text}", Header: map[string]string{"Content-Type": "text/plain"}}
	if _, err := NewGateway(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*GatewayOptions){
		"no URL":              func(o *GatewayOptions) { o.URL = "" },
		"no host":             func(o *GatewayOptions) { o.URL = "https:///send" },
		"in the clear":        func(o *GatewayOptions) { o.URL = "http://sms.example.go.th/send" },
		"file":                func(o *GatewayOptions) { o.URL = "file:///etc/passwd" },
		"password in the URL": func(o *GatewayOptions) { o.URL = "https://user:secret@sms.example.go.th/send" },
		"GET":                 func(o *GatewayOptions) { o.Method = "GET" },
		"nobody to send to":   func(o *GatewayOptions) { o.Body = "{text}" },
		"nothing to say":      func(o *GatewayOptions) { o.Body = "{to}" },
		"no form":             func(o *GatewayOptions) { o.Header = nil },
		"unknown form":        func(o *GatewayOptions) { o.Header = map[string]string{"Content-Type": "text/xml"} },
	} {
		o := good
		change(&o)
		if _, err := NewGateway(o); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sms.jsonl")
	f, err := NewFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []Parcel{letter, short} {
		if err := f.Send(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, want := range []Parcel{letter, short} {
		var got Parcel
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil || got != want {
			t.Errorf("line %d: %+v, %v", i, got, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := NewFile(filepath.Join(t.TempDir(), "none", "x")); err == nil {
		t.Error("a file in no folder was accepted")
	}
}

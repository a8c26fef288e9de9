package web

import (
	"errors"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"unicode/utf8"

	"sitthi/internal/problem"
)

// policy lets pages load from this site alone; nothing is inline (trust.md 19).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

// frame sets what every answer carries and settles on whose behalf a proxy asks. It hands the request on as it is,
// because observe.Watch reads the pattern from it.
func (s *Server) frame(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		encrypted := s.settleProxy(r)
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if encrypted {
			h.Set("Strict-Transport-Security", "max-age=63072000")
		}
		next.ServeHTTP(w, r)
	})
}

// settleProxy puts the client's address and the host he asked for in the request when a proxy that is named in the
// settings says so, and takes what anybody else claims away. It reports whether the client's connection is encrypted.
func (s *Server) settleProxy(r *http.Request) (encrypted bool) {
	encrypted = r.TLS != nil
	if s.trusts(clientOf(r)) {
		if client := s.forwarded(r.Header.Values("X-Forwarded-For")); client.IsValid() {
			r.RemoteAddr = netip.AddrPortFrom(client, 0).String()
		}
		if proto := r.Header.Get("X-Forwarded-Proto"); proto != "" {
			encrypted = strings.EqualFold(proto, "https")
		}
		if host := r.Header.Get("X-Forwarded-Host"); host != "" {
			r.Host = host
		}
	}
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"} {
		r.Header.Del(name)
	}
	return encrypted
}

// forwarded answers the last address that no trusted proxy has: every proxy adds whom it was asked by at the end,
// and what stands before that the client may have made up.
func (s *Server) forwarded(headers []string) netip.Addr {
	hops := strings.Split(strings.Join(headers, ","), ",")
	var client netip.Addr
	for i := len(hops) - 1; i >= 0; i-- {
		hop, ok := hopOf(strings.TrimSpace(hops[i]))
		if !ok {
			return client
		}
		client = hop
		if !s.trusts(client) {
			return client
		}
	}
	return client
}

// hopOf reads an address as proxies write it: some add the port, and set IPv6 in brackets.
func hopOf(text string) (netip.Addr, bool) {
	hop, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		at, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		hop = at.Addr()
	}
	return hop.Unmap().WithZone(""), true
}

func (s *Server) trusts(a netip.Addr) bool {
	for _, p := range s.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// clientOf is the address the request comes from; the zero Addr when it comes over no network.
func clientOf(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

// local reports whether a host name is this machine's, which browsers trust without encryption.
func local(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// What is wrong with a form that no page of ours sends so: it can not be read, is of another kind, or took so long
// that the server did not wait for the end.
var (
	errForm     = errors.New("form can not be read")
	errFormType = errors.New("form is of an unknown type")
	errFormSlow = errors.New("form did not arrive in time")
)

// read takes in the form of a request, as big as the route allows. Text that is not UTF-8, or holds a NUL that PostgreSQL can not keep, comes
// from no page of ours and goes no further.
func (s *Server) read(w http.ResponseWriter, r *http.Request, route Route) error {
	if route.Upload { // read by its handler, once it is known who sends it
		r.Form, r.PostForm = r.URL.Query(), url.Values{}
		if !plain(r.URL.Path) || !plainValues(r.Form) {
			return errForm
		}
		return nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, max(s.FormLimit, route.FormLimit))
	if r.Method == http.MethodPost && r.ContentLength != 0 {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/x-www-form-urlencoded" {
			return errFormType
		}
	}
	if err := r.ParseForm(); err != nil {
		var big *http.MaxBytesError
		switch {
		case errors.As(err, &big):
			return err
		case errors.Is(err, os.ErrDeadlineExceeded):
			return errFormSlow
		}
		return errForm // cut short, too: then nobody waits for the answer
	}
	if !plain(r.URL.Path) || !plainValues(r.Form) {
		return errForm
	}
	return nil
}

func plainValues(values url.Values) bool {
	for name, list := range values {
		if !plain(name) {
			return false
		}
		for _, value := range list {
			if !plain(value) {
				return false
			}
		}
	}
	return true
}

func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// foreign answers a form that another site has sent in the reader's name.
func (s *Server) foreign(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, s.visit(r), problem.New(problem.Denied, "problem.foreign"))
}

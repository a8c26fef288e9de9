package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sitthi/internal/store"
)

// TestTimeThatRunsOutIsTold lets the time of a request run out in its handler and in the database.
func TestTimeThatRunsOutIsTold(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		k.faults = true
		k.server.Timeout = 200 * time.Millisecond
		k.mount(t,
			Route{Pattern: "GET /test/wait", Access: Open, Handle: func(_ http.ResponseWriter, r *http.Request, _ *Visit) error {
				<-r.Context().Done()
				return fmt.Errorf("wait: %w", r.Context().Err())
			}},
			Route{Pattern: "GET /test/count", Access: Open, Handle: func(_ http.ResponseWriter, r *http.Request, _ *Visit) error {
				return k.DB.Read(r.Context(), func(tx *store.Tx) error {
					var n int64
					return tx.QueryRow(r.Context(), `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)
						SELECT count(*) FROM n`).Scan(&n)
				})
			}})
		for _, path := range []string{"/test/wait", "/test/count"} {
			a := k.visitor(t).get(path).wants(http.StatusServiceUnavailable, "<html", "ยังให้บริการไม่ได้")
			if a.header.Get("Retry-After") != "10" {
				t.Errorf("%s: Retry-After %q", path, a.header.Get("Retry-After"))
			}
		}
	})
}

// TestFormThatDoesNotArrive sends half a form and then nothing, or hangs up: that is no fault of the program's, and
// nobody is woken for it.
func TestFormThatDoesNotArrive(t *testing.T) {
	k := newKit(t) // an error in its log fails the test
	done := false
	handler := must(k.server.assemble([]Route{{Pattern: "POST /test/act", Access: Open, Handle: func(w http.ResponseWriter, r *http.Request, v *Visit) error {
		done = true
		return k.server.see(w, r, v, "/", nil)
	}}}))(t)
	served := httptest.NewUnstartedServer(handler)
	served.Config.ReadTimeout = 300 * time.Millisecond
	served.Start()
	half := func() net.Conn {
		c := must(net.Dial("tcp", served.Listener.Addr().String()))(t)
		must(io.WriteString(c, "POST /test/act HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
			"Content-Length: 100\r\n\r\na=b"))(t)
		return c
	}
	read := func(c net.Conn, status int, words string) {
		t.Helper()
		response := must(http.ReadResponse(bufio.NewReader(c), nil))(t)
		body := must(io.ReadAll(response.Body))(t)
		check(t, response.Body.Close())
		if response.StatusCode != status || !strings.Contains(string(body), words) {
			t.Errorf("answered %d:\n%s", response.StatusCode, body)
		}
		check(t, c.Close())
	}
	slow := half()
	read(slow, http.StatusRequestTimeout, "ไม่ครบถ้วน")
	cut := half()
	check(t, cut.(*net.TCPConn).CloseWrite())
	read(cut, http.StatusBadRequest, "อ่านข้อมูลที่ส่งมาไม่ได้")
	gone := half()
	check(t, gone.(*net.TCPConn).SetLinger(0))
	check(t, gone.Close())
	served.Close() // waits for all
	if done {
		t.Error("half a form was taken")
	}
}

// TestNothingIsBuiltFromTheHost asks by a name that is not the site's: no link, redirect or cookie follows it.
func TestNothingIsBuiltFromTheHost(t *testing.T) {
	k := newKit(t)
	b := k.as(t, chief12)
	for _, r := range []*http.Request{
		must(http.NewRequestWithContext(t.Context(), http.MethodGet, k.url+"/ko1", nil))(t),
		must(http.NewRequestWithContext(t.Context(), http.MethodGet, k.url+"/officer/login", nil))(t),
		must(http.NewRequestWithContext(t.Context(), http.MethodGet, k.url+"/nowhere", nil))(t),
		must(http.NewRequestWithContext(t.Context(), http.MethodPost, k.url+"/language", nil))(t),
	} {
		r.Host = "evil.example"
		a := b.send(r)
		a.lacks("evil.example")
		if all := fmt.Sprint(a.header); strings.Contains(all, "evil.example") {
			t.Errorf("%s: %s", r.URL.Path, all)
		}
	}
}

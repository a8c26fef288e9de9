package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sitthi/internal/config"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/web"
)

// TestFullDisk lets the program run into a limit on the size of its files, as on a full disk: writes are answered 503
// in the reader's words, reading goes on, no act is there by half, and once there is room again the program goes on
// without a restart.
func TestFullDisk(t *testing.T) {
	folder, args := demonstration(t)
	address := "sqlite:" + filepath.Join(folder, "sitthi.db")
	p := serving(t, append([]string{"--demo"}, args...)...)
	chief := signedIn(t, p.address, "3990000000104", demoPassword)
	w := &writer{caller: chief, unit: "TH-12"}
	if !w.act(t) {
		t.Fatal("a right can not be given")
	}
	limit := func(most uint64) {
		t.Helper()
		if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: most, Max: unix.RLIM_INFINITY}, nil); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // no file can grow, and the log of the database is written from its start again and again
	full(t, chief, w.given[0])
	// What happens meanwhile without anyone asking fails, is logged, and is tried again.
	<-time.After(2 * time.Second)
	full(t, chief, w.given[0])
	if p.ended() {
		t.Fatalf("it ended:\n%s", p.said)
	}
	limit(unix.RLIM_INFINITY)
	for range 2 {
		if !w.act(t) {
			t.Fatal("with room again a right can not be given")
		}
	}
	until(t, "the log is sealed", 20*time.Second, func() bool { return p.figure(t, "sitthi_audit_unsealed") == 0 })
	until(t, "the messages are sent", 30*time.Second, func() bool { return p.figure(t, "sitthi_messages_waiting") == 0 })
	compare(t, address, []*writer{w}, 0)
	whole(t, args...)
	if status := p.stop(t); status != 0 {
		t.Errorf("exit status %d\n%s", status, p.said)
	}
	if n := strings.Count(p.said.String(), "panic"); n > 0 {
		t.Errorf("it panicked:\n%s", p.said)
	}
}

// full fails unless the site answers as it should while nothing can be written.
func full(t *testing.T, chief *caller, right string) {
	t.Helper()
	for name, act := range map[string][]string{
		"give":    {"/ko1/rights/consider", "unit", "TH-12", "citizen", stranger(int(strangers.Add(1))), "form", store.NewID()},
		"end":     {"/ko1/grants/" + right + "/end", "reason", "ย้ายหน่วยงาน"},
		"sign in": {"/officer/login", "citizen_id", "3990000000201", "password", demoPassword},
	} {
		r, err := chief.post(act[0], act[1:]...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		unavailable(t, name, r)
	}
	for _, path := range []string{"/", "/intranet", "/ko1/rights", "/ko1/rights/consider?q=a", "/ko1/grants/" + right, "/my/rights", "/ko1/units/TH-12/history", "/readyz"} {
		r, err := chief.get(path)
		if err != nil || r.status != http.StatusOK {
			t.Errorf("nothing can be written, and %s answers %d %v\n%s", path, r.status, err, r.body)
		}
	}
}

// unavailable fails unless an answer says in the reader's words that he should come back later.
func unavailable(t *testing.T, name string, r reply) {
	t.Helper()
	catalog, err := web.Texts()
	if err != nil {
		t.Fatal(err)
	}
	after, err := strconv.Atoi(r.header.Get("Retry-After"))
	if r.status != http.StatusServiceUnavailable || err != nil || after < 1 || !strings.Contains(r.body, catalog.Text(locale.TH, "problem.busy", nil)) {
		t.Errorf("%s: %d, Retry-After %q\n%s", name, r.status, r.header.Get("Retry-After"), r.body)
	}
	if strings.Contains(r.body, "SQL") || strings.Contains(r.body, "disk") {
		t.Errorf("%s tells the reader of the machine:\n%s", name, r.body)
	}
}

// TestFullDatabase is the same with the limit inside SQLite (PRAGMA max_page_count): it breaks a transaction off where
// it happens to stand. Every act is there whole or not at all.
func TestFullDatabase(t *testing.T) {
	env := storetest.SQLite(t)
	h := seeded(t, env)
	ctx := t.Context()
	if err := h.book.Load(ctx); err != nil {
		t.Fatal(err)
	}
	public := &url.URL{Scheme: "http", Host: "localhost"}
	door, err := h.door(ctx, &config.Serve{Demo: true}, public)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(door.Handler())
	defer server.Close()
	public.Host = strings.TrimPrefix(server.URL, "http://")
	chief := signedInAt(t, env.Clock.Now(), server.URL, "3990000000104", demoPassword)
	// There is one writing connection, so the limit holds for every act.
	pages := func(free int64) {
		t.Helper()
		err := env.DB.Write(ctx, func(tx *store.Tx) error {
			var used, most int64
			if err := tx.QueryRow(ctx, "PRAGMA page_count").Scan(&used); err != nil {
				return err
			}
			return tx.QueryRow(ctx, "PRAGMA max_page_count = "+strconv.FormatInt(used+free, 10)).Scan(&most)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	pages(60)
	w := &writer{caller: chief, unit: "TH-12"}
	refused := 0
	give := func() reply {
		r, err := chief.post("/ko1/rights/consider", "unit", "TH-12", "citizen", stranger(int(strangers.Add(1))), "form", "p1-"+store.NewID(), "note", strings.Repeat("ก", 500))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for n := 0; refused < 25; n++ {
		if n > 2000 {
			t.Fatal("the database does not get full")
		}
		switch r := give(); r.status {
		case http.StatusSeeOther:
			w.given = append(w.given, r.grantOf())
		default:
			unavailable(t, "give", r)
			refused++
			pages(1) // the next act breaks off somewhere else
		}
	}
	for _, path := range []string{"/ko1/rights", "/ko1/grants/" + w.given[0], "/my/rights"} {
		env.Clock.Advance(2 * time.Minute) // long enough that the session would be noted as seen
		if r, err := chief.get(path); err != nil || r.status != http.StatusOK {
			t.Errorf("the database is full, and %s answers %d %v", path, r.status, err)
		}
	}
	compare(t, env.URL, []*writer{w}, 0)
	pages(1 << 20)
	if err := h.book.Load(ctx); err != nil {
		t.Fatal(err)
	}
	chief = signedInAt(t, env.Clock.Now(), server.URL, "3990000000104", demoPassword)
	if r := give(); r.status != http.StatusSeeOther {
		t.Errorf("with room again: %d\n%s", r.status, r.body)
	}
	t.Logf("%d rights were given before the database was full", len(w.given))
}

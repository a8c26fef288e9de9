package main

import (
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sitthi/grant"
	"sitthi/internal/clock"
	"sitthi/internal/store"
	"sitthi/notify"
	"sitthi/officer"
)

// accountOpens has a locked officer come back by way of process a: his request is confirmed there, he enters by process b
// at once, and his right has effect here within soon.
func accountOpens(t *testing.T, a, b *process, here *here) {
	who, at := here.who(t, demoLocked), grant.Place{Unit: "TH-12"}
	if answer := here.Answer(who, grant.DoConsider, at); answer.Reason != grant.Locked {
		t.Fatalf("before it is answered %+v", answer)
	}
	officer := newCaller(a.address)
	post := func(c *caller, path string, pairs ...string) reply {
		t.Helper()
		r, err := c.post(path, pairs...)
		if err != nil || r.status != http.StatusSeeOther {
			t.Fatalf("%s: %d %v\n%s", path, r.status, err, r.body)
		}
		return r
	}
	way := post(officer, "/officer/login", "citizen_id", demoLocked, "password", demoPassword).location
	if !strings.HasPrefix(way, "/officer/activate/") {
		t.Fatalf("a locked officer is led to %s", way)
	}
	post(officer, way+"/send", "channel", string(notify.Email))
	post(officer, way+"/code", "code", here.code(t, "activation.code"))
	chief := signedIn(t, a.address, "3990000000104", demoPassword)
	page, err := chief.get("/ko1/people")
	confirm := regexp.MustCompile(`/ko1/people/[^"]+/confirm`).FindString(page.body)
	if err != nil || confirm == "" {
		t.Fatalf("his chief sees no request: %d %v\n%s", page.status, err, page.body)
	}
	post(chief, confirm)
	until(t, "his right has effect here", soon, func() bool { return here.Allows(who, grant.DoConsider, at) })
	if r, err := signedIn(t, b.address, demoLocked, demoPassword).get("/my/rights"); err != nil || r.status != http.StatusOK {
		t.Errorf("he can not enter: %d %v", r.status, err)
	}
}

// code is the newest code of a purpose that was sent.
func (h *here) code(t *testing.T, purpose string) string {
	t.Helper()
	list, err := h.outbox.List(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if m.Purpose == purpose {
			return regexp.MustCompile(`\b[0-9]{6}\b`).FindString(m.Text)
		}
	}
	t.Fatalf("no message %s was sent", purpose)
	return ""
}

// TestLockComesByTheClock has the 60 days of an officer pass while the program runs, in one time zone, and starts it again
// after a kill in another: other programs are answered yes a second before and no a second after, and he is led to his way
// back in.
func TestLockComesByTheClock(t *testing.T) {
	folder, args := demonstration(t)
	const citizen = "3990000000201"
	locks := time.Now().Add(8 * time.Second).Truncate(time.Microsecond)
	db, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(folder, "sitthi.db"), Clock: clock.System{}})
	if err == nil {
		err = db.Write(t.Context(), func(tx *store.Tx) error {
			// A start as demonstration would bring the account back.
			if _, err := tx.Exec(t.Context(), `UPDATE installation SET value = $1 WHERE name = $2`, purposeReal, purposeMark); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), `UPDATE accounts SET last_signin_at = $1 WHERE given_name = $2 AND family_name = $3`,
				store.Us(locks.Add(-officer.LockAfter)), "สมหญิง", "รักงาน")
			return err
		})
	}
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	in := func(zone string) *process {
		p := launchWith(t, "TZ="+zone, append([]string{"serve", "--listen", "localhost:0", "--metrics", "localhost:0"}, args...)...)
		p.listens(t)
		return p
	}
	decided := func(p *process) string {
		_, body := curl(t, p.address+"/access/v1/evaluation", "-H", "Authorization: Bearer "+demoToken, "-H", "Content-Type: application/json",
			"-d", `{"subject":{"type":"officer","id":"`+citizen+`"},"action":{"name":"consider"},"resource":{"type":"unit","id":"TH-12"}}`)
		return body
	}
	p := in("Pacific/Kiritimati")
	for asked := time.Now(); asked.Before(locks.Add(time.Second)); asked = time.Now() {
		body := decided(p)
		if time.Now().Before(locks.Add(-time.Second)) && !strings.Contains(body, `"reason":"permitted"`) {
			t.Fatalf("%s before: %s", time.Until(locks), body)
		}
		time.Sleep(100 * time.Millisecond)
	}
	locked := func(p *process) {
		t.Helper()
		if body := decided(p); !strings.Contains(body, `"reason":"locked"`) {
			t.Errorf("after the lock: %s", body)
		}
	}
	locked(p)
	p.kill(t)
	p = in("America/New_York")
	locked(p)
	c := newCaller(p.address)
	r, err := c.post("/officer/login", "citizen_id", citizen, "password", demoPassword)
	if err != nil || !strings.HasPrefix(r.location, "/officer/activate/") {
		t.Errorf("he is led to %q: %d %v", r.location, r.status, err)
	}
}

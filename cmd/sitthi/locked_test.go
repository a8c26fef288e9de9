package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"sitthi/grant"
	"sitthi/notify"
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

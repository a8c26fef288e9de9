//go:build testhooks

package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"sitthi/internal/storetest"
	"sitthi/notify"
)

func TestHooks(t *testing.T) {
	k := newKit(t)
	put := func(body string) (int, time.Time) {
		t.Helper()
		r := must(http.NewRequestWithContext(t.Context(), http.MethodPut, k.url+"/testhooks/clock", strings.NewReader(body)))(t)
		a := k.visitor(t).send(r)
		var said clockOrder
		if a.status == http.StatusOK {
			check(t, json.Unmarshal([]byte(a.body), &said))
		}
		return a.status, said.Now
	}
	at := time.Date(2027, time.September, 30, 17, 0, 0, 0, time.UTC)
	if status, now := put(`{"now": "2027-10-01T00:00:00+07:00", "frozen": true}`); status != http.StatusOK || !now.Equal(at) || !k.Clock.Now().Equal(at) {
		t.Errorf("set: %d %v, clock %v", status, now, k.Clock.Now())
	}
	if status, now := put(`{"advance": "-1s", "frozen": true}`); status != http.StatusOK || !now.Equal(at.Add(-time.Second)) {
		t.Errorf("moved: %d %v", status, now)
	}
	if status, now := put(`{"advance": "24h"}`); status != http.StatusOK || now.Before(at) {
		t.Errorf("let run: %d %v", status, now)
	}
	for _, body := range []string{"", "{", `{"now": "tomorrow"}`, `{"advance": "soon"}`} {
		if status, _ := put(body); status != http.StatusBadRequest {
			t.Errorf("%q: %d", body, status)
		}
	}
	k.Clock.Set(storetest.Start)
	var outbox struct {
		Messages []notify.Delivery `json:"messages"`
	}
	check(t, json.Unmarshal([]byte(k.visitor(t).get("/testhooks/outbox").wants(http.StatusOK).body), &outbox))
	if len(outbox.Messages) == 0 || outbox.Messages[0].To == "" || outbox.Messages[0].Text == "" {
		t.Errorf("messages: %+v", outbox.Messages)
	}
}

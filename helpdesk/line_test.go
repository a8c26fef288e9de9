package helpdesk_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"sitthi/helpdesk"
	"sitthi/internal/locale"
	"sitthi/notify"
)

const lineUser = "U4af4980629abcdef"

// TestLine: a message by LINE becomes one ticket, completed on the web by who got the link; a name is nobody's identity.
func TestLine(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		say := func(id, text string) {
			t.Helper()
			check(t, o.desk.TakeLine(ctx, []helpdesk.LineEvent{{ID: id, User: lineUser, Text: text}}))
		}
		tickets := func() (n int) {
			o.read(t, `SELECT count(*) FROM tickets`, nil, &n)
			return n
		}
		say("event0001", "สวัสดีครับ")
		if m := o.message(t, "help.hint"); m.Channel != notify.LINE || m.To != lineUser || tickets() != 0 {
			t.Fatalf("a greeting: %+v, %d tickets", m, tickets())
		}
		say("event0002", "ขอ Active User ครับ "+somying)
		say("event0002", "ขอ Active User ครับ")
		say("event0003", "active user")
		if n := tickets(); n != 1 {
			t.Fatalf("%d tickets", n)
		}
		var kept int
		o.read(t, `SELECT count(*) FROM ticket_events WHERE text_sealed IS NOT NULL`, nil, &kept)
		if kept != 0 {
			t.Error("the text of a chat is kept")
		}
		link := regexp.MustCompile(`\?t=([\w-]+)`)
		sent := o.messages(t, "help.complete")
		if len(sent) != 2 {
			t.Fatalf("%d receipts, want one for each message", len(sent))
		}
		f := form(somying, helpdesk.Active)
		f.Token = link.FindStringSubmatch(sent[1].Text)[1]
		if _, err := o.desk.Send(from(t), f, here); key(err) != "helpdesk.no_ticket" {
			t.Errorf("the link before the last: %v", err)
		}
		f.Token = link.FindStringSubmatch(sent[0].Text)[1]
		if r := must(o.desk.Pending(ctx, f.Token))(t); r.Kind != helpdesk.Active {
			t.Errorf("the link is for %+v", r)
		}
		r := must(o.desk.Send(from(t), f, here))(t)
		if tickets() != 1 || r.Stage != helpdesk.StageReceived {
			t.Errorf("%d tickets; %+v", tickets(), r)
		}
		if _, err := o.desk.Send(from(t), f, here); key(err) != "helpdesk.no_ticket" {
			t.Errorf("completed twice: %v", err)
		}
		check(t, o.desk.Claim(ctx, o.who[agent1], r.ID))
		if m := o.message(t, "help.working"); m.Channel != notify.LINE && len(o.messages(t, "help.working")) != 2 {
			t.Errorf("told by %s alone", m.Channel)
		}
		for i := range 10 {
			say("flood"+strings.Repeat("x", i+1), "hello")
		}
		if n := len(o.messages(t, "help.hint")); n > 5 {
			t.Errorf("%d answers to who writes without end", n)
		}
		o.Clock.Advance(8 * 24 * time.Hour)
		say("event0009", "reset password")
		f.Token = link.FindStringSubmatch(o.message(t, "help.complete").Text)[1]
		o.Clock.Advance(7 * 24 * time.Hour)
		if _, err := o.desk.Pending(ctx, f.Token); key(err) != "helpdesk.no_ticket" {
			t.Errorf("a link of seven days ago: %v", err)
		}
	})
}

// TestLineSigned holds the signature against one that another program made.
func TestLineSigned(t *testing.T) {
	// printf '{"events":[]}' | openssl dgst -sha256 -hmac secret -binary | base64
	const right = "pkK1lVPJPiJ+wPLziRD79xIxohl8AImYM8AEeM7IbzQ="
	for signature, want := range map[string]bool{right: true, "": false, "x": false, strings.ToLower(right): false} {
		if got := helpdesk.LineSigned("secret", []byte(`{"events":[]}`), signature); got != want {
			t.Errorf("%q: %v", signature, got)
		}
	}
	if helpdesk.LineSigned("", []byte("x"), "") {
		t.Error("no secret signs nothing")
	}
}

// FuzzReadLine: whatever is posted, what is read of it names an event and a user, and nothing panics.
func FuzzReadLine(f *testing.F) {
	f.Add([]byte(`{"events":[{"type":"message","webhookEventId":"01FZ74A0TDDPYRVKNK77XKC3ZR","source":{"type":"user","userId":"U4af4980629"},"message":{"type":"text","text":"reset"}}]}`))
	f.Add([]byte(`{"events":[{"type":"follow"}]}`))
	f.Add([]byte(`{"events":null}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := helpdesk.ReadLine(body)
		if err != nil && len(list) > 0 {
			t.Error("events beside an error")
		}
		for _, e := range list {
			if len(e.ID) < 8 || len(e.User) < 8 || strings.ContainsAny(e.ID+e.User, "\x00 '") {
				t.Errorf("%+v", e)
			}
		}
	})
}

// FuzzReceipt: whatever is typed as receipt or contact finds nothing and breaks nothing.
func FuzzReceipt(f *testing.F) {
	f.Add("KRMW-4729", "081-234-5678")
	f.Add("", "x@example.com")
	f.Add("กขคง", "\x00")
	f.Fuzz(func(t *testing.T, receipt, contact string) {
		form := helpdesk.Form{Kind: "reset", CitizenID: receipt, Name: receipt, Phone: contact, Email: contact, Lang: locale.TH}
		if faults := helpdesk.FaultsOf(form); receipt == "" && faults == 0 {
			t.Error("an empty form has no faults")
		}
		if n := helpdesk.ReadReceipt(receipt); n != "" && len(n) != 9 {
			t.Errorf("%q reads as %q", receipt, n)
		}
	})
}

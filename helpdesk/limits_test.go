package helpdesk_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"testing"
	"time"

	"sitthi/helpdesk"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/notify"
	"sitthi/officer"
)

// TestProofByAContactThatIsGone: a code to a contact that was changed since proves nobody to the agent, and he opens no
// account by it.
func TestProofByAContactThatIsGone(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		o.Clock.Advance(61 * 24 * time.Hour)
		check(t, o.DB.Write(ctx, func(tx *store.Tx) error { return officer.Reopen(ctx, tx, o.who[agent1]) }))
		check(t, o.book.CatchUp(ctx))
		r := o.claimed(t, somying, helpdesk.Active)
		o.prove(t, r, notify.Email)
		check(t, o.exec(t, `UPDATE accounts SET email_since = $2 WHERE person_id = $1`, o.who[somying], o.Clock.Now().UnixMicro()))
		o.Clock.Advance(23 * time.Hour)
		_, err := o.desk.Start(ctx, o.who[agent1], r.ID)
		wants(t, "by a contact that was changed", err, problem.Conflict, "helpdesk.code_first")
	})
}

// TestNobodyIsReset: who has signed in since he asked has not lost his password, and a code that was made for nobody, should
// it come to light, proves nothing.
func TestNobodyIsReset(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		r := o.claimed(t, silent, helpdesk.Reset)
		check(t, o.exec(t, `UPDATE accounts SET last_signin_at = $2 WHERE person_id = $1`, o.who[silent], o.Clock.Now().Add(time.Minute).UnixMicro()))
		_, err := o.desk.Start(ctx, o.who[agent1], r.ID)
		wants(t, "who has signed in since", err, problem.Conflict, "helpdesk.signed_in")

		r = o.send(t, stranger, helpdesk.Reset)
		must(o.desk.SendCode(from(t), r.ID, here, notify.Email))(t)
		check(t, o.exec(t, `UPDATE messages SET state = 'sent' WHERE state = 'nobody'`))
		if got, err := o.desk.Prove(from(t), r.ID, here, regexp.MustCompile(`\b\d{6}\b`).FindString(o.message(t, "help.code").Text)); err == nil || got.Proved {
			t.Errorf("the code to nobody: %+v, %v", got, err)
		}
	})
}

// TestNoSecretSignsNothing: where no channel secret is set, a webhook signed with none is not LINE's.
func TestNoSecretSignsNothing(t *testing.T) {
	body := []byte(`{"events":[]}`)
	mac := hmac.New(sha256.New, nil)
	mac.Write(body)
	if helpdesk.LineSigned("", body, base64.StdEncoding.EncodeToString(mac.Sum(nil))) {
		t.Error("signed with no secret")
	}
}

// TestALookIsOnesOwn: what one agent has before him no other has.
func TestALookIsOnesOwn(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		r := o.claimed(t, somying, helpdesk.Reset)
		for agent, want := range map[string]bool{agent1: true, agent2: false} {
			if c := must(o.desk.See(t.Context(), o.who[agent], r.ID))(t); c.Looks != want || (c.Typed.Name != "") != want || (c.Account != nil) != want {
				t.Errorf("%s: looks %v, reads %+v", agent, c.Looks, c.Typed)
			}
		}
	})
}

// TestTicketsAreKept: a closed request stays for 90 days with its story, and one that is open stays.
func TestTicketsAreKept(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		closed := o.claimed(t, somying, helpdesk.Reset)
		check(t, o.desk.Close(ctx, o.who[agent1], closed.ID, helpdesk.Done))
		o.Clock.Advance(80 * 24 * time.Hour)
		o.send(t, silent, helpdesk.Reset)
		for _, step := range []struct {
			after         time.Duration
			tickets, told int
		}{{10 * 24 * time.Hour, 2, 1}, {time.Second, 1, 0}} {
			o.Clock.Advance(step.after)
			must(o.desk.Sweep(ctx))(t)
			var tickets, told int
			o.read(t, `SELECT (SELECT count(*) FROM tickets), (SELECT count(*) FROM ticket_events WHERE ticket_id = $1 AND what = 'closed')`, []any{closed.ID}, &tickets, &told)
			if tickets != step.tickets || told != step.told {
				t.Errorf("%s later there are %d requests, want %d; the end of the closed one is told %d times", step.after, tickets, step.tickets, told)
			}
		}
	})
}

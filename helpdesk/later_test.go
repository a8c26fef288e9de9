package helpdesk_test

import (
	"errors"
	"testing"
	"time"

	"sitthi/grant"
	"sitthi/helpdesk"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/notify"
	"sitthi/officer"
)

// TestProofAges: a code proves who asks for a day and for one act.
func TestProofAges(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		r := o.claimed(t, somying, helpdesk.Reset)
		o.prove(t, r, notify.Email)
		o.Clock.Advance(24*time.Hour + time.Second)
		_, err := o.desk.Start(ctx, o.who[agent1], r.ID)
		wants(t, "a proof of yesterday", err, problem.Conflict, "helpdesk.code_first")
		if got := must(o.desk.Find(from(t), r.Receipt, "new0201@mail.example.com", here))(t); got.Proved {
			t.Error("the page says that he is proved")
		}
		o.prove(t, r, notify.Email)
		o.Clock.Advance(24 * time.Hour)
		must(o.desk.Start(ctx, o.who[agent1], r.ID))(t)
		_, err = o.desk.Start(ctx, o.who[agent1], r.ID)
		wants(t, "a second time", err, problem.Conflict, "helpdesk.acted")

		r = o.claimed(t, somying, helpdesk.Active)
		o.prove(t, r, notify.SMS)
		_, err = o.desk.Start(ctx, o.who[agent1], r.ID)
		wants(t, "an account that is not locked", err, problem.Conflict, "helpdesk.not_locked")
	})
}

// TestWhatWasSecondedIsLookedAtAgain: between start, second and link lie days, in which the account may have changed.
func TestWhatWasSecondedIsLookedAtAgain(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		by, who := o.who[agent1], o.who[silent]
		r := o.claimed(t, silent, helpdesk.Reset)
		must(o.desk.Start(ctx, by, r.ID))(t)
		var registered int64
		o.read(t, `SELECT last_signin_at FROM accounts WHERE person_id = $1`, []any{who}, &registered)
		meanwhile := func(what string, step func() error) {
			t.Helper()
			now := o.Clock.Now().UnixMicro()
			for _, c := range []struct {
				set, undo string
				value     any
				want      string
			}{
				{`unit = $2`, `unit = 'TH-12'`, "TH-13", "helpdesk.account_changed"},
				{`state = $2`, `state = 'active'`, "disabled", "helpdesk.account_changed"},
				{`email_proved_at = $2`, `email_proved_at = NULL`, now - 100*3600*1000000, "helpdesk.recovers_meanwhile"},
				{`last_signin_at = $2`, `last_signin_at = $2`, now, "helpdesk.signed_in"},
			} {
				check(t, o.exec(t, `UPDATE accounts SET `+c.set+` WHERE person_id = $1`, who, c.value))
				wants(t, what+": "+c.set, step(), problem.Conflict, c.want)
				if c.want == "helpdesk.signed_in" {
					check(t, o.exec(t, `UPDATE accounts SET `+c.undo+` WHERE person_id = $1`, who, registered))
				} else {
					check(t, o.exec(t, `UPDATE accounts SET `+c.undo+` WHERE person_id = $1`, who))
				}
			}
		}
		o.Clock.Advance(time.Hour)
		meanwhile("the second", func() error { return o.desk.Approve(ctx, o.who[agent2], r.ID) })
		check(t, o.desk.Approve(ctx, o.who[agent2], r.ID))
		o.Clock.Advance(24 * time.Hour)
		meanwhile("the link", func() error { return o.desk.SendLink(ctx, by, r.ID) })
		// Another request opened the account again, which is no sign-in of its owner's.
		check(t, o.DB.Write(ctx, func(tx *store.Tx) error { return officer.Reopen(ctx, tx, who) }))
		g := must(o.book.Give(ctx, o.who[chief], grant.Order{Unit: "TH-12", Level: grant.Approve, Person: who, Confirmed: true, Form: store.NewID()}))(t)
		wants(t, "who may approve meanwhile", o.desk.SendLink(ctx, by, r.ID), problem.Conflict, "helpdesk.privileged_meanwhile")
		check(t, o.exec(t, `UPDATE grants SET closed_at = $2 WHERE id = $1`, g.ID, o.Clock.Now().UnixMicro()))
		o.Clock.Advance(7*24*time.Hour - time.Second)
		check(t, o.desk.SendLink(ctx, by, r.ID))

		r = o.claimed(t, silent, helpdesk.Reset)
		must(o.desk.Start(ctx, by, r.ID))(t)
		o.Clock.Advance(7 * 24 * time.Hour)
		if list := must(o.desk.Pleas(ctx, o.who[chief]))(t); len(list) != 0 {
			t.Errorf("the chief still sees %+v", list)
		}
		wants(t, "a second after seven days", o.desk.Approve(ctx, o.who[agent2], r.ID), problem.Conflict, "helpdesk.expired")
		check(t, o.desk.Stop(ctx, by, r.ID, "รอนานเกินไป"))
		must(o.desk.Start(ctx, by, r.ID))(t)
		check(t, o.desk.Approve(ctx, o.who[agent2], r.ID))
		o.Clock.Advance(helpdesk.NewContactRests + helpdesk.ActLives)
		wants(t, "a link after eight days", o.desk.SendLink(ctx, by, r.ID), problem.Conflict, "helpdesk.expired")
	})
}

// TestNumbersTypedGetNoSMS: nobody has the department send SMS to a number that he types.
func TestNumbersTypedGetNoSMS(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		f := form(somying, helpdesk.Reset)
		f.Email, f.Phone = "", "0899999999"
		r := must(o.desk.Send(from(t), f, here))(t)
		check(t, o.desk.Claim(ctx, o.who[agent1], r.ID))
		check(t, o.desk.Answer(ctx, o.who[agent1], r.ID, "code"))
		for _, purpose := range []string{"help.received", "help.working", "help.answer_code"} {
			if list := o.messages(t, purpose); len(list) != 0 {
				t.Errorf("%s went by %s to %s", purpose, list[0].Channel, list[0].To)
			}
		}
		o.prove(t, r, notify.SMS)
		check(t, o.desk.Close(ctx, o.who[agent1], r.ID, helpdesk.Done))
		if m := o.message(t, "help.closed"); m.Channel != notify.SMS || m.To == "+66899999999" {
			t.Errorf("the closing went by %s to %s", m.Channel, m.To)
		}
	})
}

// TestTicketsNobodyClosesEnd: the sweep closes them as the program's own act, and deletes them as it does any other.
func TestTicketsNobodyClosesEnd(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		day := 24 * time.Hour
		acted := o.claimed(t, somying, helpdesk.Reset)
		o.prove(t, acted, notify.Email)
		must(o.desk.Start(ctx, o.who[agent1], acted.ID))(t)
		left := o.send(t, stranger, helpdesk.Reset)
		second := o.claimed(t, silent, helpdesk.Reset)
		must(o.desk.Start(ctx, o.who[agent1], second.ID))(t)
		closed := func() (n int) {
			must(o.desk.Sweep(ctx))(t)
			o.read(t, `SELECT count(*) FROM audit_entries WHERE act = 'helpdesk.close' AND actor = 'system' AND outcome = 'done'`, nil, &n)
			return n
		}
		o.Clock.Advance(7*day - time.Second)
		if n := closed(); n != 0 {
			t.Errorf("%d closed within seven days", n)
		}
		o.Clock.Advance(2 * time.Second)
		if n := closed(); n != 1 || must(o.desk.Find(from(t), acted.Receipt, "new0201@mail.example.com", here))(t).Stage != helpdesk.StageClosed {
			t.Errorf("%d closed after seven days", n)
		}
		if m := o.message(t, "help.closed"); m.To != "p0201@diw.example.go.th" {
			t.Errorf("the closing was told to %s", m.To)
		}
		o.Clock.Advance(40 * day)
		check(t, o.desk.Note(ctx, o.who[agent1], second.ID, "ยังติดต่อไม่ได้"))
		o.Clock.Advance(44 * day)
		if n := closed(); n != 2 || must(o.desk.Find(from(t), left.Receipt, "new0503@mail.example.com", here))(t).Stage != helpdesk.StageClosed {
			t.Errorf("%d closed after 90 days", n)
		}
		o.Clock.Advance(47 * day)
		if n := closed(); n != 3 || len(o.messages(t, "help.closed")) != 1 {
			t.Errorf("%d closed 90 days after a note, %d told", n, len(o.messages(t, "help.closed")))
		}
		var open int
		o.read(t, `SELECT count(*) FROM help_acts WHERE done_at IS NULL AND stopped_at IS NULL`, nil, &open)
		if open != 0 {
			t.Errorf("%d acts still wait", open)
		}
		o.Clock.Advance(91 * day)
		must(o.desk.Sweep(ctx))(t)
		o.read(t, `SELECT count(*) FROM tickets`, nil, &open)
		if open != 0 {
			t.Errorf("%d tickets are left", open)
		}
	})
}

// TestHeadWhoIsLocked: where the only head can not get in himself, the centre is told too.
func TestHeadWhoIsLocked(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		r := o.claimed(t, silent, helpdesk.Reset)
		check(t, o.exec(t, `UPDATE accounts SET last_signin_at = $2 WHERE person_id = $1`, o.who[chief], o.Clock.Now().Add(-officer.LockAfter).UnixMicro()))
		must(o.desk.Start(t.Context(), o.who[agent1], r.ID))(t)
		if n := len(o.messages(t, "help.second_headless")); n != 2 {
			t.Errorf("%d administrators were told", n)
		}
	})
}

// TestFailureIsNoDenial: when the post of an administrator can not be read, nobody is told that he has none.
func TestFailureIsNoDenial(t *testing.T) {
	o := open(t, storetest.SQLite(t)) // where a column takes what is none of its type
	r := o.send(t, somying, helpdesk.Reset)
	check(t, o.exec(t, `UPDATE appointments SET starts_at = 'x' WHERE post = 'administrator' AND person_id = $1`, o.who[admin1]))
	if _, err := o.desk.See(t.Context(), o.who[admin1], r.ID); err == nil || errors.Is(err, problem.Denied) {
		t.Errorf("answered %v", err)
	}
}

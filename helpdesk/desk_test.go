package helpdesk_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sitthi/helpdesk"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
)

func key(err error) string {
	var p *problem.Problem
	if errors.As(err, &p) {
		if len(p.Fields) > 0 {
			return p.Fields[0].Key
		}
		return p.Key
	}
	return ""
}

func wants(t *testing.T, what string, err error, kind problem.Kind, want string) {
	t.Helper()
	if !errors.Is(err, kind) || key(err) != want {
		t.Errorf("%s: %v, want %s %s", what, err, kind, want)
	}
}

// TestResetByCode is case 2.2 of the manual for who has a contact on file: a code proves him, the agent starts, he chooses.
func TestResetByCode(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		r := o.claimed(t, somying, helpdesk.Reset)
		_, err := o.desk.Start(ctx, o.who[agent1], r.ID)
		wants(t, "without a proof", err, problem.Conflict, "helpdesk.code_first")
		_, err = o.desk.SendCode(from(t), r.ID, "another browser", notify.Email)
		wants(t, "another browser", err, problem.NotFound, "helpdesk.no_ticket")
		must(o.desk.SendCode(from(t), r.ID, here, notify.Email))(t)
		if _, err := o.desk.Prove(from(t), r.ID, here, "000000"); !errors.Is(err, problem.Invalid) {
			t.Errorf("a wrong code: %v", err)
		}
		o.Clock.Advance(time.Hour)
		o.prove(t, r, notify.Email)
		_, err = o.desk.Start(ctx, o.who[agent2], r.ID)
		wants(t, "an agent who has not claimed it", err, problem.Conflict, "helpdesk.not_yours")
		if waits := must(o.desk.Start(ctx, o.who[agent1], r.ID))(t); waits {
			t.Error("a code to a contact on file needs no second person")
		}
		if m := o.message(t, "help.link"); m.To != "p0201@diw.example.go.th" {
			t.Errorf("the link went to %s", m.To)
		}
		o.follow(t)
		check(t, o.desk.Close(ctx, o.who[agent1], r.ID, helpdesk.Done))
		if m := o.message(t, "help.closed"); m.To != "p0201@diw.example.go.th" {
			t.Errorf("the closing was told to %s, who is not proved", m.To)
		}
		for _, act := range []string{"helpdesk.claim", "helpdesk.start", "helpdesk.close", "signin.open_link", "signin.reset_password"} {
			var n int
			o.read(t, `SELECT count(*) FROM audit_entries WHERE act = $1 AND outcome = 'done' AND subject = $2`, []any{act, o.who[somying]}, &n)
			if n != 1 {
				t.Errorf("%s is in the log %d times", act, n)
			}
		}
	})
}

// TestResetByVouching is case 2.2 for who has no contact on file: his chief vouches, and a new contact waits 24 hours.
func TestResetByVouching(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		r := o.claimed(t, silent, helpdesk.Reset)
		if waits := must(o.desk.Start(ctx, o.who[agent1], r.ID))(t); !waits {
			t.Fatal("nobody has said who he is")
		}
		if m := o.message(t, "help.second"); m.Person != string(o.who[chief]) {
			t.Errorf("%s was told, not the chief", m.Person)
		}
		wants(t, "the agent himself", o.desk.Approve(ctx, o.who[agent1], r.ID), problem.Denied, "helpdesk.denied_three")
		wants(t, "an administrator for an ordinary officer", o.desk.Approve(ctx, o.who[admin1], r.ID), problem.Denied, "helpdesk.denied_second")
		pleas := must(o.desk.Pleas(ctx, o.who[chief]))(t)
		if len(pleas) != 1 || pleas[0].Receipt != r.Receipt || strings.Contains(pleas[0].Contact, "new0244") {
			t.Fatalf("the chief sees %+v", pleas)
		}
		if list := must(o.desk.Pleas(ctx, o.who[chief13]))(t); len(list) != 0 {
			t.Errorf("another chief sees %+v", list)
		}
		wants(t, "another chief", o.desk.Vouch(ctx, o.who[chief13], pleas[0].ID), problem.Denied, "helpdesk.no_act")
		wants(t, "an act that is not there", o.desk.Vouch(ctx, o.who[chief], store.NewID()), problem.Denied, "helpdesk.no_act")
		check(t, o.exec(t, `UPDATE units SET mailbox = 'saraban@nonthaburi.example.go.th' WHERE code = 'TH-12'`))
		check(t, o.desk.Vouch(ctx, o.who[chief], pleas[0].ID))
		if list := o.messages(t, "help.notice_office"); len(list) != 1 || list[0].To != "saraban@nonthaburi.example.go.th" || strings.Contains(list[0].Text, "http") {
			t.Errorf("the office's mailbox got %+v, want one message without a link", list)
		}
		wants(t, "twice", o.desk.Vouch(ctx, o.who[chief], pleas[0].ID), problem.Conflict, "helpdesk.seconded")
		if len(o.messages(t, "help.notice")) == 0 || len(o.messages(t, "help.approved")) == 0 {
			t.Error("neither the office nor the officer was told")
		}
		if m := o.message(t, "help.vouched"); m.To != "new0244@mail.example.com" {
			t.Errorf("%s was told that he was vouched for", m.To)
		}
		o.Clock.Advance(24*time.Hour - time.Second)
		wants(t, "a second too early", o.desk.SendLink(ctx, o.who[agent1], r.ID), problem.Conflict, "helpdesk.rests")
		o.Clock.Advance(time.Second)
		check(t, o.desk.SendLink(ctx, o.who[agent1], r.ID))
		if m := o.message(t, "help.link"); m.To != "new0244@mail.example.com" {
			t.Errorf("the link went to %s", m.To)
		}
		o.follow(t)

		o.Clock.Advance(24 * time.Hour)
		r = o.claimed(t, silent, helpdesk.Reset)
		must(o.desk.Start(ctx, o.who[agent1], r.ID))(t)
		check(t, o.desk.Approve(ctx, o.who[agent2], r.ID)) // a second agent
		pleas = must(o.desk.Pleas(ctx, o.who[chief]))(t)
		if len(pleas) != 1 {
			t.Fatalf("the chief sees %+v", pleas)
		}
		if err := o.desk.Refuse(ctx, o.who[chief], pleas[0].ID, " "); !errors.Is(err, problem.Invalid) {
			t.Errorf("without a reason: %v", err)
		}
		check(t, o.desk.Refuse(ctx, o.who[chief], pleas[0].ID, "ไม่ใช่คนของเรา"))
		o.Clock.Advance(48 * time.Hour)
		wants(t, "refused by the chief", o.desk.SendLink(ctx, o.who[agent1], r.ID), problem.NotFound, "helpdesk.no_act")
	})
}

// TestActiveUser is case 3 of the manual.
func TestActiveUser(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		o.Clock.Advance(61 * 24 * time.Hour)
		for _, works := range []string{agent1, agent2} { // and was there meanwhile
			check(t, o.DB.Write(ctx, func(tx *store.Tx) error { return officer.Reopen(ctx, tx, o.who[works]) }))
		}
		check(t, o.book.CatchUp(ctx))
		r := o.claimed(t, somying, helpdesk.Active)
		if c := must(o.desk.See(ctx, o.who[agent1], r.ID))(t); c.Account == nil || !c.Account.Locked {
			t.Fatalf("the agent sees %+v", c.Account)
		}
		o.prove(t, r, notify.SMS)
		must(o.desk.Start(ctx, o.who[agent1], r.ID))(t)
		var last int64
		o.read(t, `SELECT last_signin_at FROM accounts WHERE person_id = $1`, []any{o.who[somying]}, &last)
		if last != o.Clock.Now().UnixMicro() || len(o.messages(t, "help.open_again")) != 2 {
			t.Errorf("last sign-in %d; told %d times", last, len(o.messages(t, "help.open_again")))
		}
		r = o.claimed(t, silent, helpdesk.Active)
		must(o.desk.Start(ctx, o.who[agent1], r.ID))(t)
		check(t, o.desk.Approve(ctx, o.who[agent2], r.ID))
		o.read(t, `SELECT last_signin_at FROM accounts WHERE person_id = $1`, []any{o.who[silent]}, &last)
		if last != o.Clock.Now().UnixMicro() {
			t.Error("a second agent's word opened nothing")
		}
		if m := o.message(t, "help.reopened"); m.To != "new0244@mail.example.com" {
			t.Errorf("%s was told that the account is open", m.To)
		}
	})
}

// TestHeadless: where an office has no head, the administrators are told instead; an office without a mailbox has none told.
func TestHeadless(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		check(t, o.exec(t, `UPDATE appointments SET closed_at = 1, closed_by = 'x', closing = 'ended' WHERE person_id = $1`, o.who[chief]))
		r := o.claimed(t, silent, helpdesk.Reset)
		must(o.desk.Start(ctx, o.who[agent1], r.ID))(t)
		check(t, o.desk.Approve(ctx, o.who[agent2], r.ID))
		for purpose, want := range map[string]int{"help.second": 0, "help.second_headless": 2, "help.notice": 0, "help.notice_headless": 2, "help.notice_office": 0} {
			if got := len(o.messages(t, purpose)); got != want {
				t.Errorf("%d messages %s, want %d", got, purpose, want)
			}
		}
	})
}

// TestPrivileged: for who holds a post or may approve, the second is an administrator, after a code too (trust.md 13).
func TestPrivileged(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		for _, who := range []string{approver, chief, agent2, admin2} {
			r := o.claimed(t, who, helpdesk.Reset)
			o.prove(t, r, notify.Email)
			if waits := must(o.desk.Start(ctx, o.who[agent1], r.ID))(t); !waits {
				t.Errorf("%s: no second person", who)
			}
			if err := o.desk.Approve(ctx, o.who[agent2], r.ID); !errors.Is(err, problem.Denied) {
				t.Errorf("%s: an agent as second: %v", who, err)
			}
			if who == admin2 {
				wants(t, "oneself", o.desk.Approve(ctx, o.who[admin2], r.ID), problem.Denied, "helpdesk.denied_three")
			}
			links := len(o.messages(t, "help.link"))
			check(t, o.desk.Approve(ctx, o.who[admin1], r.ID))
			if len(o.messages(t, "help.link")) != links+1 {
				t.Errorf("%s: the link did not go out", who)
			}
		}
		r := o.claimed(t, agent1, helpdesk.Reset)
		o.prove(t, r, notify.Email)
		_, err := o.desk.Start(ctx, o.who[agent1], r.ID)
		wants(t, "an agent for himself", err, problem.Denied, "helpdesk.denied_self")
	})
}

// TestThreePersonsByTheDatabase: what the rules forbid, the tables refuse too.
func TestThreePersonsByTheDatabase(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		r := o.send(t, somying, helpdesk.Reset)
		a, b, c := o.who[agent1], o.who[agent2], o.who[somying]
		day := int64(24 * 60 * 60 * 1000000)
		row := func(subject, requester person.ID, approver any, as, proof string, privileged bool, approved, usable, done any) error {
			err := o.exec(t, `INSERT INTO help_acts (id, ticket_id, kind, subject, unit, proof, privileged, channel, requester, requested_at, approver,
				approver_as, approved_at, usable_at, done_at) VALUES ($1, $2, 'reset', $3, 'TH-12', $4, $5, 'email', $6, 1, $7, $8, $9, $10, $11)`,
				store.NewID(), r.ID, subject, proof, privileged, requester, approver, as, approved, usable, done)
			if err == nil {
				check(t, o.exec(t, `DELETE FROM help_acts`))
			}
			return err
		}
		for name, err := range map[string]error{
			"requester is subject":               row(c, c, nil, "", "code", false, nil, nil, 5),
			"approver is subject":                row(c, a, c, "agent", "code", false, 2, nil, 5),
			"approver is requester":              row(c, a, a, "agent", "code", false, 2, nil, 5),
			"approver without a moment":          row(c, a, b, "agent", "code", false, nil, nil, 5),
			"done without second or code":        row(c, a, nil, "", "second", false, nil, nil, 5),
			"privileged without second":          row(c, a, nil, "", "code", true, nil, nil, 5),
			"privileged with an agent as second": row(c, a, b, "agent", "code", true, 2, nil, 5),
			"a new contact at once":              row(c, a, b, "head", "second", false, 2, 3, 5),
			"a new contact before its time":      row(c, a, b, "head", "second", false, 2, day+2, day+1),
		} {
			if err == nil {
				t.Errorf("%s: the database takes it", name)
			}
		}
		for name, err := range map[string]error{
			"by code":              row(c, a, nil, "", "code", false, nil, nil, 5),
			"privileged, by code":  row(c, a, o.who[admin1], "administrator", "code", true, 2, nil, 5),
			"by the chief's word":  row(c, a, o.who[chief], "head", "second", false, 2, day+2, day+2),
			"waits for the second": row(c, a, nil, "", "second", false, nil, nil, nil),
		} {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestStrangersLearnNothing is guarantee P5 at the help desk: who has proved nothing sees the same for an ID with an
// account, without one, and with one that nothing recovers.
func TestStrangersLearnNothing(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		var seen []string
		for _, citizen := range []string{somying, silent, stranger} {
			r := o.send(t, citizen, helpdesk.Reset)
			sent := must(o.desk.SendCode(from(t), r.ID, here, notify.Email))(t)
			_, err := o.desk.Prove(from(t), r.ID, here, "000000")
			check(t, o.desk.Claim(t.Context(), o.who[agent1], r.ID))
			working := must(o.desk.Request(from(t), r.ID, here))(t)
			check(t, o.desk.Close(t.Context(), o.who[agent1], r.ID, helpdesk.Nobody))
			closed := must(o.desk.Request(from(t), r.ID, here))(t)
			if sent.Reference == "" || !errors.Is(err, problem.Invalid) {
				t.Fatalf("%s: %+v, %v", citizen, sent, err)
			}
			text := strings.NewReplacer(r.Receipt, "…").Replace(o.message(t, "help.closed").Text)
			seen = append(seen, strings.Join([]string{string(sent.Stage), string(sent.SentBy), key(err), string(working.Stage), string(closed.Stage), text}, "|"))
			o.Clock.Advance(time.Hour)
		}
		if seen[0] != seen[1] || seen[0] != seen[2] {
			t.Errorf("they differ:\n%s", strings.Join(seen, "\n"))
		}
		var n int
		o.read(t, `SELECT count(*) FROM persons WHERE citizen_index NOT IN (SELECT p.citizen_index FROM persons p JOIN accounts a ON a.person_id = p.id)`, nil, &n)
		if n != 0 {
			t.Errorf("%d strangers were put on the roll", n)
		}
		var row string
		o.read(t, `SELECT receipt || subject || email_index || phone_index FROM tickets LIMIT 1`, nil, &row)
		for _, secret := range []string{somying, stranger, "example.com"} {
			if strings.Contains(row, secret) {
				t.Errorf("%s is kept as it is", secret)
			}
		}
	})
}

// TestLimitsTellNothing: how often codes may be sent is told by the citizen ID alone, whichever way they are asked for:
// that a contact was sent one just now would tell that there is a contact.
func TestLimitsTellNothing(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		var seen []string
		for _, citizen := range []string{somying, silent, stranger} {
			o.Clock.Advance(time.Hour)
			r := o.send(t, citizen, helpdesk.Reset)
			reset := must(o.signin.StartReset(from(t), citizen, here, locale.TH))(t)
			_, first := o.signin.SendReset(from(t), reset.ID, here, notify.Email)
			_, other := o.desk.SendCode(from(t), r.ID, here, notify.SMS)
			_, again := o.desk.SendCode(from(t), r.ID, here, notify.Email)
			o.Clock.Advance(61 * time.Second)
			_, later := o.desk.SendCode(from(t), r.ID, here, notify.Email)
			seen = append(seen, strings.Join([]string{key(first), key(other), key(again), key(later)}, "|"))
		}
		if seen[0] != seen[1] || seen[0] != seen[2] || !strings.Contains(seen[0], "proof.code.wait") {
			t.Errorf("they differ:\n%s", strings.Join(seen, "\n"))
		}
	})
}

// TestStatus: receipt and contact open it, and nothing else does.
func TestStatus(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		r := o.send(t, stranger, helpdesk.Active)
		if got := must(o.desk.Find(from(t), " "+strings.ToLower(strings.ReplaceAll(r.Receipt, "-", " ")), "NEW0503@mail.example.com", "b"))(t); got.ID != r.ID {
			t.Errorf("found %+v", got)
		}
		must(o.desk.Request(from(t), r.ID, "b"))(t)
		_, err := o.desk.Request(from(t), r.ID, "c")
		wants(t, "a browser that does not know them", err, problem.NotFound, "helpdesk.no_ticket")
		_, err = o.desk.Find(from(t), r.Receipt, "other@mail.example.com", "c")
		wants(t, "another contact", err, problem.Invalid, "helpdesk.receipt_unknown")
		for range 30 {
			_, err = o.desk.Find(from(t), "BBBB-BBBB", "other@mail.example.com", "c")
		}
		wants(t, "trying without end", err, problem.Busy, "helpdesk.too_many")
		for i := range 4 {
			_, err = o.desk.Send(from(t), form(somying, helpdesk.Reset), here)
			if busy := errors.Is(err, problem.Busy); busy != (i == 3) {
				t.Errorf("request %d about one contact: %v", i+1, err)
			}
		}
		o.Clock.Advance(25 * time.Hour)
		_, err = o.desk.Request(from(t), r.ID, here)
		wants(t, "a day later", err, problem.NotFound, "helpdesk.no_ticket")
		_, err = o.desk.Send(from(t), helpdesk.Form{}, here)
		var p *problem.Problem
		if !errors.As(err, &p) || len(p.Fields) != 6 {
			t.Errorf("an empty form: %v", err)
		}
	})
}

// TestAgentsOnly: nobody else reads or moves a ticket, and every look is in the log.
func TestAgentsOnly(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		r := o.send(t, somying, helpdesk.Reset)
		for _, who := range []string{somying, chief} {
			by := o.who[who]
			_, seen := o.desk.See(ctx, by, r.ID)
			_, queue := o.desk.Queue(ctx, by, helpdesk.Filter{})
			_, figures := o.desk.Figures(ctx, by)
			_, start := o.desk.Start(ctx, by, r.ID)
			_, unmask := o.desk.Unmask(ctx, by, r.ID, "x")
			for name, err := range map[string]error{
				"see": seen, "queue": queue, "figures": figures, "start": start, "unmask": unmask, "look": o.desk.Look(ctx, by, r.ID),
				"claim": o.desk.Claim(ctx, by, r.ID), "release": o.desk.Release(ctx, by, r.ID), "note": o.desk.Note(ctx, by, r.ID, "x"),
				"answer": o.desk.Answer(ctx, by, r.ID, "code"), "close": o.desk.Close(ctx, by, r.ID, helpdesk.Done),
				"approve": o.desk.Approve(ctx, by, r.ID), "send": o.desk.SendLink(ctx, by, r.ID), "stop": o.desk.Stop(ctx, by, r.ID, "x"),
			} {
				if !errors.Is(err, problem.Denied) {
					t.Errorf("%s by %s: %v", name, who, err)
				}
			}
		}
		by := o.who[agent1]
		if c := must(o.desk.See(ctx, by, r.ID))(t); c.Looks || c.Typed != (helpdesk.Typed{}) || c.Account != nil {
			t.Errorf("seen before a look: %+v", c)
		}
		check(t, o.desk.Look(ctx, by, r.ID))
		if c := must(o.desk.See(ctx, by, r.ID))(t); !c.Looks || c.Typed.Name == "" || c.Account == nil || strings.Contains(c.Citizen, somying[5:10]) {
			t.Errorf("seen after: %+v", c)
		}
		o.Clock.Advance(30 * time.Minute)
		if c := must(o.desk.See(ctx, by, r.ID))(t); c.Looks {
			t.Error("a look lasts")
		}
		_, err := o.desk.Unmask(ctx, by, r.ID, " ")
		wants(t, "unmask without a reason", err, problem.Invalid, "helpdesk.reason_empty")
		if citizen := must(o.desk.Unmask(ctx, by, r.ID, "โทรถึงผู้แจ้ง"))(t); citizen.Digits() != somying {
			t.Errorf("unmasked %s", citizen)
		}
		var n int
		o.read(t, `SELECT count(*) FROM audit_entries WHERE act IN ('helpdesk.look', 'helpdesk.unmask') AND outcome = 'done'`, nil, &n)
		if n != 2 {
			t.Errorf("%d looks in the log", n)
		}
		check(t, o.desk.Claim(ctx, by, r.ID))
		wants(t, "claimed by another", o.desk.Claim(ctx, o.who[agent2], r.ID), problem.Conflict, "helpdesk.taken_by_other")
		wants(t, "a citizen ID in a note", o.desk.Note(ctx, by, r.ID, "คือ "+somying), problem.Invalid, "problem.holds_citizen")
		check(t, o.desk.Note(ctx, by, r.ID, "โทรแล้วไม่รับ"))
		check(t, o.desk.Answer(ctx, by, r.ID, "code"))
		if list := must(o.desk.Queue(ctx, by, helpdesk.Filter{Mine: true, State: helpdesk.Taken, Kind: helpdesk.Reset, Older: time.Minute}))(t); len(list) != 1 {
			t.Errorf("my queue: %+v", list)
		}
		check(t, o.desk.Release(ctx, by, r.ID))
		if list := must(o.desk.Queue(ctx, o.who[admin1], helpdesk.Filter{State: helpdesk.New}))(t); len(list) != 1 {
			t.Errorf("the queue: %+v", list)
		}
	})
}

// TestAlarm: the administrators are told of the twenty-first act within a day, once.
func TestAlarm(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		r := o.claimed(t, silent, helpdesk.Reset)
		for i := range 22 {
			o.Clock.Advance(time.Minute)
			if i > 0 {
				check(t, o.desk.Stop(ctx, o.who[agent1], r.ID, "เริ่มใหม่"))
			}
			must(o.desk.Start(ctx, o.who[agent1], r.ID))(t)
			want := 0
			if i >= 20 {
				want = 2 // both administrators
			}
			if got := len(o.messages(t, "help.alarm")); got != want {
				t.Fatalf("after %d acts %d alarms", i+1, got)
			}
		}
		second := func() {
			t.Helper()
			check(t, o.exec(t, `UPDATE accounts SET last_signin_at = $2 WHERE person_id = $1`, o.who[silent], o.Clock.Now().Add(-officer.LockAfter).UnixMicro()))
			one := o.claimed(t, silent, helpdesk.Active)
			must(o.desk.Start(ctx, o.who[agent1], one.ID))(t)
			check(t, o.desk.Approve(ctx, o.who[agent2], one.ID))
			check(t, o.desk.Close(ctx, o.who[agent1], one.ID, helpdesk.Done))
		}
		second()
		for range 19 {
			check(t, o.exec(t, `INSERT INTO help_acts (id, ticket_id, kind, subject, unit, proof, privileged, channel, requester, requested_at, approver, approver_as,
				approved_at, done_at) VALUES ($1, $2, 'active', $3, 'TH-12', 'second', FALSE, 'email', $4, 1, $5, 'agent', $6, $6)`,
				store.NewID(), r.ID, o.who[silent], o.who[admin1], o.who[agent2], o.Clock.Now().UnixMicro()))
		}
		if got := len(o.messages(t, "help.alarm")); got != 2 {
			t.Errorf("%d alarms before an agent has seconded too often", got)
		}
		second()
		if got := len(o.messages(t, "help.alarm")); got != 4 {
			t.Errorf("%d alarms when an agent has seconded too often", got)
		}
		check(t, o.exec(t, `DELETE FROM help_acts WHERE approver_as = 'agent'`))

		f := must(o.desk.Figures(ctx, o.who[admin1]))(t)
		if f.Open != 1 || len(f.Agents) != 1 || f.Agents[0].Day != 22 || !f.Agents[0].Alarm {
			t.Errorf("figures: %+v", f)
		}
		if g := must(o.desk.Gauges(ctx))(t); g[0] != 1 || g[3] != 1 {
			t.Errorf("gauges: %v", g)
		}
		check(t, o.desk.Close(ctx, o.who[agent1], r.ID, helpdesk.Done))
		o.Clock.Advance(91 * 24 * time.Hour)
		if n := must(o.desk.Sweep(ctx))(t); n < 20 {
			t.Errorf("swept %d rows", n)
		}
		var left int
		o.read(t, `SELECT (SELECT count(*) FROM tickets) + (SELECT count(*) FROM help_acts) + (SELECT count(*) FROM ticket_events)`, nil, &left)
		if left != 0 {
			t.Errorf("%d rows are left", left)
		}
	})
}

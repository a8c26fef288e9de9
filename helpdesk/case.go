package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/signin"
)

// Event is a line of a ticket's story.
type Event struct {
	At   time.Time
	By   person.ID // "" for who asked
	What string    // received, proved, claimed, released, looked, noted, answered, started, seconded, sent, reopened, stopped, closed
	Word string    // which answer, which channel, which reason
	Text string
}

// Filter narrows the queue. The zero value shows all that is open.
type Filter struct {
	State State // "" for all that is open
	Kind  Kind
	Mine  bool          // claimed by who asks
	Older time.Duration // since it came in
}

// shown is how many tickets the queue shows.
const shown = 200

// Queue lists tickets, the oldest first; what is in them is not opened. It fails with problem.Denied for who is neither
// agent nor central administrator.
func (d *Desk) Queue(ctx context.Context, by person.ID, f Filter) (list []Ticket, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		if _, err := d.require(ctx, tx, by); err != nil {
			return err
		}
		where, args := `t.closed_at IS NULL`, []any{}
		add := func(condition string, value any) {
			args = append(args, value)
			where += " AND " + condition + " $" + strconv.Itoa(len(args))
		}
		switch f.State {
		case "":
		case Closed:
			where = `t.closed_at IS NOT NULL`
		default:
			add("t.state =", f.State)
		}
		if f.Kind != "" {
			add("t.kind =", f.Kind)
		}
		if f.Mine {
			add("t.claimed_by =", by)
		}
		if f.Older > 0 {
			add("t.created_at <=", store.Us(tx.Now.Add(-f.Older)))
		}
		order := `t.created_at, t.id`
		if f.State == Closed {
			order = `t.closed_at DESC, t.id`
		}
		args = append(args, shown)
		list, err = store.Rows(scanTicket)(tx.Query(ctx, `SELECT `+ticketColumns+` FROM tickets t WHERE `+where+
			` ORDER BY `+order+` LIMIT $`+strconv.Itoa(len(args)), args...))
		if err != nil {
			return fmt.Errorf("list tickets: %w", err)
		}
		for i := range list {
			list[i].Proved = proves(list[i].ProvedAt, tx.Now)
		}
		return nil
	})
	return list, err
}

// require answers whether a person is agent; it fails with problem.Denied for who is neither agent nor administrator.
func (d *Desk) require(ctx context.Context, tx *store.Tx, by person.ID) (agent bool, err error) {
	err = d.Book.RequireAgent(ctx, tx, by)
	if !errors.Is(err, problem.Denied) {
		return err == nil, err
	}
	other := d.Book.RequireAdministrator(ctx, tx, by)
	if errors.Is(other, problem.Denied) {
		return false, err
	}
	return false, other
}

// Account is what an agent sees of the account that a request means: what has to do with getting in, and no secret.
type Account struct {
	Person        person.ID
	Name          string
	Position      string
	Unit          string
	Enabled       bool
	PasswordOff   bool
	RegisteredAt  time.Time
	LastSignIn    time.Time
	LocksAt       time.Time
	Locked        bool
	Email, Phone  string // masked; "" for none
	EmailRecovers bool   // is on file for 72 hours: a code there proves who asks
	PhoneRecovers bool
	Privileged    bool // holds a post or may approve: a second act of an administrator is needed
}

// Case is a ticket as an agent sees it.
type Case struct {
	Ticket
	Agent   bool // who looks is agent
	Looks   bool // has its personal data before him; Typed, Citizen and Account are empty otherwise
	Typed   Typed
	Citizen string // masked
	Account *Account
	Acts    []Act
	Events  []Event
	Others  int // further open tickets about the same citizen ID
	Names   map[person.ID]string
}

// See shows a ticket to an agent or a central administrator. Personal data is in it only while Look has opened it. It
// fails with problem.Denied for anybody else and with problem.NotFound for no such ticket.
func (d *Desk) See(ctx context.Context, by person.ID, id string) (c Case, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		c = Case{}
		if c.Agent, err = d.require(ctx, tx, by); err != nil {
			return err
		}
		if c.Ticket, err = selectTicket(ctx, tx, id); err != nil {
			return err
		}
		if c.Acts, err = selectActs(ctx, tx, `h.ticket_id = $1`, id); err != nil {
			return err
		}
		if c.Events, err = d.events(ctx, tx, id); err != nil {
			return err
		}
		if c.Looks, err = looksAt(ctx, tx, id, by); err != nil {
			return err
		}
		if c.Names, err = d.names(ctx, tx, c); err != nil {
			return err
		}
		if !c.Looks {
			for i := range c.Events {
				c.Events[i].Text = ""
			}
			return nil
		}
		return d.reveal(ctx, tx, &c)
	})
	return c, err
}

// reveal fills in the personal data of a case.
func (d *Desk) reveal(ctx context.Context, tx *store.Tx, c *Case) (err error) {
	if c.Typed, err = d.opened(c.Ticket); err != nil {
		return err
	}
	if citizen, err := thai.ParseCitizenID(c.Typed.CitizenID); err == nil || errors.Is(err, thai.ErrCheckDigit) {
		c.Citizen = citizen.Mask()
	}
	if c.subject == "" {
		return nil
	}
	err = tx.QueryRow(ctx, `SELECT count(*) FROM tickets WHERE subject = $1 AND id <> $2 AND closed_at IS NULL`, c.subject, c.ID).Scan(&c.Others)
	if err != nil {
		return fmt.Errorf("count tickets: %w", err)
	}
	a, err := signin.Owner(ctx, tx, c.subject)
	if errors.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	c.Account = &Account{
		Person: a.Person, Name: a.Name(), Position: a.Position, Unit: a.Unit, Enabled: a.Enabled(), RegisteredAt: a.RegisteredAt, LastSignIn: a.LastSignIn,
		LocksAt: officer.LocksAt(a.LastSignIn, d.LockAfter), Locked: a.Locked(tx.Now, d.LockAfter), Email: a.Email.Mask(), Phone: a.Phone.Mask(),
		EmailRecovers: officer.Recovers(a, notify.Email, tx.Now), PhoneRecovers: officer.Recovers(a, notify.SMS, tx.Now),
	}
	if a.Email == "" {
		c.Account.Email = ""
	}
	if a.Phone == "" {
		c.Account.Phone = ""
	}
	if err := tx.QueryRow(ctx, `SELECT password_off FROM accounts WHERE person_id = $1`, a.Person).Scan(&c.Account.PasswordOff); err != nil {
		return fmt.Errorf("read state of account: %w", err)
	}
	c.Account.Privileged, err = d.Book.Privileged(ctx, tx, a.Person)
	return err
}

// names are the names of those who worked on a case.
func (d *Desk) names(ctx context.Context, tx *store.Tx, c Case) (map[person.ID]string, error) {
	who := []person.ID{c.ClaimedBy, c.ClosedBy}
	for _, e := range c.Events {
		who = append(who, e.By)
	}
	for _, a := range c.Acts {
		who = append(who, a.Requester, a.Approver, a.StoppedBy)
	}
	slices.Sort(who)
	names := map[person.ID]string{}
	for _, id := range slices.Compact(who) {
		a, err := officer.Find(ctx, tx, id)
		if errors.Is(err, problem.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		names[id] = a.Name()
	}
	return names, nil
}

// subjectOf is the person whom a ticket means, "" where nobody on the roll is meant.
func subjectOf(ctx context.Context, tx *store.Tx, t Ticket) (who person.ID, err error) {
	list, err := store.Rows(func(row store.Row) (id person.ID, err error) { return id, row.Scan(&id) })(tx.Query(ctx,
		`SELECT id FROM persons WHERE citizen_index = $1`, t.subject))
	if err != nil {
		return "", fmt.Errorf("find person of ticket: %w", err)
	}
	if len(list) == 1 {
		who = list[0]
	}
	return who, nil
}

// work runs an act on a ticket and records it. Without agents only, central administrators may too.
func (d *Desk) work(ctx context.Context, by person.ID, name, id string, agents bool, f func(tx *store.Tx, t *Ticket, act *audit.Act) error) error {
	act := &audit.Act{Name: name, Actor: string(by), Object: id}
	return audit.Do(ctx, d.DB, act, func(tx *store.Tx) error {
		if agents {
			if err := d.Book.RequireAgent(ctx, tx, by); err != nil {
				return err
			}
		} else if _, err := d.require(ctx, tx, by); err != nil {
			return err
		}
		t, err := selectTicket(ctx, tx, id)
		if err != nil {
			return err
		}
		who, err := subjectOf(ctx, tx, t)
		if err != nil {
			return err
		}
		act.Subject, act.Detail = string(who), map[string]string{"receipt": t.Receipt, "kind": string(t.Kind)}
		return f(tx, &t, act)
	})
}

// Look opens the personal data of a ticket to an agent or administrator for half an hour; the look is in the log.
func (d *Desk) Look(ctx context.Context, by person.ID, id string) error {
	return d.work(ctx, by, "helpdesk.look", id, false, func(tx *store.Tx, t *Ticket, _ *audit.Act) error {
		if err := d.note(ctx, tx, t.ID, by, "looked", "", ""); err != nil {
			return err
		}
		return upsertLook(ctx, tx, t.ID, by)
	})
}

// Unmask shows the citizen ID that was typed whole; the reason is in the log.
func (d *Desk) Unmask(ctx context.Context, by person.ID, id, reason string) (citizen thai.CitizenID, err error) {
	err = d.work(ctx, by, "helpdesk.unmask", id, false, func(tx *store.Tx, t *Ticket, act *audit.Act) error {
		reason, err := say(FieldReason, reason, 500, "helpdesk.reason_empty")
		if err != nil {
			return err
		}
		act.Texts = map[string]string{"reason": reason}
		typed, err := d.opened(*t)
		if err != nil {
			return err
		}
		if typed.CitizenID == "" {
			return errNoTicket()
		}
		citizen, err = thai.ParseCitizenID(typed.CitizenID)
		if errors.Is(err, thai.ErrCheckDigit) {
			err = nil
		}
		return err
	})
	return citizen, err
}

// say reads a line that has to be there.
func say(field, typed string, most int, empty string) (string, error) {
	var c problem.Check
	s, err := thai.CleanLine(typed, most)
	switch {
	case err != nil:
		c.Fail(field, "officer.problem.too_long", "n", most)
	case s == "":
		c.Fail(field, empty)
	}
	person.CheckText(&c, field, s)
	return s, c.Err()
}

// Claim gives a ticket to the agent who takes it, with its personal data. It fails with problem.Conflict when another
// has it, or it is closed or not completed.
func (d *Desk) Claim(ctx context.Context, by person.ID, id string) error {
	return d.work(ctx, by, "helpdesk.claim", id, true, func(tx *store.Tx, t *Ticket, _ *audit.Act) error {
		was := *t
		switch {
		case t.ClaimedBy == by:
			return upsertLook(ctx, tx, t.ID, by)
		case t.State == Draft || t.State == Closed:
			return problem.New(problem.Conflict, "helpdesk.not_open")
		case t.ClaimedBy != "":
			return problem.New(problem.Conflict, "helpdesk.taken_by_other")
		}
		t.ClaimedBy, t.ClaimedAt = by, tx.Now
		first := t.State == New
		if first {
			t.State = Taken
		}
		if err := updateTicket(ctx, tx, was, *t); err != nil {
			return err
		}
		if err := d.note(ctx, tx, t.ID, by, "claimed", "", ""); err != nil {
			return err
		}
		if err := upsertLook(ctx, tx, t.ID, by); err != nil || !first {
			return err
		}
		typed, err := d.opened(*t)
		if err != nil {
			return err
		}
		return d.tell(ctx, tx, *t, typed, "help.working")
	})
}

// requireMine refuses what only the agent does who has claimed a ticket that is open.
func (t Ticket) requireMine(by person.ID) error {
	switch {
	case t.State == Closed || t.State == Draft:
		return problem.New(problem.Conflict, "helpdesk.not_open")
	case t.ClaimedBy != by:
		return problem.New(problem.Conflict, "helpdesk.not_yours")
	}
	return nil
}

// Release gives a ticket back to the queue.
func (d *Desk) Release(ctx context.Context, by person.ID, id string) error {
	return d.work(ctx, by, "helpdesk.release", id, true, func(tx *store.Tx, t *Ticket, _ *audit.Act) error {
		if err := t.requireMine(by); err != nil {
			return err
		}
		was := *t
		t.ClaimedBy, t.ClaimedAt = "", time.Time{}
		if t.State == Taken {
			t.State = New
		}
		if err := updateTicket(ctx, tx, was, *t); err != nil {
			return err
		}
		return d.note(ctx, tx, t.ID, by, "released", "", "")
	})
}

// Note writes something down for agents; who asked does not see it.
func (d *Desk) Note(ctx context.Context, by person.ID, id, text string) error {
	text, err := say(FieldNote, text, 1000, "helpdesk.note_empty")
	if err != nil {
		return err
	}
	return d.work(ctx, by, "helpdesk.note", id, true, func(tx *store.Tx, t *Ticket, act *audit.Act) error {
		act.Texts = map[string]string{"note": text}
		return d.note(ctx, tx, t.ID, by, "noted", "", text)
	})
}

// Answer sends who asked one of the canned Answers.
func (d *Desk) Answer(ctx context.Context, by person.ID, id, answer string) error {
	if !slices.Contains(Answers, answer) {
		var c problem.Check
		c.Fail(FieldAnswer, "helpdesk.answer_missing")
		return c.Err()
	}
	return d.work(ctx, by, "helpdesk.answer", id, true, func(tx *store.Tx, t *Ticket, act *audit.Act) error {
		if err := t.requireMine(by); err != nil {
			return err
		}
		act.Detail["answer"] = answer
		was := *t
		t.answered(tx.Now)
		if err := updateTicket(ctx, tx, was, *t); err != nil {
			return err
		}
		if err := d.note(ctx, tx, t.ID, by, "answered", answer, ""); err != nil {
			return err
		}
		typed, err := d.opened(*t)
		if err != nil {
			return err
		}
		return d.tell(ctx, tx, *t, typed, "help.answer_"+answer)
	})
}

// answered notes the first answer.
func (t *Ticket) answered(at time.Time) {
	if t.AnsweredAt.IsZero() {
		t.AnsweredAt = at
	}
}

// Close ends a ticket with a reason and tells who asked that it is closed. An act that waits is stopped.
func (d *Desk) Close(ctx context.Context, by person.ID, id string, why Closing) error {
	if !slices.Contains(Closings, why) {
		var c problem.Check
		c.Fail("closing", "helpdesk.closing_missing")
		return c.Err()
	}
	return d.work(ctx, by, "helpdesk.close", id, true, func(tx *store.Tx, t *Ticket, act *audit.Act) error {
		if err := t.requireMine(by); err != nil {
			return err
		}
		act.Detail["closing"] = string(why)
		t.answered(tx.Now)
		if err := d.end(ctx, tx, t, by, why); err != nil {
			return err
		}
		typed, err := d.opened(*t)
		if err != nil {
			return err
		}
		return d.tell(ctx, tx, *t, typed, "help.closed")
	})
}

// end closes a ticket and stops the act that waits.
func (d *Desk) end(ctx context.Context, tx *store.Tx, t *Ticket, by person.ID, why Closing) error {
	if a, err := openAct(ctx, tx, t.ID); err == nil {
		a.StoppedBy, a.StoppedAt = by, tx.Now
		if err := updateAct(ctx, tx, a); err != nil {
			return err
		}
	} else if !errors.Is(err, problem.NotFound) {
		return err
	}
	was := *t
	t.State, t.ClosedBy, t.ClosedAt, t.Closing = Closed, by, tx.Now, why
	if err := updateTicket(ctx, tx, was, *t); err != nil {
		return err
	}
	return d.note(ctx, tx, t.ID, by, "closed", string(why), "")
}

// lapse closes what nobody closes: tickets acted on actedRests ago, and those to which nothing was done for openRests.
// Each is an act of the program itself; who asked is told where a contact of his is proved.
func (d *Desk) lapse(ctx context.Context) error {
	var list []string
	err := d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = selectLapsed(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range list {
		act := &audit.Act{Name: "helpdesk.close", Actor: audit.System, Object: id}
		err := audit.Do(ctx, d.DB, act, func(tx *store.Tx) error {
			t, err := selectTicket(ctx, tx, id)
			if err != nil {
				return err
			}
			if t.State == Closed {
				return problem.New(problem.Conflict, "helpdesk.not_open")
			}
			who, err := subjectOf(ctx, tx, t)
			if err != nil {
				return err
			}
			act.Subject = string(who)
			act.Detail = map[string]string{"receipt": t.Receipt, "kind": string(t.Kind), "closing": string(Lapsed)}
			if err := d.end(ctx, tx, &t, audit.System, Lapsed); err != nil {
				return err
			}
			if t.ProvedBy == "" {
				return d.tellLine(ctx, tx, t, "help.closed")
			}
			return d.tell(ctx, tx, t, Typed{}, "help.closed")
		})
		if err != nil && !errors.Is(err, problem.Conflict) { // somebody was quicker: it has not lapsed
			return fmt.Errorf("close ticket that lapsed: %w", err)
		}
	}
	return nil
}

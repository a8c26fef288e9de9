package helpdesk

import (
	"context"
	"errors"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/signin"
)

// Start begins what a ticket asks for, by the agent who has it: the link to a new password, or the account opened again.
// It is done at once after a code to a contact on file; otherwise, and for who holds a post or may approve, it waits for
// a second person. It answers whether it waits. It fails with problem.Conflict while it can not be done.
func (d *Desk) Start(ctx context.Context, by person.ID, id string) (waits bool, err error) {
	err = d.work(ctx, by, "helpdesk.start", id, true, func(tx *store.Tx, t *Ticket, act *audit.Act) error {
		typed, err := d.opened(*t)
		if err != nil {
			return err
		}
		owner, err := signin.Owner(ctx, tx, t.subject)
		if err != nil && !errors.Is(err, problem.NotFound) {
			return err
		}
		f := startFacts{
			By: by, Claimed: t.ClaimedBy, State: t.State, Subject: owner.Person, Enabled: owner.Enabled(), Kind: t.Kind,
			Proved:   t.Proved && officer.Recovers(owner, t.ProvedBy, tx.Now),
			Recovers: recovers(owner, tx.Now), Locked: owner.Locked(tx.Now, d.LockAfter),
		}
		switch {
		case typed.Email != "":
			f.NewContact = notify.Email
		case typed.Phone != "":
			f.NewContact = notify.SMS
		}
		if owner.Person != "" {
			if f.Privileged, err = d.Book.Privileged(ctx, tx, owner.Person); err != nil {
				return err
			}
			if f.SignedIn, err = signedInSince(ctx, tx, owner, t.CreatedAt); err != nil {
				return err
			}
		}
		proved, err := mayStart(f)
		if err != nil {
			return err
		}
		a := Act{ID: store.NewID(), Ticket: t.ID, Receipt: t.Receipt, Kind: t.Kind, Subject: owner.Person, Unit: owner.Unit, Proof: proved,
			Privileged: f.Privileged, Channel: t.ProvedBy, Requester: by, RequestedAt: tx.Now}
		if proved == bySecond {
			a.Channel = f.NewContact
		}
		act.Unit, act.Detail["proof"] = owner.Unit, proved
		if err := insertAct(ctx, tx, a); err != nil {
			return err
		}
		if err := d.watch(ctx, tx, by); err != nil {
			return err
		}
		was := *t
		t.answered(tx.Now)
		if waits = a.needsSecond(); !waits {
			return d.do(ctx, tx, by, was, t, a, owner, typed)
		}
		t.State = Second
		if err := updateTicket(ctx, tx, was, *t); err != nil {
			return err
		}
		if err := d.note(ctx, tx, t.ID, by, "started", string(a.Kind), ""); err != nil {
			return err
		}
		if a.Privileged {
			return d.Book.TellCentre(ctx, tx, by, "help.central", casePath(t.ID), locale.Args{"receipt": t.Receipt})
		}
		return d.tellOffice(ctx, tx, t.ID, owner, "help.second")
	})
	return waits, err
}

// do does an act: the link goes out, or the account opens again.
func (d *Desk) do(ctx context.Context, tx *store.Tx, by person.ID, was Ticket, t *Ticket, a Act, owner officer.Account, typed Typed) error {
	what := "sent"
	if a.Kind == Active {
		what = "reopened"
		if err := officer.Reopen(ctx, tx, owner.Person); err != nil {
			return err
		}
		if err := d.Book.Moved(ctx, tx, owner.Person); err != nil { // memory knows when accounts lock
			return err
		}
		if err := officer.Tell(ctx, tx, d.Outbox, owner, "help.open_again", locale.Args{"receipt": t.Receipt}); err != nil {
			return err
		}
	} else if err := d.sendLink(ctx, tx, a, owner, typed); err != nil {
		return err
	}
	a.DoneAt = tx.Now
	if err := updateAct(ctx, tx, a); err != nil {
		return err
	}
	t.State = Acted
	if err := updateTicket(ctx, tx, was, *t); err != nil {
		return err
	}
	if err := d.note(ctx, tx, t.ID, by, what, string(a.Channel), ""); err != nil {
		return err
	}
	if a.Kind == Active && a.Proof == bySecond { // what he typed is none of the contacts that were told
		return d.tell(ctx, tx, *t, typed, "help.reopened")
	}
	return d.tellLine(ctx, tx, *t, "help."+what)
}

// sendLink makes the link to a new password and sends it to the contact on file that took the code, or to the new one.
func (d *Desk) sendLink(ctx context.Context, tx *store.Tx, a Act, owner officer.Account, typed Typed) error {
	to := signin.RecoveryContact(owner, a.Channel, tx.Now)
	if a.Proof == bySecond {
		to = typed.Email
		if a.Channel == notify.SMS {
			to = typed.Phone
		}
	}
	if to == "" { // it was changed since the code
		return problem.New(problem.Conflict, "helpdesk.code_first")
	}
	path, expires, err := d.SignIn.NewLink(ctx, tx, owner.Person, a.Channel)
	if err != nil {
		return err
	}
	return d.Outbox.Queue(ctx, tx, notify.Message{Channel: a.Channel, Person: string(owner.Person), To: to, Purpose: "help.link", Lang: owner.Language,
		Args: locale.Args{"receipt": a.Receipt, "link": d.Link(path)}, ExpiresAt: expires})
}

// watch raises the alarm when an agent has started and seconded acts more often than is usual (trust.md 13).
func (d *Desk) watch(ctx context.Context, tx *store.Tx, agent person.ID) error {
	n, err := countActs(ctx, tx, agent)
	if err != nil || !alarms(n) {
		return err
	}
	a, err := officer.Find(ctx, tx, agent)
	if err != nil {
		return err
	}
	tx.AfterCommit(func() { d.Log.WarnContext(ctx, "agent acts often", "agent", string(agent), "acts", n) })
	return d.Book.TellCentre(ctx, tx, agent, "help.alarm", "/help/figures", locale.Args{"name": a.Name(), "n": n})
}

// tellMailbox tells the office's own mailbox, where there is one, that somebody of its officers was vouched for (trust.md
// 12): whoever reads it may know better. It gets no link, because it is nobody's account.
func (d *Desk) tellMailbox(ctx context.Context, tx *store.Tx, owner officer.Account) error {
	unit, err := agency.Find(ctx, tx, owner.Unit)
	if err != nil || unit.Mailbox == "" {
		return err
	}
	return d.Outbox.Queue(ctx, tx, notify.Message{
		Channel: notify.Email, To: string(unit.Mailbox), Purpose: "help.notice_office", Lang: locale.TH,
		Args: locale.Args{"name": owner.Name(), "position": owner.Position, "unit": unit.Name},
	})
}

// tellOffice tells the heads of an officer's office; where it has no head but him, the central administrators are told in
// other words.
func (d *Desk) tellOffice(ctx context.Context, tx *store.Tx, ticket string, owner officer.Account, purpose string) error {
	unit, err := agency.Find(ctx, tx, owner.Unit)
	if err != nil {
		return err
	}
	args := locale.Args{"name": owner.Name(), "position": owner.Position, "unit": unit.Name, "link": d.Link("/ko1/help")}
	told, err := d.Book.TellHeads(ctx, tx, owner.Unit, owner.Person, purpose, args)
	if err != nil || told > 0 {
		return err
	}
	return d.Book.TellCentre(ctx, tx, owner.Person, purpose+"_headless", casePath(ticket), args)
}

// casePath is the page of a ticket.
func casePath(ticket string) string { return "/help/cases/" + ticket }

// second runs what a second person does with an act that waits; find finds it within what he may see.
func (d *Desk) second(ctx context.Context, by person.ID, name string, act *audit.Act, find func(tx *store.Tx) (Act, error),
	f func(tx *store.Tx, t *Ticket, a Act, owner officer.Account, typed Typed) error) error {
	*act = audit.Act{Name: name, Actor: string(by)}
	return audit.Do(ctx, d.DB, act, func(tx *store.Tx) error {
		a, err := find(tx)
		if err != nil {
			return err
		}
		act.Subject, act.Unit, act.Object = string(a.Subject), a.Unit, a.Ticket
		act.Detail = map[string]string{"receipt": a.Receipt, "kind": string(a.Kind)}
		t, err := selectTicket(ctx, tx, a.Ticket)
		if err != nil {
			return err
		}
		typed, err := d.opened(t)
		if err != nil {
			return err
		}
		owner, err := officer.Find(ctx, tx, a.Subject)
		if err != nil {
			return err
		}
		return f(tx, &t, a, owner, typed)
	})
}

// ofTicket finds the act of a ticket that waits, for an agent or administrator.
func (d *Desk) ofTicket(ctx context.Context, by person.ID, ticket string) func(tx *store.Tx) (Act, error) {
	return func(tx *store.Tx) (Act, error) {
		if _, err := d.require(ctx, tx, by); err != nil {
			return Act{}, err
		}
		return openAct(ctx, tx, ticket)
	}
}

// ofOffice finds an act that waits, for the head of the officer's office; one of another office is not there.
func (d *Desk) ofOffice(ctx context.Context, by person.ID, id string) func(tx *store.Tx) (Act, error) {
	return func(tx *store.Tx) (Act, error) {
		units, err := d.Book.HeadOf(ctx, tx, by)
		if err != nil {
			return Act{}, err
		}
		for _, unit := range units {
			list, err := selectActs(ctx, tx, `h.id = $1 AND h.unit = $2 AND h.subject <> $3 AND h.done_at IS NULL AND h.stopped_at IS NULL`, id, unit, by)
			if err != nil {
				return Act{}, err
			}
			if len(list) == 1 {
				return list[0], nil
			}
		}
		return Act{}, problem.New(problem.Denied, "helpdesk.no_act")
	}
}

// Approve is the second person's word for an act, on the page of the ticket: another agent's, or an administrator's.
func (d *Desk) Approve(ctx context.Context, by person.ID, ticket string) error {
	return d.approve(ctx, by, d.ofTicket(ctx, by, ticket))
}

// Vouch is the word of the head of the office (หัวหน้าหน่วยงานรับรอง) for an act on one of his people. An act of another
// office fails with problem.Denied like one that is not there.
func (d *Desk) Vouch(ctx context.Context, by person.ID, act string) error {
	return d.approve(ctx, by, d.ofOffice(ctx, by, act))
}

func (d *Desk) approve(ctx context.Context, by person.ID, find func(tx *store.Tx) (Act, error)) error {
	act := &audit.Act{}
	return d.second(ctx, by, "helpdesk.second", act, find, func(tx *store.Tx, t *Ticket, a Act, owner officer.Account, typed Typed) error {
		if !a.ApprovedAt.IsZero() {
			return problem.New(problem.Conflict, "helpdesk.seconded")
		}
		posts, err := d.Book.HelpsAs(ctx, tx, by, a.Unit)
		if err != nil {
			return err
		}
		if err := d.still(ctx, tx, *t, a, owner); err != nil {
			return err
		}
		as, err := maySecond(a, by, posts)
		if err != nil {
			return err
		}
		act.Detail["as"] = string(as)
		a.Approver, a.ApproverAs, a.ApprovedAt = by, as, tx.Now
		rests := a.Kind == Reset && a.Proof == bySecond
		if rests {
			a.UsableAt = usableAt(tx.Now)
		}
		if err := updateAct(ctx, tx, a); err != nil {
			return err
		}
		if err := d.note(ctx, tx, t.ID, by, "seconded", string(as), ""); err != nil {
			return err
		}
		if as == grant.Agent {
			if err := d.watch(ctx, tx, by); err != nil {
				return err
			}
		}
		if a.Proof == bySecond {
			if err := d.tellOffice(ctx, tx, t.ID, owner, "help.notice"); err != nil {
				return err
			}
			if err := d.tellMailbox(ctx, tx, owner); err != nil {
				return err
			}
		}
		was := *t
		if !rests {
			return d.do(ctx, tx, by, was, t, a, owner, typed)
		}
		t.State = Waiting
		if err := updateTicket(ctx, tx, was, *t); err != nil {
			return err
		}
		if err := officer.Tell(ctx, tx, d.Outbox, owner, "help.approved", locale.Args{"receipt": t.Receipt}); err != nil {
			return err
		}
		return d.tell(ctx, tx, *t, typed, "help.vouched")
	})
}

// still fails with problem.Conflict when what an act was started on no longer holds.
func (d *Desk) still(ctx context.Context, tx *store.Tx, t Ticket, a Act, owner officer.Account) (err error) {
	f := nowFacts{Now: tx.Now, Enabled: owner.Enabled(), Unit: owner.Unit, Recovers: recovers(owner, tx.Now), Locked: owner.Locked(tx.Now, d.LockAfter)}
	if f.Privileged, err = d.Book.Privileged(ctx, tx, owner.Person); err != nil {
		return err
	}
	if f.SignedIn, err = signedInSince(ctx, tx, owner, t.CreatedAt); err != nil {
		return err
	}
	return mayGoOn(a, f)
}

// recovers reports whether there is a contact on file that could prove an officer.
func recovers(owner officer.Account, now time.Time) bool {
	return officer.Recovers(owner, notify.Email, now) || officer.Recovers(owner, notify.SMS, now)
}

// SendLink sends the link of an act whose new contact has waited its 24 hours, by the agent who has the ticket, within
// ActLives. It fails with problem.Conflict when what the act was started on no longer holds.
func (d *Desk) SendLink(ctx context.Context, by person.ID, ticket string) error {
	act := &audit.Act{}
	find := func(tx *store.Tx) (Act, error) {
		if err := d.Book.RequireAgent(ctx, tx, by); err != nil {
			return Act{}, err
		}
		return openAct(ctx, tx, ticket)
	}
	return d.second(ctx, by, "helpdesk.send", act, find, func(tx *store.Tx, t *Ticket, a Act, owner officer.Account, typed Typed) error {
		switch {
		case t.ClaimedBy != by:
			return problem.New(problem.Conflict, "helpdesk.not_yours")
		case a.Subject == by:
			return problem.New(problem.Denied, "helpdesk.denied_self")
		case a.UsableAt.IsZero() || tx.Now.Before(a.UsableAt):
			return problem.New(problem.Conflict, "helpdesk.rests")
		}
		if err := d.still(ctx, tx, *t, a, owner); err != nil {
			return err
		}
		return d.do(ctx, tx, by, *t, t, a, owner, typed)
	})
}

// Stop ends an act that is not done, on the page of the ticket: any agent or administrator may, for it only keeps
// somebody out. Refuse is the same for the head of the office.
func (d *Desk) Stop(ctx context.Context, by person.ID, ticket, reason string) error {
	return d.stop(ctx, by, reason, d.ofTicket(ctx, by, ticket))
}

// Refuse is the head's word that it is not his officer, or that he knows nothing of it; also after his office was told
// that another has vouched. An act of another office fails with problem.Denied like one that is not there.
func (d *Desk) Refuse(ctx context.Context, by person.ID, act, reason string) error {
	return d.stop(ctx, by, reason, d.ofOffice(ctx, by, act))
}

func (d *Desk) stop(ctx context.Context, by person.ID, reason string, find func(tx *store.Tx) (Act, error)) error {
	act := &audit.Act{}
	return d.second(ctx, by, "helpdesk.stop", act, find, func(tx *store.Tx, t *Ticket, a Act, _ officer.Account, _ Typed) error {
		reason, err := say(FieldReason, reason, 500, "helpdesk.reason_empty")
		if err != nil {
			return err
		}
		act.Texts = map[string]string{"reason": reason}
		a.StoppedBy, a.StoppedAt = by, tx.Now
		if err := updateAct(ctx, tx, a); err != nil {
			return err
		}
		was := *t
		if t.State = Taken; t.ClaimedBy == "" {
			t.State = New
		}
		if err := updateTicket(ctx, tx, was, *t); err != nil {
			return err
		}
		return d.note(ctx, tx, t.ID, by, "stopped", "", reason)
	})
}

// Plea is an act as the head of the office sees it who is to vouch.
type Plea struct {
	Act
	Name, Position string
	Contact        string // the new one, masked; "" when the account is only opened again
	Requested      string // name of the agent
}

// Waiting counts the officers for whom a head has yet to vouch.
func (d *Desk) Waiting(ctx context.Context, by person.ID) (n int, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		n = 0
		acts, err := d.pleas(ctx, tx, by)
		for _, a := range acts {
			if a.ApprovedAt.IsZero() {
				n++
			}
		}
		return err
	})
	return n, err
}

// pleas are the acts that wait for the word of a head about his own people, and those seconded and not done yet.
func (d *Desk) pleas(ctx context.Context, tx *store.Tx, by person.ID) (list []Act, err error) {
	units, err := d.Book.HeadOf(ctx, tx, by)
	if err != nil {
		return nil, err
	}
	for _, unit := range units {
		acts, err := selectActs(ctx, tx, `h.unit = $1 AND h.subject <> $2 AND h.proof = 'second' AND h.privileged = FALSE
			AND h.done_at IS NULL AND h.stopped_at IS NULL`, unit, by)
		if err != nil {
			return nil, err
		}
		for _, a := range acts {
			if !a.expired(tx.Now) {
				list = append(list, a)
			}
		}
	}
	return list, nil
}

// Pleas lists what waits for the word of a head about his own people, and what was seconded and is not done yet.
func (d *Desk) Pleas(ctx context.Context, by person.ID) (list []Plea, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		list = nil
		acts, err := d.pleas(ctx, tx, by)
		if err != nil {
			return err
		}
		for _, a := range acts {
			p, err := d.plea(ctx, tx, a)
			if err != nil {
				return err
			}
			list = append(list, p)
		}
		return nil
	})
	return list, err
}

func (d *Desk) plea(ctx context.Context, tx *store.Tx, a Act) (Plea, error) {
	p := Plea{Act: a}
	owner, err := officer.Find(ctx, tx, a.Subject)
	if err != nil {
		return Plea{}, err
	}
	agent, err := officer.Find(ctx, tx, a.Requester)
	if err != nil {
		return Plea{}, err
	}
	t, err := selectTicket(ctx, tx, a.Ticket)
	if err != nil {
		return Plea{}, err
	}
	typed, err := d.opened(t)
	if err != nil {
		return Plea{}, err
	}
	p.Name, p.Position, p.Requested = owner.Name(), owner.Position, agent.Name()
	if a.Kind == Reset {
		p.Contact = masked(a.Channel, typed)
	}
	return p, nil
}

package helpdesk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
)

// Sample is a ticket of the demonstration, as if people had worked on it until now.
type Sample struct {
	Kind    Kind
	State   State
	Line    bool
	Ago     time.Duration  // since it came in
	Took    time.Duration  // from then to what was done last; all of Ago when zero
	Typed   Typed          // with the citizen ID of whom it means; empty for a draft
	Unit    string         // the office typed
	Subject person.ID      // the account it means; "" where there is none
	Proved  notify.Channel // by which a code proved who asks; "" for none: then an act takes a second person
	Answer  string         // canned answer that was sent; "" for none
	Closing Closing        // of one that is closed
	// Agent works on it, Second seconds its act as another agent.
	Agent, Second person.ID
}

// Install puts a ticket in as it stands; nobody is told of it. It is for the demonstration alone: whoever calls it has
// made sure that the database holds no real data.
func (d *Desk) Install(ctx context.Context, tx *store.Tx, s Sample) error {
	past := *tx // each step is written with its own moment
	took := cmp.Or(s.Took, s.Ago)
	at := func(tenths int) { past.Now = tx.Now.Add(-s.Ago + took*time.Duration(tenths)/10) }
	t := Ticket{ID: store.NewID(), Receipt: newReceipt(), Kind: s.Kind, Line: s.Line, State: New, Lang: locale.TH, Unit: s.Unit}
	token, user, came := "", "", "received"
	if s.Line {
		user = d.Ring.Index("help.line", t.ID)
		t.line = d.Ring.Seal(linePlace(t.ID), []byte("U"+t.Receipt))
	}
	if s.State == Draft {
		t.State, token, came = Draft, seal.TokenHash(seal.Token()), "wrote"
	} else {
		citizen, err := thai.ParseCitizenID(s.Typed.CitizenID)
		if err != nil {
			return fmt.Errorf("put ticket in: %w", err)
		}
		plain, err := json.Marshal(s.Typed)
		if err != nil {
			return fmt.Errorf("put ticket in: %w", err)
		}
		t.subject, t.form = d.Roll.Index(citizen), d.Ring.Seal(formPlace(t.ID), plain)
		t.emailIndex, t.phoneIndex = d.contact(s.Typed.Email), d.contact(s.Typed.Phone)
	}
	at(0)
	if err := insertTicket(ctx, &past, t, token, user); err != nil {
		return err
	}
	if err := d.note(ctx, &past, t.ID, "", came, string(t.Kind), ""); err != nil {
		return err
	}
	if s.Proved != "" {
		at(1)
		t.ProvedBy, t.ProvedAt = s.Proved, past.Now
		if err := updateProved(ctx, &past, t); err != nil {
			return err
		}
		if err := d.note(ctx, &past, t.ID, "", "proved", string(s.Proved), ""); err != nil {
			return err
		}
	}
	step := func(tenths int, by person.ID, what, word string, change func(now time.Time)) error {
		at(tenths)
		was := t
		change(past.Now)
		if err := updateTicket(ctx, &past, was, t); err != nil {
			return err
		}
		return d.note(ctx, &past, t.ID, by, what, word, "")
	}
	if s.Agent == "" {
		return nil
	}
	if err := step(2, s.Agent, "claimed", "", func(now time.Time) { t.State, t.ClaimedBy, t.ClaimedAt = Taken, s.Agent, now }); err != nil {
		return err
	}
	if s.Answer != "" {
		if err := step(3, s.Agent, "answered", s.Answer, t.answered); err != nil {
			return err
		}
	}
	if s.Subject != "" && s.State != Taken {
		a := Act{ID: store.NewID(), Ticket: t.ID, Kind: s.Kind, Subject: s.Subject, Unit: s.Unit, Proof: byCode, Channel: s.Proved, Requester: s.Agent}
		done := "sent"
		if s.Kind == Active {
			done = "reopened"
		}
		at(4)
		a.RequestedAt = past.Now
		if s.Proved == "" {
			a.Proof, a.Channel = bySecond, notify.Email
		}
		if err := insertAct(ctx, &past, a); err != nil {
			return err
		}
		if a.needsSecond() {
			if err := step(4, s.Agent, "started", string(s.Kind), func(now time.Time) { t.State = Second; t.answered(now) }); err != nil || s.State == Second {
				return err
			}
			at(5)
			a.Approver, a.ApproverAs, a.ApprovedAt = s.Second, grant.Agent, past.Now
			if s.Kind == Reset {
				a.UsableAt = usableAt(past.Now)
			}
			if err := updateAct(ctx, &past, a); err != nil {
				return err
			}
			if err := step(5, s.Second, "seconded", string(grant.Agent), func(time.Time) { t.State = Waiting }); err != nil || s.State == Waiting {
				return err
			}
		}
		at(8)
		a.DoneAt = past.Now
		if err := updateAct(ctx, &past, a); err != nil {
			return err
		}
		if s.Kind == Active {
			if err := officer.Reopen(ctx, &past, s.Subject); err != nil {
				return err
			}
		}
		if err := step(8, s.Agent, done, string(a.Channel), func(now time.Time) { t.State = Acted; t.answered(now) }); err != nil {
			return err
		}
	}
	if s.State != Closed {
		return nil
	}
	return step(9, s.Agent, "closed", string(s.Closing), func(now time.Time) {
		t.answered(now)
		t.State, t.ClosedBy, t.ClosedAt, t.Closing = Closed, s.Agent, now, s.Closing
	})
}

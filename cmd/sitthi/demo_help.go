package main

import (
	"context"
	"fmt"
	"time"

	"sitthi/agency"
	"sitthi/helpdesk"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
)

// The help-desk agents of the demonstration.
const (
	firstAgent  = "3990000000406"
	secondAgent = "3990000000414"
)

// demoCases are requests to the help desk, one of every state at least. The office says whom one is about: for "Active
// User" who has been away for longest.
var demoCases = []struct {
	helpdesk.Sample
	agent, second string // citizen IDs
	stranger      bool   // no account has the citizen ID typed
}{
	{Sample: helpdesk.Sample{Kind: helpdesk.Reset, State: helpdesk.Draft, Line: true, Ago: 2 * time.Hour}},
	{Sample: helpdesk.Sample{Kind: helpdesk.Reset, State: helpdesk.New, Unit: "TH-40", Ago: 90 * time.Minute}, stranger: true},
	{Sample: helpdesk.Sample{Kind: helpdesk.Active, State: helpdesk.New, Unit: "TH-50", Ago: 30 * time.Hour, Proved: notify.Email}},
	{Sample: helpdesk.Sample{Kind: helpdesk.Active, State: helpdesk.New, Line: true, Unit: "TH-80", Ago: 75 * time.Hour}},
	{Sample: helpdesk.Sample{Kind: helpdesk.Reset, State: helpdesk.Taken, Unit: "TH-20", Ago: 26 * time.Hour, Answer: "code"}, agent: firstAgent},
	{Sample: helpdesk.Sample{Kind: helpdesk.Reset, State: helpdesk.Second, Unit: "TH-12", Ago: 6 * time.Hour}, agent: firstAgent},
	{Sample: helpdesk.Sample{Kind: helpdesk.Reset, State: helpdesk.Waiting, Unit: "TH-90", Ago: 20 * time.Hour}, agent: secondAgent, second: firstAgent},
	{Sample: helpdesk.Sample{Kind: helpdesk.Active, State: helpdesk.Acted, Unit: "TH-30", Ago: 5 * time.Hour, Proved: notify.SMS}, agent: secondAgent},
	{Sample: helpdesk.Sample{Kind: helpdesk.Active, State: helpdesk.Closed, Line: true, Unit: "TH-70", Ago: 8 * 24 * time.Hour, Took: 22 * time.Hour, Answer: "menu",
		Closing: helpdesk.Done}, agent: firstAgent, second: secondAgent},
	{Sample: helpdesk.Sample{Kind: helpdesk.Reset, State: helpdesk.Closed, Unit: "TH-24", Ago: 12 * 24 * time.Hour, Took: 3 * time.Hour, Closing: helpdesk.Nobody},
		agent: secondAgent, stranger: true},
	{Sample: helpdesk.Sample{Kind: helpdesk.Reset, State: helpdesk.Closed, Unit: "TH-21", Ago: 17 * 24 * time.Hour, Took: 5 * time.Hour, Proved: notify.Email,
		Closing: helpdesk.Done}, agent: firstAgent},
}

// askForHelp puts requests to the help desk in.
func askForHelp(ctx context.Context, h *house, tx *store.Tx, ids map[string]person.ID) error {
	c, err := newCrowd(thai.DateOf(tx.Now)) // who has no account has an ID of those that nobody was given
	if err != nil {
		return err
	}
	c.made = 2 * demoOfficers
	for i, d := range demoCases {
		s := d.Sample
		s.Agent, s.Second = ids[d.agent], ids[d.second]
		switch {
		case d.stranger:
			place, err := agency.Find(ctx, tx, s.Unit)
			if err != nil {
				return err
			}
			f := c.officer(place, c.position(place, false), 1)
			s.Typed = asTyped(f.citizen, f.account)
		case s.State != helpdesk.Draft:
			a, err := inNeed(ctx, tx, s)
			if err != nil {
				return err
			}
			if s.Kind == helpdesk.Active && s.State == helpdesk.New { // nobody has opened the account yet
				if err := lockOut(ctx, tx, a.Person); err != nil {
					return err
				}
			}
			citizen, err := h.roll.CitizenID(ctx, tx, a.Person)
			if err != nil {
				return err
			}
			s.Subject, s.Typed = a.Person, asTyped(citizen.Digits(), a)
			if s.Proved == "" { // what he types is then none of the contacts on file, and no code has proved those
				s.Typed.Email, s.Typed.Phone = fmt.Sprintf("private.%02d@mail.demo.example", i), ""
				if _, err := tx.Exec(ctx, `UPDATE accounts SET email_proved_at = NULL, phone_proved_at = NULL WHERE person_id = $1`, a.Person); err != nil {
					return fmt.Errorf("forget proof of contacts: %w", err)
				}
			}
		}
		if err := h.help.Install(ctx, tx, s); err != nil {
			return err
		}
	}
	return nil
}

func asTyped(citizen string, a officer.Account) helpdesk.Typed {
	return helpdesk.Typed{CitizenID: citizen, Name: a.Name(), Position: a.Position, Phone: string(a.Phone), Email: string(a.Email)}
}

// awayFor is for how long somebody has been away who asks for "Active User", longer than any account stays open.
const awayFor = 70 * 24 * time.Hour

// lockOut has somebody been away for so long that his account is locked.
func lockOut(ctx context.Context, tx *store.Tx, who person.ID) error {
	away := store.Us(tx.Now.Add(-awayFor))
	if _, err := tx.Exec(ctx, `UPDATE accounts SET last_signin_at = $2,
		registered_at = CASE WHEN registered_at > $2 THEN $2 ELSE registered_at END WHERE person_id = $1`, who, away); err != nil {
		return fmt.Errorf("lock account: %w", err)
	}
	return nil
}

// inNeed is an officer of the office, none of the fixed accounts, who has neither a post nor a right to approve, and was last
// there before he asked.
func inNeed(ctx context.Context, tx *store.Tx, s helpdesk.Sample) (officer.Account, error) {
	order := "a.name_fold"
	if s.Kind == helpdesk.Active {
		order = "a.last_signin_at, a.name_fold"
	}
	var who person.ID
	err := tx.QueryRow(ctx, `SELECT a.person_id FROM accounts a WHERE a.unit = $1 AND a.state = 'active' AND a.last_signin_at < $2
		AND NOT EXISTS (SELECT 1 FROM appointments p WHERE p.person_id = a.person_id)
		AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.person_id = a.person_id AND g.level = 3)
		ORDER BY `+order+` LIMIT 1`, s.Unit, store.Us(tx.Now.Add(-s.Ago))).Scan(&who)
	if err != nil {
		return officer.Account{}, fmt.Errorf("find officer of %s who needs help: %w", s.Unit, err)
	}
	return officer.Find(ctx, tx, who)
}

package helpdesk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/officer"
	"sitthi/person"
)

// errNoTicket is the one answer for a ticket that is not there and one that is not his to see.
func errNoTicket() error { return problem.New(problem.NotFound, "helpdesk.no_ticket") }

func errNoAct() error { return problem.New(problem.NotFound, "helpdesk.no_act") }

const ticketColumns = `t.id, t.receipt, t.kind, t.source, t.state, t.language, t.subject, t.unit, t.form_sealed, t.email_index, t.phone_index,
	t.line_sealed, t.proved_by, t.proved_at, t.sent_by, t.reference, t.sent_at, t.claimed_by, t.claimed_at, t.answered_at, t.created_at,
	t.closed_by, t.closed_at, t.closing`

func scanTicket(row store.Row) (t Ticket, err error) {
	var source, claimed, closed string
	err = row.Scan(&t.ID, &t.Receipt, &t.Kind, &source, &t.State, &t.Lang, &t.subject, &t.Unit, &t.form, &t.emailIndex, &t.phoneIndex,
		&t.line, &t.ProvedBy, store.At(&t.ProvedAt), &t.sentBy, &t.reference, store.At(&t.sentAt), store.Null(&claimed), store.At(&t.ClaimedAt),
		store.At(&t.AnsweredAt), store.At(&t.CreatedAt), store.Null(&closed), store.At(&t.ClosedAt), &t.Closing)
	t.Line, t.ClaimedBy, t.ClosedBy = source == "line", person.ID(claimed), person.ID(closed)
	return t, err
}

func oneTicket(ctx context.Context, tx *store.Tx, rest string, args ...any) (Ticket, error) {
	t, err := scanTicket(tx.QueryRow(ctx, `SELECT `+ticketColumns+` FROM tickets t `+rest, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Ticket{}, errNoTicket()
	}
	if err != nil {
		return Ticket{}, fmt.Errorf("find ticket: %w", err)
	}
	t.Proved = proves(t.ProvedAt, tx.Now)
	return t, nil
}

func selectTicket(ctx context.Context, tx *store.Tx, id string) (Ticket, error) {
	return oneTicket(ctx, tx, `WHERE t.id = $1`, id)
}

// selectByBrowser finds a ticket for a browser that may see how it stands.
func selectByBrowser(ctx context.Context, tx *store.Tx, id, browserHash string) (Ticket, error) {
	return oneTicket(ctx, tx, `JOIN ticket_browsers b ON b.ticket_id = t.id WHERE t.id = $1 AND b.browser = $2 AND b.expires_at > $3`,
		id, browserHash, store.Us(tx.Now))
}

func selectByReceipt(ctx context.Context, tx *store.Tx, receipt, contact string) (Ticket, error) {
	return oneTicket(ctx, tx, `WHERE t.receipt = $1 AND (t.email_index = $2 OR t.phone_index = $2)`, receipt, contact)
}

// selectDraft finds a request by LINE that its link completes.
func selectDraft(ctx context.Context, tx *store.Tx, tokenHash string, after time.Time) (Ticket, error) {
	return oneTicket(ctx, tx, `WHERE t.token_hash = $1 AND t.state = 'draft' AND t.created_at > $2`, tokenHash, store.Us(after))
}

// selectOfLine finds the newest open ticket of a LINE user.
func selectOfLine(ctx context.Context, tx *store.Tx, lineIndex string, kind Kind, after time.Time) (Ticket, error) {
	return oneTicket(ctx, tx, `WHERE t.line_index = $1 AND t.kind = $2 AND t.closed_at IS NULL AND (t.state <> 'draft' OR t.created_at > $3)
		ORDER BY t.created_at DESC LIMIT 1`, lineIndex, kind, store.Us(after))
}

// insertTicket adds a ticket; tokenHash is of the link that completes it, "" for none.
func insertTicket(ctx context.Context, tx *store.Tx, t Ticket, tokenHash string, lineIndex ...string) error {
	source, index := "web", ""
	if t.Line {
		source, index = "line", lineIndex[0]
	}
	_, err := tx.Exec(ctx, `INSERT INTO tickets (id, receipt, kind, source, state, language, subject, unit, form_sealed, email_index, phone_index,
			line_index, line_sealed, token_hash, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		t.ID, t.Receipt, t.Kind, source, t.State, t.Lang, t.subject, t.Unit, t.form, t.emailIndex, t.phoneIndex, index, t.line,
		store.Text(tokenHash), store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("add ticket: %w", err)
	}
	return nil
}

func completeTicket(ctx context.Context, tx *store.Tx, t Ticket) error {
	return exactlyOne(tx.Exec(ctx, `UPDATE tickets SET state = 'new', kind = $2, language = $3, subject = $4, unit = $5, form_sealed = $6,
			email_index = $7, phone_index = $8, token_hash = NULL WHERE id = $1 AND state = 'draft'`,
		t.ID, t.Kind, t.Lang, t.subject, t.Unit, t.form, t.emailIndex, t.phoneIndex))
}

func updateToken(ctx context.Context, tx *store.Tx, id, tokenHash string) error {
	return exactlyOne(tx.Exec(ctx, `UPDATE tickets SET token_hash = $2 WHERE id = $1 AND state = 'draft'`, id, tokenHash))
}

// exactlyOne turns an update that met no row into a Conflict: somebody was first.
func exactlyOne(n int64, err error) error {
	if err != nil {
		return fmt.Errorf("change ticket: %w", err)
	}
	if n == 0 {
		return problem.New(problem.Conflict, "helpdesk.changed_meanwhile")
	}
	return nil
}

func upsertBrowser(ctx context.Context, tx *store.Tx, ticket, browserHash string) error {
	_, err := tx.Exec(ctx, `INSERT INTO ticket_browsers (ticket_id, browser, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (ticket_id, browser) DO UPDATE SET expires_at = excluded.expires_at`,
		ticket, browserHash, store.Us(tx.Now.Add(browserLives)))
	if err != nil {
		return fmt.Errorf("let browser see ticket: %w", err)
	}
	return nil
}

func updateSent(ctx context.Context, tx *store.Tx, t Ticket) error {
	return exactlyOne(tx.Exec(ctx, `UPDATE tickets SET sent_by = $2, reference = $3, sent_at = $4 WHERE id = $1`,
		t.ID, t.sentBy, t.reference, store.Us(tx.Now)))
}

func updateProved(ctx context.Context, tx *store.Tx, t Ticket) error {
	return exactlyOne(tx.Exec(ctx, `UPDATE tickets SET proved_by = $2, proved_at = $3 WHERE id = $1 AND (proved_at IS NULL OR proved_at < $4)`,
		t.ID, t.ProvedBy, store.Us(t.ProvedAt), store.Us(tx.Now.Add(-ProofLives))))
}

// updateTicket keeps where a ticket stands, unless it was moved since it was read.
func updateTicket(ctx context.Context, tx *store.Tx, was, t Ticket) error {
	return exactlyOne(tx.Exec(ctx, `UPDATE tickets SET state = $2, claimed_by = $3, claimed_at = $4, answered_at = $5, closed_by = $6, closed_at = $7,
			closing = $8
		WHERE id = $1 AND state = $9 AND coalesce(claimed_by, '') = $10`,
		t.ID, t.State, store.Text(string(t.ClaimedBy)), store.Us(t.ClaimedAt), store.Us(t.AnsweredAt), store.Text(string(t.ClosedBy)), store.Us(t.ClosedAt),
		t.Closing, was.State, string(was.ClaimedBy)))
}

// note adds a line to the story of a ticket.
func (d *Desk) note(ctx context.Context, tx *store.Tx, ticket string, by person.ID, what, word, text string) error {
	id := store.NewID()
	var sealed []byte
	if text != "" {
		sealed = d.Ring.Seal(notePlace(id), []byte(text))
	}
	_, err := tx.Exec(ctx, `INSERT INTO ticket_events (id, ticket_id, at, actor, what, word, text_sealed) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		id, ticket, store.Us(tx.Now), by, what, word, sealed)
	if err != nil {
		return fmt.Errorf("note in ticket: %w", err)
	}
	return nil
}

func notePlace(id string) string { return "ticket.note/" + id }

func (d *Desk) events(ctx context.Context, tx *store.Tx, ticket string) ([]Event, error) {
	list, err := store.Rows(func(row store.Row) (e Event, err error) {
		var id string
		var sealed []byte
		if err := row.Scan(&id, store.At(&e.At), &e.By, &e.What, &e.Word, &sealed); err != nil || len(sealed) == 0 {
			return e, err
		}
		plain, err := d.Ring.Open(notePlace(id), sealed)
		e.Text = string(plain)
		return e, err
	})(tx.Query(ctx, `SELECT id, at, actor, what, word, text_sealed FROM ticket_events WHERE ticket_id = $1 ORDER BY id`, ticket))
	if err != nil {
		return nil, fmt.Errorf("list notes of ticket: %w", err)
	}
	return list, nil
}

const actColumns = `h.id, h.ticket_id, k.receipt, h.kind, h.subject, h.unit, h.proof, h.privileged, h.channel, h.requester, h.requested_at, h.approver,
	h.approver_as, h.approved_at, h.usable_at, h.done_at, h.stopped_by, h.stopped_at`

func scanAct(row store.Row) (a Act, err error) {
	var approver, stopped string
	err = row.Scan(&a.ID, &a.Ticket, &a.Receipt, &a.Kind, &a.Subject, &a.Unit, &a.Proof, &a.Privileged, &a.Channel, &a.Requester, store.At(&a.RequestedAt),
		store.Null(&approver), &a.ApproverAs, store.At(&a.ApprovedAt), store.At(&a.UsableAt), store.At(&a.DoneAt), store.Null(&stopped), store.At(&a.StoppedAt))
	a.Approver, a.StoppedBy = person.ID(approver), person.ID(stopped)
	return a, err
}

func selectActs(ctx context.Context, tx *store.Tx, where string, args ...any) ([]Act, error) {
	list, err := store.Rows(scanAct)(tx.Query(ctx, `SELECT `+actColumns+` FROM help_acts h JOIN tickets k ON k.id = h.ticket_id WHERE `+where+` ORDER BY h.id`, args...))
	if err != nil {
		return nil, fmt.Errorf("find acts of help desk: %w", err)
	}
	return list, nil
}

// openAct is the act of a ticket that has yet to be done; problem.NotFound when there is none.
func openAct(ctx context.Context, tx *store.Tx, ticket string) (Act, error) {
	list, err := selectActs(ctx, tx, `h.ticket_id = $1 AND h.done_at IS NULL AND h.stopped_at IS NULL`, ticket)
	if err == nil && len(list) == 0 {
		err = errNoAct()
	}
	if err != nil {
		return Act{}, err
	}
	return list[0], nil
}

func insertAct(ctx context.Context, tx *store.Tx, a Act) error {
	_, err := tx.Exec(ctx, `INSERT INTO help_acts (id, ticket_id, kind, subject, unit, proof, privileged, channel, requester, requested_at, done_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		a.ID, a.Ticket, a.Kind, a.Subject, a.Unit, a.Proof, a.Privileged, a.Channel, a.Requester, store.Us(a.RequestedAt), store.Us(a.DoneAt))
	if err != nil {
		return fmt.Errorf("add act of help desk: %w", err)
	}
	return nil
}

func updateAct(ctx context.Context, tx *store.Tx, a Act) error {
	return exactlyOne(tx.Exec(ctx, `UPDATE help_acts SET approver = $2, approver_as = $3, approved_at = $4, usable_at = $5, done_at = $6, stopped_by = $7,
			stopped_at = $8 WHERE id = $1 AND done_at IS NULL AND stopped_at IS NULL`,
		a.ID, store.Text(string(a.Approver)), a.ApproverAs, store.Us(a.ApprovedAt), store.Us(a.UsableAt), store.Us(a.DoneAt), store.Text(string(a.StoppedBy)),
		store.Us(a.StoppedAt)))
}

// agentActs are the acts of agents on accounts: those they started, and those they seconded.
const agentActs = `(SELECT requester AS agent, requested_at AS acted_at FROM help_acts
	UNION ALL SELECT approver, approved_at FROM help_acts WHERE approver_as = 'agent') o`

// countActs counts what an agent did within the last 24 hours.
func countActs(ctx context.Context, tx *store.Tx, agent person.ID) (n int, err error) {
	err = tx.QueryRow(ctx, `SELECT count(*) FROM `+agentActs+` WHERE o.agent = $1 AND o.acted_at > $2`,
		agent, store.Us(tx.Now.Add(-24*time.Hour))).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count acts of agent: %w", err)
	}
	return n, nil
}

// looksAt reports whether somebody has the personal data of a ticket before him.
func looksAt(ctx context.Context, tx *store.Tx, ticket string, by person.ID) (yes bool, err error) {
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM ticket_looks WHERE ticket_id = $1 AND person_id = $2 AND expires_at > $3)`,
		ticket, by, store.Us(tx.Now)).Scan(&yes)
	if err != nil {
		return false, fmt.Errorf("find look at ticket: %w", err)
	}
	return yes, nil
}

func upsertLook(ctx context.Context, tx *store.Tx, ticket string, by person.ID) error {
	_, err := tx.Exec(ctx, `INSERT INTO ticket_looks (ticket_id, person_id, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (ticket_id, person_id) DO UPDATE SET expires_at = excluded.expires_at`, ticket, by, store.Us(tx.Now.Add(lookLives)))
	if err != nil {
		return fmt.Errorf("look at ticket: %w", err)
	}
	return nil
}

// signedInSince reports whether the owner of an account has signed in since a moment. That the account was opened again
// starts its 60 days anew like a sign-in, and is none.
func signedInSince(ctx context.Context, tx *store.Tx, owner officer.Account, since time.Time) (yes bool, err error) {
	if !owner.LastSignIn.After(since) {
		return false, nil
	}
	err = tx.QueryRow(ctx, `SELECT NOT EXISTS (SELECT 1 FROM reopenings WHERE person_id = $1 AND at = $2)`,
		owner.Person, store.Us(owner.LastSignIn)).Scan(&yes)
	if err != nil {
		return false, fmt.Errorf("find reopening of account: %w", err)
	}
	return yes, nil
}

// mostLapsed is how many tickets one sweep closes.
const mostLapsed = 500

// selectLapsed lists the open tickets that were acted on actedRests ago, and those with no event since openRests.
func selectLapsed(ctx context.Context, tx *store.Tx) ([]string, error) {
	list, err := store.Rows(func(row store.Row) (id string, err error) { return id, row.Scan(&id) })(tx.Query(ctx, `SELECT t.id FROM tickets t
		WHERE t.closed_at IS NULL AND t.state <> 'draft' AND t.created_at < $1
			AND ((t.state = 'acted' AND NOT EXISTS (SELECT 1 FROM help_acts h WHERE h.ticket_id = t.id AND h.done_at > $1))
				OR NOT EXISTS (SELECT 1 FROM ticket_events e WHERE e.ticket_id = t.id AND e.at > $2))
		ORDER BY t.created_at, t.id LIMIT $3`,
		store.Us(tx.Now.Add(-actedRests)), store.Us(tx.Now.Add(-openRests)), mostLapsed))
	if err != nil {
		return nil, fmt.Errorf("list tickets that lapsed: %w", err)
	}
	return list, nil
}

// Sweep closes the tickets that nobody closes, and deletes what no longer matters: tickets closed 90 days ago with all about them, drafts that nobody completed,
// looks and browsers whose time is over, and events of LINE of a month ago.
func (d *Desk) Sweep(ctx context.Context) (swept int64, err error) {
	if err := d.lapse(ctx); err != nil {
		return 0, err
	}
	err = d.DB.Write(ctx, func(tx *store.Tx) error {
		swept = 0
		old := `(SELECT id FROM tickets WHERE closed_at < $1 OR (state = 'draft' AND created_at < $2))`
		over := []any{store.Us(tx.Now.Add(-kept)), store.Us(tx.Now.Add(-draftLives))}
		now := []any{store.Us(tx.Now)}
		for _, s := range []struct {
			query string
			args  []any
		}{
			{`DELETE FROM ticket_browsers WHERE expires_at < $1`, now},
			{`DELETE FROM ticket_looks WHERE expires_at < $1`, now},
			{`DELETE FROM line_events WHERE at < $1`, []any{store.Us(tx.Now.Add(-30 * 24 * time.Hour))}},
			{`DELETE FROM ticket_browsers WHERE ticket_id IN ` + old, over},
			{`DELETE FROM ticket_looks WHERE ticket_id IN ` + old, over},
			{`DELETE FROM ticket_events WHERE ticket_id IN ` + old, over},
			{`DELETE FROM help_acts WHERE ticket_id IN ` + old, over},
			{`DELETE FROM tickets WHERE closed_at < $1 OR (state = 'draft' AND created_at < $2)`, over},
		} {
			n, err := tx.Exec(ctx, s.query, s.args...)
			if err != nil {
				return fmt.Errorf("sweep tickets: %w", err)
			}
			swept += n
		}
		return nil
	})
	return swept, err
}

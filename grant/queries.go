package grant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/person"
)

const grantColumns = `g.id, g.number, g.unit, g.team, g.level, g.person_id, g.starts_at, g.ends_at, g.order_number, g.note,
	g.other_office, g.mutual, g.awaits_second, g.given_by, g.given_at, g.closed_by, g.closed_at, g.closing, g.close_reason, g.left_at, g.version`

func (g *Grant) targets() []any {
	return []any{&g.ID, &g.Number, &g.Unit, &g.Team, &g.Level, &g.Person, store.At(&g.From), store.At(&g.Until), &g.OrderNumber, &g.Note,
		&g.OtherOffice, &g.Mutual, &g.AwaitsSecond, &g.GivenBy, store.At(&g.GivenAt), store.Null(&g.ClosedBy), store.At(&g.ClosedAt),
		&g.Closing, &g.CloseReason, store.At(&g.LeftAt), &g.Version}
}

func scanGrant(row store.Row) (g Grant, err error) { return g, row.Scan(g.targets()...) }

func findGrant(ctx context.Context, tx *store.Tx, id string) (Grant, error) {
	g, err := scanGrant(tx.QueryRow(ctx, `SELECT `+grantColumns+` FROM grants g WHERE g.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Grant{}, problem.New(problem.NotFound, "grant.not_found")
	}
	if err != nil {
		return Grant{}, fmt.Errorf("find grant: %w", err)
	}
	return g, nil
}

// findGrantOfForm answers the grant that a form has already become.
func findGrantOfForm(ctx context.Context, tx *store.Tx, form string) (Grant, bool, error) {
	g, err := scanGrant(tx.QueryRow(ctx, `SELECT `+grantColumns+` FROM grants g WHERE g.form = $1`, form))
	if errors.Is(err, sql.ErrNoRows) {
		return Grant{}, false, nil
	}
	if err != nil {
		return Grant{}, false, fmt.Errorf("find grant of form: %w", err)
	}
	return g, true, nil
}

// insertGrant gives the grant its number and keeps it. When a live grant stands in the same scope the unique index
// says so, and the answer is Conflict.
func insertGrant(ctx context.Context, tx *store.Tx, g *Grant, form, appointment string) error {
	if err := tx.QueryRow(ctx, `UPDATE counters SET value = value + 1 WHERE name = 'grant' RETURNING value`).Scan(&g.Number); err != nil {
		return fmt.Errorf("number grant: %w", err)
	}
	n, err := tx.Exec(ctx, `INSERT INTO grants (id, number, system, unit, team, level, person_id, starts_at, ends_at, order_number, note,
			other_office, mutual, awaits_second, given_by, given_at, appointment_id, form)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT DO NOTHING`,
		g.ID, g.Number, KO1, g.Unit, g.Team, g.Level, g.Person, store.Us(g.From), store.Us(g.Until), g.OrderNumber, g.Note,
		g.OtherOffice, g.Mutual, g.AwaitsSecond, g.GivenBy, store.Us(g.GivenAt), store.Text(appointment), form)
	if err != nil {
		return fmt.Errorf("add grant: %w", err)
	}
	if n == 0 {
		return problem.New(problem.Conflict, "grant.exists")
	}
	return keepVersion(ctx, tx, *g, string(g.GivenBy))
}

// keepVersion notes what the grant says from now on.
func keepVersion(ctx context.Context, tx *store.Tx, g Grant, by string) error {
	if _, err := tx.Exec(ctx, `INSERT INTO grant_versions (grant_id, version, starts_at, ends_at, order_number, note, recorded_by, recorded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		g.ID, g.Version, store.Us(g.From), store.Us(g.Until), g.OrderNumber, g.Note, by, store.Us(tx.Now)); err != nil {
		return fmt.Errorf("keep version of grant: %w", err)
	}
	return nil
}

// updateGrant writes the end, order number, note and second confirmation of a grant back, if nobody else changed it
// since it was read; otherwise it fails with Conflict.
func updateGrant(ctx context.Context, tx *store.Tx, g *Grant, by string) error {
	n, err := tx.Exec(ctx, `UPDATE grants SET ends_at = $1, order_number = $2, note = $3, mutual = $4, version = version + 1
		WHERE id = $5 AND version = $6 AND closed_at IS NULL`,
		store.Us(g.Until), g.OrderNumber, g.Note, g.Mutual, g.ID, g.Version)
	if err != nil {
		return fmt.Errorf("change grant: %w", err)
	}
	if n == 0 {
		return problem.New(problem.Conflict, "grant.changed_meanwhile")
	}
	g.Version++
	return keepVersion(ctx, tx, *g, by)
}

// markOtherOffice notes whether the holder of a grant is registered in another office.
func markOtherOffice(ctx context.Context, tx *store.Tx, g Grant, other bool) error {
	if _, err := tx.Exec(ctx, `UPDATE grants SET other_office = $1, version = version + 1 WHERE id = $2`, other, g.ID); err != nil {
		return fmt.Errorf("mark grant: %w", err)
	}
	return nil
}

// closeGrant ends a grant that is still open; otherwise it fails with Conflict.
func closeGrant(ctx context.Context, tx *store.Tx, g *Grant, by string, how Closing, reason string) error {
	n, err := tx.Exec(ctx, `UPDATE grants SET closed_at = $1, closed_by = $2, closing = $3, close_reason = $4, version = version + 1
		WHERE id = $5 AND closed_at IS NULL`, store.Us(tx.Now), by, how, reason, g.ID)
	if err != nil {
		return fmt.Errorf("end grant: %w", err)
	}
	if n == 0 {
		return problem.New(problem.Conflict, "grant.already_ended")
	}
	g.ClosedAt, g.ClosedBy, g.Closing, g.CloseReason = tx.Now, by, how, reason
	g.Version++
	return nil
}

// closeExpired makes room in a scope: a grant whose last day is over is no hindrance to a new one.
func closeExpired(ctx context.Context, tx *store.Tx, place Place, level Level, who person.ID) error {
	if _, err := tx.Exec(ctx, `UPDATE grants SET closed_at = $1, closed_by = 'system', closing = 'expired', version = version + 1
		WHERE system = $2 AND unit = $3 AND team = $4 AND level = $5 AND person_id = $6 AND closed_at IS NULL AND ends_at <= $1`,
		store.Us(tx.Now), KO1, place.Unit, place.Team, level, who); err != nil {
		return fmt.Errorf("close expired grant: %w", err)
	}
	return nil
}

const heldQuery = `
	SELECT count(DISTINCT g.person_id), count(DISTINCT CASE WHEN g.id <> $3 THEN g.person_id END)
	FROM grants g
	JOIN accounts a ON a.person_id = g.person_id AND a.state = 'active' AND a.last_signin_at > $5
	JOIN confirmations c ON c.person_id = g.person_id AND c.unit = g.unit AND c.ended_at IS NULL
	WHERE g.system = 'ko1' AND g.unit = $1 AND g.level = $2 AND g.closed_at IS NULL AND g.awaits_second = FALSE
	  AND g.starts_at <= $4 AND (g.ends_at IS NULL OR g.ends_at > $4)`

// countHeld counts the persons who hold the level somewhere in the unit at the transaction's moment, and those who would
// without one grant.
func (b *Book) countHeld(ctx context.Context, tx *store.Tx, unit string, level Level, grant string) (now, left int, err error) {
	if err := tx.QueryRow(ctx, heldQuery, unit, level, grant, store.Us(tx.Now), b.lockedUpTo(tx)).Scan(&now, &left); err != nil {
		return 0, 0, fmt.Errorf("count who is left: %w", err)
	}
	return now, left, nil
}

// identified reports whether a head of the unit has confirmed the person.
func identified(ctx context.Context, tx *store.Tx, who person.ID, unit string) (bool, error) {
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM confirmations WHERE person_id = $1 AND unit = $2 AND ended_at IS NULL`,
		who, unit).Scan(&n); err != nil {
		return false, fmt.Errorf("find confirmation: %w", err)
	}
	return n > 0, nil
}

const waitingQuery = `SELECT ` + grantColumns + ` FROM grants g
	WHERE g.system = 'ko1' AND g.person_id = $1 AND (g.unit = $2 OR $2 = '') AND g.closed_at IS NULL AND g.awaits_second = FALSE
	  AND (g.ends_at IS NULL OR g.ends_at > $3)
	ORDER BY g.unit, g.number`

// waiting lists the grants of a person that are open, and wait for nothing but the word on who he is; in one unit, or
// with none named in all.
func waiting(ctx context.Context, tx *store.Tx, who person.ID, unit string) ([]Grant, error) {
	list, err := store.Rows(scanGrant)(tx.Query(ctx, waitingQuery, who, unit, store.Us(tx.Now)))
	if err != nil {
		return nil, fmt.Errorf("find waiting grants: %w", err)
	}
	return list, nil
}

// insertConfirmation keeps a head's word on who a person is. A refusal is kept ended: it binds nobody later.
func insertConfirmation(ctx context.Context, tx *store.Tx, who person.ID, unit, by string, confirmed bool) error {
	outcome, ended := "confirmed", any(nil)
	if !confirmed {
		outcome, ended = "refused", store.Us(tx.Now)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO confirmations (id, person_id, unit, outcome, decided_by, decided_at, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`, // confirmed by two heads at once: once is enough
		store.NewID(), who, unit, outcome, by, store.Us(tx.Now), ended); err != nil {
		return fmt.Errorf("keep confirmation: %w", err)
	}
	return nil
}

const appointmentColumns = `p.id, p.person_id, p.unit, p.post, p.kind, p.order_number, p.note, p.starts_at, p.ends_at, p.proposed_by,
	p.proposed_at, p.confirmed_by, p.confirmed_at, p.closed_by, p.closed_at, p.closing, p.close_reason, p.version`

func (a *Appointment) targets() []any {
	return []any{&a.ID, &a.Person, &a.Unit, &a.Post, &a.Kind, &a.OrderNumber, &a.Note, store.At(&a.From), store.At(&a.Until), &a.ProposedBy,
		store.At(&a.ProposedAt), store.Null(&a.ConfirmedBy), store.At(&a.ConfirmedAt), store.Null(&a.ClosedBy), store.At(&a.ClosedAt),
		&a.Closing, &a.CloseReason, &a.Version}
}

func scanAppointment(row store.Row) (a Appointment, err error) { return a, row.Scan(a.targets()...) }

func findAppointment(ctx context.Context, tx *store.Tx, id string) (Appointment, error) {
	a, err := scanAppointment(tx.QueryRow(ctx, `SELECT `+appointmentColumns+` FROM appointments p WHERE p.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Appointment{}, problem.New(problem.NotFound, "appoint.not_found")
	}
	if err != nil {
		return Appointment{}, fmt.Errorf("find appointment: %w", err)
	}
	return a, nil
}

// insertAppointment keeps a proposal. When the person already holds the post, or waits to, the answer is Conflict.
func insertAppointment(ctx context.Context, tx *store.Tx, a Appointment) error {
	if _, err := tx.Exec(ctx, `UPDATE appointments SET closed_at = $1, closed_by = 'system', closing = 'expired', version = version + 1
		WHERE unit = $2 AND post = $3 AND person_id = $4 AND closed_at IS NULL AND ends_at <= $1`,
		store.Us(tx.Now), a.Unit, a.Post, a.Person); err != nil {
		return fmt.Errorf("close expired appointment: %w", err)
	}
	n, err := tx.Exec(ctx, `INSERT INTO appointments (id, person_id, unit, post, kind, order_number, note, starts_at, ends_at,
			proposed_by, proposed_at, confirmed_by, confirmed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`,
		a.ID, a.Person, a.Unit, a.Post, a.Kind, a.OrderNumber, a.Note, store.Us(a.From), store.Us(a.Until),
		a.ProposedBy, store.Us(a.ProposedAt), store.Text(a.ConfirmedBy), store.Us(a.ConfirmedAt))
	if err != nil {
		return fmt.Errorf("add appointment: %w", err)
	}
	if n == 0 {
		return problem.New(problem.Conflict, "appoint.exists")
	}
	return nil
}

// updateAppointment writes confirmation and closing back, if nobody else changed the appointment since it was read;
// otherwise it fails with Conflict.
func updateAppointment(ctx context.Context, tx *store.Tx, a *Appointment) error {
	n, err := tx.Exec(ctx, `UPDATE appointments SET starts_at = $1, confirmed_by = $2, confirmed_at = $3, closed_by = $4, closed_at = $5,
			closing = $6, close_reason = $7, version = version + 1
		WHERE id = $8 AND version = $9`,
		store.Us(a.From), store.Text(a.ConfirmedBy), store.Us(a.ConfirmedAt), store.Text(a.ClosedBy), store.Us(a.ClosedAt),
		a.Closing, a.CloseReason, a.ID, a.Version)
	if err != nil {
		return fmt.Errorf("change appointment: %w", err)
	}
	if n == 0 {
		return problem.New(problem.Conflict, "grant.changed_meanwhile")
	}
	a.Version++
	return nil
}

// countHolders counts the persons, other than one, who hold a post in a unit at the transaction's moment.
func (b *Book) countHolders(ctx context.Context, tx *store.Tx, unit string, post Post, without person.ID) (n int, err error) {
	if err := tx.QueryRow(ctx, `SELECT count(DISTINCT p.person_id) FROM appointments p
		JOIN accounts a ON a.person_id = p.person_id AND a.state = 'active' AND a.last_signin_at > $5
		WHERE p.unit = $1 AND p.post = $2 AND p.person_id <> $3 AND p.closed_at IS NULL AND p.confirmed_at IS NOT NULL
		  AND p.starts_at <= $4 AND (p.ends_at IS NULL OR p.ends_at > $4)`, unit, post, without, store.Us(tx.Now), b.lockedUpTo(tx)).Scan(&n); err != nil {
		return 0, fmt.Errorf("count holders of post: %w", err)
	}
	return n, nil
}

// where builds the condition of a query from parts whose values are bound, never written into the text.
type where struct {
	parts []string
	args  []any
}

// add appends a condition; each ? in it is bound to the next value.
func (w *where) add(condition string, values ...any) {
	for _, v := range values {
		w.args = append(w.args, v)
		condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	w.parts = append(w.parts, condition)
}

// in appends a condition that a column is one of the values; with no values nothing fits.
func in[T any](w *where, column string, values []T) {
	if len(values) == 0 {
		w.add("1 = 0")
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	w.add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", args...)
}

// either appends the conditions of another, which began with this one's values, of which one has to hold.
func (w *where) either(or *where) {
	w.args = or.args
	w.parts = append(w.parts, strings.Join(or.parts, " OR "))
}

func (w *where) String() string {
	if len(w.parts) == 0 {
		return "1 = 1"
	}
	return "(" + strings.Join(w.parts, ") AND (") + ")"
}

// contains makes the pattern of a search for a part of a folded text; its own wildcards are taken as letters. The
// query says ESCAPE '!'.
func contains(folded string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(folded) + "%"
}

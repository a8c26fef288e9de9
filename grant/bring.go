package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
)

// Query gives many rows at once, from tables of who brings them, so that a hundred thousand rights are a few statements
// and never pass through the program. Its arguments are $1 and on.
type Query struct {
	Text string
	Args []any
}

// and appends values that follow the query's own, and answers their names in the text.
func (q Query) and(values ...any) (names []string, args []any) {
	args = append(args, q.Args...)
	for _, v := range values {
		args = append(args, v)
		names = append(names, "$"+strconv.Itoa(len(args)))
	}
	return names, args
}

// Bringing is an act of two central administrators that brings what another system kept into the book: by prepared it,
// second signed it. Its methods belong into a transaction in turn (store.DB.InTurn) and decide nothing about places and
// persons: who brings has asked PlaceFault and knows what the book holds.
type Bringing struct {
	By, Second person.ID
}

// PlaceFault answers the message key of what keeps a level from being given in a place, and "" when nothing does: the
// rule behind Give.
func (b *Book) PlaceFault(ctx context.Context, tx *store.Tx, at Place, level Level) (string, error) {
	unit, teamKnown, err := factsOf(ctx, tx, at)
	if err != nil {
		return "", err
	}
	var check problem.Check
	checkPlace(&check, at.Team, level, unit, teamKnown)
	var p *problem.Problem
	if errors.As(check.Err(), &p) {
		return p.Fields[0].Key, nil
	}
	return "", nil
}

// Farthest is the moment beyond which a date of a right is a slip of the pen.
func Farthest(now time.Time) time.Time { return now.AddDate(farthest, 0, 0) }

// BringRights adds rights and answers how many. The query gives place in the file (seq), id, person_id, unit, team,
// level, starts_at (NULL: from now), ends_at, order_number and note; no live right may stand in the same scope unless
// it has run out. A right opens nothing until the head of its unit has confirmed the person, or ThaID proved him (product.md "Who is he?");
// one for a person who is head of the unit, or proposed as such, waits for a second administrator as when it is given
// in the book.
func (b *Book) BringRights(ctx context.Context, tx *store.Tx, by Bringing, rights Query) (n int64, err error) {
	var expired bool // most often there is none, and to look into the query would be for nothing
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM grants WHERE closed_at IS NULL AND ends_at <= $1)`, store.Us(tx.Now)).Scan(&expired); err != nil {
		return 0, fmt.Errorf("find expired grants: %w", err)
	}
	if expired {
		p, args := rights.and(store.Us(tx.Now), KO1)
		if _, err := tx.Exec(ctx, `UPDATE grants SET closed_at = `+p[0]+`, closed_by = 'system', closing = 'expired', version = version + 1
			WHERE system = `+p[1]+` AND closed_at IS NULL AND ends_at <= `+p[0]+`
			  AND (unit, team, level, person_id) IN (SELECT r.unit, r.team, r.level, r.person_id FROM (`+rights.Text+`) r)`, args...); err != nil {
			return 0, fmt.Errorf("close expired grants: %w", err)
		}
	}
	last, err := b.number(ctx, tx, "grant", 0)
	if err != nil {
		return 0, err
	}
	p, args := rights.and(store.Us(tx.Now), KO1, last, string(by.By), string(by.Second))
	now, system, first, giver, second := "CAST("+p[0]+" AS BIGINT)", "CAST("+p[1]+" AS TEXT)", "CAST("+p[2]+" AS BIGINT)", "CAST("+p[3]+" AS TEXT)", "CAST("+p[4]+" AS TEXT)"
	n, err = tx.Exec(ctx, `INSERT INTO grants (id, number, system, unit, team, level, person_id, starts_at, ends_at, order_number, note,
			other_office, awaits_second, given_by, given_at, seconded_by, seconded_at, form)
		SELECT r.id, `+first+` + row_number() OVER (ORDER BY r.seq), `+system+`, r.unit, r.team, r.level, r.person_id,
			CASE WHEN r.starts_at > `+now+` THEN r.starts_at ELSE `+now+` END, r.ends_at, r.order_number, r.note,
			COALESCE(a.unit <> r.unit, FALSE), h.person_id IS NOT NULL, `+giver+`, `+now+`,
			CASE WHEN h.person_id IS NULL THEN `+second+` END, CASE WHEN h.person_id IS NULL THEN `+now+` END, '`+broughtForm+`' || r.id
		FROM (`+rights.Text+`) r
		LEFT JOIN accounts a ON a.person_id = r.person_id
		LEFT JOIN (SELECT DISTINCT person_id, unit FROM appointments
			WHERE post = 'head' AND closed_at IS NULL AND (ends_at IS NULL OR ends_at > `+now+`)) h ON h.person_id = r.person_id AND h.unit = r.unit`, args...)
	if err != nil {
		return 0, fmt.Errorf("bring grants: %w", err)
	}
	if n == 0 {
		return 0, nil
	}
	if _, err := b.number(ctx, tx, "grant", n); err != nil {
		return 0, err
	}
	if err := b.broughtThaID(ctx, tx, last); err != nil {
		return 0, err
	}
	return n, b.keepVersions(ctx, tx, by, Query{Text: `SELECT id FROM grants WHERE number > $1`, Args: []any{last}})
}

// keepVersions notes what the grants of the query say from now on.
func (b *Book) keepVersions(ctx context.Context, tx *store.Tx, by Bringing, rights Query) error {
	p, args := rights.and(string(by.By), store.Us(tx.Now))
	if _, err := tx.Exec(ctx, `INSERT INTO grant_versions (grant_id, version, starts_at, ends_at, order_number, note, recorded_by, recorded_at)
		SELECT g.id, g.version, g.starts_at, g.ends_at, g.order_number, g.note, CAST(`+p[0]+` AS TEXT), CAST(`+p[1]+` AS BIGINT)
		FROM grants g WHERE g.id IN (SELECT r.id FROM (`+rights.Text+`) r)`, args...); err != nil {
		return fmt.Errorf("keep versions of grants: %w", err)
	}
	return nil
}

// BringChanges gives open grants another end, order number and note, each with a new version, and answers how many. The
// query gives id, ends_at, order_number and note.
func (b *Book) BringChanges(ctx context.Context, tx *store.Tx, by Bringing, changes Query) (int64, error) {
	n, err := tx.Exec(ctx, `UPDATE grants SET ends_at = r.ends_at, order_number = r.order_number, note = r.note, version = version + 1
		FROM (`+changes.Text+`) r WHERE grants.id = r.id AND grants.closed_at IS NULL`, changes.Args...)
	if err != nil {
		return 0, fmt.Errorf("bring changes of grants: %w", err)
	}
	if n == 0 {
		return 0, nil
	}
	return n, b.keepVersions(ctx, tx, by, changes)
}

// BringHeads proposes appointments of heads and answers how many. The query gives id, person_id, unit, kind, order_number,
// note, starts_at (NULL: from now) and ends_at. Nobody who is proposed holds authority: another administrator confirms
// each as ConfirmAppointment says, when the person has registered, since until then nobody knows who that will be.
func (b *Book) BringHeads(ctx context.Context, tx *store.Tx, by Bringing, heads Query) (int64, error) {
	p, args := heads.and(store.Us(tx.Now))
	if _, err := tx.Exec(ctx, `UPDATE appointments SET closed_at = `+p[0]+`, closed_by = 'system', closing = 'expired', version = version + 1
		WHERE post = 'head' AND closed_at IS NULL AND ends_at <= `+p[0]+`
		  AND (unit, person_id) IN (SELECT r.unit, r.person_id FROM (`+heads.Text+`) r)`, args...); err != nil {
		return 0, fmt.Errorf("close expired appointments: %w", err)
	}
	p, args = heads.and(store.Us(tx.Now), string(by.By))
	now, proposer := "CAST("+p[0]+" AS BIGINT)", "CAST("+p[1]+" AS TEXT)"
	n, err := tx.Exec(ctx, `INSERT INTO appointments (id, person_id, unit, post, kind, order_number, note, starts_at, ends_at, proposed_by, proposed_at)
		SELECT r.id, r.person_id, r.unit, 'head', r.kind, r.order_number, r.note,
			CASE WHEN r.starts_at > `+now+` THEN r.starts_at ELSE `+now+` END, r.ends_at, `+proposer+`, `+now+`
		FROM (`+heads.Text+`) r`, args...)
	if err != nil {
		return 0, fmt.Errorf("bring appointments: %w", err)
	}
	return n, nil
}

// BringHeadChanges alters proposals that nobody has confirmed yet, and answers how many. The query gives id, kind,
// order_number, note, starts_at and ends_at.
func (b *Book) BringHeadChanges(ctx context.Context, tx *store.Tx, changes Query) (int64, error) {
	p, args := changes.and(store.Us(tx.Now))
	n, err := tx.Exec(ctx, `UPDATE appointments SET kind = r.kind, order_number = r.order_number, note = r.note, ends_at = r.ends_at,
			starts_at = CASE WHEN r.starts_at > `+p[0]+` THEN r.starts_at ELSE appointments.starts_at END, version = version + 1
		FROM (`+changes.Text+`) r
		WHERE appointments.id = r.id AND appointments.closed_at IS NULL AND appointments.confirmed_at IS NULL`, args...)
	if err != nil {
		return 0, fmt.Errorf("bring changes of appointments: %w", err)
	}
	return n, nil
}

// tellPage is how many holders of brought rights are told at a time: so many messages are held in memory.
const tellPage = 200

// TellBrought tells the registered holders of brought rights, each in his language: that the right was given to him, or
// that it waits for the head of the unit who has yet to confirm him; or that it says something else now. Of a right that
// waits for a second administrator nothing is told before his word, as when it is given in the book. The query gives id.
func (b *Book) TellBrought(ctx context.Context, tx *store.Tx, changed bool, rights Query) error {
	// Numbers are small, however many there are, and lead back to the rights page by page.
	numbers, err := store.Rows(func(row store.Row) (n int64, err error) { return n, row.Scan(&n) })(tx.Query(ctx, `SELECT g.number FROM grants g
		JOIN accounts a ON a.person_id = g.person_id AND a.state = 'active'
		WHERE g.awaits_second = FALSE AND g.closed_at IS NULL AND g.id IN (SELECT r.id FROM (`+rights.Text+`) r) ORDER BY g.number`, rights.Args...))
	if err != nil {
		return fmt.Errorf("find holders of brought grants: %w", err)
	}
	places := map[Place]locale.Name{}
	for page := range slices.Chunk(numbers, tellPage) {
		if err := b.tellBrought(ctx, tx, changed, page, places); err != nil {
			return err
		}
	}
	return nil
}

// brought is a right that was brought in, and whether it opens something.
type brought struct {
	Grant
	confirmed bool
}

func (b *Book) tellBrought(ctx context.Context, tx *store.Tx, changed bool, numbers []int64, places map[Place]locale.Name) error {
	values := make([]any, len(numbers))
	for i, n := range numbers {
		values[i] = n
	}
	names, args := Query{}.and(values...)
	list, err := store.Rows(func(row store.Row) (g brought, err error) {
		return g, row.Scan(append(g.targets(), &g.confirmed)...)
	})(tx.Query(ctx, `SELECT `+grantColumns+`, EXISTS (SELECT 1 FROM confirmations c WHERE c.person_id = g.person_id AND c.unit = g.unit AND c.ended_at IS NULL)
		FROM grants g WHERE g.number IN (`+strings.Join(names, ", ")+`) ORDER BY g.number`, args...))
	if err != nil {
		return fmt.Errorf("find brought grants: %w", err)
	}
	holders := map[person.ID]officer.Account{}
	messages := make([]notify.Message, 0, len(list))
	for _, g := range list {
		holder, known := holders[g.Person]
		if !known {
			if holder, err = officer.Find(ctx, tx, g.Person); err != nil {
				return err
			}
			holders[g.Person] = holder
		}
		place, known := places[g.Scope()]
		if !known {
			if place, err = placeName(ctx, tx, g.Scope()); err != nil {
				return err
			}
			places[g.Scope()] = place
		}
		purpose := "grant.brought"
		switch {
		case changed:
			purpose = "grant.changed"
		case g.confirmed:
			purpose = "grant.given"
		}
		words := wordsAt(place, g.Grant, holder)
		words["link"] = b.link("/my/rights")
		messages = append(messages, officer.Letters(holder, purpose, words)...)
	}
	return b.outbox.Queue(ctx, tx, messages...)
}

// number moves a counter on by n and answers where it stands then.
func (b *Book) number(ctx context.Context, tx *store.Tx, counter string, n int64) (last int64, err error) {
	if err := tx.QueryRow(ctx, `UPDATE counters SET value = value + $1 WHERE name = $2 RETURNING value`, n, counter).Scan(&last); err != nil {
		return 0, fmt.Errorf("move counter of %ss: %w", counter, err)
	}
	return last, nil
}

// MovedAll is Moved for many persons at once, whom the query gives as person_id; it answers nothing when there is none.
func (b *Book) MovedAll(ctx context.Context, tx *store.Tx, persons Query) error {
	distinct := `SELECT DISTINCT q.person_id FROM (` + persons.Text + `) q`
	var n int64
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM (`+distinct+`) d`, persons.Args...).Scan(&n); err != nil {
		return fmt.Errorf("count moved rights: %w", err)
	}
	if n == 0 {
		return nil
	}
	last, err := b.number(ctx, tx, "rights", n)
	if err != nil {
		return err
	}
	p, args := persons.and(last-n, store.Us(tx.Now))
	if _, err := tx.Exec(ctx, `INSERT INTO rights_changes (version, person_id, at)
		SELECT CAST(`+p[0]+` AS BIGINT) + row_number() OVER (ORDER BY d.person_id), d.person_id, CAST(`+p[1]+` AS BIGINT) FROM (`+distinct+`) d`, args...); err != nil {
		return fmt.Errorf("note moved rights: %w", err)
	}
	b.readBack(ctx, tx)
	return nil
}

// RequireHead fails with NotFound unless the person is head of the unit at the transaction's moment.
func (b *Book) RequireHead(ctx context.Context, tx *store.Tx, by person.ID, unit string) error {
	_, ok, err := b.post(ctx, tx, by, Head, unit)
	if err == nil && !ok {
		err = problem.New(problem.NotFound, "grant.unit_not_found")
	}
	return err
}

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// renewAhead is how long a post or right of a fixed account has to go on for when the demonstration starts.
const renewAhead = 60 * 24 * time.Hour

// refresh brings the fixed accounts back to what their list says; see seedDemo.
type refresh struct {
	*house
	tx   *store.Tx
	hash string          // of the demonstration's password
	kept map[string]bool // hashes that take the demonstration's password already
	ids  map[string]person.ID
	done map[string]int // what was brought back, for the log
}

// accounts brings the accounts back, and makes them at the first start.
func (r *refresh) accounts(ctx context.Context) error {
	if err := r.crowd(ctx); err != nil {
		return err
	}
	r.ids = make(map[string]person.ID, len(demoAccounts))
	for i, a := range demoAccounts {
		citizen, err := thai.ParseCitizenID(a.citizen)
		if err != nil {
			return fmt.Errorf("fixed account %s: %w", citizen, err)
		}
		who, err := r.roll.Mention(ctx, r.tx, citizen)
		if err != nil {
			return err
		}
		r.ids[a.citizen] = who
		if !a.registered() {
			continue
		}
		unit, err := agency.Find(ctx, r.tx, a.unit)
		if err != nil {
			return err
		}
		want := demoOfficer(a.given, a.family, a.mailbox, a.position, unit, 9000+i)
		want.Person, want.LastSignIn = who, r.tx.Now.Add(-a.away)
		if err := r.account(ctx, want); err != nil {
			return err
		}
		if a.unproved {
			if _, err := r.tx.Exec(ctx, `UPDATE accounts SET email_proved_at = NULL, phone_proved_at = NULL WHERE person_id = $1`, who); err != nil {
				return fmt.Errorf("forget proof of fixed account: %w", err)
			}
		}
		changed, err := r.signin.Keep(ctx, r.tx, who, a.key(), "demo.refresh")
		if err != nil {
			return fmt.Errorf("second factor of fixed account: %w", err)
		}
		if changed {
			r.done["factors"]++
		}
		if err := r.patience(ctx, who, citizen); err != nil {
			return err
		}
	}
	return nil
}

// crowd moves the last sign-ins of everybody on by the time since the fixed accounts were seen last, so that a demonstration
// that lay still for months wakes up as it was left: who was locked is, and nobody else.
func (r *refresh) crowd(ctx context.Context) error {
	var seen time.Time
	w, args := "", []any{}
	for _, a := range demoAccounts {
		citizen, err := thai.ParseCitizenID(a.citizen)
		if err != nil {
			return fmt.Errorf("fixed account %s: %w", citizen, err)
		}
		args = append(args, r.roll.Index(citizen))
		w += fmt.Sprintf(", $%d", len(args))
	}
	if err := r.tx.QueryRow(ctx, `SELECT max(a.last_signin_at) FROM accounts a JOIN persons p ON p.id = a.person_id
		WHERE p.citizen_index IN (`+w[2:]+`)`, args...).Scan(store.At(&seen)); err != nil {
		return fmt.Errorf("find when the demonstration was seen last: %w", err)
	}
	if seen.IsZero() || !seen.Before(r.tx.Now) {
		return nil
	}
	passed := r.tx.Now.Sub(seen).Microseconds()
	if _, err := r.tx.Exec(ctx, `UPDATE accounts SET last_signin_at = CASE WHEN last_signin_at + $1 > $2 THEN $2 ELSE last_signin_at + $1 END`,
		passed, store.Us(r.tx.Now)); err != nil {
		return fmt.Errorf("bring sign-ins along: %w", err)
	}
	return nil
}

// account makes one account, or brings it back. Language, terms and the day of registration stay as they are.
func (r *refresh) account(ctx context.Context, want officer.Account) error {
	is, err := officer.Find(ctx, r.tx, want.Person)
	if errors.Is(err, problem.NotFound) {
		registered := thai.DateOf(r.tx.Now).AddDays(-700).StartOfDay().Add(9 * time.Hour).UTC()
		want.TermsAt, want.RegisteredAt, want.EmailProvedAt, want.PhoneProvedAt = registered, registered, registered, registered
		return officer.Create(ctx, r.tx, want, r.hash)
	}
	if err != nil {
		return err
	}
	var hash string
	if err := r.tx.QueryRow(ctx, `SELECT password_hash FROM accounts WHERE person_id = $1`, want.Person).Scan(&hash); err != nil {
		return fmt.Errorf("find password of fixed account: %w", err)
	}
	if !r.kept[hash] {
		hash = r.hash
		r.done["passwords"]++
		if _, err := r.tx.Exec(ctx, `UPDATE sessions SET ended_at = $2, end_reason = 'demo.refresh' WHERE person_id = $1 AND ended_at IS NULL`,
			want.Person, store.Us(r.tx.Now)); err != nil {
			return fmt.Errorf("end sessions of fixed account: %w", err)
		}
	}
	if _, err := r.tx.Exec(ctx, `UPDATE accounts SET given_name = $2, family_name = $3, name_fold = $4, name_sort = $5, position = $6,
			unit = $7, email = $8, phone = $9, line_id = $10, password_hash = $11, last_signin_at = $12, password_off = FALSE, failures = 0,
			state = $13, email_proved_at = coalesce(email_proved_at, $14), phone_proved_at = coalesce(phone_proved_at, $14),
			email_since = NULL, phone_since = NULL, closed_at = NULL, version = version + 1
		WHERE person_id = $1`,
		want.Person, want.GivenName, want.FamilyName, thai.Fold(want.Name()), thai.SortKey(want.Name()), want.Position,
		want.Unit, want.Email, want.Phone, want.LineID, hash, store.Us(want.LastSignIn), officer.Active, store.Us(r.tx.Now)); err != nil {
		return fmt.Errorf("bring back fixed account: %w", err)
	}
	r.done["accounts"]++
	if is.Enabled() {
		return nil
	}
	return r.book.Moved(ctx, r.tx, want.Person)
}

// patience forgets the limits that a person has run into: on signing in (by citizen ID and by session), on the second
// factor, and on looking up.
func (r *refresh) patience(ctx context.Context, who person.ID, citizen thai.CitizenID) error {
	if _, err := r.tx.Exec(ctx, `DELETE FROM throttles WHERE name LIKE $1 OR name LIKE $2 OR name LIKE $3 OR name = $4`,
		"signin/account/"+r.roll.Index(citizen)+"/%", "signin/account/"+string(who)+"/%", "signin/factor/"+string(who)+"/%", "lookup/"+string(who)); err != nil {
		return fmt.Errorf("forget limits of fixed account: %w", err)
	}
	return nil
}

// rights brings the posts back, and then the rights that are given from them.
func (r *refresh) rights(ctx context.Context) error {
	for _, a := range demoAccounts {
		if a.post == "" {
			continue
		}
		if err := r.post(ctx, a); err != nil {
			return err
		}
	}
	for _, a := range demoAccounts {
		if a.right == nil {
			continue
		}
		if err := r.right(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// standing answers what is open in a scope, and whether it can stay: in force, and for a while to come.
func (r *refresh) standing(ctx context.Context, query string, args ...any) (id string, stays bool, err error) {
	var from, until time.Time
	var settled bool
	err = r.tx.QueryRow(ctx, query, args...).Scan(&id, store.At(&from), store.At(&until), &settled)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	now := r.tx.Now
	return id, settled && !from.After(now) && (until.IsZero() || until.After(now.Add(renewAhead))), err
}

// post brings one appointment back.
func (r *refresh) post(ctx context.Context, a demoAccount) error {
	who := r.ids[a.citizen]
	old, stays, err := r.standing(ctx, `SELECT id, starts_at, ends_at, confirmed_at IS NOT NULL FROM appointments
		WHERE unit = $1 AND post = $2 AND person_id = $3 AND closed_at IS NULL`, a.postUnit, a.post, who)
	if err != nil {
		return fmt.Errorf("find appointment of fixed account: %w", err)
	}
	if stays {
		return nil
	}
	if _, err := r.tx.Exec(ctx, `UPDATE appointments SET closed_at = $2, closed_by = $3, closing = 'ended', close_reason = 'demo.refresh',
		version = version + 1 WHERE id = $1`, old, store.Us(r.tx.Now), audit.System); err != nil {
		return fmt.Errorf("close appointment of fixed account: %w", err)
	}
	fresh := demoAppointment(r.ids, who, a.citizen, a.postUnit, a.post)
	fresh.From, fresh.ProposedAt, fresh.ConfirmedAt = r.tx.Now, r.tx.Now, r.tx.Now
	fresh.OrderNumber = demoOrder(1, r.tx.Now)
	if err := insertMany(ctx, r.tx, "appointments", appointmentColumns, [][]any{appointmentRow(fresh)}, ""); err != nil {
		return err
	}
	return r.broughtBack(ctx, "appointments", who, a.postUnit, fresh.ID)
}

// right brings one grant back, with the confirmation that it rests on.
func (r *refresh) right(ctx context.Context, a demoAccount) error {
	who, by := r.ids[a.citizen], person.ID("")
	if head, ok := demoHead(a.right.unit); ok {
		by = r.ids[head.citizen]
	}
	if a.registered() {
		n, err := r.tx.Exec(ctx, `INSERT INTO confirmations (`+confirmationColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
			confirmationRow(who, a.right.unit, string(by), r.tx.Now, true)...)
		if err != nil {
			return fmt.Errorf("confirm fixed account: %w", err)
		}
		if n > 0 {
			if err := r.broughtBack(ctx, "confirmations", who, a.right.unit, ""); err != nil {
				return err
			}
		}
	}
	old, stays, err := r.standing(ctx, `SELECT id, starts_at, ends_at, NOT awaits_second FROM grants
		WHERE system = $1 AND unit = $2 AND team = $3 AND level = $4 AND person_id = $5 AND closed_at IS NULL`,
		grant.KO1, a.right.unit, a.right.team, a.right.level, who)
	if err != nil {
		return fmt.Errorf("find right of fixed account: %w", err)
	}
	if stays {
		return nil
	}
	if _, err := r.tx.Exec(ctx, `UPDATE grants SET closed_at = $2, closed_by = $3, closing = $4, close_reason = 'demo.refresh',
		version = version + 1 WHERE id = $1`, old, store.Us(r.tx.Now), audit.System, grant.Revoked); err != nil {
		return fmt.Errorf("close right of fixed account: %w", err)
	}
	fresh := deed{form: store.NewID(), Grant: grant.Grant{ID: store.NewID(), Unit: a.right.unit, Team: a.right.team, Level: a.right.level,
		Person: who, From: r.tx.Now, GivenBy: by, GivenAt: r.tx.Now, Version: 1}}
	if err := r.tx.QueryRow(ctx, `UPDATE counters SET value = value + 1 WHERE name = 'grant' RETURNING value`).Scan(&fresh.Number); err != nil {
		return fmt.Errorf("number right of fixed account: %w", err)
	}
	if err := insertMany(ctx, r.tx, "grants", grantColumns, [][]any{fresh.row()}, ""); err != nil {
		return err
	}
	if err := insertMany(ctx, r.tx, "grant_versions", versionColumns, fresh.versions(), ""); err != nil {
		return err
	}
	return r.broughtBack(ctx, "grants", who, a.right.unit, fresh.ID)
}

// broughtBack records that something was brought back, and lets every process know.
func (r *refresh) broughtBack(ctx context.Context, what string, who person.ID, unit, id string) error {
	r.done[what]++
	if err := audit.Record(ctx, r.tx, audit.Act{Name: "demo.refresh", Actor: audit.System, Unit: unit, Subject: string(who), Object: id,
		Detail: map[string]string{"what": what}}); err != nil {
		return err
	}
	return r.book.Moved(ctx, r.tx, who)
}

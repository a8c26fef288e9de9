package signin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sitthi/internal/store"
	"sitthi/person"
)

// hasFactor is the condition that the person of a row has a second factor.
func hasFactor(column string) string {
	return `(EXISTS (SELECT 1 FROM factors f WHERE f.person_id = ` + column + ` AND f.enrolled_at IS NOT NULL)
		OR EXISTS (SELECT 1 FROM passkeys k WHERE k.person_id = ` + column + `))`
}

// selectHasFactor tells whether a second factor is asked of a person.
func selectHasFactor(ctx context.Context, tx *store.Tx, who person.ID) (has bool, err error) {
	err = tx.QueryRow(ctx, `SELECT `+hasFactor("$1"), who).Scan(&has)
	if err != nil {
		return false, fmt.Errorf("look for second factor: %w", err)
	}
	return has, nil
}

// selectFactors answers since when a person has an app, and how many recovery codes he has left.
func selectFactors(ctx context.Context, tx *store.Tx, who person.ID) (app time.Time, recovery int, err error) {
	err = tx.QueryRow(ctx, `SELECT (SELECT enrolled_at FROM factors WHERE person_id = $1 AND enrolled_at IS NOT NULL),
		(SELECT count(*) FROM recovery_codes WHERE person_id = $1 AND used_at IS NULL)`, who).Scan(store.At(&app), &recovery)
	if err != nil {
		return app, 0, fmt.Errorf("find second factors: %w", err)
	}
	return app, recovery, nil
}

// app is a row of factors.
type app struct {
	id      string
	sealed  []byte
	begunAt time.Time
}

// selectApp finds the app in use, or the one that is being set up; problem.NotFound when there is none.
func selectApp(ctx context.Context, tx *store.Tx, who person.ID, enrolled bool) (a app, err error) {
	err = tx.QueryRow(ctx, `SELECT id, secret_sealed, begun_at FROM factors
		WHERE person_id = $1 AND (enrolled_at IS NOT NULL) = $2`, who, enrolled).Scan(&a.id, &a.sealed, store.At(&a.begunAt))
	if errors.Is(err, sql.ErrNoRows) {
		return app{}, errNoApp()
	}
	if err != nil {
		return app{}, fmt.Errorf("find app: %w", err)
	}
	return a, nil
}

// replaceBegun writes an app that is being set up, in place of one begun before.
func replaceBegun(ctx context.Context, tx *store.Tx, id string, who person.ID, sealed []byte) error {
	if _, err := tx.Exec(ctx, `DELETE FROM factors WHERE person_id = $1 AND enrolled_at IS NULL`, who); err != nil {
		return fmt.Errorf("begin app: %w", err)
	}
	_, err := tx.Exec(ctx, `INSERT INTO factors (id, person_id, secret_sealed, begun_at) VALUES ($1, $2, $3, $4)`,
		id, who, sealed, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("begin app: %w", err)
	}
	return nil
}

// updateEnrolled puts the app that was set up in place of the one used before.
func updateEnrolled(ctx context.Context, tx *store.Tx, who person.ID, id string, step int64) error {
	if _, err := tx.Exec(ctx, `DELETE FROM factors WHERE person_id = $1 AND enrolled_at IS NOT NULL`, who); err != nil {
		return fmt.Errorf("enrol app: %w", err)
	}
	n, err := tx.Exec(ctx, `UPDATE factors SET enrolled_at = $2, last_step = $3 WHERE id = $1 AND enrolled_at IS NULL`,
		id, store.Us(tx.Now), step)
	if err != nil {
		return fmt.Errorf("enrol app: %w", err)
	}
	if n == 0 {
		return errNoApp()
	}
	return nil
}

// updateStep uses up a code, and with it all of earlier steps; taken is false when it was used before.
func updateStep(ctx context.Context, tx *store.Tx, id string, step int64) (taken bool, err error) {
	var stored int64
	err = tx.QueryRow(ctx, `UPDATE factors SET last_step = $2
		WHERE id = $1 AND enrolled_at IS NOT NULL AND last_step < $2 RETURNING last_step`, id, step).Scan(&stored)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("use code of app: %w", err)
	}
	return true, nil
}

func deleteApp(ctx context.Context, tx *store.Tx, who person.ID) error {
	n, err := tx.Exec(ctx, `DELETE FROM factors WHERE person_id = $1 AND enrolled_at IS NOT NULL`, who)
	if err != nil {
		return fmt.Errorf("remove app: %w", err)
	}
	if n == 0 {
		return errNoApp()
	}
	return nil
}

func insertRecovery(ctx context.Context, tx *store.Tx, who person.ID, hash string) error {
	_, err := tx.Exec(ctx, `INSERT INTO recovery_codes (person_id, hash, created_at) VALUES ($1, $2, $3)`, who, hash, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("add recovery code: %w", err)
	}
	return nil
}

// updateRecovery uses up a recovery code; taken is false when it is none, or was used before.
func updateRecovery(ctx context.Context, tx *store.Tx, who person.ID, hash string) (taken bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE recovery_codes SET used_at = $3 WHERE person_id = $1 AND hash = $2 AND used_at IS NULL`,
		who, hash, store.Us(tx.Now))
	if err != nil {
		return false, fmt.Errorf("use recovery code: %w", err)
	}
	return n == 1, nil
}

func deleteRecovery(ctx context.Context, tx *store.Tx, who person.ID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM recovery_codes WHERE person_id = $1`, who); err != nil {
		return fmt.Errorf("remove recovery codes: %w", err)
	}
	return nil
}

// selectFlow finds a sign-in that waits for the second factor, in its own browser.
func selectFlow(ctx context.Context, tx *store.Tx, id, browserHash string) (f flow, err error) {
	err = tx.QueryRow(ctx, `SELECT s.id, s.person_id, a.unit, s.door, s.short_password FROM signin_flows s JOIN accounts a ON a.person_id = s.person_id
		WHERE s.id = $1 AND s.browser = $2 AND s.done_at IS NULL AND s.expires_at > $3`, id, browserHash, store.Us(tx.Now)).
		Scan(&f.id, &f.who, &f.unit, &f.door, &f.short)
	if errors.Is(err, sql.ErrNoRows) {
		return flow{}, errNoFlow()
	}
	if err != nil {
		return flow{}, fmt.Errorf("find sign-in under way: %w", err)
	}
	return f, nil
}

func insertFlow(ctx context.Context, tx *store.Tx, f flow, browserHash string) error {
	_, err := tx.Exec(ctx, `INSERT INTO signin_flows (id, browser, person_id, door, short_password, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, f.id, browserHash, f.who, f.door, f.short, store.Us(tx.Now), store.Us(tx.Now.Add(flowLife)))
	if err != nil {
		return fmt.Errorf("begin sign-in: %w", err)
	}
	return nil
}

// updateFlowDone takes a sign-in that waits; taken is false when it was taken before or is over.
func updateFlowDone(ctx context.Context, tx *store.Tx, id, browserHash string) (taken bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE signin_flows SET done_at = $3
		WHERE id = $1 AND browser = $2 AND done_at IS NULL AND expires_at > $3`, id, browserHash, store.Us(tx.Now))
	if err != nil {
		return false, fmt.Errorf("finish sign-in: %w", err)
	}
	return n == 1, nil
}

// endFlows ends the sign-ins of a person that wait for the second factor.
func endFlows(ctx context.Context, tx *store.Tx, who person.ID) error {
	_, err := tx.Exec(ctx, `UPDATE signin_flows SET expires_at = $2 WHERE person_id = $1 AND expires_at > $2`, who, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("end sign-ins under way: %w", err)
	}
	return nil
}

// updateOthersEnded ends all sessions of a person but one.
func updateOthersEnded(ctx context.Context, tx *store.Tx, who person.ID, but, reason string) error {
	_, err := tx.Exec(ctx, `UPDATE sessions SET ended_at = $2, end_reason = $3
		WHERE person_id = $1 AND id <> $4 AND ended_at IS NULL`, who, store.Us(tx.Now), reason, but)
	if err != nil {
		return fmt.Errorf("end other sessions: %w", err)
	}
	return nil
}

// deleteFactors takes away all with which a person proves himself beside the password.
func deleteFactors(ctx context.Context, tx *store.Tx, who person.ID) error {
	for _, table := range []string{"factors", "passkeys", "recovery_codes"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE person_id = $1`, who); err != nil {
			return fmt.Errorf("remove %s: %w", table, err)
		}
	}
	return nil
}

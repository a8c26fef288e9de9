package officer

import (
	"context"
	"fmt"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/person"
)

// LockAfter is how long after his last sign-in the account of an officer locks, unless a setting says otherwise: 60 days
// of 24 hours (case 3 of the manual; trust.md 11).
const LockAfter = 60 * 24 * time.Hour

// LocksAt answers when an account locks that goes on as it is: so long after the last sign-in. The registration and a
// reopening count as sign-ins. Before that moment the account serves, from it on it is locked.
func LocksAt(lastSignIn time.Time, after time.Duration) time.Time { return lastSignIn.Add(after) }

// Locked reports whether an account is locked at a moment.
func (a Account) Locked(at time.Time, after time.Duration) bool {
	return !at.Before(LocksAt(a.LastSignIn, after))
}

// LockedUpTo answers the latest last sign-in with which an account is locked at a moment: what LocksAt says, turned round
// for the conditions of queries.
func LockedUpTo(at time.Time, after time.Duration) time.Time { return at.Add(-after) }

// Reopen starts the time to the lock again (กรณีขอ "Active User"), whether or not the account is locked, and keeps until
// when it had been used before. Every process knows within a second or two. It fails with problem.NotFound for who has
// not registered. Who may ask for it, and the entry in the log, are the caller's.
func Reopen(ctx context.Context, tx *store.Tx, who person.ID) error {
	_, err := tx.Exec(ctx, `INSERT INTO reopenings (person_id, at, before_at)
		SELECT a.person_id, $2, a.last_signin_at FROM accounts a WHERE a.person_id = $1
		ON CONFLICT (person_id, at) DO NOTHING`, who, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("keep reopening: %w", err)
	}
	n, err := tx.Exec(ctx, `UPDATE accounts SET last_signin_at = $2 WHERE person_id = $1`, who, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("reopen account: %w", err)
	}
	if n == 0 {
		return problem.New(problem.NotFound, "officer.problem.unknown")
	}
	return nil
}

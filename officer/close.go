package officer

import (
	"context"
	"fmt"

	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/person"
)

// Close closes an officer's own account: it is switched off, and all its sessions end. What he held stays on record and
// has no effect; who has to know is told. The account can be opened again (see OpenAgain). It fails with problem.Invalid
// unless he says that he knows the effect, which may leave a unit without a head or an approver (trust.md 18), with
// problem.Conflict when it is closed already, and with what Options.Closed refuses.
func (d *Desk) Close(ctx context.Context, who person.ID, knows bool) error {
	if !knows {
		var check problem.Check
		check.Fail(FieldKnow, "account.problem.know")
		return check.Err()
	}
	act := audit.Act{Name: "officer.close", Actor: string(who), Subject: string(who)}
	return audit.Do(ctx, d.db.InTurn(), &act, func(tx *store.Tx) error {
		was, err := Find(ctx, tx, who)
		if err != nil {
			return err
		}
		act.Unit = was.Unit
		n, err := tx.Exec(ctx, `UPDATE accounts SET state = $2, closed_at = $3, version = version + 1 WHERE person_id = $1 AND state = $4`,
			who, Disabled, store.Us(tx.Now), Active)
		if err != nil {
			return fmt.Errorf("close account: %w", err)
		}
		if n == 0 {
			return problem.New(problem.Conflict, "account.problem.closed")
		}
		if err := d.closed(ctx, tx, was); err != nil {
			return err
		}
		return Tell(ctx, tx, d.outbox, was, "account.closed", locale.Args{"name": was.Name()})
	})
}

// OpenAgain opens an account that its owner closed; opened is false for one that is open, or was switched off by others.
// The caller records the act, and has the rights that come back read again (grant.Book.Moved).
func OpenAgain(ctx context.Context, tx *store.Tx, who person.ID) (opened bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE accounts SET state = $2, closed_at = NULL, version = version + 1
		WHERE person_id = $1 AND state = $3 AND closed_at IS NOT NULL`, who, Active, Disabled)
	if err != nil {
		return false, fmt.Errorf("open account again: %w", err)
	}
	return n == 1, nil
}

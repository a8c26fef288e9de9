package signin

import (
	"context"
	"fmt"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
)

// remindDays are how many days before his account locks an officer is reminded, the last first: with 60 days on the days
// 45, 53 and 59 (trust.md 11).
var remindDays = []int{1, 7, 15}

// remindAtOnce is how many officers one transaction reminds.
const remindAtOnce = 100

// Remind reminds every officer whose account locks soon, once for each last sign-in and each of remindDays, however often
// and in however many programs it runs. What was missed while no program ran is not sent late: of several due, the last
// alone. It answers how many were reminded.
func (d *Desk) Remind(ctx context.Context) (reminded int64, err error) {
	for i, days := range remindDays {
		next := 0 // days before the lock at which the next reminder is due
		if i > 0 {
			next = remindDays[i-1]
		}
		for {
			n := int64(0)
			err := d.db.Write(ctx, func(tx *store.Tx) (err error) {
				n, err = d.remind(ctx, tx, days, next)
				return err
			})
			if err != nil {
				return reminded, fmt.Errorf("remind of lock: %w", err)
			}
			if reminded += n; n < remindAtOnce {
				break
			}
		}
	}
	return reminded, nil
}

// remind reminds some of those whose accounts lock within so many days, but later than the next reminder is due.
func (d *Desk) remind(ctx context.Context, tx *store.Tx, days, next int) (int64, error) {
	locked := officer.LockedUpTo(tx.Now, d.settings.LockAfter)
	list, err := selectToRemind(ctx, tx, days, locked.AddDate(0, 0, next), locked.AddDate(0, 0, days), remindAtOnce)
	if err != nil {
		return 0, err
	}
	for _, a := range list {
		if err := insertReminder(ctx, tx, a, days); err != nil {
			return 0, err
		}
		locks := officer.LocksAt(a.LastSignIn, d.settings.LockAfter)
		args := locale.Args(problem.Args("name", a.Name(), "n", daysLeft(tx.Now, locks), "from", thai.DateOf(locks), "link", d.linkTo("/officer/login")))
		if err := officer.Tell(ctx, tx, d.outbox, a, "signin.locks_soon", args); err != nil {
			return 0, err
		}
	}
	return int64(len(list)), nil
}

// daysLeft is how many days are left until a moment; one that has begun counts.
func daysLeft(now, until time.Time) int {
	const day = 24 * time.Hour
	return int((until.Sub(now) + day - 1) / day)
}

// selectToRemind lists the accounts whose last sign-in lies after one moment and up to another, and that were not reminded
// so many days before.
func selectToRemind(ctx context.Context, tx *store.Tx, days int, after, upTo time.Time, most int) ([]officer.Account, error) {
	list, err := store.Rows(func(row store.Row) (a officer.Account, err error) { return a, row.Scan(a.Targets()...) })(tx.Query(ctx,
		`SELECT `+officer.Columns+` FROM accounts a
		WHERE a.last_signin_at > $1 AND a.last_signin_at <= $2 AND a.state = $3 AND NOT EXISTS (SELECT 1 FROM lock_reminders r
			WHERE r.person_id = a.person_id AND r.last_signin_at = a.last_signin_at AND r.days = $4)
		ORDER BY a.last_signin_at, a.person_id LIMIT $5`, store.Us(after), store.Us(upTo), officer.Active, days, most))
	if err != nil {
		return nil, fmt.Errorf("find whom to remind: %w", err)
	}
	return list, nil
}

func insertReminder(ctx context.Context, tx *store.Tx, a officer.Account, days int) error {
	_, err := tx.Exec(ctx, `INSERT INTO lock_reminders (person_id, last_signin_at, days, at) VALUES ($1, $2, $3, $4)`,
		a.Person, store.Us(a.LastSignIn), days, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("note reminder: %w", err)
	}
	return nil
}

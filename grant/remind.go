package grant

import (
	"context"
	"fmt"
	"time"

	"sitthi/internal/store"
	"sitthi/officer"
)

// remindDays are how many days before its end a right is reminded of, the nearest first.
var remindDays = [...]int{7, 30}

// remindBatch is how many rights one transaction reminds of.
const remindBatch = 50

// RemindEnding tells the holders of rights that end in 30 and in 7 days, and the heads of their units, and answers of how
// many rights. Each is told once for each end, however many processes run and however often. A right that was given for
// less time than that is not reminded of. Once an hour is often enough.
func (b *Book) RemindEnding(ctx context.Context) (reminded int64, err error) {
	for _, days := range remindDays {
		for {
			n, err := b.remind(ctx, days)
			reminded += n
			if err != nil {
				return reminded, fmt.Errorf("remind of rights that end: %w", err)
			}
			if n == 0 {
				break
			}
		}
	}
	return reminded, nil
}

const endingQuery = `SELECT ` + grantColumns + ` FROM grants g
	JOIN accounts a ON a.person_id = g.person_id AND a.state = 'active'
	JOIN confirmations c ON c.person_id = g.person_id AND c.unit = g.unit AND c.ended_at IS NULL
	WHERE g.system = 'ko1' AND g.closed_at IS NULL AND g.awaits_second = FALSE AND g.ends_at IS NOT NULL
	  AND g.ends_at > $1 AND g.ends_at <= $2 AND g.given_at <= g.ends_at - $3
	  AND NOT EXISTS (SELECT 1 FROM grant_reminders r WHERE r.grant_id = g.id AND r.ends_at = g.ends_at AND r.days = $4)
	ORDER BY g.ends_at, g.id LIMIT $5`

// remind reminds of some rights that end within so many days, and answers of how many.
func (b *Book) remind(ctx context.Context, days int) (reminded int64, err error) {
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		reminded = 0
		within := time.Duration(days) * 24 * time.Hour
		list, err := store.Rows(scanGrant)(tx.Query(ctx, endingQuery,
			store.Us(tx.Now), store.Us(tx.Now.Add(within)), within.Microseconds(), days, remindBatch))
		if err != nil {
			return fmt.Errorf("find rights that end: %w", err)
		}
		for _, g := range list {
			if err := noteReminder(ctx, tx, g, days); err != nil {
				return err
			}
			holder, err := officer.Find(ctx, tx, g.Person)
			if err != nil {
				return err
			}
			if err := b.tellHolder(ctx, tx, g, holder, "grant.ending"); err != nil {
				return err
			}
			words, err := b.words(ctx, tx, g, holder)
			if err != nil {
				return err
			}
			words["link"] = b.link("/ko1/grants/" + g.ID)
			if err := b.tellPosts(ctx, tx, Head, g.Unit, g.Person, "grant.ending_head", words); err != nil {
				return err
			}
			reminded++
		}
		return nil
	})
	return reminded, err
}

// noteReminder keeps that a right was reminded of. Who is told of the last days is not told of the days before any more.
func noteReminder(ctx context.Context, tx *store.Tx, g Grant, days int) error {
	for _, d := range remindDays {
		if d < days {
			continue
		}
		if _, err := tx.Exec(ctx, `INSERT INTO grant_reminders (grant_id, ends_at, days, at) VALUES ($1, $2, $3, $4)
			ON CONFLICT DO NOTHING`, g.ID, store.Us(g.Until), d, store.Us(tx.Now)); err != nil {
			return fmt.Errorf("note reminder: %w", err)
		}
	}
	return nil
}

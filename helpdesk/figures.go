package helpdesk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sitthi/internal/store"
	"sitthi/officer"
	"sitthi/person"
)

// Figures are what the help desk is measured by.
type Figures struct {
	Open       int           // tickets that are not closed
	Unclaimed  int           // of these, without an agent
	Oldest     time.Duration // age of the oldest that waits for an agent
	Came       int           // within 30 days
	ClosedLast int           // within 30 days
	Median     time.Duration // to the first answer, of what came within 30 days and was answered
	Slowest    time.Duration // the same, nine of ten were quicker
	Agents     []AgentFigure
}

// AgentFigure is how often one agent acted on accounts.
type AgentFigure struct {
	Name  string
	Day   int // acts within 24 hours
	Month int // within 30 days
	Alarm bool
}

// Figures counts for agents and central administrators; problem.Denied for anybody else.
func (d *Desk) Figures(ctx context.Context, by person.ID) (f Figures, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		if _, err := d.require(ctx, tx, by); err != nil {
			return err
		}
		f = Figures{}
		var oldest time.Time
		month := store.Us(tx.Now.Add(-30 * 24 * time.Hour))
		for _, q := range []struct {
			query string
			args  []any
			into  any
		}{
			{`SELECT count(*) FROM tickets WHERE closed_at IS NULL AND state <> 'draft'`, nil, &f.Open},
			{`SELECT count(*) FROM tickets WHERE closed_at IS NULL AND state = 'new'`, nil, &f.Unclaimed},
			{`SELECT min(created_at) FROM tickets WHERE closed_at IS NULL AND state = 'new'`, nil, store.At(&oldest)},
			{`SELECT count(*) FROM tickets WHERE created_at > $1 AND state <> 'draft'`, []any{month}, &f.Came},
			{`SELECT count(*) FROM tickets WHERE closed_at > $1`, []any{month}, &f.ClosedLast},
		} {
			if err := tx.QueryRow(ctx, q.query, q.args...).Scan(q.into); err != nil {
				return fmt.Errorf("count tickets: %w", err)
			}
		}
		if !oldest.IsZero() {
			f.Oldest = tx.Now.Sub(oldest)
		}
		waits, err := store.Rows(func(row store.Row) (w int64, err error) { return w, row.Scan(&w) })(tx.Query(ctx,
			`SELECT answered_at - created_at FROM tickets WHERE created_at > $1 AND answered_at IS NOT NULL ORDER BY 1`, month))
		if err != nil {
			return fmt.Errorf("read times to first answers: %w", err)
		}
		f.Median, f.Slowest = quantile(waits, 5), quantile(waits, 9)
		f.Agents, err = d.agents(ctx, tx)
		return err
	})
	return f, err
}

// quantile is the time under which so many tenths of the sorted microseconds lie; 0 for none.
func quantile(sorted []int64, tenths int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return time.Duration(sorted[min(len(sorted)*tenths/10, len(sorted)-1)]) * time.Microsecond
}

func (d *Desk) agents(ctx context.Context, tx *store.Tx) ([]AgentFigure, error) {
	list, err := store.Rows(func(row store.Row) (f AgentFigure, err error) {
		var given, family string
		err = row.Scan(&given, &family, &f.Day, &f.Month)
		f.Name, f.Alarm = officer.Account{GivenName: given, FamilyName: family}.Name(), f.Day > MostActs
		return f, err
	})(tx.Query(ctx, `SELECT a.given_name, a.family_name, count(CASE WHEN o.acted_at > $1 THEN 1 END), count(*)
		FROM `+agentActs+` JOIN accounts a ON a.person_id = o.agent WHERE o.acted_at > $2
		GROUP BY a.person_id, a.given_name, a.family_name`, store.Us(tx.Now.Add(-24*time.Hour)), store.Us(tx.Now.Add(-30*24*time.Hour))))
	if err != nil {
		return nil, fmt.Errorf("count acts of agents: %w", err)
	}
	slices.SortFunc(list, func(a, b AgentFigure) int { return b.Month - a.Month })
	return list, nil
}

// Gauges are the figures an operator watches: open tickets, those without an agent, the age of the oldest of these in
// seconds, and agents with more than twenty acts within 24 hours.
func (d *Desk) Gauges(ctx context.Context) (values []float64, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		var open, unclaimed, busy int
		var oldest time.Time
		err := tx.QueryRow(ctx, `SELECT count(CASE WHEN state <> 'draft' THEN 1 END), count(CASE WHEN state = 'new' THEN 1 END),
			min(CASE WHEN state = 'new' THEN created_at END) FROM tickets WHERE closed_at IS NULL`).Scan(&open, &unclaimed, store.At(&oldest))
		if err != nil {
			return fmt.Errorf("count tickets: %w", err)
		}
		err = tx.QueryRow(ctx, `SELECT count(*) FROM (SELECT o.agent FROM `+agentActs+` WHERE o.acted_at > $1 GROUP BY o.agent HAVING count(*) > $2) often`,
			store.Us(tx.Now.Add(-24*time.Hour)), MostActs).Scan(&busy)
		if err != nil {
			return fmt.Errorf("count busy agents: %w", err)
		}
		var age float64
		if !oldest.IsZero() {
			age = tx.Now.Sub(oldest).Seconds()
		}
		values = []float64{float64(open), float64(unclaimed), age, float64(busy)}
		return nil
	})
	return values, err
}

// Package retention deletes what is no longer kept, rule by rule, one process at a time, and records what went.
package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"sitthi/audit"
	"sitthi/internal/store"
)

// Day is the unit in which most is kept.
const Day = 24 * time.Hour

// look is how often it is seen whether a rule is due; hold is for how long a process takes the work.
const (
	look = time.Minute
	hold = 10 * time.Minute
)

// Rule is one kind of data and what becomes of it.
type Rule struct {
	// Name is what the data are called: in the log of acts, in the metrics and in docs/operations.md.
	Name string
	// Keep is how long the data are kept.
	Keep time.Duration
	// Every is how often what is over is deleted.
	Every time.Duration
	// Recorded says that what went is told in the log of acts; what lives for hours has no place there.
	Recorded bool
	// Sweep deletes what is over, in batches, and answers how many rows went.
	Sweep func(ctx context.Context) (int64, error)
}

// Round does what the rules say. It is safe for concurrent use.
type Round struct {
	DB    *store.DB
	Log   *slog.Logger
	Rules []Rule

	holder string
	gone   atomic.Uint64
}

// NewRound makes a round of rules.
func NewRound(db *store.DB, log *slog.Logger, rules []Rule) *Round {
	return &Round{DB: db, Log: log, Rules: rules, holder: store.NewID()}
}

// Gone is how many rows this process has deleted.
func (r *Round) Gone() uint64 { return r.gone.Load() }

// Run does what is due until the context ends. A rule that fails is logged and tried again when it is next looked for;
// it holds up no other.
func (r *Round) Run(ctx context.Context) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if err := r.Due(ctx); err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "retention", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Due does what is due now, unless another process is at it.
func (r *Round) Due(ctx context.Context) error {
	var errs []error
	for _, rule := range r.Rules {
		if err := r.apply(ctx, rule); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", rule.Name, err))
		}
	}
	return errors.Join(errs...)
}

func (r *Round) apply(ctx context.Context, rule Rule) error {
	ours, err := r.claim(ctx, rule)
	if err != nil || !ours {
		return err
	}
	n, err := rule.Sweep(ctx)
	r.gone.Add(uint64(n))
	if err != nil {
		return err
	}
	note := func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO retention_runs (rule, at, gone) VALUES ($1, $2, $3)
			ON CONFLICT (rule) DO UPDATE SET at = excluded.at, gone = excluded.gone`, rule.Name, store.Us(tx.Now), n)
		if err != nil {
			return fmt.Errorf("note round: %w", err)
		}
		_, err = tx.Exec(ctx, `DELETE FROM leases WHERE name = $1 AND holder = $2`, lease(rule), r.holder)
		return err
	}
	if n == 0 || !rule.Recorded {
		return r.DB.Write(ctx, note)
	}
	r.Log.InfoContext(ctx, "no longer kept", slog.String("rule", rule.Name), slog.Int64("rows", n))
	act := audit.Act{Name: "retention.delete", Actor: audit.System, Detail: map[string]string{
		"rule": rule.Name, "rows": strconv.FormatInt(n, 10), "kept_days": strconv.Itoa(int(rule.Keep / Day)),
	}}
	return audit.Do(ctx, r.DB, &act, note)
}

func lease(rule Rule) string { return "retention." + rule.Name }

// claim takes a rule that is due, for this process alone.
func (r *Round) claim(ctx context.Context, rule Rule) (ours bool, err error) {
	due := func(tx *store.Tx) (bool, error) {
		var n int
		err := tx.QueryRow(ctx, `SELECT count(*) FROM retention_runs WHERE rule = $1 AND at > $2 AND at <= $3`,
			rule.Name, store.Us(tx.Now.Add(-rule.Every)), store.Us(tx.Now)).Scan(&n)
		return n == 0, err
	}
	err = r.DB.Read(ctx, func(tx *store.Tx) (err error) { // looked for each minute: without a write while nothing is due
		ours, err = due(tx)
		return err
	})
	if err != nil || !ours {
		return false, err
	}
	err = r.DB.Write(ctx, func(tx *store.Tx) error {
		if ours, err = due(tx); err != nil || !ours {
			return err
		}
		n, err := tx.Exec(ctx, `INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
			WHERE leases.holder = excluded.holder OR leases.until <= $4`, lease(rule), r.holder, store.Us(tx.Now.Add(hold)), store.Us(tx.Now))
		ours = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("claim round: %w", err)
	}
	return ours, nil
}

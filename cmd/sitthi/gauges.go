package main

import (
	"context"
	"time"

	"sitthi/audit"
	"sitthi/internal/store"
)

// gauges adds the figures that an operator watches; docs/operations.md says what to do about them.
func (h *house) gauges() {
	h.metrics.Gauge("sitthi_messages_waiting", "Messages that are not delivered yet.", h.waiting)
	h.metrics.Gauge("sitthi_messages_dead", "Messages that were given up.", h.dead)
	h.metrics.Gauge("sitthi_messages_oldest_seconds", "Age of the oldest message that is not delivered yet.", h.oldest)
	h.metrics.Gauge("sitthi_audit_unsealed", "Entries of the audit log that have no place in the tree yet.", h.unsealed)
	h.metrics.Gauge("sitthi_rights_age_seconds", "Time since the rights in memory were compared with the database.",
		func(context.Context) (float64, error) { return h.book.Age().Seconds(), nil })
	h.metrics.Gauge("sitthi_sessions", "Sessions seen within 30 minutes.", h.sessions)
	h.metrics.Gauge("sitthi_refusals_anonymous_total", "Acts refused to visitors who had not signed in.",
		func(context.Context) (float64, error) { return float64(audit.AnonymousRefusals()), nil })
}

func (h *house) waiting(ctx context.Context) (n float64, err error) {
	backlog, err := h.outbox.Backlog(ctx)
	for _, b := range backlog {
		n += float64(b.Waiting)
	}
	return n, err
}

func (h *house) dead(ctx context.Context) (n float64, err error) {
	backlog, err := h.outbox.Backlog(ctx)
	for _, b := range backlog {
		n += float64(b.Dead)
	}
	return n, err
}

func (h *house) oldest(ctx context.Context) (age float64, err error) {
	backlog, err := h.outbox.Backlog(ctx)
	for _, b := range backlog {
		if !b.Oldest.IsZero() {
			age = max(age, h.clock.Now().Sub(b.Oldest).Seconds())
		}
	}
	return age, err
}

func (h *house) unsealed(ctx context.Context) (float64, error) {
	state, err := h.sealer.State(ctx)
	return float64(state.Unsealed), err
}

func (h *house) sessions(ctx context.Context) (n float64, err error) {
	err = h.db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM sessions WHERE ended_at IS NULL AND seen_at > $1`,
			store.Us(tx.Now.Add(-30*time.Minute))).Scan(&n)
	})
	return n, err
}

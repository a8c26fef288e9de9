package main

import (
	"context"
	"time"

	"sitthi/audit"
	"sitthi/internal/observe"
	"sitthi/internal/store"
)

// gauges adds the figures that an operator watches; docs/operations.md says what to do about them.
func (h *house) gauges() {
	h.metrics.Gauges(h.messages,
		observe.Figure{Name: "sitthi_messages_waiting", Help: "Messages that are not delivered yet."},
		observe.Figure{Name: "sitthi_messages_dead", Help: "Messages of the last 90 days that were given up."},
		observe.Figure{Name: "sitthi_messages_oldest_seconds", Help: "Age of the oldest message that is not delivered yet."})
	h.metrics.Gauges(h.sealed,
		observe.Figure{Name: "sitthi_audit_unsealed", Help: "Entries of the audit log that have no place in the tree yet."},
		observe.Figure{Name: "sitthi_audit_sealed_seconds", Help: "Time since the last checkpoint of the audit log was signed; 0 before the first."})
	h.metrics.Gauges(func(context.Context) ([]float64, error) { return []float64{h.book.Age().Seconds()}, nil },
		observe.Figure{Name: "sitthi_rights_age_seconds", Help: "Time since the rights in memory were compared with the database."})
	h.metrics.Gauges(h.sessions,
		observe.Figure{Name: "sitthi_sessions", Help: "Sessions seen within 30 minutes."})
	h.metrics.Gauges(h.help.Gauges,
		observe.Figure{Name: "sitthi_help_open", Help: "Requests to the help desk that are not closed."},
		observe.Figure{Name: "sitthi_help_unclaimed", Help: "Of these, requests that no agent has taken."},
		observe.Figure{Name: "sitthi_help_oldest_seconds", Help: "Age of the oldest request that no agent has taken."},
		observe.Figure{Name: "sitthi_help_alarms", Help: "Agents who acted on more than 20 accounts within 24 hours."})
	h.metrics.Gauges(h.smsCodes,
		observe.Figure{Name: "sitthi_sms_codes", Help: "One-time codes sent by SMS within 24 hours."},
		observe.Figure{Name: "sitthi_sms_codes_budget", Help: "One-time codes that may be sent by SMS within 24 hours."})
	h.metrics.Gauges(func(context.Context) ([]float64, error) { return []float64{float64(h.decisions.Waiting())}, nil },
		observe.Figure{Name: "sitthi_decisions_waiting", Help: "Answers to programs that wait to be written into their log."})
	h.metrics.Total("sitthi_decisions_written_total", "Answers to programs that were written into their log.", h.decisions.Written)
	h.metrics.Total("sitthi_decisions_dropped_total", "Answers to programs that were given but never written into their log.", h.decisions.Dropped)
	h.metrics.Total("sitthi_retention_deleted_total", "Rows deleted by this process because they are no longer kept.", h.retention.Gone)
	if h.thaid != nil {
		away := func() uint64 { n, _ := h.thaid.Failures(); return n }
		unproved := func() uint64 { _, n := h.thaid.Failures(); return n }
		h.metrics.Total("sitthi_thaid_away_total", "Sign-ins by ThaID that failed because it did not answer.", away)
		h.metrics.Total("sitthi_thaid_unproved_total", "Sign-ins by ThaID that failed because its answer proved nobody.", unproved)
	}
	h.metrics.Total("sitthi_refusals_anonymous_total", "Acts refused to visitors who had not signed in.", audit.AnonymousRefusals)
}

func (h *house) messages(ctx context.Context) ([]float64, error) {
	backlog, err := h.outbox.Backlog(ctx)
	if err != nil {
		return nil, err
	}
	var waiting, dead, oldest float64
	for _, b := range backlog {
		waiting += float64(b.Waiting)
		dead += float64(b.Dead)
		if !b.Oldest.IsZero() {
			oldest = max(oldest, h.clock.Now().Sub(b.Oldest).Seconds())
		}
	}
	return []float64{waiting, dead, oldest}, nil
}

func (h *house) sealed(ctx context.Context) ([]float64, error) {
	state, err := h.sealer.State(ctx)
	if err != nil {
		return nil, err
	}
	var age float64
	if !state.SealedAt.IsZero() {
		age = h.clock.Now().Sub(state.SealedAt).Seconds()
	}
	return []float64{float64(state.Unsealed), age}, nil
}

func (h *house) sessions(ctx context.Context) ([]float64, error) {
	n := make([]float64, 1)
	err := h.db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM sessions WHERE ended_at IS NULL AND seen_at > $1`,
			store.Us(tx.Now.Add(-30*time.Minute))).Scan(&n[0])
	})
	return n, err
}

func (h *house) smsCodes(ctx context.Context) ([]float64, error) {
	var sent int
	err := h.db.Read(ctx, func(tx *store.Tx) (err error) {
		sent, err = h.codes.SentSMS(ctx, tx)
		return err
	})
	return []float64{float64(sent), float64(h.codes.SMSBudget)}, err
}

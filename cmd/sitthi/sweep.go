package main

import (
	"context"
	"log/slog"
	"time"

	"sitthi/proof"
)

// sweepEvery is how often rows that no longer matter are deleted. Nothing depends on it: what has run out has run out
// by the clock, deleted or not.
const sweepEvery = time.Hour

// sweep deletes registrations, codes, limits, sessions, browsers, messages, drafts and decisions that no longer matter, until
// the context ends. A sweep that fails is logged and tried an hour later.
func (h *house) sweep(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		h.sweepOnce(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (h *house) sweepOnce(ctx context.Context) {
	for what, sweep := range map[string]func(context.Context) (int64, error){
		"registrations": h.officers.Sweep,
		"sessions":      h.signin.Sweep,
		"messages":      h.outbox.Sweep,
		"imports":       h.legacy.Sweep,
		"drafts":        h.drafts.Sweep,
		"decisions": func(ctx context.Context) (int64, error) {
			return h.decisions.Sweep(ctx, h.clock.Now().Add(-h.decisionsKept))
		},
		"codes": func(ctx context.Context) (int64, error) { return proof.Sweep(ctx, h.db) },
	} {
		n, err := sweep(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			h.log.ErrorContext(ctx, "sweep", slog.String("what", what), slog.Any("error", err))
		case n > 0:
			h.log.InfoContext(ctx, "swept", slog.String("what", what), slog.Int64("rows", n))
		}
	}
}

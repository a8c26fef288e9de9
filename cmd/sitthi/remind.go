package main

import (
	"context"
	"log/slog"
	"time"
)

// remindFirst is how long after the start it is first looked whom to remind, so that a start is not held up; remindEvery
// how often from then on. Nothing is reminded of twice, however many processes look.
const (
	remindFirst = 5 * time.Minute
	remindEvery = time.Hour
)

// remind tells people in time of rights that end and accounts that lock, from the start until the context ends. A look that fails is
// logged and tried again. What is due is due by the program's clock: a machine that slept, or whose clock was set, is not
// an hour behind, and none put back waits longer than an hour.
func (h *house) remind(ctx context.Context, start time.Time) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	next := start.Add(remindFirst)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if now := h.clock.Now(); !now.Before(next) || next.Sub(now) > remindEvery {
			h.remindAll(ctx)
			next = now.Add(remindEvery)
		}
	}
}

func (h *house) remindAll(ctx context.Context) {
	for _, of := range []struct {
		what string
		look func(context.Context) (int64, error)
	}{{"rights that end", h.book.RemindEnding}, {"accounts that lock", h.signin.Remind}} {
		n, err := of.look(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			h.log.ErrorContext(ctx, "remind of "+of.what, slog.Any("error", err))
		case n > 0:
			h.log.InfoContext(ctx, "reminded of "+of.what, slog.Int64("n", n))
		}
	}
}

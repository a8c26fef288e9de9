package main

import (
	"context"
	"log/slog"
	"strings"

	"sitthi/audit"
	"sitthi/internal/config"
	"sitthi/internal/observe"
)

// destination is where checkpoints are kept, as the settings say; nil for nowhere.
func destination(c *config.Serve, secrets config.Secrets, log *slog.Logger) (audit.Destination, error) {
	switch {
	case c.CheckpointTo == "":
		if !c.Demo {
			log.Warn("checkpoints of the audit log are kept nowhere else: that its end was cut off could not be told", "flag", "--checkpoint-to")
		}
		return nil, nil
	case !strings.Contains(c.CheckpointTo, "://"):
		return audit.File(c.CheckpointTo), nil
	}
	header := map[string]string{}
	name, value, err := c.CheckpointHeader(secrets)
	if err != nil {
		return nil, err
	}
	if name != "" {
		header[name] = value
	}
	address, err := audit.NewAddress(audit.AddressOptions{URL: c.CheckpointTo, Method: c.CheckpointMethod, Header: header})
	if err != nil {
		return nil, config.Wrong("checkpoint-to", "%w", err)
	}
	return address, nil
}

// publish adds the publishing of checkpoints to the house, with its figures.
func (h *house) publish(to audit.Destination) (err error) {
	if to == nil {
		return nil
	}
	if h.publisher, err = audit.NewPublisher(h.db, h.ring, to, h.log); err != nil {
		return err
	}
	h.metrics.Gauges(func(ctx context.Context) ([]float64, error) {
		state, err := h.publisher.State(ctx)
		if err != nil {
			return nil, err
		}
		var age float64
		if !state.At.IsZero() {
			age = h.clock.Now().Sub(state.At).Seconds()
		}
		return []float64{float64(state.Size), age, state.Late.Seconds()}, nil
	},
		observe.Figure{Name: "sitthi_checkpoint_published_size", Help: "Entries of the log that the checkpoint published last covers."},
		observe.Figure{Name: "sitthi_checkpoint_published_seconds", Help: "Time since a checkpoint was last published; 0 before the first."},
		observe.Figure{Name: "sitthi_checkpoint_late_seconds", Help: "How long the oldest checkpoint waits that no published one covers; 0 when all are covered."})
	h.metrics.Total("sitthi_checkpoint_failures_total", "Tries of this program to publish a checkpoint that failed.", h.publisher.Failures)
	return nil
}

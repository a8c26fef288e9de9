package main

import (
	"context"
	"time"

	"sitthi/audit"
	"sitthi/internal/config"
	"sitthi/internal/retention"
	"sitthi/proof"
)

// kept is the one table of what is kept for how long, and of who deletes it. Nothing else depends on it: what has run
// out has run out by the clock, deleted or not. docs/operations.md has it in words.
func (h *house) kept(c *config.Serve) []retention.Rule {
	days := func(n int) time.Duration { return time.Duration(n) * retention.Day }
	rules := []retention.Rule{
		{Name: "registrations", Keep: retention.Day, Every: time.Hour, Sweep: h.officers.Sweep},
		{Name: "codes", Keep: 2 * retention.Day, Every: time.Hour, Sweep: func(ctx context.Context) (int64, error) { return proof.Sweep(ctx, h.db) }},
		{Name: "drafts", Keep: retention.Day, Every: time.Hour, Sweep: h.drafts.Sweep},
		// With the sessions go resets of a day before, and browsers that were not seen for signin.DeviceLife.
		{Name: "sessions", Keep: days(c.SessionDays), Every: retention.Day, Recorded: true, Sweep: h.signin.Sweep},
		{Name: "messages", Keep: days(c.MessageDays), Every: retention.Day, Recorded: true, Sweep: h.outbox.Sweep},
		// With the tickets closed 90 days ago go drafts of a week, and events of LINE of a month.
		{Name: "help_desk", Keep: 90 * retention.Day, Every: retention.Day, Recorded: true, Sweep: h.help.Sweep},
		{Name: "imports", Keep: c.ImportKeep, Every: retention.Day, Recorded: true, Sweep: h.legacy.Sweep},
		{Name: "decisions", Keep: days(c.DecisionDays), Every: retention.Day, Recorded: true, Sweep: func(ctx context.Context) (int64, error) {
			return h.decisions.Sweep(ctx, h.clock.Now().Add(-days(c.DecisionDays)))
		}},
	}
	if c.LogTextDays > 0 {
		rules = append(rules, retention.Rule{Name: "log_texts", Keep: days(c.LogTextDays), Every: retention.Day, Recorded: true, Sweep: func(ctx context.Context) (int64, error) {
			return audit.EraseTexts(ctx, h.db, h.clock.Now().Add(-days(c.LogTextDays)))
		}})
	}
	return rules
}

// Package clock is the only place of the program that reads the time, so that every rule about time can be tested.
package clock

import (
	"sync"
	"time"
)

// Clock answers what time it is. Implementations are safe for concurrent use.
type Clock interface {
	Now() time.Time
}

// System is the machine's clock, in UTC.
type System struct{}

// Now returns the present in UTC, without a monotonic part, cut to the microseconds that the database keeps.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Manual is a clock that tests and the testhooks build set by hand: it runs on from the moment it was set to,
// or stands still when it was frozen.
type Manual struct {
	mu     sync.Mutex
	at     time.Time
	since  time.Time // machine time at which at held; zero when frozen
	system System
}

// NewManual returns a clock frozen at the moment given.
func NewManual(at time.Time) *Manual {
	return &Manual{at: at.UTC().Truncate(time.Microsecond)}
}

// Now returns the moment set, plus what has passed since if the clock was let run.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.since.IsZero() {
		return m.at
	}
	return m.at.Add(m.system.Now().Sub(m.since))
}

// Set freezes the clock at the moment given.
func (m *Manual) Set(at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at, m.since = at.UTC().Truncate(time.Microsecond), time.Time{}
}

// Advance moves the clock forward (or back, for a negative duration).
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = m.at.Add(d)
}

// Run sets the clock to the moment given and lets it run on from there at the machine's pace.
func (m *Manual) Run(from time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at, m.since = from.UTC().Truncate(time.Microsecond), m.system.Now()
}

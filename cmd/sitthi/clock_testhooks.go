//go:build testhooks

package main

import "sitthi/internal/clock"

// newClock is a clock that tests can set; until they do it shows the machine's time.
func newClock() clock.Clock {
	now := clock.System{}.Now()
	manual := clock.NewManual(now)
	manual.Run(now)
	return manual
}

// hooked says that messages are kept for the tests to read.
const hooked = true

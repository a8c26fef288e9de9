//go:build !testhooks

package main

import "sitthi/internal/clock"

// newClock is the clock of the released program.
func newClock() clock.Clock { return clock.System{} }

// hooked says that messages are kept for tests to read.
const hooked = false

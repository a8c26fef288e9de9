package helpdesk

import (
	"errors"

	"sitthi/internal/problem"
)

// ReadReceipt and FaultsOf are what the fuzz tests try.
var ReadReceipt = readReceipt

// FaultsOf counts what is wrong with a form at sight.
func FaultsOf(f Form) int {
	var c problem.Check
	f.read(&c, false)
	var p *problem.Problem
	if errors.As(c.Err(), &p) {
		return len(p.Fields)
	}
	return 0
}

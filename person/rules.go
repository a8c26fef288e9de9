package person

import (
	"sitthi/internal/problem"
	"sitthi/internal/thai"
)

// CheckText notes a citizen ID in a text that is kept in the clear (trust.md 23): in a row, in the log, in messages and
// exports nobody masks it. Every text that a person types goes through it, but for what is sealed as a citizen ID.
func CheckText(check *problem.Check, field, text string) {
	if thai.HoldsCitizenID(text) {
		check.Fail(field, "problem.holds_citizen")
	}
}

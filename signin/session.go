package signin

import (
	"time"

	"sitthi/officer"
	"sitthi/person"
)

// How long sessions and what they prove hold.
const (
	Idle     = 30 * time.Minute // a session ends when nothing was heard from it for so long
	Absolute = 12 * time.Hour   // and in any case after so long
	StepUp   = 5 * time.Minute  // a password just given counts for so long, from the last act that needed it
)

// Session is one browser in which a person is signed in.
type Session struct {
	ID          string
	Person      person.ID
	Account     officer.Account
	CreatedAt   time.Time
	SeenAt      time.Time // to the minute
	SteppedUpAt time.Time
	Address     string // where it was opened from
	Agent       string // the browser, as it named itself
}

// SteppedUp reports whether the person gave her password recently enough for acts that ask for it.
func (s Session) SteppedUp(now time.Time) bool { return now.Sub(s.SteppedUpAt) < StepUp }

// live reports whether the session still holds.
func (s Session) live(now time.Time) bool {
	return now.Sub(s.SeenAt) < Idle && now.Sub(s.CreatedAt) < Absolute && s.Account.Enabled()
}

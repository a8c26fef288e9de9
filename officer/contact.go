package officer

import (
	"time"

	"sitthi/notify"
)

// ContactRests is how long a changed contact can not recover an account (trust.md 10): who came in unseen and put his own
// contact there can not take the account over before its owner, who is told at the old one, has noticed.
const ContactRests = 72 * time.Hour

// Recovers reports whether an account can be recovered at a moment by its contact of a channel: one that a code has
// proved, and that was on file when he registered or for 72 hours. An account switched off is recovered by nothing.
func Recovers(a Account, channel notify.Channel, now time.Time) bool {
	var proved, since time.Time
	switch channel {
	case notify.Email:
		proved, since = a.EmailProvedAt, a.EmailSince
	case notify.SMS:
		proved, since = a.PhoneProvedAt, a.PhoneSince
	}
	return a.Enabled() && !proved.IsZero() && (since.IsZero() || now.Sub(since) >= ContactRests)
}

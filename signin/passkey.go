package signin

import "time"

// Passkey is a key in a phone, a computer or on a stick, which its owner opens with a finger, his face or a PIN.
type Passkey struct {
	ID        string
	Name      string // as its owner named it
	CreatedAt time.Time
	UsedAt    time.Time // zero when it has not been used
}

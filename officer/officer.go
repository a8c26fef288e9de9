// Package officer keeps the accounts of officials: registration with proved contacts, and what each says about himself.
package officer

import (
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/thai"
	"sitthi/person"
)

// State tells whether an account may be used.
type State string

// The states of an account.
const (
	Active   State = "active"
	Disabled State = "disabled" // switched off: no sign-in, no session, no decision
)

// Account is an officer (เจ้าหน้าที่) as he registered. It gives no right.
type Account struct {
	Person     person.ID
	GivenName  string // ชื่อจริง
	FamilyName string // นามสกุล
	Position   string // ตำแหน่ง
	Unit       string // code of the unit he named: กรม/กอง/ศูนย์/สอจ.
	Email      thai.Email
	Phone      thai.Mobile
	LineID     string // profile text only: nothing is sent there
	Language   locale.Lang
	State      State

	TermsVersion  string // of the terms he accepted (ข้อกำหนดและเงื่อนไข)
	TermsAt       time.Time
	EmailProvedAt time.Time // zero when no code has proved it
	PhoneProvedAt time.Time // zero when no code has proved it
	RegisteredAt  time.Time
	// LastSignIn is when he last signed in, or registered: the 60 days run from here.
	LastSignIn time.Time
	Version    int64 // goes up by one with every change
}

// Name is the name as it is spoken of: given name, family name.
func (a Account) Name() string { return a.GivenName + " " + a.FamilyName }

// Enabled reports whether the account may be used.
func (a Account) Enabled() bool { return a.State == Active }

// Package officer keeps the accounts of officials: registration with proved contacts, and what each says about himself.
package officer

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/person"
	"sitthi/proof"
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
	// Notices are the channels by which he chose to get ordinary notices, with blanks between; "" until he chooses. See Ways.
	Notices string
	State   State

	TermsVersion  string // of the terms he accepted (ข้อกำหนดและเงื่อนไข)
	TermsAt       time.Time
	EmailProvedAt time.Time // zero when no code has proved it
	PhoneProvedAt time.Time // zero when no code has proved it
	EmailSince    time.Time // when it took the place of another one; zero since the registration
	PhoneSince    time.Time // likewise
	RegisteredAt  time.Time
	// LastSignIn is when he last signed in, or registered: the 60 days run from here.
	LastSignIn time.Time
	Version    int64 // goes up by one with every change
}

// Name is the name as it is spoken of: given name, family name.
func (a Account) Name() string { return a.GivenName + " " + a.FamilyName }

// Known are the words that others know of an officer with this citizen ID, of which no password may be made (trust.md 2).
func (a Account) Known(citizen thai.CitizenID) []string {
	local, _, _ := strings.Cut(string(a.Email), "@")
	return []string{a.GivenName, a.FamilyName, citizen.Digits(), string(a.Phone), "0" + strings.TrimPrefix(string(a.Phone), "+66"),
		local, a.LineID, a.Position}
}

// Enabled reports whether the account may be used.
func (a Account) Enabled() bool { return a.State == Active }

// Options are what a Desk works with.
type Options struct {
	DB        *store.DB
	Roll      *person.Roll
	Ring      *seal.Ring
	Passwords *proof.Passwords
	Codes     *proof.Codes
	Outbox    *notify.Outbox
	// Registered is called within the transaction that makes an account: who named the person before may be told.
	Registered func(ctx context.Context, tx *store.Tx, who person.ID) error
	// Relocated is called within the transaction in which an officer names another office than the one before.
	Relocated func(ctx context.Context, tx *store.Tx, who Account, from string) error
	// Closed is called within the transaction in which an officer closes his account, once it is switched off: it ends his
	// sessions, and tells whom it concerns or refuses.
	Closed func(ctx context.Context, tx *store.Tx, was Account) error
	// Terms are the terms in force; those of this program when empty.
	Terms Edition
	// CheckDigit is CheckEnforce when empty.
	CheckDigit CheckDigit
}

// Desk is where officers register and see to their own accounts. It is safe for concurrent use.
type Desk struct {
	db         *store.DB
	roll       *person.Roll
	ring       *seal.Ring
	passwords  *proof.Passwords
	codes      *proof.Codes
	outbox     *notify.Outbox
	registered func(ctx context.Context, tx *store.Tx, who person.ID) error
	relocated  func(ctx context.Context, tx *store.Tx, who Account, from string) error
	closed     func(ctx context.Context, tx *store.Tx, was Account) error
	terms      Edition
	checkDigit CheckDigit
}

// NewDesk makes a desk.
func NewDesk(o Options) *Desk {
	return &Desk{
		db: o.DB, roll: o.Roll, ring: o.Ring, passwords: o.Passwords, codes: o.Codes, outbox: o.Outbox,
		registered: o.Registered, relocated: o.Relocated, closed: o.Closed, terms: o.Terms, checkDigit: cmp.Or(o.CheckDigit, CheckEnforce),
	}
}

// Offices lists the units that an officer can name as his own, in the order of their sort keys.
func (d *Desk) Offices(ctx context.Context) ([]agency.Unit, error) {
	var offices []agency.Unit
	err := d.db.Read(ctx, func(tx *store.Tx) error {
		units, err := agency.Units(ctx, tx)
		for _, u := range units {
			if u.Active {
				offices = append(offices, u)
			}
		}
		return err
	})
	return offices, err
}

// Profile is what an officer sees of himself.
type Profile struct {
	Account   Account
	CitizenID thai.CitizenID
	Unit      agency.Unit
}

// Profile answers what an officer sees of himself; problem.NotFound when he has not registered.
func (d *Desk) Profile(ctx context.Context, who person.ID) (Profile, error) {
	var p Profile
	err := d.db.Read(ctx, func(tx *store.Tx) (err error) {
		if p.Account, err = Find(ctx, tx, who); err != nil {
			return err
		}
		if p.CitizenID, err = d.roll.CitizenID(ctx, tx, who); err != nil {
			return err
		}
		p.Unit, err = agency.Find(ctx, tx, p.Account.Unit)
		return err
	})
	return p, err
}

// SetLanguage changes the language in which messages to an officer are written; problem.NotFound when he has not
// registered.
func (d *Desk) SetLanguage(ctx context.Context, who person.ID, lang locale.Lang) error {
	act := audit.Act{
		Name: "officer.set_language", Actor: string(who), Subject: string(who),
		Detail: map[string]string{"language": string(lang)},
	}
	return audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		return updateLanguage(ctx, tx, who, lang)
	})
}

// Tell queues a message to every contact of an officer, in his language, whatever he chose: what concerns the safety of
// his account. Letters are for the rest.
func Tell(ctx context.Context, tx *store.Tx, outbox *notify.Outbox, to Account, purpose string, args locale.Args) error {
	for _, m := range to.letters(to.contacts(), purpose, args) {
		if err := outbox.Queue(ctx, tx, m); err != nil {
			return fmt.Errorf("tell officer: %w", err)
		}
	}
	return nil
}

// Letters are the messages that tell an officer something in his language: an ordinary notice by the channels that he
// chose, one that concerns the safety of his account to every contact.
func Letters(to Account, purpose string, args locale.Args) []notify.Message {
	if notify.KindOf(purpose) == notify.Security {
		return to.letters(to.contacts(), purpose, args)
	}
	return to.letters(to.Ways(), purpose, args)
}

func (a Account) letters(ways []notify.Channel, purpose string, args locale.Args) []notify.Message {
	list := make([]notify.Message, len(ways))
	for i, c := range ways {
		list[i] = notify.Message{Channel: c, Person: string(a.Person), To: a.contact(c), Purpose: purpose, Lang: a.Language, Args: args}
	}
	return list
}

// SetNotices keeps by which channels an officer gets ordinary notices. It fails with problem.Invalid unless there is one,
// and each is proved.
func (d *Desk) SetNotices(ctx context.Context, who person.ID, chosen []notify.Channel) error {
	act := audit.Act{Name: "officer.set_notices", Actor: string(who), Subject: string(who)}
	return audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		a, err := Find(ctx, tx, who)
		if err != nil {
			return err
		}
		notices, err := checkNotices(a, chosen)
		if err != nil {
			return err
		}
		act.Detail = map[string]string{"notices": notices}
		return updateNotices(ctx, tx, who, notices)
	})
}

package helpdesk

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/person"
)

// letters of receipts: none that is read as another, no vowels that would make words.
const letters = "BCDFGHJKMNPQRTVWXYZ23456789"

// newReceipt makes a receipt such as KRMW-4729: 38 random bits, which tell nothing without the contact beside them.
func newReceipt() string {
	out := make([]byte, 0, 9)
	var b [1]byte
	for len(out) < cap(out) {
		if len(out) == 4 {
			out = append(out, '-')
		}
		rand.Read(b[:])
		if n := int(b[0]); n < 256/len(letters)*len(letters) { // the rest would make some letters more frequent
			out = append(out, letters[n%len(letters)])
		}
	}
	return string(out)
}

// readReceipt brings a receipt as typed into its one form.
func readReceipt(typed string) string {
	folded := strings.ToUpper(thai.Fold(typed))
	folded = strings.Map(func(r rune) rune {
		if strings.ContainsRune(letters, r) {
			return r
		}
		return -1
	}, folded)
	if len(folded) != 8 {
		return ""
	}
	return folded[:4] + "-" + folded[4:]
}

// kindOf reads from the words of a message what is asked for; ok is false when they do not say.
func kindOf(text string) (k Kind, ok bool) {
	text = thai.Fold(text)
	for _, w := range []struct {
		kind  Kind
		words []string
	}{
		{Active, []string{"active", "60 วัน", "ไม่ได้เข้าใช้งาน", "ไม่ได้เข้าระบบ", "ถูกล็อก"}},
		{Reset, []string{"reset", "password", "รหัสผ่าน", "พาสเวิร์ด", "พาสเวิด"}},
	} {
		if slices.ContainsFunc(w.words, func(s string) bool { return strings.Contains(text, thai.Fold(s)) }) {
			return w.kind, true
		}
	}
	return "", false
}

// startFacts is all that decides whether an agent may start an act.
type startFacts struct {
	By         person.ID
	Claimed    person.ID // the agent who has the ticket
	State      State
	Subject    person.ID // "" where there is no account
	Enabled    bool
	Proved     bool           // a code to a contact on file was right within ProofLives, and the contact still recovers the account
	Recovers   bool           // there is a contact on file that could prove him
	Privileged bool           // holds a post, or may approve
	NewContact notify.Channel // by which a link could go that has no contact on file; "" for none typed
	Kind       Kind
	Locked     bool // the account is, for want of a sign-in
	SignedIn   bool // the owner has signed in since he asked
}

// mayStart decides whether an agent may start a reset or reopen an account, and how it is proved.
func mayStart(f startFacts) (proof string, err error) {
	switch {
	case f.State == Draft || f.State == Closed:
		return "", problem.New(problem.Conflict, "helpdesk.not_open")
	case f.Claimed != f.By:
		return "", problem.New(problem.Conflict, "helpdesk.not_yours")
	case f.State == Second || f.State == Waiting:
		return "", problem.New(problem.Conflict, "helpdesk.under_way")
	case f.State == Acted:
		return "", problem.New(problem.Conflict, "helpdesk.acted")
	case f.Subject == "" || !f.Enabled:
		return "", problem.New(problem.Conflict, "helpdesk.no_account")
	case f.Subject == f.By:
		return "", problem.New(problem.Denied, "helpdesk.denied_self")
	case f.Kind == Active && !f.Locked:
		return "", problem.New(problem.Conflict, "helpdesk.not_locked")
	case f.Proved:
		return byCode, nil
	case f.Recovers:
		return "", problem.New(problem.Conflict, "helpdesk.code_first")
	case f.Kind == Reset && f.NewContact == "":
		return "", problem.New(problem.Conflict, "helpdesk.no_contact")
	case f.SignedIn:
		return "", problem.New(problem.Conflict, "helpdesk.signed_in")
	}
	return bySecond, nil
}

// nowFacts is how the account of an act stands when it is seconded or done, which may be days after its start.
type nowFacts struct {
	Now        time.Time
	Enabled    bool
	Unit       string
	Privileged bool
	Recovers   bool // there is a contact on file that could prove him
	Locked     bool
	SignedIn   bool // the owner has signed in since he asked
}

// mayGoOn decides whether what an act was started on still holds.
func mayGoOn(a Act, f nowFacts) error {
	switch {
	case a.expired(f.Now):
		return problem.New(problem.Conflict, "helpdesk.expired")
	case !f.Enabled || f.Unit != a.Unit:
		return problem.New(problem.Conflict, "helpdesk.account_changed")
	case f.Privileged && !a.Privileged: // what he holds now counts: a post he got meanwhile needs the administrator
		return problem.New(problem.Conflict, "helpdesk.privileged_meanwhile")
	case f.SignedIn:
		return problem.New(problem.Conflict, "helpdesk.signed_in")
	case a.Kind == Active && !f.Locked:
		return problem.New(problem.Conflict, "helpdesk.not_locked")
	case a.Proof == bySecond && f.Recovers:
		return problem.New(problem.Conflict, "helpdesk.recovers_meanwhile")
	}
	return nil
}

// expired reports whether an act has waited too long: for its second person, or from when its link may go out.
func (a Act) expired(now time.Time) bool {
	from := a.RequestedAt
	if !a.UsableAt.IsZero() {
		from = a.UsableAt
	}
	return !now.Before(from.Add(ActLives))
}

// proves reports whether a code that was right then still proves who asks.
func proves(at, now time.Time) bool { return !at.IsZero() && now.Sub(at) <= ProofLives }

// How an act is proved.
const (
	byCode   = "code"   // a code to a contact on file for 72 hours
	bySecond = "second" // the word of a second person
)

// needsSecond reports whether an act waits for a second person (trust.md 12 and 13).
func (a Act) needsSecond() bool { return a.Proof == bySecond || a.Privileged }

// maySecond decides as what a person may second an act: never as who started it or whom it is about; for who holds a
// post or may approve only as central administrator, else as head of his office or as another agent.
func maySecond(a Act, by person.ID, posts []grant.Post) (grant.Post, error) {
	if by == a.Requester || by == a.Subject {
		return "", problem.New(problem.Denied, "helpdesk.denied_three")
	}
	allowed := []grant.Post{grant.Head, grant.Agent}
	if a.Privileged {
		allowed = []grant.Post{grant.Administrator}
	}
	for _, post := range allowed {
		if slices.Contains(posts, post) {
			return post, nil
		}
	}
	if a.Privileged && len(posts) > 0 {
		return "", problem.New(problem.Denied, "helpdesk.denied_privileged")
	}
	return "", problem.New(problem.Denied, "helpdesk.denied_second")
}

// stage is how far a ticket is in the words of who asked: nothing of it depends on whether there is an account.
func (s State) stage() Stage {
	switch s {
	case Draft:
		return StageDraft
	case New:
		return StageReceived
	case Closed:
		return StageClosed
	}
	return StageWorking
}

// Stage is how far a request is, as who asked is told.
type Stage string

// The stages.
const (
	StageDraft    Stage = "draft"
	StageReceived Stage = "received"
	StageWorking  Stage = "working"
	StageClosed   Stage = "closed"
)

// alarms reports whether an act is the first beyond what an agent does in a day.
func alarms(acts int) bool { return acts == MostActs+1 }

// usableAt is when a link may go to a contact that is not on file.
func usableAt(approved time.Time) time.Time { return approved.Add(NewContactRests) }

// masked is the new contact of an act as others than who typed it see it.
func masked(channel notify.Channel, typed Typed) string {
	if channel == notify.SMS {
		return thai.Mobile(typed.Phone).Mask()
	}
	return thai.Email(typed.Email).Mask()
}

package notify

import (
	"slices"
	"time"
)

// Kind says which way messages of a template go.
type Kind string

// The kinds.
const (
	// Direct goes to the one contact it was asked for: codes, links and answers.
	Direct Kind = "direct"
	// Security goes to every contact of its reader, whatever he chose: who took over one of them can not hide it there.
	Security Kind = "security"
	// Ordinary goes by the channels that its reader chose.
	Ordinary Kind = "ordinary"
)

// The purposes of the kinds but the ordinary one.
var (
	direct = slices.Concat(lineOnly, lineToo, []string{
		"register.code", "reset.code", "contact.code", "activation.code", "legacy.invite", "help.code", "help.link",
	})
	security = []string{
		"register.existing", "contact.changed", "account.closed", "signin.off", "signin.reset", "signin.new_device",
		"factor.added", "factor.removed", "factor.codes", "factor.recovery",
		"signin.thaid", "signin.locks_soon", "activation.confirmed", "activation.refused", "help.approved", "help.open_again",
	}
)

// KindOf answers the kind of a purpose.
func KindOf(purpose string) Kind {
	switch {
	case slices.Contains(direct, purpose):
		return Direct
	case slices.Contains(security, purpose):
		return Security
	}
	return Ordinary
}

// The purposes that go to who wrote by LINE, and those of them that go nowhere else.
var (
	lineOnly = []string{"help.hint", "help.complete"}
	lineToo  = []string{
		"help.received", "help.working", "help.vouched", "help.sent", "help.reopened", "help.closed", "help.answer_code", "help.answer_number",
		"help.answer_moved", "help.answer_menu", "help.answer_twice",
	}
)

// ChannelsOf lists the channels that messages of a purpose go by.
func ChannelsOf(purpose string) []Channel {
	switch {
	case slices.Contains(lineOnly, purpose):
		return []Channel{LINE}
	case slices.Contains(lineToo, purpose):
		return []Channel{Email, SMS, LINE}
	}
	return []Channel{Email, SMS}
}

// keepDead is how long the words of a message that was given up are kept, so that it can be sent again.
const keepDead = 30 * 24 * time.Hour

// Hindrance is why a message can not be sent again; "" is no hindrance.
type Hindrance string

// The hindrances.
const (
	Delivered Hindrance = "delivered"
	OnItsWay  Hindrance = "on_its_way" // on its way, or about to be tried anyway
	Void      Hindrance = "void"       // a code or a link that no longer works: its reader asks for a new one
	Wiped     Hindrance = "wiped"      // its words are no longer kept, or can not be opened
)

// hindrance decides whether a message may be sent again. leased: it is being sent right now. A message with an end that
// was given up can not have been waiting for anything but that end, so it is not tried in its last minutes either.
func hindrance(state State, attempts int, leased, words bool, created, expires, now time.Time) Hindrance {
	switch {
	case state == Sent:
		return Delivered
	case !expires.IsZero() && (state == Dead || !now.Before(expires)):
		return Void
	case state == Waiting && (leased || attempts == 0):
		return OnItsWay
	case !words || state == Dead && !now.Before(created.Add(keepDead)):
		return Wiped
	}
	return ""
}

package grant

import (
	"cmp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"sitthi/person"
)

// Answer says whether a person may do something somewhere at a moment, and why.
type Answer struct {
	Allowed bool
	Reason  Reason
	// Grant is the right that the reason speaks of, or for Administer and the central posts the appointment; zero when
	// there is none.
	Grant ID
}

// Reason says in one word why somebody may act or may not.
type Reason string

// The reasons. Of all rights of a person the one counts that comes closest, in this order.
const (
	Permitted  Reason = "permitted"   // a right of this level covers the place now
	NotYet     Reason = "not_yet"     // one will, and has yet to begin
	Ended      Reason = "ended"       // one did, and ran out within the last day
	OtherGroup Reason = "other_group" // a right of this level holds in another group of the unit
	OtherLevel Reason = "other_level" // a right of another level covers the place now
	NoRight    Reason = "no_right"    // nothing of the kind
	// Locked says that the person's account is locked for want of a sign-in: whatever he holds has no effect.
	Locked Reason = "locked"
	// UnknownPlace says that there is no such unit, or no such group in it.
	UnknownPlace Reason = "unknown_place"
)

// ID names a grant or an appointment, in the sixteen bytes that its UUID stands for: memory holds one with each right.
type ID [16]byte

// String is the id as it stands in the database; "" for zero.
func (id ID) String() string {
	if id == (ID{}) {
		return ""
	}
	return uuid.UUID(id).String()
}

// Answer answers from memory whether a person may do this here now, and why. It is the rule behind every page and
// every program that asks; it does not allocate. Memory knows nothing of rights that were ended by an act or ran out
// more than a day ago. An act that depends on the answer asks Require inside its transaction again: a right that ended
// a moment ago must not let it through.
func (b *Book) Answer(who person.ID, do Action, at Place) Answer {
	return b.now.answer(who, do, at, &moment{clock: b.clock})
}

// Allows is Answer for those who need no reason.
func (b *Book) Allows(who person.ID, do Action, at Place) bool {
	return b.now.allows(who, do, at, &moment{clock: b.clock})
}

// Who lists from memory who may do this here now: at most limit persons, in the order of their ids, beginning behind
// the id after. Of a whole division they are those who may act in all of it; of a group, they and those of the group.
func (b *Book) Who(do Action, at Place, after person.ID, limit int) []person.ID {
	known := b.now.places.Load()
	here, ok := known.find(at)
	if !ok {
		return nil
	}
	list := known.holders[here.unit]
	first, found := slices.BinarySearchFunc(list, after, func(h *holder, id person.ID) int { return strings.Compare(string(h.id), string(id)) })
	if found {
		first++
	}
	now := &moment{clock: b.clock}
	var who []person.ID
	for _, h := range list[first:] {
		if len(who) >= limit {
			break
		}
		if h.allows(do, here, now) {
			who = append(who, h.id)
		}
	}
	return who
}

// Where lists from memory where a person may do this now, in the order of codes: each unit in which he may act as a
// whole, with all its groups behind it, and the groups in which alone he may act.
func (b *Book) Where(who person.ID, do Action) []Place {
	h := b.now.holder(who)
	known, now := b.now.places.Load(), &moment{clock: b.clock} // after the holder: the places are numbered before he is put
	var list []Place
	if h.locked(now.micros()) {
		return nil
	}
	for r := range h.rights() {
		if r.action != do || !r.holds(now.micros()) {
			continue
		}
		if r.team != 0 {
			list = append(list, known.names[r.team])
			continue
		}
		for _, at := range known.names { // the unit itself is one of them
			if at.Unit == known.names[r.unit].Unit {
				list = append(list, at)
			}
		}
	}
	slices.SortFunc(list, func(a, b Place) int { return cmp.Or(strings.Compare(a.Unit, b.Unit), strings.Compare(a.Team, b.Team)) })
	return slices.Compact(list)
}

// May lists from memory what a person may do here now, in the order of the actions.
func (b *Book) May(who person.ID, at Place) []Action {
	known, now := b.now.places.Load(), &moment{clock: b.clock}
	here, ok := known.find(at)
	if !ok {
		return nil
	}
	h := b.now.holder(who)
	var list []Action
	for _, do := range actions {
		if h.allows(do, here, now) {
			list = append(list, do)
		}
	}
	return list
}

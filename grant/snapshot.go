package grant

import (
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"sitthi/internal/clock"
	"sitthi/person"
)

// right is one effective right or post of a person, packed.
type right struct {
	reach
	term
}

// reach is what a right allows and where. These are looked at for every question, so they stand close together: those of
// a person fill a line or two of the processor's cache.
type reach struct {
	spot
	action Action
	always bool // it had begun when it was read, and has no end: the clock need not be asked
}

// term is from and until when a right holds, and its name.
type term struct {
	from, until int64 // microseconds UTC; until is exclusive, endless when there is no end
	id          ID
}

const endless = math.MaxInt64

func (t *term) holds(now int64) bool { return tenseOf(t.from, t.until, now) == present }

// holder is a person with all his rights. It is never changed, but for when his account locks: other rights make another
// holder.
type holder struct {
	id      person.ID
	reaches []reach
	terms   []term       // in the same order
	locks   atomic.Int64 // when his account does, unless he signs in before: microseconds UTC
}

// locked reports whether the person's account is locked.
func (h *holder) locked(now int64) bool { return now >= h.locks.Load() }

// rights are a person's rights, one after the other.
func (h *holder) rights() iter.Seq[right] {
	return func(yield func(right) bool) {
		for i, r := range h.reaches {
			if !yield(right{r, h.terms[i]}) {
				return
			}
		}
	}
}

// when tells whether one of the rights holds.
func (h *holder) when(i int, now *moment) tense {
	if h.reaches[i].always {
		return present
	}
	t := &h.terms[i]
	return tenseOf(t.from, t.until, now.micros())
}

// A snapshot answers "may he, here, now?" from memory. It holds what is in force or will be: grants of registered,
// confirmed persons and confirmed appointments. The dates are looked at when the question is asked, so nothing needs
// to run at midnight. Persons are spread over shards; following a change copies one shard, not the whole book, and the
// lists of the units that it touches. Readers never wait; an answer never allocates.
type snapshot struct {
	shards [shardCount]atomic.Pointer[map[person.ID]*holder]
	places atomic.Pointer[places]
}

const shardCount = 256

// places are the units and groups that exist, by numbers, so that a right takes little room, and who holds rights in
// each unit. Numbers are never given anew.
type places struct {
	units   map[string]uint16
	teams   map[Place]uint16
	names   []Place     // by number
	holders [][]*holder // by number of the unit, in the order of persons' ids
}

// spot is a place by numbers; team is 0 for the whole unit.
type spot struct{ unit, team uint16 }

// find answers a place by its numbers, and whether it exists.
func (p *places) find(at Place) (here spot, ok bool) {
	here.unit = p.units[at.Unit]
	if at.Team != "" && here.unit != 0 {
		here.team = p.teams[at]
		return here, here.team != 0
	}
	return here, here.unit != 0
}

// count is how many units and groups exist.
func (p *places) count() int { return len(p.names) - 1 }

// moment is one moment for a whole answer. The clock is read once at most, and only of who holds something: whether his
// account is locked and a date may both ask. To read it takes about as long as all the rest.
type moment struct {
	clock clock.Clock
	us    int64
}

func (m *moment) micros() int64 {
	if m.us == 0 {
		m.us = m.clock.Now().UnixMicro()
	}
	return m.us
}

func newSnapshot() *snapshot {
	s := &snapshot{}
	for i := range s.shards {
		s.shards[i].Store(&map[person.ID]*holder{})
	}
	s.places.Store(&places{names: make([]Place, 1), holders: make([][]*holder, 1)}) // 0 is the number of no place
	return s
}

// shard answers where a person is kept. The last digits tell: ids are UUIDs, which end in chance.
func (s *snapshot) shard(who person.ID) *atomic.Pointer[map[person.ID]*holder] {
	n := uint(0)
	for _, digit := range []byte(who[max(0, len(who)-2):]) {
		n = n<<4 + uint(digit&15) + uint(digit>>6)*9 // 0–9, a–f
	}
	return &s.shards[n%shardCount]
}

// nobody holds nothing.
var nobody = &holder{}

func (s *snapshot) holder(who person.ID) *holder {
	if h := (*s.shard(who).Load())[who]; h != nil {
		return h
	}
	return nobody
}

// answer answers the one question: may this person do this, here, at this moment?
func (s *snapshot) answer(who person.ID, do Action, at Place, now *moment) Answer {
	here, ok := s.places.Load().find(at)
	if !ok {
		return Answer{Reason: UnknownPlace}
	}
	return s.holder(who).answer(do, here, now)
}

// allows is the answer of those who need no reason. A no needs no look at the lock, and mostly no clock.
func (s *snapshot) allows(who person.ID, do Action, at Place, now *moment) bool {
	here, ok := s.places.Load().find(at)
	return ok && s.holder(who).allows(do, here, now)
}

func (h *holder) allows(do Action, at spot, now *moment) bool {
	best, _ := h.weigh(do, at, now)
	return best == permitted && !h.locked(now.micros())
}

func (h *holder) answer(do Action, at spot, now *moment) Answer {
	best, of := h.weigh(do, at, now)
	a := Answer{Allowed: best == permitted, Reason: reasons[best]}
	if len(h.reaches) > 0 && h.locked(now.micros()) {
		a.Allowed, a.Reason = false, Locked
	}
	if of >= 0 {
		a.Grant = h.terms[of].id
	}
	return a
}

// weigh finds the right that says most, and what it says while the account is not locked; of is -1 when there is none.
func (h *holder) weigh(do Action, at spot, now *moment) (best verdict, of int) {
	best, of = noRight, -1
	for i := range h.reaches {
		r := &h.reaches[i]
		if r.unit != at.unit {
			continue
		}
		if v := weigh(r.action == do, r.team == 0 || r.team == at.team, h.when(i, now)); v > best {
			best, of = v, i
			if best == permitted {
				break
			}
		}
	}
	return best, of
}

// entry is one row on its way into the snapshot.
type entry struct {
	id          ID
	person      person.ID
	unit, team  string
	action      Action
	from, until time.Time
	locks       time.Time // the person's account; zero: never
}

// pack answers the entry, read at a moment, as memory holds it; ok is false where its place does not exist.
func (e *entry) pack(known *places, read int64) (r right, ok bool) {
	r.id, r.action, r.from, r.until = e.id, e.action, e.from.UnixMicro(), endless
	if !e.until.IsZero() {
		r.until = e.until.UnixMicro()
	}
	r.always = r.from <= read && r.until == endless
	r.spot, ok = known.find(Place{e.unit, e.team})
	return r, ok
}

// meet gives numbers to the units and groups that have none; a group stands behind its unit. Only one goroutine may
// meet or put at a time.
func (s *snapshot) meet(list []Place) {
	old := s.places.Load()
	next := &places{units: make(map[string]uint16, len(list)), teams: make(map[Place]uint16, len(list)), names: slices.Clone(old.names), holders: slices.Clone(old.holders)}
	maps.Copy(next.units, old.units)
	maps.Copy(next.teams, old.teams)
	for _, at := range list {
		if _, ok := next.find(at); ok {
			continue
		}
		n := uint16(len(next.names))
		if at.Team == "" {
			next.units[at.Unit] = n
		} else {
			next.teams[at] = n
		}
		next.names, next.holders = append(next.names, at), append(next.holders, nil)
	}
	s.places.Store(next)
}

// put replaces the rights of the persons named by those read at a moment; one who has no entries any more has no rights,
// and an entry at a place that does not exist gives none. Readers see each person whole, before or after.
func (s *snapshot) put(persons []person.ID, entries []entry, read time.Time) {
	fresh := s.gather(entries, read.UnixMicro())
	for _, who := range persons {
		if _, ok := fresh[who]; !ok {
			fresh[who] = nil
		}
	}
	gone := s.swap(fresh)
	s.enlist(fresh, gone)
}

// gather makes holders of entries. What they consist of stands in a row, not where the reading of the rows left room: a
// question looks at five places of the memory, and each on a page of its own would take longer than all else. What is
// replaced later stays until the next gathering of all.
func (s *snapshot) gather(entries []entry, read int64) map[person.ID]*holder {
	known := s.places.Load()
	count := make(map[person.ID]int)
	length := 0
	for i := range entries {
		who := entries[i].person
		if count[who] == 0 {
			length += len(who)
		}
		count[who]++
	}
	var ids strings.Builder
	ids.Grow(length)
	holders, reaches, terms := make([]holder, 0, len(count)), make([]reach, len(entries)), make([]term, len(entries))
	fresh := make(map[person.ID]*holder, len(count))
	for i := range entries {
		e := &entries[i]
		r, ok := e.pack(known, read)
		if !ok {
			continue
		}
		h := fresh[e.person]
		if h == nil {
			n := count[e.person]
			ids.WriteString(string(e.person))
			id := person.ID(ids.String()[ids.Len()-len(e.person):])
			holders = append(holders, holder{id: id, reaches: reaches[:0:n], terms: terms[:0:n]})
			reaches, terms = reaches[n:], terms[n:]
			h = &holders[len(holders)-1]
			h.locks.Store(endless)
			if !e.locks.IsZero() {
				h.locks.Store(e.locks.UnixMicro())
			}
			fresh[id] = h
		}
		h.reaches, h.terms = append(h.reaches, r.reach), append(h.terms, r.term)
	}
	return fresh
}

// swap puts the holders into their shards, and answers those whose place they took.
func (s *snapshot) swap(fresh map[person.ID]*holder) (gone []*holder) {
	shards := make(map[*atomic.Pointer[map[person.ID]*holder]]map[person.ID]*holder)
	for who, h := range fresh {
		shard := s.shard(who)
		m, ok := shards[shard]
		if !ok {
			m = maps.Clone(*shard.Load())
			shards[shard] = m
		}
		if old := m[who]; old != nil {
			gone = append(gone, old)
		}
		if h != nil {
			m[who] = h
		} else {
			delete(m, who)
		}
	}
	for shard, m := range shards {
		shard.Store(&m)
	}
	return gone
}

// enlist brings the lists of the units up to date in which somebody holds or held a right.
func (s *snapshot) enlist(fresh map[person.ID]*holder, gone []*holder) {
	next := *s.places.Load()
	next.holders = slices.Clone(next.holders)
	opened := make([]bool, len(next.holders))
	open := func(unit uint16) {
		if opened[unit] {
			return
		}
		opened[unit] = true
		next.holders[unit] = slices.DeleteFunc(slices.Clone(next.holders[unit]), func(h *holder) bool {
			_, replaced := fresh[h.id]
			return replaced
		})
	}
	for _, h := range gone {
		for _, r := range h.reaches {
			open(r.unit)
		}
	}
	for _, h := range fresh {
		if h == nil {
			continue
		}
		for _, r := range h.reaches {
			open(r.unit)
			if list := next.holders[r.unit]; len(list) == 0 || list[len(list)-1] != h {
				next.holders[r.unit] = append(list, h)
			}
		}
	}
	for unit, yes := range opened {
		if yes {
			list := next.holders[unit]
			slices.SortFunc(list, func(a, b *holder) int { return strings.Compare(string(a.id), string(b.id)) })
			next.holders[unit] = slices.Clone(list) // without the room that append left
		}
	}
	s.places.Store(&next)
}

// signedIn keeps when a person's account locks who has signed in.
func (s *snapshot) signedIn(who person.ID, locks time.Time) {
	if h := (*s.shard(who).Load())[who]; h != nil {
		h.locks.Store(locks.UnixMicro())
	}
}

// everyone lists all persons in memory.
func (s *snapshot) everyone() []person.ID {
	var all []person.ID
	for i := range s.shards {
		all = slices.AppendSeq(all, maps.Keys(*s.shards[i].Load()))
	}
	return all
}

// Posts is what a person's appointments make him now.
type Posts struct {
	Heads         []string // codes of the units he is head of, regular or acting
	Administrator bool
	Auditor       bool
	Agent         bool // of the help desk
}

func (s *snapshot) posts(who person.ID, now int64) Posts {
	var p Posts
	h := s.holder(who)
	if h.locked(now) {
		return p
	}
	names := s.places.Load().names // after the holder: the places are numbered before he is put
	for r := range h.rights() {
		if !r.holds(now) {
			continue
		}
		switch r.action {
		case Administer:
			p.Heads = append(p.Heads, names[r.unit].Unit)
		case Centre:
			p.Administrator = true
		case Audit:
			p.Auditor = true
		case Assist:
			p.Agent = true
		}
	}
	return p
}

package grant

import (
	"hash/maphash"
	"math"
	"sync/atomic"
	"time"

	"sitthi/person"
)

// right is one effective right or post of a person, packed: what it allows, where, from and until when.
type right struct {
	from, until int64 // microseconds UTC; until is exclusive
	unit, team  uint16
	action      Action
}

// A snapshot answers "may he, here, now?" from memory. It holds what is in force or will be: grants of registered,
// confirmed persons and confirmed appointments. The dates are looked at when the question is asked, so nothing needs
// to run at midnight. Persons are spread over shards; following a change copies one shard, not the whole book.
// Readers never wait and never allocate.
type snapshot struct {
	seed   maphash.Seed
	shards [shardCount]atomic.Pointer[map[person.ID][]right]
	places atomic.Pointer[places]
}

const shardCount = 256

// places numbers the units and groups, so that a right takes little room. Numbers are never given anew.
type places struct {
	units map[string]uint16
	teams map[teamKey]uint16
	names []string // unit codes by number
}

type teamKey struct{ unit, team string }

func newSnapshot() *snapshot {
	s := &snapshot{seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].Store(&map[person.ID][]right{})
	}
	s.places.Store(&places{units: map[string]uint16{}, teams: map[teamKey]uint16{}, names: []string{""}})
	return s
}

func (s *snapshot) shard(who person.ID) *atomic.Pointer[map[person.ID][]right] {
	return &s.shards[maphash.String(s.seed, string(who))%shardCount]
}

// rights answers what a person may do at some time.
func (s *snapshot) rights(who person.ID) []right {
	return (*s.shard(who).Load())[who]
}

// allows answers the one question: may this person do this, here, at this moment?
func (s *snapshot) allows(who person.ID, do Action, at Place, now int64) bool {
	list := s.rights(who)
	if len(list) == 0 {
		return false
	}
	known := s.places.Load()
	unit := known.units[at.Unit]
	if unit == 0 {
		return false
	}
	var team uint16
	if at.Team != "" {
		team = known.teams[teamKey{at.Unit, at.Team}]
		if team == 0 {
			team = math.MaxUint16 // a group without any right of its own: only rights of the whole unit serve
		}
	}
	for i := range list {
		r := &list[i]
		if r.action == do && r.unit == unit && (r.team == 0 || r.team == team) && r.from <= now && now < r.until {
			return true
		}
	}
	return false
}

// entry is one row on its way into the snapshot.
type entry struct {
	person      person.ID
	unit, team  string
	action      Action
	from, until time.Time
}

// put replaces the rights of the persons named; one who has no entries any more has no rights. Only one goroutine
// may put at a time; readers see each person whole, before or after.
func (s *snapshot) put(persons []person.ID, entries []entry) {
	s.learn(entries)
	known := s.places.Load()
	fresh := make(map[*atomic.Pointer[map[person.ID][]right]]map[person.ID][]right)
	open := func(who person.ID) map[person.ID][]right {
		shard := s.shard(who)
		if m, ok := fresh[shard]; ok {
			return m
		}
		old := *shard.Load()
		m := make(map[person.ID][]right, len(old)+1)
		for k, v := range old {
			m[k] = v
		}
		fresh[shard] = m
		return m
	}
	for _, who := range persons {
		delete(open(who), who)
	}
	// Each list is made in its full length at once: append would leave it with room for rights it never gets.
	count := make(map[person.ID]int, len(persons))
	for _, e := range entries {
		count[e.person]++
	}
	for _, e := range entries {
		m := open(e.person)
		list := m[e.person]
		if list == nil {
			list = make([]right, 0, count[e.person])
		}
		until := int64(math.MaxInt64)
		if !e.until.IsZero() {
			until = e.until.UnixMicro()
		}
		m[e.person] = append(list, right{
			from: e.from.UnixMicro(), until: until,
			unit: known.units[e.unit], team: known.teams[teamKey{e.unit, e.team}], action: e.action,
		})
	}
	for shard, m := range fresh {
		shard.Store(&m)
	}
}

// learn gives numbers to units and groups that have none.
func (s *snapshot) learn(entries []entry) {
	old := s.places.Load()
	next := old
	grow := func() {
		if next != old {
			return
		}
		next = &places{units: make(map[string]uint16, len(old.units)+1), teams: make(map[teamKey]uint16, len(old.teams)+1),
			names: append([]string(nil), old.names...)}
		for k, v := range old.units {
			next.units[k] = v
		}
		for k, v := range old.teams {
			next.teams[k] = v
		}
	}
	for _, e := range entries {
		if next.units[e.unit] == 0 {
			grow()
			next.units[e.unit] = uint16(len(next.names))
			next.names = append(next.names, e.unit)
		}
		if key := (teamKey{e.unit, e.team}); e.team != "" && next.teams[key] == 0 {
			grow()
			next.teams[key] = uint16(len(next.teams) + 1)
		}
	}
	if next != old {
		s.places.Store(next)
	}
}

// Posts is what a person's appointments make him now.
type Posts struct {
	Heads         []string // codes of the units he is head of, regular or acting
	Administrator bool
	Auditor       bool
}

func (s *snapshot) posts(who person.ID, now int64) Posts {
	var p Posts
	names := s.places.Load().names
	for _, r := range s.rights(who) {
		if r.from > now || now >= r.until {
			continue
		}
		switch r.action {
		case Administer:
			p.Heads = append(p.Heads, names[r.unit])
		case Centre:
			p.Administrator = true
		case Audit:
			p.Auditor = true
		}
	}
	return p
}

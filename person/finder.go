package person

import (
	"context"
	"fmt"
	"sync"

	"sitthi/internal/store"
	"sitthi/internal/thai"
)

// Finder finds persons again and again for programs that ask about them: from memory when it has met them before, for
// nobody ever gets another id. Whom it does not find it looks up anew each time, and writes nothing about. It is safe
// for concurrent use.
type Finder struct {
	db       *store.DB
	roll     *Roll
	citizens met[thai.CitizenID]
	ids      met[ID]
}

// NewFinder makes a finder of the persons on the roll.
func NewFinder(db *store.DB, roll *Roll) *Finder { return &Finder{db: db, roll: roll} }

// Find answers the person behind a citizen ID, and whether there is one.
func (f *Finder) Find(ctx context.Context, citizen thai.CitizenID) (id ID, found bool, err error) {
	if id, found = f.citizens.get(citizen); found {
		return id, true, nil
	}
	err = f.db.Read(ctx, func(tx *store.Tx) error {
		id, found, err = f.roll.Find(ctx, tx, citizen)
		return err
	})
	if err == nil && found {
		f.citizens.put(citizen, id)
	}
	return id, found, err
}

// Known reports whether there is a person of an id that a program has given.
func (f *Finder) Known(ctx context.Context, id ID) (known bool, err error) {
	if _, known = f.ids.get(id); known {
		return true, nil
	}
	err = f.db.Read(ctx, func(tx *store.Tx) error {
		known, err = exists(ctx, tx, id)
		return err
	})
	if err == nil && known {
		f.ids.put(id, id)
	}
	return known, err
}

func exists(ctx context.Context, tx *store.Tx, id ID) (there bool, err error) {
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM persons WHERE id = $1)`, id).Scan(&there); err != nil {
		return false, fmt.Errorf("find person: %w", err)
	}
	return there, nil
}

// met remembers persons by a key, in two generations: when the younger is full it becomes the older, and that is
// forgotten. Whoever is asked about again meanwhile moves to the younger.
type met[K comparable] struct {
	mu         sync.RWMutex
	young, old map[K]ID
}

// generation is how many persons one generation holds: several times the officers of the department.
const generation = 1 << 15

func (m *met[K]) get(key K) (ID, bool) {
	m.mu.RLock()
	id, young := m.young[key]
	old := false
	if !young {
		id, old = m.old[key]
	}
	m.mu.RUnlock()
	if old {
		m.put(key, id)
	}
	return id, young || old
}

func (m *met[K]) put(key K, id ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.young == nil || len(m.young) >= generation {
		m.young, m.old = map[K]ID{}, m.young
	}
	m.young[key] = id
}

package person

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"sitthi/internal/store"
	"sitthi/internal/thai"
)

// Finder finds persons again and again for programs that ask about them: from memory when it has met them before, for
// nobody ever gets another id. Whom it does not find it looks up anew each time, and writes nothing about. It is safe
// for concurrent use.
type Finder struct {
	db   *store.DB
	roll *Roll

	mu         sync.RWMutex
	young, old map[string]ID // by blind index, so that no citizen ID stays in memory; by id for Known
}

// remembered is how many entries make a generation. Two are kept: the older goes as a whole when the younger is full,
// and whoever was asked about meanwhile has moved to the younger.
const remembered = 1 << 15

// NewFinder makes a finder of the persons on the roll.
func NewFinder(db *store.DB, roll *Roll) *Finder {
	return &Finder{db: db, roll: roll, young: map[string]ID{}}
}

// Find answers the person behind a citizen ID, and whether there is one.
func (f *Finder) Find(ctx context.Context, citizen thai.CitizenID) (ID, bool, error) {
	index := f.roll.Index(citizen)
	return f.find(index, func() (id ID, found bool, err error) {
		err = f.db.Read(ctx, func(tx *store.Tx) error {
			id, found, err = f.roll.Find(ctx, tx, citizen)
			return err
		})
		return id, found, err
	})
}

// Known answers an id that a program has given, and whether there is such a person.
func (f *Finder) Known(ctx context.Context, id ID) (ID, bool, error) {
	return f.find(string(id), func() (_ ID, found bool, err error) {
		err = f.db.Read(ctx, func(tx *store.Tx) error {
			var there ID
			err := tx.QueryRow(ctx, `SELECT id FROM persons WHERE id = $1`, id).Scan(&there)
			found = err == nil
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("find person: %w", err)
			}
			return nil
		})
		return id, found, err
	})
}

func (f *Finder) find(key string, look func() (ID, bool, error)) (ID, bool, error) {
	f.mu.RLock()
	id, young := f.young[key]
	old := false
	if !young {
		id, old = f.old[key]
	}
	f.mu.RUnlock()
	if young {
		return id, true, nil
	}
	if !old {
		var found bool
		var err error
		if id, found, err = look(); err != nil || !found {
			return "", false, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.young) >= remembered {
		f.young, f.old = make(map[string]ID, remembered), f.young
	}
	f.young[key] = id
	return id, true, nil
}

package program

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"sitthi/grant"
	"sitthi/internal/store"
)

// Caller is a program that asks, known by its token.
type Caller struct {
	ID   string
	Name string

	scope Scope
	units map[string]struct{}
	does  uint32 // one bit for each action
	until int64  // microseconds UTC, exclusive

	used  atomic.Int64 // when it asked last, moved at most once a minute
	noted int64        // what of used is in the database; of Follow alone once the caller is known
}

// May reports whether the program may ask about an action in a unit or its groups.
func (c *Caller) May(do grant.Action, unit string) bool {
	if c.does&(1<<do) == 0 {
		return false
	}
	if c.scope.AllUnits {
		return true
	}
	_, in := c.units[unit]
	return in
}

// Scope is all that the program may ask about, to look for the answers to give it. It must not be changed.
func (c *Caller) Scope() Scope { return c.scope }

// known are the programs whose token is not revoked, by the token's hash. It never changes once it is made.
type known struct {
	version int64
	callers map[[sha256.Size]byte]*Caller
}

// unread is the version of no state of the database.
const unread = -1

// longest is more bytes than any token has.
const longest = 128

// minute is how exact the last use is.
const minute = int64(time.Minute / time.Microsecond)

// Authenticate answers the program that a token belongs to, from memory; false for a token that is unknown, revoked or
// ended. The work does not depend on which it is, and allocates nothing.
func (d *Desk) Authenticate(token string) (*Caller, bool) {
	if len(token) > longest {
		return nil, false
	}
	var text [longest]byte // kept off the heap, where a conversion would put it
	hash := sha256.Sum256(text[:copy(text[:], token)])
	c, ok := d.known.Load().callers[hash]
	if !ok {
		return nil, false
	}
	now := d.Clock.Now().UnixMicro()
	if now >= c.until {
		return nil, false
	}
	if now-c.used.Load() >= minute {
		c.used.Store(now)
	}
	return c, true
}

// staleAfter is how long the memory may go without being compared before the program calls itself not ready.
const staleAfter = 5 * time.Second

// Loaded reports whether the programs are in memory and were compared with the database in the last five seconds.
func (d *Desk) Loaded() bool {
	return d.known.Load().version != unread && d.Clock.Now().Sub(time.UnixMicro(d.fresh.Load())) < staleAfter
}

// moved notes that a token was made or revoked, so that every process reads them again: this one before the act is
// answered.
func (d *Desk) moved(ctx context.Context, tx *store.Tx) error {
	if _, err := tx.Exec(ctx, `UPDATE counters SET value = value + 1 WHERE name = 'programs'`); err != nil {
		return fmt.Errorf("move version of programs: %w", err)
	}
	tx.AfterCommit(func() {
		// The act is committed whatever becomes of its request, so the request's end must not keep the memory back.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), staleAfter)
		defer cancel()
		if err := d.CatchUp(ctx); err != nil {
			d.Log.Error("catch up with programs", "error", err)
		}
	})
	return nil
}

// CatchUp brings the memory up to what is committed now.
func (d *Desk) CatchUp(ctx context.Context) error {
	d.reading.Lock()
	defer d.reading.Unlock()
	return d.DB.Read(ctx, func(tx *store.Tx) error {
		var version int64
		if err := tx.QueryRow(ctx, `SELECT value FROM counters WHERE name = 'programs'`).Scan(&version); err != nil {
			return fmt.Errorf("read version of programs: %w", err)
		}
		if old := d.known.Load(); version != old.version {
			callers, err := read(ctx, tx, old.callers)
			if err != nil {
				return err
			}
			d.known.Store(&known{version: version, callers: callers})
		}
		d.fresh.Store(tx.Now.UnixMicro())
		return nil
	})
}

// read makes the callers anew. Those that are known already stay, with what is to be noted of them: of a token nothing
// changes but that it is revoked.
func read(ctx context.Context, tx *store.Tx, old map[[sha256.Size]byte]*Caller) (map[[sha256.Size]byte]*Caller, error) {
	type row struct {
		Program
		hash [sha256.Size]byte
	}
	rows, err := store.Rows(func(r store.Row) (row row, err error) {
		var units, actions, hash string
		err = r.Scan(&row.ID, &row.Name, &hash, &units, &actions, store.At(&row.Until), store.At(&row.UsedAt))
		if err != nil {
			return row, err
		}
		row.Scope.AllUnits, row.Scope.Units = unlisted(units)
		row.Scope.AllActions, row.Scope.Actions = unlisted(actions)
		n, err := hex.Decode(row.hash[:], []byte(hash))
		if err == nil && n != len(row.hash) {
			err = fmt.Errorf("program %s: %w", row.ID, hex.ErrLength)
		}
		return row, err
	})(tx.Query(ctx, `SELECT id, name, token_hash, units, actions, ends_at, used_at FROM programs WHERE revoked_at IS NULL`))
	if err != nil {
		return nil, fmt.Errorf("read programs: %w", err)
	}
	callers := make(map[[sha256.Size]byte]*Caller, len(rows))
	for _, row := range rows {
		if c, ok := old[row.hash]; ok && c.ID == row.ID {
			callers[row.hash] = c
			continue
		}
		callers[row.hash] = newCaller(row.Program)
	}
	return callers, nil
}

func newCaller(p Program) *Caller {
	c := &Caller{ID: p.ID, Name: p.Name, scope: p.Scope, units: make(map[string]struct{}, len(p.Scope.Units)), until: forever}
	for _, code := range p.Scope.Units {
		c.units[code] = struct{}{}
	}
	for _, a := range Actions {
		if p.Scope.AllActions || slices.Contains(p.Scope.Actions, a.Code) {
			c.does |= 1 << a.Do
		}
	}
	if !p.Until.IsZero() {
		c.until = p.Until.UnixMicro()
	}
	if !p.UsedAt.IsZero() {
		c.noted = p.UsedAt.UnixMicro()
		c.used.Store(c.noted)
	}
	return c
}

const forever = 1<<63 - 1

// Follow keeps the memory up to date with what other processes do, and notes when programs asked last, until the
// context ends: it looks each second. A failed look is logged and tried again; Loaded turns false meanwhile.
func (d *Desk) Follow(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		d.look(ctx)
		select {
		case <-ctx.Done():
			d.look(context.WithoutCancel(ctx)) // what was used since
			return nil
		case <-tick.C:
		}
	}
}

func (d *Desk) look(ctx context.Context) {
	look, cancel := context.WithTimeout(ctx, staleAfter)
	defer cancel()
	err := d.CatchUp(look)
	if err == nil {
		err = d.noteUse(look)
	}
	if err != nil && ctx.Err() == nil {
		d.Log.Error("catch up with programs", "error", err)
	}
}

// noteUse writes down when programs asked last.
func (d *Desk) noteUse(ctx context.Context) error {
	used := map[*Caller]int64{}
	for _, c := range d.known.Load().callers {
		if at := c.used.Load(); at > c.noted {
			used[c] = at
		}
	}
	if len(used) == 0 {
		return nil
	}
	err := d.DB.Write(ctx, func(tx *store.Tx) error {
		for c, at := range used {
			_, err := tx.Exec(ctx, `UPDATE programs SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $2)`, c.ID, at)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note use of programs: %w", err)
	}
	for c, at := range used {
		c.noted = at
	}
	return nil
}

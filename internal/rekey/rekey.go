// Package rekey changes the keys of an installation: it knows which ones the database needs, seals anew what older ones sealed, and indexes anew.
package rekey

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"sitthi/audit"
	"sitthi/internal/seal"
	"sitthi/internal/store"
)

const (
	// beat is how often a process says which keys it uses, and absent how long after its last word it is believed gone.
	beat   = 20 * time.Second
	absent = time.Minute
	// batch is how many values are sealed anew in one transaction, and rest how many times as long as each took the
	// database is left to others.
	batch = 200
	rest  = 4
)

// ErrNeeded says why keys can not be used with the database, or can not be retired.
var ErrNeeded = errors.New("the database needs it")

// Peppered counts the passwords that were hashed with a version of the pepper.
type Peppered func(ctx context.Context, tx *store.Tx, version int) (int64, error)

// Options are what a Desk is made of.
type Options struct {
	DB   *store.DB
	Ring *seal.Ring
	Log  *slog.Logger
	// Fields are all columns that hold sealed values.
	Fields []seal.Field
	// Peppered counts passwords.
	Peppered Peppered
}

// Desk is where keys are changed. It is safe for concurrent use.
type Desk struct {
	Options
	process string
}

// NewDesk makes a desk.
func NewDesk(o Options) *Desk { return &Desk{Options: o, process: store.NewID()} }

// IndexMark is the row of an installation that tells with which blind-index key its database was indexed: the index of
// the row's own name.
const IndexMark = "keys"

// IndexOf is what that row says with the blind-index key that is in use.
func IndexOf(ring *seal.Ring) string { return ring.Index("installation", IndexMark) }

// Fits takes the blind-index key into use that the row is of, and reports whether the ring has it.
func Fits(ring *seal.Ring, row string) bool { return ring.UseIndex("installation", IndexMark, row) }

// need is a key as the database knows it.
type need struct {
	version int
	mark    string
	since   time.Time
	retired bool
}

func selectNeeds(ctx context.Context, tx *store.Tx) (map[seal.Kind][]need, error) {
	type row struct {
		kind seal.Kind
		need
	}
	rows, err := store.Rows(func(r store.Row) (n row, err error) {
		return n, r.Scan(&n.kind, &n.version, &n.mark, store.At(&n.since), &n.retired)
	})(tx.Query(ctx, `SELECT kind, version, mark, since, retired_at IS NOT NULL FROM seal_keys ORDER BY kind, version`))
	if err != nil {
		return nil, fmt.Errorf("read keys of the database: %w", err)
	}
	needs := map[seal.Kind][]need{}
	for _, n := range rows {
		needs[n.kind] = append(needs[n.kind], n.need)
	}
	return needs, nil
}

// Check fails with ErrNeeded when the database needs a key that the ring lacks, or one that is not its own: the text
// says which. A database that has not yet been told of its keys needs none.
func Check(ctx context.Context, tx *store.Tx, ring *seal.Ring) error {
	needs, err := selectNeeds(ctx, tx)
	if err != nil {
		return err
	}
	held := map[string]string{}
	for _, k := range ring.Keys() {
		held[name(k.Kind, k.Version)] = k.Mark
	}
	for _, kind := range seal.Kinds {
		for _, n := range needs[kind] {
			switch mark, ok := held[name(kind, n.version)]; {
			case n.retired:
			case !ok:
				return fmt.Errorf("%w: %s (mark %s, in use since %s) is not in %s: take the copy of the key file that has it",
					ErrNeeded, name(kind, n.version), n.mark, n.since.UTC().Format(time.DateOnly), ring.Path())
			case mark != n.mark:
				return fmt.Errorf("%w: %s has the mark %s, and the one in %s has %s: take the copy of the key file that has the right one",
					ErrNeeded, name(kind, n.version), n.mark, ring.Path(), mark)
			}
		}
	}
	return nil
}

func name(kind seal.Kind, version int) string { return string(kind) + " key " + strconv.Itoa(version) }

// Register tells the database of the ring's keys, before anything is sealed with them. Of blind-index keys it needs the
// one that it was indexed with.
func Register(ctx context.Context, tx *store.Tx, ring *seal.Ring) error {
	if err := Check(ctx, tx, ring); err != nil {
		return err
	}
	for _, k := range ring.Keys() {
		if k.Kind == seal.Index && !k.InUse {
			continue
		}
		if _, err := tx.Exec(ctx, `INSERT INTO seal_keys (kind, version, mark, since) VALUES ($1, $2, $3, $4)
			ON CONFLICT (kind, version) DO NOTHING`, string(k.Kind), k.Version, k.Mark, store.Us(tx.Now)); err != nil {
			return fmt.Errorf("note key: %w", err)
		}
	}
	return nil
}

// Version tells of one version of a key.
type Version struct {
	seal.Key
	Since   time.Time // when the database first heard of it; zero for one that it has never used
	Retired bool      // the database needs it no more
	Missing bool      // it is not in the key file
	Holds   int64     // values sealed with it, or passwords hashed with it; for a blind-index key it is not counted
	Users   int       // processes that use it for what is new
}

// List tells of all keys, by kind and version.
func (d *Desk) List(ctx context.Context) (list []Version, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		needs, err := selectNeeds(ctx, tx)
		if err != nil {
			return err
		}
		sealed, err := d.census(ctx, tx)
		if err != nil {
			return err
		}
		users, err := selectUsers(ctx, tx)
		if err != nil {
			return err
		}
		list = nil
		byName := map[string]int{}
		for _, k := range d.Ring.Keys() {
			byName[name(k.Kind, k.Version)] = len(list)
			list = append(list, Version{Key: k})
		}
		for _, kind := range seal.Kinds {
			for _, n := range needs[kind] {
				i, ok := byName[name(kind, n.version)]
				if !ok {
					if n.retired {
						continue // gone, as it should be
					}
					i, list = len(list), append(list, Version{Key: seal.Key{Kind: kind, Version: n.version, Mark: n.mark}, Missing: true})
				}
				list[i].Since, list[i].Retired = n.since, n.retired
			}
		}
		for i := range list {
			v := &list[i]
			switch v.Kind {
			case seal.Encryption:
				v.Holds = sealed[v.Version]
			case seal.Pepper:
				if v.Holds, err = d.Peppered(ctx, tx, v.Version); err != nil {
					return err
				}
			}
			for _, u := range users {
				if u.uses(v.Kind) == v.Version {
					v.Users++
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return list, nil
}

// census counts the sealed values by the version of their key.
func (d *Desk) census(ctx context.Context, tx *store.Tx) (map[int]int64, error) {
	type row struct {
		prefix []byte
		n      int64
	}
	sealed := map[int]int64{}
	for _, f := range d.Fields {
		rows, err := store.Rows(func(r store.Row) (n row, err error) { return n, r.Scan(&n.prefix, &n.n) })(
			tx.Query(ctx, fmt.Sprintf(`SELECT substr(%[1]s, 1, 2), count(*) FROM %[2]s WHERE length(%[1]s) > 0 GROUP BY substr(%[1]s, 1, 2)`, f.Column, f.Table)))
		if err != nil {
			return nil, fmt.Errorf("count %s.%s: %w", f.Table, f.Column, err)
		}
		for _, r := range rows {
			sealed[seal.Version(r.prefix)] += r.n
		}
	}
	return sealed, nil
}

// user is a serving process.
type user struct {
	encryption, pepper int
}

func (u user) uses(kind seal.Kind) int {
	switch kind {
	case seal.Encryption:
		return u.encryption
	case seal.Pepper:
		return u.pepper
	}
	return 0
}

func selectUsers(ctx context.Context, tx *store.Tx) ([]user, error) {
	users, err := store.Rows(func(r store.Row) (u user, err error) { return u, r.Scan(&u.encryption, &u.pepper) })(
		tx.Query(ctx, `SELECT encryption, pepper FROM key_users WHERE seen_at > $1 ORDER BY process`, store.Us(tx.Now.Add(-absent))))
	if err != nil {
		return nil, fmt.Errorf("read who uses keys: %w", err)
	}
	return users, nil
}

// Rotate adds a new encryption key or pepper to the key file and tells the database of it. Programs that serve with the
// file take it up within seconds; what the older ones sealed and hashed still opens and verifies.
func (d *Desk) Rotate(ctx context.Context, kind seal.Kind) (version int, err error) {
	if err := d.DB.Read(ctx, func(tx *store.Tx) error { return Check(ctx, tx, d.Ring) }); err != nil {
		return 0, err
	}
	// The file first: a key that nothing was sealed with is no harm, while one that is needed and kept nowhere is.
	if version, err = seal.Add(d.Ring.Path(), kind); err != nil {
		return 0, err
	}
	next, err := d.Ring.Reread()
	if err != nil {
		return 0, err
	}
	act := audit.Act{Name: "keys.rotate", Actor: audit.Terminal, Detail: detail(kind, version)}
	err = audit.Do(ctx, d.DB, &act, func(tx *store.Tx) error { return Register(ctx, tx, next) })
	if err != nil {
		return 0, fmt.Errorf("rotate keys: %w", err)
	}
	d.Ring.Become(next)
	return version, nil
}

func detail(kind seal.Kind, version int) map[string]string {
	return map[string]string{"key_kind": string(kind), "key_version": strconv.Itoa(version)}
}

// Retire takes an old key out of use for good, and out of the key file. It fails with ErrNeeded, and a text that says
// what to do, while something is sealed or hashed with it or a program that serves still uses it. A backup that was
// taken before needs a copy of the key file from before.
func (d *Desk) Retire(ctx context.Context, kind seal.Kind, version int) error {
	act := audit.Act{Name: "keys.retire", Actor: audit.Terminal, Detail: detail(kind, version)}
	err := audit.Do(ctx, d.DB, &act, func(tx *store.Tx) error {
		if err := d.mayRetire(ctx, tx, kind, version); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE seal_keys SET retired_at = COALESCE(retired_at, $3) WHERE kind = $1 AND version = $2`, string(kind), version, store.Us(tx.Now))
		return err
	})
	if err != nil {
		return fmt.Errorf("retire key: %w", err)
	}
	return seal.Remove(d.Ring.Path(), kind, version)
}

func (d *Desk) mayRetire(ctx context.Context, tx *store.Tx, kind seal.Kind, version int) error {
	if version >= d.Ring.InUse(kind) {
		return fmt.Errorf("%w: %s is the one in use", ErrNeeded, name(kind, version))
	}
	users, err := selectUsers(ctx, tx)
	if err != nil {
		return err
	}
	for _, u := range users {
		if used := u.uses(kind); used != 0 && used <= version {
			return fmt.Errorf("%w: a program that serves still uses %s; it takes up the newest within seconds when it has this key file", ErrNeeded, name(kind, used))
		}
	}
	switch kind {
	case seal.Encryption:
		sealed, err := d.census(ctx, tx)
		if err == nil && sealed[version] > 0 {
			err = fmt.Errorf("%w: %d values are sealed with %s; seal them anew first (sitthi keys reseal)", ErrNeeded, sealed[version], name(kind, version))
		}
		return err
	case seal.Pepper:
		n, err := d.Peppered(ctx, tx, version)
		if err == nil && n > 0 {
			err = fmt.Errorf("%w: %d passwords are hashed with %s; each is hashed anew when its owner signs in", ErrNeeded, n, name(kind, version))
		}
		return err
	}
	return nil
}

// Reseal seals anew, with the newest key, all that older ones have sealed, in small batches while programs serve; done
// is told how many values each batch was. It can be stopped at any moment and begun again. What is sealed with a key
// that nobody has is left and makes it fail at the end.
func (d *Desk) Reseal(ctx context.Context, done func(values int)) error {
	var faults []error
	for _, f := range d.Fields {
		var last []any
		for {
			start := d.DB.Now()
			n, fault, next, err := d.resealBatch(ctx, f, last)
			if err != nil {
				return fmt.Errorf("seal %s.%s anew: %w", f.Table, f.Column, err)
			}
			if fault != nil {
				faults = append(faults, fmt.Errorf("%s.%s: %w", f.Table, f.Column, fault))
			}
			done(n)
			if last = next; last == nil {
				break
			}
			if !pause(ctx, rest*d.DB.Now().Sub(start)) {
				return ctx.Err()
			}
		}
	}
	return errors.Join(faults...)
}

func pause(ctx context.Context, long time.Duration) bool {
	select {
	case <-time.After(min(max(long, time.Millisecond), time.Second)):
		return true
	case <-ctx.Done():
		return false
	}
}

// resealBatch seals one batch of a field anew. next is where the one after it begins, nil at the end; fault is the
// first value of the batch that could not be opened, which stays as it is.
func (d *Desk) resealBatch(ctx context.Context, f seal.Field, last []any) (n int, fault error, next []any, err error) {
	err = d.DB.Write(ctx, func(tx *store.Tx) error {
		n, fault, next = 0, nil, nil
		rows, err := sealedBut(ctx, tx, f, seal.Prefix(d.Ring.InUse(seal.Encryption)), last)
		if err != nil {
			return err
		}
		if len(rows) == batch {
			next = rows[batch-1].key
		}
		for _, r := range rows {
			place := r.place(f)
			plain, err := d.Ring.Open(place, r.sealed)
			if err != nil {
				if fault == nil {
					fault = fmt.Errorf("row %v: %w", r.key, err)
				}
				continue
			}
			where, args := condition(f.Key, "=", r.key, 2)
			args = append([]any{d.Ring.Seal(place, plain)}, args...)
			if _, err := tx.Exec(ctx, fmt.Sprintf(`UPDATE %s SET %s = $1 WHERE %s`, f.Table, f.Column, where), args...); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, fault, next, err
}

// OpenAll opens every sealed value and answers how many there are. It fails with the first that the keys do not open.
func (d *Desk) OpenAll(ctx context.Context) (opened int64, err error) {
	for _, f := range d.Fields {
		var last []any
		for {
			var rows []sealedRow
			err := d.DB.Read(ctx, func(tx *store.Tx) (err error) {
				rows, err = sealedBut(ctx, tx, f, []byte{}, last)
				return err
			})
			if err != nil {
				return opened, fmt.Errorf("read %s.%s: %w", f.Table, f.Column, err)
			}
			for _, r := range rows {
				if _, err := d.Ring.Open(r.place(f), r.sealed); err != nil {
					return opened, fmt.Errorf("%s.%s, row %v: %w", f.Table, f.Column, r.key, err)
				}
				opened++
			}
			if len(rows) < batch {
				break
			}
			last = rows[batch-1].key
		}
	}
	return opened, nil
}

// sealedRow is a value that is sealed.
type sealedRow struct {
	key    []any
	of     []string
	sealed []byte
}

func (r sealedRow) place(f seal.Field) string { return f.Place + "/" + strings.Join(r.of, "/") }

// sealedBut reads values, but those that begin with a prefix, in the order of the table's key after the last one.
func sealedBut(ctx context.Context, tx *store.Tx, f seal.Field, prefix []byte, last []any) ([]sealedRow, error) {
	of := f.Of
	if len(of) == 0 {
		of = f.Key
	}
	where, args := "length("+f.Column+") > 0 AND substr("+f.Column+", 1, 2) <> $1", []any{prefix}
	if last != nil {
		after, more := condition(f.Key, ">", last, 2)
		where, args = where+" AND "+after, append(args, more...)
	}
	query := fmt.Sprintf(`SELECT %s, %s, %s FROM %s WHERE %s ORDER BY %[1]s LIMIT %[6]d`,
		strings.Join(f.Key, ", "), strings.Join(of, ", "), f.Column, f.Table, where, batch)
	return store.Rows(func(r store.Row) (s sealedRow, err error) {
		s.key, s.of = make([]any, len(f.Key)), make([]string, len(of))
		var into []any
		for i := range s.key {
			into = append(into, &s.key[i])
		}
		for i := range s.of {
			into = append(into, &s.of[i])
		}
		return s, r.Scan(append(into, &s.sealed)...)
	})(tx.Query(ctx, query, args...))
}

// condition compares columns with values as one, with bound arguments from a number on.
func condition(columns []string, how string, values []any, from int) (string, []any) {
	numbers := make([]string, len(values))
	for i := range values {
		numbers[i] = "$" + strconv.Itoa(from+i)
	}
	return "(" + strings.Join(columns, ", ") + ") " + how + " (" + strings.Join(numbers, ", ") + ")", values
}

// Follow takes up new keys as soon as the key file has them, and tells the database which ones this process uses, until
// the context ends. It fails when the database is being indexed anew, which must not be while a program uses it.
func (d *Desk) Follow(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var told time.Time
	var is, was user // the keys in use, and those told of
	for {
		if err := d.DB.StillAttends(ctx); errors.Is(err, store.ErrAttended) {
			return fmt.Errorf("the keys of the database are being changed: %w", err)
		}
		_, err := d.TakeUp(ctx)
		is = user{d.Ring.InUse(seal.Encryption), d.Ring.InUse(seal.Pepper)}
		if now := d.DB.Now(); err == nil && (is != was || now.Sub(told) >= beat || now.Before(told)) {
			if err = d.tell(ctx, is); err == nil {
				told, was = now, is
			}
		}
		if err != nil && ctx.Err() == nil {
			d.Log.ErrorContext(ctx, "follow keys", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return d.leave(context.WithoutCancel(ctx))
		case <-tick.C:
		}
	}
}

// TakeUp takes up what is new in the key file, and reports whether there was anything. Until it can, all goes on with
// the keys as they were.
func (d *Desk) TakeUp(ctx context.Context) (changed bool, err error) {
	next, err := d.Ring.Reread()
	if err != nil || next == nil {
		return false, err
	}
	if err := d.DB.Write(ctx, func(tx *store.Tx) error { return Register(ctx, tx, next) }); err != nil {
		return false, err
	}
	d.Ring.Become(next)
	d.Log.InfoContext(ctx, "keys taken up", slog.Int("encryption", d.Ring.InUse(seal.Encryption)), slog.Int("pepper", d.Ring.InUse(seal.Pepper)))
	return true, nil
}

// tell says which keys this process uses, and forgets processes that are long gone.
func (d *Desk) tell(ctx context.Context, is user) error {
	return d.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM key_users WHERE seen_at < $1`, store.Us(tx.Now.Add(-time.Hour))); err != nil {
			return fmt.Errorf("tell keys: %w", err)
		}
		_, err := tx.Exec(ctx, `INSERT INTO key_users (process, encryption, pepper, seen_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (process) DO UPDATE SET encryption = excluded.encryption, pepper = excluded.pepper, seen_at = excluded.seen_at`,
			d.process, is.encryption, is.pepper, store.Us(tx.Now))
		if err != nil {
			return fmt.Errorf("tell keys: %w", err)
		}
		return nil
	})
}

// leave says that this process uses no keys any more. A failure does no harm: it is believed gone a minute later.
func (d *Desk) leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	err := d.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM key_users WHERE process = $1`, d.process)
		return err
	})
	if err != nil {
		d.Log.WarnContext(ctx, "leave keys", slog.Any("error", err))
	}
	return nil
}

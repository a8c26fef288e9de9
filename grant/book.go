package grant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"sitthi/audit"
	"sitthi/internal/clock"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
)

// Book is the book of rights of one installation. It is safe for concurrent use.
type Book struct {
	db     *store.DB
	turn   *store.DB // acts that move rights come one after the other: they all move the counters
	clock  clock.Clock
	roll   *person.Roll
	outbox *notify.Outbox
	link   func(path string) string
	log    *slog.Logger

	lockAfter time.Duration

	counted counted
	now     *snapshot
	reading chan struct{} // holds one while the snapshot is brought up to date
	version int64         // of the snapshot; under reading
	signIns time.Time     // up to when they were followed; under reading
	loaded  atomic.Bool
	fresh   atomic.Int64 // when the snapshot was last known to be up to date, in microseconds UTC
}

// Options are what a Book works with; all are needed.
type Options struct {
	DB     *store.DB
	Clock  clock.Clock
	Roll   *person.Roll
	Outbox *notify.Outbox
	// Link makes an address that people can open from a path.
	Link func(path string) string
	Log  *slog.Logger
	// LockAfter is how long after the last sign-in an account locks; officer.LockAfter when zero.
	LockAfter time.Duration
}

// NewBook opens the book. Until Load or Follow has run, its memory allows nobody anything.
func NewBook(o Options) *Book {
	return &Book{db: o.DB, turn: o.DB.InTurn(), clock: o.Clock, roll: o.Roll, outbox: o.Outbox, link: o.Link, log: o.Log,
		lockAfter: cmp.Or(o.LockAfter, officer.LockAfter), now: newSnapshot(), reading: make(chan struct{}, 1)}
}

// lockedUpTo is the latest last sign-in with which an account is locked at the transaction's moment, as a query's value.
func (b *Book) lockedUpTo(tx *store.Tx) any {
	return store.Us(officer.LockedUpTo(tx.Now, b.lockAfter))
}

// Posts answers from memory what a person's appointments make him now, to build pages and menus.
func (b *Book) Posts(who person.ID) Posts {
	return b.now.posts(who, b.clock.Now().UnixMicro())
}

// staleAfter is how long the memory may go without being compared before the program calls itself not ready.
const staleAfter = 5 * time.Second

// Loaded reports whether the rights are in memory and were compared with the database in the last five seconds.
func (b *Book) Loaded() bool {
	return b.loaded.Load() && b.clock.Now().Sub(time.UnixMicro(b.fresh.Load())) < staleAfter
}

// Age is how long ago the memory was last compared with the database, for the metrics.
func (b *Book) Age() time.Duration {
	return b.clock.Now().Sub(time.UnixMicro(b.fresh.Load()))
}

// effective are the queries for what the snapshot holds: rights of registered, confirmed persons, and confirmed
// appointments. An end that has passed by more than a day is left out; the moment itself is looked at when asked. The
// tables are read one by one and joined in memory: to look up account and confirmation for each of 100,000 grants takes
// SQLite longer than all else. The plus keeps it from walking the index of open grants, and looking up each row from there.
type effective struct{ accounts, confirmations, grants, appointments string }

// effectiveOf narrows the queries by a condition on the person, whose value is $1 or $2.
func effectiveOf(one, two string) effective {
	return effective{
		accounts:      `SELECT person_id, last_signin_at FROM accounts WHERE state = 'active'` + one,
		confirmations: `SELECT person_id, unit FROM confirmations WHERE ended_at IS NULL` + one,
		grants: `SELECT id, person_id, unit, team, level, starts_at, ends_at FROM grants
			WHERE system = 'ko1' AND +closed_at IS NULL AND awaits_second = FALSE AND (ends_at IS NULL OR ends_at > $1)` + two,
		appointments: `SELECT id, person_id, unit, '', CASE post WHEN 'head' THEN 10 WHEN 'administrator' THEN 11 WHEN 'auditor' THEN 12 WHEN 'agent' THEN 13 END, starts_at, ends_at
			FROM appointments WHERE post IN ('head', 'administrator', 'auditor', 'agent')
			AND closed_at IS NULL AND confirmed_at IS NOT NULL AND (ends_at IS NULL OR ends_at > $1)` + two,
	}
}

// Of all persons, and of those whose rights moved since a version.
var (
	effectiveAll   = effectiveOf("", "")
	effectiveMoved = effectiveOf(` AND person_id IN (SELECT person_id FROM rights_changes WHERE version > $1)`,
		` AND person_id IN (SELECT person_id FROM rights_changes WHERE version > $2)`)
)

func (q effective) read(ctx context.Context, tx *store.Tx, lockAfter time.Duration, since ...any) ([]entry, error) {
	accounts, err := store.Rows(scanSignIn)(tx.Query(ctx, q.accounts, since...))
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	locks := make(map[person.ID]time.Time, len(accounts)) // of those that are not switched off
	for _, a := range accounts {
		locks[a.who] = officer.LocksAt(a.at, lockAfter)
	}
	type known struct {
		who  person.ID
		unit string
	}
	words, err := store.Rows(func(row store.Row) (k known, err error) { return k, row.Scan(&k.who, &k.unit) })(tx.Query(ctx, q.confirmations, since...))
	if err != nil {
		return nil, fmt.Errorf("read confirmations: %w", err)
	}
	confirmed := make(map[known]bool, len(words))
	for _, k := range words {
		confirmed[k] = true
	}
	over := append([]any{store.Us(tx.Now.Add(-24 * time.Hour))}, since...)
	entries, err := store.Rows(scanEntry)(tx.Query(ctx, q.grants, over...))
	if err != nil {
		return nil, fmt.Errorf("read grants: %w", err)
	}
	entries = slices.DeleteFunc(entries, func(e entry) bool { return !confirmed[known{e.person, e.unit}] })
	appointments, err := store.Rows(scanEntry)(tx.Query(ctx, q.appointments, over...))
	if err != nil {
		return nil, fmt.Errorf("read appointments: %w", err)
	}
	entries = append(entries, appointments...)
	for i := range entries {
		entries[i].locks = locks[entries[i].person]
	}
	return slices.DeleteFunc(entries, func(e entry) bool { return e.locks.IsZero() }), nil
}

// signIn is when somebody signed in last.
type signIn struct {
	who person.ID
	at  time.Time
}

func scanSignIn(row store.Row) (s signIn, err error) { return s, row.Scan(&s.who, store.At(&s.at)) }

func scanEntry(row store.Row) (e entry, err error) {
	var id string
	if err = row.Scan(&id, &e.person, &e.unit, &e.team, &e.action, store.At(&e.from), store.At(&e.until)); err != nil {
		return entry{}, err
	}
	parsed, err := uuid.Parse(id)
	if err != nil {
		return entry{}, fmt.Errorf("id of right: %w", err)
	}
	e.id = ID(parsed)
	return e, nil
}

// Load reads all rights into memory.
func (b *Book) Load(ctx context.Context) error {
	done, err := b.alone(ctx)
	if err != nil {
		return err
	}
	defer done()
	return b.load(ctx)
}

// alone waits until nobody else brings the snapshot up to date; done lets the next one.
func (b *Book) alone(ctx context.Context) (done func(), err error) {
	select {
	case b.reading <- struct{}{}:
		return func() { <-b.reading }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to read rights: %w", ctx.Err())
	}
}

func (b *Book) load(ctx context.Context) error {
	return b.db.Read(ctx, func(tx *store.Tx) error {
		version, err := rightsVersion(ctx, tx)
		if err != nil {
			return err
		}
		entries, err := effectiveAll.read(ctx, tx, b.lockAfter)
		if err != nil {
			return fmt.Errorf("load rights: %w", err)
		}
		if err := b.meet(ctx, tx); err != nil {
			return err
		}
		b.now.put(b.now.everyone(), entries, tx.Now)
		b.counted.forget()
		b.version, b.signIns = version, tx.Now
		b.fresh.Store(tx.Now.UnixMicro())
		b.loaded.Store(true)
		return nil
	})
}

// CatchUp brings the memory up to what is committed now: it reads again the persons whose rights moved since.
func (b *Book) CatchUp(ctx context.Context) error {
	done, err := b.alone(ctx)
	if err != nil {
		return err
	}
	defer done()
	if !b.loaded.Load() {
		return b.load(ctx)
	}
	return b.db.Read(ctx, func(tx *store.Tx) error {
		version, err := rightsVersion(ctx, tx)
		if err != nil {
			return err
		}
		if version < b.version { // an earlier state of the database was restored under the running program
			b.loaded.Store(false)
			return errOlder
		}
		if err := b.meet(ctx, tx); err != nil {
			return err
		}
		if version > b.version {
			moved, err := store.Rows(scanPerson)(tx.Query(ctx,
				`SELECT DISTINCT person_id FROM rights_changes WHERE version > $1`, b.version))
			if err != nil {
				return fmt.Errorf("catch up with rights: %w", err)
			}
			entries, err := effectiveMoved.read(ctx, tx, b.lockAfter, b.version)
			if err != nil {
				return fmt.Errorf("catch up with rights: %w", err)
			}
			b.now.put(moved, entries, tx.Now)
			b.version = version
		}
		if err := b.followSignIns(ctx, tx); err != nil {
			return err
		}
		b.fresh.Store(tx.Now.UnixMicro())
		return nil
	})
}

// signInsAgain is how much further back sign-ins are read than they were followed: a transaction commits a while after its
// moment, and the clocks of servers differ.
const signInsAgain = time.Minute

const signInsSince = `SELECT person_id, last_signin_at FROM accounts WHERE last_signin_at > $1`

// followSignIns learns of who signed in and whose account was opened again. There is no counter of sign-ins, which all of
// them would have to move one after the other: the last ones are found by their moments.
func (b *Book) followSignIns(ctx context.Context, tx *store.Tx) error {
	list, err := store.Rows(scanSignIn)(tx.Query(ctx, signInsSince, store.Us(b.signIns.Add(-signInsAgain))))
	if err != nil {
		return fmt.Errorf("follow sign-ins: %w", err)
	}
	for _, s := range list {
		b.now.signedIn(s.who, officer.LocksAt(s.at, b.lockAfter))
	}
	b.signIns = tx.Now
	return nil
}

// meet learns of units and groups that were added; none ever goes away. A retired group still has cases, on which who
// holds a right of its whole division may act.
func (b *Book) meet(ctx context.Context, tx *store.Tx) error {
	var count int
	if err := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM units) + (SELECT count(*) FROM teams)`).Scan(&count); err != nil {
		return fmt.Errorf("count units and groups: %w", err)
	}
	if count == b.now.places.Load().count() {
		return nil
	}
	list, err := store.Rows(func(row store.Row) (at Place, err error) { return at, row.Scan(&at.Unit, &at.Team) })(tx.Query(ctx,
		`SELECT code, '' FROM units UNION ALL SELECT unit, code FROM teams ORDER BY 1, 2`))
	if err != nil {
		return fmt.Errorf("read units and groups: %w", err)
	}
	b.now.meet(list)
	return nil
}

func scanPerson(row store.Row) (id person.ID, err error) { return id, row.Scan(&id) }

func rightsVersion(ctx context.Context, tx *store.Tx) (v int64, err error) {
	if err := tx.QueryRow(ctx, `SELECT value FROM counters WHERE name = 'rights'`).Scan(&v); err != nil {
		return 0, fmt.Errorf("read version of rights: %w", err)
	}
	return v, nil
}

// Follow keeps the memory up to date with what other processes do, until the context ends: it looks each second,
// and at once when PostgreSQL tells it. A failed look is logged and tried again; Loaded turns false meanwhile.
func (b *Book) Follow(ctx context.Context) error {
	wake := make(chan struct{}, 1)
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		b.db.Listen(ctx, "sitthi_rights", func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		})
	}()
	defer func() { <-listening }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		// A database that hangs must not keep the acts waiting that are done already and only have to be read back.
		look, cancel := context.WithTimeout(ctx, staleAfter)
		err := b.CatchUp(look)
		cancel()
		if err != nil && ctx.Err() == nil {
			b.log.Error("catch up with rights", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-wake:
		}
	}
}

// Moved notes inside a transaction that a person's rights moved, so that every process reads them again. Once the
// transaction is committed this process has them before the act is answered.
func (b *Book) Moved(ctx context.Context, tx *store.Tx, who person.ID) error {
	if err := noteMoved(ctx, tx, who); err != nil {
		return err
	}
	b.readBack(ctx, tx)
	return nil
}

// noteMoved notes that a person's rights moved. An act that moves those of many persons has them read back once.
func noteMoved(ctx context.Context, tx *store.Tx, who person.ID) error {
	var version int64
	if err := tx.QueryRow(ctx, `UPDATE counters SET value = value + 1 WHERE name = 'rights' RETURNING value`).Scan(&version); err != nil {
		return fmt.Errorf("move version of rights: %w", err)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO rights_changes (version, person_id, at) VALUES ($1, $2, $3)`,
		version, who, store.Us(tx.Now)); err != nil {
		return fmt.Errorf("note moved rights: %w", err)
	}
	if _, err := tx.Exec(ctx, noteSwitch, version, who, store.Us(tx.Now)); err != nil {
		return fmt.Errorf("note state of account: %w", err)
	}
	return nil
}

// readBack has this process read the rights that a transaction moved as soon as it is committed.
func (b *Book) readBack(ctx context.Context, tx *store.Tx) {
	tx.AfterCommit(func() {
		// The act is committed whatever becomes of its request, so the request's end must not keep the memory back.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), staleAfter)
		defer cancel()
		if err := b.CatchUp(ctx); err != nil {
			b.log.Error("catch up with rights", "error", err)
		}
	})
}

// noteSwitch keeps the state of a person's account when it is another than the one kept last: who is switched off or on
// has his rights moved, so this is where every switch passes.
const noteSwitch = `INSERT INTO account_states (person_id, version, state, at)
	SELECT a.person_id, $1, a.state, $3 FROM accounts a WHERE a.person_id = $2 AND a.state <> COALESCE(
		(SELECT s.state FROM account_states s WHERE s.person_id = a.person_id ORDER BY s.version DESC LIMIT 1), 'active')`

var errOlder = errors.New("the database is older than what was read from it; reading all again")

// rightsHere are the rights of one person at one level in one unit and its groups; none for a group that does not exist,
// and none while his account is switched off or locked.
const rightsHere = `
	SELECT g.id, g.person_id, g.unit, g.team, g.level, g.starts_at, g.ends_at
	FROM grants g
	JOIN accounts a ON a.person_id = g.person_id AND a.state = 'active' AND a.last_signin_at > $5
	JOIN confirmations c ON c.person_id = g.person_id AND c.unit = g.unit AND c.ended_at IS NULL
	WHERE g.system = 'ko1' AND g.person_id = $1 AND g.unit = $2 AND g.level = $3
	  AND g.closed_at IS NULL AND g.awaits_second = FALSE
	  AND ($4 = '' OR EXISTS (SELECT 1 FROM teams t WHERE t.unit = g.unit AND t.code = $4))`

// Require fails with Denied unless the person may act at the level here at the transaction's moment, read from the
// database. What it read can not change before the transaction is through: a right that is ended meanwhile either
// comes after the whole transaction, or the transaction runs again and is denied.
func (b *Book) Require(ctx context.Context, tx *store.Tx, who person.ID, level Level, at Place) error {
	rows, err := store.Rows(scanEntry)(tx.Query(ctx, rightsHere+tx.ForShare(), who, at.Unit, level, at.Team, b.lockedUpTo(tx)))
	if err != nil {
		return fmt.Errorf("find right: %w", err)
	}
	for _, e := range rows {
		if covers(Place{e.unit, e.team}, at) && within(tx.Now, e.from, e.until) {
			return nil
		}
	}
	return problem.New(problem.Denied, "grant.denied_level", "level", level.Row().Name)
}

// post answers the live appointment that makes a person what the post says, here and now; ok is false when there is
// none, or his account is locked. It can not change before the transaction is through.
func (b *Book) post(ctx context.Context, tx *store.Tx, who person.ID, post Post, unit string) (a Appointment, ok bool, err error) {
	list, err := appointmentsTo(ctx, tx, who, post, unit, `AND a.last_signin_at > $4`, b.lockedUpTo(tx))
	if err != nil {
		return Appointment{}, false, err
	}
	for _, a := range list {
		if a.Holds(tx.Now) {
			return a, true, nil
		}
	}
	return Appointment{}, false, nil
}

// headOrToBe reports whether the person is head of the unit or appointed to become so. He stays it while his account is
// locked.
func headOrToBe(ctx context.Context, tx *store.Tx, who person.ID, unit string) (bool, error) {
	list, err := appointmentsTo(ctx, tx, who, Head, unit, ``)
	return slices.ContainsFunc(list, func(a Appointment) bool { return a.binds(tx.Now) }), err
}

// appointmentsTo lists the open appointments of a person to a post, proposed ones too; none for an account switched off, or
// one that does not meet the condition, whose values are $4 and on.
func appointmentsTo(ctx context.Context, tx *store.Tx, who person.ID, post Post, unit, condition string, values ...any) ([]Appointment, error) {
	list, err := store.Rows(scanAppointment)(tx.Query(ctx, `SELECT `+appointmentColumns+`
		FROM appointments p JOIN accounts a ON a.person_id = p.person_id AND a.state = 'active' `+condition+`
		WHERE p.person_id = $1 AND p.post = $2 AND p.unit = $3 AND p.closed_at IS NULL`+tx.ForShare(), append([]any{who, post, unit}, values...)...))
	if err != nil {
		return nil, fmt.Errorf("find appointment: %w", err)
	}
	return list, nil
}

// RequireAdministrator fails with Denied unless the person is central administrator at the transaction's moment.
func (b *Book) RequireAdministrator(ctx context.Context, tx *store.Tx, by person.ID) error {
	_, ok, err := b.post(ctx, tx, by, Administrator, centreUnit)
	if err == nil && !ok {
		err = problem.New(problem.Denied, "appoint.denied_not_administrator")
	}
	return err
}

// RequireReader fails with Denied unless the person is central administrator or auditor at the transaction's moment.
func (b *Book) RequireReader(ctx context.Context, tx *store.Tx, by person.ID) error {
	for _, post := range []Post{Administrator, Auditor} {
		if _, ok, err := b.post(ctx, tx, by, post, centreUnit); err != nil || ok {
			return err
		}
	}
	return problem.New(problem.Denied, "grant.denied_not_reader")
}

// RequireAgent fails with Denied unless the person is help-desk agent (เจ้าหน้าที่ช่วยเหลือ) at the transaction's moment.
func (b *Book) RequireAgent(ctx context.Context, tx *store.Tx, by person.ID) error {
	_, ok, err := b.post(ctx, tx, by, Agent, centreUnit)
	if err == nil && !ok {
		err = problem.New(problem.Denied, "helpdesk.denied_not_agent")
	}
	return err
}

// HelpsAs answers as what a person may second an act of the help desk on an account of a unit, at the transaction's
// moment: as central administrator, as agent, as head of the unit. Each is read again and can not change before the
// transaction is through.
func (b *Book) HelpsAs(ctx context.Context, tx *store.Tx, by person.ID, unit string) (posts []Post, err error) {
	for _, p := range []struct {
		post Post
		unit string
	}{{Administrator, centreUnit}, {Agent, centreUnit}, {Head, unit}} {
		_, ok, err := b.post(ctx, tx, by, p.post, p.unit)
		if err != nil {
			return nil, err
		}
		if ok {
			posts = append(posts, p.post)
		}
	}
	return posts, nil
}

// Privileged reports whether a person holds, or is about to hold, what nobody may come by through the help desk alone:
// a post, or a right to approve (trust.md 13).
func (b *Book) Privileged(ctx context.Context, tx *store.Tx, who person.ID) (yes bool, err error) {
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM appointments WHERE person_id = $1 AND closed_at IS NULL AND (ends_at IS NULL OR ends_at > $2))
			OR EXISTS (SELECT 1 FROM grants WHERE person_id = $1 AND level = $3 AND closed_at IS NULL AND (ends_at IS NULL OR ends_at > $2))`,
		who, store.Us(tx.Now), Approve).Scan(&yes)
	if err != nil {
		return false, fmt.Errorf("find posts and rights: %w", err)
	}
	return yes, nil
}

// TellHeads queues a message to everyone who is head of the unit now, but for one person; it answers how many of them can
// act on it: a head whose account is locked can not.
func (b *Book) TellHeads(ctx context.Context, tx *store.Tx, unit string, except person.ID, purpose string, args locale.Args) (told int, err error) {
	heads, err := b.holders(ctx, tx, Head, unit, except)
	if err != nil {
		return 0, err
	}
	for _, a := range heads {
		to, err := officer.Find(ctx, tx, a.Person)
		if err != nil {
			return 0, err
		}
		if err := b.tell(ctx, tx, to, purpose, args); err != nil {
			return 0, err
		}
		if !to.Locked(tx.Now, b.lockAfter) {
			told++
		}
	}
	return told, nil
}

// TellCentre queues a message to the central administrators, but for one person, with a link to a page.
func (b *Book) TellCentre(ctx context.Context, tx *store.Tx, except person.ID, purpose, path string, args locale.Args) error {
	return b.tellCentre(ctx, tx, except, purpose, path, args)
}

// HeadOf lists the units of which the person is head at the transaction's moment.
func (b *Book) HeadOf(ctx context.Context, tx *store.Tx, who person.ID) ([]string, error) {
	return b.headOf(ctx, tx, who)
}

// headOf lists the units of which the person is head at the transaction's moment, from the database.
func (b *Book) headOf(ctx context.Context, tx *store.Tx, who person.ID) ([]string, error) {
	list, err := store.Rows(scanAppointment)(tx.Query(ctx, `SELECT `+appointmentColumns+`
		FROM appointments p JOIN accounts a ON a.person_id = p.person_id AND a.state = 'active' AND a.last_signin_at > $2
		WHERE p.person_id = $1 AND p.post = 'head' AND p.closed_at IS NULL ORDER BY p.unit`, who, b.lockedUpTo(tx)))
	if err != nil {
		return nil, fmt.Errorf("find appointments: %w", err)
	}
	var units []string
	for _, a := range list {
		if a.Holds(tx.Now) {
			units = append(units, a.Unit)
		}
	}
	return units, nil
}

// TurnAway records that a person was refused at a door before any act began, and answers why he was.
func (b *Book) TurnAway(ctx context.Context, who person.ID, route string, why error) error {
	act := &audit.Act{Name: "door.turn_away", Actor: string(who), Detail: map[string]string{"route": route}}
	return audit.Do(ctx, b.db, act, func(*store.Tx) error { return why })
}

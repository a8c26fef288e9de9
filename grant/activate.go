package grant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// LocksSoon is how long before the lock an officer is shown as one who locks soon.
const LocksSoon = 15 * 24 * time.Hour

// Attendance is an officer with his last sign-in, as his head or the centre sees him.
type Attendance struct {
	Person     person.ID
	Name       string
	Position   string
	Unit       string
	UnitName   locale.Name // short
	LastSignIn time.Time   // zero when there was none since he registered
	Reopened   time.Time   // when the account was opened again, if he has not signed in since
	LocksAt    time.Time
	Locked     bool
	Soon       bool // locks within LocksSoon
}

// ActivationRequest is a locked officer who asks to be let in again ("Active User"); a code to a contact on file has proved
// that it is he.
type ActivationRequest struct {
	ID      string
	AskedAt time.Time
	Attendance
	// Own says that the reader may decide it; else the centre does.
	Own bool
}

// AttendanceFilter says whose sign-ins are asked for, in the words of its form. The zero AttendanceFilter is everyone the
// reader sees, the one who locks first first.
type AttendanceFilter struct {
	Search string // a part of the name
	Unit   string // "": every unit of the reader
	State  string // one of AttendanceStates; anything else for all
	Sort   string // a column that SortableAttendance knows
	Desc   bool
	Page   int // from 1
	Size   int // rows a page, one of Sizes
}

// The states of an account on the page about who signs in, beside those that are neither.
const (
	AttendanceLocked = "locked"
	AttendanceSoon   = "soon" // locks within LocksSoon
)

// AttendanceStates are the states in the order in which they are offered.
var AttendanceStates = []string{AttendanceLocked, AttendanceSoon}

// attendanceSorts maps the columns that can be sorted by to SQL; what a reader sends is only ever looked up here.
var attendanceSorts = map[string]string{"name": "a.name_sort", "unit": "u.sort_key", "locks": "a.last_signin_at"}

// SortableAttendance reports whether the sign-ins can be sorted by a column.
func SortableAttendance(column string) bool { _, ok := attendanceSorts[column]; return ok }

// Attendances is a page about who signs in.
type Attendances struct {
	All      bool // of every unit; else of the head's units
	Requests []ActivationRequest
	List     []Attendance
	Total    int  // that match the filter, on all pages, up to CountUpTo
	More     bool // there are more than CountUpTo
	Number   int  // of this page, from 1
	Pages    int
	// Everyone, Locked and Soon count whom the reader sees, whatever the filter says.
	Everyone, Locked, Soon int
	Units                  []agency.Unit // to choose from
	Days                   int           // without a sign-in until an account locks
}

// Attendances lists the officers of a head's units with their last sign-ins, and to central administrators those of every
// unit; and the requests to be let in again that wait. It fails with Denied for anyone else.
func (b *Book) Attendances(ctx context.Context, by person.ID, f AttendanceFilter) (Attendances, error) {
	var page Attendances
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		page = Attendances{Days: int(b.lockAfter / (24 * time.Hour)), Number: max(f.Page, 1)}
		s, err := b.attendanceScope(ctx, tx, by)
		if err != nil {
			return err
		}
		page.All = s.All
		if err := b.countAttendances(ctx, tx, s, &page); err != nil {
			return err
		}
		if err := b.listAttendances(ctx, tx, s, f, &page); err != nil {
			return err
		}
		units, err := agency.Units(ctx, tx)
		if err != nil {
			return err
		}
		page.Units = slices.DeleteFunc(units, func(u agency.Unit) bool { return !s.sees(u.Code) })
		page.Requests, err = b.requests(ctx, tx, by, s.Heads, s.All)
		return err
	})
	return page, err
}

// Activation finds a request to be let in again that waits for the reader's own word. It fails with NotFound for any other,
// and with Denied for who is neither head nor administrator.
func (b *Book) Activation(ctx context.Context, by person.ID, id string) (ActivationRequest, error) {
	var found ActivationRequest
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		s, err := b.attendanceScope(ctx, tx, by)
		if err != nil {
			return err
		}
		list, err := b.requests(ctx, tx, by, s.Heads, s.All)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(r ActivationRequest) bool { return r.ID == id && r.Own })
		if i < 0 {
			return problem.New(problem.NotFound, "activation.not_found")
		}
		found = list[i]
		return nil
	})
	return found, err
}

// attendanceScope answers whose sign-ins a person may see: an auditor sees rights, but nobody's sign-ins.
func (b *Book) attendanceScope(ctx context.Context, tx *store.Tx, by person.ID) (s Scope, err error) {
	if s.Heads, err = b.headOf(ctx, tx, by); err != nil {
		return Scope{}, err
	}
	if _, s.All, err = b.post(ctx, tx, by, Administrator, centreUnit); err != nil {
		return Scope{}, err
	}
	if !s.All && len(s.Heads) == 0 {
		return Scope{}, problem.New(problem.Denied, "activation.denied_reader")
	}
	return s, nil
}

// attending narrows to the accounts whose sign-ins the reader may see.
func (s Scope) attending() *where {
	w := &where{}
	w.add("a.state = 'active'")
	if !s.All {
		in(w, "a.unit", s.Heads)
	}
	return w
}

// countAttendances counts whom the reader sees.
func (b *Book) countAttendances(ctx context.Context, tx *store.Tx, s Scope, page *Attendances) error {
	w := s.attending()
	n := len(w.args)
	err := tx.QueryRow(ctx, fmt.Sprintf(`SELECT count(*), count(CASE WHEN a.last_signin_at <= $%d THEN 1 END),
		count(CASE WHEN a.last_signin_at > $%d AND a.last_signin_at <= $%d THEN 1 END)
		FROM accounts a WHERE `, n+1, n+1, n+2)+w.String(), append(w.args, b.lockedUpTo(tx), b.locksSoonUpTo(tx))...).
		Scan(&page.Everyone, &page.Locked, &page.Soon)
	if err != nil {
		return fmt.Errorf("count sign-ins: %w", err)
	}
	return nil
}

// locksSoonUpTo is the latest last sign-in with which an account is locked, or will be within LocksSoon.
func (b *Book) locksSoonUpTo(tx *store.Tx) any {
	return store.Us(officer.LockedUpTo(tx.Now.Add(LocksSoon), b.lockAfter))
}

// listAttendances reads the page that a filter asks for.
func (b *Book) listAttendances(ctx context.Context, tx *store.Tx, s Scope, f AttendanceFilter, page *Attendances) error {
	w := s.attending()
	if f.Unit != "" {
		w.add("a.unit = ?", f.Unit)
	}
	if part := thai.Fold(f.Search); part != "" {
		w.add("a.name_fold LIKE ? ESCAPE '!'", contains(part))
	}
	switch f.State {
	case AttendanceLocked:
		w.add("a.last_signin_at <= ?", b.lockedUpTo(tx))
	case AttendanceSoon:
		w.add("a.last_signin_at > ? AND a.last_signin_at <= ?", b.lockedUpTo(tx), b.locksSoonUpTo(tx))
	}
	err := tx.QueryRow(ctx, fmt.Sprintf(`SELECT count(*) FROM (SELECT 1 FROM accounts a WHERE %s LIMIT %d) AS matching`, w, CountUpTo+1), w.args...).Scan(&page.Total)
	if err != nil {
		return fmt.Errorf("count sign-ins: %w", err)
	}
	if page.More = page.Total > CountUpTo; page.More {
		page.Total = CountUpTo
	}
	size := f.Size
	if !slices.Contains(Sizes, size) {
		size = Sizes[0]
	}
	page.Pages = max(1, (page.Total+size-1)/size)
	page.Number = min(page.Number, page.Pages)
	order := "a.last_signin_at, a.person_id"
	if column, ok := attendanceSorts[f.Sort]; ok {
		if f.Desc {
			column += " DESC"
		}
		order = column + ", " + order
	}
	page.List, err = store.Rows(b.scanAttendance(tx.Now))(tx.Query(ctx, fmt.Sprintf(`SELECT %s%s WHERE %s ORDER BY %s LIMIT %d OFFSET %d`,
		attendanceColumns, attendanceTables, w, order, size, (page.Number-1)*size), w.args...))
	if err != nil {
		return fmt.Errorf("list sign-ins: %w", err)
	}
	return nil
}

// Asking counts the requests to be let in again that wait for a person's word; for most people there are none.
func (b *Book) Asking(ctx context.Context, by person.ID) (n int, err error) {
	err = b.db.Read(ctx, func(tx *store.Tx) error {
		n = 0
		heads, err := b.headOf(ctx, tx, by)
		if err != nil {
			return err
		}
		_, administrator, err := b.post(ctx, tx, by, Administrator, centreUnit)
		if err != nil {
			return err
		}
		list, err := b.requests(ctx, tx, by, heads, administrator)
		for _, r := range list {
			if r.Own {
				n++
			}
		}
		return err
	})
	return n, err
}

const attendanceColumns = `a.person_id, a.given_name || ' ' || a.family_name, a.position, a.unit, u.short_th, u.short_en, a.last_signin_at, a.registered_at,
	(SELECT max(r.at) FROM reopenings r WHERE r.person_id = a.person_id),
	(SELECT r.before_at FROM reopenings r WHERE r.person_id = a.person_id ORDER BY r.at DESC LIMIT 1)`

const attendanceTables = `
	FROM accounts a JOIN units u ON u.code = a.unit`

// scanAttendance reads a row, of which more columns may follow.
func (b *Book) scanAttendance(now time.Time, more ...any) func(store.Row) (Attendance, error) {
	return func(row store.Row) (a Attendance, err error) {
		var registered, reopened, before time.Time
		err = row.Scan(append([]any{&a.Person, &a.Name, &a.Position, &a.Unit, &a.UnitName.TH, &a.UnitName.EN, store.At(&a.LastSignIn),
			store.At(&registered), store.At(&reopened), store.At(&before)}, more...)...)
		a.LocksAt = officer.LocksAt(a.LastSignIn, b.lockAfter)
		a.Locked = !now.Before(a.LocksAt)
		a.Soon = !a.Locked && !now.Add(LocksSoon).Before(a.LocksAt)
		if a.LastSignIn.Equal(reopened) { // the time runs from there, and he has yet to come
			a.Reopened, a.LastSignIn = reopened, before
		}
		if a.LastSignIn.Equal(registered) {
			a.LastSignIn = time.Time{}
		}
		return a, err
	}
}

// requests lists what waits for a decision: of the units of a head, and to an administrator what is the centre's.
func (b *Book) requests(ctx context.Context, tx *store.Tx, by person.ID, heads []string, administrator bool) ([]ActivationRequest, error) {
	if !administrator && len(heads) == 0 {
		return nil, nil
	}
	w := &where{}
	w.add("v.asked_at > a.last_signin_at AND v.decided_at IS NULL") // one asked before the account was opened otherwise is over
	w.add("a.state = 'active' AND a.last_signin_at <= ?", b.lockedUpTo(tx))
	if !administrator {
		in(w, "v.unit", heads)
	}
	list, err := store.Rows(func(row store.Row) (r ActivationRequest, err error) {
		r.Attendance, err = b.scanAttendance(tx.Now, &r.ID, store.At(&r.AskedAt))(row)
		return r, err
	})(tx.Query(ctx, `SELECT `+attendanceColumns+`, v.id, v.asked_at`+attendanceTables+`
		JOIN activations v ON v.person_id = a.person_id WHERE `+w.String()+` ORDER BY v.asked_at, v.id`, w.args...))
	if err != nil {
		return nil, fmt.Errorf("list requests to be let in: %w", err)
	}
	var mine []ActivationRequest
	for _, r := range list {
		f, err := b.activateFacts(ctx, tx, by, r.Person, r.Unit)
		if err != nil {
			return nil, err
		}
		f.Waits, f.Locked = true, true
		if r.Own = mayActivate(f) == nil; r.Own || f.Head {
			mine = append(mine, r)
		}
	}
	return mine, nil
}

// activateFacts gathers what decides about a request, but for how the request itself stands.
func (b *Book) activateFacts(ctx context.Context, tx *store.Tx, by, subject person.ID, unit string) (activateFacts, error) {
	f := activateFacts{By: by, Subject: subject}
	var err error
	if _, f.Head, err = b.post(ctx, tx, by, Head, unit); err != nil {
		return f, err
	}
	if _, f.Administrator, err = b.post(ctx, tx, by, Administrator, centreUnit); err != nil {
		return f, err
	}
	others, err := b.countHolders(ctx, tx, unit, Head, subject)
	if err != nil {
		return f, err
	}
	f.Heads = others > 0
	list, err := store.Rows(scanAppointment)(tx.Query(ctx, `SELECT `+appointmentColumns+`
		FROM appointments p WHERE p.person_id = $1 AND p.closed_at IS NULL`, subject))
	if err != nil {
		return f, fmt.Errorf("find appointments: %w", err)
	}
	f.Privileged = slices.ContainsFunc(list, func(a Appointment) bool { return a.binds(tx.Now) })
	return f, nil
}

// Asked tells those who decide that a locked officer asks to be let in again: the head of his office or, where the decision
// is the centre's, the central administrators. It is called within the transaction of his request.
func (b *Book) Asked(ctx context.Context, tx *store.Tx, a officer.Account) error {
	f, err := b.activateFacts(ctx, tx, "", a.Person, a.Unit)
	if err != nil {
		return err
	}
	unit, err := agency.Find(ctx, tx, a.Unit)
	if err != nil {
		return err
	}
	args := locale.Args{"name": a.Name(), "position": a.Position, "unit": unit.Short, "link": b.link(attendancePath)}
	if f.centre() {
		return b.tellPosts(ctx, tx, Administrator, centreUnit, a.Person, "activation.asked", args)
	}
	return b.tellPosts(ctx, tx, Head, a.Unit, a.Person, "activation.asked", args)
}

// attendancePath is the page on which requests are decided.
const attendancePath = "/ko1/people"

// Decision is what somebody decides about a request to be let in again.
type Decision struct {
	Confirmed bool
	Reason    string // of a refusal; the officer reads it
}

// Activate decides a request of a locked officer: confirmed, his account is open again at once and the 60 days start anew;
// refused, it stays as it is and he is told why. He is told on every contact; the answer is his name. It fails with NotFound for a request that the
// one who decides has no part in, with Denied for the officer himself and for whom the decision is not, with Conflict when
// it was decided or the account is no longer locked, and with Invalid for a refusal without a reason.
func (b *Book) Activate(ctx context.Context, by person.ID, id string, d Decision) (name string, err error) {
	act := &audit.Act{Name: "officer.activate", Actor: string(by), Object: id}
	if !d.Confirmed {
		act = &audit.Act{Name: "officer.refuse_activation", Actor: string(by), Object: id}
	}
	err = audit.Do(ctx, b.db, act, func(tx *store.Tx) error {
		var who person.ID
		var asked, decided time.Time
		err := tx.QueryRow(ctx, `SELECT person_id, unit, asked_at, decided_at FROM activations WHERE id = $1 AND asked_at IS NOT NULL`, id).
			Scan(&who, &act.Unit, store.At(&asked), store.At(&decided))
		if errors.Is(err, sql.ErrNoRows) {
			return problem.New(problem.NotFound, "activation.not_found")
		}
		if err != nil {
			return fmt.Errorf("find request to be let in: %w", err)
		}
		act.Subject = string(who)
		account, err := officer.Find(ctx, tx, who)
		if err != nil {
			return err
		}
		f, err := b.activateFacts(ctx, tx, by, who, act.Unit)
		if err != nil {
			return err
		}
		f.Waits, f.Locked = decided.IsZero() && asked.After(account.LastSignIn), account.Locked(tx.Now, b.lockAfter) && account.Enabled()
		if err := mayActivate(f); err != nil {
			return err
		}
		outcome, purpose, args := "confirmed", "activation.confirmed", locale.Args{"link": b.link("/officer/login")}
		if !d.Confirmed {
			var check problem.Check
			checkReason(&check, d.Reason)
			reason, err := thai.CleanLine(d.Reason, mostReason)
			if err != nil {
				check.Fail("reason", "activation.reason_long", "n", mostReason)
			}
			if err := check.Err(); err != nil {
				return err
			}
			d.Reason = reason
			outcome, purpose, args = "refused", "activation.refused", locale.Args{"reason": reason}
			act.Texts = map[string]string{"reason": reason}
		}
		if _, err := tx.Exec(ctx, `UPDATE activations SET decided_by = $2, decided_at = $3, outcome = $4, reason = $5 WHERE id = $1`,
			id, by, store.Us(tx.Now), outcome, d.Reason); err != nil {
			return fmt.Errorf("decide request to be let in: %w", err)
		}
		if d.Confirmed {
			if err := officer.Reopen(ctx, tx, who); err != nil {
				return err
			}
			b.readBack(ctx, tx)
		}
		name = account.Name()
		return officer.Tell(ctx, tx, b.outbox, account, purpose, args)
	})
	if err != nil {
		return "", err
	}
	return name, nil
}

// mostReason is how many characters the reason of a refusal takes.
const mostReason = 500

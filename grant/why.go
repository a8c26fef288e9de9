package grant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// recordedAt is the moment whose records answer a question about another: of the past as it was recorded then, of the
// future as things stand now.
func recordedAt(moment, now time.Time) time.Time {
	if moment.Before(now) {
		return moment
	}
	return now
}

// accountThen is the state of account a at the moment $1, and since when; when the present is asked for, as the
// account itself has it. One that was off already when switches began to be kept has a row of version 0.
func accountThen(past bool) string {
	const last = `FROM account_states s WHERE s.person_id = a.person_id AND s.at <= $1 ORDER BY s.version DESC LIMIT 1)`
	state := `a.state`
	if past {
		state = `COALESCE((SELECT s.state ` + last + `, CASE WHEN EXISTS (SELECT 1 FROM account_states s WHERE s.person_id = a.person_id AND s.version = 0)
			THEN 'unknown' ELSE 'active' END)`
	}
	return `a.registered_at, CASE WHEN a.person_id IS NULL THEN '' ELSE ` + state + ` END, (SELECT s.at ` + last + `, ` + signInThen
}

// signInThen is the last sign-in of account a before it was opened again after the moment $1 for the first time; of one that
// was not, the last there is. It may lie after the moment: then the account was in use, since nobody signs in to one that
// is locked.
const signInThen = `COALESCE((SELECT r.before_at FROM reopenings r WHERE r.person_id = a.person_id AND r.at > $1 ORDER BY r.at LIMIT 1), a.last_signin_at)`

// lock is when accounts were locked, and since when any were.
type lock struct {
	after time.Duration
	since time.Time // zero: ever since there are accounts
}

// ForceMark is the name under which an installation keeps since when accounts lock, in microseconds. Before the program
// knew the lock, nobody was kept from anything by it.
const ForceMark = "lock_since"

func (b *Book) lock(ctx context.Context, tx *store.Tx) (lock, error) {
	l := lock{after: b.lockAfter}
	err := tx.QueryRow(ctx, `SELECT CAST(value AS BIGINT) FROM installation WHERE name = $1`, ForceMark).Scan(store.At(&l.since))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return lock{}, fmt.Errorf("read since when accounts lock: %w", err)
	}
	return l, nil
}

// on reports whether the account was locked at a moment.
func (l lock) on(a pastAccount, recorded time.Time) bool {
	return !recorded.Before(l.since) && !recorded.Before(officer.LocksAt(a.SignIn, l.after))
}

func (a *pastAccount) targets() []any {
	return []any{store.At(&a.Registered), store.Null((*string)(&a.State)), store.At(&a.Since), store.At(&a.SignIn)}
}

// accountAt answers what was recorded of a person's account.
func (b *Book) accountAt(ctx context.Context, tx *store.Tx, who person.ID, recorded time.Time) (a pastAccount, err error) {
	err = tx.QueryRow(ctx, `SELECT `+accountThen(recorded.Before(tx.Now))+` FROM accounts a WHERE a.registered_at <= $1 AND a.person_id = $2`,
		store.Us(recorded), who).Scan(a.targets()...)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return pastAccount{}, fmt.Errorf("find account: %w", err)
	}
	l, err := b.lock(ctx, tx)
	a.Locked = l.on(a, recorded)
	return a, err
}

// rightsThen reads rights as they were recorded at $1: each with its version of then, the account of its holder and
// the word on who he is.
func rightsThen(past bool, condition string) string {
	return `SELECT g.id, g.number, g.person_id, g.level, g.unit, g.team, v.starts_at, v.ends_at, v.order_number, g.given_by, g.given_at,
			g.awaits_second = TRUE OR g.seconded_at IS NOT NULL, g.seconded_by, g.seconded_at, g.closed_by, g.closed_at, g.closing, g.close_reason,
			c.decided_by, c.decided_at, '', g.form LIKE '` + broughtForm + `%', ` + accountThen(past) + `
		FROM grants g
		JOIN grant_versions v ON v.grant_id = g.id AND v.version = (SELECT max(w.version) FROM grant_versions w WHERE w.grant_id = g.id AND w.recorded_at <= $1)
		LEFT JOIN accounts a ON a.person_id = g.person_id AND a.registered_at <= $1
		LEFT JOIN confirmations c ON c.person_id = g.person_id AND c.unit = g.unit AND c.outcome = 'confirmed'
			AND c.decided_at <= $1 AND (c.ended_at IS NULL OR c.ended_at > $1)
		WHERE g.system = 'ko1' AND g.given_at <= $1 AND ` + condition
}

// postsThen reads appointments as they were recorded at $1.
func postsThen(past bool, condition string) string {
	return `SELECT p.id, 0, p.person_id, CASE p.post WHEN 'head' THEN 10 WHEN 'administrator' THEN 11 WHEN 'auditor' THEN 12 WHEN 'agent' THEN 13 END, p.unit, '',
			p.starts_at, p.ends_at, p.order_number, p.proposed_by, p.proposed_at,
			TRUE, p.confirmed_by, p.confirmed_at, p.closed_by, p.closed_at, p.closing, p.close_reason,
			NULL, NULL, p.kind, FALSE, ` + accountThen(past) + `
		FROM appointments p
		LEFT JOIN accounts a ON a.person_id = p.person_id AND a.registered_at <= $1
		WHERE p.post IN ('head', 'administrator', 'auditor', 'agent') AND p.proposed_at <= $1 AND ` + condition
}

func scanClaim(row store.Row) (c claim, err error) {
	var id string
	err = row.Scan(append([]any{&id, &c.Number, &c.Person, &c.Do, &c.Place.Unit, &c.Place.Team, store.At(&c.From), store.At(&c.Until), &c.Order,
		&c.GivenBy, store.At(&c.GivenAt), &c.NeedsSecond, store.Null(&c.SecondBy), store.At(&c.SecondAt), store.Null(&c.ClosedBy), store.At(&c.ClosedAt),
		&c.Closing, &c.CloseReason, store.Null(&c.IdentityBy), store.At(&c.IdentityAt), &c.Kind, &c.Brought}, c.pastAccount.targets()...)...)
	if err != nil {
		return claim{}, err
	}
	parsed, err := uuid.Parse(id)
	if err != nil {
		return claim{}, fmt.Errorf("id of right: %w", err)
	}
	c.ID, c.NeedsIdentity = ID(parsed), c.Do <= DoApprove
	return c, nil
}

// claimsWhere reads rights and appointments as they were recorded at a moment. The conditions speak of g and of p, and
// their values are $2 and on; an empty one leaves that kind out.
func (b *Book) claimsWhere(ctx context.Context, tx *store.Tx, recorded time.Time, ofRights, ofPosts string, values ...any) ([]claim, error) {
	l, err := b.lock(ctx, tx)
	if err != nil {
		return nil, err
	}
	past, args := recorded.Before(tx.Now), append([]any{store.Us(recorded)}, values...)
	var all []claim
	for _, query := range []struct{ condition, text string }{{ofRights, rightsThen(past, ofRights)}, {ofPosts, postsThen(past, ofPosts)}} {
		if query.condition == "" {
			continue
		}
		list, err := store.Rows(scanClaim)(tx.Query(ctx, query.text, args...))
		if err != nil {
			return nil, fmt.Errorf("read rights as they were recorded: %w", err)
		}
		for _, c := range list {
			c.Locked = l.on(c.pastAccount, recorded)
			all = append(all, c.as(recorded))
		}
	}
	return all, nil
}

// claimsOf reads all rights and appointments of a person as they were recorded at a moment.
func (b *Book) claimsOf(ctx context.Context, tx *store.Tx, who person.ID, recorded time.Time) ([]claim, error) {
	return b.claimsWhere(ctx, tx, recorded, `g.person_id = $2`, `p.person_id = $2`, who)
}

// claimsIn reads the rights at a level, or the appointments to a post, in a unit and its groups.
func (b *Book) claimsIn(ctx context.Context, tx *store.Tx, do Action, unit string, recorded time.Time) ([]claim, error) {
	if do <= DoApprove {
		return b.claimsWhere(ctx, tx, recorded, `g.unit = $2 AND g.level = $3`, "", unit, do)
	}
	list, err := b.claimsWhere(ctx, tx, recorded, "", `p.unit = $2`, unit)
	return slices.DeleteFunc(list, func(c claim) bool { return c.Do != do }), err
}

// rule answers a question from the database.
func (b *Book) rule(ctx context.Context, tx *store.Tx, q Question) (ruling, error) {
	recorded := recordedAt(q.Moment, tx.Now)
	place, err := agency.ExistsAt(ctx, tx, q.At.Unit, q.At.Team, recorded)
	if err != nil {
		return ruling{}, err
	}
	who, err := b.accountAt(ctx, tx, q.Who, recorded)
	if err != nil {
		return ruling{}, err
	}
	claims, err := b.claimsOf(ctx, tx, q.Who, recorded)
	if err != nil {
		return ruling{}, err
	}
	return judge(q, place, who, claims), nil
}

// AnswerAt answers from the database whether a person may do something somewhere at a moment: of the past as it was
// recorded then, so that what was ended, changed or confirmed later does not count; of the future as things stand now.
// About the present it agrees with Answer and Allows, and may know the reason better. The caller has checked who may
// ask.
func (b *Book) AnswerAt(ctx context.Context, q Question) (Answer, error) {
	var r ruling
	err := b.db.Read(ctx, func(tx *store.Tx) (err error) {
		r, err = b.rule(ctx, tx, q.asked(tx.Now))
		return err
	})
	return r.Answer, err
}

// Met tells whether a condition is met.
type Met string

// A condition is met or not, or it can not be told.
const (
	Yes     Met = "yes"
	No      Met = "no"
	Unknown Met = "unknown" // what the records of the time do not tell
)

// Condition is one of the conditions of an answer.
type Condition struct {
	Code   Code
	Met    Met
	Reason Reason // what it makes the answer; Permitted when it is met
	// Deed is the act behind it: the one that met it or, where that is what keeps him from acting, that ended it.
	Deed Deed
	// From and Until are the dates of the right, for CondDates; Until is exclusive and zero when there is no end.
	From, Until time.Time
}

// Deed is an act behind a condition; the zero Deed is none.
type Deed struct {
	Act    string // as in the log: grant.give
	By     string // id of a person, audit.Terminal or audit.System; "" when it was not recorded
	At     time.Time
	Order  string // เลขที่คำสั่ง
	Reason string // as it was written
	Grant  ID     // the right, or
	Post   ID     // the appointment that it was done to
}

// Other is a right or a post that holds at the moment, and is for something else than what was asked.
type Other struct {
	Grant              ID
	Do                 Action
	At                 Place
	UnitName, TeamName locale.Name // the unit's short one
}

// Explanation is an answer with every condition of it and the act behind each.
type Explanation struct {
	Question
	Answer
	Asked      time.Time // when it was answered: of a later moment it tells what stood then
	Place      agency.Then
	Conditions []Condition
	Others     []Other
	Names      map[person.ID]string // of those involved who are registered
}

// findDeed finds what the log holds of an act on a person's account of which only the moment is known.
func findDeed(ctx context.Context, tx *store.Tx, who person.ID, d *Deed) error {
	if d.At.IsZero() {
		return nil
	}
	entries, _, err := audit.List(ctx, tx, audit.Query{Subject: string(who), Outcome: audit.Done, From: d.At, To: d.At.Add(time.Microsecond)})
	for _, e := range entries {
		if strings.HasPrefix(e.Name, "officer.") {
			d.Act, d.By, d.Reason = e.Name, e.Actor, e.Texts["reason"]
		}
	}
	return err
}

// lastSignIn is the last act up to a moment with which the time to the lock began anew. Of who signed in again since, the log
// tells; of the others the account, and the log what it was.
func lastSignIn(ctx context.Context, tx *store.Tx, who person.ID, known, recorded time.Time) (Deed, error) {
	if known.After(recorded) {
		return lastOfActs(ctx, tx, who, recorded)
	}
	entries, _, err := audit.List(ctx, tx, audit.Query{Subject: string(who), Outcome: audit.Done, From: known, To: known.Add(time.Microsecond)})
	if err != nil {
		return Deed{}, err
	}
	for _, e := range entries { // a sign-in may have switched the password on as well
		if from, _, _ := strings.Cut(e.Name, "."); slices.Contains(signInActs, e.Name) || from == "officer" || from == "helpdesk" {
			return Deed{Act: e.Name, By: e.Actor, At: e.At}, nil
		}
	}
	return Deed{At: known}, nil
}

// lastOfActs is the last sign-in up to a moment; the zero Deed when there was none.
func lastOfActs(ctx context.Context, tx *store.Tx, who person.ID, recorded time.Time) (last Deed, err error) {
	for _, act := range signInActs {
		entries, _, err := audit.List(ctx, tx, audit.Query{
			Subject: string(who), Outcome: audit.Done, Act: act, To: recorded.Add(time.Microsecond), Limit: 1,
		})
		if err != nil {
			return Deed{}, err
		}
		for _, e := range entries {
			if e.At.After(last.At) {
				last = Deed{Act: e.Name, By: e.Actor, At: e.At}
			}
		}
	}
	return last, nil
}

// signInActs are the sign-ins, as the log names them.
var signInActs = []string{"signin.open", "signin.thaid"}

// Past reports whether the question was about the past, which is answered as it was recorded then.
func (e Explanation) Past() bool { return e.Moment.Before(e.Asked) }

// Future reports whether the question was about the future, which is answered as things stood when it was asked.
func (e Explanation) Future() bool { return e.Moment.After(e.Asked) }

// Explain tells why AnswerAt answers as it does: every condition, met or not, with the act behind it. It fails with
// NotFound for a unit or a group that there is not. The caller has checked who may ask, and of whom.
func (b *Book) Explain(ctx context.Context, q Question) (e Explanation, err error) {
	err = b.db.Read(ctx, func(tx *store.Tx) error {
		e, err = b.explain(ctx, tx, q)
		return err
	})
	if err != nil {
		return Explanation{}, err
	}
	return e, nil
}

func (b *Book) explain(ctx context.Context, tx *store.Tx, q Question) (Explanation, error) {
	q = q.asked(tx.Now)
	r, err := b.rule(ctx, tx, q)
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{Question: q, Answer: r.Answer, Asked: tx.Now}
	if e.Place, err = agency.FindAt(ctx, tx, q.At.Unit, q.At.Team, recordedAt(q.Moment, tx.Now)); err != nil {
		return Explanation{}, err
	}
	ids := []person.ID{q.Who}
	for _, s := range r.Steps {
		c := Condition{Code: s.code, Met: No, Reason: s.reason, Deed: r.deed(s.code)}
		switch {
		case s.code == CondPlace && !r.Allowed && s.reason == Permitted && !placeServes(q, e.Place):
			c.Reason = PlaceUnused
		case s.reason == Permitted:
			c.Met = Yes
		case s.reason == AccountUnknown:
			c.Met = Unknown
		}
		if c.Code == CondUnlocked {
			if c.Deed, err = lastSignIn(ctx, tx, q.Who, r.who.SignIn, recordedAt(q.Moment, tx.Now)); err != nil {
				return Explanation{}, err
			}
		}
		if c.Code == CondAccount || c.Code == CondEnabled {
			if err := findDeed(ctx, tx, q.Who, &c.Deed); err != nil {
				return Explanation{}, err
			}
		}
		if s.code == CondDates {
			c.From, c.Until = r.Claim.From, r.Claim.Until
		}
		ids = append(ids, person.ID(c.Deed.By))
		e.Conditions = append(e.Conditions, c)
	}
	for _, c := range r.Others {
		o := Other{Grant: c.ID, Do: c.Do, At: c.Place}
		then, err := agency.FindAt(ctx, tx, c.Place.Unit, c.Place.Team, tx.Now)
		if err != nil {
			return Explanation{}, err
		}
		o.UnitName, o.TeamName = then.Unit.Short, then.Team.Name
		e.Others = append(e.Others, o)
	}
	e.Names, err = names(ctx, tx, ids)
	return e, err
}

// WhoAt lists who may do something somewhere at a moment, as AnswerAt answers it, in the order of the ids: at most
// limit persons that come after one, so that the last of a page asks for the next. The caller has checked who may ask.
func (b *Book) WhoAt(ctx context.Context, do Action, at Place, moment time.Time, after person.ID, limit int) ([]person.ID, error) {
	var list []person.ID
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		recorded := recordedAt(moment, tx.Now)
		list = nil
		if exists, err := agency.ExistsAt(ctx, tx, at.Unit, at.Team, recorded); err != nil || !exists {
			return err
		}
		claims, err := b.claimsIn(ctx, tx, do, at.Unit, recorded)
		for _, c := range claims {
			if c.Person > after && covers(c.Place, at) && c.allows(moment) {
				list = append(list, c.Person)
			}
		}
		slices.Sort(list)
		list = slices.Compact(list)
		list = list[:min(len(list), limit)]
		return err
	})
	return list, err
}

// WhereAt lists the places in which a person may do something at a moment, as AnswerAt answers it, in the order of
// codes: each unit in which he may as a whole, with all its groups behind it, and the groups in which alone he may. The
// caller has checked who may ask.
func (b *Book) WhereAt(ctx context.Context, who person.ID, do Action, moment time.Time) ([]Place, error) {
	var list []Place
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		recorded := recordedAt(moment, tx.Now)
		claims, err := b.claimsOf(ctx, tx, who, recorded)
		if err != nil {
			return err
		}
		list = nil
		for _, c := range claims {
			if c.Do != do || !c.allows(moment) {
				continue
			}
			list = append(list, c.Place)
			if c.Place.Team != "" {
				continue
			}
			teams, err := agency.TeamsAt(ctx, tx, c.Place.Unit, recorded)
			if err != nil {
				return err
			}
			for _, team := range teams {
				list = append(list, Place{c.Place.Unit, team.Code})
			}
		}
		slices.SortFunc(list, comparePlaces)
		list = slices.Compact(list)
		return nil
	})
	return list, err
}

// MayAt lists what a person may do in a place at a moment, as AnswerAt answers it, in the order of the actions. The
// caller has checked who may ask.
func (b *Book) MayAt(ctx context.Context, who person.ID, at Place, moment time.Time) ([]Action, error) {
	var list []Action
	err := b.db.Read(ctx, func(tx *store.Tx) error {
		recorded := recordedAt(moment, tx.Now)
		list = nil
		if exists, err := agency.ExistsAt(ctx, tx, at.Unit, at.Team, recorded); err != nil || !exists {
			return err
		}
		claims, err := b.claimsOf(ctx, tx, who, recorded)
		for _, c := range claims {
			if covers(c.Place, at) && c.allows(moment) {
				list = append(list, c.Do)
			}
		}
		slices.Sort(list)
		list = slices.Compact(list)
		return err
	})
	return list, err
}

// Why explains an answer to a signed-in person: about himself to everyone, about the people of his unit and about those
// who hold or held something in it to its head, about everyone to central administrators and auditors. Anybody else is
// absent. Rights elsewhere that do not help are left out for a reader who does not see them.
func (b *Book) Why(ctx context.Context, by person.ID, q Question) (e Explanation, err error) {
	err = b.db.Read(ctx, func(tx *store.Tx) error {
		sees := func(string) bool { return true }
		if q.Who != by {
			s, err := b.mayAskAbout(ctx, tx, by, q.At.Unit, q.Who)
			if err != nil {
				return err
			}
			sees = s.sees
		}
		e, err = b.explain(ctx, tx, q)
		e.Others = slices.DeleteFunc(e.Others, func(o Other) bool { return !sees(o.At.Unit) })
		return err
	})
	if err != nil {
		return Explanation{}, err
	}
	return e, nil
}

// mayAskAbout fails with NotFound unless the reader may ask what another person may do in a unit.
func (b *Book) mayAskAbout(ctx context.Context, tx *store.Tx, by person.ID, unit string, who person.ID) (Scope, error) {
	absent := problem.New(problem.NotFound, "problem.person_unknown")
	s, err := b.scope(ctx, tx, by)
	if errors.Is(err, problem.Denied) {
		return Scope{}, absent
	}
	if err != nil {
		return Scope{}, err
	}
	if s.All {
		_, err := b.roll.CitizenID(ctx, tx, who)
		return s, err
	}
	known, err := near(ctx, tx, unit, who)
	if err == nil && !known {
		known, err = appointed(ctx, tx, unit, who)
	}
	if err == nil && (!known || !s.sees(unit)) {
		err = absent
	}
	return s, err
}

// appointed reports whether a person was ever proposed for a post in a unit.
func appointed(ctx context.Context, tx *store.Tx, unit string, who person.ID) (bool, error) {
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM appointments WHERE unit = $1 AND person_id = $2`, unit, who).Scan(&n); err != nil {
		return false, fmt.Errorf("find person among appointments: %w", err)
	}
	return n > 0, nil
}

// Sought answers the person behind a citizen ID to who may ask why he may act in a unit or may not. It is recorded, and
// limited as LookUp is; it fails with NotFound for everyone the reader may not ask about, on record all the same.
func (b *Book) Sought(ctx context.Context, by person.ID, unit string, citizen thai.CitizenID) (who person.ID, err error) {
	var absent error
	act := &audit.Act{Name: "person.look_up", Actor: string(by), Unit: unit}
	err = audit.Do(ctx, b.db, act, func(tx *store.Tx) error {
		absent = nil
		if _, err := b.scope(ctx, tx, by); err != nil {
			return err
		}
		if err := takeLook(ctx, tx, by); err != nil {
			return err
		}
		found, known, err := b.roll.Find(ctx, tx, citizen)
		if err != nil {
			return err
		}
		if !known {
			absent = problem.New(problem.NotFound, "problem.person_unknown")
			return nil
		}
		act.Subject = string(found)
		if who = found; who != by {
			_, absent = b.mayAskAbout(ctx, tx, by, unit, who)
		}
		if errors.Is(absent, problem.NotFound) {
			return nil
		}
		return absent
	})
	if err == nil {
		err = absent
	}
	if err != nil {
		return "", err
	}
	return who, nil
}

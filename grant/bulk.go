package grant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/proof"
)

// LongestList is how many persons one act can be about.
const LongestList = 500

// ListOrder is what a head fills in to give one right to many persons (เพิ่มเจ้าหน้าที่หลายคน).
type ListOrder struct {
	Unit        string
	Team        string
	Level       Level
	From        thai.Date // zero: from now
	LastDay     thai.Date // zero: no end
	OrderNumber string
	Note        string
	Citizens    []thai.CitizenID // each once, at most LongestList
	// Known are those whom the giver has looked at and knows as his officers, wherever they are registered.
	Known map[thai.CitizenID]bool
	// Seen is what CheckList answered: the list goes through only as it was looked at.
	Seen string
	// Form names the form the list came from; the same form sent twice is one act.
	Form string
}

// of is the order for one person of the list, under a form that no single order can have.
func (o ListOrder) of(citizen thai.CitizenID) Order {
	known := o.Known[citizen]
	return Order{Unit: o.Unit, Team: o.Team, Level: o.Level, Citizen: citizen, From: o.From, LastDay: o.LastDay,
		OrderNumber: o.OrderNumber, Note: o.Note, Confirmed: known, OtherOffice: known}
}

// ListRow is one person of a list, and what becomes or became of him.
type ListRow struct {
	Citizen thai.CitizenID
	Found   Found // as LookUp shows him; empty for who is not registered
	Outcome Outcome
	Grant   Grant // that the act gave; empty until then
}

// ListResult tells what becomes or became of each person of a list, in its order.
type ListResult struct {
	Rows []ListRow
	// Seen stands for the list as it was looked at; ListOrder takes it back.
	Seen string
}

// listLooks is how many persons outside his unit a head may have looked at by lists: six whole lists at once, and over
// a day no more than by looking them up one by one.
var listLooks = proof.Rate{Burst: 6 * LongestList, Every: lookups.Every}

// CheckList tells a head what would become of each person of a list, and changes nothing; whom he is to say that he
// knows, he is asked about even when he has said so. He is shown of each what LookUp shows. Every person found is recorded as looked up, and whoever is not near the unit counts against a limit:
// past it CheckList fails with Busy and tells nothing. It fails with Denied for who is no head of the unit, and with
// Invalid when the right could be given to nobody.
func (b *Book) CheckList(ctx context.Context, by person.ID, o ListOrder) (ListResult, error) {
	var result ListResult
	o.Known = nil
	act := &audit.Act{Name: "person.look_up_list", Actor: string(by), Unit: o.Unit}
	err := audit.Do(ctx, b.db, act, func(tx *store.Tx) error {
		from, err := b.listGiver(ctx, tx, by, o)
		if err != nil {
			return err
		}
		result = ListResult{Seen: b.seen(by, o), Rows: make([]ListRow, 0, len(o.Citizens))}
		strangers := 0
		for _, citizen := range o.Citizens {
			row, facts, err := b.consider(ctx, tx, from, o.of(citizen))
			if err != nil {
				return err
			}
			if !facts.OwnOffice && !facts.Identified && row.Outcome != OutcomeHas {
				strangers++
			}
			if err := recordLook(ctx, tx, by, o.Unit, row.Found); err != nil {
				return err
			}
			result.Rows = append(result.Rows, row.ListRow)
		}
		act.Detail = map[string]string{"rows": strconv.Itoa(len(o.Citizens))}
		if strangers == 0 {
			return nil
		}
		return takeLooks(ctx, tx, "lookup-list/"+string(by), listLooks, strangers)
	})
	if err != nil {
		return ListResult{}, err
	}
	return result, nil
}

// GiveList gives the right to everyone of a list who can have it, in one act, by the rules of Give; what became of each
// is told. The others are left as they are. The same form sent twice answers what became of it the first time; with
// other contents it is a Conflict, and so is a list that is not the one CheckList answered for.
func (b *Book) GiveList(ctx context.Context, by person.ID, o ListOrder) (ListResult, error) {
	if !formName(o.Form) {
		return ListResult{}, problem.New(problem.Invalid, "problem.form")
	}
	var result ListResult
	act := &audit.Act{Name: "grant.give_list", Actor: string(by), Unit: o.Unit}
	err := audit.Do(ctx, b.turn, act, func(tx *store.Tx) error {
		from, err := b.listGiver(ctx, tx, by, o)
		if err != nil {
			return err
		}
		result = ListResult{Seen: b.seen(by, o), Rows: make([]ListRow, 0, len(o.Citizens))}
		again, err := listOfForm(ctx, tx, o.Form, result.Seen)
		if err != nil {
			return err
		}
		if !again && o.Seen != result.Seen {
			return problem.New(problem.Conflict, "grant.list_changed")
		}
		act.Object = store.NewID()
		given := 0
		for _, citizen := range o.Citizens {
			row, err := b.giveOne(ctx, tx, from, o, citizen, again)
			if err != nil {
				return err
			}
			if row.Grant.ID != "" {
				given++
			}
			result.Rows = append(result.Rows, row)
		}
		if again {
			return errSameForm
		}
		if err := insertList(ctx, tx, act.Object, by, o, result.Seen); err != nil {
			return err
		}
		act.Detail = map[string]string{"level": strconv.FormatInt(int64(o.Level), 10), "rows": strconv.Itoa(len(o.Citizens)), "given": strconv.Itoa(given)}
		if o.Team != "" {
			act.Detail["team"] = o.Team
		}
		b.readBack(ctx, tx)
		return nil
	})
	if err != nil && !errors.Is(err, errSameForm) {
		return ListResult{}, err
	}
	return result, nil
}

// Named is a person who waits in a unit for the word of its head.
type Named struct {
	Person person.ID
	Unit   string
}

// IdentifyMany keeps a head's word on many registered persons in one act: all of the list are confirmed of whom Identify
// would let him say so. The answer is who was not, each with the reason as Identify would give it. It fails with Denied
// for who is head of nothing, and with Invalid for a list without anybody or of more than LongestList.
func (b *Book) IdentifyMany(ctx context.Context, by person.ID, list []Named) (left map[Named]error, err error) {
	act := &audit.Act{Name: "grant.confirm_list", Actor: string(by)}
	err = audit.Do(ctx, b.turn, act, func(tx *store.Tx) error {
		left = map[Named]error{}
		heads, err := b.headOf(ctx, tx, by)
		if err != nil {
			return err
		}
		if len(heads) == 0 {
			return problem.New(problem.Denied, "grant.denied_not_head")
		}
		if len(heads) == 1 {
			act.Unit = heads[0]
		}
		var check problem.Check
		switch n := len(list); {
		case n == 0:
			check.Fail("chosen", "grant.nobody_chosen")
		case n > LongestList:
			check.Fail("chosen", "grant.list_too_long", "n", n, "most", LongestList)
		}
		if check.Failed() {
			return check.Err()
		}
		for _, one := range list {
			why, err := b.identifyOne(ctx, tx, by, one)
			if err != nil {
				return err
			}
			if why != nil {
				left[one] = why
			}
		}
		act.Detail = map[string]string{"rows": strconv.Itoa(len(list)), "confirmed": strconv.Itoa(len(list) - len(left))}
		b.readBack(ctx, tx)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return left, nil
}

// identifyOne confirms one person of a list and records it, or that it was refused. why tells who is not confirmed.
func (b *Book) identifyOne(ctx context.Context, tx *store.Tx, by person.ID, one Named) (why *problem.Problem, err error) {
	act := audit.Act{Name: "grant.confirm", Actor: string(by), Unit: one.Unit, Subject: string(one.Person)}
	switch err := b.identify(ctx, tx, by, one.Person, one.Unit, true, ""); {
	case err == nil:
		return nil, audit.Record(ctx, tx, act)
	case !errors.As(err, &why):
		return nil, err
	case errors.Is(why, problem.Denied):
		return why, audit.Refuse(ctx, tx, act, why)
	}
	return why, nil
}

// listGiver finds by what authority somebody gives rights to a list, and whether its place and period are in order.
// Only a head gives so: what administrators propose, they propose one by one.
func (b *Book) listGiver(ctx context.Context, tx *store.Tx, by person.ID, o ListOrder) (giver, error) {
	from, err := b.giver(ctx, tx, by, Place{o.Unit, o.Team})
	if err == nil && !from.Head {
		err = problem.New(problem.Denied, "grant.denied_not_head")
	}
	if err != nil {
		return giver{}, err
	}
	var check problem.Check
	checkPlace(&check, o.Team, o.Level, from.Unit, from.TeamKnown)
	start, until := period(tx.Now, o.From, o.LastDay)
	checkPeriod(&check, tx.Now, start, until)
	checkTexts(&check, o.OrderNumber, o.Note)
	switch n := len(o.Citizens); {
	case n == 0:
		check.Fail("list", "grant.list_empty")
	case n > LongestList:
		check.Fail("list", "grant.list_too_long", "n", n, "most", LongestList)
	}
	return from, check.Err()
}

// considered is a row with what the act needs to go on with it.
type considered struct {
	ListRow
	order   Order
	account officer.Account
	why     error // it is not given, as Give would say it
}

// consider weighs one person of a list.
func (b *Book) consider(ctx context.Context, tx *store.Tx, from giver, o Order) (considered, giveFacts, error) {
	row := considered{ListRow: ListRow{Citizen: o.Citizen}, order: o}
	subject, known, err := b.roll.Find(ctx, tx, o.Citizen)
	if err != nil {
		return row, giveFacts{}, err
	}
	f, account, err := b.weigh(ctx, tx, from, subject, o)
	if err != nil {
		return row, giveFacts{}, err
	}
	has := false
	if known {
		if has, err = hasRight(ctx, tx, Place{o.Unit, o.Team}, o.Level, subject); err != nil {
			return row, giveFacts{}, err
		}
	}
	if f.Registered {
		if row.Found, err = b.found(ctx, tx, from.By, o.Unit, subject, from.Head); err != nil {
			return row, giveFacts{}, err
		}
	}
	row.account = account
	row.Outcome, row.why = outcomeOf(o, f, has)
	return row, f, nil
}

// giveOne gives the right to one person of a list, if he can have it, and records that, or that he was refused. When
// the form was sent before, it only finds what became of him then.
func (b *Book) giveOne(ctx context.Context, tx *store.Tx, from giver, o ListOrder, citizen thai.CitizenID, again bool) (ListRow, error) {
	order := o.of(citizen)
	order.Form = o.Form + "/" + b.roll.Index(citizen)
	row, facts, err := b.consider(ctx, tx, from, order)
	if err != nil {
		return ListRow{}, err
	}
	if again {
		row.Grant, _, err = findGrantOfForm(ctx, tx, order.Form)
		return row.ListRow, err
	}
	act := audit.Act{Name: "grant.give", Actor: string(from.By), Unit: o.Unit, Subject: string(facts.Subject)}
	switch {
	case row.Outcome.Gives():
		if row.Grant, err = b.carryOut(ctx, tx, from, order, facts, row.account, &act); err != nil {
			return ListRow{}, err
		}
		return row.ListRow, audit.Record(ctx, tx, act)
	case errors.Is(row.why, problem.Denied):
		return row.ListRow, audit.Refuse(ctx, tx, act, row.why)
	}
	return row.ListRow, nil
}

// seen stands for what a head has looked at: who, for which right. Without the key nobody can tell what it was.
func (b *Book) seen(by person.ID, o ListOrder) string {
	var s strings.Builder
	fmt.Fprintln(&s, by, o.Unit, o.Team, o.Level, o.From, o.LastDay)
	for _, citizen := range o.Citizens {
		fmt.Fprintln(&s, citizen.Digits())
	}
	return b.roll.Mark(s.String())
}

// recordLook records that somebody was shown a person of a list.
func recordLook(ctx context.Context, tx *store.Tx, by person.ID, unit string, found Found) error {
	if !found.Registered {
		return nil
	}
	return audit.Record(ctx, tx, audit.Act{Name: "person.look_up", Actor: string(by), Unit: unit, Subject: string(found.Person)})
}

// hasRight reports whether a person has a right, live or yet to begin, in exactly this place.
func hasRight(ctx context.Context, tx *store.Tx, at Place, level Level, who person.ID) (bool, error) {
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM grants WHERE unit = $1 AND team = $2 AND level = $3 AND person_id = $4 AND system = $5
		AND closed_at IS NULL AND (ends_at IS NULL OR ends_at > $6)`, at.Unit, at.Team, level, who, KO1, store.Us(tx.Now)).Scan(&n); err != nil {
		return false, fmt.Errorf("find right: %w", err)
	}
	return n > 0, nil
}

// listOfForm reports whether a form was sent before; with other contents it fails with Conflict.
func listOfForm(ctx context.Context, tx *store.Tx, form, content string) (bool, error) {
	var earlier string
	err := tx.QueryRow(ctx, `SELECT content FROM give_lists WHERE form = $1`, form).Scan(&earlier)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("find list of form: %w", err)
	case earlier != content:
		return false, problem.New(problem.Conflict, "grant.form_used")
	}
	return true, nil
}

func insertList(ctx context.Context, tx *store.Tx, id string, by person.ID, o ListOrder, content string) error {
	if _, err := tx.Exec(ctx, `INSERT INTO give_lists (id, form, content, unit, given_by, given_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		id, o.Form, content, o.Unit, by, store.Us(tx.Now)); err != nil {
		return fmt.Errorf("keep list: %w", err)
	}
	return nil
}

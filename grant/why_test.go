package grant

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sitthi/agency"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// asked is a question without its moment.
type asked struct {
	who person.ID
	do  Action
	at  Place
}

// TestAnswerAt lets random things happen, and writes down after each what the memory answers to every question about
// that moment. The database gives the same answers at once, and when it is asked about those moments later, whatever
// was done since; and about a moment to come it says now what the memory says when it has come and nothing more was
// done.
func TestAnswerAt(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		k.book.lockAfter = 10 * 365 * 24 * time.Hour // nobody signs in here; the table of decisions has the lock
		if err := k.book.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		rounds(t, 30)
		rapid.Check(t, func(r *rapid.T) {
			h := newHistory(k, t, r)
			said := map[time.Time]map[asked]Answer{}
			for range rapid.IntRange(4, 12).Draw(r, "acts") {
				h.step()
				said[k.Clock.Now()] = h.ask()
				h.hold(said)
			}
			now := k.Clock.Now()
			for _, m := range h.later() {
				k.Clock.Set(m)
				said[m] = h.ask()
			}
			k.Clock.Set(now)
			h.hold(said)
			k.Clock.Set(now.Add(time.Hour))
		})
	})
}

// history does random acts, one at a moment.
type history struct {
	k            *kit
	t            *testing.T
	r            *rapid.T
	heads        map[string]person.ID
	ids          []thai.CitizenID
	people       []person.ID // "" until registered
	grants       []Grant
	proposed     []Grant
	appointments []Appointment
	teams        []Place
	turns        []time.Time // moments at which something begins or ends by itself
	told         []string
}

func newHistory(k *kit, t *testing.T, r *rapid.T) *history {
	h := &history{k: k, t: t, r: r, heads: map[string]person.ID{"TH-12": k.chief12, "TH-13": k.chief13, "IWM": k.iwm}}
	for range 3 {
		h.ids = append(h.ids, k.citizen(t))
	}
	h.people = make([]person.ID, len(h.ids))
	return h
}

// places are those that questions are asked about; the history adds IWM/G9… to them.
func (h *history) places() []Place {
	return append([]Place{{"TH-12", ""}, {"TH-13", ""}, {"IWM", ""}, {"IWM", "G1"}, {"IWM", "G2"}, {"DIW", ""}, {"TH-99", ""}, {"", ""}}, h.teams...)
}

// known lists those whom the history has made known, and the head of TH-12, for whom rights are proposed.
func (h *history) known() []person.ID {
	list := []person.ID{h.heads["TH-12"]}
	h.k.read(h.t, func(tx *store.Tx) error {
		for _, id := range h.ids {
			who, ok, err := h.k.roll.Find(h.t.Context(), tx, id)
			if err != nil {
				return err
			}
			if ok {
				list = append(list, who)
			}
		}
		return nil
	})
	return list
}

// ask writes down what the memory answers now.
func (h *history) ask() map[asked]Answer {
	said := map[asked]Answer{}
	for _, who := range h.known() {
		for _, at := range h.places() {
			for _, do := range actions {
				said[asked{who, do, at}] = h.k.book.Answer(who, do, at)
			}
		}
	}
	return said
}

// hold compares what was said with what the database answers now: the rule itself for every question, and the
// functions for other programs for some of them. Nobody who was not known then could do anything.
func (h *history) hold(said map[time.Time]map[asked]Answer) {
	ctx, k := h.t.Context(), h.k
	for moment, then := range said {
		who := rapid.SampledFrom(h.known()).Draw(h.r, "whom to ask about")
		at := rapid.SampledFrom(h.places()).Draw(h.r, "where to ask about")
		may, err := k.book.MayAt(ctx, who, at, moment)
		if err != nil {
			h.r.Fatal(err)
		}
		for _, do := range actions {
			want := then[asked{who, do, at}]
			q := Question{who, do, at, moment}
			got, err := k.book.AnswerAt(ctx, q)
			if err != nil {
				h.r.Fatal(err)
			}
			if got.Allowed != want.Allowed || slices.Contains(may, do) != want.Allowed {
				h.r.Fatalf("at %s, asked at %s: may %s do %d in %v: memory said %+v, the database %+v, and of all he may do %v\n%s", moment, k.Clock.Now(), who, do, at, want, got, may, h)
			}
			all, err := k.book.WhoAt(ctx, do, at, moment, "", 1000)
			if err != nil {
				h.r.Fatal(err)
			}
			where, err := k.book.WhereAt(ctx, who, do, moment)
			if err != nil {
				h.r.Fatal(err)
			}
			if slices.Contains(all, who) != want.Allowed || slices.Contains(where, at) != want.Allowed {
				h.r.Fatalf("at %s, asked at %s: may %s do %d in %v: memory said %+v; those who may are %v, and he may in %v\n%s", moment, k.Clock.Now(), who, do, at, want, all, where, h)
			}
			why, err := k.book.Explain(ctx, q)
			if got.Reason == UnknownPlace {
				continue
			}
			if err != nil || why.Answer != got || why.Allowed != !slices.ContainsFunc(why.Conditions, func(c Condition) bool { return c.Met != Yes }) {
				h.r.Fatalf("the answer %+v is explained by %+v, %v", got, why, err)
			}
		}
		k.read(h.t, func(tx *store.Tx) error {
			recorded := recordedAt(moment, tx.Now)
			for _, who := range h.known() {
				account, err := k.book.accountAt(ctx, tx, who, recorded)
				if err != nil {
					return err
				}
				claims, err := k.book.claimsOf(ctx, tx, who, recorded)
				if err != nil {
					return err
				}
				for _, at := range h.places() {
					place, err := agency.ExistsAt(ctx, tx, at.Unit, at.Team, recorded)
					if err != nil {
						return err
					}
					for _, do := range actions {
						want := then[asked{who, do, at}]
						if got := judge(Question{who, do, at, moment}, place, account, claims); got.Allowed != want.Allowed {
							return fmt.Errorf("at %s, asked at %s: may %s do %d in %v: memory said %+v, the database %+v\n%s", moment, tx.Now, who, do, at, want, got.Answer, h)
						}
					}
				}
			}
			return nil
		})
	}
}

// later lists the moments to come at which something begins or ends by itself, with those just before.
func (h *history) later() []time.Time {
	now := h.k.Clock.Now()
	list := []time.Time{now.AddDate(0, 0, 400)}
	for _, m := range h.turns {
		for _, m := range []time.Time{m.Add(-time.Microsecond), m} {
			if m.After(now) {
				list = append(list, m)
			}
		}
	}
	slices.SortFunc(list, time.Time.Compare)
	return slices.CompactFunc(list, time.Time.Equal)
}

// String tells what was done.
func (h *history) String() string { return strings.Join(h.told, "\n") }

// step lets time pass and something be done. Whether an act is allowed is not the question here: a refused one changes
// nothing.
func (h *history) step() {
	ctx, k, r := h.t.Context(), h.k, h.r
	k.Clock.Advance(rapid.SampledFrom([]time.Duration{time.Microsecond, time.Minute, 5 * time.Hour, 26 * time.Hour}).Draw(r, "pause"))
	day := func(label string) thai.Date {
		n := rapid.IntRange(-1, 3).Draw(r, label)
		if n < 0 {
			return thai.Date{}
		}
		return thai.DateOf(k.Clock.Now()).AddDays(n)
	}
	one := func() person.ID { return rapid.SampledFrom(h.people).Draw(r, "who") }
	turn := func(g Grant) { h.turns = append(h.turns, g.From, g.Until) }
	var err error
	name := rapid.SampledFrom([]string{"give", "give", "give", "register", "register", "identify", "identify", "revoke", "change", "change", "propose", "confirm", "confirm",
		"end post", "propose for head", "second", "switch", "team"}).Draw(r, "act")
	switch name {
	case "give":
		at := rapid.SampledFrom([]Place{{"TH-12", ""}, {"TH-13", ""}, {"IWM", ""}, {"IWM", "G1"}, {"IWM", "G2"}}).Draw(r, "place")
		o := to("", at.Unit, rapid.SampledFrom([]Level{Consider, Review, Approve}).Draw(r, "level"))
		o.Team, o.Citizen, o.From, o.LastDay = at.Team, rapid.SampledFrom(h.ids).Draw(r, "whom"), day("from"), day("last day")
		var g Grant
		if g, err = k.book.Give(ctx, h.heads[at.Unit], o); err == nil {
			h.grants = append(h.grants, g)
			turn(g)
		}
	case "register":
		if i := rapid.IntRange(0, len(h.ids)-1).Draw(r, "who"); h.people[i] == "" {
			h.people[i] = k.register(h.t, h.ids[i], officer.Account{Unit: rapid.SampledFrom([]string{"TH-12", "IWM"}).Draw(r, "unit")})
		}
	case "identify":
		unit := rapid.SampledFrom([]string{"TH-12", "TH-13", "IWM"}).Draw(r, "unit")
		err = k.book.Identify(ctx, h.heads[unit], one(), unit, rapid.Bool().Draw(r, "yes"), "x")
	case "revoke":
		if len(h.grants) > 0 {
			g := rapid.SampledFrom(h.grants).Draw(r, "grant")
			_, err = k.book.Revoke(ctx, h.heads[g.Unit], g.ID, Ending{Reason: "x", LeavesNone: true})
		}
	case "change":
		if len(h.grants) > 0 {
			g := rapid.SampledFrom(h.grants).Draw(r, "grant")
			if g, err = k.book.Change(ctx, h.heads[g.Unit], g.ID, k.see(h.t, g.ID).Version, Change{LastDay: day("last day")}); err == nil {
				turn(g)
			}
		}
	case "propose":
		o := AppointmentOrder{Post: rapid.SampledFrom([]Post{Head, Auditor}).Draw(r, "post"), Kind: Acting, Unit: "TH-13", Person: one(), OrderNumber: "1", From: day("from"), LastDay: day("last day")}
		var a Appointment
		if a, err = k.book.Propose(ctx, k.admins[0], o); err == nil {
			h.appointments = append(h.appointments, a)
			h.turns = append(h.turns, a.From, a.Until)
		}
	case "confirm":
		if len(h.appointments) > 0 {
			a := rapid.SampledFrom(h.appointments).Draw(r, "appointment")
			if rapid.IntRange(0, 3).Draw(r, "decline") == 0 {
				_, err = k.book.DeclineAppointment(ctx, k.admins[1], a.ID, "x")
			} else {
				_, err = k.book.ConfirmAppointment(ctx, k.admins[1], a.ID)
			}
		}
	case "end post":
		if len(h.appointments) > 0 {
			_, err = k.book.EndAppointment(ctx, k.admins[0], rapid.SampledFrom(h.appointments).Draw(r, "appointment").ID, Ending{Reason: "x", LeavesNone: true})
		}
	case "propose for head":
		o := to(h.heads["TH-12"], "TH-12", rapid.SampledFrom([]Level{Consider, Approve}).Draw(r, "level"))
		o.LastDay = day("last day")
		var g Grant
		if g, err = k.book.Give(ctx, k.admins[0], o); err == nil {
			h.grants, h.proposed = append(h.grants, g), append(h.proposed, g)
			turn(g)
		}
	case "second":
		if len(h.proposed) > 0 {
			_, err = k.book.Second(ctx, k.admins[1], rapid.SampledFrom(h.proposed).Draw(r, "grant").ID, rapid.Bool().Draw(r, "yes"), "x")
		}
	case "switch":
		if who := one(); who != "" {
			k.switchAccount(h.t, who, rapid.SampledFrom([]officer.State{officer.Active, officer.Disabled}).Draw(r, "state"))
		}
	case "team":
		var team agency.Team
		if team, err = k.desk.AddTeam(ctx, string(k.admins[0]), "IWM", "", locale.Name{TH: "กลุ่มใหม่ " + k.Clock.Now().String(), EN: "New group " + k.Clock.Now().String()}); err == nil {
			h.teams = append(h.teams, Place{"IWM", team.Code})
			err = k.book.CatchUp(ctx)
		}
	}
	h.told = append(h.told, fmt.Sprintf("%s %s %v", k.Clock.Now(), name, err))
	refusal(h.t, err)
}

// switchAccount switches an account off or on, as an act for it will: with the rights of its holder moved.
func (k *kit) switchAccount(t testing.TB, who person.ID, state officer.State) {
	t.Helper()
	k.write(t, func(tx *store.Tx) error {
		if _, err := tx.Exec(t.Context(), `UPDATE accounts SET state = $1 WHERE person_id = $2`, state, who); err != nil {
			return err
		}
		return k.book.Moved(t.Context(), tx, who)
	})
}

// TestWhyNow asks without a moment: the answer is about the present, neither past nor future, however long it took.
func TestWhyNow(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		who := k.officer(t, "TH-12")
		k.give(t, k.chief12, to(who, "TH-12", Consider))
		q := Question{Who: who, Do: DoConsider, At: Place{Unit: "TH-12"}}
		e, err := k.book.Why(t.Context(), who, q)
		if err != nil || !e.Allowed || e.Past() || e.Future() || !e.Moment.Equal(k.Clock.Now()) {
			t.Errorf("explained %v of %s, past %v, future %v, %v", e.Allowed, e.Moment, e.Past(), e.Future(), err)
		}
		if a, err := k.book.AnswerAt(t.Context(), q); err != nil || !a.Allowed {
			t.Errorf("answered %v, %v", a, err)
		}
	})
}

// TestWhyScope holds what is explained to those who may see it.
func TestWhyScope(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		who := k.officer(t, "TH-12")
		k.give(t, k.chief12, to(who, "TH-12", Consider))
		k.give(t, k.chief13, to(who, "TH-13", Approve))
		stranger := k.officer(t, "TH-13")
		here := func(who person.ID) Question {
			return Question{Who: who, Do: DoReview, At: Place{Unit: "TH-12"}, Moment: k.Clock.Now()}
		}
		for name, c := range map[string]struct {
			by     person.ID
			q      Question
			others int // -1: absent
		}{
			"himself":                   {who, here(who), 2},
			"his head":                  {k.chief12, here(who), 1},
			"another head":              {k.chief13, here(who), -1},
			"an administrator":          {k.admins[0], here(who), 2},
			"the auditor":               {k.auditor, here(who), 2},
			"a colleague":               {stranger, here(who), -1},
			"a head of a stranger":      {k.chief12, here(stranger), -1},
			"a head of his fellow head": {k.chief12, here(k.chief13), -1},
			"a head of nobody":          {k.chief12, here(person.ID(store.NewID())), -1},
			"an administrator, nobody":  {k.admins[0], here(person.ID(store.NewID())), -1},
			"of himself elsewhere":      {stranger, here(stranger), 0},
			"a head of himself":         {k.chief12, here(k.chief12), 1},
		} {
			e, err := k.book.Why(ctx, c.by, c.q)
			if c.others < 0 {
				checkProblem(t, err, problem.NotFound, "problem.person_unknown")
				continue
			}
			if err != nil || len(e.Others) != c.others {
				t.Errorf("%s: %v, %+v", name, err, e.Others)
			}
		}
		if _, err := k.book.Why(ctx, k.admins[0], Question{Who: who, Do: DoReview, At: Place{Unit: "TH-99"}, Moment: k.Clock.Now()}); !errors.Is(err, problem.NotFound) {
			t.Errorf("a place that is not there: %v", err)
		}

		// By citizen ID: found, foreign and unheard of are all looks on record, and there are only so many.
		id := func(who person.ID) thai.CitizenID { return k.byID(t, Order{Person: who}).Citizen }
		if found, err := k.book.Sought(ctx, k.chief12, "TH-12", id(who)); err != nil || found != who {
			t.Errorf("%s, %v", found, err)
		}
		for _, unknown := range []thai.CitizenID{id(stranger), k.citizen(t)} {
			_, err := k.book.Sought(ctx, k.chief12, "TH-12", unknown)
			checkProblem(t, err, problem.NotFound, "problem.person_unknown")
		}
		if n := k.count(t, `SELECT count(*) FROM audit_entries WHERE act = 'person.look_up' AND actor = $1`, k.chief12); n != 3 {
			t.Errorf("%d looks are recorded", n)
		}
		_, err := k.book.Sought(ctx, who, "TH-12", id(stranger))
		k.refused(t, err, problem.Denied, "grant.denied_not_reader", who)
		for range 27 {
			if _, err := k.book.Sought(ctx, k.chief12, "TH-12", id(who)); err != nil {
				t.Fatal(err)
			}
		}
		_, err = k.book.Sought(ctx, k.chief12, "TH-12", id(who))
		checkProblem(t, err, problem.Busy, "grant.too_many_lookups")

		// The list of a day is its unit's, its head's and the centre's.
		for by, want := range map[person.ID]error{k.chief12: nil, k.auditor: nil, k.chief13: problem.NotFound, who: problem.Denied} {
			list, err := k.book.AsOf(ctx, by, "TH-12", today)
			if !errors.Is(err, want) || err == nil && (len(list.Rights) != 1 || len(list.Heads) != 1 || list.Rights[0].Masked != (by == k.auditor)) {
				t.Errorf("%v, %+v", err, list)
			}
		}
	})
}

// An account that was off before switches were kept is not guessed about.
func TestSwitchNobodyRecorded(t *testing.T) {
	k := open(t, storetest.SQLite(t))
	who := k.officer(t, "TH-12")
	k.give(t, k.chief12, to(who, "TH-12", Consider))
	before := k.Clock.Now()
	k.Clock.Advance(time.Hour)
	k.write(t, func(tx *store.Tx) error { // as the migration does
		if _, err := tx.Exec(t.Context(), `UPDATE accounts SET state = 'disabled' WHERE person_id = $1`, who); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), `INSERT INTO account_states (person_id, version, state, at) VALUES ($1, 0, 'disabled', $2)`, who, store.Us(tx.Now))
		return err
	})
	since := k.Clock.Now()
	k.Clock.Advance(time.Hour)
	for moment, want := range map[time.Time]Reason{before: AccountUnknown, since: AccountOff, k.Clock.Now(): AccountOff} {
		if a, err := k.book.AnswerAt(t.Context(), Question{who, DoConsider, Place{Unit: "TH-12"}, moment}); err != nil || a.Allowed || a.Reason != want {
			t.Errorf("%s: %+v, %v; want %s", moment, a, err, want)
		}
	}
}

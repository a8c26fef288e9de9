package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/person"
)

// deed is a grant of the demonstration with what is kept beside it.
type deed struct {
	grant.Grant
	appointment string
	form        string
	secondedBy  person.ID
	secondedAt  time.Time
	confirms    bool      // giving it confirmed who the person is
	refuses     bool      // ending it refused the person
	before      time.Time // its end before it was changed; zero when it never was
	changedAt   time.Time
}

// ledger makes the appointments and rights of the demonstration up.
type ledger struct {
	random       *rand.Rand
	today        thai.Date
	ids          map[string]person.ID // of the fixed accounts, by citizen ID
	places       []*workplace
	heads        map[string]string // appointment of the head by unit
	appointments []*grant.Appointment
	deeds        []*deed
	live         map[string]bool // scopes that are taken
	room         int             // for so many more grants in the place at hand
}

func (l *ledger) between(low, high int) int { return low + l.random.IntN(high-low+1) }

func (l *ledger) day(days int) time.Time { return l.today.AddDays(days).StartOfDay().UTC() }

// ago is a moment in the office hours of an earlier day.
func (l *ledger) ago(days int) time.Time {
	return l.day(-days).Add(510*time.Minute + time.Duration(l.random.IntN(480*60))*time.Second)
}

// demoOrder writes the number of an official order (เลขที่คำสั่ง) with its Buddhist year: 12/2569.
func demoOrder(number int, at time.Time) string {
	return fmt.Sprintf("%d/%d", number, thai.DateOf(at).Year+543)
}

// order makes an order number of the time up.
func (l *ledger) order(at time.Time) string {
	return demoOrder(l.between(1, 480), at)
}

// appoint makes an appointment from a day on, which two administrators made hold.
func (l *ledger) appoint(who person.ID, citizen, unit string, post grant.Post, kind grant.AppointmentKind, from int) *grant.Appointment {
	a := demoAppointment(l.ids, who, citizen, unit, post)
	a.Kind = kind
	a.From, a.ProposedAt = l.day(-from), l.ago(max(from, 0)+2)
	a.ConfirmedAt = a.ProposedAt.Add(26 * time.Hour)
	a.OrderNumber = l.order(a.From)
	l.appointments = append(l.appointments, &a)
	return &a
}

// appointAll gives every unit its head, and some an acting deputy (รักษาราชการแทน) in one of the states there are.
func (l *ledger) appointAll() {
	for _, a := range demoAccounts {
		if a.post != "" {
			made := l.appoint(l.ids[a.citizen], a.citizen, a.postUnit, a.post, grant.Regular, 520)
			if a.post == grant.Head {
				l.heads[a.postUnit] = made.ID
			}
		}
	}
	acting := 0
	for i, w := range l.places {
		if _, ok := l.heads[w.Code]; ok {
			continue // the head is a fixed account
		}
		head := l.appoint(w.head.id, w.head.citizen, w.Code, grant.Head, grant.Regular, l.between(480, 900))
		l.heads[w.Code] = head.ID
		if w.vacant {
			head.ClosedBy, head.ClosedAt = string(l.ids[firstAdministrator]), l.ago(60)
			head.Closing, head.CloseReason = "ended", "เกษียณอายุราชการ"
			head.Version++
		}
		if w.Kind != agency.Province || i%6 != 1 && !w.vacant {
			continue
		}
		from, days := [...]int{12, -7, -5, 40}[acting%4], [...]int{30, 15, 10, 30}[acting%4]
		if w.vacant {
			from, days = -5, 30
		}
		a := l.appoint(w.staff[0].id, w.staff[0].citizen, w.Code, grant.Head, grant.Acting, from)
		a.Until = l.day(days - from)
		a.Note = "ระหว่างหัวหน้าหน่วยงานไปราชการ"
		if a.ProposedBy = string(w.head.id); w.vacant {
			a.ProposedBy, a.Note = string(l.ids[firstAdministrator]), "ระหว่างรอแต่งตั้งผู้ดำรงตำแหน่ง"
		}
		if w.vacant || acting%4 == 2 { // waits for an administrator
			a.ConfirmedBy, a.ConfirmedAt = "", time.Time{}
		}
		if !w.vacant {
			acting++
		}
	}
}

// gap is how long nobody has given a right in a place any more.
func (w *workplace) gap() int {
	if w.vacant {
		return 60
	}
	return 0
}

// scope is what only one live grant may stand in.
func (d *deed) scope() string { return fmt.Sprint(d.Unit, "/", d.Team, "/", d.Level, "/", d.Person) }

// give gives a right by the head of the place. It answers nil where the scope is taken or the place has enough.
func (l *ledger) give(w *workplace, f *figure, level grant.Level, team string, daysAgo int) *deed {
	d := l.draft(w, f, level, team, daysAgo)
	if l.room == 0 || l.live[d.scope()] {
		return nil
	}
	l.live[d.scope()] = true
	l.keep(d)
	return d
}

func (l *ledger) keep(d *deed) {
	l.deeds = append(l.deeds, d)
	l.room--
}

// draft makes a grant by the head of the place, in the days when there was one.
func (l *ledger) draft(w *workplace, f *figure, level grant.Level, team string, daysAgo int) *deed {
	d := &deed{appointment: l.heads[w.Code], confirms: true, Grant: grant.Grant{
		ID: store.NewID(), Unit: w.Code, Team: team, Level: level, Person: f.id, GivenBy: w.head.id, GivenAt: l.ago(daysAgo + w.gap()),
		OtherOffice: f.account.Unit != "" && f.account.Unit != w.Code, Version: 1,
	}}
	d.From = d.GivenAt
	if l.random.IntN(3) == 0 {
		d.OrderNumber = l.order(d.GivenAt)
	}
	if l.random.IntN(12) == 0 {
		d.Note = demoNotes[l.random.IntN(len(demoNotes))]
	}
	return d
}

// What people write, for the demonstration.
var (
	demoNotes = []string{"รับผิดชอบเขตอำเภอเมือง", "ช่วยราชการ", "ปฏิบัติหน้าที่แทนผู้ลาศึกษาต่อ", "ตามคำสั่งมอบหมายงานประจำปี"}
	demoEnds  = []string{"ย้ายไปปฏิบัติราชการที่อื่น", "เปลี่ยนหน้าที่รับผิดชอบ", "ลาออกจากราชการ", "เกษียณอายุราชการ", "บันทึกผิดพลาด"}
)

// end closes a grant, which makes room for another in its scope.
func (l *ledger) end(d *deed, by string, at time.Time, how grant.Closing, reason string) {
	d.ClosedBy, d.ClosedAt, d.Closing, d.CloseReason = by, at, how, reason
	d.Version++
	delete(l.live, d.scope())
}

// current gives a right as most are: in force, some with an end, some about to end or to begin, some over.
func (l *ledger) current(w *workplace, f *figure, level grant.Level, team string) {
	switch l.random.IntN(20) {
	case 0: // about to end
		if d := l.give(w, f, level, team, l.between(40, 380)); d != nil {
			d.Until = l.day(l.between(4, 27))
		}
	case 1: // has yet to begin
		if d := l.give(w, f, level, team, l.between(1, 20)); d != nil {
			d.From = l.day(l.between(5, 60))
			d.Until = d.From.AddDate(1, 0, 0)
		}
	case 2: // over, and nobody has renewed it
		if d := l.give(w, f, level, team, l.between(160, 330)); d != nil {
			d.Until = l.day(-l.between(0, 90))
		}
	case 3, 4: // over, and given anew
		if l.room < 2 {
			return
		}
		again := l.between(5, 120)
		if d := l.give(w, f, level, team, again+l.between(100, 260)); d != nil {
			next := l.draft(w, f, level, team, again)
			d.Until = thai.DateOf(next.GivenAt).AddDays(-1).StartOfDay().UTC()
			l.end(d, audit.System, next.GivenAt, grant.Expired, "")
			l.live[next.scope()] = true
			l.keep(next)
		}
	case 5, 6: // prolonged in place
		if d := l.give(w, f, level, team, l.between(150, 380)); d != nil {
			d.before, d.Until = l.day(-l.between(2, 60)-w.gap()), l.day(l.between(60, 400))
			d.changedAt = d.before.Add(-l.pause())
			d.Version++
		}
	case 7, 8, 9, 10, 11: // with an end that is far
		if d := l.give(w, f, level, team, l.between(10, 390)); d != nil {
			d.Until = l.day(l.between(60, 700))
		}
	default:
		l.give(w, f, level, team, l.between(10, 390))
	}
}

// pause is a while in which an office gets round to something: hours or days.
func (l *ledger) pause() time.Duration { return time.Duration(l.between(20, 60*24)) * time.Hour / 10 }

// unit gives the rights of one place until it has its share.
func (l *ledger) unit(w *workplace, neighbour *workplace, index int) {
	l.fixed(w)
	approvers := !slices.Contains(demoNoApprover, w.Code)
	if _, fixed := demoHead(w.Code); !fixed && !w.vacant && approvers {
		l.forHead(w, index%4 == 0)
	}
	for i, f := range w.staff {
		if f.newcomer {
			l.newcomer(w, f, index+i)
			continue
		}
		if approvers && i < min(6, seniors(len(w.staff))) {
			l.current(w, f, grant.Approve, "")
		}
		if i < len(w.teams) {
			l.current(w, f, grant.Review, w.teams[i].Code)
		}
		if i%8 == 7 {
			continue // has an account and no right
		}
		team := ""
		if len(w.teams) > 0 && i%5 != 0 {
			team = w.teams[i%len(w.teams)].Code
		}
		l.current(w, f, grant.Consider, team)
	}
	for i, f := range w.unregistered {
		level := grant.Consider
		if i%4 == 3 && approvers {
			level = grant.Approve
		}
		if d := l.give(w, f, level, "", l.between(1, 25)); d != nil {
			d.confirms = false
		}
	}
	for _, f := range neighbour.staff[:3] { // somebody lent by another office
		l.give(w, f, grant.Consider, "", l.between(10, 200))
	}
	for i := 0; l.room > 0; i++ { // and what was ended over the years
		f := w.staff[i%len(w.staff)]
		if f.newcomer {
			continue
		}
		level := grant.Consider
		if i%5 == 4 {
			level = grant.Approve
		}
		closed := l.between(2, 80)
		d := l.draft(w, f, level, "", closed+l.between(1, 250))
		l.keep(d)
		l.end(d, string(w.head.id), l.ago(closed+w.gap()), grant.Revoked, demoEnds[l.random.IntN(len(demoEnds))])
	}
}

// fixed gives the rights of the fixed accounts in the place.
func (l *ledger) fixed(w *workplace) {
	for _, a := range demoAccounts {
		if a.right == nil || a.right.unit != w.Code {
			continue
		}
		f := &figure{id: l.ids[a.citizen], citizen: a.citizen}
		f.account.Unit = a.unit
		if d := l.give(w, f, a.right.level, a.right.team, 200); d != nil {
			d.confirms = a.registered()
		}
	}
}

// forHead gives the head a right of his own, which two administrators have to give; in some places the second has yet
// to confirm it.
func (l *ledger) forHead(w *workplace, awaits bool) {
	d := l.give(w, w.head, grant.Approve, "", l.between(200, 380))
	if d == nil {
		return
	}
	d.GivenBy, d.appointment = l.ids[firstAdministrator], ""
	if awaits {
		d.GivenAt = l.ago(l.between(1, 6))
		d.From, d.AwaitsSecond, d.confirms = d.GivenAt, true, false
		return
	}
	d.secondedBy, d.secondedAt = l.ids[secondAdministrator], d.GivenAt.Add(l.pause())
	d.Version++
}

// newcomer names somebody who has registered since and whom the head has yet to confirm, or has refused.
func (l *ledger) newcomer(w *workplace, f *figure, index int) {
	d := l.give(w, f, grant.Consider, "", l.between(3, 14))
	if d == nil {
		return
	}
	d.confirms = false
	if index%9 == 0 && !w.vacant {
		d.refuses = true
		l.end(d, string(w.head.id), f.account.RegisteredAt.Add(time.Hour), grant.Refused, "ไม่ใช่เจ้าหน้าที่ในสังกัด")
	}
}

// demoMutual are pairs of units whose heads gave each other a right.
var demoMutual = [][2]string{{"TH-11", "TH-24"}, {"TH-73", "TH-74"}, {"TH-50", "TH-51"}, {"TH-80", "TH-84"}, {"TH-40", "TH-41"}}

// mutual gives the head of each of a pair a right in the other's place.
func (l *ledger) mutual(w *workplace) {
	for _, pair := range demoMutual {
		i := slices.Index(pair[:], w.Code)
		if i < 0 {
			continue
		}
		other := l.places[slices.IndexFunc(l.places, func(o *workplace) bool { return o.Code == pair[1-i] })]
		if d := l.give(w, other.head, grant.Consider, "", l.between(20, 90)); d != nil {
			d.Mutual = true
		}
	}
}

// rights gives all rights and numbers them in the order in which they were given.
func (l *ledger) rights() {
	var considering []*workplace
	var weights []int
	for _, w := range l.places {
		if w.Considers {
			considering = append(considering, w)
			weights = append(weights, demoSize(w.Unit))
		}
	}
	for i, n := range shares(demoGrants, weights) {
		l.room = n
		l.mutual(considering[i])
		l.unit(considering[i], considering[(i+1)%len(considering)], i)
	}
	slices.SortStableFunc(l.deeds, func(a, b *deed) int { return a.GivenAt.Compare(b.GivenAt) })
	for i, d := range l.deeds {
		d.Number = int64(i + 1)
		d.form = "demo-" + strconv.Itoa(i+1)
	}
}

// fill brings in all that is not in the list of fixed accounts, and what those hold from the beginning.
func fill(ctx context.Context, h *house, tx *store.Tx, hash string, ids map[string]person.ID) error {
	if err := addTeams(ctx, tx); err != nil {
		return err
	}
	places, err := workplaces(ctx, tx, ids)
	if err != nil {
		return err
	}
	today := thai.DateOf(tx.Now)
	c, err := newCrowd(today)
	if err != nil {
		return err
	}
	c.people(places)
	if err := register(ctx, h, tx, places, hash); err != nil {
		return err
	}
	l := &ledger{random: rand.New(rand.NewPCG(2566, 5)), today: today, ids: ids, places: places, heads: map[string]string{}, live: map[string]bool{}}
	l.appointAll()
	l.rights()
	if err := l.write(ctx, tx); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Act{Name: "demo.seed", Actor: audit.System, Detail: counts(map[string]int{
		"officers": demoOfficers, "units": len(places), "appointments": len(l.appointments), "grants": len(l.deeds),
	})})
}

// workplaces lists the units in the order of their codes, with the groups and the heads that are fixed accounts.
func workplaces(ctx context.Context, tx *store.Tx, ids map[string]person.ID) ([]*workplace, error) {
	units, err := agency.Units(ctx, tx)
	if err != nil {
		return nil, err
	}
	teams, err := agency.AllTeams(ctx, tx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(units, func(a, b agency.Unit) int { return cmp.Compare(a.Code, b.Code) })
	slices.SortFunc(teams, func(a, b agency.Team) int { return strings.Compare(a.Unit+a.Code, b.Unit+b.Code) })
	var places []*workplace
	for _, u := range units {
		w := &workplace{Unit: u}
		for _, t := range teams {
			if t.Unit == u.Code {
				w.teams = append(w.teams, t)
			}
		}
		if a, ok := demoHead(u.Code); ok {
			w.head = &figure{id: ids[a.citizen], citizen: a.citizen}
		}
		places = append(places, w)
	}
	return places, nil
}

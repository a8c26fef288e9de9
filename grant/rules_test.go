package grant

import (
	"errors"
	"testing"
	"time"

	"sitthi/internal/problem"
	"sitthi/person"
)

var noon = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)

// province and division are units as the rules see them.
var (
	province = unitFacts{Active: true, Considers: true}
	division = unitFacts{Active: true, Considers: true, Division: true, UsesReview: true}
)

func TestMayGive(t *testing.T) {
	const chief, officer, other = person.ID("chief"), person.ID("officer"), person.ID("other")
	good := giveFacts{By: chief, Now: noon, Unit: province, Head: true, Subject: officer, Registered: true, OwnOffice: true, Identified: true, From: noon}
	order := Order{Unit: "TH-12", Level: Consider}
	with := func(o Order, f giveFacts, change func(*Order, *giveFacts)) (Order, giveFacts) {
		change(&o, &f)
		return o, f
	}
	for _, c := range []struct {
		name   string
		change func(o *Order, f *giveFacts)
		kind   error
		key    string // of the problem, or of its one field
	}{
		{"chief to his officer", func(o *Order, f *giveFacts) {}, nil, ""},
		{"who is no head", func(o *Order, f *giveFacts) { f.Head = false }, problem.Denied, "grant.denied_not_head"},
		{"administrator who is no head", func(o *Order, f *giveFacts) { f.Head, f.Centre = false, true }, problem.Denied, "grant.denied_not_head"},
		{"to himself", func(o *Order, f *giveFacts) { f.Subject = chief }, problem.Denied, "grant.denied_self"},
		{"to himself as administrator", func(o *Order, f *giveFacts) { f.Subject, f.Centre, f.SubjectHead = chief, true, true }, problem.Denied, "grant.denied_self"},
		{"deputy to the chief", func(o *Order, f *giveFacts) { f.Subject, f.SubjectHead = other, true }, problem.Denied, "grant.denied_for_head"},
		{"administrator proposes for a head", func(o *Order, f *giveFacts) { f.Head, f.Centre, f.Subject, f.SubjectHead = false, true, other, true }, nil, ""},
		{"to nobody registered", func(o *Order, f *giveFacts) { f.Registered, f.OwnOffice, f.Identified = false, false, false }, nil, ""},
		{"not yet identified", func(o *Order, f *giveFacts) { f.Identified = false }, problem.Invalid, "grant.confirm_identity"},
		{"identified with this order", func(o *Order, f *giveFacts) { f.Identified, o.Confirmed = false, true }, nil, ""},
		{"of another office", func(o *Order, f *giveFacts) { f.OwnOffice = false }, problem.Invalid, "grant.confirm_other_office"},
		{"of another office on purpose", func(o *Order, f *giveFacts) { f.OwnOffice, o.OtherOffice = false, true }, nil, ""},
		{"account switched off", func(o *Order, f *giveFacts) { f.Disabled = true }, problem.Invalid, "grant.account_disabled"},
		{"unit that gives no rights", func(o *Order, f *giveFacts) { f.Unit.Considers = false }, problem.Invalid, "grant.unit_without_rights"},
		{"group in a province", func(o *Order, f *giveFacts) { o.Team = "G1" }, problem.Invalid, "grant.team_not_here"},
		{"unknown group", func(o *Order, f *giveFacts) { f.Unit, o.Team = division, "G9" }, problem.Invalid, "grant.team_unknown"},
		{"group of the division", func(o *Order, f *giveFacts) { f.Unit, o.Team, f.TeamKnown = division, "G1", true }, nil, ""},
		{"level 2 in a province", func(o *Order, f *giveFacts) { o.Level = Review }, problem.Invalid, "grant.level_not_used"},
		{"level 2 in a division", func(o *Order, f *giveFacts) { f.Unit, o.Level = division, Review }, nil, ""},
		{"level 4", func(o *Order, f *giveFacts) { o.Level = 4 }, problem.Invalid, "grant.level_unknown"},
		{"ended yesterday", func(o *Order, f *giveFacts) { f.Until = noon.Add(-24 * time.Hour) }, problem.Invalid, "grant.end_is_past"},
		{"ends before it begins", func(o *Order, f *giveFacts) { f.From, f.Until = noon.AddDate(0, 0, 9), noon.AddDate(0, 0, 5) }, problem.Invalid, "grant.end_before_start"},
		{"ends in ninety years", func(o *Order, f *giveFacts) { f.Until = noon.AddDate(90, 0, 0) }, problem.Invalid, "grant.date_too_far"},
		{"a citizen ID in the note", func(o *Order, f *giveFacts) { o.Note = "แทน 3-9900-00000-10-4" }, problem.Invalid, "problem.holds_citizen"},
		{"a citizen ID in the order number", func(o *Order, f *giveFacts) { o.OrderNumber = "อก ๓๙๙๐๐๐๐๐๐๐๑๐๔" }, problem.Invalid, "problem.holds_citizen"},
		{"numbers that are none", func(o *Order, f *giveFacts) {
			o.OrderNumber, o.Note = "อก 0301/1234 ลงวันที่ 12 พฤศจิกายน 2569", "โทร. 081-234-5678"
		}, nil, ""},
		{"begins in ninety years", func(o *Order, f *giveFacts) { f.From = noon.AddDate(90, 0, 0) }, problem.Invalid, "grant.date_too_far"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkProblem(t, mayGive(with(order, good, c.change)), c.kind, c.key)
		})
	}
}

func checkProblem(t testing.TB, err, kind error, key string) {
	t.Helper()
	if kind == nil {
		if err != nil {
			t.Fatalf("got %v, want leave", err)
		}
		return
	}
	var p *problem.Problem
	if !errors.Is(err, kind) || !errors.As(err, &p) {
		t.Fatalf("got %v, want %v", err, kind)
	}
	got := p.Key
	if len(p.Fields) > 0 {
		got = p.Fields[0].Key
	}
	if got != key || len(p.Fields) > 1 {
		t.Fatalf("got %v, want %s", p, key)
	}
}

func TestMayRevokeAndChange(t *testing.T) {
	g := Grant{Person: "officer", Level: Approve, Version: 3, From: noon}
	head := changeFacts{By: "chief", Now: noon, Head: true, Version: 3, Held: 2, Left: 1, Unit: province}
	last, none, stranger, stale := head, head, head, head
	last.Held, last.Left, none.Held, none.Left, stranger.Head, stale.Version = 1, 0, 0, 0, false, 2
	closed := g
	closed.ClosedAt = noon
	for _, c := range []struct {
		name string
		g    Grant
		e    Ending
		f    changeFacts
		kind error
		key  string
	}{
		{"with a reason", g, Ending{Reason: "ย้าย"}, head, nil, ""},
		{"without a reason", g, Ending{}, head, problem.Invalid, "grant.reason_missing"},
		{"who is no head", g, Ending{Reason: "ย้าย"}, stranger, problem.Denied, "grant.denied_not_head"},
		{"the last approver", g, Ending{Reason: "ย้าย"}, last, problem.Invalid, "grant.confirm_leaves_none"},
		{"a right that does not hold where nobody approves", g, Ending{Reason: "ย้าย"}, none, nil, ""},
		{"with a blank reason", g, Ending{Reason: " \t"}, head, problem.Invalid, "grant.reason_missing"},
		{"the last approver on purpose", g, Ending{Reason: "ย้าย", LeavesNone: true}, last, nil, ""},
		{"with a citizen ID in the reason", g, Ending{Reason: "ย้าย 3990000000104"}, head, problem.Invalid, "problem.holds_citizen"},
		{"twice", closed, Ending{Reason: "ย้าย"}, head, problem.Conflict, "grant.already_ended"},
	} {
		t.Run("revoke "+c.name, func(t *testing.T) { checkProblem(t, mayRevoke(c.g, c.e, c.f), c.kind, c.key) })
	}
	own, boss, closedDown, off := head, head, head, head
	own.By, boss.SubjectHead, closedDown.Unit.Considers, off.Disabled = "officer", true, false, true
	soon, later := noon.AddDate(0, 1, 0), noon.AddDate(1, 0, 0)
	ending, proposed := g, g
	ending.Until, proposed.AwaitsSecond = soon, true
	for _, c := range []struct {
		name  string
		g     Grant
		until time.Time
		f     changeFacts
		kind  error
		key   string
	}{
		{"by the head", g, later, head, nil, ""},
		{"who is no head", g, later, stranger, problem.Denied, "grant.denied_not_head"},
		{"his own", g, later, own, problem.Denied, "grant.denied_self"},
		{"prolong a head's", ending, later, boss, problem.Denied, "grant.denied_for_head"},
		{"shorten a head's", ending, noon.AddDate(0, 0, 3), boss, nil, ""},
		{"prolong where no rights are given any more", ending, later, closedDown, problem.Invalid, "grant.unit_without_rights"},
		{"shorten where no rights are given any more", ending, noon.AddDate(0, 0, 3), closedDown, nil, ""},
		{"prolong for an account switched off", ending, later, off, problem.Invalid, "grant.account_disabled"},
		{"renew", ending, later, head, nil, ""},
		{"from an old form", g, later, stale, problem.Conflict, "grant.changed_meanwhile"},
		{"one that awaits its second", proposed, later, head, problem.Conflict, "grant.awaits_second"},
		{"one that ended", closed, later, head, problem.Conflict, "grant.already_ended"},
		{"to the past", g, noon.Add(-time.Hour), head, problem.Invalid, "grant.end_is_past"},
	} {
		t.Run("change "+c.name, func(t *testing.T) { checkProblem(t, mayChange(c.g, Change{}, c.until, c.f), c.kind, c.key) })
	}
	checkProblem(t, mayChange(g, Change{Note: "3990000000104"}, later, head), problem.Invalid, "problem.holds_citizen")
	checkProblem(t, mayChange(g, Change{OrderNumber: "3990000000104"}, later, head), problem.Invalid, "problem.holds_citizen")
}

func TestMayProposeAndConfirm(t *testing.T) {
	year := noon.AddDate(1, 0, 0)
	admin := appointFacts{By: "admin", Now: noon, Administrator: true, Subject: "officer", Registered: true, UnitActive: true, From: noon, Until: year}
	chief, stranger, self, unknown, endless := admin, admin, admin, admin, admin
	chief.By, chief.Administrator, chief.Head = "chief", false, true
	stranger.By, stranger.Administrator = "x", false
	self.Subject, unknown.Registered, endless.Until = "admin", false, time.Time{}
	regular := AppointmentOrder{Unit: "TH-12", Post: Head, Kind: Regular, OrderNumber: "1/2569"}
	acting, role, bare, numbered, noted := regular, regular, regular, regular, regular
	acting.Kind, role.Post, bare.OrderNumber = Acting, Administrator, ""
	numbered.OrderNumber, noted.Note = "3990000000104", "แทน 3-9900-00000-10-4"
	chiefEndless := chief
	chiefEndless.Until = time.Time{}
	for _, c := range []struct {
		name string
		o    AppointmentOrder
		f    appointFacts
		kind error
		key  string
	}{
		{"administrator, chief", regular, admin, nil, ""},
		{"administrator, chief without end", regular, endless, nil, ""},
		{"administrator, administrator", role, admin, nil, ""},
		{"administrator, himself", regular, self, problem.Denied, "appoint.denied_self"},
		{"chief, his deputy", acting, chief, nil, ""},
		{"chief, a deputy without end", acting, chiefEndless, problem.Invalid, "appoint.acting_needs_end"},
		{"chief, a chief", regular, chief, problem.Denied, "appoint.denied"},
		{"chief, an administrator", role, chief, problem.Denied, "appoint.denied"},
		{"anyone else", acting, stranger, problem.Denied, "appoint.denied"},
		{"nobody registered", regular, unknown, problem.Invalid, "appoint.not_registered"},
		{"a citizen ID for an order", numbered, admin, problem.Invalid, "problem.holds_citizen"},
		{"a citizen ID in the note", noted, admin, problem.Invalid, "problem.holds_citizen"},
		{"without an order", bare, admin, problem.Invalid, "appoint.order_missing"},
	} {
		t.Run(c.name, func(t *testing.T) { checkProblem(t, mayPropose(c.o, c.f), c.kind, c.key) })
	}
	checkProblem(t, mayConfirm("b", true, "a", "c"), nil, "")
	checkProblem(t, mayConfirm("b", false, "a", "c"), problem.Denied, "appoint.denied_not_administrator")
	checkProblem(t, mayConfirm("a", true, "a", "c"), problem.Denied, "appoint.denied_own_proposal")
	checkProblem(t, mayConfirm("c", true, "a", "c"), problem.Denied, "appoint.denied_self")
	end := Ending{Reason: "x"}
	checkProblem(t, mayEnd(Appointment{Post: Auditor, ConfirmedAt: noon}, end, endFacts{Administrator: true, Now: noon}), nil, "")
	checkProblem(t, mayEnd(Appointment{Post: Auditor}, end, endFacts{Administrator: true, Now: noon}), problem.Conflict, "appoint.still_proposed")
	checkProblem(t, mayEnd(Appointment{Post: Auditor, ConfirmedAt: noon}, Ending{Reason: "3990000000104"}, endFacts{Administrator: true, Now: noon}), problem.Invalid, "problem.holds_citizen")
	checkProblem(t, mayDecline("a", true, "c"), nil, "")
	checkProblem(t, mayDecline("a", false, "c"), problem.Denied, "appoint.denied_not_administrator")
	checkProblem(t, mayDecline("c", true, "c"), problem.Denied, "appoint.denied_self")
}

func TestStateAt(t *testing.T) {
	held := Grant{From: noon.AddDate(0, -1, 0)}
	until := func(at time.Time) Grant { g := held; g.Until = at; return g }
	closed, second, future := held, held, held
	closed.ClosedAt, closed.Closing = noon, Revoked
	second.AwaitsSecond = true
	future.From = noon.AddDate(0, 0, 1)
	for _, c := range []struct {
		name string
		g    Grant
		who  Standing
		want State
	}{
		{"no end", held, Established, StateActive},
		{"not registered", held, Unregistered, StatePending},
		{"account switched off", held, SwitchedOff, StateOff},
		{"account switched off, and to begin later", future, SwitchedOff, StateOff},
		{"not confirmed", held, Unconfirmed, StateWaiting},
		{"locked", held, LockedOut, StateLocked},
		{"locked, and to begin later", future, LockedOut, StateLocked},
		{"locked, and the last moment is over", until(noon), LockedOut, StateExpired},
		{"one microsecond left", until(noon.Add(time.Microsecond)), Established, StateSoon},
		{"its last moment is over", until(noon), Established, StateExpired},
		{"ends in 31 days", until(noon.AddDate(0, 0, 31)), Established, StateActive},
		{"future", future, Established, StateFuture},
		{"second", second, Established, StateSecond},
		{"revoked", closed, Established, StateEnded},
	} {
		if got := c.g.StateAt(noon, c.who); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestHeadOrToBe tells when somebody counts as head for the rights that others give him.
func TestHeadOrToBe(t *testing.T) {
	a := Appointment{From: noon, Until: noon.AddDate(0, 1, 0), ConfirmedAt: noon.AddDate(0, -1, 0)}
	with := func(change func(*Appointment)) Appointment { b := a; change(&b); return b }
	for _, c := range []struct {
		name string
		a    Appointment
		want bool
	}{
		{"holds", a, true},
		{"holds without an end", with(func(a *Appointment) { a.Until = time.Time{} }), true},
		{"begins tomorrow", with(func(a *Appointment) { a.From = noon.AddDate(0, 0, 1) }), true},
		{"only proposed", with(func(a *Appointment) { a.ConfirmedAt = time.Time{} }), false},
		{"its last moment is over", with(func(a *Appointment) { a.Until = noon }), false},
		{"ended", with(func(a *Appointment) { a.ClosedAt = noon }), false},
	} {
		if got := c.a.binds(noon); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		right, place Place
		want         bool
	}{
		{Place{"IWM", ""}, Place{"IWM", ""}, true},
		{Place{"IWM", ""}, Place{"IWM", "G1"}, true},
		{Place{"IWM", "G1"}, Place{"IWM", "G1"}, true},
		{Place{"IWM", "G1"}, Place{"IWM", ""}, false},
		{Place{"IWM", "G1"}, Place{"IWM", "G2"}, false},
		{Place{"TH-12", ""}, Place{"TH-13", ""}, false},
	} {
		if got := covers(c.right, c.place); got != c.want {
			t.Errorf("%v covers %v: %v", c.right, c.place, got)
		}
		// The answer from memory says the same.
		s := newSnapshot()
		s.meet([]Place{{"IWM", ""}, {"IWM", "G1"}, {"IWM", "G2"}, {"TH-12", ""}, {"TH-13", ""}})
		s.put(nil, []entry{{person: "p", unit: c.right.Unit, team: c.right.Team, action: DoConsider, from: noon}}, noon)
		if got := s.answer("p", DoConsider, c.place, &moment{us: noon.UnixMicro()}).Allowed; got != c.want {
			t.Errorf("memory: %v covers %v: %v", c.right, c.place, got)
		}
	}
}

func TestHint(t *testing.T) {
	for name, want := range map[string]string{"ใจดี": "ใจ•••", "ปิ่นแก้ว": "ปิ่น•••", "ศรี": "ศ•••", "ก": "•••", "": "•••"} {
		if got := hint(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

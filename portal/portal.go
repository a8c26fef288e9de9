// Package portal keeps what the department shows to everyone: the intranet's menu of systems, and announcements.
package portal

import (
	"context"
	"time"

	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
)

// Place is where an announcement is shown.
type Place string

// The places.
const (
	Public   Place = "public"   // the first page, and the intranet too
	Officers Place = "officers" // the intranet only
)

// Places lists the places in the order in which lists show them.
var Places = [...]Place{Public, Officers}

// Announcement is something the department makes known (ประกาศ).
type Announcement struct {
	ID        string
	Title     locale.Name
	Body      locale.Name // lines are paragraphs
	Place     Place
	From      time.Time // inclusive
	Until     time.Time // exclusive, the midnight after the last day; zero when there is no end
	CreatedBy string    // person id, or audit.System
	CreatedAt time.Time
	ClosedAt  time.Time // zero unless an administrator took it down
	Version   int64     // goes up by one with every change
}

// FirstDay is the first day on which the announcement is shown.
func (a Announcement) FirstDay() thai.Date { return thai.DateOf(a.From) }

// LastDay is the last day on which it is shown; the zero Date when there is no end.
func (a Announcement) LastDay() thai.Date {
	if a.Until.IsZero() {
		return thai.Date{}
	}
	return thai.LastDay(a.Until)
}

// State is what an announcement is at a moment.
type State string

// The states.
const (
	Current State = "current" // shown
	Coming  State = "coming"  // its first day has yet to come
	Past    State = "past"    // its last day is over
	Closed  State = "closed"  // taken down by an administrator
)

// Draft is what is typed to announce something.
type Draft struct {
	Title, Body locale.Name // in English they may be left out: the Thai words stand in
	Place       Place
	From, To    thai.Date // the zero To is none
}

// Check says what is wrong with the draft, as Announce would; nil when nothing is.
func (n Draft) Check() error {
	_, err := checkDraft(n)
	return err
}

// Desk is where the menu and the announcements are read by everyone and kept by central administrators. Every act
// answers problem.Denied to anyone else, problem.NotFound for something unknown, problem.Conflict when it has changed
// since the version that the caller saw, and is recorded.
type Desk struct {
	DB *store.DB
	// Administrator answers problem.Denied unless the person holds the central administrator's post at tx.Now.
	Administrator func(ctx context.Context, tx *store.Tx, by string) error
}

// Menus lists the groups of the menu with their systems, in order.
func (d Desk) Menus(ctx context.Context) ([]Menu, error) {
	var systems []System
	err := d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		systems, err = selectSystems(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return menus(systems), nil
}

// System returns one system of the menu; problem.NotFound when there is none.
func (d Desk) System(ctx context.Context, code string) (System, error) {
	var s System
	err := d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		s, err = selectSystem(ctx, tx, code)
		return err
	})
	return s, err
}

// SetSystemAddress says where a system of the menu is, or with "" that nobody knows. What is no address of the web is
// problem.Invalid in the field address.
func (d Desk) SetSystemAddress(ctx context.Context, by, code string, version int64, address string) error {
	address, err := checkAddress(code, address)
	if err != nil {
		return err
	}
	act := &audit.Act{Name: "portal.system_address", Actor: by, Object: code}
	return d.act(ctx, act, func(tx *store.Tx) error {
		s, err := selectSystem(ctx, tx, code)
		if err != nil {
			return err
		}
		if s.Version != version {
			return problem.New(problem.Conflict, "portal.problem.changed")
		}
		act.Texts = map[string]string{"before": s.Address, "after": address}
		s.Address = address
		return updateSystem(ctx, tx, s)
	})
}

// shownPast is how many past announcements are listed.
const shownPast = 10

// Announcements lists what is shown at a place now, and what was shown there before, the newest first. The intranet
// (Officers) shows the public ones too.
func (d Desk) Announcements(ctx context.Context, place Place) (current, past []Announcement, err error) {
	err = d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if current, err = selectCurrent(ctx, tx, place); err != nil {
			return err
		}
		past, err = selectPast(ctx, tx, place, shownPast)
		return err
	})
	return current, past, err
}

// Shelf is every announcement with its state, for those who keep them.
type Shelf struct {
	Announcement
	State State
}

// All lists every announcement in whatever state, the newest first. The doors show it to administrators only.
func (d Desk) All(ctx context.Context) ([]Shelf, error) {
	var list []Shelf
	err := d.DB.Read(ctx, func(tx *store.Tx) error {
		all, err := selectAnnouncements(ctx, tx)
		if err != nil {
			return err
		}
		list = make([]Shelf, len(all))
		for i, a := range all {
			list[i] = Shelf{Announcement: a, State: a.stateAt(tx.Now)}
		}
		return nil
	})
	return list, err
}

// Announcement returns one announcement in whatever state; problem.NotFound when there is none. The doors show it to
// administrators only.
func (d Desk) Announcement(ctx context.Context, id string) (Shelf, error) {
	var s Shelf
	err := d.DB.Read(ctx, func(tx *store.Tx) error {
		a, err := selectAnnouncement(ctx, tx, id)
		s = Shelf{Announcement: a, State: a.stateAt(tx.Now)}
		return err
	})
	return s, err
}

// Announce makes something known. What was typed wrong is problem.Invalid in the fields title_th, title_en, body_th,
// body_en, place, from and to.
func (d Desk) Announce(ctx context.Context, by string, n Draft) (Announcement, error) {
	n, err := checkDraft(n)
	if err != nil {
		return Announcement{}, err
	}
	a := Announcement{ID: store.NewID(), CreatedBy: by, Version: 1}
	a.fill(n)
	act := &audit.Act{Name: "portal.announce", Actor: by, Object: a.ID, Detail: n.facts(),
		Texts: map[string]string{"title": a.Title.TH, "body": a.Body.TH}}
	err = d.act(ctx, act, func(tx *store.Tx) error {
		a.CreatedAt = tx.Now
		return insertAnnouncement(ctx, tx, a)
	})
	return a, err
}

// Change gives an announcement other words, another place or other days; the fields are those of Announce.
// One that was taken down stays down: problem.Conflict.
func (d Desk) Change(ctx context.Context, by, id string, version int64, n Draft) error {
	n, err := checkDraft(n)
	if err != nil {
		return err
	}
	act := &audit.Act{Name: "portal.change", Actor: by, Object: id, Detail: n.facts(),
		Texts: map[string]string{"title": n.Title.TH, "body": n.Body.TH}}
	return d.change(ctx, act, version, func(_ *store.Tx, a *Announcement) { a.fill(n) })
}

// Close takes an announcement down at once; it is no longer shown anywhere but to administrators.
func (d Desk) Close(ctx context.Context, by, id string, version int64) error {
	act := &audit.Act{Name: "portal.close", Actor: by, Object: id}
	return d.change(ctx, act, version, func(tx *store.Tx, a *Announcement) { a.ClosedAt = tx.Now })
}

func (d Desk) change(ctx context.Context, act *audit.Act, version int64, f func(*store.Tx, *Announcement)) error {
	return d.act(ctx, act, func(tx *store.Tx) error {
		a, err := selectAnnouncement(ctx, tx, act.Object)
		if err != nil {
			return err
		}
		if a.Version != version || !a.ClosedAt.IsZero() {
			return problem.New(problem.Conflict, "portal.problem.changed")
		}
		f(tx, &a)
		return updateAnnouncement(ctx, tx, a)
	})
}

// act runs f as an administrator's act.
func (d Desk) act(ctx context.Context, act *audit.Act, f func(tx *store.Tx) error) error {
	return audit.Do(ctx, d.DB, act, func(tx *store.Tx) error {
		if err := d.Administrator(ctx, tx, act.Actor); err != nil {
			return err
		}
		return f(tx)
	})
}

// fill puts a checked draft into the announcement.
func (a *Announcement) fill(n Draft) {
	a.Title, a.Body, a.Place = n.Title, n.Body, n.Place
	a.From, a.Until = n.From.StartOfDay(), time.Time{}
	if !n.To.IsZero() {
		a.Until = n.To.EndExclusive()
	}
}

// facts are what of a draft stands in the log as it is; the words stand beside it.
func (n Draft) facts() map[string]string {
	facts := map[string]string{"place": string(n.Place), "from": n.From.String()}
	if !n.To.IsZero() {
		facts["to"] = n.To.String()
	}
	return facts
}

package grant

import (
	"context"
	"errors"
	"fmt"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// Propose puts an appointment forward: a central administrator any, a head of a unit his acting deputy for given
// dates. It gives no authority until a (further) administrator has confirmed it. It fails with Denied, Invalid with
// the fields to mend, or Conflict when the person holds the post or waits to.
func (b *Book) Propose(ctx context.Context, by person.ID, o AppointmentOrder) (a Appointment, err error) {
	if o.Post.Central() {
		o.Unit, o.Kind = centreUnit, Regular
	}
	act := &audit.Act{Name: "appointment.propose", Actor: string(by), Unit: o.Unit}
	err = audit.Do(ctx, b.turn, act, func(tx *store.Tx) error {
		f := appointFacts{By: string(by), Now: tx.Now}
		var err error
		if _, f.Administrator, err = b.post(ctx, tx, by, Administrator, centreUnit); err != nil {
			return err
		}
		if _, f.Head, err = b.post(ctx, tx, by, Head, o.Unit); err != nil {
			return err
		}
		if !f.Administrator && !f.Head { // before anyone is looked for: others learn nothing from the answer
			return problem.New(problem.Denied, "appoint.denied")
		}
		if f.Subject, err = b.subject(ctx, tx, o.Citizen, o.Person, o.Unit, f.Administrator); err != nil {
			return err
		}
		act.Subject = string(f.Subject)
		if f.Registered, err = enabled(ctx, tx, f.Subject); err != nil {
			return err
		}
		if f.UnitActive, err = inUse(ctx, tx, o.Unit); err != nil {
			return err
		}
		f.From, f.Until = period(tx.Now, o.From, o.LastDay)
		if err := mayPropose(o, f); err != nil {
			return err
		}
		a = Appointment{ID: store.NewID(), Person: f.Subject, Unit: o.Unit, Post: o.Post, Kind: o.Kind, OrderNumber: o.OrderNumber,
			Note: o.Note, From: f.From, Until: f.Until, ProposedBy: string(by), ProposedAt: tx.Now, Version: 1}
		if err := insertAppointment(ctx, tx, a); err != nil {
			return err
		}
		act.Object, act.Detail, act.Texts = a.ID, a.facts(), a.words()
		words, err := b.appointmentWords(ctx, tx, a)
		if err != nil {
			return err
		}
		return b.tellCentre(ctx, tx, by, "appointment.proposed", "/admin/appointments", words)
	})
	if err != nil {
		return Appointment{}, err
	}
	return a, nil
}

// PostName is how officials call a post.
func PostName(post Post, kind AppointmentKind) locale.Name {
	switch {
	case post == Administrator:
		return locale.Name{TH: "ผู้ดูแลระบบส่วนกลาง", EN: "central administrator"}
	case post == Auditor:
		return locale.Name{TH: "ผู้ตรวจสอบ", EN: "auditor"}
	case post == Agent:
		return locale.Name{TH: "เจ้าหน้าที่ช่วยเหลือ", EN: "help-desk agent"}
	case kind == Acting:
		return locale.Name{TH: "รักษาราชการแทนหัวหน้าหน่วยงาน", EN: "acting head of unit"}
	}
	return locale.Name{TH: "หัวหน้าหน่วยงาน", EN: "head of unit"}
}

func (a Appointment) facts() map[string]string {
	m := map[string]string{"post": string(a.Post), "kind": string(a.Kind), "from": stamp(a.From)}
	if !a.Until.IsZero() {
		m["until"] = stamp(a.Until)
	}
	return m
}

func (a Appointment) words() map[string]string {
	m := map[string]string{"order_number": a.OrderNumber}
	if a.Note != "" {
		m["note"] = a.Note
	}
	return m
}

// appointment runs an act of a central administrator, or of who proposed it, on one appointment.
func (b *Book) appointment(ctx context.Context, by person.ID, name, id string, f func(tx *store.Tx, a *Appointment, administrator bool, act *audit.Act) error) (a Appointment, err error) {
	act := &audit.Act{Name: name, Actor: string(by), Object: id}
	err = audit.Do(ctx, b.turn, act, func(tx *store.Tx) error {
		_, administrator, err := b.post(ctx, tx, by, Administrator, centreUnit)
		if err != nil {
			return err
		}
		a, err = findAppointment(ctx, tx, id)
		if !administrator && (errors.Is(err, problem.NotFound) || err == nil && a.ProposedBy != string(by)) {
			return problem.New(problem.Denied, "appoint.denied_not_administrator")
		}
		if err != nil {
			return err
		}
		act.Unit, act.Subject, act.Detail = a.Unit, string(a.Person), a.facts()
		return f(tx, &a, administrator, act)
	})
	if err != nil {
		return Appointment{}, err
	}
	return a, nil
}

// ConfirmAppointment makes a proposed appointment hold: the second person of the two. Its authority begins now or on
// its first day, never before the confirmation.
func (b *Book) ConfirmAppointment(ctx context.Context, by person.ID, id string) (Appointment, error) {
	return b.appointment(ctx, by, "appointment.confirm", id, func(tx *store.Tx, a *Appointment, administrator bool, act *audit.Act) error {
		if err := mayConfirm(string(by), administrator, a.ProposedBy, a.Person); err != nil {
			return err
		}
		f, err := b.standFacts(ctx, tx, a.ProposedBy, a.Person, a.Unit)
		if err != nil {
			return err
		}
		if a.Post == Head && a.Kind == Acting && !f.Proposer {
			if _, f.Proposer, err = b.post(ctx, tx, person.ID(a.ProposedBy), Head, a.Unit); err != nil {
				return err
			}
		}
		if err := stillProposed(*a, f, tx.Now); err != nil {
			return err
		}
		a.ConfirmedBy, a.ConfirmedAt = string(by), tx.Now
		if a.From.Before(tx.Now) {
			a.From = tx.Now
		}
		if err := updateAppointment(ctx, tx, a); err != nil {
			return err
		}
		if err := b.Moved(ctx, tx, a.Person); err != nil {
			return err
		}
		return b.tellAppointee(ctx, tx, *a, "appointment.confirmed")
	})
}

// standFacts reads again what a proposal rested on.
func (b *Book) standFacts(ctx context.Context, tx *store.Tx, proposer string, subject person.ID, unit string) (f standFacts, err error) {
	if _, f.Proposer, err = b.post(ctx, tx, person.ID(proposer), Administrator, centreUnit); err != nil {
		return f, err
	}
	if f.Subject, err = enabled(ctx, tx, subject); err != nil {
		return f, err
	}
	f.Unit, err = inUse(ctx, tx, unit)
	return f, err
}

// enabled reports whether a person has an account that may be used; "" has none.
func enabled(ctx context.Context, tx *store.Tx, who person.ID) (bool, error) {
	account, err := officer.Find(ctx, tx, who)
	if errors.Is(err, problem.NotFound) {
		return false, nil
	}
	return err == nil && account.Enabled(), err
}

// inUse reports whether there is such a unit and it is in use.
func inUse(ctx context.Context, tx *store.Tx, code string) (bool, error) {
	unit, err := agency.Find(ctx, tx, code)
	if errors.Is(err, problem.NotFound) {
		return false, nil
	}
	return err == nil && unit.Active, err
}

// DeclineAppointment closes a proposal: another administrator refuses it, or who made it withdraws it.
func (b *Book) DeclineAppointment(ctx context.Context, by person.ID, id, reason string) (Appointment, error) {
	return b.appointment(ctx, by, "appointment.decline", id, func(tx *store.Tx, a *Appointment, administrator bool, act *audit.Act) error {
		if !a.ConfirmedAt.IsZero() || !a.ClosedAt.IsZero() {
			return problem.New(problem.Conflict, "grant.already_decided")
		}
		var check problem.Check
		if a.Closing = "refused"; a.ProposedBy == string(by) {
			a.Closing = "withdrawn"
			person.CheckText(&check, "reason", reason)
		} else {
			checkReason(&check, reason)
		}
		if check.Failed() {
			return check.Err()
		}
		a.ClosedBy, a.ClosedAt, a.CloseReason = string(by), tx.Now, reason
		act.Detail["closing"] = a.Closing
		if reason != "" {
			act.Texts = map[string]string{"reason": reason}
		}
		return updateAppointment(ctx, tx, a)
	})
}

// EndAppointment takes a post away at once; one administrator is enough, since it only takes authority away. A unit
// is left without a head only when the ending says so.
func (b *Book) EndAppointment(ctx context.Context, by person.ID, id string, e Ending) (Appointment, error) {
	return b.appointment(ctx, by, "appointment.end", id, func(tx *store.Tx, a *Appointment, administrator bool, act *audit.Act) error {
		f := endFacts{Administrator: administrator, Now: tx.Now}
		var err error
		if f.Left, err = b.countHolders(ctx, tx, a.Unit, a.Post, a.Person); err != nil {
			return err
		}
		if err := mayEnd(*a, e, f); err != nil {
			return err
		}
		held := a.Holds(tx.Now)
		a.ClosedBy, a.ClosedAt, a.Closing, a.CloseReason = string(by), tx.Now, "ended", e.Reason
		if err := updateAppointment(ctx, tx, a); err != nil {
			return err
		}
		act.Texts = map[string]string{"reason": e.Reason}
		if err := b.Moved(ctx, tx, a.Person); err != nil {
			return err
		}
		if held && a.Post == Head && f.Left == 0 {
			act.Detail["leaves_none"] = "true"
			words, err := b.appointmentWords(ctx, tx, *a)
			if err != nil {
				return err
			}
			if err := b.tellCentre(ctx, tx, by, "appointment.none_left", "/admin/appointments", words); err != nil {
				return err
			}
		}
		return b.tellAppointee(ctx, tx, *a, "appointment.ended")
	})
}

// appointmentWords are the arguments of every message about an appointment.
func (b *Book) appointmentWords(ctx context.Context, tx *store.Tx, a Appointment) (locale.Args, error) {
	unit, err := agency.Find(ctx, tx, a.Unit)
	if err != nil {
		return nil, err
	}
	known, err := names(ctx, tx, []person.ID{a.Person})
	if err != nil {
		return nil, err
	}
	return locale.Args{"name": known[a.Person], "unit": unit.Name, "post": PostName(a.Post, a.Kind),
		"from": thai.DateOf(a.From), "until": lastDay(a.Until), "link": b.link("/my/rights")}, nil
}

// tellAppointee tells an officer what became of his appointment.
func (b *Book) tellAppointee(ctx context.Context, tx *store.Tx, a Appointment, purpose string) error {
	to, err := officer.Find(ctx, tx, a.Person)
	if err != nil {
		return err
	}
	words, err := b.appointmentWords(ctx, tx, a)
	if err != nil {
		return err
	}
	return b.tell(ctx, tx, to, purpose, words)
}

// MayInstall fails with Conflict unless InstallAdministrator may make somebody central administrator now.
func (b *Book) MayInstall(ctx context.Context) error {
	return b.db.Read(ctx, func(tx *store.Tx) error { return b.mayInstall(ctx, tx) })
}

func (b *Book) mayInstall(ctx context.Context, tx *store.Tx) error {
	n, err := b.countHolders(ctx, tx, centreUnit, Administrator, "")
	if err == nil && n >= fewestAdministrators {
		err = problem.New(problem.Conflict, "appoint.administrators_exist")
	}
	return err
}

// InstallAdministrator makes a registered person central administrator from the server's terminal, while there are
// fewer than two who could do it in the browser. Otherwise it fails with Conflict, and with NotFound for a person
// without an account.
func (b *Book) InstallAdministrator(ctx context.Context, who person.ID) error {
	return b.InstallRegistering(ctx, func(*store.Tx) (person.ID, error) { return who, nil })
}

// InstallRegistering is InstallAdministrator for somebody whom register finds or gives an account in the same
// transaction, after it is sure that an administrator may be installed.
func (b *Book) InstallRegistering(ctx context.Context, register func(tx *store.Tx) (person.ID, error)) error {
	act := &audit.Act{Name: "appointment.install", Actor: audit.Terminal, Unit: centreUnit}
	return audit.Do(ctx, b.turn, act, func(tx *store.Tx) error {
		if err := b.mayInstall(ctx, tx); err != nil {
			return err
		}
		who, err := register(tx)
		if err != nil {
			return err
		}
		act.Subject = string(who)
		if _, err := officer.Find(ctx, tx, who); err != nil {
			return err
		}
		a := Appointment{ID: store.NewID(), Person: who, Unit: centreUnit, Post: Administrator, Kind: Regular, From: tx.Now,
			ProposedBy: audit.Terminal, ProposedAt: tx.Now, ConfirmedBy: audit.Terminal, ConfirmedAt: tx.Now, Version: 1}
		if err := insertAppointment(ctx, tx, a); err != nil {
			return err
		}
		act.Object, act.Detail = a.ID, a.facts()
		if err := b.Moved(ctx, tx, who); err != nil {
			return fmt.Errorf("install administrator: %w", err)
		}
		return nil
	})
}

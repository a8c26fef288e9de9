package portal

import (
	"context"
	"time"

	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
)

// Side is one of the two programs between which a cut-over (การเปลี่ยนระบบ) goes.
type Side string

// The sides.
const (
	Old Side = "old" // the program that is given up (ระบบเดิม)
	New Side = "new" // the one that takes its place (ระบบใหม่): this one
)

// Other is the other side.
func (s Side) Other() Side {
	if s == Old {
		return New
	}
	return Old
}

// Cutover says which program owns the new cases of a system from a moment on.
type Cutover struct {
	ID        string
	System    string // of the menu
	Owner     Side
	From      time.Time
	Note      locale.Name // shown with it; lines are paragraphs
	Link      string      // https:// or http:// address of the announcement, or ""
	CreatedBy string      // person id
	CreatedAt time.Time
	ClosedAt  time.Time // when it was withdrawn; zero unless it was
	Version   int64     // goes up by one with every change
}

// StateAt is what the cut-over is at a moment: Coming, Current from its moment on, Closed once it was withdrawn.
func (c Cutover) StateAt(at time.Time) State {
	switch {
	case !c.ClosedAt.IsZero():
		return Closed
	case at.Before(c.From):
		return Coming
	}
	return Current
}

// CutoverDraft is what is typed to set a cut-over.
type CutoverDraft struct {
	Owner Side
	From  time.Time
	Note  locale.Name // in English it may be left out
	Link  string
}

// Ownership is who owns the new cases of a system at a moment, and what is to come.
type Ownership struct {
	System string
	At     time.Time
	Owner  Side
	// Since is the cut-over that made it so; the zero Cutover when there was none yet.
	Since  Cutover
	Coming []Cutover // the next one first
}

// Owner answers which program owns a case of a system that is new at a moment. Until a cut-over says otherwise that is
// Old. Inside a transaction that decides, what it read holds until the transaction is through.
func Owner(ctx context.Context, tx *store.Tx, system string, at time.Time) (Side, error) {
	live, err := selectLiveCutovers(ctx, tx, system)
	if err != nil {
		return "", err
	}
	since, _ := ownership(live, at)
	return since.Owner, nil
}

// Ownership answers who owns the new cases of a system now; problem.NotFound when there is no such system.
func (d Desk) Ownership(ctx context.Context, system string) (Ownership, error) {
	var o Ownership
	err := d.DB.Read(ctx, func(tx *store.Tx) error {
		if _, err := selectSystem(ctx, tx, system); err != nil {
			return err
		}
		live, err := selectLiveCutovers(ctx, tx, system)
		if err != nil {
			return err
		}
		o = Ownership{System: system, At: tx.Now}
		o.Since, o.Coming = ownership(live, tx.Now)
		o.Owner = o.Since.Owner
		if o.Since.ID == "" {
			o.Since = Cutover{}
		}
		return nil
	})
	return o, err
}

// Cutovers lists every cut-over of a system, those withdrawn included, the latest moment first. The doors show it to
// administrators only.
func (d Desk) Cutovers(ctx context.Context, system string) ([]Cutover, error) {
	var list []Cutover
	err := d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = selectCutovers(ctx, tx, system)
		return err
	})
	return list, err
}

// Cutover returns one cut-over; problem.NotFound when there is none.
func (d Desk) Cutover(ctx context.Context, id string) (Cutover, error) {
	var c Cutover
	err := d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		c, err = selectCutover(ctx, tx, id)
		return err
	})
	return c, err
}

// SetCutover says who owns new cases from a moment on. Cut-overs follow each other in time and from side to side: what
// does not is problem.Invalid in the fields owner or from. It lies in the future, except that the first of a system may
// record what has happened already. Other faults are in note_th, note_en and link.
func (d Desk) SetCutover(ctx context.Context, by, system string, n CutoverDraft) (Cutover, error) {
	n, err := checkCutover(n)
	if err != nil {
		return Cutover{}, err
	}
	c := Cutover{
		ID: store.NewID(), System: system, Owner: n.Owner, From: n.From, Note: n.Note, Link: n.Link, CreatedBy: by, Version: 1,
	}
	act := &audit.Act{Name: "portal.cutover_set", Actor: by, Object: c.ID,
		Detail: map[string]string{"owner": string(c.Owner), "moment": c.From.UTC().Format(time.RFC3339)},
		Texts:  map[string]string{"note": c.Note.TH, "link": c.Link}}
	err = d.act(ctx, act, func(tx *store.Tx) error {
		if _, err := selectSystem(ctx, tx, system); err != nil {
			return err
		}
		live, err := selectLiveCutovers(ctx, tx, system)
		if err != nil {
			return err
		}
		if err := mayFollow(n, live, tx.Now); err != nil {
			return err
		}
		c.CreatedAt = tx.Now
		return insertCutover(ctx, tx, c)
	})
	return c, err
}

// WithdrawCutover takes a coming cut-over back; of several, the last first. One whose moment has come stays, since
// cases were taken under it: problem.Conflict.
func (d Desk) WithdrawCutover(ctx context.Context, by, id string, version int64) error {
	act := &audit.Act{Name: "portal.cutover_withdraw", Actor: by, Object: id}
	return d.act(ctx, act, func(tx *store.Tx) error {
		c, err := selectCutover(ctx, tx, id)
		if err != nil {
			return err
		}
		if c.Version != version || !c.ClosedAt.IsZero() {
			return problem.New(problem.Conflict, "portal.problem.changed")
		}
		live, err := selectLiveCutovers(ctx, tx, c.System)
		if err != nil {
			return err
		}
		if err := mayWithdraw(c, live, tx.Now); err != nil {
			return err
		}
		act.Detail = map[string]string{"owner": string(c.Owner), "moment": c.From.UTC().Format(time.RFC3339)}
		return closeCutover(ctx, tx, c, by)
	})
}

package officer

import (
	"context"
	"errors"
	"strings"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/person"
)

// ProfileForm is what an officer changes about himself without a code. His name is not among it: it is what the head of
// his unit compared when he confirmed who he is (decision 0024).
type ProfileForm struct {
	Position string // ตำแหน่ง
	Unit     string // code: กรม/กอง/ศูนย์/สอจ.
	LineID   string // ไลน์
	Version  int64  // of the account as it was read
}

// read brings the form into its one form and notes every fault that can be seen without asking anybody.
func (f ProfileForm) read(c *problem.Check) ProfileForm {
	f.Position = line(c, FieldPosition, f.Position, MostPosition)
	f.LineID = line(c, FieldLineID, f.LineID, MostLineID)
	if f.Unit = strings.TrimSpace(f.Unit); f.Unit == "" {
		c.Fail(FieldUnit, "officer.problem.unit_empty")
	}
	return f
}

// ChangeProfile keeps what an officer says about himself. Who names another office stays the holder of what was given to
// him in the old one: the heads of both are told, and decide. It fails with problem.Invalid, all faults at once, and with
// problem.Conflict when the account changed since it was read.
func (d *Desk) ChangeProfile(ctx context.Context, who person.ID, f ProfileForm) error {
	var check problem.Check
	f = f.read(&check)
	act := audit.Act{Name: "officer.change_profile", Actor: string(who), Subject: string(who)}
	return audit.Do(ctx, d.db.InTurn(), &act, func(tx *store.Tx) error {
		was, err := Find(ctx, tx, who)
		if err != nil {
			return err
		}
		check := check
		if f.Unit != was.Unit && !check.Failed(FieldUnit) {
			u, err := agency.Find(ctx, tx, f.Unit)
			switch {
			case errors.Is(err, problem.NotFound) || err == nil && !u.Active:
				check.Fail(FieldUnit, "officer.problem.unit_unknown")
			case err != nil:
				return err
			}
		}
		if err := inOrder(check.Err()); err != nil {
			return err
		}
		if err := updateProfile(ctx, tx, who, f); err != nil {
			return err
		}
		act.Unit, act.Detail, act.Texts = was.Unit, map[string]string{}, map[string]string{}
		if f.Position != was.Position {
			act.Texts["old_position"], act.Texts["position"] = was.Position, f.Position
		}
		if f.LineID != was.LineID {
			act.Texts["old_line_id"], act.Texts["line_id"] = was.LineID, f.LineID
		}
		if f.Unit == was.Unit {
			return nil
		}
		act.Detail["old_office"], act.Detail["office"] = was.Unit, f.Unit
		now := was
		now.Position, now.Unit, now.LineID = f.Position, f.Unit, f.LineID
		return d.relocated(ctx, tx, now, was.Unit)
	})
}

package signin

import (
	"context"
	"fmt"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
)

// ForgetFactors takes all second factors of a person away who has lost them, ends all sessions, and tells every contact.
// It is an act at the server's terminal, after whoever asks for it was proved to be the person. It fails with
// problem.NotFound when nobody with the citizen ID has an account, or he has no second factor.
func (d *Desk) ForgetFactors(ctx context.Context, citizen thai.CitizenID) error {
	act := audit.Act{Name: "signin.forget_factors", Actor: audit.Terminal}
	err := audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		who, _, err := d.roll.Find(ctx, tx, citizen)
		if err != nil {
			return err
		}
		owner, err := officer.Find(ctx, tx, who)
		if err != nil {
			return err
		}
		act.Subject, act.Unit = string(who), owner.Unit
		has, err := selectHasFactor(ctx, tx, who)
		if err != nil {
			return err
		}
		if !has {
			return problem.New(problem.NotFound, "signin.problem.no_factor")
		}
		if err := deleteFactors(ctx, tx, who); err != nil {
			return err
		}
		if err := EndAll(ctx, tx, who, endedByFactor); err != nil {
			return err
		}
		return officer.Tell(ctx, tx, d.outbox, owner, "factor.removed", nil)
	})
	if err != nil {
		return fmt.Errorf("forget second factors: %w", err)
	}
	return nil
}

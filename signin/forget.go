package signin

import (
	"context"
	"fmt"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
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

// Keep brings the second factors of a person to what a list says, as part of another act, which gives its name as the
// reason: an app with this key, in base32, and nothing else, or nothing at all when the key is "". It answers whether
// anything was changed; then all sessions have ended. A code that was used stays used.
func (d *Desk) Keep(ctx context.Context, tx *store.Tx, who person.ID, key, reason string) (changed bool, err error) {
	is, err := factorsOf(ctx, tx, who)
	if err != nil {
		return false, err
	}
	same := key == "" && !is.Any()
	if key != "" && !is.App.IsZero() && len(is.Passkeys) == 0 {
		used, err := selectApp(ctx, tx, who, true)
		if err != nil {
			return false, err
		}
		secret, err := d.secret(used)
		if err != nil {
			return false, err
		}
		same = secret == key
	}
	if same {
		return false, nil
	}
	if err := deleteFactors(ctx, tx, who); err != nil {
		return false, err
	}
	if key != "" {
		id := store.NewID()
		if err := replaceBegun(ctx, tx, id, who, d.ring.Seal(secretPlace(id), []byte(key))); err != nil {
			return false, err
		}
		if err := updateEnrolled(ctx, tx, who, id, 0); err != nil {
			return false, err
		}
	}
	return true, EndAll(ctx, tx, who, reason)
}

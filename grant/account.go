package grant

import (
	"context"
	"fmt"

	"sitthi/agency"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/officer"
)

// Relocated is called in the transaction in which an officer names another office. His rights stay as they are: what he
// held in the old office is marked as given while he belonged there, and the heads of both are told, who decide. The word
// of the old head on who he is stays too, for without it the rights would end (decision 0024).
func (b *Book) Relocated(ctx context.Context, tx *store.Tx, who officer.Account, from string) error {
	_, err := tx.Exec(ctx, `UPDATE grants SET version = version + 1,
			other_office = CASE WHEN unit = $2 THEN FALSE ELSE TRUE END,
			left_at = CASE WHEN unit = $3 THEN COALESCE(left_at, $4) WHEN unit = $2 THEN NULL ELSE left_at END
		WHERE person_id = $1 AND closed_at IS NULL`, who.Person, who.Unit, from, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("mark rights of who moved: %w", err)
	}
	old, err := agency.Find(ctx, tx, from)
	if err != nil {
		return err
	}
	now, err := agency.Find(ctx, tx, who.Unit)
	if err != nil {
		return err
	}
	args := func(unit string) locale.Args {
		return locale.Args{"name": who.Name(), "position": who.Position, "old_unit": old.Short, "unit": now.Short,
			"link": b.link("/ko1/units/" + unit + "/people/" + string(who.Person))}
	}
	if err := b.tellPosts(ctx, tx, Head, from, who.Person, "office.left", args(from)); err != nil {
		return err
	}
	if err := b.tellPosts(ctx, tx, Head, who.Unit, who.Person, "office.joined", args(who.Unit)); err != nil {
		return err
	}
	heads, err := b.headOf(ctx, tx, who.Person)
	if err != nil || len(heads) == 0 {
		return err
	}
	// A head who goes elsewhere stays head until the centre ends his appointment: it has to know.
	return b.tellCentre(ctx, tx, who.Person, "office.left", "/admin/appointments", args(from))
}

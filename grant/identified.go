package grant

import (
	"context"
	"fmt"

	"sitthi/audit"
	"sitthi/internal/store"
	"sitthi/officer"
	"sitthi/person"
)

// byThaID is who decided on an identity that no head had to confirm: ThaID had proved it.
const byThaID = "thaid"

// Identified is called in the transaction in which ThaID proves an officer for the first time: from then on no head has to
// confirm who he is (product.md "Who is he?"). His rights that waited for nothing else take effect, in every unit but one
// that he heads himself, where two administrators decide. He is told of each.
func (b *Book) Identified(ctx context.Context, tx *store.Tx, who officer.Account) error {
	open, err := waiting(ctx, tx, who.Person, "")
	if err != nil {
		return err
	}
	units := map[string][]Grant{}
	var order []string
	for _, g := range open {
		if units[g.Unit] == nil {
			order = append(order, g.Unit)
		}
		units[g.Unit] = append(units[g.Unit], g)
	}
	for _, unit := range order {
		known, err := identified(ctx, tx, who.Person, unit)
		if err != nil {
			return err
		}
		head, err := headOrToBe(ctx, tx, who.Person, unit)
		if err != nil {
			return err
		}
		if known || head {
			continue
		}
		if err := b.confirmThaID(ctx, tx, who, unit, units[unit]); err != nil {
			return err
		}
	}
	return b.Moved(ctx, tx, who.Person)
}

// confirmThaID keeps, in the place of a head's word, that ThaID has proved a person.
func (b *Book) confirmThaID(ctx context.Context, tx *store.Tx, who officer.Account, unit string, pending []Grant) error {
	act := audit.Act{Name: "grant.confirm_thaid", Actor: audit.System, Unit: unit, Subject: string(who.Person)}
	if err := audit.Record(ctx, tx, act); err != nil {
		return err
	}
	return b.confirm(ctx, tx, byThaID, who, unit, pending)
}

// broughtThaID does for the rights that an import brings what carryOut does for one that is given: those with numbers above
// the last one before.
func (b *Book) broughtThaID(ctx context.Context, tx *store.Tx, last int64) error {
	type here struct {
		who  person.ID
		unit string
	}
	list, err := store.Rows(func(row store.Row) (h here, err error) { return h, row.Scan(&h.who, &h.unit) })(tx.Query(ctx,
		`SELECT DISTINCT g.person_id, g.unit FROM grants g JOIN identities i ON i.person_id = g.person_id
		LEFT JOIN confirmations c ON c.person_id = g.person_id AND c.unit = g.unit AND c.ended_at IS NULL
		WHERE c.id IS NULL AND g.closed_at IS NULL AND g.awaits_second = FALSE AND g.number > $1
		ORDER BY g.person_id, g.unit`, last))
	if err != nil {
		return fmt.Errorf("find whom ThaID has proved: %w", err)
	}
	for _, h := range list {
		account, err := officer.Find(ctx, tx, h.who)
		if err != nil {
			return err
		}
		if err := b.confirmThaID(ctx, tx, account, h.unit, nil); err != nil {
			return err
		}
	}
	return nil
}

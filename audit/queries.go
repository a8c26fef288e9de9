package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"sitthi/internal/store"
)

// insert writes an entry, its texts, and its wish to be sealed. It reads nothing: a read of the log's end would make
// concurrent transactions fail.
func insert(ctx context.Context, tx *store.Tx, act Act, outcome string) error {
	origin := OriginOf(ctx)
	texts := act.Texts
	if origin.Address != "" {
		texts = maps.Clone(texts)
		if texts == nil {
			texts = make(map[string]string, 1)
		}
		texts["address"] = origin.Address
	}
	l := leaf{
		Act: clean(act.Name), Actor: clean(act.Actor), At: leafTime(tx.Now), ID: store.NewID(), Object: clean(act.Object),
		Outcome: outcome, Request: clean(origin.Request), Subject: clean(act.Subject), Unit: clean(act.Unit),
		Detail: make(map[string]string, len(act.Detail)), Texts: make(map[string]string, len(texts)),
	}
	for name, fact := range act.Detail {
		l.Detail[clean(name)] = clean(fact)
	}
	type row struct{ name, salt, text string }
	rows := make([]row, 0, len(texts))
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		r := row{clean(name), newSalt(), clean(texts[name])}
		l.Texts[r.name] = salted(r.salt, r.text)
		rows = append(rows, r)
	}
	text, err := l.encode()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO audit_entries (id, at, actor, act, outcome, unit, subject, object, request, leaf)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		l.ID, store.Us(tx.Now), l.Actor, l.Act, l.Outcome, l.Unit, l.Subject, l.Object, l.Request, text)
	if err != nil {
		return fmt.Errorf("record act %s: %w", l.Act, err)
	}
	for _, r := range rows {
		_, err = tx.Exec(ctx, `INSERT INTO audit_texts (entry_id, name, salt, text) VALUES ($1, $2, $3, $4)`,
			l.ID, r.name, r.salt, r.text)
		if err != nil {
			return fmt.Errorf("record text of act %s: %w", l.Act, err)
		}
	}
	if _, err = tx.Exec(ctx, `INSERT INTO audit_waiting (entry_id) VALUES ($1)`, l.ID); err != nil {
		return fmt.Errorf("record act %s: %w", l.Act, err)
	}
	return nil
}

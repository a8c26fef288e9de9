package officer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"sitthi/internal/store"
	"sitthi/person"
)

// Identity says that ThaID has proved an officer to be the person of his citizen ID. The names are those that ThaID told
// last, "" for none; the account keeps the ones that he gave himself.
type Identity struct {
	GivenName, FamilyName string
	ProvedAt              time.Time // the first time
	ToldAt                time.Time // the last time
}

// Proved reports whether ThaID has proved him at all.
func (i Identity) Proved() bool { return !i.ProvedAt.IsZero() }

// Name is the name as ThaID told it.
func (i Identity) Name() string { return strings.TrimSpace(i.GivenName + " " + i.FamilyName) }

// Differs reports whether ThaID told a name that is not the account's.
func (i Identity) Differs(a Account) bool {
	same := func(told, given string) bool { return told == "" || strings.EqualFold(told, given) }
	return !same(i.GivenName, a.GivenName) || !same(i.FamilyName, a.FamilyName)
}

// longestTold is as much of a name as is kept that another system told.
const longestTold = 200

// NoteIdentity keeps that ThaID has just proved an officer to be the person of his citizen ID; first is true when it had not
// before.
func NoteIdentity(ctx context.Context, tx *store.Tx, who person.ID, givenName, familyName string) (first bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE identities SET given_name = $2, family_name = $3, told_at = $4 WHERE person_id = $1`,
		who, readable(givenName), readable(familyName), store.Us(tx.Now))
	if err == nil && n == 0 {
		first = true
		_, err = tx.Exec(ctx, `INSERT INTO identities (person_id, given_name, family_name, proved_at, told_at) VALUES ($1, $2, $3, $4, $4)`,
			who, readable(givenName), readable(familyName), store.Us(tx.Now))
	}
	if err != nil {
		return false, fmt.Errorf("keep identity: %w", err)
	}
	return first, nil
}

// readable is a name that another system told, in the form that both engines store and pages show.
func readable(name string) string {
	name = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError {
			return -1
		}
		return r
	}, name)), " ")
	if runes := []rune(name); len(runes) > longestTold {
		name = string(runes[:longestTold])
	}
	return name
}

// IdentityOf answers what ThaID said of a person; the zero Identity when it has not proved him.
func IdentityOf(ctx context.Context, tx *store.Tx, who person.ID) (i Identity, err error) {
	err = tx.QueryRow(ctx, `SELECT given_name, family_name, proved_at, told_at FROM identities WHERE person_id = $1`, who).
		Scan(&i.GivenName, &i.FamilyName, store.At(&i.ProvedAt), store.At(&i.ToldAt))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Identity{}, fmt.Errorf("find identity: %w", err)
	}
	return i, nil
}

// Identity answers what ThaID said of an officer; the zero Identity when it has not proved him.
func (d *Desk) Identity(ctx context.Context, who person.ID) (i Identity, err error) {
	err = d.db.Read(ctx, func(tx *store.Tx) error {
		i, err = IdentityOf(ctx, tx, who)
		return err
	})
	return i, err
}

package officer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/person"
)

// Columns are the columns of accounts that ScanAccount reads, under the alias a, for queries that join them.
const Columns = `a.person_id, a.given_name, a.family_name, a.position, a.unit, a.email, a.phone, a.line_id,
	a.language, a.state, a.terms_version, a.terms_at, a.email_proved_at, a.phone_proved_at, a.registered_at,
	a.last_signin_at, a.version`

// Targets are what Columns are scanned into, in their order.
func (a *Account) Targets() []any {
	return []any{&a.Person, &a.GivenName, &a.FamilyName, &a.Position, &a.Unit, &a.Email, &a.Phone, &a.LineID,
		&a.Language, &a.State, &a.TermsVersion, store.At(&a.TermsAt), store.At(&a.EmailProvedAt),
		store.At(&a.PhoneProvedAt), store.At(&a.RegisteredAt), store.At(&a.LastSignIn), &a.Version}
}

func scanAccount(row store.Row) (Account, error) {
	var a Account
	err := row.Scan(a.Targets()...)
	return a, err
}

// Find returns the account of a person; problem.NotFound when he has not registered.
func Find(ctx context.Context, tx *store.Tx, who person.ID) (Account, error) {
	a, err := scanAccount(tx.QueryRow(ctx, `SELECT `+Columns+` FROM accounts a WHERE a.person_id = $1`, who))
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, problem.New(problem.NotFound, "officer.problem.unknown")
	}
	if err != nil {
		return Account{}, fmt.Errorf("find officer: %w", err)
	}
	return a, nil
}

// ByUnit lists the accounts that named the unit as their office, disabled ones too, in the order of their names.
func ByUnit(ctx context.Context, tx *store.Tx, unit string) ([]Account, error) {
	list, err := store.Rows(scanAccount)(tx.Query(ctx,
		`SELECT `+Columns+` FROM accounts a WHERE a.unit = $1 ORDER BY a.name_sort, a.person_id`, unit))
	if err != nil {
		return nil, fmt.Errorf("list officers of %s: %w", unit, err)
	}
	return list, nil
}

// Create adds an account with the hash of its password. Times that are zero and have to be there become the
// moment of the transaction, an empty State Active, an empty Language Thai. It fails with problem.Conflict when
// the person has an account already.
func Create(ctx context.Context, tx *store.Tx, a Account, passwordHash string) error {
	created, err := insert(ctx, tx, a, passwordHash)
	if err == nil && !created {
		return problem.New(problem.Conflict, "officer.problem.exists")
	}
	return err
}

// insert adds an account, unless the person has one.
func insert(ctx context.Context, tx *store.Tx, a Account, passwordHash string) (created bool, err error) {
	if a.TermsAt.IsZero() {
		a.TermsAt = tx.Now
	}
	if a.RegisteredAt.IsZero() {
		a.RegisteredAt = tx.Now
	}
	if a.LastSignIn.IsZero() {
		a.LastSignIn = a.RegisteredAt
	}
	if a.State == "" {
		a.State = Active
	}
	if a.Language == "" {
		a.Language = locale.TH
	}
	name := a.Name()
	n, err := tx.Exec(ctx, `INSERT INTO accounts (person_id, given_name, family_name, name_fold, name_sort, position,
			unit, email, phone, line_id, language, password_hash, state, terms_version, terms_at, email_proved_at,
			phone_proved_at, registered_at, last_signin_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
		ON CONFLICT (person_id) DO NOTHING`,
		a.Person, a.GivenName, a.FamilyName, thai.Fold(name), thai.SortKey(name), a.Position,
		a.Unit, a.Email, a.Phone, a.LineID, a.Language, passwordHash, a.State, a.TermsVersion, store.Us(a.TermsAt),
		store.Us(a.EmailProvedAt), store.Us(a.PhoneProvedAt), store.Us(a.RegisteredAt), store.Us(a.LastSignIn))
	if err != nil {
		return false, fmt.Errorf("add officer: %w", err)
	}
	return n == 1, nil
}

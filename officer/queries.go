package officer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/person"
)

// Columns are the columns of accounts that ScanAccount reads, under the alias a, for queries that join them.
const Columns = `a.person_id, a.given_name, a.family_name, a.position, a.unit, a.email, a.phone, a.line_id,
	a.language, a.notices, a.state, a.terms_version, a.terms_at, a.email_proved_at, a.phone_proved_at, a.email_since,
	a.phone_since, a.registered_at, a.last_signin_at, a.version`

// Targets are what Columns are scanned into, in their order.
func (a *Account) Targets() []any {
	return []any{&a.Person, &a.GivenName, &a.FamilyName, &a.Position, &a.Unit, &a.Email, &a.Phone, &a.LineID,
		&a.Language, &a.Notices, &a.State, &a.TermsVersion, store.At(&a.TermsAt), store.At(&a.EmailProvedAt),
		store.At(&a.PhoneProvedAt), store.At(&a.EmailSince), store.At(&a.PhoneSince), store.At(&a.RegisteredAt),
		store.At(&a.LastSignIn), &a.Version}
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

func updateLanguage(ctx context.Context, tx *store.Tx, who person.ID, lang locale.Lang) error {
	n, err := tx.Exec(ctx, `UPDATE accounts SET language = $2, version = version + 1 WHERE person_id = $1`, who, lang)
	if err != nil {
		return fmt.Errorf("set language of officer: %w", err)
	}
	if n == 0 {
		return problem.New(problem.NotFound, "officer.problem.unknown")
	}
	return nil
}

func updateNotices(ctx context.Context, tx *store.Tx, who person.ID, notices string) error {
	_, err := tx.Exec(ctx, `UPDATE accounts SET notices = $2, version = version + 1 WHERE person_id = $1`, who, notices)
	if err != nil {
		return fmt.Errorf("set notices of officer: %w", err)
	}
	return nil
}

func insertRegistration(ctx context.Context, tx *store.Tx, r registration) error {
	_, err := tx.Exec(ctx, `INSERT INTO registrations (id, browser, form_sealed, email_index, phone_index, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		r.id, r.browser, r.sealed, r.emailIndex, r.phoneIndex, store.Us(tx.Now), store.Us(r.expiresAt))
	if err != nil {
		return fmt.Errorf("add registration: %w", err)
	}
	return nil
}

// selectRegistration finds the registration of a browser that has not run out.
func selectRegistration(ctx context.Context, tx *store.Tx, id, browser string) (registration, error) {
	var r registration
	err := tx.QueryRow(ctx, `SELECT id, browser, form_sealed, email_index, phone_index, email_proved_at,
			phone_proved_at, reference, sent_at, expires_at, outcome
		FROM registrations WHERE id = $1 AND browser = $2 AND expires_at > $3`, id, browser, store.Us(tx.Now)).
		Scan(&r.id, &r.browser, &r.sealed, &r.emailIndex, &r.phoneIndex, store.At(&r.emailProvedAt),
			store.At(&r.phoneProvedAt), &r.reference, store.At(&r.sentAt), store.At(&r.expiresAt), &r.outcome)
	if errors.Is(err, sql.ErrNoRows) {
		return registration{}, errNoFlow()
	}
	if err != nil {
		return registration{}, fmt.Errorf("find registration: %w", err)
	}
	return r, nil
}

func updateSent(ctx context.Context, tx *store.Tx, r registration) error {
	_, err := tx.Exec(ctx, `UPDATE registrations SET reference = $2, sent_at = $3 WHERE id = $1`,
		r.id, r.reference, store.Us(r.sentAt))
	if err != nil {
		return fmt.Errorf("note code sent: %w", err)
	}
	return nil
}

func updateProved(ctx context.Context, tx *store.Tx, r registration) error {
	_, err := tx.Exec(ctx, `UPDATE registrations SET email_proved_at = $2, phone_proved_at = $3, reference = $4, sent_at = $5
		WHERE id = $1`, r.id, store.Us(r.emailProvedAt), store.Us(r.phoneProvedAt), r.reference, store.Us(r.sentAt))
	if err != nil {
		return fmt.Errorf("note contact proved: %w", err)
	}
	return nil
}

// updateFinished ends a registration and wipes the form.
func updateFinished(ctx context.Context, tx *store.Tx, r registration, networkIndex string) error {
	_, err := tx.Exec(ctx, `UPDATE registrations SET outcome = $2, finished_at = $3, network_index = $4, form_sealed = $5
		WHERE id = $1`, r.id, r.outcome, store.Us(tx.Now), networkIndex, []byte{})
	if err != nil {
		return fmt.Errorf("finish registration: %w", err)
	}
	return nil
}

// told is how often within a day it was told that some citizen ID has an account.
type told struct{ contact, network int }

// countExisting counts for the contacts that the registration has proved, and for the network. A contact that was
// only typed counts for nobody.
func countExisting(ctx context.Context, tx *store.Tx, r registration, networkIndex string) (told, error) {
	var n told
	phone := ""
	if !r.phoneProvedAt.IsZero() {
		phone = r.phoneIndex
	}
	err := tx.QueryRow(ctx, `SELECT
			count(CASE WHEN email_index = $1 OR phone_index = $2 AND phone_proved_at IS NOT NULL THEN 1 END),
			count(CASE WHEN network_index = $3 THEN 1 END)
		FROM registrations WHERE outcome = 'existing' AND finished_at > $4`,
		r.emailIndex, phone, networkIndex, store.Us(tx.Now.Add(-day))).Scan(&n.contact, &n.network)
	if err != nil {
		return told{}, fmt.Errorf("count answers: %w", err)
	}
	return n, nil
}

func insertContactChange(ctx context.Context, tx *store.Tx, c contactChange, by Owner, sealed []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO contact_changes (id, person_id, session_id, browser, channel, contact_sealed, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		c.ID, by.Person, by.Session, seal.TokenHash(by.Browser), string(c.Channel), sealed, store.Us(tx.Now), store.Us(tx.Now.Add(contactLife)))
	if err != nil {
		return fmt.Errorf("add change of contact: %w", err)
	}
	return nil
}

// selectContactChange finds a change that has not run out, of the person, in his session and browser.
func selectContactChange(ctx context.Context, tx *store.Tx, by Owner, id string) (c contactChange, err error) {
	var doneAt time.Time
	err = tx.QueryRow(ctx, `SELECT id, channel, contact_sealed, reference, sent_at, done_at FROM contact_changes
		WHERE id = $1 AND person_id = $2 AND session_id = $3 AND browser = $4 AND expires_at > $5`,
		id, by.Person, by.Session, seal.TokenHash(by.Browser), store.Us(tx.Now)).
		Scan(&c.ID, &c.Channel, &c.sealed, &c.Reference, store.At(&c.SentAt), store.At(&doneAt))
	if errors.Is(err, sql.ErrNoRows) {
		return contactChange{}, problem.New(problem.NotFound, "officer.problem.no_change")
	}
	if err != nil {
		return contactChange{}, fmt.Errorf("find change of contact: %w", err)
	}
	c.Done = !doneAt.IsZero()
	return c, nil
}

func updateContactSent(ctx context.Context, tx *store.Tx, c contactChange) error {
	_, err := tx.Exec(ctx, `UPDATE contact_changes SET reference = $2, sent_at = $3 WHERE id = $1`, c.ID, c.Reference, store.Us(c.SentAt))
	if err != nil {
		return fmt.Errorf("note code of new contact: %w", err)
	}
	return nil
}

// updateContact keeps a proved contact. The 72 hours begin when it is another one than before.
func updateContact(ctx context.Context, tx *store.Tx, who person.ID, channel notify.Channel, to string, another bool) error {
	column := "email"
	if channel == notify.SMS {
		column = "phone"
	}
	_, err := tx.Exec(ctx, `UPDATE accounts SET `+column+` = $2, `+column+`_proved_at = $3,
			`+column+`_since = CASE WHEN $4 THEN $3 ELSE `+column+`_since END, version = version + 1
		WHERE person_id = $1`, who, to, store.Us(tx.Now), another)
	if err != nil {
		return fmt.Errorf("change contact: %w", err)
	}
	return nil
}

// endContactChanges marks a change as done and ends what else the person began on the channel: a code that still travels
// changes nothing any more.
func endContactChanges(ctx context.Context, tx *store.Tx, who person.ID, c contactChange) error {
	if _, err := tx.Exec(ctx, `UPDATE contact_changes SET done_at = $2, contact_sealed = $3 WHERE id = $1`,
		c.ID, store.Us(tx.Now), []byte{}); err != nil {
		return fmt.Errorf("finish change of contact: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE contact_changes SET expires_at = $4, contact_sealed = $5
		WHERE person_id = $1 AND channel = $2 AND id <> $3 AND done_at IS NULL AND expires_at > $4`,
		who, string(c.Channel), c.ID, store.Us(tx.Now), []byte{}); err != nil {
		return fmt.Errorf("end other changes of contact: %w", err)
	}
	return nil
}

// updateProfile writes what an officer says about himself, if nobody changed the account since he read it; otherwise it
// fails with Conflict.
func updateProfile(ctx context.Context, tx *store.Tx, who person.ID, f ProfileForm) error {
	n, err := tx.Exec(ctx, `UPDATE accounts SET position = $3, unit = $4, line_id = $5, version = version + 1
		WHERE person_id = $1 AND version = $2`, who, f.Version, f.Position, f.Unit, f.LineID)
	if err != nil {
		return fmt.Errorf("change profile: %w", err)
	}
	if n == 0 {
		return problem.New(problem.Conflict, "officer.problem.changed_meanwhile")
	}
	return nil
}

func updateTerms(ctx context.Context, tx *store.Tx, who person.ID, version string) error {
	_, err := tx.Exec(ctx, `UPDATE accounts SET terms_version = $2, terms_at = $3, version = version + 1 WHERE person_id = $1`,
		who, version, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("accept terms: %w", err)
	}
	return nil
}

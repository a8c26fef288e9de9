package signin

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/webauthn"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/person"
)

func scanPasskey(row store.Row) (p Passkey, err error) {
	err = row.Scan(&p.ID, &p.Name, store.At(&p.CreatedAt), store.At(&p.UsedAt))
	return p, err
}

func selectPasskeys(ctx context.Context, tx *store.Tx, who person.ID) ([]Passkey, error) {
	list, err := store.Rows(scanPasskey)(tx.Query(ctx, `SELECT id, name, created_at, used_at FROM passkeys
		WHERE person_id = $1 ORDER BY created_at, id`, who))
	if err != nil {
		return nil, fmt.Errorf("list passkeys: %w", err)
	}
	return list, nil
}

func scanCredential(row store.Row) (c webauthn.Credential, err error) {
	var record string
	var count int64
	if err := row.Scan(&record, &count); err != nil {
		return c, err
	}
	if err := json.Unmarshal([]byte(record), &c); err != nil {
		return c, fmt.Errorf("read passkey: %w", err)
	}
	c.Authenticator.SignCount = uint32(count)
	return c, nil
}

func selectCredentials(ctx context.Context, tx *store.Tx, who person.ID) ([]webauthn.Credential, error) {
	list, err := store.Rows(scanCredential)(tx.Query(ctx, `SELECT record, sign_count FROM passkeys WHERE person_id = $1 ORDER BY id`, who))
	if err != nil {
		return nil, fmt.Errorf("find passkeys: %w", err)
	}
	return list, nil
}

// credentialName is what an authenticator calls its credential, as text.
func credentialName(c webauthn.Credential) string { return base64.RawURLEncoding.EncodeToString(c.ID) }

// insertPasskey keeps a passkey; problem.Denied when its authenticator names it like another one.
func insertPasskey(ctx context.Context, tx *store.Tx, id string, who person.ID, name string, c webauthn.Credential) error {
	record, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("write passkey: %w", err)
	}
	n, err := tx.Exec(ctx, `INSERT INTO passkeys (id, person_id, credential, name, record, sign_count, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (credential) DO NOTHING`,
		id, who, credentialName(c), name, string(record), int64(c.Authenticator.SignCount), store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("add passkey: %w", err)
	}
	if n == 0 {
		return errWrongPasskey()
	}
	return nil
}

// updatePasskeyUsed notes a use; taken is false when the authenticator counts and has counted no further than before.
func updatePasskeyUsed(ctx context.Context, tx *store.Tx, who person.ID, c webauthn.Credential) (taken bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE passkeys SET sign_count = $3, used_at = $4
		WHERE person_id = $1 AND credential = $2 AND (sign_count < $3 OR sign_count = 0)`,
		who, credentialName(c), int64(c.Authenticator.SignCount), store.Us(tx.Now))
	if err != nil {
		return false, fmt.Errorf("use passkey: %w", err)
	}
	return n == 1, nil
}

func deletePasskey(ctx context.Context, tx *store.Tx, who person.ID, id string) error {
	n, err := tx.Exec(ctx, `DELETE FROM passkeys WHERE person_id = $1 AND id = $2`, who, id)
	if err != nil {
		return fmt.Errorf("remove passkey: %w", err)
	}
	if n == 0 {
		return problem.New(problem.NotFound, "signin.problem.no_passkey")
	}
	return nil
}

func insertChallenge(ctx context.Context, tx *store.Tx, id, browserHash, purpose, subject, state string) error {
	_, err := tx.Exec(ctx, `INSERT INTO challenges (id, browser, purpose, subject, state, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		id, browserHash, purpose, subject, state, store.Us(tx.Now.Add(challengeLife)))
	if err != nil {
		return fmt.Errorf("write challenge: %w", err)
	}
	return nil
}

// updateChallenge uses a challenge up; problem.NotFound for one that was used, is over, or is for something else.
func updateChallenge(ctx context.Context, tx *store.Tx, id, browserHash, purpose, subject string) (state string, err error) {
	err = tx.QueryRow(ctx, `UPDATE challenges SET used_at = $5
		WHERE id = $1 AND browser = $2 AND purpose = $3 AND subject = $4 AND used_at IS NULL AND expires_at > $5
		RETURNING state`, id, browserHash, purpose, subject, store.Us(tx.Now)).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return "", problem.New(problem.NotFound, "signin.problem.no_challenge")
	}
	if err != nil {
		return "", fmt.Errorf("use challenge: %w", err)
	}
	return state, nil
}

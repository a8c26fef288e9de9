package signin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
)

var sessionColumns = `s.id, s.person_id, s.created_at, s.seen_at, s.stepup_at, s.address, s.agent, s.short_password, s.thaid, ` +
	hasFactor("s.person_id") + `, ` + officer.Columns

func scanSession(row store.Row) (Session, error) {
	var s Session
	err := row.Scan(append([]any{&s.ID, &s.Person, store.At(&s.CreatedAt), store.At(&s.SeenAt),
		store.At(&s.SteppedUpAt), &s.Address, &s.Agent, &s.ShortPassword, &s.ThaID, &s.Factor}, s.Account.Targets()...)...)
	return s, err
}

// selectSession finds a session that was not ended; whether it is still live is for the caller to say.
func selectSession(ctx context.Context, tx *store.Tx, tokenHash string) (Session, error) {
	s, err := scanSession(tx.QueryRow(ctx, `SELECT `+sessionColumns+`
		FROM sessions s JOIN accounts a ON a.person_id = s.person_id
		WHERE s.token_hash = $1 AND s.ended_at IS NULL`, tokenHash))
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, errNoSession()
	}
	if err != nil {
		return Session{}, fmt.Errorf("find session: %w", err)
	}
	return s, nil
}

// selectFormer finds a session by the token it had before its last rotation, if that was after the moment given.
func selectFormer(ctx context.Context, tx *store.Tx, tokenHash string, after time.Time) (Session, error) {
	s, err := scanSession(tx.QueryRow(ctx, `SELECT `+sessionColumns+`
		FROM sessions s JOIN accounts a ON a.person_id = s.person_id
		WHERE s.former_hash = $1 AND s.rotated_at > $2 AND s.ended_at IS NULL`, tokenHash, store.Us(after)))
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, errNoSession()
	}
	if err != nil {
		return Session{}, fmt.Errorf("find session: %w", err)
	}
	return s, nil
}

func selectSessions(ctx context.Context, tx *store.Tx, who person.ID, seenAfter, createdAfter time.Time) ([]Session, error) {
	list, err := store.Rows(scanSession)(tx.Query(ctx, `SELECT `+sessionColumns+`
		FROM sessions s JOIN accounts a ON a.person_id = s.person_id
		WHERE s.person_id = $1 AND s.ended_at IS NULL AND s.seen_at > $2 AND s.created_at > $3
		ORDER BY s.seen_at DESC, s.id`, who, store.Us(seenAfter), store.Us(createdAfter)))
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return list, nil
}

func insertSession(ctx context.Context, tx *store.Tx, id string, o Opened, who person.ID, in In) error {
	_, err := tx.Exec(ctx, `INSERT INTO sessions (id, token_hash, device, person_id, created_at, seen_at, stepup_at, address, agent, short_password, thaid)
		VALUES ($1, $2, $3, $4, $5, $5, $5, $6, $7, $8, $9)`,
		id, seal.TokenHash(o.Token), seal.TokenHash(o.DeviceToken), who, store.Us(tx.Now), in.Address, shorten(in.Agent), in.short, in.thaid)
	if err != nil {
		return fmt.Errorf("open session: %w", err)
	}
	return nil
}

// shorten keeps of a browser's name for itself what a person would read, in the form that both engines store.
func shorten(agent string) string {
	const most = 300
	clean := make([]rune, 0, min(len(agent), most))
	for _, r := range agent {
		if len(clean) == most {
			break
		}
		if r >= ' ' && r != utf8.RuneError {
			clean = append(clean, r)
		}
	}
	return string(clean)
}

func updateSeen(ctx context.Context, tx *store.Tx, session string) error {
	_, err := tx.Exec(ctx, `UPDATE sessions SET seen_at = $2 WHERE id = $1 AND ended_at IS NULL AND seen_at < $2`,
		session, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("note that a session was seen: %w", err)
	}
	return nil
}

// updateStepUp moves on a step-up that was given after the moment named.
func updateStepUp(ctx context.Context, tx *store.Tx, session string, after time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE sessions SET stepup_at = $2
		WHERE id = $1 AND ended_at IS NULL AND stepup_at > $3 AND stepup_at < $2`,
		session, store.Us(tx.Now), store.Us(after))
	if err != nil {
		return fmt.Errorf("move step-up on: %w", err)
	}
	return nil
}

func updateToken(ctx context.Context, tx *store.Tx, session, tokenHash string) error {
	n, err := tx.Exec(ctx, `UPDATE sessions SET former_hash = token_hash, rotated_at = $3, token_hash = $2, stepup_at = $3, seen_at = $3
		WHERE id = $1 AND ended_at IS NULL`, session, tokenHash, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("rotate session: %w", err)
	}
	if n == 0 {
		return errNoSession()
	}
	return nil
}

func updateEnded(ctx context.Context, tx *store.Tx, who person.ID, session, reason string) error {
	n, err := tx.Exec(ctx, `UPDATE sessions SET ended_at = $3, end_reason = $4
		WHERE id = $1 AND person_id = $2 AND ended_at IS NULL`, session, who, store.Us(tx.Now), reason)
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	if n == 0 {
		return errNoSession()
	}
	return nil
}

func updateReplaced(ctx context.Context, tx *store.Tx, tokenHash string) error {
	_, err := tx.Exec(ctx, `UPDATE sessions SET ended_at = $2, end_reason = $3
		WHERE token_hash = $1 AND ended_at IS NULL`, tokenHash, store.Us(tx.Now), endedBySignIn)
	if err != nil {
		return fmt.Errorf("end session before a new one: %w", err)
	}
	return nil
}

func updateAllEnded(ctx context.Context, tx *store.Tx, who person.ID, reason string) error {
	_, err := tx.Exec(ctx, `UPDATE sessions SET ended_at = $2, end_reason = $3
		WHERE person_id = $1 AND ended_at IS NULL`, who, store.Us(tx.Now), reason)
	if err != nil {
		return fmt.Errorf("end all sessions: %w", err)
	}
	return nil
}

// selectDevice tells whether a person has signed in from this browser before.
func selectDevice(ctx context.Context, tx *store.Tx, citizenIndex, deviceHash string) (known bool, err error) {
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM devices d JOIN persons p ON p.id = d.person_id
		WHERE d.token_hash = $1 AND p.citizen_index = $2)`, deviceHash, citizenIndex).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("find device: %w", err)
	}
	return known, nil
}

// selectDeviceOf tells the same of a person who is known.
func selectDeviceOf(ctx context.Context, tx *store.Tx, who person.ID, deviceHash string) (known bool, err error) {
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM devices WHERE person_id = $1 AND token_hash = $2)`, who, deviceHash).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("find device: %w", err)
	}
	return known, nil
}

// upsertDevice remembers a browser. first says that the person had none before, fresh that he had not this one.
func upsertDevice(ctx context.Context, tx *store.Tx, who person.ID, deviceHash, agent string) (first, fresh bool, err error) {
	err = tx.QueryRow(ctx, `SELECT NOT EXISTS (SELECT 1 FROM devices WHERE person_id = $1),
		NOT EXISTS (SELECT 1 FROM devices WHERE person_id = $1 AND token_hash = $2)`, who, deviceHash).Scan(&first, &fresh)
	if err != nil {
		return false, false, fmt.Errorf("find device: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO devices (token_hash, person_id, created_at, seen_at, agent) VALUES ($1, $2, $3, $3, $4)
		ON CONFLICT (token_hash, person_id) DO UPDATE SET seen_at = excluded.seen_at, agent = excluded.agent`,
		deviceHash, who, store.Us(tx.Now), shorten(agent))
	if err != nil {
		return false, false, fmt.Errorf("know device: %w", err)
	}
	return first, fresh, nil
}

func scanDevice(row store.Row) (d Device, err error) {
	err = row.Scan(&d.ID, &d.Agent, store.At(&d.KnownAt), store.At(&d.SeenAt))
	return d, err
}

// devicesShown is how many browsers of a person are listed.
const devicesShown = 50

func selectDevices(ctx context.Context, tx *store.Tx, who person.ID) ([]Device, error) {
	list, err := store.Rows(scanDevice)(tx.Query(ctx, `SELECT token_hash, agent, created_at, seen_at FROM devices
		WHERE person_id = $1 ORDER BY seen_at DESC, token_hash LIMIT $2`, who, devicesShown))
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	return list, nil
}

// updateDeviceEnded ends the sessions of a person in one browser.
func updateDeviceEnded(ctx context.Context, tx *store.Tx, who person.ID, device string) error {
	_, err := tx.Exec(ctx, `UPDATE sessions SET ended_at = $3, end_reason = $4
		WHERE person_id = $1 AND device = $2 AND ended_at IS NULL`, who, device, store.Us(tx.Now), endedByPerson)
	if err != nil {
		return fmt.Errorf("end sessions of device: %w", err)
	}
	return nil
}

func deleteDevice(ctx context.Context, tx *store.Tx, who person.ID, id string) error {
	n, err := tx.Exec(ctx, `DELETE FROM devices WHERE person_id = $1 AND token_hash = $2`, who, id)
	if err != nil {
		return fmt.Errorf("forget device: %w", err)
	}
	if n == 0 {
		return problem.New(problem.NotFound, "signin.problem.no_device")
	}
	return nil
}

// accountOf picks the account of a try's subject.
type accountOf string

const (
	accountByIndex  accountOf = `person_id = (SELECT id FROM persons WHERE citizen_index = $1)`
	accountByPerson accountOf = `person_id = $1`
)

// updateTry counts a try against the account of its subject, up to so many failures, and reads what is needed to
// judge it: the same statements whether or not there is an account.
func updateTry(ctx context.Context, tx *store.Tx, t *try, account accountOf, most int64) error {
	n, err := tx.Exec(ctx, `UPDATE accounts SET failures = failures + 1 WHERE `+string(account)+` AND failures < $2`,
		t.subject, most)
	if err != nil {
		return fmt.Errorf("count try: %w", err)
	}
	t.counted = n == 1
	var state officer.State
	err = tx.QueryRow(ctx, `SELECT person_id, unit, password_hash, password_off, state, failures FROM accounts WHERE `+string(account),
		t.subject).Scan(&t.who, &t.unit, &t.hash, &t.off, &state, &t.count)
	if errors.Is(err, sql.ErrNoRows) {
		t.who = ""
		return nil
	}
	if err != nil {
		return fmt.Errorf("read account of try: %w", err)
	}
	t.enabled = state == officer.Active
	return nil
}

// updateProved takes a right password to the account, unless something changed there since it was compared.
func updateProved(ctx context.Context, tx *store.Tx, t try, rehash string) error {
	if rehash == "" {
		rehash = t.hash
	}
	n, err := tx.Exec(ctx, `UPDATE accounts SET failures = 0, password_off = FALSE, password_hash = $3
		WHERE person_id = $1 AND password_hash = $2 AND state = $4 AND ($5 OR NOT password_off)`,
		t.who, t.hash, rehash, officer.Active, t.known)
	if err != nil {
		return fmt.Errorf("note right password: %w", err)
	}
	if n == 0 {
		return problem.New(problem.Denied, t.wrong)
	}
	return nil
}

// updateLastSignIn starts the 60 days again.
func updateLastSignIn(ctx context.Context, tx *store.Tx, who person.ID) error {
	_, err := tx.Exec(ctx, `UPDATE accounts SET last_signin_at = $2 WHERE person_id = $1`, who, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("note sign-in: %w", err)
	}
	return nil
}

func updateOff(ctx context.Context, tx *store.Tx, who person.ID, failures int64) (switched bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE accounts SET password_off = TRUE
		WHERE person_id = $1 AND failures >= $2 AND NOT password_off`, who, failures)
	if err != nil {
		return false, fmt.Errorf("switch password off: %w", err)
	}
	return n == 1, nil
}

func updateReopened(ctx context.Context, tx *store.Tx, who person.ID) error {
	_, err := tx.Exec(ctx, `UPDATE accounts SET failures = 0, password_off = FALSE WHERE person_id = $1`, who)
	if err != nil {
		return fmt.Errorf("switch password on: %w", err)
	}
	return nil
}

// selectReset finds a reset that is under way or done, in its own browser.
func selectReset(ctx context.Context, tx *store.Tx, id, browserHash string) (reset, error) {
	var r reset
	var channel, language string
	err := tx.QueryRow(ctx, `SELECT id, subject, language, channel, reference, sent_at, proved_at, factor_at, done_at FROM resets
		WHERE id = $1 AND browser = $2 AND expires_at > $3`, id, browserHash, store.Us(tx.Now)).
		Scan(&r.ID, &r.subject, &language, &channel, &r.Reference, store.At(&r.SentAt), store.At(&r.provedAt), store.At(&r.factorAt), store.At(&r.doneAt))
	if errors.Is(err, sql.ErrNoRows) {
		return reset{}, errNoReset()
	}
	if err != nil {
		return reset{}, fmt.Errorf("find reset: %w", err)
	}
	r.Channel, r.language = notify.Channel(channel), locale.Lang(language)
	r.Step = r.step()
	if r.Step == ResetPassword && r.factorAt.IsZero() {
		owner, err := Owner(ctx, tx, r.subject)
		if err != nil {
			return reset{}, err
		}
		asked, err := selectHasFactor(ctx, tx, owner.Person)
		if err != nil {
			return reset{}, err
		}
		if asked {
			r.Step = ResetFactor
		}
	}
	return r, nil
}

func insertReset(ctx context.Context, tx *store.Tx, r reset, browserHash string, expires time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO resets (id, browser, subject, language, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.ID, browserHash, r.subject, string(r.language), store.Us(tx.Now), store.Us(expires))
	if err != nil {
		return fmt.Errorf("begin reset: %w", err)
	}
	return nil
}

func updateResetSent(ctx context.Context, tx *store.Tx, r Reset) error {
	_, err := tx.Exec(ctx, `UPDATE resets SET channel = $2, reference = $3, sent_at = $4 WHERE id = $1`,
		r.ID, string(r.Channel), r.Reference, store.Us(r.SentAt))
	if err != nil {
		return fmt.Errorf("note code of reset: %w", err)
	}
	return nil
}

func updateResetProved(ctx context.Context, tx *store.Tx, id string, expires time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE resets SET proved_at = $2, expires_at = $3 WHERE id = $1`, id, store.Us(tx.Now), store.Us(expires))
	if err != nil {
		return fmt.Errorf("note proof of reset: %w", err)
	}
	return nil
}

func updateResetFactor(ctx context.Context, tx *store.Tx, id string) error {
	_, err := tx.Exec(ctx, `UPDATE resets SET factor_at = $2 WHERE id = $1`, id, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("note second factor of reset: %w", err)
	}
	return nil
}

// updateResetDone takes a reset whose contact was proved; taken is false when it was taken before or is over.
func updateResetDone(ctx context.Context, tx *store.Tx, id, browserHash string) (taken bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE resets SET done_at = $3
		WHERE id = $1 AND browser = $2 AND proved_at IS NOT NULL AND done_at IS NULL AND expires_at > $3`, id, browserHash, store.Us(tx.Now))
	if err != nil {
		return false, fmt.Errorf("finish reset: %w", err)
	}
	return n == 1, nil
}

// endResets ends what else was begun for the same citizen ID: a code that still travels opens nothing any more.
func endResets(ctx context.Context, tx *store.Tx, subject, except string) error {
	_, err := tx.Exec(ctx, `UPDATE resets SET expires_at = $3 WHERE subject = $1 AND id <> $2 AND done_at IS NULL AND expires_at > $3`,
		subject, except, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("end other resets: %w", err)
	}
	return nil
}

// Owner finds the account behind the blind index of a citizen ID; problem.NotFound when there is none.
func Owner(ctx context.Context, tx *store.Tx, subject string) (a officer.Account, err error) {
	err = tx.QueryRow(ctx, `SELECT `+officer.Columns+` FROM accounts a WHERE a.`+string(accountByIndex), subject).Scan(a.Targets()...)
	if errors.Is(err, sql.ErrNoRows) {
		return a, problem.New(problem.NotFound, "officer.problem.unknown")
	}
	if err != nil {
		return a, fmt.Errorf("find account: %w", err)
	}
	return a, nil
}

// updatePassword sets a password, which is then on again however often it was guessed at.
func updatePassword(ctx context.Context, tx *store.Tx, who person.ID, hash string) error {
	_, err := tx.Exec(ctx, `UPDATE accounts SET password_hash = $2, password_off = FALSE, failures = 0, version = version + 1
		WHERE person_id = $1`, who, hash)
	if err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	return nil
}

func deleteDevicesOf(ctx context.Context, tx *store.Tx, who person.ID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM devices WHERE person_id = $1`, who); err != nil {
		return fmt.Errorf("forget devices: %w", err)
	}
	return nil
}

// selectActivation finds a way back in, in its own browser.
func selectActivation(ctx context.Context, tx *store.Tx, id, browserHash string) (activation, error) {
	var a activation
	var channel, outcome string
	err := tx.QueryRow(ctx, `SELECT v.id, v.channel, v.reference, v.sent_at, v.asked_at, v.decided_at, v.outcome, v.reason, `+officer.Columns+`
		FROM activations v JOIN accounts a ON a.person_id = v.person_id
		WHERE v.id = $1 AND v.browser = $2 AND v.expires_at > $3`, id, browserHash, store.Us(tx.Now)).
		Scan(append([]any{&a.ID, &channel, &a.Reference, store.At(&a.SentAt), store.At(&a.AskedAt), store.At(&a.DecidedAt), &outcome, &a.Reason},
			a.account.Targets()...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return activation{}, errNoActivation()
	}
	if err != nil {
		return activation{}, fmt.Errorf("find way back in: %w", err)
	}
	a.Channel, a.outcome = notify.Channel(channel), outcome
	return a, nil
}

// insertActivation begins a way back in for a browser, or gives it the request of the same person that waits
// since the account was locked.
func insertActivation(ctx context.Context, tx *store.Tx, who person.ID, unit, browserHash string) (id string, err error) {
	err = tx.QueryRow(ctx, `UPDATE activations SET browser = $2, expires_at = $3
		WHERE person_id = $1 AND decided_at IS NULL AND asked_at > (SELECT a.last_signin_at FROM accounts a WHERE a.person_id = $1)
		RETURNING id`,
		who, browserHash, store.Us(tx.Now.Add(askedLife))).Scan(&id)
	if err == nil {
		return id, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("find request to be let in: %w", err)
	}
	id = store.NewID()
	if _, err := tx.Exec(ctx, `INSERT INTO activations (id, person_id, browser, unit, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		id, who, browserHash, unit, store.Us(tx.Now), store.Us(tx.Now.Add(resetLife))); err != nil {
		return "", fmt.Errorf("begin way back in: %w", err)
	}
	return id, nil
}

// endActivations closes the requests of a person that were never decided, because somebody else opened the account.
func endActivations(ctx context.Context, tx *store.Tx, who person.ID) error {
	_, err := tx.Exec(ctx, `UPDATE activations SET decided_at = $2, outcome = 'over'
		WHERE person_id = $1 AND asked_at IS NOT NULL AND decided_at IS NULL`, who, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("close request to be let in: %w", err)
	}
	return nil
}

func updateActivationSent(ctx context.Context, tx *store.Tx, a Activation) error {
	_, err := tx.Exec(ctx, `UPDATE activations SET channel = $2, reference = $3, sent_at = $4 WHERE id = $1`,
		a.ID, string(a.Channel), a.Reference, store.Us(a.SentAt))
	if err != nil {
		return fmt.Errorf("note code of way back in: %w", err)
	}
	return nil
}

// updateActivationAsked makes a request of a way back in.
func updateActivationAsked(ctx context.Context, tx *store.Tx, id string) error {
	_, err := tx.Exec(ctx, `UPDATE activations SET asked_at = $2, expires_at = $3 WHERE id = $1`,
		id, store.Us(tx.Now), store.Us(tx.Now.Add(askedLife)))
	if err != nil {
		return fmt.Errorf("ask to be let in: %w", err)
	}
	return nil
}

package agency

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
)

const unitColumns = `code, kind, name_th, name_en, short_th, short_en, sort_key, region,
	uses_review, considers, active, mailbox, version`

func scanUnit(row store.Row) (Unit, error) {
	var u Unit
	err := row.Scan(&u.Code, &u.Kind, &u.Name.TH, &u.Name.EN, &u.Short.TH, &u.Short.EN, &u.SortKey, &u.Region,
		&u.UsesReview, &u.Considers, &u.Active, &u.Mailbox, &u.Version)
	return u, err
}

func selectUnits(ctx context.Context, tx *store.Tx) ([]Unit, error) {
	units, err := store.Rows(scanUnit)(tx.Query(ctx, `SELECT `+unitColumns+` FROM units ORDER BY sort_key, code`))
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	return units, nil
}

func selectUnit(ctx context.Context, tx *store.Tx, code string) (Unit, error) {
	u, err := scanUnit(tx.QueryRow(ctx, `SELECT `+unitColumns+` FROM units WHERE code = $1`, code))
	if errors.Is(err, sql.ErrNoRows) {
		return Unit{}, problem.New(problem.NotFound, "agency.problem.unit")
	}
	if err != nil {
		return Unit{}, fmt.Errorf("find unit: %w", err)
	}
	return u, nil
}

const teamColumns = `unit, code, name_th, name_en, sort_key, active, version`

func scanTeam(row store.Row) (Team, error) {
	var t Team
	err := row.Scan(&t.Unit, &t.Code, &t.Name.TH, &t.Name.EN, &t.SortKey, &t.Active, &t.Version)
	return t, err
}

// selectTeams lists the groups of one unit, or of all when unit is "".
func selectTeams(ctx context.Context, tx *store.Tx, unit string) ([]Team, error) {
	teams, err := store.Rows(scanTeam)(tx.Query(ctx, `SELECT `+teamColumns+` FROM teams
		WHERE unit = $1 OR $1 = '' ORDER BY unit, sort_key, code`, unit))
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	return teams, nil
}

func selectTeam(ctx context.Context, tx *store.Tx, unit, code string) (Team, error) {
	t, err := scanTeam(tx.QueryRow(ctx, `SELECT `+teamColumns+` FROM teams WHERE unit = $1 AND code = $2`, unit, code))
	if errors.Is(err, sql.ErrNoRows) {
		return Team{}, problem.New(problem.NotFound, "agency.problem.team")
	}
	if err != nil {
		return Team{}, fmt.Errorf("find group: %w", err)
	}
	return t, nil
}

// loadUnit brings in a unit of the reference data, and brings one up to date that nobody has changed by hand.
func loadUnit(ctx context.Context, tx *store.Tx, u Unit) error {
	_, err := tx.Exec(ctx, `INSERT INTO units (`+unitColumns+`, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (code) DO UPDATE SET kind = excluded.kind, name_th = excluded.name_th, name_en = excluded.name_en,
			short_th = excluded.short_th, short_en = excluded.short_en, region = excluded.region,
			uses_review = excluded.uses_review, considers = excluded.considers, updated_at = excluded.updated_at
		WHERE units.version = 1 AND (units.kind <> excluded.kind OR units.name_th <> excluded.name_th
			OR units.name_en <> excluded.name_en OR units.short_th <> excluded.short_th
			OR units.short_en <> excluded.short_en OR units.region <> excluded.region
			OR units.uses_review <> excluded.uses_review OR units.considers <> excluded.considers)`,
		u.Code, u.Kind, u.Name.TH, u.Name.EN, u.Short.TH, u.Short.EN, u.SortKey, u.Region,
		u.UsesReview, u.Considers, u.Active, u.Mailbox, u.Version, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("load unit %s: %w", u.Code, err)
	}
	return nil
}

// setUnitSortKey and setTeamSortKey are no changes by hand: the version stays.
func setUnitSortKey(ctx context.Context, tx *store.Tx, code, key string) error {
	if _, err := tx.Exec(ctx, `UPDATE units SET sort_key = $2 WHERE code = $1`, code, key); err != nil {
		return fmt.Errorf("order unit %s: %w", code, err)
	}
	return nil
}

func setTeamSortKey(ctx context.Context, tx *store.Tx, t Team, key string) error {
	if _, err := tx.Exec(ctx, `UPDATE teams SET sort_key = $3 WHERE unit = $1 AND code = $2`, t.Unit, t.Code, key); err != nil {
		return fmt.Errorf("order group %s of %s: %w", t.Code, t.Unit, err)
	}
	return nil
}

func insertUnit(ctx context.Context, tx *store.Tx, u Unit) error {
	n, err := tx.Exec(ctx, `INSERT INTO units (`+unitColumns+`, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (code) DO NOTHING`,
		u.Code, u.Kind, u.Name.TH, u.Name.EN, u.Short.TH, u.Short.EN, u.SortKey, u.Region,
		u.UsesReview, u.Considers, u.Active, u.Mailbox, u.Version, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("add unit: %w", err)
	}
	if n == 0 {
		return taken()
	}
	return nil
}

// taken is the answer to a code that is in use.
func taken() error {
	var c problem.Check
	c.Fail("code", "agency.problem.code_taken")
	return c.Err()
}

// updateUnit writes what can change about a unit. The version was compared inside the same transaction.
func updateUnit(ctx context.Context, tx *store.Tx, u Unit) error {
	_, err := tx.Exec(ctx, `UPDATE units SET name_th = $2, name_en = $3, short_th = $4, short_en = $5, sort_key = $6,
			uses_review = $7, considers = $8, active = $9, version = version + 1, updated_at = $10
		WHERE code = $1`,
		u.Code, u.Name.TH, u.Name.EN, u.Short.TH, u.Short.EN, u.SortKey, u.UsesReview, u.Considers, u.Active,
		store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("change unit: %w", err)
	}
	return nil
}

// updateMailbox leaves the version as it is: the reference data knows no mailboxes, and goes on to bring names up to date
// where there is one. It tells whether the mailbox was still what was seen.
func updateMailbox(ctx context.Context, tx *store.Tx, code string, seen, mailbox thai.Email) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE units SET mailbox = $3, updated_at = $4 WHERE code = $1 AND mailbox = $2`, code, seen, mailbox, store.Us(tx.Now))
	if err != nil {
		return false, fmt.Errorf("change mailbox of unit: %w", err)
	}
	return n == 1, nil
}

func insertTeam(ctx context.Context, tx *store.Tx, t Team) error {
	n, err := tx.Exec(ctx, `INSERT INTO teams (`+teamColumns+`, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (unit, code) DO NOTHING`,
		t.Unit, t.Code, t.Name.TH, t.Name.EN, t.SortKey, t.Active, t.Version, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("add group: %w", err)
	}
	if n == 0 {
		return taken()
	}
	return nil
}

// updateTeam writes what can change about a group. The version was compared inside the same transaction.
func updateTeam(ctx context.Context, tx *store.Tx, t Team) error {
	_, err := tx.Exec(ctx, `UPDATE teams SET name_th = $3, name_en = $4, sort_key = $5, active = $6,
			version = version + 1, updated_at = $7
		WHERE unit = $1 AND code = $2`,
		t.Unit, t.Code, t.Name.TH, t.Name.EN, t.SortKey, t.Active, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("change group: %w", err)
	}
	return nil
}

// reviewLevel is level 2, กลั่นกรอง. The levels themselves are the book of rights' (package grant), which stands
// above this one.
const reviewLevel = 2

// countGrants counts the rights that hold or will hold in a unit; in one of its groups when team is not "", and at
// one level when level is not 0.
func countGrants(ctx context.Context, tx *store.Tx, unit, team string, level int) (int, error) {
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM grants
		WHERE unit = $1 AND (team = $2 OR $2 = '') AND (level = $3 OR $3 = 0)
			AND closed_at IS NULL AND (ends_at IS NULL OR ends_at > $4)`,
		unit, team, level, store.Us(tx.Now)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count rights: %w", err)
	}
	return n, nil
}

// countAppointments counts the appointments to a unit that hold, will hold or are proposed.
func countAppointments(ctx context.Context, tx *store.Tx, unit string) (int, error) {
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM appointments
		WHERE unit = $1 AND closed_at IS NULL AND (ends_at IS NULL OR ends_at > $2)`,
		unit, store.Us(tx.Now)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count appointments: %w", err)
	}
	return n, nil
}

package agency

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sitthi/internal/problem"
	"sitthi/internal/store"
)

const unitColumns = `code, kind, name_th, name_en, short_th, short_en, sort_key, region,
	uses_review, considers, active, version`

func scanUnit(row store.Row) (Unit, error) {
	var u Unit
	err := row.Scan(&u.Code, &u.Kind, &u.Name.TH, &u.Name.EN, &u.Short.TH, &u.Short.EN, &u.SortKey, &u.Region,
		&u.UsesReview, &u.Considers, &u.Active, &u.Version)
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
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (code) DO UPDATE SET kind = excluded.kind, name_th = excluded.name_th, name_en = excluded.name_en,
			short_th = excluded.short_th, short_en = excluded.short_en, region = excluded.region,
			uses_review = excluded.uses_review, considers = excluded.considers, updated_at = excluded.updated_at
		WHERE units.version = 1 AND (units.kind <> excluded.kind OR units.name_th <> excluded.name_th
			OR units.name_en <> excluded.name_en OR units.short_th <> excluded.short_th
			OR units.short_en <> excluded.short_en OR units.region <> excluded.region
			OR units.uses_review <> excluded.uses_review OR units.considers <> excluded.considers)`,
		u.Code, u.Kind, u.Name.TH, u.Name.EN, u.Short.TH, u.Short.EN, u.SortKey, u.Region,
		u.UsesReview, u.Considers, u.Active, u.Version, store.Us(tx.Now))
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

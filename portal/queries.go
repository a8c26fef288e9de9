package portal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sitthi/internal/problem"
	"sitthi/internal/store"
)

const systemColumns = `code, menu, name_th, name_en, address, version`

func scanSystem(row store.Row) (System, error) {
	var s System
	err := row.Scan(&s.Code, &s.Menu, &s.Name.TH, &s.Name.EN, &s.Address, &s.Version)
	return s, err
}

func selectSystems(ctx context.Context, tx *store.Tx) ([]System, error) {
	systems, err := store.Rows(scanSystem)(tx.Query(ctx, `SELECT `+systemColumns+` FROM systems ORDER BY position, code`))
	if err != nil {
		return nil, fmt.Errorf("list systems: %w", err)
	}
	return systems, nil
}

func selectSystem(ctx context.Context, tx *store.Tx, code string) (System, error) {
	s, err := scanSystem(tx.QueryRow(ctx, `SELECT `+systemColumns+` FROM systems WHERE code = $1`, code))
	if errors.Is(err, sql.ErrNoRows) {
		return System{}, problem.New(problem.NotFound, "portal.problem.system")
	}
	if err != nil {
		return System{}, fmt.Errorf("find system: %w", err)
	}
	return s, nil
}

// updateSystem writes the address. The version was compared inside the same transaction.
func updateSystem(ctx context.Context, tx *store.Tx, s System) error {
	_, err := tx.Exec(ctx, `UPDATE systems SET address = $2, version = version + 1, updated_at = $3 WHERE code = $1`,
		s.Code, s.Address, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("change system: %w", err)
	}
	return nil
}

// loadSystem brings in a system, and brings its place and name up to date; the address too unless somebody has
// entered another.
func loadSystem(ctx context.Context, tx *store.Tx, position int, s System) error {
	_, err := tx.Exec(ctx, `INSERT INTO systems (`+systemColumns+`, position, updated_at)
		VALUES ($1, $2, $3, $4, $5, 1, $6, $7)
		ON CONFLICT (code) DO UPDATE SET menu = excluded.menu, name_th = excluded.name_th, name_en = excluded.name_en,
			position = excluded.position, updated_at = excluded.updated_at,
			address = CASE WHEN systems.version = 1 THEN excluded.address ELSE systems.address END
		WHERE systems.menu <> excluded.menu OR systems.name_th <> excluded.name_th
			OR systems.name_en <> excluded.name_en OR systems.position <> excluded.position
			OR (systems.version = 1 AND systems.address <> excluded.address)`,
		s.Code, s.Menu, s.Name.TH, s.Name.EN, s.Address, position, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("load system %s: %w", s.Code, err)
	}
	return nil
}

const announcementColumns = `id, title_th, title_en, body_th, body_en, place, starts_at, ends_at, created_by, created_at,
	closed_at, version`

func scanAnnouncement(row store.Row) (Announcement, error) {
	var a Announcement
	err := row.Scan(&a.ID, &a.Title.TH, &a.Title.EN, &a.Body.TH, &a.Body.EN, &a.Place, store.At(&a.From), store.At(&a.Until),
		&a.CreatedBy, store.At(&a.CreatedAt), store.At(&a.ClosedAt), &a.Version)
	return a, err
}

// shownAt chooses what a place shows: the intranet shows the public announcements too.
const shownAt = ` (place = $1 OR $1 = 'officers') AND closed_at IS NULL`

func selectCurrent(ctx context.Context, tx *store.Tx, place Place) ([]Announcement, error) {
	list, err := store.Rows(scanAnnouncement)(tx.Query(ctx, `SELECT `+announcementColumns+` FROM announcements
		WHERE`+shownAt+` AND starts_at <= $2 AND (ends_at IS NULL OR ends_at > $2)
		ORDER BY starts_at DESC, id DESC`, place, store.Us(tx.Now)))
	if err != nil {
		return nil, fmt.Errorf("list announcements: %w", err)
	}
	return list, nil
}

func selectPast(ctx context.Context, tx *store.Tx, place Place, most int) ([]Announcement, error) {
	list, err := store.Rows(scanAnnouncement)(tx.Query(ctx, `SELECT `+announcementColumns+` FROM announcements
		WHERE`+shownAt+` AND ends_at <= $2
		ORDER BY starts_at DESC, id DESC LIMIT $3`, place, store.Us(tx.Now), most))
	if err != nil {
		return nil, fmt.Errorf("list past announcements: %w", err)
	}
	return list, nil
}

func selectAnnouncements(ctx context.Context, tx *store.Tx) ([]Announcement, error) {
	list, err := store.Rows(scanAnnouncement)(tx.Query(ctx, `SELECT `+announcementColumns+` FROM announcements
		ORDER BY starts_at DESC, id DESC`))
	if err != nil {
		return nil, fmt.Errorf("list all announcements: %w", err)
	}
	return list, nil
}

func selectAnnouncement(ctx context.Context, tx *store.Tx, id string) (Announcement, error) {
	a, err := scanAnnouncement(tx.QueryRow(ctx, `SELECT `+announcementColumns+` FROM announcements WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Announcement{}, problem.New(problem.NotFound, "portal.problem.announcement")
	}
	if err != nil {
		return Announcement{}, fmt.Errorf("find announcement: %w", err)
	}
	return a, nil
}

// insertAnnouncement adds an announcement; one with the same id stays as it is.
func insertAnnouncement(ctx context.Context, tx *store.Tx, a Announcement) error {
	_, err := tx.Exec(ctx, `INSERT INTO announcements (`+announcementColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING`,
		a.ID, a.Title.TH, a.Title.EN, a.Body.TH, a.Body.EN, a.Place, store.Us(a.From), store.Us(a.Until),
		a.CreatedBy, store.Us(a.CreatedAt), store.Us(a.ClosedAt), a.Version)
	if err != nil {
		return fmt.Errorf("add announcement: %w", err)
	}
	return nil
}

// updateAnnouncement writes what can change. The version was compared inside the same transaction.
func updateAnnouncement(ctx context.Context, tx *store.Tx, a Announcement) error {
	_, err := tx.Exec(ctx, `UPDATE announcements SET title_th = $2, title_en = $3, body_th = $4, body_en = $5, place = $6,
			starts_at = $7, ends_at = $8, closed_at = $9, version = version + 1
		WHERE id = $1`,
		a.ID, a.Title.TH, a.Title.EN, a.Body.TH, a.Body.EN, a.Place, store.Us(a.From), store.Us(a.Until), store.Us(a.ClosedAt))
	if err != nil {
		return fmt.Errorf("change announcement: %w", err)
	}
	return nil
}

const cutoverColumns = `id, system, owner, starts_at, note_th, note_en, address, created_by, created_at, closed_at, version`

func scanCutover(row store.Row) (Cutover, error) {
	var c Cutover
	err := row.Scan(&c.ID, &c.System, &c.Owner, store.At(&c.From), &c.Note.TH, &c.Note.EN, &c.Link, &c.CreatedBy,
		store.At(&c.CreatedAt), store.At(&c.ClosedAt), &c.Version)
	return c, err
}

// selectLiveCutovers lists the cut-overs of a system that were not withdrawn, the earliest first.
func selectLiveCutovers(ctx context.Context, tx *store.Tx, system string) ([]Cutover, error) {
	list, err := store.Rows(scanCutover)(tx.Query(ctx, `SELECT `+cutoverColumns+` FROM cutovers
		WHERE system = $1 AND closed_at IS NULL ORDER BY starts_at`, system))
	if err != nil {
		return nil, fmt.Errorf("list cut-overs in force: %w", err)
	}
	return list, nil
}

func selectCutovers(ctx context.Context, tx *store.Tx, system string) ([]Cutover, error) {
	list, err := store.Rows(scanCutover)(tx.Query(ctx, `SELECT `+cutoverColumns+` FROM cutovers
		WHERE system = $1 ORDER BY starts_at DESC, id DESC`, system))
	if err != nil {
		return nil, fmt.Errorf("list cut-overs: %w", err)
	}
	return list, nil
}

func selectCutover(ctx context.Context, tx *store.Tx, id string) (Cutover, error) {
	c, err := scanCutover(tx.QueryRow(ctx, `SELECT `+cutoverColumns+` FROM cutovers WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Cutover{}, problem.New(problem.NotFound, "portal.problem.cutover")
	}
	if err != nil {
		return Cutover{}, fmt.Errorf("find cut-over: %w", err)
	}
	return c, nil
}

func insertCutover(ctx context.Context, tx *store.Tx, c Cutover) error {
	_, err := tx.Exec(ctx, `INSERT INTO cutovers (`+cutoverColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		c.ID, c.System, c.Owner, store.Us(c.From), c.Note.TH, c.Note.EN, c.Link, c.CreatedBy, store.Us(c.CreatedAt),
		store.Us(c.ClosedAt), c.Version)
	if err != nil {
		return fmt.Errorf("add cut-over: %w", err)
	}
	return nil
}

// closeCutover writes that a cut-over was withdrawn. The version was compared inside the same transaction.
func closeCutover(ctx context.Context, tx *store.Tx, c Cutover, by string) error {
	_, err := tx.Exec(ctx, `UPDATE cutovers SET closed_at = $2, closed_by = $3, version = version + 1 WHERE id = $1`,
		c.ID, store.Us(tx.Now), by)
	if err != nil {
		return fmt.Errorf("withdraw cut-over: %w", err)
	}
	return nil
}

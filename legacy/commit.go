package legacy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/notify"
	"sitthi/person"
)

// commit writes a signed import in one transaction: persons, rights, proposals of heads, invitations, where each row
// went, and the entries of the log. In it the rows are held against the book once more: when what the signature was for
// is no longer what would be written, nothing is, and the import waits for another look.
//
// One entry seals the file's hash, the totals and the hash over every row's result; one for each unit tells its history
// how many rights came. What became of each row stands in legacy_origins and in the versions of the rights, which are
// written once (docs/decisions/0017).
func (d *Desk) commit(ctx context.Context, work Import) error {
	act := &audit.Act{Name: "legacy.commit", Actor: string(work.SignedBy), Object: work.ID}
	err := audit.Do(ctx, d.turn, act, func(tx *store.Tx) error {
		if err := d.hold(ctx, tx, work.ID, Signed); err != nil {
			return err
		}
		totals, results, err := d.compare(ctx, tx, work)
		if err != nil {
			return err
		}
		var why Words
		if results != work.results {
			why.Key = "legacy.changed_meanwhile"
		}
		for _, who := range []person.ID{work.UploadedBy, work.SignedBy} {
			if err := d.Book.RequireAdministrator(ctx, tx, who); err != nil && why.Key == "" {
				why.Key = "legacy.no_longer_administrator"
			}
		}
		if why.Key != "" {
			act.Name = "legacy.unsign"
			act.Detail = map[string]string{"why": why.Key}
			return d.finishCheck(ctx, tx, work.ID, totals, results, why)
		}
		if err := d.write(ctx, tx, work); err != nil {
			return err
		}
		if totals.Invited, err = d.invite(ctx, tx, work); err != nil {
			return err
		}
		if err := d.tellUnits(ctx, tx, work); err != nil {
			return err
		}
		if totals.RightsInBook, err = rightsInBook(ctx, tx, work); err != nil {
			return err
		}
		if totals.RightsInBook != totals.RightsInFile {
			return fmt.Errorf("write import: %d rights in the file, %d in the book", totals.RightsInFile, totals.RightsInBook)
		}
		act.Detail = totals.facts()
		act.Detail["hash"], act.Detail["results"] = work.Hash, results
		act.Texts = map[string]string{"source": work.Source, "file": work.FileName}
		return d.finishCommit(ctx, tx, work, totals, results)
	})
	if err != nil {
		return err
	}
	// The planner's statistics of tables that just grew; on their own, since they are no part of the act.
	return d.DB.Write(ctx, func(tx *store.Tx) error {
		for _, name := range []string{"persons", "grants", "grant_versions", "legacy_origins"} {
			if _, err := tx.Exec(ctx, `ANALYZE `+name); err != nil {
				return fmt.Errorf("take statistics: %w", err)
			}
		}
		return nil
	})
}

func (d *Desk) finishCommit(ctx context.Context, tx *store.Tx, work Import, totals Totals, results string) error {
	text, err := json.Marshal(totals)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO legacy_commits (import_id, number, signed_by, signed_at, at, totals, results)
		SELECT CAST($1 AS TEXT), count(*) + 1, CAST($2 AS TEXT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS TEXT), CAST($6 AS TEXT)
		FROM legacy_commits WHERE import_id = $1`,
		work.ID, work.SignedBy, store.Us(work.SignedAt), store.Us(tx.Now), string(text), results); err != nil {
		return fmt.Errorf("keep totals of writing: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE legacy_imports SET state = 'committed', committed_at = $1, totals = $2, leased_until = 0, version = version + 1 WHERE id = $3`,
		store.Us(tx.Now), string(text), work.ID); err != nil {
		return fmt.Errorf("note that import is written: %w", err)
	}
	return nil
}

// rowsOf begins every query for rows of an import with the persons they name.
const rowsOf = ` FROM legacy_rows r JOIN persons p ON p.citizen_index = r.citizen_index WHERE r.import_id = $1 AND `

// write brings what the rows say into the book. Every statement takes all rows it is about.
func (d *Desk) write(ctx context.Context, tx *store.Tx, work Import) error {
	by := grant.Bringing{By: work.UploadedBy, Second: work.SignedBy}
	of := func(text string) grant.Query { return grant.Query{Text: text, Args: []any{work.ID}} }
	if _, err := d.Roll.Bring(ctx, tx, `SELECT person_id, citizen_index, citizen_sealed FROM legacy_rows WHERE import_id = $1 AND result = 'new'`, work.ID); err != nil {
		return err
	}
	// Heads before rights: a right of who is proposed as head waits for a second administrator.
	const head = `SELECT CASE WHEN r.result = 'new' THEN r.fresh_id ELSE r.object_id END AS id, p.id AS person_id, r.unit, CASE WHEN r.acting = TRUE THEN 'acting' ELSE 'regular' END AS kind,
		r.order_number, r.note, r.starts_at, r.ends_at` + rowsOf + `r.kind = 'head' AND r.result = `
	if _, err := d.Book.BringHeads(ctx, tx, by, of(head+`'new'`)); err != nil {
		return err
	}
	if _, err := d.Book.BringHeadChanges(ctx, tx, of(head+`'changed'`)); err != nil {
		return err
	}
	const right = `SELECT r.line AS seq, CASE WHEN r.result = 'new' THEN r.fresh_id ELSE r.object_id END AS id, p.id AS person_id, r.unit, r.team, r.level, r.starts_at, r.ends_at,
		r.order_number, r.note` + rowsOf + `r.kind = 'right' AND r.result = `
	if _, err := d.Book.BringRights(ctx, tx, by, of(right+`'new'`)); err != nil {
		return err
	}
	if _, err := d.Book.BringChanges(ctx, tx, by, of(right+`'changed'`)); err != nil {
		return err
	}
	if err := errors.Join(d.Book.TellBrought(ctx, tx, false, of(right+`'new'`)), d.Book.TellBrought(ctx, tx, true, of(right+`'changed'`))); err != nil {
		return err
	}
	if err := d.keepOrigins(ctx, tx, work); err != nil {
		return err
	}
	// Rights of people without an account are worth nothing yet, so that nobody has to read them into memory; with who
	// signed, the version of the rights moves even if that is all of them.
	return d.Book.MovedAll(ctx, tx, grant.Query{Text: `SELECT p.id AS person_id` + rowsOf + `r.kind IN ('head', 'right') AND r.result IN ('new', 'changed')
			AND p.id IN (SELECT person_id FROM accounts)
		UNION SELECT CAST($2 AS TEXT) AS person_id`, Args: []any{work.ID, string(work.SignedBy)}})
}

// keepOrigins keeps where what was written comes from.
func (d *Desk) keepOrigins(ctx context.Context, tx *store.Tx, work Import) error {
	const origins = `INSERT INTO legacy_origins (source, kind, row_id, object_id, same_key, content, import_id, line, at)
		SELECT CAST($2 AS TEXT), r.kind, r.row_id, `
	for _, text := range []string{
		origins + `r.fresh_id, r.same_key, r.content, r.import_id, r.line, CAST($3 AS BIGINT) FROM legacy_rows r
			WHERE r.import_id = $1 AND r.kind IN ('head', 'right') AND r.result = 'new'`,
		origins + `p.id, r.same_key, r.content, r.import_id, r.line, CAST($3 AS BIGINT)` + rowsOf + `r.kind = 'officer' AND r.result = 'new'`,
	} {
		if _, err := tx.Exec(ctx, text, work.ID, work.Source, store.Us(tx.Now)); err != nil {
			return fmt.Errorf("keep origins: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE legacy_origins SET content = r.content, import_id = r.import_id, line = r.line, at = $3
		FROM legacy_rows r WHERE r.import_id = $1 AND r.result = 'changed'
		  AND legacy_origins.source = $2 AND legacy_origins.kind = r.kind AND legacy_origins.row_id = r.row_id`,
		work.ID, work.Source, store.Us(tx.Now)); err != nil {
		return fmt.Errorf("keep changed origins: %w", err)
	}
	return nil
}

// tellUnits records for each unit what came to it, so that its history tells.
func (d *Desk) tellUnits(ctx context.Context, tx *store.Tx, work Import) error {
	type count struct {
		unit   string
		kind   Kind
		result Result
		n      int64
	}
	counts, err := store.Rows(func(row store.Row) (c count, err error) { return c, row.Scan(&c.unit, &c.kind, &c.result, &c.n) })(tx.Query(ctx,
		`SELECT unit, kind, result, count(*) FROM legacy_rows WHERE import_id = $1 AND result IN ('new', 'changed') GROUP BY unit, kind, result ORDER BY unit, kind, result`, work.ID))
	if err != nil {
		return fmt.Errorf("count rows of units: %w", err)
	}
	for len(counts) > 0 {
		act := audit.Act{Name: "legacy.bring", Actor: string(work.SignedBy), Unit: counts[0].unit, Object: work.ID, Detail: map[string]string{}}
		for len(counts) > 0 && counts[0].unit == act.Unit {
			act.Detail[string(counts[0].kind)+"_"+string(counts[0].result)] = strconv.FormatInt(counts[0].n, 10)
			counts = counts[1:]
		}
		if err := audit.Record(ctx, tx, act); err != nil {
			return err
		}
	}
	return nil
}

// invitePage is how many invitations are held in memory.
const invitePage = 200

// invite asks the people of new rows who have no account to register, once in their lives: by mail, or by SMS where the
// old system has no address. It answers how many.
func (d *Desk) invite(ctx context.Context, tx *store.Tx, work Import) (int64, error) {
	n, err := tx.Exec(ctx, `INSERT INTO legacy_invitations (person_id, import_id, at)
		SELECT DISTINCT p.id, CAST($1 AS TEXT), CAST($2 AS BIGINT) FROM legacy_rows r JOIN persons p ON p.citizen_index = r.citizen_index WHERE `+toInvite+`
		ON CONFLICT (person_id) DO NOTHING`, work.ID, store.Us(tx.Now))
	if err != nil {
		return 0, fmt.Errorf("invite people: %w", err)
	}
	names := map[string]locale.Name{}
	for after := person.ID(""); ; {
		guests, err := d.guests(ctx, tx, work, after)
		if err != nil {
			return 0, err
		}
		if len(guests) == 0 {
			return n, nil
		}
		messages := make([]notify.Message, 0, len(guests))
		for _, g := range guests {
			if g.who == after {
				continue // another row about him, which says less
			}
			after = g.who
			unit, err := unitName(ctx, tx, names, g.Unit)
			if err != nil {
				return 0, err
			}
			m := notify.Message{Channel: notify.Email, Person: string(g.who), To: string(g.Email), Purpose: "legacy.invite", Lang: locale.TH,
				Args: locale.Args{"unit": unit, "link": d.Link("/officer/register")}}
			if g.Email == "" {
				m.Channel, m.To = notify.SMS, string(g.Phone)
			}
			messages = append(messages, m)
		}
		if err := d.Outbox.Queue(ctx, tx, messages...); err != nil {
			return 0, err
		}
	}
}

// guest is somebody who was just invited.
type guest struct {
	who person.ID
	facts
}

// guests answers some of those who were just invited, after a person, with what their rows say; an officer's row first.
func (d *Desk) guests(ctx context.Context, tx *store.Tx, work Import, after person.ID) ([]guest, error) {
	list, err := store.Rows(func(row store.Row) (g guest, err error) {
		var line int64
		var sealed []byte
		if err := row.Scan(&g.who, &line, &sealed); err != nil {
			return guest{}, err
		}
		g.facts, err = d.openFacts(work.ID, line, sealed)
		return g, err
	})(tx.Query(ctx, `SELECT i.person_id, r.line, r.facts_sealed
		FROM (SELECT person_id FROM legacy_invitations WHERE import_id = $1 AND at = $2 AND person_id > $3 ORDER BY person_id LIMIT `+strconv.Itoa(invitePage)+`) i
		JOIN persons p ON p.id = i.person_id
		JOIN legacy_rows r ON r.citizen_index = p.citizen_index AND r.facts_sealed IS NOT NULL
		WHERE r.import_id = $1 AND r.contact = TRUE AND r.result = 'new'
		ORDER BY i.person_id, CASE r.kind WHEN 'officer' THEN 0 ELSE 1 END, r.line`, work.ID, store.Us(tx.Now), after))
	if err != nil {
		return nil, fmt.Errorf("list invited people: %w", err)
	}
	return list, nil
}

// unitName is what a unit is called, learned once.
func unitName(ctx context.Context, tx *store.Tx, known map[string]locale.Name, code string) (locale.Name, error) {
	if name, ok := known[code]; ok {
		return name, nil
	}
	var name locale.Name
	if err := tx.QueryRow(ctx, `SELECT name_th, name_en FROM units WHERE code = $1`, code).Scan(&name.TH, &name.EN); err != nil {
		return name, fmt.Errorf("find unit: %w", err)
	}
	known[code] = name
	return name, nil
}

func (d *Desk) openFacts(id string, line int64, sealed []byte) (f facts, err error) {
	text, err := d.Ring.Open(factsPlace(id, line), sealed)
	if err != nil {
		return f, fmt.Errorf("open facts: %w", err)
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return f, fmt.Errorf("open facts: %w", err)
	}
	return f, nil
}

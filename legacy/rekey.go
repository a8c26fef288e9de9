package legacy

import (
	"context"
	"fmt"
	"strconv"

	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/person"
)

// The places that files and rows are sealed for.
const (
	piecePlaces     = "legacy.file"
	rowPlaces       = "legacy.row"
	correctedPlaces = "legacy.corrected"
	factsPlaces     = "legacy.facts"
)

func numbered(place, id string, number int64) string {
	return place + "/" + id + "/" + strconv.FormatInt(number, 10)
}

// Sealed is what this package seals, for whoever seals it anew.
var Sealed = []seal.Field{
	{Table: "legacy_files", Column: "sealed", Key: []string{"import_id", "number"}, Place: piecePlaces},
	{Table: "legacy_rows", Column: "original_sealed", Key: rowKey, Place: rowPlaces},
	{Table: "legacy_rows", Column: "corrected_sealed", Key: rowKey, Place: correctedPlaces},
	{Table: "legacy_rows", Column: "facts_sealed", Key: rowKey, Place: factsPlaces},
	{Table: "legacy_rows", Column: "citizen_sealed", Key: rowKey, Place: person.Sealed[0].Place, Of: []string{"person_id"}},
}

var rowKey = []string{"import_id", "line"}

// reindexed is how many rows are indexed anew at a time.
const reindexed = 500

// Reindex makes the blind indexes of rows anew, and what they are about. It goes before the roll's own: whoever is on
// the roll is found by the old index. Who is not, and whose citizen ID was wiped, is not found any more. Imports that
// wait for a signature are held against the book once more.
func Reindex(ctx context.Context, tx *store.Tx, old, new *seal.Ring, done func(rows int)) error {
	type row struct {
		importID               string
		line                   int64
		kind                   Kind
		unit, team             string
		level                  int64
		newcomer, known        person.ID
		newcomerID, citizenIDs []byte
	}
	was, is := person.NewRoll(old), person.NewRoll(new)
	last := row{line: -1}
	for {
		rows, err := store.Rows(func(r store.Row) (v row, err error) {
			return v, r.Scan(&v.importID, &v.line, &v.kind, &v.unit, &v.team, &v.level, &v.newcomer, &v.newcomerID, &v.known, &v.citizenIDs)
		})(tx.Query(ctx, `SELECT r.import_id, r.line, r.kind, r.unit, r.team, r.level, r.person_id, r.citizen_sealed, COALESCE(p.id, ''), p.citizen_sealed
			FROM legacy_rows r LEFT JOIN persons p ON p.citizen_index = r.citizen_index
			WHERE r.citizen_index <> '' AND (r.import_id, r.line) > ($1, $2) ORDER BY r.import_id, r.line LIMIT $3`, last.importID, last.line, reindexed))
		if err != nil {
			return fmt.Errorf("index rows of imports: %w", err)
		}
		for _, v := range rows {
			who, sealed := v.known, v.citizenIDs
			if who == "" {
				who, sealed = v.newcomer, v.newcomerID
			}
			index := ""
			if sealed != nil {
				citizen, err := was.Open(who, sealed)
				if err != nil {
					return err
				}
				index = is.Index(citizen)
			}
			about := []string{string(v.kind), index}
			switch v.kind {
			case Head:
				about = append(about, v.unit)
			case Right:
				about = append(about, v.unit, v.team, strconv.FormatInt(v.level, 10))
			}
			if _, err := tx.Exec(ctx, `UPDATE legacy_rows SET citizen_index = $1, same_key = $2 WHERE import_id = $3 AND line = $4`,
				index, sameMark(new, about), v.importID, v.line); err != nil {
				return fmt.Errorf("index rows of imports: %w", err)
			}
			last = v
		}
		done(len(rows))
		if len(rows) < reindexed {
			break
		}
	}
	for _, text := range []string{
		`UPDATE legacy_origins SET same_key = (SELECT r.same_key FROM legacy_rows r WHERE r.import_id = legacy_origins.import_id AND r.line = legacy_origins.line)
			WHERE EXISTS (SELECT 1 FROM legacy_rows r WHERE r.import_id = legacy_origins.import_id AND r.line = legacy_origins.line)`,
		`UPDATE legacy_imports SET state = 'checking', leased_until = 0, version = version + 1 WHERE state = 'checked' AND wiped_at IS NULL`,
	} {
		if _, err := tx.Exec(ctx, text); err != nil {
			return fmt.Errorf("index imports: %w", err)
		}
	}
	return nil
}

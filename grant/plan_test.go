package grant

import (
	"regexp"
	"strings"
	"testing"

	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// plan asks the engine how it would answer a query: one step a line.
func (k *kit) plan(t *testing.T, tx *store.Tx, query string, args ...any) string {
	t.Helper()
	if k.DB.Engine() == store.Postgres {
		lines, err := store.Rows(func(row store.Row) (line string, err error) { return line, row.Scan(&line) })(tx.Query(t.Context(), "EXPLAIN "+query, args...))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(lines, "\n")
	}
	lines, err := store.Rows(func(row store.Row) (line string, err error) {
		var id, parent, unused int
		return line, row.Scan(&id, &parent, &unused, &line)
	})(tx.Query(t.Context(), "EXPLAIN QUERY PLAN "+query, args...))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// scans matches a step that walks a whole large table. PostgreSQL may well hash all of some thousand accounts rather
// than look up a hundred, so there it is the grants alone that count.
var scans = regexp.MustCompile(`(?m)(^|\s)(SCAN (g|p|a|c|grants|accounts|persons|confirmations)\b|Seq Scan on grants)`)

// TestPlans holds the hot queries to their indexes, with enough rows that a wrong way would be the dearer one.
func TestPlans(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()
		people := k.crowd(t, 2_000, 20_000)
		k.read(t, func(tx *store.Tx) error {
			head := Scope{Heads: []string{"TH-12"}}
			now := store.Us(tx.Now)
			grid := func(s Scope, f Filter) (string, []any) {
				w, err := k.book.gridQuery(ctx, tx, s, f)
				if err != nil {
					t.Fatal(err)
				}
				return gridPage(w, f, 50, 0), w.args
			}
			count := func(s Scope, f Filter) (string, []any) {
				w, err := k.book.gridQuery(ctx, tx, s, f)
				if err != nil {
					t.Fatal(err)
				}
				return gridCount(w), w.args
			}
			try := func(name string, want string, query string, args ...any) {
				plan := k.plan(t, tx, query, args...)
				if step := scans.FindString(plan); step != "" || !regexp.MustCompile(want).MatchString(plan) {
					t.Errorf("%s: %q, and wants %q, in\n%s", name, step, want, plan)
				}
			}
			ofUnit := `grants_by_unit|grants_open|grants_live`
			// In the order of numbers, without a level, PostgreSQL may walk the numbers until the page is full.
			ofUnitOrPage := ofUnit + `|grants_number_key`
			ofPerson := `grants_by_person|grants_of_persons`
			query, args := grid(head, Filter{Level: Consider})
			try("grid of a unit at a level", ofUnit, query, args...)
			query, args = grid(head, Filter{})
			try("grid of a unit", ofUnitOrPage, query, args...)
			query, args = grid(head, Filter{Level: Consider, Sort: "name", Desc: true})
			try("grid of a unit by name", ofUnit, query, args...)
			query, args = grid(head, Filter{Search: "ดี12", State: string(StateSoon)})
			try("search in a unit", ofUnit, query, args...)
			query, args = grid(Scope{Heads: []string{"TH-12", "IWM"}}, Filter{State: "all"})
			try("grid of two units", ofUnitOrPage, query, args...)
			query, args = grid(Scope{All: true}, Filter{Unit: "TH-13", Level: Approve})
			try("grid of a unit for the centre", ofUnit, query, args...)
			query, args = grid(Scope{All: true}, Filter{Person: people[7]})
			try("grid of a person", ofPerson, query, args...)
			query, args = count(head, Filter{Level: Consider})
			try("count of a unit", ofUnit, query, args...)

			try("require", ofPerson, rightsHere, people[7], "TH-12", Consider, "", int64(0))
			try("follow sign-ins", `accounts_by_signin`, signInsSince, now)
			for name, query := range map[string]string{"accounts": effectiveMoved.accounts, "confirmations": effectiveMoved.confirmations} {
				try("catch up with "+name, `accounts|confirmations`, query, int64(1)<<40)
			}
			try("catch up with grants", ofPerson, effectiveMoved.grants, now, int64(1)<<40)
			try("one grant", `grants_pkey|sqlite_autoindex_grants_1`, `SELECT `+grantColumns+` FROM grants g WHERE g.id = $1`, store.NewID())
			try("grant of a form", `grants_by_form`, `SELECT `+grantColumns+` FROM grants g WHERE g.form = $1`, store.NewID())
			try("moved persons", `SEARCH rights_changes USING INDEX|Scan.* on rights_changes`, `SELECT DISTINCT person_id FROM rights_changes WHERE version > $1`, int64(1)<<40)
			try("who is left", ofUnit, heldQuery, "TH-12", Approve, "", now, int64(0))
			past := func(query func(bool, string) string, condition string) string { return query(true, condition) }
			try("rights of a person as they were", `grants_by_person`, past(rightsThen, `g.person_id = $2`), now, people[7])
			try("rights at a level as they were", ofUnit, past(rightsThen, `g.unit = $2 AND g.level = $3`), now, "TH-12", Consider)
			try("appointments of a person as they were", `appointments_by_person|appointments`, past(postsThen, `p.person_id = $2`), now, people[7])
			try("waiting grants", ofPerson, waitingQuery, people[7], "TH-12", now)

			// Who waits anywhere is found by walking all open grants, once.
			want := `Except`
			if k.DB.Engine() == store.SQLite {
				want = `MERGE \(EXCEPT\)\s+LEFT\s+SCAN grants USING COVERING INDEX grants_of_persons\s+RIGHT\s+SCAN confirmations USING COVERING INDEX confirmations_here`
			}
			if plan := k.plan(t, tx, everyoneWaiting, now); !regexp.MustCompile(want).MatchString(plan) {
				t.Errorf("who waits anywhere: wants %q in\n%s", want, plan)
			}
			return nil
		})
	})
}

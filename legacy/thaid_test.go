package legacy

import (
	"testing"

	"sitthi/grant"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/officer"
	"sitthi/person"
)

// prove does what the first sign-in of an officer by ThaID does.
func (k *kit) prove(t testing.TB, who person.ID) {
	t.Helper()
	err := k.DB.InTurn().Write(t.Context(), func(tx *store.Tx) error {
		account, err := officer.Find(t.Context(), tx, who)
		if err != nil {
			return err
		}
		if _, err := officer.NoteIdentity(t.Context(), tx, who, account.GivenName, account.FamilyName); err != nil {
			return err
		}
		return k.book.Identified(t.Context(), tx, account)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestBroughtRightsOfWhomThaIDProved brings the rights of officers whom ThaID has proved before, proves afterwards, or
// never: no head has to confirm the first two, but for rights in a unit that he heads himself.
func TestBroughtRightsOfWhomThaIDProved(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		register := func(unit string) (string, person.ID) {
			id := k.citizen(t)
			return id.Digits(), k.register(t, id, unit)
		}
		beforeID, before := register("TH-12")
		afterID, after := register("TH-12")
		neverID, never := register("TH-12")
		headID, head := register("TH-13")
		k.appoint(t, grant.AppointmentOrder{Post: grant.Head, Unit: "TH-13", Person: head})
		k.prove(t, before)
		k.prove(t, head)
		var rows []string
		for n, right := range []string{
			"TH-12,,1," + beforeID, "TH-13,,3," + beforeID, "TH-12,,1," + afterID, "TH-13,,1," + afterID, "TH-12,,1," + neverID, "TH-13,,1," + headID,
			"TH-12,,1," + digits(101), // nobody has registered with it
		} {
			rows = append(rows, string(rune('1'+n))+","+right+",,")
		}
		if s := k.sign(t, k.upload(t, "rights.csv", csvOf(rows...))); s.State != Committed || s.Totals.RightsInBook != 7 {
			t.Fatalf("written: %+v", s)
		}
		wait := func(when string, want map[person.ID]map[string]bool) {
			t.Helper()
			for _, book := range []*grant.Book{k.book, grant.NewBook(grant.Options{DB: env.DB, Clock: env.Clock, Roll: k.roll, Outbox: k.outbox, Link: link})} {
				if err := book.Load(t.Context()); err != nil {
					t.Fatal(err)
				}
				for who, units := range want {
					for unit, may := range units {
						level := grant.DoConsider
						if who == before && unit == "TH-13" {
							level = grant.DoApprove
						}
						if book.Allows(who, level, grant.Place{Unit: unit}) != may {
							t.Errorf("%s %s in %s: %v", when, who, unit, !may)
						}
					}
				}
			}
		}
		wait("after the import", map[person.ID]map[string]bool{
			before: {"TH-12": true, "TH-13": true}, after: {"TH-12": false, "TH-13": false}, never: {"TH-12": false}, head: {"TH-13": false},
		})
		acts := func() int {
			return k.count(t, `SELECT count(*) FROM audit_entries WHERE act = 'grant.confirm_thaid'`)
		}
		if n := acts(); n != 2 {
			t.Errorf("%d confirmations are on record after the import, one for each unit of whom ThaID had proved", n)
		}
		k.prove(t, after)
		wait("after his proof", map[person.ID]map[string]bool{
			before: {"TH-12": true, "TH-13": true}, after: {"TH-12": true, "TH-13": true}, never: {"TH-12": false}, head: {"TH-13": false},
		})
		if n := acts(); n != 4 {
			t.Errorf("%d confirmations are on record after the proof", n)
		}
		if n := k.count(t, `SELECT count(*) FROM confirmations WHERE ended_at IS NULL AND person_id = $1`, never); n != 0 {
			t.Error("somebody whom nobody proved is confirmed")
		}
	})
}

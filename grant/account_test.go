package grant

import (
	"strings"
	"testing"

	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/officer"
	"sitthi/person"
)

// move has a person name another office, as officer.ChangeProfile does.
func (k *kit) move(t *testing.T, who person.ID, to string) {
	t.Helper()
	k.write(t, func(tx *store.Tx) error {
		account, err := officer.Find(t.Context(), tx, who)
		if err != nil {
			return err
		}
		from := account.Unit
		account.Unit = to
		if _, err := tx.Exec(t.Context(), `UPDATE accounts SET unit = $2 WHERE person_id = $1`, who, to); err != nil {
			return err
		}
		return k.book.Relocated(t.Context(), tx, account, from)
	})
}

// TestRelocated: who names another office keeps his rights; they are marked, and the heads of both offices are told.
func TestRelocated(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		who := k.officer(t, "TH-12")
		here := k.give(t, k.chief12, to(who, "TH-12", Consider))
		ended := k.give(t, k.chief12, to(who, "TH-12", Approve))
		if _, err := k.book.Revoke(t.Context(), k.chief12, ended.ID, Ending{Reason: "ย้าย", LeavesNone: true}); err != nil {
			t.Fatal(err)
		}
		o := to(who, "TH-13", Consider)
		o.OtherOffice = true
		there := k.give(t, k.chief13, o)

		k.move(t, who, "TH-13")
		if s := k.see(t, here.ID); s.State != StateActive || !s.OtherOffice || !s.LeftAt.Equal(env.Clock.Now()) {
			t.Errorf("the right in the old office is %s, other office %v, left %v", s.State, s.OtherOffice, s.LeftAt)
		}
		if s := k.see(t, there.ID); s.State != StateActive || s.OtherOffice || !s.LeftAt.IsZero() {
			t.Errorf("the right in the new office is %s, other office %v, left %v", s.State, s.OtherOffice, s.LeftAt)
		}
		if s := k.see(t, ended.ID); !s.LeftAt.IsZero() || s.OtherOffice {
			t.Errorf("a right that had ended is marked: %+v", s.Grant)
		}
		if !k.may(t, who, Consider, "TH-12") || !k.may(t, who, Consider, "TH-13") {
			t.Error("a right ended by the move")
		}
		if got := k.toldLast(t, k.chief12); got != "office.left" {
			t.Errorf("the head of the old office was told %q", got)
		}
		if got := k.toldLast(t, k.chief13); got != "office.joined" {
			t.Errorf("the head of the new office was told %q", got)
		}
		k.move(t, who, "TH-12")
		if s := k.see(t, here.ID); s.OtherOffice || !s.LeftAt.IsZero() {
			t.Errorf("back again: other office %v, left %v", s.OtherOffice, s.LeftAt)
		}

		k.move(t, k.chief12, "TH-13")
		if got := k.toldLast(t, k.admins[0]); got != "office.left" {
			t.Errorf("a head went elsewhere, and the centre was told %q", got)
		}
		if !k.book.Allows(k.chief12, Administer, Place{Unit: "TH-12"}) {
			t.Error("an appointment ended by the move")
		}
	})
}

// toldLast answers of what a person was told last.
func (k *kit) toldLast(t *testing.T, who person.ID) string {
	t.Helper()
	told := strings.Fields(k.told(t, who))
	if len(told) == 0 {
		return ""
	}
	return told[len(told)-1]
}

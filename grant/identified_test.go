package grant

import (
	"testing"
	"time"

	"sitthi/audit"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/officer"
	"sitthi/person"
)

// prove does what a first sign-in by ThaID does, which knows the person by the family name given.
func (k *kit) prove(t testing.TB, who person.ID, family string) {
	t.Helper()
	err := k.DB.InTurn().Write(t.Context(), func(tx *store.Tx) error {
		account, err := officer.Find(t.Context(), tx, who)
		if err != nil {
			return err
		}
		if _, err := officer.NoteIdentity(t.Context(), tx, who, account.GivenName, family); err != nil {
			return err
		}
		return k.book.Identified(t.Context(), tx, account)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestIdentified(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := open(t, env)
		ctx := t.Context()

		// What waited takes effect in every unit, and no head is asked any more.
		id := k.citizen(t)
		k.give(t, k.chief12, Order{Unit: "TH-12", Level: Consider, Citizen: id})
		k.give(t, k.chief13, Order{Unit: "TH-13", Level: Approve, Citizen: id})
		who := k.register(t, id, officer.Account{Unit: "TH-12"})
		if k.may(t, who, Consider, "TH-12") || k.may(t, who, Approve, "TH-13") {
			t.Fatal("a right takes effect before anybody said who he is")
		}
		k.Clock.Advance(time.Hour)
		k.prove(t, who, "อื่น")
		if !k.may(t, who, Consider, "TH-12") || !k.may(t, who, Approve, "TH-13") || !k.require(t, who, Consider, Place{Unit: "TH-12"}) {
			t.Error("ThaID has proved him, and a right waits")
		}
		if e := k.recorded(t, audit.Query{Act: "grant.confirm_thaid"}); e.Actor != audit.System || e.Subject != string(who) {
			t.Errorf("recorded: %+v", e)
		}
		if list, err := k.book.WaitingFor(ctx, k.chief12); err != nil || len(list) != 0 {
			t.Errorf("%d wait, %v", len(list), err)
		}
		checkProblem(t, k.book.Identify(ctx, k.chief12, who, "TH-12", false, "ไม่รู้จัก"), problem.Conflict, "grant.already_confirmed")

		// His head sees the other name, who gives another right without a word; another head sees less.
		found, err := k.book.LookUp(ctx, k.chief12, "TH-12", id)
		if err != nil || !found.Proved || found.ProvedName != "สมชาย อื่น" {
			t.Errorf("found %+v, %v", found, err)
		}
		if found, err = k.book.LookUp(ctx, k.chief13, "TH-13", id); err != nil || !found.Masked || found.ProvedName != "" {
			t.Errorf("another head found %+v, %v", found, err)
		}
		unit, chief := k.province(t)
		if _, err := k.book.Give(ctx, chief, Order{Unit: unit, Level: Consider, Citizen: id, OtherOffice: true}); err != nil || !k.may(t, who, Consider, unit) {
			t.Errorf("a right given after ThaID proved him does not take effect: %v", err)
		}

		// A head's rights in his own unit stay with two administrators.
		other := k.citizen(t)
		unit, chief = k.province(t)
		k.give(t, chief, Order{Unit: unit, Level: Consider, Citizen: other})
		deputy := k.register(t, other, officer.Account{Unit: unit})
		k.appoint(t, AppointmentOrder{Post: Head, Unit: unit, Person: deputy})
		k.prove(t, deputy, "")
		if k.may(t, deputy, Consider, unit) {
			t.Error("ThaID lets a head into a right of his own unit")
		}
	})
}

package audit

import (
	"errors"
	"testing"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

func TestIdentifies(t *testing.T) {
	for id, want := range map[string]bool{
		"": true, "TH-12": true, "IWM": true, "FPD1": true, "G1": true, "factory-data-hub": true, "iwmb-legacy": true, "?": false,
		"01a2032a-d164-768c-9e17-46f5e17791ea": true, "01a2032a-1164-7681-9117-461517791111": true,
		"3990000000201": false, "3-9900-00000-20-1": false, "TH-3990000000201": false, "นายสมชาย": false, "a b": false, "x\ny": false, "081-234-5678": false,
	} {
		if got := identifies(id); got != want {
			t.Errorf("%q: %v, want %v", id, got, want)
		}
	}
}

// What somebody typed where an id belongs is a text that can be erased, not a part of the seal; a citizen ID in it is masked.
func TestTypedIdsAreTexts(t *testing.T) {
	db := storetest.SQLite(t).DB
	ctx := t.Context()
	act := &Act{Name: "grant.give", Actor: "01a2032a-d164-768c-9e17-46f5e17791ea", Unit: "นาย ก 3-9900-00000-20-1", Object: "3990000000201"}
	err := Do(ctx, db, act, func(*store.Tx) error { return problem.New(problem.Denied, "x") })
	if !errors.Is(err, problem.Denied) {
		t.Fatal(err)
	}
	err = db.Read(ctx, func(tx *store.Tx) error {
		list, _, err := List(ctx, tx, Query{})
		if err != nil || len(list) != 1 {
			t.Fatalf("%d entries, %v", len(list), err)
		}
		e := list[0]
		if e.Unit != "?" || e.Object != "?" || e.Texts["unit_given"] != "นาย ก 3-9900-XXXXX-XX-1" || e.Texts["object_given"] != "3-9900-XXXXX-XX-1" {
			t.Errorf("recorded as %+v", e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

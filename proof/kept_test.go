package proof

import (
	"testing"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/storetest"
	"sitthi/notify"
)

// TestSweepFreesNoTries: the tries of a day count for the whole day, however often codes are swept.
func TestSweepFreesNoTries(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		d := newDesk(t, env)
		second, third := d.order, d.order
		second.Flow, second.Channel, second.To = "f2", notify.SMS, "+66812345678"
		third.Flow, third.To = "f3", "third@example.go.th"
		for _, o := range []CodeOrder{d.order, second} {
			code := d.send(o)
			for range 5 {
				if ok, err := d.try(tryOf(o, wrong(code))); ok || err != nil {
					t.Fatalf("%v %v", ok, err)
				}
			}
		}
		env.Clock.Advance(23 * time.Hour)
		if _, err := Sweep(t.Context(), env.DB); err != nil {
			t.Fatal(err)
		}
		_, err := d.try(tryOf(third, d.send(third)))
		d.wantKey(err, problem.Busy, "proof.code.day")
	})
}

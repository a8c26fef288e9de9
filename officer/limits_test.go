package officer_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/storetest"
	"sitthi/notify"
	"sitthi/officer"
)

// TestChangesOfContactAreFew: nobody has codes sent to one address after another by changing his own.
func TestChangesOfContactAreFew(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		me := o.member(t)
		for i := range 7 {
			_, err := o.desk.StartContact(ctx(t, address), me, notify.Email, fmt.Sprintf("new%d@industry.example.go.th", i))
			var p *problem.Problem
			if i < 6 && err != nil || i == 6 && (!errors.As(err, &p) || !p.TooMany || p.RetryAfter != 10*time.Minute) {
				t.Errorf("the %d. beginning: %v", i+1, err)
			}
		}
	})
}

package signin_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/notify"
	"sitthi/officer"
)

// daysLeft are the words of a reminder that say how long there is.
var daysLeft = regexp.MustCompile(`เหลืออีก \d+ วัน|Days left: \d+`)

// TestRemindersDayByDay lets 61 days pass without a sign-in, and looks twice on each day on which the program runs. On the
// days 45, 53 and 59 the officer is reminded in his language, on each contact once; what fell on a day on which nothing ran
// comes late, but of several the last alone, and nothing once the account is locked.
func TestRemindersDayByDay(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		for name, c := range map[string]struct {
			lang       locale.Lang
			from, till int // the program is down from one day until before the other
			want       string
		}{
			"it always runs":                {locale.TH, 0, 0, "45:เหลืออีก 15 วัน 53:เหลืออีก 7 วัน 59:เหลืออีก 1 วัน"},
			"in English":                    {locale.EN, 0, 0, "45:Days left: 15 53:Days left: 7 59:Days left: 1"},
			"down on day 45":                {locale.TH, 45, 46, "46:เหลืออีก 14 วัน 53:เหลืออีก 7 วัน 59:เหลืออีก 1 วัน"},
			"down on day 53":                {locale.TH, 53, 55, "45:เหลืออีก 15 วัน 55:เหลืออีก 5 วัน 59:เหลืออีก 1 วัน"},
			"down over two reminders":       {locale.TH, 40, 56, "56:เหลืออีก 4 วัน 59:เหลืออีก 1 วัน"},
			"down over all but the lock":    {locale.TH, 40, 59, "59:เหลืออีก 1 วัน"},
			"down until after he is locked": {locale.TH, 40, 60, ""},
		} {
			t.Run(name, func(t *testing.T) {
				start := env.Clock.Now()
				o.write(t, func(tx *store.Tx) error {
					if _, err := tx.Exec(t.Context(), `UPDATE accounts SET language = $2 WHERE person_id = $1`, o.who, c.lang); err != nil {
						return err
					}
					return officer.Reopen(t.Context(), tx, o.who)
				})
				known := o.messages(t)
				var got []string
				for day := 0; day <= 61; day++ {
					env.Clock.Set(start.AddDate(0, 0, day))
					if day >= c.from && day < c.till {
						continue
					}
					for range 2 { // twice a day, the second time in another process
						if _, err := o.deskOn(env.DB).Remind(t.Context()); err != nil {
							t.Fatal(err)
						}
						env.Clock.Advance(12 * time.Hour)
					}
					list, err := o.outbox.List(t.Context(), 1000)
					if err != nil {
						t.Fatal(err)
					}
					fresh := list[:len(list)-known] // the newest come first
					known = len(list)
					if len(fresh) == 0 {
						continue
					}
					var ways []notify.Channel
					for _, m := range fresh {
						ways = append(ways, m.Channel)
						if left := daysLeft.FindString(m.Text); m.Purpose != "signin.locks_soon" || m.Lang != c.lang || m.Person != string(o.who) ||
							left == "" || left != daysLeft.FindString(fresh[0].Text) {
							t.Errorf("on day %d: %+v", day, m)
						}
					}
					if slices.Sort(ways); !slices.Equal(ways, []notify.Channel{notify.Email, notify.SMS}) {
						t.Errorf("on day %d he is told by %v", day, ways)
					}
					got = append(got, fmt.Sprintf("%d:%s", day, daysLeft.FindString(fresh[0].Text)))
				}
				if said := strings.Join(got, " "); said != c.want {
					t.Errorf("he was told %q, want %q", said, c.want)
				}
			})
		}
	})
}

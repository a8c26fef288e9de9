package officer_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/storetest"
	"sitthi/notify"
	"sitthi/officer"
)

// TestWays decides by which channels an officer is told: what he chose counts as far as it is proved, and the safety of
// his account is told to every contact, whatever he chose.
func TestWays(t *testing.T) {
	const mail, sms = notify.Email, notify.SMS
	both := []notify.Channel{mail, sms}
	at := storetest.Start
	for _, c := range []struct {
		notices     string
		email, sms  time.Time // proved
		noPhone     bool
		want, every []notify.Channel
	}{
		{"", at, at, false, []notify.Channel{mail}, both},
		{"email", at, at, false, []notify.Channel{mail}, both},
		{"sms", at, at, false, []notify.Channel{sms}, both},
		{"email sms", at, at, false, both, both},
		{"sms email", at, at, false, both, both},
		{"", time.Time{}, at, false, []notify.Channel{sms}, both},
		{"email", time.Time{}, at, false, []notify.Channel{sms}, both}, // not proved any more
		{"sms", at, time.Time{}, false, []notify.Channel{mail}, both},
		{"sms", at, at, true, []notify.Channel{mail}, []notify.Channel{mail}},
		{"pigeon", at, at, false, []notify.Channel{mail}, both},
		{"", time.Time{}, time.Time{}, false, []notify.Channel{mail}, both},
	} {
		a := officer.Account{Person: "p", Email: "somsak@industry.example.go.th", Phone: "+66812345678", Notices: c.notices,
			EmailProvedAt: c.email, PhoneProvedAt: c.sms, Language: locale.EN}
		if c.noPhone {
			a.Phone = ""
		}
		if got := a.Ways(); !slices.Equal(got, c.want) {
			t.Errorf("%+v: told by %v", c, got)
		}
		for purpose, want := range map[string][]notify.Channel{"grant.given": c.want, "signin.reset": c.every} {
			var got []notify.Channel
			for _, m := range officer.Letters(a, purpose, nil) {
				got = append(got, m.Channel)
				if (m.Channel == mail) != (m.To == string(a.Email)) || m.To == "" || m.Purpose != purpose || m.Lang != locale.EN || m.Person != "p" {
					t.Errorf("%+v: letter %+v", c, m)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%+v: %s goes by %v", c, purpose, got)
			}
		}
	}
}

func TestSetNotices(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		me := o.member(t)
		for _, chosen := range [][]notify.Channel{nil, {"pigeon"}, {notify.Email, "pigeon"}} {
			if err := o.desk.SetNotices(ctx(t, address), me.Person, chosen); !errors.Is(err, problem.Invalid) {
				t.Errorf("%v: %v", chosen, err)
			}
		}
		if a, err := o.account(t, somsak); err != nil || a.Notices != "" {
			t.Fatalf("%+v, %v", a, err)
		}
		if err := o.desk.SetNotices(ctx(t, address), me.Person, []notify.Channel{notify.SMS, notify.Email, notify.SMS}); err != nil {
			t.Fatal(err)
		}
		a, err := o.account(t, somsak)
		if err != nil || a.Notices != "email sms" || !slices.Equal(a.Ways(), []notify.Channel{notify.Email, notify.SMS}) {
			t.Errorf("%+v, %v", a, err)
		}
		if err := o.desk.SetNotices(ctx(t, address), "nobody", []notify.Channel{notify.SMS}); !errors.Is(err, problem.NotFound) {
			t.Errorf("somebody without an account: %v", err)
		}
	})
}

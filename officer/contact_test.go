package officer_test

import (
	"testing"
	"time"

	"sitthi/notify"
	"sitthi/officer"
)

func TestRecovers(t *testing.T) {
	now := time.Date(2026, 10, 5, 9, 0, 0, 0, time.UTC)
	long := now.AddDate(-1, 0, 0)
	both := officer.Account{State: officer.Active, EmailProvedAt: long, PhoneProvedAt: long}
	changed := func(ago time.Duration) officer.Account {
		a := both
		a.EmailProvedAt, a.EmailSince = now.Add(-ago), now.Add(-ago)
		return a
	}
	for name, c := range map[string]struct {
		account    officer.Account
		email, sms bool
	}{
		"as registered":                  {both, true, true},
		"never proved":                   {officer.Account{State: officer.Active}, false, false},
		"e-mail alone was proved":        {officer.Account{State: officer.Active, EmailProvedAt: long}, true, false},
		"e-mail changed now":             {changed(0), false, true},
		"e-mail changed 72 h ago less 1": {changed(72*time.Hour - time.Microsecond), false, true},
		"e-mail changed 72 h ago":        {changed(72 * time.Hour), true, true},
		"switched off":                   {officer.Account{State: officer.Disabled, EmailProvedAt: long, PhoneProvedAt: long}, false, false},
	} {
		if got := officer.Recovers(c.account, notify.Email, now); got != c.email {
			t.Errorf("%s: by e-mail %v", name, got)
		}
		if got := officer.Recovers(c.account, notify.SMS, now); got != c.sms {
			t.Errorf("%s: by SMS %v", name, got)
		}
		if officer.Recovers(c.account, "pigeon", now) {
			t.Errorf("%s: by a channel that is none", name)
		}
	}
}

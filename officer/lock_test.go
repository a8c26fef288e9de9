package officer_test

import (
	"errors"
	"testing"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/officer"
)

// TestLockIsSixtyTimes24Hours holds the lock to the second: no calendar and no zone moves it.
func TestLockIsSixtyTimes24Hours(t *testing.T) {
	here := time.Local
	t.Cleanup(func() { time.Local = here })
	for _, zone := range []string{"UTC", "Asia/Bangkok", "America/New_York", "Pacific/Apia"} {
		place, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		time.Local = place
		for _, last := range []time.Time{
			time.Date(2026, 10, 1, 9, 0, 0, 0, place), // New York turns its clocks on 1 November
			time.Date(2028, 2, 1, 23, 59, 59, 999_999_000, place).UTC(),
			time.Date(2026, 12, 31, 17, 0, 0, 0, time.UTC).Local(),
		} {
			a := officer.Account{LastSignIn: last}
			for after, want := range map[time.Duration]bool{
				0: false, 59 * 24 * time.Hour: false, 60*24*time.Hour - time.Second: false, 60*24*time.Hour - time.Microsecond: false,
				60 * 24 * time.Hour: true, 60*24*time.Hour + time.Second: true, 600 * 24 * time.Hour: true,
			} {
				at := last.Add(after)
				if a.Locked(at, officer.LockAfter) != want || (!last.After(officer.LockedUpTo(at.In(place), officer.LockAfter))) != want {
					t.Errorf("%s: %s after %s: want locked %t", zone, after, last, want)
				}
			}
		}
	}
}

func TestReopen(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		const citizen = "3990000000228"
		o.register(t, form(citizen, "somsak"))
		account := func() officer.Account {
			t.Helper()
			a, err := o.account(t, citizen)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		who, before := account().Person, account().LastSignIn
		env.Clock.Advance(100 * 24 * time.Hour)
		if !account().Locked(env.Clock.Now(), officer.LockAfter) {
			t.Fatal("not locked after 100 days")
		}
		for range 2 { // twice in one moment is once
			if err := env.DB.Write(t.Context(), func(tx *store.Tx) error { return officer.Reopen(t.Context(), tx, who) }); err != nil {
				t.Fatal(err)
			}
		}
		if a := account(); a.Locked(env.Clock.Now(), officer.LockAfter) || !a.LastSignIn.Equal(env.Clock.Now()) {
			t.Errorf("after reopening: %+v", a)
		}
		var was time.Time
		if err := env.DB.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT before_at FROM reopenings WHERE person_id = $1`, who).Scan(store.At(&was))
		}); err != nil || !was.Equal(before) {
			t.Errorf("until %s, kept %s, %v", before, was, err)
		}
		err := env.DB.Write(t.Context(), func(tx *store.Tx) error { return officer.Reopen(t.Context(), tx, "nobody") })
		if !errors.Is(err, problem.NotFound) {
			t.Errorf("nobody: %v", err)
		}
	})
}

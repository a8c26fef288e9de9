//go:build testhooks

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sitthi/internal/clock"
	"sitthi/internal/store"
	"sitthi/notify"
	"sitthi/officer"
)

// TestRemindersOfTheProgram sets the clock of the program itself to the days 45, 53 and 59 of an officer who stays away,
// and kills and starts it in between: he is reminded three times on each contact, and of no day twice. Another, who stays away
// since four hours later, is reminded by looks at which the first must not be reminded again.
func TestRemindersOfTheProgram(t *testing.T) {
	folder, args := demonstration(t)
	var who, later string
	db, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(folder, "sitthi.db"), Clock: clock.System{}})
	start := time.Now()
	if err == nil {
		err = db.Write(t.Context(), func(tx *store.Tx) error {
			// A start as demonstration would bring the account back.
			if _, err := tx.Exec(t.Context(), `UPDATE installation SET value = $1 WHERE name = $2`, purposeReal, purposeMark); err != nil {
				return err
			}
			away := func(given, family string, since time.Time) (id string, err error) {
				err = tx.QueryRow(t.Context(), `UPDATE accounts SET last_signin_at = $1 WHERE given_name = $2 AND family_name = $3 RETURNING person_id`,
					store.Us(since), given, family).Scan(&id)
				return id, err
			}
			if who, err = away("สมหญิง", "รักงาน", start); err != nil {
				return err
			}
			later, err = away("ประเสริฐ", "ศรีสมบูรณ์", start.Add(4*time.Hour))
			return err
		})
	}
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	p := serving(t, args...)
	set := func(after time.Duration) {
		t.Helper()
		body := fmt.Sprintf(`{"now": %q}`, start.Add(after).Format(time.RFC3339Nano))
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, p.address+"/testhooks/clock", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("the clock: %d %v", answer.StatusCode, err)
		}
	}
	told := map[string]notify.Delivery{} // by message
	reminded := func(person string) string {
		t.Helper()
		status, body, _ := get(t, http.DefaultClient, p.address+"/testhooks/outbox")
		var list struct{ Messages []notify.Delivery }
		if err := json.Unmarshal([]byte(body), &list); status != http.StatusOK || err != nil {
			t.Fatalf("the outbox: %d %v\n%s", status, err, body)
		}
		for _, m := range list.Messages {
			if m.Purpose == "signin.locks_soon" {
				told[m.ID] = m
			}
		}
		count := map[string]int{}
		for _, m := range told {
			if m.Person != person {
				continue
			}
			for _, days := range []string{"15", "7", "1"} {
				if strings.Contains(m.Text, "เหลืออีก "+days+" วัน") {
					count[days]++
				}
			}
		}
		return fmt.Sprint(count["15"], count["7"], count["1"])
	}
	is := func(person, want string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); reminded(person) != want; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("reminders of 15, 7 and 1 days: %s, want %s\n%v\n%s", reminded(person), want, told, p.said)
			}
		}
	}
	again := func() {
		t.Helper()
		p.kill(t)
		p = serving(t, args...)
	}
	const day = 24 * time.Hour
	set(officer.LockAfter - 15*day)
	is(who, "2 0 0") // by mail and by SMS
	again()
	set(officer.LockAfter - 15*day + 5*time.Hour)
	is(later, "2 0 0")
	is(who, "2 0 0")
	set(officer.LockAfter - 7*day)
	is(who, "2 2 0")
	again()
	set(officer.LockAfter - 7*day + 5*time.Hour)
	is(later, "2 2 0")
	is(who, "2 2 0")
	set(officer.LockAfter - day)
	is(who, "2 2 2")
	set(officer.LockAfter - day + 5*time.Hour)
	is(later, "2 2 2")
	is(who, "2 2 2")
}

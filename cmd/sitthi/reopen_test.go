package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sitthi/internal/config"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

func TestAdminReopen(t *testing.T) {
	for engine, address := range map[string]func(t *testing.T) string{
		"sqlite":   func(*testing.T) string { return "sqlite:var/x.db" },
		"postgres": func(t *testing.T) string { return storetest.Postgres(t) },
	} {
		t.Run(engine, func(t *testing.T) {
			d := config.Database{URL: address(t)}
			t.Chdir(t.TempDir())
			testAdminReopen(t, d)
		})
	}
}

func testAdminReopen(t *testing.T, d config.Database) {
	const citizen, noAccount = "1990000000019", "1990000000027"
	if _, _, err := typing(t, &adminReopen{Database: d}, citizen+"\n"); err == nil {
		t.Error("a database was made for it")
	}
	create := &adminCreate{
		Database: d, Citizen: citizen, GivenName: "สมหญิง", FamilyName: "ระบบดี", Position: "นักวิชาการคอมพิวเตอร์",
		Unit: "ICT", Email: "somying@diw.example.go.th", Phone: "0812345678", PasswordFile: "-",
	}
	if _, _, err := typing(t, create, adminPassword+"\n"); err != nil {
		t.Fatal(err)
	}
	v, err := openExisting(t.Context(), &d, config.Secrets{}, newClock())
	if err != nil {
		t.Fatal(err)
	}
	err = v.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE accounts SET failures = 100, password_off = TRUE`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ typed, want string }{
		"no such ID":  {"12345\n", "citizen ID"},
		"nothing":     {"", "citizen id is missing"},
		"no account":  {noAccount + "\n", "no such account"},
		"wrong digit": {"1990000000018\n", "no such account"},
	} {
		_, _, err := typing(t, &adminReopen{Database: d}, tt.typed)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "⟦") {
			t.Errorf("%s: %v", name, err)
		}
	}
	out, asked, err := typing(t, &adminReopen{Database: d}, citizen+"\n")
	if err != nil || asked != "Citizen ID: " || !strings.Contains(out, "can be used again") {
		t.Fatalf("%v, asked %q, said %q", err, asked, out)
	}
	if strings.Contains(out+asked, citizen) {
		t.Error("the citizen ID was printed")
	}
	signsIn(t, d, citizen)
	if _, _, err := typing(t, &adminForgetFactors{Database: d}, citizen+"\n"); err == nil || strings.Contains(err.Error(), "⟦") {
		t.Errorf("forgot second factors of who has none: %v", err)
	}
	v, err = openExisting(t.Context(), &d, config.Secrets{}, newClock())
	if err != nil {
		t.Fatal(err)
	}
	err = v.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO factors (id, person_id, secret_sealed, begun_at, enrolled_at)
			SELECT 'x', person_id, $1, 1, 1 FROM accounts`, []byte("sealed"))
		return err
	})
	if err := errors.Join(err, v.db.Close()); err != nil {
		t.Fatal(err)
	}
	if out, _, err := typing(t, &adminForgetFactors{Database: d, Citizen: citizen}, ""); err != nil || !strings.Contains(out, "are gone") {
		t.Fatalf("%v, said %q", err, out)
	}
	signsIn(t, d, citizen)
	// An office that locks after 30 days has one opened that was away for 45.
	last := func(set string) (n int64) {
		t.Helper()
		v, err := openExisting(t.Context(), &d, config.Secrets{}, newClock())
		if err != nil {
			t.Fatal(err)
		}
		err = v.db.Write(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.Exec(t.Context(), `UPDATE accounts SET last_signin_at = `+set); err != nil {
				return err
			}
			return tx.QueryRow(t.Context(), `SELECT last_signin_at FROM accounts`).Scan(&n)
		})
		if err := errors.Join(err, v.db.Close()); err != nil {
			t.Fatal(err)
		}
		return n
	}
	away := last(fmt.Sprintf("last_signin_at - %d", (45 * 24 * time.Hour).Microseconds()))
	lock := config.Lock{OfficerDays: 30}
	if _, asked, err := typing(t, &adminReopen{Database: d, Lock: lock, Citizen: citizen}, ""); err != nil || asked != "" {
		t.Errorf("given as a flag: %v, asked %q", err, asked)
	}
	if now := last("last_signin_at"); now <= away {
		t.Errorf("an account away for 45 of 30 days was not opened: %d, %d", away, now)
	}
}

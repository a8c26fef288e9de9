package main

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sitthi/grant"
	"sitthi/internal/clock"
	"sitthi/internal/config"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
)

func TestMay(t *testing.T) {
	for engine, address := range map[string]func(t *testing.T) string{
		"sqlite":   func(*testing.T) string { return "sqlite:var/x.db" },
		"postgres": func(t *testing.T) string { return storetest.Postgres(t) },
	} {
		t.Run(engine, func(t *testing.T) {
			d := config.Database{URL: address(t)}
			t.Chdir(t.TempDir())
			testMay(t, d)
		})
	}
}

func testMay(t *testing.T, d config.Database) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// What was done was done in the morning.
	morning := clock.NewManual(newClock().Now().Add(-3 * time.Hour))
	v, err := openNew(ctx, &d, config.Secrets{}, morning)
	must(err)
	roll := person.NewRoll(v.ring)
	outbox, err := notify.NewOutbox(notify.Options{DB: v.db, Ring: v.ring, Log: slog.New(slog.DiscardHandler),
		Senders: map[notify.Channel]notify.Sender{notify.Email: notify.Nowhere{}, notify.SMS: notify.Nowhere{}}})
	must(err)
	book := grant.NewBook(grant.Options{DB: v.db, Clock: morning, Roll: roll, Outbox: outbox, Link: func(path string) string { return path }, Log: slog.New(slog.DiscardHandler)})
	must(book.Load(ctx))
	people := map[string]person.ID{}
	for _, digits := range []string{"1990000000019", "1990000000027", "3990000000104", "3990000000201"} {
		must(v.db.Write(ctx, func(tx *store.Tx) error {
			id, err := thai.ParseCitizenID(digits)
			if err != nil {
				return err
			}
			if people[digits], err = roll.Mention(ctx, tx, id); err != nil {
				return err
			}
			return officer.Create(ctx, tx, officer.Account{Person: people[digits], GivenName: "คน", FamilyName: digits[9:], Position: "x", Unit: "TH-12",
				Email: thai.Email(digits + "@diw.example.go.th"), Phone: "+66812345678"}, "no password")
		}))
	}
	admin1, admin2, chief, somchai := people["1990000000019"], people["1990000000027"], people["3990000000104"], people["3990000000201"]
	must(book.InstallAdministrator(ctx, admin1))
	must(book.InstallAdministrator(ctx, admin2))
	a, err := book.Propose(ctx, admin1, grant.AppointmentOrder{Post: grant.Head, Kind: grant.Regular, Unit: "TH-12", Person: chief, OrderNumber: "1/2569"})
	must(err)
	_, err = book.ConfirmAppointment(ctx, admin2, a.ID)
	must(err)
	morning.Advance(time.Hour)
	given := morning.Now()
	g, err := book.Give(ctx, chief, grant.Order{Unit: "TH-12", Level: grant.Consider, Person: somchai, OrderNumber: "7/2569", Confirmed: true})
	must(err)
	morning.Advance(time.Hour)
	_, err = book.Revoke(ctx, chief, g.ID, grant.Ending{Reason: "ย้ายไปปทุมธานี", LeavesNone: true})
	must(err)
	must(v.db.Close())

	file := filepath.Join(t.TempDir(), "citizen")
	must(os.WriteFile(file, []byte("3-9900-00000-20-1\n"), 0o600))
	held := given.Add(time.Minute).Format(time.RFC3339)
	for name, tt := range map[string]struct {
		may    mayCommand
		typed  string
		status int
		want   []string
	}{
		"now":          {mayCommand{Person: string(somchai), Action: "consider", Unit: "TH-12"}, "", exitNo, []string{"No: the right has ended", "✗ Not ended", "ย้ายไปปทุมธานี", "order 7/2569", "✓ Registered"}},
		"then":         {mayCommand{Person: string(somchai), Action: "consider", Unit: "P12", At: held}, "", 0, []string{"Yes", "As it was recorded at that moment", "✓ Not ended"}},
		"in Thai":      {mayCommand{Person: string(somchai), Action: "consider", Unit: "TH-12", At: held, Lang: "th"}, "", 0, []string{"ทำได้", "คน 0201 · พิจารณา · นนทบุรี"}},
		"by file":      {mayCommand{CitizenIDFile: file, Action: "consider", Unit: "12", At: held}, "", 0, []string{"Yes"}},
		"by input":     {mayCommand{CitizenIDFile: "-", Action: "administer", Unit: "TH-12"}, "3990000000104\n", 0, []string{"Yes", "Appointed head of the unit"}},
		"by head":      {mayCommand{Person: string(chief), Action: "approve", Unit: "TH-12"}, "", exitNo, []string{"only other rights here", "Give and end rights"}},
		"never named":  {mayCommand{CitizenIDFile: "-", Action: "approve", Unit: "TH-12"}, "1990000000043", exitNo, []string{"not registered"}},
		"long ago":     {mayCommand{Person: string(somchai), Action: "consider", Unit: "TH-12", At: "1/10/2560"}, "", exitNo, []string{"not registered"}},
		"day and hour": {mayCommand{Person: string(somchai), Action: "consider", Unit: "TH-12", At: "1 ต.ค. 2560 10.00"}, "", exitNo, []string{"1 Oct 2017 10:00"}},
		"nobody":       {mayCommand{Action: "consider", Unit: "TH-12"}, "", exitFailed, []string{"say who"}},
		"both":         {mayCommand{Person: "x", CitizenIDFile: "-", Action: "consider", Unit: "TH-12"}, "", exitFailed, []string{"say who"}},
		"stranger":     {mayCommand{Person: store.NewID(), Action: "consider", Unit: "TH-12"}, "", exitFailed, []string{"there is no person"}},
		"wrong action": {mayCommand{Person: string(somchai), Action: "sign", Unit: "TH-12"}, "", exitFailed, []string{"--action"}},
		"wrong unit":   {mayCommand{Person: string(somchai), Action: "consider", Unit: "TH-99"}, "", exitFailed, []string{"--unit"}},
		"wrong group":  {mayCommand{Person: string(somchai), Action: "consider", Unit: "IWM", Group: "G9"}, "", exitFailed, []string{"--unit"}},
		"wrong moment": {mayCommand{Person: string(somchai), Action: "consider", Unit: "TH-12", At: "soon"}, "", exitFailed, []string{"--at"}},
		"wrong ID":     {mayCommand{CitizenIDFile: "-", Action: "consider", Unit: "TH-12"}, "12", exitFailed, []string{"citizen ID"}},
		"no file":      {mayCommand{CitizenIDFile: "nowhere", Action: "consider", Unit: "TH-12"}, "", exitFailed, []string{"--citizen-id-file"}},
	} {
		tt.may.Database = d
		if tt.may.Lang == "" {
			tt.may.Lang = "en"
		}
		out, _, err := typing(t, &tt.may, tt.typed)
		status := 0
		if err != nil {
			out += err.Error()
			status = statusOf(err)
		}
		if status != tt.status || status == exitNo != errors.Is(err, errMayNot) {
			t.Errorf("%s: status %d, want %d\n%s", name, status, tt.status, out)
		}
		for _, w := range tt.want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: without %q\n%s", name, w, out)
			}
		}
		if strings.Contains(out, "⟦") || strings.Contains(out, "3990000000104") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

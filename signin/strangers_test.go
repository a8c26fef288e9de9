package signin_test

import (
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/proof"
	"sitthi/signin"
)

// TestStrangersCanNotTellWhoHasAnAccount is guarantee P5 below the pages: for a citizen ID with an account and one
// without, the first submission of a registration, a wrong code, a failed sign-in and a reset of the password up to its
// code cost the same password hashes and the same statements and answer alike.
func TestStrangersCanNotTellWhoHasAnAccount(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env)
		statements := func() int64 { return 0 } // SQLite has no wire to listen on; the code is the same
		db := env.DB
		if db.Engine() == store.Postgres {
			db, statements = storetest.Listen(t, env)
		}
		desk := o.deskOn(db)
		clerk := officer.NewDesk(officer.Options{
			DB: db, Roll: o.roll, Ring: o.ring, Passwords: o.passwords, Outbox: o.outbox,
			Codes: proof.NewCodes(proof.CodesOptions{Ring: o.ring, Outbox: o.outbox, Log: slog.New(slog.DiscardHandler), SMSBudget: 10}),
		})
		o.enter(t, in()) // the person has a known browser, too

		acts := map[string]func(citizen string) error{
			"sign-in": func(citizen string) error {
				_, err := desk.SignIn(t.Context(), signin.In{CitizenID: citizen, Password: "not the password", Address: address})
				return err
			},
			"registration": func(citizen string) error {
				env.Clock.Advance(16 * time.Minute)
				flow, err := clerk.Start(t.Context(), officer.Form{
					CitizenID: citizen, Phone: "0898765432", GivenName: "มาลี", FamilyName: "สุขใจ", Position: "นักวิชาการ",
					Unit: "TH-13", Email: "malee@example.com", LineID: "malee", Password: "ดอกมะลิบานหน้าศาลา",
					PasswordAgain: "ดอกมะลิบานหน้าศาลา", Terms: officer.TermsVersion,
				}, "browser")
				if err != nil {
					return err
				}
				if flow.Step != officer.ProveEmail || flow.Contact != "malee@example.com" {
					t.Errorf("the flow is %+v", flow)
				}
				_, err = clerk.Prove(t.Context(), flow.ID, "browser", flow.Step, "0000000")
				return err
			},
		}
		for _, channel := range []notify.Channel{notify.Email, notify.SMS} {
			acts["reset by "+string(channel)] = func(citizen string) error {
				env.Clock.Advance(16 * time.Minute)
				begun, err := desk.StartReset(t.Context(), citizen, "browser", locale.TH)
				if err != nil {
					return err
				}
				sent, err := desk.SendReset(t.Context(), begun.ID, "browser", channel)
				if err != nil {
					return err
				}
				if sent.Step != signin.ResetCode || len(sent.Reference) != 4 {
					t.Errorf("the reset is %+v", sent)
				}
				_, err = desk.ProveReset(t.Context(), begun.ID, "browser", "000000")
				return err
			}
		}
		acts["reset by a contact changed just now"] = func(citizen string) error {
			o.set(t, "email_since = registered_at + 1000000000000")
			defer o.set(t, "email_since = NULL")
			return acts["reset by email"](citizen)
		}
		for name, act := range acts {
			t.Run(name, func(t *testing.T) {
				type cost struct {
					hashes, statements int64
					messages           int
					answer             string
				}
				var costs [2]cost
				for round := range 2 { // in the first, connections prepare their statements
					for i, citizen := range []string{somsak, stranger} {
						was := cost{hashes: allocated(), statements: statements(), messages: o.messages(t)}
						err := act(citizen)
						if err == nil || errors.Is(err, problem.Busy) {
							t.Fatalf("round %d: %v", round, err)
						}
						costs[i] = cost{
							hashes:     (allocated() - was.hashes + hashSize/2) / hashSize,
							statements: statements() - was.statements,
							messages:   o.messages(t) - was.messages,
							answer:     err.Error(),
						}
					}
				}
				if strings.HasPrefix(name, "reset") {
					codes := 1
					if strings.HasSuffix(name, "changed just now") {
						codes = 0
					}
					if costs[0].messages != codes || costs[1].messages != 0 {
						t.Errorf("the owner was sent %d codes, and nobody %d", costs[0].messages, costs[1].messages)
					}
					costs[0].messages = 0 // no stranger sees them
				}
				if costs[0] != costs[1] {
					t.Errorf("with an account %+v, without %+v", costs[0], costs[1])
				}
				if db != env.DB && costs[0].statements == 0 {
					t.Error("no statement was counted")
				}
				if want := wantHashes(name); costs[0].hashes != want {
					t.Errorf("%d hashes were made, want %d", costs[0].hashes, want)
				}
			})
		}
	})
}

// wantHashes is how many passwords an act hashes: a reset comes to its password only after the code.
func wantHashes(act string) int64 {
	if strings.HasPrefix(act, "reset") {
		return 0
	}
	return 1
}

func (o *office) messages(t *testing.T) int {
	t.Helper()
	list, err := o.outbox.List(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// allocated answers how many bytes the program has asked for so far.
func allocated() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.TotalAlloc)
}

// hashSize is what one password hash fills; nothing else here comes near.
const hashSize = 19 << 20

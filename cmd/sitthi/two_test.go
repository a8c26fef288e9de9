package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"sitthi/grant"
	"sitthi/internal/clock"
	"sitthi/internal/config"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/person"
	"sitthi/web"
)

// soon is within what time every process knows that a right has ended (trust.md 16).
const soon = 5 * time.Second

// TestTwoProcessesOnPostgres runs the program twice on one database, and a third book in this process. What ends in
// one is over in the others: at once for an act that decides, within five seconds for what is answered from memory,
// with the notices of PostgreSQL and without them.
func TestTwoProcessesOnPostgres(t *testing.T) {
	address := storetest.Postgres(t)
	keys := filepath.Join(t.TempDir(), "keys.json")
	args := []string{"--demo", "--database", address, "--keys", keys}
	a := serving(t, args...)
	b := serving(t, args...)
	here := bookOn(t, address, keys)
	accountOpens(t, a, b, here)
	for _, way := range []string{"told by notices", "found by looking"} {
		t.Run(way, func(t *testing.T) {
			if way == "found by looking" {
				if _, err := here.raw(t, "DROP TRIGGER rights_moved ON rights_changes"); err != nil {
					t.Fatal(err)
				}
			}
			rightEnds(t, a, here)
			postEnds(t, b, here)
		})
	}
}

// rightEnds has the chief of นนทบุรี give and end a right in process a; here looks.
func rightEnds(t *testing.T, a *process, here *here) {
	officer := here.who(t, "3990000000228")
	at := grant.Place{Unit: "TH-12"}
	chief := signedIn(t, a.address, "3990000000104", demoPassword)
	given, err := chief.post("/ko1/rights/consider", "unit", "TH-12", "person", string(officer), "confirmed", "1", "form", store.NewID())
	if err != nil || given.grantOf() == "" {
		t.Fatalf("give: %d %v\n%s", given.status, err, given.body)
	}
	if err := here.require(t, officer, at); err != nil {
		t.Errorf("a right given in another process is not there on the next decision: %v", err)
	}
	until(t, "the right is known here", soon, func() bool { return here.Allows(officer, grant.DoConsider, at) })
	ended, err := chief.post("/ko1/grants/"+given.grantOf()+"/end", "reason", "ย้ายหน่วยงาน")
	if err != nil || ended.status != http.StatusSeeOther {
		t.Fatalf("end: %d %v\n%s", ended.status, err, ended.body)
	}
	start := time.Now()
	if err := here.require(t, officer, at); !errors.Is(err, problem.Denied) {
		t.Errorf("a right ended in another process still decides: %v", err)
	}
	until(t, "the end is known here", soon, func() bool { return !here.Allows(officer, grant.DoConsider, at) })
	t.Logf("a right ended in one process was gone from the memory of another after %s", time.Since(start).Round(time.Millisecond))
}

// postEnds has an administrator here take the post from the chief of ปทุมธานี, who works in process b, and give it back.
func postEnds(t *testing.T, b *process, here *here) {
	ctx := t.Context()
	chief := signedIn(t, b.address, "3990000000112", demoPassword)
	give := func() reply {
		r, err := chief.post("/ko1/rights/consider", "unit", "TH-13", "citizen", stranger(int(strangers.Add(1))), "form", store.NewID())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	until(t, "the chief is known there", soon, func() bool { return give().status == http.StatusSeeOther })
	person := here.who(t, "3990000000112")
	first, second := here.who(t, firstAdministrator), here.who(t, secondAdministrator)
	post := column(t, here.address, `SELECT id FROM appointments WHERE person_id = $1 AND unit = 'TH-13' AND closed_at IS NULL`, string(person))[0]
	if _, err := here.EndAppointment(ctx, first, post, grant.Ending{Reason: "เกษียณ", LeavesNone: true}); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if r := give(); r.status != http.StatusForbidden {
		t.Errorf("a chief whose post has ended in another process gave a right: %d %s", r.status, r.location)
	}
	// The door says this from memory, before the book is asked.
	until(t, "the pages of chiefs are closed to him", soon, func() bool {
		r, err := chief.get("/ko1/rights/consider/new")
		return err == nil && r.status == http.StatusForbidden && strings.Contains(r.body, here.text("problem.only_head"))
	})
	t.Logf("a post ended in one process was gone from the memory of another after %s", time.Since(start).Round(time.Millisecond))

	again, err := here.Propose(ctx, first, grant.AppointmentOrder{Post: grant.Head, Kind: grant.Regular, Unit: "TH-13", Person: person, OrderNumber: "1/2569"})
	if err == nil {
		_, err = here.ConfirmAppointment(ctx, second, again.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the chief is known again", soon, func() bool { return give().status == http.StatusSeeOther })
}

// here is a book of rights in this process on the database of another.
type here struct {
	*house
	*grant.Book
	address string
}

func bookOn(t *testing.T, address, keys string) *here {
	t.Helper()
	clk := clock.System{}
	v, err := openExisting(t.Context(), &config.Database{URL: address, Keys: keys}, config.Secrets{}, clk)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	c := &config.Serve{Demo: true, SignInPerMinute: 60}
	ways, err := senders(c, config.Secrets{}, log)
	if err != nil {
		t.Fatal(err)
	}
	h, err := build(v, c, config.Secrets{}, ways, clk, log, &url.URL{Scheme: "http", Host: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	followed := make(chan error, 1)
	if err := h.book.Load(ctx); err != nil {
		t.Fatal(err)
	}
	go func() { followed <- h.book.Follow(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-followed; err != nil {
			t.Error(err)
		}
		if err := v.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &here{h, h.book, address}
}

// text is what the pages say in Thai.
func (h *here) text(key string) string {
	catalog, err := web.Texts()
	if err != nil {
		panic(err)
	}
	return catalog.Text(locale.TH, key, nil)
}

func (h *here) raw(t *testing.T, statement string) (n int64, err error) {
	t.Helper()
	err = h.db.Write(t.Context(), func(tx *store.Tx) (err error) {
		n, err = tx.Exec(t.Context(), statement)
		return err
	})
	return n, err
}

func (h *here) who(t *testing.T, citizen string) (who person.ID) {
	t.Helper()
	id, err := thai.ParseCitizenID(citizen)
	if err != nil {
		t.Fatal(err)
	}
	err = h.db.Read(t.Context(), func(tx *store.Tx) (err error) {
		who, _, err = h.roll.Find(t.Context(), tx, id)
		return err
	})
	if err != nil || who == "" {
		t.Fatalf("%s: %v", citizen, err)
	}
	return who
}

// require asks as an act that decides does, inside a transaction.
func (h *here) require(t *testing.T, who person.ID, at grant.Place) error {
	t.Helper()
	return h.db.Write(t.Context(), func(tx *store.Tx) error { return h.Require(t.Context(), tx, who, grant.Consider, at) })
}

// TestCommandsBesideServing runs the other commands on the SQLite file that a program serves from.
func TestCommandsBesideServing(t *testing.T) {
	folder := t.TempDir()
	args := at(folder)
	password := filepath.Join(folder, "password")
	if err := os.WriteFile(password, []byte(adminPassword), 0o600); err != nil {
		t.Fatal(err)
	}
	p := serving(t, args...)
	for i, citizen := range []string{"1990000000019", "1990000000027", "3990000000104"} {
		said, status := command(t, append([]string{"admin", "create", "--citizen", citizen, "--given-name", "สมหญิง", "--family-name", "ระบบดี",
			"--position", "นักวิชาการคอมพิวเตอร์", "--email", "somying@diw.example.go.th", "--phone", "0812345678", "--password-file", password}, args...)...)
		if (status == 0) != (i < 2) {
			t.Errorf("administrator %d: exit status %d\n%s", i+1, status, said)
		}
	}
	chief := signedIn(t, p.address, "1990000000019", adminPassword)
	chief.enrol(t)
	until(t, "the new administrator's pages open to her", soon, func() bool {
		r, err := chief.get("/admin/log")
		return err == nil && r.status == http.StatusOK
	})
	if said, status := command(t, append([]string{"migrate"}, args...)...); status != 0 {
		t.Errorf("migrate: %d\n%s", status, said)
	}
	whole(t, args...)
	lock, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(folder, "backup.age")
	if said, status := command(t, append([]string{"backup", "--to", backup, "--backup-recipient", lock.Recipient().String()}, args...)...); status != 0 {
		t.Errorf("backup: %d\n%s", status, said)
	}
	if r, err := chief.get("/my/rights"); err != nil || r.status != http.StatusOK {
		t.Errorf("afterwards the program answers %d %v", r.status, err)
	}
	if status := p.stop(t); status != 0 {
		t.Errorf("exit status %d\n%s", status, p.said)
	}
}

// TestStartTogether starts the program several times at once on a database that is not there yet: each comes up, and
// all with the same keys.
func TestStartTogether(t *testing.T) {
	for engine, address := range map[string]func(*testing.T, string) string{
		"sqlite":   func(_ *testing.T, folder string) string { return "sqlite:" + filepath.Join(folder, "sitthi.db") },
		"postgres": func(t *testing.T, _ string) string { return storetest.Postgres(t) },
	} {
		t.Run(engine, func(t *testing.T) {
			folder := t.TempDir()
			database := address(t, folder)
			var all []*process
			for range 3 {
				all = append(all, launch(t, "serve", "--listen", "localhost:0", "--metrics", "localhost:0", "--database", database, "--keys", filepath.Join(folder, "keys.json")))
			}
			for _, p := range all {
				p.listens(t)
				if status, _, _ := get(t, http.DefaultClient, p.address+"/readyz"); status != http.StatusOK {
					t.Errorf("ready? %d", status)
				}
			}
			for _, p := range all {
				if status := p.stop(t); status != 0 {
					t.Errorf("exit status %d\n%s", status, p.said)
				}
			}
			if n := len(column(t, database, "SELECT name FROM installation WHERE name = 'keys'")); n != 1 {
				t.Errorf("%d installations", n)
			}
			if engine == "postgres" { // the server of the tests is one that a power cut would harm, unless told otherwise
				risky := column(t, database, "SELECT current_setting('fsync')")[0] == "off"
				if said := all[0].said.String(); strings.Contains(said, "setting=fsync") != risky {
					t.Errorf("fsync off: %t, and the log says:\n%s", risky, said)
				}
			}
		})
	}
}

// TestStartWithOtherKeys is the second machine that was not given the keys: it says so and changes nothing.
func TestStartWithOtherKeys(t *testing.T) {
	folder := t.TempDir()
	p := serving(t, at(folder)...)
	database := at(folder)[:2]
	for name, want := range map[string]string{"absent": "are not in", "other": "not those of this database"} {
		keys := filepath.Join(t.TempDir(), "keys.json")
		if name == "other" {
			if said, status := command(t, append([]string{"migrate"}, at(filepath.Dir(keys))...)...); status != 0 {
				t.Fatal(said)
			}
		}
		said, status := command(t, append([]string{"serve", "--listen", "localhost:0", "--metrics", "off", "--keys", keys}, database...)...)
		if status != 1 || !strings.Contains(said, "--keys") || !strings.Contains(said, want) {
			t.Errorf("%s: exit status %d: %s", name, status, said)
		}
	}
	if status := p.stop(t); status != 0 {
		t.Error(p.said)
	}
}

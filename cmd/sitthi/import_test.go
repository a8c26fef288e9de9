package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/legacy"
)

// TestKillInAnImport kills the program (kill -9) while it tries a file of the old system and while it writes one. After
// each restart it goes on by itself; what is written is all of the file or nothing, and nobody is invited twice.
func TestKillInAnImport(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		folder, args := demonstration(t)
		killImport(t, "sqlite:"+folder+"/sitthi.db", folder+"/keys.json", args)
	})
	t.Run("postgres", func(t *testing.T) {
		address, keys := storetest.Postgres(t), t.TempDir()+"/keys.json"
		killImport(t, address, keys, []string{"--database", address, "--keys", keys})
	})
}

func killImport(t *testing.T, address, keys string, args []string) {
	const rows = 6_000
	start := func() *process { return serving(t, append([]string{"--demo"}, args...)...) }
	p := start()
	here := bookOn(t, address, keys)
	var file strings.Builder
	file.WriteString("row_id,kind,unit,level,citizen_id,email\n")
	for i := range rows {
		if i%10 == 0 {
			fmt.Fprintf(&file, "%d,officer,TH-12,,%s,o%d@example.go.th\n", i, stranger(100_000+i), i)
		} else {
			fmt.Fprintf(&file, "%d,right,TH-12,1,%s,\n", i, stranger(100_000+i))
		}
	}
	uploader, second := here.who(t, firstAdministrator), here.who(t, secondAdministrator)
	i, err := here.legacy.Upload(t.Context(), uploader, legacy.Upload{Source: "p1", Name: "a.csv"}, strings.NewReader(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	look := func() legacy.Sight {
		t.Helper()
		s, err := here.legacy.Import(t.Context(), second, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	until(t, "rows are read", time.Minute, func() bool { return look().Lines > 0 })
	p.kill(t)
	t.Logf("killed after %d rows were read", look().Lines)
	p = start()
	until(t, "the dry run is over", 2*time.Minute, func() bool { return look().State == legacy.Checked })
	s := look()
	if s.Totals.Read != rows || s.Totals.New != rows {
		t.Fatalf("dry run: %+v %v", s.Totals, s.Reasons)
	}
	until(t, "the import is signed", time.Minute, func() bool {
		_, err := here.legacy.Sign(t.Context(), second, i.ID, s.Version)
		if err != nil && !errors.Is(err, problem.Busy) { // two programs share the file, and the other writes much at once
			t.Fatal(err)
		}
		return err == nil
	})
	for round := range 2 {
		until(t, "the writing begins", time.Minute, func() bool {
			return len(column(t, address, `SELECT id FROM legacy_imports WHERE state = 'committed' OR state = 'signed' AND leased_until > $1`, store.Us(time.Now()))) > 0
		})
		<-time.After(rand.N(500 * time.Millisecond))
		p.kill(t)
		written := halves(t, address, i.ID)
		t.Logf("round %d: killed with %d rights written", round+1, written)
		p = start()
	}
	until(t, "the import is written", 2*time.Minute, func() bool { return look().State == legacy.Committed })
	if n := halves(t, address, i.ID); n != rows*9/10 {
		t.Errorf("%d rights were written, want %d", n, rows*9/10)
	}
	until(t, "the log is sealed", 20*time.Second, func() bool { return p.figure(t, "sitthi_audit_unsealed") == 0 })
	whole(t, args...)
}

// halves fails unless all of the import is written or nothing of it, and answers how many rights are.
func halves(t *testing.T, address, id string) int {
	t.Helper()
	number := func(query string) int {
		t.Helper()
		n, err := strconv.Atoi(column(t, address, query)[0])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	rights := number(`SELECT CAST(count(*) AS TEXT) FROM grants WHERE form LIKE 'brought-%'`)
	guests := number(`SELECT CAST(count(*) AS TEXT) FROM legacy_invitations`)
	for query, want := range map[string]int{
		`SELECT CAST(count(*) AS TEXT) FROM legacy_origins`:                                                                                       rights + guests,
		`SELECT CAST(count(*) AS TEXT) FROM grant_versions v JOIN grants g ON g.id = v.grant_id WHERE g.form LIKE 'brought-%'`:                    rights,
		`SELECT CAST(count(DISTINCT person_id) AS TEXT) FROM messages WHERE purpose = 'legacy.invite'`:                                            guests,
		`SELECT CAST(count(*) AS TEXT) FROM messages WHERE purpose = 'legacy.invite'`:                                                             guests,
		`SELECT CAST(count(*) AS TEXT) FROM audit_entries WHERE act = 'legacy.commit' AND object = '` + id + `'`:                                  min(rights, 1),
		`SELECT CAST(count(*) AS TEXT) FROM legacy_commits`:                                                                                       min(rights, 1),
		`SELECT CAST(count(*) AS TEXT) FROM legacy_imports WHERE state = 'committed'`:                                                             min(rights, 1),
		`SELECT CAST(count(*) AS TEXT) FROM persons p WHERE EXISTS (SELECT 1 FROM grants g WHERE g.person_id = p.id AND g.form LIKE 'brought-%')`: rights,
	} {
		if n := number(query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	return rights
}

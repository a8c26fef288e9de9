package storetest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"sitthi/internal/clock"
	"sitthi/internal/store"
)

func TestEachEngineGivesAFreshMigratedDatabase(t *testing.T) {
	EachEngine(t, func(t *testing.T, env *Env) {
		have, want, err := env.DB.Migrated(t.Context())
		if err != nil || have != want {
			t.Fatalf("migrated to %d of %d: %v", have, want, err)
		}
		if string(env.DB.Engine()) != t.Name()[strings.LastIndex(t.Name(), "/")+1:] {
			t.Errorf("engine is %s", env.DB.Engine())
		}
	})
}

func TestDatabasesAreApart(t *testing.T) {
	ctx := t.Context()
	count := func(t *testing.T, db *store.DB) (n int) {
		t.Helper()
		err := db.Read(ctx, func(tx *store.Tx) error {
			return tx.QueryRow(ctx, "SELECT count(*) FROM installation WHERE name = 'mine'").Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 2 { // the second run must not find what the first wrote
		EachEngine(t, func(t *testing.T, env *Env) {
			if n := count(t, env.DB); n != 0 {
				t.Fatalf("a fresh database has %d rows of another test", n)
			}
			err := env.DB.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.Exec(ctx, "INSERT INTO installation (name, value) VALUES ('mine', '1')")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			again, err := store.Open(ctx, store.Options{URL: env.URL, Clock: env.Clock})
			if err != nil {
				t.Fatal(err)
			}
			if n := count(t, again); n != 1 {
				t.Errorf("the same database, opened again, has %d rows", n)
			}
			if err := again.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestClockIsTheTests(t *testing.T) {
	env := SQLite(t)
	env.Clock.Advance(time.Hour)
	if now := env.DB.Now(); !now.Equal(Start.Add(time.Hour)) {
		t.Errorf("the database says it is %v", now)
	}
}

func TestPostgresIsEmpty(t *testing.T) {
	url := Postgres(t)
	db, err := store.Open(t.Context(), store.Options{URL: url, Clock: clock.NewManual(Start)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tables int
	err = db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables)
	})
	if err != nil || tables != 0 {
		t.Errorf("%d tables, %v", tables, err)
	}
}

// TestServerEndsWithItsProcess kills a process that has a server of its own.
func TestServerEndsWithItsProcess(t *testing.T) {
	if os.Getenv("STORETEST_HOLD") != "" {
		os.Stdout.WriteString("lent " + lentServer(t).url.Query().Get("host") + "\n")
		<-context.Background().Done() // until killed
	}
	lentServer(t) // skips where there is none

	child := exec.Command(os.Args[0], "-test.run=^TestServerEndsWithItsProcess$")
	child.Env = append(os.Environ(), "STORETEST_HOLD=1", "SITTHI_TEST_POSTGRES=")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var said []byte
	for buffer := make([]byte, 4096); !bytes.Contains(said, []byte("\n")); {
		n, err := out.Read(buffer)
		if said = append(said, buffer[:n]...); err != nil {
			break
		}
	}
	found := regexp.MustCompile(`lent (\S+)\n`).FindSubmatch(said)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil {
		t.Error("the child was not killed")
	}
	if found == nil {
		t.Fatalf("the child told no folder: %s", said)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(string(found[1])); os.IsNotExist(err) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s is still there", found[1])
		}
	}
}

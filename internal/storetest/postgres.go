package storetest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
)

// Postgres gives a fresh database without any table, for tests of the
// migrations themselves and for a program under test. It is dropped when the
// test ends. Without PostgreSQL on the machine the test is skipped, or fails
// where CI is set.
func Postgres(t testing.TB) (url string) {
	t.Helper()
	return newDatabase(t, lentServer(t), "template1")
}

// migratedPostgres gives a database that is a copy of the migrated template.
func migratedPostgres(t testing.TB) (url string) {
	t.Helper()
	s := lentServer(t)
	template, err := s.template(t)
	if err != nil {
		t.Fatalf("make PostgreSQL template: %v", err)
	}
	return newDatabase(t, s, template)
}

func newDatabase(t testing.TB, s *server, template string) string {
	t.Helper()
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if _, err := s.admin.Exec(`CREATE DATABASE ` + name + ` TEMPLATE ` + template); err != nil {
		t.Fatalf("make PostgreSQL database: %v", err)
	}
	t.Cleanup(func() {
		// FORCE: a program that the test killed may still be connected.
		if _, err := s.admin.Exec(`DROP DATABASE ` + name + ` WITH (FORCE)`); err != nil {
			t.Errorf("drop PostgreSQL database: %v", err)
		}
	})
	return s.database(name)
}

// server is the PostgreSQL server of this test process: the one that
// SITTHI_TEST_POSTGRES names, which `make test` shares among all packages, or
// else one of its own.
type server struct {
	url   *url.URL
	admin *sql.DB
	hold  io.Closer // the server ends when this is closed; nil for a shared one

	mu   sync.Mutex
	made string // name of the template, once it is there
}

var errAbsent = errors.New("no PostgreSQL on this machine")

// start connects to the server, once per process.
var start = sync.OnceValues(func() (*server, error) {
	s := &server{}
	address := os.Getenv("SITTHI_TEST_POSTGRES")
	if address == "" {
		var err error
		if address, s.hold, err = startServer(); err != nil {
			return nil, err
		}
	}
	var err error
	if s.url, err = url.Parse(address); err != nil {
		return nil, fmt.Errorf("read SITTHI_TEST_POSTGRES: %w", err)
	}
	if s.admin, err = sql.Open("pgx", address); err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	s.admin.SetMaxOpenConns(4)
	return s, nil
})

func lentServer(t testing.TB) *server {
	t.Helper()
	s, err := start()
	if errors.Is(err, errAbsent) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// startServer lets scripts/test-postgres start a server. It ends when hold is
// closed, which the end of this process, in whatever way it comes, does too.
func startServer() (address string, hold io.Closer, err error) {
	root, err := moduleRoot()
	if err != nil {
		return "", nil, err
	}
	var said bytes.Buffer
	script := exec.Command(filepath.Join(root, "scripts/test-postgres"))
	script.Stderr = &said
	stdin, err := script.StdinPipe()
	if err != nil {
		return "", nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	stdout, err := script.StdoutPipe()
	if err != nil {
		return "", nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := script.Start(); err != nil {
		return "", nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	address, err = bufio.NewReader(stdout).ReadString('\n')
	if err != nil { // it ended without an address
		err = script.Wait()
		if script.ProcessState.ExitCode() == 3 {
			err = errAbsent
		}
		return "", nil, fmt.Errorf("start PostgreSQL: %w\n%s", err, said.String())
	}
	return strings.TrimSpace(address), stdin, nil
}

// database returns the address of a database on the server.
func (s *server) database(name string) string {
	u := *s.url
	u.Path = "/" + name
	return u.String()
}

// template makes sure that a migrated database stands ready to be copied, and
// returns its name. The name tells the code that migrated it, so a server that
// outlives a change of the migrations serves a new one.
func (s *server) template(t testing.TB) (name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made != "" {
		return s.made, nil
	}
	sum, err := sumOfStore()
	if err != nil {
		return "", err
	}
	name = "sitthi_template_" + sum

	// Test processes run side by side: the first that gets the lock migrates.
	// The lock belongs to a connection, so all of this runs on one.
	ctx := t.Context()
	conn, err := s.admin.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	const lock = 0x5175 // any number; the server is for tests alone
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, lock); err != nil {
		return "", err
	}
	defer func() {
		if _, unlock := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, lock); err == nil {
			err = unlock
		}
	}()

	var ready bool
	if err := conn.QueryRowContext(ctx, `SELECT exists(SELECT 1 FROM pg_database WHERE datname = $1)`, name).Scan(&ready); err != nil {
		return "", err
	}
	if !ready {
		// Migrated under another name: one that was cut short is never taken
		// for a template.
		draft := name + "_draft"
		for _, statement := range []string{`DROP DATABASE IF EXISTS ` + draft + ` WITH (FORCE)`, `CREATE DATABASE ` + draft} {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return "", err
			}
		}
		if err := migrate(t, s.database(draft)); err != nil {
			return "", err
		}
		if _, err := conn.ExecContext(ctx, `ALTER DATABASE `+draft+` RENAME TO `+name); err != nil {
			return "", err
		}
	}
	s.made = name
	return name, nil
}

// sumOfStore returns a short sum of all that can change what a migration does.
func sumOfStore() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	dir := os.DirFS(filepath.Join(root, "internal/store"))
	err = fs.WalkDir(dir, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(dir, path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(text), text)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read migrations: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12], nil
}

// moduleRoot returns the folder of go.mod: tests run in their package's folder.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find module root: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("find module root: no go.mod above the working folder")
		}
		dir = up
	}
}

package main

import (
	"bytes"
	"database/sql"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sitthi/audit"
	"sitthi/internal/clock"
	"sitthi/internal/config"
	"sitthi/internal/store"
)

// TestAuditCommands seals a log, keeps a checkpoint, and has the command line check the log before and after someone
// was at it.
func TestAuditCommands(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "sitthi.db")
	sitthi := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := run(t.Context(), append(args, "--database", "sqlite:"+path), nil, &out, io.Discard)
		return out.String(), err
	}
	if _, err := sitthi("migrate"); err != nil {
		t.Fatal(err)
	}
	if _, err := sitthi("audit", "checkpoint"); err == nil || !strings.Contains(err.Error(), "nothing is sealed yet") {
		t.Errorf("checkpoint of an empty log: %v", err)
	}
	entries := sealThree(t, path)
	checkpoint, err := sitthi("audit", "checkpoint")
	if err != nil || !strings.HasPrefix(checkpoint, "sitthi/audit\n3\n") {
		t.Fatalf("checkpoint %q, %v", checkpoint, err)
	}
	kept := filepath.Join(folder, "checkpoint")
	if err := os.WriteFile(kept, []byte(checkpoint), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := sitthi("audit", "verify", "--checkpoint", kept)
	if err != nil || !strings.Contains(out, "sealed entries  3, and 0 that wait") || !strings.Contains(out, "the audit log is whole") {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := sitthi("audit", "verify", "--checkpoint", kept+".gone"); err == nil || !strings.Contains(err.Error(), "--checkpoint") {
		t.Errorf("a checkpoint that is not there: %v", err)
	}

	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{"DROP TRIGGER audit_entries_kept", "UPDATE audit_entries SET actor = 'x' WHERE id = '" + entries[1].ID + "'"} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	out, err = sitthi("audit", "verify")
	if want := "the audit log is not whole: place 1: entry " + entries[1].ID; err == nil || !strings.Contains(err.Error(), want) || strings.Contains(out, "whole") {
		t.Errorf("after tampering: %v, want %q\n%s", err, want, out)
	}
}

// sealThree records and seals three acts, and answers them in order.
func sealThree(t *testing.T, path string) []audit.Entry {
	t.Helper()
	ctx := t.Context()
	v, err := openExisting(ctx, &config.Database{URL: "sqlite:" + path}, config.Secrets{}, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	var entries []audit.Entry
	err = v.db.Write(ctx, func(tx *store.Tx) error {
		for range 3 {
			if err := audit.Record(ctx, tx, audit.Act{Name: "test.act", Actor: audit.System}); err != nil {
				return err
			}
		}
		entries, _, err = audit.List(ctx, tx, audit.Query{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := audit.NewSealer(v.db, v.ring, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Seal(ctx); err != nil || n != 3 {
		t.Fatalf("sealed %d: %v", n, err)
	}
	if err := v.db.Close(); err != nil {
		t.Fatal(err)
	}
	return []audit.Entry{entries[2], entries[1], entries[0]}
}

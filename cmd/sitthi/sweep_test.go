package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/internal/clock"
	"sitthi/internal/config"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// A serving program deletes what no longer matters; here a limit that ran out and a message that was sent a year ago.
func TestServingSweeps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s := serveWith(t, "--database", "sqlite:"+path)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + path, Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	err = db.Write(t.Context(), func(tx *store.Tx) error {
		// What is over is deleted once an hour, or once a day; here it was long ago.
		if _, err := tx.Exec(t.Context(), `DELETE FROM retention_runs`); err != nil {
			return err
		}
		if _, err := tx.Exec(t.Context(), `DELETE FROM leases`); err != nil { // of a round that the stop broke off
			return err
		}
		old := store.Us(tx.Now.AddDate(-1, 0, 0))
		if _, err := tx.Exec(t.Context(), `INSERT INTO throttles (name, arrival) VALUES ('old', $1)`, old); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), `
			INSERT INTO messages (id, channel, purpose, language, to_sealed, state, next_at, created_at)
			VALUES ('old', 'email', 'signin.off', 'th', $1, 'sent', $2, $2)`, []byte("sealed"), old)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	serveWith(t, "--database", "sqlite:"+path)
	for limit := time.Now().Add(20 * time.Second); ; {
		var n int
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `
				SELECT (SELECT count(*) FROM throttles WHERE name = 'old') + (SELECT count(*) FROM messages WHERE id = 'old')`).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		if time.Now().After(limit) {
			t.Fatal("what ran out and what was sent a year ago is still kept")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// sweptTables are the tables that shrink again, with the name of the rule of retention that sees to it.
var sweptTables = map[string]string{
	"registrations": "registrations", "contact_changes": "registrations",
	"codes": "codes", "throttles": "codes",
	"drafts":   "drafts",
	"sessions": "sessions", "devices": "sessions", "signin_flows": "sessions", "challenges": "sessions", "resets": "sessions", "reset_links": "sessions", "thaid_flows": "sessions",
	"messages": "messages",
	"tickets":  "help_desk", "ticket_browsers": "help_desk", "ticket_events": "help_desk", "ticket_looks": "help_desk", "help_acts": "help_desk", "line_events": "help_desk",
	"legacy_files": "imports", "legacy_rows": "imports",
	"decisions":   "decisions",
	"audit_texts": "log_texts",
}

// keptTables are those that stay, each with the reason.
var keptTables = map[string]string{
	"persons":            "whom acts of the log are about; one row for each person",
	"accounts":           "one row for each account, closed ones too: rights of the past name them",
	"identities":         "one row for each account",
	"account_states":     "what answers about the past rest on",
	"reopenings":         "what answers about the past rest on: when the 60 days began anew",
	"activations":        "few: one for each officer who was locked and came back, with who let him in",
	"lock_reminders":     "few: that nobody is reminded twice of the same lock",
	"grant_reminders":    "three for each right: that nobody is reminded twice",
	"appointments":       "who was head, for as long as rights are asked about",
	"confirmations":      "who was confirmed by whom, for as long as rights are asked about",
	"grants":             "the book of rights",
	"grant_versions":     "the book of rights",
	"rights_changes":     "the order of all changes of rights",
	"give_lists":         "few: that a list of rights that was sent twice is given once",
	"factors":            "one for each account; what was begun and not proved goes with the sessions",
	"passkeys":           "some for each account; their owners remove them",
	"recovery_codes":     "ten for each account, replaced together",
	"programs":           "few: which program could ask, and until when",
	"units":              "reference data",
	"teams":              "reference data",
	"systems":            "reference data",
	"cutovers":           "few, and what answers about the past rest on",
	"announcements":      "few, written by hand",
	"legacy_imports":     "few: what was brought in from the old system, without what was in the files",
	"legacy_commits":     "where rights come from",
	"legacy_hands":       "who had a hand in an import",
	"legacy_invitations": "few: who was invited, once",
	"legacy_origins":     "where rights come from",
	"audit_entries":      "the log: entries are never deleted, their texts are",
	"audit_leaves":       "the log",
	"audit_hashes":       "the log",
	"audit_checkpoints":  "the log",
	"audit_published":    "one row",
	"audit_waiting":      "entries until they are sealed, half a second",
	"counters":           "some rows",
	"installation":       "some rows",
	"leases":             "some rows",
	"retention_runs":     "one row for each rule",
	"seal_keys":          "one row for each key",
	"key_users":          "one row for each process; they remove those that are gone",
}

// TestEveryTableIsKeptForAReason: no table grows for ever because nobody thought of it.
func TestEveryTableIsKeptForAReason(t *testing.T) {
	var rules []string
	for _, rule := range (&house{}).kept(&config.Serve{LogTextDays: 400}) {
		rules = append(rules, rule.Name)
	}
	env := storetest.SQLite(t)
	tables := column(t, env.URL, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`)
	for _, name := range tables {
		rule, swept := sweptTables[name]
		_, kept := keptTables[name]
		switch {
		case swept == kept:
			t.Errorf("%s: say in one of the two lists what becomes of its rows", name)
		case swept && !slices.Contains(rules, rule):
			t.Errorf("%s: there is no rule of retention %q", name, rule)
		}
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(sweptTables)), slices.Collect(maps.Keys(keptTables))) {
		if !slices.Contains(tables, name) {
			t.Errorf("there is no table %s", name)
		}
	}
	words, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(words), "## What is kept for how long")
	section, _, _ = strings.Cut(section, "\n## ")
	if n := strings.Count(section, "\n| "); n < len(rules)+1 {
		t.Errorf("docs/operations.md has %d lines of %d rules", n, len(rules))
	}
}

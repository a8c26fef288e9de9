// Package dossier gathers all that is stored about one person, for that person alone (PDPA, right of access).
package dossier

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"sitthi/audit"
	"sitthi/internal/store"
	"sitthi/person"
)

// section is a part of a dossier: the columns of one table, and the condition on the person, who is $1. Columns that end in
// _at or _since are moments, those named in truths are truths; none holds a secret, such as a hash or a sealed text.
type section struct {
	name, table, columns, where, order string
}

var sections = []section{
	{"account", "accounts", `given_name, family_name, position, unit, email, phone, line_id, language, notices, state, terms_version,
		terms_at, email_proved_at, phone_proved_at, email_since, phone_since, registered_at, last_signin_at, closed_at`, "person_id = $1", "person_id"},
	{"states", "account_states", "state, at", "person_id = $1", "version DESC"},
	{"identities", "identities", "given_name, family_name, proved_at, told_at", "person_id = $1", "person_id"},
	{"reopenings", "reopenings", "at, before_at", "person_id = $1", "at DESC"},
	{"activations", "activations", "unit, channel, asked_at, decided_at, outcome, reason, created_at", "person_id = $1", "created_at DESC"},
	{"help_acts", "help_acts", "kind, unit, proof, channel, requested_at, approved_at, done_at, stopped_at", "subject = $1", "requested_at DESC"},
	{"contact_changes", "contact_changes", "channel, created_at, sent_at, done_at", "person_id = $1", "created_at DESC"},
	{"factors", "factors", "begun_at, enrolled_at", "person_id = $1", "begun_at DESC"},
	{"passkeys", "passkeys", "name, created_at, used_at", "person_id = $1", "created_at DESC"},
	{"recovery_codes", "recovery_codes", "created_at, used_at", "person_id = $1", "created_at DESC"},
	{"sessions", "sessions", "created_at, seen_at, address, agent, thaid, ended_at, end_reason", "person_id = $1", "created_at DESC"},
	{"devices", "devices", "created_at, seen_at, agent", "person_id = $1", "seen_at DESC"},
	{"confirmations", "confirmations", "unit, outcome, decided_at, ended_at", "person_id = $1", "decided_at DESC"},
	{"rights", "grants", `number, unit, team, level, starts_at, ends_at, order_number, note, other_office, left_at, given_at, closed_at,
		closing, close_reason`, "person_id = $1", "number DESC"},
	{"appointments", "appointments", `unit, post, kind, order_number, note, starts_at, ends_at, proposed_at, confirmed_at, closed_at, closing,
		close_reason`, "person_id = $1", "proposed_at DESC"},
	{"messages", "messages", "channel, purpose, language, state, created_at, sent_at", "person_id = $1 AND state <> 'nobody'", "created_at DESC"},
	{"decisions", "decisions", "at, action, unit, team, allowed, reason", "person_id = $1", "at DESC, serial"},
	{"invitations", "legacy_invitations", "at", "person_id = $1", "at DESC"},
	{"acts", "audit_entries", "at, act, outcome, unit, request", "actor = $1 OR subject = $1", "at DESC, id DESC"},
}

// Field is one fact: a text, a whole number, a truth or a time.Time. One that is not there is left out.
type Field struct {
	Name  string
	Value any
}

// Section is a part of a dossier, in the order of time, newest first.
type Section struct {
	Name    string
	Records [][]Field
}

// Dossier is all that is stored about one person. What is sealed (codes, passwords, the words of messages) is not in it.
type Dossier struct {
	Person    person.ID
	CitizenID string // with hyphens
	At        time.Time
	Sections  []Section // those that hold anything
}

// Desk gives people their own dossiers.
type Desk struct {
	DB   *store.DB
	Roll *person.Roll
}

// Read answers all that is stored about the person who asks; each time is recorded. format is how it is handed out, for
// the log: "page" or "json".
func (d Desk) Read(ctx context.Context, who person.ID, format string) (f Dossier, err error) {
	act := audit.Act{Name: "officer.export", Actor: string(who), Subject: string(who), Detail: map[string]string{"format": format}}
	err = audit.Do(ctx, d.DB, &act, func(tx *store.Tx) error {
		citizen, err := d.Roll.CitizenID(ctx, tx, who)
		if err != nil {
			return err
		}
		f = Dossier{Person: who, CitizenID: citizen.Dashed(), At: tx.Now}
		for _, s := range sections {
			records, err := s.read(ctx, tx, who)
			if err != nil {
				return fmt.Errorf("read %s: %w", s.name, err)
			}
			if len(records) > 0 {
				f.Sections = append(f.Sections, Section{s.name, records})
			}
		}
		return nil
	})
	return f, err
}

func (s section) fields() []string {
	names := strings.Split(s.columns, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

func moment(column string) bool {
	return column == "at" || strings.HasSuffix(column, "_at") || strings.HasSuffix(column, "_since")
}

// truths are the columns of truths, which SQLite keeps as numbers.
var truths = []string{"other_office", "allowed"}

func (s section) read(ctx context.Context, tx *store.Tx, who person.ID) ([][]Field, error) {
	names := s.fields()
	return store.Rows(func(row store.Row) ([]Field, error) {
		values := make([]any, len(names))
		moments := make([]time.Time, len(names))
		flags := make([]bool, len(names))
		targets := make([]any, len(names))
		for i, name := range names {
			switch targets[i] = &values[i]; {
			case moment(name):
				targets[i] = store.At(&moments[i])
			case slices.Contains(truths, name):
				targets[i] = &flags[i]
			}
		}
		if err := row.Scan(targets...); err != nil {
			return nil, err
		}
		var record []Field
		for i, name := range names {
			switch {
			case moment(name) && !moments[i].IsZero():
				values[i] = moments[i]
			case slices.Contains(truths, name):
				values[i] = flags[i]
			}
			if values[i] != nil && values[i] != "" {
				record = append(record, Field{name, values[i]})
			}
		}
		return record, nil
	})(tx.Query(ctx, "SELECT "+s.columns+" FROM "+s.table+" WHERE "+s.where+" ORDER BY "+s.order, who))
}

// Names lists the names of all sections and of all fields, each once, for who has to put them into words.
func Names() (names, fields []string) {
	seen := map[string]bool{}
	for _, s := range sections {
		names = append(names, s.name)
		for _, f := range s.fields() {
			if !seen[f] {
				seen[f] = true
				fields = append(fields, f)
			}
		}
	}
	return names, fields
}

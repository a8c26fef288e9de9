package dossier

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"sitthi/agency"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

// elsewhere are the tables that name a person and are in no section, each with the reason.
var elsewhere = map[string]string{
	"challenges":     "a passkey in use, for minutes",
	"cutovers":       "that an administrator set the cut-over, which the acts tell",
	"drafts":         "a form kept for a moment, sealed",
	"legacy_hands":   "that an administrator worked on an import, which the acts tell",
	"legacy_rows":    "what another system said, until it is signed; then the rights tell",
	"lock_reminders": "of which lock he was reminded, which the messages tell",
	"persons":        "the citizen ID itself, which the dossier begins with",
	"reset_links":    "hash of a link, for a day",
	"resets":         "a forgotten password under way, by a blind index, for a day",
	"rights_changes": "that a right moved, which the acts tell",
	"signin_flows":   "a sign-in under way, for minutes",
	"ticket_events":  "what agents noted",
	"ticket_looks":   "that an agent looked",
	"tickets":        "what somebody wrote to the help desk under his number before proving that it was him",
}

// TestNoTableIsForgotten: a new table that names a person is in a section, or it is said why not.
func TestNoTableIsForgotten(t *testing.T) {
	files, err := filepath.Glob("../internal/store/migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	table := regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\);`)
	names := regexp.MustCompile(`(?m)^\s+(person_id|subject|actor|owner|citizen_index)\s`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range table.FindAllStringSubmatch(string(text), -1) {
			if !names.MatchString(m[2]) || slices.ContainsFunc(sections, func(s section) bool { return s.table == m[1] }) {
				continue
			}
			if elsewhere[m[1]] == "" {
				t.Errorf("%s names a person, and his dossier does not have it", m[1])
			}
		}
	}
}

func TestRead(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring, err := seal.New()
		if err != nil {
			t.Fatal(err)
		}
		d := Desk{DB: env.DB, Roll: person.NewRoll(ring)}
		var who [2]person.ID
		err = env.DB.Write(t.Context(), func(tx *store.Tx) error {
			if err := agency.Load(t.Context(), tx); err != nil {
				return err
			}
			for i, digits := range []string{"3990000000228", "3990000000503"} {
				citizen, err := thai.ParseCitizenID(digits)
				if err != nil {
					return err
				}
				if who[i], err = d.Roll.Mention(t.Context(), tx, citizen); err != nil {
					return err
				}
				err = officer.Create(t.Context(), tx, officer.Account{Person: who[i], GivenName: "ปิติ" + digits[10:], FamilyName: "ใจดี", Unit: "TH-12",
					Email: thai.Email(digits + "@example.go.th"), EmailProvedAt: tx.Now}, "the hash")
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time the first is in the log
			f, err := d.Read(t.Context(), who[0], "json")
			if err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				CitizenID string              `json:"citizen_id"`
				Account   []map[string]string `json:"account"`
				Acts      []map[string]string `json:"acts"`
			}
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatalf("%v: %s", err, raw)
			}
			if got.CitizenID != "3-9900-00000-22-8" || len(got.Account) != 1 || got.Account[0]["given_name"] != "ปิติ228" ||
				got.Account[0]["email_proved_at"] != "2026-10-05T02:00:00Z" && got.Account[0]["email_proved_at"] == "" {
				t.Errorf("%s", raw)
			}
			if regexp.MustCompile(`the hash|ปิติ503|3990000000503`).Match(raw) {
				t.Errorf("a secret, or another's: %s", raw)
			}
			if len(f.Sections) > 1 && (len(got.Acts) != 1 || got.Acts[0]["act"] != "officer.export") {
				t.Errorf("acts: %v", got.Acts)
			}
		}
	})
}

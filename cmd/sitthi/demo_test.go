package main

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/grant"
	"sitthi/helpdesk"
	"sitthi/internal/config"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/person"
	"sitthi/portal"
	"sitthi/signin"
)

// newDemoHouse makes of an empty database what serve --demo makes, up to where the data comes in.
func newDemoHouse(t *testing.T, env *storetest.Env) *house {
	t.Helper()
	ctx := t.Context()
	ring, err := seal.Load(t.TempDir()+"/keys.json", true)
	if err != nil {
		t.Fatal(err)
	}
	settings := &config.Serve{Demo: true, SignInPerMinute: 60}
	public := &url.URL{Scheme: "http", Host: "localhost:8080"}
	log := slog.New(slog.DiscardHandler)
	out, err := senders(settings, config.Secrets{}, log)
	if err != nil {
		t.Fatal(err)
	}
	h, err := build(&vault{env.DB, ring}, settings, config.Secrets{}, out, env.Clock, log, public)
	if err != nil {
		t.Fatal(err)
	}
	err = env.DB.Write(ctx, func(tx *store.Tx) error {
		if err := agency.Load(ctx, tx); err != nil {
			return err
		}
		return portal.Load(ctx, tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// seeded fills an empty database.
func seeded(t *testing.T, env *storetest.Env) *house {
	t.Helper()
	h := newDemoHouse(t, env)
	if err := dedicate(t.Context(), env.DB, purposeDemo); err != nil {
		t.Fatal(err)
	}
	if err := h.seedDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.book.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

// lines reads every row of a query as one line.
func lines(t *testing.T, h *house, columns int, query string) []string {
	t.Helper()
	var all []string
	err := h.db.Read(t.Context(), func(tx *store.Tx) (err error) {
		all, err = store.Rows(func(row store.Row) (string, error) {
			values, targets := make([]any, columns), make([]any, columns)
			for i := range values {
				targets[i] = &values[i]
			}
			err := row.Scan(targets...)
			return strings.TrimSuffix(fmt.Sprintln(values...), "\n"), err
		})(tx.Query(t.Context(), query))
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}

// people lists everyone by citizen ID, with what the account says.
func people(t *testing.T, h *house) map[person.ID]string {
	t.Helper()
	all := map[person.ID]string{}
	err := h.db.Read(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Query(t.Context(), `SELECT p.id, p.citizen_sealed, a.given_name, a.family_name, a.position, a.unit, a.email, a.phone, a.state
			FROM persons p LEFT JOIN accounts a ON a.person_id = p.id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id person.ID
			var sealed []byte
			var words [7]string
			targets := []any{&id, &sealed}
			for i := range words {
				targets = append(targets, store.Null(&words[i]))
			}
			if err := rows.Scan(targets...); err != nil {
				return err
			}
			citizen, err := h.roll.Open(id, sealed)
			if err != nil {
				return err
			}
			all[id] = citizen.Digits() + " " + strings.Join(words[:], "|")
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// rightsOf lists every grant in words that no identifier or date comes into.
func rightsOf(t *testing.T, h *house, who map[person.ID]string) []string {
	t.Helper()
	administrator := demoID(t, h, firstAdministrator)
	var all []string
	err := h.book.Each(t.Context(), administrator, grant.Filter{State: "all"}, func(r grant.Row) error {
		all = append(all, fmt.Sprint(r.Number, r.Unit, r.Team, r.Level, who[r.Person], r.State, r.OtherOffice, r.Mutual, r.CloseReason))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func demoID(t *testing.T, h *house, digits string) (id person.ID) {
	t.Helper()
	citizen, err := thai.ParseCitizenID(digits)
	if err != nil {
		t.Fatal(err)
	}
	err = h.db.Read(t.Context(), func(tx *store.Tx) error {
		var found bool
		id, found, err = h.roll.Find(t.Context(), tx, citizen)
		if err == nil && !found {
			err = fmt.Errorf("%s is not there", digits)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestDemoHoldsWhatTheListSays(t *testing.T) {
	before := seeded(t, storetest.SQLite(t))
	peopleBefore := people(t, before)
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		env.Clock.Advance(100*24*time.Hour + 17*time.Hour) // another season and another time of day
		began := time.Now()
		h := seeded(t, env)
		t.Logf("seeded in %v", time.Since(began).Round(10*time.Millisecond))

		if got := lines(t, h, 2, `SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM grants)`); got[0] != "3000 5000" {
			t.Errorf("officers and grants: %s, want 3000 5000", got[0])
		}
		if got := lines(t, h, 2, `SELECT value, (SELECT max(number) FROM grants) FROM counters WHERE name = 'grant'`); got[0] != "5000 5000" {
			t.Errorf("counter and highest number: %s", got[0])
		}
		if got := lines(t, h, 1, `SELECT id FROM grants g WHERE NOT EXISTS (SELECT 1 FROM grant_versions v WHERE v.grant_id = g.id AND v.version = 1)`); len(got) > 0 {
			t.Errorf("%d grants without their first version", len(got))
		}
		t.Run("the same each time", func(t *testing.T) {
			now := people(t, h)
			if a, b := slices.Sorted(maps.Values(peopleBefore)), slices.Sorted(maps.Values(now)); !slices.Equal(a, b) {
				t.Errorf("people differ: %s", difference(a, b))
			}
			if a, b := rightsOf(t, before, peopleBefore), rightsOf(t, h, now); !slices.Equal(a, b) {
				t.Errorf("rights differ: %s", difference(a, b))
			}
		})
		t.Run("people", func(t *testing.T) { checkPeople(t, h) })
		t.Run("order of time", func(t *testing.T) { checkOrderOfTime(t, h) })
		t.Run("states", func(t *testing.T) { checkStates(t, h) })
		t.Run("units", func(t *testing.T) { checkUnits(t, h) })
		t.Run("fixed accounts", func(t *testing.T) { checkFixed(t, h) })
		t.Run("requests for help", func(t *testing.T) { checkHelp(t, h) })
		t.Run("announcements", func(t *testing.T) {
			for place, want := range map[portal.Place]int{portal.Public: 2, portal.Officers: 4} {
				current, _, err := portal.Desk{DB: h.db}.Announcements(t.Context(), place)
				if err != nil || len(current) != want {
					t.Errorf("%s: %d announcements (%v), want %d", place, len(current), err, want)
				}
			}
		})
		t.Run("cut-over", func(t *testing.T) {
			o, err := h.portal.Ownership(t.Context(), portal.KO1)
			yesterday := thai.DateOf(env.Clock.Now()).AddDays(-1)
			if err != nil || o.Owner != portal.New || !o.Since.From.Equal(yesterday.StartOfDay()) || !strings.Contains(o.Since.Note.TH, yesterday.AddDays(3).Long("th")) {
				t.Errorf("%+v, %v", o, err)
			}
		})
		t.Run("log", func(t *testing.T) { checkLog(t, h) })
	})
}

func checkPeople(t *testing.T, h *house) {
	emails := map[string]bool{}
	for _, line := range people(t, h) {
		digits, words, _ := strings.Cut(line, " ")
		if _, err := thai.ParseCitizenID(digits); err != nil || digits[1:3] != "99" {
			t.Errorf("citizen ID %s: %v", digits, err)
		}
		w := strings.Split(words, "|")
		if w[0] == "" {
			continue // not registered
		}
		email, err := thai.ParseEmail(w[4])
		if err != nil || string(email) != w[4] || !strings.HasSuffix(w[4], ".demo.example") || emails[w[4]] {
			t.Errorf("e-mail of %s: %q, %v", digits, w[4], err)
		}
		emails[w[4]] = true
		if phone, err := thai.ParseMobile(w[5]); err != nil || string(phone) != w[5] {
			t.Errorf("phone of %s: %q, %v", digits, w[5], err)
		}
		if w[2] == "" || w[3] == "" {
			t.Errorf("%s has no position or unit: %s", digits, line)
		}
	}
	if repeated := lines(t, h, 1, `SELECT given_name FROM accounts GROUP BY given_name, family_name HAVING count(*) > 1`); len(repeated) > 0 {
		t.Errorf("names that come twice: %v", repeated)
	}
}

// checkOrderOfTime finds what could not have happened.
func checkOrderOfTime(t *testing.T, h *house) {
	now := fmt.Sprint(h.db.Now().UnixMicro())
	for what, query := range map[string]string{
		"given in the future":                `SELECT number FROM grants WHERE given_at > ` + now,
		"closed before it was given":         `SELECT number FROM grants WHERE closed_at <= given_at`,
		"closed in the future":               `SELECT number FROM grants WHERE closed_at > ` + now,
		"begins before it was given":         `SELECT number FROM grants WHERE starts_at < given_at`,
		"ends before it begins":              `SELECT number FROM grants WHERE ends_at <= starts_at`,
		"expired, but not yet over":          `SELECT number FROM grants WHERE closing = 'expired' AND ends_at > closed_at`,
		"given to himself":                   `SELECT number FROM grants WHERE given_by = person_id`,
		"given before its appointment":       `SELECT g.number FROM grants g JOIN appointments p ON p.id = g.appointment_id WHERE g.given_at < p.starts_at`,
		"given after its appointment":        `SELECT g.number FROM grants g JOIN appointments p ON p.id = g.appointment_id WHERE g.given_at > p.closed_at`,
		"numbers against time":               `SELECT g.number FROM grants g JOIN grants o ON o.number = g.number + 1 WHERE o.given_at < g.given_at`,
		"in force, not registered in time":   `SELECT g.number FROM grants g JOIN accounts a ON a.person_id = g.person_id JOIN confirmations c ON c.person_id = g.person_id AND c.unit = g.unit WHERE c.outcome = 'confirmed' AND c.decided_at < a.registered_at`,
		"confirmed without an account":       `SELECT c.id FROM confirmations c WHERE NOT EXISTS (SELECT 1 FROM accounts a WHERE a.person_id = c.person_id)`,
		"a group in a province":              `SELECT number FROM grants WHERE team <> '' AND unit LIKE 'TH-%'`,
		"a group that is not there":          `SELECT g.number FROM grants g WHERE g.team <> '' AND NOT EXISTS (SELECT 1 FROM teams t WHERE t.unit = g.unit AND t.code = g.team)`,
		"where no rights are given":          `SELECT g.number FROM grants g JOIN units u ON u.code = g.unit WHERE NOT u.considers`,
		"level 2 where it is not used":       `SELECT g.number FROM grants g JOIN units u ON u.code = g.unit WHERE g.level = 2 AND NOT u.uses_review`,
		"other office not marked":            `SELECT g.number FROM grants g JOIN accounts a ON a.person_id = g.person_id WHERE (a.unit <> g.unit) <> g.other_office`,
		"version 2 recorded in the future":   `SELECT grant_id FROM grant_versions WHERE recorded_at > ` + now,
		"signed in before being registered":  `SELECT person_id FROM accounts WHERE last_signin_at < registered_at`,
		"confirmed post in the future":       `SELECT id FROM appointments WHERE confirmed_at > ` + now + ` OR proposed_at > confirmed_at`,
		"closed post before it was proposed": `SELECT id FROM appointments WHERE closed_at < proposed_at OR closed_at > ` + now,
	} {
		if got := lines(t, h, 1, query); len(got) > 0 {
			t.Errorf("%s: %d rows, first %s", what, len(got), got[0])
		}
	}
}

func checkStates(t *testing.T, h *house) {
	administrator := demoID(t, h, firstAdministrator)
	count := func(f grant.Filter) int {
		page, err := h.book.Grid(t.Context(), administrator, f)
		if err != nil {
			t.Fatal(err)
		}
		return page.Total
	}
	for _, state := range grant.States {
		n := count(grant.Filter{State: string(state)})
		t.Logf("%s: %d", state, n)
		if n < 10 {
			t.Errorf("only %d grants are %s", n, state)
		}
	}
	// Nonthaburi is where people look: the menus have pages to turn, and something to see in each state.
	for _, state := range []string{"active", "soon", "future", "waiting", "expired", "ended"} {
		if count(grant.Filter{State: state, Unit: "TH-12"}) == 0 {
			t.Errorf("no grant in Nonthaburi is %s", state)
		}
	}
	if n := count(grant.Filter{Unit: "TH-12", Level: grant.Consider}); n <= grant.Sizes[0] {
		t.Errorf("%d officers may consider in Nonthaburi: no second page", n)
	}
	if n := count(grant.Filter{Unit: "TH-12", Level: grant.Approve}); n < 4 {
		t.Errorf("%d officers may approve in Nonthaburi", n)
	}
	if n := count(grant.Filter{Unit: "IWM", Level: grant.Review}); n < 3 {
		t.Errorf("%d heads of group may review in IWM", n)
	}
	for _, mark := range []string{"other_office", "mutual", "awaits_second"} {
		if n := len(lines(t, h, 1, `SELECT number FROM grants WHERE closed_at IS NULL AND `+mark)); n < 5 {
			t.Errorf("only %d live grants are marked %s", n, mark)
		}
	}
}

func checkUnits(t *testing.T, h *house) {
	now := fmt.Sprint(h.db.Now().UnixMicro())
	holds := ` AND p.closed_at IS NULL AND p.confirmed_at IS NOT NULL AND p.starts_at <= ` + now + ` AND (p.ends_at IS NULL OR p.ends_at > ` + now + `)`
	if got := lines(t, h, 1, `SELECT u.code FROM units u WHERE NOT EXISTS
		(SELECT 1 FROM appointments p WHERE p.unit = u.code AND p.post = 'head'`+holds+`) ORDER BY u.code`); !slices.Equal(got, demoVacant) {
		t.Errorf("units without a head: %v, want %v", got, demoVacant)
	}
	if got := lines(t, h, 2, `SELECT p.unit, count(*) FROM appointments p WHERE p.post = 'head' AND p.kind = 'regular'`+holds+` GROUP BY p.unit HAVING count(*) > 1`); len(got) > 0 {
		t.Errorf("units with two regular heads: %v", got)
	}
	if got := lines(t, h, 1, `SELECT p.unit FROM appointments p WHERE p.kind = 'acting'`+holds); len(got) < 2 {
		t.Errorf("acting deputies in: %v", got)
	}
	if got := lines(t, h, 1, `SELECT u.code FROM units u WHERE u.considers AND NOT EXISTS (SELECT 1 FROM grants g
		WHERE g.unit = u.code AND g.level = 3 AND g.closed_at IS NULL AND NOT g.awaits_second AND g.starts_at <= `+now+` AND (g.ends_at IS NULL OR g.ends_at > `+now+`))
		ORDER BY u.code`); !slices.Equal(got, demoNoApprover) {
		t.Errorf("units without an approver: %v, want %v", got, demoNoApprover)
	}
}

// checkFixed signs every fixed account in and asks for what it may do.
func checkFixed(t *testing.T, h *house) {
	t.Helper()
	for _, a := range demoAccounts {
		who := demoID(t, h, a.citizen)
		if !a.registered() {
			list := lines(t, h, 2, `SELECT unit, level FROM grants WHERE closed_at IS NULL AND person_id = '`+string(who)+`'`)
			if !slices.Equal(list, []string{"TH-12 1"}) {
				t.Errorf("%s holds %v", a.citizen, list)
			}
			continue
		}
		in := signin.In{CitizenID: a.citizen, Password: demoPassword, Browser: "browser", Address: "192.0.2.1"}
		opened, err := h.signin.SignIn(t.Context(), in)
		if err == nil && a.key() != "" {
			_, err = h.signin.SignInCode(t.Context(), opened.Flow, demoCodes(t, h.db.Now())[1], in)
		} else if err == nil && opened.Flow != "" {
			t.Errorf("%s is asked for a second factor", a.citizen)
		}
		locked := a.citizen == demoLocked
		if locked && !errors.Is(err, problem.Locked) || !locked && err != nil {
			t.Errorf("%s does not get in: %v", a.citizen, err)
		}
		posts := h.book.Posts(who)
		if got := posts.Administrator; got != (a.post == grant.Administrator) {
			t.Errorf("%s administrator: %v", a.citizen, got)
		}
		if got := posts.Auditor; got != (a.post == grant.Auditor) {
			t.Errorf("%s auditor: %v", a.citizen, got)
		}
		var heads []string
		if a.post == grant.Head {
			heads = []string{a.postUnit}
		}
		if !slices.Equal(posts.Heads, heads) {
			t.Errorf("%s head of %v, want %v", a.citizen, posts.Heads, heads)
		}
		for _, unit := range []string{"TH-12", "TH-13", "IWM"} {
			for _, team := range []string{"", "PERMIT-1", "PERMIT-2"} {
				there := team == "" || unit == "IWM" // a province has no groups
				for _, level := range grant.Levels {
					want := there && !locked && a.right != nil && a.right.unit == unit && a.right.level == level.Level && (a.right.team == team || a.right.team == "")
					if got := h.book.Allows(who, level.Level.Do(), grant.Place{Unit: unit, Team: team}); got != want {
						t.Errorf("%s at level %d in %s %s: %v, want %v", a.citizen, level.Level, unit, team, got, want)
					}
				}
			}
		}
	}
}

// checkLog seals the log and verifies it.
func checkLog(t *testing.T, h *house) {
	t.Helper()
	sealer, err := audit.NewSealer(h.db, h.ring, h.log)
	if err != nil {
		t.Fatal(err)
	}
	for placed := 1; placed > 0; {
		if placed, err = sealer.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	report, err := audit.Verify(t.Context(), h.db, h.ring)
	if err != nil || report.Fault != nil || report.Waiting != 0 {
		t.Errorf("log: %+v %+v, %v", report, report.Fault, err)
	}
	if got := lines(t, h, 2, `SELECT act, actor FROM audit_entries WHERE act LIKE 'demo.%' ORDER BY act DESC`); len(got) < 2 || got[0] != "demo.seed system" || got[1] != "demo.refresh system" {
		t.Errorf("entries of the demonstration: %v", got)
	}
}

func difference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("%d: %s / %s", i, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d and %d rows", len(a), len(b))
}

// checkHelp compares the queue of the help desk with its list: one request of every state at least, and acts that
// wait for the people of the demonstration.
func checkHelp(t *testing.T, h *house) {
	agent, chief := demoID(t, h, firstAgent), demoID(t, h, "3990000000104")
	for _, state := range helpdesk.States {
		list, err := h.help.Queue(t.Context(), agent, helpdesk.Filter{State: state})
		if err != nil || len(list) == 0 {
			t.Errorf("%d requests are %s: %v", len(list), state, err)
		}
		for _, one := range list {
			if err := h.help.Look(t.Context(), agent, one.ID); err != nil {
				t.Fatal(err)
			}
			c, err := h.help.See(t.Context(), agent, one.ID)
			if err != nil {
				t.Fatal(err)
			}
			stranger := c.Closing == helpdesk.Nobody || c.Unit == "TH-40"
			if hasAccount := c.Account != nil; hasAccount == stranger && state != helpdesk.Draft {
				t.Errorf("%s, %s, is of %s; account: %v", c.Receipt, state, c.Typed.Name, hasAccount)
			}
			if c.Kind == helpdesk.Active && state == helpdesk.New && !c.Account.Locked {
				t.Errorf("%s asks for %q, and his account is not locked", c.Typed.Name, c.Kind)
			}
		}
	}
	if list, err := h.help.Pleas(t.Context(), chief); err != nil || len(list) != 1 {
		t.Errorf("the chief is asked to vouch for %d: %v", len(list), err)
	}
	if f, err := h.help.Figures(t.Context(), agent); err != nil || f.Unclaimed != 3 || len(f.Agents) != 2 || f.Median == 0 {
		t.Errorf("the figures are %+v: %v", f, err)
	}
}

// demoTables are those that a second start may not touch, but for what it refreshes.
const demoTables = `SELECT (SELECT count(*) FROM persons), (SELECT count(*) FROM accounts), (SELECT count(*) FROM grants),
	(SELECT count(*) FROM grant_versions), (SELECT count(*) FROM appointments), (SELECT count(*) FROM confirmations),
	(SELECT count(*) FROM teams), (SELECT count(*) FROM announcements), (SELECT sum(version) FROM grants), (SELECT sum(version) FROM appointments),
	(SELECT count(*) FROM tickets), (SELECT count(*) FROM ticket_events)`

func TestDemoStartsAgain(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ctx := t.Context()
		h := seeded(t, env)
		chief, officer, nobody := demoID(t, h, "3990000000104"), demoID(t, h, "3990000000201"), demoID(t, h, "3990000000228")
		opened, err := h.signin.SignIn(ctx, signin.In{CitizenID: "3990000000201", Password: demoPassword})
		if err != nil {
			t.Fatal(err)
		}
		before := lines(t, h, 12, demoTables)

		env.Clock.Advance(10 * time.Minute)
		if err := h.seedDemo(ctx); err != nil {
			t.Fatal(err)
		}
		if after := lines(t, h, 12, demoTables); !slices.Equal(before, after) {
			t.Errorf("a second start changed %v to %v", before, after)
		}
		if _, err := h.signin.Session(ctx, opened.Token); err != nil {
			t.Errorf("a second start ended a session: %v", err)
		}

		locked := func() string {
			return lines(t, h, 1, fmt.Sprintf(`SELECT count(*) FROM accounts WHERE last_signin_at <= %d`, env.DB.Now().Add(-61*24*time.Hour+time.Minute).UnixMicro()))[0]
		}
		away := locked()

		// After more than a year, with the fixed accounts in the worst state that they can get into.
		env.Clock.Advance(400 * 24 * time.Hour)
		for range 8 { // run into the limit of tries
			_, err := h.signin.SignIn(ctx, signin.In{CitizenID: "3990000000104", Password: "wrong", Address: "192.0.2.9"})
			if err == nil {
				t.Fatal("a wrong password got in")
			}
		}
		other, err := h.passwords.Hash(ctx, "somebody set another one")
		if err != nil {
			t.Fatal(err)
		}
		spoil(t, h, `UPDATE accounts SET state = 'disabled', password_off = TRUE, failures = 120, password_hash = $1, unit = 'TH-96' WHERE person_id = $2`, other, chief)
		spoil(t, h, `UPDATE appointments SET ends_at = starts_at + 1 WHERE person_id = $1`, chief)
		spoil(t, h, `UPDATE appointments SET closed_at = 1, closed_by = 'x', closing = 'ended' WHERE post = 'auditor'`)
		spoil(t, h, `UPDATE grants SET closed_at = 1, closed_by = 'x', closing = 'revoked' WHERE person_id = $1`, officer)
		spoil(t, h, `UPDATE grants SET ends_at = $1 WHERE person_id = $2`, store.Us(env.DB.Now()), demoID(t, h, "3990000000236"))
		spoil(t, h, `DELETE FROM factors WHERE person_id = $1`, chief)
		if err := h.db.Write(ctx, func(tx *store.Tx) error {
			_, err := h.signin.Keep(ctx, tx, officer, "ANOTHERKEY234567", "test")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		spoil(t, h, `UPDATE confirmations SET ended_at = 1 WHERE person_id = $1`, demoID(t, h, "3990000000317"))
		spoil(t, h, `UPDATE grants SET closed_at = 1, closed_by = 'x', closing = 'refused' WHERE person_id = $1`, demoID(t, h, unregisteredPerson))
		if err := h.book.Load(ctx); err != nil {
			t.Fatal(err)
		}
		if h.book.Allows(officer, grant.DoConsider, grant.Place{Unit: "TH-12"}) || len(h.book.Posts(chief).Heads) > 0 {
			t.Fatal("nothing was spoilt")
		}
		if err := h.seedDemo(ctx); err != nil {
			t.Fatal(err)
		}
		if got := locked(); got != away || away == "0" {
			t.Errorf("%s accounts are locked, before it were %s", got, away)
		}
		checkFixed(t, h)
		if h.book.Allows(nobody, grant.DoConsider, grant.Place{Unit: "TH-12"}) {
			t.Error("the officer without a right has one")
		}
		if got := lines(t, h, 1, `SELECT count(*) FROM accounts WHERE unit = 'TH-96' AND person_id = '`+string(chief)+`'`); got[0] != "0" {
			t.Error("the chief's office was not brought back")
		}
		current, _, err := portal.Desk{DB: h.db}.Announcements(ctx, portal.Officers)
		if err != nil || len(current) != 4 {
			t.Errorf("%d announcements (%v), want 4", len(current), err)
		}
		if got := lines(t, h, 1, `SELECT act FROM audit_entries WHERE act = 'demo.refresh' AND subject = '`+string(officer)+`'`); len(got) != 1 {
			t.Errorf("%d entries say that the officer's right was brought back", len(got))
		}
		checkLog(t, h)
	})
}

func spoil(t *testing.T, h *house, statement string, args ...any) {
	t.Helper()
	err := h.db.Write(t.Context(), func(tx *store.Tx) error {
		n, err := tx.Exec(t.Context(), statement, args...)
		if err == nil && n == 0 {
			err = fmt.Errorf("nothing to spoil: %s", statement)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDemoKeepsOutOfRealData(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ctx := t.Context()
		h := newDemoHouse(t, env)
		refused := func(err error, says string) {
			t.Helper()
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("answer %v, want one that says %s", err, says)
			}
		}
		refused(h.seedDemo(ctx), "not dedicated")
		if err := dedicate(ctx, h.db, purposeReal); err != nil {
			t.Fatal(err)
		}
		refused(dedicate(ctx, h.db, purposeDemo), "--database")
		refused(h.seedDemo(ctx), "not dedicated")
		if got := lines(t, h, 3, `SELECT (SELECT count(*) FROM persons), (SELECT count(*) FROM accounts), (SELECT count(*) FROM audit_entries)`); got[0] != "0 0 0" {
			t.Errorf("the refusal left %s persons, accounts, entries", got[0])
		}
	})
	t.Run("the other way round", func(t *testing.T) {
		env := storetest.SQLite(t)
		if err := dedicate(t.Context(), env.DB, purposeDemo); err != nil {
			t.Fatal(err)
		}
		if err := dedicate(t.Context(), env.DB, purposeReal); err == nil || !strings.Contains(err.Error(), "--database") || !strings.Contains(err.Error(), "--demo") {
			t.Errorf("answer %v", err)
		}
	})
}

// lineOf is the line in which words stand.
func lineOf(text, words string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, words) {
			return line
		}
	}
	return ""
}

func TestShowDemo(t *testing.T) {
	var out strings.Builder
	if err := showDemo(&out, "http://localhost:8080"); err != nil {
		t.Fatal(err)
	}
	t.Log(out.String())
	for _, a := range demoAccounts {
		if line := lineOf(out.String(), a.citizen); strings.Contains(line, demoKey) != (a.key() != "") {
			t.Errorf("%s: %s", a.citizen, line)
		}
		if !strings.Contains(out.String(), a.citizen) || !strings.Contains(out.String(), a.who.TH) || !strings.Contains(out.String(), a.who.EN) {
			t.Errorf("%s is not on the list", a.citizen)
		}
	}
	if !strings.Contains(out.String(), "http://localhost:8080") || !strings.Contains(out.String(), demoPassword) {
		t.Error("address or password is missing")
	}
	if got := align([][]string{{"ก", "x"}, {"กี่", "y"}, {"กก", "z"}}); got[0] != "ก   x" || got[1] != "กี่   y" || got[2] != "กก  z" {
		t.Errorf("%q", got)
	}
}

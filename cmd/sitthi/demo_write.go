package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/portal"
)

// The columns that the demonstration writes, in the order of its rows.
const (
	appointmentColumns = `id, person_id, unit, post, kind, order_number, note, starts_at, ends_at, proposed_by, proposed_at,
		confirmed_by, confirmed_at, closed_by, closed_at, closing, close_reason, version`
	grantColumns = `id, number, system, unit, team, level, person_id, starts_at, ends_at, order_number, note, other_office, mutual,
		awaits_second, given_by, given_at, seconded_by, seconded_at, appointment_id, form, closed_by, closed_at, closing, close_reason, version`
	versionColumns      = `grant_id, version, starts_at, ends_at, order_number, note, recorded_by, recorded_at`
	confirmationColumns = `id, person_id, unit, outcome, decided_by, decided_at, ended_at`
	teamColumns         = `unit, code, name_th, name_en, sort_key, updated_at`
	cutoverColumns      = `id, system, owner, starts_at, note_th, note_en, created_by, created_at`
	announcementColumns = `id, place, starts_at, ends_at, title_th, title_en, body_th, body_en, created_by, created_at`
)

// insertMany adds rows to a table, some with one statement; then says what happens to a row that is there already.
func insertMany(ctx context.Context, tx *store.Tx, table, columns string, rows [][]any, then string) error {
	const most = 16 // SQLite takes the square of the values' number to prepare a statement: 300 rows were five times slower
	for len(rows) > 0 {
		batch := rows[:min(most, len(rows))]
		rows = rows[len(batch):]
		var text strings.Builder
		text.WriteString("INSERT INTO " + table + " (" + columns + ") VALUES ")
		var args []any
		for i, row := range batch {
			if i > 0 {
				text.WriteString(", ")
			}
			for j, value := range row {
				text.WriteString([...]string{"(", ", "}[min(j, 1)] + "$" + strconv.Itoa(len(args)+1))
				args = append(args, value)
			}
			text.WriteString(")")
		}
		if _, err := tx.Exec(ctx, text.String()+" "+then, args...); err != nil {
			return fmt.Errorf("add to %s: %w", table, err)
		}
	}
	return nil
}

// demoAppointment is an appointment as administrators make it: proposed by one, confirmed by the other.
func demoAppointment(ids map[string]person.ID, who person.ID, citizen, unit string, post grant.Post) grant.Appointment {
	a := grant.Appointment{ID: store.NewID(), Person: who, Unit: unit, Post: post, Kind: grant.Regular, Version: 1,
		ProposedBy: string(ids[firstAdministrator]), ConfirmedBy: string(ids[secondAdministrator])}
	if citizen == firstAdministrator || citizen == secondAdministrator { // as "sitthi admin create" makes the first two
		a.ProposedBy, a.ConfirmedBy = audit.Terminal, audit.Terminal
	}
	return a
}

func appointmentRow(a grant.Appointment) []any {
	return []any{a.ID, a.Person, a.Unit, a.Post, a.Kind, a.OrderNumber, a.Note, store.Us(a.From), store.Us(a.Until), a.ProposedBy,
		store.Us(a.ProposedAt), store.Text(a.ConfirmedBy), store.Us(a.ConfirmedAt), store.Text(a.ClosedBy), store.Us(a.ClosedAt),
		a.Closing, a.CloseReason, a.Version}
}

func (d *deed) row() []any {
	return []any{d.ID, d.Number, grant.KO1, d.Unit, d.Team, d.Level, d.Person, store.Us(d.From), store.Us(d.Until), d.OrderNumber, d.Note,
		d.OtherOffice, d.Mutual, d.AwaitsSecond, d.GivenBy, store.Us(d.GivenAt), store.Text(string(d.secondedBy)), store.Us(d.secondedAt),
		store.Text(d.appointment), d.form, store.Text(d.ClosedBy), store.Us(d.ClosedAt), d.Closing, d.CloseReason, d.Version}
}

// versions are what the grant said from the beginning, and since it was changed.
func (d *deed) versions() [][]any {
	first := []any{d.ID, 1, store.Us(d.From), store.Us(d.Until), d.OrderNumber, d.Note, d.GivenBy, store.Us(d.GivenAt)}
	if d.changedAt.IsZero() {
		return [][]any{first}
	}
	first[3] = store.Us(d.before)
	return [][]any{first, {d.ID, 2, store.Us(d.From), store.Us(d.Until), d.OrderNumber, d.Note, d.GivenBy, store.Us(d.changedAt)}}
}

// confirmation is the row in which a head says who a person is.
func confirmationRow(who person.ID, unit, by string, at time.Time, confirmed bool) []any {
	if confirmed {
		return []any{store.NewID(), who, unit, "confirmed", by, store.Us(at), nil}
	}
	return []any{store.NewID(), who, unit, "refused", by, store.Us(at), store.Us(at)} // kept, and binds nobody
}

// write brings the made-up appointments and rights in.
func (l *ledger) write(ctx context.Context, tx *store.Tx) error {
	var appointments, confirmations, grants, versions [][]any
	for _, a := range l.appointments {
		appointments = append(appointments, appointmentRow(*a))
	}
	confirmed := map[string]bool{}
	for _, d := range l.deeds {
		grants = append(grants, d.row())
		versions = append(versions, d.versions()...)
		known := d.Unit + "/" + string(d.Person)
		switch {
		case d.refuses:
			confirmations = append(confirmations, confirmationRow(d.Person, d.Unit, d.ClosedBy, d.ClosedAt, false))
		case d.confirms && !confirmed[known]:
			confirmed[known] = true
			by, at := d.GivenBy, d.GivenAt
			if d.secondedBy != "" {
				by, at = d.secondedBy, d.secondedAt
			}
			confirmations = append(confirmations, confirmationRow(d.Person, d.Unit, string(by), at, true))
		}
	}
	for _, t := range []struct {
		table, columns string
		rows           [][]any
	}{
		{"appointments", appointmentColumns, appointments}, {"confirmations", confirmationColumns, confirmations},
		{"grants", grantColumns, grants}, {"grant_versions", versionColumns, versions},
	} {
		if err := insertMany(ctx, tx, t.table, t.columns, t.rows, ""); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE counters SET value = $1 WHERE name = 'grant'`, len(grants)); err != nil {
		return fmt.Errorf("count grants: %w", err)
	}
	return nil
}

// addTeams brings the groups (กลุ่ม) of the divisions in.
func addTeams(ctx context.Context, tx *store.Tx) error {
	records, err := demoRecords("teams.csv")
	if err != nil {
		return err
	}
	var rows [][]any
	for _, r := range records {
		rows = append(rows, []any{r[0], r[1], r[2], r[3], thai.SortKey(r[2]), store.Us(tx.Now)})
	}
	return insertMany(ctx, tx, "teams", teamColumns, rows, "ON CONFLICT DO NOTHING")
}

// announce puts the announcements up, and up again those that have run out; one that somebody took down stays down.
func announce(ctx context.Context, tx *store.Tx, by person.ID) error {
	records, err := demoRecords("announcements.csv")
	if err != nil {
		return err
	}
	today := thai.DateOf(tx.Now)
	day := func(text string) (any, error) {
		if text == "" {
			return nil, nil
		}
		days, err := strconv.Atoi(text)
		return store.Us(today.AddDays(days).StartOfDay()), err
	}
	var rows [][]any
	for _, r := range records {
		from, err := day(r[2])
		if err != nil {
			return fmt.Errorf("read announcements.csv: %w", err)
		}
		until, err := day(r[3])
		if err != nil {
			return fmt.Errorf("read announcements.csv: %w", err)
		}
		rows = append(rows, []any{r[0], r[1], from, until, r[4], r[5], r[6], r[7], by, store.Us(tx.Now)})
	}
	return insertMany(ctx, tx, "announcements", announcementColumns, rows, `ON CONFLICT (id) DO UPDATE
		SET starts_at = excluded.starts_at, ends_at = excluded.ends_at, version = announcements.version + 1
		WHERE announcements.closed_at IS NULL AND announcements.ends_at <= excluded.created_at`)
}

// cutOver has new cases belong to this program since yesterday, in the middle of the days that the manual gives to the
// change from the old system; what is set already stays.
func cutOver(ctx context.Context, tx *store.Tx, by person.ID) error {
	var set bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM cutovers)").Scan(&set); err != nil {
		return fmt.Errorf("find cut-overs: %w", err)
	}
	if set {
		return nil
	}
	first := thai.DateOf(tx.Now).AddDays(-1)
	last, done, moved := first.AddDays(-1), first.AddDays(3), first.AddDays(4)
	return insertMany(ctx, tx, "cutovers", cutoverColumns, [][]any{{
		"demo-cutover", portal.KO1, portal.New, store.Us(first.StartOfDay()),
		fmt.Sprintf("ระบบเดิมเปิดให้ยื่นคำขอถึงวันที่ %s เวลา 23.59 น. ให้เจ้าหน้าที่ผู้พิจารณาคำขอ พิจารณาคำขอในระบบเดิมให้แล้วเสร็จ "+
			"ภายในวันที่ %s เวลา 16.30 น. เพื่อให้ศูนย์เทคโนโลยีสารสนเทศและการสื่อสาร ถ่ายโอนข้อมูลในวันที่ %s",
			last.Long("th"), done.Long("th"), moved.Long("th")),
		fmt.Sprintf("The old system took applications until %s, 23:59. Officers finish those in it by %s, 16:30, so that the "+
			"Information and Communication Technology Centre can transfer the data on %s.", last.Long("en"), done.Long("en"), moved.Long("en")),
		by, store.Us(tx.Now),
	}}, "")
}

// demoClosed is how many officers of the demonstration have closed their account.
const demoClosed = 15

// closeSome has some officers who hold one right to consider, and no post, have closed their account some days ago.
func closeSome(ctx context.Context, h *house, tx *store.Tx, fixed map[string]person.ID) error {
	holders, err := store.Rows(func(row store.Row) (who person.ID, err error) { return who, row.Scan(&who) })(tx.Query(ctx, `
		SELECT g.person_id FROM grants g JOIN accounts a ON a.person_id = g.person_id
		WHERE g.unit <> 'TH-12' AND g.closed_at IS NULL AND g.awaits_second = FALSE AND g.ends_at IS NULL
		  AND NOT EXISTS (SELECT 1 FROM appointments p WHERE p.person_id = g.person_id)
		GROUP BY g.person_id HAVING count(*) = 1 AND max(g.level) = 1 ORDER BY min(g.number) LIMIT $1`, demoClosed+len(fixed)))
	if err != nil {
		return fmt.Errorf("find who closes the account: %w", err)
	}
	spared := map[person.ID]bool{}
	for _, who := range fixed {
		spared[who] = true
	}
	left := demoClosed
	for _, who := range holders {
		if left == 0 || spared[who] {
			continue
		}
		if _, err := tx.Exec(ctx, `UPDATE accounts SET state = $2, closed_at = $3, version = version + 1 WHERE person_id = $1`,
			who, officer.Disabled, store.Us(tx.Now.AddDate(0, 0, -left))); err != nil {
			return fmt.Errorf("close account: %w", err)
		}
		if err := h.book.Moved(ctx, tx, who); err != nil {
			return err
		}
		left--
	}
	return nil
}

package grant_test

import (
	"context"
	"log/slog"
	"testing"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/decisiontable"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
)

// world makes an empty installation with two administrators.
func world(t *testing.T, env *storetest.Env) decisiontable.World {
	t.Helper()
	ctx := t.Context()
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	outbox, err := notify.NewOutbox(notify.Options{
		DB: env.DB, Ring: ring, Log: slog.New(slog.DiscardHandler),
		Senders: map[notify.Channel]notify.Sender{notify.Email: notify.Nowhere{}, notify.SMS: notify.Nowhere{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := decisiontable.World{DB: env.DB, Clock: env.Clock, Roll: person.NewRoll(ring)}
	w.Book = grant.NewBook(grant.Options{DB: env.DB, Clock: env.Clock, Roll: w.Roll, Outbox: outbox, Link: func(path string) string { return path }, Log: slog.New(slog.DiscardHandler)})
	w.Agencies = agency.Desk{DB: env.DB, Administrator: func(ctx context.Context, tx *store.Tx, by string) error {
		return w.Book.RequireAdministrator(ctx, tx, person.ID(by))
	}}
	if err := env.DB.Write(ctx, func(tx *store.Tx) error {
		if err := agency.Load(ctx, tx); err != nil {
			return err
		}
		for i, digits := range []string{"1990000000019", "1990000000027"} {
			id, err := thai.ParseCitizenID(digits)
			if err != nil {
				return err
			}
			if w.Admins[i], err = w.Roll.Mention(ctx, tx, id); err != nil {
				return err
			}
			a := officer.Account{Person: w.Admins[i], GivenName: "ผู้ดูแล", FamilyName: digits, Position: "นักวิชาการคอมพิวเตอร์", Unit: "ICT", Email: thai.Email(digits + "@diw.example.go.th"), Phone: "+66812345678"}
			if err := officer.Create(ctx, tx, a, "no password"); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := w.Book.Load(ctx); err != nil {
		t.Fatal(err)
	}
	for _, who := range w.Admins {
		if err := w.Book.InstallAdministrator(ctx, who); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// TestDecisions holds the book to the table of decisions: what the database answers about every moment, and what the
// memory answers about the present, which may know the reason less well.
func TestDecisions(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		table, w := decisiontable.Load(t, "testdata/decisions.csv"), world(t, env)
		people := table.Play(t, w)
		for _, q := range table.Questions {
			got, err := w.Book.AnswerAt(t.Context(), grant.Question{Who: people[q.Person], Do: q.Do, At: q.At, Moment: q.Moment})
			if err != nil || got.Allowed != q.Want || got.Reason != q.Reason {
				t.Errorf("%s: %+v, %v; want %v, %s (%s)", q, got, err, q.Want, q.Reason, q.Note)
			}
			if !q.Moment.Equal(table.Now) {
				continue
			}
			if now := w.Book.Answer(people[q.Person], q.Do, q.At); now.Allowed != q.Want || now.Reason != q.Reason && now.Reason != grant.NoRight && now.Reason != grant.OtherLevel {
				t.Errorf("%s: the memory answers %+v", q, now)
			}
		}
	})
}

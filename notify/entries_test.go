package notify

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

func TestHindrance(t *testing.T) {
	now := storetest.Start
	const day = 24 * time.Hour
	for _, c := range []struct {
		what          string
		state         State
		attempts      int
		leased, words bool
		created       time.Time
		expires       time.Time
		want          Hindrance
	}{
		{"delivered", Sent, 1, false, false, now, time.Time{}, Delivered},
		{"not tried yet", Waiting, 0, false, true, now, time.Time{}, OnItsWay},
		{"failed", Waiting, 1, false, true, now, time.Time{}, ""},
		{"failed, on its way right now", Waiting, 2, true, true, now, time.Time{}, OnItsWay},
		{"failed code that still works", Waiting, 1, false, true, now, now.Add(1), ""},
		{"failed code that ends now", Waiting, 1, false, true, now, now, Void},
		{"given up", Dead, 12, false, true, now.Add(-2 * day), time.Time{}, ""},
		{"given up, on the last day", Dead, 12, false, true, now.Add(-30*day + 1), time.Time{}, ""},
		{"given up 30 days ago", Dead, 12, false, true, now.Add(-30 * day), time.Time{}, Wiped},
		{"given up without words", Dead, 12, false, false, now, time.Time{}, Wiped},
		{"code given up", Dead, 1, false, true, now, now.Add(day), Void},
		{"void code, words wiped", Dead, 0, false, false, now.Add(-day), now.Add(-day), Void},
	} {
		if got := hindrance(c.state, c.attempts, c.leased, c.words, c.created, c.expires, now); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// entries answers the first page that a query finds.
func (f *office) entries(q Query) (list []Entry, next string) {
	f.t.Helper()
	err := f.env.DB.Read(f.t.Context(), func(tx *store.Tx) (err error) {
		list, next, err = f.Entries(f.t.Context(), tx, q)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return list, next
}

func (f *office) again(id string) error {
	f.t.Helper()
	return f.env.DB.Write(f.t.Context(), func(tx *store.Tx) error {
		_, err := f.SendAgain(f.t.Context(), tx, id)
		return err
	})
}

// TestSendAgain: what was given up goes out with the ID it had, once, however often the button is pressed.
func TestSendAgain(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		f.mail.fail = fmt.Errorf("no such mailbox: %w", ErrRefused)
		f.queue(message(Email))
		f.deliver(0)
		dead, _ := f.entries(Query{State: Dead})
		if len(dead) != 1 || dead[0].Hindrance != "" || dead[0].To != "s•••@example.go.th" || dead[0].Retrying() {
			t.Fatalf("given up: %+v", dead)
		}
		if n, err := f.GivenUp(t.Context()); n != 1 || err != nil {
			t.Errorf("%d given up, %v", n, err)
		}
		id := dead[0].ID
		f.mail.fail = errors.New("down")
		if err := f.again(id); err != nil {
			t.Fatal(err)
		}
		if err := f.again(id); !errors.Is(err, problem.Conflict) { // not tried yet
			t.Errorf("pressed twice: %v", err)
		}
		f.deliver(0)
		failed, _ := f.entries(Query{State: Retrying})
		if len(failed) != 1 || failed[0].Attempts != 1 || failed[0].Hindrance != "" || !failed[0].Retrying() || !failed[0].NextAt.After(env.Clock.Now()) {
			t.Fatalf("failed again: %+v", failed)
		}
		f.mail.fail = nil
		f.deliver(0) // its pause is not over
		if err := f.again(id); err != nil {
			t.Fatal(err)
		}
		f.deliver(1)
		f.deliver(0)
		if len(f.mail.taken) != 1 || f.mail.taken[0].ID != id || f.mail.taken[0].Text == "" {
			t.Errorf("taken: %+v", f.mail.taken)
		}
		if d := f.only(); d.State != Sent || d.Text != "" || d.LastError != "" {
			t.Errorf("at last: %+v", d)
		}
		if err := f.again(id); !errors.Is(err, problem.Conflict) {
			t.Errorf("after it was delivered: %v", err)
		}
		if err := f.again(store.NewID()); !errors.Is(err, problem.NotFound) {
			t.Errorf("an unknown one: %v", err)
		}
	})
}

// TestVoidIsNotSentAgain: of a code that was given up nothing is kept that could be sent, nor of an old message.
func TestVoidIsNotSentAgain(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		f.sms.fail, f.mail.fail = errors.New("down"), fmt.Errorf("no such mailbox: %w", ErrRefused)
		code := message(SMS)
		code.ExpiresAt = storetest.Start.Add(5 * time.Second) // sooner than the first retry
		f.queue(code)
		f.queue(message(Email))
		f.deliver(0)
		env.Clock.Advance(keepDead - time.Second)
		if _, err := f.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := func(mail Hindrance, words string) {
			t.Helper()
			list, _ := f.entries(Query{})
			got := map[Channel]Hindrance{}
			for _, e := range list {
				got[e.Channel] = e.Hindrance
				if err := f.again(e.ID); e.Hindrance != "" && !errors.Is(err, problem.Conflict) {
					t.Errorf("sent again: %+v, %v", e, err)
				}
			}
			if got[SMS] != Void || got[Email] != mail {
				t.Errorf("hindrances %v", got)
			}
			var kept int
			err := env.DB.Read(t.Context(), func(tx *store.Tx) error {
				return tx.QueryRow(t.Context(), "SELECT count(*) FROM messages WHERE body_sealed IS NOT NULL").Scan(&kept)
			})
			if err != nil || fmt.Sprint(kept) != words {
				t.Errorf("words of %d are kept, want %s: %v", kept, words, err)
			}
		}
		want("", "1")
		f.deliver(0)
		env.Clock.Advance(time.Second)
		want(Wiped, "1")
		if _, err := f.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(Wiped, "0")
		if n, err := f.GivenUp(t.Context()); n != 0 || err != nil {
			t.Errorf("%d given up, %v", n, err)
		}
	})
}

func TestEntriesAreNarrowedAndPaged(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		f := newOffice(t, env, false)
		f.queue(Message{Channel: Email, To: "nobody@example.go.th", Purpose: "signin.off", Lang: locale.TH, Nobody: true})
		for range entriesPage + 1 {
			f.queue(message(Email))
			env.Clock.Advance(time.Second)
		}
		f.queue(message(SMS))
		first, next := f.entries(Query{})
		if len(first) != entriesPage || next == "" || first[0].Channel != SMS || first[0].To != "08X-XXX-5678" || first[0].Hindrance != OnItsWay {
			t.Fatalf("first page of %d, next %q: %+v", len(first), next, first[0])
		}
		rest, none := f.entries(Query{Before: next})
		if len(rest) != 2 || none != "" || slices.ContainsFunc(first, func(e Entry) bool { return e.ID == rest[0].ID }) {
			t.Errorf("second page: %+v, next %q", rest, none)
		}
		for _, c := range []struct {
			q    Query
			want int
		}{
			{Query{Channel: SMS}, 1}, {Query{State: Waiting}, entriesPage}, {Query{State: Retrying}, 0}, {Query{State: Dead}, 0},
			{Query{Purpose: "signin.off"}, 0}, {Query{Purpose: "appointment.none_left", Channel: SMS}, 1},
			{Query{From: storetest.Start.Add(time.Second), To: storetest.Start.Add(3 * time.Second)}, 2}, {Query{Before: "none"}, 0},
		} {
			if list, _ := f.entries(c.q); len(list) != c.want {
				t.Errorf("%+v: %d", c.q, len(list))
			}
		}
	})
}

// TestSecurityNoticesAreOfTheirKind: what the program tells to every contact is shown as told to every contact.
func TestSecurityNoticesAreOfTheirKind(t *testing.T) {
	told := regexp.MustCompile(`\bTell\(ctx, tx, [a-zA-Z.]*utbox, [a-z]+, "([a-z_.]+)"`)
	var found []string
	for _, dir := range []string{"officer", "signin", "grant", "helpdesk"} {
		files, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range told.FindAllStringSubmatch(string(text), -1) {
				if found = append(found, m[1]); KindOf(m[1]) != Security {
					t.Errorf("%s: %s goes to every contact, and is shown as %s", name, m[1], KindOf(m[1]))
				}
			}
		}
	}
	if len(found) < 5 {
		t.Errorf("only %q found: are they told in another way now?", found)
	}
	for _, purpose := range slices.Concat(direct, security) {
		if _, ok := find(purpose); !ok {
			t.Errorf("no template %s", purpose)
		}
	}
	for _, tmpl := range Templates {
		if slices.Contains(tmpl.Args, "code") && KindOf(tmpl.Purpose) != Direct {
			t.Errorf("%s holds a code and does not go to the contact it proves", tmpl.Purpose)
		}
	}
}

// TestExamples: every template is written for every channel in both languages, with nothing left open.
func TestExamples(t *testing.T) {
	for _, tmpl := range Templates {
		for _, lang := range locale.Langs {
			if title := Title(tmpl.Purpose, lang); title == "" || strings.Contains(title, "{") {
				t.Errorf("%s %s: title %q", tmpl.Purpose, lang, title)
			}
			for _, c := range ChannelsOf(tmpl.Purpose) {
				subject, text, err := Example(tmpl.Purpose, c, lang)
				if err != nil || text == "" || strings.ContainsAny(subject+text, "{}") || (c == Email) != (subject != "") {
					t.Errorf("%s %s %s: %q %q, %v", tmpl.Purpose, c, lang, subject, text, err)
				}
			}
		}
	}
	if title := Title("none", locale.TH); title != "" {
		t.Errorf("an unknown purpose is called %q", title)
	}
}

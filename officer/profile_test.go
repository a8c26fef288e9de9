package officer_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/officer"
)

// member is a registered officer in a session of his own.
func (o *office) member(t *testing.T) officer.Owner {
	t.Helper()
	o.register(t, form(somsak, "somsak"))
	a, err := o.account(t, somsak)
	if err != nil {
		t.Fatal(err)
	}
	o.Clock.Advance(time.Hour)
	return officer.Owner{Person: a.Person, Session: "session", Browser: browser}
}

// sent answers the code that was sent last to a contact for a change.
func (o *office) sent(t *testing.T, to string) string {
	t.Helper()
	for _, m := range o.messages(t) {
		if m.To == to && m.Purpose == "contact.code" {
			return codeText.FindString(m.Text)
		}
	}
	t.Fatalf("no code was sent to %s", to)
	return ""
}

func TestChangeContact(t *testing.T) {
	for channel, c := range map[notify.Channel]struct{ typed, to, old, other string }{
		notify.Email: {"Somsak.New@Industry.Example.go.th", "somsak.new@industry.example.go.th", "somsak@industry.example.go.th", "+66812345678"},
		notify.SMS:   {"๐๘๖-111-2222", "+66861112222", "+66812345678", "somsak@industry.example.go.th"},
	} {
		t.Run(string(channel), func(t *testing.T) {
			storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
				o := open(t, env, officer.Options{})
				me := o.member(t)
				change, err := o.desk.StartContact(ctx(t, address), me, channel, c.typed)
				if err != nil || change.Done || change.Reference == "" || !change.SentAt.Equal(env.Clock.Now()) {
					t.Fatalf("begun: %+v, %v", change, err)
				}
				was, err := o.account(t, somsak)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := o.desk.ProveContact(ctx(t, address), me, change.ID, "๑๒๓"); !errors.Is(err, problem.Invalid) {
					t.Errorf("three digits: %v", err)
				}
				if got := o.told(t, c.old); got != "" {
					t.Errorf("told before the code: %q", got)
				}
				for range 2 { // a form sent twice
					done, err := o.desk.ProveContact(ctx(t, address), me, change.ID, o.sent(t, c.to))
					if err != nil || !done.Done {
						t.Fatalf("the right code: %+v, %v", done, err)
					}
				}
				now, err := o.account(t, somsak)
				if err != nil {
					t.Fatal(err)
				}
				if contacts := string(now.Email) + " " + string(now.Phone); !strings.Contains(contacts, c.to) || strings.Contains(contacts, c.old) {
					t.Errorf("the contacts are %s", contacts)
				}
				if officer.Recovers(now, channel, env.Clock.Now()) || !officer.Recovers(now, channel, env.Clock.Now().Add(72*time.Hour)) {
					t.Error("the new contact recovers at once, or never")
				}
				other := map[notify.Channel]notify.Channel{notify.Email: notify.SMS, notify.SMS: notify.Email}[channel]
				if !officer.Recovers(now, other, env.Clock.Now()) {
					t.Error("the contact that stayed does not recover")
				}
				if now.Version != was.Version+1 {
					t.Errorf("version %d after %d", now.Version, was.Version)
				}
				for _, to := range []string{c.old, c.other} {
					if got := o.told(t, to); got != "contact.changed" {
						t.Errorf("%s was told %q", to, got)
					}
				}
				if got := o.acts(t); strings.Count(got, "officer.change_contact") != 1 {
					t.Errorf("acts: %s", got)
				}
				for _, m := range o.messages(t) {
					if m.Purpose == "contact.changed" && strings.Contains(m.Text, c.to) {
						t.Errorf("the old contact reads the new one whole: %s", m.Text)
					}
				}
				if _, err := o.desk.StartContact(ctx(t, address), me, channel, c.typed); !errors.Is(err, problem.Invalid) {
					t.Errorf("the same again: %v", err)
				}
			})
		})
	}
}

// TestChangeOfContactIsNobodyElses: a change is found in the session and browser in which it was begun alone, for an hour,
// and by its own code.
func TestChangeOfContactIsNobodyElses(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		me := o.member(t)
		to := "new@industry.example.go.th"
		first, err := o.desk.StartContact(ctx(t, address), me, notify.Email, to)
		if err != nil {
			t.Fatal(err)
		}
		code := o.sent(t, to)
		for name, by := range map[string]officer.Owner{
			"another session": {Person: me.Person, Session: "other", Browser: me.Browser},
			"another browser": {Person: me.Person, Session: me.Session, Browser: "other"},
			"another person":  {Person: "other", Session: me.Session, Browser: me.Browser},
		} {
			if _, err := o.desk.ProveContact(ctx(t, address), by, first.ID, code); !errors.Is(err, problem.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := o.desk.ContactChange(ctx(t, address), by, first.ID); !errors.Is(err, problem.NotFound) {
				t.Errorf("%s sees it: %v", name, err)
			}
			if _, err := o.desk.ResendContact(ctx(t, address), by, first.ID); !errors.Is(err, problem.NotFound) {
				t.Errorf("%s has it sent again: %v", name, err)
			}
		}
		second, err := o.desk.StartContact(ctx(t, address), me, notify.Email, "second@industry.example.go.th")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.desk.ProveContact(ctx(t, address), me, second.ID, code); !errors.Is(err, problem.Invalid) {
			t.Errorf("the code of one change serves another: %v", err)
		}
		if _, err := o.desk.ProveContact(ctx(t, address), me, first.ID, code); err != nil {
			t.Fatal(err)
		}
		if _, err := o.desk.ContactChange(ctx(t, address), me, second.ID); !errors.Is(err, problem.NotFound) {
			t.Errorf("another begun before goes on: %v", err)
		}
		env.Clock.Advance(2 * time.Hour)
		if _, err := o.desk.ContactChange(ctx(t, address), me, first.ID); !errors.Is(err, problem.NotFound) {
			t.Errorf("after an hour: %v", err)
		}
		env.Clock.Advance(24 * time.Hour)
		if n, err := o.desk.Sweep(t.Context()); err != nil || n < 2 {
			t.Errorf("swept %d, %v", n, err)
		}
	})
}

// TestChangeOfContactAtOnce: of many right codes at once one changes the contact.
func TestChangeOfContactAtOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		me := o.member(t)
		to := "new@industry.example.go.th"
		change, err := o.desk.StartContact(ctx(t, address), me, notify.Email, to)
		if err != nil {
			t.Fatal(err)
		}
		code := o.sent(t, to)
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				_, err := o.desk.ProveContact(ctx(t, address), me, change.ID, code)
				if err != nil && !errors.Is(err, problem.Busy) && !errors.Is(err, problem.Invalid) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n := strings.Count(o.acts(t), "officer.change_contact"); n != 1 {
			t.Errorf("changed %d times", n)
		}
		for i := range 8 {
			_, err := o.desk.StartContact(ctx(t, address), me, notify.Email, "to"+string(rune('a'+i))+"@industry.example.go.th")
			if busy := errors.Is(err, problem.Busy); busy != (i >= 5) {
				t.Errorf("change %d: %v", i+2, err)
			}
		}
	})
}

func TestChangeProfile(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		var moved []string
		o := open(t, env, officer.Options{Relocated: func(_ context.Context, _ *store.Tx, who officer.Account, from string) error {
			moved = append(moved, from+" "+who.Unit)
			return nil
		}})
		me := o.member(t)
		a, err := o.account(t, somsak)
		if err != nil {
			t.Fatal(err)
		}
		form := officer.ProfileForm{Position: " หัวหน้ากลุ่ม ", Unit: a.Unit, LineID: "somsak", Version: a.Version}
		if err := o.desk.ChangeProfile(ctx(t, address), me.Person, form); err != nil {
			t.Fatal(err)
		}
		if err := o.desk.ChangeProfile(ctx(t, address), me.Person, form); !errors.Is(err, problem.Conflict) {
			t.Errorf("with the version of before: %v", err)
		}
		form.Version++
		form.Unit = "TH-13"
		if err := o.desk.ChangeProfile(ctx(t, address), me.Person, form); err != nil {
			t.Fatal(err)
		}
		now, err := o.account(t, somsak)
		if err != nil || now.Position != "หัวหน้ากลุ่ม" || now.Unit != "TH-13" || now.LineID != "somsak" || now.Version != a.Version+2 {
			t.Errorf("%+v, %v", now, err)
		}
		if len(moved) != 1 || moved[0] != "TH-12 TH-13" {
			t.Errorf("moved: %q", moved)
		}
		wrong := officer.ProfileForm{Unit: "TH-99", Position: strings.Repeat("ก", 200), Version: now.Version}
		got := faults(o.desk.ChangeProfile(ctx(t, address), me.Person, wrong))
		if got[officer.FieldUnit] != "officer.problem.unit_unknown" || got[officer.FieldPosition] != "officer.problem.too_long" ||
			got[officer.FieldLineID] != "officer.problem.line_id_empty" {
			t.Errorf("faults: %v", got)
		}
		if got := o.acts(t); !strings.HasPrefix(got, "officer.change_profile officer.change_profile officer.register") {
			t.Errorf("acts: %s", got)
		}
	})
}

// FuzzContacts: whatever is typed is a contact of the form that is kept, or a fault of its field.
func FuzzContacts(f *testing.F) {
	for _, typed := range []string{"", "a@b.go.th", "๐๘๑-๒๓๔-๕๖๗๘", "+66 81 234 5678", "A@ตัวอย่าง.ไทย", "a@b", "0812345678\x00", "\u200b"} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		if phone, err := thai.ParseMobile(typed); err == nil {
			if again, err := thai.ParseMobile(phone.National()); err != nil || again != phone {
				t.Errorf("%q is kept as %q, which reads as %q, %v", typed, phone, again, err)
			}
		}
		if email, err := thai.ParseEmail(typed); err == nil {
			if again, err := thai.ParseEmail(string(email)); err != nil || again != email {
				t.Errorf("%q is kept as %q, which reads as %q, %v", typed, email, again, err)
			}
		}
	})
}

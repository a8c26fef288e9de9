package officer_test

import (
	"errors"
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
)

func TestCreateAndFind(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		names := []struct{ citizen, given, family, unit string }{
			{"3990000000104", "เกษม", "แสงทอง", "TH-12"},
			{"3990000000112", "กมล", "ใจดี", "TH-12"},
			{"3990000000201", "ไพศาล", "มั่นคง", "TH-12"}, // ไ counts after พ
			{"3990000000236", "พรทิพย์", "สุขใจ", "TH-13"},
		}
		ids := make([]person.ID, len(names))
		for i, n := range names {
			err := o.DB.Write(t.Context(), func(tx *store.Tx) error {
				citizen, err := thai.ParseCitizenID(n.citizen)
				if err != nil {
					return err
				}
				if ids[i], err = o.roll.Mention(t.Context(), tx, citizen); err != nil {
					return err
				}
				return officer.Create(t.Context(), tx, officer.Account{
					Person: ids[i], GivenName: n.given, FamilyName: n.family, Position: "นักวิชาการ", Unit: n.unit,
					Email: "a@example.go.th", TermsVersion: officer.TermsVersion,
				}, "hash")
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		err := o.DB.Read(t.Context(), func(tx *store.Tx) error {
			list, err := officer.ByUnit(t.Context(), tx, "TH-12")
			if err != nil {
				return err
			}
			want := []string{"กมล ใจดี", "เกษม แสงทอง", "ไพศาล มั่นคง"}
			for i, a := range list {
				if len(list) != len(want) || a.Name() != want[i] {
					t.Errorf("officer %d of %d is %s, want %s", i, len(list), a.Name(), want[i])
				}
			}
			a, err := officer.Find(t.Context(), tx, ids[3])
			if err != nil {
				return err
			}
			if !a.Enabled() || a.Language != locale.TH || !a.RegisteredAt.Equal(tx.Now) || !a.LastSignIn.Equal(tx.Now) ||
				a.Version != 1 || !a.EmailProvedAt.IsZero() {
				t.Errorf("a fresh account reads %+v", a)
			}
			_, err = officer.Find(t.Context(), tx, person.ID(store.NewID()))
			if !errors.Is(err, problem.NotFound) {
				t.Errorf("an unknown person answers %v, want NotFound", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = o.DB.Write(t.Context(), func(tx *store.Tx) error {
			return officer.Create(t.Context(), tx, officer.Account{Person: ids[0], Unit: "TH-13"}, "hash")
		})
		if !errors.Is(err, problem.Conflict) {
			t.Errorf("a second account of one person answers %v, want Conflict", err)
		}
	})
}

func TestProfile(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		o.register(t, form(somsak, "somsak"))
		a, err := o.account(t, somsak)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.desk.SetLanguage(t.Context(), a.Person, locale.EN); err != nil {
			t.Fatal(err)
		}
		p, err := o.desk.Profile(t.Context(), a.Person)
		if err != nil {
			t.Fatal(err)
		}
		if p.CitizenID.Dashed() != somsak || p.Unit.Name.TH != "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี" || p.Account.Language != locale.EN ||
			p.Account.Version != a.Version+1 {
			t.Errorf("the profile reads %+v", p)
		}
		if got := o.acts(t); got != "officer.set_language officer.register" {
			t.Errorf("recorded: %s", got)
		}
		stranger := person.ID(store.NewID())
		if _, err := o.desk.Profile(t.Context(), stranger); !errors.Is(err, problem.NotFound) {
			t.Errorf("the profile of nobody answers %v, want NotFound", err)
		}
		if err := o.desk.SetLanguage(t.Context(), stranger, locale.EN); !errors.Is(err, problem.NotFound) {
			t.Errorf("the language of nobody answers %v, want NotFound", err)
		}
	})
}

func TestOffices(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		before, err := o.desk.Offices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		retire(t, o, "TH-12")
		after, err := o.desk.Offices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(before) < 76 || len(after) != len(before)-1 {
			t.Errorf("%d offices before one was retired, %d after", len(before), len(after))
		}
		for _, u := range after {
			if u.Code == "TH-12" {
				t.Error("a retired office can still be named")
			}
		}
		if _, err := o.desk.Start(ctx(t, address), form(somsak, "somsak"), browser); faults(err)["unit"] != "officer.problem.unit_unknown" {
			t.Errorf("registering in a retired office answers %v", err)
		}
	})
}

func retire(t *testing.T, o *office, unit string) {
	t.Helper()
	err := o.DB.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE units SET active = FALSE WHERE code = $1`, unit)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTerms(t *testing.T) {
	sections := map[locale.Lang]int{}
	for _, lang := range locale.Langs {
		terms, err := officer.Terms(officer.TermsVersion, lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range terms {
			if s.Title == "" || len(s.Text) == 0 {
				t.Errorf("%s: section %q is empty", lang, s.Title)
			}
		}
		sections[lang] = len(terms)
	}
	if sections[locale.TH] != sections[locale.EN] || sections[locale.TH] == 0 {
		t.Errorf("the languages have different sections: %v", sections)
	}
	if _, err := officer.Terms("2500-1", locale.TH); err == nil {
		t.Error("terms that never were can be read")
	}
}

func TestSweep(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		o.start(t, form(somsak, "somsak"))
		for _, step := range []struct {
			at   time.Duration
			want int64
		}{{25 * time.Hour, 0}, {25*time.Hour + time.Second, 1}, {48 * time.Hour, 0}} {
			env.Clock.Set(storetest.Start.Add(step.at))
			n, err := o.desk.Sweep(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n != step.want {
				t.Errorf("%s after its start %d registrations were swept, want %d", step.at, n, step.want)
			}
		}
	})
}

package officer_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/officer"
)

const (
	somsakMail  = "somsak@industry.example.go.th"
	somsakPhone = "+66812345678"
)

func TestRegister(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		f := form("๓-๙๙๐๐-๐๐๐๐๐-๒๒-๘", "somsak")
		f.Email = " Somsak@Industry.example.go.th"
		f.GivenName = "  สมศักดิ์ "
		flow := o.start(t, f)
		if flow.Step != officer.ProveEmail || flow.Contact != somsakMail || len(flow.Reference) != 4 || !flow.SentAt.Equal(storetest.Start) {
			t.Errorf("the first step is %+v", flow)
		}
		env.Clock.Advance(30 * time.Second)
		flow = o.prove(t, flow)
		if flow.Step != officer.ProvePhone || flow.Contact != "081-234-5678" || !flow.SentAt.Equal(storetest.Start.Add(30*time.Second)) {
			t.Errorf("the second step is %+v", flow)
		}
		if _, err := o.account(t, somsak); !errors.Is(err, problem.NotFound) {
			t.Errorf("with one contact proved there is an account already (%v)", err)
		}
		env.Clock.Advance(30 * time.Second)
		flow = o.prove(t, flow)
		if flow.Step != officer.Registered || flow.Contact != "" {
			t.Errorf("the end is %+v", flow)
		}
		if again, err := o.desk.Flow(t.Context(), flow.ID, browser); err != nil || again.Step != officer.Registered {
			t.Errorf("the end looked at again is %+v, %v", again, err)
		}
		a, err := o.account(t, somsak)
		if err != nil {
			t.Fatal(err)
		}
		if a.Name() != "สมศักดิ์ ใจดี" || a.Email != somsakMail || a.Phone != somsakPhone || a.Unit != "TH-12" || a.LineID != "somsak.j" ||
			a.TermsVersion != officer.TermsVersion || !a.TermsAt.Equal(storetest.Start) ||
			!a.EmailProvedAt.Equal(storetest.Start.Add(30*time.Second)) || !a.PhoneProvedAt.Equal(storetest.Start.Add(time.Minute)) ||
			!a.RegisteredAt.Equal(a.PhoneProvedAt) || !a.LastSignIn.Equal(a.PhoneProvedAt) {
			t.Errorf("the account is %+v", a)
		}
		if got := o.told(t, somsakMail); got != "" {
			t.Errorf("the new officer was told %q", got)
		}
		if got := o.acts(t); got != "officer.register" {
			t.Errorf("recorded: %s", got)
		}
		if o.registered.Load() != 1 {
			t.Errorf("the hook was called %d times", o.registered.Load())
		}
	})
}

// TestRegisterLeavesNoTrace looks for what the form said in the clear in the database, and for what is left after.
func TestRegisterLeavesNoTrace(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		flow := o.start(t, form(somsak, "somsak"))
		form := func() (sealed []byte) {
			err := env.DB.Read(t.Context(), func(tx *store.Tx) error {
				return tx.QueryRow(t.Context(), `SELECT form_sealed FROM registrations WHERE id = $1`, flow.ID).Scan(&sealed)
			})
			if err != nil {
				t.Fatal(err)
			}
			return sealed
		}
		if len(form()) == 0 {
			t.Error("the form was not kept")
		}
		o.prove(t, o.prove(t, flow))
		if left := form(); len(left) != 0 {
			t.Errorf("%d bytes of the form are left", len(left))
		}
	})
}

func TestFaults(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		for _, c := range []struct {
			name   string
			change func(*officer.Form)
			want   map[string]string
		}{
			{"nothing was filled in", func(f *officer.Form) { *f = officer.Form{} }, map[string]string{
				"citizen_id": "officer.problem.citizen_id_empty", "phone": "officer.problem.phone_empty",
				"given_name": "officer.problem.given_name_empty", "family_name": "officer.problem.family_name_empty",
				"position": "officer.problem.position_empty", "unit": "officer.problem.unit_empty",
				"email": "officer.problem.email_empty", "line_id": "officer.problem.line_id_empty",
				"password": "officer.problem.password_empty", "terms": "officer.problem.terms",
			}},
			{"several at once", func(f *officer.Form) {
				f.CitizenID, f.Phone, f.Email, f.Unit = "1-2345-67890-12-3", "02-430-6976", "somsak", "TH-10"
				f.Terms = "2500-1"
			}, map[string]string{
				"citizen_id": "officer.problem.citizen_id_digit", "phone": "officer.problem.phone_form",
				"email": "officer.problem.email_form", "unit": "officer.problem.unit_unknown",
				"terms": "officer.problem.terms_changed",
			}},
			{"a company's number", func(f *officer.Form) { f.CitizenID = "0995000000015" },
				map[string]string{"citizen_id": "officer.problem.citizen_id_juristic"}},
			{"too few digits", func(f *officer.Form) { f.CitizenID = "399000000022" },
				map[string]string{"citizen_id": "officer.problem.citizen_id_form"}},
			{"a name of digits", func(f *officer.Form) { f.GivenName, f.FamilyName = "สมศักดิ์2", "--" },
				map[string]string{"given_name": "officer.problem.name_form", "family_name": "officer.problem.name_form"}},
			{"passwords that differ", func(f *officer.Form) { f.PasswordAgain += "x" },
				map[string]string{"password_again": "officer.problem.password_again"}},
			{"a citizen ID where it does not belong", func(f *officer.Form) {
				f.Position, f.LineID = "แทน 3-9900-00000-10-4", "๓๙๙๐๐๐๐๐๐๐๑๐๔"
			},
				map[string]string{"position": "problem.holds_citizen", "line_id": "problem.holds_citizen"}},
			{"a field too long", func(f *officer.Form) { f.LineID = fmt.Sprintf("%051d", 1) },
				map[string]string{"line_id": "officer.problem.too_long"}},
		} {
			t.Run(c.name, func(t *testing.T) {
				f := form(somsak, "somsak")
				c.change(&f)
				_, err := o.desk.Start(ctx(t, address), f, browser)
				if !errors.Is(err, problem.Invalid) {
					t.Fatalf("the answer is %v, want Invalid", err)
				}
				if got := faults(err); fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Errorf("faults\n%v, want\n%v", got, c.want)
				}
				if first := err.(*problem.Problem).Fields[0].Name; c.want["citizen_id"] != "" && first != "citizen_id" {
					t.Errorf("the first fault told is that of %s", first)
				}
			})
		}
		t.Run("a weak password", func(t *testing.T) {
			f := form(somsak, "somsak")
			f.Password, f.PasswordAgain = "short", "short"
			_, err := o.desk.Start(ctx(t, address), f, browser)
			if got := faults(err); got["password"] == "" || len(got) != 1 {
				t.Errorf("the answer is %v", err)
			}
		})
		if n := len(o.messages(t)); n != 0 {
			t.Errorf("%d messages went out for forms with faults", n)
		}
	})
}

func TestCheckDigitSetting(t *testing.T) {
	const wrong = "3-9900-00000-22-7"
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		ring, err := seal.New()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			setting officer.CheckDigit
			sure    bool
			want    map[string]string
		}{
			{"", false, map[string]string{"citizen_id": "officer.problem.citizen_id_digit"}},
			{officer.CheckEnforce, true, map[string]string{"citizen_id": "officer.problem.citizen_id_digit"}},
			{officer.CheckWarn, false, map[string]string{"sure": "officer.problem.sure"}},
			{officer.CheckWarn, true, map[string]string{}},
			{officer.CheckOff, false, map[string]string{}},
		} {
			o := open(t, env, officer.Options{CheckDigit: c.setting, Ring: ring})
			env.Clock.Advance(time.Hour)
			f := form(wrong, "somsak")
			f.Sure = c.sure
			flow, err := o.desk.Start(ctx(t, address), f, browser)
			if got := faults(err); fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%q, sure %v: faults %v, want %v (%v)", c.setting, c.sure, got, c.want, err)
			}
			if err == nil && flow.Step != officer.ProveEmail {
				t.Errorf("%q: the flow is %+v", c.setting, flow)
			}
		}
		o := open(t, env, officer.Options{CheckDigit: officer.CheckOff, Ring: ring})
		env.Clock.Advance(time.Hour)
		if flow := o.register(t, form(wrong, "malee")); flow.Step != officer.Registered {
			t.Errorf("without the check the end is %+v", flow)
		}
	})
}

func TestExisting(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		o.register(t, form(somsak, "somsak"))
		before, err := o.account(t, somsak)
		if err != nil {
			t.Fatal(err)
		}
		env.Clock.Advance(time.Hour)
		f := form(somsak, "malee")
		f.GivenName = "มาลี"
		flow := o.start(t, f)
		if flow.Step != officer.ProveEmail || flow.Contact != "malee@industry.example.go.th" {
			t.Fatalf("the first step is %+v", flow)
		}
		if flow = o.prove(t, flow); flow.Step != officer.Existing {
			t.Fatalf("the end is %+v", flow)
		}
		after, err := o.account(t, somsak)
		if err != nil {
			t.Fatal(err)
		}
		if after != before {
			t.Errorf("the account was changed: %+v, before %+v", after, before)
		}
		if mail, sms := o.told(t, somsakMail), o.told(t, somsakPhone); mail != "register.existing" || sms != "register.existing" {
			t.Errorf("the owner was told %q by mail and %q by SMS", mail, sms)
		}
		if got := o.told(t, "malee@industry.example.go.th"); got != "" {
			t.Errorf("the other was told %q", got)
		}
		if got := o.acts(t); got != "officer.register_existing officer.register" {
			t.Errorf("recorded: %s", got)
		}
		if o.registered.Load() != 1 {
			t.Errorf("the hook was called %d times", o.registered.Load())
		}
	})
}

// TestExistingIsToldSeldom asks who has an account until the answers stop, for those without an account alike.
func TestExistingIsToldSeldom(t *testing.T) {
	// The synthetic citizen ID with the number n.
	citizen := func(n int) string {
		digits := fmt.Sprintf("4990000%05d", n)
		sum := 0
		for i := range 12 {
			sum += int(digits[i]-'0') * (13 - i)
		}
		return fmt.Sprintf("%s%d", digits, (11-sum%11)%10)
	}
	ask := func(t *testing.T, o *office, f officer.Form, from string) officer.Step {
		t.Helper()
		o.Clock.Advance(16 * time.Minute) // codes to one contact: 3 in 15 minutes
		flow, err := o.desk.Start(ctx(t, from), f, browser)
		if err != nil {
			t.Fatal(err)
		}
		flow, err = o.desk.Prove(ctx(t, from), flow.ID, browser, officer.ProveEmail, o.code(t, f.Email))
		if err != nil {
			t.Fatal(err)
		}
		return flow.Step
	}
	t.Run("contact", func(t *testing.T) {
		storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
			o := open(t, env, officer.Options{})
			o.register(t, form(somsak, "somsak"))
			for i := range 3 {
				if step := ask(t, o, form(somsak, "malee"), fmt.Sprintf("198.51.100.%d", i)); step != officer.Existing {
					t.Fatalf("answer %d is %s", i+1, step)
				}
			}
			if step := ask(t, o, form(somsak, "malee"), "198.51.100.9"); step != officer.Later {
				t.Errorf("answer 4 is %s, want %s", step, officer.Later)
			}
			if step := ask(t, o, form(malee, "malee"), "198.51.100.9"); step != officer.Later {
				t.Errorf("for one without an account answer 4 is %s, want %s", step, officer.Later)
			}
			if step := ask(t, o, form(malee, "other"), "198.51.100.9"); step != officer.ProvePhone {
				t.Errorf("another contact answers %s, want %s", step, officer.ProvePhone)
			}
			o.Clock.Advance(24 * time.Hour)
			if step := ask(t, o, form(somsak, "malee"), "198.51.100.9"); step != officer.Existing {
				t.Errorf("a day later the answer is %s, want %s", step, officer.Existing)
			}
		})
	})
	t.Run("network", func(t *testing.T) {
		storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
			o := open(t, env, officer.Options{})
			from := func(i int) string { return fmt.Sprintf("2001:db8:1:2::%x", i) } // one /64
			for i := range 10 {
				f := form(somsak, "malee")
				f.Email = fmt.Sprintf("stranger%d@example.com", i)
				if i == 0 {
					o.register(t, form(citizen(1), "other"))
				}
				f.CitizenID = citizen(1)
				if step := ask(t, o, f, from(i)); step != officer.Existing {
					t.Fatalf("answer %d is %s", i+1, step)
				}
			}
			f := form(citizen(1), "malee")
			f.Email = "stranger@example.com"
			if step := ask(t, o, f, from(11)); step != officer.Later {
				t.Errorf("answer 11 is %s, want %s", step, officer.Later)
			}
			f.CitizenID, f.Email = citizen(2), "stranger11@example.com"
			if step := ask(t, o, f, from(12)); step != officer.Later {
				t.Errorf("for one without an account answer 11 is %s, want %s", step, officer.Later)
			}
			f.Email = "stranger12@example.com"
			if step := ask(t, o, f, "2001:db8:1:3::1"); step != officer.ProvePhone {
				t.Errorf("from another network the answer is %s, want %s", step, officer.ProvePhone)
			}
		})
	})
}

func TestWrongCodes(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		flow := o.start(t, form(somsak, "somsak"))
		right := o.code(t, somsakMail)
		wrong := "000000"
		if wrong == right {
			wrong = "000001"
		}
		try := func(code string) (officer.Flow, error) {
			return o.desk.Prove(ctx(t, address), flow.ID, browser, officer.ProveEmail, code)
		}
		if _, err := try("12 ab"); faults(err)["code"] != "officer.problem.code_form" {
			t.Errorf("letters answer %v", err)
		}
		for range 4 {
			if f, err := try(wrong); !errors.Is(err, problem.Invalid) || f.Step != officer.ProveEmail {
				t.Errorf("a wrong code answers %+v, %v", f, err)
			}
		}
		// Thai digits and a blank, as people type them.
		typed := ""
		for i, r := range right {
			if i == 3 {
				typed += " "
			}
			typed += string(r - '0' + '๐')
		}
		if f, err := try(typed); err != nil || f.Step != officer.ProvePhone {
			t.Fatalf("the fifth try with the right code answers %+v, %v", f, err)
		}
		// The form sent once more takes no second step.
		if f, err := try(right); err != nil || f.Step != officer.ProvePhone {
			t.Errorf("the same form again answers %+v, %v", f, err)
		}
	})
}

func TestFiveWrongCodesVoidTheCode(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		flow := o.start(t, form(somsak, "somsak"))
		right := o.code(t, somsakMail)
		wrong := "000000"
		if wrong == right {
			wrong = "000001"
		}
		for i, code := range []string{wrong, wrong, wrong, wrong, wrong, right} {
			if f, err := o.desk.Prove(ctx(t, address), flow.ID, browser, officer.ProveEmail, code); !errors.Is(err, problem.Invalid) {
				t.Fatalf("try %d answers %+v, %v", i+1, f, err)
			}
		}
		if _, err := o.desk.Resend(t.Context(), flow.ID, browser); !errors.Is(err, problem.Busy) {
			t.Errorf("another code at once answers %v, want Busy", err)
		}
		env.Clock.Advance(time.Minute)
		again, err := o.desk.Resend(t.Context(), flow.ID, browser)
		if err != nil {
			t.Fatal(err)
		}
		if !again.SentAt.Equal(storetest.Start.Add(time.Minute)) {
			t.Errorf("after another code the flow is %+v", again)
		}
		if f := o.prove(t, again); f.Step != officer.ProvePhone {
			t.Errorf("the new code leads to %+v", f)
		}
	})
}

func TestFlowIsBoundToItsBrowserAndHour(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		flow := o.start(t, form(somsak, "somsak"))
		code := o.code(t, somsakMail)
		absent := func(what, id, browser string) {
			t.Helper()
			_, look := o.desk.Flow(t.Context(), id, browser)
			_, typed := o.desk.Typed(t.Context(), id, browser)
			_, resend := o.desk.Resend(t.Context(), id, browser)
			_, prove := o.desk.Prove(t.Context(), id, browser, officer.ProveEmail, code)
			for _, err := range []error{look, typed, resend, prove} {
				if !errors.Is(err, problem.NotFound) {
					t.Errorf("%s answers %v, want NotFound", what, err)
				}
			}
		}
		absent("another browser", flow.ID, "another")
		absent("no browser", flow.ID, "")
		absent("an unknown flow", store.NewID(), browser)
		env.Clock.Set(storetest.Start.Add(time.Hour - time.Second))
		if _, err := o.desk.Flow(t.Context(), flow.ID, browser); err != nil {
			t.Errorf("a second before the hour is over: %v", err)
		}
		env.Clock.Set(storetest.Start.Add(time.Hour))
		absent("an hour later", flow.ID, browser)
	})
}

func TestTyped(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		want := form("3990000000228", "somsak")
		flow := o.start(t, want)
		got, err := o.desk.Typed(t.Context(), flow.ID, browser)
		if err != nil {
			t.Fatal(err)
		}
		want.Password, want.PasswordAgain = "", ""
		if got != want {
			t.Errorf("what was typed comes back as %+v, want %+v", got, want)
		}
		o.prove(t, o.prove(t, flow))
		if _, err := o.desk.Typed(t.Context(), flow.ID, browser); !errors.Is(err, problem.NotFound) {
			t.Errorf("the form of a finished registration answers %v, want NotFound", err)
		}
	})
}

// TestSMSLimitKeepsTheProvedAddress proves the address while no SMS may go to the phone.
func TestSMSLimitKeepsTheProvedAddress(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		o.prove(t, o.start(t, form(somsak, "somsak"))) // sends an SMS
		f := form(somsak, "somsak")
		f.Email = "second@example.go.th"
		flow := o.start(t, f)
		flow, err := o.desk.Prove(ctx(t, address), flow.ID, browser, officer.ProveEmail, o.code(t, f.Email))
		if !errors.Is(err, problem.Busy) || flow.Step != officer.ProvePhone || !flow.SentAt.IsZero() {
			t.Fatalf("the answer is %+v, %v; want the step to the phone, and Busy", flow, err)
		}
		env.Clock.Advance(time.Minute)
		if flow, err = o.desk.Resend(t.Context(), flow.ID, browser); err != nil {
			t.Fatal(err)
		}
		if end := o.prove(t, flow); end.Step != officer.Registered {
			t.Errorf("the end is %+v", end)
		}
	})
}

// TestTwoRegistrationsAtOnce lets two browsers prove all contacts for one citizen ID: one gets the account.
func TestTwoRegistrationsAtOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		var flows []officer.Flow
		for _, name := range []string{"somsak", "malee"} {
			flows = append(flows, o.prove(t, o.start(t, form(somsak, name))))
		}
		codes := []string{o.code(t, "+66812345678"), o.code(t, "+66898765432")}
		const each = 4 // every form is also sent several times
		ends := make(chan officer.Step, 2*each)
		var group sync.WaitGroup
		for i := range 2 * each {
			group.Go(func() {
				f, err := o.desk.Prove(ctx(t, address), flows[i%2].ID, browser, officer.ProvePhone, codes[i%2])
				if err != nil {
					t.Errorf("prove: %v", err)
				}
				ends <- f.Step
			})
		}
		group.Wait()
		close(ends)
		count := map[officer.Step]int{}
		for step := range ends {
			count[step]++
		}
		if count[officer.Registered] != each || count[officer.Existing] != each {
			t.Errorf("the ends are %v", count)
		}
		if got := o.acts(t); got != "officer.register_existing officer.register" {
			t.Errorf("recorded: %s", got)
		}
	})
}

// TestFailedHookUndoesTheAccount shows that the hook stands in the same transaction.
func TestFailedHookUndoesTheAccount(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		o.hook = errors.New("the book is closed")
		flow := o.prove(t, o.start(t, form(somsak, "somsak")))
		code := o.code(t, somsakPhone)
		if _, err := o.desk.Prove(ctx(t, address), flow.ID, browser, officer.ProvePhone, code); !errors.Is(err, o.hook) {
			t.Errorf("the answer is %v", err)
		}
		if _, err := o.account(t, somsak); !errors.Is(err, problem.NotFound) {
			t.Errorf("there is an account (%v)", err)
		}
		o.hook = nil
		if f, err := o.desk.Prove(ctx(t, address), flow.ID, browser, officer.ProvePhone, code); err != nil || f.Step != officer.Registered {
			t.Errorf("once the book is open the same code answers %+v, %v", f, err)
		}
	})
}

func TestSubmissionsAreLimited(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		o := open(t, env, officer.Options{})
		for i := range 61 {
			f := form(somsak, "somsak")
			f.Email = fmt.Sprintf("somsak%d@example.go.th", i)
			_, err := o.desk.Start(ctx(t, address), f, browser)
			if busy := errors.Is(err, problem.Busy); busy != (i == 60) || err != nil && !busy {
				t.Fatalf("submission %d answers %v", i+1, err)
			}
		}
		f := form(somsak, "somsak")
		if _, err := o.desk.Start(ctx(t, "203.0.113.8"), f, browser); err != nil {
			t.Errorf("another address answers %v", err)
		}
	})
}

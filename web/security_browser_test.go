package web

import (
	"regexp"
	"testing"
	"time"

	"sitthi/internal/browsertest"
	"sitthi/internal/locale"
	"sitthi/signin"
)

// TestSecondFactorInABrowser leads a head through the app that he needs, has him add a passkey, and signs in and proves
// itself again with each: with scripts, without, on a desktop and on a phone, in both languages.
func TestSecondFactorInABrowser(t *testing.T) {
	for _, tt := range []struct {
		name string
		lang locale.Lang
		opts browsertest.Options
	}{
		{"th", locale.TH, browsertest.Options{}},
		{"en-phone", locale.EN, browsertest.Options{Phone: true, Lang: "en"}},
		{"th-phone-dark-nojs", locale.TH, browsertest.Options{Phone: true, Dark: true, NoJS: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newKit(t)
			k.keep(t, chief12, "")
			texts := must(Texts())(t)
			word := func(key string) string { return texts.Text(tt.lang, key, nil) }
			b := browsertest.Open(t, "http://"+k.localhost, tt.opts)
			look := func(what string) {
				t.Helper()
				b.NoHorizontalScroll()
				b.Axe()
				b.Screenshot("security-" + tt.name + "-" + what)
			}
			if !tt.opts.NoJS {
				b.Authenticator()
			}
			b.Go("/officer/login?next=/ko1/rights")
			if tt.lang == locale.EN {
				b.In(".site-head").Press("EN")
			}
			in := func() {
				t.Helper()
				b.Fill(word("officer.citizen_id"), chief12)
				b.Fill(word("officer.password"), kitPassword)
				b.In("#main").Press(word("officer.sign_in"))
			}
			in()
			b.See(word("security.first_why"))
			look("first")
			b.Press(word("security.app_begin"))
			b.See(word("security.app_step2"))
			look("app")
			b.Click(word("security.app_no_camera"))
			key := regexp.MustCompile(`[A-Z2-7 ]{30,}`).FindString(b.Text("#app-key"))
			b.Fill(word("security.code"), "000")
			b.Press(word("security.app_confirm"))
			b.See(word("signin.problem.app_form"))
			look("app-wrong")
			b.Fill(word("security.code"), k.shows(t, key))
			b.Press(word("security.app_confirm"))
			b.See(word("security.codes_keep"))
			look("codes")
			b.Click(word("security.codes_kept"))
			b.See(word("rights.mine_title"))
			b.Go("/officer/security")
			b.See(word("security.app_move"))
			look("app-used")
			b.Click(word("security.remove"))
			b.See(word("signin.problem.factor_last"))
			look("app-last")
			b.Go("/officer/security")

			leave := func() {
				t.Helper()
				b.Eval(`document.querySelector("form[action='/officer/logout']").submit()`, nil)
				b.See(word("officer.signed_out"))
				b.Go("/officer/login?next=/officer/security")
			}
			leave()
			in()
			b.See(word("security.factor_lead"))
			look("factor")
			k.later(time.Minute)
			b.Fill(word("security.code"), k.shows(t, key))
			b.In("#main").Press(word("security.go_on"))
			b.See(word("security.app_move"))
			k.later(signin.Defaults().StepUp + time.Minute)
			b.Press(word("security.codes_new"))
			b.See(word("web.stepup_factor"))
			look("stepup")
			b.Fill(word("security.code"), k.shows(t, key))
			b.Press(word("web.stepup_go"))
			b.See(word("security.codes_keep"))
			if tt.opts.NoJS {
				return
			}

			b.Go("/officer/security")
			b.Press(word("security.passkey_add"))
			b.Fill(word("security.passkey_name"), "โน้ตบุ๊ก")
			look("passkey")
			b.Press(word("security.passkey_make"))
			b.See(word("security.passkey_added"), "โน้ตบุ๊ก")
			look("passkeys")
			k.later(signin.Defaults().StepUp + time.Minute)
			b.Press(word("security.codes_new"))
			b.Press(word("security.passkey_use"))
			b.See(word("security.codes_keep"))
			leave()
			in()
			b.Press(word("security.passkey_use"))
			b.See(word("security.app_move"))
			leave()
			look("sign-in")
			b.Press(word("security.passkey_sign_in"))
			b.See(word("security.passkey_used"), "วิชัย")
			b.In("โน้ตบุ๊ก").Click(word("security.remove"))
			b.In("#dialog").Press(word("security.remove"))
			b.See(word("security.removed"))
			b.NotSee("โน้ตบุ๊ก " + word("security.passkey_made"))
			leave()
			b.Press(word("security.passkey_sign_in"))
			b.See(word("signin.problem.passkey_wrong"))
		})
	}
}

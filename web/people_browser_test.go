package web

import (
	"net/url"
	"strings"
	"testing"

	"sitthi/internal/browsertest"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// TestActiveUserInABrowser follows the manual's section 3: an officer who did not sign in for 60 days proves a contact, his
// chief confirms with one click, and he is back at work.
func TestActiveUserInABrowser(t *testing.T) {
	texts := must(Texts())(t)
	tale := func(t *testing.T, k *kit, name string, lang locale.Lang, opts browsertest.Options) {
		say := func(key string, args ...any) string {
			named := locale.Args{}
			for i := 0; i+1 < len(args); i += 2 {
				named[args[i].(string)] = args[i+1]
			}
			return texts.Text(lang, key, named)
		}
		open := func() *browsertest.Browser {
			b := browsertest.Open(t, k.url, opts)
			b.Go("/officer/login")
			if lang == locale.EN {
				b.Press("EN")
			}
			return b
		}
		looks := func(b *browsertest.Browser, page string) {
			t.Helper()
			b.NoHorizontalScroll()
			b.Screenshot("active-" + page + "-" + name)
			b.Axe()
		}
		enter := func(b *browsertest.Browser, citizen string) {
			t.Helper()
			b.Go("/officer/login")
			k.signIn(t, b, lang, citizen)
		}
		const phone = "08X-XXX-0201"
		k.lockAll(t, chief12)

		b := open()
		enter(b, considers)
		b.See(say("activation.title"), say("activation.lead", "n", 60), say("helpdesk.title"))
		looks(b, "locked")
		b.Press(say("activation.send"))
		b.In(".error-summary").See(say("signin.problem.channel"))
		looks(b, "no-channel")
		b.Check(say("activation.channel_sms", "to", phone))
		b.Press(say("activation.send"))
		b.See(say("activation.sent_sms", "to", phone))
		b.Fill("[name=code]", "000000")
		b.Press(say("officer.code_submit"))
		b.In(".error-summary").See(say("proof.code.wrong"))
		looks(b, "code")
		b.Fill("[name=code]", k.sentCode(t, "activation.code"))
		b.Press(say("officer.code_submit"))
		b.See(say("activation.title_asked"))
		looks(b, "asked")

		chief := open()
		enter(chief, chief12)
		chief.Go("/ko1/rights")
		chief.Click(say("people.asking_see", "n", 1))
		chief.See(say("people.requests"), "สุดา พิจารณา", say("people.state_locked"))
		looks(chief, "people")
		chief.Press(say("people.confirm"))
		chief.See(say("people.confirmed", "name", "สุดา พิจารณา"))
		chief.NotSee(say("people.requests"))
		looks(chief, "confirmed")

		b.Click(say("activation.look_again"))
		b.See(say("activation.title_confirmed"))
		looks(b, "open")
		b.In("#main").Click(say("officer.sign_in"))
		enter(b, considers)
		b.In("#main").See(say("portal.my_rights"), say("rights.state_active"))

		// Who is not confirmed reads why.
		b = open()
		enter(b, without)
		b.Check(say("activation.channel_email", "to", "p•••@diw.example.go.th"))
		b.Press(say("activation.send"))
		b.Fill("[name=code]", k.sentCode(t, "activation.code"))
		b.Press(say("officer.code_submit"))
		b.See(say("activation.title_asked"))
		chief.Go(peoplePath)
		chief.Click(say("people.refuse"))
		chief.Fill("[name=reason]", "ย้ายไปสังกัดอื่นแล้ว")
		looks(chief, "refuse")
		chief.In("[action$='/refuse']").Press(say("people.refuse"))
		chief.See(say("people.refused", "name", "ปิติ ใจดี"))
		b.Click(say("activation.look_again"))
		b.See(say("activation.title_refused"), "ย้ายไปสังกัดอื่นแล้ว")
		looks(b, "refused")
	}
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		if env.DB.Engine() == store.Postgres {
			tale(t, kitOn(t, env), "th-nojs", locale.TH, browsertest.Options{NoJS: true})
			return
		}
		t.Run("th", func(t *testing.T) { tale(t, kitOn(t, env), "th", locale.TH, browsertest.Options{}) })
		t.Run("en-phone", func(t *testing.T) { tale(t, newKit(t), "en-phone", locale.EN, browsertest.Options{Phone: true}) })
	})
}

// TestPeopleInABrowser finds one of three hundred officers and turns the pages, with scripts and without.
func TestPeopleInABrowser(t *testing.T) {
	eachReader(t, func(t *testing.T, k *kit, r readerOf) {
		k.crowd(t, 300)
		b := r.enter(t, k, chief12, "วิชัย")
		b.Go(peoplePath)
		apply := func() { // without scripts a button does what the change of a field does
			if r.opts.NoJS {
				b.Press(r.say(t, "parts.apply"))
			}
		}
		b.See(r.say(t, "parts.page_of", "page", "1", "pages", "7"), r.say(t, "people.state_locked"))
		r.look(b, "people-first")
		b.Click(r.say(t, "parts.next"))
		b.See(r.say(t, "parts.page_of", "page", "2", "pages", "7"))
		b.Fill("#filter-q", "ขวัญชัย")
		apply()
		b.See(r.say(t, "parts.count", "count", "38"))
		if got, want := b.Path(), peoplePath+"?q="+url.QueryEscape("ขวัญชัย"); got != want {
			t.Errorf("at %s, want %s", got, want)
		}
		r.look(b, "people-found")
		b.Fill("#filter-q", "ขวัญชัย 3990000000201")
		apply()
		b.See(r.say(t, "parts.no_match"))
		if strings.Contains(b.Path(), "3990000000201") {
			t.Errorf("the address is %s", b.Path())
		}
		r.look(b, "people-nobody")
		b.Click(r.say(t, "parts.clear_all"))
		b.In(".figure-list > :first-child").Click(r.say(t, "people.state_locked"))
		b.See(r.say(t, "parts.count", "count", "40"))
		r.look(b, "people-locked")
	})
}

package web

import (
	"testing"

	"sitthi/internal/browsertest"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// TestAccountInABrowser follows an officer through his own account: another position, another number, all that is stored
// about him, and the end of the account.
func TestAccountInABrowser(t *testing.T) {
	texts := must(Texts())(t)
	tale := func(t *testing.T, k *kit, name string, lang locale.Lang, opts browsertest.Options) {
		say := func(key string, args ...any) string {
			named := locale.Args{}
			for i := 0; i+1 < len(args); i += 2 {
				named[args[i].(string)] = args[i+1]
			}
			return texts.Text(lang, key, named)
		}
		b := browsertest.Open(t, k.url, opts)
		looks := func(page string) {
			t.Helper()
			b.NoHorizontalScroll()
			b.Screenshot("account-" + page + "-" + name)
			b.Axe()
		}
		b.Go("/officer/login")
		if lang == locale.EN {
			b.Press("EN")
		}
		k.signIn(t, b, lang, considers)
		b.In("#main").See(say("portal.my_rights"))

		b.Go(profilePath)
		looks("profile")
		b.Click(say("account.edit"))
		b.Fill("[name=position]", "")
		b.Press(say("account.save"))
		b.See(say("officer.problem.position_empty"))
		looks("edit")
		b.Fill("[name=position]", "นักวิชาการอุตสาหกรรมชำนาญการพิเศษ")
		b.Fill("[name=line_id]", "suda.p")
		b.Press(say("account.save"))
		b.See(say("account.saved"), "นักวิชาการอุตสาหกรรมชำนาญการพิเศษ")

		b.Click(say("account.change_phone"))
		looks("phone")
		b.Fill("[name=phone]", "0898765432")
		b.Press(say("account.send_code"))
		b.See(say("account.sent_phone", "to", "089-876-5432"))
		b.Fill("[name=code]", "000000")
		b.Press(say("officer.code_submit"))
		b.In(".error-summary").See(say("proof.code.wrong"))
		looks("code")
		b.Fill("[name=code]", k.sentCode(t, "contact.code"))
		b.Press(say("officer.code_submit"))
		b.See(say("account.changed_phone"), "089-876-5432")

		b.Click(say("account.data"))
		looks("data")
		b.Press(say("account.data_show"))
		b.See("3-9900-00000-20-1", say("account.section.messages"), "089-876-5432")
		looks("data-shown")

		b.Go(closePath)
		b.Press(say("account.close"))
		b.In(".error-summary").See(say("account.problem.know"))
		looks("close")
		b.Check(say("account.close_sure"))
		b.Press(say("account.close"))
		b.See(say("account.closed"))
		b.Go("/my/rights")
		b.In("#main").See(say("officer.sign_in"))
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

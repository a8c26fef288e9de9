package web

import (
	"strings"
	"testing"

	"sitthi/internal/browsertest"
	"sitthi/internal/locale"
	"sitthi/internal/thai"
)

// TestCutoverInABrowser sets a cut-over in a dialog, sees it announced, and takes it back.
func TestCutoverInABrowser(t *testing.T) {
	for name, c := range map[string]struct {
		lang locale.Lang
		opts browsertest.Options
	}{
		"th": {lang: locale.TH}, "en-phone": {lang: locale.EN, opts: browsertest.Options{Phone: true}}, "th-nojs": {lang: locale.TH, opts: browsertest.Options{NoJS: true}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			texts := must(Texts())(t)
			say := func(key string, args ...any) string {
				named := locale.Args{}
				for i := 0; i+1 < len(args); i += 2 {
					named[args[i].(string)] = args[i+1]
				}
				return texts.Text(c.lang, key, named)
			}
			b := browsertest.Open(t, k.url, c.opts)
			looks := func(page string) {
				t.Helper()
				b.NoHorizontalScroll()
				b.Screenshot("cutover-" + page + "-" + name)
				b.Axe()
			}
			b.Go("/officer/login")
			if c.lang == locale.EN {
				b.Press("EN")
			}
			k.signIn(t, b, c.lang, admin1)
			b.In("#main").See(say("portal.my_rights"))
			form := b.In("#dialog")
			if c.opts.NoJS {
				form = b.In("#main")
			}
			b.Go("/admin")
			b.Click(say("agency.to_cutover"))
			b.See(say("cutover.none"))
			looks("none")

			b.Click(say("cutover.set"))
			form.Fill("[name=day]", "30/11/2569")
			form.Fill("[name=hour]", "24.00")
			form.Press(say("portal.save"))
			form.See(say("portal.problem.hour"))
			looks("wrong")
			form.Fill("[name=day]", "1/12/2569")
			form.Fill("[name=hour]", "๐๐.๐๐ น.")
			form.Fill("[name=note_th]", "เจ้าหน้าที่พิจารณาคำขอในระบบเดิมให้แล้วเสร็จภายในวันที่ 4 ธันวาคม 2569 เวลา 16.30 น.")
			form.Fill("[name=note_en]", "Officers finish the applications in the old system by 4 December 2026, 16:30.")
			form.Fill("[name=link]", "https://www.diw.go.th/announcement/ko1")
			form.Press(say("portal.save"))
			b.See(say("cutover.saved", "from", thai.Moment(thai.Date{Year: 2026, Month: 12, Day: 1}.StartOfDay())), say("cutover.state_coming"))
			looks("set")
			for _, path := range []string{"/", "/intranet", "/ko1"} {
				b.Go(path)
				b.See(say("cutover.coming_new"), "16")
				looks("announced" + strings.ReplaceAll(path, "/", "-"))
			}
			b.Go("/admin/cutover")
			b.Click(say("cutover.withdraw"))
			form.See(say("cutover.withdraw_text"))
			looks("withdraw")
			form.Press(say("cutover.withdraw"))
			b.See(say("cutover.withdrawn"), say("cutover.state_closed"))
		})
	}
}

package web

import (
	"net/http"
	"testing"
)

// An administrator works through a file that a colleague sent, and a third signs it.
func TestImportInABrowser(t *testing.T) {
	eachReader(t, func(t *testing.T, k *kit, r readerOf) {
		b := r.enter(t, k, admin1, "สมหญิง")
		b.Go("/admin/imports")
		b.See(r.say(t, "imports.none"))
		r.look(b, "imports-empty")
		path := k.as(t, admin1).upload("/admin/imports", "กอ.1 เดิม", "สิทธิ์.csv", []byte(messyFile)).wants(http.StatusSeeOther).location
		b.Go(path)
		b.See(r.say(t, "imports.checking"))
		r.look(b, "imports-progress")
		k.work(t)
		if r.opts.NoJS {
			b.Click(r.say(t, "imports.reload"))
		}
		b.See(r.say(t, "imports.balanced", "n", "7"), r.say(t, "legacy.denied_own_work"))
		r.look(b, "imports-checked")
		b.Click(r.say(t, "imports.see_lines"))
		b.Select(r.say(t, "imports.result"), r.say(t, "imports.result_quarantined"))
		b.Press(r.say(t, "imports.filter"))
		b.See("เมืองสมมติ")
		r.look(b, "imports-lines")
		b.In(".table tbody").Click("6")
		b.See(r.say(t, "imports.correct"))
		r.look(b, "imports-line")
		b.Fill("[name=unit]", "ที่ไหนสักแห่ง")
		b.Press(r.say(t, "imports.correct_now"))
		b.See("ที่ไหนสักแห่ง")
		r.look(b, "imports-line-wrong")
		b.Fill("[name=unit]", "นนทบุรี")
		b.Press(r.say(t, "imports.correct_now"))
		b.See(r.say(t, "imports.line_corrected", "line", 6))
		k.work(t)

		second := r.enter(t, k, admin2, "ประเสริฐ")
		second.Go(path)
		second.Press(r.say(t, "imports.sign", "n", "4"))
		second.See(r.say(t, "imports.signed"))
		k.work(t)
		if r.opts.NoJS {
			second.Click(r.say(t, "imports.reload"))
		}
		second.See(r.say(t, "imports.state_committed"), r.say(t, "imports.signed_by"))
		r.look(second, "imports-committed")
		second.Go("/admin/imports")
		second.See("กอ.1 เดิม")
		r.look(second, "imports-list")
	})
}

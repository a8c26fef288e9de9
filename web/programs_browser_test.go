package web

import (
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/program"
)

// A central administrator connects a system, copies its token, reads what it was answered, and revokes it; a programmer
// reads how to ask.
func TestProgramsInABrowser(t *testing.T) {
	eachReader(t, func(t *testing.T, k *kit, r readerOf) {
		k.server.Example = Example{Token: "demo-authzen-token", Officer: approves}
		say := func(key string, args ...any) string {
			t.Helper()
			return r.say(t, key, args...)
		}
		b := r.enter(t, k, admin1, "สมหญิง")
		look := func(what string) {
			t.Helper()
			b.NoHorizontalScroll()
			b.Axe()
			b.Screenshot("programs-" + what + "-" + r.name)
		}
		b.Go("/programs")
		b.See(say("asking.title"), "demo-authzen-token")
		look("asking")
		b.Go("/admin")
		look("admin")
		b.Go("/admin/programs")
		b.See(say("program.none"))
		look("none")
		b.Click(say("program.add"))
		b.See(say("program.add_text"))
		b.Press(say("program.add_do"))
		b.See(say("program.problem.name"), say("program.problem.units"), say("program.problem.actions"))
		look("wrong")
		b.Fill("[name=name]", "ระบบใบอนุญาตโรงงาน")
		b.Check(say("program.action.approve"))
		b.Check(say("program.action.consider"))
		b.Check(say("program.some_units"))
		b.Check(k.unitName(t, "TH-12", r.lang))
		b.Check(k.unitName(t, "IWM", r.lang))
		b.Fill("[name=until]", "30/09/2570")
		look("form")
		b.Press(say("program.add_do"))
		b.See(say("program.added", "name", "ระบบใบอนุญาตโรงงาน"))
		token := b.Text("#secret")
		caller, known := k.programs.Authenticate(token)
		if !known {
			t.Fatalf("%q is no token", token)
		}
		if !r.opts.NoJS {
			b.Press(say("program.copy"))
			b.See(say("program.copied"))
		}
		look("made")
		b.Reload()
		b.See(say("program.no_answers"))
		b.NotSee(token)

		k.answered(t,
			program.Decision{At: k.Clock.Now(), Program: caller.ID, Request: "5f3c2c56-3f8b-4d0e-9c1b-2b7d3b1f6c55", Subject: k.who[approves], Action: "approve", Unit: "TH-12", Allowed: true, Reason: "permitted"},
			program.Decision{At: k.Clock.Now().Add(-time.Hour), Program: caller.ID, Subject: k.who[without], Action: "consider", Unit: "IWM", Team: "G1", Reason: "no_right", Moment: k.Clock.Now().AddDate(-1, 0, 0)},
			program.Decision{At: k.Clock.Now().Add(-2 * time.Hour), Program: caller.ID, Action: "approve", Unit: "TH-13", Reason: "out_of_scope"})
		b.Reload()
		b.See(say("decision.reason.permitted"), say("decision.reason.out_of_scope"))
		look("one")
		b.Click(say("program.all_answers"))
		b.See(say("decision.subtitle"))
		look("answers")
		b.Go("/admin/programs")
		look("list")
		b.Go(programPath(caller.ID))
		b.Click(say("program.revoke"))
		in := b
		if !r.opts.NoJS {
			in = b.In("#dialog")
		}
		in.See(say("program.revoke_text"))
		look("revoke")
		in.Press(say("program.revoke"))
		in.See(say("program.problem.reason"))
		in.Fill("[name=reason]", "เลิกใช้ระบบนี้แล้ว")
		in.Press(say("program.revoke"))
		b.See(say("program.revoked_now"), "เลิกใช้ระบบนี้แล้ว")
		look("revoked")
		if _, known := k.programs.Authenticate(token); known {
			t.Error("known after it was revoked")
		}
	})
}

// unitName is the short name of a unit.
func (k *kit) unitName(t *testing.T, code string, lang locale.Lang) string {
	t.Helper()
	for _, u := range must(k.agencies.Units(t.Context()))(t) {
		if u.Code == code {
			return u.Short.In(lang)
		}
	}
	t.Fatalf("no unit %s", code)
	return ""
}

package web

import "testing"

// An administrator looks at all units at once, narrows them to those without a head and opens the list behind one.
func TestDashboardInABrowser(t *testing.T) {
	eachReader(t, func(t *testing.T, k *kit, r readerOf) {
		b := r.enter(t, k, admin1, "สมหญิง")
		b.Go(dashboardPath)
		b.See(r.say(t, "dashboard.title"), r.say(t, "dashboard.centre"))
		r.look(b, "dashboard")
		b.Click("[href='" + dashboardPath + "?only=head']")
		b.See(r.say(t, "dashboard.chosen", "what", r.say(t, "dashboard.no_head")))
		r.look(b, "dashboard-headless")
		b.Click("#unit-TH-11 .unit-lacks a")
		b.See(r.say(t, "appoint.title"))
	})
}

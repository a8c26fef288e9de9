package main

import "sitthi/internal/locale"

// glance looks at how all units stand, and answers the tile of one.
func (w *window) glance(unit string) *window {
	w.u.Helper()
	w.Go("/admin/overview")
	w.Browser.See(w.u.texts("dashboard.title", nil))
	return w.In("#unit-" + unit)
}

// headless follows an administrator from the tiles to the list behind what a unit lacks, before it has a head.
func (u *tale) headless(w *window, unit string) {
	defer u.in("dashboard")()
	lacks := u.texts("dashboard.no_chief", nil)
	w.glance(unit).Browser.See(lacks)
	w.look("overview")
	w.Browser.Click("[href='/admin/overview?only=head']")
	w.Browser.See(u.texts("dashboard.chosen", locale.Args{"what": u.texts("dashboard.no_head", nil)}))
	w.look("overview-headless")
	w.Browser.Click("#unit-" + unit + " .unit-lacks a")
	w.Title("การแต่งตั้ง")
	if want := "/admin/appointments?post=head&unit=" + unit; w.Path() != want {
		u.Errorf("the list behind the tile is %s, not %s", w.Path(), want)
	}
}

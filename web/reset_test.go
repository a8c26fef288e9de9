package web

import (
	"net/http"
	"testing"
	"time"

	"sitthi/internal/locale"
)

// TestLostResetLeadsBack: a reset that has run out, or was begun in another browser, says so and leads to a new one.
func TestLostResetLeadsBack(t *testing.T) {
	k := newKit(t)
	b := k.visitor(t)
	way := b.post("/officer/passreset", "citizen_id", without).wants(http.StatusSeeOther).location
	k.visitor(t).get(way).wants(http.StatusNotFound, "หมดเวลาแล้ว", `href="/officer/passreset"`, "เริ่มตั้งรหัสผ่านใหม่อีกครั้ง")
	k.visitor(t).in(locale.EN).post(way+"/code", "code", "123456").wants(http.StatusNotFound, `href="/officer/passreset"`, "Start the reset again")
	b.get(way).wants(http.StatusOK)
	k.later(24 * time.Hour)
	b.get(way).wants(http.StatusNotFound, "หมดเวลาแล้ว", `href="/officer/passreset"`)
	b.get("/no/such/page").wants(http.StatusNotFound).lacks(`href="/officer/passreset"`)
}

package main

import (
	"os"
	"path/filepath"
	"testing"

	"sitthi/internal/browsertest"
	"sitthi/internal/locale"
	"sitthi/internal/storetest"
	"sitthi/internal/thaidtest"
)

// TestThaIDInABrowser signs in by ThaID, in the place of which npm oidc-provider stands on another site: so cookies and the
// Content-Security-Policy are tried too.
func TestThaIDInABrowser(t *testing.T) {
	for _, r := range []struct {
		reader
		postgres bool
	}{
		{reader{name: "thaid-th", full: true}, false},
		{reader{name: "thaid-en-phone", lang: locale.EN, opts: browsertest.Options{Phone: true, NoJS: true}, full: true}, true},
	} {
		t.Run(r.name, func(t *testing.T) {
			database := "sqlite:" + filepath.Join(t.TempDir(), "sitthi.db")
			if r.postgres {
				database = storetest.Postgres(t)
			}
			issuer := thaidtest.Provider(t)
			secret := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(secret, []byte(thaidtest.ClientSecret+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			u := newTale(t, r.reader, database, "--thaid-issuer", issuer, "--thaid-client-id", thaidtest.ClientID, "--thaid-client-secret-file", secret)
			u.signInByThaID()
		})
	}
}

func (u *tale) signInByThaID() {
	defer u.in("officer")()
	ask := func(w *window) {
		u.Helper()
		w.Go("/officer/login?next=%2Fofficer%2Fprofile")
		w.Browser.Press(u.texts("officer.thaid_sign_in", nil))
		w.Browser.See("ThaID ของการทดสอบ")
	}
	agree := func(w *window, citizen string) {
		u.Helper()
		w.Browser.Fill("เลขประจำตัวประชาชน", citizen)
		w.Browser.Press("ยินยอม")
	}

	// Who does not agree is back where the password is asked for; whose citizen ID nobody knows is told to register.
	w := u.open()
	w.Go("/officer/login")
	w.look("thaid-sign-in")
	ask(w)
	w.Browser.Press("ไม่ยินยอม")
	w.SeeText("signin.problem.thaid_refused", nil)
	w.look("thaid-refused")
	ask(w)
	agree(w, citizen(77))
	w.SeeText("officer.thaid_unknown_text", nil)
	w.look("thaid-unknown")
	w.Go("/officer/thaid/callback?state=x&code=y")
	w.SeeText("signin.problem.thaid_over", nil)

	// Whoever it was that registered: an account is linked by who knows its password.
	w = u.open()
	ask(w)
	agree(w, "3990000000228")
	w.SeeText("signin.problem.thaid_first", nil)
	w.look("thaid-first")
	w = u.as("3990000000228", demoPassword)
	link := func(answer func()) {
		u.Helper()
		w.Go("/officer/profile")
		w.look("thaid-link")
		w.Browser.Press(u.texts("officer.thaid_link", nil))
		w.Browser.See("ThaID ของการทดสอบ")
		answer()
	}
	link(func() { w.Browser.Press("ไม่ยินยอม") })
	w.SeeText("signin.problem.thaid_refused", nil)
	w.Title("ข้อมูลส่วนตัว")
	link(func() { agree(w, "3990000000228") })
	w.Browser.See(u.begins("officer.identity_thaid"))
	w.look("thaid-profile")

	// From then on he comes in by it, to where he was going.
	w = u.open()
	ask(w)
	agree(w, "3990000000228")
	w.Browser.See(u.texts("officer.profile", nil))
	if w.Path() != "/officer/profile" {
		u.Errorf("the sign-in leads to %s", w.Path())
	}
}

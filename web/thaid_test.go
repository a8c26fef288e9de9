package web

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sitthi/internal/locale"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thaidtest"
	"sitthi/officer"
	"sitthi/signin"
	"sitthi/thaid"
)

// atThaID is where people are sent to; Agree goes there for them.
const atThaID = "https://thaid.example/auth"

// byThaID is a kit in which officers can sign in by a fake ThaID.
type byThaID struct {
	*kit
	fake *thaidtest.Fake
}

func thaidOn(t *testing.T, k *kit, discovers bool) *byThaID {
	t.Helper()
	b := &byThaID{kit: k, fake: thaidtest.New(t, k.Clock)}
	o := k.enters
	o.ThaID = b.fake.Client(t, func(o *thaid.Options) {
		if !discovers {
			o.Endpoints = b.fake.Known()
			o.Endpoints.Auth = atThaID
		}
	})
	k.signin = signin.NewDesk(o)
	k.server.SignIn = k.signin
	return b
}

// ask has a browser go to ThaID, and answers what it brings back for who says yes there.
func (k *byThaID) ask(b *browser, citizen, next string) url.Values {
	b.t.Helper()
	a := b.post("/officer/thaid", "next", next).wants(http.StatusOK)
	after, address, ok := strings.Cut(a.header.Get("Refresh"), "; url=")
	if !ok || after != "0" {
		b.t.Fatalf("the page leads on by %q", a.header.Get("Refresh"))
	}
	told := k.fake.Agree(b.t, address, thaidtest.Claims{"pid": citizen, "given_name": "ปิติ", "family_name": "ใจดี"})
	return url.Values{"state": {told.State}, "code": {told.Code}, "iss": {told.Issuer}}
}

// back brings an answer of ThaID back. Whatever comes of it, neither code nor state stands in an address any more.
func (b *browser) back(q url.Values) *answer {
	b.t.Helper()
	a := b.get(ThaIDCallback + "?" + q.Encode())
	for _, name := range []string{"state", "code"} {
		if text := q.Get(name); text != "" && (strings.Contains(a.location, text) || strings.Contains(a.body, text)) {
			b.t.Errorf("the answer to the callback repeats its %s", name)
		}
	}
	return a
}

// link links an officer's account with ThaID, as he who is signed in.
func (k *byThaID) link(t *testing.T, citizen string) {
	t.Helper()
	b := k.as(t, citizen)
	b.back(k.ask(b, citizen, "/officer/profile")).leads("/officer/profile")
}

// TestThaIDOnThePages goes through all that can come of a sign-in by ThaID, in both languages: each page says what
// happened and what to do, and is whole.
func TestThaIDOnThePages(t *testing.T) {
	for _, lang := range locale.Langs {
		t.Run(string(lang), func(t *testing.T) {
			k := thaidOn(t, newKit(t), false)
			say := func(key string) string { return html.EscapeString(must(Texts())(t).Text(lang, key, nil)) }
			// told looks at the page that an answer leads to: it is at a path, and says what the keys say.
			told := func(what string, b *browser, a *answer, path string, keys ...string) {
				t.Helper()
				if got, _, _ := strings.Cut(a.location, "?"); got != path {
					t.Fatalf("%s: %d leads to %q, want %s\n%s", what, a.status, a.location, path, a.text())
				}
				page := a.follow().wants(http.StatusOK)
				for _, key := range keys {
					page.wants(http.StatusOK, say(key))
				}
				w := &reader{browser: b, lang: lang, site: k.site(), seen: map[string]int{}}
				w.look(what, page)
			}
			problem := func(key string) []string { return []string{"signin.problem." + key, "signin.problem." + key + "_next"} }
			const login, profile = "/officer/login", "/officer/profile"
			visitor := func() *browser { return k.visitor(t).in(lang) }

			b := visitor()
			b.get(login).wants(http.StatusOK, say("officer.thaid_sign_in"))
			asked := b.post("/officer/thaid", "next", profile).wants(http.StatusOK, say("officer.thaid_go"), atThaID+"?", say("officer.thaid_go_link"))
			(&reader{browser: b, lang: lang, site: k.site(), seen: map[string]int{}}).look("on the way to ThaID", asked)
			if strings.Contains(k.ask(b, without, "https://elsewhere.example/").Encode(), "elsewhere") {
				t.Error("ThaID is told where the sign-in leads")
			}

			// Who is not proved, or not yet linked.
			q := k.ask(b, "3990000000503", profile)
			told("nobody's citizen ID", b, b.back(q), "/officer/thaid/unknown", "officer.thaid_unknown_text", "officer.thaid_unknown_next")
			told("the same answer again", b, b.back(q), login, problem("thaid_over")...)
			told("not linked yet", b, b.back(k.ask(b, without, profile)), login, problem("thaid_first")...)
			told("a link out of nowhere", visitor(), visitor().back(url.Values{"state": {seal.Token()}, "code": {seal.Token()}}), login)
			told("no answer at all", b, b.back(url.Values{}), login, problem("thaid_over")...)
			q = k.ask(b, without, profile)
			q.Set("state", seal.Token())
			told("a state that nobody asked with", b, b.back(q), login, problem("thaid_over")...)
			q = k.ask(b, without, profile)
			other := visitor()
			told("another browser", other, other.back(q), login, problem("thaid_browser")...)
			q = k.ask(b, without, profile)
			k.later(10 * time.Minute)
			told("after ten minutes", b, b.back(q), login, problem("thaid_over")...)

			// What goes wrong at ThaID.
			spoilt := func(code string) url.Values {
				q := k.ask(b, without, profile)
				q.Del("code")
				q.Set("error", code)
				q.Set("error_description", "<b>elsewhere</b>")
				return q
			}
			told("who says no", b, b.back(spoilt("access_denied")), login, problem("thaid_refused")...)
			told("it says that it is busy", b, b.back(spoilt("temporarily_unavailable")), login, problem("thaid_away")...)
			told("it does not know us", b, b.back(spoilt("unauthorized_client")), login, problem("thaid_unproved")...)
			q = k.ask(b, without, profile)
			k.fake.Token = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
			told("it is away", b, b.back(q), login, problem("thaid_away")...)
			k.fake.Token = nil

			// Who is signed in comes back to where he was.
			b = k.as(t, without).in(lang)
			b.get(profile).wants(http.StatusOK, say("officer.thaid_link"), say("officer.identity_head"))
			told("who says no while he is signed in", b, b.back(spoiltIn(k, b, profile)), profile, "signin.problem.thaid_refused", "officer.thaid_stays")
			b.back(k.ask(b, considers, profile)).leads(profile, say("signin.problem.thaid_first_next")) // that one's account stays as it is
			before := b.cookies[k.server.cookieName(sessionCookie)]
			told("who links his account", b, b.back(k.ask(b, without, profile)), profile)
			if after := b.cookies[k.server.cookieName(sessionCookie)]; after == before || after == "" {
				t.Error("the session keeps its token")
			}
			b.get(profile).lacks(say("officer.thaid_link"), say("officer.identity_head"))

			b = visitor()
			told("who comes by it", b, b.back(k.ask(b, without, "/my/rights?x=1")), "/my/rights")
			b.get(profile).wants(http.StatusOK)
			b.post("/officer/logout").wants(http.StatusSeeOther)
			q = k.ask(b, without, "//elsewhere.example/")
			told("who was to be led elsewhere", b, b.back(q), afterSignIn)
			second := visitor()
			second.cookies[k.server.cookieName(browserCookie)] = b.cookies[k.server.cookieName(browserCookie)]
			told("the same answer again in the same browser", second, second.back(q), login, problem("thaid_over")...)

			// How his account stands is told once he is proved.
			k.later(officer.LockAfter)
			b = visitor()
			a := b.back(k.ask(b, without, profile)).wants(http.StatusSeeOther)
			if !strings.HasPrefix(a.location, activationPath) || b.cookies[k.server.cookieName(sessionCookie)] != "" {
				t.Fatalf("a locked officer is led to %q", a.location)
			}
			told("locked", b, a, a.location, "activation.title")
			k.write(t, func(tx *store.Tx) error {
				_, err := tx.Exec(t.Context(), `UPDATE accounts SET state = 'disabled' WHERE person_id = $1`, k.who[without])
				return err
			})
			told("switched off", b, b.back(k.ask(b, without, profile)), login, "signin.problem.disabled")

			// ThaID can not be found at all: a program that has just started does not know its addresses yet.
			away := thaidOn(t, k.kit, true)
			away.fake.Discovery = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
			b = visitor()
			told("it is not found", b, b.post("/officer/thaid", "next", profile), login, problem("thaid_away")...)
			b.get(login).wants(http.StatusOK, "citizen_id", say("officer.thaid_sign_in"))
		})
	}
}

// spoiltIn is the answer for who says no at ThaID.
func spoiltIn(k *byThaID, b *browser, next string) url.Values {
	b.t.Helper()
	q := k.ask(b, without, next)
	q.Del("code")
	q.Set("error", "access_denied")
	return q
}

// TestSecurityOfWhoCameByThaID: who can come in by ThaID does not rest on his password alone. That the password by itself
// still lets somebody in is what he is told.
func TestSecurityOfWhoCameByThaID(t *testing.T) {
	k := thaidOn(t, newKit(t), false)
	for _, lang := range locale.Langs {
		say := func(key string) string { return html.EscapeString(must(Texts())(t).Text(lang, key, nil)) }
		k.as(t, considers).in(lang).get("/officer/profile").wants(http.StatusOK, say("security.invite"))
		k.as(t, considers).in(lang).get("/officer/security").wants(http.StatusOK, say("security.none"))

		k.link(t, without)
		b := k.visitor(t).in(lang)
		b.back(k.ask(b, without, "/officer/profile")).leads("/officer/profile", say("security.invite_thaid")).lacks(say("security.invite"))
		b.get("/officer/security").wants(http.StatusOK, say("security.none_thaid"), say("security.none_text")).lacks(say("security.none"))
		k.as(t, without).in(lang).get("/officer/profile").wants(http.StatusOK, say("security.invite_thaid"))

		k.keep(t, without, kitKey)
		b.back(k.ask(b, without, "/officer/profile")).leads("/officer/profile", say("security.on")).lacks(say("security.invite_thaid"))
		b.get("/officer/security").wants(http.StatusOK).lacks(say("security.none_thaid"))
		k.keep(t, without, "")
	}
}

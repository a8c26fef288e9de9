package web

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/web/views"
)

// mount serves routes of the test's own behind everything that real ones stand behind.
func (k *kit) mount(t *testing.T, routes ...Route) {
	t.Helper()
	if !slices.ContainsFunc(routes, func(r Route) bool { return r.Pattern == "POST /language" }) {
		routes = append(routes, k.server.languageRoutes()...)
	}
	handler := must(k.server.assemble(routes))(t)
	served := httptest.NewServer(handler)
	t.Cleanup(served.Close)
	k.url = served.URL
}

// say is a handler that shows a page with a few words.
func (k *kit) say(words string) handler {
	return func(w http.ResponseWriter, r *http.Request, v *Visit) error {
		return k.server.show(w, r, v, http.StatusOK, v.Page("web.home"), templ.Raw("<p>"+words+"</p>"))
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	k := newKit(t)
	for _, target := range []string{"/healthz", "/nowhere", "/demo/outbox", "/static/x/css/base.css", "/static/x/none.css"} {
		h := k.visitor(t).get(target).header
		for name, want := range map[string]string{
			"Content-Security-Policy":    policy,
			"X-Content-Type-Options":     "nosniff",
			"Referrer-Policy":            "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin",
			"Strict-Transport-Security":  "", // the connection is not encrypted
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q", target, name, got)
			}
		}
		if cache := h.Get("Cache-Control"); !strings.HasPrefix(target, "/static/") && cache != "no-store" {
			t.Errorf("%s: Cache-Control %q", target, cache)
		}
	}
	for _, part := range []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "object-src 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy lacks %s", part)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Error("the policy lets inline code in")
	}
}

func TestStaticFiles(t *testing.T) {
	k := newKit(t)
	b := k.visitor(t)
	hash := k.server.static.hash
	a := b.get("/static/"+hash+"/css/base.css").wants(http.StatusOK, "{")
	if got := a.header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("cached as %q", got)
	}
	if got := a.header.Get("Content-Type"); got != "text/css; charset=utf-8" {
		t.Errorf("type %q", got)
	}
	if got := b.get("/static/old/css/base.css").header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("an old version is cached as %q", got)
	}
	b.header.Set("Accept-Encoding", "br, gzip;q=0.8")
	packed := b.get("/static/" + hash + "/css/base.css")
	if packed.header.Get("Content-Encoding") != "gzip" || len(packed.body) >= len(a.body) {
		t.Errorf("not packed: %v", packed.header)
	}
	b.header.Set("Accept-Encoding", "gzip;q=0")
	if got := b.get("/static/" + hash + "/css/base.css"); got.header.Get("Content-Encoding") != "" {
		t.Error("packed for one who cannot unpack")
	}
	head := b.do(http.MethodHead, "/static/"+hash+"/icons/favicon.svg", nil).wants(http.StatusOK)
	if head.body != "" || head.header.Get("Content-Length") == "0" {
		t.Errorf("HEAD answered %q, length %s", head.body, head.header.Get("Content-Length"))
	}
	for _, name := range []string{"none.css", "../server.go", "vendor/README.md", ""} {
		if got := b.get("/static/" + hash + "/" + name); got.status == http.StatusOK {
			t.Errorf("%s was answered", name)
		}
	}
}

func TestLanguage(t *testing.T) {
	k := newKit(t)
	b := k.visitor(t)
	b.header.Set("Accept-Language", "en-GB, en")
	b.get("/nowhere").wants(http.StatusNotFound, `lang="th"`, "ไม่พบหน้าที่ต้องการ")
	if got := b.post("/language", "lang", "en", "back", "/nowhere?a=1").location; got != "/nowhere?a=1" {
		t.Errorf("came back to %q", got)
	}
	b.get("/nowhere").wants(http.StatusNotFound, `lang="en"`, "Page not found", `value="/nowhere"`)
	b.post("/language", "lang", "th", "back", "/nowhere").follow().wants(http.StatusNotFound, "ไม่พบหน้าที่ต้องการ")
	for _, back := range []string{"//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\nb", "/\t/evil.example"} {
		if got := b.post("/language", "lang", "en", "back", back).location; got != "/" {
			t.Errorf("back to %q leads to %q", back, got)
		}
	}
}

func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/", "/ko1?x=1", "//e", "/\\e", "https://e", "/%2f/e", "/a b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got := localPath(in, "/fallback")
		at, err := url.Parse("https://sitthi.example/x")
		if err != nil {
			t.Fatal(err)
		}
		to, err := at.Parse(got)
		if err != nil || to.Host != "sitthi.example" || to.Scheme != "https" {
			t.Errorf("%q leads to %v, %v", in, to, err)
		}
	})
}

func TestCookies(t *testing.T) {
	for _, tt := range []struct {
		public string
		prefix string
		secure bool
	}{
		{"https://sitthi.example.go.th", "__Host-sitthi-", true},
		{"http://localhost:8080", "__Host-sitthi-", true},
		{"http://127.0.0.1:8080", "__Host-sitthi-", true},
		{"http://192.0.2.1:8080", "sitthi-", false},
	} {
		k := newKit(t, func(o *Options) { o.PublicURL = must(url.Parse(tt.public))(t) })
		a := k.visitor(t).post("/language", "lang", "en")
		got := a.header.Get("Set-Cookie")
		if !strings.HasPrefix(got, tt.prefix+"language=en; Path=/; ") || !strings.Contains(got, "; HttpOnly") ||
			!strings.Contains(got, "; SameSite=Lax") || strings.Contains(got, "; Secure") != tt.secure {
			t.Errorf("%s: %s", tt.public, got)
		}
	}
}

func TestAccess(t *testing.T) {
	k := newKit(t)
	var routes []Route
	for _, access := range []Access{Open, SignedIn, HeadOnly, AdministratorOnly, AuditorOrAdministrator, DemoOnly} {
		routes = append(routes,
			Route{Pattern: "GET /test/" + string(access), Access: access, Handle: k.say("let in")},
			Route{Pattern: "POST /test/" + string(access), Access: access, Handle: k.say("let in")})
	}
	k.mount(t, routes...)
	in := map[string][]Access{
		"":       {Open, DemoOnly},
		without:  {Open, DemoOnly, SignedIn},
		approves: {Open, DemoOnly, SignedIn},
		chief12:  {Open, DemoOnly, SignedIn, HeadOnly},
		director: {Open, DemoOnly, SignedIn, HeadOnly},
		admin1:   {Open, DemoOnly, SignedIn, AdministratorOnly, AuditorOrAdministrator},
		auditor:  {Open, DemoOnly, SignedIn, AuditorOrAdministrator},
	}
	for citizen, allowed := range in {
		b := k.visitor(t)
		if citizen != "" {
			b = k.as(t, citizen)
		}
		for _, access := range []Access{Open, SignedIn, HeadOnly, AdministratorOnly, AuditorOrAdministrator, DemoOnly} {
			target := "/test/" + string(access)
			for _, a := range []*answer{b.get(target), b.post(target)} {
				switch {
				case slices.Contains(allowed, access):
					a.wants(http.StatusOK, "let in")
				case citizen == "":
					a.wants(http.StatusSeeOther).lacks("let in")
					if !strings.HasPrefix(a.location, "/officer/login?next=%2F") {
						t.Errorf("led to %q", a.location)
					}
				default:
					a.wants(http.StatusForbidden, "เท่านั้น", "ติดต่อ").lacks("let in")
				}
			}
		}
	}
	if got := k.visitor(t).get("/test/signed-in?a=b").location; got != "/officer/login?next=%2Ftest%2Fsigned-in%3Fa%3Db" {
		t.Errorf("led to %q", got)
	}
}

func TestRouteWithoutAccessIsRefused(t *testing.T) {
	k := newKit(t)
	if _, err := k.server.assemble([]Route{{Pattern: "GET /x", Handle: k.say("")}}); err == nil {
		t.Error("a route that says nothing of access was added")
	}
}

func TestDemoPagesAreOfTheDemonstration(t *testing.T) {
	real := newKit(t, func(o *Options) { o.Demo = false })
	real.visitor(t).get("/demo/outbox").wants(http.StatusNotFound)
	k := newKit(t)
	must(k.outbox.Deliver(t.Context()))(t)
	k.visitor(t).get("/demo/outbox").wants(http.StatusOK, "ข้อความที่ระบบส่งออก", "p0201@diw.example.go.th", "ส่งแล้ว")
	k.visitor(t).in(locale.EN).get("/demo/outbox").wants(http.StatusOK, "Messages sent", "Sent")
}

// TestEveryRouteKeepsItsAccess walks the real routes with made-up ids: nobody gets further than the route says, and
// nothing that is typed into an address is a fault.
func TestEveryRouteKeepsItsAccess(t *testing.T) {
	k := newKit(t)
	visitor := k.visitor(t)
	people := map[string]*browser{without: k.as(t, without), chief12: k.as(t, chief12), auditor: k.as(t, auditor), admin1: k.as(t, admin1)}
	refused := map[Access][]string{
		HeadOnly:               {without, auditor, admin1},
		AdministratorOnly:      {without, chief12, auditor},
		AuditorOrAdministrator: {without, chief12},
	}
	slot := regexp.MustCompile(`\{[^}]*\}`)
	for _, route := range k.server.Routes() {
		method, pattern, _ := strings.Cut(route.Pattern, " ")
		target := slot.ReplaceAllString(strings.ReplaceAll(pattern, "{$}", ""), "nobody")
		do := func(b *browser) *answer {
			if method == http.MethodPost {
				return b.post(target)
			}
			return b.do(method, target, nil)
		}
		a := do(visitor)
		if route.Access == Open || route.Access == DemoOnly {
			if strings.HasPrefix(a.location, "/officer/login") && target != "/officer/logout" {
				t.Errorf("%s is open and asks to sign in", route.Pattern)
			}
			continue
		}
		if a.status != http.StatusSeeOther || !strings.HasPrefix(a.location, "/officer/login?") {
			t.Errorf("%s lets a visitor in: %d %s", route.Pattern, a.status, a.location)
		}
		for _, citizen := range refused[route.Access] {
			if a := do(people[citizen]); a.status != http.StatusForbidden {
				t.Errorf("%s answers %s with %d", route.Pattern, citizen, a.status)
			}
		}
		if method == http.MethodGet {
			do(people[admin1])
			do(people[chief12]) // a 500 fails the test
		}
	}
}

func TestStepUp(t *testing.T) {
	k := newKit(t)
	var seen url.Values
	k.mount(t, Route{Pattern: "POST /test/act", Access: SignedIn, StepUp: true, Handle: func(w http.ResponseWriter, r *http.Request, v *Visit) error {
		seen = r.PostForm
		return k.server.see(w, r, v, "/nowhere", nil)
	}})
	b := k.as(t, considers) // who needs no second factor, and is asked for the password
	typed := []string{"name", `สุดา "<b>"`, "many", "1", "many", "2", "save", "yes"}
	b.post("/test/act", typed...).wants(http.StatusSeeOther) // just signed in
	k.later(4 * time.Minute)
	b.post("/test/act", typed...).wants(http.StatusSeeOther) // slides
	k.later(4 * time.Minute)
	b.post("/test/act", typed...).wants(http.StatusSeeOther)
	want := seen
	k.later(5 * time.Minute)

	seen = nil
	a := b.post("/test/act?x=1", typed...).wants(http.StatusUnprocessableEntity, `action="/test/act?x=1"`, stepUpField, "ยืนยันรหัสผ่านอีกครั้ง")
	if seen != nil {
		t.Fatal("the act was done without a password")
	}
	hidden := hiddenOf(t, a.body)
	if !slices.Equal(hidden["many"], want["many"]) || hidden.Get("name") != want.Get("name") {
		t.Errorf("kept %v of %v", hidden, want)
	}
	again := func(b *browser, password string) *answer {
		form := url.Values{stepUpField: {password}}
		for name, list := range hidden {
			form[name] = list
		}
		return b.do(http.MethodPost, "/test/act", form)
	}
	again(b, "wrong").wants(http.StatusUnprocessableEntity, "error-summary", `name="many" value="2"`)
	again(b, "").wants(http.StatusUnprocessableEntity, "error-summary")
	hidden.Set(stepUpBack, "/test/page") // who has mistyped can still think better of it, and goes nowhere else
	again(b, "wrong").wants(http.StatusUnprocessableEntity, `href="/test/page"`)
	hidden.Set(stepUpBack, "https://evil.example/")
	again(b, "wrong").lacks(`href="https://evil.example/"`)
	if seen != nil {
		t.Fatal("the act was done with a wrong password")
	}
	token := b.cookies[k.server.cookieName(sessionCookie)]
	again(b, kitPassword).wants(http.StatusSeeOther)
	if seen.Encode() != want.Encode() {
		t.Errorf("the act saw %v, want %v", seen, want)
	}
	if b.cookies[k.server.cookieName(sessionCookie)] == token {
		t.Error("the session kept its token")
	}
	// Whoever has the token from before gains nothing by the password that was given.
	former := k.visitor(t)
	former.cookies[k.server.cookieName(sessionCookie)] = token
	seen = nil
	former.post("/test/act", typed...).wants(http.StatusUnprocessableEntity, stepUpField)
	if seen != nil {
		t.Fatal("the act was done with a token from before the step-up")
	}
	// Sent twice, as by a double click without scripts: the browser has thrown the first answer and its token away.
	twice := k.visitor(t)
	twice.cookies[k.server.cookieName(sessionCookie)] = token
	again(twice, kitPassword).wants(http.StatusSeeOther)
	twice.post("/test/act", typed...).wants(http.StatusSeeOther)
	b.cookies = twice.cookies

	k.later(31 * time.Second)
	thief := k.visitor(t)
	thief.cookies[k.server.cookieName(sessionCookie)] = token
	if got := thief.post("/test/act").location; !strings.HasPrefix(got, "/officer/login") {
		t.Errorf("the old token still opens the door: %q", got)
	}
	b.post("/test/act", typed...).wants(http.StatusSeeOther)

	k.later(6 * time.Minute)
	b.fragment("dialog").post("/test/act", typed...).wants(http.StatusUnprocessableEntity, "data-dialog-content", stepUpField).lacks("<html")
	done := again(b, kitPassword).wants(http.StatusNoContent)
	if done.header.Get("X-Location") != "/nowhere" {
		t.Errorf("the dialog leads to %q", done.header.Get("X-Location"))
	}
}

// hiddenOf reads the hidden fields of the form in the main part of a page.
func hiddenOf(t *testing.T, body string) url.Values {
	t.Helper()
	_, main, ok := strings.Cut(body, "<main")
	if !ok {
		t.Fatal("no main part")
	}
	fields := url.Values{}
	unescape := strings.NewReplacer("&#34;", `"`, "&lt;", "<", "&gt;", ">", "&amp;", "&", "&#39;", "'")
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(main, -1) {
		fields.Add(m[1], unescape.Replace(m[2]))
	}
	return fields
}

func TestFailures(t *testing.T) {
	k := newKit(t)
	k.faults = true
	var err error
	k.mount(t, Route{Pattern: "/test/fail", Access: Open, Handle: func(http.ResponseWriter, *http.Request, *Visit) error { return err }})
	var fields problem.Check
	fields.Fail("name", "problem.form")
	for _, tt := range []struct {
		err    error
		status int
		th, en string
		header map[string]string
	}{
		{problem.New(problem.Invalid, "problem.invalid"), 422, "ข้อมูลยังไม่ถูกต้อง", "Something needs correction", nil},
		{fields.Err(), 422, "อยู่ในรูปแบบที่ระบบอ่านไม่ได้", "the system cannot read", nil},
		{problem.New(problem.Denied, "problem.denied"), 403, "ท่านไม่มีสิทธิ์ดำเนินการนี้", "You do not have the right", nil},
		{problem.New(problem.Denied, "problem.only_head"), 403, "เลขที่คำสั่งแต่งตั้ง", "number of the appointment order", nil},
		{problem.New(problem.NotFound, "problem.notfound"), 404, "ไม่พบหน้าที่ต้องการ", "Page not found", nil},
		{problem.New(problem.Conflict, "problem.conflict"), 409, "มีผู้อื่นแก้ไขข้อมูลนี้ไปก่อนแล้ว", "Someone else changed this first", nil},
		{problem.New(problem.Locked, "problem.locked"), 423, "บัญชีถูกระงับการใช้งาน", "suspended", nil},
		{&problem.Problem{Kind: problem.Busy, Key: "problem.busy", RetryAfter: 1500 * time.Millisecond}, 503, "อีก 2 วินาที", "in 2 seconds", map[string]string{"Retry-After": "2"}},
		{&problem.Problem{Kind: problem.Busy, Key: "problem.too_many", TooMany: true}, 429, "ถี่เกิน", "more often", map[string]string{"Retry-After": "1"}},
		{fmt.Errorf("find officer: %w", problem.New(problem.NotFound, "problem.notfound")), 404, "ไม่พบ", "not found", nil},
		{problem.New(problem.Conflict, "no.such.key"), 409, "มีผู้อื่นแก้ไข", "Someone else", nil},
		{errors.New("secret of the database"), 500, "รหัสอ้างอิง", "Reference", nil},
		{fmt.Errorf("slow: %w", context.DeadlineExceeded), 503, "ยังให้บริการไม่ได้", "cannot serve", map[string]string{"Retry-After": "10"}},
		{errForm, 400, "อ่านข้อมูลที่ส่งมาไม่ได้", "could not be read", nil},
	} {
		err = tt.err
		for lang, want := range map[locale.Lang]string{locale.TH: tt.th, locale.EN: tt.en} {
			a := k.visitor(t).in(lang).get("/test/fail").wants(tt.status, want, "<html").lacks("secret", "no.such.key", "⟦")
			for name, value := range tt.header {
				if a.header.Get(name) != value {
					t.Errorf("%v: %s is %q", tt.err, name, a.header.Get(name))
				}
			}
			k.visitor(t).in(lang).fragment("dialog").get("/test/fail").wants(tt.status, "data-dialog-content").lacks("<html")
		}
	}
	if !strings.Contains(k.log.String(), "secret of the database") {
		t.Error("the log does not say what failed")
	}
}

func TestFaultHasAReference(t *testing.T) {
	k := newKit(t)
	k.faults = true
	k.mount(t,
		Route{Pattern: "GET /test/panic", Access: Open, Handle: func(http.ResponseWriter, *http.Request, *Visit) error { panic("oh") }},
		Route{Pattern: "GET /test/draw", Access: Open, Handle: func(w http.ResponseWriter, r *http.Request, v *Visit) error {
			broken := templ.ComponentFunc(func(context.Context, io.Writer) error { return errors.New("broken part") })
			return k.server.show(w, r, v, http.StatusOK, v.Page("web.home"), broken)
		}})
	for _, target := range []string{"/test/panic", "/test/draw"} {
		a := k.visitor(t).get(target).wants(http.StatusInternalServerError, "รหัสอ้างอิง").lacks("broken part")
		reference := regexp.MustCompile(`<dd>([A-Z2-7]{16})`).FindStringSubmatch(a.body)
		if reference == nil {
			t.Fatalf("no reference: %s", a.text())
		}
		if !strings.Contains(k.log.String(), "request="+reference[1]) {
			t.Errorf("the log does not know %s", reference[1])
		}
	}
}

func TestUnrouted(t *testing.T) {
	k := newKit(t)
	b := k.as(t, chief12)
	b.get("/nowhere").wants(http.StatusNotFound, "ไม่พบหน้าที่ต้องการ", "วิชัย นนทบุรี")
	a := b.get("/language").wants(http.StatusMethodNotAllowed, "เปิดหน้านี้โดยตรงไม่ได้")
	if got := a.header.Get("Allow"); got != "POST" {
		t.Errorf("Allow: %q", got)
	}
	if a := b.do(http.MethodDelete, "/demo/outbox", nil).wants(http.StatusMethodNotAllowed); a.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("Allow: %q", a.header.Get("Allow"))
	}
	head := b.do(http.MethodHead, "/demo/outbox", nil).wants(http.StatusOK)
	if head.body != "" || head.header.Get("Content-Length") == "" {
		t.Errorf("HEAD: %q %v", head.body, head.header)
	}
}

func TestForms(t *testing.T) {
	k := newKit(t)
	k.mount(t, Route{Pattern: "/test/form", Access: Open, Handle: k.say("taken")})
	b := k.visitor(t)
	send := func(kind, body string) *answer {
		t.Helper()
		r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, k.url+"/test/form", strings.NewReader(body)))(t)
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		return b.send(r)
	}
	const form = "application/x-www-form-urlencoded"
	send(form, "a=%E0%B8%81").wants(http.StatusOK, "taken")
	send(form+"; charset=UTF-8", "a=b").wants(http.StatusOK)
	send("", "").wants(http.StatusOK)
	send(form, "a="+strings.Repeat("x", 64<<10)).wants(http.StatusRequestEntityTooLarge, "ขนาดใหญ่เกินไป")
	send(form, "a=%00").wants(http.StatusBadRequest)
	send(form, "a=%ff").wants(http.StatusBadRequest)
	send(form, "%ff=a").wants(http.StatusBadRequest)
	send(form, "a=%zz").wants(http.StatusBadRequest)
	send("text/plain", "a=b").wants(http.StatusUnsupportedMediaType)
	send("application/json", "{}").wants(http.StatusUnsupportedMediaType)
	b.get("/test/form?a=%00").wants(http.StatusBadRequest)
	b.get("/test/form?a=%zz").wants(http.StatusBadRequest)
}

func TestOtherSitesCanNotAct(t *testing.T) {
	k := newKit(t)
	done := false
	k.mount(t, Route{Pattern: "POST /test/act", Access: Open, Handle: func(w http.ResponseWriter, r *http.Request, v *Visit) error {
		done = true
		return k.server.see(w, r, v, "/", nil)
	}})
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		b := k.as(t, chief12)
		b.header.Set(name, value)
		b.post("/test/act").wants(http.StatusForbidden, "เว็บไซต์อื่น")
	}
	if done {
		t.Fatal("another site acted")
	}
	b := k.as(t, chief12)
	b.header.Set("Origin", "http://localhost")
	b.header.Set("Sec-Fetch-Site", "same-origin")
	b.post("/test/act").wants(http.StatusSeeOther)
}

func TestNotice(t *testing.T) {
	k := newKit(t)
	k.mount(t, Route{Pattern: "POST /test/act", Access: Open, Handle: func(w http.ResponseWriter, r *http.Request, v *Visit) error {
		n := v.Notice(views.NoticeOK, "problem.wait", "n", 7)
		n.Label, n.Href = "ให้อีกครั้ง", "/again"
		return k.server.see(w, r, v, "/test/page#here", n)
	}}, Route{Pattern: "GET /test/page", Access: Open, Handle: k.say("page")})
	b := k.visitor(t)
	a := b.post("/test/act")
	name := k.server.cookieName(noticeCookie)
	if a.location != "/test/page#here" || strings.Contains(b.cookies[name], "7") && strings.Contains(b.cookies[name], "wait") {
		t.Errorf("leads to %q with %q", a.location, b.cookies[name])
	}
	b.fragment("grid").get("/test/page").lacks("อีก 7 วินาที") // a part of a page must not use it up
	b.fragment("dialog").get("/test/page").lacks("อีก 7 วินาที")
	b.fragment("").get("/test/page").wants(http.StatusOK, "อีก 7 วินาที", "notice-ok", `href="/again"`)
	b.get("/test/page").lacks("notice-ok")

	// Whoever else holds the cookie can not read it: another person, one who has signed out, another browser.
	boss, other := k.as(t, chief12), k.as(t, chief13)
	boss.post("/test/act")
	for _, thief := range []*browser{other, k.visitor(t), b} {
		thief.cookies[name] = boss.cookies[name]
		thief.get("/test/page").wants(http.StatusOK).lacks("notice-ok")
	}
	boss.get("/test/page").wants(http.StatusOK, "notice-ok")
	b.post("/test/act")
	stranger := k.visitor(t)
	stranger.cookies[name] = b.cookies[name]
	stranger.get("/test/page").wants(http.StatusOK).lacks("notice-ok")
	boss.cookies[name] = b.cookies[name]
	boss.get("/test/page").wants(http.StatusOK).lacks("notice-ok")

	b.post("/test/act")
	kept := b.cookies[name]
	k.later(2 * time.Minute)
	b.get("/test/page").lacks("notice-ok")
	for _, forged := range []string{"", "x", kept[:len(kept)-2] + "AA", base64.RawURLEncoding.EncodeToString([]byte(`{"Text":"hacked"}`))} {
		b.cookies[name] = forged
		b.get("/test/page").wants(http.StatusOK).lacks("notice-ok")
	}
}

func TestSessionOver(t *testing.T) {
	k := newKit(t)
	k.mount(t, Route{Pattern: "GET /test/page", Access: SignedIn, Handle: k.say("page")}, Route{Pattern: "GET /officer/login", Access: Open, Handle: k.say("login")})
	b := k.as(t, chief12)
	b.get("/test/page").wants(http.StatusOK, "วิชัย นนทบุรี")
	k.later(31 * time.Minute)
	a := b.get("/test/page").wants(http.StatusSeeOther)
	if _, kept := b.cookies[k.server.cookieName(sessionCookie)]; kept {
		t.Error("the browser keeps a dead session")
	}
	a.follow().wants(http.StatusOK, "การใช้งานของท่านสิ้นสุดลงแล้ว")
	k.visitor(t).get("/test/page").follow().lacks("การใช้งานของท่านสิ้นสุดลงแล้ว")
	b.cookies[k.server.cookieName(sessionCookie)] = "made up"
	b.get("/officer/login").wants(http.StatusOK)
}

func TestProxies(t *testing.T) {
	var seen Visit
	var host string
	for _, tt := range []struct {
		name    string
		proxies []string
		forward []string
		want    string
	}{
		{"nobody is believed", nil, []string{"198.51.100.7"}, "127.0.0.1"},
		{"another proxy", []string{"10.0.0.0/8"}, []string{"198.51.100.7"}, "127.0.0.1"},
		{"the proxy", []string{"127.0.0.0/8"}, []string{"198.51.100.7"}, "198.51.100.7"},
		{"what the client made up", []string{"127.0.0.0/8"}, []string{"203.0.113.1, 198.51.100.7"}, "198.51.100.7"},
		{"two headers", []string{"127.0.0.0/8"}, []string{"203.0.113.1", "198.51.100.7"}, "198.51.100.7"},
		{"two proxies", []string{"127.0.0.0/8", "10.0.0.0/8"}, []string{"203.0.113.1, 198.51.100.7, 10.1.2.3"}, "198.51.100.7"},
		{"IPv6", []string{"127.0.0.0/8"}, []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv6 in brackets", []string{"127.0.0.0/8"}, []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"with ports", []string{"127.0.0.0/8", "10.0.0.0/8"}, []string{"203.0.113.1:1, 198.51.100.7:5, 10.1.2.3:443"}, "198.51.100.7"},
		{"IPv6 with a port", []string{"127.0.0.0/8", "fd00::/8"}, []string{"[2001:db8::1]:9, [fd00::1]:443"}, "2001:db8::1"},
		{"a port that is none", []string{"127.0.0.0/8"}, []string{"198.51.100.7:http"}, "127.0.0.1"},
		{"rubbish", []string{"127.0.0.0/8"}, []string{"somewhere"}, "127.0.0.1"},
		{"nothing", []string{"127.0.0.0/8"}, nil, "127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newKit(t, func(o *Options) {
				for _, p := range tt.proxies {
					o.Proxies = append(o.Proxies, netip.MustParsePrefix(p))
				}
			})
			k.mount(t, Route{Pattern: "GET /test/who", Access: Open, Handle: func(w http.ResponseWriter, r *http.Request, v *Visit) error {
				seen, host = *v, r.Host
				for name := range r.Header {
					if strings.HasPrefix(name, "X-Forwarded") || name == "Forwarded" {
						t.Errorf("%s came through", name)
					}
				}
				return k.say("")(w, r, v)
			}})
			b := k.visitor(t)
			b.header["X-Forwarded-For"] = tt.forward
			b.header.Set("X-Forwarded-Proto", "https")
			b.header.Set("X-Forwarded-Host", "sitthi.example.go.th")
			b.header.Set("Forwarded", "for=203.0.113.9")
			a := b.get("/test/who").wants(http.StatusOK)
			if seen.Address.String() != tt.want {
				t.Errorf("came from %s, want %s", seen.Address, tt.want)
			}
			trusted := slices.Contains(tt.proxies, "127.0.0.0/8")
			if (host == "sitthi.example.go.th") != trusted || (a.header.Get("Strict-Transport-Security") != "") != trusted {
				t.Errorf("host %q, HSTS %q", host, a.header.Get("Strict-Transport-Security"))
			}
		})
	}
}

func TestProbes(t *testing.T) {
	why := errors.New("not yet")
	k := newKit(t, func(o *Options) { o.Ready = func(context.Context) error { return why } })
	k.visitor(t).get("/healthz").wants(http.StatusOK, "ok")
	k.visitor(t).get("/readyz").wants(http.StatusServiceUnavailable, "not ready").lacks("not yet")
	why = nil
	k.visitor(t).get("/readyz").wants(http.StatusOK, "ready")
	if strings.Contains(k.log.String(), healthPath) {
		t.Error("probes fill the log")
	}
}

// A database that hangs holds up neither a probe nor what no route answers.
func TestAllIsLimitedInTime(t *testing.T) {
	k := newKit(t, func(o *Options) {
		o.Timeout = time.Nanosecond
		o.Ready = func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-t.Context().Done():
				return nil
			}
		}
	})
	k.faults = true
	b := k.as(t, chief12)
	for _, path := range []string{"/readyz", "/nowhere", "/ko1"} {
		b.get(path).wants(http.StatusServiceUnavailable)
	}
}

func TestQueriesAreNotLogged(t *testing.T) {
	k := newKit(t)
	k.visitor(t).get("/nowhere/somchai?q=" + url.QueryEscape("สมชาย") + "&id=" + chief12)
	if log := k.log.String(); strings.Contains(log, "q=") || strings.Contains(log, chief12) || strings.Contains(log, "somchai") {
		t.Errorf("the log holds what was typed:\n%s", log)
	}
}

// TestEveryProblemHasWords reads the program for the keys of problems: each must be in the catalogue, or a person
// would be told nothing.
func TestEveryProblemHasWords(t *testing.T) {
	catalog := must(Texts())(t)
	keys := map[string]token.Position{}
	root := os.DirFS("..")
	check(t, fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{".git", "node_modules", "testdata", "bench", "var"}, d.Name()) {
			return fs.SkipDir
		}
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_templ.go") {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if key := problemKey(n); key != nil {
				if text, err := strconv.Unquote(key.Value); err == nil {
					keys[text] = files.Position(key.Pos())
				}
			}
			return true
		})
		return nil
	}))
	if len(keys) < 40 {
		t.Errorf("only %d keys were found", len(keys))
	}
	for key, at := range keys {
		if !catalog.Has(key) {
			t.Errorf("%s: %q has no words", at, key)
		}
	}
}

// problemKey answers the literal key in problem.New(kind, key), check.Fail(field, key) and Problem{Key: key}.
func problemKey(n ast.Node) *ast.BasicLit {
	var at ast.Expr
	switch n := n.(type) {
	case *ast.CallExpr:
		selector, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || len(n.Args) < 2 {
			return nil
		}
		of, ok := selector.X.(*ast.Ident)
		if ok && of.Name == "problem" && selector.Sel.Name == "New" || selector.Sel.Name == "Fail" {
			at = n.Args[1]
		}
	case *ast.KeyValueExpr:
		if name, ok := n.Key.(*ast.Ident); ok && name.Name == "Key" {
			at = n.Value
		}
	}
	literal, ok := at.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING || !strings.Contains(literal.Value, ".") {
		return nil
	}
	return literal
}

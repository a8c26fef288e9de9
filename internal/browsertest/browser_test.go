package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
)

const form = `<!doctype html><html lang="th"><head><title>ลงทะเบียน</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/style.css"><script src="/page.js" defer></script></head>
<body><main><h1>สมัครใช้งาน</h1>
<noscript><p>ไม่มีสคริปต์</p></noscript>
<p id="script"></p>
<form method="post" action="/save">
<p><label for="id">เลขประจำตัวประชาชน <span aria-hidden="true">*</span></label> <input id="id" name="id" value="old"></p>
<p><label for="day">วันที่เริ่ม</label> <input id="day" name="day" type="date"></p>
<p><label for="unit">จังหวัด</label> <select id="unit" name="unit"><option>นนทบุรี</option><option>ปทุมธานี</option></select></p>
<p><label><input type="checkbox" name="terms"> ยอมรับ ข้อกำหนดและเงื่อนไข.</label></p>
<p><label><input type="radio" name="kind" value="regular" checked> ปกติ</label> <label><input type="radio" name="kind" value="acting"> รักษาราชการแทน</label></p>
<button>ยืนยันการสมัครใช้งานระบบ</button>
</form>
<table><caption>สิทธิ์</caption><thead><tr><th scope="col">ชื่อ</th><th scope="col">ลบ</th></tr></thead><tbody>
<tr><td>สมชาย</td><td><a href="/gone?who=somchai">ลบ</a></td></tr>
<tr><td>สมหญิง</td><td><a href="/gone?who=somying">ลบ</a></td></tr>
</tbody></table>
<details><summary>เพิ่มเติม</summary><p>ข้อความซ่อน</p></details>
<p id="out"></p>
</main></body></html>`

const bad = `<!doctype html><html><head><title>x</title></head><body><img src="/absent.png">
<script>console.log("inline")</script><p style="color:#bbb;background:#ccc">pale</p>
<div id="wide"></div><input><button disabled>dead</button></body></html>`

func serve(t *testing.T) string {
	mux := http.NewServeMux()
	page := func(pattern, body string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'")
			fmt.Fprint(w, strings.ReplaceAll(body, "LANG", r.Header.Get("Accept-Language")))
		})
	}
	page("GET /{$}", form)
	page("GET /bad", bad)
	page("GET /lang", "<!doctype html><title>l</title><p>LANG")
	page("GET /throws", `<!doctype html><title>t</title><script src="/throws.js"></script>`)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		fmt.Fprint(w, "#wide { width: 3000px; height: 1px } a { display: inline-block; min-height: 24px; min-width: 24px }")
	})
	mux.HandleFunc("GET /page.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, `document.getElementById("script").textContent = "มีสคริปต์ " + innerWidth + " " + matchMedia("(prefers-color-scheme: dark)").matches;
			document.getElementById("id").addEventListener("input", e => setTimeout(() => document.getElementById("out").textContent = "พิมพ์ " + e.target.value, 100));`)
	})
	mux.HandleFunc("GET /throws.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, `console.error("printed"); alert("asked"); throw new Error("thrown")`)
	})
	mux.HandleFunc("POST /save", func(w http.ResponseWriter, r *http.Request) {
		// A form with a fault comes back as 422; this is no fault of the page.
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprintf(w, `<!doctype html><html lang="th"><title>saved</title><main><h1>บันทึกแล้ว</h1><p>%s|%s|%s|%s|%s</p></main></html>`,
			r.FormValue("id"), r.FormValue("day"), r.FormValue("unit"), r.FormValue("terms"), r.FormValue("kind"))
	})
	mux.HandleFunc("GET /gone", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="th"><title>gone</title><main><h1>ลบ %s</h1></main></html>`, r.FormValue("who"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestReaders(t *testing.T) {
	for name, opts := range map[string]Options{
		"desk":             {},
		"desk, no scripts": {NoJS: true},
		"phone":            {Phone: true},
		"phone, no script": {Phone: true, NoJS: true},
		"dark, English":    {Dark: true, Lang: "en"},
	} {
		t.Run(name, func(t *testing.T) {
			b := Open(t, serve(t), opts)
			b.Go("/")
			b.See("สมัครใช้งาน")
			b.NotSee("ข้อความซ่อน")
			switch {
			case opts.NoJS:
				b.See("ไม่มีสคริปต์")
			case opts.Phone:
				b.See("มีสคริปต์ 390 false")
			default:
				b.See(fmt.Sprintf("มีสคริปต์ 1366 %v", opts.Dark))
			}
			b.Axe()
			b.NoHorizontalScroll()

			b.Fill("เลขประจำตัวประชาชน", "1990000000019")
			if !opts.NoJS {
				b.See("พิมพ์ 1990000000019")
			}
			b.Fill("วันที่เริ่ม", "2026-12-01")
			b.Select("จังหวัด", "ปทุมธานี")
			b.Check("ยอมรับ ข้อกำหนดและเงื่อนไข.")
			b.Uncheck("ยอมรับ ข้อกำหนดและเงื่อนไข.")
			b.Check("ยอมรับ")
			b.Check("รักษาราชการแทน")
			for label, want := range map[string]string{
				"เลขประจำตัวประชาชน": "1990000000019", "จังหวัด": "ปทุมธานี", "ยอมรับ": "true", "ปกติ": "false",
			} {
				if got := b.Value(label); got != want {
					t.Errorf("Value(%q) = %q, want %q", label, got, want)
				}
			}
			b.Press("ยืนยันการสมัครใช้งานระบบ")
			b.See("1990000000019|2026-12-01|ปทุมธานี|on|acting")
			if got := b.Path(); got != "/save" {
				t.Errorf("Path() = %q", got)
			}
			b.Go("/")
			b.In("สมหญิง").Click("ลบ")
			if got := b.Text("h1"); got != "ลบ somying" {
				t.Errorf("Text(h1) = %q", got)
			}
			b.Back()
			b.Reload()
			b.In("#id").Eval("scope.id", nil)
			b.Click("เพิ่มเติม")
			b.See("ข้อความซ่อน")
			b.Fill("เลขประจำตัวประชาชน", "")
			b.Fill("เลขประจำตัวประชาชน", "2")
			b.Key(kb.Enter)
			b.See("2||นนทบุรี")
			b.Go("/lang")
			b.See(map[string]string{"": "th", "en": "en"}[opts.Lang])
		})
	}
}

func TestScreenshot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shots")
	t.Setenv("SITTHI_SCREENSHOTS", dir)
	b := Open(t, serve(t), Options{})
	b.Go("/")
	b.Screenshot("register")
	if png, err := os.ReadFile(filepath.Join(dir, "register.png")); err != nil || !strings.HasPrefix(string(png), "\x89PNG") {
		t.Errorf("no picture: %v", err)
	}
}

// witness is a test whose failure is wanted.
type witness struct {
	testing.TB
	said    strings.Builder
	cleanup []func()
}

func (w *witness) Helper()          {}
func (w *witness) Cleanup(f func()) { w.cleanup = append(w.cleanup, f) }
func (w *witness) Error(a ...any)   { fmt.Fprintln(&w.said, a...) }
func (w *witness) Fatal(a ...any)   { w.Error(a...); runtime.Goexit() }
func (w *witness) Fatalf(f string, a ...any) {
	w.Fatal(fmt.Sprintf(f, a...))
}

// complaint returns what a test says that does these things.
func complaint(t *testing.T, do func(testing.TB)) string {
	w := &witness{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, f := range w.cleanup {
				f()
			}
		}()
		do(w)
	}()
	<-done
	return w.said.String()
}

func TestFailuresAreTold(t *testing.T) {
	url := serve(t)
	at := func(path string, do func(b *Browser)) func(testing.TB) {
		return func(t testing.TB) {
			b := Open(t, url, Options{})
			b.waits = 200 * time.Millisecond
			b.Go(path)
			do(b)
		}
	}
	for _, c := range []struct {
		name string
		do   func(testing.TB)
		want []string
	}{
		{"absent text", at("/", func(b *Browser) { b.See("ไม่มีคำนี้") }), []string{`See("ไม่มีคำนี้")`, "address: " + url, "สมัครใช้งาน"}},
		{"present text", at("/", func(b *Browser) { b.NotSee("สมัครใช้งาน") }), []string{"still on the page"}},
		{"two things fit", at("/", func(b *Browser) { b.Click("ลบ") }), []string{"2 things fit"}},
		{"no such option", at("/", func(b *Browser) { b.Select("จังหวัด", "ระยอง") }), []string{"0 options fit", "นนทบุรี | ปทุมธานี"}},
		{"no such part", at("/", func(b *Browser) { b.In("#nowhere").See("x") }), []string{"no such part"}},
		{"disabled", at("/bad", func(b *Browser) { b.Press("dead") }), []string{"it is disabled"}},
		{"axe", at("/bad", func(b *Browser) { b.Axe() }), []string{"image-alt (critical)", "html-has-lang", "label", "<img src="}},
		{"policy", at("/bad", func(b *Browser) {}), []string{"Content-Security-Policy violated: script-src-elem blocks inline code", "Image answered 404"}},
		{"scripts", at("/throws", func(b *Browser) {}), []string{`console error: "printed"`, "native dialog: asked", "uncaught exception: Uncaught Error: thrown"}},
		{"too wide", at("/", func(b *Browser) {
			b.Eval(`scope.append(Object.assign(document.createElement("div"), {id: "wide"}))`, nil)
			b.NoHorizontalScroll()
		}), []string{"page is 30", `<div id="wide">`}},
		{"covered", at("/", func(b *Browser) {
			b.Eval(`Object.assign(scope.appendChild(document.createElement("div")).style, {position: "fixed", inset: "0"})`, nil)
			b.Press("ยืนยันการสมัคร")
		}), []string{"it is covered by <div"}},
		{"behind a dialog", at("/", func(b *Browser) {
			b.Eval(`scope.appendChild(document.createElement("dialog")).showModal()`, nil)
			b.Press("ยืนยันการสมัคร")
		}), []string{"0 things fit"}},
		{"nowhere to go back to", at("/", func(b *Browser) { b.Back(); b.Back() }), []string{"this is the first page"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			said := complaint(t, c.do)
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("does not say %q, but:\n%s", want, said)
				}
			}
		})
	}
}

func TestNothingWrongSaysNothing(t *testing.T) {
	url := serve(t)
	if said := complaint(t, func(t testing.TB) { Open(t, url, Options{}).Go("/") }); said != "" {
		t.Error(said)
	}
}

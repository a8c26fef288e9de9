package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"sitthi/internal/browsertest"
	"sitthi/internal/locale"
	"sitthi/web/views"
)

// TestStepUpInABrowser does an act that asks for the password again, as a page and as a dialog, and looks at the
// pages that the door itself answers with.
func TestStepUpInABrowser(t *testing.T) {
	for _, tt := range []struct {
		lang locale.Lang
		opts browsertest.Options
	}{
		{locale.TH, browsertest.Options{}},
		{locale.EN, browsertest.Options{NoJS: true}},
		{locale.TH, browsertest.Options{Phone: true, Dark: true}},
		{locale.EN, browsertest.Options{Phone: true}},
	} {
		name := fmt.Sprintf("%s-phone=%v-nojs=%v", tt.lang, tt.opts.Phone, tt.opts.NoJS)
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			k.faults = true
			saved := 0
			k.mount(t, append(k.server.Routes(),
				Route{Pattern: "GET /test/list", Access: SignedIn, Handle: k.say(`<a href="/test/form" data-dialog>Add</a>`)},
				Route{Pattern: "GET /test/form", Access: SignedIn, Handle: func(w http.ResponseWriter, r *http.Request, v *Visit) error {
					p := v.Page("web.home")
					return k.server.show(w, r, v, http.StatusOK, p, testForm(p))
				}},
				Route{Pattern: "POST /test/form", Access: SignedIn, StepUp: true, Handle: func(w http.ResponseWriter, r *http.Request, v *Visit) error {
					saved++
					return k.server.see(w, r, v, "/test/list#main", v.Notice(views.NoticeOK, "problem.wait", "n", len([]rune(r.PostForm.Get("reason")))))
				}},
				Route{Pattern: "GET /test/fault", Access: Open, Handle: func(http.ResponseWriter, *http.Request, *Visit) error { return io.ErrUnexpectedEOF }},
			)...)
			b := browsertest.Open(t, k.url, tt.opts)
			texts := must(Texts())(t)
			say := func(key string, args locale.Args) string { return texts.Text(tt.lang, key, args) }

			b.Go("/nowhere")
			if tt.lang == locale.EN {
				b.In(".site-head").Press(map[bool]string{false: "English", true: "EN"}[tt.opts.Phone])
			}
			look := func(what string) {
				t.Helper()
				b.NoHorizontalScroll()
				b.Axe()
				b.Screenshot("door-" + what + "-" + name)
			}
			b.See(say("problem.notfound_title", nil))
			look("notfound")
			b.Go("/demo/outbox")
			b.See(say("web.outbox", nil), "p0201@diw.example.go.th")
			look("outbox")
			b.Go("/officer/login")
			b.Fill(say("officer.citizen_id", nil), considers) // who needs no second factor, and is asked for the password
			b.Fill(say("officer.password", nil), kitPassword)
			b.In("#main").Press(say("officer.sign_in", nil))
			b.In(".site-head").See("สุดา")

			k.later(6 * time.Minute)
			b.Go("/test/list")
			b.Click("Add")
			in := b // without scripts each step is a page
			if !tt.opts.NoJS {
				in = b.In("#dialog")
			}
			in.Fill("reason", "ย้ายไปปฏิบัติราชการที่อื่น")
			in.Press("Save")
			in.See(say("web.stepup", nil))
			look("stepup")
			in.Fill(say("web.stepup_password", nil), "wrong")
			in.Press(say("web.stepup_go", nil))
			in.See(say("signin.problem.wrong_password", nil))
			look("stepup-wrong")
			if saved != 0 {
				t.Fatal("saved without a password")
			}
			in.Fill(say("web.stepup_password", nil), kitPassword)
			in.Press(say("web.stepup_go", nil))
			b.See(say("problem.wait", locale.Args{"n": len([]rune("ย้ายไปปฏิบัติราชการที่อื่น"))}))
			if saved != 1 || !strings.HasPrefix(b.Path(), "/test/list") {
				t.Errorf("saved %d times, at %s", saved, b.Path())
			}
			if tt.opts.NoJS || tt.opts.Phone {
				return
			}
			k.later(6 * time.Minute)
			b.Go("/test/form")
			b.Fill("reason", "ลาออก")
			b.Press("Save")
			b.Fill(say("web.stepup_password", nil), kitPassword)
			b.Press(say("web.stepup_go", nil))
			b.See(say("problem.wait", locale.Args{"n": len([]rune("ลาออก"))}))
			b.Back() // to the form, and not to the question, which the browser can not get again
			b.See("Save")
			if saved != 2 || b.Path() != "/test/form" {
				t.Errorf("saved %d times, back at %s", saved, b.Path())
			}
		})
	}
}

// testForm is a form as pages have it.
func testForm(p views.Page) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if _, err := io.WriteString(w, `<form method="post" action="/test/form">`); err != nil {
			return err
		}
		if err := views.Textarea(p, views.TextareaParams{Name: "reason", Label: "reason"}).Render(ctx, w); err != nil {
			return err
		}
		if err := views.Button(views.ButtonParams{Label: "Save", Name: "n", Value: strconv.Itoa(1)}).Render(ctx, w); err != nil {
			return err
		}
		_, err := io.WriteString(w, `</form>`)
		return err
	})
}

package web

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"sitthi/grant"
	"sitthi/internal/browsertest"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/notify"
	"sitthi/officer"
)

// broken takes no message.
type broken struct{ why error }

func (b broken) Send(context.Context, notify.Parcel) error { return b.why }

// fails has the messages of a channel fail from now on, and nil has them arrive.
func (k *kit) fails(c notify.Channel, why error) {
	k.outbox.Senders[c] = notify.Nowhere{}
	if why != nil {
		k.outbox.Senders[c] = broken{why}
	}
}

// TestEveryTemplateIsShown: each kind of message is listed for administrators, and its page shows the very words that go
// out, in both languages and for every channel.
func TestEveryTemplateIsShown(t *testing.T) {
	k := newKit(t)
	b := k.as(t, admin1)
	list := b.get("/ko1/messages/templates").wants(http.StatusOK, "ความปลอดภัยของบัญชี")
	for _, tmpl := range notify.Templates {
		path := "/ko1/messages/templates/" + tmpl.Purpose
		list.wants(http.StatusOK, `href="`+path+`"`)
		page := b.get(path)
		for _, c := range notify.ChannelsOf(tmpl.Purpose) {
			for _, lang := range locale.Langs {
				subject, text, err := notify.Example(tmpl.Purpose, c, lang)
				if err != nil {
					t.Fatal(err)
				}
				page.wants(http.StatusOK, fmt.Sprintf(`lang="%s"`, lang), html.EscapeString(subject))
				for line := range strings.Lines(strings.TrimSpace(text)) {
					page.wants(http.StatusOK, html.EscapeString(strings.TrimSpace(line)))
				}
			}
		}
	}
	b.in(locale.EN).get("/ko1/messages/templates/signin.reset").wants(http.StatusOK, "Sent to every contact of the reader", "เรียน ผู้ใช้งาน", "Dear user")
	b.get("/ko1/messages/templates/none").wants(http.StatusNotFound)
}

// TestMessages: what did not arrive is seen by administrators, without its words and with a masked address, and sent again
// once, on record; a code is not.
func TestMessages(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		k.faults = true // what is given up is an error in the log
		must(k.outbox.Deliver(t.Context()))(t)
		b := k.as(t, admin1)
		b.get("/admin").wants(http.StatusOK, `href="/ko1/messages"`)
		k.fails(notify.Email, fmt.Errorf("server answered 550 about <p0228@diw.example.go.th>: %w", notify.ErrRefused))
		k.fails(notify.SMS, errors.New("down"))
		order := grant.Order{Level: grant.Consider, Unit: "TH-12", Person: k.who[without], OrderNumber: "9/2569"}
		k.give(t, chief12, order)
		k.write(t, func(tx *store.Tx) error {
			return k.outbox.Queue(t.Context(), tx, notify.Message{
				Channel: notify.SMS, To: "+66812345678", Purpose: "reset.code", Lang: locale.TH, ExpiresAt: tx.Now.Add(5 * time.Second),
				Args: locale.Args{"code": "314159", "reference": "KTXB", "minutes": 5},
			})
		})
		must(k.outbox.Deliver(t.Context()))(t)
		b.get("/admin/overview").wants(http.StatusOK, "ข้อความส่งไม่สำเร็จใน 30 วัน", "/ko1/messages?state=dead")
		k.as(t, auditor).get("/admin/overview").wants(http.StatusOK).lacks("/ko1/messages")

		page := b.get("/ko1/messages?state=dead").wants(http.StatusOK, "ส่งไม่สำเร็จ", "p•••@diw.example.go.th", "08X-XXX-5678", "สาเหตุ", "server answered 550", "รหัสหรือลิงก์ในข้อความนี้ใช้ไม่ได้แล้ว").
			lacks("p0228@", "+66812345678", "314159", "สุดา")
		if n := strings.Count(page.body, "/again\""); n != 1 {
			t.Fatalf("%d messages can be sent again", n)
		}
		path := page.body[strings.Index(page.body, `action="/ko1/messages/`)+len(`action="`):]
		path, _, _ = strings.Cut(path, `"`)
		b.get("/ko1/messages?state=dead&channel=sms&purpose=reset.code&day=23/11/2569").wants(http.StatusOK, "08X-XXX-5678").lacks("p•••@")
		b.get("/ko1/messages?day=1/1/2560").wants(http.StatusOK, "ไม่พบข้อความ")
		b.get("/ko1/messages?day=31/2/2570").wants(http.StatusUnprocessableEntity)

		k.later(6 * time.Minute)
		b.post(path, "back", "/ko1/messages?state=dead").wants(http.StatusUnprocessableEntity, stepUpCode)
		b.post(path, "back", "/ko1/messages?state=dead", stepUpCode, k.appCode(t, admin1)).leads("/ko1/messages?state=dead", "p•••@diw.example.go.th ใหม่แล้ว")
		b.post(path).wants(http.StatusConflict, "กำลังส่งอยู่")
		k.fails(notify.Email, nil)
		must(k.outbox.Deliver(t.Context()))(t)
		b.post(path).wants(http.StatusConflict, "ส่งถึงปลายทางแล้ว")
		k.as(t, auditor).get("/admin/log?act=message.send_again").wants(http.StatusOK, "ส่งข้อความใหม่", "ท่านได้รับสิทธิ์", "อีเมล").lacks("p0228@")
	})
}

// TestNotices: who chose SMS is told of a right by SMS alone, and of a new password by every contact.
func TestNotices(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		b := k.as(t, without)
		b.get(profilePath).wants(http.StatusOK, "ความปลอดภัยของบัญชี", "ไปทุกช่องทางของท่านเสมอ")
		ticked := regexp.MustCompile(`name="notices" value="(\w+)" checked`)
		if saved := ticked.FindAllString(b.get(profilePath).body, -1); len(saved) != 1 {
			t.Errorf("the choice kept: %q", saved)
		}
		none := b.post("/officer/profile/notices").wants(http.StatusUnprocessableEntity, "กรุณาเลือกอย่างน้อยหนึ่งช่องทาง", `id="field-notices-error"`)
		if again := ticked.FindString(none.body); again != "" {
			t.Errorf("nothing was chosen, and the form comes back with %s", again)
		}
		b.post("/officer/profile/notices", "notices", "line").wants(http.StatusUnprocessableEntity, "ยังไม่ได้ยืนยัน")
		b.post("/officer/profile/notices", "notices", "sms").leads(profilePath+"#notices", "บันทึกช่องทางรับข้อความแล้ว")
		told := func(purpose string) (ways []string) {
			for _, m := range must(k.outbox.List(t.Context(), 100))(t) {
				if m.Purpose == purpose && m.Person == string(k.who[without]) {
					ways = append(ways, string(m.Channel))
				}
			}
			return ways
		}
		order := grant.Order{Level: grant.Consider, Unit: "TH-12", Person: k.who[without], OrderNumber: "9/2569"}
		k.give(t, chief12, order)
		if ways := told("grant.given"); len(ways) != 1 || ways[0] != "sms" {
			t.Errorf("told of the right by %v", ways)
		}
		k.write(t, func(tx *store.Tx) error {
			a, err := officer.Find(t.Context(), tx, k.who[without])
			if err != nil {
				return err
			}
			return officer.Tell(t.Context(), tx, k.outbox, a, "signin.reset", nil)
		})
		if ways := told("signin.reset"); len(ways) != 2 {
			t.Errorf("told of the new password by %v", ways)
		}
		k.as(t, auditor).get("/admin/log?act=officer.set_notices").wants(http.StatusOK, "เลือกช่องทางรับข้อความ", "SMS")
	})
}

// TestMessagesInABrowser follows an administrator to a message that did not arrive, and an officer who chooses by which
// channel he is told.
func TestMessagesInABrowser(t *testing.T) {
	texts := must(Texts())(t)
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k, name, lang, opts := kitOn(t, env), "en-phone", locale.EN, browsertest.Options{Phone: true}
		if env.DB.Engine() == store.Postgres {
			name, lang, opts = "th-nojs", locale.TH, browsertest.Options{NoJS: true}
		}
		say := func(key string, args ...any) string {
			named := locale.Args{}
			for i := 0; i+1 < len(args); i += 2 {
				named[args[i].(string)] = args[i+1]
			}
			return texts.Text(lang, key, named)
		}
		k.faults = true // what is given up is an error in the log
		must(k.outbox.Deliver(t.Context()))(t)
		k.fails(notify.Email, fmt.Errorf("server answered 550: %w", notify.ErrRefused))
		k.fails(notify.SMS, errors.New("SMS gateway: answered 503"))
		k.write(t, func(tx *store.Tx) error {
			a, err := officer.Find(t.Context(), tx, k.who[without])
			if err != nil {
				return err
			}
			return officer.Tell(t.Context(), tx, k.outbox, a, "signin.reset", nil)
		})
		must(k.outbox.Deliver(t.Context()))(t)

		enter := func(who string) *browsertest.Browser {
			b := browsertest.Open(t, k.url, opts)
			b.Go("/officer/login")
			if lang == locale.EN {
				b.Press("EN")
			}
			k.signIn(t, b, lang, who)
			b.In("#main").See(say("portal.my_rights"))
			return b
		}
		looks := func(b *browsertest.Browser, page string) {
			t.Helper()
			b.NoHorizontalScroll()
			b.Screenshot("messages-" + page + "-" + name)
			b.Axe()
		}
		b := enter(admin1)
		b.Go("/admin")
		b.Click(say("agency.to_messages"))
		b.See(say("messages.state.dead"), say("messages.state.retrying"), "SMS gateway: answered 503", "p•••@diw.example.go.th")
		looks(b, "list")
		k.fails(notify.Email, nil)
		b.Go("/ko1/messages?state=dead")
		b.Press(say("messages.send_again"))
		b.See(say("messages.sent_again", "to", "p•••@diw.example.go.th"), say("messages.none"))
		must(k.outbox.Deliver(t.Context()))(t)
		b.Go("/ko1/messages?state=sent")
		b.See("p•••@diw.example.go.th", say("messages.sent_at", "when", ""))
		b.Click(say("messages.templates"))
		looks(b, "templates")
		b.Click(notify.Title("signin.reset", lang))
		b.See(say("messages.kind_note.security"), "เรียน ผู้ใช้งาน", "Dear user")
		looks(b, "template")

		b = enter(without)
		b.Go(profilePath)
		b.See(say("account.notices_always_text"))
		b.Uncheck(say("messages.channel.email") + " p0228@diw.example.go.th")
		b.In("#notices").Press(say("account.save"))
		b.In(".error-summary").See(say("officer.problem.notices_none"))
		looks(b, "notices")
		b.Check(say("messages.channel.sms") + " 081-200-0228")
		b.In("#notices").Press(say("account.save"))
		b.See(say("account.notices_saved"))
	})
}

package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"sitthi/helpdesk"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
	"sitthi/officer"
)

// silence makes an officer of นนทบุรี whose contacts no code has proved.
func (k *kit) silence(t *testing.T) {
	t.Helper()
	k.write(t, func(tx *store.Tx) error {
		who, err := k.roll.Mention(t.Context(), tx, k.citizen(t, silent))
		if err != nil {
			return err
		}
		k.who[silent] = who
		return officer.Create(t.Context(), tx, officer.Account{
			Person: who, GivenName: "เงียบ", FamilyName: "ไร้เสียง", Position: "นักวิชาการ", Unit: "TH-12",
			Email: thai.Email("silent@diw.example.go.th"), Phone: thai.Mobile("+66812000244"), TermsVersion: officer.TermsVersion,
		}, "a hash that no password has")
	})
}

// plea is a request for help that waits for the word of the chief of นนทบุรี.
func (k *kit) plea(t *testing.T) (helpdesk.Request, helpdesk.Plea) {
	t.Helper()
	k.silence(t)
	ctx := t.Context()
	r := must(k.help.Send(ctx, helpdesk.Form{Kind: "reset", CitizenID: silent, Name: "เงียบ ไร้เสียง", Position: "นักวิชาการ", Unit: "TH-12",
		Email: "silent@mail.example.com", Lang: locale.TH}, "browser"))(t)
	check(t, k.help.Claim(ctx, k.who[agent1], r.ID))
	must(k.help.Start(ctx, k.who[agent1], r.ID))(t)
	return r, must(k.help.Pleas(ctx, k.who[chief12]))(t)[0]
}

// TestHelp goes through case 2.2 of the manual without JavaScript: the request, the agent, the chief, the link.
func TestHelp(t *testing.T) {
	eachKit(t, func(t *testing.T, k *kit) {
		k.silence(t)
		asks := k.visitor(t)
		asks.get("/officer/passreset").wants(200, "/officer/help")
		asks.get("/officer/help").wants(200, "Reset Password", "Active User")
		typed := []string{"kind", "reset", "citizen_id", silent, "name", "เงียบ ไร้เสียง", "position", "นักวิชาการ", "unit", "TH-12"}
		asks.post("/officer/help", typed...).wants(422, "เบอร์โทรศัพท์หรืออีเมลอย่างน้อยหนึ่งอย่าง", "เงียบ ไร้เสียง")
		sent := asks.post("/officer/help", append(typed, "email", "silent@mail.example.com")...).wants(303)
		page := sent.follow().wants(200, "รับคำขอแล้ว").lacks(silent, "silent@mail")
		receipt := regexp.MustCompile(`[B-Z2-9]{4}-[B-Z2-9]{4}`).FindString(page.body)
		id := strings.TrimPrefix(sent.location, "/officer/help/")
		k.visitor(t).get(sent.location).wants(404)
		k.visitor(t).post("/officer/help", append(typed, "phone", "0812345678")...).follow().wants(200, "รับคำขอแล้ว") // a browser that has no cookie yet
		again := k.visitor(t)
		again.post("/officer/help/status", "receipt", receipt, "contact", "other@mail.example.com").wants(422, "ไม่พบคำขอ")
		again.post("/officer/help/status", "receipt", strings.ToLower(receipt), "contact", "silent@mail.example.com").follow().wants(200, receipt)
		asks.post(sent.location+"/send", "channel", "email").follow().wants(200, "หากเลขประจำตัวประชาชนนี้มีบัญชี")
		asks.post(sent.location+"/code", "code", "123456").wants(422)

		agent := k.as(t, agent1)
		agent.get("/help/cases").wants(200, receipt).lacks("ไร้เสียง")
		agent.get("/help/cases?state=new&kind=reset&older=1").lacks(receipt)
		one := "/help/cases/" + id
		agent.get(one).wants(200, "รับเรื่อง").lacks("ไร้เสียง", "silent@mail")
		agent.post(one+"/claim").follow().wants(200, "ไร้เสียง", "3-9900-XXXXX-XX-4", "ใช้ยืนยันไม่ได้").lacks("3-9900-00000-24-4", "silent@diw")
		agent.post(one+"/account/unmask", "reason", "").wants(422, "กรุณากรอกเหตุผล")
		agent.post(one+"/account/unmask", "reason", "โทรถึงผู้แจ้ง").wants(200, "3-9900-00000-24-4")
		agent.post(one+"/note", "note", "โทรแล้ว").follow().wants(200, "โทรแล้ว")
		agent.post(one+"/answer", "answer", "number").follow().wants(200, "ส่งคำตอบแล้ว")
		agent.post(one+"/account/start").follow().wants(200, "รอหัวหน้าหน่วยงาน")
		agent.post(one+"/account/start").follow().wants(200, "มีการดำเนินการที่รออยู่แล้ว")
		agent.post(one+"/account/approve").wants(403, "สามคน")
		k.as(t, agent2).get(one).wants(200, "รับรองเป็นคนที่สอง")

		head := k.as(t, chief12)
		pleas := head.get("/ko1/help").wants(200, "เงียบ ไร้เสียง", receipt).lacks("silent@mail")
		plea := regexp.MustCompile(`/ko1/help/([0-9a-f-]+)/vouch`).FindStringSubmatch(pleas.body)[1]
		k.as(t, chief13).get("/ko1/help").wants(200).lacks(receipt)
		head.post("/ko1/help/"+plea+"/refuse", "reason", "").wants(422, "กรุณากรอกเหตุผล")
		head.post("/ko1/help/"+plea+"/vouch").follow().wants(200, "รับรองแล้ว")
		k.later(24 * time.Hour)
		agent = k.as(t, agent1)
		agent.post(one+"/account/send").follow().wants(200, "ส่งลิงก์แล้ว")
		agent.post(one+"/close", "closing", "done").follow().wants(200, "เข้าใช้งานได้แล้ว")
		agent.get("/help/figures").wants(200, "ช่วยเหลือ หนึ่ง")

		var link string
		for _, m := range must(k.outbox.List(t.Context(), 50))(t) {
			if m.Purpose == "help.link" {
				link = regexp.MustCompile(`/officer/passreset/link\?t=\S+`).FindString(m.Text)
			}
		}
		me := k.visitor(t)
		me.get(link).wants(200, "ตั้งรหัสผ่านใหม่")
		_, token, _ := strings.Cut(link, "t=")
		opened := me.post("/officer/passreset/link", "t", token).wants(303)
		k.visitor(t).post("/officer/passreset/link", "t", token).wants(404)
		me.post(opened.location+"/password", "password", "ลำน้ำเจ้าพระยายามเย็น", "password_again", "ลำน้ำเจ้าพระยายามเย็น").follow().wants(200, "เรียบร้อย")
		me.post("/officer/passreset/link", "t", token).wants(404)
	})
}

// TestLineWebhook: signed messages of LINE make one ticket, however often they come; all else is turned away.
func TestLineWebhook(t *testing.T) {
	const secret = "the channel secret"
	storetest.EachEngine(t, func(t *testing.T, env *storetest.Env) {
		k := kitOn(t, env, func(o *Options) { o.LineSecret = secret })
		hook := func(body, key string) int {
			t.Helper()
			mac := hmac.New(sha256.New, []byte(key))
			mac.Write([]byte(body))
			b := k.visitor(t)
			r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, k.url+"/line/webhook", strings.NewReader(body)))(t)
			r.Host = "localhost"
			r.Header.Set("Content-Type", "application/json; charset=utf-8")
			r.Header.Set("X-Line-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
			return b.send(r).status
		}
		message := `{"destination":"x","events":[{"type":"message","mode":"active","webhookEventId":"01FZ74A0TDDPYRVKNK77XKC3ZR",
			"deliveryContext":{"isRedelivery":false},"source":{"type":"user","userId":"U4af4980629abcdef"},"message":{"type":"text","text":"ขอ Reset Password ครับ"}}]}`
		for body, want := range map[string]int{message: 200, `{"events":[]}`: 200, `[`: 400, strings.Repeat("x", helpdesk.LineBody+1): 413} {
			if got := hook(body, secret); got != want {
				t.Errorf("%.40s: %d, want %d", body, got, want)
			}
		}
		for _, body := range []string{message, "["} { // nothing is read of what is wrongly signed
			if got := hook(body, "another secret"); got != 401 {
				t.Errorf("wrongly signed: %d", got)
			}
		}
		if got := hook(strings.Replace(message, "false", "true", 1), secret); got != 200 {
			t.Errorf("delivered again: %d", got)
		}
		var n int
		check(t, k.DB.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT count(*) FROM tickets`).Scan(&n)
		}))
		if n != 1 {
			t.Errorf("%d tickets", n)
		}
	})
}

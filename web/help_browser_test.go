package web

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"sitthi/internal/browsertest"
	"sitthi/internal/store"
	"sitthi/notify"
)

var receiptForm = regexp.MustCompile(`[B-Z2-9]{4}-[B-Z2-9]{4}`)

// TestHelpInABrowser follows the manual's case 2.2, "Reset Password" of who has no contact on file, and its case 3,
// "Active User" after 60 days: who asks, the agent, the head of the office, the link, the new password.
func TestHelpInABrowser(t *testing.T) {
	eachReader(t, func(t *testing.T, k *kit, r readerOf) {
		k.silence(t)
		k.later(72 * time.Hour) // the contacts of the others are on file for long enough
		r.resetPassword(t, k)
		r.activeUser(t, k)
	})
}

// ask fills in the form of the manual and sends it, and answers the receipt.
func (r readerOf) ask(t *testing.T, b *browsertest.Browser, kind, citizen, name, email string) string {
	t.Helper()
	b.Check(r.say(t, "helpdesk.kind_"+kind))
	b.Fill("[name=citizen_id]", citizen)
	b.Fill("[name=name]", name)
	b.Fill("[name=position]", "นักวิชาการอุตสาหกรรม")
	b.Select(r.say(t, "officer.unit"), thaiOr(r.lang, "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี", "Nonthaburi Provincial Industry Office"))
	b.Fill("[name=email]", email)
	b.Press(r.say(t, "helpdesk.send"))
	b.See(r.say(t, "helpdesk.stage_text_received"))
	b.NotSee(citizen)
	return receiptForm.FindString(b.Text("h1"))
}

// claim opens a request from the queue and takes it.
func (r readerOf) claim(t *testing.T, agent *browsertest.Browser, receipt string) {
	t.Helper()
	agent.Go(casesPath)
	agent.Click(receipt)
	agent.See(r.say(t, "helpdesk.look_hint"))
	agent.Press(r.say(t, "helpdesk.do_claim"))
	agent.See(r.say(t, "helpdesk.did_claim"), r.say(t, "helpdesk.typed_hint"))
}

func (r readerOf) close(t *testing.T, agent *browsertest.Browser) {
	t.Helper()
	agent.Select(r.say(t, "helpdesk.closing"), r.say(t, "helpdesk.closing_done"))
	agent.Press(r.say(t, "helpdesk.do_close"))
	agent.See(r.say(t, "helpdesk.did_close"))
}

// resetPassword is case 2.2.
func (r readerOf) resetPassword(t *testing.T, k *kit) {
	asks := browsertest.Open(t, k.url, r.opts)
	asks.Go("/officer/login")
	r.choose(asks)
	asks.Click(r.say(t, "officer.forgotten_link"))
	asks.In("#main").Click(r.say(t, "helpdesk.title")) // case 2.2 is where the manual sends people from case 2.1
	asks.See(r.say(t, "helpdesk.lead"))
	asks.Press(r.say(t, "helpdesk.send"))
	asks.See(r.say(t, "helpdesk.name_empty"), r.say(t, "helpdesk.contact_missing"))
	r.look(asks, "help-faults")
	receipt := r.ask(t, asks, "reset", silent, "เงียบ ไร้เสียง", "silent@mail.example.com")
	page := asks.Path()
	r.look(asks, "help-request")
	asks.Check(r.say(t, "reset.channel_email"))
	asks.Press(r.say(t, "reset.send"))
	asks.See(r.say(t, "helpdesk.code_sent_email")) // said to everybody; nothing was sent
	asks.Fill("[name=code]", "123456")
	asks.Press(r.say(t, "officer.code_submit"))
	asks.In(".error-summary").See(r.say(t, "proof.code.wrong"))
	r.look(asks, "help-code")

	other := browsertest.Open(t, k.url, r.opts)
	other.Go("/officer/login")
	r.choose(other)
	other.Go(page)
	other.See(r.say(t, "helpdesk.no_ticket"))
	other.Go(helpPath + "/status")
	other.Fill("[name=receipt]", "BBBB-BBBB")
	other.Fill("[name=contact]", "silent@mail.example.com")
	other.Press(r.say(t, "helpdesk.status_show"))
	other.See(r.say(t, "helpdesk.receipt_unknown"))
	r.look(other, "help-status")
	other.Fill("[name=receipt]", strings.ToLower(receipt))
	other.Press(r.say(t, "helpdesk.status_show"))
	other.See(receipt, r.say(t, "helpdesk.stage_text_received"))

	agent := r.enter(t, k, agent1, "ช่วยเหลือ")
	agent.In(".site-nav").Click(r.say(t, "layout.menu_help"))
	agent.See(receipt)
	agent.NotSee("ไร้เสียง")
	r.look(agent, "help-queue")
	agent.Click(receipt)
	agent.See(r.say(t, "helpdesk.look_hint"))
	agent.NotSee("ไร้เสียง", "silent@mail")
	r.look(agent, "help-case")
	r.claim(t, agent, receipt)
	agent.See("ไร้เสียง", "3-9900-XXXXX-XX-4", r.say(t, "helpdesk.contact_rests"))
	agent.NotSee("silent@diw.example.go.th")
	agent.Click(r.say(t, "helpdesk.answers_read"))
	_, answer, err := notify.Example("help.answer_number", notify.Email, r.lang)
	if err != nil {
		t.Fatal(err)
	}
	agent.See(strings.Split(answer, "\n\n")[2])
	r.look(agent, "help-answers")
	agent.Select(r.say(t, "helpdesk.answer"), r.say(t, "helpdesk.answer_number"))
	agent.Press(r.say(t, "helpdesk.do_answer"))
	agent.See(r.say(t, "helpdesk.did_answer"))
	agent.Fill("[name=note]", "โทรศัพท์แล้ว เสียงตรงกับที่หน่วยงานยืนยัน")
	agent.Press(r.say(t, "helpdesk.do_note"))
	agent.See(r.say(t, "helpdesk.did_note"), "เสียงตรงกับ")
	r.look(agent, "help-taken")
	agent.Press(r.say(t, "helpdesk.do_start_reset"))
	agent.See(r.say(t, "helpdesk.did_wait"), r.say(t, "helpdesk.waits_second"))
	agent.NotSee(r.say(t, "helpdesk.do_approve")) // who started it can not be the second
	agent.Click(r.say(t, "helpdesk.stop"))
	r.look(agent, "help-waits")

	head := r.enter(t, k, chief12, "วิชัย")
	head.Go(rightsPath)
	head.Click(r.say(t, "helpdesk.pleas_see", "n", 1))
	head.See("เงียบ ไร้เสียง", receipt)
	head.NotSee("silent@mail")
	head.Click(r.say(t, "helpdesk.refuse"))
	r.look(head, "help-pleas")
	head.Press(r.say(t, "helpdesk.refuse"))
	head.See(r.say(t, "helpdesk.reason_empty"))
	head.Press(r.say(t, "helpdesk.vouch") + " เงียบ ไร้เสียง")
	head.See(r.say(t, "helpdesk.did_approve"), r.say(t, "helpdesk.usable"))
	r.look(head, "help-vouched")
	k.messageOf(t, "help.vouched", "silent@mail.example.com")

	agent.Reload()
	agent.See(r.say(t, "helpdesk.state_waiting"))
	k.later(24 * time.Hour)
	agent = r.enter(t, k, agent1, "ช่วยเหลือ")
	agent.Go(casesPath + "?state=waiting")
	agent.Click(receipt)
	agent.Press(r.say(t, "helpdesk.do_send"))
	agent.See(r.say(t, "helpdesk.did_send"))
	r.close(t, agent)
	r.look(agent, "help-closed")
	agent.Go("/help/figures")
	agent.See("ช่วยเหลือ หนึ่ง")
	r.look(agent, "help-figures")

	// The link leads to a new password, once, in the browser that opened it.
	link := regexp.MustCompile(`/officer/passreset/link\?t=\S+`).FindString(k.messageOf(t, "help.link", "silent@mail.example.com"))
	asks.Go(link)
	r.look(asks, "help-link")
	asks.In("#main").Press(r.say(t, "reset.link_go"))
	asks.See(r.say(t, "reset.title_password"))
	other.Go(link)
	other.In("#main").Press(r.say(t, "reset.link_go"))
	other.See(r.say(t, "signin.problem.no_link"))
	asks.Fill("[name=password]", kitPassword)
	asks.Fill("[name=password_again]", kitPassword)
	asks.Press(r.say(t, "reset.set"))
	asks.See(r.say(t, "reset.title_done"))
	r.enter(t, k, silent, "เงียบ")
}

// activeUser is case 3, of an officer who proves himself by a code to the contact on file.
func (r readerOf) activeUser(t *testing.T, k *kit) {
	k.write(t, func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE accounts SET last_signin_at = $2 WHERE person_id = $1`, k.who[without], store.Us(tx.Now.Add(-61*24*time.Hour)))
		return err
	})
	asks := browsertest.Open(t, k.url, r.opts)
	asks.Go("/officer/login")
	r.choose(asks)
	k.signIn(t, asks, r.lang, without)
	asks.See(r.say(t, "activation.title")) // his head may open it; he has the help desk do it
	asks.In("#main").Click(r.say(t, "helpdesk.title"))
	receipt := r.ask(t, asks, "active", without, "ปิติ ใจดี", "piti@mail.example.com")
	asks.Check(r.say(t, "reset.channel_email"))
	asks.Press(r.say(t, "reset.send"))
	code := regexp.MustCompile(`\b\d{6}\b`).FindString(k.messageOf(t, "help.code", "p"+without[9:]+"@diw.example.go.th"))
	asks.Fill("[name=code]", code)
	asks.Press(r.say(t, "officer.code_submit"))
	asks.See(r.say(t, "helpdesk.proved"))

	agent := r.enter(t, k, agent2, "ช่วยเหลือ")
	r.claim(t, agent, receipt)
	r.look(agent, "help-locked")
	agent.Press(r.say(t, "helpdesk.do_start_active"))
	agent.See(r.say(t, "helpdesk.did_start"))
	r.close(t, agent)
	k.messageOf(t, "help.open_again", "p"+without[9:]+"@diw.example.go.th")
	asks.Reload()
	asks.See(r.say(t, "helpdesk.stage_text_closed"))
	r.enter(t, k, without, "ปิติ")
}

// choose switches the pages of a window to the reader's language.
func (r readerOf) choose(b *browsertest.Browser) {
	if r.lang == "en" {
		b.In(".site-head").Press(map[bool]string{false: "English", true: "EN"}[r.opts.Phone])
	}
}

// messageOf is the newest message of a purpose to somebody.
func (k *kit) messageOf(t *testing.T, purpose, to string) string {
	t.Helper()
	for _, m := range must(k.outbox.List(t.Context(), 200))(t) {
		if m.Purpose == purpose && m.To == to {
			return m.Text
		}
	}
	t.Fatalf("no message %s to %s", purpose, to)
	return ""
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"

	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/thai"
)

// demoPassword opens every account of the demonstration.
const demoPassword = "Sitthi-2566-demo"

// demoToken is what programs ask with, about everything, under the name of demoProgram. No other database has it: a
// token that is made is random, and this one comes in by seedDemo alone.
const (
	demoToken   = "demo-authzen-token"
	demoProgram = "ระบบตัวอย่าง (demo)"
)

// demoKey is the key of the app with which the fixed accounts that need a second factor give it. No other database has it,
// like demoToken.
const demoKey = "JBSWY3DPEHPK3PXP"

// demoMark is the row of an installation that says the demonstration's data is in.
const demoMark = "demo"

// demoAccount is a person of the demonstration whom people and tests may count on.
type demoAccount struct {
	citizen       string
	given, family string // "" for one who is not registered
	mailbox       string
	position      string
	unit          string // the office he is registered in
	post          grant.Post
	postUnit      string
	right         *demoRight
	unproved      bool          // no code has proved his contacts: none of them recovers the account
	away          time.Duration // since he signed in last, whenever the demonstration starts
	who           locale.Name   // for the list at the start
}

// demoRight is the right that such a person holds.
type demoRight struct {
	unit, team string
	level      grant.Level
}

// The persons by whom and for whom others of the demonstration are appointed, and whom programs ask about.
const (
	firstAdministrator  = "1990000000019"
	secondAdministrator = "1990000000027"
	demoApprover        = "3990000000210" // may approve in TH-12
	demoLocked          = "3990000000252" // has not signed in for 61 days
	unregisteredPerson  = "3990000000503"
)

// demoAccounts are the same in every demonstration.
var demoAccounts = []demoAccount{
	{citizen: firstAdministrator, given: "ศิริพร", family: "วัฒนานุกูล", mailbox: "siriporn.w", position: "นักวิชาการคอมพิวเตอร์ชำนาญการพิเศษ", unit: "ICT",
		post: grant.Administrator, postUnit: "DIW", who: locale.Name{TH: "ผู้ดูแลระบบส่วนกลาง คนที่ 1", EN: "first central administrator"}},
	{citizen: secondAdministrator, given: "ธนากร", family: "พงษ์ไพโรจน์", mailbox: "thanakorn.p", position: "นักวิชาการคอมพิวเตอร์ชำนาญการ", unit: "ICT",
		post: grant.Administrator, postUnit: "DIW", who: locale.Name{TH: "ผู้ดูแลระบบส่วนกลาง คนที่ 2", EN: "second central administrator"}},
	{citizen: "3990000000104", given: "ประเสริฐ", family: "ศรีสมบูรณ์", mailbox: "prasoet.s", position: "อุตสาหกรรมจังหวัดนนทบุรี", unit: "TH-12",
		post: grant.Head, postUnit: "TH-12", who: locale.Name{TH: "อสจ. นนทบุรี", EN: "chief, Nonthaburi"}},
	{citizen: "3990000000112", given: "วิไลวรรณ", family: "เจริญกุล", mailbox: "wilaiwan.c", position: "อุตสาหกรรมจังหวัดปทุมธานี", unit: "TH-13",
		post: grant.Head, postUnit: "TH-13", who: locale.Name{TH: "อสจ. ปทุมธานี", EN: "chief, Pathum Thani"}},
	{citizen: "3990000000201", given: "สมหญิง", family: "รักงาน", mailbox: "somying.r", position: "นักวิชาการอุตสาหกรรมชำนาญการ", unit: "TH-12",
		right: &demoRight{"TH-12", "", grant.Consider}, who: locale.Name{TH: "เจ้าหน้าที่ นนทบุรี พิจารณา (ระดับ 1)", EN: "officer, Nonthaburi, level 1"}},
	{citizen: demoApprover, given: "อนุสรณ์", family: "บุญประสิทธิ์", mailbox: "anusorn.b", position: "วิศวกรชำนาญการพิเศษ", unit: "TH-12",
		right: &demoRight{"TH-12", "", grant.Approve}, who: locale.Name{TH: "เจ้าหน้าที่ นนทบุรี อนุมัติ (ระดับ 3)", EN: "officer, Nonthaburi, level 3"}},
	{citizen: "3990000000228", given: "กมลวรรณ", family: "ทองสุข", mailbox: "kamonwan.t", position: "นักวิชาการอุตสาหกรรมปฏิบัติการ", unit: "TH-12",
		who: locale.Name{TH: "เจ้าหน้าที่ นนทบุรี ไม่มีสิทธิ์", EN: "officer, Nonthaburi, no right"}},
	{citizen: demoLocked, given: "ชาญชัย", family: "กิตติวงศ์", mailbox: "chanchai.k", position: "นักวิชาการอุตสาหกรรมชำนาญการ", unit: "TH-12", away: 61 * 24 * time.Hour,
		right: &demoRight{"TH-12", "", grant.Consider}, who: locale.Name{TH: "เจ้าหน้าที่ นนทบุรี บัญชีถูกล็อก (ไม่ได้เข้าสู่ระบบ 61 วัน)", EN: "officer, Nonthaburi, locked: away for 61 days"}},
	{citizen: "3990000000236", given: "วีระพงษ์", family: "แก้วมณี", mailbox: "wiraphong.k", position: "วิศวกรชำนาญการ", unit: "TH-13",
		right: &demoRight{"TH-13", "", grant.Consider}, who: locale.Name{TH: "เจ้าหน้าที่ ปทุมธานี พิจารณา (ระดับ 1)", EN: "officer, Pathum Thani, level 1"}},
	{citizen: "3990000000309", given: "สุเมธ", family: "ธรรมรักษา", mailbox: "sumet.t", position: "ผู้อำนวยการกองบริหารจัดการกากอุตสาหกรรม", unit: "IWM",
		post: grant.Head, postUnit: "IWM", who: locale.Name{TH: "ผู้อำนวยการกองบริหารจัดการกากอุตสาหกรรม", EN: "director, IWM"}},
	{citizen: "3990000000317", given: "ณัฐธิดา", family: "สุวรรณศรี", mailbox: "natthida.s", position: "นักวิทยาศาสตร์ชำนาญการ", unit: "IWM",
		right: &demoRight{"IWM", "PERMIT-1", grant.Consider}, who: locale.Name{TH: "เจ้าหน้าที่กองเดียวกัน พิจารณาในกลุ่มเดียว", EN: "officer, IWM, level 1 in one group"}},
	{citizen: "8990000001004", given: "พิมลพรรณ", family: "ตรวจดี", mailbox: "phimonphan.t", position: "นักวิชาการตรวจสอบภายในชำนาญการ", unit: "IAG",
		post: grant.Auditor, postUnit: "DIW", who: locale.Name{TH: "ผู้ตรวจสอบ", EN: "auditor"}},
	{citizen: "3990000000406", given: "ปวีณา", family: "ช่วยเหลือดี", mailbox: "pawina.c", position: "นักวิชาการคอมพิวเตอร์ปฏิบัติการ", unit: "ICT",
		post: grant.Agent, postUnit: "DIW", who: locale.Name{TH: "เจ้าหน้าที่ช่วยเหลือ คนที่ 1", EN: "first help-desk agent"}},
	{citizen: "3990000000414", given: "ธีรพล", family: "ใส่ใจงาน", mailbox: "thiraphon.s", position: "นักวิชาการคอมพิวเตอร์ปฏิบัติการ", unit: "ICT",
		post: grant.Agent, postUnit: "DIW", who: locale.Name{TH: "เจ้าหน้าที่ช่วยเหลือ คนที่ 2", EN: "second help-desk agent"}},
	{citizen: "3990000000244", given: "บุญมา", family: "เงียบสงบ", mailbox: "bunma.n", position: "เจ้าพนักงานอุตสาหกรรมชำนาญงาน", unit: "TH-13",
		unproved: true, who: locale.Name{TH: "เจ้าหน้าที่ ปทุมธานี ไม่มีช่องทางติดต่อที่ใช้ยืนยันได้", EN: "officer, Pathum Thani, no contact that proves him"}},
	{citizen: unregisteredPerson,
		right: &demoRight{"TH-12", "", grant.Consider}, who: locale.Name{TH: "ยังไม่ได้สมัคร มีสิทธิ์รออยู่ที่นนทบุรี", EN: "not registered, right waiting in Nonthaburi"}},
}

func (a demoAccount) registered() bool { return a.given != "" }

// key is that of the account's app; "" for one that needs no second factor (trust.md 4).
func (a demoAccount) key() string {
	switch {
	case a.post == grant.Head, a.post == grant.Administrator, a.post == grant.Agent, a.right != nil && a.right.level == grant.Approve:
		return demoKey
	}
	return ""
}

// seedDemo brings the demonstration's data into a database that is dedicated to it, or refreshes what is there; on any
// other database it fails and changes nothing. The reference data has to be in, and the book is loaded afterwards.
// People, units, levels and numbers are the same in every demonstration; identifiers and keys are fresh, and dates
// count from the first start. All that is made up at once is one entry of the log, "demo.seed".
//
// At every start, the first included, the fixed accounts of demoAccounts are brought back to what their list says, in
// the ordinary tables and with an entry "demo.refresh" by the system:
//   - the account is written as the list has it, enabled, the last sign-in now or, for who is locked, as long ago as the list
//     says, no failures counted, the password no
//     longer switched off; one that does not take the demonstration's password gets it back and its sessions end;
//   - those that need a second factor have an app with demoKey and no other factor, the others have none: what differs
//     is brought back and its sessions end;
//   - the limits on their tries to sign in and to look others up are forgotten;
//   - a post or right that is missing, or ends within renewAhead, is closed by the system and given anew, and the
//     confirmation of who they are comes back with it; each is an entry of its own.
//
// Announcements that have run out are put up again, and demoToken, should it be revoked, is made anew. Where no
// cut-over was set, new cases belong to this program since the day before. What users of the demonstration did besides stays: a further right
// of a fixed account, or the account that somebody registered for the unregistered person.
func (h *house) seedDemo(ctx context.Context) error {
	hash, err := h.passwords.Hash(ctx, demoPassword)
	if err != nil {
		return fmt.Errorf("fill demonstration: %w", err)
	}
	kept, err := h.demoHashes(ctx)
	if err != nil {
		return fmt.Errorf("fill demonstration: %w", err)
	}
	fresh := false
	act := &audit.Act{Name: "demo.refresh", Actor: audit.System}
	err = audit.Do(ctx, h.db.InTurn(), act, func(tx *store.Tx) error {
		purpose, err := installed(ctx, tx, purposeMark)
		if err != nil {
			return err
		}
		if purpose != purposeDemo {
			return errNotDemo
		}
		r := refresh{house: h, tx: tx, hash: hash, kept: kept, done: map[string]int{}}
		if err := r.accounts(ctx); err != nil {
			return err
		}
		mark, err := installed(ctx, tx, demoMark)
		if err != nil {
			return err
		}
		if fresh = mark == ""; fresh {
			if err := fill(ctx, h, tx, hash, r.ids); err != nil {
				return err
			}
			if err := closeSome(ctx, h, tx, r.ids); err != nil {
				return err
			}
			if err := askForHelp(ctx, h, tx, r.ids); err != nil {
				return err
			}
			if _, err := install(ctx, tx, demoMark, "1"); err != nil {
				return err
			}
		}
		if err := r.rights(ctx); err != nil {
			return err
		}
		if err := announce(ctx, tx, r.ids[firstAdministrator]); err != nil {
			return err
		}
		if err := cutOver(ctx, tx, r.ids[firstAdministrator]); err != nil {
			return err
		}
		if err := h.programs.Install(ctx, tx, demoProgram, demoToken); err != nil {
			return err
		}
		act.Detail = counts(r.done)
		return nil
	})
	if err != nil {
		return fmt.Errorf("fill demonstration: %w", err)
	}
	if !fresh {
		return nil
	}
	err = h.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "ANALYZE") // the planner has not seen so many rows come in
		return err
	})
	if err != nil {
		return fmt.Errorf("analyze demonstration: %w", err)
	}
	return nil
}

// errNotDemo keeps made-up people out of a database of real ones, whoever calls.
var errNotDemo = errors.New("the database is not dedicated to the demonstration")

func counts(done map[string]int) map[string]string {
	m := make(map[string]string, len(done))
	for what, n := range done {
		m[what] = strconv.Itoa(n)
	}
	return m
}

// demoHashes answers the stored hashes of the fixed accounts that take the demonstration's password. It hashes, so it
// runs outside the transaction that writes; they share one hash until somebody changes a password.
func (h *house) demoHashes(ctx context.Context) (map[string]bool, error) {
	var stored []string
	err := h.db.Read(ctx, func(tx *store.Tx) error {
		stored = nil
		for _, a := range demoAccounts {
			citizen, err := thai.ParseCitizenID(a.citizen)
			if err != nil {
				return fmt.Errorf("fixed account %s: %w", citizen, err)
			}
			hashes, err := store.Rows(func(row store.Row) (hash string, err error) { return hash, row.Scan(&hash) })(tx.Query(ctx,
				`SELECT a.password_hash FROM accounts a JOIN persons p ON p.id = a.person_id WHERE p.citizen_index = $1`, h.roll.Index(citizen)))
			if err != nil {
				return fmt.Errorf("read hashes: %w", err)
			}
			stored = append(stored, hashes...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	kept := map[string]bool{}
	for _, hash := range stored {
		if _, known := kept[hash]; known {
			continue
		}
		if kept[hash], _, err = h.passwords.Verify(ctx, demoPassword, hash); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// demoList is what is shown at the start.
var demoList = template.Must(template.New("demo").Parse(`
การสาธิต: เปิด {{.URL}} ทุกบัญชีใช้รหัสผ่าน {{.Password}}
Demonstration: open {{.URL}}, password of every account: {{.Password}}

บัญชีที่มีคีย์ TOTP ต้องกรอกรหัสจากแอปยืนยันตัวตนด้วย รหัสขณะนี้อยู่ที่ {{.URL}}/demo/outbox
Accounts with a TOTP key ask for a code of an authenticator app, too; the one of now is at {{.URL}}/demo/outbox

ระบบอื่นถามสิทธิ์ด้วย token: {{.Token}} (วิธีใช้: {{.URL}}/programs)
Other programs ask with the token: {{.Token}} (how: {{.URL}}/programs)

{{range .Rows}}  {{.}}
{{end}}
`))

// showDemo lists the fixed accounts, in Thai and in English, and where to sign in with them.
func showDemo(w io.Writer, address string) error {
	rows := [][]string{{"เลขประจำตัวประชาชน", "รหัสผ่าน", "คีย์ TOTP", "ผู้ใช้", "who"}}
	for _, a := range demoAccounts {
		password := demoPassword
		if !a.registered() {
			password = "-"
		}
		rows = append(rows, []string{a.citizen, password, cmp.Or(a.key(), "-"), a.who.TH, a.who.EN})
	}
	return demoList.Execute(w, map[string]any{"URL": address, "Password": demoPassword, "Token": demoToken, "Rows": align(rows)})
}

// align pads the columns of a table to the width that a terminal shows them in.
func align(rows [][]string) []string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], width(cell))
		}
	}
	lines := make([]string, len(rows))
	for n, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-width(cell)+2))
		}
		lines[n] = strings.TrimRight(line.String(), " ")
	}
	return lines
}

// width is how many columns of a terminal a text takes: Thai vowels and tone marks above and below a letter take none.
func width(s string) (n int) {
	for _, r := range s {
		if !unicode.Is(unicode.Mn, r) {
			n++
		}
	}
	return n
}

// demoHead answers the fixed account that is head of a unit.
func demoHead(unit string) (demoAccount, bool) {
	for _, a := range demoAccounts {
		if a.post == grant.Head && a.postUnit == unit {
			return a, true
		}
	}
	return demoAccount{}, false
}

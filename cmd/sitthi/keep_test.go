package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/pquerna/otp/totp"

	"sitthi/internal/clock"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/internal/thaidtest"
	clerk "sitthi/officer"
	"sitthi/signin"
	"sitthi/web"
)

// TestBackupUnderLoad is guarantee P7 but for its figure, which it tells: a backup taken while rights are given and
// ended holds every act that was answered before it began, none by half and no key; it is restored with the audit root
// that the backup told, and the program serves from it.
func TestBackupUnderLoad(t *testing.T) {
	folder, args := demonstration(t)
	p := serving(t, append([]string{"--demo"}, args...)...)
	var before []*writer
	for _, chief := range []struct{ citizen, unit string }{{"3990000000104", "TH-12"}, {"3990000000112", "TH-13"}} {
		before = append(before, &writer{caller: signedIn(t, p.address, chief.citizen, demoPassword), unit: chief.unit})
	}
	for range 8 {
		for _, w := range before {
			w.act(t)
		}
	}
	var writing sync.WaitGroup
	stop := make(chan struct{})
	for _, w := range before {
		later := &writer{caller: w.caller, unit: w.unit, given: slices.Clone(w.given), ended: slices.Clone(w.ended)}
		writing.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if !later.act(t) {
						t.Error("no act while a backup is taken")
						return
					}
				}
			}
		})
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(folder, "identity")
	if err := os.WriteFile(lock, []byte(identity.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(folder, "backup.age")
	said, status := command(t, append([]string{"backup", "--to", backup, "--backup-recipient", identity.Recipient().String()}, args...)...)
	close(stop)
	writing.Wait()
	if status != 0 {
		t.Fatalf("backup: %d\n%s", status, said)
	}
	root := regexp.MustCompile(`sitthi/audit\n[0-9]+\n(\S+)\n`).FindStringSubmatch(said)
	if root == nil {
		t.Fatalf("the backup tells no root:\n%s", said)
	}
	p.kill(t)

	restored := filepath.Join(folder, "restored", "sitthi.db")
	start := time.Now()
	there := []string{"--database", "sqlite:" + restored, "--keys", filepath.Join(folder, "keys.json")}
	said, status = command(t, append([]string{"restore", "--from", backup, "--backup-identity-file", lock}, there...)...)
	took := time.Since(start)
	if status != 0 || rootOf(t, said) != root[1] {
		t.Fatalf("restore: %d, root was %s\n%s", status, root[1], said)
	}
	raw := noKeys(t, folder, restored, backup)
	t.Logf("restored %d KiB in %s: %s per GB", len(raw)>>10, took.Round(time.Millisecond), time.Duration(float64(took)*(1<<30)/float64(len(raw))).Round(time.Second))
	const many = 1 << 20 // acts after those before the backup
	compare(t, "sqlite:"+restored, before, many)
	if said := whole(t, there...); rootOf(t, said) != root[1] {
		t.Errorf("the root is no more %s:\n%s", root[1], said)
	}
	again := serving(t, append([]string{"--demo"}, there...)...)
	w := &writer{caller: before[0].at(again.address), unit: "TH-12"}
	if !w.act(t) {
		t.Error("a session from before the backup gives no right after it was restored")
	}
	if status := again.stop(t); status != 0 {
		t.Error(again.said)
	}
}

// noKeys fails when a key of the installation is in one of the files, in any form it is written in, and answers the
// first file.
func noKeys(t *testing.T, folder string, files ...string) (first []byte) {
	t.Helper()
	var keys struct {
		Encryption            map[int][]byte
		Index, Pepper, Signer []byte
	}
	raw, err := os.ReadFile(filepath.Join(folder, "keys.json"))
	if err == nil {
		err = json.Unmarshal(raw, &keys)
	}
	if err != nil || len(keys.Encryption) == 0 {
		t.Fatal(err)
	}
	all := [][]byte{keys.Index, keys.Pepper, keys.Signer}
	for _, key := range keys.Encryption {
		all = append(all, key)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = raw
		}
		for _, key := range all {
			for _, form := range [][]byte{key, []byte(base64.StdEncoding.EncodeToString(key)), fmt.Appendf(nil, "%x", key)} {
				if bytes.Contains(raw, form) {
					t.Errorf("a key is in %s", filepath.Base(name))
				}
			}
		}
	}
	return first
}

// TestTamperingIsFound is guarantee P4 through the program: whoever can write the database file, past the triggers,
// is found out by `audit verify`, which names the first bad entry and exits with 1. A log cut off together with its
// checkpoints is found by a checkpoint that was kept elsewhere.
func TestTamperingIsFound(t *testing.T) {
	folder, args := demonstration(t)
	p := serving(t, append([]string{"--demo"}, args...)...)
	w := &writer{caller: signedIn(t, p.address, "3990000000104", demoPassword), unit: "TH-12"}
	for range 6 {
		w.act(t)
	}
	until(t, "the log is sealed", 20*time.Second, func() bool { return p.figure(t, "sitthi_audit_unsealed") == 0 })
	if status := p.stop(t); status != 0 {
		t.Fatal(p.said)
	}
	original, err := os.ReadFile(filepath.Join(folder, "sitthi.db"))
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, status := command(t, append([]string{"audit", "checkpoint"}, args...)...)
	kept := filepath.Join(folder, "checkpoint")
	if err := os.WriteFile(kept, []byte(checkpoint), 0o600); err != nil || status != 0 {
		t.Fatal(err, checkpoint)
	}
	places := column(t, "sqlite:"+filepath.Join(folder, "sitthi.db"), "SELECT entry_id FROM audit_leaves ORDER BY place")
	n := len(places) - 3 // the place of an entry with a text, with others before and after it
	id := places[n]
	// size of the log at an earlier checkpoint, to cut everything off behind it
	var size int
	look(t, "sqlite:"+filepath.Join(folder, "sitthi.db"), func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRow(ctx, "SELECT max(size) FROM audit_checkpoints WHERE size < $1", len(places)).Scan(&size)
	})
	named := func(place int, what string) string {
		return fmt.Sprintf("place %d: entry %s: %s", place, places[place], what)
	}
	for name, tt := range map[string]struct {
		statements []string
		args       []string
		want       string
	}{
		"who did it":          {[]string{"UPDATE audit_entries SET actor = 'someone else' WHERE id = '" + id + "'"}, nil, named(n, "")},
		"the sealed text":     {[]string{"UPDATE audit_entries SET leaf = replace(leaf, 'done', 'fine') WHERE id = '" + id + "'"}, nil, named(n, "")},
		"when it was":         {[]string{"UPDATE audit_entries SET at = at + 1 WHERE id = '" + id + "'"}, nil, named(n, "")},
		"what was written":    {[]string{"UPDATE audit_texts SET text = 'x' WHERE entry_id = '" + id + "'"}, nil, named(n, "a text")},
		"a text removed":      {[]string{"DELETE FROM audit_texts WHERE entry_id = '" + id + "'"}, nil, named(n, "a text")},
		"an entry removed":    {[]string{"DELETE FROM audit_entries WHERE id = '" + id + "'"}, nil, named(n, "the entry was removed")},
		"a place removed":     {[]string{"DELETE FROM audit_leaves WHERE place = " + fmt.Sprint(n)}, nil, fmt.Sprintf("place %d: ", n)},
		"two in other order":  {[]string{fmt.Sprintf("UPDATE audit_leaves SET entry_id = 'x' WHERE place = %d", n), fmt.Sprintf("UPDATE audit_leaves SET entry_id = '%s' WHERE place = %d", id, n+1), fmt.Sprintf("UPDATE audit_leaves SET entry_id = '%s' WHERE place = %d", places[n+1], n)}, nil, fmt.Sprintf("place %d: entry %s", n, places[n+1])},
		"the end cut off":     {cut(size), nil, ""}, // the log by itself looks whole …
		"the end, checkpoint": {cut(size), []string{"--checkpoint", kept}, fmt.Sprintf("place %d: the log ends here", size)},
	} {
		t.Run(name, func(t *testing.T) {
			there := t.TempDir()
			path := filepath.Join(there, "sitthi.db")
			if err := os.WriteFile(path, original, 0o600); err != nil {
				t.Fatal(err)
			}
			tamper(t, path, tt.statements)
			said, status := command(t, append([]string{"audit", "verify", "--database", "sqlite:" + path, "--keys", filepath.Join(folder, "keys.json")}, tt.args...)...)
			switch {
			case tt.want == "" && status != 0:
				t.Errorf("exit status %d\n%s", status, said)
			case tt.want != "" && (status != 1 || !strings.Contains(said, "the audit log is not whole: "+tt.want)):
				t.Errorf("exit status %d, want %q\n%s", status, tt.want, said)
			}
		})
	}
	if said, status := command(t, append([]string{"audit", "verify", "--checkpoint", kept}, args...)...); status != 0 {
		t.Errorf("the log that nobody touched: %d\n%s", status, said)
	}
}

// cut are the statements that take away all of the log from a size on, as if it had never been.
func cut(size int) []string {
	return []string{
		fmt.Sprintf("DELETE FROM audit_texts WHERE entry_id IN (SELECT entry_id FROM audit_leaves WHERE place >= %d)", size),
		fmt.Sprintf("DELETE FROM audit_entries WHERE id IN (SELECT entry_id FROM audit_leaves WHERE place >= %d)", size),
		fmt.Sprintf("DELETE FROM audit_leaves WHERE place >= %d", size),
		fmt.Sprintf("DELETE FROM audit_checkpoints WHERE size > %d", size),
		fmt.Sprintf("DELETE FROM audit_hashes WHERE place >= %d", storedHashes(size)),
	}
}

// storedHashes is how many hashes a tree of so many leaves keeps (RFC 6962: one for each whole subtree).
func storedHashes(leaves int) (n int) {
	for ; leaves > 0; leaves /= 2 {
		n += leaves
	}
	return n
}

// tamper changes the file as someone would who has it, without the triggers that keep the program itself from it.
func tamper(t *testing.T, path string, statements []string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	rows, err := db.Query("SELECT 'DROP TRIGGER ' || name FROM sqlite_schema WHERE type = 'trigger'")
	if err != nil {
		t.Fatal(err)
	}
	triggers, err := store.Rows(func(row store.Row) (s string, err error) { return s, row.Scan(&s) })(rows, err)
	if err != nil || len(triggers) == 0 {
		t.Fatal(err)
	}
	for _, statement := range slices.Concat(triggers, []string{"PRAGMA foreign_keys = OFF"}, statements) {
		result, err := db.Exec(statement)
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		if n, err := result.RowsAffected(); slices.Contains(statements, statement) && (err != nil || n == 0) {
			t.Fatalf("%s: changed nothing (%v)", statement, err)
		}
	}
}

// secret is what must stay out, and from where.
type secret struct {
	text string
	word bool // only as a word of its own: six digits stand in many a number
	own  bool // its owner and his head read it, as in exports
}

func (s secret) in(text string) bool {
	if s.word {
		return regexp.MustCompile(`\b` + s.text + `\b`).MatchString(text)
	}
	return strings.Contains(text, s.text)
}

// TestSecretsStayOut follows the tale of an officer, from registration to a right, a second factor, a forgotten password
// and a request to the help desk, with others who come by ThaID, by a link of the help desk, out of a locked account and
// by LINE. Then it looks for their secrets in all that the program wrote or handed out: its log with everything in it,
// its figures, its database, a backup laid open and a dump, its temporary files, what other users of the machine see of
// the process, exports, his own data, proofs for outsiders.
func TestSecretsStayOut(t *testing.T) {
	eachAddress(t, func(t *testing.T, address, keys string) {
		folder := filepath.Dir(keys)
		args := []string{"--database", address, "--keys", keys}
		temporary, published := filepath.Join(folder, "tmp"), filepath.Join(folder, "checkpoint")
		if err := os.Mkdir(temporary, 0o700); err != nil {
			t.Fatal(err)
		}
		atThaID := thaidtest.New(t, clock.System{})
		serve := append([]string{"serve", "--listen", "localhost:0", "--metrics", "localhost:0", "--log-level", "debug", "--checkpoint-to", published,
			"--thaid-issuer", atThaID.URL, "--thaid-client-id", thaidtest.ClientID, "--thaid-client-secret-file", secretFile(t, thaidtest.ClientSecret)}, args...)
		p := launchWith(t, "TMPDIR="+temporary, append(slices.Clone(serve), "--demo")...)
		p.listens(t)
		citizen, password, wrong := stranger(900001), "ข้าวเหนียว-ทุเรียน-4455", "ไม่ใช่รหัสผ่าน-ของใคร-77"
		phone, mail := "899990001", "planted.secret@industry.example.go.th" // the phone as it is in +66… and 0…
		officer := newCaller(p.address)
		secrets := map[string]secret{
			"citizen ID": {text: citizen, own: true}, "password": {text: password}, "wrong password": {text: wrong},
			"demonstration's password": {text: demoPassword}, "secret of the client of ThaID": {text: thaidtest.ClientSecret},
			"token of the channel of LINE": {text: lineToken}, "secret of the channel of LINE": {text: lineSigner}, "user of LINE": {text: lineUser},
		}
		for _, a := range demoAccounts {
			secrets["citizen ID of "+a.citizen] = secret{text: a.citizen, own: true}
		}
		private := map[string]string{string(clerk.ProvePhone): phone, string(clerk.ProveEmail): mail, "name": "พยานลับ", "help desk": "ผู้ร้องลับ"}
		// sent waits for the newest code that went to a contact.
		sent := func(contact string) (code string) {
			t.Helper()
			until(t, "a code is sent", 20*time.Second, func() bool {
				outbox, err := newCaller(p.address).get("/demo/outbox")
				if err != nil {
					t.Fatal(err)
				}
				_, card, _ := strings.Cut(outbox.body, contact)
				card, _, _ = strings.Cut(card, "</section>")
				code = regexp.MustCompile(`\b[0-9]{6}\b`).FindString(card)
				return code != ""
			})
			return code
		}

		form := []string{"citizen_id", citizen, "phone", "0" + phone, "given_name", "พยานลับ", "family_name", "ปลูกไว้", "position", "นักวิชาการ", "unit", "TH-12",
			"email", mail, "line_id", "planted", "password", password, "password_again", password, "terms", "2569-1"}
		r, err := officer.post("/officer/register", form...)
		for _, step := range []clerk.Step{clerk.ProveEmail, clerk.ProvePhone} {
			if err != nil || r.status != http.StatusSeeOther {
				t.Fatalf("register: %d %v\n%s", r.status, err, r.body)
			}
			flow, code := r.location, sent(private[string(step)])
			secrets["code by "+string(step)] = secret{text: code, word: true}
			r, err = officer.post(flow, "step", string(step), "code", code)
		}
		if err != nil || r.status != http.StatusSeeOther {
			t.Fatalf("register: %d %v\n%s", r.status, err, r.body)
		}
		if r, err = officer.post("/officer/login", "citizen_id", citizen, "password", wrong); err != nil || r.status == http.StatusSeeOther {
			t.Fatalf("signed in with a wrong password: %d %v", r.status, err)
		}
		officer = signedIn(t, p.address, citizen, password)
		chief := signedIn(t, p.address, "3990000000104", demoPassword)
		for _, act := range [][]string{
			{"/ko1/rights/consider/person", "unit", "TH-12", "citizen", citizen, "form", "x"},
			{"/ko1/rights/consider", "unit", "TH-12", "citizen", citizen, "confirmed", "1", "form", store.NewID()},
			{"/ko1/rights/consider", "unit", "TH-12", "citizen", citizen, "confirmed", "1", "form", store.NewID()}, // a second time
			{"/ko1/rights/approve", "unit", "TH-12", "citizen", citizen[:12] + "x", "form", store.NewID()},
		} {
			if _, err := chief.post(act[0], act[1:]...); err != nil {
				t.Fatal(err)
			}
		}
		for _, path := range []string{"/ko1/rights?citizen=" + citizen, "/ko1/rights/consider?q=" + citizen, "/" + citizen} {
			if _, err := chief.get(path); err != nil {
				t.Fatal(err)
			}
		}
		if r, err := officer.get("/my/rights"); err != nil || !strings.Contains(r.body, "นนทบุรี") {
			t.Fatalf("the tale went wrong: %d %v\n%s", r.status, err, r.body)
		}

		// A second factor, with its secret and the codes for a lost phone.
		if _, err := officer.post("/officer/security/app"); err != nil {
			t.Fatal(err)
		}
		r, err = officer.get("/officer/security/app")
		shown := regexp.MustCompile(`class="code">([A-Z2-7 ]{16,})</pre>`).FindStringSubmatch(r.body)
		if err != nil || shown == nil {
			t.Fatalf("no app can be set up: %d %v\n%s", r.status, err, r.body)
		}
		key := strings.ReplaceAll(shown[1], " ", "")
		code, err := totp.GenerateCode(key, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		r, err = officer.post("/officer/security/app/confirm", "code", code)
		recovery := regexp.MustCompile(`<code>([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})</code>`).FindAllStringSubmatch(r.body, -1)
		if err != nil || len(recovery) == 0 {
			t.Fatalf("no recovery codes: %d %v\n%s", r.status, err, r.body)
		}
		secrets["secret of the app"], secrets["secret of the app as shown"] = secret{text: key}, secret{text: shown[1]}
		secrets["code of the app"] = secret{text: code, word: true}
		if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key); err == nil {
			secrets["secret of the app in bytes"] = secret{text: string(raw)}
		}
		for _, m := range recovery {
			secrets["recovery code "+m[1][:2]] = secret{text: m[1]}
			secrets["recovery code without hyphens "+m[1][:2]] = secret{text: strings.ReplaceAll(m[1], "-", "")}
		}

		// A password forgotten, by somebody with a contact of long ago, as far as the code.
		forgetful := newCaller(p.address)
		r, err = forgetful.post("/officer/passreset", "citizen_id", "3990000000228")
		if err != nil || r.status != http.StatusSeeOther {
			t.Fatalf("reset: %d %v\n%s", r.status, err, r.body)
		}
		if r, err = forgetful.post(r.location+"/send", "channel", "email"); err != nil || r.status != http.StatusSeeOther {
			t.Fatalf("reset: %d %v\n%s", r.status, err, r.body)
		}
		secrets["code of the reset"] = secret{text: sent("kamonwan.t"), word: true}
		// A request to the help desk.
		asking := newCaller(p.address)
		if r, err = asking.post("/officer/help", "kind", "reset", "citizen_id", citizen, "name", private["help desk"], "position", "นักวิชาการ", "unit", "TH-12", "email", "asks."+mail); err != nil || r.status != http.StatusSeeOther {
			t.Fatalf("help: %d %v\n%s", r.status, err, r.body)
		}
		// A program that asks.
		token, status := command(t, append([]string{"token", "create", "--name", "x", "--units", "TH-12", "--actions", "consider"}, args...)...)
		if token = strings.TrimSpace(token[strings.LastIndex(strings.TrimSpace(token), "\n")+1:]); status != 0 || len(token) < 20 {
			t.Fatal(token)
		}
		secrets["token of a program"] = secret{text: token}

		// An officer who links his account with ThaID, and comes in by it.
		byThaID := signedIn(t, p.address, "3990000000228", demoPassword)
		for range 2 {
			cameByThaID(t, atThaID, byThaID, "3990000000228")
		}
		for i, text := range atThaID.Told() {
			secrets[fmt.Sprint("of ThaID ", i)] = secret{text: text}
		}
		// A locked officer on his way back: no token but his browser's opens it.
		locked := newCaller(p.address)
		way := step(t, locked, "/officer/login", "citizen_id", demoLocked, "password", demoPassword)
		step(t, locked, way+"/send", "channel", "email")
		code = sent("chanchai.k")
		secrets["code of the way back"] = secret{text: code, word: true}
		step(t, locked, way+"/code", "code", code)
		// A link of the help desk to a new password.
		linked := newCaller(p.address)
		ticket := step(t, linked, "/officer/help", "kind", "reset", "citizen_id", "3990000000201", "name", "สมหญิง รักงาน", "position", "นักวิชาการ", "unit", "TH-12",
			"email", "somying.r@industry.demo.example")
		link := helpedBy(t, signedIn(t, p.address, firstAgent, demoPassword), linked, ticket, func() string { return sent("somying.r") })
		secrets["token of a link"] = secret{text: link}
		secrets["password set by a link"] = secret{text: linkedPassword}

		cookies := func(all ...*caller) {
			for _, c := range all {
				for name, value := range c.cookies {
					if !strings.HasSuffix(name, "language") && len(value) > 16 {
						secrets["cookie "+name+" "+value[:4]] = secret{text: value}
					}
				}
			}
		}
		cookies(officer, chief, forgetful, asking, byThaID, locked, linked)
		until(t, "the log is sealed", 20*time.Second, func() bool { return p.figure(t, "sitthi_audit_unsealed") == 0 })

		written := map[string]string{}
		read := func(name, path string) {
			t.Helper()
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			written[name] = string(raw)
		}
		outside := func(p *process, which string) {
			t.Helper()
			_, written["metrics"+which], _ = get(t, http.DefaultClient, p.metrics)
			for _, name := range []string{"environ", "cmdline"} {
				read(name+" of the process"+which, fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, name))
			}
		}
		outside(p, "")
		// What their owners and heads may read has their IDs in it, and no other secret.
		handed := map[string]string{}
		for name, path := range map[string]string{"export as CSV": "/ko1/rights/all/export.csv", "export as XLSX": "/ko1/rights/all/export.xlsx"} {
			r, err := chief.get(path)
			if err != nil || r.status != http.StatusOK {
				t.Fatalf("%s: %d %v", name, r.status, err)
			}
			handed[name] = r.body
			if strings.HasSuffix(path, "xlsx") {
				handed[name] = unzipped(t, r.body)
			}
		}
		for _, format := range []string{"page", "json"} {
			r, err := officer.post("/officer/profile/data", "format", format)
			if err != nil || r.status != http.StatusOK || !strings.Contains(r.body, mail) {
				t.Fatalf("own data: %d %v\n%s", r.status, err, r.body)
			}
			handed["own data as "+format] = r.body
		}
		// Nothing is sent by LINE in a demonstration: who writes there writes to the same database put to real use.
		if status := p.stop(t); status != 0 {
			t.Error(p.said)
		}
		demonstrated := p.said.String()
		makeReal(t, address)
		line := newLineServer(t)
		p = launchWith(t, "TMPDIR="+temporary, append(slices.Clone(serve), "--mail-file", filepath.Join(folder, "mail"), "--sms", "file", "--sms-file", filepath.Join(folder, "sms"),
			"--line", "--line-url", line.URL, "--line-private", "--line-token-file", secretFile(t, lineToken), "--line-secret-file", secretFile(t, lineSigner))...)
		p.listens(t)
		wrote := newCaller(p.address)
		secrets["token of a request by LINE"] = secret{text: line.asks(t, wrote, citizen)}
		cookies(wrote)
		outside(p, " with LINE")

		if strings.HasPrefix(address, "sqlite:") {
			for _, name := range []string{"", "-wal"} {
				read("database"+name, strings.TrimPrefix(address, "sqlite:")+name)
			}
			identity, err := age.GenerateX25519Identity()
			if err != nil {
				t.Fatal(err)
			}
			backup, plain := filepath.Join(folder, "backup.age"), filepath.Join(folder, "plain")
			if said, status := command(t, append([]string{"backup", "--to", backup, "--backup-recipient", identity.Recipient().String()}, args...)...); status != 0 {
				t.Fatal(said)
			}
			if err := decrypt(t.Context(), backup, plain, []age.Identity{identity}); err != nil {
				t.Fatal(err)
			}
			written["backup"] = string(noKeys(t, folder, plain, backup))
		} else {
			dump := filepath.Join(folder, "dump.sql")
			if out, err := exec.Command(postgresTool(t, "pg_dump"), "--file="+dump, address).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			written["dump"] = string(noKeys(t, folder, dump))
		}
		entry := column(t, address, `SELECT entry_id FROM audit_leaves ORDER BY place DESC LIMIT 1`)[0]
		for name, act := range map[string][]string{"checkpoint": {"audit", "checkpoint"}, "proof": {"audit", "prove", "--entry", entry}, "public key": {"audit", "key"}, "keys": {"keys", "list"}} {
			said, status := command(t, append(act, args...)...)
			if status != 0 {
				t.Fatalf("%s: %s", name, said)
			}
			written[name] = said
		}
		until(t, "a checkpoint is published", 40*time.Second, func() bool { _, err := os.Stat(published); return err == nil })
		read("published checkpoint", published)
		if status := p.stop(t); status != 0 {
			t.Error(p.said)
		}
		err = filepath.WalkDir(temporary, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				read("temporary file "+entry.Name(), path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		log := demonstrated
		// The list of the demonstration's accounts is shown on purpose, up to where the program says that it listens.
		list, end := strings.Index(log, "การสาธิต"), strings.LastIndex(log, demoAccounts[len(demoAccounts)-1].citizen)
		if list >= 0 && end > list {
			log = log[:list] + log[end+len(citizen):]
		}
		log += p.said.String()
		written["log"] = log
		if !strings.Contains(log, "level=DEBUG") && !strings.Contains(log, "level=INFO") {
			t.Errorf("nothing was logged:\n%s", log)
		}
		for what, secret := range secrets {
			for where, text := range written {
				if secret.in(text) {
					t.Errorf("%s is in: %s", what, where)
				}
			}
			for where, text := range handed {
				if !secret.own && !secret.word && secret.in(text) {
					t.Errorf("%s is in: %s", what, where)
				}
			}
		}
		for what, text := range private {
			for _, where := range []string{"log", "metrics", "checkpoint", "published checkpoint", "proof", "environ of the process", "cmdline of the process"} {
				if strings.Contains(written[where]+written[where+" with LINE"], text) {
					t.Errorf("%s is in: %s", what, where)
				}
			}
		}
	})
}

// secretFile is a file with a secret in it, for its owner alone.
func secretFile(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// step sends a form that leads on, and answers where.
func step(t *testing.T, c *caller, path string, pairs ...string) (next string) {
	t.Helper()
	r, err := c.post(path, pairs...)
	if err != nil || r.status != http.StatusSeeOther || strings.HasPrefix(r.location, "/officer/login?") {
		t.Fatalf("%s: %d %q %v\n%s", path, r.status, r.location, err, r.body)
	}
	return r.location
}

// cameByThaID has an officer come in by ThaID, after an answer that nobody asked for and one that ThaID itself takes for
// none and repeats.
func cameByThaID(t *testing.T, f *thaidtest.Fake, c *caller, citizen string) {
	t.Helper()
	f.Redirect = c.address + web.ThaIDCallback
	ask := func() url.Values {
		t.Helper()
		r, err := c.post("/officer/thaid", "next", "/officer/security")
		_, address, ok := strings.Cut(r.header.Get("Refresh"), "url=")
		if err != nil || !ok {
			t.Fatalf("ask ThaID: %d %v\n%s", r.status, err, r.body)
		}
		a := f.Agree(t, address, thaidtest.Claims{"pid": citizen, "given_name": "กมลวรรณ", "family_name": "ทองสุข"})
		return url.Values{"state": {a.State}, "code": {a.Code}, "iss": {a.Issuer}}
	}
	answer := func(q url.Values, want string) {
		t.Helper()
		r, err := c.get(web.ThaIDCallback + "?" + q.Encode())
		if err != nil || r.status != http.StatusSeeOther || r.location != want {
			t.Fatalf("ThaID leads to %d %q %v\n%s", r.status, r.location, err, r.body)
		}
	}
	spoilt := ask()
	f.Token = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"invalid_grant","error_description":"%s %s"}`, r.PostFormValue("code"), r.PostFormValue("code_verifier"))
	}
	answer(spoilt, "/officer/security")
	f.Token = nil
	forged := ask()
	forged.Set("state", seal.Token())
	answer(forged, "/my/rights")
	answer(ask(), "/officer/security")
}

// linkedPassword is what is set by a link of the help desk.
const linkedPassword = "มะพร้าวน้ำหอม-ตลาดน้ำ-6188"

// helpedBy has an agent answer the request for a new password of somebody, whom a code has proved and whose browser
// shows the page ticket, and that one set it. It answers the token of the link.
func helpedBy(t *testing.T, agent, asks *caller, ticket string, sent func() string) (token string) {
	t.Helper()
	step(t, asks, ticket+"/send", "channel", "email")
	step(t, asks, ticket+"/code", "code", sent())
	at := strings.Replace(ticket, "/officer/help/", "/help/cases/", 1)
	for _, act := range []string{"look", "claim", "account/start"} {
		step(t, agent, at+"/"+act)
	}
	outbox, err := newCaller(asks.address).get("/demo/outbox")
	found := regexp.MustCompile(regexp.QuoteMeta(signin.LinkPath) + `\?t=([\w-]+)`).FindStringSubmatch(outbox.body)
	if err != nil || found == nil {
		t.Fatalf("no link was sent: %v\n%s", err, outbox.body)
	}
	if r, err := asks.get(found[0]); err != nil || r.status != http.StatusOK {
		t.Fatalf("the link shows %d %v", r.status, err)
	}
	reset := step(t, asks, signin.LinkPath, "t", found[1])
	step(t, asks, reset+"/password", "password", linkedPassword, "password_again", linkedPassword)
	signedIn(t, asks.address, "3990000000201", linkedPassword)
	return found[1]
}

// What a channel of LINE works with, and who writes to it.
const (
	lineToken  = "planted+token/of=the+channel"
	lineSigner = "0123456789abcdef0123456789abcdef"
	lineUser   = "U4af4980629planted0user"
)

// lineServer takes what is sent by LINE. What does not answer a request for help it refuses, and repeats.
type lineServer struct {
	*httptest.Server
	sent chan string
}

func newLineServer(t *testing.T) lineServer {
	l := lineServer{sent: make(chan string, 4)}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Authorization") != "Bearer "+lineToken || !strings.Contains(string(body), lineUser) {
			t.Errorf("LINE is sent %q %v", body, err)
		}
		if !strings.Contains(string(body), "?t=") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"message":"%s %s","details":%s}`, r.Header.Get("Authorization"), lineUser, body)
		}
		l.sent <- string(body)
	}))
	t.Cleanup(l.Close)
	return l
}

// asks has somebody write by LINE, and complete on the web what he asks for. It answers the token by which he does.
func (l lineServer) asks(t *testing.T, c *caller, citizen string) (token string) {
	t.Helper()
	write := func(id, text string) string {
		t.Helper()
		body := fmt.Sprintf(`{"events":[{"type":"message","webhookEventId":"%s","source":{"type":"user","userId":"%s"},"message":{"type":"text","text":"%s"}}]}`, id, lineUser, text)
		for _, key := range []string{"wrong", lineSigner} {
			mac := hmac.New(sha256.New, []byte(key))
			mac.Write([]byte(body))
			request, err := http.NewRequest(http.MethodPost, c.address+"/line/webhook", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Line-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
			answer, err := c.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			if taken := answer.StatusCode == http.StatusOK; taken != (key == lineSigner) {
				t.Fatalf("a webhook is answered %d", answer.StatusCode)
			}
			if err := answer.Body.Close(); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case sent := <-l.sent:
			return sent
		case <-time.After(20 * time.Second):
			t.Fatal("nothing was sent by LINE")
			return ""
		}
	}
	write("planted0", "สวัสดีครับ "+citizen)
	found := regexp.MustCompile(`/officer/help\?t=([\w-]+)`).FindStringSubmatch(write("planted1", "ลืมรหัสผ่าน "+citizen))
	if found == nil {
		t.Fatal("no link was sent by LINE")
	}
	if r, err := c.get(found[0]); err != nil || r.status != http.StatusOK {
		t.Fatalf("the link shows %d %v", r.status, err)
	}
	step(t, c, "/officer/help", "t", found[1], "kind", "reset", "citizen_id", citizen, "name", "ผู้ร้องลับ", "position", "นักวิชาการ", "unit", "TH-12", "email", "line@example.go.th")
	return found[1]
}

// unzipped is all that is in an archive, laid open.
func unzipped(t *testing.T, archive string) string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range z.File {
		f, err := file.Open()
		if err == nil {
			_, err = io.Copy(&all, f)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// TestRestorePostgres follows docs/operations.md: what PostgreSQL's own tools dump and restore is the same log, and the
// program serves from it with the same keys.
func TestRestorePostgres(t *testing.T) {
	from, to := storetest.Postgres(t), storetest.Postgres(t)
	folder := t.TempDir()
	password, keys, dump := filepath.Join(folder, "password"), filepath.Join(folder, "keys.json"), filepath.Join(folder, "sitthi.dump")
	if err := os.WriteFile(password, []byte(adminPassword), 0o600); err != nil {
		t.Fatal(err)
	}
	args := func(address string) []string { return []string{"--database", address, "--keys", keys} }
	said, status := command(t, append([]string{"admin", "create", "--citizen", "1990000000019", "--given-name", "สมหญิง", "--family-name", "ระบบดี",
		"--position", "นักวิชาการคอมพิวเตอร์", "--email", "somying@diw.example.go.th", "--phone", "0812345678", "--password-file", password}, args(from)...)...)
	if status != 0 {
		t.Fatal(said)
	}
	p := serving(t, args(from)...)
	signedIn(t, p.address, "1990000000019", adminPassword)
	until(t, "the log is sealed", 20*time.Second, func() bool { return p.figure(t, "sitthi_audit_unsealed") == 0 })
	for _, tool := range [][]string{
		{"pg_dump", "--format=custom", "--file=" + dump, from},
		{"pg_restore", "--exit-on-error", "--dbname=" + to, dump},
	} {
		if out, err := exec.Command(postgresTool(t, tool[0]), tool[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", tool[0], err, out)
		}
	}
	if status := p.stop(t); status != 0 {
		t.Error(p.said)
	}
	noKeys(t, folder, dump)
	if was, is := rootOf(t, whole(t, args(from)...)), rootOf(t, whole(t, args(to)...)); was != is {
		t.Errorf("the root was %s and is %s", was, is)
	}
	if said, status := command(t, append([]string{"restore", "--check"}, args(to)...)...); status != 0 || !strings.Contains(said, "holds           1 persons, 1 accounts") || !strings.Contains(said, "each opened with "+keys) {
		t.Errorf("the drill: %d\n%s", status, said)
	}
	again := serving(t, args(to)...)
	signedIn(t, again.address, "1990000000019", adminPassword)
	if status := again.stop(t); status != 0 {
		t.Error(again.said)
	}
}

// postgresTool finds a program of PostgreSQL, which Debian keeps outside PATH; the newest one wins.
func postgresTool(t *testing.T, name string) string {
	t.Helper()
	all, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) > 0 {
		return all[len(all)-1]
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("PostgreSQL is here without its %s: %v", name, err)
	}
	return path
}

package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
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

	"sitthi/internal/store"
	"sitthi/internal/storetest"
	clerk "sitthi/officer"
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

// TestSecretsStayOut follows the tale of an officer, from registration to a right, and then looks for his secrets in
// all that the program wrote: its log with everything in it, its figures, its database, and a backup laid open.
func TestSecretsStayOut(t *testing.T) {
	folder, args := demonstration(t)
	p := serving(t, append([]string{"--demo", "--log-level", "debug"}, args...)...)
	citizen, password, wrong := stranger(900001), "ข้าวเหนียว-ทุเรียน-4455", "ไม่ใช่รหัสผ่าน-ของใคร-77"
	phone, mail := "899990001", "planted.secret@industry.example.go.th" // the phone as it is in +66… and 0…
	officer := newCaller(p.address)
	secrets := map[string]string{"citizen ID": citizen, "password": password, "wrong password": wrong, "demonstration's password": demoPassword}
	for _, a := range demoAccounts {
		secrets["citizen ID of "+a.citizen] = a.citizen
	}
	private := map[string]string{string(clerk.ProvePhone): phone, string(clerk.ProveEmail): mail, "name": "พยานลับ"}
	codes := map[string]string{}

	form := []string{"citizen_id", citizen, "phone", "0" + phone, "given_name", "พยานลับ", "family_name", "ปลูกไว้", "position", "นักวิชาการ", "unit", "TH-12",
		"email", mail, "line_id", "planted", "password", password, "password_again", password, "terms", "2569-1"}
	r, err := officer.post("/officer/register", form...)
	for _, step := range []clerk.Step{clerk.ProveEmail, clerk.ProvePhone} {
		if err != nil || r.status != http.StatusSeeOther {
			t.Fatalf("register: %d %v\n%s", r.status, err, r.body)
		}
		flow, code := r.location, ""
		until(t, "a code is sent", 10*time.Second, func() bool {
			outbox, err := officer.get("/demo/outbox")
			if err != nil {
				t.Fatal(err)
			}
			_, card, _ := strings.Cut(outbox.body, private[string(step)])
			card, _, _ = strings.Cut(card, "</section>")
			code = regexp.MustCompile(`\b[0-9]{6}\b`).FindString(card)
			return code != ""
		})
		codes[string(step)] = code
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
	for _, path := range []string{"/ko1/rights?citizen=" + citizen, "/ko1/rights/consider?q=" + citizen, "/ko1/rights/all/export.csv", "/" + citizen} {
		if _, err := chief.get(path); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := officer.get("/my/rights"); err != nil || !strings.Contains(r.body, "นนทบุรี") {
		t.Fatalf("the tale went wrong: %d %v\n%s", r.status, err, r.body)
	}
	for _, c := range []*caller{officer, chief} {
		for name, value := range c.cookies {
			if !strings.HasSuffix(name, "language") {
				secrets["cookie "+name+" "+value[:4]] = value
			}
		}
	}
	_, figures, _ := get(t, http.DefaultClient, p.metrics)
	written := map[string]string{"metrics": figures}
	for _, name := range []string{"sitthi.db", "sitthi.db-wal"} {
		raw, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		written[name] = string(raw)
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(folder, "backup.age")
	if said, status := command(t, append([]string{"backup", "--to", backup, "--backup-recipient", identity.Recipient().String()}, args...)...); status != 0 {
		t.Fatal(said)
	}
	plain := filepath.Join(folder, "plain")
	if err := decrypt(t.Context(), backup, plain, []age.Identity{identity}); err != nil {
		t.Fatal(err)
	}
	written["backup"] = string(noKeys(t, folder, plain, backup))
	if status := p.stop(t); status != 0 {
		t.Error(p.said)
	}
	log := p.said.String()
	// The list of the demonstration's accounts is shown on purpose.
	list := strings.Index(log, "การสาธิต")
	if end := strings.Index(log, "3990000000503"); list >= 0 && end > list {
		log = log[:list] + log[end+len("3990000000503"):]
	}
	written["log"] = log
	if !strings.Contains(log, "level=DEBUG") && !strings.Contains(log, "level=INFO") {
		t.Errorf("nothing was logged:\n%s", log)
	}
	for where, text := range written {
		for what, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s is in the %s", what, where)
			}
		}
		for what, secret := range codes {
			if regexp.MustCompile(`\b` + secret + `\b`).MatchString(text) {
				t.Errorf("the code by %s is in the %s", what, where)
			}
		}
	}
	for what, text := range private {
		if strings.Contains(written["log"], text) || strings.Contains(written["metrics"], text) {
			t.Errorf("%s is in the log or the metrics", what)
		}
	}
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

package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"filippo.io/age"
	"github.com/pressly/goose/v3"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"sitthi/internal/config"
)

// sitthi runs a command and answers what it printed.
func sitthi(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, nil, &out, io.Discard)
	return out.String(), err
}

// administered makes a database with an administrator in it, and so with entries in the log, and seals them.
func administered(t *testing.T) {
	t.Helper()
	if err := os.WriteFile("password", []byte(adminPassword), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &adminCreate{
		Database: config.Database{URL: "sqlite:var/sitthi.db"}, Citizen: "1990000000019", GivenName: "สมหญิง", FamilyName: "ระบบดี",
		Position: "นักวิชาการคอมพิวเตอร์", Unit: "ICT", Email: "somying@diw.example.go.th", Phone: "0812345678", PasswordFile: "password",
	}
	if _, _, err := typing(t, c, ""); err != nil {
		t.Fatal(err)
	}
	s := serveWith(t)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if out, err := sitthi(t, "audit", "verify"); err == nil && strings.Contains(out, "and 0 that wait") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the log is not sealed")
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}

var rootLine = regexp.MustCompile(`(?m)^root +(\S+)$`)

func rootOf(t *testing.T, report string) string {
	t.Helper()
	m := rootLine.FindStringSubmatch(report)
	if m == nil {
		t.Fatalf("no root in %q", report)
	}
	return m[1]
}

func TestBackupAndRestore(t *testing.T) {
	t.Chdir(t.TempDir())
	administered(t)
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"identity": identity.String() + "\n", "passphrase": "ห้าหกเจ็ดแปด\n", "wrong": "x\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before, err := sitthi(t, "audit", "verify")
	if err != nil {
		t.Fatal(err)
	}
	root := rootOf(t, before)

	s := serveWith(t) // backups are taken while the program serves
	for name, lock := range map[string]struct{ shut, open []string }{
		"recipient":  {[]string{"--backup-recipient", identity.Recipient().String()}, []string{"--backup-identity-file", "identity"}},
		"passphrase": {[]string{"--backup-passphrase-file", "passphrase"}, []string{"--backup-passphrase-file", "passphrase"}},
	} {
		file := name + ".age"
		out, err := sitthi(t, append([]string{"backup", "--to", file}, lock.shut...)...)
		if err != nil || !strings.Contains(out, root) {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		raw, err := os.ReadFile(file)
		if err != nil || !bytes.HasPrefix(raw, []byte("age-encryption.org/")) || bytes.Contains(raw, []byte("SQLite format")) {
			t.Errorf("%s: the backup is not sealed (%v)", name, err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: others can read it: %v %v", name, info.Mode(), err)
		}
		if _, err := sitthi(t, append([]string{"backup", "--to", file}, lock.shut...)...); err == nil {
			t.Errorf("%s: a backup was written over another", name)
		}
		restore := append([]string{"restore", "--from", file, "--database", "sqlite:to/" + name + "/sitthi.db", "--keys", "var/keys.json"}, lock.open...)
		out, err = sitthi(t, restore...)
		if err != nil || rootOf(t, out) != root {
			t.Fatalf("%s: root was %s: %v\n%s", name, root, err, out)
		}
		if _, err := sitthi(t, restore...); err == nil || !strings.Contains(err.Error(), "exists already") {
			t.Errorf("%s: restored over a database: %v", name, err)
		}
		after, err := sitthi(t, "audit", "verify", "--database", "sqlite:to/"+name+"/sitthi.db", "--keys", "var/keys.json")
		if err != nil || rootOf(t, after) != root {
			t.Errorf("%s: %v\n%s", name, err, after)
		}
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	restored := serveWith(t, "--database", "sqlite:to/recipient/sitthi.db", "--keys", "var/keys.json")
	if err := restored.stop(); err != nil {
		t.Error(err)
	}
	nothingLeft(t, ".", "var", "to/recipient", "to/passphrase")

	for _, args := range [][]string{
		{"backup", "--to", "y"},
		{"backup", "--to", "y", "--backup-recipient", "age1nobody"},
		{"backup", "--to", "y", "--backup-recipients-file", "absent"},
		{"backup", "--to", "y", "--backup-recipients-file", "identity"}, // a secret key in the place of a public one
		{"backup", "--to", "y", "--backup-passphrase-file", "passphrase", "--backup-recipient", identity.Recipient().String()},
		{"backup", "--to", "y", "--backup-passphrase-file", "passphrase", "--database", "sqlite:absent/x.db"},
		{"backup", "--to", "absent/y", "--backup-passphrase-file", "passphrase"},
	} {
		_, err := sitthi(t, args...)
		if err == nil || !strings.Contains(err.Error(), "--") && !strings.Contains(err.Error(), "absent") {
			t.Errorf("%v: %v", args, err)
		}
		if err != nil && strings.Contains(err.Error(), identity.String()) {
			t.Errorf("%v tells a secret key: %v", args, err)
		}
		if _, err := os.Stat("y"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v left a file", args)
		}
	}
	_, err = sitthi(t, "backup", "--to", "y", "--database", "postgres://x@h/n", "--backup-passphrase-file", "passphrase")
	if err == nil || !strings.Contains(err.Error(), "pg_dump") {
		t.Errorf("PostgreSQL: %v", err)
	}
}

// nothingLeft fails when something unfinished lies in one of the folders.
func nothingLeft(t *testing.T, folders ...string) {
	t.Helper()
	for _, folder := range folders {
		if left, err := filepath.Glob(filepath.Join(folder, ".sitthi-*")); err != nil || len(left) > 0 {
			t.Errorf("left: %v %v", left, err)
		}
	}
}

// TestBackupRecipients encrypts to many keys at once, of age and of SSH, from a file with comments: each of their owners
// opens the backup, and nobody else.
func TestBackupRecipients(t *testing.T) {
	t.Chdir(t.TempDir())
	administered(t)
	file := "# who can open our backups\n\n"
	secrets := map[string][]byte{}
	for _, name := range []string{"age, first", "age, second"} {
		identity, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		file += "  # " + name + "\n" + identity.Recipient().String() + "\r\n"
		secrets[name] = []byte("# created: 2026-11-22\n" + identity.String() + "\n")
	}
	_, ed25519Key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"ssh-ed25519": ed25519Key, "ssh-rsa": rsaKey} {
		public, err := ssh.NewPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		file += strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))) + " somchai@diw\n"
		block, err := ssh.MarshalPrivateKey(key, "")
		if err != nil {
			t.Fatal(err)
		}
		secrets[name] = pem.EncodeToMemory(block)
	}
	if err := os.WriteFile("recipients", []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	fifth, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := sitthi(t, "backup", "--to", "a.age", "--backup-recipients-file", "recipients", "--backup-recipient", fifth.Recipient().String()); err != nil {
		t.Fatal(err, out)
	}
	secrets["from the command line"] = []byte(fifth.String())
	for name, secret := range secrets {
		if err := os.WriteFile("secret", secret, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := sitthi(t, "restore", "--check", "--from", "a.age", "--backup-identity-file", "secret")
		if err != nil || !strings.Contains(out, "a.age can be restored; nothing was kept") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	nothingLeft(t, "var", ".")

	// Secrets that are locked themselves are refused, with what to do.
	locked, err := ssh.MarshalPrivateKeyWithPassphrase(ed25519Key, "", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	passphrase, err := age.NewScryptRecipient("x")
	if err != nil {
		t.Fatal(err)
	}
	passphrase.SetWorkFactor(10)
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, passphrase)
	if err == nil {
		_, err = w.Write(secrets["age, first"])
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		secret []byte
		want   string
	}{
		"ssh with a passphrase": {pem.EncodeToMemory(locked), "ssh-keygen -p"},
		"age with a passphrase": {sealed.Bytes(), "age --decrypt"},
		"nonsense":              {[]byte("nonsense"), "--backup-identity-file"},
		"a stranger's":          {[]byte(stranger.String()), "can not be opened with this key"},
	} {
		if err := os.WriteFile("secret", tt.secret, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := sitthi(t, "restore", "--check", "--from", "a.age", "--backup-identity-file", "secret"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is in a locked file comes by a pipe, as the message says.
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	piped := launchPiped(t, string(secrets["age, second"]), "restore", "--check", "--from", filepath.Join(here, "a.age"), "--backup-identity-file", "/dev/stdin",
		"--database", "sqlite:"+filepath.Join(here, "var/sitthi.db"))
	if status := piped.exit(t); status != 0 {
		t.Errorf("by a pipe: %d\n%s", status, piped.said)
	}
}

// TestDamagedBackup flips a bit in every byte of a backup's head and at many places of its body, and cuts it off there:
// none of it is taken for a backup.
func TestDamagedBackup(t *testing.T) {
	t.Chdir(t.TempDir())
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("0123456789abcdef"), 12_500) // four chunks of age, the last one short
	if err := os.WriteFile("content", content, 0o600); err != nil {
		t.Fatal(err)
	}
	name, err := encrypt(t.Context(), "content", ".", []age.Recipient{identity.Recipient()})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	open := func(backup []byte) error {
		if err := os.WriteFile("backup", backup, 0o600); err != nil {
			t.Fatal(err)
		}
		err := decrypt(t.Context(), "backup", "plain", []age.Identity{identity})
		if removing := os.Remove("plain"); removing != nil && !errors.Is(removing, os.ErrNotExist) {
			t.Fatal(removing)
		}
		return err
	}
	if err := open(whole); err != nil {
		t.Fatal(err)
	}
	head := len(whole) - len(content) - 4*16
	for at := 0; at < len(whole); at++ {
		if at > head && at < len(whole)-16 {
			at += min(1021, len(whole)-17-at)
		}
		flipped := bytes.Clone(whole)
		flipped[at] ^= 1 << (at % 8)
		for what, backup := range map[string][]byte{"a bit flipped at": flipped, "cut off at": whole[:at]} {
			if err := open(backup); err == nil || !strings.Contains(err.Error(), "--from") {
				t.Fatalf("%s %d of %d: %v", what, at, len(whole), err)
			}
		}
	}
	if err := open(append(bytes.Clone(whole), 0)); err == nil {
		t.Error("something more at the end")
	}
}

// TestRestoreRefuses lets every restore fail that must, and looks that nothing of it stays.
func TestRestoreRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	administered(t)
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	must := func(errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile("identity", []byte(identity.String()), 0o600), os.WriteFile("wrong", []byte("x\n"), 0o600), os.WriteFile("passphrase", []byte("ห้าหก\n"), 0o600))
	for file, lock := range map[string][]string{
		"good.age": {"--backup-recipient", identity.Recipient().String()}, "passphrase.age": {"--backup-passphrase-file", "passphrase"},
	} {
		_, err := sitthi(t, append([]string{"backup", "--to", file}, lock...)...)
		must(err)
	}
	good, err := os.ReadFile("good.age")
	must(err)
	damaged := bytes.Clone(good)
	damaged[len(damaged)/2] ^= 1
	must(os.WriteFile("damaged.age", damaged, 0o600), os.WriteFile("cut.age", good[:len(good)/2], 0o600))
	seal := func(content, to string) {
		name, err := encrypt(t.Context(), content, ".", []age.Recipient{identity.Recipient()})
		must(err, os.Rename(name, to))
	}
	seal("wrong", "text.age")
	foreign, err := sql.Open("sqlite", "foreign.db")
	must(err)
	_, err = foreign.Exec("CREATE TABLE t (n INTEGER)")
	must(err, foreign.Close())
	seal("foreign.db", "foreign.age")
	_, err = sitthi(t, "migrate", "--database", "sqlite:other/x.db")
	must(err)

	open := []string{"--backup-identity-file", "identity", "--keys", "var/keys.json"}
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"wrong passphrase":           {[]string{"--from", "passphrase.age", "--backup-passphrase-file", "wrong", "--keys", "var/keys.json"}, "can not be opened with this key or passphrase"},
		"a key for a passphrase":     {append([]string{"--from", "passphrase.age"}, open...), "can not be opened with this key or passphrase"},
		"a bit flipped":              {append([]string{"--from", "damaged.age"}, open...), "cut off or damaged"},
		"cut off":                    {append([]string{"--from", "cut.age"}, open...), "cut off or damaged"},
		"absent":                     {append([]string{"--from", "absent.age"}, open...), "no such file"},
		"no backup named":            {open, "--from"},
		"the database itself":        {append([]string{"--from", "var/sitthi.db"}, open...), "is no backup, or damaged"},
		"another file encrypted":     {append([]string{"--from", "text.age"}, open...), "not a database"},
		"another database":           {append([]string{"--from", "foreign.age"}, open...), "no database of Sitthi"},
		"no lock":                    {[]string{"--from", "good.age", "--keys", "var/keys.json"}, "--backup-identity-file"},
		"without keys":               {[]string{"--from", "good.age", "--backup-identity-file", "identity"}, "--keys"},
		"with other keys":            {[]string{"--from", "good.age", "--backup-identity-file", "identity", "--keys", "other/keys.json"}, "--keys"},
		"over a database":            {append([]string{"--from", "good.age", "--database", "sqlite:var/sitthi.db"}, open...), "exists already"},
		"to PostgreSQL":              {append([]string{"--from", "good.age", "--database", "postgres://x@h/n"}, open...), "pg_restore"},
		"to PostgreSQL, to be tried": {append([]string{"--from", "good.age", "--check", "--database", "postgres://x@h/n"}, open...), "pg_restore"},
	} {
		args := append([]string{"restore"}, tt.args...)
		if !slices.Contains(args, "--database") {
			args = append(args, "--database", "sqlite:none/x.db")
		}
		if _, err := sitthi(t, args...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := os.ReadDir("none"); err != nil && !errors.Is(err, os.ErrNotExist) || len(left) > 0 {
			t.Errorf("%s: left %v %v", name, left, err)
		}
	}

	// No room: the shell's limit on the size of files stands for a full disk.
	self, err := os.Executable()
	must(err)
	here, err := os.Getwd()
	must(err, os.MkdirAll("none", 0o700))
	for _, args := range [][]string{
		{"restore", "--from", here + "/good.age", "--database", "sqlite:" + here + "/none/x.db", "--backup-identity-file", here + "/identity", "--keys", here + "/var/keys.json"},
		{"backup", "--to", here + "/none/x.age", "--backup-recipient", identity.Recipient().String(), "--database", "sqlite:" + here + "/var/sitthi.db"},
	} {
		c := exec.Command("sh", append([]string{"-c", `ulimit -f 200; exec "$0" "$@"`, self}, args...)...)
		c.Dir, c.Env = packageFolder, append(os.Environ(), asProgram+"=1")
		said, err := c.CombinedOutput()
		if err == nil || !bytes.Contains(said, []byte("too large")) && !bytes.Contains(said, []byte("disk")) {
			t.Errorf("%s without room: %v %s", args[0], err, said)
		}
		if left, err := os.ReadDir("none"); err != nil || len(left) > 0 {
			t.Errorf("%s left %v %v", args[0], left, err)
		}
		nothingLeft(t, "none", "var")
	}
}

// TestRestoreInterrupted breaks a restore off in the middle, as an operator and as a power cut would, and a backup too:
// nothing stands under the name that was asked for, and the next one takes away what was left.
func TestRestoreInterrupted(t *testing.T) {
	t.Chdir(t.TempDir())
	administered(t)
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("identity", []byte(identity.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := sitthi(t, "backup", "--to", "good.age", "--backup-recipient", identity.Recipient().String()); err != nil {
		t.Fatal(err, out)
	}
	good, err := os.ReadFile("good.age")
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	half := len(good) / 2
	for how, end := range map[string]func(p *process, feed *os.File){
		"killed": func(p *process, _ *os.File) { p.kill(t) },
		"told to end": func(p *process, feed *os.File) {
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			<-time.After(50 * time.Millisecond)
			_, err := feed.Write(good[half:]) // it looks at its signal between two reads
			if status := p.exit(t); status == 0 {
				t.Errorf("it went on: %v\n%s", err, p.said)
			}
			nothingLeft(t, "to")
		},
	} {
		if err := unix.Mkfifo("pipe", 0o600); err != nil {
			t.Fatal(err)
		}
		p := launch(t, "restore", "--from", here+"/pipe", "--backup-identity-file", here+"/identity", "--database", "sqlite:"+here+"/to/x.db", "--keys", here+"/var/keys.json")
		var feed *os.File
		until(t, "it reads", 20*time.Second, func() (open bool) {
			feed, err = os.OpenFile("pipe", os.O_WRONLY|syscall.O_NONBLOCK, 0) // fails while nobody reads
			return err == nil
		})
		if _, err := feed.Write(good[:half]); err != nil {
			t.Fatal(err)
		}
		until(t, "it writes", 20*time.Second, func() bool {
			list, err := filepath.Glob("to/.sitthi-restore-*/plain.db")
			return err == nil && len(list) == 1
		})
		end(p, feed)
		if err := errors.Join(feed.Close(), os.Remove("pipe")); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat("to/x.db"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: there is a database: %v", how, err)
		}
	}
	killed := launch(t, "backup", "--to", here+"/killed.age", "--backup-recipient", identity.Recipient().String(), "--database", "sqlite:"+here+"/var/sitthi.db")
	until(t, "it copies", 20*time.Second, func() bool {
		list, err := filepath.Glob("var/.sitthi-backup-*")
		return err == nil && len(list) == 1 || killed.ended()
	})
	killed.kill(t)
	if _, err := os.Stat("killed.age"); err == nil { // it was faster
		if out, err := sitthi(t, "restore", "--check", "--from", "killed.age", "--backup-identity-file", "identity"); err != nil {
			t.Errorf("a backup under its name is not whole: %v\n%s", err, out)
		}
	}
	if out, err := sitthi(t, "backup", "--to", "again.age", "--backup-recipient", identity.Recipient().String()); err != nil {
		t.Fatal(err, out)
	}
	if out, err := sitthi(t, "restore", "--from", "again.age", "--backup-identity-file", "identity", "--database", "sqlite:to/x.db", "--keys", "var/keys.json"); err != nil {
		t.Fatal(err, out)
	}
	nothingLeft(t, "var", "to")
}

// TestRestoreOfOlder restores what an older program backed up: a version later it must not be lost.
func TestRestoreOfOlder(t *testing.T) {
	migrations := fstest.MapFS{}
	files, err := filepath.Glob("../../internal/store/migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, ".postgres.sql") {
			migrations[filepath.Base(name)] = &fstest.MapFile{Data: raw}
		}
	}
	t.Chdir(t.TempDir())
	if out, err := sitthi(t, "migrate"); err != nil {
		t.Fatal(err, out)
	}
	db, err := sql.Open("sqlite", "older.db")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	older, err := goose.NewProvider(goose.DialectSQLite3, db, migrations)
	if err != nil {
		t.Fatal(err)
	}
	all := older.ListSources()
	if _, err := older.UpTo(t.Context(), all[len(all)-2].Version); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"ATTACH 'var/sitthi.db' AS newer",
		"INSERT INTO installation SELECT * FROM newer.installation", "INSERT INTO seal_keys SELECT * FROM newer.seal_keys",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("identity", []byte(identity.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	name, err := encrypt(t.Context(), "older.db", ".", []age.Recipient{identity.Recipient()})
	if err != nil {
		t.Fatal(err)
	}
	out, err := sitthi(t, "restore", "--from", name, "--backup-identity-file", "identity", "--database", "sqlite:to/x.db", "--keys", "var/keys.json")
	if err != nil || !strings.Contains(out, "made by an older program") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := sitthi(t, "audit", "verify", "--database", "sqlite:to/x.db", "--keys", "var/keys.json"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"sitthi/audit"
	"sitthi/internal/config"
	"sitthi/internal/store"
)

// backupCommand copies a SQLite database while it is being served.
type backupCommand struct {
	config.Database `embed:""`

	To             string   `required:"" placeholder:"FILE" help:"File to write; it must not exist."`
	Recipients     []string `name:"backup-recipient" xor:"lock" placeholder:"AGE1…" help:"Who can open it: public keys of age, as age-keygen prints them."`
	PassphraseFile string   `name:"backup-passphrase-file" xor:"lock" placeholder:"FILE" help:"Or file with a passphrase; also the systemd credential backup-passphrase."`
}

// Run writes one state of the whole database, encrypted, and tells the root of the audit log in it.
func (c *backupCommand) Run(ctx context.Context, sh *shell, secrets config.Secrets) (err error) {
	if err := onlySQLite(c.URL); err != nil {
		return err
	}
	recipients, err := c.recipients(secrets)
	if err != nil {
		return err
	}
	if err := absent("to", c.To); err != nil {
		return err
	}
	v, err := openExisting(ctx, &c.Database, secrets, newClock())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.db.Close()) }()
	// Both lie beside the target: whoever may read backups may read this folder, and a rename stays within a disk.
	folder, err := os.MkdirTemp(filepath.Dir(c.To), ".sitthi-backup-*")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	plain := filepath.Join(folder, "plain.db")
	if err := vacuumInto(ctx, v.db.Path(), plain); err != nil {
		return err
	}
	if err := encrypt(plain, filepath.Join(folder, "sealed"), recipients); err != nil {
		return err
	}
	summary, err := logOf(ctx, plain)
	if err != nil {
		return err
	}
	if err := place(filepath.Join(folder, "sealed"), c.To); err != nil {
		return err
	}
	_, err = fmt.Fprintf(sh.out, "backup written to %s\n%s", c.To, summary)
	return err
}

func (c *backupCommand) recipients(secrets config.Secrets) ([]age.Recipient, error) {
	if len(c.Recipients) == 0 {
		passphrase, err := secrets.Read("backup-passphrase-file", c.PassphraseFile)
		if err != nil {
			return nil, err
		}
		if passphrase == "" {
			return nil, config.Wrong("backup-recipient", "a backup is always encrypted: name who can open it, or a --backup-passphrase-file")
		}
		r, err := age.NewScryptRecipient(passphrase)
		if err != nil {
			return nil, config.Wrong("backup-passphrase-file", "%w", err)
		}
		return []age.Recipient{r}, nil
	}
	list, err := age.ParseRecipients(strings.NewReader(strings.Join(c.Recipients, "\n")))
	if err != nil {
		return nil, config.Wrong("backup-recipient", "%w", err)
	}
	return list, nil
}

// restoreCommand brings a backup back.
type restoreCommand struct {
	config.Database `embed:""`

	From           string `required:"" placeholder:"FILE" help:"Backup to read. It goes to --database, which must not exist; its keys must."`
	IdentityFile   string `name:"backup-identity-file" xor:"lock" placeholder:"FILE" help:"File with the secret key of age, as age-keygen writes it; also the systemd credential backup-identity."`
	PassphraseFile string `name:"backup-passphrase-file" xor:"lock" placeholder:"FILE" help:"Or file with the passphrase; also the systemd credential backup-passphrase."`
}

// Run writes the database under its name only once it is whole and the audit log in it verifies.
func (c *restoreCommand) Run(ctx context.Context, sh *shell, secrets config.Secrets) (err error) {
	if err := onlySQLite(c.URL); err != nil {
		return err
	}
	target := strings.TrimPrefix(c.URL, "sqlite:")
	for _, name := range []string{target, target + "-wal", target + "-shm"} {
		if err := absent("database", name); err != nil {
			return err
		}
	}
	identities, err := c.identities(secrets)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	folder, err := os.MkdirTemp(filepath.Dir(target), ".sitthi-restore-*")
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	plain := filepath.Join(folder, "plain.db")
	if err := decrypt(c.From, plain, identities); err != nil {
		return err
	}
	if err := intact(ctx, plain); err != nil {
		return err
	}
	if err := c.verify(ctx, sh, secrets, plain); err != nil {
		return err
	}
	if err := place(plain, target); err != nil {
		return err
	}
	_, err = fmt.Fprintf(sh.out, "restored to %s\n", target)
	return err
}

func (c *restoreCommand) identities(secrets config.Secrets) ([]age.Identity, error) {
	path, err := secrets.Path("backup-identity-file", c.IdentityFile)
	if err != nil {
		return nil, err
	}
	if path != "" && c.PassphraseFile == "" {
		f, err := os.Open(path)
		if err != nil {
			return nil, config.Wrong("backup-identity-file", "%w", err)
		}
		defer f.Close() // it was only read
		list, err := age.ParseIdentities(f)
		if err != nil {
			return nil, config.Wrong("backup-identity-file", "%w", err)
		}
		return list, nil
	}
	passphrase, err := secrets.Read("backup-passphrase-file", c.PassphraseFile)
	if err != nil {
		return nil, err
	}
	if passphrase == "" {
		return nil, config.Wrong("backup-identity-file", "name the file of the secret key, or a --backup-passphrase-file")
	}
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, config.Wrong("backup-passphrase-file", "%w", err)
	}
	return []age.Identity{identity}, nil
}

// verify opens the restored database with the installation's keys and checks its audit log.
func (c *restoreCommand) verify(ctx context.Context, sh *shell, secrets config.Secrets, plain string) error {
	keyFile, err := c.KeyFile(secrets)
	if err != nil {
		return err
	}
	v, err := openExisting(ctx, &config.Database{URL: "sqlite:" + plain, Keys: keyFile}, secrets, newClock())
	if err != nil {
		return err
	}
	report, err := audit.Verify(ctx, v.db, v.ring)
	if err := errors.Join(err, v.db.Close()); err != nil {
		return err
	}
	return tellAudit(sh.out, report)
}

// absent fails when there is a file already where one is to be written.
func absent(flag, name string) error {
	_, err := os.Lstat(name)
	switch {
	case err == nil:
		return config.Wrong(flag, "%s exists already: name another path", name)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return config.Wrong(flag, "%w", err)
}

func onlySQLite(address string) error {
	if strings.HasPrefix(address, "sqlite:") {
		return nil
	}
	return config.Wrong("database", "PostgreSQL has tools of its own: pg_dump --format=custom, pg_restore, and WAL archiving; see docs/operations.md")
}

// raw opens a SQLite file past the store, for what the store does not do: it never runs outside a transaction.
func raw(path, mode string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode="+mode+"&_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, nil
}

// vacuumInto copies one state of a database that is in use.
func vacuumInto(ctx context.Context, from, to string) error {
	db, err := raw(from, "rw")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("copy database: %w", err)
	}
	return nil
}

// intact has SQLite look at every page of a database, and at its references.
func intact(ctx context.Context, path string) error {
	db, err := raw(path, "rw")
	if err != nil {
		return err
	}
	var said string
	err = db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&said)
	if err == nil && said != "ok" {
		err = errors.New(said)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("the database in the backup is damaged: %w", err)
	}
	return nil
}

// logOf tells the newest checkpoint of the audit log in a copy.
func logOf(ctx context.Context, path string) (string, error) {
	db, err := store.Open(ctx, store.Options{URL: "sqlite:" + path, Clock: newClock()})
	if err != nil {
		return "", err
	}
	checkpoint, err := audit.Latest(ctx, db)
	if err := errors.Join(err, db.Close()); err != nil {
		return "", err
	}
	if checkpoint == "" {
		return "its audit log has no checkpoint yet\n", nil
	}
	return "its audit log ends with the checkpoint\n" + checkpoint, nil
}

func encrypt(from, to string, recipients []age.Recipient) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("encrypt backup: %w", err)
	}
	defer in.Close() // it was only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("encrypt backup: %w", err)
	}
	sealed, err := age.Encrypt(out, recipients...)
	if err == nil {
		_, err = io.Copy(sealed, in)
		err = errors.Join(err, sealed.Close())
	}
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("encrypt backup: %w", err)
	}
	return nil
}

func decrypt(from, to string, identities []age.Identity) error {
	in, err := os.Open(from)
	if err != nil {
		return config.Wrong("from", "%w", err)
	}
	defer in.Close() // it was only read
	plain, err := age.Decrypt(in, identities...)
	if err != nil {
		return config.Wrong("from", "%s can not be opened: %w", from, err)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	_, err = io.Copy(out, plain)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// place gives a finished file its name, never over another, and sees to it that the name outlives a power cut.
func place(from, to string) error {
	if err := os.Link(from, to); err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	folder, err := os.Open(filepath.Dir(to))
	if err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	return nil
}

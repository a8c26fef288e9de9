package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"sitthi/audit"
	"sitthi/internal/config"
	"sitthi/internal/store"
)

// restoreCommand brings a backup back, or only tries whether it could.
type restoreCommand struct {
	config.Database `embed:""`

	From           string `placeholder:"FILE" help:"Backup to read. It goes to --database, which must not exist; its keys must."`
	Check          bool   `help:"Only try it: restore into a temporary folder beside --database, check everything, and keep nothing. On PostgreSQL, check the database that pg_restore has filled."`
	IdentityFile   string `name:"backup-identity-file" xor:"lock" placeholder:"FILE" help:"File with the secret key of age, or of SSH; also the systemd credential backup-identity."`
	PassphraseFile string `name:"backup-passphrase-file" xor:"lock" placeholder:"FILE" help:"Or file with the passphrase; also the systemd credential backup-passphrase."`
}

// Run writes the database under its name only once it is whole: every page, the audit log, and every sealed value.
func (c *restoreCommand) Run(ctx context.Context, sh *shell, secrets config.Secrets) (err error) {
	if !strings.HasPrefix(c.URL, "sqlite:") {
		if !c.Check || c.From != "" {
			return onlySQLite(c.URL)
		}
		return inspect(ctx, sh, &c.Database, secrets)
	}
	if c.From == "" {
		return config.Wrong("from", "name the backup")
	}
	target := strings.TrimPrefix(c.URL, "sqlite:")
	if !c.Check {
		for _, name := range []string{target, target + "-wal", target + "-shm"} {
			if err := absent("database", name); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
	}
	identities, err := c.identities(secrets)
	if err != nil {
		return err
	}
	keyFile, err := c.KeyFile(secrets)
	if err != nil {
		return err
	}
	folder, leave, err := workshop(filepath.Dir(target), "restore")
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, leave()) }()
	plain := filepath.Join(folder, "plain.db")
	if err := decrypt(ctx, c.From, plain, identities); err != nil {
		return err
	}
	if err := intact(ctx, plain); err != nil {
		return config.Wrong("from", "%w", err)
	}
	restored := &config.Database{URL: "sqlite:" + plain, Keys: keyFile}
	if err := bringUp(ctx, sh, restored, secrets); err != nil {
		return err
	}
	if err := inspect(ctx, sh, restored, secrets); err != nil {
		return err
	}
	if c.Check {
		_, err = fmt.Fprintf(sh.out, "%s can be restored; nothing was kept\n", c.From)
		return err
	}
	if err := place(plain, target); err != nil {
		return err
	}
	_, err = fmt.Fprintf(sh.out, "restored to %s\n", target)
	return err
}

// decrypt writes what is in a backup. What it wrote is worth nothing when it fails.
func decrypt(ctx context.Context, from, to string, identities []age.Identity) error {
	in, err := os.Open(from)
	if err != nil {
		return config.Wrong("from", "%w", err)
	}
	defer in.Close() // it was only read
	plain, err := age.Decrypt(cancellable{ctx, in}, identities...)
	if none := new(age.NoIdentityMatchError); errors.As(err, &none) {
		return config.Wrong("from", "%s can not be opened with this key or passphrase (%w)", from, err)
	}
	if err != nil {
		return config.Wrong("from", "%s is no backup, or damaged: %w", from, err)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	read := &failing{Reader: plain}
	_, err = io.Copy(out, read)
	err = errors.Join(err, out.Sync(), out.Close())
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case read.err != nil:
		return config.Wrong("from", "%s is cut off or damaged: %w", from, read.err)
	case err != nil:
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// failing is a reader that remembers its failure, to be told from a writer's.
type failing struct {
	io.Reader
	err error
}

// Read implements io.Reader.
func (f *failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
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

// bringUp migrates a restored database that an older program left.
func bringUp(ctx context.Context, sh *shell, d *config.Database, secrets config.Secrets) (err error) {
	db, err := openStore(ctx, d, secrets, newClock())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	have, want, err := versions(ctx, db)
	switch {
	case err != nil:
		return err
	case have == 0:
		return config.Wrong("from", "it holds no database of Sitthi")
	case have == want:
		return nil
	}
	if _, err := fmt.Fprintf(sh.out, "it was made by an older program: its database is brought from version %d up to %d\n", have, want); err != nil {
		return err
	}
	return db.Migrate(ctx)
}

// inspect checks all that can be checked of a database that was restored, and tells what is in it: that its audit log
// is whole, and that the keys of the installation open every sealed value.
func inspect(ctx context.Context, sh *shell, d *config.Database, secrets config.Secrets) (err error) {
	v, err := openExisting(ctx, d, secrets, newClock())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.db.Close()) }()
	report, err := audit.Verify(ctx, v.db, v.ring)
	if err != nil {
		return err
	}
	if err := tellAudit(sh.out, report); err != nil {
		return err
	}
	opened, err := keyDesk(v, slog.New(slog.DiscardHandler)).OpenAll(ctx)
	if err != nil {
		return fmt.Errorf("not every sealed value can be opened: %w", err)
	}
	var persons, accounts, grants, sent int64
	err = v.db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM persons), (SELECT count(*) FROM accounts), (SELECT count(*) FROM grants), (SELECT count(*) FROM messages)`).
			Scan(&persons, &accounts, &grants, &sent)
	})
	if err != nil {
		return fmt.Errorf("count what was restored: %w", err)
	}
	_, err = fmt.Fprintf(sh.out, "holds           %d persons, %d accounts, %d rights given, %d messages\nsealed values   %d, each opened with %s\n",
		persons, accounts, grants, sent, opened, v.ring.Path())
	return err
}

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
	"syscall"

	"filippo.io/age"

	"sitthi/audit"
	"sitthi/internal/config"
	"sitthi/internal/store"
)

// backupCommand copies a SQLite database while it is being served.
type backupCommand struct {
	config.Database `embed:""`

	To             string   `required:"" placeholder:"FILE" help:"File to write; it must not exist."`
	Recipients     []string `name:"backup-recipient" placeholder:"KEY" help:"Who can open it: a public key of age (age1…) or of SSH (ssh-ed25519, ssh-rsa). May be given again."`
	RecipientsFile string   `name:"backup-recipients-file" placeholder:"FILE" help:"File with such keys, one in a line; empty lines and those with # in front are left out."`
	PassphraseFile string   `name:"backup-passphrase-file" placeholder:"FILE" help:"Or file with a passphrase; also the systemd credential backup-passphrase."`
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
	// What is not encrypted stays beside the database: backups may go to another's disk.
	folder, leave, err := workshop(filepath.Dir(v.db.Path()), "backup")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() { err = errors.Join(err, leave()) }()
	plain := filepath.Join(folder, "plain.db")
	if err := vacuumInto(ctx, v.db.Path(), plain); err != nil {
		return err
	}
	sealed, err := encrypt(ctx, plain, filepath.Dir(c.To), recipients)
	if err != nil {
		return fmt.Errorf("encrypt backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(sealed)) }()
	summary, err := logOf(ctx, plain)
	if err != nil {
		return err
	}
	if err := place(sealed, c.To); err != nil {
		return err
	}
	_, err = fmt.Fprintf(sh.out, "backup written to %s\n%s", c.To, summary)
	return err
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

// encrypt writes a file's content, encrypted, to a new file in a folder, whose name is that of no backup.
func encrypt(ctx context.Context, from, folder string, recipients []age.Recipient) (name string, err error) {
	in, err := os.Open(from)
	if err != nil {
		return "", err
	}
	defer in.Close() // it was only read
	out, err := os.CreateTemp(folder, ".sitthi-backup-*")
	if err != nil {
		return "", err
	}
	sealed, err := age.Encrypt(out, recipients...)
	if err == nil {
		_, err = io.Copy(sealed, cancellable{ctx, in})
		err = errors.Join(err, sealed.Close())
	}
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return "", errors.Join(err, os.Remove(out.Name()))
	}
	return out.Name(), nil
}

// cancellable is a reader that reads until its context ends.
type cancellable struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader.
func (r cancellable) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// workshop makes a folder, in another one, for what is not encrypted and not finished; nobody else can enter it. leave
// takes it away. What processes left that were killed goes first: nobody holds the lock of their folders any more.
func workshop(in, kind string) (folder string, leave func() error, err error) {
	lock, err := locked(in, 0)
	if err != nil {
		return "", nil, err
	}
	defer lock.Close() // which gives the lock back
	prefix := ".sitthi-" + kind + "-"
	list, err := os.ReadDir(in)
	if err != nil {
		return "", nil, err
	}
	for _, entry := range list {
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		path := filepath.Join(in, entry.Name())
		left, err := locked(path, syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			continue
		}
		if err == nil {
			err = errors.Join(os.RemoveAll(path), left.Close())
		}
		if err != nil {
			return "", nil, err
		}
	}
	if folder, err = os.MkdirTemp(in, prefix+"*"); err != nil {
		return "", nil, err
	}
	held, err := locked(folder, 0)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(folder))
	}
	return folder, func() error { return errors.Join(os.RemoveAll(folder), held.Close()) }, nil
}

// locked opens a folder and locks it for this process.
func locked(folder string, how int) (*os.File, error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|how); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", folder, err), f.Close())
	}
	return f, nil
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

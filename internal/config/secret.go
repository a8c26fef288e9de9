package config

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Secrets finds passwords and keys in files: the ones that settings name, or those that systemd hands over. They are
// never taken from the command line or a variable, which others on the machine can read.
type Secrets struct {
	folder string // of systemd's credentials; "" when there is none
}

// Path answers the file of a secret: the one that the setting names, else systemd's credential of the flag's name, else
// "". It fails when there is a file and it is not Private.
func (s Secrets) Path(flag, setting string) (string, error) {
	if setting == "" && s.folder != "" {
		path := filepath.Join(s.folder, strings.TrimSuffix(flag, "-file"))
		_, err := os.Stat(path)
		switch {
		case err == nil:
			setting = path
		case !errors.Is(err, fs.ErrNotExist):
			return "", Wrong(flag, "%w", err)
		}
	}
	if setting == "" {
		return "", nil
	}
	return setting, s.Private(flag, setting)
}

// Private fails when others than its owner may read or write a file with a secret in it. systemd's credentials are as
// systemd made them: they lie in a folder that only the service sees, and are shown with a mode for the group. A file
// that is not there is no failure yet, and neither is a pipe.
func (s Secrets) Private(flag, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return Wrong(flag, "%w", err)
	}
	if s.folder != "" && filepath.Dir(filepath.Clean(path)) == filepath.Clean(s.folder) {
		return nil
	}
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o077 != 0 {
		return Wrong(flag, "others on this machine can use %s (mode %04o): take that away with chmod go= %s", path, mode.Perm(), path)
	}
	return nil
}

// Read answers the secret in the file of a setting, without the line's end, or "" when there is none. The flag and
// the credential have the same name.
func (s Secrets) Read(flag, setting string) (string, error) {
	path, err := s.Path(flag, setting)
	if err != nil || path == "" {
		return "", err
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", Wrong(flag, "%w", err)
	}
	secret := strings.TrimRight(string(raw), "\r\n")
	if secret == "" {
		return "", Wrong(flag, "%s is empty", path)
	}
	return secret, nil
}

// Database is where everything is kept, and with which keys. Every command that opens the database has these.
type Database struct {
	URL          string `name:"database" default:"sqlite:var/sitthi.db" placeholder:"URL" group:"Database" help:"Database: sqlite:PATH or postgres://USER@HOST/NAME (default sqlite:var/sitthi.db)."`
	PasswordFile string `name:"database-password-file" placeholder:"FILE" group:"Database" help:"File with the password of the PostgreSQL user; also the systemd credential database-password."`
	Keys         string `name:"keys" placeholder:"FILE" group:"Database" help:"Key file, made at the first start; also the systemd credential keys. Keep a copy apart from the backups (default keys.json beside a SQLite database, else var/keys.json)."`
}

// Validate says which setting is wrong; kong calls it.
func (d *Database) Validate() error {
	if path, ok := strings.CutPrefix(d.URL, "sqlite:"); ok {
		if path == "" {
			return Wrong("database", "sqlite: needs a path")
		}
		if d.PasswordFile != "" {
			return Wrong("database-password-file", "SQLite has no password")
		}
		return nil
	}
	u, err := url.Parse(d.URL)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return Wrong("database", "a database URL is sqlite:PATH or postgres://USER@HOST/NAME") // without the URL itself
	}
	if _, set := u.User.Password(); set || u.Query().Has("password") {
		return Wrong("database", "others on this machine could read the password: use --database-password-file")
	}
	return nil
}

// Address is the URL to open, with the password put in.
func (d *Database) Address(secrets Secrets) (string, error) {
	if strings.HasPrefix(d.URL, "sqlite:") {
		return d.URL, nil
	}
	password, err := secrets.Read("database-password-file", d.PasswordFile)
	if err != nil || password == "" {
		return d.URL, err
	}
	u, err := url.Parse(d.URL)
	if err != nil {
		return "", Wrong("database", "a database URL is sqlite:PATH or postgres://USER@HOST/NAME")
	}
	u.User = url.UserPassword(u.User.Username(), password)
	return u.String(), nil
}

// KeyFile is the file of the keys.
func (d *Database) KeyFile(secrets Secrets) (string, error) {
	path, err := secrets.Path("keys", d.Keys)
	if err != nil || path != "" {
		return path, err
	}
	path = filepath.Join("var", "keys.json")
	if file, ok := strings.CutPrefix(d.URL, "sqlite:"); ok {
		path = filepath.Join(filepath.Dir(file), "keys.json")
	}
	return path, secrets.Private("keys", path)
}

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"

	"sitthi/internal/config"
)

// recipients are those who can open a backup.
func (c *backupCommand) recipients(secrets config.Secrets) ([]age.Recipient, error) {
	var list []age.Recipient
	for _, key := range c.Recipients {
		r, err := recipient(key)
		if err != nil {
			return nil, config.Wrong("backup-recipient", "%w", err)
		}
		list = append(list, r)
	}
	if c.RecipientsFile != "" {
		f, err := os.Open(c.RecipientsFile)
		if err != nil {
			return nil, config.Wrong("backup-recipients-file", "%w", err)
		}
		defer f.Close() // it was only read
		read, err := readRecipients(f)
		if err != nil {
			return nil, config.Wrong("backup-recipients-file", "%s: %w", c.RecipientsFile, err)
		}
		list = append(list, read...)
	}
	if len(list) > 0 {
		if c.PassphraseFile != "" { // as a flag: a credential of that name may be there for restoring
			return nil, config.Wrong("backup-passphrase-file", "age encrypts either to keys or with one passphrase")
		}
		return list, nil
	}
	passphrase, err := secrets.Read("backup-passphrase-file", c.PassphraseFile)
	if err != nil {
		return nil, err
	}
	if passphrase == "" {
		return nil, config.Wrong("backup-recipient", "a backup is always encrypted: name who can open it, here or in a --backup-recipients-file, or a --backup-passphrase-file")
	}
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, config.Wrong("backup-passphrase-file", "%w", err)
	}
	return []age.Recipient{r}, nil
}

// readRecipients reads public keys, one in a line, as `age --recipients-file` does.
func readRecipients(in io.Reader) (list []age.Recipient, err error) {
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		r, err := recipient(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		list = append(list, r)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("there is no key in it")
	}
	return list, nil
}

// recipient reads a public key. The error never repeats what was given: it may be a secret key by mistake.
func recipient(key string) (age.Recipient, error) {
	if strings.HasPrefix(key, "ssh-") {
		r, err := agessh.ParseRecipient(key)
		if err != nil {
			return nil, fmt.Errorf("a key of SSH that can not be used; ssh-ed25519 and ssh-rsa from 2048 bits on can: %w", err)
		}
		return r, nil
	}
	list, err := age.ParseRecipients(strings.NewReader(key))
	if err != nil || len(list) != 1 {
		return nil, errors.New("no public key of age (age1…, as age-keygen prints it) or of SSH")
	}
	return list[0], nil
}

// identities are the secrets that open a backup.
func (c *restoreCommand) identities(secrets config.Secrets) ([]age.Identity, error) {
	path, err := secrets.Path("backup-identity-file", c.IdentityFile)
	if err != nil {
		return nil, err
	}
	if path != "" && c.PassphraseFile == "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, config.Wrong("backup-identity-file", "%w", err)
		}
		list, err := readIdentities(raw)
		if err != nil {
			return nil, config.Wrong("backup-identity-file", "%s: %w", path, err)
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

// readIdentities reads secret keys: those of age, one in a line, or one of SSH. A file that is locked with a passphrase
// itself is refused; a pipe in its place needs no copy on a disk.
func readIdentities(raw []byte) ([]age.Identity, error) {
	switch {
	case bytes.HasPrefix(raw, []byte("age-encryption.org/")), bytes.HasPrefix(raw, []byte("-----BEGIN AGE ENCRYPTED FILE-----")):
		return nil, errors.New("it is encrypted itself: give what is in it by a pipe, as in age --decrypt FILE | sitthi restore --backup-identity-file /dev/stdin …")
	case bytes.HasPrefix(raw, []byte("-----BEGIN")):
		identity, err := agessh.ParseIdentity(raw)
		if locked := new(ssh.PassphraseMissingError); errors.As(err, &locked) {
			return nil, errors.New("this key of SSH is locked with a passphrase: take it off a copy with ssh-keygen -p, and delete the copy afterwards")
		}
		if err != nil {
			return nil, err
		}
		return []age.Identity{identity}, nil
	}
	return age.ParseIdentities(bytes.NewReader(raw))
}

package main

import (
	"crypto/tls"
	"errors"
	"os"
	"sync"
	"time"

	"sitthi/internal/config"
)

// certificates reads the certificate that the settings name; nil when they name none.
func certificates(c *config.Serve, secrets config.Secrets) (*tls.Config, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	key, err := secrets.Path("tls-key", c.TLSKey)
	if err != nil {
		return nil, err
	}
	if key == "" {
		return nil, config.Wrong("tls-key", "is needed with --tls-cert")
	}
	f := &certificate{cert: c.TLSCert, key: key, secrets: secrets}
	if _, err := f.get(nil); err != nil {
		return nil, config.Wrong("tls-cert", "%w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: f.get}, nil
}

// certificate is a certificate in files, read again when one of them was written: it is renewed under way.
type certificate struct {
	cert, key string
	secrets   config.Secrets

	mu     sync.Mutex
	loaded *tls.Certificate
	of     [2]time.Time // when the files were written that it was read from
}

// get answers the certificate. While new files can not be used, as half-written ones or a key that others can read, the
// old one serves on.
func (f *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	written, err := f.written()
	if err == nil && f.loaded != nil && written == f.of {
		return f.loaded, nil
	}
	fresh, loadErr := tls.LoadX509KeyPair(f.cert, f.key)
	if err := errors.Join(err, loadErr, f.secrets.Private("tls-key", f.key)); err != nil {
		if f.loaded != nil {
			return f.loaded, nil
		}
		return nil, err
	}
	f.loaded, f.of = &fresh, written
	return f.loaded, nil
}

func (f *certificate) written() (at [2]time.Time, err error) {
	for i, name := range []string{f.cert, f.key} {
		info, err := os.Stat(name)
		if err != nil {
			return at, err
		}
		at[i] = info.ModTime()
	}
	return at, nil
}

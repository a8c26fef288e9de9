// Package seal keeps secrets at rest: it encrypts fields, makes blind indexes and keeps the key file they come from.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
)

// Ring holds the keys of one installation. Encryption keys have versions: the newest seals, every one opens.
// The blind-index key and the pepper have one version each, because changing them means touching every row.
// A Ring is safe for concurrent use and never changes once made.
type Ring struct {
	newest int
	seals  map[int]cipher.AEAD
	index  []byte
	pepper []byte
	signer []byte
}

// file is the key file as written: base64 of 32 random bytes each.
type file struct {
	Note       string         `json:"note"`
	Encryption map[int][]byte `json:"encryption"`
	Index      []byte         `json:"index"`
	Pepper     []byte         `json:"pepper"`
	Signer     []byte         `json:"signer"`
}

// ErrKeys says that a key file is there but can not be used; the program must not go on with other keys.
var ErrKeys = errors.New("key file is not usable")

// Load reads the key file, or makes one with fresh keys when it does not exist (mode 0600, folder 0700).
// When mayCreate is false a missing file is an error: keys that were lost must not be replaced silently.
func Load(path string, mayCreate bool) (*Ring, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && mayCreate {
		return create(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	var f file
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrKeys, path, err)
	}
	return f.ring()
}

// New makes a ring with fresh random keys that is kept nowhere: for tests and throw-away databases.
func New() (*Ring, error) {
	return fresh().ring()
}

func fresh() file {
	return file{
		Note:       "Keys of this Sitthi installation. Keep a copy apart from the backups of the database.",
		Encryption: map[int][]byte{1: random()}, Index: random(), Pepper: random(), Signer: random(),
	}
}

func random() []byte {
	b := make([]byte, 32)
	rand.Read(b) // never fails: crypto/rand stops the program rather than answer with weak bytes
	return b
}

func create(path string) (*Ring, error) {
	f := fresh()
	ring, err := f.ring()
	if err != nil {
		return nil, err
	}
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write key file: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make folder for key file: %w", err)
	}
	// The file is written whole beside its place and linked there: of two processes that start at once
	// one wins, and both go on with the winner's keys.
	tmp, err := os.CreateTemp(filepath.Dir(path), ".keys-*")
	if err != nil {
		return nil, fmt.Errorf("write key file: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(append(raw, '\n'))
	if err := errors.Join(err, tmp.Chmod(0o600), tmp.Sync(), tmp.Close()); err != nil {
		return nil, fmt.Errorf("write key file: %w", err)
	}
	if err := os.Link(tmp.Name(), path); errors.Is(err, fs.ErrExist) {
		return Load(path, false)
	} else if err != nil {
		return nil, fmt.Errorf("write key file: %w", err)
	}
	return ring, nil
}

func (f file) ring() (*Ring, error) {
	r := &Ring{seals: make(map[int]cipher.AEAD, len(f.Encryption)), index: f.Index, pepper: f.Pepper, signer: f.Signer}
	for _, k := range [][]byte{f.Index, f.Pepper, f.Signer} {
		if len(k) != 32 {
			return nil, fmt.Errorf("%w: every key has 32 bytes", ErrKeys)
		}
	}
	versions := make([]int, 0, len(f.Encryption))
	for v, k := range f.Encryption {
		if len(k) != 32 || v < 1 || v > 1<<15 {
			return nil, fmt.Errorf("%w: encryption key %d", ErrKeys, v)
		}
		block, err := aes.NewCipher(k)
		if err != nil {
			return nil, fmt.Errorf("%w: encryption key %d: %w", ErrKeys, v, err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("%w: encryption key %d: %w", ErrKeys, v, err)
		}
		r.seals[v] = aead
		versions = append(versions, v)
	}
	if len(versions) == 0 {
		return nil, fmt.Errorf("%w: it has no encryption key", ErrKeys)
	}
	sort.Ints(versions)
	r.newest = versions[len(versions)-1]
	return r, nil
}

// Seal encrypts the plain bytes for one place, for example "person.citizen/<id>": what was sealed for one place
// does not open in another. The result starts with the key's version (2 bytes) and the nonce (12 bytes).
func (r *Ring) Seal(place string, plain []byte) []byte {
	aead := r.seals[r.newest]
	out := make([]byte, 2+aead.NonceSize(), 2+aead.NonceSize()+len(plain)+aead.Overhead())
	out[0], out[1] = byte(r.newest>>8), byte(r.newest)
	rand.Read(out[2:])
	return aead.Seal(out, out[2:], plain, []byte(place))
}

// Open decrypts what Seal made for the same place. It fails on another place, another key or altered bytes.
func (r *Ring) Open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) < 2 {
		return nil, errors.New("open sealed field: too short")
	}
	version := int(sealed[0])<<8 | int(sealed[1])
	aead, ok := r.seals[version]
	if !ok {
		return nil, fmt.Errorf("open sealed field: no key of version %d", version)
	}
	if len(sealed) < 2+aead.NonceSize() {
		return nil, errors.New("open sealed field: too short")
	}
	plain, err := aead.Open(nil, sealed[2:2+aead.NonceSize()], sealed[2+aead.NonceSize():], []byte(place))
	if err != nil {
		return nil, fmt.Errorf("open sealed field: %w", err)
	}
	return plain, nil
}

// Index is the blind index of a value: the same value for the same purpose gives the same 64 hex digits,
// and without the key nobody can tell which value it was.
func (r *Ring) Index(purpose, value string) string {
	mac := hmac.New(sha256.New, r.index)
	mac.Write([]byte(purpose))
	mac.Write([]byte{0})
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}

// Pepper is mixed into password hashes, so that a stolen database alone can not be guessed against.
func (r *Ring) Pepper() []byte { return r.pepper }

// Derive makes a further 32-byte key for one purpose, for example "audit.checkpoint", from the signing secret.
func (r *Ring) Derive(purpose string) ([]byte, error) {
	k, err := hkdf.Key(sha256.New, r.signer, nil, purpose, 32)
	if err != nil {
		return nil, fmt.Errorf("derive key for %s: %w", purpose, err)
	}
	return k, nil
}

// Token makes a secret of 256 random bits for a cookie or a link; keep only its TokenHash.
func Token() string {
	return base64.RawURLEncoding.EncodeToString(random())
}

// TokenHash is what is stored of a Token: 64 hex digits of its SHA-256.
func TokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

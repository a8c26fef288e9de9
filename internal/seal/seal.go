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
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Kind is what a key is for.
type Kind string

// The kinds of keys that have versions. The signing secret has none: what it signed and marked stays as it is.
const (
	Encryption Kind = "encryption" // seals fields: the newest seals, every one opens
	Pepper     Kind = "pepper"     // is mixed into password hashes: the newest into new ones, every one verifies
	Index      Kind = "index"      // makes blind indexes: one alone is in use, the one that the database was indexed with
)

// Kinds are the kinds of keys, in the order in which they are told.
var Kinds = []Kind{Encryption, Pepper, Index}

// Key tells of one key without telling it.
type Key struct {
	Kind    Kind
	Version int
	// Mark is the same for the same key, in every file and database, and tells nothing of it: 32 hexadecimal digits.
	Mark string
	// InUse says that it seals, peppers or indexes what is new.
	InUse bool
}

// Ring holds the keys of one installation. It is safe for concurrent use; the keys in it change with the key file, when
// Become says so or something is to be opened with a key that it does not know yet.
type Ring struct {
	path    string // of the key file; "" when it is kept nowhere
	reading sync.Mutex
	held    atomic.Pointer[keys]
}

// keys are what a ring holds at one time.
type keys struct {
	file
	stamp stamp
	seals map[int]cipher.AEAD
	index int // the version that is in use
}

// ErrKeys says that a key file is there but can not be used; the program must not go on with other keys.
var ErrKeys = errors.New("key file is not usable")

// New makes a ring with fresh random keys that is kept nowhere: for tests and throw-away databases.
func New() (*Ring, error) {
	return fresh().ring("", stamp{})
}

func random() []byte {
	b := make([]byte, 32)
	rand.Read(b) // never fails: crypto/rand stops the program rather than answer with weak bytes
	return b
}

func (f file) ring(path string, s stamp) (*Ring, error) {
	k := &keys{file: f, stamp: s, seals: make(map[int]cipher.AEAD, len(f.Encryption))}
	if len(f.Signer) != 32 {
		return nil, fmt.Errorf("%w: every key has 32 bytes", ErrKeys)
	}
	for _, kind := range Kinds {
		if len(*f.of(kind)) == 0 {
			return nil, fmt.Errorf("%w: it has no %s key", ErrKeys, kind)
		}
		for version, key := range *f.of(kind) {
			if len(key) != 32 || version < 1 || version > 1<<15 {
				return nil, fmt.Errorf("%w: %s key %d", ErrKeys, kind, version)
			}
		}
	}
	for version, key := range f.Encryption {
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("%w: encryption key %d: %w", ErrKeys, version, err)
		}
		if k.seals[version], err = cipher.NewGCM(block); err != nil {
			return nil, fmt.Errorf("%w: encryption key %d: %w", ErrKeys, version, err)
		}
	}
	k.index = f.Index.newest()
	r := &Ring{path: path}
	r.held.Store(k)
	return r, nil
}

// Keys tells of all keys with versions, by kind and version.
func (r *Ring) Keys() (list []Key) {
	k := r.held.Load()
	for _, kind := range Kinds {
		used := k.of(kind).newest()
		if kind == Index {
			used = k.index
		}
		for _, version := range slices.Sorted(maps.Keys(*k.of(kind))) {
			list = append(list, Key{kind, version, mark(kind, version, (*k.of(kind))[version]), version == used})
		}
	}
	return list
}

func mark(kind Kind, version int, key []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "sitthi key %s %d", kind, version)
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// InUse is the version of a kind that seals, peppers or indexes what is new.
func (r *Ring) InUse(kind Kind) int {
	k := r.held.Load()
	if kind == Index {
		return k.index
	}
	return k.of(kind).newest()
}

// UseIndex takes the blind-index key into use that made this index of a value, and reports whether there is one.
func (r *Ring) UseIndex(purpose, value, index string) bool {
	r.reading.Lock()
	defer r.reading.Unlock()
	k := *r.held.Load()
	for version, key := range k.Index {
		if hmac.Equal([]byte(indexed(key, purpose, value)), []byte(index)) {
			k.index = version
			r.held.Store(&k)
			return true
		}
	}
	return false
}

// Indexing is the same ring with another of its blind-index keys in use; false when it has none of that version.
func (r *Ring) Indexing(version int) (*Ring, bool) {
	k := *r.held.Load()
	if k.Index[version] == nil {
		return nil, false
	}
	k.index = version
	other := &Ring{path: r.path}
	other.held.Store(&k)
	return other, true
}

// Seal encrypts the plain bytes for one place, for example "person.citizen/<id>": what was sealed for one place
// does not open in another. The result starts with the key's version (2 bytes) and the nonce (12 bytes).
func (r *Ring) Seal(place string, plain []byte) []byte {
	k := r.held.Load()
	version := versions(k.Encryption).newest()
	aead := k.seals[version]
	out := make([]byte, 2+aead.NonceSize(), 2+aead.NonceSize()+len(plain)+aead.Overhead())
	copy(out, Prefix(version))
	rand.Read(out[2:])
	return aead.Seal(out, out[2:], plain, []byte(place))
}

// Prefix is how everything begins that was sealed with a version of the key.
func Prefix(version int) []byte { return []byte{byte(version >> 8), byte(version)} }

// Version is the version of the key that something was sealed with; 0 when it is not sealed.
func Version(sealed []byte) int {
	if len(sealed) < 2 {
		return 0
	}
	return int(sealed[0])<<8 | int(sealed[1])
}

// Open decrypts what Seal made for the same place. It fails on another place, another key or altered bytes. For a key
// that the ring does not know it looks into the key file first: another process may have sealed with a newer one.
func (r *Ring) Open(place string, sealed []byte) ([]byte, error) {
	version := Version(sealed)
	if version == 0 {
		return nil, errors.New("open sealed field: too short")
	}
	k, err := r.knowing(func(k *keys) bool { return k.seals[version] != nil })
	if err != nil {
		return nil, fmt.Errorf("open sealed field: %w", err)
	}
	aead, ok := k.seals[version]
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

// knowing answers the keys with the one that is looked for among them, if the ring or its file has it.
func (r *Ring) knowing(has func(*keys) bool) (*keys, error) {
	if k := r.held.Load(); has(k) {
		return k, nil
	}
	next, err := r.Reread()
	if err != nil {
		return nil, err
	}
	if next != nil {
		r.Become(next)
	}
	return r.held.Load(), nil
}

// Index is the blind index of a value: the same value for the same purpose gives the same 64 hex digits,
// and without the key nobody can tell which value it was. Whoever keeps one has to know how to make it anew when the
// key is changed (see package rekey); for what is only compared there is Mark.
func (r *Ring) Index(purpose, value string) string {
	k := r.held.Load()
	return indexed(k.file.Index[k.index], purpose, value)
}

func indexed(key []byte, purpose, value string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose))
	mac.Write([]byte{0})
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}

// Mark is like an index, to compare texts by and never to find anything: it stays the same when the blind-index key is
// changed.
func (r *Ring) Mark(purpose, value string) string {
	return indexed(r.held.Load().Signer, "mark."+purpose, value)
}

// Pepper is mixed into password hashes, so that a stolen database alone can not be guessed against. It fails for a
// version that neither the ring nor its file has.
func (r *Ring) Pepper(version int) ([]byte, error) {
	k, err := r.knowing(func(k *keys) bool { return k.Pepper[version] != nil })
	if err == nil && k.Pepper[version] == nil {
		err = fmt.Errorf("no pepper of version %d", version)
	}
	if err != nil {
		return nil, fmt.Errorf("find pepper: %w", err)
	}
	return k.Pepper[version], nil
}

// Derive makes a further 32-byte key for one purpose, for example "audit.checkpoint", from the signing secret.
func (r *Ring) Derive(purpose string) ([]byte, error) {
	k, err := hkdf.Key(sha256.New, r.held.Load().Signer, nil, purpose, 32)
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

package proof

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"sitthi/internal/problem"
	"sitthi/internal/seal"
)

// params are the cost of argon2id, and the version of the pepper.
type params struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
	pepper  int
}

// current are today's: OWASP's first choice for interactive sign-in, 19 MiB and two passes, and the newest pepper.
func (p *Passwords) current() params {
	return params{memory: 19 * 1024, passes: 2, threads: 1, pepper: p.ring.InUse(seal.Pepper)}
}

// String is the PHC form of the parameters. The pepper is its keyid, which the first version goes without.
func (c params) String() string {
	s := fmt.Sprintf("m=%d,t=%d,p=%d", c.memory, c.passes, c.threads)
	if c.pepper > 1 {
		s += ",keyid=" + phc.EncodeToString([]byte(strconv.Itoa(c.pepper)))
	}
	return s
}

const (
	saltBytes = 16
	hashBytes = 32
	// queue is how many may wait for each processor, which hashes so many in some two seconds; more are sent away at once,
	// so that a flood of sign-ins can neither fill the memory nor let everyone wait for minutes.
	queue = 50
)

// Passwords checks new passwords against the rule and hashes them (argon2id, peppered with a key outside the database).
// It hashes as many at once as there are processors. It is safe for concurrent use.
type Passwords struct {
	ring    *seal.Ring
	blocked map[string]struct{}
	slots   chan struct{} // one for each hash under way
	turns   atomic.Int64  // taken and not yet left
}

// NewPasswords makes Passwords; it reads the embedded list of blocked passwords.
func NewPasswords(ring *seal.Ring) (*Passwords, error) {
	blocked, err := blocklist()
	if err != nil {
		return nil, err
	}
	return &Passwords{ring: ring, blocked: blocked, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}, nil
}

// Check holds a new password against the rule (trust.md 1, 2); about are the facts anyone could know of the person:
// names, citizen ID, phone, e-mail, office. The failure is problem.Invalid, field "password".
func (p *Passwords) Check(password string, about ...string) error {
	if key := weakness(password, about, p.blocked); key != "" {
		var check problem.Check
		check.Fail("password", key)
		return check.Err()
	}
	return nil
}

// Turn is a place in the queue for a processor. Who counts tries takes it before he counts: to be sent away because too
// many wait must not cost a try, since nothing was tried.
type Turn struct{ p *Passwords }

// Turn takes a place, until Leave. Too many at once are problem.Busy.
func (p *Passwords) Turn() (Turn, error) {
	if p.turns.Add(1) > int64(cap(p.slots)*(1+queue)) {
		p.turns.Add(-1)
		return Turn{}, &problem.Problem{Kind: problem.Busy, Key: "problem.busy", RetryAfter: 5 * time.Second}
	}
	return Turn{p}, nil
}

// Leave gives the place to others.
func (t Turn) Leave() { t.p.turns.Add(-1) }

// Hash makes the text that is stored of a password, in PHC form with its parameters.
func (t Turn) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	cost := t.p.current()
	sum, err := t.sum(ctx, password, salt, cost)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$argon2id$v=%d$%s$%s$%s", argon2.Version, cost, phc.EncodeToString(salt), phc.EncodeToString(sum)), nil
}

// Verify compares a password with what Hash made. rehash says that it was right, and made with other parameters than
// today's, or an older pepper: store a new Hash.
func (t Turn) Verify(ctx context.Context, password, hash string) (ok, rehash bool, err error) {
	cost, salt, want, err := parse(hash)
	if err != nil {
		return false, false, err
	}
	got, err := t.sum(ctx, password, salt, cost)
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(got, want) == 1
	return ok, ok && cost != t.p.current(), nil
}

// VerifyNone does the work of Verify for an ID that has no account, so that the time does not tell.
func (t Turn) VerifyNone(ctx context.Context, password string) error {
	_, err := t.sum(ctx, password, make([]byte, saltBytes), t.p.current())
	return err
}

// Hash is Turn's, with a turn of its own. Too many at once are problem.Busy.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	t, err := p.Turn()
	if err != nil {
		return "", err
	}
	defer t.Leave()
	return t.Hash(ctx, password)
}

// Verify is Turn's, with a turn of its own. Too many at once are problem.Busy.
func (p *Passwords) Verify(ctx context.Context, password, hash string) (ok, rehash bool, err error) {
	t, err := p.Turn()
	if err != nil {
		return false, false, err
	}
	defer t.Leave()
	return t.Verify(ctx, password, hash)
}

// sum waits for a processor and hashes.
func (t Turn) sum(ctx context.Context, password string, salt []byte, cost params) ([]byte, error) {
	if len(password) > mostBytes {
		password = "" // longer than any that can have been set, and not worth the work of normalising
	}
	pepper, err := t.p.ring.Pepper(cost.pepper)
	if err != nil {
		return nil, err
	}
	select {
	case t.p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to hash password: %w", ctx.Err())
	}
	defer func() { <-t.p.slots }()
	mac := hmac.New(sha256.New, pepper)
	mac.Write([]byte(norm.NFC.String(password)))
	return argon2.IDKey(mac.Sum(nil), salt, cost.passes, cost.memory, cost.threads, hashBytes), nil
}

// phc is the base64 of the PHC string format.
var phc = base64.RawStdEncoding.Strict()

// errHash says that a stored hash is not one that Hash made.
var errHash = errors.New("password hash is not readable")

// PepperedWith is the pattern (of LIKE) of hashes made with a version of the pepper, and the pattern of exceptions to it.
func PepperedWith(version int) (like, unlike string) {
	if version == 1 {
		return "$argon2id$%", "%,keyid=%"
	}
	return "%,keyid=" + phc.EncodeToString([]byte(strconv.Itoa(version))) + "$%", ""
}

// parse reads what Hash wrote.
func parse(hash string) (cost params, salt, sum []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return cost, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &cost.memory, &cost.passes, &cost.threads); err != nil ||
		cost.memory > 1<<20 || cost.passes < 1 || cost.passes > 64 || cost.threads < 1 {
		return cost, nil, nil, errHash
	}
	cost.pepper = 1
	if _, keyid, ok := strings.Cut(parts[3], ",keyid="); ok {
		version, err := phc.DecodeString(keyid)
		if err == nil {
			cost.pepper, err = strconv.Atoi(string(version))
		}
		if err != nil {
			return cost, nil, nil, errHash
		}
	}
	if cost.String() != parts[3] {
		return cost, nil, nil, errHash
	}
	salt, saltErr := phc.DecodeString(parts[4])
	sum, sumErr := phc.DecodeString(parts[5])
	if saltErr != nil || sumErr != nil || len(sum) != hashBytes {
		return cost, nil, nil, errHash
	}
	return cost, salt, sum, nil
}

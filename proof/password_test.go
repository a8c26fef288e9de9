package proof

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"sitthi/internal/problem"
	"sitthi/internal/seal"
)

func TestWeakness(t *testing.T) {
	blocked, err := blocklist()
	if err != nil {
		t.Fatal(err)
	}
	about := []string{"สมชาย", "ใจดี", "3990000000104", "+66812345678", "somchai.jaidee@example.go.th", "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี", "Nonthaburi", "นา"}
	const (
		good   = ""
		short  = "proof.password.short"
		long   = "proof.password.long"
		kinds  = "proof.password.kinds"
		simple = "proof.password.simple"
		known  = "proof.password.common"
		own    = "proof.password.own"
	)
	for _, tt := range []struct{ password, want string }{
		// Length and kinds, in code points of the NFC form.
		{"", "proof.password.missing"},
		{"aB3$xY7", short},
		{"xq7#Lmw9", good},
		{"xqzvLmwk", kinds},
		{"xqzv#Lmw", kinds},
		{"xqzv7Lmw", kinds},
		{"xqzv7 Lm", good}, // a blank is a symbol
		{"ขนมปัง๒๘+", good},
		{"ขนมปังทาเนย", kinds},
		{"กินข้าวกับปลาทูทุกวันศุกร์", good},
		{"xqzvLmwkzvLmwk", kinds},
		{"xqzvLmwkzvLmwkp", good},
		{"correct horse battery staple", good},
		{"e\u0301e\u0301u\u0301o1+w", short}, // seven characters, whatever pieces they come in
		{strings.Repeat("ขนมปังกะทิ8 ", 21) + "ชา7x", good},
		{strings.Repeat("ขนมปังกะทิ8 ", 21) + "ชา7xy", long},
		{strings.Repeat("x", mostBytes+1), long},
		{"xqzv7#Lm\xff", "proof.password.characters"},

		// Guessed without a list.
		{"12345678901234567890", simple},
		{"abcdefghijklmnopq", simple},
		{"12345678!a", simple},
		{"aaaaaaaaaaaaaaaa", simple},
		{"ababababababababab", simple},
		{"xq7#xq7#xq7#xq7#", simple},
		{"กกกกกกกกกกกกกกกก", simple},

		// On the list, however dressed up.
		{"password2566!", known},
		{"P@ssw0rd!", known},
		{"P@$$w0rd-2569", known},
		{"!!Sunshine99", known},
		{"5unsh1ne#99", known},
		{"L1verpool+1", known},
		{"１１Ｄragon!!", known}, // full-width
		{"PasswordPassword", known},
		{"trustno1-2569", known},
		{"2569/11/22--password", known},

		// What anyone knows of this person and this place counts for nothing.
		{"Sitthi-2566-demo", good},
		{"Sitthi-2569", own},
		{"$itth1-2569", own},
		{"diw@5678tk", own},
		{"กรอ.2569+ข", own},
		{"สมชาย-2569", own},
		{"Somchai#2569", own},
		{"S0mch@i#2569", own},
		{"Somchai.Jaidee7", own},
		{"x3990000000104-tq", own},
		{"xk0812345678-t", own},
		{"xkt812345678+66", own},
		{"Nonthaburi!2569", own},
		{"somchai12345678", own},
		{"สำนักงานอุตสาหกรรมจังหวัดนนทบุรี", own},
		{"นาข้าวเขียวขจี", kinds},
		{"นาข้าวเขียวขจีที่บ้านเรา", good}, // a name of two letters is everywhere

		// A passphrase may hold such a word.
		{"industry never sleeps in march", good},
		{"diwali lights over the river", good},
		{"แมวของสมชายชอบปลาทูแม่กลอง", good},
	} {
		if got := weakness(tt.password, about, blocked); got != tt.want {
			t.Errorf("%.40q: %q, want %q", tt.password, got, tt.want)
		}
	}
}

func FuzzWeakness(f *testing.F) {
	blocked, err := blocklist()
	if err != nil {
		f.Fatal(err)
	}
	for _, password := range []string{"", "Sitthi-2566-demo", "นํ้าตก๒๘+Ab", "e\u0301\u0301", "\xff", "ﬃﬃ1!", "İİİİİİ1!", "ß1!ß"} {
		f.Add(password, "สมชาย")
	}
	f.Fuzz(func(t *testing.T, password, about string) {
		got := weakness(password, []string{about}, blocked)
		if got == "" && !utf8.ValidString(password) {
			t.Error("unreadable, and accepted")
		}
		if pieces := norm.NFD.String(password); len(pieces) <= mostBytes && utf8.ValidString(password) {
			if other := weakness(pieces, []string{about}, blocked); other != got {
				t.Errorf("%q, but %q in pieces", got, other)
			}
		}
	})
}

func TestBlocklistIsWhole(t *testing.T) {
	blocked, err := blocklist()
	if err != nil {
		t.Fatal(err)
	}
	if len(blocked) < 49_000 {
		t.Errorf("only %d entries", len(blocked))
	}
	for _, word := range []string{"123456", "password", "qaz2wsx"} {
		if _, ok := blocked[word]; !ok {
			t.Errorf("%q is not on it", word)
		}
	}
}

func newPasswords(t testing.TB) *Passwords {
	t.Helper()
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPasswords(ring)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCheckNamesTheField(t *testing.T) {
	p := newPasswords(t)
	var told *problem.Problem
	if err := p.Check("short"); !errors.As(err, &told) || told.Kind != problem.Invalid || told.Fields[0].Name != "password" {
		t.Errorf("told %v", err)
	}
	if err := p.Check("Sitthi-2566-demo", "Sitthi"); err != nil {
		t.Errorf("the password of the demo is refused: %v", err)
	}
}

func TestHashAndVerify(t *testing.T) {
	p, ctx := newPasswords(t), t.Context()
	long := strings.Repeat("กข", 127) + "คง"
	for _, password := range []string{"xq7#Lmw9", "cafe\u0301 au lait 15", long} {
		hash, err := p.Hash(ctx, password)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("hash is %s", hash)
		}
		if again, err := p.Hash(ctx, password); err != nil || again == hash {
			t.Errorf("two hashes of one password are equal, or %v", err)
		}
		if ok, rehash, err := p.Verify(ctx, password, hash); !ok || rehash || err != nil {
			t.Errorf("%.20q: %v %v %v", password, ok, rehash, err)
		}
		runes := []rune(password)
		for _, wrong := range []string{"", password + " ", string(runes[:len(runes)-1]), strings.ToUpper(password[:1]) + password[1:] + "x"} {
			if ok, _, err := p.Verify(ctx, wrong, hash); ok || err != nil {
				t.Errorf("%.20q for %.20q: %v %v", wrong, password, ok, err)
			}
		}
	}
	if n := utf8.RuneCountInString(long); n != longest {
		t.Fatalf("the long one has %d", n)
	}
}

func TestVerifyTakesEitherFormOfUnicode(t *testing.T) {
	p, ctx := newPasswords(t), t.Context()
	hash, err := p.Hash(ctx, "cafe\u0301 au lait 15")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, err := p.Verify(ctx, "café au lait 15", hash); !ok || err != nil {
		t.Errorf("composed: %v %v", ok, err)
	}
}

func TestVerifyNeedsThePepper(t *testing.T) {
	ctx := t.Context()
	hash, err := newPasswords(t).Hash(ctx, "xq7#Lmw9")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, err := newPasswords(t).Verify(ctx, "xq7#Lmw9", hash); ok || err != nil {
		t.Errorf("with another pepper: %v %v", ok, err)
	}
}

func TestVerifyAsksForRehash(t *testing.T) {
	p, ctx := newPasswords(t), t.Context()
	salt := []byte("0123456789abcdef")
	cost := params{memory: 8 * 1024, passes: 1, threads: 1, pepper: 1}
	sum, err := Turn{p}.sum(ctx, "xq7#Lmw9", salt, cost)
	if err != nil {
		t.Fatal(err)
	}
	old := fmt.Sprintf("$argon2id$v=19$m=8192,t=1,p=1$%s$%s", phc.EncodeToString(salt), phc.EncodeToString(sum))
	if ok, rehash, err := p.Verify(ctx, "xq7#Lmw9", old); !ok || !rehash || err != nil {
		t.Errorf("right: %v %v %v", ok, rehash, err)
	}
	if ok, rehash, err := p.Verify(ctx, "wrong", old); ok || rehash || err != nil {
		t.Errorf("wrong: %v %v %v", ok, rehash, err)
	}
}

func TestVerifyRefusesOtherHashes(t *testing.T) {
	p := newPasswords(t)
	good, err := p.Hash(t.Context(), "xq7#Lmw9")
	if err != nil {
		t.Fatal(err)
	}
	for _, hash := range []string{
		"", "$", "plain", good[1:], good + "$", good[:len(good)-4], strings.Replace(good, "argon2id", "argon2i", 1),
		strings.Replace(good, "v=19", "v=16", 1), strings.Replace(good, "m=19456", "m=4294967295", 1),
		strings.Replace(good, "t=2", "t=0", 1), strings.Replace(good, "p=1", "p=0", 1), strings.Replace(good, "p=1$", "p=1$=", 1),
	} {
		if ok, _, err := p.Verify(t.Context(), "xq7#Lmw9", hash); ok || err == nil {
			t.Errorf("%q: %v %v", hash, ok, err)
		}
	}
}

func TestVerifyNoneCostsOneHash(t *testing.T) {
	p := newPasswords(t)
	hash, err := p.Hash(t.Context(), "xq7#Lmw9")
	if err != nil {
		t.Fatal(err)
	}
	spent := func(f func() error) (bytes uint64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := f(); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	turn, err := p.Turn()
	if err != nil {
		t.Fatal(err)
	}
	defer turn.Leave()
	real := spent(func() error { _, _, err := p.Verify(t.Context(), "other", hash); return err })
	none := spent(func() error { return turn.VerifyNone(t.Context(), "other") })
	if ratio := float64(none) / float64(real); ratio < 0.99 || ratio > 1.01 {
		t.Errorf("memory used is %.3f of a real one's", ratio)
	}
}

func TestTooManyHashesAreSentAway(t *testing.T) {
	p := newPasswords(t)
	var turns []Turn
	for range cap(p.slots) * (1 + queue) {
		turn, err := p.Turn()
		if err != nil {
			t.Fatalf("turn %d: %v", len(turns), err)
		}
		turns = append(turns, turn)
	}
	_, err := p.Hash(t.Context(), "x")
	var told *problem.Problem
	if !errors.As(err, &told) || told.Kind != problem.Busy || told.RetryAfter <= 0 || told.TooMany {
		t.Errorf("one more: %v", err)
	}
	var wait sync.WaitGroup
	for _, turn := range turns {
		wait.Go(func() {
			defer turn.Leave()
			if err := turn.VerifyNone(t.Context(), "x"); err != nil {
				t.Errorf("one who waited: %v", err)
			}
		})
	}
	wait.Wait()
	if _, err := p.Hash(t.Context(), "x"); err != nil || p.turns.Load() != 0 {
		t.Errorf("after all have left: %v, %d turns still taken", err, p.turns.Load())
	}
}

func TestWaitingEndsWithTheRequest(t *testing.T) {
	p := newPasswords(t)
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Hash(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := p.turns.Load(); n != 0 {
		t.Errorf("%d turns still taken", n)
	}
}

func BenchmarkVerify(b *testing.B) {
	p := newPasswords(b)
	hash, err := p.Hash(b.Context(), "xq7#Lmw9")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := p.Verify(b.Context(), "xq7#Lmw9", hash); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	p := newPasswords(b)
	for b.Loop() {
		if err := p.Check("Sitthi-2566-demo", "สมชาย", "ใจดี", "3990000000104", "+66812345678"); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzStoredHash: a hash that was read costs what Hash sets at most as its bounds, and is written as it was read.
func FuzzStoredHash(f *testing.F) {
	for _, stored := range []string{"", "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=2,p=1,keyid=Mg$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=4294967295,t=1,p=1$$"} {
		f.Add(stored)
	}
	f.Fuzz(func(t *testing.T, stored string) {
		cost, salt, sum, err := parse(stored)
		if err != nil {
			return
		}
		if cost.memory > 1<<20 || cost.passes < 1 || cost.passes > 64 || cost.threads < 1 || len(sum) != hashBytes {
			t.Errorf("%q costs %v", stored, cost)
		}
		if again := fmt.Sprintf("$argon2id$v=19$%s$%s$%s", cost, phc.EncodeToString(salt), phc.EncodeToString(sum)); again != stored {
			t.Errorf("%q is written %q", stored, again)
		}
	})
}

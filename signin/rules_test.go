package signin

import (
	"encoding/base32"
	"errors"
	"regexp"
	"testing"
	"time"

	"sitthi/internal/problem"
)

func TestReadFactorCode(t *testing.T) {
	for typed, want := range map[string]factorCode{
		"123456": {app: "123456"}, " 123 456 ": {app: "123456"}, "๑๒๓๔๕๖": {app: "123456"}, "123-456": {app: "123456"},
		"7K3M-Q9XA-4TWP": {recovery: "7K3MQ9XA4TWP"}, "7k3mq9xa4twp": {recovery: "7K3MQ9XA4TWP"}, "7K3M Q9XA 4TWP": {recovery: "7K3MQ9XA4TWP"},
		"OOOO-IIII-LLLL": {recovery: "000011111111"}, "๑๒๓๔ ABCD EFGH": {recovery: "1234ABCDEFGH"},
	} {
		if got, err := readFactorCode(typed); err != nil || got != want {
			t.Errorf("%q is read as %+v, %v", typed, got, err)
		}
	}
	for _, typed := range []string{"", " ", "12345", "1234567", "7K3M-Q9XA-4TW", "7K3M-Q9XA-4TWPX", "UUUU-UUUU-UUUU", "abc", "1e5", "\x00"} {
		if got, err := readFactorCode(typed); !errors.Is(err, problem.Invalid) {
			t.Errorf("%q is read as %+v, %v", typed, got, err)
		}
	}
}

var recoveryForm = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{12}$`)

func FuzzReadFactorCode(f *testing.F) {
	for _, typed := range []string{"", "123456", "๑๒๓ ๔๕๖", "7K3M-Q9XA-4TWP", "7k3m q9xa 4twp", "IOL0-0000-0000", "ก", "\x00"} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, err := readFactorCode(typed)
		switch {
		case err != nil:
			if !errors.Is(err, problem.Invalid) || code != (factorCode{}) {
				t.Errorf("%q: %+v, %v", typed, code, err)
			}
		case code.app != "" && (len(code.app) != appDigits || code.recovery != ""), code.app == "" && !recoveryForm.MatchString(code.recovery):
			t.Errorf("%q is read as %+v", typed, code)
		}
	})
}

func FuzzHandleOf(f *testing.F) {
	for _, said := range []string{"", "{}", `{"response":{"userHandle":"AAAA"}}`, `{"response":{"userHandle":"MDE5"}}`, `{"response":[]}`} {
		f.Add(said)
	}
	f.Fuzz(func(t *testing.T, said string) {
		if who, err := handleOf([]byte(said)); (err == nil) != (who != "") || len(who) > 64 {
			t.Errorf("%q is of %q, %v", said, who, err)
		}
	})
}

// TestAppCode holds the codes against those of RFC 6238, appendix B, of which apps show the last six digits.
func TestAppCode(t *testing.T) {
	secret := base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))
	for second, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got, err := AppCode(secret, time.Unix(second, 0)); err != nil || got != want {
			t.Errorf("%d: %q, %v, want %q", second, got, err, want)
		}
	}
}

// FuzzMatchStep: a code is taken in its own step and in the two beside it, and nowhere else but where another step happens to
// have the same code.
func FuzzMatchStep(f *testing.F) {
	f.Add("123456", int64(59), int64(0))
	f.Add("287082", int64(1111111109), int64(1))
	f.Add("", int64(1<<40), int64(-2))
	f.Fuzz(func(t *testing.T, typed string, second, beside int64) {
		if second < 0 || second > 1<<40 || beside < -1000 || beside > 1000 {
			return
		}
		secret := base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))
		now := time.Unix(second, 0)
		if step, ok, err := matchStep(secret, typed, now); err != nil || ok && (step < stepAt(now)-1 || step > stepAt(now)+1) {
			t.Errorf("%q at %d is of step %d, %v", typed, second, step, err)
		}
		if stepAt(now)+beside < 0 {
			return
		}
		code, err := stepCode(secret, stepAt(now)+beside)
		if err != nil {
			t.Fatal(err)
		}
		step, ok, err := matchStep(secret, code, now)
		if err != nil || !ok && beside >= -1 && beside <= 1 {
			t.Errorf("the code of %d steps from %d: %v, %v", beside, second, ok, err)
		}
		if same, err := stepCode(secret, step); ok && (err != nil || same != code) {
			t.Errorf("%q is taken for that of step %d, %q", code, step, same)
		}
	})
}

package signin

import (
	"errors"
	"regexp"
	"testing"

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

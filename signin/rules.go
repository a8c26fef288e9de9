package signin

import (
	"crypto/subtle"
	"strings"
	"time"
	"unicode"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"sitthi/internal/problem"
	"sitthi/internal/thai"
)

// stepLength is how long an app shows one code (RFC 6238).
const stepLength = 30 * time.Second

// AppCode is what an app with the key, in base32, shows at the moment.
func AppCode(key string, at time.Time) (string, error) { return stepCode(key, stepAt(at)) }

func stepAt(at time.Time) int64 { return at.Unix() / int64(stepLength/time.Second) }

func stepCode(key string, step int64) (string, error) {
	return hotp.GenerateCodeCustom(key, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
}

// matchStep finds the step whose code was typed: the one of now, or one beside it, because clocks differ. The same work
// is done whichever it is.
func matchStep(secret, code string, now time.Time) (step int64, ok bool, err error) {
	at := stepAt(now)
	for _, s := range [...]int64{at - 1, at, at + 1} {
		want, err := stepCode(secret, s)
		if err != nil {
			return 0, false, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok, nil
}

// The recovery codes: how many there are at once, and their form: twelve of Crockford's 32 characters, 60 bits.
const (
	RecoveryCodes  = 10
	recoveryLength = 12
	recoveryGroup  = 4
	crockford      = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

// appDigits is how many digits an app shows.
const appDigits = 6

// factorCode is a code as it was typed: of an app or, when that is "", a recovery code.
type factorCode struct{ app, recovery string }

// readFactorCode reads a code as people type it: Thai digits, blanks, hyphens, small letters, and the letters that look
// like digits are all right.
func readFactorCode(typed string) (c factorCode, err error) {
	if len(typed) > 100 {
		return c, invalid(FieldCode, "signin.problem.factor_form")
	}
	if digits, err := thai.FoldDigits(typed); err == nil && len(digits) == appDigits {
		return factorCode{app: digits}, nil
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(typed) {
		switch {
		case unicode.IsSpace(r), r == '-', r == '–':
		case r == 'O':
			b.WriteByte('0')
		case r == 'I', r == 'L':
			b.WriteByte('1')
		case r >= '๐' && r <= '๙':
			b.WriteByte(byte('0' + r - '๐'))
		case strings.ContainsRune(crockford, r):
			b.WriteRune(r)
		default:
			return c, invalid(FieldCode, "signin.problem.factor_form")
		}
	}
	switch b.Len() {
	case 0:
		return c, invalid(FieldCode, "signin.problem.factor_empty")
	case recoveryLength:
		return factorCode{recovery: b.String()}, nil
	}
	return c, invalid(FieldCode, "signin.problem.factor_form")
}

// writeRecovery turns random bytes into a recovery code, each of which gives one character.
func writeRecovery(random [recoveryLength]byte) string {
	out := make([]byte, recoveryLength)
	for i, b := range random {
		out[i] = crockford[int(b)%len(crockford)] // 256 is a multiple of 32
	}
	return string(out)
}

// showRecovery is a recovery code as people read it.
func showRecovery(code string) string {
	var groups []string
	for i := 0; i < len(code); i += recoveryGroup {
		groups = append(groups, code[i:i+recoveryGroup])
	}
	return strings.Join(groups, "-")
}

// errWrongFactor is the one answer to a second factor that is not right, whatever the cause.
func errWrongFactor() *problem.Problem {
	return problem.New(problem.Denied, "signin.problem.factor_wrong")
}

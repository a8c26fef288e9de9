package thai

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
	"unique"
)

// The failures of ParseCitizenID and ParseJuristicID besides ErrEmpty and
// ErrCharacters.
var (
	ErrLength      = errors.New("not 13 digits")
	ErrCheckDigit  = errors.New("the check digit does not match")
	ErrJuristic    = errors.New("the number of a juristic person, not of a citizen")
	ErrNotJuristic = errors.New("not the number of a juristic person")
)

// FoldDigits returns the digits of s in Arabic form, however many there are. It
// accepts Thai and full-width digits and drops blanks, dashes and invisible
// characters; anything else is ErrCharacters, and no digit at all is ErrEmpty.
// A part of a citizen ID typed as a filter is read this way.
func FoldDigits(s string) (string, error) {
	if s != "" && strings.Trim(s, "0123456789") == "" {
		return s, nil // the form in which programs send them
	}
	var b strings.Builder
	for _, r := range s {
		r = foldDigit(r)
		switch {
		case isDigit(r):
			b.WriteByte(byte(r))
		case unicode.IsSpace(r), isDash(r), isInvisible(r):
		default:
			return "", ErrCharacters
		}
	}
	if b.Len() == 0 {
		return "", ErrEmpty
	}
	return b.String(), nil
}

// Digits13 is FoldDigits for exactly 13 digits, any other count being
// ErrLength. It does not look at the check digit.
func Digits13(s string) (string, error) {
	digits, err := FoldDigits(s)
	if err != nil {
		return "", err
	}
	if len(digits) != 13 {
		return "", ErrLength
	}
	return digits, nil
}

// ValidCheckDigit reports whether digits, 13 of them in Arabic form, end in the
// check digit of the Department of Provincial Administration (กรมการปกครอง):
// (11 − Σ digitᵢ·(14−i) mod 11) mod 10 over the first twelve.
func ValidCheckDigit(digits string) bool {
	if len(digits) != 13 {
		return false
	}
	sum := 0
	for i := range 13 {
		if !isDigit(rune(digits[i])) {
			return false
		}
		if i < 12 {
			sum += int(digits[i]-'0') * (13 - i)
		}
	}
	return int(digits[12]-'0') == (11-sum%11)%10
}

// CitizenID is a citizen's identification number (เลขประจำตัวประชาชน). It is
// comparable, and the zero CitizenID is none. However it is printed, by fmt,
// by slog or by reflection over a struct that holds it, the number does not
// come out whole; only Digits and Dashed show it.
type CitizenID struct {
	// A handle and not the digits themselves: fmt can not call the methods of an
	// unexported field and would print the digits from there.
	digits unique.Handle[string]
}

// ParseCitizenID reads a citizen ID as people type and paste it: see
// FoldDigits. It fails with ErrEmpty, ErrCharacters, ErrLength, ErrJuristic
// (first digit 0) or ErrCheckDigit. With ErrCheckDigit alone the ID is returned
// as well, for a caller whose setting is to warn or not to check.
func ParseCitizenID(s string) (CitizenID, error) {
	digits, err := Digits13(s)
	if err != nil {
		return CitizenID{}, err
	}
	if digits[0] == '0' {
		return CitizenID{}, ErrJuristic
	}
	id := CitizenID{unique.Make(digits)}
	if !ValidCheckDigit(digits) {
		return id, ErrCheckDigit
	}
	return id, nil
}

// IsZero reports whether there is no ID.
func (id CitizenID) IsZero() bool { return id == CitizenID{} }

// Digits returns the 13 digits, the one canonical form; "" for the zero ID.
func (id CitizenID) Digits() string {
	if id.IsZero() {
		return ""
	}
	return id.digits.Value()
}

// Dashed returns the whole ID as it stands on the card: 1-2345-67890-12-1.
func (id CitizenID) Dashed() string { return dashed(id.Digits()) }

// Mask returns the ID with its serial number hidden: 1-2345-XXXXX-XX-1.
func (id CitizenID) Mask() string {
	if id.IsZero() {
		return ""
	}
	digits := id.Digits()
	return dashed(digits[:5] + "XXXXXXX" + digits[12:])
}

// String is Mask.
func (id CitizenID) String() string { return id.Mask() }

// Format writes Mask for every verb of fmt, %#v and %x included.
func (id CitizenID) Format(f fmt.State, _ rune) {
	if _, err := io.WriteString(f, id.Mask()); err != nil {
		// fmt.State writes to memory and has no failure to report.
		panic(fmt.Errorf("write masked citizen ID: %w", err))
	}
}

// LogValue is Mask.
func (id CitizenID) LogValue() slog.Value { return slog.StringValue(id.Mask()) }

// JuristicID is the registration number of a juristic person (เลขทะเบียน
// นิติบุคคล): 13 digits of which the first is 0. It is public.
type JuristicID string

// ParseJuristicID reads a juristic person's number like ParseCitizenID. It
// fails with ErrEmpty, ErrCharacters, ErrLength, ErrNotJuristic (first digit
// not 0) or ErrCheckDigit, the last together with the number.
func ParseJuristicID(s string) (JuristicID, error) {
	digits, err := Digits13(s)
	if err != nil {
		return "", err
	}
	if digits[0] != '0' {
		return "", ErrNotJuristic
	}
	if !ValidCheckDigit(digits) {
		return JuristicID(digits), ErrCheckDigit
	}
	return JuristicID(digits), nil
}

// Dashed returns the number in groups: 0-9950-00000-01-5.
func (id JuristicID) Dashed() string { return dashed(string(id)) }

func dashed(s string) string {
	if len(s) != 13 {
		return s
	}
	return s[:1] + "-" + s[1:5] + "-" + s[5:10] + "-" + s[10:12] + "-" + s[12:]
}

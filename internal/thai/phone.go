package thai

import (
	"errors"
	"log/slog"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// ErrMobile is the failure of ParseMobile for a number that is not a Thai
// mobile number: too short, a fixed line, another country.
var ErrMobile = errors.New("not a Thai mobile number")

// Mobile is a Thai mobile number (เบอร์โทรศัพท์มือถือ) in E.164 form,
// +66812345678. ParseMobile makes it; the zero Mobile is none.
type Mobile string

// ParseMobile reads a mobile number as people type and paste it, with Thai
// digits, blanks, dashes, dots or brackets, with or without +66. It fails with
// ErrEmpty, ErrCharacters or ErrMobile. The ranges in use are those of
// libphonenumber.
func ParseMobile(s string) (Mobile, error) {
	var b strings.Builder
	for _, r := range s {
		r = foldDigit(r)
		switch {
		case isDigit(r):
			b.WriteByte(byte(r))
		case r == '+', r == '\uff0b':
			b.WriteByte('+')
		case unicode.IsSpace(r), isDash(r), isInvisible(r), r == '.', r == '(', r == ')':
		default:
			return "", ErrCharacters
		}
	}
	if b.Len() == 0 {
		return "", ErrEmpty
	}
	number, err := phonenumbers.Parse(b.String(), "TH")
	if err != nil {
		return "", ErrMobile // Its error says no more than ours, in English.
	}
	if !phonenumbers.IsValidNumberForRegion(number, "TH") ||
		phonenumbers.GetNumberType(number) != phonenumbers.MOBILE {
		return "", ErrMobile
	}
	return Mobile(phonenumbers.Format(number, phonenumbers.E164)), nil
}

// National returns the number as Thais write it: 081-234-5678.
func (m Mobile) National() string {
	n, ok := m.nationalDigits()
	if !ok {
		return string(m)
	}
	return n[:3] + "-" + n[3:6] + "-" + n[6:]
}

// Mask returns enough of the number to know one's own: 08X-XXX-5678.
func (m Mobile) Mask() string {
	n, ok := m.nationalDigits()
	if !ok {
		return ""
	}
	return n[:2] + "X-XXX-" + n[6:]
}

// LogValue is Mask, since logs hold no personal data.
func (m Mobile) LogValue() slog.Value { return slog.StringValue(m.Mask()) }

// nationalDigits returns the ten digits that begin with 0.
func (m Mobile) nationalDigits() (string, bool) {
	subscriber, ok := strings.CutPrefix(string(m), "+66")
	return "0" + subscriber, ok && len(subscriber) == 9
}

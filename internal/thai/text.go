package thai

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ErrTooLong is the failure of CleanLine for more characters than allowed.
var ErrTooLong = errors.New("too many characters")

// CleanLine returns s as one line fit to be stored and compared: NFC, Thai
// vowels in their one spelling, runs of blanks (line breaks and tabs too) as
// one space, none at the ends, no control or invisible characters. If more than
// most characters (code points) are left it returns them all with ErrTooLong,
// so that the form can show again what was typed.
func CleanLine(s string, most int) (string, error) {
	s = clean(s)
	if utf8.RuneCountInString(s) > most {
		return s, ErrTooLong
	}
	return s, nil
}

// Fold returns s in the form in which text is searched: CleanLine, lower case,
// Thai and full-width digits as Arabic ones. Fold both the stored column and
// what is looked for.
func Fold(s string) string {
	s = strings.Map(func(r rune) rune {
		return unicode.ToLower(foldDigit(r))
	}, clean(s))
	return norm.NFC.String(s) // A lowered letter may compose where its capital could not.
}

func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), isFiller(r):
			return ' '
		case isInvisible(r), unicode.IsControl(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	return norm.NFC.String(thaiSpelling(norm.NFC.String(s)))
}

// The characters that have two spellings which look the same on the screen.
const (
	saraE       = 'เ'
	saraAe      = 'แ'
	saraAa      = 'า'
	saraAm      = 'ำ'
	nikhahit    = '\u0e4d' // ํ
	maiEk       = '\u0e48' // the first tone mark ่
	maiChattawa = '\u0e4b' // the last tone mark ๋
)

// thaiSpelling gives vowels that were typed in pieces their one spelling: เเ is
// แ, and ํ+า is ำ, also with the tone mark between or before them.
func thaiSpelling(s string) string {
	if !strings.ContainsRune(s, nikhahit) && !strings.Contains(s, "เเ") {
		return s
	}
	in := []rune(s)
	out := make([]rune, 0, len(in))
	for i := 0; i < len(in); i++ {
		switch rest := in[i+1:]; {
		case in[i] == saraE && len(rest) > 0 && rest[0] == saraE:
			out = append(out, saraAe)
			i++
		case in[i] == nikhahit && len(rest) > 0 && rest[0] == saraAa:
			out = append(out, saraAm)
			i++
		case in[i] == nikhahit && len(rest) > 1 && isTone(rest[0]) && rest[1] == saraAa:
			out = append(out, rest[0], saraAm)
			i += 2
		default:
			out = append(out, in[i])
		}
	}
	return string(out)
}

func isTone(r rune) bool { return r >= maiEk && r <= maiChattawa }

// Package thai reads and writes what is particular to Thailand: citizen IDs,
// mobile numbers, Buddhist dates, the Thai script and its dictionary order.
package thai

import (
	"errors"
	"strings"
	"unicode"
)

// ErrEmpty is the failure of every parser here when nothing is left of the
// input once blanks and invisible characters are taken away.
var ErrEmpty = errors.New("nothing was entered")

// ErrCharacters is the failure of every parser here when the input holds a
// character that has no place in it.
var ErrCharacters = errors.New("a character has no place here")

// foldDigit turns a Thai digit (๐–๙) or a full-width digit into the Arabic one
// and leaves every other rune alone.
func foldDigit(r rune) rune {
	switch {
	case r >= '๐' && r <= '๙':
		return r - '๐' + '0'
	case r >= '\uff10' && r <= '\uff19':
		return r - '\uff10' + '0'
	}
	return r
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// isInvisible reports the format characters (Cf) that a copy from a web page, a
// PDF or LINE brings along unseen: zero-width space and joiners, byte order
// mark, soft hyphen, direction marks. It reports fillers and selectors, too, of
// which somebody could make a name that shows as nothing.
func isInvisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) || isFiller(r)
}

// isFiller reports letters and signs that are drawn as a blank: the Hangul
// filler, its half-width form, and the Braille pattern without dots.
func isFiller(r rune) bool { return r == '\u3164' || r == '\uffa0' || r == '\u2800' }

// isDash reports hyphens and dashes of every kind, with the modifier minus, the
// hyphen bullet and the minus sign, which Unicode does not count among them.
func isDash(r rune) bool {
	return unicode.Is(unicode.Pd, r) || r == '\u02d7' || r == '\u2043' || r == '\u2212'
}

// stripInvisible removes what isInvisible reports, and bytes that are no UTF-8,
// which PostgreSQL would refuse.
func stripInvisible(s string) string {
	return strings.Map(func(r rune) rune {
		if isInvisible(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

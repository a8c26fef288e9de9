// Package locale holds the words of the screens in Thai and English and fills
// them in for one reader.
package locale

import "strings"

// Lang is the language of one reader. The zero Lang reads as Thai.
type Lang string

// The two languages of the product. Thai comes first: it is what a reader gets
// who has chosen nothing.
const (
	TH Lang = "th"
	EN Lang = "en"
)

// Langs lists the languages in the order in which a switch shows them.
var Langs = [...]Lang{TH, EN}

// Parse reads a language tag such as "en", "EN" or "en-GB" (a cookie, a form
// field, one tag of Accept-Language). Anything that is not English is Thai.
func Parse(tag string) Lang {
	primary, _, _ := strings.Cut(strings.TrimSpace(tag), "-")
	if strings.EqualFold(primary, string(EN)) {
		return EN
	}
	return TH
}

// Name is what something is called in both languages, where the words are data
// (an agency, a level, a menu entry) and not part of the Catalog.
type Name struct {
	TH, EN string
}

// In returns the name in lang, or the Thai one where nobody has written an
// English name yet.
func (n Name) In(lang Lang) string {
	if lang == EN && n.EN != "" {
		return n.EN
	}
	return n.TH
}

// Localized is a value that reads differently in each language.
type Localized interface {
	In(lang Lang) string
}

// Tagged is Localized for packages that may not import this one, such as the
// dates of internal/thai: the language arrives as the string "th" or "en".
type Tagged interface {
	InLanguage(tag string) string
}

// Args are the values for the {names} in a text: string, int, int64, Localized
// or Tagged. A bare time.Time is refused, since only internal/thai knows its
// calendar.
type Args map[string]any

package thai

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// HoldsCitizenID reports whether a good citizen ID stands in a text, alone or among other things, in Arabic, Thai or
// full-width digits: 13 in a row, parted by dashes or blanks, or in the groups of the card 1-2345-67890-12-1, which may
// be parted by dots as well. The digits before and after it have to be told apart from it. Without a right check digit
// it is another number, and after a + it is a telephone number.
func HoldsCitizenID(text string) bool { return len(citizenIDsIn(text)) > 0 }

// MaskCitizenIDs is the text with every citizen ID in it masked that HoldsCitizenID would find.
func MaskCitizenIDs(text string) string {
	for found := citizenIDsIn(text); len(found) > 0; found = citizenIDsIn(text) { // what is left of one may complete another
		var b strings.Builder
		from := 0
		for _, f := range found {
			b.WriteString(text[from:f.from])
			b.WriteString(f.id.Mask())
			from = f.to
		}
		b.WriteString(text[from:])
		text = b.String()
	}
	return text
}

// foundID is a citizen ID in a text, from its first digit to the end of its last.
type foundID struct {
	id       CitizenID
	from, to int
}

// gap is what stands between two digits, by how far it parts them.
type gap uint8

const (
	together gap = iota // nothing
	byDash              // dashes and what is not seen
	byBlank             // blanks as well
	byDot               // dots as well, which only the groups of the card make parts of one number
	apart               // anything else, and the ends of the text
)

// placedDigit is a digit of a text.
type placedDigit struct {
	value    byte
	from, to int
	before   gap  // between it and the digit before it
	plus     bool // it follows a +, as a telephone number begins
}

// cardGroups are the places in a citizen ID before which the card has a dash.
var cardGroups = [13]bool{1: true, 5: true, 10: true, 12: true}

// citizenIDsIn finds the citizen IDs of a text, from left to right, none within another.
func citizenIDsIn(text string) (found []foundID) {
	digits := digitsOf(text)
	for i := 0; i+13 <= len(digits); i++ {
		after := apart
		if i+13 < len(digits) {
			after = digits[i+13].before
		}
		if !standsAlone(digits[i:i+13], after) {
			continue
		}
		var number [13]byte
		for j, d := range digits[i : i+13] {
			number[j] = d.value
		}
		if id, err := ParseCitizenID(string(number[:])); err == nil {
			found = append(found, foundID{id, digits[i].from, digits[i+12].to})
			i += 12
		}
	}
	return found
}

// standsAlone reports whether 13 digits are one number: in the groups of the card, or held together by less than parts
// them from the digits on either side.
func standsAlone(digits []placedDigit, after gap) bool {
	before, within, card := digits[0].before, together, true
	for i, d := range digits[1:] {
		within = max(within, d.before)
		card = card && cardGroups[i+1] == (d.before != together)
	}
	switch {
	case digits[0].plus, before == together, after == together, within == apart:
		return false
	case card:
		return true
	}
	return within < byDot && within < before && within < after
}

// digitsOf lists the digits of a text.
func digitsOf(text string) (digits []placedDigit) {
	between, plus := apart, false
	for at, r := range text {
		switch folded := foldDigit(r); {
		case isDigit(folded):
			digits = append(digits, placedDigit{byte(folded), at, at + utf8.RuneLen(r), between, plus})
			between, plus = together, false
		case r == '+', r == '\uff0b':
			between, plus = apart, true
		case isDash(r), isInvisible(r):
			between = max(between, byDash)
		case unicode.IsSpace(r):
			between = max(between, byBlank)
		case r == '.':
			between = max(between, byDot)
		default:
			between, plus = apart, false
		}
	}
	return digits
}

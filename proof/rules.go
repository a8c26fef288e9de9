package proof

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// sendWait answers how long one to whom codes were sent at these moments (newest first) must wait for another.
func sendWait(sent []time.Time, now time.Time, limits []sendings) (wait time.Duration) {
	for _, limit := range limits {
		if len(sent) >= limit.most {
			wait = max(wait, sent[limit.most-1].Add(limit.within).Sub(now))
		}
	}
	return wait
}

// The lengths of a password, in code points of its NFC form (trust.md 1; NIST SP 800-63B-4, 3.1.1.2).
const (
	shortest = 8   // with letters, digits and symbols, as the manual asks
	free     = 15  // from here on of any kind
	longest  = 256 // nothing is cut off: longer ones are refused
)

// mostBytes bounds the work on what somebody sends as a password; no password of 256 code points is as long.
const mostBytes = 4096

// Short reports whether a password has fewer characters than serve without a second factor (trust.md 1).
func Short(password string) bool { return utf8.RuneCountInString(norm.NFC.String(password)) < free }

// weakness answers the message key of what is wrong with a new password, "" when it is good.
func weakness(password string, about []string, blocked map[string]struct{}) (key string) {
	if len(password) > mostBytes {
		return "proof.password.long"
	}
	if !utf8.ValidString(password) {
		return "proof.password.characters"
	}
	password = norm.NFC.String(password)
	folded := fold(password)
	switch n := utf8.RuneCountInString(password); {
	case n == 0:
		return "proof.password.missing"
	case n < shortest:
		return "proof.password.short"
	case n > longest:
		return "proof.password.long"
	case n < free && !mixed(password):
		return "proof.password.kinds"
	case simple(folded):
		return "proof.password.simple"
	case common(once(folded), blocked):
		return "proof.password.common"
	}
	// A word that anyone would guess of this person counts for nothing: the rest must be a password by itself. So a long
	// passphrase may hold such a word, and "Somchai-2569" is no more than "-2569".
	rest := without(folded, words(about))
	if utf8.RuneCountInString(rest) < shortest || simple(rest) {
		return "proof.password.own"
	}
	return ""
}

// mixed reports letters, digits and symbols, of any script; a symbol is all that is neither letter nor digit.
func mixed(s string) bool {
	var letter, digit, symbol bool
	for _, r := range s {
		switch {
		case isLetter(r):
			letter = true
		case unicode.IsDigit(r):
			digit = true
		default:
			symbol = true
		}
	}
	return letter && digit && symbol
}

// isLetter counts the vowels and tones above and below a Thai consonant among the letters.
func isLetter(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) }

// fold is the form in which passwords are held against words: without case, full-width forms as plain ones.
func fold(s string) string { return norm.NFKC.String(strings.ToLower(norm.NFKC.String(s))) }

// simple reports what needs no list to be guessed: few different characters, a short piece over and over, or mostly
// characters that repeat or follow one another (12345678, abcdefgh).
func simple(folded string) bool {
	const fewest = 5 // different characters
	runes := []rune(folded)
	different := make(map[rune]struct{})
	steps := 0
	for i, r := range runes {
		different[r] = struct{}{}
		if i > 0 && runes[i-1]-1 <= r && r <= runes[i-1]+1 {
			steps++
		}
	}
	return len(different) < fewest || steps*3 >= (len(runes)-1)*2 || utf8.RuneCountInString(once(folded)) < shortest
}

// once answers the piece of which s is two or more repetitions, or s itself.
func once(s string) string {
	// s lies in its own double before the end exactly when it is a repetition, and first at the length of the piece.
	if at := strings.Index((s + s)[1:], s) + 1; at < len(s) {
		return s[:at]
	}
	return s
}

// leets undo the writing of letters as digits and symbols. 1, ! and | stand for two letters, so there are two.
var leets = [...]*strings.Replacer{
	strings.NewReplacer("0", "o", "1", "i", "!", "i", "|", "i", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t", "+", "t", "8", "b", "6", "g", "9", "g"),
	strings.NewReplacer("0", "o", "1", "l", "!", "l", "|", "l", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t", "+", "t", "8", "b", "6", "g", "9", "g"),
}

// readings answers s and what it may be meant to read.
func readings(s string) []string { return []string{s, leets[0].Replace(s), leets[1].Replace(s)} }

// shortWord is the length below which what is left of a password after trimming says nothing: many a random password
// has three letters in the middle.
const shortWord = 4

func longEnough(word string) bool { return utf8.RuneCountInString(word) >= shortWord }

func notLetter(r rune) bool { return !isLetter(r) }

// trim takes the digits and symbols off both ends.
func trim(s string) string { return strings.TrimFunc(s, notLetter) }

// common reports whether a folded password is on the list, as it stands or with its disguise undone: letters written
// as digits and symbols, digits and symbols added at the ends.
func common(folded string, blocked map[string]struct{}) bool {
	cores := []string{
		trim(folded), strings.TrimLeftFunc(folded, notLetter), strings.TrimRightFunc(folded, notLetter),
		// @ and $ are more often letters than ornament: P@$$-2569.
		strings.TrimFunc(folded, func(r rune) bool { return notLetter(r) && r != '@' && r != '$' }),
	}
	cores = append(slices.DeleteFunc(cores, func(s string) bool { return !longEnough(s) }), folded)
	for _, core := range cores {
		for _, word := range readings(core) {
			if _, ok := blocked[word]; ok {
				return true
			}
		}
	}
	return false
}

// house are the words that anyone would try here: the department, the ministry, the system, its forms.
var house = []string{
	"sitthi", "diw", "industry", "industrial", "iindustry", "ministry", "department", "works", "factory", "permit", "officer",
	"admin", "administrator", "password", "thailand",
	"สิทธิ์", "สิทธิ", "กรอ", "กอ1", "กอ.1", "สอจ", "อสจ", "อุตสาหกรรม", "กรมโรงงาน", "โรงงาน", "กากอุตสาหกรรม", "กระทรวง", "จังหวัด",
	"เจ้าหน้าที่", "รหัสผ่าน", "ประเทศไทย",
}

// words answers all that counts for nothing: the words of the house, and of what is known about the person each word,
// the whole without blanks, the name part of a mail address, and a phone number with and without its country.
func words(about []string) []string {
	var all []string
	add := func(s string) {
		s = fold(s)
		parts := strings.FieldsFunc(s, func(r rune) bool { return !isLetter(r) && !unicode.IsDigit(r) })
		all = append(append(all, parts...), s, strings.Join(parts, ""))
	}
	for _, s := range house {
		add(s)
	}
	for _, s := range about {
		s, _, _ = strings.Cut(s, "@")
		add(s)
		if subscriber, ok := strings.CutPrefix(s, "+66"); ok {
			add(subscriber)
			add("0" + subscriber)
		}
	}
	const shortKnown = 3 // a name of two letters would be found everywhere
	return slices.DeleteFunc(all, func(s string) bool { return utf8.RuneCountInString(s) < shortKnown })
}

// without takes every one of the words out of a folded password, also where they are disguised.
func without(folded string, words []string) string {
	runes := []rune(folded)
	known := make([]bool, len(runes))
	for _, reading := range readings(folded) { // rune for rune as long as folded
		for _, word := range words {
			mark([]rune(reading), []rune(word), known)
		}
	}
	var rest strings.Builder
	for i, r := range runes {
		if !known[i] {
			rest.WriteRune(r)
		}
	}
	return rest.String()
}

// mark marks in known where s holds the word.
func mark(s, word []rune, known []bool) {
	for i := 0; i+len(word) <= len(s); i++ {
		if slices.Equal(s[i:i+len(word)], word) {
			for j := range word {
				known[i+j] = true
			}
		}
	}
}

// formed reports whether what was typed can be a code at all.
func formed(code string) bool {
	return len(code) == CodeDigits && strings.Trim(code, "0123456789") == ""
}

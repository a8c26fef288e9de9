package thai

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestCleanLine(t *testing.T) {
	tests := []struct {
		name, in, want string
	}{
		{"untouched", "สมชาย ใจดี", "สมชาย ใจดี"},
		{"blanks", " \t สมชาย \u00a0\u3000 ใจดี\r\n", "สมชาย ใจดี"},
		{"invisible", "\ufeffสม\u200bชาย\u202e", "สมชาย"},
		{"control", "สม\x00ชา\x7fย\u0085", "สมชาย"},
		{"control between blanks", "ก \x00 ข", "ก ข"},
		{"NFC", "Cafe\u0301", "Caf\u00e9"},
		{"Thai marks in canonical order", "ก\u0e48\u0e38", "ก\u0e38\u0e48"},
		{"sara am in pieces", "อ\u0e4d\u0e32นวย", "อำนวย"},
		{"sara am in pieces, tone first", "น\u0e49\u0e4d\u0e32", "น้ำ"},
		{"sara am in pieces, tone between", "น\u0e4d\u0e49\u0e32", "น้ำ"},
		{"two sara e", "เเม่", "แม่"},
		{"three sara e", "เเเ", "แเ"},
		{"nikhahit of Pali kept", "พุทธ\u0e4d สรณ\u0e4d", "พุทธ\u0e4d สรณ\u0e4d"},
		{"broken UTF-8", "ก\xffข", "กข"},
		{"nothing", "\u200b \n", ""},
		{"Hangul fillers", "\u3164\u115f\u1160\uffa0", ""},
		{"Braille without dots", "\u2800\u2800", ""},
		{"joiners and selectors", "\u034f\ufe0f\u180b\u17b4\u2065\U000e0100\U000e0041", ""},
		{"fillers as blanks", "สมชาย\u2800\u3164ใจดี\uffa0", "สมชาย ใจดี"},
		{"a selector within", "ก\ufe0fข", "กข"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := CleanLine(tt.in, 100)
			if got != tt.want || err != nil {
				t.Errorf("= %+q, %v; want %+q", got, err, tt.want)
			}
		})
	}
}

func TestCleanLineCountsCharacters(t *testing.T) {
	if got, err := CleanLine(" สมชาย ", 5); got != "สมชาย" || err != nil {
		t.Errorf("five of five = %q, %v", got, err)
	}
	if got, err := CleanLine("สมชาย", 4); got != "สมชาย" || !errors.Is(err, ErrTooLong) {
		t.Errorf("five of four = %q, %v", got, err)
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"  กลุ่มที่ ๑๒  ":             "กลุ่มที่ 12",
		"สอจ.นนทบุรี (NON)":           "สอจ.นนทบุรี (non)",
		"\uff11\uff12 น้\u0e4d\u0e32": "12 น้ำ",
		"H\u0331":                     "\u1e96",
	} {
		if got := Fold(in); got != want {
			t.Errorf("%+q = %+q, want %+q", in, got, want)
		}
	}
}

// TestLongRunsOfMarks: the normaliser breaks runs of more than 30 marks up, and
// the result must be a fixed point all the same.
func TestLongRunsOfMarks(t *testing.T) {
	for _, s := range []string{
		strings.Repeat("\u0301", 100), "a" + strings.Repeat("\u0301\u0e38", 100),
		"\u0e4d" + strings.Repeat("\u0e48", 70) + "\u0e32", "E" + strings.Repeat("\u0323\u0301", 31),
	} {
		once := Fold(s)
		if twice := Fold(once); twice != once {
			t.Errorf("%+q\nonce  %+q\ntwice %+q", s, once, twice)
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"เเม่น้\u0e4d\u0e32", "๑๒ H\u0331", "\u0e4d\u0e4d\u0308\u0e49\u0e32", "\u0130\u200b \x00 x", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line, err := CleanLine(s, len(s)*4)
		if err != nil {
			t.Errorf("%+q grew to %+q", s, line)
		}
		folded := Fold(s)
		if again, _ := CleanLine(line, len(s)*4); again != line {
			t.Errorf("CleanLine of %+q = %+q, then %+q", s, line, again)
		}
		if again := Fold(folded); again != folded {
			t.Errorf("Fold of %+q = %+q, then %+q", s, folded, again)
		}
		if got := Fold(line); got != folded {
			t.Errorf("Fold of the clean line of %+q = %+q, of itself %+q", s, got, folded)
		}
		for _, out := range []string{line, folded} {
			switch {
			case !utf8.ValidString(out), !norm.NFC.IsNormalString(out):
				t.Errorf("%+q is not NFC", out)
			case strings.TrimSpace(out) != out, strings.Contains(out, "  "):
				t.Errorf("%+q has loose blanks", out)
			case strings.ContainsFunc(out, unicode.IsControl), strings.ContainsFunc(out, isInvisible):
				t.Errorf("%+q has unseen characters", out)
			}
		}
	})
}

// FuzzFoldDigits: codes, numbers and IDs are typed in either kind of digits; what comes out is ASCII digits alone.
func FuzzFoldDigits(f *testing.F) {
	for _, typed := range []string{"", "123456", "๑๒๓๔๕๖", "12 34-๕๖", "１２３", "12a", "\x00", "\xff"} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		digits, err := FoldDigits(typed)
		if err != nil {
			return
		}
		if strings.Trim(digits, "0123456789") != "" {
			t.Errorf("%q became %q", typed, digits)
		}
		if again, err := FoldDigits(digits); err != nil || again != digits {
			t.Errorf("%q became %q, and that %q: %v", typed, digits, again, err)
		}
	})
}

package thai

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestHoldsCitizenID(t *testing.T) {
	for text, want := range map[string]bool{
		"3990000000104": true, "OFF-3990000000104/2": true, "3990000000104-01": true, "๓๙๙๐๐๐๐๐๐๐๑๐๔ ก": true, "คุณ 3-9900-00000-10-4": true, "a 3 9900 00000 10 4": true,
		"1-9900-00000-01-9 กับ 3-9900-00000-10-4": true, "1-9900-00000-01-9 3-9900-00000-10-4": true,
		"เลข3990000000104โทร0812345678": true, "3990000000104 081-234-5678": true, "3990000000104 +66 81 234 5678": true, "3-9900-00000-10-4 081 234 5678": true,
		"3 9900 00000 10 4 081 234 5678": true, "081 234 5678 3 9900 00000 10 4": true, "ข้อ 1. 3 9900 00000 10 4": true,
		"3.9900.00000.10.4": true, "๓.๙๙๐๐.๐๐๐๐๐.๑๐.๔.": true, "3 - 9900 - 00000 - 10 - 4": true, "3990 0000 00104": true,
		"3\u200b9900\u200b00000\u200b10\u200b4": true, "\uff13\uff19\uff19\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff11\uff10\uff14": true,
		"somying.3990000000104@example.go.th": true, "3990000000104.": true, "(3990000000104)": true, "3-9900-00000-10-4/2569": true,

		"": false, "3990000000105": false, "39900000001047": false, "0995000000015": false, "bfe9eb29-ab87-4ca3-be83-a1d5d8305716": false, "20261105-000000000017": false,
		"อก 0301/1234 ลงวันที่ 12 พฤศจิกายน 2569": false, "อก 0301/ว 1234": false, "๐๓๐๑/๑๒๓๔ ลว. ๑๒ พ.ย. ๒๕๖๙": false,
		"081-234-5678": false, "โทร. 0 2430 6980 ต่อ 123": false, "+66 81 234 5678": false, "081-234-5678, 082-345-6789": false,
		"12/11/2569 - 30/09/2570": false, "12-11-2569 10.30 น.": false, "2026-11-12T10:30:05.123Z": false, "somying.1234@example.go.th": false,
		"3-9900-XXXXX-XX-4": false, "39900 00000 1 0 5": false, "192.168.100.10": false, "1,234,567,890,123": false,
		"+3990000000104": false, "+ 3990 0000 00104": false, "3.99.00.00.000.01.04": false, "3990000000104567": false, "1234567890 3990000": false,
	} {
		if got := HoldsCitizenID(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestMaskCitizenIDs(t *testing.T) {
	for text, want := range map[string]string{
		"":              "",
		"แทนนายก ข้อ 7": "แทนนายก ข้อ 7",
		"3990000000104": "3-9900-XXXXX-XX-4",
		"แทน ๓๙๙๐๐๐๐๐๐๐๑๐๔ ตั้งแต่ 1/10": "แทน 3-9900-XXXXX-XX-4 ตั้งแต่ 1/10",
		"a 3 9900 00000 10 4 b":                                             "a 3-9900-XXXXX-XX-4 b",
		"โทร 0812345678 ชื่อ 3.9900.00000.10.4.":                            "โทร 0812345678 ชื่อ 3-9900-XXXXX-XX-4.",
		"1-9900-00000-01-9 3-9900-00000-10-4, 13990000000104 3990000000104": "1-9900-XXXXX-XX-9 3-9900-XXXXX-XX-4, 13990000000104 3-9900-XXXXX-XX-4",
		"3990000000105": "3990000000105",
	} {
		got := MaskCitizenIDs(text)
		if got != want || MaskCitizenIDs(got) != got || HoldsCitizenID(got) {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestHoldsEveryCitizenID finds any good ID among words and other numbers, however it is written, and no other number of
// 13 digits.
func TestHoldsEveryCitizenID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.StringMatching(`[1-8][0-9]{11}`).Draw(t, "first")
		zero := rapid.SampledFrom([]rune{'0', '๐', '\uff10'}).Draw(t, "script")
		sep := rapid.SampledFrom([]string{"", "-", " ", ".", " - ", "\u2013", "\u00a0"}).Draw(t, "between")
		around := rapid.SampledFrom([]string{"%s", "แทน %s ถึง 30/9/2570", "อก 0301/1234: %s", "%s, 081-234-5678", "(%s)", "น.ส.%sก"}).Draw(t, "around")
		for last := range 10 {
			digits := fmt.Sprintf("%s%d", first, last)
			written := strings.Map(func(r rune) rune {
				if isDigit(r) {
					return r - '0' + zero
				}
				return r
			}, strings.ReplaceAll(JuristicID(digits).Dashed(), "-", sep))
			if text := fmt.Sprintf(around, written); HoldsCitizenID(text) != ValidCheckDigit(digits) {
				t.Errorf("%q: %v", text, HoldsCitizenID(text))
			}
		}
	})
}

func FuzzMaskCitizenIDs(f *testing.F) {
	for _, text := range []string{
		"แทน ๓๙๙๐๐๐๐๐๐๐๑๐๔ 1-9900-00000-01-9", "3.9900.00000.10.4 081-234-5678", "+3990000000104", "4 3-9900-00000-10-4 9900 00000 01 9", "\xff3990000000104",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := MaskCitizenIDs(text)
		if HoldsCitizenID(got) || HoldsCitizenID(text) != (got != text) {
			t.Errorf("%q became %q", text, got)
		}
		count := 0
		for _, r := range text {
			if isDigit(foldDigit(r)) {
				count++
			}
		}
		if count < 13 && got != text {
			t.Errorf("%q has %d digits and became %q", text, count, got)
		}
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("%q became %q", text, got)
		}
	})
}

package thai

import "testing"

func TestHoldsCitizenID(t *testing.T) {
	for text, want := range map[string]bool{
		"3990000000104": true, "OFF-3990000000104/2": true, "3990000000104-01": true, "๓๙๙๐๐๐๐๐๐๐๑๐๔ ก": true, "คุณ 3-9900-00000-10-4": true, "a 3 9900 00000 10 4": true,
		"1-9900-00000-01-9 กับ 3-9900-00000-10-4": true, "1-9900-00000-01-9 3-9900-00000-10-4": true,
		"": false, "3990000000105": false, "39900000001047": false, "0995000000015": false, "bfe9eb29-ab87-4ca3-be83-a1d5d8305716": false, "20261105-000000000017": false,
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
		"a 3 9900 00000 10 4 b": "a 3-9900-XXXXX-XX-4 b",
		"1-9900-00000-01-9 3-9900-00000-10-4, 13990000000104 3990000000104": "1-9900-XXXXX-XX-9 3-9900-XXXXX-XX-4, 13990000000104 3-9900-XXXXX-XX-4",
		"3990000000105": "3990000000105",
	} {
		got := MaskCitizenIDs(text)
		if got != want || MaskCitizenIDs(got) != got || HoldsCitizenID(got) {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func FuzzMaskCitizenIDs(f *testing.F) {
	f.Add("แทน ๓๙๙๐๐๐๐๐๐๐๑๐๔ 1-9900-00000-01-9")
	f.Fuzz(func(t *testing.T, text string) {
		if got := MaskCitizenIDs(text); HoldsCitizenID(got) {
			t.Errorf("%q became %q", text, got)
		}
	})
}

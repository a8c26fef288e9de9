package thai

import "testing"

func TestHoldsCitizenID(t *testing.T) {
	for text, want := range map[string]bool{
		"3990000000104": true, "OFF-3990000000104/2": true, "3990000000104-01": true, "๓๙๙๐๐๐๐๐๐๐๑๐๔ ก": true, "คุณ 3-9900-00000-10-4": true, "a 3 9900 00000 10 4": true,
		"": false, "3990000000105": false, "39900000001047": false, "0995000000015": false, "bfe9eb29-ab87-4ca3-be83-a1d5d8305716": false, "20261105-000000000017": false,
	} {
		if got := HoldsCitizenID(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

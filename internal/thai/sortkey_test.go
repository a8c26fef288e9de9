package thai

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestSortKeyOrder holds lists in the order of the Royal Institute Dictionary
// (พจนานุกรม ฉบับราชบัณฑิตยสถาน).
func TestSortKeyOrder(t *testing.T) {
	for name, want := range map[string][]string{
		"provinces": {
			"กรุงเทพมหานคร", "กาญจนบุรี", "ขอนแก่น", "จันทบุรี", "ฉะเชิงเทรา",
			"ชลบุรี", "ชัยนาท", "เชียงราย", "เชียงใหม่", "ตรัง", "นครปฐม", "นนทบุรี",
			"บุรีรัมย์", "ปทุมธานี", "พระนครศรีอยุธยา", "แพร่", "มหาสารคาม", "แม่ฮ่องสอน",
			"ยะลา", "ระยอง", "ราชบุรี", "เลย", "ศรีสะเกษ", "สงขลา", "อุบลราชธานี",
		},
		"vowels written first": {
			"กา", "เก", "แก", "โก", "ใก", "ไก", "ขา", "เข", "แข", "โข", "ใข", "ไข",
		},
		"tone marks count last": {"กา", "ก่า", "ก้า", "ก๊า", "ก๋า", "กาง", "ก้าง"},
		"numbers by value":      {"กลุ่มที่ 1", "กลุ่มที่ ๒", "กลุ่มที่ 9 ก", "กลุ่มที่ 10", "กลุ่มที่ ๑๑", "กลุ่มบริหาร"},
		"digits before letters": {"1", "2", "A", "b", "ก"},
	} {
		t.Run(name, func(t *testing.T) {
			got := slices.Clone(want)
			slices.Reverse(got)
			slices.SortStableFunc(got, func(a, b string) int {
				return strings.Compare(SortKey(a), SortKey(b))
			})
			if !slices.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

func TestSortKeyIsHexAndSeesTextAsCleaned(t *testing.T) {
	key := SortKey("สอจ.เชียงใหม่ 12")
	if key == "" || strings.Trim(key, "0123456789abcdef") != "" {
		t.Errorf("key = %q", key)
	}
	if SortKey(" น้\u0e4d\u0e32\u200b ") != SortKey("น้ำ") {
		t.Error("two spellings of one text have different keys")
	}
	if got := SortKey(""); got != SortKey(" ") || got > SortKey("ก") {
		t.Errorf("the empty text has key %q", got)
	}
}

func TestSortKeyFromManyGoroutines(t *testing.T) {
	words := []string{"เชียงใหม่", "กรุงเทพมหานคร", "แพร่", "ไทย"}
	var want []string
	for _, w := range words {
		want = append(want, SortKey(w))
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				if k := i % len(words); SortKey(words[k]) != want[k] {
					t.Errorf("the key of %q changed", words[k])
				}
			}
		})
	}
	wg.Wait()
}

func FuzzSortKey(f *testing.F) {
	for _, s := range []string{"เชียงใหม่", "กลุ่มที่ ๑๐", "00", "น\u0e4d\u0e49\u0e32", "\u0e40\u0e40", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		key := SortKey(s)
		if len(key)%2 != 0 || strings.Trim(key, "0123456789abcdef") != "" {
			t.Errorf("%+q has key %q", s, key)
		}
		if again := SortKey(clean(s)); again != key {
			t.Errorf("%+q has key %q, cleaned %q", s, key, again)
		}
	})
}

package thai

import (
	"errors"
	"testing"
	"time"
)

func TestParseHour(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"16:30": 16*time.Hour + 30*time.Minute, "16.30": 16*time.Hour + 30*time.Minute, "16.30 น.": 16*time.Hour + 30*time.Minute,
		" เวลา ๑๖.๓๐ น. ": 16*time.Hour + 30*time.Minute, "0:00": 0, "00.00น.": 0, "23:59": 24*time.Hour - time.Minute, "9:05": 9*time.Hour + 5*time.Minute,
	} {
		if got, err := ParseHour(s); err != nil || got != want {
			t.Errorf("%q = %v, %v, want %v", s, got, err, want)
		}
	}
	for s, want := range map[string]error{
		"": ErrEmpty, " \u200b": ErrEmpty, "24:00": ErrHour, "12:60": ErrHour, "12": ErrHour, "12:5": ErrHour, "1230": ErrHour, "-1:30": ErrHour,
		"12:30:00": ErrHour, "123:00": ErrHour, "เที่ยง": ErrHour, "น.": ErrHour, ":30": ErrHour, "4:30 pm": ErrHour,
	} {
		if got, err := ParseHour(s); !errors.Is(err, want) || got != 0 {
			t.Errorf("%q = %v, %v, want %v", s, got, err, want)
		}
	}
}

func FuzzHour(f *testing.F) {
	for _, s := range []string{"16:30", "๑๖.๓๐ น.", "เวลา 0.00 น.", "24:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseHour(s)
		if d < 0 || d >= 24*time.Hour || err != nil && d != 0 {
			t.Fatalf("%q = %v, %v", s, d, err)
		}
		if err != nil {
			return
		}
		if again, err := ParseHour(time.Time{}.Add(d).Format("15:04")); err != nil || again != d {
			t.Errorf("%q = %v reads back as %v, %v", s, d, again, err)
		}
	})
}

package thai

import (
	"errors"
	"testing"
	"time"
)

func TestParseDate(t *testing.T) {
	want := Date{2026, time.November, 22}
	for _, in := range []string{
		"22/11/2569", "22-11-2569", "22.11.2569", "22–11–2569", " 22/11/2569 ",
		"22 พ.ย. 2569", "22 พย 2569", "22พ.ย.2569", "22 พ.ย.2569",
		"22 พฤศจิกายน 2569", "22 พฤศจิกายน พ.ศ. 2569", "วันที่ 22 พฤศจิกายน 2569",
		"๒๒/๑๑/๒๕๖๙", "๒๒ พ.ย. ๒๕๖๙", "๒๒ พฤศจิกายน พ.ศ. ๒๕๖๙",
		"2026-11-22", "2026/11/22", "2569-11-22", "22/11/2026",
		"22 Nov 2026", "22 November 2026", "22 NOV 2026", "22 Nov 2569",
		"22\u200b/11/2569",
	} {
		if got, err := ParseDate(in); got != want || err != nil {
			t.Errorf("%q = %v, %v", in, got, err)
		}
	}
	for _, tt := range []struct {
		in   string
		want Date
	}{
		{"1/2/2569", Date{2026, time.February, 1}},
		{"01/02/2569", Date{2026, time.February, 1}},
		{"29/2/2567", Date{2024, time.February, 29}},
		{"29 ก.พ. 2543", Date{2000, time.February, 29}},
		{"2024-02-29", Date{2024, time.February, 29}},
		{"1/1/2443", Date{1900, time.January, 1}},
		{"31/12/2942", Date{2399, time.December, 31}},
		{"31/12/2399", Date{2399, time.December, 31}},
		{"1/1/1900", Date{1900, time.January, 1}},
	} {
		if got, err := ParseDate(tt.in); got != tt.want || err != nil {
			t.Errorf("%q = %v, %v; want %v", tt.in, got, err, tt.want)
		}
	}
}

func TestParseDateRefuses(t *testing.T) {
	for in, want := range map[string]error{
		"":                    ErrEmpty,
		" \u200b":             ErrEmpty,
		"พรุ่งนี้":            ErrDateForm,
		"22":                  ErrDateForm,
		"22/11":               ErrDateForm,
		"22/11/":              ErrDateForm,
		"/11/2569":            ErrDateForm,
		"22//2569":            ErrDateForm,
		"22/11-2569":          ErrDateForm,
		"22/11/2569/1":        ErrDateForm,
		"22/11/2569 14:05":    ErrDateForm,
		"22/11/256":           ErrDateForm,
		"22/11/25690":         ErrDateForm,
		"022/11/2569":         ErrDateForm,
		"22 2569":             ErrDateForm,
		"22 11 2569":          ErrDateForm,
		"22 พ.ศ. 2569":        ErrDateForm,
		"22 พฤศจิก 2569":      ErrDateForm,
		"พ.ย. 2569":           ErrDateForm,
		"2026-11-22T00:00:00": ErrDateForm,
		"-1/11/2569":          ErrDateForm,
		"22/11/69":            ErrShortYear,
		"22 พ.ย. 69":          ErrShortYear,
		"22.11.69":            ErrShortYear,
		"1/1/1899":            ErrYear,
		"1/1/0000":            ErrYear,
		"1/1/2400":            ErrYear,
		"1/1/2442":            ErrYear,
		"1/1/2943":            ErrYear,
		"1/1/9999":            ErrYear,
		"31/4/2569":           ErrNoDay,
		"0/4/2569":            ErrNoDay,
		"32/1/2569":           ErrNoDay,
		"30/2/2567":           ErrNoDay,
		"22/13/2569":          ErrDateForm,
		"22/0/2569":           ErrDateForm,
		"29/2/2569":           ErrLeapDay, // 2026
		"29/2/2568":           ErrLeapDay, // 2025, though 2568 divides by four
		"29 ก.พ. 2443":        ErrLeapDay, // 1900 divides by four
		"2026-02-29":          ErrLeapDay,
	} {
		if got, err := ParseDate(in); !errors.Is(err, want) || !got.IsZero() {
			t.Errorf("%q = %v, %v; want %v", in, got, err, want)
		}
	}
}

func TestDateForms(t *testing.T) {
	d := Date{2026, time.November, 22}
	at := time.Date(2026, time.November, 22, 7, 5, 59, 0, time.UTC)
	for _, tt := range []struct{ got, want string }{
		{d.String(), "2026-11-22"},
		{d.Short("th"), "22 พ.ย. 2569"},
		{d.Short("en"), "22 Nov 2026"},
		{d.Long("th"), "22 พฤศจิกายน 2569"},
		{d.Long("en"), "22 November 2026"},
		{d.InLanguage("th"), "22 พฤศจิกายน 2569"},
		{d.Numeric("th"), "22/11/2569"},
		{d.Numeric("en"), "22/11/2026"},
		{Date{2026, time.February, 1}.Numeric("th"), "01/02/2569"},
		{Date{2026, time.February, 1}.Short("th"), "1 ก.พ. 2569"},
		{Moment(at).Short("th"), "22 พ.ย. 2569 14:05 น."},
		{Moment(at).Short("en"), "22 Nov 2026 14:05"},
		{Moment(at).InLanguage("th"), "22 พ.ย. 2569 14:05 น."},
		{Moment(at.Add(10 * time.Hour)).Short("th"), "23 พ.ย. 2569 00:05 น."},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
	var none Date
	for _, s := range []string{none.String(), none.Short("th"), none.Long("en"), none.Numeric("th"), Moment{}.Short("th")} {
		if s != "" {
			t.Errorf("no date prints %q", s)
		}
	}
}

func TestDayInBangkok(t *testing.T) {
	d := Date{2026, time.December, 31}
	start := time.Date(2026, time.December, 30, 17, 0, 0, 0, time.UTC)
	if !d.StartOfDay().Equal(start) {
		t.Errorf("StartOfDay = %v", d.StartOfDay())
	}
	if end := d.EndExclusive(); !end.Equal(start.Add(24 * time.Hour)) {
		t.Errorf("EndExclusive = %v", end)
	}
	if got := LastDay(d.EndExclusive()); got != d {
		t.Errorf("LastDay = %v", got)
	}
	if got := LastDay(d.StartOfDay().Add(time.Hour)); got != d {
		t.Errorf("LastDay of an end within the day = %v", got)
	}
	for at, want := range map[time.Time]Date{
		start:                       d,
		start.Add(-1):               {2026, time.December, 30},
		d.EndExclusive().Add(-1):    d,
		d.EndExclusive():            {2027, time.January, 1},
		d.EndExclusive().UTC():      {2027, time.January, 1},
		time.Unix(0, 0).In(Bangkok): {1970, time.January, 1},
	} {
		if got := DateOf(at); got != want {
			t.Errorf("%v = %v, want %v", at, got, want)
		}
	}
}

func TestDateArithmetic(t *testing.T) {
	for _, tt := range []struct {
		from Date
		n    int
		want Date
	}{
		{Date{2024, time.February, 28}, 1, Date{2024, time.February, 29}},
		{Date{2026, time.February, 28}, 1, Date{2026, time.March, 1}},
		{Date{2026, time.January, 1}, -1, Date{2025, time.December, 31}},
		{Date{2026, time.January, 1}, 365, Date{2027, time.January, 1}},
		{Date{2026, time.January, 1}, 0, Date{2026, time.January, 1}},
	} {
		got := tt.from.AddDays(tt.n)
		if got != tt.want {
			t.Errorf("%v + %d = %v, want %v", tt.from, tt.n, got, tt.want)
		}
		if c := tt.from.Compare(got); c > 0 != (tt.n < 0) || c == 0 != (tt.n == 0) {
			t.Errorf("%v against %v = %d", tt.from, got, c)
		}
	}
}

func TestAddYears(t *testing.T) {
	for _, tt := range []struct {
		from Date
		n    int
		want Date
	}{
		{Date{2026, time.September, 30}, 1, Date{2027, time.September, 30}},
		{Date{2027, time.February, 28}, 1, Date{2028, time.February, 28}},
		{Date{2028, time.February, 28}, 1, Date{2029, time.February, 28}},
		{Date{2028, time.February, 29}, 1, Date{2029, time.February, 28}},
		{Date{2028, time.February, 29}, 4, Date{2032, time.February, 29}},
		{Date{2028, time.February, 29}, -1, Date{2027, time.February, 28}},
		{Date{2028, time.February, 29}, 0, Date{2028, time.February, 29}},
		{Date{2028, time.December, 31}, 1, Date{2029, time.December, 31}},
	} {
		if got := tt.from.AddYears(tt.n); got != tt.want {
			t.Errorf("%v and %d years = %v, want %v", tt.from, tt.n, got, tt.want)
		}
	}
}

// TestEveryDayReadsBack writes each day of two leap cycles in every form.
func TestEveryDayReadsBack(t *testing.T) {
	for d := (Date{2023, time.January, 1}); d.Year < 2031; d = d.AddDays(1) {
		readsBack(t, d)
	}
}

func readsBack(t *testing.T, d Date) {
	t.Helper()
	for _, form := range []string{
		d.String(), d.Short("th"), d.Short("en"), d.Long("th"), d.Long("en"),
		d.Numeric("th"), d.Numeric("en"),
	} {
		if got, err := ParseDate(form); got != d || err != nil {
			t.Errorf("%q = %v, %v; want %v", form, got, err, d)
		}
	}
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{"22/11/2569", "๒๒ พ.ย. ๒๕๖๙", "2026-11-22", "29/2/2569", "22 พฤศจิกายน พ.ศ. 2569", "1/1/2942", "22.11.69"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDate(s)
		if d.IsZero() != (err != nil) {
			t.Fatalf("%q = %v, %v", s, d, err)
		}
		if err != nil {
			return
		}
		readsBack(t, d)
		if DateOf(d.StartOfDay()) != d || LastDay(d.EndExclusive()) != d {
			t.Errorf("%v: starts %v, ends %v", d, d.StartOfDay(), d.EndExclusive())
		}
	})
}

package thai

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Bangkok is the time of Thailand. It is a fixed zone and not loaded from a
// time zone database: Thailand has kept UTC+7 without summer time since 1920,
// and so no machine lacks it and no update moves it.
var Bangkok = time.FixedZone("Asia/Bangkok", 7*60*60)

// buddhistEra is added to a Gregorian year to give the Buddhist one (พ.ศ.).
const buddhistEra = 543

// The Gregorian years a Date may lie in. ParseDate takes a year from 2400 on as
// Buddhist, so the two ranges people write, 1900–2399 and 2443–2942, are apart.
const (
	minYear           = 1900
	maxYear           = 2399
	firstBuddhistYear = 2400
)

// The failures of ParseDate besides ErrEmpty.
var (
	ErrDateForm  = errors.New("not a date")
	ErrShortYear = errors.New("a year of two digits may be Buddhist or Gregorian")
	ErrYear      = errors.New("a year outside 1900–2399 (พ.ศ. 2443–2942)")
	ErrNoDay     = errors.New("the month does not have this day")
	ErrLeapDay   = errors.New("29 February in a year that is no leap year")
)

// Date is a day of the calendar in Thailand, with its Gregorian year. The zero
// Date is none.
type Date struct {
	Year  int // Gregorian
	Month time.Month
	Day   int
}

// DateOf returns the day it is in Bangkok at t.
func DateOf(t time.Time) Date {
	y, m, d := t.In(Bangkok).Date()
	return Date{y, m, d}
}

// LastDay returns the last day of a period that ends before endExclusive: for
// the midnight that EndExclusive gives, the day before it.
func LastDay(endExclusive time.Time) Date {
	return DateOf(endExclusive.Add(-1))
}

// IsZero reports whether there is no date.
func (d Date) IsZero() bool { return d == Date{} }

// StartOfDay returns 00:00 of the day in Bangkok.
func (d Date) StartOfDay() time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, Bangkok)
}

// EndExclusive returns the midnight that ends the day in Bangkok: what is valid
// through the day is valid before this time.
func (d Date) EndExclusive() time.Time { return d.AddDays(1).StartOfDay() }

// AddDays returns the day n days later, earlier for a negative n.
func (d Date) AddDays(n int) Date {
	d.Day += n
	return DateOf(d.StartOfDay())
}

// AddYears returns the same day n years later, earlier for a negative n; of 29
// February it is 28 February where the year has no 29th.
func (d Date) AddYears(n int) Date {
	d.Year += n
	if d.Month == time.February && d.Day == 29 && DateOf(d.StartOfDay()) != d {
		d.Day = 28
	}
	return d
}

// Compare returns -1, 0 or +1 as d is before, the same as or after e.
func (d Date) Compare(e Date) int { return d.StartOfDay().Compare(e.StartOfDay()) }

// String returns the ISO form, 2026-11-22, that <input type=date> wants; "" for
// the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// ParseDate reads a date as people write it: 22/11/2569, 22-11-2569,
// 22.11.2569, 22 พ.ย. 2569, 22 พฤศจิกายน พ.ศ. 2569, 22 Nov 2026, and the
// 2026-11-22 of <input type=date>, with Arabic or Thai digits. A year from 2400
// on is Buddhist (พ.ศ.), an earlier one Gregorian (ค.ศ.). It fails with
// ErrEmpty, ErrDateForm, ErrShortYear, ErrYear, ErrNoDay or ErrLeapDay.
func ParseDate(s string) (Date, error) {
	s = Fold(s)
	if s == "" {
		return Date{}, ErrEmpty
	}
	day, month, year, ok := splitDate(s)
	if !ok {
		return Date{}, ErrDateForm
	}
	if len(year) == 2 {
		return Date{}, ErrShortYear
	}
	y, okYear := number(year)
	m, okMonth := monthNumber(month)
	d, okDay := number(day)
	if !okYear || !okMonth || !okDay || len(year) != 4 || len(day) > 2 {
		return Date{}, ErrDateForm
	}
	if y >= firstBuddhistYear {
		y -= buddhistEra
	}
	if y < minYear || y > maxYear {
		return Date{}, ErrYear
	}
	date := Date{y, m, d}
	switch {
	case DateOf(date.StartOfDay()) == date:
		return date, nil
	case m == time.February && d == 29:
		return Date{}, ErrLeapDay
	}
	return Date{}, ErrNoDay
}

// splitDate finds the three parts of a folded date; month is digits or a name.
func splitDate(s string) (day, month, year string, ok bool) {
	s = strings.TrimSpace(strings.TrimPrefix(s, "วันที่"))
	first, rest := leadingDigits(s)
	sep, width := utf8.DecodeRuneInString(rest)
	if sep == '/' || sep == '.' || isDash(sep) {
		middle, rest := leadingDigits(rest[width:])
		last, found := strings.CutPrefix(rest, string(sep))
		if len(first) == 4 {
			return last, middle, first, found
		}
		return first, middle, last, found
	}
	i := strings.IndexFunc(rest, isDigit)
	if i < 0 {
		return "", "", "", false
	}
	name := strings.TrimSuffix(strings.TrimSpace(rest[:i]), "พ.ศ.")
	return first, strings.TrimSpace(name), rest[i:], true
}

// leadingDigits cuts s after the digits it begins with.
func leadingDigits(s string) (digits, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	return s[:len(s)-len(rest)], rest
}

func number(s string) (int, bool) {
	digits, rest := leadingDigits(s)
	if digits == "" || rest != "" {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil
}

// monthNumber reads a month as a number or by name.
func monthNumber(s string) (time.Month, bool) {
	if n, ok := number(s); ok {
		return time.Month(n), n >= 1 && n <= 12
	}
	m, ok := monthNames[undotted(s)]
	return m, ok
}

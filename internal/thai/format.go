package thai

import (
	"fmt"
	"strings"
	"time"
)

// english is the tag that chooses English. Dates are Thai in every other case,
// with the Buddhist year (พ.ศ.); the English year is Gregorian, because the
// reader of an English screen reckons by it.
const english = "en"

var (
	longMonths = [...]string{
		"มกราคม", "กุมภาพันธ์", "มีนาคม", "เมษายน", "พฤษภาคม", "มิถุนายน",
		"กรกฎาคม", "สิงหาคม", "กันยายน", "ตุลาคม", "พฤศจิกายน", "ธันวาคม",
	}
	shortMonths = [...]string{
		"ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.",
		"ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค.",
	}
)

// monthNames finds a month by any of its names, folded and undotted.
var monthNames = func() map[string]time.Month {
	names := make(map[string]time.Month)
	for m := time.January; m <= time.December; m++ {
		for _, name := range []string{
			longMonths[m-1], shortMonths[m-1], m.String(), m.String()[:3],
		} {
			names[undotted(Fold(name))] = m
		}
	}
	return names
}()

func undotted(s string) string { return strings.ReplaceAll(s, ".", "") }

// Short returns 22 พ.ย. 2569 for "th" and 22 Nov 2026 for "en"; like the other
// forms, "" for the zero Date.
func (d Date) Short(lang string) string {
	return d.inWords(lang, func(m time.Month) (th, en string) {
		return shortMonths[m-1], m.String()[:3]
	})
}

// Long returns 22 พฤศจิกายน 2569 for "th" and 22 November 2026 for "en".
func (d Date) Long(lang string) string {
	return d.inWords(lang, func(m time.Month) (th, en string) {
		return longMonths[m-1], m.String()
	})
}

// Numeric returns 22/11/2569 for "th" and 22/11/2026 for "en".
func (d Date) Numeric(lang string) string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%02d/%02d/%04d", d.Day, d.Month, d.yearIn(lang))
}

// InLanguage is Long, the form for a date in a sentence; it lets a Date stand
// as an argument of a text of internal/locale.
func (d Date) InLanguage(lang string) string { return d.Long(lang) }

func (d Date) inWords(lang string, monthName func(time.Month) (th, en string)) string {
	if d.IsZero() {
		return ""
	}
	name, en := monthName(d.Month)
	if lang == english {
		name = en
	}
	return fmt.Sprintf("%d %s %d", d.Day, name, d.yearIn(lang))
}

func (d Date) yearIn(lang string) int {
	if lang == english {
		return d.Year
	}
	return d.Year + buddhistEra
}

// Moment is a point in time to be shown to the minute, on Bangkok's clock.
type Moment time.Time

// Short returns 22 พ.ย. 2569 14:05 น. for "th" and 22 Nov 2026 14:05 for "en";
// "" for the zero Moment.
func (m Moment) Short(lang string) string {
	t := time.Time(m)
	if t.IsZero() {
		return ""
	}
	s := DateOf(t).Short(lang) + t.In(Bangkok).Format(" 15:04")
	if lang == english {
		return s
	}
	return s + " น."
}

// InLanguage is Short; it lets a Moment stand as an argument of a text of
// internal/locale.
func (m Moment) InLanguage(lang string) string { return m.Short(lang) }

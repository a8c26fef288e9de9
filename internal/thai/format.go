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

// months are the names of January to December in one form, in both languages.
type months struct {
	thai, english [12]string
}

var (
	longMonths = months{
		thai: [...]string{
			"มกราคม", "กุมภาพันธ์", "มีนาคม", "เมษายน", "พฤษภาคม", "มิถุนายน",
			"กรกฎาคม", "สิงหาคม", "กันยายน", "ตุลาคม", "พฤศจิกายน", "ธันวาคม",
		},
		english: [...]string{
			"January", "February", "March", "April", "May", "June",
			"July", "August", "September", "October", "November", "December",
		},
	}
	shortMonths = months{
		thai: [...]string{
			"ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.",
			"ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค.",
		},
		english: [...]string{
			"Jan", "Feb", "Mar", "Apr", "May", "Jun",
			"Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
		},
	}
)

// monthNames finds a month by any of its names, folded and undotted.
var monthNames = func() map[string]time.Month {
	names := make(map[string]time.Month)
	for _, form := range []months{longMonths, shortMonths} {
		for i := range 12 {
			names[undotted(Fold(form.thai[i]))] = time.Month(i + 1)
			names[undotted(Fold(form.english[i]))] = time.Month(i + 1)
		}
	}
	return names
}()

func undotted(s string) string { return strings.ReplaceAll(s, ".", "") }

// Short returns 22 พ.ย. 2569 for "th" and 22 Nov 2026 for "en"; like the other
// forms, "" for the zero Date.
func (d Date) Short(lang string) string { return d.inWords(lang, &shortMonths) }

// Long returns 22 พฤศจิกายน 2569 for "th" and 22 November 2026 for "en".
func (d Date) Long(lang string) string { return d.inWords(lang, &longMonths) }

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

func (d Date) inWords(lang string, names *months) string {
	if d.IsZero() {
		return ""
	}
	name := names.thai[d.Month-1]
	if lang == english {
		name = names.english[d.Month-1]
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

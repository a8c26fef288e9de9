package thai

import (
	"errors"
	"strings"
	"time"
)

// ErrHour says that something is no time of day.
var ErrHour = errors.New("not a time of day")

// ParseHour reads a time of day as people write it, to the minute: 16:30,
// 16.30, 16.30 น., เวลา ๑๖.๓๐ น.; from 00:00 to 23:59. It returns the time since
// midnight, or fails with ErrEmpty or ErrHour.
func ParseHour(s string) (time.Duration, error) {
	s = Fold(s)
	if s == "" {
		return 0, ErrEmpty
	}
	s = strings.TrimSpace(strings.TrimPrefix(s, "เวลา"))
	s = strings.TrimSpace(strings.TrimSuffix(s, "น."))
	hours, minutes, ok := strings.Cut(strings.Replace(s, ".", ":", 1), ":")
	h, okHours := number(hours)
	m, okMinutes := number(minutes)
	if !ok || !okHours || !okMinutes || len(hours) > 2 || len(minutes) != 2 || h > 23 || m > 59 {
		return 0, ErrHour
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute, nil
}

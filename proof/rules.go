package proof

import "time"

// sendWait answers how long a contact to which codes were sent at these moments (newest first) must wait for another.
func sendWait(sent []time.Time, now time.Time) (wait time.Duration) {
	for _, limit := range sendings {
		if len(sent) >= limit.most {
			wait = max(wait, sent[limit.most-1].Add(limit.within).Sub(now))
		}
	}
	return wait
}

const mostBytes = 4096

func weakness(password string, about []string, blocked map[string]struct{}) (key string) { return "" }

package benchkit

import (
	"math"
	"testing"
	"time"
)

func TestDistance(t *testing.T) {
	for name, tt := range map[string]struct {
		one, other []time.Duration
		want       float64
	}{
		"the same":         {[]time.Duration{3, 1, 2}, []time.Duration{1, 2, 3}, 0},
		"wholly apart":     {[]time.Duration{1, 2, 3, 4}, []time.Duration{5, 6}, 1},
		"half apart":       {[]time.Duration{1, 2, 3, 4}, []time.Duration{3, 4, 5, 6}, 0.5},
		"the same moments": {[]time.Duration{1, 1, 1, 2}, []time.Duration{1, 2, 2, 2}, 0.5},
	} {
		r := &Rounds{took: map[string][]time.Duration{"one": tt.one, "other": tt.other}}
		if got, _ := r.Distance("one", "other"); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %g, want %g", name, got, tt.want)
		}
	}
	r := &Rounds{took: map[string][]time.Duration{"one": make([]time.Duration, 80), "other": make([]time.Duration, 80)}}
	if _, chance := r.Distance("one", "other"); math.Abs(chance-0.257) > 0.001 { // tables of the test: 0.257 for 80 and 80 at 1 %
		t.Errorf("by chance up to %g", chance)
	}
}

// One slow round, or a machine that grows slower, does not move the ratio.
func TestRatio(t *testing.T) {
	r := &Rounds{took: map[string][]time.Duration{"one": {20, 40, 80, 900, 160}, "other": {10, 20, 40, 80, 80}}}
	if got := r.Ratio("one", "other"); got != 2 {
		t.Errorf("ratio %g, want 2", got)
	}
}

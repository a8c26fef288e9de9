package benchkit

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Unit is what a benchmark counts time by.
type Unit func(t testing.TB) time.Duration

// CPU is the processor time that this process has used, which other programs on the machine disturb least. The
// collector's work is in it.
func CPU(t testing.TB) time.Duration {
	t.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// start is what Wall counts from.
var start = time.Now()

// Wall is the time on the clock.
func Wall(testing.TB) time.Duration { return time.Since(start) }

// Rounds collects what several contenders took, measured in turns: whatever disturbs the machine disturbs all of them.
type Rounds struct {
	b    *testing.B
	unit Unit
	took map[string][]time.Duration
}

// NewRounds starts a comparison in a unit of time.
func NewRounds(b *testing.B, unit Unit) *Rounds {
	return &Rounds{b: b, unit: unit, took: map[string][]time.Duration{}}
}

// Time runs f n times, as one measurement of the contender. Garbage of others is taken away before.
func (r *Rounds) Time(contender string, n int, f func()) {
	r.b.Helper()
	runtime.GC()
	before := r.unit(r.b)
	for range n {
		f()
	}
	r.Add(contender, (r.unit(r.b)-before)/time.Duration(n))
}

// Add notes a measurement that was made elsewhere.
func (r *Rounds) Add(contender string, took time.Duration) {
	r.took[contender] = append(r.took[contender], took)
}

// Count is how often a contender was measured.
func (r *Rounds) Count(contender string) int { return len(r.took[contender]) }

// Median is what a contender took in the middle of all rounds.
func (r *Rounds) Median(contender string) time.Duration { return r.Percentile(contender, 50) }

// Percentile is what a contender took at most in p of a hundred measurements.
func (r *Rounds) Percentile(contender string, p int) time.Duration {
	list := slices.Sorted(slices.Values(r.took[contender]))
	if len(list) == 0 {
		r.b.Fatalf("%s was not measured", contender)
	}
	return list[min(len(list)*p/100, len(list)-1)]
}

// Ratio is how many times as long as the other one contender took in the middle of all rounds, round by round: what slows the
// machine for seconds slows both of a round.
func (r *Rounds) Ratio(one, other string) float64 {
	a, b := r.took[one], r.took[other]
	if len(a) == 0 || len(a) != len(b) {
		r.b.Fatalf("%s and %s were not measured equally often", one, other)
	}
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = float64(a[i]) / float64(b[i])
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// Distance is how far the times of two contenders lie apart as wholes: the greatest difference between their cumulative
// distributions, 0 to 1 (Kolmogorov and Smirnov). chance is what two samples of their sizes from one and the same
// distribution stay below in 99 of 100 cases.
func (r *Rounds) Distance(one, other string) (distance, chance float64) {
	a, b := slices.Sorted(slices.Values(r.took[one])), slices.Sorted(slices.Values(r.took[other]))
	if len(a) == 0 || len(b) == 0 {
		r.b.Fatalf("%s or %s was not measured", one, other)
	}
	n, m := float64(len(a)), float64(len(b))
	for i, j := 0, 0; i < len(a) && j < len(b); {
		at := min(a[i], b[j])
		for i < len(a) && a[i] == at {
			i++
		}
		for j < len(b) && b[j] == at {
			j++
		}
		distance = max(distance, math.Abs(float64(i)/n-float64(j)/m))
	}
	return distance, 1.628 * math.Sqrt((n+m)/(n*m))
}

// Figure is one line of the table that `make bench` ends with.
type Figure struct {
	Name  string
	Ours  string
	Peer  string  // what it is held against, with its own figure; "" when it is only reported
	Ratio float64 // ours to the peer's; 0 for none
	Goal  string  // "" when it is only reported
	Met   bool
}

// AtMost is a figure of which the goal is a multiple of the peer.
func AtMost(name string, ours, peer time.Duration, what string, times float64) Figure {
	ratio := float64(ours) / float64(peer)
	return Figure{
		Name: name, Ours: Round(ours), Peer: Round(peer) + " " + what, Ratio: ratio,
		Goal: fmt.Sprintf("≤ %g×", times), Met: ratio <= times,
	}
}

// AtLeast is a figure of which the goal is how many times faster than the peer it is.
func AtLeast(name string, ours, peer time.Duration, what string, times float64) Figure {
	ratio := float64(peer) / float64(ours)
	return Figure{
		Name: name, Ours: Round(ours), Peer: Round(peer) + " " + what, Ratio: ratio,
		Goal: fmt.Sprintf("≥ %g×", times), Met: ratio >= times,
	}
}

// Round writes a time with three digits.
func Round(d time.Duration) string {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}

// tableFile is named by `make bench`.
const tableFile = "SITTHI_TEST_BENCH_TABLE"

// Report puts a figure into the table of `make bench`; a benchmark run alone logs it.
func Report(b *testing.B, f Figure) {
	b.Helper()
	ratio, verdict := "", ""
	if f.Ratio > 0 {
		ratio = fmt.Sprintf("%.2f", f.Ratio)
	}
	switch {
	case f.Goal == "":
	case f.Met:
		verdict = "met"
	default:
		verdict = "MISSED"
	}
	b.ReportMetric(0, "ns/op") // the time of a round of all contenders says nothing
	line := strings.Join([]string{f.Name, f.Ours, f.Peer, ratio, f.Goal, verdict}, "\t")
	path := os.Getenv(tableFile)
	if path == "" {
		b.Log(strings.ReplaceAll(line, "\t", " | "))
		return
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := file.WriteString(line + "\n"); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
}

package grant

import (
	"fmt"
	"testing"
	"time"

	"sitthi/internal/benchkit"
	"sitthi/internal/clock"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
	"sitthi/person"
)

// BenchmarkGoals holds a decision in process against the bare limit, a lookup in a packed slice per subject, in turns.
func BenchmarkGoals(b *testing.B) {
	const asked = 200_000
	s, entries, people, units := synthetic()
	book := &Book{now: s, clock: clock.System{}}
	list := questions(people, units)
	bare := pack(entries)
	type bareQuestion struct {
		who        person.ID
		do         Action
		unit, team uint16
	}
	bareList := make([]bareQuestion, len(list))
	for i, q := range list {
		bareList[i] = bareQuestion{q.who, q.do, bare.units[q.at.Unit], bare.teams[q.at.Team]}
	}
	now := storetest.Start.UnixMicro()
	rounds := benchkit.NewRounds(b, benchkit.CPU)
	for b.Loop() {
		rounds.Time("allows", 1, func() {
			for i := range asked {
				q := &list[i%len(list)]
				if book.Allows(q.who, q.do, q.at) {
					sink++
				}
			}
		})
		rounds.Time("packed", 1, func() {
			for i := range asked {
				q := &bareList[i%len(bareList)]
				if bare.allows(q.who, q.do, q.unit, q.team, now) {
					sink++
				}
			}
		})
	}
	benchkit.Report(b, benchkit.AtMost("decision in process, CPU of 200,000", rounds.Median("allows"), rounds.Median("packed"), "packed slice per subject", 3))
	each := func(what string) string {
		return fmt.Sprintf("%.0f ns", float64(rounds.Median(what))/float64(asked*time.Nanosecond))
	}
	allocs := testing.AllocsPerRun(len(list), func() { book.Allows(list[0].who, list[0].do, list[0].at) })
	benchkit.Report(b, benchkit.Figure{Name: "decision in process, one", Ours: each("allows"), Peer: each("packed") + " packed slice"})
	benchkit.Report(b, benchkit.Figure{Name: "decision in process, allocations", Ours: fmt.Sprint(allocs), Goal: "0", Met: allocs == 0})
	size := bytesPerGrant()
	benchkit.Report(b, benchkit.Figure{Name: "memory of a grant", Ours: fmt.Sprintf("%.1f bytes", size), Goal: "≤ 64 bytes", Met: size <= mostBytes})
}

// BenchmarkPicture holds the figures of all units against bare counting of the same open grants by unit.
func BenchmarkPicture(b *testing.B) {
	k := open(b, storetest.SQLite(b))
	k.crowd(b, manyOfficers, manyGrants)
	if err := k.book.Load(b.Context()); err != nil {
		b.Fatal(err)
	}
	units := 0
	bare := func() {
		err := k.DB.Read(b.Context(), func(tx *store.Tx) error {
			list, err := store.Rows(func(row store.Row) (n int, err error) { return n, row.Scan(&n) })(tx.Query(b.Context(),
				`SELECT count(*) FROM grants WHERE system = 'ko1' AND closed_at IS NULL AND (ends_at IS NULL OR ends_at > $1) GROUP BY unit`, store.Us(tx.Now)))
			units = len(list)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	rounds := benchkit.NewRounds(b, benchkit.CPU)
	for b.Loop() {
		rounds.Time("picture", 5, func() {
			list, err := k.book.Picture(b.Context(), k.admins[0])
			if err != nil || len(list) < units {
				b.Fatal(len(list), err)
			}
		})
		rounds.Time("counting", 5, bare)
	}
	benchkit.Report(b, benchkit.AtMost("figures of all units, CPU", rounds.Median("picture"), rounds.Median("counting"), "bare counting of the same grants by unit", 3))
}

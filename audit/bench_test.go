package audit_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"sitthi/audit"
	"sitthi/internal/benchkit"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/storetest"
)

// hashes are the stored hashes of a tree in memory.
type hashes []tlog.Hash

// ReadHashes implements tlog.HashReader.
func (h hashes) ReadHashes(places []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(places))
	for i, p := range places {
		list[i] = h[p]
	}
	return list, nil
}

// BenchmarkLog reports how fast entries are sealed, and the whole log verified, on SQLite; beside it stands the bare
// tree of hashes in memory.
func BenchmarkLog(b *testing.B) {
	const entries = 5_120
	ctx := b.Context()
	env := storetest.SQLite(b)
	ring, err := seal.New()
	if err != nil {
		b.Fatal(err)
	}
	sealer, err := audit.NewSealer(env.DB, ring, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	rounds := benchkit.NewRounds(b, benchkit.Wall)
	placed, checked := 0, int64(0)
	for b.Loop() {
		err := env.DB.Write(ctx, func(tx *store.Tx) error {
			for n := range entries {
				act := audit.Act{Name: "grant.give", Actor: store.NewID(), Subject: store.NewID(), Object: store.NewID(), Unit: "TH-12",
					Detail: map[string]string{"level": "1", "from": "2026-11-23", "number": fmt.Sprint(n)}, Texts: map[string]string{"note": "ตามคำสั่งมอบหมายงาน"}}
				if err := audit.Record(ctx, tx, act); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		rounds.Time("seal", 1, func() {
			for {
				n, err := sealer.Seal(ctx)
				if err != nil {
					b.Fatal(err)
				}
				if placed += n; n == 0 {
					return
				}
			}
		})
		rounds.Time("bare", 1, func() {
			var tree hashes
			leaf := strings.Repeat("x", 400)
			for n := range int64(entries) {
				grown, err := tlog.StoredHashes(n, []byte(leaf), tree)
				if err != nil {
					b.Fatal(err)
				}
				tree = append(tree, grown...)
			}
		})
		began := benchkit.Wall(b)
		report, err := audit.Verify(ctx, env.DB, ring)
		if err != nil || report.Fault != nil {
			b.Fatalf("verify: %v %v", err, report.Fault)
		}
		checked = report.Size
		rounds.Add("verify", (benchkit.Wall(b)-began)*entries/time.Duration(checked)) // the log grows from round to round
	}
	if int64(placed) != checked {
		b.Fatalf("sealed %d entries, verified %d", placed, checked)
	}
	rate := func(what string) string {
		return fmt.Sprintf("%.0f entries/s", entries/rounds.Median(what).Seconds())
	}
	benchkit.Report(b, benchkit.Figure{Name: "audit log: seal", Ours: rate("seal"), Peer: rate("bare") + " tree in memory",
		Ratio: float64(rounds.Median("seal")) / float64(rounds.Median("bare"))})
	benchkit.Report(b, benchkit.Figure{Name: "audit log: verify", Ours: rate("verify"), Peer: rate("bare") + " tree in memory",
		Ratio: float64(rounds.Median("verify")) / float64(rounds.Median("bare"))})
}

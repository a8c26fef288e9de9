package proof

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"sitthi/internal/store"
)

// Rate is how often something may be done: Burst times at once, and then once Every.
type Rate struct {
	Burst int // at least 1
	Every time.Duration
}

// Take counts one use of the key, or answers how long to wait until one is free again; then nothing was taken.
// It is the generic cell rate algorithm (ITU-T I.371): per key one number is kept, the moment at which all would
// be free again. Under any number of concurrent callers, in all processes, no more than the rate is taken.
//
// A refusal that the caller answers with an error is rolled back with the transaction, which is right: it took nothing.
func Take(ctx context.Context, tx *store.Tx, key string, r Rate) (wait time.Duration, err error) {
	return TakeMany(ctx, tx, key, r, 1)
}

// TakeMany is Take for several uses at once, at most the burst: either all are counted or none.
func TakeMany(ctx context.Context, tx *store.Tx, key string, r Rate, uses int) (wait time.Duration, err error) {
	// A use moves the moment on by Every; it may not come to lie further ahead than the whole burst.
	latest := tx.Now.Add(time.Duration(r.Burst-uses) * r.Every)
	step := time.Duration(uses) * r.Every
	var arrival time.Time
	err = tx.QueryRow(ctx, `
		INSERT INTO throttles (name, arrival) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE
		SET arrival = CASE WHEN throttles.arrival > $3 THEN throttles.arrival + $4 ELSE $2 END
		WHERE throttles.arrival <= $5
		RETURNING arrival`,
		key, tx.Now.Add(step).UnixMicro(), tx.Now.UnixMicro(), step.Microseconds(), latest.UnixMicro()).
		Scan(store.At(&arrival))
	if err == nil {
		return 0, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("count against limit: %w", err)
	}
	err = tx.QueryRow(ctx, "SELECT arrival FROM throttles WHERE name = $1", key).Scan(store.At(&arrival))
	if err != nil {
		return 0, fmt.Errorf("read limit: %w", err)
	}
	return arrival.Sub(latest), nil
}

// Release forgets the limits whose keys begin with the prefix: all that they allow is free again.
func Release(ctx context.Context, tx *store.Tx, prefix string) error {
	_, err := tx.Exec(ctx, "DELETE FROM throttles WHERE substr(name, 1, length($1)) = $1", prefix)
	if err != nil {
		return fmt.Errorf("release limits: %w", err)
	}
	return nil
}

// Network is what counts as one caller of an IP address: the address itself, or the /64 of an IPv6 address, of which
// one household has more than can be counted one by one. What is no address counts as the one caller "".
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}

// kept is how long the row of a code stays: its tries and sendings count for a day.
const kept = 48 * time.Hour

// Sweep deletes codes and limits that can no longer make a difference, and answers how many rows went. Once an hour
// is often enough.
func Sweep(ctx context.Context, db *store.DB) (swept int64, err error) {
	now := db.Now()
	return db.Delete(ctx,
		store.Old{Table: "throttles", Key: "name", Where: "arrival <= $1", Before: now},
		store.Old{Table: "codes", Key: "id", Where: "created_at < $1", Before: now.Add(-kept)},
	)
}

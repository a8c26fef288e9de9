package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"sitthi/internal/seal"
	"sitthi/internal/store"
)

const (
	// publishPause is how often a new checkpoint is looked for: with one try that failed it is still out in a minute.
	publishPause = 15 * time.Second
	// publishLease is how long one process alone publishes after its last checkpoint.
	publishLease = time.Minute
)

// Destination is a place outside the database where checkpoints are kept.
type Destination interface {
	// Name tells it from other destinations, without secrets.
	Name() string
	// Newest answers the checkpoint that is there, or "" when there is none or it can not be read back.
	Newest(ctx context.Context) (string, error)
	// Put keeps a checkpoint that was signed at the moment given. One that is there already may be put again.
	Put(ctx context.Context, signed string, at time.Time) error
}

// Publisher keeps the newest checkpoint outside the database, where who alters the log can not alter it too. Of
// several processes one publishes.
type Publisher struct {
	db     *store.DB
	notary *notary
	to     Destination
	log    *slog.Logger
	holder string

	begun    bool // this process has published once
	failing  bool // the last try failed
	failures atomic.Uint64
}

// NewPublisher makes a publisher. Only one of its Publish and Run may run at a time.
func NewPublisher(db *store.DB, ring *seal.Ring, to Destination, log *slog.Logger) (*Publisher, error) {
	n, err := newNotary(ring)
	if err != nil {
		return nil, err
	}
	return &Publisher{db: db, notary: n, to: to, log: log, holder: store.NewID()}, nil
}

// Publish puts the newest checkpoint to its destination unless it is there already or another process publishes, and
// tells whether it did. The first time it puts it in any case, so that a destination that does not work shows at the
// start.
//
// Before that it holds the log to the checkpoint published last: when the log is not that one grown, it fails with
// ErrTampered and leaves what is there as the evidence that it is.
func (p *Publisher) Publish(ctx context.Context) (done bool, err error) {
	signed, before, err := p.look(ctx)
	if err != nil || signed == "" || p.begun && signed == before {
		return false, err
	}
	var mine bool
	err = p.db.Write(ctx, func(tx *store.Tx) (err error) {
		mine, err = lease(ctx, tx, "audit.publish", p.holder, publishLease)
		return err
	})
	if err != nil || !mine {
		return false, err
	}
	if err := p.put(ctx); err != nil {
		// Perhaps another process can.
		return false, errors.Join(err, p.db.Write(ctx, func(tx *store.Tx) error {
			return release(ctx, tx, "audit.publish", p.holder)
		}))
	}
	p.begun = true
	return true, nil
}

// look answers the newest checkpoint and the one published last.
func (p *Publisher) look(ctx context.Context) (newest, published string, err error) {
	err = p.db.Read(ctx, func(tx *store.Tx) error {
		if newest, err = latest(ctx, tx); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, "SELECT note FROM audit_published WHERE destination = $1", p.to.Name()).Scan(&published)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read published checkpoint: %w", err)
		}
		return nil
	})
	return newest, published, err
}

// put publishes the newest checkpoint, which may have changed before the lease was taken.
func (p *Publisher) put(ctx context.Context) error {
	signed, published, err := p.look(ctx)
	if err != nil {
		return err
	}
	c, err := p.notary.open(signed)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	there, err := p.to.Newest(ctx)
	if err != nil {
		return fmt.Errorf("read back checkpoint: %w", err)
	}
	for _, earlier := range []string{published, there} {
		if earlier == "" {
			continue
		}
		if err := p.grown(ctx, earlier, c); err != nil {
			return err
		}
	}
	if there != signed {
		if err := p.to.Put(ctx, signed, c.At); err != nil {
			return err
		}
	}
	return p.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO audit_published (destination, size, note, published_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (destination) DO UPDATE SET size = excluded.size, note = excluded.note, published_at = excluded.published_at`,
			p.to.Name(), c.Size, signed, store.Us(tx.Now))
		if err != nil {
			return fmt.Errorf("note published checkpoint: %w", err)
		}
		return nil
	})
}

// grown fails with ErrTampered unless the log of the newest checkpoint is the one published earlier, grown.
func (p *Publisher) grown(ctx context.Context, earlier string, newest Checkpoint) error {
	c, err := p.notary.open(earlier)
	if err != nil {
		return fmt.Errorf("%w: what was published is no checkpoint of this log and is left as it is: %w", ErrTampered, err)
	}
	if c.Size > newest.Size {
		return fmt.Errorf("%w: a checkpoint of %d entries was published, and %d are left", ErrTampered, c.Size, newest.Size)
	}
	return p.db.Read(ctx, func(tx *store.Tx) error { return holds(ctx, tx, c) })
}

// Run publishes until the context ends, which is no failure. What can not be published is logged and tried again.
func (p *Publisher) Run(ctx context.Context) error {
	for {
		done, err := p.Publish(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrTampered):
			p.log.ErrorContext(ctx, "the audit log is not the one that was published", "to", p.to.Name(), "error", err)
		case err != nil:
			p.log.WarnContext(ctx, "the checkpoint of the audit log can not be published; it is tried again", "to", p.to.Name(), "error", err)
		case done && p.failing:
			p.log.InfoContext(ctx, "the checkpoint of the audit log is published again", "to", p.to.Name())
		}
		if err != nil {
			p.failures.Add(1)
		}
		p.failing = err != nil || p.failing && !done
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(publishPause):
		}
	}
}

// Failures is how many tries to publish have failed since the program started.
func (p *Publisher) Failures() uint64 { return p.failures.Load() }

// Published says what of the log is known outside.
type Published struct {
	Size int64         // entries of the checkpoint published last, whichever process did it
	At   time.Time     // when it was; zero for never
	Late time.Duration // how long the oldest checkpoint that is not covered waits; 0 when all are
}

// State reads what was published.
func (p *Publisher) State(ctx context.Context) (Published, error) {
	var state Published
	err := p.db.Read(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(ctx, "SELECT size, published_at FROM audit_published WHERE destination = $1", p.to.Name()).
			Scan(&state.Size, store.At(&state.At))
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var signed time.Time
		err = tx.QueryRow(ctx, "SELECT signed_at FROM audit_checkpoints WHERE size > $1 ORDER BY size LIMIT 1", state.Size).
			Scan(store.At(&signed))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		state.Late = max(0, tx.Now.Sub(signed))
		return err
	})
	if err != nil {
		return Published{}, fmt.Errorf("read state of published checkpoints: %w", err)
	}
	return state, nil
}

package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sitthi/internal/seal"
	"sitthi/internal/store"
)

const (
	// sealPause is how long the sealer rests when nothing waits, so that an entry is sealed within a second.
	sealPause = 500 * time.Millisecond
	// sealBatch is how many entries are sealed in one transaction: few, since nobody else writes meanwhile on SQLite.
	sealBatch = 256
	// sealLease is how long one process alone seals after its last batch.
	sealLease = 5 * time.Second
)

// Sealer gives recorded entries their places in the tree and signs checkpoints. Of several processes one seals.
type Sealer struct {
	db     *store.DB
	notary *notary
	log    *slog.Logger
	holder string
}

// NewSealer makes a sealer that signs with a key derived from the ring.
func NewSealer(db *store.DB, ring *seal.Ring, log *slog.Logger) (*Sealer, error) {
	n, err := newNotary(ring)
	if err != nil {
		return nil, err
	}
	return &Sealer{db: db, notary: n, log: log, holder: store.NewID()}, nil
}

// PublicKey is the key that outsiders check checkpoints with, as golang.org/x/mod/sumdb/note writes it.
func (s *Sealer) PublicKey() string { return s.notary.public }

// errOutrun says that another sealer placed the entries first.
var errOutrun = errors.New("another sealer was first")

// ErrTampered says that the tree is not the one that the last checkpoint was signed for. Nothing is sealed on top of
// it; Verify tells what was altered.
var ErrTampered = errors.New("the audit log is not the one that was signed")

// Seal places a batch of the entries that wait, in the order of their ids, signs a checkpoint, and answers how many
// it placed: 0 when nothing waits or another process seals. All of a batch happens in one transaction.
func (s *Sealer) Seal(ctx context.Context) (placed int, err error) {
	type entry struct{ id, leaf string }
	var waiting []entry
	// What waits is read apart, so that the writers' new entries are nothing that the sealer's transaction has read.
	err = s.db.Read(ctx, func(tx *store.Tx) (err error) {
		waiting, err = store.Rows(func(row store.Row) (e entry, err error) {
			return e, row.Scan(&e.id, &e.leaf)
		})(tx.Query(ctx, `SELECT e.id, e.leaf FROM audit_waiting w JOIN audit_entries e ON e.id = w.entry_id
			ORDER BY w.entry_id LIMIT $1`, sealBatch))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find entries to seal: %w", err)
	}
	if len(waiting) == 0 {
		return 0, nil
	}
	ids := make([]any, len(waiting))
	for i, e := range waiting {
		ids[i] = e.id
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		mine, err := lease(ctx, tx, "audit.seal", s.holder, sealLease)
		if err != nil {
			return err
		}
		if !mine {
			return errOutrun
		}
		taken, err := tx.Exec(ctx, "DELETE FROM audit_waiting WHERE entry_id IN "+tuples(1, len(ids)), ids...)
		if err != nil {
			return fmt.Errorf("take entries to seal: %w", err)
		}
		if taken != int64(len(ids)) {
			return errOutrun
		}
		tree, err := s.resume(ctx, tx)
		if err != nil {
			return err
		}
		var leaves, hashes []any
		for _, e := range waiting {
			leaves = append(leaves, tree.size, e.id)
			first := stored(tree.size)
			grown, err := tree.add(e.leaf)
			if err != nil {
				return err
			}
			for i, h := range grown {
				hashes = append(hashes, first+int64(i), h[:])
			}
		}
		if _, err := tx.Exec(ctx, "INSERT INTO audit_leaves (place, entry_id) VALUES "+tuples(len(leaves)/2, 2), leaves...); err != nil {
			return fmt.Errorf("place entries: %w", err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO audit_hashes (place, hash) VALUES "+tuples(len(hashes)/2, 2), hashes...); err != nil {
			return fmt.Errorf("place hashes of entries: %w", err)
		}
		return s.sign(ctx, tx, tree)
	})
	if errors.Is(err, errOutrun) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("seal: %w", err)
	}
	return len(waiting), nil
}

// resume answers the tree as the last checkpoint has it.
func (s *Sealer) resume(ctx context.Context, tx *store.Tx) (*edge, error) {
	signed, err := latest(ctx, tx)
	if err != nil {
		return nil, err
	}
	if signed == "" {
		return &edge{}, nil
	}
	c, err := s.notary.open(signed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	tree, err := readEdge(ctx, tx, c.Size)
	if err != nil {
		return nil, err
	}
	root, err := tree.root()
	if err != nil {
		return nil, err
	}
	if root != c.Root {
		return nil, fmt.Errorf("%w: the hashes of its first %d places changed", ErrTampered, c.Size)
	}
	return tree, nil
}

func (s *Sealer) sign(ctx context.Context, tx *store.Tx, tree *edge) error {
	root, err := tree.root()
	if err != nil {
		return err
	}
	signed, err := s.notary.sign(Checkpoint{Size: tree.size, Root: root, At: tx.Now})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO audit_checkpoints (size, note, signed_at) VALUES ($1, $2, $3)", tree.size, signed, store.Us(tx.Now))
	if err != nil {
		return fmt.Errorf("keep checkpoint: %w", err)
	}
	return nil
}

// Run seals until the context ends, which is no failure. A batch that can not be sealed is logged and tried again.
func (s *Sealer) Run(ctx context.Context) error {
	for {
		placed, err := s.Seal(ctx)
		pause := sealPause
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			s.log.ErrorContext(ctx, "audit entries can not be sealed", "error", err)
			pause = sealLease
		case placed == sealBatch:
			pause = 0
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// State says how far the sealer has come.
type State struct {
	Unsealed int64     // entries that wait for their place
	Size     int64     // places given
	SealedAt time.Time // when the last checkpoint was signed
}

// State reads how far the log is sealed, whichever process does it.
func (s *Sealer) State(ctx context.Context) (State, error) {
	var state State
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM audit_waiting").Scan(&state.Unsealed); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, "SELECT size, signed_at FROM audit_checkpoints ORDER BY size DESC LIMIT 1").
			Scan(&state.Size, store.At(&state.SealedAt))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return State{}, fmt.Errorf("read state of audit log: %w", err)
	}
	return state, nil
}

// Latest answers the newest checkpoint as it was signed, "" when nothing is sealed yet. Kept outside this system it
// is what Verify can hold the log to later.
func Latest(ctx context.Context, db *store.DB) (signed string, err error) {
	err = db.Read(ctx, func(tx *store.Tx) (err error) {
		signed, err = latest(ctx, tx)
		return err
	})
	return signed, err
}

func latest(ctx context.Context, tx *store.Tx) (signed string, err error) {
	err = tx.QueryRow(ctx, "SELECT note FROM audit_checkpoints ORDER BY size DESC LIMIT 1").Scan(&signed)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read checkpoint: %w", err)
	}
	return signed, nil
}

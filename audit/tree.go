package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"sitthi/internal/store"
)

// edge is what must be known of a tree to make it grow and to tell its root: the newest complete subtree of each
// level. It answers as a tlog.HashReader for exactly that.
type edge struct {
	size    int64
	subtree [64]tlog.Hash
}

// ReadHashes implements tlog.HashReader: adding a leaf and telling the root read nothing but newest subtrees.
func (e *edge) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, _ := tlog.SplitStoredHashIndex(index)
		hashes[i] = e.subtree[level]
	}
	return hashes, nil
}

// add lets the tree grow by a leaf and answers the hashes to be stored from place stored(e.size) on.
func (e *edge) add(text string) ([]tlog.Hash, error) {
	hashes, err := tlog.StoredHashes(e.size, []byte(text), e)
	if err != nil {
		return nil, fmt.Errorf("add leaf to tree: %w", err)
	}
	copy(e.subtree[:], hashes)
	e.size++
	return hashes, nil
}

func (e *edge) root() (tlog.Hash, error) {
	root, err := tlog.TreeHash(e.size, e)
	if err != nil {
		return tlog.Hash{}, fmt.Errorf("tell root of tree: %w", err)
	}
	return root, nil
}

// stored is the place among the stored hashes where those of a leaf begin.
func stored(leaf int64) int64 { return tlog.StoredHashIndex(0, leaf) }

// readEdge reads the edge of the tree of that size. Where a hash is missing, the root will not be what was signed.
func readEdge(ctx context.Context, tx *store.Tx, size int64) (*edge, error) {
	e := &edge{size: size}
	for level := 0; size>>level > 0; level++ {
		if size>>level&1 == 0 {
			continue // this subtree is part of a larger one already
		}
		var hash []byte
		err := tx.QueryRow(ctx, "SELECT hash FROM audit_hashes WHERE place = $1", tlog.StoredHashIndex(level, size>>level-1)).Scan(&hash)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("read hash of audit tree: %w", err)
		}
		copy(e.subtree[level][:], hash)
	}
	return e, nil
}

// hashRows reads places and hashes. A hash of another length than it must have is as good as none.
func hashRows(rows *sql.Rows, err error) (map[int64]tlog.Hash, error) {
	type hashRow struct {
		place int64
		hash  []byte
	}
	list, err := store.Rows(func(row store.Row) (h hashRow, err error) {
		return h, row.Scan(&h.place, &h.hash)
	})(rows, err)
	if err != nil {
		return nil, fmt.Errorf("read hashes: %w", err)
	}
	at := make(map[int64]tlog.Hash, len(list))
	for _, h := range list {
		if len(h.hash) == tlog.HashSize {
			at[h.place] = tlog.Hash(h.hash)
		}
	}
	return at, nil
}

// hashes reads the stored hashes of the tree wherever they are asked for.
func hashes(ctx context.Context, tx *store.Tx) tlog.HashReader {
	return tlog.HashReaderFunc(func(places []int64) ([]tlog.Hash, error) {
		args := make([]any, len(places))
		for i, place := range places {
			args[i] = place
		}
		at, err := hashRows(tx.Query(ctx, "SELECT place, hash FROM audit_hashes WHERE place IN "+tuples(1, len(args)), args...))
		if err != nil {
			return nil, err
		}
		list := make([]tlog.Hash, len(places))
		for i, place := range places {
			hash, ok := at[place]
			if !ok {
				return nil, fmt.Errorf("%w: hash %d of its tree is missing", ErrTampered, place)
			}
			list[i] = hash
		}
		return list, nil
	})
}

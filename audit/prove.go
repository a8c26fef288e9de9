package audit

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
)

// Prover writes proofs that outsiders check with public programs and the public key alone; docs/proof.md tells how.
type Prover struct {
	db     *store.DB
	notary *notary
	reader func(ctx context.Context, tx *store.Tx, by string) error
}

// NewProver makes a prover. reader answers problem.Denied unless the person may read the whole log at tx.Now.
func NewProver(db *store.DB, ring *seal.Ring, reader func(ctx context.Context, tx *store.Tx, by string) error) (*Prover, error) {
	n, err := newNotary(ring)
	if err != nil {
		return nil, err
	}
	return &Prover{db: db, notary: n, reader: reader}, nil
}

// PublicKey is the key that outsiders check checkpoints with, as golang.org/x/mod/sumdb/note writes it.
func (p *Prover) PublicKey() string { return p.notary.public }

// ErrOrder says that the checkpoint from which the log is to have grown is the later one.
var ErrOrder = errors.New("the first checkpoint is of a longer log than the second")

// EntryProof is the proof that an entry stands in the log.
type EntryProof struct {
	Place int64  // of the entry, from 0
	File  string // in the format of c2sp.org/tlog-proof, version 1
}

// Entry proves that an entry stands in the log that a checkpoint was signed for; without a checkpoint, the newest. by
// is Terminal or a person who may read the log. The file holds the entry's leaf, so that nothing else is needed to
// check it, and with texts also those of the entry's texts that were not erased, with their salts: personal data, which
// the leaf is not.
//
// It answers problem.NotFound for an unknown entry, problem.Conflict for one that is not sealed yet or lies beyond the
// checkpoint, and ErrTampered when the log is not the one that was signed.
func (p *Prover) Entry(ctx context.Context, by, id, checkpoint string, texts bool) (proof EntryProof, err error) {
	err = p.db.Read(ctx, func(tx *store.Tx) (err error) {
		if by != Terminal {
			if err := p.reader(ctx, tx, by); err != nil {
				return err
			}
		}
		proof, err = p.entry(ctx, tx, id, checkpoint, texts)
		return err
	})
	if err != nil {
		return EntryProof{}, fmt.Errorf("prove audit entry: %w", err)
	}
	return proof, nil
}

func (p *Prover) entry(ctx context.Context, tx *store.Tx, id, checkpoint string, texts bool) (EntryProof, error) {
	var place int64
	var record string
	err := tx.QueryRow(ctx, `SELECT coalesce(l.place, -1), e.leaf
		FROM audit_entries e LEFT JOIN audit_leaves l ON l.entry_id = e.id WHERE e.id = $1`, clean(id)).Scan(&place, &record)
	if errors.Is(err, sql.ErrNoRows) {
		return EntryProof{}, problem.New(problem.NotFound, "log.problem.entry")
	}
	if err != nil {
		return EntryProof{}, fmt.Errorf("find entry: %w", err)
	}
	signed, c, err := p.open(ctx, tx, checkpoint)
	if errors.Is(err, errNoCheckpoint) || err == nil && (place < 0 || place >= c.Size) {
		return EntryProof{}, problem.New(problem.Conflict, "log.problem.unsealed")
	}
	if err != nil {
		return EntryProof{}, err
	}
	path, err := tlog.ProveRecord(c.Size, place, hashes(ctx, tx))
	if err != nil {
		return EntryProof{}, fmt.Errorf("find hashes: %w", err)
	}
	if err := tlog.CheckRecord(path, c.Size, c.Root, place, tlog.RecordHash([]byte(record))); err != nil {
		return EntryProof{}, fmt.Errorf("%w: entry %s at place %d does not prove", ErrTampered, id, place)
	}
	extra := record
	if texts {
		if extra, err = addSalted(ctx, tx, id, record); err != nil {
			return EntryProof{}, err
		}
	}
	var file strings.Builder
	fmt.Fprintf(&file, "c2sp.org/tlog-proof@v1\nextra %s\nindex %d\n", base64.StdEncoding.EncodeToString([]byte(extra)), place)
	writeHashes(&file, path)
	file.WriteString(signed)
	return EntryProof{Place: place, File: file.String()}, nil
}

// salting is what shows that a text is the one whose salted hash stands in the leaf.
type salting struct {
	Name string `json:"name"`
	Salt string `json:"salt"`
	Text string `json:"text"`
}

// addSalted puts a line for each text that is left after the leaf, which itself is one line.
func addSalted(ctx context.Context, tx *store.Tx, id, record string) (string, error) {
	list, err := store.Rows(func(row store.Row) (s salting, err error) {
		return s, row.Scan(&s.Name, &s.Salt, &s.Text)
	})(tx.Query(ctx, "SELECT name, salt, text FROM audit_texts WHERE entry_id = $1 AND text IS NOT NULL ORDER BY name", id))
	if err != nil {
		return "", fmt.Errorf("read texts: %w", err)
	}
	lines := []string{record}
	for _, s := range list {
		line, err := json.Marshal(s)
		if err != nil {
			return "", fmt.Errorf("write text: %w", err)
		}
		lines = append(lines, string(line))
	}
	return strings.Join(lines, "\n"), nil
}

// Growth proves that the log of one checkpoint is the beginning of the log of another; without the other, of the
// newest. The file is what c2sp.org/tlog-witness has a log send to a witness: the old size, the hashes, the new
// checkpoint.
//
// It answers ErrOrder when the first is the later one, and ErrTampered when the log is not the one that was signed.
func (p *Prover) Growth(ctx context.Context, from, to string) (file string, err error) {
	err = p.db.Read(ctx, func(tx *store.Tx) (err error) {
		file, err = p.growth(ctx, tx, from, to)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("prove growth of audit log: %w", err)
	}
	return file, nil
}

func (p *Prover) growth(ctx context.Context, tx *store.Tx, from, to string) (string, error) {
	_, old, err := p.open(ctx, tx, from)
	if err != nil {
		return "", err
	}
	signed, c, err := p.open(ctx, tx, to)
	if err != nil {
		return "", err
	}
	if old.Size > c.Size {
		return "", ErrOrder
	}
	path, err := tlog.ProveTree(c.Size, old.Size, hashes(ctx, tx))
	if err != nil {
		return "", fmt.Errorf("find hashes: %w", err)
	}
	if err := tlog.CheckTree(path, c.Size, c.Root, old.Size, old.Root); err != nil {
		return "", fmt.Errorf("%w: the log of %d entries is not the beginning of that of %d", ErrTampered, old.Size, c.Size)
	}
	var file strings.Builder
	fmt.Fprintf(&file, "old %d\n", old.Size)
	writeHashes(&file, path)
	file.WriteString(signed)
	return file.String(), nil
}

// writeHashes writes a line for each hash, and the empty line after them.
func writeHashes(file *strings.Builder, path []tlog.Hash) {
	for _, h := range path {
		file.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	file.WriteString("\n")
}

// errNoCheckpoint says that nothing is sealed yet.
var errNoCheckpoint = errors.New("nothing is sealed yet")

// open opens the checkpoint given, or the newest, and fails with ErrTampered when the log is not the one it speaks of.
func (p *Prover) open(ctx context.Context, tx *store.Tx, checkpoint string) (signed string, c Checkpoint, err error) {
	if signed = checkpoint; signed == "" {
		if signed, err = latest(ctx, tx); err != nil {
			return "", Checkpoint{}, err
		}
		if signed == "" {
			return "", Checkpoint{}, errNoCheckpoint
		}
	}
	if c, err = p.notary.open(signed); err != nil {
		return "", Checkpoint{}, err
	}
	return signed, c, holds(ctx, tx, c)
}

// holds fails with ErrTampered unless the log begins with the one that a checkpoint was signed for.
func holds(ctx context.Context, tx *store.Tx, c Checkpoint) error {
	root, err := tlog.TreeHash(c.Size, hashes(ctx, tx))
	if err != nil && !errors.Is(err, ErrTampered) {
		return fmt.Errorf("tell root of tree: %w", err)
	}
	if err != nil || root != c.Root {
		return fmt.Errorf("%w: its first %d entries are not those of the checkpoint", ErrTampered, c.Size)
	}
	return nil
}

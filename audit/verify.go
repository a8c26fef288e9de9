package audit

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"sitthi/internal/seal"
	"sitthi/internal/store"
)

// What is wrong with an entry, or with the log at its place.
type What string

// The faults that Verify tells apart.
const (
	LeafAltered    What = "the entry is not the one that was sealed at this place: it, its place or its hash was altered"
	ColumnAltered  What = "a field of the entry differs from its sealed leaf"
	TextAltered    What = "a text of the entry differs from its salted hash in the sealed leaf"
	EntryRemoved   What = "the entry was removed"
	PlaceRemoved   What = "the place of a sealed entry was removed"
	HashAltered    What = "a hash of the tree was altered or removed"
	Rewritten      What = "the log was rewritten from here on, hashes and all: it is not the one that was signed"
	CheckpointBad  What = "the checkpoint of this size is forged or was altered"
	CheckpointGone What = "entries from here on are in the tree without a signed checkpoint"
	Truncated      What = "the log ends here, although more was sealed"
	Unplaced       What = "the entry has no place in the tree and does not wait for one"
	PlacedTwice    What = "the entry has a place in the tree and waits for another"
)

// Fault is the first thing found wrong.
type Fault struct {
	What   What
	Place  int64  // in the tree; -1 for an entry without a place
	Entry  string // id of the entry, "" when none is left to name
	Detail string // which field, text or size
}

// String tells the fault in one line.
func (f Fault) String() string {
	line := string(f.What)
	if f.Detail != "" {
		line += " (" + f.Detail + ")"
	}
	if f.Entry != "" {
		line = "entry " + f.Entry + ": " + line
	}
	if f.Place >= 0 {
		line = fmt.Sprintf("place %d: %s", f.Place, line)
	}
	return line
}

// Report is what Verify found.
type Report struct {
	Size        int64        // places checked
	Root        string       // of the tree, in base64
	SealedAt    time.Time    // when the newest checkpoint was signed
	Checkpoints int64        // checked, those brought along included
	Waiting     int64        // entries not yet sealed, checked as far as they can be
	Texts       int64        // checked
	Erased      int64        // texts that were erased, as the law may ask
	Key         string       // the public key that the checkpoints were checked with
	Kept        []Checkpoint // those brought along for which the log is the one that was signed, the smallest first
	Fault       *Fault       // nil when all is well
}

// verifyPage is how many entries Verify holds in memory.
const verifyPage = 512

// Verify checks the whole log and stops at the first fault: that every place holds the entry sealed there, that the
// fields and texts of each entry agree with its leaf, that all hashes of the tree are the ones that follow from the
// leaves, that each checkpoint was signed with this installation's key for exactly this tree, and that no entry is
// without a place.
//
// Checkpoints that were kept elsewhere (Latest) are held against the log too: only they show that its end was cut off
// together with the checkpoints for it. One that this installation never signed is an error, not a fault.
//
// It reads page by page, so the program may go on writing meanwhile.
func Verify(ctx context.Context, db *store.DB, ring *seal.Ring, kept ...string) (Report, error) {
	n, err := newNotary(ring)
	if err != nil {
		return Report{}, err
	}
	v := &verification{notary: n, report: Report{Key: n.public}}
	for _, signed := range kept {
		c, err := n.open(signed)
		if err != nil {
			return Report{}, fmt.Errorf("verify audit log: the checkpoint given: %w", err)
		}
		v.kept = append(v.kept, c)
	}
	slices.SortFunc(v.kept, func(a, b Checkpoint) int { return int(a.Size - b.Size) })
	for _, check := range []func(context.Context, *store.Tx) (bool, error){v.places, v.waiting} {
		for more := true; more && v.report.Fault == nil; {
			err := db.Read(ctx, func(tx *store.Tx) (err error) {
				more, err = check(ctx, tx)
				return err
			})
			if err != nil {
				return Report{}, fmt.Errorf("verify audit log: %w", err)
			}
		}
	}
	root, err := v.tree.root()
	if err != nil {
		return Report{}, err
	}
	v.report.Size, v.report.Root = v.tree.size, base64.StdEncoding.EncodeToString(root[:])
	return v.report, nil
}

// verification is how far Verify has come.
type verification struct {
	notary *notary
	report Report
	kept   []Checkpoint // not yet held against the log, the smallest first
	tree   edge         // grown from the leaves alone
	signed int64        // size of the last checkpoint that was right
	since  string       // the entry at the place signed
	after  string       // id of the last entry checked among those that wait
}

func (v *verification) fault(what What, place int64, entry, detail string) {
	if v.report.Fault == nil {
		v.report.Fault = &Fault{What: what, Place: place, Entry: entry, Detail: detail}
	}
}

// entryRow is an entry as it stands in the database beside its place or its wish for one.
type entryRow struct {
	place  int64
	id     string
	at     sql.Null[int64]
	fields [7]string // in the order of fieldNames
	leaf   sql.Null[string]
}

var fieldNames = [7]string{"actor", "act", "outcome", "unit", "subject", "object", "request"}

const entryColumns = "e.at, e.actor, e.act, e.outcome, e.unit, e.subject, e.object, e.request, e.leaf"

func scanEntryRow(row store.Row) (e entryRow, err error) {
	into := []any{&e.place, &e.id, &e.at}
	for i := range e.fields {
		into = append(into, store.Null(&e.fields[i]))
	}
	return e, row.Scan(append(into, &e.leaf)...)
}

// places checks the next places and, when there are none any more, that the log rightly ends there.
func (v *verification) places(ctx context.Context, tx *store.Tx) (more bool, err error) {
	above := v.tree.size // of checkpoints; that of the places is one less
	if above == 0 {
		above = math.MinInt64 + 1 // a place or size below the first is a fault too
	}
	entries, err := store.Rows(scanEntryRow)(tx.Query(ctx, `SELECT l.place, l.entry_id, `+entryColumns+`
		FROM audit_leaves l LEFT JOIN audit_entries e ON e.id = l.entry_id
		WHERE l.place > $1 ORDER BY l.place LIMIT $2`, above-1, verifyPage))
	if err != nil {
		return false, fmt.Errorf("read places: %w", err)
	}
	if len(entries) == 0 {
		return false, v.end(ctx, tx)
	}
	texts, err := readTexts(ctx, tx, entries)
	if err != nil {
		return false, err
	}
	through := v.tree.size + int64(len(entries))
	hashes, err := readHashes(ctx, tx, stored(v.tree.size), stored(through))
	if err != nil {
		return false, err
	}
	checkpoints, err := readCheckpoints(ctx, tx, above, through)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if err := v.place(e, texts[e.id], hashes); err != nil || v.report.Fault != nil {
			return false, err
		}
		for len(checkpoints) > 0 && checkpoints[0].size <= v.tree.size {
			if err := v.checkpoint(checkpoints[0], e.id); err != nil {
				return false, err
			}
			checkpoints = checkpoints[1:]
		}
		for len(v.kept) > 0 && v.kept[0].Size <= v.tree.size {
			if err := v.matches(v.kept[0]); err != nil || v.report.Fault != nil {
				return false, err
			}
			v.report.Kept = append(v.report.Kept, v.kept[0])
			v.kept = v.kept[1:]
		}
	}
	return true, nil
}

// place checks one place and lets the tree grow by it.
func (v *verification) place(e entryRow, texts []textRow, hashes map[int64]tlog.Hash) error {
	place := v.tree.size
	switch {
	case e.place > place:
		v.fault(PlaceRemoved, place, "", "")
		return nil
	case e.place < place:
		v.fault(LeafAltered, e.place, e.id, "")
		return nil
	case !e.leaf.Valid:
		v.fault(EntryRemoved, place, e.id, "")
		return nil
	}
	if v.signed == place {
		v.since = e.id
	}
	grown, err := v.tree.add(e.leaf.V)
	if err != nil {
		return err
	}
	if sealed, ok := hashes[stored(place)]; ok && sealed != grown[0] {
		v.fault(LeafAltered, place, e.id, "")
	}
	v.entry(e, place, texts)
	for i, hash := range grown {
		if hashes[stored(place)+int64(i)] != hash {
			v.fault(HashAltered, place, e.id, "")
		}
	}
	return nil
}

// entry checks that an entry agrees with its leaf.
func (v *verification) entry(e entryRow, place int64, texts []textRow) {
	l, err := decodeLeaf(e.leaf.V)
	if err != nil {
		v.fault(ColumnAltered, place, e.id, "leaf")
		return
	}
	if l.ID != e.id {
		v.fault(ColumnAltered, place, e.id, "id")
	}
	if !e.at.Valid || l.At != leafTime(time.UnixMicro(e.at.V)) {
		v.fault(ColumnAltered, place, e.id, "at")
	}
	for i, sealed := range [...]string{l.Actor, l.Act, l.Outcome, l.Unit, l.Subject, l.Object, l.Request} {
		if e.fields[i] != sealed {
			v.fault(ColumnAltered, place, e.id, fieldNames[i])
		}
	}
	for _, t := range texts {
		v.report.Texts++
		sealed, ok := l.Texts[t.name]
		delete(l.Texts, t.name)
		switch {
		case !ok:
			v.fault(TextAltered, place, e.id, t.name)
		case !t.text.Valid:
			v.report.Erased++
		case sealed != salted(t.salt, t.text.V):
			v.fault(TextAltered, place, e.id, t.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.Texts)) {
		v.fault(TextAltered, place, e.id, name) // its row was removed
	}
}

// checkpoint checks a checkpoint of the tree as it has now grown.
func (v *verification) checkpoint(row checkpointRow, entry string) error {
	v.report.Checkpoints++
	c, err := v.notary.open(row.note)
	if err != nil || c.Size != row.size || c.At.UnixMicro() != row.at || row.size != v.tree.size {
		v.fault(CheckpointBad, max(row.size-1, -1), entry, fmt.Sprintf("size %d", row.size))
		return nil
	}
	v.report.SealedAt = c.At
	return v.matches(c)
}

// matches checks that the tree is the one a rightly signed checkpoint speaks of. When it is not, only that something
// changed since the last checkpoint that was right can be told, because hashes and all were made to fit.
func (v *verification) matches(c Checkpoint) error {
	root, err := v.tree.root()
	if err != nil {
		return err
	}
	if c.Root != root || c.Size != v.tree.size {
		v.fault(Rewritten, v.signed, v.since, fmt.Sprintf("places %d to %d", v.signed, c.Size-1))
		return nil
	}
	v.signed = c.Size
	return nil
}

// end checks that nothing points beyond the last place, and that no entry was left out.
func (v *verification) end(ctx context.Context, tx *store.Tx) error {
	size := v.tree.size
	beyond, err := readCheckpoints(ctx, tx, size, math.MaxInt64)
	if err != nil {
		return err
	}
	for _, row := range beyond {
		if c, err := v.notary.open(row.note); err != nil || c.Size != row.size {
			v.fault(CheckpointBad, -1, "", fmt.Sprintf("size %d", row.size))
		} else {
			v.fault(Truncated, size, "", fmt.Sprintf("a checkpoint was signed for %d places", row.size))
		}
	}
	for _, c := range v.kept {
		v.fault(Truncated, size, "", fmt.Sprintf("the checkpoint given was signed for %d places", c.Size))
	}
	var stray int64
	err = tx.QueryRow(ctx, "SELECT count(*) FROM audit_hashes WHERE place < 0 OR place >= $1", stored(size)).Scan(&stray)
	if err != nil {
		return fmt.Errorf("count hashes beyond the end: %w", err)
	}
	if stray > 0 {
		v.fault(Truncated, size, "", fmt.Sprintf("%d hashes are left of what followed", stray))
	}
	if v.signed < size {
		v.fault(CheckpointGone, v.signed, v.since, "")
	}
	var unplaced string
	err = tx.QueryRow(ctx, `SELECT e.id FROM audit_entries e
		WHERE NOT EXISTS (SELECT 1 FROM audit_leaves l WHERE l.entry_id = e.id)
		AND NOT EXISTS (SELECT 1 FROM audit_waiting w WHERE w.entry_id = e.id)
		ORDER BY e.id LIMIT 1`).Scan(&unplaced)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find entries without a place: %w", err)
	}
	v.fault(Unplaced, -1, unplaced, "")
	return nil
}

// waiting checks the next entries that wait for their place.
func (v *verification) waiting(ctx context.Context, tx *store.Tx) (more bool, err error) {
	entries, err := store.Rows(scanEntryRow)(tx.Query(ctx, `SELECT coalesce(l.place, -1), w.entry_id, `+entryColumns+`
		FROM audit_waiting w LEFT JOIN audit_entries e ON e.id = w.entry_id LEFT JOIN audit_leaves l ON l.entry_id = w.entry_id
		WHERE w.entry_id > $1 ORDER BY w.entry_id LIMIT $2`, v.after, verifyPage))
	if err != nil {
		return false, fmt.Errorf("read waiting entries: %w", err)
	}
	if len(entries) == 0 {
		return false, nil
	}
	texts, err := readTexts(ctx, tx, entries)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		v.after = e.id
		v.report.Waiting++
		switch {
		case !e.leaf.Valid:
			v.fault(EntryRemoved, -1, e.id, "")
		case e.place >= 0:
			v.fault(PlacedTwice, e.place, e.id, "")
		default:
			v.entry(e, -1, texts[e.id])
		}
	}
	return true, nil
}

type textRow struct {
	entry, name, salt string
	text              sql.Null[string]
}

// readTexts answers the texts of the entries by entry.
func readTexts(ctx context.Context, tx *store.Tx, entries []entryRow) (map[string][]textRow, error) {
	ids := make([]any, len(entries))
	for i, e := range entries {
		ids[i] = e.id
	}
	texts, err := store.Rows(func(row store.Row) (t textRow, err error) {
		return t, row.Scan(&t.entry, &t.name, &t.salt, &t.text)
	})(tx.Query(ctx, "SELECT entry_id, name, salt, text FROM audit_texts WHERE entry_id IN "+tuples(1, len(ids))+
		" ORDER BY entry_id, name", ids...))
	if err != nil {
		return nil, fmt.Errorf("read texts: %w", err)
	}
	of := make(map[string][]textRow, len(entries))
	for _, t := range texts {
		of[t.entry] = append(of[t.entry], t)
	}
	return of, nil
}

// readHashes answers the stored hashes from one place up to but not at another.
func readHashes(ctx context.Context, tx *store.Tx, from, to int64) (map[int64]tlog.Hash, error) {
	return hashRows(tx.Query(ctx, "SELECT place, hash FROM audit_hashes WHERE place >= $1 AND place < $2", from, to))
}

type checkpointRow struct {
	size int64
	note string
	at   int64
}

// readCheckpoints answers the checkpoints of trees larger than above, up to and including those as large as to.
func readCheckpoints(ctx context.Context, tx *store.Tx, above, to int64) ([]checkpointRow, error) {
	rows, err := store.Rows(func(row store.Row) (c checkpointRow, err error) {
		return c, row.Scan(&c.size, &c.note, &c.at)
	})(tx.Query(ctx, "SELECT size, note, signed_at FROM audit_checkpoints WHERE size > $1 AND size <= $2 ORDER BY size", above, to))
	if err != nil {
		return nil, fmt.Errorf("read checkpoints: %w", err)
	}
	return rows, nil
}

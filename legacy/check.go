package legacy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/person"
)

const (
	// workLease is how long one process alone works on an import after its last sign of life; after a crash another
	// one, or the same program started again, goes on from there.
	workLease = 15 * time.Second
	// workPause is how long the desk rests when there is nothing to do; an act in this process wakes it at once.
	workPause = time.Second
	// stageBatch is how many rows are kept in one transaction: few, since nobody else writes meanwhile on SQLite.
	stageBatch = 1000
)

// errLost says that the import was cancelled, or that another process took it over.
var errLost = errors.New("the import is no longer this process's to work on")

// Run does the dry runs and the writings until the context ends, which is no failure; of several processes one works
// on an import. What fails is logged and tried again.
func (d *Desk) Run(ctx context.Context) error {
	for {
		worked, err := d.Step(ctx)
		if err != nil && ctx.Err() == nil {
			d.Log.ErrorContext(ctx, "an import can not go on", "error", err)
		}
		if worked && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-d.wake:
		case <-time.After(workPause):
		}
	}
}

// poke wakes Run after the transaction.
func (d *Desk) poke(tx *store.Tx) {
	tx.AfterCommit(func() {
		select {
		case d.wake <- struct{}{}:
		default:
		}
	})
}

// Step does the next piece of work that is due, whole, and reports whether there was any.
func (d *Desk) Step(ctx context.Context) (worked bool, err error) {
	work, err := d.claim(ctx)
	if err != nil || work.ID == "" {
		return false, err
	}
	if work.State == Signed {
		err = d.commit(ctx, work)
	} else {
		err = d.check(ctx, work)
	}
	var p *problem.Problem
	switch {
	case errors.Is(err, errLost):
		return true, nil
	case errors.As(err, &p) && p.Kind == problem.Invalid:
		return true, d.fail(ctx, work.ID, Words{p.Key, p.Args})
	case err != nil:
		return true, fmt.Errorf("import %s: %w", work.ID, err)
	}
	return true, nil
}

// claim leases the oldest import that is due; the empty one when none is.
func (d *Desk) claim(ctx context.Context) (work Import, err error) {
	var due bool
	err = d.DB.Read(ctx, func(tx *store.Tx) error { // asked every second: without a write while nothing is due
		return tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM legacy_imports WHERE state IN ('checking', 'signed') AND leased_until <= $1)`,
			store.Us(tx.Now)).Scan(&due)
	})
	if err != nil || !due {
		return Import{}, err
	}
	err = d.DB.Write(ctx, func(tx *store.Tx) error {
		work = Import{}
		list, err := store.Rows(scanImport)(tx.Query(ctx, `SELECT `+importColumns+` FROM legacy_imports i
			WHERE state IN ('checking', 'signed') AND leased_until <= $1 ORDER BY uploaded_at LIMIT 1`, store.Us(tx.Now)))
		if err != nil || len(list) == 0 {
			return err
		}
		work = list[0]
		_, err = tx.Exec(ctx, `UPDATE legacy_imports SET holder = $1, leased_until = $2 WHERE id = $3`,
			d.holder, store.Us(tx.Now.Add(workLease)), work.ID)
		return err
	})
	if err != nil {
		return Import{}, fmt.Errorf("find import to work on: %w", err)
	}
	return work, nil
}

// hold keeps the lease within a transaction that works on the import, and fails with errLost when it is lost. It comes
// first in each: no other process gets past it before the transaction is through.
func (d *Desk) hold(ctx context.Context, tx *store.Tx, id string, state State) error {
	n, err := tx.Exec(ctx, `UPDATE legacy_imports SET leased_until = $1 WHERE id = $2 AND holder = $3 AND state = $4`,
		store.Us(tx.Now.Add(workLease)), id, d.holder, string(state))
	if err == nil && n == 0 {
		err = errLost
	}
	return err
}

// fail notes that the file can not be read.
func (d *Desk) fail(ctx context.Context, id string, why Words) error {
	return d.DB.Write(ctx, func(tx *store.Tx) error {
		if err := d.hold(ctx, tx, id, Checking); err != nil {
			if errors.Is(err, errLost) {
				return nil
			}
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE legacy_imports SET state = 'failed', fault = $1, fault_args = $2, leased_until = 0, version = version + 1
			WHERE id = $3`, why.Key, encodeArgs(why.Args), id)
		return err
	})
}

// check is the dry run: the rows of the file are understood and kept, then compared with each other and with the book.
func (d *Desk) check(ctx context.Context, work Import) error {
	staged := false
	err := d.DB.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT staged FROM legacy_imports WHERE id = $1`, work.ID).Scan(&staged)
	})
	if err != nil {
		return err
	}
	if !staged {
		if err := d.stage(ctx, work); err != nil {
			return err
		}
	}
	return d.DB.Write(ctx, func(tx *store.Tx) error {
		if err := d.hold(ctx, tx, work.ID, Checking); err != nil {
			return err
		}
		if err := d.readAgain(ctx, tx, work); err != nil {
			return err
		}
		totals, results, err := d.compare(ctx, tx, work)
		if err != nil {
			return err
		}
		return d.finishCheck(ctx, tx, work.ID, totals, results, Words{})
	})
}

// finishCheck keeps what a dry run came to.
func (d *Desk) finishCheck(ctx context.Context, tx *store.Tx, id string, totals Totals, results string, fault Words) error {
	text, err := json.Marshal(totals)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE legacy_imports SET state = 'checked', totals = $1, results = $2, fault = $3, fault_args = $4,
			signed_by = NULL, signed_at = NULL, leased_until = 0, version = version + 1, checked_at = $5 WHERE id = $6`,
		string(text), results, fault.Key, encodeArgs(fault.Args), store.Us(tx.Now), id)
	return err
}

// reader learns how units and groups are called now.
func (d *Desk) reader(ctx context.Context, tx *store.Tx, kinds bool) (reader, error) {
	units, err := agency.Units(ctx, tx)
	if err != nil {
		return reader{}, err
	}
	teams, err := agency.AllTeams(ctx, tx)
	if err != nil {
		return reader{}, err
	}
	return reader{units: agency.NewNames(units), teams: agency.NewTeamNames(teams), now: tx.Now, always: d.AnyCheckDigit, kinds: kinds}, nil
}

// batch is some rows on their way into the database.
type batch struct {
	rows       [][]any
	last, read int64
}

// stage reads the file and keeps its rows, in short transactions. One that was interrupted goes on after the last row
// that was kept.
func (d *Desk) stage(ctx context.Context, work Import) (err error) {
	var after int64
	var r reader
	err = d.DB.Read(ctx, func(tx *store.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT last_line FROM legacy_imports WHERE id = $1`, work.ID).Scan(&after); err != nil {
			return err
		}
		r, err = d.reader(ctx, tx, false)
		return err
	})
	if err != nil {
		return err
	}
	file := d.openFile(ctx, work.ID, work.Size)
	t, err := openTable(file, work.Size, work.Format, d.Limits)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	l, err := findHeaders(t)
	if err != nil {
		return err
	}
	r.kinds = l.at[colKind] >= 0
	g, both := errgroup.WithContext(ctx)
	batches := make(chan batch, 1)
	g.Go(func() error { // understands rows while others are written
		defer close(batches)
		return d.understand(both, t, l, r, work.ID, after, batches)
	})
	g.Go(func() error {
		for b := range batches {
			if err := d.keepBatch(both, work.ID, b); err != nil {
				return err
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	return d.DB.Write(ctx, func(tx *store.Tx) error {
		return d.stagedAll(ctx, tx, work, l)
	})
}

// stagedAll notes that every row is kept, and gives the engine statistics: without them it would compare each row with
// every other.
func (d *Desk) stagedAll(ctx context.Context, tx *store.Tx, work Import, l layout) error {
	if err := d.hold(ctx, tx, work.ID, Checking); err != nil {
		return err
	}
	var lines int64
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM legacy_rows WHERE import_id = $1`, work.ID).Scan(&lines); err != nil {
		return fmt.Errorf("count rows: %w", err)
	}
	if lines == 0 {
		return unreadable("legacy.file_no_rows")
	}
	if _, err := tx.Exec(ctx, `UPDATE legacy_imports SET staged = TRUE, read_bytes = size, lines = $1, ignored = $2 WHERE id = $3`,
		lines, strings.Join(l.ignored, "\n"), work.ID); err != nil {
		return fmt.Errorf("note that rows are kept: %w", err)
	}
	if _, err := tx.Exec(ctx, `ANALYZE legacy_rows`); err != nil {
		return fmt.Errorf("take statistics: %w", err)
	}
	return nil
}

// findHeaders looks for the row of headers near the top of the table.
func findHeaders(t table) (layout, error) {
	var near []string // the columns that the nearest candidate lacks
	for range headerRows {
		_, row, err := t.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return layout{}, err
		}
		l, missing, ok := layoutOf(row)
		if ok && len(missing) == 0 {
			return l, nil
		}
		if ok && (near == nil || len(missing) < len(near)) {
			near = missing
		}
	}
	if near == nil {
		return layout{}, unreadable("legacy.file_no_headers")
	}
	names := make([]string, len(near))
	for i, name := range near {
		names[i] = Columns[columnNamed(name)].Header.TH + " (" + name + ")"
	}
	return layout{}, unreadable("legacy.file_columns", "columns", strings.Join(names, ", "))
}

func columnNamed(name string) int {
	for i, c := range Columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}

// understand reads the rows of the table after a line and sends them in batches.
func (d *Desk) understand(ctx context.Context, t table, l layout, r reader, id string, after int64, to chan<- batch) error {
	var b batch
	send := func() error {
		b.read = t.read()
		select {
		case to <- b:
			b = batch{}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		line, row, err := t.next()
		if errors.Is(err, io.EOF) {
			if len(b.rows) == 0 {
				return nil
			}
			return send()
		}
		if err != nil {
			return err
		}
		cells := l.cells(row)
		if line <= after || empty(cells) {
			continue
		}
		kept, err := d.understood(r, id, line, cells)
		if err != nil {
			return err
		}
		b.rows, b.last = append(b.rows, kept), line
		if len(b.rows) == stageBatch {
			if err := send(); err != nil {
				return err
			}
		}
	}
}

func empty(cells [columnCount]cell) bool {
	for _, c := range cells {
		if thai.Fold(c.text) != "" || c.form == formula {
			return false
		}
	}
	return true
}

// original is what is sealed of a row: its cells, and the form of each as a digit.
type original struct {
	Cells [columnCount]string `json:"c"`
	Forms string              `json:"f,omitempty"`
}

func (o original) cells() (cells [columnCount]cell) {
	for i, text := range o.Cells {
		cells[i].text = text
		if i < len(o.Forms) {
			cells[i].form = form(o.Forms[i] - '0')
		}
	}
	return cells
}

func originalOf(cells [columnCount]cell) (o original) {
	forms := make([]byte, columnCount)
	for i, c := range cells {
		if c.text != "" {
			o.Cells[i], _ = thai.CleanLine(c.text, maxCell) // a longer text comes back as well
		}
		forms[i] = '0' + byte(c.form)
	}
	o.Forms = string(forms)
	return o
}

func rowPlace(id string, line int64) string       { return numbered(rowPlaces, id, line) }
func correctedPlace(id string, line int64) string { return numbered(correctedPlaces, id, line) }
func factsPlace(id string, line int64) string     { return numbered(factsPlaces, id, line) }

// understood reads a row and makes what is kept of it.
func (d *Desk) understood(r reader, id string, line int64, cells [columnCount]cell) ([]any, error) {
	sealed, err := d.sealRow(rowPlace(id, line), cells)
	if err != nil {
		return nil, err
	}
	v, err := d.values(r, id, line, cells)
	if err != nil {
		return nil, err
	}
	result := New
	if v.fault.Key != "" {
		result = Quarantined
	}
	return append(append([]any{id, line}, v.columns...), v.fault.Key, encodeArgs(v.fault.Args), sealed, string(result), store.NewID()), nil
}

func (d *Desk) sealRow(place string, cells [columnCount]cell) ([]byte, error) {
	text, err := json.Marshal(originalOf(cells))
	if err != nil {
		return nil, fmt.Errorf("seal row: %w", err)
	}
	return d.Ring.Seal(place, text), nil
}

func (d *Desk) openRow(place string, sealed []byte) (original, error) {
	var o original
	text, err := d.Ring.Open(place, sealed)
	if err != nil {
		return o, fmt.Errorf("open row: %w", err)
	}
	if err := json.Unmarshal(text, &o); err != nil {
		return o, fmt.Errorf("open row: %w", err)
	}
	return o, nil
}

// values are what comes of reading a row.
type values struct {
	columns []any // as in valueColumns
	fault   Words
}

const valueColumns = `kind, row_id, citizen_index, unit, team, level, acting, starts_at, ends_at, order_number, note, same_key, content,
	person_id, citizen_sealed, facts_sealed, contact`

// values reads a row into columns. The two keys are made with the ring, since what they are made of could be guessed.
func (d *Desk) values(r reader, id string, line int64, cells [columnCount]cell) (v values, err error) {
	var check problem.Check
	e := r.read(cells, &check)
	var p *problem.Problem
	if errors.As(check.Err(), &p) {
		v.fault = Words{p.Fields[0].Key, p.Fields[0].Args}
	}
	var from, until time.Time
	if !e.from.IsZero() {
		from = e.from.StartOfDay()
	}
	if !e.lastDay.IsZero() {
		until = e.lastDay.EndExclusive()
	}
	var who person.Newcomer
	var sameKey, content string
	var sealed []byte
	if !e.citizen.IsZero() {
		who = d.Roll.Newcomer(e.citizen)
		sameKey, content = d.keys(e, who.Index)
		if e.facts.says() {
			text, err := json.Marshal(e.facts)
			if err != nil {
				return values{}, fmt.Errorf("seal facts: %w", err)
			}
			sealed = d.Ring.Seal(factsPlace(id, line), text)
		}
	}
	v.columns = []any{string(e.kind), e.rowID, who.Index, e.unit, e.team, int64(e.level), e.acting, store.Us(from), store.Us(until), e.order, e.note,
		sameKey, content, string(who.Person), who.Citizen, sealed, e.facts.contact()}
	return v, nil
}

// keys are what a row is about, and what it says about that.
func (d *Desk) keys(e entry, index string) (sameKey, content string) {
	about := []string{string(e.kind), index}
	says := []string{e.facts.Name, e.facts.Position, string(e.facts.Email), string(e.facts.Phone), e.unit}
	switch e.kind {
	case Head:
		about = append(about, e.unit)
		says = []string{strconv.FormatBool(e.acting), e.from.String(), e.lastDay.String(), e.order, e.note}
	case Right:
		about = append(about, e.unit, e.team, strconv.Itoa(int(e.level)))
		says = []string{e.from.String(), e.lastDay.String(), e.order, e.note}
	}
	return sameMark(d.Ring, about), d.Ring.Mark("legacy.content", strings.Join(says, "\n"))[:enough]
}

// enough are the hexadecimal digits that are kept of a mark: 128 bits.
const enough = 32

// sameMark tells what a row is about. With the citizen's blind index in it, it changes with that index.
func sameMark(ring *seal.Ring, about []string) string {
	return ring.Mark("legacy.same", strings.Join(about, "\n"))[:enough]
}

// keepBatch writes rows with the progress they make.
func (d *Desk) keepBatch(ctx context.Context, id string, b batch) error {
	err := d.DB.Write(ctx, func(tx *store.Tx) error {
		if err := d.hold(ctx, tx, id, Checking); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE legacy_imports SET read_bytes = $1, lines = lines + $2, last_line = $3 WHERE id = $4`,
			b.read, len(b.rows), b.last, id); err != nil {
			return err
		}
		return d.insertRows(ctx, tx, b.rows)
	})
	if err != nil {
		return fmt.Errorf("keep rows: %w", err)
	}
	return nil
}

// insertRows adds rows, some with one statement. SQLite looks the name of every value up among all of the statement, so
// there a few are best; PostgreSQL is asked over a wire.
func (d *Desk) insertRows(ctx context.Context, tx *store.Tx, rows [][]any) error {
	most := 4
	if d.DB.Engine() == store.Postgres {
		most = 100
	}
	for some := range slices.Chunk(rows, most) {
		args := make([]any, 0, len(some)*len(some[0]))
		for _, row := range some {
			args = append(args, row...)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO legacy_rows (import_id, line, `+valueColumns+`, fault, fault_args, original_sealed, result, fresh_id)
			VALUES `+tuples(len(some), len(some[0])), args...); err != nil {
			return err
		}
	}
	return nil
}

// tuples writes the places of n rows of values: ($1, $2), ($3, $4).
func tuples(n, width int) string {
	var text strings.Builder
	for i := range n * width {
		switch {
		case i == 0:
			text.WriteString("(")
		case i%width == 0:
			text.WriteString("), (")
		default:
			text.WriteString(", ")
		}
		text.WriteString("$" + strconv.Itoa(i+1))
	}
	return text.String() + ")"
}

// readAgain understands the quarantined rows once more: what was wrong may have been mended elsewhere, such as the name
// of a unit or a missing group.
func (d *Desk) readAgain(ctx context.Context, tx *store.Tx, work Import) error {
	r, err := d.reader(ctx, tx, true)
	if err != nil {
		return err
	}
	type sealedRow struct {
		line             int64
		kind             Kind
		original, edited []byte
	}
	for after := int64(-1); ; {
		list, err := store.Rows(func(row store.Row) (s sealedRow, err error) {
			return s, row.Scan(&s.line, &s.kind, &s.original, &s.edited)
		})(tx.Query(ctx, `SELECT line, kind, original_sealed, corrected_sealed FROM legacy_rows
			WHERE import_id = $1 AND result = 'quarantined' AND line > $2 AND aside_by IS NULL AND original_sealed IS NOT NULL ORDER BY line LIMIT 500`, work.ID, after))
		if err != nil {
			return fmt.Errorf("read rows again: %w", err)
		}
		if len(list) == 0 {
			return nil
		}
		for _, s := range list {
			after = s.line
			place, sealed := rowPlace(work.ID, s.line), s.original
			if s.edited != nil {
				place, sealed = correctedPlace(work.ID, s.line), s.edited
			}
			o, err := d.openRow(place, sealed)
			if err != nil {
				return err
			}
			r.kinds = hasKind(o.Cells[colKind], s.kind)
			if err := d.keepReading(ctx, tx, work.ID, s.line, r, o.cells()); err != nil {
				return err
			}
		}
	}
}

// hasKind reports whether a row says of what kind it is: in a file without that column every row is a right, and was
// understood as one.
func hasKind(written string, understood Kind) bool { return written != "" || understood == "" }

// keepReading keeps what a row is understood as now.
func (d *Desk) keepReading(ctx context.Context, tx *store.Tx, id string, line int64, r reader, cells [columnCount]cell) error {
	v, err := d.values(r, id, line, cells)
	if err != nil {
		return err
	}
	args := append(v.columns, v.fault.Key, encodeArgs(v.fault.Args), id, line)
	if _, err := tx.Exec(ctx, `UPDATE legacy_rows SET kind = $1, row_id = $2, citizen_index = $3, unit = $4, team = $5, level = $6, acting = $7,
			starts_at = $8, ends_at = $9, order_number = $10, note = $11, same_key = $12, content = $13, person_id = $14, citizen_sealed = $15,
			facts_sealed = $16, contact = $17, fault = $18, fault_args = $19
		WHERE import_id = $20 AND line = $21`, args...); err != nil {
		return fmt.Errorf("keep reading of row: %w", err)
	}
	return nil
}

// placeFault asks the book's rule about a place that rows name.
func (d *Desk) placeFault(ctx context.Context, tx *store.Tx, kind Kind, at grant.Place, level grant.Level) (string, error) {
	if kind == Right {
		return d.Book.PlaceFault(ctx, tx, at, level)
	}
	unit, err := agency.Find(ctx, tx, at.Unit)
	if errors.Is(err, problem.NotFound) || err == nil && !unit.Active {
		return "appoint.unit_unknown", nil
	}
	return "", err
}

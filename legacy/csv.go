package legacy

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// csvTable reads comma-separated values, or those between semicolons or tabs.
type csvTable struct {
	rows  *csv.Reader
	from  *counting
	text  *span
	skip  int64 // bytes of the mark at the beginning
	after int   // the line on which the last row ended
	cells []cell
}

// counting counts what was read through it.
type counting struct {
	r io.Reader
	n int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// span lets so much be read, then no more.
type span struct {
	r    io.Reader
	left int
}

// errSpan says that there is more than may be read.
var errSpan = errors.New("more than one row can have")

func (s *span) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, errSpan
	}
	n, err := s.r.Read(p[:min(len(p), s.left)])
	s.left -= n
	return n, err
}

// longestRow is how many lines one row may take. A quote that is never closed would swallow the rest of the file, and
// nobody would miss the rows in it.
const longestRow = 20

// longestRecord is how many bytes are read for one row: the decoder holds a row whole, and one behind an open quote would
// be the rest of the file.
const longestRecord = 1 << 20

// openCSV finds out how the text is encoded and what stands between its cells. The encoding is UTF-8 or UTF-16 when the
// file says so, UTF-8 when all of it is valid, and otherwise Windows-874, the superset of TIS-620 (มอก. 620-2533) in which
// old Thai systems write.
func openCSV(file io.ReaderAt, size int64) (table, error) {
	begin := make([]byte, min(size, 4))
	if _, err := file.ReadAt(begin, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	t := &csvTable{}
	var decoder transform.Transformer
	switch {
	case bytes.HasPrefix(begin, []byte("\xEF\xBB\xBF")):
		t.skip = 3
	case bytes.HasPrefix(begin, []byte("\xFF\xFE")), bytes.HasPrefix(begin, []byte("\xFE\xFF")):
		decoder = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
	default:
		valid, err := validUTF8(io.NewSectionReader(file, 0, size))
		if err != nil {
			return nil, err
		}
		if !valid {
			decoder = charmap.Windows874.NewDecoder()
		}
	}
	t.from = &counting{r: io.NewSectionReader(file, t.skip, size-t.skip)}
	var text io.Reader = t.from
	if decoder != nil {
		text = transform.NewReader(text, decoder)
	}
	t.text = &span{text, longestRecord}
	buffered := bufio.NewReaderSize(t.text, 64<<10)
	begin, err := buffered.Peek(16 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	t.rows = csv.NewReader(buffered)
	t.rows.Comma = separatorOf(string(begin))
	t.rows.FieldsPerRecord = -1
	t.rows.LazyQuotes = true
	t.rows.ReuseRecord = true
	return t, nil
}

// validUTF8 reads to the end, or to the first byte that is none.
func validUTF8(r io.Reader) (bool, error) {
	buffer := make([]byte, 64<<10)
	kept := 0
	for {
		n, err := r.Read(buffer[kept:])
		part := buffer[:kept+n]
		for len(part) > 0 {
			r, width := utf8.DecodeRune(part)
			if r == utf8.RuneError && width == 1 {
				if utf8.FullRune(part) || errors.Is(err, io.EOF) {
					return false, nil
				}
				break
			}
			part = part[width:]
		}
		kept = copy(buffer, part)
		if errors.Is(err, io.EOF) {
			return kept == 0, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// separatorOf is what stands most often in the line that looks most like headers: the one of the first few with most of
// any separator.
func separatorOf(begin string) rune {
	best, most := ',', 0
	for i, line := range strings.Split(begin, "\n") {
		if i >= headerRows {
			break
		}
		for _, separator := range []rune{',', ';', '\t', '|'} {
			if n := strings.Count(line, string(separator)); n > most {
				best, most = separator, n
			}
		}
	}
	return best
}

// next implements table. Lines are counted as an editor counts them.
func (t *csvTable) next() (int64, []cell, error) {
	t.text.left = longestRecord
	record, err := t.rows.Read()
	var wrong *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return 0, nil, io.EOF
	case errors.Is(err, errSpan):
		return 0, nil, unreadable("legacy.file_row", "line", t.after+1)
	case errors.As(err, &wrong):
		return 0, nil, unreadable("legacy.file_row", "line", wrong.StartLine)
	case err != nil:
		return 0, nil, err
	}
	line, _ := t.rows.FieldPos(0)
	t.after, _ = t.rows.FieldPos(len(record) - 1)
	t.after += strings.Count(record[len(record)-1], "\n")
	t.cells = t.cells[:0]
	for _, text := range record[:min(len(record), maxCells)] {
		if len(text) > maxCell || strings.Count(text, "\n") > longestRow {
			return 0, nil, unreadable("legacy.file_row", "line", line)
		}
		t.cells = append(t.cells, cell{text: text, form: formOf(text)})
	}
	return int64(line), t.cells, nil
}

// formOf tells a formula, which some programs export as one.
func formOf(text string) form {
	if strings.HasPrefix(text, "=") && !strings.HasPrefix(text, `="`) {
		return formula
	}
	switch text {
	case "#REF!", "#VALUE!", "#N/A", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!":
		return broken
	}
	return plain
}

// read implements table.
func (t *csvTable) read() int64 { return t.skip + t.from.n }

// close implements table.
func (t *csvTable) close() error { return nil }

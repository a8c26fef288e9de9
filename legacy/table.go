package legacy

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"sitthi/internal/problem"
)

// table reads the rows of a file one after the other.
type table interface {
	// next answers the next row with its number in the file, and io.EOF after the last. The cells are valid until the
	// next call.
	next() (line int64, row []cell, err error)
	// read answers how many bytes of the file have been read, as nearly as can be told.
	read() int64
	close() error
}

// The formats.
const (
	formatXLSX = "xlsx"
	formatCSV  = "csv"
)

// maxCells and maxCell bound a row: beyond, a file is no table of rights.
const (
	maxCells = 256
	maxCell  = 8 << 10 // bytes
)

// unreadable says why a whole file can not be read: the words are for who uploaded it.
func unreadable(key string, args ...any) error { return problem.New(problem.Invalid, key, args...) }

// formatOf tells what a file is by how it begins, whatever it is called; it fails for what is no table.
func formatOf(file io.ReaderAt, size int64) (string, error) {
	begin := make([]byte, min(size, 8<<10))
	if _, err := file.ReadAt(begin, 0); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	switch {
	case bytes.HasPrefix(begin, []byte("PK\x03\x04")):
		return formatXLSX, nil
	case bytes.HasPrefix(begin, []byte("\xD0\xCF\x11\xE0")): // OLE: an old .xls, or an .xlsx with a password
		return "", unreadable("legacy.file_old_excel")
	case bytes.HasPrefix(begin, []byte("\xFF\xFE")), bytes.HasPrefix(begin, []byte("\xFE\xFF")):
		return formatCSV, nil
	case bytes.HasPrefix(begin, []byte("%PDF")), bytes.HasPrefix(begin, []byte("{\\rtf")), bytes.HasPrefix(begin, []byte("<")),
		bytes.ContainsFunc(begin, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != 0x1A }):
		return "", unreadable("legacy.file_form")
	}
	return formatCSV, nil
}

// openTable opens a file of either format.
func openTable(file io.ReaderAt, size int64, format string, limits Limits) (table, error) {
	if format == formatXLSX {
		return openXLSX(file, size, limits.Unzipped)
	}
	return openCSV(file, size)
}

// cut makes a cell's text one that can be kept: valid UTF-8 without NUL, and no longer than a cell may be.
func cut(text string) string {
	if len(text) <= maxCell {
		return text
	}
	end := maxCell
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

package legacy

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
)

// xlsxTable reads the first sheet of a workbook (ECMA-376) as a stream. excelize, which the exports are written with,
// unpacks a workbook into memory or into files that anybody on the machine could read; here nothing is held but the row
// that is read and a part of the strings.
type xlsxTable struct {
	sheet   *tokens
	part    io.Closer
	budget  *budget
	strings *stringStore
	size    int64 // of the file
	rows    int64 // unzipped size of the sheet
	line    int64
	cells   []cell
}

// budget is how much may still be unzipped: a small file can hold a huge one.
type budget struct{ left int64 }

// errTooMuch says that the parts of the workbook unzip to more than is read.
var errTooMuch = errors.New("unzipped to more than is read")

func (b *budget) limit(r io.Reader) *limited { return &limited{r, b, partLimit} }

type limited struct {
	r    io.Reader
	b    *budget
	span int64 // how much may be read before what was read has been used
}

func (l *limited) Read(p []byte) (int, error) {
	most := min(l.b.left, l.span)
	if most <= 0 {
		return 0, errTooMuch
	}
	n, err := l.r.Read(p[:min(int64(len(p)), most)])
	l.b.left -= int64(n)
	l.span -= int64(n)
	return n, err
}

// longestToken bounds what a decoder holds at a time: Excel's longest text, 32,767 characters, with room to spare. A text
// of the whole budget would be held several times over.
const longestToken = 1 << 20

// tokens reads XML token by token.
type tokens struct {
	*xml.Decoder
	from *limited
}

func (b *budget) tokens(r io.Reader) *tokens {
	from := b.limit(r)
	return &tokens{xml.NewDecoder(from), from}
}

// RawToken is the decoder's, and fails for a token that is too long.
func (t *tokens) RawToken() (xml.Token, error) {
	t.from.span = longestToken
	return t.Decoder.RawToken()
}

// partLimit bounds the small parts, which are read whole.
const partLimit = 4 << 20

// openXLSX finds the first visible sheet and reads the strings that the cells share.
func openXLSX(file io.ReaderAt, size, unzipped int64) (t table, err error) {
	x := &xlsxTable{budget: &budget{unzipped}, size: size}
	archive, err := openZip(file, size)
	if err != nil {
		return nil, x.told(err)
	}
	parts := make(map[string]*zip.File, len(archive.File))
	for _, f := range archive.File {
		parts[strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(f.Name, `\`, "/")), "/")] = f
	}
	name, shared, err := x.workbook(parts)
	if err != nil {
		return nil, x.told(err)
	}
	sheet := parts[name]
	if sheet == nil {
		return nil, unreadable("legacy.file_form")
	}
	if x.strings, err = newStringStore(); err != nil {
		return nil, err
	}
	if part := parts[shared]; part != nil {
		if err := x.share(part); err != nil {
			return nil, errors.Join(x.told(err), x.strings.close())
		}
	}
	content, err := sheet.Open()
	if err != nil {
		return nil, errors.Join(x.told(err), x.strings.close())
	}
	x.part, x.rows = content, int64(sheet.UncompressedSize64)
	x.sheet = x.budget.tokens(content)
	return x, nil
}

// maxParts is how many parts a workbook may have: one with a hundred sheets, each with its drawing, has some 500.
const maxParts = 1000

// maxDirectory is how many bytes of the list of its parts are read. The number of parts that a zip gives for itself need
// not be true, and what is told of each is held in memory.
const maxDirectory = 512 << 10

// errParts says that the zip has more parts than a workbook.
var errParts = errors.New("more parts than a workbook has")

// directory lets so much be read of a file, then no more.
type directory struct {
	io.ReaderAt
	left int
}

func (d *directory) ReadAt(p []byte, at int64) (int, error) {
	if d.left -= len(p); d.left < 0 {
		return 0, errParts
	}
	return d.ReaderAt.ReadAt(p, at)
}

// openZip reads the list of the parts of a workbook.
func openZip(file io.ReaderAt, size int64) (*zip.Reader, error) {
	bounded := &directory{file, maxDirectory}
	archive, err := zip.NewReader(bounded, size)
	if err != nil {
		return nil, err
	}
	if len(archive.File) > maxParts {
		return nil, errParts
	}
	bounded.left = math.MaxInt // what the parts unzip to has a bound of its own
	return archive, nil
}

// told turns what a broken or oversized workbook fails with into words. There are many ways to be broken, of zip, of what
// is packed in it and of XML; what is no fault of the file says so by errMachine.
func (x *xlsxTable) told(err error) error {
	switch {
	case errors.Is(err, errMachine):
		return err
	case errors.Is(err, errTooMuch):
		return unreadable("legacy.file_unzipped")
	case errors.Is(err, errParts):
		return unreadable("legacy.file_parts", "most", maxParts)
	}
	return unreadable("legacy.file_form")
}

// errMachine marks failures of the database or the disk while a file is read.
var errMachine = errors.New("the file could not be got at")

// errPart says that a part of the workbook is missing or is not what it should be.
var errPart = errors.New("a part of the workbook is not there")

// workbook answers the names of the part with the first visible sheet and of the one with the shared strings.
func (x *xlsxTable) workbook(parts map[string]*zip.File) (sheet, shared string, err error) {
	type relations struct {
		List []struct {
			ID     string `xml:"Id,attr"`
			Type   string `xml:"Type,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	var root relations
	if err := x.decode(parts["_rels/.rels"], &root); err != nil {
		return "", "", err
	}
	book := ""
	for _, r := range root.List {
		if strings.HasSuffix(r.Type, "/officeDocument") {
			book = strings.TrimPrefix(path.Clean("/"+r.Target), "/")
		}
	}
	var sheets struct {
		List []struct {
			State string     `xml:"state,attr"`
			Attrs []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
		Properties struct {
			Date1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
	}
	if err := x.decode(parts[book], &sheets); err != nil {
		return "", "", err
	}
	if d := sheets.Properties.Date1904; d == "1" || d == "true" {
		// Days counted from 1904 would be read four years off; Excel for Mac wrote so before 2011.
		return "", "", unreadable("legacy.file_1904")
	}
	first := ""
	for _, s := range sheets.List {
		if s.State == "hidden" || s.State == "veryHidden" {
			continue
		}
		for _, a := range s.Attrs {
			if a.Name.Local == "id" && a.Name.Space != "" {
				first = a.Value
			}
		}
		break
	}
	var links relations
	folder, file := path.Split(book)
	if err := x.decode(parts[path.Join(folder, "_rels", file+".rels")], &links); err != nil {
		return "", "", err
	}
	for _, r := range links.List {
		target := strings.TrimPrefix(r.Target, "/")
		if !strings.HasPrefix(r.Target, "/") {
			target = path.Join(folder, r.Target)
		}
		switch {
		case r.ID == first && strings.HasSuffix(r.Type, "/worksheet"):
			sheet = target
		case strings.HasSuffix(r.Type, "/sharedStrings"):
			shared = target
		}
	}
	return sheet, shared, nil
}

// decode reads a small part whole.
func (x *xlsxTable) decode(part *zip.File, into any) error {
	if part == nil {
		return errPart
	}
	r, err := part.Open()
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(io.LimitReader(x.budget.limit(r), partLimit))
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	return xml.NewDecoder(bytes.NewReader(raw)).Decode(into)
}

// share keeps the strings that cells refer to by number.
func (x *xlsxTable) share(part *zip.File) (err error) {
	r, err := part.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	decoder := x.budget.tokens(r)
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			return x.strings.done()
		}
		if err != nil {
			return err
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "si" {
			text, err := richText(decoder, "si")
			if err != nil {
				return err
			}
			if err := x.strings.add(text); err != nil {
				return err
			}
		}
	}
}

// richText reads the text of an element that may consist of runs, up to its end. How a word is pronounced (rPh) is no
// part of it.
func richText(decoder *tokens, element string) (string, error) {
	var text strings.Builder
	in, spoken := false, false
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			return "", io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.StartElement:
			in = token.Name.Local == "t" && !spoken
			spoken = spoken || token.Name.Local == "rPh"
		case xml.EndElement:
			in = false
			switch token.Name.Local {
			case "rPh":
				spoken = false
			case element:
				return cut(text.String()), nil
			}
		case xml.CharData:
			if in && text.Len() <= maxCell {
				text.Write(token)
			}
		}
	}
}

// next implements table.
func (x *xlsxTable) next() (int64, []cell, error) {
	for {
		token, err := x.sheet.RawToken()
		if errors.Is(err, io.EOF) {
			return 0, nil, io.EOF
		}
		if err != nil {
			return 0, nil, x.told(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "row" {
			continue
		}
		x.line++
		if n, err := strconv.ParseInt(attr(start, "r"), 10, 64); err == nil && n >= x.line {
			x.line = n
		}
		if x.line > mostLines {
			return 0, nil, unreadable("legacy.file_form")
		}
		if err := x.row(); err != nil {
			return 0, nil, x.told(err)
		}
		return x.line, x.cells, nil
	}
}

// mostLines is how many rows a sheet can have (ECMA-376: 2²⁰). A number beyond would come round to rows that were read.
const mostLines = 1 << 20

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// row reads the cells up to the end of the row.
func (x *xlsxTable) row() error {
	x.cells = x.cells[:0]
	for {
		token, err := x.sheet.RawToken()
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local != "c" {
				continue
			}
			column := columnOf(attr(token, "r"), len(x.cells))
			c, err := x.cell(attr(token, "t"))
			if err != nil {
				return err
			}
			if column >= maxCells {
				continue
			}
			for len(x.cells) <= column {
				x.cells = append(x.cells, cell{})
			}
			x.cells[column] = c
		case xml.EndElement:
			if token.Name.Local == "row" {
				return nil
			}
		}
	}
}

// columnOf reads the column of a reference such as AB12, from 0; a cell without one is the next.
func columnOf(reference string, next int) int {
	column := 0
	for i := 0; i < len(reference) && reference[i] >= 'A' && reference[i] <= 'Z'; i++ {
		column = column*26 + int(reference[i]-'A') + 1
		if column > maxCells {
			return maxCells
		}
	}
	if column == 0 {
		return next
	}
	return column - 1
}

// cell reads one cell up to its end.
func (x *xlsxTable) cell(kind string) (cell, error) {
	var c cell
	var value strings.Builder
	in := false
	calculated := false
	for {
		token, err := x.sheet.RawToken()
		if errors.Is(err, io.EOF) {
			return cell{}, io.ErrUnexpectedEOF
		}
		if err != nil {
			return cell{}, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch token.Name.Local {
			case "v":
				in = true
			case "f":
				calculated = true
			case "is":
				if c.text, err = richText(x.sheet, "is"); err != nil {
					return cell{}, err
				}
			}
		case xml.CharData:
			if in && value.Len() <= maxCell {
				value.Write(token)
			}
		case xml.EndElement:
			in = in && token.Name.Local != "v"
			if token.Name.Local == "c" {
				return x.valued(c, kind, value.String(), calculated)
			}
		}
	}
}

// valued says what a cell of a kind holds.
func (x *xlsxTable) valued(c cell, kind, value string, calculated bool) (cell, error) {
	switch kind {
	case "s":
		n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		if err != nil {
			return cell{}, fmt.Errorf("%w: a shared string has no number", errPart)
		}
		if c.text, err = x.strings.at(n); err != nil {
			return cell{}, err
		}
	case "inlineStr":
	case "str", "d":
		c.text = cut(value)
	case "b":
		c.text = cut(value)
	case "e":
		c.text, c.form = cut(value), broken
	default:
		if c.text = cut(strings.TrimSpace(value)); c.text != "" {
			c.form = number
		}
	}
	if calculated {
		c.form = formula
	}
	return c, nil
}

// read implements table: as much of the file as of the sheet, which is nearly all of it.
func (x *xlsxTable) read() int64 {
	if x.rows == 0 {
		return x.size
	}
	return min(x.size, x.sheet.InputOffset()*x.size/x.rows)
}

// close implements table.
func (x *xlsxTable) close() error { return errors.Join(x.part.Close(), x.strings.close()) }

package legacy

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
)

// rowsOfFile reads a whole file.
func rowsOfFile(file []byte) (rows [][]string, lines []int64, err error) {
	r, size := bytes.NewReader(file), int64(len(file))
	format, err := formatOf(r, size)
	if err != nil {
		return nil, nil, err
	}
	t, err := openTable(r, size, format, DefaultLimits)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	for {
		line, row, err := t.next()
		if errors.Is(err, io.EOF) {
			return rows, lines, nil
		}
		if err != nil {
			return rows, lines, err
		}
		var texts []string
		for _, c := range row {
			texts = append(texts, c.text)
		}
		rows, lines = append(rows, texts), append(lines, line)
	}
}

func TestCSVEncodings(t *testing.T) {
	text := "รหัสแถว,กอง/จังหวัด\n1,\"นนทบุรี, เมือง\"\n2,บึงกาฬ\n"
	encoded := map[string]string{"UTF-8": text, "UTF-8 with its mark": "\uFEFF" + text}
	var err error
	if encoded["Windows-874"], err = charmap.Windows874.NewEncoder().String(text); err != nil {
		t.Fatal(err)
	}
	if encoded["UTF-16"], err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text); err != nil {
		t.Fatal(err)
	}
	encoded["semicolons"] = strings.ReplaceAll(strings.ReplaceAll(text, ",", ";"), "; เมือง", ", เมือง")
	encoded["tabs and CRLF"] = strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(text, ",", "\t"), "\t เมือง", ", เมือง"), "\n", "\r\n")
	for name, file := range encoded {
		rows, lines, err := rowsOfFile([]byte(file))
		if err != nil || len(rows) != 3 || !slices.Equal(rows[1], []string{"1", "นนทบุรี, เมือง"}) || rows[2][1] != "บึงกาฬ" || !slices.Equal(lines, []int64{1, 2, 3}) {
			t.Errorf("%s: %q %v %v", name, rows, lines, err)
		}
	}
}

func TestFilesThatAreNoTables(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"an old .xls":          {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "legacy.file_old_excel"},
		"a PDF":                {"%PDF-1.7\n", "legacy.file_form"},
		"a web page":           {"<html><table>", "legacy.file_form"},
		"a program":            {"\x7fELF\x00\x00", "legacy.file_form"},
		"a zip":                {"PK\x03\x04nothing", "legacy.file_form"},
		"a quote never closed": {"a,b\n1,\"x" + strings.Repeat("\n1,2", 30), "legacy.file_row"},
	} {
		_, _, err := rowsOfFile([]byte(c.file))
		var p *problem.Problem
		if !errors.As(err, &p) || p.Key != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// TestAQuoteSwallowsNothing has a quote that is never closed read no further than a row can go, and its line named. What
// was read is what was held in memory: a file of 32 MiB would be held several times over.
func TestAQuoteSwallowsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		line int
	}{
		"a quote over many lines": {"a,b\n1,2\n\n3,\"x" + strings.Repeat("\n1,2", 8<<20), 3},
		"a quote on one line":     {"a,b\n1,2\n3,\"x" + strings.Repeat("12345678", 4<<20), 3},
		"a line without end":      {"a,b\n" + strings.Repeat("12345678", 4<<20), 2},
		"many cells":              {"a,b\n" + strings.Repeat("1,", 16<<20), 2},
	} {
		table, err := openCSV(strings.NewReader(c.file), int64(len(c.file)))
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, _, err = table.next()
		}
		var p *problem.Problem
		if !errors.As(err, &p) || p.Key != "legacy.file_row" || p.Args["line"] != c.line {
			t.Errorf("%s: %v", name, err)
		}
		if read := table.read(); read > 2*longestRecord {
			t.Errorf("%s: %d bytes were read", name, read)
		}
	}
	// Rows may be long as such, and as many as there are.
	row := strings.Repeat(strings.Repeat("ก", 2000)+",", 40) + "\n"
	if rows, _, err := rowsOfFile([]byte(strings.Repeat(row, 20))); err != nil || len(rows) != 20 {
		t.Errorf("%d long rows: %v", len(rows), err)
	}
}

// TestPartsOfAWorkbook refuses a zip with more parts than a workbook has, and reads no list of them that goes on and on.
func TestPartsOfAWorkbook(t *testing.T) {
	var b bytes.Buffer
	workbook(t, &b, slices.Values([][]string{{"a"}}))
	for _, c := range []struct {
		more, name int
		want       string
	}{{100, 8, ""}, {maxParts, 8, "legacy.file_parts"}, {60_000, 8, "legacy.file_parts"}, {200, 60_000, "legacy.file_parts"}} {
		file := &counted{Reader: bytes.NewReader(padded(t, b.Bytes(), c.more, c.name))}
		table, err := openXLSX(file, file.Size(), DefaultLimits.Unzipped)
		var p *problem.Problem
		if errors.As(err, &p); c.want != "" && (p == nil || p.Key != c.want) || c.want == "" && err != nil {
			t.Errorf("%d parts: %v, want %q", c.more, err, c.want)
		}
		if err == nil {
			if err := table.close(); err != nil {
				t.Error(err)
			}
		}
		if file.read > 2*maxDirectory {
			t.Errorf("%d parts: %d bytes were read", c.more, file.read)
		}
	}
}

// padded is a workbook with more parts, whose names have a length.
func padded(t *testing.T, file []byte, more, name int) []byte {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	to := zip.NewWriter(&out)
	for _, f := range archive.File {
		if err := to.Copy(f); err != nil {
			t.Fatal(err)
		}
	}
	for i := range more {
		if _, err := to.Create(fmt.Sprintf("%0*d", name, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// counted counts what is read of a file.
type counted struct {
	*bytes.Reader
	read int
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.Reader.ReadAt(p, at)
	c.read += n
	return n, err
}

// TestWorkbook reads what another program wrote: shared and inline strings, numbers, formulas, errors, empty cells, a
// hidden sheet in front.
func TestWorkbook(t *testing.T) {
	f := excelize.NewFile()
	const sheet = "ข้อมูล"
	for _, err := range []error{
		f.SetSheetName("Sheet1", "ซ่อน"), f.SetCellStr("ซ่อน", "A1", "ไม่ใช่แผ่นนี้"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	n, err := f.NewSheet(sheet)
	if err != nil {
		t.Fatal(err)
	}
	f.SetActiveSheet(n)
	for _, err := range []error{
		f.SetSheetVisible("ซ่อน", false),
		f.SetCellStr(sheet, "A1", "นนทบุรี"), f.SetCellStr(sheet, "C1", "นนทบุรี"), f.SetCellInt(sheet, "D1", 1990000000019), f.SetCellFloat(sheet, "E1", 1.5, -1, 64),
		f.SetCellFormula(sheet, "A5", "1+1"), f.SetCellBool(sheet, "B5", true),
		f.SetCellRichText(sheet, "C5", []excelize.RichTextRun{{Text: "หนึ่ง"}, {Text: " สอง"}}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	table, err := openXLSX(bytes.NewReader(b.Bytes()), int64(b.Len()), DefaultLimits.Unzipped)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := table.close(); err != nil {
			t.Error(err)
		}
	}()
	line, row, err := table.next()
	if err != nil || line != 1 || !slices.Equal(row, []cell{{text: "นนทบุรี"}, {}, {text: "นนทบุรี"}, {"1990000000019", number}, {"1.5", number}}) {
		t.Errorf("line %d: %+v %v", line, row, err)
	}
	line, row, err = table.next()
	for err == nil && line < 5 {
		line, row, err = table.next()
	}
	if err != nil || line != 5 || row[0].form != formula || row[2].text != "หนึ่ง สอง" {
		t.Errorf("line %d: %+v %v", line, row, err)
	}
	if read := table.read(); read <= 0 || read > int64(b.Len()) {
		t.Errorf("read %d of %d bytes", read, b.Len())
	}
}

func TestZipBomb(t *testing.T) {
	var b bytes.Buffer
	workbook(t, &b, func(yield func([]string) bool) {
		for range 2_000 {
			if !yield([]string{strings.Repeat("0", 5_000)}) {
				return
			}
		}
		yield([]string{strings.Repeat("1", 3<<20)})
	})
	_, _, err := func() ([][]string, []int64, error) {
		r := bytes.NewReader(b.Bytes())
		t, err := openXLSX(r, r.Size(), 1<<20)
		if err != nil {
			return nil, nil, err
		}
		return nil, nil, t.close()
	}()
	var p *problem.Problem
	if !errors.As(err, &p) || p.Key != "legacy.file_unzipped" {
		t.Errorf("%d bytes that unzip to far more: %v", b.Len(), err)
	}
}

// repacked is a workbook with one text in its parts replaced by another.
func repacked(t *testing.T, file []byte, text, by string) []byte {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	to := zip.NewWriter(&out)
	for _, f := range archive.File {
		part, err := fs.ReadFile(archive, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		w, err := to.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(bytes.ReplaceAll(part, []byte(text), []byte(by))); err != nil {
			t.Fatal(err)
		}
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestNoRowIsLeftOut reads a workbook whose row numbers lie: one beyond all numbers would make those behind it seem read.
func TestNoRowIsLeftOut(t *testing.T) {
	for _, number := range []string{"1048577", "9223372036854775807"} {
		var b bytes.Buffer
		workbook(t, &b, slices.Values([][]string{{"a"}, {"b"}, {"c"}}))
		_, _, err := rowsOfFile(repacked(t, b.Bytes(), `<row r="2"`, `<row r="`+number+`"`))
		var p *problem.Problem
		if !errors.As(err, &p) || p.Key != "legacy.file_form" {
			t.Errorf("row %s was read: %v", number, err)
		}
	}
}

// TestLongToken keeps one text from taking the whole budget into memory: as cell, as attribute, as shared string.
func TestLongToken(t *testing.T) {
	var b bytes.Buffer
	workbook(t, &b, slices.Values([][]string{{"a"}}))
	long := strings.Repeat("0", 2<<20)
	for text, by := range map[string]string{"<v>0</v>": "<v>" + long + "</v>", `<row r="1"`: `<row r="1" x="` + long + `"`, "<t>a</t>": "<t>" + long + "</t>"} {
		_, _, err := rowsOfFile(repacked(t, b.Bytes(), text, by))
		var p *problem.Problem
		if !errors.As(err, &p) || p.Key != "legacy.file_unzipped" {
			t.Errorf("%s with %d characters was read: %v", text, len(long), err)
		}
	}
}

func TestStringStore(t *testing.T) {
	s, err := newStringStore()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}()
	const n = blockStrings*(blocksKept+10) + 7
	for i := range n {
		if err := s.add(digits(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.done(); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 1, n - 1, n / 2, blockStrings, blockStrings - 1, n - 1, 0} {
		if text, err := s.at(int64(i)); err != nil || text != digits(i) {
			t.Errorf("%d: %q %v", i, text, err)
		}
	}
	for i := 0; i < n; i += 300 {
		if text, err := s.at(int64(i)); err != nil || text != digits(i) {
			t.Fatalf("%d: %q %v", i, text, err)
		}
	}
	if len(s.plain) > blocksKept || len(s.order) != len(s.plain) {
		t.Errorf("%d blocks are in memory", len(s.plain))
	}
	for _, i := range []int64{-1, n} {
		if _, err := s.at(i); !errors.Is(err, errPart) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// TestTemplates reads the templates back: every header is understood, in both languages and formats.
func TestTemplates(t *testing.T) {
	for _, lang := range locale.Langs {
		for _, format := range []string{formatCSV, formatXLSX} {
			name, file, err := Template(format, lang, func(key string) string { return strings.ReplaceAll(key, ".", " ") })
			if err != nil || filepath.Ext(name) != "."+format {
				t.Fatalf("%s: %v", name, err)
			}
			r := bytes.NewReader(file)
			table, err := openTable(r, r.Size(), format, DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			l, err := findHeaders(table)
			if err := errors.Join(err, table.close()); err != nil || len(l.ignored) > 0 || slices.Contains(l.at[:], -1) {
				t.Errorf("%s: %+v %v", name, l, err)
			}
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"))
	f.Add([]byte("\uFEFFรหัสแถว;หน่วยงาน\n\"1\";\"a\nb\"\n"))
	f.Add([]byte("\xFF\xFEa\x00,\x00b\x00\n\x00"))
	f.Add(sheetOf(f, formatXLSX, 2))
	if messy, err := os.ReadFile("testdata/messy-windows-874.csv"); err == nil {
		f.Add(messy)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) == 0 {
			return
		}
		_, lines, err := rowsOfFile(file)
		var p *problem.Problem
		if err != nil && !errors.As(err, &p) {
			t.Errorf("no words for a file that can not be read: %v", err)
		}
		if !slices.IsSorted(lines) {
			t.Errorf("lines out of order: %v", lines)
		}
	})
}

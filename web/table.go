package web

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// table is what an export holds, whichever format it is drawn in.
type table struct {
	head    []string
	widths  []float64 // of the columns of a workbook
	numbers int       // how many of the first columns hold whole numbers; all others are text
	rows    iter.Seq[[]string]
}

// plainCell keeps a spreadsheet from taking what somebody typed for a formula: OWASP, CSV Injection. Spreadsheets of
// East Asia take the full-width signs for the others.
func plainCell(text string) string {
	if first, _ := utf8.DecodeRuneInString(text); text != "" && strings.ContainsRune("=+-@＝＋－＠\t\r\n", first) {
		return "'" + text
	}
	return text
}

// csv draws the table as Excel reads it.
func (t table) csv() ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("\ufeff") // without the byte order mark Excel reads Thai as Latin
	file := csv.NewWriter(&out)
	file.UseCRLF = true
	if err := file.Write(t.head); err != nil {
		return nil, fmt.Errorf("write export: %w", err)
	}
	for row := range t.rows {
		for i := range row {
			row[i] = plainCell(row[i])
		}
		if err := file.Write(row); err != nil {
			return nil, fmt.Errorf("write export: %w", err)
		}
	}
	if file.Flush(); file.Error() != nil {
		return nil, fmt.Errorf("write export: %w", file.Error())
	}
	return out.Bytes(), nil
}

// xlsx draws the table as the only sheet of a workbook.
func (t table) xlsx() (drawn []byte, err error) {
	file := excelize.NewFile()
	defer func() {
		if closing := file.Close(); err == nil && closing != nil {
			err = fmt.Errorf("close export: %w", closing)
		}
	}()
	if err := t.fill(file); err != nil {
		return nil, fmt.Errorf("write export: %w", err)
	}
	var out bytes.Buffer
	if err := file.Write(&out); err != nil {
		return nil, fmt.Errorf("write export: %w", err)
	}
	return out.Bytes(), nil
}

// fill writes the rows under a head that stays in sight.
func (t table) fill(file *excelize.File) error {
	stream, err := file.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	head, err := file.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return err
	}
	// "@" is text: 13 digits stay 13 digits and nothing is a formula.
	text, err := file.NewStyle(&excelize.Style{CustomNumFmt: ptr("@")})
	if err != nil {
		return err
	}
	for i, width := range t.widths {
		if err := stream.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
	}
	if err := stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	cells := make([]any, len(t.head))
	for i, words := range t.head {
		cells[i] = excelize.Cell{StyleID: head, Value: words}
	}
	if err := stream.SetRow("A1", cells); err != nil {
		return err
	}
	line := 1
	for row := range t.rows {
		line++
		for i, cell := range row {
			cells[i] = excelize.Cell{StyleID: text, Value: cell}
			if n, err := strconv.ParseInt(cell, 10, 64); i < t.numbers && err == nil {
				cells[i] = n
			}
		}
		if err := stream.SetRow("A"+strconv.Itoa(line), cells); err != nil {
			return err
		}
	}
	return stream.Flush()
}

func ptr[T any](v T) *T { return &v }

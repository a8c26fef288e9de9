package legacy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"

	"github.com/xuri/excelize/v2"

	"sitthi/internal/locale"
)

// Template makes an empty table to fill in, "xlsx" or "csv", with headers in a language: the file's name and what is in
// it. words turns a message key into that language; the workbook's second sheet explains each column with it.
func Template(format string, lang locale.Lang, words func(key string) string) (name string, data []byte, err error) {
	name = "sitthi-import-" + string(lang) + "." + format
	headers := make([]string, len(Columns))
	for i, c := range Columns {
		headers[i] = c.Header.In(lang)
	}
	switch format {
	case formatCSV:
		data, err = csvTemplate(headers)
	case formatXLSX:
		data, err = xlsxTemplate(headers, words)
	default:
		err = fmt.Errorf("no format %q", format)
	}
	if err != nil {
		return "", nil, fmt.Errorf("make template: %w", err)
	}
	return name, data, nil
}

// csvTemplate begins with the mark by which Excel knows UTF-8.
func csvTemplate(headers []string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\uFEFF")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if err := w.Write(headers); err != nil {
		return nil, err
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func xlsxTemplate(headers []string, words func(string) string) (data []byte, err error) {
	file := excelize.NewFile()
	defer func() { err = errors.Join(err, file.Close()) }()
	const table = "Sheet1"
	// Every column is text, so that Excel takes no citizen ID for a number.
	text, err := file.NewStyle(&excelize.Style{NumFmt: 49})
	if err != nil {
		return nil, err
	}
	bold, err := file.NewStyle(&excelize.Style{NumFmt: 49, Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, err
	}
	wrapped, err := file.NewStyle(&excelize.Style{Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}})
	if err != nil {
		return nil, err
	}
	last, err := excelize.ColumnNumberToName(len(Columns))
	if err != nil {
		return nil, err
	}
	explained := words("legacy.template_title")
	if _, err := file.NewSheet(explained); err != nil {
		return nil, err
	}
	steps := []error{
		file.SetColStyle(table, "A:"+last, text), file.SetColWidth(table, "A", last, 20),
		file.SetSheetRow(table, "A1", &headers), file.SetRowStyle(table, 1, 1, bold),
		file.SetPanes(table, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}),
		file.SetColWidth(explained, "A", "C", 24), file.SetColWidth(explained, "D", "D", 80), file.SetColStyle(explained, "A:D", wrapped),
	}
	for i, c := range Columns {
		row := []string{c.Header.TH, c.Header.EN, c.Example, words(c.Help())}
		if c.Required {
			row[0], row[1] = row[0]+" *", row[1]+" *"
		}
		steps = append(steps, file.SetSheetRow(explained, fmt.Sprintf("A%d", i+1), &row))
	}
	if err := errors.Join(steps...); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := file.Write(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

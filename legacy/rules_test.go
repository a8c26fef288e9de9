package legacy

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sitthi/agency"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/storetest"
	"sitthi/internal/thai"
)

func testReader() reader {
	return reader{now: storetest.Start, kinds: true, teams: agency.NewTeamNames(nil), units: agency.NewNames([]agency.Unit{
		{Code: "TH-12", Name: locale.Name{TH: "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี", EN: "Nonthaburi Provincial Industry Office"}, Short: locale.Name{TH: "นนทบุรี", EN: "Nonthaburi"}, Active: true},
		{Code: "IWM", Name: locale.Name{TH: "กองบริหารจัดการกากอุตสาหกรรม"}, Active: true},
	})}
}

// readRow reads a row given by the names of columns, and answers the reasons against it, without their common beginning.
func readRow(r reader, fields map[int]cell) (entry, []string) {
	var cells [columnCount]cell
	cells[colRowID], cells[colKind], cells[colUnit], cells[colLevel], cells[colCitizen] = cell{text: "1"}, cell{text: "สิทธิ์"}, cell{text: "TH-12"}, cell{text: "1"}, cell{text: digits(7)}
	for i, c := range fields {
		cells[i] = c
	}
	var check problem.Check
	e := r.read(cells, &check)
	var p *problem.Problem
	var keys []string
	if errors.As(check.Err(), &p) {
		for _, f := range p.Fields {
			keys = append(keys, strings.TrimPrefix(f.Key, "legacy.reason."))
		}
	}
	return e, keys
}

func TestReadRow(t *testing.T) {
	good := digits(7)
	for _, c := range []struct {
		what   string
		fields map[int]cell
		want   string
	}{
		{"a good row", nil, ""},
		{"Thai digits and hyphens", map[int]cell{colCitizen: {text: "๑-๙๙๐๐-๐๐๐๐๐-๐๑-๙"}}, ""},
		{"an apostrophe before the ID", map[int]cell{colCitizen: {text: "'" + good}}, ""},
		{`an ID as ="…"`, map[int]cell{colCitizen: {text: `="` + good + `"`}}, ""},
		{"an ID as a whole number of a spreadsheet", map[int]cell{colCitizen: {text: good, form: number}}, ""},
		{"an ID with an exponent that lost nothing", map[int]cell{colCitizen: {text: good[:1] + "." + good[1:] + "E+12", form: number}}, ""},
		{"an ID as Excel shows it", map[int]cell{colCitizen: {text: "1.23457E+12"}}, "id_scientific"},
		{"an ID that Excel rounded", map[int]cell{colCitizen: {text: "1.23457E+12", form: number}}, "id_rounded"},
		{"an ID that lost its zero", map[int]cell{colCitizen: {text: "123456789012", form: number}}, "id_zero_lost"},
		{"too few digits", map[int]cell{colCitizen: {text: "12345"}}, "id_length"},
		{"letters", map[int]cell{colCitizen: {text: "abc"}}, "id_characters"},
		{"the manual's placeholder", map[int]cell{colCitizen: {text: "1234567890123"}}, "check_digit"},
		{"a juristic person", map[int]cell{colCitizen: {text: "0995000000015"}}, "juristic"},
		{"no ID", map[int]cell{colCitizen: {}}, "no_citizen"},
		{"a formula", map[int]cell{colUnit: {text: "นนทบุรี", form: formula}}, "formula"},
		{"an error", map[int]cell{colUnit: {text: "#REF!", form: broken}}, "error_cell"},
		{"no row id", map[int]cell{colRowID: {}}, "no_row_id"},
		{"a citizen ID as row id", map[int]cell{colRowID: {text: good}}, "row_id_citizen"},
		{"a citizen ID within a row id", map[int]cell{colRowID: {text: "OFF-" + good + "/2"}}, "row_id_citizen"},
		{"a long number as row id", map[int]cell{colRowID: {text: good + "7"}}, ""},
		{"a number as row id", map[int]cell{colRowID: {text: "12.0", form: number}}, ""},
		{"an unknown unit", map[int]cell{colUnit: {text: "เมืองทิพย์"}}, "unit"},
		{"an unknown level", map[int]cell{colLevel: {text: "4"}}, "level"},
		{"no level", map[int]cell{colLevel: {}}, "no_level"},
		{"an unknown kind", map[int]cell{colKind: {text: "แมว"}}, "kind"},
		{"an end before the start", map[int]cell{colFrom: {text: "1/11/2569"}, colUntil: {text: "31/10/2569"}}, "end_before_start"},
		{"a year mistyped", map[int]cell{colUntil: {text: "30/09/2659"}}, "date_far"},
		{"no date", map[int]cell{colUntil: {text: "พรุ่งนี้"}}, "date"},
		{"29 February of no leap year", map[int]cell{colUntil: {text: "29/02/2570"}}, "date"},
		{"a head without an order", map[int]cell{colKind: {text: "หัวหน้า"}}, "no_order"},
		{"an acting head without an end", map[int]cell{colKind: {text: "head"}, colOrder: {text: "1/2569"}, colActing: {text: "ใช่"}}, "acting_needs_end"},
		{"an address that is none", map[int]cell{colEmail: {text: "somchai"}}, "email"},
		{"no address, as people write it", map[int]cell{colEmail: {text: "-"}, colPhone: {text: "ไม่มี"}}, ""},
		{"a telephone number that lost its zero", map[int]cell{colPhone: {text: "812345678", form: number}}, ""},
		{"a note too long", map[int]cell{colNote: {text: strings.Repeat("ก", 1001)}}, "too_long"},
	} {
		e, got := readRow(testReader(), c.fields)
		if (len(got) == 0) != (c.want == "") || len(got) > 0 && got[0] != c.want {
			t.Errorf("%s: %v, want %q", c.what, got, c.want)
		}
		if c.want == "" && (e.citizen.IsZero() || e.unit != "TH-12" || e.level != 1) {
			t.Errorf("%s: read as %+v", c.what, e)
		}
	}
}

// TestReasonsHoldNoIDs shifts the columns, so that a citizen ID stands where a unit should.
func TestReasonsHoldNoIDs(t *testing.T) {
	for column := range Columns {
		var check problem.Check
		var cells [columnCount]cell
		cells[colKind], cells[column] = cell{text: "head"}, cell{text: "คุณ 1-9900-00000-01-9"}
		if column == colKind {
			cells[colKind] = cell{text: "1990000000019"}
		}
		cells[colUnit].text = cmp.Or(cells[colUnit].text, "IWM")
		for _, kind := range []string{"head", "right"} {
			if column != colKind {
				cells[colKind].text = kind
			}
			if e := testReader().read(cells, &check); strings.Contains(e.rowID+e.team+e.unit, "9900") {
				t.Errorf("%s: kept in the clear as %s %s %s", Columns[column].Name, e.rowID, e.team, e.unit)
			}
		}
		var p *problem.Problem
		if errors.As(check.Err(), &p) {
			for _, f := range p.Fields {
				if args := encodeArgs(f.Args); strings.Contains(args, "9900") || strings.Contains(args, "00000") {
					t.Errorf("%s: %s", f.Key, args)
				}
			}
		}
	}
}

func TestUnitsByAnyName(t *testing.T) {
	for _, name := range []string{"นนทบุรี", "สอจ.นนทบุรี", "สอจ. นนทบุรี", "จ.นนทบุรี", "จังหวัดนนทบุรี", "สำนักงานอุตสาหกรรมจังหวัดนนทบุรี", "สนง.อุตสาหกรรมจังหวัดนนทบุรี",
		"NONTHABURI", "Nonthaburi Province", "TH-12", "p12", "12", "๑๒"} {
		if e, reasons := readRow(testReader(), map[int]cell{colUnit: {text: name}}); e.unit != "TH-12" {
			t.Errorf("%s: %q %v", name, e.unit, reasons)
		}
	}
	for _, name := range []string{"กรุงเทพมหานคร", "กทม.", "Bangkok", "10", "TH-10", "DIW10", "กองบริหารจัดการกากอุตสาหกรรม"} {
		if e, reasons := readRow(testReader(), map[int]cell{colUnit: {text: name}}); e.unit != "IWM" {
			t.Errorf("%s: %q %v", name, e.unit, reasons)
		}
	}
}

func TestDates(t *testing.T) {
	want := thai.Date{Year: 2023, Month: time.November, Day: 1}
	for _, c := range []cell{
		{text: "01/11/2566"}, {text: "1/11/2023"}, {text: "2023-11-01"}, {text: "2566-11-01"}, {text: "๑ พ.ย. ๒๕๖๖"}, {text: "1 พฤศจิกายน พ.ศ. 2566"},
		{text: "2023-11-01 00:00:00"}, {text: "2023-11-01T00:00:00.000Z"}, {text: "01/11/2566 08:30"}, {text: "25661101"}, {text: "20231101"},
		{text: "45231", form: number}, {text: "45231.5", form: number}, {text: "45231"}, {text: "243558", form: number}, // 1/11/2566 typed into Excel
	} {
		if got, err := dateOf(c); err != nil || got != want {
			t.Errorf("%+v: %v %v", c, got, err)
		}
	}
	for _, text := range []string{"", "-", "NULL", "ไม่ระบุ"} {
		if got, err := dateOf(cell{text: text}); err != nil || !got.IsZero() {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"1/11/66", "31/11/2566", "29/2/2566", "ไม่มีกำหนด", "1/13/2566"} {
		if got, err := dateOf(cell{text: text}); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestLevelsAndKinds(t *testing.T) {
	for text, want := range map[string]int{"1": 1, "๑": 1, "ระดับ 1": 1, "พิจารณา": 1, "เมนูการพิจารณา": 1, "ผู้พิจารณา": 1, "consider": 1, "Level 2": 2, "กลั่นกรอง": 2, "3": 3, "อนุมัติ": 3, "เมนูอนุมัติ": 3, "4": 0, "": 0} {
		if got, _ := levelOf(text); int(got) != want {
			t.Errorf("%q: %d", text, got)
		}
	}
	for text, want := range map[string]Kind{"สิทธิ์": Right, "RIGHT": Right, "หัวหน้า": Head, "อสจ.": Head, "เจ้าหน้าที่": Officer, "x": ""} {
		if got, _ := kindOf(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestHeaders(t *testing.T) {
	cells := func(texts ...string) (row []cell) {
		for _, text := range texts {
			row = append(row, cell{text: text})
		}
		return row
	}
	l, missing, ok := layoutOf(cells("ลำดับ", "กอง/จังหวัด*", "ระดับ", "เลขบัตรประชาชน", "แฟ้ม"))
	if !ok || len(missing) > 0 || l.at[colRowID] != 0 || l.at[colCitizen] != 3 || l.at[colKind] != -1 || !slices.Equal(l.ignored, []string{"แฟ้ม"}) {
		t.Errorf("the old grid: %+v %v %v", l, missing, ok)
	}
	if l, _, _ := layoutOf(cells("Row ID", "Unit", "Level", "citizen_id", "3990000000104")); !slices.Equal(l.ignored, []string{"3-9900-XXXXX-XX-4"}) {
		t.Errorf("a row that stands among the headers: %q", l.ignored)
	}
	if _, missing, ok := layoutOf(cells("Row ID", "Unit", "Level")); !ok || !slices.Equal(missing, []string{"citizen_id"}) {
		t.Errorf("without citizen IDs: %v %v", missing, ok)
	}
	if _, _, ok := layoutOf(cells("รายงานสิทธิ์", "", "ณ วันที่ 1 พ.ย. 2566")); ok {
		t.Error("a title was taken for headers")
	}
}

func FuzzReadRow(f *testing.F) {
	f.Add("1", "สิทธิ์", "นนทบุรี", "HAZ", "1", "1-9900-00000-01-9", "1/11/2566", "30/09/2570", "a@b.go.th", "081-234-5678", byte(0))
	f.Add("'1", "head", "97", "", "", "1.23457E+12", "45231", "243559.5", "-", "812345678", byte(1))
	f.Fuzz(func(t *testing.T, id, kind, unit, team, level, citizen, from, until, mail, phone string, n byte) {
		var cells [columnCount]cell
		for i, text := range map[int]string{colRowID: id, colKind: kind, colUnit: unit, colTeam: team, colLevel: level, colCitizen: citizen, colFrom: from, colUntil: until, colEmail: mail, colPhone: phone} {
			cells[i] = cell{text: text, form: form(n % 4)}
		}
		var check problem.Check
		e := testReader().read(cells, &check)
		if check.Err() != nil {
			return
		}
		if e.rowID == "" || e.unit == "" || e.citizen.IsZero() || !thai.ValidCheckDigit(e.citizen.Digits()) || e.kind == Right && (e.level < 1 || e.level > 3) {
			t.Errorf("no fault, but read as %+v", e)
		}
		if !e.from.IsZero() && !e.lastDay.IsZero() && e.lastDay.Compare(e.from) < 0 {
			t.Errorf("ends before it begins: %v %v", e.from, e.lastDay)
		}
	})
}

package legacy

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
)

// cell is one cell as its file has it.
type cell struct {
	text string
	form form
}

// form says what kind of cell it is, as far as it changes how its text is read.
type form byte

const (
	plain   form = iota
	number       // a number of a spreadsheet
	formula      // its text is what the formula came to last; that is never used
	broken       // an error such as #REF!
)

// entry is a row as it was understood.
type entry struct {
	kind    Kind
	rowID   string
	citizen thai.CitizenID
	unit    string
	team    string
	level   grant.Level
	acting  bool
	from    thai.Date // zero: from now
	lastDay thai.Date // zero: no end
	order   string
	note    string
	facts   facts
}

// facts are what the old system says about a person.
type facts struct {
	Name     string      `json:"name,omitempty"`
	Position string      `json:"position,omitempty"`
	Email    thai.Email  `json:"email,omitempty"`
	Phone    thai.Mobile `json:"phone,omitempty"`
	Unit     string      `json:"unit,omitempty"`
}

// says reports whether anything is said but where he works.
func (f facts) says() bool { return f != facts{Unit: f.Unit} }

func (f facts) contact() bool { return f.Email != "" || f.Phone != "" }

// reader turns cells into entries.
type reader struct {
	units  agency.Names
	teams  agency.TeamNames
	now    time.Time
	always bool // the check digit is not looked at
	kinds  bool // the file has a column for the kind of row
}

// The longest texts that are taken.
const (
	longestID   = 64
	longestText = 200
	longestNote = 1000
)

// read understands one row. What it can not is noted in the check, under the columns' names, in their order; the entry
// holds what was understood all the same.
func (r reader) read(cells [columnCount]cell, check *problem.Check) (e entry) {
	for i, c := range cells {
		switch c.form {
		case formula:
			check.Fail(Columns[i].Name, "legacy.reason.formula", "column", Columns[i].Header)
		case broken:
			check.Fail(Columns[i].Name, "legacy.reason.error_cell", "column", Columns[i].Header, "value", quoted(c.text))
		}
		if c.form == formula || c.form == broken {
			cells[i] = cell{}
		}
	}
	text := func(column, most int) string {
		if cells[column].text == "" {
			return ""
		}
		clean, err := thai.CleanLine(unquoted(cells[column].text), most)
		if err != nil {
			check.Fail(Columns[column].Name, "legacy.reason.too_long", "column", Columns[column].Header, "most", most)
			return ""
		}
		return clean
	}
	e.rowID = rowID(cells[colRowID])
	switch {
	case len(e.rowID) > longestID:
		check.Fail("row_id", "legacy.reason.too_long", "column", Columns[colRowID].Header, "most", longestID)
		e.rowID = ""
	case e.rowID == "":
		check.Fail("row_id", "legacy.reason.no_row_id")
	case thai.HoldsCitizenID(e.rowID): // it would stand in the clear wherever the row is named
		check.Fail("row_id", "legacy.reason.row_id_citizen")
		e.rowID = ""
	}
	if e.kind = Right; r.kinds {
		var ok bool
		if e.kind, ok = kindOf(cells[colKind].text); !ok {
			check.Fail("kind", "legacy.reason.kind", "value", quoted(text(colKind, longestText)))
		}
	}
	r.place(&e, cells, text, check)
	e.citizen = r.citizen(cells[colCitizen], check)
	e.order, e.note = text(colOrder, longestText), text(colNote, longestNote)
	for i, said := range [len(toldColumns)]*string{&e.order, &e.note} {
		if c := Columns[toldColumns[i]]; thai.HoldsCitizenID(*said) {
			check.Fail(c.Name, "legacy.reason.holds_citizen", "column", c.Header)
			*said = ""
		}
	}
	e.facts = facts{Name: strings.TrimSpace(text(colGiven, longestText) + " " + text(colFamily, longestText)), Position: text(colPosition, longestText), Unit: e.unit}
	r.contacts(&e, cells, check)
	if e.kind == Head || e.kind == Right {
		r.period(&e, cells, check)
	}
	if e.kind == Head {
		var ok bool
		if e.acting, ok = yes(cells[colActing].text); !ok {
			check.Fail("acting", "legacy.reason.yes_no", "value", quoted(text(colActing, longestText)))
		}
		if e.order == "" {
			check.Fail("order_number", "legacy.reason.no_order")
		}
		if e.acting && e.lastDay.IsZero() {
			check.Fail("last_day", "legacy.reason.acting_needs_end")
		}
	}
	return e
}

// digitRun is what a citizen ID or a telephone number looks like that got into the wrong column.
var digitRun = regexp.MustCompile(`[0-9๐-๙][0-9๐-๙\s-]{7,}`)

// quoted is a cell as a reason repeats it. Reasons are kept in the clear, so a run of digits is left out.
func quoted(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		text = string(runes[:60]) + "…"
	}
	return digitRun.ReplaceAllString(text, "•••")
}

// place reads unit, group and level.
func (r reader) place(e *entry, cells [columnCount]cell, text func(int, int) string, check *problem.Check) {
	if written := text(colUnit, longestText); written == "" {
		check.Fail("unit", "legacy.reason.no_unit")
	} else if code, ok := r.units.Code(whole(cells[colUnit])); ok {
		e.unit = code
	} else {
		check.Fail("unit", "legacy.reason.unit", "value", quoted(written))
	}
	if e.kind != Right {
		return
	}
	if written := text(colTeam, longestText); written != "" && !nothing(written) && e.unit != "" {
		code, ok := r.teams.Code(e.unit, written)
		if e.team = code; !ok {
			// What is not known is kept as a reason repeats it: the rule of places says whether there are groups here at all.
			e.team = quoted(written)
		}
	}
	written := text(colLevel, longestText)
	var ok bool
	switch e.level, ok = levelOf(whole(cells[colLevel])); {
	case written == "":
		check.Fail("level", "legacy.reason.no_level")
	case !ok:
		check.Fail("level", "legacy.reason.level", "value", quoted(written))
	}
}

// citizen reads the citizen ID. The words say how Excel spoils one, since that is what befalls most of them.
func (r reader) citizen(c cell, check *problem.Check) thai.CitizenID {
	fail := func(key string, args ...any) thai.CitizenID {
		check.Fail("citizen_id", "legacy.reason."+key, args...)
		return thai.CitizenID{}
	}
	text := unquoted(c.text)
	if c.form == number {
		text = whole(c)
	} else if scientific.MatchString(thai.Fold(text)) {
		return fail("id_scientific", "value", thai.Fold(text))
	}
	id, err := thai.ParseCitizenID(text)
	digits, _ := thai.FoldDigits(text) // on error they are not looked at
	switch {
	case err == nil, errors.Is(err, thai.ErrCheckDigit) && r.always:
		return id
	case errors.Is(err, thai.ErrEmpty):
		return fail("no_citizen")
	case errors.Is(err, thai.ErrCheckDigit) && strings.HasSuffix(digits, "00000") && c.form == number:
		return fail("id_rounded")
	case errors.Is(err, thai.ErrCheckDigit):
		return fail("check_digit", "value", id.Mask())
	case errors.Is(err, thai.ErrJuristic):
		return fail("juristic")
	case errors.Is(err, thai.ErrLength) && c.form == number && len(digits) < 13:
		return fail("id_zero_lost", "count", len(digits))
	case errors.Is(err, thai.ErrLength):
		return fail("id_length", "count", len(digits))
	}
	return fail("id_characters")
}

// scientific is a number as Excel shows one that is too long for its cell; what it stood for is lost.
var scientific = regexp.MustCompile(`^[0-9]+([.,][0-9]+)?e[+-]?[0-9]+$`)

func (r reader) contacts(e *entry, cells [columnCount]cell, check *problem.Check) {
	var err error
	if mail := unquoted(cells[colEmail].text); !nothing(mail) {
		if e.facts.Email, err = thai.ParseEmail(mail); err != nil && !errors.Is(err, thai.ErrEmpty) {
			check.Fail("email", "legacy.reason.email")
		}
	}
	phone := unquoted(cells[colPhone].text)
	if cells[colPhone].form == number {
		if phone = whole(cells[colPhone]); len(phone) == 9 { // Excel took its 0 away
			phone = "0" + phone
		}
	}
	if !nothing(phone) {
		if e.facts.Phone, err = thai.ParseMobile(phone); err != nil && !errors.Is(err, thai.ErrEmpty) {
			check.Fail("phone", "legacy.reason.phone")
		}
	}
}

func (r reader) period(e *entry, cells [columnCount]cell, check *problem.Check) {
	date := func(column int) thai.Date {
		d, err := dateOf(cells[column])
		if err != nil {
			check.Fail(Columns[column].Name, "legacy.reason.date", "column", Columns[column].Header, "value", quoted(thai.Fold(cells[column].text)))
			return thai.Date{}
		}
		if !d.IsZero() && d.StartOfDay().After(grant.Farthest(r.now)) {
			check.Fail(Columns[column].Name, "legacy.reason.date_far", "column", Columns[column].Header)
			return thai.Date{}
		}
		return d
	}
	e.from, e.lastDay = date(colFrom), date(colUntil)
	if !e.from.IsZero() && !e.lastDay.IsZero() && e.lastDay.Compare(e.from) < 0 {
		check.Fail("last_day", "legacy.reason.end_before_start")
	}
}

// unquoted takes away the ' that makes Excel keep a number as text, and what else tables put around one.
func unquoted(text string) string {
	text = strings.TrimSpace(text)
	text = strings.TrimPrefix(text, "'")
	if inner, ok := strings.CutPrefix(text, `="`); ok { // ="0123": how some programs write text into CSV for Excel
		text = strings.TrimSuffix(inner, `"`)
	}
	return text
}

// nothing reports what people write into a cell that has nothing to say.
func nothing(text string) bool {
	if text == "" {
		return true
	}
	switch thai.Fold(text) {
	case "", "-", "–", "null", "none", "n/a", "ไม่มี", "ไม่ระบุ":
		return true
	}
	return false
}

// whole writes the number of a cell out, without the exponent or the .0 that a spreadsheet keeps; a text is itself.
func whole(c cell) string {
	text := unquoted(c.text)
	if c.form != number {
		return text
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n != math.Trunc(n) || math.Abs(n) >= 1<<53 { // beyond, digits were lost
		return text
	}
	return strconv.FormatInt(int64(n), 10)
}

// rowID reads the old system's row id as it stands: it may be any text.
func rowID(c cell) string {
	id, err := thai.CleanLine(whole(c), longestID)
	if err != nil {
		return strings.Repeat("x", longestID+1) // too long, whatever it says
	}
	return id
}

// kindOf reads the kind of a row.
func kindOf(text string) (Kind, bool) {
	switch headerKey(text) {
	case "right", "rights", "grant", "สิทธิ์", "สิทธิ", "กำหนดสิทธิ์":
		return Right, true
	case "head", "chief", "หัวหน้า", "หัวหน้าหน่วยงาน", "อสจ", "อุตสาหกรรมจังหวัด", "ผู้อำนวยการกอง":
		return Head, true
	case "officer", "user", "person", "เจ้าหน้าที่", "ผู้ใช้", "ผู้ใช้งาน":
		return Officer, true
	}
	return "", false
}

// levelOf reads a level by its number or by any of the names that the manual's menus have.
func levelOf(text string) (grant.Level, bool) {
	key := headerKey(text)
	for _, before := range []string{"ระดับที่", "ระดับ", "level", "สิทธิ์", "เมนูการ", "เมนู", "การ", "ผู้"} {
		key = strings.TrimPrefix(key, before)
	}
	for _, row := range grant.Levels {
		if key == strconv.Itoa(int(row.Level)) || key == row.Code || key == headerKey(row.Name.TH) {
			return row.Level, true
		}
	}
	return 0, false
}

// yes reads a yes or no; nothing is no.
func yes(text string) (value, ok bool) {
	if nothing(text) {
		return false, true
	}
	switch headerKey(text) {
	case "ใช่", "yes", "y", "true", "1", "รักษาราชการแทน", "รักษาการ", "รักษาการแทน", "acting":
		return true, true
	case "ไม่ใช่", "ไม่", "no", "n", "false", "0", "ดำรงตำแหน่ง", "regular":
		return false, true
	}
	return false, false
}

var (
	// clockPart is the time that databases write after a date.
	clockPart = regexp.MustCompile(`[ t]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( *(z|น\.|[+-][0-9]{2}:?[0-9]{2}))?$`)
	// serialDay is a day as Excel counts them: 20000 is in 1954, 399999 in 2995, which is 2452 if the year was Buddhist.
	serialDay = regexp.MustCompile(`^[1-9][0-9]{4,5}([.][0-9]+)?$`)
	dateParts = regexp.MustCompile(`^[0-9]{8}$`)
)

// dateOf reads a day: as people write it, in พ.ศ. or ค.ศ. (thai.ParseDate), as databases do (2023-11-01 00:00:00,
// 25661101), or as a day that Excel counted. No date is none.
func dateOf(c cell) (thai.Date, error) {
	text := thai.Fold(unquoted(c.text))
	if nothing(text) {
		return thai.Date{}, nil
	}
	if c.form == number || serialDay.MatchString(text) {
		if day, ok := serial(text); ok {
			return day, nil
		}
	}
	text = clockPart.ReplaceAllString(text, "")
	if dateParts.MatchString(text) {
		text = text[:4] + "-" + text[4:6] + "-" + text[6:]
	}
	return thai.ParseDate(text)
}

// buddhistSerial is the first Gregorian year that is taken for a Buddhist one when Excel counted the day: somebody
// typed 1/11/2566, and Excel knows no other years than Gregorian ones.
const buddhistSerial = 2400

// serial turns a day that Excel counts from 30 December 1899 into a date.
func serial(text string) (thai.Date, bool) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 20000 || n >= 400000 {
		return thai.Date{}, false
	}
	day := thai.Date{Year: 1899, Month: time.December, Day: 30}.AddDays(int(n))
	if day.Year >= buddhistSerial {
		day.Year -= 543
		if thai.DateOf(day.StartOfDay()) != day { // 29 February of a year that had none
			return thai.Date{}, false
		}
	}
	return day, true
}

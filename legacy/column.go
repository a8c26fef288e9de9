package legacy

import (
	"strings"
	"unicode"

	"sitthi/internal/locale"
	"sitthi/internal/thai"
)

// Column is one column of the table that is brought in. docs/import.md explains them to offices.
type Column struct {
	Name   string      // as programs write it, and the field of a form
	Header locale.Name // as the template heads it
	Also   []string    // further headers that are understood
	// Required says that a file without the column can not be read.
	Required bool
	Kinds    []Kind // the kinds of row that the column means something to
	Example  string // a made-up value, for the explanation in the template
}

// Help is the message key that explains the column.
func (c Column) Help() string { return "legacy.column." + c.Name }

// The columns, by their place in Columns and in every row.
const (
	colRowID = iota
	colKind
	colUnit
	colTeam
	colLevel
	colCitizen
	colGiven
	colFamily
	colPosition
	colEmail
	colPhone
	colActing
	colFrom
	colUntil
	colOrder
	colNote
	columnCount
)

var everyKind = []Kind{Officer, Head, Right}

// Columns lists the columns in the order of the template. The headers of the old grid are among them (ลำดับ,
// กอง/จังหวัด, กลุ่ม, ระดับ, เลขบัตรประชาชน), so that its own export can be brought in as it is.
var Columns = [columnCount]Column{
	colRowID:    {Name: "row_id", Header: locale.Name{TH: "รหัสแถว", EN: "Row ID"}, Also: []string{"id", "ลำดับ", "ลำดับที่", "เลขที่แถว", "no", "รหัสแถวระบบเดิม"}, Required: true, Kinds: everyKind, Example: "10452"},
	colKind:     {Name: "kind", Header: locale.Name{TH: "ประเภท", EN: "Kind"}, Also: []string{"ประเภทรายการ", "ชนิด", "ชนิดรายการ", "type", "recordtype"}, Kinds: everyKind, Example: "สิทธิ์"},
	colUnit:     {Name: "unit", Header: locale.Name{TH: "กอง/จังหวัด", EN: "Unit"}, Also: []string{"หน่วยงาน", "จังหวัด", "กอง", "รหัสหน่วยงาน", "province", "office", "division", "agency"}, Required: true, Kinds: everyKind, Example: "นนทบุรี"},
	colTeam:     {Name: "group", Header: locale.Name{TH: "กลุ่ม", EN: "Group"}, Also: []string{"team", "รหัสกลุ่ม"}, Kinds: []Kind{Right}},
	colLevel:    {Name: "level", Header: locale.Name{TH: "ระดับ", EN: "Level"}, Also: []string{"สิทธิ์", "ระดับสิทธิ์", "right"}, Kinds: []Kind{Right}, Example: "1"},
	colCitizen:  {Name: "citizen_id", Header: locale.Name{TH: "เลขประจำตัวประชาชน", EN: "Citizen ID"}, Also: []string{"เลขบัตรประชาชน", "เลขบัตรประจำตัวประชาชน", "เลขประชาชน", "nationalid", "pid", "idcard", "idcardno"}, Required: true, Kinds: everyKind, Example: "1-9900-00000-01-9"},
	colGiven:    {Name: "given_name", Header: locale.Name{TH: "ชื่อ", EN: "Given name"}, Also: []string{"ชื่อจริง", "ชื่อสกุล", "ชื่อนามสกุล", "name", "fullname", "firstname"}, Kinds: everyKind, Example: "สมหญิง"},
	colFamily:   {Name: "family_name", Header: locale.Name{TH: "นามสกุล", EN: "Family name"}, Also: []string{"สกุล", "surname", "lastname"}, Kinds: everyKind, Example: "ใจดี"},
	colPosition: {Name: "position", Header: locale.Name{TH: "ตำแหน่ง", EN: "Position"}, Kinds: everyKind, Example: "นักวิชาการอุตสาหกรรม"},
	colEmail:    {Name: "email", Header: locale.Name{TH: "อีเมล", EN: "E-mail"}, Also: []string{"อีเมล์", "จดหมายอิเล็กทรอนิกส์", "mail", "emailaddress"}, Kinds: everyKind, Example: "somying@example.go.th"},
	colPhone:    {Name: "phone", Header: locale.Name{TH: "เบอร์โทรศัพท์มือถือ", EN: "Mobile"}, Also: []string{"โทรศัพท์มือถือ", "มือถือ", "โทรศัพท์", "เบอร์โทรศัพท์", "mobilephone", "tel", "telephone"}, Kinds: everyKind, Example: "081-234-5678"},
	colActing:   {Name: "acting", Header: locale.Name{TH: "รักษาราชการแทน", EN: "Acting"}, Also: []string{"รักษาการ", "รักษาการแทน"}, Kinds: []Kind{Head}, Example: "ไม่ใช่"},
	colFrom:     {Name: "from", Header: locale.Name{TH: "ตั้งแต่วันที่", EN: "From"}, Also: []string{"วันที่เริ่ม", "วันเริ่ม", "วันที่เริ่มต้น", "start", "startdate", "validfrom"}, Kinds: []Kind{Head, Right}, Example: "01/11/2566"},
	colUntil:    {Name: "last_day", Header: locale.Name{TH: "ถึงวันที่", EN: "Last day"}, Also: []string{"วันที่สิ้นสุด", "วันสิ้นสุด", "วันสุดท้าย", "until", "end", "enddate", "validuntil", "to"}, Kinds: []Kind{Head, Right}, Example: "30/09/2570"},
	colOrder:    {Name: "order_number", Header: locale.Name{TH: "เลขที่คำสั่ง", EN: "Order number"}, Also: []string{"คำสั่ง", "คำสั่งที่", "order", "orderno"}, Kinds: []Kind{Head, Right}, Example: "อก 0101/123"},
	colNote:     {Name: "note", Header: locale.Name{TH: "หมายเหตุ", EN: "Note"}, Also: []string{"remark", "remarks", "notes", "comment"}, Kinds: []Kind{Head, Right}},
}

// toldColumns are kept in the clear, and shown to everyone who may see the right.
var toldColumns = [...]int{colOrder, colNote}

// headers are all headers that are understood, as headerKey writes them.
var headers = func() map[string]int {
	known := map[string]int{}
	for i, c := range Columns {
		for _, h := range append([]string{c.Name, c.Header.TH, c.Header.EN}, c.Also...) {
			known[headerKey(h)] = i
		}
	}
	return known
}()

// headerKey is a header without what may differ: case, blanks, signs such as the * of a field that is needed.
func headerKey(header string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, thai.Fold(header))
}

// headerRows is how many rows a table may be below the top of its file: titles and dates of reports stand there.
const headerRows = 20

// layout says which cell of a row belongs to which column; -1 for a column that the file does not have.
type layout struct {
	at      [columnCount]int
	ignored []string // headers that were not understood
}

// layoutOf reads a row of headers. It answers false for a row that is none: headers have at least the columns that are
// required, or two columns that are understood while a required one is missing, which missing then names.
func layoutOf(row []cell) (l layout, missing []string, ok bool) {
	for i := range l.at {
		l.at[i] = -1
	}
	found := 0
	for i, c := range row {
		text, err := thai.CleanLine(c.text, 200)
		if text == "" || err != nil {
			continue
		}
		column, known := headers[headerKey(text)]
		if !known || l.at[column] >= 0 {
			l.ignored = append(l.ignored, thai.MaskCitizenIDs(text)) // told in the clear, and maybe no header at all
			continue
		}
		l.at[column] = i
		found++
	}
	for i, c := range Columns {
		if c.Required && l.at[i] < 0 {
			missing = append(missing, c.Name)
		}
	}
	return l, missing, found >= 2
}

// cells puts the cells of a row under their columns.
func (l layout) cells(row []cell) (cells [columnCount]cell) {
	for column, i := range l.at {
		if i >= 0 && i < len(row) {
			cells[column] = row[i]
		}
	}
	return cells
}

package grant

import "sitthi/internal/locale"

// Level is what a right lets its holder do with an application (ระดับ). Levels do not imply each other.
type Level int64

// The levels, by the numbers that the manual shows.
const (
	Consider Level = 1 // พิจารณา
	Review   Level = 2 // กลั่นกรอง
	Approve  Level = 3 // อนุมัติ
)

// LevelRow describes one level.
type LevelRow struct {
	Level Level
	// Code is the action in addresses and for other programs.
	Code string
	// Name is how officials call it, as a word within a sentence.
	Name locale.Name
}

// Levels holds every level in order. A new one is a row here.
var Levels = []LevelRow{
	{Consider, "consider", locale.Name{TH: "พิจารณา", EN: "consider"}},
	{Review, "review", locale.Name{TH: "กลั่นกรอง", EN: "review"}},
	{Approve, "approve", locale.Name{TH: "อนุมัติ", EN: "approve"}},
}

// LevelOf answers the row of a level by its code, such as "consider".
func LevelOf(code string) (LevelRow, bool) {
	for _, row := range Levels {
		if row.Code == code {
			return row, true
		}
	}
	return LevelRow{}, false
}

// Row answers the row of a level; for a number that is no level its fields are empty.
func (l Level) Row() LevelRow {
	for _, row := range Levels {
		if row.Level == l {
			return row
		}
	}
	return LevelRow{Level: l}
}

// Action is what someone wants to do: act at a level, or hold a post.
type Action uint8

// The actions. The first three equal the levels.
const (
	DoConsider Action = Action(Consider)
	DoReview   Action = Action(Review)
	DoApprove  Action = Action(Approve)
	// Administer is to give and end rights in a unit: the head's authority.
	Administer Action = 10
	// Centre is to act as central administrator (ผู้ดูแลระบบส่วนกลาง).
	Centre Action = 11
	// Audit is to read everything as auditor (ผู้ตรวจสอบ).
	Audit Action = 12
	// Assist is to work on cases of the help desk (เจ้าหน้าที่ช่วยเหลือ).
	Assist Action = 13
)

// actions holds every action in order.
var actions = [...]Action{DoConsider, DoReview, DoApprove, Administer, Centre, Audit, Assist}

// Do is the action of acting at a level.
func (l Level) Do() Action { return Action(l) }

// Place is where something is done: a unit, and within a division possibly one of its groups (กลุ่ม).
type Place struct {
	Unit string // code, such as TH-12
	Team string // code of the group, "" for the whole unit
}

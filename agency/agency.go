// Package agency keeps the offices that work with the department: provincial industry offices (สอจ.), divisions
// (กอง) with their groups (กลุ่ม), and the others at the centre.
package agency

import (
	"context"
	"strings"

	"sitthi/internal/locale"
	"sitthi/internal/store"
	"sitthi/internal/thai"
)

// The kinds of unit, in the order in which lists show them.
const (
	Department = "department" // กรม
	Division   = "division"   // กอง; the only kind with groups
	Office     = "office"     // สำนักงานเลขานุการกรม
	Centre     = "centre"     // ศูนย์
	Group      = "group"      // กลุ่ม directly under the department
	External   = "external"   // outside the department, such as กนอ.
	Province   = "province"   // สำนักงานอุตสาหกรรมจังหวัด (สอจ.)
)

// Kinds lists the kinds of unit in the order in which lists show them.
var Kinds = [...]string{Department, Division, Office, Centre, Group, External, Province}

// Codes with a meaning of their own.
const (
	// DIW is the department itself; the central roles are appointed there.
	DIW = "DIW"
	// IWM is the division that acts for Bangkok, which has no provincial office.
	IWM = "IWM"
)

// Unit is an office in which people work and rights are given.
type Unit struct {
	Code string // TH-12 for a provincial office (ISO 3166-2), a short word such as IWM for the others
	Kind string
	Name locale.Name // สำนักงานอุตสาหกรรมจังหวัดนนทบุรี
	// Short is what the grid shows under กอง/จังหวัด: นนทบุรี. At the centre it is the whole name.
	Short locale.Name
	// SortKey orders units: by kind as in Kinds, and within a kind as a Thai dictionary orders their short names.
	SortKey    string
	Mailbox    thai.Email // the office's own address, saraban@industry.go.th; "" for none
	Region     string     // of a province: N, NE, C, E, W or S, by the six-region scheme; else ""
	UsesReview bool       // level 2 (กลั่นกรอง) is in use here
	Considers  bool       // rights of กอ.1 can be given here
	Active     bool       // false once retired
	Version    int64      // goes up by one with every change
}

// HasTeams tells whether the unit may have groups: only a division may.
func (u Unit) HasTeams() bool { return u.Kind == Division }

// MayRetire tells whether the unit can ever be taken out of use: the department itself and the division that acts for
// Bangkok can not.
func (u Unit) MayRetire() bool { return u.Code != DIW && u.Code != IWM }

// Team is a group (กลุ่ม) within a division.
type Team struct {
	Unit    string
	Code    string // unique within its unit
	Name    locale.Name
	SortKey string
	Active  bool
	Version int64
}

// Units lists every unit, retired ones too, in the order of their sort keys.
func Units(ctx context.Context, tx *store.Tx) ([]Unit, error) { return selectUnits(ctx, tx) }

// Find returns the unit of a code, retired or not; problem.NotFound when there is none.
func Find(ctx context.Context, tx *store.Tx, code string) (Unit, error) {
	return selectUnit(ctx, tx, code)
}

// Teams lists the groups of a unit, retired ones too, in the order of their sort keys; none for an unknown unit.
func Teams(ctx context.Context, tx *store.Tx, unit string) ([]Team, error) {
	return selectTeams(ctx, tx, unit)
}

// AllTeams lists the groups of all units, ordered by unit and sort key.
func AllTeams(ctx context.Context, tx *store.Tx) ([]Team, error) { return selectTeams(ctx, tx, "") }

// FindTeam returns a group of a unit, retired or not; problem.NotFound when there is none.
func FindTeam(ctx context.Context, tx *store.Tx, unit, code string) (Team, error) {
	return selectTeam(ctx, tx, unit, code)
}

// Alias turns the other spellings of a unit's code into the one that is kept: P12 and 12 are TH-12; 97, under
// which some address lists file บึงกาฬ, is TH-38; Bangkok in every spelling (TH-10, DIW10) is IWM, which acts for
// it. Any other code comes back in capitals, known or not.
func Alias(code string) string {
	code = strings.ToUpper(strings.TrimSpace(code))
	if code == "DIW10" {
		return IWM
	}
	number := strings.TrimPrefix(strings.TrimPrefix(code, "TH-"), "P")
	if len(number) != 2 || strings.Trim(number, "0123456789") != "" || strings.HasPrefix(code, "TH-P") {
		return code
	}
	switch number {
	case "10":
		return IWM
	case "97":
		return "TH-38"
	}
	if strings.HasPrefix(code, "TH-") {
		return code // the form in which programs send them, and nothing new to make
	}
	return "TH-" + number
}

// sortKey orders a unit among all others; see Unit.SortKey.
func sortKey(kind string, short locale.Name) string {
	for i, k := range Kinds {
		if k == kind {
			return string(rune('0'+i)) + thai.SortKey(short.TH)
		}
	}
	return "9" + thai.SortKey(short.TH)
}

package agency

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/person"
)

// Regions lists the codes of the six regions in which provinces are shown, from north to south.
var Regions = [...]string{"N", "NE", "C", "E", "W", "S"}

// nameLength is the most characters that a name of a unit or group may have.
const nameLength = 120

var (
	unitCode     = regexp.MustCompile(`^[A-Z][A-Z0-9]{1,7}$`)
	provinceCode = regexp.MustCompile(`^TH-[0-9]{2}$`)
	teamCode     = regexp.MustCompile(`^[A-Z][A-Z0-9-]{0,11}$`)
)

// checkUnit brings what was typed for a new unit into the form that is kept, or says what is wrong with it.
func checkUnit(n NewUnit) (NewUnit, error) {
	var c problem.Check
	n.Code = strings.ToUpper(strings.TrimSpace(n.Code))
	if n.Kind == Province {
		n.Code = Alias(n.Code)
	}
	switch {
	case !slices.Contains(Kinds[:], n.Kind):
		c.Fail("kind", "agency.problem.kind")
	case n.Code == "":
		c.Fail("code", "agency.problem.code_empty")
	case n.Kind == Province && !provinceCode.MatchString(n.Code):
		c.Fail("code", "agency.problem.code_province")
	case n.Kind != Province && Alias(n.Code) != n.Code:
		c.Fail("code", "agency.problem.code_alias", "code", Alias(n.Code))
	case n.Kind != Province && !unitCode.MatchString(n.Code):
		c.Fail("code", "agency.problem.code_unit")
	}
	if n.Kind != Province {
		n.Region = ""
	} else if !slices.Contains(Regions[:], n.Region) {
		c.Fail("region", "agency.problem.region")
	}
	if n.UsesReview && !mayReview(n.Kind, n.Considers) {
		c.Fail("uses_review", "agency.problem.review_here")
	}
	n.Name = checkName(&c, "name", n.Name)
	n.Short = checkShort(&c, n.Short, n.Name)
	return n, c.Err()
}

// mayReview tells whether level 2 (กลั่นกรอง) may be switched on: in units that consider กอ.1, and never in a
// provincial office, where the chief approves what an officer considered.
func mayReview(kind string, considers bool) bool { return considers && kind != Province }

// checkName brings a name into the form that is kept: the Thai one is needed, the English one is not. Faults go to
// the fields "<field>_th" and "<field>_en".
func checkName(c *problem.Check, field string, n locale.Name) locale.Name {
	var err error
	if n.TH, err = thai.CleanLine(n.TH, nameLength); err != nil {
		c.Fail(field+"_th", "agency.problem.name_long", "most", nameLength)
	}
	if n.TH == "" {
		c.Fail(field+"_th", "agency.problem.name_empty")
	}
	if n.EN, err = thai.CleanLine(n.EN, nameLength); err != nil {
		c.Fail(field+"_en", "agency.problem.name_long", "most", nameLength)
	}
	person.CheckText(c, field+"_th", n.TH)
	person.CheckText(c, field+"_en", n.EN)
	return n
}

// checkShort does the same for a short name, for which the whole name stands in where nothing was typed.
func checkShort(c *problem.Check, short, name locale.Name) locale.Name {
	if strings.TrimSpace(short.TH) == "" {
		short.TH = name.TH
	}
	if strings.TrimSpace(short.EN) == "" {
		short.EN = name.EN
	}
	return checkName(c, "short", short)
}

// checkMailbox reads the address of an office as typed; nothing typed is none.
func checkMailbox(typed string) (thai.Email, error) {
	mailbox, err := thai.ParseEmail(typed)
	if err == nil || errors.Is(err, thai.ErrEmpty) {
		return mailbox, nil
	}
	var c problem.Check
	c.Fail("mailbox", "agency.problem.mailbox")
	return "", c.Err()
}

// checkTeamCode brings a code typed for a new group into the form that is kept; "" asks for one to be made.
func checkTeamCode(c *problem.Check, code string) string {
	code = strings.ToUpper(strings.TrimSpace(code))
	if code != "" && !teamCode.MatchString(code) {
		c.Fail("code", "agency.problem.code_team")
	}
	return code
}

// nextTeamCode makes a code for a new group: G1, or the first after it that no group of the unit ever had.
func nextTeamCode(teams []Team) string {
	for n := 1; ; n++ {
		code := "G" + strconv.Itoa(n)
		if !slices.ContainsFunc(teams, func(t Team) bool { return t.Code == code }) {
			return code
		}
	}
}

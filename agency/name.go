package agency

import (
	"strings"
	"unicode"

	"sitthi/internal/thai"
)

// Names finds the unit that somebody means by the way he wrote it: by code and its aliases (TH-12, P12, 12), or by
// name in Thai or English, with or without what offices put before it (สอจ.นนทบุรี, สำนักงานอุตสาหกรรมจังหวัดนนทบุรี,
// จังหวัดนนทบุรี, Nonthaburi).
type Names struct {
	codes map[string]bool
	names map[string]string // folded name → code; "" when two units share it
}

// alsoCalled are names of provinces in daily use that no list of units has.
var alsoCalled = map[string]string{
	"กรุงเทพมหานคร": IWM, "กรุงเทพ": IWM, "กทม": IWM, "bangkok": IWM,
	"อยุธยา": "TH-14", "ayutthaya": "TH-14", "โคราช": "TH-30", "แปดริ้ว": "TH-24",
}

// NewNames learns the names of the units given. A retired unit is found unless one in use is called the same.
func NewNames(units []Unit) Names {
	n := Names{codes: make(map[string]bool, len(units)), names: make(map[string]string, 4*len(units))}
	retired := map[string]bool{}
	learn := func(name, code string, active bool) {
		key := nameKey(name)
		other, known := n.names[key]
		switch {
		case key == "" || known && other == code:
		case !known || active && retired[key]:
			n.names[key], retired[key] = code, !active
		case active == !retired[key]:
			n.names[key] = ""
		}
	}
	for _, u := range units {
		n.codes[u.Code] = true
		for _, name := range []string{u.Name.TH, u.Name.EN, u.Short.TH, u.Short.EN} {
			learn(name, u.Code, u.Active)
		}
	}
	for name, code := range alsoCalled {
		if _, known := n.names[nameKey(name)]; !known && n.codes[code] {
			n.names[nameKey(name)] = code
		}
	}
	return n
}

// Code answers the code of the unit that is meant; false when no unit, or more than one, is called so.
func (n Names) Code(text string) (string, bool) {
	folded := thai.Fold(text)
	if code := Alias(folded); n.codes[code] {
		return code, true
	}
	code := n.names[nameKey(folded)]
	return code, code != ""
}

// before and after are what offices write around the name of a province.
var (
	before = []string{"สำนักงานอุตสาหกรรมจังหวัด", "สนงอุตสาหกรรมจังหวัด", "สำนักงานอุตสาหกรรม", "อุตสาหกรรมจังหวัด", "สอจ", "จังหวัด", "จ"}
	after  = []string{"provincialindustryoffice", "provinceindustryoffice", "province"}
)

// nameKey is a name without what may differ from one writer to the next: case, blanks, signs, and what stands around
// the name of a province.
func nameKey(name string) string {
	folded := thai.Fold(name)
	key := bare(folded)
	for _, p := range before {
		// The bare จ is also a letter that names begin with, so it counts with its dot only.
		if rest, ok := strings.CutPrefix(key, p); ok && rest != "" && (p != "จ" || strings.HasPrefix(folded, "จ.")) {
			key = rest
			break
		}
	}
	for _, p := range after {
		if rest, ok := strings.CutSuffix(key, p); ok && rest != "" {
			return rest
		}
	}
	return key
}

// bare leaves the letters, marks and digits of a folded text.
func bare(folded string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, folded)
}

// TeamNames finds the group that is meant within a unit: by code, or by name with or without the word กลุ่ม.
type TeamNames struct {
	names map[string]string // unit, a line break, and folded code or name → code
}

// NewTeamNames learns the groups given, of all units.
func NewTeamNames(teams []Team) TeamNames {
	n := TeamNames{names: make(map[string]string, 3*len(teams))}
	learn := func(t Team, name string) {
		key := t.Unit + "\n" + teamKey(name)
		if other, known := n.names[key]; known && other != t.Code {
			n.names[key] = ""
			return
		}
		n.names[key] = t.Code
	}
	for _, t := range teams {
		learn(t, t.Name.TH)
		if t.Name.EN != "" {
			learn(t, t.Name.EN)
		}
	}
	for _, t := range teams { // a code means its own group, whatever another is called
		n.names[t.Unit+"\n"+teamKey(t.Code)] = t.Code
	}
	return n
}

// Code answers the code of the group that is meant; false when no group of the unit, or more than one, is called so.
func (n TeamNames) Code(unit, text string) (string, bool) {
	code := n.names[unit+"\n"+teamKey(text)]
	return code, code != ""
}

func teamKey(name string) string {
	key := bare(thai.Fold(name))
	if rest := strings.TrimPrefix(key, "กลุ่ม"); rest != "" {
		key = rest
	}
	return strings.TrimPrefix(key, "group")
}

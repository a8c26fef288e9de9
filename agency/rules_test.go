package agency

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
)

func TestAlias(t *testing.T) {
	for in, want := range map[string]string{
		"P12": "TH-12", "p12": "TH-12", "12": "TH-12", " TH-12 ": "TH-12", "th-12": "TH-12",
		"97": "TH-38", "P97": "TH-38", "TH-97": "TH-38", "38": "TH-38",
		"TH-10": "IWM", "P10": "IWM", "10": "IWM", "DIW10": "IWM", "IWM": "IWM", "iwm": "IWM",
		"DIW": "DIW", "FPD1": "FPD1", "": "", "TH-123": "TH-123", "P1": "P1",
	} {
		if got := Alias(in); got != want {
			t.Errorf("Alias(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCheckUnit(t *testing.T) {
	name := locale.Name{TH: "กองทดสอบ", EN: "Test Division"}
	for _, c := range []struct {
		what string
		in   NewUnit
		code string
		want []string // field=key
	}{
		{what: "a division", in: NewUnit{Code: " tst ", Kind: Division, Name: name}, code: "TST"},
		{what: "a province by another spelling", in: NewUnit{Code: "p39", Kind: Province, Region: "NE", Name: name}, code: "TH-39"},
		{what: "a region outside provinces is dropped", in: NewUnit{Code: "TST", Kind: Office, Region: "N", Name: name}, code: "TST"},
		{what: "nothing", in: NewUnit{}, want: []string{"kind=agency.problem.kind", "name_th=agency.problem.name_empty", "short_th=agency.problem.name_empty"}},
		{what: "no code", in: NewUnit{Kind: Division, Name: name}, want: []string{"code=agency.problem.code_empty"}},
		{what: "a code with blanks", in: NewUnit{Code: "A B", Kind: Division, Name: name}, want: []string{"code=agency.problem.code_unit"}},
		{what: "a Thai code", in: NewUnit{Code: "กกก", Kind: Division, Name: name}, want: []string{"code=agency.problem.code_unit"}},
		{what: "a division under the code of a province", in: NewUnit{Code: "P12", Kind: Division, Name: name}, want: []string{"code=agency.problem.code_alias"}},
		{what: "a division under the alias of Bangkok", in: NewUnit{Code: "DIW10", Kind: Division, Name: name}, want: []string{"code=agency.problem.code_alias"}},
		{what: "Bangkok as a province", in: NewUnit{Code: "TH-10", Kind: Province, Region: "C", Name: name}, want: []string{"code=agency.problem.code_province"}},
		{what: "a province without region", in: NewUnit{Code: "TH-39", Kind: Province, Name: name}, want: []string{"region=agency.problem.region"}},
		{what: "level 2 in a province", in: NewUnit{Code: "TH-39", Kind: Province, Region: "N", Name: name, Considers: true, UsesReview: true}, want: []string{"uses_review=agency.problem.review_here"}},
		{what: "level 2 where nothing is considered", in: NewUnit{Code: "TST", Kind: Division, Name: name, UsesReview: true}, want: []string{"uses_review=agency.problem.review_here"}},
		{what: "a citizen ID in a name", in: NewUnit{Code: "TST", Kind: Division, Name: locale.Name{TH: "กอง 3990000000104"}, Short: name}, want: []string{"name_th=problem.holds_citizen"}},
		{what: "a name too long", in: NewUnit{Code: "TST", Kind: Division, Name: locale.Name{TH: strings.Repeat("ก", 121)}, Short: name}, want: []string{"name_th=agency.problem.name_long"}},
	} {
		got, err := checkUnit(c.in)
		if faults := faults(err); !slices.Equal(faults, c.want) {
			t.Errorf("%s: faults %v, want %v", c.what, faults, c.want)
		}
		if c.code != "" && (got.Code != c.code || got.Short != got.Name || got.Kind != Province && got.Region != "") {
			t.Errorf("%s: kept %+v", c.what, got)
		}
	}
}

func TestTeamCodes(t *testing.T) {
	for in, want := range map[string]string{"": "", " g1 ": "G1", "HAZ-2": "HAZ-2"} {
		var c problem.Check
		if got := checkTeamCode(&c, in); got != want || c.Failed() {
			t.Errorf("checkTeamCode(%q) = %q, failed %v", in, got, c.Failed())
		}
	}
	for _, in := range []string{"1", "กลุ่ม", "A B", "ABCDEFGHIJKLM", "-A"} {
		var c problem.Check
		if checkTeamCode(&c, in); !c.Failed("code") {
			t.Errorf("checkTeamCode(%q) was taken", in)
		}
	}
	if got := nextTeamCode([]Team{{Code: "G1"}, {Code: "HAZ"}, {Code: "G3"}}); got != "G2" {
		t.Errorf("nextTeamCode = %s, want the first free one, G2", got)
	}
}

func TestSortKeyPutsTheCentreFirstAndProvincesInThaiOrder(t *testing.T) {
	units, err := reference()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(units, func(a, b Unit) int { return strings.Compare(a.SortKey, b.SortKey) })
	var names []string
	for _, u := range units {
		if u.Kind == Province {
			names = append(names, u.Short.TH)
		}
	}
	if units[0].Code != DIW || units[14].Code != "IEAT" || len(names) != 76 {
		t.Fatalf("the list starts with %s, the 15th is %s, and there are %d provinces", units[0].Code, units[14].Code, len(names))
	}
	// เ แ โ ไ count after the consonant they are written before.
	for _, pair := range [][2]string{{"กระบี่", "กาญจนบุรี"}, {"ชุมพร", "เชียงราย"}, {"เชียงราย", "เชียงใหม่"}, {"เชียงใหม่", "ตรัง"}, {"แพร่", "ภูเก็ต"}, {"แม่ฮ่องสอน", "ยโสธร"}, {"เลย", "ศรีสะเกษ"}} {
		if slices.Index(names, pair[0])+1 > slices.Index(names, pair[1]) {
			t.Errorf("%s stands after %s", pair[0], pair[1])
		}
	}
}

// faults lists the faulty fields of a problem.Invalid as field=key.
func faults(err error) []string {
	var p *problem.Problem
	if !errors.As(err, &p) {
		return nil
	}
	var list []string
	for _, f := range p.Fields {
		list = append(list, f.Name+"="+f.Key)
	}
	return list
}

package locale

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]Lang{
		"th": TH, "en": EN, "EN": EN, " en-GB ": EN, "th-TH": TH,
		"": TH, "de": TH, "english": TH, "en_US": TH,
	} {
		if got := Parse(in); got != want {
			t.Errorf("%q = %q, want %q", in, got, want)
		}
	}
}

func TestName(t *testing.T) {
	name := Name{TH: "นนทบุรี", EN: "Nonthaburi"}
	for lang, want := range map[Lang]string{TH: "นนทบุรี", EN: "Nonthaburi", "": "นนทบุรี"} {
		if got := name.In(lang); got != want {
			t.Errorf("in %q = %q, want %q", lang, got, want)
		}
	}
	if got := (Name{TH: "กลุ่ม ก"}).In(EN); got != "กลุ่ม ก" {
		t.Errorf("without an English name = %q", got)
	}
}

// files is a folder "locales" with the given contents.
func files(contents map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, data := range contents {
		fsys["locales/"+name] = &fstest.MapFile{Data: []byte(data)}
	}
	return fsys
}

func load(t *testing.T, contents map[string]string) *Catalog {
	t.Helper()
	c, err := Load(files(contents), "locales")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// tagged is a value that knows its languages by tag, as a date does.
type tagged string

func (v tagged) InLanguage(tag string) string { return tag + ":" + string(v) }

var sample = map[string]string{
	"th.json":        `{"save": "บันทึก", "grant.given": "ให้สิทธิ์ {who} ที่{unit} ถึง {until}"}`,
	"en.json":        `{"save": "Save", "grant.given": "{who} has the right in {unit} until {until}"}`,
	"th/rights.json": `{"rows": "{n} รายการ", "twice": "{a}{a}{b}"}`,
	"en/rights.json": `{"rows": "{n} rows", "rows.one": "One row", "twice": "{b}{a}"}`,
	"th/empty.json":  `{}`,
	"notes.txt":      `not a text`,
}

func TestText(t *testing.T) {
	c := load(t, sample)
	c.Missing = func(lang Lang, key, arg string) { t.Errorf("missing %s %s %s", lang, key, arg) }
	given := Args{"who": "สมชาย", "unit": Name{TH: "นนทบุรี", EN: "Nonthaburi"}, "until": tagged("D"), "unused": 1}
	tests := []struct {
		lang Lang
		key  string
		args Args
		want string
	}{
		{TH, "save", nil, "บันทึก"},
		{EN, "save", nil, "Save"},
		{"", "save", nil, "บันทึก"},
		{TH, "grant.given", given, "ให้สิทธิ์ สมชาย ที่นนทบุรี ถึง th:D"},
		{EN, "grant.given", given, "สมชาย has the right in Nonthaburi until en:D"},
		{"", "grant.given", given, "ให้สิทธิ์ สมชาย ที่นนทบุรี ถึง th:D"},
		{TH, "rows", Args{"n": 1}, "1 รายการ"},
		{EN, "rows", Args{"n": 1}, "One row"},
		{EN, "rows", Args{"n": int64(1)}, "One row"},
		{EN, "rows", Args{"n": 0}, "0 rows"},
		{EN, "rows", Args{"n": int64(2569)}, "2569 rows"},
		{EN, "rows", Args{"n": "1"}, "1 rows"},
		{EN, "rows.one", nil, "One row"},
		{TH, "twice", Args{"a": "{b}", "b": "x"}, "{b}{b}x"},
	}
	for _, tt := range tests {
		if got := c.Text(tt.lang, tt.key, tt.args); got != tt.want {
			t.Errorf("%s %s %v = %q, want %q", tt.lang, tt.key, tt.args, got, tt.want)
		}
	}
}

func TestTextTellsWhatIsMissing(t *testing.T) {
	c := load(t, sample)
	if got := c.Text(TH, "nope", nil); got != "⟦nope⟧" {
		t.Errorf("without a hook = %q", got)
	}
	var told []string
	c.Missing = func(lang Lang, key, arg string) { told = append(told, string(lang)+" "+key+" "+arg) }
	for _, tt := range []struct {
		key, want string
		args      Args
	}{
		{"nope", "⟦nope⟧", nil},
		{"rows", "⟦n⟧ rows", nil},
		{"rows", "⟦n⟧ rows", Args{"n": 1.5}},
		{"rows", "⟦n⟧ rows", Args{"n": time.Unix(0, 0)}},
	} {
		if got := c.Text(EN, tt.key, tt.args); got != tt.want {
			t.Errorf("%s %v = %q, want %q", tt.key, tt.args, got, tt.want)
		}
	}
	if want := []string{"en nope ", "en rows n", "en rows n", "en rows n"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestKeys(t *testing.T) {
	c := load(t, sample)
	if got, want := c.Keys(), []string{"grant.given", "rows", "save", "twice"}; !slices.Equal(got, want) {
		t.Errorf("keys = %q, want %q", got, want)
	}
	if !c.Has("save") || c.Has("rows.one") || c.Has("nope") {
		t.Error("Has does not agree with Keys")
	}
}

func TestTextWithoutArgumentsDoesNotAllocate(t *testing.T) {
	c := load(t, sample)
	if n := testing.AllocsPerRun(100, func() { c.Text(EN, "save", nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct {
		name     string
		contents map[string]string
		want     []string // parts of the error, each of which must be there
	}{
		{"no files", nil, []string{"no th texts", "no en texts"}},
		{"one language", map[string]string{"th.json": `{"a": "ก"}`}, []string{"no en texts"}},
		{"all differences at once", map[string]string{
			"th.json": `{"a": "ก", "b": "ข {x}", "th": "ค"}`,
			"en.json": `{"a": "A {y}", "b": "B {x}", "en": "C"}`,
		}, []string{`"a": Thai uses [], English [y]`, `"th" is in Thai, not in English`, `"en" is in English, not in Thai`}},
		{"key in two files", map[string]string{
			"th.json": `{"a": "ก"}`, "th/x.json": `{"a": "ก"}`, "en.json": `{"a": "A"}`,
		}, []string{"th.json", "locales/th/x.json", `"a" is already in`}},
		{"key twice in a file", map[string]string{
			"th.json": `{"a": "ก", "a": "ข"}`, "en.json": `{"a": "A"}`,
		}, []string{`"a" is already in locales/th.json`}},
		{"empty text", map[string]string{"th.json": `{"a": " "}`, "en.json": `{"a": "A"}`}, []string{"empty text"}},
		{"nested", map[string]string{"th.json": `{"a": {"b": "ก"}}`, "en.json": `{"a": "A"}`}, []string{"must be flat"}},
		{"number", map[string]string{"th.json": `{"a": 1}`, "en.json": `{"a": "A"}`}, []string{"must be flat"}},
		{"list", map[string]string{"th.json": `["a"]`, "en.json": `{"a": "A"}`}, []string{"not a JSON object"}},
		{"cut off", map[string]string{"th.json": `{"a": "ก"`, "en.json": `{"a": "A"}`}, []string{"locales/th.json"}},
		{"trailing", map[string]string{"th.json": `{"a": "ก"}{}`, "en.json": `{"a": "A"}`}, []string{"something follows"}},
		{"open brace", map[string]string{"th.json": `{"a": "{x"}`, "en.json": `{"a": "A"}`}, []string{"brace without"}},
		{"closing brace", map[string]string{"th.json": `{"a": "x}"}`, "en.json": `{"a": "A"}`}, []string{"brace without"}},
		{"blank argument", map[string]string{"th.json": `{"a": "{ x }"}`, "en.json": `{"a": "A"}`}, []string{"brace without"}},
		{"no argument", map[string]string{"th.json": `{"a": "{}"}`, "en.json": `{"a": "A"}`}, []string{"brace without"}},
		{"Thai singular", map[string]string{
			"th.json": `{"a": "{n}", "a.one": "1"}`, "en.json": `{"a": "{n}", "a.one": "1"}`,
		}, []string{"no plural"}},
		{"Thai singular alone", map[string]string{
			"th.json": `{"a": "{n}", "a.one": "1"}`, "en.json": `{"a": "{n}"}`,
		}, []string{`"a.one" is in Thai, not in English`}},
		{"singular of what counts nothing", map[string]string{
			"th.json": `{"a": "ก"}`, "en.json": `{"a": "A", "a.one": "1"}`,
		}, []string{`"a.one" is in English, not in Thai`}},
		{"singular with another argument", map[string]string{
			"th.json": `{"a": "{n}"}`, "en.json": `{"a": "{n}", "a.one": "{who}"}`,
		}, []string{"{who}"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(files(tt.contents), "locales")
			if err == nil || c != nil {
				t.Fatal("loaded")
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error lacks %q:\n%v", part, err)
				}
			}
		})
	}
}

package thai

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCitizenIDVectors(t *testing.T) {
	f, err := os.Open("testdata/test_vectors.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	tested := 0
	for _, row := range rows[1:] {
		kind, value, valid := row[0], row[1], row[2] == "1"
		var err error
		switch kind {
		case "citizen_id":
			_, err = ParseCitizenID(value)
		case "juristic_id":
			_, err = ParseJuristicID(value)
		default:
			continue
		}
		tested++
		if valid && err != nil || !valid && !errors.Is(err, ErrCheckDigit) {
			t.Errorf("%s %s: %v", kind, value, err)
		}
	}
	if tested < 9 {
		t.Errorf("only %d vectors tested", tested)
	}
}

func TestParseCitizenID(t *testing.T) {
	const digits = "3990000000104"
	tests := []struct {
		name, in, want string
		err            error
	}{
		{"canonical", digits, digits, nil},
		{"as on the card", "3-9900-00000-10-4", digits, nil},
		{"spaces and tabs", " 3 9900 00000\t10 4\n", digits, nil},
		{"Thai digits", "๓๙๙๐๐๐๐๐๐๐๑๐๔", digits, nil},
		{"full-width digits", "\uff13\uff19\uff19\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff11\uff10\uff14", digits, nil},
		{"no-break spaces", "3\u00a09900\u202f00000\u00a010\u00a04", digits, nil},
		{"dashes of all kinds", "3\u20109900\u201100000\u2012\u20131\u20140\u2212\uff0d\ufe63\u2043\u02d74", digits, nil},
		{"zero-width characters", "\ufeff3\u200b9900\u200c00000\u200d1\u20600\u00ad4\u200e\u202c", digits, nil},
		{"empty", "", "", ErrEmpty},
		{"only dashes", " - -\u200b", "", ErrEmpty},
		{"twelve", "399000000010", "", ErrLength},
		{"fourteen", "39900000001044", "", ErrLength},
		{"letter", "399000000010A", "", ErrCharacters},
		{"dot", "3.9900.00000.10.4", "", ErrCharacters},
		{"Arabic-Indic digits", "\u0663990000000104", "", ErrCharacters},
		{"broken UTF-8", "3990000000104\xff", "", ErrCharacters},
		{"juristic", "0995000000015", "", ErrJuristic},
		{"check digit", "3990000000105", "3990000000105", ErrCheckDigit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, err := ParseCitizenID(tt.in)
			if !errors.Is(err, tt.err) {
				t.Fatalf("err = %v, want %v", err, tt.err)
			}
			if id.Digits() != tt.want || id.IsZero() != (tt.want == "") {
				t.Errorf("digits = %q, want %q", id.Digits(), tt.want)
			}
		})
	}
}

func TestParseJuristicID(t *testing.T) {
	tests := []struct {
		in   string
		want JuristicID
		err  error
	}{
		{"0-9950-00000-01-5", "0995000000015", nil},
		{"๐๙๙๕๐๐๐๐๐๐๐๑๕", "0995000000015", nil},
		{"0995000000016", "0995000000016", ErrCheckDigit},
		{"3990000000104", "", ErrNotJuristic},
		{"", "", ErrEmpty},
		{"099500000001", "", ErrLength},
		{"๐x", "", ErrCharacters},
	}
	for _, tt := range tests {
		id, err := ParseJuristicID(tt.in)
		if id != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%q = %q, %v; want %q, %v", tt.in, id, err, tt.want, tt.err)
		}
	}
	if got := JuristicID("0995000000015").Dashed(); got != "0-9950-00000-01-5" {
		t.Errorf("Dashed = %q", got)
	}
}

func mustCitizenID(t testing.TB, s string) CitizenID {
	t.Helper()
	id, err := ParseCitizenID(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return id
}

func TestCitizenIDForms(t *testing.T) {
	id := mustCitizenID(t, "1990000000019")
	if got := id.Dashed(); got != "1-9900-00000-01-9" {
		t.Errorf("Dashed = %q", got)
	}
	if got := id.Mask(); got != "1-9900-XXXXX-XX-9" {
		t.Errorf("Mask = %q", got)
	}
	if id != mustCitizenID(t, "๑-๙๙๐๐-๐๐๐๐๐-๐๑-๙") {
		t.Error("two ways to write one ID do not compare equal")
	}
	var none CitizenID
	if got := none.Digits() + none.Dashed() + none.Mask() + fmt.Sprint(none); got != "" {
		t.Errorf("the zero ID prints %q", got)
	}
}

// TestCitizenIDNeverPrintsWhole prints an ID in every way a careless line might,
// from within a struct, a map and a pointer too.
func TestCitizenIDNeverPrintsWhole(t *testing.T) {
	id := mustCitizenID(t, "3990000000104")
	type record struct {
		Public  CitizenID
		private CitizenID
	}
	values := []any{
		id, &id, record{id, id}, &record{id, id}, []CitizenID{id},
		map[CitizenID]record{id: {private: id}}, fmt.Errorf("find %v: %w", id, os.ErrNotExist),
	}
	const serial = "00000010" // what the mask hides
	hexSerial := fmt.Sprintf("%x", serial)
	check := func(how, out string) {
		t.Helper()
		plain := strings.NewReplacer("-", "", " ", "").Replace(out)
		if strings.Contains(plain, serial) || strings.Contains(strings.ToLower(plain), hexSerial) {
			t.Errorf("%s prints %s", how, out)
		}
	}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%20s"} {
			check(fmt.Sprintf("%s of %T", verb, v), fmt.Sprintf(verb, v))
		}
		for _, handler := range []func(*bytes.Buffer) slog.Handler{
			func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			var b bytes.Buffer
			slog.New(handler(&b)).Info("m", "id", v)
			_, logged, _ := strings.Cut(b.String(), "id") // the time of the line may look like anything
			check(fmt.Sprintf("slog of %T", v), logged)
		}
		if out, err := json.Marshal(v); err == nil {
			check(fmt.Sprintf("json of %T", v), string(out))
		}
	}
	if got := fmt.Sprintf("%v %#v", id, id); got != "3-9900-XXXXX-XX-4 3-9900-XXXXX-XX-4" {
		t.Errorf("fmt prints %q", got)
	}
}

// TestCheckDigitProperty: of the ten last digits exactly one is right for any
// first twelve, and separators or another script do not change the number.
func TestCheckDigitProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.StringMatching(`[1-8][0-9]{11}`).Draw(t, "first")
		var right []string
		for d := range 10 {
			if s := fmt.Sprintf("%s%d", first, d); ValidCheckDigit(s) {
				right = append(right, s)
			}
		}
		if len(right) != 1 {
			t.Fatalf("valid: %v", right)
		}
		noise := rapid.SampledFrom([]string{"", "", " ", "-", "\u2013", "\u00a0", "\u200b"})
		var typed strings.Builder
		for _, r := range right[0] {
			zero := rapid.SampledFrom([]rune{'0', '๐', '\uff10'}).Draw(t, "script")
			typed.WriteString(noise.Draw(t, "noise"))
			typed.WriteRune(r - '0' + zero)
		}
		id, err := ParseCitizenID(typed.String())
		if err != nil || id.Digits() != right[0] {
			t.Fatalf("%q = %q, %v", typed.String(), id.Digits(), err)
		}
	})
}

func TestValidCheckDigitRefusesOtherForms(t *testing.T) {
	for _, s := range []string{"", "399000000010", "3-9900-00000-10-4", "๓๙๙๐", "399000000010x", "x990000000104"} {
		if ValidCheckDigit(s) {
			t.Errorf("%q is valid", s)
		}
	}
}

func FuzzCitizenID(f *testing.F) {
	for _, s := range []string{"3990000000104", "๓-๙๙๐๐-๐๐๐๐๐-๑๐-๔", "0995000000015", "12", "\u200b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseCitizenID(s)
		if id.IsZero() != (err != nil && !errors.Is(err, ErrCheckDigit)) {
			t.Fatalf("%q = %q, %v", s, id.Digits(), err)
		}
		if id.IsZero() {
			return
		}
		if ValidCheckDigit(id.Digits()) != (err == nil) {
			t.Errorf("%q: err = %v", s, err)
		}
		for _, form := range []string{id.Digits(), id.Dashed()} {
			again, againErr := ParseCitizenID(form)
			if again != id || !errors.Is(againErr, err) {
				t.Errorf("%q reads back as %q, %v", form, again.Digits(), againErr)
			}
		}
	})
}

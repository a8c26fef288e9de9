package thai

import (
	"errors"
	"strings"
	"testing"
)

func TestParseMobile(t *testing.T) {
	const want = Mobile("+66812345678")
	tests := []struct {
		name, in string
		want     Mobile
		err      error
	}{
		{"ten digits", "0812345678", want, nil},
		{"dashes", "081-234-5678", want, nil},
		{"en dashes and spaces", " 081 – 234 – 5678 ", want, nil},
		{"dots", "081.234.5678", want, nil},
		{"Thai digits", "๐๘๑-๒๓๔-๕๖๗๘", want, nil},
		{"international", "+66 81 234 5678", want, nil},
		{"international with the 0", "+66 (0)81-234-5678", want, nil},
		{"full-width plus", "\uff0b66812345678", want, nil},
		{"country code without plus", "66812345678", want, nil},
		{"zero-width", "\u200b081\u200b2345678\u202c", want, nil},
		{"06", "0612345678", "+66612345678", nil},
		{"09", "0912345678", "+66912345678", nil},
		{"empty", "", "", ErrEmpty},
		{"only dashes", "---", "", ErrEmpty},
		{"letters", "081-CALL-NOW", "", ErrCharacters},
		{"extension", "0812345678 ต่อ 5", "", ErrCharacters},
		{"two numbers", "0812345678, 0891234567", "", ErrCharacters},
		{"fixed line", "02-430-6976", "", ErrMobile},
		{"nine digits", "081234567", "", ErrMobile},
		{"eleven digits", "08123456789", "", ErrMobile},
		{"no leading 0", "12345", "", ErrMobile},
		{"emergency", "191", "", ErrMobile},
		{"toll-free", "1800-123-456", "", ErrMobile},
		{"another country", "+65 8123 4567", "", ErrMobile},
		{"plus alone", "+", "", ErrMobile},
		{"plus in the middle", "081+2345678", "", ErrMobile},
		{"endless", strings.Repeat("0", 1000), "", ErrMobile},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseMobile(tt.in)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("= %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestMobileForms(t *testing.T) {
	m := Mobile("+66812345678")
	if got := m.National(); got != "081-234-5678" {
		t.Errorf("National = %q", got)
	}
	if got := m.Mask(); got != "08X-XXX-5678" {
		t.Errorf("Mask = %q", got)
	}
	if got := m.LogValue().String(); got != m.Mask() {
		t.Errorf("LogValue = %q", got)
	}
	if none := Mobile(""); none.National() != "" || none.Mask() != "" {
		t.Errorf("the zero Mobile is %q, %q", none.National(), none.Mask())
	}
}

func FuzzMobile(f *testing.F) {
	for _, s := range []string{"0812345678", "+66 (0)81-234-5678", "๐๘๑ ๒๓๔ ๕๖๗๘", "+", "02-430-6976"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMobile(s)
		if (m == "") != (err != nil) {
			t.Fatalf("%q = %q, %v", s, m, err)
		}
		if err != nil {
			return
		}
		if len(m) != len("+66812345678") || !strings.HasPrefix(string(m), "+66") {
			t.Errorf("%q = %q", s, m)
		}
		for _, form := range []string{string(m), m.National()} {
			if again, err := ParseMobile(form); again != m || err != nil {
				t.Errorf("%q reads back as %q, %v", form, again, err)
			}
		}
	})
}

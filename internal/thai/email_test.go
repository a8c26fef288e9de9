package thai

import (
	"errors"
	"strings"
	"testing"
)

func TestParseEmail(t *testing.T) {
	long := strings.Repeat("a", 64)
	tests := []struct {
		name, in string
		want     Email
		err      error
	}{
		{"plain", "somchai@diw.mail.go.th", "somchai@diw.mail.go.th", nil},
		{"case", "SomChai.J@DIW.Mail.GO.TH", "somchai.j@diw.mail.go.th", nil},
		{"blanks around", " \u00a0somchai@example.com\t\n", "somchai@example.com", nil},
		{"zero-width", "\ufeffsomchai\u200b@example.com", "somchai@example.com", nil},
		{"plus and quote", "o'brien+diw@example.com", "o'brien+diw@example.com", nil},
		{"Thai domain", "somchai@คน.ไทย", "somchai@xn--42c6b.xn--o3cw4h", nil},
		{"its ASCII form", "somchai@XN--42C6B.xn--o3cw4h", "somchai@xn--42c6b.xn--o3cw4h", nil},
		{"longest name", long + "@example.com", Email(long + "@example.com"), nil},
		{"empty", " \u200b", "", ErrEmpty},
		{"no @", "somchai.example.com", "", ErrEmail},
		{"two @", "a@b@example.com", "", ErrEmail},
		{"no name", "@example.com", "", ErrEmail},
		{"no domain", "somchai@", "", ErrEmail},
		{"bare host", "somchai@localhost", "", ErrEmail},
		{"IP address", "somchai@127.0.0.1", "", ErrEmail},
		{"IP literal", "somchai@[127.0.0.1]", "", ErrEmail},
		{"trailing dot", "somchai@example.com.", "", ErrEmail},
		{"empty label", "somchai@example..com", "", ErrEmail},
		{"underscore in domain", "somchai@ex_ample.com", "", ErrEmail},
		{"hyphen at the edge", "somchai@-example.com", "", ErrEmail},
		{"dots in the name", "som..chai@example.com", "", ErrEmail},
		{"dot first", ".somchai@example.com", "", ErrEmail},
		{"dot last", "somchai.@example.com", "", ErrEmail},
		{"display name", "สมชาย <somchai@example.com>", "", ErrEmail},
		{"list", "a@example.com, b@example.com", "", ErrEmail},
		{"blank inside", "som chai@example.com", "", ErrEmail},
		{"quoted", `"som chai"@example.com`, "", ErrEmail},
		{"header injection", "a@example.com\r\nBcc: b@example.com", "", ErrEmail},
		{"control character", "som\x00chai@example.com", "", ErrEmail},
		{"Thai name", "สมชาย@example.com", "", ErrEmail},
		{"name too long", long + "a@example.com", "", ErrEmail},
		{"label too long", "a@" + long + ".com", "", ErrEmail},
		{"too long", long + "@" + strings.Repeat("a23456789.", 19) + "com", "", ErrEmail},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseEmail(tt.in)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("= %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestEmailMask(t *testing.T) {
	for in, want := range map[Email]string{
		"somchai@example.go.th": "s•••@example.go.th",
		"s@example.go.th":       "•••@example.go.th",
		"":                      "",
	} {
		if got := in.Mask(); got != want {
			t.Errorf("%q = %q, want %q", in, got, want)
		}
		if got := in.LogValue().String(); got != want {
			t.Errorf("LogValue of %q = %q", in, got)
		}
	}
}

func FuzzEmail(f *testing.F) {
	for _, s := range []string{"Somchai@DIW.go.th", "a@คน.ไทย", "a@b@c", "a@xn--o3cw4h", "a@\u00df.de", "a@b\u3002c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseEmail(s)
		if (e == "") != (err != nil) {
			t.Fatalf("%q = %q, %v", s, e, err)
		}
		if err != nil {
			return
		}
		for _, r := range e {
			if r <= ' ' || r > '~' || r >= 'A' && r <= 'Z' || strings.ContainsRune(`<>,;:"()[]\`, r) {
				t.Errorf("%q = %q holds %q", s, e, r)
			}
		}
		if again, err := ParseEmail(string(e)); again != e || err != nil {
			t.Errorf("%q reads back as %q, %v", e, again, err)
		}
	})
}

package notify

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"sitthi/internal/locale"
)

func TestEveryTemplateInBothLanguages(t *testing.T) {
	c, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	c.Missing = func(lang locale.Lang, key, arg string) { t.Errorf("%s in %s lacks %q", key, lang, arg) }
	defer func() { c.Missing = nil }()
	const mostSMS = 4 * 67 // UTF-16 units of four joined SMS
	for _, tmpl := range Templates {
		args := make(locale.Args)
		for _, name := range tmpl.Args {
			if args[name] = examples[name]; args[name] == nil {
				t.Fatalf("%s: no example of %s", tmpl.Purpose, name)
			}
		}
		for _, lang := range locale.Langs {
			m := Message{Channel: Email, Purpose: tmpl.Purpose, Lang: lang, Args: args}
			subject, text, err := render(m)
			if err != nil || subject == "" || strings.ContainsAny(subject, "\r\n") {
				t.Errorf("%s %s: subject %q, %v", tmpl.Purpose, lang, subject, err)
			}
			for _, name := range tmpl.Args {
				if name != "name" && !strings.Contains(c.Text(lang, tmpl.Purpose+".text", keysAsArgs(tmpl.Args)), "<"+name+">") {
					t.Errorf("%s %s: the text does not use %s", tmpl.Purpose, lang, name)
				}
			}
			m.Channel = SMS
			none, sms, err := render(m)
			if err != nil || none != "" || sms == "" {
				t.Errorf("%s %s: SMS %q %q, %v", tmpl.Purpose, lang, none, sms, err)
			}
			if n := len(utf16.Encode([]rune(sms))); n > mostSMS {
				t.Errorf("%s %s: the SMS has %d characters: %s", tmpl.Purpose, lang, n, sms)
			}
			if strings.HasSuffix(tmpl.Purpose, ".code") && (strings.Contains(text+sms, "://") || strings.Contains(text+sms, "www.")) {
				t.Errorf("%s %s: a code comes with a link", tmpl.Purpose, lang)
			}
			t.Logf("%s\n%s\n%s\n[%s]", lang, subject, text, sms)
		}
	}
}

func keysAsArgs(names []string) locale.Args {
	args := make(locale.Args)
	for _, name := range names {
		args[name] = "<" + name + ">"
	}
	return args
}

func TestEveryTextBelongsToATemplate(t *testing.T) {
	c, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"footer"}
	for _, tmpl := range Templates {
		want = append(want, tmpl.Purpose+".sms", tmpl.Purpose+".subject", tmpl.Purpose+".text")
	}
	slices.Sort(want)
	if got := c.Keys(); !slices.Equal(got, want) {
		t.Errorf("texts %q,\nwant %q", got, want)
	}
}

func TestRenderRefuses(t *testing.T) {
	good := Message{Channel: SMS, Purpose: "grant.none_left", Args: locale.Args{"level": "a", "unit": "b", "link": "c"}}
	if _, _, err := render(good); err != nil {
		t.Fatal(err)
	}
	for name := range good.Args {
		m := good
		m.Args = maps.Clone(good.Args)
		delete(m.Args, name)
		if _, _, err := render(m); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	bad := good
	bad.Purpose = "none"
	if _, _, err := render(bad); err == nil {
		t.Error("an unknown purpose was rendered")
	}
	bad = good
	bad.Channel = "pigeon"
	if _, _, err := render(bad); err == nil {
		t.Error("an unknown channel was rendered")
	}
}

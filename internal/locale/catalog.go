package locale

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// pluralOne ends the key of an English singular: "grid.count.one" stands beside
// "grid.count". Thai nouns have no plural, so Thai never has such a key.
const pluralOne = ".one"

// countArg is the argument that chooses between singular and plural.
const countArg = "n"

// Catalog is every text of the product in both languages. After Load it does
// not change, so any number of goroutines may read it.
type Catalog struct {
	// Missing, if set, is told of each text that Text could not write whole:
	// the key, and the argument that was absent or of an unknown type ("" when
	// the key itself is unknown). Tests set it to fail. It must be set before
	// the catalogue is shared and must be safe for concurrent calls.
	Missing func(lang Lang, key, arg string)

	thai, english map[string]*message
}

// message is one text, cut at its arguments: literals[0] args[0] literals[1] …
// so there is always one literal more than there are arguments.
type message struct {
	literals []string
	args     []string
	one      *message // the English singular, if this text counts something
}

// Load reads dir/th.json and dir/en.json, and dir/th/*.json and dir/en/*.json
// beside them; each file is one flat object of "key": "text with {arg}". It
// fails unless both languages have the same keys with the same arguments, no
// key appears twice and no text is empty; the error lists every fault found.
func Load(fsys fs.FS, dir string) (*Catalog, error) {
	thai, thaiErr := loadLang(fsys, dir, TH)
	english, englishErr := loadLang(fsys, dir, EN)
	if err := errors.Join(thaiErr, englishErr); err != nil {
		return nil, err
	}
	if err := errors.Join(compare(thai, english)...); err != nil {
		return nil, err
	}
	for key, m := range english {
		if base, ok := singularOf(english, key); ok {
			base.one = m
		}
	}
	return &Catalog{thai: thai, english: english}, nil
}

// Text returns the text of key in lang with args filled in. Where English
// counts, args["n"] == 1 chooses the singular. An unknown key returns as ⟦key⟧,
// an absent or unknown argument as ⟦arg⟧, and Missing hears of it. A text
// without arguments costs no allocation.
func (c *Catalog) Text(lang Lang, key string, args Args) string {
	m, ok := c.messages(lang)[key]
	if !ok {
		c.missing(lang, key, "")
		return "⟦" + key + "⟧"
	}
	if m.one != nil && isOne(args[countArg]) {
		m = m.one
	}
	if len(m.args) == 0 {
		return m.literals[0]
	}
	var b strings.Builder
	for i, name := range m.args {
		b.WriteString(m.literals[i])
		value, ok := write(lang, args[name])
		if !ok {
			c.missing(lang, key, name)
			value = "⟦" + name + "⟧"
		}
		b.WriteString(value)
	}
	b.WriteString(m.literals[len(m.args)])
	return b.String()
}

// Has reports whether key has a text. Load has seen to it that it then has one
// in both languages.
func (c *Catalog) Has(key string) bool {
	_, ok := c.thai[key]
	return ok
}

// Keys returns all keys in order, without the English singulars.
func (c *Catalog) Keys() []string {
	return slices.Sorted(maps.Keys(c.thai))
}

func (c *Catalog) messages(lang Lang) map[string]*message {
	if lang == EN {
		return c.english
	}
	return c.thai
}

func (c *Catalog) missing(lang Lang, key, arg string) {
	if c.Missing != nil {
		c.Missing(lang, key, arg)
	}
}

func isOne(v any) bool {
	switch v := v.(type) {
	case int:
		return v == 1
	case int64:
		return v == 1
	}
	return false
}

// write renders one argument; false means it is absent or of an unknown type.
func write(lang Lang, v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case Localized:
		return v.In(lang), true
	case Tagged:
		if lang != EN {
			lang = TH
		}
		return v.InLanguage(string(lang)), true
	}
	return "", false
}

// loadLang merges all files of one language.
func loadLang(fsys fs.FS, dir string, lang Lang) (map[string]*message, error) {
	files, err := fs.Glob(fsys, path.Join(dir, string(lang), "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list %s texts: %w", lang, err)
	}
	single := path.Join(dir, string(lang)+".json")
	switch _, err := fs.Stat(fsys, single); {
	case err == nil:
		files = append(files, single)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("find %s texts: %w", lang, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no %s texts in %q: want %s.json or %s/*.json", lang, dir, lang, lang)
	}

	messages := make(map[string]*message)
	from := make(map[string]string) // key → file, to name both in a duplicate
	var faults []error
	for _, file := range files {
		data, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, fmt.Errorf("read %s texts: %w", lang, err)
		}
		err = eachText(data, func(key, text string) {
			m, err := parse(text)
			switch {
			case from[key] != "":
				faults = append(faults, fmt.Errorf("%s: %q is already in %s", file, key, from[key]))
			case err != nil:
				faults = append(faults, fmt.Errorf("%s: %q: %w", file, key, err))
			default:
				messages[key] = m
				from[key] = file
			}
		})
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", file, err))
		}
	}
	return messages, errors.Join(faults...)
}

// eachText calls f for every pair of a flat JSON object. It reads token by
// token because decoding into a map would hide a key that is written twice.
func eachText(data []byte, f func(key, text string)) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return fmt.Errorf("read key: %w", err)
		}
		key, ok := t.(string)
		if !ok {
			return fmt.Errorf("%v is not a key", t)
		}
		if t, err = dec.Token(); err != nil {
			return fmt.Errorf("read text of %q: %w", key, err)
		}
		text, ok := t.(string)
		if !ok {
			return fmt.Errorf("%q is not a text: the object must be flat", key)
		}
		f(key, text)
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("read end of object: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the object")
	}
	return nil
}

// parse cuts a text at its {arguments}.
func parse(text string) (*message, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("empty text")
	}
	m := &message{}
	rest := text
	for {
		open := strings.IndexAny(rest, "{}")
		if open < 0 {
			m.literals = append(m.literals, rest)
			return m, nil
		}
		name, after, closed := strings.Cut(rest[open+1:], "}")
		if rest[open] == '}' || !closed || !isArgName(name) {
			return nil, fmt.Errorf("brace without an {argument} in %q", text)
		}
		m.literals = append(m.literals, rest[:open])
		m.args = append(m.args, name)
		rest = after
	}
}

func isArgName(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r != '_' && (r < '0' || r > '9')) {
			return false
		}
	}
	return s != ""
}

// singularOf returns the text whose English singular key is, if it is one: the
// key without ".one" exists and counts {n}.
func singularOf(english map[string]*message, key string) (*message, bool) {
	base, isOne := strings.CutSuffix(key, pluralOne)
	if !isOne {
		return nil, false
	}
	m, ok := english[base]
	return m, ok && slices.Contains(m.args, countArg)
}

// compare lists where the two languages do not say the same.
func compare(thai, english map[string]*message) []error {
	var faults []error
	for _, key := range slices.Sorted(maps.Keys(english)) {
		if base, ok := singularOf(english, key); ok {
			for _, arg := range english[key].args {
				if !slices.Contains(base.args, arg) {
					faults = append(faults, fmt.Errorf("%q uses {%s}, its plural does not", key, arg))
				}
			}
			if thai[key] != nil {
				faults = append(faults, fmt.Errorf("%q is in Thai, which has no plural", key))
			}
			continue
		}
		if thai[key] == nil {
			faults = append(faults, fmt.Errorf("%q is in English, not in Thai", key))
			continue
		}
		if th, en := argSet(thai[key]), argSet(english[key]); !slices.Equal(th, en) {
			faults = append(faults, fmt.Errorf("%q: Thai uses %v, English %v", key, th, en))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(thai)) {
		if english[key] == nil {
			faults = append(faults, fmt.Errorf("%q is in Thai, not in English", key))
		}
	}
	return faults
}

func argSet(m *message) []string {
	set := slices.Sorted(slices.Values(m.args))
	return slices.Compact(set)
}

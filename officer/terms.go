package officer

import (
	"embed"
	"fmt"
	"strings"

	"sitthi/internal/locale"
)

// TermsVersion names the terms (ข้อกำหนดและเงื่อนไข) that a new officer accepts: the Buddhist year and a count. A
// change of the words is a new version in new files; the old ones stay, because people accepted them.
const TermsVersion = "2569-1"

//go:embed terms
var termsFiles embed.FS

// Section is one part of the terms: a heading and its paragraphs.
type Section struct {
	Title string
	Text  []string
}

// Terms answers the terms of a version; it fails for a version that never was.
func Terms(version string, lang locale.Lang) ([]Section, error) {
	raw, err := termsFiles.ReadFile("terms/" + version + "." + string(lang) + ".txt")
	if err != nil {
		return nil, fmt.Errorf("read terms: %w", err)
	}
	var sections []Section
	for l := range strings.Lines(string(raw)) {
		l = strings.TrimSpace(l)
		if title, ok := strings.CutPrefix(l, "# "); ok {
			sections = append(sections, Section{Title: title})
		} else if l != "" {
			last := &sections[len(sections)-1]
			last.Text = append(last.Text, l)
		}
	}
	return sections, nil
}

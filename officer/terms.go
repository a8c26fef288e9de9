package officer

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"sitthi/audit"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/person"
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

// Edition is one version of the terms, and the files it stands in: a text for each language, named after both.
type Edition struct {
	Version string
	Files   fs.FS
}

// Terms answers the terms of a version; it fails for a version that never was.
func Terms(version string, lang locale.Lang) ([]Section, error) {
	files, err := fs.Sub(termsFiles, "terms")
	if err != nil {
		return nil, fmt.Errorf("read terms: %w", err)
	}
	return Edition{version, files}.Sections(lang)
}

// Sections reads the edition in a language; it fails for one that is not there.
func (e Edition) Sections(lang locale.Lang) ([]Section, error) {
	raw, err := fs.ReadFile(e.Files, e.Version+"."+string(lang)+".txt")
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

// TermsVersion names the terms in force.
func (d *Desk) TermsVersion() string {
	if d.terms.Version == "" {
		return TermsVersion
	}
	return d.terms.Version
}

// Terms answers the terms in force.
func (d *Desk) Terms(lang locale.Lang) ([]Section, error) {
	if d.terms.Version == "" {
		return Terms(TermsVersion, lang)
	}
	return d.terms.Sections(lang)
}

// AcceptTerms keeps that an officer accepts the terms in force. It fails with problem.Invalid when he read another version,
// or did not tick that he accepts it.
func (d *Desk) AcceptTerms(ctx context.Context, who person.ID, version string) error {
	var check problem.Check
	if checkTerms(&check, version, d.TermsVersion()); check.Failed() {
		return check.Err()
	}
	act := audit.Act{Name: "officer.accept_terms", Actor: string(who), Subject: string(who), Detail: map[string]string{"terms": version}}
	return audit.Do(ctx, d.db, &act, func(tx *store.Tx) error {
		account, err := Find(ctx, tx, who)
		if err != nil {
			return err
		}
		act.Unit = account.Unit
		return updateTerms(ctx, tx, who, version)
	})
}

package web

import (
	"errors"
	"regexp"
	"strings"

	"sitthi/internal/problem"
	"sitthi/internal/thai"
)

// pasted is one citizen ID of a pasted list, or a line in which none could be read.
type pasted struct {
	Line    int    // from 1
	Text    string // the whole line
	Citizen thai.CitizenID
	Fault   problem.Field // why no right can be given to it; no Key when it can
}

// headerDigits is how few digits the first line of a list has when it is the heading of a column: "เลขบัตร (13 หลัก)".
const headerDigits = 4

// readPaste reads citizen IDs as people paste them (คัดลอกจาก Excel): one to a line, or in columns with names and other
// things beside them, with Thai digits, hyphens, blanks, the apostrophe of a text cell. heading is the first line when
// it is none of the list.
func readPaste(text string) (list []pasted, heading string) {
	seen := map[thai.CitizenID]int{}
	first := true
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		found := idsIn(line)
		if first && len(found) == 0 && digitsIn(line) <= headerDigits {
			first, heading = false, line
			continue
		}
		first = false
		if len(found) == 0 {
			list = append(list, pasted{Line: i + 1, Text: line, Fault: problem.Field{Key: noIDIn(line)}})
		}
		for _, digits := range found {
			one := pasted{Line: i + 1, Text: line}
			var check problem.Check
			if one.Citizen = readCitizen(&check, "list", digits); check.Failed() {
				one.Fault.Key = faultOf(check)
			} else if before := seen[one.Citizen]; before > 0 {
				one.Fault = problem.Field{Key: "bulk.duplicate", Args: problem.Args("line", before)}
			} else {
				seen[one.Citizen] = i + 1
			}
			list = append(list, one)
		}
	}
	return list, heading
}

// faultOf is the key of what one check found.
func faultOf(check problem.Check) string {
	var p *problem.Problem
	if !errors.As(check.Err(), &p) {
		return ""
	}
	return p.Fields[0].Key
}

// idsIn finds what has the length of a citizen ID in a line. A column counts by itself, so that two that end and begin
// with digits do not run together.
func idsIn(line string) (list []string) {
	for _, cell := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune("\t,;|", r) }) {
		for _, piece := range strings.FieldsFunc(cell, foreignToID) {
			if digits, err := thai.Digits13(piece); err == nil {
				list = append(list, digits)
				continue
			}
			for _, word := range strings.Fields(piece) { // "1 3990000000104": the number of the row stands before it
				if digits, err := thai.Digits13(word); err == nil {
					list = append(list, digits)
				}
			}
		}
	}
	return list
}

// foreignToID reports whether a character has no place in a citizen ID, however it is typed.
func foreignToID(r rune) bool {
	_, err := thai.FoldDigits(string(r))
	return errors.Is(err, thai.ErrCharacters)
}

func digitsIn(line string) (n int) {
	for _, r := range line {
		if _, err := thai.FoldDigits(string(r)); err == nil {
			n++
		}
	}
	return n
}

// rounded is a number as Excel shows it in a column that is too narrow, or was not set to text: 3.99E+12.
var rounded = regexp.MustCompile(`[0-9][eE]\+?1[0-9]`)

// noIDIn says why a line holds no citizen ID.
func noIDIn(line string) string {
	switch {
	case rounded.MatchString(line):
		return "bulk.rounded"
	case digitsIn(line) > headerDigits:
		return "rights.citizen_length"
	}
	return "bulk.no_id"
}

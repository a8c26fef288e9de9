package web

import (
	"fmt"
	"strings"
	"testing"

	"sitthi/internal/thai"
)

func TestReadPaste(t *testing.T) {
	const one, two = "3990000000104", "3990000000112"
	for _, c := range []struct{ name, text, want string }{
		{"nothing", " \n\t\r\n", ""},
		{"one to a line", one + "\n" + two + "\n", "1:" + one + " 2:" + two},
		{"Windows lines, blanks, empty lines", "  " + one + " \r\n\r\n" + two, "1:" + one + " 3:" + two},
		{"hyphens and Thai digits", "3-9900-00000-10-4\n๓๙๙๐๐๐๐๐๐๐๑๑๒", "1:" + one + " 2:" + two},
		{"blanks between groups", "3 9900 00000 10 4", "1:" + one},
		{"the apostrophe of a text cell", "'" + one + "\n=\"" + two + "\"", "1:" + one + " 2:" + two},
		{"header", "เลขบัตรประชาชน\n" + one, "heading 2:" + one},
		{"header with a number in it", "ลำดับ\tเลขประจำตัวประชาชน (13 หลัก)\n1\t" + one, "heading 2:" + one},
		{"columns from Excel", "1\t" + one + "\tนายสมชาย ใจดี\t081-234-5678\n2\t'3-9900-00000-11-2\tนางสาวสุดา\t", "1:" + one + " 2:" + two},
		{"names beside", "นายสมชาย ใจดี " + one + "\n2. " + two + " สุดา", "1:" + one + " 2:" + two},
		{"the row's number before it", "1 " + one + "\n12 3990000000112", "1:" + one + " 2:" + two},
		{"a telephone after it", one + " 0812345678", "1:" + one},
		{"several to a line", one + ", " + two, "1:" + one + " 1:" + two},
		{"invisible characters", "\ufeff" + one + "\u200b", "1:" + one},
		{"twice", one + "\n" + two + "\n3-9900-00000-10-4", "1:" + one + " 2:" + two + " 3:bulk.duplicate(1)"},
		{"wrong check digit", "3990000000105", "1:rights.citizen_check_digit"},
		{"of a company", "0995000000015", "1:rights.citizen_juristic"},
		{"a digit is missing", one + "\n399000000010", "1:" + one + " 2:rights.citizen_length"},
		{"a digit too many", "39900000001044", "1:rights.citizen_length"},
		{"a letter for a digit", "399000000O104", "1:rights.citizen_length"},
		{"a name without a number", one + "\nนายสมชาย ใจดี", "1:" + one + " 2:bulk.no_id"},
		{"rounded by Excel", "3.99E+12", "1:bulk.rounded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, heading := readPaste(c.text)
			var got []string
			if heading != "" {
				got = append(got, "heading")
			}
			for _, p := range list {
				word := p.Citizen.Digits()
				if p.Fault.Key != "" {
					word = p.Fault.Key
				}
				if len(p.Fault.Args) > 0 {
					word += fmt.Sprintf("(%v)", p.Fault.Args["line"])
				}
				got = append(got, fmt.Sprintf("%d:%s", p.Line, word))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("read as %s, want %s", got, c.want)
			}
		})
	}
}

// FuzzReadPaste holds whatever is pasted to this: every line is told of, an ID goes through once, and is one.
func FuzzReadPaste(f *testing.F) {
	for _, s := range []string{"3990000000104\n'3-9900-00000-11-2\tสุดา", "เลข\n๓๙๙๐๐๐๐๐๐๐๑๐๔, 3990000000104", "3.99E+12\r\n1 3990000000104", "\xff\x00|;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, heading := readPaste(text)
		lines, told := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), map[int]bool{}
		seen := map[thai.CitizenID]bool{}
		for _, p := range list {
			told[p.Line] = true
			switch {
			case p.Text != strings.TrimSpace(lines[p.Line-1]):
				t.Fatalf("line %d is told as %q", p.Line, p.Text)
			case p.Fault.Key != "":
			case seen[p.Citizen] || !thai.ValidCheckDigit(p.Citizen.Digits()):
				t.Fatalf("%s goes through", p.Citizen)
			default:
				seen[p.Citizen] = true
			}
		}
		for i, line := range lines {
			if line = strings.TrimSpace(line); line != "" && !told[i+1] {
				if line != heading {
					t.Fatalf("line %d is lost", i+1)
				}
				heading = ""
			}
		}
	})
}

package officer

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/person"
)

// CheckDigit says what to do with a citizen ID whose check digit does not match.
type CheckDigit string

// What to do with a wrong check digit.
const (
	CheckOff     CheckDigit = "off"
	CheckWarn    CheckDigit = "warn"    // the person has to say that the number is right all the same
	CheckEnforce CheckDigit = "enforce" // the default
)

// Form is the registration form as typed.
type Form struct {
	CitizenID     string // เลขประจำตัวประชาชน
	Phone         string // เบอร์โทรศัพท์มือถือ
	GivenName     string // ชื่อจริง
	FamilyName    string // นามสกุล
	Position      string // ตำแหน่ง
	Unit          string // code: กรม/กอง/ศูนย์/สอจ.
	Email         string // อีเมล
	LineID        string // ไลน์
	Password      string
	PasswordAgain string
	// Terms is the version of the terms that were ticked (ข้อกำหนดและเงื่อนไข), "" when they were not.
	Terms string
	// Sure says that the citizen ID is right although its check digit does not match; asked for by CheckWarn only.
	Sure     bool
	Language locale.Lang
}

// The names of the form's fields, as its faults carry them.
const (
	FieldCitizenID     = "citizen_id"
	FieldPhone         = "phone"
	FieldGivenName     = "given_name"
	FieldFamilyName    = "family_name"
	FieldPosition      = "position"
	FieldUnit          = "unit"
	FieldEmail         = "email"
	FieldLineID        = "line_id"
	FieldPassword      = "password"
	FieldPasswordAgain = "password_again"
	FieldTerms         = "terms"
	FieldSure          = "sure"
	FieldCode          = "code"
	FieldNotices       = "notices"
	FieldKnow          = "know" // that he knows what closing the account brings with it
)

// order is the order of the fields in the form.
var order = [...]string{
	FieldCitizenID, FieldPhone, FieldSure, FieldGivenName, FieldFamilyName, FieldPosition, FieldUnit, FieldEmail, FieldLineID,
	FieldPassword, FieldPasswordAgain, FieldTerms,
}

// inOrder puts the faults of a form in the order of its fields.
func inOrder(err error) error {
	var p *problem.Problem
	if errors.As(err, &p) {
		slices.SortStableFunc(p.Fields, func(a, b problem.Field) int {
			return slices.Index(order[:], a.Name) - slices.Index(order[:], b.Name)
		})
	}
	return err
}

// How many characters (code points) the fields take.
const (
	MostName     = 100
	MostPosition = 150
	MostLineID   = 50
)

// entry is a form that was read: every value in its one form.
type entry struct {
	citizen    thai.CitizenID
	phone      thai.Mobile
	givenName  string
	familyName string
	position   string
	unit       string
	email      thai.Email
	lineID     string
	terms      string
	language   locale.Lang
}

// read turns the form into an entry and notes every fault that can be seen without asking anybody. terms is the version
// in force.
func (f Form) read(c *problem.Check, digit CheckDigit, terms string) entry {
	e := entry{
		givenName:  name(c, FieldGivenName, f.GivenName),
		familyName: name(c, FieldFamilyName, f.FamilyName),
		position:   line(c, FieldPosition, f.Position, MostPosition),
		unit:       strings.TrimSpace(f.Unit),
		lineID:     line(c, FieldLineID, f.LineID, MostLineID),
		terms:      f.Terms,
		language:   locale.Parse(string(f.Language)),
	}
	var err error
	e.citizen, err = thai.ParseCitizenID(f.CitizenID)
	switch {
	case errors.Is(err, thai.ErrCheckDigit):
		if digit == CheckWarn && !f.Sure {
			c.Fail(FieldSure, "officer.problem.sure")
		}
		if digit == CheckEnforce {
			c.Fail(FieldCitizenID, "officer.problem.citizen_id_digit")
		}
	case errors.Is(err, thai.ErrEmpty):
		c.Fail(FieldCitizenID, "officer.problem.citizen_id_empty")
	case errors.Is(err, thai.ErrJuristic):
		c.Fail(FieldCitizenID, "officer.problem.citizen_id_juristic")
	case err != nil:
		c.Fail(FieldCitizenID, "officer.problem.citizen_id_form")
	}
	e.phone = readPhone(c, f.Phone)
	e.email = readEmail(c, f.Email)
	if e.unit == "" {
		c.Fail(FieldUnit, "officer.problem.unit_empty")
	}
	if f.Password == "" {
		c.Fail(FieldPassword, "officer.problem.password_empty")
	}
	if f.PasswordAgain != f.Password {
		c.Fail(FieldPasswordAgain, "officer.problem.password_again")
	}
	checkTerms(c, f.Terms, terms)
	return e
}

// checkTerms notes when the terms ticked are not those in force.
func checkTerms(c *problem.Check, ticked, inForce string) {
	switch ticked {
	case inForce:
	case "":
		c.Fail(FieldTerms, "officer.problem.terms")
	default:
		c.Fail(FieldTerms, "officer.problem.terms_changed")
	}
}

// readPhone reads a mobile number as typed.
func readPhone(c *problem.Check, typed string) thai.Mobile {
	phone, err := thai.ParseMobile(typed)
	switch {
	case errors.Is(err, thai.ErrEmpty):
		c.Fail(FieldPhone, "officer.problem.phone_empty")
	case err != nil:
		c.Fail(FieldPhone, "officer.problem.phone_form")
	}
	return phone
}

// readEmail reads an e-mail address as typed.
func readEmail(c *problem.Check, typed string) thai.Email {
	email, err := thai.ParseEmail(typed)
	switch {
	case errors.Is(err, thai.ErrEmpty):
		c.Fail(FieldEmail, "officer.problem.email_empty")
	case err != nil:
		c.Fail(FieldEmail, "officer.problem.email_form")
	}
	return email
}

func line(c *problem.Check, field, typed string, most int) string {
	s, err := thai.CleanLine(typed, most)
	switch {
	case err != nil:
		c.Fail(field, "officer.problem.too_long", "n", most)
	case s == "":
		c.Fail(field, "officer.problem."+field+"_empty")
	}
	person.CheckText(c, field, s)
	return s
}

// name reads a name of a person: letters of any script with what stands between and above them, no digits.
func name(c *problem.Check, field, typed string) string {
	s := line(c, field, typed, MostName)
	letters := false
	for _, r := range s {
		switch {
		case unicode.IsLetter(r):
			letters = true
		case unicode.IsMark(r), r == ' ', r == '.', r == '-', r == '\'', r == '’', r == 'ฯ', r == 'ๆ':
		default:
			c.Fail(field, "officer.problem.name_form")
		}
	}
	if !letters {
		c.Fail(field, "officer.problem.name_form") // keeps to the first fault when nothing was typed
	}
	return s
}

// context is what a password may not be made of: what others know of the person.
func (e entry) context() []string {
	return Account{GivenName: e.givenName, FamilyName: e.familyName, Position: e.position, Email: e.email, Phone: e.phone,
		LineID: e.lineID}.Known(e.citizen)
}

// contactChannels are the channels that an officer has a contact of, the first of them told by when he has not chosen.
var contactChannels = [...]notify.Channel{notify.Email, notify.SMS}

// contacts are the channels by which an officer can be reached at all.
func (a Account) contacts() []notify.Channel {
	return slices.DeleteFunc(slices.Clone(contactChannels[:]), func(c notify.Channel) bool { return a.contact(c) == "" })
}

// Proved are the channels whose contact a code has proved: those that an officer can choose for ordinary notices.
func (a Account) Proved() []notify.Channel {
	return slices.DeleteFunc(a.contacts(), func(c notify.Channel) bool { return a.proved(c).IsZero() })
}

// Ways are the channels by which an officer gets ordinary notices: those that he chose and that are proved. Who has not
// chosen is told by mail, or by SMS when no code has proved his address; so is nobody left without a word.
func (a Account) Ways() []notify.Channel {
	proved := a.Proved()
	chosen := slices.DeleteFunc(slices.Clone(proved), func(c notify.Channel) bool {
		return !slices.Contains(strings.Fields(a.Notices), string(c))
	})
	switch {
	case len(chosen) > 0:
		return chosen
	case len(proved) > 0:
		return proved[:1]
	}
	return []notify.Channel{notify.Email}
}

// checkNotices is what is kept of a choice of channels: it holds one at least, and proved ones alone.
func checkNotices(a Account, chosen []notify.Channel) (string, error) {
	proved := a.Proved()
	var kept []string
	for _, c := range proved { // in one order, each once
		if slices.Contains(chosen, c) {
			kept = append(kept, string(c))
		}
	}
	var check problem.Check
	switch {
	case slices.ContainsFunc(chosen, func(c notify.Channel) bool { return !slices.Contains(proved, c) }):
		check.Fail(FieldNotices, "officer.problem.notices_not_proved")
	case len(kept) == 0:
		check.Fail(FieldNotices, "officer.problem.notices_none")
	}
	return strings.Join(kept, " "), check.Err()
}

package notify

import (
	"embed"
	"fmt"
	"slices"
	"sync"

	"sitthi/internal/locale"
	"sitthi/internal/thai"
)

//go:embed locales
var locales embed.FS

// Template is one kind of message. Its words are the texts "<purpose>.subject", "<purpose>.text" and "<purpose>.sms"
// of the catalogue in locales/.
type Template struct {
	Purpose string
	// Args are the names of the arguments a Message of this purpose must carry.
	Args []string
}

// The arguments, the same in all templates:
//
//	code       the one-time code, six digits
//	reference  the letters beside the code, as the form shows them
//	minutes    how long the code holds, int
//	name       the reader's name, or of the officer the message is about
//	when       thai.Moment
//	who        name of the person the message is about
//	unit       name of the unit, with its group where there is one (locale.Name)
//	level      name of the level: พิจารณา, consider (locale.Name)
//	post       name of the post: หัวหน้าหน่วยงาน, head of the unit (locale.Name)
//	period     Period
//	by         name of the person who acted
//	reason     free text, as typed
//	link       absolute URL of the page where the reader acts

// Templates lists every kind of message the product sends.
var Templates = []Template{
	// One-time codes: purpose and reference, never a link (trust.md 8).
	{"register.code", []string{"code", "reference", "minutes"}},
	// To the registered contacts, when someone proved another contact and tried to register the same citizen ID.
	{"register.existing", []string{"when"}},
	// To the new officer: the account is there, and has no rights yet.
	{"register.done", []string{"name", "link"}},

	// To the officer.
	{"grant.given", []string{"name", "level", "unit", "period", "by", "link"}},
	{"grant.changed", []string{"name", "level", "unit", "period", "by", "link"}},
	{"grant.ended", []string{"name", "level", "unit", "when", "reason"}},
	// The head refused to confirm who registered: the pending right came to nothing.
	{"grant.refused", []string{"name", "level", "unit"}},
	// To the head: a person he named before has registered now.
	{"grant.pending", []string{"name", "who", "level", "unit", "link"}},
	// To the other administrators: a right for a head awaits a second person.
	{"grant.proposed", []string{"who", "level", "unit", "period", "by", "link"}},
	// To the administrators (trust.md 15, 18).
	{"grant.mutual", []string{"who", "level", "unit", "by", "link"}},
	{"grant.unit_empty", []string{"level", "unit", "when", "by", "link"}},

	// To the other administrators: an appointment (การแต่งตั้ง) awaits a second person.
	{"appointment.proposed", []string{"who", "post", "unit", "period", "by", "link"}},
	// To the person appointed.
	{"appointment.confirmed", []string{"name", "post", "unit", "period", "link"}},
	{"appointment.ended", []string{"name", "post", "unit", "when"}},
	// To the one who proposed.
	{"appointment.refused", []string{"name", "who", "post", "unit", "reason"}},

	// To the owner: a hundred failures in a row switched the password off (trust.md 3).
	{"signin.password_off", []string{"name", "when"}},
}

// Period is a span of days as an argument: "ตั้งแต่วันที่ 1 ตุลาคม 2569 ถึงวันที่ 30 กันยายน 2570", or without an end
// "ตั้งแต่วันที่ 1 ตุลาคม 2569 เป็นต้นไป".
type Period struct {
	From thai.Date
	// To is the last day; the zero Date is none.
	To thai.Date
}

// In implements locale.Localized.
func (p Period) In(lang locale.Lang) string {
	from, to := p.From.Long(string(lang)), p.To.Long(string(lang))
	switch {
	case lang == locale.EN && p.To.IsZero():
		return "from " + from + " on"
	case lang == locale.EN:
		return "from " + from + " to " + to
	case p.To.IsZero():
		return "ตั้งแต่วันที่ " + from + " เป็นต้นไป"
	}
	return "ตั้งแต่วันที่ " + from + " ถึงวันที่ " + to
}

// catalogue loads the texts once and holds them against Templates.
var catalogue = sync.OnceValues(func() (*locale.Catalog, error) {
	c, err := locale.Load(locales, "locales")
	if err != nil {
		return nil, fmt.Errorf("load message texts: %w", err)
	}
	for _, t := range Templates {
		for _, part := range []string{".subject", ".text", ".sms"} {
			if !c.Has(t.Purpose + part) {
				return nil, fmt.Errorf("load message texts: no %s%s", t.Purpose, part)
			}
		}
	}
	return c, nil
})

// render writes the message in its reader's language; an SMS has no subject.
func render(m Message) (subject, text string, err error) {
	c, err := catalogue()
	if err != nil {
		return "", "", err
	}
	i := slices.IndexFunc(Templates, func(t Template) bool { return t.Purpose == m.Purpose })
	if i < 0 {
		return "", "", fmt.Errorf("no template %q", m.Purpose)
	}
	for _, name := range Templates[i].Args {
		if m.Args[name] == nil {
			return "", "", fmt.Errorf("template %s lacks argument %s", m.Purpose, name)
		}
	}
	switch m.Channel {
	case SMS:
		return "", c.Text(m.Lang, m.Purpose+".sms", m.Args), nil
	case Email:
		text := c.Text(m.Lang, m.Purpose+".text", m.Args) + "\n\n" + c.Text(m.Lang, "footer", nil) + "\n"
		return c.Text(m.Lang, m.Purpose+".subject", m.Args), text, nil
	}
	return "", "", fmt.Errorf("no channel %q", m.Channel)
}

package notify

import (
	"embed"
	"fmt"
	"slices"
	"sync"

	"sitthi/internal/locale"
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

// Templates lists every kind of message the product sends. Its arguments mean the same in all of them:
//
//	code       the one-time code, six digits
//	reference  the letters beside the code, as the form shows them
//	minutes    how long the code holds, int
//	name       of the person the message is about; most often its reader
//	position   of that person (ตำแหน่ง)
//	unit       the unit, with its group where there is one: locale.Name
//	old_unit   the unit before: locale.Name
//	channel    what kind of contact: locale.Name
//	contact    a contact, masked
//	level      the level (ระดับ): locale.Name
//	post       the post of an appointment: locale.Name
//	from       first day: thai.Date
//	until      last day: thai.Date, or words for none: locale.Name
//	reason     of a refusal, as it was written
//	link       absolute URL of the page where the reader acts
//	receipt    the number of a request to the help desk
//	n          a count, such as of days that are left, int
var Templates = []Template{
	// Codes: purpose and reference, never a link (trust.md 8).
	{"register.code", []string{"code", "reference", "minutes"}},
	{"reset.code", []string{"code", "reference", "minutes"}},
	{"activation.code", []string{"code", "reference", "minutes"}},
	{"contact.code", []string{"code", "reference", "minutes"}},
	// To every contact, the old one among them: a contact was changed (trust.md 10).
	{"contact.changed", []string{"channel", "contact"}},
	// To every contact: the owner closed the account.
	{"account.closed", []string{"name"}},
	// To the registered contacts, when someone tried to register the same citizen ID again.
	{"register.existing", nil},
	// To the owner: a hundred failures in a row switched the password off (trust.md 3).
	{"signin.off", nil},
	// To the owner: a new password was set in place of a forgotten one, and all sessions ended.
	{"signin.reset", nil},
	// To the owner: a sign-in from a browser not used before; a change of the second factor (trust.md 5); a recovery code
	// was used.
	{"signin.new_device", nil},
	{"signin.thaid", nil}, // ThaID proved him for the first time
	{"factor.added", nil},
	{"factor.removed", nil},
	{"factor.codes", nil},
	{"factor.recovery", nil},
	// To the owner: his account locks soon, unless he signs in (trust.md 11).
	{"signin.locks_soon", []string{"name", "n", "from", "link"}},
	// To who decides: a locked officer asks for his account to be opened again ("Active User").
	{"activation.asked", []string{"name", "position", "unit", "link"}},
	// To the officer, on every contact.
	{"activation.confirmed", []string{"link"}},
	{"activation.refused", []string{"reason"}},

	// To the officer.
	{"grant.given", []string{"name", "level", "unit", "from", "until", "link"}},
	// Brought in from the old system, and waiting for the head of the unit who has yet to confirm him.
	{"grant.brought", []string{"name", "level", "unit", "from", "until", "link"}},
	{"grant.changed", []string{"name", "level", "unit", "from", "until", "link"}},
	{"grant.ended", []string{"name", "level", "unit", "link"}},
	// The person or the right was not confirmed: the right came to nothing.
	{"grant.refused", []string{"name", "level", "unit", "link"}},
	// To the heads of a unit: a person for whom rights wait there has registered.
	{"grant.pending", []string{"name", "position", "unit", "link"}},
	// To the other administrators: a right for a head awaits the second of them.
	{"grant.second", []string{"name", "level", "unit", "link"}},
	// To the administrators: nobody holds the level in the unit any more (trust.md 18).
	{"grant.none_left", []string{"level", "unit", "link"}},

	// To the officer and to the heads of the unit: a right ends in 30 days, and in 7.
	{"grant.ending", []string{"name", "level", "unit", "until", "link"}},
	{"grant.ending_head", []string{"name", "level", "unit", "until", "link"}},
	// To the heads of the old and of the new office: an officer named another one as his own.
	{"office.left", []string{"name", "position", "old_unit", "unit", "link"}},
	{"office.joined", []string{"name", "position", "old_unit", "unit", "link"}},
	// To the heads of the units where he holds rights: an officer closed his account.
	{"account.closed_head", []string{"name", "position", "unit", "link"}},

	// To the other administrators: an appointment (การแต่งตั้ง) awaits one of them.
	{"appointment.proposed", []string{"name", "post", "unit", "link"}},
	// To the person appointed.
	{"appointment.confirmed", []string{"name", "post", "unit", "from", "until", "link"}},
	{"appointment.ended", []string{"name", "post", "unit", "link"}},
	// To the administrators: the unit has no head any more (trust.md 18).
	{"appointment.none_left", []string{"unit", "link"}},

	// The help desk, to the contact that somebody typed: receipt and words, nothing that opens an account (trust.md 12).
	{"help.received", []string{"receipt", "link"}},
	{"help.working", []string{"receipt", "link"}},
	{"help.vouched", []string{"receipt", "link"}},
	{"help.sent", []string{"receipt", "link"}},
	{"help.reopened", []string{"receipt", "link"}},
	{"help.closed", []string{"receipt", "link"}},
	{"help.answer_code", []string{"receipt", "link"}},
	{"help.answer_number", []string{"receipt", "link"}},
	{"help.answer_moved", []string{"receipt", "link"}},
	{"help.answer_menu", []string{"receipt", "link"}},
	{"help.answer_twice", []string{"receipt", "link"}},
	// To who wrote by LINE: how to write, and where to complete the request.
	{"help.hint", []string{"link"}},
	{"help.complete", []string{"receipt", "link"}},
	// To the contact on file, or the new one: the code that proves who asks, the link to a new password.
	{"help.code", []string{"code", "reference", "minutes"}},
	{"help.link", []string{"receipt", "link"}},
	// To every contact on file.
	{"help.approved", []string{"receipt"}},
	{"help.open_again", []string{"receipt"}},
	// To the heads of the office: somebody awaits their word, and what was approved.
	{"help.second", []string{"name", "position", "unit", "link"}},
	{"help.notice", []string{"name", "position", "unit", "link"}},
	// The same to the office's own mailbox.
	{"help.notice_office", []string{"name", "position", "unit"}},
	// The same to the administrators, where the office has no head but him.
	{"help.second_headless", []string{"name", "position", "unit", "link"}},
	{"help.notice_headless", []string{"name", "position", "unit", "link"}},
	// To the administrators.
	{"help.central", []string{"receipt", "link"}},
	{"help.alarm", []string{"name", "n", "link"}},

	// To somebody whom the old system knows and who has no account yet.
	{"legacy.invite", []string{"unit", "link"}},
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

// find answers the template of a purpose.
func find(purpose string) (Template, bool) {
	i := slices.IndexFunc(Templates, func(t Template) bool { return t.Purpose == purpose })
	if i < 0 {
		return Template{}, false
	}
	return Templates[i], true
}

// Title is what messages of a purpose are about, for lists of them: the subject, with dots for what differs from one
// message to the next. It is "" for a purpose without a template.
func Title(purpose string, lang locale.Lang) string {
	t, ok := find(purpose)
	c, err := catalogue()
	if !ok || err != nil {
		return ""
	}
	dots := make(locale.Args)
	for _, name := range t.Args {
		dots[name] = "…"
	}
	return c.Text(lang, purpose+".subject", dots)
}

// render writes the message in its reader's language; an SMS has no subject.
func render(m Message) (subject, text string, err error) {
	c, err := catalogue()
	if err != nil {
		return "", "", err
	}
	t, ok := find(m.Purpose)
	if !ok {
		return "", "", fmt.Errorf("no template %q", m.Purpose)
	}
	for _, name := range t.Args {
		if m.Args[name] == nil {
			return "", "", fmt.Errorf("template %s lacks argument %s", m.Purpose, name)
		}
	}
	switch m.Channel {
	case SMS, LINE:
		return "", c.Text(m.Lang, m.Purpose+".sms", m.Args), nil
	case Email:
		text := c.Text(m.Lang, m.Purpose+".text", m.Args) + "\n\n" + c.Text(m.Lang, "footer", nil) + "\n"
		return c.Text(m.Lang, m.Purpose+".subject", m.Args), text, nil
	}
	return "", "", fmt.Errorf("no channel %q", m.Channel)
}

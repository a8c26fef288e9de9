package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/term"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/grant"
	"sitthi/internal/config"
	"sitthi/internal/locale"
	"sitthi/internal/observe"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/proof"
	"sitthi/web"
)

// adminCreate makes a central administrator (ผู้ดูแลระบบส่วนกลาง) while there are fewer than two, who from then on
// appoint each other's successors in the browser.
type adminCreate struct {
	config.Database `embed:""`

	Citizen      string `placeholder:"ID" help:"Citizen ID. What is not given is asked for."`
	GivenName    string `placeholder:"NAME" help:"Given name."`
	FamilyName   string `placeholder:"NAME" help:"Family name."`
	Position     string `placeholder:"TEXT" help:"Position (ตำแหน่ง)."`
	Unit         string `default:"ICT" placeholder:"CODE" help:"Code of the office (default ICT)."`
	Email        string `placeholder:"ADDRESS" help:"E-mail address."`
	Phone        string `placeholder:"NUMBER" help:"Mobile number."`
	PasswordFile string `placeholder:"FILE" help:"File with the password, - for standard input; otherwise it is asked for twice."`
}

// Run makes the account, unless the person has one, and the appointment. It can be run again after a failure.
func (c *adminCreate) Run(ctx context.Context, sh *shell, secrets config.Secrets) (err error) {
	clk := newClock()
	v, err := openNew(ctx, &c.Database, secrets, clk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.db.Close()) }()
	if err := dedicate(ctx, v.db, purposeReal); err != nil {
		return err
	}
	roll := person.NewRoll(v.ring)
	book := grant.NewBook(grant.Options{DB: v.db, Clock: clk, Roll: roll, Log: observe.NewLogger(sh.err, "text", 0)})
	if err := book.Load(ctx); err != nil {
		return err
	}
	if err := book.MayInstall(ctx); err != nil { // before anything is asked
		return inWords(err)
	}
	ask := newAsker(sh)
	citizen, err := thai.ParseCitizenID(ask.line("Citizen ID", c.Citizen))
	if err := errors.Join(err, ask.err); err != nil {
		return fmt.Errorf("citizen ID: %w", err)
	}
	who, known, err := findAccount(ctx, v.db, roll, citizen)
	if err != nil {
		return err
	}
	register := func(*store.Tx) (person.ID, error) { return who, nil }
	if known {
		fmt.Fprintln(sh.out, "This person is registered already: the account stays as it is.")
	} else if register, err = c.registration(ctx, v, roll, citizen, ask, secrets); err != nil {
		return inWords(err)
	}
	if err := book.InstallRegistering(ctx, register); err != nil {
		return inWords(err)
	}
	fmt.Fprintln(sh.out, "The person is central administrator now and signs in with citizen ID and password.")
	return nil
}

// findAccount answers the person behind a citizen ID and whether he has an account.
func findAccount(ctx context.Context, db *store.DB, roll *person.Roll, citizen thai.CitizenID) (who person.ID, known bool, err error) {
	err = db.Read(ctx, func(tx *store.Tx) (err error) {
		who, known, err = roll.Find(ctx, tx, citizen)
		if err != nil || !known {
			return err
		}
		_, err = officer.Find(ctx, tx, who)
		if errors.Is(err, problem.NotFound) {
			known = false
			return nil
		}
		return err
	})
	return who, known, err
}

// registration asks for what an account needs and answers what makes it. Whoever sits at the server's terminal vouches
// for the contacts.
func (c *adminCreate) registration(ctx context.Context, v *vault, roll *person.Roll, citizen thai.CitizenID, ask *asker, secrets config.Secrets) (register func(tx *store.Tx) (person.ID, error), err error) {
	a := officer.Account{Unit: agency.Alias(c.Unit), TermsVersion: officer.TermsVersion}
	a.GivenName = ask.text("Given name", c.GivenName, officer.MostName)
	a.FamilyName = ask.text("Family name", c.FamilyName, officer.MostName)
	a.Position = ask.text("Position", c.Position, officer.MostPosition)
	email, err := thai.ParseEmail(ask.line("E-mail address", c.Email))
	if ask.err == nil && err != nil {
		return nil, fmt.Errorf("e-mail address: %w", err)
	}
	phone, err := thai.ParseMobile(ask.line("Mobile number", c.Phone))
	if ask.err == nil && err != nil {
		return nil, fmt.Errorf("mobile number: %w", err)
	}
	password := ask.password(c.PasswordFile, secrets)
	if ask.err != nil {
		return nil, ask.err
	}
	a.Email, a.Phone = email, phone
	passwords, err := proof.NewPasswords(v.ring)
	if err != nil {
		return nil, err
	}
	if err := passwords.Check(password, a.GivenName, a.FamilyName, citizen.Digits(), string(a.Email), string(a.Phone)); err != nil {
		return nil, err
	}
	hash, err := passwords.Hash(ctx, password)
	if err != nil {
		return nil, err
	}
	return func(tx *store.Tx) (person.ID, error) {
		if _, err := agency.Find(ctx, tx, a.Unit); err != nil {
			return "", err
		}
		who, err := roll.Mention(ctx, tx, citizen)
		if err != nil {
			return "", err
		}
		a.Person, a.EmailProvedAt, a.PhoneProvedAt = who, tx.Now, tx.Now
		if err := officer.Create(ctx, tx, a, hash); err != nil {
			return "", err
		}
		return who, audit.Record(ctx, tx, audit.Act{Name: "officer.install", Actor: audit.Terminal, Unit: a.Unit, Subject: string(who)})
	}, nil
}

// inWords tells a problem in English, as the pages would.
func inWords(err error) error {
	var p *problem.Problem
	if !errors.As(err, &p) {
		return err
	}
	texts, loadErr := web.Texts()
	if loadErr != nil {
		return errors.Join(err, loadErr)
	}
	if len(p.Fields) == 0 {
		return errors.New(texts.Text(locale.EN, p.Key, p.Args))
	}
	lines := make([]string, len(p.Fields))
	for i, f := range p.Fields {
		lines[i] = f.Name + ": " + texts.Text(locale.EN, f.Key, f.Args)
	}
	return errors.New(strings.Join(lines, "\n"))
}

// asker asks for what the flags left open. After the first failure it asks nothing more and keeps it.
type asker struct {
	sh  *shell
	in  *bufio.Reader
	err error
}

func newAsker(sh *shell) *asker { return &asker{sh: sh, in: bufio.NewReader(sh.in)} }

// line answers what is given or, when that is "", what is typed.
func (a *asker) line(what, given string) string {
	if given != "" || a.err != nil {
		return given
	}
	fmt.Fprintf(a.sh.err, "%s: ", what)
	typed, err := a.in.ReadString('\n')
	typed = strings.TrimRight(typed, "\r\n")
	if err != nil && typed == "" {
		a.err = fmt.Errorf("%s is missing: %w", strings.ToLower(what), err)
	}
	return typed
}

// text is line for prose of at most so many characters, which must not be empty.
func (a *asker) text(what, given string, most int) string {
	text, err := thai.CleanLine(a.line(what, given), most)
	if a.err == nil && err != nil {
		a.err = fmt.Errorf("%s: %w", strings.ToLower(what), err)
	}
	if a.err == nil && text == "" {
		a.err = fmt.Errorf("%s is missing", strings.ToLower(what))
	}
	if a.err == nil && thai.HoldsCitizenID(text) {
		a.err = fmt.Errorf("%s: a citizen ID does not belong here", strings.ToLower(what))
	}
	return text
}

// password reads the password from a file, or asks for it twice; a terminal does not show it.
func (a *asker) password(file string, secrets config.Secrets) (password string) {
	if a.err != nil {
		return ""
	}
	if file != "" && file != "-" {
		password, a.err = secrets.Read("password-file", file)
		return password
	}
	first := a.secret("Password")
	if file == "-" {
		return first
	}
	if again := a.secret("Password again"); a.err == nil && again != first {
		a.err = errors.New("the two passwords are not the same")
	}
	return first
}

func (a *asker) secret(what string) string {
	fd := int(a.sh.in.Fd())
	if a.err != nil || !term.IsTerminal(fd) {
		return a.line(what, "")
	}
	fmt.Fprintf(a.sh.err, "%s: ", what)
	typed, err := term.ReadPassword(fd)
	fmt.Fprintln(a.sh.err)
	a.err = err
	return string(typed)
}

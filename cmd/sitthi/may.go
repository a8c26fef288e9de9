package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"sitthi/agency"
	"sitthi/grant"
	"sitthi/internal/config"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/store"
	"sitthi/internal/thai"
	"sitthi/person"
	"sitthi/web"
)

// mayCommand tells whether a person may do something somewhere at a moment, with every condition.
type mayCommand struct {
	config.Database `embed:""`
	config.Lock     `embed:""`

	Person        string `placeholder:"ID" group:"Question" help:"Who: the id of a person, as in the log and in addresses."`
	CitizenIDFile string `placeholder:"FILE" group:"Question" help:"Who: a file with the citizen ID, - for standard input. It is no argument, because other users of the machine see those."`
	Action        string `required:"" placeholder:"CODE" group:"Question" help:"Does what: consider, review, approve or administer."`
	Unit          string `required:"" placeholder:"CODE" group:"Question" help:"Where: the code of a unit, such as TH-12 or IWM."`
	Group         string `placeholder:"CODE" group:"Question" help:"In which group of the unit; otherwise in the whole unit."`
	At            string `placeholder:"MOMENT" group:"Question" help:"When, such as 2026-11-23T10:00:00+07:00, '23/11/2569 10:00', or 23/11/2569 for the end of that day; otherwise now."`
	Lang          string `default:"en" enum:"en,th" placeholder:"CODE" group:"Question" help:"Language of the answer: en or th (default en)."`
}

// The exit statuses: may answers a question, and its failures must not pass for an answer.
const (
	exitNo     = 1
	exitFailed = 2
)

// exit is an error with the status that the program ends with.
type exit struct {
	error
	status int
}

// Unwrap answers what the error was.
func (e exit) Unwrap() error { return e.error }

// statusOf is the status that the program ends with after an error.
func statusOf(err error) int {
	var e exit
	if errors.As(err, &e) {
		return e.status
	}
	return exitNo
}

// errMayNot says that the answer is no.
var errMayNot = errors.New("the answer is no")

// Run prints the answer with every condition. It succeeds when the person may.
func (c *mayCommand) Run(ctx context.Context, sh *shell, secrets config.Secrets) error {
	e, texts, err := c.ask(ctx, sh, secrets)
	if err == nil {
		err = tellMay(sh.out, texts, locale.Lang(c.Lang), e)
	}
	switch {
	case err != nil:
		return exit{err, exitFailed}
	case !e.Allowed:
		return exit{errMayNot, exitNo}
	}
	return nil
}

// ask answers the question from the database.
func (c *mayCommand) ask(ctx context.Context, sh *shell, secrets config.Secrets) (e grant.Explanation, texts *locale.Catalog, err error) {
	clk := newClock()
	q := grant.Question{At: grant.Place{Unit: agency.Alias(c.Unit), Team: c.Group}, Who: person.ID(c.Person)}
	if (c.Person == "") == (c.CitizenIDFile == "") {
		return e, nil, errors.New("say who: either --person or --citizen-id-file")
	}
	row, known := grant.LevelOf(c.Action)
	switch q.Do = row.Level.Do(); {
	case c.Action == "administer":
		q.Do = grant.Administer
	case !known:
		return e, nil, config.Wrong("action", "%q is none of consider, review, approve and administer", c.Action)
	}
	if q.Moment, err = askedAt(c.At); err != nil {
		return e, nil, err
	}
	if texts, err = web.Texts(); err != nil {
		return e, nil, err
	}
	v, err := openExisting(ctx, &c.Database, secrets, clk)
	if err != nil {
		return e, nil, err
	}
	defer func() { err = errors.Join(err, v.db.Close()) }()
	roll := person.NewRoll(v.ring)
	if q.Who, err = c.who(ctx, sh, v.db, roll); err != nil {
		return e, nil, err
	}
	book := grant.NewBook(grant.Options{DB: v.db, Clock: clk, Roll: roll, Log: slog.New(slog.DiscardHandler), LockAfter: c.Lock.Officers()})
	e, err = book.Explain(ctx, q)
	if errors.Is(err, problem.NotFound) {
		err = config.Wrong("unit", "there is no unit %s with such a group", q.At.Unit)
	}
	return e, texts, err
}

// who finds the person asked about. One whom nobody ever named is no error: he may do nothing.
func (c *mayCommand) who(ctx context.Context, sh *shell, db *store.DB, roll *person.Roll) (who person.ID, err error) {
	if c.Person != "" {
		who = person.ID(c.Person)
		err = db.Read(ctx, func(tx *store.Tx) error {
			_, err := roll.CitizenID(ctx, tx, who)
			return err
		})
		if errors.Is(err, problem.NotFound) {
			err = config.Wrong("person", "there is no person %s", who)
		}
		return who, err
	}
	text, err := readText(sh, c.CitizenIDFile)
	if err != nil {
		return "", config.Wrong("citizen-id-file", "%w", err)
	}
	citizen, err := thai.ParseCitizenID(strings.TrimSpace(text))
	if err != nil && !errors.Is(err, thai.ErrCheckDigit) { // a setting may have let such an ID in
		return "", fmt.Errorf("citizen ID: %w", err)
	}
	err = db.Read(ctx, func(tx *store.Tx) error {
		who, _, err = roll.Find(ctx, tx, citizen)
		return err
	})
	return who, err
}

// readText reads a file, or standard input for "-".
func readText(sh *shell, file string) (string, error) {
	if file == "-" {
		text, err := io.ReadAll(io.LimitReader(sh.in, 1<<10))
		return string(text), err
	}
	text, err := os.ReadFile(file)
	return string(text), err
}

// askedAt reads a moment: as programs write it, or a day as people do, with a time of day or for its end. None is zero: now.
func askedAt(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC().Truncate(time.Microsecond), nil
	}
	if day, err := thai.ParseDate(text); err == nil {
		return day.EndExclusive().Add(-time.Microsecond).UTC(), nil
	}
	i := strings.LastIndexByte(text, ' ')
	if i < 0 {
		return time.Time{}, config.Wrong("at", "%q is no moment", text)
	}
	day, dayErr := thai.ParseDate(text[:i])
	after, hourErr := thai.ParseHour(text[i+1:])
	if err := errors.Join(dayErr, hourErr); err != nil {
		return time.Time{}, config.Wrong("at", "%q is no moment: %w", text, err)
	}
	return day.StartOfDay().Add(after).UTC(), nil
}

// marks show at a glance how a condition stands.
var marks = map[grant.Met]string{grant.Yes: "✓", grant.No: "✗", grant.Unknown: "?"}

// tellMay prints the answer and its conditions.
func tellMay(out io.Writer, texts *locale.Catalog, lang locale.Lang, e grant.Explanation) error {
	x := web.Explain(texts, lang, e)
	lines := []string{x.Answer, x.Question}
	if x.Tense != "" {
		lines = append(lines, x.Tense)
	}
	lines = append(lines, "")
	for _, c := range x.Conditions {
		lines = append(lines, marks[c.Met]+" "+c.Title+": "+c.Text)
		if c.Deed != "" {
			lines = append(lines, "    "+c.Deed+" · "+c.When)
		}
		if c.Condition.Deed.Reason != "" {
			lines = append(lines, "    "+texts.Text(lang, "why.reason", locale.Args{"reason": c.Condition.Deed.Reason}))
		}
		if c.Next != "" {
			lines = append(lines, "    "+texts.Text(lang, "why.next", locale.Args{"next": c.Next}))
		}
	}
	if len(x.Others) > 0 {
		lines = append(lines, "", texts.Text(lang, "why.others", nil))
	}
	for _, other := range x.Others {
		lines = append(lines, "    "+other)
	}
	_, err := fmt.Fprintln(out, strings.Join(lines, "\n"))
	return err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/internal/config"
	"sitthi/internal/locale"
	"sitthi/internal/problem"
	"sitthi/internal/thai"
	"sitthi/program"
	"sitthi/web"
)

// tokenCommand keeps the tokens with which other programs of the department ask who may do what.
type tokenCommand struct {
	Create tokenCreate `cmd:"" help:"Let a program ask. Prints its token, which is shown this once and kept nowhere."`
	List   tokenList   `cmd:"" help:"List the programs that may or might ask, the newest first."`
	Revoke tokenRevoke `cmd:"" help:"Take a program's token back, for good. A serving program refuses it within seconds."`
}

// every is the word for all units or all actions.
const every = "all"

// tokenCreate lets a program ask.
type tokenCreate struct {
	config.Database `embed:""`

	Name    string   `required:"" placeholder:"TEXT" group:"Program" help:"What the program is called."`
	Units   []string `required:"" placeholder:"CODES" group:"Program" help:"Codes of the units it may ask about, such as TH-12,IWM, or 'all'."`
	Actions []string `required:"" placeholder:"CODES" group:"Program" help:"What it may ask about: consider,review,approve,administer, or 'all'."`
	Until   string   `placeholder:"DATE" group:"Program" help:"Last day, such as 2027-09-30 or 30/9/2570; otherwise the token has no end."`
}

// Run makes the token. It goes to the output alone, and what belongs to it to standard error.
func (c *tokenCreate) Run(ctx context.Context, sh *shell, secrets config.Secrets) (err error) {
	o := program.Order{Name: c.Name}
	o.Scope.AllUnits, o.Scope.Units = chosen(c.Units)
	o.Scope.AllActions, o.Scope.Actions = chosen(c.Actions)
	for i, code := range o.Scope.Units {
		o.Scope.Units[i] = agency.Alias(code)
	}
	if c.Until != "" {
		if o.LastDay, err = thai.ParseDate(c.Until); err != nil {
			return config.Wrong("until", "%w", err)
		}
	}
	return atDesk(ctx, sh, &c.Database, secrets, func(desk *program.Desk) error {
		p, token, err := desk.Create(ctx, audit.Terminal, o)
		if err != nil {
			return err
		}
		fmt.Fprintf(sh.err, "The program %q has the id %s. Its token is shown this once:\n", p.Name, p.ID)
		_, err = fmt.Fprintln(sh.out, token)
		return err
	})
}

// chosen tells all from a list.
func chosen(codes []string) (all bool, list []string) {
	if len(codes) == 1 && codes[0] == every {
		return true, nil
	}
	for _, code := range codes {
		list = append(list, strings.TrimSpace(code))
	}
	return false, list
}

// tokenList lists the programs.
type tokenList struct {
	config.Database `embed:""`
}

// Run prints a line for each program.
func (c *tokenList) Run(ctx context.Context, sh *shell, secrets config.Secrets) error {
	return atDesk(ctx, sh, &c.Database, secrets, func(desk *program.Desk) error {
		list, err := desk.List(ctx, audit.Terminal)
		if err != nil {
			return err
		}
		rows := [][]string{{"ID", "NAME", "STATE", "UNITS", "ACTIONS", "CREATED", "LAST USE", "LAST DAY"}}
		for _, p := range list {
			last := "-"
			if day := p.LastDay(); !day.IsZero() {
				last = day.String()
			}
			rows = append(rows, []string{p.ID, p.Name, string(p.StateAt(desk.Clock.Now())), told(p.Scope.AllUnits, p.Scope.Units),
				told(p.Scope.AllActions, p.Scope.Actions), minuteOf(p.CreatedAt), minuteOf(p.UsedAt), last})
		}
		_, err = fmt.Fprintln(sh.out, strings.Join(align(rows), "\n"))
		return err
	})
}

func told(all bool, codes []string) string {
	if all {
		return every
	}
	return strings.Join(codes, ",")
}

// minuteOf is a moment in Thailand, "-" for none.
func minuteOf(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.In(thai.Bangkok).Format("2006-01-02T15:04")
}

// tokenRevoke takes a token back.
type tokenRevoke struct {
	config.Database `embed:""`

	ID     string `arg:"" name:"id" help:"Id of the program, as 'sitthi token list' shows it."`
	Reason string `required:"" placeholder:"TEXT" group:"Program" help:"Why; it is recorded."`
}

// Run revokes it.
func (c *tokenRevoke) Run(ctx context.Context, sh *shell, secrets config.Secrets) error {
	return atDesk(ctx, sh, &c.Database, secrets, func(desk *program.Desk) error {
		if err := desk.Revoke(ctx, audit.Terminal, c.ID, c.Reason); err != nil {
			return err
		}
		_, err := fmt.Fprintln(sh.out, "The token is revoked.")
		return err
	})
}

// atDesk opens the database, does something at the desk of the programs, and closes it.
func atDesk(ctx context.Context, sh *shell, d *config.Database, secrets config.Secrets, do func(*program.Desk) error) (err error) {
	clk := newClock()
	v, err := openExisting(ctx, d, secrets, clk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.db.Close()) }()
	desk := program.NewDesk(program.Options{DB: v.db, Clock: clk, Log: slog.New(slog.NewTextHandler(sh.err, nil))})
	return byFlag(do(desk))
}

// byFlag tells a problem in English; what is wrong with a field, which is called as its flag, names the flag.
func byFlag(err error) error {
	var p *problem.Problem
	if !errors.As(err, &p) || len(p.Fields) == 0 {
		return inWords(err)
	}
	texts, loadErr := web.Texts()
	if loadErr != nil {
		return errors.Join(err, loadErr)
	}
	lines := make([]error, len(p.Fields))
	for i, f := range p.Fields {
		lines[i] = config.Wrong(f.Name, "%s", texts.Text(locale.EN, f.Key, f.Args))
	}
	return errors.Join(lines...)
}

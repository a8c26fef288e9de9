package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"sitthi/agency"
	"sitthi/audit"
	"sitthi/authzen"
	"sitthi/delivery"
	"sitthi/dossier"
	"sitthi/draft"
	"sitthi/grant"
	"sitthi/helpdesk"
	"sitthi/internal/clock"
	"sitthi/internal/config"
	"sitthi/internal/observe"
	"sitthi/internal/rekey"
	"sitthi/internal/retention"
	"sitthi/internal/store"
	"sitthi/legacy"
	"sitthi/notify"
	"sitthi/officer"
	"sitthi/person"
	"sitthi/portal"
	"sitthi/program"
	"sitthi/proof"
	"sitthi/signin"
	"sitthi/thaid"
	"sitthi/web"
)

// house is the program with everything in its place.
type house struct {
	*vault
	clock   clock.Clock
	log     *slog.Logger
	metrics *observe.Metrics

	roll      *person.Roll
	passwords *proof.Passwords
	codes     *proof.Codes
	outbox    *notify.Outbox
	sealer    *audit.Sealer
	publisher *audit.Publisher // nil when checkpoints are kept nowhere else
	prover    *audit.Prover
	book      *grant.Book
	officers  *officer.Desk
	signin    *signin.Desk
	thaid     *thaid.Client // nil where nobody signs in by ThaID
	agencies  agency.Desk
	portal    portal.Desk
	delivery  delivery.Desk
	programs  *program.Desk
	keys      *rekey.Desk
	retention *retention.Round
	decisions *program.Log

	legacy     *legacy.Desk
	help       *helpdesk.Desk
	lineSecret string
	drafts     *draft.Desk
}

// build puts everything in its place. public is the address that people type.
func build(v *vault, c *config.Serve, secrets config.Secrets, senders map[notify.Channel]notify.Sender, clk clock.Clock, log *slog.Logger, public *url.URL) (h *house, err error) {
	h = &house{vault: v, keys: keyDesk(v, log), clock: clk, log: log, metrics: observe.NewMetrics(version()), roll: person.NewRoll(v.ring)}
	h.outbox, err = notify.NewOutbox(notify.Options{DB: v.db, Ring: v.ring, Log: log, Senders: senders, KeepBodies: c.Demo || hooked, Keep: time.Duration(c.MessageDays) * retention.Day})
	if err != nil {
		return nil, err
	}
	if h.passwords, err = proof.NewPasswords(v.ring); err != nil {
		return nil, err
	}
	if h.sealer, err = audit.NewSealer(v.db, v.ring, log); err != nil {
		return nil, err
	}
	link := func(path string) string { return strings.TrimSuffix(public.String(), "/") + path }
	h.book = grant.NewBook(grant.Options{DB: v.db, Clock: clk, Roll: h.roll, Outbox: h.outbox, Link: link, Log: log, LockAfter: c.Lock.Officers()})
	h.codes = proof.NewCodes(proof.CodesOptions{
		Ring: v.ring, Outbox: h.outbox, Log: log, SMSBudget: c.SMSBudget, PerHour: c.CodesPerHour, PerDay: c.CodesPerDay,
	})
	h.officers = officer.NewDesk(officer.Options{
		DB: v.db, Roll: h.roll, Ring: v.ring, Passwords: h.passwords, Outbox: h.outbox, Codes: h.codes,
		Registered: h.book.Registered, Relocated: h.book.Relocated,
		Closed: func(ctx context.Context, tx *store.Tx, was officer.Account) error {
			if err := signin.Closed(ctx, tx, was.Person); err != nil {
				return err
			}
			return h.book.Closed(ctx, tx, was)
		},
		CheckDigit: officer.CheckDigit(c.CitizenIDCheck),
	})
	if h.thaid, err = thaidClient(&c.ThaID, secrets, clk, public); err != nil {
		return nil, err
	}
	site, err := signin.NewSite(public)
	if err != nil {
		return nil, err
	}
	h.signin = signin.NewDesk(signin.Options{
		DB: v.db, Roll: h.roll, Ring: v.ring, Site: site, Passwords: h.passwords, Codes: h.codes, Outbox: h.outbox, Log: log,
		ThaID: h.thaid, Identified: h.book.Identified, Link: link, Asked: h.book.Asked,
		Settings: signin.Settings{
			LockAfter: c.Lock.Officers(), Idle: c.SessionIdle, Absolute: c.SessionLimit, StepUp: c.StepUp,
			SessionsKept: time.Duration(c.SessionDays) * retention.Day,
			Address:      proof.Rate{Burst: c.SignInPerMinute, Every: time.Minute / time.Duration(c.SignInPerMinute)},
		},
	})
	reader := func(ctx context.Context, tx *store.Tx, by string) error {
		return h.book.RequireReader(ctx, tx, person.ID(by))
	}
	if h.prover, err = audit.NewProver(v.db, v.ring, reader); err != nil {
		return nil, err
	}
	administrator := func(ctx context.Context, tx *store.Tx, by string) error {
		return h.book.RequireAdministrator(ctx, tx, person.ID(by))
	}
	h.agencies = agency.Desk{DB: v.db, Administrator: administrator}
	h.portal = portal.Desk{DB: v.db, Administrator: administrator}
	h.delivery = delivery.Desk{DB: v.db, Outbox: h.outbox, Administrator: administrator}
	programs := program.Options{DB: v.db, Clock: clk, Book: h.book, Log: log}
	h.programs, h.decisions = program.NewDesk(programs), program.NewLog(programs)
	h.legacy = legacy.NewDesk(legacy.Options{
		DB: v.db, Ring: v.ring, Roll: h.roll, Book: h.book, Outbox: h.outbox, Link: link, Log: log,
		Limits:        legacy.Limits{File: c.ImportLimit, Unzipped: c.ImportUnzipped, Keep: c.ImportKeep},
		AnyCheckDigit: c.CitizenIDCheck != string(officer.CheckEnforce),
	})
	h.drafts = &draft.Desk{DB: v.db, Ring: v.ring}
	h.help = helpdesk.NewDesk(helpdesk.Options{
		DB: v.db, Ring: v.ring, Roll: h.roll, Book: h.book, SignIn: h.signin, Codes: h.codes, Outbox: h.outbox, Link: link, Log: log,
		LockAfter: c.Lock.Officers(), AnyCheckDigit: c.CitizenIDCheck != string(officer.CheckEnforce),
	})
	h.retention = retention.NewRound(v.db, log, h.kept(c))
	h.gauges()
	return h, nil
}

// doors makes the doors for people and for other programs. Which one a request is for tells its path.
func (h *house) doors(stopping context.Context, c *config.Serve, public *url.URL) (http.Handler, error) {
	people, err := h.door(stopping, c, public)
	if err != nil {
		return nil, err
	}
	programs, err := authzen.New(authzen.Options{
		Log: h.log, Metrics: h.metrics, Clock: h.clock, Book: h.book, People: person.NewFinder(h.db, h.roll),
		Programs: h.programs, Decisions: h.decisions, PublicURL: public, Timeout: c.RequestTimeout,
	})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if authzen.Serves(r.URL.Path) {
			programs.Handler().ServeHTTP(w, r)
			return
		}
		people.Handler().ServeHTTP(w, r)
	}), nil
}

// door makes the door for people. It calls itself not ready from the end of the context on.
func (h *house) door(stopping context.Context, c *config.Serve, public *url.URL) (*web.Server, error) {
	proxies := make([]netip.Prefix, len(c.Proxies))
	for i, p := range c.Proxies {
		proxies[i] = netip.Prefix(p)
	}
	var example web.Example
	if c.Demo {
		example = web.Example{Token: demoToken, Officer: demoApprover, Key: demoKey}
	}
	return web.New(web.Options{
		Log: h.log, Metrics: h.metrics, Clock: h.clock, Ring: h.ring,
		Agencies: h.agencies, Officers: h.officers, SignIn: h.signin, Book: h.book, Portal: h.portal, Outbox: h.outbox, Delivery: h.delivery,
		Programs: h.programs, Decisions: h.decisions, Prover: h.prover,
		Legacy: h.legacy, Help: h.help, LineSecret: h.lineSecret, Dossiers: dossier.Desk{DB: h.db, Roll: h.roll}, Drafts: h.drafts,
		Ready: func(ctx context.Context) error {
			if stopping.Err() != nil {
				return errors.New("the program is stopping")
			}
			return h.ready(ctx)
		},
		PublicURL: public, Proxies: proxies, Example: example, Demo: c.Demo, RequireFactor: c.RequireFactor, FormLimit: c.FormLimit, Timeout: c.RequestTimeout,
	})
}

// ready tells why the program can not serve, or nil.
func (h *house) ready(ctx context.Context) error {
	have, want, err := h.db.Migrated(ctx)
	switch {
	case err != nil:
		return err
	case have < want: // a newer one is fine: its migrations suit the programs that run while they are replaced
		return fmt.Errorf("the database is at version %d, the program needs %d", have, want)
	case !h.book.Loaded():
		return errors.New("the rights are not loaded")
	case !h.programs.Loaded():
		return errors.New("the programs that may ask are not loaded")
	}
	return nil
}

// work does what is done without anyone asking, until the context ends: the first that fails ends all.
func (h *house) work(ctx context.Context, g *errgroup.Group) {
	g.Go(func() error { return h.book.Follow(ctx) })
	g.Go(func() error { return h.keys.Follow(ctx) })
	g.Go(func() error { return h.sealer.Run(ctx) })
	g.Go(func() error { return h.outbox.Run(ctx) })
	g.Go(func() error { return h.programs.Follow(ctx) })
	g.Go(func() error { return h.decisions.Run(ctx) })
	if h.publisher != nil {
		g.Go(func() error { return h.publisher.Run(ctx) })
	}
	g.Go(func() error { return h.legacy.Run(ctx) })
	start := h.clock.Now()
	g.Go(func() error { return h.remind(ctx, start) })
	g.Go(func() error { return h.retention.Run(ctx) })
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"sitthi/internal/config"
	"sitthi/internal/observe"
	"sitthi/internal/store"
	"sitthi/notify"
)

// serveCommand serves the pages until it is told to stop.
type serveCommand struct {
	config.Serve `embed:""`
}

// Run serves until the context ends; then requests under way are finished, up to a limit. To be told to stop while it
// still starts is no failure: what was begun is not kept, and the next start begins it again.
func (c *serveCommand) Run(ctx context.Context, sh *shell, secrets config.Secrets) (err error) {
	log := observe.NewLogger(sh.err, c.Format, c.Level)
	starting := true
	defer func() {
		if starting && err != nil && ctx.Err() != nil {
			log.Info("stopped while starting", "why", err)
			err = nil
		}
	}()
	tlsConfig, err := certificates(&c.Serve, secrets)
	if err != nil {
		return err
	}
	senders, err := senders(&c.Serve, secrets, log)
	if err != nil {
		return err
	}
	checkpoints, err := destination(&c.Serve, secrets, log)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, "listen", c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close() // a second time after the server has; it can not fail in a way that matters
	address := addressOf(c.Listen, listener, tlsConfig != nil)
	public := c.PublicURL
	if public == nil {
		public = address
	}
	clk := newClock()
	v, err := openNew(ctx, &c.Database, secrets, clk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.db.Close()) }()
	purpose := purposeReal
	if c.Demo {
		purpose = purposeDemo
	}
	if err := dedicate(ctx, v.db, purpose); err != nil {
		return err
	}
	h, err := build(v, &c.Serve, secrets, senders, clk, log, public)
	if err != nil {
		return err
	}
	if h.lineSecret, err = lineSecret(&c.Serve, secrets); err != nil {
		return err
	}
	if err := h.publish(checkpoints); err != nil {
		return err
	}
	if c.Demo {
		if err := h.seedDemo(ctx); err != nil {
			return err
		}
	}
	if err := h.book.Load(ctx); err != nil {
		return err
	}
	if err := h.programs.CatchUp(ctx); err != nil {
		return err
	}
	door, err := h.doors(ctx, &c.Serve, public)
	if err != nil {
		return err
	}
	if err := warn(ctx, log, public, v.db); err != nil {
		return err
	}
	servers := []served{{listener, &http.Server{
		Handler: door, TLSConfig: tlsConfig, MaxHeaderBytes: 64 << 10,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: c.RequestTimeout, WriteTimeout: c.RequestTimeout + 10*time.Second,
		IdleTimeout: 2 * time.Minute,
	}}}
	if c.Metrics != config.Off {
		l, err := listen(ctx, "metrics", c.Metrics)
		if err != nil {
			return err
		}
		defer l.Close() // as above
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", h.metrics.Handler(log))
		servers = append(servers, served{l, &http.Server{
			Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		}})
		fmt.Fprintf(sh.out, "metrics on http://%s/metrics\n", l.Addr())
	}
	fmt.Fprintf(sh.out, "listening on %s\n", address)
	if c.Demo {
		if err := showDemo(sh.out, public.String()); err != nil {
			return err
		}
	}
	starting = false
	return h.serve(ctx, servers, c.StopTimeout)
}

// served is a server with the place it listens at.
type served struct {
	listener net.Listener
	server   *http.Server
}

// serve runs the servers and the background work. When the context ends, or one of them fails, the servers finish
// what is under way, then the work stops: what the last requests left to do is still begun.
func (h *house) serve(ctx context.Context, servers []served, stopTimeout time.Duration) error {
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	work, working := errgroup.WithContext(working)
	h.work(working, work)

	serving, failed := errgroup.WithContext(ctx)
	for _, s := range servers {
		s.server.ErrorLog = slog.NewLogLogger(h.log.Handler(), slog.LevelWarn)
		serving.Go(func() error {
			var err error
			if s.server.TLSConfig != nil {
				err = s.server.ServeTLS(s.listener, "", "")
			} else {
				err = s.server.Serve(s.listener)
			}
			if errors.Is(err, http.ErrServerClosed) {
				return nil
			}
			return fmt.Errorf("serve: %w", err)
		})
	}
	serving.Go(func() error {
		select {
		case <-failed.Done(): // told to stop, or a server failed
		case <-working.Done(): // the work failed
		}
		h.log.Info("stopping")
		// The rest is for the messages on their way when the last request is through.
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(stopTimeout-notify.StopPatience, stopTimeout/2))
		defer cancel()
		var errs []error
		for _, s := range servers {
			err := s.server.Shutdown(limit)
			if errors.Is(err, context.DeadlineExceeded) {
				h.log.Warn("requests were cut off", "after", stopTimeout)
				err = s.server.Close()
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	err := serving.Wait()
	stopWork()
	return errors.Join(err, work.Wait())
}

// listen takes an address; when another program has it, that is said.
func listen(ctx context.Context, flag, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, config.Wrong(flag, "%s is in use by another program: stop it, or choose another address", address)
	}
	if err != nil {
		return nil, config.Wrong(flag, "%w", err)
	}
	return l, nil
}

// addressOf is where the pages are found: the host as it was set and the port that was taken.
func addressOf(setting string, l net.Listener, encrypted bool) *url.URL {
	host, _, err := net.SplitHostPort(setting)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil { // a listener on TCP has a port
		port = "0"
	}
	u := &url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}
	if encrypted {
		u.Scheme = "https"
	}
	return u
}

// warn says in the log when passwords would travel in the clear, and when a power cut would lose what was answered.
func warn(ctx context.Context, log *slog.Logger, public *url.URL, db *store.DB) error {
	host := public.Hostname()
	ip := net.ParseIP(host)
	if public.Scheme == "http" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		log.Warn("passwords travel unencrypted: use --tls-cert, or a proxy with TLS and --public-url https://…")
	}
	settings, err := db.AtRisk(ctx)
	if err != nil {
		return err
	}
	for _, name := range settings {
		log.Warn("a power cut can lose what was acknowledged: switch the setting on in PostgreSQL", "setting", name)
	}
	return nil
}

package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"sitthi/internal/thai"
	"sitthi/notify"
	"sitthi/signin"
	"sitthi/web/views"
)

func (s *Server) demoRoutes() []Route {
	return []Route{{Pattern: "GET /demo/outbox", Access: DemoOnly, Handle: s.outbox}}
}

// outboxShown is how many messages the demonstration shows.
const outboxShown = 100

// outbox shows the messages that a real installation would have sent, and the code that an app would show.
func (s *Server) outbox(w http.ResponseWriter, r *http.Request, v *Visit) error {
	list, err := s.Outbox.List(r.Context(), outboxShown)
	if err != nil {
		return err
	}
	p := v.Page("web.outbox")
	p.Subtitle = v.T("web.outbox_note")
	p.Narrow = true
	kinds := map[notify.State]views.BadgeKind{
		notify.Waiting: views.BadgeWaiting, notify.Sent: views.BadgeOK, notify.Dead: views.BadgeDanger,
	}
	messages := make([]views.OutboxMessage, len(list))
	for i, m := range list {
		title := v.T("web.outbox_" + string(m.Channel))
		if m.Subject != "" {
			title += ": " + m.Subject
		}
		messages[i] = views.OutboxMessage{
			Title: title, To: m.To, At: thai.Moment(m.CreatedAt).InLanguage(string(v.Lang)),
			State: v.T("web.outbox_" + string(m.State)), Kind: kinds[m.State],
			Lines: strings.Split(strings.TrimSpace(m.Text), "\n"),
		}
	}
	var app *views.DemoApp
	if s.Example.Key != "" {
		if app, err = s.demoApp(v); err != nil {
			return err
		}
	}
	return s.show(w, r, v, http.StatusOK, p, views.Outbox(p, app, messages))
}

// demoApp is what the app of the demonstration's people shows now, and what it will show next.
func (s *Server) demoApp(v *Visit) (*views.DemoApp, error) {
	app := views.DemoApp{Key: s.Example.Key, At: thai.Moment(v.Now)}
	var err error
	if app.Now, err = signin.AppCode(app.Key, v.Now); err != nil {
		return nil, fmt.Errorf("show code of app: %w", err)
	}
	if app.Next, err = signin.AppCode(app.Key, v.Now.Add(30*time.Second)); err != nil {
		return nil, fmt.Errorf("show code of app: %w", err)
	}
	return &app, nil
}

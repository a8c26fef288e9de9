//go:build testhooks

package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"sitthi/internal/clock"
	"sitthi/notify"
)

// hookRoutes let black-box tests set the clock and read the messages. This file is not in the released program.
func (s *Server) hookRoutes() []Route {
	return []Route{
		{Pattern: "PUT /testhooks/clock", Access: Open, Handle: s.setClock},
		{Pattern: "GET /testhooks/outbox", Access: Open, Handle: s.readOutbox},
	}
}

// clockOrder is how a test sets the clock: to a moment, or on by a duration such as "1440h". The clock runs on from
// there unless it is to stand still.
type clockOrder struct {
	Now     time.Time `json:"now"`
	Advance string    `json:"advance"`
	Frozen  bool      `json:"frozen"`
}

func (s *Server) setClock(w http.ResponseWriter, r *http.Request, _ *Visit) error {
	manual, ok := s.Clock.(*clock.Manual)
	if !ok {
		return fmt.Errorf("set clock: it is a %T", s.Clock)
	}
	var order clockOrder
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
		return errForm
	}
	now := order.Now
	if now.IsZero() {
		now = manual.Now()
	}
	if order.Advance != "" {
		by, err := time.ParseDuration(order.Advance)
		if err != nil {
			return errForm
		}
		now = now.Add(by)
	}
	if order.Frozen {
		manual.Set(now)
	} else {
		manual.Run(now)
	}
	return answerJSON(w, clockOrder{Now: manual.Now(), Frozen: order.Frozen})
}

func (s *Server) readOutbox(w http.ResponseWriter, r *http.Request, _ *Visit) error {
	list, err := s.Outbox.List(r.Context(), 1000)
	if err != nil {
		return err
	}
	return answerJSON(w, struct {
		Messages []notify.Delivery `json:"messages"`
	}{list})
}

func answerJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}

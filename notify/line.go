package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// LineOptions say where the Messaging API of LINE is, and who sends there.
type LineOptions struct {
	// URL is the base address, https://api.line.me when empty.
	URL string
	// Token is the channel access token.
	Token string
	// Private allows an address on a private network or this machine, and plain HTTP to it.
	Private bool
}

// Line pushes messages to LINE users (https://developers.line.biz/en/reference/messaging-api/#send-push-message).
type Line struct {
	address string
	token   string
	client  *http.Client
}

// NewLine checks the options and makes the sender; it does not connect yet.
func NewLine(o LineOptions) (*Line, error) {
	if o.URL == "" {
		o.URL = "https://api.line.me"
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("LINE: the address is not usable")
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && o.Private) {
		return nil, errors.New("LINE: the address begins with https://")
	}
	if o.Token == "" || strings.ContainsAny(o.Token, "\r\n") {
		return nil, errors.New("LINE: there is no channel access token")
	}
	return &Line{address: strings.TrimSuffix(u.String(), "/") + "/v2/bot/message/push", token: o.Token, client: outward(o.Private, nil)}, nil
}

// lineText is one message of the type text.
type lineText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// Send implements Sender. The parcel's ID is the retry key, by which LINE tells a repetition and answers 409.
func (l *Line) Send(ctx context.Context, p Parcel) (err error) {
	body, err := json.Marshal(struct {
		To       string     `json:"to"`
		Messages []lineText `json:"messages"`
	}{p.To, []lineText{{"text", p.Text}}})
	if err != nil {
		return fmt.Errorf("LINE: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.address, bytes.NewReader(body))
	if err != nil {
		return errors.New("LINE: the request can not be made")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+l.token)
	request.Header.Set("X-Line-Retry-Key", p.ID)
	response, err := l.client.Do(request)
	if err != nil {
		return fmt.Errorf("LINE: %w", err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, gatewayRead)); err != nil {
		return fmt.Errorf("LINE: read answer: %w", err)
	}
	switch status := response.StatusCode; {
	case status >= 200 && status < 300, status == http.StatusConflict: // taken now, or at an attempt before
		return nil
	case status == http.StatusBadRequest, status == http.StatusForbidden, status == http.StatusNotFound:
		return fmt.Errorf("LINE: answered %d: %w", status, ErrRefused)
	default:
		return fmt.Errorf("LINE: answered %d", status)
	}
}

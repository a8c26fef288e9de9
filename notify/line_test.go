package notify

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestLine speaks to a LINE that answers as the Messaging API does.
func TestLine(t *testing.T) {
	status := http.StatusOK
	var got struct {
		To       string
		Messages []struct{ Type, Text string }
	}
	var header http.Header
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &got)
		}
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v2/bot/message/push" {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		header = r.Header
		w.WriteHeader(status)
	}))
	defer api.Close()
	line, err := NewLine(LineOptions{URL: api.URL, Token: "a token", Private: true})
	if err != nil {
		t.Fatal(err)
	}
	parcel := Parcel{ID: "0192f3a1-7b1c-7def-8a90-123456789012", To: "U4af4980629", Text: "รับเรื่องแล้ว"}
	for answer, want := range map[int]struct{ fails, refused bool }{
		200: {false, false}, 409: {false, false}, 400: {true, true}, 429: {true, false}, 500: {true, false},
	} {
		status = answer
		err := line.Send(t.Context(), parcel)
		if (err != nil) != want.fails || errors.Is(err, ErrRefused) != want.refused {
			t.Errorf("answered %d: %v", answer, err)
		}
	}
	if got.To != parcel.To || len(got.Messages) != 1 || got.Messages[0].Text != parcel.Text || got.Messages[0].Type != "text" ||
		header.Get("Authorization") != "Bearer a token" || header.Get("X-Line-Retry-Key") != parcel.ID {
		t.Errorf("pushed %+v with %v", got, header)
	}
	for _, o := range []LineOptions{{URL: api.URL, Token: "x"}, {Token: ""}, {Token: "a\r\nb"}, {URL: "::", Token: "x"}} {
		if _, err := NewLine(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

package observe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPersonalDataIsStruckOut(t *testing.T) {
	for in, want := range map[string]string{
		"citizen 3990000000104 here":               "citizen [number] here",
		"3-9900-00000-10-4":                        "[number]",
		"3 9900 00000 10 4":                        "[number]",
		"๓๙๙๐๐๐๐๐๐๐๑๐๔":                            "[number]",
		"3990000000104 3990000000112":              "[number] [number]",
		"call 081-234-5678, or +66812345678":       "call [number], or [number]",
		"from somchai.j@diw.mail.go.th: refused":   "from [e-mail]: refused",
		"สมชาย@ตัวอย่าง.ไทย":                       "[e-mail]",
		"0192f3a1-7b1c-7def-8a90-123456789012":     "0192f3a1-7b1c-7def-8a90-123456789012",
		"1763780400000000":                         "1763780400000000",
		"127.0.0.1:54321":                          "127.0.0.1:54321",
		"2026-11-22T10:00:00.123456789Z":           "2026-11-22T10:00:00.123456789Z",
		"took 12.345678901234ms, 65536 of 1048576": "took 12.345678901234ms, 65536 of 1048576",
	} {
		if got := strike(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestLogger(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(&out, "json", slog.LevelInfo).With("part", "x").WithGroup("g")
	ctx := WithRequest(context.Background(), "ABC")
	log.InfoContext(ctx, "said", "error", errors.New("no 3990000000104"), "list", []string{"a@b.go.th"})
	log.Debug("not said")
	for _, part := range []string{`"request":"ABC"`, `"error":"no [number]"`, `"list":"[[e-mail]]"`, `"part":"x"`} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("the line lacks %s: %s", part, out.String())
		}
	}
	if strings.Count(out.String(), "\n") != 1 {
		t.Errorf("lines: %s", out.String())
	}
	out.Reset()
	NewLogger(&out, "text", slog.LevelInfo).Info("said", "n", 1)
	if !strings.Contains(out.String(), "msg=said n=1") {
		t.Errorf("text: %s", out.String())
	}
}

// watched serves one request through a Watch over a mux, and answers what was answered, logged and measured.
func watched(t *testing.T, method, target string) (status int, body, logged, measured string) {
	t.Helper()
	var out bytes.Buffer
	log := NewLogger(&out, "text", slog.LevelInfo)
	m := NewMetrics("v1")
	m.Gauges(func(context.Context) ([]float64, error) { return []float64{7, 8}, nil },
		Figure{"sitthi_fine", "Fine."}, Figure{"sitthi_good", "Good."})
	m.Gauges(func(context.Context) ([]float64, error) { return nil, errors.New("no database") }, Figure{"sitthi_broken", "Broken."})
	m.Gauges(func(context.Context) ([]float64, error) { return nil, nil }, Figure{"sitthi_forgotten", "Forgotten."})
	m.Total("sitthi_refused_total", "Refused.", func() uint64 { return 3 })
	m.Counter("sitthi_events_total", "Events.")()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /person/{id}", func(w http.ResponseWriter, r *http.Request) {
		if RequestOf(r.Context()) == "" {
			t.Error("no request id")
		}
		w.WriteHeader(http.StatusTeapot)
		if _, err := io.WriteString(w, "hello"); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("citizen 3990000000104") })
	mux.HandleFunc("GET /half", func(w http.ResponseWriter, _ *http.Request) {
		if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
			t.Error(err)
		}
		panic("late")
	})
	mux.HandleFunc("GET /silent", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(Watch{
		Log: log, Metrics: m, Quiet: func(pattern string) bool { return pattern == "GET /silent" },
		Panicked: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "sorry", http.StatusInternalServerError) },
	}.Handler(mux))
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Request-ID", "from-outside")
	if answer, err := server.Client().Do(request); err == nil {
		raw, readErr := io.ReadAll(answer.Body)
		status, body = answer.StatusCode, string(raw)
		if readErr != nil {
			status = 0
		}
		if err := answer.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	server.Close() // waits for the request, so that its line is written
	rec := httptest.NewRecorder()
	m.Handler(log).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	return status, body, out.String(), rec.Body.String()
}

func TestWatch(t *testing.T) {
	status, body, logged, measured := watched(t, "GET", "/person/somchai?citizen=3990000000104")
	if status != http.StatusTeapot || body != "hello" {
		t.Errorf("answered %d %q", status, body)
	}
	if !strings.Contains(logged, `pattern="GET /person/{id}" status=418 bytes=5`) || strings.Contains(logged, "somchai") || strings.Contains(logged, "from-outside") {
		t.Errorf("logged %s", logged)
	}
	for _, part := range []string{
		`sitthi_http_request_seconds_count{method="GET",route="GET /person/{id}",status="418"} 1`,
		`sitthi_http_requests_in_flight 0`, `sitthi_panics_total 0`, `sitthi_build_info{version="v1"} 1`, `sitthi_fine 7`, `sitthi_good 8`, `sitthi_refused_total 3`, `# TYPE sitthi_refused_total counter`, `sitthi_events_total 1`,
	} {
		if !strings.Contains(measured, part) {
			t.Errorf("metrics lack %s", part)
		}
	}
	if strings.Contains(measured, "\nsitthi_broken") || strings.Contains(measured, "\nsitthi_forgotten") {
		t.Error("a figure that could not be read is shown")
	}
}

func TestWatchAnswersPanics(t *testing.T) {
	status, body, logged, measured := watched(t, "GET", "/panic")
	if status != http.StatusInternalServerError || body != "sorry\n" {
		t.Errorf("answered %d %q", status, body)
	}
	if !strings.Contains(logged, "[number]") || strings.Contains(logged, "3990000000104") || !strings.Contains(logged, "stack=") {
		t.Errorf("logged %s", logged)
	}
	if !strings.Contains(measured, "sitthi_panics_total 1") {
		t.Error("the panic was not counted")
	}
}

func TestHalfAnAnswerIsNoAnswer(t *testing.T) {
	if status, _, _, _ := watched(t, "GET", "/half"); status != 0 {
		t.Errorf("a broken answer looked whole: %d", status)
	}
}

func TestQuietAndUnknown(t *testing.T) {
	if _, _, logged, _ := watched(t, "GET", "/silent"); strings.Contains(logged, "request") && strings.Contains(logged, "silent") {
		t.Errorf("a quiet request was logged: %s", logged)
	}
	_, _, logged, measured := watched(t, "BREW", "/nowhere/somchai")
	if strings.Contains(logged, "somchai") || strings.Contains(logged+measured, "BREW") {
		t.Errorf("what a stranger typed was logged: %s", logged)
	}
}

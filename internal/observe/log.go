// Package observe tells operators what the program does: logs, metrics and request ids, without personal data.
package observe

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"regexp"
)

// NewLogger makes a logger that writes to w in the format "text" or "json". Every line made with a request's context
// carries the request's id. What looks like a citizen ID, a phone number or an e-mail address is struck out wherever
// it turns up, in case it has found its way into the text of an error.
func NewLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		a.Value = strikeValue(a.Value)
		return a
	}}
	var h slog.Handler = slog.NewTextHandler(w, o)
	if format == "json" {
		h = slog.NewJSONHandler(w, o)
	}
	return slog.New(named{h})
}

var (
	email = regexp.MustCompile(`[\pL\pM\pN._%+-]+@[\pL\pM\pN-]+(\.[\pL\pM\pN-]+)+`)
	// Thirteen digits or a Thai phone number, in Thai or other digits, with or without hyphens and spaces, but not
	// the middle of a longer run such as a UUID or a time in microseconds.
	digits = regexp.MustCompile(`(^|[^\pN\pL.:-])((?:\p{Nd}[ -]?){12}\p{Nd}|(?:\+66|[0๐])[ -]?(?:\p{Nd}[ -]?){7,8}\p{Nd})($|[^\pN\pL.:-])`)
)

// strike takes out what looks like personal data.
func strike(s string) string {
	s = email.ReplaceAllString(s, "[e-mail]")
	// Twice, because two numbers in a row share the character between them.
	s = digits.ReplaceAllString(s, "$1[number]$3")
	return digits.ReplaceAllString(s, "$1[number]$3")
}

func strikeValue(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindString:
		return slog.StringValue(strike(v.String()))
	case slog.KindAny:
		switch a := v.Any().(type) {
		case error:
			return slog.StringValue(strike(a.Error()))
		case fmt.Stringer:
			return slog.StringValue(strike(a.String()))
		case *slog.Source:
			return v
		default:
			return slog.StringValue(strike(fmt.Sprint(a)))
		}
	}
	return v
}

// named adds the id of the request to every line.
type named struct{ slog.Handler }

// Handle implements slog.Handler.
func (h named) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestOf(ctx); id != "" {
		r.AddAttrs(slog.String("request", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h named) WithAttrs(attrs []slog.Attr) slog.Handler { return named{h.Handler.WithAttrs(attrs)} }

// WithGroup implements slog.Handler.
func (h named) WithGroup(name string) slog.Handler { return named{h.Handler.WithGroup(name)} }

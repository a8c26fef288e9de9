// Package problem names the failures a person is told about; every other error stays inside and is answered with a reference.
package problem

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind is the class of a failure. A Kind is itself an error, so that callers ask errors.Is(err, problem.Denied).
type Kind string

// The kinds, each with the HTTP status that doors answer with.
const (
	Invalid  Kind = "invalid"  // 422: input the person can mend, per field
	Denied   Kind = "denied"   // 403: the right is lacking; audited
	NotFound Kind = "notfound" // 404: absent, or not theirs to see: the same answer
	Conflict Kind = "conflict" // 409: it exists, or someone was first
	Locked   Kind = "locked"   // 423: somebody else must reopen it
	Busy     Kind = "busy"     // 503, or 429 when the caller asked too often: later, with Retry-After
)

// Error makes a Kind an error to compare with.
func (k Kind) Error() string { return string(k) }

// Field is one input that must be mended. Key is a message key of the doors' catalogue.
type Field struct {
	Name string
	Key  string
	Args map[string]any
}

// Problem is a failure to tell a person: what kind, and the key of the message that says it in her language.
type Problem struct {
	Kind   Kind
	Key    string
	Args   map[string]any
	Fields []Field
	// RetryAfter is how long to wait before trying again; only for Busy.
	RetryAfter time.Duration
	// TooMany marks a Busy that the caller brought about by asking too often (429 rather than 503).
	TooMany bool
}

// Error describes the problem for logs: kind and keys only, never the arguments, which may be personal data.
func (p *Problem) Error() string {
	if len(p.Fields) == 0 {
		return fmt.Sprintf("%s: %s", p.Kind, p.Key)
	}
	parts := make([]string, len(p.Fields))
	for i, f := range p.Fields {
		parts[i] = f.Name + "=" + f.Key
	}
	return fmt.Sprintf("%s: %s [%s]", p.Kind, p.Key, strings.Join(parts, " "))
}

// Is reports whether the target is this problem's kind.
func (p *Problem) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == p.Kind
}

// New makes a problem of a kind with a message key and its arguments, given as name, value, name, value.
func New(kind Kind, key string, args ...any) *Problem {
	return &Problem{Kind: kind, Key: key, Args: Args(args...)}
}

// Args turns name, value, name, value into a map; it panics on an odd count or a name that is no string,
// which is a mistake of the programmer.
func Args(args ...any) map[string]any {
	if len(args) == 0 {
		return nil
	}
	if len(args)%2 != 0 {
		panic("problem: arguments must come in pairs")
	}
	m := make(map[string]any, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		m[args[i].(string)] = args[i+1]
	}
	return m
}

// Check collects the faults of one form, so that a person is told all of them at once.
// The zero value is ready for use.
type Check struct {
	fields []Field
}

// Fail notes that the field is wrong, with the message key that says how. Only a field's first fault is kept.
func (c *Check) Fail(field, key string, args ...any) {
	for _, f := range c.fields {
		if f.Name == field {
			return
		}
	}
	c.fields = append(c.fields, Field{Name: field, Key: key, Args: Args(args...)})
}

// Merge adds the fields of another Invalid problem; it returns any other error as it is.
func (c *Check) Merge(err error) error {
	if err == nil {
		return nil
	}
	var p *Problem
	if !errors.As(err, &p) || p.Kind != Invalid {
		return err
	}
	for _, f := range p.Fields {
		c.Fail(f.Name, f.Key)
		for i := range c.fields {
			if c.fields[i].Name == f.Name && c.fields[i].Key == f.Key {
				c.fields[i].Args = f.Args
			}
		}
	}
	return nil
}

// Failed reports whether any fault was noted, in the field named or, without a name, anywhere.
func (c *Check) Failed(field ...string) bool {
	if len(field) == 0 {
		return len(c.fields) > 0
	}
	for _, f := range c.fields {
		if f.Name == field[0] {
			return true
		}
	}
	return false
}

// Err returns an Invalid problem with all faults noted, or nil when there is none.
func (c *Check) Err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return &Problem{Kind: Invalid, Key: "problem.invalid", Fields: c.fields}
}

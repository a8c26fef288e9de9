package authzen

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// malformed is a request that is not as the specification says; its text is for the programmer who sent it.
type malformed string

// Error implements error.
func (m malformed) Error() string { return string(m) }

func wrong(format string, args ...any) error { return malformed(fmt.Sprintf(format, args...)) }

// object is a member that must be an object if it is there, and of which nothing is used.
type object struct{}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (*object) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	if kind := in.PeekKind(); kind != '{' && kind != 'n' {
		if err := in.SkipValue(); err != nil {
			return err
		}
		return errors.New("not an object")
	}
	return in.SkipValue()
}

// entity is a subject (§5.1) or resource (§5.2) as it is sent.
type entity struct {
	Type       string `json:"type"`
	ID         string `json:"id"`
	Properties object `json:"properties"`
}

// sort is the subject or resource that a search looks for: its id is not even looked at (§8.4.1, §8.5.1).
type sort struct {
	Type       string `json:"type"`
	Properties object `json:"properties"`
}

// deed is an action (§5.3) as it is sent.
type deed struct {
	Name       string `json:"name"`
	Properties object `json:"properties"`
}

// situation is the context (§5.4) as it is sent: what Sitthi understands of it.
type situation struct {
	At      *string `json:"at"`
	Explain *bool   `json:"explain"`
}

// tuple is one evaluation as it is sent (§6.1), whole or with parts left to the defaults (§7.1.1).
type tuple struct {
	Subject  *entity    `json:"subject"`
	Action   *deed      `json:"action"`
	Resource *entity    `json:"resource"`
	Context  *situation `json:"context"`
}

// batch is a request for several evaluations (§7.1).
type batch struct {
	tuple
	Evaluations []*tuple `json:"evaluations"`
	Options     *struct {
		Semantic *string `json:"evaluations_semantic"`
	} `json:"options"`
}

// page is what a search says of paging (§8.2.1).
type page struct {
	Token      *string `json:"token"`
	Limit      *uint64 `json:"limit"`
	Properties object  `json:"properties"`
}

// The three searches (§8.4.1, §8.5.1, §8.6.1).
type (
	subjectSearch struct {
		Subject  *sort      `json:"subject"`
		Action   *deed      `json:"action"`
		Resource *entity    `json:"resource"`
		Context  *situation `json:"context"`
		Page     *page      `json:"page"`
	}
	resourceSearch struct {
		Subject  *entity    `json:"subject"`
		Action   *deed      `json:"action"`
		Resource *sort      `json:"resource"`
		Context  *situation `json:"context"`
		Page     *page      `json:"page"`
	}
	actionSearch struct {
		Subject  *entity    `json:"subject"`
		Resource *entity    `json:"resource"`
		Context  *situation `json:"context"`
		Page     *page      `json:"page"`
	}
)

// parse reads a body strictly, as I-JSON (RFC 7493) wants it: UTF-8, no name twice in an object, nothing after the
// end. Members that nobody knows are passed over.
func parse(body []byte, into any) error {
	err := json.Unmarshal(body, into)
	var meaning *json.SemanticError
	var grammar *jsontext.SyntacticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &meaning):
		return wrong("%s is not of the type that it must have", named(meaning.JSONPointer))
	case errors.As(err, &grammar):
		return wrong("the body is not JSON: at byte %d, %v", grammar.ByteOffset, grammar.Err)
	}
	return wrong("the body is not JSON")
}

// named writes where in the body something is as programmers would: evaluations[2].subject.id.
func named(at jsontext.Pointer) string {
	var name strings.Builder
	for token := range at.Tokens() {
		switch {
		case token != "" && strings.Trim(token, "0123456789") == "":
			name.WriteString("[" + token + "]")
		case name.Len() > 0:
			name.WriteString("." + token)
		default:
			name.WriteString(token)
		}
	}
	if name.Len() == 0 {
		return "the body"
	}
	return name.String()
}

// thing is a subject or a resource that was named in full.
type thing struct{ kind, id string }

// question is one evaluation with all that it needs.
type question struct {
	subject  thing
	action   string
	resource thing
	at       time.Time // zero: now
	explain  bool
}

// reading takes the parts of a request one after the other and keeps the first fault.
type reading struct {
	item int // of a batch, from 0; alone when the request is none
	err  error
}

// alone says that a request is no part of a batch.
const alone = -1

// fail notes what is wrong with a member of the request.
func (r *reading) fail(member, fault string) {
	if r.err != nil {
		return
	}
	if r.item != alone {
		member = fmt.Sprintf("evaluations[%d].%s", r.item, member)
	}
	r.err = wrong("%s %s", member, fault)
}

// missing is what is not there. An empty string names nothing, and a null stands for a member left out (§11.5).
const missing = "is missing"

func (r *reading) entity(e *entity, name string) thing {
	switch {
	case e == nil:
		r.fail(name, missing)
	case e.Type == "":
		r.fail(name+".type", missing)
	case e.ID == "":
		r.fail(name+".id", missing)
	default:
		return thing{e.Type, e.ID}
	}
	return thing{}
}

func (r *reading) sort(s *sort, name string) string {
	switch {
	case s == nil:
		r.fail(name, missing)
	case s.Type == "":
		r.fail(name+".type", missing)
	default:
		return s.Type
	}
	return ""
}

func (r *reading) deed(d *deed) string {
	switch {
	case d == nil:
		r.fail("action", missing)
	case d.Name == "":
		r.fail("action.name", missing)
	default:
		return d.Name
	}
	return ""
}

func (r *reading) moment(s *situation) (at time.Time) {
	if s == nil || s.At == nil {
		return time.Time{}
	}
	switch err := at.UnmarshalText([]byte(*s.At)); {
	case err != nil:
		r.fail("context.at", "is not a time as RFC 3339 writes it, such as 2026-11-05T09:00:00+07:00")
	case at.Year() <= 1:
		// What programs send who forgot to set a moment; within it lies the zero time, which stands for now here.
		r.fail("context.at", "is a moment that was never set")
	}
	return at.UTC().Truncate(time.Microsecond)
}

// complete makes a question of what was sent.
func (t *tuple) complete(item int) (question, error) {
	r := reading{item: item}
	q := question{
		subject: r.entity(t.Subject, "subject"), action: r.deed(t.Action), resource: r.entity(t.Resource, "resource"),
		at: r.moment(t.Context), explain: t.Context != nil && t.Context.Explain != nil && *t.Context.Explain,
	}
	return q, r.err
}

// inherit takes what a tuple does not name itself from the defaults, each part whole (§7.1.1).
func (t *tuple) inherit(defaults *tuple) {
	if t.Subject == nil {
		t.Subject = defaults.Subject
	}
	if t.Action == nil {
		t.Action = defaults.Action
	}
	if t.Resource == nil {
		t.Resource = defaults.Resource
	}
	if t.Context == nil {
		t.Context = defaults.Context
	}
}

// semantic says when a batch ends (§7.1.2.1).
type semantic string

// The semantics. Only these may be asked for.
const (
	executeAll          semantic = "execute_all"
	denyOnFirstDeny     semantic = "deny_on_first_deny"
	permitOnFirstPermit semantic = "permit_on_first_permit"
)

// after reports whether an answer ends the batch, so that nothing behind it is asked.
func (s semantic) after(allowed bool) bool {
	return s == denyOnFirstDeny && !allowed || s == permitOnFirstPermit && allowed
}

// mostEvaluations is how many evaluations one request may hold.
const mostEvaluations = 500

// questions answers what a batch asks, in order. single says that it is no batch and wants one decision: the array is
// not there, or empty.
func (b *batch) questions() (list []question, s semantic, single bool, err error) {
	s = executeAll
	if b.Options != nil && b.Options.Semantic != nil {
		switch s = semantic(*b.Options.Semantic); s {
		case executeAll, denyOnFirstDeny, permitOnFirstPermit:
		default:
			return nil, "", false, wrong("options.evaluations_semantic is none of %s, %s, %s", executeAll, denyOnFirstDeny, permitOnFirstPermit)
		}
	}
	switch n := len(b.Evaluations); {
	case n == 0:
		q, err := b.complete(alone)
		return []question{q}, s, true, err
	case n > mostEvaluations:
		return nil, "", false, wrong("%d evaluations, and at most %d may come in one request", n, mostEvaluations)
	}
	list = make([]question, len(b.Evaluations))
	for i, t := range b.Evaluations {
		if t == nil {
			return nil, "", false, wrong("evaluations[%d] is not an object", i)
		}
		t.inherit(&b.tuple)
		if list[i], err = t.complete(i); err != nil {
			return nil, "", false, err
		}
	}
	return list, s, false, nil
}

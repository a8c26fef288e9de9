// Package audit records who did what, where and why in the transaction that does it, and seals the entries into a
// log that can not be changed unseen.
package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"sitthi/internal/problem"
	"sitthi/internal/store"
)

// Actors that are no persons. A visitor who has not signed in is "".
const (
	Terminal = "terminal" // someone at the server's command line
	System   = "system"   // the program itself
)

// The outcomes of an act.
const (
	Done   = "done"
	Denied = "denied"
)

// Act is what somebody does.
type Act struct {
	// Name is what is done, as package and verb: "grant.give".
	Name string
	// Actor is the id of the person who does it, Terminal, System, or "" for a visitor.
	Actor string
	// Unit is the code of the unit in which it is done, or "".
	Unit string
	// Subject is the id of the person it is done to, or "".
	Subject string
	// Object is the id of the row it is done to, or "".
	Object string
	// Detail holds further facts. They are sealed as they are and can never be erased: no personal data, no free text.
	Detail map[string]string
	// Texts hold what people wrote and other personal data. Only salted hashes are sealed, so they can be erased. Citizen
	// IDs in them are masked.
	Texts map[string]string
}

func (a Act) clone() Act {
	a.Detail, a.Texts = maps.Clone(a.Detail), maps.Clone(a.Texts)
	return a
}

// recordTime is how long the record of a refusal may take, even when the one who asked has hung up.
const recordTime = 5 * time.Second

// anonymous counts the refusals met by visitors, who have no name to record.
var anonymous atomic.Uint64

// AnonymousRefusals is how many acts of visitors were refused since the program started: they are counted instead of
// recorded, so that nobody can fill the log from outside.
func AnonymousRefusals() uint64 { return anonymous.Load() }

// Do runs f in a transaction and records the act in the same one: either both are kept or neither. f may run again
// after losing against another transaction; it may fill in the act's fields, which are as the caller gave them at the
// start of each run.
//
// When f answers problem.Denied, all it did is undone and the refusal is recorded by itself, with the problem's key
// as the detail "why"; a visitor's refusal is only counted. Should even that record fail, the answer is that
// failure, never an unrecorded refusal.
func Do(ctx context.Context, db *store.DB, act *Act, f func(tx *store.Tx) error) error {
	given := act.clone()
	err := db.Write(ctx, func(tx *store.Tx) error {
		*act = given.clone()
		if err := f(tx); err != nil {
			return err
		}
		return insert(ctx, tx, *act, Done)
	})
	if !errors.Is(err, problem.Denied) {
		return err
	}
	if act.Actor == "" {
		anonymous.Add(1)
		return err
	}
	refused := act.refused(err)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	if lost := db.Write(ctx, func(tx *store.Tx) error { return insert(ctx, tx, refused, Denied) }); lost != nil {
		return fmt.Errorf("record refusal of %s (%v): %w", act.Name, err, lost)
	}
	return err
}

// refused is the act as the log keeps it when it was denied.
func (a Act) refused(why error) Act {
	r := a.clone()
	var p *problem.Problem
	if errors.As(why, &p) {
		if r.Detail == nil {
			r.Detail = make(map[string]string, 1)
		}
		r.Detail["why"] = p.Key
	}
	return r
}

// Refuse adds an entry for a part of an act that was denied while the rest of it is done.
func Refuse(ctx context.Context, tx *store.Tx, act Act, why error) error {
	return insert(ctx, tx, act.refused(why), Denied)
}

// Record adds an entry for something further that was done in a running transaction.
func Record(ctx context.Context, tx *store.Tx, act Act) error {
	return insert(ctx, tx, act, Done)
}

// Origin says where a request came from.
type Origin struct {
	Request string // its id, as in the program's own log
	Address string // the address of the visitor
}

type originKey struct{}

// WithOrigin makes the acts done under the context say where they came from.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf answers what WithOrigin put in, or the zero Origin.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}

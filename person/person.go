// Package person is the roll of everyone Sitthi has heard of: one row for each citizen ID, encrypted.
package person

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sitthi/internal/problem"
	"sitthi/internal/seal"
	"sitthi/internal/store"
	"sitthi/internal/thai"
)

// ID names a person without telling the citizen ID (เลขประจำตัวประชาชน): a UUID.
type ID string

// Roll finds and keeps persons. It is safe for concurrent use.
type Roll struct {
	ring *seal.Ring
}

// NewRoll makes a roll that encrypts with the ring's keys.
func NewRoll(ring *seal.Ring) *Roll { return &Roll{ring: ring} }

// Index is the blind index of a citizen ID: equal for equal IDs, and telling nothing without the key.
func (r *Roll) Index(citizen thai.CitizenID) string {
	return r.ring.Index("person.citizen", citizen.Digits())
}

// Mark is a keyed hash of a text with citizen IDs in it: equal for equal texts, and telling nothing without the key.
func (r *Roll) Mark(text string) string { return r.ring.Mark("person.text", text) }

// Find answers the person behind a citizen ID, and whether there is one.
func (r *Roll) Find(ctx context.Context, tx *store.Tx, citizen thai.CitizenID) (ID, bool, error) {
	var id ID
	err := tx.QueryRow(ctx, `SELECT id FROM persons WHERE citizen_index = $1`, r.Index(citizen)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("find person: %w", err)
	}
	return id, true, nil
}

// Mention answers the person behind a citizen ID, and makes one at the first mention.
func (r *Roll) Mention(ctx context.Context, tx *store.Tx, citizen thai.CitizenID) (ID, error) {
	id, found, err := r.Find(ctx, tx, citizen)
	if err != nil || found {
		return id, err
	}
	fresh := ID(store.NewID())
	sealed := r.ring.Seal(place(fresh), []byte(citizen.Digits()))
	if _, err := tx.Exec(ctx, `INSERT INTO persons (id, citizen_sealed, citizen_index, created_at)
		VALUES ($1, $2, $3, $4) ON CONFLICT (citizen_index) DO NOTHING`,
		fresh, sealed, r.Index(citizen), store.Us(tx.Now)); err != nil {
		return "", fmt.Errorf("add person: %w", err)
	}
	id, found, err = r.Find(ctx, tx, citizen)
	if err == nil && !found {
		err = errors.New("add person: not there after it was added")
	}
	return id, err
}

// Open decrypts the sealed citizen ID of a person, as a query found it beside the person's row.
func (r *Roll) Open(id ID, sealed []byte) (thai.CitizenID, error) {
	digits, err := r.ring.Open(place(id), sealed)
	if err != nil {
		return thai.CitizenID{}, fmt.Errorf("open citizen ID of person %s: %w", id, err)
	}
	citizen, err := thai.ParseCitizenID(string(digits))
	if err != nil && !errors.Is(err, thai.ErrCheckDigit) { // a setting may have let such an ID in
		return thai.CitizenID{}, fmt.Errorf("open citizen ID of person %s: %w", id, err)
	}
	return citizen, nil
}

// CitizenID answers the citizen ID of a person. It fails with NotFound for a person who is not on the roll.
func (r *Roll) CitizenID(ctx context.Context, tx *store.Tx, id ID) (thai.CitizenID, error) {
	var sealed []byte
	err := tx.QueryRow(ctx, `SELECT citizen_sealed FROM persons WHERE id = $1`, id).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return thai.CitizenID{}, problem.New(problem.NotFound, "problem.person_unknown")
	}
	if err != nil {
		return thai.CitizenID{}, fmt.Errorf("find person: %w", err)
	}
	return r.Open(id, sealed)
}

// Sealed is what this package seals, for whoever seals it anew.
var Sealed = []seal.Field{{Table: "persons", Column: "citizen_sealed", Key: []string{"id"}, Place: citizenPlace}}

// citizenPlace is where citizen IDs are sealed for.
const citizenPlace = "person.citizen"

// place binds a sealed citizen ID to its row.
func place(id ID) string { return citizenPlace + "/" + string(id) }

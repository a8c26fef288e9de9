-- +goose Up

-- Who has an open right where, in the order of confirmations_live, so that those without a word of a head are found by
-- walking the two side by side.
CREATE INDEX grants_of_persons ON grants (person_id, unit, ends_at, awaits_second, system) WHERE closed_at IS NULL;

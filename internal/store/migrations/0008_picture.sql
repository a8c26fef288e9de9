-- +goose Up

-- Who has an open right where, and whose word stands where, in the same order: those without a word of a head are found
-- by walking the two side by side. The column of the condition is among the others, or SQLite reads each row to look.
CREATE INDEX grants_of_persons ON grants (person_id, unit, ends_at, awaits_second, system, closed_at) WHERE closed_at IS NULL;
CREATE INDEX confirmations_here ON confirmations (person_id, unit, ended_at) WHERE ended_at IS NULL;

-- +goose Up

-- When an account was switched off or on again (accounts.state holds the present alone): answers about the past come
-- from here. An account without a row has never been switched; the first row of one is that it was switched off, and
-- version 0 that it was off already when this table was made, at the latest since the moment of the row.
CREATE TABLE account_states (
    person_id TEXT   NOT NULL REFERENCES accounts (person_id),
    version   BIGINT NOT NULL, -- of the rights (rights_changes) with which it took effect
    state     TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (person_id, version)
);
INSERT INTO account_states (person_id, version, state, at)
SELECT a.person_id, 0, a.state, COALESCE((SELECT max(c.at) FROM rights_changes c WHERE c.person_id = a.person_id), a.registered_at)
FROM accounts a WHERE a.state <> 'active';

-- Acts on units and groups are few among all entries: what a unit was on a day is told from them.
CREATE INDEX audit_entries_of_agency ON audit_entries (unit, at) WHERE act IN
    ('agency.unit_add', 'agency.unit_review', 'agency.unit_considers', 'agency.unit_retire', 'agency.unit_restore',
     'agency.team_add', 'agency.team_retire', 'agency.team_restore');

-- Who had been confirmed at a moment; confirmations_live knows only who is now.
CREATE INDEX confirmations_by_person ON confirmations (person_id, unit, decided_at);

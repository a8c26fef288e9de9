-- +goose Up

-- A sign-in by ThaID between the question that one browser took there and the answer that it brings back.
CREATE TABLE thaid_flows (
    state      TEXT   NOT NULL PRIMARY KEY, -- hash of the state that comes back with the answer
    browser    TEXT   NOT NULL, -- hash of the browser's flow cookie
    sealed     BYTEA  NOT NULL, -- what else has to be remembered of the question
    next       TEXT   NOT NULL, -- the page that the sign-in leads to
    created_at BIGINT NOT NULL,
    taken_at   BIGINT, -- when an answer came: it serves once, whatever came of it
    expires_at BIGINT NOT NULL
);
CREATE INDEX thaid_flows_by_expiry ON thaid_flows (expires_at);

-- Who has been proved by ThaID to be the person of his citizen ID. The names are ThaID's, to be compared with those that
-- he gave himself.
CREATE TABLE identities (
    person_id   TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (person_id),
    given_name  TEXT   NOT NULL DEFAULT '',
    family_name TEXT   NOT NULL DEFAULT '',
    proved_at   BIGINT NOT NULL, -- the first time
    told_at     BIGINT NOT NULL -- the last time
);

-- Opened by ThaID, which is a second factor by itself.
ALTER TABLE sessions ADD COLUMN thaid BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Up

-- What a person has filled in and comes back to: a list as it was checked, a form that was sent when her session had
-- ended. Sealed, and deleted after a day.
CREATE TABLE drafts (
    id         TEXT   NOT NULL PRIMARY KEY,
    owner      TEXT   NOT NULL,
    sealed     BYTEA  NOT NULL,
    kept_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX drafts_of_owner ON drafts (owner, kept_at);
CREATE INDEX drafts_by_expiry ON drafts (expires_at);

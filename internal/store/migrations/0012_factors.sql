-- +goose Up

-- Apps that show codes (TOTP), one in use for a person, and one that he is setting up. A code works once: the step of
-- the one used last is kept.
CREATE TABLE factors (
    id            TEXT   NOT NULL PRIMARY KEY,
    person_id     TEXT   NOT NULL REFERENCES accounts (person_id),
    secret_sealed BYTEA  NOT NULL,
    last_step     BIGINT NOT NULL DEFAULT 0, -- 30 seconds each, since 1970
    begun_at      BIGINT NOT NULL,
    enrolled_at   BIGINT -- NULL while it is set up
);
CREATE UNIQUE INDEX factors_used ON factors (person_id) WHERE enrolled_at IS NOT NULL;
CREATE UNIQUE INDEX factors_begun ON factors (person_id) WHERE enrolled_at IS NULL;

-- Passkeys. The credential is what the authenticator calls it; the record is its public key and what else is kept.
CREATE TABLE passkeys (
    id         TEXT   NOT NULL PRIMARY KEY,
    person_id  TEXT   NOT NULL REFERENCES accounts (person_id),
    credential TEXT   NOT NULL UNIQUE,
    name       TEXT   NOT NULL,
    record     TEXT   NOT NULL,
    sign_count BIGINT NOT NULL, -- goes up with every use, where the authenticator counts
    created_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX passkeys_by_person ON passkeys (person_id, created_at);

-- Recovery codes: one use each; only a keyed hash is kept.
CREATE TABLE recovery_codes (
    person_id  TEXT   NOT NULL REFERENCES accounts (person_id),
    hash       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT,
    PRIMARY KEY (person_id, hash)
);

-- A sign-in between the right password and the second factor, in one browser.
CREATE TABLE signin_flows (
    id         TEXT   NOT NULL PRIMARY KEY,
    browser    TEXT   NOT NULL, -- hash of the browser's flow cookie
    person_id  TEXT   NOT NULL REFERENCES accounts (person_id),
    door       TEXT   NOT NULL, -- by which limit its tries are counted
    created_at BIGINT NOT NULL, -- when the password was right
    expires_at BIGINT NOT NULL,
    done_at    BIGINT
);
CREATE INDEX signin_flows_by_person ON signin_flows (person_id, expires_at);

-- What a passkey has to sign: one use, in one browser, for one purpose.
CREATE TABLE challenges (
    id         TEXT   NOT NULL PRIMARY KEY,
    browser    TEXT   NOT NULL,
    purpose    TEXT   NOT NULL, -- register, signin, factor, stepup, reset
    subject    TEXT   NOT NULL, -- of what: a session, a sign-in under way, a reset, or ''
    state      TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX challenges_by_expiry ON challenges (expires_at);

-- When the second factor was proved on the way to a new password.
ALTER TABLE resets ADD COLUMN factor_at BIGINT;

-- Opened with a password of fewer than 15 characters, which needs a second factor.
ALTER TABLE sessions ADD COLUMN short_password BOOLEAN NOT NULL DEFAULT FALSE;

-- The browser as it named itself when it was seen last.
ALTER TABLE devices ADD COLUMN agent TEXT NOT NULL DEFAULT '';

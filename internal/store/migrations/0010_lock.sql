-- +goose Up

-- Who signed in last is followed by every process; who locks soon is reminded.
CREATE INDEX accounts_by_signin ON accounts (last_signin_at);

-- The accounts that were opened again (accounts.last_signin_at starts anew then), with what stood there before. Between
-- two reopenings nobody signs in who was locked, so the last sign-in before each tells when the account was locked.
CREATE TABLE reopenings (
    person_id TEXT   NOT NULL REFERENCES accounts (person_id),
    at        BIGINT NOT NULL,
    before_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, at)
);
CREATE INDEX reopenings_by_time ON reopenings (at);

-- The way of a locked officer back in ("Active User"): from the right password in one browser, by a code to a contact on
-- file, to the word of who is to know him. Asked: from then on it is a request that somebody decides.
CREATE TABLE activations (
    id         TEXT   NOT NULL PRIMARY KEY,
    person_id  TEXT   NOT NULL REFERENCES accounts (person_id),
    browser    TEXT   NOT NULL, -- hash of the browser's flow cookie
    unit       TEXT   NOT NULL REFERENCES units (code), -- his office when he asked
    channel    TEXT   NOT NULL DEFAULT '', -- by which the code went last: email, sms
    reference  TEXT   NOT NULL DEFAULT '', -- of that code
    sent_at    BIGINT,
    asked_at   BIGINT, -- when the code was right
    decided_by TEXT,
    decided_at BIGINT,
    outcome    TEXT   NOT NULL DEFAULT '', -- confirmed, refused, over
    reason     TEXT   NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL, -- of the flow; a request stays
    CHECK (decided_by <> person_id)
);
CREATE UNIQUE INDEX activations_open ON activations (person_id) WHERE asked_at IS NOT NULL AND decided_at IS NULL;
CREATE INDEX activations_asked ON activations (unit, asked_at) WHERE asked_at IS NOT NULL AND decided_at IS NULL;
CREATE INDEX activations_by_expiry ON activations (expires_at) WHERE asked_at IS NULL;

-- Who was reminded that his account locks: once for each last sign-in and each number of days before.
CREATE TABLE lock_reminders (
    person_id      TEXT   NOT NULL REFERENCES accounts (person_id),
    last_signin_at BIGINT NOT NULL,
    days           BIGINT NOT NULL, -- before the lock
    at             BIGINT NOT NULL,
    PRIMARY KEY (person_id, last_signin_at, days)
);

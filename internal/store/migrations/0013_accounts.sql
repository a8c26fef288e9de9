-- +goose Up

-- Since when a contact is the one on file, NULL since the registration: one that was changed can not recover the account
-- for 72 hours (trust.md 10).
ALTER TABLE accounts ADD COLUMN email_since BIGINT;
ALTER TABLE accounts ADD COLUMN phone_since BIGINT;

-- When the owner closed the account (its state is disabled then); NULL when it is open, or was switched off by others.
ALTER TABLE accounts ADD COLUMN closed_at BIGINT;

-- When the holder of a right left the office it was given in for another one; NULL while he belongs there, or never did.
ALTER TABLE grants ADD COLUMN left_at BIGINT;

-- A contact on its way to being changed: the code goes to the new one. A row belongs to one session in one browser.
CREATE TABLE contact_changes (
    id             TEXT   NOT NULL PRIMARY KEY,
    person_id      TEXT   NOT NULL REFERENCES accounts (person_id),
    session_id     TEXT   NOT NULL,
    browser        TEXT   NOT NULL, -- hash of the browser's flow cookie
    channel        TEXT   NOT NULL, -- email, sms
    contact_sealed BYTEA  NOT NULL, -- the new one; emptied once done
    reference      TEXT   NOT NULL DEFAULT '', -- of the code sent last
    sent_at        BIGINT,
    done_at        BIGINT,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX contact_changes_by_expiry ON contact_changes (expires_at);
CREATE INDEX contact_changes_by_person ON contact_changes (person_id);

-- Of which end of a right its holder and the heads were reminded: once for each number of days and each end.
CREATE TABLE grant_reminders (
    grant_id TEXT   NOT NULL REFERENCES grants (id),
    ends_at  BIGINT NOT NULL,
    days     BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (grant_id, ends_at, days)
);
-- Rights by their end, for the job that reminds.
CREATE INDEX grants_by_end ON grants (ends_at) WHERE closed_at IS NULL AND ends_at IS NOT NULL;

-- +goose Up

-- A forgotten password on its way to a new one (กรณีลืมรหัสผ่าน): step n+1 needs the recorded fact of step n. A row looks
-- the same whether or not somebody has an account.
CREATE TABLE resets (
    id         TEXT   NOT NULL PRIMARY KEY,
    browser    TEXT   NOT NULL, -- hash of the browser's flow cookie
    subject    TEXT   NOT NULL, -- blind index of the citizen ID typed
    language   TEXT   NOT NULL,
    channel    TEXT   NOT NULL DEFAULT '', -- by which the code went last: email, sms
    reference  TEXT   NOT NULL DEFAULT '', -- of that code
    sent_at    BIGINT,
    proved_at  BIGINT, -- when the code was right
    done_at    BIGINT, -- when the new password was set
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX resets_by_expiry ON resets (expires_at);
CREATE INDEX resets_open ON resets (subject) WHERE done_at IS NULL;

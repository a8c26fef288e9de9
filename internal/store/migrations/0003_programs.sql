-- +goose Up

-- Programs of the department that ask who may do what (โปรแกรมที่ถามสิทธิ์), each with the one token it asks with.
CREATE TABLE programs (
    id            TEXT   NOT NULL PRIMARY KEY,
    name          TEXT   NOT NULL,
    token_hash    TEXT   NOT NULL,
    units         TEXT   NOT NULL, -- codes with a space between, or * for all
    actions       TEXT   NOT NULL, -- as units
    ends_at       BIGINT,          -- exclusive: the midnight in Bangkok after the last day
    created_by    TEXT   NOT NULL, -- person, 'terminal' or 'system'
    created_at    BIGINT NOT NULL,
    used_at       BIGINT,          -- to the minute
    revoked_by    TEXT,
    revoked_at    BIGINT,
    revoke_reason TEXT   NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX programs_live ON programs (token_hash) WHERE revoked_at IS NULL;
-- Its version moves with every token made or revoked, so that every process follows.
INSERT INTO counters (name, value) VALUES ('programs', 0);

-- What programs asked and were answered. Written in batches after the answer; read by time, newest first.
CREATE TABLE decisions (
    at         BIGINT  NOT NULL, -- when it was answered
    serial     BIGINT  NOT NULL, -- tells apart what was answered in one microsecond; random
    program_id TEXT    NOT NULL,
    request    TEXT    NOT NULL, -- X-Request-ID
    person_id  TEXT    NOT NULL, -- '' for a person unknown here
    action     TEXT    NOT NULL, -- consider, review, approve, administer
    unit       TEXT    NOT NULL,
    team       TEXT    NOT NULL,
    moment     BIGINT,           -- the moment asked about; NULL when it was the present
    allowed    BOOLEAN NOT NULL,
    reason     TEXT    NOT NULL, -- code: permitted, no_right …
    grant_id   TEXT    NOT NULL,
    PRIMARY KEY (at, serial)
);
CREATE INDEX decisions_by_program ON decisions (program_id, at, serial);
CREATE INDEX decisions_by_person ON decisions (person_id, at, serial);
CREATE INDEX decisions_by_unit ON decisions (unit, at, serial);

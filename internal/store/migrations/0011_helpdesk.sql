-- +goose Up

-- Cases of the help desk: "Reset Password" and "Active User" (sections 2.2 and 3 of the manual). What was typed is
-- sealed. Who is meant stands here as the blind index of the citizen ID: a stranger's request puts nobody on the roll.
CREATE TABLE tickets (
    id           TEXT   NOT NULL PRIMARY KEY,
    receipt      TEXT   NOT NULL UNIQUE, -- the number that people are told
    kind         TEXT   NOT NULL CHECK (kind IN ('reset', 'active')),
    source       TEXT   NOT NULL CHECK (source IN ('web', 'line')),
    state        TEXT   NOT NULL, -- draft, new, taken, second, waiting, acted, closed
    language     TEXT   NOT NULL,
    subject      TEXT   NOT NULL DEFAULT '', -- blind index of the citizen ID; '' while a LINE request is not completed
    unit         TEXT   NOT NULL DEFAULT '', -- the office typed
    form_sealed  BYTEA,
    email_index  TEXT   NOT NULL DEFAULT '', -- of the contacts typed: with the receipt they open the status page
    phone_index  TEXT   NOT NULL DEFAULT '',
    line_index   TEXT   NOT NULL DEFAULT '', -- of the LINE user who wrote
    line_sealed  BYTEA,
    token_hash   TEXT   UNIQUE,              -- of the link that completes a LINE request
    proved_by    TEXT   NOT NULL DEFAULT '' CHECK (proved_by IN ('', 'email', 'sms')), -- the contact on file that took the code
    proved_at    BIGINT,
    sent_by      TEXT   NOT NULL DEFAULT '', -- how the code went last
    reference    TEXT   NOT NULL DEFAULT '',
    sent_at      BIGINT,
    claimed_by   TEXT,
    claimed_at   BIGINT,
    answered_at  BIGINT, -- first answer, act or closing by an agent
    created_at   BIGINT NOT NULL,
    closed_by    TEXT,
    closed_at    BIGINT,
    closing      TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX tickets_open ON tickets (created_at) WHERE closed_at IS NULL;
CREATE INDEX tickets_by_subject ON tickets (subject, created_at);
CREATE INDEX tickets_by_line ON tickets (line_index, created_at);
CREATE INDEX tickets_by_close ON tickets (closed_at);

-- The browsers that may see how a ticket stands: the one that sent it, and those that knew receipt and contact.
CREATE TABLE ticket_browsers (
    ticket_id  TEXT   NOT NULL REFERENCES tickets (id),
    browser    TEXT   NOT NULL, -- hash of the browser's flow cookie
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (ticket_id, browser)
);
CREATE INDEX ticket_browsers_by_expiry ON ticket_browsers (expires_at);

-- What was done about a ticket, as agents read it; words are sealed.
CREATE TABLE ticket_events (
    id         TEXT   NOT NULL PRIMARY KEY,
    ticket_id  TEXT   NOT NULL REFERENCES tickets (id),
    at         BIGINT NOT NULL,
    actor      TEXT   NOT NULL, -- person, or '' for who asked
    what       TEXT   NOT NULL,
    word       TEXT   NOT NULL DEFAULT '', -- which answer, which channel, why closed
    text_sealed BYTEA
);
CREATE INDEX ticket_events_by_ticket ON ticket_events (ticket_id, id);

-- Who has a ticket's personal data before him, and until when; each look is in the log.
CREATE TABLE ticket_looks (
    ticket_id  TEXT   NOT NULL REFERENCES tickets (id),
    person_id  TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (ticket_id, person_id)
);

-- Acts of the help desk on an account (trust.md 12 and 13). Who starts it, who seconds it and whom it is about are three
-- persons; without a code to a contact on file, and for who holds a post or may approve, it needs the second.
CREATE TABLE help_acts (
    id           TEXT    NOT NULL PRIMARY KEY,
    ticket_id    TEXT    NOT NULL REFERENCES tickets (id),
    kind         TEXT    NOT NULL CHECK (kind IN ('reset', 'active')),
    subject      TEXT    NOT NULL REFERENCES accounts (person_id),
    unit         TEXT    NOT NULL, -- office of the account
    proof        TEXT    NOT NULL CHECK (proof IN ('code', 'second')),
    privileged   BOOLEAN NOT NULL,
    channel      TEXT    NOT NULL CHECK (channel IN ('email', 'sms')), -- by which the link goes
    requester    TEXT    NOT NULL,
    requested_at BIGINT  NOT NULL,
    approver     TEXT,
    approver_as  TEXT    NOT NULL DEFAULT '' CHECK (approver_as IN ('', 'head', 'agent', 'administrator')),
    approved_at  BIGINT,
    usable_at    BIGINT, -- from when the link may go to a contact that is not on file
    done_at      BIGINT, -- the link was sent, the account reopened
    stopped_by   TEXT,
    stopped_at   BIGINT,
    CHECK (requester <> subject),
    CHECK (approver IS NULL OR (approver <> subject AND approver <> requester)),
    CHECK ((approver IS NULL) = (approved_at IS NULL) AND (approver IS NULL) = (approver_as = '')),
    CHECK (NOT privileged OR approver_as IN ('', 'administrator')),
    CHECK (done_at IS NULL OR approved_at IS NOT NULL OR (proof = 'code' AND NOT privileged)),
    CHECK (done_at IS NULL OR stopped_at IS NULL),
    CHECK (kind <> 'reset' OR proof = 'code' OR done_at IS NULL
        OR (usable_at IS NOT NULL AND done_at >= usable_at AND usable_at - approved_at >= 86400000000))
);
CREATE UNIQUE INDEX help_acts_open ON help_acts (ticket_id) WHERE done_at IS NULL AND stopped_at IS NULL;
CREATE INDEX help_acts_waiting ON help_acts (unit) WHERE approved_at IS NULL AND stopped_at IS NULL AND done_at IS NULL;
CREATE INDEX help_acts_by_requester ON help_acts (requester, done_at);

-- Links that start a reset for one person: 128 bits and more, one use, bound to the browser that opened them first.
CREATE TABLE reset_links (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    person_id  TEXT   NOT NULL REFERENCES accounts (person_id),
    browser    TEXT   NOT NULL DEFAULT '', -- hash of the flow cookie
    created_at BIGINT NOT NULL,
    opened_at  BIGINT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX reset_links_by_person ON reset_links (person_id);
CREATE INDEX reset_links_by_expiry ON reset_links (expires_at);

-- Events of LINE that were taken: one that is delivered again does nothing.
CREATE TABLE line_events (
    id TEXT   NOT NULL PRIMARY KEY, -- webhookEventId
    at BIGINT NOT NULL
);
CREATE INDEX line_events_by_time ON line_events (at);

-- +goose Up

-- What this database is for: 'purpose' is 'demo' or 'real', so that demo data never meets real data.
CREATE TABLE installation (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Leases: one process at a time does a piece of background work.
CREATE TABLE leases (
    name   TEXT   NOT NULL PRIMARY KEY,
    holder TEXT   NOT NULL,
    until  BIGINT NOT NULL
);

-- Units (สอจ., กอง, ศูนย์ …) and their groups (กลุ่ม).
CREATE TABLE units (
    code         TEXT    NOT NULL PRIMARY KEY,
    kind         TEXT    NOT NULL, -- province, department, division, office, centre, group, external
    name_th      TEXT    NOT NULL,
    name_en      TEXT    NOT NULL,
    short_th     TEXT    NOT NULL, -- as the grid shows it: นนทบุรี
    short_en     TEXT    NOT NULL,
    sort_key     TEXT    NOT NULL,
    region       TEXT    NOT NULL DEFAULT '',
    uses_review  BOOLEAN NOT NULL DEFAULT FALSE, -- level 2 is used here
    considers    BOOLEAN NOT NULL DEFAULT FALSE, -- rights can be given here
    active       BOOLEAN NOT NULL DEFAULT TRUE,
    version      BIGINT  NOT NULL DEFAULT 1,
    updated_at   BIGINT  NOT NULL
);

CREATE TABLE teams (
    unit       TEXT    NOT NULL REFERENCES units (code),
    code       TEXT    NOT NULL,
    name_th    TEXT    NOT NULL,
    name_en    TEXT    NOT NULL,
    sort_key   TEXT    NOT NULL,
    active     BOOLEAN NOT NULL DEFAULT TRUE,
    version    BIGINT  NOT NULL DEFAULT 1,
    updated_at BIGINT  NOT NULL,
    PRIMARY KEY (unit, code)
);

-- A person exists from the first mention of a citizen ID.
CREATE TABLE persons (
    id             TEXT   NOT NULL PRIMARY KEY,
    citizen_sealed BYTEA  NOT NULL,
    citizen_index  TEXT   NOT NULL UNIQUE,
    created_at     BIGINT NOT NULL
);

-- Accounts of officers.
CREATE TABLE accounts (
    person_id        TEXT    NOT NULL PRIMARY KEY REFERENCES persons (id),
    given_name       TEXT    NOT NULL,
    family_name      TEXT    NOT NULL,
    name_fold        TEXT    NOT NULL, -- folded for search
    name_sort        TEXT    NOT NULL, -- collation key
    position         TEXT    NOT NULL,
    unit             TEXT    NOT NULL REFERENCES units (code),
    email            TEXT    NOT NULL,
    phone            TEXT    NOT NULL,
    line_id          TEXT    NOT NULL,
    language         TEXT    NOT NULL DEFAULT 'th',
    password_hash    TEXT    NOT NULL,
    password_off     BOOLEAN NOT NULL DEFAULT FALSE, -- switched off by 100 failures until recovery
    failures         BIGINT  NOT NULL DEFAULT 0,
    state            TEXT    NOT NULL DEFAULT 'active', -- active, disabled
    terms_version    TEXT    NOT NULL,
    terms_at         BIGINT  NOT NULL,
    email_proved_at  BIGINT,
    phone_proved_at  BIGINT,
    registered_at    BIGINT  NOT NULL,
    last_signin_at   BIGINT  NOT NULL, -- the 60 days run from here; registration starts them
    version          BIGINT  NOT NULL DEFAULT 1
);
CREATE INDEX accounts_by_unit ON accounts (unit, name_sort);

-- A registration under way: step n+1 needs the recorded fact of step n. The form is sealed.
CREATE TABLE registrations (
    id             TEXT   NOT NULL PRIMARY KEY,
    browser        TEXT   NOT NULL, -- hash of the browser's flow cookie
    form_sealed    BYTEA  NOT NULL,
    email_index    TEXT   NOT NULL,
    phone_index    TEXT   NOT NULL,
    network_index  TEXT   NOT NULL DEFAULT '', -- of the address that finished it
    email_proved_at BIGINT,
    phone_proved_at BIGINT,
    reference      TEXT   NOT NULL DEFAULT '', -- of the code sent last
    sent_at        BIGINT,                     -- when that was; NULL when none could be sent
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    finished_at    BIGINT,
    outcome        TEXT   NOT NULL DEFAULT '' -- registered, existing, later
);
CREATE INDEX registrations_by_expiry ON registrations (expires_at);
CREATE INDEX registrations_existing ON registrations (finished_at) WHERE outcome = 'existing';

-- One-time codes: only a hash is kept; the try is counted before the comparison; one use.
CREATE TABLE codes (
    id         TEXT   NOT NULL PRIMARY KEY,
    flow       TEXT   NOT NULL, -- id of the flow row it belongs to
    browser    TEXT   NOT NULL,
    purpose    TEXT   NOT NULL, -- register …
    account    TEXT   NOT NULL, -- whose tries count together over the day: the person, or a blind index
    channel    TEXT   NOT NULL, -- email, sms
    contact    TEXT   NOT NULL, -- blind index of the contact
    network    TEXT   NOT NULL, -- blind index of the network that asked for it
    reference  TEXT   NOT NULL, -- shown beside the code so that people match message and form
    hash       TEXT   NOT NULL,
    tries      BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    voided_at  BIGINT
);
CREATE INDEX codes_by_flow ON codes (flow, channel, created_at);
CREATE INDEX codes_by_contact ON codes (contact, created_at);
CREATE INDEX codes_by_network ON codes (network, created_at);
CREATE INDEX codes_by_account ON codes (account, created_at);
CREATE INDEX codes_by_channel ON codes (channel, created_at);

-- Sessions: only the hash of the token is kept.
CREATE TABLE sessions (
    id         TEXT   NOT NULL PRIMARY KEY,
    token_hash TEXT   NOT NULL UNIQUE,
    former_hash TEXT, -- of the token before the last rotation, good for some seconds more
    rotated_at BIGINT,
    person_id  TEXT   NOT NULL REFERENCES accounts (person_id),
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    stepup_at  BIGINT NOT NULL, -- when the person last proved herself; slides five minutes
    address    TEXT   NOT NULL,
    agent      TEXT   NOT NULL,
    ended_at   BIGINT,
    end_reason TEXT   NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX sessions_by_former ON sessions (former_hash);
CREATE INDEX sessions_by_person ON sessions (person_id, ended_at);

-- Browsers a person has signed in from: they have a throttle of their own.
CREATE TABLE devices (
    token_hash TEXT   NOT NULL,
    person_id  TEXT   NOT NULL REFERENCES accounts (person_id),
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    PRIMARY KEY (token_hash, person_id)
);

-- Rate limits (GCRA): the theoretical arrival time of a key, in microseconds.
CREATE TABLE throttles (
    name    TEXT   NOT NULL PRIMARY KEY,
    arrival BIGINT NOT NULL
);

-- Appointments (การแต่งตั้ง): the authority to give rights, and the central roles.
CREATE TABLE appointments (
    id           TEXT   NOT NULL PRIMARY KEY,
    person_id    TEXT   NOT NULL REFERENCES persons (id),
    unit         TEXT   NOT NULL REFERENCES units (code), -- DIW for the central roles
    post         TEXT   NOT NULL, -- head, administrator, auditor
    kind         TEXT   NOT NULL, -- regular, acting (รักษาราชการแทน)
    order_number TEXT   NOT NULL, -- เลขที่คำสั่ง
    note         TEXT   NOT NULL DEFAULT '',
    starts_at    BIGINT NOT NULL,
    ends_at      BIGINT,          -- exclusive
    proposed_by  TEXT   NOT NULL, -- person, or 'terminal'
    proposed_at  BIGINT NOT NULL,
    confirmed_by TEXT,
    confirmed_at BIGINT,
    closed_by    TEXT,
    closed_at    BIGINT,
    closing      TEXT   NOT NULL DEFAULT '', -- ended, refused, withdrawn, expired
    close_reason TEXT   NOT NULL DEFAULT '',
    version      BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX appointments_live ON appointments (unit, post, person_id) WHERE closed_at IS NULL;
CREATE INDEX appointments_by_person ON appointments (person_id);

-- Whose identity the head of a unit has confirmed; once per person and unit.
CREATE TABLE confirmations (
    id         TEXT   NOT NULL PRIMARY KEY,
    person_id  TEXT   NOT NULL REFERENCES persons (id),
    unit       TEXT   NOT NULL REFERENCES units (code),
    outcome    TEXT   NOT NULL, -- confirmed, refused
    decided_by TEXT   NOT NULL,
    decided_at BIGINT NOT NULL,
    ended_at   BIGINT
);
CREATE UNIQUE INDEX confirmations_live ON confirmations (person_id, unit) WHERE ended_at IS NULL;

-- One counter row for every ลำดับ; gaps are allowed, numbers never come back.
CREATE TABLE counters (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('grant', 0), ('rights', 0);

-- Rights (สิทธิ์).
CREATE TABLE grants (
    id             TEXT    NOT NULL PRIMARY KEY,
    number         BIGINT  NOT NULL UNIQUE, -- ลำดับ
    system         TEXT    NOT NULL DEFAULT 'ko1',
    unit           TEXT    NOT NULL REFERENCES units (code),
    team           TEXT    NOT NULL DEFAULT '',
    level          BIGINT  NOT NULL,
    person_id      TEXT    NOT NULL REFERENCES persons (id),
    starts_at      BIGINT  NOT NULL,
    ends_at        BIGINT,           -- exclusive: the next midnight in Bangkok
    order_number   TEXT    NOT NULL DEFAULT '',
    note           TEXT    NOT NULL DEFAULT '',
    other_office   BOOLEAN NOT NULL DEFAULT FALSE, -- registered elsewhere, given on purpose
    mutual         BOOLEAN NOT NULL DEFAULT FALSE, -- two heads gave each other rights
    awaits_second  BOOLEAN NOT NULL DEFAULT FALSE, -- a right for a head: proposed, not yet confirmed
    given_by       TEXT    NOT NULL,
    given_at       BIGINT  NOT NULL,
    seconded_by    TEXT,
    seconded_at    BIGINT,
    appointment_id TEXT    REFERENCES appointments (id),
    form           TEXT    NOT NULL, -- the form it came from: the same form twice is one grant
    closed_by      TEXT,
    closed_at      BIGINT,
    closing        TEXT    NOT NULL DEFAULT '', -- revoked, expired, refused
    close_reason   TEXT    NOT NULL DEFAULT '',
    version        BIGINT  NOT NULL DEFAULT 1
);
-- The system stands last: it tells nothing apart, and an engine without statistics would begin with it.
CREATE UNIQUE INDEX grants_live ON grants (unit, team, level, person_id, system) WHERE closed_at IS NULL;
CREATE UNIQUE INDEX grants_by_form ON grants (form);
CREATE INDEX grants_by_unit ON grants (unit, level, number);
-- The grid as it opens, and its count, which needs no more than the index.
CREATE INDEX grants_open ON grants (unit, level, number, ends_at, system) WHERE closed_at IS NULL;
-- As many columns as grants_open, so that the right of one person is found by the person even before the engine has
-- statistics.
CREATE INDEX grants_by_person ON grants (person_id, unit, level);

-- What a grant said before it was changed, as it was recorded then: answers about the past come from here.
CREATE TABLE grant_versions (
    grant_id     TEXT   NOT NULL REFERENCES grants (id),
    version      BIGINT NOT NULL,
    starts_at    BIGINT NOT NULL,
    ends_at      BIGINT,
    order_number TEXT   NOT NULL,
    note         TEXT   NOT NULL,
    recorded_by  TEXT   NOT NULL,
    recorded_at  BIGINT NOT NULL,
    PRIMARY KEY (grant_id, version)
);

-- Every act that moves a right names the person it moved, so that every process can follow.
CREATE TABLE rights_changes (
    version   BIGINT NOT NULL PRIMARY KEY,
    person_id TEXT   NOT NULL,
    at        BIGINT NOT NULL
);

-- The audit log: entries are written once; the sealer gives each its place in the tree.
CREATE TABLE audit_entries (
    id         TEXT   NOT NULL PRIMARY KEY,
    at         BIGINT NOT NULL,
    actor      TEXT   NOT NULL, -- person id, 'terminal', 'system' or '' for a visitor
    act        TEXT   NOT NULL, -- grant.give, officer.register …
    outcome    TEXT   NOT NULL, -- done, denied
    unit       TEXT   NOT NULL,
    subject    TEXT   NOT NULL, -- person id the act is about, or ''
    object     TEXT   NOT NULL, -- id of the row the act is about, or ''
    request    TEXT   NOT NULL, -- request id
    leaf       TEXT   NOT NULL  -- the canonical text that is sealed
);
CREATE INDEX audit_entries_by_time ON audit_entries (at, id);
CREATE INDEX audit_entries_by_unit ON audit_entries (unit, at, id);
CREATE INDEX audit_entries_by_subject ON audit_entries (subject, at, id);
CREATE INDEX audit_entries_by_actor ON audit_entries (actor, at, id);

-- Free text beside the leaf, which holds only its salted hash: it can be erased and the leaf still verifies.
CREATE TABLE audit_texts (
    entry_id TEXT NOT NULL REFERENCES audit_entries (id),
    name     TEXT NOT NULL,
    salt     TEXT NOT NULL,
    text     TEXT,
    PRIMARY KEY (entry_id, name)
);

-- Entries that the sealer has yet to place.
CREATE TABLE audit_waiting (
    entry_id TEXT NOT NULL PRIMARY KEY REFERENCES audit_entries (id)
);

CREATE TABLE audit_leaves (
    place    BIGINT NOT NULL PRIMARY KEY, -- index in the tree, from 0
    entry_id TEXT   NOT NULL UNIQUE REFERENCES audit_entries (id)
);

CREATE TABLE audit_hashes (
    place BIGINT NOT NULL PRIMARY KEY, -- stored hash index of the tree
    hash  BYTEA  NOT NULL
);

CREATE TABLE audit_checkpoints (
    size      BIGINT NOT NULL PRIMARY KEY,
    note      TEXT   NOT NULL, -- the signed checkpoint
    signed_at BIGINT NOT NULL
);

-- Messages to go out. Recipient and body are sealed; the body is wiped once delivered.
CREATE TABLE messages (
    id           TEXT   NOT NULL PRIMARY KEY, -- also the idempotency key for the outside
    channel      TEXT   NOT NULL, -- email, sms
    person_id    TEXT   NOT NULL DEFAULT '',
    purpose      TEXT   NOT NULL, -- template
    language     TEXT   NOT NULL,
    to_sealed    BYTEA  NOT NULL,
    body_sealed  BYTEA, -- subject and text
    state        TEXT   NOT NULL DEFAULT 'waiting', -- waiting, sent, dead
    attempts     BIGINT NOT NULL DEFAULT 0,
    next_at      BIGINT NOT NULL,
    leased_until BIGINT NOT NULL DEFAULT 0,
    last_error   TEXT   NOT NULL DEFAULT '',
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT, -- a code that is void need not be sent any more
    sent_at      BIGINT
);
CREATE INDEX messages_due ON messages (channel, next_at) WHERE state = 'waiting';
CREATE INDEX messages_dead ON messages (channel) WHERE state = 'dead';
CREATE INDEX messages_by_time ON messages (created_at);

-- The intranet menu and the announcements.
CREATE TABLE systems (
    code        TEXT    NOT NULL PRIMARY KEY,
    position    BIGINT  NOT NULL,
    menu        TEXT    NOT NULL, -- group of the menu
    name_th     TEXT    NOT NULL,
    name_en     TEXT    NOT NULL,
    address     TEXT    NOT NULL DEFAULT '',
    version     BIGINT  NOT NULL DEFAULT 1,
    updated_at  BIGINT  NOT NULL
);

CREATE TABLE announcements (
    id         TEXT   NOT NULL PRIMARY KEY,
    title_th   TEXT   NOT NULL,
    title_en   TEXT   NOT NULL,
    body_th    TEXT   NOT NULL,
    body_en    TEXT   NOT NULL,
    place      TEXT   NOT NULL, -- public, officers
    starts_at  BIGINT NOT NULL,
    ends_at    BIGINT,
    created_by TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    closed_at  BIGINT,
    version    BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX announcements_by_start ON announcements (starts_at);

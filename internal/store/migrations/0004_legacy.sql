-- +goose Up

-- Files of the old system on their way into the book of rights.
CREATE TABLE legacy_imports (
    id            TEXT    NOT NULL PRIMARY KEY,
    source        TEXT    NOT NULL, -- what the office calls the table of the old system, folded
    file_name     TEXT    NOT NULL,
    format        TEXT    NOT NULL DEFAULT '', -- xlsx, csv
    size          BIGINT  NOT NULL DEFAULT 0,
    hash          TEXT    NOT NULL DEFAULT '', -- SHA-256 of the file
    state         TEXT    NOT NULL, -- uploading, checking, checked, signed, committed, failed, cancelled
    uploaded_by   TEXT    NOT NULL,
    uploaded_at   BIGINT  NOT NULL,
    staged        BOOLEAN NOT NULL DEFAULT FALSE, -- every row of the file has been read
    read_bytes    BIGINT  NOT NULL DEFAULT 0,
    lines         BIGINT  NOT NULL DEFAULT 0, -- rows read so far
    last_line     BIGINT  NOT NULL DEFAULT 0, -- where a reader that was interrupted goes on
    ignored       TEXT    NOT NULL DEFAULT '', -- headers that were not understood, one to a line
    fault         TEXT    NOT NULL DEFAULT '', -- message key
    fault_args    TEXT    NOT NULL DEFAULT '', -- JSON
    totals        TEXT    NOT NULL DEFAULT '', -- JSON, of the last dry run
    results       TEXT    NOT NULL DEFAULT '', -- hash over the result of every row: what a signature is for
    holder        TEXT    NOT NULL DEFAULT '', -- the process that works on it
    leased_until  BIGINT  NOT NULL DEFAULT 0,
    signed_by     TEXT,
    signed_at     BIGINT,
    committed_at  BIGINT,
    closed_by     TEXT,
    closed_at     BIGINT,
    close_reason  TEXT    NOT NULL DEFAULT '',
    wiped_at      BIGINT, -- when the file and what it said were removed
    version       BIGINT  NOT NULL DEFAULT 1,
    CHECK (signed_by IS NULL OR signed_by <> uploaded_by)
);
CREATE INDEX legacy_imports_by_time ON legacy_imports (uploaded_at);
CREATE INDEX legacy_imports_due ON legacy_imports (leased_until) WHERE state IN ('checking', 'signed');
CREATE INDEX legacy_imports_kept ON legacy_imports (state, uploaded_at) WHERE wiped_at IS NULL;

-- Who put work into an import, by upload or correction: they can not sign it.
CREATE TABLE legacy_hands (
    import_id TEXT NOT NULL REFERENCES legacy_imports (id),
    person_id TEXT NOT NULL,
    PRIMARY KEY (import_id, person_id)
);

-- The file itself, sealed in pieces.
CREATE TABLE legacy_files (
    import_id TEXT   NOT NULL REFERENCES legacy_imports (id),
    number    BIGINT NOT NULL, -- from 0
    sealed    BYTEA  NOT NULL,
    PRIMARY KEY (import_id, number)
);

-- The rows of a file as they were understood, each with its result.
CREATE TABLE legacy_rows (
    import_id        TEXT    NOT NULL REFERENCES legacy_imports (id),
    line             BIGINT  NOT NULL, -- in the file, as its reader counts
    kind             TEXT    NOT NULL, -- officer, head, right; '' when it can not be told
    row_id           TEXT    NOT NULL, -- the old system's
    citizen_index    TEXT    NOT NULL DEFAULT '', -- blind index; '' when there is no citizen ID
    unit             TEXT    NOT NULL DEFAULT '',
    team             TEXT    NOT NULL DEFAULT '',
    level            BIGINT  NOT NULL DEFAULT 0,
    acting           BOOLEAN NOT NULL DEFAULT FALSE, -- รักษาราชการแทน
    starts_at        BIGINT,
    ends_at          BIGINT, -- exclusive
    order_number     TEXT    NOT NULL DEFAULT '',
    note             TEXT    NOT NULL DEFAULT '',
    same_key         TEXT    NOT NULL DEFAULT '', -- what it is about: rows with the same are one
    content          TEXT    NOT NULL DEFAULT '', -- what it says about that
    person_id        TEXT    NOT NULL DEFAULT '', -- whom the person becomes when nobody has mentioned him yet
    citizen_sealed   BYTEA, -- for that person
    facts_sealed     BYTEA, -- name, position, contacts; NULL where nothing is said
    contact          BOOLEAN NOT NULL DEFAULT FALSE, -- the facts hold an address or a telephone number
    original_sealed  BYTEA, -- the cells; NULL once wiped
    corrected_sealed BYTEA, -- as somebody corrected them
    corrected_by     TEXT,
    corrected_at     BIGINT,
    fault            TEXT    NOT NULL DEFAULT '', -- what is wrong with the row by itself: message key
    fault_args       TEXT    NOT NULL DEFAULT '',
    result           TEXT    NOT NULL, -- new, same, changed, conflict, quarantined
    reason           TEXT    NOT NULL DEFAULT '', -- why, when it is no fault of the row by itself: message key
    reason_args      TEXT    NOT NULL DEFAULT '',
    aside_by         TEXT, -- who set it aside
    aside_reason     TEXT    NOT NULL DEFAULT '',
    fresh_id         TEXT    NOT NULL, -- of the right or appointment that a new row becomes
    object_id        TEXT    NOT NULL DEFAULT '', -- of the one in the book that it met
    PRIMARY KEY (import_id, line)
);
CREATE INDEX legacy_rows_open ON legacy_rows (import_id, result, line) WHERE result NOT IN ('new', 'same');
CREATE INDEX legacy_rows_facts ON legacy_rows (citizen_index) WHERE facts_sealed IS NOT NULL;

-- Where a right, an appointment or what is known of an officer comes from.
CREATE TABLE legacy_origins (
    source    TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    row_id    TEXT   NOT NULL,
    object_id TEXT   NOT NULL, -- grant, appointment, or person for an officer
    same_key  TEXT   NOT NULL,
    content   TEXT   NOT NULL, -- as it was brought last
    import_id TEXT   NOT NULL REFERENCES legacy_imports (id),
    line      BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (source, kind, row_id)
);
CREATE INDEX legacy_origins_by_object ON legacy_origins (object_id);

-- Every writing of an import with its totals.
CREATE TABLE legacy_commits (
    import_id TEXT   NOT NULL REFERENCES legacy_imports (id),
    number    BIGINT NOT NULL, -- from 1
    signed_by TEXT   NOT NULL,
    signed_at BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    totals    TEXT   NOT NULL, -- JSON
    results   TEXT   NOT NULL,
    PRIMARY KEY (import_id, number)
);

-- Who was invited to register; once, whatever comes later.
CREATE TABLE legacy_invitations (
    person_id TEXT   NOT NULL PRIMARY KEY REFERENCES persons (id),
    import_id TEXT   NOT NULL REFERENCES legacy_imports (id),
    at        BIGINT NOT NULL
);

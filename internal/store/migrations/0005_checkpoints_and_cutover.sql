-- +goose Up

-- Where checkpoints of the audit log are published (--checkpoint-to), and the newest one there.
CREATE TABLE audit_published (
    destination  TEXT   NOT NULL PRIMARY KEY, -- the file or address, as it was set
    size         BIGINT NOT NULL,             -- of the checkpoint
    note         TEXT   NOT NULL,
    published_at BIGINT NOT NULL
);

-- The cut-over between a system and its predecessor: who owns new cases from which moment on.
CREATE TABLE cutovers (
    id         TEXT   NOT NULL PRIMARY KEY,
    system     TEXT   NOT NULL, -- code of the menu: ko1
    owner      TEXT   NOT NULL, -- old, new
    starts_at  BIGINT NOT NULL,
    note_th    TEXT   NOT NULL DEFAULT '', -- shown with it
    note_en    TEXT   NOT NULL DEFAULT '',
    address    TEXT   NOT NULL DEFAULT '', -- of the announcement, or ''
    created_by TEXT   NOT NULL, -- person id, or 'system'
    created_at BIGINT NOT NULL,
    closed_by  TEXT,            -- who withdrew it
    closed_at  BIGINT,
    version    BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX cutovers_by_start ON cutovers (system, starts_at) WHERE closed_at IS NULL;

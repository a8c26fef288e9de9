-- +goose Up

-- The keys this database needs: what the key file has to hold. It holds the keys; here is only how they are known.
CREATE TABLE seal_keys (
    kind       TEXT   NOT NULL, -- encryption, pepper, index
    version    BIGINT NOT NULL,
    mark       TEXT   NOT NULL, -- the same for the same key, and telling nothing of it
    since      BIGINT NOT NULL,
    retired_at BIGINT,
    PRIMARY KEY (kind, version)
);

-- Which key each serving process seals and peppers with, from minute to minute: an old key is retired only when none
-- uses it any more.
CREATE TABLE key_users (
    process    TEXT   NOT NULL PRIMARY KEY,
    encryption BIGINT NOT NULL,
    pepper     BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL
);

-- What the nightly round has deleted (cmd/sitthi and package retention say what is kept for how long).
CREATE TABLE retention_runs (
    rule TEXT   NOT NULL PRIMARY KEY,
    at   BIGINT NOT NULL, -- when it was last done
    gone BIGINT NOT NULL  -- rows that went then
);

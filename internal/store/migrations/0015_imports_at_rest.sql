-- +goose Up

-- Since when an import waits for its signature: the end of its last dry run, which every work on its rows is followed by.
ALTER TABLE legacy_imports ADD COLUMN checked_at BIGINT;

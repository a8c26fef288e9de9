-- +goose Up

-- Lists of persons to whom one right was given in one act: the same form sent twice is one act.
CREATE TABLE give_lists (
    id       TEXT   NOT NULL PRIMARY KEY,
    form     TEXT   NOT NULL UNIQUE,
    content  TEXT   NOT NULL, -- keyed hash of what the form said
    unit     TEXT   NOT NULL REFERENCES units (code),
    given_by TEXT   NOT NULL,
    given_at BIGINT NOT NULL
);

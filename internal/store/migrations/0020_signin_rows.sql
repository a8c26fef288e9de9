-- +goose Up

-- The sign-in that waits for the second factor was begun with a password of fewer than 15 characters: so is the session
-- that comes of it. A row lives five minutes; one that the program before this one wrote counts as one with a long password.
ALTER TABLE signin_flows ADD COLUMN short_password BOOLEAN NOT NULL DEFAULT FALSE;

-- The browser that a session was opened in, by the hash of its token: it ends when its owner has no more to do with that
-- browser. '' for sessions of the program before this one.
ALTER TABLE sessions ADD COLUMN device TEXT NOT NULL DEFAULT '';

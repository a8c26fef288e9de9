-- +goose Up

-- By which channels an officer gets ordinary notices: their names with blanks between, empty until he chooses.
ALTER TABLE accounts ADD COLUMN notices TEXT NOT NULL DEFAULT '';

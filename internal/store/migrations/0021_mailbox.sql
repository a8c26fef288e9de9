-- +goose Up

-- The office's own address, which is told when one of its officers was let in again on somebody's word; '' for none.
ALTER TABLE units ADD COLUMN mailbox TEXT NOT NULL DEFAULT '';

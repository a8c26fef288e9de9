-- +goose Up

-- The log is written once: not even a fault in the program may alter it.
-- +goose StatementBegin
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_entries_kept BEFORE UPDATE OR DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_leaves_kept BEFORE UPDATE OR DELETE ON audit_leaves FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_hashes_kept BEFORE UPDATE OR DELETE ON audit_hashes FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_checkpoints_kept BEFORE UPDATE OR DELETE ON audit_checkpoints FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER grant_versions_kept BEFORE UPDATE ON grant_versions FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER grants_stay BEFORE DELETE ON grants FOR EACH ROW EXECUTE FUNCTION append_only();
-- Wakes the other processes as soon as a right moves; the poll finds it even without.
-- +goose StatementBegin
CREATE FUNCTION rights_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sitthi_rights', NEW.version::text);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER rights_moved AFTER INSERT ON rights_changes FOR EACH ROW EXECUTE FUNCTION rights_moved();

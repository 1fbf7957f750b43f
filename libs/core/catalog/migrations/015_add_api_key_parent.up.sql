-- Which key made a key, so that what somebody made with a stolen one can be found and ended. Null: made by the operator or with a
-- token. Safe online: a column without default, and the foreign key has no rows to check.
ALTER TABLE api_keys ADD COLUMN parent_id text
    CONSTRAINT api_keys_parent_id_fkey REFERENCES api_keys (id) ON DELETE SET NULL;
CREATE INDEX api_keys_parent_id_idx ON api_keys (parent_id) WHERE parent_id IS NOT NULL;

DROP INDEX users_subject_key;
ALTER TABLE users DROP COLUMN subject;

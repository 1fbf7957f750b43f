-- Who a user is for the issuer of JSON Web Tokens: the "sub" claim. Users without one can only have API keys. Adding a column
-- without a default takes a short lock; the table is small.
ALTER TABLE users ADD COLUMN subject text CONSTRAINT users_subject_check CHECK (length(subject) BETWEEN 1 AND 255);
CREATE UNIQUE INDEX users_subject_key ON users (subject);

-- Who may use the API. Personal data is the e-mail address alone.
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT users_pkey PRIMARY KEY,
    email text NOT NULL CONSTRAINT users_email_check CHECK (email LIKE '%_@_%' AND length(email) <= 320),
    role text NOT NULL DEFAULT 'user' CONSTRAINT users_role_check CHECK (role IN ('user', 'admin')),
    created_at timestamptz NOT NULL DEFAULT now()
);
-- One account per address, however it is capitalised.
CREATE UNIQUE INDEX users_email_key ON users (lower(email));

-- Of a key only its public id and the SHA-256 of its text are kept: 256 random bits need no slow hash.
CREATE TABLE api_keys (
    id text CONSTRAINT api_keys_pkey PRIMARY KEY CONSTRAINT api_keys_id_check CHECK (id ~ '^[0-9A-Za-z]{8}$'),
    user_id bigint NOT NULL CONSTRAINT api_keys_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL CONSTRAINT api_keys_name_check CHECK (length(name) <= 200),
    scopes text[] NOT NULL CONSTRAINT api_keys_scopes_check
        CHECK (scopes <@ ARRAY['read', 'scrape', 'copy', 'admin', 'metrics']),
    sha256 bytea NOT NULL CONSTRAINT api_keys_sha256_check CHECK (length(sha256) = 32),

    created_at timestamptz NOT NULL DEFAULT now(),
    -- To the minute, so that a busy key costs one write a minute.
    last_used_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX api_keys_user_id_idx ON api_keys (user_id);

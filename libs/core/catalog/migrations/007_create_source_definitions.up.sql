-- Source definitions that an operator enabled beside the files that come with the worker. A version is written
-- once: what a job ran with stays readable. Of a source, the version enabled last is the one in use.
CREATE TABLE source_definitions (
    id text NOT NULL CONSTRAINT source_definitions_id_check CHECK (id ~ '^[a-z0-9_]+(\.[a-z0-9_]+)*$'),
    version integer NOT NULL CONSTRAINT source_definitions_version_check CHECK (version > 0),
    definition text NOT NULL CONSTRAINT source_definitions_size_check CHECK (octet_length(definition) <= 262144),
    is_enabled boolean NOT NULL DEFAULT true,
    enabled_at timestamptz NOT NULL,
    CONSTRAINT source_definitions_pkey PRIMARY KEY (id, version)
);

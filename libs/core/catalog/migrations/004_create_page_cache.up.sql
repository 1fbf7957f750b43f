-- What the last visit to a page left: validators for a conditional request and a digest for sites that have none.
CREATE TABLE page_cache (
    url text NOT NULL,
    -- URLs may be longer than an index entry can be.
    url_md5 uuid GENERATED ALWAYS AS (md5(url)::uuid) STORED CONSTRAINT page_cache_pkey PRIMARY KEY,
    etag text,
    last_modified text,
    digest text NOT NULL,
    found bigint NOT NULL DEFAULT 0,
    fetched_at timestamptz NOT NULL
);
-- Retention: entries not renewed for long.
CREATE INDEX page_cache_fetched_at_idx ON page_cache USING brin (fetched_at);

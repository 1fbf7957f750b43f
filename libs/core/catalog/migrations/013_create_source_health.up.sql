-- How well each field of a source is read, run by run, to notice that a shop has changed. One row a field and measure, whose
-- past is an average that forgets.
CREATE TABLE source_health (
    source text NOT NULL,
    field text NOT NULL,
    measure text NOT NULL CONSTRAINT source_health_measure_check CHECK (measure IN ('found', 'first')),
    version integer NOT NULL, -- of the definition; another one starts afresh
    runs bigint NOT NULL,
    usual double precision NOT NULL,  -- share of rows, 0 to 1
    latest double precision NOT NULL,
    drifting_since timestamptz,       -- the first of the runs that fell far below the usual; NULL: all is well
    updated_at timestamptz NOT NULL,
    CONSTRAINT source_health_pkey PRIMARY KEY (source, field, measure)
);

-- The ledger that makes a job's effect happen once, although the job itself may run more than once. One row an attempt; each
-- begins with the totals and the cursor of the one before.
CREATE TABLE scrape_runs (
    job_id text NOT NULL,
    -- When the job was made, in Unix milliseconds: ids start again at 1 when a Redis is replaced.
    job_timestamp_ms bigint NOT NULL,
    attempt integer NOT NULL CONSTRAINT scrape_runs_attempt_check CHECK (attempt > 0),
    source text NOT NULL,
    status text NOT NULL CONSTRAINT scrape_runs_status_check
        CHECK (status IN ('running', 'succeeded', 'failed', 'interrupted')),
    error text,

    cursor text NOT NULL DEFAULT '',
    pages bigint NOT NULL DEFAULT 0,
    products_found bigint NOT NULL DEFAULT 0,
    products_changed bigint NOT NULL DEFAULT 0,

    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT scrape_runs_pkey PRIMARY KEY (job_id, job_timestamp_ms, attempt)
);
-- Retention and "what ran last" by source.
CREATE INDEX scrape_runs_source_started_at_idx ON scrape_runs (source, started_at);

-- The newest attempt of a job, with the job locked until the transaction ends: attempts of one job pass one after the other.
CREATE FUNCTION scrape_run_lock(job text, created_ms bigint) RETURNS scrape_runs LANGUAGE plpgsql AS $$
DECLARE
    newest scrape_runs;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(job, created_ms));
    SELECT * INTO newest FROM scrape_runs
        WHERE job_id = job AND job_timestamp_ms = created_ms ORDER BY attempt DESC LIMIT 1;
    RETURN newest;
END $$;

-- Takes the job for attempt `wanted` and returns its row. TT001: a newer attempt has it. A job that has succeeded is not
-- taken: the row that says so is returned.
CREATE FUNCTION scrape_run_start(job text, created_ms bigint, wanted integer, from_source text)
RETURNS scrape_runs LANGUAGE plpgsql AS $$
DECLARE
    run scrape_runs := scrape_run_lock(job, created_ms);
BEGIN
    IF run.status = 'succeeded' THEN
        RETURN run;
    ELSIF run.attempt > wanted THEN
        RAISE EXCEPTION 'attempt % of job % is fenced by attempt %', wanted, job, run.attempt USING ERRCODE = 'TT001';
    ELSIF run.attempt = wanted THEN
        UPDATE scrape_runs SET status = 'running', error = NULL, finished_at = NULL, updated_at = now()
            WHERE job_id = job AND job_timestamp_ms = created_ms AND attempt = wanted RETURNING * INTO run;
    ELSE
        INSERT INTO scrape_runs
                (job_id, job_timestamp_ms, attempt, source, status, cursor, pages, products_found, products_changed)
            VALUES (job, created_ms, wanted, from_source, 'running', coalesce(run.cursor, ''), coalesce(run.pages, 0),
                    coalesce(run.products_found, 0), coalesce(run.products_changed, 0))
            RETURNING * INTO run;
    END IF;
    RETURN run;
END $$;

-- The gate before a page is written by attempt `wanted`. TT001: a newer attempt has the job. TT002: the job has succeeded.
-- TT003: page `number` was committed before.
CREATE FUNCTION scrape_run_enter_page(job text, created_ms bigint, wanted integer, from_source text, number bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    run scrape_runs := scrape_run_lock(job, created_ms);
BEGIN
    IF run.attempt > wanted THEN
        RAISE EXCEPTION 'attempt % of job % is fenced by attempt %', wanted, job, run.attempt USING ERRCODE = 'TT001';
    ELSIF run.status = 'succeeded' THEN
        RAISE EXCEPTION 'job % has succeeded', job USING ERRCODE = 'TT002';
    ELSIF run.pages >= number THEN
        RAISE EXCEPTION 'page % of job % was committed before', number, job USING ERRCODE = 'TT003';
    ELSIF run.attempt IS DISTINCT FROM wanted THEN
        PERFORM scrape_run_start(job, created_ms, wanted, from_source);
    END IF;
END $$;

-- Ends attempt `wanted`. TT001: a newer attempt has the job. TT002: the job has succeeded and is to end otherwise. TT004: it
-- was never started.
CREATE FUNCTION scrape_run_finish(job text, created_ms bigint, wanted integer, new_status text, reason text)
RETURNS scrape_runs LANGUAGE plpgsql AS $$
DECLARE
    run scrape_runs := scrape_run_lock(job, created_ms);
BEGIN
    IF run.attempt > wanted THEN
        RAISE EXCEPTION 'attempt % of job % is fenced by attempt %', wanted, job, run.attempt USING ERRCODE = 'TT001';
    ELSIF run.status = 'succeeded' THEN
        IF run.attempt = wanted AND new_status = 'succeeded' THEN
            RETURN run;
        END IF;
        RAISE EXCEPTION 'job % has succeeded', job USING ERRCODE = 'TT002';
    ELSIF run.attempt IS DISTINCT FROM wanted THEN
        RAISE EXCEPTION 'attempt % of job % was never started', wanted, job USING ERRCODE = 'TT004';
    END IF;
    UPDATE scrape_runs SET status = new_status, error = reason, finished_at = now(), updated_at = now()
        WHERE job_id = job AND job_timestamp_ms = created_ms AND attempt = wanted RETURNING * INTO run;
    RETURN run;
END $$;

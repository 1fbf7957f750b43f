-- Jobs that were accepted, until they are known to have ended: what the queue's Redis loses is added again from here, under the
-- same id. Rows live for seconds to minutes, so the table stays small and is vacuumed early.
CREATE TABLE job_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT job_outbox_pkey PRIMARY KEY,
    queue text NOT NULL, -- "<prefix>:<name>"
    job_id text NOT NULL,
    name text NOT NULL,
    data text NOT NULL,
    options text NOT NULL, -- JSON of the gateway's own
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When a relay looks at the row again. Moved on by whoever takes it, which keeps the others away meanwhile.
    due_at timestamptz NOT NULL,
    -- How often the queue confirmed it; 0: not known to be in Redis.
    relays integer NOT NULL DEFAULT 0 CONSTRAINT job_outbox_relays_check CHECK (relays >= 0),
    CONSTRAINT job_outbox_queue_job_id_key UNIQUE (queue, job_id)
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
CREATE INDEX job_outbox_queue_due_at_idx ON job_outbox (queue, due_at);

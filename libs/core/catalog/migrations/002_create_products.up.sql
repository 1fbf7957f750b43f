-- Category labels as the shops write them, blanks collapsed.
CREATE TABLE categories (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT categories_pkey PRIMARY KEY,
    name text NOT NULL CONSTRAINT categories_name_key UNIQUE
        CONSTRAINT categories_name_check CHECK (length(name) BETWEEN 1 AND 200)
);

CREATE TABLE products (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT products_pkey PRIMARY KEY,

    -- Identity: what the definition declares as its key.
    source text NOT NULL,
    external_id text NOT NULL,
    kind text NOT NULL CONSTRAINT products_kind_check CHECK (kind IN ('product', 'trend')),

    -- Description.
    title text NOT NULL,
    description text,
    url text,
    image_url text,
    image_cdn_url text,
    category_id bigint CONSTRAINT products_category_id_fkey REFERENCES categories (id) ON DELETE SET NULL,
    attributes jsonb NOT NULL DEFAULT '{}' CONSTRAINT products_attributes_check CHECK (jsonb_typeof(attributes) = 'object'),

    -- Money is exact and keeps the digits the shop shows ("19.90"), hence numeric without a scale.
    price_min numeric CONSTRAINT products_price_min_check CHECK (price_min >= 0),
    price_max numeric CONSTRAINT products_price_max_check CHECK (price_max >= 0),
    currency text CONSTRAINT products_currency_check CHECK (currency ~ '^[A-Z]{3}$'),

    -- Success.
    sales_7d bigint,
    sales_total bigint,
    rating double precision,
    review_count bigint,
    trend_score double precision,

    is_trending boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,

    -- Change detection: hash of everything above that a scrape delivers (catalog::content_hash).
    content_hash bigint NOT NULL,
    first_seen timestamptz NOT NULL DEFAULT now(),
    last_updated timestamptz NOT NULL DEFAULT now(),
    scraped_at timestamptz NOT NULL,

    CONSTRAINT products_source_external_id_key UNIQUE (source, external_id)
);

-- Trending lists; the newest first.
CREATE INDEX products_is_trending_last_updated_idx ON products (is_trending, last_updated DESC);
CREATE INDEX products_category_id_price_min_idx ON products (category_id, price_min);
CREATE INDEX products_active_id_idx ON products (id) WHERE is_active;
-- Keyset pages, read in both directions. Partial, because many sources know no sales and no score.
CREATE INDEX products_last_updated_id_idx ON products (last_updated, id);
CREATE INDEX products_price_min_id_idx ON products (price_min, id) WHERE price_min IS NOT NULL;
CREATE INDEX products_sales_7d_id_idx ON products (sales_7d, id) WHERE sales_7d IS NOT NULL;
CREATE INDEX products_trend_score_id_idx ON products (trend_score, id) WHERE trend_score IS NOT NULL;

-- One row for each change that a scrape found. The key contains the partition key, as PostgreSQL asks, and makes a repeated
-- scrape harmless. No foreign key: its check would lock every product a second time, and old months outlive their products.
CREATE TABLE product_history (
    product_id bigint NOT NULL,
    scraped_at timestamptz NOT NULL,
    price_min numeric,
    price_max numeric,
    currency text,
    sales_7d bigint,
    sales_total bigint,
    rating double precision,
    review_count bigint,
    trend_score double precision,
    CONSTRAINT product_history_pkey PRIMARY KEY (product_id, scraped_at)
) PARTITION BY RANGE (scraped_at);
-- Retention and reports ask for time ranges; a BRIN index costs next to nothing.
CREATE INDEX product_history_scraped_at_idx ON product_history USING brin (scraped_at);

-- Creates the partition of the month (UTC) that holds `moment`. A table that is attached afterwards keeps readers and
-- writers of the parent going, which CREATE TABLE … PARTITION OF would not. Safe to call at any time by anybody.
CREATE FUNCTION ensure_product_history_partition(moment timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    month timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
    name text := 'product_history_' || to_char(month, 'YYYY_MM');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN name;
    END IF;
    -- IF NOT EXISTS is not atomic; this lock is. Afterwards the table itself is asked: to_regclass would answer from a cache
    -- that does not know what others did while we waited.
    PERFORM pg_advisory_xact_lock(hashtextextended('product_history', 0));
    IF NOT EXISTS (SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
                   WHERE inhparent = 'product_history'::regclass AND relname = name) THEN
        EXECUTE format('CREATE TABLE %I (LIKE product_history INCLUDING ALL)', name);
        EXECUTE format('ALTER TABLE product_history ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       name, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
    END IF;
    RETURN name;
END $$;

-- This month and the next three.
SELECT ensure_product_history_partition(now() + n * interval '1 month') FROM generate_series(0, 3) AS n;

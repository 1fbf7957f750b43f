-- What recompute_trends() finds out about products that shops sell (sources of kind "trend" bring their own score).
ALTER TABLE products ADD COLUMN sales_7d_change bigint;

-- Shops' labels that mean another category: a product whose label is here gets that one instead of one of the label's own
-- name. Rows are made by the operator.
CREATE TABLE category_aliases (
    label text NOT NULL CONSTRAINT category_aliases_pkey PRIMARY KEY,
    category_id bigint NOT NULL CONSTRAINT category_aliases_category_id_fkey REFERENCES categories (id) ON DELETE CASCADE
);

-- The last known state of each product on each day (UTC) on which it changed.
CREATE VIEW product_history_daily AS
SELECT DISTINCT ON (product_id, (scraped_at AT TIME ZONE 'UTC')::date)
       product_id, (scraped_at AT TIME ZONE 'UTC')::date AS day, scraped_at, price_min, price_max, currency, sales_7d,
       sales_total, rating, review_count, trend_score
FROM product_history
ORDER BY product_id, (scraped_at AT TIME ZONE 'UTC')::date, scraped_at DESC;

-- Sales of the seven days before `moment`: what the shop said, else the difference of its totals. NULL: not known.
CREATE FUNCTION sales_of_week(product bigint, moment timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(h.sales_7d, h.sales_total - b.sales_total)
    FROM (SELECT sales_7d, sales_total FROM product_history
          WHERE product_id = product AND scraped_at <= moment ORDER BY scraped_at DESC LIMIT 1) AS h
    LEFT JOIN (SELECT sales_total FROM product_history
               WHERE product_id = product AND scraped_at <= moment - interval '7 days' ORDER BY scraped_at DESC LIMIT 1) AS b
        ON true
$$;

-- Trends as of `moment`, for the products of shops that changed lately or have a score:
--   sales_7d         of the shop, else the difference of its totals over seven days
--   sales_7d_change  against the seven days before those
--   trend_score      ln(1 + sales_7d) * (1 + growth), growth = change / (the week before, at least 10), within -0.9 and 3
--   is_trending      at least 10 sales, a growth of at least 20 %, and among the hundred best scores of the category
-- Returns how many rows changed. Unchanged rows are not written.
CREATE FUNCTION recompute_trends(moment timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    changed bigint;
BEGIN
    WITH weeks AS (
        SELECT id, category_id, sales_of_week(id, moment) AS this_week,
               sales_of_week(id, moment - interval '7 days') AS week_before
        FROM products
        WHERE kind = 'product' AND is_active
          AND (last_updated > moment - interval '15 days' OR is_trending OR trend_score IS NOT NULL)
    ), scored AS (
        SELECT id, category_id, this_week, this_week - week_before AS change, week_before,
               -- greatest() and least() pass over NULL: without sales there is no score, without a week before no growth.
               CASE WHEN this_week IS NOT NULL THEN
                   round(ln(1 + greatest(this_week, 0)::numeric)
                         * (1 + coalesce(least(greatest((this_week - week_before)::numeric / greatest(week_before, 10), -0.9), 3), 0)),
                         4)::double precision END AS score
        FROM weeks
    ), ranked AS (
        SELECT id, this_week, change, score, week_before,
               row_number() OVER (PARTITION BY category_id ORDER BY score DESC NULLS LAST, id) AS place
        FROM scored
    ), wanted AS (
        SELECT id, this_week, change, score,
               coalesce(this_week >= 10 AND change >= week_before * 0.2 AND change > 0 AND place <= 100, false) AS trends
        FROM ranked
    ), written AS (
        UPDATE products AS p
        SET sales_7d = coalesce(w.this_week, p.sales_7d), sales_7d_change = w.change, trend_score = w.score,
            is_trending = w.trends
        FROM wanted AS w
        WHERE p.id = w.id
          AND (p.sales_7d_change IS DISTINCT FROM w.change OR p.trend_score IS DISTINCT FROM w.score
               OR p.is_trending IS DISTINCT FROM w.trends OR p.sales_7d IS DISTINCT FROM coalesce(w.this_week, p.sales_7d))
        RETURNING 1
    )
    SELECT count(*) INTO changed FROM written;
    RETURN changed;
END $$;

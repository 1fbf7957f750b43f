-- What trends, per category and currency (prices in different currencies have no average). NULLs in the key would make every
-- row look changed to a concurrent refresh, hence 0 and ''.
CREATE MATERIALIZED VIEW trending_products_summary AS
SELECT coalesce(p.category_id, 0) AS category_id,
       coalesce(c.name, '') AS category,
       coalesce(p.currency, '') AS currency,
       count(*) AS products,
       round(avg(p.price_min), 2) AS average_price,
       sum(p.sales_7d)::bigint AS sales_7d,
       max(p.trend_score) AS top_trend_score,
       now() AS refreshed_at
  FROM products p LEFT JOIN categories c ON c.id = p.category_id
 WHERE p.is_trending AND p.is_active
 GROUP BY 1, 2, 3;
-- REFRESH … CONCURRENTLY needs it.
CREATE UNIQUE INDEX trending_products_summary_category_id_currency_key ON trending_products_summary (category_id, currency);

-- Refreshes it, by one session at a time; false: another one does it just now. Readers go on meanwhile.
CREATE FUNCTION refresh_trending_summary() RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('trending_products_summary', 0)) THEN
        RETURN false;
    END IF;
    REFRESH MATERIALIZED VIEW CONCURRENTLY trending_products_summary;
    RETURN true;
END $$;

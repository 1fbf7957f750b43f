DROP FUNCTION refresh_trending_summary();
DROP MATERIALIZED VIEW trending_products_summary;

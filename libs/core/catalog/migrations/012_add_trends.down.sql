DROP FUNCTION recompute_trends(timestamptz);
DROP FUNCTION sales_of_week(bigint, timestamptz);
DROP VIEW product_history_daily;
DROP TABLE category_aliases;
ALTER TABLE products DROP COLUMN sales_7d_change;

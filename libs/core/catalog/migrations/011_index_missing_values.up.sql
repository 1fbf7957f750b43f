-- The last pages of a sorted list are the products without a value, by id; and a list with few others reaches them at once. The
-- partial indexes of migration 002 left them to a scan of the table.
CREATE INDEX products_price_min_nulls_id_idx ON products (price_min, id);
DROP INDEX products_price_min_id_idx;
ALTER INDEX products_price_min_nulls_id_idx RENAME TO products_price_min_id_idx;
CREATE INDEX products_sales_7d_nulls_id_idx ON products (sales_7d, id);
DROP INDEX products_sales_7d_id_idx;
ALTER INDEX products_sales_7d_nulls_id_idx RENAME TO products_sales_7d_id_idx;
CREATE INDEX products_trend_score_nulls_id_idx ON products (trend_score, id);
DROP INDEX products_trend_score_id_idx;
ALTER INDEX products_trend_score_nulls_id_idx RENAME TO products_trend_score_id_idx;

CREATE INDEX products_price_min_known_id_idx ON products (price_min, id) WHERE price_min IS NOT NULL;
DROP INDEX products_price_min_id_idx;
ALTER INDEX products_price_min_known_id_idx RENAME TO products_price_min_id_idx;
CREATE INDEX products_sales_7d_known_id_idx ON products (sales_7d, id) WHERE sales_7d IS NOT NULL;
DROP INDEX products_sales_7d_id_idx;
ALTER INDEX products_sales_7d_known_id_idx RENAME TO products_sales_7d_id_idx;
CREATE INDEX products_trend_score_known_id_idx ON products (trend_score, id) WHERE trend_score IS NOT NULL;
DROP INDEX products_trend_score_id_idx;
ALTER INDEX products_trend_score_known_id_idx RENAME TO products_trend_score_id_idx;

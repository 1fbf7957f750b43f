-- Text search. The expression stands in catalog::product_query too; both must stay the same, or the index is not used. A
-- text search vector holds 1 MiB at most, hence the bounds.
CREATE INDEX products_text_idx ON products
    USING gin (to_tsvector('simple', left(title, 1000) || ' ' || left(coalesce(description, ''), 10000)));

-- Keyset pages by what could not be walked yet. Not partial: the products without a value are pages of their own.
CREATE INDEX products_first_seen_id_idx ON products (first_seen, id);
CREATE INDEX products_rating_id_idx ON products (rating, id);
CREATE INDEX products_sales_total_id_idx ON products (sales_total, id);
CREATE INDEX products_review_count_id_idx ON products (review_count, id);

-- Filters that may leave few of many.
CREATE INDEX products_currency_last_updated_id_idx ON products (currency, last_updated, id);
CREATE INDEX products_source_last_updated_id_idx ON products (source, last_updated, id);
CREATE INDEX products_category_id_last_updated_id_idx ON products (category_id, last_updated, id);
CREATE INDEX products_trend_last_updated_id_idx ON products (last_updated, id) WHERE kind = 'trend';
CREATE INDEX products_inactive_last_updated_id_idx ON products (last_updated, id) WHERE NOT is_active;

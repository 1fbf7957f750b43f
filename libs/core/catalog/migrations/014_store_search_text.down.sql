DROP INDEX products_text_idx;
ALTER TABLE products DROP COLUMN search_text;
CREATE INDEX products_text_idx ON products
    USING gin (to_tsvector('simple', left(title, 1000) || ' ' || left(coalesce(description, ''), 10000)));

DROP FUNCTION ensure_product_history_partition(timestamptz);
DROP TABLE product_history;
DROP TABLE products;
DROP TABLE categories;

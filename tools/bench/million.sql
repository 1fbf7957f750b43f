-- Fills an empty products table with :count made-up products (psql -v count=1000000): the same ones each time. Words follow a
-- power law, as words do: of 20,412 the commonest stands in every second product, most in a few dozen. Categories and shops
-- are of very different sizes; some products lack a rating, sales or a category, as scraped ones do.
\set ON_ERROR_STOP on
SELECT setseed(0.42) AS seeded;
SET synchronous_commit = off;
SET maintenance_work_mem = '512MB';
-- The word of a rank from 0 to 20411, the commonest first.
CREATE FUNCTION pg_temp.word(rank integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT ('{ba,co,di,fe,gu,ka,lo,mi,ne,pa,ra,su,ti,vo,wa,ze,bri,cla,dro,fla,gre,pla,sto,tra,ski,sno,spe}'::text[])[1 + rank * 7919 % 20412 / 756]
        || ('{bel,can,dor,fin,gar,lam,mon,nar,pol,ras,sel,tan,ven,wor,zin,lek,mur,nis,pra,tol,vik,hub,jor,kel,quo,sam,tur}'::text[])[1 + rank * 7919 % 756 / 28]
        || ('{a,o,et,in,us,ar,er,ion,al,ix,um,ant,ent,ock,ard,est,ine,ous,ade,ism,ory,ful,let,ner,ton,by,gen,ia}'::text[])[1 + rank * 7919 % 28]
$$;
CREATE FUNCTION pg_temp.some_words(n integer) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    said text := '';
BEGIN
    FOR i IN 1..n LOOP
        said := said || ' ' || pg_temp.word(floor(20412 * power(random(), 3))::integer);
    END LOOP;
    RETURN ltrim(said);
END $$;
-- For those who search: tools/bench/wrk/reads.lua reads it from a file.
CREATE TABLE bench_words AS SELECT rank, pg_temp.word(rank) AS word FROM generate_series(0, 20411) AS rank;
INSERT INTO categories (name) SELECT 'category ' || n FROM generate_series(1, 200) AS n ON CONFLICT DO NOTHING;
INSERT INTO products (source, external_id, kind, title, description, url, image_url, category_id, price_min, price_max, currency, sales_7d,
                      sales_total, rating, review_count, trend_score, is_trending, is_active, content_hash,
                      first_seen, last_updated, scraped_at)
SELECT 'shop' || floor(40 * power(random(), 2))::integer || '.example', 'item-' || n,
       CASE WHEN random() < 0.01 THEN 'trend' ELSE 'product' END,
       pg_temp.some_words(5), pg_temp.some_words(18), 'https://shop.example/item/' || n, 'https://shop.example/image/' || n || '.webp',
       CASE WHEN random() < 0.95 THEN (SELECT min(id) FROM categories) + floor(200 * power(random(), 2))::integer END,
       price, price * 1.2, CASE WHEN random() < 0.8 THEN 'EUR' WHEN random() < 0.8 THEN 'USD' ELSE 'GBP' END,
       CASE WHEN random() < 0.7 THEN floor(power(random(), 4) * 5000)::bigint END,
       CASE WHEN random() < 0.8 THEN floor(power(random(), 4) * 90000)::bigint END,
       CASE WHEN random() < 0.8 THEN round((2.5 + 2.5 * random())::numeric, 1)::float8 END,
       CASE WHEN random() < 0.8 THEN floor(power(random(), 3) * 3000)::bigint END,
       CASE WHEN random() < 0.6 THEN random() * 10 END, random() < 0.02, random() < 0.98, n,
       now() - random() * interval '300 days', now() - random() * interval '30 days', now()
FROM (SELECT n, round((1 + 200 * power(random(), 3))::numeric, 2) AS price FROM generate_series(1, :count) AS n) AS made;
INSERT INTO product_history (product_id, scraped_at, price_min, price_max, currency, sales_total)
SELECT id, date_trunc('month', now()) + k * interval '1 hour', price_min + k, price_max + k, currency, sales_total + k
FROM products, generate_series(1, 3) AS k WHERE id % 10 = 0;
ANALYZE;
REFRESH MATERIALIZED VIEW trending_products_summary;

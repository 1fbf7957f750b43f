#pragma once
// The statements of a page's transaction (page_commit).
#include <string_view>

namespace tiktrend::catalog::detail {

// All that a page looks for has a key. A plan lives as long as its connection, and one that was made while a
// table was small enough to be read whole would read it whole for ever: hence no sequential scans (until the
// transaction ends).
inline constexpr std::string_view enter_page =
    "SELECT scrape_run_enter_page($1::text, $2::bigint, $3::integer, $4::text, $5::bigint), "
    "set_config('enable_seqscan', 'off', true)";

// The same for a page without a product to write. If the server dies within the next moment the page may be
// asked for again, and will be unchanged again: not worth a wait for the disk.
inline constexpr std::string_view enter_unchanged_page =
    "SELECT scrape_run_enter_page($1::text, $2::bigint, $3::integer, $4::text, $5::bigint), "
    "set_config('enable_seqscan', 'off', true), set_config('synchronous_commit', 'off', true)";

// The anti-join keeps known labels from using up identity values; the order keeps writers from deadlocks.
inline constexpr std::string_view add_categories =
    "INSERT INTO categories (name) SELECT n FROM unnest($1::text[]) AS n "
    "WHERE NOT EXISTS (SELECT FROM categories WHERE name = n) "
    "AND NOT EXISTS (SELECT FROM category_aliases WHERE label = n) "
    "ORDER BY n COLLATE \"C\" ON CONFLICT DO NOTHING";

// input:   the page.
// wanted:  the product with the first key from the one looked for on, which is that very key or shows that
// there is none. Said with equality, the key's index and products_source_last_updated_id_idx cost the same to
// a planner without statistics, and the wrong one reads every product of the shop for each.
//          New, changed and newer, or unchanged for so long that it is touched. Unchanged rows are not even
// locked. What recompute_trends() (migration 012) worked out stays where the shop itself says nothing, and is
// not taken into the history, which holds what shops said. written: one lock order for all writers, and
// monotonic: an older scrape cannot overwrite a newer one. now() is the transaction's start, so last_updated
// = now() tells what this statement changed. The answer: one row of totals, then one for each product that
// changed; the cursor grows with the pages read, so it is not told with each of them.
inline constexpr std::string_view upsert_products = R"(
WITH input AS (
    SELECT u.*, 'epoch'::timestamptz + u.scraped_ms * interval '1 millisecond' AS scraped_at
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::float8[], $15::bigint[],
                $16::float8[], $17::boolean[], $18::boolean[], $19::text[], $20::bigint[], $21::bigint[])
        AS u(source, external_id, kind, title, description, url, image_url, category, price_min, price_max, currency,
             sales_7d, sales_total, rating, review_count, trend_score, is_trending, is_active, attributes, content_hash,
             scraped_ms)
), wanted AS (
    SELECT i.* FROM input i
    LEFT JOIN LATERAL (SELECT id, source, external_id, scraped_at, content_hash FROM products
                       WHERE (source, external_id) >= (i.source, i.external_id) ORDER BY source, external_id LIMIT 1) AS p
        ON p.source = i.source AND p.external_id = i.external_id
    WHERE p.id IS NULL
       OR (p.scraped_at < i.scraped_at
           AND (p.content_hash <> i.content_hash OR p.scraped_at < i.scraped_at - $22::bigint * interval '1 millisecond'))
), written AS (
    INSERT INTO products AS p (source, external_id, kind, title, description, url, image_url, category_id, price_min,
                               price_max, currency, sales_7d, sales_total, rating, review_count, trend_score, is_trending,
                               is_active, attributes, content_hash, scraped_at)
    SELECT w.source, w.external_id, w.kind, w.title, w.description, w.url, w.image_url, coalesce(a.category_id, c.id), w.price_min::numeric,
           w.price_max::numeric, w.currency, w.sales_7d, w.sales_total, w.rating, w.review_count, w.trend_score,
           w.is_trending, w.is_active, w.attributes::jsonb, w.content_hash, w.scraped_at
    FROM wanted w LEFT JOIN category_aliases a ON a.label = w.category
    LEFT JOIN categories c ON c.name = w.category
    ORDER BY w.source COLLATE "C", w.external_id COLLATE "C"
    ON CONFLICT ON CONSTRAINT products_source_external_id_key DO UPDATE
        SET kind = EXCLUDED.kind, title = EXCLUDED.title, description = EXCLUDED.description, url = EXCLUDED.url,
            image_url = EXCLUDED.image_url, category_id = EXCLUDED.category_id, price_min = EXCLUDED.price_min,
            price_max = EXCLUDED.price_max, currency = EXCLUDED.currency,
            sales_7d = coalesce(EXCLUDED.sales_7d, p.sales_7d), sales_total = EXCLUDED.sales_total,
            rating = EXCLUDED.rating, review_count = EXCLUDED.review_count,
            trend_score = coalesce(EXCLUDED.trend_score, p.trend_score),
            is_trending = EXCLUDED.is_trending OR (p.is_trending AND p.kind = 'product'),
            image_cdn_url = CASE WHEN p.image_url IS NOT DISTINCT FROM EXCLUDED.image_url THEN p.image_cdn_url END,
            is_active = EXCLUDED.is_active,
            attributes = EXCLUDED.attributes, content_hash = EXCLUDED.content_hash, scraped_at = EXCLUDED.scraped_at,
            last_updated = CASE WHEN p.content_hash <> EXCLUDED.content_hash THEN now() ELSE p.last_updated END
        WHERE p.scraped_at < EXCLUDED.scraped_at
    RETURNING p.*, (p.xmax = 0) AS is_new
), changed AS (
    SELECT * FROM written WHERE last_updated = now()
), history AS (
    INSERT INTO product_history (product_id, scraped_at, price_min, price_max, currency, sales_7d, sales_total, rating,
                                 review_count, trend_score)
    SELECT c.id, c.scraped_at, c.price_min, c.price_max, c.currency, w.sales_7d, c.sales_total, c.rating, c.review_count,
           w.trend_score
    FROM changed c JOIN wanted w  -- the hash first: it is compared most, and the quickest
        ON w.content_hash = c.content_hash AND w.external_id = c.external_id AND w.source = c.source
    ON CONFLICT DO NOTHING
), ledger AS (
    UPDATE scrape_runs
    SET cursor = $23::text, pages = $24::bigint, products_found = products_found + $25::bigint,
        products_changed = products_changed + (SELECT count(*) FROM changed), updated_at = now()
    WHERE job_id = $26::text AND job_timestamp_ms = $27::bigint AND attempt = $28::integer
    RETURNING pages, products_found, products_changed, attempt, cursor
)
SELECT pages, products_found, products_changed, attempt, cursor, NULL::bigint, NULL::text, NULL::text, NULL::boolean, NULL::boolean
FROM ledger
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, id, source, external_id, is_new, image_url IS NOT NULL AND image_cdn_url IS NULL
FROM changed)";

// The condition of `wanted` above, for the keys alone.
inline constexpr std::string_view probe_products = R"(
SELECT u.place
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
    WITH ORDINALITY AS u(source, external_id, content_hash, scraped_ms, place)
LEFT JOIN LATERAL (SELECT id, source, external_id, scraped_at, content_hash FROM products
                   WHERE (source, external_id) >= (u.source, u.external_id) ORDER BY source, external_id LIMIT 1) AS p
    ON p.source = u.source AND p.external_id = u.external_id
WHERE p.id IS NULL
   OR (p.scraped_at < 'epoch'::timestamptz + u.scraped_ms * interval '1 millisecond'
       AND (p.content_hash <> u.content_hash
            OR p.scraped_at < 'epoch'::timestamptz + (u.scraped_ms - $5::bigint) * interval '1 millisecond'))
ORDER BY u.place)";

inline constexpr std::string_view remember_page =
    "INSERT INTO page_cache (url, etag, last_modified, digest, found, fetched_at) VALUES ($1::text, "
    "$2::text, $3::text, "
    "$4::text, $5::bigint, 'epoch'::timestamptz + $6::bigint * interval '1 millisecond') "
    "ON CONFLICT ON CONSTRAINT page_cache_pkey DO UPDATE SET etag = EXCLUDED.etag, "
    "last_modified = EXCLUDED.last_modified, digest = EXCLUDED.digest, found = EXCLUDED.found, "
    "fetched_at = EXCLUDED.fetched_at WHERE page_cache.fetched_at <= EXCLUDED.fetched_at";

inline constexpr std::string_view no_sequential_scans = "SELECT set_config('enable_seqscan', 'off', true)";

// The look-up of the next page follows it.
inline constexpr std::string_view current_lsn =
    "SELECT pg_current_wal_insert_lsn()::text, set_config('enable_seqscan', 'off', true)";

// The same for a page without a product to write: it was unchanged, or empty.
inline constexpr std::string_view advance_run =
    "UPDATE scrape_runs SET cursor = $1::text, pages = $2::bigint, products_found = products_found + "
    "$3::bigint, "
    "updated_at = now() WHERE job_id = $4::text AND job_timestamp_ms = $5::bigint AND attempt = $6::integer "
    "RETURNING pages, products_found, products_changed, attempt, cursor";

} // namespace tiktrend::catalog::detail

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/catalog/image_store.hpp>

#include <algorithm>

namespace tiktrend::catalog {
namespace {

// Locked in the order of ids, like every writer of many products that is not a page.
constexpr std::string_view write_copies = R"(
WITH input AS (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) AS u(id, image_url, image_cdn_url)
), locked AS (
    SELECT p.id FROM products p JOIN input i ON i.id = p.id AND i.image_url = p.image_url ORDER BY p.id FOR UPDATE OF p
)
UPDATE products p SET image_cdn_url = i.image_cdn_url FROM input i JOIN locked l ON l.id = i.id
WHERE p.id = i.id AND p.image_cdn_url IS DISTINCT FROM i.image_cdn_url
RETURNING p.id, p.source, p.external_id)";
constexpr std::string_view current_lsn = "SELECT pg_current_wal_insert_lsn()::text";

constexpr int max_attempts = 5;

/// Pages lock products in another order, so a deadlock with one happens; whoever is chosen to give way tries
/// again.
task<std::vector<postgres::rows>> run_until_through(postgres::pool& where, const postgres::batch& b) {
    default_random random;
    for (int attempt = 1;; ++attempt) {
        try {
            co_return co_await where.run(b);
        } catch (const system_error& e) {
            if (!postgres::is_retryable(e.code()) || attempt == max_attempts) throw;
        }
        const std::chrono::duration<double, std::milli> pause{random.next() * 10.0 * (1 << attempt)};
        co_await sleep_for(std::chrono::duration_cast<std::chrono::steady_clock::duration>(pause));
    }
}

} // namespace

task<committed_page> image_store::set(std::vector<mirrored_image> images) {
    using postgres::array;
    array ids{array::element::int8}, urls{array::element::text}, copies{array::element::text};
    for (const auto& image : images) {
        ids.add(image.product_id);
        urls.add(repair_utf8(image.image_url));
        copies.add(image.image_cdn_url);
    }
    postgres::params values;
    values.add(std::move(ids)).add(std::move(urls)).add(std::move(copies));
    postgres::batch b;
    b.add(write_copies, std::move(values));
    b.sync();
    b.add(current_lsn);
    const auto answers = co_await run_until_through(router_.write(), b);
    committed_page out;
    for (const auto r : answers.front())
        out.changed.push_back(
            {r[0].int64(), std::string{r[1].text()}, std::string{r[2].text()}, false, false});
    out.lsn = postgres::lsn::parse(answers.back().front()[0].text()).value_or(postgres::lsn{});
    co_return out;
}

} // namespace tiktrend::catalog

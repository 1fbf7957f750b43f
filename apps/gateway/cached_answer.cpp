#include "cached_answer.hpp"

#include <tiktrend/cache/entry.hpp>
#include <tiktrend/http/compression.hpp>
#include <tiktrend/http/conditional.hpp>

#include <charconv>

namespace tiktrend::gateway {

http::response answer_cached(const http::request& r, const product_cache::answer& a) {
    const auto coding = http::choose_coding(r.headers);
    if (!coding)
        throw http::problem(406, "not_acceptable", "Accept-Encoding refuses both gzip and the plain form.");
    http::response response;
    response.headers.set("ETag", a.etag);
    response.headers.set("Cache-Control", a.how == "stale"
                                              ? "private, no-cache"
                                              : "private, max-age=30, stale-while-revalidate=60");
    response.headers.set("Vary", "Accept-Encoding");
    response.headers.set("X-Cache", a.how);
    if (http::is_unmodified(r, a.etag)) {
        response.status = 304;
        return response;
    }
    response.headers.set("Content-Type", "application/json");
    if (a.gzip && *coding == http::content_coding::gzip) {
        response.headers.set("Content-Encoding", "gzip");
        response.shared_body = a.gzip;
    } else {
        response.shared_body = a.body;
    }
    return response;
}

product_cache::answer uncached_answer(std::string body) {
    const auto e = cache::make_entry(std::move(body), true, 0, 0);
    product_cache::answer out;
    out.body = cache::body_of(e); // keeps the whole entry
    out.gzip = cache::gzip_of(e);
    out.etag = e->etag;
    out.how = "bypass";
    return out;
}

http::problem no_such_product() {
    return {404, "product_not_found", "There is no product with this id."};
}

std::int64_t product_id_of(const http::request& r) {
    const auto text = r.param("id");
    std::int64_t id = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (ec != std::errc{} || end != text.data() + text.size() || id < 1) throw no_such_product();
    return id;
}

} // namespace tiktrend::gateway

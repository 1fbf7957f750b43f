#include "routes/products.hpp"

#include "product_request.hpp"
#include "query_reader.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/catalog/product_json.hpp>
#include <tiktrend/http/compression.hpp>
#include <tiktrend/http/conditional.hpp>
#include <tiktrend/http/problem.hpp>

#include <charconv>

namespace tiktrend::gateway {
namespace {

/// The cursor stands first in a list's body, so that the Link header of a cached answer is found without
/// parsing it.
constexpr std::string_view list_head = R"({"next_cursor":)";

std::string list_body(const catalog::product_list& page, const product_request& request,
                      const cursor_signer& cursors) {
    std::string body;
    body.reserve(page.items.size() * 600 + 200);
    body += list_head;
    if (page.next)
        append_json_string(body, make_cursor(cursors, request, *page.next));
    else
        body += "null";
    body += R"(,"items":[)";
    for (std::size_t i = 0; i < page.items.size(); ++i) {
        if (i) body += ',';
        catalog::append_json(body, page.items[i]);
    }
    body += "]}";
    return body;
}

std::string_view next_cursor_of(std::string_view body) {
    body.remove_prefix(std::min(list_head.size(), body.size()));
    if (!body.starts_with('"')) return {};
    body.remove_prefix(1);
    return body.substr(0, body.find('"'));
}

task<product_cache::loaded> load_list(catalog::product_store& products, product_request request,
                                      const cursor_signer& cursors) {
    const auto seen = co_await products.list(request.query);
    co_return product_cache::loaded{list_body(seen.value, request, cursors), seen.point};
}

task<product_cache::loaded> load_product(catalog::product_store& products, std::int64_t id) {
    const auto seen = co_await products.get(id);
    product_cache::loaded out{std::nullopt, seen.point};
    if (seen.value) {
        out.body.emplace();
        catalog::append_json(*out.body, *seen.value);
    }
    co_return out;
}

/// 200 in the coding that the client takes, or 304 when it has this very answer.
http::response answer_cached(const http::request& r, const product_cache::answer& a) {
    const auto coding = http::choose_coding(r.headers);
    if (!coding)
        throw http::problem(406, "not_acceptable", "Accept-Encoding refuses both gzip and the plain form.");
    http::response response;
    response.headers.set("ETag", a.etag);
    response.headers.set("Cache-Control", "private, max-age=30, stale-while-revalidate=60");
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

struct services {
    catalog::product_store& products;
    product_cache& cache;
    const cursor_signer& cursors;
};

task<http::response> answer_list(services s, http::request& r) {
    const auto request = read_product_request(r, s.cursors);
    auto key = request.canonical;
    if (!request.cursor.empty()) key += "&cursor=" + request.cursor;
    auto found = s.cache.find_list(key);
    if (!found)
        found = co_await s.cache.list(std::move(key),
                                      [s, request] { return load_list(s.products, request, s.cursors); });
    auto response = answer_cached(r, *found);
    if (const auto next = next_cursor_of(*found->body); !next.empty())
        response.headers.set("Link", "</products?" + request.canonical + "&cursor=" + std::string{next} +
                                         ">; rel=\"next\"");
    co_return response;
}

http::problem no_such_product() {
    return http::problem(404, "product_not_found", "There is no product with this id.");
}

task<http::response> answer_product(services s, http::request& r) {
    query_reader{r}.finish(); // no parameters
    const auto text = r.param("id");
    std::int64_t id = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (ec != std::errc{} || end != text.data() + text.size() || id < 1) throw no_such_product();
    const auto found = co_await s.cache.product(id, [s, id] { return load_product(s.products, id); });
    if (!found.body) throw no_such_product();
    co_return answer_cached(r, found);
}

} // namespace

http::handler list_products(catalog::product_store& products, product_cache& cache,
                            const cursor_signer& cursors) {
    const services s{products, cache, cursors};
    return [s](http::request& r) { return answer_list(s, r); };
}

http::handler get_product(catalog::product_store& products, product_cache& cache) {
    static const cursor_signer none{""}; // a single product has no pages
    const services s{products, cache, none};
    return [s](http::request& r) { return answer_product(s, r); };
}

} // namespace tiktrend::gateway

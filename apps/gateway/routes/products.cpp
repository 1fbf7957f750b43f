#include "routes/products.hpp"

#include "cached_answer.hpp"
#include "consistency.hpp"
#include "product_request.hpp"
#include "query_reader.hpp"
#include "repeated_lists.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/catalog/product_json.hpp>
#include <tiktrend/http/compression.hpp>
#include <tiktrend/http/conditional.hpp>

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
                                      const cursor_signer& cursors, postgres::lsn at_least = {}) {
    const auto seen = co_await products.list(request.query, at_least);
    co_return product_cache::loaded{list_body(seen.value, request, cursors), seen.point};
}

struct services {
    catalog::product_store& products;
    product_cache& cache;
    const cursor_signer& cursors;
};

struct list_services : services {
    explicit list_services(const services& s) : services{s} {}
    repeated_lists repeated;
};

http::response make_list_answer(const http::request& r, const product_request& request,
                                const product_cache::answer& found) {
    auto response = answer_cached(r, found);
    if (const auto next = next_cursor_of(*found.body); !next.empty())
        response.headers.set("Link", "</products?" + request.canonical + "&cursor=" + std::string{next} +
                                         ">; rel=\"next\"");
    return response;
}

/// As make_list_answer(), with the fields of the last time if it is the same answer in the same coding.
http::response answer_from_memory(const http::request& r, repeated_lists::list& list,
                                  const product_cache::answer& found) {
    const auto coding = http::choose_coding(r.headers);
    if (!coding || http::is_unmodified(r, found.etag)) return make_list_answer(r, list.request, found);
    auto& made = list.made_for(*coding);
    if (made.etag != found.etag) {
        auto response = make_list_answer(r, list.request, found);
        made = {std::string{found.etag}, response.headers};
        return response;
    }
    http::response response;
    response.headers = made.headers;
    response.shared_body = found.gzip && *coding == http::content_coding::gzip ? found.gzip : found.body;
    return response;
}

task<http::response> answer_list(list_services& s, http::request& r) {
    auto list = s.repeated.find(r.query);
    if (!list) list = s.repeated.remember(r.query, read_product_request(r, s.cursors));
    if (const auto token = consistency_token_of(r, s.cursors)) {
        const auto read = co_await load_list(s.products, list->request, s.cursors, token->at_least);
        co_return make_list_answer(r, list->request, uncached_answer(*read.body));
    }
    if (const auto near = s.cache.find_list(list->key)) co_return answer_from_memory(r, *list, *near);
    const auto found = co_await s.cache.list(
        list->key, [products = &s.products, cursors = &s.cursors, request = list->request] {
            return load_list(*products, request, *cursors);
        });
    co_return make_list_answer(r, list->request, found);
}

task<http::response> answer_product(services s, http::request& r) {
    query_reader{r}.finish(); // no parameters
    const auto id = product_id_of(r);
    if (const auto token = consistency_token_of(r, s.cursors)) {
        const auto read = co_await load_product(s.products, id, token->at_least);
        if (!read.body) throw no_such_product();
        co_return answer_cached(r, uncached_answer(*read.body));
    }
    const auto found = co_await s.cache.product(id, [s, id] { return load_product(s.products, id); });
    if (!found.body) throw no_such_product();
    co_return answer_cached(r, found);
}

} // namespace

task<product_cache::loaded> load_product(catalog::product_store& products, std::int64_t id,
                                         postgres::lsn at_least) {
    const auto seen = co_await products.get(id, at_least);
    product_cache::loaded out{std::nullopt, seen.point};
    if (seen.value) {
        out.body.emplace();
        catalog::append_json(*out.body, *seen.value);
    }
    co_return out;
}

http::handler list_products(catalog::product_store& products, product_cache& cache,
                            const cursor_signer& cursors) {
    // Shared, since a std::function copies what it holds.
    auto s = std::make_shared<list_services>(services{products, cache, cursors});
    return [s = std::move(s)](http::request& r) { return answer_list(*s, r); };
}

http::handler get_product(catalog::product_store& products, product_cache& cache,
                          const cursor_signer& cursors) {
    const services s{products, cache, cursors};
    return [s](http::request& r) { return answer_product(s, r); };
}

} // namespace tiktrend::gateway

#include "routes/web.hpp"

#include "cached_answer.hpp"
#include "query_reader.hpp"
#include "yaml_json.hpp"

#include <tiktrend/base/embedded.hpp>
#include <tiktrend/http/problem.hpp>

#include <map>
#include <memory>
#include <span>
#include <stdexcept>

namespace tiktrend::gateway {
namespace web {                                      // by CMakeLists.txt
std::span<const embedded_file> pages() noexcept;     ///< web/*
std::span<const embedded_file> documents() noexcept; ///< docs/openapi.yaml
} // namespace web
namespace {

/// What a page may load: its own files, and the API.
constexpr std::string_view content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'";

struct page {
    product_cache::answer content;
    std::string type;
};
using page_ptr = std::shared_ptr<const page>;

std::string_view type_of(std::string_view name) {
    if (name.ends_with(".html")) return "text/html; charset=utf-8";
    if (name.ends_with(".css")) return "text/css; charset=utf-8";
    if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
    return "application/json";
}

page_ptr make_page(std::string text, std::string_view name) {
    return std::make_shared<const page>(page{uncached_answer(std::move(text)), std::string{type_of(name)}});
}

http::response answer(const page& p, const http::request& r) {
    auto response = answer_cached(r, p.content);
    if (response.status == 200) response.headers.set("Content-Type", p.type);
    response.headers.set("Cache-Control", "public, max-age=60");
    response.headers.set("Content-Security-Policy", content_policy);
    response.headers.set("X-Content-Type-Options", "nosniff");
    response.headers.set("Referrer-Policy", "no-referrer");
    return response;
}

task<http::response> answer_one(page_ptr p, http::request& r) {
    query_reader{r}.finish(); // no parameters
    co_return answer(*p, r);
}

/// Made once, for all threads, when it is first asked for: a gateway starts without it.
page_ptr openapi() {
    static const page_ptr made = make_page(yaml_to_json(web::documents().front().text), "openapi.json");
    return made;
}

using page_map = std::map<std::string, page_ptr, std::less<>>;

task<http::response> answer_file(std::shared_ptr<const page_map> all, http::request& r) {
    query_reader{r}.finish(); // no parameters
    const auto it = all->find(r.param("file"));
    if (it == all->end()) throw http::problem(404, "not_found", "There is no such file.");
    co_return answer(*it->second, r);
}

http::handler fixed(page_ptr p) {
    return [p = std::move(p)](http::request& r) { return answer_one(p, r); };
}

} // namespace

void add_web_routes(http::router& routes) {
    auto all = std::make_shared<page_map>();
    for (const auto& f : web::pages())
        all->emplace(f.name, make_page(std::string{f.text}, f.name));
    const auto find = [&all](std::string_view name) { return all->at(std::string{name}); };
    routes.add(http::method::get, "/", fixed(find("index.html")));
    routes.add(http::method::get, "/docs", fixed(find("docs.html")));
    routes.add(http::method::get, "/openapi.json", [](http::request& r) { return answer_one(openapi(), r); });
    routes.add(
        http::method::get, "/web/{file}",
        [all = std::shared_ptr<const page_map>{all}](http::request& r) { return answer_file(all, r); });
}

} // namespace tiktrend::gateway

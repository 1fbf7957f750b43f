#include "shop.hpp"

#include "render.hpp"

#include <tiktrend/http/conditional.hpp>
#include <tiktrend/http/problem.hpp>
#include <tiktrend/http/query.hpp>

#include <boost/json.hpp>

#include <fmt/format.h>

#include <charconv>
#include <memory>

namespace tiktrend::demo_shop {
namespace {

namespace json = boost::json;

constexpr std::size_t paths_counted = 10'000; ///< further ones share one entry
constexpr std::string_view control_prefix = "/_control";

constexpr std::string_view usual_robots = "User-agent: *\n"
                                          "Disallow: /_control\n"
                                          "Disallow: /cart\n"
                                          "Allow: /\n";

std::string origin_of(const http::request& r) {
    return "http://" + std::string{r.headers.get("Host")};
}

/// A number from the query within bounds; the bound instead of a larger one, as shops do.
std::size_t number_from(const http::request& r, std::string_view name, std::size_t fallback,
                        std::size_t most) {
    const auto pairs = http::parse_query(r.query);
    if (!pairs) throw http::problem{400, "bad_query", "The query is not valid percent-encoded UTF-8."};
    for (const auto& [key, text] : *pairs) {
        if (key != name) continue;
        std::size_t value = 0;
        const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
        if (end.ec != std::errc{} || end.ptr != text.data() + text.size() || value == 0)
            throw http::problem{400, "bad_parameter", std::string{name} + " must be a whole number from 1."};
        return std::min(value, most);
    }
    return fallback;
}

constexpr std::size_t any_page = 1'000'000;

http::response cacheable(const http::request& r, std::string body,
                         std::string_view type = "application/json") {
    auto out = http::response::text(200, std::move(body), type);
    const auto etag = http::weak_etag(out.body);
    out.headers.add("ETag", etag);
    out.headers.add("Cache-Control", "no-cache");
    return http::is_unmodified(r, etag) ? http::not_modified(out) : std::move(out);
}

const product& wanted(const product* p) {
    if (!p) throw http::problem{404, "no_such_product", "There is no such product."};
    return *p;
}

/// "ds-0001.json" → "ds-0001"; empty if it ends otherwise.
std::string_view without_extension(std::string_view file, std::string_view extension) {
    if (file.size() <= extension.size() || file.substr(file.size() - extension.size()) != extension)
        return {};
    return file.substr(0, file.size() - extension.size());
}

task<http::response> ready(http::response r) {
    co_return r;
}

} // namespace

struct shop::visit {
    explicit visit(shop& s) : owner{s} { owner.most_ = std::max(owner.most_, ++owner.now_); }
    ~visit() { --owner.now_; }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;
    shop& owner;
};

shop::shop(std::size_t products, std::uint64_t seed) : catalogue_{products, seed}, robots_{usual_robots} {}

http::router shop::routes() {
    using http::method;
    using http::request;
    http::router t;
    const auto answer = [&t](method m, std::string_view path, auto make) {
        t.add(m, path, [make](request& r) { return ready(make(r)); });
    };
    const auto get = [&answer](std::string_view path, auto make) { answer(method::get, path, make); };

    get("/api/products", [this](request& r) {
        return cacheable(r, own_list(catalogue_, number_from(r, "page", 1, any_page),
                                     number_from(r, "per_page", 20, 100), origin_of(r)));
    });
    get("/api/products/{sku}", [this](request& r) {
        return cacheable(r, own_product(wanted(catalogue_.by_sku(r.param("sku"))), origin_of(r)));
    });
    get("/products.json", [this](request& r) {
        return cacheable(r, storefront_list(catalogue_, number_from(r, "page", 1, any_page),
                                            number_from(r, "limit", 30, 250), origin_of(r)));
    });
    get("/products/{file}", [this](request& r) {
        const auto& p = wanted(catalogue_.by_handle(without_extension(r.param("file"), ".json")));
        return cacheable(r, storefront_product(p, origin_of(r)));
    });
    get("/p/{handle}", [this](request& r) {
        return cacheable(r, product_page(wanted(catalogue_.by_handle(r.param("handle"))), origin_of(r)),
                         "text/html; charset=utf-8");
    });
    get("/images/{file}", [this](request& r) {
        return cacheable(r, picture(wanted(catalogue_.by_handle(without_extension(r.param("file"), ".svg")))),
                         "image/svg+xml");
    });
    get("/", [this](request& r) { return cacheable(r, front_page(catalogue_), "text/html; charset=utf-8"); });
    get("/cart.js", [](request&) {
        return http::response::json(200, R"({"items":[],"item_count":0,"currency":"EUR"})");
    });
    get("/robots.txt", [this](request&) { return http::response::text(200, robots_); });

    get("/_control/stats", [this](request&) { return stats(); });
    get("/_control", [this](request&) { return rules(); });
    answer(method::post, "/_control", [this](request& r) { return control(r); });
    answer(method::delete_, "/_control", [this](request&) {
        plan_.clear();
        return rules();
    });
    answer(method::post, "/_control/tick", [this](request&) {
        catalogue_.next_day();
        return http::response::json(200, fmt::format(R"({{"day":{}}})", catalogue_.day()));
    });
    answer(method::post, "/_control/reprice", [this](request& r) {
        const auto moved = catalogue_.reprice_every(number_from(r, "every", 20, any_page));
        return http::response::json(200, fmt::format(R"({{"moved":{}}})", moved));
    });
    answer(method::post, "/_control/robots", [this](request& r) {
        robots_ = r.body;
        return http::response::text(200, robots_);
    });
    answer(method::post, "/_control/reset", [this](request&) {
        catalogue_.back_to_day_zero();
        plan_.clear();
        robots_ = usual_robots;
        requests_.clear();
        faults_.clear();
        not_modified_ = 0;
        most_ = now_;
        last_start_ = {};
        closest_.reset();
        return stats();
    });
    t.use([this](request& r, const http::handler& next) { return watch(r, next); });
    return t;
}

task<http::response> shop::watch(http::request& r, const http::handler& next) {
    if (r.path.substr(0, control_prefix.size()) == control_prefix) co_return co_await next(r);
    const auto counted = std::make_shared<visit>(*this);
    note_start();
    const auto known = requests_.find(r.path);
    if (known != requests_.end())
        ++known->second;
    else
        ++requests_[requests_.size() < paths_counted ? std::string{r.path} : "(more)"];

    std::optional<fault> f;
    try {
        f = fault_from_query(r.query);
    } catch (const bad_control& e) {
        throw http::problem{400, "bad_control", e.what()};
    }
    if (!f) f = plan_.next(r.path);
    if (f) {
        // The body is needed whole, whatever the client has already.
        r.headers.erase("If-None-Match");
        ++faults_[f->kind == fault_kind::status ? std::to_string(f->status) : std::string{name_of(f->kind)}];
    }
    auto answer = co_await next(r);
    if (f) answer = spoil(*f, r, std::move(answer));
    if (answer.status == 304) ++not_modified_;
    if (answer.takeover) // counts as long as it is being written
        answer.takeover = [inner = std::move(answer.takeover), counted](http::raw_connection& c) {
            return inner(c);
        };
    co_return answer;
}

void shop::note_start() {
    const auto now = std::chrono::steady_clock::now();
    if (last_start_ != std::chrono::steady_clock::time_point{}) {
        const auto distance = std::chrono::duration_cast<std::chrono::milliseconds>(now - last_start_);
        closest_ = std::min(closest_.value_or(distance), distance);
    }
    last_start_ = now;
}

http::response shop::control(http::request& r) {
    try {
        plan_.add(rules_from_json(r.body));
    } catch (const bad_control& e) {
        throw http::problem{422, "bad_control", e.what()};
    }
    return rules();
}

http::response shop::rules() const {
    json::array list;
    for (const auto& rule : plan_.rules()) {
        json::object one{{"path", rule.path},
                         {"kind", name_of(rule.what.kind)},
                         {"count", rule.count},
                         {"skip", rule.skip}};
        if (rule.what.kind == fault_kind::status) one["status"] = rule.what.status;
        list.push_back(std::move(one));
    }
    return http::response::json(200, json::serialize(json::object{{"rules", std::move(list)}}));
}

http::response shop::stats() const {
    const auto object_of = [](const auto& counts) {
        json::object out;
        for (const auto& [name, n] : counts)
            out[name] = n;
        return out;
    };
    std::uint64_t total = 0;
    for (const auto& [path, n] : requests_)
        total += n;
    return http::response::json(
        200, json::serialize(json::object{{"day", catalogue_.day()},
                                          {"products", catalogue_.products().size()},
                                          {"total", total},
                                          {"requests", object_of(requests_)},
                                          {"faults", object_of(faults_)},
                                          {"not_modified", not_modified_},
                                          {"concurrent_now", now_},
                                          {"concurrent_most", most_},
                                          {"closest_ms", closest_ ? closest_->count() : -1}}));
}

} // namespace tiktrend::demo_shop

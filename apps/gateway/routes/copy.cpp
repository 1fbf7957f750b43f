#include "routes/copy.hpp"

#include "json_body.hpp"
#include "json_writer.hpp"
#include "routes/products.hpp"

#include <tiktrend/cache/response_cache.hpp>
#include <tiktrend/catalog/product_json.hpp>
#include <tiktrend/http/problem.hpp>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;

/// A quiet stream shows that it is alive.
constexpr auto between_comments = 15s;
constexpr std::int64_t max_id = std::numeric_limits<std::int64_t>::max();

struct services {
    catalog::product_store& products;
    product_cache& cache;
    copy_desk& desk;
};

/// Subtags of 1 to 8 letters or digits (RFC 5646 section 2.1, without its registry).
bool is_language_tag(std::string_view tag) {
    std::size_t length = 0;
    bool is_first = true;
    for (const char c : tag) {
        if (c == '-') {
            if (length == 0 || (is_first && length < 2)) return false;
            is_first = false;
            length = 0;
            continue;
        }
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (is_first || c < '0' || c > '9')) return false;
        if (++length > 8) return false;
    }
    return length >= (is_first ? 2U : 1U);
}

copy_order read_order(const http::request& r) {
    thread_local simdjson::dom::parser parser;
    json_object_reader body{parse_json_object(parser, r), {"body"}};
    copy_order out;
    if (!body.any("product_id")) body.fail("product_id", "Field required", "missing");
    out.product_id = body.integer("product_id", 1, max_id).value_or(0);
    out.tone =
        body.one_of("tone", {"friendly", "professional", "playful", "luxurious", "urgent", "informative"})
            .value_or("friendly");
    out.language = body.text("language", 2, 35).value_or("en");
    if (!is_language_tag(out.language))
        body.fail("language", "Input should be a language tag such as en or pt-BR",
                  "string_pattern_mismatch");
    out.length = body.one_of("length", {"short", "medium", "long"}).value_or("medium");
    body.finish();
    return out;
}

task<std::string> read_facts(services s, std::int64_t id) {
    const auto found = co_await s.cache.product(id, [s, id] { return load_product(s.products, id); });
    if (!found.body) throw http::problem(404, "product_not_found", "There is no product with this id.");
    co_return facts_of(*found.body);
}

void mark(http::response& r, cache::outcome how) {
    r.headers.set("X-Cache", how == cache::outcome::hit_near ? "hit" : cache::to_string(how));
    r.headers.set("Cache-Control", "no-store");
}

std::string delta(std::string_view text) {
    json_object_writer w;
    w.text("text", text);
    return w.take();
}

/// The copy inside a whole answer.
std::string copy_in(const std::string& body) {
    simdjson::dom::parser parser;
    std::string_view text;
    if (parser.parse(body)["copy"].get(text) != simdjson::SUCCESS) return {};
    return std::string{text};
}

task<void> tell(std::shared_ptr<live_copy> live, std::string request_id, http::event_stream& stream) {
    std::size_t told = 0;
    for (;;) {
        live->changed.reset();
        if (live->text.size() > told) {
            const auto piece = live->text.substr(told);
            told = live->text.size();
            co_await stream.send({}, "delta", delta(piece));
            continue;
        }
        if (live->is_over()) break;
        if (!co_await live->changed.wait_for(between_comments)) co_await stream.comment("writing");
    }
    if (live->error) {
        const auto problem = http::response_for(live->error, request_id);
        co_return co_await stream.send({}, "error", problem.body);
    }
    const auto body = cache::body_of(live->whole->value);
    if (told == 0) co_await stream.send({}, "delta", delta(copy_in(*body)));
    co_await stream.send({}, "done", *body);
}

task<http::response> answer_stream(const services& s, copy_order order, http::request& r) {
    const auto live = s.desk.follow(std::move(order), principal_of(r));
    // What goes wrong before the first word is an answer like any other.
    while (live->text.empty() && !live->is_over()) {
        live->changed.reset();
        co_await live->changed.wait(); // bounded by the handler's time
    }
    if (live->error && live->text.empty()) std::rethrow_exception(live->error);
    http::response out;
    mark(out, live->whole ? live->whole->how : cache::outcome::miss);
    out.stream = [live, id = r.request_id](http::event_stream& stream) { return tell(live, id, stream); };
    co_return out;
}

task<http::response> answer(const services& s, http::request& r) {
    auto order = read_order(r);
    if (!s.desk.is_open())
        throw http::problem(
            503, "copy_not_configured",
            "Copy is not configured here. The operator sets COPY_BASE_URL to an "
            "OpenAI-compatible endpoint, COPY_MODEL to its model and COPY_API_KEY to its key.");
    order.facts = co_await read_facts(s, order.product_id);
    if (r.headers.get("Accept").find("text/event-stream") != std::string_view::npos)
        co_return co_await answer_stream(s, std::move(order), r);
    const auto found = co_await s.desk.get(std::move(order), principal_of(r));
    auto out = http::response::json(200, {});
    out.shared_body = cache::body_of(found.value);
    mark(out, found.how);
    co_return out;
}

} // namespace

http::handler write_copy(catalog::product_store& products, product_cache& cache, copy_desk& desk) {
    return [s = services{products, cache, desk}](http::request& r) { return answer(s, r); };
}

} // namespace tiktrend::gateway

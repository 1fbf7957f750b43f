#include "routes/sources.hpp"

#include "json_writer.hpp"
#include "query_reader.hpp"

#include <tiktrend/http/conditional.hpp>
#include <tiktrend/http/problem.hpp>

#include <map>
#include <memory>
#include <optional>

namespace tiktrend::gateway {
namespace {

std::string limits_json(const sources::limits& l) {
    json_object_writer w;
    w.integer("max_pages", l.max_pages);
    w.integer("max_items", l.max_items);
    w.integer("max_bytes", l.max_bytes);
    w.integer("deadline_ms", l.deadline.count());
    return w.take();
}

std::string retired_json(const sources::retirement& r) {
    json_object_writer w;
    w.text("since", r.since);
    w.text("note", r.note);
    return w.take();
}

void write_summary(json_object_writer& w, const sources::definition& d) {
    w.text("id", d.id);
    w.integer("version", d.version);
    w.text("kind", sources::name_of(d.kind));
    w.text("about", d.about);
    w.json("retired", d.retired ? retired_json(*d.retired) : std::string{});
}

/// An alias stands for one of several definitions, chosen by the filters.
void write_summary(json_object_writer& w, const sources::source_alias& a) {
    w.text("id", a.id);
    w.json("version", "null");
    w.text("kind", "alias");
    w.text("about", a.about);
    w.json("retired", "null");
}

/// Definitions change seldom, so answers are made once for each registry.
struct source_page {
    std::string body, etag;
    explicit source_page(std::string text) : body{std::move(text)}, etag{http::weak_etag(body)} {}
};

http::response answer(const source_page& page, const http::request& r) {
    query_reader{r}.finish(); // no parameters
    auto response = http::response::json(200, page.body);
    response.headers.set("ETag", page.etag);
    response.headers.set("Cache-Control", "private, max-age=60");
    if (http::is_unmodified(r, page.etag)) return http::not_modified(response);
    return response;
}

/// The answers of one registry.
struct source_pages {
    sources::registry_ptr made_from;
    std::optional<source_page> list;
    std::map<std::string, source_page, std::less<>> each;
};

source_page list_page(const sources::registry& definitions) {
    std::string items = "[";
    const auto add = [&items](const auto& source) {
        if (items.size() > 1) items += ',';
        json_object_writer w;
        write_summary(w, source);
        items += w.take();
    };
    for (const auto& d : definitions.all())
        add(*d);
    for (const auto& a : definitions.aliases())
        add(a);
    json_object_writer w;
    w.json("items", items + ']');
    return source_page{w.take()};
}

source_pages make_pages(const sources::registry_ptr& definitions) {
    source_pages out{definitions, list_page(*definitions), {}};
    for (const auto& d : definitions->all()) {
        json_object_writer w;
        write_summary(w, *d);
        w.json("filters", d->input_schema);
        w.json("limits", limits_json(d->limits));
        out.each.emplace(d->id, source_page{w.take()});
    }
    for (const auto& a : definitions->aliases()) {
        json_object_writer w;
        write_summary(w, a);
        w.json("filters", a.input_schema);
        w.json("limits", "null"); // those of the definition that is chosen
        out.each.emplace(a.id, source_page{w.take()});
    }
    return out;
}

const source_pages& pages_of(const definition_shelf& definitions, source_pages& kept) {
    if (kept.made_from != definitions.current()) kept = make_pages(definitions.current());
    return kept;
}

task<http::response> answer_list(const definition_shelf& definitions, std::shared_ptr<source_pages> kept,
                                 http::request& r) {
    co_return answer(*pages_of(definitions, *kept).list, r);
}

task<http::response> answer_one(const definition_shelf& definitions, std::shared_ptr<source_pages> kept,
                                http::request& r) {
    query_reader{r}.finish(); // no parameters
    const auto& all = pages_of(definitions, *kept).each;
    const auto it = all.find(r.param("id"));
    if (it == all.end()) throw http::problem(404, "source_not_found", "There is no source with this id.");
    co_return answer(it->second, r);
}

} // namespace

http::handler list_sources(const definition_shelf& definitions) {
    return [&definitions, kept = std::make_shared<source_pages>()](http::request& r) {
        return answer_list(definitions, kept, r);
    };
}

http::handler get_source(const definition_shelf& definitions) {
    return [&definitions, kept = std::make_shared<source_pages>()](http::request& r) {
        return answer_one(definitions, kept, r);
    };
}

} // namespace tiktrend::gateway

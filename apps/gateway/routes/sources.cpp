#include "routes/sources.hpp"

#include "json_writer.hpp"
#include "query_reader.hpp"

#include <tiktrend/http/conditional.hpp>
#include <tiktrend/http/problem.hpp>

#include <map>
#include <memory>

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

/// Definitions do not change while the program runs, so answers are made once.
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

using pages = std::map<std::string, source_page, std::less<>>;

task<http::response> answer_page(std::shared_ptr<const source_page> page, http::request& r) {
    co_return answer(*page, r);
}

task<http::response> answer_one(std::shared_ptr<const pages> all, http::request& r) {
    query_reader{r}.finish(); // no parameters
    const auto it = all->find(r.param("id"));
    if (it == all->end()) throw http::problem(404, "source_not_found", "There is no source with this id.");
    co_return answer(it->second, r);
}

} // namespace

http::handler list_sources(const sources::registry& definitions) {
    std::string items = "[";
    for (const auto& d : definitions.all()) {
        if (items.size() > 1) items += ',';
        json_object_writer w;
        write_summary(w, *d);
        items += w.take();
    }
    for (const auto& a : definitions.aliases()) {
        if (items.size() > 1) items += ',';
        json_object_writer w;
        write_summary(w, a);
        items += w.take();
    }
    json_object_writer w;
    w.json("items", items + ']');
    const auto page = std::make_shared<const source_page>(w.take());
    return [page](http::request& r) { return answer_page(page, r); };
}

http::handler get_source(const sources::registry& definitions) {
    auto made = std::make_shared<pages>();
    for (const auto& d : definitions.all()) {
        json_object_writer w;
        write_summary(w, *d);
        w.json("filters", d->input_schema);
        w.json("limits", limits_json(d->limits));
        made->emplace(d->id, source_page{w.take()});
    }
    for (const auto& a : definitions.aliases()) {
        json_object_writer w;
        write_summary(w, a);
        w.json("filters", a.input_schema);
        w.json("limits", "null"); // those of the definition that is chosen
        made->emplace(a.id, source_page{w.take()});
    }
    return [made](http::request& r) { return answer_one(made, r); };
}

} // namespace tiktrend::gateway

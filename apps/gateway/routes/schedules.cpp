#include "routes/schedules.hpp"

#include "json_writer.hpp"
#include "private_json.hpp"
#include "query_reader.hpp"
#include "schedule_load.hpp"
#include "scrape_order.hpp"

#include <tiktrend/http/problem.hpp>
#include <tiktrend/queue/job_scheduler.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tiktrend::gateway {
namespace {

constexpr std::int64_t max_per_user = 100;
constexpr std::int64_t min_every_ms = 1000;
constexpr std::int64_t max_every_ms = 366LL * 24 * 3600 * 1000;
constexpr std::int64_t max_id = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t max_name = 100;

http::problem no_such_schedule() {
    return {404, "schedule_not_found", "There is no schedule with this id."};
}

/// Whose a scheduler is, and what its owner calls it; nothing for those that other programs made.
struct schedule_name {
    std::int64_t user_id = 0;
    std::string id;

    std::string stored() const { return std::to_string(user_id) + '.' + id; }

    static std::optional<schedule_name> parse(std::string_view stored) {
        const auto dot = stored.find('.');
        schedule_name out;
        if (dot == std::string_view::npos) return std::nullopt;
        const auto [end, ec] = std::from_chars(stored.data(), stored.data() + dot, out.user_id);
        if (ec != std::errc{} || end != stored.data() + dot || out.user_id < 1) return std::nullopt;
        out.id = stored.substr(dot + 1);
        return out;
    }
};

bool is_name(std::string_view id) {
    return !id.empty() && id.size() <= max_name && std::all_of(id.begin(), id.end(), [](unsigned char c) {
        return std::isalnum(c) || c == '-' || c == '_' || c == '.';
    });
}

/// The schedule that path and query mean. Reads the whole query.
schedule_name read_name(const http::request& r) {
    query_reader query{r};
    const auto& who = principal_of(r);
    schedule_name out{query.integer("user_id", 1, max_id).value_or(who.user_id), std::string{r.param("id")}};
    query.finish();
    if (!who.may_see(out.user_id)) throw http::problem(404, "user_not_found", "There is no such user.");
    return out;
}

/// Source and filters of a template's data, as JSON texts; both empty for foreign templates.
struct template_parts {
    std::string source, filters;
};

template_parts parts_of(const std::string& data) {
    thread_local simdjson::dom::parser parser;
    template_parts out;
    simdjson::dom::element root;
    if (parser.parse(data).get(root) != simdjson::SUCCESS) return out;
    if (simdjson::dom::element e; root.at_key("source").get(e) == simdjson::SUCCESS)
        out.source = simdjson::minify(e);
    if (simdjson::dom::element e; root.at_key("filters").get(e) == simdjson::SUCCESS)
        out.filters = simdjson::minify(e);
    return out;
}

void write_number(json_object_writer& w, std::string_view name, std::optional<std::int64_t> n) {
    w.json(name, n ? std::to_string(*n) : std::string{});
}

std::string schedule_json(const queue::scheduler_record& s) {
    const auto name = schedule_name::parse(s.id);
    const auto parts = parts_of(s.data);
    json_object_writer w;
    w.text("id", name ? name->id : s.id);
    write_number(w, "user_id", name ? std::optional{name->user_id} : std::nullopt);
    w.text("name", s.name);
    w.json("source", parts.source);
    w.json("filters", parts.filters);
    write_number(w, "every", s.every_ms);
    w.optional_text("cron", s.pattern.empty() ? std::nullopt : std::optional{s.pattern});
    w.optional_text("tz", s.tz.empty() ? std::nullopt : std::optional{s.tz});
    write_number(w, "limit", s.limit);
    w.integer("runs", s.iteration_count);
    w.time("next_at", s.next_ms);
    return w.take();
}

struct services {
    queue::queue& jobs;
    const definition_shelf& definitions;
    queue::job_options defaults;
    quota_book& quotas;
};

struct wanted_schedule {
    scrape_order order;
    queue::repeat_options repeat;
};

void read_repeat(json_object_reader& body, queue::repeat_options& out) {
    const auto every = body.integer("every", min_every_ms, max_every_ms);
    const auto cron = body.text("cron", 1, 200);
    const auto tz = body.text("tz", 1, 64);
    out.limit = body.integer("limit", 1, 1'000'000'000);
    const auto has = [&body](std::string_view name) { return body.any(name).has_value(); };
    if (has("every") == has("cron"))
        body.fail("every", "Give either every (milliseconds) or cron", has("every") ? "both" : "missing");
    if (tz && !cron) body.fail("tz", "A time zone belongs to cron", "range");
    if (every) out.every = std::chrono::milliseconds{*every};
    out.pattern = cron.value_or("");
    out.tz = tz.value_or("");
}

wanted_schedule read_wanted(const http::request& r, const services& s) {
    thread_local simdjson::dom::parser parser;
    json_object_reader body{parse_json_object(parser, r), {"body"}};
    wanted_schedule out;
    out.order = read_scrape_order(body, *s.definitions.current(), s.defaults, false);
    read_repeat(body, out.repeat);
    body.finish();
    return out;
}

/// When a schedule makes a job nobody is there to be refused: a job over the quota fails (worker,
/// schedule_quota). So that this comes as no surprise, all of a user's schedules together may not plan more
/// for a day than the quota allows.
task<void> check_allowance(const services& s, const schedule_name& wanted,
                           const queue::repeat_options& repeat) {
    const auto limit = co_await s.quotas.limit_of(wanted.user_id, catalog::usage_kind::scrapes);
    if (!limit) co_return;
    auto planned = runs_a_day(repeat.every, repeat.pattern, *limit + 1);
    for (const auto& other : co_await queue::job_schedulers{s.jobs}.list()) {
        if (planned > *limit) break;
        const auto name = schedule_name::parse(other.id);
        if (!name || name->user_id != wanted.user_id || name->id == wanted.id) continue;
        const auto every =
            other.every_ms ? std::optional{std::chrono::milliseconds{*other.every_ms}} : std::nullopt;
        planned += runs_a_day(every, other.pattern, *limit + 1);
    }
    if (planned > *limit)
        throw http::problem(
            409, "schedules_exceed_quota",
            fmt::format(
                "With this one your schedules would start more scrapes on a day than your quota of {}; "
                "let it run less often, or delete another.",
                *limit));
}

task<void> check_number(queue::job_schedulers schedules, std::int64_t user_id) {
    std::int64_t mine = 0;
    for (const auto& s : co_await schedules.list())
        if (const auto name = schedule_name::parse(s.id); name && name->user_id == user_id) ++mine;
    if (mine >= max_per_user)
        throw http::problem(409, "too_many_schedules",
                            fmt::format("A user may have {} schedules; delete one first.", max_per_user));
}

/// The queue knows cron patterns and time zones; what it refuses is the caller's mistake.
task<bool> upsert(queue::job_schedulers schedules, std::string id, queue::repeat_options repeat,
                  queue::job_template jobs) {
    std::optional<http::problem> refusal;
    try {
        co_return (co_await schedules.upsert(std::move(id), std::move(repeat), std::move(jobs))).has_value();
    } catch (const queue::input_error& e) {
        if (e.code() != queue::errc::invalid_scheduler) throw;
        const auto* member = e.field() == "repeat.tz"        ? "tz"
                             : e.field() == "repeat.pattern" ? "cron"
                                                             : "every";
        refusal = http::validation_problem({{{"body", member}, "Input should be " + e.rule(), "schedule"}});
    } catch (const system_error& e) {
        if (e.code() == queue::errc::scheduler_job_exists || e.code() == queue::errc::scheduler_slots_busy)
            refusal = http::problem(409, "schedule_busy",
                                    "The schedule's next job is starting; try again in a moment.");
        else
            throw;
    }
    throw *refusal;
}

task<http::response> put(const services& s, http::request& r) {
    const auto name = read_name(r);
    if (!is_name(name.id))
        throw http::validation_problem(
            {{{"path", "id"},
              fmt::format("Input should be 1 to {} letters, digits, '.', '-' or '_'", max_name),
              "string_pattern_mismatch"}});
    auto wanted = read_wanted(r, s);
    if (wanted.order.source->retired) throw retired_source(*wanted.order.source);
    queue::job_schedulers schedules{s.jobs};
    const bool is_new = !co_await schedules.get(name.stored());
    if (is_new) co_await check_number(schedules, name.user_id);
    if (!principal_of(r).is_admin()) co_await check_allowance(s, name, wanted.repeat);
    principal owner;
    owner.id = "user:" + std::to_string(name.user_id);
    auto data = scrape_job_data(wanted.order, owner, r.request_id);
    // The worker counts each job for the owner; what an administrator schedules runs although the quota is
    // used up.
    if (principal_of(r).is_admin()) data.insert(data.size() - 1, R"(,"unmetered":true)");
    queue::job_template jobs{"scrape_products", std::move(data), std::move(wanted.order.options)};
    if (!co_await upsert(schedules, name.stored(), std::move(wanted.repeat), std::move(jobs)))
        throw http::validation_problem({{{"body", "cron"}, "By this rule nothing is ever due", "schedule"}});
    const auto made = co_await schedules.get(name.stored());
    if (!made) throw no_such_schedule(); // deleted meanwhile
    auto response = private_json(is_new ? 201 : 200, schedule_json(*made));
    if (is_new) response.headers.set("Location", "/scraping/schedules/" + name.id);
    co_return response;
}

task<http::response> list(queue::queue& jobs, http::request& r) {
    query_reader{r}.finish(); // no parameters
    const auto& who = principal_of(r);
    std::string items = "[";
    for (const auto& s : co_await queue::job_schedulers{jobs}.list(0, -1, true)) {
        const auto name = schedule_name::parse(s.id);
        if (!who.is_admin() && (!name || name->user_id != who.user_id)) continue;
        if (items.size() > 1) items += ',';
        items += schedule_json(s);
    }
    json_object_writer w;
    w.json("items", items + ']');
    co_return private_json(200, w.take());
}

task<http::response> get(queue::queue& jobs, http::request& r) {
    const auto found = co_await queue::job_schedulers{jobs}.get(read_name(r).stored());
    if (!found) throw no_such_schedule();
    co_return private_json(200, schedule_json(*found));
}

task<http::response> remove(queue::queue& jobs, http::request& r) {
    if (!co_await queue::job_schedulers{jobs}.remove(read_name(r).stored())) throw no_such_schedule();
    co_return http::response::empty(204);
}

} // namespace

http::handler put_schedule(queue::queue& jobs, const definition_shelf& definitions,
                           queue::job_options defaults, quota_book& quotas) {
    // Shared, since a std::function copies what it holds.
    auto s = std::make_shared<const services>(services{jobs, definitions, std::move(defaults), quotas});
    return [s = std::move(s)](http::request& r) { return put(*s, r); };
}
http::handler list_schedules(queue::queue& jobs) {
    return [&jobs](http::request& r) { return list(jobs, r); };
}
http::handler get_schedule(queue::queue& jobs) {
    return [&jobs](http::request& r) { return get(jobs, r); };
}
http::handler delete_schedule(queue::queue& jobs) {
    return [&jobs](http::request& r) { return remove(jobs, r); };
}

} // namespace tiktrend::gateway

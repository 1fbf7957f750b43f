#include "backoff.hpp"
#include "options_check.hpp"
#include "options_json.hpp"
#include "script_call.hpp"
#include "scripts.hpp"
#include "stored_options.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/queue/cron.hpp>
#include <tiktrend/queue/job_scheduler.hpp>

#include <algorithm>
#include <charconv>

namespace tiktrend::queue {
namespace {

[[noreturn]] void refuse(std::string field, std::string value, std::string rule) {
    throw input_error(errc::invalid_scheduler, std::move(field), std::move(value), std::move(rule));
}

std::string ms(std::chrono::milliseconds d) {
    return std::to_string(d.count()) + " ms";
}

std::string text_of(const std::optional<std::int64_t>& n) {
    return n ? std::to_string(*n) : std::string{};
}

std::optional<std::int64_t> number_of(std::string_view text) {
    std::int64_t n = 0;
    const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
    if (r.ec != std::errc()) return {};
    return n;
}

/// "…:123" is the form of a job of the scheduler "…", whose key the record would share.
bool looks_like_job(std::string_view id) noexcept {
    const auto colon = id.rfind(':');
    if (colon == std::string_view::npos) return false;
    const auto last = id.substr(colon + 1);
    return std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void check_id(const std::string& id) {
    if (id.empty() || id.size() > 1000 || !is_valid_utf8(id))
        refuse("scheduler id", quoted(id), "1 to 1000 bytes of UTF-8");
    if (looks_like_job(id))
        refuse("scheduler id", quoted(id), "no colon and number at its end, as ids of schedulers' jobs have");
}

void check_repeat(const repeat_options& r, std::int64_t now_ms) {
    if (r.every && !r.pattern.empty()) refuse("repeat.pattern", quoted(r.pattern), "none beside every");
    if (!r.every && r.pattern.empty()) refuse("repeat.every", "nothing", "every or pattern");
    if (r.every && (r.every->count() < 1 || *r.every > max_delay))
        refuse("repeat.every", ms(*r.every), "1 to " + ms(max_delay));
    if (r.offset && !r.every)
        refuse("repeat.offset", ms(*r.offset), "none beside a pattern, which says its time itself");
    if (r.offset && (r.offset->count() < 0 || *r.offset >= *r.every))
        refuse("repeat.offset", ms(*r.offset), "a time inside the interval of " + ms(*r.every));
    if (r.immediately && r.start_ms)
        refuse("repeat.start_ms", std::to_string(*r.start_ms), "none beside immediately");
    if (r.limit && *r.limit < 1) refuse("repeat.limit", std::to_string(*r.limit), "1 or more");
    if (r.start_ms && *r.start_ms < 1) refuse("repeat.start_ms", std::to_string(*r.start_ms), "1 or more");
    if (r.end_ms && *r.end_ms <= now_ms)
        refuse("repeat.end_ms", std::to_string(*r.end_ms), "a time after now, " + std::to_string(now_ms));
    if (!r.tz.empty() && !is_time_zone(r.tz)) refuse("repeat.tz", quoted(r.tz), "a time zone of the system");
}

void check_template(const job_template& t, json_checker& json) {
    const auto& o = t.options;
    if (!o.id.empty()) refuse("template.id", quoted(o.id), "none: its jobs have ids of their own");
    if (o.delay.count() != 0)
        refuse("template.delay", ms(o.delay), "none: the scheduler's rule says when its jobs run");
    if (o.timestamp_ms)
        refuse("template.timestamp_ms", std::to_string(*o.timestamp_ms), "none: its jobs have their own");
    if (o.parent) refuse("template.parent", quoted(o.parent->id), "none: its jobs have no parent");
    if (o.group) refuse("template.group", quoted(o.group->id), "none: one job is pending at a time anyway");
    if (o.deduplication)
        refuse("template.deduplication", quoted(o.deduplication->id),
               "none: one job is pending at a time anyway");
    if (const auto problem = find_problem(o)) throw problem->error("template.");
    if (const auto problem = find_data_problem(t.data, o, json)) throw problem->error("template.");
}

/// The pattern's first time, if it has one inside the rule's bounds.
std::optional<std::int64_t> first_time(const repeat_options& r, std::int64_t now_ms) {
    std::string why;
    const auto cron = cron_expression::parse(r.pattern, why);
    if (!cron) refuse("repeat.pattern", quoted(r.pattern), "a cron pattern: " + why);
    if (r.immediately) return now_ms;
    const auto next = cron->next_after(std::max(now_ms, r.start_ms.value_or(0)), r.tz);
    if (!next || (r.end_ms && *next > *r.end_ms)) return {};
    return next;
}

std::string repeat_json(const repeat_options& r) {
    std::string out = "{\"count\":1";
    const auto number = [&out](std::string_view name, const std::optional<std::int64_t>& n) {
        if (n) out.append(",\"").append(name).append("\":").append(std::to_string(*n));
    };
    const auto text = [&out](std::string_view name, const std::string& value) {
        if (value.empty()) return;
        out.append(",\"").append(name).append("\":");
        append_json_string(out, value);
    };
    if (r.every) number("every", r.every->count());
    text("pattern", r.pattern);
    text("tz", r.tz);
    number("limit", r.limit);
    number("startDate", r.start_ms);
    number("endDate", r.end_ms);
    if (r.offset && r.offset->count() > 0) number("offset", r.offset->count());
    return out + "}";
}

/// The first job's options up to the time in its id; the script, which knows the time, closes them.
std::string job_opts(const std::string& id, const std::string& template_opts, const repeat_options& r,
                     std::int64_t now_ms, std::optional<std::int64_t> pattern_ms) {
    std::string out = template_opts;
    out.back() = out.size() > 2 ? ',' : ' ';
    out += "\"repeat\":" + repeat_json(r) + ",\"timestamp\":" + std::to_string(now_ms);
    if (pattern_ms) out += ",\"prevMillis\":" + std::to_string(*pattern_ms);
    out += ",\"repeatJobKey\":";
    append_json_string(out, id);
    out += ",\"jobId\":";
    append_json_string(out, "repeat:" + id + ":");
    out.pop_back();
    return out;
}

scheduler_record read_scheduler(const redis::reply::view& entry) {
    scheduler_record s;
    s.id = entry[0].text();
    s.next_ms = entry[1].integer();
    s.is_legacy = true;
    for (std::size_t i = 2; i + 1 < entry.size(); i += 2) {
        const auto field = entry[i].text();
        const auto value = entry[i + 1].text();
        if (field == "name") s.name = value;
        if (field == "every") s.every_ms = number_of(value);
        if (field == "pattern") s.pattern = value;
        if (field == "tz") s.tz = value;
        if (field == "limit") s.limit = number_of(value);
        if (field == "startDate") s.start_ms = number_of(value);
        if (field == "endDate") s.end_ms = number_of(value);
        if (field == "offset") s.offset_ms = number_of(value);
        if (field == "data") s.data = value;
        if (field == "opts") s.opts = value;
        if (field == "ic") {
            s.iteration_count = number_of(value).value_or(0);
            s.is_legacy = false;
        }
    }
    return s;
}

task<std::vector<scheduler_record>> read(queue& q, std::vector<std::string> words) {
    const auto reply =
        co_await run_script(q.client(), scripts::all().read_schedulers, q.key_base(), std::move(words));
    std::vector<scheduler_record> out;
    for (std::size_t i = 0; i < reply.size(); ++i)
        out.push_back(read_scheduler(reply[i]));
    co_return out;
}

} // namespace

task<std::optional<job_schedulers::pending_job>> job_schedulers::upsert(std::string id, repeat_options repeat,
                                                                        job_template jobs) {
    const auto now = queue_->options().clock->now_ms();
    check_id(id);
    check_repeat(repeat, now);
    jobs.options = with_defaults(std::move(jobs.options), queue_->options().defaults);
    json_checker json;
    check_template(jobs, json);
    std::optional<std::int64_t> pattern_ms;
    if (!repeat.pattern.empty()) {
        pattern_ms = first_time(repeat, now);
        if (!pattern_ms) co_return std::nullopt;
    }
    auto template_opts = options_to_json(jobs.options, attempts_member::if_set);
    if (const auto& trace = queue_->options().trace_context;
        trace && jobs.options.telemetry_metadata.empty() && !jobs.options.omit_context)
        jobs.options.telemetry_metadata = trace(); // of the first job alone
    auto opts = job_opts(id, options_to_json(jobs.options, attempts_member::if_set), repeat, now, pattern_ms);
    const auto every = repeat.every ? repeat.every->count() : 0;
    const auto offset = repeat.offset ? repeat.offset->count() : 0;
    std::vector<std::string> words{std::to_string(now),
                                   id,
                                   jobs.name.empty() ? id : std::move(jobs.name),
                                   std::move(jobs.data),
                                   std::move(template_opts),
                                   std::to_string(every),
                                   std::to_string(pattern_ms.value_or(0)),
                                   std::to_string(offset),
                                   text_of(repeat.start_ms),
                                   text_of(repeat.end_ms),
                                   repeat.tz,
                                   repeat.pattern,
                                   text_of(repeat.limit),
                                   std::move(opts),
                                   std::to_string(jobs.options.priority),
                                   jobs.options.lifo ? "R" : "L"};
    const auto reply = co_await run_script(queue_->client(), scripts::all().upsert_scheduler,
                                           queue_->key_base(), std::move(words));
    if (reply.size() != 2) {
        throw_if_refused(reply.integer(), "scheduler \"" + id + "\"");
        throw std::runtime_error("scheduler \"" + id + "\": unexpected reply");
    }
    co_return pending_job{std::string{reply[0].text()}, std::chrono::milliseconds{reply[1].integer()}};
}

task<std::optional<scheduler_record>> job_schedulers::get(std::string id) {
    if (id.empty()) co_return std::nullopt;
    std::vector<std::string> words{std::move(id), "0", "0", "0"};
    auto found = co_await read(*queue_, std::move(words));
    if (found.empty()) co_return std::nullopt;
    co_return std::move(found.front());
}

task<std::vector<scheduler_record>> job_schedulers::list(std::int64_t start, std::int64_t end,
                                                         bool ascending) {
    std::vector<std::string> words{"", std::to_string(start), std::to_string(end), ascending ? "1" : "0"};
    co_return co_await read(*queue_, std::move(words));
}

task<std::int64_t> job_schedulers::count() {
    const redis::command c{"ZCARD", queue_->key_base() + "repeat"};
    const auto reply = co_await queue_->client().exec(c);
    if (reply.is_error()) throw std::runtime_error("scheduler count: " + std::string{reply.text()});
    co_return reply.integer();
}

task<bool> job_schedulers::remove(std::string id) {
    std::vector<std::string> words{std::move(id)};
    const auto reply = co_await run_script(queue_->client(), scripts::all().remove_scheduler,
                                           queue_->key_base(), std::move(words));
    co_return reply.integer() == 1;
}

} // namespace tiktrend::queue

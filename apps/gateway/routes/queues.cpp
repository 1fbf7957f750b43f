#include "routes/queues.hpp"

#include "json_body.hpp"
#include "json_writer.hpp"
#include "middleware/principal.hpp"
#include "private_json.hpp"
#include "query_reader.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/http/problem.hpp>
#include <tiktrend/queue/queue_admin.hpp>
#include <tiktrend/queue/queue_getters.hpp>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;

/// A scaler that waits longer than this takes the answer for lost anyway.
constexpr auto depth_deadline = 2s;
constexpr std::int64_t max_grace_ms = 366LL * 24 * 3600 * 1000;
constexpr std::int64_t max_cleaned = 100'000;

http::problem no_such_queue() {
    return {404, "queue_not_found", "There is no queue with this name."};
}

void check_name(const queue::queue& jobs, const http::request& r) {
    query_reader{r}.finish(); // no parameters
    if (r.param("name") != jobs.name()) throw no_such_queue();
}

std::string counts_json(const queue::job_counts& c) {
    json_object_writer w;
    w.integer("active", c.active);
    w.integer("waiting", c.waiting);
    w.integer("prioritized", c.prioritized);
    w.integer("delayed", c.delayed);
    w.integer("waiting-children", c.waiting_children);
    w.integer("completed", c.completed);
    w.integer("failed", c.failed);
    return w.take();
}

void write_queue(json_object_writer& w, const std::string& name, const queue::queue_depth& d) {
    w.text("name", name);
    w.json("paused", d.paused ? "true" : "false");
    w.json("counts", counts_json(d.counts));
    w.integer("depth", d.effective);
    w.integer("backlog", d.backlog);
    w.integer("oldest_waiting_ms", d.oldest_waiting_ms);
}

std::string workers_json(const std::vector<queue::client_info>& workers, bool with_addresses) {
    std::string out = "[";
    for (const auto& c : workers) {
        if (out.size() > 1) out += ',';
        json_object_writer w;
        w.text("name", c.name);
        w.optional_text("address", with_addresses ? std::optional{c.address} : std::nullopt);
        w.integer("age_s", c.age_s);
        w.integer("idle_s", c.idle_s);
        out += w.take();
    }
    return out + ']';
}

task<http::response> answer_list(queue::queue& jobs, http::request& r) {
    query_reader{r}.finish(); // no parameters
    json_object_writer one;
    write_queue(one, jobs.name(), co_await jobs.depth());
    json_object_writer w;
    w.json("items", '[' + one.take() + ']');
    co_return private_json(200, w.take());
}

task<http::response> answer_one(queue::queue& jobs, http::request& r) {
    check_name(jobs, r);
    const auto depth = co_await jobs.depth();
    const auto workers = co_await queue::queue_getters{jobs}.workers();
    json_object_writer w;
    write_queue(w, jobs.name(), depth);
    w.json("workers", workers_json(workers, principal_of(r).is_admin()));
    co_return private_json(200, w.take());
}

task<http::response> answer_state(queue::queue& jobs) {
    json_object_writer w;
    write_queue(w, jobs.name(), co_await jobs.depth());
    co_return private_json(200, w.take());
}

task<http::response> pause(queue::queue& jobs, http::request& r) {
    check_name(jobs, r);
    co_await jobs.pause();
    co_return co_await answer_state(jobs);
}

task<http::response> resume(queue::queue& jobs, http::request& r) {
    check_name(jobs, r);
    co_await jobs.resume();
    co_return co_await answer_state(jobs);
}

struct clean_request {
    queue::job_state state = queue::job_state::completed;
    std::chrono::milliseconds grace{0};
    std::size_t limit = 1000;
};

clean_request read_clean_request(const http::request& r) {
    thread_local simdjson::dom::parser parser;
    json_object_reader body{parse_json_object(parser, r), {"body"}};
    clean_request out;
    const auto state = body.one_of("state", {"completed", "failed", "waiting", "prioritized", "delayed"});
    for (const auto s : {queue::job_state::completed, queue::job_state::failed, queue::job_state::waiting,
                         queue::job_state::prioritized, queue::job_state::delayed})
        if (state && queue::to_string(s) == *state) out.state = s;
    out.grace = std::chrono::milliseconds{body.integer("grace", 0, max_grace_ms).value_or(0)};
    out.limit = static_cast<std::size_t>(body.integer("limit", 1, max_cleaned).value_or(1000));
    body.finish();
    return out;
}

task<http::response> clean(queue::queue& jobs, job_intake& intake, http::request& r) {
    check_name(jobs, r);
    const auto wanted = read_clean_request(r);
    auto ids = co_await queue::queue_admin{jobs}.clean(wanted.grace, wanted.limit, wanted.state);
    json_object_writer w;
    w.integer("removed", static_cast<std::int64_t>(ids.size()));
    co_await intake.forget(std::move(ids)); // or an outbox would take them for lost
    co_return private_json(200, w.take());
}

http::response moved(std::size_t n) {
    json_object_writer w;
    w.integer("moved", static_cast<std::int64_t>(n));
    return private_json(200, w.take());
}

task<http::response> retry_all(queue::queue& jobs, http::request& r) {
    check_name(jobs, r);
    co_return moved(co_await queue::queue_admin{jobs}.retry_all());
}

task<http::response> promote_all(queue::queue& jobs, http::request& r) {
    check_name(jobs, r);
    co_return moved(co_await queue::queue_admin{jobs}.promote_all());
}

task<http::response> answer_depth(queue::queue& jobs, http::request& r) {
    query_reader query{r};
    const auto name = query.text("queue", 200);
    query.finish();
    if (name && *name != jobs.name()) throw no_such_queue();
    const auto d = co_await within(depth_deadline, jobs.depth());
    json_object_writer w;
    w.text("queue", jobs.name());
    w.integer("depth", d.effective);
    w.integer("backlog", d.backlog);
    w.integer("active", d.active);
    w.json("paused", d.paused ? "true" : "false");
    co_return private_json(200, w.take());
}

using action = task<http::response> (*)(queue::queue&, http::request&);

http::handler on(queue::queue& jobs, action a) {
    return [&jobs, a](http::request& r) { return a(jobs, r); };
}

} // namespace

http::handler list_queues(queue::queue& jobs) {
    return on(jobs, answer_list);
}
http::handler get_queue(queue::queue& jobs) {
    return on(jobs, answer_one);
}
http::handler pause_queue(queue::queue& jobs) {
    return on(jobs, pause);
}
http::handler resume_queue(queue::queue& jobs) {
    return on(jobs, resume);
}
http::handler clean_queue(queue::queue& jobs, job_intake& intake) {
    return [&jobs, &intake](http::request& r) { return clean(jobs, intake, r); };
}
http::handler retry_failed_jobs(queue::queue& jobs) {
    return on(jobs, retry_all);
}
http::handler promote_delayed_jobs(queue::queue& jobs) {
    return on(jobs, promote_all);
}
http::handler autoscaling_depth(queue::queue& jobs) {
    return on(jobs, answer_depth);
}

} // namespace tiktrend::gateway

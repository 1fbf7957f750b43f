#include "routes/jobs.hpp"

#include "consistency.hpp"
#include "job_json.hpp"
#include "job_owner.hpp"
#include "private_json.hpp"
#include "query_reader.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/http/problem.hpp>

#include <algorithm>
#include <charconv>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t newest_log_rows = 100;

struct services {
    queue::queue& jobs;
    redis::client& redis;
    job_events& hub;
    const authenticator& access;
    job_stream_options options;
};

task<http::response> answer_job(queue::queue& jobs, postgres::router& database, const cursor_signer& signer,
                                const logger& log, http::request& r) {
    query_reader{r}.finish(); // no parameters
    const auto [job, state] = co_await visible_job(jobs, r);
    const auto logs = co_await jobs.logs(job.id, -newest_log_rows, -1);
    auto response = private_json(200, job_to_json(job, state, logs));
    if (state == queue::job_state::completed)
        if (const auto token = co_await current_consistency_token(database, log))
            response.headers.set("X-Consistency-Token", token->signed_with(signer));
    co_return response;
}

/// "<ms>-<n>" as Redis writes stream ids; compared as numbers.
struct stream_id {
    std::uint64_t ms = 0;
    std::uint64_t n = 0;
    friend auto operator<=>(const stream_id&, const stream_id&) = default;

    static std::optional<stream_id> parse(std::string_view text) {
        const auto dash = text.find('-');
        if (dash == std::string_view::npos) return std::nullopt;
        stream_id out;
        const auto whole = [](std::string_view s, std::uint64_t& value) {
            const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), value);
            return ec == std::errc{} && end == s.data() + s.size() && !s.empty();
        };
        if (!whole(text.substr(0, dash), out.ms) || !whole(text.substr(dash + 1), out.n)) return std::nullopt;
        return out;
    }
};

/// Values that are JSON in the queue's events (layout 3.1); the others are text or whole numbers.
bool is_json_field(std::string_view event, std::string_view field) {
    return (event == "progress" && field == "data") || (event == "completed" && field == "returnvalue");
}

std::string event_json(const queue::queue_event& e) {
    std::string out = "{";
    for (const auto& [name, value] : e.fields) {
        if (out.size() > 1) out += ',';
        append_json_string(out, name == "jobId" ? "job_id" : name);
        out += ':';
        if (is_json_field(e.name, name))
            out += value;
        else
            append_json_string(out, value);
    }
    return out + '}';
}

/// Sends what the queue says about one job, each event once and in order.
class job_stream {
public:
    job_stream(http::event_stream& out, const services& s, std::string id)
        : out_{out}, services_{s}, id_{std::move(id)} {}

    /// The whole job now. True if it will not change any more.
    task<bool> send_state() { co_return co_await tell(co_await services_.jobs.get_job_and_state(id_)); }

    /// After quiet time: the end, if it was missed, else a sign of life.
    task<bool> look_again() {
        std::optional<std::pair<queue::job_record, queue::job_state>> found;
        bool is_known = true;
        try {
            found = co_await services_.jobs.get_job_and_state(id_);
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            is_known = false; // Redis is away; there will be another quiet time
        }
        if (is_known && (!found || is_final(found->second))) co_return co_await tell(found);
        co_await out_.comment("still here");
        co_return false;
    }

    task<bool> replay(const stream_id& after, std::string text) {
        sent_ = after;
        const auto& o = services_.options;
        const auto missed =
            co_await queue::queue_events::resume_job(services_.redis, services_.jobs.key_base(), id_,
                                                     std::move(text), o.max_replayed, o.max_looked_at);
        for (const auto& e : missed.events)
            if (co_await forward(e)) co_return true;
        // The state tells what the stream keeps no more, and what lies between the events sent here and those
        // to come.
        co_return missed.events.empty() || !missed.is_whole ? co_await send_state() : false;
    }

    /// True if this event ends the job.
    task<bool> forward(const queue::queue_event& e) {
        const auto position = stream_id::parse(e.stream_id);
        if (position && sent_ && *position <= *sent_) co_return false;
        sent_ = position;
        co_await out_.send(e.stream_id, e.name, event_json(e));
        co_return e.name == "completed" || e.name == "failed" || e.name == "removed";
    }

private:
    task<bool> tell(std::optional<std::pair<queue::job_record, queue::job_state>> found) {
        if (!found) {
            co_await out_.send("", "removed", R"({"job_id":)" + quoted(id_) + '}');
            co_return true;
        }
        co_await out_.send("", "state", job_to_json(found->first, found->second));
        co_return is_final(found->second);
    }

    static std::string quoted(std::string_view text) {
        std::string out;
        append_json_string(out, text);
        return out;
    }

    http::event_stream& out_;
    const services& services_;
    std::string id_;
    std::optional<stream_id> sent_;
};

task<void> follow(http::event_stream& out, services s, std::string id, std::string last_event_id,
                  std::shared_ptr<const principal> who) {
    // Subscribed first, so that nothing falls between the snapshot and the first live event.
    job_events::subscription live{s.hub, id};
    co_await live.begin();
    job_stream stream{out, s, std::move(id)};
    const auto resume = stream_id::parse(last_event_id);
    bool done =
        resume ? co_await stream.replay(*resume, std::move(last_event_id)) : co_await stream.send_state();
    auto quiet_since = std::chrono::steady_clock::now();
    while (!done && !out.is_draining() && !s.access.has_ended(*who)) {
        // Short waits let a drain end the stream soon; the client reconnects to another gateway with its
        // Last-Event-ID.
        const auto e = co_await live.next(500ms);
        const auto now = std::chrono::steady_clock::now();
        if (e) {
            done = co_await stream.forward(*e);
            quiet_since = now;
        } else if (now - quiet_since >= s.options.look_again) {
            done = co_await stream.look_again();
            quiet_since = now;
        }
        if (live.take_missed()) done = co_await stream.send_state() || done;
    }
}

task<http::response> answer_events(services s, http::request& r) {
    auto id = std::string{r.param("id")};
    query_reader{r}.finish();
    co_await visible_job(s.jobs, r); // 404 before the stream begins
    http::response response;
    response.headers.set("Content-Type", "text/event-stream; charset=utf-8");
    response.headers.set("Cache-Control", "no-store");
    response.headers.set("X-Accel-Buffering", "no");
    response.stream = [s, id = std::move(id), last = std::string{r.headers.get("last-event-id")},
                       who = std::make_shared<const principal>(principal_of(r))](http::event_stream& out) {
        return follow(out, s, id, last, who);
    };
    co_return response;
}

} // namespace

http::handler get_job(queue::queue& jobs, postgres::router& database, const cursor_signer& signer,
                      logger log) {
    return [&jobs, &database, &signer, log = std::move(log)](http::request& r) {
        return answer_job(jobs, database, signer, log, r);
    };
}

http::handler get_job_events(queue::queue& jobs, redis::client& redis, job_events& hub,
                             const authenticator& access, job_stream_options options) {
    const services s{jobs, redis, hub, access, options};
    return [s](http::request& r) { return answer_events(s, r); };
}

} // namespace tiktrend::gateway

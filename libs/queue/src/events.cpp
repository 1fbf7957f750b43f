#include "keys.hpp"
#include "script_call.hpp"
#include "scripts.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/queue/events.hpp>

#include <algorithm>

namespace tiktrend::queue {
namespace {

/// Ids of a stream, "<ms>-<n>": numbers of any length without zeros in front.
bool is_before(std::string_view a, std::string_view b) noexcept {
    const auto less = [](std::string_view x, std::string_view y) {
        return x.size() != y.size() ? x.size() < y.size() : x < y;
    };
    const auto ms_a = a.substr(0, a.find('-')), ms_b = b.substr(0, b.find('-'));
    if (ms_a != ms_b) return less(ms_a, ms_b);
    return less(a.substr(std::min(ms_a.size() + 1, a.size())), b.substr(std::min(ms_b.size() + 1, b.size())));
}

queue_event read_entry(const redis::reply::view& entry) {
    queue_event e;
    e.stream_id = entry[0].text();
    const auto fields = entry[1];
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        if (fields[i].text() == "event")
            e.name = fields[i + 1].text();
        else
            e.fields.emplace_back(fields[i].text(), fields[i + 1].text());
    }
    return e;
}

} // namespace

std::string_view queue_event::get(std::string_view field) const noexcept {
    for (const auto& [key, value] : fields)
        if (key == field) return value;
    return {};
}

struct queue_events::impl {
    impl(asio::any_io_executor ex, redis::address where, const std::string& queue_name, listener l, options o)
        : opts{std::move(o)}, keys{opts.prefix, queue_name}, on_event{std::move(l)},
          connection{ex, std::move(where), connection_options()}, last_id{opts.last_id}, loop{ex} {}

    redis::client_options connection_options() const {
        redis::client_options o;
        o.client_name = keys.events_connection();
        o.log = opts.log;
        return o;
    }

    task<void> follow() {
        for (;;) {
            const bool has_failed = !(last_id == "$" ? co_await find_end() : co_await read_once());
            if (has_failed) co_await sleep_for(std::chrono::milliseconds{200});
        }
    }

    /// Where the stream ends now. "$" in XREAD would mean its end at each call, and what arrives between two
    /// calls would be lost.
    task<bool> find_end() {
        const redis::command c{"XREVRANGE", keys.events(), "+", "-", "COUNT", 1};
        try {
            const auto reply = co_await connection.exec(c, std::chrono::milliseconds{0});
            if (reply.is_error()) {
                opts.log.error("queue_events_refused", {{"queue", keys.base()}, {"error", reply.text()}});
                co_return false;
            }
            last_id = reply.size() > 0 ? std::string{reply[0][0].text()} : "0-0";
            co_return true;
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            opts.log.warn("queue_events_interrupted", {{"queue", keys.base()}, {"error", e.what()}});
            co_return false;
        }
    }

    /// One XREAD after the last entry seen. A reply that is too large for a client is asked for again in
    /// smaller pieces.
    task<bool> read_once() {
        const redis::command c{"XREAD",   "COUNT",       page,   "BLOCK", opts.block.count(),
                               "STREAMS", keys.events(), last_id};
        try {
            const auto reply = co_await connection.exec(c, opts.block);
            if (reply.is_error()) {
                opts.log.error("queue_events_refused", {{"queue", keys.base()}, {"error", reply.text()}});
                co_return false;
            }
            hand_over(reply[0][1]);
            co_return true;
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            opts.log.warn("queue_events_interrupted", {{"queue", keys.base()}, {"error", e.what()}});
            if (e.code() != redis::errc::protocol_error) co_return false;
            if (page > 1) {
                page = std::max<std::size_t>(page / 10, 1);
                co_return false;
            }
        }
        co_return co_await read_large();
    }

    /// The next entry is too large for a reply: it is told without its long values.
    task<bool> read_large() {
        const redis::command c{"EVAL", scripts::all().read_events.text(), 1, keys.base(), last_id, "", 1};
        try {
            const auto reply = co_await connection.exec(c, std::chrono::milliseconds{0});
            if (reply.is_error()) {
                opts.log.error("queue_events_refused", {{"queue", keys.base()}, {"error", reply.text()}});
                co_return false;
            }
            if (reply.size() < 2) co_return false;
            const auto e = read_entry(reply[1]);
            opts.log.error("queue_event_too_large",
                           {{"queue", keys.base()}, {"event", e.name}, {"job_id", e.job_id()}});
            last_id = e.stream_id;
            on_event(e);
            co_return true;
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            opts.log.warn("queue_events_interrupted", {{"queue", keys.base()}, {"error", e.what()}});
            co_return false;
        }
    }

    void hand_over(const redis::reply::view& entries) {
        std::size_t bytes = 1;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const auto e = read_entry(entries[i]);
            for (const auto& [name, value] : e.fields)
                bytes += value.size();
            last_id = e.stream_id;
            on_event(e);
        }
        // Larger pages again, as far as entries like these would fit.
        if (entries.size() > 0)
            page = std::clamp<std::size_t>(std::min(page * 2, page_bytes / (bytes / entries.size() + 1)), 1,
                                           largest_page);
    }

    static constexpr std::size_t largest_page = 500;
    static constexpr std::size_t page_bytes = 16U << 20; ///< a quarter of what a reply may have
    std::size_t page = largest_page;                     ///< entries asked for at once
    options opts;
    queue_keys keys;
    listener on_event;
    redis::blocking_connection connection;
    std::string last_id;
    task_group loop;
};

queue_events::queue_events(asio::any_io_executor executor, redis::address where, std::string queue_name,
                           listener on_event, options o)
    : impl_{std::make_unique<impl>(executor, std::move(where), queue_name, std::move(on_event),
                                   std::move(o))} {}
queue_events::~queue_events() = default;

void queue_events::start() {
    if (impl_->loop.size() == 0) impl_->loop.spawn("queue_events", impl_->follow());
}

const std::string& queue_events::last_id() const noexcept {
    return impl_->last_id;
}

task<void> queue_events::stop() {
    impl_->loop.cancel();
    impl_->connection.close();
    co_await impl_->loop.join();
}

task<std::string> queue_events::end_of(redis::client& client, std::string key_base) {
    const redis::command c{"XREVRANGE", key_base + "events", "+", "-", "COUNT", 1};
    const auto reply = co_await client.exec(c);
    if (reply.is_error()) throw std::runtime_error("queue events: " + std::string{reply.text()});
    co_return reply.size() > 0 ? std::string{reply[0][0].text()} : "0-0";
}

task<std::vector<queue_event>> queue_events::read_for_job(redis::client& client, std::string key_base,
                                                          std::string job_id, std::string after,
                                                          std::size_t limit) {
    std::vector<queue_event> found;
    if (after.empty()) after = "0";
    while (found.size() < limit) {
        const auto wanted = std::to_string(std::min<std::size_t>(limit - found.size(), 1000));
        const std::string_view words[]{after, job_id, wanted};
        const auto reply = co_await run_script_views(client, scripts::all().read_events, key_base, words);
        for (std::size_t i = 1; i < reply.size(); ++i)
            found.push_back(read_entry(reply[i]));
        if (reply[0].is_nil()) break;
        after = reply[0].text();
    }
    co_return found;
}

task<queue_events::resumed> queue_events::resume_job(redis::client& client, std::string key_base,
                                                     std::string job_id, std::string after, std::size_t limit,
                                                     std::size_t most_looked_at) {
    const auto wanted = std::to_string(limit),
               most = std::to_string(std::min<std::size_t>(most_looked_at, 5000));
    const std::string_view words[]{after, job_id, wanted, most};
    const auto reply = co_await run_script_views(client, scripts::all().read_events, key_base, words);
    resumed out;
    for (std::size_t i = 1; i < reply.size(); ++i)
        out.events.push_back(read_entry(reply[i]));
    if (!reply[0].is_nil()) co_return out; // there are more
    // Asked last: what was dropped before this is noticed.
    const redis::command c{"XRANGE", key_base + "events", "-", "+", "COUNT", 1};
    const auto oldest = co_await client.exec(c);
    if (oldest.is_error()) throw std::runtime_error("queue events: " + std::string{oldest.text()});
    out.is_whole = oldest.size() > 0 && !is_before(after, oldest[0][0].text());
    co_return out;
}

} // namespace tiktrend::queue

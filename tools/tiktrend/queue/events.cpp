// tiktrend queue events: what happened in a queue, and with --follow what happens.
#include "show.hpp"
#include "target.hpp"

#include <tiktrend/queue/events.hpp>

#include <boost/asio/signal_set.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <csignal>

namespace tiktrend::cli {
namespace {

namespace json = boost::json;

struct event_options {
    std::int64_t limit = 20;
    std::string from;
    bool follows = false;
};

void show(bool as_json, std::string_view id, std::string_view name,
          const std::vector<std::pair<std::string, std::string>>& fields) {
    if (as_json) {
        json::object o{{"streamId", id}, {"event", name}};
        for (const auto& [field, value] : fields)
            o[field] = field == "returnvalue" || field == "data" ? json_or_text(value)
                                                                 : json::value(printable(value));
        print(o);
    } else {
        auto line = fmt::format("{:<22} {:<18}", id, printable(name));
        for (const auto& [field, value] : fields)
            line += fmt::format(" {}={}", printable(field), printable(value, 200));
        fmt::print("{}\n", line);
    }
    std::fflush(stdout); // who follows wants to see it now
}

/// Shows the entries after `from`, or the last `limit`. The id after which to go on.
task<std::string> show_past(const queue_target& target, const event_options& options, queue::queue& q) {
    const auto key = q.key_base() + "events";
    const bool is_from = !options.from.empty();
    const auto reply =
        is_from
            ? co_await q.client().exec(
                  redis::command{"XRANGE", key, "(" + options.from, "+", "COUNT", options.limit})
            : co_await q.client().exec(redis::command{"XREVRANGE", key, "+", "-", "COUNT", options.limit});
    if (reply.is_error()) throw std::runtime_error(std::string{reply.text()});
    std::string last = is_from ? options.from : "0-0";
    for (std::size_t n = 0; n < reply.size(); ++n) {
        const auto entry = reply[is_from ? n : reply.size() - 1 - n];
        std::string name;
        std::vector<std::pair<std::string, std::string>> fields;
        for (std::size_t i = 0; i + 1 < entry[1].size(); i += 2) {
            if (entry[1][i].text() == "event")
                name = entry[1][i + 1].text();
            else
                fields.emplace_back(entry[1][i].text(), entry[1][i + 1].text());
        }
        last = entry[0].text();
        show(target.as_json, last, name, fields);
    }
    co_return last;
}

task<int> show_events(const queue_target& target, const event_options& options, queue::queue& q) {
    auto last = co_await show_past(target, options, q);
    if (!options.follows) co_return exit_ok;
    queue::queue_events::options o;
    o.prefix = target.prefix;
    o.last_id = std::move(last);
    const bool as_json = target.as_json;
    queue::queue_events events{
        co_await asio::this_coro::executor, q.client().where(), q.name(),
        [as_json](const queue::queue_event& e) { show(as_json, e.stream_id, e.name, e.fields); },
        std::move(o)};
    asio::signal_set stop{co_await asio::this_coro::executor, SIGINT, SIGTERM};
    events.start();
    co_await stop.async_wait(asio::use_awaitable);
    co_await events.stop();
    co_return exit_ok;
}

} // namespace

void add_queue_events(CLI::App& group, action& chosen) {
    auto* verb = group.add_subcommand("events", "What happened in a queue: the last events kept");
    auto target = add_target(*verb);
    auto options = std::make_shared<event_options>();
    verb->add_option("--limit", options->limit, "How many of the past")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    verb->add_option("--from", options->from, "Those after this stream id instead of the last ones")
        ->check([](const std::string& id) {
            return id.find_first_not_of("0123456789-") == std::string::npos
                       ? std::string{}
                       : std::string{"expected <ms>-<n>"};
        });
    verb->add_flag("-f,--follow", options->follows, "Go on until Ctrl-C");
    verb->callback([&chosen, target, options] {
        chosen = on_queue(target,
                          [target, options](queue::queue& q) { return show_events(*target, *options, q); });
    });
}

} // namespace tiktrend::cli

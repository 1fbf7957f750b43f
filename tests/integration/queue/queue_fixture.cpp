#include "queue_fixture.hpp"

#include "scripts.hpp"

#include <sstream>

namespace tiktrend::testing {

strings lines(const std::string& text) {
    strings out;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);)
        out.push_back(line);
    return out;
}

queue_fixture::queue_fixture(std::string name, redis_server& server)
    : server_{server}, name_{std::move(name)}, base_{"bull:" + name_ + ":"} {
    redis({"FLUSHALL"});
}

redis::address queue_fixture::address() const {
    return redis::parse_url(server_.unix_url()).value();
}

std::set<std::string> queue_fixture::members(const std::string& suffix) const {
    const auto all = lines(redis({"SMEMBERS", key(suffix)}));
    return {all.begin(), all.end()};
}

std::string queue_fixture::score(const std::string& suffix, const std::string& member) const {
    return redis({"ZSCORE", key(suffix), member});
}

dump queue_fixture::hash(const std::string& suffix) const {
    dump out;
    const auto all = lines(redis({"HGETALL", key(suffix)}));
    for (std::size_t i = 0; i + 1 < all.size(); i += 2)
        out[all[i]] = all[i + 1];
    return out;
}

std::string queue_fixture::field(const std::string& suffix, const std::string& field) const {
    return redis({"HGET", key(suffix), field});
}

std::set<std::string> queue_fixture::keys() const {
    std::set<std::string> out;
    for (const auto& k : lines(redis({"KEYS", base_ + "*"})))
        out.insert(k.substr(base_.size()));
    return out;
}

strings queue_fixture::events() const {
    strings out;
    for (const auto& id : lines(
             server_.command({"EVAL",
                              "local out = {} "
                              "for _, e in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do "
                              "  local f, text = e[2], e[2][2] "
                              "  for i = 3, #f, 2 do "
                              "    text = text .. ' ' .. (f[i] == 'jobId' and '' or f[i] .. '=') .. f[i + 1] "
                              "  end "
                              "  out[#out + 1] = text "
                              "end return out",
                              "1", key("events")})))
        out.push_back(id);
    return out;
}

std::string queue_fixture::script(const std::string& script, strings args) const {
    strings words{"EVAL", queue::assemble_script(script), "1", base_};
    words.insert(words.end(), args.begin(), args.end());
    return redis(std::move(words));
}

namespace {

task<void> run_with_queue(redis::address where, std::string name, queue::queue_options options,
                          std::function<task<void>(queue::queue&)>& work) {
    redis::client client{co_await asio::this_coro::executor, where};
    client.start();
    co_await client.wait_connected(5s);
    std::exception_ptr error;
    {
        queue::queue q{client, name, options};
        try {
            co_await work(q);
        } catch (...) {
            error = std::current_exception();
        }
    }
    co_await client.stop();
    if (error) std::rethrow_exception(error);
}

} // namespace

void queue_fixture::with_queue(std::function<task<void>(queue::queue&)> work, queue::queue_options options) {
    run_coroutine(run_with_queue(address(), name_, options, work));
}

std::string queue_fixture::add(const std::string& id, const std::string& priority, const std::string& delay,
                               std::int64_t timestamp, const std::string& side, const std::string& opts) {
    return script(
        "add", {id, "paint", R"({"color":"red"})", opts, std::to_string(timestamp), delay, priority, side});
}

strings queue_fixture::fetch(const std::string& token, int wanted, std::int64_t now) {
    const auto before = list("active");
    script("finish_and_fetch",
           {std::to_string(now), token, "30000", std::to_string(wanted), "w1", "0", "0", "0"});
    auto after = list("active");
    strings out; // newest at the left
    for (std::size_t i = after.size() - before.size(); i-- > 0;)
        out.push_back(after[i]);
    return out;
}

strings finish_words(std::int64_t now, const std::vector<ended_job>& ended, int wanted,
                     const std::string& token, const std::string& metrics_points) {
    strings words{std::to_string(now), token, "30000", std::to_string(wanted), "w1", "0", "0",
                  metrics_points};
    for (const auto& e : ended)
        for (const auto* w : {&e.kind, &e.id, &e.token, &e.value, &e.stack, &e.keep_count, &e.keep_age,
                              &e.keep_limit, &e.argument, &e.flag})
            words.push_back(*w);
    return words;
}

} // namespace tiktrend::testing

#pragma once
#include <tiktrend/queue/queue.hpp>
#include <tiktrend/queue/worker.hpp>
#include <tiktrend/testing/redis_server.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace tiktrend::testing {

using namespace std::chrono_literals;
using strings = std::vector<std::string>;
using dump = std::map<std::string, std::string>;

strings lines(const std::string& text);

/// One queue on the program's own Redis, empty at the start, looked at from outside with plain commands.
class queue_fixture {
public:
    explicit queue_fixture(std::string name = "q", redis_server& server = redis_server::shared());

    redis_server& server() noexcept { return server_; }
    const std::string& name() const noexcept { return name_; }
    redis::address address() const;
    std::string key(const std::string& suffix) const { return base_ + suffix; }
    const std::string& base() const noexcept { return base_; }

    std::string redis(strings words) const { return server_.command(std::move(words)); }
    strings list(const std::string& suffix) const { return lines(redis({"LRANGE", key(suffix), "0", "-1"})); }
    strings sorted(const std::string& suffix) const {
        return lines(redis({"ZRANGE", key(suffix), "0", "-1"}));
    }
    std::set<std::string> members(const std::string& suffix) const;
    std::string score(const std::string& suffix, const std::string& member) const;
    dump hash(const std::string& suffix) const;
    std::string field(const std::string& suffix, const std::string& field) const;
    bool exists(const std::string& suffix) const { return redis({"EXISTS", key(suffix)}) == "1"; }
    /// Suffixes of every key of the queue.
    std::set<std::string> keys() const;
    /// Every entry of the stream as "name jobId field=value …", without `event`.
    strings events() const;
    /// Forgets the stream's entries, so that events() tells only what comes.
    void clear_events() const { redis({"XTRIM", key("events"), "MAXLEN", "0"}); }

    /// Runs one of the library's scripts by hand.
    std::string script(const std::string& script, strings args) const;

    /// Runs `work` with a started client and a queue on an executor of their own.
    void with_queue(std::function<task<void>(queue::queue&)> work,
                    queue::queue_options options = queue::queue_options{});

    /// Adds a job by the script: the words that matter, the rest as defaults.
    std::string add(const std::string& id, const std::string& priority = "0", const std::string& delay = "0",
                    std::int64_t timestamp = 1'000'000, const std::string& side = "L",
                    const std::string& opts = R"({"attempts":0})");
    /// Takes up to `wanted` jobs by the script with this token; their ids.
    strings fetch(const std::string& token, int wanted, std::int64_t now = 1'000'000);

private:
    redis_server& server_;
    std::string name_;
    std::string base_;
};

/// What is left of one settlement for finish_and_fetch: 10 words.
struct ended_job {
    std::string kind, id, token, value, stack, keep_count, keep_age, keep_limit, argument, flag;
};
/// Words of a finish_and_fetch call.
strings finish_words(std::int64_t now, const std::vector<ended_job>& ended, int wanted = 0,
                     const std::string& token = "F", const std::string& metrics_points = "0");

} // namespace tiktrend::testing

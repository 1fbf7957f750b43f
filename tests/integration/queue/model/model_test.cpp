// Random commands against our queue and against a model of the state machine in memory: after each command
// the answer and every key of the queue are what the model says.
//
//   TIKTREND_SEED=n           only this seed (a failure prints it)
//   TIKTREND_LONG_TESTS=1     many more seeds
#include "difference.hpp"
#include "model.hpp"
#include "stage.hpp"

#include <tiktrend/testing/redis_server.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

#include <random>

using namespace tiktrend;
using testing::model;
namespace json = boost::json;

namespace {

/// The next command, weighted so that jobs get everywhere.
class commands {
public:
    explicit commands(std::uint64_t seed) : random_{seed} {}

    json::object next(const model& m) {
        const auto roll = below(100);
        if (roll < 26) return {{"do", "add"}, {"opts", options()}};
        if (roll < 46) return {{"do", "fetch"}, {"token", "t" + std::to_string(++tokens_)}};
        if (roll < 68) return finish(m);
        if (roll < 74) return {{"do", "clock"}, {"at", now_ += below(700)}};
        if (roll < 78) return {{"do", "stalled_check"}};
        if (roll < 79) return {{"do", "forget_check"}};
        if (roll < 80) return {{"do", "pop_marker"}};
        if (roll < 83) return on_job("lose_lock", m);
        if (roll < 85) return renew(m);
        if (roll < 88) return on_job("promote", m);
        if (roll < 92) {
            auto c = on_job("retry", m);
            c["state"] = below(2) ? "completed" : "failed";
            return c;
        }
        if (roll < 95) return on_job("remove", m);
        if (roll < 97) {
            auto c = on_job("progress", m);
            c["value"] = json::object{{"page", below(9)}};
            return c;
        }
        if (roll < 98) return {{"do", "pause"}};
        if (roll < 99) return {{"do", "resume"}};
        return {{"do", "set_concurrency_by_hand"}, {"concurrency", 1 + below(6)}};
    }

private:
    std::int64_t below(std::int64_t n) {
        return std::uniform_int_distribution<std::int64_t>{0, n - 1}(random_);
    }

    json::object options() {
        json::object o;
        if (below(3) == 0) o["priority"] = 1 + below(3);
        if (below(4) == 0) o["delay"] = 1 + below(500);
        if (below(6) == 0) o["lifo"] = true;
        if (below(5) == 0) o["jobId"] = "own-" + std::to_string(below(8));
        if (below(2) == 0) o["attempts"] = 1 + below(4);
        if (below(3) == 0)
            o["backoff"] =
                json::object{{"type", below(2) ? "fixed" : "exponential"}, {"delay", 1 + below(200)}};
        if (below(6) == 0) o["removeOnComplete"] = below(2) ? json::value(true) : json::value(1 + below(3));
        if (below(6) == 0) o["removeOnFail"] = below(2) ? json::value(true) : json::value(1 + below(3));
        return o;
    }

    json::object on_job(const char* verb, const model& m) {
        const auto& known = m.known();
        const auto id = known.empty() || below(20) == 0
                            ? std::string{"nobody"}
                            : known[static_cast<std::size_t>(below(static_cast<std::int64_t>(known.size())))];
        return {{"do", verb}, {"id", id}};
    }

    json::object renew(const model& m) {
        const auto held = m.held();
        if (held.empty()) return {{"do", "stalled_check"}};
        const auto& handle = held[static_cast<std::size_t>(below(static_cast<std::int64_t>(held.size())))];
        const auto slash = handle.find('/');
        return {{"do", "renew"},
                {"token", handle.substr(0, slash)},
                {"ids", json::array{handle.substr(slash + 1)}}};
    }

    json::object finish(const model& m) {
        const auto held = m.held();
        if (held.empty()) return {{"do", "fetch"}, {"token", "t" + std::to_string(++tokens_)}};
        const auto& handle = held[static_cast<std::size_t>(below(static_cast<std::int64_t>(held.size())))];
        const auto slash = handle.find('/');
        json::object c{
            {"do", "finish"}, {"token", handle.substr(0, slash)}, {"id", handle.substr(slash + 1)}};
        const auto roll = below(10);
        if (roll < 4)
            c["result"] = below(1000);
        else if (roll < 8)
            c["error"] = "broken " + std::to_string(below(9));
        else if (roll == 8)
            c["delay_until"] = now_ + below(400) - 50;
        else
            c["to_wait"] = true;
        if (roll == 7) c["unrecoverable"] = true;
        if (below(2)) c["fetch"] = true;
        return c;
    }

    std::mt19937_64 random_;
    std::int64_t now_ = 1'700'000'000'000;
    int tokens_ = 0;
};

/// Commands that time, a broken network or a worker that waits would carry out.
bool is_done_to_redis(const json::object& c) {
    auto& redis = testing::redis_server::shared();
    const auto verb = c.at("do").as_string();
    if (verb == "lose_lock")
        redis.command({"DEL", "ours:q:" + std::string{c.at("id").as_string()} + ":lock"});
    else if (verb == "forget_check")
        redis.command({"DEL", "ours:q:stalled-check"});
    else if (verb == "pop_marker")
        redis.command({"ZPOPMIN", "ours:q:marker"});
    else if (verb == "set_concurrency_by_hand")
        redis.command(
            {"HSET", "ours:q:meta", "concurrency", std::to_string(c.at("concurrency").to_number<int>())});
    else
        return false;
    return true;
}

json::array suspects() {
    std::istringstream lines{testing::redis_server::shared().command({"SMEMBERS", "ours:q:stalled"})};
    json::array out;
    for (std::string id; std::getline(lines, id);)
        out.emplace_back(id);
    return out;
}

task<std::string> answer_of(interop::stage& s, json::object command) {
    try {
        co_return interop::canonical(co_await s.carry_out(std::move(command)));
    } catch (const system_error& e) {
        co_return "refused " + std::to_string(-e.code().value());
    } catch (const std::exception& e) {
        co_return std::string{"threw "} + e.what();
    }
}

/// What differs after a command; empty: nothing.
std::string difference(const model& m, const std::string& expected, const std::string& answer) {
    std::string out;
    if (expected != answer)
        out += "\n  answer of the model: " + expected + "\n  answer of the queue: " + answer;
    auto found = interop::take_snapshots("theirs", "ours").ours;
    if (const auto meta = found.find("P:q:meta"); meta != found.end())
        std::erase_if(meta->second.rows, [](const auto& row) { return row.starts_with("version="); });
    for (const auto& line : interop::compare(m.keys(), found))
        out += "\n  " + line; // "theirs" is the model
    for (const auto& id : m.known())
        if (m.places(id) != (m.exists(id) ? 1 : 0))
            out += "\n  the model has job " + id + " in another than one place";
    return out;
}

task<void> play(std::uint64_t seed, int length, std::string& failure) {
    auto& redis = testing::redis_server::shared();
    redis.command({"FLUSHALL"});
    interop::stage s{co_await asio::this_coro::executor, redis::parse_url(redis.unix_url()).value(), "ours"};
    s.start();
    model m;
    commands source{seed};
    std::string story;
    for (int i = 0; i < length && failure.empty(); ++i) {
        auto command = i == 0   ? json::object{{"do", "clock"}, {"at", 1'700'000'000'000}}
                       : i == 1 ? json::object{{"do", "open"}}
                                : source.next(m);
        story += "\n  " + json::serialize(command);
        if (command.at("do") == "stalled_check") command["in_order"] = suspects();
        std::string expected;
        try {
            expected = m.carry_out(command);
        } catch (const std::exception& e) {
            failure = std::string{"\n  the model itself: "} + e.what();
            break;
        }
        auto answer = expected;
        if (!is_done_to_redis(command)) answer = co_await answer_of(s, command);
        if (i > 0) failure = difference(m, expected, answer);
    }
    if (!failure.empty()) failure = "seed " + std::to_string(seed) + story + failure;
    co_await s.stop();
}

} // namespace

TEST_CASE("random commands leave what the model of the state machine says", "[integration][queue][model]") {
    const auto* only = std::getenv("TIKTREND_SEED");
    const auto first = only ? std::stoull(only) : std::random_device{}();
    const int rounds = only ? 1 : std::getenv("TIKTREND_LONG_TESTS") ? 200 : 12;
    for (int i = 0; i < rounds; ++i) {
        std::string failure;
        testing::run_coroutine(play(first + static_cast<std::uint64_t>(i), 200, failure),
                               std::chrono::seconds{60});
        INFO("replay with TIKTREND_SEED=" << first + static_cast<std::uint64_t>(i));
        INFO(failure);
        REQUIRE(failure.empty());
    }
}

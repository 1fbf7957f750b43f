// Each scenario is carried out by BullMQ and by us, on two prefixes of one Redis, with the same clock, tokens
// and ids. After every step the answers, every key and every event are the same. README.md here says how a
// scenario is written.
//
//   TIKTREND_SCENARIO=text    only scenarios whose name contains the text
#include "difference.hpp"
#include "scenario.hpp"
#include "side.hpp"

#include <tiktrend/testing/redis_server.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace tiktrend::interop;
using tiktrend::testing::redis_server;

namespace {

constexpr std::int64_t first_moment = 1'700'000'000'000;

std::string folder() {
    const auto* source = std::getenv("TIKTREND_SOURCE_DIR");
    if (!source) throw std::runtime_error("TIKTREND_SOURCE_DIR is not set; run this test by ctest");
    return std::string{source} + "/tests/interop/differential";
}

/// Steps that the suite carries out itself, on both sides' keys.
std::string command_on(const json::object& step, const std::string& prefix) {
    std::vector<std::string> words;
    for (const auto& word : step.at("words").as_array()) {
        std::string text{word.as_string()};
        if (text.starts_with("P:")) text.replace(0, 1, prefix);
        words.push_back(std::move(text));
    }
    return redis_server::shared().command(std::move(words));
}

/// Waits until the command's answer is `is`, on both sides: what runs between the steps is done then.
std::string wait_for_redis(const json::object& step, const std::string& prefix) {
    const std::string wanted{step.at("is").as_string()};
    std::string last;
    const auto has_it = [&] { return (last = command_on(step, prefix)) == wanted; };
    return tiktrend::testing::poll_until(has_it, std::chrono::seconds{20})
               ? ""
               : "\n  did not come: it is " + last;
}

class stage {
public:
    stage(side::library theirs, const std::string& table)
        : theirs_{theirs, "theirs"}, ours_{side::library::ours, "ours"}, allowed_{folder() + "/" + table} {}

    /// The first step after which the two sides differ, with both shown; empty: none.
    std::string play(const scenario& s) {
        redis_server::shared().command({"FLUSHALL"});
        on_both({{"do", "reset"}});
        now_ = first_moment;
        on_both({{"do", "clock"}, {"at", now_}});
        on_both({{"do", "open"}});
        for (std::size_t i = 0; i < s.steps.size(); ++i) {
            const auto difference = carry_out(s, s.steps[i]);
            if (!difference.empty())
                return s.group + ": " + s.name + "\n  step " + std::to_string(i + 1) + ": " +
                       json::serialize(s.steps[i]) + difference;
        }
        return {};
    }

    allowed_differences& allowed() { return allowed_; }

private:
    struct answers {
        std::string theirs, ours;           ///< as they are compared
        std::string theirs_text, ours_text; ///< as they came
    };

    answers on_both(const json::object& step) {
        theirs_.send(step);
        ours_.send(step);
        answers a;
        a.theirs = theirs_.receive(a.theirs_text);
        a.ours = ours_.receive(a.ours_text);
        return a;
    }

    std::string carry_out(const scenario& s, const json::object& step) {
        const auto verb = step.at("do").as_string();
        std::string out;
        if (verb == "redis") {
            command_on(step, theirs_.prefix());
            command_on(step, ours_.prefix());
        } else if (verb == "until") {
            out += wait_for_redis(step, theirs_.prefix());
            out += wait_for_redis(step, ours_.prefix());
        } else if (verb == "advance") {
            now_ += step.at("ms").to_number<std::int64_t>();
            on_both({{"do", "clock"}, {"at", now_}});
        } else {
            const auto a = on_both(step);
            if (a.ours_text.find("the actor does not know") != std::string::npos)
                return "\n  not carried out: " + a.ours_text;
            if (a.theirs != a.ours && !allowed_.allows(s.name, "answer " + a.theirs + " | " + a.ours))
                out += "\n  answer of theirs: " + a.theirs_text + "\n  answer of ours:   " + a.ours_text;
            if (const auto* wanted = step.if_contains("answer"); wanted && canonical(*wanted) != a.theirs)
                out += "\n  the scenario expects " + json::serialize(*wanted) + ", theirs: " + a.theirs_text;
            if (const auto* wanted = step.if_contains("refused");
                wanted && a.theirs != "refused " + canonical(*wanted))
                out += "\n  the scenario expects a refusal, theirs: " + a.theirs_text;
            else if (!wanted && a.theirs.starts_with("refused"))
                out += "\n  theirs refuses what the scenario does not expect to be refused: " + a.theirs_text;
        }
        if (step.contains("unsettled"))
            return out; // a worker goes on meanwhile; the step "until" that follows compares
        auto seen = take_snapshots(theirs_.prefix(), ours_.prefix());
        allowed_.drop_events(s.name, seen.theirs);
        allowed_.drop_events(s.name, seen.ours);
        for (const auto& line : compare(seen.theirs, seen.ours))
            if (!allowed_.allows(s.name, line)) out += "\n  " + line;
        return out;
    }

    side theirs_;
    side ours_;
    allowed_differences allowed_;
    std::int64_t now_ = first_moment;
};

void play_all(side::library theirs, const std::string& table) {
    const auto all = load_scenarios(folder() + "/scenarios");
    const auto* only = std::getenv("TIKTREND_SCENARIO");
    stage on{theirs, table};
    std::vector<std::string> played;
    std::size_t differing = 0;
    for (const auto& s : all) {
        if (theirs == side::library::node5 && !s.is_common) continue;
        if (only && s.name.find(only) == std::string::npos) continue;
        played.push_back(s.name);
        const auto difference = on.play(s);
        if (difference.empty()) continue;
        ++differing;
        UNSCOPED_INFO(difference);
    }
    INFO(played.size() << " scenarios beside " << to_string(theirs));
    CHECK(differing == 0);
    CHECK_FALSE(played.empty());
    std::string stale;
    if (differing == 0)
        for (const auto& entry : on.allowed().unused(played))
            stale += "\n  " + entry;
    INFO("allowed differences that nobody needs:" << stale);
    CHECK(stale.empty());
}

} // namespace

TEST_CASE("every scenario leaves the same keys, events and answers as BullMQ 6.7.0",
          "[interop][differential]") {
    play_all(side::library::node6, "allowed.json");
}

TEST_CASE("every common scenario leaves the same keys, events and answers as BullMQ 5.81.5",
          "[interop][differential]") {
    play_all(side::library::node5, "allowed_5.json");
}

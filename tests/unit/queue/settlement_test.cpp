#include "backoff.hpp"
#include "settlement.hpp"

#include <tiktrend/base/error.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/queue/error.hpp>

#include <boost/asio/error.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::queue {
namespace {

using namespace std::chrono_literals;
using kind = settlement::kind;

struct situation {
    situation() {
        options.attempts = 3;
        rules.random = &random;
        rules.now_ms = 1'000'000;
    }
    job_record job;
    stored_options options;
    settlement_rules rules;
    default_random random{1};

    template <class E>
    settlement thrown(E e) {
        return settle_error(job, options, std::make_exception_ptr(std::move(e)), rules);
    }
};

TEST_CASE("a value completes the job, under the policy of the job or else of the worker", "[unit][queue]") {
    situation s;
    s.rules.remove_on_complete = keep_policy::newest(9);
    CHECK(settle_value("", s.options, s.rules).value == "null");
    CHECK(settle_value("[1]", s.options, s.rules).value == "[1]");
    CHECK(settle_value("1", s.options, s.rules).keep == keep_policy::newest(9));
    s.options.remove_on_complete = keep_policy::all();
    CHECK(settle_value("1", s.options, s.rules).keep == keep_policy::all());
}

TEST_CASE("an error leaves attempts or ends them", "[unit][queue]") {
    situation s;
    auto r = s.thrown(std::runtime_error("boom"));
    CHECK(r.what == kind::wait); // without back-off: now
    CHECK(r.value == "boom");
    CHECK(r.stack == "[\"boom\"]");

    s.options.backoff = backoff_options{"exponential", 1s, 0};
    s.job.attempts_made = 1;
    r = s.thrown(std::runtime_error("boom"));
    CHECK(r.what == kind::delayed);
    CHECK(r.argument == 2000);
    CHECK(r.spends_attempt);

    s.job.attempts_made = 2;
    r = s.thrown(std::runtime_error("boom"));
    CHECK(r.what == kind::failed);
    CHECK(r.argument == 3); // attempts allowed: tells whether they are exhausted

    s.options.attempts = 0;
    s.job.attempts_made = 0;
    CHECK(s.thrown(std::runtime_error("boom")).what == kind::failed);
}

TEST_CASE("started too often ends the attempts too", "[unit][queue]") {
    situation s;
    s.rules.max_started_attempts = 4;
    s.job.attempts_started = 3;
    CHECK(s.thrown(std::runtime_error("x")).what == kind::wait);
    s.job.attempts_started = 4;
    CHECK(s.thrown(std::runtime_error("x")).what == kind::failed);
}

TEST_CASE("the library's own errors mean what their names say", "[unit][queue]") {
    situation s;
    CHECK(s.thrown(unrecoverable_error("no")).what == kind::failed);
    CHECK(s.thrown(released_error("later")).what == kind::release);
    auto r = s.thrown(delayed_error(1'005'000, "wait"));
    CHECK(r.what == kind::delayed);
    CHECK(r.argument == 5000);
    CHECK_FALSE(r.spends_attempt);
    CHECK(r.stack.empty()); // neither reason nor stack is stored
    CHECK(s.thrown(delayed_error(900'000, "past")).argument == 0);
    CHECK(s.thrown(delayed_error(std::numeric_limits<std::int64_t>::max(), "for ever")).argument ==
          max_delay.count());
}

TEST_CASE("a cancellation gives the job back only if the worker asked for it", "[unit][queue]") {
    situation s;
    const system_error cancelled{make_error_code(boost::asio::error::operation_aborted)};
    CHECK(s.thrown(cancelled).what == kind::wait);
    s.rules.is_giving_back = true;
    CHECK(s.thrown(cancelled).what == kind::release);
    CHECK(s.thrown(std::runtime_error("real failure")).what == kind::wait);
}

TEST_CASE("a job cancelled by id fails with the reason given, however it ends", "[unit][queue]") {
    situation s;
    s.rules.cancelled_because = "user asked";
    const auto r = s.thrown(released_error("x"));
    CHECK(r.what == kind::failed);
    CHECK(r.value == "user asked");
}

TEST_CASE("a custom back-off decides for its type", "[unit][queue]") {
    situation s;
    s.options.backoff = backoff_options{"mine", 0ms, 0};
    CHECK(s.thrown(std::runtime_error("x")).what == kind::failed); // nobody knows the type
    s.job.id = "7";
    const backoff_strategy custom = [](const failed_attempt& a) {
        CHECK(a.type == "mine");
        CHECK(a.job.id == "7");
        CHECK(a.job.attempts_made == a.attempts_made - 1);
        if (!a.error) return 7ms;
        try {
            std::rethrow_exception(a.error);
        } catch (const std::out_of_range&) { // what was thrown is told, not its text alone
            return 99ms;
        } catch (const std::exception& e) {
            CHECK(e.what() == a.message);
        }
        return a.message == "stop"  ? -1ms
               : a.message == "now" ? 0ms
                                    : std::chrono::milliseconds{a.attempts_made * 10};
    };
    s.rules.custom_backoff = &custom;
    s.job.attempts_made = 1;
    CHECK(s.thrown(std::runtime_error("x")).argument == 20);
    CHECK(s.thrown(std::runtime_error("now")).what == kind::wait);
    CHECK(s.thrown(std::runtime_error("stop")).what == kind::failed);
    CHECK(s.thrown(std::out_of_range("far")).argument == 99);
    CHECK(settle_failed_attempt(s.job, s.options, "not JSON", s.rules).argument == 7);
    const backoff_strategy endless = [](const failed_attempt&) { return std::chrono::milliseconds::max(); };
    s.rules.custom_backoff = &endless;
    CHECK(s.thrown(std::runtime_error("x")).argument == 315'360'000'000);
}

TEST_CASE("stack texts are kept oldest first, up to the job's limit", "[unit][queue]") {
    situation s;
    s.job.stacktrace = {"a", "b"};
    CHECK(s.thrown(std::runtime_error("c")).stack == R"(["a","b","c"])");
    s.options.stack_trace_limit = 2;
    CHECK(s.thrown(std::runtime_error("c")).stack == R"(["b","c"])");
    s.options.stack_trace_limit = 1;
    CHECK(s.thrown(std::runtime_error("c")).stack == R"(["c"])");
    s.options.stack_trace_limit = 0;
    CHECK(s.thrown(std::runtime_error("c")).stack == "[]");
}

TEST_CASE("a reason is always text that other clients can read", "[unit][queue]") {
    situation s;
    const auto r = s.thrown(std::runtime_error("bad \xff byte"));
    CHECK(r.value == "bad \xef\xbf\xbd byte");
}

} // namespace
} // namespace tiktrend::queue

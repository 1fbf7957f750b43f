#include <tiktrend/redis/error.hpp>

#include <catch2/catch.hpp>

namespace redis = tiktrend::redis;
using redis::errc;

TEST_CASE("the first word of an error reply tells what it says about the service", "[unit][redis]") {
    struct row {
        std::string_view text;
        std::optional<errc> expected;
    };
    const auto r = GENERATE(
        row{"LOADING Redis is loading the dataset in memory", errc::not_ready},
        row{"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            errc::not_ready},
        row{"READONLY You can't write against a read only replica.", errc::not_ready},
        row{"CLUSTERDOWN The cluster is down", errc::not_ready},
        row{"UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
            errc::not_ready},
        row{"OOM command not allowed when used memory > 'maxmemory'. script: 3a, on @user_script:1.",
            errc::refused},
        row{"MISCONF Redis is configured to save RDB snapshots", errc::refused},
        row{"NOREPLICAS Not enough good replicas to write.", errc::refused},
        row{"BUSY Redis is busy running a script.", errc::refused},
        row{"NOAUTH Authentication required.", errc::access_denied},
        row{"WRONGPASS invalid username-password pair or user is disabled.", errc::access_denied},
        row{"NOPERM this user has no permissions to run the 'get' command", errc::access_denied},
        row{"DENIED Redis is running in protected mode", errc::access_denied},
        row{"BUSYGROUP Consumer Group name already exists", std::nullopt},
        row{"BUSYKEY Target key name already exists.", std::nullopt},
        row{"WRONGTYPE Operation against a key holding the wrong kind of value", std::nullopt},
        row{"NOSCRIPT No matching script. Please use EVAL.", std::nullopt}, row{"ERR LOADING", std::nullopt},
        row{"OOM", errc::refused}, row{"", std::nullopt},
        // A script's call as Redis 6.2 tells it.
        row{"ERR Error running script (call to f_4b2a): @user_script:3: @user_script: 3: -READONLY You can't "
            "write against a read only replica. ",
            errc::not_ready},
        row{"ERR Error running script (call to f_4b2a): @user_script:3: @user_script: 3: -OOM command not "
            "allowed when used memory > 'maxmemory'. ",
            errc::refused},
        row{"ERR Error running script (call to f_4b2a): @user_script:3: @user_script: 3: -WRONGTYPE "
            "Operation "
            "against a key holding the wrong kind of value ",
            std::nullopt},
        row{"ERR Error running script (call to f_4b2a): @user_script:9: attempt to index a nil value",
            std::nullopt});
    CAPTURE(r.text);
    const auto code = redis::classify(r.text);
    if (r.expected)
        CHECK(code == *r.expected);
    else
        CHECK_FALSE(code.failed());
}

TEST_CASE("only outcomes without an execution count as certainly not executed", "[unit][redis]") {
    for (const auto e :
         {errc::not_connected, errc::too_many_waiting, errc::not_ready, errc::refused, errc::access_denied})
        CHECK(redis::is_certainly_not_executed(e));
    for (const auto e : {errc::connection_lost, errc::timed_out, errc::protocol_error})
        CHECK_FALSE(redis::is_certainly_not_executed(e));
    CHECK(redis::is_certainly_not_executed(tiktrend::errc::stopped));
    CHECK_FALSE(redis::is_certainly_not_executed(tiktrend::errc::timed_out));
}

TEST_CASE("a server error carries the address and the server's words", "[unit][redis]") {
    const redis::server_error e{errc::refused, "redis://host:1", "OOM no"};
    CHECK(e.text() == "OOM no");
    CHECK(std::string{e.what()}.find("redis://host:1: OOM no") != std::string::npos);
}

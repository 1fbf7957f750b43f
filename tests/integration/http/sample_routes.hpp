#pragma once
#include <tiktrend/http/router.hpp>

namespace tiktrend::testing {

/// Handlers that the server's tests share: GET /hello, POST /echo, GET /items/{id}, /big (3 MB), /slow?ms=n
/// (waits n ms, notes a cancellation in sample_counters), /events (server-sent, one every 10 ms until the
/// stream ends), /three (three events).
http::router sample_routes();

/// What the sample handlers saw. Written by the server's thread, read by the test's.
struct sample_counters {
    static int slow_cancelled();
    static int streams_ended();
    static void reset();
};

constexpr std::size_t big_size = 3'000'000;

} // namespace tiktrend::testing

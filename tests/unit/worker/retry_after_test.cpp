#include "crawl/retry_after.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::worker;
using namespace std::chrono_literals;

TEST_CASE("bad input 39: Retry-After is read as seconds or a date, capped, and ignored otherwise",
          "[unit][worker]") {
    constexpr std::int64_t now = 784'111'777'000; // Sun, 06 Nov 1994 08:49:37 GMT
    const auto read = [](std::string_view text) { return parse_retry_after(text, now, 1h); };
    struct row {
        const char* text;
        std::optional<std::chrono::milliseconds> expected;
    };
    const row table[] = {
        {"0", 0ms},
        {"7", 7s},
        {" 7 ", 7s},
        {"3599", 3599s},
        {"3600", 1h},
        {"99999999", 1h},
        {"99999999999999999999999999", 1h},
        {"Sun, 06 Nov 1994 08:50:07 GMT", 30s},
        {"Sunday, 06-Nov-94 08:50:07 GMT", 30s},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0ms},
        {"Sat, 05 Nov 1994 08:49:37 GMT", 0ms},
        {"Fri, 06 Nov 2094 08:49:37 GMT", 1h},
        {"soon", std::nullopt},
        {"", std::nullopt},
        {"-5", std::nullopt},
        {"1.5", std::nullopt},
        {"10s", std::nullopt},
    };
    for (const auto& r : table) {
        INFO(r.text);
        CHECK(read(r.text) == r.expected);
    }
}

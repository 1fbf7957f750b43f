// A private part: what it refuses decides whether two readers of one byte stream can disagree.
#include "head_scanner.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace tiktrend::http;
using verdict = head_scanner::verdict;

namespace {

constexpr head_scanner::limits small{100, 200, 5};

/// Feeds `bytes` in pieces of `step`; the status of the refusal, 0 for a complete head, -1 if it wants more.
int scan(const std::string& bytes, std::size_t step, std::size_t* head_size = nullptr,
         std::size_t* skipped = nullptr) {
    head_scanner s{small};
    for (std::size_t end = 0; end < bytes.size();) {
        end = std::min(bytes.size(), end + step);
        switch (s.scan(std::string_view{bytes}.substr(0, end))) {
        case verdict::refused:
            return s.why().status;
        case verdict::complete:
            if (head_size) *head_size = s.head_size();
            if (skipped) *skipped = s.skipped();
            return 0;
        case verdict::more:
            break;
        }
    }
    return -1;
}

} // namespace

TEST_CASE("a head ends at its empty line however it arrives", "[unit][http]") {
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    for (std::size_t step = 1; step <= head.size() + 5; ++step) {
        std::size_t size = 0, skipped = 9;
        CHECK(scan(head + "body\r\n", step, &size, &skipped) == 0);
        CHECK(size == head.size());
        CHECK(skipped == 0);
        CHECK(scan("\r\n" + head, step, &size, &skipped) == 0);
        CHECK(size == head.size() + 2);
        CHECK(skipped == 2);
        CHECK(scan(head.substr(0, head.size() - 1), step) == -1);
    }
}

TEST_CASE("line ends and folds that readers take differently are refused", "[unit][http]") {
    for (std::size_t step : {1U, 3U, 1000U}) {
        CHECK(scan("GET / HTTP/1.1\nHost: a\r\n\r\n", step) == 400);
        CHECK(scan("GET / HTTP/1.1\r\nHost: a\n\r\n", step) == 400);
        CHECK(scan("GET / HTTP/1.1\r\nHost: a\r\n\n", step) == 400);
        CHECK(scan("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", step) == 400);
        CHECK(scan("GET / HTTP/1.1\r\n X: a\r\n\r\n", step) == 400);
        CHECK(scan("GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n", step) == 400);
        CHECK(scan("\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", step) == 400);
        CHECK(scan("\n", step) == 400);
    }
}

TEST_CASE("limits hold before the line or head is complete", "[unit][http]") {
    for (std::size_t step : {1U, 7U, 100'000U}) {
        const std::string line = "GET /" + std::string(99, 'a') + " HTTP/1.1\r\n";
        CHECK(scan(line + "\r\n", step) == 0);
        CHECK(scan("GET /" + std::string(100, 'a') + " HTTP/1.1\r\n\r\n", step) == 414);
        CHECK(scan("GET /" + std::string(5000, 'a'), step) == 414);
        CHECK(scan(std::string(5000, 'a'), step) == 414);
        const std::string request = "GET / HTTP/1.1\r\n";
        CHECK(scan(request + "A: " + std::string(195, 'b') + "\r\n\r\n", step) == 0);
        CHECK(scan(request + "A: " + std::string(196, 'b') + "\r\n\r\n", step) == 431);
        CHECK(scan(request + "A: " + std::string(5000, 'b'), step) == 431);
        std::string fields;
        for (int i = 0; i < 5; ++i)
            fields += "A: b\r\n";
        CHECK(scan(request + fields + "\r\n", step) == 0);
        CHECK(scan(request + fields + "A: b\r\n\r\n", step) == 431);
    }
}

// Private parts: mutated requests through head_scanner and request_parser, whole and in pieces. Whatever the
// bytes, reading them in pieces must come to the same end, and no assertion (ours, Beast's, the sanitizers')
// may fail.
#include "head_scanner.hpp"
#include "request_parser.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

using namespace tiktrend::http;

namespace {

/// What became of the bytes: the requests read, and how it ended.
struct outcome {
    std::string text;
    bool operator==(const outcome&) const = default;
};

constexpr std::size_t max_body = 1000;

/// Reads as connection does; `next_size` says how many bytes arrive each time.
template <class NextSize>
outcome read(const std::string& bytes, NextSize next_size) {
    outcome out;
    head_scanner scanner{{200, 2000, 20}};
    request_parser parser;
    request r;
    std::string buffer;
    std::size_t arrived = 0;
    bool in_body = false;
    for (;;) {
        refusal no;
        bool need_more = false;
        if (!in_body) {
            switch (scanner.scan(buffer)) {
            case head_scanner::verdict::refused:
                no = scanner.why();
                break;
            case head_scanner::verdict::more:
                need_more = true;
                break;
            case head_scanner::verdict::complete: {
                const auto head = buffer.substr(scanner.skipped(), scanner.head_size() - scanner.skipped());
                r.reset();
                no = parser.parse_head(head, r, max_body);
                buffer.erase(0, scanner.head_size());
                scanner.reset();
                in_body = !no;
            }
            }
        }
        if (in_body && !no) {
            std::size_t used = 0;
            if (!parser.is_done()) no = parser.parse_body(buffer, used);
            buffer.erase(0, used);
            if (!no && parser.is_done()) {
                out.text += r.method_text + " " + r.target + " " + std::to_string(r.headers.size()) + " [" +
                            r.body + "]\n";
                in_body = false;
                continue;
            }
            need_more = true;
        }
        if (no) {
            // Where a request breaks two rules, which one is named may depend on what had arrived.
            out.text += "refused";
            return out;
        }
        if (!need_more) continue;
        if (arrived == bytes.size()) {
            out.text += "wants more";
            return out;
        }
        const auto n = std::min(next_size(), bytes.size() - arrived);
        buffer.append(bytes, arrived, n);
        arrived += n;
    }
}

const std::vector<std::string> seeds{
    "GET /hello?x=%20 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=\"b;c\"\r\n "
    "world\r\n0\r\nT: x\r\n\r\n",
    "POST /e HTTP/1.0\r\nConnection: keep-alive, x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
    "GET http://a/b?c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
};
const std::vector<std::string> pieces{"\r\n",
                                      "\n",
                                      "\r",
                                      " ",
                                      "\t",
                                      ":",
                                      "0",
                                      "ffffffffffffffff",
                                      "-1",
                                      std::string(1, '\0'),
                                      "\xff",
                                      ";",
                                      "\"",
                                      ",",
                                      "Content-Length: 5\r\n",
                                      "Transfer-Encoding: chunked\r\n",
                                      "\r\n\r\n",
                                      "0\r\n\r\n",
                                      "HTTP/1.1",
                                      "%",
                                      "Host: b\r\n",
                                      "chunked"};

std::string mutate(std::mt19937& random) {
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    std::string bytes = seeds[below(seeds.size())] + seeds[below(seeds.size())];
    for (auto times = below(4); times > 0; --times) {
        const auto at = below(bytes.size());
        switch (below(4)) {
        case 0:
            bytes.insert(at, pieces[below(pieces.size())]);
            break;
        case 1:
            bytes.erase(at, 1 + below(5));
            break;
        case 2:
            bytes[at] = static_cast<char>(random());
            break;
        case 3:
            bytes.insert(at, bytes.substr(at, below(20)));
            break;
        }
    }
    return bytes;
}

std::string printable(const std::string& bytes) {
    std::string out;
    for (const char c : bytes)
        if (c >= ' ' && c < 127)
            out += c;
        else
            out += "\\x" + std::string{"0123456789abcdef"[(c >> 4) & 15]} + "0123456789abcdef"[c & 15];
    return out;
}

} // namespace

TEST_CASE("requests are read the same whole and in pieces, whatever their bytes", "[unit][http]") {
    std::mt19937 random{20260101};
    std::size_t whole_requests = 0, refused = 0;
    for (int i = 0; i < 30'000; ++i) {
        const auto bytes = mutate(random);
        const auto whole = read(bytes, [] { return std::size_t{1'000'000}; });
        const auto by_byte = read(bytes, [] { return std::size_t{1}; });
        const auto by_chance = read(bytes, [&] { return std::size_t{1} + random() % 20; });
        if (!(whole == by_byte && whole == by_chance)) {
            INFO(printable(bytes));
            CHECK(whole.text == by_byte.text);
            CHECK(whole.text == by_chance.text);
        }
        whole_requests += whole.text.find(']') != std::string::npos ? 1 : 0;
        refused += whole.text.find("refused") != std::string::npos ? 1 : 0;
    }
    CHECK(whole_requests > 10'000); // the mutations leave enough alive, and break enough
    CHECK(refused > 5'000);
}

TEST_CASE("a body of too many bytes is refused however it is framed", "[unit][http]") {
    const auto all = [] { return std::size_t{1'000'000}; };
    const std::string length = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ";
    CHECK(read(length + "1000\r\n\r\n" + std::string(1000, 'x'), all).text.find("refused") ==
          std::string::npos);
    CHECK(read(length + "1001\r\n\r\n" + std::string(1001, 'x'), all).text == "refused");
    std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 10; ++i)
        chunked += "64\r\n" + std::string(100, 'x') + "\r\n";
    CHECK(read(chunked + "0\r\n\r\n", all).text.find("refused") == std::string::npos);
    CHECK(read(chunked + "1\r\nx\r\n0\r\n\r\n", all).text == "refused");
}

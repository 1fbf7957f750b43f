#include "reply_reader.hpp"

#include <tiktrend/redis/error.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace std::string_literals;
using redis::reply;

namespace {

constexpr std::size_t limit = 1U << 20;

/// The reply as text: what a test compares.
std::string show(reply::view v) {
    switch (v.type()) {
    case reply::kind::nil:
        return "nil";
    case reply::kind::status:
        return "+" + std::string{v.text()};
    case reply::kind::error:
        return "-" + std::string{v.text()};
    case reply::kind::integer:
        return ":" + std::to_string(v.integer());
    case reply::kind::string:
        return "\"" + std::string{v.text()} + "\"";
    case reply::kind::array:
        break;
    }
    std::string out = "[";
    for (std::size_t i = 0; i < v.size(); ++i)
        out += (i ? "," : "") + show(v[i]);
    return out + "]";
}

/// Everything that comes out of `pieces`, fed one by one; "!" marks a broken stream.
std::vector<std::string> read_all(const std::vector<std::string_view>& pieces, std::size_t max = limit) {
    redis::reply_reader reader{max};
    std::vector<std::string> out;
    for (const auto p : pieces) {
        reader.feed(p);
        reply r;
        error_code ec;
        while (reader.next(r, ec))
            out.push_back(show(r.root()));
        if (ec) {
            CHECK(ec == redis::errc::protocol_error);
            CHECK_FALSE(reader.message().empty());
            out.push_back("!");
            break;
        }
    }
    return out;
}

const std::string all_kinds = "+OK\r\n-ERR no\r\n:-42\r\n$-1\r\n*-1\r\n$0\r\n\r\n*0\r\n$7\r\na\r\nb\0c\0\r\n"
                              "*4\r\n:1\r\n*2\r\n+x\r\n$-1\r\n$3\r\nabc\r\n*1\r\n*0\r\n:9\r\n"s;
const std::vector<std::string> all_kinds_read{
    "+OK", "-ERR no", ":-42", "nil", "nil", "\"\"", "[]", "\"a\r\nb\0c\0\""s, "[:1,[+x,nil],\"abc\",[[]]]",
    ":9"};

} // namespace

TEST_CASE("every kind of reply is read", "[unit][redis]") {
    CHECK(read_all({all_kinds}) == all_kinds_read);
}

TEST_CASE("replies are the same wherever the bytes are split", "[unit][redis]") {
    const std::string_view bytes = all_kinds;
    for (std::size_t at = 1; at < bytes.size(); ++at) {
        CAPTURE(at);
        CHECK(read_all({bytes.substr(0, at), bytes.substr(at)}) == all_kinds_read);
    }
}

TEST_CASE("replies are the same when bytes come one by one", "[unit][redis]") {
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < all_kinds.size(); ++i)
        pieces.push_back(std::string_view{all_kinds}.substr(i, 1));
    CHECK(read_all(pieces) == all_kinds_read);
}

TEST_CASE("a reply outlives its reader and its copies share it", "[unit][redis]") {
    reply kept;
    {
        redis::reply_reader reader{limit};
        reader.feed("*2\r\n$5\r\nhello\r\n:7\r\n");
        error_code ec;
        reply r;
        REQUIRE(reader.next(r, ec));
        kept = r;
        reader.feed("$3\r\nnew\r\n");
        REQUIRE(reader.next(r, ec));
    }
    CHECK(kept[0].text() == "hello");
    CHECK(kept[1].integer() == 7);
    CHECK(kept[2].is_nil());
    CHECK(kept[0][0].is_nil());
    CHECK(reply{}.is_nil());
}

TEST_CASE("an array larger than its first allocation is read whole", "[unit][redis]") {
    std::string bytes = "*3000\r\n";
    for (int i = 0; i < 3000; ++i)
        bytes += "$40\r\n" + std::string(34, 'x') + std::to_string(100'000 + i) + "\r\n";
    redis::reply_reader reader{limit};
    reader.feed(bytes);
    reply r;
    error_code ec;
    REQUIRE(reader.next(r, ec));
    REQUIRE(r.size() == 3000);
    for (std::size_t i = 0; i < 3000; ++i)
        REQUIRE(r[i].text() == std::string(34, 'x') + std::to_string(100'000 + i));
}

TEST_CASE("text that is a whole number reads as an integer", "[unit][redis]") {
    redis::reply_reader reader{limit};
    reader.feed("*4\r\n$2\r\n12\r\n$2\r\n1x\r\n$0\r\n\r\n+-3\r\n");
    reply r;
    error_code ec;
    REQUIRE(reader.next(r, ec));
    CHECK(r[0].integer() == 12);
    CHECK(r[1].integer() == 0);
    CHECK(r[2].integer() == 0);
    CHECK(r[3].integer() == -3);
}

TEST_CASE("a broken stream is an error, after the replies before it", "[unit][redis]") {
    const auto bytes = GENERATE("HTTP/1.1 400 Bad Request\r\n\r\n"s, "$abc\r\n"s, "$-2\r\n"s, "*-5\r\n"s,
                                "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"s, "%1\r\n"s);
    CAPTURE(bytes);
    CHECK(read_all({"+OK\r\n" + bytes}) == std::vector<std::string>{"+OK", "!"});
}

TEST_CASE("a reply above the limit is an error before it is complete", "[unit][redis]") {
    SECTION("a long string") {
        const std::string part(600, 'x');
        CHECK(read_all({"$100000\r\n", part, part, part}, 1024) == std::vector<std::string>{"!"});
    }
    SECTION("a short message that announces a huge array") {
        CHECK(read_all({"*2000000000\r\n"}, 1024) == std::vector<std::string>{"!"});
    }
    SECTION("nested arrays that together are huge") {
        std::string bytes = "*10\r\n";
        for (int i = 0; i < 10; ++i) {
            bytes += "*1000\r\n";
            for (int k = 0; k < 1000; ++k)
                bytes += ":1\r\n";
        }
        CHECK(read_all({bytes}, 128U << 10) == std::vector<std::string>{"!"});
    }
    SECTION("many small replies are no large reply") {
        std::string bytes;
        for (int i = 0; i < 1000; ++i)
            bytes += ":1\r\n";
        CHECK(read_all({bytes, bytes}, 1024).size() == 2000);
    }
}

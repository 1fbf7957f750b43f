#include "body_decoder.hpp"

#include <tiktrend/testing/compressed.hpp>
#include <tiktrend/testing/samples.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::fetch;
using tiktrend::testing::compressed;

namespace {

constexpr std::size_t limit = 8U << 20;

struct decoded {
    decode_status status;
    std::string body;
};

decoded decode(std::string_view encoding, std::string_view bytes, std::size_t step = 1000,
               std::size_t max = limit) {
    auto d = body_decoder::make(encoding, max);
    REQUIRE(d.has_value());
    for (std::size_t at = 0; at < bytes.size(); at += step)
        if (const auto s = d->write(bytes.substr(at, step)); s != decode_status::ok) return {s, d->take()};
    return {d->finish(), d->take()};
}

std::string sample_text() {
    std::string text;
    for (int i = 0; i < 20'000; ++i)
        text += "line " + std::to_string(i * 7919 % 10'007) + "\n";
    return text;
}

#define RECORDED(variable, name)                                                                             \
    const auto variable##_file = tiktrend::testing::sample(std::string{"compression/"} + (name));            \
    if (!variable##_file) {                                                                                  \
        WARN("skipped: no recorded samples beside the repository");                                          \
        return;                                                                                              \
    }                                                                                                        \
    const std::string& variable = *variable##_file

} // namespace

TEST_CASE("gzip, zlib and raw deflate come out whole, whatever the pieces", "[unit][fetch]") {
    const auto text = sample_text();
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{1000}, std::size_t{1} << 20}) {
        INFO(step);
        for (const auto& [name, window] :
             {std::pair{"gzip", 31}, {"x-gzip", 31}, {"GZIP", 31}, {"deflate", 15}, {"deflate", -15}}) {
            const auto out = decode(name, compressed(text, window), step);
            CHECK(out.status == decode_status::ok);
            CHECK(out.body == text);
        }
    }
}

/// A zstd frame (RFC 8878 section 3.1.1) of `n` times the letter a, in blocks that say so.
std::string zstd_frame(std::size_t n) {
    constexpr std::size_t most_of_a_block = 128U << 10;
    std::string out{"\x28\xB5\x2F\xFD\x00\x50", 6}; // a window of 1 MiB, no size, no checksum
    do {
        const auto part = std::min(n, most_of_a_block);
        n -= part;
        const auto header = part << 3 | 1U << 1 | (n == 0 ? 1U : 0U); // type 1: one byte repeated
        for (const int shift : {0, 8, 16})
            out += static_cast<char>(header >> shift & 0xFF);
        out += 'a';
    } while (n > 0);
    return out;
}

TEST_CASE("a zstd body is whole however many bytes it has", "[unit][fetch]") {
    for (const std::size_t n : {std::size_t{1}, std::size_t{32} << 10, std::size_t{64} << 10,
                                (std::size_t{64} << 10) + 1, std::size_t{256} << 10}) {
        INFO(n);
        const auto frame = zstd_frame(n);
        for (const std::size_t step : {std::size_t{1}, std::size_t{1000}}) {
            const auto out = decode("zstd", frame, step);
            CHECK(out.status == decode_status::ok);
            CHECK(out.body == std::string(n, 'a'));
            CHECK(decode("zstd", frame + frame, step).body.size() == 2 * n);
        }
        CHECK(decode("zstd", frame.substr(0, frame.size() - 1)).status == decode_status::damaged);
        CHECK(decode("zstd", frame + frame.substr(0, 8)).status == decode_status::damaged);
    }
}

TEST_CASE("layers are undone in reverse, several gzip members are one body", "[unit][fetch]") {
    const auto text = sample_text();
    CHECK(decode("deflate, gzip", compressed(compressed(text, 15), 31)).body == text);
    const auto two = decode("gzip", compressed("one ", 31) + compressed("two", 31), 3);
    CHECK(two.status == decode_status::ok);
    CHECK(two.body == "one two");
    CHECK(decode("gzip", compressed("one", 31) + std::string(10, '\0')).body == "one");
    CHECK(decode("identity", "plain").body == "plain");
    CHECK(decode("", "plain").body == "plain");
}

TEST_CASE("a stream cut anywhere is damaged, never complete", "[unit][fetch]") {
    const auto bytes = compressed(sample_text(), 31);
    for (const std::size_t keep : {std::size_t{1}, std::size_t{5}, std::size_t{12}, bytes.size() / 2,
                                   bytes.size() - 4, bytes.size() - 1}) {
        INFO(keep);
        CHECK(decode("gzip", std::string_view{bytes}.substr(0, keep)).status == decode_status::damaged);
    }
    const auto raw = compressed(sample_text(), -15);
    CHECK(decode("deflate", std::string_view{raw}.substr(0, raw.size() / 2)).status ==
          decode_status::damaged);
    CHECK(decode("deflate", "x").status == decode_status::damaged);
}

TEST_CASE("a wrong checksum is damage, other data is foreign", "[unit][fetch]") {
    auto bytes = compressed(sample_text(), 31);
    bytes[bytes.size() - 6] = static_cast<char>(~bytes[bytes.size() - 6]);
    CHECK(decode("gzip", bytes).status == decode_status::damaged);
    CHECK(decode("gzip", "hello, this is not gzip").status == decode_status::foreign);
    CHECK(decode("zstd", "hello, this is not zstd").status == decode_status::foreign);
    CHECK(decode("br", std::string(200, '\xff')).status == decode_status::foreign);
}

TEST_CASE("an empty body is complete whatever it promised", "[unit][fetch]") {
    for (const char* name : {"gzip", "deflate", "br", "zstd"})
        CHECK(decode(name, "").status == decode_status::ok);
}

TEST_CASE("unknown encodings and a sixth layer are refused", "[unit][fetch]") {
    const auto unknown = body_decoder::make("foo", limit);
    REQUIRE_FALSE(unknown.has_value());
    CHECK(unknown.error() == "unknown Content-Encoding foo");
    CHECK(body_decoder::make("gzip,gzip,gzip,gzip,gzip", limit).has_value());
    const auto six = body_decoder::make("gzip,gzip,gzip,gzip,gzip,gzip", limit);
    REQUIRE_FALSE(six.has_value());
    CHECK(six.error() == "more than five layers of Content-Encoding");
}

TEST_CASE("no layer may give more than the limit", "[unit][fetch]") {
    const std::string zeros(4U << 20, '\0');
    const auto bomb = compressed(zeros, 31);
    CHECK(decode("gzip", bomb, 1000, 1U << 20).status == decode_status::too_large);
    CHECK(decode("gzip", bomb, 1000, 4U << 20).status == decode_status::ok);
    CHECK(decode("", zeros, 4096, 1000).status == decode_status::too_large);
    // The outer layer grows into what the inner one shrinks again: the middle counts too.
    CHECK(decode("gzip,gzip", compressed(compressed(zeros, 31), 31), 100, 1000).status ==
          decode_status::too_large);
}

TEST_CASE("bad input 18: a zstd frame that wants a huge window is refused without getting it",
          "[unit][fetch]") {
    // Magic number, a header without single segment, and a window descriptor of 2 GiB (RFC 8878
    // section 3.1.1).
    const std::string frame{"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9};
    CHECK(decode("zstd", frame).status == decode_status::too_large);
}

TEST_CASE("recorded bombs end at the limit", "[unit][fetch][recorded]") {
    RECORDED(gzip_bomb, "bomb-gzip.bin");
    RECORDED(deflate_bomb, "bomb-deflate.bin");
    CHECK(decode("gzip", gzip_bomb).status == decode_status::too_large);
    CHECK(decode("deflate", deflate_bomb).status == decode_status::too_large);
    const auto all = decode("gzip", gzip_bomb, 4096, 16U << 20);
    CHECK(all.status == decode_status::ok);
    CHECK(all.body.size() == 11'511'612);
}

TEST_CASE("recorded pages in gzip, brotli and zstd are the same page", "[unit][fetch][recorded]") {
    RECORDED(gzip, "html-gzip.bin");
    RECORDED(brotli, "html-br.bin");
    RECORDED(zstd, "html-zstd-static-content-size.bin");
    const auto page = decode("gzip", gzip);
    CHECK(page.status == decode_status::ok);
    CHECK(page.body.size() == 74'837);
    for (const std::size_t step : {std::size_t{1}, std::size_t{997}, std::size_t{1} << 20}) {
        const auto from_brotli = decode("br", brotli, step);
        CHECK(from_brotli.status == decode_status::ok);
        CHECK(from_brotli.body.size() == 74'837);
        const auto from_zstd = decode("zstd", zstd, step);
        CHECK(from_zstd.status == decode_status::ok);
        CHECK(from_zstd.body.size() == 74'837);
    }
    CHECK(decode("br", brotli.substr(0, brotli.size() / 2)).status == decode_status::damaged);
    CHECK(decode("zstd", zstd.substr(0, zstd.size() / 2)).status == decode_status::damaged);
}

TEST_CASE("the recorded cut gzip file is damaged", "[unit][fetch][recorded]") {
    RECORDED(cut, "truncated-crc-error-short.gz");
    CHECK(decode("gzip", cut).status == decode_status::damaged);
}

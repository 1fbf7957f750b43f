#include <tiktrend/http/compression.hpp>
#include <tiktrend/http/problem.hpp>

#include <catch2/catch.hpp>
#include <zlib.h>

using namespace tiktrend::http;

namespace {

std::string gunzip(const std::string& bytes) {
    z_stream z{};
    REQUIRE(inflateInit2(&z, 15 + 16) == Z_OK);
    std::string in = bytes, out(1'000'000, '\0');
    z.next_in = reinterpret_cast<Bytef*>(in.data());
    z.avail_in = static_cast<uInt>(in.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    REQUIRE(inflate(&z, Z_FINISH) == Z_STREAM_END);
    out.resize(z.total_out);
    inflateEnd(&z);
    return out;
}

constexpr auto plain = content_coding::identity;
constexpr auto zipped = content_coding::gzip;

} // namespace

TEST_CASE("Accept-Encoding is read with its weights", "[unit][http]") {
    const struct {
        const char* field;
        std::optional<content_coding> chosen;
    } cases[] = {
        {"gzip", zipped},
        {"", plain},
        {"br", plain},
        {"GZIP", zipped},
        {"x-gzip", zipped},
        {"gzip, deflate, br, zstd", zipped},
        {"gzip;q=0", plain},
        {"gzip;q=0.000", plain},
        {"gzip;q=0.001", zipped},
        {"gzip ; q=0.5 , identity", plain},
        {"gzip;q=0.5, identity;q=0.4", zipped},
        {"gzip;q=0.5, identity;q=0.5", zipped},
        {"*", zipped},
        {"*;q=0", std::nullopt},
        {"*;q=0, gzip", zipped},
        {"*;q=0, identity;q=0.1", plain},
        {"identity;q=0", std::nullopt},
        {"identity;q=0, br", std::nullopt},
        {"identity;q=0, gzip;q=0.1", zipped},
        {"gzip;q=2", plain}, // malformed weights count as not listed
        {"gzip;q=abc", plain},
        {"gzip;q=1.5", plain},
    };
    for (const auto& c : cases) {
        INFO(c.field);
        CHECK(choose_coding(std::string_view{c.field}) == c.chosen);
    }
    headers none;
    CHECK(choose_coding(none) == plain);
    headers several;
    several.add("Accept-Encoding", "br");
    several.add("accept-encoding", "gzip");
    CHECK(choose_coding(several) == zipped);
}

TEST_CASE("gzip gives back what it was given", "[unit][http]") {
    CHECK(gunzip(gzip("")).empty());
    std::string text;
    for (int i = 0; i < 20'000; ++i)
        text += std::to_string(i * 7919 % 1000);
    const auto small = gzip(text);
    CHECK(small.size() < text.size() / 2);
    CHECK(gunzip(small) == text);
}

TEST_CASE("a response is compressed when it pays and is wanted", "[unit][http]") {
    request wants, plain_only, neither;
    wants.headers.add("Accept-Encoding", "gzip");
    neither.headers.add("Accept-Encoding", "*;q=0");
    const std::string body(2000, 'a');

    auto r = response::json(200, body);
    r.headers.add("ETag", "\"abc\"");
    compress(wants, r);
    CHECK(gunzip(r.body) == body);
    CHECK(r.headers.get("Content-Encoding") == "gzip");
    CHECK(r.headers.get("Vary") == "Accept-Encoding");
    CHECK(r.headers.get("ETag") == "\"abc-gz\"");

    auto weak = response::json(200, body);
    weak.headers.add("ETag", "W/\"abc\"");
    weak.headers.add("Vary", "Origin");
    compress(wants, weak);
    CHECK(weak.headers.get("ETag") == "W/\"abc\"");
    CHECK(weak.headers.get("Vary") == "Origin, Accept-Encoding");

    auto untouched = response::json(200, body);
    compress(plain_only, untouched);
    CHECK(untouched.body == body);
    CHECK(untouched.headers.get("Vary") == "Accept-Encoding");

    auto small = response::json(200, std::string(least_gzip_bytes - 1, 'a'));
    compress(wants, small);
    CHECK_FALSE(small.headers.has("Content-Encoding"));

    auto image = response::text(200, body, "image/png");
    compress(wants, image);
    CHECK(image.body == body);
    CHECK_FALSE(image.headers.has("Vary"));

    auto refused = response::json(200, body);
    CHECK_THROWS_AS(compress(neither, refused), problem);
    auto error = response::json(404, body);
    CHECK_NOTHROW(compress(neither, error));
}

#include <tiktrend/cache/entry.hpp>

#include <catch2/catch.hpp>
#include <zlib.h>

using namespace tiktrend::cache;

namespace {

std::string unzip(const std::string& bytes) {
    z_stream z{};
    REQUIRE(inflateInit2(&z, MAX_WBITS + 16) == Z_OK);
    std::string out(1U << 20, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    const auto status = inflate(&z, Z_FINISH);
    out.resize(z.total_out);
    inflateEnd(&z);
    CHECK(status == Z_STREAM_END);
    return out;
}

} // namespace

TEST_CASE("a body worth it is kept compressed as well", "[unit][cache]") {
    std::string body;
    for (int i = 0; i < 500; ++i)
        body += R"({"id":)" + std::to_string(i) + R"(,"title":"a thing"},)";
    const auto e = make_entry(body, true, 7, 1000);
    CHECK(e->body == body);
    CHECK(e->gzip.size() < body.size() / 4);
    CHECK(unzip(e->gzip) == body);
    CHECK(*gzip_of(e) == e->gzip);
    CHECK(e->lsn == 7);
    CHECK(e->filled_at_ms == 1000);
}

TEST_CASE("small or incompressible bodies are kept plain only", "[unit][cache]") {
    CHECK(make_entry(std::string(1023, 'a'), true, 0, 0)->gzip.empty());
    CHECK_FALSE(make_entry(std::string(1024, 'a'), true, 0, 0)->gzip.empty());
    std::string noise;
    std::uint32_t x = 1;
    for (int i = 0; i < 4096; ++i)
        noise += static_cast<char>((x = x * 1664525U + 1013904223U) >> 24);
    CHECK(make_entry(noise, true, 0, 0)->gzip.empty());
    CHECK(gzip_of(make_entry("", false, 0, 0)) == nullptr);
}

TEST_CASE("the ETag is weak, quoted and follows the body", "[unit][cache]") {
    const auto a = make_entry("one", true, 1, 1);
    CHECK(a->etag.starts_with("W/\""));
    CHECK(a->etag.ends_with('"'));
    CHECK(a->etag == make_entry("one", true, 2, 2)->etag);
    CHECK(a->etag != make_entry("two", true, 1, 1)->etag);
}

TEST_CASE("bytes given to a response keep the answer alive", "[unit][cache]") {
    std::shared_ptr<const std::string> body;
    std::weak_ptr<const entry> watched;
    {
        const auto e = make_entry("text", true, 0, 0);
        watched = e;
        body = body_of(e);
    }
    CHECK(*body == "text");
    CHECK_FALSE(watched.expired());
    body.reset();
    CHECK(watched.expired());
}

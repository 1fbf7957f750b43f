#include <tiktrend/base/digest.hpp>
#include <tiktrend/cache/entry.hpp>

#include <fmt/format.h>
#include <zlib.h>

#include <stdexcept>

namespace tiktrend::cache {
namespace {

/// gzip format (RFC 1952). Empty if the result would not be smaller.
std::string compress(std::string_view plain) {
    z_stream z{};
    constexpr int gzip_format = 16;
    // This runs on the thread that serves requests: large bodies get the fast level.
    const int level = plain.size() > (64U << 10) ? Z_BEST_SPEED : 6;
    if (deflateInit2(&z, level, Z_DEFLATED, MAX_WBITS + gzip_format, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::runtime_error("zlib does not start");
    std::string out(plain.size(), '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data())); // zlib does not write there
    z.avail_in = static_cast<uInt>(plain.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    const bool smaller = deflate(&z, Z_FINISH) == Z_STREAM_END;
    out.resize(smaller ? z.total_out : 0);
    deflateEnd(&z);
    out.shrink_to_fit();
    return out;
}

/// Weak (RFC 9110 section 8.8.1), because the plain and the compressed form share it.
std::string make_etag(std::string_view body) {
    return fmt::format("W/\"{}\"", to_hex(bytes_of(sha256(body)).substr(0, 12)));
}

} // namespace

std::shared_ptr<const std::string> body_of(const entry_ptr& e) {
    return {e, &e->body};
}

std::shared_ptr<const std::string> gzip_of(const entry_ptr& e) {
    if (e->gzip.empty()) return nullptr;
    return {e, &e->gzip};
}

entry_ptr make_entry(std::string body, bool found, std::uint64_t lsn, std::int64_t filled_at_ms,
                     std::size_t compress_from, std::int64_t fresh_until_ms) {
    auto e = std::make_shared<entry>();
    if (body.size() >= compress_from) e->gzip = compress(body);
    e->etag = make_etag(body);
    e->body = std::move(body);
    e->lsn = lsn;
    e->filled_at_ms = filled_at_ms;
    e->fresh_until_ms = fresh_until_ms;
    e->found = found;
    return e;
}

} // namespace tiktrend::cache

#include "documents/gunzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace tiktrend::sources {

bool is_gzip(std::string_view bytes) noexcept {
    return bytes.starts_with("\x1F\x8B\x08");
}

std::optional<std::string> gunzip(std::string_view bytes, std::size_t most) {
    if (bytes.size() > (1U << 30)) return std::nullopt;
    z_stream stream{};
    constexpr int with_gzip_header = 16 + MAX_WBITS;
    if (inflateInit2(&stream, with_gzip_header) != Z_OK) return std::nullopt;
    std::string in{bytes}; // zlib wants a pointer that is not const
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    std::string out;
    std::array<char, 32 * 1024> chunk;
    int code = Z_OK;
    while (code == Z_OK && out.size() <= most) {
        stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
        stream.avail_out = static_cast<uInt>(chunk.size());
        code = inflate(&stream, Z_NO_FLUSH);
        out.append(chunk.data(), chunk.size() - stream.avail_out);
    }
    inflateEnd(&stream);
    if (code != Z_STREAM_END || out.size() > most) return std::nullopt;
    return out;
}

} // namespace tiktrend::sources

#pragma once
// For tests that link ZLIB::ZLIB.
#include <zlib.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace tiktrend::testing {

/// `text` in zlib's forms. `window`: 31 gzip, 15 zlib, -15 raw deflate.
inline std::string compressed(std::string_view text, int window = 31) {
    z_stream z{};
    if (deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::runtime_error{"deflateInit2"};
    std::string out(deflateBound(&z, text.size()) + 64, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    const auto status = deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    deflateEnd(&z);
    if (status != Z_STREAM_END) throw std::runtime_error{"deflate"};
    return out;
}

} // namespace tiktrend::testing

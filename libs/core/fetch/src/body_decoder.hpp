#pragma once
#include <tiktrend/base/error.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::fetch {

enum class decode_status {
    ok,
    too_large, ///< some layer gave more than the limit, or wants a window larger than 8 MiB
    damaged,   ///< cut off, wrong checksum, broken in the middle
    foreign,   ///< was never of this encoding
};

/// Undoes Content-Encoding as the bytes arrive. libcurl 7.88 can do that too, but it calls a gzip, brotli or
/// zstd stream that ends early a success (measured), and that must not pass as a complete page.
///
/// Memory is bounded: output goes on in pieces of 32 KiB, and no layer may give more than the limit.
class body_decoder {
public:
    /// `content_encoding` as in the header ("gzip", "deflate, br"). The error says what is wrong with it.
    static result<body_decoder, std::string> make(std::string_view content_encoding, std::size_t max_bytes);
    body_decoder(body_decoder&&) noexcept;
    body_decoder& operator=(body_decoder&&) noexcept;
    ~body_decoder();

    decode_status write(std::string_view raw);
    /// After the last byte: `damaged` if a layer still waits for more.
    decode_status finish();

    /// Room for a body of `bytes` and the padding that parsers like to have behind it; not much on a mere
    /// promise.
    void reserve(std::size_t bytes) { body_.reserve(std::min(bytes, std::size_t{1} << 20) + 64); }
    bool has_layers() const noexcept { return !layers_.empty(); }

    std::uint64_t received() const noexcept { return received_; }
    const std::string& body() const noexcept { return body_; }
    std::string take() noexcept { return std::move(body_); }

    class layer;

private:
    explicit body_decoder(std::size_t max_bytes);
    decode_status pass(std::size_t depth, std::string_view bytes);

    std::size_t max_bytes_;
    std::vector<std::unique_ptr<layer>> layers_; ///< in the order of undoing
    std::uint64_t received_ = 0;
    std::string body_;
};

} // namespace tiktrend::fetch

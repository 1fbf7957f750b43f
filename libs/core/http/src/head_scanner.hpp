#pragma once
#include <cstddef>
#include <string_view>

namespace tiktrend::http {

/// A refusal by the server itself. Both texts live for ever.
struct refusal {
    int status = 0;
    const char* code = "";
    const char* detail = "";
    explicit operator bool() const noexcept { return status != 0; }
};

/// Finds the end of a request head in bytes as they arrive and enforces the limits on the way, so that
/// nothing unbounded is ever buffered. Stricter than Beast's parser, which runs afterwards on the whole head:
/// every line ends in CRLF and no line is folded (RFC 9112 sections 2.2 and 5.2; readers that disagree on
/// these can be played against each other). No I/O: bytes in, verdict out. Each byte is looked at once
/// however the head is split.
class head_scanner {
public:
    struct limits {
        std::size_t max_target_bytes;
        std::size_t max_header_bytes;
        std::size_t max_header_fields;
    };
    explicit head_scanner(limits l) noexcept : limits_{l} {}

    enum class verdict { more, complete, refused };

    /// `all`: every byte of this head so far (what an earlier call saw, and more). After complete,
    /// head_size() bytes of it are the head, of which the first skipped() are empty lines in front of the
    /// request line.
    verdict scan(std::string_view all) noexcept;

    std::size_t head_size() const noexcept { return line_begin_; }
    std::size_t skipped() const noexcept { return skipped_; }
    const refusal& why() const noexcept { return refusal_; }
    void reset() noexcept { *this = head_scanner{limits_}; }

private:
    verdict refuse(int status, const char* code, const char* detail) noexcept;
    verdict end_line(std::string_view line) noexcept;

    limits limits_;
    std::size_t looked_at_ = 0;  ///< bytes searched for a line end
    std::size_t line_begin_ = 0; ///< of the line that is not complete yet
    std::size_t skipped_ = 0;
    std::size_t fields_begin_ = 0; ///< 0: still in the request line
    std::size_t fields_ = 0;
    refusal refusal_;
};

} // namespace tiktrend::http
